/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The world: digests, lazy wakes, sockets, restarts, lookups, and the rules it holds engines to.
 */
#include "../sim/world.h"

#include "../sim/effects.h"
#include "../sim/world_state.h"
#include "check.h"
#include "miniature.h"

#define HOUR_S 3600.0

static const char office[] = "duration 2d\n"
                             "node a address 10.0.0.1 config serve.conf clock xo-server\n"
                             "clients 3 address 10.0.1.0/24 config client.conf clock xo-office\n"
                             "upstream *.example stratum 1 link wan\n";

static const char lone[] = "duration 2d\n"
                           "node a address 10.0.0.1 config one.conf clock xo-server\n"
                           "upstream *.example stratum 1 link lan\n";

static void digest_of(const char *text, uint64_t seed, double end_s, char digest[65])
{
    struct miniature m = miniature_open(text, seed);
    CHECK(world_run(m.world, sim_from_s(end_s)));
    CHECK(world_counts(m.world).delivered > 100);
    world_digest(m.world, digest);
    miniature_close(&m);
}

static void same_seed_gives_the_same_digest_and_another_seed_another(void)
{
    char first[65], again[65], other[65];
    digest_of(office, 7, 12 * HOUR_S, first);
    digest_of(office, 7, 12 * HOUR_S, again);
    digest_of(office, 8, 12 * HOUR_S, other);
    CHECK_INT(strlen(first), 64);
    CHECK_STR(again, first);
    CHECK(strcmp(first, other) != 0);
}

static void digest_notes_a_longer_run(void)
{
    char first[65], longer[65];
    digest_of(office, 7, 12 * HOUR_S, first);
    digest_of(office, 7, 12 * HOUR_S + 300, longer);
    CHECK(strcmp(first, longer) != 0);
}

struct watch {
    unsigned traces, settled, packets;
};

static void count_trace(void *context, struct world *w, uint32_t node,
                        const struct trace_record *record)
{
    (void)w, (void)node, (void)record;
    ((struct watch *)context)->traces++;
}

static void count_settled(void *context, struct world *w, uint32_t node)
{
    struct truth truth;
    world_truth(w, node, &truth);
    ((struct watch *)context)->settled++;
}

static void count_packet(void *context, struct world *w, uint32_t from, uint32_t to,
                         const struct endpoint *source, const struct endpoint *destination,
                         const uint8_t *bytes, size_t size, enum carriage carriage)
{
    (void)w, (void)from, (void)to, (void)source, (void)destination;
    (void)bytes, (void)size, (void)carriage;
    ((struct watch *)context)->packets++;
}

/* Looked at from everywhere and in slices, against once through and unseen. */
static void looking_and_slicing_change_nothing(void)
{
    char unseen[65], seen[65];
    struct watch watch = {0};
    struct observer observer = {.context = &watch,
                                .kinds = TRACE_ALL,
                                .trace = count_trace,
                                .packet = count_packet,
                                .settled = count_settled};
    digest_of(office, 7, 6 * HOUR_S, unseen);
    struct miniature m = miniature_open(office, 7);
    world_observe(m.world, &observer);
    for (int i = 1; i <= 1000; i++) {
        CHECK(world_run(m.world, sim_from_s(i * 6 * HOUR_S / 1000)));
        for (uint32_t node = 0; node < m.scenario->node_count; node++) {
            struct truth truth;
            world_truth(m.world, node, &truth);
        }
    }
    world_digest(m.world, seen);
    CHECK_STR(seen, unseen);
    CHECK(watch.traces > 100);
    CHECK_INT(watch.packets, world_counts(m.world).sent);
    CHECK(watch.settled > watch.packets);
    miniature_close(&m);
}

static void an_upstream_that_lies_is_off_by_its_lie_while_it_lies_and_runs(void)
{
    static const struct {
        double at_s, error_s;
        bool is_up;
    } moments[] = {
        {20 * 60, 0, true}, {HOUR_S, 0.1, true}, {1.4 * HOUR_S, 0, false}, {2 * HOUR_S, 0, true}};
    char *text = g_strconcat(office,
                             "at 30min falsetick time.example by 100ms for 1h\n"
                             "at 80min stop time.example for 20min\n",
                             NULL);
    struct miniature m = miniature_open(text, 7);
    uint32_t node = scenario_node_by_name(m.scenario, "time.example");
    for (size_t i = 0; i < G_N_ELEMENTS(moments); i++) {
        struct truth truth;
        double error_s;
        CHECK(world_run(m.world, sim_from_s(moments[i].at_s)));
        world_truth(m.world, node, &truth);
        CHECK_INT(world_error(m.world, node, &error_s), moments[i].is_up);
        CHECK_NEAR(truth.error_s, moments[i].error_s, 1e-9);
        CHECK_NEAR(error_s, moments[i].error_s, 1e-9);
    }
    miniature_close(&m);
    g_free(text);
}

