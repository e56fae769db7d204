/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sets of nodes: the words that name them, and membership.
 *
 * A set is an ascending array of node indices without duplicates, so that everything done with it
 * is in the scenario's order whatever the order of the words.
 */
#include "scenario_reader.h"

#include <string.h>

/* Words that a node or a group cannot be called, because a line could not be read then. */
static const char *const reserved[] = {
    "all",    "hosts",      "clients",      "upstream",  "and",          "between", "from",
    "until",  "at",         "during",       "after",     "before",       "becomes", "follows",
    "never",  "for",        "by",           "to",        "among",        "of",      "holds",
    "within", "report.txt", "summary.json", "truth.csv", "packets.pcap", NULL};

bool word_is(const struct line *line, unsigned index, const char *word)
{
    return index < line->count && !line->words[index].is_quoted &&
           strcmp(line->words[index].text, word) == 0;
}

unsigned line_find(const struct line *line, unsigned first, const char *word)
{
    unsigned index = first;
    while (index < line->count && !word_is(line, index, word)) {
        index++;
    }
    return index;
}

/* A name becomes a folder of the run directory, so it holds nothing that a path could misread. */
static bool is_plain_name(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > 63 || !g_ascii_isalnum(name[0])) {
        return false;
    }
    for (const char *c = name; *c; c++) {
        if (!g_ascii_isalnum(*c) && !strchr("._-", *c)) {
            return false;
        }
    }
    return true;
}

bool set_name_is_free(struct reader *r, const struct line *line, unsigned index)
{
    if (index >= line->count || !is_plain_name(line->words[index].text)) {
        line_error(line, index, r->messages,
                   "expected a name of at most 63 letters, digits, '.', '_' and '-'");
        return false;
    }
    if (g_strv_contains(reserved, line->words[index].text) ||
        timeline_is_verb(line->words[index].text)) {
        line_error(line, index, r->messages,
                   "\"%s\" is a word of the language and cannot be a name",
                   line->words[index].text);
        return false;
    }
    return true;
}

bool node_set_has(const struct node_set *set, uint32_t node)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->nodes[middle] < node) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < set->count && set->nodes[low] == node;
}

/* Marks nodes [first, first + count); how many there were. */
static size_t mark(uint8_t *marks, size_t first, size_t count)
{
    memset(marks + first, 1, count);
    return count;
}

static size_t mark_pattern(const struct reader *r, uint8_t *marks, const char *pattern)
{
    GPatternSpec *glob = g_pattern_spec_new(pattern);
    size_t found = 0;
    for (unsigned i = 0; i < r->nodes->len; i++) {
        if (g_pattern_spec_match_string(glob,
                                        g_array_index(r->nodes, struct scenario_node, i).name)) {
            found += mark(marks, i, 1);
        }
    }
    g_pattern_spec_free(glob);
    return found;
}

static size_t mark_group(const struct reader *r, uint8_t *marks, const char *name)
{
    size_t found = 0;
    for (unsigned i = 0; i < r->groups->len; i++) {
        const struct client_group *group = &g_array_index(r->groups, struct client_group, i);
        if (group->name && strcmp(group->name, name) == 0) {
            found += mark(marks, group->first, group->count);
        }
    }
    return found;
}

/* Marks what one word stands for; 0 when it stands for nothing. */
static size_t mark_word(const struct reader *r, uint8_t *marks, const char *word)
{
    const struct scenario *s = r->scenario;
    uint32_t nodes[RESOLVE_MAX];
    if (strcmp(word, "all") == 0) {
        return mark(marks, 0, r->nodes->len);
    }
    if (strcmp(word, "hosts") == 0) {
        return mark(marks, 0, s->host_count);
    }
    if (strcmp(word, "clients") == 0) {
        return mark(marks, s->host_count, s->client_count);
    }
    if (strcmp(word, "upstream") == 0) {
        return mark(marks, s->host_count + s->client_count, s->upstream_count);
    }
    if (strpbrk(word, "*?")) {
        return mark_pattern(r, marks, word);
    }
    size_t found = scenario_resolve(s, word, nodes);
    for (size_t i = 0; i < found; i++) {
        mark(marks, nodes[i], 1);
    }
    return found ? found : mark_group(r, marks, word);
}

/* The names worth suggesting: all but the members of client groups, of which there may be very
 * many. */
static const char *nearest_name(const struct reader *r, const char *word)
{
    GPtrArray *known = g_ptr_array_new();
    const struct scenario *s = r->scenario;
    for (unsigned i = 0; i < r->nodes->len; i++) {
        if (i < s->host_count || i >= s->host_count + s->client_count) {
            g_ptr_array_add(known, g_array_index(r->nodes, struct scenario_node, i).name);
        }
    }
    for (unsigned i = 0; i < r->groups->len; i++) {
        const char *name = g_array_index(r->groups, struct client_group, i).name;
        if (name) {
            g_ptr_array_add(known, (void *)(uintptr_t)name);
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        g_ptr_array_add(known, (void *)(uintptr_t)reserved[i]);
    }
    g_ptr_array_add(known, NULL);
    const char *near = nearest_word(word, (const char *const *)known->pdata);
    g_ptr_array_free(known, TRUE);
    return near;
}

static void unknown_node(struct reader *r, const struct line *line, unsigned index)
{
    const char *word = line->words[index].text;
    if (strcmp(word, "hosts") == 0 || strcmp(word, "clients") == 0 ||
        strcmp(word, "upstream") == 0) {
        line_error(line, index, r->messages, "this scenario has no %s", word);
        return;
    }
    const char *near = nearest_name(r, word);
    line_error(line, index, r->messages, "there is no node \"%s\"%s%s%s", word,
               near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

bool set_read(struct reader *r, const struct line *line, unsigned first, unsigned end,
              struct node_set *set)
{
    uint8_t *marks = g_new0(uint8_t, r->nodes->len + 1);
    bool ok = first < end;
    if (!ok) {
        line_error(line, first, r->messages, "expected the name of a node");
    }
    for (unsigned i = first; ok && i < end; i++) {
        if (mark_word(r, marks, line->words[i].text) == 0) {
            unknown_node(r, line, i);
            ok = false;
        }
    }
    *set = (struct node_set){NULL, 0};
    for (uint32_t i = 0; ok && i < r->nodes->len; i++) {
        set->count += marks[i];
    }
    if (ok) {
        size_t next = 0;
        set->nodes = g_new(uint32_t, set->count);
        g_ptr_array_add(r->storage->sets, set->nodes);
        for (uint32_t i = 0; i < r->nodes->len; i++) {
            if (marks[i]) {
                set->nodes[next++] = i;
            }
        }
    }
    g_free(marks);
    return ok;
}
