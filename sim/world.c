/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The event loop: which verb of which engine runs when; see world.h.
 *
 * Nothing here is done per node or per path for an event, but by faults and while the world is
 * built.
 */
#include "world.h"

#include <assert.h>
#include <glib.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "arena.h"
#include "effects.h"
#include "upstream.h"
#include "world_state.h"

/* More nodes than this do not stay in a processor's cache. */
enum { LARGE_WORLD = 1000 };

/* Bytes of a node that are worth asking for ahead: itself, its oscillator, and of its engine what
 * every verb looks at. */
enum { ANTICIPATED = 1280 };

void world_violate(struct world *w, uint32_t node, const char *format, ...)
{
    va_list arguments;
    if (w->violation) {
        return;
    }
    va_start(arguments, format);
    char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    w->violation =
        g_strdup_printf("%s at %.9f s: %s", world_law(w, node)->name, sim_s(w->now), what);
    g_free(what);
}

/* ---- events --------------------------------------------------------------------------------- */

/* Does all that is due, then arms the next wake. */
static void run_due(struct world *w, struct node *node)
{
    for (unsigned i = 0; !w->violation; i++) {
        struct instant now = effects_read_clocks(w, node);
        if (mono_before(now.mono, node->wake)) {
            break;
        }
        if (i == VERBS_MAX) {
            world_violate(w, node->index, "a wake that stays due: no progress in %d calls",
                          VERBS_MAX);
            break;
        }
        engine_expire(node->engine, now, &w->effects);
        effects_perform(w, node, now, NULL);
    }
    effects_arm(w, node);
}

/* A wake mostly ends in a request: the paths that it may take are asked for while the engine makes
 * up its mind. */
G_ALWAYS_INLINE static inline void anticipate_request(const struct world *w,
                                                      const struct node *node)
{
    for (unsigned i = 0; w->is_large && i < MIN(node->route_count, NODE_FIRST_ROUTES); i++) {
        const struct route *route = &node->first_routes[i];
        arena_prefetch(network_link(route->pair, node->index, route->to), sizeof(struct link));
    }
}

static void on_wake(struct world *w, struct node *node, sim_time when)
{
    if (node->engine && node->queued.ticks == when.ticks) {
        node->queued = SIM_NEVER;
        anticipate_request(w, node);
        run_due(w, node);
    }
}

static void arrive_at_upstream(struct world *w, struct node *node, const struct remote *from,
                               struct datagram *in)
{
    uint8_t reply[DATAGRAM_SIZE_MAX];
    struct instant now = effects_read_clocks(w, node);
    now.clock = ntp_add_s(now.clock, node->falsetick_s);
    in->stamp = now.clock;
    size_t size = upstream_reply(world_law(w, node->index), node->index, in, now, reply);
    if (size > 0) {
        effects_carry(w, node, from, NTP_PORT, reply, size);
    }
}

static void arrive_at_engine(struct world *w, struct node *node, const struct remote *from,
                             struct datagram *in)
{
    struct instant now = effects_read_clocks(w, node);
    in->stamp = now.clock;
    engine_receive(node->engine, now, in, &w->effects);
    effects_perform(w, node, now, from);
    effects_arm(w, node);
}

static void on_arrival(struct world *w, uint32_t slot)
{
    struct flight *flight = network_flight(&w->network, slot);
    struct node *node = world_node(w, flight->to);
    struct link *back = network_link(flight->pair, flight->to, flight->from);
    struct remote from = {flight->pair, back, flight->from, flight->source_port, &flight->source};
    digest_word(&w->digest, (uint64_t)w->now.ticks);
    digest_word(&w->digest, (uint64_t)MARK_ARRIVED << 32 | flight->to);
    digest_word(&w->digest, flight->from);
    digest_word(&w->digest, flight->hash);
    if (!node->is_up) {
        w->counts.lost++;
        network_land(&w->network, flight);
        return;
    }
    w->counts.delivered++;
    uint32_t request =
        node_request_at(node, flight->from, flight->source_port, flight->destination_port);
    if (request != NODE_CLOSED) {
        struct datagram in = {.peer = {flight->source, flight->source_port},
                              .local = {node->address, flight->destination_port},
                              .request = request,
                              .kind = STAMP_KERNEL,
                              .bytes = flight->bytes,
                              .size = flight->size};
        if (node->engine) {
            arrive_at_engine(w, node, &from, &in);
        } else {
            arrive_at_upstream(w, node, &from, &in);
        }
    }
    network_land(&w->network, flight);
}

