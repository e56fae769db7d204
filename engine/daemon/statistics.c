/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Statistics files: see statistics.h. Allocates nothing for a line, but when a file is opened.
 */
#include "statistics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../inspection.h"
#include "append_file.h"

enum { DAY_S = 86400, SUFFIX_SIZE = 24 };

/* The files of one kind, one after the other. */
struct series {
    bool is_enabled, has_link;
    char *base; /* below the folder */
    enum filegen_type type;
    int fd;                   /* -1 = none open */
    int64_t day;              /* that `suffix` was made for */
    char suffix[SUFFIX_SIZE]; /* of the open file */
    bool is_failing;          /* said so */
    unsigned lost;            /* lines, since then */
};

struct statistics {
    struct log *log;
    bool has_begun;
    mono_time begin; /* the age counts from here */
    char *folder;    /* statsdir; NULL = none */
    char *place;     /* of its line, before what is said of it */
    int directory;
    struct series series[STATISTICS_KINDS];
    struct packet_counts counted; /* until the last line of sysstats */
    mono_time counted_at;
    bool has_counted;
};

/* ---- configuration ---- */

static enum statistics_kind kind_of(const char *name)
{
    unsigned kind = 0;
    while (kind < STATISTICS_KINDS &&
           strcmp(trace_statistics_name((enum statistics_kind)kind), name) != 0) {
        kind++;
    }
    return (enum statistics_kind)kind;
}

static void close_file(struct series *series)
{
    if (series->fd >= 0) {
        close(series->fd);
        series->fd = -1;
    }
}

/* Takes the kinds over from the configuration; true when any is enabled. */
static bool take_series(struct statistics *s, const struct host_config *host)
{
    bool any = false;
    for (unsigned i = 0; i < STATISTICS_KINDS; i++) {
        close_file(&s->series[i]);
        g_free(s->series[i].base);
        s->series[i] = (struct series){.fd = -1};
    }
    for (size_t i = 0; i < host->filegen_count; i++) {
        const struct filegen *filegen = &host->filegens[i];
        enum statistics_kind kind = kind_of(filegen->name);
        if (!filegen->enabled || kind == STATISTICS_KINDS) {
            continue;
        }
        struct series *series = &s->series[kind];
        g_free(series->base);
        /* As ntpd joins them, a name with a slash in front is below the folder too. */
        series->base = g_strdup(filegen->file + strspn(filegen->file, "/"));
        series->type = filegen->type;
        series->has_link = filegen->link;
        series->is_enabled = true;
        any = true;
    }
    return any;
}

static void close_folder(struct statistics *s)
{
    if (s->directory >= 0) {
        close(s->directory);
    }
    g_free(s->folder);
    s->directory = -1;
    s->folder = NULL;
}

/* That there is no statsdir the configuration's reader has said. */
static void open_folder(struct statistics *s, const char *path, const struct place *at)
{
    g_free(s->place);
    s->place = place_text(at);
    if (s->folder && path && strcmp(s->folder, path) == 0) {
        return;
    }
    close_folder(s);
    if (!path) {
        return;
    }
    s->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->directory < 0) {
        log_line(s->log, LOG_LEVEL_WARNING,
                 "%sno statistics are written: cannot open statsdir %s: %s; create it and let the "
                 "daemon's user write there",
                 s->place, path, g_strerror(errno));
        return;
    }
    s->folder = g_strdup(path);
}

struct statistics *statistics_open(const struct host_config *host, struct log *log)
{
    struct statistics *s = g_new0(struct statistics, 1);
    s->log = log;
    s->directory = -1;
    for (unsigned i = 0; i < STATISTICS_KINDS; i++) {
        s->series[i].fd = -1;
    }
    statistics_reload(s, host);
    return s;
}

void statistics_reload(struct statistics *s, const struct host_config *host)
{
    if (take_series(s, host)) {
        open_folder(s, host->statsdir, &host->statsdir_at);
    } else {
        close_folder(s);
    }
}

