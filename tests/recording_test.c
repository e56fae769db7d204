/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Recordings: every field there and back, a replay is bit for bit the same, and nothing that can
 * happen to a file is followed blindly.
 */
#include "../engine/recording.h"

#include "../engine/octets.h"
#include "check.h"
#include "lockstep.h"

enum { HEAD = 8, CHECK_SIZE = 8, BODY_VERB = HEAD, BODY_INPUT = HEAD + 17 };

/* ---- reading and replaying ---- */

/* What became of a recording that was run again. */
struct outcome {
    enum recording_verdict verdict; /* how it ended */
    long calls, first_difference;   /* -1 = none */
};

static struct outcome replay(const uint8_t *bytes, size_t size)
{
    struct recording_reader reader;
    struct outcome outcome = {.first_difference = -1};
    struct engine *engine = NULL;
    void *memory = NULL, *config_memory = NULL;
    outcome.verdict = recording_open(&reader, bytes, size);
    while (outcome.verdict == RECORDING_OK) {
        struct engine_call call;
        struct effects out;
        uint64_t recorded, seen = 0;
        size_t wanted = recording_config_size(&reader);
        CHECK_INT(wanted % 16, 0);
        void *next_config = wanted > 0 ? aligned_alloc(16, wanted) : NULL;
        outcome.verdict = recording_read(&reader, next_config, &call, &recorded);
        if (outcome.verdict != RECORDING_OK) {
            free(next_config);
            break;
        }
        if (call.verb == VERB_INIT || call.verb == VERB_ADOPT) {
            void *next = aligned_alloc(16, engine_size(call.u.begin.config));
            engine = call.verb == VERB_INIT
                         ? engine_init(next, call.u.begin.config, call.u.begin.key, call.now)
                         : engine_adopt(next, call.u.begin.config, engine, call.now);
            free(memory);
            free(config_memory);
            memory = next;
            config_memory = next_config;
        } else {
            engine_call(engine, &call, &out);
            seen = effects_hash(&out);
        }
        if (seen != recorded && outcome.first_difference < 0) {
            outcome.first_difference = outcome.calls;
        }
        outcome.calls++;
    }
    free(memory);
    free(config_memory);
    return outcome;
}

/* Offset of record `index`. */
static size_t record_at(const uint8_t *bytes, long index)
{
    size_t at = RECORDING_HEADER_SIZE;
    for (long i = 0; i < index; i++) {
        uint32_t length = 0;
        for (unsigned k = 0; k < 4; k++) {
            length |= (uint32_t)bytes[at + k] << (8 * k);
        }
        at += HEAD + length + CHECK_SIZE;
    }
    return at;
}

/* Makes the check sum of the record at `at` true again. */
static void seal(uint8_t *bytes, size_t at, size_t end)
{
    size_t length = end - at - HEAD - CHECK_SIZE;
    struct octets_sink sink = {bytes + end - CHECK_SIZE, 0};
    octets_put_integer(&sink, octets_mix_bytes(0, bytes + at + HEAD, length), 8);
}

/* A run with one of everything, recorded: reloads, clock events, a cut, a crowd of strangers. */
static struct lockstep *recorded_run(struct lockstep_lines lines[3], double scale)
{
    lockstep_fill(&lines[0]);
    lockstep_copy(&lines[1], &lines[0]);
    lockstep_copy(&lines[2], &lines[0]);
    lines[1].keys[0].secret[3] = 77;
    lines[1].config.association_count = 4;
    struct lockstep *l = lockstep_new(&lines[0].config, 1, true);
    lockstep_run(l, 300.0 * scale);
    lockstep_reload(l, &lines[1].config);
    lockstep_run(l, 600.0 * scale);
    lockstep_clock_event(l, CLOCK_STEPPED, -0.25);
    l->clock = ntp_add_s(l->clock, -0.25);
    lockstep_run(l, 2000.0 * scale);
    lockstep_clock_event(l, CLOCK_RATED, 3e-6);
    l->is_cut = true;
    lockstep_run(l, 4000.0 * scale);
    lockstep_reload(l, &lines[2].config);
    l->is_cut = false;
    lockstep_run(l, 5000.0 * scale);
    lockstep_clock_event(l, CLOCK_RESUMED, 40.0);
    lockstep_run(l, 6000.0 * scale);
    return l;
}

