/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Capture files, byte for byte. The expected records, checksums included, were made by another
 * program.
 */
#include "../sim/pcap.h"

#include "check.h"

static struct endpoint endpoint_of(const char *text, uint16_t port)
{
    struct endpoint e = {.port = port};
    CHECK(address_parse(text, &e.address));
    return e;
}

static void file_begins_with_nanosecond_magic_and_raw_ip(void)
{
    static const uint8_t expected[PCAP_HEADER_SIZE] = {
        0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0};
    uint8_t header[PCAP_HEADER_SIZE];
    pcap_header(header);
    CHECK(memcmp(header, expected, sizeof expected) == 0);
}

static void ipv4_record_with_odd_payload_is_right_to_the_byte(void)
{
    static const uint8_t expected[] = {
        0x80, 0x81, 0xa3, 0x69, 0x80, 0xb2, 0xe6, 0x0e, 0x23, 0x00, 0x00, 0x00, 0x23,
        0x00, 0x00, 0x00, 0x45, 0x00, 0x00, 0x23, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
        0x6e, 0x01, 0x0a, 0x00, 0x00, 0x01, 0xc0, 0x00, 0x02, 0xc8, 0x00, 0x7b, 0xaf,
        0xc8, 0x00, 0x0f, 0xf1, 0x95, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67};
    uint8_t out[sizeof expected + PCAP_RECORD_OVERHEAD_MAX];
    struct endpoint a = endpoint_of("10.0.0.1", 123), b = endpoint_of("192.0.2.200", 45000);
    size_t size = pcap_record(out, 1772323200, 250000000, &a, &b, (const uint8_t *)"abcdefg", 7);
    CHECK_INT(size, sizeof expected);
    CHECK(memcmp(out, expected, sizeof expected) == 0);
}

static void ipv6_record_of_the_next_era_is_right_to_the_byte(void)
{
    static const uint8_t expected[] = {
        0x85, 0x81, 0x55, 0x7c, 0xff, 0xc9, 0x9a, 0x3b, 0x34, 0x00, 0x00, 0x00, 0x34, 0x00,
        0x00, 0x00, 0x60, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x11, 0x40, 0x20, 0x01, 0x00, 0x02,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xfe, 0x80,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff,
        0xaf, 0xc9, 0x00, 0x7b, 0x00, 0x0c, 0x06, 0x22, 0x23, 0x00, 0x06, 0xec};
    uint8_t out[sizeof expected + PCAP_RECORD_OVERHEAD_MAX];
    struct endpoint a = endpoint_of("2001:2::1", 45001), b = endpoint_of("fe80::ff", 123);
    static const uint8_t payload[] = {0x23, 0x00, 0x06, 0xec};
    size_t size = pcap_record(out, 2085978496u + 5, 999999999, &a, &b, payload, sizeof payload);
    CHECK_INT(size, sizeof expected);
    CHECK(memcmp(out, expected, sizeof expected) == 0);
}

static void checksum_of_zero_is_sent_as_all_ones(void)
{
    uint8_t out[2 + PCAP_RECORD_OVERHEAD_MAX];
    struct endpoint a = endpoint_of("10.0.0.1", 123), b = endpoint_of("192.0.2.200", 123);
    static const uint8_t payload[] = {0x32, 0x1b}; /* makes the sum all ones */
    pcap_record(out, 0, 0, &a, &b, payload, sizeof payload);
    CHECK_INT(out[16 + 20 + 6], 0xff);
    CHECK_INT(out[16 + 20 + 7], 0xff);
}

const struct test_case pcap_tests[] = {
    {"file_begins_with_nanosecond_magic_and_raw_ip", file_begins_with_nanosecond_magic_and_raw_ip},
    {"ipv4_record_with_odd_payload_is_right_to_the_byte",
     ipv4_record_with_odd_payload_is_right_to_the_byte},
    {"ipv6_record_of_the_next_era_is_right_to_the_byte",
     ipv6_record_of_the_next_era_is_right_to_the_byte},
    {"checksum_of_zero_is_sent_as_all_ones", checksum_of_zero_is_sent_as_all_ones},
    {NULL, NULL}};
