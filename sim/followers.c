/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who follows whom; see followers.h. Only looks.
 */
#include "followers.h"

#include <stdio.h>

size_t followers_cycle(const struct node_memory *memory, size_t count, uint32_t node,
                       uint32_t members[CYCLE_MAX])
{
    uint32_t at = node;
    size_t length = 0;
    for (size_t steps = 0; steps <= count; steps++) {
        if (length < CYCLE_MAX) {
            members[length++] = at;
        }
        at = memory[at].leader;
        if (at == node) {
            return length;
        }
        if (at == UINT32_MAX) {
            return 0;
        }
    }
    return 0; /* it leads into a cycle that does not pass through `node` */
}

/* The node of the set at which the chain of leaders from `node` on leaves it; UINT32_MAX when it
 * runs in a ring. */
static uint32_t root_of(const struct node_memory *memory, const struct node_set *set, uint32_t node)
{
    for (size_t steps = 0; steps <= set->count; steps++) {
        uint32_t leader = memory[node].leader;
        if (leader == UINT32_MAX || !node_set_has(set, leader) ||
            memory[leader].standing == STANDING_DOWN) {
            return node;
        }
        node = leader;
    }
    return UINT32_MAX;
}

bool followers_have_one_leader(const struct scenario *scenario, const struct node_memory *memory,
                               const struct node_set *set, char why[96])
{
    uint32_t only = UINT32_MAX;
    for (size_t i = 0; i < set->count; i++) {
        uint32_t node = set->nodes[i];
        if (memory[node].standing == STANDING_DOWN) {
            continue;
        }
        uint32_t root = root_of(memory, set, node);
        if (root == UINT32_MAX) {
            snprintf(why, 96, "%.40s leads into a ring", scenario->nodes[node].name);
            return false;
        }
        if (only != UINT32_MAX && root != only) {
            snprintf(why, 96, "%.40s and %.40s both led", scenario->nodes[only].name,
                     scenario->nodes[root].name);
            return false;
        }
        only = root;
    }
    if (only == UINT32_MAX) {
        snprintf(why, 96, "all were down");
        return false;
    }
    snprintf(why, 96, "%.60s led", scenario->nodes[only].name);
    return true;
}
