/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The list of leap seconds: what it says at a time, and that a damaged one says nothing.
 */
#include "../engine/daemon/leap_file.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../engine/packet.h"
#include "check.h"

/* The last rows of the list of July 2024, with the hash of just these words. */
#define UPDATED "#$\t 3929093563\n"
#define EXPIRES "#@\t3960057600\n"
#define ROWS                                                                                       \
    "3550089600\t35\t# 1 Jul 2012\n"                                                               \
    "3644697600\t36\t# 1 Jul 2015\n"                                                               \
    "3692217600\t37\t# 1 Jan 2017\n"
#define HASH "#h\tef8a90ce e8cac83b 9963fa9f ae94f025 1f6d6e1d\n"

#define LAST_S INT64_C(1483228800) /* 2017-01-01T00:00:00Z */

static bool read_text(const char *text, struct leap_file *list, char **error)
{
    char *path = g_strdup_printf("/tmp/holdfast-leap-%d", (int)getpid());
    CHECK(g_file_set_contents(path, text, -1, NULL));
    bool ok = leap_file_read(path, list, error);
    unlink(path);
    g_free(path);
    return ok;
}

static void a_list_says_what_tai_is_at_a_time(void)
{
    struct leap_file list;
    char *error = NULL;
    CHECK(read_text("# a comment\n" UPDATED EXPIRES ROWS HASH, &list, &error));
    CHECK(error == NULL);
    CHECK_INT(list.count, 3);
    CHECK_INT(list.expires_s, 3960057600 - INT64_C(2208988800));
    CHECK_INT(leap_file_tai(&list, LAST_S + 3600), 37);
    CHECK_INT(leap_file_tai(&list, LAST_S - 3600), 36);
    CHECK_INT(leap_file_tai(&list, INT64_C(1341100800) + 3600), 35);
}

static void next_to_a_leap_second_and_before_the_first_nothing_is_said(void)
{
    struct leap_file list;
    char *error = NULL;
    CHECK(read_text(UPDATED EXPIRES ROWS HASH, &list, &error));
    CHECK_INT(leap_file_tai(&list, 0), 0);
    CHECK_INT(leap_file_tai(&list, LAST_S - 3), 36);
    CHECK_INT(leap_file_tai(&list, LAST_S - 1), 0);
    CHECK_INT(leap_file_tai(&list, LAST_S + 1), 0);
    CHECK_INT(leap_file_tai(&list, LAST_S + 2), 37);
}

static void a_damaged_list_is_refused_and_says_nothing(void)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {UPDATED EXPIRES "3692217600 38 # wrong\n" HASH, "its hash is wrong"},
        {UPDATED EXPIRES ROWS, "it has no hash (#h)"},
        {UPDATED ROWS HASH, "it is no list of leap seconds"},
        {"", "it is no list of leap seconds"},
        {UPDATED EXPIRES "garbage\n", "line 3 is none of a list of leap seconds"},
        {UPDATED EXPIRES "3692217600 37\n3644697600 36\n",
         "line 4 is none of a list of leap seconds"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct leap_file list;
        char *error = NULL;
        CHECK(!read_text(cases[i].text, &list, &error));
        CHECK_STR(error, cases[i].why);
        CHECK_INT(leap_file_tai(&list, LAST_S + 3600), 0);
        g_free(error);
    }
}

static void a_list_hands_on_its_leap_seconds_and_when_it_expires(void)
{
    static const struct leap_file file = {
        .count = 5,
        .rows = {{INT64_C(63072000), 10}, /* the first row begins with none */
                 {INT64_C(78796800), 11},
                 {INT64_C(94694400), 13},  /* by two: none that a clock could make */
                 {INT64_C(126230401), 14}, /* not at midnight */
                 {LAST_S, 13}},
        .expires_s = 12345};
    struct leap_list list = leap_file_leaps(&file);
    CHECK_INT(list.expires_s, 12345);
    CHECK_INT(list.count, 2);
    CHECK_INT(list.leaps[0].at_s, 78796800);
    CHECK_INT(list.leaps[0].kind, LEAP_INSERT);
    CHECK_INT(list.leaps[1].at_s, LAST_S);
    CHECK_INT(list.leaps[1].kind, LEAP_DELETE);
    struct leap_file none = {.count = 0};
    CHECK_INT(leap_file_leaps(&none).count, 0);
    CHECK_INT(leap_file_leaps(&none).expires_s, 0);
}

static void of_a_long_list_the_newest_are_handed_on(void)
{
    struct leap_file file = {.count = LEAP_ROWS_MAX, .expires_s = 1};
    for (unsigned i = 0; i < LEAP_ROWS_MAX; i++) {
        file.rows[i].from_s = 86400 * (int64_t)i;
        file.rows[i].tai_s = (int32_t)i;
    }
    struct leap_list list = leap_file_leaps(&file);
    CHECK_INT(list.count, LEAPS_MAX);
    for (unsigned i = 0; i < LEAPS_MAX; i++) {
        CHECK_INT(list.leaps[i].at_s, 86400 * (LEAP_ROWS_MAX - LEAPS_MAX + (int64_t)i));
    }
    file.count = LEAPS_MAX + 1; /* all of them fit */
    CHECK_INT(leap_file_leaps(&file).count, LEAPS_MAX);
    CHECK_INT(leap_file_leaps(&file).leaps[0].at_s, 86400);
}

static void a_list_that_is_not_there_is_told(void)
{
    struct leap_file list;
    char *error = NULL;
    CHECK(!leap_file_read("/nowhere/leap.list", &list, &error));
    CHECK_STR(error, "No such file or directory");
    g_free(error);
}

const struct test_case leap_file_tests[] = {
    {"a_list_says_what_tai_is_at_a_time", a_list_says_what_tai_is_at_a_time},
    {"next_to_a_leap_second_and_before_the_first_nothing_is_said",
     next_to_a_leap_second_and_before_the_first_nothing_is_said},
    {"a_damaged_list_is_refused_and_says_nothing", a_damaged_list_is_refused_and_says_nothing},
    {"a_list_hands_on_its_leap_seconds_and_when_it_expires",
     a_list_hands_on_its_leap_seconds_and_when_it_expires},
    {"of_a_long_list_the_newest_are_handed_on", of_a_long_list_the_newest_are_handed_on},
    {"a_list_that_is_not_there_is_told", a_list_that_is_not_there_is_told},
    {NULL, NULL}};
