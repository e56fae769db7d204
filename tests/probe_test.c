/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Verdicts: small worlds in which it is known what is true, and looks made by hand at the edges of
 * windows.
 */
#include "../sim/probe.h"

#include "../sim/watch.h"
#include "scenario_check.h"

/* A world that was run to an instant with a look every minute and at the edges of windows. */
struct trial {
    char *folder;
    struct scenario *scenario;
    struct world *world;
    struct probe *probe;
    const struct verdict *verdicts;
    size_t count;
};

/* Perfect clocks and links: `a` starts 50 ms fast, `b` right; the upstream is right. At 3 h
 * somebody moves a's clock by 500 ms, at 5 h the upstream goes away for good. */
static const char quiet_world[] = "duration 8h\n"
                                  "node a address 10.0.0.1 config n.conf clock ideal offset 50ms\n"
                                  "node b address 10.0.0.2 config n.conf clock ideal offset 0s\n"
                                  "upstream up.example stratum 1 link ideal\n"
                                  "link ideal between all\n"
                                  "at 3h step a by 500ms\n"
                                  "at 5h cut upstream\n";

static struct trial run_observed(const char *text, const char *expectation, double end_s,
                                 const struct observer *observer)
{
    struct trial t = {.folder = fixture_new()};
    char *whole = g_strconcat(text, "expect ", expectation, "\n", NULL);
    fixture_file(t.folder, "n.conf", "server up.example iburst maxpoll 6\ntos minclock 1\n");
    fixture_file(t.folder, "short.conf", "server up.example iburst maxpoll 6\ntos holdover 600\n");
    fixture_file(t.folder, "slow.conf", "server up.example iburst minpoll 10\n");
    fixture_file(t.folder, "ask.conf", "server 10.0.0.1 minpoll 3 maxpoll 3\n");
    t.scenario = fixture_load(t.folder, whole);
    t.world = world_new(t.scenario, 1);
    t.probe = probe_new(t.world);
    if (observer) {
        world_observe(t.world, observer);
    }
    sim_time end = sim_from_s(end_s), now = {0};
    for (double grid_s = 60; sim_before(now, end); now = world_now(t.world)) {
        sim_time stop = sim_from_s(grid_s);
        sim_time edge = probe_next_edge(t.probe, now);
        stop = sim_before(edge, stop) ? edge : stop;
        stop = sim_before(end, stop) ? end : stop;
        CHECK(world_run(t.world, stop));
        probe_look(t.probe);
        grid_s += stop.ticks == sim_from_s(grid_s).ticks ? 60 : 0;
    }
    t.count = probe_judge(t.probe, &t.verdicts);
    g_free(whole);
    return t;
}

static struct trial run_until(const char *text, const char *expectation, double end_s)
{
    return run_observed(text, expectation, end_s, NULL);
}

static void trial_end(struct trial *t)
{
    probe_free(t->probe);
    world_free(t->world);
    scenario_free(t->scenario);
    fixture_free(t->folder);
}

struct verdict_case {
    const char *expectation;
    bool passed;
    const char *seen; /* a part of it */
};

static void check_verdicts(const struct verdict_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[512];
        struct trial t = run_until(quiet_world, cases[i].expectation, 8 * 3600.0);
        CHECK_INT(t.count, 1);
        snprintf(text, sizeof text, "%s: %s, \"%s\" holds \"%s\"", cases[i].expectation,
                 cases[i].passed ? "passes" : "fails", t.verdicts[0].seen, cases[i].seen);
        check_report(t.verdicts[0].is_judged && t.verdicts[0].passed == cases[i].passed &&
                         strstr(t.verdicts[0].seen, cases[i].seen),
                     text, __FILE__, __LINE__);
        trial_end(&t);
    }
}

