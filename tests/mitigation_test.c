/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whom a node follows when sources are lost, lie or return: holdover and its end, the vote of the
 * own bound, fail-over, and that a group keeps one leader. Whole engines on a wire.
 */
#include "../engine/constants.h"
#include "check.h"
#include "wire.h"

/* Node 0 at 10.0.0.1 with two upstreams at polls 6 to maxpoll, synchronised at `t_s`. */
static struct wire *with_two_upstreams(int8_t maxpoll, enum policy policy, double t_s)
{
    struct wire *w = wire_new();
    struct wire_node *n = wire_add_node(w, wire_address(10, 0, 0, 1));
    n->config.policy = policy;
    n->config.drift_ppm = 0.0;
    for (uint8_t i = 1; i <= 2; i++) {
        struct address address = wire_address(198, 51, 100, i);
        wire_add_upstream(w, address);
        wire_add_line(n, ASSOCIATION_SERVER, address)->maxpoll = maxpoll;
    }
    wire_start(n);
    wire_run(w, t_s);
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    return w;
}

static void cut(struct wire *w, bool is_cut)
{
    for (int i = 0; i < w->upstream_count; i++) {
        w->upstreams[i].is_cut = is_cut;
    }
}

static void losing_all_is_holdover_at_the_eighth_missed_poll(void)
{
    struct wire *w = with_two_upstreams(6, POLICY_HOLDFAST, 3000.0);
    struct wire_node *n = &w->nodes[0];
    struct server_view before = *engine_server_view(n->engine);
    cut(w, true);
    wire_run(w, 3000.0 + 7 * 64.0);
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    wire_run(w, 3000.0 + 9 * 68.0);
    CHECK_INT(wire_state(n), STATE_HOLDOVER);
    const struct server_view *view = engine_server_view(n->engine);
    CHECK_INT(view->leap, LEAP_NONE);
    CHECK_INT(view->stratum, before.stratum);
    CHECK_INT(view->refid & 0xFFFFFF00, 0xC6336400); /* an upstream's, as it was */
    CHECK_INT(n->engine->leader, -1);
    wire_free(w);
}

static void holdover_ends_at_the_instant_when_the_bound_is_1_5_s(void)
{
    struct wire *w = with_two_upstreams(6, POLICY_HOLDFAST, 3000.0);
    struct wire_node *n = &w->nodes[0];
    cut(w, true);
    wire_run(w, 5000.0);
    CHECK_INT(wire_state(n), STATE_HOLDOVER);
    double bound = system_distance_s(&n->engine->system, wire_instant(n).mono);
    double end_s = 5000.0 + (1.5 - bound) / 15e-6;
    wire_run(w, end_s - 1e-3);
    CHECK_INT(wire_state(n), STATE_HOLDOVER);
    CHECK_INT(engine_server_view(n->engine)->leap, LEAP_NONE);
    wire_run(w, end_s + 1e-3);
    CHECK_INT(wire_state(n), STATE_UNSYNCHRONISED);
    CHECK_NEAR(wire_entered_s(n, STATE_UNSYNCHRONISED), end_s, 1e-4);
    CHECK_INT(engine_server_view(n->engine)->leap, LEAP_UNKNOWN);
    CHECK_INT(engine_server_view(n->engine)->stratum, STRATUM_MAX);
    CHECK_INT(n->change_count, 3); /* synchronised, holdover, unsynchronised */
    wire_free(w);
}

static void policy_rfc5905_stays_as_it_is_for_ever(void)
{
    struct wire *w = with_two_upstreams(6, POLICY_RFC5905, 3000.0);
    struct wire_node *n = &w->nodes[0];
    cut(w, true);
    wire_run(w, 9 * 86400.0);
    CHECK_INT(wire_state(n), STATE_HOLDOVER);
    CHECK_INT(engine_server_view(n->engine)->leap, LEAP_NONE);
    CHECK(system_distance_s(&n->engine->system, wire_instant(n).mono) > 11.0);
    wire_free(w);
}

