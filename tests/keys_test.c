/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ntp.keys: the bytes of each form of secret, and that a bad line spoils the whole file.
 */
#include "../engine/config/keys.h"

#include <glib/gstdio.h>

#include "messages_check.h"

struct loaded {
    struct key *keys;
    size_t count;
    bool done;
    struct messages *messages;
};

static struct loaded parse(const char *text)
{
    struct loaded l = {.messages = messages_new()};
    l.done = keys_parse("ntp.keys", text, strlen(text), &l.keys, &l.count, l.messages);
    return l;
}

static void check_secret(const struct key *key, const void *bytes, size_t size, unsigned line)
{
    check_report(key->secret_size == size && memcmp(key->secret, bytes, size) == 0,
                 "the secret has these bytes", __FILE__, line);
}

#define CHECK_SECRET(key, bytes) check_secret((key), (bytes), sizeof(bytes) - 1, __LINE__)

static void secrets_have_the_bytes_of_their_form(void)
{
    struct loaded l = parse("# comment\n"
                            "1 SHA1 secret # not part of it\n"
                            "2 sha256 0123456789abcdefABCD    \n"
                            "3 SHA512 00112233445566778899aAbB\r\n"
                            "4 SHA1 HEX:00ff\n"
                            "5 SHA1 ASCII:a-text-longer-than-twenty-chars\n"
                            "6 AES128CMAC 000102030405060708090a0b0c0d0e0f\n"
                            "7 AES sixteen-letters!\n");
    REQUIRE(l.done && l.count == 7);
    static const enum key_type types[] = {KEY_SHA1, KEY_SHA256,     KEY_SHA512,    KEY_SHA1,
                                          KEY_SHA1, KEY_AES128CMAC, KEY_AES128CMAC};
    for (size_t i = 0; i < l.count; i++) {
        CHECK_INT(l.keys[i].id, i + 1);
        CHECK_INT(l.keys[i].type, types[i]);
        CHECK(!l.keys[i].is_trusted);
        CHECK_INT(l.keys[i].address_count, 0);
    }
    CHECK_SECRET(&l.keys[0], "secret");
    CHECK_SECRET(&l.keys[1], "0123456789abcdefABCD");
    CHECK_SECRET(&l.keys[2], "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb");
    CHECK_SECRET(&l.keys[3], "\x00\xff");
    CHECK_SECRET(&l.keys[4], "a-text-longer-than-twenty-chars");
    CHECK_SECRET(&l.keys[5], "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f");
    CHECK_SECRET(&l.keys[6], "sixteen-letters!");
    g_free(l.keys);
    CHECK_MESSAGES(l.messages, "");
}

static void keys_are_sorted_and_found_by_id(void)
{
    struct loaded l = parse("65535 SHA1 c\n7 SHA1 b\n1 SHA1 a\n");
    REQUIRE(l.count == 3);
    struct key_table table = {l.keys, l.count};
    CHECK_INT(l.keys[0].id, 1);
    CHECK_INT(l.keys[1].id, 7);
    CHECK_INT(l.keys[2].id, 65535);
    CHECK_SECRET(key_find(&table, 7), "b");
    g_free(l.keys);
    CHECK_MESSAGES(l.messages, "");
}

static void address_lists_are_blocks_without_host_bits(void)
{
    struct loaded l = parse("1 SHA1 a 192.0.2.1,198.51.100.9/24,2001:db8::/32\n");
    char text[ADDRESS_TEXT_SIZE];
    REQUIRE(l.count == 1 && l.keys[0].address_count == 3);
    CHECK_STR(address_text(&l.keys[0].addresses[0].address, text), "192.0.2.1");
    CHECK_INT(l.keys[0].addresses[0].prefix, 32);
    CHECK_STR(address_text(&l.keys[0].addresses[1].address, text), "198.51.100.0");
    CHECK_INT(l.keys[0].addresses[1].prefix, 24);
    CHECK_STR(address_text(&l.keys[0].addresses[2].address, text), "2001:db8::");
    CHECK_INT(l.keys[0].addresses[2].prefix, 32);
    g_free(l.keys);
    CHECK_MESSAGES(l.messages,
                   "ntp.keys:1:20: warning: bits after the prefix are ignored: taken as "
                   "198.51.100.0/24\n");
}

