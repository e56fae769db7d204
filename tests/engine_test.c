/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The verbs and their promises: memory, wakes, determinism, steps, leaps, clock events, nonces.
 */
#include "../engine/engine.h"

#include "../engine/constants.h"
#include "check.h"
#include "wire.h"

#define UP 198, 51, 100

/* One node at 10.0.0.1 with `count` upstreams at 198.51.100.1 and up, fixed at poll 6. */
static struct wire *one_node(int count)
{
    struct wire *w = wire_new();
    struct wire_node *n = wire_add_node(w, wire_address(10, 0, 0, 1));
    for (int i = 0; i < count; i++) {
        struct address address = wire_address(UP, (uint8_t)(i + 1));
        wire_add_upstream(w, address);
        wire_add_line(n, ASSOCIATION_SERVER, address)->maxpoll = 6;
    }
    return w;
}

static void nothing_is_due_before_the_first_expire_and_then_the_rate(void)
{
    struct wire *w = one_node(1);
    struct wire_node *n = &w->nodes[0];
    struct effects out;
    n->config.drift_ppm = 12.5;
    wire_start(n);
    struct instant now = wire_instant(n);
    engine_expire(n->engine, now, &out);
    CHECK_INT(out.todo, EFFECT_CLOCK);
    CHECK_INT(out.clock.what, CLOCK_RATE);
    CHECK_INT(out.clock.rate_q, 12.5 * 65536);
    CHECK(mono_before(now.mono, out.wake));
    wire_free(w);
}

static void an_early_expire_changes_nothing_and_repeats_the_wake(void)
{
    struct wire *w = one_node(2);
    struct wire_node *n = &w->nodes[0];
    wire_start(n);
    for (int i = 1; i <= 50; i++) {
        struct effects out;
        wire_run(w, 37.0 * i);
        uint64_t before = wire_hash(n);
        struct instant early = wire_instant(n);
        CHECK(mono_before(early.mono, n->wake));
        engine_expire(n->engine, early, &out);
        CHECK_INT(out.todo, 0);
        CHECK_INT(out.wake.ticks, n->wake.ticks);
        CHECK(wire_hash(n) == before);
    }
    wire_free(w);
}

static void late_wakes_are_worked_off_one_by_one(void)
{
    struct wire *w = one_node(3);
    struct wire_node *n = &w->nodes[0];
    wire_start(n);
    wire_run(w, 500.0);
    w->now += ticks_from_s(5000.0); /* the host slept over everything */
    int sent = n->sends, calls = 0;
    while (n->wake.ticks <= w->now && calls < 100) {
        wire_expire(n);
        calls++;
    }
    CHECK(calls < 20);
    CHECK_INT(n->sends - sent, 3); /* one poll each, no storm */
    wire_free(w);
}

/* A poll is the occasion to compute the rate anew, so that hardly any wake is only for that. Where
 * polls are further apart than the host's status may get old, there are such wakes. */
static void the_clock_is_tended_at_polls(void)
{
    struct wire *w = one_node(2);
    struct wire_node *n = &w->nodes[0];
    wire_start(n);
    for (int round = 0; round < 2; round++) {
        w->upstreams[0].stratum = round == 0 ? 1 : 16; /* whose answers lead to no update */
        w->upstreams[1].stratum = w->upstreams[0].stratum;
        wire_run(w, 10000.0 * round + 1000.0);
        int expires = n->expires, sends = n->sends;
        n->refresh_gap_s = 0.0;
        wire_run(w, 10000.0 * round + 10000.0);
        CHECK(n->sends - sends >= 264 && n->sends - sends <= 282); /* of both, 64 s to 68 s apart */
        CHECK(n->expires - expires - (n->sends - sends) <= 3);
        CHECK(n->refresh_gap_s > 32.0 && n->refresh_gap_s <= 68.1);
    }
    wire_free(w);

    w = one_node(1);
    n = &w->nodes[0];
    n->lines[0].minpoll = n->lines[0].maxpoll = 17;
    n->config.drift_ppm = 0.0;
    wire_start(n);
    wire_run(w, 1e6);
    CHECK(n->sends >= 7 && n->sends <= 9);
    CHECK_NEAR(n->refresh_gap_s, 8192.0, 0.1);
    wire_free(w);
}