/* Addresses of a name as the node sees them: none while every path to them is cut. */
static size_t look_up(const struct world *w, const struct lookup *lookup,
                      struct endpoint addresses[RESOLVE_MAX])
{
    const struct association_config *association =
        &world_law(w, lookup->node)->conf->engine.associations[lookup->association];
    uint32_t found[RESOLVE_MAX];
    size_t count = scenario_resolve(w->scenario, association->name, found);
    size_t n = 0;
    bool is_reachable = false;
    for (size_t i = 0; i < count; i++) {
        const struct address *address = &world_law(w, found[i])->address;
        is_reachable |= fault_cuts(&w->board, lookup->node, found[i]) == 0;
        if (association->address.family == ADDRESS_NONE ||
            association->address.family == address->family) {
            addresses[n++] = (struct endpoint){*address, NTP_PORT};
        }
    }
    return is_reachable ? n : 0;
}

static void on_resolved(struct world *w, uint32_t slot)
{
    struct lookup lookup = w->lookups[slot];
    struct node *node = world_node(w, lookup.node);
    w->lookups[slot].next_free = w->lookup_free;
    w->lookup_free = slot;
    if (node->engine && node->starts == lookup.start) {
        struct endpoint addresses[RESOLVE_MAX];
        size_t n = look_up(w, &lookup, addresses);
        struct instant now = effects_read_clocks(w, node);
        engine_resolved(node->engine, now, lookup.association, addresses, n, &w->effects);
        effects_perform(w, node, now, NULL);
        effects_arm(w, node);
    }
}

/* ---- faults and power ----------------------------------------------------------------------- */

static void power_up(struct world *w, struct node *node)
{
    const struct scenario_node *law = world_law(w, node->index);
    if (law->kind == NODE_UPSTREAM) {
        node->is_up = true;
        return;
    }
    node_start(node, law, w->seed, effects_read_clocks(w, node));
    engine_set_trace(node->engine, w->kinds, effects_trace, node);
    run_due(w, node);
}

/* The kernel keeps correcting by the drift value when a daemon ends; a slew in progress ends with
 * it. */
static void power_down(struct world *w, struct node *node)
{
    if (node->engine) {
        double ppm;
        struct clock_command command = {.what = CLOCK_RATE};
        node_stop(node, effects_read_clocks(w, node));
        ppm = isnan(node->drift_ppm) ? 0 : node->drift_ppm;
        command.rate_q = (int64_t)rint(ppm * 1e-6 / node_clock_ability().rate_quantum);
        effects_steer(w, node, &command);
    }
    node->is_up = false;
    effects_tell_settled(w, node->index);
}

/* Starts or stops a node when what should be differs from what is. */
static void settle_power(struct world *w, uint32_t index)
{
    struct node *node = world_node(w, index);
    enum fault_power wish = fault_power(&w->board, index);
    bool has_begun = w->now.ticks >= sim_from_s(world_law(w, index)->start_s).ticks;
    bool should_run = wish == FAULT_UP || (wish == FAULT_SILENT && has_begun);
    if (should_run == node->is_up) {
        return;
    }
    digest_word(&w->digest, (uint64_t)w->now.ticks);
    digest_word(&w->digest, (uint64_t)MARK_POWER << 32 | index);
    digest_word(&w->digest, should_run);
    if (should_run) {
        power_up(w, node);
    } else {
        power_down(w, node);
    }
}

/* Somebody sets the clock: the host notices, because its free-running clock did not move. */
static void shift_clock(struct world *w, uint32_t index, double amount_s)
{
    struct node *node = world_node(w, index);
    effects_digest_clock(w, index, ticks_from_s(amount_s), INT64_MAX);
    effects_shift_clock(w, node, amount_s);
    if (node->engine) {
        struct instant now = effects_read_clocks(w, node);
        engine_clock_event(node->engine, now, CLOCK_STEPPED, amount_s, &w->effects);
        effects_perform(w, node, now, NULL);
        effects_arm(w, node);
    }
}

static void apply_to_links(struct world *w, const struct fault *fault)
{
    for (uint32_t i = 0; i < w->network.pair_count; i++) {
        struct pair *pair = network_pair_at(&w->network, i);
        if (fault_concerns_link(fault, pair->ends[0], pair->ends[1])) {
            network_apply_faults(pair, &w->board);
        }
    }
}

