/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file that pieces are added to: each piece is there whole or not at all, also on a full disk.
 *
 * What the log, the statistics, the recording and files replaced whole have in common. Says nothing
 * to anybody: the caller tells.
 */
#ifndef HOLDFAST_DAEMON_APPEND_FILE_H
#define HOLDFAST_DAEMON_APPEND_FILE_H

#include <stddef.h>

/* Opens `name` below the directory (AT_FDCWD: as a path) for appending, made with mode 0640 when it
 * is not there. Never waits, whatever the name stands for. -1 with errno. */
int append_file_open(int directory, const char *name);

/* Adds a piece - a line with its newline, a record - at the end of the file, where its position has
 * to be unless it was opened for appending. 0 or an errno; then a part that was written is taken
 * off again, where the file can be cut. */
int append_file_add(int fd, const void *piece, size_t size);

#endif
