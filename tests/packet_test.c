/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parser against a second one, written from the grammar and as slow as it likes, over every
 * length of datagram and of first extension field; the header against bytes written out by hand.
 */
#include "../engine/packet.h"

#include <stdlib.h>

#include "check.h"

enum { LENGTH_MAX = 1300, ROOM = 70000 };

static uint64_t draw(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (*state * UINT64_C(2685821657736338717)) >> 24;
}

/* ---- the slow reference -------------------------------------------------------------------- */

struct reading {
    enum packet_verdict verdict;
    size_t fields, before_mac, digest_size;
};

static struct reading verdict_only(enum packet_verdict verdict)
{
    return (struct reading){.verdict = verdict};
}

/* What follows the header and `fields` extension fields, of which `rest` bytes are left. */
static struct reading read_rest(const uint8_t *rest, size_t left, bool may_extend, size_t fields)
{
    struct reading here = {.verdict = PACKET_OK, .fields = fields};
    switch (left) {
    case 0:
        return here;
    case 4:
        here.verdict = rest[0] || rest[1] || rest[2] || rest[3] ? PACKET_TRAILER : PACKET_OK;
        return here;
    case 20:
    case 24:
        here.digest_size = left - 4;
        return here;
    default:
        break;
    }
    if (!may_extend || left < 24) {
        here.verdict = PACKET_TRAILER;
        return here;
    }
    size_t length = 256u * rest[2] + rest[3];
    bool fits = length >= 16 && length <= left && length / 4 * 4 == length;
    if (!fits) {
        here.verdict = PACKET_EXTENSION;
        return here;
    }
    return read_rest(rest + length, left - length, true, fields + 1);
}

static struct reading read_slowly(const uint8_t *bytes, size_t size)
{
    if (size < 1) {
        return verdict_only(PACKET_SHORT);
    }
    unsigned version = bytes[0] / 8 % 8;
    unsigned mode = bytes[0] % 8;
    if (version == 0 || version >= 5) {
        return verdict_only(PACKET_VERSION);
    }
    if (mode >= 6) {
        return verdict_only(PACKET_CONTROL);
    }
    if (size < 48) {
        return verdict_only(PACKET_SHORT);
    }
    if (size > 65535) {
        return verdict_only(PACKET_TRAILER);
    }
    struct reading reading = read_rest(bytes + 48, size - 48, version == 4, 0);
    if (reading.verdict == PACKET_OK) {
        reading.before_mac = size - (reading.digest_size ? reading.digest_size + 4 : 0);
    }
    return reading;
}

/* Whether packet_parse() says of the bytes what the reference says. */
static bool agrees(const uint8_t *bytes, size_t size)
{
    struct packet packet;
    struct reading reading = read_slowly(bytes, size);
    if (packet_parse(bytes, size, &packet) != reading.verdict ||
        packet.extension_count != reading.fields) {
        return false;
    }
    if (reading.verdict != PACKET_OK) {
        return !packet.has_mac && !packet.digest;
    }
    size_t nak = packet.is_crypto_nak ? 4 : 0;
    return packet.signed_size == reading.before_mac - nak &&
           packet.digest_size == reading.digest_size &&
           packet.has_mac == (packet.is_crypto_nak || reading.digest_size > 0) &&
           packet.digest == (reading.digest_size ? bytes + reading.before_mac + 4 : NULL);
}

/* ---- form ---------------------------------------------------------------------------------- */

/* Every total length, every length of the first field up to past the end; the bytes after it are
 * fields of `fill` bytes each wherever they are looked at. */
static unsigned count_disagreements(uint8_t *bytes, unsigned fill)
{
    unsigned wrong = 0;
    memset(bytes, 0, LENGTH_MAX);
    bytes[0] = 0x23;
    for (size_t at = 48; at + 4 <= LENGTH_MAX; at += 4) {
        bytes[at + 2] = (uint8_t)(fill >> 8);
        bytes[at + 3] = (uint8_t)fill;
    }
    for (size_t size = 0; size <= LENGTH_MAX; size++) {
        for (unsigned length = 0; length <= size + 5; length++) {
            bytes[50] = (uint8_t)(length >> 8);
            bytes[51] = (uint8_t)length;
            wrong += !agrees(bytes, size);
        }
    }
    return wrong;
}

