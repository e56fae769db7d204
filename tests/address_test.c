/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses against the C library's inet_pton() and inet_ntop(), which the engine itself may not
 * call.
 */
#include "../engine/address.h"

#include <arpa/inet.h>

#include "check.h"

/* xorshift64*: texts and addresses to try, the same ones in every run. */
static unsigned draw(uint64_t *state, unsigned below)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (unsigned)(((*state * UINT64_C(2685821657736338717)) >> 33) % below);
}

static struct address parsed(const char *text)
{
    struct address a;
    if (!address_parse(text, &a)) {
        CHECK_STR(text, "an address");
    }
    return a;
}

/* Whether the library and we say the same of a text, right or wrong. */
static bool parses_like_library(const char *text)
{
    struct address ours;
    struct address theirs = {.family = ADDRESS_NONE};
    uint8_t bytes[16] = {0};
    if (inet_pton(AF_INET, text, bytes) == 1) {
        theirs.family = ADDRESS_V4;
    } else if (inet_pton(AF_INET6, text, bytes) == 1) {
        theirs.family = ADDRESS_V6;
    }
    if (theirs.family != ADDRESS_NONE) {
        memcpy(theirs.bytes, bytes, theirs.family == ADDRESS_V4 ? 4 : 16);
    }
    bool is_address = address_parse(text, &ours);
    return is_address == (theirs.family != ADDRESS_NONE) && address_equal(&ours, &theirs);
}

static void edge_texts_are_read_as_the_library_reads_them(void)
{
    static const char *const texts[] = {"",
                                        "0",
                                        "1.2.3",
                                        "1.2.3.4",
                                        "1.2.3.4.",
                                        ".1.2.3.4",
                                        "1.2.3.4.5",
                                        "1..3.4",
                                        "256.1.1.1",
                                        "255.255.255.255",
                                        "01.2.3.4",
                                        "1.2.3.00",
                                        "0.0.0.0",
                                        "1.2.3.-4",
                                        "1.2.3.4 ",
                                        " 1.2.3.4",
                                        "99999999999999999999.1.1.1",
                                        "::",
                                        ":",
                                        ":::",
                                        "::1",
                                        "1::",
                                        "1:",
                                        ":1",
                                        "::1::",
                                        "1::2::3",
                                        "1:2:3:4:5:6:7:8",
                                        "1:2:3:4:5:6:7",
                                        "1:2:3:4:5:6:7:8:9",
                                        "1:2:3:4:5:6:7::",
                                        "::2:3:4:5:6:7:8",
                                        "1:2:3:4:5:6:7:8::",
                                        "::1:2:3:4:5:6:7:8",
                                        "1:2:3:4::5:6:7:8",
                                        "12345::",
                                        "0000::",
                                        "00000::",
                                        "g::",
                                        "ABCD:ef01::",
                                        "::1.2.3.4",
                                        "::ffff:1.2.3.4",
                                        "1:2:3:4:5:6:1.2.3.4",
                                        "1.2.3.4::",
                                        "1:2:3:4:5:6:7:1.2.3.4",
                                        "::1.2.3.4:5",
                                        "::1.2.3",
                                        "::1.2.3.256",
                                        "1:2:3:4:5::1.2.3.4",
                                        "1:2:3:4:5:6::1.2.3.4",
                                        "::01.2.3.4",
                                        "fe80::1%eth0",
                                        "::1/64",
                                        "[::1]",
                                        "1:2:3:4:5:6:7:",
                                        "1::2:",
                                        "::.1.2.3.4",
                                        "1.2.3.4:5"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        check_report(parses_like_library(texts[i]), texts[i], __FILE__, __LINE__);
    }
}

static void random_texts_are_read_as_the_library_reads_them(void)
{
    static const char *const pieces[] = {":",       "::", ".",     "0",       "1",
                                         "ffff",    "12", "255",   "256",     "g",
                                         "1.2.3.4", "00", "a:b:c", "1:2:3:4", "abcd:"};
    uint64_t state = 1;
    unsigned unlike = 0;
    unsigned addresses = 0;
    for (unsigned i = 0; i < 300000; i++) {
        char text[80] = ""; /* eleven pieces of at most seven characters */
        size_t length = 0;
        struct address a;
        unsigned count = draw(&state, 12);
        for (unsigned k = 0; k < count; k++) {
            const char *piece = pieces[draw(&state, sizeof pieces / sizeof pieces[0])];
            memcpy(text + length, piece, strlen(piece) + 1);
            length += strlen(piece);
        }
        unlike += !parses_like_library(text);
        addresses += address_parse(text, &a);
    }
    CHECK_INT(unlike, 0);
    CHECK(addresses > 1000); /* else the texts were all nonsense and prove little */
}

