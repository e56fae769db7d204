/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The insides of a world, for the files that make it up: world.c (events), effects.c (what engines
 * want done) and truth.c (looking in). Nobody else includes this.
 */
#ifndef HOLDFAST_WORLD_STATE_H
#define HOLDFAST_WORLD_STATE_H

#include <glib.h>

#include "digest.h"
#include "fault.h"
#include "network.h"
#include "node.h"
#include "queue.h"
#include "world.h"

enum event_kind { EVENT_ARRIVAL, EVENT_WAKE, EVENT_FAULT, EVENT_RESOLVED, EVENT_START };

/* What the words of the digest that follow are about. */
enum mark { MARK_SENT = 1, MARK_ARRIVED, MARK_CLOCK, MARK_POWER };

/* More verbs than this without time going on means an engine that makes no progress. */
enum { VERBS_MAX = 1000 };

/* A name that is being looked up. */
struct lookup {
    uint32_t node, start, next_free;
    uint16_t association;
};

/* The last reading of a node's clocks: good for all verbs of one event, unless the clock is stepped
 * between. */
struct clock_reading {
    sim_time at;
    uint32_t node;
    struct instant now;
};

struct world {
    const struct scenario *scenario;
    uint64_t seed;
    sim_time now;
    struct queue queue;
    char *bodies; /* all nodes, `stride` bytes apart: see world_node() */
    size_t stride;
    char *host_engines;
    bool is_large;
    struct network network;
    struct fault_board board;
    struct lookup *lookups;
    uint32_t lookup_count, lookup_free;
    struct observer observers[OBSERVERS_MAX];
    unsigned observer_count;
    uint32_t kinds; /* of trace records that some observer takes */
    /* Those that want to hear of every packet, and of every event: mostly one, or none. */
    const struct observer *of_packets[OBSERVERS_MAX], *of_events[OBSERVERS_MAX];
    unsigned of_packets_count, of_events_count;
    struct world_counts counts;
    struct digest digest;
    struct effects effects;
    struct clock_reading reading;
    char *violation;
};

/* The other end of a datagram; a reply goes back to where its request came from without a lookup.
 */
struct remote {
    struct pair *pair;
    struct link *link; /* of the pair, towards it */
    uint32_t node;
    uint16_t port;
    const struct address *address;
};

static inline const struct scenario_node *world_law(const struct world *w, uint32_t node)
{
    return &w->scenario->nodes[node];
}

/* By arithmetic and not by a table, which would be one more place of memory to wait for. */
static inline struct node *world_node(const struct world *w, uint32_t index)
{
    return (struct node *)(void *)(w->bodies + index * w->stride);
}

/* Notes the first broken rule; the run ends there. */
__attribute__((cold)) void world_violate(struct world *w, uint32_t node, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

#endif
