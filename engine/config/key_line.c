/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * keys, trustedkey, requestkey and controlkey lines; and whether every key that a source uses is
 * there and trusted.
 *
 * A wrong key is silent on the wire: the packets are dropped at both ends and nobody says why. So
 * it is said here.
 */
#include <nettle/sha2.h>
#include <string.h>

#include "keys.h"
#include "network.h"
#include "reader.h"

void keys_read(struct ntpconf_reader *reader, const struct line *line)
{
    reader->keys_line = line;
    reader->conf->host.keys = reader_keep(reader, line->words[1].text);
    g_free(reader->keys_path);
    reader->keys_path = reader_locate(reader, line, 1);
}

/* The command line's key file stands for what a keys line says, or for a line that is missing. */
static void override_keys(struct ntpconf_reader *reader, const char *path)
{
    g_free(reader->keys_path);
    reader->keys_path = g_strdup(path);
    reader->keys_line = NULL;
    reader->conf->host.keys = reader_keep(reader, path);
}

/* A place within the words of a trustedkey line: blanks may stand anywhere in "(1 ... 5)" or
 * nowhere. */
struct cursor {
    const struct line *line;
    unsigned word;
    size_t offset;
};

static const char *cursor_text(struct cursor *cursor)
{
    while (cursor->word < cursor->line->count &&
           !cursor->line->words[cursor->word].text[cursor->offset]) {
        cursor->word++;
        cursor->offset = 0;
    }
    return cursor->word < cursor->line->count
               ? cursor->line->words[cursor->word].text + cursor->offset
               : "";
}

static bool cursor_take(struct cursor *cursor, const char *token)
{
    if (!g_str_has_prefix(cursor_text(cursor), token)) {
        return false;
    }
    cursor->offset += strlen(token);
    return true;
}

static void cursor_complain(struct cursor *cursor, struct messages *messages, const char *expected)
{
    const char *text = cursor_text(cursor);
    const struct word *word = &cursor->line->words[cursor->word];
    unsigned column = word->column + (unsigned)cursor->offset;
    if (*text) {
        messages_add(messages, SEVERITY_ERROR, cursor->line->file, cursor->line->number, column,
                     "expected %s, not \"%s\"", expected, text);
    } else {
        messages_add(messages, SEVERITY_ERROR, cursor->line->file, cursor->line->number, column,
                     "expected %s, but the line ends here", expected);
    }
}

static bool cursor_take_id(struct cursor *cursor, uint32_t *id, struct messages *messages)
{
    char *expected =
        g_strdup_printf("a key id from 1 to %d or a range such as (1 ... 5)", KEYS_MAX);
    const char *text = cursor_text(cursor);
    size_t digits = strspn(text, "0123456789");
    uint32_t value = 0;
    for (size_t i = 0; i < digits && value <= KEYS_MAX; i++) {
        value = value * 10 + (uint32_t)(text[i] - '0');
    }
    bool done = digits > 0 && value >= 1 && value <= KEYS_MAX;
    if (done) {
        *id = value;
        cursor->offset += digits;
    } else {
        cursor_complain(cursor, messages, expected);
    }
    g_free(expected);
    return done;
}

static bool read_trusted_range(struct ntpconf_reader *reader, struct cursor *cursor)
{
    uint32_t low, high;
    if (!cursor_take_id(cursor, &low, reader->messages)) {
        return false;
    }
    if (!cursor_take(cursor, "...")) {
        cursor_complain(cursor, reader->messages, "\"...\"");
        return false;
    }
    cursor_text(cursor);
    struct cursor at_high = *cursor;
    if (!cursor_take_id(cursor, &high, reader->messages)) {
        return false;
    }
    if (high < low) {
        cursor_complain(&at_high, reader->messages, "the larger id of the range");
        return false;
    }
    if (!cursor_take(cursor, ")")) {
        cursor_complain(cursor, reader->messages, "\")\"");
        return false;
    }
    memset(&reader->is_trusted[low], true, high - low + 1);
    return true;
}

static bool read_trusted_id(struct ntpconf_reader *reader, struct cursor *cursor)
{
    struct trusted_draft draft = {.line = cursor->line, .word = cursor->word};
    if (!cursor_take_id(cursor, &draft.id, reader->messages)) {
        return false;
    }
    char next = cursor->line->words[draft.word].text[cursor->offset];
    if (next && next != '(') {
        cursor_complain(cursor, reader->messages, "a blank after the key id");
        return false;
    }
    if (!reader->is_trusted[draft.id]) {
        reader->is_trusted[draft.id] = true;
        g_array_append_val(reader->trusted, draft);
    }
    return true;
}

void trustedkey_read(struct ntpconf_reader *reader, const struct line *line)
{
    struct cursor cursor = {line, 1, 0};
    bool done = true;
    while (done && *cursor_text(&cursor)) {
        done = cursor_take(&cursor, "(") ? read_trusted_range(reader, &cursor)
                                         : read_trusted_id(reader, &cursor);
    }
}

void unused_key_read(struct ntpconf_reader *reader, const struct line *line)
{
    long id;
    line_integer(line, 1, 1, KEYS_MAX, &id, reader->messages);
}

/* The secret depends on the seed and the id alone, so that both ends of an association make up the
 * same. */
