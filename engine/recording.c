/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Calls of an engine as records: see recording.h. The configuration's part is in
 * recording_config.c.
 *
 * A record is a head of 8 bytes (the length of its body, and the same inverted, so that a damaged
 * length is never taken for a cut end), the body (verb, instant, input, hash of the effects) and 8
 * bytes of check sum, so that damage to the file is never taken for an engine that does otherwise.
 */
#include "recording.h"

#include <assert.h>
#include <string.h>

#include "recording_format.h"

enum {
    RECORD_HEAD_SIZE = 8,
    RECORD_CHECK_SIZE = 8,
    RECORD_INSTANT_SIZE = 16,
    RECORDING_VERSION = 2, /* 2: with the list of leap seconds */
    SEED_SIZE = 32
};

/* The time that an instant may have before or after the start of its count: 34 years, so that
 * differences fit. */
#define MONO_LIMIT (INT64_C(1) << 62)

static const uint8_t magic[] = {'h', 'o', 'l', 'd', 'f', 'a', 's', 't', '-', 'r', 'e', 'c'};

static_assert(sizeof magic + 4 == RECORDING_HEADER_SIZE, "the version fills the header");

void engine_call(struct engine *e, const struct engine_call *call, struct effects *out)
{
    switch (call->verb) {
    case VERB_RECEIVE:
        engine_receive(e, call->now, &call->u.receive, out);
        return;
    case VERB_SENT:
        engine_sent(e, call->now, call->u.sent.request, call->u.sent.stamp, call->u.sent.kind,
                    &call->u.sent.peer, out);
        return;
    case VERB_EXPIRE:
        engine_expire(e, call->now, out);
        return;
    case VERB_RESOLVED:
        engine_resolved(e, call->now, call->u.resolved.association, call->u.resolved.addresses,
                        call->u.resolved.count, out);
        return;
    case VERB_CLOCK_EVENT:
        engine_clock_event(e, call->now, call->u.clock.event, call->u.clock.amount_s, out);
        return;
    case VERB_INIT:
    case VERB_ADOPT:
    case VERBS:
        break;
    }
    assert(false);
}

/* ---- the hash of effects -------------------------------------------------------------------- */

static uint64_t mix_double(uint64_t hash, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return octets_mix(hash, bits);
}

static uint64_t mix_endpoint(uint64_t hash, const struct endpoint *endpoint)
{
    hash = octets_mix(hash, (uint64_t)endpoint->address.family << 16 | endpoint->port);
    return octets_mix_bytes(hash, endpoint->address.bytes, sizeof endpoint->address.bytes);
}

static uint64_t mix_clock(uint64_t hash, const struct clock_command *clock)
{
    hash = octets_mix(hash, clock->what);
    if (clock->what & CLOCK_STEP) {
        hash = mix_double(hash, clock->step_s);
    }
    if (clock->what & CLOCK_RATE) {
        hash = octets_mix(hash, (uint64_t)clock->rate_q);
    }
    if (clock->what & CLOCK_LEAP) {
        hash = octets_mix(hash, clock->leap);
    }
    return hash;
}

uint64_t effects_hash(const struct effects *effects)
{
    uint64_t hash = octets_mix(0, effects->todo);
    hash = octets_mix(hash, (uint64_t)effects->wake.ticks);
    if (effects->todo & EFFECT_CLOCK) {
        hash = mix_clock(hash, &effects->clock);
    }
    if (effects->todo & EFFECT_SEND) {
        hash = mix_endpoint(hash, &effects->send.peer);
        hash = mix_endpoint(hash, &effects->send.local);
        hash = octets_mix(hash, effects->send.request);
        hash = octets_mix_bytes(hash, effects->send.bytes, effects->send.size);
    }
    if (effects->todo & EFFECT_RESOLVE) {
        hash = octets_mix(hash, effects->resolve_association);
    }
    return hash;
}

/* ---- writing -------------------------------------------------------------------------------- */

void recording_header(uint8_t bytes[RECORDING_HEADER_SIZE])
{
    struct octets_sink sink = {bytes, 0};
    octets_put(&sink, magic, sizeof magic);
    octets_put_integer(&sink, RECORDING_VERSION, 4);
}

void recording_put_address(struct octets_sink *sink, const struct address *address)
{
    octets_put_integer(sink, address->family, 1);
    octets_put(sink, address->bytes, sizeof address->bytes);
}

static void put_endpoint(struct octets_sink *sink, const struct endpoint *endpoint)
{
    recording_put_address(sink, &endpoint->address);
    octets_put_integer(sink, endpoint->port, 2);
}

static void put_datagram(struct octets_sink *sink, const struct datagram *in)
{
    assert(in->size <= UINT16_MAX);
    put_endpoint(sink, &in->peer);
    put_endpoint(sink, &in->local);
    octets_put_integer(sink, in->request, 4);
    octets_put_integer(sink, in->stamp.ticks, 8);
    octets_put_integer(sink, in->kind, 1);
    octets_put_integer(sink, in->truncated, 1);
    octets_put_integer(sink, in->size, 2);
    octets_put(sink, in->bytes, in->size);
}

