/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The discipline against closed-form answers. Numbers in names are those of the validation table: a
 * phase step, a frequency step, the scaling with poll, the FLL, the poll ramp, step-out and panic.
 */
#include "check.h"

#include "../engine/constants.h"
#include "../engine/discipline.h"

/* A clock with error x (s, positive = fast) and frequency error y, steered by the production loop
 * with one update per poll interval: no filter, no noise, poll fixed. */
struct loop {
    struct engine_config config;
    struct discipline d;
    struct ledger ledger;
    double t, x, y, rate;
};

static mono_time at(double t)
{
    return (mono_time){ticks_from_s(t)};
}

static void loop_init(struct loop *loop, int poll, double drift_ppm)
{
    engine_config_default(&loop->config);
    loop->config.drift_ppm = drift_ppm;
    discipline_init(&loop->d, &loop->config, at(0));
    ledger_init(&loop->ledger, at(0), 0.0, 0.0);
    loop->d.poll_is_fixed = true;
    loop->d.poll = (int8_t)poll;
    loop->t = loop->x = loop->y = loop->rate = 0.0;
}

static void loop_steer(struct loop *loop)
{
    double quantum = loop->config.clock.rate_quantum;
    discipline_settle(&loop->d, &loop->ledger, at(loop->t));
    loop->rate = rint(discipline_rate(&loop->d, at(loop->t)) / quantum) * quantum;
    ledger_enter(&loop->ledger, at(loop->t), loop->rate, loop->d.drift);
}

static void loop_advance(struct loop *loop, double until)
{
    while (mono_diff_s(discipline_wake(&loop->d), at(0)) < until - 1e-6) {
        double wake = mono_diff_s(discipline_wake(&loop->d), at(0));
        loop->x += (loop->y + loop->rate) * (wake - loop->t);
        loop->t = wake;
        loop_steer(loop);
    }
    loop->x += (loop->y + loop->rate) * (until - loop->t);
    loop->t = until;
}

static enum discipline_verdict loop_update(struct loop *loop)
{
    enum discipline_verdict v =
        discipline_update(&loop->d, &loop->config, &loop->ledger, -loop->x, at(loop->t));
    if (v == DISCIPLINE_STEP) {
        loop->x += loop->d.step_s;
        discipline_stepped(&loop->d, &loop->ledger, at(loop->t));
    }
    loop_steer(loop);
    return v;
}

/* The loop locked with nothing to do; the last update was one poll interval before time 0. */
static void loop_lock(struct loop *loop, int poll)
{
    loop_init(loop, poll, 0.0);
    loop->t = -ldexp(1.0, poll);
    discipline_init(&loop->d, &loop->config, at(loop->t));
    ledger_init(&loop->ledger, at(loop->t), 0.0, 0.0);
    loop->d.poll_is_fixed = true;
    loop->d.poll = (int8_t)poll;
    loop_update(loop);
    loop_advance(loop, 0.0);
}

struct response {
    double zero_s, overshoot, overshoot_s, surge_ppm, surge_s;
    double at_1h, at_10h;
};

/* The response to a phase error of `step` (the clock is slow by it), sampled just before each
 * update. */
static struct response phase_response(int poll, double step)
{
    struct loop loop;
    struct response r = {0};
    double p = ldexp(1.0, poll);
    loop_lock(&loop, poll);
    loop.x = -step;
    loop_update(&loop);
    for (int i = 1; i < 700; i++) {
        double before = loop.x;
        if ((i - 1) * p < 3600.0 && i * p >= 3600.0) {
            loop_advance(&loop, 3600.0);
            r.at_1h = -loop.x;
        }
        if ((i - 1) * p < 36000.0 && i * p >= 36000.0) {
            loop_advance(&loop, 36000.0);
            r.at_10h = -loop.x;
        }
        loop_advance(&loop, i * p);
        if (r.zero_s <= 0.0 && before < 0.0 && loop.x >= 0.0) {
            r.zero_s = (i - 1 + before / (before - loop.x)) * p;
        }
        if (loop.x > r.overshoot) {
            r.overshoot = loop.x;
            r.overshoot_s = i * p;
        }
        loop_update(&loop);
        if (loop.d.drift * 1e6 > r.surge_ppm) {
            r.surge_ppm = loop.d.drift * 1e6;
            r.surge_s = i * p;
        }
    }
    return r;
}

