/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Words to values: numbers, durations, frequencies, shares, addresses, and the nearest known word.
 * The same in every locale; never guesses a unit.
 */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "lexer.h"

/* A unit's size is a quotient, so that 12ms is 12 / 1000 and thereby the double nearest to
 * 0.012. */
struct unit {
    const char *name;
    double multiply, divide;
};

/* From the longest to the shortest: parts of a duration are joined in this order. */
static const struct unit time_units[] = {
    {"w", 604800, 1}, {"d", 86400, 1}, {"h", 3600, 1}, {"min", 60, 1}, {"m", 60, 1},
    {"s", 1, 1},      {"ms", 1, 1e3},  {"us", 1, 1e6}, {"ns", 1, 1e9}, {NULL, 0, 0}};

static const struct unit frequency_units[] = {{"ppm", 1, 1e6}, {"ppb", 1, 1e9}, {NULL, 0, 0}};

/* Digits with at most one point and an exponent; no sign, no "inf", "nan" or hexadecimal form.
 * Returns where it ends; NULL when there is none. An 'e' without digits after it is left for the
 * unit. */
static const char *take_decimal(const char *text, double *out)
{
    const char *at = text;
    unsigned digits = 0;
    for (; g_ascii_isdigit(*at); at++) {
        digits++;
    }
    if (*at == '.') {
        for (at++; g_ascii_isdigit(*at); at++) {
            digits++;
        }
    }
    if (digits == 0) {
        return NULL;
    }
    if (*at == 'e' || *at == 'E') {
        const char *power = at + 1 + (at[1] == '-' || at[1] == '+');
        if (g_ascii_isdigit(*power)) {
            for (at = power; g_ascii_isdigit(*at); at++) {
            }
        }
    }
    *out = g_ascii_strtod(text, NULL);
    return isfinite(*out) ? at : NULL;
}

static const char *take_sign(const char *text, double *sign)
{
    *sign = *text == '-' ? -1 : 1;
    return text + (*text == '-' || *text == '+');
}

bool parse_integer(const char *text, long *out)
{
    const char *digits = text + (*text == '-');
    if (!*digits || strspn(digits, "0123456789") != strlen(digits)) {
        return false;
    }
    errno = 0;
    gint64 value = g_ascii_strtoll(text, NULL, 10);
    if (errno != 0 || value < LONG_MIN || value > LONG_MAX) {
        return false;
    }
    *out = (long)value;
    return true;
}

bool parse_number(const char *text, double *out)
{
    double sign, value;
    const char *end = take_decimal(take_sign(text, &sign), &value);
    if (!end || *end) {
        return false;
    }
    *out = sign * value;
    return true;
}

/* The unit whose name is the whole run of letters at `text`. */
static const struct unit *find_unit(const struct unit *units, const char *text, size_t *size)
{
    for (*size = 0; g_ascii_isalpha(text[*size]); ++*size) {
    }
    for (const struct unit *unit = units; unit->name; unit++) {
        if (strlen(unit->name) == *size && strncmp(unit->name, text, *size) == 0) {
            return unit;
        }
    }
    return NULL;
}

/* Sums parts, each a number and a unit smaller than the one before it; `parts_max` of them. */
static bool parse_with_units(const char *text, const struct unit *units, unsigned parts_max,
                             double *out)
{
    double sign, number, sum = 0;
    const char *at = take_sign(text, &sign);
    double before = INFINITY;
    for (unsigned parts = 0; *at || parts == 0; parts++) {
        size_t size;
        at = take_decimal(at, &number);
        if (!at || parts == parts_max) {
            return false;
        }
        if (parts == 0 && !*at && number == 0) {
            *out = 0;
            return true;
        }
        const struct unit *unit = find_unit(units, at, &size);
        if (!unit || unit->multiply / unit->divide >= before) {
            return false;
        }
        before = unit->multiply / unit->divide;
        sum += number * unit->multiply / unit->divide;
        at += size;
    }
    if (!isfinite(sum)) {
        return false;
    }
    *out = sign * sum;
    return true;
}

bool parse_duration(const char *text, double *out)
{
    return parse_with_units(text, time_units, UINT_MAX, out);
}

bool parse_frequency(const char *text, double *out)
{
    return parse_with_units(text, frequency_units, 1, out);
}

bool parse_share(const char *text, double *out)
{
    double value;
    const char *end = take_decimal(text, &value);
    if (!end || (*end && strcmp(end, "%") != 0)) {
        return false;
    }
    value = *end ? value / 100 : value;
    if (value > 1) {
        return false;
    }
    *out = value;
    return true;
}

static void complain_expected(const struct line *line, unsigned index, struct messages *messages,
                              const char *what, const char *range)
{
    if (index >= line->count) {
        line_error(line, line->count, messages, "expected %s%s, but the line ends here", what,
                   range);
    } else {
        line_error(line, index, messages, "expected %s%s, not \"%s\"", what, range,
                   line->words[index].text);
    }
}

