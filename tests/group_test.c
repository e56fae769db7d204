/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who may follow whom: the table of verdicts, and that no set of verdicts taken at one instant
 * holds a cycle.
 */
#include "../engine/group.h"

#include "check.h"

enum { NODES_MAX = 5 };

static mono_time at(double t_s)
{
    return (mono_time){ticks_from_s(t_s)};
}

static struct address node_address(int node)
{
    return (struct address){.family = ADDRESS_V4, .bytes = {10, 0, 0, (uint8_t)(node + 1)}};
}

static const struct association_config peer_line = {.kind = ASSOCIATION_PEER,
                                                    .name = "peer",
                                                    .is_numeric = true,
                                                    .minpoll = 6,
                                                    .maxpoll = 10,
                                                    .version = 4};

/* What node `me` knows of member `node`, heard at time 0: its claim and the way to it. */
static struct source member_of(int me, int node, double claim_s, double path_s)
{
    struct source s;
    struct endpoint peer = {node_address(node), NTP_PORT};
    source_init(&s, &peer_line, 0, at(0));
    source_assign(&s, &peer, at(0));
    s.local = (struct endpoint){node_address(me), NTP_PORT};
    s.stratum = 3;
    s.leap = LEAP_NONE;
    s.refid = 0x08080808;
    s.root_delay_s = claim_s;
    s.root_dispersion_s = claim_s / 2.0;
    s.filter.delay_s = 2.0 * path_s;
    return s;
}

static bool is_eligible(const struct source *member, int me, double own_s, double t_s)
{
    struct engine_config config;
    struct address own = node_address(me);
    engine_config_default(&config);
    config.own = &own;
    config.own_count = 1;
    return group_is_eligible(member, &config, own_s, at(t_s));
}

static void a_members_distance_is_its_claim_aged_plus_the_way(void)
{
    struct source s = member_of(0, 1, 0.5, 0.010);
    CHECK_NEAR(group_member_distance_s(&s, 15e-6, at(0)), 0.510, 1e-15);
    CHECK_NEAR(group_member_distance_s(&s, 15e-6, at(1e4)), 0.660, 1e-12);
}

static void only_a_member_that_claims_less_is_eligible(void)
{
    struct source s = member_of(0, 1, 0.5, 0.25);
    CHECK(is_eligible(&s, 0, 0.51, 0.0)); /* the way to it, 0.25 s, does not count */
    CHECK(!is_eligible(&s, 0, 0.49, 0.0));
    CHECK(is_eligible(&s, 0, INFINITY, 0.0)); /* I claim nothing: anybody will do */
}

static void equal_claims_are_decided_by_the_address(void)
{
    struct source higher = member_of(0, 1, 0.5, 0.25);
    struct source lower = member_of(1, 0, 0.5, 0.25);
    CHECK(!is_eligible(&higher, 0, 0.5, 0.0));
    CHECK(is_eligible(&lower, 1, 0.5, 0.0));
    lower.local.address.family =
        ADDRESS_NONE; /* where it reaches me is not known: my first address */
    CHECK(is_eligible(&lower, 1, 0.5, 0.0));
}

static void a_member_that_follows_me_is_never_eligible(void)
{
    struct source s = member_of(0, 1, 0.1, 0.0);
    struct address me = node_address(0);
    s.refid = address_refid(&me);
    CHECK(!is_eligible(&s, 0, 1.0, 0.0));
    CHECK(!is_eligible(&s, 0, INFINITY, 0.0));
    CHECK(is_eligible(&s, 2, 1.0, 0.0)); /* to a third node it is */
}

static void a_claim_grows_while_nothing_is_heard(void)
{
    struct source s = member_of(0, 1, 0.5, 0.0);
    CHECK(is_eligible(&s, 0, 0.6, 6000.0));  /* 0.59 */
    CHECK(!is_eligible(&s, 0, 0.6, 7000.0)); /* 0.605 */
}

static unsigned draw(uint64_t *state, unsigned below)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*state >> 33) % below;
}

