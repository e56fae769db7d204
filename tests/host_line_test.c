/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files, logging, statistics, interfaces, threads, metrics: what the host is told.
 */
#include "conf_check.h"

static void check_place(const struct place *place, const char *expected, unsigned line)
{
    char *text = place_text(place);
    check_text(text, expected, "place", __FILE__, line);
    g_free(text);
}

static void paths_are_kept_as_written_with_their_places(void)
{
    struct ntpconf *conf = CONF("driftfile /var/lib/ntp/drift 0.1\n"
                                "logfile \"/var/log/ntp log\"\n"
                                "leapfile leap.list ignorehash\n"
                                "statsdir /var/log/ntpstats/\n",
                                "c:1:30: warning: the tolerance has no effect: the file is written "
                                "once an hour\n"
                                "c:3:20: warning: \"ignorehash\" has no effect: the hash is always "
                                "checked\n");
    CHECK_STR(conf->host.driftfile, "/var/lib/ntp/drift");
    CHECK_STR(conf->host.logfile, "/var/log/ntp log");
    CHECK_STR(conf->host.leapfile, "leap.list");
    CHECK_STR(conf->host.statsdir, "/var/log/ntpstats/");
    check_place(&conf->host.driftfile_at, "c:1:11: ", __LINE__);
    check_place(&conf->host.logfile_at, "c:2:9: ", __LINE__);
    check_place(&conf->host.statsdir_at, "c:4:10: ", __LINE__);
    ntpconf_free(conf);
    conf = CONF("", "");
    check_place(&conf->host.driftfile_at, "", __LINE__);
    ntpconf_free(conf);
    CHECK_REFUSED("leapfile a nohash\n",
                  "c:1:12: error: expected checkhash or ignorehash, not \"nohash\"\n");
}

static void check_filegen(const struct filegen *filegen, const char *name, const char *file,
                          enum filegen_type type, bool link, bool enabled, unsigned line)
{
    check_text(filegen->name, name, "name", __FILE__, line);
    check_text(filegen->file, file, "file", __FILE__, line);
    check_report(filegen->type == type, "type", __FILE__, line);
    check_report(filegen->link == link, "link", __FILE__, line);
    check_report(filegen->enabled == enabled, "enabled", __FILE__, line);
}

static void statistics_and_filegen_make_one_entry_a_kind(void)
{
    struct ntpconf *conf = CONF("statistics loopstats peerstats clockstats\n"
                                "filegen loopstats file loops type week nolink\n"
                                "filegen rawstats type none enable\n"
                                "filegen clockstats disable\n"
                                "filegen sysstats file sys\n"
                                "statsdir /var/log/ntpstats/\n",
                                "");
    const struct host_config *host = &conf->host;
    CHECK(host->loopstats && host->peerstats && host->rawstats);
    CHECK(!host->clockstats && !host->sysstats && !host->protostats);
    REQUIRE(host->filegen_count == 5);
    check_filegen(&host->filegens[0], "loopstats", "loops", FILEGEN_WEEK, false, true, __LINE__);
    check_filegen(&host->filegens[1], "peerstats", "peerstats", FILEGEN_DAY, true, true, __LINE__);
    check_filegen(&host->filegens[2], "clockstats", "clockstats", FILEGEN_DAY, true, false,
                  __LINE__);
    check_filegen(&host->filegens[3], "rawstats", "rawstats", FILEGEN_NONE, true, true, __LINE__);
    check_filegen(&host->filegens[4], "sysstats", "sys", FILEGEN_DAY, true, false, __LINE__);
    ntpconf_free(conf);
}

static void disable_stats_writes_nothing(void)
{
    struct ntpconf *conf = CONF("statistics loopstats\ndisable stats\n", "");
    REQUIRE(conf->host.filegen_count == 1);
    CHECK(!conf->host.loopstats);
    CHECK(!conf->host.filegens[0].enabled);
    ntpconf_free(conf);
    conf = CONF("disable stats\nstatistics loopstats\nenable stats\nstatsdir s\n", "");
    CHECK(conf->host.loopstats && conf->host.filegens[0].enabled);
    ntpconf_free(conf);
}

#define NOWHERE "warning: no statistics are written: add a statsdir line that says where\n"

