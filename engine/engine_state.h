/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of an engine: what the verbs' implementations share. Hosts never include this.
 */
#ifndef HOLDFAST_ENGINE_STATE_H
#define HOLDFAST_ENGINE_STATE_H

#include "clients.h"
#include "discipline.h"
#include "engine.h"
#include "group.h"
#include "ledger.h"
#include "random.h"
#include "source.h"
#include "status_word.h"
#include "system.h"

/* Looking a name up, one per association whose name is no address. */
struct resolution {
    uint16_t association, first_source, source_count;
    uint8_t alternates; /* addresses kept; the present one included */
    uint8_t next_alternate;
    uint8_t backoff_log2s;
    bool is_pending; /* the host has been asked */
    mono_time due;   /* when to ask */
    struct endpoint addresses[ALTERNATES_MAX];
};

/* What has a time, found by engine_find_due() at the end of each verb that can have changed it, and
 * of an adoption. */
struct due {
    mono_time first; /* of all */
    mono_time slew;  /* the next piece of it */
    mono_time look_up;
    int source; /* index of the source that is polled next; -1 = there is none */
};

struct engine {
    struct engine_config config;
    const struct policy_rules *policy;
    struct random_stream random;
    struct ledger ledger;
    struct discipline discipline;
    struct system system;
    struct server_view view;
    struct clients *clients;
    uint32_t wanted; /* kinds of records that the sink takes; none without a sink */
    trace_sink *sink;
    void *sink_context;
    struct source *sources;
    struct resolution *resolutions;
    uint16_t source_count, resolution_count;
    int leader;        /* index of the system peer, -1 = none */
    uint32_t requests; /* last request number given out */
    int64_t rate_q;    /* in force */
    struct due due;
    bool is_started; /* the first rate has been commanded */
    bool needs_selection;
    bool has_stepped;
    mono_time stepped_at;
    uint8_t armed_leap;
    bool has_leapt;
    mono_time leapt_at;       /* the last leap second */
    bool needs_leap;          /* another list: what is announced must be looked at */
    struct event_tally event; /* of the system */
    uint32_t refused;         /* clock commands that the host could not carry out */
    /* What a packet that fails may change; beside these only the flash bits of sources. */
    struct engine_counters counters;
};

/* Sources that a line keeps. */
uint16_t engine_sources_of(const struct association_config *a);

/* engine.c, for a new engine and for one that goes on (adopt.c). An engine without any state in
 * `memory`, its parts where they belong; the client table is not built yet. */
struct engine *engine_place(void *memory, const struct engine_config *config);

/* An association's sources, from sources[first] on, at their start. A name's resolution is written
 * to *resolution, which is not looked at otherwise. */
void engine_begin_association(struct engine *e, uint16_t association, uint16_t first,
                              struct resolution *resolution, mono_time now);

/* An empty client table, if there is to be one. */
void engine_begin_clients(struct engine *e);

/* Nobody takes records of this kind. For those that change nothing else and come with every answer,
 * which are then not even made. */
static inline bool engine_keeps_quiet(const struct engine *e, enum trace_kind kind)
{
    return (e->wanted & TRACE_BIT(kind)) == 0;
}

/* Fills kind-independent fields and hands the record to the sink. */
void engine_say(struct engine *e, struct trace_record *record, struct instant now, int source,
                const char *why);

/* Settles the residual and commands the rate that the discipline wants (adds EFFECT_CLOCK when the
 * rate in force changes). */
void engine_steer(struct engine *e, struct instant now, struct effects *out);

/* Looks for what is due next. Whoever has changed a poll time, the discipline, the system's state
 * or a resolution calls it before the verb ends: nothing else wakes the engine. */
void engine_find_due(struct engine *e);

/* Publishes the system variables (EFFECT_VIEW). */
void engine_publish(struct engine *e, struct effects *out);

void engine_set_state(struct engine *e, enum system_state state, struct instant now,
                      const char *why);

/* Every source's poll exponent after the system's has changed, or the state. */
void engine_spread_poll(struct engine *e, mono_time now);

/* What the tests of a source's packets need to know of the rest. */
static inline struct source_terms engine_source_terms(const struct engine *e, mono_time now)
{
    double distance = system_distance_s(&e->system, now);
    return (struct source_terms){.config = &e->config,
                                 .slewed_s = ledger_slewed_s(&e->ledger, now),
                                 .is_synchronised = !isinf(distance),
                                 .own_bound_s = distance};
}

static inline double engine_maxdist_s(const struct engine *e)
{
    return policy_maxdist_s(e->policy, &e->config);
}

/* mitigation.c: chooses a leader and, when it has a new sample, corrects the clock. */
void engine_mitigate(struct engine *e, struct instant now, struct effects *out);

/* Announces and arms, or disarms, the leap second of this day by the list, without asking sources
 * anew; beyond synchronisation only ends what is over. */
void engine_revise_leap(struct engine *e, struct instant now, struct effects *out);

/* Why the source is no candidate: the first of its tests that fails, as a flash bit (ntpd's TEST10
 * to TEST13); 0 when it is fit. */
unsigned engine_source_fault(const struct engine *e, const struct source *s, mono_time now);

/* What my own root dispersion grows by, s/s. */
double engine_dispersion_rate(const struct engine *e);

/* There is a leader and it passes the tests of a source as it stands now. */
bool engine_leader_is_fit(const struct engine *e, mono_time now);

/* reception.c: a datagram for a source or for the server. False when all that is due is due when it
 * was before. */
bool engine_hear(struct engine *e, struct instant now, const struct datagram *in,
                 const struct packet *packet, struct effects *out);

/* Notes what the configuration says of the source's address and of its reference id: where one of
 * them or the configuration is new. A reference id that a packet brings is noted by its way. */
void engine_note_source(const struct engine *e, struct source *s);

/* What the source's server sends in its version passes the access list. */
bool engine_hears(const struct engine *e, const struct source *s);

/* resolution.c */
mono_time resolution_next(const struct engine *e);
/* Asks for one name whose time has come; there is one. */
void resolution_expire(struct engine *e, struct instant now, struct effects *out);
void resolution_answer(struct engine *e, struct instant now, uint16_t association,
                       const struct endpoint *addresses, size_t n);
/* The source lost its server: the next alternate, or a new look-up. */
void resolution_source_lost(struct engine *e, struct source *s, mono_time now);

#endif
