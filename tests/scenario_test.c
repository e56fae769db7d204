/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scenario language: what lines make, and what is said of wrong ones, to the column.
 */
#include "scenario_check.h"

/* Seven lines into which a test puts its own as the last. */
static const char frame[] = "duration 14d\n"
                            "title \"A test\"\n"
                            "node tick address 140.160.11.86 config tick.conf\n"
                            "node tock address 140.160.247.31 config tock.conf\n"
                            "upstream *.example link wan\n"
                            "clients 20 address 140.160.20.0/24 config client.conf\n";

static char *make_folder(void)
{
    char *folder = fixture_new();
    fixture_file(folder, "tick.conf", "server a.example\nserver b.example maxpoll 13\n");
    fixture_file(folder, "tock.conf", "server b.example\npool p.example\n");
    fixture_file(folder, "client.conf", "server 140.160.11.86\nserver 140.160.247.31\n");
    fixture_file(folder, "bad.conf", "sever a.example\n");
    fixture_file(folder, "loop.conf", "server a.example\nincludefile loop.conf\n");
    fixture_file(folder, "odd.conf", "\nserver ghost.invalid\n");
    fixture_file(folder, "outer.conf", "includefile odd.conf\n");
    fixture_file(folder, "number.conf", "server 192.0.2.9\n");
    fixture_file(folder, "climb.conf", "server a.example\nincludefile ../other.conf\n");
    return folder;
}

static struct scenario *load_frame(const char *folder, const char *more)
{
    char *text = g_strconcat(frame, more, NULL);
    struct scenario *s = fixture_load(folder, text);
    g_free(text);
    return s;
}

/* ---- what lines make ---- */

static void nodes_are_hosts_then_clients_then_upstreams(void)
{
    char text[ADDRESS_TEXT_SIZE], *folder = make_folder();
    struct scenario *s = load_frame(folder, "");
    CHECK_INT(s->node_count, 28);
    CHECK_INT(s->host_count, 2);
    CHECK_INT(s->client_count, 20);
    CHECK_INT(s->upstream_count, 6);
    CHECK_STR(s->title, "A test");
    CHECK(s->duration_s == 14 * 86400.0);
    CHECK_INT(s->seed, 1);
    CHECK_INT(s->runs, 1);
    CHECK_STR(s->nodes[0].name, "tick");
    CHECK_INT(s->nodes[1].kind, NODE_HOST);
    CHECK_STR(s->nodes[2].name, "client-1");
    CHECK_STR(address_text(&s->nodes[2].address, text), "140.160.20.1");
    CHECK_STR(address_text(&s->nodes[21].address, text), "140.160.20.20");
    CHECK_INT(s->nodes[21].kind, NODE_CLIENT);
    CHECK(s->nodes[2].conf == s->nodes[21].conf);
    CHECK(s->nodes[0].conf != s->nodes[1].conf);
    CHECK_STR(s->nodes[0].clock_name, "xo-server");
    CHECK(isnan(s->nodes[0].drift_ppm) && isnan(s->nodes[0].offset_s));
    scenario_free(s);
    fixture_free(folder);
}

static void each_name_becomes_one_upstream_and_a_pool_four(void)
{
    static const char *const names[] = {"a.example",   "b.example",   "p.example#1",
                                        "p.example#2", "p.example#3", "p.example#4"};
    char text[ADDRESS_TEXT_SIZE], *folder = make_folder();
    uint32_t found[RESOLVE_MAX];
    struct scenario *s = load_frame(folder, "");
    for (unsigned i = 0; i < 6; i++) {
        char expected[ADDRESS_TEXT_SIZE];
        const struct scenario_node *node = &s->nodes[22 + i];
        g_snprintf(expected, sizeof expected, "198.18.0.%u", i + 1);
        CHECK_STR(node->name, names[i]);
        CHECK_STR(address_text(&node->address, text), expected);
        CHECK_INT(node->kind, NODE_UPSTREAM);
        CHECK_INT(node->stratum, 2);
        CHECK(node->conf == NULL);
        CHECK_INT(scenario_node_by_name(s, names[i]), 22 + i);
        CHECK_INT(scenario_node_by_address(s, &node->address), 22 + i);
    }
    CHECK_INT(scenario_resolve(s, "p.example", found), 4);
    CHECK_INT(found[0], 24);
    CHECK_INT(found[3], 27);
    CHECK_INT(scenario_resolve(s, "b.example", found), 1);
    CHECK_INT(found[0], 23);
    CHECK_INT(scenario_resolve(s, "tick", found), 1);
    CHECK_INT(scenario_resolve(s, "c.example", found), 0);
    CHECK_INT(scenario_node_by_name(s, "c.example"), UINT32_MAX);
    scenario_free(s);
    fixture_free(folder);
}

static void upstream_addresses_avoid_those_that_lines_name(void)
{
    char text[ADDRESS_TEXT_SIZE], *folder = make_folder();
    struct scenario *s = load_frame(folder, "node x address 198.18.0.2 config number.conf\n"
                                            "upstream 192.0.2.9 stratum 1 offset -5ms\n");
    uint32_t a = scenario_node_by_name(s, "a.example"), b = scenario_node_by_name(s, "b.example");
    uint32_t number = scenario_node_by_name(s, "192.0.2.9");
    CHECK_STR(address_text(&s->nodes[a].address, text), "198.18.0.1");
    CHECK_STR(address_text(&s->nodes[b].address, text), "198.18.0.3");
    CHECK_STR(address_text(&s->nodes[number].address, text), "192.0.2.9");
    CHECK_INT(s->nodes[number].stratum, 1);
    CHECK(s->nodes[number].offset_s == -0.005);
    CHECK(s->nodes[number].root_delay_s == 0);
    CHECK(s->nodes[number].root_dispersion_s == 0.001);
    CHECK(s->nodes[a].root_dispersion_s == 0.005);
    scenario_free(s);
    fixture_free(folder);
}

