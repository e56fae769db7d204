/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `holdfast plot`: runs the gnuplot programs on a run directory. Simulates nothing and reads no
 * data itself.
 */
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "command.h"

#define DRAW_PROGRAM "draw.sh"

const char *command_plot_help(void)
{
    return "  plot DIR             draw the plots of a run directory into it (SVG and PNG)\n";
}

static char *draw_program_in(const char *folder)
{
    char *program = g_build_filename(folder, DRAW_PROGRAM, NULL);
    if (!g_file_test(program, G_FILE_TEST_IS_REGULAR)) {
        g_free(program);
        return NULL;
    }
    return program;
}

static char *draw_program_beside(const char *executable, const char *place)
{
    char *folder = g_path_get_dirname(executable);
    char *plots = g_build_filename(folder, place, NULL);
    char *program = draw_program_in(plots);
    g_free(plots);
    g_free(folder);
    return program;
}

/* HOLDFAST_PLOTS; else where it was installed to, seen from the executable, so that a whole prefix
 * may be moved; else beside the folder it was built in; else the source this was built from. */
static char *find_draw_program(void)
{
    static const char *const places[] = {"../share/holdfast/plots", "../plots"};
    const char *named = g_getenv("HOLDFAST_PLOTS");
    if (named) {
        return draw_program_in(named);
    }
    char *program = NULL;
    char *executable = g_file_read_link("/proc/self/exe", NULL);
    for (size_t i = 0; executable && !program && i < G_N_ELEMENTS(places); i++) {
        program = draw_program_beside(executable, places[i]);
    }
    g_free(executable);
    return program ? program : draw_program_beside(__FILE__, "../plots");
}

bool command_plot_draw(const char *directory, char **why)
{
    char *gnuplot = g_find_program_in_path("gnuplot");
    if (!gnuplot) {
        *why = g_strdup("gnuplot is not installed (Debian: gnuplot-nox)");
        return false;
    }
    g_free(gnuplot);
    char *program = find_draw_program();
    if (!program) {
        *why = g_strdup("the plot programs are not found; HOLDFAST_PLOTS names their folder");
        return false;
    }
    int status = 0;
    GError *error = NULL;
    const char *argv[] = {"sh", program, directory, NULL};
    bool ran =
        g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN,
                     NULL, NULL, NULL, NULL, &status, &error);
    if (!ran) {
        *why = g_strdup_printf("%s: %s", program, error->message);
        g_error_free(error);
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        ran = false; /* it has said why itself */
    }
    g_free(program);
    return ran;
}

enum exit_status command_plot(const struct command_line *line)
{
    char *why = NULL;
    if (line->count != 1 || line->words[0][0] == '-') {
        fprintf(stderr, "holdfast plot: expected one run directory: holdfast plot DIR\n");
        return STATUS_USAGE;
    }
    if (!g_file_test(line->words[0], G_FILE_TEST_IS_DIR)) {
        fprintf(stderr, "holdfast plot: %s: no such directory\n", line->words[0]);
        return STATUS_CONFIGURATION;
    }
    if (!command_plot_draw(line->words[0], &why)) {
        if (why) {
            fprintf(stderr, "holdfast plot: %s\n", why);
        }
        g_free(why);
        return STATUS_CONFIGURATION;
    }
    return STATUS_ALL_RIGHT;
}
