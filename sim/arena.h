/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory for the state of many nodes or paths, taken once and given back whole.
 *
 * Every event of a large world touches another node, and there looking up pages costs as much as
 * the work: large blocks lie on huge pages where the kernel has them.
 */
#ifndef HOLDFAST_ARENA_H
#define HOLDFAST_ARENA_H

#include <stddef.h>

enum { ARENA_LINE = 64 }; /* bytes of a cache line: the alignment of a block */

/* size, rounded up to whole cache lines. */
static inline size_t arena_round(size_t size)
{
    return (size + ARENA_LINE - 1) / ARENA_LINE * ARENA_LINE;
}

/* A block of at least `size` bytes, not cleared; never NULL: ends the process when there is no
 * memory. */
void *arena_take(size_t size);
void arena_give(void *block);

/* Asks for the cache lines of [at, at + size) ahead of their use. Always inlined, and so must its
 * callers be that do nothing else: gcc takes a function that only asks for one without effect and
 * drops the call. */
static inline __attribute__((always_inline)) void arena_prefetch(const void *at, size_t size)
{
    const char *line = at;
    for (size_t i = 0; i < size; i += ARENA_LINE) {
        __builtin_prefetch(line + i);
    }
}

#endif
