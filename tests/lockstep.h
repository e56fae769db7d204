/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Engines that get the same calls, for tests: a clock, servers that answer after 10 ms, a peer with
 * a key, names that are found and strangers that ask. What the first engine does decides what
 * happens next; the others' effects are compared with its own. Every call can be written to a
 * recording. Time is counted in ticks, and nothing is random.
 */
#ifndef HOLDFAST_LOCKSTEP_H
#define HOLDFAST_LOCKSTEP_H

#include <stdlib.h>

#include "../engine/engine_state.h"
#include "../engine/recording.h"
#include "check.h"
#include "invariants_check.h"

#define LOCKSTEP_DELAY_S 0.010

enum { LOCKSTEP_ENGINES = 2, LOCKSTEP_ANSWERS = 64, LOCKSTEP_START_S = 1800000000 };

struct lockstep_answer {
    int64_t when;
    struct engine_call call;
    uint8_t bytes[PACKET_WRITE_MAX];
};

struct lockstep {
    const struct engine_config *config; /* in force */
    struct engine *engines[LOCKSTEP_ENGINES];
    void *memory[LOCKSTEP_ENGINES];
    int count;
    int64_t now;
    ntp_time clock; /* at `read` */
    int64_t read;
    double skew, rate;      /* of the clock */
    bool is_cut;            /* nobody answers */
    uint8_t cut_last_octet; /* this one does not; 0 = all do */
    mono_time wake;
    struct lockstep_answer answers[LOCKSTEP_ANSWERS];
    int answer_count;
    struct effects effects; /* of the last call, the first engine's */
    long calls, differences, sends, resolves, steps, samples, leaders;
    uint16_t asked[ASSOCIATIONS_MAX]; /* look-ups by association */
    int64_t next_stranger;
    uint64_t digest; /* of all effects */
    uint8_t *recording;
    size_t recording_size;
    char why[96];            /* of the last change of leader or state */
    enum system_state state; /* as traced last */
};

static inline struct address lockstep_address(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct address){.family = ADDRESS_V4, .bytes = {a, b, c, d}};
}

static inline ntp_time lockstep_true_time(const struct lockstep *l)
{
    return ntp_add_ticks(ntp_from_unix_s(LOCKSTEP_START_S), l->now);
}

static inline struct instant lockstep_instant(struct lockstep *l)
{
    int64_t elapsed = l->now - l->read;
    l->clock =
        ntp_add_ticks(l->clock, elapsed + (int64_t)rint((double)elapsed * (l->skew + l->rate)));
    l->read = l->now;
    return (struct instant){l->clock, {l->now}};
}

static inline void lockstep_sink(void *context, const struct trace_record *record)
{
    struct lockstep *l = context;
    l->samples += record->kind == TRACE_SAMPLE;
    l->steps += record->kind == TRACE_STEP;
    l->leaders += record->kind == TRACE_LEADER;
    if (record->kind == TRACE_STATE) {
        l->state = record->u.state.to;
    }
    if (record->kind == TRACE_STATE || record->kind == TRACE_LEADER) {
        snprintf(l->why, sizeof l->why, "%s", record->why ? record->why : "");
    }
}

static inline void lockstep_record(struct lockstep *l, const struct engine_call *call,
                                   uint64_t effects)
{
    if (l->recording) {
        size_t size = recording_size(call);
        l->recording = realloc(l->recording, l->recording_size + size);
        CHECK_INT(recording_write(call, effects, l->recording + l->recording_size), size);
        l->recording_size += size;
    }
}

/* Begins to record, with the header. */
static inline void lockstep_start_recording(struct lockstep *l)
{
    l->recording = malloc(RECORDING_HEADER_SIZE);
    l->recording_size = RECORDING_HEADER_SIZE;
    recording_header(l->recording);
}

/* `count` engines of one configuration and one seed, their clock 3 ms behind and 12 ppm fast, which
 * begin when `begin_s` is now. */
static inline struct lockstep *lockstep_new_at(const struct engine_config *config, int count,
                                               bool records, double begin_s)
{
    struct lockstep *l = calloc(1, sizeof *l);
    uint8_t key[32] = {7, 1, 8};
    l->now = ticks_from_s(begin_s);
    l->read = l->now;
    l->config = config;
    l->count = count;
    l->skew = 12e-6;
    l->clock = ntp_add_s(lockstep_true_time(l), -0.003);
    l->next_stranger = l->now + ticks_from_s(20.5);
    struct instant now = lockstep_instant(l);
    for (int i = 0; i < count; i++) {
        l->memory[i] = aligned_alloc(16, engine_size(config));
        l->engines[i] = engine_init(l->memory[i], config, key, now);
    }
    engine_set_trace(l->engines[0], TRACE_ALL, lockstep_sink, l);
    l->wake = now.mono;
    if (records) {
        struct engine_call call = {
            .verb = VERB_INIT, .now = now, .u.begin = {.config = config, .key = key}};
        lockstep_start_recording(l);
        lockstep_record(l, &call, 0);
    }
    return l;
}

