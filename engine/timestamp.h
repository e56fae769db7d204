/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Points in time and the arithmetic between them.
 *
 * A point in time is an integer count of ticks of 2^-32 s inside a wrapper struct, so that the
 * timescales do not mix by accident; an interval in arithmetic is a double of seconds. Nothing here
 * ever holds an absolute time in a double, and nothing here reads a clock.
 *
 *   ntp_time   what a clock shows, as on the wire: seconds since 1900 (or the start of a later era)
 *              in the upper 32 bits. Wraps every 136 years, so only differences are ordered.
 *   mono_time  a free-running count since an arbitrary start; never stepped, never wraps.
 */
#ifndef HOLDFAST_TIMESTAMP_H
#define HOLDFAST_TIMESTAMP_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define TICKS_PER_S 4294967296.0 /* 2^32 */

typedef struct {
    uint64_t ticks;
} ntp_time;

typedef struct {
    int64_t ticks;
} mono_time;

#define MONO_NEVER ((mono_time){INT64_MAX})
#define NTP_TIME_ZERO ((ntp_time){0})

/* One reading of both clocks, taken once by the host at the start of an event. */
struct instant {
    ntp_time clock;
    mono_time mono;
};

/* 2^exponent exactly, -1022 ... 1023; what ldexp(1.0, exponent) gives, without the call. */
static inline double power_of_two(int exponent)
{
    uint64_t bits = (uint64_t)(1023 + exponent) << 52;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* What ticks_from_s() does with much: beyond six days, or not a number. Seldom, and so out of the
 * way of all who call it. */
static __attribute__((noinline, cold)) int64_t ticks_from_much(double ticks)
{
    ticks = rint(ticks);
    if (!(ticks > -9.2e18)) {
        return -INT64_C(9200000000000000000);
    }
    if (ticks > 9.2e18) {
        return INT64_C(9200000000000000000);
    }
    return (int64_t)ticks;
}

/* Seconds to ticks, rounded to the nearest tick and clamped to +-68 years. */
static inline int64_t ticks_from_s(double seconds)
{
    /* 1.5 * 2^52: added to a number below 2^51 it leaves no room for a fraction, so that the sum is
     * rounded as rint() would, without the call. */
    const double shift = 6755399441055744.0;
    const double limit = 2251799813685248.0;
    double ticks = seconds * TICKS_PER_S;
    if (fabs(ticks) < limit) {
        return (int64_t)((ticks + shift) - shift);
    }
    return ticks_from_much(ticks);
}

static inline double s_from_ticks(int64_t ticks)
{
    return (double)ticks / TICKS_PER_S;
}

/* a - b in ticks; right across an era boundary while the two are within 68 years. */
static inline int64_t ntp_ticks_between(ntp_time a, ntp_time b)
{
    return (int64_t)(a.ticks - b.ticks);
}

/* a - b in seconds: positive when a is later. */
static inline double ntp_diff_s(ntp_time a, ntp_time b)
{
    return s_from_ticks(ntp_ticks_between(a, b));
}

static inline ntp_time ntp_add_ticks(ntp_time a, int64_t ticks)
{
    return (ntp_time){a.ticks + (uint64_t)ticks};
}

static inline ntp_time ntp_add_s(ntp_time a, double seconds)
{
    return ntp_add_ticks(a, ticks_from_s(seconds));
}

static inline bool ntp_is_zero(ntp_time a)
{
    return a.ticks == 0;
}

static inline bool ntp_equal(ntp_time a, ntp_time b)
{
    return a.ticks == b.ticks;
}

/* Strictly later, modulo the era. */
static inline bool ntp_after(ntp_time a, ntp_time b)
{
    return ntp_ticks_between(a, b) > 0;
}

static inline double mono_diff_s(mono_time a, mono_time b)
{
    return s_from_ticks(a.ticks - b.ticks);
}

/* a + seconds; MONO_NEVER stays MONO_NEVER, and what would be beyond it is MONO_NEVER. */
static inline mono_time mono_add_s(mono_time a, double seconds)
{
    int64_t ticks = ticks_from_s(seconds);
    int64_t sum;
    if (a.ticks == INT64_MAX) {
        return MONO_NEVER;
    }
    if (__builtin_add_overflow(a.ticks, ticks, &sum)) {
        return ticks > 0 ? MONO_NEVER : (mono_time){INT64_MIN};
    }
    return (mono_time){sum};
}

static inline bool mono_before(mono_time a, mono_time b)
{
    return a.ticks < b.ticks;
}

static inline mono_time mono_earlier(mono_time a, mono_time b)
{
    return a.ticks < b.ticks ? a : b;
}

/* NTP short format (16.16 unsigned seconds): root delay and root dispersion on the wire. */
static inline double s_from_ntp_short(uint32_t value)
{
    return (double)value / 65536.0;
}

/* Rounded up, so that an advertised bound is never smaller than the computed one; clamped. */
static inline uint32_t ntp_short_from_s(double seconds)
{
    if (!(seconds > 0.0)) {
        return 0;
    }
    double value = seconds * 65536.0;
    if (value > 4294967294.0) {
        return UINT32_MAX;
    }
    uint32_t whole = (uint32_t)value;
    return whole < value ? whole + 1 : whole;
}

/* Offset of the NTP era 0 epoch (1900) from the Unix epoch, in seconds. */
#define NTP_UNIX_OFFSET_S INT64_C(2208988800)

/* The time before which no clock is believed, Unix seconds (2026-01-01): the era of a wire
 * timestamp is chosen so that it falls in the 136 years from here. Fixed with the release and not
 * by the local clock, which is the thing in doubt. */
#define TIMESTAMP_PIVOT_UNIX_S INT64_C(1767225600)

/* Whole Unix seconds of an NTP timestamp, in the era that starts at the pivot. */
static inline int64_t unix_s_from_ntp(ntp_time t)
{
    uint32_t pivot = (uint32_t)(uint64_t)(TIMESTAMP_PIVOT_UNIX_S + NTP_UNIX_OFFSET_S);
    uint32_t after_pivot = (uint32_t)(t.ticks >> 32) - pivot;
    return TIMESTAMP_PIVOT_UNIX_S + (int64_t)after_pivot;
}

/* The NTP timestamp of a Unix time in whole seconds. */
static inline ntp_time ntp_from_unix_s(int64_t unix_s)
{
    return (ntp_time){(uint64_t)(unix_s + NTP_UNIX_OFFSET_S) << 32};
}

#endif
