/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes the manual pages: fills the tables that the programs themselves obey into templates.
 *
 * A line "@NAME@" of a template is replaced by a table, everything else is copied. Runs at build
 * time only; nothing of it is in either program.
 * Usage: manual TEMPLATE > PAGE
 */
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../../../sim/command.h"
#include "../../../sim/scenario.h"
#include "../../config/ntpconf.h"
#include "../../version.h"
#include "../metrics.h"
#include "../options.h"
#include "page.h"

static void put_commands(GString *out)
{
    size_t count;
    const struct command *table = command_table(&count);
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < count; i++) {
        g_string_append(text, table[i].help());
    }
    page_layout(out, text->str);
    g_string_free(text, TRUE);
}

static void put_scenario(GString *out)
{
    char *text = scenario_help();
    page_layout(out, text);
    g_free(text);
}

static void put_options(GString *out)
{
    size_t count;
    const struct option_help *table = options_help(&count);
    for (size_t i = 0; i < count; i++) {
        const struct option_help *row = &table[i];
        char letter[5] = "";
        if (row->letter) {
            g_snprintf(letter, sizeof letter, "-%c, ", row->letter);
        }
        char *tag = g_strdup_printf("%s--%s%s%s", letter, row->name, row->argument ? " " : "",
                                    row->argument ? row->argument : "");
        page_tag(out, tag);
        page_prose(out, row->help);
        g_free(tag);
    }
}

/* Takes the next word off *text; g_free() it. */
static char *next_word(const char **text)
{
    const char *word = *text + strspn(*text, " ");
    size_t length = strcspn(word, " ");
    *text = word + length + strspn(word + length, " ");
    return g_strndup(word, length);
}

/* Lines "NAME TYPE UNIT HELP" in columns, as metrics_table() makes them; "-" is no unit. */
static void put_metrics(GString *out)
{
    GString *table = g_string_new(NULL);
    metrics_table(table);
    char **lines = g_strsplit(table->str, "\n", -1);
    for (char **line = lines; *line; line++) {
        const char *help = *line;
        char *name = next_word(&help), *type = next_word(&help), *unit = next_word(&help);
        bool has_unit = strcmp(unit, "-") != 0;
        if (*help) {
            type[0] = g_ascii_toupper(type[0]);
            char *head =
                g_strdup_printf("%s%s%s:", type, has_unit ? " in " : "", has_unit ? unit : "");
            page_tag(out, name);
            page_prose(out, head);
            page_prose(out, help);
            g_free(head);
        }
        g_free(name);
        g_free(type);
        g_free(unit);
    }
    g_strfreev(lines);
    g_string_free(table, TRUE);
}

/* What becomes of the word or directive. */
static void put_support(GString *out, enum support support, const char *help)
{
    static const char *const texts[] = {[SUPPORT_FULL] = NULL,
                                        [SUPPORT_NO_EFFECT] = "Accepted, but has no effect: ",
                                        [SUPPORT_ERROR] = "Refused as an error: "};
    const char *before = texts[support];
    char *text = g_strdup(help ? help : "");
    if (!before && text[0]) {
        text[0] = g_ascii_toupper(text[0]);
    }
    char *sentence = g_strdup_printf("%s%s.", before ? before : "", text);
    page_prose(out, sentence);
    g_free(sentence);
    g_free(text);
}

static void put_setting(GString *out, const struct setting *setting)
{
    static const char *const values[] = {[SETTING_FLAG] = "",
                                         [SETTING_INTEGER] = " N",
                                         [SETTING_NUMBER] = " NUMBER",
                                         [SETTING_WORD] = " WORD"};
    char *tag = g_strconcat(setting->name, values[setting->kind], NULL);
    page_tag(out, tag);
    g_free(tag);
    put_support(out, setting->support, setting->help);
    bool is_number = setting->kind == SETTING_INTEGER || setting->kind == SETTING_NUMBER;
    if (is_number && setting->support == SUPPORT_FULL) {
        char *range = g_strdup_printf("From %.10g to %.10g.", setting->low, setting->high);
        page_prose(out, range);
        g_free(range);
    }
}