/* An address with many zero groups, so that runs of every length and place are met. */
static struct address sparse_v6(uint64_t *state)
{
    struct address a = {.family = ADDRESS_V6};
    for (unsigned group = 0; group < 8; group++) {
        unsigned kind = draw(state, 4);
        unsigned value = kind < 2 ? 0 : kind == 2 ? 0xFFFF : draw(state, 65536);
        if (kind == 3) {
            value >>= 4 * draw(state, 4);
        }
        a.bytes[2 * group] = (uint8_t)(value >> 8);
        a.bytes[2 * group + 1] = (uint8_t)value;
    }
    return a;
}

static void ipv6_text_is_the_library_s_and_reads_back(void)
{
    uint64_t state = 2;
    unsigned unlike = 0;
    unsigned lost = 0;
    for (unsigned i = 0; i < 200000; i++) {
        struct address a = sparse_v6(&state);
        struct address back;
        char ours[ADDRESS_TEXT_SIZE];
        char theirs[INET6_ADDRSTRLEN];
        inet_ntop(AF_INET6, a.bytes, theirs, sizeof theirs);
        unlike += strcmp(address_text(&a, ours), theirs) != 0;
        lost += !address_parse(ours, &back) || !address_equal(&a, &back);
    }
    CHECK_INT(unlike, 0);
    CHECK_INT(lost, 0);
}

static void ipv6_text_follows_rfc_5952(void)
{
    static const char *const pairs[][2] = {
        {"2001:DB8:0:0:0:0:2:1", "2001:db8::2:1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"0:0:0:0:0:0:0:0", "::"},
        {"0:0:0:0:0:0:0:1", "::1"},
        {"1:0:0:0:0:0:0:0", "1::"},
        {"::ffff:102:304", "::ffff:1.2.3.4"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}};
    char text[ADDRESS_TEXT_SIZE];
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct address a = parsed(pairs[i][0]);
        CHECK_STR(address_text(&a, text), pairs[i][1]);
    }
}

static void ipv4_text_is_the_library_s_and_reads_back(void)
{
    uint64_t state = 3;
    unsigned unlike = 0;
    for (unsigned i = 0; i < 100000; i++) {
        struct address a = {.family = ADDRESS_V4};
        struct address back;
        char ours[ADDRESS_TEXT_SIZE];
        char theirs[INET_ADDRSTRLEN];
        for (unsigned k = 0; k < 4; k++) {
            a.bytes[k] = (uint8_t)draw(&state, 256);
        }
        inet_ntop(AF_INET, a.bytes, theirs, sizeof theirs);
        unlike += strcmp(address_text(&a, ours), theirs) != 0;
        unlike += !address_parse(ours, &back) || !address_equal(&a, &back);
    }
    CHECK_INT(unlike, 0);
    struct address none = {.family = ADDRESS_NONE};
    char text[ADDRESS_TEXT_SIZE];
    CHECK_STR(address_text(&none, text), "-");
}

static void order_is_family_then_bytes(void)
{
    static const char *const rising[] = {"0.0.0.0",         "9.0.0.0", "127.0.0.2", "128.0.0.1",
                                         "255.255.255.255", "::",      "::1",       "100::"};
    enum { COUNT = sizeof rising / sizeof rising[0] };
    for (int i = 0; i < COUNT; i++) {
        for (int k = 0; k < COUNT; k++) {
            struct address a = parsed(rising[i]);
            struct address b = parsed(rising[k]);
            int order = address_compare(&a, &b);
            CHECK_INT((order > 0) - (order < 0), (i > k) - (i < k));
            CHECK_INT(address_equal(&a, &b), i == k);
        }
    }
}