static double draw_unit(uint64_t *state)
{
    return draw(state, 1u << 30) / 1073741824.0;
}

/* A claim as a node has made it: whole steps of the wire's, growing since. */
struct claim {
    double delay_s, dispersion_s, made_s;
};

static struct claim claim_of(double delay_s, double dispersion_s, double made_s)
{
    return (struct claim){s_from_ntp_short(ntp_short_from_s(delay_s)),
                          s_from_ntp_short(ntp_short_from_s(dispersion_s)), made_s};
}

static double claimed_s(const struct claim *claim, double t_s)
{
    return claim->delay_s / 2.0 + claim->dispersion_s + TOLERANCE * (t_s - claim->made_s);
}

/* What `me` knows of `node`, which has told its claim at sent_s. */
static struct source told_of(int me, int node, const struct claim *claim, double sent_s)
{
    struct source s = member_of(me, node, 0.0, 0.0);
    double dispersion_s = claim->dispersion_s + TOLERANCE * (sent_s - claim->made_s);
    s.root_delay_s = claim->delay_s;
    s.root_dispersion_s = s_from_ntp_short(ntp_short_from_s(dispersion_s));
    s.claim_age_s = sent_s - claim->made_s;
    s.heard = at(sent_s);
    return s;
}

static void a_claim_is_known_as_exactly_as_it_was_made(void)
{
    uint64_t state = 9;
    double largest_s = 0.0;
    for (int n = 0; n < 20000; n++) {
        struct claim claim =
            claim_of(0.1 * draw_unit(&state), draw_unit(&state), 1000.0 * draw_unit(&state));
        double sent_s = claim.made_s + 20000.0 * draw_unit(&state);
        struct source s = told_of(0, 1, &claim, sent_s);
        double now_s = sent_s + 5000.0 * draw_unit(&state);
        CHECK_NEAR(group_claim_s(&s, TOLERANCE, at(now_s)), claimed_s(&claim, now_s), 1e-9);
        double excess_s = group_wire_excess_s(s.claim_age_s, TOLERANCE);
        CHECK(excess_s >= 0.0 && excess_s < 1.0 / 65536.0);
        largest_s = fmax(largest_s, excess_s);
    }
    CHECK(largest_s > 15.2e-6);
}

static void an_age_that_cannot_be_takes_nothing_off(void)
{
    CHECK(group_wire_excess_s(1000.0, TOLERANCE) > 0.0);
    CHECK(group_wire_excess_s(0.0, TOLERANCE) == 0.0);
    CHECK(group_wire_excess_s(-1.0, TOLERANCE) == 0.0);
    CHECK(group_wire_excess_s(400000.0, TOLERANCE) == 0.0);
    CHECK(group_wire_excess_s(ntp_diff_s(ntp_from_unix_s(1772323200), NTP_TIME_ZERO), TOLERANCE) ==
          0.0);
}

static void evidence_from_outside_is_independent(void)
{
    struct engine_config config;
    struct address own[2] = {node_address(0), {.family = ADDRESS_V4, .bytes = {192, 0, 2, 7}}};
    struct source sources[2] = {member_of(0, 1, 0.1, 0.0), member_of(0, 2, 0.1, 0.0)};
    struct address third = node_address(2);
    engine_config_default(&config);
    config.own = own;
    config.own_count = 2;
    CHECK(group_is_independent(&sources[0], &config, sources, 2));
    sources[0].refid = address_refid(&own[1]);
    CHECK(!group_is_independent(&sources[0], &config, sources, 2));
    sources[0].refid = REFID_HOLDOVER;
    CHECK(!group_is_independent(&sources[0], &config, sources, 2));
    sources[0].refid = address_refid(&third); /* an echo of a member */
    CHECK(!group_is_independent(&sources[0], &config, sources, 2));
    sources[1].is_member = false; /* of a server of mine that is outside: its own evidence */
    CHECK(group_is_independent(&sources[0], &config, sources, 2));
}

