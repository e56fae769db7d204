/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names: when they are looked up, which of the addresses are used, and what happens to them when
 * the server behind one falls silent.
 */
#include "check.h"
#include "wire.h"

static const uint8_t one_to_six[] = {1, 2, 3, 4, 5, 6};

/* Node 0 with one line of that kind, a name; six live upstreams are 198.51.100.1 to 6. */
static struct wire *named(enum association_kind kind)
{
    struct wire *w = wire_new();
    struct wire_node *n = wire_add_node(w, wire_address(10, 0, 0, 1));
    struct association_config *line = wire_add_line(n, kind, (struct address){0});
    line->is_numeric = false;
    line->name = "time.example";
    line->maxpoll = 6;
    n->config.drift_ppm = 0.0;
    for (int i = 0; i < 6; i++) {
        wire_add_upstream(w, wire_address(198, 51, 100, one_to_six[i]));
    }
    return w;
}

static bool uses(const struct wire_node *n, int source, uint8_t last)
{
    const struct source *s = &n->engine->sources[source];
    struct address address = wire_address(198, 51, 100, last);
    return s->is_resolved && address_equal(&s->peer.address, &address);
}

static void a_name_is_asked_for_at_the_start_and_polled_when_known(void)
{
    struct wire *w = named(ASSOCIATION_SERVER);
    struct wire_node *n = &w->nodes[0];
    wire_start(n);
    wire_run(w, 100.0);
    CHECK_INT(n->resolves, 1);
    CHECK_INT(n->resolve_line, 0);
    CHECK_NEAR(n->resolve_s, 0.0, 1e-9);
    CHECK_INT(n->sends, 0); /* the host takes its time, and is not asked again meanwhile */
    wire_resolved(n, 0, one_to_six, 1);
    wire_run(w, 106.0);
    CHECK_INT(n->sends, 1);
    CHECK(uses(n, 0, 1));
    wire_run(w, 5000.0);
    CHECK_INT(n->resolves, 1);
    wire_free(w);
}

static void failures_are_repeated_after_64_to_4096_s(void)
{
    struct wire *w = named(ASSOCIATION_SERVER);
    struct wire_node *n = &w->nodes[0];
    double expected = 64.0;
    wire_start(n);
    wire_run(w, 0.0);
    for (int i = 0; i < 9; i++) {
        double asked_s = wire_s(w);
        wire_resolved(n, 0, NULL, 0);
        int before = n->resolves;
        wire_run(w, asked_s + expected - 0.01);
        CHECK_INT(n->resolves, before);
        wire_run(w, asked_s + expected);
        CHECK_INT(n->resolves, before + 1);
        expected = fmin(2.0 * expected, 4096.0);
    }
    wire_free(w);
}

static void a_silent_server_gives_way_to_the_next_alternate_at_once(void)
{
    struct wire *w = named(ASSOCIATION_SERVER);
    struct wire_node *n = &w->nodes[0];
    wire_start(n);
    wire_run(w, 0.0);
    wire_resolved(n, 0, one_to_six, 3);
    wire_run(w, 2000.0);
    CHECK(uses(n, 0, 1));
    CHECK_INT(w->upstreams[1].asked, 0); /* alternates are not asked while the first one answers */
    w->upstreams[0].is_cut = true;
    while (uses(n, 0, 1) && wire_s(w) < 4000.0) {
        wire_run(w, wire_s(w) + 1.0);
    }
    CHECK(uses(n, 0, 2));
    wire_run(w, wire_s(w) + 5.0);
    CHECK_INT(w->upstreams[1].asked, 1);
    CHECK_NEAR(wire_s(w), 2000.0 + 8 * 66.0, 70.0);
    wire_run(w, wire_s(w) + 100.0);
    CHECK_INT(n->resolves, 2); /* and the name is looked up again */
    wire_free(w);
}

