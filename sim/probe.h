/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Judging a run: expectations against what the simulator knows and the engines do not.
 *
 * Watches a world as an observer and at every instant of a grid. Never touches a clock or an
 * engine.
 *
 * States, leaders and cycles are judged over whole intervals, to the event. Errors, frequencies and
 * claimed bounds are checked whenever the node's engine has taken an update (the claimed bound as
 * it stood just before, too) or changed the clock's rate, when a fault changes its clock, after its
 * other events at most every 16 s, and at every grid instant (in worlds of more than 1,000 nodes
 * each once a minute). Spreads are checked at the grid and at steps, and of up to 64 nodes every
 * 64 s, in the last 64 s of a window at every event.
 */
#ifndef HOLDFAST_PROBE_H
#define HOLDFAST_PROBE_H

#include <stdbool.h>

#include "world.h"

struct probe;

struct verdict {
    const struct expectation *expectation;
    bool passed;
    bool is_judged; /* false: the run ended before its window (--until); passed is true then */
    /* What was seen, for people: worst value, when and on which node ("worst 12.3 ms, client-7 at
     * 8d04:12"), also when it passed; the first offence when it failed. */
    char seen[200];
};

struct probe *probe_new(struct world *world); /* registers itself as an observer */
void probe_free(struct probe *probe);

/* Looks at every node now: the grid. */
void probe_look(struct probe *probe);

/* The first instant after `after` at which a window of an expectation opens or closes; SIM_NEVER
 * when none is left. A run must stop there for a look: that is how windows are judged
 * to the tick, and how an instant is seen at all. */
sim_time probe_next_edge(const struct probe *probe, sim_time after);

/* After the last event: the verdict on each expectation, in the scenario's order. */
size_t probe_judge(struct probe *probe, const struct verdict **verdicts);

/* "7d03:12:05" from seconds of true time. */
const char *probe_time_text(double seconds, char text[32]);

#endif
