/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line of `holdfast`: one table of sub-commands. Knows nothing of what they do.
 */
#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "../engine/config/lexer.h"
#include "../engine/config/ntpconf.h"
#include "command.h"
#include "scenario.h"

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

static enum exit_status command_help(const struct command_line *line);
static enum exit_status command_version(const struct command_line *line);

static const char *help_help(void)
{
    return "  help [ntp.conf|scenario]\n"
           "                       this text, the directives of ntp.conf, the scenario language\n";
}

static const char *version_help(void)
{
    return "  version              the version\n";
}

static const struct {
    const char *name;
    enum exit_status (*run)(const struct command_line *line);
    const char *(*help)(void);
} commands[] = {{"run", command_run, command_run_help},
                {"plot", command_plot, command_plot_help},
                {"help", command_help, help_help},
                {"version", command_version, version_help}};

static void print_usage(FILE *to)
{
    fprintf(to, "usage: holdfast COMMAND ...\n\n");
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        fputs(commands[i].help(), to);
    }
    fprintf(to, "\nExit status: 0 all right, 1 an expectation failed, 2 usage, 3 configuration or "
                "scenario\n"
                "error, 4 an invariant was violated, 130 interrupted.\n");
}

static const char *support_text(enum support support)
{
    static const char *const texts[] = {[SUPPORT_FULL] = "",
                                        [SUPPORT_NO_EFFECT] = "[accepted without effect] ",
                                        [SUPPORT_ERROR] = "[error] "};
    return texts[support];
}

static void print_directives(void)
{
    size_t count;
    const struct directive_help *rows = ntpconf_help(&count);
    for (size_t i = 0; i < count; i++) {
        const struct directive_help *row = &rows[i];
        bool has_arguments = row->arguments && row->arguments[0];
        printf("%s%s%s\n    %s%s\n", row->name, has_arguments ? " " : "",
               has_arguments ? row->arguments : "", support_text(row->support), row->help);
        if (row->default_text && row->default_text[0]) {
            printf("    default: %s\n", row->default_text);
        }
    }
}

static enum exit_status command_help(const struct command_line *line)
{
    static const char *const topics[] = {"ntp.conf", "scenario", NULL};
    const char *topic = line->count > 0 ? line->words[0] : NULL;
    if (line->count == 0) {
        print_usage(stdout);
    } else if (line->count == 1 && strcmp(topic, topics[0]) == 0) {
        print_directives();
    } else if (line->count == 1 && strcmp(topic, topics[1]) == 0) {
        char *text = scenario_help();
        fputs(text, stdout);
        g_free(text);
    } else {
        fprintf(stderr, "holdfast help: there is help on ntp.conf and scenario\n");
        return STATUS_USAGE;
    }
    return STATUS_ALL_RIGHT;
}

static enum exit_status command_version(const struct command_line *line)
{
    if (line->count > 0) {
        fprintf(stderr, "holdfast version: no arguments expected\n");
        return STATUS_USAGE;
    }
    printf("holdfast %s\n", HOLDFAST_VERSION);
    return STATUS_ALL_RIGHT;
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
    const char *names[G_N_ELEMENTS(commands) + 1] = {NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        names[i] = commands[i].name;
    }
    const char *nearest = nearest_word(name, names);
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
        print_usage(stderr);
        return STATUS_USAGE;
    }
    const char *name = canonical_name(argv[1]);
    struct command_line line = {argc - 2, argv + 2, is_interrupted};
    size_t i = 0;
    while (i < G_N_ELEMENTS(commands) && strcmp(commands[i].name, name) != 0) {
        i++;
    }
    if (i == G_N_ELEMENTS(commands)) {
        return (int)complain_of_command(name);
    }
    catch_interrupt();
    enum exit_status status = commands[i].run(&line);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "holdfast: cannot write to standard output: %s\n", g_strerror(errno));
        return status == STATUS_ALL_RIGHT ? STATUS_CONFIGURATION : (int)status;
    }
    return (int)status;
}
