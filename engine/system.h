/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The system variables and the states of synchronisation; policies as data.
 *
 * Says what this node claims to the world - leap, stratum, reference, root delay, root dispersion -
 * and when it stops claiming. Chooses no source and steers no clock.
 */
#ifndef HOLDFAST_SYSTEM_H
#define HOLDFAST_SYSTEM_H

#include <math.h>
#include <stdbool.h>

#include "source.h"

/* What a policy changes (behaviour section 3). */
struct policy_rules {
    const char *name;
    double maxdist_s;
    bool ends_holdover; /* declares itself unsynchronised at maxdist; else never */
    bool minds_group;   /* the rule of group.h; else RFC 5905's loop test alone */
    bool own_bound_votes;
    bool fails_fast;       /* three missed polls: no longer preferred */
    bool asks_in_holdover; /* unreachable sources at 2^8 s */
    bool drains_filter;    /* a maximum-dispersion sample for every poll missed after the third */
    double training_dispersion; /* s/s while the frequency is not known */
    const char *help;
};

const struct policy_rules *policy_rules(enum policy policy);

/* The policy of a name; POLICIES when there is none. */
enum policy policy_by_name(const char *name);

struct system {
    enum system_state state;
    mono_time since; /* of the state */
    uint8_t leap, stratum;
    uint32_t refid;
    bool follows_member; /* refid is a member's */
    ntp_time reference_time;
    double root_delay_s;
    double root_dispersion_s; /* as of `as_of` */
    double dispersion_rate;   /* s/s since then */
    mono_time as_of;
    mono_time updated; /* sample time of the last update */
    bool has_updated;
    double offset_s, jitter_s;
    /* What I claimed when my last holdover ended, and when: what I would claim had it gone on. */
    double former_distance_s;
    mono_time former_at;
    bool has_former;
};

void system_init(struct system *sys, mono_time now);

/* What I claim: root delay / 2 + root dispersion, seconds; INFINITY when unsynchronised. */
static inline double system_distance_s(const struct system *sys, mono_time now)
{
    if (sys->leap == LEAP_UNKNOWN || sys->stratum >= STRATUM_MAX) {
        return INFINITY;
    }
    return sys->root_delay_s / 2.0 + sys->root_dispersion_s +
           sys->dispersion_rate * mono_diff_s(now, sys->as_of);
}

/* What a member of the group must claim less than, to be followed: my own claim, and after holdover
 * has ended the claim that it would have grown to. A member that is in holdover like me ages as
 * fast, so it cannot hold the group beyond the end of its own: else the two would give each other
 * what neither has. INFINITY when I have claimed nothing yet. */
double system_group_limit_s(const struct system *sys, const struct engine_config *config,
                            mono_time now);

/* Remembers what is claimed now, before it is given up at the end of holdover. */
void system_remember(struct system *sys, mono_time now);

/* The system variables after the clock was corrected by the leader's sample (RFC 5905 11.2.3). */
void system_update(struct system *sys, const struct engine_config *config,
                   const struct source *leader, double offset_s, double jitter_s,
                   double dispersion_rate, struct instant now);

/* My bound must cover `amount_s` more than it does: a foreign step. */
void system_widen(struct system *sys, double amount_s, mono_time now);

/* My bound must be at least `bound_s`: an offset that is believed but held back. */
void system_cover(struct system *sys, double bound_s, mono_time now);

/* Claims nothing any more: leap 3, stratum 16. */
void system_unsynchronise(struct system *sys);

/* In holdover leap and stratum stay; a member's reference id does not. */
void system_hold(struct system *sys);

/* True when holdover is over: by distance, or by tos holdover. */
bool system_holdover_ends(const struct system *sys, const struct engine_config *config,
                          mono_time now);

/* When that will be, if nothing happens. */
mono_time system_holdover_end(const struct system *sys, const struct engine_config *config);

void system_view(const struct system *sys, const struct engine_config *config, int8_t poll,
                 struct server_view *view);

/* tos maxdist, or the policy's. */
double system_maxdist_s(const struct engine_config *config);

/* The same for whoever has the policy's rules at hand. */
static inline double policy_maxdist_s(const struct policy_rules *rules,
                                      const struct engine_config *config)
{
    return isnan(config->tos.maxdist_s) ? rules->maxdist_s : config->tos.maxdist_s;
}

/* The last 24 hours of a month's last day, when a leap second may be announced. */
bool system_is_leap_day(ntp_time now);

#endif
