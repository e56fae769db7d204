/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configurations in recordings: every field there and back, and none taken that cannot be run.
 */
#include "../engine/recording_format.h"

#include "check.h"
#include "lockstep.h"

/* A configuration as octets. */
struct octets {
    uint8_t *bytes;
    size_t size;
};

static struct octets written(const struct engine_config *config)
{
    struct octets_sink counted = {NULL, 0};
    recording_put_config(&counted, config);
    struct octets_sink sink = {malloc(counted.size), 0};
    recording_put_config(&sink, config);
    CHECK_INT(sink.size, counted.size);
    return (struct octets){sink.at, sink.size};
}

/* What is read of it; *memory to be freed. NULL = refused. All octets are needed. */
static const struct engine_config *taken(const struct octets *octets, void **memory)
{
    struct octets_cursor cursor = {.at = octets->bytes, .left = octets->size};
    size_t size = recording_config_memory(cursor);
    CHECK_INT(size % 16, 0);
    *memory = size > 0 ? aligned_alloc(16, size) : NULL;
    const struct engine_config *config = recording_take_config(&cursor, *memory);
    CHECK((config == NULL) == cursor.is_bad);
    CHECK(cursor.is_bad || cursor.left == 0);
    return config;
}

static bool is_refused(const struct engine_config *config)
{
    struct octets octets = written(config);
    void *memory;
    bool refused = taken(&octets, &memory) == NULL;
    free(memory);
    free(octets.bytes);
    return refused;
}

static const struct address v6 = {ADDRESS_V6, {0x20, 1, [14] = 2, 3}};

/* No field as engine_config_default() has it, and no two alike. */
static void fill_distinct(struct lockstep_lines *c)
{
    lockstep_fill(c);
    c->lines[0] = (struct association_config){.kind = ASSOCIATION_PEER,
                                              .name = "a name",
                                              .is_numeric = true,
                                              .address = v6,
                                              .minpoll = 5,
                                              .maxpoll = 17,
                                              .iburst = true,
                                              .prefer = true,
                                              .is_true = true,
                                              .version = 3,
                                              .key = 0xA1B2C3D4,
                                              .line = 0x01020304};
    c->lines[1].name = "";
    c->lines[1].burst = true;
    c->lines[1].noselect = true;
    c->entries[1].ippeerlimit = -7;
    c->entries[0].flags = 0x3FFF;
    c->entries[0].line = 0xFFFFFFFF;
    c->entries[0].needs_ntp_port = true;
    c->config.policy = POLICY_RFC5905;
    c->config.tos = (struct tos_config){0.7, 0.02, 33, 44, 1, 2, 3, 4, 5, 6};
    c->config.tinker = (struct tinker_config){0.5, 600, 0, 20e-6, 13, -3.5};
    c->config.discard = (struct discard_config){-4, 9, 200};
    c->config.restrict_source = true;
    c->config.restrict_source_flags = 0x1234;
    c->config.allow_large_first_step = true;
    c->config.disable_discipline = true;
    c->config.client_capacity = 4096;
    c->config.clock = (struct clock_ability){1e-9, INT64_C(1) << 40, -31, false};
    c->config.drift_ppm = -499.999;
    c->config.leaps = (struct leap_list){
        INT64_C(1) << 40, 2, {{-INT64_C(1483228800), LEAP_DELETE}, {1830297600, LEAP_INSERT}}};
}

static void check_lines(const struct engine_config *a, const struct engine_config *b)
{
    CHECK_INT(a->association_count, b->association_count);
    for (size_t i = 0; i < b->association_count; i++) {
        const struct association_config *x = &a->associations[i], *y = &b->associations[i];
        CHECK_STR(x->name, y->name);
        CHECK(x->kind == y->kind && x->is_numeric == y->is_numeric);
        CHECK(address_equal(&x->address, &y->address));
        CHECK(x->minpoll == y->minpoll && x->maxpoll == y->maxpoll);
        CHECK(x->iburst == y->iburst && x->burst == y->burst && x->prefer == y->prefer);
        CHECK(x->noselect == y->noselect && x->is_true == y->is_true);
        CHECK(x->version == y->version && x->key == y->key && x->line == y->line);
    }
    CHECK_INT(a->access.count, b->access.count);
    for (size_t i = 0; i < b->access.count; i++) {
        const struct restrict_entry *x = &a->access.entries[i], *y = &b->access.entries[i];
        CHECK(address_equal(&x->address, &y->address) && x->prefix == y->prefix);
        CHECK(x->needs_ntp_port == y->needs_ntp_port && x->is_default == y->is_default);
        CHECK(x->ippeerlimit == y->ippeerlimit && x->flags == y->flags && x->line == y->line);
    }
}