void statistics_close(struct statistics *s)
{
    const struct host_config nothing = {.filegen_count = 0};
    take_series(s, &nothing);
    close_folder(s);
    g_free(s->place);
    g_free(s);
}

void statistics_check(const struct statistics *s)
{
    if (s->directory >= 0 && faccessat(s->directory, ".", W_OK | X_OK, AT_EACCESS) != 0) {
        log_line(s->log, LOG_LEVEL_WARNING,
                 "%sstatsdir %s: %s: statistics cannot begin new files there; let the daemon's "
                 "user write in it",
                 s->place, s->folder, g_strerror(errno));
    }
}

/* ---- which file ---- */

/* What stands behind the name at a time, by the type. */
static void make_suffix(const struct series *series, int64_t unix_s, int64_t age_s,
                        char suffix[SUFFIX_SIZE])
{
    time_t at = (time_t)unix_s;
    struct tm day;
    gmtime_r(&at, &day);
    *suffix = '\0';
    switch (series->type) {
    case FILEGEN_DAY:
        strftime(suffix, SUFFIX_SIZE, ".%Y%m%d", &day);
        break;
    case FILEGEN_WEEK:
        strftime(suffix, SUFFIX_SIZE, ".%Gw%V", &day);
        break;
    case FILEGEN_MONTH:
        strftime(suffix, SUFFIX_SIZE, ".%Y%m", &day);
        break;
    case FILEGEN_YEAR:
        strftime(suffix, SUFFIX_SIZE, ".%Y", &day);
        break;
    case FILEGEN_PID:
        snprintf(suffix, SUFFIX_SIZE, ".#%d", (int)getpid());
        break;
    case FILEGEN_AGE:
        snprintf(suffix, SUFFIX_SIZE, ".a%08lld", (long long)age_s / DAY_S * DAY_S);
        break;
    case FILEGEN_NONE:
    case FILEGEN_TYPES:
        break;
    }
}

/* A file of its own under the bare name - the type was none before - is kept under another one; a
 * link to a former file is not needed. False when something else is there. */
