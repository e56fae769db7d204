/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ntp.conf as a whole: defaults, the two files of the time group, the table, includes, bad input.
 */
#include "../engine/config/ntpconf.h"

#include <glib/gstdio.h>

#include "conf_check.h"

static void empty_file_gives_the_defaults(void)
{
    struct ntpconf *conf = CONF("", "");
    const struct engine_config *e = &conf->engine;
    CHECK_INT(e->association_count, 0);
    CHECK_INT(e->keys.count, 0);
    CHECK_INT(e->policy, POLICY_HOLDFAST);
    CHECK(isnan(e->tos.maxdist_s));
    CHECK(e->tos.mindist_s == 0.001);
    CHECK(e->tos.orphanwait_s == 300);
    CHECK(e->tos.holdover_s == 0);
    CHECK_INT(e->tos.minclock, 3);
    CHECK_INT(e->tos.minsane, 1);
    CHECK_INT(e->tos.maxclock, 10);
    CHECK_INT(e->tos.floor, 0);
    CHECK_INT(e->tos.ceiling, 15);
    CHECK_INT(e->tos.orphan, 16);
    CHECK(e->tinker.step_s == 0.128);
    CHECK(e->tinker.stepout_s == 300);
    CHECK(e->tinker.panic_s == 1000);
    CHECK(e->tinker.dispersion == 15e-6);
    CHECK_INT(e->tinker.allan_log2s, 11);
    CHECK(isnan(e->tinker.frequency_ppm));
    CHECK_INT(e->discard.average_log2s, 3);
    CHECK_INT(e->discard.minimum_s, 1);
    CHECK_INT(e->client_capacity, 1024);
    CHECK(!e->restrict_source && !e->allow_large_first_step && !e->disable_discipline);
    CHECK(e->clock.rate_quantum == 1e-6 / 65536);
    CHECK_INT(e->clock.rate_max_q, 65536000);
    CHECK_INT(e->clock.precision, -22);
    CHECK(e->clock.can_steer);
    CHECK(isnan(e->drift_ppm));
    CHECK(!conf->host.driftfile && !conf->host.keys && !conf->host.statsdir);
    CHECK_INT(conf->host.filegen_count, 0);
    CHECK(!conf->keys_are_synthetic);
    ntpconf_free(conf);
}

static void check_group_member(const char *path, const char *peer, const char *const upstreams[2])
{
    struct ntpconf_options options = {
        .locate = conf_refuse_all, .synthetic_keys = true, .synthetic_seed = 1};
    struct messages *messages = messages_new();
    struct ntpconf *conf = ntpconf_load(path, &options, messages);
    char *expected = g_strdup_printf(
        "%s:6:6: note: /etc/ntp.keys is not there: 1 made-up AES128CMAC key stands instead\n"
        "%s:8:1: note: \"requestkey\" has no effect: mode 7 does not exist here\n",
        path, path);
    CHECK_MESSAGES(messages, expected);
    g_free(expected);
    REQUIRE(conf != NULL);
    char text[ADDRESS_TEXT_SIZE];
    const struct association_config *a = conf->engine.associations;
    REQUIRE(conf->engine.association_count == 3);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_INT(a[i].kind, ASSOCIATION_SERVER);
        CHECK_STR(a[i].name, upstreams[i]);
        CHECK(!a[i].is_numeric && a[i].address.family == ADDRESS_NONE);
        CHECK_INT(a[i].minpoll, 6);
        CHECK_INT(a[i].maxpoll, 13);
        CHECK_INT(a[i].version, 4);
        CHECK_INT(a[i].key, 0);
        CHECK_INT(a[i].line, i + 1);
    }
    CHECK_INT(a[2].kind, ASSOCIATION_PEER);
    CHECK(a[2].is_numeric);
    CHECK_STR(address_text(&a[2].address, text), peer);
    CHECK_INT(a[2].maxpoll, 10);
    CHECK_INT(a[2].key, 1);
    REQUIRE(conf->engine.keys.count == 1);
    CHECK(conf->engine.keys.keys[0].is_trusted && conf->keys_are_synthetic);
    const struct restrict_entry *entries = conf->engine.access.entries;
    REQUIRE(conf->engine.access.count == 6);
    CHECK_STR(address_text(&entries[0].address, text), peer);
    CHECK_INT(entries[0].flags, 0);
    CHECK_STR(address_text(&entries[1].address, text), "140.160.0.0");
    CHECK_INT(entries[1].prefix, 16);
    CHECK_INT(entries[1].flags, ACCESS_NOMODIFY | ACCESS_NOPEER);
    CHECK_INT(entries[3].flags, ACCESS_IGNORE);
    CHECK(entries[3].is_default && entries[3].address.family == ADDRESS_V4);
    CHECK(entries[5].is_default && entries[5].flags == ACCESS_IGNORE);
    ntpconf_free(conf);
}

