/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A few engines on a wire, for tests: packets of real bytes over a fixed delay, clocks that are
 * steered as commanded, and upstreams that tell true time plus an error. No simulator in it: time
 * is counted in ticks, and nothing is random. After every verb the promises of the contract are
 * checked.
 */
#ifndef HOLDFAST_WIRE_H
#define HOLDFAST_WIRE_H

#include <stdlib.h>

#include "../engine/engine_state.h"
#include "check.h"
#include "invariants_check.h"

#define WIRE_START_UNIX_S INT64_C(1800000000)
#define WIRE_DELAY_S 0.010

enum {
    WIRE_NODES = 4,
    WIRE_UPSTREAMS = 6,
    WIRE_LINES = 6,
    WIRE_PACKETS = 512,
    WIRE_RECORDS = 4096,
    WIRE_STATES = 64,
    WIRE_GUARD = 64,
    WIRE_PORTS = 20000, /* of client requests: from here on */
    WIRE_REQUESTS = 45000
};

struct wire;

struct wire_packet {
    int64_t when; /* of its arrival, ticks */
    uint64_t order;
    struct endpoint from, to;
    uint16_t size;
    uint8_t bytes[80];
};

struct wire_change {
    double t_s;
    enum system_state to;
};

struct wire_node {
    struct wire *wire;
    int index;
    struct engine_config config;
    struct association_config lines[WIRE_LINES];
    struct address own;
    struct engine *engine;
    uint8_t *memory;
    int starts;
    mono_time wake;
    /* The clock: what it showed at `read`, and how fast it runs. */
    ntp_time clock;
    int64_t read;
    double skew, rate;
    /* What happened. */
    struct wire_change changes[WIRE_STATES];
    int change_count, steps, disputes, sends, leaders;
    int samples[WIRE_LINES], answers[WIRE_LINES], rejects;
    int expires;
    double refreshed_s, refresh_gap_s; /* of the kernel's status: when last, and the longest gap */
    int leap_commands;
    uint8_t armed_leap;    /* by the last of them */
    int resolves;          /* names asked for */
    uint16_t resolve_line; /* the last of them */
    double resolve_s;      /* when */
    char last_why[96];
};

struct wire_upstream {
    struct address address;
    double offset_s, root_dispersion_s;
    uint8_t stratum, leap;
    uint32_t kiss;
    bool is_cut;
    int asked;
    double asked_s; /* when last */
};

/* Asked for every packet that is sent: where it goes on from there is the test's decision. */
typedef void wire_route(struct wire *w, struct wire_packet *packet);

struct wire {
    int64_t now;
    uint64_t order;
    struct wire_node nodes[WIRE_NODES];
    int node_count;
    struct wire_upstream upstreams[WIRE_UPSTREAMS];
    int upstream_count;
    struct wire_packet packets[WIRE_PACKETS];
    int packet_count;
    struct wire_packet records[WIRE_RECORDS]; /* peer packets as sent, the oldest overwritten */
    int record_count;
    wire_route *route;
    void *context;                         /* of the test's route */
    void (*watch)(struct wire_node *node); /* after every verb */
    struct wire_packet held[WIRE_NODES];   /* for the test's own use */
    bool is_held[WIRE_NODES];
};

static inline struct address wire_address(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct address){.family = ADDRESS_V4, .bytes = {a, b, c, d}};
}

static inline struct wire *wire_new(void)
{
    struct wire *w = calloc(1, sizeof *w);
    CHECK(w != NULL);
    return w;
}

static inline void wire_free(struct wire *w)
{
    for (int i = 0; i < w->node_count; i++) {
        free(w->nodes[i].memory);
    }
    free(w);
}

static inline double wire_s(const struct wire *w)
{
    return s_from_ticks(w->now);
}

static inline ntp_time wire_true_time(const struct wire *w)
{
    return ntp_add_ticks(ntp_from_unix_s(WIRE_START_UNIX_S), w->now);
}

static inline struct wire_node *wire_add_node(struct wire *w, struct address own)
{
    struct wire_node *n = &w->nodes[w->node_count];
    n->wire = w;
    n->index = w->node_count++;
    n->own = own;
    engine_config_default(&n->config);
    n->config.associations = n->lines;
    n->config.own = &n->own;
    n->config.own_count = 1;
    n->config.client_capacity = 0;
    n->wake = MONO_NEVER;
    n->clock = wire_true_time(w);
    n->read = w->now;
    return n;
}

