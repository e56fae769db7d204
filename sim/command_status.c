/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `holdfast status`: one look at a running server, over the network as ntpq does it. Changes
 * nothing there.
 */
#include <glib.h>
#include <stdio.h>

#include "../engine/address.h"
#include "option_table.h"
#include "server_query.h"

enum { LIMIT_MS = 15000 }; /* of all questions together; most are over in one */

struct status_options {
    struct server_place place; /* first: see server_query.h */
    bool json;
};

const char *command_status_help(void)
{
    return "  status [ADDRESS] [OPTION]...\n"
           "                       how a running holdfastd stands: state, source, offset, claimed "
           "bound,\n"
           "                       how long clients will accept it if nothing answers it from now "
           "on;\n"
           "                       " SERVER_PLACE_HELP "\n"
           "      --json           the same for programs\n"
           "      --port N         its UDP port; default 123\n";
}

static bool take_json(void *out, const char *value)
{
    struct status_options *options = out;
    (void)value;
    options->json = true;
    return true;
}

static const struct option options_known[] = {
    {"--json", NULL, take_json}, {"--port", "a number from 1 to 65535", server_place_take_port}};

static const struct option_table table = {"status", options_known, G_N_ELEMENTS(options_known),
                                          server_place_take_host};

static enum exit_status fail(const char *name, const char *text)
{
    option_table_complain("status", "%s: %s", name, text);
    return STATUS_FAILED;
}

static enum exit_status show(const struct status_options *options,
                             const struct control_client *client,
                             const struct server_report *report)
{
    char *text = options->json ? server_report_json(report, client->name)
                               : server_report_text(report, client->name);
    fputs(text, stdout);
    g_free(text);
    if (report->is_holdfast) {
        return STATUS_ALL_RIGHT;
    }
    return fail(client->name, "no holdfastd, but something that answers as ntpd does: how long "
                              "clients will accept it is not known");
}

static enum exit_status look(const struct status_options *options, struct control_client *client,
                             struct server_report *report)
{
    char *why;
    enum control_outcome outcome = server_query_system(client, report, &why);
    enum exit_status status;
    if (outcome == CONTROL_SILENT && control_client_tells_time(client)) {
        status = fail(client->name, "serves time, but does not answer queries: restrict ... "
                                    "noquery there, or a server without mode 6, such as chronyd");
    } else if (why && outcome != CONTROL_INTERRUPTED) {
        status = fail(client->name, why);
    } else if (outcome == CONTROL_INTERRUPTED || !server_query_sources(client, report)) {
        status = STATUS_INTERRUPTED;
    } else {
        status = show(options, client, report);
    }
    g_free(why);
    return status;
}

enum exit_status command_status(const struct command_line *line)
{
    struct status_options options = {.place = {"status", NULL, NTP_PORT}};
    struct control_client client;
    struct server_report report;
    char *why;
    if (!option_table_read(&table, line, &options)) {
        return STATUS_USAGE;
    }
    if (!control_client_open(&client, options.place.host, options.place.port, LIMIT_MS,
                             line->is_interrupted, &why)) {
        option_table_complain("status", "%s", why);
        g_free(why);
        return STATUS_FAILED;
    }
    server_report_init(&report);
    enum exit_status status = look(&options, &client, &report);
    server_report_clear(&report);
    control_client_close(&client);
    return status;
}
