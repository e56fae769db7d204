/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How fast the simulator is: prints figures with their goals beside them. Measures, and fails only
 * when two runs of one seed differ; times depend on the machine.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <gsl/gsl_sort_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../sim/probe.h"
#include "../sim/scenario.h"
#include "../sim/world.h"

#define DAY_S 86400.0
#define DEMO "scenarios/time-group.scenario"

enum { DEMO_RUNS = 7 /* odd; the middle one counts, for a shared machine has its moods */ };

struct figures {
    struct world_counts counts;
    double load_s, run_s, cpu_s, peak_mib; /* run: by the wall and of this process */
    char digest[65];
};

static const char server_conf[] = "server a.example minpoll %d maxpoll %d\n"
                                  "server b.example minpoll %d maxpoll %d\n"
                                  "restrict default nomodify\n";
static const char client_conf[] = "server 192.168.0.1 minpoll %d maxpoll %d\n"
                                  "server 192.168.0.2 minpoll %d maxpoll %d\n";

static double wall_s(void)
{
    return (double)g_get_monotonic_time() * 1e-6;
}

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* A configuration with its four poll exponents filled in. */
static void write_conf(const char *folder, const char *name, const char *text, int poll)
{
    GString *filled = g_string_new(NULL);
    char *path = g_build_filename(folder, name, NULL);
    char *digits = g_strdup_printf("%d", poll);
    char **parts = g_strsplit(text, "%d", -1);
    char *joined = g_strjoinv(digits, parts);
    g_string_append(filled, joined);
    if (!g_file_set_contents(path, filled->str, -1, NULL)) {
        g_error("cannot write %s", path);
    }
    g_free(joined);
    g_strfreev(parts);
    g_free(digits);
    g_free(path);
    g_string_free(filled, TRUE);
}

static struct scenario *complain_unless(struct scenario *scenario, struct messages *messages)
{
    for (guint i = 0; !scenario && i < messages->list->len; i++) {
        char *text = message_text(messages->list->pdata[i]);
        fprintf(stderr, "%s\n", text);
        g_free(text);
    }
    messages_free(messages);
    if (!scenario) {
        exit(3);
    }
    return scenario;
}

/* Two servers with two upstreams, and `clients` that poll both. */
static struct scenario *group_scenario(unsigned clients, int poll, double duration_s)
{
    struct messages *messages = messages_new();
    char *folder = g_dir_make_tmp("holdfast-bench-XXXXXX", NULL);
    char *text =
        g_strdup_printf("title bench\nseed 1\nduration %.0fs\n"
                        "node s1 address 192.168.0.1 config server.conf clock xo-server\n"
                        "node s2 address 192.168.0.2 config server.conf clock xo-server\n"
                        "upstream *.example stratum 1 link wan\n"
                        "clients %u address 10.0.0.0/8 config client.conf clock xo-office\n",
                        duration_s, clients);
    write_conf(folder, "server.conf", server_conf, poll);
    write_conf(folder, "client.conf", client_conf, poll);
    struct scenario *scenario = scenario_parse("bench", folder, text, strlen(text), messages);
    for (unsigned i = 0; i < 2; i++) {
        char *path = g_build_filename(folder, i ? "client.conf" : "server.conf", NULL);
        g_unlink(path);
        g_free(path);
    }
    g_rmdir(folder);
    g_free(folder);
    g_free(text);
    return complain_unless(scenario, messages);
}

static void measure_group(unsigned clients, int poll, double duration_s, struct figures *out)
{
    double started_s = wall_s();
    struct scenario *scenario = group_scenario(clients, poll, duration_s);
    struct world *world = world_new(scenario, scenario->seed);
    double built_s = wall_s();
    double built_cpu_s = cpu_s();
    if (!world_run(world, sim_from_s(duration_s))) {
        fprintf(stderr, "bench: %s\n", world_violation(world));
        exit(4);
    }
    out->load_s = built_s - started_s;
    out->run_s = wall_s() - built_s;
    out->cpu_s = cpu_s() - built_cpu_s;
    out->counts = world_counts(world);
    world_digest(world, out->digest);
    world_free(world);
    scenario_free(scenario);
}

/* The same in a process of its own, so that its peak memory is its own. */
static bool measure_apart(unsigned clients, int poll, double duration_s, struct figures *out)
{
    int ends[2], status;
    struct rusage usage;
    if (pipe(ends) != 0) {
        return false;
    }
    pid_t child = fork();
    if (child == 0) {
        struct figures figures = {0};
        measure_group(clients, poll, duration_s, &figures);
        ssize_t written = write(ends[1], &figures, sizeof figures);
        _exit(written == (ssize_t)sizeof figures ? 0 : 1);
    }
    close(ends[1]);
    bool is_whole = child > 0 && read(ends[0], out, sizeof *out) == (ssize_t)sizeof *out;
    close(ends[0]);
    if (child <= 0 || wait4(child, &status, 0, &usage) != child) {
        return false;
    }
    out->peak_mib = (double)usage.ru_maxrss / 1024;
    return is_whole;
}

