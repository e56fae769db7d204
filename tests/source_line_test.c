/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * server, peer, pool and fudge lines.
 */
#include "conf_check.h"

static void options_land_in_their_fields(void)
{
    struct ntpconf *conf =
        CONF("server ntp1.example minpoll 3 maxpoll 14 iburst version 1\n"
             "peer 2001:db8::5 burst prefer key 9\n"
             "trustedkey 9\n"
             "keys k\n"
             "pool -6 pool.example noselect true\n"
             "server -4 192.0.2.7\n",
             "c:4:6: note: k is not there: 1 made-up AES128CMAC key stands instead\n");
    const struct association_config *a = conf->engine.associations;
    char text[ADDRESS_TEXT_SIZE];
    REQUIRE(conf->engine.association_count == 4);
    CHECK_INT(a[0].kind, ASSOCIATION_SERVER);
    CHECK_STR(a[0].name, "ntp1.example");
    CHECK_INT(a[0].minpoll, 3);
    CHECK_INT(a[0].maxpoll, 14);
    CHECK_INT(a[0].version, 1);
    CHECK(a[0].iburst && !a[0].burst && !a[0].prefer && !a[0].noselect && !a[0].is_true);
    CHECK_INT(a[0].line, 1);
    CHECK_INT(a[1].kind, ASSOCIATION_PEER);
    CHECK(a[1].is_numeric && !a[1].iburst && a[1].burst && a[1].prefer);
    CHECK_STR(address_text(&a[1].address, text), "2001:db8::5");
    CHECK_INT(a[1].key, 9);
    CHECK_INT(a[1].version, 4);
    CHECK_INT(a[1].line, 2);
    CHECK_INT(a[2].kind, ASSOCIATION_POOL);
    CHECK(!a[2].is_numeric && a[2].address.family == ADDRESS_V6);
    CHECK(a[2].noselect && a[2].is_true && !a[2].prefer);
    CHECK_INT(a[2].minpoll, 6);
    CHECK_INT(a[2].maxpoll, 10);
    CHECK(a[3].is_numeric && a[3].address.family == ADDRESS_V4);
    CHECK_INT(a[3].line, 6);
    ntpconf_free(conf);
}

static void wrong_options_are_refused(void)
{
    CHECK_REFUSED("server a minpoll 11\n",
                  "c:1:8: error: minpoll 11 exceeds maxpoll 10 (the defaults "
                  "are 6 and 10)\n");
    CHECK_REFUSED("server a minpoll 2\n",
                  "c:1:18: error: expected a whole number from 3 to 17, not \"2\"\n");
    CHECK_REFUSED("server a maxpoll 18\n",
                  "c:1:18: error: expected a whole number from 3 to 17, not \"18\"\n");
    CHECK_REFUSED("server a version 5\n",
                  "c:1:18: error: expected a whole number from 1 to 4, not \"5\"\n");
    CHECK_REFUSED("server a key 0\n",
                  "c:1:14: error: expected a whole number from 1 to 65535, not \"0\"\n");
    CHECK_REFUSED("server a iburst iburst\n", "c:1:17: error: \"iburst\" is given twice\n");
    CHECK_REFUSED(
        "server a autokey\n",
        "c:1:10: error: \"autokey\" is not supported: without Autokey nothing would prove "
        "who answers; use \"key\" and ntp.keys\n");
    CHECK_REFUSED("server -4\n",
                  "c:1:10: error: expected a host after \"-4\", but the line ends here\n");
    CHECK_REFUSED("server a mode x\n",
                  "c:1:10: warning: \"mode\" has no effect: there are no "
                  "reference clocks\n"
                  "c:1:15: error: expected a whole number from 0 to 1000000000, "
                  "not \"x\"\n");
}

#define TOO_LONG(n)                                                                                \
    "warning: maxpoll " n " asks only every 2^" n                                                  \
    " s: between two answers the root distance can exceed tos maxdist, so that clients turn away " \
    "and nothing is left for holdover; use at most 14\n"

static void maxpoll_from_15_on_is_a_warning_at_its_value(void)
{
    struct ntpconf *conf = CONF("server a maxpoll 14\n"
                                "server -4 b iburst maxpoll 15\n"
                                "  pool c maxpoll 16 prefer\n"
                                "peer d ident maxpoll maxpoll 17\n"
                                "server e maxpoll 17 noselect\n",
                                "c:2:28: " TOO_LONG("15") "c:3:18: " TOO_LONG(
                                    "16") "c:4:8: warning: \"ident\" has no effect: there is no "
                                          "Autokey\n"
                                          "c:4:30: " TOO_LONG("17"));
    REQUIRE(conf->engine.association_count == 5);
    CHECK_INT(conf->engine.associations[3].maxpoll, 17);
    ntpconf_free(conf);
}