static void a_recorded_run_replays_bit_for_bit(void)
{
    struct lockstep_lines lines[3];
    struct lockstep *l = recorded_run(lines, 1.0);
    CHECK(l->calls > 1000 && l->steps > 0 && l->resolves > 2 && l->samples > 50);
    memset(lines, 0x5A, sizeof lines); /* nothing of the host's is needed */
    struct outcome outcome = replay(l->recording, l->recording_size);
    CHECK_INT(outcome.verdict, RECORDING_END);
    CHECK_INT(outcome.calls, l->calls + 3);
    CHECK_INT(outcome.first_difference, -1);
    lockstep_free(l);
}

/* Armed by one list, disarmed by the next, which is loaded on the leap day. */
static void lists_of_leap_seconds_are_part_of_what_is_replayed(void)
{
    const int64_t leap_s = 1801440000; /* 2027-02-01 */
    struct lockstep_lines lines[2];
    lockstep_fill(&lines[0]);
    lines[0].config.leaps = (struct leap_list){leap_s + 86400, 1, {{leap_s, LEAP_DELETE}}};
    lockstep_copy(&lines[1], &lines[0]);
    lines[1].config.leaps = (struct leap_list){.expires_s = leap_s + 86400};
    double noon_s = (double)(leap_s - LOCKSTEP_START_S) - 43200.0;
    struct lockstep *l = lockstep_new_at(&lines[0].config, 1, true, noon_s);
    lockstep_run(l, noon_s + 2000.0);
    CHECK_INT(l->engines[0]->armed_leap, LEAP_DELETE);
    lockstep_adopt(l, 0, &lines[1].config);
    for (int i = 0; i < 3; i++) {
        lockstep_expire(l); /* one thing at a time */
    }
    CHECK_INT(l->engines[0]->armed_leap, LEAP_NONE);
    memset(lines, 0x5A, sizeof lines);
    struct outcome outcome = replay(l->recording, l->recording_size);
    CHECK_INT(outcome.verdict, RECORDING_END);
    CHECK_INT(outcome.calls, l->calls + 2);
    CHECK_INT(outcome.first_difference, -1);
    lockstep_free(l);
}

static void one_bit_of_any_kind_of_input_makes_another_run(void)
{
    static const size_t inputs[VERBS] = {[VERB_INIT] = 3, /* the seed */
                                         [VERB_RECEIVE] =
                                             19 + 19 + 4 + 8 + 1 + 1 + 2 + 24, /* the origin time */
                                         [VERB_SENT] = 4 + 3,                  /* the time */
                                         [VERB_RESOLVED] = 2 + 1 + 1, /* the first address */
                                         [VERB_CLOCK_EVENT] = 1 + 6}; /* the amount */
    struct lockstep_lines lines[3];
    struct lockstep *l = recorded_run(lines, 1.0);
    bool seen[VERBS] = {false};
    long record = 0;
    for (size_t at = record_at(l->recording, 0); at < l->recording_size; record++) {
        size_t end =
            at + record_at(l->recording + at - RECORDING_HEADER_SIZE, 1) - RECORDING_HEADER_SIZE;
        enum engine_verb verb = l->recording[at + BODY_VERB];
        bool is_answer = verb != VERB_RECEIVE || l->recording[at + BODY_INPUT + 38] != 0;
        size_t input = inputs[verb];
        if (input != 0 && !seen[verb] && is_answer) {
            l->recording[at + BODY_INPUT + input] ^= 4;
            seal(l->recording, at, end);
            struct outcome outcome = replay(l->recording, l->recording_size);
            CHECK_INT(outcome.verdict, RECORDING_END);
            l->recording[at + BODY_INPUT + input] ^= 4;
            seal(l->recording, at, end);
            /* Not every packet's times matter in the end; the first that do are enough. */
            seen[verb] = outcome.first_difference >= record;
        }
        at = end;
    }
    CHECK(seen[VERB_INIT] && seen[VERB_RECEIVE] && seen[VERB_SENT] && seen[VERB_RESOLVED] &&
          seen[VERB_CLOCK_EVENT]);
    CHECK_INT(replay(l->recording, l->recording_size).first_difference, -1);
    lockstep_free(l);
}

/* ---- one record there and back ---- */

enum { ROOM = 1 << 16 };

struct one {
    uint8_t bytes[ROOM];
    size_t size;
    void *memory;
    struct engine_call call;
    uint64_t hash;
};

