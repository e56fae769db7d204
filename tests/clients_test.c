/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client table: its rate law at the edges, who makes room, where addresses are placed, and that
 * nothing on the network makes it grow. The list is compared with a naive one after every step.
 */
#include "../engine/clients.h"

#include <stdlib.h>

#include "check.h"

enum { GUARD = 64, GUARD_BYTE = 0xC7 };
enum { BUCKETS = 4096, NO_SLOT = 0xFFFF }; /* of a table of CLIENTS_MAX */

static const uint8_t key[32] = {1, 2, 3};
static const struct discard_config usual = {.average_log2s = 3, .minimum_s = 1};
static const struct discard_config no_minimum = {.average_log2s = 3, .minimum_s = 0};

/* A table with guard bytes behind it. */
static struct clients *make_table(uint16_t capacity)
{
    size_t size = clients_size(capacity);
    uint8_t *memory = malloc(size + GUARD);
    CHECK_INT(size % 16, 0);
    memset(memory + size, GUARD_BYTE, GUARD);
    return clients_init(memory, capacity, key);
}

static void free_table(struct clients *clients, uint16_t capacity)
{
    const uint8_t *guard = (const uint8_t *)clients + clients_size(capacity);
    for (unsigned i = 0; i < GUARD; i++) {
        if (guard[i] != GUARD_BYTE) {
            CHECK_INT(guard[i], GUARD_BYTE);
        }
    }
    free(clients);
}

static struct endpoint host(uint32_t number)
{
    struct endpoint peer = {.address = {.family = ADDRESS_V4}, .port = 40000};
    for (unsigned i = 0; i < 4; i++) {
        peer.address.bytes[i] = (uint8_t)(number >> (24 - 8 * i));
    }
    return peer;
}

static mono_time at_s(double seconds)
{
    return (mono_time){ticks_from_s(seconds)};
}

static enum client_verdict note(struct clients *clients, uint32_t number, uint16_t flags,
                                const struct discard_config *discard, double seconds)
{
    struct endpoint peer = host(number);
    struct address local = {.family = ADDRESS_V4, .bytes = {10, 0, 0, 1}};
    return clients_note(clients, &peer, &local, 3, 4, flags, discard, at_s(seconds));
}

/* ---- rate ---------------------------------------------------------------------------------- */

static void eight_at_once_are_served_and_of_the_rest_one_in_four(void)
{
    struct clients *clients = make_table(4);
    unsigned served = 0;
    for (unsigned i = 0; i < 8; i++) {
        CHECK_INT(note(clients, 1, ACCESS_LIMITED, &no_minimum, 5.0), CLIENT_SERVE);
    }
    for (unsigned i = 0; i < 4000; i++) {
        served += note(clients, 1, ACCESS_LIMITED, &no_minimum, 5.0) == CLIENT_SERVE;
    }
    CHECK_NEAR(served, 1000.0, 4.0 * 27.4); /* four standard deviations of 4000 draws of 1/4 */
    CHECK_INT(clients_older(clients, NULL)->count, 4008);
    CHECK_INT(clients_older(clients, NULL)->dropped, 4000 - served);
    free_table(clients, 4);
}

static void ninth_at_once_is_over_the_limit(void)
{
    struct clients *clients = make_table(1);
    unsigned drops = 0;
    for (uint32_t number = 0; number < 1000; number++) {
        for (unsigned i = 0; i < 8; i++) {
            note(clients, number, ACCESS_LIMITED, &no_minimum, 0.0);
        }
        drops += note(clients, number, ACCESS_LIMITED, &no_minimum, 0.0) != CLIENT_SERVE;
    }
    CHECK_NEAR(drops, 750.0, 55.0);
    free_table(clients, 1);
}

static unsigned drops_at_interval(double interval_s, const struct discard_config *discard,
                                  unsigned requests)
{
    struct clients *clients = make_table(1);
    unsigned drops = 0;
    for (unsigned i = 0; i < requests; i++) {
        drops += note(clients, 1, ACCESS_LIMITED, discard, i * interval_s) != CLIENT_SERVE;
    }
    free_table(clients, 1);
    return drops;
}