static void every_length_of_datagram_and_field_is_judged_as_the_grammar_says(void)
{
    static uint8_t bytes[LENGTH_MAX];
    CHECK_INT(count_disagreements(bytes, 0), 0);
    CHECK_INT(count_disagreements(bytes, 16), 0);
    CHECK_INT(count_disagreements(bytes, 28), 0);
    CHECK_INT(count_disagreements(bytes, 100), 0);
}

static void field_length_of_16_bits_is_judged_whole(void)
{
    static uint8_t bytes[ROOM];
    unsigned wrong = 0;
    static const size_t sizes[] = {76, 1280, 65535};
    memset(bytes, 0, sizeof bytes);
    bytes[0] = 0x23;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (unsigned length = 0; length <= 65535; length++) {
            bytes[50] = (uint8_t)(length >> 8);
            bytes[51] = (uint8_t)length;
            wrong += !agrees(bytes, sizes[i]);
        }
    }
    CHECK_INT(wrong, 0);
}

static void random_bytes_get_the_reference_verdict_and_no_byte_beyond_is_read(void)
{
    uint64_t state = 1;
    unsigned wrong = 0;
    unsigned seen[PACKET_TRAILER + 1] = {0};
    for (unsigned i = 0; i < 200000; i++) {
        size_t size = draw(&state) % 160;
        uint8_t *bytes =
            malloc(size + (size == 0)); /* exact, so that a sanitizer sees byte size + 1 */
        struct packet packet;
        for (size_t k = 0; k < size; k++) {
            bytes[k] = (uint8_t)draw(&state);
        }
        for (size_t k = 48; k + 4 <= size && i % 4 != 0; k += 4) { /* lengths that often fit */
            bytes[k + 2] = 0;
            bytes[k + 3] = (uint8_t)(12 + 4 * (draw(&state) % 8));
        }
        if (size > 0 && i % 3 != 0) {
            bytes[0] = (uint8_t)((bytes[0] & 0xC0) | 4 << 3 | 3);
        }
        wrong += !agrees(bytes, size);
        seen[packet_parse(bytes, size, &packet)]++;
        free(bytes);
    }
    CHECK_INT(wrong, 0);
    for (unsigned verdict = PACKET_OK; verdict <= PACKET_TRAILER; verdict++) {
        CHECK(seen[verdict] > 100);
    }
}

static enum packet_verdict judged(unsigned first_byte, size_t size, struct packet *packet)
{
    static uint8_t bytes[ROOM];
    bytes[0] = (uint8_t)first_byte;
    return packet_parse(bytes, size, packet);
}

static void versions_1_to_4_pass_and_no_other(void)
{
    struct packet packet;
    for (unsigned version = 0; version < 8; version++) {
        enum packet_verdict expected = version >= 1 && version <= 4 ? PACKET_OK : PACKET_VERSION;
        CHECK_INT(judged(version << 3 | 3, 48, &packet), expected);
        CHECK_INT(packet.version, version);
    }
}

static void modes_6_and_7_are_control_even_when_shorter_than_a_header(void)
{
    struct packet packet;
    for (unsigned mode = 0; mode < 8; mode++) {
        CHECK_INT(judged(4 << 3 | mode, 48, &packet), mode < 6 ? PACKET_OK : PACKET_CONTROL);
        CHECK_INT(judged(4 << 3 | mode, 12, &packet), mode < 6 ? PACKET_SHORT : PACKET_CONTROL);
        CHECK_INT(packet.mode, mode);
        CHECK_INT(packet.version, 4);
    }
}

static void shorter_than_a_header_is_short(void)
{
    struct packet packet;
    for (size_t size = 0; size < 48; size++) {
        CHECK_INT(judged(0x23, size, &packet), PACKET_SHORT);
    }
    CHECK_INT(judged(0x23, 48, &packet), PACKET_OK);
}

static void longer_than_any_udp_datagram_is_refused(void)
{
    struct packet packet;
    CHECK_INT(judged(0x23, 65536, &packet), PACKET_TRAILER);
    CHECK_INT(judged(0x23, 65536 + 48, &packet), PACKET_TRAILER);
}

