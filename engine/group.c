/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who follows whom: see group.h.
 */
#include "group.h"

#include <math.h>

/* Twice what rounding on the wire may add to a claim: half a step for the delay, one for the
 * dispersion. */
static const double WIRE_ROUNDING_S = 3.0 / 65536.0;

bool group_is_me(const struct engine_config *config, uint32_t refid)
{
    for (size_t i = 0; i < config->own_count; i++) {
        if (address_refid(&config->own[i]) == refid) {
            return true;
        }
    }
    return false;
}

double group_claim_s(const struct source *member, double tolerance, mono_time now)
{
    return member->root_delay_s / 2.0 + member->root_dispersion_s +
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

double group_own_claim_s(const struct source *member, double own_distance_s, double tolerance,
                         mono_time now)
{
    double told_s = member->told_claim_s + tolerance * mono_diff_s(now, member->told);
    return fabs(told_s - own_distance_s) <= WIRE_ROUNDING_S ? told_s : own_distance_s;
}

bool group_is_eligible(const struct source *member, const struct engine_config *config,
                       double own_distance_s, mono_time now)
{
    if (group_is_me(config, member->refid)) {
        return false;
    }
    double tolerance = config->tinker.dispersion;
    double distance = group_claim_s(member, tolerance, now);
    double own = group_own_claim_s(member, own_distance_s, tolerance, now);
    if (distance < own) {
        return true;
    }
    return distance <= own &&
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
