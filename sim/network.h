/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The network: a path for each pair of nodes that talk, and the datagrams on their way.
 *
 * A path is made when its pair first talks; its random streams come from the names of its two ends,
 * so neither the order of first use nor other nodes of the scenario matter. Datagrams are real
 * bytes in slots that are used again; nothing is allocated once enough slots exist. Nothing here
 * knows what the bytes mean.
 */
#ifndef HOLDFAST_SIM_NETWORK_H
#define HOLDFAST_SIM_NETWORK_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "link.h"
#include "scenario.h"

#define NETWORK_NONE UINT32_MAX

/* The pairs of a chunk fill two huge pages. */
enum { FLIGHT_SMALL_MAX = 128, NETWORK_PAIRS_PER_CHUNK = 11000, NETWORK_FLIGHTS_PER_CHUNK = 64 };

/* The top bit of a slot tells the slab of large datagrams. */
#define NETWORK_LARGE (UINT32_C(1) << 31)

/* The path of one pair. */
struct pair {
    struct link links[2]; /* forward, back */
    uint32_t ends[2];     /* forward goes from ends[0] to ends[1] */
};

/* One datagram on its way. */
struct flight {
    uint64_t hash; /* of the bytes */
    struct pair *pair;
    struct flight *next_free;
    uint32_t slot; /* where it lies */
    uint32_t from, to;
    uint16_t source_port, destination_port;
    uint16_t size;
    struct address source;
    uint8_t bytes[];
};

/* Slots of one size, in chunks that never move. */
struct flight_slab {
    GPtrArray *chunks;
    size_t stride;
    uint32_t used;
    struct flight *free;
};

struct network {
    const struct scenario *scenario;
    uint64_t seed;
    GPtrArray *chunks; /* of pairs, which never move */
    uint32_t pair_count;
    uint32_t *table; /* open addressing: pair index or NETWORK_NONE */
    uint32_t table_mask;
    struct flight_slab small, large;
};

void network_init(struct network *network, const struct scenario *scenario, uint64_t seed);
void network_clear(struct network *network);

/* The path between two different nodes; made with the faults in force when there is none yet. */
struct pair *network_pair(struct network *network, const struct fault_board *board, uint32_t a,
                          uint32_t b);

static inline struct pair *network_pair_at(const struct network *network, uint32_t pair)
{
    struct pair *chunk = network->chunks->pdata[pair / NETWORK_PAIRS_PER_CHUNK];
    return &chunk[pair % NETWORK_PAIRS_PER_CHUNK];
}

/* The direction of the path between `from` and `to` that leads from the one to the other. */
static inline struct link *network_link(struct pair *pair, uint32_t from, uint32_t to)
{
    return &pair->links[from < to ? 0 : 1];
}

/* Sets what the faults in force do to a path. */
void network_apply_faults(struct pair *pair, const struct fault_board *board);

/* A flight with room for `size` bytes, with its slot and size set; valid until network_land(). */
struct flight *network_launch(struct network *network, size_t size);
void network_land(struct network *network, struct flight *flight);

static inline struct flight *network_slab_at(const struct flight_slab *slab, uint32_t index)
{
    char *chunk = slab->chunks->pdata[index / NETWORK_FLIGHTS_PER_CHUNK];
    return (struct flight *)(void *)(chunk + (index % NETWORK_FLIGHTS_PER_CHUNK) * slab->stride);
}

static inline struct flight *network_flight(const struct network *network, uint32_t slot)
{
    return slot & NETWORK_LARGE ? network_slab_at(&network->large, slot & ~NETWORK_LARGE)
                                : network_slab_at(&network->small, slot);
}

#endif
