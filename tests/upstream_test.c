/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Simulated upstreams: what they claim and what they answer.
 */
#include "../sim/upstream.h"

#include "check.h"

static struct scenario_node upstream_of(uint8_t stratum)
{
    struct scenario_node node = {.kind = NODE_UPSTREAM,
                                 .stratum = stratum,
                                 .root_delay_s = 0.010,
                                 .root_dispersion_s = 0.005};
    CHECK(address_parse("198.18.0.1", &node.address));
    return node;
}

static struct instant instant_at(double s)
{
    struct instant now = {.clock = ntp_from_unix_s(1772323200), .mono = {0}};
    return (struct instant){ntp_add_s(now.clock, s), mono_add_s(now.mono, s)};
}

static void its_reference_is_refreshed_every_64_s(void)
{
    struct scenario_node node = upstream_of(2);
    for (double s = 0; s < 300; s += 7.3) {
        struct instant now = instant_at(s);
        struct server_view view = upstream_view(&node, 3, now);
        double age_s = ntp_diff_s(now.clock, view.reference_time);
        CHECK(age_s >= 0 && age_s < 64);
        CHECK_INT(view.reference_time.ticks % (UINT64_C(64) << 32), 0);
        CHECK_NEAR(server_view_dispersion_s(&view, now.mono), 0.005 + 15e-6 * age_s, 1e-12);
    }
}

static void reference_ids_tell_upstreams_apart_and_name_no_host(void)
{
    struct scenario_node node = upstream_of(2);
    uint32_t first = upstream_view(&node, 3, instant_at(0)).refid;
    uint32_t second = upstream_view(&node, 4, instant_at(0)).refid;
    CHECK(first != second);
    CHECK_INT(first >> 28, 0xF);
    node.stratum = 1;
    CHECK_INT(upstream_view(&node, 3, instant_at(0)).refid, 0x53494D00);
}

static void it_answers_a_question_with_both_its_readings(void)
{
    struct scenario_node node = upstream_of(2);
    struct packet question = {.version = 4, .mode = MODE_CLIENT, .transmit = {0x123456789}};
    struct packet answer;
    uint8_t bytes[PACKET_HEADER_SIZE], reply[DATAGRAM_SIZE_MAX];
    struct instant now = instant_at(100.25);
    packet_write(&question, bytes);
    struct datagram in = {.local = {node.address, NTP_PORT},
                          .stamp = now.clock,
                          .kind = STAMP_KERNEL,
                          .bytes = bytes,
                          .size = sizeof bytes};
    in.peer.port = 4000;
    CHECK(address_parse("10.0.0.1", &in.peer.address));
    size_t size = upstream_reply(&node, 3, &in, now, reply);
    CHECK_INT(size, PACKET_HEADER_SIZE);
    CHECK_INT(packet_parse(reply, size, &answer), PACKET_OK);
    CHECK_INT(answer.mode, MODE_SERVER);
    CHECK_INT(answer.stratum, 2);
    CHECK_INT(answer.origin.ticks, question.transmit.ticks);
    CHECK_NEAR(ntp_diff_s(answer.receive, now.clock), 0, 1e-6);
    CHECK_NEAR(ntp_diff_s(answer.transmit, now.clock), 0, 1e-6);
    bytes[0] = (uint8_t)(4 << 3 | MODE_SERVER);
    CHECK_INT(upstream_reply(&node, 3, &in, now, reply), 0);
}

const struct test_case upstream_tests[] = {
    {"its_reference_is_refreshed_every_64_s", its_reference_is_refreshed_every_64_s},
    {"reference_ids_tell_upstreams_apart_and_name_no_host",
     reference_ids_tell_upstreams_apart_and_name_no_host},
    {"it_answers_a_question_with_both_its_readings", it_answers_a_question_with_both_its_readings},
    {NULL, NULL}};
