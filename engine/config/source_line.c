/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * server, peer and pool lines, and fudge. Names are checked for form, never looked up.
 */
#include <string.h>

#include "../packet.h"
#include "network.h"
#include "reader.h"

#define SOURCE(field) .offset = offsetof(struct association_config, field)

static const struct setting source_table[] = {
    {.name = "minpoll",
     .kind = SETTING_INTEGER,
     .example = "4",
     .low = POLL_MIN,
     .high = POLL_MAX,
     .store = STORE_I8,
     SOURCE(minpoll),
     .help = "shortest poll interval in log2 s; default 6"},
    {.name = "maxpoll",
     .kind = SETTING_INTEGER,
     .example = "13",
     .low = POLL_MIN,
     .high = POLL_MAX,
     .store = STORE_I8,
     SOURCE(maxpoll),
     .help = "longest poll interval in log2 s, with a warning from 15 on; default 10"},
    {.name = "iburst", .store = STORE_TRUE, SOURCE(iburst), .help = "eight packets at the start"},
    {.name = "burst", .store = STORE_TRUE, SOURCE(burst), .help = "eight packets at each poll"},
    {.name = "prefer", .store = STORE_TRUE, SOURCE(prefer), .help = "used alone if it survives"},
    {.name = "noselect", .store = STORE_TRUE, SOURCE(noselect), .help = "watched, never used"},
    {.name = "true", .store = STORE_TRUE, SOURCE(is_true), .help = "never voted a falseticker"},
    {.name = "key",
     .kind = SETTING_INTEGER,
     .example = "1",
     .low = 1,
     .high = KEYS_MAX,
     .store = STORE_U32,
     SOURCE(key),
     .help = "authenticate with this key and no other"},
    {.name = "version",
     .kind = SETTING_INTEGER,
     .example = "3",
     .low = 1,
     .high = 4,
     .store = STORE_U8,
     SOURCE(version),
     .help = "protocol version sent; default 4"},
    {.name = "xleave",
     .support = SUPPORT_NO_EFFECT,
     .help = "there is no interleaved mode; packets are exchanged the basic way"},
    {.name = "xmtnonce",
     .support = SUPPORT_NO_EFFECT,
     .help = "always done: a client's transmit timestamp is a random number"},
    {.name = "preempt",
     .support = SUPPORT_NO_EFFECT,
     .help = "a configured association stays as long as its line"},
    {.name = "mode",
     .kind = SETTING_INTEGER,
     .support = SUPPORT_NO_EFFECT,
     .example = "1",
     .low = 0,
     .high = 1e9,
     .help = "there are no reference clocks"},
    {.name = "ttl",
     .kind = SETTING_INTEGER,
     .support = SUPPORT_NO_EFFECT,
     .example = "1",
     .low = 0,
     .high = 255,
     .help = "there are no reference clocks and no multicast"},
    {.name = "ident",
     .kind = SETTING_WORD,
     .support = SUPPORT_NO_EFFECT,
     .example = "group",
     .help = "there is no Autokey"},
    {.name = "autokey",
     .support = SUPPORT_ERROR,
     .help = "without Autokey nothing would prove who answers; use \"key\" and ntp.keys"},
    {.name = "nts",
     .support = SUPPORT_ERROR,
     .help = "without NTS nothing would prove who answers; use \"key\" and ntp.keys"},
};

#define FUDGE_WITHOUT_EFFECT(word, of_kind, text)                                                  \
    {                                                                                              \
        .name = word, .kind = of_kind, .support = SUPPORT_NO_EFFECT, .example = text, .low = -1e9, \
        .high = 1e9, .help = "there are no reference clocks"                                       \
    }

static const struct setting fudge_table[] = {
    {.name = "stratum",
     .kind = SETTING_INTEGER,
     .example = "10",
     .low = 1,
     .high = STRATUM_MAX - 1,
     .store = STORE_I16,
     .offset = offsetof(struct fudge_draft, stratum),
     .help = "of the local clock 127.127.1.u: what its \"tos orphan\" gets; default 5"},
    FUDGE_WITHOUT_EFFECT("time1", SETTING_NUMBER, "0.5"),
    FUDGE_WITHOUT_EFFECT("time2", SETTING_NUMBER, "0.5"),
    FUDGE_WITHOUT_EFFECT("refid", SETTING_WORD, "LOCL"),
    FUDGE_WITHOUT_EFFECT("flag1", SETTING_INTEGER, "1"),
    FUDGE_WITHOUT_EFFECT("flag2", SETTING_INTEGER, "1"),
    FUDGE_WITHOUT_EFFECT("flag3", SETTING_INTEGER, "1"),
    FUDGE_WITHOUT_EFFECT("flag4", SETTING_INTEGER, "1"),
    FUDGE_WITHOUT_EFFECT("minjitter", SETTING_NUMBER, "0.001"),
    FUDGE_WITHOUT_EFFECT("abbrev", SETTING_WORD, "LOCL"),
};

