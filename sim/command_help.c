/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `holdfast help` and `holdfast version`: prints the tables that the program itself obeys. Writes
 * no fact of its own about them.
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "../engine/config/ntpconf.h"
#include "../engine/version.h"
#include "command.h"
#include "scenario.h"

const char *command_help_help(void)
{
    return "  help [ntp.conf|scenario]\n"
           "                       this text, the directives of ntp.conf, the scenario language\n";
}

const char *command_version_help(void)
{
    return "  version              the version\n";
}

void command_usage(FILE *to)
{
    size_t count;
    const struct command *table = command_table(&count);
    fprintf(to, "usage: holdfast COMMAND ...\n\n");
    for (size_t i = 0; i < count; i++) {
        fputs(table[i].help(), to);
    }
    fprintf(to,
            "\nExit status: 0 all right, 1 an expectation failed or the server is not as asked "
            "for, 2 usage,\n"
            "3 configuration or scenario error, 4 an invariant was violated, 130 interrupted.\n");
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

enum exit_status command_help(const struct command_line *line)
{
    static const char *const topics[] = {"ntp.conf", "scenario", NULL};
    const char *topic = line->count > 0 ? line->words[0] : NULL;
    if (line->count == 0) {
        command_usage(stdout);
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

enum exit_status command_version(const struct command_line *line)
{
    if (line->count > 0) {
        fprintf(stderr, "holdfast version: no arguments expected\n");
        return STATUS_USAGE;
    }
    printf("holdfast %s\n", HOLDFAST_VERSION);
    return STATUS_ALL_RIGHT;
}