static void looks_at_less_agree_with_the_whole_truth(void)
{
    char *text = g_strconcat(office,
                             "at 30min falsetick time.example by 100ms for 1h\n"
                             "at 2h stop client-2 for 1h\nat 4h cut upstream\n",
                             NULL);
    struct miniature m = miniature_open(text, 7);
    unsigned finite = 0, down = 0;
    for (int i = 1; i <= 600; i++) {
        CHECK(world_run(m.world, sim_from_s(i * 50.0)));
        for (uint32_t node = 0; node < m.scenario->node_count; node++) {
            struct truth whole, part;
            double error_s;
            world_truth(m.world, node, &whole);
            world_measure(m.world, node, &part);
            CHECK_INT(world_error(m.world, node, &error_s), whole.is_up);
            CHECK_INT(part.is_up, whole.is_up);
            CHECK(error_s == whole.error_s && part.error_s == whole.error_s);
            CHECK(part.bound_s == whole.bound_s && part.frequency == whole.frequency);
            CHECK(part.correction == whole.correction);
            finite += isfinite(whole.bound_s) ? 1 : 0;
            down += whole.is_up ? 0 : 1;
        }
    }
    CHECK(finite > 1000 && down > 10);
    miniature_close(&m);
    g_free(text);
}

static void a_group_finds_true_time_and_says_so(void)
{
    struct miniature m = miniature_open(office, 3);
    struct truth server = miniature_truth_at(&m, 12 * HOUR_S, "a");
    CHECK_INT(server.state, STATE_SYNCHRONISED);
    CHECK_INT(server.stratum, 2);
    CHECK_INT(server.leader, miniature_node(&m, "time.example"));
    CHECK_NEAR(server.error_s, 0, 5e-3);
    CHECK(server.bound_s >= fabs(server.error_s) && server.bound_s < 0.1);
    CHECK_NEAR(server.frequency + server.correction, 0, 1e-6);
    CHECK(fabs(server.correction) > 1e-8);
    struct truth client = miniature_truth_at(&m, 12 * HOUR_S, "client-3");
    CHECK_INT(client.state, STATE_SYNCHRONISED);
    CHECK_INT(client.leader, miniature_node(&m, "a"));
    CHECK_INT(client.stratum, 3);
    CHECK_INT(client.reach, 0xFF);
    CHECK_NEAR(client.error_s, 0, 10e-3);
    miniature_close(&m);
}

static void an_upstream_is_true_within_what_it_claims(void)
{
    struct miniature m = miniature_open(lone, 3);
    struct truth upstream = miniature_truth_at(&m, HOUR_S, "time.example");
    CHECK(upstream.is_up);
    CHECK_INT(upstream.stratum, 1);
    CHECK_INT(upstream.leap, LEAP_NONE);
    CHECK_NEAR(upstream.error_s, 0, 1e-9);
    CHECK(upstream.bound_s > 0 && upstream.bound_s < 0.01);
    CHECK_INT(upstream.leader, UINT32_MAX);
    CHECK(world_engine(m.world, miniature_node(&m, "time.example")) == NULL);
    miniature_close(&m);
}

/* An hour at poll 6, randomised by 0 to 6.2 %: 53 to 57 questions. Wakes that do nothing would show
 * in events. */
static void a_client_asks_once_a_poll_and_wakes_little_more(void)
{
    struct miniature m = miniature_open(lone, 5);
    miniature_truth_at(&m, 12 * HOUR_S, "a");
    struct world_counts before = world_counts(m.world);
    miniature_truth_at(&m, 13 * HOUR_S, "a");
    struct world_counts after = world_counts(m.world);
    uint64_t asked = (after.sent - before.sent) / 2;
    CHECK(asked >= 51 && asked <= 58);
    CHECK(after.events - before.events >= 3 * asked);
    CHECK(after.events - before.events <= 5 * asked);
    miniature_close(&m);
}

struct ports {
    unsigned last, changes, wrong;
};

static void note_port(void *context, struct world *w, uint32_t from, uint32_t to,
                      const struct endpoint *source, const struct endpoint *destination,
                      const uint8_t *bytes, size_t size, enum carriage carriage)
{
    struct ports *ports = context;
    (void)w, (void)from, (void)to, (void)size, (void)carriage;
    if ((bytes[0] & 7) == MODE_CLIENT) {
        ports->wrong += source->port < 1024 || destination->port != NTP_PORT;
        ports->changes += source->port != ports->last;
        ports->last = source->port;
    } else {
        ports->wrong += source->port != NTP_PORT || destination->port != ports->last;
    }
}

