/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Many sources to one estimate: intersection, cluster, combine (RFC 5905 11.2).
 *
 * A pure function of its candidates. A candidate that only votes takes part in the intersection and
 * in nothing else; my own claimed interval can be one more voter. Which candidates may vote or be
 * followed is decided by group.h and source.h.
 */
#ifndef HOLDFAST_SELECT_H
#define HOLDFAST_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine_config.h"

struct candidate {
    int source;
    double offset_s, distance_s, jitter_s;
    uint8_t stratum;
    uint16_t family; /* candidates of one family are one piece of evidence */
    bool may_lead;   /* else it only votes */
    bool is_member;  /* of the group */
    bool is_late;    /* missed polls: preferred only when nothing else is left */
    bool is_true, is_preferred;
    double rank;                     /* set here: less is better */
    bool is_truechimer, is_survivor; /* set here */
};

struct select_terms {
    uint8_t minclock, minsane;
    double mindist_s, maxdist_s;
    bool own_votes; /* my interval, 0 +- own_distance_s, is a voter */
    double own_distance_s;
};

enum select_verdict {
    SELECT_FOUND,
    SELECT_NONE,        /* no candidate that may lead */
    SELECT_NO_MAJORITY, /* more than half do not agree on an interval */
    SELECT_DISPUTED,    /* they agree, but not with my own interval, and not independently enough */
    SELECT_TOO_FEW      /* fewer than minsane */
};

struct selection_result {
    int best; /* index into the candidates: the one to follow, by rank */
    double low_s, high_s;
    double select_jitter_s; /* of the survivors about the best */
};

/* Marks truechimers and survivors and names the best. Candidates are reordered: best rank first. */
enum select_verdict select_candidates(struct candidate *candidates, int count,
                                      const struct select_terms *terms,
                                      struct selection_result *result);

/* The weighted mean offset of the survivors that are (not) members as the leader is, and the jitter
 * of the sum; a preferred leader, or a member, is taken alone. */
void select_combine(const struct candidate *candidates, int count, int leader, double *offset_s,
                    double *jitter_s);

#endif
