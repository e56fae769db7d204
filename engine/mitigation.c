/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From samples to the clock: which sources are fit, whom to follow, what to claim (RFC 5905 11,
 * behaviour sections 2 and 3). The algorithms are in select.c, group.c and discipline.c; here is
 * their order.
 */
#include <assert.h>
#include <math.h>

#include "engine_state.h"
#include "select.h"

unsigned engine_source_fault(const struct engine *e, const struct source *s, mono_time now)
{
    if (!s->is_resolved || s->reach == 0 || s->is_denied || s->config->noselect ||
        s->probation > 0) {
        return FLASH_UNREACHABLE;
    }
    if (s->leap == LEAP_UNKNOWN || s->stratum < e->config.tos.floor ||
        s->stratum >= e->config.tos.ceiling || s->stratum + 1 >= STRATUM_MAX) {
        return FLASH_STRATUM;
    }
    if (s->stratum > 1 && s->follows_me && !s->is_member) {
        return FLASH_LOOP;
    }
    double tolerance = e->config.tinker.dispersion;
    bool is_near = source_distance_s(s, tolerance, now) <
                   engine_maxdist_s(e) + tolerance * power_of_two(s->hpoll);
    return is_near ? 0 : FLASH_DISTANCE;
}

/* The tests of a source before it may be a candidate. */
static bool source_is_fit(const struct engine *e, const struct source *s, mono_time now)
{
    return engine_source_fault(e, s, now) == 0;
}

bool engine_leader_is_fit(const struct engine *e, mono_time now)
{
    return e->leader >= 0 && source_is_fit(e, &e->sources[e->leader], now);
}

/* May it be followed, may it only vote, or neither? False for neither. */
static bool source_is_candidate(const struct engine *e, const struct source *s, mono_time now,
                                bool *may_lead)
{
    *may_lead = true;
    if (!source_is_fit(e, s, now)) {
        return false;
    }
    if (!s->is_member) {
        return true;
    }
    if (!e->policy->minds_group) {
        return s->stratum <= 1 || !s->follows_me;
    }
    double limit_s = system_group_limit_s(&e->system, &e->config, now);
    *may_lead = group_is_eligible(s, &e->config, limit_s, now);
    return *may_lead || group_is_independent(s, &e->config, e->sources, e->source_count);
}

static int mitigation_candidates(struct engine *e, struct candidate *candidates, mono_time now)
{
    double slewed = ledger_slewed_s(&e->ledger, now);
    int count = 0;
    for (int i = 0; i < e->source_count; i++) {
        struct source *s = &e->sources[i];
        bool may_lead;
        s->selection = SELECT_REJECT;
        if (count >= ASSOCIATIONS_MAX || !source_is_candidate(e, s, now, &may_lead)) {
            continue;
        }
        candidates[count++] = (struct candidate){
            .source = i,
            .offset_s = filter_offset_s(&s->filter, slewed),
            .distance_s = source_distance_s(s, e->config.tinker.dispersion, now),
            .jitter_s = s->filter.jitter_s,
            .stratum = s->stratum,
            .family = s->is_member ? UINT16_MAX : s->family,
            .may_lead = may_lead,
            .is_member = s->is_member,
            .is_late = e->policy->fails_fast && source_is_late(s),
            .is_true = s->config->is_true,
            .is_preferred = s->config->prefer,
        };
    }
    return count;
}

/* In holdover, at fail-over and towards a leader of the group my own interval has a vote. */
static bool mitigation_own_votes(const struct engine *e, mono_time now)
{
    if (!e->policy->own_bound_votes || isinf(system_distance_s(&e->system, now))) {
        return false;
    }
    if (e->system.state == STATE_HOLDOVER || e->leader < 0) {
        return true;
    }
    const struct source *leader = &e->sources[e->leader];
    return leader->is_member || source_is_late(leader) || !source_is_fit(e, leader, now);
}

static void mitigation_tell_dispute(struct engine *e, const struct candidate *candidates, int count,
                                    double bound_s, struct instant now)
{
    for (int i = 0; i < count; i++) {
        const struct candidate *c = &candidates[i];
        if (fabs(c->offset_s) > c->distance_s + bound_s) {
            struct trace_record record = {.kind = TRACE_DISPUTE};
            record.u.dispute.offset_s = c->offset_s;
            record.u.dispute.bound_s = bound_s;
            engine_say(e, &record, now, c->source, "contradicts my own bound");
        }
    }
}

