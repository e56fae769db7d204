/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A mode 6 request (RFC 9327 section 2): its header, and the items of its data, "name" or
 * "name=value" with commas between them.
 *
 * Total over any bytes, like packet_parse(): one verdict, and nothing outside the datagram is read.
 */
#ifndef HOLDFAST_CONTROL_REQUEST_H
#define HOLDFAST_CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "timestamp.h"

enum control_operation {
    CONTROL_OP_READSTAT = 1,
    CONTROL_OP_READVAR = 2,
    CONTROL_OP_WRITEVAR = 3,
    CONTROL_OP_READCLOCK = 4,
    CONTROL_OP_WRITECLOCK = 5,
    CONTROL_OP_SETTRAP = 6,
    CONTROL_OP_CONFIGURE = 8,
    CONTROL_OP_SAVECONFIG = 9,
    CONTROL_OP_READ_MRU = 10,
    CONTROL_OP_READ_ORDLIST = 11,
    CONTROL_OP_REQ_NONCE = 12,
    CONTROL_OP_UNSETTRAP = 31
};

/* Codes of an error response (RFC 9327 section 3, its code 0 is never used here). */
enum control_fault {
    CONTROL_FINE = 0,
    CONTROL_PERMISSION = 1,
    CONTROL_BAD_FORMAT = 2,
    CONTROL_BAD_OPCODE = 3,
    CONTROL_BAD_ASSOCIATION = 4,
    CONTROL_UNKNOWN_VARIABLE = 5,
    CONTROL_BAD_VALUE = 6,
    CONTROL_PROHIBITED = 7, /* by others; here that is CONTROL_PERMISSION */
    CONTROL_SILENCE = 255   /* no answer at all */
};

struct control_request {
    uint8_t version, opcode;
    uint16_t sequence, association;
    const uint8_t *data;
    size_t size; /* of data */
};

/* False when the bytes are no request that could be answered: shorter than the header, another
 * mode, a version other than 1 to 4, marked as response, error or fragment. *fault is
 * CONTROL_BAD_FORMAT when the data is not all there or longer than a fragment may be; else
 * CONTROL_FINE. */
bool control_request_parse(const uint8_t *bytes, size_t size, struct control_request *request,
                           enum control_fault *fault);

/* A span of the request's data, without the white space around it. */
struct control_span {
    const uint8_t *bytes;
    size_t size;
};

/* Takes the next item off the front of `rest`; false when none is left. Empty items are passed
 * over. Without '=' the value is empty. */
bool control_request_item(struct control_span *rest, struct control_span *name,
                          struct control_span *value);

bool control_span_is(const struct control_span *span, const char *text);

/* "stem.7" -> 7; false when the span is anything else or the number above `most`. */
bool control_span_index(const struct control_span *span, const char *stem, unsigned most,
                        unsigned *index);

/* Decimal or 0x and hexadecimal, up to 2^64 - 1; false for anything else. */
bool control_span_number(const struct control_span *span, uint64_t *value);

/* An address, with a port (not looked at) or without: 192.0.2.1, 192.0.2.1:123, [::1]:123, ::1. */
bool control_span_address(const struct control_span *span, struct address *address);

/* 0xSSSSSSSS.FFFFFFFF. */
bool control_span_time(const struct control_span *span, ntp_time *time);

#endif
