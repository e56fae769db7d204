/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two symmetric peers on a wire: they start in any order, restart, cross, step and differ in polls,
 * and find each other again within three polls; a recorder who replays what they said achieves
 * nothing.
 */
#include "../engine/constants.h"
#include "check.h"
#include "wire.h"

/* The three polls that recovery may take, the longest interval and the delay of a start included.
 * */
#define THREE_POLLS_S (3 * 64.0 * 1.0625 + 5.0)

static const struct key pair_key = {
    .id = 1, .type = KEY_SHA256, .is_trusted = true, .secret_size = 4, .secret = "pair"};

/* Nodes 0 and 1: each has an upstream of its own (source 0) and the other as a peer (source 1). */
static struct wire *pair_new(void)
{
    struct wire *w = wire_new();
    for (uint8_t i = 0; i < 2; i++) {
        struct wire_node *n = wire_add_node(w, wire_address(10, 0, 0, (uint8_t)(1 + i)));
        struct address upstream = wire_address(198, 51, 100, (uint8_t)(1 + i));
        wire_add_upstream(w, upstream);
        struct association_config *line = wire_add_line(n, ASSOCIATION_SERVER, upstream);
        line->iburst = true;
        line->maxpoll = 6;
        line = wire_add_line(n, ASSOCIATION_PEER, wire_address(10, 0, 0, (uint8_t)(2 - i)));
        line->key = 1;
        line->maxpoll = 6;
        n->config.keys = (struct key_table){&pair_key, 1};
    }
    return w;
}

static struct source *peer_of(struct wire_node *n)
{
    return &n->engine->sources[1];
}

/* Within three polls from now each has an answer of the other's to a packet of its own. */
static void check_recovery(struct wire *w, unsigned line)
{
    int before[2] = {w->nodes[0].answers[1], w->nodes[1].answers[1]};
    wire_run(w, wire_s(w) + THREE_POLLS_S);
    for (int i = 0; i < 2; i++) {
        check_report(w->nodes[i].answers[1] > before[i], "answered within three polls", __FILE__,
                     line);
    }
}

#define RECOVERS(w) check_recovery((w), __LINE__)

static void peers_that_start_together_find_each_other(void)
{
    struct wire *w = pair_new();
    wire_start(&w->nodes[0]);
    wire_start(&w->nodes[1]);
    RECOVERS(w);
    RECOVERS(w);
    wire_free(w);
}

static void peers_that_start_one_after_the_other_find_each_other(void)
{
    static const double later[] = {1.0, 30.0, 63.0, 700.0, 5000.0};
    for (int i = 0; i < 5; i++) {
        struct wire *w = pair_new();
        wire_start(&w->nodes[0]);
        wire_run(w, later[i]);
        wire_start(&w->nodes[1]);
        RECOVERS(w);
        wire_free(w);
    }
}

static void peers_recover_from_a_restart_of_either_or_both(void)
{
    for (int who = 1; who <= 3; who++) {
        for (int after = 0; after < 8; after++) {
            struct wire *w = pair_new();
            wire_start(&w->nodes[0]);
            wire_start(&w->nodes[1]);
            wire_run(w, 2000.0 + 9.7 * after);
            for (int i = 0; i < 2; i++) {
                if (who >> i & 1) {
                    wire_start(&w->nodes[i]);
                }
            }
            RECOVERS(w);
            wire_free(w);
        }
    }
}

static void peers_recover_from_a_clock_step_on_one_side(void)
{
    static const double amounts[] = {0.05, -0.05, 0.9, -0.9, 10.0, -10.0, 86400.0, -86400.0};
    for (int i = 0; i < 8; i++) {
        struct wire *w = pair_new();
        struct wire_node *n = &w->nodes[0];
        struct effects out;
        wire_start(&w->nodes[0]);
        wire_start(&w->nodes[1]);
        wire_run(w, 3000.0);
        n->clock = ntp_add_s(wire_clock(n), amounts[i]);
        engine_clock_event(n->engine, wire_instant(n), CLOCK_STEPPED, amounts[i], &out);
        wire_carry_out(n, &out);
        RECOVERS(w);
        wire_free(w);
    }
}

/* Holds a peer's packet until the other side has sent one too, so that each arrives too late to be
 * what the other's answers: crossed, every time. */
static void route_crossed(struct wire *w, struct wire_packet *packet)
{
    if (packet->from.port != NTP_PORT || packet->to.port != NTP_PORT) {
        wire_post(w, packet);
        return;
    }
    int from = address_equal(&packet->from.address, &w->nodes[0].own) ? 0 : 1;
    w->held[from] = *packet;
    w->is_held[from] = true;
    if (w->is_held[0] && w->is_held[1]) {
        for (int i = 0; i < 2; i++) {
            w->held[i].when = packet->when;
            wire_post(w, &w->held[i]);
            w->is_held[i] = false;
        }
    }
}

