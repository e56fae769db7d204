/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The restrict list against a scan of all its entries, bit by bit, for every prefix length; and the
 * list of the article that this project started from.
 */
#include "../engine/access.h"

#include <stdlib.h>

#include "check.h"

enum { ENTRIES = 160 };

static unsigned draw(uint64_t *state, unsigned below)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (unsigned)(((*state * UINT64_C(2685821657736338717)) >> 33) % below);
}

static struct address address_of(const char *text)
{
    struct address a;
    if (!address_parse(text, &a)) {
        CHECK_STR(text, "an address");
    }
    return a;
}

static struct endpoint endpoint_of(const char *text, uint16_t port)
{
    return (struct endpoint){address_of(text), port};
}

static int compare(const void *a, const void *b)
{
    return access_compare(a, b);
}

/* ---- the naive reference ------------------------------------------------------------------- */

static bool has_bits_of(const struct endpoint *peer, const struct restrict_entry *entry)
{
    if (peer->address.family != entry->address.family) {
        return false;
    }
    for (unsigned bit = 0; bit < entry->prefix; bit++) {
        unsigned mask = 0x80u >> bit % 8;
        if ((peer->address.bytes[bit / 8] ^ entry->address.bytes[bit / 8]) & mask) {
            return false;
        }
    }
    return !entry->needs_ntp_port || peer->port == 123;
}

/* Most bits win, then ntpport; looks at every entry in whatever order. */
static const struct restrict_entry *scan(const struct access_list *list,
                                         const struct endpoint *peer)
{
    const struct restrict_entry *best = NULL;
    unsigned best_rank = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct restrict_entry *entry = &list->entries[i];
        unsigned rank = 1 + 2u * entry->prefix + entry->needs_ntp_port;
        if (rank > best_rank && has_bits_of(peer, entry)) {
            best = entry;
            best_rank = rank;
        }
    }
    return best;
}

static bool agrees(const struct access_list *list, const struct endpoint *peer)
{
    const struct restrict_entry *expected = scan(list, peer);
    struct access_decision decision = access_check(list, peer);
    if (!expected) {
        return decision.flags == 0 && decision.is_default && decision.line == 0 &&
               decision.ippeerlimit == -1;
    }
    return decision.line == expected->line && decision.flags == expected->flags &&
           decision.is_default == expected->is_default &&
           decision.ippeerlimit == expected->ippeerlimit;
}

/* ---- properties ---------------------------------------------------------------------------- */

/* Clustered around few bit patterns, so that entries nest and near misses are common. */
static struct address clustered(uint64_t *state, uint8_t family)
{
    struct address a = {.family = family};
    unsigned size = family == ADDRESS_V4 ? 4 : 16;
    unsigned cluster = draw(state, 3);
    for (unsigned i = 0; i < size; i++) {
        a.bytes[i] = (uint8_t)(cluster == 0 ? 0x00 : cluster == 1 ? 0xFF : 0xA5);
    }
    for (unsigned flips = draw(state, 3); flips > 0; flips--) {
        unsigned bit = draw(state, size * 8);
        a.bytes[bit / 8] ^= (uint8_t)(0x80u >> bit % 8);
    }
    return a;
}

static struct restrict_entry random_entry(uint64_t *state, uint32_t line)
{
    uint8_t family = draw(state, 2) ? ADDRESS_V4 : ADDRESS_V6;
    struct restrict_entry entry = {.ippeerlimit = (int16_t)(draw(state, 5)), .line = line};
    entry.prefix = (uint8_t)draw(state, family == ADDRESS_V4 ? 33 : 129);
    entry.address = clustered(state, family);
    entry.address = address_masked(&entry.address, entry.prefix);
    entry.needs_ntp_port = draw(state, 3) == 0;
    entry.is_default = entry.prefix == 0;
    entry.flags = (uint16_t)draw(state, 1u << 14);
    return entry;
}

/* Sorts, and leaves one entry of each match key, as the reader of a configuration does. */
static struct access_list finish(struct restrict_entry *entries, size_t count)
{
    size_t kept = 0;
    qsort(entries, count, sizeof entries[0], compare);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || access_compare(&entries[kept - 1], &entries[i]) != 0) {
            entries[kept++] = entries[i];
        }
    }
    return (struct access_list){entries, kept};
}

