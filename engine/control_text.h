/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text of a mode 6 answer, as it is written: "name=value, name=value".
 *
 * What goes beyond the room is counted and not kept. Numbers are put into digits by hand, so that
 * the same double gives the same text on every machine and no locale has a say.
 */
#ifndef HOLDFAST_CONTROL_TEXT_H
#define HOLDFAST_CONTROL_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "timestamp.h"

struct control_text {
    uint8_t *bytes; /* receives the first `room` bytes of the text */
    size_t room;
    size_t size; /* of the text so far */
};

void control_text_bytes(struct control_text *text, const void *bytes, size_t size);

/* A word of 16 bits, high octet first: READSTAT's answer is no text. */
void control_text_word16(struct control_text *text, uint16_t word);

void control_text_plain(struct control_text *text, const char *string);

/* In double quotes. A quote inside, and all that is not printable ASCII, becomes '?'. */
void control_text_quoted(struct control_text *text, const char *string);

void control_text_count(struct control_text *text, uint64_t value);
void control_text_integer(struct control_text *text, int64_t value);

/* Fixed point, `digits` (0 ... 9) behind the point, rounded as value * 10^digits rounds to an
 * integer; magnitudes of more than 18 digits in all are cut there. `value` is no NAN. */
void control_text_real(struct control_text *text, double value, unsigned digits);

/* Hexadecimal with at least `digits` (1 ... 16) digits and nothing in front. */
void control_text_hex(struct control_text *text, uint64_t value, unsigned digits);

/* 0xSSSSSSSS.FFFFFFFF. */
void control_text_time(struct control_text *text, ntp_time time);

void control_text_address(struct control_text *text, const struct address *address);

/* 192.0.2.1:123 or [2001:db8::1]:123. */
void control_text_endpoint(struct control_text *text, const struct endpoint *endpoint);

/* ", " unless it is the first, then "name=". */
void control_text_name(struct control_text *text, const char *name);

/* The same with "name.index=". */
void control_text_indexed(struct control_text *text, const char *name, uint64_t index);

#endif
