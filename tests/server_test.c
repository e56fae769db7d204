/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers byte by byte, every reason for silence, and that an answer changes nothing, is never
 * larger than its request and never answers an answer.
 */
#include "../engine/server.h"

#include <stdlib.h>

#include "../engine/clients.h"
#include "check.h"

/* One server, one access entry for all hosts, two keys, and a request ready to be bent. */
struct desk {
    struct server_view view;
    struct restrict_entry entry;
    struct access_list access;
    struct key keys[2];
    struct key_table table;
    struct discard_config discard;
    struct address own[2];
    struct service_rules rules;
    struct datagram in;
    struct instant now;
    uint8_t bytes[256];
    uint8_t reply[DATAGRAM_SIZE_MAX];
    enum service_verdict verdict;
};

static struct address v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct address){.family = ADDRESS_V4, .bytes = {a, b, c, d}};
}

static const struct address loopback_v6 = {.family = ADDRESS_V6, .bytes = {[15] = 1}};

static void set_keys(struct desk *desk)
{
    for (uint32_t i = 0; i < 2; i++) {
        desk->keys[i] = (struct key){.id = i + 1,
                                     .type = i == 0 ? KEY_AES128CMAC : KEY_SHA1,
                                     .is_trusted = true,
                                     .secret_size = 16};
        memcpy(desk->keys[i].secret, "0123456789abcdef", 16);
    }
    desk->table = (struct key_table){desk->keys, 2};
}

/* A version-4 mode-3 request of poll 6 with transmit time B1B2...; the view is of stratum 2. */
static void set_desk(struct desk *desk)
{
    memset(desk, 0, sizeof *desk);
    set_keys(desk);
    desk->view = (struct server_view){.leap = LEAP_INSERT,
                                      .stratum = 2,
                                      .precision = -22,
                                      .poll = 4,
                                      .refid = 0x8CA0F71F,
                                      .reference_time = {UINT64_C(0xE1E2E3E4E5E6E7E8)},
                                      .root_delay_s = 1.5,
                                      .root_dispersion_s = 0.25,
                                      .dispersion_rate = 1.0 / 1024,
                                      .as_of = {INT64_C(100) << 32}};
    desk->entry = (struct restrict_entry){.address = {.family = ADDRESS_V4}, .is_default = true};
    desk->access = (struct access_list){&desk->entry, 1};
    desk->discard = (struct discard_config){.average_log2s = 3, .minimum_s = 1};
    desk->own[0] = v4(140, 160, 11, 86);
    desk->own[1] = (struct address){.family = ADDRESS_V6, .bytes = {0x20, 1, [15] = 9}};
    desk->rules = (struct service_rules){&desk->access, &desk->table, &desk->discard, desk->own, 2};
    desk->in = (struct datagram){.peer = {v4(140, 160, 20, 3), 40123},
                                 .local = {v4(140, 160, 11, 86), NTP_PORT},
                                 .stamp = {UINT64_C(0xC1C2C3C4C5C6C7C8)},
                                 .kind = STAMP_KERNEL,
                                 .bytes = desk->bytes,
                                 .size = 48};
    desk->now = (struct instant){{UINT64_C(0xA1A2A3A4A5A6A7A8)}, {INT64_C(164) << 32}};
    desk->bytes[0] = 0x23;
    desk->bytes[2] = 6;
    for (uint8_t i = 0; i < 8; i++) {
        desk->bytes[40 + i] = (uint8_t)(0xB1 + i);
    }
}

static size_t ask(struct desk *desk, struct clients *clients)
{
    memset(desk->reply, 0xEE, sizeof desk->reply);
    size_t size = server_reply(&desk->view, &desk->rules, clients, &desk->in, desk->now,
                               desk->reply, &desk->verdict);
    CHECK((size > 0) == (desk->verdict == SERVICE_ANSWERED || desk->verdict == SERVICE_KISSED));
    CHECK(size <= desk->in.size);
    return size;
}

