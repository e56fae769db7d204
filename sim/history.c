/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What happened in a run; see history.h. Remembers, and judges nothing.
 */
#include "history.h"

#include <math.h>
#include <string.h>

#include "quantity.h"

enum { EVENTS_MAX = 10000 };

const char *history_standing_name(unsigned standing)
{
    return standing == HISTORY_DOWN ? "down" : system_state_name((enum system_state)standing);
}

static bool serves(unsigned standing)
{
    return standing == STATE_SYNCHRONISED || standing == STATE_HOLDOVER;
}

void history_init(struct history *h, const struct scenario *scenario)
{
    size_t room = 0;
    *h = (struct history){.scenario = scenario};
    h->events = g_array_new(FALSE, FALSE, sizeof(struct history_event));
    h->nodes = g_new0(struct history_node, scenario->node_count);
    for (size_t i = 0; i < scenario->node_count; i++) {
        h->nodes[i].since_s = scenario->nodes[i].start_s;
        h->nodes[i].lasted_s[HISTORY_DOWN] = scenario->nodes[i].start_s;
        h->nodes[i].standing = STATE_UNSYNCHRONISED;
    }
    h->outages = g_new0(struct history_outage, scenario->fault_count + 1);
    for (size_t i = 0; i < scenario->fault_count; i++) {
        const struct fault *fault = &scenario->faults[i];
        if (fault->verb == FAULT_CUT) {
            h->outages[room++] =
                (struct history_outage){.fault = fault,
                                        .from_s = fault->at_s,
                                        .until_s = scenario_fault_end_s(scenario, fault)};
        }
    }
    h->outage_count = room;
}

void history_clear(struct history *h)
{
    for (unsigned i = 0; h->events && i < h->events->len; i++) {
        g_free(g_array_index(h->events, struct history_event, i).text);
    }
    if (h->events) {
        g_array_free(h->events, TRUE);
    }
    g_free(h->nodes);
    g_free(h->outages);
    *h = (struct history){0};
}

/* Faults and states are always kept; of the rest the first so many. */
static void add_event(struct history *h, double time_s, enum history_weight weight, char *text)
{
    struct history_event event = {time_s, NAN, weight, text};
    if (h->events->len >= EVENTS_MAX && weight > WEIGHT_STATE) {
        g_free(text);
        return;
    }
    g_array_append_val(h->events, event);
}

/* ---- outages ---- */

static void outage_begin(struct history *h, struct history_outage *outage)
{
    outage->has_begun = true;
    for (unsigned kind = 0; kind < NODE_UPSTREAM; kind++) {
        outage->losses[kind] = (struct history_loss){
            .first_node = UINT32_MAX, .first_s = NAN, .last_s = NAN, .recovered_s = NAN};
    }
    for (size_t i = 0; i < h->scenario->host_count + h->scenario->client_count; i++) {
        h->nodes[i].is_lost = false;
        outage->losses[h->scenario->nodes[i].kind].count += serves(h->nodes[i].standing);
    }
}

static void outage_end(struct history *h, struct history_outage *outage)
{
    outage->has_ended = true;
    for (size_t i = 0; i < h->scenario->host_count + h->scenario->client_count; i++) {
        h->nodes[i].is_waiting = h->nodes[i].standing != STATE_SYNCHRONISED;
        outage->losses[h->scenario->nodes[i].kind].waiting += h->nodes[i].is_waiting;
    }
}

/* Outages that begin or end before or at `now_s` do so with the nodes as they stand. */
static void advance(struct history *h, double now_s)
{
    for (size_t i = 0; i < h->outage_count; i++) {
        struct history_outage *outage = &h->outages[i];
        if (!outage->has_begun && now_s >= outage->from_s) {
            outage_begin(h, outage);
        }
        if (outage->has_begun && !outage->has_ended && now_s >= outage->until_s) {
            outage_end(h, outage);
        }
    }
}

static void note_loss(struct history_loss *loss, struct history_node *n, uint32_t node,
                      double now_s)
{
    if (n->is_lost) {
        return;
    }
    n->is_lost = true;
    if (loss->lost++ == 0) {
        loss->first_node = node;
        loss->first_s = now_s;
    }
    loss->last_s = now_s;
}

static void note_standing(struct history *h, double now_s, uint32_t node, unsigned standing)
{
    struct history_node *n = &h->nodes[node];
    enum node_kind kind = h->scenario->nodes[node].kind;
    if (kind == NODE_UPSTREAM) {
        return;
    }
    for (size_t i = 0; i < h->outage_count; i++) {
        struct history_outage *outage = &h->outages[i];
        struct history_loss *loss = &outage->losses[kind];
        if (outage->has_begun && !outage->has_ended && serves(n->standing) && !serves(standing)) {
            note_loss(loss, n, node, now_s);
        }
        if (outage->has_ended && n->is_waiting && standing == STATE_SYNCHRONISED &&
            loss->waiting > 0 && --loss->waiting == 0) {
            loss->recovered_s = now_s;
        }
    }
    n->is_waiting = n->is_waiting && standing != STATE_SYNCHRONISED;
}