static void long_run_rate_is_one_in_two_to_the_average(void)
{
    const struct discard_config slow = {.average_log2s = 6, .minimum_s = 1};
    CHECK_INT(drops_at_interval(8.0, &usual, 20000), 0);
    /* At 4 s half the requests are over the rate, and three quarters of those are dropped. */
    CHECK_NEAR(drops_at_interval(4.0, &usual, 8000), 3000.0, 150.0);
    CHECK_INT(drops_at_interval(64.0, &slow, 20000), 0);
    CHECK(drops_at_interval(60.0, &slow, 20000) > 500);
}

static void idle_time_pays_for_a_new_burst_and_for_no_more(void)
{
    struct clients *clients = make_table(1);
    unsigned drops = 0;
    for (unsigned i = 0; i < 8; i++) {
        note(clients, 1, ACCESS_LIMITED, &no_minimum, 0.0);
    }
    for (unsigned i = 0; i < 8; i++) {
        CHECK_INT(note(clients, 1, ACCESS_LIMITED, &no_minimum, 1e6), CLIENT_SERVE);
    }
    for (unsigned i = 0; i < 400; i++) {
        drops += note(clients, 1, ACCESS_LIMITED, &no_minimum, 1e6) != CLIENT_SERVE;
    }
    CHECK_NEAR(drops, 300.0, 35.0);
    free_table(clients, 1);
}

static void requests_closer_than_the_minimum_are_over_the_limit(void)
{
    struct clients *clients = make_table(1);
    unsigned close = 0;
    unsigned apart = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        note(clients, 2 * i, ACCESS_LIMITED, &usual, 0.0);
        close += note(clients, 2 * i, ACCESS_LIMITED, &usual, 0.999) != CLIENT_SERVE;
        note(clients, 2 * i + 1, ACCESS_LIMITED, &usual, 0.0);
        apart += note(clients, 2 * i + 1, ACCESS_LIMITED, &usual, 1.0) != CLIENT_SERVE;
    }
    CHECK_NEAR(close, 750.0, 55.0);
    CHECK_INT(apart, 0);
    free_table(clients, 1);
}

static void only_limited_addresses_are_limited(void)
{
    struct clients *clients = make_table(1);
    unsigned drops = 0;
    for (unsigned i = 0; i < 1000; i++) {
        drops += note(clients, 1, ACCESS_KOD, &usual, 0.0) != CLIENT_SERVE;
    }
    CHECK_INT(drops, 0);
    free_table(clients, 1);
}

static void flood_in_a_client_s_name_cannot_silence_it(void)
{
    struct clients *clients = make_table(8);
    unsigned served = 0;
    double seconds = 0.0;
    for (unsigned poll = 0; poll < 200; poll++) { /* the client itself, every 64 s */
        for (unsigned i = 0; i < 640; i++) {      /* and ten forged requests a second */
            seconds += 0.1;
            note(clients, 1, ACCESS_LIMITED | ACCESS_KOD, &usual, seconds);
        }
        served += note(clients, 1, ACCESS_LIMITED | ACCESS_KOD, &usual, seconds) == CLIENT_SERVE;
    }
    CHECK(served >= 25); /* of 200 polls, expected 50 */
    free_table(clients, 8);
}

static void kiss_comes_at_most_once_in_16_s(void)
{
    struct clients *clients = make_table(8);
    unsigned kisses = 0;
    double last_kiss = -1e9;
    for (unsigned i = 0; i < 16000; i++) {
        double seconds = 0.1 * i;
        if (note(clients, 1, ACCESS_LIMITED | ACCESS_KOD, &usual, seconds) == CLIENT_KISS) {
            CHECK(seconds - last_kiss >= 16.0 - 1e-9);
            last_kiss = seconds;
            kisses++;
        }
    }
    CHECK(kisses >= 95 && kisses <= 100); /* 1600 s of flood */
    free_table(clients, 8);
}

