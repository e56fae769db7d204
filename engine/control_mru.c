/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * READ_MRU and its nonce: see control_mru.h.
 */
#include "control_mru.h"

#include <assert.h>
#include <math.h>
#include <nettle/cmac.h>
#include <nettle/memops.h>
#include <string.h>

#include "engine_state.h"

enum {
    PRIORS_MAX = 16,  /* entries that an asker can name: all that fit into a request */
    ROWS_MAX = 256,   /* of one page, as ntpq knows it */
    ENTRY_TEXT = 192, /* the longest text of an entry, and room */
    END_TEXT = 64,    /* of what ends the list */
    TAG_SIZE = 8,     /* of a nonce, behind its eight octets of time */
    STAMP_SIZE = 8,
    MARK_BITS = 16 /* of a timestamp: 15 microseconds */
};

/* How far steering can move the shown time of an entry from one page to the next: more than the
 * life of a nonce makes of 500 ppm. */
#define STEERED_MAX_S 0.0625

/* ---- nonces ---------------------------------------------------------------------------------- */

static void seal(const uint8_t key[16], const struct address *address,
                 const uint8_t stamp[STAMP_SIZE], uint8_t tag[TAG_SIZE])
{
    struct cmac_aes128_ctx context;
    cmac_aes128_set_key(&context, key);
    cmac_aes128_update(&context, STAMP_SIZE, stamp);
    cmac_aes128_update(&context, sizeof address->family, &address->family);
    cmac_aes128_update(&context, sizeof address->bytes, address->bytes);
    cmac_aes128_digest(&context, TAG_SIZE, tag);
}

