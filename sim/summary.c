/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * summary.json: the run for programs. Keys are stable; new ones may come, none goes.
 */
#include <math.h>

#include "json.h"
#include "platform.h"
#include "report_state.h"

static const char *const kind_names[] = {"host", "client", "upstream"};
static const char *const subject_names[] = {"hosts", "clients", "spread_of_clients"};

static void put_node(struct json *json, const struct report *r, uint32_t index)
{
    char address[ADDRESS_TEXT_SIZE];
    const struct scenario_node *node = &r->scenario->nodes[index];
    const struct history_node *h = &r->history.nodes[index];
    const struct node_worst *worst = &r->worst[index];
    json_open(json, NULL, '{');
    json_text(json, "name", node->name);
    json_text(json, "kind", kind_names[node->kind]);
    json_text(json, "address", address_text(&node->address, address));
    json_text(json, "clock", node->clock_name);
    json_number(json, "worst_error_s", fabs(worst->error_s));
    json_number(json, "worst_error_at_s", worst->at_s);
    if (node->kind != NODE_UPSTREAM) {
        json_text(json, "state", history_standing_name(h->standing));
        json_integer(json, "steps", h->steps);
        json_integer(json, "leader_changes", h->leader_changes);
        json_open(json, "lasted_s", '{');
        for (unsigned i = 0; i < HISTORY_STANDINGS; i++) {
            json_number(json, history_standing_name(i), h->lasted_s[i]);
        }
        json_close(json, '}');
    }
    json_close(json, '}');
}

static void put_timeline(struct json *json, const struct report *r)
{
    json_open(json, "timeline", '[');
    for (unsigned i = 0; i < r->history.events->len; i++) {
        const struct history_event *event =
            &g_array_index(r->history.events, struct history_event, i);
        json_open(json, NULL, '{');
        json_number(json, "time_s", event->time_s);
        if (!isnan(event->until_s)) {
            json_number(json, "until_s", event->until_s);
        }
        json_text(json, "text", event->text);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void put_expectations(struct json *json, const struct report_end *end)
{
    json_open(json, "expectations", '[');
    for (size_t i = 0; i < end->count; i++) {
        const struct verdict *verdict = &end->verdicts[i];
        json_open(json, NULL, '{');
        json_text(json, "text", verdict->expectation->text);
        if (verdict->is_judged) {
            json_bool(json, "passed", verdict->passed);
        } else {
            json_null(json, "passed");
        }
        json_text(json, "seen", verdict->seen);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void put_periods(struct json *json, const struct report *r)
{
    json_open(json, "periods", '[');
    for (size_t i = 0; i < r->period_count; i++) {
        const struct period *period = &r->periods[i];
        json_open(json, NULL, '{');
        json_text(json, "name", period->name);
        json_number(json, "from_s", period->from_s);
        json_number(json, "until_s", period->until_s);
        for (unsigned j = 0; j < PERIOD_SUBJECTS; j++) {
            json_open(json, subject_names[j], '{');
            json_unsigned(json, "looks", period->sizes[j].count);
            json_number(json, "median_s", period_quantile(&period->sizes[j], 0.5));
            json_number(json, "most_s", period_quantile(&period->sizes[j], 0.95));
            json_number(json, "worst_s", period->sizes[j].worst);
            json_close(json, '}');
        }
        json_close(json, '}');
    }
    json_close(json, ']');
}

char *summary_text(struct report *r, const struct report_end *end)
{
    struct json json = json_begin();
    struct world_counts counts = world_counts(r->world);
    char *platform = platform_text();
    json_text(&json, "title", r->scenario->title);
    json_text(&json, "scenario", r->scenario->path);
    json_unsigned(&json, "seed", end->seed);
    json_text(&json, "digest", end->digest);
    json_text(&json, "platform", platform);
    json_number(&json, "simulated_s", sim_s(world_now(r->world)));
    json_number(&json, "grid_s", r->grid_s);
    json_number(&json, "wall_s", end->wall_s);
    json_unsigned(&json, "events", counts.events);
    json_unsigned(&json, "packets", counts.sent);
    json_unsigned(&json, "delivered", counts.delivered);
    json_unsigned(&json, "lost", counts.lost);
    json_open(&json, "nodes", '[');
    for (uint32_t i = 0; i < r->scenario->node_count; i++) {
        if (report_looks_at(r, i)) {
            put_node(&json, r, i);
        }
    }
    json_close(&json, ']');
    put_timeline(&json, r);
    put_periods(&json, r);
    put_expectations(&json, end);
    g_free(platform);
    return json_end(&json);
}