static void kiss_needs_the_flag_and_is_each_address_s_own(void)
{
    struct clients *clients = make_table(8);
    unsigned kisses[3] = {0};
    for (unsigned i = 0; i < 100; i++) {
        kisses[0] += note(clients, 1, ACCESS_LIMITED, &usual, 0.0) == CLIENT_KISS;
        kisses[1] += note(clients, 2, ACCESS_LIMITED | ACCESS_KOD, &usual, 0.0) == CLIENT_KISS;
        kisses[2] += note(clients, 3, ACCESS_LIMITED | ACCESS_KOD, &usual, 0.0) == CLIENT_KISS;
    }
    CHECK_INT(kisses[0], 0);
    CHECK_INT(kisses[1], 1);
    CHECK_INT(kisses[2], 1);
    free_table(clients, 8);
}

static void clock_that_goes_back_earns_and_costs_nothing(void)
{
    struct clients *clients = make_table(2);
    unsigned drops = 0;
    for (unsigned i = 0; i < 8; i++) {
        CHECK_INT(note(clients, 1, ACCESS_LIMITED, &no_minimum, i % 2 ? 0.0 : 1000.0),
                  CLIENT_SERVE);
    }
    for (unsigned i = 0; i < 400; i++) {
        drops +=
            note(clients, 1, ACCESS_LIMITED, &no_minimum, i % 2 ? 1000.0 : 0.0) != CLIENT_SERVE;
    }
    CHECK_NEAR(drops, 300.0, 35.0);
    CHECK_INT(clients_older(clients, NULL)->last.ticks, at_s(1000.0).ticks);
    free_table(clients, 2);
}

static void ports_share_a_bucket_and_addresses_do_not(void)
{
    struct clients *clients = make_table(8);
    struct address local = {.family = ADDRESS_V6};
    struct endpoint peer = {.address = {.family = ADDRESS_V6, .bytes = {0x20, 1}}};
    unsigned drops = 0;
    for (uint16_t i = 0; i < 208; i++) {
        peer.port = (uint16_t)(1024 + i);
        drops += clients_note(clients, &peer, &local, 3, 4, ACCESS_LIMITED, &no_minimum, at_s(0)) !=
                 CLIENT_SERVE;
    }
    CHECK_NEAR(drops, 150.0, 25.0);
    CHECK_INT(clients_count(clients), 1);
    peer.address.bytes[15] = 1; /* the next address of the same network */
    CHECK_INT(clients_note(clients, &peer, &local, 3, 4, ACCESS_LIMITED, &no_minimum, at_s(0)),
              CLIENT_SERVE);
    CHECK_INT(clients_count(clients), 2);
    free_table(clients, 8);
}

/* ---- the list ------------------------------------------------------------------------------ */

static void entry_tells_what_was_noted(void)
{
    struct clients *clients = make_table(2);
    struct endpoint peer = host(7);
    struct address local = {.family = ADDRESS_V4, .bytes = {10, 0, 0, 9}};
    clients_note(clients, &peer, &local, 3, 4, ACCESS_NOQUERY, &usual, at_s(10.0));
    peer.port = 123;
    clients_note(clients, &peer, &local, 1, 2, ACCESS_NOPEER, &usual, at_s(20.0));
    const struct client_entry *entry = clients_older(clients, NULL);
    CHECK(address_equal(&entry->peer.address, &peer.address));
    CHECK(address_equal(&entry->local, &local));
    CHECK_INT(entry->peer.port, 123);
    CHECK_INT(entry->first.ticks, at_s(10.0).ticks);
    CHECK_INT(entry->last.ticks, at_s(20.0).ticks);
    CHECK_INT(entry->count, 2);
    CHECK_INT(entry->dropped, 0);
    CHECK_INT(entry->mode, 1);
    CHECK_INT(entry->version, 2);
    CHECK_INT(entry->flags, ACCESS_NOPEER);
    CHECK(clients_older(clients, entry) == NULL);
    free_table(clients, 2);
}

static void empty_table_has_no_newest(void)
{
    struct clients *clients = make_table(3);
    CHECK_INT(clients_count(clients), 0);
    CHECK(clients_older(clients, NULL) == NULL);
    free_table(clients, 3);
}

/* Moves `number` to the front of a naive list, which keeps the newest `capacity`; returns its
 * length. */
