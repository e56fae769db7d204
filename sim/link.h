/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One direction of a path: base delay, queue, loss, duplication, asymmetry, cut.
 *
 * Delay = base + extra + queue, the queue empty with probability 1 - load. Loss is independent, and
 * in bursts by a Gilbert-Elliott chain in continuous time (exact for any spacing of packets;
 * nothing passes in the bad state). Each purpose draws from a stream of its own, and draws whether
 * the datagram is lost or not, so that removing one fault shifts no other. A link knows nothing of
 * what it carries, nor of the other direction.
 */
#ifndef HOLDFAST_LINK_H
#define HOLDFAST_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "rng.h"
#include "sim_time.h"

/* The law of the queueing delay; a and b of struct link_law are positive, but for zeta. */
enum queue_law {
    QUEUE_NONE,
    QUEUE_EXPONENTIAL, /* a = mean s */
    QUEUE_GAMMA,       /* a = shape, b = scale s */
    QUEUE_LOGNORMAL,   /* a = zeta, b = sigma, of s */
    QUEUE_WEIBULL,     /* a = scale s, b = shape */
    QUEUE_PARETO       /* a = shape, b = scale s; capped at 10 s */
};

struct link_law {
    double base_s;
    enum queue_law queue;
    double a, b;
    double load;           /* probability that the queue is not empty */
    double diurnal;        /* load and queue grow by this share at 14:00, none at night; 0 = flat */
    double loss;           /* independent */
    double burst_share;    /* pi_b: share of time in the bad state */
    double burst_s;        /* mean stay in the bad state */
    double duplicate;      /* probability of a second copy, one more queue delay behind the first */
    double asymmetry_sd_s; /* added to the forward base, drawn once per pair; set in .forward */
    bool is_fifo;          /* a datagram that would overtake arrives together with the one before */
};

/* A path is two directions. */
struct path_law {
    struct link_law forward, back;
};

/* What every datagram needs comes first: a large world waits for each of these cache lines. */
struct link {
    const struct link_law *law;
    double base_s; /* of this pair: with its asymmetry */
    struct rng_state delay_stream, loss_stream;
    sim_time last_time, last_arrival;
    double extra_delay_s, extra_loss; /* faults: added to the base (may be negative); probability */
    bool is_bad;                      /* state of the burst chain at last_time */
    uint16_t cuts;                    /* number of faults that cut it now */
    struct rng_state burst_stream, duplicate_stream;
};

/* ideal lan campus wan; NULL for another name. */
const struct path_law *path_preset(const char *name);
const char *const *path_preset_names(void); /* NULL-terminated */

/* direction 0 = forward, 1 = back; `pair` names the two ends whoever asks first. The law must
 * outlive the link. */
void link_init(struct link *link, const struct path_law *law, unsigned direction, uint64_t seed,
               uint64_t pair);

/* Carries a datagram sent at t; returns how many copies arrive (0, 1, 2) and when, never before t.
 * Calls must not go back in t. A cut link still consumes the draws it would have, so that healing
 * it shifts nothing. True time 0 counts as midnight for the diurnal law. */
unsigned link_carry(struct link *link, sim_time t, sim_time arrivals[2]);

/* One queue delay in seconds, given that the queue is not empty and the hour quiet. */
double link_queue_draw(const struct link_law *law, struct rng_state *stream);

#endif