static inline struct wire_upstream *wire_add_upstream(struct wire *w, struct address address)
{
    struct wire_upstream *u = &w->upstreams[w->upstream_count++];
    *u = (struct wire_upstream){.address = address, .root_dispersion_s = 0.001, .stratum = 1};
    return u;
}

/* A numeric line of the node's configuration; polls 6 to 10. */
static inline struct association_config *
wire_add_line(struct wire_node *n, enum association_kind kind, struct address address)
{
    struct association_config *line = &n->lines[n->config.association_count++];
    *line = (struct association_config){.kind = kind,
                                        .name = "numeric",
                                        .is_numeric = true,
                                        .address = address,
                                        .minpoll = 6,
                                        .maxpoll = 10,
                                        .version = 4};
    return line;
}

static inline ntp_time wire_clock(struct wire_node *n)
{
    int64_t elapsed = n->wire->now - n->read;
    double gained = rint((double)elapsed * (n->skew + n->rate));
    n->clock = ntp_add_ticks(n->clock, elapsed + (int64_t)gained);
    n->read = n->wire->now;
    return n->clock;
}

static inline struct instant wire_instant(struct wire_node *n)
{
    return (struct instant){wire_clock(n), {n->wire->now}};
}

/* How far the node's clock is off: positive = fast. */
static inline double wire_error_s(struct wire_node *n)
{
    return ntp_diff_s(wire_clock(n), wire_true_time(n->wire));
}

static inline void wire_sink(void *context, const struct trace_record *r)
{
    struct wire_node *n = context;
    if (r->kind == TRACE_STATE && n->change_count < WIRE_STATES) {
        n->changes[n->change_count++] = (struct wire_change){wire_s(n->wire), r->u.state.to};
    }
    n->steps += r->kind == TRACE_STEP ? 1 : 0;
    n->disputes += r->kind == TRACE_DISPUTE ? 1 : 0;
    n->leaders += r->kind == TRACE_LEADER ? 1 : 0;
    n->rejects += r->kind == TRACE_REJECT ? 1 : 0;
    if (r->kind == TRACE_SAMPLE && r->source < WIRE_LINES) {
        n->samples[r->source]++;
    }
    if (r->kind == TRACE_REJECT || r->kind == TRACE_STATE || r->kind == TRACE_DENIED) {
        snprintf(n->last_why, sizeof n->last_why, "%s", r->why ? r->why : "");
    }
}

/* Puts a packet on the wire as it is, to arrive at packet->when. */
static inline void wire_post(struct wire *w, const struct wire_packet *packet)
{
    CHECK(w->packet_count < WIRE_PACKETS);
    if (w->packet_count < WIRE_PACKETS) {
        w->packets[w->packet_count] = *packet;
        w->packets[w->packet_count++].order = w->order++;
    }
}

static inline void wire_send(struct wire *w, struct wire_packet *packet)
{
    packet->when = w->now + ticks_from_s(WIRE_DELAY_S);
    if (packet->to.port == NTP_PORT && packet->from.port == NTP_PORT) {
        w->records[w->record_count++ % WIRE_RECORDS] = *packet;
    }
    if (w->route) {
        w->route(w, packet);
    } else {
        wire_post(w, packet);
    }
}

static inline void wire_carry_out_send(struct wire_node *n, const struct outgoing *send)
{
    struct wire_packet packet = {.from = {n->own, NTP_PORT}, .to = send->peer, .size = send->size};
    CHECK(send->size <= sizeof packet.bytes);
    CHECK(send->request < WIRE_REQUESTS);
    if (send->request != 0) {
        packet.from.port = (uint16_t)(WIRE_PORTS + send->request);
    }
    memcpy(packet.bytes, send->bytes, send->size);
    n->sends++;
    wire_send(n->wire, &packet);
}