static enum select_verdict mitigation_select(struct engine *e, struct candidate *candidates,
                                             int count, struct selection_result *result,
                                             struct instant now)
{
    struct select_terms terms = {
        .minclock = e->config.tos.minclock,
        .minsane = e->config.tos.minsane,
        .mindist_s = e->config.tos.mindist_s,
        .maxdist_s = engine_maxdist_s(e),
        .own_votes = mitigation_own_votes(e, now.mono),
        .own_distance_s = system_distance_s(&e->system, now.mono),
    };
    enum select_verdict verdict = select_candidates(candidates, count, &terms, result);
    if (verdict == SELECT_NO_MAJORITY && !terms.own_votes && e->policy->own_bound_votes &&
        !isinf(terms.own_distance_s)) {
        /* Without a majority I am in holdover, and there my own interval has a vote. */
        terms.own_votes = true;
        verdict = select_candidates(candidates, count, &terms, result);
    }
    if (terms.own_votes && (verdict == SELECT_NO_MAJORITY || verdict == SELECT_DISPUTED)) {
        mitigation_tell_dispute(e, candidates, count, terms.own_distance_s, now);
    }
    return verdict;
}

static void mitigation_mark(struct engine *e, const struct candidate *candidates, int count,
                            int leader)
{
    for (int i = 0; i < count; i++) {
        const struct candidate *c = &candidates[i];
        e->sources[c->source].selection = (uint8_t)(i == leader         ? SELECT_SYSTEM_PEER
                                                    : c->is_survivor    ? SELECT_CANDIDATE
                                                    : !c->is_truechimer ? SELECT_FALSETICK
                                                    : c->may_lead       ? SELECT_OUTLIER
                                                                        : SELECT_EXCESS);
    }
}

/* Keep the present leader while that costs little: hopping between equals adds noise, and in a
 * group it would make members change sides together. */
static int mitigation_leader(const struct engine *e, const struct candidate *candidates, int count,
                             int best, mono_time now)
{
    for (int i = 0; i < count; i++) {
        const struct candidate *c = &candidates[i];
        const struct candidate *b = &candidates[best];
        if (c->source != e->leader || !c->is_survivor || i == best) {
            continue;
        }
        if ((b->is_preferred && !c->is_preferred) || (c->is_late && !b->is_late)) {
            return best;
        }
        if (c->is_member && b->is_member && e->policy->minds_group) {
            double tolerance = e->config.tinker.dispersion;
            double mine = group_member_distance_s(&e->sources[c->source], tolerance, now);
            double other = group_member_distance_s(&e->sources[b->source], tolerance, now);
            return other < mine - LEADER_HYSTERESIS_S ? best : i;
        }
        return c->stratum <= b->stratum ? i : best;
    }
    return best;
}

static void mitigation_set_leader(struct engine *e, int leader, struct instant now, const char *why)
{
    if (leader == e->leader) {
        return;
    }
    struct trace_record record = {.kind = TRACE_LEADER};
    record.u.leader.before = e->leader;
    record.u.leader.refid = leader >= 0 ? address_refid(&e->sources[leader].peer.address) : 0;
    e->leader = leader;
    engine_say(e, &record, now, leader, why);
}

/* No fit and eligible source is left, or none that a majority supports. */
static void mitigation_lose(struct engine *e, struct instant now, const char *why,
                            struct effects *out)
{
    mitigation_set_leader(e, -1, now, why);
    if (e->system.state != STATE_SYNCHRONISED) {
        return;
    }
    int8_t poll = e->policy->asks_in_holdover ? HOLDOVER_POLL : POLL_MAX;
    system_hold(&e->system);
    engine_set_state(e, STATE_HOLDOVER, now, why);
    discipline_hold(&e->discipline, poll);
    engine_spread_poll(e, now.mono);
    engine_publish(e, out);
}

static void mitigation_poll_range(struct engine *e, const struct candidate *candidates, int count)
{
    int low = POLL_MAX, high = POLL_MIN;
    for (int i = 0; i < count; i++) {
        if (candidates[i].is_survivor) {
            const struct association_config *a = e->sources[candidates[i].source].config;
            low = a->minpoll < low ? a->minpoll : low;
            high = a->maxpoll > high ? a->maxpoll : high;
        }
    }
    discipline_poll_range(&e->discipline, (int8_t)low, (int8_t)high);
}

