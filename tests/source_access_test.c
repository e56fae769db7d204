/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sources that the restrict lines of their own configuration shut out: warned of with both lines
 * where the engine would not hear them, and nowhere else.
 */
#include "../engine/engine_state.h"
#include "conf_check.h"

#define EVERYBODY "\"ignore\" of everybody whom no other line names; "
#define OWN_LINE "give it a restrict line of its own, or a key\n"

static void server_is_shut_out_by_an_entry_of_its_own_only(void)
{
    ntpconf_free(CONF("restrict default ignore\n"
                      "server 192.0.2.1\n"
                      "server 198.51.100.1\n"
                      "server ntp.example\n"
                      "restrict 192.0.2.0/24 noserve\n",
                      "c:2:8: warning: replies of 192.0.2.1 are dropped: c:5 says \"noserve\" of "
                      "it\n"));
    ntpconf_free(CONF("server 192.0.2.1\nrestrict 192.0.2.1 ntpport ignore\n",
                      "c:1:8: warning: replies of 192.0.2.1 are dropped: c:2 says \"ignore\" of "
                      "it\n"));
}

static void peer_without_key_is_shut_out_by_the_default_too(void)
{
    ntpconf_free(
        CONF("peer -4 192.0.2.1\nrestrict default ignore\n",
             "c:1:9: warning: packets of 192.0.2.1 are dropped: c:2 says " EVERYBODY OWN_LINE));
    ntpconf_free(CONF("restrict -6 default noserve\npeer 2001:db8::1\npeer 192.0.2.1\n",
                      "c:2:6: warning: packets of 2001:db8::1 are dropped: c:1 says \"noserve\" of "
                      "everybody whom no other line names; " OWN_LINE));
    ntpconf_free(CONF("restrict 192.0.2.0/24 ignore\npeer 192.0.2.1\n",
                      "c:2:6: warning: packets of 192.0.2.1 are dropped: c:1 says \"ignore\" of "
                      "it; give it a key\n"));
    ntpconf_free(CONF("restrict default ignore\nrestrict 192.0.2.1 noquery\npeer 192.0.2.1\n", ""));
    ntpconf_free(CONF("peer 192.0.2.1\npeer tock.example\n", ""));
    ntpconf_free(CONF("restrict default ignore\npeer tock.example\n", ""));
}

static void key_lets_a_peer_in_and_no_server(void)
{
    ntpconf_free(CONF("keys k\ntrustedkey 1\nrestrict default ignore\nrestrict 192.0.2.0/24 "
                      "ignore\npeer 192.0.2.1 key 1\npeer 198.51.100.1 key 1\nserver 192.0.2.2 key "
                      "1\n",
                      "c:1:6: note: k is not there: 1 made-up AES128CMAC key stands instead\n"
                      "c:7:8: warning: replies of 192.0.2.2 are dropped: c:4 says \"ignore\" of "
                      "it\n"));
}

static void what_is_not_signed_or_old_is_shut_out_as_well(void)
{
    ntpconf_free(CONF("restrict default notrust version\nserver 192.0.2.1\nrestrict 192.0.2.9\n"
                      "server 192.0.2.9 version 3\nserver ntp.example\n",
                      "c:2:8: warning: replies of 192.0.2.1 are dropped: c:1 says \"notrust\" of "
                      "everybody whom no other line names; give it a key\n"));
    ntpconf_free(CONF("restrict default version\npeer 192.0.2.1 version 3\npeer 192.0.2.2\n",
                      "c:2:6: warning: packets of 192.0.2.1 are dropped: c:1 says \"version\" of "
                      "everybody whom no other line names; ask it in version 4\n"));
}

static void template_for_sources_stands_in_for_the_default_of_servers(void)
{
    ntpconf_free(CONF("restrict default ignore notrust\nrestrict source nomodify\n"
                      "server 192.0.2.1\n",
                      ""));
    ntpconf_free(CONF("restrict source nomodify\nrestrict source noserve\nserver 192.0.2.1\n"
                      "server 192.0.2.2\nrestrict 192.0.2.2\n",
                      "c:3:8: warning: replies of 192.0.2.1 are dropped: c:2 says \"noserve\" of "
                      "it\n"));
    ntpconf_free(CONF("restrict source ignore\npeer 192.0.2.1\n", ""));
}