static void crossed_packets_do_not_wedge_a_pair(void)
{
    for (int spell = 1; spell <= 20; spell++) {
        struct wire *w = pair_new();
        wire_start(&w->nodes[0]);
        wire_start(&w->nodes[1]);
        wire_run(w, 2000.0);
        w->route = route_crossed;
        wire_run(w, 2000.0 + 70.0 * spell);
        w->route = NULL;
        RECOVERS(w);
        wire_free(w);
    }
}

static void crossed_packets_give_no_sample_while_they_cross(void)
{
    struct wire *w = pair_new();
    w->route = route_crossed;
    wire_start(&w->nodes[0]);
    wire_start(&w->nodes[1]);
    wire_run(w, 3000.0);
    CHECK_INT(w->nodes[0].answers[1], 0);
    CHECK_INT(w->nodes[1].answers[1], 0);
    CHECK(peer_of(&w->nodes[0])->exchange.has_newest); /* but each knows what the other said */
    wire_free(w);
}

static void peers_of_polls_6_and_10_meet_at_the_faster(void)
{
    struct wire *w = pair_new();
    w->nodes[1].lines[1].minpoll = 10;
    w->nodes[1].lines[1].maxpoll = 10;
    wire_start(&w->nodes[0]);
    wire_start(&w->nodes[1]);
    wire_run(w, 3.0 * 1088.0);
    int answers[2] = {w->nodes[0].answers[1], w->nodes[1].answers[1]};
    wire_run(w, 3.0 * 1088.0 + 6400.0);
    for (int i = 0; i < 2; i++) {
        CHECK(w->nodes[i].answers[1] - answers[i] >=
              85); /* of 94 to 100 polls, some of them crossed */
        CHECK(peer_of(&w->nodes[i])->unanswered <= 3);
    }
    wire_free(w);
}

static void peers_that_speed_up_and_slow_down_stay_in_touch(void)
{
    struct wire *w = pair_new();
    for (int i = 0; i < 2; i++) {
        w->nodes[i].lines[1].minpoll = 3; /* the ramp from 3 to 6 is not climbed in step */
        wire_start(&w->nodes[i]);
        wire_run(w, 20.0);
    }
    wire_run(w, 3000.0);
    for (int i = 0; i < 20; i++) {
        wire_run(w, wire_s(w) + 200.0);
        CHECK(peer_of(&w->nodes[0])->unanswered <= 3);
        CHECK(peer_of(&w->nodes[1])->unanswered <= 3);
    }
    wire_free(w);
}

static void a_peer_that_only_one_side_hears_recovers_when_both_do(void)
{
    struct wire *w = pair_new();
    wire_start(&w->nodes[0]);
    wire_start(&w->nodes[1]);
    wire_run(w, 2000.0);
    w->nodes[1].lines[1].key = 7; /* it can neither sign nor verify: one way is dead in effect */
    wire_run(w, 6000.0);
    CHECK_INT(peer_of(&w->nodes[1])->reach, 0);
    w->nodes[1].lines[1].key = 1;
    RECOVERS(w);
    wire_free(w);
}

/* What a recorder may not change: seen after every verb. */
struct guard {
    ntp_time newest[2];
    bool has_newest[2];
    int went_back, unanswered_most;
};

static void watch_state(struct wire_node *n)
{
    struct guard *g = n->wire->context;
    struct source *s = peer_of(n);
    if (g->has_newest[n->index] && ntp_after(g->newest[n->index], s->exchange.newest)) {
        g->went_back++;
    }
    g->newest[n->index] = s->exchange.newest;
    g->has_newest[n->index] = s->exchange.has_newest;
    if (s->unanswered > g->unanswered_most) {
        g->unanswered_most = s->unanswered;
    }
}

/* Every packet recorded in the last `polls` polls of the slower side, at once, in another order, to
 * where each went and, if told so, back to where it came from. Returns how many. */
static int replay(struct wire *w, int count, unsigned order, bool reflect)
{
    int first = w->record_count > count ? w->record_count - count : 0;
    int n = w->record_count - first;
    int sent = 0;
    for (int i = 0; i < n; i++) {
        int which = first + (int)((unsigned)i * order % (unsigned)n);
        struct wire_packet packet = w->records[which % WIRE_RECORDS];
        packet.when = w->now + ticks_from_s(1e-4 * (i + 1));
        if (reflect) {
            struct endpoint from = packet.from;
            packet.from = packet.to;
            packet.to = from;
        }
        wire_post(w, &packet);
        sent++;
    }
    return sent;
}

/* A pair with such polls, 20 attacks an hour from `begin` on; returns the answers both sides got
 * and adds the packets replayed. */
