/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Judging one expectation; see watch.h. Never touches the world.
 */
#include "watch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "followers.h"
#include "quantity.h"

/* A spread among few nodes is looked at on their events too, but no more often than this; one among
 * many on the grid and at steps only, because it needs the truth of each. */
#define SPREAD_GAP_S 64.0
enum { SPREAD_FEW = 64 };

/* Rounding of clocks to ticks and of bounds to the wire format's neighbourhood. */
#define BOUND_SLACK_S 1e-9

static const char *name_of(const struct scenario *scenario, uint32_t node)
{
    return scenario->nodes[node].name;
}

static const char *standing_name(unsigned standing)
{
    return standing == STANDING_DOWN ? "down" : system_state_name((enum system_state)standing);
}

void watch_init(struct watch *watch, const struct scenario *scenario,
                const struct expectation *expectation)
{
    *watch = (struct watch){.expectation = expectation,
                            .worst = -INFINITY,
                            .worst_node = UINT32_MAX,
                            .spread_at = -INFINITY,
                            .has_end = expectation->until_s <= expectation->from_s ||
                                       expectation->until_s >= scenario->duration_s};
    if (expectation->kind == EXPECT_BECOMES) {
        size_t count = expectation->nodes.count;
        watch->entered = g_new(double, count);
        watch->begun = g_new(double, count);
        for (size_t i = 0; i < count; i++) {
            watch->entered[i] = watch->begun[i] = NAN;
        }
    }
}

void watch_clear(struct watch *watch)
{
    g_free(watch->entered);
    g_free(watch->begun);
}

bool watch_is_of_group(const struct watch *watch)
{
    return watch->expectation->kind == EXPECT_ONE_LEADER ||
           watch->expectation->kind == EXPECT_NO_CYCLE;
}

/* A window is open at its end, where the next one may begin, unless it is an instant or the run
 * ends there. */
static bool is_in_window(const struct watch *watch, double now)
{
    const struct expectation *e = watch->expectation;
    return now >= e->from_s && (now < e->until_s || (watch->has_end && now <= e->until_s));
}

bool watch_is_measure(const struct watch *watch)
{
    enum expectation_kind kind = watch->expectation->kind;
    return kind == EXPECT_ERROR || kind == EXPECT_SPREAD || kind == EXPECT_CLAIMED_BOUND ||
           kind == EXPECT_FREQUENCY;
}

bool watch_is_open(const struct watch *watch, double now)
{
    return watch_is_measure(watch) && is_in_window(watch, now);
}

double watch_next_change(const struct watch *watch, double now)
{
    const struct expectation *e = watch->expectation;
    if (now < e->from_s) {
        return e->from_s;
    }
    if (watch_is_open(watch, now)) {
        return watch->has_end ? nextafter(e->until_s, INFINITY) : e->until_s;
    }
    return INFINITY;
}

void watch_span(const struct watch *watch, double *from_s, double *until_s)
{
    const struct expectation *e = watch->expectation;
    *from_s = e->from_s;
    *until_s = e->until_s;
    if (e->kind == EXPECT_BECOMES) {
        /* What was before the window, and what comes too late, is part of its verdict. */
        *from_s = -INFINITY;
        *until_s = INFINITY;
    } else if (e->kind == EXPECT_NO_STEP || watch_is_of_group(watch)) {
        *from_s = INFINITY;
    }
}

/* The part of [begin, end) that lies in the window; false when there is none. An instant lies in
 * the interval that begins with it. */
static bool clip(const struct watch *watch, double *begin, double *end)
{
    const struct expectation *e = watch->expectation;
    bool is_instant = e->until_s <= e->from_s;
    if (*begin >= *end || *end <= e->from_s || *begin > e->until_s ||
        (*begin >= e->until_s && !is_instant)) {
        return false;
    }
    *begin = fmax(*begin, e->from_s);
    *end = fmin(*end, e->until_s);
    return true;
}

/* Keeps the earliest offence; nodes are not looked at in the order of what they did. */
static void offend(struct watch *watch, double at, const char *text)
{
    if (!watch->failed || at < watch->offended_at) {
        g_strlcpy(watch->offence, text, sizeof watch->offence);
        watch->offended_at = at;
    }
    watch->failed = true;
}

static void note_worst(struct watch *watch, double value, uint32_t node, double now)
{
    if (value > watch->worst) {
        watch->worst = value;
        watch->worst_node = node;
        watch->worst_at = now;
    }
}

/* ---- what stays the same over an interval ---- */

