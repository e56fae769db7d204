/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was really applied to the clock, and when.
 *
 * The clock's rate is split into drift, which cancels the oscillator's own error, and slew, which
 * removes a phase error. The ledger integrates the slew over the time that really passed, at the
 * rate that was really set, so that a residual is taken off by measurement and not by assumption,
 * and so that an offset measured then can be restated now: then - (slewed(now) - slewed(then)).
 */
#ifndef HOLDFAST_LEDGER_H
#define HOLDFAST_LEDGER_H

#include <assert.h>

#include "timestamp.h"

struct ledger {
    mono_time at;    /* of the last entry */
    double rate;     /* s/s in force, a multiple of the clock's quantum */
    double drift;    /* s/s of it that is not slew */
    double slewed_s; /* by slews up to `at`, since the beginning; steps are not in it */
};

/* Starts with the rate in force. */
void ledger_init(struct ledger *ledger, mono_time now, double rate, double drift);

/* From now on the clock gains `rate`, of which `drift` is no slew. */
void ledger_enter(struct ledger *ledger, mono_time now, double rate, double drift);

/* Seconds by which slews have moved the clock forward up to `now`. */
static inline double ledger_slewed_s(const struct ledger *ledger, mono_time now)
{
    assert(!mono_before(now, ledger->at));
    return ledger->slewed_s + (ledger->rate - ledger->drift) * mono_diff_s(now, ledger->at);
}

#endif
