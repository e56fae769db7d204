/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The options of `holdfast run`.
 */
#include "../sim/run_options.h"

#include <fcntl.h>
#include <unistd.h>

#include "check.h"

enum { WORDS_MAX = 8 };

/* Parses the words up to NULL, with what is said on standard error in `said`. */
static bool parse(const char *const *words, struct run_options *out, char said[256])
{
    char *copies[WORDS_MAX];
    struct command_line line = {.words = copies};
    for (; words[line.count]; line.count++) {
        copies[line.count] = (char *)words[line.count];
    }
    FILE *capture = tmpfile();
    int saved = dup(STDERR_FILENO);
    fflush(stderr);
    dup2(fileno(capture), STDERR_FILENO);
    bool parsed = run_options_parse(&line, out);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(capture);
    size_t size = fread(said, 1, 255, capture);
    said[size] = '\0';
    fclose(capture);
    return parsed;
}

static void all_options_are_taken_in_both_spellings(void)
{
    struct run_options o;
    char said[256];
    CHECK(parse((const char *[]){"--seed", "7", "x.scenario", "--out=dir", "--runs=3", "--until",
                                 "1d12h", "--pcap", NULL},
                &o, said));
    CHECK_STR(said, "");
    CHECK_STR(o.scenario, "x.scenario");
    CHECK(o.has_seed && o.pcap && !o.quiet);
    CHECK_INT(o.seed, 7);
    CHECK_INT(o.runs, 3);
    CHECK_STR(o.directory, "dir");
    CHECK_STR(o.until_text, "1d12h");
    CHECK_NEAR(o.until_s, 129600, 0);
    CHECK(parse((const char *[]){"x", "--quiet", NULL}, &o, said));
    CHECK(o.quiet && !o.has_seed && !o.directory && !o.until_text && o.runs == 0);
}

static void an_unknown_option_is_told_the_nearest(void)
{
    struct run_options o;
    char said[256];
    CHECK(!parse((const char *[]){"x", "--sead", "1", NULL}, &o, said));
    CHECK_STR(said, "holdfast run: unknown option \"--sead\"; did you mean \"--seed\"?\n");
    CHECK(!parse((const char *[]){"x", "--gibberish", NULL}, &o, said));
    CHECK_STR(said, "holdfast run: unknown option \"--gibberish\"\n");
    CHECK(!parse((const char *[]){"x", "--see=1", NULL}, &o, said));
    CHECK(strstr(said, "\"--seed\"") != NULL);
}

static void values_that_make_no_sense_are_refused(void)
{
    static const char *const wrong[][4] = {
        {"x", "--seed", "-1", NULL},  {"x", "--seed", "18446744073709551616", NULL},
        {"x", "--runs", "0", NULL},   {"x", "--runs", "many", NULL},
        {"x", "--until", "12", NULL}, {"x", "--until", "0s", NULL},
        {"x", "--out", "", NULL},     {"x", "--seed", NULL, NULL},
        {"x", "--pcap", NULL, NULL},  {"x", "--quiet=yes", NULL, NULL},
        {"x", "y", NULL, NULL},       {"--quiet", NULL, NULL, NULL}};
    struct run_options o;
    char said[256];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK(!parse(wrong[i], &o, said));
        CHECK(strncmp(said, "holdfast run: ", 14) == 0);
        CHECK(strchr(said, '\n') == said + strlen(said) - 1);
    }
}

const struct test_case run_options_tests[] = {
    {"all_options_are_taken_in_both_spellings", all_options_are_taken_in_both_spellings},
    {"an_unknown_option_is_told_the_nearest", an_unknown_option_is_told_the_nearest},
    {"values_that_make_no_sense_are_refused", values_that_make_no_sense_are_refused},
    {NULL, NULL}};