static size_t note_naively(uint32_t *list, size_t used, size_t capacity, uint32_t number)
{
    size_t at = 0;
    while (at < used && list[at] != number) {
        at++;
    }
    if (at == used && used < capacity) {
        used++;
    } else if (at == used) {
        at = capacity - 1;
    }
    memmove(list + 1, list, at * sizeof list[0]);
    list[0] = number;
    return used;
}

static bool has_same_order(const struct clients *clients, const uint32_t *list, size_t used)
{
    const struct client_entry *entry = clients_older(clients, NULL);
    for (size_t i = 0; i < used; i++) {
        struct endpoint expected = host(list[i]);
        if (!entry || !address_equal(&entry->peer.address, &expected.address)) {
            return false;
        }
        entry = clients_older(clients, entry);
    }
    return clients_count(clients) == used && !entry;
}

static void oldest_makes_room_as_in_a_naive_list(void)
{
    static const uint16_t capacities[] = {1, 2, 3, 7, 16, 33};
    for (size_t k = 0; k < sizeof capacities / sizeof capacities[0]; k++) {
        uint16_t capacity = capacities[k];
        struct clients *clients = make_table(capacity);
        uint32_t list[33];
        size_t used = 0;
        unsigned wrong = 0;
        uint32_t state = 12345;
        for (unsigned i = 0; i < 4000; i++) {
            state = state * 1664525u + 1013904223u;
            uint32_t number = (state >> 16) % (2u * capacity);
            note(clients, number, 0, &usual, i);
            used = note_naively(list, used, capacity, number);
            wrong += !has_same_order(clients, list, used);
        }
        CHECK_INT(wrong, 0);
        free_table(clients, capacity);
    }
}

static void forgotten_address_starts_afresh(void)
{
    struct clients *clients = make_table(2);
    for (unsigned i = 0; i < 50; i++) {
        note(clients, 1, ACCESS_LIMITED | ACCESS_KOD, &no_minimum, 0.0);
    }
    note(clients, 2, 0, &usual, 1.0);
    note(clients, 3, 0, &usual, 1.0);
    CHECK_INT(note(clients, 1, ACCESS_LIMITED, &no_minimum, 1.0), CLIENT_SERVE);
    CHECK_INT(clients_older(clients, NULL)->count, 1);
    CHECK_INT(clients_older(clients, NULL)->dropped, 0);
    free_table(clients, 2);
}

static void a_million_addresses_stay_in_4096_entries(void)
{
    struct clients *clients = make_table(CLIENTS_MAX);
    const uint32_t total = 1000000;
    unsigned wrong = 0;
    for (uint32_t i = 0; i < total; i++) {
        note(clients, i * 2654435761u, ACCESS_LIMITED, &usual, 0.001 * i);
    }
    CHECK_INT(clients_count(clients), CLIENTS_MAX);
    const struct client_entry *entry = clients_older(clients, NULL);
    for (uint32_t i = 0; entry && i < CLIENTS_MAX; i++) {
        struct endpoint expected = host((total - 1 - i) * 2654435761u);
        wrong += !address_equal(&entry->peer.address, &expected.address);
        entry = clients_older(clients, entry);
    }
    CHECK_INT(wrong, 0);
    CHECK(entry == NULL);
    CHECK(clients_size(CLIENTS_MAX) < 1024 * 1024);
    free_table(clients, CLIENTS_MAX);
}

/* ---- placing ------------------------------------------------------------------------------- */

/* A full-size table while it fills: its slots are given out in order, and a new one becomes the
 * first of its chain. */
struct placing {
    struct clients *clients;
    const uint16_t *buckets; /* the first slot of each chain */
};

/* The buckets are the end of the table's bytes but for a few zeros that fill it up, and say "none"
 * as long as it is empty. */
static struct placing begin_placing(uint8_t seed)
{
    uint8_t own_key[32] = {seed, 2, 3};
    struct placing p = {.clients = make_table(CLIENTS_MAX)};
    clients_init(p.clients, CLIENTS_MAX, own_key);
    const uint16_t *words = (const uint16_t *)(const void *)p.clients;
    size_t end = clients_size(CLIENTS_MAX) / sizeof *words;
    while (end > BUCKETS && words[end - 1] != NO_SLOT) {
        end--;
    }
    p.buckets = words + end - BUCKETS;
    unsigned others = 0;
    for (unsigned i = 0; i < BUCKETS; i++) {
        others += p.buckets[i] != NO_SLOT;
    }
    CHECK_INT(others, 0);
    return p;
}

