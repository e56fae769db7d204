/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The machine's clock as the daemon uses it, on a virtual one.
 */
#include "../engine/daemon/kernel_clock.h"

#include <errno.h>
#include <sys/time.h>

#include "../engine/packet.h"
#include "virtual_clock_check.h"

#define Q INT64_C(65536) /* quanta in a ppm */
#define NEAR_S 50e-6     /* how well one process sees what another clock shows */

static const struct system_status good = {.state = STATE_SYNCHRONISED};

static void pause_s(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds,
                         .tv_nsec = (long)((seconds - floor(seconds)) * 1e9)};
    nanosleep(&t, NULL);
}

/* ---- commands and events -------------------------------------------------------------------- */

struct trial {
    void (*test)(struct kernel_clock *clock);
};

static void open_and_run(void *context)
{
    const struct trial *trial = context;
    struct kernel_clock clock;
    CHECK(kernel_clock_open(&clock, true));
    trial->test(&clock);
}

/* On a clock opened to steer it. */
static void on_virtual_clock(void (*test)(struct kernel_clock *clock))
{
    struct trial trial = {test};
    run_on_virtual_clock(open_and_run, &trial);
}

static int perform_rate(struct kernel_clock *clock, int64_t rate_q)
{
    struct clock_command command = {.what = CLOCK_RATE, .rate_q = rate_q};
    return kernel_clock_perform(clock, &command, &good);
}

static int perform_step(struct kernel_clock *clock, double step_s, int64_t rate_q)
{
    struct clock_command command = {
        .what = CLOCK_STEP | CLOCK_RATE, .step_s = step_s, .rate_q = rate_q};
    return kernel_clock_perform(clock, &command, &good);
}

static int perform_leap(struct kernel_clock *clock, uint8_t leap)
{
    struct clock_command command = {.what = CLOCK_LEAP, .leap = leap};
    return kernel_clock_perform(clock, &command, &good);
}

static void check_quiet(struct kernel_clock *clock)
{
    enum clock_event event;
    double amount;
    CHECK(!kernel_clock_look(clock, &event, &amount));
}

static void check_event(struct kernel_clock *clock, enum clock_event expected, double amount_s,
                        double tolerance)
{
    enum clock_event event = CLOCK_REFUSED;
    double amount = NAN;
    CHECK(kernel_clock_look(clock, &event, &amount));
    CHECK_INT(event, expected);
    CHECK_NEAR(amount, amount_s, tolerance);
}

/* ---- reading -------------------------------------------------------------------------------- */

static void stamp_is_kept_to_the_tick_and_across_the_era(void)
{
    struct timespec half = {.tv_sec = 0, .tv_nsec = 500000000};
    struct timespec last = {.tv_sec = 1, .tv_nsec = 999999999};
    struct timespec era = {.tv_sec = INT64_C(2085978496), .tv_nsec = 1};
    CHECK(kernel_clock_stamp(&half).ticks == (UINT64_C(2208988800) << 32 | UINT64_C(0x80000000)));
    CHECK(kernel_clock_stamp(&last).ticks == (UINT64_C(2208988801) << 32 | UINT64_C(0xfffffffb)));
    CHECK(kernel_clock_stamp(&era).ticks == 4);
}

static void instant_shows_the_clock_and_a_free_running_count(struct kernel_clock *clock)
{
    virtual_clock_step(-1234.5);
    CHECK_INT(perform_rate(clock, 900 * Q), 0);
    double raw = seconds_of(CLOCK_MONOTONIC_RAW);
    struct instant a = kernel_clock_read(clock);
    double realtime = seconds_of(CLOCK_REALTIME);
    pause_s(0.1);
    struct instant b = kernel_clock_read(clock);
    double elapsed = mono_diff_s(b.mono, a.mono);
    CHECK_NEAR(s_from_ticks(a.mono.ticks), raw, 0.01);
    CHECK_NEAR((double)unix_s_from_ntp(a.clock), floor(realtime), 1);
    CHECK(elapsed >= 0.1);
    /* The clock runs 900 ppm faster than the count, and the count does not follow the rate. */
    CHECK_NEAR((ntp_diff_s(b.clock, a.clock) - elapsed) / elapsed * 1e6, 900, 200);
}

