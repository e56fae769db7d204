/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets that cannot be sent: what the log says of a source, and how often.
 */
#include "../engine/daemon/send_failures.h"

#include <errno.h>

#include "state_files_check.h"
#include "wire.h"

/* Two engines: of the second source the second one knows nothing. */
struct bench {
    struct desk desk;
    struct wire *w;
    const struct engine *engine, *other;
    struct endpoint first, second;
    struct send_failures failures;
};

static struct bench bench_open(void)
{
    struct bench b = {.desk = desk_open(), .w = wire_new()};
    b.first = (struct endpoint){wire_address(192, 0, 2, 1), NTP_PORT};
    b.second = (struct endpoint){wire_address(192, 0, 2, 2), NTP_PORT};
    for (uint8_t i = 0; i < 2; i++) {
        struct wire_node *node = wire_add_node(b.w, wire_address(10, 0, 0, i));
        wire_add_line(node, ASSOCIATION_SERVER, b.first.address)->name = "192.0.2.1";
        if (i == 0) {
            wire_add_line(node, ASSOCIATION_PEER, b.second.address)->name = "192.0.2.2";
        }
        wire_start(node);
    }
    b.engine = b.w->nodes[0].engine;
    b.other = b.w->nodes[1].engine;
    return b;
}

static void bench_close(struct bench *b)
{
    wire_free(b->w);
    desk_close(&b->desk);
}

static void note(struct bench *b, const struct endpoint *peer, int cause, int times)
{
    for (int i = 0; i < times; i++) {
        send_failures_note(&b->failures, b->engine, peer, cause, b->desk.log);
    }
}

static void failure_is_told_when_it_begins_and_when_it_is_over(void)
{
    struct bench b = bench_open();
    note(&b, &b.first, 0, 3);
    CHECK_LOGGED(&b.desk, "");
    note(&b, &b.first, ENETUNREACH, 1);
    /* Lines of others between them: what keeps it quiet is not that the log repeats no line. */
    log_line(b.desk.log, LOG_LEVEL_NOTICE, "something else");
    note(&b, &b.first, ENETUNREACH, 20);
    note(&b, &b.first, 0, 5);
    note(&b, &b.first, ENETUNREACH, 1);
    CHECK_LOGGED(&b.desk, "warning: cannot send to 192.0.2.1: Network is unreachable; it is tried "
                          "again at each poll\n"
                          "something else\n"
                          "can send to 192.0.2.1 again\n"
                          "warning: cannot send to 192.0.2.1: Network is unreachable; it is tried "
                          "again at each poll\n");
    bench_close(&b);
}

static void another_cause_is_news(void)
{
    struct bench b = bench_open();
    note(&b, &b.first, ENETUNREACH, 2);
    note(&b, &b.first, EPERM, 2);
    note(&b, &b.first, 0, 2);
    CHECK_LOGGED(&b.desk, "warning: cannot send to 192.0.2.1: Network is unreachable; it is tried "
                          "again at each poll\n"
                          "warning: cannot send to 192.0.2.1: Operation not permitted; it is tried "
                          "again at each poll\n"
                          "can send to 192.0.2.1 again\n");
    bench_close(&b);
}

static void each_source_has_a_failure_of_its_own(void)
{
    struct bench b = bench_open();
    note(&b, &b.first, EHOSTUNREACH, 1);
    note(&b, &b.second, EHOSTUNREACH, 1);
    note(&b, &b.first, 0, 1);
    note(&b, &b.second, EHOSTUNREACH, 1);
    note(&b, &b.second, 0, 1);
    CHECK_INT(b.failures.count, 0);
    CHECK_LOGGED(&b.desk, "warning: cannot send to 192.0.2.1: No route to host; it is tried again "
                          "at each poll\n"
                          "warning: cannot send to 192.0.2.2: No route to host; it is tried again "
                          "at each poll\n"
                          "can send to 192.0.2.1 again\n"
                          "can send to 192.0.2.2 again\n");
    bench_close(&b);
}

static void source_that_was_gone_meanwhile_is_told_again(void)
{
    struct bench b = bench_open();
    note(&b, &b.second, ENETUNREACH, 1);
    send_failures_note(&b.failures, b.other, &b.first, ENETUNREACH, b.desk.log);
    CHECK_INT(b.failures.count, 1);
    note(&b, &b.second, ENETUNREACH, 1);
    CHECK_INT(b.failures.count, 2);
    char *logged = desk_logged(&b.desk);
    char **lines = g_strsplit(logged, "\n", -1);
    CHECK_INT(g_strv_length(lines), 4);
    CHECK(g_str_has_prefix(lines[2], "warning: cannot send to 192.0.2.2: "));
    g_strfreev(lines);
    g_free(logged);
    bench_close(&b);
}

static void source_that_left_by_one_reload_is_told_again_after_another(void)
{
    struct bench b = bench_open();
    note(&b, &b.first, ENETUNREACH, 1);
    note(&b, &b.second, ENETUNREACH, 1);
    send_failures_forget(&b.failures, b.other);
    CHECK_INT(b.failures.count, 1);
    log_line(b.desk.log, LOG_LEVEL_NOTICE, "loaded anew, twice");
    note(&b, &b.first, ENETUNREACH, 1); /* stayed: nothing new */
    note(&b, &b.second, ENETUNREACH, 1);
    CHECK_LOGGED(&b.desk, "warning: cannot send to 192.0.2.1: Network is unreachable; it is tried "
                          "again at each poll\n"
                          "warning: cannot send to 192.0.2.2: Network is unreachable; it is tried "
                          "again at each poll\n"
                          "loaded anew, twice\n"
                          "warning: cannot send to 192.0.2.2: Network is unreachable; it is tried "
                          "again at each poll\n");
    bench_close(&b);
}

static void strangers_are_not_remembered_and_limited_together(void)
{
    struct bench b = bench_open();
    for (int i = 0; i < 3 * LOG_OFTEN_LINES; i++) {
        const struct endpoint stranger = {wire_address(198, 51, 100, (uint8_t)i), NTP_PORT};
        note(&b, &stranger, EPERM, 1);
    }
    /* Who asks from another port of a source's address is a stranger too. */
    const struct endpoint client = {b.first.address, 40000};
    note(&b, &client, EPERM, 1);
    CHECK_INT(b.failures.count, 0);
    char *logged = desk_logged(&b.desk);
    char **lines = g_strsplit(logged, "\n", -1);
    CHECK_INT(g_strv_length(lines), LOG_OFTEN_LINES + 1);
    CHECK_STR(lines[0], "warning: cannot send to 198.51.100.0: Operation not permitted");
    g_strfreev(lines);
    g_free(logged);
    bench_close(&b);
}

const struct test_case send_failures_tests[] = {
    {"failure_is_told_when_it_begins_and_when_it_is_over",
     failure_is_told_when_it_begins_and_when_it_is_over},
    {"another_cause_is_news", another_cause_is_news},
    {"each_source_has_a_failure_of_its_own", each_source_has_a_failure_of_its_own},
    {"source_that_was_gone_meanwhile_is_told_again", source_that_was_gone_meanwhile_is_told_again},
    {"source_that_left_by_one_reload_is_told_again_after_another",
     source_that_left_by_one_reload_is_told_again_after_another},
    {"strangers_are_not_remembered_and_limited_together",
     strangers_are_not_remembered_and_limited_together},
    {NULL, NULL}};
