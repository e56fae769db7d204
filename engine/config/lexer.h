/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines, words, units and messages: what ntp.conf and the scenario language have in common.
 *
 * A file becomes lines of words, each word with its line and column; '#' starts a comment at the
 * start of a word; double quotes keep blanks together. Every complaint is collected as
 * "FILE:LINE:COLUMN: text" with its severity, so that a caller can print all of them and decide.
 * GLib is used; nothing is printed here and nothing exits. Input limits: 1 MiB per file, 1023 bytes
 * per line, no NUL and no other control byte than tab, CR at line end and newline; words, not
 * comments, are UTF-8. Columns count bytes from 1.
 */
#ifndef HOLDFAST_LEXER_H
#define HOLDFAST_LEXER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "../address.h"
#include "messages.h"

enum { FILE_SIZE_MAX = 1 << 20, LINE_SIZE_MAX = 1023 };

struct word {
    const char *text; /* without quotes */
    unsigned column;
    bool is_quoted;
};

struct line {
    const char *file; /* owned by the lines */
    unsigned number;
    unsigned count;
    struct word *words; /* count of them, then one with text NULL, just after the last */
};

struct lines {
    unsigned count;
    struct line *lines; /* empty lines are left out */
    bool is_text;       /* false: some byte is none of a text; there are no lines then */
    void *storage;
};

/* Splits text (size bytes, not necessarily NUL-terminated). A malformed line is an error message
 * and is left out; a byte that no text holds is one error message, and nothing is read then. Never
 * NULL. */
struct lines *lines_split(const char *file, const char *text, size_t size,
                          struct messages *messages);

/* Reads a regular file whole and splits it; NULL with an error message when it cannot be read, is
 * no regular file or is too large. `from` (may be NULL) is the line that named it, for the
 * message. */
struct lines *lines_read(const char *path, const struct line *from, struct messages *messages);

void lines_free(struct lines *lines);

/* Complains about word `index` of the line (index may be count: the end of the line). */
void line_error(const struct line *line, unsigned index, struct messages *messages,
                const char *format, ...) G_GNUC_PRINTF(4, 5);
void line_warning(const struct line *line, unsigned index, struct messages *messages,
                  const char *format, ...) G_GNUC_PRINTF(4, 5);
void line_note(const struct line *line, unsigned index, struct messages *messages,
               const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Says that the file `path` cannot be read and why: at the word of `from` (the line that names it)
 * with which the path ends, else at its first argument; about the file itself when from is NULL. */
void line_unreadable(const struct line *from, const char *path, const char *why,
                     struct messages *messages);

/* Values. Each takes word `index`, complains with its column when it is missing, malformed or out
 * of [low, high] ("expected ... from LOW to HIGH, not "...""), and returns false then, leaving *out
 * alone. Locale never matters. */
bool line_integer(const struct line *line, unsigned index, long low, long high, long *out,
                  struct messages *messages);

/* A plain real number without unit. */
bool line_number(const struct line *line, unsigned index, double low, double high, double *out,
                 struct messages *messages);

/* A duration: a number with ns us ms s min m h d w, several joined from the longest unit to the
 * shortest ("7d12h", "1h30m"), a sign in front; seconds out. A bare number is an error here except
 * 0. */
bool line_duration(const struct line *line, unsigned index, double low, double high, double *out,
                   struct messages *messages);

/* A frequency: a number with ppb or ppm; s/s out. Bare numbers other than 0 are an error. */
bool line_frequency(const struct line *line, unsigned index, double low, double high, double *out,
                    struct messages *messages);

/* A share: "30%" or "0.3"; 0 ... 1 out. */
bool line_share(const struct line *line, unsigned index, double *out, struct messages *messages);

/* A numeric address. */
bool line_address(const struct line *line, unsigned index, struct address *out,
                  struct messages *messages);

/* True, having complained, when the word is an address with a zone (RFC 4007: "fe80::1%eth0",
 * "[fe80::1%eth0]:9123"), which struct address has no room for; `cure` ends the sentence about one
 * of IPv6. */
bool line_refuses_zone(const struct line *line, unsigned index, const char *cure,
                       struct messages *messages);

/* The pure halves of the above, for tests: text to value; false when it is not one. */
bool parse_integer(const char *text, long *out);
bool parse_number(const char *text, double *out);
bool parse_duration(const char *text, double *out);
bool parse_frequency(const char *text, double *out);
bool parse_share(const char *text, double *out);

/* The member of `known` (NULL-terminated) nearest to `text` by edit distance (letter case apart),
 * the first of several, when it is near enough to be a slip (distance at most 1 + length / 4); else
 * NULL. */
const char *nearest_word(const char *text, const char *const *known);

#endif
