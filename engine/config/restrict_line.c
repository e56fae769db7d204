/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * restrict lines: text to the sorted list of access.h.
 *
 * A line that is not understood whole is an error: a misspelt restriction must not leave a server
 * open.
 */
#include <string.h>

#include "../access.h"
#include "network.h"
#include "reader.h"

#define FLAG(word, bit, text)                                                                      \
    {                                                                                              \
        .name = word, .store = STORE_BITS, .bits = bit,                                            \
        .offset = offsetof(struct restrict_entry, flags), .help = text                             \
    }

static const struct setting restrict_table[] = {
    FLAG("ignore", ACCESS_IGNORE, "drop everything but replies to our own requests, silently"),
    FLAG("noquery", ACCESS_NOQUERY, "answer no ntpq"),
    FLAG("nomodify", ACCESS_NOMODIFY, "nothing can be modified from outside anyway"),
    FLAG("noserve", ACCESS_NOSERVE, "answer ntpq only"),
    FLAG("notrust", ACCESS_NOTRUST, "drop packets without a valid MAC"),
    FLAG("nopeer", ACCESS_NOPEER, "create no association for an unauthenticated packet"),
    FLAG("noepeer", ACCESS_NOEPEER, "create no association, authenticated or not"),
    {.name = "epeer",
     .support = SUPPORT_NO_EFFECT,
     .store = STORE_BITS,
     .bits = ACCESS_EPEER,
     .offset = offsetof(struct restrict_entry, flags),
     .help = "associations are made by configuration only"},
    FLAG("limited", ACCESS_LIMITED, "limit the rate as \"discard\" says"),
    FLAG("kod", ACCESS_KOD, "with limited: say so to who exceeds it"),
    FLAG("version", ACCESS_VERSION, "drop packets of another version than 4"),
    FLAG("nomrulist", ACCESS_NOMRULIST, "do not tell who asked lately"),
    FLAG("flake", ACCESS_FLAKE, "drop one packet in ten at random, for tests"),
    FLAG("notrap", ACCESS_NOTRAP, "there are no traps anyway"),
    {.name = "ntpport",
     .store = STORE_TRUE,
     .offset = offsetof(struct restrict_entry, needs_ntp_port),
     .help = "the entry is for packets from port 123 only"},
    {.name = "ippeerlimit",
     .kind = SETTING_INTEGER,
     .example = "2",
     .low = -1,
     .high = INT16_MAX,
     .store = STORE_I16,
     .offset = offsetof(struct restrict_entry, ippeerlimit),
     .help = "associations that one address may create, -1 = any number; default -1"},
    {.name = "lowpriotrap", .support = SUPPORT_NO_EFFECT, .help = "there are no traps"},
    {.name = "mssntp", .support = SUPPORT_NO_EFFECT, .help = "replies are never signed for Samba"},
    {.name = "serverresponse",
     .kind = SETTING_WORD,
     .support = SUPPORT_NO_EFFECT,
     .example = "fuzz",
     .help = "replies are the same for everyone"},
};

const struct settings restrict_settings = {"restrict", restrict_table,
                                           G_N_ELEMENTS(restrict_table)};

/* The word of the line that is `text`; count when there is none. */
static unsigned find_word(const struct line *line, const char *text)
{
    unsigned index = 1;
    while (index < line->count && strcmp(line->words[index].text, text) != 0) {
        index++;
    }
    return index;
}

/* ADDRESS, ADDRESS/BITS or ADDRESS mask MASK at *index, which moves past it. */
static bool read_network(struct ntpconf_reader *reader, const struct line *line, unsigned *index,
                         struct network *network)
{
    const char *text = line->words[*index].text;
    char place[ADDRESS_TEXT_SIZE];
    struct address mask;
    if (line_refuses_zone(line, *index,
                          "without it the entry is for that address on every interface",
                          reader->messages)) {
        return false;
    }
    if (!network_parse(text, network)) {
        line_error(line, *index, reader->messages,
                   "expected default, source or an address, not \"%s\" (host names are not looked "
                   "up here)",
                   text);
        return false;
    }
    unsigned at = (*index)++;
    if (*index < line->count && strcmp(line->words[*index].text, "mask") == 0) {
        if (strchr(text, '/')) {
            line_error(line, *index, reader->messages, "%s already has its mask", text);
            return false;
        }
        if (!line_address(line, *index + 1, &mask, reader->messages)) {
            return false;
        }
        if (mask.family != network->address.family ||
            !network_prefix_of_mask(&mask, &network->prefix)) {
            line_error(line, *index + 1, reader->messages,
                       "\"%s\" is no mask for %s: one bits first, then zero bits",
                       line->words[*index + 1].text, text);
            return false;
        }
        *index += 2;
    }
    if (network_clear_host_bits(network)) {
        line_warning(line, at, reader->messages, "bits after the mask are ignored: taken as %s/%u",
                     address_text(&network->address, place), (unsigned)network->prefix);
    }
    return true;
}