static void an_engine_keeps_to_its_memory_and_leaves_its_configuration_alone(void)
{
    struct wire *w = one_node(4);
    struct wire_node *n = &w->nodes[0];
    n->config.client_capacity = 16;
    struct engine_config before = n->config;
    CHECK_INT(engine_size(&n->config) % 16, 0);
    wire_start(n); /* the guard behind the memory is looked at after every verb */
    wire_run(w, 5000.0);
    CHECK(memcmp(&before, &n->config, sizeof before) == 0);
    n->config.association_count = 0;
    size_t none = engine_size(&n->config);
    n->config.association_count = 4;
    CHECK(engine_size(&n->config) >= none + 4 * sizeof(struct source));
    wire_free(w);
}

static void memory_that_was_not_zero_makes_no_difference(void)
{
    struct wire *w = one_node(2);
    static const uint8_t key[32] = {9};
    size_t size = engine_size(&w->nodes[0].config);
    uint8_t *a = aligned_alloc(16, size);
    uint8_t *b = aligned_alloc(16, size);
    memset(a, 0x00, size);
    memset(b, 0xFF, size);
    struct instant now = wire_instant(&w->nodes[0]);
    struct engine *first = engine_init(a, &w->nodes[0].config, key, now);
    struct engine *second = engine_init(b, &w->nodes[0].config, key, now);
    first->sources = second->sources = NULL; /* the only things that may differ: where it lies */
    first->resolutions = second->resolutions = NULL;
    CHECK(memcmp(a, b, size) == 0);
    free(a);
    free(b);
    wire_free(w);
}

/* A digest of all that a run of three nodes sends, and of its clocks at the end. */
static uint64_t run_digest(double skew)
{
    struct wire *w = one_node(2);
    for (uint8_t i = 2; i <= 3; i++) {
        struct wire_node *n = wire_add_node(w, wire_address(10, 0, 0, i));
        wire_add_line(n, ASSOCIATION_PEER, wire_address(10, 0, 0, (uint8_t)(5 - i)));
        wire_add_line(n, ASSOCIATION_SERVER, wire_address(10, 0, 0, 1));
        n->skew = skew * i;
    }
    for (int i = 0; i < 3; i++) {
        wire_start(&w->nodes[i]);
    }
    wire_run(w, 20000.0);
    uint64_t hash = UINT64_C(14695981039346656037);
    int records = w->record_count < WIRE_RECORDS ? w->record_count : WIRE_RECORDS;
    CHECK(records > 100);
    for (int i = 0; i < records; i++) {
        for (int k = 0; k < w->records[i].size; k++) {
            hash = (hash ^ w->records[i].bytes[k]) * UINT64_C(1099511628211);
        }
    }
    for (int i = 0; i < 3; i++) {
        hash = (hash ^ wire_clock(&w->nodes[i]).ticks) * UINT64_C(1099511628211);
    }
    wire_free(w);
    return hash;
}

static void same_inputs_give_same_bytes(void)
{
    uint64_t first = run_digest(10e-6);
    CHECK(run_digest(10e-6) == first);
    CHECK(run_digest(11e-6) != first);
}

static void a_slow_clock_is_brought_to_true_time(void)
{
    struct wire *w = one_node(3);
    struct wire_node *n = &w->nodes[0];
    n->skew = -40e-6;
    n->clock = ntp_add_s(n->clock, -0.1);
    wire_start(n);
    wire_run(w, 40000.0);
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    CHECK_INT(n->steps, 0);
    CHECK_NEAR(wire_error_s(n), 0.0, 1e-3);
    CHECK_NEAR(n->engine->discipline.drift, 40e-6, 1e-6);
    wire_free(w);
}