static void decision_is_that_of_a_naive_scan_over_random_lists(void)
{
    uint64_t state = 1;
    unsigned wrong = 0;
    unsigned matched[129] = {0};
    for (unsigned round = 0; round < 400; round++) {
        struct restrict_entry entries[ENTRIES] = {0};
        unsigned count = draw(&state, ENTRIES + 1);
        for (unsigned i = 0; i < count; i++) {
            entries[i] = random_entry(&state, i + 1);
        }
        struct access_list list = finish(entries, count);
        for (unsigned i = 0; i < 200; i++) {
            struct endpoint peer = {clustered(&state, draw(&state, 2) ? ADDRESS_V4 : ADDRESS_V6),
                                    draw(&state, 2) ? 123 : 40000};
            const struct restrict_entry *expected = scan(&list, &peer);
            wrong += !agrees(&list, &peer);
            if (expected) {
                matched[expected->prefix]++;
            }
        }
    }
    CHECK_INT(wrong, 0);
    for (unsigned prefix = 0; prefix <= 128; prefix++) {
        CHECK(matched[prefix] > 0); /* every prefix length has decided something */
    }
}

/* Every set of up to three of the 62 entries that four address bits allow, against all sixteen
 * addresses and both kinds of port. */
static void every_small_list_decides_as_a_naive_scan(void)
{
    struct restrict_entry all[62];
    size_t count = 0;
    unsigned wrong = 0;
    for (unsigned prefix = 0; prefix <= 4; prefix++) {
        for (unsigned value = 0; value < 1u << prefix; value++) {
            for (unsigned port = 0; port < 2; port++) {
                all[count] = (struct restrict_entry){.prefix = (uint8_t)prefix,
                                                     .needs_ntp_port = port == 1,
                                                     .line = (uint32_t)count + 1};
                all[count].address.family = ADDRESS_V4;
                all[count].address.bytes[0] = (uint8_t)(value << (8 - prefix));
                count++;
            }
        }
    }
    CHECK_INT(count, 62);
    for (size_t a = 0; a < count; a++) {
        for (size_t b = a; b < count; b++) {
            for (size_t c = b; c < count; c++) {
                struct restrict_entry entries[3] = {all[c], all[a], all[b]};
                struct access_list list = finish(entries, 3);
                for (unsigned peer = 0; peer < 32; peer++) {
                    struct endpoint from = {.port = peer % 2 ? 123 : 1024};
                    from.address.family = ADDRESS_V4;
                    from.address.bytes[0] = (uint8_t)(peer / 2 << 4 | 5);
                    wrong += !agrees(&list, &from);
                }
            }
        }
    }
    CHECK_INT(wrong, 0);
}

static void full_list_of_4096_entries_is_searched_right(void)
{
    static struct restrict_entry entries[4096];
    uint64_t state = 9;
    unsigned wrong = 0;
    for (uint32_t i = 0; i < 4096; i++) {
        entries[i] = random_entry(&state, i + 1);
    }
    struct access_list list = finish(entries, 4096);
    CHECK(list.count > 2000);
    for (unsigned i = 0; i < 3000; i++) {
        const struct restrict_entry *entry = &entries[draw(&state, (unsigned)list.count)];
        struct endpoint peer = {entry->address, draw(&state, 2) ? 123 : 5000};
        wrong += !agrees(&list, &peer);
        peer.address.bytes[draw(&state, peer.address.family == ADDRESS_V4 ? 4 : 16)] ^= 1;
        wrong += !agrees(&list, &peer);
    }
    CHECK_INT(wrong, 0);
}

/* ---- cases --------------------------------------------------------------------------------- */

static void empty_list_restricts_nobody(void)
{
    struct access_list list = {NULL, 0};
    struct endpoint peer = endpoint_of("192.0.2.1", 123);
    struct access_decision decision = access_check(&list, &peer);
    CHECK_INT(decision.flags, 0);
    CHECK(decision.is_default);
    CHECK_INT(decision.line, 0);
    CHECK_INT(decision.ippeerlimit, -1);
}

