/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Variables of mode 6 as rows of a table: see control_variable.h.
 */
#include "control_variable.h"

#include <math.h>
#include <string.h>

/* The value of a row as its type says; the struct holds exactly that at the offset. */
#define VALUE(type) (*(const type *)value)

static bool is_there(const struct control_variable *row, const void *value)
{
    switch (row->kind) {
    case VARIABLE_WORD:
    case VARIABLE_QUOTED:
        return VALUE(char *) != NULL;
    case VARIABLE_REAL:
        return !isnan(VALUE(double));
    case VARIABLE_ENDPOINT:
        return VALUE(struct endpoint).address.family != ADDRESS_NONE;
    default:
        return true;
    }
}

static void put_refid(struct control_text *text, const struct variable_refid *id)
{
    char name[5] = {(char)(id->refid >> 24), (char)(id->refid >> 16), (char)(id->refid >> 8),
                    (char)id->refid, '\0'};
    size_t length = strlen(name);
    bool is_name = id->is_name && length > 0;
    for (size_t i = 0; i < length; i++) {
        is_name = is_name && name[i] > ' ' && name[i] <= '~' && name[i] != ',' && name[i] != '"';
    }
    if (is_name) {
        control_text_plain(text, name);
        return;
    }
    for (int shift = 24; shift >= 0; shift -= 8) {
        control_text_count(text, id->refid >> shift & 0xFF);
        control_text_plain(text, shift > 0 ? "." : "");
    }
}

static void put_reals(struct control_text *text, const double *values, unsigned digits)
{
    for (int i = 0; i < FILTER_STAGES; i++) {
        control_text_plain(text, i > 0 ? " " : "");
        control_text_real(text, values[i], digits);
    }
}

static void put_value(struct control_text *text, const struct control_variable *row,
                      const void *value)
{
    switch (row->kind) {
    case VARIABLE_WORD:
        control_text_plain(text, VALUE(char *));
        break;
    case VARIABLE_QUOTED:
        control_text_quoted(text, VALUE(char *));
        break;
    case VARIABLE_COUNT:
        control_text_count(text, VALUE(uint64_t));
        break;
    case VARIABLE_INTEGER:
        control_text_integer(text, VALUE(int64_t));
        break;
    case VARIABLE_HEX:
        control_text_plain(text, "0x");
        control_text_hex(text, VALUE(uint64_t), row->digits);
        break;
    case VARIABLE_REAL:
        control_text_real(text, VALUE(double), row->digits);
        break;
    case VARIABLE_REALS:
        put_reals(text, &VALUE(double), row->digits);
        break;
    case VARIABLE_TIME:
        control_text_time(text, VALUE(ntp_time));
        break;
    case VARIABLE_ADDRESS:
        control_text_address(text, &VALUE(struct address));
        break;
    case VARIABLE_ENDPOINT:
        control_text_endpoint(text, &VALUE(struct endpoint));
        break;
    case VARIABLE_REFID:
        put_refid(text, &VALUE(struct variable_refid));
        break;
    }
}

/* A variable without a value is left out, as ntpd does it: ntpq shows what there is, where an error
 * would make it ask again for each of a list. */
static bool put_row(struct control_text *text, const struct control_variable *row,
                    const void *values)
{
    const void *value = (const uint8_t *)values + row->offset;
    if (!is_there(row, value)) {
        return false;
    }
    control_text_name(text, row->name);
    put_value(text, row, value);
    return true;
}

static const struct control_variable *find(const struct control_variable *rows, size_t count,
                                           const struct control_span *name)
{
    for (size_t i = 0; i < count; i++) {
        if (control_span_is(name, rows[i].name)) {
            return &rows[i];
        }
    }
    return NULL;
}

enum control_fault control_variable_list(const struct control_variable *rows, size_t count,
                                         const void *values, const struct control_request *request,
                                         struct control_text *text)
{
    struct control_span rest = {request->data, request->size};
    struct control_span name, value;
    bool names_any = false, puts_any = false;
    while (control_request_item(&rest, &name, &value)) {
        const struct control_variable *row = find(rows, count, &name);
        if (!row) {
            return CONTROL_UNKNOWN_VARIABLE;
        }
        puts_any = put_row(text, row, values) || puts_any;
        names_any = true;
    }
    if (names_any && !puts_any) {
        return CONTROL_UNKNOWN_VARIABLE;
    }
    for (size_t i = 0; i < count && !names_any; i++) {
        if (rows[i].is_listed) {
            (void)put_row(text, &rows[i], values);
        }
    }
    control_text_plain(text, "\r\n");
    return CONTROL_FINE;
}