static void policy_rfc5905_asks_no_sooner_in_holdover(void)
{
    struct wire *w = with_two_upstreams(13, POLICY_RFC5905, 100000.0);
    struct wire_node *n = &w->nodes[0];
    int8_t poll = n->engine->discipline.poll;
    CHECK(poll > HOLDOVER_POLL);
    cut(w, true);
    wire_run(w, 100000.0 + 12 * 8192.0);
    CHECK_INT(wire_state(n), STATE_HOLDOVER);
    CHECK_INT(n->engine->discipline.poll, poll);
    wire_free(w);
}

static void the_unreachable_are_asked_every_256_s_in_holdover_and_not_before(void)
{
    struct wire *w = with_two_upstreams(13, POLICY_HOLDFAST, 100000.0);
    struct wire_node *n = &w->nodes[0];
    CHECK(n->engine->discipline.poll >= 11);
    double poll_s = ldexp(1.0, n->engine->discipline.poll);
    w->upstreams[0].is_cut = true;
    wire_run(w, 100000.0 + 12 * poll_s);
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    CHECK_INT(n->engine->sources[0].reach, 0);
    int asked = w->upstreams[0].asked;
    wire_run(w, wire_s(w) + 20 * 256.0);
    CHECK(w->upstreams[0].asked - asked <=
          20 * 256.0 / 2048.0 + 1); /* the other one still answers */
    cut(w, true);
    wire_run(w, wire_s(w) + 10 * 8192.0);
    CHECK_INT(wire_state(n), STATE_HOLDOVER);
    asked = w->upstreams[0].asked;
    wire_run(w, wire_s(w) + 6400.0);
    CHECK(w->upstreams[0].asked - asked >= 23);
    CHECK(w->upstreams[0].asked - asked <= 25);
    cut(w, false);
    wire_run(w, wire_s(w) + 1200.0);
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    CHECK_INT(n->steps, 0);
    wire_free(w);
}

static void one_forged_upstream_is_not_followed_in_holdover(void)
{
    struct wire *w = with_two_upstreams(6, POLICY_HOLDFAST, 3000.0);
    struct wire_node *n = &w->nodes[0];
    cut(w, true);
    wire_run(w, 10000.0);
    CHECK_INT(wire_state(n), STATE_HOLDOVER);
    w->upstreams[0].is_cut = false;
    w->upstreams[0].offset_s = 100.0;
    wire_run(w, 20000.0);
    CHECK(n->engine->sources[0].reach == 0xFF);
    CHECK_INT(wire_state(n), STATE_HOLDOVER);
    CHECK_INT(n->steps, 0);
    CHECK(fabs(wire_error_s(n)) < 0.01);
    CHECK(n->disputes > 10); /* and it is said */
    w->upstreams[1].is_cut = false;
    w->upstreams[1].offset_s = 100.0;
    wire_run(w, 24000.0);
    CHECK_INT(n->steps, 1); /* two that are independent are believed */
    CHECK_NEAR(wire_error_s(n), 100.0, 0.01);
    wire_free(w);
}

static void an_honest_return_ends_holdover_without_a_step(void)
{
    struct wire *w = with_two_upstreams(6, POLICY_HOLDFAST, 3000.0);
    struct wire_node *n = &w->nodes[0];
    n->skew = 1e-6;
    cut(w, true);
    wire_run(w, 50000.0); /* 47 ms off by now, within the bound */
    CHECK_INT(wire_state(n), STATE_HOLDOVER);
    w->upstreams[1].is_cut = false;
    wire_run(w, 52000.0);
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    wire_run(w, 80000.0);
    CHECK_INT(n->steps, 0);
    CHECK_NEAR(wire_error_s(n), 0.0, 2e-3);
    wire_free(w);
}

