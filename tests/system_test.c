/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a node claims, how the claim grows and when it ends; the calendar of leap days. Check 40 is
 * of the validation table.
 */
#include "../engine/system.h"

#include "../engine/group.h"
#include "check.h"

static mono_time at(double t_s)
{
    return (mono_time){ticks_from_s(t_s)};
}

static const struct association_config line = {
    .kind = ASSOCIATION_SERVER, .name = "server", .minpoll = 6, .maxpoll = 10, .version = 4};

/* A stratum-2 source at 10.1.2.3 whose filter's estimate is as of time `heard`. */
static struct source leader_at(double heard_s)
{
    struct source s;
    struct endpoint peer = {{.family = ADDRESS_V4, .bytes = {10, 1, 2, 3}}, NTP_PORT};
    source_init(&s, &line, 0, at(heard_s));
    source_assign(&s, &peer, at(heard_s));
    s.stratum = 2;
    s.leap = LEAP_NONE;
    s.root_delay_s = 0.020;
    s.root_dispersion_s = 0.030;
    s.filter.delay_s = 0.010;
    s.filter.dispersion_s = 0.004;
    s.filter.jitter_s = 0.003;
    return s;
}

struct bench {
    struct engine_config config;
    struct system sys;
};

/* Synchronised at time 0 with a root distance of 0.015 + 0.030 + (0.004 + 0.005 + 0.001) = 0.055
 * s. */
static struct bench synchronised(enum policy policy)
{
    struct bench b;
    struct source s = leader_at(0.0);
    engine_config_default(&b.config);
    b.config.policy = policy;
    system_init(&b.sys, at(0));
    system_update(&b.sys, &b.config, &s, 0.001, 0.004, TOLERANCE,
                  (struct instant){ntp_from_unix_s(INT64_C(1800000000)), at(0)});
    b.sys.state = STATE_SYNCHRONISED;
    return b;
}

static struct bench in_holdover(enum policy policy)
{
    struct bench b = synchronised(policy);
    system_hold(&b.sys);
    b.sys.state = STATE_HOLDOVER;
    b.sys.since = at(0);
    return b;
}

/* In whole steps of the wire's, rounded up. */
static double up_s(double seconds)
{
    return ceil(seconds * 65536.0) / 65536.0;
}

/* What they claim as of 0, by 20 ms and 10 ms of delay, 30 ms and 10 ms of dispersion. */
static double distance_s(void)
{
    return up_s(0.030) / 2.0 + up_s(0.040);
}

static void a_new_system_claims_nothing(void)
{
    struct system sys;
    system_init(&sys, at(0));
    CHECK_INT(sys.state, STATE_UNSYNCHRONISED);
    CHECK_INT(sys.leap, LEAP_UNKNOWN);
    CHECK_INT(sys.stratum, STRATUM_MAX);
    CHECK(isinf(system_distance_s(&sys, at(0))));
}

static void an_update_adds_the_hop_to_what_the_leader_claims(void)
{
    struct bench b = synchronised(POLICY_HOLDFAST);
    CHECK_INT(b.sys.stratum, 3);
    CHECK_INT(b.sys.leap, LEAP_NONE);
    CHECK_INT(b.sys.refid, 0x0A010203);
    CHECK_INT(unix_s_from_ntp(b.sys.reference_time), 1800000000);
    CHECK_NEAR(b.sys.root_delay_s, up_s(0.030), 1e-15);
    CHECK_NEAR(b.sys.root_dispersion_s, up_s(0.040), 1e-15);
    CHECK_NEAR(system_distance_s(&b.sys, at(0)), distance_s(), 1e-15);
}

static void a_hop_adds_at_least_5_ms(void)
{
    struct bench b = synchronised(POLICY_HOLDFAST);
    struct source s = leader_at(0.0);
    s.filter.dispersion_s = 0.001;
    s.filter.jitter_s = 0.0;
    system_update(&b.sys, &b.config, &s, 0.001, 0.0, TOLERANCE, (struct instant){{0}, at(0)});
    CHECK_NEAR(b.sys.root_dispersion_s, up_s(0.035), 1e-15);
}

