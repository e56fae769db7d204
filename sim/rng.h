/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Randomness of the simulator: streams and cells.
 *
 * A stream is xoshiro256++ as a gsl_rng_type, derived from (seed, subject, purpose), so that every
 * link and every fault has its own and none shifts another. A cell draw is a pure function of
 * (seed, subject, process, cell, index): the same whoever asks, in whatever order.
 */
#ifndef HOLDFAST_RNG_H
#define HOLDFAST_RNG_H

#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdint.h>

#include "ziggurat.h"

/* xoshiro256++ (Blackman, Vigna 2019), seeded through splitmix64; 32 bytes of state: struct
 * rng_state. */
extern const gsl_rng_type *const rng_xoshiro256pp;

/* What splitmix64 (Steele, Lea, Flood 2014) puts out in state z: a strong 64-bit mix. */
static inline uint64_t rng_mix(uint64_t z)
{
    z += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* The upper 53 bits as a number in [0, 1). */
static inline double rng_unit(uint64_t bits)
{
    return (double)(bits >> 11) * 0x1p-53;
}

/* The same in [-1, 1). */
static inline double rng_signed_unit(uint64_t bits)
{
    return (double)((int64_t)(bits >> 11) - (INT64_C(1) << 52)) * 0x1p-52;
}

/* The key of one purpose of one subject (node, link, pair) under a seed. */
static inline uint64_t rng_derive(uint64_t seed, uint64_t subject, uint64_t purpose)
{
    uint64_t h = rng_mix(seed);
    h = rng_mix(h ^ subject);
    return rng_mix(h ^ purpose);
}

struct rng_state {
    uint64_t s[4];
};

void rng_seed(struct rng_state *state, uint64_t seed, uint64_t subject, uint64_t purpose);

/* Makes *view a gsl_rng over `state` without allocation, for gsl_ran_*(). */
void rng_as_gsl(gsl_rng *view, struct rng_state *state);

static inline uint64_t rng_rotate(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static inline uint64_t rng_next(struct rng_state *state)
{
    uint64_t *s = state->s;
    uint64_t result = rng_rotate(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rng_rotate(s[3], 45);
    return result;
}

/* Uniform in [0, 1) with 53 bits. */
static inline double rng_uniform(struct rng_state *state)
{
    return rng_unit(rng_next(state));
}

/* The key of one cell, for many draws from it; key from rng_derive(). */
static inline uint64_t rng_cell_key(uint64_t key, int64_t cell)
{
    return rng_mix(key ^ (uint64_t)cell);
}

/* The rare rest of rng_normal_of(): `bits` fell on the edge of a strip or into the tail. */
double rng_normal_rest(uint64_t sequence, uint64_t bits);

/* A standard normal, the index-th of the cell: one hash gives the strip (8 bits) and the place
 * across it (53 others, in -1..1). One draw of seventy meets an edge or the tail and asks libm for
 * exp() or log(). */
static inline double rng_normal_of(uint64_t cell_key, unsigned index)
{
    uint64_t bits = rng_mix(cell_key ^ index);
    unsigned strip = bits & (ZIGGURAT_STRIPS - 1);
    double x = ziggurat_edges[strip] * rng_signed_unit(bits);
    if (fabs(x) < ziggurat_edges[strip + 1]) {
        return x;
    }
    return rng_normal_rest(cell_key ^ index, bits);
}

/* The same, from (key, cell, index) at once. */
double rng_cell_normal(uint64_t key, int64_t cell, unsigned index);

/* Uniform in (0, 1) from the cell. It shares its hash with the normal of that index: use one of the
 * two. */
double rng_cell_uniform(uint64_t key, int64_t cell, unsigned index);

#endif