static void check_silence(struct desk *desk, enum service_verdict expected)
{
    CHECK_INT(ask(desk, NULL), 0);
    CHECK_STR(service_verdict_text(desk->verdict), service_verdict_text(expected));
}

static void check_answer(struct desk *desk)
{
    CHECK(ask(desk, NULL) > 0);
    CHECK_STR(service_verdict_text(desk->verdict), "answered");
}

static void check_bytes(const uint8_t *actual, const uint8_t *expected, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (actual[i] != expected[i]) {
            char text[64];
            snprintf(text, sizeof text, "byte %zu: %02x, expected %02x", i, actual[i], expected[i]);
            check_report(false, text, __FILE__, __LINE__);
        }
    }
    CHECK(memcmp(actual, expected, size) == 0);
}

/* What the desk as set answers: root dispersion 0.25 + 64/1024 s. */
static const uint8_t golden[48] = {
    0x64, 0x02, 0x06, 0xEA, 0x00, 0x01, 0x80, 0x00, 0x00, 0x00, 0x50, 0x00, 0x8C, 0xA0, 0xF7, 0x1F,
    0xE1, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8,
    0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8};

/* ---- answers ------------------------------------------------------------------------------- */

static void mode_3_is_answered_byte_for_byte(void)
{
    struct desk desk;
    set_desk(&desk);
    CHECK_INT(ask(&desk, NULL), 48);
    check_bytes(desk.reply, golden, sizeof golden);
    CHECK_INT(desk.reply[48], 0xEE);
}

static void mode_1_of_a_stranger_is_answered_in_mode_2_even_under_nopeer(void)
{
    struct desk desk;
    uint8_t expected[48];
    set_desk(&desk);
    desk.bytes[0] = 0x21;
    desk.entry.flags = ACCESS_NOPEER | ACCESS_NOEPEER | ACCESS_NOMODIFY | ACCESS_NOQUERY;
    CHECK_INT(ask(&desk, NULL), 48);
    memcpy(expected, golden, sizeof expected);
    expected[0] = 0x62;
    check_bytes(desk.reply, expected, sizeof expected);
}

static void version_asked_is_version_answered(void)
{
    for (unsigned version = 1; version <= 4; version++) {
        struct desk desk;
        set_desk(&desk);
        desk.bytes[0] = (uint8_t)(version << 3 | 3);
        check_answer(&desk);
        CHECK_INT(desk.reply[0], 0x40 | version << 3 | 4);
        check_bytes(desk.reply + 1, golden + 1, sizeof golden - 1);
    }
}

static void version_1_without_a_mode_is_a_client_unless_from_port_123(void)
{
    struct desk desk;
    set_desk(&desk);
    desk.bytes[0] = 1 << 3;
    check_answer(&desk);
    CHECK_INT(desk.reply[0], 0x40 | 1 << 3 | 4);
    desk.in.peer.port = NTP_PORT;
    check_silence(&desk, SERVICE_MODE);
    desk.in.peer.port = 40123;
    desk.bytes[0] = 2 << 3;
    check_silence(&desk, SERVICE_MODE);
}

static void only_modes_3_and_1_are_answered(void)
{
    for (unsigned version = 0; version < 8; version++) {
        for (unsigned mode = 0; mode < 8; mode++) {
            struct desk desk;
            bool is_request = mode == 3 || mode == 1 || (version == 1 && mode == 0);
            set_desk(&desk);
            desk.bytes[0] = (uint8_t)(version << 3 | mode);
            if (version == 0 || version > 4) {
                check_silence(&desk, SERVICE_MALFORMED);
            } else if (is_request) {
                check_answer(&desk);
            } else {
                check_silence(&desk, SERVICE_MODE);
            }
        }
    }
}

static void an_answer_is_never_answered(void)
{
    struct desk desk;
    for (unsigned first = 0; first < 256; first++) {
        set_desk(&desk);
        desk.bytes[0] = (uint8_t)first;
        size_t size = ask(&desk, NULL);
        if (size > 0) {
            memcpy(desk.bytes, desk.reply, size);
            desk.in.peer.port = NTP_PORT;
            check_silence(&desk, SERVICE_MODE);
        }
    }
}

