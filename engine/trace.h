/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What happened and why, as typed records, and the text forms made of them.
 *
 * The engine hands each record to the host's sink and forgets it. Text is made here and only when a
 * host asks: a log line, and the lines of ntpd's statistics files. Opens no file and knows no name
 * of one.
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
    TRACE_REACH,   /* a source became reachable or unreachable, or never was */
    TRACE_REJECT,  /* a packet was refused by a source */
    TRACE_DENIED,  /* a packet was dropped by the access list */
    TRACE_KISS,    /* a kiss-o'-death was taken */
    TRACE_SPIKE,   /* popcorn suppressor or step-out timer held a sample back */
    TRACE_DISPUTE, /* a source contradicts my own bound, and is not followed */
    TRACE_CLOCK,   /* a clock event came from the host */
    TRACE_RAW,     /* an answer completed an exchange (rawstats); before its sample */
    TRACE_KINDS
};

/* Sets of kinds. */
#define TRACE_BIT(kind) (UINT32_C(1) << (kind))
#define TRACE_ALL (TRACE_BIT(TRACE_KINDS) - 1)

struct trace_record {
    enum trace_kind kind;
    struct instant now;
    int source;           /* index, -1 = none */
    struct endpoint peer; /* of the source, or of the sender */
    const char *name;     /* of the source as configured; NULL = none, or an address */
    const char *why;      /* a constant string, or NULL */
    uint16_t status;      /* RFC 9327's status word of the source, or of the system when there is
                           * none or trace_is_of_system() */
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
        struct {
            struct address local;
            ntp_time sent, received, answered, arrived; /* T1 ... T4; T1 by my clock, no nonce */
            uint8_t leap, version, mode, stratum;       /* of the answer; stratum as on the wire */
            int8_t poll, precision;
            uint32_t root_delay, root_dispersion; /* NTP short format */
            uint32_t refid;
            uint8_t polls; /* of mine since the last answer */
        } raw;
    } u;
};

typedef void trace_sink(void *context, const struct trace_record *record);

const char *system_state_name(enum system_state state);

/* One line for people, no newline, NUL-terminated, cut at `size`; returns its length. */
size_t trace_text(const struct trace_record *record, char *text, size_t size);

/* Whether a record is about the system even when it names a source: state, step, clock event. */
bool trace_is_of_system(enum trace_kind kind);

/* ---- lines of ntpd's statistics files ------------------------------------------------------- */

enum statistics_kind {
    STATISTICS_LOOP,  /* loopstats: MJD second offset drift jitter wander poll */
    STATISTICS_PEER,  /* peerstats: MJD second address status offset delay dispersion jitter */
    STATISTICS_RAW,   /* rawstats: MJD second source destination T1 T2 T3 T4 leap version mode
                       * stratum poll precision rootdelay rootdispersion refid polls */
    STATISTICS_PROTO, /* protostats: MJD second address status event text */
    STATISTICS_CLOCK, /* clockstats: MJD second 127.127.1.0 text */
    STATISTICS_SYS,   /* sysstats: made of counters, not of records */
    STATISTICS_KINDS
};

enum { STATISTICS_LINE_MAX = 384 };

/* "loopstats", ...: the name in statistics and filegen lines. */
const char *trace_statistics_name(enum statistics_kind kind);

/* The line that a record makes in the file of that kind, with its newline and a NUL; its length, 0
 * when it makes none. First the modified Julian day of the clock's reading, in the era that starts
 * at the pivot, and the second of that day, cut off at milliseconds, so that no line comes from the
 * future. Offsets, delays, dispersions and jitters in s with 9 decimals, drift in ppm
 * with 3, wander in ppm with 6, T1 ... T4 in s since 1900 with 9; status words in hexadecimal. Who
 * may be made to fill a disk by strangers (TRACE_REJECT, TRACE_DENIED) makes no line. */
size_t trace_statistics_line(const struct trace_record *record, enum statistics_kind kind,
                             char text[STATISTICS_LINE_MAX]);

struct packet_counts; /* inspection.h */

/* "MJD second seconds received processed ...": what came in the `seconds` since the line before;
 * returns the length. */
size_t trace_statistics_sys_line(ntp_time clock, uint64_t seconds,
                                 const struct packet_counts *counts,
                                 char text[STATISTICS_LINE_MAX]);

#endif
