/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One association: what it sends and when, and what answers, kisses and silence do to it. The
 * tests of a packet against the exchange are in exchange_test.c. Numbers are those of the
 * validation table.
 */
#include "../engine/source.h"

#include "../engine/constants.h"
#include "check.h"

#define START_S INT64_C(1800000000) /* Unix time of mono 0 */

struct desk {
    struct engine_config config;
    struct association_config line;
    struct source source;
    struct random_stream random;
    struct server_view view;
    struct outgoing out;
    double slewed_s;
    uint32_t requests;
};

static mono_time at(double t_s)
{
    return (mono_time){ticks_from_s(t_s)};
}

static struct instant instant_at(mono_time now)
{
    return (struct instant){ntp_add_ticks(ntp_from_unix_s(START_S), now.ticks), now};
}

static void desk_init(struct desk *d, enum association_kind kind)
{
    static const uint8_t key[32] = {7, 7, 7};
    struct endpoint peer = {{.family = ADDRESS_V4, .bytes = {10, 0, 0, 2}}, NTP_PORT};
    memset(d, 0, sizeof *d);
    engine_config_default(&d->config);
    d->line = (struct association_config){
        .kind = kind, .name = "x", .is_numeric = true, .minpoll = 6, .maxpoll = 10, .version = 4};
    random_init(&d->random, key);
    source_init(&d->source, &d->line, 0, at(0));
    source_assign(&d->source, &peer, at(0));
    d->source.next_poll = at(0);
    d->view = (struct server_view){
        .leap = LEAP_UNKNOWN, .stratum = STRATUM_MAX, .precision = -22, .poll = 6};
}

static struct source_terms desk_terms(const struct desk *d)
{
    return (struct source_terms){.config = &d->config, .slewed_s = d->slewed_s};
}

static struct packet desk_send(struct desk *d, mono_time now)
{
    struct packet p;
    struct source_terms terms = desk_terms(d);
    source_transmit(&d->source, &terms, &d->view, &d->random, ++d->requests, instant_at(now),
                    &d->out);
    source_schedule(&d->source, now);
    CHECK_INT(packet_parse(d->out.bytes, d->out.size, &p), PACKET_OK);
    return p;
}

/* What an honest stratum-2 server would answer now. */
static struct packet desk_answer(const struct desk *d, mono_time now)
{
    ntp_time clock = instant_at(now).clock;
    return (struct packet){.version = 4,
                           .mode = d->line.kind == ASSOCIATION_PEER ? MODE_ACTIVE : MODE_SERVER,
                           .stratum = 2,
                           .poll = 6,
                           .precision = -20,
                           .root_delay = 0x1000,
                           .root_dispersion = 0x800,
                           .refid = 0x01020304,
                           .reference = ntp_add_s(clock, -100.0),
                           .origin = d->source.exchange.sent_wire,
                           .receive = clock,
                           .transmit = ntp_add_s(clock, 1e-4)};
}

/* Verifies and, if it passed, commits. */
static enum source_verdict desk_hear(struct desk *d, const struct packet *p, mono_time now)
{
    struct verified v;
    struct source_terms terms = desk_terms(d);
    struct datagram in = {.peer = d->source.peer, .stamp = instant_at(now).clock};
    source_verify(&d->source, &terms, p, &in, now, &v);
    if (v.verdict == SOURCE_SAMPLE || v.verdict == SOURCE_STATE || v.verdict == SOURCE_KISS) {
        source_commit(&d->source, &v, &terms, now);
        source_schedule(&d->source, now);
    }
    return v.verdict;
}

static void desk_exchange(struct desk *d, mono_time now)
{
    desk_send(d, now);
    struct packet p = desk_answer(d, now);
    CHECK_INT(desk_hear(d, &p, now), SOURCE_SAMPLE);
}

static void desk_kiss(struct desk *d, uint32_t code)
{
    desk_send(d, d->source.next_poll);
    struct packet p = desk_answer(d, d->source.polled);
    p.stratum = STRATUM_UNSPECIFIED;
    p.leap = LEAP_UNKNOWN;
    p.refid = code;
    CHECK_INT(desk_hear(d, &p, d->source.polled), SOURCE_KISS);
}

