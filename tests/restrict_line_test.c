/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * restrict lines: the list that they make, and what is refused rather than left open.
 */
#include "conf_check.h"

/* "192.0.2.0/24 [ntpport] flags line" of each entry, joined by newlines. */
static char *list_text(const struct ntpconf *conf)
{
    GString *out = g_string_new("");
    for (size_t i = 0; i < conf->engine.access.count; i++) {
        const struct restrict_entry *entry = &conf->engine.access.entries[i];
        char text[ADDRESS_TEXT_SIZE];
        g_string_append_printf(out, "%s/%u%s", address_text(&entry->address, text),
                               (unsigned)entry->prefix, entry->needs_ntp_port ? " ntpport" : "");
        for (unsigned bit = 1; bit <= ACCESS_NOTRAP; bit <<= 1) {
            if (entry->flags & bit) {
                g_string_append_printf(out, " %s", access_flag_name(bit));
            }
        }
        if (entry->ippeerlimit != -1) {
            g_string_append_printf(out, " ippeerlimit %d", entry->ippeerlimit);
        }
        g_string_append_printf(out, " line %u%s\n", (unsigned)entry->line,
                               entry->is_default ? " default" : "");
    }
    return g_string_free(out, FALSE);
}

static void check_list(const char *text, const char *messages, const char *list, unsigned line)
{
    struct ntpconf *conf = conf_checked(text, messages, __FILE__, line);
    char *made = conf ? list_text(conf) : g_strdup("");
    check_text(made, list, text, __FILE__, line);
    g_free(made);
    ntpconf_free(conf);
}

#define CHECK_LIST(text, messages, list) check_list((text), (messages), (list), __LINE__)

static void no_line_leaves_the_loopback_entries_alone(void)
{
    CHECK_LIST("", "", "127.0.0.0/8 line 0\n::1/128 line 0\n");
}

static void every_form_of_address_makes_its_entry(void)
{
    CHECK_LIST("restrict 192.0.2.1\n"
               "restrict 198.51.100.0 mask 255.255.255.128 noserve\n"
               "restrict 203.0.113.0/24 noquery\n"
               "restrict 2001:db8:: mask ffff:ffff:: notrust\n"
               "restrict -6 2001:db8:1::/48\n"
               "restrict -4 10.0.0.0/8\n"
               "restrict 0.0.0.0 mask 0.0.0.0 kod limited\n",
               "",
               "192.0.2.1/32 line 1\n"
               "198.51.100.0/25 noserve line 2\n"
               "203.0.113.0/24 noquery line 3\n"
               "10.0.0.0/8 line 6\n"
               "127.0.0.0/8 line 0\n"
               "0.0.0.0/0 limited kod line 7 default\n"
               "::1/128 line 0\n"
               "2001:db8:1::/48 line 5\n"
               "2001:db8::/32 notrust line 4\n");
}

static void default_covers_both_families_unless_one_is_named(void)
{
    CHECK_LIST("restrict default ignore\n", "",
               "127.0.0.0/8 line 0\n0.0.0.0/0 ignore line 1 default\n"
               "::1/128 line 0\n::/0 ignore line 1 default\n");
    CHECK_LIST("restrict -6 default ignore\n", "",
               "127.0.0.0/8 line 0\n::1/128 line 0\n::/0 ignore line 1 default\n");
    CHECK_LIST("restrict -4 default ignore\n", "",
               "127.0.0.0/8 line 0\n0.0.0.0/0 ignore line 1 default\n::1/128 line 0\n");
}

static void every_flag_has_its_bit(void)
{
    CHECK_LIST(
        "restrict 192.0.2.1 ignore noquery nomodify noserve notrust nopeer noepeer limited kod "
        "version nomrulist flake notrap ntpport ippeerlimit 3\n"
        "restrict 192.0.2.1 epeer\n",
        "c:2:20: warning: \"epeer\" has no effect: associations are made by configuration only\n",
        "192.0.2.1/32 ntpport ignore noquery nomodify noserve notrust nopeer noepeer limited "
        "kod version nomrulist flake notrap ippeerlimit 3 line 1\n"
        "192.0.2.1/32 epeer line 2\n"
        "127.0.0.0/8 line 0\n::1/128 line 0\n");
}