static void xmtnonce_is_always_done(void)
{
    ntpconf_free(CONF("server a xmtnonce iburst\n",
                      "c:1:10: warning: \"xmtnonce\" has no effect: always done: a client's "
                      "transmit timestamp is a random number\n"));
}

static void hosts_are_checked_for_form(void)
{
    static const char *const bad[] = {"192.0.2.300", "192.0.2", "a..b", ".a", "a/24", "2001:db8::g",
                                      "\"a b\"",     "\"\"",    "a_b!", "1",  NULL};
    for (const char *const *host = bad; *host; host++) {
        char *line = g_strdup_printf("server %s\n", *host);
        char *bare = g_strdup(*host);
        g_strdelimit(bare, "\"", ' ');
        char *expected = g_strdup_printf(
            "c:1:8: error: \"%s\" is neither a host name nor an address\n", g_strstrip(bare));
        CHECK_REFUSED(line, expected);
        g_free(expected);
        g_free(bare);
        g_free(line);
    }
    CHECK_REFUSED("server 224.0.1.1\n", "c:1:8: error: 224.0.1.1 is not the address of one host\n");
    CHECK_REFUSED("peer ::\n", "c:1:6: error: :: is not the address of one host\n");
    CHECK_REFUSED("peer ff05::101\n", "c:1:6: error: ff05::101 is not the address of one host\n");
    CHECK_REFUSED("peer 0.0.0.0\n", "c:1:6: error: 0.0.0.0 is not the address of one host\n");
    CHECK_REFUSED("server -6 192.0.2.1\n", "c:1:11: error: 192.0.2.1 is no IPv6 address\n");
    struct ntpconf *conf = CONF("server n-1_x.example.\nserver 3com.example\n", "");
    CHECK_INT(conf->engine.association_count, 2);
    ntpconf_free(conf);
}

static void link_local_address_with_a_zone_is_refused_with_the_cure(void)
{
    CHECK_REFUSED(
        "server fe80::1%eth0\npeer -6 fe80::1%2 key 1\nkeys k\ntrustedkey 1\n",
        "c:1:8: error: \"fe80::1%eth0\": a zone (%eth0) is not supported; use a global or "
        "unique local address of that host, or leave the zone out where only one "
        "interface has link-local addresses\n"
        "c:2:9: error: \"fe80::1%2\": a zone (%2) is not supported; use a global or "
        "unique local address of that host, or leave the zone out where only one "
        "interface has link-local addresses\n");
    CHECK_REFUSED("server 192.0.2.1%eth0\nserver ntp%eth0\n",
                  "c:1:8: error: \"192.0.2.1%eth0\": an IPv4 address has no zone (%eth0); leave it "
                  "out\n"
                  "c:2:8: error: \"ntp%eth0\" is neither a host name nor an address\n");
    struct ntpconf *conf = CONF("server fe80::1\n", "");
    CHECK(conf->engine.associations[0].is_numeric);
    ntpconf_free(conf);
}

static void host_named_twice_is_refused_and_two_families_are_two_hosts(void)
{
    CHECK_REFUSED("server a.example\n\npool A.example\n",
                  "c:3:6: error: A.example is already named by c:1\n");
    CHECK_REFUSED("server 2001:db8::1\npeer 2001:DB8:0::1\n",
                  "c:2:6: error: 2001:DB8:0::1 is already named by c:1\n");
    struct ntpconf *conf = CONF("server -4 a.example\nserver -6 a.example\n", "");
    CHECK_INT(conf->engine.association_count, 2);
    ntpconf_free(conf);
}

/* `servers` server lines after `pools` pool lines. */
static char *many_lines(unsigned pools, unsigned servers)
{
    GString *text = g_string_new("");
    for (unsigned i = 0; i < pools; i++) {
        g_string_append_printf(text, "pool p%u\n", i);
    }
    for (unsigned i = 0; i < servers; i++) {
        g_string_append_printf(text, "server s%u\n", i);
    }
    return g_string_free(text, FALSE);
}

static void associations_end_at_64_and_a_pool_counts_four(void)
{
    char *fits = many_lines(15, 4), *servers = many_lines(15, 9), *pools = many_lines(17, 0);
    struct ntpconf *conf = CONF(fits, "");
    CHECK_INT(conf->engine.association_count, 19);
    ntpconf_free(conf);
    CHECK_REFUSED(servers, "c:20:1: error: more than 64 associations (a pool line counts 4)\n");
    CHECK_REFUSED(pools, "c:17:1: error: more than 64 associations (a pool line counts 4)\n");
    g_free(fits);
    g_free(servers);
    g_free(pools);
}

#define ORPHAN                                                                                     \
    "\"orphan\" has no effect: orphan mode is not in this version; holdover ends unsynchronised\n"