/* What a host does with effects, and what the contract promises about them. */
static inline void wire_carry_out(struct wire_node *n, const struct effects *out)
{
    bool has_clock = (out->todo & EFFECT_CLOCK) != 0;
    bool has_step = has_clock && (out->clock.what & CLOCK_STEP);
    CHECK(!has_step || !(out->todo & EFFECT_SEND));
    CHECK(!has_step || (out->clock.what & CLOCK_RATE));
    wire_clock(n);
    if (has_step) {
        n->clock = ntp_add_s(n->clock, out->clock.step_s);
    }
    if (has_clock && (out->clock.what & CLOCK_RATE)) {
        n->rate = (double)out->clock.rate_q * n->config.clock.rate_quantum;
        CHECK(fabs(n->rate) <= 1e-3);
    }
    if (has_clock && (out->clock.what & CLOCK_STATUS)) {
        n->refresh_gap_s = fmax(n->refresh_gap_s, wire_s(n->wire) - n->refreshed_s);
        n->refreshed_s = wire_s(n->wire);
    }
    if (has_clock && (out->clock.what & CLOCK_LEAP)) {
        n->armed_leap = out->clock.leap;
        n->leap_commands++;
    }
    if (out->todo & EFFECT_SEND) {
        wire_carry_out_send(n, &out->send);
    }
    if (out->todo & EFFECT_RESOLVE) {
        n->resolves++;
        n->resolve_line = out->resolve_association;
        n->resolve_s = wire_s(n->wire);
    }
    n->wake = out->wake;
    bool is_intact = true;
    for (int i = 0; i < WIRE_GUARD; i++) {
        is_intact = is_intact && n->memory[engine_size(&n->config) + (size_t)i] == 0xA5;
    }
    CHECK(is_intact);
    invariants_check(n->engine);
    if (n->wire->watch) {
        n->wire->watch(n);
    }
}

/* (Re)starts the engine of a node; its clock keeps what it shows, at its natural rate. */
static inline void wire_start(struct wire_node *n)
{
    uint8_t key[32] = {(uint8_t)(n->index + 1), (uint8_t)++n->starts};
    size_t size = engine_size(&n->config);
    free(n->memory);
    n->memory = aligned_alloc(16, size + WIRE_GUARD);
    memset(n->memory, 0xA5, size + WIRE_GUARD);
    struct instant now = wire_instant(n);
    n->rate = 0.0;
    n->engine = engine_init(n->memory, &n->config, key, now);
    engine_set_trace(n->engine, TRACE_ALL, wire_sink, n);
    n->wake = now.mono;
}

static inline void wire_expire(struct wire_node *n)
{
    struct effects out;
    n->expires++;
    engine_expire(n->engine, wire_instant(n), &out);
    wire_carry_out(n, &out);
}

/* The resolver's answer to a line's name: 198.51.100.k for each k of the list. */
static inline void wire_resolved(struct wire_node *n, uint16_t line, const uint8_t *last,
                                 size_t count)
{
    struct effects out;
    struct endpoint addresses[16];
    CHECK(count <= 16);
    for (size_t i = 0; i < count; i++) {
        addresses[i] = (struct endpoint){wire_address(198, 51, 100, last[i]), NTP_PORT};
    }
    engine_resolved(n->engine, wire_instant(n), line, addresses, count, &out);
    wire_carry_out(n, &out);
}

static inline void wire_arrive(struct wire_node *n, const struct wire_packet *packet)
{
    struct effects out;
    mono_time heard[WIRE_LINES] = {{0}};
    struct datagram in = {
        .peer = packet->from,
        .local = {packet->to.address, packet->to.port},
        .request = packet->to.port == NTP_PORT ? 0 : (uint32_t)(packet->to.port - WIRE_PORTS),
        .kind = STAMP_KERNEL,
        .bytes = packet->bytes,
        .size = packet->size};
    struct instant now = wire_instant(n);
    in.stamp = now.clock;
    for (int i = 0; i < n->engine->source_count && i < WIRE_LINES; i++) {
        heard[i] = n->engine->sources[i].heard;
    }
    engine_receive(n->engine, now, &in, &out);
    for (int i = 0; i < n->engine->source_count && i < WIRE_LINES; i++) {
        n->answers[i] += n->engine->sources[i].heard.ticks != heard[i].ticks ? 1 : 0;
    }
    wire_carry_out(n, &out);
}

static inline void wire_upstream_answer(struct wire *w, struct wire_upstream *u,
                                        const struct wire_packet *packet)
{
    struct packet request;
    struct wire_packet answer = {.from = packet->to, .to = packet->from, .size = 48};
    CHECK_INT(packet_parse(packet->bytes, packet->size, &request), PACKET_OK);
    u->asked++;
    u->asked_s = wire_s(w);
    if (u->is_cut || request.mode != MODE_CLIENT) {
        return;
    }
    ntp_time clock = ntp_add_s(wire_true_time(w), u->offset_s);
    struct packet p = {.leap = u->kiss ? LEAP_UNKNOWN : u->leap,
                       .version = 4,
                       .mode = MODE_SERVER,
                       .stratum = u->kiss ? STRATUM_UNSPECIFIED : u->stratum,
                       .poll = 6,
                       .precision = -22,
                       .root_dispersion = ntp_short_from_s(u->root_dispersion_s),
                       .refid = u->kiss ? u->kiss : 0x47505300,
                       .reference = ntp_add_s(clock, -16.0),
                       .origin = request.transmit,
                       .receive = clock,
                       .transmit = clock};
    packet_write(&p, answer.bytes);
    wire_send(w, &answer);
}

