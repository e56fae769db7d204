/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The daemon's log: see log.h. Knows nothing of what is said; allocates nothing for a line.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "append_file.h"

enum { TEXT_MAX = LOG_LINE_MAX - 128, REPEAT_S = 60, LINKS_MAX = 40 /* as the kernel has it */ };

/* What log_often() counts of one kind. */
struct often {
    const char *kind;
    enum log_level level;
    int64_t since_s; /* start of the minute */
    unsigned written, left_out;
};

struct log {
    int fd;
    char *path; /* NULL = standard error */
    enum log_level most;
    bool is_journal;
    unsigned echoed; /* level up to which lines go to standard error too */
    bool is_failing; /* said so on standard error */
    unsigned lost;   /* lines, since then */
    /* The line before, and how often it was said again. */
    char last[TEXT_MAX];
    enum log_level last_level;
    int64_t last_s;
    unsigned repeats;
    struct often often[LOG_KINDS_MAX];
    unsigned often_count;
};

static int64_t monotonic_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* Whether standard error is the stream that the journal gave us: "DEVICE:INODE" of it. */
static bool is_journal(void)
{
    struct stat status;
    char text[64];
    const char *stream = g_getenv("JOURNAL_STREAM");
    if (!stream || fstat(STDERR_FILENO, &status) != 0) {
        return false;
    }
    snprintf(text, sizeof text, "%llu:%llu", (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino);
    return strcmp(stream, text) == 0;
}

static const char *level_text(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error: ";
    case LOG_LEVEL_WARNING:
        return "warning: ";
    case LOG_LEVEL_DEBUG:
        return "debug: ";
    default:
        return "";
    }
}

/* A whole line in `line` (LOG_LINE_MAX bytes): priority or time, text, newline. Returns its
 * length. */
static size_t make_line(bool for_journal, enum log_level level, const char *text, char *line)
{
    struct timespec now;
    struct tm day;
    if (for_journal) {
        return (size_t)snprintf(line, LOG_LINE_MAX, "<%d>%s\n", (int)level, text);
    }
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &day);
    size_t length = strftime(line, 64, "%Y-%m-%dT%H:%M:%S", &day);
    length +=
        (size_t)snprintf(line + length, LOG_LINE_MAX - length, ".%03dZ holdfastd[%d]: %s%s\n",
                         (int)(now.tv_nsec / 1000000), (int)getpid(), level_text(level), text);
    return length;
}

/* To standard error, whatever the log is: for what is wrong with the log itself. */
static void tell_stderr(enum log_level level, const char *text)
{
    char line[LOG_LINE_MAX];
    size_t length = make_line(is_journal(), level, text, line);
    (void)append_file_add(STDERR_FILENO, line, length);
}

static void note_failure(struct log *log, int why)
{
    char text[TEXT_MAX];
    log->lost++;
    if (!log->is_failing && log->path) {
        snprintf(text, sizeof text,
                 "cannot write the log file %s: %s; lines are lost until it can be written",
                 log->path, strerror(why));
        tell_stderr(LOG_LEVEL_ERROR, text);
    }
    log->is_failing = true;
}

static void note_recovery(struct log *log)
{
    char text[TEXT_MAX];
    unsigned lost = log->lost;
    log->is_failing = false;
    log->lost = 0;
    snprintf(text, sizeof text, "the log can be written again; %u %s lost", lost,
             lost == 1 ? "line was" : "lines were");
    if (log->path) {
        tell_stderr(LOG_LEVEL_NOTICE, text);
    }
    char line[LOG_LINE_MAX];
    size_t length = make_line(log->is_journal, LOG_LEVEL_WARNING, text, line);
    (void)append_file_add(log->fd, line, length);
}

