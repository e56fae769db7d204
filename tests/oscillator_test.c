/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clock as its world uses it: readings, steering, determinism, independence of who looks. The
 * noise laws are tested in oscillator_law_test.c.
 */
#include "../sim/oscillator.h"

#include <stdlib.h>

#include "../sim/rng.h"
#include "check.h"

static const ntp_time EPOCH = {UINT64_C(0xEA000000) << 32}; /* 2024 */
static const double TICK_S = 1.0 / 4294967296.0;

static struct oscillator *make_clock(const struct oscillator_law *law, uint64_t seed, uint32_t node)
{
    struct oscillator *o = malloc(oscillator_size());
    oscillator_init(o, law, seed, node, OSCILLATOR_CELL_S, EPOCH, 0.0, (sim_time){0});
    return o;
}

static sim_time at(double seconds)
{
    return sim_from_s(seconds);
}

static void presets_have_the_names_of_their_list(void)
{
    static const char *const expected[] = {"ideal",     "xo-server", "xo-office",
                                           "xo-chrony", "tcxo",      "ocxo"};
    const char *const *names = oscillator_preset_names();
    for (unsigned i = 0; i < 6; i++) {
        CHECK_STR(names[i], expected[i]);
        CHECK(oscillator_preset(names[i]) != NULL);
    }
    CHECK(names[6] == NULL);
    CHECK(oscillator_preset("xo") == NULL);
    CHECK(oscillator_preset("") == NULL);
}

static void a_clock_fits_in_500_bytes(void)
{
    CHECK(oscillator_size() <= 500);
}

static void an_ideal_clock_shows_true_time(void)
{
    struct oscillator *o = make_clock(oscillator_preset("ideal"), 1, 1);
    for (unsigned i = 0; i < 1000; i++) {
        sim_time t = {(int64_t)i * INT64_C(987654321987)};
        struct instant now = oscillator_read(o, t);
        CHECK(now.clock.ticks == EPOCH.ticks + (uint64_t)t.ticks);
        CHECK(now.mono.ticks == t.ticks);
        CHECK(oscillator_error_s(o, t) == 0.0);
        CHECK(oscillator_frequency(o, t) == 0.0);
    }
    free(o);
}

/* 2 * 10^12 cells: were they walked, this would take hours. */
static void a_clock_without_noise_jumps_any_distance(void)
{
    struct oscillator_law law = {.initial_mean = 10e-6, .diurnal = 1e-6};
    struct oscillator *o = malloc(oscillator_size());
    oscillator_init(o, &law, 1, 1, 1e-3, EPOCH, 0.0, (sim_time){0});
    double far_s = 2e9;
    double error_s = oscillator_free_error_s(o, at(far_s));
    CHECK_NEAR(error_s, 10e-6 * far_s, 0.02751);
    free(o);
}

static void the_same_seed_and_node_read_the_same(void)
{
    struct oscillator *one = make_clock(oscillator_preset("xo-server"), 42, 3);
    struct oscillator *other = make_clock(oscillator_preset("xo-server"), 42, 3);
    for (unsigned i = 0; i < 500; i++) {
        sim_time t = at(37.7 * i);
        struct instant a = oscillator_read(one, t), b = oscillator_read(other, t);
        CHECK(a.clock.ticks == b.clock.ticks && a.mono.ticks == b.mono.ticks);
    }
    free(one);
    free(other);
}

static void another_seed_or_node_reads_differently(void)
{
    const struct oscillator_law *law = oscillator_preset("xo-chrony"); /* only its noise differs */
    struct oscillator *base = make_clock(law, 42, 3);
    struct oscillator *node = make_clock(law, 42, 4);
    struct oscillator *seed = make_clock(law, 43, 3);
    sim_time t = at(10000.0);
    double error_s = oscillator_free_error_s(base, t);
    CHECK(fabs(oscillator_free_error_s(node, t) - error_s) > 1e-7);
    CHECK(fabs(oscillator_free_error_s(seed, t) - error_s) > 1e-7);
    free(base);
    free(node);
    free(seed);
}

