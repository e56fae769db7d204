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
        filter->stages.at[i] = now;
        filter->stages.delay_s[i] = DISPERSION_MAX_S;
        filter->stages.dispersion_s[i] = DISPERSION_MAX_S;
    }
}

/* Ages every stage by the time since the last update, up to MAXDISP. */
static void filter_age(struct filter *filter, double tolerance, mono_time now)
{
    double growth = tolerance * mono_diff_s(now, filter->updated);
    double *dispersion_s = filter->stages.dispersion_s;
    for (int i = 0; i < FILTER_STAGES; i++) {
        double aged = dispersion_s[i] + growth;
        dispersion_s[i] = aged < DISPERSION_MAX_S ? aged : DISPERSION_MAX_S;
    }
    filter->updated = now;
}

/* Takes the place of the oldest. */
static void filter_keep(struct filter *filter, const struct filter_sample *sample)
{
    struct filter_stages *stages = &filter->stages;
    unsigned place = filter->next;
    stages->at[place] = sample->at;
    stages->offset_s[place] = sample->offset_s;
    stages->delay_s[place] = sample->delay_s;
    stages->dispersion_s[place] = sample->dispersion_s;
    stages->slewed_s[place] = sample->slewed_s;
    filter->next = (uint8_t)((place + 1) % FILTER_STAGES);
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

/* The bits of a number that is not negative, which order as it does. */
static uint64_t filter_bits(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

/* What has a stage apart from the rest: it holds no sample or one that is of no use any more, or
 * what it holds is taken by age alone. */
static void filter_amend_keys(const struct filter_stages *stages, bool newest_first,
                              uint64_t keys[FILTER_STAGES])
{
    const uint64_t useless = filter_bits(DISPERSION_MAX_S);
    for (unsigned i = 0; i < FILTER_STAGES; i++) {
        uint64_t age = keys[i] % FILTER_STAGES;
        if (stages->dispersion_s[i] >= DISPERSION_MAX_S) {
            keys[i] = useless | age;
        } else if (newest_first && keys[i] < useless) {
            keys[i] = age;
        }
    }
}

/* How good each stage is, as keys of which the least is the best. Their last three bits are given
 * to the age: what differs in no more than these is a tie, and the newest comes first. */
static void filter_keys(const struct filter_stages *stages, const struct filter_terms *terms,
                        unsigned newest, mono_time now, uint64_t keys[FILTER_STAGES])
{
    const uint64_t ages = FILTER_STAGES - 1;
    int64_t allan_ticks = ticks_from_s(terms->allan_s);
    double most_s = 0.0;
    for (unsigned i = 0; i < FILTER_STAGES; i++) {
        double metric = stages->delay_s[i];
        double dispersion_s = stages->dispersion_s[i];
        if (now.ticks - stages->at[i].ticks > allan_ticks) {
            metric += dispersion_s;
        }
        most_s = dispersion_s > most_s ? dispersion_s : most_s;
        keys[i] = (filter_bits(metric) & ~ages) | ((newest - i) & ages);
    }
    if (most_s >= DISPERSION_MAX_S || terms->newest_first) {
        filter_amend_keys(stages, terms->newest_first, keys);
    }
}

/* Fills order[] with stage numbers, best first, ties newest first; returns how many are usable. */
static int filter_sort(const struct filter *filter, const struct filter_terms *terms, mono_time now,
                       unsigned order[FILTER_STAGES])
{
    const uint64_t useless = filter_bits(DISPERSION_MAX_S);
    uint64_t keys[FILTER_STAGES];
    unsigned newest = filter->next + FILTER_STAGES - 1u;
    int usable = FILTER_STAGES;
    filter_keys(&filter->stages, terms, newest, now, keys);
    filter_sort_keys(keys);
    while (usable > 0 && keys[usable - 1] >= useless) {
        usable--;
    }
    for (unsigned i = 0; i < FILTER_STAGES; i++) {
        order[i] = (newest - (unsigned)keys[i]) % FILTER_STAGES;
    }
    return usable;
}

/* Dispersion weighted by halves over all stages, jitter as the rms difference from the best;
 * offsets_s[] are those of the stages, restated for now. */
static void filter_weigh(struct filter *filter, const unsigned order[FILTER_STAGES], int usable,
                         const double offsets_s[FILTER_STAGES], double precision_s)
{
    double squares[FILTER_STAGES];
    double best = offsets_s[order[0]], sum = 0.0, dispersion_s = 0.0;
    for (unsigned i = 0; i < FILTER_STAGES; i++) {
        squares[i] = (offsets_s[i] - best) * (offsets_s[i] - best);
    }
    for (int i = FILTER_STAGES - 1; i >= 0; i--) {
        dispersion_s = 0.5 * (dispersion_s + filter->stages.dispersion_s[order[i]]);
        if (i < usable) {
            sum += squares[order[i]];
        }
    }
    double jitter = usable > 1 ? sqrt(sum / (usable - 1)) : 0.0;
    filter->jitter_s = jitter > precision_s ? jitter : precision_s;
    filter->dispersion_s = dispersion_s;
}

enum filter_verdict filter_add(struct filter *filter, const struct filter_sample *sample,
                               const struct filter_terms *terms, double slewed_s, mono_time now)
{
    assert(!mono_before(now, filter->updated));
    const struct filter_stages *stages = &filter->stages;
    unsigned order[FILTER_STAGES];
    double offsets_s[FILTER_STAGES];
    filter_age(filter, terms->tolerance, now);
    filter_keep(filter, sample);
    for (unsigned i = 0; i < FILTER_STAGES; i++) {
        offsets_s[i] = stages->offset_s[i] - (slewed_s - stages->slewed_s[i]);
    }
    int usable = filter_sort(filter, terms, now, order);
    filter_weigh(filter, order, usable, offsets_s, terms->precision_s);
    if (usable == 0) {
        return FILTER_EMPTY;
    }
    unsigned best = order[0];
    double before = filter_offset_s(filter, slewed_s);
    double offset = offsets_s[best];
    bool was_used = filter->has_used;
    filter->offset_s = offset;
    filter->slewed_s = slewed_s;
    filter->delay_s = stages->delay_s[best];
    if (was_used && filter->dispersion_s < terms->maxdist_s &&
        stages->dispersion_s[best] < terms->maxdist_s &&
        fabs(offset - before) > SPIKE_GATE * filter->jitter_s &&
        mono_diff_s(stages->at[best], filter->used) < 2.0 * terms->poll_s) {
        return FILTER_SPIKE;
    }
    if (was_used && !mono_before(filter->used, stages->at[best])) {
        return FILTER_STALE;
    }
    filter->used = stages->at[best];
    filter->has_used = true;
    return FILTER_FRESH;
}
