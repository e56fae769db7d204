/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `holdfast run`: loads a scenario, runs it once or with many seeds, and says how it went.
 *
 * The seed and the options come first and the digest last; everything needed to see a run again is
 * printed. This is the only place of the simulator that reads a real clock, for the speed it
 * reports.
 */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "digest.h"
#include "probe.h"
#include "progress.h"
#include "report.h"
#include "run_options.h"
#include "scenario.h"
#include "world.h"

const char *command_run_help(void)
{
    return "  run SCENARIO [OPTION]...\n"
           "                       simulate a scenario and judge its expectations\n"
           "      --seed N         of all randomness; otherwise the scenario's\n"
           "      --out DIR        write report, data and plots there\n"
           "      --runs N         with N seeds from the first on, one line each; default: the "
           "scenario's\n"
           "      --until T        stop at this simulated time (such as 3d12h)\n"
           "      --pcap           with --out: all packets as packets.pcap\n"
           "      --quiet          print failures and the digest only\n";
}

/* One seed's run, from the first event to the verdicts. */
struct run {
    const struct run_options *options;
    const struct command_line *line;
    const struct scenario *scenario;
    uint64_t seed;
    char *directory; /* NULL: none */
    struct world *world;
    struct probe *probe;
    struct report *report;
    const struct verdict *verdicts;
    size_t verdict_count, judged, failed;
    double wall_s;
    char *text;
};

static double wall_now_s(void)
{
    return (double)g_get_monotonic_time() * 1e-6;
}

/* A round spacing of looks, about a thousand of them in a run. */
static double grid_of(double duration_s)
{
    static const double round_s[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200};
    double grid_s = round_s[0];
    for (size_t i = 0; i < G_N_ELEMENTS(round_s) && round_s[i] <= duration_s / 1000; i++) {
        grid_s = round_s[i];
    }
    return grid_s;
}

static void print_messages(const struct messages *messages)
{
    for (guint i = 0; i < messages->list->len; i++) {
        char *text = message_text(messages->list->pdata[i]);
        fprintf(stderr, "%s\n", text);
        g_free(text);
    }
}

/* The word as a shell takes it back. */
static char *shell_word(const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-";
    return word[strspn(word, plain)] == '\0' ? g_strdup(word) : g_shell_quote(word);
}

/* The command that shows this run again. */
static char *reproduction(const struct run *run)
{
    char *scenario = shell_word(run->options->scenario);
    char *until = run->options->until_text ? shell_word(run->options->until_text) : NULL;
    char *text = g_strdup_printf("holdfast run %s --seed %" G_GUINT64_FORMAT "%s%s", scenario,
                                 run->seed, until ? " --until " : "", until ? until : "");
    g_free(scenario);
    g_free(until);
    return text;
}

static sim_time earlier(sim_time a, sim_time b)
{
    return sim_before(a, b) ? a : b;
}

/* Runs the events, with a look at every instant of the grid and at every edge of a window. */
static enum exit_status run_events(struct run *run, sim_time end, double grid_s)
{
    struct progress progress = progress_begin(sim_s(end), wall_now_s());
    uint64_t looks = 1;
    enum exit_status status = STATUS_ALL_RIGHT;
    while (status == STATUS_ALL_RIGHT) {
        sim_time now = world_now(run->world);
        sim_time grid = sim_from_s((double)looks * grid_s);
        sim_time stop = earlier(earlier(grid, end), probe_next_edge(run->probe, now));
        if (!world_run(run->world, stop)) {
            status = STATUS_INVARIANT;
            break;
        }
        probe_look(run->probe);
        if (stop.ticks == grid.ticks || stop.ticks == end.ticks) {
            report_look(run->report);
        }
        looks += stop.ticks == grid.ticks;
        if (stop.ticks == end.ticks) {
            break;
        }
        if (run->line->is_interrupted()) {
            status = STATUS_INTERRUPTED;
        }
        progress_show(&progress, sim_s(stop), wall_now_s());
    }
    progress_end(&progress);
    return status;
}