/* One clock's life: read at uneven instants, steered against its error, stepped, its frequency
 * changed. */
enum { LIFE = 400 };

struct life {
    struct instant instants[LIFE];
    double errors_s[LIFE], frequencies[LIFE];
    sim_time wakes[LIFE];
};

static void look_until(struct oscillator *o, double from_s, double until_s)
{
    for (double look_s = ceil(from_s / 7.3) * 7.3; look_s < until_s; look_s += 7.3) {
        sim_time t = at(look_s);
        struct instant now = oscillator_read(o, t);
        oscillator_error_s(o, t);
        oscillator_frequency(o, t);
        oscillator_when(o, t, mono_add_s(now.mono, 5000.0));
    }
}

static void live(const char *preset, bool is_probed, struct life *life)
{
    struct oscillator *o = make_clock(oscillator_preset(preset), 7, 1);
    double last_s = 0.0;
    for (unsigned i = 0; i < LIFE; i++) {
        double now_s = last_s + 1.0 + (double)(i * 7919 % 301);
        if (is_probed) {
            look_until(o, last_s, now_s);
        }
        sim_time t = at(now_s);
        life->instants[i] = oscillator_read(o, t);
        life->errors_s[i] = oscillator_error_s(o, t);
        life->frequencies[i] = oscillator_frequency(o, t);
        life->wakes[i] = oscillator_when(o, t, mono_add_s(life->instants[i].mono, 1000.0));
        if (i % 3 == 0) {
            oscillator_steer(o, t, -life->errors_s[i] / 1000.0);
        }
        if (i % 50 == 49) {
            oscillator_step(o, t, -life->errors_s[i]);
            oscillator_jump(o, t, i % 100 == 99 ? 3e-6 : -2e-6);
        }
        last_s = now_s;
    }
    free(o);
}

/* Check 18 at the clock: a monitor every 7.3 s changes no bit of what others read. */
static void check_18_a_probe_leaves_all_readings_bit_identical(void)
{
    static const char *const clocks[] = {"xo-server", "xo-office", "xo-chrony", "tcxo", "ocxo"};
    struct life *alone = calloc(2, sizeof *alone), *probed = alone + 1;
    for (unsigned i = 0; i < 5; i++) {
        live(clocks[i], false, alone);
        live(clocks[i], true, probed);
        CHECK(memcmp(alone, probed, sizeof *alone) == 0);
    }
    live("tcxo", false, alone);
    CHECK(memcmp(alone, probed, sizeof *alone) != 0); /* the comparison can fail */
    free(alone);
}

/* Each process has draws of its own: taking one out leaves what the others gave. */
static void turning_off_one_process_leaves_the_others(void)
{
    struct oscillator_law walk = {.random_walk_fm = 1e-9};
    struct oscillator_law white = {.white_fm = 1e-9};
    struct oscillator_law flicker = {.flicker_floor = 1e-12};
    struct oscillator_law wander = {.wander_sd = 1e-8, .wander_tc_s = 3600.0};
    struct oscillator_law both = {
        .random_walk_fm = 1e-9, .white_fm = 1e-9, .wander_sd = 1e-8, .wander_tc_s = 3600.0};
    struct oscillator *o[5] = {make_clock(&walk, 5, 5), make_clock(&white, 5, 5),
                               make_clock(&wander, 5, 5), make_clock(&both, 5, 5),
                               make_clock(&flicker, 5, 5)};
    for (unsigned i = 1; i < 300; i++) {
        sim_time t = at(64.0 * 3.0 * i);
        double sum_s = 0.0;
        for (unsigned k = 0; k < 3; k++) {
            sum_s += oscillator_free_error_s(o[k], t);
        }
        CHECK_NEAR(oscillator_free_error_s(o[3], t), sum_s, 1e-15);
        CHECK(oscillator_free_error_s(o[4], t) != 0.0);
    }
    for (unsigned k = 0; k < 5; k++) {
        free(o[k]);
    }
}

