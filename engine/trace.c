/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text forms of trace records: see trace.h. The only part of the engine that formats numbers.
 */
#include "trace.h"

#include <stdio.h>

#include "inspection.h"

static const char *const state_names[STATES] = {
    [STATE_UNSYNCHRONISED] = "unsynchronised",
    [STATE_SYNCHRONISED] = "synchronised",
    [STATE_HOLDOVER] = "holdover",
    [STATE_PANIC] = "panic",
};

const char *system_state_name(enum system_state state)
{
    return (unsigned)state < STATES ? state_names[state] : "unknown";
}

/* snprintf's result as the length that is really there. */
static size_t written(int length, size_t size)
{
    if (length < 0 || size == 0) {
        return 0;
    }
    return (size_t)length < size ? (size_t)length : size - 1;
}

static const char *record_peer(const struct trace_record *record, char text[ADDRESS_TEXT_SIZE])
{
    if (record->peer.address.family == ADDRESS_NONE) {
        return "none";
    }
    return address_text(&record->peer.address, text);
}

static int text_of_state(const struct trace_record *r, const char *peer, char *text, size_t size)
{
    (void)peer;
    return snprintf(text, size, "%s -> %s: %s (stratum %u, root distance %.6f s)",
                    system_state_name(r->u.state.from), system_state_name(r->u.state.to),
                    r->why ? r->why : "", r->u.state.stratum, r->u.state.root_distance_s);
}

static int text_of_sample(const struct trace_record *r, const char *peer, char *text, size_t size)
{
    return snprintf(text, size, "sample of %s: offset %+.9f s, delay %.9f s, dispersion %.6f s",
                    peer, r->u.sample.offset_s, r->u.sample.delay_s, r->u.sample.dispersion_s);
}

static int text_of_loop(const struct trace_record *r, const char *peer, char *text, size_t size)
{
    return snprintf(text, size, "clock update from %s: offset %+.9f s, drift %+.6f ppm, poll %d",
                    peer, r->u.loop.offset_s, r->u.loop.drift_ppm, r->u.loop.poll);
}

/* Four letters off the wire; what is none becomes '?', so that nobody outside writes into a log. */
static const char *code_text(uint32_t code, char text[5])
{
    for (unsigned i = 0; i < 4; i++) {
        char letter = (char)(code >> (24 - 8 * i) & 0xff);
        text[i] = letter > ' ' && letter <= '~' ? letter : '?';
    }
    text[4] = '\0';
    return text;
}

static int text_of_kiss(const struct trace_record *r, const char *peer, char *text, size_t size)
{
    char code[5];
    return snprintf(text, size, "%s sent kiss-o'-death %s", peer, code_text(r->u.kiss.code, code));
}

static int text_of_raw(const struct trace_record *r, const char *peer, char *text, size_t size)
{
    return snprintf(text, size, "exchange with %s: %.9f s out and back, %.9f s in between", peer,
                    ntp_diff_s(r->u.raw.arrived, r->u.raw.sent),
                    ntp_diff_s(r->u.raw.answered, r->u.raw.received));
}

/* The kinds whose text is one clause. */
static int text_of_rest(const struct trace_record *r, const char *peer, char *text, size_t size)
{
    const char *why = r->why ? r->why : "";
    switch (r->kind) {
    case TRACE_LEADER:
        return snprintf(text, size, "system peer is now %s: %s", peer, why);
    case TRACE_STEP:
        return snprintf(text, size, "clock stepped by %+.9f s: %s", r->u.step.amount_s, why);
    case TRACE_REACH:
        return snprintf(text, size, "%s%s%s%s is %s: %s", peer, r->name ? " (" : "",
                        r->name ? r->name : "", r->name ? ")" : "",
                        r->u.reach.is_reachable ? "reachable" : "unreachable", why);
    case TRACE_REJECT:
        return snprintf(text, size, "packet of %s refused: %s", peer, why);
    case TRACE_DENIED:
        return snprintf(text, size, "packet of %s dropped: %s by restrict line %u", peer, why,
                        (unsigned)r->u.denied.line);
    case TRACE_SPIKE:
        return snprintf(text, size, "%s: offset %+.9f s: %s", peer, r->u.step.amount_s, why);
    case TRACE_DISPUTE:
        return snprintf(text, size, "%s is not followed: offset %+.6f s %s of %.6f s", peer,
                        r->u.dispute.offset_s, why, r->u.dispute.bound_s);
    case TRACE_CLOCK:
        return snprintf(text, size, "clock: %s (%+.9f)", why, r->u.clock.amount_s);
    default:
        return snprintf(text, size, "%s", why);
    }
}

