/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * keys, trustedkey, requestkey and controlkey lines, and who uses which key.
 */
#include <glib/gstdio.h>

#include "conf_check.h"

/* A configuration beside a key file that nobody else may read. */
static struct ntpconf *load_with_keys(const char *keys, const char *text, const char *expected)
{
    char *folder = g_dir_make_tmp("holdfast-conf-XXXXXX", NULL);
    char *path = g_build_filename(folder, "ntp.keys", NULL);
    char *conf_path = g_build_filename(folder, "ntp.conf", NULL);
    CHECK(g_file_set_contents(path, keys, -1, NULL));
    CHECK_INT(g_chmod(path, 0600), 0);
    struct messages *messages = messages_new();
    struct ntpconf *conf = ntpconf_parse(conf_path, text, strlen(text), NULL, messages);
    char *all = all_messages(messages);
    GString *without_folder = g_string_new(all);
    char *prefix = g_strdup_printf("%s/", folder);
    g_string_replace(without_folder, prefix, "", 0);
    CHECK_STR(without_folder->str, expected);
    CHECK((conf == NULL) == (messages->errors > 0));
    messages_free(messages);
    g_string_free(without_folder, TRUE);
    g_unlink(path);
    g_rmdir(folder);
    g_free(prefix);
    g_free(all);
    g_free(conf_path);
    g_free(path);
    g_free(folder);
    return conf;
}

static void keys_may_be_named_after_their_use_and_trust_is_noted(void)
{
    struct ntpconf *conf =
        load_with_keys("1 SHA1 one\n2 SHA1 two\n3 SHA1 three\n",
                       "peer 192.0.2.1 key 3\ntrustedkey 1 3\nkeys ntp.keys\n", "");
    CHECK(conf != NULL);
    if (conf) {
        CHECK_INT(conf->engine.keys.count, 3);
        CHECK(key_find(&conf->engine.keys, 1)->is_trusted);
        CHECK(!key_find(&conf->engine.keys, 2)->is_trusted);
        CHECK(key_find(&conf->engine.keys, 3)->is_trusted);
        CHECK_INT(key_find(&conf->engine.keys, 3)->secret_size, 5);
        CHECK_STR(conf->host.keys, "ntp.keys");
        CHECK_INT(conf->engine.associations[0].key, 3);
    }
    ntpconf_free(conf);
}

static void key_that_cannot_work_is_refused(void)
{
    CHECK_REFUSED("server a key 1\ntrustedkey 1\n",
                  "c:1:14: error: key 1 is nowhere: no \"keys\" line names a file\n"
                  "c:2:12: warning: key 1 is trusted but not in any file\n");
    CHECK(load_with_keys("1 SHA1 a\n", "keys ntp.keys\ntrustedkey 1\nserver -4 a minpoll 5 key 2\n",
                         "ntp.conf:3:27: error: key 2 is not in ntp.keys\n") == NULL);
    CHECK(load_with_keys("1 SHA1 a\n", "keys ntp.keys\nserver a key 1\n",
                         "ntp.conf:2:14: error: key 1 is not trusted; add \"trustedkey 1\"\n") ==
          NULL);
    CHECK(load_with_keys("1 SHA1\n", "keys ntp.keys\n",
                         "ntp.keys:1:7: error: expected a secret, but the line ends here\n") ==
          NULL);
    CHECK(load_with_keys("", "keys other.keys\n",
                         "ntp.conf:1:6: error: cannot read other.keys: No such file or "
                         "directory\n") == NULL);
}

static void key_whose_addresses_leave_out_the_source_is_a_warning(void)
{
    ntpconf_free(
        load_with_keys("1 SHA1 a 198.51.100.0/24\n2 SHA1 b 192.0.2.0/24\n",
                       "keys ntp.keys\ntrustedkey 1 2\npeer 192.0.2.1 key 1\n"
                       "peer 192.0.2.2 key 2\n",
                       "ntp.conf:3:20: warning: the address list of key 1 in ntp.keys does "
                       "not name 192.0.2.1\n"));
}

static void trusted_key_that_is_not_there_is_a_warning_unless_in_a_range(void)
{
    struct ntpconf *conf = load_with_keys("1 SHA1 a\n5 SHA1 e\n6 SHA1 f\n",
                                          "keys ntp.keys\ntrustedkey 1 2 (3 ... 5)\n",
                                          "ntp.conf:2:14: warning: key 2 is trusted but not in "
                                          "ntp.keys\n");
    CHECK(conf && key_find(&conf->engine.keys, 5)->is_trusted);
    CHECK(conf && !key_find(&conf->engine.keys, 6)->is_trusted);
    ntpconf_free(conf);
}