static void two_files_of_the_time_group_load_verbatim_without_a_warning(void)
{
    static const char *const tick[2] = {"0.north-america.pool.ntp.org",
                                        "1.north-america.pool.ntp.org"};
    static const char *const tock[2] = {"2.north-america.pool.ntp.org",
                                        "3.north-america.pool.ntp.org"};
    check_group_member("scenarios/time-group/tick.conf", "140.160.247.31", tick);
    check_group_member("scenarios/time-group/tock.conf", "140.160.11.86", tock);
}

static char *locate_data(void *context, const char *path)
{
    (void)context;
    return g_strdup(strstr(path, "keys") ? "tests/data/none.keys"
                                         : "tests/data/include/plain.conf");
}

static const struct ntpconf_options data_options = {.locate = locate_data, .synthetic_keys = true};

/* The first message about the line whose number is `line`, word 0; NULL when there is none. */
static const struct message *message_at(const struct messages *messages, unsigned line)
{
    for (guint i = 0; i < messages->list->len; i++) {
        const struct message *message = messages->list->pdata[i];
        if (message->line == line && message->column == 1 && strcmp(message->file, "c") == 0) {
            return message;
        }
    }
    return NULL;
}

/* Each row's example loads as the row says: in silence, with a warning at the directive, or not at
 * all. */
static void every_row_of_the_table_does_what_it_says(void)
{
    size_t count;
    const struct directive_help *rows = ntpconf_help(&count);
    CHECK(count >= 50);
    for (size_t i = 0; i < count; i++) {
        const struct directive_help *row = &rows[i];
        struct messages *messages = messages_new();
        struct ntpconf *conf =
            ntpconf_parse("c", row->example, strlen(row->example), &data_options, messages);
        unsigned line = strchr(row->example, '\n') ? 2 : 1;
        const struct message *message = message_at(messages, line);
        char *says = g_strdup_printf(
            "\"%s\" %s: %s", row->name,
            row->support == SUPPORT_ERROR ? "is not supported" : "has no effect", row->help);
        check_report((conf == NULL) == (row->support == SUPPORT_ERROR), row->name, __FILE__,
                     __LINE__);
        if (row->support == SUPPORT_FULL) {
            check_report(message == NULL && row->read != NULL, row->name, __FILE__, __LINE__);
        } else {
            check_text(message ? message->text : NULL, says, row->name, __FILE__, __LINE__);
            check_report(message && (message->severity == SEVERITY_NOTE) == row->is_minor,
                         row->name, __FILE__, __LINE__);
        }
        check_report(row->help[0] && row->arguments[0], row->name, __FILE__, __LINE__);
        g_free(says);
        ntpconf_free(conf);
        messages_free(messages);
    }
}

/* A setting after its directive's example; NULL for one that the example already has. */
static char *setting_line(const struct directive_help *row, const struct setting *setting)
{
    const char *last = strrchr(row->example, '\n');
    char **words = g_strsplit(last ? last + 1 : row->example, " ", -1);
    bool is_there = g_strv_contains((const char *const *)words, setting->name);
    g_strfreev(words);
    if (is_there) {
        return NULL;
    }
    return g_strdup_printf("%s %s%s%s", row->example, setting->name, setting->example ? " " : "",
                           setting->example ? setting->example : "");
}