static void every_request_leaves_from_a_port_of_its_own(void)
{
    struct ports ports = {0};
    struct observer observer = {.context = &ports, .packet = note_port};
    struct miniature m = miniature_open(lone, 5);
    world_observe(m.world, &observer);
    miniature_truth_at(&m, HOUR_S, "a");
    CHECK(ports.changes >= 50);
    CHECK_INT(ports.changes, (world_counts(m.world).sent + 1) / 2);
    CHECK_INT(ports.wrong, 0);
    miniature_close(&m);
}

static void a_restart_keeps_the_drift_value(void)
{
    char text[400];
    snprintf(text, sizeof text, "%sat 12h stop a for 1h\n", lone);
    struct miniature m = miniature_open(text, 5);
    struct truth before = miniature_truth_at(&m, 12 * HOUR_S - 1, "a");
    struct truth down = miniature_truth_at(&m, 12.5 * HOUR_S, "a");
    struct truth after = miniature_truth_at(&m, 13 * HOUR_S + 0.1, "a");
    CHECK(before.is_up && !down.is_up && after.is_up);
    CHECK(isinf(down.bound_s));
    CHECK_INT(down.leap, LEAP_UNKNOWN);
    CHECK(fabs(before.correction) > 1e-8);
    CHECK_NEAR(down.correction, before.correction, 0);
    CHECK_NEAR(after.correction, before.correction, 1e-15); /* it was kept in ppm */
    CHECK_INT(after.state, STATE_UNSYNCHRONISED);
    /* Corrected by the drift value meanwhile, the clock loses milliseconds and not 3600 times its
     * error. */
    CHECK_NEAR(after.error_s, before.error_s, 3600 * 0.5e-6);
    struct truth later = miniature_truth_at(&m, 14 * HOUR_S, "a");
    CHECK_INT(later.state, STATE_SYNCHRONISED);
    miniature_close(&m);
}

static void a_restarted_engine_has_another_random_stream(void)
{
    struct miniature m = miniature_open("duration 2d\n"
                                        "node a address 10.0.0.1 config one.conf clock ideal\n"
                                        "upstream *.example stratum 1 link ideal\n"
                                        "at 1h stop a for 1s\n",
                                        5);
    struct ports first = {0}, second = {0};
    struct observer observer = {.context = &first, .packet = note_port};
    world_observe(m.world, &observer);
    miniature_truth_at(&m, 10, "a");
    unsigned port = first.last;
    CHECK(port != 0);
    miniature_truth_at(&m, HOUR_S + 1, "a");
    struct observer late = {.context = &second, .packet = note_port};
    world_observe(m.world, &late);
    miniature_truth_at(&m, HOUR_S + 11, "a");
    CHECK(second.last != 0 && second.last != port);
    CHECK_INT(world_engine(m.world, miniature_node(&m, "a")) != NULL, 1);
    miniature_close(&m);
}

static void nodes_begin_when_they_are_told_to(void)
{
    struct miniature m =
        miniature_open("duration 1d\n"
                       "node a address 10.0.0.1 config one.conf clock xo-server start 2h\n"
                       "upstream *.example stratum 1 link lan\n",
                       1);
    CHECK(!miniature_truth_at(&m, 2 * HOUR_S - 1, "a").is_up);
    CHECK_INT(world_counts(m.world).sent, 0);
    CHECK(miniature_truth_at(&m, 2 * HOUR_S, "a").is_up);
    CHECK_INT(miniature_truth_at(&m, 3 * HOUR_S, "a").state, STATE_SYNCHRONISED);
    miniature_close(&m);
}

static void names_are_not_found_while_every_path_to_them_is_cut(void)
{
    char text[400];
    snprintf(text, sizeof text, "%sat 0s cut upstream for 1h\n", lone);
    struct miniature m = miniature_open(text, 1);
    miniature_truth_at(&m, HOUR_S - 1, "a");
    CHECK_INT(world_counts(m.world).sent, 0);
    CHECK_INT(miniature_truth_at(&m, 4 * HOUR_S, "a").state, STATE_SYNCHRONISED);
    miniature_close(&m);
}

/* ---- the rules of the contract -------------------------------------------------------------- */

static void expect_violation(const struct effects *effects, const char *words)
{
    struct miniature m = miniature_open(lone, 1);
    struct world *w = m.world;
    CHECK(world_run(w, sim_from_s(10)));
    CHECK(world_violation(w) == NULL);
    struct node *node = world_node(w, 0);
    w->effects = *effects;
    w->effects.wake = MONO_NEVER;
    effects_perform(w, node, effects_read_clocks(w, node), NULL);
    CHECK(world_violation(w) && strstr(world_violation(w), words));
    CHECK(!world_run(w, sim_from_s(20)));
    CHECK_NEAR(sim_s(world_now(w)), 10, 0);
    miniature_close(&m);
}

