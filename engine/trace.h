/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What happened and why, as typed records, and the text forms made of them.
 *
 * The engine hands each record to the host's sink and forgets it. Text is made here and only when a
 * host asks: a log line, and ntpd's loopstats and peerstats lines (without their MJD and second,
 * which the host's file writer puts in front).
 */
#ifndef HOLDFAST_TRACE_H
#define HOLDFAST_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "timestamp.h"

enum system_state {
    STATE_UNSYNCHRONISED,
    STATE_SYNCHRONISED,
    STATE_HOLDOVER, /* no fit and eligible source left; leap and stratum stay */
    STATE_PANIC     /* an offset over the panic threshold: the clock is left alone */
};
enum { STATES = 4 };

enum trace_kind {
    TRACE_STATE,   /* system state changed */
    TRACE_LEADER,  /* system peer changed */
    TRACE_LOOP,    /* the discipline took an update */
    TRACE_SAMPLE,  /* a source took a sample (peerstats) */
    TRACE_STEP,    /* the clock was stepped */
    TRACE_REACH,   /* a source became reachable or unreachable */
    TRACE_REJECT,  /* a packet was refused by a source */
    TRACE_DENIED,  /* a packet was dropped by the access list */
    TRACE_KISS,    /* a kiss-o'-death was taken */
    TRACE_SPIKE,   /* popcorn suppressor or step-out timer held a sample back */
    TRACE_DISPUTE, /* a source contradicts my own bound, and is not followed */
    TRACE_CLOCK,   /* a clock event came from the host */
    TRACE_KINDS
};

struct trace_record {
    enum trace_kind kind;
    struct instant now;
    int source;           /* index, -1 = none */
    struct endpoint peer; /* of the source, or of the sender */
    const char *why;      /* a constant string, or NULL */
    union {
        struct {
            enum system_state from, to;
            uint8_t leap, stratum;
            double root_distance_s;
        } state;
        struct {
            int before; /* source index, -1 = none */
            uint32_t refid;
        } leader;
        struct {
            double offset_s, drift_ppm, jitter_s, wander_ppm;
            int8_t poll;
        } loop;
        struct {
            uint16_t status; /* the peer status word of RFC 9327: what peerstats prints in hex */
            double offset_s, delay_s, dispersion_s, jitter_s;
        } sample;
        struct {
            double amount_s;
        } step;
        struct {
            uint8_t reach;
            bool is_reachable;
        } reach;
        struct {
            uint32_t line; /* of the restrict line that decided; 0 = none */
        } denied;
        struct {
            double offset_s, bound_s;
        } dispute;
        struct {
            uint32_t code;
        } kiss;
        struct {
            double amount_s;
        } clock;
    } u;
};

typedef void trace_sink(void *context, const struct trace_record *record);

const char *system_state_name(enum system_state state);

/* One line for people, no newline, NUL-terminated, cut at `size`; returns its length. */
size_t trace_text(const struct trace_record *record, char *text, size_t size);

/* "offset drift jitter wander poll" as in ntpd's loopstats: s with 9 decimals, ppm 3, s 9, ppm 6,
 * integer; only for TRACE_LOOP. Returns the length. */
size_t trace_loopstats(const struct trace_record *record, char *text, size_t size);

/* "address status offset delay dispersion jitter" as in ntpd's peerstats; only for TRACE_SAMPLE. */
size_t trace_peerstats(const struct trace_record *record, char *text, size_t size);

#endif