/* The ids that are trusted, by the made-up keys that they get. */
static char *trusted_ids(const char *line)
{
    struct ntpconf_options options = {.locate = conf_refuse_all, .synthetic_keys = true};
    char *text = g_strdup_printf("%s\nkeys k\n", line);
    struct messages *messages = messages_new();
    struct ntpconf *conf = ntpconf_parse("c", text, strlen(text), &options, messages);
    GString *out = g_string_new(conf ? "" : "refused");
    for (size_t i = 0; conf && i < conf->engine.keys.count; i++) {
        CHECK(conf->engine.keys.keys[i].is_trusted);
        g_string_append_printf(out, "%u ", (unsigned)conf->engine.keys.keys[i].id);
    }
    ntpconf_free(conf);
    messages_free(messages);
    g_free(text);
    return g_string_free(out, FALSE);
}

static void trusted_ranges_may_have_blanks_anywhere(void)
{
    static const char *const lines[][2] = {
        {"trustedkey 3", "3 "},
        {"trustedkey 1 (3 ... 5) 9", "1 3 4 5 9 "},
        {"trustedkey (3...5)", "3 4 5 "},
        {"trustedkey ( 3 ... 5 ) (7...7)", "3 4 5 7 "},
        {"trustedkey 65535 1", "1 65535 "},
        {"trustedkey 1(3...4)6", "1 3 4 6 "},
        {"trustedkey 2\ntrustedkey 1", "1 2 "},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        char *ids = trusted_ids(lines[i][0]);
        check_text(ids, lines[i][1], lines[i][0], __FILE__, __LINE__);
        g_free(ids);
    }
}