static bool state_holds(const struct expectation *e, unsigned standing)
{
    bool holds =
        standing == (unsigned)e->state || (e->accepts_holdover && standing == STATE_HOLDOVER);
    return holds != e->negated;
}

static void see_state(struct watch *watch, const struct scenario *scenario, uint32_t node,
                      unsigned standing, double begin, double end)
{
    char when[QUANTITY_TEXT_SIZE], text[200];
    watch->looks++;
    if (!state_holds(watch->expectation, standing)) {
        watch->offended_s += end - begin;
        g_snprintf(text, sizeof text, "%s was %s at %s", name_of(scenario, node),
                   standing_name(standing), quantity_clock(begin, when));
        offend(watch, begin, text);
    }
}

static void see_leader(struct watch *watch, const struct scenario *scenario, uint32_t node,
                       uint32_t leader, double begin, double end)
{
    char when[QUANTITY_TEXT_SIZE], text[200];
    bool follows = leader != UINT32_MAX && node_set_has(&watch->expectation->targets, leader);
    watch->looks++;
    if (follows == watch->expectation->negated) {
        watch->offended_s += end - begin;
        g_snprintf(text, sizeof text, "%s followed %s at %s", name_of(scenario, node),
                   leader == UINT32_MAX ? "nobody" : name_of(scenario, leader),
                   quantity_clock(begin, when));
        offend(watch, begin, text);
    }
}

static size_t place_of(const struct node_set *set, uint32_t node)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->nodes[middle] < node) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* A change of standing: before the window opens it is remembered, afterwards the first one
 * counts. */
static void see_change(struct watch *watch, const struct sight *sight, unsigned now_standing)
{
    const struct expectation *e = watch->expectation;
    size_t place = place_of(&e->nodes, sight->node);
    if (now_standing == sight->was->standing) {
        return;
    }
    if (sight->now < e->from_s) {
        watch->begun[place] = now_standing == (unsigned)e->state ? sight->now : NAN;
    } else if (now_standing == (unsigned)e->state && isnan(watch->entered[place])) {
        watch->entered[place] = sight->now;
    }
}

/* ---- what changes all the time ---- */

/* As it is, and as it was before the engine's steps since the last look. */
static void see_error(struct watch *watch, const struct sight *sight)
{
    if (sight->truth->is_up) {
        double error_s = sight->truth->error_s, before_s = error_s - sight->was->stepped_s;
        watch->looks++;
        note_worst(watch, fmax(fabs(error_s), fabs(before_s)), sight->node, sight->now);
        watch->failed = watch->failed || !(watch->worst < watch->expectation->bound);
    }
}

static void see_frequency(struct watch *watch, const struct sight *sight)
{
    if (sight->truth->is_up) {
        watch->looks++;
        note_worst(watch, fabs(sight->truth->frequency + sight->truth->correction), sight->node,
                   sight->now);
        watch->failed = watch->failed || !(watch->worst < watch->expectation->bound);
    }
}

static void see_spread(struct watch *watch, const struct sight *sight)
{
    const struct node_set *set = &watch->expectation->nodes;
    double least = INFINITY, greatest = -INFINITY, age = sight->now - watch->spread_at;
    bool has_stepped = sight->was->stepped_s > 0 || sight->was->stepped_s < 0;
    bool is_early = age < SPREAD_GAP_S && sight->now < watch->expectation->until_s - SPREAD_GAP_S;
    if (!has_stepped && (age <= 0 || (!sight->is_grid && (set->count > SPREAD_FEW || is_early)))) {
        return;
    }
    watch->spread_at = sight->now;
    for (size_t i = 0; i < set->count; i++) {
        double error_s;
        if (world_error(sight->world, set->nodes[i], &error_s)) {
            least = fmin(least, error_s);
            greatest = fmax(greatest, error_s);
        }
    }
    if (least <= greatest) {
        watch->looks++;
        note_worst(watch, greatest - least, sight->node, sight->now);
        watch->failed = watch->failed || !(watch->worst < watch->expectation->bound);
    }
}

static void see_claim(struct watch *watch, const struct sight *sight, double error_s,
                      double claim_s)
{
    char error[QUANTITY_TEXT_SIZE], claim[QUANTITY_TEXT_SIZE], when[QUANTITY_TEXT_SIZE], text[200];
    if (!isfinite(claim_s)) {
        return;
    }
    watch->looks++;
    if (!(fabs(error_s) < watch->worst * claim_s)) {
        double share = claim_s > 0 ? fabs(error_s) / claim_s : error_s != 0 ? INFINITY : 0;
        note_worst(watch, share, sight->node, sight->now);
    }
    if (fabs(error_s) > claim_s + BOUND_SLACK_S) {
        watch->offended_s++;
        g_snprintf(text, sizeof text, "%s at %s: error %s, claimed %s",
                   name_of(world_scenario(sight->world), sight->node),
                   quantity_clock(sight->now, when), quantity_seconds(error_s, error),
                   quantity_seconds(claim_s, claim));
        offend(watch, sight->now, text);
    }
}

