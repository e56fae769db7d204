/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON text; see json.h. The outer two levels have a line per member, what lies deeper stays on
 * one.
 */
#include "json.h"

#include <math.h>
#include <string.h>

static void quote(GString *out, const char *text)
{
    char *valid = g_utf8_make_valid(text, -1);
    g_string_append_c(out, '"');
    for (const char *c = valid; *c; c++) {
        if (*c == '"' || *c == '\\') {
            g_string_append_printf(out, "\\%c", *c);
        } else if ((unsigned char)*c < 0x20) {
            g_string_append_printf(out, "\\u%04x", (unsigned)*c);
        } else {
            g_string_append_c(out, *c);
        }
    }
    g_string_append_c(out, '"');
    g_free(valid);
}

static void new_line(struct json *json)
{
    g_string_append_c(json->out, '\n');
    for (unsigned i = 0; i < json->depth; i++) {
        g_string_append(json->out, "  ");
    }
}

/* The comma, line and name before a member. */
static void begin_member(struct json *json, const char *name)
{
    if (json->has_member) {
        g_string_append_c(json->out, ',');
    }
    if (json->depth <= 2) {
        new_line(json);
    } else if (json->has_member) {
        g_string_append_c(json->out, ' ');
    }
    if (name) {
        quote(json->out, name);
        g_string_append(json->out, ": ");
    }
    json->has_member = true;
}

struct json json_begin(void)
{
    return (struct json){g_string_new("{"), 1, false};
}

char *json_end(struct json *json)
{
    g_string_append(json->out, "\n}\n");
    return g_string_free(json->out, FALSE);
}

void json_open(struct json *json, const char *name, char bracket)
{
    begin_member(json, name);
    g_string_append_c(json->out, bracket);
    json->depth++;
    json->has_member = false;
}

void json_close(struct json *json, char bracket)
{
    json->depth--;
    if (json->has_member && json->depth < 2) {
        new_line(json);
    }
    g_string_append_c(json->out, bracket);
    json->has_member = true;
}

void json_text(struct json *json, const char *name, const char *text)
{
    if (!text) {
        json_null(json, name);
        return;
    }
    begin_member(json, name);
    quote(json->out, text);
}

void json_number(struct json *json, const char *name, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    if (!isfinite(value)) {
        json_null(json, name);
        return;
    }
    /* The fewest digits that read back as the same number: 15, else 17. */
    g_ascii_formatd(text, sizeof text, "%.15g", value);
    double back = g_ascii_strtod(text, NULL);
    if (back < value || back > value) {
        g_ascii_formatd(text, sizeof text, "%.17g", value);
    }
    begin_member(json, name);
    g_string_append(json->out, text);
}

void json_integer(struct json *json, const char *name, int64_t value)
{
    begin_member(json, name);
    g_string_append_printf(json->out, "%" G_GINT64_FORMAT, value);
}

void json_unsigned(struct json *json, const char *name, uint64_t value)
{
    begin_member(json, name);
    g_string_append_printf(json->out, "%" G_GUINT64_FORMAT, value);
}

void json_bool(struct json *json, const char *name, bool value)
{
    begin_member(json, name);
    g_string_append(json->out, value ? "true" : "false");
}

void json_null(struct json *json, const char *name)
{
    begin_member(json, name);
    g_string_append(json->out, "null");
}
