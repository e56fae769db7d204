/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * May this packet be believed? Packets written by hand against one association: each verdict, what
 * a sample measures, and that whatever fails leaves the association as it was.
 */
#include "../engine/constants.h"
#include "../engine/source.h"
#include "check.h"

/* A packet went out at T1 and an answer is ready, 10 ms each way, 1 ms there, the other clock 0.5 s
 * ahead. */
struct desk {
    struct engine_config config;
    struct association_config line;
    struct source source;
    struct random_stream random;
    struct source_terms terms;
    struct packet packet;
    struct datagram in;
    struct verified verified;
    mono_time now;
};

static const ntp_time start = {UINT64_C(0xEB00000000000000)};

static void desk_send(struct desk *d, double t_s)
{
    struct outgoing out;
    struct server_view view = {.leap = LEAP_UNKNOWN, .stratum = STRATUM_MAX};
    struct instant now = {ntp_add_s(start, t_s), {ticks_from_s(t_s)}};
    source_transmit(&d->source, &d->terms, &view, &d->random, 1, now, &out);
}

static void desk_answer(struct desk *d, double sent_s)
{
    d->packet = (struct packet){
        .version = 4,
        .mode = d->line.kind == ASSOCIATION_PEER ? MODE_ACTIVE : MODE_SERVER,
        .stratum = 2,
        .poll = 6,
        .precision = -20,
        .root_delay = 0x8000,
        .root_dispersion = 0x4000,
        .reference = ntp_add_s(start, sent_s - 10.0),
        .origin = d->source.exchange.sent_wire,
        .receive = ntp_add_s(start, sent_s + 0.510),
        .transmit = ntp_add_s(start, sent_s + 0.511),
    };
    d->in.stamp = ntp_add_s(start, sent_s + 0.021);
    d->now = (mono_time){ticks_from_s(sent_s + 0.021)};
}

static void desk_init(struct desk *d, enum association_kind kind)
{
    static const uint8_t key[32] = {1};
    struct endpoint peer = {{.family = ADDRESS_V4, .bytes = {10, 0, 0, 2}}, NTP_PORT};
    memset(d, 0, sizeof *d);
    engine_config_default(&d->config);
    d->line = (struct association_config){
        .kind = kind, .name = "x", .is_numeric = true, .minpoll = 6, .maxpoll = 10, .version = 4};
    d->terms = (struct source_terms){.config = &d->config, .own_bound_s = INFINITY};
    random_init(&d->random, key);
    source_init(&d->source, &d->line, 0, (mono_time){0});
    source_assign(&d->source, &peer, (mono_time){0});
    desk_send(d, 1.0);
    desk_answer(d, 1.0);
}

/* The verdict; the source must be the same bytes afterwards. */
static enum source_verdict desk_judge(struct desk *d)
{
    struct source before = d->source;
    source_verify(&d->source, &d->terms, &d->packet, &d->in, d->now, &d->verified);
    CHECK(memcmp(&before, &d->source, sizeof before) == 0);
    return d->verified.verdict;
}

static void desk_take(struct desk *d, enum source_verdict expected)
{
    CHECK_INT(desk_judge(d), expected);
    if (d->verified.verdict == expected) {
        source_commit(&d->source, &d->verified, &d->terms, d->now);
    }
}

static void the_answer_to_my_question_is_a_sample(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    CHECK_INT(desk_judge(&d), SOURCE_SAMPLE);
    CHECK_NEAR(d.verified.sample.offset_s, 0.5, 1e-9); /* server ahead: positive */
    CHECK_NEAR(d.verified.sample.delay_s, 0.020, 1e-9);
    CHECK_NEAR(d.verified.sample.dispersion_s, ldexp(1.0, -20) + ldexp(1.0, -22) + 15e-6 * 0.021,
               1e-15);
}