static void unsynchronised_view_says_leap_3_stratum_0_and_no_reference_id(void)
{
    struct desk desk;
    for (unsigned i = 0; i < 2; i++) {
        set_desk(&desk);
        desk.view.leap = i == 0 ? LEAP_UNKNOWN : LEAP_NONE;
        desk.view.stratum = i == 0 ? 3 : 16;
        check_answer(&desk);
        CHECK_INT(desk.reply[0], 0xE4);
        CHECK_INT(desk.reply[1], 0);
        CHECK(memcmp(desk.reply + 12, "\0\0\0\0", 4) == 0);
        check_bytes(desk.reply + 16, golden + 16, 32);
    }
}

static void poll_is_granted_between_my_minpoll_and_17(void)
{
    for (int asked = -128; asked < 128; asked++) {
        struct desk desk;
        set_desk(&desk);
        desk.bytes[2] = (uint8_t)asked;
        check_answer(&desk);
        CHECK_INT(desk.reply[2], asked < 4 ? 4 : asked > 17 ? 17 : asked);
    }
}

static void root_dispersion_grows_since_the_view_and_rounds_up(void)
{
    struct desk desk;
    set_desk(&desk);
    CHECK_NEAR(server_view_dispersion_s(&desk.view, (mono_time){INT64_C(164) << 32}), 0.3125, 0.0);
    CHECK_NEAR(server_view_dispersion_s(&desk.view, desk.view.as_of), 0.25, 0.0);
    CHECK_NEAR(server_view_dispersion_s(&desk.view, (mono_time){0}), 0.25, 0.0);
    desk.now.mono.ticks += 1;
    check_answer(&desk);
    CHECK_INT(desk.reply[11], 0x01); /* one tick more, one unit of 2^-16 s more */
    desk.view.root_dispersion_s = -1.0;
    CHECK_NEAR(server_view_dispersion_s(&desk.view, desk.now.mono), 0.0, 0.0);
}

/* ---- MACs ---------------------------------------------------------------------------------- */

static void sign(struct desk *desk, unsigned key)
{
    desk->in.size += auth_append(&desk->keys[key], desk->bytes, desk->in.size);
}

static void signed_request_is_answered_under_the_same_key(void)
{
    for (unsigned key = 0; key < 2; key++) {
        struct desk desk;
        uint8_t expected[48 + MAC_SIZE_MAX];
        set_desk(&desk);
        sign(&desk, key);
        memcpy(expected, golden, 48);
        size_t size = 48 + auth_append(&desk.keys[key], expected, 48);
        CHECK_INT(ask(&desk, NULL), size);
        check_bytes(desk.reply, expected, size);
        CHECK_INT(desk.reply[51], key + 1);
    }
}

static void wrong_mac_gets_silence_and_no_crypto_nak(void)
{
    struct desk desk;
    set_desk(&desk);
    sign(&desk, 0);
    desk.bytes[60] ^= 1;
    check_silence(&desk, SERVICE_BAD_AUTH);
    set_desk(&desk);
    sign(&desk, 0);
    desk.keys[0].is_trusted = false;
    check_silence(&desk, SERVICE_BAD_AUTH);
    set_desk(&desk);
    sign(&desk, 0);
    desk.bytes[51] = 77;
    check_silence(&desk, SERVICE_BAD_AUTH);
    set_desk(&desk);
    sign(&desk, 1);
    desk.keys[1].address_count = 1;
    desk.keys[1].addresses[0] = (struct key_address){v4(140, 160, 20, 4), 32};
    check_silence(&desk, SERVICE_BAD_AUTH);
}

static void crypto_nak_of_a_stranger_gets_silence(void)
{
    struct desk desk;
    for (unsigned mode = 1; mode <= 3; mode += 2) {
        set_desk(&desk);
        desk.bytes[0] = (uint8_t)(0x20 | mode);
        desk.in.size = 52;
        check_silence(&desk, SERVICE_BAD_AUTH);
    }
}