static inline struct lockstep *lockstep_new(const struct engine_config *config, int count,
                                            bool records)
{
    return lockstep_new_at(config, count, records, 0.0);
}

static inline void lockstep_free(struct lockstep *l)
{
    for (int i = 0; i < l->count; i++) {
        free(l->memory[i]);
    }
    free(l->recording);
    free(l);
}

static inline struct lockstep_answer *lockstep_post(struct lockstep *l, enum engine_verb verb,
                                                    double wait_s)
{
    CHECK(l->answer_count < LOCKSTEP_ANSWERS);
    struct lockstep_answer *answer = &l->answers[l->answer_count++];
    memset(answer, 0, sizeof *answer);
    answer->when = l->now + ticks_from_s(wait_s);
    answer->call.verb = verb;
    return answer;
}

/* What the other side makes of a datagram sent to it: a server's answer, or a peer's packet. */
static inline void lockstep_answer_to(struct lockstep *l, const struct outgoing *send)
{
    struct packet request;
    uint8_t last = send->peer.address.bytes[3];
    bool is_peer = send->request == 0;
    if (l->is_cut || last == l->cut_last_octet ||
        packet_parse(send->bytes, send->size, &request) != PACKET_OK ||
        request.mode == MODE_SERVER) {
        return;
    }
    struct lockstep_answer *answer = lockstep_post(l, VERB_RECEIVE, LOCKSTEP_DELAY_S);
    ntp_time clock = ntp_add_s(lockstep_true_time(l), LOCKSTEP_DELAY_S / 2 + last * 1e-5);
    struct packet p = {.version = 4,
                       .mode = is_peer ? MODE_ACTIVE : MODE_SERVER,
                       .stratum = is_peer ? 3 : 2,
                       .poll = 6,
                       .precision = -22,
                       .root_delay = ntp_short_from_s(0.001),
                       .root_dispersion = ntp_short_from_s(0.001 * last),
                       .refid = 0x47505300,
                       .reference = ntp_add_s(clock, -16.0),
                       .origin = request.transmit,
                       .receive = clock,
                       .transmit = clock};
    packet_write(&p, answer->bytes);
    struct datagram *in = &answer->call.u.receive;
    in->peer = send->peer;
    in->local = (struct endpoint){lockstep_address(10, 0, 0, 1), NTP_PORT};
    in->request = send->request;
    in->kind = STAMP_KERNEL;
    in->size = PACKET_HEADER_SIZE;
    if (request.has_mac) {
        const struct key *key = key_find(&l->config->keys, request.key_id);
        in->size += auth_append(key, answer->bytes, in->size);
    }
}

/* Somebody asks for the time, now and then without waiting for as long as he should. */
static inline void lockstep_stranger(struct lockstep *l)
{
    struct lockstep_answer *question = lockstep_post(l, VERB_RECEIVE, 0.0);
    struct packet p = {.version = 4, .mode = MODE_CLIENT, .transmit = {(uint64_t)l->now}};
    packet_write(&p, question->bytes);
    struct datagram *in = &question->call.u.receive;
    in->peer = (struct endpoint){lockstep_address(192, 0, 2, (uint8_t)(l->calls % 5)), 5000};
    in->local = (struct endpoint){lockstep_address(10, 0, 0, 1), NTP_PORT};
    in->kind = STAMP_USER;
    in->size = PACKET_HEADER_SIZE;
    l->next_stranger = l->now + ticks_from_s(0.7 + (double)(l->calls % 7) * 5.0);
}

static inline void lockstep_call(struct lockstep *l, const struct engine_call *call);

