/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Blocks of memory; see arena.h.
 */
#include "arena.h"

#include <glib.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Of a huge page; smaller blocks gain nothing from one. */
#define HUGE_PAGE ((size_t)2 << 20)

void *arena_take(size_t size)
{
    size_t alignment = size >= HUGE_PAGE ? HUGE_PAGE : ARENA_LINE;
    size_t room = (size / alignment + 1) * alignment;
    void *block = aligned_alloc(alignment, room);
    if (!block) {
        g_error("no memory for a block of %zu MiB", size >> 20);
    }
    if (size >= HUGE_PAGE) {
        /* Only advice: without it everything works, slower. */
        (void)madvise(block, room, MADV_HUGEPAGE);
    }
    return block;
}

void arena_give(void *block)
{
    free(block);
}