static void put_input(struct octets_sink *sink, const struct engine_call *call)
{
    switch (call->verb) {
    case VERB_INIT:
        octets_put(sink, call->u.begin.key, SEED_SIZE);
        recording_put_config(sink, call->u.begin.config);
        break;
    case VERB_ADOPT:
        recording_put_config(sink, call->u.begin.config);
        break;
    case VERB_RECEIVE:
        put_datagram(sink, &call->u.receive);
        break;
    case VERB_SENT:
        octets_put_integer(sink, call->u.sent.request, 4);
        octets_put_integer(sink, call->u.sent.stamp.ticks, 8);
        octets_put_integer(sink, call->u.sent.kind, 1);
        put_endpoint(sink, &call->u.sent.peer);
        break;
    case VERB_RESOLVED:
        octets_put_integer(sink, call->u.resolved.association, 2);
        octets_put_integer(sink, call->u.resolved.count, 1);
        for (unsigned i = 0; i < call->u.resolved.count; i++) {
            put_endpoint(sink, &call->u.resolved.addresses[i]);
        }
        break;
    case VERB_CLOCK_EVENT:
        octets_put_integer(sink, call->u.clock.event, 1);
        octets_put_double(sink, call->u.clock.amount_s);
        break;
    case VERB_EXPIRE:
    case VERBS:
        break;
    }
}

static void put_body(struct octets_sink *sink, const struct engine_call *call, uint64_t effects)
{
    assert(call->verb < VERBS);
    octets_put_integer(sink, call->verb, 1);
    octets_put_integer(sink, call->now.clock.ticks, 8);
    octets_put_integer(sink, (uint64_t)call->now.mono.ticks, 8);
    put_input(sink, call);
    octets_put_integer(sink, effects, 8);
}

size_t recording_size(const struct engine_call *call)
{
    struct octets_sink sink = {NULL, 0};
    put_body(&sink, call, 0);
    return RECORD_HEAD_SIZE + sink.size + RECORD_CHECK_SIZE;
}

size_t recording_write(const struct engine_call *call, uint64_t effects, uint8_t *bytes)
{
    struct octets_sink head = {bytes, 0}, body = {bytes + RECORD_HEAD_SIZE, 0};
    put_body(&body, call, effects);
    assert(body.size <= UINT32_MAX);
    octets_put_integer(&head, body.size, 4);
    octets_put_integer(&head, ~(uint64_t)body.size, 4);
    size_t length = body.size;
    octets_put_integer(&body, octets_mix_bytes(0, bytes + RECORD_HEAD_SIZE, length), 8);
    return RECORD_HEAD_SIZE + body.size;
}

/* ---- reading -------------------------------------------------------------------------------- */

enum recording_verdict recording_open(struct recording_reader *reader, const uint8_t *bytes,
                                      size_t size)
{
    uint8_t header[RECORDING_HEADER_SIZE];
    recording_header(header);
    *reader = (struct recording_reader){.bytes = bytes, .size = size, .latest = {INT64_MIN}};
    if (size < sizeof header) {
        bool is_beginning = size > 0 && memcmp(bytes, header, size) == 0;
        return is_beginning ? RECORDING_CUT : RECORDING_FOREIGN;
    }
    reader->at = RECORDING_HEADER_SIZE;
    return memcmp(bytes, header, sizeof header) == 0 ? RECORDING_OK : RECORDING_FOREIGN;
}

void recording_take_address(struct octets_cursor *cursor, struct address *address)
{
    *address = (struct address){.family = (uint8_t)octets_take_integer(cursor, 1)};
    const uint8_t *bytes = octets_take(cursor, sizeof address->bytes);
    bool is_family = address->family == ADDRESS_NONE || address->family == ADDRESS_V4 ||
                     address->family == ADDRESS_V6;
    cursor->is_bad = cursor->is_bad || !is_family;
    if (bytes) {
        memcpy(address->bytes, bytes, sizeof address->bytes);
    }
}

static void take_endpoint(struct octets_cursor *cursor, struct endpoint *endpoint)
{
    recording_take_address(cursor, &endpoint->address);
    endpoint->port = (uint16_t)octets_take_integer(cursor, 2);
}

static void take_datagram(struct octets_cursor *cursor, struct datagram *in)
{
    take_endpoint(cursor, &in->peer);
    take_endpoint(cursor, &in->local);
    in->request = (uint32_t)octets_take_integer(cursor, 4);
    in->stamp.ticks = octets_take_integer(cursor, 8);
    in->kind = (enum stamp_kind)octets_take_up_to(cursor, 1, STAMP_HARDWARE);
    in->truncated = octets_take_bool(cursor);
    in->size = octets_take_integer(cursor, 2);
    in->bytes = octets_take(cursor, in->size);
}

