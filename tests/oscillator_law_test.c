/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The noise laws of the clock against closed forms: checks 5 to 17 of models-and-validation,
 * section 4. Seeds are fixed; tolerances of the statistical checks are at least three sigma of the
 * sample named there.
 */
#include <stdlib.h>

#include "../sim/allan.h"
#include "../sim/oscillator.h"
#include "../sim/rng.h"
#include "check.h"

static const double DAY_S = 86400.0;

static void start_clock(struct oscillator *o, const struct oscillator_law *law, uint32_t node,
                        double cell_s)
{
    oscillator_init(o, law, 2026, node, cell_s, NTP_TIME_ZERO, 0.0, (sim_time){0});
}

/* n errors, every tau0_s seconds from 0 on. */
static double *sample_errors(const struct oscillator_law *law, uint32_t node, double cell_s,
                             double tau0_s, size_t n)
{
    struct oscillator *o = malloc(oscillator_size());
    double *x_s = malloc(n * sizeof *x_s);
    start_clock(o, law, node, cell_s);
    for (size_t i = 0; i < n; i++) {
        x_s[i] = oscillator_free_error_s(o, sim_from_s((double)i * tau0_s));
    }
    free(o);
    return x_s;
}

/* On the usual lattice, so that below 64 s it is the bridge that is measured. */
static void check_5_white_fm_has_oadev_s1_over_root_tau(void)
{
    enum { N = 1000000 };
    struct oscillator_law law = {.white_fm = 1e-9};
    double *x_s = sample_errors(&law, 5, OSCILLATOR_CELL_S, 1.0, N);
    for (size_t m = 1; m <= 100; m *= 10) {
        double ratio = allan_deviation(x_s, N, m, 1.0) * sqrt((double)m) / 1e-9;
        CHECK_NEAR(ratio, 1.0, 0.03);
    }
    free(x_s);
}

/* Root mean square, over many cells, of the bend of x at a place in a cell: its second difference
 * over a second. */
static double rms_bend_s(const struct oscillator_law *law, double place_s)
{
    enum { CELLS = 20000 };
    struct oscillator *o = malloc(oscillator_size());
    double squares = 0.0;
    start_clock(o, law, 11, OSCILLATOR_CELL_S);
    for (unsigned i = 0; i < CELLS; i++) {
        double x_s[3], begin_s = OSCILLATOR_CELL_S * i + place_s - 1.0;
        for (unsigned j = 0; j < 3; j++) {
            x_s[j] = oscillator_free_error_s(o, sim_from_s(begin_s + j));
        }
        double bend_s = x_s[0] - 2.0 * x_s[1] + x_s[2];
        squares += bend_s * bend_s;
    }
    free(o);
    return sqrt(squares / CELLS);
}

/* Where flicker leaves out 49 ns inside a cell the bridge ends at quarters of it, each of its
 * intervals a straight line: the next would lift them by 9.4 ns. At the middle two lines of 16 s
 * meet, whose slopes differ by sd / (16 sqrt 2), sd that of white FM over the cell: s1^2 and 2 v tc
 * / 9 of the ladder's end. */
static void the_bridge_is_as_fine_as_flicker_lets_it_matter(void)
{
    struct oscillator_law law = {.white_fm = 1e-9, .flicker_floor = 3e-9};
    double v = 9e-18 / (2.0 * M_LN2) * M_LN10;
    double sd_s = sqrt((1e-18 + 2.0 * v * 6.4 / 9.0) * OSCILLATOR_CELL_S);
    CHECK_NEAR(rms_bend_s(&law, 32.0) / (sd_s / (16.0 * M_SQRT2)), 1.0, 0.03);
    CHECK(rms_bend_s(&law, 16.0) > 1e-9);
    CHECK(rms_bend_s(&law, 24.0) < 0.3e-9); /* the cubic; another middle would make it 2.3e-9 */
    law.flicker_floor = 0.0;
    CHECK_NEAR(rms_bend_s(&law, 24.0) / (1e-9 * M_SQRT2), 1.0, 0.03);
}