/* The claim as it stands, and where the engine has said something also as it stood just before: the
 * clock where it was before a step, the former bound grown by its rate. */
static void see_bound(struct watch *watch, const struct sight *sight)
{
    const struct node_memory *was = sight->was;
    if (was->is_dirty && sight->truth->is_up && was->standing != STANDING_DOWN) {
        see_claim(watch, sight, sight->truth->error_s - was->stepped_s,
                  was->claim_s + was->claim_rate * (sight->now - was->at));
    }
    if (sight->truth->is_up) {
        see_claim(watch, sight, sight->truth->error_s, sight->truth->bound_s);
    }
}

void watch_measure(struct watch *watch, const struct sight *sight)
{
    switch (watch->expectation->kind) {
    case EXPECT_ERROR:
        see_error(watch, sight);
        return;
    case EXPECT_SPREAD:
        see_spread(watch, sight);
        return;
    case EXPECT_FREQUENCY:
        see_frequency(watch, sight);
        return;
    case EXPECT_CLAIMED_BOUND:
        see_bound(watch, sight);
        return;
    case EXPECT_STATE:
    case EXPECT_FOLLOWS:
    case EXPECT_BECOMES:
    case EXPECT_NO_STEP:
    case EXPECT_ONE_LEADER:
    case EXPECT_NO_CYCLE:
        return;
    }
}

void watch_tell(struct watch *watch, const struct sight *sight)
{
    const struct scenario *scenario = world_scenario(sight->world);
    enum expectation_kind kind = watch->expectation->kind;
    double begin = sight->was->told_at, end = sight->now;
    if (kind == EXPECT_BECOMES) {
        see_change(watch, sight,
                   sight->truth->is_up ? (unsigned)sight->truth->state : STANDING_DOWN);
    } else if (kind == EXPECT_STATE && clip(watch, &begin, &end)) {
        see_state(watch, scenario, sight->node, sight->was->standing, begin, end);
    } else if (kind == EXPECT_FOLLOWS && clip(watch, &begin, &end)) {
        see_leader(watch, scenario, sight->node, sight->was->leader, begin, end);
    }
}

void watch_look_again(struct watch *watch)
{
    watch->spread_at = -INFINITY;
}

void watch_step(struct watch *watch, const struct scenario *scenario, uint32_t node, double now,
                double amount_s)
{
    char amount[QUANTITY_TEXT_SIZE], when[QUANTITY_TEXT_SIZE], text[200];
    if (is_in_window(watch, now)) {
        watch->offended_s++;
        g_snprintf(text, sizeof text, "%s stepped by %s at %s", name_of(scenario, node),
                   quantity_seconds(amount_s, amount), quantity_clock(now, when));
        offend(watch, now, text);
    }
}

/* ---- the group ---- */

static void see_one_leader(struct watch *watch, const struct scenario *scenario,
                           const struct node_memory *memory, double now)
{
    char why[96], when[QUANTITY_TEXT_SIZE], text[200];
    double begin = watch->since, end = now;
    watch->since = now;
    if (!clip(watch, &begin, &end)) {
        return;
    }
    watch->looks++;
    if (followers_have_one_leader(scenario, memory, &watch->expectation->nodes, why)) {
        if (!watch->failed) {
            g_strlcpy(watch->offence, why, sizeof watch->offence);
        }
        return;
    }
    watch->offended_s += end - begin;
    g_snprintf(text, sizeof text, "%s at %s", why, quantity_clock(begin, when));
    offend(watch, begin, text);
}

static void cycle_text(const struct scenario *scenario, const uint32_t *members, size_t length,
                       char *text, size_t size)
{
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i <= length && out->len < size; i++) {
        g_string_append_printf(out, "%s%s", i > 0 ? " > " : "",
                               name_of(scenario, members[i % length]));
    }
    g_strlcpy(text, out->str, size);
    g_string_free(out, TRUE);
}