static void a_sample_is_restated_for_what_was_slewed_meanwhile(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    d.terms.slewed_s = 0.004; /* my clock gained 4 ms between T1 and T4: it reads 0.025 now */
    d.in.stamp = ntp_add_s(start, 1.025);
    CHECK_INT(desk_judge(&d), SOURCE_SAMPLE);
    CHECK_NEAR(d.verified.sample.offset_s, 0.496, 1e-9);
    CHECK_NEAR(d.verified.sample.delay_s, 0.020, 1e-9);
    CHECK(d.verified.sample.slewed_s == 0.004);
}

static void offsets_are_right_across_the_era(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    d.source.exchange.sent_stamp = (ntp_time){UINT64_MAX - 99};
    d.packet.receive = ntp_add_s(d.source.exchange.sent_stamp, 0.510);
    d.packet.transmit = ntp_add_s(d.source.exchange.sent_stamp, 0.511);
    d.packet.reference = ntp_add_s(d.source.exchange.sent_stamp, -10.0);
    d.in.stamp = ntp_add_s(d.source.exchange.sent_stamp, 0.021);
    CHECK_INT(desk_judge(&d), SOURCE_SAMPLE);
    CHECK_NEAR(d.verified.sample.offset_s, 0.5, 1e-9);
    CHECK_NEAR(d.verified.sample.delay_s, 0.020, 1e-9);
}

static void only_mode_4_answers_a_client(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    for (uint8_t mode = 0; mode < 8; mode++) {
        d.packet.mode = mode;
        CHECK_INT(desk_judge(&d), mode == MODE_SERVER ? SOURCE_SAMPLE : SOURCE_BAD_MODE);
    }
    desk_init(&d, ASSOCIATION_PEER);
    for (uint8_t mode = 0; mode < 8; mode++) {
        bool is_peer = mode == MODE_ACTIVE || mode == MODE_PASSIVE;
        d.packet.mode = mode;
        CHECK_INT(desk_judge(&d), is_peer ? SOURCE_SAMPLE : SOURCE_BAD_MODE);
    }
}

static void an_origin_off_by_one_bit_is_bogus(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    ntp_time origin = d.packet.origin;
    for (int bit = 0; bit < 64; bit++) {
        d.packet.origin.ticks = origin.ticks ^ UINT64_C(1) << bit;
        CHECK_INT(desk_judge(&d), SOURCE_BOGUS);
    }
}

static void a_zero_origin_never_matches(void)
{
    static const enum association_kind kinds[] = {ASSOCIATION_SERVER, ASSOCIATION_PEER};
    for (int k = 0; k < 2; k++) {
        enum source_verdict expected = k == 0 ? SOURCE_BOGUS : SOURCE_STATE;
        struct desk d;
        desk_init(&d, kinds[k]);
        d.packet.origin = NTP_TIME_ZERO;
        CHECK_INT(desk_judge(&d), expected); /* with a question outstanding */

        desk_init(&d, kinds[k]);
        source_reset(&d.source, d.now);
        d.packet.origin = NTP_TIME_ZERO;
        CHECK_INT(desk_judge(&d), expected); /* before the first, or after a reset */

        desk_init(&d, kinds[k]);
        source_stepped(&d.source, d.now);
        CHECK_INT(desk_judge(&d), expected); /* the genuine answer is void, too */
        d.packet.origin = NTP_TIME_ZERO;
        CHECK_INT(desk_judge(&d), expected); /* after a step */

        desk_init(&d, kinds[k]);
        desk_take(&d, SOURCE_SAMPLE);
        d.packet.origin = NTP_TIME_ZERO;
        d.packet.transmit = ntp_add_s(d.packet.transmit, 1e-3);
        CHECK_INT(desk_judge(&d), expected); /* right after an answer */
    }
}

static void a_second_answer_to_one_question_is_a_duplicate(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    desk_take(&d, SOURCE_SAMPLE);
    CHECK_INT(desk_judge(&d), SOURCE_DUPLICATE);
    d.packet.transmit = ntp_add_s(d.packet.transmit, 1.0);
    d.packet.receive = ntp_add_s(d.packet.receive, 1.0);
    CHECK_INT(desk_judge(&d), SOURCE_DUPLICATE);

    desk_init(&d, ASSOCIATION_PEER);
    desk_take(&d, SOURCE_SAMPLE);
    CHECK_INT(desk_judge(&d), SOURCE_OLD);
}