static void kinds_of_address_are_told_apart(void)
{
    static const struct {
        const char *text;
        bool is_loopback, is_unicast;
    } cases[] = {{"127.0.0.1", true, true},
                 {"127.127.1.0", true, true},
                 {"126.255.255.255", false, true},
                 {"128.0.0.0", false, true},
                 {"::1", true, true},
                 {"::2", false, true},
                 {"1::1", false, true},
                 {"::101", false, true},
                 {"0.0.0.0", false, false},
                 {"0.1.2.3", false, false},
                 {"1.0.0.0", false, true},
                 {"223.255.255.255", false, true},
                 {"224.0.0.0", false, false},
                 {"239.255.255.255", false, false},
                 {"240.0.0.1", false, true},
                 {"255.255.255.254", false, true},
                 {"255.255.255.255", false, false},
                 {"::", false, false},
                 {"fe80::1", false, true},
                 {"ff02::101", false, false},
                 {"ff::", false, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address a = parsed(cases[i].text);
        check_report(address_is_loopback(&a) == cases[i].is_loopback, cases[i].text, __FILE__,
                     __LINE__);
        check_report(address_is_unicast(&a) == cases[i].is_unicast, cases[i].text, __FILE__,
                     __LINE__);
    }
    struct address none = {.family = ADDRESS_NONE};
    CHECK(!address_is_loopback(&none));
    CHECK(!address_is_unicast(&none));
}

/* Bit by bit, as slow as it can be. */
static bool shares_bits(const struct address *a, const struct address *b, unsigned prefix)
{
    for (unsigned bit = 0; bit < prefix; bit++) {
        unsigned mask = 0x80u >> bit % 8;
        if ((a->bytes[bit / 8] & mask) != (b->bytes[bit / 8] & mask)) {
            return false;
        }
    }
    return a->family == b->family;
}

static void prefixes_match_and_mask_bit_by_bit(void)
{
    uint64_t state = 4;
    unsigned wrong = 0;
    for (unsigned prefix = 0; prefix <= 128; prefix++) {
        for (unsigned i = 0; i < 300; i++) {
            bool is_v4 = prefix <= 32 && i % 2 == 0;
            unsigned bits = is_v4 ? 32 : 128;
            struct address net = sparse_v6(&state);
            if (is_v4) {
                net.family = ADDRESS_V4;
                memset(net.bytes + 4, 0, 12);
            }
            struct address a = net;
            unsigned flipped = draw(&state, bits);
            a.bytes[flipped / 8] ^= (uint8_t)(0x80u >> flipped % 8);
            struct address masked = address_masked(&a, prefix);
            wrong += address_in_prefix(&a, &net, prefix) != shares_bits(&a, &net, prefix);
            wrong += !shares_bits(&masked, &a, prefix);
            for (unsigned bit = prefix; bit < 128; bit++) {
                wrong += (masked.bytes[bit / 8] & 0x80u >> bit % 8) != 0;
            }
        }
    }
    CHECK_INT(wrong, 0);
    struct address v4 = parsed("0.0.0.0");
    struct address v6 = parsed("::");
    CHECK(!address_in_prefix(&v4, &v6, 0));
}

static void reference_id_is_the_address_or_its_md5(void)
{
    struct address v4 = parsed("140.160.247.31");
    struct address v6 = parsed("2001:db8::1");
    CHECK_INT(address_refid(&v4), 0x8CA0F71F);
    CHECK_INT(address_refid(&v6), 0x39AB9B37); /* hashlib.md5 of the 16 bytes */
}

const struct test_case address_tests[] = {
    {"edge_texts_are_read_as_the_library_reads_them",
     edge_texts_are_read_as_the_library_reads_them},
    {"random_texts_are_read_as_the_library_reads_them",
     random_texts_are_read_as_the_library_reads_them},
    {"ipv6_text_is_the_library_s_and_reads_back", ipv6_text_is_the_library_s_and_reads_back},
    {"ipv6_text_follows_rfc_5952", ipv6_text_follows_rfc_5952},
    {"ipv4_text_is_the_library_s_and_reads_back", ipv4_text_is_the_library_s_and_reads_back},
    {"order_is_family_then_bytes", order_is_family_then_bytes},
    {"kinds_of_address_are_told_apart", kinds_of_address_are_told_apart},
    {"prefixes_match_and_mask_bit_by_bit", prefixes_match_and_mask_bit_by_bit},
    {"reference_id_is_the_address_or_its_md5", reference_id_is_the_address_or_its_md5},
    {NULL, NULL}};