static void apply_to_node(struct world *w, const struct fault *fault, uint32_t index, bool begins)
{
    struct node *node = world_node(w, index);
    double amount = begins ? fault->amount : -fault->amount;
    switch (fault->verb) {
    case FAULT_STEP:
        shift_clock(w, index, amount);
        break;
    case FAULT_FREQUENCY:
        oscillator_jump(node->oscillator, w->now, amount);
        break;
    case FAULT_STOP:
    case FAULT_START:
        settle_power(w, index);
        break;
    case FAULT_FALSETICK:
        node->falsetick_s = fault_falsetick_s(&w->board, index);
        break;
    case FAULT_CUT:
    case FAULT_HEAL:
    case FAULT_DELAY:
    case FAULT_LOSS:
    case FAULT_VERBS:
        break;
    }
}

/* slot: twice the fault's index, plus one for its end. */
static void on_fault(struct world *w, uint32_t slot)
{
    const struct fault *fault = &w->scenario->faults[slot / 2];
    bool begins = slot % 2 == 0;
    effects_tell_fault_comes(w, fault);
    if (begins) {
        fault_begin(&w->board, slot / 2);
    } else {
        fault_end(&w->board, slot / 2);
    }
    if (fault_is_about_links(fault->verb)) {
        apply_to_links(w, fault);
    } else {
        for (size_t i = 0; i < fault->a.count && !w->violation; i++) {
            apply_to_node(w, fault, fault->a.nodes[i], begins);
        }
    }
    effects_tell_fault(w, fault, begins);
}

static __attribute__((cold)) void dispatch_rare(struct world *w, const struct queue_entry *entry)
{
    if (entry->kind == EVENT_FAULT) {
        on_fault(w, entry->slot);
    } else if (entry->kind == EVENT_RESOLVED) {
        on_resolved(w, entry->slot);
    } else {
        assert(entry->kind == EVENT_START);
        settle_power(w, entry->slot);
    }
}

static void dispatch(struct world *w, const struct queue_entry *entry)
{
    if (entry->kind == EVENT_ARRIVAL) {
        on_arrival(w, entry->slot);
    } else if (entry->kind == EVENT_WAKE) {
        on_wake(w, world_node(w, entry->slot), w->now);
    } else {
        dispatch_rare(w, entry);
    }
}

/* The node that an event will touch first; NETWORK_NONE when that is not known. */
static uint32_t node_of_event(const struct world *w, const struct queue_entry *entry)
{
    switch ((enum event_kind)entry->kind) {
    case EVENT_ARRIVAL:
        return network_flight(&w->network, entry->slot)->to;
    case EVENT_WAKE:
    case EVENT_START:
        return entry->slot;
    case EVENT_FAULT:
    case EVENT_RESOLVED:
        break;
    }
    return NETWORK_NONE;
}

/* A host may answer what arrives. */
G_ALWAYS_INLINE static inline void anticipate_reply(const struct world *w,
                                                    const struct queue_entry *entry, uint32_t node)
{
    if (entry->kind == EVENT_ARRIVAL && node < w->scenario->host_count) {
        const struct flight *flight = network_flight(&w->network, entry->slot);
        arena_prefetch(network_link(flight->pair, node, flight->from), sizeof(struct link));
    }
}

/* In a large world every event waits for the memory of another node: asks for that of the next
 * event while this one is handled. */
G_ALWAYS_INLINE static inline void anticipate(const struct world *w)
{
    const struct queue_entry *next = w->is_large ? queue_next(&w->queue) : NULL;
    uint32_t node = next ? node_of_event(w, next) : NETWORK_NONE;
    if (node != NETWORK_NONE) {
        arena_prefetch(world_node(w, node), ANTICIPATED);
        anticipate_reply(w, next, node);
    }
}

bool world_run(struct world *w, sim_time until)
{
    while (!w->violation && w->queue.count > 0 && queue_first(&w->queue)->when <= until.ticks) {
        struct queue_entry entry = queue_pop(&w->queue);
        w->now = (sim_time){entry.when};
        w->counts.events++;
        anticipate(w);
        dispatch(w, &entry);
    }
    if (!w->violation && sim_before(w->now, until)) {
        w->now = until;
    }
    return !w->violation;
}

/* ---- building and looking ------------------------------------------------------------------- */

