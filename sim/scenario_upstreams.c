/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Upstreams: what stands behind the host names of the configurations.
 *
 * No name is ever looked up on a network. Each name of a server, peer or pool line becomes a node
 * of its own, as the first `upstream` line whose pattern matches describes it, with addresses of
 * the range for benchmarks (RFC 2544, RFC 5180) in the order in which the names appear.
 */
#include "scenario_reader.h"

#include <math.h>
#include <string.h>

/* A name that some configuration asks for, before it has nodes. */
struct wanted {
    const char *name;
    struct address address; /* numeric: the address; else only the family it must have */
    bool is_pool, is_numeric;
    struct upstream_line *by;
};

/* Words and defaults of an upstream line; stratum and the rest are as NTP advertises them. */
static bool take_keyword(struct reader *r, const struct line *line, unsigned *index,
                         struct upstream_line *u)
{
    static const char *const known[] = {
        "stratum",   "link",    "clock",   "offset", "root-delay", "root-dispersion", "white",
        "frequency", "flicker", "diurnal", "aging",  "wander",     "random-walk",     NULL};
    const char *word = line->words[*index].text;
    bool found = false;
    if (!law_clock_parameter(r, line, index, &u->clock, &found)) {
        return false;
    }
    if (found) {
        return true;
    }
    unsigned value = *index + 1;
    *index += 2;
    if (strcmp(word, "stratum") == 0) {
        return line_integer(line, value, 1, 15, &u->stratum, r->messages);
    }
    if (strcmp(word, "clock") == 0) {
        return true; /* read before the others */
    }
    if (strcmp(word, "link") == 0) {
        if (!law_path(r, line, value, &u->path)) {
            return false;
        }
        u->path_name = scenario_reader_keep(r, line->words[value].text);
        return true;
    }
    if (strcmp(word, "offset") == 0) {
        return line_duration(line, value, -1e9, 1e9, &u->offset_s, r->messages);
    }
    if (strcmp(word, "root-delay") == 0) {
        return line_duration(line, value, 0, 15, &u->root_delay_s, r->messages);
    }
    if (strcmp(word, "root-dispersion") == 0) {
        return line_duration(line, value, 0, 15, &u->root_dispersion_s, r->messages);
    }
    const char *near = nearest_word(word, known);
    line_error(line, value - 1, r->messages, "unknown word \"%s\"%s%s%s", word,
               near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return false;
}

void upstreams_read_line(struct reader *r, const struct line *line)
{
    struct upstream_line u = {.line = line,
                              .stratum = 2,
                              .clock_name = "ideal",
                              .root_delay_s = NAN,
                              .root_dispersion_s = NAN};
    unsigned clock = line_find(line, 2, "clock"), index = 2;
    if (line->count < 2) {
        line_error(line, 1, r->messages, "expected the pattern of a host name, or an address");
        return;
    }
    u.clock = *oscillator_preset("ideal");
    u.path = *path_preset("wan");
    u.path_name = "wan";
    if (clock < line->count) {
        if (!law_clock(r, line, clock + 1, &u.clock)) {
            return;
        }
        u.clock_name = scenario_reader_keep(r, line->words[clock + 1].text);
    }
    while (index < line->count) {
        if (!take_keyword(r, line, &index, &u)) {
            return;
        }
    }
    if (isnan(u.root_delay_s)) {
        u.root_delay_s = u.stratum == 1 ? 0 : 0.010;
    }
    if (isnan(u.root_dispersion_s)) {
        u.root_dispersion_s = u.stratum == 1 ? 0.001 : 0.005;
    }
    u.pattern = scenario_reader_keep(r, line->words[1].text);
    u.glob = g_pattern_spec_new(u.pattern);
    g_array_append_val(r->upstreams, u);
}

/* The first line whose pattern matches. A pattern that begins with '*' is about host names: a
 * mistyped address of a peer must not become an upstream. */
static struct upstream_line *find_line(struct reader *r, const char *name, bool is_numeric)
{
    for (unsigned i = 0; i < r->upstreams->len; i++) {
        struct upstream_line *u = &g_array_index(r->upstreams, struct upstream_line, i);
        if (g_pattern_spec_match_string(u->glob, name) && !(is_numeric && u->pattern[0] == '*')) {
            return u;
        }
    }
    return NULL;
}

static struct wanted *find_wanted(GArray *wanted, GHashTable *index, const char *name)
{
    guint at = GPOINTER_TO_UINT(g_hash_table_lookup(index, name));
    return at > 0 ? &g_array_index(wanted, struct wanted, at - 1) : NULL;
}

/* A source of one node, named at a place of its configuration: found among the nodes, or wanted
 * from now on, or an error. */
static void want(struct reader *r, const struct scenario_node *node, size_t association,
                 GArray *wanted, GHashTable *index)
{
    const struct association_config *source = &node->conf->engine.associations[association];
    const struct place *at = &node->conf->hosts[association];
    uint8_t family = node->address.family;
    bool is_known = source->is_numeric
                        ? g_hash_table_contains(r->storage->addresses, &source->address)
                        : g_hash_table_contains(r->storage->names, source->name);
    uint8_t asked = source->address.family ? source->address.family : family;
    struct wanted *before = find_wanted(wanted, index, source->name);
    struct wanted new = {source->name, source->address, source->kind == ASSOCIATION_POOL,
                         source->is_numeric, NULL};
    if (asked != family || (before && before->address.family != family)) {
        messages_add(r->messages, SEVERITY_ERROR, at->file, at->line, at->column,
                     "%s is IPv%d and \"%s\" would be IPv%d: a simulated node has one address",
                     node->name, family, source->name,
                     asked != family ? asked : before->address.family);
        return;
    }
    if (before) {
        before->is_pool = before->is_pool || new.is_pool;
        return;
    }
    if (is_known) {
        return;
    }
    new.by = find_line(r, source->name, source->is_numeric);
    if (!new.by) {
        messages_add(r->messages, SEVERITY_ERROR, at->file, at->line, at->column,
                     source->is_numeric
                         ? "no node has address %s, and no \"upstream\" line names it"
                         : "host name \"%s\" is matched by no \"upstream\" line of the scenario",
                     source->name);
        return;
    }
    new.by->is_used = true;
    new.address.family = family;
    g_array_append_val(wanted, new);
    g_hash_table_insert(index, (void *)(uintptr_t)source->name, GUINT_TO_POINTER(wanted->len));
}

/* What all nodes want, in the order of nodes and of their lines; a group of clients is asked
 * once. */
static void collect(struct reader *r, GArray *wanted, GHashTable *index)
{
    for (unsigned i = 0; i < r->nodes->len; i++) {
        const struct scenario_node *node = &g_array_index(r->nodes, struct scenario_node, i);
        for (size_t j = 0; j < node->conf->engine.association_count; j++) {
            want(r, node, j, wanted, index);
        }
        for (unsigned g = 0; g < r->groups->len; g++) {
            const struct client_group *group = &g_array_index(r->groups, struct client_group, g);
            i += group->first == i ? (unsigned)group->count - 1 : 0;
        }
    }
}

/* The next free address of 198.18.0.0/15 or 2001:2::/48. */
static struct address next_address(const struct reader *r, uint8_t family, uint32_t *number)
{
    struct address address = {family, {198, 18}};
    size_t last = 3;
    if (family == ADDRESS_V6) {
        address = (struct address){family, {0x20, 0x01, 0x00, 0x02}};
        last = 15;
    }
    uint8_t second = address.bytes[last - 2];
    do {
        ++*number;
        address.bytes[last] = (uint8_t)*number;
        address.bytes[last - 1] = (uint8_t)(*number >> 8);
        address.bytes[last - 2] = (uint8_t)(second + (uint8_t)(*number >> 16));
    } while (g_hash_table_contains(r->storage->addresses, &address));
    return address;
}

static void make_upstream(struct reader *r, const struct wanted *w, unsigned member,
                          uint32_t *number)
{
    const struct upstream_line *u = w->by;
    struct scenario_node node = {.kind = NODE_UPSTREAM,
                                 .address = w->address,
                                 .clock = u->clock,
                                 .clock_name = u->clock_name,
                                 .offset_s = u->offset_s,
                                 .drift_ppm = NAN,
                                 .stratum = (uint8_t)u->stratum,
                                 .root_delay_s = u->root_delay_s,
                                 .root_dispersion_s = u->root_dispersion_s,
                                 .line = u->line->number};
    char *name = w->is_pool ? g_strdup_printf("%s#%u", w->name, member + 1) : g_strdup(w->name);
    node.name = g_string_chunk_insert(r->storage->strings, name);
    g_free(name);
    if (!w->is_numeric) {
        node.address = next_address(r, w->address.family, number);
    }
    nodes_add(r, u->line, 1, 1, &node);
}

/* The rule that puts an upstream line's link between its nodes and everybody else. */
static void add_rule(struct reader *r, const struct upstream_line *u, GArray *members)
{
    struct link_rule rule = {.law = u->path, .line = u->line->number};
    rule.name = g_string_chunk_insert(r->storage->strings, u->path_name);
    rule.a.count = members->len;
    rule.a.nodes = g_memdup2(members->data, members->len * sizeof(uint32_t));
    rule.b.count = r->nodes->len;
    rule.b.nodes = g_new(uint32_t, r->nodes->len);
    for (uint32_t i = 0; i < r->nodes->len; i++) {
        rule.b.nodes[i] = i;
    }
    g_ptr_array_add(r->storage->sets, rule.a.nodes);
    g_ptr_array_add(r->storage->sets, rule.b.nodes);
    g_array_append_val(r->rules, rule);
}

static void add_rules(struct reader *r)
{
    size_t first = r->scenario->host_count + r->scenario->client_count;
    for (unsigned i = 0; i < r->upstreams->len; i++) {
        const struct upstream_line *u = &g_array_index(r->upstreams, struct upstream_line, i);
        if (!u->is_used) {
            line_warning(u->line, 1, r->messages, "no configuration asks for a name like \"%s\"",
                         u->pattern);
            continue;
        }
        GArray *members = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        for (uint32_t n = (uint32_t)first; n < r->nodes->len; n++) {
            if (g_array_index(r->nodes, struct scenario_node, n).line == u->line->number) {
                g_array_append_val(members, n);
            }
        }
        add_rule(r, u, members);
        g_array_free(members, TRUE);
    }
}

void upstreams_make(struct reader *r)
{
    GArray *wanted = g_array_new(FALSE, TRUE, sizeof(struct wanted));
    GHashTable *index = g_hash_table_new(g_str_hash, g_str_equal);
    uint32_t number = 0;
    collect(r, wanted, index);
    for (unsigned i = 0; i < wanted->len; i++) {
        const struct wanted *w = &g_array_index(wanted, struct wanted, i);
        if (w->is_pool) {
            g_hash_table_insert(r->storage->pools,
                                g_string_chunk_insert(r->storage->strings, w->name),
                                GUINT_TO_POINTER(r->nodes->len + 1));
        }
        for (unsigned member = 0; member < (w->is_pool ? POOL_SIZE : 1); member++) {
            make_upstream(r, w, member, &number);
        }
    }
    r->scenario->upstream_count =
        r->nodes->len - r->scenario->host_count - r->scenario->client_count;
    add_rules(r);
    g_hash_table_destroy(index);
    g_array_free(wanted, TRUE);
}