static void count_does_not_go_back_when_readings_do(struct kernel_clock *clock)
{
    struct instant now = kernel_clock_read(clock);
    mono_time later = mono_add_s(now.mono, 100);
    clock->last = later;
    CHECK(kernel_clock_read(clock).mono.ticks == later.ticks);
}

static void precision_is_about_the_time_of_a_reading(struct kernel_clock *clock)
{
    double reading_s = 1;
    for (int batch = 0; batch < 20; batch++) { /* the least disturbed one */
        double begin = seconds_of(CLOCK_MONOTONIC_RAW);
        for (int i = 0; i < 50; i++) {
            (void)seconds_of(CLOCK_REALTIME);
        }
        reading_s = fmin(reading_s, (seconds_of(CLOCK_MONOTONIC_RAW) - begin) / 50);
    }
    CHECK(ldexp(1, clock->precision) < 4 * reading_s);
    CHECK(ldexp(1, clock->precision) > reading_s / 16);
}

/* ---- opening -------------------------------------------------------------------------------- */

static void opening_reads_what_is_in_force_and_changes_nothing(struct kernel_clock *clock)
{
    struct timex others = {.modes = ADJ_FREQUENCY | ADJ_TICK | ADJ_STATUS | ADJ_TAI,
                           .freq = -12345,
                           .tick = 9999,
                           .status = STA_PLL,
                           .constant = 37};
    clock_adjtime(CLOCK_REALTIME, &others);
    struct virtual_clock_truth before = truth_now();
    CHECK(kernel_clock_open(clock, true));
    struct virtual_clock_truth after = truth_now();
    CHECK(clock->may_steer);
    CHECK_INT(clock->rate_q, -12345 - 100 * Q);
    CHECK_INT(clock->tai_s, 37);
    CHECK_INT(after.freq_q, before.freq_q);
    CHECK_INT(after.tick_us, before.tick_us);
    CHECK_INT(after.status, before.status);
    CHECK_INT(after.steps, before.steps);
    check_quiet(clock);
}

static void without_the_right_it_reads_and_says_so(struct kernel_clock *clock)
{
    virtual_clock_refuse(true);
    uint64_t commands = truth_now().commands;
    errno = 0;
    CHECK(!kernel_clock_open(clock, true));
    CHECK_INT(errno, EPERM);
    CHECK(!kernel_clock_ability(clock).can_steer);
    CHECK_INT(perform_rate(clock, 5 * Q), EPERM);
    CHECK_INT(kernel_clock_restore(clock, 5), EPERM);
    CHECK_NEAR(ntp_diff_s(kernel_clock_read(clock).clock,
                          ntp_add_s(ntp_from_unix_s(0), seconds_of(CLOCK_REALTIME))),
               0, 0.01);
    CHECK_INT(truth_now().commands, commands);
}

static void who_does_not_want_to_steer_does_not_ask_for_the_right(struct kernel_clock *clock)
{
    uint64_t commands = truth_now().commands;
    CHECK(kernel_clock_open(clock, false));
    CHECK(!kernel_clock_ability(clock).can_steer);
    CHECK_INT(perform_step(clock, 1, 0), EPERM);
    CHECK_INT(truth_now().commands, commands);
    CHECK_NEAR(truth_now().error_s, 0, NEAR_S);
}

static void resting_clock_is_not_touched_and_then_takes_commands_again(struct kernel_clock *clock)
{
    CHECK_INT(perform_rate(clock, 5 * Q), 0);
    CHECK_INT(perform_leap(clock, LEAP_INSERT), 0);
    uint64_t commands = truth_now().commands;
    kernel_clock_rest(clock, true);
    CHECK_INT(perform_rate(clock, 6 * Q), EPERM);
    CHECK_INT(perform_step(clock, 1, 0), EPERM);
    CHECK_INT(kernel_clock_restore(clock, 5), EPERM);
    virtual_clock_step(-1); /* as an inserted second is: nobody is disarmed by us */
    check_event(clock, CLOCK_LEAPT, -1, 1e-3);
    CHECK_INT(truth_now().commands, commands);
    CHECK_INT(truth_now().freq_q, 5 * Q);
    kernel_clock_expect_leap(clock, LEAP_DELETE);
    kernel_clock_rest(clock, false);
    CHECK_INT(perform_rate(clock, 7 * Q), 0);
    CHECK_INT(truth_now().freq_q, 7 * Q);
    CHECK_INT(truth_now().status & (STA_INS | STA_DEL), STA_DEL);
}

