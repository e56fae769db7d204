/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words after a directive, by table: name, value, range, what we do with it and where it goes.
 *
 * One row serves the reader, the help page and the tests, so that they cannot disagree.
 */
#ifndef HOLDFAST_SETTING_H
#define HOLDFAST_SETTING_H

#include <stdbool.h>
#include <stddef.h>

#include "lexer.h"

enum support {
    SUPPORT_FULL,
    SUPPORT_NO_EFFECT, /* a warning */
    SUPPORT_ERROR      /* without it the configuration would mean something else: an error */
};

enum setting_kind {
    SETTING_FLAG,    /* the name alone */
    SETTING_INTEGER, /* a whole number follows */
    SETTING_NUMBER,  /* a real number without unit follows */
    SETTING_WORD     /* any word follows */
};

enum setting_store {
    STORE_NOTHING,
    STORE_TRUE,  /* bool */
    STORE_FALSE, /* bool */
    STORE_BITS,  /* uint16_t: `bits` are set in it */
    STORE_I8,
    STORE_U8,
    STORE_I16,
    STORE_U16,
    STORE_U32,
    STORE_DOUBLE,
    STORE_WORD /* const char *, living as long as the strings given to settings_read() */
};

struct setting {
    const char *name;
    enum setting_kind kind;
    enum support support;
    const char *example; /* a value that loads; NULL for a flag */
    double low, high;    /* of a number */
    enum setting_store store;
    unsigned bits;
    size_t offset;    /* in the struct that settings_read() fills */
    const char *help; /* why not, for one without full support */
};

struct settings {
    const char *of; /* the directive, as messages name it */
    const struct setting *table;
    size_t count;
};

/* Reads the words of the line from `index` to its end into *base. Complains about unknown words
 * (with the nearest known one), missing or wrong values, words given twice and words without
 * effect; false when there was an error. */
bool settings_read(const struct settings *settings, const struct line *line, unsigned index,
                   void *base, GStringChunk *strings, struct messages *messages);

/* The row of that name, or NULL. */
const struct setting *setting_find(const struct settings *settings, const char *name);

/* Complains that word `index` of the line is none of the table's, with the nearest that is. */
void setting_unknown(const struct settings *settings, const char *of, const struct line *line,
                     unsigned index, struct messages *messages);

/* Says what it means that `name`, word `index` of the line, has no full support. False for an
 * error. */
bool support_complain(enum support support, const char *name, const char *why,
                      const struct line *line, unsigned index, struct messages *messages);

#endif
