/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When the daemon steers its clock and when it leaves it alone, on a virtual clock.
 */
#include "../engine/daemon/steering.h"

#include "state_files_check.h"
#include "virtual_clock_check.h"
#include "wire.h"

#define Q INT64_C(65536) /* quanta in a ppm */
#define DRIFT_PPM (-12.0)

/* A daemon without sockets, whose engine has no source: what it does, it does to the clock. */
struct bench {
    struct desk desk;
    struct wire *w;
    struct ntpconf enabled, disabled;
    struct daemon *d;
};

static const struct ntpconf *conf_in_force(struct bench *b, const struct ntpconf *next)
{
    b->d->configuration->engine.disable_discipline = next->engine.disable_discipline;
    return next;
}

/* As a start does it. */
static void bench_begin(struct bench *b, const struct ntpconf *conf)
{
    struct daemon *d = b->d;
    conf_in_force(b, conf);
    d->asked_for_right = !conf->engine.disable_discipline && !d->options.no_clock_control;
    d->is_steering = kernel_clock_open(&d->clock, d->asked_for_right) && d->asked_for_right;
    d->drift_ppm = DRIFT_PPM;
    steering_begin(d);
}

static struct bench bench_open(void)
{
    struct bench b = {.desk = desk_open(), .w = wire_new()};
    struct wire_node *node = wire_add_node(b.w, wire_address(10, 0, 0, 1));
    node->config.drift_ppm = DRIFT_PPM;
    wire_start(node);
    b.disabled.engine.disable_discipline = true;
    b.d = g_new0(struct daemon, 1);
    b.d->log = b.desk.log;
    b.d->configuration = g_new0(struct configuration, 1);
    b.d->engine = node->engine;
    return b;
}

static void bench_close(struct bench *b)
{
    g_free(b->d->configuration);
    g_free(b->d);
    wire_free(b->w);
    desk_close(&b->desk);
}

/* As a reload does it, but for the engine. */
static void reload(struct bench *b, const struct ntpconf *next)
{
    steering_reload(b->d, next);
    conf_in_force(b, next);
}

/* What a command of the engine's makes of the clock. */
static void command(struct bench *b, double ppm)
{
    b->w->nodes[0].engine->discipline.drift = ppm * 1e-6;
    b->w->nodes[0].engine->is_started = false; /* so that a rate is commanded */
    struct engine_call call = {.verb = VERB_EXPIRE, .now = wire_instant(&b->w->nodes[0])};
    daemon_call(b->d, &call);
}

/* ---- resting -------------------------------------------------------------------------------- */

static void disabling_ends_the_slew_and_leaves_the_clock_alone(void *context)
{
    struct bench b = bench_open();
    (void)context;
    bench_begin(&b, &b.enabled);
    command(&b, 400);
    CHECK_INT(truth_now().freq_q, 400 * Q);
    b.w->nodes[0].engine->discipline.drift = DRIFT_PPM * 1e-6;
    reload(&b, &b.disabled);
    CHECK_NEAR((double)truth_now().freq_q / Q, DRIFT_PPM, 1e-4);
    CHECK_INT(steering_of(b.d), CONTROL_STEERING_DISABLED);
    uint64_t commands = truth_now().commands;
    command(&b, 300);
    CHECK(b.d->effects.todo & EFFECT_CLOCK); /* it was there to be carried out */
    reload(&b, &b.disabled);
    command(&b, 300);
    steering_end(b.d); /* as at the end of the process */
    CHECK_INT(truth_now().commands, commands);
    CHECK_LOGGED(&b.desk, "the clock is not touched from now on, as \"disable ntp\" wants it\n");
    bench_close(&b);
}

static void drift_that_is_known_by_then_is_what_is_left(void *context)
{
    struct bench b = bench_open();
    (void)context;
    bench_begin(&b, &b.enabled);
    b.w->nodes[0].engine->discipline.drift = 33e-6;
    reload(&b, &b.disabled);
    CHECK_NEAR((double)truth_now().freq_q / Q, 33, 1e-4);
    bench_close(&b);
}

static void enabling_again_steers_from_the_drift_on(void *context)
{
    struct bench b = bench_open();
    (void)context;
    bench_begin(&b, &b.enabled);
    reload(&b, &b.disabled);
    struct timex others = {.modes = ADJ_FREQUENCY, .freq = 99 * Q};
    CHECK(clock_adjtime(CLOCK_REALTIME, &others) >= 0);
    reload(&b, &b.enabled);
    CHECK_INT(steering_of(b.d), CONTROL_STEERS);
    CHECK_NEAR((double)truth_now().freq_q / Q, DRIFT_PPM, 1e-4);
    command(&b, 300);
    CHECK_INT(truth_now().freq_q, 300 * Q);
    b.d->drift_ppm = 7;
    steering_end(b.d);
    CHECK_INT(truth_now().freq_q, 7 * Q);
    CHECK_LOGGED(&b.desk, "the clock is not touched from now on, as \"disable ntp\" wants it\n"
                          "the clock is steered again: \"disable ntp\" is gone\n");
    bench_close(&b);
}

