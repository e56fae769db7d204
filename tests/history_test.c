/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What happened, told by hand: states, losses and recoveries around a cut.
 */
#include "../sim/history.h"

#include "scenario_check.h"

struct tale {
    char *folder;
    struct scenario *scenario;
    struct history history;
};

/* Hosts 0 and 1, clients 2 and 3, upstream 4; cut from 1000 s to 5000 s of 10000 s. */
static struct tale tale_new(void)
{
    struct tale t = {.folder = fixture_new()};
    fixture_file(t.folder, "n.conf", "server u\n");
    t.scenario = fixture_load(t.folder, "duration 10000s\nupstream u\n"
                                        "node a address 10.0.0.1 config n.conf\n"
                                        "node b address 10.0.0.2 config n.conf start 100s\n"
                                        "clients 2 address 10.1.0.0/24 config n.conf\n"
                                        "at 1000s cut u for 4000s\n"
                                        "at 6000s stop a for 1000s\n");
    history_init(&t.history, t.scenario);
    return t;
}

static void tale_end(struct tale *t)
{
    history_clear(&t->history);
    scenario_free(t->scenario);
    fixture_free(t->folder);
}

static void tell(struct tale *t, double now_s, uint32_t node, enum system_state from,
                 enum system_state to)
{
    struct trace_record record = {.kind = TRACE_STATE, .source = -1, .why = "told"};
    record.u.state.from = from;
    record.u.state.to = to;
    history_trace(&t->history, now_s, node, &record);
}

static void tell_all_in_sync(struct tale *t)
{
    for (uint32_t node = 0; node < 4; node++) {
        tell(t, 200 + node, node, STATE_UNSYNCHRONISED, STATE_SYNCHRONISED);
    }
    history_fault(&t->history, 1000, &t->scenario->faults[0], true);
}

static void time_in_each_state_adds_up_to_the_run(void)
{
    struct tale t = tale_new();
    tell_all_in_sync(&t);
    tell(&t, 2000, 0, STATE_SYNCHRONISED, STATE_HOLDOVER);
    history_fault(&t.history, 6000, &t.scenario->faults[1], true);
    history_fault(&t.history, 7000, &t.scenario->faults[1], false);
    history_end(&t.history, 10000);
    const double *a = t.history.nodes[0].lasted_s, *b = t.history.nodes[1].lasted_s;
    CHECK(a[STATE_UNSYNCHRONISED] == 200 + 3000);
    CHECK(a[STATE_SYNCHRONISED] == 1800);
    CHECK(a[STATE_HOLDOVER] == 4000);
    CHECK(a[HISTORY_DOWN] == 1000);
    CHECK(b[HISTORY_DOWN] == 100);
    CHECK(b[STATE_UNSYNCHRONISED] == 101);
    CHECK(b[STATE_SYNCHRONISED] == 10000 - 201);
    tale_end(&t);
}

static void holdover_is_no_loss_and_each_node_is_lost_once(void)
{
    struct tale t = tale_new();
    tell_all_in_sync(&t);
    tell(&t, 2000, 0, STATE_SYNCHRONISED, STATE_HOLDOVER);
    tell(&t, 2500, 1, STATE_SYNCHRONISED, STATE_HOLDOVER);
    tell(&t, 3000, 1, STATE_HOLDOVER, STATE_UNSYNCHRONISED);
    tell(&t, 3100, 1, STATE_UNSYNCHRONISED, STATE_SYNCHRONISED);
    tell(&t, 3200, 1, STATE_SYNCHRONISED, STATE_UNSYNCHRONISED);
    tell(&t, 4000, 3, STATE_SYNCHRONISED, STATE_UNSYNCHRONISED);
    tell(&t, 4500, 2, STATE_SYNCHRONISED, STATE_PANIC);
    tell(&t, 9000, 0, STATE_HOLDOVER, STATE_UNSYNCHRONISED); /* after the end of the cut */
    const struct history_loss *hosts = &t.history.outages[0].losses[NODE_HOST];
    const struct history_loss *clients = &t.history.outages[0].losses[NODE_CLIENT];
    CHECK_INT(t.history.outage_count, 1);
    CHECK_INT(hosts->count, 2);
    CHECK_INT(hosts->lost, 1);
    CHECK_INT(hosts->first_node, 1);
    CHECK(hosts->first_s == 3000 && hosts->last_s == 3000);
    CHECK_INT(clients->lost, 2);
    CHECK_INT(clients->first_node, 3);
    CHECK(clients->first_s == 4000 && clients->last_s == 4500);
    tale_end(&t);
}

