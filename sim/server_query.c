/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The questions behind one look at a running server; see server_query.h.
 */
#include "server_query.h"

#include <errno.h>

#include "option_table.h"

enum { SOURCES_MAX = 512 }; /* a list longer than this is nobody's configuration */

bool server_place_take_port(void *place, const char *text)
{
    struct server_place *out = place;
    guint64 port;
    if (!g_ascii_string_to_unsigned(text, 10, 1, UINT16_MAX, &port, NULL)) {
        return false;
    }
    out->port = (unsigned)port;
    return true;
}

bool server_place_take_host(void *place, const char *word)
{
    struct server_place *out = place;
    if (out->host) {
        return option_table_complain(out->command, "one server at a time: \"%s\" is one too many",
                                     word);
    }
    out->host = word;
    return true;
}

static char *reason(enum control_outcome outcome)
{
    switch (outcome) {
    case CONTROL_REFUSED:
        return g_strdup("nothing listens there (is holdfastd running?)");
    case CONTROL_UNREACHABLE:
        return g_strdup(g_strerror(errno));
    case CONTROL_SILENT:
        return g_strdup("no answer: nothing there, a firewall in between, or queries are not "
                        "allowed (restrict ... noquery or ignore)");
    default:
        return g_strdup("interrupted");
    }
}

static enum control_outcome ask_for_all(struct control_client *client, struct server_report *report,
                                        struct control_answer *answer, char **why)
{
    enum control_outcome outcome = control_client_ask(client, CONTROL_OP_READVAR, 0, "", answer);
    if (outcome == CONTROL_ANSWERED && answer->error) {
        *why = g_strdup_printf("refuses to tell: %s", control_answer_error_text(answer->error));
    } else if (outcome == CONTROL_ANSWERED) {
        server_report_take_system(report, answer);
    } else {
        *why = reason(outcome);
    }
    return outcome;
}

/* Our own variables are told by name only; another server answers that it has none. */
static enum control_outcome ask_for_own(struct control_client *client, struct server_report *report,
                                        struct control_answer *answer, char **why)
{
    enum control_outcome outcome = CONTROL_ANSWERED;
    const char *const *names = server_report_names;
    do {
        outcome = control_client_ask(client, CONTROL_OP_READVAR, 0, *names, answer);
    } while (outcome == CONTROL_ANSWERED && answer->error == CONTROL_UNKNOWN_VARIABLE && *++names);
    if (outcome != CONTROL_ANSWERED) {
        *why = reason(outcome);
    } else if (!answer->error) {
        server_report_take_system(report, answer);
    }
    return outcome;
}

enum control_outcome server_query_system(struct control_client *client,
                                         struct server_report *report, char **why)
{
    struct control_answer *answer = g_new(struct control_answer, 1);
    *why = NULL;
    enum control_outcome outcome = ask_for_all(client, report, answer, why);
    if (!*why && !report->is_holdfast) {
        outcome = ask_for_own(client, report, answer, why);
    }
    g_free(answer);
    return outcome;
}

bool server_query_sources(struct control_client *client, struct server_report *report)
{
    struct control_answer *list = g_new(struct control_answer, 1);
    struct control_answer *answer = g_new(struct control_answer, 1);
    enum control_outcome outcome = control_client_ask(client, CONTROL_OP_READSTAT, 0, "", list);
    uint16_t association, status;
    report->sources_are_complete = outcome == CONTROL_ANSWERED && !list->error;
    for (size_t i = 0; outcome == CONTROL_ANSWERED && i < SOURCES_MAX &&
                       control_answer_association(list, i, &association, &status);
         i++) {
        outcome = control_client_ask(client, CONTROL_OP_READVAR, association, "", answer);
        if (outcome == CONTROL_ANSWERED && !answer->error) {
            server_report_take_source(report, association, status, answer);
        } else if (outcome != CONTROL_ANSWERED) {
            report->sources_are_complete = false;
        } /* else: it is gone since the list was made */
    }
    server_report_finish(report);
    g_free(answer);
    g_free(list);
    return outcome != CONTROL_INTERRUPTED;
}
