/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a running server stands, in words and as JSON; see server_report.h.
 */
#include "server_report.h"

#include <math.h>

#include "../engine/engine.h"
#include "json.h"
#include "quantity.h"

static const struct {
    char tally; /* as ntpq prints it */
    const char *name;
} selections[] = {
    [SELECT_REJECT] = {' ', "reject"},           [SELECT_FALSETICK] = {'x', "falseticker"},
    [SELECT_EXCESS] = {'.', "excess"},           [SELECT_OUTLIER] = {'-', "outlier"},
    [SELECT_CANDIDATE] = {'+', "candidate"},     [SELECT_BACKUP] = {'#', "backup"},
    [SELECT_SYSTEM_PEER] = {'*', "system-peer"}, [SELECT_PPS] = {'o', "pps"}};

static const char *leap_text(int leap)
{
    static const char *const texts[] = {"none", "insert", "delete", "unknown"};
    return leap >= 0 && leap < (int)G_N_ELEMENTS(texts) ? texts[leap] : NULL;
}

static const struct source_report *leader_of(const struct server_report *report)
{
    for (guint i = 0; i < report->sources->len; i++) {
        const struct source_report *source =
            &g_array_index(report->sources, struct source_report, i);
        if (source->selection == SELECT_SYSTEM_PEER || source->selection == SELECT_PPS) {
            return source;
        }
    }
    return NULL;
}

/* ", stratum 3": nothing when it is unknown. */
static void add_stratum(GString *out, int stratum)
{
    if (stratum >= 0) {
        g_string_append_printf(out, ", stratum %d", stratum);
    }
}

static void add_source_line(GString *out, const struct server_report *report)
{
    const struct source_report *leader = leader_of(report);
    g_string_append_printf(out, "  source     %s", report->source[0] ? report->source : "none");
    if (leader && report->source[0]) {
        add_stratum(out, leader->stratum);
        if (leader->reach >= 0) {
            g_string_append_printf(out, ", reach %o", (unsigned)leader->reach);
        }
    }
    g_string_append_c(out, '\n');
}

static void add_offset_line(GString *out, const struct server_report *report)
{
    char text[QUANTITY_TEXT_SIZE];
    bool claims = !isnan(report->bound_s);
    if (report->offset_s > 0 || report->offset_s < 0 || (claims && !isnan(report->offset_s))) {
        const char *side = report->offset_s > 0   ? " (its clock is behind)"
                           : report->offset_s < 0 ? " (its clock is ahead)"
                                                  : "";
        g_string_append_printf(out, "  offset     %s%s\n", quantity_seconds(report->offset_s, text),
                               side);
    }
}

static void add_claim_lines(GString *out, const struct server_report *report)
{
    char text[QUANTITY_TEXT_SIZE];
    if (isnan(report->bound_s)) {
        g_string_append(out, "  bound      none: it does not claim to know the time\n");
    } else {
        g_string_append_printf(out, "  bound      %s: it claims to be no further off\n",
                               quantity_seconds(report->bound_s, text));
    }
    if (report->lasts_s > 0) {
        g_string_append_printf(out,
                               "  lasts      %s until clients reject it, if nothing answers it "
                               "from now on\n",
                               quantity_span(report->lasts_s, text));
    } else if (report->is_holdfast) {
        g_string_append(out, "  lasts      not at all: clients reject it now\n");
    }
}

/* "-" when it is unknown. */
static const char *seconds_text(double seconds, char text[QUANTITY_TEXT_SIZE])
{
    return isnan(seconds) ? "-" : quantity_seconds(seconds, text);
}

/* Narrow enough that a line keeps within 80 columns. */
static void add_source(GString *out, const struct source_report *source)
{
    char offset[QUANTITY_TEXT_SIZE], delay[QUANTITY_TEXT_SIZE], jitter[QUANTITY_TEXT_SIZE];
    char stratum[QUANTITY_TEXT_SIZE] = "-", reach[QUANTITY_TEXT_SIZE] = "-";
    const char *name = source_report_name(source);
    char tally = selections[source->selection].tally;
    if (source->is_unresolved) {
        g_string_append_printf(out, "  %c %-25s not resolved\n", tally, name ? name : "-");
        return;
    }
    if (source->stratum >= 0) {
        g_snprintf(stratum, sizeof stratum, "%d", source->stratum);
    }
    if (source->reach >= 0) {
        g_snprintf(reach, sizeof reach, "%o", (unsigned)source->reach);
    }
    g_string_append_printf(out, "  %c %-25s %7s %5s %10s %10s %10s\n", tally, name ? name : "-",
                           stratum, reach, seconds_text(source->offset_s, offset),
                           seconds_text(source->delay_s, delay),
                           seconds_text(source->jitter_s, jitter));
}