static void a_first_offset_over_the_threshold_is_stepped_by_exactly_that(void)
{
    struct wire *w = one_node(3);
    struct wire_node *n = &w->nodes[0];
    n->clock = ntp_add_s(n->clock, -10.0);
    wire_start(n);
    wire_run(w, 170.0);
    CHECK_INT(n->steps, 0); /* three samples claim 1.94 s and more: not good enough */
    wire_run(w, 300.0);
    CHECK_INT(n->steps, 1);
    CHECK_NEAR(wire_error_s(n), 0.0, 1e-6);
    wire_run(w, 600.0); /* four new samples; those of before are forgotten */
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    CHECK_INT(n->steps, 1);
    CHECK_NEAR(n->engine->system.offset_s, 0.0, 1e-6);
    wire_free(w);
}

static void iburst_sets_the_clock_within_ten_seconds(void)
{
    struct wire *w = one_node(3);
    struct wire_node *n = &w->nodes[0];
    for (int i = 0; i < 3; i++) {
        n->lines[i].iburst = true;
    }
    n->clock = ntp_add_s(n->clock, -0.05);
    wire_start(n);
    wire_run(w, 12.0);
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    CHECK_NEAR(n->engine->system.offset_s, 0.05, 1e-3);
    wire_free(w);
}

static void an_answer_that_spans_a_step_is_dropped(void)
{
    struct wire *w = one_node(2);
    struct wire_node *n = &w->nodes[0];
    struct effects out;
    wire_start(n);
    wire_run(w, 1000.0);
    struct source *s = &n->engine->sources[0];
    while (!s->exchange.is_outstanding) {
        w->now = n->wake.ticks;
        wire_expire(n);
    }
    ntp_time nonce = s->exchange.sent_wire;
    engine_clock_event(n->engine, wire_instant(n), CLOCK_STEPPED, 5.0, &out);
    CHECK(ntp_is_zero(s->exchange.sent_wire));
    CHECK(!ntp_is_zero(nonce));
    int samples = n->samples[0];
    wire_run(w, wire_s(w) + 1.0); /* its answer arrives meanwhile */
    CHECK_INT(n->samples[0], samples);
    CHECK_STR(n->last_why, "origin is not my transmission");
    wire_free(w);
}

static void an_offset_over_the_panic_threshold_leaves_the_clock_alone(void)
{
    struct wire *w = one_node(3);
    struct wire_node *n = &w->nodes[0];
    n->clock = ntp_add_s(n->clock, -1001.0);
    wire_start(n);
    wire_run(w, 3000.0);
    CHECK_INT(n->steps, 0);
    CHECK_INT(wire_state(n), STATE_PANIC);
    CHECK_INT(engine_server_view(n->engine)->leap, LEAP_UNKNOWN);
    CHECK_NEAR(wire_error_s(n), -1001.0, 1e-3);
    wire_free(w);
}

static void a_large_first_step_is_allowed_once(void)
{
    struct wire *w = one_node(3);
    struct wire_node *n = &w->nodes[0];
    n->config.allow_large_first_step = true;
    n->clock = ntp_add_s(n->clock, -1001.0);
    wire_start(n);
    wire_run(w, 1000.0);
    CHECK_INT(n->steps, 1);
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    for (int i = 0; i < 3; i++) {
        w->upstreams[i].offset_s = 3600.0; /* a small truth first, then an hour off */
    }
    wire_run(w, 5000.0);
    CHECK_INT(n->steps, 1);
    CHECK_INT(wire_state(n), STATE_PANIC);
    wire_free(w);
}

/* What no host says, but a recording may: the rate stays within what the clock can do. */
static void an_absurd_rate_by_others_leaves_a_rate_that_the_clock_has(void)
{
    static const double amounts[] = {1.7e308, -1.7e308, 1.7e308};
    struct wire *w = one_node(3);
    struct wire_node *n = &w->nodes[0];
    struct effects out;
    wire_start(n);
    wire_run(w, 1000.0);
    for (unsigned i = 0; i < 3; i++) {
        engine_clock_event(n->engine, wire_instant(n), CLOCK_RATED, amounts[i], &out);
        wire_carry_out(n, &out);
        wire_run(w, 1000.0 + 500.0 * (i + 1));
        CHECK(llabs((long long)n->engine->rate_q) <= (long long)n->engine->config.clock.rate_max_q);
    }
    wire_free(w);
}