static struct key synthetic_key(uint32_t id, uint64_t seed)
{
    static const char purpose[] = "holdfast synthetic key";
    struct key key = {.id = id, .type = KEY_AES128CMAC, .secret_size = 16};
    uint8_t input[12];
    struct sha256_ctx hash;
    for (unsigned i = 0; i < 8; i++) {
        input[i] = (uint8_t)(seed >> (56 - 8 * i));
    }
    for (unsigned i = 0; i < 4; i++) {
        input[8 + i] = (uint8_t)(id >> (24 - 8 * i));
    }
    sha256_init(&hash);
    sha256_update(&hash, sizeof purpose - 1, (const uint8_t *)purpose);
    sha256_update(&hash, sizeof input, input);
    sha256_digest(&hash, key.secret_size, key.secret);
    return key;
}

static void make_synthetic_keys(struct ntpconf_reader *reader)
{
    bool *is_used = g_new0(bool, KEYS_MAX + 1);
    GArray *keys = g_array_new(FALSE, FALSE, sizeof(struct key));
    memcpy(is_used, reader->is_trusted, sizeof reader->is_trusted);
    for (guint i = 0; i < reader->sources->len; i++) {
        is_used[g_array_index(reader->sources, struct source_draft, i).config.key] = true;
    }
    /* From 1: a source without a key has key 0. */
    for (uint32_t id = 1; id <= KEYS_MAX; id++) {
        if (is_used[id]) {
            struct key key = synthetic_key(id, reader->options->synthetic_seed);
            key.is_trusted = reader->is_trusted[id];
            g_array_append_val(keys, key);
        }
    }
    g_free(is_used);
    line_note(reader->keys_line, 1, reader->messages,
              "%s is not there: %u made-up AES128CMAC key%s instead", reader->conf->host.keys,
              keys->len, keys->len == 1 ? " stands" : "s stand");
    struct key_table *table = &reader->conf->engine.keys;
    table->keys = reader_keep_array(reader, keys, &table->count);
    reader->conf->keys_are_synthetic = true;
}

static bool load_keys(struct ntpconf_reader *reader)
{
    struct key_table *table = &reader->conf->engine.keys;
    const struct line *line = reader->keys_line;
    bool is_missing = !reader->keys_path || !g_file_test(reader->keys_path, G_FILE_TEST_EXISTS);
    if (is_missing && line && reader->options->synthetic_keys) {
        make_synthetic_keys(reader);
        return true;
    }
    if (line && !reader->keys_path) {
        line_error(line, 1, reader->messages, "%s is outside of the files that may be read",
                   line->words[1].text);
        return false;
    }
    struct key *keys;
    if (!keys_load(reader->keys_path, line, &keys, &table->count, reader->messages)) {
        return false;
    }
    g_ptr_array_add(reader->blocks, keys);
    for (size_t i = 0; i < table->count; i++) {
        keys[i].is_trusted = reader->is_trusted[keys[i].id];
    }
    table->keys = keys;
    return true;
}

static bool key_allows(const struct key *key, const struct address *address)
{
    for (unsigned i = 0; i < key->address_count; i++) {
        struct network network = {key->addresses[i].address, key->addresses[i].prefix};
        if (network_contains(&network, address)) {
            return true;
        }
    }
    return key->address_count == 0;
}

/* The word after "key" on a source's line. */
static unsigned key_word(const struct source_draft *draft)
{
    unsigned word = draft->host_word + 1;
    while (strcmp(draft->line->words[word].text, "key") != 0) {
        word++;
    }
    return word + 1;
}

static void check_source_key(struct ntpconf_reader *reader, const struct source_draft *draft)
{
    const struct association_config *config = &draft->config;
    const struct key *key = key_find(&reader->conf->engine.keys, config->key);
    if (!reader->conf->host.keys) {
        line_error(draft->line, key_word(draft), reader->messages,
                   "key %u is nowhere: no \"keys\" line names a file", (unsigned)config->key);
    } else if (!key) {
        line_error(draft->line, key_word(draft), reader->messages, "key %u is not in %s",
                   (unsigned)config->key, reader->conf->host.keys);
    } else if (!key->is_trusted) {
        line_error(draft->line, key_word(draft), reader->messages,
                   "key %u is not trusted; add \"trustedkey %u\"", (unsigned)config->key,
                   (unsigned)config->key);
    } else if (config->is_numeric && !key_allows(key, &config->address)) {
        line_warning(draft->line, key_word(draft), reader->messages,
                     "the address list of key %u in %s does not name %s", (unsigned)config->key,
                     reader->conf->host.keys, config->name);
    }
}

static void check_trusted_keys(struct ntpconf_reader *reader)
{
    for (guint i = 0; i < reader->trusted->len; i++) {
        const struct trusted_draft *draft =
            &g_array_index(reader->trusted, struct trusted_draft, i);
        if (!key_find(&reader->conf->engine.keys, draft->id)) {
            line_warning(draft->line, draft->word, reader->messages,
                         "key %u is trusted but not in %s", (unsigned)draft->id,
                         reader->conf->host.keys ? reader->conf->host.keys : "any file");
        }
    }
}

void keys_finish(struct ntpconf_reader *reader)
{
    if (reader->options->keys) {
        override_keys(reader, reader->options->keys);
    }
    if (reader->conf->host.keys && !load_keys(reader)) {
        return;
    }
    check_trusted_keys(reader);
    for (guint i = 0; i < reader->sources->len; i++) {
        const struct source_draft *draft = &g_array_index(reader->sources, struct source_draft, i);
        if (draft->config.key != 0 && !draft->is_local_clock) {
            check_source_key(reader, draft);
        }
    }
}