static void clock_parameters_change_the_law_whatever_the_order(void)
{
    char *folder = make_folder();
    struct scenario *s = load_frame(
        folder,
        "clock-law mine ocxo white 1e-9 aging 3e-9\n"
        "node x address 10.0.0.1 config tick.conf frequency 12ppm drift -2.5ppm clock mine "
        "flicker 3e-9 wander 40ppb/1h diurnal 0.2ppm random-walk 1e-10 offset -3ms start 1h\n");
    const struct scenario_node *x = &s->nodes[scenario_node_by_name(s, "x")];
    CHECK_NEAR(x->clock.initial_mean, 12e-6, 1e-20);
    CHECK(x->clock.initial_sd == 0);
    CHECK(x->clock.white_fm == 1e-9);
    CHECK(x->clock.flicker_floor == 3e-9);
    CHECK(x->clock.random_walk_fm == 1e-10);
    CHECK_NEAR(x->clock.wander_sd, 40e-9, 1e-22);
    CHECK(x->clock.wander_tc_s == 3600);
    CHECK_NEAR(x->clock.diurnal, 0.2e-6, 1e-20);
    CHECK(x->clock.aging_per_day == 3e-9);
    CHECK(x->clock.initial_offset_sd_s == oscillator_preset("ocxo")->initial_offset_sd_s);
    CHECK_NEAR(x->drift_ppm, -2.5, 1e-12);
    CHECK(x->offset_s == -0.003);
    CHECK(x->start_s == 3600);
    CHECK_STR(x->clock_name, "mine");
    scenario_free(s);
    fixture_free(folder);
}

static void link_parameters_hold_both_ways_until_back(void)
{
    char *folder = make_folder();
    struct scenario *s = load_frame(
        folder, "link wan base 10ms queue gamma 0.7 3ms load 50% loss 0.1% burst 0.2%/1s "
                "asymmetry 1ms fifo back base 12ms queue none between tick tock\n");
    const struct path_law *law = scenario_path(s, 0, 1);
    CHECK(law->forward.base_s == 0.010 && law->back.base_s == 0.012);
    CHECK_INT(law->forward.queue, QUEUE_GAMMA);
    CHECK_INT(law->back.queue, QUEUE_NONE);
    CHECK(law->forward.a == 0.7 && law->forward.b == 0.003);
    CHECK(law->forward.load == 0.5 && law->back.load == 0.5);
    CHECK(law->forward.loss == 0.001 && law->back.loss == 0.001);
    CHECK(law->forward.burst_share == 0.002 && law->forward.burst_s == 1);
    CHECK(law->forward.asymmetry_sd_s == 0.001);
    CHECK(law->forward.is_fifo && law->back.is_fifo);
    CHECK_STR(s->rules[1].name,
              "wan base 10ms queue gamma 0.7 3ms load 50% loss 0.1% burst 0.2%/1s "
              "asymmetry 1ms fifo back base 12ms queue none");
    scenario_free(s);
    fixture_free(folder);
}

static void last_link_line_that_matches_wins_and_lan_is_the_rest(void)
{
    char *folder = make_folder();
    struct scenario *s = load_frame(folder, "link-law slow wan base 40ms\n"
                                            "link campus between hosts clients\n"
                                            "link slow between tock and client-3\n");
    const struct path_law *campus = path_preset("campus");
    CHECK(scenario_path(s, 0, 1)->forward.base_s == campus->forward.base_s);
    CHECK(scenario_path(s, 2, 3)->forward.base_s == campus->forward.base_s);
    CHECK(scenario_path(s, 1, 4)->forward.base_s == 0.040);
    CHECK(scenario_path(s, 4, 1)->forward.base_s == 0.040);
    CHECK(scenario_path(s, 0, 4)->forward.base_s == campus->forward.base_s);
    CHECK(scenario_path(s, 0, 22)->forward.base_s == path_preset("wan")->forward.base_s);
    CHECK(scenario_path(s, 22, 5)->forward.base_s == path_preset("wan")->forward.base_s);
    scenario_free(s);
    s = load_frame(folder, "");
    CHECK(scenario_path(s, 0, 1) == path_preset("lan"));
    scenario_free(s);
    fixture_free(folder);
}

