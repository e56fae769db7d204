/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The timeline's verbs: what each does, and that its end takes it back exactly; judged by truth.
 */
#include "../sim/fault.h"

#include "check.h"
#include "miniature.h"

#define HOUR_S 3600.0

/* ---- the board alone ------------------------------------------------------------------------ */

static uint32_t zero[] = {0}, one[] = {1}, both[] = {0, 1};

static const struct node_set at_0 = {zero, 1}, at_1 = {one, 1}, at_both = {both, 2},
                             none = {NULL, 0};

struct board_case {
    struct fault faults[3];
    struct scenario scenario;
    struct fault_board board;
};

static void board_case_init(struct board_case *c, size_t count)
{
    c->scenario = (struct scenario){.faults = c->faults, .fault_count = count};
    fault_board_init(&c->board, &c->scenario);
}

static void overlapping_cuts_count_and_end_one_by_one(void)
{
    struct board_case c = {.faults = {{.verb = FAULT_CUT, .a = at_0, .b = none},
                                      {.verb = FAULT_CUT, .a = at_1, .b = at_0}}};
    board_case_init(&c, 2);
    fault_begin(&c.board, 0);
    fault_begin(&c.board, 1);
    CHECK_INT(fault_cuts(&c.board, 0, 1), 2);
    CHECK_INT(fault_cuts(&c.board, 1, 0), 2);
    CHECK_INT(fault_cuts(&c.board, 0, 5), 1);
    CHECK_INT(fault_cuts(&c.board, 1, 5), 0);
    fault_end(&c.board, 0);
    CHECK_INT(fault_cuts(&c.board, 0, 1), 1);
    CHECK_INT(fault_cuts(&c.board, 0, 5), 0);
    fault_end(&c.board, 1);
    CHECK_INT(fault_cuts(&c.board, 0, 1), 0);
    fault_board_clear(&c.board);
}

static void a_heal_hides_older_cuts_and_no_younger_ones(void)
{
    struct board_case c = {.faults = {{.verb = FAULT_CUT, .a = at_0, .b = none},
                                      {.verb = FAULT_HEAL, .a = at_0, .b = at_1},
                                      {.verb = FAULT_CUT, .a = at_1, .b = none}}};
    board_case_init(&c, 3);
    fault_begin(&c.board, 0);
    fault_begin(&c.board, 1);
    CHECK_INT(fault_cuts(&c.board, 0, 1), 0);
    CHECK_INT(fault_cuts(&c.board, 0, 2), 1);
    fault_begin(&c.board, 2);
    CHECK_INT(fault_cuts(&c.board, 0, 1), 1);
    fault_end(&c.board, 1);
    CHECK_INT(fault_cuts(&c.board, 0, 1), 2);
    fault_board_clear(&c.board);
}

static void delays_add_up_in_their_direction_only(void)
{
    struct board_case c = {.faults = {{.verb = FAULT_DELAY, .a = at_0, .b = at_1, .amount = 0.1},
                                      {.verb = FAULT_DELAY, .a = at_both, .amount = 0.2}}};
    board_case_init(&c, 2);
    fault_begin(&c.board, 0);
    CHECK_NEAR(fault_delay_s(&c.board, 0, 1), 0.1, 0);
    CHECK_NEAR(fault_delay_s(&c.board, 1, 0), 0, 0);
    fault_begin(&c.board, 1);
    CHECK_NEAR(fault_delay_s(&c.board, 0, 1), 0.3, 1e-15);
    CHECK_NEAR(fault_delay_s(&c.board, 1, 9), 0.2, 0);
    fault_end(&c.board, 1);
    CHECK_NEAR(fault_delay_s(&c.board, 0, 1), 0.1, 0);
    fault_end(&c.board, 0);
    CHECK_NEAR(fault_delay_s(&c.board, 0, 1), 0, 0);
    fault_board_clear(&c.board);
}

static void losses_are_independent_of_each_other(void)
{
    struct board_case c = {.faults = {{.verb = FAULT_LOSS, .a = at_0, .amount = 0.5},
                                      {.verb = FAULT_LOSS, .a = at_1, .amount = 0.2}}};
    board_case_init(&c, 2);
    fault_begin(&c.board, 0);
    fault_begin(&c.board, 1);
    CHECK_NEAR(fault_loss(&c.board, 0, 1), 0.6, 1e-15);
    CHECK_NEAR(fault_loss(&c.board, 1, 7), 0.2, 1e-15);
    fault_end(&c.board, 0);
    fault_end(&c.board, 1);
    CHECK_NEAR(fault_loss(&c.board, 0, 1), 0, 0);
    fault_board_clear(&c.board);
}