static void check_setting(const struct directive_help *row, const struct setting *setting)
{
    struct messages *messages = messages_new();
    char *text = setting_line(row, setting);
    struct ntpconf *conf =
        text ? ntpconf_parse("c", text, strlen(text), &data_options, messages) : NULL;
    char *all = all_messages(messages);
    char *without = g_strdup_printf(": warning: \"%s\" has no effect", setting->name);
    char *refused = g_strdup_printf(": error: \"%s\" is not supported", setting->name);
    bool is_without = strstr(all, without) != NULL, is_refused = strstr(all, refused) != NULL;
    if (text) {
        check_report(is_without == (setting->support == SUPPORT_NO_EFFECT), text, __FILE__,
                     __LINE__);
        check_report(is_refused == (setting->support == SUPPORT_ERROR), text, __FILE__, __LINE__);
        /* A key that no file has is an error of its own. */
        check_report(conf || is_refused || strstr(text, " key "), text, __FILE__, __LINE__);
    }
    g_free(refused);
    g_free(without);
    g_free(all);
    g_free(text);
    ntpconf_free(conf);
    messages_free(messages);
}

static void every_setting_of_the_table_does_what_it_says(void)
{
    size_t count;
    unsigned checked = 0;
    const struct directive_help *rows = ntpconf_help(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t s = 0; rows[i].settings && s < rows[i].settings->count; s++) {
            check_setting(&rows[i], &rows[i].settings->table[s]);
            checked++;
        }
    }
    CHECK(checked > 150);
}

static void directives_without_their_words_are_refused(void)
{
    size_t count;
    const struct directive_help *rows = ntpconf_help(&count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].words_min > 0) {
            char *expected =
                g_strdup_printf("c:1:%zu: error: expected %s %s, but the line ends here\n",
                                strlen(rows[i].name) + 1, rows[i].name, rows[i].arguments);
            CHECK_REFUSED(rows[i].name, expected);
            g_free(expected);
        }
    }
    CHECK_REFUSED("driftfile a 1 b", "c:1:15: error: expected driftfile FILE [TOLERANCE], and "
                                     "nothing more\n");
}

static void misspelt_words_are_errors_with_the_nearest_known(void)
{
    CHECK_REFUSED("server a\n  restict default ignore\n",
                  "c:2:3: error: unknown directive \"restict\"; did you mean \"restrict\"?\n");
    CHECK_REFUSED("restrict default ignore nomodfy\n",
                  "c:1:25: error: unknown word \"nomodfy\" after "
                  "\"restrict\"; did you mean \"nomodify\"?\n");
    CHECK_REFUSED("peer a ibrust\n",
                  "c:1:8: error: unknown word \"ibrust\" after \"peer\"; did you "
                  "mean \"iburst\"?\n");
    CHECK_REFUSED("xyzzy\n",
                  "c:1:1: error: unknown directive \"xyzzy\"; \"holdfast help ntp.conf\" "
                  "lists the known\n");
    CHECK_REFUSED("tos xyzzy 1\n", "c:1:5: error: unknown word \"xyzzy\" after \"tos\"; \"holdfast "
                                   "help ntp.conf\" lists the known\n");
    CHECK_REFUSED("filegen lopstats\n",
                  "c:1:9: error: unknown word \"lopstats\" after \"filegen\"; "
                  "did you mean \"loopstats\"?\n");
}

static void every_wrong_line_is_said_in_one_load(void)
{
    CHECK_REFUSED("bogus\nserver a minpoll 2\nserver b minpoll\nserver c maxpoll six\nserver d\n",
                  "c:1:1: error: unknown directive \"bogus\"; \"holdfast help ntp.conf\" lists the "
                  "known\n"
                  "c:2:18: error: expected a whole number from 3 to 17, not \"2\"\n"
                  "c:3:17: error: expected a whole number from 3 to 17, but the line ends here\n"
                  "c:4:18: error: expected a whole number from 3 to 17, not \"six\"\n");
}