/* Writes the call behind an init and reads it again. */
static struct one *there_and_back(const struct engine_call *call, uint64_t hash)
{
    struct one *one = calloc(1, sizeof *one);
    struct engine_config config;
    struct recording_reader reader;
    uint8_t key[32] = {1}, memory[4096] __attribute__((aligned(16)));
    engine_config_default(&config);
    struct engine_call begin = {.verb = VERB_INIT, .u.begin = {.config = &config, .key = key}};
    recording_header(one->bytes);
    one->size = RECORDING_HEADER_SIZE;
    if (call->verb != VERB_INIT) {
        one->size += recording_write(&begin, 0, one->bytes + one->size);
    }
    size_t expected = recording_size(call);
    memset(one->bytes + one->size + expected, 0xA5, 16);
    CHECK_INT(recording_write(call, hash, one->bytes + one->size), expected);
    one->size += expected;
    for (int i = 0; i < 16; i++) {
        CHECK_INT(one->bytes[one->size + (size_t)i], 0xA5);
    }
    CHECK_INT(recording_open(&reader, one->bytes, one->size), RECORDING_OK);
    if (call->verb != VERB_INIT) {
        CHECK(recording_config_size(&reader) <= sizeof memory);
        CHECK_INT(recording_read(&reader, memory, &one->call, &one->hash), RECORDING_OK);
    }
    size_t wanted = recording_config_size(&reader);
    CHECK((wanted > 0) == (call->verb <= VERB_ADOPT));
    one->memory = wanted > 0 ? aligned_alloc(16, wanted) : NULL;
    CHECK_INT(recording_read(&reader, one->memory, &one->call, &one->hash), RECORDING_OK);
    CHECK_INT(one->call.verb, call->verb);
    CHECK_INT(one->call.now.clock.ticks, call->now.clock.ticks);
    CHECK_INT(one->call.now.mono.ticks, call->now.mono.ticks);
    CHECK(one->hash == hash);
    CHECK_INT(recording_read(&reader, NULL, &one->call, &one->hash), RECORDING_END);
    return one;
}

static void one_free(struct one *one)
{
    free(one->memory);
    free(one);
}

static bool same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
    return address_equal(&a->address, &b->address) && a->port == b->port;
}

static const struct endpoint v6 = {{ADDRESS_V6, {0x20, 1, [14] = 2, 3}}, 123};
static const struct endpoint v4 = {{ADDRESS_V4, {192, 0, 2, 7}}, 40000};

static void a_datagram_comes_back_as_it_was(void)
{
    static const size_t sizes[] = {0, 1, 48, 72, 1280, 60000};
    uint8_t *bytes = malloc(60000);
    for (size_t i = 0; i < 60000; i++) {
        bytes[i] = (uint8_t)(i * 7 + 1);
    }
    for (unsigned i = 0; i < 6; i++) {
        struct engine_call call = {.verb = VERB_RECEIVE, .now = {{UINT64_MAX}, {5}}};
        call.u.receive = (struct datagram){.peer = i % 2 ? v6 : v4,
                                           .local = i % 2 ? v4 : v6,
                                           .request = UINT32_MAX - i,
                                           .stamp = {UINT64_C(0x8000000000000001) + i},
                                           .kind = (enum stamp_kind)(i % 4),
                                           .bytes = bytes,
                                           .size = sizes[i],
                                           .truncated = i % 2 == 0};
        struct one *one = there_and_back(&call, 99);
        const struct datagram *in = &one->call.u.receive;
        CHECK(same_endpoint(&in->peer, &call.u.receive.peer));
        CHECK(same_endpoint(&in->local, &call.u.receive.local));
        CHECK_INT(in->request, UINT32_MAX - i);
        CHECK(in->stamp.ticks == UINT64_C(0x8000000000000001) + i);
        CHECK_INT(in->kind, i % 4);
        CHECK_INT(in->truncated, i % 2 == 0);
        CHECK_INT(in->size, sizes[i]);
        CHECK(memcmp(in->bytes, bytes, sizes[i]) == 0);
        one_free(one);
    }
    free(bytes);
}

static void a_sent_time_comes_back_as_it_was(void)
{
    struct engine_call call = {.verb = VERB_SENT, .now = {{3}, {INT64_C(1) << 61}}};
    call.u.sent.request = 0x01020304;
    call.u.sent.stamp.ticks = 77;
    call.u.sent.kind = STAMP_HARDWARE;
    call.u.sent.peer = v6;
    struct one *one = there_and_back(&call, UINT64_MAX);
    CHECK_INT(one->call.u.sent.request, 0x01020304);
    CHECK_INT(one->call.u.sent.stamp.ticks, 77);
    CHECK_INT(one->call.u.sent.kind, STAMP_HARDWARE);
    CHECK(same_endpoint(&one->call.u.sent.peer, &v6));
    one_free(one);
}