/* tau 1, 10, 100 s need a lattice of 1 s: inside a cell RW FM follows its conditional mean, and a
 * usual cell has 64 s. On that one the law is checked from one cell up. */
static void check_6_random_walk_fm_has_oadev_s2_root_tau_over_3(void)
{
    enum { N = 1000000 };
    struct oscillator_law law = {.random_walk_fm = 1e-9};
    static const double expected[] = {5.7735e-10, 1.8257e-9, 5.7735e-9};
    double *x_s = sample_errors(&law, 6, 1.0, 1.0, N);
    CHECK_NEAR(allan_deviation(x_s, N, 1, 1.0) / expected[0], 1.0, 0.03);
    CHECK_NEAR(allan_deviation(x_s, N, 10, 1.0) / expected[1], 1.0, 0.03);
    CHECK_NEAR(allan_deviation(x_s, N, 100, 1.0) / expected[2], 1.0, 0.03);
    free(x_s);
    x_s = sample_errors(&law, 7, OSCILLATOR_CELL_S, OSCILLATOR_CELL_S, N);
    for (size_t m = 1; m <= 100; m *= 10) {
        double tau_s = OSCILLATOR_CELL_S * (double)m;
        double ratio = allan_deviation(x_s, N, m, OSCILLATOR_CELL_S) / (1e-9 * sqrt(tau_s / 3.0));
        CHECK_NEAR(ratio, 1.0, 0.03);
    }
    free(x_s);
}

/* The ladder begins at a tenth of a cell, so that tau = 10 s asks for cells of 10 s; what the check
 * calls T from 0.1 s up is here a stage at 1, 10... 10^6 s and white FM for the stages below. 200
 * runs of 50000 points give tau = 10^4 s a relative sd of 0.7 %. */
static void check_7_flicker_fm_has_a_flat_oadev(void)
{
    enum { N = 50000, RUNS = 200, TAUS = 4 };
    struct oscillator_law law = {.flicker_floor = 1e-9};
    double sums[TAUS] = {0.0};
    for (uint32_t run = 0; run < RUNS; run++) {
        double *x_s = sample_errors(&law, run, 10.0, 10.0, N);
        size_t m = 1;
        for (unsigned k = 0; k < TAUS; k++, m *= 10) {
            sums[k] += allan_deviation(x_s, N, m, 10.0);
        }
        free(x_s);
    }
    for (unsigned k = 0; k < TAUS; k++) {
        CHECK_NEAR(sums[k] / RUNS / 1e-9, 1.0, 0.03);
    }
}

/* AVAR of a stage of variance 1 (1.7b). */
static double stage_avar(double tc_s, double tau_s)
{
    double q = tau_s / tc_s;
    if (q > 1e-3) {
        return (2.0 * q - 3.0 + 4.0 * exp(-q) - exp(-2.0 * q)) / (q * q);
    }
    return 2.0 * q / 3.0;
}

static void check_9_and_10_the_joint_law_of_frequency_and_error(void)
{
    static const struct {
        double q, var_y, var_i, cov;
    } expected[] = {{0.5, 0.632121, 0.0582432, 0.154818},
                    {1.0, 0.864665, 0.336182, 0.399576},
                    {3.0, 0.997521, 3.196670, 0.902905}};
    for (unsigned i = 0; i < 3; i++) {
        struct ou_law law = oscillator_ou_law(1.0, 1.0, expected[i].q);
        CHECK_NEAR(law.var_y, expected[i].var_y, 1e-6);
        CHECK_NEAR(law.var_i, expected[i].var_i, 1e-6);
        CHECK_NEAR(law.cov, expected[i].cov, 1e-6);
        CHECK_NEAR(law.decay, exp(-expected[i].q), 1e-15);
        CHECK_NEAR(law.mean_integral, 1.0 - exp(-expected[i].q), 1e-15);
    }
}