const struct settings source_settings = {"server", source_table, G_N_ELEMENTS(source_table)};
const struct settings fudge_settings = {"fudge", fudge_table, G_N_ELEMENTS(fudge_table)};

/* From this maxpoll on root dispersion grows by so much from one poll to the next that even a
 * healthy server's root distance can exceed the default of tos maxdist. */
enum { MAXPOLL_TOO_LONG = 15 };

enum { LOCAL_CLOCK_TYPE = 1, LOCAL_CLOCK_STRATUM = 5, HOST_NAME_MAX_SIZE = 253, LABEL_MAX = 63 };

/* Letters, digits, hyphens and underscores between dots; the last label is no number, or
 * 192.0.2.300 would pass for a name. */
static bool is_host_name(const char *text)
{
    size_t label = 0;
    bool is_number = true;
    if (strlen(text) > HOST_NAME_MAX_SIZE) {
        return false;
    }
    for (; *text; text++) {
        if (*text == '.') {
            if (label == 0 || label > LABEL_MAX) {
                return false;
            }
            if (text[1]) {
                label = 0;
                is_number = true;
            }
        } else if (g_ascii_isalnum(*text) || *text == '-' || *text == '_') {
            is_number = is_number && g_ascii_isdigit(*text);
            label++;
        } else {
            return false;
        }
    }
    return label > 0 && label <= LABEL_MAX && !is_number;
}

static bool is_reference_clock(const struct address *address)
{
    return address->family == ADDRESS_V4 && address->bytes[0] == 127 && address->bytes[1] == 127;
}

/* Addresses from which no reply can come: unspecified, multicast, broadcast and reserved. */
static bool is_unicast(const struct address *address)
{
    static const struct address none = {.family = ADDRESS_V6};
    if (address->family == ADDRESS_V4) {
        return address->bytes[0] != 0 && address->bytes[0] < 224;
    }
    return address->bytes[0] != 0xff && !address_equal(address, &none);
}

static bool read_reference_clock(struct ntpconf_reader *reader, struct source_draft *draft)
{
    const uint8_t *bytes = draft->config.address.bytes;
    if (draft->config.kind == ASSOCIATION_SERVER && bytes[2] == LOCAL_CLOCK_TYPE) {
        draft->is_local_clock = true;
        draft->unit = bytes[3];
        return true;
    }
    line_error(draft->line, draft->host_word, reader->messages,
               "reference clocks (here driver %u) are not supported; use \"server HOST\" with a "
               "host whose NTP server reads that clock",
               (unsigned)bytes[2]);
    return false;
}

/* The host word, after -4 or -6. */
static bool read_host(struct ntpconf_reader *reader, struct source_draft *draft, uint8_t family)
{
    struct association_config *config = &draft->config;
    const char *text = draft->line->words[draft->host_word].text;
    config->name = reader_keep(reader, text);
    config->is_numeric = address_parse(text, &config->address);
    if (!config->is_numeric) {
        config->address.family = family;
        if (line_refuses_zone(draft->line, draft->host_word,
                              "use a global or unique local address of that host, or leave the "
                              "zone out where only one interface has link-local addresses",
                              reader->messages)) {
            return false;
        }
        if (!is_host_name(text)) {
            line_error(draft->line, draft->host_word, reader->messages,
                       "\"%s\" is neither a host name nor an address", text);
            return false;
        }
        return true;
    }
    if (family != ADDRESS_NONE && family != config->address.family) {
        line_error(draft->line, draft->host_word, reader->messages, "%s is no IPv%u address", text,
                   (unsigned)family);
        return false;
    }
    if (is_reference_clock(&config->address)) {
        return read_reference_clock(reader, draft);
    }
    if (!is_unicast(&config->address)) {
        line_error(draft->line, draft->host_word, reader->messages,
                   "%s is not the address of one host", text);
        return false;
    }
    return true;
}