static void found_addresses_come_back_as_they_were(void)
{
    for (unsigned count = 0; count <= ALTERNATES_MAX; count++) {
        struct engine_call call = {.verb = VERB_RESOLVED};
        call.u.resolved.association = 300;
        call.u.resolved.count = (uint8_t)count;
        for (unsigned i = 0; i < count; i++) {
            call.u.resolved.addresses[i] = i % 2 ? v6 : v4;
        }
        struct one *one = there_and_back(&call, 0);
        CHECK_INT(one->call.u.resolved.association, 300);
        CHECK_INT(one->call.u.resolved.count, count);
        for (unsigned i = 0; i < count; i++) {
            CHECK(same_endpoint(&one->call.u.resolved.addresses[i], i % 2 ? &v6 : &v4));
        }
        one_free(one);
    }
}

static void a_clock_event_comes_back_to_the_last_bit(void)
{
    for (int event = CLOCK_REFUSED; event <= CLOCK_LEAPT; event++) {
        struct engine_call call = {.verb = VERB_CLOCK_EVENT};
        call.u.clock.event = (enum clock_event)event;
        call.u.clock.amount_s = -1.0 / 3.0;
        struct one *one = there_and_back(&call, 0);
        CHECK_INT(one->call.u.clock.event, event);
        CHECK(one->call.u.clock.amount_s == -1.0 / 3.0);
        one_free(one);
    }
}

static void the_seed_and_the_keys_come_back_with_the_beginning(void)
{
    struct lockstep_lines lines;
    uint8_t key[32];
    lockstep_fill(&lines);
    for (unsigned i = 0; i < 32; i++) {
        key[i] = (uint8_t)(200 + i);
    }
    struct engine_call call = {
        .verb = VERB_INIT, .now = {{9}, {-9}}, .u.begin = {.config = &lines.config, .key = key}};
    struct one *one = there_and_back(&call, 0);
    CHECK(memcmp(one->call.u.begin.key, key, 32) == 0);
    CHECK(one->call.u.begin.config == one->memory);
    CHECK_INT(key_find(&one->call.u.begin.config->keys, 1)->secret[3], 4);
    one_free(one);
    call.verb = VERB_ADOPT;
    call.now.mono.ticks = 9;
    one = there_and_back(&call, 0);
    CHECK(one->call.u.begin.key == NULL);
    CHECK_INT(one->call.u.begin.config->association_count, LOCKSTEP_LINES);
    one_free(one);
}

/* ---- the hash ---- */

static struct effects some_effects(void)
{
    struct effects out = {.todo = EFFECT_CLOCK | EFFECT_VIEW | EFFECT_SEND | EFFECT_RESOLVE,
                          .wake = {1000},
                          .clock = {.what = CLOCK_RATE | CLOCK_STEP | CLOCK_LEAP | CLOCK_STATUS,
                                    .step_s = 0.5,
                                    .rate_q = -3,
                                    .leap = LEAP_INSERT},
                          .resolve_association = 5};
    out.send = (struct outgoing){.peer = v4, .local = v6, .request = 8, .size = 48};
    return out;
}

static void each_field_of_effects_counts(void)
{
    const struct effects base = some_effects();
    uint64_t hash = effects_hash(&base);
    for (int field = 0; field < 13; field++) {
        struct effects other = base;
        other.wake.ticks += field == 0;
        other.clock.step_s += field == 1 ? 1e-12 : 0.0;
        other.clock.rate_q += field == 2;
        other.clock.leap = field == 3 ? LEAP_DELETE : LEAP_INSERT;
        other.clock.what ^= field == 4 ? (unsigned)CLOCK_STATUS : 0;
        other.todo ^= field == 5 ? (unsigned)EFFECT_VIEW : 0;
        other.send.peer.port = (uint16_t)(other.send.peer.port + (field == 6));
        other.send.peer.address.bytes[3] ^= field == 7;
        other.send.local.address.bytes[15] ^= field == 8;
        other.send.request += field == 9;
        other.send.bytes[47] ^= field == 10;
        other.send.size = field == 11 ? 47 : 48;
        other.resolve_association = field == 12 ? 4 : 5;
        CHECK(effects_hash(&other) != hash);
    }
}