/* The direct formula in long double has digits to spare where doubles cancel. */
static void check_10_series_and_direct_formula_agree(void)
{
    for (double q = 1e-2; q < 3.0; q *= 1.1) {
        long double direct = 2.0L * q - 3.0L + 4.0L * expl(-(long double)q) - expl(-2.0L * q);
        struct ou_law law = oscillator_ou_law(1.0, 1.0, q);
        CHECK_NEAR(law.var_i / (double)direct, 1.0, 1e-11);
    }
    double q = 1e-6; /* the leading terms are exact here, every direct formula is lost */
    CHECK_NEAR(oscillator_ou_law(1.0, 1.0, q).var_i / (2.0 / 3.0 * q * q * q), 1.0, 1e-6);
}

/* The table of flicker steps is the law at tc = 0.1, 1, 10... cells: five numbers reproduce five
 * moments. */
static void flicker_steps_are_the_exact_law(void)
{
    double tc = 0.1;
    for (unsigned k = 0; k < FLICKER_STAGES_MAX; k++, tc *= 10.0) {
        struct ou_law law = oscillator_ou_law(1.0, tc, 1.0);
        const struct ou_step *step = oscillator_flicker_step(k);
        double var_i = step->slope * step->slope + step->sd_i * step->sd_i;
        CHECK_NEAR(step->decay, law.decay, 1e-15);
        CHECK_NEAR(step->mean_integral / law.mean_integral, 1.0, 1e-14);
        CHECK_NEAR(step->sd_y * step->sd_y / law.var_y, 1.0, 1e-14);
        CHECK_NEAR(step->sd_y * step->slope / law.cov, 1.0, 1e-14);
        CHECK_NEAR(var_i / law.var_i, 1.0, 1e-13);
    }
}

/* Check 8 for the ladder in use: 0.1 cell to 10^5 cells in decades, and white FM of 2 v (0.1 / 9)
 * cells. The endless ladder's ripple is 0.990 to 1.010; that ours ends shows from a thousandth of
 * its top on, where it takes off another 0.05 %. */
static void check_8_the_ladder_is_flat(void)
{
    double floor_squared = 2.0 * M_LN2 / M_LN10; /* in units of the stages' variance */
    for (double tau = 1.0; tau <= 1.6e3; tau *= 1.2) {
        double avar = 2.0 * (0.1 / 9.0) / tau;
        for (double tc = 0.1; tc < 2e5; tc *= 10.0) {
            avar += stage_avar(tc, tau);
        }
        CHECK_NEAR(sqrt(avar / floor_squared), 1.0, tau < 50.0 ? 0.01 : 0.011);
    }
}

/* Two steps of T/2 have the moments of one step of T, so the law does not know its grid. */
static void the_ou_law_composes_exactly(void)
{
    for (double q = 1e-5; q < 30.0; q *= 3.0) {
        double v = 2.5, tc = 40.0, t = q * tc;
        struct ou_law whole = oscillator_ou_law(v, tc, t), half = oscillator_ou_law(v, tc, t / 2.0);
        double d = half.decay, m = half.mean_integral;
        CHECK_NEAR(d * d, whole.decay, 1e-15);
        CHECK_NEAR((m + d * m) / whole.mean_integral, 1.0, 1e-14);
        CHECK_NEAR((d * d * half.var_y + half.var_y) / whole.var_y, 1.0, 1e-13);
        double var_i = half.var_i + m * m * half.var_y + 2.0 * m * half.cov + half.var_i;
        CHECK_NEAR(var_i / whole.var_i, 1.0, 1e-10);
        double cov = d * half.cov + d * m * half.var_y + half.cov;
        CHECK_NEAR(cov / whole.cov, 1.0, 1e-12);
    }
}

/* On the lattice the ladder has the sum of its stages' variances, and of the white FM that stands
 * for those below it (4 % of the whole at one cell). */