/* What most survivors announce. */
static uint8_t mitigation_vote(const struct engine *e, const struct candidate *candidates,
                               int count)
{
    int votes[LEAP_UNKNOWN + 1] = {0};
    int survivors = 0;
    for (int i = 0; i < count; i++) {
        if (candidates[i].is_survivor) {
            votes[e->sources[candidates[i].source].leap & LEAP_UNKNOWN]++;
            survivors++;
        }
    }
    return 2 * votes[LEAP_INSERT] > survivors   ? LEAP_INSERT
           : 2 * votes[LEAP_DELETE] > survivors ? LEAP_DELETE
                                                : LEAP_NONE;
}

/* What to announce (behaviour section 5), on the last day of a month only: what the list says, else
 * what was voted. An armed leap second happens at midnight by the host's clock; until that is told,
 * a moment later, nobody must disarm it. One that has happened is not announced again, although an
 * inserted one shows the day's last second twice. */
static uint8_t mitigation_leap_of(const struct engine *e, uint8_t voted, struct instant now)
{
    if (e->has_leapt && mono_diff_s(now.mono, e->leapt_at) < LEAP_DAY_S) {
        return LEAP_NONE;
    }
    if (system_is_leap_day(now.clock)) {
        return leap_list_is_valid(&e->config.leaps, now.clock)
                   ? leap_list_today(&e->config.leaps, now.clock)
                   : voted;
    }
    bool may_be_due =
        e->armed_leap != LEAP_NONE && system_is_leap_day(ntp_add_s(now.clock, -LEAP_PASSED_S));
    return may_be_due ? e->armed_leap : LEAP_NONE;
}

static void mitigation_announce(struct engine *e, uint8_t leap, struct effects *out)
{
    if (e->system.leap != LEAP_UNKNOWN) {
        e->system.leap = leap;
    }
    if (leap != e->armed_leap) {
        e->armed_leap = leap;
        out->todo |= EFFECT_CLOCK;
        out->clock.what |= CLOCK_LEAP;
        out->clock.leap = leap;
    }
}

void engine_revise_leap(struct engine *e, struct instant now, struct effects *out)
{
    e->needs_leap = false;
    if (e->armed_leap == LEAP_NONE && e->config.leaps.count == 0) {
        return;
    }
    uint8_t leap = mitigation_leap_of(e, e->armed_leap, now);
    bool is_over = leap == LEAP_NONE && !system_is_leap_day(now.clock);
    if (leap != e->armed_leap && (e->system.state == STATE_SYNCHRONISED || is_over)) {
        mitigation_announce(e, leap, out);
        engine_publish(e, out);
    }
}

static void mitigation_step(struct engine *e, struct instant now, struct effects *out)
{
    struct trace_record record = {.kind = TRACE_STEP};
    record.u.step.amount_s = e->discipline.step_s;
    engine_say(e, &record, now, e->leader, "offset over the step threshold");
    discipline_stepped(&e->discipline, &e->ledger, now.mono);
    for (int i = 0; i < e->source_count; i++) {
        struct source *s = &e->sources[i];
        source_stepped(s, now.mono);
        if (s->is_resolved && !s->is_denied) {
            /* Ask again at once, one after the other: there is no sample left to go by. */
            s->next_poll = mono_earlier(s->next_poll, mono_add_s(now.mono, BURST_INTERVAL_S + i));
        }
    }
    mitigation_set_leader(e, -1, now, "stepped");
    system_unsynchronise(&e->system);
    e->system.has_updated = false;
    e->has_stepped = true;
    e->stepped_at = now.mono;
    engine_set_state(e, STATE_UNSYNCHRONISED, now, "stepped");
    out->todo |= EFFECT_CLOCK;
    out->clock.what |= CLOCK_STEP | CLOCK_RATE;
    out->clock.step_s = e->discipline.step_s;
    engine_steer(e, now, out);
    out->clock.rate_q = e->rate_q;
    engine_publish(e, out);
}

