/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parts of a report, for the files that make it up: report.c, report_text.c, summary.c.
 */
#ifndef HOLDFAST_REPORT_STATE_H
#define HOLDFAST_REPORT_STATE_H

#include "history.h"
#include "output_file.h"
#include "period.h"
#include "report.h"
#include "run_directory.h"

/* Statistics files of one host. */
struct host_files {
    struct output_file loopstats, peerstats;
};

/* The worst of one node, at the instants of the grid. */
struct node_worst {
    double error_s, at_s;
};

/* The claimed bound at the instants of the grid, hosts only. */
struct claim_extremes {
    double share, share_error_s, share_bound_s,
        share_at;                 /* the largest share of a bound that was used */
    double largest_s, largest_at; /* the largest bound that was claimed */
    uint32_t share_node, largest_node;
};

struct report {
    struct world *world;
    const struct scenario *scenario;
    struct run_directory *directory; /* NULL: no files */
    char *directory_name;
    bool with_pcap;
    double grid_s;
    struct output_file truth, pcap;
    struct host_files *hosts; /* host_count of them, with a directory */
    struct history history;
    struct period *periods;
    size_t period_count;
    struct node_worst *worst;
    struct claim_extremes claims;
    uint32_t stride;    /* one client in so many is looked at */
    GByteArray *record; /* one packet of the capture */
};

/* What the text and the summary say beside what the report has seen. */
struct report_end {
    const struct verdict *verdicts;
    size_t count;
    uint64_t seed;
    double wall_s;
    char digest[65];
};

/* Whether a node's truth is looked at: every node, but for clients of very large worlds, where it
 * is a sample. */
bool report_looks_at(const struct report *report, uint32_t node);

/* The text for people and the text of summary.json; g_free() them. */
char *report_text(struct report *report, const struct report_end *end);
char *summary_text(struct report *report, const struct report_end *end);

#endif
