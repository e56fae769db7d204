/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small file that is replaced whole: written to a temporary name beside it, flushed, renamed.
 *
 * Its directory is opened first, while there are rights to, and used ever after: a later chroot or
 * another user changes nothing about where it is. Knows nothing of what is in the file.
 */
#ifndef HOLDFAST_DAEMON_KEPT_FILE_H
#define HOLDFAST_DAEMON_KEPT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct kept_file {
    int directory; /* -1 = there is no such file, and nothing is written */
    char *path;    /* as it was named; NULL = none */
    char *name;    /* within the directory */
};

/* Opens the directory of `path` (NULL = none: no error). 0 or an errno; EISDIR for a path that ends
 * in a slash. */
int kept_file_open(struct kept_file *file, const char *path);
void kept_file_close(struct kept_file *file);

/* Replaces the file. 0 or an errno; then the former file is as it was. */
int kept_file_write(const struct kept_file *file, const char *text, size_t size, mode_t mode);

/* Reads at most `size` - 1 bytes of the file and ends them with a NUL; their number, -1 with
 * errno. */
ssize_t kept_file_read(const struct kept_file *file, char *text, size_t size);

/* 0 or an errno. */
int kept_file_remove(const struct kept_file *file);

/* Whether the process as it is now may replace the file; errno says why not. */
bool kept_file_may_write(const struct kept_file *file);

#endif