static void states_are_judged_by_what_nodes_say(void)
{
    static const struct verdict_case cases[] = {
        {"synchronised a b from 10min until 3h", true, "throughout, 2 nodes"},
        {"synchronised a from 10min", false, "not so for"},
        {"unsynchronised a at 2h", false, "a was synchronised at 02:00:00"},
        {"unsynchronised a at 0s", true, "throughout"},
        {"state synchronised b from 10min until 5h", true, "throughout, 1 node"},
        {"state holdover b at 2h", false, "b was synchronised at 02:00:00"},
        {"state holdover b at 7h", true, "throughout"},
        {"b becomes holdover between 5h and 7h", true, "b at 05:"},
        {"b becomes holdover between 7h and 8h", false, "b was holdover since 05:"},
        {"b becomes holdover between 5h and 5h1min", false, "too late, at 05:"},
        {"b becomes panic from 1h", false, "b never became panic"},
        {"a b becomes holdover between 5h and 7h", true, "the last at 05:"},
    };
    check_verdicts(cases, G_N_ELEMENTS(cases));
}

/* The end of holdover comes with no change of leader and between looks. */
static void state_alone_is_noticed_when_it_changes(void)
{
    char *text =
        g_strconcat(quiet_world, "node c address 10.0.0.3 config short.conf clock ideal\n", NULL);
    struct trial t = run_until(text, "c becomes unsynchronised after 5h", 8 * 3600.0);
    CHECK(t.verdicts[0].passed);
    struct truth truth;
    world_truth(t.world, 2, &truth);
    CHECK_INT(truth.state, STATE_UNSYNCHRONISED);
    const char *seen = t.verdicts[0].seen; /* "c at HH:MM:SS" */
    CHECK(strncmp(seen, "c at ", 5) == 0 && seen[7] == ':' && seen[10] == ':');
    CHECK(strncmp(seen + 11, "00", 2) != 0); /* not a look of the grid */
    trial_end(&t);
    g_free(text);
}

/* Looks at a clock come between those at what its node says, and cut nothing off them. */
static void state_is_judged_the_same_while_clocks_are_watched(void)
{
    static const char *const states[] = {
        "synchronised a from 10min", "unsynchronised a b at 2h", "state holdover b from 4h",
        "b becomes holdover between 5h and 7h", "synchronised a b from 10min until 3h"};
    for (size_t i = 0; i < G_N_ELEMENTS(states); i++) {
        char *both =
            g_strconcat(states[i], "\nexpect claimed-bound holds\nexpect error of a b < 10s", NULL);
        struct trial alone = run_until(quiet_world, states[i], 8 * 3600.0);
        struct trial beside = run_until(quiet_world, both, 8 * 3600.0);
        CHECK_INT(beside.count, 3);
        CHECK_INT(beside.verdicts[0].passed, alone.verdicts[0].passed);
        CHECK_STR(beside.verdicts[0].seen, alone.verdicts[0].seen);
        trial_end(&alone);
        trial_end(&beside);
        g_free(both);
    }
}

static void clocks_are_judged_by_the_truth(void)
{
    static const struct verdict_case cases[] = {
        {"error of a b < 1ms from 2h until 3h", true, "worst"},
        {"error of a < 49ms from 1s until 10s", false, "worst 50.0 ms, a at 00:00:0"},
        {"error of a < 51ms from 1s until 10s", true, "worst 50.0 ms, a at"},
        {"error of a b < 400ms after 2h", false, "worst 500 ms, a at 03:00:00"},
        {"error of a < 1ms at 3h", false, "worst 500 ms, a at 03:00:00"},
        {"error of b < 1ms at 3h", true, ""},
        {"spread of a b < 1ms from 2h until 3h", true, "worst"},
        {"spread of a b < 400ms from 2h", false, "worst 500 ms at 03:00:00"},
        {"frequency of a b < 1ppm at 2h", true, "worst"},
        {"frequency of a < 0ppm at 2h", false, "worst"},
        {"claimed-bound holds from 10min until 3h", true, "largest share"},
        {"claimed-bound holds", false, "first a at 03:00:00: error 500 ms"},
        {"claimed-bound holds of b", true, "largest share"},
        {"no step of a b from 1h until 3h", true, "none"},
        {"no step of a b after 1h", false, "a stepped by -5"},
        {"no step of b after 1h", true, "none"},
    };
    check_verdicts(cases, G_N_ELEMENTS(cases));
}

