/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Draws delay and fate of each datagram. What a fault changes (cut, extra delay, extra loss) is
 * applied after the draws and never decides whether one is made.
 */
#include "link.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

static const double DAY_S = 86400.0;
static const double PEAK_HOUR_S = 14.0 * 3600.0;
/* In days since a peak: here the cosine is below zero for sure, and need not be computed. */
static const double QUIET_FROM = 0.251, QUIET_UNTIL = 0.749;
static const double PARETO_CAP_S = 10.0; /* beyond this a router has long dropped the datagram */
static const double DELAY_MAX_S =
    86400.0; /* keeps true time from overflowing under absurd parameters */

enum purpose { DELAY, LOSS, BURST, DUPLICATE, BURST_START, ASYMMETRY, PURPOSES };

struct named_path {
    const char *name;
    struct path_law law;
};

/* One-way figures of models-and-validation 2.3. Route steps of `wan` are left out: a scenario says
 * when a route changes (the fault `delay`), so that nothing changes behind its back. A local net is
 * one chain of queues and keeps order; a wide one may not. */
static const struct named_path presets[] = {
    {"ideal", {.forward = {.base_s = 0.0}, .back = {.base_s = 0.0}}},
    {"lan",
     {.forward = {.base_s = 80e-6,
                  .queue = QUEUE_EXPONENTIAL,
                  .a = 20e-6,
                  .load = 0.3,
                  .loss = 1e-6,
                  .is_fifo = true},
      .back = {.base_s = 80e-6,
               .queue = QUEUE_EXPONENTIAL,
               .a = 20e-6,
               .load = 0.3,
               .loss = 1e-6,
               .is_fifo = true}}},
    {"campus",
     {.forward = {.base_s = 300e-6,
                  .queue = QUEUE_GAMMA,
                  .a = 1.0,
                  .b = 100e-6,
                  .load = 0.4,
                  .diurnal = 1.0,
                  .loss = 1e-5,
                  .is_fifo = true},
      .back = {.base_s = 300e-6,
               .queue = QUEUE_GAMMA,
               .a = 1.0,
               .b = 100e-6,
               .load = 0.4,
               .diurnal = 1.0,
               .loss = 1e-5,
               .is_fifo = true}}},
    {"wan",
     {.forward = {.base_s = 10e-3,
                  .queue = QUEUE_EXPONENTIAL,
                  .a = 1e-3,
                  .load = 0.5,
                  .burst_share = 0.002,
                  .burst_s = 1.0,
                  .asymmetry_sd_s = 1e-3},
      .back = {.base_s = 10e-3,
               .queue = QUEUE_EXPONENTIAL,
               .a = 1.5e-3,
               .load = 0.6,
               .burst_share = 0.002,
               .burst_s = 1.0}}},
};

enum { PRESETS = sizeof presets / sizeof presets[0] };

static const char *const preset_names[PRESETS + 1] = {"ideal", "lan", "campus", "wan", NULL};

const struct path_law *path_preset(const char *name)
{
    for (unsigned i = 0; i < PRESETS; i++) {
        if (strcmp(presets[i].name, name) == 0) {
            return &presets[i].law;
        }
    }
    return NULL;
}

const char *const *path_preset_names(void)
{
    return preset_names;
}

static uint64_t purpose_of(enum purpose purpose, unsigned direction)
{
    return (uint64_t)direction * PURPOSES + (uint64_t)purpose;
}

/* Both directions derive it from the same key; only the forward base shifts, and stays above
 * zero. */
static double forward_asymmetry_s(const struct path_law *law, uint64_t seed, uint64_t pair)
{
    double sd_s = law->forward.asymmetry_sd_s;
    uint64_t key = rng_derive(seed, pair, purpose_of(ASYMMETRY, 0));
    double shift_s = sd_s * rng_cell_normal(key, 0, 0);
    return fmax(shift_s, -law->forward.base_s);
}

void link_init(struct link *link, const struct path_law *law, unsigned direction, uint64_t seed,
               uint64_t pair)
{
    *link = (struct link){.law = direction == 0 ? &law->forward : &law->back};
    link->base_s = link->law->base_s;
    if (direction == 0) {
        link->base_s += forward_asymmetry_s(law, seed, pair);
    }
    rng_seed(&link->delay_stream, seed, pair, purpose_of(DELAY, direction));
    rng_seed(&link->loss_stream, seed, pair, purpose_of(LOSS, direction));
    rng_seed(&link->burst_stream, seed, pair, purpose_of(BURST, direction));
    rng_seed(&link->duplicate_stream, seed, pair, purpose_of(DUPLICATE, direction));
    uint64_t start = rng_derive(seed, pair, purpose_of(BURST_START, direction));
    link->is_bad = rng_cell_uniform(start, 0, 0) < link->law->burst_share;
    link->last_time = (sim_time){INT64_MIN};
    link->last_arrival = (sim_time){INT64_MIN};
}

/* A gamma of shape 1 is the exponential law too, and so drawn three times as fast. */
static bool is_exponential(const struct link_law *law)
{
    return law->queue == QUEUE_EXPONENTIAL || (law->queue == QUEUE_GAMMA && law->a == 1.0);
}

/* Of an exponential law, from its one number, as gsl_ran_exponential() does it. */
static double exponential_delay(const struct link_law *law, double u)
{
    double mean = law->queue == QUEUE_GAMMA ? law->b : law->a;
    return -mean * log1p(-u);
}

