/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Leap seconds by a list: what it says of a day, and what an engine that has it announces and arms,
 * whatever its sources announce. Whole engines on a wire.
 */
#include "../engine/leap.h"

#include "check.h"
#include "wire.h"

#define MIDNIGHT_S INT64_C(1830297600) /* 2028-01-01 */
#define DAY_S 86400

static struct leap_list list_of(uint8_t kind)
{
    return (struct leap_list){.expires_s = MIDNIGHT_S + 100 * DAY_S,
                              .count = kind == LEAP_NONE ? 0 : 1,
                              .leaps = {{MIDNIGHT_S, kind}}};
}

static void a_list_tells_of_the_day_that_ends_with_the_leap_and_of_no_other(void)
{
    static const struct leap_list list = {
        .expires_s = MIDNIGHT_S + 1000 * (int64_t)DAY_S,
        .count = 3,
        .leaps = {{MIDNIGHT_S - 184 * (int64_t)DAY_S, LEAP_INSERT},
                  {MIDNIGHT_S, LEAP_DELETE},
                  {UINT32_MAX - NTP_UNIX_OFFSET_S + 1 + 63104, LEAP_INSERT}}}; /* 2036-02-08 */
    ntp_time midnight = ntp_from_unix_s(MIDNIGHT_S);
    CHECK_INT(leap_list_today(&list, ntp_add_s(midnight, -DAY_S)), LEAP_DELETE);
    CHECK_INT(leap_list_today(&list, ntp_add_ticks(midnight, -1)), LEAP_DELETE);
    CHECK_INT(leap_list_today(&list, midnight), LEAP_NONE);
    CHECK_INT(leap_list_today(&list, ntp_add_s(midnight, -DAY_S - 1e-6)), LEAP_NONE);
    CHECK_INT(leap_list_today(&list, ntp_add_s(midnight, -184.5 * DAY_S)), LEAP_INSERT);
    CHECK_INT(leap_list_today(&list, NTP_TIME_ZERO), LEAP_INSERT); /* in the next era */
}

static void a_list_is_valid_until_it_expires_and_none_never_is(void)
{
    struct leap_list list = list_of(LEAP_NONE), none = {.count = 0};
    ntp_time end = ntp_from_unix_s(list.expires_s);
    CHECK(leap_list_is_valid(&list, ntp_add_ticks(end, -1)));
    CHECK(!leap_list_is_valid(&list, end));
    CHECK(!leap_list_is_valid(&none, ntp_from_unix_s(TIMESTAMP_PIVOT_UNIX_S)));
}

static void lists_are_equal_when_they_say_the_same(void)
{
    struct leap_list a = list_of(LEAP_INSERT), b = a;
    b.leaps[5].kind = LEAP_DELETE; /* beyond its count */
    CHECK(leap_list_equal(&a, &b));
    b.leaps[0].kind = LEAP_DELETE;
    CHECK(!leap_list_equal(&a, &b));
    b = a;
    b.leaps[0].at_s++;
    CHECK(!leap_list_equal(&a, &b));
    b = a;
    b.expires_s++;
    CHECK(!leap_list_equal(&a, &b));
    b = a;
    b.count++;
    CHECK(!leap_list_equal(&a, &b));
}

/* ---- engines ---- */

/* One node with three upstreams that announce `told`, started `before_s` ahead of midnight with
 * what `list` says, and run for ten minutes. */
static struct wire *begun(const struct leap_list *list, uint8_t told, double before_s)
{
    struct wire *w = wire_new();
    struct wire_node *n = wire_add_node(w, wire_address(10, 0, 0, 1));
    for (uint8_t i = 1; i <= 3; i++) {
        wire_add_upstream(w, wire_address(198, 51, 100, i))->leap = told;
        wire_add_line(n, ASSOCIATION_SERVER, wire_address(198, 51, 100, i))->maxpoll = 6;
    }
    w->now = ticks_from_s((double)(MIDNIGHT_S - WIRE_START_UNIX_S) - before_s);
    n->read = w->now;
    n->clock = wire_true_time(w);
    n->config.drift_ppm = 0.0;
    n->config.leaps = *list;
    wire_start(n);
    wire_run(w, wire_s(w) + 600.0);
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    return w;
}

/* What is told to clients, and what the clock is told. */
static void check_leap(const struct wire *w, uint8_t leap, unsigned line)
{
    const struct wire_node *n = &w->nodes[0];
    check_integer(engine_server_view(n->engine)->leap, leap, "announced", __FILE__, line);
    check_integer(n->armed_leap, leap, "armed", __FILE__, line);
}

#define CHECK_LEAP(w, leap) check_leap((w), (leap), __LINE__)

static void run_until(struct wire *w, double after_midnight_s)
{
    wire_run(w, (double)(MIDNIGHT_S - WIRE_START_UNIX_S) + after_midnight_s);
}