static void check_8_the_lattice_has_the_variance_of_the_ladder(void)
{
    enum { N = 1000000 };
    struct oscillator_law law = {.flicker_floor = 1e-9};
    double stage = 1e-18 / (2.0 * M_LN2) * M_LN10;
    double *x_s = sample_errors(&law, 8, OSCILLATOR_CELL_S, OSCILLATOR_CELL_S, N);
    for (size_t m = 1; m <= 8; m *= 2) {
        double tau = (double)m, expected = 2.0 * (0.1 / 9.0) / tau;
        for (double tc = 0.1; tc < 2e5; tc *= 10.0) {
            expected += stage_avar(tc, tau);
        }
        CHECK_NEAR(allan_variance(x_s, N, m, OSCILLATOR_CELL_S) / (stage * expected), 1.0, 0.015);
    }
    free(x_s);
}

/* Variance over nodes of the mean frequency in the cell at at_s. */
static double variance_of_frequency(const struct oscillator_law *law, double at_s, uint32_t nodes)
{
    struct oscillator *o = malloc(oscillator_size());
    double squares = 0.0;
    for (uint32_t node = 0; node < nodes; node++) {
        start_clock(o, law, node, OSCILLATOR_CELL_S);
        double y = oscillator_frequency(o, sim_from_s(at_s));
        squares += y * y;
    }
    free(o);
    return squares / nodes;
}

/* Variance of the mean over a cell of a stationary OU frequency of variance 1, q = cell / tc. */
static double variance_of_mean(double q)
{
    return q < 1e-3 ? 1.0 - q / 3.0 : 2.0 / (q * q) * (q - 1.0 + exp(-q));
}

/* 8000 nodes: relative sd of a variance 1.6 %. */
static void wander_is_stationary_from_the_start(void)
{
    struct oscillator_law law = {.wander_sd = 40e-9, .wander_tc_s = 600.0};
    double expected = 40e-9 * 40e-9 * variance_of_mean(64.0 / 600.0);
    CHECK_NEAR(variance_of_frequency(&law, 1.0, 8000) / expected, 1.0, 0.06);
    CHECK_NEAR(variance_of_frequency(&law, 6400.0, 8000) / expected, 1.0, 0.06);
}

static void flicker_is_stationary_from_the_start(void)
{
    struct oscillator_law law = {.flicker_floor = 1e-9};
    double stage = 1e-18 / (2.0 * M_LN2) * M_LN10;
    double expected = 2.0 * 0.1 / 9.0;
    for (double q = 10.0; q > 5e-6; q /= 10.0) {
        expected += variance_of_mean(q);
    }
    CHECK_NEAR(variance_of_frequency(&law, 1.0, 8000) / (stage * expected), 1.0, 0.06);
    CHECK_NEAR(variance_of_frequency(&law, 6400.0, 8000) / (stage * expected), 1.0, 0.06);
}

/* Faster than the lattice, a temperature term is white FM of s1^2 = 2 v tc, in cells as well. */
static void a_fast_wander_becomes_white_fm(void)
{
    enum { N = 200000 };
    struct oscillator_law law = {.wander_sd = 1e-7, .wander_tc_s = 0.25};
    double *x_s = sample_errors(&law, 3, OSCILLATOR_CELL_S, 8.0, N);
    for (size_t m = 1; m <= 16; m *= 2) {
        double expected = sqrt(2.0 * 1e-14 * 0.25 / (8.0 * (double)m));
        CHECK_NEAR(allan_deviation(x_s, N, m, 8.0) / expected, 1.0, 0.03);
    }
    free(x_s);
}