static void fields_that_todo_does_not_name_do_not_count(void)
{
    struct effects a = some_effects(), b;
    memset(&b, 0x77, sizeof b);
    a.todo = b.todo = EFFECT_VIEW;
    b.wake = a.wake;
    CHECK(effects_hash(&a) == effects_hash(&b));
    a.todo = b.todo = EFFECT_CLOCK;
    a.clock.what = b.clock.what = CLOCK_STATUS;
    CHECK(effects_hash(&a) == effects_hash(&b));
    a.todo = b.todo = EFFECT_SEND;
    b.send = a.send;
    b.send.bytes[48] = 1; /* beyond its size */
    CHECK(effects_hash(&a) == effects_hash(&b));
}

/* ---- the format ---- */

/* Another order or width would make files of yesterday mean something else: then the version in the
 * header changes, and this test with it. */
static void the_bytes_of_a_record_are_the_same_on_any_machine(void)
{
    static const uint8_t expected[] = {
        0x22, 0,    0,    0,    0xDD, 0xFF, 0xFF, 0xFF,       /* length, and inverted */
        6,                                                    /* clock event */
        8,    7,    6,    5,    4,    3,    2,    1,          /* clock */
        0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,       /* mono */
        1,    0,    0,    0,    0,    0,    0,    0xD0, 0xBF, /* stepped by -0.25 */
        0xEF, 0xCD, 0xAB, 0x89, 0x67, 0x45, 0x23, 0x01};      /* effects */
    uint8_t header[RECORDING_HEADER_SIZE], bytes[64];
    struct engine_call call = {.verb = VERB_CLOCK_EVENT,
                               .now = {{UINT64_C(0x0102030405060708)}, {-2}}};
    call.u.clock.event = CLOCK_STEPPED;
    call.u.clock.amount_s = -0.25;
    recording_header(header);
    CHECK(memcmp(header, "holdfast-rec\2\0\0", 16) == 0);
    CHECK_INT(recording_write(&call, UINT64_C(0x0123456789ABCDEF), bytes), sizeof expected + 8);
    CHECK(memcmp(bytes, expected, sizeof expected) == 0);
    uint64_t check = 0;
    for (unsigned i = 0; i < 8; i++) {
        check |= (uint64_t)bytes[sizeof expected + i] << (8 * i);
    }
    CHECK(check == octets_mix_bytes(0, expected + HEAD, sizeof expected - HEAD));
}

static void what_is_no_recording_is_foreign(void)
{
    struct recording_reader reader;
    uint8_t header[RECORDING_HEADER_SIZE];
    CHECK_INT(recording_open(&reader, NULL, 0), RECORDING_FOREIGN);
    CHECK_INT(recording_open(&reader, (const uint8_t *)"holdfat", 7), RECORDING_FOREIGN);
    CHECK_INT(recording_open(&reader, (const uint8_t *)"driftfile /var/lib/ntp/drift\n", 29),
              RECORDING_FOREIGN);
    recording_header(header);
    CHECK_INT(recording_open(&reader, header, 7), RECORDING_CUT);
    CHECK_INT(recording_open(&reader, header, 16), RECORDING_OK);
    header[12]++; /* the version */
    CHECK_INT(recording_open(&reader, header, 16), RECORDING_FOREIGN);
}

static void a_recording_cut_anywhere_is_good_up_to_there(void)
{
    struct lockstep_lines lines[3];
    struct lockstep *l = recorded_run(lines, 0.01);
    long calls = 0;
    size_t boundary = RECORDING_HEADER_SIZE;
    CHECK(l->recording_size > 2000 && l->recording_size < 100000);
    for (size_t size = RECORDING_HEADER_SIZE; size <= l->recording_size; size++) {
        if (size == record_at(l->recording, calls + 1)) {
            boundary = size;
            calls++;
        }
        uint8_t *bytes = malloc(size); /* of that size: reading past it is seen */
        memcpy(bytes, l->recording, size);
        struct outcome outcome = replay(bytes, size);
        CHECK_INT(outcome.verdict, size == boundary ? RECORDING_END : RECORDING_CUT);
        CHECK_INT(outcome.calls, calls);
        CHECK_INT(outcome.first_difference, -1);
        free(bytes);
    }
    lockstep_free(l);
}