static void leaders_are_judged_by_what_nodes_follow(void)
{
    static const struct verdict_case cases[] = {
        {"a follows up.example from 10min until 3h", true, "throughout"},
        {"a b follows upstream at 2h", true, "throughout, 2 nodes"},
        {"a follows b at 2h", false, "a followed up.example at 02:00:00"},
        {"a follows upstream at 7h", false, "a followed nobody at 07:00:00"},
        {"a never follows b", true, "throughout"},
        {"a never follows upstream from 1h", false, "a followed up.example at 01:00:00"},
        {"one leader among a b at 2h", false, "a and b both led at 02:00:00"},
        {"one leader among a up.example at 2h", true, "up.example led"},
        {"no cycle among a b longer than 0s", true, "none"},
    };
    check_verdicts(cases, G_N_ELEMENTS(cases));
}

static void run_that_ends_early_leaves_later_windows_unjudged(void)
{
    static const char *const later[] = {"error of a < 1ns from 2h", "synchronised a at 2h",
                                        "a becomes panic between 2h and 3h",
                                        "b becomes panic between 30min and 3h"};
    for (size_t i = 0; i < G_N_ELEMENTS(later); i++) {
        struct trial t = run_until(quiet_world, later[i], 3600);
        CHECK(!t.verdicts[0].is_judged && t.verdicts[0].passed);
        CHECK_STR(t.verdicts[0].seen, "not judged: the run ended at 01:00:00");
        trial_end(&t);
    }
    struct trial t = run_until(quiet_world, "error of a < 1ms until 2h", 3600);
    CHECK(t.verdicts[0].is_judged && !t.verdicts[0].passed);
    trial_end(&t);
}

static void window_in_which_no_node_is_up_does_not_pass(void)
{
    char *text =
        g_strconcat(quiet_world, "node late address 10.0.0.3 config n.conf start 7h\n", NULL);
    struct trial t = run_until(text, "error of late < 1s from 1h until 2h", 8 * 3600.0);
    CHECK(!t.verdicts[0].passed);
    CHECK_STR(t.verdicts[0].seen, "no node was up in this window");
    trial_end(&t);
    t = run_until(text, "synchronised late from 1h until 2h", 8 * 3600.0);
    CHECK(!t.verdicts[0].passed);
    CHECK_STR(t.verdicts[0].seen, "first late was down at 01:00:00; not so for 1 h in all");
    trial_end(&t);
    g_free(text);
}

static void probe_changes_no_digest(void)
{
    char with[65], without[65];
    struct trial t = run_until(quiet_world, "claimed-bound holds", 4 * 3600.0);
    world_digest(t.world, with);
    struct world *alone = world_new(t.scenario, 1);
    CHECK(world_run(alone, sim_from_s(4 * 3600.0)));
    world_digest(alone, without);
    CHECK_STR(with, without);
    world_free(alone);
    trial_end(&t);
}

static void edges_of_windows_come_in_order_and_end(void)
{
    struct trial t = run_until(quiet_world, "error of a < 1ms from 1h until 2h", 60);
    CHECK(sim_s(probe_next_edge(t.probe, sim_from_s(0))) == 3600);
    CHECK(sim_s(probe_next_edge(t.probe, sim_from_s(3600))) == 7200);
    CHECK(probe_next_edge(t.probe, sim_from_s(7200)).ticks == INT64_MAX);
    trial_end(&t);
}

/* Between two looks of the grid, 80 s apart here, clocks run away and come back, or are moved just
 * then; nobody polls. */
