/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Digests against published and independently computed ones, then every reason to refuse a MAC.
 * CMAC: RFC 4493 section 4. The keyed hashes: Python's hashlib over key and message in a row.
 */
#include "../engine/auth.h"

#include "check.h"

enum { SIGNED_MAX = DATAGRAM_SIZE_MAX };

static const uint8_t rfc4493_key[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
                                        0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
static const uint8_t rfc4493_message[64] = {
    0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a,
    0xae, 0x2d, 0x8a, 0x57, 0x1e, 0x03, 0xac, 0x9c, 0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf, 0x8e, 0x51,
    0x30, 0xc8, 0x1c, 0x46, 0xa3, 0x5c, 0xe4, 0x11, 0xe5, 0xfb, 0xc1, 0x19, 0x1a, 0x0a, 0x52, 0xef,
    0xf6, 0x9f, 0x24, 0x45, 0xdf, 0x4f, 0x9b, 0x17, 0xad, 0x2b, 0x41, 0x7b, 0xe6, 0x6c, 0x37, 0x10};

static struct key make_key(uint32_t id, enum key_type type, const void *secret, size_t size)
{
    struct key key = {.id = id, .type = type, .is_trusted = true, .secret_size = (uint8_t)size};
    memcpy(key.secret, secret, size);
    return key;
}

static struct address v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct address){.family = ADDRESS_V4, .bytes = {a, b, c, d}};
}

/* Signs the 48 bytes 00 01 ... 2f, which also make a mode 3 packet of version 4 once byte 0 is
 * set. */
static void check_digest(const struct key *key, const uint8_t *digest, size_t digest_size)
{
    uint8_t bytes[48 + MAC_SIZE_MAX + 8];
    memset(bytes, 0xEE, sizeof bytes);
    for (uint8_t i = 0; i < 48; i++) {
        bytes[i] = i;
    }
    CHECK_INT(auth_append(key, bytes, 48), 4 + digest_size);
    CHECK_INT(key_digest_size(key->type), digest_size);
    CHECK_INT(bytes[48], key->id >> 24);
    CHECK_INT(bytes[49], key->id >> 16 & 0xFF);
    CHECK_INT(bytes[50], key->id >> 8 & 0xFF);
    CHECK_INT(bytes[51], key->id & 0xFF);
    CHECK(memcmp(bytes + 52, digest, digest_size) == 0);
    CHECK_INT(bytes[52 + digest_size], 0xEE); /* nothing written behind the MAC */
}

static void cmac_gives_the_examples_of_rfc_4493(void)
{
    static const struct {
        size_t size;
        uint8_t digest[16];
    } examples[] = {{0,
                     {0xbb, 0x1d, 0x69, 0x29, 0xe9, 0x59, 0x37, 0x28, 0x7f, 0xa3, 0x7d, 0x12, 0x9b,
                      0x75, 0x67, 0x46}},
                    {16,
                     {0x07, 0x0a, 0x16, 0xb4, 0x6b, 0x4d, 0x41, 0x44, 0xf7, 0x9b, 0xdd, 0x9d, 0xd0,
                      0x4a, 0x28, 0x7c}},
                    {40,
                     {0xdf, 0xa6, 0x67, 0x47, 0xde, 0x9a, 0xe6, 0x30, 0x30, 0xca, 0x32, 0x61, 0x14,
                      0x97, 0xc8, 0x27}},
                    {64,
                     {0x51, 0xf0, 0xbe, 0xbf, 0x7e, 0x3b, 0x9d, 0x92, 0xfc, 0x49, 0x74, 0x17, 0x79,
                      0x36, 0x3c, 0xfe}}};
    struct key key = make_key(1, KEY_AES128CMAC, rfc4493_key, sizeof rfc4493_key);
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        uint8_t bytes[64 + MAC_SIZE_MAX];
        memcpy(bytes, rfc4493_message, examples[i].size);
        CHECK_INT(auth_append(&key, bytes, examples[i].size), 20);
        CHECK(memcmp(bytes + examples[i].size + 4, examples[i].digest, 16) == 0);
    }
}

static void md5_is_the_hash_of_key_and_message(void)
{
    static const uint8_t digest[16] = {0xf8, 0xed, 0x66, 0x45, 0x62, 0xf8, 0x41, 0x04,
                                       0x55, 0x4e, 0xd5, 0xbd, 0xd1, 0xfd, 0x01, 0x03};
    struct key key = make_key(1, KEY_MD5, "tick", 4);
    check_digest(&key, digest, sizeof digest);
}