/* An open loop measures for `t` seconds a clock 5 s behind that loses 20 ppm. */
static void judge_open_loop(struct wire *w)
{
    struct wire_node *n = &w->nodes[0];
    wire_run(w, 2000.0);
    CHECK_INT(n->steps, 0);
    CHECK(n->rate == 0.0);
    CHECK(n->engine->discipline.drift == 12e-6); /* measured, not integrated */
    CHECK_NEAR(n->engine->system.offset_s, 5.0 + 2000.0 * 20e-6, 64 * 1.1 * 20e-6 + 1e-4);
    CHECK(system_distance_s(&n->engine->system, wire_instant(n).mono) > 5.0);
}

static void a_clock_that_must_not_be_steered_is_neither_stepped_nor_slewed(void)
{
    for (int i = 0; i < 3; i++) {
        struct wire *w = one_node(3);
        struct wire_node *n = &w->nodes[0];
        struct effects out;
        n->skew = -20e-6;
        n->config.drift_ppm = 12.0; /* known, but not to be commanded */
        n->clock = ntp_add_s(n->clock, -5.0);
        n->config.disable_discipline = i == 0;
        n->config.clock.can_steer = i != 1;
        wire_start(n);
        if (i == 2) {
            engine_clock_event(n->engine, wire_instant(n), CLOCK_REFUSED, 0.0, &out);
        }
        judge_open_loop(w);
        wire_free(w);
    }
}

static void an_open_loop_panics_even_with_a_large_step_allowed(void)
{
    struct wire *w = one_node(3);
    struct wire_node *n = &w->nodes[0];
    n->config.disable_discipline = true;
    n->config.allow_large_first_step = true;
    n->clock = ntp_add_s(n->clock, -1001.0);
    wire_start(n);
    wire_run(w, 1000.0);
    CHECK_INT(wire_state(n), STATE_PANIC);
    CHECK_INT(n->change_count, 1); /* and never believed it for a moment */
    CHECK_INT(n->steps, 0);
    wire_free(w);
}

static void a_foreign_step_widens_the_bound_and_voids_samples(void)
{
    struct wire *w = one_node(3);
    struct wire_node *n = &w->nodes[0];
    struct effects out;
    wire_start(n);
    wire_run(w, 2000.0);
    struct instant now = wire_instant(n);
    double before = system_distance_s(&n->engine->system, now.mono);
    n->clock = ntp_add_s(n->clock, 0.3);
    engine_clock_event(n->engine, wire_instant(n), CLOCK_STEPPED, 0.3, &out);
    CHECK(out.todo & EFFECT_VIEW);
    CHECK_NEAR(system_distance_s(&n->engine->system, now.mono), before + 0.3, 1e-9);
    CHECK(n->engine->sources[0].filter.dispersion_s == DISPERSION_MAX_S);
    wire_carry_out(n, &out);
    wire_run(w, 4000.0);
    CHECK_NEAR(wire_error_s(n), 0.0, 0.01);
    wire_free(w);
}

/* Whatever has happened to the clock, what it has slewed so far is settled: its slew ends when what
 * is left by now is done. */