static void no_flipped_bit_goes_unnoticed(void)
{
    struct lockstep_lines lines[3];
    struct lockstep *l = recorded_run(lines, 0.01);
    for (size_t i = 0; i < l->recording_size; i++) {
        uint8_t bit = (uint8_t)(1u << (i % 8));
        l->recording[i] ^= bit;
        struct recording_reader reader;
        enum recording_verdict verdict = recording_open(&reader, l->recording, l->recording_size);
        while (verdict == RECORDING_OK) {
            struct engine_call call;
            uint64_t hash;
            size_t size = recording_config_size(&reader);
            void *memory = size > 0 ? aligned_alloc(16, size) : NULL;
            verdict = recording_read(&reader, memory, &call, &hash);
            free(memory);
        }
        CHECK_INT(verdict, i < RECORDING_HEADER_SIZE ? RECORDING_FOREIGN : RECORDING_DAMAGED);
        l->recording[i] ^= bit;
    }
    lockstep_free(l);
}

/* ---- records that cannot be, with a check sum that is right ---- */

static uint64_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* Every byte of a configuration, and thereby every count and size in it, at its extremes. */
static void no_byte_of_a_configuration_harms_reader_or_engine(void)
{
    struct lockstep_lines lines[3];
    struct lockstep *l = recorded_run(lines, 0.01);
    size_t at = RECORDING_HEADER_SIZE, end = record_at(l->recording, 1);
    size_t some = record_at(l->recording, 12);
    long refused = 0, run = 0;
    for (size_t i = at + BODY_VERB; i < end - CHECK_SIZE; i++) {
        uint8_t was = l->recording[i];
        const uint8_t values[] = {0, (uint8_t)(was + 1), (uint8_t)(was - 1), 0x7F, 0x80, 0xFF};
        for (unsigned k = 0; k < sizeof values; k++) {
            l->recording[i] = values[k];
            seal(l->recording, at, end);
            struct outcome outcome = replay(l->recording, some);
            CHECK(outcome.verdict == RECORDING_END || outcome.verdict == RECORDING_DAMAGED);
            refused += outcome.verdict == RECORDING_DAMAGED;
            run += outcome.verdict == RECORDING_END;
        }
        l->recording[i] = was;
    }
    CHECK(refused > 500 && run > 500);
    lockstep_free(l);
}

static void no_bytes_at_all_harm_reader_or_engine(void)
{
    struct lockstep_lines lines[3];
    struct lockstep *l = recorded_run(lines, 0.02);
    uint8_t *bytes = malloc(l->recording_size);
    uint64_t state = 20;
    long records = l->calls + 3, refused = 0, run = 0;
    for (int round = 0; round < 3000; round++) {
        memcpy(bytes, l->recording, l->recording_size);
        for (uint64_t n = 1 + draw(&state) % 3; n > 0; n--) {
            long record = draw(&state) % 4 == 0 ? 0 : (long)(draw(&state) % (uint64_t)records);
            size_t at = record_at(l->recording, record);
            size_t end = record_at(l->recording, record + 1);
            size_t in_body = draw(&state) % (end - at - HEAD - CHECK_SIZE);
            uint8_t value = (uint8_t)draw(&state);
            bytes[at + HEAD + in_body] = draw(&state) % 4 == 0 ? 0xFF : value;
            seal(bytes, at, end);
        }
        struct outcome outcome = replay(bytes, l->recording_size);
        CHECK(outcome.verdict == RECORDING_END || outcome.verdict == RECORDING_DAMAGED);
        refused += outcome.verdict == RECORDING_DAMAGED;
        run += outcome.verdict == RECORDING_END;
    }
    CHECK(refused > 100 && run > 100);
    free(bytes);
    lockstep_free(l);
}

/* Two records after the header: what the second may be. */
static enum recording_verdict verdict_on_pair(const struct engine_call *first,
                                              const struct engine_call *second)
{
    uint8_t bytes[4096];
    recording_header(bytes);
    size_t size = RECORDING_HEADER_SIZE;
    size += recording_write(first, 0, bytes + size);
    size += recording_write(second, 0, bytes + size);
    return replay(bytes, size).verdict;
}