static void check_keys(const struct engine_config *a, const struct engine_config *b)
{
    CHECK_INT(a->keys.count, b->keys.count);
    for (size_t i = 0; i < b->keys.count; i++) {
        const struct key *x = &a->keys.keys[i], *y = &b->keys.keys[i];
        CHECK(x->id == y->id && x->type == y->type && x->is_trusted == y->is_trusted);
        CHECK_INT(x->secret_size, y->secret_size);
        CHECK(memcmp(x->secret, y->secret, sizeof x->secret) == 0);
        CHECK_INT(x->address_count, y->address_count);
        for (unsigned k = 0; k < y->address_count; k++) {
            CHECK(address_equal(&x->addresses[k].address, &y->addresses[k].address));
            CHECK_INT(x->addresses[k].prefix, y->addresses[k].prefix);
        }
    }
    CHECK_INT(a->own_count, b->own_count);
    for (size_t i = 0; i < b->own_count; i++) {
        CHECK(address_equal(&a->own[i], &b->own[i]));
    }
}

static void check_plain_fields(const struct engine_config *a, const struct engine_config *b)
{
    const struct tos_config *s = &a->tos, *t = &b->tos;
    CHECK(s->maxdist_s == t->maxdist_s && s->mindist_s == t->mindist_s);
    CHECK(s->orphanwait_s == t->orphanwait_s && s->holdover_s == t->holdover_s);
    CHECK(s->minclock == t->minclock && s->minsane == t->minsane && s->maxclock == t->maxclock);
    CHECK(s->floor == t->floor && s->ceiling == t->ceiling && s->orphan == t->orphan);
    const struct tinker_config *p = &a->tinker, *q = &b->tinker;
    CHECK(p->step_s == q->step_s && p->stepout_s == q->stepout_s && p->panic_s == q->panic_s);
    CHECK(p->dispersion == q->dispersion && p->allan_log2s == q->allan_log2s);
    CHECK(p->frequency_ppm == q->frequency_ppm);
    CHECK_INT(a->discard.average_log2s, b->discard.average_log2s);
    CHECK_INT(a->discard.minimum_s, b->discard.minimum_s);
    CHECK_INT(a->discard.monitor, b->discard.monitor);
    CHECK_INT(a->policy, b->policy);
    CHECK_INT(a->restrict_source, b->restrict_source);
    CHECK_INT(a->restrict_source_flags, b->restrict_source_flags);
    CHECK_INT(a->allow_large_first_step, b->allow_large_first_step);
    CHECK_INT(a->disable_discipline, b->disable_discipline);
    CHECK_INT(a->client_capacity, b->client_capacity);
    CHECK(a->clock.rate_quantum == b->clock.rate_quantum);
    CHECK_INT(a->clock.rate_max_q, b->clock.rate_max_q);
    CHECK_INT(a->clock.precision, b->clock.precision);
    CHECK_INT(a->clock.can_steer, b->clock.can_steer);
    CHECK(a->drift_ppm == b->drift_ppm);
    CHECK_INT(a->leaps.count, b->leaps.count);
    CHECK(leap_list_equal(&a->leaps, &b->leaps));
}

static void every_field_of_a_configuration_comes_back(void)
{
    struct lockstep_lines c;
    void *memory;
    fill_distinct(&c);
    struct octets octets = written(&c.config);
    const struct engine_config *config = taken(&octets, &memory);
    memset(octets.bytes, 0x5A, octets.size); /* it stands on its own */
    CHECK(config != NULL);
    if (config) {
        check_lines(config, &c.config);
        check_keys(config, &c.config);
        check_plain_fields(config, &c.config);
    }
    free(memory);
    free(octets.bytes);
}

static void what_is_not_given_stays_not_given(void)
{
    struct engine_config config;
    void *memory;
    engine_config_default(&config);
    struct octets octets = written(&config);
    const struct engine_config *back = taken(&octets, &memory);
    CHECK(back && isnan(back->tos.maxdist_s) && isnan(back->tinker.frequency_ppm));
    CHECK(back && isnan(back->drift_ppm) && back->association_count == 0);
    CHECK(back && back->keys.count == 0 && back->access.count == 0 && back->own_count == 0);
    free(memory);
    free(octets.bytes);
}

static void octets_that_end_early_are_refused(void)
{
    struct lockstep_lines c;
    fill_distinct(&c);
    struct octets octets = written(&c.config);
    for (size_t size = 0; size < octets.size; size++) {
        struct octets cut = {malloc(size + 1), size}; /* reading past it is seen */
        void *memory;
        memcpy(cut.bytes, octets.bytes, size);
        CHECK(taken(&cut, &memory) == NULL);
        free(memory);
        free(cut.bytes);
    }
    free(octets.bytes);
}