static void a_client_says_nothing_but_a_nonce(void)
{
    static const uint8_t expected[40] = {0x23, 0, 6, 32};
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    d.view = (struct server_view){.stratum = 2, .refid = 99, .root_delay_s = 1.0};
    desk_exchange(&d, at(0)); /* so that there is something it could tell */
    struct packet p = desk_send(&d, at(64));
    CHECK_INT(d.out.size, 48);
    CHECK(memcmp(d.out.bytes, expected, sizeof expected) == 0);
    CHECK(!ntp_is_zero(p.transmit));
    CHECK(fabs(ntp_diff_s(p.transmit, instant_at(at(64)).clock)) > 1.0);
    CHECK_INT(d.out.request, 2);
}

static void every_nonce_is_new(void)
{
    struct desk d;
    uint64_t seen[256];
    desk_init(&d, ASSOCIATION_SERVER);
    for (int i = 0; i < 256; i++) {
        seen[i] = desk_send(&d, at(64.0 * i)).transmit.ticks;
        for (int k = 0; k < i; k++) {
            CHECK(seen[k] != seen[i]);
            CHECK(seen[k] >> 32 != seen[i] >> 32); /* and is no counter or clock either */
        }
    }
}

static void a_peer_sends_its_clock_with_noise_below_its_precision(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_PEER);
    d.view = (struct server_view){.stratum = 3, .precision = -22, .refid = 0x0A000009};
    d.config.clock.precision = -10;
    int differing = 0;
    for (int i = 0; i < 32; i++) {
        struct packet p = desk_send(&d, at(64.0 * i));
        double off = ntp_diff_s(p.transmit, instant_at(at(64.0 * i)).clock);
        CHECK(off >= 0.0 && off < ldexp(1.0, -10));
        differing += off > ldexp(1.0, -20) ? 1 : 0;
        CHECK_INT(p.mode, MODE_ACTIVE);
        CHECK_INT(p.stratum, 3);
        CHECK_INT(p.refid, 0x0A000009);
    }
    CHECK(differing > 24);
    CHECK_INT(d.out.request, 0); /* from the service port */
}

static void a_peer_never_repeats_what_either_side_has_said(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_PEER);
    d.config.clock.precision = -32; /* no noise: the clock itself */
    ntp_time clock = instant_at(at(64)).clock;
    d.source.exchange.sent_wire = clock;
    d.source.exchange.peer_transmit = ntp_add_ticks(clock, 1);
    d.source.exchange.peer_arrival = ntp_add_ticks(clock, 2);
    struct packet p = desk_send(&d, at(64));
    CHECK_INT(ntp_ticks_between(p.transmit, clock), 3);
}

static void a_peer_echoes_what_it_heard_restated_for_slews(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_PEER);
    CHECK(ntp_is_zero(desk_send(&d, at(0)).origin));
    struct packet heard = desk_answer(&d, at(1));
    desk_hear(&d, &heard, at(1));
    d.slewed_s = 0.25; /* my clock was moved forward by so much since */
    struct packet p = desk_send(&d, at(64));
    CHECK(ntp_equal(p.origin, heard.transmit));
    CHECK_NEAR(ntp_diff_s(p.receive, instant_at(at(1)).clock), 0.25, 1e-9);
    source_stepped(&d.source, at(65));
    p = desk_send(&d, at(128));
    CHECK(ntp_is_zero(p.origin));
    CHECK(ntp_is_zero(p.receive));
}

static void check_54_intervals_are_up_to_6_23_percent_longer(void)
{
    enum { DRAWS = 100000 };
    struct desk d;
    double sum = 0.0, least = 1.0, most = 0.0;
    desk_init(&d, ASSOCIATION_SERVER);
    for (int i = 0; i < DRAWS; i++) {
        desk_send(&d, d.source.next_poll);
        double excess = mono_diff_s(d.source.next_poll, d.source.polled) / 64.0 - 1.0;
        sum += excess;
        least = fmin(least, excess);
        most = fmax(most, excess);
    }
    CHECK(most <= 0.0623);
    CHECK(most > 0.0622);
    CHECK(least >= 0.0 && least < 0.0003);
    CHECK_NEAR(sum / DRAWS, 0.03113, 0.001);
}