static void the_youngest_stop_or_start_decides(void)
{
    struct board_case c = {
        .faults = {{.verb = FAULT_STOP, .a = at_both}, {.verb = FAULT_START, .a = at_1}}};
    board_case_init(&c, 2);
    CHECK_INT(fault_power(&c.board, 0), FAULT_SILENT);
    fault_begin(&c.board, 0);
    fault_begin(&c.board, 1);
    CHECK_INT(fault_power(&c.board, 0), FAULT_DOWN);
    CHECK_INT(fault_power(&c.board, 1), FAULT_UP);
    fault_end(&c.board, 0);
    CHECK_INT(fault_power(&c.board, 0), FAULT_SILENT);
    CHECK_INT(fault_power(&c.board, 1), FAULT_UP);
    fault_board_clear(&c.board);
}

/* ---- in a world ----------------------------------------------------------------------------- */

/* A node that measures and leaves its ideal clock alone, two ideal links. */
static struct miniature open_watched(const char *timeline)
{
    char text[500];
    snprintf(text, sizeof text,
             "duration 1d\n"
             "node a address 10.0.0.1 config watch.conf clock ideal offset 0\n"
             "node b address 10.0.0.2 config watch.conf clock ideal offset 0\n"
             "upstream *.example stratum 1 link ideal\n"
             "%s\n",
             timeline);
    return miniature_open(text, 2);
}

static uint64_t delivered_between(struct miniature *m, double from_s, double until_s)
{
    CHECK(world_run(m->world, sim_from_s(from_s)));
    uint64_t before = world_counts(m->world).delivered;
    CHECK(world_run(m->world, sim_from_s(until_s)));
    return world_counts(m->world).delivered - before;
}

static double measured_offset_s(struct miniature *m, const char *name, double t_s)
{
    struct source_status status;
    CHECK(world_run(m->world, sim_from_s(t_s)));
    uint32_t node = miniature_node(m, name);
    const struct engine *engine = world_engine(m->world, node);
    engine_source_status(engine, world_instant(m->world, node), 0, &status);
    return status.offset_s;
}

static void a_cut_upstream_answers_nobody_until_it_heals(void)
{
    struct miniature m = open_watched("at 2h cut upstream for 1h");
    CHECK(delivered_between(&m, HOUR_S, 2 * HOUR_S) > 150);
    CHECK_INT(delivered_between(&m, 2 * HOUR_S, 3 * HOUR_S), 0);
    CHECK(delivered_between(&m, 3.5 * HOUR_S, 4.5 * HOUR_S) > 150);
    miniature_close(&m);
}

static void heal_ends_a_cut_of_one_node_only(void)
{
    struct miniature m = open_watched("at 2h cut upstream\nat 3h heal a");
    CHECK_INT(delivered_between(&m, 2 * HOUR_S, 3 * HOUR_S), 0);
    uint64_t healed = delivered_between(&m, 5 * HOUR_S, 6 * HOUR_S);
    CHECK(healed > 75 && healed < 125);
    CHECK_INT(miniature_truth_at(&m, 7 * HOUR_S, "a").reach, 0xFF);
    CHECK_INT(miniature_truth_at(&m, 7 * HOUR_S, "b").reach, 0);
    miniature_close(&m);
}

static void a_link_first_used_during_a_cut_is_cut(void)
{
    struct miniature m = miniature_open("duration 1d\n"
                                        "node s address 10.0.0.1 config serve.conf clock ideal\n"
                                        "clients 1 address 10.0.1.0/24 config client.conf\n"
                                        "upstream *.example stratum 1 link ideal\n"
                                        "at 0s cut clients for 2h\n",
                                        2);
    CHECK_INT(miniature_truth_at(&m, 2 * HOUR_S - 1, "client-1").reach, 0);
    CHECK(miniature_truth_at(&m, 3 * HOUR_S, "client-1").reach != 0);
    miniature_close(&m);
}

