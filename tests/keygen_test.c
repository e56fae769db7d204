/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * New keys: what is printed is what our own reader, and ntpd's, take for the same secret.
 */
#include "../sim/keygen.h"

#include <glib.h>

#include "../engine/config/keys.h"
#include "check.h"

static const enum key_type types[] = {KEY_AES128CMAC, KEY_SHA1, KEY_SHA256, KEY_SHA512};

static void the_line_loads_as_the_key_that_was_drawn_without_a_warning(void)
{
    uint8_t secret[KEY_SECRET_MAX];
    for (size_t i = 0; i < sizeof secret; i++) {
        secret[i] = (uint8_t)(251 * i + 7); /* high bits, zeros and all */
    }
    for (size_t t = 0; t < G_N_ELEMENTS(types); t++) {
        char *text = keygen_text(65535, types[t], secret);
        struct messages *messages = messages_new();
        struct key *keys = NULL;
        size_t count = 0;
        CHECK(keys_parse("ntp.keys", text, strlen(text), &keys, &count, messages));
        CHECK_INT(messages->list->len, 0);
        CHECK_INT(count, 1);
        if (count == 1) {
            CHECK_INT(keys[0].id, 65535);
            CHECK_INT(keys[0].type, types[t]);
            CHECK_INT(keys[0].secret_size, keygen_secret_size(types[t]));
            CHECK(memcmp(keys[0].secret, secret, keys[0].secret_size) == 0);
        }
        g_free(keys);
        messages_free(messages);
        g_free(text);
    }
}

static void a_secret_is_hexadecimal_to_every_reader_and_never_longer_than_ntpd_reads(void)
{
    for (size_t t = 0; t < G_N_ELEMENTS(types); t++) {
        CHECK(2 * keygen_secret_size(types[t]) > 20);
        CHECK(keygen_secret_size(types[t]) <= 32);
    }
}

static void types_are_found_in_any_letter_case_and_md5_is_not(void)
{
    enum key_type type = KEY_MD5;
    CHECK(keygen_type("aes128cmac", &type));
    CHECK_INT(type, KEY_AES128CMAC);
    CHECK(keygen_type("SHA512", &type));
    CHECK_INT(type, KEY_SHA512);
    CHECK(!keygen_type("MD5", &type));
    CHECK(!keygen_type("", &type));
    CHECK(!keygen_type("SHA", &type));
}

const struct test_case keygen_tests[] = {
    {"the_line_loads_as_the_key_that_was_drawn_without_a_warning",
     the_line_loads_as_the_key_that_was_drawn_without_a_warning},
    {"a_secret_is_hexadecimal_to_every_reader_and_never_longer_than_ntpd_reads",
     a_secret_is_hexadecimal_to_every_reader_and_never_longer_than_ntpd_reads},
    {"types_are_found_in_any_letter_case_and_md5_is_not",
     types_are_found_in_any_letter_case_and_md5_is_not},
    {NULL, NULL}};