static void extension_fields_are_not_repeated(void)
{
    struct desk desk;
    set_desk(&desk);
    desk.bytes[51] = 28;
    desk.in.size = 76;
    CHECK_INT(ask(&desk, NULL), 48);
    check_bytes(desk.reply, golden, 48);
    sign(&desk, 1);
    CHECK_INT(ask(&desk, NULL), 72);
    check_bytes(desk.reply, golden, 48);
}

/* ---- silence ------------------------------------------------------------------------------- */

static void malformed_requests_get_silence(void)
{
    struct desk desk;
    set_desk(&desk);
    for (size_t size = 0; size < 48; size++) {
        desk.in.size = size;
        check_silence(&desk, SERVICE_MALFORMED);
    }
    desk.in.size = 49;
    check_silence(&desk, SERVICE_MALFORMED);
    desk.in.size = 48;
    desk.in.truncated = true;
    check_silence(&desk, SERVICE_MALFORMED);
    desk.in.truncated = false;
    check_answer(&desk);
}

/* Mode, address and list can be told from the header alone, and come first; noserve is about
 * requests whose form is right. */
static void bad_trailer_is_told_of_who_might_have_asked(void)
{
    struct desk desk;
    set_desk(&desk);
    desk.in.size = 49;
    desk.bytes[0] = 0x24;
    check_silence(&desk, SERVICE_MODE);
    desk.bytes[0] = 0x23;
    desk.in.peer.port = 0;
    check_silence(&desk, SERVICE_OWN_ADDRESS);
    desk.in.peer.port = 40123;
    desk.entry.flags = ACCESS_IGNORE;
    check_silence(&desk, SERVICE_RESTRICTED);
    desk.entry.flags = ACCESS_NOSERVE;
    check_silence(&desk, SERVICE_MALFORMED);
}

static void impossible_sources_get_silence(void)
{
    struct desk desk;
    static const uint8_t sources[][4] = {{140, 160, 11, 86}, {127, 0, 0, 1}, {127, 127, 28, 0},
                                         {0, 0, 0, 0},       {224, 0, 1, 1}, {255, 255, 255, 255}};
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        set_desk(&desk);
        memcpy(desk.in.peer.address.bytes, sources[i], 4);
        check_silence(&desk, SERVICE_OWN_ADDRESS);
    }
    set_desk(&desk);
    desk.in.peer.port = 0;
    check_silence(&desk, SERVICE_OWN_ADDRESS);
    set_desk(&desk);
    desk.in.peer.address = desk.own[1];
    check_silence(&desk, SERVICE_OWN_ADDRESS);
    desk.in.peer.address = loopback_v6;
    desk.in.local.address = desk.own[1];
    check_silence(&desk, SERVICE_OWN_ADDRESS);
}

static void loopback_is_served_at_loopback(void)
{
    struct desk desk;
    set_desk(&desk);
    desk.in.peer.address = v4(127, 0, 0, 1);
    desk.in.local.address = v4(127, 0, 0, 1);
    desk.own[0] = v4(127, 0, 0, 1); /* a host may count it among its own */
    check_answer(&desk);
    desk.in.peer.address = loopback_v6;
    desk.in.local.address = loopback_v6;
    check_answer(&desk);
}

