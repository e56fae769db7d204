/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The link's laws against closed forms, its faults against the same link without them.
 */
#include "../sim/link.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

#include "check.h"

static struct link make_link(const struct link_law *law, uint64_t pair)
{
    struct path_law path = {.forward = *law, .back = *law};
    struct link link;
    link_init(&link, &path, 0, 2026, pair);
    link.law = law; /* `path` ends here */
    return link;
}

/* Delay in seconds of one datagram; negative when it was lost. */
static double carry_s(struct link *link, double t_s)
{
    sim_time t = sim_from_s(t_s), arrivals[2];
    return link_carry(link, t, arrivals) > 0 ? sim_diff_s(arrivals[0], t) : -1.0;
}

static void presets_have_the_names_of_their_list(void)
{
    static const char *const expected[] = {"ideal", "lan", "campus", "wan"};
    const char *const *names = path_preset_names();
    for (unsigned i = 0; i < 4; i++) {
        CHECK_STR(names[i], expected[i]);
        CHECK(path_preset(names[i]) != NULL);
    }
    CHECK(names[4] == NULL);
    CHECK(path_preset("moon") == NULL);
}

static void an_ideal_link_takes_no_time_and_loses_nothing(void)
{
    struct link link;
    link_init(&link, path_preset("ideal"), 1, 1, 1);
    for (unsigned i = 0; i < 1000; i++) {
        sim_time t = {(int64_t)i << 30}, arrivals[2];
        CHECK_INT(link_carry(&link, t, arrivals), 1);
        CHECK_INT(arrivals[0].ticks, t.ticks);
    }
}

static void the_same_seed_and_pair_carry_the_same(void)
{
    struct link one, other, back, stranger;
    link_init(&one, path_preset("wan"), 0, 1, 77);
    link_init(&other, path_preset("wan"), 0, 1, 77);
    link_init(&back, path_preset("wan"), 1, 1, 77);
    link_init(&stranger, path_preset("wan"), 0, 1, 78);
    unsigned as_back = 0, as_stranger = 0;
    for (unsigned i = 0; i < 1000; i++) {
        double delay_s = carry_s(&one, 10.0 * i);
        CHECK(delay_s == carry_s(&other, 10.0 * i));
        as_back += delay_s == carry_s(&back, 10.0 * i);
        as_stranger += delay_s == carry_s(&stranger, 10.0 * i);
    }
    CHECK(as_back < 10);
    CHECK(as_stranger < 10);
}

/* Check 39: an exchange over two queues, both clocks right. The offset that NTP computes is wrong
 * by half the difference of the delays: never by more than half of what the round trip has over its
 * base. */
static void check_39_offset_error_stays_inside_the_wedge(void)
{
    struct path_law path = *path_preset("campus");
    struct link forward, back;
    link_init(&forward, &path, 0, 5, 6);
    link_init(&back, &path, 1, 5, 6);
    double base_s = path.forward.base_s + path.back.base_s;
    unsigned violations = 0, exchanges = 0;
    double most_s = 0.0;
    for (unsigned i = 0; i < 20000; i++) {
        sim_time t1 = sim_from_s(16.0 * i), t2[2], t4[2];
        if (link_carry(&forward, t1, t2) == 0) {
            continue;
        }
        sim_time t3 = sim_add_s(t2[0], 20e-6);
        if (link_carry(&back, t3, t4) == 0) {
            continue;
        }
        double offset_s = (sim_diff_s(t2[0], t1) + sim_diff_s(t3, t4[0])) / 2.0;
        double delay_s = sim_diff_s(t4[0], t1) - sim_diff_s(t3, t2[0]);
        violations += fabs(offset_s) > (delay_s - base_s) / 2.0 + 1.5e-9;
        most_s = fmax(most_s, fabs(offset_s));
        exchanges++;
    }
    CHECK_INT(violations, 0);
    CHECK(exchanges > 19900);
    CHECK(most_s > 100e-6); /* there was something to bound */
}