static void after_holdover_any_fit_source_is_followed(void)
{
    struct wire *w = with_two_upstreams(6, POLICY_HOLDFAST, 3000.0);
    struct wire_node *n = &w->nodes[0];
    n->config.tos.holdover_s = 7200.0;
    n->engine->config.tos.holdover_s = 7200.0;
    cut(w, true);
    wire_run(w, 20000.0);
    CHECK_INT(wire_state(n), STATE_UNSYNCHRONISED);
    CHECK_NEAR(wire_entered_s(n, STATE_UNSYNCHRONISED) - wire_entered_s(n, STATE_HOLDOVER), 7200.0,
               1e-6);
    w->upstreams[0].is_cut = false;
    w->upstreams[0].offset_s = 100.0;
    wire_run(w, 24000.0);
    CHECK_INT(n->steps, 1);
    wire_free(w);
}

/* Cuts the leader's upstream off and returns after how many seconds another leads. */
static double fail_over_s(enum policy policy)
{
    struct wire *w = with_two_upstreams(6, policy, 3000.0);
    struct wire_node *n = &w->nodes[0];
    int leader = n->engine->leader;
    CHECK(leader >= 0);
    w->upstreams[leader >= 0 ? leader : 0].is_cut = true;
    while (n->engine->leader == leader && wire_s(w) < 5000.0) {
        wire_run(w, wire_s(w) + 1.0);
    }
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    double took_s = wire_s(w) - 3000.0;
    wire_free(w);
    return took_s;
}

static void three_missed_polls_cost_the_lead(void)
{
    double fast_s = fail_over_s(POLICY_HOLDFAST);
    double slow_s = fail_over_s(POLICY_RFC5905);
    CHECK(fast_s > 3 * 64.0 && fast_s < 5 * 68.0);
    CHECK(slow_s > 7 * 64.0 && slow_s < 10 * 68.0);
}

static void between_equals_the_leader_stays(void)
{
    struct wire *w = with_two_upstreams(6, POLICY_HOLDFAST, 3000.0);
    struct wire_node *n = &w->nodes[0];
    int leaders = n->leaders;
    wire_run(w, 40000.0);
    CHECK_INT(n->leaders, leaders);
    w->upstreams[n->engine->leader].stratum = 3; /* no equal any more */
    wire_run(w, 41000.0);
    CHECK_INT(n->leaders, leaders + 1);
    wire_free(w);
}

static void two_that_disagree_are_settled_by_my_own_bound(void)
{
    struct wire *w = with_two_upstreams(6, POLICY_HOLDFAST, 3000.0);
    struct wire_node *n = &w->nodes[0];
    w->upstreams[1].offset_s = 5.0;
    wire_run(w, 6000.0);
    CHECK_INT(n->engine->leader, 0);
    CHECK_INT(n->engine->sources[1].selection, SELECT_FALSETICK);
    CHECK_INT(n->steps, 0);
    CHECK_NEAR(wire_error_s(n), 0.0, 1e-3);
    CHECK_INT(n->change_count, 1); /* synchronised all the time */
    wire_free(w);
}

static void a_source_that_lies_when_the_leader_is_lost_is_not_followed(void)
{
    struct wire *w = with_two_upstreams(6, POLICY_HOLDFAST, 3000.0);
    struct wire_node *n = &w->nodes[0];
    int leader = n->engine->leader;
    w->upstreams[leader].is_cut = true;
    w->upstreams[1 - leader].offset_s = 100.0;
    wire_run(w, 8000.0);
    CHECK_INT(n->engine->sources[1 - leader].reach, 0xFF);
    CHECK_INT(n->steps, 0);
    CHECK(fabs(wire_error_s(n)) < 0.01);
    CHECK_INT(wire_state(n), STATE_HOLDOVER);
    wire_free(w);
}

/* Later packets of a burst take longer than the first. */
static void route_slower(struct wire *w, struct wire_packet *packet)
{
    packet->when += ticks_from_s(1e-3 * fmod(wire_s(w), 64.0) / 64.0);
    wire_post(w, packet);
}