static void access_flags_decide_who_is_served(void)
{
    static const struct {
        unsigned flags;
        uint8_t first_byte;
        enum service_verdict expected;
    } cases[] = {{ACCESS_IGNORE, 0x23, SERVICE_RESTRICTED},
                 {ACCESS_NOSERVE, 0x23, SERVICE_RESTRICTED},
                 {ACCESS_NOSERVE, 0x21, SERVICE_RESTRICTED},
                 {ACCESS_NOTRUST, 0x23, SERVICE_RESTRICTED},
                 {ACCESS_VERSION, 0x1B, SERVICE_RESTRICTED},
                 {ACCESS_VERSION, 0x23, SERVICE_ANSWERED},
                 {ACCESS_NOQUERY | ACCESS_NOMODIFY | ACCESS_NOPEER | ACCESS_NOEPEER | ACCESS_EPEER |
                      ACCESS_NOMRULIST | ACCESS_NOTRAP,
                  0x23, SERVICE_ANSWERED},
                 {ACCESS_LIMITED | ACCESS_KOD | ACCESS_FLAKE, 0x23, SERVICE_ANSWERED}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct desk desk;
        set_desk(&desk);
        desk.entry.flags = (uint16_t)cases[i].flags;
        desk.bytes[0] = cases[i].first_byte;
        ask(&desk, NULL);
        CHECK_STR(service_verdict_text(desk.verdict), service_verdict_text(cases[i].expected));
    }
}

static void notrust_wants_a_mac_that_holds(void)
{
    struct desk desk;
    set_desk(&desk);
    desk.entry.flags = ACCESS_NOTRUST;
    sign(&desk, 0);
    check_answer(&desk);
    desk.bytes[60] ^= 1;
    check_silence(&desk, SERVICE_BAD_AUTH);
    set_desk(&desk);
    desk.entry.flags = ACCESS_NOTRUST;
    desk.in.size = 52; /* a crypto-NAK vouches for nothing */
    check_silence(&desk, SERVICE_RESTRICTED);
}

static void most_specific_entry_decides(void)
{
    struct desk desk;
    struct restrict_entry entries[2];
    set_desk(&desk);
    entries[0] = (struct restrict_entry){.address = v4(140, 160, 0, 0), .prefix = 16};
    entries[1] = desk.entry;
    entries[1].flags = ACCESS_IGNORE;
    desk.access = (struct access_list){entries, 2};
    check_answer(&desk);
    desk.in.peer.address = v4(140, 161, 20, 3);
    check_silence(&desk, SERVICE_RESTRICTED);
}

/* ---- with a client table ------------------------------------------------------------------- */

static struct clients *make_table(uint8_t seed)
{
    const uint8_t key[32] = {seed};
    return clients_init(malloc(clients_size(8)), 8, key);
}

static void flake_loses_one_request_in_ten(void)
{
    struct desk desk;
    struct clients *clients = make_table(1);
    unsigned lost = 0;
    set_desk(&desk);
    desk.entry.flags = ACCESS_FLAKE;
    for (unsigned i = 0; i < 10000; i++) {
        lost += ask(&desk, clients) == 0;
    }
    CHECK_NEAR(lost, 1000.0, 120.0);
    CHECK_STR(service_verdict_text(desk.verdict), "answered");
    CHECK_INT(clients_older(clients, NULL)->count, 10000 - lost);
    free(clients);
}

/* Asks `requests` times at one instant; counts answers by verdict and keeps the last kiss in
 * `kiss`. */
static void flood(struct desk *desk, unsigned requests, unsigned seen[SERVICE_BAD_AUTH + 1],
                  uint8_t kiss[72])
{
    struct clients *clients = make_table(2);
    memset(seen, 0, (SERVICE_BAD_AUTH + 1) * sizeof seen[0]);
    for (unsigned i = 0; i < requests; i++) {
        size_t size = ask(desk, clients);
        seen[desk->verdict]++;
        if (desk->verdict == SERVICE_KISSED) {
            CHECK_INT(size, desk->in.size);
            memcpy(kiss, desk->reply, size);
        }
    }
    free(clients);
}

static void flood_of_a_limited_host_is_mostly_dropped(void)
{
    struct desk desk;
    unsigned seen[SERVICE_BAD_AUTH + 1];
    uint8_t kiss[72];
    set_desk(&desk);
    flood(&desk, 1000, seen, kiss);
    CHECK_INT(seen[SERVICE_ANSWERED], 1000);
    desk.entry.flags = ACCESS_LIMITED;
    flood(&desk, 1000, seen, kiss);
    CHECK_NEAR(seen[SERVICE_LIMITED], 750.0, 60.0);
    CHECK_INT(seen[SERVICE_KISSED], 0);
    CHECK_INT(seen[SERVICE_ANSWERED] + seen[SERVICE_LIMITED], 1000);
}

