/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The simulated world: nodes, engines, links, the event loop; it carries out effects.
 *
 * pop (when, sequence) -> read the node's clocks at that true time -> one verb -> effects ->
 * observers. Nothing is done per node per event; nothing is allocated per event once packet slots
 * exist. Observers look and never touch: with or without them the digest is the same.
 */
#ifndef HOLDFAST_WORLD_H
#define HOLDFAST_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "scenario.h"
#include "sim_time.h"

struct world;

/* What is true of a node at the present instant, and what it says of itself. */
struct truth {
    bool is_up;
    double error_s; /* steered clock - true time: positive = fast */
    double bound_s; /* claimed root distance; INFINITY when it claims none (leap 3 or stratum 16) */
    double frequency;  /* oscillator, fractional, positive = fast */
    double correction; /* the engine's drift value, s/s */
    enum system_state state;
    uint8_t leap, stratum;
    uint32_t refid;
    int8_t poll;
    uint8_t reach;   /* of the system peer, or of the first source */
    uint32_t leader; /* node index of the system peer; UINT32_MAX = none */
};

enum carriage { CARRIED, LOST };

/* All may be NULL. Called in the order of events, with the world standing still. */
struct observer {
    void *context;
    uint32_t kinds; /* of trace records that it takes: TRACE_BIT() */
    /* The engine of `node` said something of these kinds. */
    void (*trace)(void *context, struct world *world, uint32_t node,
                  const struct trace_record *record);
    /* A datagram was handed to the network, at the present instant. */
    void (*packet)(void *context, struct world *world, uint32_t from, uint32_t to,
                   const struct endpoint *source, const struct endpoint *destination,
                   const uint8_t *bytes, size_t size, enum carriage carriage);
    /* A verb of `node` has run and its effects are done. */
    void (*settled)(void *context, struct world *world, uint32_t node);
    /* A line of the timeline is about to take effect or to be taken back, at this instant. */
    void (*fault_comes)(void *context, struct world *world, const struct fault *fault);
    /* It took effect (begins) or was taken back. */
    void (*fault)(void *context, struct world *world, const struct fault *fault, bool begins);
};

enum { OBSERVERS_MAX = 4 };

/* Builds the world of a scenario with this seed. The scenario must outlive it. */
struct world *world_new(const struct scenario *scenario, uint64_t seed);
void world_free(struct world *world);

void world_observe(struct world *world, const struct observer *observer);

/* Runs every event before or at `until`, then stands at it. False when a rule of the contract was
 * broken: world_violation() says which. */
bool world_run(struct world *world, sim_time until);
const char *world_violation(const struct world *world); /* NULL = none */

sim_time world_now(const struct world *world);
const struct scenario *world_scenario(const struct world *world);
void world_truth(struct world *world, uint32_t node, struct truth *out);
/* Of the truth only what changes while the engine says nothing: is_up, error_s, bound_s, frequency
 * and correction; the rest of *out means nothing. */
void world_measure(struct world *world, uint32_t node, struct truth *out);
/* The rate at which the node's engine steers its clock, s/s. */
double world_rate(const struct world *world, uint32_t node);
/* Of the truth only error_s; returns is_up. */
bool world_error(struct world *world, uint32_t node, double *error_s);
struct instant world_instant(struct world *world, uint32_t node); /* the node's own clocks now */
const struct engine *world_engine(const struct world *world,
                                  uint32_t node); /* NULL: upstream or down */

struct world_counts {
    uint64_t events, sent, delivered, lost;
};
struct world_counts world_counts(const struct world *world);

/* The digest so far, 64 hexadecimal digits: over event times, packet bytes and clock commands as
 * integers (steps in ticks); never wakes, pointers, padding or doubles. */
void world_digest(const struct world *world, char text[65]);

#endif
