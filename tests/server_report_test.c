/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is made of a server's answers: units, states, what is wrong, for people and for programs.
 */
#include "../sim/server_report.h"

#include "check.h"

#define OWN "version=\"holdfastd 0.2.0\",stratum=3,leap=0,offset=-1.5,rootdelay=20,rootdisp=10,"
#define HEALTHY                                                                                    \
    OWN "hf_state=synchronised,hf_bound=20.5,hf_lasts=97200,hf_drift=-12.345,hf_drift_known=1,"    \
        "hf_residual=0.25,hf_steer=1,hf_steering=steers,hf_source=192.0.2.1,hf_refused=0,hf_"      \
        "policy=holdfast"

static struct control_answer *answer_of(const char *text)
{
    struct control_answer *answer = g_new(struct control_answer, 1);
    control_answer_begin(answer, &(struct control_question){CONTROL_OP_READVAR, 1, 0});
    answer->size = strlen(text);
    memcpy(answer->bytes, text, answer->size);
    answer->is_complete = true;
    return answer;
}

static struct server_report report_of(const char *system)
{
    struct server_report report;
    struct control_answer *answer = answer_of(system);
    server_report_init(&report);
    server_report_take_system(&report, answer);
    g_free(answer);
    return report;
}

static void add_source(struct server_report *report, uint16_t status, const char *text)
{
    struct control_answer *answer = answer_of(text);
    server_report_take_source(report, (uint16_t)(report->sources->len + 1), status, answer);
    g_free(answer);
}

static bool has_problem(const struct server_report *report, const char *text)
{
    GPtrArray *problems = server_report_problems(report);
    bool found = false;
    for (guint i = 0; i < problems->len; i++) {
        found = found || strstr(problems->pdata[i], text) != NULL;
    }
    g_ptr_array_free(problems, TRUE);
    return found;
}

static void own_variables_are_taken_in_their_units(void)
{
    struct server_report report = report_of(HEALTHY);
    CHECK(report.is_holdfast);
    CHECK_STR(report.version, "holdfastd 0.2.0");
    CHECK_STR(report.state, "synchronised");
    CHECK_STR(report.source, "192.0.2.1");
    CHECK_INT(report.stratum, 3);
    CHECK_INT(report.leap, 0);
    CHECK_INT(report.may_steer, 1);
    CHECK_NEAR(report.offset_s, -1.5e-3, 1e-15);
    CHECK_NEAR(report.bound_s, 20.5e-3, 1e-15);
    CHECK_NEAR(report.lasts_s, 97200, 0);
    CHECK_NEAR(report.drift_ppm, -12.345, 1e-12);
    CHECK_NEAR(report.residual_s, 0.25e-3, 1e-15);
    server_report_clear(&report);
}

static void a_bound_below_zero_and_a_drift_not_known_are_unknown(void)
{
    struct server_report report =
        report_of(OWN "hf_state=unsynchronised,hf_bound=-1,hf_lasts=0,hf_drift=3,hf_drift_known=0,"
                      "hf_source=-");
    CHECK(isnan(report.bound_s));
    CHECK(isnan(report.drift_ppm));
    CHECK_STR(report.source, "");
    CHECK(!server_report_meets(&report, 1e9));
    server_report_clear(&report);
}

static void another_server_is_judged_by_what_rfc_9327_has(void)
{
    struct server_report report =
        report_of("version=\"ntpd 4.2.8\",leap=0,stratum=2,rootdelay=20,rootdisp=10,offset=1");
    CHECK(!report.is_holdfast);
    CHECK_STR(report.state, "synchronised");
    CHECK_NEAR(report.bound_s, 20e-3, 1e-15);
    CHECK(isnan(report.lasts_s));
    add_source(&report, 0x961a, "srcadr=192.0.2.7,reach=0xff,stratum=1");
    server_report_finish(&report);
    CHECK_STR(report.source, "192.0.2.7");
    CHECK_INT(g_array_index(report.sources, struct source_report, 0).reach, 0xff);
    server_report_clear(&report);
    report = report_of("leap=3,stratum=16,rootdelay=0,rootdisp=10");
    CHECK_STR(report.state, "unsynchronised");
    CHECK(isnan(report.bound_s));
    server_report_clear(&report);
}