static void an_offset_is_given_or_drawn(void)
{
    enum { NODES = 4000 };
    struct oscillator_law law = {.initial_offset_sd_s = 0.1};
    struct oscillator *o = malloc(oscillator_size());
    double squares = 0.0;
    for (uint32_t node = 0; node < NODES; node++) {
        oscillator_init(o, &law, 1, node, OSCILLATOR_CELL_S, EPOCH, NAN, at(5.0));
        double offset_s = oscillator_error_s(o, at(5.0));
        squares += offset_s * offset_s;
    }
    CHECK_NEAR(sqrt(squares / NODES), 0.1, 0.1 * 4.0 / sqrt(2.0 * NODES));
    oscillator_init(o, &law, 1, 1, OSCILLATOR_CELL_S, EPOCH, -0.75, at(5.0));
    CHECK(oscillator_error_s(o, at(5.0)) == -0.75);
    CHECK(oscillator_read(o, at(5.0)).mono.ticks == 0);
    CHECK(oscillator_free_error_s(o, at(5.0)) == 0.0);
    free(o);
}

static void initial_frequencies_follow_their_law(void)
{
    enum { NODES = 4000 };
    struct oscillator_law law = {.initial_mean = 5e-6, .initial_sd = 15e-6};
    struct oscillator *o = malloc(oscillator_size());
    double sum = 0.0, squares = 0.0;
    for (uint32_t node = 0; node < NODES; node++) {
        oscillator_init(o, &law, 9, node, OSCILLATOR_CELL_S, EPOCH, 0.0, (sim_time){0});
        double y = oscillator_frequency(o, at(1.0));
        sum += y;
        squares += (y - 5e-6) * (y - 5e-6);
    }
    CHECK_NEAR(sum / NODES, 5e-6, 4.0 * 15e-6 / sqrt(NODES));
    CHECK_NEAR(sqrt(squares / NODES), 15e-6, 15e-6 * 4.0 / sqrt(2.0 * NODES));
    free(o);
}

static void steering_gains_the_rate_in_each_second_of_mono(void)
{
    struct oscillator_law law = {.initial_mean = 100e-6};
    struct oscillator *o = make_clock(&law, 1, 1);
    oscillator_steer(o, at(10.0), 500e-6);
    CHECK(oscillator_rate(o) == 500e-6);
    double expected_s = 1010.0 * 100e-6 + 500e-6 * 1000.0 * (1.0 + 100e-6);
    CHECK_NEAR(oscillator_error_s(o, at(1010.0)), expected_s, TICK_S);
    oscillator_steer(o, at(1010.0), -100e-6);
    expected_s += 2000.0 * 100e-6 - 100e-6 * 2000.0 * (1.0 + 100e-6);
    CHECK_NEAR(oscillator_error_s(o, at(3010.0)), expected_s, TICK_S);
    struct instant now = oscillator_read(o, at(3010.0));
    CHECK_INT(now.mono.ticks, ticks_from_s(3010.0 * (1.0 + 100e-6)));
    int64_t ahead = ntp_ticks_between(now.clock, ntp_add_s(EPOCH, 3010.0));
    CHECK(llabs((long long)(ahead - ticks_from_s(expected_s))) <= 1);
    free(o);
}

static void a_step_moves_the_clock_once_and_mono_never(void)
{
    struct oscillator *o = make_clock(oscillator_preset("ideal"), 1, 1);
    oscillator_steer(o, at(100.0), 10e-6);
    struct instant before = oscillator_read(o, at(200.0));
    oscillator_step(o, at(200.0), -0.25);
    struct instant after = oscillator_read(o, at(200.0));
    CHECK_INT(ntp_ticks_between(after.clock, before.clock), -(INT64_C(1) << 30));
    CHECK_INT(after.mono.ticks, before.mono.ticks);
    CHECK_NEAR(oscillator_error_s(o, at(1200.0)), -0.25 + 1100.0 * 10e-6, TICK_S);
    free(o);
}