/* sd of x(3600 s) over runs; cell_s = 0: a width of its own for each run, 7 to 900 s. */
static double sd_after_an_hour(double cell_s, uint32_t runs)
{
    struct oscillator_law law = {.random_walk_fm = 1e-9};
    struct oscillator *o = malloc(oscillator_size());
    struct rng_state widths;
    double squares = 0.0;
    rng_seed(&widths, 11, 0, 0);
    for (uint32_t run = 0; run < runs; run++) {
        double own_s = 7.0 + 893.0 * rng_uniform(&widths);
        start_clock(o, &law, run, cell_s > 0.0 ? cell_s : own_s);
        double x_s = oscillator_free_error_s(o, sim_from_s(3600.0));
        squares += x_s * x_s;
    }
    free(o);
    return sqrt(squares / runs);
}

/* Our grid is a lattice, so "random-size steps" are lattices of random width: their cells end
 * anywhere, and what the conditional mean leaves out in the last one (at most s2^2 D^3 / 192) is
 * 0.02 % of the variance. */
static void check_11_the_law_does_not_depend_on_the_grid(void)
{
    double expected_s = 0.12471e-3;
    CHECK_NEAR(sd_after_an_hour(3600.0, 4000) / expected_s, 1.0, 0.04);
    CHECK_NEAR(sd_after_an_hour(60.0, 4000) / expected_s, 1.0, 0.04);
    CHECK_NEAR(sd_after_an_hour(1.0, 4000) / expected_s, 1.0, 0.04);
    CHECK_NEAR(sd_after_an_hour(0.0, 4000) / expected_s, 1.0, 0.04);
}

static void check_12_free_run_error_grows_with_the_power_three_halves(void)
{
    enum { RUNS = 4000, TIMES = 3 };
    static const double times_s[TIMES] = {3600.0, 86400.0, 604800.0};
    static const double expected_s[TIMES] = {0.1247e-3, 14.66e-3, 271.6e-3};
    struct oscillator_law law = {.random_walk_fm = 1e-9};
    struct oscillator *o = malloc(oscillator_size());
    double squares[TIMES] = {0.0};
    for (uint32_t run = 0; run < RUNS; run++) {
        start_clock(o, &law, run + 10000, OSCILLATOR_CELL_S);
        for (unsigned i = 0; i < TIMES; i++) {
            double x_s = oscillator_free_error_s(o, sim_from_s(times_s[i]));
            squares[i] += x_s * x_s;
        }
    }
    free(o);
    for (unsigned i = 0; i < TIMES; i++) {
        CHECK_NEAR(sqrt(squares[i] / RUNS) / expected_s[i], 1.0, 0.04);
    }
    double slope = 0.5 * log(squares[2] / squares[0]) / log(times_s[2] / times_s[0]);
    CHECK_NEAR(slope, 1.5, 0.01);
}

static void check_13_aging_grows_with_the_square_of_time(void)
{
    struct oscillator_law law = {.aging_per_day = 5e-10};
    struct oscillator *o = malloc(oscillator_size());
    start_clock(o, &law, 1, OSCILLATOR_CELL_S);
    CHECK_NEAR(oscillator_free_error_s(o, sim_from_s(DAY_S)), 21.6e-6, 1e-9);
    CHECK_NEAR(oscillator_free_error_s(o, sim_from_s(2.0 * DAY_S)), 86.4e-6, 1e-9);
    CHECK_NEAR(oscillator_free_error_s(o, sim_from_s(7.0 * DAY_S)), 1058.4e-6, 1e-9);
    free(o);
}

static void check_15_a_daily_sine_swings_by_its_integral_and_returns(void)
{
    struct oscillator_law law = {.diurnal = 1e-6};
    struct oscillator *o = malloc(oscillator_size());
    for (uint32_t node = 0; node < 5; node++) {
        double least_s = INFINITY, most_s = -INFINITY;
        start_clock(o, &law, node, OSCILLATOR_CELL_S);
        for (unsigned i = 0; i <= 8640; i++) {
            double x_s = oscillator_free_error_s(o, sim_from_s(10.0 * i));
            least_s = fmin(least_s, x_s);
            most_s = fmax(most_s, x_s);
        }
        double swing_s = 2e-6 * DAY_S / (2.0 * M_PI); /* 27.502 ms */
        CHECK_NEAR(swing_s, 27.502e-3, 0.5e-6);
        CHECK_NEAR((most_s - least_s) / swing_s, 1.0, 1e-6);
        CHECK_NEAR(oscillator_free_error_s(o, sim_from_s(DAY_S)), 0.0, 1e-9);
    }
    free(o);
}