static void second_line_of_a_single_directive_replaces_the_first_with_a_warning(void)
{
    struct ntpconf *conf =
        CONF("driftfile a\ndriftfile b\n", "c:2:1: warning: this line replaces c:1\n");
    CHECK_STR(conf->host.driftfile, "b");
    ntpconf_free(conf);
}

static struct ntpconf *load(const char *path, const struct ntpconf_options *options,
                            const char *expected)
{
    struct messages *messages = messages_new();
    struct ntpconf *conf = ntpconf_load(path, options, messages);
    CHECK_MESSAGES(messages, expected);
    return conf;
}

/* A checkout decides who may read the key file of the fixture, so the warning about it may be there
 * or not. */
static struct ntpconf *load_main(const struct ntpconf_options *options)
{
    static const char keys[] = "tests/data/include/sub/sub.keys";
    GStatBuf status = {.st_mode = 0};
    CHECK_INT(g_stat(keys, &status), 0);
    GString *expected = g_string_new(
        "tests/data/include/sub/sub.conf:3:1: warning: \"pidfile\" has "
        "no effect: the service manager knows the process; \"holdfastd -p FILE\" writes one\n");
    if (status.st_mode & 06) {
        g_string_append_printf(expected,
                               "%s: warning: others may read or write this file of secrets (mode "
                               "%04o); use mode 0600\n",
                               keys, (unsigned)status.st_mode & 07777u);
    }
    struct ntpconf *conf = load("tests/data/include/main.conf", options, expected->str);
    g_string_free(expected, TRUE);
    return conf;
}

static void includes_and_keys_are_relative_to_the_file_that_names_them(void)
{
    struct ntpconf *conf = load_main(NULL);
    CHECK(conf != NULL);
    if (conf) {
        CHECK_INT(conf->engine.association_count, 3);
        CHECK_STR(conf->engine.associations[0].name, "before.example");
        CHECK_STR(conf->engine.associations[1].name, "sub.example");
        CHECK_STR(conf->engine.associations[2].name, "after.example");
        CHECK_INT(conf->engine.associations[1].line, 2);
        CHECK_STR(conf->host.keys, "sub.keys");
        CHECK_INT(conf->engine.keys.count, 2);
        CHECK(conf->engine.keys.keys[0].is_trusted && !conf->engine.keys.keys[1].is_trusted);
        CHECK(!conf->keys_are_synthetic);
    }
    ntpconf_free(conf);
}

static char *note_path(void *context, const char *path)
{
    GString *asked = context;
    g_string_append_printf(asked, "%s;", path);
    return g_build_filename("tests/data/include", path, NULL);
}

static void locate_is_asked_for_every_path_with_the_folders_as_written(void)
{
    GString *asked = g_string_new("");
    struct ntpconf_options options = {.locate = note_path, .context = asked};
    struct ntpconf *conf = load_main(&options);
    CHECK(conf != NULL);
    CHECK_STR(asked->str, "sub/sub.conf;sub/sub.keys;");
    ntpconf_free(conf);
    g_string_free(asked, TRUE);
}

static void refused_paths_are_errors(void)
{
    CHECK_REFUSED("includefile /etc/x\n",
                  "c:1:13: error: /etc/x is outside of the files that may be read\n");
    struct ntpconf_options options = {.locate = conf_refuse_all};
    struct messages *messages = messages_new();
    CHECK(ntpconf_parse("c", "keys /etc/k\n", 12, &options, messages) == NULL);
    CHECK_MESSAGES(messages, "c:1:6: error: /etc/k is outside of the files that may be read\n");
}

