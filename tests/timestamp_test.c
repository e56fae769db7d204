/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Points in time: the era boundary of 2036, rounding that keeps a bound a bound, clamps. Dates were
 * worked out with `date -u -d`.
 */
#include "../engine/timestamp.h"

#include "check.h"

#define ERA_1_UNIX_S INT64_C(2085978496) /* 2036-02-07 06:28:16 UTC */

static void era_one_begins_on_2036_02_07_at_06_28_16(void)
{
    CHECK(ntp_from_unix_s(ERA_1_UNIX_S).ticks == 0);
    CHECK(ntp_from_unix_s(ERA_1_UNIX_S - 1).ticks == UINT64_C(0xFFFFFFFF00000000));
    CHECK(ntp_from_unix_s(ERA_1_UNIX_S + 1).ticks == UINT64_C(0x0000000100000000));
    CHECK_INT(unix_s_from_ntp((ntp_time){0}), ERA_1_UNIX_S);
    CHECK_INT(unix_s_from_ntp((ntp_time){UINT64_C(0xFFFFFFFFFFFFFFFF)}), ERA_1_UNIX_S - 1);
}

static void differences_are_right_across_the_era_boundary(void)
{
    ntp_time before = {UINT64_C(0xFFFFFFFF80000000)};
    ntp_time after = {UINT64_C(0x0000000040000000)};
    CHECK_NEAR(ntp_diff_s(after, before), 0.75, 0.0);
    CHECK_NEAR(ntp_diff_s(before, after), -0.75, 0.0);
    CHECK(ntp_after(after, before));
    CHECK(!ntp_after(before, after));
    CHECK(!ntp_after(after, after));
    CHECK(ntp_equal(ntp_add_s(before, 0.75), after));
    CHECK(ntp_equal(ntp_add_s(after, -0.75), before));
    CHECK(ntp_is_zero(ntp_add_s(before, 0.5)));
}

static void differences_reach_to_68_years(void)
{
    ntp_time now = ntp_from_unix_s(1800000000);
    int64_t seconds = INT64_C(2147483647);
    CHECK_INT(ntp_ticks_between(ntp_from_unix_s(1800000000 + seconds), now), seconds << 32);
    CHECK_INT(ntp_ticks_between(now, ntp_from_unix_s(1800000000 + seconds)), -(seconds << 32));
}

static void era_is_chosen_from_the_pivot_on(void)
{
    ntp_time pivot = ntp_from_unix_s(TIMESTAMP_PIVOT_UNIX_S);
    CHECK_INT(TIMESTAMP_PIVOT_UNIX_S, 1767225600); /* 2026-01-01 00:00:00 UTC */
    CHECK_INT(unix_s_from_ntp(pivot), TIMESTAMP_PIVOT_UNIX_S);
    CHECK_INT(unix_s_from_ntp(ntp_add_ticks(pivot, -1)),
              TIMESTAMP_PIVOT_UNIX_S + INT64_C(4294967295));
}

static void unix_seconds_survive_the_round_trip_until_2104(void)
{
    unsigned wrong = 0;
    /* Every 86399 s from the pivot to 2104-12-31 23:59:59, so that all times of day are met. */
    for (int64_t t = TIMESTAMP_PIVOT_UNIX_S; t <= INT64_C(4260211199); t += 86399) {
        ntp_time with_fraction = ntp_add_ticks(ntp_from_unix_s(t), INT64_C(0xFFFFFFFF));
        wrong += unix_s_from_ntp(ntp_from_unix_s(t)) != t;
        wrong += unix_s_from_ntp(with_fraction) != t;
    }
    CHECK_INT(wrong, 0);
    CHECK_INT(unix_s_from_ntp(ntp_from_unix_s(INT64_C(4260211199))), INT64_C(4260211199));
}

static void seconds_become_the_nearest_tick(void)
{
    CHECK_INT(ticks_from_s(1.0), INT64_C(4294967296));
    CHECK_INT(ticks_from_s(-2.5), -INT64_C(10737418240));
    CHECK_INT(ticks_from_s(0.6 / TICKS_PER_S), 1);
    CHECK_INT(ticks_from_s(0.4 / TICKS_PER_S), 0);
    CHECK_INT(ticks_from_s(-0.6 / TICKS_PER_S), -1);
    CHECK_NEAR(s_from_ticks(-(INT64_C(1) << 31)), -0.5, 0.0);
}