/* ---- rate ----------------------------------------------------------------------------------- */

static void rate_within_the_frequency_leaves_the_tick_alone(struct kernel_clock *clock)
{
    static const int64_t rates[] = {0, 1, -1, 50 * Q + 7, -500 * Q, 500 * Q};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        CHECK_INT(perform_rate(clock, rates[i]), 0);
        CHECK_INT(truth_now().freq_q, rates[i]);
        CHECK_INT(truth_now().tick_us, 10000);
        CHECK_INT(clock->rate_q, rates[i]);
        check_quiet(clock);
    }
}

static void rate_beyond_the_frequency_is_exact_with_the_tick(struct kernel_clock *clock)
{
    struct clock_ability ability = kernel_clock_ability(clock);
    for (int64_t rate_q = -ability.rate_max_q; rate_q <= ability.rate_max_q; rate_q += 12345677) {
        CHECK_INT(perform_rate(clock, rate_q), 0);
        struct virtual_clock_truth truth = truth_now();
        CHECK_INT(truth.freq_q + (truth.tick_us - 10000) * 100 * Q, rate_q);
        CHECK_NEAR(truth.steering_ppm, (double)rate_q * ability.rate_quantum * 1e6, 1e-9);
        check_quiet(clock);
    }
}

static void tick_does_not_flip_at_the_limit(struct kernel_clock *clock)
{
    CHECK_INT(perform_rate(clock, 499 * Q), 0);
    CHECK_INT(truth_now().tick_us, 10000);
    CHECK_INT(perform_rate(clock, 501 * Q), 0);
    int64_t tick_us = truth_now().tick_us;
    CHECK_INT(tick_us, 10005);
    for (int64_t ppm = 980; ppm > 400; ppm -= 20) {
        CHECK_INT(perform_rate(clock, ppm * Q), 0);
        CHECK_INT(truth_now().tick_us, tick_us);
    }
    CHECK_INT(perform_rate(clock, 400 * Q), 0);
    CHECK_INT(truth_now().tick_us, 10000);
    CHECK_INT(perform_rate(clock, -1000 * Q), 0);
    CHECK_INT(truth_now().tick_us, 9990);
}

static void rate_that_others_set_is_noticed_once_and_overruled(struct kernel_clock *clock)
{
    CHECK_INT(perform_rate(clock, 20 * Q), 0);
    struct timex others = {.modes = ADJ_FREQUENCY | ADJ_TICK, .freq = -10 * Q, .tick = 10002};
    clock_adjtime(CLOCK_REALTIME, &others);
    check_event(clock, CLOCK_RATED, 170e-6, 1e-12); /* -10 + 200 - 20 ppm */
    check_quiet(clock);
    CHECK_INT(perform_rate(clock, 20 * Q), 0);
    CHECK_INT(truth_now().freq_q, 20 * Q);
    CHECK_INT(truth_now().tick_us, 10000);
    check_quiet(clock);
}

static void first_command_ends_what_the_kernel_slews(struct kernel_clock *clock)
{
    struct timeval rest = {.tv_sec = 0, .tv_usec = 4321};
    struct timex loop = {.modes = ADJ_STATUS, .status = STA_PLL | STA_UNSYNC};
    adjtime(&rest, NULL);
    clock_adjtime(CLOCK_REALTIME, &loop);
    virtual_clock_kernel_offset(-8765);
    CHECK_INT(perform_rate(clock, 3 * Q), 0);
    struct virtual_clock_truth truth = truth_now();
    CHECK_INT(truth.kernel_slew_us, 0);
    CHECK_INT(truth.kernel_offset_us, 0);
    CHECK_INT(truth.status, 0);
    CHECK_INT(truth.freq_q, 3 * Q);
    CHECK_INT(perform_rate(clock, 4 * Q), 0);
    CHECK_INT(truth_now().commands, truth.commands + 1); /* and is not done each time */
}