static void the_best_of_a_burst_is_used_when_the_burst_is_over(void)
{
    struct wire *w = with_two_upstreams(6, POLICY_HOLDFAST, 3000.0);
    struct wire_node *n = &w->nodes[0];
    n->lines[0].iburst = n->lines[1].iburst = true;
    cut(w, true);
    wire_run(w, 6000.0);
    CHECK_INT(wire_state(n), STATE_HOLDOVER);
    w->route = route_slower;
    n->engine->sources[0].has_bursted = true; /* the second alone makes a burst */
    n->engine->sources[1].has_bursted = false;
    w->upstreams[1].is_cut = false;
    while (n->engine->sources[1].burst_left == 0 && wire_s(w) < 7000.0) {
        wire_run(w, wire_s(w) + 0.5);
    }
    wire_run(w, wire_s(w) + 16.0);
    CHECK_INT(n->engine->sources[1].burst_left, 0);
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    wire_free(w);
}

/* Answers take 10 ms longer than they did. */
static void route_longer(struct wire *w, struct wire_packet *packet)
{
    packet->when += packet->from.port == NTP_PORT ? ticks_from_s(0.01) : 0;
    wire_post(w, packet);
}

/* Its samples of before the outage are better than the first one after it, which thus leads to no
 * selection; but that it answers again is enough to ask as often as before. */
static void who_returns_over_a_longer_way_is_asked_at_the_system_poll_at_once(void)
{
    struct wire *w = with_two_upstreams(10, POLICY_HOLDFAST, 600.0);
    struct wire_node *n = &w->nodes[0];
    const struct source *s = &n->engine->sources[0];
    cut(w, true);
    while (wire_state(n) != STATE_HOLDOVER && wire_s(w) < 2000.0) {
        wire_run(w, wire_s(w) + 1.0);
    }
    CHECK_INT(s->reach, 0);
    CHECK_INT(s->hpoll, HOLDOVER_POLL);
    int poll = n->engine->discipline.poll;
    CHECK(poll < HOLDOVER_POLL);
    w->route = route_longer;
    w->upstreams[0].is_cut = false;
    int samples = n->samples[0];
    while (n->samples[0] == samples && wire_s(w) < 3000.0) {
        wire_run(w, wire_s(w) + 0.01);
    }
    CHECK_INT(s->reach, 1);
    CHECK_INT(wire_state(n), STATE_HOLDOVER); /* no selection */
    CHECK_INT(s->hpoll, poll);
    CHECK(mono_diff_s(s->next_poll, s->polled) < ldexp(17.0 / 16.0, poll));
    CHECK_INT(n->engine->due.source, 0);
    CHECK_INT(n->engine->due.first.ticks,
              mono_earlier(s->next_poll, discipline_wake(&n->engine->discipline)).ticks);
    wire_free(w);
}

/* The first of the samples is the best for long, but too few follow it to make the source fit. */
static void an_estimate_that_came_too_early_is_used_when_its_source_becomes_fit(void)
{
    struct wire *w = wire_new();
    struct wire_node *n = wire_add_node(w, wire_address(10, 0, 0, 1));
    struct address address = wire_address(198, 51, 100, 1);
    wire_add_upstream(w, address);
    wire_add_line(n, ASSOCIATION_SERVER, address)->iburst = true;
    n->config.drift_ppm = 0.0; /* a drift file: the best sample counts, not the newest */
    w->route = route_slower;
    wire_start(n);
    wire_run(w, 14.0);
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    CHECK(n->engine->sources[0].filter.delay_s < 2 * WIRE_DELAY_S + 0.1e-3); /* the first's */
    wire_free(w);
}