static void statistics_without_a_statsdir_are_told_of_at_the_first_line_that_asks_for_them(void)
{
    ntpconf_free(
        CONF("driftfile d\n  statistics loopstats\nstatistics peerstats\n", "c:2:3: " NOWHERE));
    ntpconf_free(CONF("statistics cryptostats loopstats\nfilegen loopstats disable\n"
                      "filegen sysstats file sys\n filegen rawstats enable\n",
                      "c:1:12: warning: \"cryptostats\" has no effect: there is no Autokey\n"
                      "c:4:2: " NOWHERE));
    ntpconf_free(CONF("statistics loopstats\nfilegen loopstats disable\n"
                      "filegen loopstats enable\nfilegen loopstats enable\n",
                      "c:3:1: " NOWHERE));
    ntpconf_free(CONF("filegen peerstats file peers\nstatistics loopstats\n"
                      "filegen loopstats disable\n",
                      ""));
    ntpconf_free(CONF("statistics loopstats\nstatsdir /var/log/ntpstats/\n", ""));
}

static void filegen_that_makes_no_sense_is_refused(void)
{
    CHECK_REFUSED(
        "filegen loopstats type hour\n",
        "c:1:24: error: expected none, pid, day, week, month, year or age, not \"hour\"\n");
    CHECK_REFUSED("filegen loopstats file ../../etc/x\n",
                  "c:1:24: error: \"../../etc/x\" does not stay under statsdir\n");
    CHECK_REFUSED("filegen loopstats link nolink\n",
                  "c:1:1: error: \"link\" and \"nolink\" contradict each other\n");
    CHECK_REFUSED("filegen loopstats file\n",
                  "c:1:23: error: expected a word after \"file\", but the line ends here\n");
    struct ntpconf *conf = CONF("filegen cryptostats enable\n",
                                "c:1:9: warning: \"cryptostats\" has no effect: there is no "
                                "Autokey\n");
    CHECK_INT(conf->host.filegen_count, 0);
    ntpconf_free(conf);
}

static void logconfig_words_are_checked_and_kept_in_order(void)
{
    struct ntpconf *conf =
        CONF("logconfig =syncevents +clockall\nlogconfig -sysinfo allstatus all\n", "");
    static const char *const words[] = {"=syncevents", "+clockall", "-sysinfo", "allstatus", "all"};
    REQUIRE(conf->host.logconfig_count == 5);
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        CHECK_STR(conf->host.logconfig[i], words[i]);
    }
    ntpconf_free(conf);
    static const char *const bad[] = {"=", "sync", "=syncevent", "+=all", "events", "peer", NULL};
    for (const char *const *word = bad; *word; word++) {
        char *line = g_strdup_printf("logconfig %s\n", *word);
        char *expected =
            g_strdup_printf("c:1:11: error: expected a class such as =all, +syncstatus "
                            "or -peerevents, not \"%s\"\n",
                            *word);
        CHECK_REFUSED(line, expected);
        g_free(expected);
        g_free(line);
    }
}

static void interface_rules_are_kept_in_order(void)
{
    struct ntpconf *conf = CONF("interface ignore wildcard\n"
                                "nic listen eth0\n"
                                "interface drop 192.0.2.0/24\n",
                                "");
    REQUIRE(conf->host.interface_count == 3);
    CHECK_INT(conf->host.interfaces[0].action, INTERFACE_IGNORE);
    CHECK_STR(conf->host.interfaces[0].what, "wildcard");
    CHECK_INT(conf->host.interfaces[1].action, INTERFACE_LISTEN);
    CHECK_STR(conf->host.interfaces[1].what, "eth0");
    CHECK_INT(conf->host.interfaces[2].action, INTERFACE_DROP);
    CHECK_STR(conf->host.interfaces[2].what, "192.0.2.0/24");
    CHECK_STR(conf->host.interface_places[2].file, "c");
    CHECK_INT(conf->host.interface_places[0].line, 1);
    CHECK_INT(conf->host.interface_places[2].line, 3);
    CHECK_INT(conf->host.interface_places[2].column, 16);
    ntpconf_free(conf);
    CHECK_REFUSED("interface lissten all\n", "c:1:11: error: expected listen, ignore or drop, not "
                                             "\"lissten\"; did you mean \"listen\"?\n");
    CHECK_REFUSED(
        "interface listen 192.0.2.0/99\n",
        "c:1:18: error: expected all, ipv4, ipv6, wildcard, an interface or ADDRESS/BITS, "
        "not \"192.0.2.0/99\"\n");
    CHECK_REFUSED("interface listen fe80::1%eth0\ninterface ignore 10.0.0.1%lo\n",
                  "c:1:18: error: \"fe80::1%eth0\": a zone (%eth0) is not supported; name the "
                  "interface, or the address without its zone\n"
                  "c:2:18: error: \"10.0.0.1%lo\": an IPv4 address has no zone (%lo); leave it "
                  "out\n");
    conf = CONF("interface listen a%b\n", ""); /* an interface may be called so */
    CHECK_STR(conf->host.interfaces[0].what, "a%b");
    ntpconf_free(conf);
}

