/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The nodes of a scenario: `node` and `clients` lines, and their configurations.
 *
 * Configurations are ntp.conf files, read verbatim from the scenario's folder and nowhere else: an
 * absolute path is looked up inside it, and a path that climbs out of it is refused.
 */
#include "scenario_reader.h"

#include <math.h>
#include <string.h>

#include "../engine/config/network.h"

enum { CLIENTS_PER_LINE_MAX = 10000000 };

/* What a `node` or `clients` line says; indices are 0 when the word is missing. */
struct node_line {
    unsigned address, config, clock, name;
    struct scenario_node node;
};

/* Where in the folder a path of a configuration is; NULL when it would leave the folder. */
static char *locate(void *context, const char *path)
{
    const char *folder = context;
    char **parts = g_strsplit(path, "/", -1);
    bool climbs = g_strv_contains((const char *const *)parts, "..");
    g_strfreev(parts);
    if (climbs) {
        return NULL;
    }
    char *inside = g_build_filename(folder, path, NULL);
    if (!g_path_is_absolute(path) || g_file_test(inside, G_FILE_TEST_EXISTS)) {
        return inside;
    }
    g_free(inside);
    char *base = g_path_get_basename(path);
    inside = g_build_filename(folder, base, NULL);
    g_free(base);
    return inside;
}

/* Loads the configuration that word `index` names, once for all nodes that name it. */
static const struct ntpconf *read_config(struct reader *r, const struct line *line, unsigned index)
{
    const char *name = index < line->count ? line->words[index].text : "";
    struct ntpconf_options options = {
        .locate = locate, .context = r->scenario->folder, .synthetic_keys = true};
    char *path = index < line->count ? locate(r->scenario->folder, name) : NULL;
    if (!path) {
        line_error(line, index, r->messages,
                   *name ? "\"%s\" leads out of the scenario's files" : "expected a file%s", name);
        return NULL;
    }
    for (unsigned i = 0; i < r->conf_paths->len; i++) {
        if (strcmp(r->conf_paths->pdata[i], path) == 0) {
            g_free(path);
            return r->storage->confs->pdata[i];
        }
    }
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        line_error(line, index, r->messages, "there is no file \"%s\"%s", path,
                   g_path_is_absolute(name)
                       ? ": absolute paths are looked up in the scenario's files"
                       : "");
        g_free(path);
        return NULL;
    }
    struct ntpconf *conf = ntpconf_load(path, &options, r->messages);
    if (!conf) {
        line_note(line, index, r->messages, "configuration \"%s\" is named here", name);
        g_free(path);
        return NULL;
    }
    g_ptr_array_add(r->storage->confs, conf);
    g_ptr_array_add(r->conf_paths, path);
    return conf;
}

/* Notes that keyword `index` was seen in *slot; false when it is there twice. */
static bool take_word(struct reader *r, const struct line *line, unsigned index, unsigned *slot)
{
    if (*slot > 0) {
        line_error(line, index, r->messages, "\"%s\" is there twice", line->words[index].text);
        return false;
    }
    if (index + 1 >= line->count) {
        line_error(line, line->count, r->messages, "expected a value after \"%s\"",
                   line->words[index].text);
        return false;
    }
    *slot = index + 1;
    return true;
}

/* `drift` is kept in ppm as the drift file has it. */
static bool take_drift(struct reader *r, const struct line *line, unsigned index, double *drift_ppm)
{
    double drift;
    if (!line_frequency(line, index, -1e-3, 1e-3, &drift, r->messages)) {
        return false;
    }
    *drift_ppm = drift * 1e6;
    return true;
}

/* Reads the keyword at *index that is no word of `n` and no clock parameter: a value of the node
 * itself. */