/* A cycle through `node` has stood since its youngest edge, and stands until now. */
static void see_cycle(struct watch *watch, const struct scenario *scenario,
                      const struct node_memory *memory, uint32_t node, double now)
{
    uint32_t members[CYCLE_MAX];
    char ring[120], when[QUANTITY_TEXT_SIZE], text[200];
    size_t length = followers_cycle(memory, scenario->node_count, node, members);
    double begin = 0, end = now;
    bool is_ours = false;
    for (size_t i = 0; i < length; i++) {
        begin = fmax(begin, memory[members[i]].leader_since);
        is_ours = is_ours || node_set_has(&watch->expectation->nodes, members[i]);
    }
    if (!is_ours || !clip(watch, &begin, &end)) {
        return;
    }
    cycle_text(scenario, members, length, ring, sizeof ring);
    g_snprintf(text, sizeof text, "%s from %s on", ring, quantity_clock(begin, when));
    if (end - begin > watch->worst) {
        watch->worst = end - begin;
        g_strlcpy(watch->offence, text, sizeof watch->offence);
    }
    watch->failed = watch->failed || end - begin > watch->expectation->bound;
}

void watch_group(struct watch *watch, const struct scenario *scenario,
                 const struct node_memory *memory, uint32_t node, double now)
{
    if (watch->expectation->kind == EXPECT_ONE_LEADER) {
        see_one_leader(watch, scenario, memory, now);
        return;
    }
    if (node != UINT32_MAX) {
        see_cycle(watch, scenario, memory, node, now);
        return;
    }
    for (size_t i = 0; i < watch->expectation->nodes.count; i++) {
        see_cycle(watch, scenario, memory, watch->expectation->nodes.nodes[i], now);
    }
}

/* ---- the verdict ---- */

/* At the end of the run the present standing has no interval behind it: it is judged as an
 * instant. */
static void see_end(struct watch *watch, const struct scenario *scenario,
                    const struct node_memory *memory, double end)
{
    const struct expectation *e = watch->expectation;
    if (!is_in_window(watch, end)) {
        return;
    }
    for (size_t i = 0; i < e->nodes.count; i++) {
        const struct node_memory *node = &memory[e->nodes.nodes[i]];
        if (e->kind == EXPECT_STATE) {
            see_state(watch, scenario, e->nodes.nodes[i], node->standing, end, end);
        } else if (e->kind == EXPECT_FOLLOWS) {
            see_leader(watch, scenario, e->nodes.nodes[i], node->leader, end, end);
        }
    }
    if (e->kind == EXPECT_ONE_LEADER && e->from_s >= end) {
        char why[96];
        watch->looks++;
        if (!followers_have_one_leader(scenario, memory, &e->nodes, why)) {
            offend(watch, end, why);
        }
        g_strlcpy(watch->offence, why, sizeof watch->offence);
    }
}

static void judge_becomes(struct watch *watch, const struct scenario *scenario, double end,
                          struct verdict *verdict)
{
    const struct expectation *e = watch->expectation;
    char when[QUANTITY_TEXT_SIZE];
    double last = -INFINITY;
    for (size_t i = 0; i < e->nodes.count; i++) {
        const char *name = name_of(scenario, e->nodes.nodes[i]);
        double entered = watch->entered[i];
        if (!isnan(watch->begun[i])) {
            g_snprintf(verdict->seen, sizeof verdict->seen, "%s was %s since %s already", name,
                       system_state_name(e->state), quantity_clock(watch->begun[i], when));
        } else if (entered > e->until_s) {
            g_snprintf(verdict->seen, sizeof verdict->seen, "%s became %s too late, at %s", name,
                       system_state_name(e->state), quantity_clock(entered, when));
        } else if (isnan(entered) && end < e->until_s) {
            verdict->is_judged = false;
            return;
        } else if (isnan(entered)) {
            g_snprintf(verdict->seen, sizeof verdict->seen, "%s never became %s", name,
                       system_state_name(e->state));
        } else {
            last = fmax(last, entered);
            g_snprintf(verdict->seen, sizeof verdict->seen, "%s at %s%s",
                       e->nodes.count > 1 ? "the last" : name, quantity_clock(last, when),
                       e->nodes.count > 1 ? " of all" : "");
            continue;
        }
        verdict->passed = false;
        return;
    }
}

