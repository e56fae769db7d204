/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text of a mode 6 answer: see control_text.h.
 */
#include "control_text.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { DIGITS_MAX = 20 };

void control_text_bytes(struct control_text *text, const void *bytes, size_t size)
{
    size_t left = text->size < text->room ? text->room - text->size : 0;
    size_t kept = size < left ? size : left;
    if (kept > 0) {
        memcpy(text->bytes + text->size, bytes, kept);
    }
    text->size += size;
}

void control_text_word16(struct control_text *text, uint16_t word)
{
    uint8_t bytes[2] = {(uint8_t)(word >> 8), (uint8_t)word};
    control_text_bytes(text, bytes, sizeof bytes);
}

void control_text_plain(struct control_text *text, const char *string)
{
    control_text_bytes(text, string, strlen(string));
}

void control_text_quoted(struct control_text *text, const char *string)
{
    control_text_bytes(text, "\"", 1);
    for (const char *c = string; *c != '\0'; c++) {
        bool is_plain = *c >= ' ' && *c <= '~' && *c != '"';
        control_text_bytes(text, is_plain ? c : "?", 1);
    }
    control_text_bytes(text, "\"", 1);
}

/* At least `least` digits. */
static void put_digits(struct control_text *text, uint64_t value, bool is_hex, unsigned least)
{
    char digits[DIGITS_MAX];
    unsigned count = 0;
    while (value > 0 || count < least) {
        unsigned digit = (unsigned)(is_hex ? value % 16 : value % 10);
        digits[DIGITS_MAX - ++count] = "0123456789abcdef"[digit];
        value = is_hex ? value / 16 : value / 10;
    }
    control_text_bytes(text, digits + DIGITS_MAX - count, count);
}

void control_text_count(struct control_text *text, uint64_t value)
{
    put_digits(text, value, false, 1);
}

void control_text_integer(struct control_text *text, int64_t value)
{
    if (value < 0) {
        control_text_bytes(text, "-", 1);
    }
    put_digits(text, value < 0 ? -(uint64_t)value : (uint64_t)value, false, 1);
}

void control_text_real(struct control_text *text, double value, unsigned digits)
{
    static const uint64_t powers[] = {1,      10,      100,      1000,      10000,
                                      100000, 1000000, 10000000, 100000000, 1000000000};
    assert(digits < sizeof powers / sizeof powers[0] && !isnan(value));
    uint64_t power = powers[digits];
    uint64_t units = (uint64_t)fmin(rint(fabs(value) * (double)power), 1e18 - 128.0);
    if (value < 0.0 && units > 0) {
        control_text_bytes(text, "-", 1);
    }
    put_digits(text, units / power, false, 1);
    if (digits > 0) {
        control_text_bytes(text, ".", 1);
        put_digits(text, units % power, false, digits);
    }
}

void control_text_hex(struct control_text *text, uint64_t value, unsigned digits)
{
    put_digits(text, value, true, digits);
}

void control_text_time(struct control_text *text, ntp_time time)
{
    control_text_bytes(text, "0x", 2);
    control_text_hex(text, time.ticks >> 32, 8);
    control_text_bytes(text, ".", 1);
    control_text_hex(text, time.ticks & UINT32_MAX, 8);
}

void control_text_address(struct control_text *text, const struct address *address)
{
    char string[ADDRESS_TEXT_SIZE];
    control_text_plain(text, address_text(address, string));
}

void control_text_endpoint(struct control_text *text, const struct endpoint *endpoint)
{
    bool is_v6 = endpoint->address.family == ADDRESS_V6;
    control_text_plain(text, is_v6 ? "[" : "");
    control_text_address(text, &endpoint->address);
    control_text_plain(text, is_v6 ? "]:" : ":");
    control_text_count(text, endpoint->port);
}

static void separate(struct control_text *text)
{
    if (text->size > 0) {
        control_text_bytes(text, ", ", 2);
    }
}

void control_text_name(struct control_text *text, const char *name)
{
    separate(text);
    control_text_plain(text, name);
    control_text_bytes(text, "=", 1);
}

void control_text_indexed(struct control_text *text, const char *name, uint64_t index)
{
    separate(text);
    control_text_plain(text, name);
    control_text_bytes(text, ".", 1);
    control_text_count(text, index);
    control_text_bytes(text, "=", 1);
}
