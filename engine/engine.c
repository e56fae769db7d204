/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The verbs of the contract: see engine.h. What a verb decides is in mitigation.c, reception.c and
 * resolution.c; here are memory, the clock command, and what is due next.
 */
#include "engine.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "engine_state.h"

static size_t round_up(size_t size)
{
    return (size + 15) / 16 * 16;
}

uint16_t engine_sources_of(const struct association_config *a)
{
    return a->kind == ASSOCIATION_POOL ? POOL_SIZE : 1;
}

struct engine_layout {
    size_t sources, resolutions, clients, total; /* offsets, and the size of it all */
    uint16_t source_count, resolution_count;
};

static struct engine_layout engine_layout(const struct engine_config *config)
{
    struct engine_layout layout = {0};
    for (size_t i = 0; i < config->association_count; i++) {
        layout.source_count =
            (uint16_t)(layout.source_count + engine_sources_of(&config->associations[i]));
        layout.resolution_count =
            (uint16_t)(layout.resolution_count + (config->associations[i].is_numeric ? 0 : 1));
    }
    layout.sources = round_up(sizeof(struct engine));
    layout.resolutions = layout.sources + round_up(layout.source_count * sizeof(struct source));
    layout.clients =
        layout.resolutions + round_up(layout.resolution_count * sizeof(struct resolution));
    layout.total = layout.clients;
    if (config->client_capacity > 0) {
        layout.total += round_up(clients_size(config->client_capacity));
    }
    return layout;
}

size_t engine_size(const struct engine_config *config)
{
    return engine_layout(config).total;
}

void engine_begin_association(struct engine *e, uint16_t association, uint16_t first,
                              struct resolution *resolution, mono_time now)
{
    const struct association_config *config = &e->config.associations[association];
    for (unsigned i = 0; i < engine_sources_of(config); i++) {
        source_init(&e->sources[first + i], config, association, now);
    }
    if (config->is_numeric) {
        struct endpoint peer;
        memset(&peer, 0, sizeof peer); /* the octet between address and port too */
        peer.address = config->address;
        peer.port = NTP_PORT;
        struct source *s = &e->sources[first];
        source_assign(s, &peer, now);
        engine_note_source(e, s);
        /* Hosts that start together must not ask together. */
        s->next_poll = mono_add_s(now, 0.5 + random_byte(&e->random) / 64.0);
        return;
    }
    *resolution = (struct resolution){.association = association,
                                      .first_source = first,
                                      .source_count = engine_sources_of(config),
                                      .backoff_log2s = RESOLVE_MIN_LOG2S,
                                      .due = now};
}

void engine_begin_clients(struct engine *e)
{
    uint8_t key[32];
    if (!e->clients) {
        return;
    }
    for (unsigned i = 0; i < sizeof key; i++) {
        key[i] = (uint8_t)random_byte(&e->random);
    }
    e->clients = clients_init(e->clients, e->config.client_capacity, key);
}

struct engine *engine_place(void *memory, const struct engine_config *config)
{
    struct engine_layout layout = engine_layout(config);
    uint8_t *base = memory;
    struct engine *e = memory;
    assert(((uintptr_t)memory & 15) == 0);
    memset(memory, 0, layout.total);
    e->config = *config;
    e->policy = policy_rules(config->policy);
    e->sources = (struct source *)(void *)(base + layout.sources);
    e->source_count = layout.source_count;
    e->resolutions = (struct resolution *)(void *)(base + layout.resolutions);
    e->resolution_count = layout.resolution_count;
    e->clients =
        config->client_capacity > 0 ? (struct clients *)(void *)(base + layout.clients) : NULL;
    e->leader = -1;
    return e;
}

struct engine *engine_init(void *memory, const struct engine_config *config, const uint8_t key[32],
                           struct instant now)
{
    struct engine *e = engine_place(memory, config);
    uint16_t source = 0;
    struct resolution *resolution = e->resolutions;
    e->event = (struct event_tally){SYSTEM_EVENT_RESTART, 1};
    e->counters.since = now;
    random_init(&e->random, key);
    ledger_init(&e->ledger, now.mono, 0.0, 0.0);
    discipline_init(&e->discipline, config, now.mono);
    system_init(&e->system, now.mono);
    system_view(&e->system, config, POLL_MIN, &e->view);
    engine_begin_clients(e);
    for (uint16_t a = 0; a < config->association_count; a++) {
        engine_begin_association(e, a, source, resolution, now.mono);
        source = (uint16_t)(source + engine_sources_of(&config->associations[a]));
        resolution += config->associations[a].is_numeric ? 0 : 1;
    }
    return e;
}

