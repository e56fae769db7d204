/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The view under its sequence lock: whole or not at all, and the last one when nobody writes.
 */
#include "../engine/daemon/published_view.h"

#include <glib.h>
#include <pthread.h>

#include "check.h"

struct reading {
    struct published_view published;
    atomic_bool is_over;
    unsigned whole, torn;
};

static void *keep_reading(void *context)
{
    struct reading *reading = context;
    while (!atomic_load(&reading->is_over)) {
        struct server_view view;
        if (published_view_get(&reading->published, &view)) {
            bool is_whole = view.reference_time.ticks == (uint64_t)view.as_of.ticks &&
                            view.refid == (uint32_t)view.reference_time.ticks;
            reading->whole += is_whole;
            reading->torn += !is_whole;
        }
    }
    return NULL;
}

static void view_is_read_whole_or_not_at_all(void)
{
    static struct reading reading;
    pthread_t id;
    struct server_view view = {.leap = 0};
    CHECK(!published_view_get(&reading.published, &view));
    CHECK_INT(pthread_create(&id, NULL, keep_reading, &reading), 0);
    int64_t end_us = g_get_monotonic_time() + 200000;
    for (uint64_t i = 1; i % 256 != 0 || g_get_monotonic_time() < end_us; i++) {
        view.reference_time.ticks = i * UINT64_C(0x9E3779B97F4A7C15);
        view.as_of.ticks = (int64_t)view.reference_time.ticks;
        view.refid = (uint32_t)view.reference_time.ticks;
        published_view_set(&reading.published, &view);
    }
    g_usleep(10000);
    atomic_store(&reading.is_over, true);
    pthread_join(id, NULL);
    CHECK_INT(reading.torn, 0);
    CHECK(reading.whole > 0);
}

/* A reader goes on with what he has: it must not be half of another. */
static void view_that_is_being_changed_leaves_the_readers_copy_alone(void)
{
    static struct published_view published;
    struct server_view view = {.stratum = 2}, seen = {.stratum = 9};
    published_view_set(&published, &view);
    atomic_fetch_add(&published.sequence, 1); /* the writer is at its words */
    CHECK(!published_view_get(&published, &seen));
    CHECK_INT(seen.stratum, 9);
    atomic_fetch_add(&published.sequence, 1);
    CHECK(published_view_get(&published, &seen));
    CHECK_INT(seen.stratum, 2);
    view.stratum = 3;
    published_view_set(&published, &view);
    CHECK(published_view_get(&published, &seen));
    CHECK_INT(seen.stratum, 3);
}

const struct test_case published_view_tests[] = {
    {"view_is_read_whole_or_not_at_all", view_is_read_whole_or_not_at_all},
    {"view_that_is_being_changed_leaves_the_readers_copy_alone",
     view_that_is_being_changed_leaves_the_readers_copy_alone},
    {NULL, NULL}};
