/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who follows whom: see group.h.
 */
#include "group.h"

#include <math.h>

/* A reference time of longer ago says nothing of how the claim has grown since. */
static const double CLAIM_AGE_MAX_S = 4.0 * 86400.0;

double group_wire_excess_s(double age_s, double tolerance)
{
    if (!(age_s > 0.0 && age_s < CLAIM_AGE_MAX_S)) {
        return 0.0;
    }
    double grown_s = tolerance * age_s;
    return s_from_ntp_short(ntp_short_from_s(grown_s)) - grown_s;
}

double group_claim_s(const struct source *member, double tolerance, mono_time now)
{
    double excess_s = group_wire_excess_s(member->claim_age_s, tolerance);
    return member->root_delay_s / 2.0 + member->root_dispersion_s - excess_s +
           tolerance * mono_diff_s(now, member->heard);
}

double group_member_distance_s(const struct source *member, double tolerance, mono_time now)
{
    return group_claim_s(member, tolerance, now) + member->filter.delay_s / 2.0;
}

/* The address by which the member knows me: where its packets arrive, else the first I have. */
static const struct address *group_own_address(const struct source *member,
                                               const struct engine_config *config)
{
    if (member->local.address.family != ADDRESS_NONE || config->own_count == 0) {
        return &member->local.address;
    }
    return &config->own[0];
}

bool group_is_eligible(const struct source *member, const struct engine_config *config,
                       double own_distance_s, mono_time now)
{
    if (group_is_me(config, member->refid)) {
        return false;
    }
    double distance = group_claim_s(member, config->tinker.dispersion, now);
    if (distance < own_distance_s) {
        return true;
    }
    return distance <= own_distance_s &&
           address_compare(&member->peer.address, group_own_address(member, config)) < 0;
}

bool group_is_independent(const struct source *member, const struct engine_config *config,
                          const struct source *sources, int count)
{
    if (group_is_me(config, member->refid) || member->refid == REFID_HOLDOVER) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        if (sources[i].is_member && sources[i].is_resolved &&
            address_refid(&sources[i].peer.address) == member->refid) {
            return false;
        }
    }
    return true;
}