void engine_set_trace(struct engine *e, uint32_t wanted, trace_sink *sink, void *context)
{
    e->wanted = sink ? wanted : 0;
    e->sink = sink;
    e->sink_context = context;
}

void engine_say(struct engine *e, struct trace_record *record, struct instant now, int source,
                const char *why)
{
    status_word_note(e, record, source);
    if (engine_keeps_quiet(e, record->kind)) {
        return;
    }
    record->now = now;
    record->source = source;
    record->why = why;
    record->status = source >= 0 && !trace_is_of_system(record->kind)
                         ? status_word_of_peer(&e->sources[source])
                         : status_word_of_system(e);
    record->name = NULL;
    if (source >= 0) {
        const struct association_config *config = e->sources[source].config;
        record->peer = e->sources[source].peer;
        record->name = config->is_numeric ? NULL : config->name;
    }
    e->sink(e->sink_context, record);
}

/* The rate as the clock can have it: a multiple of its quantum within its range. */
static int64_t engine_quantise(const struct engine *e, double rate)
{
    double limit = (double)e->config.clock.rate_max_q;
    double wanted = rint(rate / e->config.clock.rate_quantum);
    return (int64_t)(wanted < limit ? (wanted > -limit ? wanted : -limit) : limit);
}

void engine_steer(struct engine *e, struct instant now, struct effects *out)
{
    discipline_settle(&e->discipline, &e->ledger, now.mono);
    double wanted = discipline_rate(&e->discipline, now.mono);
    if (e->discipline.is_open) {
        /* The loop is open: whatever rate is in force is nobody's slew. */
        ledger_enter(&e->ledger, now.mono, e->ledger.rate, e->ledger.rate);
        return;
    }
    int64_t rate_q = engine_quantise(e, wanted);
    double rate = (double)rate_q * e->config.clock.rate_quantum;
    ledger_enter(&e->ledger, now.mono, rate, e->discipline.drift);
    if (rate_q != e->rate_q || !e->is_started) {
        e->rate_q = rate_q;
        e->is_started = true;
        out->todo |= EFFECT_CLOCK;
        out->clock.what |= CLOCK_RATE;
        out->clock.rate_q = rate_q;
    }
}

void engine_publish(struct engine *e, struct effects *out)
{
    system_view(&e->system, &e->config, POLL_MIN, &e->view);
    out->todo |= EFFECT_VIEW;
}

void engine_set_state(struct engine *e, enum system_state state, struct instant now,
                      const char *why)
{
    if (e->system.state == state) {
        return;
    }
    struct trace_record record = {.kind = TRACE_STATE};
    record.u.state.from = e->system.state;
    record.u.state.to = state;
    record.u.state.leap = e->system.leap;
    record.u.state.stratum = e->system.stratum;
    record.u.state.root_distance_s = system_distance_s(&e->system, now.mono);
    e->system.state = state;
    e->system.since = now.mono;
    engine_say(e, &record, now, e->leader, why);
}

static int8_t source_wanted_poll(const struct engine *e, const struct source *s)
{
    int poll = e->discipline.poll;
    if (s->reach == 0 && e->policy->asks_in_holdover && e->system.state != STATE_SYNCHRONISED) {
        /* Nobody answers: soon enough to notice its return, seldom enough to be no nuisance. */
        poll = s->unanswered < UNREACHABLE_POLLS && e->system.state == STATE_UNSYNCHRONISED
                   ? s->config->minpoll
                   : HOLDOVER_POLL;
    }
    poll = poll > s->config->maxpoll ? s->config->maxpoll : poll;
    return (int8_t)(poll < s->config->minpoll ? s->config->minpoll : poll);
}

