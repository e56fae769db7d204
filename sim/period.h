/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Errors in the periods of a run - before, during and after each cut - as quantiles, in memory that
 * does not grow with the run: counts in cells of equal ratio, 1.2 % wide, beside the exact worst.
 */
#ifndef HOLDFAST_PERIOD_H
#define HOLDFAST_PERIOD_H

#include <stddef.h>
#include <stdint.h>

#include "scenario.h"

enum { CELLS_PER_DECADE = 200, CELL_DECADES = 13, CELLS = CELLS_PER_DECADE * CELL_DECADES };

/* Sizes from 1 ns to 10,000 s; smaller and greater ones fall into the outermost cells. */
struct period_sizes {
    uint32_t cells[CELLS];
    uint64_t count;
    double worst, worst_at;
    uint32_t worst_node;
};

enum period_subject { PERIOD_HOSTS, PERIOD_CLIENTS, PERIOD_SPREAD, PERIOD_SUBJECTS };

struct period {
    char name[40];
    double from_s, until_s;
    struct period_sizes sizes[PERIOD_SUBJECTS];
};

/* The periods of a run; g_free() them. The first begins when clocks have had time to settle. */
struct period *periods_new(const struct scenario *scenario, size_t *count);

void period_note(struct period_sizes *sizes, double value, uint32_t node, double now_s);

/* The size that a share of them does not exceed; NAN when there are none. */
double period_quantile(const struct period_sizes *sizes, double share);

#endif
