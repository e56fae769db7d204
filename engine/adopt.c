/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A running engine under another configuration: see engine_adopt() in engine.h.
 *
 * The rule: what was learnt stays as long as it could have been learnt under the new configuration
 * too, and nothing else does. Sends nothing and commands no clock: what has to follow is done by
 * the next engine_expire().
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "engine_state.h"

struct adoption {
    struct engine *e;
    const struct engine *old;
    struct instant now;
    bool is_taken[ASSOCIATIONS_MAX]; /* associations of the old configuration that go on */
    int leader;                      /* the old one's index in the new engine, -1 = none */
    bool has_other_sources;
};

/* ---- what is the same ----------------------------------------------------------------------- */

static bool is_same_key(const struct engine_config *a, const struct engine_config *b, uint32_t id)
{
    const struct key *x = key_find(&a->keys, id), *y = key_find(&b->keys, id);
    if (!x || !y) {
        return x == y;
    }
    bool same =
        x->type == y->type && x->is_trusted == y->is_trusted && x->secret_size == y->secret_size &&
        memcmp(x->secret, y->secret, x->secret_size) == 0 && x->address_count == y->address_count;
    for (unsigned i = 0; same && i < x->address_count; i++) {
        same = x->addresses[i].prefix == y->addresses[i].prefix &&
               address_equal(&x->addresses[i].address, &y->addresses[i].address);
    }
    return same;
}

static bool is_same_association(const struct association_config *a,
                                const struct association_config *b)
{
    size_t length = strlen(a->name);
    return a->kind == b->kind && length == strlen(b->name) &&
           memcmp(a->name, b->name, length) == 0 && a->is_numeric == b->is_numeric &&
           address_equal(&a->address, &b->address) && a->minpoll == b->minpoll &&
           a->maxpoll == b->maxpoll && a->iburst == b->iburst && a->burst == b->burst &&
           a->prefer == b->prefer && a->noselect == b->noselect && a->is_true == b->is_true &&
           a->version == b->version && a->key == b->key;
}

/* The old association that goes on as this one; -1 = none. */
static int find_former(const struct adoption *a, const struct association_config *config)
{
    const struct engine_config *former = &a->old->config;
    if (config->key != 0 && !is_same_key(&a->e->config, former, config->key)) {
        return -1;
    }
    for (size_t i = 0; i < former->association_count; i++) {
        if (!a->is_taken[i] && is_same_association(config, &former->associations[i])) {
            return (int)i;
        }
    }
    return -1;
}

static bool is_same_own(const struct engine_config *a, const struct engine_config *b)
{
    bool same = a->own_count == b->own_count;
    for (size_t i = 0; same && i < a->own_count; i++) {
        same = address_equal(&a->own[i], &b->own[i]);
    }
    return same;
}

/* Sources are judged by the same rules. */
static bool is_same_judgement(const struct engine_config *a, const struct engine_config *b)
{
    return a->policy == b->policy && system_maxdist_s(a) == system_maxdist_s(b) &&
           a->tos.mindist_s == b->tos.mindist_s && a->tos.minclock == b->tos.minclock &&
           a->tos.minsane == b->tos.minsane && a->tos.floor == b->tos.floor &&
           a->tos.ceiling == b->tos.ceiling && a->tinker.dispersion == b->tinker.dispersion &&
           is_same_own(a, b);
}

/* ---- sources -------------------------------------------------------------------------------- */

static uint16_t first_source_of(const struct engine_config *config, int association)
{
    uint16_t first = 0;
    for (int i = 0; i < association; i++) {
        first = (uint16_t)(first + engine_sources_of(&config->associations[i]));
    }
    return first;
}

/* The address may be asked and listened to. */
static bool may_have(const struct engine *e, const struct source *s)
{
    const struct engine_config *config = &e->config;
    const struct address *address = &s->peer.address;
    if (!s->is_resolved) {
        return true;
    }
    for (size_t i = 0; i < config->own_count; i++) {
        if (address_equal(&config->own[i], address)) {
            return false;
        }
    }
    /* A line that names the address itself has it; one server is not two sources. */
    for (size_t i = 0; !s->config->is_numeric && i < config->association_count; i++) {
        const struct association_config *other = &config->associations[i];
        if (other->is_numeric && address_equal(&other->address, address)) {
            return false;
        }
    }
    return engine_hears(e, s);
}

