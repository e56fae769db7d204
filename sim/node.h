/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One node of the world: its clock, its engine and the sockets of its requests.
 *
 * The clock runs from the start of the world to its end; the engine lives from a start to a stop,
 * in memory that is used again, and hands its drift value to its successor as a drift file would.
 * Nothing here moves time or sends.
 */
#ifndef HOLDFAST_NODE_H
#define HOLDFAST_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scenario.h"

struct world;
struct pair;

/* A destination that the node sends to of its own accord, and the socket open towards it. */
struct route {
    struct pair *pair;
    uint32_t to;
    uint32_t request; /* of the newest request; 0 = none is open */
    uint16_t port;    /* it left from */
};

enum { NODE_FIRST_ROUTES = 2 };

struct node {
    struct world *world;
    struct oscillator *oscillator;
    void *memory;          /* for the engine; upstreams have none */
    struct engine *engine; /* NULL: upstream or down */
    struct route *routes;
    struct route first_routes[NODE_FIRST_ROUTES]; /* where routes begin: most nodes need no more */
    struct address address;
    uint32_t index;
    uint16_t route_count, route_room;
    uint32_t starts;   /* number of starts so far */
    uint64_t port_key; /* of the ports that this life's requests leave from */
    bool is_up;
    mono_time wake;     /* what the engine asked for last */
    sim_time queued;    /* the wake event that counts; SIM_NEVER = none */
    mono_time armed;    /* what it was queued for */
    mono_time mono;     /* last reading handed to the engine */
    double drift_ppm;   /* what the drift file holds; NAN = there is none */
    double falsetick_s; /* upstreams: added to what they tell */
};

/* What every simulated clock can do: Linux's quantum, 1000 ppm, a microsecond to read. */
enum { CLOCK_PRECISION = -20, CLOCK_MAX_PPM = 1000, QUANTA_PER_PPM = 65536 };

static inline struct clock_ability node_clock_ability(void)
{
    return (struct clock_ability){.rate_quantum = 1e-6 / QUANTA_PER_PPM,
                                  .rate_max_q = (int64_t)CLOCK_MAX_PPM * QUANTA_PER_PPM,
                                  .precision = CLOCK_PRECISION,
                                  .can_steer = true};
}

/* The configuration that an engine of this node starts with, given its drift value or NAN. */
void node_engine_config(const struct scenario_node *law, double drift_ppm,
                        struct engine_config *out);

/* Width of the cells of its clock in a world of node_count nodes: 64 s, and in large worlds the
 * shortest poll interval of its configuration when that is longer. */
double node_cell_s(const struct scenario_node *law, size_t node_count);

/* Builds the engine, its random stream keyed by (seed, node, number of the start). */
void node_start(struct node *node, const struct scenario_node *law, uint64_t seed,
                struct instant now);

/* Drops engine and sockets; keeps the drift value. */
void node_stop(struct node *node, struct instant now);

/* Gives back what routes took. */
void node_clear(struct node *node);

/* The route to an address, made when it is new; NULL when no node has it or it is the node's own.
 * The pair of a new route is left for the caller to fill in: `*is_new`. */
struct route *node_route(struct node *node, const struct scenario *scenario,
                         const struct address *address, bool *is_new);

/* Closes the socket of the route, opens one for `request` and returns its port. */
uint16_t node_open_socket(struct node *node, struct route *route, uint32_t request);

/* The request whose socket a datagram from `from` to `port` comes in on: 0 for the service port,
 * and NODE_CLOSED when nothing listens there. */
#define NODE_CLOSED UINT32_MAX
uint32_t node_request_at(const struct node *node, uint32_t from, uint16_t source_port,
                         uint16_t port);

#endif