static void a_source_of_its_own_stratum_limit_is_unfit(void)
{
    struct wire *w = with_two_upstreams(6, POLICY_HOLDFAST, 3000.0);
    struct wire_node *n = &w->nodes[0];
    w->upstreams[0].stratum = w->upstreams[1].stratum = 15;
    wire_run(w, 3300.0);
    CHECK_INT(wire_state(n), STATE_HOLDOVER);
    w->upstreams[0].stratum = w->upstreams[1].stratum = 14;
    wire_run(w, 4500.0);
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    CHECK_INT(engine_server_view(n->engine)->stratum, 15);
    n->engine->config.tos.ceiling = 14; /* tos ceiling: strata below it */
    wire_run(w, 4800.0);
    CHECK_INT(wire_state(n), STATE_HOLDOVER);
    n->engine->config.tos.ceiling = 15;
    n->engine->config.tos.floor = 14;
    wire_run(w, 6000.0);
    CHECK_INT(wire_state(n), STATE_SYNCHRONISED);
    n->engine->config.tos.floor = 15;
    wire_run(w, 6300.0);
    CHECK_INT(wire_state(n), STATE_HOLDOVER);
    wire_free(w);
}

static void check_41_steady_dispersion_at_poll_13_under_both_policies(void)
{
    for (int policy = 0; policy < POLICIES; policy++) {
        struct wire *w = wire_new();
        struct wire_node *n = wire_add_node(w, wire_address(10, 0, 0, 1));
        n->config.policy = (enum policy)policy;
        n->config.drift_ppm = 0.0;
        struct address address = wire_address(198, 51, 100, 1);
        wire_add_upstream(w, address);
        struct association_config *line = wire_add_line(n, ASSOCIATION_SERVER, address);
        line->minpoll = line->maxpoll = 13;
        wire_start(n);
        wire_run(w, 40 * 8192.0);
        const struct filter *filter = &n->engine->sources[0].filter;
        double oldest_s = 0.0; /* what eight intervals, each up to 6.2 % longer, came to */
        for (int i = 0; i < FILTER_STAGES; i++) {
            oldest_s = fmax(oldest_s, mono_diff_s(filter->updated, filter->stages.at[i]));
        }
        CHECK_NEAR(filter->dispersion_s / (14.473e-6 * oldest_s / 7.0), 1.0, 0.02);
        CHECK(n->engine->config.policy == (enum policy)policy);
        wire_free(w);
    }
}

/* `count` nodes, each a peer of all others and with an upstream of its own, synchronised at 5000
 * s. Their bounds differ by 30 ms, more than the way from one to the other adds. */
static struct wire *group_of(int count)
{
    struct wire *w = wire_new();
    for (int i = 0; i < count; i++) {
        struct wire_node *n = wire_add_node(w, wire_address(10, 0, 0, (uint8_t)(i + 1)));
        struct address upstream = wire_address(198, 51, 100, (uint8_t)(i + 1));
        wire_add_upstream(w, upstream)->root_dispersion_s = 0.030 * (count - i);
        n->config.drift_ppm = 0.0;
        n->skew = 1e-7 * i;
        wire_add_line(n, ASSOCIATION_SERVER, upstream)->maxpoll = 6;
        for (int k = 0; k < count; k++) {
            if (k != i) {
                struct address peer = wire_address(10, 0, 0, (uint8_t)(k + 1));
                wire_add_line(n, ASSOCIATION_PEER, peer)->maxpoll = 6;
            }
        }
    }
    for (int i = 0; i < count; i++) {
        wire_start(&w->nodes[i]);
    }
    wire_run(w, 5000.0);
    return w;
}

static void a_node_that_loses_its_upstream_is_carried_by_its_peer(void)
{
    struct wire *w = group_of(2);
    w->upstreams[0].is_cut = true;
    wire_run(w, 8000.0);
    const struct server_view *view = engine_server_view(w->nodes[0].engine);
    CHECK_INT(wire_state(&w->nodes[0]), STATE_SYNCHRONISED);
    CHECK_INT(view->refid, 0x0A000002);
    CHECK_INT(view->stratum, 3);
    CHECK_INT(engine_server_view(w->nodes[1].engine)->stratum, 2);
    CHECK(fabs(wire_error_s(&w->nodes[0])) < 0.01);
    wire_free(w);
}