static void weak_and_ambiguous_keys_load_with_a_warning(void)
{
    struct loaded l = parse("1 MD5 a\n2 m b\n3 SHA1 gr#sse\n");
    REQUIRE(l.done && l.count == 3);
    CHECK_INT(l.keys[1].type, KEY_MD5);
    CHECK_SECRET(&l.keys[2], "gr#sse");
    g_free(l.keys);
    CHECK_MESSAGES(l.messages,
                   "ntp.keys:1:3: warning: MD5 is broken (RFC 8573 forbids it); use AES128CMAC at "
                   "both ends\n"
                   "ntp.keys:2:3: warning: MD5 is broken (RFC 8573 forbids it); use AES128CMAC at "
                   "both ends\n"
                   "ntp.keys:3:8: warning: ntpd ends a secret at '#'; write this one in "
                   "hexadecimal to be understood alike everywhere\n");
}

static const struct {
    const char *line, *message;
} bad_lines[] = {
    {"0 SHA1 xyzzy", "1:1: error: expected a key id from 1 to 65535"},
    {"65536 SHA1 xyzzy", "1:1: error: expected a key id from 1 to 65535"},
    {"xyzzy", "1:1: error: expected a key id from 1 to 65535"},
    {"1", "1:2: error: expected a key type, but the line ends here"},
    {"1 SHA1", "1:7: error: expected a secret, but the line ends here"},
    {"1 SHA1 # xyzzy", "1:7: error: expected a secret, but the line ends here"},
    {"1 SHA3 xyzzy",
     "1:3: error: unknown key type; expected MD5, SHA1, SHA256, SHA512 or AES128CMAC"},
    {"1 SHA1 HEX:",
     "1:12: error: expected an even number of hexadecimal digits from 2 to 128, found 0"},
    {"1 SHA1 HEX:abc",
     "1:12: error: expected an even number of hexadecimal digits from 2 to 128, found 3"},
    {"1 SHA1 ASCII:", "1:8: error: expected a secret of 1 to 64 characters, found 0"},
    {"1 SHA1 0123456789abcdefABCDxyzzy",
     "1:28: error: a secret of more than 20 characters is hexadecimal, and this is no hexadecimal "
     "digit (\"ASCII:\" in front makes it text)"},
    {"1 AES128CMAC xyzzy",
     "1:14: error: an AES128CMAC secret has exactly 16 bytes, this one has 5"},
    {"1 AES HEX:000102030405060708090a0b0c0d0e",
     "1:7: error: an AES128CMAC secret has exactly 16 bytes, this one has 15"},
    {"1 SHA1 \"xyzzy\"", "1:8: error: a key file has no quotes; a secret with a quote in front is "
                         "written in hexadecimal"},
    {"1 SHA1 two xyzzy",
     "1:12: error: expected an address or ADDRESS/BITS; a secret has no blanks"},
    {"1 SHA1 a 192.0.2.1,192.0.2.0/33",
     "1:20: error: expected an address or ADDRESS/BITS; a secret has no blanks"},
    {"1 SHA1 a 192.0.2.1,",
     "1:20: error: expected an address or ADDRESS/BITS; a secret has no blanks"},
    {"1 SHA1 a 1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5",
     "1:42: error: a key takes at most 4 addresses"},
    {"1 SHA1 a 192.0.2.1 xyzzy", "1:20: error: nothing is expected after the address list"},
    {"1 SHA1 a\n1 SHA1 b", "2:1: error: key 1 is already on line 1"},
    {"1 SHA1 a\x01", "1:9: error: this is no text file: byte 0x01"},
};

/* Each bad line stands before a good one: a key file is never half used. No complaint repeats a
 * secret, which is "xyzzy" wherever the table has one. */
static void bad_line_spoils_the_file_and_is_said_without_the_secret(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad_lines); i++) {
        char *text = g_strdup_printf("%s\n9 SHA1 good\n", bad_lines[i].line);
        char *expected = g_strdup_printf("ntp.keys:%s\n", bad_lines[i].message);
        struct loaded l = parse(text);
        CHECK(!l.done && l.keys == NULL && l.count == 0);
        CHECK(strstr(expected, "xyzzy") == NULL);
        CHECK_MESSAGES(l.messages, expected);
        g_free(expected);
        g_free(text);
    }
}

static void secret_of_64_bytes_is_the_longest(void)
{
    char *text = g_strnfill(128, 'a');
    char *line = g_strdup_printf("1 SHA512 %s\n", text);
    struct loaded l = parse(line);
    REQUIRE(l.done);
    CHECK(l.keys[0].secret_size == 64 && l.keys[0].secret[63] == 0xaa);
    g_free(l.keys);
    messages_free(l.messages);
    g_free(line);
    line = g_strdup_printf("1 SHA512 %saa\n", text);
    l = parse(line);
    CHECK(!l.done);
    CHECK_MESSAGES(l.messages,
                   "ntp.keys:1:10: error: expected an even number of hexadecimal digits "
                   "from 2 to 128, found 130\n");
    g_free(line);
    g_free(text);
}