static void add_entry(struct ntpconf_reader *reader, const struct line *line,
                      const struct restrict_entry *entry, const struct network *network)
{
    struct restrict_draft draft = {*entry, line, reader->restricts->len};
    draft.entry.address = network->address;
    draft.entry.prefix = network->prefix;
    draft.entry.is_default = network->prefix == 0;
    draft.entry.line = line->number;
    g_array_append_val(reader->restricts, draft);
}

static bool flags_make_sense(struct ntpconf_reader *reader, const struct line *line,
                             const struct restrict_entry *entry)
{
    if ((entry->flags & ACCESS_EPEER) && (entry->flags & ACCESS_NOEPEER)) {
        line_error(line, find_word(line, "noepeer"), reader->messages,
                   "epeer and noepeer contradict each other");
        return false;
    }
    return true;
}

static void read_source_template(struct ntpconf_reader *reader, const struct line *line,
                                 unsigned index)
{
    struct restrict_entry entry = {.ippeerlimit = -1};
    if (!reader_settings(reader, &restrict_settings, line, index, &entry) ||
        !flags_make_sense(reader, line, &entry)) {
        return;
    }
    if (entry.needs_ntp_port || entry.ippeerlimit != -1) {
        line_warning(line, index, reader->messages,
                     "ntpport and ippeerlimit have no effect on \"restrict source\"");
    }
    reader->conf->engine.restrict_source = true;
    reader->conf->engine.restrict_source_flags |= entry.flags;
    struct restrict_draft draft = {entry, line, reader->source_templates->len};
    g_array_append_val(reader->source_templates, draft);
}

static void read_default(struct ntpconf_reader *reader, const struct line *line, unsigned index,
                         uint8_t family)
{
    struct restrict_entry entry = {.ippeerlimit = -1};
    const struct network v4 = {{.family = ADDRESS_V4}, 0}, v6 = {{.family = ADDRESS_V6}, 0};
    if (!reader_settings(reader, &restrict_settings, line, index, &entry) ||
        !flags_make_sense(reader, line, &entry)) {
        return;
    }
    if (family != ADDRESS_V6) {
        add_entry(reader, line, &entry, &v4);
    }
    if (family != ADDRESS_V4) {
        add_entry(reader, line, &entry, &v6);
    }
}

static void read_entry(struct ntpconf_reader *reader, const struct line *line, unsigned index,
                       uint8_t family)
{
    struct restrict_entry entry = {.ippeerlimit = -1};
    struct network network;
    unsigned at = index;
    if (!read_network(reader, line, &index, &network)) {
        return;
    }
    if (family != ADDRESS_NONE && family != network.address.family) {
        line_error(line, at, reader->messages, "%s is no IPv%u address", line->words[at].text,
                   (unsigned)family);
        return;
    }
    if (reader_settings(reader, &restrict_settings, line, index, &entry) &&
        flags_make_sense(reader, line, &entry)) {
        add_entry(reader, line, &entry, &network);
    }
}

void restrict_read(struct ntpconf_reader *reader, const struct line *line)
{
    unsigned index = 1;
    uint8_t family = ADDRESS_NONE;
    if (strcmp(line->words[1].text, "-4") == 0 || strcmp(line->words[1].text, "-6") == 0) {
        family = line->words[1].text[1] == '4' ? ADDRESS_V4 : ADDRESS_V6;
        index = 2;
    }
    if (index >= line->count) {
        line_error(line, line->count, reader->messages,
                   "expected default, source or an address, but the line ends here");
        return;
    }
    const char *what = line->words[index].text;
    if (strcmp(what, "default") == 0) {
        read_default(reader, line, index + 1, family);
    } else if (strcmp(what, "source") == 0) {
        read_source_template(reader, line, index + 1);
    } else {
        read_entry(reader, line, index, family);
    }
}