static void check_39_an_asymmetry_shifts_the_offset_by_its_half(void)
{
    struct path_law path = {.forward = {.base_s = 20e-3}, .back = {.base_s = 20e-3}};
    struct link forward, back;
    link_init(&forward, &path, 0, 5, 6);
    link_init(&back, &path, 1, 5, 6);
    forward.extra_delay_s = 10e-3;
    for (unsigned i = 0; i < 100; i++) {
        double there_s = carry_s(&forward, 64.0 * i), here_s = carry_s(&back, 64.0 * i + 1.0);
        CHECK_NEAR((there_s - here_s) / 2.0, 5.000e-3, 1e-9);
    }
}

static void a_pair_draws_its_asymmetry_once_and_forward(void)
{
    enum { PAIRS = 4000 };
    struct path_law path = {.forward = {.base_s = 10e-3, .asymmetry_sd_s = 1e-3},
                            .back = {.base_s = 10e-3}};
    double sum = 0.0, squares = 0.0;
    for (uint64_t pair = 0; pair < PAIRS; pair++) {
        struct link forward, again, back;
        link_init(&forward, &path, 0, 3, pair);
        link_init(&again, &path, 0, 3, pair);
        link_init(&back, &path, 1, 3, pair);
        double shift_s = carry_s(&forward, 1.0) - 10e-3;
        CHECK(shift_s + 10e-3 == carry_s(&again, 5.0));
        CHECK_NEAR(carry_s(&back, 1.0), 10e-3, 1e-9);
        sum += shift_s;
        squares += shift_s * shift_s;
    }
    CHECK_NEAR(sum / PAIRS, 0.0, 4.0 * 1e-3 / sqrt(PAIRS));
    CHECK_NEAR(sqrt(squares / PAIRS), 1e-3, 1e-3 * 4.0 / sqrt(2.0 * PAIRS));
}

/* p = 0.01, r = 0.1 1/s. */
static const struct link_law bursty = {.base_s = 1e-3, .burst_share = 1.0 / 11.0, .burst_s = 10.0};

struct burst_count {
    double good, bad_after_good, bad, total;
};

/* Pairs of instants 10 s apart, with datagrams in between at the spacing given. */
static struct burst_count count_bursts(uint64_t pair, unsigned per_10_s)
{
    enum { N = 100000 };
    struct link link = make_link(&bursty, pair);
    struct burst_count count = {0};
    bool was_bad = false;
    for (unsigned i = 0; i <= N * per_10_s; i++) {
        bool is_bad = carry_s(&link, 10.0 / per_10_s * i) < 0.0;
        if (i % per_10_s == 0) {
            if (i > 0) {
                count.good += !was_bad;
                count.bad_after_good += !was_bad && is_bad;
                count.bad += is_bad;
                count.total += 1.0;
            }
            was_bad = is_bad;
        }
    }
    return count;
}

