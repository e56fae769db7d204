/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files of statistics and filegen lines: which one a line goes to, and when the next begins.
 *
 * Names and dates are ntpd's: FILE.YYYYMMDD (day), FILE.YYYYwWW (week of ISO 8601), FILE.YYYYMM
 * (month), FILE.YYYY (year), FILE.#PID (pid), FILE.aSSSSSSSS (age: seconds that the daemon ran, in
 * whole days), FILE (none); with `link`, FILE is a hard link to the present one. The date is that
 * of the record's own clock, in UTC. What cannot be written is lost, told once and told again when
 * it works. The text of a line is ../trace.h's business.
 */
#ifndef HOLDFAST_DAEMON_STATISTICS_H
#define HOLDFAST_DAEMON_STATISTICS_H

#include "../config/ntpconf.h"
#include "../engine.h"
#include "log.h"

struct statistics;

/* Opens the folder of statsdir. What is enabled and cannot be written there is told to the log,
 * with the line and the cure (that there is no statsdir at all the configuration's reader tells);
 * never NULL. The age counts from the first line on. */
struct statistics *statistics_open(const struct host_config *host, struct log *log);
void statistics_close(struct statistics *statistics);

/* Another configuration; every file is opened anew with its next line. A folder whose name is the
 * same stays open, so that no right is needed. */
void statistics_reload(struct statistics *statistics, const struct host_config *host);

/* Tells the log when the process as it is now may not write in the folder. */
void statistics_check(const struct statistics *statistics);

/* The lines that a record makes in the enabled files. */
void statistics_trace(struct statistics *statistics, const struct trace_record *record);

/* The line of sysstats: what was counted since the line before. `threads` may be NULL. */
void statistics_sys(struct statistics *statistics, struct instant now,
                    const struct engine_counters *counters, const struct service_counts *threads);

#endif