static void check_45_reach_is_0_after_eight_missed_polls(void)
{
    static const int polls[] = {6, 10, 13, 14};
    for (int i = 0; i < 4; i++) {
        struct desk d;
        double poll_s = ldexp(1.0, polls[i]);
        desk_init(&d, ASSOCIATION_SERVER);
        d.line.maxpoll = 14;
        d.source.hpoll = (int8_t)polls[i];
        desk_exchange(&d, at(0));
        mono_time last = d.source.next_poll;
        desk_exchange(&d, last);
        int missed = 0;
        while (d.source.reach != 0 && missed < 20) {
            desk_send(&d, d.source.next_poll);
            missed++;
        }
        double took_s = mono_diff_s(d.source.polled, last);
        CHECK_INT(missed, 8);
        CHECK(took_s >= 8.0 * poll_s);
        CHECK(took_s <= 8.0 * poll_s * 1.07 + poll_s);
        CHECK_INT(d.source.unanswered, UNREACHABLE_POLLS);
    }
}

static void three_missed_polls_make_a_source_late(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    desk_exchange(&d, at(0));
    for (int i = 1; i <= 3; i++) {
        desk_send(&d, at(64.0 * i)); /* on the third, two have been missed */
        CHECK(!source_is_late(&d.source));
    }
    desk_send(&d, at(256.0));
    CHECK(source_is_late(&d.source));
    struct packet p = desk_answer(&d, at(256.0));
    desk_hear(&d, &p, at(256.0));
    CHECK(!source_is_late(&d.source));
    CHECK_INT(d.source.reach, 0x11);
}

/* Sends `count` packets as they fall due without an answer; returns how many came 2 s after
 * another. */
static int close_pairs(struct desk *d, int count)
{
    int pairs = 0;
    for (int i = 0; i < count; i++) {
        mono_time before = d->source.polled;
        desk_send(d, d->source.next_poll);
        pairs += i > 0 && fabs(mono_diff_s(d->source.polled, before) - 2.0) < 1e-6 ? 1 : 0;
    }
    return pairs;
}

static void iburst_sends_eight_packets_once_per_loss(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    d.line.iburst = true;
    CHECK_INT(close_pairs(&d, 8), 7);
    CHECK_INT(d.source.reach, 0);
    CHECK_INT(d.source.unanswered, 1); /* a burst is one poll */
    CHECK_INT(close_pairs(&d, 30), 0); /* nobody answers: not again */
    desk_exchange(&d, d.source.next_poll);
    CHECK_INT(close_pairs(&d, 8), 0); /* reachable until the eighth */
    CHECK_INT(d.source.reach, 0);
    CHECK_INT(close_pairs(&d, 9), 7);
}

static void burst_sends_eight_packets_at_every_poll_while_reachable(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    d.line.burst = true;
    CHECK_INT(close_pairs(&d, 5), 0); /* an unreachable server is not pestered */
    desk_exchange(&d, d.source.next_poll);
    CHECK_INT(close_pairs(&d, 9), 7);
    CHECK_INT(d.source.burst_left, 7); /* the ninth opens the next */
}

static void a_source_without_bursts_never_sends_two_in_a_poll(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    CHECK_INT(close_pairs(&d, 20), 0);
    desk_exchange(&d, d.source.next_poll);
    CHECK_INT(close_pairs(&d, 20), 0);
}

static double next_interval_s(struct desk *d)
{
    d->source.interval_noise = 0;
    source_schedule(&d->source, d->source.polled);
    return mono_diff_s(d->source.next_poll, d->source.polled);
}

static void rate_raises_the_poll_by_one_and_no_higher_than_maxpoll(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    d.line.maxpoll = 8;
    static const double expected[] = {128.0, 256.0, 256.0};
    for (int i = 0; i < 3; i++) {
        desk_kiss(&d, KISS_RATE);
        CHECK(next_interval_s(&d) == expected[i]);
    }
}