static void a_jump_changes_the_frequency_from_its_instant_on(void)
{
    struct oscillator_law law = {.initial_mean = 1e-6};
    struct oscillator *o = make_clock(&law, 1, 1);
    oscillator_jump(o, at(100.0), 2e-6);
    CHECK_NEAR(oscillator_frequency(o, at(100.0)), 3e-6, 1e-18);
    oscillator_jump(o, at(1100.0), -5e-6);
    CHECK_NEAR(oscillator_frequency(o, at(1100.0)), -2e-6, 1e-18);
    double expected_s = 2100.0 * 1e-6 + 2000.0 * 2e-6 - 1000.0 * 5e-6;
    CHECK_NEAR(oscillator_free_error_s(o, at(2100.0)), expected_s, 1e-15);
    CHECK_INT(oscillator_read(o, at(2100.0)).mono.ticks, ticks_from_s(2100.0 + expected_s));
    free(o);
}

static void frequency_is_the_mean_over_the_cell(void)
{
    struct oscillator *o = make_clock(oscillator_preset("xo-office"), 3, 3);
    double left_s = oscillator_free_error_s(o, at(640.0));
    double y = oscillator_frequency(o, at(672.0));
    double right_s = oscillator_free_error_s(o, at(704.0));
    CHECK_NEAR(y, (right_s - left_s) / 64.0, 1e-16);
    free(o);
}

/* Ticks apart, at the ends of cells and of the bridge's finest intervals, and far apart. */
static void mono_never_goes_back_and_has_no_gap(void)
{
    struct oscillator *o = make_clock(oscillator_preset("xo-office"), 12, 5);
    oscillator_jump(o, at(0.0), -400e-6);
    oscillator_steer(o, at(0.0), -500e-6);
    int64_t last_mono = 0, last_true = 0;
    unsigned backward = 0, gaps = 0;
    for (int64_t second = 0; second < 4000; second++) {
        for (int64_t tick = -20; tick <= 20; tick++) {
            sim_time t = {(second << 32) + (second == 0 ? tick + 20 : tick)};
            int64_t mono = oscillator_read(o, t).mono.ticks;
            int64_t gain = (mono - last_mono) - (t.ticks - last_true);
            backward += mono < last_mono;
            gaps += llabs((long long)gain) > 2 + (t.ticks - last_true) / 1000;
            last_mono = mono;
            last_true = t.ticks;
        }
        if (second % 100 == 50) {
            oscillator_step(o, (sim_time){last_true}, -0.5);
        }
    }
    CHECK_INT(backward, 0);
    CHECK_INT(gaps, 0);
    free(o);
}

/* Check 20 at the clock: 2036-02-07 06:28:16 is passed 1000 s into the run. */
static void check_20_the_era_passes_without_step_or_gap(void)
{
    struct oscillator_law law = {.initial_mean = 20e-6, .random_walk_fm = 1e-11};
    ntp_time epoch = ntp_from_unix_s(INT64_C(2085978496) - 1000);
    struct oscillator *o = malloc(oscillator_size());
    oscillator_init(o, &law, 1, 1, OSCILLATOR_CELL_S, epoch, 0.125, (sim_time){0});
    bool is_wrapped = false;
    struct instant last = oscillator_read(o, (sim_time){0});
    double last_error_s = oscillator_error_s(o, (sim_time){0});
    for (unsigned i = 1; i < 8000; i++) {
        sim_time t = at(0.25 * i);
        struct instant now = oscillator_read(o, t);
        double error_s = oscillator_error_s(o, t);
        double advance_s = ntp_diff_s(now.clock, last.clock);
        CHECK_NEAR(advance_s, 0.25 + error_s - last_error_s, 1e-9);
        CHECK_NEAR(error_s - last_error_s, 0.25 * 20e-6, 1e-9);
        CHECK(ntp_after(now.clock, last.clock));
        is_wrapped = is_wrapped || now.clock.ticks < last.clock.ticks;
        last = now;
        last_error_s = error_s;
    }
    CHECK(is_wrapped);
    CHECK_INT(unix_s_from_ntp(last.clock), 2085978496 - 1000 + 1999);
    free(o);
}

