/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The digest of a run: a 64-bit mix of every word, sealed with SHA-256.
 *
 * Fed with integers only - times in ticks, node numbers, packet bytes, clock commands - so that two
 * runs agree whatever compiler built them. It tells runs apart; it is no defence against somebody
 * who wants a collision. Never fed with doubles, pointers, padding or wakes.
 */
#ifndef HOLDFAST_DIGEST_H
#define HOLDFAST_DIGEST_H

#include <glib.h>
#include <nettle/sha2.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { DIGEST_TEXT_SIZE = 2 * SHA256_DIGEST_SIZE + 1 };

struct digest {
    uint64_t state, words;
};

/* Both halves of the step can be undone, so no two states ever become one. */
static inline void digest_word(struct digest *d, uint64_t word)
{
    uint64_t h = (d->state ^ word) * UINT64_C(0x9FB21C651E98DF25);
    d->state = h ^ (h >> 32);
    d->words++;
}

/* Little-endian words whatever the machine, what is left over filled with zeros, then the size. */
static inline void digest_bytes(struct digest *d, const uint8_t *bytes, size_t size)
{
    const uint8_t *whole_end = bytes + size / 8 * 8;
    for (; bytes < whole_end; bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        digest_word(d, GUINT64_FROM_LE(word));
    }
    if (size % 8 != 0) {
        uint64_t rest = 0;
        for (size_t i = 0; i < size % 8; i++) {
            rest |= (uint64_t)bytes[i] << (8 * i);
        }
        digest_word(d, rest);
    }
    digest_word(d, size);
}

/* The digest so far as hexadecimal text; what follows may still be added. */
static inline void digest_text(const struct digest *d, char text[DIGEST_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t words[16], hash[SHA256_DIGEST_SIZE];
    struct sha256_ctx ctx;
    for (unsigned i = 0; i < 8; i++) {
        words[i] = (uint8_t)(d->state >> (8 * i));
        words[8 + i] = (uint8_t)(d->words >> (8 * i));
    }
    sha256_init(&ctx);
    sha256_update(&ctx, sizeof words, words);
    sha256_digest(&ctx, sizeof hash, hash);
    for (unsigned i = 0; i < sizeof hash; i++) {
        text[2 * i] = digits[hash[i] >> 4];
        text[2 * i + 1] = digits[hash[i] & 15];
    }
    text[2 * sizeof hash] = '\0';
}

#endif
