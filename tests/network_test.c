/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Paths and datagrams in flight.
 */
#include "../sim/network.h"

#include "check.h"
#include "miniature.h"

static const char campus[] = "duration 1d\n"
                             "node a address 10.0.0.1 config one.conf\n"
                             "node b address 10.0.0.2 config one.conf\n"
                             "node c address 10.0.0.3 config one.conf\n"
                             "upstream *.example stratum 1 link wan\n"
                             "link campus between a b c\n"
                             "at 1h delay b to a by 2s\n";

struct fixture {
    struct miniature m;
    struct network network;
    struct fault_board board;
};

static struct fixture fixture_open(uint64_t seed)
{
    struct fixture f = {.m = miniature_open(campus, seed)};
    network_init(&f.network, f.m.scenario, seed);
    fault_board_init(&f.board, f.m.scenario);
    return f;
}

static void fixture_close(struct fixture *f)
{
    network_clear(&f->network);
    fault_board_clear(&f->board);
    miniature_close(&f->m);
}

static int64_t arrival(struct fixture *f, uint32_t from, uint32_t to)
{
    sim_time arrivals[2] = {{0}, {0}};
    struct pair *pair = network_pair(&f->network, &f->board, from, to);
    CHECK(link_carry(network_link(pair, from, to), sim_from_s(1), arrivals) >= 1);
    return arrivals[0].ticks - sim_from_s(1).ticks;
}

static void a_pair_is_made_once_whoever_asks_first(void)
{
    struct fixture f = fixture_open(1);
    struct pair *pair = network_pair(&f.network, &f.board, 1, 0);
    CHECK(network_pair(&f.network, &f.board, 0, 1) == pair);
    CHECK(network_pair(&f.network, &f.board, 0, 2) != pair);
    CHECK_INT(f.network.pair_count, 2);
    CHECK(network_pair_at(&f.network, 0) == pair);
    CHECK(network_link(pair, 0, 1) == &pair->links[0]);
    CHECK(network_link(pair, 1, 0) == &pair->links[1]);
    fixture_close(&f);
}

static void the_order_of_first_use_changes_no_delay(void)
{
    struct fixture f = fixture_open(1), g = fixture_open(1), other = fixture_open(2);
    int64_t ab = arrival(&f, 0, 1);
    int64_t ac = arrival(&f, 0, 2);
    CHECK_INT(arrival(&g, 0, 2), ac);
    CHECK_INT(arrival(&g, 0, 1), ab);
    CHECK(ab != ac);
    CHECK(arrival(&other, 0, 1) != ab);
    fixture_close(&f);
    fixture_close(&g);
    fixture_close(&other);
}

static void a_new_pair_is_born_with_the_faults_in_force(void)
{
    struct fixture f = fixture_open(1);
    fault_begin(&f.board, 0);
    struct pair *pair = network_pair(&f.network, &f.board, 0, 1);
    CHECK_NEAR(network_link(pair, 1, 0)->extra_delay_s, 2, 0);
    CHECK_NEAR(network_link(pair, 0, 1)->extra_delay_s, 0, 0);
    fault_end(&f.board, 0);
    network_apply_faults(pair, &f.board);
    CHECK_NEAR(network_link(pair, 1, 0)->extra_delay_s, 0, 0);
    fixture_close(&f);
}

static void datagrams_keep_their_bytes_while_others_come_and_go(void)
{
    struct fixture f = fixture_open(1);
    enum { FLIGHTS = 500 };
    struct flight *flights[FLIGHTS];
    for (unsigned i = 0; i < FLIGHTS; i++) {
        size_t size = i % 3 == 0 ? DATAGRAM_SIZE_MAX : FLIGHT_SMALL_MAX;
        flights[i] = network_launch(&f.network, size);
        memset(flights[i]->bytes, (int)(i % 251), size);
    }
    for (unsigned i = 0; i < FLIGHTS; i += 2) {
        network_land(&f.network, flights[i]);
        flights[i] = network_launch(&f.network, 48);
        memset(flights[i]->bytes, 0xFF, 48);
    }
    for (unsigned i = 1; i < FLIGHTS; i += 2) {
        const struct flight *flight = flights[i];
        CHECK(network_flight(&f.network, flight->slot) == flight);
        CHECK_INT(flight->size, i % 3 == 0 ? DATAGRAM_SIZE_MAX : FLIGHT_SMALL_MAX);
        CHECK_INT(flight->bytes[0], i % 251);
        CHECK_INT(flight->bytes[flight->size - 1], i % 251);
    }
    fixture_close(&f);
}

static void slots_are_used_again(void)
{
    struct fixture f = fixture_open(1);
    for (unsigned i = 0; i < 10000; i++) {
        struct flight *small = network_launch(&f.network, 48);
        struct flight *large = network_launch(&f.network, 1000);
        network_land(&f.network, small);
        network_land(&f.network, large);
    }
    CHECK_INT(f.network.small.used, 1);
    CHECK_INT(f.network.large.used, 1);
    fixture_close(&f);
}

const struct test_case network_tests[] = {
    {"a_pair_is_made_once_whoever_asks_first", a_pair_is_made_once_whoever_asks_first},
    {"the_order_of_first_use_changes_no_delay", the_order_of_first_use_changes_no_delay},
    {"a_new_pair_is_born_with_the_faults_in_force", a_new_pair_is_born_with_the_faults_in_force},
    {"datagrams_keep_their_bytes_while_others_come_and_go",
     datagrams_keep_their_bytes_while_others_come_and_go},
    {"slots_are_used_again", slots_are_used_again},
    {NULL, NULL}};