static void a_list_announces_while_every_source_is_silent(void)
{
    static const uint8_t kinds[] = {LEAP_INSERT, LEAP_DELETE};
    for (unsigned i = 0; i < 2; i++) {
        struct leap_list list = list_of(kinds[i]);
        struct wire *w = begun(&list, LEAP_NONE, 43200.0);
        CHECK_LEAP(w, kinds[i]);
        CHECK_INT(w->nodes[0].leap_commands, 1);
        wire_free(w);
    }
}

static void a_list_overrules_sources_that_announce(void)
{
    static const uint8_t kinds[] = {LEAP_NONE, LEAP_DELETE};
    for (unsigned i = 0; i < 2; i++) {
        struct leap_list list = list_of(kinds[i]);
        struct wire *w = begun(&list, LEAP_INSERT, 43200.0);
        CHECK_LEAP(w, kinds[i]);
        wire_free(w);
    }
}

static void an_expired_list_leaves_it_to_the_majority(void)
{
    struct leap_list list = list_of(LEAP_INSERT);
    list.expires_s = MIDNIGHT_S - 43200; /* the very second in which it is looked at */
    struct wire *w = begun(&list, LEAP_NONE, 43200.0);
    CHECK_LEAP(w, LEAP_NONE);
    wire_free(w);
    w = begun(&list, LEAP_DELETE, 43200.0);
    CHECK_LEAP(w, LEAP_DELETE);
    wire_free(w);
}

static void nothing_is_announced_before_the_last_day(void)
{
    struct leap_list list = list_of(LEAP_INSERT);
    struct wire *w = begun(&list, LEAP_INSERT, DAY_S + 3600.0);
    CHECK_LEAP(w, LEAP_NONE);
    run_until(w, -DAY_S - 1.0);
    CHECK_LEAP(w, LEAP_NONE);
    CHECK_INT(w->nodes[0].leap_commands, 0);
    run_until(w, -DAY_S + 600.0);
    CHECK_LEAP(w, LEAP_INSERT);
    wire_free(w);
}

/* A list that no calendar allows: the kernel would insert at any midnight. */
static void a_leap_within_a_month_is_not_announced(void)
{
    struct leap_list list = list_of(LEAP_INSERT);
    list.leaps[0].at_s -= DAY_S;
    struct wire *w = begun(&list, LEAP_NONE, DAY_S + 3600.0);
    CHECK_LEAP(w, LEAP_NONE);
    wire_free(w);
}

/* The inserted second is the day's last one over again. */
static void what_has_happened_is_not_announced_again(void)
{
    struct leap_list list = list_of(LEAP_INSERT);
    struct wire *w = begun(&list, LEAP_INSERT, 3600.0);
    struct wire_node *n = &w->nodes[0];
    struct effects out;
    run_until(w, 0.001);
    CHECK_LEAP(w, LEAP_INSERT); /* late, but not over: the kernel is about to do it */
    wire_clock(n);
    n->clock = ntp_add_s(n->clock, -1.0);
    engine_clock_event(n->engine, wire_instant(n), CLOCK_LEAPT, -1.0, &out);
    CHECK_INT(engine_server_view(n->engine)->leap, LEAP_NONE);
    n->armed_leap = LEAP_NONE; /* the kernel's flag falls by itself */
    n->engine->needs_leap = true;
    wire_expire(n);
    CHECK_LEAP(w, LEAP_NONE);
    for (int i = 0; i < w->upstream_count; i++) {
        w->upstreams[i].offset_s = -1.0; /* theirs too */
    }
    run_until(w, 3600.0);
    CHECK_LEAP(w, LEAP_NONE);
    CHECK_INT(n->leap_commands, 1);
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    CHECK_INT(n->steps, 0);
    wire_free(w);
}

static void what_did_not_happen_is_disarmed_after_midnight(void)
{
    struct leap_list list = list_of(LEAP_INSERT);
    struct wire *w = begun(&list, LEAP_NONE, 3600.0);
    run_until(w, 1.0);
    CHECK_LEAP(w, LEAP_INSERT);
    run_until(w, 600.0);
    CHECK_LEAP(w, LEAP_NONE);
    CHECK_INT(w->nodes[0].leap_commands, 2);
    wire_free(w);
}

static void cut(struct wire *w)
{
    for (int i = 0; i < w->upstream_count; i++) {
        w->upstreams[i].is_cut = true;
    }
}

static void holdover_keeps_an_armed_leap_until_its_midnight_is_past(void)
{
    struct leap_list list = list_of(LEAP_INSERT);
    struct wire *w = begun(&list, LEAP_NONE, 20000.0);
    cut(w);
    run_until(w, 0.5);
    CHECK_INT(wire_state(&w->nodes[0]), STATE_HOLDOVER);
    CHECK_LEAP(w, LEAP_INSERT);
    run_until(w, 1000.0);
    CHECK_INT(wire_state(&w->nodes[0]), STATE_HOLDOVER);
    CHECK_LEAP(w, LEAP_NONE);
    wire_free(w);
}