static void line_that_says_it_is_named_among_those_of_one_entry(void)
{
    ntpconf_free(
        CONF("restrict default nomodify\npeer 192.0.2.1\nrestrict default noquery\n"
             "restrict default ignore\n",
             "c:2:6: warning: packets of 192.0.2.1 are dropped: c:4 says " EVERYBODY OWN_LINE));
}

static void source_that_is_left_out_anyway_is_not_judged(void)
{
    static const struct ntpconf_options only_v4 = {.only_family = ADDRESS_V4};
    static const char text[] = "restrict default ignore\npeer 2001:db8::1\nserver 127.127.1.0\n";
    struct messages *messages = messages_new();
    ntpconf_free(ntpconf_parse("c", text, strlen(text), &only_v4, messages));
    for (guint i = 0; i < messages->list->len; i++) {
        const struct message *message = g_ptr_array_index(messages->list, i);
        CHECK(strstr(message->text, "dropped") == NULL);
    }
    CHECK_INT(messages->warnings, 3);
    messages_free(messages);
}

/* The engine is the judge: what the reader warns of is what engine_hears() does not hear. */
static void warning_is_given_where_the_engine_does_not_hear(void)
{
    static const char *const rules[] = {"",
                                        "restrict default ignore\n",
                                        "restrict default noserve notrust\n",
                                        "restrict default version\n",
                                        "restrict 192.0.2.0/24 ignore\n",
                                        "restrict 192.0.2.1 ntpport notrust\n",
                                        "restrict source noserve\n",
                                        "restrict default ignore\nrestrict source notrust\n"};
    static const char *const sources[] = {"server 192.0.2.1",         "server 192.0.2.1 version 3",
                                          "server 192.0.2.1 key 1",   "peer 192.0.2.1",
                                          "peer 192.0.2.1 version 2", "peer 192.0.2.1 key 1"};
    for (size_t i = 0; i < G_N_ELEMENTS(rules) * G_N_ELEMENTS(sources); i++) {
        static const struct ntpconf_options options = {
            .locate = conf_refuse_all, .synthetic_keys = true, .synthetic_seed = 1};
        static const uint8_t key[32];
        char *text =
            g_strconcat(rules[i / G_N_ELEMENTS(sources)], sources[i % G_N_ELEMENTS(sources)],
                        "\ntrustedkey 1\nkeys k\n", NULL);
        struct messages *messages = messages_new();
        struct ntpconf *conf = ntpconf_parse("c", text, strlen(text), &options, messages);
        REQUIRE(conf != NULL);
        conf->engine.clock.rate_quantum = 1e-9;
        conf->engine.clock.rate_max_q = 1000000;
        void *memory = g_aligned_alloc0(engine_size(&conf->engine), 1, 16);
        const struct engine *e =
            engine_init(memory, &conf->engine, key, (struct instant){.mono = {1}});
        bool is_warned = false;
        for (guint m = 0; m < messages->list->len; m++) {
            const struct message *message = g_ptr_array_index(messages->list, m);
            is_warned = is_warned || strstr(message->text, "are dropped: ");
        }
        check_report(is_warned == !engine_hears(e, &e->sources[0]), text, __FILE__, __LINE__);
        g_aligned_free(memory);
        ntpconf_free(conf);
        messages_free(messages);
        g_free(text);
    }
}

const struct test_case source_access_tests[] = {
    {"server_is_shut_out_by_an_entry_of_its_own_only",
     server_is_shut_out_by_an_entry_of_its_own_only},
    {"peer_without_key_is_shut_out_by_the_default_too",
     peer_without_key_is_shut_out_by_the_default_too},
    {"key_lets_a_peer_in_and_no_server", key_lets_a_peer_in_and_no_server},
    {"what_is_not_signed_or_old_is_shut_out_as_well",
     what_is_not_signed_or_old_is_shut_out_as_well},
    {"template_for_sources_stands_in_for_the_default_of_servers",
     template_for_sources_stands_in_for_the_default_of_servers},
    {"line_that_says_it_is_named_among_those_of_one_entry",
     line_that_says_it_is_named_among_those_of_one_entry},
    {"source_that_is_left_out_anyway_is_not_judged", source_that_is_left_out_anyway_is_not_judged},
    {"warning_is_given_where_the_engine_does_not_hear",
     warning_is_given_where_the_engine_does_not_hear},
    {NULL, NULL}};
