/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text of every kind of record, and the lines of statistics files as ntpd writes them.
 */
#include "../engine/inspection.h"

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

static void raw_exchange_shows_both_intervals(void)
{
    struct trace_record r = record_of(TRACE_RAW, NULL);
    r.u.raw.sent = ntp_from_unix_s(1772323200);
    r.u.raw.received = ntp_add_s(r.u.raw.sent, 100.0);
    r.u.raw.answered = ntp_add_s(r.u.raw.received, 0.25);
    r.u.raw.arrived = ntp_add_s(r.u.raw.sent, 0.5);
    check_line(&r,
               "exchange with 140.160.247.31: 0.500000000 s out and back, 0.250000000 s in between",
               "raw");
}

static void letters_off_the_wire_write_nothing_but_letters(void)
{
    struct trace_record r = record_of(TRACE_KISS, "kiss-o'-death");
    r.u.kiss.code = 0x410a1b7f;
    check_line(&r, "140.160.247.31 sent kiss-o'-death A???", "kiss");
}

/* ---- statistics: what ntpd's documentation shows, and ntpviz reads ---- */

static void check_statistics(const struct trace_record *record, enum statistics_kind kind,
                             const char *expected, unsigned line)
{
    char text[STATISTICS_LINE_MAX];
    size_t length = trace_statistics_line(record, kind, text);
    check_text(text, expected, "line", __FILE__, line);
    check_integer((long long)length, (long long)strlen(expected), "length", __FILE__, line);
}

static void days_are_modified_julian_days_across_the_era(void)
{
    const struct {
        ntp_time clock;
        const char *line;
    } cases[] = {
        {ntp_from_unix_s(1772323200), "61100 0.000 "}, /* 2026-03-01 */
        {ntp_from_unix_s(1772323199), "61099 86399.000 "},
        {{0}, "64730 23296.000 "},          /* 2036-02-07 06:28:16, second 0 of era 1 */
        {{UINT64_MAX}, "64730 23295.999 "}, /* cut off, not rounded up */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trace_record r = record_of(TRACE_LOOP, NULL);
        char text[STATISTICS_LINE_MAX], expected[STATISTICS_LINE_MAX];
        r.now.clock = cases[i].clock;
        snprintf(expected, sizeof expected, "%s0.000000000 0.000 0.000000000 0.000000 0\n",
                 cases[i].line);
        (void)trace_statistics_line(&r, STATISTICS_LOOP, text);
        CHECK_STR(text, expected);
    }
}

static void loopstats_are_ntpds(void)
{
    struct trace_record r = record_of(TRACE_LOOP, NULL);
    r.now.clock = ntp_add_s(ntp_from_unix_s(1772323200 + 3661), 0.0625);
    r.u.loop.offset_s = -0.000123456789;
    r.u.loop.drift_ppm = 21.8765;
    r.u.loop.jitter_s = 0.000050;
    r.u.loop.wander_ppm = 0.0041239;
    r.u.loop.poll = 13;
    check_statistics(&r, STATISTICS_LOOP,
                     "61100 3661.062 -0.000123457 21.877 0.000050000 0.004124 13\n", __LINE__);
}

static void peerstats_are_ntpds(void)
{
    struct trace_record r = record_of(TRACE_SAMPLE, NULL);
    r.now.clock = (ntp_time){UINT64_C(5) << 32};
    r.status = 0x0d6a;
    r.u.sample.offset_s = 0.000123456;
    r.u.sample.delay_s = 0.0254;
    r.u.sample.dispersion_s = 7.9375;
    r.u.sample.jitter_s = 0.00000023842;
    check_statistics(&r, STATISTICS_PEER,
                     "64730 23301.000 140.160.247.31 d6a 0.000123456 0.025400000 7.937500000 "
                     "0.000000238\n",
                     __LINE__);
}

static struct trace_record raw_record(void)
{
    struct trace_record r = record_of(TRACE_RAW, NULL);
    r.now.clock = ntp_from_unix_s(1772323201);
    CHECK(address_parse("140.160.11.86", &r.u.raw.local));
    r.u.raw.sent = (ntp_time){UINT64_C(3981312000) << 32};
    r.u.raw.received = (ntp_time){(UINT64_C(3981312000) << 32) | 0x80000000u};
    r.u.raw.answered = (ntp_time){(UINT64_C(3981312000) << 32) | 0xffffffffu};
    r.u.raw.arrived = (ntp_time){UINT64_C(1) << 31};
    r.u.raw.version = 4;
    r.u.raw.mode = 4;
    r.u.raw.stratum = 2;
    r.u.raw.poll = 6;
    r.u.raw.precision = -23;
    r.u.raw.root_delay = 0x8000;
    r.u.raw.root_dispersion = 0x100;
    r.u.raw.refid = 0xc0000207;
    r.u.raw.polls = 3;
    return r;
}

static void rawstats_are_ntpds(void)
{
    struct trace_record r = raw_record();
    /* A fraction that rounds to a whole second carries. */
    check_statistics(&r, STATISTICS_RAW,
                     "61100 1.000 140.160.247.31 140.160.11.86 3981312000.000000000 "
                     "3981312000.500000000 3981312001.000000000 0.500000000 0 4 4 2 6 -23 0.500000 "
                     "0.003906 192.0.2.7 3\n",
                     __LINE__);
}

