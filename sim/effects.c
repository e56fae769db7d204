/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Carrying out effects; see effects.h.
 *
 * Wakes are armed lazily: one is queued only when it is earlier than the one queued for its node,
 * and one that comes too early is queued again, so nothing is ever taken out of the queue.
 */
#include "effects.h"

#include <math.h>
#include <string.h>

/* Timers fire a little late, as they do in any host; it also spares most wakes that come too early
 * by the rounding of a clock's rate. */
#define WAKE_LATENCY_S 100e-6

#define RESOLVE_DELAY_S 20e-3

/* ---- observers ------------------------------------------------------------------------------ */

void effects_trace(void *context, const struct trace_record *record)
{
    const struct node *node = context;
    struct world *w = node->world;
    for (unsigned i = 0; i < w->observer_count; i++) {
        const struct observer *o = &w->observers[i];
        if (o->kinds & TRACE_BIT(record->kind)) {
            o->trace(o->context, w, node->index, record);
        }
    }
}

void effects_tell_settled(struct world *w, uint32_t node)
{
    for (unsigned i = 0; i < w->of_events_count; i++) {
        const struct observer *o = w->of_events[i];
        o->settled(o->context, w, node);
    }
}

void effects_tell_fault_comes(struct world *w, const struct fault *fault)
{
    for (unsigned i = 0; i < w->observer_count; i++) {
        const struct observer *o = &w->observers[i];
        if (o->fault_comes) {
            o->fault_comes(o->context, w, fault);
        }
    }
}

void effects_tell_fault(struct world *w, const struct fault *fault, bool begins)
{
    for (unsigned i = 0; i < w->observer_count; i++) {
        const struct observer *o = &w->observers[i];
        if (o->fault) {
            o->fault(o->context, w, fault, begins);
        }
    }
}

static void tell_packet(struct world *w, uint32_t from, uint32_t to, uint16_t source_port,
                        uint16_t destination_port, const uint8_t *bytes, size_t size,
                        enum carriage carriage)
{
    struct endpoint source = {world_law(w, from)->address, source_port};
    struct endpoint destination = {world_law(w, to)->address, destination_port};
    for (unsigned i = 0; i < w->of_packets_count; i++) {
        const struct observer *o = w->of_packets[i];
        o->packet(o->context, w, from, to, &source, &destination, bytes, size, carriage);
    }
}

/* ---- effects -------------------------------------------------------------------------------- */

struct instant effects_read_clocks(struct world *w, struct node *node)
{
    struct clock_reading *last = &w->reading;
    if (last->at.ticks == w->now.ticks && last->node == node->index) {
        return last->now;
    }
    struct instant now = oscillator_read(node->oscillator, w->now);
    if (mono_before(now.mono, node->mono)) {
        world_violate(w, node->index, "the free-running clock went back");
    }
    node->mono = now.mono;
    *last = (struct clock_reading){w->now, node->index, now};
    return now;
}

void effects_queue_wake(struct world *w, struct node *node)
{
    sim_time when = oscillator_when(node->oscillator, w->now, node->wake);
    if (when.ticks == SIM_NEVER.ticks) {
        return;
    }
    when = sim_add_s(when, WAKE_LATENCY_S);
    if (sim_before(when, node->queued)) {
        queue_push(&w->queue, when, EVENT_WAKE, node->index);
        node->queued = when;
        node->armed = node->wake;
    }
}

void effects_digest_clock(struct world *w, uint32_t node, int64_t step_ticks, int64_t rate_q)
{
    digest_word(&w->digest, (uint64_t)w->now.ticks);
    digest_word(&w->digest, (uint64_t)MARK_CLOCK << 32 | node);
    digest_word(&w->digest, (uint64_t)step_ticks);
    digest_word(&w->digest, (uint64_t)rate_q);
}

void effects_shift_clock(struct world *w, struct node *node, double amount_s)
{
    oscillator_step(node->oscillator, w->now, amount_s);
    w->reading.at = SIM_NEVER;
}

void effects_steer(struct world *w, struct node *node, const struct clock_command *command)
{
    struct clock_ability ability = node_clock_ability();
    double step_s = command->what & CLOCK_STEP ? command->step_s : 0;
    int64_t rate_q = command->what & CLOCK_RATE ? command->rate_q : INT64_MIN;
    if (command->what & (CLOCK_STEP | CLOCK_RATE | CLOCK_LEAP)) {
        effects_digest_clock(w, node->index, ticks_from_s(step_s), rate_q);
        digest_word(&w->digest, command->what & CLOCK_LEAP ? command->leap : UINT64_MAX);
    }
    if (command->what & CLOCK_STEP) {
        effects_shift_clock(w, node, step_s);
    }
    if (command->what & CLOCK_RATE) {
        oscillator_steer(node->oscillator, w->now, (double)rate_q * ability.rate_quantum);
    }
}

void effects_carry(struct world *w, const struct node *node, const struct remote *to,
                   uint16_t source_port, const uint8_t *bytes, size_t size)
{
    struct digest hash = {0};
    sim_time arrivals[2];
    unsigned copies = link_carry(to->link, w->now, arrivals);
    digest_bytes(&hash, bytes, size);
    digest_word(&w->digest, (uint64_t)w->now.ticks);
    digest_word(&w->digest, (uint64_t)MARK_SENT << 32 | node->index);
    digest_word(&w->digest, (uint64_t)to->node << 32 | (uint32_t)source_port << 16 | to->port);
    digest_word(&w->digest, hash.state);
    w->counts.sent++;
    w->counts.lost += copies == 0;
    if (w->of_packets_count > 0) {
        tell_packet(w, node->index, to->node, source_port, to->port, bytes, size,
                    copies ? CARRIED : LOST);
    }
    for (unsigned i = 0; i < copies; i++) {
        struct flight *flight = network_launch(&w->network, size);
        flight->hash = hash.state;
        flight->from = node->index;
        flight->to = to->node;
        flight->pair = to->pair;
        flight->source = node->address;
        flight->source_port = source_port;
        flight->destination_port = to->port;
        memcpy(flight->bytes, bytes, size);
        queue_push(&w->queue, arrivals[i], EVENT_ARRIVAL, flight->slot);
    }
}

