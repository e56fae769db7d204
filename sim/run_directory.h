/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The directory a run leaves behind: written under a temporary name beside the target, renamed when
 * complete.
 *
 * A former run directory (it holds a summary.json) or an empty directory is replaced, in one
 * exchange of names where the file system can; anything else that has the target's name is left
 * alone and is an error. Errors are texts that name the path and the cause; g_free() them.
 */
#ifndef HOLDFAST_RUN_DIRECTORY_H
#define HOLDFAST_RUN_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

struct run_directory;

/* Makes the temporary directory, and the target's parents; NULL with *error set. */
struct run_directory *run_directory_new(const char *target, char **error);

/* The path of a file of the run while it is being written; g_free() it. */
char *run_directory_path(const struct run_directory *directory, const char *name);

/* Makes a folder inside; false with *error set. */
bool run_directory_make_folder(struct run_directory *directory, const char *name, char **error);

/* Writes a whole file; false with *error set. */
bool run_directory_write(struct run_directory *directory, const char *name, const char *text,
                         size_t size, char **error);

/* Gives the directory its name; false with *error set, and then the target is as it was. */
bool run_directory_commit(struct run_directory *directory, char **error);

/* Removes what was not committed, and frees. NULL is allowed. */
void run_directory_free(struct run_directory *directory);

#endif
