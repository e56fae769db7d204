/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Timelines: which heal and which start has nothing to do, and is told of so.
 */
#include "check.h"
#include "scenario_check.h"

/* The nodes a, b and late (from 6h on), and the upstream u.example; a case's lines begin with line
 * 6. */
static const char frame[] = "duration 2d\n"
                            "node a address 10.0.0.1 config a.conf\n"
                            "node b address 10.0.0.2 config a.conf\n"
                            "node late address 10.0.0.3 config a.conf start 6h\n"
                            "upstream u.example\n";

#define HEAL_AT(line) "s:" line ": warning: \"heal\" has no effect: none of these is cut then\n"
#define START_AT(line) "s:" line ": warning: \"start\" has no effect: all of these run then\n"

struct timeline_case {
    const char *lines, *said;
};

static void check_said(const struct timeline_case *cases, size_t count)
{
    char *folder = fixture_new();
    fixture_file(folder, "a.conf", "server u.example\n");
    for (size_t i = 0; i < count; i++) {
        char *said, *text = g_strconcat(frame, cases[i].lines, NULL);
        struct scenario *s = fixture_parse(folder, text, &said);
        CHECK_STR(said, cases[i].said);
        CHECK(s != NULL); /* a warning refuses nothing */
        scenario_free(s);
        g_free(said);
        g_free(text);
    }
    fixture_free(folder);
}

static void a_heal_of_what_is_not_cut_is_told_with_its_place(void)
{
    static const struct timeline_case cases[] = {
        {"at 1h heal a\n", HEAL_AT("6:7")},
        {"at 1h   heal a from b\n", HEAL_AT("6:9")},
        {"at 2h cut a\nat 1h heal a\n", HEAL_AT("7:7")},
        {"at 1h cut a for 1h\nat 2h heal a\n", HEAL_AT("7:7")},
        {"at 1h cut a from u.example\nat 2h heal b\n", HEAL_AT("7:7")},
        {"at 1h cut a from u.example\nat 2h heal a from b\n", HEAL_AT("7:7")},
        {"at 1h cut a\nat 2h heal a\nat 3h heal a\n", HEAL_AT("8:7")},
        {"at 1h cut a from b\nat 2h heal b\nat 3h heal b from a\n", HEAL_AT("8:7")},
        {"at 1h cut a from b\nat 2h heal b from a\nat 3h heal a\n", HEAL_AT("8:7")},
        {"at 1h stop a\nat 2h heal a\n", HEAL_AT("7:7")},
    };
    check_said(cases, G_N_ELEMENTS(cases));
}

static void a_heal_of_anything_that_is_cut_is_not(void)
{
    static const struct timeline_case cases[] = {
        {"at 1h cut a\nat 2h heal a\n", ""},
        {"at 2h heal a\nat 1h cut a\n", ""}, /* times count, and not the order of lines */
        {"at 1h cut a for 2h\nat 2h heal a\n", ""},
        {"at 1h cut a\nat 2h heal b\n", ""}, /* the link between the two */
        {"at 1h cut a from u.example\nat 2h heal a\n", ""},
        {"at 1h cut a from u.example\nat 2h heal u.example\n", ""},
        {"at 1h cut a from u.example\nat 2h heal u.example from a\n", ""},
        {"at 1h cut u.example\nat 2h heal a from u.example\nat 3h heal b\n", ""},
        {"at 1h cut a\nat 2h heal a\nat 3h cut a\nat 4h heal a\n", ""},
        {"at 1h cut a\nat 2h heal a from b\nat 3h heal a\n", ""}, /* there was a part left */
        {"at 1h cut a from b\nat 2h heal a from u.example\nat 3h heal b\n", HEAL_AT("7:7")},
    };
    check_said(cases, G_N_ELEMENTS(cases));
}

static void a_start_of_what_runs_is_told_with_its_place(void)
{
    static const struct timeline_case cases[] = {
        {"at 1h start a\n", START_AT("6:7")},
        {"at 1h start a b\n", START_AT("6:7")},
        {"at 7h start late\n", START_AT("6:7")},
        {"at 1h stop a\nat 2h start b\n", START_AT("7:7")},
        {"at 1h stop a for 1h\nat 2h start a\n", START_AT("7:7")},
        {"at 1h stop a\nat 2h start a\nat 3h start a\n", START_AT("8:7")},
        {"at 1h cut a\nat 2h start a\n", START_AT("7:7")},
    };
    check_said(cases, G_N_ELEMENTS(cases));
}

static void a_start_of_anything_that_is_down_is_not(void)
{
    static const struct timeline_case cases[] = {
        {"at 1h stop a\nat 2h start a\n", ""},
        {"at 1h stop a\nat 2h start a b\n", ""},
        {"at 1h stop a for 2h\nat 2h start a\n", ""},
        {"at 5h start late\n", ""},
        {"at 1h stop a\nat 2h start a\nat 3h stop a\nat 4h start a\n", ""},
    };
    check_said(cases, G_N_ELEMENTS(cases));
}

const struct test_case scenario_timeline_tests[] = {
    {"a_heal_of_what_is_not_cut_is_told_with_its_place",
     a_heal_of_what_is_not_cut_is_told_with_its_place},
    {"a_heal_of_anything_that_is_cut_is_not", a_heal_of_anything_that_is_cut_is_not},
    {"a_start_of_what_runs_is_told_with_its_place", a_start_of_what_runs_is_told_with_its_place},
    {"a_start_of_anything_that_is_down_is_not", a_start_of_anything_that_is_down_is_not},
    {NULL, NULL}};
