/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one table of sub-commands: the command line, its help and its manual page read it. Knows
 * nothing of what they do.
 */
#include <glib.h>

#include "command.h"

static const struct command commands[] = {{"run", command_run, command_run_help},
                                          {"plot", command_plot, command_plot_help},
                                          {"replay", command_replay, command_replay_help},
                                          {"status", command_status, command_status_help},
                                          {"wait-sync", command_wait_sync, command_wait_sync_help},
                                          {"keygen", command_keygen, command_keygen_help},
                                          {"help", command_help, command_help_help},
                                          {"version", command_version, command_version_help}};

const struct command *command_table(size_t *count)
{
    *count = G_N_ELEMENTS(commands);
    return commands;
}
