/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The list of leap seconds: see leap_file.h. Tells nobody and opens nothing else.
 *
 * Lines: "#$ UPDATED", "#@ EXPIRES", "#h" and five words of a SHA-1, other comments, and
 * "FROM TAI-UTC # comment", times in seconds of NTP's era 0, which do not wrap here. The hash is
 * over the digits of all of these in the order of the file, without white space.
 */
#include "leap_file.h"

#include <glib.h>
#include <nettle/sha1.h>
#include <string.h>

#include "../config/text_file.h"
#include "../packet.h"

enum { FILE_SIZE_MAX = 64 * 1024, HASH_WORDS = 5, TAI_MAX_S = 200, NEXT_TO_S = 2, DAY_S = 86400 };

#define UNIX_EPOCH_S INT64_C(2208988800) /* in NTP's era 0 */

struct leap_reader {
    struct leap_file *out;
    struct sha1_ctx sum;
    uint8_t hash[SHA1_DIGEST_SIZE];
    bool has_hash, has_expiry;
};

static bool take_number(const char *word, guint64 most, guint64 *number)
{
    return word && g_ascii_string_to_unsigned(word, 10, 0, most, number, NULL);
}

static void add_to_sum(struct leap_reader *reader, const char *word)
{
    sha1_update(&reader->sum, strlen(word), (const uint8_t *)word);
}

static bool take_row(struct leap_reader *reader, char **words)
{
    struct leap_file *out = reader->out;
    guint64 from_s, tai_s;
    if (out->count == LEAP_ROWS_MAX || !take_number(words[0], G_MAXINT64 / 2, &from_s) ||
        !take_number(words[1], TAI_MAX_S, &tai_s) || (words[2] && *words[2] != '#')) {
        return false;
    }
    add_to_sum(reader, words[0]);
    add_to_sum(reader, words[1]);
    out->rows[out->count].from_s = (int64_t)from_s - UNIX_EPOCH_S;
    out->rows[out->count].tai_s = (int32_t)tai_s;
    bool is_later =
        out->count == 0 || out->rows[out->count].from_s > out->rows[out->count - 1].from_s;
    out->count++;
    return is_later;
}

/* A word of the hash may lack leading zeros. */
static bool take_hash(struct leap_reader *reader, char **words)
{
    for (unsigned i = 0; i < HASH_WORDS; i++) {
        guint64 word;
        if (!words[i] || !g_ascii_string_to_unsigned(words[i], 16, 0, G_MAXUINT32, &word, NULL)) {
            return false;
        }
        for (unsigned byte = 0; byte < 4; byte++) {
            reader->hash[4 * i + byte] = (uint8_t)(word >> (24 - 8 * byte));
        }
    }
    reader->has_hash = true;
    return !words[HASH_WORDS];
}

static bool take_line(struct leap_reader *reader, char **words)
{
    guint64 number;
    if (!words[0]) {
        return true;
    }
    if (strcmp(words[0], "#h") == 0) {
        return take_hash(reader, words + 1);
    }
    if (strcmp(words[0], "#$") != 0 && strcmp(words[0], "#@") != 0) {
        return *words[0] == '#' || take_row(reader, words);
    }
    if (!take_number(words[1], G_MAXINT64 / 2, &number)) {
        return false;
    }
    add_to_sum(reader, words[1]);
    if (words[0][1] == '@') {
        reader->out->expires_s = (int64_t)number - UNIX_EPOCH_S;
        reader->has_expiry = true;
    }
    return true;
}

/* The words of a line, without the empty ones that repeated blanks make. */
static char **split(const char *line)
{
    char **words = g_strsplit_set(line, " \t\r", -1);
    size_t kept = 0;
    for (size_t i = 0; words[i]; i++) {
        if (*words[i]) {
            words[kept++] = words[i];
        } else {
            g_free(words[i]);
        }
    }
    words[kept] = NULL;
    return words;
}

/* NULL, or what is wrong; g_free() it. */
static char *parse(struct leap_reader *reader, const char *text)
{
    uint8_t sum[SHA1_DIGEST_SIZE];
    char **lines = g_strsplit(text, "\n", -1);
    char *wrong = NULL;
    for (unsigned i = 0; lines[i] && !wrong; i++) {
        char **words = split(lines[i]);
        if (!take_line(reader, words)) {
            wrong = g_strdup_printf("line %u is none of a list of leap seconds", i + 1);
        }
        g_strfreev(words);
    }
    g_strfreev(lines);
    sha1_digest(&reader->sum, sizeof sum, sum);
    if (!wrong && (reader->out->count == 0 || !reader->has_expiry)) {
        wrong = g_strdup("it is no list of leap seconds");
    }
    if (!wrong && (!reader->has_hash || memcmp(sum, reader->hash, sizeof sum) != 0)) {
        wrong = g_strdup(reader->has_hash ? "its hash is wrong" : "it has no hash (#h)");
    }
    return wrong;
}

bool leap_file_read(const char *path, struct leap_file *out, char **error)
{
    struct leap_reader reader = {.out = out};
    struct text_file file;
    *out = (struct leap_file){.count = 0};
    *error = text_file_read(path, FILE_SIZE_MAX, &file);
    if (*error) {
        return false;
    }
    sha1_init(&reader.sum);
    *error = parse(&reader, file.text);
    text_file_clear(&file);
    if (*error) {
        *out = (struct leap_file){.count = 0};
    }
    return !*error;
}

int32_t leap_file_tai(const struct leap_file *file, int64_t unix_s)
{
    int32_t tai_s = 0;
    for (unsigned i = 0; i < file->count && file->rows[i].from_s - NEXT_TO_S <= unix_s; i++) {
        tai_s = unix_s < file->rows[i].from_s + NEXT_TO_S ? 0 : file->rows[i].tai_s;
    }
    return tai_s;
}

/* Whether a row begins with a leap second before it. */
static bool is_leap(const struct leap_file *file, unsigned row, struct leap_second *leap)
{
    int32_t more_s = file->rows[row].tai_s - file->rows[row - 1].tai_s;
    *leap = (struct leap_second){.at_s = file->rows[row].from_s,
                                 .kind = more_s == 1 ? LEAP_INSERT : LEAP_DELETE};
    return (more_s == 1 || more_s == -1) && leap->at_s % DAY_S == 0;
}

struct leap_list leap_file_leaps(const struct leap_file *file)
{
    struct leap_list list = {.expires_s = file->expires_s};
    struct leap_second leap;
    unsigned first = file->count;
    for (unsigned found = 0; first > 1 && found < LEAPS_MAX; first--) {
        found += is_leap(file, first - 1, &leap);
    }
    for (unsigned row = first; row < file->count; row++) {
        if (is_leap(file, row, &leap)) {
            list.leaps[list.count++] = leap;
        }
    }
    return list;
}
