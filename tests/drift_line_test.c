/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The driftfile line of configurations in any state.
 */
#include "../engine/daemon/drift_line.h"

#include <glib/gstdio.h>

#include "messages_check.h"

/* What is found with these two files in a folder, a.conf being the one that is asked for; the
 * folder's name is cut out of the messages. */
static char *find_in(const char *a, const char *b, char **said)
{
    char *folder = g_dir_make_tmp("holdfast-drift-line-XXXXXX", NULL);
    char *first = g_build_filename(folder, "a.conf", NULL);
    char *second = g_build_filename(folder, "b.conf", NULL);
    struct messages *messages = messages_new();
    CHECK(!a || g_file_set_contents(first, a, -1, NULL));
    CHECK(!b || g_file_set_contents(second, b, -1, NULL));
    char *found = drift_line_find(first, messages);
    char *all = all_messages(messages);
    char **parts = g_strsplit(all, folder, -1);
    *said = g_strjoinv("", parts);
    g_strfreev(parts);
    g_free(all);
    messages_free(messages);
    g_unlink(first);
    g_unlink(second);
    g_rmdir(folder);
    g_free(first);
    g_free(second);
    g_free(folder);
    return found;
}

static void check_found(const char *a, const char *b, const char *path, const char *messages)
{
    char *said;
    char *found = find_in(a, b, &said);
    CHECK_STR(found ? found : "(none)", path);
    CHECK_STR(said, messages);
    g_free(found);
    g_free(said);
}

static void the_last_line_counts_wherever_it_stands(void)
{
    check_found("driftfile x\nserver ::1\ndriftfile /y 2\n", NULL, "/y", "");
    check_found("driftfile x\nincludefile b.conf\n", "driftfile y\n", "y", "");
    check_found("includefile b.conf\ndriftfile x\n", "driftfile y\n", "x", "");
    check_found("server ::1\n", NULL, "(none)", "");
}

static void errors_and_keys_do_not_stand_in_the_way(void)
{
    check_found("restrct x\nkeys none\ndriftfile\ndriftfile x\ntrustedkey 0\n", NULL, "x", "");
    check_found("server \"::1\ndriftfile x\n", NULL, "x",
                "/a.conf:1:8: error: this quote does not end on its line\n");
}

static void what_cannot_be_read_is_told(void)
{
    check_found(NULL, NULL, "(none)",
                "/a.conf: error: cannot read it: No such file or directory\n");
    check_found("includefile b.conf\ndriftfile x\n", NULL, "x",
                "/a.conf:1:13: error: cannot read /b.conf: No such file or directory\n");
}

static void files_that_include_each_other_come_to_an_end(void)
{
    char *said;
    char *found = find_in("driftfile x\nincludefile b.conf\nincludefile b.conf\n",
                          "includefile a.conf\nincludefile a.conf\n", &said);
    char **lines = g_strsplit(said, "\n", -1);
    CHECK_STR(found, "x");
    CHECK(strstr(said, "too many files include each other") != NULL);
    CHECK(g_strv_length(lines) < 300);
    g_strfreev(lines);
    g_free(found);
    g_free(said);
}

const struct test_case drift_line_tests[] = {
    {"the_last_line_counts_wherever_it_stands", the_last_line_counts_wherever_it_stands},
    {"errors_and_keys_do_not_stand_in_the_way", errors_and_keys_do_not_stand_in_the_way},
    {"what_cannot_be_read_is_told", what_cannot_be_read_is_told},
    {"files_that_include_each_other_come_to_an_end", files_that_include_each_other_come_to_an_end},
    {NULL, NULL}};
