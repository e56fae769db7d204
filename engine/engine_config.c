/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The value that every field of a configuration has when nothing names it. No text is read here.
 */
#include "engine_config.h"

#include <math.h>
#include <string.h>

#include "constants.h"
#include "packet.h"

void engine_config_default(struct engine_config *config)
{
    memset(config, 0, sizeof *config);
    config->policy = POLICY_HOLDFAST;
    config->tos = (struct tos_config){
        .maxdist_s = NAN,
        .mindist_s = 0.001,
        .orphanwait_s = 300,
        .holdover_s = 0,
        .minclock = CLUSTER_MIN,
        .minsane = SANE_MIN,
        .maxclock = 10,
        .floor = 0,
        .ceiling = STRATUM_MAX - 1, /* stratum 15 has nobody left to serve (ntpd: sys_ceiling) */
        .orphan = STRATUM_MAX,
    };
    config->tinker = (struct tinker_config){
        .step_s = STEP_S,
        .stepout_s = STEPOUT_S,
        .panic_s = PANIC_S,
        .dispersion = TOLERANCE,
        .allan_log2s = ALLAN_LOG2S,
        .frequency_ppm = NAN,
    };
    config->discard = (struct discard_config){.average_log2s = 3, .minimum_s = 1};
    config->client_capacity = 1024;
    config->clock = (struct clock_ability){
        .rate_quantum = 1e-6 / 65536,
        .rate_max_q = INT64_C(1000) * 65536,
        .precision = -22,
        .can_steer = true,
    };
    config->drift_ppm = NAN;
}
