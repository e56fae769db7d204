/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sub-commands of `holdfast`: what they are given and what they give back.
 */
#ifndef HOLDFAST_COMMAND_H
#define HOLDFAST_COMMAND_H

#include <stdbool.h>

#define HOLDFAST_VERSION "0.1.0"

enum exit_status {
    STATUS_ALL_RIGHT = 0,
    STATUS_EXPECTATION = 1,   /* an expectation failed */
    STATUS_USAGE = 2,         /* the command line makes no sense */
    STATUS_CONFIGURATION = 3, /* scenario, configuration, output directory or missing tool */
    STATUS_INVARIANT = 4,     /* a rule of the contract was broken: our mistake */
    STATUS_INTERRUPTED = 130
};

/* The words after the sub-command's name, and whether somebody wants it to end. */
struct command_line {
    int count;
    char **words;
    bool (*is_interrupted)(void);
};

/* holdfast run SCENARIO [OPTION]... */
enum exit_status command_run(const struct command_line *line);
const char *command_run_help(void);

/* holdfast plot DIR */
enum exit_status command_plot(const struct command_line *line);
const char *command_plot_help(void);

/* Draws the plots of a run directory into it. False with a message in *why (g_free() it) when that
 * cannot be done: gnuplot is missing, or the programs are not found; *why stays NULL when they
 * failed and have said why on standard error. */
bool command_plot_draw(const char *directory, char **why);

#endif
