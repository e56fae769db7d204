/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who follows whom: cycles and leaders in the graph in which every node has at most one leader.
 */
#ifndef HOLDFAST_FOLLOWERS_H
#define HOLDFAST_FOLLOWERS_H

#include "watch.h"

enum { CYCLE_MAX = 64 };

/* The members of the cycle through `node`, in the order in which they follow each other, beginning
 * with it; 0 when there is none. Cycles longer than CYCLE_MAX are reported by their first
 * members. */
size_t followers_cycle(const struct node_memory *memory, size_t count, uint32_t node,
                       uint32_t members[CYCLE_MAX]);

/* Whether exactly one node of the set that is up follows none of the others, and all others lead to
 * it. A text that says why not goes to `why`. */
bool followers_have_one_leader(const struct scenario *scenario, const struct node_memory *memory,
                               const struct node_set *set, char why[96]);

#endif