/* The bucket that an address goes to, which the table does not know yet; BUCKETS for none. */
static unsigned place(const struct placing *p, const struct address *address)
{
    struct endpoint peer = {.address = *address, .port = NTP_PORT};
    size_t slot = clients_count(p->clients);
    unsigned bucket = 0;
    clients_note(p->clients, &peer, address, 3, 4, 0, &usual, at_s(0.0));
    while (bucket < BUCKETS && p->buckets[bucket] != slot) {
        bucket++;
    }
    return bucket;
}

/* Addresses that a sender can choose among, the i-th of 4096 that differ in few bits. */
static struct address host_of_v4_network(uint32_t i)
{
    return host(0x8CA00000u + i).address; /* 140.160.0.0/16 */
}

static struct address network_of_v4(uint32_t i)
{
    return host((i << 20) + 1u).address;
}

static struct address host_of_v6_network(uint32_t i)
{
    return (struct address){ADDRESS_V6,
                            {0x20, 1, 0xD, 0xB8, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i}};
}

static struct address network_of_v6(uint32_t i)
{
    return (struct address){
        ADDRESS_V6, {0x20, 1, 0xD, 0xB8, [6] = (uint8_t)(i >> 8), [7] = (uint8_t)i, [15] = 1}};
}

static struct address (*const populations[])(uint32_t) = {host_of_v4_network, network_of_v4,
                                                          host_of_v6_network, network_of_v6};
enum { POPULATIONS = sizeof populations / sizeof populations[0] };

/* What chance does with 4096 balls and 4096 bins: 1/e of the bins stay empty, 1507 with a standard
 * deviation of 20, and a chain of 12 or more is seen once in 290,000 tables. */
static void addresses_that_differ_in_few_bits_spread_as_by_chance(void)
{
    for (unsigned k = 0; k < POPULATIONS; k++) {
        struct placing p = begin_placing(1);
        unsigned lengths[BUCKETS + 1] = {0};
        unsigned longest = 0, empty = 0;
        for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
            struct address address = populations[k](i);
            unsigned length = ++lengths[place(&p, &address)];
            longest = length > longest ? length : longest;
        }
        for (unsigned i = 0; i < BUCKETS; i++) {
            empty += lengths[i] == 0;
        }
        CHECK_INT(lengths[BUCKETS], 0);
        CHECK(longest <= 11);
        CHECK_NEAR(empty, 1507.0, 5.0 * 20.0);
        free_table(p.clients, CLIENTS_MAX);
    }
}

/* Of 4096 addresses one is in the same bucket under both keys by chance; nine or more are once in a
 * million pairs of keys. */
static void another_key_places_addresses_elsewhere(void)
{
    for (unsigned k = 0; k < POPULATIONS; k++) {
        struct placing a = begin_placing(1);
        struct placing b = begin_placing(2);
        unsigned same = 0;
        for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
            struct address address = populations[k](i);
            unsigned bucket = place(&a, &address);
            same += place(&b, &address) == bucket;
        }
        CHECK(same <= 8);
        free_table(a.clients, CLIENTS_MAX);
        free_table(b.clients, CLIENTS_MAX);
    }
}

/* Against hash() of CPython 3.11, which is SipHash-1-3: _Py_HashSecret was set to the first two
 * draws of the stream of this key, 67ff4676996063f5 and 85e1a6f059d31904, and given were the octets
 * of the address, reversed in each group of eight (IPv4: of four). The bucket is its last 12
 * bits. */
