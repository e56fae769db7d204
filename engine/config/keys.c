/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ntp.keys: lines to a sorted array of keys. All of a file or nothing; no complaint shows a secret.
 */
#include "keys.h"

#include <string.h>
#include <sys/stat.h>

#include "../engine_config.h"
#include "network.h"
#include "text_file.h"

enum { ASCII_SECRET_MAX = 20, AES_SECRET_SIZE = 16, FIELDS_MIN = 3, FIELDS_MAX = 4 };

static const struct {
    const char *name;
    enum key_type type;
} type_names[] = {{"MD5", KEY_MD5},       {"M", KEY_MD5},         {"SHA1", KEY_SHA1},
                  {"SHA256", KEY_SHA256}, {"SHA512", KEY_SHA512}, {"AES128CMAC", KEY_AES128CMAC},
                  {"AES", KEY_AES128CMAC}};

static bool read_type(const struct line *line, struct key *key, struct messages *messages)
{
    const char *text = line->words[1].text;
    for (size_t i = 0; i < G_N_ELEMENTS(type_names); i++) {
        if (g_ascii_strcasecmp(text, type_names[i].name) == 0) {
            key->type = type_names[i].type;
            if (key->type == KEY_MD5) {
                line_warning(line, 1, messages,
                             "MD5 is broken (RFC 8573 forbids it); use AES128CMAC at both ends");
            }
            return true;
        }
    }
    /* The word itself stays unsaid: where the type was forgotten, it is the secret. */
    line_error(line, 1, messages,
               "unknown key type; expected MD5, SHA1, SHA256, SHA512 or AES128CMAC");
    return false;
}

static bool read_hex_secret(const struct line *line, const char *digits, struct key *key,
                            struct messages *messages)
{
    size_t size = strlen(digits);
    unsigned column = line->words[2].column + (unsigned)(digits - line->words[2].text);
    for (size_t i = 0; i < size; i++) {
        if (!g_ascii_isxdigit(digits[i])) {
            messages_add(messages, SEVERITY_ERROR, line->file, line->number, column + (unsigned)i,
                         "a secret of more than %d characters is hexadecimal, and this is no "
                         "hexadecimal digit (\"ASCII:\" in front makes it text)",
                         ASCII_SECRET_MAX);
            return false;
        }
    }
    if (size % 2 != 0 || size == 0 || size / 2 > KEY_SECRET_MAX) {
        messages_add(messages, SEVERITY_ERROR, line->file, line->number, column,
                     "expected an even number of hexadecimal digits from 2 to %d, found %zu",
                     2 * KEY_SECRET_MAX, size);
        return false;
    }
    for (size_t i = 0; i < size / 2; i++) {
        int high = g_ascii_xdigit_value(digits[2 * i]);
        int low = g_ascii_xdigit_value(digits[2 * i + 1]);
        key->secret[i] = (uint8_t)(high * 16 + low);
    }
    key->secret_size = (uint8_t)(size / 2);
    return true;
}

static bool read_ascii_secret(const struct line *line, const char *text, struct key *key,
                              struct messages *messages)
{
    size_t size = strlen(text);
    if (size == 0 || size > KEY_SECRET_MAX) {
        line_error(line, 2, messages, "expected a secret of 1 to %d characters, found %zu",
                   KEY_SECRET_MAX, size);
        return false;
    }
    if (strchr(text, '#')) {
        line_warning(line, 2, messages,
                     "ntpd ends a secret at '#'; write this one in hexadecimal to be understood "
                     "alike everywhere");
    }
    memcpy(key->secret, text, size);
    key->secret_size = (uint8_t)size;
    return true;
}

static bool read_secret(const struct line *line, struct key *key, struct messages *messages)
{
    const char *text = line->words[2].text;
    bool done;
    if (g_str_has_prefix(text, "HEX:")) {
        done = read_hex_secret(line, text + strlen("HEX:"), key, messages);
    } else if (g_str_has_prefix(text, "ASCII:")) {
        done = read_ascii_secret(line, text + strlen("ASCII:"), key, messages);
    } else if (strlen(text) > ASCII_SECRET_MAX) {
        done = read_hex_secret(line, text, key, messages);
    } else {
        done = read_ascii_secret(line, text, key, messages);
    }
    if (done && key->type == KEY_AES128CMAC && key->secret_size != AES_SECRET_SIZE) {
        line_error(line, 2, messages, "an AES128CMAC secret has exactly %d bytes, this one has %u",
                   AES_SECRET_SIZE, (unsigned)key->secret_size);
        return false;
    }
    return done;
}