static void restored_rate_is_the_drift_alone(struct kernel_clock *clock)
{
    struct timeval rest = {.tv_sec = 0, .tv_usec = 4321};
    CHECK_INT(perform_rate(clock, 750 * Q), 0);
    adjtime(&rest, NULL);
    virtual_clock_kernel_offset(55); /* a loop that is switched off has it still */
    CHECK_INT(kernel_clock_restore(clock, -17.25), 0);
    CHECK_NEAR(truth_now().steering_ppm, -17.25, 1e-9);
    CHECK_INT(truth_now().tick_us, 10000);
    CHECK_INT(truth_now().kernel_slew_us, 0);
    CHECK_INT(truth_now().kernel_offset_us, 0);
    CHECK_INT(kernel_clock_restore(clock, 12345), 0);
    CHECK_INT(truth_now().freq_q, 500 * Q);
    CHECK_INT(kernel_clock_restore(clock, NAN), EINVAL);
    CHECK_INT(kernel_clock_restore(clock, (double)INFINITY), EINVAL);
    CHECK_INT(truth_now().freq_q, 500 * Q);
}

/* ---- steps ---------------------------------------------------------------------------------- */

static void step_moves_the_clock_by_its_amount_and_is_no_event(struct kernel_clock *clock)
{
    static const double steps[] = {0.5, -2.25, 1e-3, 86400.125, -86399};
    double expected = 0;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        CHECK_INT(perform_step(clock, steps[i], 7 * Q), 0);
        expected += steps[i];
        CHECK_NEAR(truth_now().error_s, expected, NEAR_S * (double)(i + 1));
        CHECK_INT(truth_now().freq_q, 7 * Q);
        check_quiet(clock);
    }
}

static void interrupted_step_is_put_right(struct kernel_clock *clock)
{
    uint64_t steps = truth_now().steps;
    virtual_clock_delay_set(5000000);
    CHECK_INT(perform_step(clock, 0.25, 0), 0);
    CHECK_NEAR(truth_now().error_s, 0.25, NEAR_S);
    CHECK_INT(truth_now().steps, steps + 2);
}

static void refused_step_takes_no_rate_along(struct kernel_clock *clock)
{
    CHECK_INT(perform_rate(clock, 11 * Q), 0);
    virtual_clock_refuse(true);
    CHECK_INT(perform_step(clock, 0.25, 12 * Q), EPERM);
    virtual_clock_refuse(false);
    CHECK_NEAR(truth_now().error_s, 0, NEAR_S);
    CHECK_INT(truth_now().freq_q, 11 * Q);
    CHECK_INT(clock->rate_q, 11 * Q);
    /* Time before 1970 is refused by the call and not by the lack of a right. */
    CHECK_INT(perform_step(clock, -60.0 * 365 * 86400, 12 * Q), EINVAL);
    CHECK_INT(truth_now().freq_q, 11 * Q);
    check_quiet(clock);
}

static void step_by_others_is_noticed_once_with_its_sign(struct kernel_clock *clock)
{
    virtual_clock_step(-0.75);
    check_event(clock, CLOCK_STEPPED, -0.75, NEAR_S);
    check_quiet(clock);
    virtual_clock_step(0.001);
    check_event(clock, CLOCK_STEPPED, 0.001, NEAR_S);
    check_quiet(clock);
}

static void step_by_others_just_before_ours_is_noticed(struct kernel_clock *clock)
{
    virtual_clock_step(3);
    CHECK_INT(perform_step(clock, 0.5, 0), 0);
    check_event(clock, CLOCK_STEPPED, 3, NEAR_S);
    check_quiet(clock);
}

