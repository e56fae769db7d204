/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines, words, units and what is said of bad ones.
 */
#include "../engine/config/lexer.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "messages_check.h"

static struct lines *split(const char *text, struct messages *messages)
{
    return lines_split("f", text, strlen(text), messages);
}

static void words_have_their_line_and_column(void)
{
    struct messages *messages = messages_new();
    struct lines *lines =
        split("\n  server\tntp1  # why\r\n\t\n# all\nlast \"two words\"\t", messages);
    REQUIRE(lines->count == 2);
    const struct line *first = &lines->lines[0], *last = &lines->lines[1];
    CHECK_STR(first->file, "f");
    CHECK_INT(first->number, 2);
    REQUIRE(first->count == 2 && last->count == 2);
    CHECK_STR(first->words[0].text, "server");
    CHECK_INT(first->words[0].column, 3);
    CHECK_STR(first->words[1].text, "ntp1");
    CHECK_INT(first->words[1].column, 10);
    CHECK(first->words[2].text == NULL);
    CHECK_INT(first->words[2].column, 14);
    CHECK_INT(last->number, 5);
    CHECK_STR(last->words[1].text, "two words");
    CHECK_INT(last->words[1].column, 6);
    CHECK(last->words[1].is_quoted && !last->words[0].is_quoted);
    CHECK_INT(last->words[2].column, 17);
    lines_free(lines);
    CHECK_MESSAGES(messages, "");
}

static void hash_and_quote_inside_a_word_are_ordinary(void)
{
    struct messages *messages = messages_new();
    struct lines *lines = split("a#b c\"d \"#\" \"\" #e", messages);
    REQUIRE(lines->count == 1 && lines->lines[0].count == 4);
    CHECK_STR(lines->lines[0].words[0].text, "a#b");
    CHECK_STR(lines->lines[0].words[1].text, "c\"d");
    CHECK_STR(lines->lines[0].words[2].text, "#");
    CHECK_STR(lines->lines[0].words[3].text, "");
    lines_free(lines);
    CHECK_MESSAGES(messages, "");
}

static void malformed_lines_are_left_out_and_the_others_kept(void)
{
    static const char text[] = "good one\n"
                               "\"no end\n"
                               "key \"stuck\"x\n"
                               "good two";
    struct messages *messages = messages_new();
    struct lines *lines = lines_split("f", text, sizeof text - 1, messages);
    REQUIRE(lines->count == 2);
    CHECK_INT(lines->lines[1].number, 4);
    lines_free(lines);
    CHECK_INT(messages->errors, 2);
    CHECK_MESSAGES(messages, "f:2:1: error: this quote does not end on its line\n"
                             "f:3:12: error: expected a blank after the closing quote\n");
}

/* What is no text was not meant for us: one message, and no line of it, before or after. */
static void nothing_is_read_of_a_file_that_is_no_text(void)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *said;
    } cases[] = {
        {"good\nnul \0 byte\n\0\n\"", 19, "f:2:5: error: this is no text file: byte 0x00\n"},
        {"  \x1b[2J\n", 7, "f:1:3: error: this is no text file: byte 0x1b\n"},
        {"return \r inside\ngood", 21, "f:1:8: error: this is no text file: byte 0x0d\n"},
        {"# delete \x7f\ngood", 15, "f:1:10: error: this is no text file: byte 0x7f\n"},
        {"good\nna\xefve\n\xff\n", 13, "f:2:3: error: this is no text file: byte 0xef\n"},
        {"\"caf\xe9\"", 6, "f:1:5: error: this is no text file: byte 0xe9\n"},
        {"good \"x\xc3\"", 9, "f:1:8: error: this is no text file: byte 0xc3\n"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct messages *messages = messages_new();
        struct lines *lines = lines_split("f", cases[i].bytes, cases[i].size, messages);
        CHECK_INT(lines->count, 0);
        CHECK(!lines->is_text);
        lines_free(lines);
        CHECK_MESSAGES(messages, cases[i].said);
    }
}

/* Somebody's remark of the last century is no reason to refuse his server its configuration. */
static void comments_may_be_in_any_encoding_and_words_in_utf_8(void)
{
    struct messages *messages = messages_new();
    struct lines *lines = split("a # f\xfcr alle\ncaf\xc3\xa9 \"\xe2\x82\xac 5\"", messages);
    REQUIRE(lines->count == 2 && lines->lines[1].count == 2);
    CHECK(lines->is_text);
    CHECK_STR(lines->lines[1].words[0].text, "caf\xc3\xa9");
    CHECK_STR(lines->lines[1].words[1].text, "\xe2\x82\xac 5");
    lines_free(lines);
    CHECK_MESSAGES(messages, "");
}

