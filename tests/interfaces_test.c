/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which addresses are served, by rules as ntpd reads them, and that a scan finds this machine's.
 */
#include "../engine/daemon/interfaces.h"

#include "messages_check.h"

static struct address parse(const char *text)
{
    struct address address;
    CHECK(address_parse(text, &address));
    return address;
}

static int judge(const struct interface_terms *terms, const char *name, const char *text)
{
    struct address address = parse(text);
    return interfaces_judge(terms, name, &address);
}

static void all_addresses_are_served_without_rules(void)
{
    const struct interface_terms terms = {.ipv4 = true, .ipv6 = true};
    CHECK_INT(judge(&terms, "eth0", "192.0.2.1"), INTERFACE_LISTEN);
    CHECK_INT(judge(&terms, "eth0", "2001:db8::1"), INTERFACE_LISTEN);
    CHECK_INT(judge(&terms, "eth0:1", "192.0.2.2"), INTERFACE_LISTEN);
    CHECK_INT(judge(&terms, "lo", "127.0.0.1"), INTERFACE_LISTEN);
}

static void last_rule_that_fits_decides(void)
{
    const struct interface_rule rules[] = {{INTERFACE_LISTEN, "all"},
                                           {INTERFACE_IGNORE, "eth1"},
                                           {INTERFACE_DROP, "192.0.2.0/28"},
                                           {INTERFACE_LISTEN, "192.0.2.3"}};
    const struct interface_terms terms = {
        .rules = rules, .rule_count = 4, .ipv4 = true, .ipv6 = true};
    CHECK_INT(judge(&terms, "eth0", "198.51.100.1"), INTERFACE_LISTEN);
    CHECK_INT(judge(&terms, "eth1", "198.51.100.1"), INTERFACE_IGNORE);
    CHECK_INT(judge(&terms, "eth1", "192.0.2.15"), INTERFACE_DROP);
    CHECK_INT(judge(&terms, "eth1", "192.0.2.16"), INTERFACE_IGNORE);
    CHECK_INT(judge(&terms, "eth1", "192.0.2.3"), INTERFACE_LISTEN);
}

static void unnamed_addresses_are_ignored_once_there_are_rules(void)
{
    const struct interface_rule rules[] = {{INTERFACE_LISTEN, "eth*"}};
    const struct interface_terms terms = {
        .rules = rules, .rule_count = 1, .ipv4 = true, .ipv6 = true};
    CHECK_INT(judge(&terms, "ETH0", "192.0.2.1"), INTERFACE_LISTEN);
    CHECK_INT(judge(&terms, "wlan0", "192.0.2.1"), INTERFACE_IGNORE);
    CHECK_INT(judge(&terms, "lo", "127.0.0.1"), INTERFACE_LISTEN);
}

static void all_spares_loopback_and_a_name_does_not(void)
{
    const struct interface_rule rules[] = {{INTERFACE_IGNORE, "all"}, {INTERFACE_IGNORE, "::1"}};
    const struct interface_terms terms = {
        .rules = rules, .rule_count = 2, .ipv4 = true, .ipv6 = true};
    CHECK_INT(judge(&terms, "lo", "127.0.0.1"), INTERFACE_LISTEN);
    CHECK_INT(judge(&terms, "lo", "::1"), INTERFACE_IGNORE);
    CHECK_INT(judge(&terms, "eth0", "192.0.2.1"), INTERFACE_IGNORE);
}

static void family_rules_and_options_decide_by_family(void)
{
    const struct interface_rule rules[] = {
        {INTERFACE_LISTEN, "ipv4"}, {INTERFACE_DROP, "ipv6"}, {INTERFACE_IGNORE, "wildcard"}};
    struct interface_terms terms = {.rules = rules, .rule_count = 3, .ipv4 = true, .ipv6 = true};
    CHECK_INT(judge(&terms, "eth0", "192.0.2.1"), INTERFACE_LISTEN);
    CHECK_INT(judge(&terms, "eth0", "2001:db8::1"), INTERFACE_DROP);
    CHECK_INT(judge(&terms, "lo", "::1"), INTERFACE_DROP);
    terms.ipv4 = false;
    CHECK_INT(judge(&terms, "eth0", "192.0.2.1"), INTERFACE_IGNORE);
    CHECK_INT(judge(&terms, "lo", "127.0.0.1"), INTERFACE_IGNORE);
}

static void option_I_takes_the_place_of_the_rules(void)
{
    const struct interface_rule rules[] = {{INTERFACE_IGNORE, "eth0"}, {INTERFACE_LISTEN, "eth1"}};
    const char *const only[] = {"eth0", "198.51.100.7", NULL};
    const struct interface_terms terms = {
        .rules = rules, .rule_count = 2, .only = only, .ipv4 = true, .ipv6 = true};
    CHECK_INT(judge(&terms, "eth0", "192.0.2.1"), INTERFACE_LISTEN);
    CHECK_INT(judge(&terms, "eth1", "192.0.2.1"), INTERFACE_IGNORE);
    CHECK_INT(judge(&terms, "eth1", "198.51.100.7"), INTERFACE_LISTEN);
    CHECK_INT(judge(&terms, "lo", "::1"), INTERFACE_LISTEN);
}

static void option_L_leaves_out_labelled_names_that_no_rule_names(void)
{
    const struct interface_rule rules[] = {{INTERFACE_LISTEN, "eth0:1"}};
    struct interface_terms terms = {.ipv4 = true, .ipv6 = true, .skips_virtual = true};
    CHECK_INT(judge(&terms, "eth0:1", "192.0.2.1"), INTERFACE_IGNORE);
    CHECK_INT(judge(&terms, "eth0", "192.0.2.1"), INTERFACE_LISTEN);
    terms.rules = rules;
    terms.rule_count = 1;
    CHECK_INT(judge(&terms, "eth0:1", "192.0.2.1"), INTERFACE_LISTEN);
}

