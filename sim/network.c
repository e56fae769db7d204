/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Paths and datagrams in flight; see network.h. Never draws a delay of its own and never looks into
 * a packet.
 */
#include "network.h"

#include <assert.h>
#include <string.h>

#include "arena.h"
#include "rng.h"

enum { TABLE_START = 64 };

static uint32_t *table_new(uint32_t size)
{
    uint32_t *table = g_new(uint32_t, size);
    memset(table, 0xFF, size * sizeof *table);
    return table;
}

static void slab_init(struct flight_slab *slab, size_t room)
{
    size_t size = sizeof(struct flight) + room;
    slab->chunks = g_ptr_array_new_with_free_func(arena_give);
    slab->stride = arena_round(size);
    slab->used = 0;
    slab->free = NULL;
}

void network_init(struct network *network, const struct scenario *scenario, uint64_t seed)
{
    network->scenario = scenario;
    network->seed = seed;
    network->chunks = g_ptr_array_new_with_free_func(arena_give);
    network->pair_count = 0;
    network->table = table_new(TABLE_START);
    network->table_mask = TABLE_START - 1;
    slab_init(&network->small, FLIGHT_SMALL_MAX);
    slab_init(&network->large, DATAGRAM_SIZE_MAX);
}

void network_clear(struct network *network)
{
    g_ptr_array_free(network->chunks, TRUE);
    g_ptr_array_free(network->small.chunks, TRUE);
    g_ptr_array_free(network->large.chunks, TRUE);
    g_free(network->table);
    memset(network, 0, sizeof *network);
}

static uint64_t name_hash(const char *name)
{
    uint64_t hash = 0;
    for (const char *c = name; *c; c++) {
        hash = rng_mix(hash ^ (uint8_t)*c);
    }
    return hash;
}

/* The same for (a, b) and (b, a). */
static uint64_t pair_identity(const struct scenario *scenario, uint32_t a, uint32_t b)
{
    uint64_t hash_a = name_hash(scenario->nodes[a].name);
    uint64_t hash_b = name_hash(scenario->nodes[b].name);
    uint64_t low = hash_a < hash_b ? hash_a : hash_b;
    uint64_t high = hash_a < hash_b ? hash_b : hash_a;
    return rng_mix(low) ^ high;
}

static uint32_t table_place(const struct network *network, uint32_t low, uint32_t high)
{
    uint32_t place = (uint32_t)rng_mix((uint64_t)low << 32 | high) & network->table_mask;
    while (network->table[place] != NETWORK_NONE) {
        const struct pair *pair = network_pair_at(network, network->table[place]);
        if (pair->ends[0] == low && pair->ends[1] == high) {
            break;
        }
        place = (place + 1) & network->table_mask;
    }
    return place;
}

static void table_grow(struct network *network)
{
    uint32_t size = 2 * (network->table_mask + 1);
    g_free(network->table);
    network->table = table_new(size);
    network->table_mask = size - 1;
    for (uint32_t i = 0; i < network->pair_count; i++) {
        const struct pair *pair = network_pair_at(network, i);
        network->table[table_place(network, pair->ends[0], pair->ends[1])] = i;
    }
}

/* Forward leaves the node with the lower index, as struct link_rule has it. */
static struct pair *pair_add(struct network *network, uint32_t low, uint32_t high)
{
    const struct path_law *law = scenario_path(network->scenario, low, high);
    uint64_t identity = pair_identity(network->scenario, low, high);
    uint32_t index = network->pair_count;
    if (index % NETWORK_PAIRS_PER_CHUNK == 0) {
        g_ptr_array_add(network->chunks, arena_take(NETWORK_PAIRS_PER_CHUNK * sizeof(struct pair)));
    }
    network->pair_count++;
    struct pair *pair = network_pair_at(network, index);
    pair->ends[0] = low;
    pair->ends[1] = high;
    link_init(&pair->links[0], law, 0, network->seed, identity);
    link_init(&pair->links[1], law, 1, network->seed, identity);
    return pair;
}

struct pair *network_pair(struct network *network, const struct fault_board *board, uint32_t a,
                          uint32_t b)
{
    assert(a != b);
    uint32_t low = MIN(a, b);
    uint32_t high = MAX(a, b);
    uint32_t place = table_place(network, low, high);
    if (network->table[place] != NETWORK_NONE) {
        return network_pair_at(network, network->table[place]);
    }
    network->table[place] = network->pair_count;
    struct pair *pair = pair_add(network, low, high);
    if (2 * network->pair_count > network->table_mask) {
        table_grow(network);
    }
    network_apply_faults(pair, board);
    return pair;
}

void network_apply_faults(struct pair *pair, const struct fault_board *board)
{
    const uint32_t *ends = pair->ends;
    unsigned cuts = fault_cuts(board, ends[0], ends[1]);
    double loss = fault_loss(board, ends[0], ends[1]);
    for (unsigned direction = 0; direction < 2; direction++) {
        struct link *link = &pair->links[direction];
        link->cuts = (uint16_t)MIN(cuts, UINT16_MAX);
        link->extra_loss = loss;
        link->extra_delay_s = fault_delay_s(board, ends[direction], ends[1 - direction]);
    }
}

/* A slot that none has used yet. */
static __attribute__((cold)) struct flight *slab_extend(struct flight_slab *slab, uint32_t large)
{
    uint32_t index = slab->used++;
    if (index % NETWORK_FLIGHTS_PER_CHUNK == 0) {
        g_ptr_array_add(slab->chunks, arena_take(NETWORK_FLIGHTS_PER_CHUNK * slab->stride));
    }
    struct flight *flight = network_slab_at(slab, index);
    flight->slot = index | large;
    flight->next_free = NULL;
    return flight;
}

struct flight *network_launch(struct network *network, size_t size)
{
    assert(size <= DATAGRAM_SIZE_MAX);
    bool is_large = size > FLIGHT_SMALL_MAX;
    struct flight_slab *slab = is_large ? &network->large : &network->small;
    struct flight *flight = slab->free;
    if (!flight) {
        flight = slab_extend(slab, is_large ? NETWORK_LARGE : 0);
    }
    slab->free = flight->next_free;
    flight->size = (uint16_t)size;
    return flight;
}

void network_land(struct network *network, struct flight *flight)
{
    struct flight_slab *slab = flight->slot & NETWORK_LARGE ? &network->large : &network->small;
    flight->next_free = slab->free;
    slab->free = flight;
}
