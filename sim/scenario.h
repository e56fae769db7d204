/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A scenario: text to world, timeline and expectations.
 *
 * Lines in the manner of ntp.conf, read by the same lexer; every complaint has file, line and
 * column, and a scenario with an error is not run. Nothing here runs anything. Files are looked up
 * under the scenario's `files` folder and nowhere else.
 *
 *   title TEXT | seed N | runs N | duration T | files FOLDER/ | epoch YYYY-MM-DD[THH:MM:SS]
 *   clock-law NAME LAW [PARAMETER VALUE]... | link-law NAME LAW [PARAMETER VALUE]...
 *   node NAME address ADDR config FILE [clock LAW] [offset T] [frequency F] [drift F] [start T]
 *   upstream PATTERN [stratum N] [link LAW] [clock LAW] [offset T] [root-delay T]
 *            [root-dispersion T]
 *   clients N address NET config FILE [clock LAW] [name NAME]
 *   link LAW [PARAMETER VALUE]... between NODES... [and NODES...]
 *   at T VERB ... [for T]
 *   expect ...
 *
 * Names of nodes, of client groups, `hosts`, `clients`, `upstream`, an upstream's host name, a
 * pattern with '*' and `all` stand for sets of nodes. Each name that a configuration looks up
 * becomes one simulated upstream (four for a pool line: NAME#1 ... NAME#4), by the first `upstream`
 * line whose pattern matches. scenario_help() has the whole grammar.
 */
#ifndef HOLDFAST_SCENARIO_H
#define HOLDFAST_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../engine/config/ntpconf.h"
#include "../engine/engine.h"
#include "link.h"
#include "oscillator.h"

enum node_kind { NODE_HOST, NODE_CLIENT, NODE_UPSTREAM };

struct scenario_node {
    enum node_kind kind;
    char *name; /* upstreams: the host name; clients: GROUP-1 ... GROUP-N */
    struct address address;
    const struct ntpconf *conf; /* shared by nodes with the same file; NULL for upstreams */
    struct oscillator_law clock;
    const char *clock_name; /* the law as the scenario names it, for the report */
    double offset_s;        /* the clock's error at the start; NAN = drawn by the clock's law */
    double drift_ppm;       /* drift value at hand at the first start; NAN = none */
    double start_s;         /* true time of the first start */
    uint8_t stratum;        /* upstreams from here on */
    double root_delay_s, root_dispersion_s;
    unsigned line;
};

struct node_set {
    uint32_t *nodes; /* indices, ascending, no duplicates */
    size_t count;
};

/* A path law for pairs with one end in a and the other in b (b empty: both ends in a). The last
 * rule that matches a pair wins; with none the pair has the preset `lan`. Forward is from the node
 * with the lower index to the one with the higher: from hosts to clients, from both to
 * upstreams. */
struct link_rule {
    struct path_law law;
    struct node_set a, b;
    char *name; /* as shown in the report */
    unsigned line;
};

enum fault_verb {
    FAULT_CUT,
    FAULT_HEAL,
    FAULT_STEP,
    FAULT_FREQUENCY,
    FAULT_STOP,
    FAULT_START,
    FAULT_FALSETICK,
    FAULT_DELAY,
    FAULT_LOSS,
    FAULT_VERBS
};

/* One line of the timeline. A fault with for_s ends by itself (a cut heals, a stop starts, the rest
 * is taken back). cut and heal: every link of the nodes in a (b empty), or the links between a and
 * b. delay: amount seconds added from a to b, that direction only. loss: amount share, both
 * directions. */
struct fault {
    enum fault_verb verb;
    double at_s, for_s; /* NAN = for good */
    struct node_set a, b;
    double amount; /* s, s/s or share */
    char *text;    /* from the verb on, for the report */
    unsigned line;
};

enum expectation_kind {
    EXPECT_STATE,   /* nodes are in `state` throughout [from, until), or at the instant from */
    EXPECT_BECOMES, /* the node changes to `state` for the first time within [from, until] */
    EXPECT_ERROR,   /* |true error| of every node < bound_s throughout */
    EXPECT_SPREAD,  /* largest minus smallest true error among the nodes < bound_s throughout */
    EXPECT_CLAIMED_BOUND, /* |true error| <= root distance whenever the node says synchronised */
    EXPECT_ONE_LEADER, /* among the nodes exactly one follows no other, and all others lead to it */
    EXPECT_NO_CYCLE,   /* no cycle of followers stands longer than bound_s */
    EXPECT_FOLLOWS,    /* each node's system peer is one of `targets` throughout (negated: never) */
    EXPECT_NO_STEP,    /* the clock is not stepped by its engine in the window */
    EXPECT_FREQUENCY   /* |rate error: oscillator + drift correction| < bound (s/s) throughout */
};

struct expectation {
    enum expectation_kind kind;
    struct node_set nodes;
    double from_s,
        until_s; /* true time; 0 and the duration when not given; equal: an instant. The end
                             * belongs to the window only then, and when it is the end of the run */
    enum system_state state;
    bool accepts_holdover; /* `synchronised` as the operator sees it: synchronised or holdover */
    bool negated;          /* `unsynchronised`, `never follows` */
    double bound;          /* s, or s/s for EXPECT_FREQUENCY */
    struct node_set targets;
    char *text; /* the line without "expect" */
    unsigned line;
};

struct scenario {
    char *path, *title, *folder; /* folder: where configurations are looked up */
    uint64_t seed;
    uint64_t runs; /* seeds to try, from `seed` on, when the user does not say how many; 1 */
    double duration_s;
    ntp_time epoch; /* what a perfect clock shows at true time 0 */
    struct scenario_node
        *nodes; /* hosts, then clients, then upstreams, each in the order of their lines */
    size_t node_count, host_count, client_count, upstream_count;
    struct link_rule *rules;
    size_t rule_count;
    struct fault *faults; /* by at_s, then line */
    size_t fault_count;
    struct expectation *expectations;
    size_t expectation_count;
    void *storage;
};

/* Loads a scenario; NULL when messages holds an error. */
struct scenario *scenario_load(const char *path, struct messages *messages);

/* The same from text; `folder` is where `files` is relative to. */
struct scenario *scenario_parse(const char *path, const char *folder, const char *text, size_t size,
                                struct messages *messages);

void scenario_free(struct scenario *scenario);

/* Index of the node that answers for a host name or an address; UINT32_MAX when there is none. */
uint32_t scenario_node_by_name(const struct scenario *scenario, const char *name);
uint32_t scenario_node_by_address(const struct scenario *scenario, const struct address *address);

enum { RESOLVE_MAX = 8 };

/* The nodes that a lookup of `name` finds, in order: one for a server, four for a name that some
 * pool line has, the node itself for a node's name; 0 when the name is unknown. */
size_t scenario_resolve(const struct scenario *scenario, const char *name,
                        uint32_t nodes[RESOLVE_MAX]);

/* True time at which a fault ends: of itself, by a later heal or start of a node of its own, or
 * with the run; seconds. */
double scenario_fault_end_s(const struct scenario *scenario, const struct fault *fault);

/* "cut", "heal", ... as the timeline writes it. */
const char *fault_verb_name(enum fault_verb verb);

/* The law for packets between two nodes. */
const struct path_law *scenario_path(const struct scenario *scenario, uint32_t a, uint32_t b);

bool node_set_has(const struct node_set *set, uint32_t node);

/* The help text of the language, for `holdfast help scenario`; g_free() it. */
char *scenario_help(void);

#endif