static void look_ups_for_a_dead_server_become_rare(void)
{
    struct wire *w = named(ASSOCIATION_SERVER);
    struct wire_node *n = &w->nodes[0];
    w->upstreams[0].is_cut = true;
    wire_start(n);
    double before_s = -1.0, gap = 0.0;
    int resolves = 0, looked = 0;
    for (int t = 0; t < 60000 && gap < 4096.0; t++) {
        wire_run(w, t);
        if (n->resolves > resolves) {
            resolves = n->resolves;
            looked++;
            gap = before_s >= 0.0 ? n->resolve_s - before_s : 0.0;
            before_s = n->resolve_s;
            wire_resolved(n, 0, one_to_six, 1); /* the same dead address, always */
        }
    }
    CHECK(gap >= 4096.0);
    CHECK(looked >= 6 && looked <= 10);
    w->upstreams[0].is_cut = false; /* its next poll is answered */
    double back_s = wire_s(w);
    wire_run(w, back_s + 3000.0);
    CHECK(n->engine->sources[0].reach != 0);
    CHECK_INT(n->resolves, resolves);
    w->upstreams[0].is_cut = true;
    wire_run(w, back_s + 3000.0 + 8 * 68.0 + 130.0);
    CHECK_INT(n->resolves, resolves + 1); /* a new loss begins anew: 64 s */
    wire_free(w);
}

static void a_pool_takes_four_different_addresses(void)
{
    static const uint8_t answer[] = {3, 3, 1, 3, 1, 5, 2, 4};
    struct wire *w = named(ASSOCIATION_POOL);
    struct wire_node *n = &w->nodes[0];
    wire_start(n);
    CHECK_INT(engine_source_count(n->engine), POOL_SIZE);
    wire_run(w, 0.0);
    wire_resolved(n, 0, answer, 8);
    CHECK(uses(n, 0, 3));
    CHECK(uses(n, 1, 1));
    CHECK(uses(n, 2, 5));
    CHECK(uses(n, 3, 2));
    wire_run(w, 2000.0);
    CHECK_INT(n->resolves, 1);
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    CHECK_INT(w->upstreams[3].asked, 0);
    wire_free(w);
}

static void a_pool_that_is_not_full_is_looked_up_again(void)
{
    struct wire *w = named(ASSOCIATION_POOL);
    struct wire_node *n = &w->nodes[0];
    wire_start(n);
    wire_run(w, 0.0);
    wire_resolved(n, 0, one_to_six, 2);
    CHECK(uses(n, 1, 2));
    CHECK(!n->engine->sources[2].is_resolved);
    wire_run(w, 64.0);
    CHECK_INT(n->resolves, 2);
    wire_resolved(n, 0, one_to_six, 4);
    CHECK(uses(n, 0, 1));
    CHECK(uses(n, 1, 2));
    CHECK(uses(n, 2, 3));
    CHECK(uses(n, 3, 4));
    wire_free(w);
}

static void a_lost_pool_server_is_replaced_and_the_others_stay(void)
{
    struct wire *w = named(ASSOCIATION_POOL);
    struct wire_node *n = &w->nodes[0];
    wire_start(n);
    wire_run(w, 0.0);
    wire_resolved(n, 0, one_to_six, 4);
    wire_run(w, 2000.0);
    w->upstreams[2].is_cut = true;
    wire_run(w, 2000.0 + 9 * 68.0 + 70.0);
    CHECK_INT(n->resolves, 2);
    wire_resolved(n, 0, one_to_six, 6);
    CHECK(uses(n, 0, 1));
    CHECK(uses(n, 1, 2));
    CHECK(uses(n, 2, 5));
    CHECK(uses(n, 3, 4));
    CHECK(n->engine->sources[0].reach == 0xFF || n->engine->sources[0].reach == 0xFE);
    wire_free(w);
}

static void addresses_that_must_not_be_used_are_skipped(void)
{
    static const uint8_t answer[] = {9, 7, 6, 1, 2};
    struct restrict_entry rules[] = {
        {.address = wire_address(198, 51, 100, 7), .prefix = 32, .flags = ACCESS_IGNORE},
        {.address = wire_address(198, 51, 100, 2), .prefix = 32, .flags = ACCESS_NOQUERY},
        {.address = {ADDRESS_V4, {0}}, .is_default = true, .flags = ACCESS_IGNORE}};
    struct wire *w = named(ASSOCIATION_POOL);
    struct wire_node *n = &w->nodes[0];
    qsort(rules, 2, sizeof rules[0], (int (*)(const void *, const void *))access_compare);
    n->config.access = (struct access_list){rules, 3};
    n->own = wire_address(198, 51, 100, 9);                              /* 9 is me */
    wire_add_line(n, ASSOCIATION_SERVER, wire_address(198, 51, 100, 6)); /* 6 is in use */
    wire_start(n);
    wire_run(w, 0.0);
    wire_resolved(n, 0, answer, 5);
    CHECK(uses(n, 0, 1));
    CHECK(uses(n, 1, 2)); /* noquery says nothing against its time */
    CHECK(!n->engine->sources[2].is_resolved);
    CHECK(!n->engine->sources[3].is_resolved);
    wire_free(w);
}