static bool clear_link(const struct statistics *s, const struct series *series,
                       const struct stat *present)
{
    struct stat there;
    if (fstatat(s->directory, series->base, &there, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT;
    }
    if (!S_ISREG(there.st_mode)) {
        errno = EEXIST;
        return false;
    }
    if (there.st_ino == present->st_ino && there.st_dev == present->st_dev) {
        errno = 0;
        return false;
    }
    if (there.st_nlink > 1) {
        return unlinkat(s->directory, series->base, 0) == 0;
    }
    char *saved =
        g_strdup_printf("%s.%dC%lld", series->base, (int)getpid(), (long long)there.st_mtim.tv_sec);
    bool done = renameat(s->directory, series->base, s->directory, saved) == 0;
    g_free(saved);
    return done;
}

static void make_link(const struct statistics *s, const struct series *series, const char *name)
{
    struct stat present;
    errno = 0;
    if (fstat(series->fd, &present) == 0 && clear_link(s, series, &present)) {
        errno = 0;
        if (linkat(s->directory, name, s->directory, series->base, 0) == 0) {
            return;
        }
    }
    if (errno != 0) {
        log_line(s->log, LOG_LEVEL_WARNING, "cannot link %s/%s to %s: %s; \"nolink\" does without",
                 s->folder, series->base, name, g_strerror(errno));
    }
}

/* Opens the file of this time if another is open, or none. 0 or an errno. */
static int turn_over(const struct statistics *s, struct series *series, struct instant now)
{
    int64_t unix_s = unix_s_from_ntp(now.clock);
    int64_t age_s = (int64_t)mono_diff_s(now.mono, s->begin);
    int64_t day = series->type == FILEGEN_AGE ? age_s / DAY_S : unix_s / DAY_S;
    char suffix[SUFFIX_SIZE];
    if (series->fd >= 0 && day == series->day) {
        return 0;
    }
    make_suffix(series, unix_s, age_s, suffix);
    if (series->fd >= 0 && strcmp(suffix, series->suffix) == 0) {
        series->day = day;
        return 0;
    }
    close_file(series);
    char *name = g_strconcat(series->base, suffix, NULL);
    series->fd = append_file_open(s->directory, name);
    int why = series->fd < 0 ? errno : 0;
    if (why == 0) {
        series->day = day;
        g_strlcpy(series->suffix, suffix, sizeof series->suffix);
        if (series->has_link && *suffix) {
            make_link(s, series, name);
        }
    }
    g_free(name);
    return why;
}

/* ---- lines ---- */

static void note_failure(const struct statistics *s, struct series *series, int why)
{
    series->lost++;
    if (!series->is_failing) {
        series->is_failing = true;
        log_line(s->log, LOG_LEVEL_WARNING,
                 "cannot write statistics to %s/%s: %s; lines are lost until it can be written%s",
                 s->folder, series->base, g_strerror(why),
                 why == EACCES || why == EPERM ? "; let the daemon's user write there" : "");
    }
}

static void note_success(const struct statistics *s, struct series *series)
{
    if (series->is_failing) {
        log_line(s->log, LOG_LEVEL_NOTICE, "%s/%s can be written again; %u %s lost", s->folder,
                 series->base, series->lost, series->lost == 1 ? "line was" : "lines were");
        series->is_failing = false;
        series->lost = 0;
    }
}

static void write_line(struct statistics *s, struct series *series, struct instant now,
                       const char *line, size_t size)
{
    if (!s->has_begun) {
        s->begin = now.mono;
        s->has_begun = true;
    }
    int why = turn_over(s, series, now);
    if (why == 0) {
        why = append_file_add(series->fd, line, size);
    }
    if (why != 0) {
        note_failure(s, series, why);
    } else {
        note_success(s, series);
    }
}

static bool is_written(const struct statistics *s, enum statistics_kind kind)
{
    return s->directory >= 0 && s->series[kind].is_enabled;
}

void statistics_trace(struct statistics *s, const struct trace_record *record)
{
    char line[STATISTICS_LINE_MAX];
    for (unsigned kind = 0; kind < STATISTICS_KINDS; kind++) {
        if (is_written(s, (enum statistics_kind)kind)) {
            size_t size = trace_statistics_line(record, (enum statistics_kind)kind, line);
            if (size > 0) {
                write_line(s, &s->series[kind], record->now, line, size);
            }
        }
    }
}

/* ---- counters ---- */

static struct packet_counts counts_since(const struct packet_counts *now,
                                         const struct packet_counts *before)
{
    return (struct packet_counts){
        .received = now->received - before->received,
        .processed = now->processed - before->processed,
        .version_4 = now->version_4 - before->version_4,
        .version_older = now->version_older - before->version_older,
        .restricted = now->restricted - before->restricted,
        .malformed = now->malformed - before->malformed,
        .bad_auth = now->bad_auth - before->bad_auth,
        .declined = now->declined - before->declined,
        .limited = now->limited - before->limited,
        .kissed = now->kissed - before->kissed,
    };
}

void statistics_sys(struct statistics *s, struct instant now,
                    const struct engine_counters *counters, const struct service_counts *threads)
{
    char line[STATISTICS_LINE_MAX];
    struct packet_counts all = inspection_packet_counts(counters, threads);
    struct packet_counts counts = counts_since(&all, &s->counted);
    mono_time from = s->has_counted ? s->counted_at : counters->since.mono;
    double elapsed_s = mono_diff_s(now.mono, from);
    uint64_t seconds = elapsed_s > 0 ? (uint64_t)rint(elapsed_s) : 0;
    s->counted = all;
    s->counted_at = now.mono;
    s->has_counted = true;
    if (is_written(s, STATISTICS_SYS)) {
        size_t size = trace_statistics_sys_line(now.clock, seconds, &counts, line);
        write_line(s, &s->series[STATISTICS_SYS], now, line, size);
    }
}