static void a_clock_that_was_never_updated_has_no_offset(void)
{
    struct server_report report =
        report_of("version=\"holdfastd 0.2.0\",reftime=0x00000000.00000000,offset=0.000000");
    struct control_answer *answer = answer_of("hf_state=unsynchronised,hf_residual=0.000000");
    server_report_take_system(&report, answer);
    CHECK(isnan(report.offset_s) && isnan(report.residual_s));
    char *text = server_report_json(&report, "x");
    CHECK(strstr(text, "\"offset_s\": null,") != NULL);
    CHECK(strstr(text, "\"residual_s\": null,") != NULL);
    g_free(text);
    server_report_clear(&report);
    report = report_of("reftime=0xee000000.00000000,offset=0.000000");
    server_report_take_system(&report, answer);
    CHECK_NEAR(report.offset_s, 0, 0);
    CHECK_NEAR(report.residual_s, 0, 0);
    server_report_clear(&report);
    g_free(answer);
}

static void json_says_no_more_digits_than_it_was_told(void)
{
    struct server_report report =
        report_of("leap=0,stratum=2,rootdelay=0.2,rootdisp=0.2,offset=-0.078330");
    add_source(&report, 0x961a, "srcadr=192.0.2.1,offset=0.078330,delay=2.319,jitter=1234.567891");
    char *text = server_report_json(&report, "x");
    CHECK(strstr(text, "\"offset_s\": -7.833e-05,") != NULL);
    CHECK(strstr(text, "\"bound_s\": 0.0003,") != NULL); /* a sum that binary has not */
    CHECK(strstr(text, "\"offset_s\": 7.833e-05, \"delay_s\": 0.002319,") != NULL);
    CHECK(strstr(text, "\"jitter_s\": 1.234567891}") != NULL);
    g_free(text);
    server_report_clear(&report);
}

static void a_source_that_was_never_measured_has_no_offset(void)
{
    struct server_report report = report_of(HEALTHY);
    add_source(&report, 0x8000, "srcadr=192.0.2.9,offset=0,delay=0,jitter=0,dispersion=16000");
    add_source(&report, 0x9000, "srcadr=192.0.2.8,offset=0,delay=1,jitter=0,dispersion=15999");
    const struct source_report *never = &g_array_index(report.sources, struct source_report, 0);
    CHECK(isnan(never->offset_s) && isnan(never->delay_s) && isnan(never->dispersion_s) &&
          isnan(never->jitter_s));
    CHECK_NEAR(g_array_index(report.sources, struct source_report, 1).offset_s, 0, 0);
    server_report_clear(&report);
}

static void numbers_that_make_no_sense_are_unknown(void)
{
    struct server_report report =
        report_of("hf_state=synchronised,hf_bound=1e400,stratum=-1,leap=9,hf_steer=2,offset=x,"
                  "hf_lasts=");
    CHECK_INT(report.stratum, -1);
    CHECK_INT(report.leap, -1);
    CHECK_INT(report.may_steer, -1);
    CHECK(isnan(report.offset_s) && isnan(report.bound_s) && isnan(report.lasts_s));
    CHECK(!server_report_meets(&report, 1e9)); /* a claim that is unknown is no claim */
    add_source(&report, 0x961a, "reach=256,stratum=17,offset=inf");
    CHECK_INT(g_array_index(report.sources, struct source_report, 0).reach, -1);
    CHECK_INT(g_array_index(report.sources, struct source_report, 0).stratum, -1);
    g_free(server_report_text(&report, "x"));
    server_report_clear(&report);
}

static void only_synchronised_with_a_small_bound_meets(void)
{
    struct server_report report = report_of(HEALTHY);
    CHECK(server_report_meets(&report, 0.0205));
    CHECK(!server_report_meets(&report, 0.0204));
    g_strlcpy(report.state, "holdover", sizeof report.state);
    CHECK(!server_report_meets(&report, 1));
    server_report_clear(&report);
}

static void what_is_wrong_is_said_and_nothing_else(void)
{
    struct server_report report = report_of(HEALTHY);
    add_source(&report, 0x961a, "srcadr=192.0.2.1,reach=255");
    CHECK(!has_problem(&report, ""));
    add_source(&report, 0x8000, "srcadr=192.0.2.2,reach=0");
    CHECK(has_problem(&report, "192.0.2.2 does not answer"));
    add_source(&report, 0x9100, "srcadr=192.0.2.3,reach=255");
    CHECK(has_problem(&report, "192.0.2.3 disagrees"));
    CHECK(!has_problem(&report, "192.0.2.1"));
    report.may_steer = 0;
    CHECK(has_problem(&report, "it has no right to (CAP_SYS_TIME), or was told not to"));
    static const char *const whys[][2] = {{"no-clock-control", "told not to (--no-clock-control)"},
                                          {"disabled", "\"disable ntp\""},
                                          {"no-right", "no right to (CAP_SYS_TIME)"},
                                          {"refused", "the kernel refused a command"},
                                          {"restart-needed", "has to be started anew"}};
    for (size_t i = 0; i < G_N_ELEMENTS(whys); i++) {
        g_strlcpy(report.steering, whys[i][0], sizeof report.steering);
        CHECK(has_problem(&report, whys[i][1]));
        CHECK(!has_problem(&report, " or "));
    }
    report.refused = 2;
    CHECK(has_problem(&report, "refused 2 clock commands"));
    g_strlcpy(report.state, "holdover", sizeof report.state);
    CHECK(has_problem(&report, "in holdover"));
    for (guint i = 0; i < report.sources->len; i++) {
        g_array_index(report.sources, struct source_report, i).is_reachable = false;
    }
    CHECK(has_problem(&report, "none of its 3 sources answers"));
    CHECK(!has_problem(&report, "192.0.2.2 does not answer")); /* not each of them too */
    g_strlcpy(report.state, "panic", sizeof report.state);
    CHECK(has_problem(&report, "-g"));
    server_report_clear(&report);
}