static void check_21_phase_step_crosses_zero_at_3056_s(void)
{
    struct response r = phase_response(6, 0.1);
    CHECK_NEAR(r.zero_s, 3056.0, 64.0);
}

static void check_22_phase_step_overshoots_5_05_percent_and_surges_5_49_ppm(void)
{
    struct response r = phase_response(6, 0.1);
    CHECK_NEAR(r.overshoot / 0.1, 0.0505, 0.0015);
    CHECK_NEAR(r.overshoot_s, 6144.0, 64.0);
    CHECK_NEAR(r.surge_ppm, 5.49, 0.1);
    CHECK_NEAR(r.surge_s, 3009.0, 64.0);
}

static void check_23_phase_step_after_1_h_and_10_h(void)
{
    struct response r = phase_response(6, 0.1);
    CHECK_NEAR(r.at_1h, -2.38e-3, 0.05e-3);
    CHECK_NEAR(r.at_10h, -0.725e-3, 0.05e-3);
}

static void check_24_zero_crossing_scales_with_the_poll_interval(void)
{
    static const int polls[] = {4, 5, 7, 8, 10};
    for (unsigned i = 0; i < sizeof polls / sizeof polls[0]; i++) {
        struct response r = phase_response(polls[i], 0.1);
        CHECK_NEAR(r.zero_s / ldexp(1.0, polls[i]), 47.76, 0.02 * 47.76);
    }
}

struct peak {
    double height, time_s, at_1h, at_10h;
};

/* The response to a frequency error, |x| sampled before each update. */
static struct peak frequency_response(int poll, double y, int updates)
{
    struct loop loop;
    struct peak peak = {0};
    double p = ldexp(1.0, poll);
    loop_lock(&loop, poll);
    loop_update(&loop);
    loop.y = y;
    for (int i = 1; i < updates; i++) {
        loop_advance(&loop, i * p);
        if (loop.x > peak.height) {
            peak.height = loop.x;
            peak.time_s = i * p;
        }
        if (i * p <= 3600.0) {
            peak.at_1h = loop.x;
        }
        if (i * p <= 36000.0) {
            peak.at_10h = loop.x;
        }
        loop_update(&loop);
    }
    return peak;
}

static void check_25_frequency_step_of_10_ppm_peaks_at_9_21_ms(void)
{
    struct peak peak = frequency_response(6, 10e-6, 700);
    CHECK_NEAR(peak.height, 9.2065e-3, 0.01 * 9.2065e-3);
    CHECK_NEAR(peak.time_s, 3072.0, 64.0);
    CHECK_NEAR(peak.at_1h, 9.14e-3, 0.01 * 9.14e-3);
    CHECK_NEAR(peak.at_10h, 1.074e-3, 0.01 * 1.074e-3);
}

static void check_27_fll_peaks_after_a_frequency_step_of_1_ppm(void)
{
    static const double height[] = {5.53e-3, 11.06e-3, 22.14e-3};
    static const double hours[] = {3.98, 7.96, 15.93};
    for (int i = 0; i < 3; i++) {
        struct peak peak = frequency_response(11 + i, 1e-6, 100);
        CHECK_NEAR(peak.height, height[i], 0.02 * height[i]);
        CHECK_NEAR(peak.time_s, hours[i] * 3600.0, ldexp(1.0, 11 + i));
    }
}

static void check_28_phase_step_of_100_ms_at_poll_13_bleeds_for_days(void)
{
    /* The error is there from the first update on, with the drift value known: what follows is the
     * bleeding of the offset, with a time constant of 16 polls, and no error of prediction for the
     * FLL. */
    struct loop loop;
    loop_init(&loop, 13, 0.0);
    loop.x = -0.1;
    loop_update(&loop);
    double at_24h = 0.0, at_72h = 0.0;
    for (int i = 1; i * 8192.0 <= 73 * 3600.0; i++) {
        double before_t = loop.t, before_x = loop.x;
        loop_advance(&loop, i * 8192.0);
        /* Between updates the rate is constant: interpolate to the hour. */
        double slope = (loop.x - before_x) / (loop.t - before_t);
        if (before_t < 86400.0 && loop.t >= 86400.0) {
            at_24h = -(before_x + slope * (86400.0 - before_t));
        }
        if (before_t < 259200.0 && loop.t >= 259200.0) {
            at_72h = -(before_x + slope * (259200.0 - before_t));
        }
        loop_update(&loop);
    }
    CHECK_NEAR(at_24h, 51.6e-3, 0.02 * 51.6e-3);
    CHECK_NEAR(at_72h, 13.7e-3, 0.02 * 13.7e-3);
}

