/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looking into a world: what is true of a node, what its engine says. Changes nothing.
 */
#include <math.h>

#include "upstream.h"
#include "world_state.h"

const char *world_violation(const struct world *w)
{
    return w->violation;
}

sim_time world_now(const struct world *w)
{
    return w->now;
}

const struct scenario *world_scenario(const struct world *w)
{
    return w->scenario;
}

struct instant world_instant(struct world *w, uint32_t node)
{
    return oscillator_read(world_node(w, node)->oscillator, w->now);
}

const struct engine *world_engine(const struct world *w, uint32_t node)
{
    return world_node(w, node)->engine;
}

struct world_counts world_counts(const struct world *w)
{
    return w->counts;
}

void world_digest(const struct world *w, char text[65])
{
    digest_text(&w->digest, text);
}

static uint32_t node_at(const struct world *w, uint32_t node, const struct address *address)
{
    const struct node *n = world_node(w, node);
    for (unsigned i = 0; i < n->route_count; i++) {
        if (address_equal(&world_law(w, n->routes[i].to)->address, address)) {
            return n->routes[i].to;
        }
    }
    return scenario_node_by_address(w->scenario, address);
}

static void truth_of_engine(const struct world *w, uint32_t node, struct instant now,
                            struct truth *out)
{
    const struct engine *engine = world_node(w, node)->engine;
    struct system_status status;
    engine_status(engine, now, &status);
    out->correction = status.drift_ppm * 1e-6;
    out->state = status.state;
    out->leap = status.leap;
    out->stratum = status.stratum;
    out->refid = status.refid;
    out->poll = status.poll;
    out->bound_s = status.root_distance_s;
    if (engine_source_count(engine) > 0) {
        size_t index = status.system_peer >= 0 ? (size_t)status.system_peer : 0;
        const struct endpoint *peer = engine_source_peer(engine, index, &out->reach);
        if (status.system_peer >= 0) {
            out->leader = node_at(w, node, &peer->address);
        }
    }
}

static void truth_of_upstream(const struct world *w, uint32_t node, struct instant now,
                              struct truth *out)
{
    now.clock = ntp_add_s(now.clock, world_node(w, node)->falsetick_s);
    struct server_view view = upstream_view(world_law(w, node), node, now);
    out->state = STATE_SYNCHRONISED;
    out->leap = view.leap;
    out->stratum = view.stratum;
    out->refid = view.refid;
    out->poll = view.poll;
    out->bound_s = view.root_delay_s / 2 + server_view_dispersion_s(&view, now.mono);
}

/* What a node tells while it is up is off by its clock's error, and an upstream's by its lie too;
 * nobody else has one. */
static double error_of(const struct world *w, const struct node *node)
{
    double error_s = oscillator_error_s(node->oscillator, w->now);
    return node->is_up ? error_s + node->falsetick_s : error_s;
}

/* The node's own clocks now. */
static struct instant clocks_of(const struct world *w, uint32_t index)
{
    bool is_read = w->reading.at.ticks == w->now.ticks && w->reading.node == index;
    return is_read ? w->reading.now : oscillator_read(world_node(w, index)->oscillator, w->now);
}

void world_truth(struct world *w, uint32_t index, struct truth *out)
{
    const struct node *node = world_node(w, index);
    *out = (struct truth){.is_up = node->is_up,
                          .error_s = error_of(w, node),
                          .bound_s = INFINITY,
                          .frequency = oscillator_frequency(node->oscillator, w->now),
                          .correction = isnan(node->drift_ppm) ? 0 : node->drift_ppm * 1e-6,
                          .state = STATE_UNSYNCHRONISED,
                          .leap = LEAP_UNKNOWN,
                          .stratum = STRATUM_MAX,
                          .leader = UINT32_MAX};
    if (!node->is_up) {
        return;
    }
    if (node->engine) {
        truth_of_engine(w, index, clocks_of(w, index), out);
    } else {
        truth_of_upstream(w, index, clocks_of(w, index), out);
    }
}

void world_measure(struct world *w, uint32_t index, struct truth *out)
{
    const struct node *node = world_node(w, index);
    double drift_ppm;
    if (!node->engine) {
        world_truth(w, index, out);
        return;
    }
    out->is_up = true;
    out->error_s = error_of(w, node);
    out->frequency = oscillator_frequency(node->oscillator, w->now);
    out->bound_s = engine_bound_s(node->engine, clocks_of(w, index).mono, &drift_ppm);
    out->correction = drift_ppm * 1e-6;
}

double world_rate(const struct world *w, uint32_t index)
{
    return oscillator_rate(world_node(w, index)->oscillator);
}

bool world_error(struct world *w, uint32_t index, double *error_s)
{
    const struct node *node = world_node(w, index);
    *error_s = error_of(w, node);
    return node->is_up;
}
