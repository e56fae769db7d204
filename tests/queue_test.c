/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The event queue against the order it promises: by time, and by entry where times are equal.
 */
#include "../sim/queue.h"

#include "../sim/rng.h"
#include "check.h"

static void entries_leave_in_order_of_time(void)
{
    enum { N = 10000 };
    struct queue queue;
    struct rng_state stream;
    rng_seed(&stream, 1, 2, 3);
    queue_init(&queue);
    for (uint32_t i = 0; i < N; i++) {
        int64_t when = (int64_t)(rng_next(&stream) >> 1) - INT64_MAX / 2;
        queue_push(&queue, (sim_time){when}, 1, i);
    }
    CHECK_INT(queue.count, N);
    int64_t last = INT64_MIN;
    unsigned disorders = 0;
    bool was_seen[N] = {false};
    for (uint32_t i = 0; i < N; i++) {
        struct queue_entry entry = queue_pop(&queue);
        disorders += entry.when < last;
        last = entry.when;
        was_seen[entry.slot] = true;
    }
    CHECK_INT(disorders, 0);
    CHECK_INT(queue.count, 0);
    for (uint32_t i = 0; i < N; i++) {
        disorders += !was_seen[i];
    }
    CHECK_INT(disorders, 0);
    queue_clear(&queue);
}

static void equal_times_leave_in_order_of_entry(void)
{
    enum { N = 5000, TIMES = 7 };
    struct queue queue;
    uint32_t last[TIMES] = {0};
    queue_init(&queue);
    for (uint32_t i = 1; i <= N; i++) {
        queue_push(&queue, (sim_time){i * 31 % TIMES}, 0, i);
    }
    unsigned disorders = 0;
    for (uint32_t i = 1; i <= N; i++) {
        struct queue_entry entry = queue_pop(&queue);
        disorders += entry.slot <= last[entry.when];
        last[entry.when] = entry.slot;
    }
    CHECK_INT(disorders, 0);
    queue_clear(&queue);
}

/* As a simulation uses it: what is pushed lies ahead of what was popped. Against a list kept by
 * insertion. */
static void pushes_between_pops_keep_the_order(void)
{
    enum { STEPS = 3000, ROOM = 200 };
    struct queue queue;
    struct queue_entry list[ROOM];
    unsigned count = 0, differences = 0;
    uint32_t next = 0;
    struct rng_state stream;
    rng_seed(&stream, 4, 5, 6);
    queue_init(&queue);
    int64_t now = 0;
    for (unsigned step = 0; step < STEPS; step++) {
        bool pushes = count == 0 || (count < ROOM && rng_uniform(&stream) < 0.52);
        if (pushes) {
            int64_t when = now + (int64_t)(rng_next(&stream) % 50);
            unsigned place = count++;
            for (; place > 0 && list[place - 1].when > when; place--) {
                list[place] = list[place - 1];
            }
            list[place] = (struct queue_entry){.when = when, .slot = next};
            queue_push(&queue, (sim_time){when}, 2, next++);
        } else {
            struct queue_entry entry = queue_pop(&queue);
            differences += entry.slot != list[0].slot || entry.when != list[0].when;
            now = entry.when;
            memmove(list, list + 1, --count * sizeof list[0]);
        }
    }
    CHECK_INT(differences, 0);
    CHECK_INT(queue.count, count);
    queue_clear(&queue);
}

/* Thousands of entries, most of them in later seconds, some in the present one, some beyond the
 * last bin, many at equal times. */
