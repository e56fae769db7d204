/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Streams against published outputs; cell draws against the normal law. It tests no law of a clock
 * or link.
 */
#include "../sim/rng.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>

#include "check.h"

/* The authors' programs (prng.di.unimi.it), run from the states named. */
static void xoshiro256pp_gives_the_published_outputs(void)
{
    struct rng_state state = {{1, 2, 3, 4}};
    CHECK(rng_next(&state) == UINT64_C(41943041));
    CHECK(rng_next(&state) == UINT64_C(58720359));
    CHECK(rng_next(&state) == UINT64_C(3588806011781223));
    CHECK(rng_next(&state) == UINT64_C(3591011842654386));
    CHECK(rng_next(&state) == UINT64_C(9228616714210784205));
    CHECK(rng_next(&state) == UINT64_C(9973669472204895162));
}

static void splitmix64_gives_the_published_outputs(void)
{
    static const uint64_t published[] = {
        UINT64_C(6457827717110365317), UINT64_C(3203168211198807973), UINT64_C(9817491932198370423),
        UINT64_C(4593380528125082431), UINT64_C(16408922859458223821)};
    uint64_t state = 1234567;
    for (unsigned i = 0; i < 5; i++) {
        CHECK(rng_mix(state) == published[i]);
        state += UINT64_C(0x9E3779B97F4A7C15);
    }
}

static void a_seed_fills_the_state_with_splitmix64(void)
{
    gsl_rng *generator = gsl_rng_alloc(rng_xoshiro256pp);
    gsl_rng_set(generator, 1234567);
    const struct rng_state *state = gsl_rng_state(generator);
    CHECK(state->s[0] == UINT64_C(6457827717110365317));
    CHECK(state->s[3] == UINT64_C(4593380528125082431));
    gsl_rng_free(generator);
}

static void the_gsl_view_draws_from_the_same_stream(void)
{
    struct rng_state one, other;
    gsl_rng view;
    rng_seed(&one, 7, 8, 9);
    rng_seed(&other, 7, 8, 9);
    rng_as_gsl(&view, &one);
    CHECK(gsl_rng_max(&view) == UINT64_MAX);
    CHECK(gsl_rng_min(&view) == 0);
    for (unsigned i = 0; i < 100; i++) {
        CHECK(gsl_rng_get(&view) == rng_next(&other));
        double drawn = gsl_rng_uniform(&view);
        CHECK(drawn == rng_uniform(&other));
    }
}

static void seed_subject_and_purpose_each_make_another_stream(void)
{
    struct rng_state base, others[3];
    rng_seed(&base, 1, 2, 3);
    rng_seed(&others[0], 2, 2, 3);
    rng_seed(&others[1], 1, 3, 3);
    rng_seed(&others[2], 1, 2, 4);
    uint64_t first = rng_next(&base);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(rng_next(&others[i]) != first);
    }
    CHECK(rng_derive(1, 2, 3) != rng_derive(1, 3, 2));
    CHECK(rng_derive(1, 2, 3) == rng_derive(1, 2, 3));
}

static void uniforms_fill_the_unit_interval(void)
{
    enum { N = 1000000 };
    struct rng_state state;
    double sum = 0.0, squares = 0.0, least = 1.0, most = 0.0;
    rng_seed(&state, 11, 0, 0);
    for (unsigned i = 0; i < N; i++) {
        double u = rng_uniform(&state);
        sum += u;
        squares += u * u;
        least = fmin(least, u);
        most = fmax(most, u);
    }
    CHECK(least >= 0.0 && least < 1e-4);
    CHECK(most < 1.0 && most > 1.0 - 1e-4);
    CHECK_NEAR(sum / N, 0.5, 4.0 * sqrt(1.0 / 12.0 / N));
    CHECK_NEAR(squares / N, 1.0 / 3.0, 4.0 * sqrt(4.0 / 45.0 / N));
}

static void cell_uniforms_lie_strictly_inside_and_average_a_half(void)
{
    enum { N = 1000000 };
    uint64_t key = rng_derive(3, 1, 4);
    double sum = 0.0;
    for (int64_t cell = 0; cell < N; cell++) {
        double u = rng_cell_uniform(key, cell, 0);
        if (!(u > 0.0 && u < 1.0)) {
            CHECK(u > 0.0 && u < 1.0);
        }
        sum += u;
    }
    CHECK_NEAR(sum / N, 0.5, 4.0 * sqrt(1.0 / 12.0 / N));
}

static double bell(double x)
{
    return exp(-0.5 * x * x);
}

/* Each strip is a 256th of the area under the half bell; the base has its tail instead of an
 * edge. */
