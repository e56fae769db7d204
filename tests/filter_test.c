/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clock filter against closed-form answers: its dispersion, its gain, and which sample it uses
 * when. Numbers in names are those of the validation table.
 */
#include "../engine/filter.h"

#include <stdlib.h>

#include "check.h"

static mono_time at(double t_s)
{
    return (mono_time){ticks_from_s(t_s)};
}

static struct filter_terms terms_of(double tolerance, double poll_s)
{
    return (struct filter_terms){.tolerance = tolerance,
                                 .precision_s = ldexp(1.0, -22),
                                 .allan_s = ldexp(1.0, ALLAN_LOG2S),
                                 .maxdist_s = DISTANCE_MAX_S,
                                 .poll_s = poll_s};
}

static struct filter_sample sample_of(double t_s, double offset_s, double delay_s)
{
    return (struct filter_sample){.at = at(t_s), .offset_s = offset_s, .delay_s = delay_s};
}

/* Adds a sample of no dispersion at t; the ledger's sum stands at zero. */
static enum filter_verdict add(struct filter *filter, const struct filter_terms *terms, double t_s,
                               double offset_s, double delay_s)
{
    struct filter_sample sample = sample_of(t_s, offset_s, delay_s);
    return filter_add(filter, &sample, terms, 0.0, at(t_s));
}

static void check_37_dispersion_of_0_to_8_good_samples(void)
{
    static const double expected[] = {7.9375, 3.9375, 1.9375, 0.9375, 0.4375, 0.1875, 0.0625, 0.0};
    struct filter_terms terms = terms_of(0.0, 64.0);
    struct filter filter;
    filter_clear(&filter, at(0));
    struct filter_sample nothing = sample_of(0.0, 0.0, DISPERSION_MAX_S);
    nothing.dispersion_s = DISPERSION_MAX_S;
    CHECK_INT(filter_add(&filter, &nothing, &terms, 0.0, at(0)), FILTER_EMPTY);
    CHECK(filter.dispersion_s == 15.9375);
    for (int n = 0; n < FILTER_STAGES; n++) {
        CHECK_INT(add(&filter, &terms, 64.0 * (n + 1), 0.0, 0.01), FILTER_FRESH);
        CHECK(filter.dispersion_s == expected[n]);
    }
}

static void dispersion_returns_by_the_same_steps_when_samples_stop(void)
{
    static const double expected[] = {0.0625, 0.1875, 0.4375, 0.9375,
                                      1.9375, 3.9375, 7.9375, 15.9375};
    struct filter_terms terms = terms_of(0.0, 64.0);
    struct filter filter;
    filter_clear(&filter, at(0));
    for (int n = 0; n < FILTER_STAGES; n++) {
        add(&filter, &terms, 64.0 * n, 0.0, 0.01);
    }
    for (int n = 0; n < FILTER_STAGES; n++) {
        struct filter_sample nothing = sample_of(64.0 * (8 + n), 0.0, DISPERSION_MAX_S);
        nothing.dispersion_s = DISPERSION_MAX_S;
        filter_add(&filter, &nothing, &terms, 0.0, at(64.0 * (8 + n)));
        CHECK(filter.dispersion_s == expected[n]);
    }
}

/* A fixed sequence of its own: 64-bit LCG, upper 53 bits, never 0. */
static double uniform(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(*state >> 11) + 0.5) / 9007199254740992.0;
}

static double exponential(uint64_t *state)
{
    return -log(uniform(state));
}

static void check_38_best_of_8_gains_11_5_dB_over_exponential_queues(void)
{
    enum { N = 100000 };
    struct filter_terms terms = terms_of(0.0, 64.0);
    uint64_t state = 38;
    double raw = 0.0, raw_square = 0.0, best = 0.0, best_square = 0.0;
    terms.allan_s = 1e9; /* order by delay alone */
    for (int i = 0; i < N; i++) {
        struct filter filter;
        filter_clear(&filter, at(0));
        for (int k = 0; k < FILTER_STAGES; k++) {
            double out = exponential(&state);
            double back = exponential(&state);
            double offset = 1e-3 * (out - back) / 2.0;
            raw += fabs(offset);
            raw_square += offset * offset;
            add(&filter, &terms, 64.0 * k, offset, 1e-3 * (out + back));
        }
        best += fabs(filter.offset_s);
        best_square += filter.offset_s * filter.offset_s;
    }
    CHECK_NEAR(20.0 * log10(raw / FILTER_STAGES / best), 11.525, 0.15);
    CHECK_NEAR(10.0 * log10(raw_square / FILTER_STAGES / best_square), 11.95, 0.15);
}