static void answers_that_it_refuses_itself_are_not_called_silence(void)
{
    struct server_report report = report_of(OWN "hf_state=unsynchronised");
    add_source(&report, 0x8000, "srcadr=192.0.2.1,reach=0x0,flash=0x1008");
    CHECK(has_problem(&report, "unsynchronised: it takes no answer of any of its 1 sources"));
    CHECK(has_problem(&report, "it refuses what 192.0.2.1 answers, by a restrict line with ignore "
                               "or noserve"));
    add_source(&report, 0x8000, "srcadr=192.0.2.2,reach=0x0,flash=0x1010");
    add_source(&report, 0x8000, "srcadr=192.0.2.3,reach=0x0,flash=0x1000");
    add_source(&report, 0x9600, "srcadr=192.0.2.4,reach=0xff,flash=0x8"); /* has been heard */
    CHECK(has_problem(&report, "it refuses what 192.0.2.2 answers, for want of a MAC"));
    CHECK(has_problem(&report, "192.0.2.3 does not answer"));
    CHECK(!has_problem(&report, "192.0.2.1 does not answer"));
    CHECK(!has_problem(&report, "192.0.2.2 does not answer"));
    CHECK(!has_problem(&report, "192.0.2.4"));
    server_report_clear(&report);
    report = report_of("leap=3,stratum=16"); /* another server: its bits are its own */
    add_source(&report, 0x8000, "srcadr=192.0.2.1,reach=0x0,flash=0x1008");
    CHECK(has_problem(&report, "none of its 1 sources answers"));
    CHECK(!has_problem(&report, "refuses"));
    server_report_clear(&report);
}

static void why_it_is_unsynchronised_is_told_by_its_sources(void)
{
    struct server_report report = report_of(OWN "hf_state=unsynchronised");
    CHECK(has_problem(&report, "it has no sources"));
    add_source(&report, 0x8000, "srcadr=192.0.2.1");
    CHECK(has_problem(&report, "none of its 1 sources answers"));
    add_source(&report, 0x9100, "srcadr=192.0.2.2");
    CHECK(has_problem(&report, "disagree with each other"));
    add_source(&report, 0x9000, "srcadr=192.0.2.3");
    CHECK(has_problem(&report, "2 of 3 sources answer"));
    server_report_clear(&report);
}

static void the_page_for_people_says_how_long_it_lasts(void)
{
    struct server_report report = report_of(HEALTHY);
    add_source(&report, 0x961a, "srcadr=192.0.2.1,reach=255,stratum=2,delay=10,offset=1,jitter=2");
    char *text = server_report_text(&report, "tick");
    CHECK(strstr(text, "tick: synchronised, stratum 3, holdfastd 0.2.0\n") == text);
    CHECK(strstr(text, "  source     192.0.2.1, stratum 2, reach 377\n") != NULL);
    CHECK(strstr(text, "  offset     -1.50 ms (its clock is ahead)\n") != NULL);
    CHECK(strstr(text, "  bound      20.5 ms: ") != NULL);
    CHECK(strstr(text, "  lasts      1 d 3 h until clients reject it") != NULL);
    CHECK(strstr(text, "  frequency  -12.345 ppm\n") != NULL);
    CHECK(strstr(text, "  * 192.0.2.1 ") != NULL);
    CHECK(strstr(text, "problem") == NULL);
    char **lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        CHECK(strlen(*line) <= 80);
    }
    g_strfreev(lines);
    g_free(text);
    server_report_clear(&report);
}