static void an_answer_to_the_question_before_is_bogus(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    desk_send(&d, 65.0);
    CHECK_INT(desk_judge(&d), SOURCE_BOGUS);
}

static void missing_timestamps_are_refused(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    d.packet.transmit = NTP_TIME_ZERO;
    CHECK_INT(desk_judge(&d), SOURCE_ZERO);
    desk_init(&d, ASSOCIATION_SERVER);
    d.packet.receive = NTP_TIME_ZERO;
    CHECK_INT(desk_judge(&d), SOURCE_INSANE);
    desk_init(&d, ASSOCIATION_PEER);
    d.packet.transmit = NTP_TIME_ZERO;
    CHECK_INT(desk_judge(&d), SOURCE_ZERO);
    desk_init(&d, ASSOCIATION_PEER);
    d.packet.receive = NTP_TIME_ZERO;
    CHECK_INT(desk_judge(&d), SOURCE_ZERO);
}

static void impossible_headers_are_refused(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    d.packet.receive = ntp_add_ticks(d.packet.transmit, 1); /* T3 before T2 */
    CHECK_INT(desk_judge(&d), SOURCE_INSANE);
    desk_init(&d, ASSOCIATION_SERVER);
    d.packet.reference = ntp_add_ticks(d.packet.transmit, 1); /* set in its own future */
    CHECK_INT(desk_judge(&d), SOURCE_INSANE);
    desk_init(&d, ASSOCIATION_SERVER);
    d.packet.leap = LEAP_INSERT;
    d.packet.root_delay = 8 << 16;
    d.packet.root_dispersion = 12 << 16; /* 4 + 12: as far as can be */
    CHECK_INT(desk_judge(&d), SOURCE_INSANE);
    d.packet.root_dispersion--;
    CHECK_INT(desk_judge(&d), SOURCE_SAMPLE);
    d.packet.root_delay = UINT32_MAX;
    CHECK_INT(desk_judge(&d), SOURCE_INSANE);
}

static void any_stratum_and_leap_gives_a_verdict(void)
{
    for (int stratum = 0; stratum < 256; stratum++) {
        for (uint8_t leap = 0; leap < 4; leap++) {
            struct desk d;
            desk_init(&d, ASSOCIATION_SERVER);
            d.packet.stratum = (uint8_t)stratum;
            d.packet.leap = leap;
            CHECK_INT(desk_judge(&d), SOURCE_SAMPLE);
            CHECK(d.verified.is_synchronised == (leap != 3 && stratum >= 1 && stratum <= 15));
            desk_take(&d, SOURCE_SAMPLE);
            CHECK_INT(d.source.stratum, stratum >= 1 && stratum <= 15 ? stratum : 16);
        }
    }
}

static void any_precision_gives_a_sane_sample(void)
{
    for (int precision = -128; precision < 128; precision++) {
        struct desk d;
        int used = precision < -32 ? -32 : precision > 0 ? 0 : precision;
        desk_init(&d, ASSOCIATION_SERVER);
        d.packet.precision = (int8_t)precision;
        desk_take(&d, SOURCE_SAMPLE);
        double expected = ldexp(1.0, used) + ldexp(1.0, -22) + 15e-6 * 0.021;
        CHECK_NEAR(d.verified.sample.dispersion_s, expected, 1e-12);
        CHECK_INT(d.source.precision, used);
    }
}

static void a_negative_delay_is_no_better_than_my_precision(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    d.packet.transmit = ntp_add_s(d.packet.receive, 5.0); /* held longer than it was away */
    CHECK_INT(desk_judge(&d), SOURCE_SAMPLE);
    CHECK(d.verified.sample.delay_s == ldexp(1.0, -22));
    d.in.stamp = ntp_add_s(start, -1e6); /* my own clock seems to have gone back */
    CHECK_INT(desk_judge(&d), SOURCE_SAMPLE);
    CHECK(d.verified.sample.dispersion_s >= ldexp(1.0, -20));
}