static void a_recording_begins_once_and_its_time_never_goes_back(void)
{
    static const uint8_t key[32] = {0};
    struct engine_config config;
    engine_config_default(&config);
    struct engine_call begin = {
        .verb = VERB_INIT, .now = {{0}, {50}}, .u.begin = {.config = &config, .key = key}};
    struct engine_call expire = {.verb = VERB_EXPIRE, .now = {{0}, {50}}};
    CHECK_INT(verdict_on_pair(&begin, &expire), RECORDING_END);
    CHECK_INT(verdict_on_pair(&begin, &begin), RECORDING_DAMAGED);
    CHECK_INT(verdict_on_pair(&expire, &begin), RECORDING_DAMAGED);
    expire.now.mono.ticks = 49;
    CHECK_INT(verdict_on_pair(&begin, &expire), RECORDING_DAMAGED);
    expire.now.mono.ticks = INT64_C(1) << 62;
    CHECK_INT(verdict_on_pair(&begin, &expire), RECORDING_DAMAGED);
}

static void a_record_with_more_in_it_than_its_verb_has_is_damaged(void)
{
    static const uint8_t key[32] = {0};
    struct engine_config config;
    engine_config_default(&config);
    struct engine_call begin = {.verb = VERB_INIT, .u.begin = {.config = &config, .key = key}};
    struct engine_call expire = {.verb = VERB_EXPIRE};
    uint8_t bytes[4096];
    for (unsigned more = 0; more < 3; more++) {
        recording_header(bytes);
        size_t at = RECORDING_HEADER_SIZE;
        at += recording_write(&begin, 0, bytes + at);
        size_t end = at + recording_write(&expire, 0, bytes + at) + more;
        bytes[at] = (uint8_t)(bytes[at] + more);
        bytes[at + 4] = (uint8_t)~bytes[at];
        seal(bytes, at, end);
        CHECK_INT(replay(bytes, end).verdict, more == 0 ? RECORDING_END : RECORDING_DAMAGED);
    }
}

static void every_verdict_has_a_text_of_its_own(void)
{
    for (int a = RECORDING_OK; a <= RECORDING_DAMAGED; a++) {
        for (int b = a + 1; b <= RECORDING_DAMAGED; b++) {
            CHECK(strcmp(recording_verdict_text((enum recording_verdict)a),
                         recording_verdict_text((enum recording_verdict)b)) != 0);
        }
    }
}

const struct test_case recording_tests[] = {
    {"a_recorded_run_replays_bit_for_bit", a_recorded_run_replays_bit_for_bit},
    {"lists_of_leap_seconds_are_part_of_what_is_replayed",
     lists_of_leap_seconds_are_part_of_what_is_replayed},
    {"one_bit_of_any_kind_of_input_makes_another_run",
     one_bit_of_any_kind_of_input_makes_another_run},
    {"a_datagram_comes_back_as_it_was", a_datagram_comes_back_as_it_was},
    {"a_sent_time_comes_back_as_it_was", a_sent_time_comes_back_as_it_was},
    {"found_addresses_come_back_as_they_were", found_addresses_come_back_as_they_were},
    {"a_clock_event_comes_back_to_the_last_bit", a_clock_event_comes_back_to_the_last_bit},
    {"the_seed_and_the_keys_come_back_with_the_beginning",
     the_seed_and_the_keys_come_back_with_the_beginning},
    {"each_field_of_effects_counts", each_field_of_effects_counts},
    {"fields_that_todo_does_not_name_do_not_count", fields_that_todo_does_not_name_do_not_count},
    {"the_bytes_of_a_record_are_the_same_on_any_machine",
     the_bytes_of_a_record_are_the_same_on_any_machine},
    {"what_is_no_recording_is_foreign", what_is_no_recording_is_foreign},
    {"a_recording_cut_anywhere_is_good_up_to_there", a_recording_cut_anywhere_is_good_up_to_there},
    {"no_flipped_bit_goes_unnoticed", no_flipped_bit_goes_unnoticed},
    {"no_byte_of_a_configuration_harms_reader_or_engine",
     no_byte_of_a_configuration_harms_reader_or_engine},
    {"no_bytes_at_all_harm_reader_or_engine", no_bytes_at_all_harm_reader_or_engine},
    {"a_recording_begins_once_and_its_time_never_goes_back",
     a_recording_begins_once_and_its_time_never_goes_back},
    {"a_record_with_more_in_it_than_its_verb_has_is_damaged",
     a_record_with_more_in_it_than_its_verb_has_is_damaged},
    {"every_verdict_has_a_text_of_its_own", every_verdict_has_a_text_of_its_own},
    {NULL, NULL}};