size_t trace_text(const struct trace_record *record, char *text, size_t size)
{
    char address[ADDRESS_TEXT_SIZE];
    const char *peer = record_peer(record, address);
    switch (record->kind) {
    case TRACE_STATE:
        return written(text_of_state(record, peer, text, size), size);
    case TRACE_SAMPLE:
        return written(text_of_sample(record, peer, text, size), size);
    case TRACE_LOOP:
        return written(text_of_loop(record, peer, text, size), size);
    case TRACE_KISS:
        return written(text_of_kiss(record, peer, text, size), size);
    case TRACE_RAW:
        return written(text_of_raw(record, peer, text, size), size);
    default:
        return written(text_of_rest(record, peer, text, size), size);
    }
}

bool trace_is_of_system(enum trace_kind kind)
{
    return kind == TRACE_STATE || kind == TRACE_STEP || kind == TRACE_CLOCK;
}

/* ---- statistics ----------------------------------------------------------------------------- */

enum { MJD_OF_UNIX_EPOCH = 40587, SECONDS_PER_DAY = 86400 };

/* Whole milliseconds since the start of the day; *mjd = the day. */
static unsigned milliseconds_of_day(ntp_time clock, int64_t *mjd)
{
    int64_t unix_s = unix_s_from_ntp(clock);
    uint64_t fraction = clock.ticks & UINT32_MAX;
    *mjd = unix_s / SECONDS_PER_DAY + MJD_OF_UNIX_EPOCH;
    return (unsigned)(unix_s % SECONDS_PER_DAY) * 1000 + (unsigned)(fraction * 1000 >> 32);
}

const char *trace_statistics_name(enum statistics_kind kind)
{
    static const char *const names[STATISTICS_KINDS] = {
        [STATISTICS_LOOP] = "loopstats",   [STATISTICS_PEER] = "peerstats",
        [STATISTICS_RAW] = "rawstats",     [STATISTICS_PROTO] = "protostats",
        [STATISTICS_CLOCK] = "clockstats", [STATISTICS_SYS] = "sysstats"};
    return (unsigned)kind < STATISTICS_KINDS ? names[kind] : "unknown";
}

static int line_of_loop(const struct trace_record *r, char *text, size_t size)
{
    return snprintf(text, size, "%.9f %.3f %.9f %.6f %d", r->u.loop.offset_s, r->u.loop.drift_ppm,
                    r->u.loop.jitter_s, r->u.loop.wander_ppm, r->u.loop.poll);
}

static int line_of_sample(const struct trace_record *r, char *text, size_t size)
{
    char address[ADDRESS_TEXT_SIZE];
    return snprintf(text, size, "%s %x %.9f %.9f %.9f %.9f", record_peer(r, address), r->status,
                    r->u.sample.offset_s, r->u.sample.delay_s, r->u.sample.dispersion_s,
                    r->u.sample.jitter_s);
}

enum { STAMP_TEXT_SIZE = 24, REFID_TEXT_SIZE = 16 };

/* Seconds since 1900 (or the start of a later era), to the nearest nanosecond. */
static const char *stamp_text(ntp_time stamp, char text[STAMP_TEXT_SIZE])
{
    uint64_t second = stamp.ticks >> 32;
    uint64_t ns = ((stamp.ticks & UINT32_MAX) * UINT64_C(1000000000) + (UINT64_C(1) << 31)) >> 32;
    second += ns / 1000000000;
    snprintf(text, STAMP_TEXT_SIZE, "%llu.%09llu", (unsigned long long)second,
             (unsigned long long)(ns % 1000000000));
    return text;
}

/* An address, or in dots the letters of a primary server or of one without time. */
static const char *refid_text(uint32_t refid, uint8_t stratum, char text[REFID_TEXT_SIZE])
{
    char code[5];
    if (stratum > 1) {
        snprintf(text, REFID_TEXT_SIZE, "%u.%u.%u.%u", (unsigned)(refid >> 24),
                 (unsigned)(refid >> 16 & 0xff), (unsigned)(refid >> 8 & 0xff),
                 (unsigned)(refid & 0xff));
        return text;
    }
    (void)code_text(refid, code);
    for (unsigned i = 4; i > 0 && (refid >> (32 - 8 * i) & 0xff) == 0; i--) {
        code[i - 1] = '\0'; /* shorter codes are padded with zeros */
    }
    snprintf(text, REFID_TEXT_SIZE, ".%s.", code);
    return text;
}

static int line_of_raw(const struct trace_record *r, char *text, size_t size)
{
    char source[ADDRESS_TEXT_SIZE], destination[ADDRESS_TEXT_SIZE], refid[REFID_TEXT_SIZE];
    char sent[STAMP_TEXT_SIZE], received[STAMP_TEXT_SIZE], answered[STAMP_TEXT_SIZE],
        arrived[STAMP_TEXT_SIZE];
    return snprintf(text, size, "%s %s %s %s %s %s %d %d %d %d %d %d %.6f %.6f %s %u",
                    record_peer(r, source), address_text(&r->u.raw.local, destination),
                    stamp_text(r->u.raw.sent, sent), stamp_text(r->u.raw.received, received),
                    stamp_text(r->u.raw.answered, answered), stamp_text(r->u.raw.arrived, arrived),
                    r->u.raw.leap, r->u.raw.version, r->u.raw.mode, r->u.raw.stratum, r->u.raw.poll,
                    r->u.raw.precision, s_from_ntp_short(r->u.raw.root_delay),
                    s_from_ntp_short(r->u.raw.root_dispersion),
                    refid_text(r->u.raw.refid, r->u.raw.stratum, refid), r->u.raw.polls);
}

