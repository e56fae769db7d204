/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client table: slots in an array, chained by index from hash buckets and into a list by age.
 * It holds no pointers and never grows; when it is full the oldest entry makes room.
 */
#include "clients.h"

#include <assert.h>
#include <string.h>

#include "random.h"

enum { BURST = 8, LEAK = 4, FLAKE = 10, KISS_INTERVAL_S = 16 };
enum { AVERAGE_MIN_LOG2S = -16, AVERAGE_MAX_LOG2S = 20 };

#define NO_SLOT UINT16_MAX
#define TICKS_IN_S (INT64_C(1) << 32)

/* One address. Its bucket is kept in time: a request costs one period, and idle time pays for
 * it. */
struct slot {
    struct client_entry entry;
    int64_t credit_ticks; /* 0 ... BURST periods */
    mono_time last_kiss;
    bool is_kissed; /* last_kiss is set */
    uint16_t bucket, next_in_bucket;
    uint16_t newer, older;
};

/* Followed in the same block by the buckets: the first slot of each chain. */
struct clients {
    struct random_stream random;
    uint64_t hash_key[2];
    uint16_t capacity, used;
    uint16_t newest, oldest;
    uint16_t bucket_mask;
    struct slot slots[];
};

static_assert(CLIENTS_MAX < NO_SLOT, "a slot index never looks like none");

static uint16_t bucket_count(uint16_t capacity)
{
    unsigned count = 1;
    while (count < capacity) {
        count *= 2;
    }
    return (uint16_t)count;
}

size_t clients_size(uint16_t capacity)
{
    assert(capacity >= 1 && capacity <= CLIENTS_MAX);
    size_t size = sizeof(struct clients) + capacity * sizeof(struct slot) +
                  bucket_count(capacity) * sizeof(uint16_t);
    return (size + 15) / 16 * 16;
}

static const uint16_t *buckets_of(const struct clients *clients)
{
    return (const uint16_t *)(const void *)(clients->slots + clients->capacity);
}

/* To write to. */
static uint16_t *own_buckets(struct clients *clients)
{
    return (uint16_t *)(void *)(clients->slots + clients->capacity);
}

struct clients *clients_init(void *memory, uint16_t capacity, const uint8_t key[32])
{
    struct clients *clients = memory;
    memset(memory, 0, clients_size(capacity));
    random_init(&clients->random, key);
    clients->hash_key[0] = random_u64(&clients->random);
    clients->hash_key[1] = random_u64(&clients->random);
    clients->capacity = capacity;
    clients->newest = NO_SLOT;
    clients->oldest = NO_SLOT;
    clients->bucket_mask = (uint16_t)(bucket_count(capacity) - 1);
    for (unsigned i = 0; i <= clients->bucket_mask; i++) {
        own_buckets(clients)[i] = NO_SLOT;
    }
    return clients;
}

/* ---- placing: SipHash-1-3 by a secret key, so that a sender cannot make chains long --------- */

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

/* Always inlined: the four words then stay in registers for all rounds. */
static inline __attribute__((always_inline)) void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static inline __attribute__((always_inline)) void sip_absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

/* One round a word and three at the end: what hash tables take, for nobody sees the hash. The last
 * word has the length of the address in its highest octet. */
static uint16_t bucket_of(const struct clients *clients, const struct address *address)
{
    const uint64_t *key = clients->hash_key;
    uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                     key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    if (address->family == ADDRESS_V4) {
        sip_absorb(v, UINT64_C(4) << 56 | address_half(address, 0) >> 32);
    } else {
        sip_absorb(v, address_half(address, 0));
        sip_absorb(v, address_half(address, 1));
        sip_absorb(v, UINT64_C(16) << 56);
    }
    v[2] ^= 0xFF;
    for (unsigned i = 0; i < 3; i++) {
        sip_round(v);
    }
    return (uint16_t)((v[0] ^ v[1] ^ v[2] ^ v[3]) & clients->bucket_mask);
}

/* ---- lists --------------------------------------------------------------------------------- */

static void unlink_from_bucket(struct clients *clients, uint16_t index)
{
    struct slot *slot = &clients->slots[index];
    uint16_t *link = &own_buckets(clients)[slot->bucket];
    while (*link != index) {
        assert(*link != NO_SLOT);
        link = &clients->slots[*link].next_in_bucket;
    }
    *link = slot->next_in_bucket;
}

static void unlink_from_ages(struct clients *clients, uint16_t index)
{
    const struct slot *slot = &clients->slots[index];
    if (slot->newer == NO_SLOT) {
        clients->newest = slot->older;
    } else {
        clients->slots[slot->newer].older = slot->older;
    }
    if (slot->older == NO_SLOT) {
        clients->oldest = slot->newer;
    } else {
        clients->slots[slot->older].newer = slot->newer;
    }
}

static void make_newest(struct clients *clients, uint16_t index)
{
    struct slot *slot = &clients->slots[index];
    slot->newer = NO_SLOT;
    slot->older = clients->newest;
    if (clients->newest == NO_SLOT) {
        clients->oldest = index;
    } else {
        clients->slots[clients->newest].newer = index;
    }
    clients->newest = index;
}

static uint16_t take_slot(struct clients *clients)
{
    if (clients->used < clients->capacity) {
        return clients->used++;
    }
    uint16_t index = clients->oldest;
    unlink_from_bucket(clients, index);
    unlink_from_ages(clients, index);
    return index;
}

static int64_t period_ticks(const struct discard_config *discard)
{
    int8_t log2s = discard->average_log2s;
    log2s = log2s < AVERAGE_MIN_LOG2S ? AVERAGE_MIN_LOG2S : log2s;
    log2s = log2s > AVERAGE_MAX_LOG2S ? AVERAGE_MAX_LOG2S : log2s;
    return INT64_C(1) << (32 + log2s);
}