static void lines_for_one_key_are_one_entry_with_all_flags(void)
{
    CHECK_LIST("restrict 192.0.2.0/24 noquery ippeerlimit 2\n"
               "restrict default kod\n"
               "restrict 192.0.2.0 mask 255.255.255.0 notrust\n"
               "restrict default limited\n",
               "",
               "192.0.2.0/24 noquery notrust ippeerlimit 2 line 1\n"
               "127.0.0.0/8 line 0\n"
               "0.0.0.0/0 limited kod line 2 default\n"
               "::1/128 line 0\n"
               "::/0 limited kod line 2 default\n");
}

static void loopback_that_a_line_names_gets_no_entry_of_its_own(void)
{
    CHECK_LIST("restrict 127.0.0.1 noquery\nrestrict ::1\n", "",
               "127.0.0.1/32 noquery line 1\n::1/128 line 2\n");
    CHECK_LIST("restrict 96.0.0.0/3 ignore\n", "", "96.0.0.0/3 ignore line 1\n::1/128 line 0\n");
    CHECK_LIST("restrict 127.0.0.1 ignore ntpport\n", "",
               "127.0.0.1/32 ntpport ignore line 1\n127.0.0.0/8 line 0\n::1/128 line 0\n");
    CHECK_LIST("restrict 127.0.0.2 ignore\n", "",
               "127.0.0.2/32 ignore line 1\n127.0.0.0/8 line 0\n::1/128 line 0\n");
}

static void host_bits_are_cleared_with_a_warning(void)
{
    CHECK_LIST("restrict 192.0.2.77 mask 255.255.255.0\nrestrict 2001:db8::1/32\n",
               "c:1:10: warning: bits after the mask are ignored: taken as 192.0.2.0/24\n"
               "c:2:10: warning: bits after the mask are ignored: taken as 2001:db8::/32\n",
               "192.0.2.0/24 line 1\n127.0.0.0/8 line 0\n::1/128 line 0\n2001:db8::/32 line 2\n");
}