/* Moves one source; false when it has to start anew. */
static bool move_source(struct adoption *a, uint16_t to, uint16_t from, uint16_t association)
{
    struct source *s = &a->e->sources[to];
    *s = a->old->sources[from];
    s->config = &a->e->config.associations[association];
    s->association = association;
    s->family = association;
    engine_note_source(a->e, s);
    /* What was forbidden before and answers nothing has nothing to lose. */
    if (!may_have(a->e, s) && may_have(a->old, &a->old->sources[from])) {
        return false;
    }
    if (a->old->leader == from) {
        a->leader = to;
    }
    return true;
}

/* Of a peer whose line is another one now, but whose key is not: what was accepted of it stays the
 * least that will be, or its packets of long ago would be good once more. */
static void keep_newest(const struct adoption *a, struct source *s)
{
    for (int i = 0; i < a->old->source_count; i++) {
        const struct source *former = &a->old->sources[i];
        if (source_is_symmetric(s) && s->is_resolved && source_is_symmetric(former) &&
            former->is_resolved && address_equal(&former->peer.address, &s->peer.address) &&
            former->config->key == s->config->key &&
            is_same_key(&a->e->config, &a->old->config, s->config->key)) {
            s->exchange.newest = former->exchange.newest;
            s->exchange.has_newest = former->exchange.has_newest;
        }
    }
}

static const struct resolution *find_resolution(const struct engine *e, int association)
{
    for (int i = 0; i < e->resolution_count; i++) {
        if (e->resolutions[i].association == association) {
            return &e->resolutions[i];
        }
    }
    return NULL;
}

/* The addresses of the name go on, and when to ask again: at once when one of them cannot. A
 * look-up under way is asked once more, since its answer would name an association of the old
 * configuration. */
static void move_resolution(const struct adoption *a, struct resolution *r, uint16_t association,
                            uint16_t first, int former, bool moved)
{
    const struct resolution *from = find_resolution(a->old, former);
    assert(from);
    *r = *from;
    r->association = association;
    r->first_source = first;
    r->is_pending = false;
    if (!moved) {
        r->due = a->now.mono;
        r->backoff_log2s = RESOLVE_MIN_LOG2S;
    }
}

/* Those of an association that goes on; false when one of them has to start anew. That of a numeric
 * line does so as the whole association does, which is the caller's business. */
static bool move_sources(struct adoption *a, uint16_t association, uint16_t first, int former)
{
    const struct association_config *config = &a->e->config.associations[association];
    uint16_t from = first_source_of(&a->old->config, former);
    bool moved = true;
    a->is_taken[former] = true;
    for (uint16_t i = 0; i < engine_sources_of(config); i++) {
        if (!move_source(a, (uint16_t)(first + i), (uint16_t)(from + i), association)) {
            moved = false;
            if (!config->is_numeric) {
                source_init(&a->e->sources[first + i], config, association, a->now.mono);
            }
        }
    }
    return moved;
}

static void adopt_association(struct adoption *a, uint16_t association, uint16_t first,
                              struct resolution *resolution)
{
    const struct association_config *config = &a->e->config.associations[association];
    int former = find_former(a, config);
    bool moved = former >= 0;
    if (former >= 0) {
        moved = move_sources(a, association, first, former);
        if (!config->is_numeric) {
            move_resolution(a, resolution, association, first, former, moved);
        }
    }
    if (former < 0 || (!moved && config->is_numeric)) {
        engine_begin_association(a->e, association, first, resolution, a->now.mono);
        keep_newest(a, &a->e->sources[first]);
    }
    a->has_other_sources = a->has_other_sources || !moved;
}

static void adopt_sources(struct adoption *a)
{
    const struct engine_config *config = &a->e->config;
    struct resolution *resolution = a->e->resolutions;
    uint16_t first = 0;
    for (uint16_t i = 0; i < config->association_count; i++) {
        adopt_association(a, i, first, resolution);
        first = (uint16_t)(first + engine_sources_of(&config->associations[i]));
        resolution += config->associations[i].is_numeric ? 0 : 1;
    }
    for (size_t i = 0; i < a->old->config.association_count; i++) {
        a->has_other_sources = a->has_other_sources || !a->is_taken[i];
    }
}

