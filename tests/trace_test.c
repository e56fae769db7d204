/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text of every kind of record, and the lines of loopstats and peerstats as ntpd writes them.
 */
#include "../engine/trace.h"

#include "check.h"

static struct trace_record record_of(enum trace_kind kind, const char *why)
{
    return (struct trace_record){
        .kind = kind,
        .source = 0,
        .peer = {{.family = ADDRESS_V4, .bytes = {140, 160, 247, 31}}, 123},
        .why = why};
}

static void check_line(const struct trace_record *record, const char *expected, const char *what)
{
    char text[256];
    size_t length = trace_text(record, text, sizeof text);
    check_text(text, expected, what, __FILE__, __LINE__);
    CHECK_INT(length, strlen(expected));
}

static void a_state_names_both_ends_and_the_bound(void)
{
    struct trace_record r = record_of(TRACE_STATE, "no fit and eligible source left");
    r.u.state.from = STATE_SYNCHRONISED;
    r.u.state.to = STATE_HOLDOVER;
    r.u.state.stratum = 3;
    r.u.state.root_distance_s = 0.0625;
    check_line(&r,
               "synchronised -> holdover: no fit and eligible source left (stratum 3, root "
               "distance 0.062500 s)",
               "state");
    CHECK_STR(system_state_name(STATE_UNSYNCHRONISED), "unsynchronised");
    CHECK_STR(system_state_name(STATE_PANIC), "panic");
    CHECK_STR(system_state_name((enum system_state)STATES), "unknown");
}

static void a_leader_is_named_or_none(void)
{
    struct trace_record r = record_of(TRACE_LEADER, "best of the survivors");
    check_line(&r, "system peer is now 140.160.247.31: best of the survivors", "leader");
    r.peer.address.family = ADDRESS_NONE;
    check_line(&r, "system peer is now none: best of the survivors", "no leader");
}

static void a_loop_update_shows_offset_drift_and_poll(void)
{
    struct trace_record r = record_of(TRACE_LOOP, NULL);
    r.u.loop.offset_s = 0.001234567;
    r.u.loop.drift_ppm = -12.3456789;
    r.u.loop.poll = 10;
    check_line(&r,
               "clock update from 140.160.247.31: offset +0.001234567 s, drift -12.345679 ppm, "
               "poll 10",
               "loop");
}

static void a_sample_shows_offset_delay_and_dispersion(void)
{
    struct trace_record r = record_of(TRACE_SAMPLE, NULL);
    r.u.sample.offset_s = -0.000001;
    r.u.sample.delay_s = 0.025;
    r.u.sample.dispersion_s = 0.5;
    check_line(&r,
               "sample of 140.160.247.31: offset -0.000001000 s, delay 0.025000000 s, dispersion "
               "0.500000 s",
               "sample");
}

static void steps_spikes_and_clock_events_show_their_amount(void)
{
    struct trace_record r = record_of(TRACE_STEP, "offset over the step threshold");
    r.u.step.amount_s = -1.5;
    check_line(&r, "clock stepped by -1.500000000 s: offset over the step threshold", "step");
    r = record_of(TRACE_SPIKE, "popcorn");
    r.u.step.amount_s = 0.25;
    check_line(&r, "140.160.247.31: offset +0.250000000 s: popcorn", "spike");
    r = record_of(TRACE_CLOCK, "stepped by others");
    r.u.clock.amount_s = 3.0;
    check_line(&r, "clock: stepped by others (+3.000000000)", "clock");
}

static void reach_says_which_way(void)
{
    struct trace_record r = record_of(TRACE_REACH, "answers");
    r.u.reach.is_reachable = true;
    check_line(&r, "140.160.247.31 is reachable: answers", "reachable");
    r.u.reach.is_reachable = false;
    r.why = "eight polls unanswered";
    check_line(&r, "140.160.247.31 is unreachable: eight polls unanswered", "unreachable");
}

static void refusals_name_their_cause(void)
{
    struct trace_record r = record_of(TRACE_REJECT, "MAC does not verify");
    check_line(&r, "packet of 140.160.247.31 refused: MAC does not verify", "reject");
    r = record_of(TRACE_DENIED, "restricted");
    r.u.denied.line = 10;
    check_line(&r, "packet of 140.160.247.31 dropped: restricted by restrict line 10", "denied");
    r = record_of(TRACE_KISS, "kiss-o'-death");
    r.u.kiss.code = 0x52415445;
    check_line(&r, "140.160.247.31 sent kiss-o'-death RATE", "kiss");
    r = record_of(TRACE_DISPUTE, "contradicts my own bound");
    r.u.dispute.offset_s = 3600.0;
    r.u.dispute.bound_s = 0.125;
    check_line(&r,
               "140.160.247.31 is not followed: offset +3600.000000 s contradicts my own bound of "
               "0.125000 s",
               "dispute");
}

static void every_kind_has_a_text(void)
{
    for (int kind = 0; kind < TRACE_KINDS; kind++) {
        char text[256] = "";
        struct trace_record r = record_of((enum trace_kind)kind, "because");
        CHECK(trace_text(&r, text, sizeof text) > 10);
        r.why = NULL;
        CHECK(trace_text(&r, text, sizeof text) > 5);
    }
}

static void text_is_cut_at_the_size_and_ended(void)
{
    char text[32];
    struct trace_record r = record_of(TRACE_LEADER, "best of the survivors");
    memset(text, '#', sizeof text);
    CHECK_INT(trace_text(&r, text, 16), 15);
    CHECK_STR(text, "system peer is ");
    CHECK_INT(text[16], '#');
    CHECK_INT(trace_text(&r, text, 0), 0);
}

static void loopstats_are_ntpds(void)
{
    char text[128];
    struct trace_record r = record_of(TRACE_LOOP, NULL);
    r.u.loop.offset_s = -0.000123456789;
    r.u.loop.drift_ppm = 21.8765;
    r.u.loop.jitter_s = 0.000050;
    r.u.loop.wander_ppm = 0.0041239;
    r.u.loop.poll = 13;
    size_t length = trace_loopstats(&r, text, sizeof text);
    CHECK_STR(text, "-0.000123457 21.877 0.000050000 0.004124 13");
    CHECK_INT(length, 43);
}

static void peerstats_are_ntpds(void)
{
    char text[128];
    struct trace_record r = record_of(TRACE_SAMPLE, NULL);
    r.u.sample.status = 0x0d6a;
    r.u.sample.offset_s = 0.000123456;
    r.u.sample.delay_s = 0.0254;
    r.u.sample.dispersion_s = 7.9375;
    r.u.sample.jitter_s = 0.00000023842;
    size_t length = trace_peerstats(&r, text, sizeof text);
    CHECK_STR(text, "140.160.247.31 d6a 0.000123456 0.025400000 7.937500000 0.000000238");
    CHECK_INT(length, strlen(text));
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
const struct test_case trace_tests[] = {CASE(a_state_names_both_ends_and_the_bound),
                                        CASE(a_leader_is_named_or_none),
                                        CASE(a_loop_update_shows_offset_drift_and_poll),
                                        CASE(a_sample_shows_offset_delay_and_dispersion),
                                        CASE(steps_spikes_and_clock_events_show_their_amount),
                                        CASE(reach_says_which_way),
                                        CASE(refusals_name_their_cause),
                                        CASE(every_kind_has_a_text),
                                        CASE(text_is_cut_at_the_size_and_ended),
                                        CASE(loopstats_are_ntpds),
                                        CASE(peerstats_are_ntpds),
                                        {NULL, NULL}};