/* The afternoon is warm whenever a clock was switched on: the sine's phase belongs to true time. */
static void the_sine_follows_true_time_and_not_the_start(void)
{
    struct oscillator_law law = {.diurnal = 1e-6};
    struct oscillator *o = malloc(oscillator_size()), *late = malloc(oscillator_size());
    sim_time start = sim_from_s(300.0 * OSCILLATOR_CELL_S);
    start_clock(o, &law, 4, OSCILLATOR_CELL_S);
    oscillator_init(late, &law, 2026, 4, OSCILLATOR_CELL_S, NTP_TIME_ZERO, 0.0, start);
    for (unsigned i = 301; i < 3000; i += 100) {
        sim_time t = sim_from_s(OSCILLATOR_CELL_S * i);
        double y = oscillator_frequency(o, t);
        CHECK_NEAR(oscillator_frequency(late, t), y, 1e-15);
    }
    free(o);
    free(late);
}

/* A clock with noise turns the sine on from cell to cell, one without computes it. */
static void the_sine_is_the_same_with_and_without_noise(void)
{
    struct oscillator_law pure = {.diurnal = 1e-6};
    struct oscillator_law noisy = {.diurnal = 1e-6, .random_walk_fm = 1e-30};
    struct oscillator *o = malloc(oscillator_size()), *other = malloc(oscillator_size());
    double worst_s = 0.0, greatest_s = 0.0;
    start_clock(o, &pure, 4, OSCILLATOR_CELL_S);
    start_clock(other, &noisy, 4, OSCILLATOR_CELL_S);
    for (double t_s = 0.0; t_s < 366.0 * DAY_S; t_s += 997.3) {
        double x_s = oscillator_free_error_s(o, sim_from_s(t_s));
        worst_s = fmax(worst_s, fabs(oscillator_free_error_s(other, sim_from_s(t_s)) - x_s));
        greatest_s = fmax(greatest_s, fabs(x_s));
    }
    CHECK(greatest_s > 10e-3);
    CHECK(worst_s < 1e-12);
    free(o);
    free(other);
}

/* The phase is the node's: found from two readings half and a quarter day on, then the whole path
 * is known. */
static void check_16_the_sine_does_not_depend_on_how_it_is_split(void)
{
    struct oscillator_law law = {.diurnal = 1e-6};
    struct oscillator *o = malloc(oscillator_size()), *other = malloc(oscillator_size());
    double w = 2.0 * M_PI / DAY_S;
    start_clock(o, &law, 4, OSCILLATOR_CELL_S);
    double quarter_s = oscillator_free_error_s(o, sim_from_s(DAY_S / 4.0));
    double half_s = oscillator_free_error_s(o, sim_from_s(DAY_S / 2.0));
    double cos_s = half_s / 2.0; /* amplitude cos(phase), of x = A (cos phase - cos(w t + phase)) */
    double sin_s = quarter_s - cos_s;
    CHECK_NEAR(hypot(cos_s, sin_s), 1e-6 / w, 1e-9);
    start_clock(o, &law, 4, OSCILLATOR_CELL_S);
    start_clock(other, &law, 4, 1000.0);
    double t_s = 0.0, sum_s = 0.0, last_s = 0.0;
    for (unsigned i = 0; t_s < 3.0 * DAY_S; i++) {
        t_s += 0.37 + (double)(i * 7919 % 997);
        double x_s = oscillator_free_error_s(o, sim_from_s(t_s));
        sum_s += x_s - last_s;
        last_s = x_s;
        double closed_s = cos_s - (cos_s * cos(w * t_s) - sin_s * sin(w * t_s));
        CHECK_NEAR(x_s, closed_s, 1e-9);
        CHECK_NEAR(oscillator_free_error_s(other, sim_from_s(t_s)), closed_s, 1e-9);
    }
    CHECK_NEAR(oscillator_free_error_s(other, sim_from_s(t_s)), sum_s, 1e-9);
    free(o);
    free(other);
}

