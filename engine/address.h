/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Network addresses as plain data: comparable, hashable, printable. Never resolves a name.
 */
#ifndef HOLDFAST_ADDRESS_H
#define HOLDFAST_ADDRESS_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { ADDRESS_NONE = 0, ADDRESS_V4 = 4, ADDRESS_V6 = 6 };
enum { NTP_PORT = 123, ADDRESS_TEXT_SIZE = 46 };

/* Network byte order; an IPv4 address uses the first four bytes and leaves the rest zero. */
struct address {
    uint8_t family;
    uint8_t bytes[16];
};

struct endpoint {
    struct address address;
    uint16_t port; /* host byte order; 0 = any */
};

/* Total order: family first (4 before 6), then bytes. Negative, zero or positive like memcmp. */
int address_compare(const struct address *a, const struct address *b);

static inline bool address_equal(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* The first (half 0) or the last (half 1) eight bytes as a number, the first byte the highest. */
static inline uint64_t address_half(const struct address *a, unsigned half)
{
    const uint8_t *at = a->bytes + 8 * half;
    return (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 | (uint64_t)at[2] << 40 |
           (uint64_t)at[3] << 32 | (uint64_t)at[4] << 24 | (uint64_t)at[5] << 16 |
           (uint64_t)at[6] << 8 | at[7];
}

/* 127.0.0.0/8 or ::1. */
bool address_is_loopback(const struct address *a);

/* Whether one host can send from it: not ADDRESS_NONE, 0.0.0.0/8, 224.0.0.0/4, 255.255.255.255, ::
 * or ff00::/8. Loopback is one host. */
bool address_is_unicast(const struct address *a);

static inline void address_assert_prefix(const struct address *a, unsigned prefix)
{
    assert(prefix <= (a->family == ADDRESS_V4 ? 32u : 128u));
}

/* Whether the first `prefix` bits of a and net are the same; never across families. `prefix` is at
 * most 32 or 128. */
static inline bool address_in_prefix(const struct address *a, const struct address *net,
                                     unsigned prefix)
{
    address_assert_prefix(net, prefix);
    if (a->family != net->family) {
        return false;
    }
    uint64_t high = address_half(a, 0) ^ address_half(net, 0);
    if (prefix <= 64) {
        return prefix == 0 || high >> (64 - prefix) == 0;
    }
    uint64_t low = address_half(a, 1) ^ address_half(net, 1);
    return high == 0 && low >> (128 - prefix) == 0;
}

/* The address with all but the first `prefix` bits zero. */
struct address address_masked(const struct address *a, unsigned prefix);

/* The first four octets of the MD5 of the bytes of an IPv6 address, the first octet highest. */
uint32_t address_digest_v6(const struct address *a);

/* The reference id a server at this address gives its followers (RFC 5905 7.3): the IPv4 address,
 * or the first four octets of the MD5 of the IPv6 address; host byte order, first octet highest. */
static inline uint32_t address_refid(const struct address *a)
{
    return a->family == ADDRESS_V6 ? address_digest_v6(a) : (uint32_t)(address_half(a, 0) >> 32);
}

/* Writes dotted quad or RFC 5952 text with its NUL; returns text. ::/96 and ::ffff:0:0/96 end in a
 * dotted quad, as inet_ntop() writes them; ADDRESS_NONE is "-". */
const char *address_text(const struct address *a, char text[ADDRESS_TEXT_SIZE]);

/* Reads numeric IPv4 or IPv6 text (no port, no zone, no leading zeros in a dotted quad: the grammar
 * of inet_pton()); false when it is neither, and then *out is ADDRESS_NONE. */
bool address_parse(const char *text, struct address *out);

#endif