static void entries_of_many_seconds_leave_in_order(void)
{
    enum { N = 20000, SPAN_S = 3 * QUEUE_BINS };
    struct queue queue;
    struct rng_state stream;
    uint64_t last_sequence = 0;
    unsigned pushed = 0, popped = 0, disorders = 0;
    rng_seed(&stream, 7, 8, 9);
    queue_init(&queue);
    int64_t now = 0;
    while (popped < N) {
        bool pushes = pushed < N && (queue.count < 2000 || rng_uniform(&stream) < 0.5);
        if (pushes) {
            uint64_t draw = rng_next(&stream);
            int64_t ahead = draw % 4 == 0 ? 1 : (int64_t)(draw >> 8) % SPAN_S;
            queue_push(&queue, (sim_time){now + ahead * (INT64_C(1) << 31)}, 0, pushed++);
            continue;
        }
        int64_t first = queue_first(&queue)->when;
        struct queue_entry entry = queue_pop(&queue);
        disorders += entry.when != first || entry.when < now ||
                     (popped > 0 && entry.when == now && entry.sequence < last_sequence);
        last_sequence = entry.sequence;
        now = entry.when;
        popped++;
    }
    CHECK_INT(disorders, 0);
    CHECK_INT(queue.count, 0);
    queue_clear(&queue);
}

static void a_queue_that_ran_empty_begins_anew(void)
{
    struct queue queue;
    queue_init(&queue);
    for (int i = 0; i < 100; i++) {
        queue_push(&queue, (sim_time){(int64_t)i << 32}, 0, (uint32_t)i);
    }
    CHECK(queue.bins_begin != UINT64_MAX); /* most of them are put off */
    for (int i = 0; i < 100; i++) {
        CHECK_INT(queue_pop(&queue).slot, i);
    }
    queue_push(&queue, (sim_time){INT64_C(105) << 32}, 0, 5);
    CHECK_INT(queue_first(&queue)->slot, 5);
    queue_push(&queue, (sim_time){INT64_C(103) << 32}, 0, 3);
    CHECK_INT(queue_first(&queue)->slot, 3);
    CHECK_INT(queue_pop(&queue).slot, 3);
    CHECK_INT(queue_pop(&queue).slot, 5);
    CHECK_INT(queue.count, 0);
    queue_clear(&queue);
}

static void what_a_pop_left_at_the_top_tells_what_comes_next(void)
{
    static const int64_t times[] = {10, 30, 20, 40, 50, 60};
    struct queue queue;
    queue_init(&queue);
    for (uint32_t i = 0; i < 6; i++) {
        queue_push(&queue, (sim_time){times[i]}, 0, i);
    }
    CHECK(queue_next(&queue) == NULL); /* that is queue_first() */
    CHECK_INT(queue_pop(&queue).when, 10);
    CHECK_INT(queue_next(&queue)->when, 20);
    CHECK_INT(queue.count, 5);
    queue_push(&queue, (sim_time){15}, 0, 6);
    CHECK(queue_next(&queue) == NULL);
    CHECK_INT(queue_pop(&queue).when, 15);
    queue_push(&queue, (sim_time){INT64_C(7) << 32}, 0, 7); /* below all others */
    for (int64_t when = 20; when <= 60; when += 10) {
        CHECK_INT(queue_pop(&queue).when, when);
    }
    CHECK_INT(queue_next(&queue)->slot, 7);
    CHECK_INT(queue_pop(&queue).slot, 7);
    CHECK(queue_next(&queue) == NULL);
    CHECK_INT(queue.count, 0);
    queue_clear(&queue);
}

static void an_entry_keeps_its_business(void)
{
    struct queue queue;
    queue_init(&queue);
    queue_push(&queue, (sim_time){5}, 77, 88);
    struct queue_entry entry = queue_pop(&queue);
    CHECK_INT(entry.when, 5);
    CHECK_INT(entry.kind, 77);
    CHECK_INT(entry.slot, 88);
    queue_clear(&queue);
    CHECK(queue.heap.entries == NULL);
    CHECK_INT(queue.heap.room, 0);
}

const struct test_case queue_tests[] = {
    {"entries leave in order of time", entries_leave_in_order_of_time},
    {"what a pop left at the top tells what comes next",
     what_a_pop_left_at_the_top_tells_what_comes_next},
    {"equal times leave in order of entry", equal_times_leave_in_order_of_entry},
    {"pushes between pops keep the order", pushes_between_pops_keep_the_order},
    {"entries of many seconds leave in order", entries_of_many_seconds_leave_in_order},
    {"a queue that ran empty begins anew", a_queue_that_ran_empty_begins_anew},
    {"an entry keeps its business", an_entry_keeps_its_business},
    {NULL, NULL}};
