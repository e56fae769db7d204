/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The number of the drift file: see drift.h. Writes no file.
 */
#include "drift.h"

#include <errno.h>
#include <glib.h>
#include <math.h>
#include <string.h>

#include "../config/lexer.h"
#include "kept_file.h"

enum { FILE_TEXT_SIZE = 128, QUOTED_MAX = 40 };

static bool are_two_numbers(const char *text)
{
    double number;
    unsigned count = 0;
    char **words = g_strsplit_set(text, " \t\r\n", -1);
    for (char **word = words; *word && count <= 2; word++) {
        if (**word) {
            count = parse_number(*word, &number) ? count + 1 : 3;
        }
    }
    g_strfreev(words);
    return count == 2;
}

static enum drift_verdict complain(const char *path, const char *text, char **error)
{
    char *cut = g_strndup(text, QUOTED_MAX);
    char *quoted = g_strescape(cut, NULL);
    *error = g_strdup_printf(
        "drift file %s: expected one number of ppm from -500 to 500, not "
        "\"%s\"%s; remove the file or correct it",
        path, quoted,
        are_two_numbers(text) ? " (two numbers as chronyd writes: its sign is the opposite)" : "");
    g_free(quoted);
    g_free(cut);
    return DRIFT_BAD;
}

static enum drift_verdict parse(const char *path, char *text, ssize_t size, double *drift_ppm,
                                char **error)
{
    double value;
    bool is_text = strlen(text) == (size_t)size && size < FILE_TEXT_SIZE - 1;
    g_strstrip(text);
    if (!is_text || !parse_number(text, &value) || !(fabs(value) <= DRIFT_MAX_PPM)) {
        return complain(path, text, error);
    }
    *drift_ppm = value;
    return DRIFT_FOUND;
}

enum drift_verdict drift_read(const char *path, double *drift_ppm, char **error)
{
    struct kept_file file;
    char text[FILE_TEXT_SIZE];
    *drift_ppm = NAN;
    int why = kept_file_open(&file, path);
    ssize_t size = -1;
    if (why == 0) {
        size = kept_file_read(&file, text, sizeof text);
        why = size < 0 ? errno : 0;
    }
    kept_file_close(&file);
    if (why == ENOENT) {
        return DRIFT_NONE;
    }
    if (why != 0) {
        *error = g_strdup_printf("drift file %s: cannot read it: %s", path, g_strerror(why));
        return DRIFT_BAD;
    }
    return parse(path, text, size, drift_ppm, error);
}

size_t drift_text(double drift_ppm, char text[DRIFT_TEXT_SIZE])
{
    g_ascii_formatd(text, DRIFT_TEXT_SIZE - 1, "%.6f", drift_ppm);
    size_t size = strlen(text);
    text[size] = '\n';
    text[size + 1] = '\0';
    return size + 1;
}
