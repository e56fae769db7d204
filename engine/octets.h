/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Integers and doubles as little-endian octets, and back, never beyond an end.
 *
 * What is written goes into a sink that can also only count; what is read comes from a cursor that
 * remembers the first thing that was wrong and gives zeros from then on, so that a reader checks
 * once, at its end. Knows no format.
 */
#ifndef HOLDFAST_OCTETS_H
#define HOLDFAST_OCTETS_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Where octets go: size counts them; at NULL they are counted only. */
struct octets_sink {
    uint8_t *at;
    size_t size;
};

static inline void octets_put(struct octets_sink *sink, const void *bytes, size_t size)
{
    if (sink->at && size > 0) {
        memcpy(sink->at + sink->size, bytes, size);
    }
    sink->size += size;
}

/* The lowest `count` (1 ... 8) octets of value. */
static inline void octets_put_integer(struct octets_sink *sink, uint64_t value, unsigned count)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < count; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    octets_put(sink, bytes, count);
}

static inline void octets_put_double(struct octets_sink *sink, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    octets_put_integer(sink, bits, 8);
}

/* Octets still to be read. */
struct octets_cursor {
    const uint8_t *at;
    size_t left;
    bool is_bad; /* something was missing or could not be */
};

/* The next `size` octets where they lie; NULL when there are not so many. */
static inline const uint8_t *octets_take(struct octets_cursor *cursor, size_t size)
{
    if (cursor->is_bad || cursor->left < size) {
        cursor->is_bad = true;
        return NULL;
    }
    const uint8_t *bytes = cursor->at;
    cursor->at += size;
    cursor->left -= size;
    return bytes;
}

static inline uint64_t octets_take_integer(struct octets_cursor *cursor, unsigned count)
{
    const uint8_t *bytes = octets_take(cursor, count);
    uint64_t value = 0;
    for (unsigned i = 0; bytes && i < count; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

/* An integer of `count` octets that is at most `most`. */
static inline uint64_t octets_take_up_to(struct octets_cursor *cursor, unsigned count,
                                         uint64_t most)
{
    uint64_t value = octets_take_integer(cursor, count);
    if (value > most) {
        cursor->is_bad = true;
        return 0;
    }
    return value;
}

static inline bool octets_take_bool(struct octets_cursor *cursor)
{
    return octets_take_up_to(cursor, 1, 1) != 0;
}

/* A finite number, or NAN, kept by its bits. */
static inline double octets_take_number_or_nan(struct octets_cursor *cursor)
{
    uint64_t bits = octets_take_integer(cursor, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    if (isinf(value)) {
        cursor->is_bad = true;
        return 0.0;
    }
    return value;
}

static inline double octets_take_number(struct octets_cursor *cursor)
{
    double value = octets_take_number_or_nan(cursor);
    if (isnan(value)) {
        cursor->is_bad = true;
        return 0.0;
    }
    return value;
}

/* One more word into a 64-bit mix. Both halves of the step can be undone, so no two states become
 * one; it tells accidents, not attackers. */
static inline uint64_t octets_mix(uint64_t hash, uint64_t word)
{
    uint64_t h = (hash ^ word) * UINT64_C(0x9FB21C651E98DF25);
    return h ^ (h >> 32);
}

static inline uint64_t octets_mix_bytes(uint64_t hash, const uint8_t *bytes, size_t size)
{
    struct octets_cursor cursor = {.at = bytes, .left = size};
    while (cursor.left >= 8) {
        hash = octets_mix(hash, octets_take_integer(&cursor, 8));
    }
    if (cursor.left > 0) {
        hash = octets_mix(hash, octets_take_integer(&cursor, (unsigned)cursor.left));
    }
    return octets_mix(hash, size);
}

#endif