static void sets_are_ascending_and_without_duplicates(void)
{
    char *folder = make_folder();
    struct scenario *s =
        load_frame(folder, "clients 2 address 10.1.0.0/30 config client.conf name lab\n"
                           "at 1d cut p.example lab tock lab-2 tock\n"
                           "at 2d cut *.example\n"
                           "at 3d cut all\n"
                           "at 4d cut p.example#3 from hosts\n");
    static const uint32_t first[] = {1, 22, 23, 26, 27, 28, 29};
    const struct node_set *set = &s->faults[0].a;
    CHECK_INT(set->count, 7);
    for (unsigned i = 0; i < 7 && i < set->count; i++) {
        CHECK_INT(set->nodes[i], first[i]);
        CHECK(node_set_has(set, first[i]));
    }
    CHECK(!node_set_has(set, 0) && !node_set_has(set, 24) && !node_set_has(set, 30));
    CHECK_INT(s->faults[1].a.count, 2); /* a.example and b.example: p.example#1 does not match */
    CHECK_INT(s->faults[2].a.count, s->node_count);
    CHECK_INT(s->faults[3].a.nodes[0], 28);
    CHECK_INT(s->faults[3].b.count, 2);
    scenario_free(s);
    fixture_free(folder);
}

static void timeline_is_in_the_order_of_time(void)
{
    char *folder = make_folder();
    struct scenario *s = load_frame(folder, "at 3d heal tick\n"
                                            "at 1d delay tick to upstream by 5ms for 2h\n"
                                            "at 1d loss between tick and tock 30%\n"
                                            "at 2d cut tick\n"
                                            "at 4d step tock by -1.5s\n"
                                            "at 5d frequency tock 3ppm for 1d\n"
                                            "at 6d stop tock\n"
                                            "at 7d start tock\n"
                                            "at 8d falsetick b.example by 200ms\n");
    static const enum fault_verb verbs[] = {FAULT_DELAY, FAULT_LOSS,  FAULT_CUT,
                                            FAULT_HEAL,  FAULT_STEP,  FAULT_FREQUENCY,
                                            FAULT_STOP,  FAULT_START, FAULT_FALSETICK};
    CHECK_INT(s->fault_count, 9);
    for (unsigned i = 0; i < 9; i++) {
        CHECK_INT(s->faults[i].verb, verbs[i]);
    }
    CHECK(s->faults[0].amount == 0.005 && s->faults[0].for_s == 7200);
    CHECK_INT(s->faults[0].b.count, 6);
    CHECK_STR(s->faults[0].text, "delay tick to upstream by 5ms for 2h");
    CHECK_NEAR(s->faults[1].amount, 0.3, 1e-15);
    CHECK(isnan(s->faults[2].for_s));
    CHECK(s->faults[4].amount == -1.5);
    CHECK_NEAR(s->faults[5].amount, 3e-6, 1e-20);
    CHECK(scenario_fault_end_s(s, &s->faults[0]) == 86400 + 7200);
    CHECK(scenario_fault_end_s(s, &s->faults[2]) == 3 * 86400.0); /* the heal */
    CHECK(scenario_fault_end_s(s, &s->faults[6]) == 7 * 86400.0); /* the start */
    CHECK(scenario_fault_end_s(s, &s->faults[4]) == 4 * 86400.0);
    CHECK(scenario_fault_end_s(s, &s->faults[8]) == 14 * 86400.0);
    scenario_free(s);
    fixture_free(folder);
}

struct window_case {
    const char *line;
    double from_s, until_s;
};

static void windows_narrow_with_every_clause(void)
{
    static const struct window_case cases[] = {
        {"expect error of tick < 1ms", 0, 14 * 86400.0},
        {"expect error of tick < 1ms from 1h until 2d", 3600, 2 * 86400.0},
        {"expect error of tick < 1ms at 3d", 3 * 86400.0, 3 * 86400.0},
        {"expect error of tick < 1ms between 1d and 2d until 36h", 86400, 36 * 3600.0},
        {"expect error of tick < 1ms during cut", 7 * 86400.0, 10 * 86400.0},
        {"expect error of tick < 1ms before cut from 1h", 3600, 7 * 86400.0},
        {"expect error of tick < 1ms after cut", 10 * 86400.0, 14 * 86400.0},
        {"expect error of tick < 1ms from 1h after cut", 10 * 86400.0 + 3600, 14 * 86400.0},
        {"expect error of tick < 1ms from 1h into cut until 2h before step", 7 * 86400.0 + 3600,
         11 * 86400.0 - 7200},
        {"expect error of tick < 1ms after step", 11 * 86400.0, 14 * 86400.0},
        {"expect error of tick < 1ms after 1h before 2h", 3600, 7200},
    };
    char *folder = make_folder();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *text = g_strconcat("at 1d cut tock for 1h\nat 7d cut upstream for 72h\n"
                                 "at 11d step tock by 1s\n",
                                 cases[i].line, "\nat 12d cut tick\n", NULL);
        struct scenario *s = load_frame(folder, text);
        CHECK_INT(s->expectation_count, 1);
        CHECK_NEAR(s->expectations[0].from_s, cases[i].from_s, 0);
        CHECK_NEAR(s->expectations[0].until_s, cases[i].until_s, 0);
        CHECK_STR(s->expectations[0].text, cases[i].line + strlen("expect "));
        scenario_free(s);
        g_free(text);
    }
    fixture_free(folder);
}