static void check_60_bursts_do_not_depend_on_the_spacing(void)
{
    static const unsigned per_10_s[] = {1, 3, 10};
    double share = 1.0 / 11.0;
    double after_good = share * (1.0 - exp(-0.11 * 10.0));
    CHECK_NEAR(share, 0.090909, 5e-7);
    CHECK_NEAR(after_good, 0.060648, 5e-7);
    double decay = exp(-0.11 * 10.0); /* neighbours are correlated: the share's variance grows so */
    double growth = (1.0 + decay) / (1.0 - decay);
    for (unsigned i = 0; i < 3; i++) {
        struct burst_count count = count_bursts(60 + i, per_10_s[i]);
        double share_sd = sqrt(share * (1.0 - share) * growth / count.total);
        double after_sd = sqrt(after_good * (1.0 - after_good) / count.good);
        CHECK_NEAR(count.bad / count.total, share, 3.0 * share_sd);
        CHECK_NEAR(count.bad_after_good / count.good, after_good, 3.0 * after_sd);
    }
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double cdf(const struct link_law *law, double x)
{
    switch (law->queue) {
    case QUEUE_EXPONENTIAL:
        return gsl_cdf_exponential_P(x, law->a);
    case QUEUE_GAMMA:
        return gsl_cdf_gamma_P(x, law->a, law->b);
    case QUEUE_LOGNORMAL:
        return gsl_cdf_lognormal_P(x, law->a, law->b);
    case QUEUE_WEIBULL:
        return gsl_cdf_weibull_P(x, law->a, law->b);
    case QUEUE_PARETO:
        return gsl_cdf_pareto_P(x, law->a, law->b);
    default:
        return 0.0;
    }
}

static double ks_distance(const struct link_law *law, uint64_t seed)
{
    enum { N = 100000 };
    double *x = malloc(N * sizeof *x);
    struct rng_state stream;
    rng_seed(&stream, seed, 0, 0);
    for (unsigned i = 0; i < N; i++) {
        x[i] = link_queue_draw(law, &stream);
    }
    qsort(x, N, sizeof *x, compare_doubles);
    double distance = 0.0;
    for (unsigned i = 0; i < N; i++) {
        double p = cdf(law, x[i]);
        distance = fmax(distance, fmax(p - i / (double)N, (i + 1) / (double)N - p));
    }
    free(x);
    return distance;
}

static void check_61_queues_follow_their_laws(void)
{
    static const struct link_law laws[] = {
        {.queue = QUEUE_EXPONENTIAL, .a = 1.5e-3},
        {.queue = QUEUE_GAMMA, .a = 0.7, .b = 3e-3},
        {.queue = QUEUE_GAMMA, .a = 2.0, .b = 2e-3},
        {.queue = QUEUE_LOGNORMAL, .a = -7.0, .b = 0.8},
        {.queue = QUEUE_WEIBULL, .a = 1e-3, .b = 0.6},
        {.queue = QUEUE_PARETO, .a = 4.0, .b = 1e-3}, /* its cap is one draw in 10^16 away */
    };
    for (unsigned i = 0; i < sizeof laws / sizeof laws[0]; i++) {
        CHECK_NEAR(ks_distance(&laws[i], 6100 + i), 0.0, 5.15e-3);
    }
}

static void a_pareto_queue_never_exceeds_ten_seconds(void)
{
    struct link_law law = {.queue = QUEUE_PARETO, .a = 0.2, .b = 1.0};
    struct rng_state stream;
    unsigned capped = 0;
    rng_seed(&stream, 1, 1, 1);
    for (unsigned i = 0; i < 1000; i++) {
        double queue_s = link_queue_draw(&law, &stream);
        CHECK(queue_s <= 10.0);
        capped += queue_s == 10.0;
    }
    CHECK(capped > 100);
}

/* Share of datagrams that met a queue, and its mean. */
static void measure_queue(double diurnal, double hour, double *share, double *mean_s)
{
    enum { N = 20000 };
    struct link_law law = {
        .base_s = 1e-3, .queue = QUEUE_EXPONENTIAL, .a = 1e-3, .load = 0.3, .diurnal = diurnal};
    struct link link = make_link(&law, 14);
    unsigned queued = 0;
    double sum_s = 0.0;
    for (unsigned i = 0; i < N; i++) {
        double queue_s = carry_s(&link, hour * 3600.0 + 1e-3 * i) - 1e-3;
        queued += queue_s > 1e-9;
        sum_s += queue_s > 1e-9 ? queue_s : 0.0;
    }
    *share = queued / (double)N;
    *mean_s = sum_s / queued;
}

static void load_and_queue_grow_at_two_and_not_at_night(void)
{
    double share, mean_s;
    measure_queue(0.0, 14.0, &share, &mean_s);
    CHECK_NEAR(share, 0.3, 0.013);
    CHECK_NEAR(mean_s, 1e-3, 0.055e-3);
    measure_queue(1.0, 14.0, &share, &mean_s);
    CHECK_NEAR(share, 0.6, 0.014);
    CHECK_NEAR(mean_s, 2e-3, 0.08e-3);
    measure_queue(1.0, 18.0, &share, &mean_s); /* cos 60 degrees */
    CHECK_NEAR(share, 0.45, 0.014);
    CHECK_NEAR(mean_s, 1.5e-3, 0.07e-3);
    measure_queue(1.0, 24.0 + 3.0, &share, &mean_s);
    CHECK_NEAR(share, 0.3, 0.013);
    CHECK_NEAR(mean_s, 1e-3, 0.055e-3);
}

static void losses_are_as_many_as_the_law_and_the_fault_say(void)
{
    enum { N = 100000 };
    struct link_law law = {.loss = 0.1};
    struct link link = make_link(&law, 20);
    unsigned lost = 0, lost_with_fault = 0;
    for (unsigned i = 0; i < N; i++) {
        lost += carry_s(&link, i) < 0.0;
    }
    link.extra_loss = 0.5;
    for (unsigned i = 0; i < N; i++) {
        lost_with_fault += carry_s(&link, N + i) < 0.0;
    }
    CHECK_NEAR(lost / (double)N, 0.1, 4.0 * sqrt(0.09 / N));
    CHECK_NEAR(lost_with_fault / (double)N, 0.55, 4.0 * sqrt(0.2475 / N));
}

static void a_link_starts_in_a_burst_as_often_as_the_law_says(void)
{
    enum { PAIRS = 10000 };
    struct link_law law = {.burst_share = 0.3, .burst_s = 1000.0};
    unsigned bad = 0;
    for (uint64_t pair = 0; pair < PAIRS; pair++) {
        struct link link = make_link(&law, pair);
        bad += carry_s(&link, 0.0) < 0.0;
    }
    CHECK_NEAR(bad / (double)PAIRS, 0.3, 4.0 * sqrt(0.21 / PAIRS));
}

/* Share of datagrams that fared alike (none, one or two copies) there and back. */
static double share_alike(const struct link_law *law)
{
    enum { N = 10000 };
    struct path_law path = {.forward = *law, .back = *law};
    struct link forward, back;
    unsigned alike = 0;
    link_init(&forward, &path, 0, 1, 1);
    link_init(&back, &path, 1, 1, 1);
    for (unsigned i = 0; i < N; i++) {
        sim_time t = sim_from_s(100.0 * i), arrivals[2];
        unsigned there = link_carry(&forward, t, arrivals);
        alike += there == link_carry(&back, t, arrivals);
    }
    return alike / (double)N;
}

static void the_two_directions_fare_independently(void)
{
    struct link_law lossy = {.loss = 0.5}, doubling = {.duplicate = 0.5};
    struct link_law in_bursts = {.burst_share = 0.5, .burst_s = 1.0};
    CHECK_NEAR(share_alike(&lossy), 0.5, 0.02);
    CHECK_NEAR(share_alike(&doubling), 0.5, 0.02);
    CHECK_NEAR(share_alike(&in_bursts), 0.5, 0.02);
}

/* Every purpose at once, with a queue whose draws vary in number. */
static const struct link_law busy = {.base_s = 5e-3,
                                     .queue = QUEUE_GAMMA,
                                     .a = 0.7,
                                     .b = 1e-3,
                                     .load = 0.5,
                                     .diurnal = 0.5,
                                     .loss = 0.05,
                                     .burst_share = 0.1,
                                     .burst_s = 20.0,
                                     .duplicate = 0.1};

/* Whoever meets a queue under a low load meets the same one under a high load, whatever those
 * before it met. */
static void another_load_shifts_no_draw(void)
{
    static const struct link_law laws[] = {{.queue = QUEUE_EXPONENTIAL, .a = 1e-3},
                                           {.queue = QUEUE_GAMMA, .a = 1.0, .b = 1e-3},
                                           {.queue = QUEUE_GAMMA, .a = 0.7, .b = 1e-3},
                                           {.queue = QUEUE_LOGNORMAL, .a = -7.0, .b = 0.5},
                                           {.queue = QUEUE_WEIBULL, .a = 1e-3, .b = 2.0}};
    for (size_t k = 0; k < sizeof laws / sizeof laws[0]; k++) {
        struct link_law low = laws[k], high = laws[k];
        unsigned met = 0, differences = 0;
        low.load = 0.2;
        high.load = 0.9;
        struct link quiet = make_link(&low, 33), crowded = make_link(&high, 33);
        for (unsigned i = 0; i < 2000; i++) {
            double first_s = carry_s(&quiet, i), second_s = carry_s(&crowded, i);
            met += first_s > 1e-9;
            differences += first_s > 1e-9 && (first_s < second_s || first_s > second_s);
        }
        CHECK(met > 300 && met < 500);
        CHECK_INT(differences, 0);
    }
}

static void healing_a_cut_shifts_nothing(void)
{
    struct link whole = make_link(&busy, 30), cut = make_link(&busy, 30);
    unsigned differences = 0, passed = 0;
    for (unsigned i = 0; i < 5000; i++) {
        sim_time t = sim_from_s(3.0 * i), a[2] = {{0}}, b[2] = {{0}};
        cut.cuts = i >= 1000 && i < 3000 ? 2 : 0;
        unsigned n = link_carry(&whole, t, a), m = link_carry(&cut, t, b);
        if (cut.cuts > 0) {
            passed += m;
        } else {
            differences += n != m || memcmp(a, b, sizeof a) != 0;
        }
    }
    CHECK_INT(passed, 0);
    CHECK_INT(differences, 0);
}

static void a_fault_shifts_no_other_draw(void)
{
    struct link plain = make_link(&busy, 31), slow = make_link(&busy, 31);
    struct link lossy = make_link(&busy, 31);
    struct link_law single_law = busy;
    single_law.duplicate = 0.0;
    struct link single = make_link(&single_law, 31);
    slow.extra_delay_s = 7e-3;
    lossy.extra_loss = 0.3;
    unsigned more_lost = 0;
    for (unsigned i = 0; i < 5000; i++) {
        double delay_s = carry_s(&plain, 3.0 * i);
        double slow_s = carry_s(&slow, 3.0 * i), lossy_s = carry_s(&lossy, 3.0 * i);
        CHECK(delay_s == carry_s(&single, 3.0 * i));
        CHECK_NEAR(slow_s, delay_s < 0.0 ? delay_s : delay_s + 7e-3, 1e-9);
        CHECK(lossy_s == delay_s || lossy_s < 0.0);
        more_lost += lossy_s < 0.0 && delay_s >= 0.0;
    }
    CHECK(more_lost > 1000);
}

static void a_second_copy_comes_as_often_as_the_law_says_and_later(void)
{
    enum { N = 50000 };
    struct link_law law = {
        .base_s = 1e-3, .queue = QUEUE_EXPONENTIAL, .a = 1e-3, .load = 0.5, .duplicate = 0.1};
    struct link link = make_link(&law, 40);
    unsigned copies = 0;
    double behind_s = 0.0;
    for (unsigned i = 0; i < N; i++) {
        sim_time arrivals[2];
        if (link_carry(&link, sim_from_s(i), arrivals) == 2) {
            copies++;
            behind_s += sim_diff_s(arrivals[1], arrivals[0]);
            CHECK(!sim_before(arrivals[1], arrivals[0]));
        }
    }
    CHECK_NEAR(copies / (double)N, 0.1, 4.0 * sqrt(0.09 / N));
    CHECK_NEAR(behind_s / copies, 1e-3, 4.0 * 1e-3 / sqrt(copies));
}

static unsigned count_overtakings(bool is_fifo)
{
    struct link_law law = {.queue = QUEUE_EXPONENTIAL, .a = 1e-2, .load = 1.0, .is_fifo = is_fifo};
    struct link link = make_link(&law, 50);
    sim_time last = {INT64_MIN};
    unsigned overtakings = 0;
    for (unsigned i = 0; i < 10000; i++) {
        sim_time t = sim_from_s(1e-3 * i), arrivals[2];
        link_carry(&link, t, arrivals);
        overtakings += sim_before(arrivals[0], last);
        last = arrivals[0];
    }
    return overtakings;
}

static void a_fifo_link_keeps_the_order_and_another_does_not(void)
{
    CHECK_INT(count_overtakings(true), 0);
    CHECK(count_overtakings(false) > 1000);
}

static void nothing_arrives_before_it_was_sent(void)
{
    struct link link = make_link(&busy, 60);
    link.extra_delay_s = -1.0;
    for (unsigned i = 0; i < 2000; i++) {
        sim_time t = sim_from_s(i), arrivals[2];
        for (unsigned n = link_carry(&link, t, arrivals); n > 0; n--) {
            CHECK(!sim_before(arrivals[n - 1], t));
        }
    }
}

static void absurd_parameters_do_not_overflow_time(void)
{
    struct link_law law = {.queue = QUEUE_LOGNORMAL, .a = 600.0, .b = 200.0, .load = 1.0};
    struct link link = make_link(&law, 70);
    sim_time t = sim_from_s(1e9), arrivals[2];
    for (unsigned i = 0; i < 100; i++) {
        CHECK_INT(link_carry(&link, t, arrivals), 1);
        CHECK(!sim_before(arrivals[0], t) && sim_diff_s(arrivals[0], t) <= 86400.0);
    }
}

const struct test_case link_tests[] = {
    {"presets have the names of their list", presets_have_the_names_of_their_list},
    {"an ideal link takes no time and loses nothing",
     an_ideal_link_takes_no_time_and_loses_nothing},
    {"the same seed and pair carry the same", the_same_seed_and_pair_carry_the_same},
    {"check 39: offset error stays inside the wedge", check_39_offset_error_stays_inside_the_wedge},
    {"check 39: an asymmetry shifts the offset by its half",
     check_39_an_asymmetry_shifts_the_offset_by_its_half},
    {"a pair draws its asymmetry once and forward", a_pair_draws_its_asymmetry_once_and_forward},
    {"check 60: bursts do not depend on the spacing", check_60_bursts_do_not_depend_on_the_spacing},
    {"check 61: queues follow their laws", check_61_queues_follow_their_laws},
    {"a Pareto queue never exceeds ten seconds", a_pareto_queue_never_exceeds_ten_seconds},
    {"load and queue grow at two and not at night", load_and_queue_grow_at_two_and_not_at_night},
    {"losses are as many as the law and the fault say",
     losses_are_as_many_as_the_law_and_the_fault_say},
    {"a link starts in a burst as often as the law says",
     a_link_starts_in_a_burst_as_often_as_the_law_says},
    {"the two directions fare independently", the_two_directions_fare_independently},
    {"another load shifts no draw", another_load_shifts_no_draw},
    {"healing a cut shifts nothing", healing_a_cut_shifts_nothing},
    {"a fault shifts no other draw", a_fault_shifts_no_other_draw},
    {"a second copy comes as often as the law says, and later",
     a_second_copy_comes_as_often_as_the_law_says_and_later},
    {"a FIFO link keeps the order and another does not",
     a_fifo_link_keeps_the_order_and_another_does_not},
    {"nothing arrives before it was sent", nothing_arrives_before_it_was_sent},
    {"absurd parameters do not overflow time", absurd_parameters_do_not_overflow_time},
    {NULL, NULL}};