/* One entry of the comma-separated list, which begins at `column`. */
static bool read_key_address(const struct line *line, unsigned column, const char *text,
                             struct key *key, struct messages *messages)
{
    struct network network;
    char place[ADDRESS_TEXT_SIZE];
    if (!network_parse(text, &network)) {
        messages_add(messages, SEVERITY_ERROR, line->file, line->number, column,
                     "expected an address or ADDRESS/BITS; a secret has no blanks");
        return false;
    }
    if (key->address_count == KEY_ADDRESSES_MAX) {
        messages_add(messages, SEVERITY_ERROR, line->file, line->number, column,
                     "a key takes at most %d addresses", KEY_ADDRESSES_MAX);
        return false;
    }
    if (network_clear_host_bits(&network)) {
        messages_add(messages, SEVERITY_WARNING, line->file, line->number, column,
                     "bits after the prefix are ignored: taken as %s/%u",
                     address_text(&network.address, place), (unsigned)network.prefix);
    }
    key->addresses[key->address_count++] = (struct key_address){network.address, network.prefix};
    return true;
}

static bool read_addresses(const struct line *line, struct key *key, struct messages *messages)
{
    unsigned column = line->words[3].column;
    char **parts = g_strsplit(line->words[3].text, ",", -1);
    bool done = true;
    for (char **part = parts; *part && done; part++) {
        done = read_key_address(line, column, *part, key, messages);
        column += (unsigned)strlen(*part) + 1;
    }
    g_strfreev(parts);
    return done;
}

static bool read_key(const struct line *line, struct key *key, struct messages *messages)
{
    static const char *const fields[] = {"an id", "a key type", "a secret"};
    long id;
    for (unsigned i = 0; i < line->count; i++) {
        if (line->words[i].is_quoted) {
            line_error(line, i, messages,
                       "a key file has no quotes; a secret with a quote in front is written in "
                       "hexadecimal");
            return false;
        }
    }
    if (!parse_integer(line->words[0].text, &id) || id < 1 || id > KEYS_MAX) {
        line_error(line, 0, messages, "expected a key id from 1 to %d", KEYS_MAX);
        return false;
    }
    key->id = (uint32_t)id;
    if (line->count < FIELDS_MIN) {
        line_error(line, line->count, messages, "expected %s, but the line ends here",
                   fields[line->count]);
        return false;
    }
    if (line->count > FIELDS_MAX) {
        line_error(line, FIELDS_MAX, messages, "nothing is expected after the address list");
        return false;
    }
    return read_type(line, key, messages) && read_secret(line, key, messages) &&
           (line->count == FIELDS_MIN || read_addresses(line, key, messages));
}

static gint compare_ids(gconstpointer a, gconstpointer b)
{
    const struct key *first = a, *second = b;
    return (first->id > second->id) - (first->id < second->id);
}

static bool read_keys(const struct lines *lines, GArray *keys, struct messages *messages)
{
    bool done = true;
    unsigned *seen = g_new0(unsigned, KEYS_MAX + 1); /* the line of each id */
    for (unsigned i = 0; i < lines->count; i++) {
        const struct line *line = &lines->lines[i];
        struct key key = {.id = 0};
        if (!read_key(line, &key, messages)) {
            done = false;
        } else if (seen[key.id] != 0) {
            line_error(line, 0, messages, "key %u is already on line %u", (unsigned)key.id,
                       seen[key.id]);
            done = false;
        } else {
            seen[key.id] = line->number;
            g_array_append_val(keys, key);
        }
    }
    g_free(seen);
    g_array_sort(keys, compare_ids);
    return done;
}

bool keys_parse(const char *file, const char *text, size_t size, struct key **keys, size_t *count,
                struct messages *messages)
{
    unsigned errors = messages->errors;
    GArray *read = g_array_new(FALSE, FALSE, sizeof(struct key));
    struct lines *lines = lines_split(file, text, size, messages);
    bool done = read_keys(lines, read, messages) && messages->errors == errors;
    lines_free(lines);
    *count = done ? read->len : 0;
    *keys = (struct key *)(void *)g_array_free(read, !done);
    return done;
}

bool keys_load(const char *path, const struct line *from, struct key **keys, size_t *count,
               struct messages *messages)
{
    struct text_file file;
    *keys = NULL;
    *count = 0;
    char *why = text_file_read(path, FILE_SIZE_MAX, &file);
    if (why) {
        line_unreadable(from, path, why, messages);
        g_free(why);
        return false;
    }
    if (file.mode & (S_IROTH | S_IWOTH)) {
        messages_add(messages, SEVERITY_WARNING, path, 0, 0,
                     "others may read or write this file of secrets (mode %04o); use mode 0600",
                     file.mode);
    }
    bool done = keys_parse(path, file.text, file.size, keys, count, messages);
    text_file_clear(&file);
    return done;
}