static void suspension_is_no_step(struct kernel_clock *clock)
{
    mono_time before = kernel_clock_read(clock).mono;
    virtual_clock_suspend(5400);
    CHECK(mono_diff_s(kernel_clock_read(clock).mono, before) < 10);
    check_event(clock, CLOCK_RESUMED, 5400, NEAR_S);
    check_quiet(clock);
    virtual_clock_suspend(20);
    virtual_clock_step(-1.5); /* the hardware clock was read badly */
    check_event(clock, CLOCK_RESUMED, 20, NEAR_S);
    check_event(clock, CLOCK_STEPPED, -1.5, NEAR_S);
    check_quiet(clock);
}

/* ---- leap seconds --------------------------------------------------------------------------- */

/* Sets the clock to so long before midnight, and takes the step for known. */
static void approach_midnight(struct kernel_clock *clock, double before_s)
{
    double now = seconds_of(CLOCK_REALTIME);
    CHECK_INT(perform_step(clock, ceil(now / 86400) * 86400 - before_s - now, 0), 0);
}

static void armed_leap_happens_once_and_is_disarmed(struct kernel_clock *clock)
{
    kernel_clock_set_tai(clock, 37);
    approach_midnight(clock, 0.1);
    CHECK_INT(perform_leap(clock, LEAP_INSERT), 0);
    CHECK_INT(truth_now().status, STA_INS);
    CHECK_INT(truth_now().tai_s, 37);
    double error = truth_now().error_s;
    check_quiet(clock);
    pause_s(0.15);
    CHECK_NEAR(truth_now().error_s, error - 1, NEAR_S);
    check_event(clock, CLOCK_LEAPT, -1, 0);
    CHECK_INT(truth_now().status & (STA_INS | STA_DEL), 0);
    check_quiet(clock);
    CHECK_INT(perform_rate(clock, 0), 0);
    CHECK_INT(truth_now().status & (STA_INS | STA_DEL), 0);
    CHECK_INT(truth_now().tai_s, 38); /* the kernel's count is not put back */
    CHECK_INT(perform_rate(clock, 0), 0);
    CHECK_INT(truth_now().tai_s, 38);
}

static void deleted_second_is_a_leap_forward(struct kernel_clock *clock)
{
    kernel_clock_set_tai(clock, 37);
    approach_midnight(clock, 1.1);
    CHECK_INT(perform_leap(clock, LEAP_DELETE), 0);
    CHECK_INT(truth_now().status, STA_DEL);
    double error = truth_now().error_s;
    pause_s(0.15);
    CHECK_NEAR(truth_now().error_s, error + 1, NEAR_S);
    check_event(clock, CLOCK_LEAPT, 1, 0);
    CHECK_INT(truth_now().status & (STA_INS | STA_DEL), 0);
    check_quiet(clock);
    CHECK_INT(perform_rate(clock, 0), 0);
    CHECK_INT(truth_now().status & (STA_INS | STA_DEL), 0);
    CHECK_INT(truth_now().tai_s, 36);
    CHECK_INT(perform_rate(clock, 0), 0); /* what the kernel told meanwhile is what is wanted */
    CHECK_INT(truth_now().tai_s, 36);
}

static void disarmed_leap_does_not_happen(struct kernel_clock *clock)
{
    approach_midnight(clock, 0.1);
    CHECK_INT(perform_leap(clock, LEAP_INSERT), 0);
    CHECK_INT(perform_leap(clock, LEAP_NONE), 0);
    double error = truth_now().error_s;
    pause_s(0.15);
    CHECK_NEAR(truth_now().error_s, error, NEAR_S);
    check_quiet(clock);
}

static void leap_that_others_armed_is_a_leap(struct kernel_clock *clock)
{
    approach_midnight(clock, 0.1);
    CHECK(kernel_clock_open(clock, false));
    struct timex others = {.modes = ADJ_STATUS, .status = STA_INS};
    clock_adjtime(CLOCK_REALTIME, &others);
    pause_s(0.15);
    check_event(clock, CLOCK_LEAPT, -1, 0);
    check_quiet(clock);
    CHECK_INT(truth_now().status, STA_INS); /* whoever armed it disarms it */
}

static void one_second_without_a_leap_is_a_step(struct kernel_clock *clock)
{
    virtual_clock_step(-1);
    check_event(clock, CLOCK_STEPPED, -1, NEAR_S);
}

