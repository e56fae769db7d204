/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that the daemon keeps: the drift file, the pid file and statistics.
 *
 * Drift and pid files are written to a temporary name beside them, flushed and renamed, through
 * directories opened before rights were dropped. Statistics lines are appended to files that change
 * with the day (or as filegen says; statistics.h). A full disk or a lost directory is told once and
 * tried again; the daemon lives on. Text is made by ../trace.h.
 */
#ifndef HOLDFAST_DAEMON_STATE_FILES_H
#define HOLDFAST_DAEMON_STATE_FILES_H

#include "../config/ntpconf.h"
#include "../engine.h"
#include "drift.h"
#include "log.h"

struct state_files;

/* Opens the directories of driftfile and statsdir. A path that cannot be used is told to the log as
 * a warning (with the cure) and the file goes without; never NULL. `drift` and `pid` override what
 * the configuration says; NULL = as it says, none. */
struct state_files *state_files_open(const struct host_config *host, const char *drift,
                                     const char *pid, struct log *log);

/* Closes all, and removes the pid file when this process wrote it and may. NULL is nothing. */
void state_files_close(struct state_files *files);

/* A new configuration: other statistics kinds, directories, drift file. Directories whose names
 * are the same stay open, so that no right is needed. */
void state_files_reload(struct state_files *files, const struct host_config *host);

/* To be called once rights were dropped: tells the log, with the cure, which files the process as
 * it is now will not be able to replace, an hour before it would have to. */
void state_files_check(const struct state_files *files);

/* Writes it whole or not at all. False is told to the log, once until it works again. No drift
 * file: true. What drift_read() would refuse is not written. */
bool state_files_write_drift(struct state_files *files, double drift_ppm);

/* Writes the pid; removed at state_files_close(). True without a pid file. False with *error
 * (g_free() it): it cannot be written, or the process that it names is alive and runs the same
 * program. */
bool state_files_claim_pid(struct state_files *files, char **error);

/* One record of the engine's: into the statistics that are enabled. */
void state_files_trace(struct state_files *files, const struct trace_record *record);

/* The hourly line of sysstats: what was counted since the line before. `threads` is the sum over
 * the server threads; NULL = none. */
void state_files_sysstats(struct state_files *files, struct instant now,
                          const struct engine_counters *counters,
                          const struct service_counts *threads);

#endif