static void holdover_invents_no_leap(void)
{
    struct leap_list list = list_of(LEAP_INSERT);
    struct wire *w = begun(&list, LEAP_INSERT, DAY_S + 20000.0);
    cut(w);
    run_until(w, -43200.0);
    CHECK_INT(wire_state(&w->nodes[0]), STATE_HOLDOVER);
    CHECK_LEAP(w, LEAP_NONE);
    CHECK_INT(w->nodes[0].leap_commands, 0);
    wire_free(w);
}

/* The same lines with another list, as the daemon goes on after SIGHUP. */
static void reload(struct wire *w, const struct leap_list *list)
{
    struct wire_node *n = &w->nodes[0];
    size_t size = engine_size(&n->config);
    uint8_t *memory = aligned_alloc(16, size + WIRE_GUARD);
    memset(memory, 0xA5, size + WIRE_GUARD);
    n->config.leaps = *list;
    n->engine = engine_adopt(memory, &n->config, n->engine, wire_instant(n));
    free(n->memory);
    n->memory = memory;
    wire_expire(n);
    wire_run(w, wire_s(w) + 1.0); /* before any poll */
}

static void another_list_holds_as_soon_as_it_is_loaded(void)
{
    struct leap_list inserts = list_of(LEAP_INSERT), deletes = list_of(LEAP_DELETE),
                     nothing = list_of(LEAP_NONE), none = {.count = 0};
    struct wire *w = begun(&none, LEAP_NONE, 43200.0);
    CHECK_LEAP(w, LEAP_NONE);
    reload(w, &inserts);
    CHECK_LEAP(w, LEAP_INSERT);
    reload(w, &inserts);
    CHECK_LEAP(w, LEAP_INSERT);
    CHECK_INT(w->nodes[0].leap_commands, 1);
    reload(w, &deletes);
    CHECK_LEAP(w, LEAP_DELETE);
    reload(w, &none); /* as it stands until sources are heard, who announce nothing */
    CHECK_LEAP(w, LEAP_DELETE);
    wire_run(w, wire_s(w) + 600.0);
    CHECK_LEAP(w, LEAP_NONE);
    reload(w, &inserts);
    reload(w, &nothing);
    CHECK_LEAP(w, LEAP_NONE);
    wire_free(w);
}

static void another_list_in_holdover_changes_nothing(void)
{
    struct leap_list inserts = list_of(LEAP_INSERT), nothing = list_of(LEAP_NONE);
    struct wire *w = begun(&inserts, LEAP_NONE, 43200.0);
    cut(w);
    wire_run(w, wire_s(w) + 2000.0);
    CHECK_INT(wire_state(&w->nodes[0]), STATE_HOLDOVER);
    reload(w, &nothing);
    CHECK_LEAP(w, LEAP_INSERT);
    wire_free(w);
    w = begun(&nothing, LEAP_NONE, 43200.0);
    cut(w);
    wire_run(w, wire_s(w) + 2000.0);
    CHECK_INT(wire_state(&w->nodes[0]), STATE_HOLDOVER);
    reload(w, &inserts);
    CHECK_LEAP(w, LEAP_NONE);
    wire_free(w);
}

static void a_long_poll_does_not_hide_the_last_day(void)
{
    struct leap_list list = list_of(LEAP_INSERT);
    struct wire *w = begun(&list, LEAP_NONE, 20.0 * DAY_S);
    struct wire_node *n = &w->nodes[0];
    for (int i = 0; i < 3; i++) {
        n->lines[i].maxpoll = 17;
    }
    run_until(w, -DAY_S - 10.0);
    CHECK(n->engine->discipline.poll >= 15);
    CHECK_LEAP(w, LEAP_NONE);
    run_until(w, -DAY_S + 8400.0);
    CHECK_LEAP(w, LEAP_INSERT);
    wire_free(w);
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
const struct test_case leap_tests[] = {
    CASE(a_list_tells_of_the_day_that_ends_with_the_leap_and_of_no_other),
    CASE(a_list_is_valid_until_it_expires_and_none_never_is),
    CASE(lists_are_equal_when_they_say_the_same),
    CASE(a_list_announces_while_every_source_is_silent),
    CASE(a_list_overrules_sources_that_announce),
    CASE(an_expired_list_leaves_it_to_the_majority),
    CASE(nothing_is_announced_before_the_last_day),
    CASE(a_leap_within_a_month_is_not_announced),
    CASE(what_has_happened_is_not_announced_again),
    CASE(what_did_not_happen_is_disarmed_after_midnight),
    CASE(holdover_keeps_an_armed_leap_until_its_midnight_is_past),
    CASE(holdover_invents_no_leap),
    CASE(another_list_holds_as_soon_as_it_is_loaded),
    CASE(another_list_in_holdover_changes_nothing),
    CASE(a_long_poll_does_not_hide_the_last_day),
    {NULL, NULL},
};