static void sha1_is_the_hash_of_key_and_message(void)
{
    static const uint8_t digest[20] = {0x61, 0x6b, 0x49, 0xb5, 0xa6, 0x28, 0x1b, 0x8a, 0xa6, 0x7f,
                                       0x34, 0xfb, 0xb2, 0x31, 0xa8, 0xdf, 0xd1, 0x88, 0xff, 0xfe};
    struct key key = make_key(0x1234, KEY_SHA1, "tock", 4);
    check_digest(&key, digest, sizeof digest);
}

static void sha256_is_cut_to_20_bytes(void)
{
    static const uint8_t digest[20] = {0x5f, 0xd0, 0xf6, 0x5a, 0x09, 0x7f, 0xdb, 0x7f, 0xf2, 0x09,
                                       0x13, 0x38, 0xa5, 0x26, 0x5c, 0x23, 0xf5, 0x8f, 0xfa, 0x44};
    struct key key = make_key(65535, KEY_SHA256, "campus", 6);
    check_digest(&key, digest, sizeof digest);
}

static void sha512_is_cut_to_20_bytes_with_the_longest_secret(void)
{
    static const uint8_t digest[20] = {0x87, 0x68, 0x4a, 0x94, 0x0a, 0x2a, 0xc6, 0xbe, 0xdc, 0x16,
                                       0x80, 0x82, 0x9c, 0x79, 0x34, 0xc8, 0x63, 0x74, 0xc9, 0x0a};
    char secret[KEY_SECRET_MAX];
    memset(secret, 'x', sizeof secret);
    struct key key = make_key(7, KEY_SHA512, secret, sizeof secret);
    check_digest(&key, digest, sizeof digest);
}

static void cmac_of_a_header_is_what_openssl_says(void)
{
    static const uint8_t digest[16] = {0xB4, 0x6D, 0xD8, 0x85, 0x6C, 0x4F, 0xEE, 0x71,
                                       0x3A, 0x92, 0x43, 0xE9, 0x17, 0xF1, 0xFD, 0xB7};
    struct key key = make_key(9, KEY_AES128CMAC, rfc4493_key, sizeof rfc4493_key);
    check_digest(&key, digest, sizeof digest);
}

static void keys_are_found_by_id_and_by_nothing_else(void)
{
    struct key keys[5];
    static const uint32_t ids[] = {1, 3, 4, 100, 65535};
    struct key_table table = {keys, 0};
    for (size_t count = 0; count <= 5; count++) {
        table.count = count;
        if (count > 0) {
            keys[count - 1] = make_key(ids[count - 1], KEY_MD5, "k", 1);
        }
        for (uint32_t id = 0; id <= 65536; id++) {
            const struct key *expected = NULL;
            for (size_t i = 0; i < count; i++) {
                expected = ids[i] == id ? &keys[i] : expected;
            }
            if (key_find(&table, id) != expected) {
                CHECK_INT(id, -1);
            }
        }
    }
    CHECK(key_find(&table, 65535) == &keys[4]);
}

/* ---- verdicts ------------------------------------------------------------------------------ */

/* Keys 1 ... 5, one of each type, then 6: not trusted, 7: for two addresses only. */
struct ring {
    struct key keys[7];
    struct key_table table;
};

static void fill_ring(struct ring *ring)
{
    for (uint32_t id = 1; id <= 5; id++) {
        ring->keys[id - 1] = make_key(id, (enum key_type)(id - 1), rfc4493_key, 16);
    }
    ring->keys[5] = make_key(6, KEY_SHA1, "distrusted", 10);
    ring->keys[5].is_trusted = false;
    ring->keys[6] = make_key(7, KEY_SHA1, "bound", 5);
    ring->keys[6].address_count = 2;
    ring->keys[6].addresses[0] = (struct key_address){v4(140, 160, 247, 31), 32};
    ring->keys[6].addresses[1] = (struct key_address){v4(10, 1, 0, 0), 16};
    ring->table = (struct key_table){ring->keys, 7};
}

/* A version-4 client request with a 28-byte extension field, signed by `key` unless it is NULL. */
static size_t make_message(uint8_t bytes[SIGNED_MAX], const struct key *key)
{
    memset(bytes, 0, SIGNED_MAX);
    bytes[0] = 0x23;
    bytes[47] = 0x5A;
    bytes[51] = 28;
    bytes[60] = 0x77;
    return 76 + (key ? auth_append(key, bytes, 76) : 0);
}

static enum auth_verdict verdict_of(const struct ring *ring, uint32_t required,
                                    const uint8_t *bytes, size_t size)
{
    struct packet packet;
    struct address sender = v4(192, 0, 2, 1);
    CHECK_INT(packet_parse(bytes, size, &packet), PACKET_OK);
    return auth_verify(&ring->table, required, &sender, &packet, bytes);
}