static void leap_that_is_called_off_meanwhile_is_not_armed_afterwards(void *context)
{
    struct bench b = bench_open();
    (void)context;
    struct engine *e = b.w->nodes[0].engine;
    bench_begin(&b, &b.enabled);
    command(&b, 300);
    e->armed_leap = b.d->clock.armed_leap = LEAP_INSERT;
    reload(&b, &b.disabled);
    e->needs_leap = true; /* and today is no day for one */
    struct engine_call call = {.verb = VERB_EXPIRE, .now = wire_instant(&b.w->nodes[0])};
    daemon_call(b.d, &call);
    CHECK(b.d->effects.clock.what & CLOCK_LEAP);
    reload(&b, &b.enabled);
    command(&b, 300);
    CHECK_INT(truth_now().status & (STA_INS | STA_DEL), 0);
    bench_close(&b);
}

/* ---- never had ------------------------------------------------------------------------------ */

static void right_that_was_never_asked_for_needs_another_start(void *context)
{
    struct bench b = bench_open();
    (void)context;
    uint64_t commands = truth_now().commands;
    bench_begin(&b, &b.disabled);
    CHECK_INT(steering_of(b.d), CONTROL_STEERING_DISABLED);
    CHECK_STR(steering_obstacle(b.d), "\"disable ntp\" forbids it");
    reload(&b, &b.enabled);
    CHECK_INT(steering_of(b.d), CONTROL_STEERING_AT_RESTART);
    CHECK(strstr(steering_obstacle(b.d), "start anew") != NULL);
    command(&b, 300);
    steering_end(b.d);
    CHECK_INT(truth_now().commands, commands);
    CHECK_LOGGED(&b.desk, "warning: the end of \"disable ntp\" takes effect at the next start: the "
                          "right to set the clock is gone\n");
    bench_close(&b);
}

static void who_may_not_or_shall_not_says_which(void *context)
{
    struct bench b = bench_open();
    (void)context;
    bench_begin(&b, &b.enabled);
    CHECK(steering_obstacle(b.d) == NULL);
    virtual_clock_refuse(true);
    bench_begin(&b, &b.enabled);
    CHECK_INT(steering_of(b.d), CONTROL_STEERING_NO_RIGHT);
    CHECK_STR(steering_obstacle(b.d), "no right to set it");
    reload(&b, &b.disabled);
    reload(&b, &b.enabled);
    CHECK_INT(steering_of(b.d), CONTROL_STEERING_NO_RIGHT);
    b.d->options.no_clock_control = true;
    CHECK_INT(steering_of(b.d), CONTROL_STEERING_UNWANTED);
    CHECK_STR(steering_obstacle(b.d), "--no-clock-control forbids it");
    CHECK_LOGGED(&b.desk, "");
    bench_close(&b);
}

static void refused_clock_is_not_taken_up_again_by_a_reload(void *context)
{
    struct bench b = bench_open();
    (void)context;
    bench_begin(&b, &b.enabled);
    virtual_clock_refuse(true);
    command(&b, 300);
    CHECK_INT(steering_of(b.d), CONTROL_STEERING_REFUSED);
    CHECK_STR(steering_obstacle(b.d), "the kernel refused a command to it");
    virtual_clock_refuse(false);
    reload(&b, &b.disabled);
    reload(&b, &b.enabled);
    CHECK_INT(steering_of(b.d), CONTROL_STEERING_REFUSED);
    CHECK(!b.d->is_steering);
    bench_close(&b);
}

#define ON_CLOCK(name)                                                                             \
    static void name##_here(void)                                                                  \
    {                                                                                              \
        run_on_virtual_clock(name, NULL);                                                          \
    }

ON_CLOCK(disabling_ends_the_slew_and_leaves_the_clock_alone)
ON_CLOCK(drift_that_is_known_by_then_is_what_is_left)
ON_CLOCK(enabling_again_steers_from_the_drift_on)
ON_CLOCK(leap_that_is_called_off_meanwhile_is_not_armed_afterwards)
ON_CLOCK(right_that_was_never_asked_for_needs_another_start)
ON_CLOCK(who_may_not_or_shall_not_says_which)
ON_CLOCK(refused_clock_is_not_taken_up_again_by_a_reload)

#define TEST(name)                                                                                 \
    {                                                                                              \
#name, name##_here                                                                         \
    }

const struct test_case steering_tests[] = {
    TEST(disabling_ends_the_slew_and_leaves_the_clock_alone),
    TEST(drift_that_is_known_by_then_is_what_is_left),
    TEST(enabling_again_steers_from_the_drift_on),
    TEST(leap_that_is_called_off_meanwhile_is_not_armed_afterwards),
    TEST(right_that_was_never_asked_for_needs_another_start),
    TEST(who_may_not_or_shall_not_says_which),
    TEST(refused_clock_is_not_taken_up_again_by_a_reload),
    {NULL, NULL},
};