/* 4.2.8p9 and later divide by the FLL gain: four times the frequency error is put back with every
 * update. With our gain the error shrinks; with theirs it grows. */
static void fll_gain_is_multiplied_because_dividing_by_it_diverges(void)
{
    CHECK_NEAR(FLL_GAIN, 0.25, 1e-12);
    for (int divided = 0; divided < 2; divided++) {
        struct loop loop;
        loop_lock(&loop, 11);
        loop_update(&loop);
        loop.y = 1e-6;
        for (int i = 1; i < 60; i++) {
            loop_advance(&loop, i * 2048.0);
            double residual = loop.d.residual_s -
                              (ledger_slewed_s(&loop.ledger, at(loop.t)) - loop.d.settled_slew_s);
            double extra = (-loop.x - residual) * (4.0 - 0.25) / 2048.0;
            loop_update(&loop);
            if (divided) {
                loop.d.drift += extra;
                loop_steer(&loop);
            }
        }
        double left = fabs(loop.y + loop.d.drift);
        CHECK(divided ? left > 100e-6 : left < 0.2e-6);
    }
}

static void check_52_poll_ramps_in_6_5_4_4_4_3_3_updates(void)
{
    static const int expected[] = {6, 5, 4, 4, 4, 3, 3};
    struct loop loop;
    loop_init(&loop, 6, 0.0);
    loop.d.poll_is_fixed = false;
    discipline_poll_range(&loop.d, 6, 13);
    double t10 = 0.0;
    for (int step = 0; step < 7; step++) {
        int poll = loop.d.poll;
        int updates = 0;
        while (loop.d.poll == poll && updates < 50) {
            loop_advance(&loop, loop.t + ldexp(1.0, poll));
            loop_update(&loop);
            updates++;
        }
        CHECK_INT(updates, expected[step]);
        CHECK_INT(loop.d.poll, poll + 1);
        if (loop.d.poll == 10) {
            t10 = loop.t;
        }
    }
    CHECK_NEAR(t10, 4096.0, 1e-6);
    CHECK_NEAR(loop.t, 26624.0, 1e-6);
}

static void check_53_poll_falls_after_3_2_1_large_offsets(void)
{
    static const int polls[] = {7, 10, 16};
    static const int expected[] = {3, 2, 1};
    for (int i = 0; i < 3; i++) {
        struct loop loop;
        loop_init(&loop, polls[i], 0.0);
        loop.d.poll_is_fixed = false;
        discipline_poll_range(&loop.d, 4, 17);
        loop.d.phase = DISCIPLINE_LOCKED;
        int updates = 0;
        double sign = 1.0;
        while (loop.d.poll == polls[i] && updates < 20) {
            loop.t += ldexp(1.0, loop.d.poll);
            loop.d.jitter_s = 1e-6;
            loop.d.last_offset_s =
                sign * 0.050; /* so that this update brings no jitter of its own */
            loop.x = -sign * 0.050;
            loop_update(&loop);
            updates++;
        }
        CHECK_INT(updates, expected[i]);
        CHECK_INT(loop.d.poll, polls[i] - 1);
    }
}

static void check_55_a_step_is_held_back_until_stepout(void)
{
    struct loop loop;
    loop_lock(&loop, 6);
    for (int i = 1; i <= 4; i++) {
        loop.t = 64.0 * (i - 1); /* i intervals after the last accepted update */
        loop.x = -0.2;
        CHECK_INT(loop_update(&loop), DISCIPLINE_HELD);
    }
    loop.t = 256.0;
    loop.x = -0.2;
    CHECK_INT(loop_update(&loop), DISCIPLINE_STEP);
    CHECK_NEAR(loop.d.step_s, 0.2, 1e-9);

    loop_lock(&loop, 10);
    loop.x = -0.2;
    CHECK_INT(loop_update(&loop), DISCIPLINE_HELD);
    loop.t = 1024.0;
    loop.x = -0.2;
    CHECK_INT(loop_update(&loop), DISCIPLINE_STEP);
}