static void an_update_long_after_the_answer_ages_what_was_heard(void)
{
    struct bench b = synchronised(POLICY_HOLDFAST);
    struct source s = leader_at(0.0);
    system_update(&b.sys, &b.config, &s, 0.001, 0.004, TOLERANCE,
                  (struct instant){{0}, at(1000.0)});
    CHECK_NEAR(b.sys.root_dispersion_s, up_s(0.055), 1e-12);
}

/* Root dispersion on the wire: octets 8 to 11 of a reply made at `t`. */
static uint32_t dispersion_on_wire(const struct bench *b, double t_s)
{
    struct server_view view;
    struct clients *no_clients = NULL;
    uint8_t request[PACKET_HEADER_SIZE] = {0x23, [47] = 1};
    uint8_t reply[DATAGRAM_SIZE_MAX];
    enum service_verdict verdict;
    struct service_rules rules = {
        .access = &b->config.access, .keys = &b->config.keys, .discard = &b->config.discard};
    struct datagram in = {.peer = {{.family = ADDRESS_V4, .bytes = {10, 9, 9, 9}}, 4000},
                          .local = {{.family = ADDRESS_V4, .bytes = {10, 0, 0, 1}}, NTP_PORT},
                          .bytes = request,
                          .size = sizeof request};
    system_view(&b->sys, &b->config, 6, &view);
    CHECK_INT(server_reply(&view, &rules, no_clients, &in, (struct instant){{99}, at(t_s)}, reply,
                           &verdict),
              48);
    return (uint32_t)reply[8] << 24 | (uint32_t)reply[9] << 16 | (uint32_t)reply[10] << 8 |
           reply[11];
}

static void check_40_root_dispersion_grows_15e_6_a_second_in_view_and_on_wire(void)
{
    static const double times[] = {1.0, 10.0, 1e3, 1e5};
    struct bench b = in_holdover(POLICY_RFC5905);
    struct server_view view;
    double begin = b.sys.root_dispersion_s;
    system_view(&b.sys, &b.config, 6, &view);
    for (int i = 0; i < 4; i++) {
        double expected = begin + 15e-6 * times[i];
        CHECK_NEAR(server_view_dispersion_s(&view, at(times[i])), expected, 1e-12);
        double wire = s_from_ntp_short(dispersion_on_wire(&b, times[i]));
        CHECK_NEAR(wire, expected, 1.0 / 65536);
        CHECK(wire >= expected - 1e-12); /* rounded up: never less than the truth */
        CHECK_NEAR(system_distance_s(&b.sys, at(times[i])), up_s(0.030) / 2.0 + expected, 1e-12);
    }
}

static void holdover_ends_when_the_distance_reaches_maxdist(void)
{
    struct bench b = in_holdover(POLICY_HOLDFAST);
    double end_s = (1.5 - distance_s()) / 15e-6;
    mono_time end = system_holdover_end(&b.sys, &b.config);
    CHECK_NEAR(mono_diff_s(end, at(0)), end_s, 1e-6);
    CHECK(!system_holdover_ends(&b.sys, &b.config, (mono_time){end.ticks - 1}));
    CHECK(system_holdover_ends(&b.sys, &b.config, end));
    CHECK_NEAR(system_distance_s(&b.sys, end), 1.5, 1e-9);
    b.config.tos.maxdist_s = 0.5;
    CHECK_NEAR(mono_diff_s(system_holdover_end(&b.sys, &b.config), at(0)),
               (0.5 - distance_s()) / 15e-6, 1e-6);
}

static void the_maximum_distance_is_tested_in_holdover_only(void)
{
    struct bench b = synchronised(POLICY_HOLDFAST);
    CHECK_INT(system_holdover_end(&b.sys, &b.config).ticks, MONO_NEVER.ticks);
    CHECK(!system_holdover_ends(&b.sys, &b.config, at(1e7)));
}