static void a_clock_event_in_a_linear_slew_has_its_end_found_anew(void)
{
    static const struct {
        enum clock_event event;
        double amount_s;
    } cases[] = {{CLOCK_REFUSED, 0.0},
                 {CLOCK_STEPPED, 0.001},
                 {CLOCK_RATED, 1e-6},
                 {CLOCK_RESUMED, 1.0},
                 {CLOCK_LEAPT, -1.0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wire *w = one_node(1);
        struct wire_node *n = &w->nodes[0];
        struct effects out;
        n->lines[0].iburst = true;
        n->clock = ntp_add_s(n->clock, -0.05); /* no drift is known: it is slewed at 500 ppm */
        wire_start(n);
        wire_run(w, 40.0);
        const struct engine *e = n->engine;
        CHECK(discipline_is_linear(&e->discipline));
        mono_time end = e->due.slew;
        engine_clock_event(n->engine, wire_instant(n), cases[i].event, cases[i].amount_s, &out);
        wire_carry_out(n, &out);
        CHECK(mono_before(e->due.slew, end));
        CHECK_INT(e->due.slew.ticks, discipline_wake(&e->discipline).ticks);
        wire_free(w);
    }
}

/* 2027-12-31 12:00, and the first node's clock right. */
static void at_noon_of_a_leap_day(struct wire *w)
{
    w->now = ticks_from_s((double)(INT64_C(1830254400) - WIRE_START_UNIX_S));
    w->nodes[0].read = w->now;
    w->nodes[0].clock = wire_true_time(w);
}

static void a_leap_that_has_happened_is_no_longer_announced(void)
{
    struct wire *w = one_node(3);
    struct wire_node *n = &w->nodes[0];
    struct effects out;
    at_noon_of_a_leap_day(w);
    for (int i = 0; i < 3; i++) {
        w->upstreams[i].leap = LEAP_INSERT;
    }
    wire_start(n);
    wire_run(w, wire_s(w) + 600.0);
    CHECK_INT(engine_server_view(n->engine)->leap, LEAP_INSERT);
    CHECK_INT(n->engine->armed_leap, LEAP_INSERT);
    engine_clock_event(n->engine, wire_instant(n), CLOCK_LEAPT, -1.0, &out);
    CHECK(out.todo & EFFECT_VIEW);
    CHECK_INT(engine_server_view(n->engine)->leap, LEAP_NONE);
    CHECK_INT(n->engine->armed_leap, LEAP_NONE);
    wire_free(w);
}

/* Everybody's UTC goes by a second, the first node's clock as the kernel does it. */
static void leap_everywhere(struct wire *w, double step_s)
{
    struct wire_node *n = &w->nodes[0];
    struct effects out;
    for (int i = 0; i < w->upstream_count; i++) {
        w->upstreams[i].offset_s += step_s;
        w->upstreams[i].leap = LEAP_NONE;
    }
    wire_clock(n);
    n->clock = ntp_add_s(n->clock, step_s);
    engine_clock_event(n->engine, wire_instant(n), CLOCK_LEAPT, step_s, &out);
    wire_carry_out(n, &out);
}

static bool is_asking(const struct wire_node *n)
{
    for (int i = 0; i < n->engine->source_count; i++) {
        if (n->engine->sources[i].exchange.is_outstanding) {
            return true;
        }
    }
    return false;
}

static void a_leap_second_moves_nothing_and_loses_nothing_but_what_spans_it(void)
{
    static const double steps_s[] = {-1.0, 1.0};
    for (int k = 0; k < 2; k++) {
        struct wire *w = one_node(3);
        struct wire_node *n = &w->nodes[0];
        at_noon_of_a_leap_day(w);
        n->skew = 20e-6;
        wire_start(n);
        wire_run(w, wire_s(w) + 4000.0);
        for (int i = 0; i < 3; i++) {
            w->upstreams[i].leap = steps_s[k] < 0.0 ? LEAP_INSERT : LEAP_DELETE;
        }
        wire_run(w, wire_s(w) + 4000.0);
        CHECK_INT(engine_server_view(n->engine)->leap, steps_s[k] < 0.0 ? 1 : 2);
        while (!is_asking(n)) { /* a question is on its way when it happens */
            wire_run(w, wire_s(w) + 0.001);
        }
        double error_s = wire_error_s(n);
        int changes = n->change_count, rejects = n->rejects, spikes = n->disputes;
        leap_everywhere(w, steps_s[k]);
        CHECK_INT(n->engine->system.state, STATE_SYNCHRONISED);
        wire_run(w, wire_s(w) + 0.1);
        CHECK(!is_asking(n));
        CHECK_INT(n->engine->system.state, STATE_SYNCHRONISED);
        for (int poll = 0; poll < 40; poll++) {
            wire_run(w, wire_s(w) + 64.0);
            CHECK_NEAR(wire_error_s(n), error_s + steps_s[k], 1e-3);
        }
        CHECK_INT(n->change_count, changes);
        CHECK_INT(n->disputes, spikes);
        CHECK_INT(n->steps, 0);
        CHECK(n->rejects <= rejects + 3); /* the answers that spanned it */
        CHECK_INT(engine_server_view(n->engine)->leap, LEAP_NONE);
        wire_free(w);
    }
}

static void one_upstream_of_three_cannot_announce_a_leap(void)
{
    struct wire *w = one_node(3);
    struct wire_node *n = &w->nodes[0];
    at_noon_of_a_leap_day(w);
    w->upstreams[1].leap = LEAP_INSERT;
    wire_start(n);
    wire_run(w, wire_s(w) + 600.0);
    CHECK_INT(engine_server_view(n->engine)->leap, LEAP_NONE);
    w->upstreams[0].leap = LEAP_INSERT;
    wire_run(w, wire_s(w) + 600.0);
    CHECK_INT(engine_server_view(n->engine)->leap, LEAP_INSERT);
    wire_free(w);
}

static void a_leap_is_announced_only_on_the_last_day_of_a_month(void)
{
    struct wire *w = one_node(3);
    struct wire_node *n = &w->nodes[0];
    CHECK(!system_is_leap_day(n->clock));
    for (int i = 0; i < 3; i++) {
        w->upstreams[i].leap = LEAP_INSERT;
    }
    wire_start(n);
    wire_run(w, 600.0);
    CHECK_INT(engine_server_view(n->engine)->leap, LEAP_NONE);
    wire_free(w);
}

/* What is said of reach, in order. */
struct told {
    int count;
    char texts[8][256];
};

static void note_reach(void *context, const struct trace_record *record)
{
    struct told *told = context;
    if (record->kind == TRACE_REACH && told->count < 8) {
        (void)trace_text(record, told->texts[told->count++], sizeof told->texts[0]);
    }
}

static void a_source_that_never_answers_is_told_once_and_again_when_it_does(void)
{
    static const uint8_t last[] = {3};
    struct wire *w = one_node(2);
    struct wire_node *n = &w->nodes[0];
    struct told told = {0};
    struct association_config *named =
        wire_add_line(n, ASSOCIATION_SERVER, (struct address){.family = ADDRESS_NONE});
    named->is_numeric = false;
    named->name = "ntp.example";
    wire_add_upstream(w, wire_address(UP, 3))->is_cut = true;
    w->upstreams[1].stratum = 16; /* it has no time itself */
    wire_start(n);
    engine_set_trace(n->engine, TRACE_ALL, note_reach, &told);
    wire_run(w, 1.0);
    wire_resolved(n, 2, last, 1);
    wire_run(w, 6.5 * 64.0); /* seven polls: no longer than any source may need */
    CHECK_INT(told.count, 1);
    CHECK_STR(told.texts[0], "198.51.100.1 is reachable: answers");
    wire_run(w, 30000.0);
    CHECK_INT(told.count, 3);
    CHECK_STR(told.texts[1], "198.51.100.2 is unreachable: eight polls, and its answers say that "
                             "it has no time itself");
    CHECK_STR(told.texts[2],
              "198.51.100.3 (ntp.example) is unreachable: eight polls and never an answer: a wrong "
              "address, no NTP server there, or a firewall that drops UDP port 123");
    w->upstreams[2].is_cut = false;
    wire_run(w, 40000.0);
    CHECK_INT(told.count, 4);
    CHECK_STR(told.texts[3], "198.51.100.3 (ntp.example) is reachable: answers");
    wire_free(w);
}

/* 16 s, in which a claim grows by 240 us: 15.7 steps of the wire's. */
static void an_answer_tells_how_its_claim_was_rounded(void)
{
    struct wire *w = one_node(1);
    struct wire_node *n = &w->nodes[0];
    wire_start(n);
    CHECK(n->engine->sources[0].claim_age_s == 0.0);
    wire_run(w, 600.0);
    CHECK_NEAR(group_wire_excess_s(n->engine->sources[0].claim_age_s, TOLERANCE),
               16.0 / 65536.0 - 16.0 * 15e-6, 1e-12);
    wire_free(w);
}

static void count_kinds(void *context, const struct trace_record *record)
{
    ((int *)context)[record->kind]++;
}

/* Of what nobody asks for nothing is handed over, and what it changes is changed all the same. */
static void only_records_of_the_kinds_wanted_are_told(void)
{
    static const uint32_t wanted[] = {TRACE_ALL, TRACE_BIT(TRACE_STATE) | TRACE_BIT(TRACE_SAMPLE),
                                      0};
    int counts[3][TRACE_KINDS] = {{0}};
    uint16_t words[3][3];
    for (int i = 0; i < 3; i++) {
        struct wire *w = one_node(2);
        struct wire_node *n = &w->nodes[0];
        n->clock = ntp_add_s(n->clock, -2.0);
        wire_start(n);
        engine_set_trace(n->engine, wanted[i], count_kinds, counts[i]);
        wire_run(w, 5000.0);
        w->upstreams[0].is_cut = true;
        wire_run(w, 9000.0);
        words[i][0] = status_word_of_system(n->engine);
        words[i][1] = status_word_of_peer(&n->engine->sources[0]);
        words[i][2] = status_word_of_peer(&n->engine->sources[1]);
        wire_free(w);
    }
    static const enum trace_kind all[] = {TRACE_STATE, TRACE_LEADER, TRACE_LOOP, TRACE_SAMPLE,
                                          TRACE_STEP,  TRACE_REACH,  TRACE_RAW};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        CHECK(counts[0][all[i]] > 0);
    }
    for (int kind = 0; kind < TRACE_KINDS; kind++) {
        bool is_wanted = kind == TRACE_STATE || kind == TRACE_SAMPLE;
        CHECK_INT(counts[1][kind], is_wanted ? counts[0][kind] : 0);
        CHECK_INT(counts[2][kind], 0);
    }
    CHECK_INT(memcmp(words[1], words[0], sizeof words[0]), 0);
    CHECK_INT(memcmp(words[2], words[0], sizeof words[0]), 0);
    CHECK_INT(words[0][1] & 15, PEER_EVENT_UNREACHABLE);
}

