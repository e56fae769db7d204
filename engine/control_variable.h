/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Variables of mode 6 as rows of a table: where a value lies in a struct, and how it is written.
 *
 * A value that is not there (a NULL string, a NAN, an address of no family) is left out of the
 * full list, and asking for it by name is asking for an unknown variable. Knows no engine.
 */
#ifndef HOLDFAST_CONTROL_VARIABLE_H
#define HOLDFAST_CONTROL_VARIABLE_H

#include "control_request.h"
#include "control_text.h"
#include "filter.h"

enum variable_kind {
    VARIABLE_WORD,     /* const char *, as it is */
    VARIABLE_QUOTED,   /* const char *, in quotes */
    VARIABLE_COUNT,    /* uint64_t */
    VARIABLE_INTEGER,  /* int64_t */
    VARIABLE_HEX,      /* uint64_t, behind 0x */
    VARIABLE_REAL,     /* double, `digits` behind the point */
    VARIABLE_REALS,    /* double[FILTER_STAGES], the same with blanks between */
    VARIABLE_TIME,     /* ntp_time */
    VARIABLE_ADDRESS,  /* struct address */
    VARIABLE_ENDPOINT, /* struct endpoint */
    VARIABLE_REFID     /* struct variable_refid */
};

/* Shown as characters where it is a name, else as a dotted quad. */
struct variable_refid {
    uint32_t refid;
    bool is_name; /* its four octets are meant as characters */
};

/* A name as a reference id, padded with 0 where it is shorter. */
#define REFID_OF(a, b, c, d)                                                                       \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

struct control_variable {
    const char *name;
    enum variable_kind kind;
    unsigned digits;
    bool is_listed; /* in an answer to a request that names none */
    size_t offset;  /* of the value in the struct */
};

/* Writes the variables that the request's data names, in its order, or all that are listed when it
 * names none, and ends the text as ntpd does; those without a value (NULL, NAN, ADDRESS_NONE) are
 * left out. CONTROL_UNKNOWN_VARIABLE when a name is in no row, or none of those named has a
 * value. */
enum control_fault control_variable_list(const struct control_variable *rows, size_t count,
                                         const void *values, const struct control_request *request,
                                         struct control_text *text);

#endif
