/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The overlapping Allan deviation against the numbers of NIST SP 1065, section 12.
 */
#include "../sim/allan.h"

#include <math.h>
#include <stdint.h>

#include "check.h"

enum { NBS_COUNT = 1000 };

/* The 1000-point set: frequencies from a Lehmer generator, summed to time errors. */
static void fill_nbs(double x_s[NBS_COUNT + 1])
{
    uint64_t n = 1234567890;
    x_s[0] = 0.0;
    for (unsigned i = 0; i < NBS_COUNT; i++) {
        x_s[i + 1] = x_s[i] + (double)n / 2147483647.0;
        n = 16807 * n % 2147483647;
    }
}

static void check_1_and_2_the_1000_point_set_gives_the_published_oadev(void)
{
    double x_s[NBS_COUNT + 1];
    fill_nbs(x_s);
    CHECK_NEAR((x_s[NBS_COUNT] - x_s[0]) / NBS_COUNT, 4.8977446e-1, 5e-9);
    CHECK_NEAR(allan_deviation(x_s, NBS_COUNT + 1, 1, 1.0), 2.922319e-1, 1e-7);
    CHECK_NEAR(allan_deviation(x_s, NBS_COUNT + 1, 10, 1.0), 9.159953e-2, 1e-8);
    CHECK_NEAR(allan_deviation(x_s, NBS_COUNT + 1, 100, 1.0), 3.241343e-2, 1e-8);
}

static void check_3_the_9_frequency_set_gives_the_published_oadev(void)
{
    static const double y[9] = {892, 809, 823, 798, 671, 644, 883, 903, 677};
    double x_s[10] = {0.0};
    for (unsigned i = 0; i < 9; i++) {
        x_s[i + 1] = x_s[i] + y[i];
    }
    CHECK_NEAR(allan_deviation(x_s, 10, 1, 1.0), 91.22945, 1e-5);
    CHECK_NEAR(allan_deviation(x_s, 10, 2, 1.0), 85.95287, 1e-5);
}

static void a_drift_gives_tau_over_root_two(void)
{
    double x_s[101];
    for (unsigned i = 0; i <= 100; i++) {
        double t_s = 16.0 * i;
        x_s[i] = 0.5 * 1e-9 * t_s * t_s;
    }
    CHECK_NEAR(allan_deviation(x_s, 101, 5, 16.0), 1e-9 * 80.0 / sqrt(2.0), 1e-15);
}

static void too_few_points_give_no_number(void)
{
    double x_s[3] = {0.0, 1.0, 0.0};
    CHECK(isnan(allan_variance(x_s, 3, 0, 1.0)));
    CHECK(isnan(allan_variance(x_s, 2, 1, 1.0)));
    CHECK(isnan(allan_variance(x_s, 0, 1, 1.0)));
    CHECK_NEAR(allan_variance(x_s, 3, 1, 1.0), 2.0, 1e-15);
}

const struct test_case allan_tests[] = {
    {"check 1, 2: the 1000-point set gives the published OADEV",
     check_1_and_2_the_1000_point_set_gives_the_published_oadev},
    {"check 3: the 9-frequency set gives the published OADEV",
     check_3_the_9_frequency_set_gives_the_published_oadev},
    {"a drift gives tau over root two", a_drift_gives_tau_over_root_two},
    {"too few points give no number", too_few_points_give_no_number},
    {NULL, NULL}};
