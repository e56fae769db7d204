/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Complaints about what was read: collected in order with file, line, column and severity, so that
 * a caller can print all of them and decide. Nothing is printed here and nothing exits.
 */
#ifndef HOLDFAST_MESSAGES_H
#define HOLDFAST_MESSAGES_H

#include <glib.h>
#include <stdarg.h>

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };

struct message {
    enum severity severity;
    char *file;            /* as given by the user; both texts as messages_add() makes them */
    unsigned line, column; /* from 1, the column in bytes; 0 = the whole file, the whole line */
    char *text;
};

/* Where in the files something stands; file NULL = nowhere. */
struct place {
    const char *file; /* as opened */
    unsigned line, column;
};

/* All that was said about one load, in order. */
struct messages {
    GPtrArray *list; /* of struct message * */
    unsigned errors, warnings;
};

struct messages *messages_new(void);
void messages_free(struct messages *messages);

/* Appends one message; the text is formatted at once and everything is copied. What a terminal
 * would not print as it is (controls, bytes that are no UTF-8) is written as \xNN. */
void messages_add(struct messages *messages, enum severity severity, const char *file,
                  unsigned line, unsigned column, const char *format, ...) G_GNUC_PRINTF(6, 7);
void messages_add_list(struct messages *messages, enum severity severity, const char *file,
                       unsigned line, unsigned column, const char *format, va_list arguments)
    G_GNUC_PRINTF(6, 0);

/* Puts the messages from `first` on in the order of their files (as they first appear) and lines;
 * those of one line, and those of a whole file before its lines, stay as they came. */
void messages_sort(struct messages *messages, unsigned first);

/* "FILE:LINE:COLUMN: " for the front of a text, "" for nowhere. Free with g_free(). */
char *place_text(const struct place *place);

/* "FILE:LINE:COLUMN: error: text"; column and line left out when 0. Free with g_free(). */
char *message_text(const struct message *message);

#endif
