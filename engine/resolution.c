/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names: when to have one looked up, and what to do with the addresses (behaviour section 1). The
 * look-up itself is the host's.
 */
#include <assert.h>
#include <math.h>

#include "engine_state.h"

mono_time resolution_next(const struct engine *e)
{
    mono_time next = MONO_NEVER;
    for (int i = 0; i < e->resolution_count; i++) {
        if (!e->resolutions[i].is_pending) {
            next = mono_earlier(next, e->resolutions[i].due);
        }
    }
    return next;
}

void resolution_expire(struct engine *e, struct instant now, struct effects *out)
{
    for (int i = 0; i < e->resolution_count; i++) {
        struct resolution *r = &e->resolutions[i];
        if (!r->is_pending && !mono_before(now.mono, r->due)) {
            r->is_pending = true;
            out->todo |= EFFECT_RESOLVE;
            out->resolve_association = r->association;
            return;
        }
    }
    assert(false);
}

static void resolution_retry(struct resolution *r, mono_time now)
{
    r->due = mono_add_s(now, power_of_two(r->backoff_log2s));
    if (r->backoff_log2s < RESOLVE_MAX_LOG2S) {
        r->backoff_log2s++;
    }
}

/* An address that a more specific restrict line forbids is skipped, and so is one in use, or
 * mine. */
static bool resolution_may_use(const struct engine *e, const struct endpoint *address)
{
    struct access_decision d = access_check(&e->config.access, address);
    if (!d.is_default && (d.flags & (ACCESS_IGNORE | ACCESS_NOSERVE))) {
        return false;
    }
    for (size_t i = 0; i < e->config.own_count; i++) {
        if (address_equal(&e->config.own[i], &address->address)) {
            return false;
        }
    }
    for (int i = 0; i < e->source_count; i++) {
        if (e->sources[i].is_resolved &&
            address_equal(&e->sources[i].peer.address, &address->address)) {
            return false;
        }
    }
    return true;
}

/* Gives the source the first address that may be used; false when there is none. */
static bool resolution_give(struct engine *e, struct resolution *r, struct source *s, mono_time now)
{
    for (unsigned tried = 0; tried < r->alternates; tried++) {
        const struct endpoint *address = &r->addresses[r->next_alternate];
        r->next_alternate = (uint8_t)((r->next_alternate + 1) % r->alternates);
        if (resolution_may_use(e, address)) {
            source_assign(s, address, now);
            engine_note_source(e, s);
            s->probation = e->system.state == STATE_HOLDOVER ? PROBATION_POLLS : 0;
            s->next_poll = mono_add_s(now, 0.5 + random_byte(&e->random) / 64.0);
            return true;
        }
    }
    return false;
}

void resolution_answer(struct engine *e, struct instant now, uint16_t association,
                       const struct endpoint *addresses, size_t n)
{
    for (int i = 0; i < e->resolution_count; i++) {
        struct resolution *r = &e->resolutions[i];
        if (r->association != association || !r->is_pending) {
            continue;
        }
        r->is_pending = false;
        r->due = MONO_NEVER;
        if (n > 0) {
            r->alternates = (uint8_t)(n > ALTERNATES_MAX ? ALTERNATES_MAX : n);
            r->next_alternate = 0;
            for (unsigned a = 0; a < r->alternates; a++) {
                r->addresses[a] = addresses[a];
            }
        }
        bool is_complete = true, has_lost = false;
        for (int k = 0; k < r->source_count; k++) {
            struct source *s = &e->sources[r->first_source + k];
            bool is_lost = s->reach == 0 && s->unanswered >= UNREACHABLE_POLLS;
            if (n > 0 && (!s->is_resolved || is_lost)) {
                is_lost = !resolution_give(e, r, s, now.mono);
            }
            has_lost = has_lost || is_lost;
            is_complete = is_complete && s->is_resolved;
        }
        if (!is_complete) {
            resolution_retry(r, now.mono);
        } else if (!has_lost) {
            r->backoff_log2s = RESOLVE_MIN_LOG2S; /* the next loss begins anew */
        }
    }
}

void resolution_source_lost(struct engine *e, struct source *s, mono_time now)
{
    for (int i = 0; i < e->resolution_count; i++) {
        struct resolution *r = &e->resolutions[i];
        if (r->association != s->association || r->is_pending) {
            continue;
        }
        if (s->unanswered == UNREACHABLE_POLLS) {
            r->backoff_log2s =
                RESOLVE_MIN_LOG2S; /* a new loss waits for no look-up of an old one */
            r->due = MONO_NEVER;
        }
        if (r->due.ticks != MONO_NEVER.ticks) {
            continue;
        }
        /* An alternate that nobody uses at once; a new look-up in any case. */
        if (r->source_count == 1 && r->alternates > 1) {
            (void)resolution_give(e, r, s, now);
        }
        resolution_retry(r, now);
    }
}