/* ---- status --------------------------------------------------------------------------------- */

static void kernel_is_told_the_bound_and_the_state(struct kernel_clock *clock)
{
    static const enum system_state states[] = {STATE_UNSYNCHRONISED, STATE_SYNCHRONISED,
                                               STATE_HOLDOVER, STATE_PANIC};
    static const int unsync[] = {STA_UNSYNC, 0, 0, STA_UNSYNC};
    struct clock_command command = {.what = CLOCK_STATUS};
    for (int i = 0; i < 4; i++) {
        struct system_status status = {
            .state = states[i], .root_distance_s = 0.0123451, .jitter_s = 42e-6 - 1e-12};
        CHECK_INT(kernel_clock_perform(clock, &command, &status), 0);
        CHECK_INT(truth_now().status, unsync[i]);
        CHECK_NEAR((double)truth_now().maxerror_us, 12346, 1); /* rounded up, and growing */
        CHECK_INT(truth_now().esterror_us, 42);
    }
    struct system_status lost = {.state = STATE_UNSYNCHRONISED, .root_distance_s = 1e9};
    CHECK_INT(kernel_clock_perform(clock, &command, &lost), 0);
    CHECK_INT(truth_now().maxerror_us, 16000000);
}

static void status_command_leaves_the_rate_alone(struct kernel_clock *clock)
{
    struct clock_command command = {.what = CLOCK_STATUS, .rate_q = 99 * Q, .step_s = 7};
    CHECK_INT(perform_rate(clock, 600 * Q), 0);
    CHECK_INT(kernel_clock_perform(clock, &command, &good), 0);
    CHECK_NEAR(truth_now().steering_ppm, 600, 1e-9);
    CHECK_NEAR(truth_now().error_s, 0, 1e-3);
    check_quiet(clock);
}

static void what_the_kernel_has_is_told_in_units_of_ntpq(struct kernel_clock *clock)
{
    struct clock_command command = {.what = CLOCK_RATE | CLOCK_LEAP, .leap = LEAP_INSERT};
    struct system_status status = {
        .state = STATE_UNSYNCHRONISED, .root_distance_s = 0.012345, .jitter_s = 42e-6 - 1e-12};
    struct control_kernel told;
    command.rate_q = 700 * Q; /* with a tick, which is no part of the frequency */
    CHECK_INT(kernel_clock_perform(clock, &command, &status), 0);
    virtual_clock_kernel_offset(-8765);
    CHECK(kernel_clock_tell(clock, &told));
    CHECK_NEAR(told.offset_ms, -8.765, 1e-12);
    CHECK_NEAR(told.frequency_ppm, (double)truth_now().freq_q / (double)Q, 1e-12);
    CHECK(fabs(told.frequency_ppm) <= 500);
    CHECK_NEAR(told.maximum_error_ms, 12.345, 0.01);
    CHECK_NEAR(told.estimated_error_ms, 0.042, 1e-12);
    CHECK_NEAR(told.precision_ms, 0.001, 1e-12);
    CHECK_NEAR(told.tolerance_ppm, 500, 1e-12);
    CHECK_INT(told.time_constant, 2);
    CHECK_STR(told.flags, "ins unsync");
    command.what = CLOCK_LEAP;
    command.leap = LEAP_NONE;
    CHECK_INT(kernel_clock_perform(clock, &command, &good), 0);
    CHECK(kernel_clock_tell(clock, &told));
    CHECK_STR(told.flags, "");
    clock->may_look = false;
    CHECK(!kernel_clock_tell(clock, &told));
}

#define ON_VIRTUAL_CLOCK(test)                                                                     \
    static void test##_(void)                                                                      \
    {                                                                                              \
        on_virtual_clock(test);                                                                    \
    }