static void a_step_moves_the_clock_by_its_amount_and_back(void)
{
    struct miniature m = open_watched("at 2h step a by 250ms for 1h");
    CHECK_NEAR(miniature_truth_at(&m, 2 * HOUR_S - 1, "a").error_s, 0, 1e-9);
    CHECK_NEAR(miniature_truth_at(&m, 2 * HOUR_S, "a").error_s, 0.25, 1e-9);
    CHECK_NEAR(miniature_truth_at(&m, 2 * HOUR_S, "b").error_s, 0, 1e-9);
    CHECK_NEAR(miniature_truth_at(&m, 3 * HOUR_S - 1, "a").error_s, 0.25, 1e-9);
    CHECK_NEAR(miniature_truth_at(&m, 3 * HOUR_S, "a").error_s, 0, 1e-9);
    miniature_close(&m);
}

static void note_clock_event(void *context, struct world *w, uint32_t node,
                             const struct trace_record *record)
{
    if (record->kind == TRACE_CLOCK && world_now(w).ticks == sim_from_s(2 * HOUR_S).ticks) {
        ((double *)context)[node] += record->u.clock.amount_s;
    }
}

/* The engine learns of the step at once, and measures it afterwards. */
static void a_step_is_reported_to_its_engine_only(void)
{
    double reported_s[3] = {0};
    struct observer observer = {
        .context = reported_s, .kinds = TRACE_ALL, .trace = note_clock_event};
    struct miniature m = open_watched("at 2h step a by -250ms");
    world_observe(m.world, &observer);
    CHECK_NEAR(measured_offset_s(&m, "a", 2 * HOUR_S - 1), 0, 1e-6);
    CHECK_NEAR(measured_offset_s(&m, "a", 3 * HOUR_S), 0.25, 1e-6);
    CHECK_NEAR(reported_s[miniature_node(&m, "a")], -0.25, 0);
    CHECK_NEAR(reported_s[miniature_node(&m, "b")], 0, 0);
    miniature_close(&m);
}

static void a_frequency_jump_lasts_as_long_as_it_says(void)
{
    struct miniature m = open_watched("at 2h frequency a by 5ppm for 1h");
    CHECK_NEAR(miniature_truth_at(&m, 2 * HOUR_S - 1, "a").frequency, 0, 1e-15);
    CHECK_NEAR(miniature_truth_at(&m, 2.5 * HOUR_S, "a").frequency, 5e-6, 1e-12);
    CHECK_NEAR(miniature_truth_at(&m, 4 * HOUR_S, "a").frequency, 0, 1e-15);
    CHECK_NEAR(miniature_truth_at(&m, 5 * HOUR_S, "a").error_s, 3600 * 5e-6, 1e-9);
    CHECK_NEAR(miniature_truth_at(&m, 5 * HOUR_S, "b").error_s, 0, 1e-9);
    miniature_close(&m);
}

static void a_falseticker_tells_a_wrong_time_and_then_the_right_one(void)
{
    struct miniature m = open_watched("at 2h falsetick time.example by 100ms for 2h");
    CHECK_NEAR(measured_offset_s(&m, "a", 2 * HOUR_S - 1), 0, 1e-6);
    CHECK_NEAR(miniature_truth_at(&m, 2 * HOUR_S, "time.example").error_s, 0.1, 1e-9);
    CHECK_NEAR(measured_offset_s(&m, "a", 4 * HOUR_S - 1), 0.1, 1e-6);
    CHECK_NEAR(miniature_truth_at(&m, 4 * HOUR_S, "time.example").error_s, 0, 1e-9);
    CHECK_NEAR(measured_offset_s(&m, "a", 6 * HOUR_S), 0, 1e-6);
    miniature_close(&m);
}

/* What is slower on the way out makes the server seem ahead, by half of it. */
static void a_delay_of_one_direction_is_half_an_offset(void)
{
    struct miniature m = open_watched("at 2h delay a to upstream by 100ms for 2h\n"
                                      "at 2h delay upstream to b by 60ms for 2h");
    CHECK_NEAR(measured_offset_s(&m, "a", 2 * HOUR_S - 1), 0, 1e-6);
    CHECK_NEAR(measured_offset_s(&m, "a", 4 * HOUR_S - 1), 0.05, 1e-6);
    CHECK_NEAR(measured_offset_s(&m, "b", 4 * HOUR_S - 1), -0.03, 1e-6);
    CHECK_NEAR(measured_offset_s(&m, "a", 6 * HOUR_S), 0, 1e-6);
    CHECK_NEAR(measured_offset_s(&m, "b", 6 * HOUR_S), 0, 1e-6);
    miniature_close(&m);
}

