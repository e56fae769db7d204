/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The options of `holdfast run`; see run_options.h. Opens no file.
 */
#include "run_options.h"

#include <glib.h>
#include <math.h>

#include "../engine/config/lexer.h"
#include "option_table.h"

enum { RUNS_MAX = 1000000 };

static bool take_seed(void *out, const char *value)
{
    struct run_options *options = out;
    options->has_seed = true;
    return g_ascii_string_to_unsigned(value, 10, 0, UINT64_MAX, &options->seed, NULL);
}

static bool take_directory(void *out, const char *value)
{
    struct run_options *options = out;
    options->directory = value;
    return value[0] != '\0';
}

static bool take_runs(void *out, const char *value)
{
    struct run_options *options = out;
    return g_ascii_string_to_unsigned(value, 10, 1, RUNS_MAX, &options->runs, NULL);
}

static bool take_until(void *out, const char *value)
{
    struct run_options *options = out;
    options->until_text = value;
    return parse_duration(value, &options->until_s) && options->until_s > 0;
}

static bool take_pcap(void *out, const char *value)
{
    struct run_options *options = out;
    (void)value;
    options->pcap = true;
    return true;
}

static bool take_quiet(void *out, const char *value)
{
    struct run_options *options = out;
    (void)value;
    options->quiet = true;
    return true;
}

static bool take_scenario(void *out, const char *word)
{
    struct run_options *options = out;
    if (options->scenario) {
        return option_table_complain("run", "one scenario at a time: \"%s\" is one too many", word);
    }
    options->scenario = word;
    return true;
}

static const struct option options_known[] = {
    {"--seed", "a whole number from 0 to 18446744073709551615", take_seed},
    {"--out", "a directory", take_directory},
    {"--runs", "a whole number from 1 to 1000000", take_runs},
    {"--until", "a time such as 3d12h", take_until},
    {"--pcap", NULL, take_pcap},
    {"--quiet", NULL, take_quiet}};

static const struct option_table table = {"run", options_known, G_N_ELEMENTS(options_known),
                                          take_scenario};

bool run_options_parse(const struct command_line *line, struct run_options *out)
{
    *out = (struct run_options){.runs = 0};
    if (!option_table_read(&table, line, out)) {
        return false;
    }
    if (!out->scenario) {
        return option_table_complain("run", "which scenario? holdfast run SCENARIO [OPTION]...");
    }
    if (out->pcap && !out->directory) {
        return option_table_complain("run", "--pcap needs --out DIR to write to");
    }
    return true;
}