ON_VIRTUAL_CLOCK(instant_shows_the_clock_and_a_free_running_count)
ON_VIRTUAL_CLOCK(count_does_not_go_back_when_readings_do)
ON_VIRTUAL_CLOCK(precision_is_about_the_time_of_a_reading)
ON_VIRTUAL_CLOCK(opening_reads_what_is_in_force_and_changes_nothing)
ON_VIRTUAL_CLOCK(without_the_right_it_reads_and_says_so)
ON_VIRTUAL_CLOCK(who_does_not_want_to_steer_does_not_ask_for_the_right)
ON_VIRTUAL_CLOCK(resting_clock_is_not_touched_and_then_takes_commands_again)
ON_VIRTUAL_CLOCK(rate_within_the_frequency_leaves_the_tick_alone)
ON_VIRTUAL_CLOCK(rate_beyond_the_frequency_is_exact_with_the_tick)
ON_VIRTUAL_CLOCK(tick_does_not_flip_at_the_limit)
ON_VIRTUAL_CLOCK(rate_that_others_set_is_noticed_once_and_overruled)
ON_VIRTUAL_CLOCK(first_command_ends_what_the_kernel_slews)
ON_VIRTUAL_CLOCK(restored_rate_is_the_drift_alone)
ON_VIRTUAL_CLOCK(step_moves_the_clock_by_its_amount_and_is_no_event)
ON_VIRTUAL_CLOCK(interrupted_step_is_put_right)
ON_VIRTUAL_CLOCK(refused_step_takes_no_rate_along)
ON_VIRTUAL_CLOCK(step_by_others_is_noticed_once_with_its_sign)
ON_VIRTUAL_CLOCK(step_by_others_just_before_ours_is_noticed)
ON_VIRTUAL_CLOCK(suspension_is_no_step)
ON_VIRTUAL_CLOCK(armed_leap_happens_once_and_is_disarmed)
ON_VIRTUAL_CLOCK(deleted_second_is_a_leap_forward)
ON_VIRTUAL_CLOCK(disarmed_leap_does_not_happen)
ON_VIRTUAL_CLOCK(leap_that_others_armed_is_a_leap)
ON_VIRTUAL_CLOCK(one_second_without_a_leap_is_a_step)
ON_VIRTUAL_CLOCK(kernel_is_told_the_bound_and_the_state)
ON_VIRTUAL_CLOCK(status_command_leaves_the_rate_alone)
ON_VIRTUAL_CLOCK(what_the_kernel_has_is_told_in_units_of_ntpq)

#define TEST(test)                                                                                 \
    {                                                                                              \
#test, test##_                                                                             \
    }

const struct test_case kernel_clock_tests[] = {
    {"stamp_is_kept_to_the_tick_and_across_the_era", stamp_is_kept_to_the_tick_and_across_the_era},
    TEST(instant_shows_the_clock_and_a_free_running_count),
    TEST(count_does_not_go_back_when_readings_do),
    TEST(precision_is_about_the_time_of_a_reading),
    TEST(opening_reads_what_is_in_force_and_changes_nothing),
    TEST(without_the_right_it_reads_and_says_so),
    TEST(who_does_not_want_to_steer_does_not_ask_for_the_right),
    TEST(resting_clock_is_not_touched_and_then_takes_commands_again),
    TEST(rate_within_the_frequency_leaves_the_tick_alone),
    TEST(rate_beyond_the_frequency_is_exact_with_the_tick),
    TEST(tick_does_not_flip_at_the_limit),
    TEST(rate_that_others_set_is_noticed_once_and_overruled),
    TEST(first_command_ends_what_the_kernel_slews),
    TEST(restored_rate_is_the_drift_alone),
    TEST(step_moves_the_clock_by_its_amount_and_is_no_event),
    TEST(interrupted_step_is_put_right),
    TEST(refused_step_takes_no_rate_along),
    TEST(step_by_others_is_noticed_once_with_its_sign),
    TEST(step_by_others_just_before_ours_is_noticed),
    TEST(suspension_is_no_step),
    TEST(armed_leap_happens_once_and_is_disarmed),
    TEST(deleted_second_is_a_leap_forward),
    TEST(disarmed_leap_does_not_happen),
    TEST(leap_that_others_armed_is_a_leap),
    TEST(one_second_without_a_leap_is_a_step),
    TEST(kernel_is_told_the_bound_and_the_state),
    TEST(status_command_leaves_the_rate_alone),
    TEST(what_the_kernel_has_is_told_in_units_of_ntpq),
    {NULL, NULL},
};