static void line_of_1023_bytes_is_read_and_of_1024_refused(void)
{
    char text[2 * 1024 + 2];
    memset(text, 'x', sizeof text);
    text[1023] = '\n';
    struct messages *messages = messages_new();
    struct lines *lines = lines_split("f", text, 1023 + 1 + 1024, messages);
    REQUIRE(lines->count == 1);
    CHECK_INT(strlen(lines->lines[0].words[0].text), 1023);
    lines_free(lines);
    CHECK_MESSAGES(messages, "f:2:1024: error: line longer than 1023 bytes\n");
}

static void file_of_one_mebibyte_is_read_and_one_byte_more_refused(void)
{
    char *text = g_malloc(FILE_SIZE_MAX + 1);
    memset(text, '\n', FILE_SIZE_MAX + 1);
    text[FILE_SIZE_MAX - 1] = 'x';
    struct messages *messages = messages_new();
    struct lines *lines = lines_split("f", text, FILE_SIZE_MAX, messages);
    REQUIRE(lines->count == 1);
    CHECK_INT(lines->lines[0].number, FILE_SIZE_MAX);
    lines_free(lines);
    lines = lines_split("f", text, FILE_SIZE_MAX + 1, messages);
    CHECK_INT(lines->count, 0);
    lines_free(lines);
    g_free(text);
    CHECK_MESSAGES(messages, "f: error: larger than 1048576 bytes\n");
}

static void only_regular_files_are_read(void)
{
    char *folder = g_dir_make_tmp("holdfast-lexer-XXXXXX", NULL);
    char *fifo = g_build_filename(folder, "fifo", NULL);
    char *plain = g_build_filename(folder, "plain", NULL);
    CHECK_INT(mkfifo(fifo, 0600), 0);
    CHECK(g_file_set_contents(plain, "server a\n", -1, NULL));
    struct messages *messages = messages_new();
    struct lines *naming = split("node tick config fifo", messages);
    CHECK(lines_read("/nonexistent/file", NULL, messages) == NULL);
    CHECK(lines_read(fifo, &naming->lines[0], messages) == NULL);
    CHECK(lines_read("/", &naming->lines[0], messages) == NULL);
    struct lines *lines = lines_read(plain, NULL, messages);
    CHECK(lines != NULL && lines->count == 1 && lines->lines[0].count == 2);
    lines_free(lines);
    lines_free(naming);
    char *expected =
        g_strdup_printf("/nonexistent/file: error: cannot read it: No such file or directory\n"
                        "f:1:18: error: cannot read %s: not a regular file\n"
                        "f:1:6: error: cannot read /: not a regular file\n",
                        fifo);
    CHECK_MESSAGES(messages, expected);
    g_unlink(fifo);
    g_unlink(plain);
    g_rmdir(folder);
    g_free(expected);
    g_free(plain);
    g_free(fifo);
    g_free(folder);
}

static void file_that_is_too_large_is_not_read(void)
{
    char *text = g_strnfill(FILE_SIZE_MAX + 1, '\n');
    char *path = NULL;
    int fd = g_file_open_tmp("holdfast-large-XXXXXX", &path, NULL);
    CHECK(fd >= 0 && write(fd, text, FILE_SIZE_MAX + 1) == FILE_SIZE_MAX + 1);
    struct messages *messages = messages_new();
    CHECK(lines_read(path, NULL, messages) == NULL);
    CHECK_INT(messages->errors, 1);
    CHECK_INT(ftruncate(fd, FILE_SIZE_MAX), 0);
    struct lines *lines = lines_read(path, NULL, messages);
    CHECK(lines != NULL);
    lines_free(lines);
    char *expected =
        g_strdup_printf("%s: error: cannot read it: larger than 1048576 bytes\n", path);
    CHECK_MESSAGES(messages, expected);
    close(fd);
    g_unlink(path);
    g_free(expected);
    g_free(path);
    g_free(text);
}

struct reading {
    const char *text;
    double value;
};

static void check_readings(bool (*parse)(const char *, double *), const struct reading *good,
                           const char *const *bad)
{
    for (; good->text; good++) {
        double value = -1e300;
        char what[128];
        snprintf(what, sizeof what, "\"%s\" is %.17g", good->text, good->value);
        check_report(parse(good->text, &value) && value == good->value, what, __FILE__, __LINE__);
    }
    for (; *bad; bad++) {
        double value = 42;
        char what[128];
        snprintf(what, sizeof what, "\"%s\" is no value", *bad);
        check_report(!parse(*bad, &value) && value == 42, what, __FILE__, __LINE__);
    }
}

