/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * READ_MRU: nonces, pages that go on where the last one ended, several tables as one.
 */
#include "../engine/control_mru.h"

#include "control_check.h"

enum { MANY = 700, PAGES_MAX = 2000 };

struct listing {
    struct inquiry *q;
    struct clients *threads[2];
    const struct clients *tables[2];
    /* What was read. */
    struct address addresses[3 * MANY];
    char texts[3 * MANY][24]; /* last.N as it was told */
    char peers[3 * MANY][64]; /* addr.N as it was told */
    int count, pages;
    bool is_over;
};

static struct clients *new_table(uint8_t number)
{
    uint8_t key[32] = {number};
    return clients_init(aligned_alloc(16, clients_size(2048)), 2048, key);
}

static struct listing *listing_new(void)
{
    struct listing *l = calloc(1, sizeof *l);
    l->q = inquiry_new(0);
    wire_start(l->q->n);
    for (int i = 0; i < 2; i++) {
        l->threads[i] = new_table((uint8_t)(i + 1));
        l->tables[i] = l->threads[i];
    }
    l->q->terms.tables = l->tables;
    l->q->terms.table_count = 2;
    return l;
}

static void listing_free(struct listing *l)
{
    free(l->threads[0]);
    free(l->threads[1]);
    inquiry_free(l->q);
    free(l);
}

static struct endpoint client_of(int number)
{
    return (struct endpoint){wire_address(192, 0, (uint8_t)(number / 256), (uint8_t)(number % 256)),
                             5000};
}

/* A request that table 0 or 1 (of threads) or 2 (the engine's) notes now. */
static void note(struct listing *l, int table, int number, uint16_t flags)
{
    struct discard_config discard = {.average_log2s = 3, .minimum_s = 1};
    struct clients *clients = table < 2 ? l->threads[table] : l->q->n->engine->clients;
    struct endpoint peer = client_of(number);
    (void)clients_note(clients, &peer, &l->q->n->own, MODE_CLIENT, 4, flags, &discard,
                       wire_instant(l->q->n).mono);
}

static void later(struct listing *l, double s)
{
    l->q->w->now += ticks_from_s(s);
}

static void fetch_nonce(struct listing *l, char nonce[CONTROL_NONCE_SIZE + 8])
{
    struct inquiry_answer a;
    inquiry_ask(l->q, CONTROL_OP_REQ_NONCE, 0, "", &a);
    CHECK_INT(a.size, 6 + CONTROL_NONCE_SIZE + 2);
    snprintf(nonce, CONTROL_NONCE_SIZE + 8, "%.*s", 6 + CONTROL_NONCE_SIZE, a.text);
}

static void take_entries(struct listing *l, const struct inquiry_answer *a)
{
    for (unsigned i = 0;; i++) {
        char name[16], value[256];
        snprintf(name, sizeof name, "addr.%u", i);
        if (strcmp(inquiry_value(a, name, value), "(none)") == 0 || l->count >= 3 * MANY) {
            break;
        }
        struct control_span span = {(const uint8_t *)value, strlen(value)};
        CHECK(control_span_address(&span, &l->addresses[l->count]));
        snprintf(l->peers[l->count], sizeof l->peers[0], "%.60s", value);
        snprintf(name, sizeof name, "last.%u", i);
        snprintf(l->texts[l->count++], sizeof l->texts[0], "%.20s", inquiry_value(a, name, value));
    }
    l->is_over = strstr(a->text, " now=") != NULL;
}

/* One page, asked for as ntpq does: with the newest entries that it has. Returns the fault. */
static unsigned page(struct listing *l, const char *terms, struct inquiry_answer *a)
{
    char data[CONTROL_DATA_MAX + 1], nonce[CONTROL_NONCE_SIZE + 8];
    fetch_nonce(l, nonce);
    int size = snprintf(data, sizeof data, "%s, %s", nonce, terms);
    for (int i = 0; i < 4 && i < l->count; i++) {
        int at = l->count - 1 - i;
        size += snprintf(data + size, sizeof data - (size_t)size, ", addr.%d=%s, last.%d=%s", i,
                         l->peers[at], i, l->texts[at]);
    }
    inquiry_ask(l->q, CONTROL_OP_READ_MRU, 0, data, a);
    l->pages++;
    if (a->fragments > 0 && a->fault == 0) {
        take_entries(l, a);
    }
    return a->fault;
}