static bool take_value(struct reader *r, const struct line *line, unsigned *index,
                       struct node_line *n)
{
    static const char *const known[] = {"address", "config", "clock",  "name",        "offset",
                                        "drift",   "start",  "white",  "frequency",   "flicker",
                                        "diurnal", "aging",  "wander", "random-walk", NULL};
    const char *word = line->words[*index].text;
    *index += 2;
    if (strcmp(word, "offset") == 0) {
        return line_duration(line, *index - 1, -1e9, 1e9, &n->node.offset_s, r->messages);
    }
    if (strcmp(word, "drift") == 0) {
        return take_drift(r, line, *index - 1, &n->node.drift_ppm);
    }
    if (strcmp(word, "start") == 0) {
        return timeline_time(r, line, *index - 1, &n->node.start_s);
    }
    const char *near = nearest_word(word, known);
    line_error(line, *index - 2, r->messages, "unknown word \"%s\"%s%s%s", word,
               near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return false;
}

static bool take_keyword(struct reader *r, const struct line *line, unsigned *index,
                         struct node_line *n)
{
    static const char *const words[] = {"address", "config", "clock", "name"};
    unsigned *const slots[] = {&n->address, &n->config, &n->clock, &n->name};
    bool found = false;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (word_is(line, *index, words[i])) {
            bool ok = take_word(r, line, *index, slots[i]);
            *index += 2;
            return ok;
        }
    }
    if (!law_clock_parameter(r, line, index, &n->node.clock, &found)) {
        return false;
    }
    return found || take_value(r, line, index, n);
}

/* Reads the words of a line from `index` on. The clock's law comes first whatever the order,
 * because its parameters change it. */
static bool read_keywords(struct reader *r, const struct line *line, unsigned index,
                          struct node_line *n)
{
    unsigned clock = line_find(line, index, "clock");
    const char *law = clock + 1 < line->count ? line->words[clock + 1].text : "xo-server";
    n->node.offset_s = NAN;
    n->node.drift_ppm = NAN;
    n->node.line = line->number;
    n->node.clock = *oscillator_preset("xo-server");
    if (clock < line->count && !law_clock(r, line, clock + 1, &n->node.clock)) {
        return false;
    }
    n->node.clock_name = scenario_reader_keep(r, law);
    while (index < line->count) {
        if (!take_keyword(r, line, &index, n)) {
            return false;
        }
    }
    if (n->address == 0 || n->config == 0) {
        line_error(line, line->count, r->messages, "expected %s before the line ends",
                   n->address == 0 ? "\"address ADDRESS\"" : "\"config FILE\"");
        return false;
    }
    n->node.conf = read_config(r, line, n->config);
    return n->node.conf != NULL;
}

bool nodes_add(struct reader *r, const struct line *line, unsigned name_index,
               unsigned address_index, struct scenario_node *node)
{
    char text[ADDRESS_TEXT_SIZE];
    guint taken = GPOINTER_TO_UINT(g_hash_table_lookup(r->storage->names, node->name));
    if (taken > 0) {
        line_error(line, name_index, r->messages, "the name \"%s\" is already taken on line %u",
                   node->name, g_array_index(r->nodes, struct scenario_node, taken - 1).line);
        return false;
    }
    taken = GPOINTER_TO_UINT(g_hash_table_lookup(r->storage->addresses, &node->address));
    if (taken > 0) {
        const struct scenario_node *other =
            &g_array_index(r->nodes, struct scenario_node, taken - 1);
        line_error(line, address_index, r->messages, "address %s already belongs to %s on line %u",
                   address_text(&node->address, text), other->name, other->line);
        return false;
    }
    g_array_append_val(r->nodes, *node);
    g_hash_table_insert(r->storage->names, node->name, GUINT_TO_POINTER(r->nodes->len));
    g_hash_table_insert(r->storage->addresses, g_memdup2(&node->address, sizeof node->address),
                        GUINT_TO_POINTER(r->nodes->len));
    return true;
}

void nodes_read_host_line(struct reader *r, const struct line *line)
{
    struct node_line n = {0};
    if (!set_name_is_free(r, line, 1) || !read_keywords(r, line, 2, &n)) {
        return;
    }
    if (n.name > 0) {
        line_error(line, n.name - 1, r->messages, "the name of a node stands right after \"node\"");
        return;
    }
    n.node.kind = NODE_HOST;
    n.node.name = reader_words(r, line, 1, 2);
    if (line_address(line, n.address, &n.node.address, r->messages)) {
        nodes_add(r, line, 1, n.address, &n.node);
    }
}

/* How many hosts a network has room for, and the number of the first: the lowest and highest IPv4
 * address are not for hosts, nor is the lowest of IPv6. */
static uint64_t network_room(const struct network *network, uint64_t *first)
{
    unsigned bits = network_bits(&network->address) - network->prefix;
    bool is_v4 = network->address.family == ADDRESS_V4;
    *first = bits >= 2 ? 1 : 0;
    if (bits >= 32) {
        return UINT32_MAX;
    }
    return (UINT64_C(1) << bits) - *first - (is_v4 && bits >= 2 ? 1 : 0);
}

