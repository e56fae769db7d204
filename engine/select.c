/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Intersection, cluster, combine: see select.h.
 */
#include "select.h"

#include <assert.h>
#include <math.h>

enum { EDGES_MAX = 2 * (ASSOCIATIONS_MAX + 1) };

struct edge {
    double at_s;
    int type; /* -1: an interval begins, +1: it ends */
};

static void edge_insert(struct edge *edges, int *count, double at_s, int type)
{
    int place = (*count)++;
    /* Beginnings before ends at the same point, so that intervals which touch intersect. */
    while (place > 0 && (edges[place - 1].at_s > at_s ||
                         (edges[place - 1].at_s >= at_s && edges[place - 1].type > type))) {
        edges[place] = edges[place - 1];
        place--;
    }
    edges[place] = (struct edge){at_s, type};
}

static double half_width(const struct candidate *candidate, const struct select_terms *terms)
{
    return candidate->distance_s > terms->mindist_s ? candidate->distance_s : terms->mindist_s;
}

/* The smallest interval that holds points of at least `voters - allow` intervals, the fewest
 * falsetickers `allow` for which there is one while they stay a minority. */
static bool select_intersect(const struct edge *edges, int count, int voters, double *low_s,
                             double *high_s)
{
    for (int allow = 0; 2 * allow < voters; allow++) {
        int depth = 0;
        int i = 0;
        int j = count - 1;
        for (; i < count; i++) {
            depth -= edges[i].type;
            if (depth >= voters - allow) {
                break;
            }
        }
        depth = 0;
        for (; j >= 0; j--) {
            depth += edges[j].type;
            if (depth >= voters - allow) {
                break;
            }
        }
        if (i < count && j >= 0 && edges[i].at_s <= edges[j].at_s) {
            *low_s = edges[i].at_s;
            *high_s = edges[j].at_s;
            return true;
        }
    }
    return false;
}

/* Marks as truechimers those whose interval overlaps the intersection; returns how many may
 * lead. */
static int select_mark(struct candidate *candidates, int count, const struct select_terms *terms,
                       const struct selection_result *result)
{
    int leaders = 0;
    for (int i = 0; i < count; i++) {
        struct candidate *c = &candidates[i];
        double width = half_width(c, terms);
        c->is_truechimer = c->is_true || (c->offset_s + width >= result->low_s &&
                                          c->offset_s - width <= result->high_s);
        leaders += c->is_truechimer && c->may_lead ? 1 : 0;
    }
    return leaders;
}

/* True when the intersection contradicts my own interval and one family alone says so. */
static bool select_is_disputed(const struct candidate *candidates, int count,
                               const struct select_terms *terms,
                               const struct selection_result *result)
{
    if (!terms->own_votes ||
        (result->low_s <= terms->own_distance_s && result->high_s >= -terms->own_distance_s)) {
        return false;
    }
    for (int i = 1; i < count; i++) {
        for (int j = 0; j < i; j++) {
            if (candidates[i].is_truechimer && candidates[j].is_truechimer &&
                candidates[i].family != candidates[j].family) {
                return false;
            }
        }
    }
    return true;
}

static bool is_better(const struct candidate *a, const struct candidate *b)
{
    return a->rank < b->rank || (a->rank <= b->rank && a->source < b->source);
}

static void select_rank(struct candidate *candidates, int count, const struct select_terms *terms)
{
    for (int i = 0; i < count; i++) {
        struct candidate *last = &candidates[i];
        last->rank =
            last->stratum * terms->maxdist_s + last->distance_s + (last->is_late ? 1000.0 : 0.0);
        for (; last > candidates && is_better(last, last - 1); last--) {
            struct candidate worse = last[-1];
            last[-1] = *last;
            *last = worse;
        }
    }
}

/* RMS distance of survivor `of` from the other survivors. */
static double select_jitter(const struct candidate *candidates, int count, int of)
{
    double sum = 0.0;
    int others = 0;
    for (int i = 0; i < count; i++) {
        if (i != of && candidates[i].is_survivor) {
            double difference = candidates[i].offset_s - candidates[of].offset_s;
            sum += difference * difference;
            others++;
        }
    }
    return others > 0 ? sqrt(sum / others) : 0.0;
}

/* Casts off the survivor farthest from the rest while that is more than its neighbours' own
 * jitter. */