static enum exit_status judge(struct run *run)
{
    char *error = NULL;
    run->verdict_count = probe_judge(run->probe, &run->verdicts);
    for (size_t i = 0; i < run->verdict_count; i++) {
        run->judged += run->verdicts[i].is_judged;
        run->failed += !run->verdicts[i].passed;
    }
    if (!report_finish(run->report, run->verdicts, run->verdict_count, run->seed, run->wall_s,
                       &run->text, &error)) {
        fprintf(stderr, "holdfast run: %s\n", error);
        g_free(error);
        return STATUS_CONFIGURATION;
    }
    return run->failed ? STATUS_EXPECTATION : STATUS_ALL_RIGHT;
}

static void say_why_it_ended(const struct run *run, enum exit_status status)
{
    char *again = reproduction(run);
    if (status == STATUS_INTERRUPTED) {
        char when[32];
        fprintf(stderr, "holdfast run: interrupted at simulated %s, seed %" G_GUINT64_FORMAT "%s\n",
                probe_time_text(sim_s(world_now(run->world)), when), run->seed,
                run->directory ? "; nothing of it was written" : "");
    } else if (status == STATUS_INVARIANT) {
        fprintf(stderr, "holdfast run: invariant violated: %s\n  again: %s\n",
                world_violation(run->world), again);
    }
    g_free(again);
}

static enum exit_status run_begin(struct run *run, double grid_s)
{
    struct report_options options = {
        .directory = run->directory, .with_pcap = run->options->pcap, .grid_s = grid_s};
    char *error = NULL;
    run->world = world_new(run->scenario, run->seed);
    run->probe = probe_new(run->world);
    run->report = report_new(run->world, &options, &error);
    if (!run->report) {
        fprintf(stderr, "holdfast run: %s\n", error);
        g_free(error);
        return STATUS_CONFIGURATION;
    }
    return STATUS_ALL_RIGHT;
}

static enum exit_status run_once(struct run *run)
{
    double end_s = run->scenario->duration_s;
    if (run->options->until_text) {
        end_s = fmin(end_s, run->options->until_s);
    }
    double grid_s = grid_of(end_s);
    double started_s = wall_now_s();
    enum exit_status status = run_begin(run, grid_s);
    if (status == STATUS_ALL_RIGHT) {
        status = run_events(run, sim_from_s(end_s), grid_s);
        run->wall_s = wall_now_s() - started_s;
        say_why_it_ended(run, status);
    }
    if (status == STATUS_ALL_RIGHT) {
        status = judge(run);
    }
    return status;
}

static void run_end(struct run *run)
{
    if (run->report) {
        report_free(run->report);
    }
    if (run->probe) {
        probe_free(run->probe);
    }
    world_free(run->world);
    g_free(run->directory);
    g_free(run->text);
}

static void print_failures(const struct run *run)
{
    for (size_t i = 0; i < run->verdict_count; i++) {
        const struct verdict *v = &run->verdicts[i];
        if (!v->passed) {
            printf("  FAIL  %s: %s\n", v->expectation->text, v->seen);
        }
    }
}

static void draw(const struct run *run)
{
    char *why = NULL;
    if (!command_plot_draw(run->directory, &why)) {
        fprintf(stderr, "holdfast run: no plots were drawn%s%s\n", why ? ": " : "", why ? why : "");
        g_free(why);
    }
}

static enum exit_status run_single(const struct run_options *options,
                                   const struct command_line *line, const struct scenario *scenario)
{
    struct run run = {.options = options,
                      .line = line,
                      .scenario = scenario,
                      .seed = options->has_seed ? options->seed : scenario->seed,
                      .directory = g_strdup(options->directory)};
    if (!options->quiet) {
        char *again = reproduction(&run);
        printf("%s%s%s%s\n", again, run.directory ? " --out " : "",
               run.directory ? run.directory : "", options->pcap ? " --pcap" : "");
        fflush(stdout);
        g_free(again);
    }
    enum exit_status status = run_once(&run);
    if (status == STATUS_ALL_RIGHT || status == STATUS_EXPECTATION) {
        if (options->quiet) {
            char digest[65];
            world_digest(run.world, digest);
            print_failures(&run);
            printf("digest: %s\n", digest);
        } else {
            fputs(run.text, stdout);
        }
        fflush(stdout);
        if (run.directory) {
            draw(&run);
        }
    }
    run_end(&run);
    return status;
}