static bool is_same_host(const struct association_config *a, const struct association_config *b)
{
    if (a->is_numeric != b->is_numeric) {
        return false;
    }
    if (a->is_numeric) {
        return address_equal(&a->address, &b->address);
    }
    return a->address.family == b->address.family && g_ascii_strcasecmp(a->name, b->name) == 0;
}

static bool is_new_host(struct ntpconf_reader *reader, const struct source_draft *draft)
{
    for (guint i = 0; i < reader->sources->len; i++) {
        const struct source_draft *other = &g_array_index(reader->sources, struct source_draft, i);
        if (is_same_host(&other->config, &draft->config)) {
            line_error(draft->line, draft->host_word, reader->messages,
                       "%s is already named by %s:%u", draft->config.name, other->line->file,
                       other->line->number);
            return false;
        }
    }
    return true;
}

/* Past the ceiling one error is said, and no further line is compared with those before it. */
static bool has_room(struct ntpconf_reader *reader, const struct source_draft *draft)
{
    if (reader->associations > ASSOCIATIONS_MAX) {
        return false;
    }
    if (!draft->is_local_clock) {
        reader->associations += draft->config.kind == ASSOCIATION_POOL ? POOL_SIZE : 1;
    }
    if (reader->associations > ASSOCIATIONS_MAX) {
        line_error(draft->line, 0, reader->messages,
                   "more than %d associations (a pool line counts %d)", ASSOCIATIONS_MAX,
                   POOL_SIZE);
        return false;
    }
    return true;
}

static enum association_kind kind_of(const char *directive)
{
    if (strcmp(directive, "server") == 0) {
        return ASSOCIATION_SERVER;
    }
    return strcmp(directive, "peer") == 0 ? ASSOCIATION_PEER : ASSOCIATION_POOL;
}

static bool polls_are_ordered(struct ntpconf_reader *reader, const struct source_draft *draft)
{
    const struct association_config *config = &draft->config;
    if (config->minpoll > config->maxpoll) {
        line_error(draft->line, draft->host_word, reader->messages,
                   "minpoll %d exceeds maxpoll %d (the defaults are %d and %d)", config->minpoll,
                   config->maxpoll, POLL_DEFAULT_MIN, POLL_DEFAULT_MAX);
        return false;
    }
    return true;
}

void source_read(struct ntpconf_reader *reader, const struct line *line)
{
    struct source_draft draft = {.line = line, .host_word = 1};
    uint8_t family = ADDRESS_NONE;
    draft.config.kind = kind_of(line->words[0].text);
    draft.config.minpoll = POLL_DEFAULT_MIN;
    draft.config.maxpoll = POLL_DEFAULT_MAX;
    draft.config.version = 4;
    draft.config.line = line->number;
    if (strcmp(line->words[1].text, "-4") == 0 || strcmp(line->words[1].text, "-6") == 0) {
        family = line->words[1].text[1] == '4' ? ADDRESS_V4 : ADDRESS_V6;
        draft.host_word = 2;
    }
    if (draft.host_word >= line->count) {
        line_error(line, line->count, reader->messages,
                   "expected a host after \"%s\", but the line ends here",
                   line->words[line->count - 1].text);
        return;
    }
    struct settings settings = source_settings;
    settings.of = line->words[0].text;
    if (read_host(reader, &draft, family) &&
        reader_settings(reader, &settings, line, draft.host_word + 1, &draft.config) &&
        polls_are_ordered(reader, &draft) && has_room(reader, &draft) &&
        is_new_host(reader, &draft)) {
        g_array_append_val(reader->sources, draft);
    }
}

void fudge_read(struct ntpconf_reader *reader, const struct line *line)
{
    struct fudge_draft draft = {.line = line, .stratum = -1};
    struct address address;
    if (!address_parse(line->words[1].text, &address) || !is_reference_clock(&address)) {
        line_error(line, 1, reader->messages,
                   "expected a reference clock 127.127.t.u such as 127.127.1.0, not \"%s\"",
                   line->words[1].text);
        return;
    }
    draft.type = address.bytes[2];
    draft.unit = address.bytes[3];
    if (reader_settings(reader, &fudge_settings, line, 2, &draft)) {
        g_array_append_val(reader->fudges, draft);
    }
}