static void threads_are_counted_or_left_to_the_host(void)
{
    struct ntpconf *conf = CONF("", "");
    CHECK_INT(conf->host.threads, -1);
    ntpconf_free(conf);
    conf = CONF("threads 0\n", "");
    CHECK_INT(conf->host.threads, 0);
    ntpconf_free(conf);
    conf = CONF("threads 3\nthreads 16\n", "c:2:1: warning: this line replaces c:1\n");
    CHECK_INT(conf->host.threads, 16);
    ntpconf_free(conf);
    CHECK_REFUSED("threads 17\n",
                  "c:1:9: error: expected a whole number from 0 to 16, not \"17\"\n");
    CHECK_REFUSED("threads -1\n",
                  "c:1:9: error: expected a whole number from 0 to 16, not \"-1\"\n");
}

static void metrics_name_an_address_and_a_port(void)
{
    char text[ADDRESS_TEXT_SIZE];
    struct ntpconf *conf = CONF("", "");
    CHECK_INT(conf->host.metrics.address.family, ADDRESS_NONE);
    ntpconf_free(conf);
    conf = CONF("metrics 127.0.0.1:9123\n", "");
    CHECK_STR(address_text(&conf->host.metrics.address, text), "127.0.0.1");
    CHECK_INT(conf->host.metrics.port, 9123);
    ntpconf_free(conf);
    conf = CONF("metrics [2001:db8::1]:65535\n", "");
    CHECK_STR(address_text(&conf->host.metrics.address, text), "2001:db8::1");
    CHECK_INT(conf->host.metrics.port, 65535);
    ntpconf_free(conf);
    static const char *const bad[] = {
        "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",    "127.0.0.1:65536",  "127.0.0.1:12x",
        ":9123",     "9123",       "localhost:9123", "::1:9123",         "[::1]",
        "[::1]9123", "[::1:9123",  "[]:9123",        "[127.0.0.1]:9123", "[::1]x:9123",
        "[:]:1",     NULL};
    for (const char *const *word = bad; *word; word++) {
        char *line = g_strdup_printf("metrics %s\n", *word);
        char *expected = g_strdup_printf("c:1:9: error: expected an address and a port such as "
                                         "127.0.0.1:9123 or [::1]:9123, not \"%s\"\n",
                                         *word);
        CHECK_REFUSED(line, expected);
        g_free(expected);
        g_free(line);
    }
    CHECK_REFUSED(
        "metrics [fe80::1%lo]:9\n",
        "c:1:9: error: \"[fe80::1%lo]:9\": a zone (%lo) is not supported; use a global or "
        "unique local address of this machine\n");
    CHECK_REFUSED("metrics 10.0.0.1%lo:9\n", "c:1:9: error: \"10.0.0.1%lo:9\": an IPv4 address has "
                                             "no zone (%lo); leave it out\n");
}

const struct test_case host_line_tests[] = {
    {"paths_are_kept_as_written_with_their_places", paths_are_kept_as_written_with_their_places},
    {"statistics_and_filegen_make_one_entry_a_kind", statistics_and_filegen_make_one_entry_a_kind},
    {"disable_stats_writes_nothing", disable_stats_writes_nothing},
    {"statistics_without_a_statsdir_are_told_of_at_the_first_line_that_asks_for_them",
     statistics_without_a_statsdir_are_told_of_at_the_first_line_that_asks_for_them},
    {"filegen_that_makes_no_sense_is_refused", filegen_that_makes_no_sense_is_refused},
    {"logconfig_words_are_checked_and_kept_in_order",
     logconfig_words_are_checked_and_kept_in_order},
    {"interface_rules_are_kept_in_order", interface_rules_are_kept_in_order},
    {"threads_are_counted_or_left_to_the_host", threads_are_counted_or_left_to_the_host},
    {"metrics_name_an_address_and_a_port", metrics_name_an_address_and_a_port},
    {NULL, NULL}};
