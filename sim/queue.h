/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The event queue: a 4-ary heap of (when, sequence). Equal times leave in the order they entered.
 *
 * Pushes amortise one allocation per doubling; pops allocate nothing.
 */
#ifndef HOLDFAST_QUEUE_H
#define HOLDFAST_QUEUE_H

#include <assert.h>
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim_time.h"

struct queue_entry {
    int64_t when;      /* true time, ticks */
    uint64_t sequence; /* of the push: breaks ties */
    uint32_t kind;     /* the world's business */
    uint32_t slot;
};

struct queue {
    struct queue_entry *heap;
    size_t count, room;
    uint64_t next_sequence;
};

static inline bool queue_less(const struct queue_entry *a, const struct queue_entry *b)
{
    return a->when < b->when || (a->when == b->when && a->sequence < b->sequence);
}

static inline void queue_init(struct queue *q)
{
    *q = (struct queue){0};
}

static inline void queue_clear(struct queue *q)
{
    g_free(q->heap);
    *q = (struct queue){0};
}

static inline void queue_push(struct queue *q, sim_time when, uint32_t kind, uint32_t slot)
{
    if (q->count == q->room) {
        q->room = q->room ? 2 * q->room : 64;
        q->heap = g_renew(struct queue_entry, q->heap, q->room);
    }
    struct queue_entry entry = {when.ticks, q->next_sequence++, kind, slot};
    size_t i = q->count++;
    while (i > 0) {
        size_t parent = (i - 1) / 4;
        if (!queue_less(&entry, &q->heap[parent])) {
            break;
        }
        q->heap[i] = q->heap[parent];
        i = parent;
    }
    q->heap[i] = entry;
}

/* The earliest entry; the queue must not be empty. */
static inline struct queue_entry queue_pop(struct queue *q)
{
    assert(q->count > 0);
    struct queue_entry top = q->heap[0];
    struct queue_entry last = q->heap[--q->count];
    size_t i = 0;
    for (;;) {
        size_t first = 4 * i + 1;
        size_t end = first + 4 < q->count ? first + 4 : q->count;
        size_t least = first;
        if (first >= q->count) {
            break;
        }
        for (size_t child = first + 1; child < end; child++) {
            if (queue_less(&q->heap[child], &q->heap[least])) {
                least = child;
            }
        }
        if (!queue_less(&q->heap[least], &last)) {
            break;
        }
        q->heap[i] = q->heap[least];
        i = least;
    }
    if (q->count > 0) {
        q->heap[i] = last;
    }
    return top;
}

#endif
