/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A whole configuration as octets and back: see recording_format.h. What is read back is either
 * fit to be run, or refused.
 *
 * First the numbers of all lists, from which the memory follows; then the plain fields; then the
 * lists. Order and widths are the format: whoever changes them counts its version up.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "recording_format.h"

/* Names every field of a structure in its order. A field that is added breaks the build here; it
 * must be written, read and judged below, or a replay would not be what was recorded. */
#define EVERY_FIELD(type, ...) static_assert(sizeof((type){__VA_ARGS__}) == sizeof(type), #type)

EVERY_FIELD(struct association_config, ASSOCIATION_SERVER, NULL, false, {0, {0}}, 0, 0, false,
            false, false, false, false, 0, 0, 0);
EVERY_FIELD(struct restrict_entry, {0, {0}}, 0, false, false, 0, 0, 0);
EVERY_FIELD(struct key_address, {0, {0}}, 0);
EVERY_FIELD(struct key, 0, KEY_MD5, false, 0, {0}, 0, {{{0, {0}}, 0}});
EVERY_FIELD(struct tos_config, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
EVERY_FIELD(struct tinker_config, 0, 0, 0, 0, 0, 0);
EVERY_FIELD(struct discard_config, 0, 0, 0);
EVERY_FIELD(struct clock_ability, 0, 0, 0, false);
EVERY_FIELD(struct leap_second, 0, 0);
EVERY_FIELD(struct leap_list, 0, 0, {{0, 0}});
EVERY_FIELD(struct engine_config, NULL, 0, {NULL, 0}, {NULL, 0}, POLICY_HOLDFAST,
            {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}, {0, 0, 0}, false, 0, false, false,
            0, NULL, 0, {0, 0, 0, false}, 0, {0, 0, {{0, 0}}});

enum {
    OWN_MAX = 65536,     /* addresses of one host: beyond all that interfaces have */
    NAMES_MAX = 1 << 20, /* bytes of all names */
    PRECISION_MIN = -32, /* log2 s: one tick */
    V4_BITS = 32,
    V6_BITS = 128
};

/* Integers up to here are doubles exactly. */
#define RATE_MAX_Q (INT64_C(1) << 53)

/* ---- writing -------------------------------------------------------------------------------- */

static size_t names_size(const struct engine_config *config)
{
    size_t size = 0;
    for (size_t i = 0; i < config->association_count; i++) {
        size += strlen(config->associations[i].name) + 1;
    }
    return size;
}

static void put_association(struct octets_sink *sink, const struct association_config *a)
{
    octets_put_integer(sink, a->kind, 1);
    octets_put(sink, a->name, strlen(a->name) + 1);
    octets_put_integer(sink, a->is_numeric, 1);
    recording_put_address(sink, &a->address);
    octets_put_integer(sink, (uint8_t)a->minpoll, 1);
    octets_put_integer(sink, (uint8_t)a->maxpoll, 1);
    octets_put_integer(sink, a->iburst, 1);
    octets_put_integer(sink, a->burst, 1);
    octets_put_integer(sink, a->prefer, 1);
    octets_put_integer(sink, a->noselect, 1);
    octets_put_integer(sink, a->is_true, 1);
    octets_put_integer(sink, a->version, 1);
    octets_put_integer(sink, a->key, 4);
    octets_put_integer(sink, a->line, 4);
}

static void put_restrict_entry(struct octets_sink *sink, const struct restrict_entry *entry)
{
    recording_put_address(sink, &entry->address);
    octets_put_integer(sink, entry->prefix, 1);
    octets_put_integer(sink, entry->needs_ntp_port, 1);
    octets_put_integer(sink, entry->is_default, 1);
    octets_put_integer(sink, (uint16_t)entry->ippeerlimit, 2);
    octets_put_integer(sink, entry->flags, 2);
    octets_put_integer(sink, entry->line, 4);
}

static void put_key(struct octets_sink *sink, const struct key *key)
{
    octets_put_integer(sink, key->id, 4);
    octets_put_integer(sink, key->type, 1);
    octets_put_integer(sink, key->is_trusted, 1);
    octets_put_integer(sink, key->secret_size, 1);
    octets_put(sink, key->secret, key->secret_size);
    octets_put_integer(sink, key->address_count, 1);
    for (unsigned i = 0; i < key->address_count; i++) {
        recording_put_address(sink, &key->addresses[i].address);
        octets_put_integer(sink, key->addresses[i].prefix, 1);
    }
}

static void put_tos(struct octets_sink *sink, const struct tos_config *tos)
{
    octets_put_double(sink, tos->maxdist_s);
    octets_put_double(sink, tos->mindist_s);
    octets_put_double(sink, tos->orphanwait_s);
    octets_put_double(sink, tos->holdover_s);
    octets_put_integer(sink, tos->minclock, 1);
    octets_put_integer(sink, tos->minsane, 1);
    octets_put_integer(sink, tos->maxclock, 1);
    octets_put_integer(sink, tos->floor, 1);
    octets_put_integer(sink, tos->ceiling, 1);
    octets_put_integer(sink, tos->orphan, 1);
}

static void put_tinker(struct octets_sink *sink, const struct tinker_config *tinker)
{
    octets_put_double(sink, tinker->step_s);
    octets_put_double(sink, tinker->stepout_s);
    octets_put_double(sink, tinker->panic_s);
    octets_put_double(sink, tinker->dispersion);
    octets_put_integer(sink, tinker->allan_log2s, 1);
    octets_put_double(sink, tinker->frequency_ppm);
}

static void put_leaps(struct octets_sink *sink, const struct leap_list *list)
{
    octets_put_integer(sink, (uint64_t)list->expires_s, 8);
    octets_put_integer(sink, list->count, 1);
    for (unsigned i = 0; i < list->count; i++) {
        octets_put_integer(sink, (uint64_t)list->leaps[i].at_s, 8);
        octets_put_integer(sink, list->leaps[i].kind, 1);
    }
}

static void put_plain_fields(struct octets_sink *sink, const struct engine_config *config)
{
    octets_put_integer(sink, config->policy, 1);
    put_tos(sink, &config->tos);
    put_tinker(sink, &config->tinker);
    octets_put_integer(sink, (uint8_t)config->discard.average_log2s, 1);
    octets_put_integer(sink, config->discard.minimum_s, 1);
    octets_put_integer(sink, config->discard.monitor, 1);
    octets_put_integer(sink, config->restrict_source, 1);
    octets_put_integer(sink, config->restrict_source_flags, 2);
    octets_put_integer(sink, config->allow_large_first_step, 1);
    octets_put_integer(sink, config->disable_discipline, 1);
    octets_put_integer(sink, config->client_capacity, 2);
    octets_put_double(sink, config->clock.rate_quantum);
    octets_put_integer(sink, (uint64_t)config->clock.rate_max_q, 8);
    octets_put_integer(sink, (uint8_t)config->clock.precision, 1);
    octets_put_integer(sink, config->clock.can_steer, 1);
    octets_put_double(sink, config->drift_ppm);
    put_leaps(sink, &config->leaps);
}

void recording_put_config(struct octets_sink *sink, const struct engine_config *config)
{
    assert(config->association_count <= ASSOCIATIONS_MAX && config->access.count <= RESTRICT_MAX &&
           config->keys.count <= KEYS_MAX && config->own_count <= OWN_MAX &&
           config->leaps.count <= LEAPS_MAX);
    octets_put_integer(sink, config->association_count, 1);
    octets_put_integer(sink, names_size(config), 4);
    octets_put_integer(sink, config->access.count, 4);
    octets_put_integer(sink, config->keys.count, 4);
    octets_put_integer(sink, config->own_count, 4);
    put_plain_fields(sink, config);
    for (size_t i = 0; i < config->association_count; i++) {
        put_association(sink, &config->associations[i]);
    }
    for (size_t i = 0; i < config->access.count; i++) {
        put_restrict_entry(sink, &config->access.entries[i]);
    }
    for (size_t i = 0; i < config->keys.count; i++) {
        put_key(sink, &config->keys.keys[i]);
    }
    for (size_t i = 0; i < config->own_count; i++) {
        recording_put_address(sink, &config->own[i]);
    }
}

/* ---- reading -------------------------------------------------------------------------------- */

/* How long the lists are, and where they lie in the memory. */
struct config_layout {
    size_t association_count, names_size, access_count, key_count, own_count;
    size_t associations, access, keys, own, names, total; /* offsets, and the size of it all */
};

static size_t reserve(struct config_layout *layout, size_t count, size_t size)
{
    size_t at = layout->total;
    layout->total = (at + count * size + 15) / 16 * 16;
    return at;
}

static struct config_layout take_layout(struct octets_cursor *cursor)
{
    struct config_layout layout = {0};
    layout.association_count = octets_take_up_to(cursor, 1, ASSOCIATIONS_MAX);
    layout.names_size = octets_take_up_to(cursor, 4, NAMES_MAX);
    layout.access_count = octets_take_up_to(cursor, 4, RESTRICT_MAX);
    layout.key_count = octets_take_up_to(cursor, 4, KEYS_MAX);
    layout.own_count = octets_take_up_to(cursor, 4, OWN_MAX);
    (void)reserve(&layout, 1, sizeof(struct engine_config));
    layout.associations =
        reserve(&layout, layout.association_count, sizeof(struct association_config));
    layout.access = reserve(&layout, layout.access_count, sizeof(struct restrict_entry));
    layout.keys = reserve(&layout, layout.key_count, sizeof(struct key));
    layout.own = reserve(&layout, layout.own_count, sizeof(struct address));
    layout.names = reserve(&layout, layout.names_size, 1);
    return layout;
}

size_t recording_config_memory(struct octets_cursor cursor)
{
    struct config_layout layout = take_layout(&cursor);
    return cursor.is_bad ? 0 : layout.total;
}

/* Names on their way into the memory that was kept for them. */
struct name_space {
    char *at;
    size_t left;
};

static const char *take_name(struct octets_cursor *cursor, struct name_space *names)
{
    const char *name = names->at;
    const uint8_t *end =
        cursor->is_bad || cursor->left == 0 ? NULL : memchr(cursor->at, '\0', cursor->left);
    size_t size = end ? (size_t)(end - cursor->at) + 1 : 0;
    if (size == 0 || size > names->left) {
        cursor->is_bad = true;
        return "";
    }
    memcpy(names->at, octets_take(cursor, size), size);
    names->at += size;
    names->left -= size;
    return name;
}

static int8_t take_poll(struct octets_cursor *cursor, int8_t least)
{
    int8_t poll = (int8_t)octets_take_up_to(cursor, 1, POLL_MAX);
    cursor->is_bad = cursor->is_bad || poll < least;
    return poll;
}

static void take_association(struct octets_cursor *cursor, struct name_space *names,
                             struct association_config *a)
{
    a->kind = (enum association_kind)octets_take_up_to(cursor, 1, ASSOCIATION_POOL);
    a->name = take_name(cursor, names);
    a->is_numeric = octets_take_bool(cursor);
    recording_take_address(cursor, &a->address);
    a->minpoll = take_poll(cursor, POLL_MIN);
    a->maxpoll = take_poll(cursor, a->minpoll);
    a->iburst = octets_take_bool(cursor);
    a->burst = octets_take_bool(cursor);
    a->prefer = octets_take_bool(cursor);
    a->noselect = octets_take_bool(cursor);
    a->is_true = octets_take_bool(cursor);
    a->version = (uint8_t)octets_take_up_to(cursor, 1, 4);
    a->key = (uint32_t)octets_take_integer(cursor, 4);
    a->line = (uint32_t)octets_take_integer(cursor, 4);
    bool has_no_address = a->is_numeric && a->address.family == ADDRESS_NONE;
    cursor->is_bad = cursor->is_bad || a->version == 0 || has_no_address;
}

static uint8_t take_prefix(struct octets_cursor *cursor, const struct address *address)
{
    return (uint8_t)octets_take_up_to(cursor, 1, address->family == ADDRESS_V4 ? V4_BITS : V6_BITS);
}

static void take_restrict_entry(struct octets_cursor *cursor, struct restrict_entry *entry)
{
    recording_take_address(cursor, &entry->address);
    entry->prefix = take_prefix(cursor, &entry->address);
    entry->needs_ntp_port = octets_take_bool(cursor);
    entry->is_default = octets_take_bool(cursor);
    entry->ippeerlimit = (int16_t)octets_take_integer(cursor, 2);
    entry->flags = (uint16_t)octets_take_integer(cursor, 2);
    entry->line = (uint32_t)octets_take_integer(cursor, 4);
}

static void take_key(struct octets_cursor *cursor, struct key *key)
{
    key->id = (uint32_t)octets_take_integer(cursor, 4);
    key->type = (enum key_type)octets_take_up_to(cursor, 1, KEY_TYPES - 1);
    key->is_trusted = octets_take_bool(cursor);
    key->secret_size = (uint8_t)octets_take_up_to(cursor, 1, KEY_SECRET_MAX);
    const uint8_t *secret = octets_take(cursor, key->secret_size);
    if (secret) {
        memcpy(key->secret, secret, key->secret_size);
    }
    key->address_count = (uint8_t)octets_take_up_to(cursor, 1, KEY_ADDRESSES_MAX);
    for (unsigned i = 0; i < key->address_count; i++) {
        recording_take_address(cursor, &key->addresses[i].address);
        key->addresses[i].prefix = take_prefix(cursor, &key->addresses[i].address);
    }
    bool is_no_aes_key = key->type == KEY_AES128CMAC && key->secret_size != 16;
    cursor->is_bad = cursor->is_bad || is_no_aes_key;
}

static void take_tos(struct octets_cursor *cursor, struct tos_config *tos)
{
    tos->maxdist_s = octets_take_number_or_nan(cursor);
    tos->mindist_s = octets_take_number(cursor);
    tos->orphanwait_s = octets_take_number(cursor);
    tos->holdover_s = octets_take_number(cursor);
    tos->minclock = (uint8_t)octets_take_integer(cursor, 1);
    tos->minsane = (uint8_t)octets_take_integer(cursor, 1);
    tos->maxclock = (uint8_t)octets_take_integer(cursor, 1);
    tos->floor = (uint8_t)octets_take_integer(cursor, 1);
    tos->ceiling = (uint8_t)octets_take_integer(cursor, 1);
    tos->orphan = (uint8_t)octets_take_integer(cursor, 1);
}

static void take_tinker(struct octets_cursor *cursor, struct tinker_config *tinker)
{
    tinker->step_s = octets_take_number(cursor);
    tinker->stepout_s = octets_take_number(cursor);
    tinker->panic_s = octets_take_number(cursor);
    tinker->dispersion = octets_take_number(cursor);
    tinker->allan_log2s = (uint8_t)octets_take_integer(cursor, 1);
    tinker->frequency_ppm = octets_take_number_or_nan(cursor);
}

static void take_clock(struct octets_cursor *cursor, struct clock_ability *clock)
{
    clock->rate_quantum = octets_take_number(cursor);
    clock->rate_max_q = (int64_t)octets_take_up_to(cursor, 8, (uint64_t)RATE_MAX_Q);
    clock->precision = (int8_t)octets_take_integer(cursor, 1);
    clock->can_steer = octets_take_bool(cursor);
    bool is_precise = clock->precision >= PRECISION_MIN && clock->precision <= 0;
    cursor->is_bad = cursor->is_bad || !(clock->rate_quantum > 0.0) || !is_precise;
}

static void take_leaps(struct octets_cursor *cursor, struct leap_list *list)
{
    list->expires_s = (int64_t)octets_take_integer(cursor, 8);
    list->count = (uint8_t)octets_take_up_to(cursor, 1, LEAPS_MAX);
    for (unsigned i = 0; i < list->count; i++) {
        list->leaps[i].at_s = (int64_t)octets_take_integer(cursor, 8);
        list->leaps[i].kind = (uint8_t)octets_take_up_to(cursor, 1, LEAP_DELETE);
        cursor->is_bad = cursor->is_bad || list->leaps[i].kind == LEAP_NONE;
    }
}

static void take_plain_fields(struct octets_cursor *cursor, struct engine_config *config)
{
    config->policy = (enum policy)octets_take_up_to(cursor, 1, POLICIES - 1);
    take_tos(cursor, &config->tos);
    take_tinker(cursor, &config->tinker);
    config->discard.average_log2s = (int8_t)octets_take_integer(cursor, 1);
    config->discard.minimum_s = (uint8_t)octets_take_integer(cursor, 1);
    config->discard.monitor = (uint8_t)octets_take_integer(cursor, 1);
    config->restrict_source = octets_take_bool(cursor);
    config->restrict_source_flags = (uint16_t)octets_take_integer(cursor, 2);
    config->allow_large_first_step = octets_take_bool(cursor);
    config->disable_discipline = octets_take_bool(cursor);
    config->client_capacity = (uint16_t)octets_take_up_to(cursor, 2, CLIENTS_MAX);
    take_clock(cursor, &config->clock);
    config->drift_ppm = octets_take_number_or_nan(cursor);
    take_leaps(cursor, &config->leaps);
}

/* Searches take the order of both lists for granted. */
static bool is_in_order(const struct restrict_entry *entries, size_t entry_count,
                        const struct key *keys, size_t key_count)
{
    for (size_t i = 1; i < entry_count; i++) {
        if (access_compare(&entries[i - 1], &entries[i]) >= 0) {
            return false;
        }
    }
    for (size_t i = 1; i < key_count; i++) {
        if (keys[i - 1].id >= keys[i].id) {
            return false;
        }
    }
    return true;
}

static void take_lists(struct octets_cursor *cursor, const struct config_layout *layout,
                       uint8_t *base, struct engine_config *config)
{
    struct association_config *associations = (void *)(base + layout->associations);
    struct restrict_entry *entries = (void *)(base + layout->access);
    struct key *keys = (void *)(base + layout->keys);
    struct address *own = (void *)(base + layout->own);
    struct name_space names = {(char *)base + layout->names, layout->names_size};
    for (size_t i = 0; i < layout->association_count; i++) {
        take_association(cursor, &names, &associations[i]);
    }
    for (size_t i = 0; i < layout->access_count; i++) {
        take_restrict_entry(cursor, &entries[i]);
    }
    for (size_t i = 0; i < layout->key_count; i++) {
        take_key(cursor, &keys[i]);
    }
    for (size_t i = 0; i < layout->own_count; i++) {
        recording_take_address(cursor, &own[i]);
    }
    cursor->is_bad = cursor->is_bad || names.left != 0 ||
                     !is_in_order(entries, layout->access_count, keys, layout->key_count);
    config->associations = associations;
    config->association_count = layout->association_count;
    config->access = (struct access_list){entries, layout->access_count};
    config->keys = (struct key_table){keys, layout->key_count};
    config->own = own;
    config->own_count = layout->own_count;
}

const struct engine_config *recording_take_config(struct octets_cursor *cursor, void *memory)
{
    struct config_layout layout = take_layout(cursor);
    if (cursor->is_bad) {
        return NULL;
    }
    struct engine_config *config = memory;
    assert(((uintptr_t)memory & 15) == 0);
    memset(memory, 0, layout.total);
    take_plain_fields(cursor, config);
    take_lists(cursor, &layout, memory, config);
    return cursor->is_bad ? NULL : config;
}