static bool is_same_file(int a, int b)
{
    struct stat one, other;
    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

static void write_text(struct log *log, enum log_level level, const char *text)
{
    char line[LOG_LINE_MAX];
    if ((unsigned)level <= log->echoed && !is_same_file(log->fd, STDERR_FILENO)) {
        tell_stderr(level, text);
    }
    size_t length = make_line(log->is_journal, level, text, line);
    int why = append_file_add(log->fd, line, length);
    if (why != 0) {
        note_failure(log, why);
    } else if (log->lost > 0) {
        note_recovery(log);
    }
}

/* Says how often the last line was said again. */
static void settle_repeats(struct log *log)
{
    char text[TEXT_MAX];
    if (log->repeats > 0) {
        snprintf(text, sizeof text, "the line before was said %u %s more", log->repeats,
                 log->repeats == 1 ? "time" : "times");
        log->repeats = 0;
        write_text(log, log->last_level, text);
    }
}

/* Says what was left out of the kinds whose minute is over, or of all. */
static void settle_often(struct log *log, int64_t now_s, bool all)
{
    char text[TEXT_MAX];
    for (unsigned i = 0; i < log->often_count; i++) {
        struct often *often = &log->often[i];
        if (often->left_out > 0 && (all || now_s - often->since_s >= LOG_OFTEN_S)) {
            snprintf(text, sizeof text, "%s: %u more %s left out", often->kind, often->left_out,
                     often->left_out == 1 ? "line was" : "lines were");
            often->left_out = 0;
            settle_repeats(log);
            log->last[0] = '\0';
            write_text(log, often->level, text);
        }
    }
}

static void write_limited(struct log *log, enum log_level level, const char *text)
{
    int64_t now_s = monotonic_s();
    if (strcmp(text, log->last) == 0 && level == log->last_level &&
        now_s - log->last_s < REPEAT_S) {
        log->repeats++;
        return;
    }
    settle_repeats(log);
    settle_often(log, now_s, false);
    g_strlcpy(log->last, text, sizeof log->last);
    log->last_level = level;
    log->last_s = now_s;
    write_text(log, level, text);
}

G_GNUC_PRINTF(3, 0)
static void format_line(struct log *log, enum log_level level, const char *format, va_list values)
{
    char text[TEXT_MAX];
    vsnprintf(text, sizeof text, format, values);
    for (char *at = text; *at; at++) {
        if (g_ascii_iscntrl(*at)) {
            *at = '?';
        }
    }
    write_limited(log, level, text);
}

bool log_wants(const struct log *log, enum log_level level)
{
    return level <= log->most;
}

void log_line(struct log *log, enum log_level level, const char *format, ...)
{
    va_list values;
    if (!log_wants(log, level)) {
        return;
    }
    va_start(values, format);
    format_line(log, level, format, values);
    va_end(values);
}

/* The counter of a kind; NULL when there are too many kinds. */
static struct often *find_often(struct log *log, const char *kind)
{
    for (unsigned i = 0; i < log->often_count; i++) {
        if (strcmp(log->often[i].kind, kind) == 0) {
            return &log->often[i];
        }
    }
    if (log->often_count == LOG_KINDS_MAX) {
        return NULL;
    }
    struct often *often = &log->often[log->often_count++];
    *often = (struct often){.kind = kind};
    return often;
}

bool log_admits(struct log *log, enum log_level level, const char *kind)
{
    if (!log_wants(log, level)) {
        return false;
    }
    struct often *often = find_often(log, kind);
    int64_t now_s = monotonic_s();
    if (!often) {
        return true;
    }
    if (often->written == 0 || now_s - often->since_s >= LOG_OFTEN_S) {
        settle_often(log, now_s, false);
        often->since_s = now_s;
        often->written = 0;
    }
    often->level = level;
    if (often->written == LOG_OFTEN_LINES) {
        often->left_out++;
        return false;
    }
    often->written++;
    return true;
}

void log_often(struct log *log, enum log_level level, const char *kind, const char *format, ...)
{
    va_list values;
    if (!log_admits(log, level, kind)) {
        return;
    }
    va_start(values, format);
    format_line(log, level, format, values);
    va_end(values);
}

static const char *cure_of(int why)
{
    switch (why) {
    case ENOENT:
    case ENOTDIR:
        return "create its directory";
    case EACCES:
    case EPERM:
        return "create it for the user that the daemon runs as";
    case ENXIO:
        return "start what reads it first, or name another file";
    case EROFS:
        return "let it be written there (ReadWritePaths= of a systemd unit) or leave logfile out";
    default:
        return "name another file";
    }
}

static char *refusal_text(const char *path, int why)
{
    return g_strdup_printf("cannot open the log file %s: %s; %s", path, strerror(why),
                           cure_of(why));
}

/* Whether something reads a FIFO shows by opening it only; nothing is written. */
static int look_at_fifo(const char *path)
{
    int fd = append_file_open(AT_FDCWD, path);
    if (fd < 0) {
        return errno;
    }
    close(fd);
    return 0;
}

/* What would be made for a path where nothing is: its own name, or that at the end of the links
 * that it consists of. Free with g_free(). */
static char *end_of_links(const char *path)
{
    char *end = g_strdup(path), *target;
    for (int i = 0; i < LINKS_MAX && (target = g_file_read_link(end, NULL)); i++) {
        char *folder = g_path_get_dirname(end);
        g_free(end);
        end =
            g_path_is_absolute(target) ? g_strdup(target) : g_build_filename(folder, target, NULL);
        g_free(folder);
        g_free(target);
    }
    return end;
}

static int look_at_folder(const char *path)
{
    char *end = end_of_links(path);
    char *folder = g_path_get_dirname(end);
    int why = faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
    g_free(folder);
    g_free(end);
    return why;
}

char *log_check(const char *path)
{
    struct stat status;
    mode_t kind = stat(path, &status) == 0 ? status.st_mode & S_IFMT : 0;
    int why = faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 ? 0 : errno;
    if (kind == S_IFDIR) {
        why = EISDIR;
    } else if (why == ENOENT) {
        why = look_at_folder(path);
    } else if (why == 0 && kind == S_IFIFO) {
        why = look_at_fifo(path);
    } else if (why == 0 && kind == S_IFSOCK) {
        why = ENXIO;
    }
    return why == 0 ? NULL : refusal_text(path, why);
}

static int open_path(const char *path, char **error)
{
    int fd = path ? append_file_open(AT_FDCWD, path) : STDERR_FILENO;
    if (fd < 0) {
        *error = refusal_text(path, errno);
    }
    return fd;
}

struct log *log_open(const char *path, enum log_level most, char **error)
{
    int fd = open_path(path, error);
    const char *used = fd >= 0 ? path : NULL;
    struct log *log = g_new0(struct log, 1);
    log->fd = fd >= 0 ? fd : STDERR_FILENO;
    log->path = g_strdup(used);
    log->most = most;
    log->is_journal = !used && is_journal();
    return log;
}

void log_echo(struct log *log, unsigned most)
{
    log->echoed = most;
}

bool log_reopen(struct log *log, const char *path, char **error)
{
    int fd = open_path(path, error);
    if (fd < 0) {
        return false;
    }
    if (!is_same_file(fd, log->fd)) {
        settle_repeats(log);
        log->last[0] = '\0'; /* another file starts with what is said, not with a count */
        log->is_failing = false;
    }
    if (log->path) {
        close(log->fd);
    }
    char *kept = g_strdup(path);
    g_free(log->path);
    log->fd = fd;
    log->path = kept;
    log->is_journal = !path && is_journal();
    return true;
}

void log_close(struct log *log)
{
    if (!log) {
        return;
    }
    settle_repeats(log);
    settle_often(log, monotonic_s(), true);
    if (log->path) {
        close(log->fd);
    }
    g_free(log->path);
    g_free(log);
}
