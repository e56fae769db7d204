/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * logconfig: which records are logged.
 */
#include "../engine/daemon/log_choice.h"

#include "check.h"

static bool wants(log_choice choice, enum trace_kind kind)
{
    struct trace_record record = {.kind = kind};
    return log_choice_wants(choice, &record);
}

static log_choice choose(const char *first, const char *second)
{
    const char *words[] = {first, second};
    return log_choice_read(words, second ? 2 : first ? 1 : 0);
}

static void without_a_line_everything_is_logged(void)
{
    for (int kind = 0; kind < TRACE_KINDS; kind++) {
        CHECK(wants(choose(NULL, NULL), (enum trace_kind)kind));
        CHECK(wants(choose("=all", NULL), (enum trace_kind)kind));
        CHECK(!wants(choose("-all", NULL), (enum trace_kind)kind));
    }
}

static void an_equals_sign_begins_anew(void)
{
    log_choice choice = choose("=syncstatus", "+clockevents");
    for (int kind = 0; kind < TRACE_KINDS; kind++) {
        bool expected = kind == TRACE_STATE || kind == TRACE_STEP || kind == TRACE_CLOCK;
        CHECK_INT(wants(choice, (enum trace_kind)kind), expected);
    }
    choice = choose("=all", "=peer"); /* a class without a kind is all of it */
    CHECK(wants(choice, TRACE_REACH) && wants(choice, TRACE_REJECT) && wants(choice, TRACE_KISS));
    CHECK(!wants(choice, TRACE_STATE));
}

static void a_minus_takes_one_kind_away(void)
{
    log_choice choice = choose("-peerinfo", NULL);
    CHECK(!wants(choice, TRACE_REJECT));
    CHECK(wants(choice, TRACE_REACH) && wants(choice, TRACE_STATE) && wants(choice, TRACE_DENIED));
    CHECK(wants(choose("-sysall", "sysinfo"), TRACE_DENIED)); /* no sign is a plus */
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }

const struct test_case log_choice_tests[] = {CASE(without_a_line_everything_is_logged),
                                             CASE(an_equals_sign_begins_anew),
                                             CASE(a_minus_takes_one_kind_away),
                                             {NULL, NULL}};
