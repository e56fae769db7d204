/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The map from an interface's clock to the system's: rate, steps, reach. And the hardware stamp
 * that a control message carries.
 */
#include "../engine/daemon/hardware_clock.h"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>

#include "../engine/daemon/packet_stamp.h"
#include "check.h"

#define S INT64_C(1000000000)
#define DEVICE_START_NS (37 * S)
#define SYSTEM_START_NS (INT64_C(1800000000) * S)

/* A pair at that device time, of a system clock that runs `ppb` fast against the device. */
static struct clock_pair pair_at(int64_t elapsed_ns, int64_t ppb)
{
    return (struct clock_pair){DEVICE_START_NS + elapsed_ns,
                               SYSTEM_START_NS + elapsed_ns + elapsed_ns / 1000 * ppb / 1000000,
                               400};
}

static int64_t map_ns(const struct clock_map *map, int64_t elapsed_ns)
{
    int64_t system_ns = 0;
    CHECK(clock_map_system_ns(map, DEVICE_START_NS + elapsed_ns, &system_ns));
    return system_ns - SYSTEM_START_NS;
}

static void add(struct clock_map *map, struct clock_pair pair)
{
    clock_map_add(map, &pair, 1);
}

static void empty_map_tells_nothing(void)
{
    struct clock_map map = {.is_set = false};
    int64_t system_ns;
    clock_map_add(&map, NULL, 0);
    CHECK(!clock_map_system_ns(&map, DEVICE_START_NS, &system_ns));
}

static void one_pair_maps_at_equal_rate(void)
{
    struct clock_map map = {.is_set = false};
    add(&map, pair_at(0, 0));
    CHECK_INT(map_ns(&map, 0), 0);
    CHECK_INT(map_ns(&map, -5000), -5000);
    CHECK_INT(map_ns(&map, 2 * S), 2 * S);
}

static void rate_is_measured_and_carried_on(void)
{
    struct clock_map map = {.is_set = false};
    add(&map, pair_at(0, 50000));
    add(&map, pair_at(S, 50000));
    CHECK_NEAR(map.rate, 50e-6, 1e-9);
    CHECK_NEAR((double)map_ns(&map, 3 * S), 3e9 + 150000, 2);
}

static void rate_follows_a_clock_that_changes_it(void)
{
    struct clock_map map = {.is_set = false};
    struct clock_pair pair = pair_at(0, 0);
    for (int i = 0; i < 400; i++) {
        add(&map, pair);
        pair.device_ns += S / 10;
        pair.system_ns += S / 10 + (i < 200 ? 0 : 2000); /* 20 ppm from then on */
    }
    CHECK_NEAR(map.rate, 20e-6, 1e-7);
}

static void narrowest_reading_is_taken(void)
{
    struct clock_map map = {.is_set = false};
    struct clock_pair pairs[3] = {pair_at(0, 0), pair_at(1000, 0), pair_at(2000, 0)};
    pairs[0].width_ns = 9000;
    pairs[0].system_ns += 4000;
    pairs[2].width_ns = 30000;
    pairs[2].system_ns += 15000;
    clock_map_add(&map, pairs, 3);
    CHECK_INT(map_ns(&map, 1000), 1000);
}

static void step_begins_the_map_anew(void)
{
    struct clock_map map = {.is_set = false};
    add(&map, pair_at(0, 0));
    add(&map, pair_at(S, 0));
    struct clock_pair stepped = pair_at(S + S / 10, 0);
    stepped.system_ns -= S / 2;
    add(&map, stepped);
    CHECK(map.rate == 0.0);
    CHECK_INT(map_ns(&map, S + S / 10), S / 2 + S / 10);
    add(&map, pair_at(0, 0)); /* the device's clock went back */
    CHECK_INT(map_ns(&map, 0), 0);
}

static void stamps_far_from_the_last_reading_are_not_mapped(void)
{
    struct clock_map map = {.is_set = false};
    int64_t system_ns;
    add(&map, pair_at(0, 0));
    CHECK(clock_map_system_ns(&map, DEVICE_START_NS + 10 * S, &system_ns));
    CHECK(!clock_map_system_ns(&map, DEVICE_START_NS + 10 * S + 1, &system_ns));
    CHECK(!clock_map_system_ns(&map, DEVICE_START_NS - 10 * S - 1, &system_ns));
}

static void interface_without_a_clock_is_no_error(void)
{
    char *note = NULL;
    CHECK(hardware_clock_open("lo", &note) == NULL);
    CHECK(note == NULL);
    CHECK(hardware_clock_open("no-such-if", &note) == NULL);
    CHECK(note == NULL);
}

