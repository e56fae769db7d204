/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What happened in a run: states of nodes over time, changes of leaders, steps, faults; and how
 * well a group carried its members through each cut. Fed by the report with what engines and the
 * timeline say.
 */
#ifndef HOLDFAST_HISTORY_H
#define HOLDFAST_HISTORY_H

#include "world.h"

/* A node is in a system_state or down. */
enum { HISTORY_DOWN = STATES, HISTORY_STANDINGS };

/* From what matters to everyone to what matters to few. */
enum history_weight { WEIGHT_FAULT, WEIGHT_STATE, WEIGHT_STEP, WEIGHT_LEADER, WEIGHTS };

struct history_event {
    double time_s, until_s; /* until_s: of a fault that lasts, else NAN */
    enum history_weight weight;
    char *text;
};

struct history_node {
    double since_s, lasted_s[HISTORY_STANDINGS];
    uint32_t steps, leader_changes;
    uint8_t standing;
    bool is_lost,
        is_waiting; /* in the present outage: no longer served, not yet synchronised again */
};

/* How one kind of node fared in an outage. Times are true time; NAN = did not happen. */
struct history_loss {
    uint32_t count,
        lost; /* nodes of the kind that served when it began; of those that stopped serving */
    uint32_t first_node;
    double first_s, last_s; /* when the first and the last of them stopped */
    uint32_t waiting;       /* not synchronised when it ended */
    double recovered_s;     /* when the last of those was */
};

struct history_outage {
    const struct fault *fault;
    double from_s, until_s;
    bool has_begun, has_ended;
    struct history_loss losses[NODE_UPSTREAM]; /* by node_kind: hosts, clients */
};

struct history {
    const struct scenario *scenario;
    GArray *events; /* history_event */
    struct history_node *nodes;
    struct history_outage *outages; /* one for each cut of the timeline */
    size_t outage_count;
};

void history_init(struct history *history, const struct scenario *scenario);
void history_clear(struct history *history);

#define HISTORY_KINDS (TRACE_BIT(TRACE_STATE) | TRACE_BIT(TRACE_LEADER) | TRACE_BIT(TRACE_STEP))

/* An engine's record, of one of HISTORY_KINDS; others are passed over. `now_s` is true time. */
void history_trace(struct history *history, double now_s, uint32_t node,
                   const struct trace_record *record);

void history_fault(struct history *history, double now_s, const struct fault *fault, bool begins);

/* Closes the books at the end of the run. */
void history_end(struct history *history, double now_s);

/* "down" or the name of the state. */
const char *history_standing_name(unsigned standing);

#endif
