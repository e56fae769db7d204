/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The system variables: see system.h.
 */
#include "system.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "constants.h"
#include "group.h"

#define HOLDOVER_MAX_S 1e9 /* 31 years: where a bound that hardly grows is cut, so that time fits */

static const struct policy_rules policies[POLICIES] = {
    [POLICY_HOLDFAST] = {.name = "holdfast",
                         .maxdist_s = DISTANCE_MAX_S,
                         .ends_holdover = true,
                         .minds_group = true,
                         .own_bound_votes = true,
                         .fails_fast = true,
                         .asks_in_holdover = true,
                         /* A clock whose frequency has not been measured may be off by all that
                          * the discipline can correct. */
                         .training_dispersion = FREQUENCY_MAX,
                         .help = "unsynchronised when holdover's root distance exceeds 1.5 s"},
    [POLICY_RFC5905] = {.name = "rfc5905",
                        .maxdist_s = DISTANCE_MAX_RFC_S,
                        .drains_filter = true,
                        .training_dispersion = TOLERANCE,
                        .help = "never unsynchronised: clients judge by distance, 1.0 s"},
};

const struct policy_rules *policy_rules(enum policy policy)
{
    assert(policy < POLICIES);
    return &policies[policy];
}

/* strcmp() is not among the functions that the pure part may call. */
static bool is_same_text(const char *a, const char *b)
{
    size_t length = strlen(a);
    return length == strlen(b) && memcmp(a, b, length) == 0;
}

enum policy policy_by_name(const char *name)
{
    unsigned policy = 0;
    while (policy < POLICIES && !is_same_text(policies[policy].name, name)) {
        policy++;
    }
    return (enum policy)policy;
}

void system_init(struct system *sys, mono_time now)
{
    *sys = (struct system){.since = now, .as_of = now, .updated = now};
    system_unsynchronise(sys);
}

double system_maxdist_s(const struct engine_config *config)
{
    return policy_maxdist_s(policy_rules(config->policy), config);
}

double system_group_limit_s(const struct system *sys, const struct engine_config *config,
                            mono_time now)
{
    double distance = system_distance_s(sys, now);
    if (!isinf(distance) || !sys->has_former) {
        return distance;
    }
    return sys->former_distance_s + config->tinker.dispersion * mono_diff_s(now, sys->former_at);
}

void system_remember(struct system *sys, mono_time now)
{
    sys->former_distance_s = system_distance_s(sys, now);
    sys->former_at = now;
    sys->has_former = true;
}

/* Rounded up as on the wire, so that what others read there is what I compare with theirs: see
 * group_wire_excess_s(). */
static double whole_steps_s(double seconds)
{
    return s_from_ntp_short(ntp_short_from_s(seconds));
}

void system_update(struct system *sys, const struct engine_config *config,
                   const struct source *leader, double offset_s, double jitter_s,
                   double dispersion_rate, struct instant now)
{
    double jitter = sqrt(leader->filter.jitter_s * leader->filter.jitter_s + jitter_s * jitter_s);
    double hop = filter_dispersion_s(&leader->filter, config->tinker.dispersion, now.mono) +
                 jitter + fabs(offset_s);
    sys->stratum = (uint8_t)(leader->stratum + 1);
    sys->refid = address_refid(&leader->peer.address);
    sys->follows_member = leader->is_member;
    sys->reference_time = now.clock;
    sys->root_delay_s = whole_steps_s(leader->root_delay_s + leader->filter.delay_s);
    sys->root_dispersion_s = whole_steps_s(leader->root_dispersion_s + fmax(hop, DISPERSION_MIN_S));
    sys->dispersion_rate = dispersion_rate;
    sys->as_of = now.mono;
    sys->offset_s = offset_s;
    sys->jitter_s = jitter_s;
    sys->has_former = false;
    if (sys->leap == LEAP_UNKNOWN) {
        sys->leap = LEAP_NONE;
    }
}

void system_widen(struct system *sys, double amount_s, mono_time now)
{
    sys->root_dispersion_s += sys->dispersion_rate * mono_diff_s(now, sys->as_of) + fabs(amount_s);
    sys->as_of = now;
}

void system_cover(struct system *sys, double bound_s, mono_time now)
{
    double claimed = system_distance_s(sys, now);
    if (claimed < bound_s) {
        system_widen(sys, bound_s - claimed, now);
    }
}

void system_unsynchronise(struct system *sys)
{
    sys->leap = LEAP_UNKNOWN;
    sys->stratum = STRATUM_MAX;
    sys->refid = 0;
    sys->follows_member = false;
    sys->root_delay_s = 0.0;
    sys->root_dispersion_s = 0.0;
    sys->dispersion_rate = 0.0;
}

void system_hold(struct system *sys)
{
    if (sys->follows_member) {
        sys->refid = REFID_HOLDOVER;
        sys->follows_member = false;
    }
}

bool system_holdover_ends(const struct system *sys, const struct engine_config *config,
                          mono_time now)
{
    if (sys->state != STATE_HOLDOVER || !policy_rules(config->policy)->ends_holdover) {
        return false;
    }
    return !mono_before(now, system_holdover_end(sys, config));
}

mono_time system_holdover_end(const struct system *sys, const struct engine_config *config)
{
    if (sys->state != STATE_HOLDOVER || !policy_rules(config->policy)->ends_holdover) {
        return MONO_NEVER;
    }
    double left = system_maxdist_s(config) - system_distance_s(sys, sys->as_of);
    double wait = left > 0.0 ? fmin(left / sys->dispersion_rate, HOLDOVER_MAX_S) : 0.0;
    mono_time end = mono_add_s(sys->as_of, wait);
    if (config->tos.holdover_s > 0.0) {
        end = mono_earlier(end, mono_add_s(sys->since, config->tos.holdover_s));
    }
    return end;
}

void system_view(const struct system *sys, const struct engine_config *config, int8_t poll,
                 struct server_view *view)
{
    *view = (struct server_view){
        .leap = sys->leap,
        .stratum = sys->stratum,
        .precision = config->clock.precision,
        .poll = poll,
        .refid = sys->refid,
        .reference_time = sys->reference_time,
        .root_delay_s = sys->root_delay_s,
        .root_dispersion_s = sys->root_dispersion_s,
        .dispersion_rate = sys->dispersion_rate,
        .as_of = sys->as_of,
    };
}

bool system_is_leap_day(ntp_time now)
{
    /* Civil date from days since 1970-01-01, in years that begin in March, so that a month's length
     * does not depend on the year; 719468 days lie between 0000-03-01 and 1970-01-01. */
    int64_t days = unix_s_from_ntp(now) / 86400 + 1 + 719468;
    int64_t era_day = days % 146097;
    int64_t year = (era_day - era_day / 1460 + era_day / 36524 - era_day / 146096) / 365;
    int64_t year_day = era_day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * year_day + 2) / 153;
    return year_day - (153 * month + 2) / 5 == 0; /* tomorrow is the first of a month */
}