void engine_spread_poll(struct engine *e, mono_time now)
{
    for (int i = 0; i < e->source_count; i++) {
        struct source *s = &e->sources[i];
        int8_t poll = source_wanted_poll(e, s);
        if (s->is_resolved && poll != s->hpoll) {
            bool sooner = poll < s->hpoll;
            s->hpoll = poll;
            if (sooner && s->burst_left == 0) {
                source_schedule(s, now);
            }
        }
    }
}

void engine_find_due(struct engine *e)
{
    struct due due = {.slew = discipline_wake(&e->discipline), .source = -1};
    due.look_up = e->resolution_count > 0 ? resolution_next(e) : MONO_NEVER;
    due.first = mono_earlier(due.slew, due.look_up);
    if (e->system.state == STATE_HOLDOVER) {
        due.first = mono_earlier(due.first, system_holdover_end(&e->system, &e->config));
    }
    mono_time poll = MONO_NEVER;
    for (int i = 0; i < e->source_count; i++) {
        if (mono_before(e->sources[i].next_poll, poll)) {
            poll = e->sources[i].next_poll;
            due.source = i;
        }
    }
    due.first = mono_earlier(due.first, poll);
    e->due = due;
}

static void effects_clear(struct effects *out)
{
    out->todo = 0;
    out->wake = MONO_NEVER;
    out->clock = (struct clock_command){0};
    out->resolve_association = 0;
    out->send.size = 0;
    out->send.request = 0;
}

/* When to be called again: at once, or when the next thing is due. */
static mono_time engine_wake(const struct engine *e, mono_time now)
{
    return !e->is_started || e->needs_selection || e->needs_leap ? now : e->due.first;
}

/* Ends a verb after which all is due when it was before. The contract's promises about
 * ourselves. */
static void effects_end(const struct engine *e, struct instant now, struct effects *out)
{
    out->wake = engine_wake(e, now.mono);
    if (out->todo & EFFECT_CLOCK) {
        bool steps = out->clock.what & CLOCK_STEP;
        assert(!steps || !(out->todo & EFFECT_SEND));
        assert(!steps || (out->clock.what & CLOCK_RATE));
        assert(out->clock.rate_q <= e->config.clock.rate_max_q &&
               out->clock.rate_q >= -e->config.clock.rate_max_q);
    }
    assert(!(out->todo & EFFECT_SEND) || out->send.size >= PACKET_HEADER_SIZE);
}

/* Ends a verb that can have changed what is due. */
static void effects_finish(struct engine *e, struct instant now, struct effects *out)
{
    engine_find_due(e);
    effects_end(e, now, out);
}

static void engine_tell_reach(struct engine *e, int source, struct instant now, const char *why)
{
    struct trace_record record = {.kind = TRACE_REACH};
    record.u.reach.reach = e->sources[source].reach;
    record.u.reach.is_reachable = e->sources[source].reach != 0;
    engine_say(e, &record, now, source, why);
}

/* Why a source that was asked eight times has been of no use from the start; NULL when it has told
 * that itself. */
static const char *engine_why_useless(const struct source *s)
{
    if (s->is_denied) {
        return NULL;
    }
    if (s->flash != 0) {
        return "eight polls and no answer that is accepted";
    }
    return s->pmode != 0
               ? "eight polls, and its answers say that it has no time itself"
               : "eight polls and never an answer: a wrong address, no NTP server there, or a "
                 "firewall that drops UDP port 123";
}

/* A poll that nobody answered gives policies after the RFC a sample worth nothing. */
static void source_drain(struct engine *e, struct source *s, mono_time now)
{
    if (e->policy->drains_filter && source_is_late(s) && s->filter.has_used) {
        struct filter_sample nothing = {.at = now,
                                        .delay_s = DISPERSION_MAX_S,
                                        .dispersion_s = DISPERSION_MAX_S,
                                        .slewed_s = ledger_slewed_s(&e->ledger, now)};
        struct filter_terms terms = {.tolerance = e->config.tinker.dispersion,
                                     .precision_s = power_of_two(e->config.clock.precision),
                                     .allan_s = power_of_two(e->config.tinker.allan_log2s),
                                     .maxdist_s = engine_maxdist_s(e),
                                     .poll_s = power_of_two(s->hpoll)};
        (void)filter_add(&s->filter, &nothing, &terms, nothing.slewed_s, now);
    }
}

