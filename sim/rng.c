/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Streams (xoshiro256++) and cell draws (splitmix64 as a hash, a ziggurat for normals). Nothing
 * here is seeded by anything but its arguments.
 */
#include "rng.h"

#include <stdbool.h>

static const uint64_t GOLDEN_GAMMA = UINT64_C(0x9E3779B97F4A7C15); /* splitmix64's increment */

/* 52 bits in the middle of their intervals: never 0, never 1. */
static double open_unit_from_bits(uint64_t bits)
{
    return ((double)(bits >> 12) + 0.5) * 0x1p-52;
}

static void fill_state(struct rng_state *state, uint64_t seed)
{
    for (unsigned i = 0; i < 4; i++) {
        state->s[i] = rng_mix(seed + i * GOLDEN_GAMMA);
    }
}

void rng_seed(struct rng_state *state, uint64_t seed, uint64_t subject, uint64_t purpose)
{
    fill_state(state, rng_derive(seed, subject, purpose));
}

static void gsl_set(void *state, unsigned long seed)
{
    fill_state(state, seed);
}

static unsigned long gsl_get(void *state)
{
    return rng_next(state);
}

static double gsl_get_double(void *state)
{
    return rng_uniform(state);
}

static const gsl_rng_type xoshiro256pp = {
    "xoshiro256++", UINT64_MAX, 0, sizeof(struct rng_state), gsl_set, gsl_get, gsl_get_double};

const gsl_rng_type *const rng_xoshiro256pp = &xoshiro256pp;

void rng_as_gsl(gsl_rng *view, struct rng_state *state)
{
    view->type = rng_xoshiro256pp;
    view->state = state;
}

double rng_cell_uniform(uint64_t key, int64_t cell, unsigned index)
{
    return open_unit_from_bits(rng_mix(rng_cell_key(key, cell) ^ index));
}

double rng_cell_normal(uint64_t key, int64_t cell, unsigned index)
{
    return rng_normal_of(rng_cell_key(key, cell), index);
}

/* Beyond the last strip (Marsaglia 1964): exponential steps, thinned to the normal's tail. */
static double tail_magnitude(uint64_t *sequence)
{
    double edge = ziggurat_edges[1];
    for (;;) {
        double u = open_unit_from_bits(rng_mix(*sequence += GOLDEN_GAMMA));
        double v = open_unit_from_bits(rng_mix(*sequence += GOLDEN_GAMMA));
        double beyond = -log(u) / edge;
        if (-2.0 * log(v) >= beyond * beyond) {
            return edge + beyond;
        }
    }
}

/* Is the point at x, drawn level in strip i, below the density? */
static bool is_below_density(double x, unsigned strip, uint64_t *sequence)
{
    double low = exp(-0.5 * ziggurat_edges[strip] * ziggurat_edges[strip]);
    double high = exp(-0.5 * ziggurat_edges[strip + 1] * ziggurat_edges[strip + 1]);
    double level = rng_unit(rng_mix(*sequence += GOLDEN_GAMMA));
    return low + level * (high - low) < exp(-0.5 * x * x);
}

/* `sequence` is the state of a splitmix64 whose first output was `bits`; retries take the following
 * ones. */
double rng_normal_rest(uint64_t sequence, uint64_t bits)
{
    for (;;) {
        unsigned strip = bits & (ZIGGURAT_STRIPS - 1);
        double x = ziggurat_edges[strip] * rng_signed_unit(bits);
        if (fabs(x) < ziggurat_edges[strip + 1]) {
            return x;
        }
        if (strip == 0) {
            return copysign(tail_magnitude(&sequence), x);
        }
        if (is_below_density(x, strip, &sequence)) {
            return x;
        }
        bits = rng_mix(sequence += GOLDEN_GAMMA);
    }
}