static void check_55_an_inlier_in_between_clears_the_spike(void)
{
    struct loop loop;
    loop_lock(&loop, 6);
    loop.t = 64.0;
    loop.x = -0.2;
    CHECK_INT(loop_update(&loop), DISCIPLINE_HELD);
    loop.t = 128.0;
    loop.x = -0.001;
    CHECK_INT(loop_update(&loop), DISCIPLINE_ACCEPTED);
    CHECK_INT(loop.d.phase, DISCIPLINE_LOCKED);
    loop.t = 1000.0;
    loop.x = -0.2;
    CHECK_INT(loop_update(&loop), DISCIPLINE_HELD);
}

/* Check 56 as behaviour section 4 has it: beyond 1000 s the clock is left alone and nothing exits;
 * -g allows one large first step, and its gate closes after the first update of any size. */
static void check_56_panic_begins_above_1000_s(void)
{
    struct loop loop;
    loop_init(&loop, 6, 0.0);
    loop.x = -999.9;
    CHECK_INT(loop_update(&loop), DISCIPLINE_STEP);
    loop_init(&loop, 6, 0.0);
    loop.x = -1000.1;
    CHECK_INT(loop_update(&loop), DISCIPLINE_PANIC);
    CHECK_NEAR(loop.x, -1000.1, 0.0);
    CHECK_NEAR(loop.rate, 0.0, 0.0);
}

static void panic_gate_opens_once_with_g_and_closes_after_any_update(void)
{
    struct loop loop;
    loop_init(&loop, 6, 0.0);
    loop.d.large_step_allowed = true;
    loop.x = 3600.0;
    CHECK_INT(loop_update(&loop), DISCIPLINE_STEP);
    loop.x = 3600.0;
    CHECK_INT(loop_update(&loop), DISCIPLINE_PANIC);
    loop_init(&loop, 6, 0.0);
    loop.d.large_step_allowed = true;
    loop.x = 0.010;
    CHECK_INT(loop_update(&loop), DISCIPLINE_ACCEPTED);
    loop.t = 64.0;
    loop.x = 3600.0;
    CHECK_INT(loop_update(&loop), DISCIPLINE_PANIC);
}

static void check_65_a_second_is_slewed_in_2000_s(void)
{
    struct loop loop;
    loop_init(&loop, 6, NAN);
    loop.config.tinker.step_s = 0.0; /* never step */
    loop.x = -1.0;
    CHECK_INT(loop_update(&loop), DISCIPLINE_ACCEPTED);
    loop_advance(&loop, 1000.0);
    CHECK_NEAR(loop.x, -0.5, 1e-6);
    loop_advance(&loop, 1999.0);
    CHECK_NEAR(loop.x, -0.0005, 1e-6);
    loop_advance(&loop, 2001.0);
    CHECK_NEAR(loop.x, 0.0, 1e-6);
}

static void training_finds_the_frequency_directly_after_300_s(void)
{
    struct loop loop;
    loop_init(&loop, 6, NAN);
    loop.y = 40e-6;
    loop.x = 0.020;
    CHECK_INT(loop_update(&loop), DISCIPLINE_ACCEPTED);
    CHECK_INT(loop.d.phase, DISCIPLINE_TRAINING);
    for (int i = 1; i <= 4; i++) {
        loop_advance(&loop, 64.0 * i);
        CHECK_INT(loop_update(&loop), DISCIPLINE_WAITING);
        CHECK_NEAR(loop.d.drift, 0.0, 0.0);
    }
    loop_advance(&loop, 320.0);
    CHECK_INT(loop_update(&loop), DISCIPLINE_ACCEPTED);
    CHECK_NEAR(loop.d.drift, -40e-6, 0.02e-6);
    CHECK(loop.d.drift_is_known);
    /* What ran up meanwhile, 320 s at 40 ppm, goes linearly, with the frequency held. */
    double found = loop.d.drift;
    CHECK_NEAR(loop.x, 320 * 40e-6, 1e-5);
    loop_advance(&loop, 320.0 + loop.x / 500e-6 + 1.0);
    CHECK_NEAR(loop.x, 0.0, 1e-6);
    CHECK_NEAR(loop.d.drift, found, 0.0);
}

