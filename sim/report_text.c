/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report.txt: what an operator wants to know, on one screen or two, at most 100 columns.
 *
 * The same run gives the same text byte for byte: no wall time, no path but those given.
 */
#include <math.h>
#include <string.h>

#include "platform.h"
#include "quantity.h"
#include "report_state.h"

static const char *const kind_words[] = {"server", "client", "upstream"};

enum { COLUMNS = 98, TIMELINE_LINES = 22, ASSUMED_MAX = 8 };

static const char *plural(size_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

static void put_head(GString *out, const struct report *r, const struct report_end *end)
{
    char span[QUANTITY_TEXT_SIZE];
    const struct scenario *s = r->scenario;
    const size_t counts[] = {s->host_count, s->client_count, s->upstream_count};
    struct world_counts seen = world_counts(r->world);
    g_string_append_printf(out, "%s\n", s->title);
    g_string_append_printf(out, "%s, seed %" G_GUINT64_FORMAT ", %s of simulated time\n", s->path,
                           end->seed, quantity_span(sim_s(world_now(r->world)), span));
    for (unsigned kind = NODE_HOST; kind <= NODE_UPSTREAM; kind++) {
        g_string_append_printf(out, "%zu %s%s%s", counts[kind], kind_words[kind],
                               plural(counts[kind], "", "s"), kind == NODE_UPSTREAM ? "; " : ", ");
    }
    g_string_append_printf(out,
                           "%" G_GUINT64_FORMAT " events, %" G_GUINT64_FORMAT
                           " packets, %" G_GUINT64_FORMAT " lost\n",
                           seen.events, seen.sent, seen.lost);
}

/* ---- what was assumed ---- */

/* Nodes of each kind that have the clock of node `like`, as "tick tock, 20 clients". */
static char *users_of_clock(const struct scenario *s, uint32_t like)
{
    GString *names = g_string_new(NULL);
    size_t counts[3] = {0, 0, 0};
    for (uint32_t i = 0; i < s->node_count; i++) {
        if (strcmp(s->nodes[i].clock_name, s->nodes[like].clock_name) != 0) {
            continue;
        }
        counts[s->nodes[i].kind]++;
        if (s->nodes[i].kind == NODE_HOST && counts[NODE_HOST] <= 6) {
            g_string_append_printf(names, "%s%s", names->len > 0 ? " " : "", s->nodes[i].name);
        }
    }
    if (counts[NODE_HOST] > 6) {
        g_string_printf(names, "%zu servers", counts[NODE_HOST]);
    }
    for (unsigned kind = NODE_CLIENT; kind <= NODE_UPSTREAM; kind++) {
        if (counts[kind] > 0) {
            g_string_append_printf(names, "%s%zu %s%s", names->len > 0 ? ", " : "", counts[kind],
                                   kind_words[kind], plural(counts[kind], "", "s"));
        }
    }
    return g_string_free(names, FALSE);
}

static void put_clocks(GString *out, const struct scenario *s)
{
    const char *seen[ASSUMED_MAX];
    size_t count = 0;
    for (uint32_t i = 0; i < s->node_count && count < ASSUMED_MAX; i++) {
        bool is_new = true;
        for (size_t j = 0; j < count; j++) {
            is_new = is_new && strcmp(seen[j], s->nodes[i].clock_name) != 0;
        }
        if (is_new) {
            char *users = users_of_clock(s, i);
            g_string_append_printf(out, "  clock %-12s %s\n", s->nodes[i].clock_name, users);
            g_free(users);
            seen[count++] = s->nodes[i].clock_name;
        }
    }
}

/* A set in few words: the names of its servers, or how many; how many of the rest. */
static void put_set(GString *out, const struct scenario *s, const struct node_set *set)
{
    size_t counts[3] = {0, 0, 0};
    const char *gap = "";
    if (set->count == s->node_count) {
        g_string_append(out, "all");
        return;
    }
    for (size_t i = 0; i < set->count; i++) {
        counts[s->nodes[set->nodes[i]].kind]++;
    }
    for (size_t i = 0; i < counts[NODE_HOST] && counts[NODE_HOST] <= 4; i++) {
        g_string_append_printf(out, "%s%s", gap, s->nodes[set->nodes[i]].name);
        gap = " ";
    }
    for (unsigned kind = counts[NODE_HOST] > 4 ? NODE_HOST : NODE_CLIENT; kind <= NODE_UPSTREAM;
         kind++) {
        if (counts[kind] > 0) {
            g_string_append_printf(out, "%s%zu %s%s", *gap ? ", " : "", counts[kind],
                                   kind_words[kind], plural(counts[kind], "", "s"));
            gap = " ";
        }
    }
}

static void put_links(GString *out, const struct scenario *s)
{
    for (size_t i = 0; i < s->rule_count && i < ASSUMED_MAX; i++) {
        const struct link_rule *rule = &s->rules[i];
        g_string_append_printf(out, "  link  %-12s %s ", rule->name,
                               rule->b.count > 0 ? "between" : "among");
        put_set(out, s, &rule->a);
        if (rule->b.count > 0) {
            g_string_append(out, " and ");
            put_set(out, s, &rule->b);
        }
        g_string_append_c(out, '\n');
    }
    g_string_append_printf(out, "  link  %-12s any other pair\n", "lan");
}

static void put_notes(GString *out, const struct report *r)
{
    const struct scenario *s = r->scenario;
    GString *made_up = g_string_new(NULL);
    for (size_t i = 0; i < s->host_count; i++) {
        if (s->nodes[i].conf->keys_are_synthetic) {
            g_string_append_printf(made_up, " %s", s->nodes[i].name);
        }
    }
    if (made_up->len > 0) {
        g_string_append_printf(
            out, "  keys               made up, because there is no key file:%s\n", made_up->str);
    }
    if (r->stride > 1) {
        g_string_append_printf(out, "  clients            one in %u is measured\n", r->stride);
    }
    g_string_free(made_up, TRUE);
}

/* ---- what happened ---- */

/* The least weight of which the timeline has no room: what is that important, and more, is
 * shown. */
static unsigned weight_with_room(const struct history *h)
{
    size_t count = 0;
    for (unsigned weight = 0; weight < WEIGHTS; weight++) {
        for (unsigned i = 0; i < h->events->len; i++) {
            count += g_array_index(h->events, struct history_event, i).weight == weight;
        }
        if (count > TIMELINE_LINES) {
            return MAX(weight, WEIGHT_STEP);
        }
    }
    return WEIGHTS;
}

static void put_event(GString *out, const struct history_event *event)
{
    char when[QUANTITY_TEXT_SIZE];
    g_string_append_printf(out, "  %12s  %.*s\n", quantity_clock(event->time_s, when), COLUMNS - 16,
                           event->text);
}

static void put_timeline(GString *out, const struct report *r)
{
    const GArray *events = r->history.events;
    unsigned limit = weight_with_room(&r->history), shown = 0, left = 0;
    unsigned total = 0;
    for (unsigned i = 0; i < events->len; i++) {
        total += g_array_index(events, struct history_event, i).weight < limit;
    }
    g_string_append(out, "\nWhat happened\n");
    for (unsigned i = 0; i < events->len; i++) {
        const struct history_event *event = &g_array_index(events, struct history_event, i);
        if (event->weight >= limit) {
            left++;
            continue;
        }
        bool is_shown = shown < TIMELINE_LINES / 2 || shown + TIMELINE_LINES / 2 >= total;
        if (is_shown) {
            put_event(out, event);
        } else if (shown == TIMELINE_LINES / 2) {
            g_string_append_printf(out, "  %12s  %u more\n", "...",
                                   total - 2 * (TIMELINE_LINES / 2));
        }
        shown++;
    }
    if (left > 0) {
        g_string_append_printf(out, "  %12s  and %u steps or changes of leader: see summary.json\n",
                               "", left);
    }
}

static void put_hosts(GString *out, const struct report *r)
{
    static const unsigned columns[] = {STATE_SYNCHRONISED, STATE_HOLDOVER, STATE_UNSYNCHRONISED};
    char text[QUANTITY_TEXT_SIZE];
    if (r->scenario->host_count == 0) {
        return;
    }
    g_string_append_printf(out, "\n%-14s %14s %14s %15s %6s %8s %12s\n", "Servers", "synchronised",
                           "holdover", "unsynchronised", "steps", "changes", "worst error");
    for (size_t i = 0; i < r->scenario->host_count && i < 12; i++) {
        const struct history_node *h = &r->history.nodes[i];
        g_string_append_printf(out, "  %-12.12s", r->scenario->nodes[i].name);
        for (unsigned j = 0; j < G_N_ELEMENTS(columns); j++) {
            double lasted = h->lasted_s[columns[j]];
            g_string_append_printf(out, " %*s", j == 2 ? 15 : 14,
                                   lasted > 0 ? quantity_span(lasted, text) : "-");
        }
        g_string_append_printf(out, " %6u %8u %12s\n", h->steps, h->leader_changes,
                               quantity_seconds(fabs(r->worst[i].error_s), text));
    }
}

/* "all 2 stayed synchronised", or when the first and the last stopped. */
static void put_loss(GString *out, const struct report *r, const struct history_outage *outage,
                     enum node_kind kind)
{
    char first[QUANTITY_TEXT_SIZE], last[QUANTITY_TEXT_SIZE];
    const struct history_loss *loss = &outage->losses[kind];
    const char *label = kind == NODE_HOST ? "servers" : "clients";
    if (loss->count == 0) {
        return;
    }
    if (loss->lost == 0) {
        g_string_append_printf(out, "  %-12s none of %u lost\n", label, loss->count);
    } else if (loss->lost == 1) {
        g_string_append_printf(out, "  %-12s 1 of %u lost: %s after %s\n", label, loss->count,
                               r->scenario->nodes[loss->first_node].name,
                               quantity_clock(loss->first_s - outage->from_s, first));
    } else {
        g_string_append_printf(
            out, "  %-12s %u of %u lost: the first (%s) after %s, the last after %s\n", label,
            loss->lost, loss->count, r->scenario->nodes[loss->first_node].name,
            quantity_clock(loss->first_s - outage->from_s, first),
            quantity_clock(loss->last_s - outage->from_s, last));
    }
}

static void put_recovery(GString *out, const struct history_outage *outage, enum node_kind kind)
{
    char span[QUANTITY_TEXT_SIZE];
    const struct history_loss *loss = &outage->losses[kind];
    const char *label = kind == NODE_HOST ? "servers" : "clients";
    if (loss->waiting > 0) {
        g_string_append_printf(out, ", %u %s not by the end of the run", loss->waiting, label);
    } else if (!isnan(loss->recovered_s)) {
        g_string_append_printf(out, ", all %s after %s", label,
                               quantity_clock(loss->recovered_s - outage->until_s, span));
    }
}

/* How long the group carried its members through each cut, and how it came back. */
static void put_outages(GString *out, const struct report *r)
{
    char when[QUANTITY_TEXT_SIZE];
    for (size_t i = 0; i < r->history.outage_count && i < 4; i++) {
        const struct history_outage *outage = &r->history.outages[i];
        if (!outage->has_begun) {
            continue;
        }
        g_string_append_printf(out, "\nHow long it lasted: %.60s at %s\n", outage->fault->text,
                               quantity_clock(outage->from_s, when));
        put_loss(out, r, outage, NODE_HOST);
        put_loss(out, r, outage, NODE_CLIENT);
        if (outage->has_ended && outage->until_s < r->scenario->duration_s) {
            g_string_append_printf(out, "  %-12s from %s on", "back again",
                                   quantity_clock(outage->until_s, when));
            put_recovery(out, outage, NODE_HOST);
            put_recovery(out, outage, NODE_CLIENT);
            g_string_append_c(out, '\n');
        }
    }
}

/* ---- errors ---- */

static void put_sizes(GString *out, const struct period_sizes *sizes)
{
    static const double shares[] = {0.5, 0.95, 1};
    char text[QUANTITY_TEXT_SIZE];
    g_string_append_c(out, ' ');
    for (unsigned i = 0; i < G_N_ELEMENTS(shares); i++) {
        double size = shares[i] < 1 ? period_quantile(sizes, shares[i]) : sizes->worst;
        g_string_append_printf(out, " %7s", sizes->count > 0 ? quantity_seconds(size, text) : "-");
    }
}

static void put_periods(GString *out, const struct report *r)
{
    char from[QUANTITY_TEXT_SIZE];
    g_string_append_printf(out, "\n%-21s  %-23s  %-23s  %s\n", "True error", "servers", "clients",
                           "spread of clients");
    g_string_append_printf(out, "  %-7s %11s", "", "from");
    for (unsigned i = 0; i < PERIOD_SUBJECTS; i++) {
        g_string_append_printf(out, "  %7s %7s %7s", "median", "95 %", "worst");
    }
    g_string_append_c(out, '\n');
    for (size_t i = 0; i < r->period_count; i++) {
        const struct period *period = &r->periods[i];
        g_string_append_printf(out, "  %-7.7s %11s", period->name,
                               quantity_clock(period->from_s, from));
        for (unsigned j = 0; j < PERIOD_SUBJECTS; j++) {
            put_sizes(out, &period->sizes[j]);
        }
        g_string_append_c(out, '\n');
    }
}

static void put_claims(GString *out, const struct report *r)
{
    char error[QUANTITY_TEXT_SIZE], bound[QUANTITY_TEXT_SIZE], when[QUANTITY_TEXT_SIZE];
    const struct claim_extremes *c = &r->claims;
    g_string_append_printf(out,
                           "  %-16s every %s, as for each server's worst error above; "
                           "expectations look closer\n",
                           "looked at", quantity_span(r->grid_s, when));
    if (c->share_node == UINT32_MAX) {
        return;
    }
    g_string_append_printf(
        out, "  %-16s at worst %.0f %% of it was used: %s at %s, error %s of %s\n", "claimed bound",
        100 * c->share, r->scenario->nodes[c->share_node].name, quantity_clock(c->share_at, when),
        quantity_seconds(fabs(c->share_error_s), error), quantity_seconds(c->share_bound_s, bound));
    if (c->largest_node != UINT32_MAX) {
        g_string_append_printf(
            out, "  %-16s largest %s: %s at %s\n", "", quantity_seconds(c->largest_s, bound),
            r->scenario->nodes[c->largest_node].name, quantity_clock(c->largest_at, when));
    }
}

static void put_expectations(GString *out, const struct report_end *end)
{
    size_t held = 0, judged = 0;
    for (size_t i = 0; i < end->count; i++) {
        judged += end->verdicts[i].is_judged;
        held += end->verdicts[i].is_judged && end->verdicts[i].passed;
    }
    if (end->count == 0) {
        return;
    }
    g_string_append_printf(out, "\nExpectations: %zu of %zu hold\n", held, judged);
    for (size_t i = 0; i < end->count; i++) {
        const struct verdict *v = &end->verdicts[i];
        const char *word = !v->is_judged ? "-" : v->passed ? "pass" : "FAIL";
        const char *text = v->expectation->text;
        bool fits = strlen(text) + strlen(v->seen) + 10 <= COLUMNS;
        g_string_append_printf(out, "  %-4s  %s%s%s\n", word, text, fits ? ": " : "\n        ",
                               v->seen);
    }
}

char *report_text(struct report *r, const struct report_end *end)
{
    GString *out = g_string_new(NULL);
    char *platform = platform_text();
    put_head(out, r, end);
    g_string_append(out, "\nAssumed\n");
    put_clocks(out, r->scenario);
    put_links(out, r->scenario);
    put_notes(out, r);
    put_timeline(out, r);
    put_hosts(out, r);
    put_outages(out, r);
    put_periods(out, r);
    put_claims(out, r);
    put_expectations(out, end);
    if (r->directory) {
        g_string_append_printf(out,
                               "\nFiles in %s: report.txt summary.json truth.csv%s, loopstats and "
                               "peerstats of each server\n",
                               r->directory_name, r->with_pcap ? " packets.pcap" : "");
    }
    g_string_append_printf(out, "\n%s\ndigest: %s\n", platform, end->digest);
    g_free(platform);
    return g_string_free(out, FALSE);
}