static void the_bucket_is_the_address_s_siphash_1_3(void)
{
    static const struct {
        struct address address;
        unsigned bucket;
    } known[] = {
        {{ADDRESS_V4, {0, 0, 0, 1}}, 0x207},
        {{ADDRESS_V4, {192, 0, 2, 1}}, 0x118},
        {{ADDRESS_V4, {140, 160, 11, 86}}, 0xBA3},
        {{ADDRESS_V4, {255, 255, 255, 254}}, 0x2E8},
        {{ADDRESS_V6, {[15] = 1}}, 0x4DA},
        {{ADDRESS_V6, {0x20, 1, 0xD, 0xB8, [15] = 1}}, 0x09E},
        {{ADDRESS_V6, {0x20, 1, 0xD, 0xB8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6}}, 0xE82},
        {{ADDRESS_V6, {0xFE, 0x80, [12] = 0xFF, 0xFF, 0xFF, 0xFF}}, 0x164},
    };
    struct placing p = begin_placing(1);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        CHECK_INT(place(&p, &known[i].address), known[i].bucket);
    }
    free_table(p.clients, CLIENTS_MAX);
}

/* ---- chance -------------------------------------------------------------------------------- */

static void equal_keys_and_requests_give_equal_verdicts(void)
{
    struct clients *a = make_table(16);
    struct clients *b = make_table(16);
    unsigned unlike = 0;
    for (uint32_t i = 0; i < 5000; i++) {
        enum client_verdict from_a = note(a, i % 20, ACCESS_LIMITED | ACCESS_KOD, &usual, 0.1 * i);
        enum client_verdict from_b = note(b, i % 20, ACCESS_LIMITED | ACCESS_KOD, &usual, 0.1 * i);
        unlike += from_a != from_b;
    }
    CHECK_INT(unlike, 0);
    CHECK(memcmp(a, b, clients_size(16)) == 0);
    free_table(a, 16);
    free_table(b, 16);
}

static void flake_is_true_once_in_ten(void)
{
    struct clients *clients = make_table(1);
    unsigned flakes = 0;
    for (unsigned i = 0; i < 100000; i++) {
        flakes += clients_flake(clients);
    }
    CHECK_NEAR(flakes, 10000.0, 4.0 * 95.0);
    free_table(clients, 1);
}

const struct test_case clients_tests[] = {
    {"eight_at_once_are_served_and_of_the_rest_one_in_four",
     eight_at_once_are_served_and_of_the_rest_one_in_four},
    {"ninth_at_once_is_over_the_limit", ninth_at_once_is_over_the_limit},
    {"long_run_rate_is_one_in_two_to_the_average", long_run_rate_is_one_in_two_to_the_average},
    {"idle_time_pays_for_a_new_burst_and_for_no_more",
     idle_time_pays_for_a_new_burst_and_for_no_more},
    {"requests_closer_than_the_minimum_are_over_the_limit",
     requests_closer_than_the_minimum_are_over_the_limit},
    {"only_limited_addresses_are_limited", only_limited_addresses_are_limited},
    {"flood_in_a_client_s_name_cannot_silence_it", flood_in_a_client_s_name_cannot_silence_it},
    {"kiss_comes_at_most_once_in_16_s", kiss_comes_at_most_once_in_16_s},
    {"kiss_needs_the_flag_and_is_each_address_s_own",
     kiss_needs_the_flag_and_is_each_address_s_own},
    {"clock_that_goes_back_earns_and_costs_nothing", clock_that_goes_back_earns_and_costs_nothing},
    {"ports_share_a_bucket_and_addresses_do_not", ports_share_a_bucket_and_addresses_do_not},
    {"entry_tells_what_was_noted", entry_tells_what_was_noted},
    {"empty_table_has_no_newest", empty_table_has_no_newest},
    {"oldest_makes_room_as_in_a_naive_list", oldest_makes_room_as_in_a_naive_list},
    {"forgotten_address_starts_afresh", forgotten_address_starts_afresh},
    {"a_million_addresses_stay_in_4096_entries", a_million_addresses_stay_in_4096_entries},
    {"addresses_that_differ_in_few_bits_spread_as_by_chance",
     addresses_that_differ_in_few_bits_spread_as_by_chance},
    {"another_key_places_addresses_elsewhere", another_key_places_addresses_elsewhere},
    {"the_bucket_is_the_address_s_siphash_1_3", the_bucket_is_the_address_s_siphash_1_3},
    {"equal_keys_and_requests_give_equal_verdicts", equal_keys_and_requests_give_equal_verdicts},
    {"flake_is_true_once_in_ten", flake_is_true_once_in_ten},
    {NULL, NULL}};