/* Seals `at` for this address: 32 hexadecimal digits, no NUL. */
static void write_nonce(const uint8_t key[16], const struct address *address, mono_time at,
                        char nonce[CONTROL_NONCE_SIZE])
{
    uint8_t bytes[STAMP_SIZE + TAG_SIZE];
    static_assert(2 * sizeof bytes == CONTROL_NONCE_SIZE, "two digits an octet");
    for (unsigned i = 0; i < STAMP_SIZE; i++) {
        bytes[i] = (uint8_t)((uint64_t)at.ticks >> (56 - 8 * i));
    }
    seal(key, address, bytes, bytes + STAMP_SIZE);
    for (unsigned i = 0; i < sizeof bytes; i++) {
        nonce[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        nonce[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
}

void control_mru_give_nonce(const struct control_terms *terms, const struct address *address,
                            mono_time now, struct control_text *text)
{
    char nonce[CONTROL_NONCE_SIZE];
    write_nonce(terms->nonce_key, address, now, nonce);
    control_text_name(text, "nonce");
    control_text_bytes(text, nonce, sizeof nonce);
}

/* What it says of its age is believed only because the seal of that age is right. */
static bool is_nonce(const struct control_span *span, const uint8_t key[16],
                     const struct address *address, mono_time now)
{
    uint64_t ticks;
    char right[CONTROL_NONCE_SIZE];
    char prefixed[2 + 2 * STAMP_SIZE] = {'0', 'x'};
    if (span->size != CONTROL_NONCE_SIZE) {
        return false;
    }
    memcpy(prefixed + 2, span->bytes, sizeof prefixed - 2);
    struct control_span stamp = {(const uint8_t *)prefixed, sizeof prefixed};
    if (!control_span_number(&stamp, &ticks)) {
        return false;
    }
    mono_time at = {(int64_t)ticks};
    write_nonce(key, address, at, right);
    if (!memeql_sec(right, span->bytes, sizeof right)) {
        return false;
    }
    double age_s = mono_diff_s(now, at);
    return age_s >= 0.0 && age_s <= CONTROL_NONCE_LIFE_S;
}

/* ---- what is asked for ----------------------------------------------------------------------- */

struct prior {
    bool has_address, has_last;
    struct address address;
    ntp_time last;
};

struct page_terms {
    bool has_nonce;
    uint64_t frags, limit, recent;
    uint64_t least_count, least_drops, least_age_s, most_age_s;
    uint64_t all_flags, any_flags;
    bool has_local;
    struct address local;
    struct prior priors[PRIORS_MAX];
    unsigned prior_count; /* those with an address and a time */
};

/* The numbers among the items; NULL for other names. */
static uint64_t *number_of(struct page_terms *terms, const struct control_span *name)
{
    const struct {
        const char *name;
        uint64_t *value;
    } numbers[] = {
        {"frags", &terms->frags},          {"limit", &terms->limit},
        {"recent", &terms->recent},        {"mincount", &terms->least_count},
        {"mindrop", &terms->least_drops},  {"minlstint", &terms->least_age_s},
        {"maxlstint", &terms->most_age_s}, {"resall", &terms->all_flags},
        {"resany", &terms->any_flags},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (control_span_is(name, numbers[i].name)) {
            return numbers[i].value;
        }
    }
    return NULL;
}

/* Names that mean nothing here are passed over, as ntpd does. */
static bool read_item(struct page_terms *terms, const struct control_span *name,
                      const struct control_span *value)
{
    unsigned index;
    uint64_t *number = number_of(terms, name);
    if (number) {
        return control_span_number(value, number);
    }
    if (control_span_is(name, "laddr")) {
        terms->has_local = true;
        return control_span_address(value, &terms->local);
    }
    if (control_span_index(name, "addr", PRIORS_MAX - 1, &index)) {
        terms->priors[index].has_address = true;
        return control_span_address(value, &terms->priors[index].address);
    }
    if (control_span_index(name, "last", PRIORS_MAX - 1, &index)) {
        terms->priors[index].has_last = true;
        return control_span_time(value, &terms->priors[index].last);
    }
    return true;
}

static enum control_fault read_terms(const struct control_request *request,
                                     const struct control_terms *host, const struct address *asker,
                                     mono_time now, struct page_terms *terms)
{
    struct control_span rest = {request->data, request->size};
    struct control_span name, value;
    bool is_good = true;
    while (control_request_item(&rest, &name, &value)) {
        if (control_span_is(&name, "nonce")) {
            terms->has_nonce = is_nonce(&value, host->nonce_key, asker, now);
        } else {
            is_good = read_item(terms, &name, &value) && is_good;
        }
    }
    if (!terms->has_nonce) {
        return CONTROL_SILENCE; /* he may be anybody */
    }
    for (unsigned i = 0; i < PRIORS_MAX; i++) {
        terms->prior_count += terms->priors[i].has_address && terms->priors[i].has_last;
    }
    bool is_bounded = terms->frags > 0 || (terms->limit > 0 && terms->limit <= ROWS_MAX);
    if (!is_good || !is_bounded || terms->frags > CONTROL_FRAGMENTS_MAX) {
        return CONTROL_BAD_VALUE;
    }
    terms->frags = terms->frags > 0 ? terms->frags : CONTROL_FRAGMENTS_MAX;
    terms->limit = terms->limit > 0 ? terms->limit : UINT64_MAX;
    return CONTROL_FINE;
}

/* ---- tables as one list, oldest first ------------------------------------------------------- */

enum { TABLES_MAX = CONTROL_TABLES_MAX + 1 };

struct merge {
    const struct clients *tables[TABLES_MAX];
    const struct client_entry *heads[TABLES_MAX]; /* next of each; NULL = none left */
    size_t count;
};

static void merge_begin(struct merge *merge, const struct engine *e,
                        const struct control_terms *terms)
{
    assert(terms->table_count <= CONTROL_TABLES_MAX);
    merge->count = 0;
    if (e->clients) {
        merge->tables[merge->count++] = e->clients;
    }
    for (size_t i = 0; i < terms->table_count; i++) {
        merge->tables[merge->count++] = terms->tables[i];
    }
    for (size_t i = 0; i < merge->count; i++) {
        merge->heads[i] = clients_newer(merge->tables[i], NULL);
    }
}

/* The order of the list: by last request, then by table. */
static bool is_before(const struct client_entry *a, size_t table_a, const struct client_entry *b,
                      size_t table_b)
{
    return a->last.ticks != b->last.ticks ? a->last.ticks < b->last.ticks : table_a < table_b;
}

/* Where an address stands in the list: at its newest entry; NULL when it is in no table. */
static const struct client_entry *merge_find(const struct merge *merge,
                                             const struct address *address, size_t *table)
{
    const struct client_entry *newest = NULL;
    for (size_t i = 0; i < merge->count; i++) {
        const struct client_entry *entry = clients_find(merge->tables[i], address);
        if (entry && (!newest || is_before(newest, *table, entry, i))) {
            newest = entry;
            *table = i;
        }
    }
    return newest;
}

/* Goes on behind an entry. */
static void merge_skip(struct merge *merge, const struct client_entry *entry, size_t table)
{
    for (size_t i = 0; i < merge->count; i++) {
        while (merge->heads[i] && !is_before(entry, table, merge->heads[i], i)) {
            merge->heads[i] = clients_newer(merge->tables[i], merge->heads[i]);
        }
    }
}

static uint32_t add_up(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* All that the tables hold of the address whose newest entry is `entry`. */
static struct client_entry merge_sum(const struct merge *merge, const struct client_entry *entry,
                                     size_t table)
{
    struct client_entry sum = *entry;
    for (size_t i = 0; i < merge->count; i++) {
        const struct client_entry *other = clients_find(merge->tables[i], &entry->peer.address);
        if (other && i != table) {
            sum.first = mono_earlier(sum.first, other->first);
            sum.count = add_up(sum.count, other->count);
            sum.dropped = add_up(sum.dropped, other->dropped);
        }
    }
    return sum;
}

/* The list shows an address at its newest entry only. */
static bool merge_is_newest(const struct merge *merge, const struct client_entry *entry)
{
    size_t table = 0;
    return merge->count == 1 || merge_find(merge, &entry->peer.address, &table) == entry;
}

/* The table whose entry comes first of these, one of each table; `count` when all are NULL. */
static size_t merge_first(const struct client_entry *const *entries, size_t count)
{
    size_t first = count;
    for (size_t i = 0; i < count; i++) {
        if (entries[i] && (first == count || is_before(entries[i], i, entries[first], first))) {
            first = i;
        }
    }
    return first;
}

/* The one whose entry comes last. */
static size_t merge_last(const struct client_entry *const *entries, size_t count)
{
    size_t last = count;
    for (size_t i = 0; i < count; i++) {
        if (entries[i] && (last == count || is_before(entries[last], last, entries[i], i))) {
            last = i;
        }
    }
    return last;
}

/* The next address of the list; false at its end. */
static bool merge_next(struct merge *merge, struct client_entry *next)
{
    size_t first;
    while ((first = merge_first(merge->heads, merge->count)) < merge->count) {
        const struct client_entry *head = merge->heads[first];
        merge->heads[first] = clients_newer(merge->tables[first], head);
        if (merge_is_newest(merge, head)) {
            *next = merge_sum(merge, head, first);
            return true;
        }
    }
    return false;
}

/* ---- entries as text ------------------------------------------------------------------------ */

/* ntpd's bits of an entry's flags. limited and kod are said of who ran into them, as ntpd does:
 * that is what ntpq's "rstr" and its options of these names are about. */
static uint64_t restriction_bits(const struct client_entry *entry)
{
    static const struct {
        uint16_t flag, bit;
    } bits[] = {
        {ACCESS_IGNORE, 0x0001},  {ACCESS_NOSERVE, 0x0002},  {ACCESS_NOTRUST, 0x0004},
        {ACCESS_VERSION, 0x0008}, {ACCESS_NOPEER, 0x0010},   {ACCESS_LIMITED, 0x0020},
        {ACCESS_NOQUERY, 0x0040}, {ACCESS_NOMODIFY, 0x0080}, {ACCESS_NOTRAP, 0x0100},
        {ACCESS_KOD, 0x0400},     {ACCESS_FLAKE, 0x1000},    {ACCESS_NOMRULIST, 0x2000},
    };
    unsigned flags = entry->flags;
    uint64_t sum = 0;
    if (entry->dropped == 0) {
        flags &= ~(unsigned)(ACCESS_LIMITED | ACCESS_KOD);
    }
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        sum |= flags & bits[i].flag ? bits[i].bit : 0u;
    }
    return sum;
}

static uint64_t mark_of(mono_time at)
{
    return ((uint64_t)at.ticks * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - MARK_BITS);
}

/* When it was by the clock as it is now; the lowest bits are the mark. */
static ntp_time shown_time(mono_time at, struct instant now)
{
    uint64_t mask = (UINT64_C(1) << MARK_BITS) - 1;
    ntp_time time = ntp_add_ticks(now.clock, at.ticks - now.mono.ticks);
    return (ntp_time){(time.ticks & ~mask) | mark_of(at)};
}

/* Whether `shown` once told of this very instant. */
static bool is_shown_time(ntp_time shown, mono_time at, struct instant now)
{
    uint64_t mask = (UINT64_C(1) << MARK_BITS) - 1;
    double moved_s = ntp_diff_s(shown, shown_time(at, now));
    return (shown.ticks & mask) == mark_of(at) && fabs(moved_s) <= STEERED_MAX_S;
}

static void put_entry(struct control_text *text, const struct client_entry *entry, uint64_t index,
                      struct instant now)
{
    ntp_time last = shown_time(entry->last, now), first = shown_time(entry->first, now);
    control_text_indexed(text, "addr", index);
    control_text_endpoint(text, &entry->peer);
    control_text_indexed(text, "last", index);
    control_text_time(text, last);
    control_text_indexed(text, "first", index);
    control_text_time(text, ntp_after(first, last) ? last : first); /* the marks may cross */
    control_text_indexed(text, "ct", index);
    control_text_count(text, entry->count);
    control_text_indexed(text, "mv", index);
    control_text_count(text, (uint64_t)(entry->version << 3 | entry->mode));
    control_text_indexed(text, "rs", index);
    control_text_plain(text, "0x");
    control_text_hex(text, restriction_bits(entry), 1);
    control_text_indexed(text, "dr", index);
    control_text_count(text, entry->dropped);
}

static bool is_wanted(const struct page_terms *terms, const struct client_entry *entry,
                      mono_time now)
{
    uint64_t bits = restriction_bits(entry);
    double age_s = mono_diff_s(now, entry->last);
    return entry->count >= terms->least_count && entry->dropped >= terms->least_drops &&
           (bits & terms->all_flags) == terms->all_flags &&
           (terms->any_flags == 0 || (bits & terms->any_flags) != 0) &&
           (terms->most_age_s == 0 || age_s <= (double)terms->most_age_s) &&
           age_s >= (double)terms->least_age_s &&
           (!terms->has_local || address_equal(&terms->local, &entry->local));
}

/* ---- a page --------------------------------------------------------------------------------- */

/* Goes on behind the first of the asker's entries that has not changed, and says which. */
static bool resume(struct merge *merge, const struct page_terms *terms, struct instant now,
                   struct control_text *text)
{
    for (unsigned i = 0; i < PRIORS_MAX; i++) {
        const struct prior *prior = &terms->priors[i];
        size_t table = 0;
        const struct client_entry *entry = prior->has_address && prior->has_last
                                               ? merge_find(merge, &prior->address, &table)
                                               : NULL;
        if (entry && is_shown_time(prior->last, entry->last, now)) {
            control_text_name(text, "last.older");
            control_text_time(text, prior->last);
            control_text_name(text, "addr.older");
            control_text_endpoint(text, &entry->peer);
            merge_skip(merge, entry, table);
            return true;
        }
    }
    return false;
}

/* Leaves the newest `recent` addresses: counts them from the newest on, and never looks at the rest
 * of the tables. */
static void keep_recent(struct merge *merge, uint64_t recent)
{
    const struct client_entry *tails[TABLES_MAX]; /* next of each, towards the oldest */
    for (size_t i = 0; i < merge->count; i++) {
        tails[i] = clients_older(merge->tables[i], NULL);
    }
    size_t last;
    while (recent > 0 && (last = merge_last(tails, merge->count)) < merge->count) {
        recent -= merge_is_newest(merge, tails[last]);
        tails[last] = clients_older(merge->tables[last], tails[last]);
    }
    for (size_t i = 0; i < merge->count; i++) {
        merge->heads[i] = clients_newer(merge->tables[i], tails[i]);
    }
}

static void put_entries(struct merge *merge, const struct page_terms *terms, struct instant now,
                        struct control_text *text)
{
    size_t most = (size_t)terms->frags * CONTROL_DATA_MAX - ENTRY_TEXT - END_TEXT;
    uint64_t rows = 0;
    struct client_entry entry, newest;
    bool is_end = false;
    while (rows < terms->limit && text->size <= most && !is_end) {
        is_end = !merge_next(merge, &entry);
        if (!is_end && is_wanted(terms, &entry, now.mono)) {
            put_entry(text, &entry, rows++, now);
            newest = entry;
        }
    }
    if (is_end) {
        control_text_name(text, "now");
        control_text_time(text, now.clock);
        if (rows > 0) {
            control_text_name(text, "last.newest");
            control_text_time(text, shown_time(newest.last, now));
        }
    }
    control_text_plain(text, "\r\n");
}

enum control_fault control_mru_page(const struct engine *e, const struct control_terms *terms,
                                    const struct address *asker, struct instant now,
                                    const struct control_request *request,
                                    struct control_text *text)
{
    struct page_terms page = {.has_nonce = false};
    struct merge merge;
    enum control_fault fault = read_terms(request, terms, asker, now.mono, &page);
    if (fault != CONTROL_FINE) {
        return fault;
    }
    merge_begin(&merge, e, terms);
    if (page.prior_count > 0) {
        if (!resume(&merge, &page, now, text)) {
            return CONTROL_UNKNOWN_VARIABLE;
        }
    } else if (page.recent > 0) {
        keep_recent(&merge, page.recent);
    }
    control_mru_give_nonce(terms, asker, now.mono, text);
    put_entries(&merge, &page, now, text);
    return CONTROL_FINE;
}