static void clocks_are_looked_at_before_and_after_each_fault(void)
{
    static const struct {
        const char *faults, *expectation, *seen;
    } cases[] = {
        {"at 2h5s frequency a by 500ppm\nat 2h25s frequency a by -1000ppm\n"
         "at 2h45s frequency a by 500ppm\n",
         "error of a < 9ms from 1h30m until 3h", "worst 10.0 ms, a at 02:00:25"},
        {"at 2h5s frequency a by 500ppm\nat 2h25s step a by -10ms\n"
         "at 2h25s frequency a by -500ppm\n",
         "error of a < 9ms from 1h30m until 3h", "worst 10.0 ms, a at 02:00:25"},
        {"at 2h5s frequency a by 500ppm\nat 2h25s stop a\n", "error of a < 9ms from 1h30m until 3h",
         "worst 10.0 ms, a at 02:00:25"},
        {"at 2h5s step a by 20ms\nat 2h6s step a by -20ms\n", "error of a < 9ms from 1h30m",
         "worst 20.0 ms, a at 02:00:05"},
        {"at 2h5s falsetick up.example by 20ms for 10s\n", "error of up.example < 9ms from 1h30m",
         "worst 20.0 ms, up.example at 02:00:05"},
        {"at 2h5s frequency a by 500ppm\nat 2h25s frequency a by -1000ppm\n"
         "at 2h45s frequency a by 500ppm\n",
         "spread of a b < 9ms from 1h30m until 3h", "worst 10.0 ms at 02:00:25"},
        {"at 2h5s frequency a by 500ppm\nat 2h25s step a by -10ms\n"
         "at 2h25s frequency a by -500ppm\n",
         "spread of a b < 9ms from 1h30m until 3h", "worst 10.0 ms at 02:00:25"},
        {"at 2h5s step a by 20ms\nat 2h6s step a by -20ms\n", "spread of a b < 9ms from 1h30m",
         "worst 20.0 ms at 02:00:05"},
    };
    static const char world[] = "duration 4h\n"
                                "node a address 10.0.0.1 config slow.conf clock ideal offset 0s\n"
                                "node b address 10.0.0.2 config slow.conf clock ideal offset 0s\n"
                                "upstream up.example stratum 1 link ideal\n"
                                "link ideal between all\n";
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *text = g_strconcat(world, cases[i].faults, NULL);
        struct trial t = run_until(text, cases[i].expectation, 3 * 3600.0);
        CHECK(!t.verdicts[0].passed);
        CHECK_STR(t.verdicts[0].seen, cases[i].seen);
        trial_end(&t);
        g_free(text);
    }
}

struct every_look {
    double worst_s, from_s, until_s;
};

static void look_at_every_event(void *context, struct world *world, uint32_t node)
{
    struct every_look *every = context;
    double error_s, now = sim_s(world_now(world));
    if (node == 0 && now >= every->from_s && now < every->until_s &&
        world_error(world, node, &error_s)) {
        every->worst_s = fmax(every->worst_s, fabs(error_s));
    }
}

/* A server that is asked every other second, between polls a minute apart: it is looked at when
 * its engine takes an update, and in the last seconds of a window. */
static void no_event_is_worse_than_what_was_looked_at(void)
{
    static const char text[] = "duration 4h\n"
                               "node a address 10.0.0.1 config n.conf clock ideal offset 0s\n"
                               "clients 5 address 10.0.1.0/24 config ask.conf clock ideal\n"
                               "upstream up.example stratum 1 link ideal\n"
                               "link ideal between all\n"
                               "at 2h5s frequency a by 300ppm\n";
    static const double ends_s[] = {10800.0, 7240.0};
    for (unsigned i = 0; i < G_N_ELEMENTS(ends_s); i++) {
        char expectation[80];
        struct every_look every = {.from_s = 6000, .until_s = ends_s[i]};
        struct observer observer = {.context = &every, .settled = look_at_every_event};
        g_snprintf(expectation, sizeof expectation, "error of a < 1s from 100m until %.0fs",
                   ends_s[i]);
        struct trial t = run_observed(text, expectation, 3 * 3600.0, &observer);
        CHECK(every.worst_s > 1e-3 && every.worst_s < 1.0);
        CHECK(g_str_has_prefix(t.verdicts[0].seen, "worst "));
        double seen_ms = g_ascii_strtod(t.verdicts[0].seen + 6, NULL); /* three digits */
        CHECK_NEAR(seen_ms * 1e-3 / every.worst_s, 1.0, 0.005);
        trial_end(&t);
    }
}

