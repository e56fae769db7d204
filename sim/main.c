/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line of `holdfast`: finds the sub-command in its table and runs it. Knows nothing of
 * what they do.
 */
#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "../engine/config/lexer.h"
#include "command.h"

/* Set by ^C and read between slices of a run. */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

static bool is_interrupted(void)
{
    return interrupted != 0;
}

/* The first ^C ends a run in order; a second one ends the process. */
static void catch_interrupt(void)
{
    struct sigaction action = {.sa_handler = on_interrupt,
                               .sa_flags = SA_RESTART | (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
}

/* What people type at a program they do not know. */
static const char *canonical_name(const char *name)
{
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        return "help";
    }
    return strcmp(name, "--version") == 0 ? "version" : name;
}

static enum exit_status complain_of_command(const char *name)
{
    size_t count;
    const struct command *table = command_table(&count);
    const char **names = g_new0(const char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        names[i] = table[i].name;
    }
    const char *nearest = nearest_word(name, names);
    g_free(names);
    fprintf(stderr, "holdfast: unknown command \"%s\"", name);
    if (nearest) {
        fprintf(stderr, "; did you mean \"%s\"?", nearest);
    }
    fprintf(stderr, "\nTry \"holdfast help\".\n");
    return STATUS_USAGE;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        command_usage(stderr);
        return STATUS_USAGE;
    }
    const char *name = canonical_name(argv[1]);
    struct command_line line = {argc - 2, argv + 2, is_interrupted};
    size_t count;
    const struct command *table = command_table(&count);
    size_t i = 0;
    while (i < count && strcmp(table[i].name, name) != 0) {
        i++;
    }
    if (i == count) {
        return (int)complain_of_command(name);
    }
    catch_interrupt();
    enum exit_status status = table[i].run(&line);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "holdfast: cannot write to standard output: %s\n", g_strerror(errno));
        return status == STATUS_ALL_RIGHT ? STATUS_CONFIGURATION : (int)status;
    }
    return (int)status;
}
