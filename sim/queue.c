/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a queue of very many entries does with those that are not due within the present second; see
 * queue.h. Never decides an order: that is the heap's.
 */
#include "queue.h"

static size_t bin_of(uint64_t second)
{
    return second % QUEUE_BINS;
}

void queue_init(struct queue *q)
{
    *q = (struct queue){.bins_begin = UINT64_MAX, .bins_end = UINT64_MAX};
}

void queue_clear(struct queue *q)
{
    g_free(q->heap.entries);
    g_free(q->rest.entries);
    for (size_t i = 0; i < QUEUE_BINS; i++) {
        g_free(q->bins[i].entries);
    }
    queue_init(q);
}

void queue_grow(struct queue_list *list)
{
    list->room = list->room ? 2 * list->room : 4;
    list->entries = g_renew(struct queue_entry, list->entries, list->room);
}

static void append(struct queue_list *list, const struct queue_entry *entry)
{
    size_t place = queue_extend(list);
    list->entries[place] = *entry;
}

void queue_put_off(struct queue *q, const struct queue_entry *entry)
{
    uint64_t second = queue_second(entry->when);
    if (second >= q->bins_end) {
        append(&q->rest, entry);
        return;
    }
    size_t bin = bin_of(second);
    append(&q->bins[bin], entry);
    q->occupied[bin / 64] |= UINT64_C(1) << bin % 64;
}

/* Gives every entry of `list`, whose memory is given back, its place by the present bounds. */
static void sort_out(struct queue *q, struct queue_list list)
{
    for (size_t i = 0; i < list.count; i++) {
        const struct queue_entry *entry = &list.entries[i];
        if (queue_second(entry->when) >= q->bins_begin) {
            queue_put_off(q, entry);
        } else {
            queue_rise(&q->heap, entry);
        }
    }
    g_free(list.entries);
}

static void set_bins(struct queue *q, uint64_t begin)
{
    q->bins_begin = begin;
    q->bins_end = begin + QUEUE_BINS;
}

void queue_spread(struct queue *q)
{
    struct queue_list all = q->heap;
    q->heap = (struct queue_list){0};
    set_bins(q, queue_second(all.entries[0].when) + 1);
    sort_out(q, all);
}

/* The first second whose bin is not empty; bins_end when there is none. */
static uint64_t first_occupied(const struct queue *q)
{
    uint64_t second = q->bins_begin;
    while (second < q->bins_end) {
        size_t bin = bin_of(second);
        uint64_t bits = q->occupied[bin / 64] >> bin % 64;
        if (bits != 0) {
            return second + (uint64_t)__builtin_ctzll(bits);
        }
        second += 64 - bin % 64;
    }
    return q->bins_end;
}

/* What was beyond the last bin now begins with the first. */
static void advance_bins(struct queue *q)
{
    struct queue_list rest = q->rest;
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < rest.count; i++) {
        uint64_t second = queue_second(rest.entries[i].when);
        first = second < first ? second : first;
    }
    q->rest = (struct queue_list){0};
    set_bins(q, first);
    sort_out(q, rest);
}

void queue_refill(struct queue *q)
{
    uint64_t second = first_occupied(q);
    if (second == q->bins_end) {
        advance_bins(q);
        second = q->bins_begin;
    }
    size_t bin = bin_of(second);
    q->bins_begin = second + 1;
    q->occupied[bin / 64] &= ~(UINT64_C(1) << bin % 64);
    for (size_t i = 0; i < q->bins[bin].count; i++) {
        queue_rise(&q->heap, &q->bins[bin].entries[i]);
    }
    q->bins[bin].count = 0;
}
