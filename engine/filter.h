/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clock filter: the last eight samples of one source, and the best of them (RFC 5905 10).
 *
 * Samples age at PHI from when they were taken and are restated for slews made since (ledger.h). A
 * sample is used at most once and never after a later one. Knows nothing of other sources.
 */
#ifndef HOLDFAST_FILTER_H
#define HOLDFAST_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "constants.h"
#include "timestamp.h"

struct filter_sample {
    mono_time at;
    double offset_s; /* server - client as measured */
    double delay_s;
    double dispersion_s; /* at `at`; aged by the filter */
    double slewed_s;     /* the ledger's sum at `at` */
};

/* The samples kept, a ring. Each value by itself: most of the work is the same for all stages, and
 * goes through one of them. */
struct filter_stages {
    mono_time at[FILTER_STAGES];
    double offset_s[FILTER_STAGES], delay_s[FILTER_STAGES], dispersion_s[FILTER_STAGES],
        slewed_s[FILTER_STAGES];
};

struct filter {
    struct filter_stages stages;
    uint8_t next;      /* the oldest */
    mono_time updated; /* stage dispersions are as of here */
    mono_time used;    /* when the last sample used was taken */
    bool has_used;
    /* The estimate, as of `updated`. */
    double offset_s, delay_s, dispersion_s, jitter_s;
    double slewed_s; /* the ledger's sum when offset_s was stated */
};

struct filter_terms {
    double tolerance;   /* s/s */
    double precision_s; /* of the local clock: least jitter */
    double allan_s;     /* beyond this age, order is by delay plus dispersion */
    double maxdist_s;
    double poll_s;     /* present poll interval of the source */
    bool newest_first; /* the clock's frequency is not known: an old sample says little about now */
};

enum filter_verdict {
    FILTER_FRESH, /* there is a new estimate */
    FILTER_STALE, /* the best sample has been used before */
    FILTER_SPIKE, /* popcorn: held back once */
    FILTER_EMPTY  /* no usable sample */
};

/* All stages at MAXDISP, nothing used. */
void filter_clear(struct filter *filter, mono_time now);

/* Takes a sample; slewed_s is the ledger's sum now. */
enum filter_verdict filter_add(struct filter *filter, const struct filter_sample *sample,
                               const struct filter_terms *terms, double slewed_s, mono_time now);

/* The estimate's offset restated for the ledger's sum now, seconds. */
static inline double filter_offset_s(const struct filter *filter, double slewed_s)
{
    return filter->offset_s - (slewed_s - filter->slewed_s);
}

/* The estimate's dispersion aged to now, seconds. */
static inline double filter_dispersion_s(const struct filter *filter, double tolerance,
                                         mono_time now)
{
    double aged = filter->dispersion_s + tolerance * mono_diff_s(now, filter->updated);
    return aged < DISPERSION_MAX_S ? aged : DISPERSION_MAX_S;
}

#endif
