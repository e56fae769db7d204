/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Status words and flash bits: what happened last to the system and to each source.
 */
#include "../engine/status_word.h"

#include "check.h"
#include "wire.h"

enum { PEER_KEY = 7 };

static struct wire *one_node(int upstreams)
{
    struct wire *w = wire_new();
    struct wire_node *n = wire_add_node(w, wire_address(10, 0, 0, 1));
    for (int i = 0; i < upstreams; i++) {
        struct address address = wire_address(198, 51, 100, (uint8_t)(i + 1));
        wire_add_upstream(w, address);
        wire_add_line(n, ASSOCIATION_SERVER, address)->maxpoll = 6;
    }
    return w;
}

static unsigned system_word(const struct wire *w)
{
    return status_word_of_system(w->nodes[0].engine);
}

static unsigned peer_word(const struct wire *w, int source)
{
    return status_word_of_peer(&w->nodes[0].engine->sources[source]);
}

static void the_systems_word_follows_its_states(void)
{
    struct wire *w = one_node(1);
    wire_start(&w->nodes[0]);
    CHECK_INT(system_word(w), 0xC016); /* leap unknown, no source, restarted once */
    wire_run(w, 3000.0);
    CHECK_INT(system_word(w), 0x0615);
    w->upstreams[0].is_cut = true;
    wire_run(w, 4000.0);
    CHECK_INT(wire_state(&w->nodes[0]), STATE_HOLDOVER);
    CHECK_INT(system_word(w), 0x0018); /* no source any more, leap as it was */
    w->upstreams[0].is_cut = false;
    wire_run(w, 9000.0);
    CHECK_INT(system_word(w), 0x0615);
    wire_free(w);
}

static void a_step_is_told_until_the_clock_is_set(void)
{
    struct wire *w = one_node(1);
    w->upstreams[0].offset_s = 2.0;
    wire_start(&w->nodes[0]);
    for (double t = 0.0; w->nodes[0].steps == 0 && t < 3000.0; t += 0.25) {
        wire_run(w, t);
    }
    CHECK_INT(system_word(w), 0xC01C);
    wire_free(w);
}

static void a_sources_word_follows_reach_and_selection(void)
{
    struct wire *w = one_node(2);
    wire_start(&w->nodes[0]);
    wire_run(w, 0.1);
    CHECK_INT(peer_word(w, 0), 0x8011); /* configured, mobilised */
    wire_run(w, 3000.0);
    int leader = w->nodes[0].engine->leader;
    CHECK_INT(peer_word(w, leader), 0x961A);
    CHECK_INT(peer_word(w, 1 - leader), 0x9414);
    w->upstreams[1 - leader].is_cut = true;
    wire_run(w, 4000.0);
    CHECK_INT(peer_word(w, 1 - leader) & 0x10FF, 0x0013);
    CHECK_INT(engine_source_fault(w->nodes[0].engine, &w->nodes[0].engine->sources[1 - leader],
                                  wire_instant(w->nodes).mono),
              FLASH_UNREACHABLE);
    wire_free(w);
}

static void kisses_are_events_that_are_counted_to_fifteen(void)
{
    struct wire *w = one_node(2);
    wire_start(&w->nodes[0]);
    wire_run(w, 1000.0);
    w->upstreams[0].kiss = KISS_RATE;
    wire_run(w, 1200.0);
    CHECK_INT(peer_word(w, 0) & 0xF, PEER_EVENT_RATE);
    wire_run(w, 100000.0);
    CHECK_INT(peer_word(w, 0) & 0xFF, 0xF0 | PEER_EVENT_RATE);
    w->upstreams[0].kiss = KISS_DENY;
    wire_run(w, 110000.0);
    CHECK_INT(peer_word(w, 0) & 0xFF, 0x10 | PEER_EVENT_DENIED);
    wire_free(w);
}

