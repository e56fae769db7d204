/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Network addresses as plain data. Text is read and written by hand, because the engine calls no
 * library that could look at the machine it runs on; no name is ever resolved here.
 */
#include "address.h"

#include <assert.h>
#include <nettle/md5.h>
#include <string.h>

enum { V4_BYTES = 4, V6_BYTES = 16, V6_GROUPS = 8 };

int address_compare(const struct address *a, const struct address *b)
{
    if (a->family != b->family) {
        return a->family < b->family ? -1 : 1;
    }
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

static bool is_all_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

bool address_is_loopback(const struct address *a)
{
    if (a->family == ADDRESS_V4) {
        return a->bytes[0] == 127;
    }
    return a->family == ADDRESS_V6 && is_all_zero(a->bytes, 15) && a->bytes[15] == 1;
}

bool address_is_unicast(const struct address *a)
{
    static const uint8_t broadcast[V4_BYTES] = {255, 255, 255, 255};
    if (a->family == ADDRESS_V4) {
        bool is_multicast = (a->bytes[0] & 0xF0) == 0xE0;
        return a->bytes[0] != 0 && !is_multicast && memcmp(a->bytes, broadcast, V4_BYTES) != 0;
    }
    return a->family == ADDRESS_V6 && a->bytes[0] != 0xFF && !is_all_zero(a->bytes, V6_BYTES);
}

struct address address_masked(const struct address *a, unsigned prefix)
{
    struct address masked = {.family = a->family};
    size_t whole = prefix / 8;
    unsigned rest = prefix % 8;
    address_assert_prefix(a, prefix);
    memcpy(masked.bytes, a->bytes, whole);
    if (rest != 0) {
        masked.bytes[whole] = (uint8_t)(a->bytes[whole] & (0xFF00u >> rest));
    }
    return masked;
}

uint32_t address_digest_v6(const struct address *a)
{
    struct md5_ctx md5;
    uint8_t first[4];
    md5_init(&md5);
    md5_update(&md5, V6_BYTES, a->bytes);
    md5_digest(&md5, sizeof first, first);
    return (uint32_t)first[0] << 24 | (uint32_t)first[1] << 16 | (uint32_t)first[2] << 8 | first[3];
}

/* ---- to text ------------------------------------------------------------------------------- */

static char *write_decimal(char *at, unsigned value)
{
    if (value >= 100) {
        *at++ = (char)('0' + value / 100);
    }
    if (value >= 10) {
        *at++ = (char)('0' + value / 10 % 10);
    }
    *at++ = (char)('0' + value % 10);
    return at;
}

static char *write_quad(char *at, const uint8_t bytes[V4_BYTES])
{
    for (unsigned i = 0; i < V4_BYTES; i++) {
        if (i > 0) {
            *at++ = '.';
        }
        at = write_decimal(at, bytes[i]);
    }
    return at;
}

static char *write_group(char *at, unsigned value)
{
    bool has_begun = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
        unsigned digit = value >> shift & 0xF;
        has_begun = has_begun || digit != 0 || shift == 0;
        if (has_begun) {
            *at++ = "0123456789abcdef"[digit];
        }
    }
    return at;
}

static unsigned group_of(const uint8_t *bytes, unsigned index)
{
    return (unsigned)bytes[2 * index] << 8 | bytes[2 * index + 1];
}

/* A run of zero groups; size 0 when there is none. */
struct run {
    unsigned start, size;
};

/* The run that "::" stands for: the longest, the first of equals, never a single group (RFC 5952
 * 4.2). */
static struct run find_zero_run(const uint8_t bytes[V6_BYTES])
{
    struct run best = {0, 0};
    unsigned start = 0;
    for (unsigned i = 0; i < V6_GROUPS; i++) {
        if (group_of(bytes, i) != 0) {
            start = i + 1;
        } else if (i + 1 - start > best.size) {
            best = (struct run){start, i + 1 - start};
        }
    }
    if (best.size < 2) {
        best.size = 0;
    }
    return best;
}

static bool ends_in_quad(const uint8_t bytes[V6_BYTES], struct run zeros)
{
    return zeros.start == 0 &&
           (zeros.size == 6 || (zeros.size == 5 && group_of(bytes, 5) == 0xFFFF));
}

static char *write_v6(char *at, const uint8_t bytes[V6_BYTES])
{
    struct run zeros = find_zero_run(bytes);
    unsigned groups = ends_in_quad(bytes, zeros) ? V6_GROUPS - 2 : V6_GROUPS;
    unsigned i = 0;
    while (i < groups) {
        if (zeros.size > 0 && i == zeros.start) {
            *at++ = ':';
            *at++ = ':';
            i += zeros.size;
            continue;
        }
        if (i > 0 && at[-1] != ':') {
            *at++ = ':';
        }
        at = write_group(at, group_of(bytes, i));
        i++;
    }
    if (groups < V6_GROUPS) {
        if (at[-1] != ':') {
            *at++ = ':';
        }
        at = write_quad(at, bytes + V6_BYTES - V4_BYTES);
    }
    return at;
}