static void file_that_others_may_read_is_a_warning(void)
{
    char *folder = g_dir_make_tmp("holdfast-keys-XXXXXX", NULL);
    char *path = g_build_filename(folder, "ntp.keys", NULL);
    CHECK(g_file_set_contents(path, "1 SHA1 a\n", -1, NULL));
    static const struct {
        unsigned mode;
        bool is_warned;
    } modes[] = {{0600, false}, {0640, false}, {0644, true}, {0602, true}};
    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        struct loaded l = {.messages = messages_new()};
        CHECK_INT(g_chmod(path, modes[i].mode), 0);
        CHECK(keys_load(path, NULL, &l.keys, &l.count, l.messages));
        char *expected = g_strdup_printf(
            "%s: warning: others may read or write this file of secrets (mode %04o); "
            "use mode 0600\n",
            path, modes[i].mode);
        CHECK_INT(l.count, 1);
        CHECK_MESSAGES(l.messages, modes[i].is_warned ? expected : "");
        g_free(expected);
        g_free(l.keys);
    }
    g_unlink(path);
    g_rmdir(folder);
    g_free(path);
    g_free(folder);
}

static void unreadable_file_is_an_error(void)
{
    struct loaded l = {.messages = messages_new()};
    CHECK(!keys_load("/nonexistent/ntp.keys", NULL, &l.keys, &l.count, l.messages));
    CHECK(l.keys == NULL && l.count == 0);
    CHECK_MESSAGES(l.messages,
                   "/nonexistent/ntp.keys: error: cannot read it: No such file or directory\n");
}

/* Four columns of good and bad pieces, now and then with a byte overwritten by any other. */
static void random_lines_give_keys_or_an_error(void)
{
    static const char *const pieces[4][5] = {
        {"1 ", "2 ", "65535 ", "0 ", "#"},
        {"SHA1 ", "aes ", "MD5\t", "SHA256 ", "NO "},
        {"secret", "0123456789abcdef", "HEX:0f", "ASCII:x", "\"q\""},
        {"\n", " 10.0.0.1\n", " ::1/8,10.0.0.0/8\n", " #\n", " x\n"}};
    uint64_t state = 3;
    unsigned loads = 0, refusals = 0;
    for (unsigned round = 0; round < 3000; round++) {
        GString *text = g_string_new("");
        for (unsigned n = 4 * (1 + next_random(&state) % 2), i = 0; i < n; i++) {
            g_string_append(text, pieces[i % 4][next_random(&state) % 5]);
        }
        if (next_random(&state) % 4 == 0) {
            gsize at = next_random(&state) % text->len;
            text->str[at] = (char)(1 + next_random(&state) % 255);
        }
        struct loaded l = parse(text->str);
        CHECK(l.done == (l.messages->errors == 0));
        CHECK(l.done || (l.keys == NULL && l.count == 0));
        for (size_t i = 0; i < l.count; i++) {
            CHECK(l.keys[i].secret_size > 0 && l.keys[i].id >= 1 && l.keys[i].id <= 65535);
        }
        loads += l.count > 0;
        refusals += !l.done;
        g_free(l.keys);
        messages_free(l.messages);
        g_string_free(text, TRUE);
    }
    CHECK(loads > 100 && refusals > 1000);
}

const struct test_case keys_tests[] = {
    {"secrets_have_the_bytes_of_their_form", secrets_have_the_bytes_of_their_form},
    {"keys_are_sorted_and_found_by_id", keys_are_sorted_and_found_by_id},
    {"address_lists_are_blocks_without_host_bits", address_lists_are_blocks_without_host_bits},
    {"weak_and_ambiguous_keys_load_with_a_warning", weak_and_ambiguous_keys_load_with_a_warning},
    {"bad_line_spoils_the_file_and_is_said_without_the_secret",
     bad_line_spoils_the_file_and_is_said_without_the_secret},
    {"secret_of_64_bytes_is_the_longest", secret_of_64_bytes_is_the_longest},
    {"file_that_others_may_read_is_a_warning", file_that_others_may_read_is_a_warning},
    {"unreadable_file_is_an_error", unreadable_file_is_an_error},
    {"random_lines_give_keys_or_an_error", random_lines_give_keys_or_an_error},
    {NULL, NULL}};