/* ---- looks made by hand ---- */

/* A watch on node 0 of the quiet world. */
struct bench {
    struct trial trial;
    struct watch watch;
    struct node_memory memory[3];
};

static struct bench bench_new(const char *expectation)
{
    struct bench b = {.trial = run_until(quiet_world, expectation, 1)};
    watch_init(&b.watch, b.trial.scenario, &b.trial.scenario->expectations[0]);
    for (unsigned i = 0; i < 3; i++) {
        b.memory[i] = (struct node_memory){.leader = UINT32_MAX, .claim_s = INFINITY};
    }
    return b;
}

static void bench_free(struct bench *b)
{
    watch_clear(&b->watch);
    trial_end(&b->trial);
}

/* Node 0 was `before` since `since` and is seen as `truth` at `now`. */
static void look(struct bench *b, double since, unsigned before, double now, struct truth truth)
{
    struct node_memory was = {.at = since,
                              .told_at = since,
                              .standing = (uint8_t)before,
                              .leader = UINT32_MAX,
                              .claim_s = INFINITY};
    struct sight sight = {b->trial.world, 0, now, &was, &truth, false};
    if (watch_is_open(&b->watch, now)) {
        watch_measure(&b->watch, &sight);
    } else {
        watch_tell(&b->watch, &sight);
    }
}

static const struct truth in_sync = {
    .is_up = true, .state = STATE_SYNCHRONISED, .bound_s = INFINITY};

static void state_counts_from_the_first_to_before_the_last_instant_of_its_window(void)
{
    struct bench b = bench_new("synchronised a from 1h until 2h");
    look(&b, 0, STATE_UNSYNCHRONISED, 3600, in_sync); /* until just before the window */
    CHECK(!b.watch.failed);
    look(&b, 7200, STATE_UNSYNCHRONISED, 7300, in_sync); /* from its end on */
    CHECK(!b.watch.failed);
    look(&b, 3500, STATE_UNSYNCHRONISED, 3601, in_sync); /* one second of it */
    CHECK(b.watch.failed);
    CHECK_NEAR(b.watch.offended_s, 1, 0);
    CHECK_STR(b.watch.offence, "a was unsynchronised at 01:00:00");
    bench_free(&b);
}

static void instant_lies_in_the_interval_that_begins_with_it(void)
{
    struct bench b = bench_new("synchronised a at 1h");
    look(&b, 0, STATE_UNSYNCHRONISED, 3600, in_sync);
    CHECK(!b.watch.failed);
    CHECK_INT(b.watch.looks, 0);
    look(&b, 3600, STATE_UNSYNCHRONISED, 3601, in_sync);
    CHECK(b.watch.failed);
    bench_free(&b);
}

static void claim_is_judged_as_it_stood_before_an_update(void)
{
    struct bench b = bench_new("claimed-bound holds of a");
    struct truth truth = {
        .is_up = true, .state = STATE_SYNCHRONISED, .error_s = 0.001, .bound_s = 0.5};
    struct node_memory was = {.at = 1000,
                              .standing = STATE_SYNCHRONISED,
                              .claim_s = 0.010,
                              .claim_rate = 15e-6,
                              .stepped_s = -0.200,
                              .is_dirty = true};
    struct sight sight = {b.trial.world, 0, 2000, &was, &truth, false};
    watch_measure(&b.watch, &sight); /* 201 ms wrong before the step of -200 ms, 25 ms claimed */
    CHECK(b.watch.failed);
    CHECK_STR(b.watch.offence, "a at 00:33:20: error 201 ms, claimed 25.0 ms");
    CHECK_NEAR(b.watch.worst, 0.201 / 0.025, 1e-9);
    bench_free(&b);
    b = bench_new("claimed-bound holds of a");
    was.stepped_s = 0;
    truth.error_s = 0.0249;
    sight.world = b.trial.world;
    watch_measure(&b.watch, &sight);
    CHECK(!b.watch.failed);
    truth.error_s = 0.0251;
    watch_measure(&b.watch, &sight);
    CHECK(b.watch.failed);
    bench_free(&b);
}