static void only_version_4_has_extension_fields(void)
{
    uint8_t bytes[76] = {0};
    struct packet packet;
    bytes[51] = 28;
    for (unsigned version = 1; version <= 4; version++) {
        bytes[0] = (uint8_t)(version << 3 | 3);
        CHECK_INT(packet_parse(bytes, sizeof bytes, &packet),
                  version == 4 ? PACKET_OK : PACKET_TRAILER);
        CHECK_INT(packet.extension_count, version == 4);
    }
}

static void mac_lies_behind_header_and_fields(void)
{
    uint8_t bytes[48 + 28 + 24] = {0x23};
    struct packet packet;
    bytes[51] = 28;
    bytes[76] = 0x01;
    bytes[77] = 0x02;
    bytes[78] = 0x03;
    bytes[79] = 0x04;
    CHECK_INT(packet_parse(bytes, sizeof bytes, &packet), PACKET_OK);
    CHECK(packet.has_mac && !packet.is_crypto_nak);
    CHECK_INT(packet.key_id, 0x01020304);
    CHECK_INT(packet.digest_size, 20);
    CHECK_INT(packet.signed_size, 76);
    CHECK(packet.digest == bytes + 80);
    CHECK_INT(packet_parse(bytes, sizeof bytes - 4, &packet), PACKET_OK);
    CHECK_INT(packet.digest_size, 16);
}

static void four_zero_bytes_are_a_crypto_nak_and_other_four_are_nothing(void)
{
    uint8_t bytes[52] = {0x23};
    struct packet packet;
    CHECK_INT(packet_parse(bytes, sizeof bytes, &packet), PACKET_OK);
    CHECK(packet.has_mac && packet.is_crypto_nak);
    CHECK_INT(packet.digest_size, 0);
    CHECK_INT(packet.signed_size, 48);
    for (unsigned i = 48; i < 52; i++) {
        bytes[i] = 1;
        CHECK_INT(packet_parse(bytes, sizeof bytes, &packet), PACKET_TRAILER);
        CHECK(!packet.has_mac);
        bytes[i] = 0;
    }
}

/* ---- header -------------------------------------------------------------------------------- */

/* LI 1, version 3, mode 4, stratum 2, poll -3 and precision -23, then each field with digits of its
 * own. */
static const uint8_t golden[48] = {
    0x5C, 0x02, 0xFD, 0xE9, 0x00, 0x01, 0x80, 0x00, 0x00, 0x00, 0x40, 0x02, 0x8C, 0xA0, 0x0B, 0x56,
    0xE1, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8,
    0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8};

static struct packet golden_packet(void)
{
    return (struct packet){.leap = LEAP_INSERT,
                           .version = 3,
                           .mode = MODE_SERVER,
                           .stratum = 2,
                           .poll = -3,
                           .precision = -23,
                           .root_delay = 0x00018000,
                           .root_dispersion = 0x00004002,
                           .refid = 0x8CA00B56,
                           .reference = {UINT64_C(0xE1E2E3E4E5E6E7E8)},
                           .origin = {UINT64_C(0xD1D2D3D4D5D6D7D8)},
                           .receive = {UINT64_C(0xC1C2C3C4C5C6C7C8)},
                           .transmit = {UINT64_C(0xB1B2B3B4B5B6B7B8)}};
}

static void header_is_written_byte_for_byte(void)
{
    struct packet packet = golden_packet();
    uint8_t bytes[PACKET_HEADER_SIZE];
    memset(bytes, 0xAA, sizeof bytes);
    packet_write(&packet, bytes);
    for (size_t i = 0; i < sizeof golden; i++) {
        CHECK_INT(bytes[i], golden[i]);
    }
}