static void each_type_verifies_what_it_signed(void)
{
    struct ring ring;
    uint8_t bytes[SIGNED_MAX];
    fill_ring(&ring);
    for (uint32_t id = 1; id <= 5; id++) {
        size_t size = make_message(bytes, &ring.keys[id - 1]);
        CHECK_INT(verdict_of(&ring, 0, bytes, size), AUTH_OK);
        CHECK_INT(verdict_of(&ring, id, bytes, size), AUTH_OK);
    }
}

static void no_single_bit_can_change_unnoticed(void)
{
    struct ring ring;
    uint8_t bytes[SIGNED_MAX];
    struct address sender = v4(192, 0, 2, 1);
    fill_ring(&ring);
    for (uint32_t id = 1; id <= 5; id++) {
        struct packet packet;
        size_t size = make_message(bytes, &ring.keys[id - 1]);
        unsigned unnoticed = 0;
        CHECK_INT(packet_parse(bytes, size, &packet), PACKET_OK);
        for (size_t bit = 0; bit < 8 * size; bit++) {
            if (bit / 8 >= 76 && bit / 8 < 80) {
                continue; /* the key id is in `packet` already */
            }
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            unnoticed += auth_verify(&ring.table, 0, &sender, &packet, bytes) != AUTH_BAD_DIGEST;
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        CHECK_INT(unnoticed, 0);
    }
}

static void stripped_mac_is_no_mac_even_when_any_key_will_do(void)
{
    struct ring ring;
    uint8_t bytes[SIGNED_MAX];
    fill_ring(&ring);
    size_t size = make_message(bytes, NULL);
    CHECK_INT(verdict_of(&ring, 1, bytes, size), AUTH_NO_MAC);
    CHECK_INT(verdict_of(&ring, 0, bytes, size), AUTH_NO_MAC);
}

static void crypto_nak_is_never_authentic(void)
{
    struct ring ring;
    uint8_t bytes[SIGNED_MAX];
    fill_ring(&ring);
    size_t size = make_message(bytes, NULL) + 4;
    CHECK_INT(verdict_of(&ring, 0, bytes, size), AUTH_CRYPTO_NAK);
    CHECK_INT(verdict_of(&ring, 1, bytes, size), AUTH_CRYPTO_NAK);
}

static void unknown_zero_and_untrusted_ids_are_no_key(void)
{
    struct ring ring;
    uint8_t bytes[SIGNED_MAX];
    fill_ring(&ring);
    struct key stranger = make_key(99, KEY_SHA1, "stranger", 8);
    CHECK_INT(verdict_of(&ring, 0, bytes, make_message(bytes, &stranger)), AUTH_NO_KEY);
    stranger.id = 0;
    CHECK_INT(verdict_of(&ring, 0, bytes, make_message(bytes, &stranger)), AUTH_NO_KEY);
    CHECK_INT(verdict_of(&ring, 0, bytes, make_message(bytes, &ring.keys[5])), AUTH_NO_KEY);
    CHECK_INT(verdict_of(&ring, 6, bytes, make_message(bytes, &ring.keys[5])), AUTH_NO_KEY);
}

static void valid_mac_of_another_key_does_not_open_an_association(void)
{
    struct ring ring;
    uint8_t bytes[SIGNED_MAX];
    fill_ring(&ring);
    size_t size = make_message(bytes, &ring.keys[1]);
    CHECK_INT(verdict_of(&ring, 1, bytes, size), AUTH_WRONG_KEY);
    CHECK_INT(verdict_of(&ring, 2, bytes, size), AUTH_OK);
}

static void digest_of_another_key_under_this_key_s_id_is_bad(void)
{
    struct ring ring;
    uint8_t bytes[SIGNED_MAX];
    fill_ring(&ring);
    size_t size = make_message(bytes, &ring.keys[1]);
    bytes[79] = 3; /* SHA256's key; same digest size */
    CHECK_INT(verdict_of(&ring, 3, bytes, size), AUTH_BAD_DIGEST);
}

static void digest_size_is_the_key_type_s(void)
{
    struct ring ring;
    uint8_t bytes[SIGNED_MAX];
    fill_ring(&ring);
    size_t size = make_message(bytes, &ring.keys[1]);
    CHECK_INT(verdict_of(&ring, 2, bytes, size - 4), AUTH_BAD_SIZE); /* truncated by four */
    size = make_message(bytes, &ring.keys[0]);
    CHECK_INT(verdict_of(&ring, 1, bytes, size + 4), AUTH_BAD_SIZE); /* four more behind it */
}

static void other_truncations_and_trailing_bytes_are_no_packet(void)
{
    struct ring ring;
    uint8_t bytes[SIGNED_MAX];
    struct packet packet;
    fill_ring(&ring);
    size_t size = make_message(bytes, &ring.keys[1]);
    for (size_t cut = 1; cut < 24; cut++) {
        if (cut != 4 && cut != 20) {
            CHECK(packet_parse(bytes, size - cut, &packet) != PACKET_OK);
        }
    }
    /* Twenty bytes less leave a bare key id; as it is not zero, that is no crypto-NAK either. */
    CHECK_INT(packet_parse(bytes, size - 20, &packet), PACKET_TRAILER);
    for (size_t more = 1; more < 64; more++) {
        CHECK(packet_parse(bytes, size + more, &packet) != PACKET_OK);
    }
}

static void address_list_names_who_may_use_a_key(void)
{
    static const struct {
        uint8_t address[4];
        enum auth_verdict expected;
    } cases[] = {{{140, 160, 247, 31}, AUTH_OK},    {{140, 160, 247, 30}, AUTH_NOT_ALLOWED},
                 {{10, 1, 0, 0}, AUTH_OK},          {{10, 1, 255, 255}, AUTH_OK},
                 {{10, 2, 0, 0}, AUTH_NOT_ALLOWED}, {{10, 0, 255, 255}, AUTH_NOT_ALLOWED},
                 {{192, 0, 2, 1}, AUTH_NOT_ALLOWED}};
    struct ring ring;
    uint8_t bytes[SIGNED_MAX];
    struct packet packet;
    fill_ring(&ring);
    size_t size = make_message(bytes, &ring.keys[6]);
    CHECK_INT(packet_parse(bytes, size, &packet), PACKET_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t *a = cases[i].address;
        struct address sender = v4(a[0], a[1], a[2], a[3]);
        CHECK_INT(auth_verify(&ring.table, 7, &sender, &packet, bytes), cases[i].expected);
    }
    struct address v6 = {.family = ADDRESS_V6, .bytes = {10, 1}};
    CHECK_INT(auth_verify(&ring.table, 7, &v6, &packet, bytes), AUTH_NOT_ALLOWED);
}

static void names_are_those_of_ntp_keys(void)
{
    CHECK_STR(key_type_name(KEY_MD5), "MD5");
    CHECK_STR(key_type_name(KEY_SHA1), "SHA1");
    CHECK_STR(key_type_name(KEY_SHA256), "SHA256");
    CHECK_STR(key_type_name(KEY_SHA512), "SHA512");
    CHECK_STR(key_type_name(KEY_AES128CMAC), "AES128CMAC");
    for (int a = AUTH_OK; a <= AUTH_BAD_DIGEST; a++) {
        for (int b = AUTH_OK; b < a; b++) {
            CHECK(strcmp(auth_verdict_text((enum auth_verdict)a),
                         auth_verdict_text((enum auth_verdict)b)) != 0);
        }
        CHECK(strcmp(auth_verdict_text((enum auth_verdict)a), "unknown verdict") != 0);
    }
}

const struct test_case auth_tests[] = {
    {"cmac_gives_the_examples_of_rfc_4493", cmac_gives_the_examples_of_rfc_4493},
    {"md5_is_the_hash_of_key_and_message", md5_is_the_hash_of_key_and_message},
    {"sha1_is_the_hash_of_key_and_message", sha1_is_the_hash_of_key_and_message},
    {"sha256_is_cut_to_20_bytes", sha256_is_cut_to_20_bytes},
    {"sha512_is_cut_to_20_bytes_with_the_longest_secret",
     sha512_is_cut_to_20_bytes_with_the_longest_secret},
    {"cmac_of_a_header_is_what_openssl_says", cmac_of_a_header_is_what_openssl_says},
    {"keys_are_found_by_id_and_by_nothing_else", keys_are_found_by_id_and_by_nothing_else},
    {"each_type_verifies_what_it_signed", each_type_verifies_what_it_signed},
    {"no_single_bit_can_change_unnoticed", no_single_bit_can_change_unnoticed},
    {"stripped_mac_is_no_mac_even_when_any_key_will_do",
     stripped_mac_is_no_mac_even_when_any_key_will_do},
    {"crypto_nak_is_never_authentic", crypto_nak_is_never_authentic},
    {"unknown_zero_and_untrusted_ids_are_no_key", unknown_zero_and_untrusted_ids_are_no_key},
    {"valid_mac_of_another_key_does_not_open_an_association",
     valid_mac_of_another_key_does_not_open_an_association},
    {"digest_of_another_key_under_this_key_s_id_is_bad",
     digest_of_another_key_under_this_key_s_id_is_bad},
    {"digest_size_is_the_key_type_s", digest_size_is_the_key_type_s},
    {"other_truncations_and_trailing_bytes_are_no_packet",
     other_truncations_and_trailing_bytes_are_no_packet},
    {"address_list_names_who_may_use_a_key", address_list_names_who_may_use_a_key},
    {"names_are_those_of_ntp_keys", names_are_those_of_ntp_keys},
    {NULL, NULL}};