static void a_better_transmit_time_counts(void)
{
    struct wire *w = one_node(1);
    struct wire_node *n = &w->nodes[0];
    struct effects out;
    wire_start(n);
    wire_run(w, 1000.0);
    struct source *s = &n->engine->sources[0];
    while (!s->exchange.is_outstanding) {
        w->now = n->wake.ticks;
        wire_expire(n);
    }
    ntp_time later = ntp_add_s(s->exchange.sent_stamp, 0.004);
    engine_sent(n->engine, wire_instant(n), s->request + 1, later, STAMP_KERNEL, NULL, &out);
    CHECK(!ntp_equal(s->exchange.sent_stamp, later));
    engine_sent(n->engine, wire_instant(n), s->request, later, STAMP_NOT_SENT, NULL, &out);
    CHECK(!ntp_equal(s->exchange.sent_stamp, later));
    engine_sent(n->engine, wire_instant(n), s->request, later, STAMP_KERNEL, NULL, &out);
    CHECK(ntp_equal(s->exchange.sent_stamp, later));
    wire_run(w, wire_s(w) + 1.0);
    CHECK_NEAR(s->filter.stages.delay_s[(s->filter.next + 7) % 8], 0.016, 1e-6);
    wire_free(w);
}

/* Every nonce of the first node's client requests, and how often one was seen in anything else that
 * it sent. */