/* An operator must be able to ask his own server: unless a line other than default names this
 * address, its network is open. A line for port 123 alone does not name ntpq's port. */
static void add_loopback(struct ntpconf_reader *reader, const struct address *address,
                         uint8_t prefix)
{
    for (guint i = 0; i < reader->restricts->len; i++) {
        const struct restrict_entry *entry =
            &g_array_index(reader->restricts, struct restrict_draft, i).entry;
        struct network network = {entry->address, entry->prefix};
        if (!entry->is_default && !entry->needs_ntp_port && network_contains(&network, address)) {
            return;
        }
    }
    struct network network = {*address, prefix};
    struct restrict_draft draft = {.order = reader->restricts->len};
    network_clear_host_bits(&network);
    draft.entry.address = network.address;
    draft.entry.prefix = network.prefix;
    draft.entry.ippeerlimit = -1;
    g_array_append_val(reader->restricts, draft);
}

static gint compare_drafts(gconstpointer a, gconstpointer b)
{
    const struct restrict_draft *first = a, *second = b;
    int order = access_compare(&first->entry, &second->entry);
    if (order != 0) {
        return order;
    }
    return (first->order > second->order) - (first->order < second->order);
}

/* Joins sorted lines with the same match key into the first of them. */
static void merge(GArray *drafts)
{
    guint kept = 0;
    for (guint i = 0; i < drafts->len; i++) {
        struct restrict_draft *draft = &g_array_index(drafts, struct restrict_draft, i);
        struct restrict_draft *last =
            kept > 0 ? &g_array_index(drafts, struct restrict_draft, kept - 1) : NULL;
        if (last && access_compare(&last->entry, &draft->entry) == 0) {
            last->entry.flags |= draft->entry.flags;
            if (draft->entry.ippeerlimit != -1) {
                last->entry.ippeerlimit = draft->entry.ippeerlimit;
            }
        } else {
            g_array_index(drafts, struct restrict_draft, kept) = *draft;
            kept++;
        }
    }
    g_array_set_size(drafts, kept);
}

/* kod says nothing to anybody unless limited says when; once per line, which default makes two
 * entries of. */
static void warn_of_lonely_kod(struct ntpconf_reader *reader)
{
    GHashTable *said = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < reader->restricts->len; i++) {
        const struct restrict_draft *draft =
            &g_array_index(reader->restricts, struct restrict_draft, i);
        unsigned flags = draft->entry.flags & (ACCESS_KOD | ACCESS_LIMITED);
        if (flags == ACCESS_KOD && g_hash_table_add(said, (gpointer)(uintptr_t)draft->line)) {
            unsigned word = find_word(draft->line, "kod");
            line_warning(draft->line, word < draft->line->count ? word : 0, reader->messages,
                         "kod does nothing without limited");
        }
    }
    g_hash_table_destroy(said);
}

static void refuse_too_many(struct ntpconf_reader *reader)
{
    const struct restrict_draft *last = NULL;
    if (reader->restricts->len <= RESTRICT_MAX) {
        return;
    }
    for (guint i = 0; i < reader->restricts->len; i++) {
        const struct restrict_draft *draft =
            &g_array_index(reader->restricts, struct restrict_draft, i);
        if (draft->line && (!last || draft->order > last->order)) {
            last = draft;
        }
    }
    line_error(last->line, 0, reader->messages, "%u restrict entries up to here, %d are allowed",
               reader->restricts->len, RESTRICT_MAX);
}

void restricts_finish(struct ntpconf_reader *reader)
{
    static const struct address localhost4 = {ADDRESS_V4, {127, 0, 0, 1}};
    static const struct address localhost6 = {ADDRESS_V6, {[15] = 1}};
    struct engine_config *engine = &reader->conf->engine;
    add_loopback(reader, &localhost4, 8);
    add_loopback(reader, &localhost6, 128);
    g_array_sort(reader->restricts, compare_drafts);
    source_access_check(reader);
    merge(reader->restricts);
    warn_of_lonely_kod(reader);
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(struct restrict_entry));
    for (guint i = 0; i < reader->restricts->len; i++) {
        const struct restrict_draft *draft =
            &g_array_index(reader->restricts, struct restrict_draft, i);
        g_array_append_val(entries, draft->entry);
    }
    refuse_too_many(reader);
    engine->access.entries = reader_keep_array(reader, entries, &engine->access.count);
}
