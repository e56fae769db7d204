/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The status words of RFC 9327 section 3: how the system and each source stand, and what happened
 * to them last.
 *
 * Events are tallied from the trace records, whether or not a host listens to these. Nothing in the
 * engine decides by what is kept here.
 */
#ifndef HOLDFAST_STATUS_WORD_H
#define HOLDFAST_STATUS_WORD_H

#include <stdint.h>

#include "trace.h"

struct engine;
struct source;

/* The event that happened last, and how often in a row: 1 ... 15, then no longer counted. */
struct event_tally {
    uint8_t code, count;
};

/* System event codes that occur here (RFC 9327 table 2). */
enum system_event {
    SYSTEM_EVENT_SPIKE = 3,
    SYSTEM_EVENT_SYNCHRONISED = 5,
    SYSTEM_EVENT_RESTART = 6,
    SYSTEM_EVENT_PANIC = 7,
    SYSTEM_EVENT_NO_PEER = 8,
    SYSTEM_EVENT_STEP = 12
};

/* Peer event codes that occur here (RFC 9327 table 4). */
enum peer_event {
    PEER_EVENT_MOBILISED = 1,
    PEER_EVENT_UNREACHABLE = 3,
    PEER_EVENT_REACHABLE = 4,
    PEER_EVENT_RATE = 7,
    PEER_EVENT_DENIED = 8,
    PEER_EVENT_SYSTEM_PEER = 10
};

/* Flash bits, as ntpq names them: the tests of a packet, then those of a source. */
enum flash {
    FLASH_DUPLICATE = 0x0001,
    FLASH_BOGUS = 0x0002,
    FLASH_UNSYNCHRONISED = 0x0004, /* a timestamp that must be there is missing */
    FLASH_DENIED = 0x0008,
    FLASH_AUTH = 0x0010,
    FLASH_HEADER = 0x0040,
    FLASH_STRATUM = 0x0200,
    FLASH_DISTANCE = 0x0400,
    FLASH_LOOP = 0x0800,
    FLASH_UNREACHABLE = 0x1000
};

/* The flash bit of an enum source_verdict, 0 for a packet that was taken. */
unsigned flash_of_verdict(unsigned verdict);

/* Tallies what a record tells; `source` is its index, -1 = none. */
void status_word_note(struct engine *e, const struct trace_record *record, int source);

/* Leap indicator, kind of source, event count and code. */
uint16_t status_word_of_system(const struct engine *e);

/* Configured, authenticated, reachable, selection, event count and code. */
uint16_t status_word_of_peer(const struct source *s);

#endif
