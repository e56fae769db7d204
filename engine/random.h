/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine's random stream: ChaCha20 (nettle) keyed by the host, one stream per engine.
 *
 * Unpredictable nonces live, reproducible ones in the simulator, the same code in both. Draw at
 * most once per full expression: C does not order two draws.
 */
#ifndef HOLDFAST_RANDOM_H
#define HOLDFAST_RANDOM_H

#include <nettle/chacha.h>
#include <stdint.h>
#include <string.h>

struct random_stream {
    uint8_t key[CHACHA_KEY_SIZE];
    uint64_t block; /* number of the next block */
    uint8_t bytes[CHACHA_BLOCK_SIZE];
    uint8_t used;
};

static inline void random_init(struct random_stream *r, const uint8_t key[32])
{
    memset(r, 0, sizeof *r);
    memcpy(r->key, key, CHACHA_KEY_SIZE);
    r->used = CHACHA_BLOCK_SIZE;
}

static inline void random_refill(struct random_stream *r)
{
    struct chacha_ctx ctx;
    uint8_t nonce[CHACHA_NONCE_SIZE];
    for (unsigned i = 0; i < CHACHA_NONCE_SIZE; i++) {
        nonce[i] = (uint8_t)(r->block >> (8 * i));
    }
    memset(r->bytes, 0, sizeof r->bytes);
    chacha_set_key(&ctx, r->key);
    chacha_set_nonce(&ctx, nonce);
    chacha_crypt(&ctx, sizeof r->bytes, r->bytes, r->bytes);
    r->block++;
    r->used = 0;
}

/* 64 uniform bits. */
static inline uint64_t random_u64(struct random_stream *r)
{
    if (r->used + 8u > sizeof r->bytes) {
        random_refill(r);
    }
    const uint8_t *at = r->bytes + r->used;
    uint64_t value = (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 | (uint64_t)at[2] << 40 |
                     (uint64_t)at[3] << 32 | (uint64_t)at[4] << 24 | (uint64_t)at[5] << 16 |
                     (uint64_t)at[6] << 8 | at[7];
    r->used = (uint8_t)(r->used + 8u);
    return value;
}

/* Uniform in 0 ... 255. */
static inline unsigned random_byte(struct random_stream *r)
{
    if (r->used + 1u > sizeof r->bytes) {
        random_refill(r);
    }
    return r->bytes[r->used++];
}

#endif
