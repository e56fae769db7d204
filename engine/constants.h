/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The constants of the protocol and the discipline, each with the RFC's value beside it.
 *
 * Where RFC 5905's text, its Appendix A and ntpd disagree, constants_table() says what we chose and
 * why; the policies of system.h change only rows marked there.
 */
#ifndef HOLDFAST_CONSTANTS_H
#define HOLDFAST_CONSTANTS_H

#include <stddef.h>

#define TOLERANCE 15e-6           /* s/s: PHI, how fast a clock nobody corrects may go wrong */
#define FREQUENCY_MAX 500e-6      /* s/s: largest drift value */
#define SLEW_MAX 500e-6           /* s/s: largest slew */
#define DISPERSION_MAX_S 16.0     /* MAXDISP */
#define DISPERSION_MIN_S 0.005    /* MINDISP: least that a hop adds */
#define DISTANCE_MAX_S 1.5        /* MAXDIST, holdfast */
#define DISTANCE_MAX_RFC_S 1.0    /* MAXDIST, RFC 5905 */
#define STEP_S 0.128              /* STEPT */
#define STEPOUT_S 300.0           /* WATCH: how long a step is held back */
#define PANIC_S 1000.0            /* PANICT */
#define PLL_GAIN 16.0             /* time constant in polls */
#define FLL_GAIN 0.25             /* multiplied */
#define ALLAN_LOG2S 11            /* FLL from this poll exponent on */
#define AVERAGE 8.0               /* AVG: weight of jitter and wander averages */
#define POLL_LIMIT 30             /* LIMIT: poll adjustment threshold */
#define POLL_GATE 4.0             /* PGATE: in jitters */
#define SETTLING_POLLS 48         /* polls after a frequency measurement before the poll may rise */
#define SPIKE_GATE 3.0            /* SGATE: popcorn, in jitters */
#define FILTER_STAGES 8           /* NSTAGE */
#define CLUSTER_MIN 3             /* NMIN */
#define SANE_MIN 1                /* NSANE */
#define BURST_COUNT 8             /* BCOUNT */
#define BURST_INTERVAL_S 2.0      /* BTIME */
#define UNREACHABLE_POLLS 8       /* missed polls until the reach register is empty */
#define FAIL_FAST_POLLS 3         /* missed polls until a source is no longer preferred */
#define LEADER_HYSTERESIS_S 0.020 /* a member must be better by this to replace the leader */
#define HOLDOVER_POLL 8           /* log2 s: how often the unreachable are asked in holdover */
#define PROBATION_POLLS 8         /* good polls before a source found in holdover has a vote */
#define STATUS_INTERVAL_S 8192.0  /* the host's kernel status is refreshed at least so often */
#define LEAP_DAY_S 86400.0        /* so long none is announced behind one that has happened */
#define LEAP_PASSED_S 2.0         /* behind midnight: what was armed has happened, or never will */
#define KISS_POLL_MAX 13          /* RATE never raises the poll beyond this (RFC 8633 5.4) */
#define KISS_DENIED_S 86400.0     /* DENY and RSTR: ask again after a day */
#define RESOLVE_MIN_LOG2S 6       /* back-off of name look-ups */
#define RESOLVE_MAX_LOG2S 12

/* 1 - exp(-1/16): the share of a phase residual that one piece of a time constant of 16 removes. A
 * literal, because the engine computes with exact operations only. */
#define SLEW_SHARE 0.060586937186524214

struct constant_row {
    const char *name; /* the RFC's */
    double ours;
    double rfc_text;       /* RFC 5905 body; NAN = not given */
    double rfc_code;       /* RFC 5905 Appendix A */
    double ntpd;           /* 4.2.8 */
    double rfc5905_policy; /* what `policy rfc5905` uses */
    const char *why;       /* where they differ */
};

const struct constant_row *constants_table(size_t *count);

#endif
