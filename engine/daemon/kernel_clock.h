/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * This machine's clock: reading an instant, performing a clock command, noticing what others did.
 *
 * Only clock_gettime, clock_settime and clock_adjtime are used, so the whole daemon can live on a
 * clock that somebody slips in between. A rate outlives the process that set it: see
 * kernel_clock_restore(). Decides nothing about time, and leaves the kernel's own loop (STA_PLL,
 * adjtime) switched off: there is one discipline, and it is the engine's.
 */
#ifndef HOLDFAST_DAEMON_KERNEL_CLOCK_H
#define HOLDFAST_DAEMON_KERNEL_CLOCK_H

#include <time.h>

#include "../control.h"
#include "../engine.h"

struct kernel_clock {
    bool may_steer;          /* false: every command is answered with EPERM */
    bool may_look;           /* false: the kernel does not even tell its rate */
    bool is_ours;            /* the kernel's own loop was ended, once, before our first command */
    int64_t rate_q;          /* in force as we set or last saw it, 2^-16 ppm */
    int64_t tick_us;         /* the part of it that the tick carries, as set or last seen */
    int64_t tick_nominal_us; /* 10,000 at 100 Hz */
    int8_t precision;        /* log2 s, measured at opening */
    mono_time last;          /* the latest mono given out: it never goes back */
    /* What kernel_clock_look() compares with, nanoseconds. Both clocks run at one rate, so only a
     * step moves the first and only a suspension the second. */
    int64_t realtime_less_boottime_ns, boottime_less_monotonic_ns;
    uint8_t armed_leap;
    int32_t tai_s;        /* TAI - UTC as the kernel has it, 0 = unknown */
    int32_t tai_wanted_s; /* see kernel_clock_set_tai() */
};

/* Measures the precision and reads what is in force; changes nothing. may_steer asks for the
 * right, which the kernel checks on a command that changes nothing (the tick that is in force):
 * the field is cleared, with errno set and false returned, when it is refused (EPERM) or there is
 * no such call; reading works all the same. */
bool kernel_clock_open(struct kernel_clock *clock, bool may_steer);

/* The narrowest RAW - REALTIME - RAW of three. */
struct instant kernel_clock_read(struct kernel_clock *clock);

/* What the kernel has of its clock and loop, for who asks; false when it does not tell. */
bool kernel_clock_tell(const struct kernel_clock *clock, struct control_kernel *out);

/* A timestamp of the kernel's (CLOCK_REALTIME), as packets carry it; rounded down. */
ntp_time kernel_clock_stamp(const struct timespec *stamp);

/* For engine_config.clock. */
struct clock_ability kernel_clock_ability(const struct kernel_clock *clock);

/* Performs a command: step by clock_settime, then rate by frequency and, beyond 500 ppm, tick;
 * arms the leap second. Whatever the command, maximum error (the claimed bound), estimated error
 * (the jitter), STA_UNSYNC (state neither synchronised nor holdover) and TAI are refreshed from
 * the status. 0, or the first errno of what the kernel refused; the rest of the command is still
 * performed, but for a rate after a refused step. */
int kernel_clock_perform(struct kernel_clock *clock, const struct clock_command *command,
                         const struct system_status *status);

/* TAI - UTC (a leap second file's); the kernel is told with the next command. 0 = leave it. */
void kernel_clock_set_tai(struct kernel_clock *clock, int32_t tai_s);

/* Sets frequency to drift_ppm (what the free-running clock needs added, clamped to +-500), tick to
 * its nominal value, and ends any slew of the kernel's own. 0 or an errno; EINVAL: not a number. */
int kernel_clock_restore(struct kernel_clock *clock, double drift_ppm);

/* While it rests every command is answered with EPERM, and nothing is done to the kernel's clock by
 * itself. Whoever rests must have left a rate that can stay; for a clock that may be steered. */
void kernel_clock_rest(struct kernel_clock *clock, bool rests);

/* A leap second that is due, or no more, while nothing may be commanded: kernel_clock_look() knows
 * it by that when somebody else arms it, and the first command afterwards arms it. */
void kernel_clock_expect_leap(struct kernel_clock *clock, uint8_t leap);

/* What happened to the clock since the last look and was not us: at most one event per call, call
 * until it returns false. amount_s as in enum clock_event. A step of less than 10 microseconds is
 * taken for noise of the reading until it has grown beyond. */
bool kernel_clock_look(struct kernel_clock *clock, enum clock_event *event, double *amount_s);

#endif