/* The row above that takes the same words, whose list is not repeated: server, peer and pool share
 * theirs. NULL = none. */
static const char *same_words(const struct directive_help *rows, size_t index)
{
    for (size_t i = 0; rows[index].settings && i < index; i++) {
        if (rows[i].settings == rows[index].settings) {
            return rows[i].name;
        }
    }
    return NULL;
}

static void put_settings(GString *out, const struct settings *settings)
{
    g_string_append(out, ".RS\n");
    for (size_t i = 0; i < settings->count; i++) {
        put_setting(out, &settings->table[i]);
    }
    g_string_append(out, ".RE\n");
}

/* Lines that load, in bold below the text. */
static void put_example(GString *out, const char *example)
{
    char **lines = g_strsplit(example, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (**line) {
            g_string_append(out, line == lines ? ".br\nExample:\n" : ".br\n");
            char *bold = g_strdup_printf("`%s`", *line);
            page_prose(out, bold);
            g_free(bold);
        }
    }
    g_strfreev(lines);
}

static void put_directive(GString *out, const struct directive_help *rows, size_t index)
{
    const struct directive_help *row = &rows[index];
    const char *like = same_words(rows, index);
    char *tag = g_strdup_printf("%s %s", row->name, row->arguments ? row->arguments : "");
    page_tag(out, g_strchomp(tag));
    g_free(tag);
    put_support(out, row->support, row->help);
    if (row->support == SUPPORT_FULL) {
        char *text = g_strdup_printf("Default: %s.", row->default_text);
        page_prose(out, text);
        g_free(text);
    }
    if (like) {
        char *text = g_strdup_printf("It takes the same words as `%s`.", like);
        page_prose(out, text);
        g_free(text);
    }
    if (row->support == SUPPORT_FULL) {
        put_example(out, row->example);
    }
    if (row->settings && !like) {
        put_settings(out, row->settings);
    }
}

static void put_directives(GString *out)
{
    size_t count;
    const struct directive_help *rows = ntpconf_help(&count);
    for (size_t i = 0; i < count; i++) {
        put_directive(out, rows, i);
    }
}

static void put_version(GString *out)
{
    g_string_append_printf(out, "Version %s.\n", HOLDFAST_VERSION);
}

static const struct {
    const char *line;
    void (*put)(GString *out);
} tables[] = {{"@commands@", put_commands}, {"@scenario@", put_scenario},
              {"@options@", put_options},   {"@metrics@", put_metrics},
              {"@version@", put_version},   {"@directives@", put_directives}};

/* A line of a template. False for a table that there is not. */
static bool put_line(GString *out, const char *line)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        if (strcmp(line, tables[i].line) == 0) {
            tables[i].put(out);
            return true;
        }
    }
    g_string_append_printf(out, "%s\n", line);
    return line[0] != '@';
}

int main(int argc, char **argv)
{
    char *text;
    GError *error = NULL;
    if (argc != 2) {
        fprintf(stderr, "usage: manual TEMPLATE > PAGE\n");
        return STATUS_USAGE;
    }
    if (!g_file_get_contents(argv[1], &text, NULL, &error)) {
        fprintf(stderr, "manual: %s\n", error->message);
        return STATUS_FAILED;
    }
    char **lines = g_strsplit(g_strchomp(text), "\n", -1);
    GString *out = g_string_new(NULL);
    int status = STATUS_ALL_RIGHT;
    for (char **line = lines; *line; line++) {
        if (!put_line(out, *line)) {
            fprintf(stderr, "manual: %s: no table %s\n", argv[1], *line);
            status = STATUS_FAILED;
        }
    }
    fputs(out->str, stdout);
    g_string_free(out, TRUE);
    g_strfreev(lines);
    g_free(text);
    return fflush(stdout) == 0 ? status : STATUS_FAILED;
}