static inline void wire_deliver(struct wire *w, const struct wire_packet *packet)
{
    for (int i = 0; i < w->node_count; i++) {
        if (w->nodes[i].engine && address_equal(&w->nodes[i].own, &packet->to.address)) {
            wire_arrive(&w->nodes[i], packet);
            return;
        }
    }
    for (int i = 0; i < w->upstream_count; i++) {
        if (address_equal(&w->upstreams[i].address, &packet->to.address)) {
            wire_upstream_answer(w, &w->upstreams[i], packet);
            return;
        }
    }
}

/* Takes the packet that arrives first out of the list, if it does so by `until`. */
static inline bool wire_take(struct wire *w, int64_t until, struct wire_packet *packet)
{
    int first = -1;
    for (int i = 0; i < w->packet_count; i++) {
        const struct wire_packet *p = &w->packets[i];
        if (p->when <= until &&
            (first < 0 || p->when < w->packets[first].when ||
             (p->when == w->packets[first].when && p->order < w->packets[first].order))) {
            first = i;
        }
    }
    if (first < 0) {
        return false;
    }
    *packet = w->packets[first];
    w->packets[first] = w->packets[--w->packet_count];
    return true;
}

/* The node that wakes first, if it does so by `until`. */
static inline struct wire_node *wire_first_wake(struct wire *w, int64_t until)
{
    struct wire_node *first = NULL;
    for (int i = 0; i < w->node_count; i++) {
        struct wire_node *n = &w->nodes[i];
        if (n->engine && n->wake.ticks <= until && (!first || n->wake.ticks < first->wake.ticks)) {
            first = n;
        }
    }
    return first;
}

/* Everything up to t seconds. A thousand wakes at one instant are a loop. */
static inline void wire_run(struct wire *w, double t_s)
{
    int64_t until = ticks_from_s(t_s);
    int at_once = 0;
    for (;;) {
        struct wire_packet packet;
        struct wire_node *n = wire_first_wake(w, until);
        int64_t limit = n && n->wake.ticks > w->now ? n->wake.ticks : n ? w->now : until;
        if (wire_take(w, limit, &packet)) {
            w->now = packet.when > w->now ? packet.when : w->now;
            wire_deliver(w, &packet);
        } else if (n) {
            at_once = n->wake.ticks > w->now ? 0 : at_once + 1;
            w->now = n->wake.ticks > w->now ? n->wake.ticks : w->now;
            wire_expire(n);
        } else {
            break;
        }
        if (at_once > 1000) {
            check_report(false, "wakes make progress", __FILE__, __LINE__);
            return;
        }
    }
    w->now = until;
}

/* The counters, and of each source the bit that names what its last packet failed. */
static inline bool wire_is_counter(const struct wire_node *n, size_t at)
{
    const struct engine *e = n->engine;
    size_t sources = (size_t)((const uint8_t *)e->sources - n->memory);
    if (at >= sources && at < sources + e->source_count * sizeof(struct source)) {
        size_t in_source = (at - sources) % sizeof(struct source);
        return in_source >= offsetof(struct source, flash) &&
               in_source < offsetof(struct source, flash) + sizeof e->sources->flash;
    }
    return at >= offsetof(struct engine, counters) &&
           at < offsetof(struct engine, counters) + sizeof e->counters;
}

/* FNV-1a over the engine's memory but for its counters: what a refused packet must leave alone. */
static inline uint64_t wire_hash(const struct wire_node *n)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    size_t size = engine_size(&n->config);
    for (size_t i = 0; i < size; i++) {
        uint64_t next = (hash ^ n->memory[i]) * UINT64_C(1099511628211);
        hash = wire_is_counter(n, i) ? hash : next;
    }
    return hash;
}

static inline enum system_state wire_state(const struct wire_node *n)
{
    return n->engine->system.state;
}

/* When the node last entered the state, seconds; -1 when never. */
static inline double wire_entered_s(const struct wire_node *n, enum system_state state)
{
    for (int i = n->change_count - 1; i >= 0; i--) {
        if (n->changes[i].to == state) {
            return n->changes[i].t_s;
        }
    }
    return -1.0;
}

#endif