static void a_name_that_is_not_resolved_stands_in_the_place_of_its_address(void)
{
    struct server_report report = report_of(HEALTHY);
    add_source(&report, 0x8000,
               "srcadr=0.0.0.0,srchost=\"ntp.example\",reach=0,stratum=16,refid=DNS");
    add_source(&report, 0x8000, "srcadr=::,srchost=\"six.example\",reach=0,stratum=16");
    add_source(&report, 0x961a, "srcadr=192.0.2.1,srchost=\"tick.example\",reach=255,stratum=2");
    char *text = server_report_text(&report, "tick");
    CHECK(strstr(text, "    ntp.example               not resolved\n") != NULL);
    CHECK(strstr(text, "    six.example               not resolved\n") != NULL);
    CHECK(strstr(text, "  * 192.0.2.1 ") != NULL);
    CHECK(strstr(text, "problem    ntp.example is not resolved") != NULL);
    CHECK(strstr(text, "0.0.0.0") == NULL && strstr(text, "::") == NULL);
    CHECK(!has_problem(&report, "does not answer")); /* nobody has been asked */
    g_free(text);
    text = server_report_json(&report, "tick");
    CHECK(strstr(text, "\"address\": null") != NULL);
    CHECK(strstr(text, "\"host\": \"six.example\"") != NULL);
    CHECK(strstr(text, "\"is_resolved\": false") != NULL);
    CHECK(strstr(text, "\"address\": \"192.0.2.1\"") != NULL);
    CHECK(strstr(text, "\"host\": \"tick.example\"") != NULL);
    CHECK(strstr(text, "\"is_resolved\": true") != NULL);
    g_free(text);
    server_report_clear(&report);
}

static void json_has_every_key_and_null_for_what_is_unknown(void)
{
    static const char *const keys[] = {"server",
                                       "version",
                                       "is_holdfast",
                                       "state",
                                       "source",
                                       "stratum",
                                       "leap",
                                       "offset_s",
                                       "residual_s",
                                       "bound_s",
                                       "lasts_s",
                                       "drift_ppm",
                                       "may_steer",
                                       "steering",
                                       "policy",
                                       "sources",
                                       "problems",
                                       "association",
                                       "selection",
                                       "reach",
                                       "poll_log2s",
                                       "delay_s",
                                       "jitter_s",
                                       "dispersion_s",
                                       "address",
                                       "host",
                                       "is_resolved",
                                       "refused_commands",
                                       "sources_are_complete"};
    struct server_report report = report_of(HEALTHY);
    add_source(&report, 0x961a, "srcadr=192.0.2.1,reach=255");
    char *text = server_report_json(&report, "a \"b\"");
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        char *quoted = g_strdup_printf("\"%s\":", keys[i]);
        CHECK(strstr(text, quoted) != NULL);
        g_free(quoted);
    }
    CHECK(strstr(text, "\"server\": \"a \\\"b\\\"\"") != NULL);
    CHECK(strstr(text, "\"bound_s\": 0.0205,") != NULL);
    CHECK(strstr(text, "\"reach\": 255") != NULL);
    CHECK(strstr(text, "\"jitter_s\": null") != NULL);
    CHECK(strstr(text, "\"may_steer\": true") != NULL);
    CHECK(strstr(text, "\"steering\": \"steers\"") != NULL);
    g_free(text);
    server_report_clear(&report);
}

const struct test_case server_report_tests[] = {
    {"own_variables_are_taken_in_their_units", own_variables_are_taken_in_their_units},
    {"a_bound_below_zero_and_a_drift_not_known_are_unknown",
     a_bound_below_zero_and_a_drift_not_known_are_unknown},
    {"another_server_is_judged_by_what_rfc_9327_has",
     another_server_is_judged_by_what_rfc_9327_has},
    {"a_clock_that_was_never_updated_has_no_offset", a_clock_that_was_never_updated_has_no_offset},
    {"json_says_no_more_digits_than_it_was_told", json_says_no_more_digits_than_it_was_told},
    {"a_source_that_was_never_measured_has_no_offset",
     a_source_that_was_never_measured_has_no_offset},
    {"numbers_that_make_no_sense_are_unknown", numbers_that_make_no_sense_are_unknown},
    {"only_synchronised_with_a_small_bound_meets", only_synchronised_with_a_small_bound_meets},
    {"what_is_wrong_is_said_and_nothing_else", what_is_wrong_is_said_and_nothing_else},
    {"answers_that_it_refuses_itself_are_not_called_silence",
     answers_that_it_refuses_itself_are_not_called_silence},
    {"why_it_is_unsynchronised_is_told_by_its_sources",
     why_it_is_unsynchronised_is_told_by_its_sources},
    {"the_page_for_people_says_how_long_it_lasts", the_page_for_people_says_how_long_it_lasts},
    {"a_name_that_is_not_resolved_stands_in_the_place_of_its_address",
     a_name_that_is_not_resolved_stands_in_the_place_of_its_address},
    {"json_has_every_key_and_null_for_what_is_unknown",
     json_has_every_key_and_null_for_what_is_unknown},
    {NULL, NULL}};