static void read_all(struct listing *l, const char *terms)
{
    struct inquiry_answer a;
    while (!l->is_over && l->pages < PAGES_MAX) {
        int before = l->count;
        CHECK_INT(page(l, terms, &a), 0);
        CHECK(a.fragments > 0 && (l->is_over || l->count > before));
        if (a.fragments == 0) {
            break;
        }
    }
    CHECK(l->is_over);
}

static void a_list_of_many_pages_has_every_client_once_and_ends(void)
{
    static const char *const terms[] = {"frags=32", "frags=1", "limit=7", "frags=3, limit=50"};
    struct listing *l = listing_new();
    for (int i = 0; i < MANY; i++) {
        note(l, i % 3, i, 0);
        later(l, i % 5 == 0 ? 0.0 : 0.25); /* some at the very same instant, in other tables */
    }
    for (size_t t = 0; t < sizeof terms / sizeof terms[0]; t++) {
        bool seen[MANY] = {false};
        l->count = l->pages = 0;
        l->is_over = false;
        read_all(l, terms[t]);
        CHECK_INT(l->count, MANY);
        CHECK(l->pages > (t == 0 ? 5 : 12));
        for (int i = 0; i < l->count; i++) {
            int number = l->addresses[i].bytes[2] * 256 + l->addresses[i].bytes[3];
            CHECK(number < MANY && !seen[number % MANY]);
            seen[number % MANY] = true;
            CHECK(abs(number - i) <= 1); /* oldest first; equal instants by table */
        }
    }
    listing_free(l);
}

static void a_page_keeps_to_the_fragments_asked_for(void)
{
    struct listing *l = listing_new();
    struct inquiry_answer a;
    char terms[32];
    for (int i = 0; i < MANY; i++) {
        note(l, 0, i, 0);
        later(l, 0.01);
    }
    for (unsigned frags = 1; frags <= CONTROL_FRAGMENTS_MAX; frags++) {
        snprintf(terms, sizeof terms, "frags=%u", frags);
        l->count = 0;
        CHECK_INT(page(l, terms, &a), 0);
        CHECK(a.fragments <= frags && a.fragments + 1 >= frags && l->count > 0);
    }
    listing_free(l);
}

static void clients_that_ask_meanwhile_come_at_the_end(void)
{
    struct listing *l = listing_new();
    struct inquiry_answer a;
    for (int i = 0; i < 100; i++) {
        note(l, 0, i, 0);
        later(l, 0.1);
    }
    CHECK_INT(page(l, "limit=50", &a), 0);
    CHECK_INT(l->count, 50);
    note(l, 1, 49, 0); /* what he has last has changed, in the other table */
    note(l, 0, 48, 0);
    note(l, 0, 7, 0);
    later(l, 1.0);
    read_all(l, "limit=50");
    CHECK_INT(l->count, 103);
    CHECK_INT(l->addresses[50].bytes[3], 50); /* goes on behind 47, which has not changed */
    CHECK_INT(l->addresses[100].bytes[3], 48);
    CHECK_INT(l->addresses[101].bytes[3], 7);
    CHECK_INT(l->addresses[102].bytes[3], 49);
    listing_free(l);
}

static void entries_that_all_changed_are_an_unknown_place(void)
{
    struct listing *l = listing_new();
    struct inquiry_answer a;
    for (int i = 0; i < 20; i++) {
        note(l, 0, i, 0);
        later(l, 0.001);
    }
    CHECK_INT(page(l, "limit=4", &a), 0);
    for (int i = 0; i < 4; i++) {
        note(l, 0, i, 0); /* within what steering could have moved */
        later(l, 0.001);
    }
    CHECK_INT(page(l, "limit=4", &a), CONTROL_UNKNOWN_VARIABLE);
    listing_free(l);
}

static void a_clock_that_is_steered_between_pages_loses_nothing(void)
{
    struct listing *l = listing_new();
    struct inquiry_answer a;
    for (int i = 0; i < 100; i++) {
        note(l, 0, i, 0);
        later(l, 3.7);
    }
    while (!l->is_over && l->pages < 100) {
        CHECK_INT(page(l, "limit=8", &a), 0);
        l->q->n->clock = ntp_add_s(wire_clock(l->q->n), 0.008); /* 16 s of 500 ppm */
        later(l, 16.0);
    }
    CHECK_INT(l->count, 100);
    listing_free(l);
}