static void engine_poll(struct engine *e, int source, struct instant now, struct effects *out)
{
    struct source *s = &e->sources[source];
    bool was_reachable = s->reach != 0;
    uint8_t was_unanswered = s->unanswered;
    struct source_terms terms = engine_source_terms(e, now.mono);
    source_transmit(s, &terms, &e->view, &e->random, ++e->requests, now, &out->send);
    if (s->config->key != 0) {
        const struct key *key = key_find(&e->config.keys, s->config->key);
        if (key) {
            out->send.size =
                (uint16_t)(out->send.size + auth_append(key, out->send.bytes, out->send.size));
        }
    }
    out->todo |= EFFECT_SEND;
    e->counters.sent++;
    source_drain(e, s, now.mono);
    if (was_reachable && s->reach == 0) {
        engine_tell_reach(e, source, now, "eight polls unanswered");
        s->hpoll = source_wanted_poll(e, s);
    } else if (s->reach == 0 && was_unanswered < UNREACHABLE_POLLS &&
               s->unanswered == UNREACHABLE_POLLS && engine_why_useless(s)) {
        engine_tell_reach(e, source, now, engine_why_useless(s));
    }
    bool is_lost = s->reach == 0 && s->unanswered >= UNREACHABLE_POLLS;
    if (is_lost) {
        s->hpoll = source_wanted_poll(e, s);
    }
    source_schedule(s, now.mono);
    if (is_lost) {
        resolution_source_lost(e, s, now.mono); /* an alternate is asked at once */
    }
    if (source == e->leader && (s->reach == 0 || source_is_late(s))) {
        e->needs_selection = true;
    }
}

static void engine_end_holdover(struct engine *e, struct instant now, struct effects *out)
{
    double limit_s = e->config.tos.holdover_s;
    bool is_long = limit_s > 0.0 && mono_diff_s(now.mono, e->system.since) >= limit_s;
    system_remember(&e->system, now.mono);
    system_unsynchronise(&e->system);
    engine_set_state(e, STATE_UNSYNCHRONISED, now,
                     is_long ? "holdover is over: it has lasted as long as tos holdover allows"
                             : "holdover is over: the bound is too wide");
    engine_spread_poll(e, now.mono);
    engine_publish(e, out);
    e->needs_selection = true; /* without a bound of my own any fit source has a vote again */
}

/* The next piece of slew, and what else is looked at once a poll interval. */
static void engine_tend_clock(struct engine *e, struct instant now, struct effects *out)
{
    engine_steer(e, now, out);
    out->todo |= EFFECT_CLOCK;
    out->clock.what |= CLOCK_STATUS;
    engine_revise_leap(e, now, out);
    /* Distances grow while nothing is heard: the leader may have become unfit by itself. */
    e->needs_selection = e->needs_selection || (e->system.state == STATE_SYNCHRONISED &&
                                                !engine_leader_is_fit(e, now.mono));
}

void engine_expire(struct engine *e, struct instant now, struct effects *out)
{
    int source = e->due.source;
    effects_clear(out);
    if (!e->is_started) {
        engine_steer(e, now, out);
        e->is_started = true;
        e->discipline.is_open = e->discipline.is_open || discipline_stays_open(&e->config);
    } else if (!mono_before(now.mono, e->due.slew)) {
        engine_tend_clock(e, now, out);
    } else if (system_holdover_ends(&e->system, &e->config, now.mono)) {
        engine_end_holdover(e, now, out);
    } else if (e->needs_selection) {
        engine_mitigate(e, now, out);
    } else if (e->needs_leap) {
        engine_revise_leap(e, now, out);
    } else if (!mono_before(now.mono, e->due.look_up)) {
        resolution_expire(e, now, out);
    } else if (source >= 0 && !mono_before(now.mono, e->sources[source].next_poll)) {
        if (discipline_may_renew(&e->discipline, now.mono)) {
            engine_tend_clock(e, now, out);
        }
        if (!e->needs_selection) { /* it comes first, so that the question tells what it leads to */
            engine_poll(e, source, now, out);
        }
    }
    effects_finish(e, now, out);
}

static void engine_count(struct engine_counters *counters, const struct datagram *in,
                         enum packet_verdict verdict)
{
    counters->received++;
    if (verdict == PACKET_CONTROL) {
        counters->declined++;
    } else if (verdict != PACKET_OK) {
        counters->malformed++;
    }
    if (in->size > 0 && (in->bytes[0] >> 3 & 7) == 4) {
        counters->version_4++;
    } else if (in->size > 0) {
        counters->version_older++;
    }
}