static void rate_never_raises_the_poll_beyond_13(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    d.line.maxpoll = 17;
    d.source.hpoll = 12;
    for (int i = 0; i < 5; i++) {
        desk_kiss(&d, KISS_RATE);
    }
    CHECK(next_interval_s(&d) == 8192.0);
}

static void rate_decays_a_step_in_eight_good_answers(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    desk_kiss(&d, KISS_RATE);
    desk_kiss(&d, KISS_RATE);
    CHECK(next_interval_s(&d) == 256.0);
    for (int i = 0; i < 16; i++) {
        CHECK(next_interval_s(&d) == (i < 8 ? 256.0 : 128.0));
        desk_exchange(&d, d.source.next_poll);
    }
    CHECK(next_interval_s(&d) == 64.0);
}

static void deny_and_rstr_are_asked_again_after_a_day(void)
{
    static const uint32_t codes[] = {KISS_DENY, KISS_RSTR};
    for (int i = 0; i < 2; i++) {
        struct desk d;
        desk_init(&d, ASSOCIATION_SERVER);
        desk_exchange(&d, at(0));
        desk_kiss(&d, codes[i]);
        CHECK(d.source.is_denied);
        CHECK_INT(d.source.reach, 0);
        CHECK(next_interval_s(&d) == 86400.0);
        desk_send(&d, d.source.next_poll); /* not answered: another day */
        CHECK(next_interval_s(&d) == 86400.0);
        desk_exchange(&d, d.source.next_poll);
        CHECK(!d.source.is_denied);
        CHECK(next_interval_s(&d) == 64.0);
    }
}

static void a_kiss_carries_no_time_and_ends_a_burst(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    d.line.iburst = true;
    desk_kiss(&d, KISS_RATE);
    CHECK_INT(d.source.burst_left, 0);
    CHECK_INT(d.source.reach, 0);
    CHECK_INT(d.source.stratum, STRATUM_MAX);
    struct packet p = desk_answer(&d, d.source.polled);
    CHECK_INT(desk_hear(&d, &p, d.source.polled), SOURCE_DUPLICATE); /* the question is answered */
}

static void any_poll_byte_of_a_peer_leaves_the_interval_in_range(void)
{
    for (int byte = -128; byte < 128; byte++) {
        struct desk d;
        desk_init(&d, ASSOCIATION_PEER);
        d.source.hpoll = 10;
        desk_send(&d, at(0));
        struct packet p = desk_answer(&d, at(0));
        p.poll = (int8_t)byte;
        CHECK_INT(desk_hear(&d, &p, at(0)), SOURCE_SAMPLE);
        int expected = byte < 3 ? 3 : byte > 10 ? 10 : byte;
        CHECK(next_interval_s(&d) == ldexp(1.0, expected));
        p.poll = (int8_t)byte;
        p.stratum = STRATUM_UNSPECIFIED;
        p.refid = KISS_RATE;
        desk_send(&d, at(2000));
        p.origin = d.source.exchange.sent_wire;
        p.transmit = ntp_add_s(p.transmit, 2000.0);
        CHECK_INT(desk_hear(&d, &p, at(2000)), SOURCE_KISS);
        CHECK(next_interval_s(&d) ==
              1024.0); /* hpoll + 1, at most maxpoll: its own byte means nothing */
    }
}

static void a_servers_poll_byte_is_ignored(void)
{
    for (int byte = -128; byte < 128; byte++) {
        struct desk d;
        desk_init(&d, ASSOCIATION_SERVER);
        desk_send(&d, at(0));
        struct packet p = desk_answer(&d, at(0));
        p.poll = (int8_t)byte;
        CHECK_INT(desk_hear(&d, &p, at(0)), SOURCE_SAMPLE);
        CHECK(next_interval_s(&d) == 64.0);
    }
}

static void root_distance_has_all_six_parts(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    d.source.root_delay_s = 0.2;
    d.source.root_dispersion_s = 0.03;
    d.source.filter.delay_s = 0.1;
    d.source.filter.dispersion_s = 0.004;
    d.source.filter.jitter_s = 0.0005;
    d.source.filter.updated = at(0);
    CHECK_NEAR(source_distance_s(&d.source, 15e-6, at(1000)),
               (0.2 + 0.1) / 2 + 0.03 + 0.004 + 0.0005 + 0.015, 1e-12);
}

