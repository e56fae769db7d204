/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client table: who asked lately, and how often they may.
 *
 * Of fixed size; the oldest entry makes room. Rate limiting is a token bucket per address: in the
 * long run one packet in 2^average s, a burst of 8, no two within `minimum` seconds, and one
 * request in four let through at random beyond that, so that a spoofer cannot silence a client. A
 * kiss is sent at most once per address in 16 s. Ports do not count: many clients behind one
 * address are one. Allocates nothing: the caller gives the memory.
 */
#ifndef HOLDFAST_CLIENTS_H
#define HOLDFAST_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "engine_config.h"
#include "timestamp.h"

/* Holds no pointers: its clients_size() bytes, copied to another place, are the same table. */
struct clients;

enum client_verdict { CLIENT_SERVE, CLIENT_DROP, CLIENT_KISS };

struct client_entry { /* one line of the most-recently-used list */
    struct endpoint peer;
    struct address local;
    mono_time first, last;
    uint32_t count;   /* requests */
    uint32_t dropped; /* those of them not served; both counters stop at their maximum */
    uint8_t mode, version;
    uint16_t flags; /* of the access entry that matched */
};

/* Bytes for `capacity` entries (1 ... CLIENTS_MAX); multiple of 16. */
size_t clients_size(uint16_t capacity);

/* Builds an empty table in `memory` (aligned to 16, clients_size() bytes) and returns it. `key`
 * seeds the choice of who is let through and the placing of addresses, which a sender thus cannot
 * foresee. */
struct clients *clients_init(void *memory, uint16_t capacity, const uint8_t key[32]);

/* Notes one request and says what to do with it. `flags` are those of its access entry: without
 * ACCESS_LIMITED the verdict is always CLIENT_SERVE, without ACCESS_KOD never CLIENT_KISS. `now`
 * before the last request of the same address counts as the same instant. */
enum client_verdict clients_note(struct clients *clients, const struct endpoint *peer,
                                 const struct address *local, uint8_t mode, uint8_t version,
                                 uint16_t flags, const struct discard_config *discard,
                                 mono_time now);

/* True once in ten, at random: which requests the flag `flake` loses. */
bool clients_flake(struct clients *clients);

size_t clients_count(const struct clients *clients);

uint16_t clients_capacity(const struct clients *clients);

/* The entry of an address; NULL when there is none. */
const struct client_entry *clients_find(const struct clients *clients,
                                        const struct address *address);

/* The entry next to `entry` by last request, towards the newest; the oldest for NULL. NULL after
 * the newest. */
const struct client_entry *clients_newer(const struct clients *clients,
                                         const struct client_entry *entry);

/* The same towards the oldest; the newest for NULL. */
const struct client_entry *clients_older(const struct clients *clients,
                                         const struct client_entry *entry);

#endif