static void check_41_steady_dispersion_is_14_473e_6_of_the_poll_interval(void)
{
    static const int polls[] = {6, 10, 13, 15};
    for (int i = 0; i < 4; i++) {
        double poll_s = ldexp(1.0, polls[i]);
        struct filter_terms terms = terms_of(TOLERANCE, poll_s);
        struct filter filter;
        filter_clear(&filter, at(0));
        for (int n = 0; n < 20; n++) {
            add(&filter, &terms, poll_s * n, 0.0, 0.01);
        }
        CHECK_NEAR(filter.dispersion_s / (14.473e-6 * poll_s), 1.0, 0.01);
        CHECK_NEAR(filter_dispersion_s(&filter, TOLERANCE, at(poll_s * 20)) - filter.dispersion_s,
                   TOLERANCE * poll_s, 1e-12);
    }
}

static void a_sample_of_lower_delay_is_used_at_once_and_only_once(void)
{
    struct filter_terms terms = terms_of(TOLERANCE, 64.0);
    struct filter filter;
    filter_clear(&filter, at(0));
    CHECK_INT(add(&filter, &terms, 0.0, 1e-3, 0.010), FILTER_FRESH);
    CHECK_INT(add(&filter, &terms, 64.0, 5e-3, 0.020), FILTER_STALE);
    CHECK(filter.offset_s == 1e-3);
    CHECK_INT(add(&filter, &terms, 128.0, 2e-3, 0.009), FILTER_FRESH);
    CHECK(filter.offset_s == 2e-3);
    CHECK(filter.delay_s == 0.009);
    CHECK(filter.used.ticks == at(128.0).ticks);
}

static void an_older_sample_is_never_used_after_a_later_one(void)
{
    struct filter_terms terms = terms_of(TOLERANCE, 64.0);
    struct filter filter;
    filter_clear(&filter, at(0));
    terms.allan_s = 1e9;
    add(&filter, &terms, 0.0, 1e-3, 0.015);   /* used, then passed over */
    add(&filter, &terms, 64.0, 2e-3, 0.012);  /* used */
    add(&filter, &terms, 128.0, 3e-3, 0.013); /* not the best: never used yet */
    CHECK_INT(add(&filter, &terms, 192.0, 4e-3, 0.010), FILTER_FRESH);
    mono_time last = filter.used;
    for (int n = 4; n < 40; n++) {
        double delay = 0.020 + 0.001 * ((n * 7) % 5);
        enum filter_verdict verdict = add(&filter, &terms, 64.0 * n, 1e-3 * n, delay);
        if (verdict == FILTER_FRESH) {
            CHECK(mono_before(last, filter.used));
        } else {
            CHECK(filter.used.ticks == last.ticks);
        }
        last = filter.used;
    }
    CHECK(mono_before(at(192.0), last));
}

static void a_used_sample_that_ages_badly_does_not_bring_an_older_one_back(void)
{
    struct filter_terms terms = terms_of(TOLERANCE, 512.0);
    struct filter filter;
    filter_clear(&filter, at(0));
    CHECK_INT(add(&filter, &terms, 0.0, 1e-3, 0.0120), FILTER_FRESH);
    struct filter_sample vague = sample_of(512.0, 2e-3, 0.0119);
    vague.dispersion_s = 0.050;
    CHECK_INT(filter_add(&filter, &vague, &terms, 0.0, at(512.0)), FILTER_FRESH);
    add(&filter, &terms, 2048.0, 3e-3, 0.2);
    /* Both are beyond the intercept now, and the older one has the better sum. */
    CHECK_INT(add(&filter, &terms, 2600.0, 4e-3, 0.2), FILTER_STALE);
    CHECK(filter.offset_s == 1e-3);
    CHECK(filter.used.ticks == at(512.0).ticks);
}

static void offsets_are_restated_for_slews_made_since(void)
{
    struct filter_terms terms = terms_of(TOLERANCE, 64.0);
    struct filter filter;
    filter_clear(&filter, at(0));
    struct filter_sample first = sample_of(0.0, 10e-3, 0.010);
    struct filter_sample second = sample_of(64.0, 4e-3, 0.020);
    first.slewed_s = 1.0;
    second.slewed_s = 1.006;
    filter_add(&filter, &first, &terms, 1.0, at(0.0));
    CHECK_NEAR(filter_offset_s(&filter, 1.006), 4e-3, 1e-12);
    CHECK_INT(filter_add(&filter, &second, &terms, 1.006, at(64.0)), FILTER_STALE);
    CHECK_NEAR(filter.offset_s, 4e-3, 1e-12); /* of the first sample, as it is now */
    CHECK_NEAR(filter.jitter_s, ldexp(1.0, -22), 1e-15);
    CHECK_NEAR(filter_offset_s(&filter, 1.010), 0.0, 1e-12);
}