static void an_answer_that_admits_to_be_unsynchronised_is_no_reach(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    desk_send(&d, at(0));
    struct packet p = desk_answer(&d, at(0));
    p.leap = LEAP_UNKNOWN;
    CHECK_INT(desk_hear(&d, &p, at(0)), SOURCE_SAMPLE);
    CHECK_INT(d.source.reach, 0);
    CHECK_INT(d.source.leap, LEAP_UNKNOWN);
}

static void good_answers_end_probation(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    d.source.probation = PROBATION_POLLS;
    for (int i = 0; i < PROBATION_POLLS; i++) {
        CHECK(d.source.probation > 0);
        desk_exchange(&d, d.source.next_poll);
    }
    CHECK_INT(d.source.probation, 0);
}

static void a_new_address_starts_with_nothing(void)
{
    struct desk d;
    struct endpoint other = {{.family = ADDRESS_V4, .bytes = {10, 0, 0, 3}}, NTP_PORT};
    desk_init(&d, ASSOCIATION_PEER);
    desk_exchange(&d, at(0));
    desk_kiss(&d, KISS_DENY);
    source_assign(&d.source, &other, at(500));
    CHECK(!d.source.is_denied);
    CHECK(!d.source.exchange.has_newest);
    CHECK(ntp_is_zero(d.source.exchange.sent_wire));
    CHECK_INT(d.source.stratum, STRATUM_MAX);
    CHECK(d.source.filter.dispersion_s == DISPERSION_MAX_S);
}

/* A packet of the peer crossed mine: the next one goes half an interval from now, and not when it
 * was due; a question that has been answered has crossed nothing. */
static void a_crossed_packet_moves_the_next_poll_by_half_an_interval(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_PEER);
    (void)desk_send(&d, at(100.0));
    d.source.interval_noise = 64; /* 64 / 4096 longer */
    source_uncross(&d.source, at(100.5));
    CHECK_NEAR(mono_diff_s(d.source.next_poll, at(0)), 100.5 + 32.0 * (1.0 + 64.0 / 4096.0), 1e-9);
    d.source.exchange.is_outstanding = false;
    d.source.next_poll = at(164.0);
    source_uncross(&d.source, at(120.0));
    CHECK_NEAR(mono_diff_s(d.source.next_poll, at(0)), 164.0, 0.0);
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
const struct test_case source_tests[] = {
    CASE(a_client_says_nothing_but_a_nonce),
    CASE(every_nonce_is_new),
    CASE(a_peer_sends_its_clock_with_noise_below_its_precision),
    CASE(a_peer_never_repeats_what_either_side_has_said),
    CASE(a_peer_echoes_what_it_heard_restated_for_slews),
    CASE(check_54_intervals_are_up_to_6_23_percent_longer),
    CASE(check_45_reach_is_0_after_eight_missed_polls),
    CASE(a_crossed_packet_moves_the_next_poll_by_half_an_interval),
    CASE(three_missed_polls_make_a_source_late),
    CASE(iburst_sends_eight_packets_once_per_loss),
    CASE(burst_sends_eight_packets_at_every_poll_while_reachable),
    CASE(a_source_without_bursts_never_sends_two_in_a_poll),
    CASE(rate_raises_the_poll_by_one_and_no_higher_than_maxpoll),
    CASE(rate_never_raises_the_poll_beyond_13),
    CASE(rate_decays_a_step_in_eight_good_answers),
    CASE(deny_and_rstr_are_asked_again_after_a_day),
    CASE(a_kiss_carries_no_time_and_ends_a_burst),
    CASE(any_poll_byte_of_a_peer_leaves_the_interval_in_range),
    CASE(a_servers_poll_byte_is_ignored),
    CASE(root_distance_has_all_six_parts),
    CASE(an_answer_that_admits_to_be_unsynchronised_is_no_reach),
    CASE(good_answers_end_probation),
    CASE(a_new_address_starts_with_nothing),
    {NULL, NULL}};
