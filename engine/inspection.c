/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looking into an engine: status of the system and of its sources. Changes nothing.
 */
#include <math.h>

#include "engine_state.h"

const struct server_view *engine_server_view(const struct engine *e)
{
    return &e->view;
}

struct service_rules engine_service_rules(const struct engine *e)
{
    return (struct service_rules){.access = &e->config.access,
                                  .keys = &e->config.keys,
                                  .discard = &e->config.discard,
                                  .own = e->config.own,
                                  .own_count = e->config.own_count};
}

void engine_status(const struct engine *e, struct instant now, struct system_status *out)
{
    const struct system *sys = &e->system;
    double slewed = ledger_slewed_s(&e->ledger, now.mono) - e->discipline.settled_slew_s;
    *out = (struct system_status){
        .state = sys->state,
        .leap = sys->leap,
        .stratum = sys->stratum,
        .refid = sys->refid,
        .reference_time = sys->reference_time,
        .root_delay_s = sys->root_delay_s,
        .root_dispersion_s =
            sys->root_dispersion_s + sys->dispersion_rate * mono_diff_s(now.mono, sys->as_of),
        .root_distance_s = system_distance_s(sys, now.mono),
        .offset_s = sys->offset_s,
        .residual_s = e->discipline.residual_s - slewed,
        .drift_ppm = e->discipline.drift * 1e6,
        .drift_is_known = e->discipline.drift_is_known,
        .jitter_s = e->discipline.jitter_s,
        .wander_ppm = e->discipline.wander * 1e6,
        .poll = e->discipline.poll,
        .system_peer = e->leader,
    };
}

size_t engine_source_count(const struct engine *e)
{
    return e->source_count;
}

void engine_source_status(const struct engine *e, struct instant now, size_t source,
                          struct source_status *out)
{
    const struct source *s = &e->sources[source];
    double slewed = ledger_slewed_s(&e->ledger, now.mono);
    double tolerance = e->config.tinker.dispersion;
    *out = (struct source_status){
        .association = s->association,
        .peer = s->peer,
        .is_resolved = s->is_resolved,
        .reach = s->reach,
        .stratum = s->stratum,
        .leap = s->leap,
        .poll = s->hpoll,
        .refid = s->refid,
        .selection = (enum selection)s->selection,
        .offset_s = filter_offset_s(&s->filter, slewed),
        .delay_s = s->filter.delay_s,
        .dispersion_s = filter_dispersion_s(&s->filter, tolerance, now.mono),
        .jitter_s = s->filter.jitter_s,
        .root_distance_s = source_distance_s(s, tolerance, now.mono),
    };
}
