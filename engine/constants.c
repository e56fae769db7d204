/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table behind constants.h, so that a test and a reader find every choice in one place. Holds
 * no logic.
 */
#include "constants.h"

#include <math.h>

#include "engine_config.h"

static const struct constant_row rows[] = {
    {"PHI", TOLERANCE, 15e-6, 15e-6, 15e-6, TOLERANCE, ""},
    {"MAXFREQ", FREQUENCY_MAX, (double)NAN, 500e-6, 500e-6, FREQUENCY_MAX, ""},
    {"MAXDISP", DISPERSION_MAX_S, 16, 16, 16, DISPERSION_MAX_S, ""},
    {"MINDISP", DISPERSION_MIN_S, 0.005, 0.01, 0.001, DISPERSION_MIN_S,
     "the text's value: a hop must add enough that a follower always claims more than its leader"},
    {"MAXDIST", DISTANCE_MAX_S, 1, 1, 1.5, DISTANCE_MAX_RFC_S,
     "ntpd's value, which its clients apply; policy rfc5905 keeps the RFC's"},
    {"STEPT", STEP_S, 0.125, 0.128, 0.128, STEP_S, "what every implementation uses"},
    {"WATCH", STEPOUT_S, 900, 900, 300, STEPOUT_S,
     "ntpd's value since 4.2.6: also the length of the frequency measurement"},
    {"PANICT", PANIC_S, 1000, 1000, 1000, PANIC_S, ""},
    {"PLL", PLL_GAIN, (double)NAN, 65536, 16, PLL_GAIN,
     "Appendix A's number, taken literally, gives a time constant of 48 days at poll 6"},
    {"FLL", FLL_GAIN, (double)NAN, 18, 0.25, FLL_GAIN,
     "the documents' 1/4, multiplied; 4.2.8p9 and later divide by it, which is unstable here"},
    {"ALLAN", 1 << ALLAN_LOG2S, 2048, 1500, 2048, 1 << ALLAN_LOG2S, "s; the text's 2^11"},
    {"AVG", AVERAGE, (double)NAN, 4, 8, AVERAGE,
     "ntpd's: jitter and wander average over 8 updates"},
    {"LIMIT", POLL_LIMIT, (double)NAN, 30, 30, POLL_LIMIT, ""},
    {"PGATE", POLL_GATE, (double)NAN, 4, 4, POLL_GATE, ""},
    {"SGATE", SPIKE_GATE, 3, 3, 3, SPIKE_GATE, ""},
    {"NSTAGE", FILTER_STAGES, 8, 8, 8, FILTER_STAGES, ""},
    {"NMIN", CLUSTER_MIN, 3, 3, 3, CLUSTER_MIN, ""},
    {"NSANE", SANE_MIN, 1, 1, 1, SANE_MIN, ""},
    {"BCOUNT", BURST_COUNT, 8, 8, 8, BURST_COUNT, ""},
    {"BTIME", BURST_INTERVAL_S, 2, 2, 2, BURST_INTERVAL_S, ""},
    {"MINPOLL", POLL_DEFAULT_MIN, 4, 6, 6, POLL_DEFAULT_MIN,
     "default of a line; lines may go down to 3, as in ntpd"},
    {"MAXPOLL", POLL_MAX, 17, 17, 17, POLL_MAX, ""},
    {"MAXSTRAT", 16, 16, 16, 16, 16, ""},
    {"UNREACH", UNREACHABLE_POLLS, 24, 12, 10, UNREACHABLE_POLLS,
     "we do not back off towards maxpoll: after eight unanswered polls a source is asked every 256 "
     "s"},
};

const struct constant_row *constants_table(size_t *count)
{
    *count = sizeof rows / sizeof rows[0];
    return rows;
}