static void expectations_of_every_kind_are_understood(void)
{
    char *folder = make_folder();
    struct scenario *s =
        load_frame(folder, "at 7d cut upstream for 72h\n"
                           "expect synchronised hosts\n"
                           "expect unsynchronised tick at 9d\n"
                           "expect state holdover tick from 8d until 8d1h\n"
                           "expect tick tock becomes holdover between 7d16h and 7d20h\n"
                           "expect error of clients < 100ms during cut\n"
                           "expect spread of clients < 50ms\n"
                           "expect claimed-bound holds\n"
                           "expect claimed-bound holds of tick from 1d\n"
                           "expect one leader among tick tock at 13d\n"
                           "expect no cycle among tick tock longer than 1024s\n"
                           "expect tick follows tock b.example from 1d\n"
                           "expect tick never follows a.example\n"
                           "expect no step of tick after 1h\n"
                           "expect frequency of tick < 1ppm at 7d\n");
    static const enum expectation_kind kinds[] = {
        EXPECT_STATE,      EXPECT_STATE,    EXPECT_STATE,         EXPECT_BECOMES,
        EXPECT_ERROR,      EXPECT_SPREAD,   EXPECT_CLAIMED_BOUND, EXPECT_CLAIMED_BOUND,
        EXPECT_ONE_LEADER, EXPECT_NO_CYCLE, EXPECT_FOLLOWS,       EXPECT_FOLLOWS,
        EXPECT_NO_STEP,    EXPECT_FREQUENCY};
    const struct expectation *e = s->expectations;
    CHECK_INT(s->expectation_count, 14);
    for (size_t i = 0; i < 14; i++) {
        CHECK_INT(e[i].kind, kinds[i]);
    }
    CHECK(e[0].accepts_holdover && !e[0].negated && e[1].negated);
    CHECK(e[2].state == STATE_HOLDOVER && !e[2].accepts_holdover);
    CHECK(e[3].state == STATE_HOLDOVER && e[3].nodes.count == 2);
    CHECK(e[4].bound == 0.1 && e[4].nodes.count == 20);
    CHECK_INT(e[6].nodes.count, 22);
    CHECK_INT(e[7].nodes.count, 1);
    CHECK(e[9].bound == 1024);
    CHECK_INT(e[10].targets.nodes[0], 1);
    CHECK_INT(e[10].targets.nodes[1], 23);
    CHECK(!e[10].negated && e[11].negated);
    CHECK_NEAR(e[13].bound, 1e-6, 1e-20);
    scenario_free(s);
    fixture_free(folder);
}

static void example_of_the_help_page_is_a_scenario(void)
{
    char *folder = make_folder(), *said;
    char *help = scenario_help();
    const char *example = strstr(help, "\nExample\n");
    CHECK(example != NULL);
    GString *text = g_string_new(example ? example + strlen("\nExample\n") : "");
    g_string_replace(text, "time-group/", ".", 0);
    fixture_file(folder, "tick.conf", "server 0.north-america.pool.ntp.org\n");
    fixture_file(folder, "tock.conf", "server 1.north-america.pool.ntp.org\n");
    struct scenario *s = fixture_parse(folder, text->str, &said);
    CHECK_STR(said, "");
    CHECK(s && s->expectation_count == 4 && s->node_count == 24);
    CHECK_STR(s ? s->title : "", "All upstreams of both peers lost for three days");
    scenario_free(s);
    g_free(said);
    g_string_free(text, TRUE);
    g_free(help);
    fixture_free(folder);
}

static void help_names_every_verb_and_law(void)
{
    char *help = scenario_help();
    for (unsigned verb = 0; verb < FAULT_VERBS; verb++) {
        char *row = g_strdup_printf("\n  %s ", fault_verb_name((enum fault_verb)verb));
        CHECK(strstr(help, row) != NULL);
        g_free(row);
    }
    for (const char *const *name = oscillator_preset_names(); *name; name++) {
        CHECK(strstr(help, *name) != NULL);
    }
    for (const char *const *name = path_preset_names(); *name; name++) {
        CHECK(strstr(help, *name) != NULL);
    }
    for (unsigned i = 0; i < STATES; i++) {
        CHECK(strstr(help, system_state_name((enum system_state)i)) != NULL);
    }
    g_free(help);
}

static void absolute_paths_are_looked_up_inside_the_folder(void)
{
    char *folder = make_folder(), *etc = g_build_filename(folder, "etc", NULL);
    g_mkdir(etc, 0777);
    fixture_file(folder, "etc/deep.conf", "server deep.example\n");
    struct scenario *s = load_frame(folder, "node x address 10.0.0.1 config /etc/deep.conf\n"
                                            "node y address 10.0.0.2 config /etc/tick.conf\n");
    uint32_t x = scenario_node_by_name(s, "x"), y = scenario_node_by_name(s, "y");
    CHECK_STR(s->nodes[x].conf->engine.associations[0].name, "deep.example");
    CHECK_INT(s->nodes[y].conf->engine.association_count, 2);
    scenario_free(s);
    g_free(etc);
    fixture_free(folder);
}

static void missing_keys_are_made_up_alike_for_all_nodes(void)
{
    char *folder = make_folder(), *said;
    fixture_file(folder, "k1.conf", "keys /etc/ntp.keys\ntrustedkey 1\npeer 10.0.0.2 key 1\n");
    fixture_file(folder, "k2.conf", "keys /etc/ntp.keys\ntrustedkey 1\npeer 10.0.0.1 key 1\n");
    struct scenario *s = fixture_parse(folder,
                                       "duration 1h\nnode a address 10.0.0.1 config k1.conf\n"
                                       "node b address 10.0.0.2 config k2.conf\n",
                                       &said);
    CHECK(s != NULL && strstr(said, "note") && !strstr(said, "error") && !strstr(said, "warning"));
    if (s) {
        const struct key *a = key_find(&s->nodes[0].conf->engine.keys, 1);
        const struct key *b = key_find(&s->nodes[1].conf->engine.keys, 1);
        CHECK(s->nodes[0].conf->keys_are_synthetic);
        CHECK(a && b && a->secret_size == b->secret_size && a->secret_size >= 16 &&
              memcmp(a->secret, b->secret, a->secret_size) == 0);
    }
    scenario_free(s);
    g_free(said);
    fixture_free(folder);
}

