/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The drift file: what is taken for a number, and what is said of what is none.
 */
#include "../engine/daemon/drift.h"

#include <glib/gstdio.h>
#include <locale.h>
#include <unistd.h>

#include "messages_check.h"

/* Reads a file of these bytes; the error, without the file's name, goes to *error. */
static enum drift_verdict read_bytes(const char *bytes, gssize size, double *drift_ppm,
                                     char **error)
{
    char *folder = g_dir_make_tmp("holdfast-drift-XXXXXX", NULL), *message = NULL;
    char *path = g_build_filename(folder, "drift", NULL);
    char *prefix = g_strdup_printf("drift file %s: ", path);
    CHECK(g_file_set_contents(path, bytes, size, NULL));
    enum drift_verdict verdict = drift_read(path, drift_ppm, &message);
    *error = NULL;
    if (message) {
        CHECK(g_str_has_prefix(message, prefix));
        *error = g_strdup(message + strlen(prefix));
    }
    g_unlink(path);
    g_rmdir(folder);
    g_free(message);
    g_free(prefix);
    g_free(path);
    g_free(folder);
    return verdict;
}

static void numbers_in_range_are_found(void)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {{"0.000\n", 0}, {"-12.345\n", -12.345},  {"12.5", 12.5},     {" 7 \r\n\n", 7},
                 {"500\n", 500}, {"-500.000000\n", -500}, {"1.25e1\n", 12.5}, {"+3\n", 3}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        double drift_ppm;
        char *error;
        CHECK_INT(read_bytes(cases[i].text, -1, &drift_ppm, &error), DRIFT_FOUND);
        CHECK(drift_ppm == cases[i].value);
        CHECK(error == NULL);
        g_free(error);
    }
}

static void check_bad(const char *bytes, gssize size, const char *quoted, const char *hint)
{
    double drift_ppm = 1;
    char *error;
    char *expected = g_strdup_printf("expected one number of ppm from -500 to 500, not \"%s\"%s; "
                                     "remove the file or correct it",
                                     quoted, hint);
    CHECK_INT(read_bytes(bytes, size, &drift_ppm, &error), DRIFT_BAD);
    CHECK_STR(error, expected);
    CHECK(isnan(drift_ppm));
    g_free(expected);
    g_free(error);
}

static void garbage_is_bad_and_is_quoted(void)
{
    check_bad("", 0, "", "");
    check_bad("\n", -1, "", "");
    check_bad("nan\n", -1, "nan", "");
    check_bad("inf\n", -1, "inf", "");
    check_bad("0x10\n", -1, "0x10", "");
    check_bad("1,5\n", -1, "1,5", "");
    check_bad("500.001\n", -1, "500.001", "");
    check_bad("1e308\n", -1, "1e308", "");
    check_bad("1e999\n", -1, "1e999", "");
    check_bad("12.5 ppm\n", -1, "12.5 ppm", "");
    check_bad("12\0"
              "5\n",
              5, "12", "");
    check_bad("\x1b[2J\x01\n", -1, "\\033[2J\\001", "");
    char *long_text = g_strnfill(100000, '1');
    check_bad(long_text, -1, "1111111111111111111111111111111111111111", "");
    g_free(long_text);
}

static void file_of_chronyd_is_refused_for_its_sign(void)
{
    check_bad("           -12.345678             0.123456\n", -1, "-12.345678             0.123456",
              " (two numbers as chronyd writes: its sign is the opposite)");
    check_bad("1 2 3\n", -1, "1 2 3", "");
}

static void missing_file_is_none_and_a_folder_is_bad(void)
{
    double drift_ppm = 1;
    char *error = NULL;
    CHECK_INT(drift_read("/nonexistent/drift", &drift_ppm, &error), DRIFT_NONE);
    CHECK(isnan(drift_ppm));
    CHECK(error == NULL);
    CHECK_INT(drift_read("/nonexistent", &drift_ppm, &error), DRIFT_NONE);
    CHECK_INT(drift_read("/proc/self", &drift_ppm, &error), DRIFT_BAD);
    CHECK_STR(error, "drift file /proc/self: cannot read it: Is a directory");
    g_free(error);
    error = NULL;
    CHECK_INT(drift_read("/dev/zero", &drift_ppm, &error), DRIFT_BAD);
    CHECK(error != NULL);
    g_free(error);
}

static void text_is_ntpds_in_every_locale(void)
{
    char text[DRIFT_TEXT_SIZE], *error;
    double drift_ppm;
    char *locale = g_strdup(setlocale(LC_NUMERIC, NULL));
    (void)setlocale(LC_NUMERIC, "de_DE.UTF-8");
    CHECK_INT(drift_text(-12.3456784, text), 11);
    CHECK_STR(text, "-12.345678\n");
    CHECK_INT(drift_text(500, text), 11);
    CHECK_STR(text, "500.000000\n");
    CHECK_INT(read_bytes(text, -1, &drift_ppm, &error), DRIFT_FOUND);
    CHECK(drift_ppm == 500);
    (void)setlocale(LC_NUMERIC, locale);
    g_free(locale);
}

const struct test_case drift_tests[] = {
    {"numbers_in_range_are_found", numbers_in_range_are_found},
    {"garbage_is_bad_and_is_quoted", garbage_is_bad_and_is_quoted},
    {"file_of_chronyd_is_refused_for_its_sign", file_of_chronyd_is_refused_for_its_sign},
    {"missing_file_is_none_and_a_folder_is_bad", missing_file_is_none_and_a_folder_is_bad},
    {"text_is_ntpds_in_every_locale", text_is_ntpds_in_every_locale},
    {NULL, NULL}};
