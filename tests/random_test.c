/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The random stream against ChaCha20 keystream made by `openssl enc -chacha20` with the key 00 01
 * ... 1f and, block by block, the nonces 0 and 1. It judges no randomness: that is ChaCha20's
 * business.
 */
#include "../engine/random.h"

#include "check.h"

static const uint8_t block_0[64] = {
    0x39, 0xfd, 0x2b, 0x7d, 0xd9, 0xc5, 0x19, 0x6a, 0x8d, 0xbd, 0x03, 0x77, 0xb8, 0xdc, 0x4a, 0x49,
    0x8a, 0x35, 0xd8, 0x6f, 0xbc, 0xde, 0x6a, 0xcc, 0xb2, 0xcc, 0x7d, 0x4c, 0xd8, 0xea, 0x24, 0x92,
    0x2b, 0x23, 0xcc, 0xe7, 0xa2, 0x60, 0x23, 0xab, 0x3f, 0x0e, 0xef, 0x69, 0x3a, 0xc8, 0x7f, 0x64,
    0x25, 0x82, 0x35, 0xea, 0xb1, 0xf7, 0xa3, 0x2d, 0xc2, 0x27, 0x62, 0xa0, 0x48, 0x5b, 0x41, 0x0c};
static const uint8_t block_1[64] = {
    0x2f, 0xa4, 0xf1, 0x02, 0x50, 0x80, 0x8e, 0x89, 0xa2, 0x52, 0x31, 0xe5, 0x0f, 0xdf, 0x6e, 0xe0,
    0x71, 0xc6, 0x5f, 0x21, 0xef, 0x9e, 0xee, 0x78, 0x4c, 0x3f, 0x2d, 0x89, 0x06, 0x1a, 0xe8, 0x95,
    0x1e, 0xeb, 0xde, 0x59, 0x04, 0x27, 0x84, 0xfa, 0x27, 0x1f, 0xb5, 0xde, 0x37, 0x89, 0x6d, 0xaf,
    0x00, 0x04, 0xe4, 0xf4, 0x7d, 0x05, 0xfe, 0x33, 0xbc, 0x14, 0x1d, 0x74, 0x6f, 0x04, 0xfa, 0x09};

static struct random_stream keyed_stream(uint8_t first)
{
    uint8_t key[32];
    struct random_stream stream;
    for (unsigned i = 0; i < sizeof key; i++) {
        key[i] = (uint8_t)(i + first);
    }
    random_init(&stream, key);
    return stream;
}

static void bytes_are_the_chacha20_keystream_across_blocks(void)
{
    struct random_stream stream = keyed_stream(0);
    unsigned wrong = 0;
    for (unsigned i = 0; i < 64; i++) {
        wrong += random_byte(&stream) != block_0[i];
    }
    for (unsigned i = 0; i < 64; i++) {
        wrong += random_byte(&stream) != block_1[i];
    }
    CHECK_INT(wrong, 0);
}

static void words_take_eight_bytes_first_byte_highest(void)
{
    struct random_stream stream = keyed_stream(0);
    CHECK(random_u64(&stream) == UINT64_C(0x39fd2b7dd9c5196a));
    for (unsigned i = 1; i < 8; i++) {
        random_u64(&stream);
    }
    CHECK(random_u64(&stream) == UINT64_C(0x2fa4f10250808e89));
}

static void word_that_does_not_fit_begins_the_next_block(void)
{
    struct random_stream stream = keyed_stream(0);
    for (unsigned i = 0; i < 57; i++) {
        random_byte(&stream);
    }
    CHECK(random_u64(&stream) == UINT64_C(0x2fa4f10250808e89));
    CHECK_INT(random_byte(&stream), 0xa2);
}

static void equal_keys_give_equal_streams_and_others_do_not(void)
{
    struct random_stream a = keyed_stream(0);
    struct random_stream b = keyed_stream(0);
    struct random_stream c = keyed_stream(1);
    unsigned unlike_b = 0;
    unsigned like_c = 0;
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t from_a = random_u64(&a);
        uint64_t from_b = random_u64(&b);
        uint64_t from_c = random_u64(&c);
        unlike_b += from_a != from_b;
        like_c += from_a == from_c;
    }
    CHECK_INT(unlike_b, 0);
    CHECK_INT(like_c, 0);
}

const struct test_case random_tests[] = {
    {"bytes_are_the_chacha20_keystream_across_blocks",
     bytes_are_the_chacha20_keystream_across_blocks},
    {"words_take_eight_bytes_first_byte_highest", words_take_eight_bytes_first_byte_highest},
    {"word_that_does_not_fit_begins_the_next_block", word_that_does_not_fit_begins_the_next_block},
    {"equal_keys_give_equal_streams_and_others_do_not",
     equal_keys_give_equal_streams_and_others_do_not},
    {NULL, NULL}};
