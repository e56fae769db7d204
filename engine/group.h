/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who follows whom in a group of servers, and what my own bound says of a source that disagrees.
 *
 * A member (a peer, or a server that is also our client) is eligible only if its reference id is
 * not me and it claims less than I do, ties by address: a total order, so that of any set exactly
 * one member has nobody to follow. A follower then claims its leader's distance, the way, and at
 * least MINDISP more, so that no cycle of any length can stand (behaviour section 2). The way is
 * not in the comparison itself: with it, two members whose claims differ by less than the way
 * between them would both find the other worse, and both lead. Pure functions.
 */
#ifndef HOLDFAST_GROUP_H
#define HOLDFAST_GROUP_H

#include <stdbool.h>

#include "source.h"

/* 127.127.1.1: the reference id of a node in holdover that had followed a member. */
#define REFID_HOLDOVER UINT32_C(0x7F7F0101)

/* One of my addresses gives this reference id. */
static inline bool group_is_me(const struct engine_config *config, uint32_t refid)
{
    for (size_t i = 0; i < config->own_count; i++) {
        if (address_refid(&config->own[i]) == refid) {
            return true;
        }
    }
    return false;
}

/* What the member claims, aged to now, seconds: comparable with my own distance. */
double group_claim_s(const struct source *member, double tolerance, mono_time now);

/* The same plus the way to it: what following it would make me claim at least. */
double group_member_distance_s(const struct source *member, double tolerance, mono_time now);

/* How much rounding up on the wire has added to a claim that was whole steps of 2^-16 s when it was
 * made, `age_s` before it was sent, and has grown by `tolerance` since: system_update() makes such.
 * Without it two members that have followed one leader, whose claims differ by microseconds, would
 * each see the other's rounded up and his own not, and both lead. Less than a step for any claim; 0
 * where the age cannot be that of one. */
double group_wire_excess_s(double age_s, double tolerance);

/* May this member be followed by a node with `own_distance_s` (INFINITY when it claims nothing)? */
bool group_is_eligible(const struct source *member, const struct engine_config *config,
                       double own_distance_s, mono_time now);

/* May it vote although it may not be followed: its time comes from outside the group. */
bool group_is_independent(const struct source *member, const struct engine_config *config,
                          const struct source *sources, int count);

#endif
