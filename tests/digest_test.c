/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The digest: every word counts, and so does its place.
 */
#include "../sim/digest.h"

#include "check.h"

static uint64_t state_of(const uint8_t *bytes, size_t size)
{
    struct digest d = {0};
    digest_bytes(&d, bytes, size);
    return d.state;
}

static void any_bit_of_a_packet_changes_the_state(void)
{
    uint8_t bytes[52] = {0x23, 0, 6, 0xEC};
    uint64_t plain = state_of(bytes, sizeof bytes);
    for (unsigned bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK(state_of(bytes, sizeof bytes) != plain);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK(state_of(bytes, sizeof bytes) == plain);
}

static void zeros_at_the_end_count(void)
{
    uint8_t zeros[16] = {0};
    CHECK(state_of(zeros, 7) != state_of(zeros, 8));
    CHECK(state_of(zeros, 9) != state_of(zeros, 10));
}

static void order_counts(void)
{
    struct digest a = {0}, b = {0};
    digest_word(&a, 1);
    digest_word(&a, 2);
    digest_word(&b, 2);
    digest_word(&b, 1);
    CHECK(a.state != b.state);
}

/* Bytes are read as little-endian words on any machine. */
static void bytes_are_words_with_the_first_byte_lowest(void)
{
    static const uint8_t bytes[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct digest d = {0}, expected = {0};
    digest_bytes(&d, bytes, sizeof bytes);
    digest_word(&expected, UINT64_C(0x0807060504030201));
    digest_word(&expected, 9);
    digest_word(&expected, sizeof bytes);
    CHECK(d.state == expected.state && d.words == expected.words);
}

/* SHA-256 of 16 zero bytes: nothing was added. */
static void text_is_the_hash_of_state_and_count(void)
{
    struct digest d = {0};
    char text[DIGEST_TEXT_SIZE], again[DIGEST_TEXT_SIZE];
    digest_text(&d, text);
    CHECK_STR(text, "374708fff7719dd5979ec875d56cd2286f6d3cf7ec317a3b25632aab28ec37bb");
    digest_text(&d, again);
    CHECK_STR(again, text);
    digest_word(&d, 0);
    digest_text(&d, again);
    CHECK(strcmp(again, text) != 0);
}

const struct test_case digest_tests[] = {
    {"any_bit_of_a_packet_changes_the_state", any_bit_of_a_packet_changes_the_state},
    {"zeros_at_the_end_count", zeros_at_the_end_count},
    {"order_counts", order_counts},
    {"bytes_are_words_with_the_first_byte_lowest", bytes_are_words_with_the_first_byte_lowest},
    {"text_is_the_hash_of_state_and_count", text_is_the_hash_of_state_and_count},
    {NULL, NULL}};