static void change_standing(struct history *h, double now_s, uint32_t node, unsigned standing)
{
    struct history_node *n = &h->nodes[node];
    advance(h, now_s);
    note_standing(h, now_s, node, standing);
    n->lasted_s[n->standing] += now_s - n->since_s;
    n->since_s = now_s;
    n->standing = (uint8_t)standing;
}

/* ---- what is said ---- */

static void trace_state(struct history *h, double now_s, uint32_t node,
                        const struct trace_record *record)
{
    const struct scenario_node *law = &h->scenario->nodes[node];
    change_standing(h, now_s, node, record->u.state.to);
    if (law->kind == NODE_HOST) {
        add_event(h, now_s, WEIGHT_STATE,
                  g_strdup_printf("%s: %s -> %s%s%s", law->name,
                                  system_state_name(record->u.state.from),
                                  system_state_name(record->u.state.to), record->why ? ": " : "",
                                  record->why ? record->why : ""));
    }
}

static void trace_leader(struct history *h, double now_s, uint32_t node,
                         const struct trace_record *record)
{
    const struct scenario_node *law = &h->scenario->nodes[node];
    h->nodes[node].leader_changes++;
    if (law->kind != NODE_HOST) {
        return;
    }
    uint32_t leader = record->source >= 0
                          ? scenario_node_by_address(h->scenario, &record->peer.address)
                          : UINT32_MAX;
    const char *name = leader == UINT32_MAX ? "nobody" : h->scenario->nodes[leader].name;
    add_event(h, now_s, WEIGHT_LEADER,
              g_strdup_printf("%s follows %s%s%s", law->name, name, record->why ? ": " : "",
                              record->why ? record->why : ""));
}

static void trace_step(struct history *h, double now_s, uint32_t node,
                       const struct trace_record *record)
{
    char amount[QUANTITY_TEXT_SIZE];
    const struct scenario_node *law = &h->scenario->nodes[node];
    h->nodes[node].steps++;
    if (law->kind == NODE_HOST) {
        add_event(h, now_s, WEIGHT_STEP,
                  g_strdup_printf("%s steps its clock by %s", law->name,
                                  quantity_seconds(record->u.step.amount_s, amount)));
    }
}

void history_trace(struct history *h, double now_s, uint32_t node,
                   const struct trace_record *record)
{
    if (record->kind == TRACE_STATE) {
        trace_state(h, now_s, node, record);
    } else if (record->kind == TRACE_LEADER) {
        trace_leader(h, now_s, node, record);
    } else if (record->kind == TRACE_STEP) {
        trace_step(h, now_s, node, record);
    }
}

/* A node that is stopped is down; one that starts knows nothing yet. */
static void change_power(struct history *h, double now_s, const struct fault *fault, bool begins)
{
    bool stops = fault->verb == FAULT_STOP && begins;
    bool starts = fault->verb == FAULT_START || (fault->verb == FAULT_STOP && !begins);
    for (size_t i = 0; i < fault->a.count && (stops || starts); i++) {
        uint32_t node = fault->a.nodes[i];
        bool is_down = h->nodes[node].standing == HISTORY_DOWN;
        if (stops != is_down) {
            change_standing(h, now_s, node, stops ? HISTORY_DOWN : STATE_UNSYNCHRONISED);
        }
    }
}

void history_fault(struct history *h, double now_s, const struct fault *fault, bool begins)
{
    advance(h, now_s);
    if (begins) {
        struct history_event event = {now_s, NAN, WEIGHT_FAULT, g_strdup(fault->text)};
        double until = scenario_fault_end_s(h->scenario, fault);
        event.until_s = until > now_s ? until : NAN;
        g_array_append_val(h->events, event);
    } else {
        add_event(h, now_s, WEIGHT_FAULT, g_strdup_printf("end of: %s", fault->text));
    }
    change_power(h, now_s, fault, begins);
}

void history_end(struct history *h, double now_s)
{
    advance(h, now_s);
    for (size_t i = 0; i < h->scenario->node_count; i++) {
        struct history_node *n = &h->nodes[i];
        if (now_s > n->since_s) {
            n->lasted_s[n->standing] += now_s - n->since_s;
            n->since_s = now_s;
        }
    }
}
