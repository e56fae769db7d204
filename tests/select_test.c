/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Intersection, cluster and combine on candidates written by hand. Check 58 is of the validation
 * table.
 */
#include "../engine/select.h"

#include "../engine/constants.h"
#include "check.h"

static struct select_terms terms_of(void)
{
    return (struct select_terms){
        .minclock = 3, .minsane = 1, .mindist_s = 0.001, .maxdist_s = DISTANCE_MAX_S};
}

/* A stratum-2 source of its own line that may be followed. */
static struct candidate source_at(int source, double offset_s, double distance_s)
{
    return (struct candidate){.source = source,
                              .offset_s = offset_s,
                              .distance_s = distance_s,
                              .jitter_s = 1e-6,
                              .stratum = 2,
                              .family = (uint16_t)source,
                              .may_lead = true};
}

static struct candidate *by_source(struct candidate *candidates, int count, int source)
{
    for (int i = 0; i < count; i++) {
        if (candidates[i].source == source) {
            return &candidates[i];
        }
    }
    CHECK(false);
    return NULL;
}

static void check_58_two_falsetickers_of_five_are_outvoted(void)
{
    struct candidate c[] = {source_at(0, 1.0, 0.01), source_at(1, 0.001, 0.01),
                            source_at(2, 1.001, 0.01), source_at(3, -0.001, 0.01),
                            source_at(4, 0.000, 0.01)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    double offset, jitter;
    CHECK_INT(select_candidates(c, 5, &terms, &result), SELECT_FOUND);
    select_combine(c, 5, result.best, &offset, &jitter);
    CHECK_NEAR(offset, 0.0, 1e-12);
    CHECK(!by_source(c, 5, 0)->is_truechimer);
    CHECK(!by_source(c, 5, 2)->is_truechimer);
    CHECK(!by_source(c, 5, 0)->is_survivor);
    CHECK(by_source(c, 5, 1)->is_truechimer);
}

static void check_58_three_colluders_of_five_are_followed(void)
{
    struct candidate c[] = {source_at(0, 1.0, 0.01), source_at(1, 0.001, 0.01),
                            source_at(2, 1.0, 0.01), source_at(3, -0.001, 0.01),
                            source_at(4, 1.0, 0.01)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    double offset, jitter;
    CHECK_INT(select_candidates(c, 5, &terms, &result), SELECT_FOUND);
    select_combine(c, 5, result.best, &offset, &jitter);
    CHECK_NEAR(offset, 1.0, 1e-12);
    CHECK(!by_source(c, 5, 1)->is_truechimer);
}

/* n sources, those of `liars` one apart from the truth on either side or together. */
static void judge_minority(int n, unsigned liars, int arrangement)
{
    static const double apart[3][7] = {
        {1, 1, 1, 1, 1, 1, 1}, {1, -1, 1, -1, 1, -1, 1}, {1, 2, 3, 4, 5, 6, 7}};
    struct candidate c[7];
    struct select_terms terms = terms_of();
    struct selection_result result;
    int told = 0;
    for (int i = 0; i < n; i++) {
        bool is_liar = liars >> i & 1;
        double offset = is_liar ? apart[arrangement][told++] : 0.002 * i / n;
        c[i] = source_at(i, offset, 0.010);
    }
    enum select_verdict verdict = select_candidates(c, n, &terms, &result);
    bool is_minority = 2 * told < n;
    CHECK(verdict == SELECT_FOUND || !is_minority);
    for (int i = 0; i < n && is_minority; i++) {
        CHECK(c[i].is_truechimer == !(liars >> c[i].source & 1));
    }
    if (is_minority && verdict == SELECT_FOUND) {
        double offset, jitter;
        select_combine(c, n, result.best, &offset, &jitter);
        CHECK(offset >= 0.0 && offset <= 0.002);
    }
}

static void a_minority_of_falsetickers_never_wins_among_up_to_seven(void)
{
    for (int n = 1; n <= 7; n++) {
        for (unsigned liars = 0; liars < 1u << n; liars++) {
            for (int arrangement = 0; arrangement < 3; arrangement++) {
                judge_minority(n, liars, arrangement);
            }
        }
    }
}

static void two_that_disagree_have_no_majority(void)
{
    struct candidate c[] = {source_at(0, 0.0, 0.010), source_at(1, 0.0211, 0.010)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    CHECK_INT(select_candidates(c, 2, &terms, &result), SELECT_NO_MAJORITY);
    CHECK_INT(result.best, -1);
}

static void intervals_that_touch_agree(void)
{
    struct candidate c[] = {source_at(0, 0.0, 0.25), source_at(1, 0.5, 0.25)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    CHECK_INT(select_candidates(c, 2, &terms, &result), SELECT_FOUND);
    CHECK(result.low_s == 0.25 && result.high_s == 0.25);
    CHECK(c[0].is_truechimer && c[1].is_truechimer);
}

static void an_interval_is_never_narrower_than_mindist(void)
{
    struct candidate c[] = {source_at(0, 0.0, 1e-6), source_at(1, 0.0015, 1e-6)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    CHECK_INT(select_candidates(c, 2, &terms, &result), SELECT_FOUND);
    terms.mindist_s = 0.0005;
    CHECK_INT(select_candidates(c, 2, &terms, &result), SELECT_NO_MAJORITY);
}

static void no_candidates_is_no_selection(void)
{
    struct select_terms terms = terms_of();
    struct selection_result result;
    CHECK_INT(select_candidates(NULL, 0, &terms, &result), SELECT_NONE);
}

static void one_that_only_votes_is_not_followed_but_decides(void)
{
    struct candidate c[] = {source_at(0, 0.0, 0.010), source_at(1, 1.0, 0.010),
                            source_at(2, 1.0, 0.005)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    c[2].may_lead = false;
    CHECK_INT(select_candidates(c, 3, &terms, &result), SELECT_FOUND);
    CHECK_INT(c[result.best].source, 1);
    CHECK(!by_source(c, 3, 2)->is_survivor);
    CHECK(!by_source(c, 3, 0)->is_truechimer);
    double offset, jitter;
    by_source(c, 3, 2)->offset_s = 7.0; /* not in the mean either */
    select_combine(c, 3, result.best, &offset, &jitter);
    CHECK_NEAR(offset, 1.0, 1e-12);
}

static void when_all_only_vote_nobody_is_followed(void)
{
    struct candidate c[] = {source_at(0, 0.0, 0.010), source_at(1, 0.0, 0.010)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    c[0].may_lead = c[1].may_lead = false;
    CHECK_INT(select_candidates(c, 2, &terms, &result), SELECT_NONE);
}

/* My own interval is 0 +- 100 ms; the sources stand at `offset` with families as given. */
static enum select_verdict against_own_bound(double offset_s, int count, uint16_t first,
                                             uint16_t second)
{
    struct candidate c[] = {source_at(0, offset_s, 0.010), source_at(1, offset_s, 0.010)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    terms.own_votes = true;
    terms.own_distance_s = 0.100;
    c[0].family = first;
    c[1].family = second;
    return select_candidates(c, count, &terms, &result);
}

static void one_source_outside_my_own_bound_is_not_followed(void)
{
    CHECK_INT(against_own_bound(0.05, 1, 0, 0), SELECT_FOUND);
    CHECK_INT(against_own_bound(0.109, 1, 0, 0), SELECT_FOUND);
    CHECK_INT(against_own_bound(0.111, 1, 0, 0), SELECT_NO_MAJORITY);
    CHECK_INT(against_own_bound(-0.111, 1, 0, 0), SELECT_NO_MAJORITY);
}

static void two_independent_sources_outside_my_own_bound_are_followed(void)
{
    CHECK_INT(against_own_bound(0.5, 2, 0, 1), SELECT_FOUND);
    CHECK_INT(against_own_bound(-0.5, 2, 0, 1), SELECT_FOUND);
}

static void two_of_one_family_outside_my_own_bound_are_disputed(void)
{
    CHECK_INT(against_own_bound(0.5, 2, 7, 7), SELECT_DISPUTED);
    CHECK_INT(against_own_bound(-0.5, 2, 7, 7), SELECT_DISPUTED);
    CHECK_INT(against_own_bound(0.05, 2, 7, 7), SELECT_FOUND);
}

static void my_own_bound_breaks_a_tie_of_two(void)
{
    struct candidate c[] = {source_at(0, 0.9, 0.010), source_at(1, 0.01, 0.010)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    CHECK_INT(select_candidates(c, 2, &terms, &result), SELECT_NO_MAJORITY);
    terms.own_votes = true;
    terms.own_distance_s = 0.100;
    CHECK_INT(select_candidates(c, 2, &terms, &result), SELECT_FOUND);
    CHECK_INT(c[result.best].source, 1);
}

static void best_is_the_lowest_stratum_then_the_least_distance(void)
{
    struct candidate c[] = {source_at(0, 0.0, 0.010), source_at(1, 0.0, 0.900),
                            source_at(2, 0.0, 0.005)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    c[1].stratum = 1;
    CHECK_INT(select_candidates(c, 3, &terms, &result), SELECT_FOUND);
    CHECK_INT(c[0].source, 1);
    CHECK_INT(c[1].source, 2);
    CHECK_INT(c[2].source, 0);
    CHECK_INT(result.best, 0);
}

static void equals_are_ranked_by_their_place_in_the_file(void)
{
    struct candidate c[] = {source_at(2, 0.0, 0.01), source_at(0, 0.0, 0.01),
                            source_at(1, 0.0, 0.01)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    select_candidates(c, 3, &terms, &result);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(c[i].source, i);
    }
}

static void prefer_leads_when_it_survives(void)
{
    struct candidate c[] = {source_at(0, 0.000, 0.010), source_at(1, 0.002, 0.020),
                            source_at(2, 0.001, 0.010)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    double offset, jitter;
    c[1].is_preferred = true;
    CHECK_INT(select_candidates(c, 3, &terms, &result), SELECT_FOUND);
    CHECK_INT(c[result.best].source, 1);
    select_combine(c, 3, result.best, &offset, &jitter);
    CHECK(offset == 0.002); /* alone */
    by_source(c, 3, 1)->offset_s = 3.0;
    CHECK_INT(select_candidates(c, 3, &terms, &result), SELECT_FOUND);
    CHECK(c[result.best].source != 1);
}

static void prefer_does_not_help_one_that_has_missed_polls(void)
{
    struct candidate c[] = {source_at(0, 0.0, 0.010), source_at(1, 0.0, 0.005)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    c[1].is_preferred = c[1].is_late = true;
    CHECK_INT(select_candidates(c, 2, &terms, &result), SELECT_FOUND);
    CHECK_INT(c[result.best].source, 0);
    by_source(c, 2, 0)->is_late = true; /* nobody answers: rank decides */
    CHECK_INT(select_candidates(c, 2, &terms, &result), SELECT_FOUND);
    CHECK_INT(c[result.best].source, 1);
}

static void true_survives_although_it_disagrees(void)
{
    struct candidate c[] = {source_at(0, 0.0, 0.01), source_at(1, 0.0, 0.01),
                            source_at(2, 0.5, 0.01)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    select_candidates(c, 3, &terms, &result);
    CHECK(!by_source(c, 3, 2)->is_truechimer);
    by_source(c, 3, 2)->is_true = true;
    select_candidates(c, 3, &terms, &result);
    CHECK(by_source(c, 3, 2)->is_truechimer);
    CHECK(by_source(c, 3, 2)->is_survivor);
}

static void fewer_than_minsane_are_not_followed(void)
{
    struct candidate c[] = {source_at(0, 0.0, 0.01), source_at(1, 0.0, 0.01),
                            source_at(2, 0.0, 0.01)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    terms.minsane = 3;
    CHECK_INT(select_candidates(c, 3, &terms, &result), SELECT_FOUND);
    c[2].may_lead = false; /* it votes, but minsane counts who may be followed */
    CHECK_INT(select_candidates(c, 3, &terms, &result), SELECT_TOO_FEW);
}

static void cluster_casts_off_the_outlier_and_stops_at_minclock(void)
{
    struct candidate c[] = {source_at(0, 0.000, 0.1), source_at(1, 0.001, 0.1),
                            source_at(2, 0.002, 0.1), source_at(3, 0.050, 0.1),
                            source_at(4, -0.040, 0.1)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    CHECK_INT(select_candidates(c, 5, &terms, &result), SELECT_FOUND);
    for (int source = 0; source < 5; source++) {
        CHECK(by_source(c, 5, source)->is_truechimer);
        CHECK(by_source(c, 5, source)->is_survivor == (source < 3));
    }
    terms.minclock = 4;
    select_candidates(c, 5, &terms, &result);
    CHECK(!by_source(c, 5, 3)->is_survivor); /* the farthest went first */
    CHECK(by_source(c, 5, 4)->is_survivor);
}

static void cluster_keeps_all_when_their_own_jitter_is_larger(void)
{
    struct candidate c[] = {source_at(0, 0.000, 0.1), source_at(1, 0.001, 0.1),
                            source_at(2, 0.002, 0.1), source_at(3, 0.050, 0.1)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    for (int i = 0; i < 4; i++) {
        c[i].jitter_s = 0.060;
    }
    select_candidates(c, 4, &terms, &result);
    CHECK(by_source(c, 4, 3)->is_survivor);
}

static void combine_weighs_by_the_inverse_of_the_distance(void)
{
    struct candidate c[] = {source_at(0, 0.000, 0.010), source_at(1, 0.004, 0.020),
                            source_at(2, 0.008, 0.040)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    double offset, jitter;
    for (int i = 0; i < 3; i++) {
        c[i].jitter_s = 0.003;
    }
    CHECK_INT(select_candidates(c, 3, &terms, &result), SELECT_FOUND);
    CHECK_NEAR(result.select_jitter_s, sqrt((0.004 * 0.004 + 0.008 * 0.008) / 2.0), 1e-15);
    select_combine(c, 3, result.best, &offset, &jitter);
    CHECK_NEAR(offset, (0.0 * 100 + 0.004 * 50 + 0.008 * 25) / 175, 1e-15);
    double spread = (50 * 0.004 * 0.004 + 25 * 0.008 * 0.008) / 175;
    CHECK_NEAR(jitter, sqrt(spread + 0.003 * 0.003), 1e-15);
}

static void combine_leaves_out_the_late_and_the_group(void)
{
    struct candidate c[] = {source_at(0, 0.000, 0.010), source_at(1, 0.004, 0.010),
                            source_at(2, 0.008, 0.010), source_at(3, 0.007, 0.010)};
    struct select_terms terms = terms_of();
    struct selection_result result;
    double offset, jitter;
    terms.minclock = 4;
    c[1].is_late = true;
    c[2].is_member = c[3].is_member = true;
    CHECK_INT(select_candidates(c, 4, &terms, &result), SELECT_FOUND);
    CHECK_INT(c[result.best].source, 0);
    select_combine(c, 4, result.best, &offset, &jitter);
    CHECK(offset == 0.0);
    int member = (int)(by_source(c, 4, 2) - c);
    select_combine(c, 4, member, &offset, &jitter);
    CHECK(offset == 0.008); /* a member is followed alone */
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
const struct test_case select_tests[] = {
    CASE(check_58_two_falsetickers_of_five_are_outvoted),
    CASE(check_58_three_colluders_of_five_are_followed),
    CASE(a_minority_of_falsetickers_never_wins_among_up_to_seven),
    CASE(two_that_disagree_have_no_majority),
    CASE(intervals_that_touch_agree),
    CASE(an_interval_is_never_narrower_than_mindist),
    CASE(no_candidates_is_no_selection),
    CASE(one_that_only_votes_is_not_followed_but_decides),
    CASE(when_all_only_vote_nobody_is_followed),
    CASE(one_source_outside_my_own_bound_is_not_followed),
    CASE(two_independent_sources_outside_my_own_bound_are_followed),
    CASE(two_of_one_family_outside_my_own_bound_are_disputed),
    CASE(my_own_bound_breaks_a_tie_of_two),
    CASE(best_is_the_lowest_stratum_then_the_least_distance),
    CASE(equals_are_ranked_by_their_place_in_the_file),
    CASE(prefer_leads_when_it_survives),
    CASE(prefer_does_not_help_one_that_has_missed_polls),
    CASE(true_survives_although_it_disagrees),
    CASE(fewer_than_minsane_are_not_followed),
    CASE(cluster_casts_off_the_outlier_and_stops_at_minclock),
    CASE(cluster_keeps_all_when_their_own_jitter_is_larger),
    CASE(combine_weighs_by_the_inverse_of_the_distance),
    CASE(combine_leaves_out_the_late_and_the_group),
    {NULL, NULL}};
