/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that are to be written, looked at beforehand: see file_check.h.
 */
#include "file_check.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "kept_file.h"
#include "log.h"

struct file_check {
    const struct host_config *host;
    struct kept_file drift;
    int statsdir; /* -1 = not looked at, or it cannot be opened */
};

static void warn(struct messages *messages, const struct place *at, const char *what,
                 const char *path, int why, const char *cure)
{
    messages_add(messages, SEVERITY_WARNING, at->file, at->line, at->column, "%s %s: %s: %s", what,
                 path, g_strerror(why), cure);
}

static bool has_statistics(const struct host_config *host)
{
    for (size_t i = 0; i < host->filegen_count; i++) {
        if (host->filegens[i].enabled) {
            return true;
        }
    }
    return false;
}

static void open_drift(struct file_check *check, struct messages *messages)
{
    const struct host_config *host = check->host;
    int why = kept_file_open(&check->drift, host->driftfile);
    if (why != 0) {
        warn(messages, &host->driftfile_at, "drift file", host->driftfile, why,
             "the frequency would not be kept; create its directory and let the daemon's user "
             "write there");
    }
}

static void open_statsdir(struct file_check *check, struct messages *messages)
{
    const struct host_config *host = check->host;
    check->statsdir = open(host->statsdir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (check->statsdir < 0) {
        warn(messages, &host->statsdir_at, "statsdir", host->statsdir, errno,
             "no statistics would be written; create it and let the daemon's user write there");
    }
}

static void look_at_log(const struct host_config *host, struct messages *messages)
{
    const struct place *at = &host->logfile_at;
    char *refusal = log_check(host->logfile);
    if (refusal) {
        messages_add(messages, SEVERITY_WARNING, at->file, at->line, at->column,
                     "%s; the log would go to standard error", refusal);
        g_free(refusal);
    }
}

struct file_check *file_check_begin(const struct host_config *host,
                                    const struct daemon_options *options, struct messages *messages)
{
    struct file_check *check = g_new0(struct file_check, 1);
    *check = (struct file_check){.host = host, .drift = {.directory = -1}, .statsdir = -1};
    if (host->driftfile && !options->drift) {
        open_drift(check, messages);
    }
    if (host->statsdir && has_statistics(host)) {
        open_statsdir(check, messages);
    }
    if (host->logfile && !options->log) {
        look_at_log(host, messages);
    }
    return check;
}

void file_check_rights(const struct file_check *check, struct messages *messages)
{
    const struct host_config *host = check->host;
    if (check->drift.directory >= 0 && !kept_file_may_write(&check->drift)) {
        warn(messages, &host->driftfile_at, "drift file", host->driftfile, errno,
             "it could not be replaced; let the daemon's user (-u) write in its directory");
    }
    if (check->statsdir >= 0 && faccessat(check->statsdir, ".", W_OK | X_OK, AT_EACCESS) != 0) {
        warn(messages, &host->statsdir_at, "statsdir", host->statsdir, errno,
             "no statistics could begin there; let the daemon's user (-u) write in it");
    }
}

void file_check_end(struct file_check *check)
{
    kept_file_close(&check->drift);
    if (check->statsdir >= 0) {
        close(check->statsdir);
    }
    g_free(check);
}