/* Sends what the effects hold to wherever it is addressed. A destination that is no node is lost,
 * as on a real network. */
static void send_to_route(struct world *w, struct node *node)
{
    const struct outgoing *out = &w->effects.send;
    bool is_new;
    struct route *route = node_route(node, w->scenario, &out->peer.address, &is_new);
    if (!route) {
        w->counts.sent++;
        w->counts.lost++;
        return;
    }
    if (is_new) {
        route->pair = network_pair(&w->network, &w->board, node->index, route->to);
    }
    uint16_t source_port =
        out->request != 0 ? node_open_socket(node, route, out->request) : NTP_PORT;
    struct link *link = network_link(route->pair, node->index, route->to);
    struct remote to = {route->pair, link, route->to, out->peer.port, &out->peer.address};
    effects_carry(w, node, &to, source_port, out->bytes, out->size);
}

/* The same, mostly an answer, which goes back the way that the verb's datagram came. */
static void send_datagram(struct world *w, struct node *node, const struct remote *in)
{
    const struct outgoing *out = &w->effects.send;
    if (in && out->request == 0 && out->peer.port == in->port &&
        address_equal(&out->peer.address, in->address)) {
        effects_carry(w, node, in, NTP_PORT, out->bytes, out->size);
    } else {
        send_to_route(w, node);
    }
}

static void begin_lookup(struct world *w, const struct node *node, uint16_t association)
{
    uint32_t slot = w->lookup_free;
    if (slot == NETWORK_NONE) {
        slot = w->lookup_count++;
        w->lookups = g_renew(struct lookup, w->lookups, w->lookup_count);
    } else {
        w->lookup_free = w->lookups[slot].next_free;
    }
    w->lookups[slot] =
        (struct lookup){.node = node->index, .start = node->starts, .association = association};
    queue_push(&w->queue, sim_add_s(w->now, RESOLVE_DELAY_S), EVENT_RESOLVED, slot);
}

static void check_clock_command(struct world *w, const struct node *node)
{
    const struct clock_command *clock = &w->effects.clock;
    int64_t rate_max_q = node_clock_ability().rate_max_q;
    bool steps = clock->what & CLOCK_STEP;
    if (steps && !(clock->what & CLOCK_RATE)) {
        world_violate(w, node->index, "a step of %.9f s without a rate", clock->step_s);
    } else if (steps && w->effects.todo & EFFECT_SEND) {
        world_violate(w, node->index, "a step together with a datagram");
    } else if (steps && !isfinite(clock->step_s)) {
        world_violate(w, node->index, "a step that is no number");
    } else if (clock->what & CLOCK_RATE &&
               (clock->rate_q > rate_max_q || clock->rate_q < -rate_max_q)) {
        world_violate(w, node->index, "a rate of %lld quanta, beyond %lld",
                      (long long)clock->rate_q, (long long)rate_max_q);
    }
}

static void check_lookup(struct world *w, const struct node *node)
{
    unsigned association = w->effects.resolve_association;
    if (association >= world_law(w, node->index)->conf->engine.association_count) {
        world_violate(w, node->index, "a lookup for association %u, which does not exist",
                      association);
    }
}

/* The engine's side of the contract. */
static bool effects_are_lawful(struct world *w, const struct node *node)
{
    const struct effects *fx = &w->effects;
    if (fx->todo & EFFECT_CLOCK) {
        check_clock_command(w, node);
    }
    if (fx->todo & EFFECT_SEND && (fx->send.size == 0 || fx->send.size > DATAGRAM_SIZE_MAX)) {
        world_violate(w, node->index, "a datagram of %u bytes", (unsigned)fx->send.size);
    }
    if (fx->todo & EFFECT_RESOLVE) {
        check_lookup(w, node);
    }
    return !w->violation;
}

/* Whether a real host would fetch a transmit time: not for answers, which no state waits for. */
static bool wants_stamp(const struct outgoing *out)
{
    return out->request != 0 || (out->bytes[0] & 7) != MODE_SERVER;
}

/* Carries out the effects of a verb that ran at `now`, and tells the engine when a datagram left.
 */
void effects_perform(struct world *w, struct node *node, struct instant now,
                     const struct remote *in)
{
    struct effects *fx = &w->effects;
    for (unsigned rounds = 0; effects_are_lawful(w, node); rounds++) {
        unsigned todo = fx->todo;
        if (rounds > VERBS_MAX) {
            world_violate(w, node->index, "%d datagrams, each caused by the one before", VERBS_MAX);
        }
        fx->todo = 0;
        node->wake = fx->wake;
        if (todo & EFFECT_CLOCK) {
            effects_steer(w, node, &fx->clock);
        }
        if (todo & EFFECT_RESOLVE) {
            begin_lookup(w, node, fx->resolve_association);
        }
        if (!(todo & EFFECT_SEND)) {
            break;
        }
        send_datagram(w, node, in);
        if (!wants_stamp(&fx->send)) {
            break;
        }
        struct endpoint peer = fx->send.peer;
        engine_sent(node->engine, now, fx->send.request, now.clock, STAMP_KERNEL, &peer, fx);
    }
    effects_tell_settled(w, node->index);
}