static void an_address_in_two_tables_is_one_entry_with_the_sums(void)
{
    struct listing *l = listing_new();
    struct inquiry_answer a;
    char value[256];
    struct control_span span = {(const uint8_t *)value, 19};
    ntp_time first = {0}, last = {0};
    note(l, 0, 5, 0);
    later(l, 10.0);
    for (int i = 0; i < 30; i++) {
        note(l, 1, 5, ACCESS_LIMITED);
    }
    later(l, 10.0);
    note(l, 2, 6, 0);
    CHECK_INT(page(l, "frags=1", &a), 0);
    CHECK_INT(l->count, 2);
    CHECK_STR(inquiry_value(&a, "addr.0", value), "192.0.0.5:5000");
    CHECK_INT(inquiry_number(&a, "ct.0"), 31);
    CHECK_INT(inquiry_number(&a, "dr.0"), clients_older(l->threads[1], NULL)->dropped);
    CHECK(inquiry_number(&a, "dr.0") > 5);
    CHECK_INT(inquiry_number(&a, "mv.0"), 4 << 3 | 3);
    inquiry_value(&a, "first.0", value);
    CHECK(control_span_time(&span, &first));
    inquiry_value(&a, "last.0", value);
    CHECK(control_span_time(&span, &last));
    CHECK_NEAR(ntp_diff_s(last, first), 10.0, 1e-4);
    CHECK_NEAR(ntp_diff_s(wire_clock(l->q->n), last), 10.0, 1e-4);
    listing_free(l);
}

static void entries_are_chosen_by_count_flags_age_and_address(void)
{
    static const struct {
        const char *terms;
        int count;
    } cases[] = {{"frags=32", 10},
                 {"frags=32, mincount=20", 2},
                 {"frags=32, mincount=0x15", 1},
                 {"frags=32, resany=0x20", 1},
                 {"frags=32, resall=0x20", 1},
                 {"frags=32, resall=0x420", 0},
                 {"frags=32, resany=0x60", 2},
                 {"frags=32, maxlstint=5", 5},
                 {"frags=32, minlstint=6", 5},
                 {"frags=32, mindrop=1", 1},
                 {"frags=32, recent=3", 3},
                 {"frags=32, recent=300", 10},
                 {"frags=32, laddr=10.0.0.1", 10},
                 {"frags=32, laddr=10.0.0.1:123", 10},
                 {"frags=32, laddr=10.0.0.2", 0},
                 {"frags=32, 7.xyz=1, sort=addr", 10}};
    struct listing *l = listing_new();
    struct inquiry_answer a;
    for (int i = 0; i < 10; i++) {
        int times = i == 4 ? 20 : i == 7 ? 30 : 1;
        for (int k = 0; k < times; k++) {
            note(l, i % 2, i, i == 7 ? ACCESS_LIMITED : i == 2 ? ACCESS_NOQUERY : 0);
        }
        later(l, 1.0);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        l->count = 0;
        CHECK_INT(page(l, cases[i].terms, &a), 0);
        CHECK_INT(l->count, cases[i].count);
        CHECK(l->is_over);
    }
    CHECK_INT(l->addresses[0].bytes[3], 0);
    listing_free(l);
}

/* In three tables, many an address in more than one of them, and at equal instants. */
static void the_recent_ones_are_the_end_of_the_whole_list(void)
{
    static const int recents[] = {1, 2, 5, 17, 50, 99, 100};
    struct listing *l = listing_new();
    struct address all[3 * MANY];
    for (int i = 0; i < 300; i++) {
        note(l, i % 3, i * 37 % 100, 0);
        later(l, i % 4 == 0 ? 0.25 : 0.0);
    }
    read_all(l, "frags=32");
    CHECK_INT(l->count, 100);
    memcpy(all, l->addresses, sizeof all);
    for (size_t i = 0; i < sizeof recents / sizeof recents[0]; i++) {
        char terms[32];
        snprintf(terms, sizeof terms, "frags=32, recent=%d", recents[i]);
        l->count = l->pages = 0;
        l->is_over = false;
        read_all(l, terms);
        CHECK_INT(l->count, recents[i]);
        for (int k = 0; k < l->count; k++) {
            CHECK(address_equal(&l->addresses[k], &all[100 - recents[i] + k]));
        }
    }
    listing_free(l);
}

static void terms_that_make_no_sense_are_a_bad_value(void)
{
    static const char *const bad[] = {"frags=33",        "limit=257",         "limit=0",
                                      "frags=x",         "frags=1, recent",   "frags=1, laddr=0",
                                      "frags=1, addr.0", "frags=1, last.0=7", "mincount=1"};
    struct listing *l = listing_new();
    struct inquiry_answer a;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_INT(page(l, bad[i], &a), CONTROL_BAD_VALUE);
        CHECK_INT(a.sent, 12);
    }
    listing_free(l);
}