static bool is_protocol_event(enum trace_kind kind)
{
    switch (kind) {
    case TRACE_STATE:
    case TRACE_LEADER:
    case TRACE_STEP:
    case TRACE_REACH:
    case TRACE_KISS:
    case TRACE_SPIKE:
    case TRACE_DISPUTE:
    case TRACE_CLOCK:
        return true;
    default:
        return false;
    }
}

static int line_of_event(const struct trace_record *r, char *text, size_t size)
{
    enum { PEER_EVENT_BIT = 0x80, EVENT_CODE_MASK = 0xf };
    char address[ADDRESS_TEXT_SIZE], what[STATISTICS_LINE_MAX];
    bool is_peer = r->source >= 0 && !trace_is_of_system(r->kind);
    (void)trace_text(r, what, sizeof what / 2);
    return snprintf(text, size, "%s %04x %02x %s", is_peer ? record_peer(r, address) : "0.0.0.0",
                    r->status,
                    (unsigned)(is_peer ? PEER_EVENT_BIT : 0) | (r->status & EVENT_CODE_MASK), what);
}

static int line_of_clock(const struct trace_record *r, char *text, size_t size)
{
    char what[STATISTICS_LINE_MAX];
    (void)trace_text(r, what, sizeof what / 2);
    return snprintf(text, size, "127.127.1.0 %s", what);
}

static bool makes_line(const struct trace_record *r, enum statistics_kind kind)
{
    switch (kind) {
    case STATISTICS_LOOP:
        return r->kind == TRACE_LOOP;
    case STATISTICS_PEER:
        return r->kind == TRACE_SAMPLE;
    case STATISTICS_RAW:
        return r->kind == TRACE_RAW;
    case STATISTICS_PROTO:
        return is_protocol_event(r->kind);
    case STATISTICS_CLOCK:
        return r->kind == TRACE_STEP || r->kind == TRACE_CLOCK;
    case STATISTICS_SYS:
    case STATISTICS_KINDS:
        break;
    }
    return false;
}

/* What stands behind the time. */
static int line_of(const struct trace_record *r, enum statistics_kind kind, char *text, size_t size)
{
    switch (kind) {
    case STATISTICS_LOOP:
        return line_of_loop(r, text, size);
    case STATISTICS_PEER:
        return line_of_sample(r, text, size);
    case STATISTICS_RAW:
        return line_of_raw(r, text, size);
    case STATISTICS_PROTO:
        return line_of_event(r, text, size);
    default:
        return line_of_clock(r, text, size);
    }
}

/* "MJD second.mmm "; its length. */
static size_t put_time(ntp_time clock, char *text, size_t size)
{
    int64_t mjd;
    unsigned ms = milliseconds_of_day(clock, &mjd);
    return written(snprintf(text, size, "%lld %u.%03u ", (long long)mjd, ms / 1000, ms % 1000),
                   size);
}

static size_t end_line(char text[STATISTICS_LINE_MAX], size_t length)
{
    text[length] = '\n';
    text[length + 1] = '\0';
    return length + 1;
}

size_t trace_statistics_line(const struct trace_record *record, enum statistics_kind kind,
                             char text[STATISTICS_LINE_MAX])
{
    const size_t room = STATISTICS_LINE_MAX - 1; /* without the newline */
    if (!makes_line(record, kind)) {
        return 0;
    }
    size_t length = put_time(record->now.clock, text, room);
    length += written(line_of(record, kind, text + length, room - length), room - length);
    return end_line(text, length);
}

size_t trace_statistics_sys_line(ntp_time clock, uint64_t seconds,
                                 const struct packet_counts *counts, char text[STATISTICS_LINE_MAX])
{
    const uint64_t columns[] = {seconds,           counts->received,      counts->processed,
                                counts->version_4, counts->version_older, counts->restricted,
                                counts->malformed, counts->bad_auth,      counts->declined,
                                counts->limited,   counts->kissed};
    const size_t room = STATISTICS_LINE_MAX - 1;
    size_t length = put_time(clock, text, room);
    for (unsigned i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        length += written(snprintf(text + length, room - length, i == 0 ? "%llu" : " %llu",
                                   (unsigned long long)columns[i]),
                          room - length);
    }
    return end_line(text, length);
}
