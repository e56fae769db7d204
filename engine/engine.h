/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The contract between the engine and its world.
 *
 * A host - the simulator or the daemon - calls one verb per event, with one reading of its clocks,
 * and then carries out what the verb left in `struct effects`. The engine makes no system call,
 * reads no clock, allocates nothing, keeps nothing outside the memory it was given and does not
 * know which world it runs in. Same verbs with same arguments give the same effects, bit for bit.
 *
 * Rules a host can rely on, each an assertion that stays on in release builds:
 *  - every verb sets todo and wake; a due wake makes progress; waking early is harmless;
 *  - effects with a step never carry a send; a step always carries a rate;
 *  - rate_q is within +-clock.rate_max_q of the configuration;
 *  - now.mono never goes back from call to call (the host clamps and reports it).
 */
#ifndef HOLDFAST_ENGINE_H
#define HOLDFAST_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine_config.h"
#include "packet.h"
#include "server.h"
#include "timestamp.h"
#include "trace.h"

/* Carried out in this order. */
enum effect {
    EFFECT_CLOCK = 1u << 0,  /* perform effects.clock */
    EFFECT_VIEW = 1u << 1,   /* engine_server_view() has changed: publish it */
    EFFECT_SEND = 1u << 2,   /* send effects.send */
    EFFECT_RESOLVE = 1u << 3 /* look up the name of association effects.resolve_association */
};

enum clock_change {
    CLOCK_RATE = 1u << 0, /* from now on the clock gains rate_q quanta on its free-running rate */
    CLOCK_STEP = 1u << 1, /* add step_s to the clock, before the rate */
    CLOCK_LEAP = 1u << 2, /* arm leap (LEAP_NONE disarms) */
    CLOCK_STATUS =
        1u << 3 /* refresh the kernel's maximum and estimated error: see engine_status() */
};

struct clock_command {
    unsigned what;  /* clock_change bits */
    double step_s;  /* positive sets the clock forward */
    int64_t rate_q; /* units of clock.rate_quantum; positive makes the clock faster */
    uint8_t leap;
};

/* A datagram to send. request 0: from the service port, to a peer or as an answer; local is the
 * address to send from (family ADDRESS_NONE: the host's choice). Otherwise: from a new connected
 * socket with a random port, which replaces the former one of the same source; what comes back on
 * it carries the same request number. */
struct outgoing {
    struct endpoint peer, local;
    uint32_t request;
    uint16_t size;
    uint8_t bytes[DATAGRAM_SIZE_MAX];
};

struct effects {
    unsigned todo;  /* effect bits */
    mono_time wake; /* call engine_expire() at or soon after; MONO_NEVER when idle */
    struct clock_command clock;
    uint16_t resolve_association; /* index into engine_config.associations */
    struct outgoing send;
};

enum clock_event {
    CLOCK_REFUSED, /* the last clock command failed; amount_s unused */
    CLOCK_STEPPED, /* somebody else stepped the clock by amount_s */
    CLOCK_RATED,   /* somebody else changed its rate by amount_s (s/s) */
    CLOCK_RESUMED, /* the machine slept amount_s; mono stood still */
    CLOCK_LEAPT    /* the armed leap second happened; amount_s is -1 (inserted) or +1 (deleted) */
};

struct engine;

/* Bytes of memory that engine_init() needs for this configuration; multiple of 16. */
size_t engine_size(const struct engine_config *config);

/* Builds an engine in `memory` (aligned to 16, engine_size() bytes) and returns it. The struct is
 * copied; what it points to must outlive the engine. `key` seeds the engine's random stream.
 * Nothing is sent before the first engine_expire(); call that at once. */
struct engine *engine_init(void *memory, const struct engine_config *config, const uint8_t key[32],
                           struct instant now);

/* A changed configuration: builds an engine in `memory` (engine_size(config) bytes, aligned to 16,
 * not overlapping the old one's) that goes on where `old` stands, and returns it.
 *
 * An association that is the same in both (kind, name, address, key with the same secret, trust and
 * addresses, version, options; its line and place may differ) moves over whole: address, exchange,
 * filter, reach, poll. A source of it whose address the new configuration forbids, or has for its
 * own or gives to a numeric line, does not: it starts anew. The discipline (`drift_ppm`,
 * `tinker freq` and -g are for starts only), the system variables, the client table if its capacity
 * is the same, the counters, the numbers of requests, an armed leap second and the trace sink go
 * on; new limits and policies and another list of leap seconds hold from now on. The leader stays
 * leader when its source moved over, else the next engine_expire() chooses anew, and holdover is
 * what it finds when nobody is left. With an equal configuration all that follows is what it would
 * have been, but for look-ups under way.
 *
 * What the host does: `old` and its configuration must be valid until this returns and may be freed
 * then; `old` must not be called again. An answer to an EFFECT_RESOLVE of the old engine names an
 * association of the old configuration: the host drops it, the new engine asks again. Answers to
 * requests sent before are given to the new engine as they are. Publish the view, then call
 * engine_expire() at once, with no other verb between: when the configuration no longer allows
 * steering, that ends the slew in force. */