static void tos_holdover_ends_it_earlier_but_never_later(void)
{
    struct bench b = in_holdover(POLICY_HOLDFAST);
    b.sys.since = at(100.0);
    b.config.tos.holdover_s = 3600.0;
    CHECK_NEAR(mono_diff_s(system_holdover_end(&b.sys, &b.config), at(0)), 3700.0, 1e-9);
    CHECK(!system_holdover_ends(&b.sys, &b.config, at(3699.9)));
    CHECK(system_holdover_ends(&b.sys, &b.config, at(3700.0)));
    b.config.tos.holdover_s = 1e6;
    CHECK_NEAR(mono_diff_s(system_holdover_end(&b.sys, &b.config), at(0)),
               (1.5 - distance_s()) / 15e-6, 1e-6);
}

static void after_holdover_the_limit_of_the_group_grows_as_the_claim_would_have(void)
{
    struct bench b = in_holdover(POLICY_HOLDFAST);
    struct source s = leader_at(9000.0);
    CHECK_NEAR(system_group_limit_s(&b.sys, &b.config, at(1000.0)), distance_s() + 0.015, 1e-12);
    system_remember(&b.sys, at(3600.0));
    system_unsynchronise(&b.sys);
    CHECK(isinf(system_distance_s(&b.sys, at(7200.0))));
    CHECK_NEAR(system_group_limit_s(&b.sys, &b.config, at(7200.0)), distance_s() + 7200 * 15e-6,
               1e-12);
    system_update(&b.sys, &b.config, &s, 0.001, 0.004, TOLERANCE,
                  (struct instant){ntp_from_unix_s(INT64_C(1800009000)), at(9000.0)});
    system_unsynchronise(&b.sys); /* by a step, say: what was claimed before says nothing now */
    CHECK(isinf(system_group_limit_s(&b.sys, &b.config, at(9000.0))));
}

static void policy_rfc5905_never_ends_holdover(void)
{
    struct bench b = in_holdover(POLICY_RFC5905);
    b.config.tos.holdover_s = 3600.0;
    CHECK_INT(system_holdover_end(&b.sys, &b.config).ticks, MONO_NEVER.ticks);
    CHECK(!system_holdover_ends(&b.sys, &b.config, at(1e8)));
}

static void a_bound_that_does_not_grow_ends_in_no_lifetime(void)
{
    struct bench b = in_holdover(POLICY_HOLDFAST);
    b.sys.dispersion_rate = 0.0;
    b.sys.as_of = at(1e7);
    CHECK(mono_diff_s(system_holdover_end(&b.sys, &b.config), at(1e7)) > 9e8);
}

static void policies_have_their_own_maximum_distance(void)
{
    struct engine_config config;
    engine_config_default(&config);
    CHECK(system_maxdist_s(&config) == 1.5);
    config.policy = POLICY_RFC5905;
    CHECK(system_maxdist_s(&config) == 1.0);
    config.tos.maxdist_s = 3.0;
    CHECK(system_maxdist_s(&config) == 3.0);
    CHECK_INT(policy_by_name("holdfast"), POLICY_HOLDFAST);
    CHECK_INT(policy_by_name("rfc5905"), POLICY_RFC5905);
    CHECK_INT(policy_by_name("rfc590"), POLICIES);
    CHECK_INT(policy_by_name(""), POLICIES);
}

static void widening_starts_from_what_has_grown(void)
{
    struct bench b = synchronised(POLICY_HOLDFAST);
    system_widen(&b.sys, -0.5, at(1000.0));
    CHECK_NEAR(system_distance_s(&b.sys, at(1000.0)), distance_s() + 0.015 + 0.5, 1e-12);
    CHECK_NEAR(system_distance_s(&b.sys, at(2000.0)), distance_s() + 0.030 + 0.5, 1e-12);
}

static void covering_never_narrows(void)
{
    struct bench b = synchronised(POLICY_HOLDFAST);
    system_cover(&b.sys, 0.2, at(100.0));
    CHECK_NEAR(system_distance_s(&b.sys, at(100.0)), 0.2, 1e-12);
    system_cover(&b.sys, 0.1, at(100.0));
    CHECK_NEAR(system_distance_s(&b.sys, at(100.0)), 0.2, 1e-12);
}

