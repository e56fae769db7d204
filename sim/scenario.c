/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scenario text to struct scenario: the stages of reading, the settings, and the look-ups.
 *
 * Lines may stand in any order: settings are read first, then laws, nodes, clients and upstreams,
 * then what speaks of nodes. When nodes are wrong the lines that name them are not looked at, so
 * that one mistake is one message. Nothing runs here, and nothing is read but the scenario and
 * files of its folder.
 */
#include "scenario_reader.h"

#include <string.h>

enum scenario_setting {
    SETTING_TITLE,
    SETTING_SEED,
    SETTING_RUNS,
    SETTING_DURATION,
    SETTING_FILES,
    SETTING_EPOCH,
    SETTINGS
};

/* What a perfect clock shows at the start of a run that names no epoch: 2026-03-01T00:00:00Z. */
#define EPOCH_DEFAULT_UNIX_S INT64_C(1772323200)
#define DURATION_MAX_S (20 * 365.25 * 86400)

enum stage {
    STAGE_SETTING,
    STAGE_LAW,
    STAGE_NODE,
    STAGE_CLIENTS,
    STAGE_UPSTREAM,
    STAGE_LINK,
    STAGE_FAULT,
    STAGE_EXPECT,
    STAGES
};

struct statement {
    const char *word;
    enum stage stage;
    void (*read)(struct reader *r, const struct line *line);
};

const char *scenario_reader_keep(struct reader *r, const char *text)
{
    return g_string_chunk_insert(r->storage->strings, text);
}

char *reader_words(struct reader *r, const struct line *line, unsigned first, unsigned end)
{
    GString *text = g_string_new(NULL);
    for (unsigned i = first; i < end && i < line->count; i++) {
        g_string_append_printf(text, "%s%s", i > first ? " " : "", line->words[i].text);
    }
    char *kept = g_string_chunk_insert(r->storage->strings, text->str);
    g_string_free(text, TRUE);
    return kept;
}

/* Notes that `line` makes this setting; false with a message when another line has made it or when
 * it has not exactly one value. */
static bool setting_begins(struct reader *r, const struct line *line, enum scenario_setting setting)
{
    if (r->set_by[setting]) {
        line_error(line, 0, r->messages, "\"%s\" is already set on line %u", line->words[0].text,
                   r->set_by[setting]->number);
        return false;
    }
    r->set_by[setting] = line;
    if (line->count > 2) {
        line_error(line, 2, r->messages, "unexpected \"%s\" after the value of \"%s\"",
                   line->words[2].text, line->words[0].text);
        return false;
    }
    if (line->count < 2) {
        line_error(line, 1, r->messages, "expected a value after \"%s\"", line->words[0].text);
        return false;
    }
    return true;
}

static void read_title(struct reader *r, const struct line *line)
{
    if (line->count > 2) {
        line_error(line, 2, r->messages, "a title of several words needs quotes");
    } else if (setting_begins(r, line, SETTING_TITLE)) {
        r->scenario->title = reader_words(r, line, 1, 2);
    }
}

static void read_seed(struct reader *r, const struct line *line)
{
    long seed;
    if (setting_begins(r, line, SETTING_SEED) &&
        line_integer(line, 1, 0, G_MAXLONG, &seed, r->messages)) {
        r->scenario->seed = (uint64_t)seed;
    }
}

static void read_runs(struct reader *r, const struct line *line)
{
    long runs;
    if (setting_begins(r, line, SETTING_RUNS) &&
        line_integer(line, 1, 1, 1000000, &runs, r->messages)) {
        r->scenario->runs = (uint64_t)runs;
    }
}

static void read_duration(struct reader *r, const struct line *line)
{
    if (setting_begins(r, line, SETTING_DURATION) &&
        line_duration(line, 1, 1, DURATION_MAX_S, &r->scenario->duration_s, r->messages)) {
        r->duration_text = line->words[1].text;
    }
}

static void read_files(struct reader *r, const struct line *line)
{
    if (!setting_begins(r, line, SETTING_FILES)) {
        return;
    }
    const char *name = line->words[1].text;
    char *folder =
        g_path_is_absolute(name) ? g_strdup(name) : g_build_filename(r->base, name, NULL);
    if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        line_error(line, 1, r->messages, "there is no folder \"%s\"", folder);
    }
    r->scenario->folder = g_string_chunk_insert(r->storage->strings, folder);
    g_free(folder);
}