/* " from LOW to HIGH", with the unit after each; a bound that binds nobody is left out. */
static char *range_text(double low, double high, const char *unit)
{
    const double nobody = 1e15;
    char low_text[G_ASCII_DTOSTR_BUF_SIZE], high_text[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(low_text, sizeof low_text, "%.10g", low);
    g_ascii_formatd(high_text, sizeof high_text, "%.10g", high);
    if (low <= -nobody && high >= nobody) {
        return g_strdup("");
    }
    if (high >= nobody) {
        return g_strdup_printf(" of at least %s%s", low_text, unit);
    }
    if (low <= -nobody) {
        return g_strdup_printf(" of at most %s%s", high_text, unit);
    }
    return g_strdup_printf(" from %s%s to %s%s", low_text, unit, high_text, unit);
}

bool line_integer(const struct line *line, unsigned index, long low, long high, long *out,
                  struct messages *messages)
{
    long value;
    if (index < line->count && parse_integer(line->words[index].text, &value) && value >= low &&
        value <= high) {
        *out = value;
        return true;
    }
    char *range = range_text((double)low, (double)high, "");
    complain_expected(line, index, messages, "a whole number", range);
    g_free(range);
    return false;
}

/* A real value of any kind: what it is called, how it is read, and the unit that its range is told
 * in, with that unit's size. */
struct real_kind {
    const char *what, *unit;
    double scale;
    bool (*parse)(const char *text, double *out);
};

static const struct real_kind plain = {"a number", "", 1, parse_number};
static const struct real_kind duration = {"a duration such as 12ms or 7d12h", " s", 1,
                                          parse_duration};
static const struct real_kind frequency = {"a frequency such as 1.5ppm or 20ppb", " ppm", 1e6,
                                           parse_frequency};

static bool line_real(const struct line *line, unsigned index, double low, double high, double *out,
                      const struct real_kind *kind, struct messages *messages)
{
    double value;
    if (index < line->count && kind->parse(line->words[index].text, &value) && value >= low &&
        value <= high) {
        *out = value;
        return true;
    }
    char *range = range_text(low * kind->scale, high * kind->scale, kind->unit);
    complain_expected(line, index, messages, kind->what, range);
    g_free(range);
    return false;
}

bool line_number(const struct line *line, unsigned index, double low, double high, double *out,
                 struct messages *messages)
{
    return line_real(line, index, low, high, out, &plain, messages);
}

bool line_duration(const struct line *line, unsigned index, double low, double high, double *out,
                   struct messages *messages)
{
    return line_real(line, index, low, high, out, &duration, messages);
}

bool line_frequency(const struct line *line, unsigned index, double low, double high, double *out,
                    struct messages *messages)
{
    return line_real(line, index, low, high, out, &frequency, messages);
}

bool line_share(const struct line *line, unsigned index, double *out, struct messages *messages)
{
    if (index < line->count && parse_share(line->words[index].text, out)) {
        return true;
    }
    complain_expected(line, index, messages, "a share such as 30% or 0.3", "");
    return false;
}

bool line_address(const struct line *line, unsigned index, struct address *out,
                  struct messages *messages)
{
    if (index < line->count && address_parse(line->words[index].text, out)) {
        return true;
    }
    complain_expected(line, index, messages, "an IPv4 or IPv6 address", "");
    return false;
}

bool line_refuses_zone(const struct line *line, unsigned index, const char *cure,
                       struct messages *messages)
{
    const char *text = line->words[index].text;
    const char *start = text + (*text == '['), *zone = strchr(start, '%');
    struct address address;
    if (!zone) {
        return false;
    }
    char *before = g_strndup(start, (gsize)(zone - start));
    bool is_address = address_parse(before, &address);
    g_free(before);
    if (!is_address) {
        return false;
    }
    int size = (int)strcspn(zone, "]/:");
    if (address.family == ADDRESS_V4) {
        line_error(line, index, messages,
                   "\"%s\": an IPv4 address has no zone (%.*s); leave it out", text, size, zone);
    } else {
        line_error(line, index, messages, "\"%s\": a zone (%.*s) is not supported; %s", text, size,
                   zone, cure);
    }
    return true;
}

enum { WORD_COMPARED_MAX = 40 };

/* Edit distance with insertions, deletions, replacements and swapped neighbours (letters that
 * changed places are one slip, not two); both at most WORD_COMPARED_MAX long. */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned rows[3][WORD_COMPARED_MAX + 1];
    unsigned *older = rows[0], *last = rows[1], *row = rows[2];
    size_t size = strlen(b);
    for (size_t j = 0; j <= size; j++) {
        last[j] = (unsigned)j;
    }
    for (size_t i = 1; a[i - 1]; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= size; j++) {
            bool same = g_ascii_tolower(a[i - 1]) == g_ascii_tolower(b[j - 1]);
            unsigned best = MIN(last[j], row[j - 1]) + 1;
            best = MIN(best, last[j - 1] + !same);
            if (i > 1 && j > 1 && g_ascii_tolower(a[i - 1]) == g_ascii_tolower(b[j - 2]) &&
                g_ascii_tolower(a[i - 2]) == g_ascii_tolower(b[j - 1])) {
                best = MIN(best, older[j - 2] + 1);
            }
            row[j] = best;
        }
        unsigned *free_row = older;
        older = last;
        last = row;
        row = free_row;
    }
    return last[size];
}

const char *nearest_word(const char *text, const char *const *known)
{
    size_t size = strlen(text);
    if (size > WORD_COMPARED_MAX) {
        return NULL;
    }
    const char *best = NULL;
    unsigned limit = 1 + (unsigned)size / 4;
    for (; *known; known++) {
        if (strlen(*known) > WORD_COMPARED_MAX) {
            continue;
        }
        unsigned distance = edit_distance(text, *known);
        if (distance <= limit) {
            best = *known;
            if (distance == 0) {
                break;
            }
            limit = distance - 1;
        }
    }
    return best;
}