void engine_receive(struct engine *e, struct instant now, const struct datagram *in,
                    struct effects *out)
{
    struct packet packet;
    effects_clear(out);
    enum packet_verdict verdict =
        in->truncated ? PACKET_SHORT : packet_parse(in->bytes, in->size, &packet);
    engine_count(&e->counters, in, verdict);
    if (verdict == PACKET_OK && engine_hear(e, now, in, &packet, out)) {
        effects_finish(e, now, out);
    } else {
        effects_end(e, now, out);
    }
}

void engine_sent(struct engine *e, struct instant now, uint32_t request, ntp_time stamp,
                 enum stamp_kind kind, const struct endpoint *peer, struct effects *out)
{
    effects_clear(out);
    for (int i = 0; i < e->source_count; i++) {
        struct source *s = &e->sources[i];
        bool is_it = s->request == request && /* of a symmetric one it is always 0 */
                     (request != 0 || (source_is_symmetric(s) && s->is_resolved &&
                                       address_equal(&s->peer.address, &peer->address)));
        if (is_it && s->exchange.is_outstanding && kind != STAMP_NOT_SENT) {
            s->exchange.sent_stamp = stamp;
        }
    }
    effects_end(e, now, out);
}

void engine_resolved(struct engine *e, struct instant now, uint16_t association,
                     const struct endpoint *addresses, size_t n, struct effects *out)
{
    effects_clear(out);
    resolution_answer(e, now, association, addresses, n);
    effects_finish(e, now, out);
}

/* Samples and questions that span a change made by others say nothing any more. */
static void engine_void(struct engine *e, struct instant now)
{
    for (int i = 0; i < e->source_count; i++) {
        source_stepped(&e->sources[i], now.mono);
    }
    e->system.has_updated = false;
    e->has_stepped = true;
    e->stepped_at = now.mono;
}

/* The leap second has happened, here and at everybody else's: only what spans it is void. */
static void engine_leap(struct engine *e, struct instant now)
{
    for (int i = 0; i < e->source_count; i++) {
        source_leapt(&e->sources[i]);
    }
    e->has_stepped = true;
    e->stepped_at = now.mono;
    e->armed_leap = LEAP_NONE;
    e->has_leapt = true;
    e->leapt_at = now.mono;
    if (e->system.leap != LEAP_UNKNOWN) {
        e->system.leap = LEAP_NONE; /* announced until it happened, and no longer */
    }
}

void engine_clock_event(struct engine *e, struct instant now, enum clock_event event,
                        double amount_s, struct effects *out)
{
    effects_clear(out);
    struct trace_record record = {.kind = TRACE_CLOCK};
    record.u.clock.amount_s = amount_s;
    discipline_settle(&e->discipline, &e->ledger, now.mono);
    switch (event) {
    case CLOCK_REFUSED:
        e->refused++;
        if (!e->discipline.is_open) {
            engine_say(e, &record, now, -1, "the clock cannot be steered");
        }
        e->discipline.is_open = true;
        ledger_enter(&e->ledger, now.mono, 0.0, 0.0);
        break;
    case CLOCK_STEPPED:
        engine_say(e, &record, now, -1, "stepped by others");
        engine_void(e, now);
        system_widen(&e->system, amount_s, now.mono);
        engine_publish(e, out);
        break;
    case CLOCK_RATED:
        engine_say(e, &record, now, -1, "rate changed by others");
        ledger_enter(&e->ledger, now.mono, e->ledger.rate + amount_s, e->ledger.drift);
        e->rate_q = INT64_MIN; /* whatever comes next is a change */
        break;
    case CLOCK_RESUMED:
        engine_say(e, &record, now, -1, "resumed");
        engine_void(e, now);
        system_widen(&e->system, amount_s * FREQUENCY_MAX, now.mono);
        engine_publish(e, out);
        break;
    case CLOCK_LEAPT:
        engine_say(e, &record, now, -1, "leap second");
        engine_leap(e, now);
        engine_publish(e, out);
        break;
    }
    effects_finish(e, now, out);
}