static void error_is_judged_as_it_was_before_a_step(void)
{
    struct bench b = bench_new("error of a < 100ms");
    struct truth truth = {.is_up = true, .state = STATE_SYNCHRONISED, .error_s = 0.001};
    struct node_memory was = {.at = 1000, .standing = STATE_SYNCHRONISED, .stepped_s = -0.200};
    struct sight sight = {b.trial.world, 0, 2000, &was, &truth, false};
    watch_measure(&b.watch, &sight);
    CHECK(b.watch.failed);
    CHECK_NEAR(b.watch.worst, 0.201, 1e-12);
    bench_free(&b);
}

static void node_that_claims_nothing_breaks_no_claim(void)
{
    struct bench b = bench_new("claimed-bound holds of a");
    struct truth truth = {.is_up = true, .error_s = 10, .bound_s = INFINITY};
    look(&b, 0, STATE_UNSYNCHRONISED, 10, truth);
    CHECK(!b.watch.failed);
    CHECK_INT(b.watch.looks, 0);
    bench_free(&b);
}

static void first_offence_is_the_earliest_whoever_is_looked_at_first(void)
{
    struct bench b = bench_new("synchronised a from 1h until 2h");
    look(&b, 5000, STATE_PANIC, 5001, in_sync);
    look(&b, 4000, STATE_HOLDOVER, 4100, in_sync); /* is synchronised to an operator */
    look(&b, 4000, STANDING_DOWN, 4100, in_sync);
    CHECK_STR(b.watch.offence, "a was down at 01:06:40");
    bench_free(&b);
}

static void times_read_as_days_and_clock(void)
{
    char text[32];
    CHECK_STR(probe_time_text(7 * 86400.0 + 3 * 3600 + 12 * 60 + 5.9, text), "7d03:12:05");
    CHECK_STR(probe_time_text(59.99, text), "00:00:59");
    CHECK_STR(probe_time_text(86400, text), "1d00:00:00");
}

const struct test_case probe_tests[] = {
    {"states_are_judged_by_what_nodes_say", states_are_judged_by_what_nodes_say},
    {"state_alone_is_noticed_when_it_changes", state_alone_is_noticed_when_it_changes},
    {"state_is_judged_the_same_while_clocks_are_watched",
     state_is_judged_the_same_while_clocks_are_watched},
    {"clocks_are_judged_by_the_truth", clocks_are_judged_by_the_truth},
    {"leaders_are_judged_by_what_nodes_follow", leaders_are_judged_by_what_nodes_follow},
    {"run_that_ends_early_leaves_later_windows_unjudged",
     run_that_ends_early_leaves_later_windows_unjudged},
    {"window_in_which_no_node_is_up_does_not_pass", window_in_which_no_node_is_up_does_not_pass},
    {"probe_changes_no_digest", probe_changes_no_digest},
    {"edges_of_windows_come_in_order_and_end", edges_of_windows_come_in_order_and_end},
    {"state_counts_from_the_first_to_before_the_last_instant_of_its_window",
     state_counts_from_the_first_to_before_the_last_instant_of_its_window},
    {"instant_lies_in_the_interval_that_begins_with_it",
     instant_lies_in_the_interval_that_begins_with_it},
    {"claim_is_judged_as_it_stood_before_an_update", claim_is_judged_as_it_stood_before_an_update},
    {"error_is_judged_as_it_was_before_a_step", error_is_judged_as_it_was_before_a_step},
    {"node_that_claims_nothing_breaks_no_claim", node_that_claims_nothing_breaks_no_claim},
    {"clocks_are_looked_at_before_and_after_each_fault",
     clocks_are_looked_at_before_and_after_each_fault},
    {"no_event_is_worse_than_what_was_looked_at", no_event_is_worse_than_what_was_looked_at},
    {"first_offence_is_the_earliest_whoever_is_looked_at_first",
     first_offence_is_the_earliest_whoever_is_looked_at_first},
    {"times_read_as_days_and_clock", times_read_as_days_and_clock},
    {NULL, NULL}};
