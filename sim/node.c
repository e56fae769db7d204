/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Nodes; see node.h.
 */
#include "node.h"

#include <assert.h>
#include <glib.h>
#include <math.h>
#include <string.h>

#include "rng.h"

enum { SMALL_WORLD = 1000, CELL_LOG2S = 6, PORT_LOWEST = 1024 };

/* Purposes of the numbers derived here; the words of an engine's key are 0 to 3. */
enum { PURPOSE_ENGINE_KEY = 0x4B45, PURPOSE_PORT = 0x504F };

void node_engine_config(const struct scenario_node *law, double drift_ppm,
                        struct engine_config *out)
{
    *out = law->conf->engine;
    out->own = &law->address;
    out->own_count = 1;
    out->clock = node_clock_ability();
    if (!isnan(drift_ppm)) {
        out->drift_ppm = drift_ppm;
    }
    if (law->kind == NODE_CLIENT) {
        out->client_capacity = 0;
    }
}

double node_cell_s(const struct scenario_node *law, size_t node_count)
{
    int shortest = POLL_MAX;
    if (node_count <= SMALL_WORLD || !law->conf || law->conf->engine.association_count == 0) {
        return ldexp(1.0, CELL_LOG2S);
    }
    for (size_t i = 0; i < law->conf->engine.association_count; i++) {
        shortest = MIN(shortest, law->conf->engine.associations[i].minpoll);
    }
    return ldexp(1.0, MAX(shortest, CELL_LOG2S));
}

void node_start(struct node *node, const struct scenario_node *law, uint64_t seed,
                struct instant now)
{
    uint8_t key[32];
    struct engine_config config;
    uint64_t life = rng_derive(seed, node->index, PURPOSE_ENGINE_KEY);
    assert(!node->engine);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t word = rng_derive(life, node->starts, i);
        for (unsigned j = 0; j < 8; j++) {
            key[8 * i + j] = (uint8_t)(word >> (8 * j));
        }
    }
    node_engine_config(law, node->drift_ppm, &config);
    config.own = &node->address; /* the same, next to what else an event needs */
    node->engine = engine_init(node->memory, &config, key, now);
    node->port_key = rng_derive(life, node->starts, PURPOSE_PORT);
    node->starts++;
    node->is_up = true;
    node->mono = now.mono;
    node->wake = now.mono;
    node->queued = SIM_NEVER;
}

void node_stop(struct node *node, struct instant now)
{
    struct system_status status;
    assert(node->engine);
    engine_status(node->engine, now, &status);
    if (status.drift_is_known) {
        node->drift_ppm = status.drift_ppm;
    }
    node->engine = NULL;
    node->is_up = false;
    node->wake = MONO_NEVER;
    node->queued = SIM_NEVER;
    for (unsigned i = 0; i < node->route_count; i++) {
        node->routes[i].request = 0;
    }
}

void node_clear(struct node *node)
{
    if (node->routes != node->first_routes) {
        g_free(node->routes);
    }
    node->routes = NULL;
}

static void grow_routes(struct node *node)
{
    if (!node->routes) {
        node->routes = node->first_routes;
        node->route_room = NODE_FIRST_ROUTES;
        return;
    }
    struct route *more = g_new(struct route, 2 * node->route_room);
    memcpy(more, node->routes, node->route_count * sizeof more[0]);
    if (node->routes != node->first_routes) {
        g_free(node->routes);
    }
    node->routes = more;
    node->route_room = (uint16_t)(2 * node->route_room);
}

struct route *node_route(struct node *node, const struct scenario *scenario,
                         const struct address *address, bool *is_new)
{
    *is_new = false;
    for (unsigned i = 0; i < node->route_count; i++) {
        struct route *route = &node->routes[i];
        if (address_equal(&scenario->nodes[route->to].address, address)) {
            return route;
        }
    }
    uint32_t to = scenario_node_by_address(scenario, address);
    if (to == UINT32_MAX || to == node->index) {
        return NULL;
    }
    if (node->route_count == node->route_room) {
        grow_routes(node);
    }
    *is_new = true;
    node->routes[node->route_count] = (struct route){.to = to};
    return &node->routes[node->route_count++];
}

static bool port_is_open(const struct node *node, uint16_t port)
{
    for (unsigned i = 0; i < node->route_count; i++) {
        if (node->routes[i].request != 0 && node->routes[i].port == port) {
            return true;
        }
    }
    return false;
}

uint16_t node_open_socket(struct node *node, struct route *route, uint32_t request)
{
    assert(request != 0 && request != NODE_CLOSED);
    uint64_t draw = node->port_key ^ request;
    route->request = 0;
    do {
        draw = rng_mix(draw);
        route->port = (uint16_t)(PORT_LOWEST + draw % (UINT16_MAX + 1 - PORT_LOWEST));
    } while (port_is_open(node, route->port));
    route->request = request;
    return route->port;
}

uint32_t node_request_at(const struct node *node, uint32_t from, uint16_t source_port,
                         uint16_t port)
{
    if (port == NTP_PORT) {
        return 0;
    }
    for (unsigned i = 0; i < node->route_count; i++) {
        const struct route *route = &node->routes[i];
        if (route->request != 0 && route->port == port) {
            return route->to == from && source_port == NTP_PORT ? route->request : NODE_CLOSED;
        }
    }
    return NODE_CLOSED;
}