/* Two samples, the first of lower delay, the second `gap_s` later: is the first one still the
 * best? */
static bool first_stays_best(double gap_s)
{
    struct filter_terms terms = terms_of(TOLERANCE, gap_s);
    struct filter filter;
    filter_clear(&filter, at(0));
    add(&filter, &terms, 0.0, 1e-3, 0.010);
    add(&filter, &terms, gap_s, 2e-3, 0.020);
    return filter.offset_s == 1e-3;
}

/* Offsets tell the samples apart: the best is the newest of those with the least delay, in whatever
 * order delays came. Dispersions tell the whole order: each counts half as much as the one before
 * it. */
static void stages_are_ordered_by_delay_and_the_newest_of_equals_is_first(void)
{
    struct filter_terms terms = terms_of(0.0, 64.0);
    struct filter filter;
    uint64_t random = 1;
    filter_clear(&filter, at(0));
    double delays[2000];
    for (int n = 0; n < 2000; n++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        delays[n] = 0.001 * (1 + (unsigned)(random >> 62));
        struct filter_sample sample = sample_of(10.0 * n, 1e-6 * n, delays[n]);
        sample.dispersion_s = 1e-6 * n;
        (void)filter_add(&filter, &sample, &terms, 0.0, at(10.0 * n));
        if (n < FILTER_STAGES) {
            continue;
        }
        double weight = 0.5, dispersion = 0.0;
        int best = -1;
        for (unsigned k = 0; k < 4; k++) {
            for (int i = n; i > n - FILTER_STAGES; i--) {
                if (delays[i] == 0.001 * (1 + k)) {
                    best = best < 0 ? i : best;
                    dispersion += weight * 1e-6 * i;
                    weight *= 0.5;
                }
            }
        }
        CHECK(filter.offset_s == 1e-6 * best);
        CHECK(filter.delay_s == delays[best]);
        CHECK_NEAR(filter.dispersion_s, dispersion, 1e-12);
    }
}

static void beyond_the_allan_intercept_age_counts_against_a_sample(void)
{
    /* 10 ms less delay is worth 15e-6 * 667 s of age, but only beyond 2048 s is age looked at. */
    CHECK(first_stays_best(600.0));
    CHECK(first_stays_best(2048.0));
    CHECK(!first_stays_best(2049.0));
}

/* Where a mono time less the intercept is no time any more: 47 years below zero, and 68 years. */
static void an_endless_intercept_counts_no_age(void)
{
    struct filter_terms terms = terms_of(1e-3, 64.0);
    struct filter filter;
    terms.allan_s = ldexp(1.0, 31);
    filter_clear(&filter, at(-1.5e9));
    add(&filter, &terms, -1.5e9, 1e-3, 0.001);
    CHECK_INT(add(&filter, &terms, -1.5e9 + 100.0, 2e-3, 0.005), FILTER_STALE);
    CHECK(filter.offset_s == 1e-3);
}

/* Seven samples in a burst behind one of lower delay and another offset, which the ninth pushes out
 * of the register: then the estimate jumps by 2 ms while the rest agree within `noise`. */
static enum filter_verdict jump(struct filter *filter, double spacing_s, double noise_s)
{
    struct filter_terms terms = terms_of(TOLERANCE, 64.0);
    filter_clear(filter, at(0));
    add(filter, &terms, 0.0, 2e-3, 0.005);
    for (int n = 1; n < FILTER_STAGES; n++) {
        add(filter, &terms, spacing_s * n, n % 2 ? noise_s : -noise_s, 0.010);
    }
    return add(filter, &terms, spacing_s * FILTER_STAGES, 0.0, 0.010);
}

static void while_the_frequency_is_measured_the_newest_counts(void)
{
    struct filter_terms terms = terms_of(TOLERANCE, 64.0);
    struct filter filter;
    terms.newest_first = true;
    filter_clear(&filter, at(0));
    for (int n = 0; n < 12; n++) {
        CHECK_INT(add(&filter, &terms, 64.0 * n, 1e-3 * n, n % 2 ? 0.010 : 0.030), FILTER_FRESH);
        CHECK(filter.offset_s == 1e-3 * n);
    }
    struct filter_sample nothing = sample_of(768.0, 9.0, DISPERSION_MAX_S);
    nothing.dispersion_s = DISPERSION_MAX_S;
    CHECK_INT(filter_add(&filter, &nothing, &terms, 0.0, at(768.0)), FILTER_STALE);
    CHECK(filter.offset_s == 11e-3); /* a missed poll is no sample */
}