/* A path read every h seconds: the slope at x[0], exact where the path is a cubic up to x[3]. */
static double slope_at(const double x_s[4], double h_s)
{
    return (-11.0 * x_s[0] + 18.0 * x_s[1] - 9.0 * x_s[2] + 2.0 * x_s[3]) / (6.0 * h_s);
}

/* The cubic through error and slope at both ends, at share z of a width d. */
static double hermite(double x0, double y0, double x1, double y1, double d, double z)
{
    double z2 = z * z, z3 = z2 * z;
    return x0 * (2.0 * z3 - 3.0 * z2 + 1.0) + d * y0 * (z3 - 2.0 * z2 + z) +
           x1 * (3.0 * z2 - 2.0 * z3) + d * y1 * (z3 - z2);
}

/* rms of what the cubic over d misses at z, of a path drawn on a lattice of d / parts. */
static double rms_off_the_cubic(double d, unsigned parts, unsigned part)
{
    enum { DRAWS = 8000 };
    struct oscillator_law law = {.random_walk_fm = 1e-9};
    double fine_s = d / parts, h_s = fine_s / 4.0;
    size_t stride = 4 * (size_t)parts, n = stride * (DRAWS + 1) + 4;
    double *x_s = sample_errors(&law, 17, fine_s, h_s, n);
    double squares = 0.0;
    for (size_t i = 0; i < DRAWS; i++) {
        const double *left = x_s + i * stride, *right = left + stride;
        double mean_s = hermite(left[0], slope_at(left, h_s), right[0], slope_at(right, h_s), d,
                                (double)part / parts);
        double off_s = left[4 * part] - mean_s;
        squares += off_s * off_s;
    }
    free(x_s);
    return sqrt(squares / DRAWS);
}

/* RW FM has no bridge of its own inside a cell. That the cubic is its conditional mean, and what it
 * leaves out, shows on a finer lattice: the path's distance from the cubic over D is s2^2 u^3
 * (D-u)^3 / (3 D^3). */
static void check_17_the_cubic_leaves_out_the_bridge_and_no_more(void)
{
    CHECK_NEAR(rms_off_the_cubic(64.0, 2, 1) / 36.95e-9, 1.0, 0.05);
    CHECK_NEAR(rms_off_the_cubic(1024.0, 2, 1) / 2.365e-6, 1.0, 0.05);
    double quarter_s = 1e-9 * sqrt(pow(16.0 * 48.0 / 64.0, 3.0) / 3.0);
    CHECK_NEAR(rms_off_the_cubic(64.0, 4, 1) / quarter_s, 1.0, 0.05);
    CHECK_NEAR(rms_off_the_cubic(64.0, 4, 3) / quarter_s, 1.0, 0.05);
}

/* In a clock's own cell the path is that cubic, and its frequency has no break at the cell's
 * ends. */
static void inside_a_cell_random_walk_fm_is_the_cubic(void)
{
    enum { CELLS = 200 };
    struct oscillator_law law = {.random_walk_fm = 1e-9, .initial_mean = 1e-6, .diurnal = 1e-6};
    double *x_s = sample_errors(&law, 18, 64.0, 16.0, 4 * (CELLS + 1) + 4);
    for (size_t i = 0; i < CELLS; i++) {
        const double *left = x_s + 4 * i, *right = left + 4;
        double mean_s =
            hermite(left[0], slope_at(left, 16.0), right[0], slope_at(right, 16.0), 64.0, 0.5);
        CHECK_NEAR(left[2], mean_s, 1e-15);
    }
    free(x_s);
}