static bool bench_deliveries(void)
{
    struct figures first, again;
    double days = 20;
    if (!measure_apart(20, 6, days * DAY_S, &first) ||
        !measure_apart(20, 6, days * DAY_S, &again)) {
        return false;
    }
    double best_s = fmin(first.cpu_s, again.cpu_s);
    bool is_equal = strcmp(first.digest, again.digest) == 0;
    printf("2 servers, 20 clients, poll 6, %.0f days: %.2f s of processor for %" G_GUINT64_FORMAT
           " deliveries\n",
           days, best_s, first.counts.delivered);
    printf("  deliveries per second      %12.0f   goal >= 1000000\n",
           (double)first.counts.delivered / best_s);
    printf("  events per second          %12.0f\n", (double)first.counts.events / best_s);
    printf("  same digest twice          %12s   goal yes\n\n", is_equal ? "yes" : "NO");
    return is_equal;
}

static double run_demo(const struct scenario *scenario)
{
    double started_s = wall_s();
    double grid_s = 900;
    struct world *world = world_new(scenario, scenario->seed);
    struct probe *probe = probe_new(world);
    const struct verdict *verdicts;
    for (double t = grid_s; t <= scenario->duration_s; t += grid_s) {
        if (!world_run(world, sim_from_s(t))) {
            fprintf(stderr, "bench: %s\n", world_violation(world));
            exit(4);
        }
        probe_look(probe);
    }
    probe_judge(probe, &verdicts);
    probe_free(probe);
    world_free(world);
    return wall_s() - started_s;
}

static void bench_demo(void)
{
    struct messages *messages = messages_new();
    if (!g_file_test(DEMO, G_FILE_TEST_EXISTS)) {
        printf("the demo: %s is not here; run from the top of the tree\n\n", DEMO);
        messages_free(messages);
        return;
    }
    struct scenario *scenario = complain_unless(scenario_load(DEMO, messages), messages);
    double took_s[DEMO_RUNS];
    for (int i = 0; i < DEMO_RUNS; i++) {
        took_s[i] = run_demo(scenario);
    }
    gsl_sort(took_s, 1, DEMO_RUNS);
    printf("the demo (%.0f days, %zu nodes), judged, without files, %d times\n",
           scenario->duration_s / DAY_S, scenario->node_count, DEMO_RUNS);
    printf("  wall time, median          %10.2f s   goal < 1 s   (%.2f to %.2f s)\n\n",
           took_s[DEMO_RUNS / 2], took_s[0], took_s[DEMO_RUNS - 1]);
    scenario_free(scenario);
}

static bool bench_growth(void)
{
    static const struct {
        unsigned clients;
        double days;
    } sizes[] = {{100, 100}, {1000, 10}, {10000, 1}, {100000, 1}};
    struct figures figures;
    double least = 0;
    printf("clients of two servers at poll 10; cost per event is processor time\n");
    printf("  %8s %5s %11s %7s %7s %7s %9s %9s\n", "clients", "days", "events", "load s", "run s",
           "cpu s", "ns/event", "per log2");
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        if (!measure_apart(sizes[i].clients, 10, sizes[i].days * DAY_S, &figures)) {
            return false;
        }
        double ns = figures.cpu_s * 1e9 / (double)figures.counts.events;
        double per_log2 = ns / log2(sizes[i].clients + 4.0);
        least = i == 0 ? per_log2 : least;
        printf("  %8u %5.0f %11" G_GUINT64_FORMAT " %7.2f %7.2f %7.2f %9.0f %9.1f\n",
               sizes[i].clients, sizes[i].days, figures.counts.events, figures.load_s,
               figures.run_s, figures.cpu_s, ns, per_log2);
    }
    printf("  100,000 clients, one day   %10.1f s   goal <= 60 s\n",
           figures.load_s + figures.run_s);
    printf("  peak memory                %8.0f MiB   goal <= 1024 MiB\n", figures.peak_mib);
    printf("  cost per event / log2(nodes), 10^5 over 10^2: %.2f   goal <= 1\n",
           figures.cpu_s * 1e9 / (double)figures.counts.events / log2(100004.0) / least);
    return true;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    bool is_good = bench_deliveries();
    bench_demo();
    return bench_growth() && is_good ? 0 : 1;
}