static void holdover_keeps_leap_and_stratum_but_no_members_name(void)
{
    struct bench b = synchronised(POLICY_HOLDFAST);
    system_hold(&b.sys);
    CHECK_INT(b.sys.refid, 0x0A010203); /* an upstream's stays */
    b.sys.follows_member = true;
    system_hold(&b.sys);
    CHECK_INT(b.sys.refid, REFID_HOLDOVER);
    CHECK_INT(b.sys.refid, 0x7F7F0101);
    CHECK_INT(b.sys.stratum, 3);
    CHECK_INT(b.sys.leap, LEAP_NONE);
}

static void following_a_member_is_noted(void)
{
    struct bench b = synchronised(POLICY_HOLDFAST);
    struct source s = leader_at(0.0);
    CHECK(!b.sys.follows_member);
    s.is_member = true;
    system_update(&b.sys, &b.config, &s, 0.0, 0.0, TOLERANCE, (struct instant){{0}, at(0)});
    CHECK(b.sys.follows_member);
}

/* 2026 ... 2104, day by day, from the lengths of the months alone. */
static void leap_days_are_the_last_of_each_month_until_2104(void)
{
    static const int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day = TIMESTAMP_PIVOT_UNIX_S / 86400;
    int wrong = 0;
    for (int year = 2026; year <= 2104; year++) {
        bool is_leap_year = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 0; month < 12; month++) {
            int length = lengths[month] + (month == 1 && is_leap_year ? 1 : 0);
            for (int d = 1; d <= length; d++, day++) {
                ntp_time first = ntp_from_unix_s(day * 86400);
                ntp_time last = ntp_from_unix_s(day * 86400 + 86399);
                wrong += system_is_leap_day(first) != (d == length) ? 1 : 0;
                wrong += system_is_leap_day(last) != (d == length) ? 1 : 0;
            }
        }
    }
    CHECK_INT(wrong, 0);
    CHECK_INT(day * 86400, INT64_C(4260211200)); /* 2105-01-01 */
}

static void the_calendar_does_not_stumble_over_the_era(void)
{
    ntp_time last_of_era = {UINT64_MAX}; /* 2036-02-07 06:28:15.99 */
    CHECK(!system_is_leap_day(last_of_era));
    CHECK(!system_is_leap_day(NTP_TIME_ZERO));
    CHECK(system_is_leap_day(ntp_add_s(NTP_TIME_ZERO, 22 * 86400.0))); /* 2036-02-29 */
    CHECK(!system_is_leap_day(ntp_add_s(NTP_TIME_ZERO, 21 * 86400.0)));
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
const struct test_case system_tests[] = {
    CASE(a_new_system_claims_nothing),
    CASE(an_update_adds_the_hop_to_what_the_leader_claims),
    CASE(a_hop_adds_at_least_5_ms),
    CASE(an_update_long_after_the_answer_ages_what_was_heard),
    CASE(check_40_root_dispersion_grows_15e_6_a_second_in_view_and_on_wire),
    CASE(holdover_ends_when_the_distance_reaches_maxdist),
    CASE(the_maximum_distance_is_tested_in_holdover_only),
    CASE(tos_holdover_ends_it_earlier_but_never_later),
    CASE(after_holdover_the_limit_of_the_group_grows_as_the_claim_would_have),
    CASE(policy_rfc5905_never_ends_holdover),
    CASE(a_bound_that_does_not_grow_ends_in_no_lifetime),
    CASE(policies_have_their_own_maximum_distance),
    CASE(widening_starts_from_what_has_grown),
    CASE(covering_never_narrows),
    CASE(holdover_keeps_leap_and_stratum_but_no_members_name),
    CASE(following_a_member_is_noted),
    CASE(leap_days_are_the_last_of_each_month_until_2104),
    CASE(the_calendar_does_not_stumble_over_the_era),
    {NULL, NULL}};