static void epoch_sets_what_a_perfect_clock_shows(void)
{
    char *folder = make_folder();
    struct scenario *s = load_frame(folder, "epoch 2036-02-07T06:28:15\nseed 42\nruns 7\n");
    CHECK(s->epoch.ticks == UINT64_C(0xFFFFFFFF00000000));
    CHECK_INT(s->seed, 42);
    CHECK_INT(s->runs, 7);
    scenario_free(s);
    s = load_frame(folder, "epoch 2027-01-01\n");
    CHECK_INT(unix_s_from_ntp(s->epoch), 1798761600);
    scenario_free(s);
    fixture_free(folder);
}

static void hundred_thousand_clients_have_distinct_addresses(void)
{
    char text[ADDRESS_TEXT_SIZE], *folder = make_folder();
    struct scenario *s =
        load_frame(folder, "clients 100000 address 10.0.0.0/8 config client.conf name many\n");
    uint32_t last = scenario_node_by_name(s, "many-100000");
    CHECK_INT(s->client_count, 100020);
    CHECK_STR(address_text(&s->nodes[last].address, text), "10.1.134.160");
    CHECK_INT(scenario_node_by_address(s, &s->nodes[last].address), last);
    scenario_free(s);
    fixture_free(folder);
}

/* ---- what is said of wrong lines ---- */

/* A line 7 (or more) and what is said; "F" is the folder. */
struct wrong_case {
    const char *line, *said;
};

static void check_wrong(const struct wrong_case *cases, size_t count)
{
    char *folder = make_folder();
    for (size_t i = 0; i < count; i++) {
        char *said, *text = g_strconcat(frame, cases[i].line, "\n", NULL);
        struct scenario *s = fixture_parse(folder, text, &said);
        CHECK_STR(said, cases[i].said);
        CHECK(s == NULL);
        scenario_free(s);
        g_free(said);
        g_free(text);
    }
    fixture_free(folder);
}

static void wrong_settings_are_named(void)
{
    static const struct wrong_case cases[] = {
        {"frobnicate", "s:7:1: error: unknown word \"frobnicate\"\n"},
        {"expct x", "s:7:1: error: unknown word \"expct\"; did you mean \"expect\"?\n"},
        {"duration 3d", "s:7:1: error: \"duration\" is already set on line 1\n"},
        {"seed x", "s:7:6: error: expected a whole number of at least 0, not \"x\"\n"},
        {"seed", "s:7:5: error: expected a value after \"seed\"\n"},
        {"seed 1 2", "s:7:8: error: unexpected \"2\" after the value of \"seed\"\n"},
        {"files nowhere/", "s:7:7: error: there is no folder \"F/nowhere/\"\n"},
        {"epoch 1999-01-01", "s:7:7: error: the epoch must lie in the years 2026 to 2161\n"},
        {"epoch 2036-2-7", "s:7:7: error: expected a date such as 2036-02-06 or "
                           "2036-02-06T12:00:00, not \"2036-2-7\"\n"},
        {"epoch 2036-02-30",
         "s:7:7: error: expected a date such as 2036-02-06 or 2036-02-06T12:00:00, not "
         "\"2036-02-30\"\n"},
    };
    check_wrong(cases, G_N_ELEMENTS(cases));
}

static void missing_duration_and_missing_nodes_are_errors(void)
{
    char *folder = make_folder(), *said;
    CHECK(fixture_parse(folder, "node a address 10.0.0.1 config client.conf\n", &said) == NULL);
    CHECK_STR(said, "s: error: there is no \"duration\" line: how long is the run?\n");
    g_free(said);
    CHECK(fixture_parse(folder, "duration 1d\n", &said) == NULL);
    CHECK_STR(said, "s: error: there is no node: expected a \"node\" or \"clients\" line\n");
    g_free(said);
    fixture_free(folder);
}

