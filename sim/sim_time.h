/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * True time in the simulator: 2^-32 s ticks since the scenario's epoch, in a struct of its own so
 * that it cannot be taken for something a node could know.
 */
#ifndef HOLDFAST_SIM_TIME_H
#define HOLDFAST_SIM_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "../engine/timestamp.h"

typedef struct {
    int64_t ticks;
} sim_time;

#define SIM_NEVER ((sim_time){INT64_MAX})

static inline sim_time sim_from_s(double seconds)
{
    return (sim_time){ticks_from_s(seconds)};
}

static inline double sim_s(sim_time t)
{
    return s_from_ticks(t.ticks);
}

static inline double sim_diff_s(sim_time a, sim_time b)
{
    return s_from_ticks(a.ticks - b.ticks);
}

static inline sim_time sim_add_s(sim_time t, double seconds)
{
    return (sim_time){t.ticks + ticks_from_s(seconds)};
}

static inline bool sim_before(sim_time a, sim_time b)
{
    return a.ticks < b.ticks;
}

#endif