static void an_answer_that_nobody_asked_for_is_ignored(void)
{
    struct wire *w = named(ASSOCIATION_SERVER);
    struct wire_node *n = &w->nodes[0];
    wire_start(n);
    wire_run(w, 0.0);
    wire_resolved(n, 1, one_to_six, 1);
    CHECK(!n->engine->sources[0].is_resolved);
    wire_resolved(n, 0, one_to_six, 1);
    uint64_t before = wire_hash(n);
    wire_resolved(n, 0, one_to_six + 1, 1);
    CHECK(wire_hash(n) == before);
    wire_free(w);
}

static void more_than_eight_addresses_are_cut_to_eight(void)
{
    static const uint8_t answer[] = {11, 12, 13, 14, 15, 16, 17, 18, 1, 2};
    struct wire *w = named(ASSOCIATION_SERVER);
    struct wire_node *n = &w->nodes[0];
    wire_start(n);
    wire_run(w, 0.0);
    wire_resolved(n, 0, answer, 10);
    CHECK_INT(n->engine->resolutions[0].alternates, ALTERNATES_MAX);
    CHECK(uses(n, 0, 11));
    wire_free(w);
}

static void what_is_found_in_holdover_has_no_vote_for_eight_polls(void)
{
    struct wire *w = named(ASSOCIATION_SERVER);
    struct wire_node *n = &w->nodes[0];
    wire_start(n);
    wire_run(w, 0.0);
    wire_resolved(n, 0, one_to_six, 1);
    wire_run(w, 3000.0);
    w->upstreams[0].is_cut = true;
    int resolves = n->resolves;
    while (n->resolves == resolves && wire_s(w) < 6000.0) {
        wire_run(w, wire_s(w) + 1.0);
    }
    CHECK_INT(wire_state(n), STATE_HOLDOVER);
    wire_resolved(n, 0, one_to_six + 1, 1);
    CHECK(uses(n, 0, 2));
    int samples = n->samples[0];
    while (wire_state(n) == STATE_HOLDOVER && wire_s(w) < 9000.0) {
        wire_run(w, wire_s(w) + 1.0);
    }
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    CHECK_INT(n->samples[0] - samples, 8);
    wire_free(w);
}

/* restrict source notrust: answers without a MAC are refused, from whatever address. */
static void an_address_that_a_name_gives_is_judged_by_the_access_list(void)
{
    struct wire *w = named(ASSOCIATION_SERVER);
    struct wire_node *n = &w->nodes[0];
    n->config.restrict_source = true;
    n->config.restrict_source_flags = ACCESS_NOTRUST;
    wire_start(n);
    wire_run(w, 0.0);
    wire_resolved(n, 0, one_to_six, 1);
    wire_run(w, 500.0);
    CHECK(n->sends >= 5);
    CHECK_INT(n->samples[0], 0);
    CHECK(n->rejects >= 5);
    wire_free(w);
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
const struct test_case resolution_tests[] = {
    CASE(a_name_is_asked_for_at_the_start_and_polled_when_known),
    CASE(failures_are_repeated_after_64_to_4096_s),
    CASE(a_silent_server_gives_way_to_the_next_alternate_at_once),
    CASE(look_ups_for_a_dead_server_become_rare),
    CASE(a_pool_takes_four_different_addresses),
    CASE(a_pool_that_is_not_full_is_looked_up_again),
    CASE(a_lost_pool_server_is_replaced_and_the_others_stay),
    CASE(addresses_that_must_not_be_used_are_skipped),
    CASE(an_answer_that_nobody_asked_for_is_ignored),
    CASE(more_than_eight_addresses_are_cut_to_eight),
    CASE(what_is_found_in_holdover_has_no_vote_for_eight_polls),
    CASE(an_address_that_a_name_gives_is_judged_by_the_access_list),
    {NULL, NULL}};