static void a_refused_answer_leaves_nothing_behind(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    d.packet.leap = LEAP_INSERT;
    d.packet.stratum = 7;
    d.packet.refid = 0x42424242;
    d.packet.root_dispersion = 20 << 16;
    CHECK_INT(desk_judge(&d), SOURCE_INSANE);
    desk_answer(&d, 1.0); /* and the genuine one, a moment later, is as good as ever */
    CHECK_INT(desk_judge(&d), SOURCE_SAMPLE);
}

static void a_kiss_needs_my_nonce(void)
{
    static const uint32_t codes[] = {KISS_RATE, KISS_DENY, KISS_RSTR};
    for (int i = 0; i < 3; i++) {
        struct desk d;
        desk_init(&d, ASSOCIATION_SERVER);
        d.packet.stratum = STRATUM_UNSPECIFIED;
        d.packet.leap = LEAP_UNKNOWN;
        d.packet.refid = codes[i];
        CHECK_INT(desk_judge(&d), SOURCE_KISS);
        d.packet.transmit = d.packet.receive = NTP_TIME_ZERO;
        CHECK_INT(desk_judge(&d), SOURCE_KISS);
        d.packet.origin.ticks++;
        CHECK_INT(desk_judge(&d), SOURCE_BOGUS);
    }
}

static void a_kiss_code_with_a_stratum_is_a_reference_id(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_SERVER);
    d.packet.refid = KISS_DENY; /* 68.69.78.89 */
    CHECK_INT(desk_judge(&d), SOURCE_SAMPLE);
}

static void my_own_packet_reflected_is_refused(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_PEER);
    d.packet.transmit = d.source.exchange.sent_wire;
    d.packet.origin = NTP_TIME_ZERO;
    CHECK_INT(desk_judge(&d), SOURCE_REFLECTED);
    d.packet.origin = d.source.exchange.sent_wire; /* as its own valid answer */
    CHECK_INT(desk_judge(&d), SOURCE_REFLECTED);
}

static void an_older_packet_of_mine_reflected_is_refused(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_PEER);
    d.packet.receive =
        ntp_add_s(start, 1.010); /* clocks agree: mine may look newer than the peer's */
    d.packet.transmit = ntp_add_s(start, 1.011);
    desk_take(&d, SOURCE_SAMPLE);
    struct packet mine = d.packet;
    desk_send(&d, 65.0);
    mine.origin = d.source.exchange.peer_transmit;
    mine.receive = d.source.exchange.peer_arrival;
    mine.transmit = d.source.exchange.sent_wire;
    desk_send(&d, 129.0); /* the peer's answer in between was lost */
    d.packet = mine;
    CHECK_INT(desk_judge(&d), SOURCE_REFLECTED);
}

static void what_answers_nothing_updates_only_the_echo_and_the_peers_poll(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_PEER);
    struct source before = d.source;
    d.packet.origin.ticks ^= 1;
    d.packet.leap = LEAP_DELETE;
    d.packet.poll = 3;
    desk_take(&d, SOURCE_STATE);
    CHECK(ntp_equal(d.source.exchange.peer_transmit, d.packet.transmit));
    CHECK(ntp_equal(d.source.exchange.peer_arrival, d.in.stamp));
    CHECK(d.source.exchange.is_outstanding); /* the true answer may still come */
    CHECK_INT(d.source.ppoll, 3);
    d.source.exchange = before.exchange;
    d.source.ppoll = before.ppoll;
    CHECK(memcmp(&d.source, &before, sizeof before) == 0);
}

static void of_unasked_packets_one_per_poll_is_taken(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_PEER);
    d.packet.origin.ticks ^= 1;
    desk_take(&d, SOURCE_STATE);
    d.packet.transmit = ntp_add_s(d.packet.transmit, 1.0);
    CHECK_INT(desk_judge(&d), SOURCE_TOO_OFTEN);
    d.source.reach = 1;
    desk_send(&d, 65.0);
    CHECK_INT(desk_judge(&d), SOURCE_STATE);
}