struct nonce_watch {
    uint64_t nonces[4096];
    int count, leaks;
};

static void watch_for_nonces(struct wire *w, struct wire_packet *packet)
{
    struct nonce_watch *watch = w->context;
    struct packet p;
    CHECK_INT(packet_parse(packet->bytes, packet->size, &p), PACKET_OK);
    bool from_node = address_equal(&packet->from.address, &w->nodes[0].own);
    for (int at = 0; from_node && at + 8 <= packet->size; at++) {
        uint64_t word = 0;
        for (int k = 0; k < 8; k++) {
            word = word << 8 | packet->bytes[at + k];
        }
        for (int i = 0; i < watch->count; i++) {
            watch->leaks += word == watch->nonces[i] ? 1 : 0;
        }
    }
    if (from_node && p.mode == MODE_CLIENT && watch->count < 4096) {
        watch->nonces[watch->count++] = p.transmit.ticks;
    }
    wire_post(w, packet);
}

static void a_nonce_appears_in_nothing_else_that_is_sent(void)
{
    struct nonce_watch watch = {.count = 0};
    struct wire *w = one_node(2);
    struct wire_node *peer = wire_add_node(w, wire_address(10, 0, 0, 2));
    struct wire_node *client = wire_add_node(w, wire_address(10, 0, 0, 3));
    wire_add_line(&w->nodes[0], ASSOCIATION_PEER, peer->own);
    wire_add_line(peer, ASSOCIATION_PEER, w->nodes[0].own);
    wire_add_line(client, ASSOCIATION_SERVER, w->nodes[0].own);
    w->context = &watch;
    w->route = watch_for_nonces;
    for (int i = 0; i < 3; i++) {
        wire_start(&w->nodes[i]);
    }
    wire_run(w, 20000.0);
    CHECK(watch.count > 100);
    CHECK(client->samples[0] > 10);
    CHECK(peer->samples[0] > 10);
    CHECK_INT(watch.leaks, 0);
    wire_free(w);
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
const struct test_case engine_tests[] = {
    CASE(nothing_is_due_before_the_first_expire_and_then_the_rate),
    CASE(an_early_expire_changes_nothing_and_repeats_the_wake),
    CASE(late_wakes_are_worked_off_one_by_one),
    CASE(the_clock_is_tended_at_polls),
    CASE(an_engine_keeps_to_its_memory_and_leaves_its_configuration_alone),
    CASE(memory_that_was_not_zero_makes_no_difference),
    CASE(same_inputs_give_same_bytes),
    CASE(a_slow_clock_is_brought_to_true_time),
    CASE(a_first_offset_over_the_threshold_is_stepped_by_exactly_that),
    CASE(iburst_sets_the_clock_within_ten_seconds),
    CASE(an_answer_that_spans_a_step_is_dropped),
    CASE(an_offset_over_the_panic_threshold_leaves_the_clock_alone),
    CASE(a_large_first_step_is_allowed_once),
    CASE(an_absurd_rate_by_others_leaves_a_rate_that_the_clock_has),
    CASE(a_clock_that_must_not_be_steered_is_neither_stepped_nor_slewed),
    CASE(an_open_loop_panics_even_with_a_large_step_allowed),
    CASE(a_foreign_step_widens_the_bound_and_voids_samples),
    CASE(a_clock_event_in_a_linear_slew_has_its_end_found_anew),
    CASE(a_leap_that_has_happened_is_no_longer_announced),
    CASE(a_leap_second_moves_nothing_and_loses_nothing_but_what_spans_it),
    CASE(one_upstream_of_three_cannot_announce_a_leap),
    CASE(a_leap_is_announced_only_on_the_last_day_of_a_month),
    CASE(a_source_that_never_answers_is_told_once_and_again_when_it_does),
    CASE(an_answer_tells_how_its_claim_was_rounded),
    CASE(only_records_of_the_kinds_wanted_are_told),
    CASE(a_better_transmit_time_counts),
    CASE(a_nonce_appears_in_nothing_else_that_is_sent),
    {NULL, NULL}};
