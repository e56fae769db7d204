/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file that grows during a run: collected in memory, appended in large pieces, the first error
 * kept.
 *
 * Not held open in between, so that a scenario with many hosts needs no more descriptors than one
 * with few.
 */
#ifndef HOLDFAST_OUTPUT_FILE_H
#define HOLDFAST_OUTPUT_FILE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct output_file {
    char *path;
    GString *pending;
    int cause; /* errno of the first failure; 0 = none */
};

/* Takes `path` over (g_free()d in the end); the file is made by the first flush. */
void output_file_init(struct output_file *file, char *path);

void output_file_append(struct output_file *file, const void *bytes, size_t size);

/* Writes what is pending, making the file when there is none; false when this or anything before
 * failed. */
bool output_file_flush(struct output_file *file);

void output_file_clear(struct output_file *file);

#endif
