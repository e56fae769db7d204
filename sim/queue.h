/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The event queue, by (when, sequence): equal times leave in the order they entered.
 *
 * A 4-ary heap as long as few entries wait. A heap of many costs a comparison that nobody can
 * predict at every level, and one of very many a walk through cold memory; so then it keeps the
 * present second only. Later seconds wait unsorted, each in a bin of its own, and what lies beyond
 * the last bin in one list. Where an entry waits never decides when it leaves.
 *
 * Most events cause one that is soon due, so what leaves the top of the heap leaves a gap there
 * first: the next push falls into it and mostly stays. Only a look at the queue closes it.
 *
 * Pushes amortise one allocation per doubling; looks allocate only when the heap grows.
 */
#ifndef HOLDFAST_QUEUE_H
#define HOLDFAST_QUEUE_H

#include <assert.h>
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim_time.h"

enum { QUEUE_BINS = 1024, QUEUE_HEAP_MAX = 16 };

struct queue_entry {
    int64_t when;      /* true time, ticks */
    uint64_t sequence; /* of the push: breaks ties */
    uint32_t kind;     /* the world's business */
    uint32_t slot;
};

struct queue_list {
    struct queue_entry *entries;
    size_t count, room;
};

struct queue {
    struct queue_list heap;             /* seconds before bins_begin, and maybe a gap */
    struct queue_list bins[QUEUE_BINS]; /* seconds bins_begin ... bins_end - 1, by remainder */
    struct queue_list rest;             /* seconds from bins_end on */
    uint64_t occupied[QUEUE_BINS / 64]; /* bins that are not empty, by bit */
    uint64_t bins_begin, bins_end;      /* UINT64_MAX until the heap was too large once */
    uint64_t next_sequence;
    size_t count; /* of all */
    bool has_gap; /* the top of the heap has left; it still counts in heap.count */
};

static inline bool queue_less(const struct queue_entry *a, const struct queue_entry *b)
{
    return a->when < b->when || (a->when == b->when && a->sequence < b->sequence);
}

/* Whole seconds, counted from the beginning of representable time. */
static inline uint64_t queue_second(int64_t when)
{
    return ((uint64_t)when ^ (UINT64_C(1) << 63)) >> 32;
}

/* The rest of a push and of a pop; the cold ones are to stay out of the paths of every event. */
void queue_put_off(struct queue *q, const struct queue_entry *entry);
void queue_refill(struct queue *q);
void queue_grow(struct queue_list *list) __attribute__((cold));
void queue_spread(struct queue *q) __attribute__((cold));

/* Makes room for one more entry, which the caller writes; returns its place. */
static inline size_t queue_extend(struct queue_list *list)
{
    if (list->count == list->room) {
        queue_grow(list);
    }
    return list->count++;
}

/* Adds an entry to the heap: at its end, and from there up to where it belongs. */
static inline void queue_rise(struct queue_list *heap, const struct queue_entry *entry)
{
    size_t i = queue_extend(heap);
    while (i > 0) {
        size_t parent = (i - 1) / 4;
        if (!queue_less(entry, &heap->entries[parent])) {
            break;
        }
        heap->entries[i] = heap->entries[parent];
        i = parent;
    }
    heap->entries[i] = *entry;
}

/* The earliest of the children of entry i, which has some. */
static inline struct queue_entry *queue_least_child(const struct queue_list *heap, size_t i)
{
    size_t first = 4 * i + 1;
    size_t end = first + 4 < heap->count ? first + 4 : heap->count;
    struct queue_entry *least = &heap->entries[first];
    for (struct queue_entry *child = least + 1; child < heap->entries + end; child++) {
        if (queue_less(child, least)) {
            least = child;
        }
    }
    return least;
}

/* Puts `entry` into the gap at the top of the heap, or below it. */
static inline void queue_sink(struct queue_list *heap, struct queue_entry entry)
{
    size_t i = 0;
    while (4 * i + 1 < heap->count) {
        struct queue_entry *least = queue_least_child(heap, i);
        if (!queue_less(least, &entry)) {
            break;
        }
        heap->entries[i] = *least;
        i = (size_t)(least - heap->entries);
    }
    heap->entries[i] = entry;
}

void queue_init(struct queue *q);
void queue_clear(struct queue *q);

static inline void queue_push(struct queue *q, sim_time when, uint32_t kind, uint32_t slot)
{
    struct queue_entry entry = {when.ticks, q->next_sequence++, kind, slot};
    q->count++;
    if (queue_second(when.ticks) >= q->bins_begin) {
        queue_put_off(q, &entry);
        return;
    }
    if (q->has_gap) {
        q->has_gap = false;
        queue_sink(&q->heap, entry);
        return;
    }
    queue_rise(&q->heap, &entry);
    if (q->heap.count > QUEUE_HEAP_MAX && q->bins_begin == UINT64_MAX) {
        queue_spread(q);
    }
}

/* Of a queue that is not empty. */
static inline void queue_close_gap(struct queue *q)
{
    struct queue_list *heap = &q->heap;
    q->has_gap = false;
    if (--heap->count > 0) {
        queue_sink(heap, heap->entries[heap->count]);
    } else {
        queue_refill(q);
    }
}

/* The earliest entry, valid until the next push or pop; the queue must not be empty. */
static inline const struct queue_entry *queue_first(struct queue *q)
{
    assert(q->count > 0);
    if (q->has_gap) {
        queue_close_gap(q);
    }
    return &q->heap.entries[0];
}

/* Takes the earliest entry; the queue must not be empty. */
static inline struct queue_entry queue_pop(struct queue *q)
{
    struct queue_entry top = *queue_first(q);
    q->count--;
    q->has_gap = true;
    return top;
}

/* What will come next after a pop unless something earlier is pushed; NULL when it takes more than
 * a look at the top of the heap to know. */
static inline const struct queue_entry *queue_next(const struct queue *q)
{
    return q->has_gap && q->heap.count > 1 ? queue_least_child(&q->heap, 0) : NULL;
}

#endif
