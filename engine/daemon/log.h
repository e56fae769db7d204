/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The daemon's log: lines to standard error with journal priorities, or to a file with their time.
 *
 * A line that says the same as the one before it, less than a minute later, is counted and not
 * written: the next one that is written comes with how many there were. A log file that cannot be
 * written (disk full) is told once on standard error, and again when it works. SIGHUP opens the
 * file anew, and forgets nothing of what is counted. Bytes that are no text (control characters)
 * become '?', so that nobody outside can make a line look like two. One thread only: the main
 * loop's.
 */
#ifndef HOLDFAST_DAEMON_LOG_H
#define HOLDFAST_DAEMON_LOG_H

#include <glib.h>
#include <stdbool.h>

/* syslog's numbers. */
enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_NOTICE = 5,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7
};

/* Limits of log_often(): so many lines of one kind in so many seconds. */
enum { LOG_OFTEN_LINES = 5, LOG_OFTEN_S = 60, LOG_KINDS_MAX = 32, LOG_LINE_MAX = 1024 };

struct log;

/* Levels above `most` are not written. `path` NULL = standard error: with "<N>" in front when
 * JOURNAL_STREAM says that it leads to the journal (which adds time and name), else as a file.
 * A file has lines such as "2026-03-01T22:30:01.123Z holdfastd[4711]: warning: text", the time
 * being UTC by this host's clock. A file that cannot be opened leaves standard error in its place,
 * with *error (g_free() it) saying why and what helps. */
struct log *log_open(const char *path, enum log_level most, char **error);

/* What log_open() would say of a file, which is not made, not written to and, unless it is a FIFO,
 * not opened; NULL when it could be opened. Free with g_free(). */
char *log_check(const char *path);

/* Writes what is still counted, and closes. NULL is nothing to close. */
void log_close(struct log *log);

/* Lines up to that level are written to standard error as well when the log is another file: for
 * the time in which somebody waits there for us to start. 0 = none, as after log_open(). */
enum { LOG_ECHO_NONE = 0 };
void log_echo(struct log *log, unsigned most);

/* Opens the file of that path from now on (NULL = standard error); on failure the former one stays
 * and *error says why and what helps. How often the last line was said again is told in the former
 * file when that one was another (a log that was rotated), else it is counted on; lines that were
 * lost are told in the new one. */
bool log_reopen(struct log *log, const char *path, char **error);

/* Whether a line of that level is written at all: for what costs something to find out. */
bool log_wants(const struct log *log, enum log_level level);

/* One line, no newline; cut at LOG_LINE_MAX. */
void log_line(struct log *log, enum log_level level, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The same, but lines of equal `kind` (a constant string, at most LOG_KINDS_MAX different ones) are
 * limited together: at most LOG_OFTEN_LINES in LOG_OFTEN_S, then, with the next line of any kind
 * that is written after that time, one that says how many were left out. */
void log_often(struct log *log, enum log_level level, const char *kind, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* Counts a line of the kind; true when log_often() would write it, and then log_line() is to. For
 * lines whose text costs something to make. */
bool log_admits(struct log *log, enum log_level level, const char *kind);

#endif