static int attacked(const int8_t min[2], int8_t max, bool is_attacked, int *replayed)
{
    static const unsigned orders[] = {1, 7, 11, 13};
    struct wire *w = pair_new();
    struct guard guard = {.went_back = 0};
    for (int i = 0; i < 2; i++) {
        w->nodes[i].lines[1].minpoll = min[i];
        w->nodes[i].lines[1].maxpoll = max;
        w->nodes[i].lines[0].maxpoll = max;
        wire_start(&w->nodes[i]);
    }
    double begin = 4000.0;
    wire_run(w, begin);
    w->context = &guard;
    w->watch = watch_state;
    int before = w->nodes[0].answers[1] + w->nodes[1].answers[1];
    for (int attack = 1; attack <= 40; attack++) {
        wire_run(w, begin + 177.0 * attack);
        if (is_attacked) {
            *replayed += replay(w, 40, orders[attack % 4], attack % 5 == 0);
        }
    }
    wire_run(w, begin + 177.0 * 41);
    CHECK_INT(guard.went_back, 0);
    CHECK(guard.unanswered_most <= 3); /* the last poll is still open: two without an answer */
    int answers = w->nodes[0].answers[1] + w->nodes[1].answers[1] - before;
    wire_free(w);
    return answers;
}

static void replaying_all_that_was_said_changes_nothing(void)
{
    static const int8_t mins[4][2] = {{3, 3}, {3, 6}, {6, 3}, {6, 6}};
    for (int i = 0; i < 4; i++) {
        for (int8_t max = 6; max <= 13; max = (int8_t)(max + 7)) {
            int replayed = 0, none = 0;
            int undisturbed = attacked(mins[i], max, false, &none);
            int disturbed = attacked(mins[i], max, true, &replayed);
            CHECK(replayed > 1000);
            CHECK(undisturbed >=
                  (max == 6 ? 200 : 15)); /* at poll 13 they are at 2048 s by the end */
            CHECK_INT(disturbed,
                      undisturbed); /* not even the one sample per packet that is allowed */
        }
    }
}

/* An attacker on the path: every packet is held back and comes after the next one of its sender,
 * so that it is new when it comes out of order. */
static void route_swapped(struct wire *w, struct wire_packet *packet)
{
    if (packet->from.port != NTP_PORT || packet->to.port != NTP_PORT) {
        wire_post(w, packet);
        return;
    }
    int from = address_equal(&packet->from.address, &w->nodes[0].own) ? 0 : 1;
    wire_post(w, packet);
    if (w->is_held[from]) {
        w->held[from].when = packet->when + 1;
        wire_post(w, &w->held[from]);
    }
    w->held[from] = *packet;
    w->is_held[from] = true;
}

static void each_packet_again_behind_its_successor_changes_nothing(void)
{
    struct wire *plain = pair_new();
    struct wire *w = pair_new();
    struct guard guard = {.went_back = 0};
    w->route = route_swapped;
    w->watch = watch_state;
    w->context = &guard;
    for (int i = 0; i < 2; i++) {
        wire_start(&plain->nodes[i]);
        wire_start(&w->nodes[i]);
    }
    wire_run(plain, 10000.0);
    wire_run(w, 10000.0);
    CHECK_INT(guard.went_back, 0);
    CHECK_INT(w->nodes[0].answers[1], plain->nodes[0].answers[1]);
    CHECK_INT(w->nodes[1].answers[1], plain->nodes[1].answers[1]);
    wire_free(plain);
    wire_free(w);
}

static void a_replay_across_a_restart_yields_no_sample(void)
{
    struct wire *w = pair_new();
    wire_start(&w->nodes[0]);
    wire_start(&w->nodes[1]);
    wire_run(w, 5000.0);
    w->nodes[1].engine = NULL; /* node 1 is switched off, node 0 starts anew */
    wire_start(&w->nodes[0]);
    int answers = w->nodes[0].answers[1], replayed = 0;
    for (int i = 0; i < 20; i++) {
        wire_run(w, wire_s(w) + 50.0);
        replayed += replay(w, 40, 7, false);
    }
    CHECK_INT(replayed, 800);
    CHECK_INT(w->nodes[0].answers[1], answers);
    CHECK_INT(peer_of(&w->nodes[0])->reach, 0);
    CHECK_INT(peer_of(&w->nodes[0])->stratum, STRATUM_MAX);
    wire_start(&w->nodes[1]);
    RECOVERS(w);
    wire_free(w);
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
const struct test_case symmetric_tests[] = {
    CASE(peers_that_start_together_find_each_other),
    CASE(peers_that_start_one_after_the_other_find_each_other),
    CASE(peers_recover_from_a_restart_of_either_or_both),
    CASE(peers_recover_from_a_clock_step_on_one_side),
    CASE(crossed_packets_do_not_wedge_a_pair),
    CASE(crossed_packets_give_no_sample_while_they_cross),
    CASE(peers_of_polls_6_and_10_meet_at_the_faster),
    CASE(peers_that_speed_up_and_slow_down_stay_in_touch),
    CASE(a_peer_that_only_one_side_hears_recovers_when_both_do),
    CASE(replaying_all_that_was_said_changes_nothing),
    CASE(each_packet_again_behind_its_successor_changes_nothing),
    CASE(a_replay_across_a_restart_yields_no_sample),
    {NULL, NULL}};
