/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nodes: sockets, routes, what an engine is told, cells of clocks.
 */
#include "../sim/node.h"

#include "check.h"
#include "miniature.h"

static const char pairs[] = "duration 1d\n"
                            "node a address 10.0.0.1 config two.conf drift 12ppm\n"
                            "clients 2 address 10.0.1.0/24 config client.conf\n"
                            "upstream *.example stratum 1 link wan\n";

/* Routes to both upstreams of node a. */
static void open_routes(struct node *node, const struct scenario *scenario)
{
    bool is_new;
    for (uint32_t i = 3; i < 5; i++) {
        struct route *route = node_route(node, scenario, &scenario->nodes[i].address, &is_new);
        CHECK(route && is_new && route->to == i);
    }
    struct route *again = node_route(node, scenario, &scenario->nodes[3].address, &is_new);
    CHECK(again == &node->routes[0] && !is_new);
}

static void only_the_newest_socket_of_a_destination_is_open(void)
{
    struct miniature m = miniature_open(pairs, 1);
    struct node node = {.index = 0};
    open_routes(&node, m.scenario);
    uint16_t old = node_open_socket(&node, &node.routes[0], 11);
    uint16_t other = node_open_socket(&node, &node.routes[1], 12);
    uint16_t newest = node_open_socket(&node, &node.routes[0], 13);
    CHECK(old != newest && other != newest && old >= 1024 && newest >= 1024);
    CHECK_INT(node_request_at(&node, 3, NTP_PORT, old), NODE_CLOSED);
    CHECK_INT(node_request_at(&node, 3, NTP_PORT, newest), 13);
    CHECK_INT(node_request_at(&node, 4, NTP_PORT, other), 12);
    CHECK_INT(node_request_at(&node, 4, NTP_PORT, NTP_PORT), 0);
    node_clear(&node);
    miniature_close(&m);
}

static void a_connected_socket_hears_nobody_else(void)
{
    struct miniature m = miniature_open(pairs, 1);
    struct node node = {.index = 0};
    open_routes(&node, m.scenario);
    uint16_t port = node_open_socket(&node, &node.routes[0], 11);
    CHECK_INT(node_request_at(&node, 4, NTP_PORT, port), NODE_CLOSED);
    CHECK_INT(node_request_at(&node, 3, 4000, port), NODE_CLOSED);
    CHECK_INT(node_request_at(&node, 3, NTP_PORT, port), 11);
    node_clear(&node);
    miniature_close(&m);
}

static void there_is_no_route_to_nobody_or_oneself(void)
{
    struct miniature m = miniature_open(pairs, 1);
    struct node node = {.index = 0};
    struct address nobody;
    bool is_new;
    CHECK(address_parse("10.9.9.9", &nobody));
    CHECK(node_route(&node, m.scenario, &nobody, &is_new) == NULL);
    CHECK(node_route(&node, m.scenario, &m.scenario->nodes[0].address, &is_new) == NULL);
    CHECK_INT(node.route_count, 0);
    node_clear(&node);
    miniature_close(&m);
}

static void an_engine_is_told_its_address_clock_and_drift(void)
{
    struct miniature m = miniature_open(pairs, 1);
    struct engine_config config;
    node_engine_config(&m.scenario->nodes[0], m.scenario->nodes[0].drift_ppm, &config);
    CHECK_NEAR(config.drift_ppm, 12, 1e-9);
    CHECK(config.own_count == 1 && address_equal(config.own, &m.scenario->nodes[0].address));
    CHECK_NEAR(config.clock.rate_quantum * (double)config.clock.rate_max_q, 1000e-6, 1e-12);
    CHECK(config.clock.can_steer);
    node_engine_config(&m.scenario->nodes[1], NAN, &config);
    CHECK(isnan(config.drift_ppm));
    CHECK_INT(config.client_capacity, 0);
    miniature_close(&m);
}

static void cells_are_wide_only_in_large_worlds(void)
{
    struct association_config lines[] = {{.minpoll = 10}, {.minpoll = 8}};
    struct ntpconf conf = {.engine = {.associations = lines, .association_count = 2}};
    struct scenario_node law = {.conf = &conf};
    CHECK_NEAR(node_cell_s(&law, 1000), 64, 0);
    CHECK_NEAR(node_cell_s(&law, 1001), 256, 0);
    lines[1].minpoll = 4;
    CHECK_NEAR(node_cell_s(&law, 1001), 64, 0);
    law.conf = NULL;
    CHECK_NEAR(node_cell_s(&law, 1001), 64, 0);
}

const struct test_case node_tests[] = {
    {"only_the_newest_socket_of_a_destination_is_open",
     only_the_newest_socket_of_a_destination_is_open},
    {"a_connected_socket_hears_nobody_else", a_connected_socket_hears_nobody_else},
    {"there_is_no_route_to_nobody_or_oneself", there_is_no_route_to_nobody_or_oneself},
    {"an_engine_is_told_its_address_clock_and_drift",
     an_engine_is_told_its_address_clock_and_drift},
    {"cells_are_wide_only_in_large_worlds", cells_are_wide_only_in_large_worlds},
    {NULL, NULL}};
