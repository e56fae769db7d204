/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The options of a sub-command; see option_table.h.
 */
#include "option_table.h"

#include <stdio.h>
#include <string.h>

#include "../engine/config/lexer.h"

bool option_table_complain(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    fprintf(stderr, "holdfast %s: %s\n", command, text);
    g_free(text);
    return false;
}

static bool complain_of_option(const struct option_table *table, const char *word)
{
    const char **names = g_new0(const char *, table->count + 1);
    for (size_t i = 0; i < table->count; i++) {
        names[i] = table->options[i].name;
    }
    char *name = g_strndup(word, strcspn(word, "="));
    const char *nearest = nearest_word(name, names);
    g_free(name);
    g_free(names);
    return option_table_complain(table->command, "unknown option \"%s\"%s%s%s", word,
                                 nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                                 nearest ? "\"?" : "");
}

static const struct option *find_option(const struct option_table *table, const char *word)
{
    size_t length = strcspn(word, "=");
    for (size_t i = 0; i < table->count; i++) {
        const char *name = table->options[i].name;
        if (strlen(name) == length && strncmp(name, word, length) == 0) {
            return &table->options[i];
        }
    }
    return NULL;
}

/* Takes the option at *index and leaves *index at its last word. */
static bool take_option(const struct option_table *table, const struct command_line *line,
                        int *index, void *options)
{
    const char *word = line->words[*index];
    const struct option *option = find_option(table, word);
    const char *value = strchr(word, '=');
    if (!option) {
        return complain_of_option(table, word);
    }
    if (!option->value) {
        return value ? option_table_complain(table->command, "%s takes no value", option->name)
                     : option->take(options, NULL);
    }
    if (value) {
        value++;
    } else if (*index + 1 < line->count) {
        value = line->words[++*index];
    } else {
        return option_table_complain(table->command, "%s needs %s", option->name, option->value);
    }
    if (!option->take(options, value)) {
        return option_table_complain(table->command, "%s needs %s, not \"%s\"", option->name,
                                     option->value, value);
    }
    return true;
}

bool option_table_read(const struct option_table *table, const struct command_line *line,
                       void *options)
{
    for (int i = 0; i < line->count; i++) {
        const char *word = line->words[i];
        bool is_option = word[0] == '-' && word[1] != '\0';
        if (is_option ? !take_option(table, line, &i, options) : !table->take_word(options, word)) {
            return false;
        }
    }
    return true;
}
