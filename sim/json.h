/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON text, written from front to back. Right for any bytes and any double; reads nothing.
 */
#ifndef HOLDFAST_JSON_H
#define HOLDFAST_JSON_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct json {
    GString *out;
    unsigned depth;
    bool has_member; /* of the innermost object or array: a comma is due */
};

/* Begins an object; json_end() gives its text (g_free() it) and closes it. */
struct json json_begin(void);
char *json_end(struct json *json);

/* Members: `name` is NULL inside an array. A number that is not finite is written as null, as is
 * NULL text; bytes that are not UTF-8 become U+FFFD. */
void json_open(struct json *json, const char *name, char bracket); /* '{' or '[' */
void json_close(struct json *json, char bracket);                  /* '}' or ']' */
void json_text(struct json *json, const char *name, const char *text);
void json_number(struct json *json, const char *name, double value);
void json_integer(struct json *json, const char *name, int64_t value);
void json_unsigned(struct json *json, const char *name, uint64_t value);
void json_bool(struct json *json, const char *name, bool value);
void json_null(struct json *json, const char *name);

#endif