static void header_is_read_field_for_field(void)
{
    struct packet read;
    struct packet expected = golden_packet();
    CHECK_INT(packet_parse(golden, sizeof golden, &read), PACKET_OK);
    CHECK_INT(read.leap, expected.leap);
    CHECK_INT(read.version, expected.version);
    CHECK_INT(read.mode, expected.mode);
    CHECK_INT(read.stratum, expected.stratum);
    CHECK_INT(read.poll, expected.poll);
    CHECK_INT(read.precision, expected.precision);
    CHECK_INT(read.root_delay, expected.root_delay);
    CHECK_INT(read.root_dispersion, expected.root_dispersion);
    CHECK_INT(read.refid, expected.refid);
    CHECK(ntp_equal(read.reference, expected.reference));
    CHECK(ntp_equal(read.origin, expected.origin));
    CHECK(ntp_equal(read.receive, expected.receive));
    CHECK(ntp_equal(read.transmit, expected.transmit));
    CHECK(!read.has_mac);
    CHECK_INT(read.signed_size, 48);
}

static void any_header_survives_reading_and_writing(void)
{
    uint64_t state = 7;
    unsigned wrong = 0;
    for (unsigned i = 0; i < 50000; i++) {
        uint8_t bytes[48];
        uint8_t back[48];
        struct packet packet;
        for (size_t k = 0; k < sizeof bytes; k++) {
            bytes[k] = (uint8_t)draw(&state);
        }
        if (packet_parse(bytes, sizeof bytes, &packet) == PACKET_OK) {
            packet_write(&packet, back);
            wrong += memcmp(bytes, back, sizeof bytes) != 0;
        }
    }
    CHECK_INT(wrong, 0);
}

static void stratum_16_travels_as_0(void)
{
    CHECK_INT(stratum_from_wire(0), 16);
    CHECK_INT(stratum_to_wire(16), 0);
    CHECK_INT(stratum_to_wire(255), 0);
    CHECK_INT(stratum_from_wire(17), 16);
    CHECK_INT(stratum_from_wire(255), 16);
    for (uint8_t stratum = 1; stratum < 16; stratum++) {
        CHECK_INT(stratum_from_wire(stratum), stratum);
        CHECK_INT(stratum_to_wire(stratum), stratum);
    }
}

static void each_verdict_has_a_text_of_its_own(void)
{
    for (int a = PACKET_OK; a <= PACKET_TRAILER; a++) {
        for (int b = PACKET_OK; b < a; b++) {
            CHECK(strcmp(packet_verdict_text((enum packet_verdict)a),
                         packet_verdict_text((enum packet_verdict)b)) != 0);
        }
        CHECK(strcmp(packet_verdict_text((enum packet_verdict)a), "unknown verdict") != 0);
    }
}

const struct test_case packet_tests[] = {
    {"every_length_of_datagram_and_field_is_judged_as_the_grammar_says",
     every_length_of_datagram_and_field_is_judged_as_the_grammar_says},
    {"field_length_of_16_bits_is_judged_whole", field_length_of_16_bits_is_judged_whole},
    {"random_bytes_get_the_reference_verdict_and_no_byte_beyond_is_read",
     random_bytes_get_the_reference_verdict_and_no_byte_beyond_is_read},
    {"versions_1_to_4_pass_and_no_other", versions_1_to_4_pass_and_no_other},
    {"modes_6_and_7_are_control_even_when_shorter_than_a_header",
     modes_6_and_7_are_control_even_when_shorter_than_a_header},
    {"shorter_than_a_header_is_short", shorter_than_a_header_is_short},
    {"longer_than_any_udp_datagram_is_refused", longer_than_any_udp_datagram_is_refused},
    {"only_version_4_has_extension_fields", only_version_4_has_extension_fields},
    {"mac_lies_behind_header_and_fields", mac_lies_behind_header_and_fields},
    {"four_zero_bytes_are_a_crypto_nak_and_other_four_are_nothing",
     four_zero_bytes_are_a_crypto_nak_and_other_four_are_nothing},
    {"header_is_written_byte_for_byte", header_is_written_byte_for_byte},
    {"header_is_read_field_for_field", header_is_read_field_for_field},
    {"any_header_survives_reading_and_writing", any_header_survives_reading_and_writing},
    {"stratum_16_travels_as_0", stratum_16_travels_as_0},
    {"each_verdict_has_a_text_of_its_own", each_verdict_has_a_text_of_its_own},
    {NULL, NULL}};