/* Whether a READ_MRU with this nonce is answered. */
static bool opens(const struct listing *l, const char *nonce)
{
    struct inquiry_answer a;
    char data[CONTROL_DATA_MAX];
    snprintf(data, sizeof data, "%s, frags=1", nonce);
    inquiry_ask(l->q, CONTROL_OP_READ_MRU, 0, data, &a);
    return a.fragments > 0;
}

static void a_nonce_opens_for_its_address_and_16_seconds_only(void)
{
    struct listing *l = listing_new();
    char nonce[CONTROL_NONCE_SIZE + 8];
    note(l, 0, 1, 0);
    later(l, 100.0);
    CHECK(!opens(l, "frags=2"));
    CHECK(!opens(l, "nonce="));
    fetch_nonce(l, nonce);
    CHECK(opens(l, nonce));
    for (size_t i = 6; i < 6 + CONTROL_NONCE_SIZE; i++) {
        char was = nonce[i];
        nonce[i] = was == '0' ? '1' : '0';
        CHECK(!opens(l, nonce));
        nonce[i] = was;
    }
    l->q->asker.address.bytes[3]++;
    CHECK(!opens(l, nonce));
    l->q->asker.address.bytes[3]--;
    l->q->asker.port++; /* another run of ntpq on the same host */
    CHECK(opens(l, nonce));
    l->q->terms.nonce_key[15]++;
    CHECK(!opens(l, nonce));
    l->q->terms.nonce_key[15]--;
    later(l, 16.0);
    CHECK(opens(l, nonce));
    later(l, 0.01);
    CHECK(!opens(l, nonce));
    later(l, -16.02); /* before it was given */
    CHECK(!opens(l, nonce));
    listing_free(l);
}

static void a_page_needs_its_nonce_again(void)
{
    struct listing *l = listing_new();
    struct inquiry_answer a;
    char value[256], nonce[64];
    note(l, 0, 1, 0);
    CHECK_INT(page(l, "frags=2", &a), 0);
    later(l, 10.0);
    snprintf(nonce, sizeof nonce, "nonce=%.40s", inquiry_value(&a, "nonce", value));
    CHECK(opens(l, nonce)); /* what a page brings is as good as one asked for */
    CHECK(!opens(l, "nonce=00000000000000000000000000000000"));
    listing_free(l);
}

static void without_tables_the_list_is_empty_and_over(void)
{
    struct listing *l = listing_new();
    struct inquiry_answer a;
    l->q->terms.table_count = 0;
    l->q->n->config.client_capacity = 0;
    wire_start(l->q->n);
    CHECK_INT(page(l, "frags=32", &a), 0);
    CHECK(l->is_over && l->count == 0);
    CHECK(strstr(a.text, "last.newest") == NULL);
    listing_free(l);
}

const struct test_case control_mru_tests[] = {
    {"a_list_of_many_pages_has_every_client_once_and_ends",
     a_list_of_many_pages_has_every_client_once_and_ends},
    {"a_page_keeps_to_the_fragments_asked_for", a_page_keeps_to_the_fragments_asked_for},
    {"clients_that_ask_meanwhile_come_at_the_end", clients_that_ask_meanwhile_come_at_the_end},
    {"entries_that_all_changed_are_an_unknown_place",
     entries_that_all_changed_are_an_unknown_place},
    {"a_clock_that_is_steered_between_pages_loses_nothing",
     a_clock_that_is_steered_between_pages_loses_nothing},
    {"an_address_in_two_tables_is_one_entry_with_the_sums",
     an_address_in_two_tables_is_one_entry_with_the_sums},
    {"entries_are_chosen_by_count_flags_age_and_address",
     entries_are_chosen_by_count_flags_age_and_address},
    {"the_recent_ones_are_the_end_of_the_whole_list",
     the_recent_ones_are_the_end_of_the_whole_list},
    {"terms_that_make_no_sense_are_a_bad_value", terms_that_make_no_sense_are_a_bad_value},
    {"a_nonce_opens_for_its_address_and_16_seconds_only",
     a_nonce_opens_for_its_address_and_16_seconds_only},
    {"a_page_needs_its_nonce_again", a_page_needs_its_nonce_again},
    {"without_tables_the_list_is_empty_and_over", without_tables_the_list_is_empty_and_over},
    {NULL, NULL},
};
