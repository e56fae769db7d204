/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Complaints: what is counted, in which order they come, and what of them reaches a terminal.
 */
#include "../engine/config/messages.h"

#include "scenario_check.h"

static void messages_keep_order_and_count(void)
{
    struct messages *messages = messages_new();
    messages_add(messages, SEVERITY_WARNING, "b", 3, 0, "%s", "whole line");
    messages_add(messages, SEVERITY_NOTE, "a", 0, 0, "whole file");
    messages_add(messages, SEVERITY_ERROR, "a", 1, 2, "%d%%", 5);
    CHECK_INT(messages->errors, 1);
    CHECK_INT(messages->warnings, 1);
    CHECK_MESSAGES(messages, "b:3: warning: whole line\na: note: whole file\na:1:2: error: 5%\n");
}

static void sorted_by_file_and_line_what_came_earlier_stays(void)
{
    struct messages *messages = messages_new();
    messages_add(messages, SEVERITY_ERROR, "a", 9, 1, "not touched");
    messages_add(messages, SEVERITY_ERROR, "b", 7, 5, "second");
    messages_add(messages, SEVERITY_NOTE, "a", 2, 1, "own file");
    messages_add(messages, SEVERITY_ERROR, "b", 3, 9, "first");
    messages_add(messages, SEVERITY_NOTE, "b", 7, 1, "after second, as it came");
    messages_add(messages, SEVERITY_ERROR, "b", 0, 0, "whole file");
    messages_sort(messages, 1);
    messages_sort(messages, 6);
    CHECK_MESSAGES(messages, "a:9:1: error: not touched\n"
                             "b: error: whole file\n"
                             "b:3:9: error: first\n"
                             "b:7:5: error: second\n"
                             "b:7:1: note: after second, as it came\n"
                             "a:2:1: note: own file\n");
}

/* Escape sequences, a new line, bytes that are no UTF-8, the C1 control CSI and a blank
 * of no width; letters stay. */
static void nothing_that_steers_a_terminal_is_quoted(void)
{
    struct messages *messages = messages_new();
    messages_add(messages, SEVERITY_ERROR, "x\x1b[2J", 1, 1, "\"%s\"",
                 "a\n\x7f\xff\xc3 \xc2\x9b \xe2\x80\x8b caf\xc3\xa9 \\ \xf0\x9f\x99\x82");
    CHECK_MESSAGES(messages, "x\\x1b[2J:1:1: error: \"a\\x0a\\x7f\\xff\\xc3 \\xc2\\x9b "
                             "\\xe2\\x80\\x8b caf\xc3\xa9 \\ \xf0\x9f\x99\x82\"\n");
}

/* Settings are read before nodes, and nodes before links; who reads the messages reads lines. */
static void messages_of_a_scenario_are_in_the_order_of_lines(void)
{
    char *folder = fixture_new(), *said;
    fixture_file(folder, "bad.conf", "sever a.example\n");
    fixture_file(folder, "good.conf", "server a.example\n");
    CHECK(fixture_parse(folder,
                        "nod x\n"
                        "node x address 10.0.0.1 config bad.conf\n"
                        "seed x\n"
                        "node y address 10.0.0.x config good.conf\n"
                        "epoch never\n"
                        "titel x\n",
                        &said) == NULL);
    char **lines = g_strsplit(said, "\n", -1);
    static const char *const begins[] = {"s: error: there is no \"duration\"",
                                         "s:1:1: error: ",
                                         "s:2:32: note: ",
                                         "s:3:6: error: ",
                                         "s:4:16: error: ",
                                         "s:5:7: error: ",
                                         "s:6:1: error: ",
                                         "F/bad.conf:1:1: error: "};
    CHECK_INT(g_strv_length(lines), G_N_ELEMENTS(begins) + 1);
    for (size_t i = 0; i < G_N_ELEMENTS(begins) && lines[i]; i++) {
        CHECK(g_str_has_prefix(lines[i], begins[i]));
    }
    g_strfreev(lines);
    g_free(said);
    fixture_free(folder);
}

static void scenario_that_is_no_text_is_one_message(void)
{
    char *folder = fixture_new(), *said;
    CHECK(fixture_parse(folder, "noed x\nseed 1 \xff\xfe\nnoed y\n", &said) == NULL);
    CHECK_STR(said, "s:2:8: error: this is no text file: byte 0xff\n");
    g_free(said);
    fixture_free(folder);
}

const struct test_case messages_tests[] = {
    {"messages_keep_order_and_count", messages_keep_order_and_count},
    {"sorted_by_file_and_line_what_came_earlier_stays",
     sorted_by_file_and_line_what_came_earlier_stays},
    {"nothing_that_steers_a_terminal_is_quoted", nothing_that_steers_a_terminal_is_quoted},
    {"messages_of_a_scenario_are_in_the_order_of_lines",
     messages_of_a_scenario_are_in_the_order_of_lines},
    {"scenario_that_is_no_text_is_one_message", scenario_that_is_no_text_is_one_message},
    {NULL, NULL}};