/* The stratum that the last fudge line for this local clock gives it. */
static uint8_t local_clock_stratum(const struct ntpconf_reader *reader, uint8_t unit)
{
    uint8_t stratum = LOCAL_CLOCK_STRATUM;
    for (guint i = 0; i < reader->fudges->len; i++) {
        const struct fudge_draft *fudge = &g_array_index(reader->fudges, struct fudge_draft, i);
        if (fudge->type == LOCAL_CLOCK_TYPE && fudge->unit == unit && fudge->stratum >= 0) {
            stratum = (uint8_t)fudge->stratum;
        }
    }
    return stratum;
}

static void finish_local_clock(struct ntpconf_reader *reader, const struct source_draft *draft)
{
    const struct setting *orphan = setting_find(&tos_settings, "orphan");
    struct tos_config *tos = &reader->conf->engine.tos;
    uint8_t stratum = local_clock_stratum(reader, draft->unit);
    if (stratum < tos->orphan) {
        tos->orphan = stratum;
    }
    line_warning(draft->line, draft->host_word, reader->messages,
                 "the local clock is no source here; taken as \"tos orphan %u\"",
                 (unsigned)tos->orphan);
    support_complain(orphan->support, orphan->name, orphan->help, draft->line, draft->host_word,
                     reader->messages);
}

static void finish_fudge(struct ntpconf_reader *reader, const struct fudge_draft *fudge)
{
    for (guint i = 0; i < reader->sources->len; i++) {
        const struct source_draft *draft = &g_array_index(reader->sources, struct source_draft, i);
        if (draft->is_local_clock && fudge->type == LOCAL_CLOCK_TYPE &&
            draft->unit == fudge->unit) {
            return;
        }
    }
    line_warning(fudge->line, 1, reader->messages, "no server line names %s",
                 fudge->line->words[1].text);
}

/* A name without -4 or -6 is of the family that it will be looked up in. */
static bool is_of_family(const struct ntpconf_reader *reader, const struct source_draft *draft)
{
    unsigned only = reader->options->only_family, family = draft->config.address.family;
    if (only == ADDRESS_NONE || family == ADDRESS_NONE || family == only) {
        return true;
    }
    line_warning(draft->line, draft->host_word, reader->messages,
                 "%s is left out: it is IPv%u, but only IPv%u is used (-%u)", draft->config.name,
                 family, only, only);
    return false;
}

static void warn_of_long_polls(struct ntpconf_reader *reader, const struct source_draft *draft)
{
    const struct line *line = draft->line;
    const struct association_config *config = &draft->config;
    if (config->maxpoll < MAXPOLL_TOO_LONG || config->noselect) {
        return;
    }
    long value;
    unsigned index = draft->host_word + 1;
    while (index + 1 < line->count && (strcmp(line->words[index].text, "maxpoll") != 0 ||
                                       !parse_integer(line->words[index + 1].text, &value))) {
        index++;
    }
    line_warning(line, index + 1, reader->messages,
                 "maxpoll %d asks only every 2^%d s: between two answers the root distance can "
                 "exceed tos maxdist, so that clients turn away and nothing is left for holdover; "
                 "use at most %d",
                 config->maxpoll, config->maxpoll, MAXPOLL_TOO_LONG - 1);
}

static struct place place_of(struct ntpconf_reader *reader, const struct source_draft *draft)
{
    const struct line *line = draft->line;
    return (struct place){reader_keep(reader, line->file), line->number,
                          line->words[draft->host_word].column};
}

void sources_finish(struct ntpconf_reader *reader)
{
    GArray *associations = g_array_new(FALSE, FALSE, sizeof(struct association_config));
    GArray *places = g_array_new(FALSE, FALSE, sizeof(struct place));
    size_t count;
    struct engine_config *engine = &reader->conf->engine;
    for (guint i = 0; i < reader->sources->len; i++) {
        const struct source_draft *draft = &g_array_index(reader->sources, struct source_draft, i);
        if (draft->is_local_clock) {
            finish_local_clock(reader, draft);
        } else if (is_of_family(reader, draft)) {
            struct place place = place_of(reader, draft);
            warn_of_long_polls(reader, draft);
            g_array_append_val(associations, draft->config);
            g_array_append_val(places, place);
        }
    }
    for (guint i = 0; i < reader->fudges->len; i++) {
        finish_fudge(reader, &g_array_index(reader->fudges, struct fudge_draft, i));
    }
    engine->associations = reader_keep_array(reader, associations, &engine->association_count);
    reader->conf->hosts = reader_keep_array(reader, places, &count);
}
