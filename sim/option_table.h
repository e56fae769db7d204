/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The options of a sub-command, by table: "--name value", "--name=value", flags, and other words.
 *
 * Complains on standard error in one line that begins with the sub-command's name. Knows no option
 * itself.
 */
#ifndef HOLDFAST_OPTION_TABLE_H
#define HOLDFAST_OPTION_TABLE_H

#include <glib.h>

#include "command.h"

struct option {
    const char *name;  /* with its dashes */
    const char *value; /* what it needs, for the message ("a directory"); NULL = a flag */
    /* Stores it; false when the value makes no sense. `value` is NULL for a flag. */
    bool (*take)(void *options, const char *value);
};

struct option_table {
    const char *command; /* "run" */
    const struct option *options;
    size_t count;
    /* Takes a word that is no option; complains itself when it returns false. */
    bool (*take_word)(void *options, const char *word);
};

/* Reads all words of the line into *options; false after a complaint. "-" alone is a word. */
bool option_table_read(const struct option_table *table, const struct command_line *line,
                       void *options);

/* "holdfast COMMAND: TEXT" on standard error; returns false. */
bool option_table_complain(const char *command, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