/* Faults first, so that at equal times the timeline precedes what nodes do. */
static void queue_timeline(struct world *w)
{
    for (uint32_t i = 0; i < w->scenario->fault_count; i++) {
        const struct fault *fault = &w->scenario->faults[i];
        sim_time begin = sim_from_s(fault->at_s);
        queue_push(&w->queue, begin, EVENT_FAULT, 2 * i);
        if (!isnan(fault->for_s)) {
            queue_push(&w->queue, sim_add_s(begin, fault->for_s), EVENT_FAULT, 2 * i + 1);
        }
    }
    for (uint32_t i = 0; i < w->scenario->node_count; i++) {
        queue_push(&w->queue, sim_from_s(world_law(w, i)->start_s), EVENT_START, i);
    }
}

static size_t engine_room(const struct world *w, uint32_t index)
{
    struct engine_config config;
    const struct scenario_node *law = world_law(w, index);
    node_engine_config(law, law->drift_ppm, &config);
    return arena_round(engine_size(&config));
}

/* A node and its oscillator lie in one piece, and so does the engine of a client. */
static size_t body_room(void)
{
    return arena_round(sizeof(struct node)) + arena_round(oscillator_size());
}

static void build_node(struct world *w, uint32_t index, void *memory)
{
    struct node *node = world_node(w, index);
    const struct scenario_node *law = world_law(w, index);
    char *place = (char *)(void *)node;
    *node = (struct node){.world = w,
                          .index = index,
                          .address = law->address,
                          .wake = MONO_NEVER,
                          .queued = SIM_NEVER,
                          .drift_ppm = law->drift_ppm,
                          .memory = memory ? memory : place + body_room()};
    node->oscillator = (struct oscillator *)(void *)(place + arena_round(sizeof *node));
    oscillator_init(node->oscillator, &law->clock, w->seed, index,
                    node_cell_s(law, w->scenario->node_count), w->scenario->epoch, law->offset_s,
                    (sim_time){0});
    node->mono = oscillator_read(node->oscillator, (sim_time){0}).mono;
}

static void build_nodes(struct world *w)
{
    const struct scenario *scenario = w->scenario;
    uint32_t hosts = (uint32_t)scenario->host_count;
    uint32_t clients_end = hosts + (uint32_t)scenario->client_count;
    size_t hosts_size = 0, client_size = 0;
    for (uint32_t i = 0; i < hosts; i++) {
        hosts_size += engine_room(w, i);
    }
    for (uint32_t i = hosts; i < clients_end; i++) {
        client_size = MAX(client_size, engine_room(w, i));
    }
    w->is_large = scenario->node_count > LARGE_WORLD;
    w->stride = body_room() + client_size;
    w->bodies = arena_take(scenario->node_count * w->stride);
    w->host_engines = arena_take(hosts_size);
    char *place = w->host_engines;
    for (uint32_t i = 0; i < scenario->node_count; i++) {
        build_node(w, i, i < hosts ? place : NULL);
        place += i < hosts ? engine_room(w, i) : 0;
    }
}

struct world *world_new(const struct scenario *scenario, uint64_t seed)
{
    struct world *w = g_new0(struct world, 1);
    w->scenario = scenario;
    w->seed = seed;
    w->lookup_free = NETWORK_NONE;
    w->reading.at = SIM_NEVER;
    queue_init(&w->queue);
    network_init(&w->network, scenario, seed);
    fault_board_init(&w->board, scenario);
    build_nodes(w);
    queue_timeline(w);
    return w;
}

void world_free(struct world *w)
{
    if (!w) {
        return;
    }
    for (uint32_t i = 0; i < w->scenario->node_count; i++) {
        node_clear(world_node(w, i));
    }
    queue_clear(&w->queue);
    network_clear(&w->network);
    fault_board_clear(&w->board);
    g_free(w->lookups);
    arena_give(w->bodies);
    arena_give(w->host_engines);
    g_free(w->violation);
    g_free(w);
}

void world_observe(struct world *w, const struct observer *observer)
{
    assert(w->observer_count < OBSERVERS_MAX);
    w->observers[w->observer_count++] = *observer;
    assert((observer->kinds == 0) == (observer->trace == NULL));
    w->kinds |= observer->kinds;
    if (observer->packet) {
        w->of_packets[w->of_packets_count++] = &w->observers[w->observer_count - 1];
    }
    if (observer->settled) {
        w->of_events[w->of_events_count++] = &w->observers[w->observer_count - 1];
    }
    for (uint32_t i = 0; i < w->scenario->node_count; i++) {
        if (world_node(w, i)->engine) {
            engine_set_trace(world_node(w, i)->engine, w->kinds, effects_trace, world_node(w, i));
        }
    }
}