double link_queue_draw(const struct link_law *law, struct rng_state *stream)
{
    gsl_rng view;
    if (is_exponential(law)) {
        return exponential_delay(law, rng_uniform(stream));
    }
    rng_as_gsl(&view, stream);
    switch (law->queue) {
    case QUEUE_NONE:
    case QUEUE_EXPONENTIAL:
        return 0.0;
    case QUEUE_GAMMA:
        return gsl_ran_gamma(&view, law->a, law->b);
    case QUEUE_LOGNORMAL:
        return gsl_ran_lognormal(&view, law->a, law->b);
    case QUEUE_WEIBULL:
        return gsl_ran_weibull(&view, law->a, law->b);
    case QUEUE_PARETO:
        return fmin(gsl_ran_pareto(&view, law->a, law->b), PARETO_CAP_S);
    }
    return 0.0;
}

/* By how much load and queue are larger than at night: half a cosine from 8:00 to 20:00, full at
 * 14:00. */
static double diurnal_growth(const struct link_law *law, sim_time t)
{
    if (law->diurnal == 0.0) {
        return 1.0;
    }
    double peaks = (sim_s(t) - PEAK_HOUR_S) / DAY_S + 1.0;
    double since_peak = peaks - (double)(int64_t)peaks;
    if (since_peak > QUIET_FROM && since_peak < QUIET_UNTIL) {
        return 1.0;
    }
    double phase = 2.0 * M_PI * (sim_s(t) - PEAK_HOUR_S) / DAY_S;
    double height = cos(phase);
    return height > 0.0 ? 1.0 + law->diurnal * height : 1.0;
}

/* Whether a datagram that drew `place` finds the queue empty; if not, *growth is set. Most that do
 * would find it empty at the peak, too, and need no look at the hour. */
static bool is_queue_empty(const struct link_law *law, sim_time t, double place, double *growth)
{
    if (place >= law->load * (1.0 + law->diurnal)) {
        return true;
    }
    *growth = diurnal_growth(law, t);
    return place >= law->load * *growth;
}

/* The queue is drawn even when the datagram finds it empty: the next datagram's draws do not depend
 * on a load that a scenario may change. */
static double draw_queue_s(const struct link_law *law, struct rng_state *stream, sim_time t)
{
    double growth;
    double place = rng_uniform(stream);
    if (is_exponential(law)) {
        double u = rng_uniform(stream);
        return is_queue_empty(law, t, place, &growth) ? 0.0 : growth * exponential_delay(law, u);
    }
    double delay_s = link_queue_draw(law, stream);
    return is_queue_empty(law, t, place, &growth) ? 0.0 : growth * delay_s;
}

/* Gilbert-Elliott over the time since the last datagram: P(bad at t + T | bad or not at t) =
 * share + (1 or 0 - share) e^-(p + r) T, with r = 1 / burst_s and p = r share / (1 - share). */
static bool is_in_burst(struct link *link, sim_time t)
{
    double share = link->law->burst_share;
    if (share <= 0.0) {
        return false;
    }
    double u = rng_uniform(&link->burst_stream);
    if (share >= 1.0) {
        return true;
    }
    bool is_first = link->last_time.ticks == INT64_MIN; /* is_bad was drawn for whenever that is */
    if (!is_first) {
        double elapsed_s = sim_diff_s(t, link->last_time);
        double decay = exp(-elapsed_s / (link->law->burst_s * (1.0 - share)));
        link->is_bad = u < share + ((link->is_bad ? 1.0 : 0.0) - share) * decay;
    }
    return link->is_bad;
}

static bool draw_loss(struct link *link)
{
    double passes = (1.0 - link->law->loss) * (1.0 - link->extra_loss);
    return rng_uniform(&link->loss_stream) >= passes;
}

/* How far a second copy trails the first, seconds; negative = there is none. */
static double draw_duplicate_s(struct link *link, sim_time t)
{
    const struct link_law *law = link->law;
    if (law->duplicate <= 0.0) {
        return -1.0;
    }
    bool is_duplicated = rng_uniform(&link->duplicate_stream) < law->duplicate;
    double behind_s = link_queue_draw(law, &link->duplicate_stream);
    return is_duplicated ? diurnal_growth(law, t) * behind_s : -1.0;
}

static sim_time arrive(struct link *link, sim_time t, double delay_s)
{
    sim_time arrival = sim_add_s(t, delay_s < DELAY_MAX_S ? delay_s : DELAY_MAX_S);
    if (link->law->is_fifo && sim_before(arrival, link->last_arrival)) {
        arrival = link->last_arrival;
    }
    link->last_arrival = arrival;
    return arrival;
}

unsigned link_carry(struct link *link, sim_time t, sim_time arrivals[2])
{
    double queue_s = draw_queue_s(link->law, &link->delay_stream, t);
    double behind_s = draw_duplicate_s(link, t);
    bool is_lost = draw_loss(link);
    bool is_burst = is_in_burst(link, t);
    link->last_time = t;
    if (link->cuts > 0 || is_lost || is_burst) {
        return 0;
    }
    double base_s = link->base_s + link->extra_delay_s;
    double delay_s = (base_s > 0.0 ? base_s : 0.0) + queue_s;
    arrivals[0] = arrive(link, t, delay_s);
    if (behind_s < 0.0) {
        return 1;
    }
    arrivals[1] = arrive(link, t, delay_s + behind_s);
    return 2;
}