/* Every node's verdict on every other, from one set of claims; few values, so many are equal. */
static void draw_verdicts(uint64_t *state, int n, bool may[NODES_MAX][NODES_MAX])
{
    double claims[NODES_MAX];
    for (int i = 0; i < n; i++) {
        claims[i] = draw(state, 4) / 8.0;
    }
    for (int me = 0; me < n; me++) {
        for (int node = 0; node < n; node++) {
            double path = draw(state, 3) == 0 ? 0.125 : 0.0;
            struct source s = member_of(me, node, claims[node], path);
            may[me][node] = me != node && is_eligible(&s, me, claims[me], 0.0);
        }
    }
}

/* The same of those that have followed one leader: claims microseconds apart, made at different
 * times and told to each other at others. */
static void draw_close_verdicts(uint64_t *state, int n, bool may[NODES_MAX][NODES_MAX])
{
    struct claim claims[NODES_MAX];
    double leaders_s = draw_unit(state), now_s = 3000.0 + 1000.0 * draw_unit(state);
    for (int i = 0; i < n; i++) {
        double made_s = 1000.0 * draw_unit(state);
        claims[i] =
            claim_of(0.02 + 40e-6 * draw_unit(state), leaders_s + TOLERANCE * made_s, made_s);
    }
    for (int me = 0; me < n; me++) {
        for (int node = 0; node < n; node++) {
            struct source s = told_of(me, node, &claims[node], 1000.0 + 2000.0 * draw_unit(state));
            may[me][node] = me != node && is_eligible(&s, me, claimed_s(&claims[me], now_s), now_s);
        }
    }
}

/* Warshall's closure: may anybody, over any number of hops, follow himself? */
static bool has_cycle(int n, bool may[NODES_MAX][NODES_MAX])
{
    for (int k = 0; k < n; k++) {
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                may[i][j] = may[i][j] || (may[i][k] && may[k][j]);
            }
        }
    }
    for (int i = 0; i < n; i++) {
        if (may[i][i]) {
            return true;
        }
    }
    return false;
}

static void check_verdicts(void (*draw_all)(uint64_t *, int, bool[NODES_MAX][NODES_MAX]))
{
    uint64_t state = 45;
    int edges = 0;
    for (int trial = 0; trial < 20000; trial++) {
        bool may[NODES_MAX][NODES_MAX] = {{false}};
        int n = 2 + (int)draw(&state, 4);
        draw_all(&state, n, may);
        int leaders = 0;
        for (int i = 0; i < n; i++) {
            int choices = 0;
            for (int j = 0; j < n; j++) {
                choices += may[i][j] ? 1 : 0;
            }
            edges += choices;
            leaders += choices == 0 ? 1 : 0;
        }
        CHECK_INT(leaders, 1);
        CHECK(!has_cycle(n, may));
    }
    CHECK(edges > 20000); /* there was something to be cyclic */
}

static void verdicts_of_one_instant_leave_one_leader_and_no_cycle(void)
{
    check_verdicts(draw_verdicts);
}

static void claims_that_differ_by_less_than_the_wire_tells_do_too(void)
{
    check_verdicts(draw_close_verdicts);
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
const struct test_case group_tests[] = {CASE(a_members_distance_is_its_claim_aged_plus_the_way),
                                        CASE(only_a_member_that_claims_less_is_eligible),
                                        CASE(equal_claims_are_decided_by_the_address),
                                        CASE(a_member_that_follows_me_is_never_eligible),
                                        CASE(a_claim_grows_while_nothing_is_heard),
                                        CASE(a_claim_is_known_as_exactly_as_it_was_made),
                                        CASE(an_age_that_cannot_be_takes_nothing_off),
                                        CASE(evidence_from_outside_is_independent),
                                        CASE(verdicts_of_one_instant_leave_one_leader_and_no_cycle),
                                        CASE(claims_that_differ_by_less_than_the_wire_tells_do_too),
                                        {NULL, NULL}};