struct engine *engine_adopt(void *memory, const struct engine_config *config, struct engine *old,
                            struct instant now);

void engine_receive(struct engine *e, struct instant now, const struct datagram *in,
                    struct effects *out);

/* A better transmit time of the datagram last sent with this request number, or, for request 0, of
 * the symmetric packet last sent to `peer` (which is not looked at otherwise); STAMP_NOT_SENT: it
 * never left. */
void engine_sent(struct engine *e, struct instant now, uint32_t request, ntp_time stamp,
                 enum stamp_kind kind, const struct endpoint *peer, struct effects *out);

/* Does one due thing, if there is one. */
void engine_expire(struct engine *e, struct instant now, struct effects *out);

/* The answer to EFFECT_RESOLVE: n addresses in the resolver's order; n = 0: failed. */
void engine_resolved(struct engine *e, struct instant now, uint16_t association,
                     const struct endpoint *addresses, size_t n, struct effects *out);

void engine_clock_event(struct engine *e, struct instant now, enum clock_event event,
                        double amount_s, struct effects *out);

/* Sets the only callback: a write-only sink of what happened and why, for records of the kinds in
 * `wanted` (TRACE_BIT(), TRACE_ALL). Called during verbs. */
void engine_set_trace(struct engine *e, uint32_t wanted, trace_sink *sink, void *context);

/* What server_reply() needs; valid until the next verb. */
const struct server_view *engine_server_view(const struct engine *e);
struct service_rules engine_service_rules(const struct engine *e);

/* ---- looking in; nothing below changes the engine ------------------------------------------ */

struct system_status {
    enum system_state state;
    uint8_t leap, stratum;
    uint32_t refid;
    ntp_time reference_time;
    double root_delay_s;
    double root_dispersion_s; /* as of `now` */
    double root_distance_s;   /* root_delay_s / 2 + root_dispersion_s: the claimed bound */
    double offset_s;          /* last combined offset: positive = this clock is behind */
    double residual_s;        /* of it, not yet slewed away */
    double drift_ppm;         /* what the free-running rate needs added; goes to the drift file */
    bool drift_is_known;      /* false until measured or loaded */
    double jitter_s, wander_ppm;
    int8_t poll;      /* system poll exponent */
    int system_peer;  /* source index, -1 = none */
    double lasts_s;   /* how long clients will accept this server if nothing answers from now on:
                      * until the claimed bound reaches tos maxdist or holdover ends by its length;
                      * 0 when unsynchronised */
    uint32_t refused; /* clock commands that the host could not carry out */
};

/* What came in at the engine and what it sent, since `since`: raw counts, of which inspection.h
 * makes those that are told. */
struct engine_counters {
    struct instant since;
    uint64_t received;  /* datagrams given to engine_receive() */
    uint64_t processed; /* those that a source took, or that were answered with time */
    uint64_t malformed; /* no NTP packet by their form */
    uint64_t declined;  /* answers that a source refused, but for bad_auth, and what is neither an
                         * answer to a source nor a request */
    uint64_t bad_auth;
    uint64_t version_4, version_older; /* by the version field of what was received */
    uint64_t sent;                     /* polls of our own */
    struct service_counts served;      /* requests of strangers */
};

/* How a source stands, in ntpq's order of tally codes: space x . - + # * o. */
enum selection {
    SELECT_REJECT,
    SELECT_FALSETICK,
    SELECT_EXCESS,
    SELECT_OUTLIER,
    SELECT_CANDIDATE,
    SELECT_BACKUP,
    SELECT_SYSTEM_PEER,
    SELECT_PPS
};

struct source_status {
    uint16_t association; /* index into engine_config.associations */
    struct endpoint peer;
    bool is_resolved;
    uint8_t reach, stratum, leap;
    int8_t poll;
    uint32_t refid;
    enum selection selection;
    double offset_s, delay_s, dispersion_s, jitter_s;
    double root_distance_s; /* as of `now`; what the fitness test compares with maxdist */
};

const struct engine_counters *engine_counters(const struct engine *e);
void engine_status(const struct engine *e, struct instant now, struct system_status *out);
size_t engine_source_count(const struct engine *e);
void engine_source_status(const struct engine *e, struct instant now, size_t source,
                          struct source_status *out);

/* What is claimed - root_distance_s, INFINITY when unsynchronised - and drift_ppm: the part of the
 * system's status that is looked at often. */
double engine_bound_s(const struct engine *e, mono_time now, double *drift_ppm);

/* Whom a source asks, and its reach register: the part of its status that is looked at often. */
const struct endpoint *engine_source_peer(const struct engine *e, size_t source, uint8_t *reach);

#endif