static void local_clock_becomes_tos_orphan(void)
{
    struct ntpconf *conf =
        CONF("fudge 127.127.1.3 stratum 12 refid LOCL\nserver 127.127.1.3 prefer\nserver a\n"
             "fudge 127.127.1.4 stratum 3\n",
             "c:1:30: warning: \"refid\" has no effect: there are no reference clocks\n"
             "c:2:8: warning: the local clock is no source here; taken as \"tos orphan 12\"\n"
             "c:2:8: warning: " ORPHAN "c:4:7: warning: no server line names 127.127.1.4\n");
    REQUIRE(conf->engine.association_count == 1);
    CHECK_STR(conf->engine.associations[0].name, "a");
    CHECK_INT(conf->engine.tos.orphan, 12);
    ntpconf_free(conf);
    conf = CONF("server 127.127.1.0\n",
                "c:1:8: warning: the local clock is no source here; taken as \"tos orphan 5\"\n"
                "c:1:8: warning: " ORPHAN);
    CHECK_INT(conf->engine.tos.orphan, 5);
    ntpconf_free(conf);
}

static void other_reference_clocks_are_refused_with_what_to_use(void)
{
    CHECK_REFUSED("server 127.127.28.0\n",
                  "c:1:8: error: reference clocks (here driver 28) are not supported; use \"server "
                  "HOST\" with a host whose NTP server reads that clock\n");
    CHECK_REFUSED("peer 127.127.1.0\n",
                  "c:1:6: error: reference clocks (here driver 1) are not supported; use \"server "
                  "HOST\" with a host whose NTP server reads that clock\n");
    CHECK_REFUSED("fudge ntp.example stratum 3\n",
                  "c:1:7: error: expected a reference clock 127.127.t.u such as 127.127.1.0, not "
                  "\"ntp.example\"\n");
    CHECK_REFUSED("fudge 127.127.1.0 stratum 0\n",
                  "c:1:27: error: expected a whole number from 1 to 15, not \"0\"\n");
    ntpconf_free(CONF("fudge 127.127.1.1 stratum 3\n",
                      "c:1:7: warning: no server line names 127.127.1.1\n"));
}

/* Loads text of which only one family is used; how many sources are left, and the first of them. */
static void check_only(uint8_t family, const char *text, const char *expected, size_t count,
                       const char *first)
{
    const struct ntpconf_options options = {.only_family = family};
    struct messages *messages = messages_new();
    struct ntpconf *conf = ntpconf_parse("c", text, strlen(text), &options, messages);
    check_messages(messages, expected, __FILE__, __LINE__);
    REQUIRE(conf && conf->engine.association_count == count);
    CHECK_STR(conf->engine.associations[0].name, first);
    ntpconf_free(conf);
}

static void sources_of_a_family_that_is_not_used_are_left_out(void)
{
    const char *text = "server 2001:db8::1 iburst\nserver ntp.example\npeer 192.0.2.1\n"
                       "pool -6 pool.example\nserver -4 ntp4.example\n";
    check_only(ADDRESS_V4, text,
               "c:1:8: warning: 2001:db8::1 is left out: it is IPv6, but only IPv4 is used (-4)\n"
               "c:4:9: warning: pool.example is left out: it is IPv6, but only IPv4 is used "
               "(-4)\n",
               3, "ntp.example");
    check_only(ADDRESS_V6, text,
               "c:3:6: warning: 192.0.2.1 is left out: it is IPv4, but only IPv6 is used (-6)\n"
               "c:5:11: warning: ntp4.example is left out: it is IPv4, but only IPv6 is used "
               "(-6)\n",
               3, "2001:db8::1");
    check_only(ADDRESS_NONE, text, "", 5, "2001:db8::1");
}

const struct test_case source_line_tests[] = {
    {"options_land_in_their_fields", options_land_in_their_fields},
    {"wrong_options_are_refused", wrong_options_are_refused},
    {"maxpoll_from_15_on_is_a_warning_at_its_value", maxpoll_from_15_on_is_a_warning_at_its_value},
    {"xmtnonce_is_always_done", xmtnonce_is_always_done},
    {"hosts_are_checked_for_form", hosts_are_checked_for_form},
    {"link_local_address_with_a_zone_is_refused_with_the_cure",
     link_local_address_with_a_zone_is_refused_with_the_cure},
    {"host_named_twice_is_refused_and_two_families_are_two_hosts",
     host_named_twice_is_refused_and_two_families_are_two_hosts},
    {"associations_end_at_64_and_a_pool_counts_four",
     associations_end_at_64_and_a_pool_counts_four},
    {"local_clock_becomes_tos_orphan", local_clock_becomes_tos_orphan},
    {"other_reference_clocks_are_refused_with_what_to_use",
     other_reference_clocks_are_refused_with_what_to_use},
    {"sources_of_a_family_that_is_not_used_are_left_out",
     sources_of_a_family_that_is_not_used_are_left_out},
    {NULL, NULL}};