static void link_local_addresses_are_known_by_their_interface(void)
{
    struct local_address a = {.address = parse("fe80::1"), .interface = 1};
    struct local_address b = {.address = parse("fe80::1"), .interface = 2};
    CHECK(!interfaces_is_same(&a, &b));
    a.address = parse("2001:db8::1");
    b.address = a.address;
    CHECK(interfaces_is_same(&a, &b));
    b.address = parse("2001:db8::2");
    CHECK(!interfaces_is_same(&a, &b));
}

static void scan_finds_loopback_once_and_nothing_that_is_ignored(void)
{
    const char *const only[] = {"127.0.0.1", NULL};
    const struct interface_terms terms = {.only = only, .ipv4 = true};
    struct address loopback = parse("127.0.0.1");
    char *error = NULL;
    GArray *list = interfaces_scan(&terms, &error);
    unsigned found = 0;
    CHECK(list != NULL);
    for (guint i = 0; list && i < list->len; i++) {
        const struct local_address *one = &g_array_index(list, struct local_address, i);
        CHECK(address_is_loopback(&one->address));
        CHECK(one->interface > 0);
        found += address_equal(&one->address, &loopback);
    }
    CHECK_INT(found, 1);
    if (list) {
        g_array_free(list, TRUE);
    }
}

static void survey_finds_rules_for_what_is_not_here(void)
{
    const struct interface_rule rules[] = {
        {INTERFACE_IGNORE, "all"},       {INTERFACE_LISTEN, "none9"},
        {INTERFACE_LISTEN, "127.0.0.1"}, {INTERFACE_IGNORE, "192.0.2.1"},
        {INTERFACE_DROP, "127.0.0.0/8"}, {INTERFACE_LISTEN, "IPv6"},
        {INTERFACE_IGNORE, "wildcard"},  {INTERFACE_IGNORE, "2001:db8::/64"}};
    const size_t expected[] = {1, 3, 7};
    const char *const only[] = {"127.0.0.1", "none9", NULL};
    struct interface_terms terms = {.rules = rules, .rule_count = G_N_ELEMENTS(rules)};
    struct interface_survey found;
    char *error = NULL;
    REQUIRE(interfaces_survey(&terms, &found, &error));
    REQUIRE(found.idle->len == G_N_ELEMENTS(expected));
    for (guint i = 0; i < found.idle->len; i++) {
        CHECK_INT(g_array_index(found.idle, size_t, i), expected[i]);
    }
    interfaces_survey_clear(&found);
    terms.only = only; /* in place of the rules */
    REQUIRE(interfaces_survey(&terms, &found, &error));
    REQUIRE(found.idle->len == 1);
    CHECK_INT(g_array_index(found.idle, size_t, 0), 1);
    interfaces_survey_clear(&found);
}

static bool is_loopback_meant(const struct interface_rule *rules, size_t count)
{
    const struct interface_terms terms = {.rules = rules, .rule_count = count};
    struct interface_survey found;
    char *error = NULL;
    REQUIRE(interfaces_survey(&terms, &found, &error));
    interfaces_survey_clear(&found);
    return found.is_loopback_meant;
}

static void loopback_is_meant_when_nothing_else_is_asked_for(void)
{
    const struct interface_rule rules[] = {
        {INTERFACE_IGNORE, "all"}, {INTERFACE_LISTEN, "127.0.0.1"}, {INTERFACE_LISTEN, "none9"}};
    const struct interface_rule families[] = {{INTERFACE_LISTEN, "127.0.0.1"},
                                              {INTERFACE_LISTEN, "ipv4"}};
    const struct interface_rule refusal = {INTERFACE_IGNORE, "192.0.2.1"};
    CHECK(is_loopback_meant(rules, 1));
    CHECK(is_loopback_meant(rules, 2));
    CHECK(is_loopback_meant(rules + 1, 1));
    CHECK(!is_loopback_meant(rules, 3));
    CHECK(!is_loopback_meant(families, 2));
    CHECK(!is_loopback_meant(&refusal, 1)); /* the rest was to be served */
}

const struct test_case interfaces_tests[] = {
    {"all_addresses_are_served_without_rules", all_addresses_are_served_without_rules},
    {"last_rule_that_fits_decides", last_rule_that_fits_decides},
    {"unnamed_addresses_are_ignored_once_there_are_rules",
     unnamed_addresses_are_ignored_once_there_are_rules},
    {"all_spares_loopback_and_a_name_does_not", all_spares_loopback_and_a_name_does_not},
    {"family_rules_and_options_decide_by_family", family_rules_and_options_decide_by_family},
    {"option_I_takes_the_place_of_the_rules", option_I_takes_the_place_of_the_rules},
    {"option_L_leaves_out_labelled_names_that_no_rule_names",
     option_L_leaves_out_labelled_names_that_no_rule_names},
    {"link_local_addresses_are_known_by_their_interface",
     link_local_addresses_are_known_by_their_interface},
    {"survey_finds_rules_for_what_is_not_here", survey_finds_rules_for_what_is_not_here},
    {"loopback_is_meant_when_nothing_else_is_asked_for",
     loopback_is_meant_when_nothing_else_is_asked_for},
    {"scan_finds_loopback_once_and_nothing_that_is_ignored",
     scan_finds_loopback_once_and_nothing_that_is_ignored},
    {NULL, NULL}};
