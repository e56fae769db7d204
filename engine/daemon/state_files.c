/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The drift file, the pid file and statistics as one thing for the daemon: see state_files.h.
 */
#include "state_files.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kept_file.h"
#include "statistics.h"

enum { PID_TEXT_SIZE = 32, PROGRAM_NAME_SIZE = 64, FILE_MODE = 0644 };

struct state_files {
    struct log *log;
    struct kept_file drift, pid;
    char *drift_place;     /* of its line, before what is said of it; "" = an option's */
    bool drift_is_fixed;   /* by an option: the configuration's line does not count */
    bool drift_is_failing; /* said so */
    bool pid_is_ours;
    char *pid_error; /* why the pid file's directory cannot be used */
    struct statistics *statistics;
};

/* ---- drift file ---- */

static void open_drift(struct state_files *files, const char *path, const struct place *at)
{
    g_free(files->drift_place);
    files->drift_place = place_text(at);
    if (files->drift.path && path && strcmp(files->drift.path, path) == 0) {
        return;
    }
    kept_file_close(&files->drift);
    int why = kept_file_open(&files->drift, path);
    files->drift_is_failing = false;
    if (why != 0) {
        log_line(files->log, LOG_LEVEL_WARNING,
                 "%sdrift file %s: %s: the frequency is not kept; create its directory and let "
                 "the daemon's user write there",
                 files->drift_place, path, g_strerror(why));
    }
}

bool state_files_write_drift(struct state_files *files, double drift_ppm)
{
    char text[DRIFT_TEXT_SIZE];
    if (files->drift.directory < 0) {
        return true;
    }
    int why = ERANGE;
    if (fabs(drift_ppm) <= DRIFT_MAX_PPM) {
        why = kept_file_write(&files->drift, text, drift_text(drift_ppm, text), FILE_MODE);
    }
    if (why != 0 && !files->drift_is_failing) {
        log_line(files->log, LOG_LEVEL_WARNING,
                 "cannot write drift file %s: %s; the former value stays%s", files->drift.path,
                 g_strerror(why),
                 why == EACCES || why == EPERM ? "; let the daemon's user write in its directory"
                                               : "");
    } else if (why == 0 && files->drift_is_failing) {
        log_line(files->log, LOG_LEVEL_NOTICE, "drift file %s is written again", files->drift.path);
    }
    files->drift_is_failing = why != 0;
    return why == 0;
}

/* ---- pid file ---- */

/* What the kernel calls a process; empty when there is none. */
static void program_name(pid_t pid, char name[PROGRAM_NAME_SIZE])
{
    char path[64];
    *name = '\0';
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    FILE *file = fopen(path, "re");
    if (file) {
        if (!fgets(name, PROGRAM_NAME_SIZE, file)) {
            *name = '\0';
        }
        fclose(file);
    }
}

/* The process that the file names, when it lives and runs our program; else 0. A number left by a
 * process that is gone may have been given to any other since. */
static pid_t find_twin(const struct kept_file *file)
{
    char text[PID_TEXT_SIZE], own[PROGRAM_NAME_SIZE], other[PROGRAM_NAME_SIZE];
    if (kept_file_read(file, text, sizeof text) <= 0) {
        return 0;
    }
    gint64 number = g_ascii_strtoll(text, NULL, 10);
    pid_t pid = (pid_t)number;
    if (number <= 1 || number > G_MAXINT32 || pid == getpid() ||
        (kill(pid, 0) != 0 && errno != EPERM)) {
        return 0;
    }
    program_name(getpid(), own);
    program_name(pid, other);
    return strcmp(own, other) == 0 ? pid : 0;
}

bool state_files_claim_pid(struct state_files *files, char **error)
{
    char text[PID_TEXT_SIZE];
    if (files->pid_error) {
        *error = g_strdup(files->pid_error);
        return false;
    }
    if (files->pid.directory < 0) {
        return true;
    }
    pid_t twin = find_twin(&files->pid);
    if (twin > 0) {
        *error = g_strdup_printf("pid file %s: process %d runs already; stop it first",
                                 files->pid.path, (int)twin);
        return false;
    }
    int size = snprintf(text, sizeof text, "%d\n", (int)getpid());
    int why = kept_file_write(&files->pid, text, (size_t)size, FILE_MODE);
    if (why != 0) {
        *error = g_strdup_printf("cannot write pid file %s: %s; name another with -p",
                                 files->pid.path, g_strerror(why));
        return false;
    }
    files->pid_is_ours = true;
    return true;
}

static void release_pid(struct state_files *files)
{
    char text[PID_TEXT_SIZE];
    if (files->pid_is_ours && kept_file_read(&files->pid, text, sizeof text) > 0 &&
        g_ascii_strtoll(text, NULL, 10) == getpid()) {
        /* Without the right to, it stays, and names a process that is gone. */
        (void)kept_file_remove(&files->pid);
    }
}

/* ---- all of them ---- */

struct state_files *state_files_open(const struct host_config *host, const char *drift,
                                     const char *pid, struct log *log)
{
    static const struct place nowhere = {.file = NULL};
    struct state_files *files = g_new0(struct state_files, 1);
    files->log = log;
    files->drift.directory = -1;
    files->drift_is_fixed = drift != NULL;
    if (drift) {
        open_drift(files, drift, &nowhere);
    } else {
        open_drift(files, host->driftfile, &host->driftfile_at);
    }
    int why = kept_file_open(&files->pid, pid);
    if (why != 0) {
        files->pid_error = g_strdup_printf("cannot write pid file %s: %s; name another with -p",
                                           pid, g_strerror(why));
    }
    files->statistics = statistics_open(host, log);
    return files;
}

void state_files_close(struct state_files *files)
{
    if (files) {
        release_pid(files);
        kept_file_close(&files->pid);
        kept_file_close(&files->drift);
        statistics_close(files->statistics);
        g_free(files->drift_place);
        g_free(files->pid_error);
        g_free(files);
    }
}

void state_files_reload(struct state_files *files, const struct host_config *host)
{
    if (!files->drift_is_fixed) {
        open_drift(files, host->driftfile, &host->driftfile_at);
    }
    statistics_reload(files->statistics, host);
}

void state_files_check(const struct state_files *files)
{
    if (files->drift.directory >= 0 && !kept_file_may_write(&files->drift)) {
        log_line(files->log, LOG_LEVEL_WARNING,
                 "%sdrift file %s: %s: it cannot be replaced; let the daemon's user write in its "
                 "directory",
                 files->drift_place, files->drift.path, g_strerror(errno));
    }
    statistics_check(files->statistics);
}

void state_files_trace(struct state_files *files, const struct trace_record *record)
{
    statistics_trace(files->statistics, record);
}

void state_files_sysstats(struct state_files *files, struct instant now,
                          const struct engine_counters *counters,
                          const struct service_counts *threads)
{
    statistics_sys(files->statistics, now, counters, threads);
}