static void holdover_after_a_member_is_under_127_127_1_1(void)
{
    struct wire *w = group_of(2);
    w->upstreams[0].is_cut = true;
    wire_run(w, 8000.0);
    CHECK_INT(engine_server_view(w->nodes[0].engine)->refid, 0x0A000002);
    w->nodes[1].engine = NULL; /* switched off */
    wire_run(w, 10000.0);
    CHECK_INT(wire_state(&w->nodes[0]), STATE_HOLDOVER);
    CHECK_INT(engine_server_view(w->nodes[0].engine)->refid, REFID_HOLDOVER);
    CHECK_INT(engine_server_view(w->nodes[0].engine)->stratum, 3);
    wire_free(w);
}

/* The node that `n` follows within the group, NULL for none. */
static struct wire_node *followed_by(struct wire_node *n)
{
    int leader = n->engine->leader;
    for (int i = 0; leader >= 0 && i < n->wire->node_count; i++) {
        if (address_equal(&n->engine->sources[leader].peer.address, &n->wire->nodes[i].own)) {
            return &n->wire->nodes[i];
        }
    }
    return NULL;
}

static bool has_cycle(struct wire *w)
{
    for (int i = 0; i < w->node_count; i++) {
        struct wire_node *n = &w->nodes[i];
        for (int hops = 0; n && hops <= w->node_count; hops++) {
            n = followed_by(n);
        }
        if (n) {
            return true;
        }
    }
    return false;
}

static int count_roots(struct wire *w)
{
    int roots = 0;
    for (int i = 0; i < w->node_count; i++) {
        roots += followed_by(&w->nodes[i]) ? 0 : 1;
    }
    return roots;
}

static void a_group_without_upstreams_keeps_one_leader_and_no_cycle(void)
{
    for (int count = 2; count <= 4; count++) {
        struct wire *w = group_of(count);
        double cyclic_s = 0.0;
        int roots = 0;
        cut(w, true);
        for (int t = 5000; t < 60000; t += 4) {
            wire_run(w, t);
            cyclic_s = has_cycle(w) ? cyclic_s + 4.0 : 0.0;
            CHECK(cyclic_s <= 68.0); /* one poll of the peer, at the longest */
            roots += t >= 20000 && count_roots(w) != 1 ? 1 : 0;
        }
        CHECK_INT(roots, 0);
        for (int i = 0; i < count; i++) {
            CHECK(wire_state(&w->nodes[i]) != STATE_UNSYNCHRONISED);
            CHECK_NEAR(wire_error_s(&w->nodes[i]) - wire_error_s(&w->nodes[0]), 0.0, 0.005);
        }
        wire_free(w);
    }
}

static void a_node_that_restarts_in_holdover_follows_the_one_that_stayed(void)
{
    struct wire *w = group_of(2);
    cut(w, true);
    wire_run(w, 20000.0);
    int root = followed_by(&w->nodes[0]) ? 1 : 0;
    wire_start(&w->nodes[root]);
    wire_run(w, 30000.0);
    CHECK(followed_by(&w->nodes[root]) == &w->nodes[1 - root]);
    CHECK(followed_by(&w->nodes[1 - root]) == NULL);
    CHECK_INT(wire_state(&w->nodes[root]), STATE_SYNCHRONISED);
    wire_free(w);
}

static void a_follower_does_not_follow_its_leader_out_of_its_bound(void)
{
    struct wire *w = group_of(2);
    cut(w, true);
    wire_run(w, 20000.0);
    int root = followed_by(&w->nodes[0]) ? 1 : 0;
    struct wire_node *leader = &w->nodes[root], *follower = &w->nodes[1 - root];
    CHECK(followed_by(follower) == leader);
    leader->clock = ntp_add_s(wire_clock(leader), 50.0); /* and it does not know */
    wire_run(w, 25000.0);
    CHECK_INT(follower->steps, 0);
    CHECK(fabs(wire_error_s(follower)) < 0.1);
    CHECK(follower->disputes > 0);
    CHECK_INT(wire_state(follower), STATE_HOLDOVER);
    wire_free(w);
}