static void add_sources(GString *out, const struct server_report *report)
{
    if (report->sources->len > 0) {
        g_string_append_printf(out, "    %-25s %7s %5s %10s %10s %10s\n", "sources", "stratum",
                               "reach", "offset", "delay", "jitter");
    }
    for (guint i = 0; i < report->sources->len; i++) {
        add_source(out, &g_array_index(report->sources, struct source_report, i));
    }
}

char *server_report_text(const struct server_report *report, const char *name)
{
    GString *out = g_string_new(NULL);
    g_string_append_printf(out, "%s: %s", name, report->state);
    add_stratum(out, report->stratum);
    if (report->leap == LEAP_INSERT || report->leap == LEAP_DELETE) {
        g_string_append_printf(out, ", leap second announced (%s)", leap_text(report->leap));
    }
    g_string_append_printf(out, ", %s\n", report->version[0] ? report->version : "unknown version");
    add_source_line(out, report);
    add_offset_line(out, report);
    add_claim_lines(out, report);
    if (!isnan(report->drift_ppm)) {
        g_string_append_printf(out, "  frequency  %+.3f ppm\n", report->drift_ppm);
    } else {
        g_string_append(out, "  frequency  not measured yet\n");
    }
    GPtrArray *problems = server_report_problems(report);
    for (guint i = 0; i < problems->len; i++) {
        g_string_append_printf(out, "  problem    %s\n", (const char *)problems->pdata[i]);
    }
    g_ptr_array_free(problems, TRUE);
    add_sources(out, report);
    return g_string_free(out, FALSE);
}

static const char *text_or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static void add_integer(struct json *json, const char *name, int value)
{
    if (value >= 0) {
        json_integer(json, name, value);
    } else {
        json_null(json, name);
    }
}

static void add_source_object(struct json *json, const struct source_report *source)
{
    json_open(json, NULL, '{');
    json_text(json, "address", text_or_null(source->address));
    json_text(json, "host", text_or_null(source->host));
    json_bool(json, "is_resolved", !source->is_unresolved);
    json_integer(json, "association", source->association);
    json_text(json, "selection", selections[source->selection].name);
    add_integer(json, "reach", source->reach);
    add_integer(json, "stratum", source->stratum);
    add_integer(json, "poll_log2s", source->poll_log2s);
    json_number(json, "offset_s", source->offset_s);
    json_number(json, "delay_s", source->delay_s);
    json_number(json, "dispersion_s", source->dispersion_s);
    json_number(json, "jitter_s", source->jitter_s);
    json_close(json, '}');
}

static void add_lists(struct json *json, const struct server_report *report)
{
    json_open(json, "sources", '[');
    for (guint i = 0; i < report->sources->len; i++) {
        add_source_object(json, &g_array_index(report->sources, struct source_report, i));
    }
    json_close(json, ']');
    json_bool(json, "sources_are_complete", report->sources_are_complete);
    GPtrArray *problems = server_report_problems(report);
    json_open(json, "problems", '[');
    for (guint i = 0; i < problems->len; i++) {
        json_text(json, NULL, problems->pdata[i]);
    }
    json_close(json, ']');
    g_ptr_array_free(problems, TRUE);
}

char *server_report_json(const struct server_report *report, const char *name)
{
    struct json json = json_begin();
    json_text(&json, "server", name);
    json_text(&json, "version", text_or_null(report->version));
    json_bool(&json, "is_holdfast", report->is_holdfast);
    json_text(&json, "state", report->state);
    json_text(&json, "source", text_or_null(report->source));
    add_integer(&json, "stratum", report->stratum);
    json_text(&json, "leap", leap_text(report->leap));
    json_number(&json, "offset_s", report->offset_s);
    json_number(&json, "residual_s", report->residual_s);
    json_number(&json, "bound_s", report->bound_s);
    json_number(&json, "lasts_s", report->lasts_s);
    json_number(&json, "drift_ppm", report->drift_ppm);
    if (report->may_steer >= 0) {
        json_bool(&json, "may_steer", report->may_steer != 0);
    } else {
        json_null(&json, "may_steer");
    }
    json_text(&json, "steering", text_or_null(report->steering));
    json_number(&json, "refused_commands", report->refused);
    json_text(&json, "policy", text_or_null(report->policy));
    add_lists(&json, report);
    return json_end(&json);
}
