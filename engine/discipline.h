/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clock discipline: offsets in, a rate (and sometimes a step) out.
 *
 * The reference phase/frequency-lock loop of RFC 5905 11.3 as ntpd runs it, made event-driven:
 * between updates the residual phase error is removed in pieces of half a poll interval to 17/16 of
 * one, each a constant rate, and what was really applied is taken off through the ledger. Knows
 * nothing of packets, sources or states of the system. Narrow on purpose, so that another
 * discipline can stand beside it.
 */
#ifndef HOLDFAST_DISCIPLINE_H
#define HOLDFAST_DISCIPLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "constants.h"
#include "engine_config.h"
#include "ledger.h"

enum discipline_phase {
    DISCIPLINE_START,    /* no update yet */
    DISCIPLINE_TRAINING, /* offset slewed away linearly, frequency being measured */
    DISCIPLINE_LOCKED,   /* the loop is closed */
    DISCIPLINE_SPIKE     /* an offset over the step threshold is being held back */
};

enum discipline_verdict {
    DISCIPLINE_ACCEPTED,
    DISCIPLINE_WAITING, /* frequency is being measured: the offset is not used yet */
    DISCIPLINE_HELD,    /* over the step threshold, not for long enough */
    DISCIPLINE_STEP,    /* step by discipline.step_s, then the rate */
    DISCIPLINE_PANIC    /* over the panic threshold: nothing is changed */
};

struct discipline {
    enum discipline_phase phase;
    bool drift_is_known;
    bool large_step_allowed; /* -g, until the first update of any size */
    bool poll_is_fixed;      /* for measurements of the loop itself */
    bool is_open;            /* the clock cannot or must not be steered: measure, never integrate */
    int8_t poll;             /* system poll exponent, log2 s: sets the time constant */
    int8_t poll_min, poll_max; /* its range: of the present survivors */
    int poll_counter;
    double drift;          /* s/s that the free-running rate needs added */
    double residual_s;     /* phase error left when last settled */
    double settled_slew_s; /* the ledger's sum then */
    mono_time updated;     /* last accepted update, or start of training */
    mono_time begun;       /* present piece of slew */
    double last_offset_s, jitter_s;
    double wander;     /* s/s */
    double step_s;     /* with DISCIPLINE_STEP */
    mono_time settles; /* the poll does not rise before this */
    bool mind_gap;     /* the next interval does not count: it spans an outage */
    bool is_returning; /* what the outage left is slewed away linearly, frequency held */
};

/* Begins without an update; drift from the configuration (drift file, tinker freq) if it has
 * one. */
void discipline_init(struct discipline *d, const struct engine_config *config, mono_time now);

/* The configuration or the clock forbid steering. */
bool discipline_stays_open(const struct engine_config *config);

/* One offset (s, positive = local clock behind) at `now`. The ledger gives what was slewed so
 * far. */
enum discipline_verdict discipline_update(struct discipline *d, const struct engine_config *config,
                                          const struct ledger *ledger, double offset_s,
                                          mono_time now);

/* Takes off the residual what the ledger says was slewed up to now. */
void discipline_settle(struct discipline *d, const struct ledger *ledger, mono_time now);

/* The rate wanted from now on, s/s: drift plus slew, before quantisation. Settle first. */
double discipline_rate(struct discipline *d, mono_time now);

/* The residual goes at full slew and not by the loop's time constant. */
static inline bool discipline_is_linear(const struct discipline *d)
{
    return d->phase == DISCIPLINE_TRAINING || d->is_returning;
}

/* How long a linear slew may go on: it must stop when it is done, and an hour of it is looked at in
 * between; `wait_s` when there is nothing to slew. */
double discipline_linear_wait_s(const struct discipline *d, double wait_s);

/* When the rate must be computed again: after a 16th of the time constant, which is one poll
 * interval, and as much more as chance may put off a poll (6.2 %), for that is the occasion. */
static inline mono_time discipline_wake(const struct discipline *d)
{
    double poll_s = power_of_two(d->poll) * (17.0 / 16.0);
    double wait_s = poll_s < STATUS_INTERVAL_S ? poll_s : STATUS_INTERVAL_S;
    if (discipline_is_linear(d)) {
        wait_s = discipline_linear_wait_s(d, wait_s);
    }
    return mono_add_s(d->begun, wait_s);
}

/* Whoever is awake for another reason may compute it again: the piece of slew is half over. */
static inline bool discipline_may_renew(const struct discipline *d, mono_time now)
{
    return !discipline_is_linear(d) && mono_diff_s(now, d->begun) > 0.5 * power_of_two(d->poll);
}

/* The clock was stepped: no residual is left. */
void discipline_stepped(struct discipline *d, const struct ledger *ledger, mono_time now);

/* Sources were lost: the time constant falls to at most 2^poll, and the coming gap is not an
 * interval. */
void discipline_hold(struct discipline *d, int8_t poll);

/* The range of the system poll, from the survivors' minpoll and maxpoll. */
void discipline_poll_range(struct discipline *d, int8_t low, int8_t high);

#endif