/* The slot of an address, which belongs into that bucket; NO_SLOT when there is none. */
static uint16_t find_slot(const struct clients *clients, uint16_t bucket,
                          const struct address *address)
{
    uint16_t index = buckets_of(clients)[bucket];
    while (index != NO_SLOT && !address_equal(&clients->slots[index].entry.peer.address, address)) {
        index = clients->slots[index].next_in_bucket;
    }
    return index;
}

/* A slot for an address not known yet, in no list by age: a full bucket and count 0. Out of line,
 * like excess(): most requests are of known addresses and within their rate. */
static __attribute__((noinline)) uint16_t begin_slot(struct clients *clients, uint16_t bucket,
                                                     const struct address *address,
                                                     const struct discard_config *discard,
                                                     mono_time now)
{
    uint16_t index = take_slot(clients);
    struct slot *fresh = &clients->slots[index];
    memset(fresh, 0, sizeof *fresh);
    fresh->entry.peer.address = *address;
    fresh->entry.first = now;
    fresh->entry.last = now;
    fresh->credit_ticks = BURST * period_ticks(discard);
    fresh->bucket = bucket;
    fresh->next_in_bucket = buckets_of(clients)[bucket];
    own_buckets(clients)[bucket] = index;
    return index;
}

/* The slot of an address, made the newest. */
static struct slot *touch(struct clients *clients, const struct address *address,
                          const struct discard_config *discard, mono_time now)
{
    uint16_t bucket = bucket_of(clients, address);
    uint16_t index = find_slot(clients, bucket, address);
    if (index != NO_SLOT) {
        unlink_from_ages(clients, index);
    } else {
        index = begin_slot(clients, bucket, address, discard, now);
    }
    make_newest(clients, index);
    return &clients->slots[index];
}

/* ---- the verdict --------------------------------------------------------------------------- */

/* Whether the bucket pays for this request; takes the token if so. */
static bool is_within_rate(struct slot *slot, const struct discard_config *discard, mono_time now)
{
    int64_t period = period_ticks(discard);
    int64_t full = BURST * period;
    int64_t idle = mono_before(now, slot->entry.last) ? 0 : now.ticks - slot->entry.last.ticks;
    bool is_first = slot->entry.count == 0;
    slot->credit_ticks = idle >= full - slot->credit_ticks ? full : slot->credit_ticks + idle;
    if (slot->credit_ticks < period || (!is_first && idle < discard->minimum_s * TICKS_IN_S)) {
        return false;
    }
    slot->credit_ticks -= period;
    return true;
}

static bool is_kiss_due(const struct slot *slot, mono_time now)
{
    return !slot->is_kissed || now.ticks - slot->last_kiss.ticks >= KISS_INTERVAL_S * TICKS_IN_S;
}

/* What becomes of a request beyond the rate. */
static __attribute__((noinline)) enum client_verdict
excess(struct clients *clients, struct slot *slot, uint16_t flags, mono_time now)
{
    if (random_byte(&clients->random) % LEAK == 0) {
        return CLIENT_SERVE;
    }
    if ((flags & ACCESS_KOD) && is_kiss_due(slot, now)) {
        slot->is_kissed = true;
        slot->last_kiss = now;
        return CLIENT_KISS;
    }
    return CLIENT_DROP;
}

static enum client_verdict judge(struct clients *clients, struct slot *slot, uint16_t flags,
                                 const struct discard_config *discard, mono_time now)
{
    bool is_within = is_within_rate(slot, discard, now);
    return is_within || !(flags & ACCESS_LIMITED) ? CLIENT_SERVE
                                                  : excess(clients, slot, flags, now);
}

static void count_up(uint32_t *counter)
{
    if (*counter < UINT32_MAX) {
        ++*counter;
    }
}

enum client_verdict clients_note(struct clients *clients, const struct endpoint *peer,
                                 const struct address *local, uint8_t mode, uint8_t version,
                                 uint16_t flags, const struct discard_config *discard,
                                 mono_time now)
{
    struct slot *slot = touch(clients, &peer->address, discard, now);
    enum client_verdict verdict = judge(clients, slot, flags, discard, now);
    struct client_entry *entry = &slot->entry;
    entry->peer.port = peer->port;
    entry->local = *local;
    entry->last = mono_before(now, entry->last) ? entry->last : now;
    entry->mode = mode;
    entry->version = version;
    entry->flags = flags;
    count_up(&entry->count);
    if (verdict != CLIENT_SERVE) {
        count_up(&entry->dropped);
    }
    return verdict;
}

bool clients_flake(struct clients *clients)
{
    return random_u64(&clients->random) % FLAKE == 0;
}

size_t clients_count(const struct clients *clients)
{
    return clients->used;
}

uint16_t clients_capacity(const struct clients *clients)
{
    return clients->capacity;
}

const struct client_entry *clients_find(const struct clients *clients,
                                        const struct address *address)
{
    uint16_t index = find_slot(clients, bucket_of(clients, address), address);
    return index == NO_SLOT ? NULL : &clients->slots[index].entry;
}

const struct client_entry *clients_newer(const struct clients *clients,
                                         const struct client_entry *entry)
{
    static_assert(offsetof(struct slot, entry) == 0, "an entry is where its slot is");
    uint16_t next = entry ? ((const struct slot *)(const void *)entry)->newer : clients->oldest;
    return next == NO_SLOT ? NULL : &clients->slots[next].entry;
}

const struct client_entry *clients_older(const struct clients *clients,
                                         const struct client_entry *entry)
{
    uint16_t next = entry ? ((const struct slot *)(const void *)entry)->older : clients->newest;
    return next == NO_SLOT ? NULL : &clients->slots[next].entry;
}