/* The address of host number `n` of a network. */
static struct address network_host(const struct network *network, uint64_t n)
{
    struct address address = network->address;
    size_t last = address.family == ADDRESS_V4 ? 3 : 15;
    for (size_t i = 0; i < 4; i++) {
        address.bytes[last - i] = (uint8_t)(address.bytes[last - i] | (uint8_t)(n >> (8 * i)));
    }
    return address;
}

/* Reads the network of a `clients` line with room for `count` hosts that overlaps nothing
 * explicit. */
static bool read_network(struct reader *r, const struct line *line, unsigned index, long count,
                         struct network *network)
{
    char text[ADDRESS_TEXT_SIZE];
    uint64_t first;
    if (!network_parse(line->words[index].text, network)) {
        line_error(line, index, r->messages,
                   "expected a network such as 140.160.20.0/24, not \"%s\"",
                   line->words[index].text);
        return false;
    }
    if (network_clear_host_bits(network)) {
        line_error(line, index, r->messages,
                   "the network is %s/%u: the address has bits beyond the prefix",
                   address_text(&network->address, text), network->prefix);
        return false;
    }
    if ((uint64_t)count > network_room(network, &first)) {
        line_error(line, index, r->messages, "%s has room for %" G_GUINT64_FORMAT " hosts, not %ld",
                   line->words[index].text, network_room(network, &first), count);
        return false;
    }
    for (unsigned i = 0; i < r->scenario->host_count; i++) {
        const struct scenario_node *host = &g_array_index(r->nodes, struct scenario_node, i);
        if (network_contains(network, &host->address)) {
            line_error(line, index, r->messages, "%s overlaps address %s of %s on line %u",
                       line->words[index].text, address_text(&host->address, text), host->name,
                       host->line);
            return false;
        }
    }
    for (unsigned i = 0; i < r->groups->len; i++) {
        const struct client_group *group = &g_array_index(r->groups, struct client_group, i);
        struct network other = {group->network, (uint8_t)group->prefix};
        if (network_contains(network, &other.address) ||
            network_contains(&other, &network->address)) {
            line_error(line, index, r->messages, "%s overlaps the clients on line %u",
                       line->words[index].text, group->line);
            return false;
        }
    }
    return true;
}

/* Adds the members of a group: BASE-1 ... BASE-N. */
static void add_clients(struct reader *r, const struct line *line, struct node_line *n, long count,
                        const struct network *network)
{
    char name[96];
    uint64_t first;
    const char *base = n->name > 0 ? line->words[n->name].text : "client";
    struct client_group group = {n->name > 0 ? scenario_reader_keep(r, base) : NULL,
                                 r->nodes->len,
                                 (size_t)count,
                                 network->address,
                                 network->prefix,
                                 line->number};
    network_room(network, &first);
    n->node.kind = NODE_CLIENT;
    for (long i = 0; i < count; i++) {
        g_snprintf(name, sizeof name, "%s-%ld", base, i + 1);
        n->node.name = g_string_chunk_insert(r->storage->strings, name);
        n->node.address = network_host(network, first + (uint64_t)i);
        if (!nodes_add(r, line, n->name > 0 ? n->name : 0, n->address, &n->node)) {
            return;
        }
    }
    g_array_append_val(r->groups, group);
}

void nodes_read_clients_line(struct reader *r, const struct line *line)
{
    struct node_line n = {0};
    struct network network;
    long count;
    if (!line_integer(line, 1, 1, CLIENTS_PER_LINE_MAX, &count, r->messages) ||
        !read_keywords(r, line, 2, &n) || (n.name > 0 && !set_name_is_free(r, line, n.name)) ||
        !read_network(r, line, n.address, count, &network)) {
        return;
    }
    if (n.name > 0 && g_hash_table_contains(r->storage->names, line->words[n.name].text)) {
        line_error(line, n.name, r->messages, "the name \"%s\" is already taken",
                   line->words[n.name].text);
        return;
    }
    for (unsigned i = 0; i < r->groups->len; i++) {
        if (!n.name && !g_array_index(r->groups, struct client_group, i).name) {
            line_error(line, 0, r->messages,
                       "a second group of clients needs a name: add \"name NAME\"");
            return;
        }
    }
    add_clients(r, line, &n, count, &network);
}