static void article_s_list_lets_in_whom_the_article_says(void)
{
    struct restrict_entry entries[] = {
        {address_of("0.0.0.0"), 0, false, true, -1, ACCESS_IGNORE, 10},
        {address_of("::"), 0, false, true, -1, ACCESS_IGNORE, 10},
        {address_of("140.160.0.0"), 16, false, false, -1, ACCESS_NOMODIFY | ACCESS_NOPEER, 11},
        {address_of("140.160.247.31"), 32, false, false, -1, 0, 12}};
    struct access_list list = finish(entries, 4);
    static const struct {
        const char *peer;
        unsigned flags;
        uint32_t line;
        bool is_default;
    } cases[] = {{"140.160.247.31", 0, 12, false},
                 {"140.160.247.30", ACCESS_NOMODIFY | ACCESS_NOPEER, 11, false},
                 {"140.160.0.0", ACCESS_NOMODIFY | ACCESS_NOPEER, 11, false},
                 {"140.160.255.255", ACCESS_NOMODIFY | ACCESS_NOPEER, 11, false},
                 {"140.159.255.255", ACCESS_IGNORE, 10, true},
                 {"140.161.0.0", ACCESS_IGNORE, 10, true},
                 {"127.0.0.1", ACCESS_IGNORE, 10, true},
                 {"2001:db8::1", ACCESS_IGNORE, 10, true},
                 {"::ffff:140.160.247.31", ACCESS_IGNORE, 10, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct endpoint peer = endpoint_of(cases[i].peer, 123);
        struct access_decision decision = access_check(&list, &peer);
        CHECK_INT(decision.flags, cases[i].flags);
        CHECK_INT(decision.line, cases[i].line);
        CHECK_INT(decision.is_default, cases[i].is_default);
    }
}

static void ntpport_goes_before_plain_and_only_for_port_123(void)
{
    struct restrict_entry entries[] = {
        {address_of("10.0.0.0"), 8, false, false, 2, ACCESS_NOQUERY, 1},
        {address_of("10.0.0.0"), 8, true, false, 3, ACCESS_IGNORE, 2},
        {address_of("10.1.0.0"), 16, true, false, 4, ACCESS_NOSERVE, 3}};
    struct access_list list = finish(entries, 3);
    struct endpoint peer = endpoint_of("10.2.0.1", 123);
    CHECK_INT(access_check(&list, &peer).line, 2);
    CHECK_INT(access_check(&list, &peer).ippeerlimit, 3);
    peer.port = 124;
    CHECK_INT(access_check(&list, &peer).line, 1);
    peer = endpoint_of("10.1.0.1", 123);
    CHECK_INT(access_check(&list, &peer).line, 3);
    peer.port = 50000;
    CHECK_INT(access_check(&list, &peer).line, 1);
}

static void families_do_not_match_each_other(void)
{
    struct restrict_entry entries[] = {
        {address_of("0.0.0.0"), 0, false, true, -1, ACCESS_IGNORE, 1}};
    struct access_list list = finish(entries, 1);
    struct endpoint v6 = endpoint_of("::", 123);
    CHECK_INT(access_check(&list, &v6).flags, 0);
    entries[0].address = address_of("::");
    struct endpoint v4 = endpoint_of("1.2.3.4", 123);
    CHECK_INT(access_check(&list, &v4).flags, 0);
    CHECK_INT(access_check(&list, &v6).flags, ACCESS_IGNORE);
}

static void order_is_family_prefix_port_address(void)
{
    const struct restrict_entry rising[] = {
        {.address = address_of("255.255.255.255"), .prefix = 32},
        {.address = address_of("10.0.0.0"), .prefix = 8, .needs_ntp_port = true},
        {.address = address_of("9.0.0.0"), .prefix = 8},
        {.address = address_of("10.0.0.0"), .prefix = 8},
        {.address = address_of("0.0.0.0"), .prefix = 0},
        {.address = address_of("::1"), .prefix = 128},
        {.address = address_of("::"), .prefix = 0}};
    enum { COUNT = sizeof rising / sizeof rising[0] };
    for (int i = 0; i < COUNT; i++) {
        for (int k = 0; k < COUNT; k++) {
            int order = access_compare(&rising[i], &rising[k]);
            CHECK_INT((order > 0) - (order < 0), (i > k) - (i < k));
        }
    }
}

static void flags_are_named_as_in_ntp_conf(void)
{
    static const char *const names[] = {"ignore",  "noquery",   "nomodify", "noserve", "notrust",
                                        "nopeer",  "noepeer",   "epeer",    "limited", "kod",
                                        "version", "nomrulist", "flake",    "notrap"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        CHECK_STR(access_flag_name(1u << i), names[i]);
    }
    CHECK(access_flag_name(0) == NULL);
    CHECK(access_flag_name(ACCESS_IGNORE | ACCESS_NOQUERY) == NULL);
    CHECK(access_flag_name(1u << 14) == NULL);
}

const struct test_case access_tests[] = {
    {"decision_is_that_of_a_naive_scan_over_random_lists",
     decision_is_that_of_a_naive_scan_over_random_lists},
    {"every_small_list_decides_as_a_naive_scan", every_small_list_decides_as_a_naive_scan},
    {"full_list_of_4096_entries_is_searched_right", full_list_of_4096_entries_is_searched_right},
    {"empty_list_restricts_nobody", empty_list_restricts_nobody},
    {"article_s_list_lets_in_whom_the_article_says", article_s_list_lets_in_whom_the_article_says},
    {"ntpport_goes_before_plain_and_only_for_port_123",
     ntpport_goes_before_plain_and_only_for_port_123},
    {"families_do_not_match_each_other", families_do_not_match_each_other},
    {"order_is_family_prefix_port_address", order_is_family_prefix_port_address},
    {"flags_are_named_as_in_ntp_conf", flags_are_named_as_in_ntp_conf},
    {NULL, NULL}};