/* A question and its answer must both pass: of 10 h of questions 0.49 come through and 0.21 get
 * lost on the way back. */
static void a_loss_takes_its_share_and_no_more(void)
{
    struct miniature m = open_watched("at 2h loss upstream by 30% for 10h");
    CHECK(world_run(m.world, sim_from_s(2 * HOUR_S)));
    struct world_counts before = world_counts(m.world);
    CHECK_INT(before.lost, 0);
    CHECK(world_run(m.world, sim_from_s(12 * HOUR_S)));
    struct world_counts during = world_counts(m.world);
    double sent = (double)(during.sent - before.sent);
    CHECK(sent > 1000);
    CHECK_NEAR((double)(during.lost - before.lost) / sent, 0.3, 4 * sqrt(0.21 / sent));
    CHECK(world_run(m.world, sim_from_s(14 * HOUR_S)));
    CHECK_INT(world_counts(m.world).lost, during.lost);
    miniature_close(&m);
}

static void a_stopped_upstream_answers_nobody_until_it_starts(void)
{
    struct miniature m = open_watched("at 2h stop time.example\nat 3h start time.example");
    CHECK(miniature_truth_at(&m, 2 * HOUR_S - 1, "time.example").is_up);
    CHECK(!miniature_truth_at(&m, 2 * HOUR_S, "time.example").is_up);
    CHECK_INT(delivered_between(&m, 2 * HOUR_S + 1, 3 * HOUR_S - 1), 0);
    CHECK(miniature_truth_at(&m, 3 * HOUR_S, "time.example").is_up);
    CHECK(delivered_between(&m, 3.5 * HOUR_S, 4.5 * HOUR_S) > 150);
    miniature_close(&m);
}

/* Another fault and its end leave what nodes do afterwards as it was: here a loss on a link nobody
 * uses. */
static void a_fault_elsewhere_shifts_no_random_stream(void)
{
    char plain[65], with[65];
    struct miniature m = open_watched("");
    CHECK(world_run(m.world, sim_from_s(6 * HOUR_S)));
    world_digest(m.world, plain);
    miniature_close(&m);
    m = open_watched("at 1h loss between a and b by 50% for 1h");
    CHECK(world_run(m.world, sim_from_s(6 * HOUR_S)));
    world_digest(m.world, with);
    miniature_close(&m);
    CHECK_STR(with, plain);
}

const struct test_case fault_tests[] = {
    {"overlapping_cuts_count_and_end_one_by_one", overlapping_cuts_count_and_end_one_by_one},
    {"a_heal_hides_older_cuts_and_no_younger_ones", a_heal_hides_older_cuts_and_no_younger_ones},
    {"delays_add_up_in_their_direction_only", delays_add_up_in_their_direction_only},
    {"losses_are_independent_of_each_other", losses_are_independent_of_each_other},
    {"the_youngest_stop_or_start_decides", the_youngest_stop_or_start_decides},
    {"a_cut_upstream_answers_nobody_until_it_heals", a_cut_upstream_answers_nobody_until_it_heals},
    {"heal_ends_a_cut_of_one_node_only", heal_ends_a_cut_of_one_node_only},
    {"a_link_first_used_during_a_cut_is_cut", a_link_first_used_during_a_cut_is_cut},
    {"a_step_moves_the_clock_by_its_amount_and_back",
     a_step_moves_the_clock_by_its_amount_and_back},
    {"a_step_is_reported_to_its_engine_only", a_step_is_reported_to_its_engine_only},
    {"a_frequency_jump_lasts_as_long_as_it_says", a_frequency_jump_lasts_as_long_as_it_says},
    {"a_falseticker_tells_a_wrong_time_and_then_the_right_one",
     a_falseticker_tells_a_wrong_time_and_then_the_right_one},
    {"a_delay_of_one_direction_is_half_an_offset", a_delay_of_one_direction_is_half_an_offset},
    {"a_loss_takes_its_share_and_no_more", a_loss_takes_its_share_and_no_more},
    {"a_stopped_upstream_answers_nobody_until_it_starts",
     a_stopped_upstream_answers_nobody_until_it_starts},
    {"a_fault_elsewhere_shifts_no_random_stream", a_fault_elsewhere_shifts_no_random_stream},
    {NULL, NULL}};