static void select_cluster(struct candidate *candidates, int count,
                           const struct select_terms *terms)
{
    int survivors = 0;
    for (int i = 0; i < count; i++) {
        candidates[i].is_survivor = candidates[i].is_truechimer && candidates[i].may_lead;
        survivors += candidates[i].is_survivor ? 1 : 0;
    }
    while (survivors > terms->minclock) {
        int worst = -1;
        double worst_score = -1.0, worst_jitter = 0.0, least_jitter = INFINITY;
        for (int i = 0; i < count; i++) {
            if (!candidates[i].is_survivor) {
                continue;
            }
            double jitter = select_jitter(candidates, count, i);
            double score =
                jitter * (candidates[i].distance_s + candidates[i].stratum * terms->maxdist_s);
            least_jitter =
                candidates[i].jitter_s < least_jitter ? candidates[i].jitter_s : least_jitter;
            if (score > worst_score) {
                worst = i;
                worst_score = score;
                worst_jitter = jitter;
            }
        }
        assert(worst >= 0);
        if (worst_jitter <= least_jitter || candidates[worst].is_true ||
            candidates[worst].is_preferred) {
            return;
        }
        candidates[worst].is_survivor = false;
        survivors--;
    }
}

/* The survivor of the best rank; one marked prefer before it, unless it has missed polls. */
static int select_best(const struct candidate *candidates, int count)
{
    int best = -1;
    for (int i = count - 1; i >= 0; i--) {
        bool is_wanted = candidates[i].is_preferred && !candidates[i].is_late;
        bool has_wanted = best >= 0 && candidates[best].is_preferred && !candidates[best].is_late;
        if (candidates[i].is_survivor && (is_wanted || !has_wanted)) {
            best = i;
        }
    }
    assert(best >= 0);
    return best;
}

enum select_verdict select_candidates(struct candidate *candidates, int count,
                                      const struct select_terms *terms,
                                      struct selection_result *result)
{
    assert(count <= ASSOCIATIONS_MAX);
    struct edge edges[EDGES_MAX];
    int edge_count = 0;
    *result = (struct selection_result){.best = -1};
    for (int i = 0; i < count; i++) {
        double width = half_width(&candidates[i], terms);
        edge_insert(edges, &edge_count, candidates[i].offset_s - width, -1);
        edge_insert(edges, &edge_count, candidates[i].offset_s + width, 1);
        candidates[i].is_truechimer = candidates[i].is_survivor = false;
    }
    if (terms->own_votes) {
        edge_insert(edges, &edge_count, -terms->own_distance_s, -1);
        edge_insert(edges, &edge_count, terms->own_distance_s, 1);
    }
    select_rank(candidates, count, terms);
    int voters = count + (terms->own_votes ? 1 : 0);
    if (count == 0 ||
        !select_intersect(edges, edge_count, voters, &result->low_s, &result->high_s)) {
        return count == 0 ? SELECT_NONE : SELECT_NO_MAJORITY;
    }
    int leaders = select_mark(candidates, count, terms, result);
    if (select_is_disputed(candidates, count, terms, result)) {
        return SELECT_DISPUTED;
    }
    if (leaders == 0) {
        return SELECT_NONE;
    }
    if (leaders < terms->minsane) {
        return SELECT_TOO_FEW;
    }
    select_cluster(candidates, count, terms);
    result->best = select_best(candidates, count);
    result->select_jitter_s = select_jitter(candidates, count, result->best);
    return SELECT_FOUND;
}

void select_combine(const struct candidate *candidates, int count, int leader, double *offset_s,
                    double *jitter_s)
{
    const struct candidate *lead = &candidates[leader];
    double weights = 0.0, sum = 0.0, squares = 0.0;
    for (int i = 0; i < count; i++) {
        const struct candidate *c = &candidates[i];
        if (!c->is_survivor || c->is_member != lead->is_member || c->is_late != lead->is_late) {
            continue;
        }
        double weight = 1.0 / (c->distance_s > 1e-9 ? c->distance_s : 1e-9);
        double difference = c->offset_s - lead->offset_s;
        weights += weight;
        sum += weight * c->offset_s;
        squares += weight * difference * difference;
    }
    bool alone = lead->is_preferred || lead->is_member || !(weights > 0.0);
    *offset_s = alone ? lead->offset_s : sum / weights;
    double spread = alone ? 0.0 : squares / weights;
    *jitter_s = sqrt(spread + lead->jitter_s * lead->jitter_s);
}