static void popcorn_is_held_back_once(void)
{
    struct filter filter;
    struct filter_terms terms = terms_of(TOLERANCE, 64.0);
    CHECK_INT(jump(&filter, 2.0, 10e-6), FILTER_SPIKE);
    CHECK(filter.used.ticks == at(0.0).ticks);
    CHECK_INT(add(&filter, &terms, 18.0, 0.0, 0.010), FILTER_FRESH);
    CHECK(filter.used.ticks == at(18.0).ticks);
}

static void a_jump_within_three_jitters_is_no_popcorn(void)
{
    struct filter filter;
    CHECK_INT(jump(&filter, 2.0, 1e-3), FILTER_FRESH);
}

static void a_jump_after_two_polls_is_no_popcorn(void)
{
    struct filter filter;
    CHECK_INT(jump(&filter, 16.0, 10e-6), FILTER_FRESH);
}

static void jitter_is_the_rms_difference_from_the_best(void)
{
    struct filter_terms terms = terms_of(TOLERANCE, 64.0);
    struct filter filter;
    filter_clear(&filter, at(0));
    add(&filter, &terms, 0.0, 1e-3, 0.010);
    CHECK(filter.jitter_s == ldexp(1.0, -22));
    add(&filter, &terms, 64.0, 4e-3, 0.020);
    CHECK_NEAR(filter.jitter_s, 3e-3, 1e-12);
    add(&filter, &terms, 128.0, -3e-3, 0.030);
    CHECK_NEAR(filter.jitter_s, sqrt((9e-6 + 16e-6) / 2.0), 1e-12);
}

static void a_cleared_filter_claims_the_largest_dispersion(void)
{
    struct filter filter;
    filter_clear(&filter, at(5.0));
    CHECK(filter_dispersion_s(&filter, TOLERANCE, at(5.0)) == DISPERSION_MAX_S);
    CHECK(filter_dispersion_s(&filter, TOLERANCE, at(1e6)) == DISPERSION_MAX_S);
    CHECK(!filter.has_used);
}

/* However quick it came: it may be off by MAXDISP, and is not the best nor in the jitter. */
static void a_sample_as_uncertain_as_can_be_is_of_no_use(void)
{
    struct filter_terms terms = terms_of(0.0, 64.0);
    struct filter filter;
    struct filter_sample quick = sample_of(0.0, 5e-3, 0.001);
    quick.dispersion_s = DISPERSION_MAX_S;
    filter_clear(&filter, at(0));
    CHECK_INT(filter_add(&filter, &quick, &terms, 0.0, at(0)), FILTER_EMPTY);
    CHECK_INT(add(&filter, &terms, 64.0, 1e-3, 0.020), FILTER_FRESH);
    CHECK(filter.offset_s == 1e-3);
    CHECK(filter.jitter_s == terms.precision_s);
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
const struct test_case filter_tests[] = {
    CASE(check_37_dispersion_of_0_to_8_good_samples),
    CASE(dispersion_returns_by_the_same_steps_when_samples_stop),
    CASE(check_38_best_of_8_gains_11_5_dB_over_exponential_queues),
    CASE(check_41_steady_dispersion_is_14_473e_6_of_the_poll_interval),
    CASE(a_sample_of_lower_delay_is_used_at_once_and_only_once),
    CASE(an_older_sample_is_never_used_after_a_later_one),
    CASE(a_used_sample_that_ages_badly_does_not_bring_an_older_one_back),
    CASE(offsets_are_restated_for_slews_made_since),
    CASE(stages_are_ordered_by_delay_and_the_newest_of_equals_is_first),
    CASE(beyond_the_allan_intercept_age_counts_against_a_sample),
    CASE(an_endless_intercept_counts_no_age),
    CASE(while_the_frequency_is_measured_the_newest_counts),
    CASE(popcorn_is_held_back_once),
    CASE(a_jump_within_three_jitters_is_no_popcorn),
    CASE(a_jump_after_two_polls_is_no_popcorn),
    CASE(jitter_is_the_rms_difference_from_the_best),
    CASE(a_cleared_filter_claims_the_largest_dispersion),
    CASE(a_sample_as_uncertain_as_can_be_is_of_no_use),
    {NULL, NULL}};
