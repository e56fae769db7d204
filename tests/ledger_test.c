/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ledger: slew is what the rate is beyond the drift, over the time that really passed.
 */
#include "../engine/ledger.h"

#include "check.h"

static mono_time at(double t_s)
{
    return (mono_time){ticks_from_s(t_s)};
}

static void drift_is_no_slew(void)
{
    struct ledger ledger;
    ledger_init(&ledger, at(0), 30e-6, 30e-6);
    CHECK(ledger_slewed_s(&ledger, at(86400.0)) == 0.0);
}

static void slew_is_rate_less_drift_over_elapsed_time(void)
{
    struct ledger ledger;
    ledger_init(&ledger, at(100.0), 40e-6, 30e-6);
    CHECK_NEAR(ledger_slewed_s(&ledger, at(100.0)), 0.0, 0.0);
    CHECK_NEAR(ledger_slewed_s(&ledger, at(164.0)), 640e-6, 1e-15);
}

static void each_piece_counts_at_its_own_rate(void)
{
    struct ledger ledger;
    ledger_init(&ledger, at(0), 0.0, 0.0);
    ledger_enter(&ledger, at(64.0), 500e-6, 0.0);
    ledger_enter(&ledger, at(164.0), -100e-6, 20e-6);
    ledger_enter(&ledger, at(264.0), 20e-6, 20e-6);
    CHECK_NEAR(ledger_slewed_s(&ledger, at(264.0)), 0.050 - 0.012, 1e-14);
    CHECK_NEAR(ledger_slewed_s(&ledger, at(1e6)), 0.038, 1e-14);
}

static void an_entry_changes_nothing_before_it(void)
{
    struct ledger ledger;
    ledger_init(&ledger, at(0), 100e-6, 0.0);
    double before = ledger_slewed_s(&ledger, at(10.0));
    ledger_enter(&ledger, at(10.0), -500e-6, 10e-6);
    CHECK(ledger_slewed_s(&ledger, at(10.0)) == before);
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
const struct test_case ledger_tests[] = {CASE(drift_is_no_slew),
                                         CASE(slew_is_rate_less_drift_over_elapsed_time),
                                         CASE(each_piece_counts_at_its_own_rate),
                                         CASE(an_entry_changes_nothing_before_it),
                                         {NULL, NULL}};