/* s1^2 u (D - u) / D about the straight line, in mid-cell and at an eighth. */
static void white_fm_has_a_brownian_bridge_in_the_cell(void)
{
    enum { CELLS = 8000 };
    struct oscillator_law law = {.white_fm = 1e-9};
    double *x_s = sample_errors(&law, 19, 64.0, 8.0, 8 * CELLS + 1);
    double middle = 0.0, eighth = 0.0, joint = 0.0;
    for (size_t i = 0; i < CELLS; i++) {
        const double *x = x_s + 8 * i;
        double at_middle = x[4] - 0.5 * (x[0] + x[8]);
        double at_eighth = x[1] - (0.875 * x[0] + 0.125 * x[8]);
        middle += at_middle * at_middle;
        eighth += at_eighth * at_eighth;
        joint += at_middle * at_eighth;
    }
    CHECK_NEAR(middle / CELLS / (1e-18 * 16.0), 1.0, 0.06);
    CHECK_NEAR(eighth / CELLS / (1e-18 * 7.0), 1.0, 0.06);
    CHECK_NEAR(joint / CELLS / (1e-18 * 4.0), 1.0, 0.15); /* Cov(u, w) = s1^2 u (D - w) / D */
    free(x_s);
}

const struct test_case oscillator_law_tests[] = {
    {"the_sine_is_the_same_with_and_without_noise", the_sine_is_the_same_with_and_without_noise},
    {"the_bridge_is_as_fine_as_flicker_lets_it_matter",
     the_bridge_is_as_fine_as_flicker_lets_it_matter},
    {"check 5: white FM has OADEV s1 / root tau", check_5_white_fm_has_oadev_s1_over_root_tau},
    {"check 6: random walk FM has OADEV s2 root(tau / 3)",
     check_6_random_walk_fm_has_oadev_s2_root_tau_over_3},
    {"check 7: flicker FM has a flat OADEV", check_7_flicker_fm_has_a_flat_oadev},
    {"check 8: the ladder is flat within one percent", check_8_the_ladder_is_flat},
    {"check 9, 10: the joint law of frequency and error",
     check_9_and_10_the_joint_law_of_frequency_and_error},
    {"check 10: series and direct formula agree", check_10_series_and_direct_formula_agree},
    {"check 8: the lattice has the variance of the ladder",
     check_8_the_lattice_has_the_variance_of_the_ladder},
    {"flicker steps are the exact law", flicker_steps_are_the_exact_law},
    {"the OU law composes exactly", the_ou_law_composes_exactly},
    {"wander is stationary from the start", wander_is_stationary_from_the_start},
    {"flicker is stationary from the start", flicker_is_stationary_from_the_start},
    {"a fast wander becomes white FM", a_fast_wander_becomes_white_fm},
    {"check 11: the law does not depend on the grid", check_11_the_law_does_not_depend_on_the_grid},
    {"check 12: free-run error grows with the power 3/2",
     check_12_free_run_error_grows_with_the_power_three_halves},
    {"check 13: aging grows with the square of time", check_13_aging_grows_with_the_square_of_time},
    {"check 15: a daily sine swings by its integral and returns",
     check_15_a_daily_sine_swings_by_its_integral_and_returns},
    {"the sine follows true time and not the start", the_sine_follows_true_time_and_not_the_start},
    {"check 16: the sine does not depend on how it is split",
     check_16_the_sine_does_not_depend_on_how_it_is_split},
    {"check 17: the cubic leaves out the bridge and no more",
     check_17_the_cubic_leaves_out_the_bridge_and_no_more},
    {"inside a cell random walk FM is the cubic", inside_a_cell_random_walk_fm_is_the_cubic},
    {"white FM has a Brownian bridge in the cell", white_fm_has_a_brownian_bridge_in_the_cell},
    {NULL, NULL}};