/* What was slewed away meanwhile is no noise: with it the poll would climb over any offset. */
static void what_the_clock_came_with_is_no_jitter(void)
{
    for (int is_trained = 0; is_trained < 2; is_trained++) {
        struct loop loop;
        loop_init(&loop, 6, is_trained ? NAN : 0.0);
        loop.x = 0.100;
        loop_update(&loop);
        loop_advance(&loop, 320.0);
        if (is_trained) {
            CHECK_INT(loop_update(&loop), DISCIPLINE_ACCEPTED);
        }
        CHECK_INT(loop.d.phase, DISCIPLINE_LOCKED);
        CHECK(loop.d.jitter_s < 1e-5);
    }
}

static void a_drift_value_closes_the_loop_at_once(void)
{
    struct loop loop;
    loop_init(&loop, 6, -12.5);
    loop.y = 12.5e-6;
    loop.x = 0.010;
    CHECK_INT(loop_update(&loop), DISCIPLINE_ACCEPTED);
    CHECK_INT(loop.d.phase, DISCIPLINE_LOCKED);
    CHECK_NEAR(loop.d.drift, -12.5e-6, 1e-12);
}

/* After an outage the first interval is days long and the offset is what the outage left: it is
 * slewed away at full speed with the frequency held, and only then is the loop closed again. */
static void an_outage_leaves_the_frequency_alone(void)
{
    struct loop loop;
    loop_lock(&loop, 8);
    loop_advance(&loop, 3 * 86400.0);
    loop.x = -0.050;
    discipline_hold(&loop.d, 8);
    CHECK_INT(loop_update(&loop), DISCIPLINE_ACCEPTED);
    CHECK_NEAR(loop.d.drift, 0.0, 0.0);
    loop_advance(&loop, 3 * 86400.0 + 50.0);
    CHECK_NEAR(loop.x, -0.025, 1e-6);
    loop_advance(&loop, 3 * 86400.0 + 101.0);
    CHECK_NEAR(loop.x, 0.0, 1e-6);
    loop.x = -0.001;
    CHECK_INT(loop_update(&loop), DISCIPLINE_ACCEPTED);
    CHECK_NEAR(loop.d.drift, 0.001 * 101.0 / (64.0 * 256.0 * 64.0 * 256.0), 1e-15);
}

/* A clock that refuses half of every slew: the ledger, not an assumption, says what is left. */
static void residual_follows_what_was_really_applied(void)
{
    struct loop loop;
    loop_lock(&loop, 6);
    loop.x = -0.1;
    loop_update(&loop);
    ledger_enter(&loop.ledger, at(loop.t), loop.rate / 2.0, 0.0);
    discipline_settle(&loop.d, &loop.ledger, at(32.0));
    CHECK_NEAR(loop.d.residual_s, 0.1 - loop.rate / 2.0 * 32.0, 1e-12);
}

static void check_57_constants_are_those_of_the_table(void)
{
    size_t count;
    const struct constant_row *rows = constants_table(&count);
    CHECK(count >= 20);
    for (size_t i = 0; i < count; i++) {
        bool differs = (!isnan(rows[i].rfc_text) && rows[i].ours != rows[i].rfc_text) ||
                       (!isnan(rows[i].rfc_code) && rows[i].ours != rows[i].rfc_code) ||
                       rows[i].ours != rows[i].ntpd;
        CHECK(!differs || rows[i].why[0] != '\0');
        bool is_maxdist = strcmp(rows[i].name, "MAXDIST") == 0;
        CHECK((rows[i].ours != rows[i].rfc5905_policy) == is_maxdist);
    }
    CHECK_NEAR(SLEW_SHARE, 1.0 - exp(-1.0 / 16.0), 1e-16);
    CHECK_NEAR(TOLERANCE, 15e-6, 0.0);
    CHECK_NEAR(DISTANCE_MAX_S, 1.5, 0.0);
    CHECK_NEAR(DISTANCE_MAX_RFC_S, 1.0, 0.0);
    CHECK_NEAR(STEP_S, 0.128, 0.0);
    CHECK_NEAR(STEPOUT_S, 300.0, 0.0);
    CHECK_NEAR(PANIC_S, 1000.0, 0.0);
    CHECK_INT(POLL_LIMIT, 30);
    CHECK_NEAR(POLL_GATE, 4.0, 0.0);
    CHECK_NEAR(SPIKE_GATE, 3.0, 0.0);
    CHECK_INT(FILTER_STAGES, 8);
}