static void print_run_line(const struct run *run, enum exit_status status)
{
    char digest[65];
    world_digest(run->world, digest);
    if (status == STATUS_ALL_RIGHT && run->options->quiet) {
        return;
    }
    printf("seed %" G_GUINT64_FORMAT "  %s  %zu of %zu expectations  digest %.16s\n", run->seed,
           run->failed ? "FAIL" : "pass", run->judged - run->failed, run->judged, digest);
    if (status == STATUS_EXPECTATION) {
        char *again = reproduction(run);
        print_failures(run);
        printf("  again: %s\n", again);
        g_free(again);
    }
    fflush(stdout);
}

static bool make_parent(const char *directory)
{
    if (directory && g_mkdir_with_parents(directory, 0777) != 0) {
        fprintf(stderr, "holdfast run: cannot make the output directory %s: %s\n", directory,
                g_strerror(errno));
        return false;
    }
    return true;
}

static enum exit_status run_many(const struct run_options *options, const struct command_line *line,
                                 const struct scenario *scenario)
{
    uint64_t first = options->has_seed ? options->seed : scenario->seed;
    uint64_t failed = 0;
    struct digest all = {0};
    char digest[DIGEST_TEXT_SIZE];
    if (!make_parent(options->directory)) {
        return STATUS_CONFIGURATION;
    }
    printf("holdfast run %s: seeds %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT "\n",
           options->scenario, first, first + options->runs - 1);
    fflush(stdout);
    for (uint64_t i = 0; i < options->runs; i++) {
        struct run run = {
            .options = options, .line = line, .scenario = scenario, .seed = first + i};
        if (options->directory) {
            run.directory =
                g_strdup_printf("%s/seed-%" G_GUINT64_FORMAT, options->directory, run.seed);
        }
        enum exit_status status = run_once(&run);
        bool is_judged = status == STATUS_ALL_RIGHT || status == STATUS_EXPECTATION;
        if (is_judged) {
            print_run_line(&run, status);
            world_digest(run.world, digest);
            digest_bytes(&all, (const uint8_t *)digest, strlen(digest));
        }
        failed += status == STATUS_EXPECTATION;
        run_end(&run);
        if (!is_judged) {
            return status;
        }
    }
    printf("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " runs passed\n", options->runs - failed,
           options->runs);
    digest_text(&all, digest);
    printf("digest: %s\n", digest);
    return failed ? STATUS_EXPECTATION : STATUS_ALL_RIGHT;
}

enum exit_status command_run(const struct command_line *line)
{
    struct run_options options;
    enum exit_status status;
    if (!run_options_parse(line, &options)) {
        return STATUS_USAGE;
    }
    struct messages *messages = messages_new();
    struct scenario *scenario = scenario_load(options.scenario, messages);
    print_messages(messages);
    messages_free(messages);
    if (!scenario) {
        return STATUS_CONFIGURATION;
    }
    if (options.runs == 0) {
        /* Who names a seed wants to see that one. */
        options.runs = options.has_seed ? 1 : scenario->runs;
    }
    if (options.until_text && options.until_s > scenario->duration_s) {
        fprintf(stderr, "holdfast run: --until %s is beyond the scenario's duration\n",
                options.until_text);
        status = STATUS_USAGE;
    } else if (options.runs > 1) {
        status = run_many(&options, line, scenario);
    } else {
        status = run_single(&options, line, scenario);
    }
    scenario_free(scenario);
    return status;
}
