/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A mode 6 request: see control_request.h.
 */
#include "control_request.h"

#include <string.h>

#include "control.h"
#include "packet.h"

enum { MARKS = 0xE0, OPCODE_MASK = 0x1F };

static uint16_t word_at(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

bool control_request_parse(const uint8_t *bytes, size_t size, struct control_request *request,
                           enum control_fault *fault)
{
    if (size < CONTROL_HEADER_SIZE || (bytes[0] & 7) != MODE_CONTROL || (bytes[1] & MARKS) != 0 ||
        word_at(bytes + 8) != 0) {
        return false;
    }
    *request = (struct control_request){.version = bytes[0] >> 3 & 7,
                                        .opcode = bytes[1] & OPCODE_MASK,
                                        .sequence = word_at(bytes + 2),
                                        .association = word_at(bytes + 6),
                                        .data = bytes + CONTROL_HEADER_SIZE,
                                        .size = word_at(bytes + 10)};
    bool fits = request->size <= CONTROL_DATA_MAX && request->size <= size - CONTROL_HEADER_SIZE;
    *fault = fits ? CONTROL_FINE : CONTROL_BAD_FORMAT;
    return request->version >= 1 && request->version <= 4;
}

static void trim(struct control_span *span)
{
    while (span->size > 0 && span->bytes[0] <= ' ') {
        span->bytes++;
        span->size--;
    }
    while (span->size > 0 && span->bytes[span->size - 1] <= ' ') {
        span->size--;
    }
}

/* The span up to `mark`, which with what follows it is left in *rest; all when there is none. */
static struct control_span cut(struct control_span *rest, uint8_t mark)
{
    struct control_span head = *rest;
    const uint8_t *at = rest->size > 0 ? memchr(rest->bytes, mark, rest->size) : NULL;
    if (at) {
        head.size = (size_t)(at - rest->bytes);
    }
    size_t used = head.size + (at ? 1 : 0);
    rest->bytes += used;
    rest->size -= used;
    return head;
}

bool control_request_item(struct control_span *rest, struct control_span *name,
                          struct control_span *value)
{
    while (rest->size > 0) {
        *value = cut(rest, ',');
        *name = cut(value, '=');
        trim(name);
        trim(value);
        if (name->size > 0) {
            return true;
        }
    }
    return false;
}

bool control_span_is(const struct control_span *span, const char *text)
{
    size_t length = strlen(text);
    return span->size == length && memcmp(span->bytes, text, length) == 0;
}

static int digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    uint8_t lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 16;
}

static bool read_digits(const struct control_span *span, unsigned base, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < span->size; i++) {
        unsigned digit = (unsigned)digit_of(span->bytes[i]);
        if (digit >= base || *value > (UINT64_MAX - digit) / base) {
            return false;
        }
        *value = *value * base + digit;
    }
    return span->size > 0;
}

/* Takes "0x" off the front. */
static bool is_hexadecimal(struct control_span *span)
{
    if (span->size < 2 || span->bytes[0] != '0' || (span->bytes[1] | 0x20) != 'x') {
        return false;
    }
    span->bytes += 2;
    span->size -= 2;
    return true;
}

bool control_span_number(const struct control_span *span, uint64_t *value)
{
    struct control_span digits = *span;
    return is_hexadecimal(&digits) ? read_digits(&digits, 16, value)
                                   : read_digits(&digits, 10, value);
}

bool control_span_index(const struct control_span *span, const char *stem, unsigned most,
                        unsigned *index)
{
    struct control_span rest = *span;
    struct control_span head = cut(&rest, '.');
    uint64_t value;
    if (!control_span_is(&head, stem) || !read_digits(&rest, 10, &value) || value > most) {
        return false;
    }
    *index = (unsigned)value;
    return true;
}

bool control_span_address(const struct control_span *span, struct address *address)
{
    char text[ADDRESS_TEXT_SIZE];
    struct control_span rest = *span;
    if (rest.size > 0 && rest.bytes[0] == '[') {
        rest.bytes++;
        rest.size--;
        rest = cut(&rest, ']');
    } else if (rest.size > 0 && memchr(rest.bytes, '.', rest.size)) {
        struct control_span head = cut(&rest, ':');
        bool is_mapped = rest.size > 0 && memchr(rest.bytes, '.', rest.size);
        rest = is_mapped ? *span : head; /* ::ffff:192.0.2.1 has its dots behind its colons */
    }
    if (rest.size >= sizeof text) {
        return false;
    }
    memcpy(text, rest.bytes, rest.size);
    text[rest.size] = '\0';
    return strlen(text) == rest.size && address_parse(text, address);
}

bool control_span_time(const struct control_span *span, ntp_time *time)
{
    struct control_span rest = *span;
    uint64_t seconds, fraction;
    if (!is_hexadecimal(&rest)) {
        return false;
    }
    struct control_span head = cut(&rest, '.');
    if (!read_digits(&head, 16, &seconds) || !read_digits(&rest, 16, &fraction) ||
        seconds > UINT32_MAX || fraction > UINT32_MAX) {
        return false;
    }
    time->ticks = seconds << 32 | fraction;
    return true;
}
