/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sub-commands of `holdfast`: what they are given and what they give back.
 */
#ifndef HOLDFAST_COMMAND_H
#define HOLDFAST_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "../engine/version.h"

enum exit_status {
    STATUS_ALL_RIGHT = 0,
    STATUS_EXPECTATION = 1,   /* an expectation failed */
    STATUS_FAILED = 1,        /* what was asked for is not so, or could not be found out */
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

struct command {
    const char *name;
    enum exit_status (*run)(const struct command_line *line);
    const char *(*help)(void); /* lines for `holdfast help`: two blanks, name, arguments, text */
};

/* All sub-commands, in the order of the help. */
const struct command *command_table(size_t *count);

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

/* holdfast replay FILE [--verbose] */
enum exit_status command_replay(const struct command_line *line);
const char *command_replay_help(void);

/* holdfast status [OPTION]... [ADDRESS] */
enum exit_status command_status(const struct command_line *line);
const char *command_status_help(void);

/* holdfast wait-sync [OPTION]... [ADDRESS] */
enum exit_status command_wait_sync(const struct command_line *line);
const char *command_wait_sync_help(void);

/* holdfast keygen [OPTION]... [ID] */
enum exit_status command_keygen(const struct command_line *line);
const char *command_keygen_help(void);

/* holdfast help [TOPIC], holdfast version */
enum exit_status command_help(const struct command_line *line);
const char *command_help_help(void);
enum exit_status command_version(const struct command_line *line);
const char *command_version_help(void);

/* What `holdfast help` prints. */
void command_usage(FILE *to);

#endif
