/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a run leaves behind: the summary for people, and the run directory.
 *
 *   report.txt      what is printed at the end of a run
 *   summary.json    stable keys: seed digest simulated_s wall_s events packets nodes timeline
 *                   expectations (text, passed - null when the run ended before it -, seen)
 *   truth.csv       time_s,node,quantity,value. Of every node looked at: error_s (+ = fast),
 *                   bound_s (inf = claims none), state (a system_state's name, or down),
 *                   frequency_ppm; of hosts and clients that are up also stratum, reach, drift_ppm,
 *                   poll, and leader (a node's name or -). Looked at: all nodes, but of more than
 *                   1,000 clients a sample
 *   NODE/loopstats, NODE/peerstats   in ntpd's format (hosts only)
 *   packets.pcap    on request: nanoseconds, true time
 *
 * A directory is written under a temporary name beside the target and renamed when complete, so
 * that a run that fails or is interrupted leaves nothing half written. Wall time is given by the
 * caller: nothing here reads a clock.
 */
#ifndef HOLDFAST_REPORT_H
#define HOLDFAST_REPORT_H

#include <stdbool.h>

#include "probe.h"
#include "world.h"

struct report;

struct report_options {
    const char *directory; /* NULL: no files */
    bool with_pcap;
    double grid_s; /* spacing of truth.csv */
};

/* Begins a report; registers as an observer. NULL with a message in *error (g_free() it) when the
 * directory cannot be made. */
struct report *report_new(struct world *world, const struct report_options *options, char **error);

/* Rows of truth for every node that is looked at, now. */
void report_look(struct report *report);

/* Writes everything and renames the directory into place; the text for people goes to *text
 * (g_free() it). False with *error set when something could not be written; then nothing is
 * left. */
bool report_finish(struct report *report, const struct verdict *verdicts, size_t count,
                   uint64_t seed, double wall_s, char **text, char **error);

/* Removes what was begun (an interrupted run) and frees. */
void report_free(struct report *report);

#endif