static void seconds_beyond_68_years_are_clamped(void)
{
    const int64_t most = INT64_C(9200000000000000000);
    CHECK_INT(ticks_from_s(1e30), most);
    CHECK_INT(ticks_from_s(-1e30), -most);
    CHECK_INT(ticks_from_s((double)INFINITY), most);
    CHECK_INT(ticks_from_s(-(double)INFINITY), -most);
    CHECK_INT(ticks_from_s((double)NAN), -most);
    CHECK_INT(ticks_from_s(2.0e9), INT64_C(2000000000) << 32);
}

static void short_format_never_rounds_a_bound_down(void)
{
    unsigned smaller = 0;
    unsigned far = 0;
    CHECK_INT(ntp_short_from_s(1.0), 65536);
    CHECK_INT(ntp_short_from_s(1.0 / 65536.0), 1);
    CHECK_INT(ntp_short_from_s(1e-12), 1);
    CHECK_INT(ntp_short_from_s(1.0 + 1e-9), 65537);
    for (unsigned i = 1; i < 100000; i++) {
        double seconds = i * 0.000123456789;
        double told = s_from_ntp_short(ntp_short_from_s(seconds));
        smaller += told < seconds;
        far += told - seconds >= 1.0 / 65536.0;
    }
    CHECK_INT(smaller, 0);
    CHECK_INT(far, 0);
}

static void short_format_is_clamped_at_both_ends(void)
{
    CHECK_INT(ntp_short_from_s(0.0), 0);
    CHECK_INT(ntp_short_from_s(-3.0), 0);
    CHECK_INT(ntp_short_from_s((double)NAN), 0);
    CHECK_INT(ntp_short_from_s(65535.99999), UINT32_MAX);
    CHECK_INT(ntp_short_from_s(65536.0), UINT32_MAX);
    CHECK_INT(ntp_short_from_s(1e300), UINT32_MAX);
    CHECK_INT(ntp_short_from_s(65535.0), UINT32_C(65535) << 16);
}

/* As rint() has it, halves to the even tick, on both sides of where the short cut ends. */
static void every_tick_is_rounded_as_rint_does(void)
{
    unsigned differences = 0;
    for (int exponent = -3; exponent < 62; exponent++) {
        for (int eighths = -40; eighths <= 40; eighths++) {
            double ticks = power_of_two(exponent) + eighths / 8.0;
            differences += ticks_from_s(ticks / TICKS_PER_S) != (int64_t)rint(ticks);
            differences += ticks_from_s(-ticks / TICKS_PER_S) != (int64_t)rint(-ticks);
        }
    }
    CHECK_INT(differences, 0);
}

static void mono_never_stays_never_and_is_last(void)
{
    mono_time now = {INT64_C(1) << 40};
    CHECK_INT(mono_add_s(MONO_NEVER, -5.0).ticks, INT64_MAX);
    CHECK(mono_before(now, MONO_NEVER));
    CHECK_INT(mono_earlier(MONO_NEVER, now).ticks, now.ticks);
    CHECK_INT(mono_earlier(now, mono_add_s(now, -1.0)).ticks, now.ticks - (INT64_C(1) << 32));
    CHECK_NEAR(mono_diff_s(mono_add_s(now, 12.25), now), 12.25, 0.0);
    CHECK(!mono_before(now, now));
}

const struct test_case timestamp_tests[] = {
    {"era_one_begins_on_2036_02_07_at_06_28_16", era_one_begins_on_2036_02_07_at_06_28_16},
    {"differences_are_right_across_the_era_boundary",
     differences_are_right_across_the_era_boundary},
    {"differences_reach_to_68_years", differences_reach_to_68_years},
    {"era_is_chosen_from_the_pivot_on", era_is_chosen_from_the_pivot_on},
    {"unix_seconds_survive_the_round_trip_until_2104",
     unix_seconds_survive_the_round_trip_until_2104},
    {"seconds_become_the_nearest_tick", seconds_become_the_nearest_tick},
    {"seconds_beyond_68_years_are_clamped", seconds_beyond_68_years_are_clamped},
    {"short_format_never_rounds_a_bound_down", short_format_never_rounds_a_bound_down},
    {"short_format_is_clamped_at_both_ends", short_format_is_clamped_at_both_ends},
    {"every_tick_is_rounded_as_rint_does", every_tick_is_rounded_as_rint_does},
    {"mono_never_stays_never_and_is_last", mono_never_stays_never_and_is_last},
    {NULL, NULL}};