/* ---- control messages ---------------------------------------------------------------------- */

struct control {
    _Alignas(struct cmsghdr) uint8_t room[PACKET_STAMP_ROOM];
    struct msghdr message;
};

static void append(struct control *control, int level, int type, const void *data, size_t size)
{
    struct cmsghdr *header =
        (struct cmsghdr *)(void *)(control->room + control->message.msg_controllen);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(header), data, size);
    control->message.msg_control = control->room;
    control->message.msg_controllen += CMSG_SPACE(size);
}

static void both_stamps_and_the_interface_are_read(void)
{
    struct control control = {.message = {.msg_controllen = 0}};
    struct scm_timestamping stamps = {.ts = {{11, 12}, {0, 0}, {31, 32}}};
    struct scm_ts_pktinfo info = {.if_index = 7};
    struct packet_stamp stamp;
    append(&control, SOL_SOCKET, SCM_TIMESTAMPING, &stamps, sizeof stamps);
    append(&control, SOL_SOCKET, SCM_TIMESTAMPING_PKTINFO, &info, sizeof info);
    packet_stamp_read(&control.message, &stamp);
    CHECK(stamp.has_software && stamp.has_hardware && !stamp.is_sent);
    CHECK_INT(stamp.software.tv_sec, 11);
    CHECK_INT(stamp.hardware.tv_nsec, 32);
    CHECK_INT(stamp.interface, 7);
}

static void stamp_of_zero_is_none(void)
{
    struct control control = {.message = {.msg_controllen = 0}};
    struct scm_timestamping stamps = {.ts = {{0, 0}, {0, 0}, {31, 32}}};
    struct packet_stamp stamp;
    append(&control, SOL_SOCKET, SCM_TIMESTAMPING, &stamps, sizeof stamps);
    packet_stamp_read(&control.message, &stamp);
    CHECK(!stamp.has_software && stamp.has_hardware);
}

static void error_queue_names_sends_and_nothing_else(void)
{
    struct control control = {.message = {.msg_controllen = 0}};
    struct sock_extended_err error = {.ee_origin = SO_EE_ORIGIN_TIMESTAMPING, .ee_data = 41};
    struct packet_stamp stamp;
    append(&control, IPPROTO_IPV6, IPV6_RECVERR, &error, sizeof error);
    packet_stamp_read(&control.message, &stamp);
    CHECK(stamp.is_sent);
    CHECK_INT(stamp.id, 41);
    control.message.msg_controllen = 0;
    error = (struct sock_extended_err){.ee_origin = SO_EE_ORIGIN_ICMP, .ee_errno = 111};
    append(&control, IPPROTO_IP, IP_RECVERR, &error, sizeof error);
    packet_stamp_read(&control.message, &stamp);
    CHECK(!stamp.is_sent);
}

static void short_control_messages_are_not_read(void)
{
    struct control control = {.message = {.msg_controllen = 0}};
    uint64_t half[2] = {UINT64_MAX, UINT64_MAX};
    struct packet_stamp stamp;
    append(&control, SOL_SOCKET, SCM_TIMESTAMPING, half, sizeof half);
    append(&control, SOL_SOCKET, SCM_TIMESTAMPNS, half, 8);
    packet_stamp_read(&control.message, &stamp);
    CHECK(!stamp.has_software && !stamp.has_hardware);
}

const struct test_case hardware_clock_tests[] = {
    {"empty_map_tells_nothing", empty_map_tells_nothing},
    {"one_pair_maps_at_equal_rate", one_pair_maps_at_equal_rate},
    {"rate_is_measured_and_carried_on", rate_is_measured_and_carried_on},
    {"rate_follows_a_clock_that_changes_it", rate_follows_a_clock_that_changes_it},
    {"narrowest_reading_is_taken", narrowest_reading_is_taken},
    {"step_begins_the_map_anew", step_begins_the_map_anew},
    {"stamps_far_from_the_last_reading_are_not_mapped",
     stamps_far_from_the_last_reading_are_not_mapped},
    {"interface_without_a_clock_is_no_error", interface_without_a_clock_is_no_error},
    {"both_stamps_and_the_interface_are_read", both_stamps_and_the_interface_are_read},
    {"stamp_of_zero_is_none", stamp_of_zero_is_none},
    {"error_queue_names_sends_and_nothing_else", error_queue_names_sends_and_nothing_else},
    {"short_control_messages_are_not_read", short_control_messages_are_not_read},
    {NULL, NULL}};