static void loop_of_includes_is_an_error_at_the_line_that_closes_it(void)
{
    CHECK(load("tests/data/include/loop-a.conf", NULL,
               "tests/data/include/loop-c.conf:3:15: error: this file includes itself: "
               "tests/data/include/loop-a.conf -> tests/data/include/loop-b.conf -> "
               "tests/data/include/loop-c.conf -> tests/data/include/loop-a.conf\n") == NULL);
    CHECK(load("tests/data/include/self.conf", NULL,
               "tests/data/include/self.conf:1:13: error: this file includes itself: "
               "tests/data/include/self.conf -> tests/data/include/self.conf\n") == NULL);
}

static void same_file_twice_in_a_row_is_no_loop(void)
{
    struct ntpconf *conf = load("tests/data/include/twice.conf", NULL, "");
    CHECK(conf != NULL);
    ntpconf_free(conf);
}

/* A chain of `depth` files, each including the next, then `fan` lines that include the last. */
static struct ntpconf *load_chain(const char *folder, unsigned depth, unsigned fan,
                                  struct messages *messages)
{
    for (unsigned i = 0; i <= depth; i++) {
        char *path = g_strdup_printf("%s/%u.conf", folder, i);
        GString *text = g_string_new("");
        if (i < depth) {
            g_string_append_printf(text, "includefile %u.conf\n", i + 1);
        }
        for (unsigned line = 0; i == 0 && line < fan; line++) {
            g_string_append_printf(text, "includefile %u.conf\n", depth);
        }
        CHECK(g_file_set_contents(path, text->str, -1, NULL));
        g_string_free(text, TRUE);
        g_free(path);
    }
    char *first = g_strdup_printf("%s/0.conf", folder);
    struct ntpconf *conf = ntpconf_load(first, NULL, messages);
    g_free(first);
    for (unsigned i = 0; i <= depth; i++) {
        char *path = g_strdup_printf("%s/%u.conf", folder, i);
        g_unlink(path);
        g_free(path);
    }
    return conf;
}

static void check_chain(unsigned depth, unsigned fan, const char *error)
{
    char *folder = g_dir_make_tmp("holdfast-chain-XXXXXX", NULL);
    struct messages *messages = messages_new();
    struct ntpconf *conf = load_chain(folder, depth, fan, messages);
    char *expected = error ? g_strdup_printf("%s%s\n", folder, error) : g_strdup("");
    CHECK((conf == NULL) == (error != NULL));
    CHECK_MESSAGES(messages, expected);
    ntpconf_free(conf);
    g_rmdir(folder);
    g_free(expected);
    g_free(folder);
}

static void includes_are_bounded_in_depth_and_number(void)
{
    check_chain(8, 0, NULL);
    check_chain(9, 0, "/8.conf:1:13: error: files include each other more than 8 deep");
    check_chain(1, 254, NULL);
    check_chain(1, 255, "/0.conf:256:13: error: a configuration has at most 256 files");
}

static void unreadable_files_are_errors(void)
{
    CHECK(load("tests/data/no-such.conf", NULL,
               "tests/data/no-such.conf: error: cannot read it: No such file or directory\n") ==
          NULL);
    CHECK(load("tests/data/include/missing.conf", NULL,
               "tests/data/include/missing.conf:2:13: error: cannot read "
               "tests/data/include/gone.conf: No such file or directory\n") == NULL);
    CHECK(load("tests/data", NULL, "tests/data: error: cannot read it: not a regular file\n") ==
          NULL);
}

static void earlier_errors_of_the_same_messages_do_not_spoil_a_load(void)
{
    struct messages *messages = messages_new();
    messages_add(messages, SEVERITY_ERROR, "other", 1, 1, "elsewhere");
    struct ntpconf *conf = ntpconf_parse("c", "server a", 8, NULL, messages);
    CHECK(conf != NULL);
    ntpconf_free(conf);
    messages_free(messages);
}

/* Examples of the table with bytes changed, words swapped in and lines joined: a configuration or
 * an error, never both and never neither. */