/* No time but the two clock readings, and nothing that could be taken for a good server's
 * answer. */
static const uint8_t golden_kiss[48] = {
    0xE4, 0x00, 0x06, 0xEA, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 'R',  'A',  'T',  'E',
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8,
    0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8};

static void kiss_is_sent_once_byte_for_byte(void)
{
    struct desk desk;
    unsigned seen[SERVICE_BAD_AUTH + 1];
    uint8_t kiss[72] = {0};
    set_desk(&desk);
    desk.entry.flags = ACCESS_LIMITED | ACCESS_KOD;
    flood(&desk, 1000, seen, kiss);
    CHECK_INT(seen[SERVICE_KISSED], 1);
    check_bytes(kiss, golden_kiss, sizeof golden_kiss);
}

static void kiss_for_a_signed_request_is_signed(void)
{
    struct desk desk;
    unsigned seen[SERVICE_BAD_AUTH + 1];
    uint8_t kiss[72] = {0};
    uint8_t expected[72];
    set_desk(&desk);
    desk.entry.flags = ACCESS_LIMITED | ACCESS_KOD;
    sign(&desk, 1);
    flood(&desk, 1000, seen, kiss);
    CHECK_INT(seen[SERVICE_KISSED], 1);
    memcpy(expected, golden_kiss, 48);
    CHECK_INT(auth_append(&desk.keys[1], expected, 48), 24);
    check_bytes(kiss, expected, sizeof expected);
    desk.bytes[60] ^= 1;
    flood(&desk, 1000, seen, kiss);
    CHECK_INT(seen[SERVICE_KISSED] + seen[SERVICE_ANSWERED], 0);
}

static void requests_are_noted_unless_the_list_keeps_them_out(void)
{
    struct desk desk;
    struct clients *clients = make_table(3);
    set_desk(&desk);
    desk.entry.flags = ACCESS_IGNORE;
    ask(&desk, clients);
    CHECK_INT(clients_count(clients), 0);
    desk.entry.flags = ACCESS_NOQUERY;
    desk.bytes[0] = 0x19;
    ask(&desk, clients);
    const struct client_entry *entry = clients_older(clients, NULL);
    CHECK(entry && address_equal(&entry->peer.address, &desk.in.peer.address));
    CHECK(entry && address_equal(&entry->local, &desk.in.local.address));
    CHECK_INT(entry->peer.port, 40123);
    CHECK_INT(entry->mode, 1);
    CHECK_INT(entry->version, 3);
    CHECK_INT(entry->flags, ACCESS_NOQUERY);
    CHECK_INT(entry->last.ticks, desk.now.mono.ticks);
    free(clients);
}

/* ---- purity -------------------------------------------------------------------------------- */

static void same_request_gives_same_bytes_and_changes_nothing(void)
{
    struct desk desk;
    set_desk(&desk);
    sign(&desk, 0);
    uint8_t before[sizeof desk];
    const uint8_t *after = (const uint8_t *)&desk;
    memcpy(before, &desk, sizeof desk);
    uint8_t first[DATAGRAM_SIZE_MAX];
    size_t size = ask(&desk, NULL);
    memcpy(first, desk.reply, sizeof first);
    CHECK_INT(ask(&desk, NULL), size);
    CHECK(memcmp(first, desk.reply, sizeof first) == 0);
    memset(desk.reply, 0, sizeof desk.reply); /* as before; all else is left as it is found */
    desk.verdict = SERVICE_ANSWERED;
    CHECK(memcmp(before, after, sizeof desk) == 0);
}