static void durations_are_exact_and_need_units(void)
{
    static const struct reading good[] = {
        {"12ms", 0.012},  {"0", 0},      {"0s", 0},        {"1ns", 1e-9},     {"3us", 3e-6},
        {"1.5s", 1.5},    {"2m", 120},   {"2min", 120},    {"7d12h", 648000}, {"1h30m", 5400},
        {"1w", 604800},   {"-3s", -3},   {"+250ms", 0.25}, {"-1h30m", -5400}, {"1e3s", 1000},
        {"1s500ms", 1.5}, {".5h", 1800}, {"2e-3s", 0.002}, {NULL, 0}};
    static const char *const bad[] = {"",     "5",      "s",      "1x",   "1,5s",   "1 s", "0x10s",
                                      "1s1s", "1m1h",   "1min1m", "1e",   "1e999s", "inf", "nans",
                                      "--1s", "1s-1ms", "1S",     "1sec", "1.2.3s", "-7",  NULL};
    check_readings(parse_duration, good, bad);
}

static void frequencies_need_ppm_or_ppb(void)
{
    static const struct reading good[] = {{"15ppm", 15e-6}, {"-1.5ppm", -1.5e-6}, {"20ppb", 20e-9},
                                          {"0", 0},         {"+3ppb", 3e-9},      {NULL, 0}};
    static const char *const bad[] = {"15", "1ppm1ppb", "1ppt", "ppm", "1 ppm", "1PPM", "", NULL};
    check_readings(parse_frequency, good, bad);
}

static void shares_are_between_nothing_and_all(void)
{
    static const struct reading good[] = {{"30%", 0.3}, {"0.3", 0.3},   {"0", 0}, {"100%", 1},
                                          {"1", 1},     {".5%", 0.005}, {NULL, 0}};
    static const char *const bad[] = {"30", "101%", "1.01", "-1%", "%", "3%%", "nan", "", NULL};
    check_readings(parse_share, good, bad);
}

static void numbers_are_plain_decimals(void)
{
    static const struct reading good[] = {{"1.5", 1.5},  {"-2", -2}, {"+2e-3", 0.002},
                                          {".25", 0.25}, {"7.", 7},  {NULL, 0}};
    static const char *const bad[] = {"",   "1,5", "0x1p3", "inf", "nan", "1e999",
                                      "1s", " 1",  "e1",    "1e",  ".",   NULL};
    check_readings(parse_number, good, bad);
    static const char *const bad_integers[] = {
        "", "-", "+1", "1.0", "0x1", " 1", "1 ", "1e3", "9223372036854775808", NULL};
    long value = 0;
    CHECK(parse_integer("-010", &value) && value == -10);
    for (const char *const *text = bad_integers; *text; text++) {
        check_report(!parse_integer(*text, &value) && value == -10, *text, __FILE__, __LINE__);
    }
}

static void values_out_of_range_are_said_with_column_and_range(void)
{
    struct messages *messages = messages_new();
    struct lines *lines = split("x 2 18 1.5 9ms 3ppm 1.2 host.example", messages);
    const struct line *line = &lines->lines[0];
    long whole = 7;
    double real = 7;
    struct address address = {.family = ADDRESS_NONE};
    CHECK(!line_integer(line, 1, 3, 17, &whole, messages));
    CHECK(!line_integer(line, 2, 3, 17, &whole, messages));
    CHECK(!line_integer(line, 3, 3, 17, &whole, messages));
    CHECK(!line_number(line, 3, 2, INFINITY, &real, messages));
    CHECK(!line_duration(line, 4, 0.01, 1, &real, messages));
    CHECK(!line_duration(line, 3, -INFINITY, INFINITY, &real, messages));
    CHECK(!line_frequency(line, 5, -1e-6, 1e-6, &real, messages));
    CHECK(!line_share(line, 6, &real, messages));
    CHECK(!line_address(line, 7, &address, messages));
    CHECK(!line_integer(line, 8, 3, 17, &whole, messages));
    CHECK(whole == 7 && real == 7);
    CHECK(line_integer(line, 1, 2, 2, &whole, messages) && whole == 2);
    CHECK(line_number(line, 3, 1.5, 1.5, &real, messages) && real == 1.5);
    CHECK(line_duration(line, 4, 0.009, 0.009, &real, messages) && real == 0.009);
    lines_free(lines);
    CHECK_MESSAGES(
        messages,
        "f:1:3: error: expected a whole number from 3 to 17, not \"2\"\n"
        "f:1:5: error: expected a whole number from 3 to 17, not \"18\"\n"
        "f:1:8: error: expected a whole number from 3 to 17, not \"1.5\"\n"
        "f:1:8: error: expected a number of at least 2, not \"1.5\"\n"
        "f:1:12: error: expected a duration such as 12ms or 7d12h from 0.01 s to 1 s, not "
        "\"9ms\"\n"
        "f:1:8: error: expected a duration such as 12ms or 7d12h, not \"1.5\"\n"
        "f:1:16: error: expected a frequency such as 1.5ppm or 20ppb from -1 ppm to 1 ppm, not "
        "\"3ppm\"\n"
        "f:1:21: error: expected a share such as 30% or 0.3, not \"1.2\"\n"
        "f:1:25: error: expected an IPv4 or IPv6 address, not \"host.example\"\n"
        "f:1:37: error: expected a whole number from 3 to 17, but the line ends here\n");
}