static void random_changes_give_a_configuration_or_an_error(void)
{
    static const char *const words[] = {
        " mask ",      " -6 ",        "\n",       " 255.0.255.0 ",
        " key 1 ",     "\"",          " default", " 99999999999999999999 ",
        " (1 ... 5) ", "127.127.1.0", " nan ",    "\x01"};
    size_t count;
    uint64_t state = 7;
    unsigned loads = 0, refusals = 0;
    const struct directive_help *rows = ntpconf_help(&count);
    for (unsigned round = 0; round < 3000; round++) {
        GString *text = g_string_new("");
        for (unsigned n = next_random(&state) % 4; n > 0; n--) {
            g_string_append_printf(text, "%s\n", rows[next_random(&state) % count].example);
        }
        for (unsigned n = next_random(&state) % 3; n > 0; n--) {
            gssize at = (gssize)(next_random(&state) % (text->len + 1));
            g_string_insert(text, at, words[next_random(&state) % G_N_ELEMENTS(words)]);
        }
        if (text->len > 0 && next_random(&state) % 2 == 0) {
            gsize at = next_random(&state) % text->len;
            text->str[at] = (char)next_random(&state);
        }
        struct messages *messages = messages_new();
        struct ntpconf *conf = ntpconf_parse("c", text->str, text->len, &data_options, messages);
        CHECK((conf == NULL) == (messages->errors > 0));
        loads += conf != NULL;
        refusals += conf == NULL;
        ntpconf_free(conf);
        messages_free(messages);
        g_string_free(text, TRUE);
    }
    CHECK(loads > 300 && refusals > 300);
}

static void random_bytes_are_never_a_configuration_unless_empty(void)
{
    uint64_t state = 9;
    for (unsigned round = 0; round < 500; round++) {
        char bytes[200];
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = (char)next_random(&state);
        }
        bytes[0] = 'x';
        struct messages *messages = messages_new();
        struct ntpconf *conf = ntpconf_parse("c", bytes, sizeof bytes, NULL, messages);
        CHECK(conf == NULL && messages->errors > 0);
        messages_free(messages);
    }
}

const struct test_case ntpconf_tests[] = {
    {"empty_file_gives_the_defaults", empty_file_gives_the_defaults},
    {"two_files_of_the_time_group_load_verbatim_without_a_warning",
     two_files_of_the_time_group_load_verbatim_without_a_warning},
    {"every_row_of_the_table_does_what_it_says", every_row_of_the_table_does_what_it_says},
    {"every_setting_of_the_table_does_what_it_says", every_setting_of_the_table_does_what_it_says},
    {"directives_without_their_words_are_refused", directives_without_their_words_are_refused},
    {"misspelt_words_are_errors_with_the_nearest_known",
     misspelt_words_are_errors_with_the_nearest_known},
    {"every_wrong_line_is_said_in_one_load", every_wrong_line_is_said_in_one_load},
    {"second_line_of_a_single_directive_replaces_the_first_with_a_warning",
     second_line_of_a_single_directive_replaces_the_first_with_a_warning},
    {"includes_and_keys_are_relative_to_the_file_that_names_them",
     includes_and_keys_are_relative_to_the_file_that_names_them},
    {"locate_is_asked_for_every_path_with_the_folders_as_written",
     locate_is_asked_for_every_path_with_the_folders_as_written},
    {"refused_paths_are_errors", refused_paths_are_errors},
    {"loop_of_includes_is_an_error_at_the_line_that_closes_it",
     loop_of_includes_is_an_error_at_the_line_that_closes_it},
    {"same_file_twice_in_a_row_is_no_loop", same_file_twice_in_a_row_is_no_loop},
    {"includes_are_bounded_in_depth_and_number", includes_are_bounded_in_depth_and_number},
    {"unreadable_files_are_errors", unreadable_files_are_errors},
    {"earlier_errors_of_the_same_messages_do_not_spoil_a_load",
     earlier_errors_of_the_same_messages_do_not_spoil_a_load},
    {"random_changes_give_a_configuration_or_an_error",
     random_changes_give_a_configuration_or_an_error},
    {"random_bytes_are_never_a_configuration_unless_empty",
     random_bytes_are_never_a_configuration_unless_empty},
    {NULL, NULL}};