static void wrong_trusted_lists_are_refused_at_the_column(void)
{
    static const struct {
        const char *line, *message;
    } bad[] = {
        {"trustedkey 0",
         "12: error: expected a key id from 1 to 65535 or a range such as (1 ... 5), "
         "not \"0\""},
        {"trustedkey 65536",
         "12: error: expected a key id from 1 to 65535 or a range such as (1 ... "
         "5), not \"65536\""},
        {"trustedkey 99999999999999999999",
         "12: error: expected a key id from 1 to 65535 or a range such as (1 ... 5), not "
         "\"99999999999999999999\""},
        {"trustedkey 1 x",
         "14: error: expected a key id from 1 to 65535 or a range such as (1 ... 5), "
         "not \"x\""},
        {"trustedkey 1x", "13: error: expected a blank after the key id, not \"x\""},
        {"trustedkey (5 ... 1)", "19: error: expected the larger id of the range, not \"1)\""},
        {"trustedkey (1 5)", "15: error: expected \"...\", not \"5)\""},
        {"trustedkey (1 ... 5", "20: error: expected \")\", but the line ends here"},
        {"trustedkey (1 ...",
         "18: error: expected a key id from 1 to 65535 or a range such as (1 ... "
         "5), but the line ends here"},
        {"trustedkey 1 ... 5",
         "14: error: expected a key id from 1 to 65535 or a range such as (1 ... "
         "5), not \"...\""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        char *expected = g_strdup_printf("c:1:%s\n", bad[i].message);
        CHECK_REFUSED(bad[i].line, expected);
        g_free(expected);
    }
}

static void made_up_keys_depend_on_seed_and_id_alone(void)
{
    /* SHA-256 of "holdfast synthetic key", seed 1 in eight bytes, id 7 in four: computed by
     * sha256sum. */
    static const uint8_t secret[16] = {0x68, 0xee, 0xf9, 0x2c, 0x90, 0x74, 0xe3, 0xda,
                                       0x94, 0xba, 0xbb, 0x41, 0x26, 0x69, 0xe0, 0x55};
    struct ntpconf *conf =
        CONF("server a key 7\ntrustedkey 7\nkeys /etc/ntp.keys\n",
             "c:3:6: note: /etc/ntp.keys is not there: 1 made-up AES128CMAC key stands instead\n");
    struct ntpconf *more =
        CONF("trustedkey (6 ... 8)\nkeys x\n",
             "c:2:6: note: x is not there: 3 made-up AES128CMAC keys stand instead\n");
    struct ntpconf_options options = {
        .locate = conf_refuse_all, .synthetic_keys = true, .synthetic_seed = 2};
    struct messages *messages = messages_new();
    struct ntpconf *other = ntpconf_parse("c", "trustedkey 7\nkeys x\n", 20, &options, messages);
    messages_free(messages);
    CHECK(conf->keys_are_synthetic);
    CHECK_INT(conf->engine.keys.count, 1);
    const struct key *key = key_find(&conf->engine.keys, 7);
    REQUIRE(key && other && more->engine.keys.count == 3 && other->engine.keys.count == 1);
    CHECK_INT(key->type, KEY_AES128CMAC);
    CHECK_INT(key->secret_size, 16);
    CHECK(memcmp(key->secret, secret, 16) == 0);
    CHECK(memcmp(key_find(&more->engine.keys, 7)->secret, secret, 16) == 0);
    CHECK(memcmp(key_find(&more->engine.keys, 6)->secret, secret, 16) != 0);
    CHECK(memcmp(key_find(&other->engine.keys, 7)->secret, secret, 16) != 0);
    ntpconf_free(conf);
    ntpconf_free(more);
    ntpconf_free(other);
}

static void made_up_keys_do_not_hide_what_the_file_leaves_out(void)
{
    CHECK_REFUSED("server a key 7\nkeys k\n",
                  "c:1:14: error: key 7 is not trusted; add \"trustedkey 7\"\n"
                  "c:2:6: note: k is not there: 1 made-up AES128CMAC key stands instead\n");
}

static void request_and_control_keys_are_named_as_useless(void)
{
    ntpconf_free(CONF("requestkey 1\ncontrolkey 2\n",
                      "c:1:1: note: \"requestkey\" has no effect: mode 7 does not exist here\n"
                      "c:2:1: warning: \"controlkey\" has no effect: nothing can be changed over "
                      "the network\n"));
    CHECK_REFUSED("requestkey x\n",
                  "c:1:1: note: \"requestkey\" has no effect: mode 7 does not exist here\n"
                  "c:1:12: error: expected a whole number from 1 to 65535, not \"x\"\n");
}

static void key_file_of_the_command_line_stands_for_the_one_written(void)
{
    char *folder = g_dir_make_tmp("holdfast-conf-XXXXXX", NULL);
    char *path = g_build_filename(folder, "other.keys", NULL);
    struct ntpconf_options options = {.keys = path};
    static const char text[] = "keys /nowhere/ntp.keys\ntrustedkey 5\npeer 192.0.2.1 key 5\n";
    CHECK(g_file_set_contents(path, "5 SHA1 five\n", -1, NULL));
    CHECK_INT(g_chmod(path, 0600), 0);
    for (const char *from = text; from; from = from == text ? strstr(text, "trusted") : NULL) {
        struct messages *messages = messages_new();
        struct ntpconf *conf = ntpconf_parse("c", from, strlen(from), &options, messages);
        CHECK(conf != NULL);
        CHECK_INT(messages->list->len, 0);
        if (conf) {
            CHECK_STR(conf->host.keys, path);
            CHECK_INT(conf->engine.keys.count, 1);
            CHECK(key_find(&conf->engine.keys, 5)->is_trusted);
        }
        ntpconf_free(conf);
        messages_free(messages);
    }
    g_unlink(path);
    g_rmdir(folder);
    g_free(path);
    g_free(folder);
}

const struct test_case key_line_tests[] = {
    {"keys_may_be_named_after_their_use_and_trust_is_noted",
     keys_may_be_named_after_their_use_and_trust_is_noted},
    {"key_that_cannot_work_is_refused", key_that_cannot_work_is_refused},
    {"key_whose_addresses_leave_out_the_source_is_a_warning",
     key_whose_addresses_leave_out_the_source_is_a_warning},
    {"trusted_key_that_is_not_there_is_a_warning_unless_in_a_range",
     trusted_key_that_is_not_there_is_a_warning_unless_in_a_range},
    {"trusted_ranges_may_have_blanks_anywhere", trusted_ranges_may_have_blanks_anywhere},
    {"wrong_trusted_lists_are_refused_at_the_column",
     wrong_trusted_lists_are_refused_at_the_column},
    {"made_up_keys_depend_on_seed_and_id_alone", made_up_keys_depend_on_seed_and_id_alone},
    {"made_up_keys_do_not_hide_what_the_file_leaves_out",
     made_up_keys_do_not_hide_what_the_file_leaves_out},
    {"request_and_control_keys_are_named_as_useless",
     request_and_control_keys_are_named_as_useless},
    {"key_file_of_the_command_line_stands_for_the_one_written",
     key_file_of_the_command_line_stands_for_the_one_written},
    {NULL, NULL}};
