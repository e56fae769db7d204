/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an engine keeps between verbs, so that it needs not be found for each of them: the harnesses
 * find it anew after every verb and compare. An engine that forgets to look again where something
 * has changed would poll late, or judge an answer by what held before. Leaves the engine as it was.
 */
#ifndef HOLDFAST_INVARIANTS_CHECK_H
#define HOLDFAST_INVARIANTS_CHECK_H

#include "../engine/engine_state.h"
#include "check.h"

/* Counts as an assertion only where it fails: the harnesses ask millions of times. */
static inline void invariant_same(long long kept, long long anew, const char *what)
{
    if (kept != anew) {
        check_integer(kept, anew, what, __FILE__, __LINE__);
    }
}

/* When the next thing is due, and what it is. */
static inline void invariant_due(struct engine *e)
{
    const struct due kept = e->due;
    engine_find_due(e);
    const struct due anew = e->due;
    e->due = kept;
    invariant_same(kept.first.ticks, anew.first.ticks, "kept e->due.first");
    invariant_same(kept.slew.ticks, anew.slew.ticks, "kept e->due.slew");
    invariant_same(kept.look_up.ticks, anew.look_up.ticks, "kept e->due.look_up");
    invariant_same(kept.source, anew.source, "kept e->due.source");
}

/* What the configuration says of a source's address and reference id. A peer's packets are judged
 * by the address and port they come from, so that what is noted of its address is of no use. */
static inline void invariant_note(const struct engine *e, struct source *s)
{
    const bool kept_follows_me = s->follows_me;
    const uint16_t kept_access = s->access;
    engine_note_source(e, s);
    const bool anew_follows_me = s->follows_me;
    const uint16_t anew_access = s->access;
    s->follows_me = kept_follows_me;
    s->access = kept_access;
    invariant_same(kept_follows_me, anew_follows_me, "kept s->follows_me");
    if (!source_is_symmetric(s)) {
        invariant_same(kept_access, anew_access, "kept s->access");
    }
}

/* To be called after every verb, engine_adopt() included; but engine_init() finds nothing yet,
 * because the first engine_expire() is called at once. */
static inline void invariants_check(struct engine *e)
{
    invariant_due(e);
    for (int i = 0; i < e->source_count; i++) {
        if (e->sources[i].is_resolved) {
            invariant_note(e, &e->sources[i]);
        }
    }
}

#endif
