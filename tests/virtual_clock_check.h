/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clock that tests may steer.
 *
 * The unit program is linked with live/virtual_clock.c, which takes the place of the calls that
 * steer. Each test first gives up the right to steer, then sees by value that the calls do not
 * reach the real clock, and only then runs: the machine's clock is safe twice.
 */
#ifndef HOLDFAST_VIRTUAL_CLOCK_CHECK_H
#define HOLDFAST_VIRTUAL_CLOCK_CHECK_H

#include <math.h>
#include <sys/capability.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "live/virtual_clock.h"

static inline struct virtual_clock_truth truth_now(void)
{
    struct virtual_clock_truth truth;
    virtual_clock_look(&truth);
    return truth;
}

static inline double seconds_of(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline double real_seconds(void)
{
    struct timespec t;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline void set_right_to_steer(cap_flag_value_t value)
{
    cap_value_t steer = CAP_SYS_TIME;
    cap_t capabilities = cap_get_proc();
    cap_set_flag(capabilities, CAP_EFFECTIVE, 1, &steer, value);
    cap_set_proc(capabilities); /* who never had it cannot have it back */
    cap_free(capabilities);
}

/* Every kind of call that could steer goes to the virtual clock: seen by what it then shows. */
static inline bool is_virtual(void)
{
    struct timex state = {0};
    virtual_clock_step(5000);
    virtual_clock_kernel_offset(777);
    bool reads = fabs(seconds_of(CLOCK_REALTIME) - real_seconds() - 5000) < 1;
    bool tells = clock_adjtime(CLOCK_REALTIME, &state) >= 0 && state.offset == 777;
    if (!reads || !tells) {
        return false;
    }
    struct timespec to = {.tv_sec = (time_t)real_seconds() + 9000};
    bool sets = clock_settime(CLOCK_REALTIME, &to) == 0 && truth_now().error_s > 8990;
    struct timex tick = {.modes = ADJ_TICK, .tick = 10001};
    return sets && clock_adjtime(CLOCK_REALTIME, &tick) >= 0 && truth_now().tick_us == 10001;
}

static inline void virtual_clock_restart(void)
{
    struct timex plain = {.modes = ADJ_STATUS | ADJ_FREQUENCY | ADJ_TICK | ADJ_TAI,
                          .status = STA_UNSYNC,
                          .tick = 10000};
    struct timex no_slew = {.modes = ADJ_OFFSET_SINGLESHOT};
    virtual_clock_refuse(false);
    virtual_clock_oscillator(0);
    virtual_clock_kernel_offset(0);
    clock_adjtime(CLOCK_REALTIME, &plain);
    clock_adjtime(CLOCK_REALTIME, &no_slew);
    virtual_clock_step(-truth_now().error_s);
}

/* Runs a test on a virtual clock in its first state. */
static inline void run_on_virtual_clock(void (*test)(void *context), void *context)
{
    set_right_to_steer(CAP_CLEAR);
    if (is_virtual()) {
        virtual_clock_restart();
        test(context);
        virtual_clock_restart();
    } else {
        check_report(false, "the calls that steer do not go to the virtual clock", __FILE__,
                     __LINE__);
    }
    set_right_to_steer(CAP_SET);
}

#endif