const char *address_text(const struct address *a, char text[ADDRESS_TEXT_SIZE])
{
    char *end = text;
    if (a->family == ADDRESS_V4) {
        end = write_quad(text, a->bytes);
    } else if (a->family == ADDRESS_V6) {
        end = write_v6(text, a->bytes);
    } else {
        *end++ = '-';
    }
    *end = '\0';
    return text;
}

/* ---- from text ----------------------------------------------------------------------------- */

/* Reads 0 ... 255 without leading zeros; returns what follows, NULL when it is no such number. */
static const char *read_decimal(const char *at, uint8_t *value)
{
    unsigned number = 0;
    const char *start = at;
    while (*at >= '0' && *at <= '9') {
        number = number * 10 + (unsigned)(*at - '0');
        at++;
        if (number > 255 || (at - start > 1 && *start == '0')) {
            return NULL;
        }
    }
    *value = (uint8_t)number;
    return at > start ? at : NULL;
}

/* A dotted quad that reaches to the end of the text. */
static bool read_quad(const char *at, uint8_t bytes[V4_BYTES])
{
    for (unsigned i = 0; i < V4_BYTES; i++) {
        if (i > 0 && *at++ != '.') {
            return false;
        }
        at = read_decimal(at, &bytes[i]);
        if (!at) {
            return false;
        }
    }
    return *at == '\0';
}

/* The value of a hexadecimal digit, -1 for any other character. */
static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/* One to four digits; returns what follows, NULL when there is no group here. */
static const char *read_group(const char *at, uint8_t bytes[2])
{
    unsigned value = 0;
    unsigned digits = 0;
    for (int digit = hex_digit(*at); digit >= 0; digit = hex_digit(*at)) {
        if (++digits > 4) {
            return NULL;
        }
        value = value << 4 | (unsigned)digit;
        at++;
    }
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
    return digits > 0 ? at : NULL;
}

/* The bytes that the text spells out, and where in them "::" stands. */
struct v6_text {
    uint8_t bytes[V6_BYTES];
    size_t size;
    bool has_gap;
    size_t gap;
};

/* Takes "::" if it stands at `at`; returns what follows, NULL for a second one. */
static const char *read_gap(const char *at, struct v6_text *out)
{
    if (at[0] == ':' && at[1] == ':') {
        if (out->has_gap) {
            return NULL;
        }
        out->has_gap = true;
        out->gap = out->size;
        return at + 2;
    }
    return at;
}

/* The separator after a group: ":" with a group to follow, or "::", or the end. */
static const char *read_separator(const char *at, struct v6_text *out)
{
    if (*at == '\0') {
        return at;
    }
    if (at[0] != ':') {
        return NULL;
    }
    if (at[1] == ':') {
        return read_gap(at, out);
    }
    return at[1] == '\0' ? NULL : at + 1;
}

static bool read_v6_text(const char *at, struct v6_text *out)
{
    at = read_gap(at, out);
    while (at && *at != '\0') {
        const char *group = at;
        if (out->size + 2 > V6_BYTES) {
            return false;
        }
        at = read_group(group, out->bytes + out->size);
        if (!at) {
            return false;
        }
        if (*at == '.') {
            if (out->size + V4_BYTES > V6_BYTES || !read_quad(group, out->bytes + out->size)) {
                return false;
            }
            out->size += V4_BYTES;
            return true;
        }
        out->size += 2;
        at = read_separator(at, out);
    }
    return at != NULL;
}

static bool read_v6(const char *text, uint8_t bytes[V6_BYTES])
{
    struct v6_text read = {.size = 0};
    if (!read_v6_text(text, &read) || (read.size < V6_BYTES) != read.has_gap) {
        return false;
    }
    size_t head = read.has_gap ? read.gap : V6_BYTES;
    size_t tail = read.size - head;
    memset(bytes, 0, V6_BYTES);
    memcpy(bytes, read.bytes, head);
    memcpy(bytes + V6_BYTES - tail, read.bytes + head, tail);
    return true;
}

bool address_parse(const char *text, struct address *out)
{
    uint8_t bytes[V6_BYTES] = {0};
    *out = (struct address){.family = ADDRESS_NONE};
    if (read_quad(text, bytes)) {
        out->family = ADDRESS_V4;
        memcpy(out->bytes, bytes, V4_BYTES);
        return true;
    }
    if (read_v6(text, bytes)) {
        out->family = ADDRESS_V6;
        memcpy(out->bytes, bytes, V6_BYTES);
        return true;
    }
    return false;
}
