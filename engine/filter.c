/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clock filter: see filter.h. Follows RFC 5905 10 and ntpd 4.2.8's order of samples beyond the
 * Allan intercept, where an old sample of low delay is worth less than a new one.
 */
#include "filter.h"

#include <assert.h>
#include <math.h>
#include <string.h>

void filter_clear(struct filter *filter, mono_time now)
{
    *filter = (struct filter){.updated = now, .dispersion_s = DISPERSION_MAX_S};
    for (int i = 0; i < FILTER_STAGES; i++) {
        filter->stages[i] = (struct filter_sample){
            .at = now, .delay_s = DISPERSION_MAX_S, .dispersion_s = DISPERSION_MAX_S};
    }
}

static double least_s(double a, double b)
{
    return a < b ? a : b;
}

/* Ages every stage by the time since the last update, up to MAXDISP. */
static void filter_age(struct filter *filter, double tolerance, mono_time now)
{
    double growth = tolerance * mono_diff_s(now, filter->updated);
    for (int i = 0; i < FILTER_STAGES; i++) {
        struct filter_sample *stage = &filter->stages[i];
        stage->dispersion_s = least_s(stage->dispersion_s + growth, DISPERSION_MAX_S);
    }
    filter->updated = now;
}

/* How good a stage is: less is better. */
static double filter_metric(const struct filter_sample *stage, double allan_s, mono_time now)
{
    if (stage->dispersion_s >= DISPERSION_MAX_S) {
        return DISPERSION_MAX_S;
    }
    if (mono_diff_s(now, stage->at) > allan_s) {
        return stage->delay_s + stage->dispersion_s;
    }
    return stage->delay_s;
}

/* The lesser of two to the front, without a branch: no processor foresees how samples compare. */
static inline void filter_exchange(uint64_t keys[FILTER_STAGES], unsigned i, unsigned j)
{
    uint64_t first = keys[i], second = keys[j];
    keys[i] = first < second ? first : second;
    keys[j] = first < second ? second : first;
}

/* The least network for eight, of 19 exchanges in six layers. */
static void filter_sort_keys(uint64_t keys[FILTER_STAGES])
{
    for (unsigned i = 0; i < 2; i++) {
        filter_exchange(keys, i, i + 2);
        filter_exchange(keys, i + 4, i + 6);
    }
    for (unsigned i = 0; i < 4; i++) {
        filter_exchange(keys, i, i + 4);
    }
    for (unsigned i = 0; i < FILTER_STAGES; i += 2) {
        filter_exchange(keys, i, i + 1);
    }
    filter_exchange(keys, 2, 4);
    filter_exchange(keys, 3, 5);
    filter_exchange(keys, 1, 4);
    filter_exchange(keys, 3, 6);
    filter_exchange(keys, 1, 2);
    filter_exchange(keys, 3, 4);
    filter_exchange(keys, 5, 6);
}

/* The bits of a number that is not negative, which order as it does, with the last three given to
 * the age: what differs in no more than these is a tie, and the newest comes first. */
static uint64_t filter_key(double metric, unsigned age)
{
    uint64_t bits;
    memcpy(&bits, &metric, sizeof bits);
    return (bits & ~(uint64_t)(FILTER_STAGES - 1)) | age;
}

/* Fills order[] with stage numbers, best first, ties newest first; returns how many are usable. */
static int filter_sort(const struct filter *filter, const struct filter_terms *terms, mono_time now,
                       uint8_t order[FILTER_STAGES])
{
    uint64_t keys[FILTER_STAGES];
    unsigned newest = filter->next + FILTER_STAGES - 1u;
    int usable = 0;
    for (unsigned age = 0; age < FILTER_STAGES; age++) {
        const struct filter_sample *stage = &filter->stages[(newest - age) % FILTER_STAGES];
        double value = filter_metric(stage, terms->allan_s, now);
        bool is_usable = value < DISPERSION_MAX_S;
        keys[age] = filter_key(is_usable && terms->newest_first ? 0.0 : value, age);
        usable += is_usable ? 1 : 0;
    }
    filter_sort_keys(keys);
    for (unsigned i = 0; i < FILTER_STAGES; i++) {
        order[i] = (uint8_t)((newest - keys[i]) % FILTER_STAGES);
    }
    return usable;
}

static double stage_offset_s(const struct filter_sample *stage, double slewed_s)
{
    return stage->offset_s - (slewed_s - stage->slewed_s);
}

/* Dispersion weighted by halves over all stages, jitter as the rms difference from the best. */
static void filter_weigh(struct filter *filter, const uint8_t order[FILTER_STAGES], int usable,
                         const struct filter_terms *terms, double slewed_s)
{
    double best = stage_offset_s(&filter->stages[order[0]], slewed_s);
    double sum = 0.0;
    filter->dispersion_s = 0.0;
    for (int i = FILTER_STAGES - 1; i >= 0; i--) {
        const struct filter_sample *stage = &filter->stages[order[i]];
        filter->dispersion_s = 0.5 * (filter->dispersion_s + stage->dispersion_s);
        if (i < usable) {
            double difference = stage_offset_s(stage, slewed_s) - best;
            sum += difference * difference;
        }
    }
    double jitter = usable > 1 ? sqrt(sum / (usable - 1)) : 0.0;
    filter->jitter_s = jitter > terms->precision_s ? jitter : terms->precision_s;
}

enum filter_verdict filter_add(struct filter *filter, const struct filter_sample *sample,
                               const struct filter_terms *terms, double slewed_s, mono_time now)
{
    assert(!mono_before(now, filter->updated));
    uint8_t order[FILTER_STAGES];
    filter_age(filter, terms->tolerance, now);
    filter->stages[filter->next] = *sample;
    filter->next = (uint8_t)((filter->next + 1) % FILTER_STAGES);

    int usable = filter_sort(filter, terms, now, order);
    double before = filter_offset_s(filter, slewed_s);
    double offset = stage_offset_s(&filter->stages[order[0]], slewed_s);
    filter_weigh(filter, order, usable, terms, slewed_s);
    if (usable == 0) {
        return FILTER_EMPTY;
    }
    const struct filter_sample *best = &filter->stages[order[0]];
    bool was_used = filter->has_used;
    filter->offset_s = offset;
    filter->slewed_s = slewed_s;
    filter->delay_s = best->delay_s;
    if (was_used && filter->dispersion_s < terms->maxdist_s &&
        best->dispersion_s < terms->maxdist_s &&
        fabs(offset - before) > SPIKE_GATE * filter->jitter_s &&
        mono_diff_s(best->at, filter->used) < 2.0 * terms->poll_s) {
        return FILTER_SPIKE;
    }
    if (was_used && !mono_before(filter->used, best->at)) {
        return FILTER_STALE;
    }
    filter->used = best->at;
    filter->has_used = true;
    return FILTER_FRESH;
}
