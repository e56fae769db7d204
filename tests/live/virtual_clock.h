/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A clock in user space, for programs that steer clocks: it drifts, is off, can be set and
 * adjusted as the kernel's can, and the machine's own clock is never touched.
 *
 * Linked into a program, or loaded before it (LD_PRELOAD), it stands in for clock_gettime,
 * gettimeofday, time, timespec_get, clock_settime, settimeofday, clock_adjtime, adjtimex,
 * ntp_adjtime and adjtime, and moves the timestamps that recvmsg and recvmmsg bring (the kernel
 * made them by the real clock) to this one. It does not change how long a wait takes, and absolute
 * deadlines of timed waits are the real clocks'.
 *
 * The oscillator is the real CLOCK_MONOTONIC made faster, so its error is against the machine's
 * time and not against the machine's crystal. All clocks start equal to the real ones, but for the
 * offset of CLOCK_REALTIME. Environment, read at the first use:
 *   VIRTUAL_CLOCK_PPM        whole number: the oscillator is so much fast (0)
 *   VIRTUAL_CLOCK_OFFSET_MS  whole number: CLOCK_REALTIME is ahead of the real one (0)
 *   VIRTUAL_CLOCK_STATE      a file that keeps the clock, shared by all processes that name it: the
 *                            clock goes on when they end. What it holds comes before the other two.
 *
 * What would have to go to the real clock, or cannot be imitated, ends the process with a line.
 */
#ifndef HOLDFAST_VIRTUAL_CLOCK_H
#define HOLDFAST_VIRTUAL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* What is so, whatever any program believes. */
struct virtual_clock_truth {
    double error_s;        /* CLOCK_REALTIME less the real one: positive = ahead */
    double oscillator_ppm; /* fast */
    double steering_ppm;   /* frequency and tick as set */
    int64_t freq_q;        /* the frequency of it, 2^-16 ppm */
    int64_t tick_us;       /* 10,000 is nominal */
    int status;            /* STA_ bits */
    int64_t maxerror_us, esterror_us;
    int32_t tai_s;
    int64_t kernel_slew_us;   /* what adjtime() left to do: kept, never done */
    int64_t kernel_offset_us; /* what the kernel's loop has left to do: kept, never done */
    uint64_t steps, commands; /* times it was set; adjustments with any mode */
};

void virtual_clock_look(struct virtual_clock_truth *truth);

/* ---- what the world does to a clock -------------------------------------------------------- */

void virtual_clock_oscillator(double ppm);
void virtual_clock_step(double step_s);       /* by somebody else; not counted as a step */
void virtual_clock_suspend(double seconds);   /* the machine slept */
void virtual_clock_refuse(bool refuses);      /* from now on every change is answered with EPERM */
void virtual_clock_kernel_offset(int64_t us); /* left over from the kernel's loop */

/* The next clock_settime() is interrupted for so long before it takes effect. */
void virtual_clock_delay_set(int64_t ns);

#endif
