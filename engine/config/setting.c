/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words after a directive, by table. Knows no directive.
 */
#include "setting.h"

#include <assert.h>
#include <string.h>

const struct setting *setting_find(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->count; i++) {
        if (strcmp(settings->table[i].name, name) == 0) {
            return &settings->table[i];
        }
    }
    return NULL;
}

void setting_unknown(const struct settings *settings, const char *of, const struct line *line,
                     unsigned index, struct messages *messages)
{
    const char **names = g_new0(const char *, settings->count + 1);
    for (size_t i = 0; i < settings->count; i++) {
        names[i] = settings->table[i].name;
    }
    const char *text = line->words[index].text;
    const char *near = nearest_word(text, names);
    if (near) {
        line_error(line, index, messages, "unknown word \"%s\" after \"%s\"; did you mean \"%s\"?",
                   text, of, near);
    } else {
        line_error(line, index, messages,
                   "unknown word \"%s\" after \"%s\"; \"holdfast help ntp.conf\" lists the known",
                   text, of);
    }
    g_free(names);
}

bool support_complain(enum support support, const char *name, const char *why,
                      const struct line *line, unsigned index, struct messages *messages)
{
    switch (support) {
    case SUPPORT_FULL:
        return true;
    case SUPPORT_NO_EFFECT:
        line_warning(line, index, messages, "\"%s\" has no effect: %s", name, why);
        return true;
    case SUPPORT_ERROR:
        line_error(line, index, messages, "\"%s\" is not supported: %s", name, why);
        return false;
    }
    return false;
}

/* One value as read; which member counts is the setting's kind's business. */
struct value {
    long integer;
    double number;
    const char *word;
};

static bool read_value(const struct setting *setting, const struct line *line, unsigned index,
                       struct value *value, struct messages *messages)
{
    switch (setting->kind) {
    case SETTING_FLAG:
        return true;
    case SETTING_INTEGER:
        return line_integer(line, index, (long)setting->low, (long)setting->high, &value->integer,
                            messages);
    case SETTING_NUMBER:
        return line_number(line, index, setting->low, setting->high, &value->number, messages);
    case SETTING_WORD:
        if (index >= line->count) {
            line_error(line, line->count, messages,
                       "expected a word after \"%s\", but the line ends here", setting->name);
            return false;
        }
        value->word = line->words[index].text;
        return true;
    }
    return false;
}

/* Copies bytes rather than assign: the place is inside a struct that only the table's row knows. */
#define PUT(type, what)                                                                            \
    do {                                                                                           \
        type put_value = (type)(what);                                                             \
        memcpy(place, &put_value, sizeof put_value);                                               \
    } while (0)

static void put_value_at(const struct setting *setting, const struct value *value, char *place,
                         GStringChunk *strings)
{
    uint16_t bits;
    switch (setting->store) {
    case STORE_NOTHING:
        break;
    case STORE_TRUE:
        PUT(bool, true);
        break;
    case STORE_FALSE:
        PUT(bool, false);
        break;
    case STORE_BITS:
        memcpy(&bits, place, sizeof bits);
        PUT(uint16_t, bits | setting->bits);
        break;
    case STORE_I8:
        PUT(int8_t, value->integer);
        break;
    case STORE_U8:
        PUT(uint8_t, value->integer);
        break;
    case STORE_I16:
        PUT(int16_t, value->integer);
        break;
    case STORE_U16:
        PUT(uint16_t, value->integer);
        break;
    case STORE_U32:
        PUT(uint32_t, value->integer);
        break;
    case STORE_DOUBLE:
        PUT(double, value->number);
        break;
    case STORE_WORD:
        PUT(const char *, g_string_chunk_insert(strings, value->word));
        break;
    }
}

bool settings_read(const struct settings *settings, const struct line *line, unsigned index,
                   void *base, GStringChunk *strings, struct messages *messages)
{
    unsigned errors = messages->errors;
    uint64_t seen = 0;
    assert(settings->count <= 64);
    while (index < line->count) {
        const struct setting *setting = setting_find(settings, line->words[index].text);
        struct value value = {.integer = 0};
        if (!setting) {
            setting_unknown(settings, settings->of, line, index, messages);
            break; /* whether a value follows is unknown too */
        }
        uint64_t bit = UINT64_C(1) << (setting - settings->table);
        if (seen & bit) {
            line_error(line, index, messages, "\"%s\" is given twice", setting->name);
            break;
        }
        seen |= bit;
        support_complain(setting->support, setting->name, setting->help, line, index, messages);
        if (setting->kind != SETTING_FLAG) {
            index++;
        }
        if (!read_value(setting, line, index, &value, messages)) {
            break;
        }
        put_value_at(setting, &value, (char *)base + setting->offset, strings);
        index++;
    }
    return messages->errors == errors;
}