/* Nothing can be learned between the polls of the one that may be asked most often, which chance
 * puts off by up to a 16th. */
static void before_the_first_update_it_wakes_as_often_as_it_may_ask(void)
{
    struct association_config associations[2] = {{.minpoll = 12, .maxpoll = 13},
                                                 {.minpoll = 10, .maxpoll = 10}};
    struct engine_config config;
    struct discipline d;
    engine_config_default(&config);
    config.associations = associations;
    config.association_count = 2;
    discipline_init(&d, &config, at(0));
    CHECK_INT(discipline_wake(&d).ticks, at(1088.0).ticks);
    associations[1].minpoll = 3;
    discipline_init(&d, &config, at(0));
    CHECK_INT(discipline_wake(&d).ticks, at(68.0).ticks);
    associations[0].minpoll = associations[1].minpoll = 15;
    discipline_init(&d, &config, at(0));
    CHECK_INT(discipline_wake(&d).ticks, at(8192.0).ticks);
}

const struct test_case discipline_tests[] = {
    {"check_21_phase_step_crosses_zero_at_3056_s", check_21_phase_step_crosses_zero_at_3056_s},
    {"check_22_phase_step_overshoots_5_05_percent_and_surges_5_49_ppm",
     check_22_phase_step_overshoots_5_05_percent_and_surges_5_49_ppm},
    {"check_23_phase_step_after_1_h_and_10_h", check_23_phase_step_after_1_h_and_10_h},
    {"check_24_zero_crossing_scales_with_the_poll_interval",
     check_24_zero_crossing_scales_with_the_poll_interval},
    {"check_25_frequency_step_of_10_ppm_peaks_at_9_21_ms",
     check_25_frequency_step_of_10_ppm_peaks_at_9_21_ms},
    {"check_27_fll_peaks_after_a_frequency_step_of_1_ppm",
     check_27_fll_peaks_after_a_frequency_step_of_1_ppm},
    {"check_28_phase_step_of_100_ms_at_poll_13_bleeds_for_days",
     check_28_phase_step_of_100_ms_at_poll_13_bleeds_for_days},
    {"fll_gain_is_multiplied_because_dividing_by_it_diverges",
     fll_gain_is_multiplied_because_dividing_by_it_diverges},
    {"check_52_poll_ramps_in_6_5_4_4_4_3_3_updates", check_52_poll_ramps_in_6_5_4_4_4_3_3_updates},
    {"check_53_poll_falls_after_3_2_1_large_offsets",
     check_53_poll_falls_after_3_2_1_large_offsets},
    {"check_55_a_step_is_held_back_until_stepout", check_55_a_step_is_held_back_until_stepout},
    {"check_55_an_inlier_in_between_clears_the_spike",
     check_55_an_inlier_in_between_clears_the_spike},
    {"check_56_panic_begins_above_1000_s", check_56_panic_begins_above_1000_s},
    {"panic_gate_opens_once_with_g_and_closes_after_any_update",
     panic_gate_opens_once_with_g_and_closes_after_any_update},
    {"check_57_constants_are_those_of_the_table", check_57_constants_are_those_of_the_table},
    {"check_65_a_second_is_slewed_in_2000_s", check_65_a_second_is_slewed_in_2000_s},
    {"training_finds_the_frequency_directly_after_300_s",
     training_finds_the_frequency_directly_after_300_s},
    {"what_the_clock_came_with_is_no_jitter", what_the_clock_came_with_is_no_jitter},
    {"a_drift_value_closes_the_loop_at_once", a_drift_value_closes_the_loop_at_once},
    {"an_outage_leaves_the_frequency_alone", an_outage_leaves_the_frequency_alone},
    {"residual_follows_what_was_really_applied", residual_follows_what_was_really_applied},
    {"before_the_first_update_it_wakes_as_often_as_it_may_ask",
     before_the_first_update_it_wakes_as_often_as_it_may_ask},
    {NULL, NULL}};