/* Unix seconds of "YYYY-MM-DD" or "YYYY-MM-DDTHH:MM:SS", UTC. */
static bool parse_epoch(const char *text, int64_t *unix_s)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    size_t length = strlen(text);
    if (length != 10 && length != sizeof form - 1) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (form[i] == 'd' ? !g_ascii_isdigit(text[i]) : text[i] != form[i]) {
            return false;
        }
    }
    char *whole = g_strconcat(text, length == 10 ? "T00:00:00Z" : "Z", NULL);
    GDateTime *date = g_date_time_new_from_iso8601(whole, NULL);
    g_free(whole);
    if (!date) {
        return false;
    }
    *unix_s = g_date_time_to_unix(date);
    g_date_time_unref(date);
    return true;
}

static void read_epoch(struct reader *r, const struct line *line)
{
    int64_t unix_s;
    if (!setting_begins(r, line, SETTING_EPOCH)) {
        return;
    }
    if (!parse_epoch(line->words[1].text, &unix_s)) {
        line_error(line, 1, r->messages,
                   "expected a date such as 2036-02-06 or 2036-02-06T12:00:00, not \"%s\"",
                   line->words[1].text);
        return;
    }
    if (unix_s < TIMESTAMP_PIVOT_UNIX_S || unix_s >= TIMESTAMP_PIVOT_UNIX_S + (INT64_C(1) << 32)) {
        line_error(line, 1, r->messages, "the epoch must lie in the years 2026 to 2161");
        return;
    }
    r->scenario->epoch = ntp_from_unix_s(unix_s);
}

static const struct statement statements[] = {
    {"title", STAGE_SETTING, read_title},
    {"seed", STAGE_SETTING, read_seed},
    {"runs", STAGE_SETTING, read_runs},
    {"duration", STAGE_SETTING, read_duration},
    {"files", STAGE_SETTING, read_files},
    {"epoch", STAGE_SETTING, read_epoch},
    {"clock-law", STAGE_LAW, law_read_clock_line},
    {"link-law", STAGE_LAW, law_read_path_line},
    {"node", STAGE_NODE, nodes_read_host_line},
    {"clients", STAGE_CLIENTS, nodes_read_clients_line},
    {"upstream", STAGE_UPSTREAM, upstreams_read_line},
    {"link", STAGE_LINK, timeline_read_link_line},
    {"at", STAGE_FAULT, timeline_read_fault_line},
    {"expect", STAGE_EXPECT, expectation_read_line},
};

static const struct statement *find_statement(const char *word)
{
    for (size_t i = 0; i < G_N_ELEMENTS(statements); i++) {
        if (strcmp(statements[i].word, word) == 0) {
            return &statements[i];
        }
    }
    return NULL;
}