static void random_bytes_are_never_answered_with_more(void)
{
    struct desk desk;
    uint32_t state = 1;
    unsigned answered = 0;
    set_desk(&desk);
    for (unsigned i = 0; i < 100000; i++) {
        for (size_t k = 0; k < 160; k++) {
            state = state * 1664525u + 1013904223u;
            desk.bytes[k] = (uint8_t)(state >> 24);
        }
        state = state * 1664525u + 1013904223u;
        desk.in.size = (state >> 16) % 160;
        answered += ask(&desk, NULL) > 0; /* which checks the size */
    }
    CHECK(answered > 50);
}

static void each_verdict_has_a_text_of_its_own(void)
{
    for (int a = SERVICE_ANSWERED; a <= SERVICE_BAD_AUTH; a++) {
        for (int b = SERVICE_ANSWERED; b < a; b++) {
            CHECK(strcmp(service_verdict_text((enum service_verdict)a),
                         service_verdict_text((enum service_verdict)b)) != 0);
        }
        CHECK(strcmp(service_verdict_text((enum service_verdict)a), "unknown verdict") != 0);
    }
}

const struct test_case server_tests[] = {
    {"mode_3_is_answered_byte_for_byte", mode_3_is_answered_byte_for_byte},
    {"mode_1_of_a_stranger_is_answered_in_mode_2_even_under_nopeer",
     mode_1_of_a_stranger_is_answered_in_mode_2_even_under_nopeer},
    {"version_asked_is_version_answered", version_asked_is_version_answered},
    {"version_1_without_a_mode_is_a_client_unless_from_port_123",
     version_1_without_a_mode_is_a_client_unless_from_port_123},
    {"only_modes_3_and_1_are_answered", only_modes_3_and_1_are_answered},
    {"an_answer_is_never_answered", an_answer_is_never_answered},
    {"unsynchronised_view_says_leap_3_stratum_0_and_no_reference_id",
     unsynchronised_view_says_leap_3_stratum_0_and_no_reference_id},
    {"poll_is_granted_between_my_minpoll_and_17", poll_is_granted_between_my_minpoll_and_17},
    {"root_dispersion_grows_since_the_view_and_rounds_up",
     root_dispersion_grows_since_the_view_and_rounds_up},
    {"signed_request_is_answered_under_the_same_key",
     signed_request_is_answered_under_the_same_key},
    {"wrong_mac_gets_silence_and_no_crypto_nak", wrong_mac_gets_silence_and_no_crypto_nak},
    {"crypto_nak_of_a_stranger_gets_silence", crypto_nak_of_a_stranger_gets_silence},
    {"extension_fields_are_not_repeated", extension_fields_are_not_repeated},
    {"malformed_requests_get_silence", malformed_requests_get_silence},
    {"bad_trailer_is_told_of_who_might_have_asked", bad_trailer_is_told_of_who_might_have_asked},
    {"impossible_sources_get_silence", impossible_sources_get_silence},
    {"loopback_is_served_at_loopback", loopback_is_served_at_loopback},
    {"access_flags_decide_who_is_served", access_flags_decide_who_is_served},
    {"notrust_wants_a_mac_that_holds", notrust_wants_a_mac_that_holds},
    {"most_specific_entry_decides", most_specific_entry_decides},
    {"flake_loses_one_request_in_ten", flake_loses_one_request_in_ten},
    {"flood_of_a_limited_host_is_mostly_dropped", flood_of_a_limited_host_is_mostly_dropped},
    {"kiss_is_sent_once_byte_for_byte", kiss_is_sent_once_byte_for_byte},
    {"kiss_for_a_signed_request_is_signed", kiss_for_a_signed_request_is_signed},
    {"requests_are_noted_unless_the_list_keeps_them_out",
     requests_are_noted_unless_the_list_keeps_them_out},
    {"same_request_gives_same_bytes_and_changes_nothing",
     same_request_gives_same_bytes_and_changes_nothing},
    {"random_bytes_are_never_answered_with_more", random_bytes_are_never_answered_with_more},
    {"each_verdict_has_a_text_of_its_own", each_verdict_has_a_text_of_its_own},
    {NULL, NULL}};
