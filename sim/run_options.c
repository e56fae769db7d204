/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The options of `holdfast run`; see run_options.h. Opens no file.
 */
#include "run_options.h"

#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../engine/config/lexer.h"

enum { RUNS_MAX = 1000000 };

static bool take_seed(struct run_options *options, const char *value)
{
    options->has_seed = true;
    return g_ascii_string_to_unsigned(value, 10, 0, UINT64_MAX, &options->seed, NULL);
}

static bool take_directory(struct run_options *options, const char *value)
{
    options->directory = value;
    return value[0] != '\0';
}

static bool take_runs(struct run_options *options, const char *value)
{
    return g_ascii_string_to_unsigned(value, 10, 1, RUNS_MAX, &options->runs, NULL);
}

static bool take_until(struct run_options *options, const char *value)
{
    options->until_text = value;
    return parse_duration(value, &options->until_s) && options->until_s > 0;
}

static bool take_pcap(struct run_options *options, const char *value)
{
    (void)value;
    options->pcap = true;
    return true;
}

static bool take_quiet(struct run_options *options, const char *value)
{
    (void)value;
    options->quiet = true;
    return true;
}

static const struct option {
    const char *name;
    const char *value; /* what it needs, for the message; NULL = none */
    bool (*take)(struct run_options *options, const char *value);
} options_known[] = {{"--seed", "a whole number from 0 to 18446744073709551615", take_seed},
                     {"--out", "a directory", take_directory},
                     {"--runs", "a whole number from 1 to 1000000", take_runs},
                     {"--until", "a time such as 3d12h", take_until},
                     {"--pcap", NULL, take_pcap},
                     {"--quiet", NULL, take_quiet}};

enum { OPTIONS = sizeof options_known / sizeof options_known[0] };

G_GNUC_PRINTF(1, 2)
static bool complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    fprintf(stderr, "holdfast run: %s\n", text);
    g_free(text);
    return false;
}

static bool complain_of_option(const char *word)
{
    const char *names[OPTIONS + 1] = {NULL};
    for (size_t i = 0; i < OPTIONS; i++) {
        names[i] = options_known[i].name;
    }
    char *name = g_strndup(word, strcspn(word, "="));
    const char *nearest = nearest_word(name, names);
    g_free(name);
    return complain("unknown option \"%s\"%s%s%s", word, nearest ? "; did you mean \"" : "",
                    nearest ? nearest : "", nearest ? "\"?" : "");
}

static const struct option *find_option(const char *word)
{
    size_t length = strcspn(word, "=");
    for (size_t i = 0; i < OPTIONS; i++) {
        if (strlen(options_known[i].name) == length &&
            strncmp(options_known[i].name, word, length) == 0) {
            return &options_known[i];
        }
    }
    return NULL;
}

/* Takes the option at *index and leaves *index at its last word. */
static bool take_option(const struct command_line *line, int *index, struct run_options *out)
{
    const char *word = line->words[*index];
    const struct option *option = find_option(word);
    const char *value = strchr(word, '=');
    if (!option) {
        return complain_of_option(word);
    }
    if (!option->value) {
        return value ? complain("%s takes no value", option->name) : option->take(out, NULL);
    }
    if (value) {
        value++;
    } else if (*index + 1 < line->count) {
        value = line->words[++*index];
    } else {
        return complain("%s needs %s", option->name, option->value);
    }
    if (!option->take(out, value)) {
        return complain("%s needs %s, not \"%s\"", option->name, option->value, value);
    }
    return true;
}

bool run_options_parse(const struct command_line *line, struct run_options *out)
{
    *out = (struct run_options){.runs = 0};
    for (int i = 0; i < line->count; i++) {
        const char *word = line->words[i];
        if (word[0] == '-' && word[1] != '\0') {
            if (!take_option(line, &i, out)) {
                return false;
            }
        } else if (out->scenario) {
            return complain("one scenario at a time: \"%s\" is one too many", word);
        } else {
            out->scenario = word;
        }
    }
    if (!out->scenario) {
        return complain("which scenario? holdfast run SCENARIO [OPTION]...");
    }
    if (out->pcap && !out->directory) {
        return complain("--pcap needs --out DIR to write to");
    }
    return true;
}
