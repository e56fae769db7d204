/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A regular file of bounded size, read whole and at once. Never reads a device or a pipe, never
 * waits.
 */
#ifndef HOLDFAST_TEXT_FILE_H
#define HOLDFAST_TEXT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text_file {
    char *text; /* size bytes, then a NUL; free with text_file_clear() */
    size_t size;
    unsigned mode;          /* permission bits */
    uint64_t device, inode; /* which file it was, whatever its name */
};

/* Reads at most `size_max` bytes. NULL when all is well; else why not ("No such file or
 * directory"), with nothing to clear; free that text with g_free(). */
char *text_file_read(const char *path, size_t size_max, struct text_file *out)
    __attribute__((warn_unused_result));

/* Wipes and frees the text. */
void text_file_clear(struct text_file *file);

#endif
