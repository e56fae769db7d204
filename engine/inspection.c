/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looking into an engine: status of the system and of its sources, counters. Changes nothing.
 */
#include "inspection.h"

#include <math.h>

#include "engine_state.h"

#define LASTS_MAX_S 1e9 /* 31 years: for a bound that hardly grows */

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

/* When the source stops being reachable if it never answers again: when the last bit of its reach
 * register is shifted out. */
static double silence_s(const struct source *s, mono_time now)
{
    double next_s = mono_diff_s(s->next_poll, now);
    int shifts = 0;
    for (unsigned reach = s->reach; (reach & 0xFF) != 0; reach <<= 1) {
        shifts++;
    }
    return shifts == 0 ? 0.0 : fmax(next_s, 0.0) + (shifts - 1) * power_of_two(s->hpoll);
}

/* See system_status.lasts_s. With tos holdover the time until holdover begins comes on top: until
 * the last of the candidates has fallen silent. */
static double lasts_s(const struct engine *e, mono_time now)
{
    const struct system *sys = &e->system;
    if (sys->state != STATE_SYNCHRONISED && sys->state != STATE_HOLDOVER) {
        return 0.0;
    }
    double left = fmax(system_maxdist_s(&e->config) - system_distance_s(sys, now), 0.0);
    double lasts = left > 0.0 ? fmin(left / sys->dispersion_rate, LASTS_MAX_S) : 0.0;
    double holdover = e->config.tos.holdover_s;
    if (!e->policy->ends_holdover || !(holdover > 0.0)) {
        return lasts;
    }
    if (sys->state == STATE_HOLDOVER) {
        return fmin(lasts, fmax(holdover - mono_diff_s(now, sys->since), 0.0));
    }
    double silence = 0.0;
    for (int i = 0; i < e->source_count; i++) {
        if (engine_source_fault(e, &e->sources[i], now) == 0) {
            silence = fmax(silence, silence_s(&e->sources[i], now));
        }
    }
    return fmin(lasts, silence + holdover);
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
        .lasts_s = lasts_s(e, now.mono),
        .refused = e->refused,
    };
}

const struct engine_counters *engine_counters(const struct engine *e)
{
    return &e->counters;
}

static uint64_t sum_of(const struct service_counts *counts)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < SERVICE_VERDICTS; i++) {
        sum += counts->verdicts[i];
    }
    return sum;
}

struct packet_counts inspection_packet_counts(const struct engine_counters *counters,
                                              const struct service_counts *threads)
{
    static const struct service_counts none;
    const struct service_counts *there = threads ? threads : &none;
    struct service_counts served = counters->served;
    service_counts_add(&served, there);
    const uint64_t *verdicts = served.verdicts;
    /* What the threads took never came to the engine; whom the engine served itself it has counted
     * among those received and processed, and by version. */
    return (struct packet_counts){
        .received = counters->received + sum_of(there),
        .processed = counters->processed + there->verdicts[SERVICE_ANSWERED],
        .version_4 = counters->version_4 + there->version_4,
        .version_older = counters->version_older + there->version_older,
        .restricted = verdicts[SERVICE_RESTRICTED],
        .malformed = counters->malformed + verdicts[SERVICE_MALFORMED],
        .bad_auth = counters->bad_auth + verdicts[SERVICE_BAD_AUTH],
        .declined = counters->declined + verdicts[SERVICE_MODE] + verdicts[SERVICE_OWN_ADDRESS],
        .limited = verdicts[SERVICE_LIMITED] + verdicts[SERVICE_KISSED],
        .kissed = verdicts[SERVICE_KISSED],
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
        .offset_s = s->filter.has_used ? filter_offset_s(&s->filter, slewed) : 0.0,
        .delay_s = s->filter.delay_s,
        .dispersion_s = filter_dispersion_s(&s->filter, tolerance, now.mono),
        .jitter_s = s->filter.jitter_s,
        .root_distance_s = source_distance_s(s, tolerance, now.mono),
    };
}

double engine_bound_s(const struct engine *e, mono_time now, double *drift_ppm)
{
    *drift_ppm = e->discipline.drift * 1e6;
    return system_distance_s(&e->system, now);
}

const struct endpoint *engine_source_peer(const struct engine *e, size_t source, uint8_t *reach)
{
    *reach = e->sources[source].reach;
    return &e->sources[source].peer;
}