static void nearest_word_finds_slips_and_nothing_else(void)
{
    static const char *const known[] = {"restrict", "server", "keys", "pool", "peer", NULL};
    CHECK_STR(nearest_word("restict", known), "restrict");
    CHECK_STR(nearest_word("restirct", known), "restrict");
    CHECK_STR(nearest_word("RESTRICT", known), "restrict");
    CHECK_STR(nearest_word("servers", known), "server");
    CHECK_STR(nearest_word("key", known), "keys");
    CHECK_STR(nearest_word("pol", known), "pool");
    CHECK(nearest_word("banana", known) == NULL);
    CHECK(nearest_word("", known) == NULL);
    char *endless = g_strnfill(1000, 'r');
    CHECK(nearest_word(endless, known) == NULL);
    g_free(endless);
}

/* Any bytes: what is kept is well formed, and what is not kept was complained about. */
static void random_bytes_give_words_or_errors(void)
{
    static const char alphabet[] = " \t\n\r\"#ab1\x00\x80";
    uint64_t state = 1;
    unsigned refused = 0;
    for (unsigned round = 0; round < 2000; round++) {
        char text[64];
        size_t size = next_random(&state) % sizeof text;
        for (size_t i = 0; i < size; i++) {
            text[i] = alphabet[next_random(&state) % (sizeof alphabet - 1)];
        }
        struct messages *messages = messages_new();
        struct lines *lines = lines_split("f", text, size, messages);
        unsigned newlines = 0;
        for (size_t i = 0; i < size; i++) {
            newlines += text[i] == '\n';
        }
        CHECK(lines->count + messages->errors <= newlines + 1);
        for (unsigned i = 0; i < lines->count; i++) {
            const struct line *line = &lines->lines[i];
            CHECK(line->count > 0 && line->words[line->count].text == NULL);
            for (unsigned w = 0; w < line->count; w++) {
                CHECK(line->words[w].column < line->words[w + 1].column);
                CHECK(line->words[w].is_quoted || !strpbrk(line->words[w].text, " \t\r"));
            }
        }
        refused += messages->errors;
        lines_free(lines);
        messages_free(messages);
    }
    CHECK(refused > 1000);
}

const struct test_case lexer_tests[] = {
    {"words_have_their_line_and_column", words_have_their_line_and_column},
    {"hash_and_quote_inside_a_word_are_ordinary", hash_and_quote_inside_a_word_are_ordinary},
    {"malformed_lines_are_left_out_and_the_others_kept",
     malformed_lines_are_left_out_and_the_others_kept},
    {"nothing_is_read_of_a_file_that_is_no_text", nothing_is_read_of_a_file_that_is_no_text},
    {"comments_may_be_in_any_encoding_and_words_in_utf_8",
     comments_may_be_in_any_encoding_and_words_in_utf_8},
    {"line_of_1023_bytes_is_read_and_of_1024_refused",
     line_of_1023_bytes_is_read_and_of_1024_refused},
    {"file_of_one_mebibyte_is_read_and_one_byte_more_refused",
     file_of_one_mebibyte_is_read_and_one_byte_more_refused},
    {"only_regular_files_are_read", only_regular_files_are_read},
    {"file_that_is_too_large_is_not_read", file_that_is_too_large_is_not_read},
    {"durations_are_exact_and_need_units", durations_are_exact_and_need_units},
    {"frequencies_need_ppm_or_ppb", frequencies_need_ppm_or_ppb},
    {"shares_are_between_nothing_and_all", shares_are_between_nothing_and_all},
    {"numbers_are_plain_decimals", numbers_are_plain_decimals},
    {"values_out_of_range_are_said_with_column_and_range",
     values_out_of_range_are_said_with_column_and_range},
    {"nearest_word_finds_slips_and_nothing_else", nearest_word_finds_slips_and_nothing_else},
    {"random_bytes_give_words_or_errors", random_bytes_give_words_or_errors},
    {NULL, NULL}};