static void wrong_nodes_are_named(void)
{
    static const struct wrong_case cases[] = {
        {"node tick address 10.0.0.1 config tick.conf",
         "s:7:6: error: the name \"tick\" is already taken on line 3\n"},
        {"node x address 140.160.11.86 config tick.conf",
         "s:7:16: error: address 140.160.11.86 already belongs to tick on line 3\n"},
        {"node all address 10.0.0.1 config tick.conf",
         "s:7:6: error: \"all\" is a word of the language and cannot be a name\n"},
        {"node a/b address 10.0.0.1 config tick.conf",
         "s:7:6: error: expected a name of at most 63 letters, digits, '.', '_' and '-'\n"},
        {"node x address 10.0.0 config tick.conf",
         "s:7:16: error: expected an IPv4 or IPv6 address, not \"10.0.0\"\n"},
        {"node x config tick.conf",
         "s:7:24: error: expected \"address ADDRESS\" before the line ends\n"},
        {"node x address 10.0.0.1 config tick.conf clok ideal",
         "s:7:42: error: unknown word \"clok\"; did you mean \"clock\"?\n"},
        {"node x address 10.0.0.1 config tick.conf offset 5",
         "s:7:49: error: expected a duration such as 12ms or 7d12h from -1000000000 s to "
         "1000000000 s, "
         "not \"5\"\n"},
        {"node x address 10.0.0.1 config tick.conf frequency 5ms",
         "s:7:52: error: expected a frequency such as 1.5ppm or 20ppb from -1000 ppm to 1000 ppm, "
         "not "
         "\"5ms\"\n"},
        {"node x address 10.0.0.1 config tick.conf wander 40ppb",
         "s:7:49: error: expected FREQUENCY/DURATION such as 40ppb/1h after \"wander\"\n"},
        {"node x address 10.0.0.1 config tick.conf wander 40ppb/x",
         "s:7:55: error: expected a duration such as 12ms or 7d12h from 0.001 s to 1000000000 s, "
         "not "
         "\"x\"\n"},
        {"node x address 10.0.0.1 config tick.conf start 15d",
         "s:7:48: error: 15d is beyond the duration of 14d\n"},
        {"node x address 10.0.0.1 config tick.conf clock xo-sever",
         "s:7:48: error: unknown clock law \"xo-sever\"; did you mean \"xo-server\"? There are "
         "ideal, "
         "xo-server, xo-office, xo-chrony, tcxo, ocxo\n"},
    };
    check_wrong(cases, G_N_ELEMENTS(cases));
}

static void wrong_clients_are_named(void)
{
    static const struct wrong_case cases[] = {
        {"clients 2 address 10.0.0.0/24 config client.conf",
         "s:7:1: error: a second group of clients needs a name: add \"name NAME\"\n"},
        {"clients 300 address 10.0.0.0/24 config client.conf name lab",
         "s:7:21: error: 10.0.0.0/24 has room for 254 hosts, not 300\n"},
        {"clients 2 address 10.0.0.5/24 config client.conf name lab",
         "s:7:19: error: the network is 10.0.0.0/24: the address has bits beyond the prefix\n"},
        {"clients 2 address 140.160.20.128/25 config client.conf name lab",
         "s:7:19: error: 140.160.20.128/25 overlaps the clients on line 6\n"},
        {"clients 2 address 140.160.11.0/24 config client.conf name lab",
         "s:7:19: error: 140.160.11.0/24 overlaps address 140.160.11.86 of tick on line 3\n"},
        {"clients 2 address 10.0.0.0/24 config client.conf name tick",
         "s:7:55: error: the name \"tick\" is already taken\n"},
        {"clients 0 address 10.0.0.0/24 config client.conf name lab",
         "s:7:9: error: expected a whole number from 1 to 10000000, not \"0\"\n"},
        {"node x address 140.160.20.9 config tick.conf",
         "s:6:20: error: 140.160.20.0/24 overlaps address 140.160.20.9 of x on line 7\n"},
    };
    check_wrong(cases, G_N_ELEMENTS(cases));
}

static void wrong_configurations_bring_their_own_messages(void)
{
    static const struct wrong_case cases[] = {
        {"node x address 10.0.0.1 config ghost.conf",
         "s:7:32: error: there is no file \"F/ghost.conf\"\n"},
        {"node x address 10.0.0.1 config /etc/ghost.conf",
         "s:7:32: error: there is no file \"F/ghost.conf\": absolute paths are looked up in the "
         "scenario's "
         "files\n"},
        {"node x address 10.0.0.1 config ../tick.conf",
         "s:7:32: error: \"../tick.conf\" leads out of the scenario's files\n"},
        {"node x address 10.0.0.1 config bad.conf",
         "F/bad.conf:1:1: error: unknown directive \"sever\"; did you mean \"server\"?\n"
         "s:7:32: note: configuration \"bad.conf\" is named here\n"},
        {"node x address 10.0.0.1 config odd.conf",
         "F/odd.conf:2:8: error: host name \"ghost.invalid\" is matched by no \"upstream\" line of "
         "the "
         "scenario\n"},
        {"node x address 10.0.0.1 config number.conf",
         "F/number.conf:1:8: error: no node has address 192.0.2.9, and no \"upstream\" line names "
         "it\n"},
        {"node x address 10.0.0.1 config outer.conf",
         "F/odd.conf:2:8: error: host name \"ghost.invalid\" is matched by no \"upstream\" line of "
         "the "
         "scenario\n"},
    };
    check_wrong(cases, G_N_ELEMENTS(cases));
}

static void pattern_of_any_name_stands_for_no_address(void)
{
    char *folder = make_folder(), *said;
    struct scenario *s = fixture_parse(
        folder, "duration 1d\nupstream *\nnode x address 10.0.0.1 config number.conf\n", &said);
    CHECK_STR(said,
              "F/number.conf:1:8: error: no node has address 192.0.2.9, and no \"upstream\" line "
              "names it\n"
              "s:2:10: warning: no configuration asks for a name like \"*\"\n");
    CHECK(s == NULL);
    scenario_free(s);
    g_free(said);
    fixture_free(folder);
}