static void a_configuration_that_cannot_be_run_is_refused(void)
{
    struct lockstep_lines good, bad;
    lockstep_fill(&good);
    CHECK(!is_refused(&good.config));
    for (int what = 0; what < 22; what++) {
        lockstep_copy(&bad, &good);
        bad.lines[0].maxpoll = what == 0 ? 5 : 8; /* below minpoll */
        bad.lines[0].minpoll = what == 1 ? 2 : 6;
        bad.lines[1].maxpoll = what == 2 ? 18 : 8;
        bad.lines[0].version = what == 3 ? 0 : 4;
        bad.lines[1].version = what == 4 ? 5 : 4;
        bad.lines[0].address.family = what == 5 ? ADDRESS_NONE : ADDRESS_V4;
        bad.lines[1].address.family = what == 6 ? 5 : ADDRESS_V4;
        bad.lines[2].kind = (enum association_kind)(what == 7 ? 3 : ASSOCIATION_PEER);
        bad.entries[0].prefix = what == 8 ? 33 : 24;
        bad.keys[0].secret_size = what == 9 ? 15 : 16; /* AES */
        bad.keys[1].id = what == 10 ? 1 : 7;           /* twice */
        bad.own[0].family = what == 11 ? 1 : ADDRESS_V4;
        bad.config.drift_ppm = what == 12 ? (double)INFINITY : 0.0;
        bad.keys[1].type = what == 13 ? KEY_TYPES : KEY_SHA1;
        bad.config.policy = what == 14 ? POLICIES : POLICY_HOLDFAST;
        bad.config.client_capacity = what == 15 ? CLIENTS_MAX + 1 : 8;
        bad.config.clock.rate_quantum = what == 16 ? 0.0 : 1e-9;
        bad.config.clock.precision = what == 17 ? 1 : -20;
        bad.config.tos.mindist_s = what == 18 ? (double)NAN : 0.001;
        bad.config.tinker.step_s = what == 19 ? (double)INFINITY : 0.128;
        bad.config.leaps.count = LEAPS_MAX;
        for (unsigned i = 0; i < LEAPS_MAX; i++) {
            bad.config.leaps.leaps[i].kind = LEAP_DELETE;
        }
        bad.config.leaps.leaps[3].kind = what == 20   ? LEAP_NONE
                                         : what == 21 ? LEAP_UNKNOWN
                                                      : LEAP_INSERT;
        CHECK(is_refused(&bad.config));
    }
    lockstep_copy(&bad, &good);
    bad.entries[0] = good.entries[1]; /* out of order */
    bad.entries[1] = good.entries[0];
    CHECK(is_refused(&bad.config));
}

static void a_leap_second_too_many_is_refused(void)
{
    enum { LEAP_SIZE = 9 }; /* of one, as octets */
    struct lockstep_lines c;
    void *memory;
    lockstep_fill(&c);
    c.config.leaps.count = LEAPS_MAX;
    for (unsigned i = 0; i < LEAPS_MAX; i++) {
        c.config.leaps.leaps[i] = (struct leap_second){(int64_t)i, LEAP_INSERT};
    }
    struct octets full = written(&c.config);
    c.config.leaps.count--;
    struct octets fewer = written(&c.config);
    size_t at = 0;
    while (full.bytes[at] == fewer.bytes[at]) {
        at++;
    }
    CHECK_INT(full.bytes[at], LEAPS_MAX);
    struct octets over = {malloc(full.size + LEAP_SIZE), full.size + LEAP_SIZE};
    size_t end = at + 1 + LEAPS_MAX * LEAP_SIZE;
    memcpy(over.bytes, full.bytes, end);
    memcpy(over.bytes + end, full.bytes + end - LEAP_SIZE, full.size - end + LEAP_SIZE);
    CHECK(taken(&full, &memory) != NULL);
    free(memory);
    over.bytes[at]++; /* all octets of a ninth are there */
    CHECK(taken(&over, &memory) == NULL);
    free(memory);
    free(full.bytes);
    free(fewer.bytes);
    free(over.bytes);
}

static void counts_beyond_their_ceilings_are_refused_before_memory_is_asked_for(void)
{
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {{0, 65}, {4, 1}, {7, 1}, {11, 1}, {15, 1}};
    struct lockstep_lines c;
    lockstep_fill(&c);
    struct octets octets = written(&c.config);
    for (unsigned i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        uint8_t *count = &octets.bytes[changes[i].at], was = *count;
        *count = changes[i].value;
        struct octets_cursor cursor = {.at = octets.bytes, .left = octets.size};
        CHECK_INT(recording_config_memory(cursor), 0);
        CHECK(recording_take_config(&cursor, NULL) == NULL);
        *count = was;
    }
    octets.bytes[1]++; /* room for a name that does not come */
    void *memory;
    CHECK(taken(&octets, &memory) == NULL);
    free(memory);
    free(octets.bytes);
}

const struct test_case recording_config_tests[] = {
    {"every_field_of_a_configuration_comes_back", every_field_of_a_configuration_comes_back},
    {"what_is_not_given_stays_not_given", what_is_not_given_stays_not_given},
    {"octets_that_end_early_are_refused", octets_that_end_early_are_refused},
    {"a_configuration_that_cannot_be_run_is_refused",
     a_configuration_that_cannot_be_run_is_refused},
    {"a_leap_second_too_many_is_refused", a_leap_second_too_many_is_refused},
    {"counts_beyond_their_ceilings_are_refused_before_memory_is_asked_for",
     counts_beyond_their_ceilings_are_refused_before_memory_is_asked_for},
    {NULL, NULL}};