static void adopt_leader(struct adoption *a)
{
    struct engine *e = a->e;
    bool is_lost = a->leader < 0 && a->old->leader >= 0;
    e->leader = a->leader;
    if (is_lost) {
        struct trace_record record = {.kind = TRACE_LEADER};
        record.u.leader.before = -1;
        engine_say(e, &record, a->now, -1, "no longer configured as it was");
    }
    e->needs_selection = e->needs_selection || a->has_other_sources ||
                         !is_same_judgement(&e->config, &a->old->config);
}

/* ---- clock and claims ----------------------------------------------------------------------- */

static void poll_range_of(const struct engine_config *config, int8_t *low, int8_t *high)
{
    *low = POLL_MAX;
    *high = POLL_MIN;
    for (size_t i = 0; i < config->association_count; i++) {
        const struct association_config *a = &config->associations[i];
        *low = a->minpoll < *low ? a->minpoll : *low;
        *high = a->maxpoll > *high ? a->maxpoll : *high;
    }
}

/* The system's poll exponent within what the new lines allow; survivors narrow it later. */
static void adopt_poll(const struct adoption *a)
{
    struct engine *e = a->e;
    int8_t low, high, former_low, former_high;
    poll_range_of(&e->config, &low, &high);
    poll_range_of(&a->old->config, &former_low, &former_high);
    bool is_same = low == former_low && high == former_high;
    if (!is_same && low <= high) {
        discipline_poll_range(&e->discipline, low, high);
    }
    if (!is_same || e->policy != a->old->policy) {
        engine_spread_poll(e, a->now.mono);
    }
}

/* The loop is opened or closed by a line, or the clock is told of in other units. The next expire
 * commands a rate in any case: the drift alone when the loop opens. */
static void adopt_clock(const struct adoption *a)
{
    struct engine *e = a->e;
    struct discipline *d = &e->discipline;
    bool was_open = discipline_stays_open(&a->old->config);
    bool is_open = discipline_stays_open(&e->config);
    bool is_same_clock = e->config.clock.rate_quantum == a->old->config.clock.rate_quantum &&
                         e->config.clock.rate_max_q == a->old->config.clock.rate_max_q;
    if (is_open == was_open && (is_same_clock || d->is_open)) {
        return;
    }
    discipline_settle(d, &e->ledger, a->now.mono);
    if (is_open && !was_open) {
        d->residual_s = 0.0;
        d->is_open = d->is_open || !e->config.clock.can_steer;
    } else if (was_open && !is_open) {
        d->is_open = false;
        d->mind_gap = true; /* what others did meanwhile says nothing of the frequency */
    }
    e->rate_q = 0;
    e->is_started = false;
}

/* My bound goes on; from now on it grows as the new configuration says. */
static void adopt_claims(const struct adoption *a)
{
    struct engine *e = a->e;
    if (!isinf(system_distance_s(&e->system, a->now.mono)) &&
        (e->policy != a->old->policy ||
         e->config.tinker.dispersion != a->old->config.tinker.dispersion)) {
        system_widen(&e->system, 0.0, a->now.mono);
        e->system.dispersion_rate = engine_dispersion_rate(e);
    }
    e->needs_leap = e->needs_leap || !leap_list_equal(&e->config.leaps, &a->old->config.leaps);
    system_view(&e->system, &e->config, POLL_MIN, &e->view);
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* All that is not told by a configuration. */
static void take_over(struct engine *e, const struct engine *old)
{
    struct engine placed = *e;
    *e = *old;
    e->config = placed.config;
    e->policy = placed.policy;
    e->clients = placed.clients;
    e->sources = placed.sources;
    e->source_count = placed.source_count;
    e->resolutions = placed.resolutions;
    e->resolution_count = placed.resolution_count;
}

static void adopt_clients(struct engine *e, const struct engine *old)
{
    if (e->config.client_capacity != old->config.client_capacity) {
        engine_begin_clients(e);
    } else if (e->clients) {
        memcpy(e->clients, old->clients, clients_size(e->config.client_capacity));
    }
}

struct engine *engine_adopt(void *memory, const struct engine_config *config, struct engine *old,
                            struct instant now)
{
    struct engine *e = engine_place(memory, config);
    struct adoption a = {.e = e, .old = old, .now = now, .leader = -1};
    take_over(e, old);
    adopt_clients(e, old);
    adopt_sources(&a);
    adopt_leader(&a);
    adopt_clock(&a);
    adopt_poll(&a);
    adopt_claims(&a);
    engine_find_due(e);
    return e;
}