static void loop_of_includes_and_way_out_of_the_folder_are_errors(void)
{
    char *folder = make_folder(), *said, *text;
    text = g_strconcat(frame, "node x address 10.0.0.1 config loop.conf\n", NULL);
    CHECK(fixture_parse(folder, text, &said) == NULL);
    CHECK(g_str_has_prefix(said, "F/loop.conf:2:13: error: "));
    CHECK(g_str_has_suffix(said, "s:7:32: note: configuration \"loop.conf\" is named here\n"));
    g_free(said);
    g_free(text);
    text = g_strconcat(frame, "node x address 10.0.0.1 config climb.conf\n", NULL);
    CHECK(fixture_parse(folder, text, &said) == NULL);
    CHECK(g_str_has_prefix(said, "F/climb.conf:2:13: error: "));
    g_free(said);
    g_free(text);
    fixture_free(folder);
}

static void pattern_that_nothing_uses_is_a_warning(void)
{
    char *folder = make_folder(), *said;
    char *text = g_strconcat(frame, "upstream *.exampel\n", NULL);
    struct scenario *s = fixture_parse(folder, text, &said);
    CHECK_STR(said, "s:7:10: warning: no configuration asks for a name like \"*.exampel\"\n");
    CHECK(s != NULL);
    scenario_free(s);
    g_free(said);
    g_free(text);
    fixture_free(folder);
}

static void wrong_upstreams_and_links_are_named(void)
{
    static const struct wrong_case cases[] = {
        {"upstream x.example stratum 16",
         "s:7:28: error: expected a whole number from 1 to 15, not \"16\"\n"},
        {"upstream x.example startum 2",
         "s:7:20: error: unknown word \"startum\"; did you mean \"stratum\"?\n"},
        {"link wann between all", "s:7:6: error: unknown link law \"wann\"; did you mean \"wan\"? "
                                  "There are ideal, lan, campus, wan\n"},
        {"link wan bass 10ms between all",
         "s:7:10: error: unknown link parameter \"bass\"; did you mean \"base\"?\n"},
        {"link wan base 10 between all",
         "s:7:15: error: expected a duration such as 12ms or 7d12h from 0 s to 10 s, not \"10\"\n"},
        {"link wan queue exponental 1ms between all",
         "s:7:16: error: expected a queue law: none, exponential, gamma, lognormal, weibull or "
         "pareto; "
         "did you mean \"exponential\"?\n"},
        {"link wan load 130% between all",
         "s:7:15: error: expected a share such as 30% or 0.3, not \"130%\"\n"},
        {"link wan", "s:7:9: error: expected \"between NODES...\"\n"},
        {"link wan between", "s:7:17: error: expected the name of a node\n"},
        {"link wan between tick",
         "s:7:18: error: this joins nothing: expected at least two nodes, or \"and NODES\" after "
         "them\n"},
        {"link wan between tick and tick",
         "s:7:18: error: this joins nothing: expected at least two nodes, or \"and NODES\" after "
         "them\n"},
        {"link wan between tick zebra", "s:7:23: error: there is no node \"zebra\"\n"},
        {"link wan between tick and tok",
         "s:7:27: error: there is no node \"tok\"; did you mean \"tock\"?\n"},
    };
    check_wrong(cases, G_N_ELEMENTS(cases));
}

static void wrong_timeline_lines_are_named(void)
{
    static const struct wrong_case cases[] = {
        {"at 7 cut upstream",
         "s:7:4: error: expected a duration such as 12ms or 7d12h of at least 0 s, not \"7\"\n"},
        {"at 15d cut upstream", "s:7:4: error: 15d is beyond the duration of 14d\n"},
        {"at 7d", "s:7:6: error: expected a verb such as \"cut\"\n"},
        {"at 7d cutt tick", "s:7:7: error: unknown verb \"cutt\"; did you mean \"cut\"?\n"},
        {"at 7d cut", "s:7:10: error: expected the name of a node\n"},
        {"at 7d cut tik", "s:7:11: error: there is no node \"tik\"; did you mean \"tick\"?\n"},
        {"at 7d cut nobody-here", "s:7:11: error: there is no node \"nobody-here\"\n"},
        {"at 7d cut tick for 72", "s:7:20: error: expected a duration such as 12ms or 7d12h of at "
                                  "least 0.001 s, not \"72\"\n"},
        {"at 7d cut tick for 72h please", "s:7:24: error: unexpected \"please\" at the end\n"},
        {"at 7d cut between tick tock", "s:7:28: error: expected \"and NODES\" before this\n"},
        {"at 7d heal tick for 2h", "s:7:17: error: \"heal\" does not end and takes no \"for\"\n"},
        {"at 7d step tick by 3", "s:7:20: error: expected a duration such as 12ms or 7d12h from "
                                 "-1000000000 s to 1000000000 s, "
                                 "not \"3\"\n"},
        {"at 7d falsetick tick by 1s",
         "s:7:17: error: \"falsetick\" is for upstreams, and tick is none; try \"step\"\n"},
        {"at 7d delay tick by 1ms", "s:7:18: error: expected \"to NODES\" before this\n"},
        {"at 7d loss tick",
         "s:7:16: error: expected a share such as 30% or 0.3, but the line ends here\n"},
    };
    check_wrong(cases, G_N_ELEMENTS(cases));
}