static void two_members_outside_my_bound_are_one_voice(void)
{
    struct wire *w = group_of(3);
    cut(w, true);
    w->nodes[1].engine = w->nodes[2].engine = NULL;
    wire_run(w, 7000.0);
    CHECK_INT(wire_state(&w->nodes[0]), STATE_HOLDOVER);
    for (int i = 1; i <= 2; i++) { /* they return with their upstreams, 0.9 s off */
        w->upstreams[i].is_cut = false;
        w->upstreams[i].offset_s = 0.9;
        w->nodes[i].clock = ntp_add_s(wire_clock(&w->nodes[i]), 0.9);
        wire_start(&w->nodes[i]);
    }
    wire_run(w, 12000.0);
    CHECK_INT(wire_state(&w->nodes[1]), STATE_SYNCHRONISED);
    CHECK_INT(w->nodes[0].engine->sources[1].reach & 0x7C, 0x7C);
    CHECK_INT(w->nodes[0].engine->sources[2].reach & 0x7C, 0x7C);
    CHECK_INT(w->nodes[0].steps, 0);
    CHECK_INT(wire_state(&w->nodes[0]), STATE_HOLDOVER);
    CHECK(w->nodes[0].disputes > 10);
    wire_free(w);
}

static void a_member_must_be_better_by_20_ms_to_take_the_lead(void)
{
    struct wire *w = group_of(3);
    w->upstreams[0].is_cut = true; /* node 0 follows node 2, whose bound is the least */
    wire_run(w, 8000.0);
    CHECK(followed_by(&w->nodes[0]) == &w->nodes[2]);
    w->upstreams[1].root_dispersion_s = w->upstreams[2].root_dispersion_s - 0.012;
    wire_run(w, 12000.0);
    CHECK(followed_by(&w->nodes[0]) == &w->nodes[2]);
    w->upstreams[2].root_dispersion_s += 0.020;
    wire_run(w, 16000.0);
    CHECK(followed_by(&w->nodes[0]) == &w->nodes[1]);
    wire_free(w);
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
const struct test_case mitigation_tests[] = {
    CASE(losing_all_is_holdover_at_the_eighth_missed_poll),
    CASE(holdover_ends_at_the_instant_when_the_bound_is_1_5_s),
    CASE(policy_rfc5905_stays_as_it_is_for_ever),
    CASE(policy_rfc5905_asks_no_sooner_in_holdover),
    CASE(the_unreachable_are_asked_every_256_s_in_holdover_and_not_before),
    CASE(one_forged_upstream_is_not_followed_in_holdover),
    CASE(an_honest_return_ends_holdover_without_a_step),
    CASE(after_holdover_any_fit_source_is_followed),
    CASE(three_missed_polls_cost_the_lead),
    CASE(between_equals_the_leader_stays),
    CASE(two_that_disagree_are_settled_by_my_own_bound),
    CASE(a_source_that_lies_when_the_leader_is_lost_is_not_followed),
    CASE(an_estimate_that_came_too_early_is_used_when_its_source_becomes_fit),
    CASE(the_best_of_a_burst_is_used_when_the_burst_is_over),
    CASE(who_returns_over_a_longer_way_is_asked_at_the_system_poll_at_once),
    CASE(a_source_of_its_own_stratum_limit_is_unfit),
    CASE(check_41_steady_dispersion_at_poll_13_under_both_policies),
    CASE(a_node_that_loses_its_upstream_is_carried_by_its_peer),
    CASE(holdover_after_a_member_is_under_127_127_1_1),
    CASE(a_group_without_upstreams_keeps_one_leader_and_no_cycle),
    CASE(a_node_that_restarts_in_holdover_follows_the_one_that_stayed),
    CASE(a_follower_does_not_follow_its_leader_out_of_its_bound),
    CASE(two_members_outside_my_bound_are_one_voice),
    CASE(a_member_must_be_better_by_20_ms_to_take_the_lead),
    {NULL, NULL}};