static void judge_measure(const struct watch *watch, const struct scenario *scenario,
                          struct verdict *verdict)
{
    const struct expectation *e = watch->expectation;
    char value[QUANTITY_TEXT_SIZE], when[QUANTITY_TEXT_SIZE], who[80];
    g_snprintf(who, sizeof who, "%s%s", e->kind == EXPECT_SPREAD ? "" : ", ",
               e->kind == EXPECT_SPREAD ? "" : name_of(scenario, watch->worst_node));
    g_snprintf(verdict->seen, sizeof verdict->seen, "worst %s%s at %s",
               e->kind == EXPECT_FREQUENCY ? quantity_frequency(watch->worst, value)
                                           : quantity_seconds(watch->worst, value),
               who, quantity_clock(watch->worst_at, when));
}

static void judge_bound(const struct watch *watch, const struct scenario *scenario,
                        struct verdict *verdict)
{
    char when[QUANTITY_TEXT_SIZE], worst[96];
    g_snprintf(worst, sizeof worst, "largest share %.0f %% of the bound, %.60s at %s",
               100 * watch->worst, name_of(scenario, watch->worst_node),
               quantity_clock(watch->worst_at, when));
    if (watch->failed) {
        g_snprintf(verdict->seen, sizeof verdict->seen, "first %.100s; %.0f looks; %s",
                   watch->offence, watch->offended_s, worst);
    } else {
        g_strlcpy(verdict->seen, worst, sizeof verdict->seen);
    }
}

static void judge_interval(const struct watch *watch, struct verdict *verdict)
{
    char span[QUANTITY_TEXT_SIZE];
    size_t count = watch->expectation->nodes.count;
    if (watch->failed && watch->offended_s > 0) {
        g_snprintf(verdict->seen, sizeof verdict->seen, "first %.120s; not so for %s in all",
                   watch->offence, quantity_span(watch->offended_s, span));
    } else if (watch->failed || watch->expectation->kind == EXPECT_ONE_LEADER) {
        g_strlcpy(verdict->seen, watch->offence, sizeof verdict->seen);
    } else {
        g_snprintf(verdict->seen, sizeof verdict->seen, "throughout, %zu node%s", count,
                   count == 1 ? "" : "s");
    }
}

static void judge_rest(const struct watch *watch, const struct scenario *scenario,
                       struct verdict *verdict)
{
    char span[QUANTITY_TEXT_SIZE];
    switch (watch->expectation->kind) {
    case EXPECT_ERROR:
    case EXPECT_SPREAD:
    case EXPECT_FREQUENCY:
        judge_measure(watch, scenario, verdict);
        return;
    case EXPECT_CLAIMED_BOUND:
        judge_bound(watch, scenario, verdict);
        return;
    case EXPECT_NO_STEP:
        g_snprintf(verdict->seen, sizeof verdict->seen,
                   watch->failed ? "%.150s; %.0f in all" : "none", watch->offence,
                   watch->offended_s);
        return;
    case EXPECT_NO_CYCLE:
        g_snprintf(verdict->seen, sizeof verdict->seen,
                   watch->worst >= 0 ? "longest %s: %.140s" : "none",
                   quantity_span(watch->worst, span), watch->offence);
        return;
    case EXPECT_STATE:
    case EXPECT_FOLLOWS:
    case EXPECT_ONE_LEADER:
    case EXPECT_BECOMES:
        judge_interval(watch, verdict);
        return;
    }
}

void watch_judge(struct watch *watch, const struct scenario *scenario,
                 const struct node_memory *memory, double end, struct verdict *verdict)
{
    const struct expectation *e = watch->expectation;
    bool counts_events =
        e->kind == EXPECT_NO_STEP || e->kind == EXPECT_NO_CYCLE || e->kind == EXPECT_BECOMES;
    *verdict = (struct verdict){.expectation = e, .passed = true, .is_judged = e->from_s <= end};
    if (watch_is_of_group(watch)) {
        watch_group(watch, scenario, memory, UINT32_MAX, end);
    }
    see_end(watch, scenario, memory, end);
    if (verdict->is_judged && e->kind == EXPECT_BECOMES) {
        judge_becomes(watch, scenario, end, verdict);
    } else if (verdict->is_judged && watch->looks == 0 && !counts_events) {
        verdict->passed = false;
        g_strlcpy(verdict->seen,
                  e->kind == EXPECT_CLAIMED_BOUND ? "no node claimed anything in this window"
                                                  : "no node was up in this window",
                  sizeof verdict->seen);
    } else if (verdict->is_judged) {
        verdict->passed = !watch->failed;
        judge_rest(watch, scenario, verdict);
    }
    if (!verdict->is_judged) {
        char when[QUANTITY_TEXT_SIZE];
        g_snprintf(verdict->seen, sizeof verdict->seen, "not judged: the run ended at %s",
                   quantity_clock(end, when));
    }
}