static void node_that_had_no_time_loses_none(void)
{
    struct tale t = tale_new();
    history_fault(&t.history, 1000, &t.scenario->faults[0], true);
    tell(&t, 3000, 1, STATE_UNSYNCHRONISED, STATE_PANIC);
    CHECK_INT(t.history.outages[0].losses[NODE_HOST].count, 0);
    CHECK_INT(t.history.outages[0].losses[NODE_HOST].lost, 0);
    tale_end(&t);
}

static void recovery_is_when_the_last_that_waited_is_synchronised(void)
{
    struct tale t = tale_new();
    tell_all_in_sync(&t);
    tell(&t, 2000, 0, STATE_SYNCHRONISED, STATE_HOLDOVER);
    tell(&t, 2500, 1, STATE_SYNCHRONISED, STATE_UNSYNCHRONISED);
    tell(&t, 4000, 2, STATE_SYNCHRONISED, STATE_HOLDOVER);
    history_fault(&t.history, 5000, &t.scenario->faults[0], false);
    const struct history_loss *hosts = &t.history.outages[0].losses[NODE_HOST];
    const struct history_loss *clients = &t.history.outages[0].losses[NODE_CLIENT];
    CHECK_INT(hosts->waiting, 2);
    tell(&t, 5100, 0, STATE_HOLDOVER, STATE_SYNCHRONISED);
    tell(&t, 5200, 0, STATE_SYNCHRONISED, STATE_HOLDOVER);
    tell(&t, 5300, 0, STATE_HOLDOVER, STATE_SYNCHRONISED);
    CHECK(isnan(hosts->recovered_s));
    tell(&t, 5400, 1, STATE_UNSYNCHRONISED, STATE_SYNCHRONISED);
    CHECK(hosts->recovered_s == 5400);
    CHECK_INT(clients->waiting, 1);
    CHECK(isnan(clients->recovered_s));
    tale_end(&t);
}

static void timeline_tells_of_faults_and_of_servers(void)
{
    struct tale t = tale_new();
    struct trace_record leader = {
        .kind = TRACE_LEADER, .source = 0, .why = "best of the survivors"};
    struct trace_record step = {.kind = TRACE_STEP, .source = 0};
    static const char *const expected[] = {"a: unsynchronised -> synchronised: told",
                                           "b follows a: best of the survivors",
                                           "b follows nobody: best of the survivors",
                                           "b steps its clock by -250 ms",
                                           "cut u for 4000s",
                                           "end of: cut u for 4000s"};
    tell(&t, 200, 0, STATE_UNSYNCHRONISED, STATE_SYNCHRONISED);
    tell(&t, 201, 2, STATE_UNSYNCHRONISED, STATE_SYNCHRONISED); /* a client: not told */
    leader.peer.address = t.scenario->nodes[0].address;
    history_trace(&t.history, 300, 1, &leader);
    leader.source = -1;
    history_trace(&t.history, 400, 1, &leader);
    step.u.step.amount_s = -0.25;
    history_trace(&t.history, 500, 1, &step);
    history_trace(&t.history, 501, 2, &step);
    history_fault(&t.history, 1000, &t.scenario->faults[0], true);
    history_fault(&t.history, 5000, &t.scenario->faults[0], false);
    CHECK_INT(t.history.events->len, 6);
    for (unsigned i = 0; i < 6 && i < t.history.events->len; i++) {
        CHECK_STR(g_array_index(t.history.events, struct history_event, i).text, expected[i]);
    }
    CHECK(g_array_index(t.history.events, struct history_event, 4).until_s == 5000);
    CHECK(isnan(g_array_index(t.history.events, struct history_event, 5).until_s));
    CHECK_INT(t.history.nodes[1].leader_changes, 2);
    CHECK_INT(t.history.nodes[1].steps, 1);
    CHECK_INT(t.history.nodes[2].steps, 1);
    tale_end(&t);
}

const struct test_case history_tests[] = {
    {"time_in_each_state_adds_up_to_the_run", time_in_each_state_adds_up_to_the_run},
    {"holdover_is_no_loss_and_each_node_is_lost_once",
     holdover_is_no_loss_and_each_node_is_lost_once},
    {"node_that_had_no_time_loses_none", node_that_had_no_time_loses_none},
    {"recovery_is_when_the_last_that_waited_is_synchronised",
     recovery_is_when_the_last_that_waited_is_synchronised},
    {"timeline_tells_of_faults_and_of_servers", timeline_tells_of_faults_and_of_servers},
    {NULL, NULL}};
