/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was really applied to the clock: see ledger.h. Never commands a clock.
 */
#include "ledger.h"

void ledger_init(struct ledger *ledger, mono_time now, double rate, double drift)
{
    *ledger = (struct ledger){.at = now, .rate = rate, .drift = drift};
}

void ledger_enter(struct ledger *ledger, mono_time now, double rate, double drift)
{
    ledger->slewed_s = ledger_slewed_s(ledger, now);
    ledger->at = now;
    ledger->rate = rate;
    ledger->drift = drift;
}