static void mitigation_tell_loop(struct engine *e, struct instant now)
{
    struct trace_record record; /* filled in whole, and too large to be cleared each time */
    if (engine_keeps_quiet(e, TRACE_LOOP)) {
        return;
    }
    record.kind = TRACE_LOOP;
    record.u.loop.offset_s = e->discipline.last_offset_s;
    record.u.loop.drift_ppm = e->discipline.drift * 1e6;
    record.u.loop.jitter_s = e->discipline.jitter_s;
    record.u.loop.wander_ppm = e->discipline.wander * 1e6;
    record.u.loop.poll = e->discipline.poll;
    engine_say(e, &record, now, e->leader, NULL);
}

double engine_dispersion_rate(const struct engine *e)
{
    return e->discipline.drift_is_known
               ? e->config.tinker.dispersion
               : fmax(e->policy->training_dispersion, e->config.tinker.dispersion);
}

/* The offset was used, or measured while the frequency is: either way it is what I know. */
static void mitigation_accept(struct engine *e, double offset_s, double jitter_s,
                              struct instant now, struct effects *out)
{
    system_update(&e->system, &e->config, &e->sources[e->leader], offset_s, jitter_s,
                  engine_dispersion_rate(e), now);
    engine_set_state(e, STATE_SYNCHRONISED, now, "offset accepted");
    mitigation_tell_loop(e, now);
    engine_steer(e, now, out);
    out->todo |= EFFECT_CLOCK; /* the bound is another now, even where the rate is not */
    out->clock.what |= CLOCK_STATUS;
    engine_spread_poll(e, now.mono);
}

static void mitigation_correct(struct engine *e, const struct candidate *candidates, int count,
                               int leader, double select_jitter_s, struct instant now,
                               struct effects *out)
{
    double offset, jitter;
    struct source *s = &e->sources[e->leader];
    select_combine(candidates, count, leader, &offset, &jitter);
    if (!e->discipline.drift_is_known) {
        /* The others' samples are older than the leader's, and the clock has run away since. */
        offset = candidates[leader].offset_s;
    }
    e->system.updated = s->filter.used;
    e->system.has_updated = true;
    mitigation_poll_range(e, candidates, count);
    switch (discipline_update(&e->discipline, &e->config, &e->ledger, offset, now.mono)) {
    case DISCIPLINE_ACCEPTED:
    case DISCIPLINE_WAITING:
        mitigation_accept(e, offset, fmax(jitter, select_jitter_s), now, out);
        mitigation_announce(e, mitigation_leap_of(e, mitigation_vote(e, candidates, count), now),
                            out);
        break;
    case DISCIPLINE_HELD: {
        struct trace_record record = {.kind = TRACE_SPIKE};
        record.u.step.amount_s = offset;
        engine_say(e, &record, now, e->leader, "over the step threshold: held back");
        if (!isinf(system_distance_s(&e->system, now.mono))) {
            system_cover(&e->system,
                         fabs(offset) + source_distance_s(s, e->config.tinker.dispersion, now.mono),
                         now.mono);
        }
        break;
    }
    case DISCIPLINE_STEP:
        mitigation_step(e, now, out);
        return;
    case DISCIPLINE_PANIC:
        system_unsynchronise(&e->system);
        engine_set_state(e, STATE_PANIC, now, "offset over the panic threshold");
        break;
    }
    engine_publish(e, out);
}

void engine_mitigate(struct engine *e, struct instant now, struct effects *out)
{
    struct candidate candidates[ASSOCIATIONS_MAX];
    struct selection_result result;
    int count = mitigation_candidates(e, candidates, now.mono);
    enum select_verdict verdict = mitigation_select(e, candidates, count, &result, now);
    e->needs_selection = false;
    if (verdict != SELECT_FOUND) {
        mitigation_mark(e, candidates, count, -1);
        mitigation_lose(e, now,
                        verdict == SELECT_NO_MAJORITY ? "no majority"
                        : verdict == SELECT_DISPUTED  ? "sources contradict my own bound"
                        : verdict == SELECT_TOO_FEW   ? "fewer sources than tos minsane"
                                                      : "no fit and eligible source left",
                        out);
        return;
    }
    int leader = mitigation_leader(e, candidates, count, result.best, now.mono);
    mitigation_mark(e, candidates, count, leader);
    mitigation_set_leader(e, candidates[leader].source, now, "best of the survivors");
    const struct source *s = &e->sources[e->leader];
    if (e->system.has_updated && !mono_before(e->system.updated, s->filter.used)) {
        return; /* nothing newer than what the clock has had */
    }
    mitigation_correct(e, candidates, count, leader, result.select_jitter_s, now, out);
}