static void wrong_expectations_are_named(void)
{
    static const struct wrong_case cases[] = {
        {"expect", "s:7:7: error: expected what must hold, such as \"synchronised NODES\"\n"},
        {"expect synchronized tick",
         "s:7:8: error: unknown expectation \"synchronized\"; did you mean \"synchronised\"?\n"},
        {"expect error of tick", "s:7:21: error: expected \"< LIMIT\" after the nodes\n"},
        {"expect error of tick < 5", "s:7:24: error: expected a duration such as 12ms or 7d12h "
                                     "from 0 s to 1000000000 s, not \"5\"\n"},
        {"expect error tick < 5ms", "s:7:14: error: expected \"of\" here\n"},
        {"expect state asleep tick",
         "s:7:14: error: expected a state: unsynchronised, synchronised, holdover or panic\n"},
        {"expect synchronised tick during cut",
         "s:7:33: error: there is no \"cut\" in the timeline above this line\n"},
        {"expect synchronised tick from 2d until 1d",
         "s:7:26: error: this window is empty: it ends before it begins\n"},
        {"expect synchronised tick until 15d",
         "s:7:32: error: 15d is beyond the duration of 14d\n"},
        {"expect synchronised tick between 1d 2d",
         "s:7:37: error: expected \"and\" and the end of the window\n"},
        {"expect claimed-bound hold", "s:7:22: error: expected \"holds\" here\n"},
        {"expect one leader amung tick tock", "s:7:19: error: expected \"among\" here\n"},
        {"expect no cycle among tick tock", "s:7:32: error: expected \"longer\" here\n"},
        {"expect spread of tick < 5ms",
         "s:7:18: error: this compares nodes: expected at least two\n"},
        {"expect one leader among tick",
         "s:7:25: error: this compares nodes: expected at least two\n"},
        {"expect no cycle among tick longer than 5s",
         "s:7:23: error: this compares nodes: expected at least two\n"},
        {"expect no fun",
         "s:7:11: error: expected \"step of NODES\" or \"cycle among NODES longer than T\"\n"},
        {"expect tick follows zebra", "s:7:21: error: there is no node \"zebra\"\n"},
        {"expect claimed-bound holds forever", "s:7:28: error: expected from, until, at, between, "
                                               "during, before or after, not \"forever\"\n"},
    };
    check_wrong(cases, G_N_ELEMENTS(cases));
}

static void scenario_file_that_is_not_there_is_an_error(void)
{
    struct messages *messages = messages_new();
    CHECK(scenario_load("/nonexistent/x.scenario", messages) == NULL);
    CHECK_MESSAGES(messages,
                   "/nonexistent/x.scenario: error: cannot read it: No such file or directory\n");
}

const struct test_case scenario_tests[] = {
    {"nodes_are_hosts_then_clients_then_upstreams", nodes_are_hosts_then_clients_then_upstreams},
    {"each_name_becomes_one_upstream_and_a_pool_four",
     each_name_becomes_one_upstream_and_a_pool_four},
    {"upstream_addresses_avoid_those_that_lines_name",
     upstream_addresses_avoid_those_that_lines_name},
    {"clock_parameters_change_the_law_whatever_the_order",
     clock_parameters_change_the_law_whatever_the_order},
    {"link_parameters_hold_both_ways_until_back", link_parameters_hold_both_ways_until_back},
    {"last_link_line_that_matches_wins_and_lan_is_the_rest",
     last_link_line_that_matches_wins_and_lan_is_the_rest},
    {"sets_are_ascending_and_without_duplicates", sets_are_ascending_and_without_duplicates},
    {"timeline_is_in_the_order_of_time", timeline_is_in_the_order_of_time},
    {"windows_narrow_with_every_clause", windows_narrow_with_every_clause},
    {"expectations_of_every_kind_are_understood", expectations_of_every_kind_are_understood},
    {"example_of_the_help_page_is_a_scenario", example_of_the_help_page_is_a_scenario},
    {"help_names_every_verb_and_law", help_names_every_verb_and_law},
    {"absolute_paths_are_looked_up_inside_the_folder",
     absolute_paths_are_looked_up_inside_the_folder},
    {"missing_keys_are_made_up_alike_for_all_nodes", missing_keys_are_made_up_alike_for_all_nodes},
    {"epoch_sets_what_a_perfect_clock_shows", epoch_sets_what_a_perfect_clock_shows},
    {"hundred_thousand_clients_have_distinct_addresses",
     hundred_thousand_clients_have_distinct_addresses},
    {"wrong_settings_are_named", wrong_settings_are_named},
    {"missing_duration_and_missing_nodes_are_errors",
     missing_duration_and_missing_nodes_are_errors},
    {"wrong_nodes_are_named", wrong_nodes_are_named},
    {"wrong_clients_are_named", wrong_clients_are_named},
    {"wrong_configurations_bring_their_own_messages",
     wrong_configurations_bring_their_own_messages},
    {"pattern_of_any_name_stands_for_no_address", pattern_of_any_name_stands_for_no_address},
    {"loop_of_includes_and_way_out_of_the_folder_are_errors",
     loop_of_includes_and_way_out_of_the_folder_are_errors},
    {"pattern_that_nothing_uses_is_a_warning", pattern_that_nothing_uses_is_a_warning},
    {"wrong_upstreams_and_links_are_named", wrong_upstreams_and_links_are_named},
    {"wrong_timeline_lines_are_named", wrong_timeline_lines_are_named},
    {"wrong_expectations_are_named", wrong_expectations_are_named},
    {"scenario_file_that_is_not_there_is_an_error", scenario_file_that_is_not_there_is_an_error},
    {NULL, NULL}};