static inline void lockstep_carry_out(struct lockstep *l)
{
    const struct effects out = l->effects;
    if (out.todo & EFFECT_CLOCK) {
        (void)lockstep_instant(l);
        if (out.clock.what & CLOCK_STEP) {
            l->clock = ntp_add_s(l->clock, out.clock.step_s);
        }
        if (out.clock.what & CLOCK_RATE) {
            l->rate = (double)out.clock.rate_q * l->config->clock.rate_quantum;
        }
    }
    if (out.todo & EFFECT_RESOLVE) {
        struct lockstep_answer *answer = lockstep_post(l, VERB_RESOLVED, 0.05);
        uint16_t association = out.resolve_association;
        l->resolves++;
        l->asked[association]++;
        answer->call.u.resolved.association = association;
        answer->call.u.resolved.count = 6;
        for (unsigned i = 0; i < 6; i++) {
            const char *name = l->config->associations[association].name;
            answer->call.u.resolved.addresses[i] = (struct endpoint){
                lockstep_address(198, 51, 100, (uint8_t)(20 + name[0] % 16 * 8 + (int)i)),
                NTP_PORT};
        }
    }
    if (out.todo & EFFECT_SEND) {
        l->sends++;
        lockstep_answer_to(l, &out.send);
    }
    l->wake = out.wake;
    if ((out.todo & EFFECT_SEND) && out.send.peer.port == NTP_PORT) {
        struct instant now = lockstep_instant(l);
        struct engine_call sent = {.verb = VERB_SENT, .now = now};
        sent.u.sent.request = out.send.request;
        sent.u.sent.stamp = ntp_add_s(now.clock, 20e-6);
        sent.u.sent.kind = STAMP_KERNEL;
        if (out.send.request == 0) {
            sent.u.sent.peer = out.send.peer;
        }
        lockstep_call(l, &sent);
    }
}

static inline void lockstep_call(struct lockstep *l, const struct engine_call *call)
{
    struct effects other;
    engine_call(l->engines[0], call, &l->effects);
    invariants_check(l->engines[0]);
    uint64_t hash = effects_hash(&l->effects);
    for (int i = 1; i < l->count; i++) {
        engine_call(l->engines[i], call, &other);
        invariants_check(l->engines[i]);
        l->differences += effects_hash(&other) != hash;
    }
    l->calls++;
    l->digest = (l->digest ^ hash) * UINT64_C(1099511628211);
    lockstep_record(l, call, hash);
    lockstep_carry_out(l);
}

static inline void lockstep_expire(struct lockstep *l)
{
    struct engine_call call = {.verb = VERB_EXPIRE, .now = lockstep_instant(l)};
    lockstep_call(l, &call);
}

static inline void lockstep_clock_event(struct lockstep *l, enum clock_event event, double amount_s)
{
    struct engine_call call = {.verb = VERB_CLOCK_EVENT, .now = lockstep_instant(l)};
    call.u.clock.event = event;
    call.u.clock.amount_s = amount_s;
    lockstep_call(l, &call);
}

/* Gives one engine another configuration, of other memory. */
static inline void lockstep_adopt(struct lockstep *l, int i, const struct engine_config *config)
{
    void *memory = aligned_alloc(16, engine_size(config));
    struct instant now = lockstep_instant(l);
    memset(memory, 0xA5, engine_size(config));
    l->engines[i] = engine_adopt(memory, config, l->engines[i], now);
    invariants_check(l->engines[i]);
    memset(l->memory[i], 0x5A, engine_size(l->config)); /* nobody looks there any more */
    free(l->memory[i]);
    l->memory[i] = memory;
    if (i == 0) {
        struct engine_call call = {.verb = VERB_ADOPT, .now = now, .u.begin = {.config = config}};
        lockstep_record(l, &call, 0);
        l->config = config;
        for (int k = 0; k < l->answer_count; k++) {
            /* Looked up for the old one: the host drops it. */
            if (l->answers[k].call.verb == VERB_RESOLVED) {
                l->answers[k--] = l->answers[--l->answer_count];
            }
        }
    }
}

/* Adopts and does what a host does next. */
static inline void lockstep_reload(struct lockstep *l, const struct engine_config *config)
{
    lockstep_adopt(l, 0, config);
    lockstep_expire(l);
}

static inline int lockstep_next_answer(const struct lockstep *l)
{
    int next = -1;
    for (int i = 0; i < l->answer_count; i++) {
        if (next < 0 || l->answers[i].when < l->answers[next].when) {
            next = i;
        }
    }
    return next;
}

