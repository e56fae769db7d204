/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A sequence lock without fences: each word is released after the sequence became odd and acquired
 * before it is looked at again, so a reader that has seen one new word sees the odd sequence too.
 */
#include "published_view.h"

#include <string.h>

/* A reader that meets the writer this often goes on with what he has. */
enum { TRIES = 4 };

static void advance(struct published_view *published)
{
    unsigned sequence = atomic_load_explicit(&published->sequence, memory_order_relaxed);
    atomic_store_explicit(&published->sequence, sequence + 1, memory_order_release);
}

void published_view_set(struct published_view *published, const struct server_view *view)
{
    uint64_t words[VIEW_WORDS] = {0};
    memcpy(words, view, sizeof *view);
    advance(published);
    for (unsigned i = 0; i < VIEW_WORDS; i++) {
        atomic_store_explicit(&published->words[i], words[i], memory_order_release);
    }
    advance(published);
}

bool published_view_get(struct published_view *published, struct server_view *view)
{
    for (unsigned try = 0; try < TRIES; try++) {
        uint64_t words[VIEW_WORDS];
        unsigned before = atomic_load_explicit(&published->sequence, memory_order_acquire);
        for (unsigned i = 0; i < VIEW_WORDS; i++) {
            words[i] = atomic_load_explicit(&published->words[i], memory_order_acquire);
        }
        unsigned after = atomic_load_explicit(&published->sequence, memory_order_relaxed);
        if (before == after && before % 2 == 0) {
            memcpy(view, words, sizeof *view);
            return before != 0;
        }
    }
    return false;
}