static void report_unknown_words(struct reader *r)
{
    const char *known[G_N_ELEMENTS(statements) + 1] = {NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(statements); i++) {
        known[i] = statements[i].word;
    }
    for (unsigned i = 0; i < r->lines->count; i++) {
        const struct line *line = &r->lines->lines[i];
        const char *word = line->words[0].text;
        if (!find_statement(word)) {
            const char *near = nearest_word(word, known);
            line_error(line, 0, r->messages, "unknown word \"%s\"%s%s%s", word,
                       near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        }
    }
}

static void read_stage(struct reader *r, enum stage stage)
{
    for (unsigned i = 0; i < r->lines->count; i++) {
        const struct line *line = &r->lines->lines[i];
        const struct statement *statement = find_statement(line->words[0].text);
        if (statement && statement->stage == stage) {
            statement->read(r, line);
        }
    }
}

static void check_settings(struct reader *r)
{
    if (!r->set_by[SETTING_DURATION]) {
        messages_add(r->messages, SEVERITY_ERROR, r->scenario->path, 0, 0,
                     "there is no \"duration\" line: how long is the run?");
    }
    if (!r->scenario->title) {
        char *name = g_path_get_basename(r->scenario->path);
        r->scenario->title = g_string_chunk_insert(r->storage->strings, name);
        g_free(name);
    }
}

static void read_stages(struct reader *r)
{
    unsigned errors = r->messages->errors;
    report_unknown_words(r);
    read_stage(r, STAGE_SETTING);
    check_settings(r);
    read_stage(r, STAGE_LAW);
    if (!g_file_test(r->scenario->folder, G_FILE_TEST_IS_DIR)) {
        /* Each configuration would only be missing in turn. */
        if (!r->set_by[SETTING_FILES]) {
            messages_add(r->messages, SEVERITY_ERROR, r->scenario->path, 0, 0,
                         "there is no folder \"%s\"", r->scenario->folder);
        }
        return;
    }
    read_stage(r, STAGE_NODE);
    r->scenario->host_count = r->nodes->len;
    read_stage(r, STAGE_CLIENTS);
    r->scenario->client_count = r->nodes->len - r->scenario->host_count;
    read_stage(r, STAGE_UPSTREAM);
    if (r->nodes->len == 0 && r->messages->errors == errors) {
        messages_add(r->messages, SEVERITY_ERROR, r->scenario->path, 0, 0,
                     "there is no node: expected a \"node\" or \"clients\" line");
    }
    if (r->messages->errors == errors) {
        upstreams_make(r);
    }
    if (r->messages->errors == errors) {
        read_stage(r, STAGE_LINK);
        read_stage(r, STAGE_FAULT);
        read_stage(r, STAGE_EXPECT);
    }
}

static int compare_faults(const void *left, const void *right)
{
    const struct fault *a = left, *b = right;
    if (a->at_s < b->at_s || b->at_s < a->at_s) {
        return a->at_s < b->at_s ? -1 : 1;
    }
    return (a->line > b->line) - (a->line < b->line);
}

static int compare_rules(const void *left, const void *right)
{
    const struct link_rule *a = left, *b = right;
    return (a->line > b->line) - (a->line < b->line);
}

/* Moves what was collected into the scenario. */
static void hand_over(struct reader *r)
{
    struct scenario *s = r->scenario;
    s->node_count = r->nodes->len;
    s->rule_count = r->rules->len;
    s->fault_count = r->faults->len;
    s->expectation_count = r->expectations->len;
    s->nodes = (struct scenario_node *)(void *)g_array_free(r->nodes, FALSE);
    s->rules = (struct link_rule *)(void *)g_array_free(r->rules, FALSE);
    s->faults = (struct fault *)(void *)g_array_free(r->faults, FALSE);
    s->expectations = (struct expectation *)(void *)g_array_free(r->expectations, FALSE);
    if (s->fault_count > 0) {
        qsort(s->faults, s->fault_count, sizeof *s->faults, compare_faults);
    }
    if (s->rule_count > 0) {
        qsort(s->rules, s->rule_count, sizeof *s->rules, compare_rules);
    }
}

static guint address_hash(gconstpointer key)
{
    const struct address *address = key;
    guint hash = address->family;
    for (size_t i = 0; i < sizeof address->bytes; i++) {
        hash = hash * 31 + address->bytes[i];
    }
    return hash;
}

static gboolean address_same(gconstpointer a, gconstpointer b)
{
    return address_equal(a, b);
}

static void free_conf(gpointer conf)
{
    ntpconf_free(conf);
}

static struct scenario *scenario_new(const char *path, const char *folder)
{
    struct scenario *s = g_new0(struct scenario, 1);
    struct scenario_storage *storage = g_new0(struct scenario_storage, 1);
    storage->strings = g_string_chunk_new(4096);
    storage->names = g_hash_table_new(g_str_hash, g_str_equal);
    storage->pools = g_hash_table_new(g_str_hash, g_str_equal);
    storage->addresses = g_hash_table_new_full(address_hash, address_same, g_free, NULL);
    storage->confs = g_ptr_array_new_with_free_func(free_conf);
    storage->sets = g_ptr_array_new_with_free_func(g_free);
    s->storage = storage;
    s->path = g_string_chunk_insert(storage->strings, path);
    s->folder = g_string_chunk_insert(storage->strings, folder);
    s->seed = 1;
    s->runs = 1;
    s->epoch = ntp_from_unix_s(EPOCH_DEFAULT_UNIX_S);
    return s;
}

static void upstream_line_clear(gpointer data)
{
    g_pattern_spec_free(((struct upstream_line *)data)->glob);
}

static struct scenario *scenario_read(const char *path, const char *folder,
                                      const struct lines *lines, unsigned errors,
                                      struct messages *messages)
{
    if (!lines->is_text) {
        return NULL;
    }
    unsigned said = messages->list->len;
    struct scenario *s = scenario_new(path, folder);
    struct reader r = {.scenario = s,
                       .storage = s->storage,
                       .lines = lines,
                       .messages = messages,
                       .base = folder,
                       .nodes = g_array_new(FALSE, TRUE, sizeof(struct scenario_node)),
                       .rules = g_array_new(FALSE, TRUE, sizeof(struct link_rule)),
                       .faults = g_array_new(FALSE, TRUE, sizeof(struct fault)),
                       .expectations = g_array_new(FALSE, TRUE, sizeof(struct expectation)),
                       .groups = g_array_new(FALSE, TRUE, sizeof(struct client_group)),
                       .clocks = g_array_new(FALSE, TRUE, sizeof(struct named_clock)),
                       .paths = g_array_new(FALSE, TRUE, sizeof(struct named_path)),
                       .upstreams = g_array_new(FALSE, TRUE, sizeof(struct upstream_line)),
                       .conf_paths = g_ptr_array_new_with_free_func(g_free)};
    g_array_set_clear_func(r.upstreams, upstream_line_clear);
    read_stages(&r);
    hand_over(&r);
    if (messages->errors == errors) {
        timeline_look_for_idle(&r);
    }
    g_array_free(r.groups, TRUE);
    g_array_free(r.clocks, TRUE);
    g_array_free(r.paths, TRUE);
    g_array_free(r.upstreams, TRUE);
    g_ptr_array_free(r.conf_paths, TRUE);
    messages_sort(messages, said); /* stages found them, and people read lines */
    if (messages->errors > errors) {
        scenario_free(s);
        return NULL;
    }
    return s;
}

struct scenario *scenario_load(const char *path, struct messages *messages)
{
    unsigned errors = messages->errors;
    struct lines *lines = lines_read(path, NULL, messages);
    if (!lines) {
        return NULL;
    }
    char *folder = g_path_get_dirname(path);
    struct scenario *s = scenario_read(path, folder, lines, errors, messages);
    g_free(folder);
    lines_free(lines);
    return s;
}

struct scenario *scenario_parse(const char *path, const char *folder, const char *text, size_t size,
                                struct messages *messages)
{
    unsigned errors = messages->errors;
    struct lines *lines = lines_split(path, text, size, messages);
    struct scenario *s = scenario_read(path, folder, lines, errors, messages);
    lines_free(lines);
    return s;
}

void scenario_free(struct scenario *s)
{
    if (!s) {
        return;
    }
    struct scenario_storage *storage = s->storage;
    g_free(s->nodes);
    g_free(s->rules);
    g_free(s->faults);
    g_free(s->expectations);
    g_ptr_array_free(storage->sets, TRUE);
    g_ptr_array_free(storage->confs, TRUE);
    g_hash_table_destroy(storage->addresses);
    g_hash_table_destroy(storage->pools);
    g_hash_table_destroy(storage->names);
    g_string_chunk_free(storage->strings);
    g_free(storage);
    g_free(s);
}

uint32_t scenario_node_by_name(const struct scenario *s, const char *name)
{
    uint32_t nodes[RESOLVE_MAX];
    return scenario_resolve(s, name, nodes) > 0 ? nodes[0] : UINT32_MAX;
}

uint32_t scenario_node_by_address(const struct scenario *s, const struct address *address)
{
    const struct scenario_storage *storage = s->storage;
    guint found = GPOINTER_TO_UINT(g_hash_table_lookup(storage->addresses, address));
    return found > 0 ? found - 1 : UINT32_MAX;
}

size_t scenario_resolve(const struct scenario *s, const char *name, uint32_t nodes[RESOLVE_MAX])
{
    const struct scenario_storage *storage = s->storage;
    guint first = GPOINTER_TO_UINT(g_hash_table_lookup(storage->pools, name));
    if (first > 0) {
        for (uint32_t i = 0; i < POOL_SIZE; i++) {
            nodes[i] = first - 1 + i;
        }
        return POOL_SIZE;
    }
    guint found = GPOINTER_TO_UINT(g_hash_table_lookup(storage->names, name));
    if (found == 0) {
        return 0;
    }
    nodes[0] = found - 1;
    return 1;
}

const struct path_law *scenario_path(const struct scenario *s, uint32_t a, uint32_t b)
{
    for (size_t i = s->rule_count; i > 0; i--) {
        const struct link_rule *rule = &s->rules[i - 1];
        const struct node_set *other = rule->b.count > 0 ? &rule->b : &rule->a;
        if ((node_set_has(&rule->a, a) && node_set_has(other, b)) ||
            (node_set_has(&rule->a, b) && node_set_has(other, a))) {
            return &rule->law;
        }
    }
    return path_preset("lan");
}