static void what_is_not_understood_is_refused(void)
{
    static const struct {
        const char *line, *message;
    } bad[] = {
        {"restrict 10.0.0.0 mask 255.0.255.0",
         "24: error: \"255.0.255.0\" is no mask for 10.0.0.0: one bits first, then zero bits"},
        {"restrict 10.0.0.0 mask ffff::",
         "24: error: \"ffff::\" is no mask for 10.0.0.0: one bits first, then zero bits"},
        {"restrict 10.0.0.0 mask 8", "24: error: expected an IPv4 or IPv6 address, not \"8\""},
        {"restrict 10.0.0.0 mask",
         "23: error: expected an IPv4 or IPv6 address, but the line ends here"},
        {"restrict 10.0.0.0/8 mask 255.0.0.0", "21: error: 10.0.0.0/8 already has its mask"},
        {"restrict 10.0.0.0/33", "10: error: expected default, source or an address, not "
                                 "\"10.0.0.0/33\" (host names are not looked up here)"},
        {"restrict ntp.example", "10: error: expected default, source or an address, not "
                                 "\"ntp.example\" (host names are not looked up here)"},
        {"restrict defualt ignore", "10: error: expected default, source or an address, not "
                                    "\"defualt\" (host names are not looked up here)"},
        {"restrict fe80::1%eth0 ignore", "10: error: \"fe80::1%eth0\": a zone (%eth0) is not "
                                         "supported; without it the entry is for "
                                         "that address on every interface"},
        {"restrict fe80::%eth0/64", "10: error: \"fe80::%eth0/64\": a zone (%eth0) is not "
                                    "supported; without it the entry is for "
                                    "that address on every interface"},
        {"restrict 10.0.0.1%eth0", "10: error: \"10.0.0.1%eth0\": an IPv4 address has no zone "
                                   "(%eth0); leave it out"},
        {"restrict -6",
         "12: error: expected default, source or an address, but the line ends here"},
        {"restrict -6 10.0.0.0", "13: error: 10.0.0.0 is no IPv6 address"},
        {"restrict default mask 0.0.0.0", "18: error: unknown word \"mask\" after \"restrict\"; "
                                          "\"holdfast help ntp.conf\" lists the "
                                          "known"},
        {"restrict default epeer noepeer",
         "18: warning: \"epeer\" has no effect: associations are made by configuration "
         "only\nc:1:24: error: epeer and noepeer contradict each other"},
        {"restrict default ippeerlimit -2",
         "30: error: expected a whole number from -1 to 32767, not \"-2\""},
        {"restrict default ignore ignore", "25: error: \"ignore\" is given twice"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        char *expected = g_strdup_printf("c:1:%s\n", bad[i].message);
        CHECK_REFUSED(bad[i].line, expected);
        g_free(expected);
    }
}

static void restrict_source_is_kept_apart_from_the_list(void)
{
    struct ntpconf *conf = CONF("restrict source nomodify\nrestrict source noquery ntpport\n",
                                "c:2:17: warning: ntpport and ippeerlimit have no effect on "
                                "\"restrict source\"\n");
    CHECK(conf->engine.restrict_source);
    CHECK_INT(conf->engine.restrict_source_flags, ACCESS_NOMODIFY | ACCESS_NOQUERY);
    CHECK_INT(conf->engine.access.count, 2);
    ntpconf_free(conf);
}

static void kod_without_limited_is_a_warning_once_a_line(void)
{
    ntpconf_free(CONF("restrict default nomodify kod\nrestrict 10.0.0.0/8 kod limited\n",
                      "c:1:27: warning: kod does nothing without limited\n"));
}

static char *many_entries(unsigned count)
{
    GString *text = g_string_new("");
    for (unsigned i = 0; i < count; i++) {
        g_string_append_printf(text, "restrict 10.%u.%u.0/24\n", i / 256, i % 256);
    }
    return g_string_free(text, FALSE);
}

static void entries_end_at_4096_with_those_of_the_loopback(void)
{
    char *fits = many_entries(4094), *over = many_entries(4095);
    struct ntpconf *conf = CONF(fits, "");
    CHECK_INT(conf->engine.access.count, 4096);
    for (size_t i = 1; i < conf->engine.access.count; i++) {
        CHECK(access_compare(&conf->engine.access.entries[i - 1], &conf->engine.access.entries[i]) <
              0);
    }
    ntpconf_free(conf);
    CHECK_REFUSED(over, "c:4095:1: error: 4097 restrict entries up to here, 4096 are allowed\n");
    g_free(fits);
    g_free(over);
}

/* The list as the engine uses it: the most specific entry decides, whatever the order of the
 * lines. */
static void most_specific_entry_decides_whatever_the_order(void)
{
    struct ntpconf *conf = CONF("restrict 192.0.2.1\n"
                                "restrict default ignore\n"
                                "restrict 192.0.0.0/16 noquery\n"
                                "restrict 192.0.2.0/24 notrust ntpport\n",
                                "");
    static const struct {
        const char *address;
        uint16_t port;
        unsigned flags, line;
    } cases[] = {{"192.0.2.1", 123, 0, 1},
                 {"192.0.2.2", 123, ACCESS_NOTRUST, 4},
                 {"192.0.2.2", 1024, ACCESS_NOQUERY, 3},
                 {"198.51.100.1", 123, ACCESS_IGNORE, 2},
                 {"2001:db8::1", 123, ACCESS_IGNORE, 2},
                 {"127.1.2.3", 1024, 0, 0}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct endpoint peer = {.port = cases[i].port};
        CHECK(address_parse(cases[i].address, &peer.address));
        struct access_decision decision = access_check(&conf->engine.access, &peer);
        CHECK_INT(decision.flags, cases[i].flags);
        CHECK_INT(decision.line, cases[i].line);
    }
    ntpconf_free(conf);
}

const struct test_case restrict_line_tests[] = {
    {"no_line_leaves_the_loopback_entries_alone", no_line_leaves_the_loopback_entries_alone},
    {"every_form_of_address_makes_its_entry", every_form_of_address_makes_its_entry},
    {"default_covers_both_families_unless_one_is_named",
     default_covers_both_families_unless_one_is_named},
    {"every_flag_has_its_bit", every_flag_has_its_bit},
    {"lines_for_one_key_are_one_entry_with_all_flags",
     lines_for_one_key_are_one_entry_with_all_flags},
    {"loopback_that_a_line_names_gets_no_entry_of_its_own",
     loopback_that_a_line_names_gets_no_entry_of_its_own},
    {"host_bits_are_cleared_with_a_warning", host_bits_are_cleared_with_a_warning},
    {"what_is_not_understood_is_refused", what_is_not_understood_is_refused},
    {"restrict_source_is_kept_apart_from_the_list", restrict_source_is_kept_apart_from_the_list},
    {"kod_without_limited_is_a_warning_once_a_line", kod_without_limited_is_a_warning_once_a_line},
    {"entries_end_at_4096_with_those_of_the_loopback",
     entries_end_at_4096_with_those_of_the_loopback},
    {"most_specific_entry_decides_whatever_the_order",
     most_specific_entry_decides_whatever_the_order},
    {NULL, NULL}};
