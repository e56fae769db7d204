/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * enable, disable, tos, tinker, discard, mru, policy: each value in its field.
 */
#include "conf_check.h"

static void tos_values_land_in_their_fields(void)
{
    struct ntpconf *conf = CONF("tos maxdist 2.5 mindist 0.01 minclock 4 maxclock 12 minsane 2\n"
                                "tos floor 1 ceiling 9 holdover 7200\n",
                                "");
    const struct tos_config *tos = &conf->engine.tos;
    CHECK(tos->maxdist_s == 2.5);
    CHECK(tos->mindist_s == 0.01);
    CHECK_INT(tos->minclock, 4);
    CHECK_INT(tos->maxclock, 12);
    CHECK_INT(tos->minsane, 2);
    CHECK_INT(tos->floor, 1);
    CHECK_INT(tos->ceiling, 9);
    CHECK(tos->holdover_s == 7200);
    ntpconf_free(conf);
}

static void orphan_values_are_kept_though_nothing_comes_of_them_yet(void)
{
    static const char why[] = "orphan mode is not in this version; holdover ends unsynchronised";
    char *expected = g_strdup_printf("c:1:5: warning: \"orphan\" has no effect: %s\n"
                                     "c:1:15: warning: \"orphanwait\" has no effect: %s\n",
                                     why, why);
    struct ntpconf *conf = CONF("tos orphan 10 orphanwait 60\n", expected);
    CHECK_INT(conf->engine.tos.orphan, 10);
    CHECK(conf->engine.tos.orphanwait_s == 60);
    ntpconf_free(conf);
    g_free(expected);
}

static void selection_that_can_never_succeed_is_refused(void)
{
    CHECK_REFUSED("tos floor 5\ntos ceiling 5\n",
                  "c:2:1: error: no stratum is left between floor 5 and ceiling 5\n");
    CHECK_REFUSED("tos maxclock 2\n",
                  "c:1:1: error: minclock 3 and minsane 1 cannot exceed maxclock 2\n");
    CHECK_REFUSED("tos minsane 11\n",
                  "c:1:1: error: minclock 3 and minsane 11 cannot exceed maxclock 10\n");
}

static void tinker_values_land_in_their_fields(void)
{
    struct ntpconf *conf =
        CONF("tinker step 0.5 stepout 900 panic 0 dispersion 1e-5 allan 12 freq -12.5\n", "");
    const struct tinker_config *tinker = &conf->engine.tinker;
    CHECK(tinker->step_s == 0.5);
    CHECK(tinker->stepout_s == 900);
    CHECK(tinker->panic_s == 0);
    CHECK(tinker->dispersion == 1e-5);
    CHECK_INT(tinker->allan_log2s, 12);
    CHECK(tinker->frequency_ppm == -12.5);
    ntpconf_free(conf);
    CHECK_REFUSED("tinker dispersion 15\n",
                  "c:1:19: error: expected a number from 1e-07 to 0.001, not \"15\"\n");
    CHECK_REFUSED("tinker freq 501\n",
                  "c:1:13: error: expected a number from -500 to 500, not \"501\"\n");
    CHECK_REFUSED("tinker step nan\n",
                  "c:1:13: error: expected a number from 0 to 1000000000, not \"nan\"\n");
    CHECK_REFUSED("tinker step 1,5\n",
                  "c:1:13: error: expected a number from 0 to 1000000000, not \"1,5\"\n");
}

static void discard_and_mru_values_land_in_their_fields(void)
{
    struct ntpconf *conf = CONF("discard average 5 minimum 2\nmru maxdepth 4096\n", "");
    CHECK_INT(conf->engine.discard.average_log2s, 5);
    CHECK_INT(conf->engine.discard.minimum_s, 2);
    CHECK_INT(conf->engine.client_capacity, 4096);
    ntpconf_free(conf);
    conf = CONF("mru maxdepth 0\n", "");
    CHECK_INT(conf->engine.client_capacity, 0);
    ntpconf_free(conf);
    CHECK_REFUSED("mru maxdepth 4097\n",
                  "c:1:14: error: expected a whole number from 0 to 4096, not \"4097\"\n");
}

static void disable_ntp_stops_the_discipline_and_enable_ntp_takes_it_back(void)
{
    struct ntpconf *conf = CONF("disable ntp\n", "");
    CHECK(conf->engine.disable_discipline);
    ntpconf_free(conf);
    conf = CONF("disable ntp\nenable auth ntp monitor\n", "");
    CHECK(!conf->engine.disable_discipline);
    ntpconf_free(conf);
}

static void protections_cannot_be_switched_off(void)
{
    ntpconf_free(CONF("disable auth monitor\n",
                      "c:1:9: warning: \"auth\" has no effect: unauthenticated packets create no "
                      "association, always\n"
                      "c:1:14: warning: \"monitor\" has no effect: monitoring is always on; \"mru "
                      "maxdepth 0\" does without the client table\n"));
    ntpconf_free(CONF("disable bclient kernel mode7\n", ""));
}

static void every_word_of_every_directive_has_its_help(void)
{
    size_t count;
    const struct directive_help *rows = ntpconf_help(&count);
    CHECK(count > 50);
    for (size_t i = 0; i < count; i++) {
        const struct settings *settings = rows[i].settings;
        check_report(rows[i].help && rows[i].help[0], rows[i].name, __FILE__, __LINE__);
        for (size_t s = 0; settings && s < settings->count; s++) {
            const struct setting *setting = &settings->table[s];
            char *name = g_strdup_printf("%s %s", rows[i].name, setting->name);
            check_report(setting->help && setting->help[0], name, __FILE__, __LINE__);
            g_free(name);
        }
    }
}

static void mdns_is_accepted_without_effect(void)
{
    ntpconf_free(CONF("mdnstries 5\n", "c:1:1: warning: \"mdnstries\" has no effect: the server "
                                       "is not announced by multicast DNS\n"));
}

static void policies_are_chosen_by_name(void)
{
    struct ntpconf *conf = CONF("policy rfc5905\n", "");
    CHECK_INT(conf->engine.policy, POLICY_RFC5905);
    ntpconf_free(conf);
    conf = CONF("policy holdfast\n", "");
    CHECK_INT(conf->engine.policy, POLICY_HOLDFAST);
    ntpconf_free(conf);
    CHECK_REFUSED("policy ntpd-4.2.4\n",
                  "c:1:8: error: unknown policy \"ntpd-4.2.4\"; there are: holdfast, rfc5905\n");
}

const struct test_case system_line_tests[] = {
    {"tos_values_land_in_their_fields", tos_values_land_in_their_fields},
    {"orphan_values_are_kept_though_nothing_comes_of_them_yet",
     orphan_values_are_kept_though_nothing_comes_of_them_yet},
    {"selection_that_can_never_succeed_is_refused", selection_that_can_never_succeed_is_refused},
    {"tinker_values_land_in_their_fields", tinker_values_land_in_their_fields},
    {"discard_and_mru_values_land_in_their_fields", discard_and_mru_values_land_in_their_fields},
    {"disable_ntp_stops_the_discipline_and_enable_ntp_takes_it_back",
     disable_ntp_stops_the_discipline_and_enable_ntp_takes_it_back},
    {"protections_cannot_be_switched_off", protections_cannot_be_switched_off},
    {"every_word_of_every_directive_has_its_help", every_word_of_every_directive_has_its_help},
    {"mdns_is_accepted_without_effect", mdns_is_accepted_without_effect},
    {"policies_are_chosen_by_name", policies_are_chosen_by_name},
    {NULL, NULL}};
