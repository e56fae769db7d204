/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text forms of trace records: see trace.h. The only part of the engine that formats numbers.
 */
#include "trace.h"

#include <assert.h>
#include <stdio.h>

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

static int text_of_kiss(const struct trace_record *r, const char *peer, char *text, size_t size)
{
    uint32_t code = r->u.kiss.code;
    return snprintf(text, size, "%s sent kiss-o'-death %c%c%c%c", peer, (char)(code >> 24),
                    (char)(code >> 16), (char)(code >> 8), (char)code);
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
        return snprintf(text, size, "%s is %s: %s", peer,
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
    default:
        return written(text_of_rest(record, peer, text, size), size);
    }
}

size_t trace_loopstats(const struct trace_record *record, char *text, size_t size)
{
    assert(record->kind == TRACE_LOOP);
    return written(snprintf(text, size, "%.9f %.3f %.9f %.6f %d", record->u.loop.offset_s,
                            record->u.loop.drift_ppm, record->u.loop.jitter_s,
                            record->u.loop.wander_ppm, record->u.loop.poll),
                   size);
}

size_t trace_peerstats(const struct trace_record *record, char *text, size_t size)
{
    char address[ADDRESS_TEXT_SIZE];
    assert(record->kind == TRACE_SAMPLE);
    return written(snprintf(text, size, "%s %x %.9f %.9f %.9f %.9f", record_peer(record, address),
                            record->u.sample.status, record->u.sample.offset_s,
                            record->u.sample.delay_s, record->u.sample.dispersion_s,
                            record->u.sample.jitter_s),
                   size);
}
