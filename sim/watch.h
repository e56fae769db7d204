/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One expectation during a run: what it has seen, and its verdict. Part of the probe; fed by
 * probe.c.
 *
 * What a node says of itself stays the same between its events, so states and leaders are judged
 * over whole intervals; what its clock does is judged at every look.
 */
#ifndef HOLDFAST_WATCH_H
#define HOLDFAST_WATCH_H

#include "probe.h"

/* How a node stands: a system_state, or down. */
enum { STANDING_DOWN = STATES };

/* The last that was seen of a node. Times are true time in seconds. */
struct node_memory {
    double at;      /* of the last look at its clock and its claim */
    double told_at; /* of the last look at what it says: that has not changed since */
    double standing_since, leader_since;
    double claim_s, claim_rate; /* claimed bound at `at`, and how it grows */
    double rate;                /* of its clock's steering at `at` */
    double stepped_s;           /* by its engine, since `at` */
    uint32_t leader;
    uint8_t standing;
    double open_until; /* its open measures are those up to open_end until then */
    uint32_t open_end;
    bool is_dirty; /* its engine has said something that must be looked at */
    bool has_told; /* the same, and standing or leader may be others */
};

/* A look at a node: what was, and what is. */
struct sight {
    struct world *world;
    uint32_t node;
    double now;
    const struct node_memory *was;
    const struct truth *truth;
    bool is_grid; /* every node is looked at now, or one as a fault comes or begins */
};

struct watch {
    const struct expectation *expectation;
    bool failed, has_end; /* has_end: the window's last instant belongs to it */
    uint64_t looks;       /* that fell into the window */
    double offended_at;   /* when it did not hold for the first time */
    double offended_s;    /* how long, or how often, it did not hold */
    double worst, worst_at;
    uint32_t worst_node;
    double since;            /* the group as it stands since then has not been judged yet */
    double spread_at;        /* of the last spread */
    double *entered, *begun; /* EXPECT_BECOMES: by place in the set; NAN = not */
    char offence[200];
};

void watch_init(struct watch *watch, const struct scenario *scenario,
                const struct expectation *expectation);
void watch_clear(struct watch *watch);

/* Judges what a clock does and what is claimed of it, and not what a node says it is. */
bool watch_is_measure(const struct watch *watch);

/* Whether it needs the truth at every event of a node now. */
bool watch_is_open(const struct watch *watch, double now);

/* The first time after `now` at which that may be otherwise, seconds; INFINITY = never. */
double watch_next_change(const struct watch *watch, double now);

/* The times outside of which watch_tell() does nothing: with looks before `from_s`, and with looks
 * whose interval begins after `until_s`. */
void watch_span(const struct watch *watch, double *from_s, double *until_s);

/* EXPECT_ONE_LEADER and EXPECT_NO_CYCLE: judged on the whole graph, by watch_group(). */
bool watch_is_of_group(const struct watch *watch);

/* A look at a measure that is open. Reads of sight->truth what world_measure() gives. */
void watch_measure(struct watch *watch, const struct sight *sight);

/* What a node says, for those that are no measures: the interval since the last look. */
void watch_tell(struct watch *watch, const struct sight *sight);

/* A fault has changed clocks at this very instant, too. */
void watch_look_again(struct watch *watch);

/* The engine of `node` stepped its clock. */
void watch_step(struct watch *watch, const struct scenario *scenario, uint32_t node, double now,
                double amount_s);

/* The graph as `memory` has it ends now, because `node` changes (UINT32_MAX: because the run
 * ends). */
void watch_group(struct watch *watch, const struct scenario *scenario,
                 const struct node_memory *memory, uint32_t node, double now);

/* The verdict, when the run has ended at `end`; memory as it stands then. */
void watch_judge(struct watch *watch, const struct scenario *scenario,
                 const struct node_memory *memory, double end, struct verdict *verdict);

#endif