static void a_step_without_a_rate_is_a_violation(void)
{
    expect_violation(&(struct effects){.todo = EFFECT_CLOCK, .clock = {CLOCK_STEP, 1.0, 0, 0}},
                     "without a rate");
}

static void a_step_with_a_datagram_is_a_violation(void)
{
    expect_violation(&(struct effects){.todo = EFFECT_CLOCK | EFFECT_SEND,
                                       .clock = {CLOCK_STEP | CLOCK_RATE, 1.0, 0, 0},
                                       .send = {.size = 48}},
                     "together with a datagram");
}

static void a_rate_out_of_range_is_a_violation(void)
{
    int64_t beyond = node_clock_ability().rate_max_q + 1;
    expect_violation(&(struct effects){.todo = EFFECT_CLOCK, .clock = {CLOCK_RATE, 0, beyond, 0}},
                     "quanta");
    expect_violation(&(struct effects){.todo = EFFECT_CLOCK, .clock = {CLOCK_RATE, 0, -beyond, 0}},
                     "quanta");
}

static void a_datagram_beyond_the_limit_is_a_violation(void)
{
    expect_violation(
        &(struct effects){.todo = EFFECT_SEND, .send = {.size = DATAGRAM_SIZE_MAX + 1}}, "bytes");
}

static void a_clock_command_within_the_rules_is_performed(void)
{
    struct miniature m = miniature_open(lone, 1);
    struct world *w = m.world;
    CHECK(world_run(w, sim_from_s(10)));
    struct node *node = world_node(w, 0);
    double before_s = oscillator_error_s(node->oscillator, w->now);
    struct instant before = effects_read_clocks(w, node);
    w->effects = (struct effects){.todo = EFFECT_CLOCK,
                                  .wake = MONO_NEVER,
                                  .clock = {CLOCK_STEP | CLOCK_RATE, 1.5, 65536 * 100, 0}};
    effects_perform(w, node, before, NULL);
    struct instant after = effects_read_clocks(w, node);
    CHECK(world_violation(w) == NULL);
    CHECK_NEAR(ntp_diff_s(after.clock, before.clock), 1.5, 1e-9);
    CHECK_INT(after.mono.ticks, before.mono.ticks);
    CHECK_NEAR(oscillator_error_s(node->oscillator, w->now) - before_s, 1.5, 1e-12);
    CHECK_NEAR(oscillator_rate(node->oscillator), 100e-6, 1e-15);
    miniature_close(&m);
}

const struct test_case world_tests[] = {
    {"same_seed_gives_the_same_digest_and_another_seed_another",
     same_seed_gives_the_same_digest_and_another_seed_another},
    {"digest_notes_a_longer_run", digest_notes_a_longer_run},
    {"looking_and_slicing_change_nothing", looking_and_slicing_change_nothing},
    {"an_upstream_that_lies_is_off_by_its_lie_while_it_lies_and_runs",
     an_upstream_that_lies_is_off_by_its_lie_while_it_lies_and_runs},
    {"looks_at_less_agree_with_the_whole_truth", looks_at_less_agree_with_the_whole_truth},
    {"a_group_finds_true_time_and_says_so", a_group_finds_true_time_and_says_so},
    {"an_upstream_is_true_within_what_it_claims", an_upstream_is_true_within_what_it_claims},
    {"a_client_asks_once_a_poll_and_wakes_little_more",
     a_client_asks_once_a_poll_and_wakes_little_more},
    {"every_request_leaves_from_a_port_of_its_own", every_request_leaves_from_a_port_of_its_own},
    {"a_restart_keeps_the_drift_value", a_restart_keeps_the_drift_value},
    {"a_restarted_engine_has_another_random_stream", a_restarted_engine_has_another_random_stream},
    {"nodes_begin_when_they_are_told_to", nodes_begin_when_they_are_told_to},
    {"names_are_not_found_while_every_path_to_them_is_cut",
     names_are_not_found_while_every_path_to_them_is_cut},
    {"a_step_without_a_rate_is_a_violation", a_step_without_a_rate_is_a_violation},
    {"a_step_with_a_datagram_is_a_violation", a_step_with_a_datagram_is_a_violation},
    {"a_rate_out_of_range_is_a_violation", a_rate_out_of_range_is_a_violation},
    {"a_datagram_beyond_the_limit_is_a_violation", a_datagram_beyond_the_limit_is_a_violation},
    {"a_clock_command_within_the_rules_is_performed",
     a_clock_command_within_the_rules_is_performed},
    {NULL, NULL}};
