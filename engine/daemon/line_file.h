/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file that lines are added to: each line is there whole or not at all, also on a full disk.
 *
 * What the log and the statistics have in common. Says nothing to anybody: the caller tells.
 */
#ifndef HOLDFAST_DAEMON_LINE_FILE_H
#define HOLDFAST_DAEMON_LINE_FILE_H

#include <stddef.h>

/* Opens `name` below the directory (AT_FDCWD: as a path) for appending, made with mode 0640 when it
 * is not there. Never waits, whatever the name stands for. -1 with errno. */
int line_file_open(int directory, const char *name);

/* Appends the line, which has its newline. 0 or an errno; then a part that was written is taken off
 * again, where the file can be cut. */
int line_file_append(int fd, const char *line, size_t size);

#endif
