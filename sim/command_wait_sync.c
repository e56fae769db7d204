/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `holdfast wait-sync`: returns once a running server is synchronised and claims a bound that is
 * small enough, for whatever must not start before. Changes nothing there.
 */
#include <glib.h>
#include <math.h>
#include <stdio.h>

#include "../engine/address.h"
#include "../engine/config/lexer.h"
#include "option_table.h"
#include "quantity.h"
#include "server_query.h"

enum { TIMEOUT_MAX_S = 7 * 86400, STEP_US = 50000 };

struct wait_sync_options {
    struct server_place place; /* first: see server_query.h */
    double max_error_s, timeout_s;
};

const char *command_wait_sync_help(void)
{
    return "  wait-sync [ADDRESS] [OPTION]...\n"
           "                       wait until a running holdfastd is synchronised and its claimed "
           "bound\n"
           "                       is small; exit status 1 when it is not in time;\n"
           "                       " SERVER_PLACE_HELP "\n"
           "      --max-error T    the bound that will do; default 100ms\n"
           "      --timeout T      give up after this time; a bare number is seconds; default "
           "60s,\n"
           "                       0 looks once\n"
           "      --port N         its UDP port; default 123\n";
}

static bool take_max_error(void *out, const char *value)
{
    struct wait_sync_options *options = out;
    return parse_duration(value, &options->max_error_s) && options->max_error_s > 0;
}

static bool take_timeout(void *out, const char *value)
{
    struct wait_sync_options *options = out;
    double seconds;
    if (!parse_number(value, &seconds) && !parse_duration(value, &seconds)) {
        return false;
    }
    options->timeout_s = seconds;
    return seconds >= 0 && seconds <= TIMEOUT_MAX_S;
}

static const struct option options_known[] = {
    {"--max-error", "a time such as 100ms", take_max_error},
    {"--timeout", "seconds, or a time such as 5min, up to 7d", take_timeout},
    {"--port", "a number from 1 to 65535", server_place_take_port}};

static const struct option_table table = {"wait-sync", options_known, G_N_ELEMENTS(options_known),
                                          server_place_take_host};

static double now_s(void)
{
    return (double)g_get_monotonic_time() * 1e-6;
}

/* Asks once, for at most limit_s. What was seen goes to *seen; g_free() it. */
static bool look(const struct command_line *line, const struct wait_sync_options *options,
                 double limit_s, char **seen)
{
    struct control_client client;
    struct server_report report;
    g_free(*seen);
    *seen = NULL;
    if (!control_client_open(&client, options->place.host, options->place.port,
                             lrint(limit_s * 1e3), line->is_interrupted, seen)) {
        return false;
    }
    server_report_init(&report);
    char *why;
    server_query_system(&client, &report, &why);
    bool met = !why && server_report_meets(&report, options->max_error_s);
    char *text = why ? why : server_report_line(&report);
    *seen = g_strdup_printf("%s: %s", client.name, text);
    g_free(text);
    server_report_clear(&report);
    control_client_close(&client);
    return met;
}

/* Until end_s, in pieces, so that ^C is noticed. */
static void sleep_until(const struct command_line *line, double end_s)
{
    while (!line->is_interrupted() && now_s() < end_s) {
        g_usleep(STEP_US);
    }
}

enum exit_status command_wait_sync(const struct command_line *line)
{
    struct wait_sync_options options = {
        .place = {"wait-sync", NULL, NTP_PORT}, .max_error_s = 0.1, .timeout_s = 60};
    char *seen = NULL, bound[QUANTITY_TEXT_SIZE];
    if (!option_table_read(&table, line, &options)) {
        return STATUS_USAGE;
    }
    double end_s = now_s() + options.timeout_s;
    bool met = false;
    do {
        double start_s = now_s();
        /* The last look may run a second over, so that even a timeout of 0 is a look. */
        met = look(line, &options, fmin(3, fmax(end_s - start_s, 1)), &seen);
        if (!met) {
            sleep_until(line, fmin(start_s + 1, end_s));
        }
    } while (!met && !line->is_interrupted() && now_s() < end_s);
    enum exit_status status = STATUS_ALL_RIGHT;
    if (met) {
        printf("%s\n", seen);
    } else if (line->is_interrupted()) {
        status = STATUS_INTERRUPTED;
    } else {
        status = STATUS_FAILED;
        option_table_complain(
            "wait-sync", "not synchronised to within %s after %g s; last seen: %s",
            quantity_seconds(options.max_error_s, bound), options.timeout_s, seen);
    }
    g_free(seen);
    return status;
}