static void unasked_packets_must_be_newer_than_all_accepted(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_PEER);
    desk_take(&d, SOURCE_SAMPLE);
    ntp_time newest = d.packet.transmit;
    desk_send(&d, 65.0);
    CHECK_INT(desk_judge(&d), SOURCE_OLD);
    d.packet.transmit = ntp_add_ticks(newest, -1);
    CHECK_INT(desk_judge(&d), SOURCE_OLD);
    d.packet.transmit = ntp_add_ticks(newest, 1);
    CHECK_INT(desk_judge(&d), SOURCE_STATE);
    source_stepped(&d.source, d.now); /* my own step does not make the past new */
    d.packet.transmit = newest;
    CHECK_INT(desk_judge(&d), SOURCE_OLD);
}

static void unasked_packets_must_be_near_once_i_am_synchronised(void)
{
    struct desk d;
    desk_init(&d, ASSOCIATION_PEER);
    d.packet.origin = NTP_TIME_ZERO;
    d.packet.transmit = ntp_add_s(d.in.stamp, 1.001);
    CHECK_INT(desk_judge(&d), SOURCE_STATE); /* I do not know the time yet */
    d.terms.is_synchronised = true;
    d.terms.own_bound_s = 0.010;
    CHECK_INT(desk_judge(&d), SOURCE_FAR);
    d.packet.transmit = ntp_add_s(d.in.stamp, -1.001);
    CHECK_INT(desk_judge(&d), SOURCE_FAR);
    d.packet.transmit = ntp_add_s(d.in.stamp, 0.999);
    CHECK_INT(desk_judge(&d), SOURCE_STATE);
    d.packet.transmit = ntp_add_s(d.in.stamp, 1.4);
    d.terms.own_bound_s = 1.5;
    CHECK_INT(desk_judge(&d), SOURCE_STATE);
}

static void every_verdict_has_a_text_of_its_own(void)
{
    for (unsigned i = 0; i < SOURCE_VERDICTS; i++) {
        const char *text = source_verdict_text((enum source_verdict)i);
        CHECK(text && strlen(text) > 3);
        for (unsigned k = 0; k < i && text; k++) {
            CHECK(strcmp(text, source_verdict_text((enum source_verdict)k)) != 0);
        }
    }
    CHECK_STR(source_verdict_text(SOURCE_VERDICTS), "unknown");
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
const struct test_case exchange_tests[] = {
    CASE(the_answer_to_my_question_is_a_sample),
    CASE(a_sample_is_restated_for_what_was_slewed_meanwhile),
    CASE(offsets_are_right_across_the_era),
    CASE(only_mode_4_answers_a_client),
    CASE(an_origin_off_by_one_bit_is_bogus),
    CASE(a_zero_origin_never_matches),
    CASE(a_second_answer_to_one_question_is_a_duplicate),
    CASE(an_answer_to_the_question_before_is_bogus),
    CASE(missing_timestamps_are_refused),
    CASE(impossible_headers_are_refused),
    CASE(any_stratum_and_leap_gives_a_verdict),
    CASE(any_precision_gives_a_sane_sample),
    CASE(a_negative_delay_is_no_better_than_my_precision),
    CASE(a_refused_answer_leaves_nothing_behind),
    CASE(a_kiss_needs_my_nonce),
    CASE(a_kiss_code_with_a_stratum_is_a_reference_id),
    CASE(my_own_packet_reflected_is_refused),
    CASE(an_older_packet_of_mine_reflected_is_refused),
    CASE(what_answers_nothing_updates_only_the_echo_and_the_peers_poll),
    CASE(of_unasked_packets_one_per_poll_is_taken),
    CASE(unasked_packets_must_be_newer_than_all_accepted),
    CASE(unasked_packets_must_be_near_once_i_am_synchronised),
    CASE(every_verdict_has_a_text_of_its_own),
    {NULL, NULL}};