static inline void lockstep_run(struct lockstep *l, double until_s)
{
    int64_t until = ticks_from_s(until_s);
    while (l->now < until) {
        int next = lockstep_next_answer(l);
        int64_t at = until;
        at = next >= 0 && l->answers[next].when < at ? l->answers[next].when : at;
        at = l->wake.ticks < at ? l->wake.ticks : at;
        at = l->next_stranger < at ? l->next_stranger : at;
        l->now = at > l->now ? at : l->now;
        if (next >= 0 && l->answers[next].when <= l->now) {
            struct lockstep_answer answer = l->answers[next];
            l->answers[next] = l->answers[--l->answer_count];
            answer.call.now = lockstep_instant(l);
            if (answer.call.verb == VERB_RECEIVE) {
                answer.call.u.receive.bytes = answer.bytes;
                answer.call.u.receive.stamp = answer.call.now.clock;
            }
            lockstep_call(l, &answer.call);
        } else if (l->wake.ticks <= l->now) {
            lockstep_expire(l);
        } else if (l->next_stranger <= l->now) {
            lockstep_stranger(l);
        }
    }
}

/* ---- a configuration with one of everything ---- */

enum { LOCKSTEP_LINES = 5 };

struct lockstep_lines {
    struct association_config lines[LOCKSTEP_LINES];
    struct key keys[2];
    struct restrict_entry entries[3];
    struct address own[2];
    struct engine_config config;
};

/* Two servers (.1 and .2), a keyed peer (.9), a name and a pool; strangers are limited. */
static inline void lockstep_fill(struct lockstep_lines *c)
{
    struct association_config line = {.name = "198.51.100.1",
                                      .is_numeric = true,
                                      .address = lockstep_address(198, 51, 100, 1),
                                      .minpoll = 6,
                                      .maxpoll = 8,
                                      .version = 4};
    memset(c, 0, sizeof *c);
    for (int i = 0; i < LOCKSTEP_LINES; i++) {
        c->lines[i] = line;
        c->lines[i].line = (uint32_t)(i + 1);
    }
    c->lines[1].name = "198.51.100.2";
    c->lines[1].address.bytes[3] = 2;
    c->lines[1].iburst = true;
    c->lines[2].kind = ASSOCIATION_PEER;
    c->lines[2].name = "198.51.100.9";
    c->lines[2].address.bytes[3] = 9;
    c->lines[2].key = 1;
    c->lines[3].name = "one.example";
    c->lines[4].name = "pool.example";
    c->lines[4].kind = ASSOCIATION_POOL;
    for (int i = 3; i < LOCKSTEP_LINES; i++) {
        c->lines[i].is_numeric = false;
        c->lines[i].address = (struct address){.family = ADDRESS_NONE};
    }
    c->keys[0] = (struct key){.id = 1,
                              .type = KEY_AES128CMAC,
                              .is_trusted = true,
                              .secret_size = 16,
                              .secret = {1, 2, 3, 4}};
    c->keys[1] = (struct key){
        .id = 7, .type = KEY_SHA1, .secret_size = 20, .secret = {9}, .address_count = 1};
    c->keys[1].addresses[0] = (struct key_address){lockstep_address(10, 0, 0, 0), 8};
    c->entries[0] = (struct restrict_entry){
        .address = lockstep_address(192, 0, 2, 0), .prefix = 24, .ippeerlimit = -1, .line = 4};
    c->entries[0].flags = ACCESS_LIMITED | ACCESS_KOD | ACCESS_NOQUERY;
    c->entries[1] = (struct restrict_entry){
        .address = lockstep_address(0, 0, 0, 0), .is_default = true, .ippeerlimit = 3, .line = 2};
    c->entries[1].flags = ACCESS_IGNORE;
    c->entries[2] = (struct restrict_entry){
        .address = {.family = ADDRESS_V6}, .is_default = true, .ippeerlimit = -1, .line = 2};
    c->own[0] = lockstep_address(10, 0, 0, 1);
    c->own[1] = (struct address){.family = ADDRESS_V6, .bytes = {0x20, 1, 0xd, 0xb8, [15] = 1}};
    engine_config_default(&c->config);
    c->config.associations = c->lines;
    c->config.association_count = LOCKSTEP_LINES;
    c->config.keys = (struct key_table){c->keys, 2};
    c->config.access = (struct access_list){c->entries, 3};
    c->config.own = c->own;
    c->config.own_count = 2;
    c->config.client_capacity = 8;
    c->config.drift_ppm = -12.0;
}

/* The same text in other memory. */
static inline void lockstep_copy(struct lockstep_lines *to, const struct lockstep_lines *from)
{
    *to = *from;
    to->config.associations = to->lines;
    to->config.keys.keys = to->keys;
    to->config.access.entries = to->entries;
    to->config.own = to->own;
}

#endif