static void ziggurat_strips_have_one_area(void)
{
    const double *edge = ziggurat_edges;
    double tail = sqrt(M_PI / 2.0) * erfc(edge[1] / sqrt(2.0));
    double area = edge[1] * bell(edge[1]) + tail;
    CHECK_NEAR(edge[0] * bell(edge[1]) / area, 1.0, 1e-14);
    for (unsigned i = 1; i < ZIGGURAT_STRIPS; i++) {
        CHECK_NEAR(edge[i] * (bell(edge[i + 1]) - bell(edge[i])) / area, 1.0, 1e-12);
        CHECK(edge[i] > edge[i + 1]);
    }
    CHECK(edge[ZIGGURAT_STRIPS] == 0.0);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov-Smirnov at the 1 % level. */
static void cell_normals_follow_the_normal_law(void)
{
    enum { N = 1000000 };
    double *x = malloc(N * sizeof *x);
    uint64_t key = rng_derive(5, 6, 7);
    for (int64_t i = 0; i < N; i++) {
        x[i] = rng_cell_normal(key, i / 16, (unsigned)(i % 16));
    }
    qsort(x, N, sizeof *x, compare_doubles);
    double distance = 0.0;
    for (unsigned i = 0; i < N; i++) {
        double p = gsl_cdf_ugaussian_P(x[i]);
        distance = fmax(distance, fmax(p - i / (double)N, (i + 1) / (double)N - p));
    }
    CHECK_NEAR(distance, 0.0, 1.63 / sqrt(N));
    free(x);
}

/* The last strip's edge is 3.654: beyond it another method draws. What lies there has a mean of its
 * own, and the same on both sides. */
static void cell_normals_have_the_right_tails(void)
{
    enum { N = 16000000, LIMITS = 4 };
    const double edge = ziggurat_edges[1];
    const double limits[LIMITS] = {3.0, edge, 4.0, 4.5};
    uint64_t key = rng_derive(8, 9, 10);
    double squares = 0.0, beyond = 0.0, positive = 0.0, counts[LIMITS] = {0.0};
    for (unsigned i = 0; i < N; i++) {
        double x = rng_cell_normal(key, i, 3);
        squares += x * x;
        if (fabs(x) > limits[0]) {
            for (unsigned k = 0; k < LIMITS; k++) {
                counts[k] += fabs(x) > limits[k];
            }
            beyond += fabs(x) > edge ? fabs(x) - edge : 0.0;
            positive += x > edge;
        }
    }
    CHECK_NEAR(squares / N, 1.0, 4.0 * sqrt(2.0 / N));
    for (unsigned k = 0; k < LIMITS; k++) {
        double expected = 2.0 * N * gsl_cdf_ugaussian_Q(limits[k]);
        CHECK_NEAR(counts[k], expected, 4.0 * sqrt(expected));
    }
    double mean = gsl_ran_ugaussian_pdf(edge) / gsl_cdf_ugaussian_Q(edge) - edge;
    CHECK_NEAR(beyond / counts[1] / mean, 1.0, 4.0 / sqrt(counts[1]));
    CHECK_NEAR(positive / counts[1], 0.5, 2.0 / sqrt(counts[1]));
}

static void neighbouring_draws_are_uncorrelated(void)
{
    enum { N = 1000000 };
    uint64_t key = rng_derive(1, 1, 1), other_key = rng_derive(1, 2, 1);
    double by_cell = 0.0, by_index = 0.0, by_key = 0.0, of_squares = 0.0;
    for (int64_t i = 0; i < N; i++) {
        double x = rng_cell_normal(key, i, 0);
        double next_cell = rng_cell_normal(key, i + 1, 0);
        double next_index = rng_cell_normal(key, i, 1);
        double next_key = rng_cell_normal(other_key, i, 0);
        by_cell += x * next_cell;
        by_index += x * next_index;
        by_key += x * next_key;
        of_squares += (x * x - 1.0) * (next_cell * next_cell - 1.0);
    }
    CHECK_NEAR(by_cell / N, 0.0, 4.0 / sqrt(N));
    CHECK_NEAR(by_index / N, 0.0, 4.0 / sqrt(N));
    CHECK_NEAR(by_key / N, 0.0, 4.0 / sqrt(N));
    CHECK_NEAR(of_squares / N, 0.0, 4.0 * 2.0 / sqrt(N));
}

static void a_cell_draw_is_the_same_in_any_order(void)
{
    uint64_t key = rng_derive(21, 22, 23);
    double forward[64];
    for (unsigned i = 0; i < 64; i++) {
        forward[i] = rng_cell_normal(key, -3 + (int64_t)i / 8, i % 8);
    }
    for (unsigned i = 64; i-- > 0;) {
        CHECK(forward[i] == rng_cell_normal(key, -3 + (int64_t)i / 8, i % 8));
    }
    CHECK(rng_normal_of(rng_cell_key(key, -3), 5) == forward[5]);
}

const struct test_case rng_tests[] = {
    {"xoshiro256pp gives the published outputs", xoshiro256pp_gives_the_published_outputs},
    {"splitmix64 gives the published outputs", splitmix64_gives_the_published_outputs},
    {"a seed fills the state with splitmix64", a_seed_fills_the_state_with_splitmix64},
    {"the GSL view draws from the same stream", the_gsl_view_draws_from_the_same_stream},
    {"seed, subject and purpose each make another stream",
     seed_subject_and_purpose_each_make_another_stream},
    {"uniforms fill the unit interval", uniforms_fill_the_unit_interval},
    {"cell uniforms lie strictly inside and average a half",
     cell_uniforms_lie_strictly_inside_and_average_a_half},
    {"ziggurat strips have one area", ziggurat_strips_have_one_area},
    {"cell normals follow the normal law", cell_normals_follow_the_normal_law},
    {"cell normals have the right tails", cell_normals_have_the_right_tails},
    {"neighbouring draws are uncorrelated", neighbouring_draws_are_uncorrelated},
    {"a cell draw is the same in any order", a_cell_draw_is_the_same_in_any_order},
    {NULL, NULL}};