/* Without noise the present frequency is that of the whole wait: no rounding may bring the wake
 * early. */
static void a_wake_comes_when_mono_reaches_it(void)
{
    struct oscillator_law law = {.initial_sd = 80e-6};
    struct oscillator *o = malloc(oscillator_size());
    for (uint32_t node = 0; node < 1000; node++) {
        oscillator_init(o, &law, 2, node, OSCILLATOR_CELL_S, EPOCH, 0.0, (sim_time){0});
        sim_time now = at(77.7);
        mono_time wake = mono_add_s(oscillator_read(o, now).mono, 7200.0);
        sim_time t = oscillator_when(o, now, wake);
        int64_t late = oscillator_read(o, t).mono.ticks - wake.ticks;
        CHECK(late >= 0 && late <= 2);
    }
    free(o);
}

static void waking_early_makes_progress_and_never_before_now(void)
{
    struct oscillator *o = make_clock(oscillator_preset("xo-office"), 5, 8);
    sim_time now = at(10.0);
    for (unsigned i = 0; i < 300; i++) {
        mono_time wake = mono_add_s(oscillator_read(o, now).mono, i % 2 ? 7200.0 : 1e-9 * i);
        unsigned asked = 0;
        while (mono_before(oscillator_read(o, now).mono, wake) && asked < 10) {
            sim_time next = oscillator_when(o, now, wake);
            CHECK(sim_before(now, next));
            now = next;
            asked++;
        }
        CHECK(asked <= 4);
        CHECK(mono_diff_s(oscillator_read(o, now).mono, wake) < 6e-3);
        CHECK(oscillator_when(o, now, wake).ticks == now.ticks);
    }
    free(o);
}

static void a_wake_beyond_the_end_of_time_never_comes(void)
{
    struct oscillator_law law = {.initial_mean = -0.4};
    struct oscillator *o = make_clock(&law, 1, 1);
    CHECK(oscillator_when(o, at(1.0), MONO_NEVER).ticks == INT64_MAX);
    CHECK(oscillator_when(o, at(1.0), (mono_time){INT64_MAX - 1}).ticks == INT64_MAX);
    CHECK(oscillator_when(o, at(1.0), (mono_time){INT64_MAX / 10 * 9}).ticks == INT64_MAX);
    free(o);
}

const struct test_case oscillator_tests[] = {
    {"presets have the names of their list", presets_have_the_names_of_their_list},
    {"a clock fits in 500 bytes", a_clock_fits_in_500_bytes},
    {"an ideal clock shows true time", an_ideal_clock_shows_true_time},
    {"a clock without noise jumps any distance", a_clock_without_noise_jumps_any_distance},
    {"the same seed and node read the same", the_same_seed_and_node_read_the_same},
    {"another seed or node reads differently", another_seed_or_node_reads_differently},
    {"check 18: a probe leaves all readings bit-identical",
     check_18_a_probe_leaves_all_readings_bit_identical},
    {"turning off one process leaves the others", turning_off_one_process_leaves_the_others},
    {"an offset is given or drawn", an_offset_is_given_or_drawn},
    {"initial frequencies follow their law", initial_frequencies_follow_their_law},
    {"steering gains the rate in each second of mono",
     steering_gains_the_rate_in_each_second_of_mono},
    {"a step moves the clock once and mono never", a_step_moves_the_clock_once_and_mono_never},
    {"a jump changes the frequency from its instant on",
     a_jump_changes_the_frequency_from_its_instant_on},
    {"frequency is the mean over the cell", frequency_is_the_mean_over_the_cell},
    {"mono never goes back and has no gap", mono_never_goes_back_and_has_no_gap},
    {"check 20: the era passes without step or gap", check_20_the_era_passes_without_step_or_gap},
    {"a wake comes when mono reaches it", a_wake_comes_when_mono_reaches_it},
    {"waking early makes progress and never before now",
     waking_early_makes_progress_and_never_before_now},
    {"a wake beyond the end of time never comes", a_wake_beyond_the_end_of_time_never_comes},
    {NULL, NULL}};