static void reference_of_a_primary_server_is_letters_in_dots(void)
{
    static const struct {
        uint32_t refid;
        const char *text;
    } cases[] = {{0x47505300, " .GPS. "},  {0x50505300, " .PPS. "},
                 {0x4c4f434c, " .LOCL. "}, {0, " .. "},
                 {0x41200a42, " .A??B. "}, {0x00004100, " .??A. "}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[STATISTICS_LINE_MAX];
        struct trace_record r = raw_record();
        r.u.raw.stratum = i % 2;
        r.u.raw.refid = cases[i].refid;
        CHECK(trace_statistics_line(&r, STATISTICS_RAW, text) > 0);
        CHECK(strstr(text, cases[i].text) != NULL);
    }
}

static void protostats_name_whom_it_is_about(void)
{
    struct trace_record r = record_of(TRACE_REACH, "answers");
    r.now.clock = ntp_from_unix_s(1772323201);
    r.status = 0x9014;
    r.u.reach.is_reachable = true;
    check_statistics(&r, STATISTICS_PROTO,
                     "61100 1.000 140.160.247.31 9014 84 140.160.247.31 is reachable: answers\n",
                     __LINE__);
    r = record_of(TRACE_STEP, "offset over the step threshold");
    r.now.clock = ntp_from_unix_s(1772323201);
    r.status = 0x061c;
    r.u.step.amount_s = 0.5;
    check_statistics(&r, STATISTICS_PROTO,
                     "61100 1.000 0.0.0.0 061c 0c clock stepped by +0.500000000 s: offset over the "
                     "step threshold\n",
                     __LINE__);
    check_statistics(&r, STATISTICS_CLOCK,
                     "61100 1.000 127.127.1.0 clock stepped by +0.500000000 s: offset over the "
                     "step threshold\n",
                     __LINE__);
}

static void sysstats_are_ntpds(void)
{
    char text[STATISTICS_LINE_MAX];
    struct packet_counts counts = {81965, 0, 9546, 56, 71793, 512, 540, 10, 147, 1};
    size_t length = trace_statistics_sys_line(ntp_from_unix_s(1772323201), 3600, &counts, text);
    CHECK_STR(text, "61100 1.000 3600 81965 0 9546 56 71793 512 540 10 147 1\n");
    CHECK_INT(length, strlen(text));
    uint64_t *columns = (uint64_t *)&counts;
    for (size_t i = 0; i < sizeof counts / sizeof *columns; i++) {
        columns[i] = UINT64_MAX;
    }
    length = trace_statistics_sys_line((ntp_time){UINT64_MAX}, UINT64_MAX, &counts, text);
    CHECK_INT(length, strlen(text));
    CHECK_INT(text[length - 1], '\n');
    CHECK(strstr(text, "18446744073709551615\n") != NULL);
}

/* In which files a record of each kind makes a line. */
static void each_record_makes_its_lines_and_no_other(void)
{
    static const struct {
        enum trace_kind kind;
        enum statistics_kind files[2];
    } made[] = {{TRACE_LOOP, {STATISTICS_LOOP, STATISTICS_LOOP}},
                {TRACE_SAMPLE, {STATISTICS_PEER, STATISTICS_PEER}},
                {TRACE_RAW, {STATISTICS_RAW, STATISTICS_RAW}},
                {TRACE_STATE, {STATISTICS_PROTO, STATISTICS_PROTO}},
                {TRACE_LEADER, {STATISTICS_PROTO, STATISTICS_PROTO}},
                {TRACE_REACH, {STATISTICS_PROTO, STATISTICS_PROTO}},
                {TRACE_KISS, {STATISTICS_PROTO, STATISTICS_PROTO}},
                {TRACE_SPIKE, {STATISTICS_PROTO, STATISTICS_PROTO}},
                {TRACE_DISPUTE, {STATISTICS_PROTO, STATISTICS_PROTO}},
                {TRACE_STEP, {STATISTICS_PROTO, STATISTICS_CLOCK}},
                {TRACE_CLOCK, {STATISTICS_PROTO, STATISTICS_CLOCK}}};
    for (unsigned kind = 0; kind < TRACE_KINDS; kind++) {
        for (unsigned file = 0; file < STATISTICS_KINDS; file++) {
            char text[STATISTICS_LINE_MAX];
            struct trace_record r = record_of((enum trace_kind)kind, "because");
            bool expected = false;
            for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
                expected = expected || (made[i].kind == kind &&
                                        (made[i].files[0] == file || made[i].files[1] == file));
            }
            size_t length = trace_statistics_line(&r, (enum statistics_kind)file, text);
            CHECK((length > 0) == expected);
            CHECK(length == 0 || (text[length - 1] == '\n' && strchr(text, '\n')[1] == '\0'));
        }
    }
}

static void names_are_those_of_the_configuration(void)
{
    CHECK_STR(trace_statistics_name(STATISTICS_LOOP), "loopstats");
    CHECK_STR(trace_statistics_name(STATISTICS_PEER), "peerstats");
    CHECK_STR(trace_statistics_name(STATISTICS_RAW), "rawstats");
    CHECK_STR(trace_statistics_name(STATISTICS_PROTO), "protostats");
    CHECK_STR(trace_statistics_name(STATISTICS_CLOCK), "clockstats");
    CHECK_STR(trace_statistics_name(STATISTICS_SYS), "sysstats");
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
                                        CASE(raw_exchange_shows_both_intervals),
                                        CASE(letters_off_the_wire_write_nothing_but_letters),
                                        CASE(days_are_modified_julian_days_across_the_era),
                                        CASE(loopstats_are_ntpds),
                                        CASE(peerstats_are_ntpds),
                                        CASE(rawstats_are_ntpds),
                                        CASE(reference_of_a_primary_server_is_letters_in_dots),
                                        CASE(protostats_name_whom_it_is_about),
                                        CASE(sysstats_are_ntpds),
                                        CASE(each_record_makes_its_lines_and_no_other),
                                        CASE(names_are_those_of_the_configuration),
                                        {NULL, NULL}};