/* Two peers whose keys have these last octets. */
static void run_pair(struct wire *w, struct key keys[2], uint8_t first, uint8_t second)
{
    uint8_t secrets[2] = {first, second};
    for (uint8_t i = 0; i < 2; i++) {
        struct wire_node *n = wire_add_node(w, wire_address(10, 0, 0, (uint8_t)(i + 1)));
        wire_add_line(n, ASSOCIATION_PEER, wire_address(10, 0, 0, (uint8_t)(2 - i)))->key =
            PEER_KEY;
        keys[i] = (struct key){.id = PEER_KEY,
                               .type = KEY_AES128CMAC,
                               .is_trusted = true,
                               .secret_size = 16,
                               .secret = {secrets[i]}};
        n->config.keys = (struct key_table){&keys[i], 1};
        wire_start(n);
    }
    wire_run(w, 2000.0);
}

static void a_wrong_key_shows_in_word_flash_and_counter(void)
{
    struct key keys[2];
    struct wire *w = wire_new();
    run_pair(w, keys, 1, 2);
    const struct engine *e = w->nodes[0].engine;
    CHECK_INT(peer_word(w, 0) & 0xF000, 0xC000); /* asked for, not authentic, not reached */
    CHECK_INT(e->sources[0].flash, FLASH_AUTH);
    CHECK(engine_counters(e)->bad_auth > 10);
    CHECK_INT(engine_counters(e)->processed, 0);
    wire_free(w);
    w = wire_new();
    run_pair(w, keys, 1, 1);
    e = w->nodes[0].engine;
    CHECK_INT(peer_word(w, 0) & 0x6000, 0x6000);
    CHECK_INT(e->sources[0].flash, 0);
    CHECK_INT(engine_counters(e)->bad_auth, 0);
    CHECK(engine_counters(e)->processed > 10);
    keys[1].secret[0] = 3; /* the other side changes its key file */
    wire_run(w, 3000.0);
    CHECK_INT(peer_word(w, 0) & 0x6000, 0x4000);
    CHECK_INT(e->sources[0].flash, FLASH_AUTH);
    wire_free(w);
}

static void an_answer_that_is_repeated_is_a_duplicate(void)
{
    struct wire *w = one_node(1);
    struct wire_node *n = &w->nodes[0];
    wire_start(n);
    wire_run(w, 1000.0);
    const struct source *s = &n->engine->sources[0];
    struct packet p = {.version = 4,
                       .mode = MODE_SERVER,
                       .origin = s->exchange.sent_wire,
                       .stratum = 1,
                       .receive = {1},
                       .transmit = {2}};
    struct wire_packet again = {.from = s->peer,
                                .to = {n->own, (uint16_t)(WIRE_PORTS + s->request)},
                                .size = PACKET_HEADER_SIZE};
    uint64_t declined = engine_counters(n->engine)->declined, before = wire_hash(n);
    packet_write(&p, again.bytes);
    wire_arrive(n, &again);
    CHECK_INT(s->flash, FLASH_DUPLICATE);
    p.origin.ticks ^= 1;
    packet_write(&p, again.bytes);
    wire_arrive(n, &again);
    CHECK_INT(s->flash, FLASH_BOGUS);
    CHECK_INT(engine_counters(n->engine)->declined, declined + 2);
    CHECK(wire_hash(n) == before);
    wire_free(w);
}

const struct test_case status_word_tests[] = {
    {"the_systems_word_follows_its_states", the_systems_word_follows_its_states},
    {"a_step_is_told_until_the_clock_is_set", a_step_is_told_until_the_clock_is_set},
    {"a_sources_word_follows_reach_and_selection", a_sources_word_follows_reach_and_selection},
    {"kisses_are_events_that_are_counted_to_fifteen",
     kisses_are_events_that_are_counted_to_fifteen},
    {"a_wrong_key_shows_in_word_flash_and_counter", a_wrong_key_shows_in_word_flash_and_counter},
    {"an_answer_that_is_repeated_is_a_duplicate", an_answer_that_is_repeated_is_a_duplicate},
    {NULL, NULL},
};