static void take_resolved(struct octets_cursor *cursor, struct engine_call *call)
{
    call->u.resolved.association = (uint16_t)octets_take_integer(cursor, 2);
    call->u.resolved.count = (uint8_t)octets_take_up_to(cursor, 1, ALTERNATES_MAX);
    for (unsigned i = 0; i < call->u.resolved.count; i++) {
        take_endpoint(cursor, &call->u.resolved.addresses[i]);
    }
}

static void take_input(struct octets_cursor *cursor, void *memory, struct engine_call *call)
{
    switch (call->verb) {
    case VERB_INIT:
        call->u.begin.key = octets_take(cursor, SEED_SIZE);
        call->u.begin.config = recording_take_config(cursor, memory);
        break;
    case VERB_ADOPT:
        call->u.begin.config = recording_take_config(cursor, memory);
        break;
    case VERB_RECEIVE:
        take_datagram(cursor, &call->u.receive);
        break;
    case VERB_SENT:
        call->u.sent.request = (uint32_t)octets_take_integer(cursor, 4);
        call->u.sent.stamp.ticks = octets_take_integer(cursor, 8);
        call->u.sent.kind = (enum stamp_kind)octets_take_up_to(cursor, 1, STAMP_HARDWARE);
        take_endpoint(cursor, &call->u.sent.peer);
        break;
    case VERB_RESOLVED:
        take_resolved(cursor, call);
        break;
    case VERB_CLOCK_EVENT:
        call->u.clock.event = (enum clock_event)octets_take_up_to(cursor, 1, CLOCK_LEAPT);
        call->u.clock.amount_s = octets_take_number(cursor);
        break;
    case VERB_EXPIRE:
    case VERBS:
        break;
    }
}

/* The body of the next record, its head and check sum proved; *end is where the one after it
 * begins. */
static enum recording_verdict find_body(const struct recording_reader *reader,
                                        struct octets_cursor *body, size_t *end)
{
    struct octets_cursor all = {.at = reader->bytes + reader->at,
                                .left = reader->size - reader->at};
    if (all.left == 0) {
        return RECORDING_END;
    }
    if (all.left < RECORD_HEAD_SIZE) {
        return RECORDING_CUT;
    }
    uint32_t length = (uint32_t)octets_take_integer(&all, 4);
    uint32_t inverted = (uint32_t)octets_take_integer(&all, 4);
    if (length != (uint32_t)~inverted) {
        return RECORDING_DAMAGED;
    }
    if (all.left < RECORD_CHECK_SIZE || all.left - RECORD_CHECK_SIZE < length) {
        return RECORDING_CUT;
    }
    *body = (struct octets_cursor){.at = octets_take(&all, length), .left = length};
    bool is_whole = octets_take_integer(&all, 8) == octets_mix_bytes(0, body->at, length);
    *end = reader->at + RECORD_HEAD_SIZE + length + RECORD_CHECK_SIZE;
    return is_whole ? RECORDING_OK : RECORDING_DAMAGED;
}

size_t recording_config_size(const struct recording_reader *reader)
{
    struct octets_cursor body;
    size_t end;
    if (find_body(reader, &body, &end) != RECORDING_OK) {
        return 0;
    }
    enum engine_verb verb = (enum engine_verb)octets_take_integer(&body, 1);
    (void)octets_take(&body, RECORD_INSTANT_SIZE);
    if (verb == VERB_INIT) {
        (void)octets_take(&body, SEED_SIZE);
    } else if (verb != VERB_ADOPT) {
        return 0;
    }
    return recording_config_memory(body);
}

enum recording_verdict recording_read(struct recording_reader *reader, void *memory,
                                      struct engine_call *call, uint64_t *effects)
{
    struct octets_cursor body;
    size_t end;
    enum recording_verdict verdict = find_body(reader, &body, &end);
    if (verdict != RECORDING_OK) {
        return verdict;
    }
    memset(call, 0, sizeof *call);
    call->verb = (enum engine_verb)octets_take_up_to(&body, 1, VERBS - 1);
    call->now.clock.ticks = octets_take_integer(&body, 8);
    call->now.mono.ticks = (int64_t)octets_take_integer(&body, 8);
    take_input(&body, memory, call);
    *effects = octets_take_integer(&body, 8);
    bool is_first = reader->at == RECORDING_HEADER_SIZE;
    bool is_in_time = call->now.mono.ticks > -MONO_LIMIT && call->now.mono.ticks < MONO_LIMIT &&
                      !mono_before(call->now.mono, reader->latest);
    if (body.is_bad || body.left != 0 || is_first != (call->verb == VERB_INIT) || !is_in_time) {
        return RECORDING_DAMAGED;
    }
    reader->at = end;
    reader->latest = call->now.mono;
    return RECORDING_OK;
}

const char *recording_verdict_text(enum recording_verdict verdict)
{
    switch (verdict) {
    case RECORDING_OK:
        return "good";
    case RECORDING_END:
        return "at its end";
    case RECORDING_CUT:
        return "cut: its last record is not complete";
    case RECORDING_FOREIGN:
        return "not a recording, or of another version";
    case RECORDING_DAMAGED:
        return "damaged: a record that cannot be";
    }
    return "unknown verdict";
}
