/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The NTP packet: header, extension fields, MAC trailer; bytes to struct and back.
 *
 * packet_parse() is total: any bytes of any length give exactly one verdict, nothing outside the
 * datagram is read, and nothing is judged but form. Whether a packet is welcome is somebody else's
 * question (access.h, auth.h, source.h, server.h).
 */
#ifndef HOLDFAST_PACKET_H
#define HOLDFAST_PACKET_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "timestamp.h"

enum {
    PACKET_HEADER_SIZE = 48,
    DATAGRAM_SIZE_MAX = 1280,
    MAC_SIZE_MAX = 24,
    PACKET_WRITE_MAX = 72
};

enum packet_mode {
    MODE_RESERVED = 0,
    MODE_ACTIVE = 1,
    MODE_PASSIVE = 2,
    MODE_CLIENT = 3,
    MODE_SERVER = 4,
    MODE_BROADCAST = 5,
    MODE_CONTROL = 6,
    MODE_PRIVATE = 7
};

enum { LEAP_NONE = 0, LEAP_INSERT = 1, LEAP_DELETE = 2, LEAP_UNKNOWN = 3 };
enum { STRATUM_UNSPECIFIED = 0, STRATUM_MAX = 16 };

/* Kiss codes (RFC 5905 7.4), as reference ids: first character in the highest octet. */
#define KISS_RATE UINT32_C(0x52415445)
#define KISS_DENY UINT32_C(0x44454E59)
#define KISS_RSTR UINT32_C(0x52535452)

enum packet_verdict {
    PACKET_OK = 0,
    PACKET_SHORT,     /* fewer bytes than the header */
    PACKET_VERSION,   /* version 0 or above 4 */
    PACKET_CONTROL,   /* mode 6 or 7: another grammar, only mode and version are set */
    PACKET_EXTENSION, /* an extension field whose length does not fit (RFC 7822) */
    PACKET_TRAILER    /* trailing bytes that are no MAC */
};

/* A parsed packet. mac points into the parsed bytes. Wire values of root_delay and root_dispersion
 * are NTP short format; see s_from_ntp_short(). */
struct packet {
    uint8_t leap, version, mode, stratum;
    int8_t poll, precision; /* log2 s */
    uint32_t root_delay, root_dispersion;
    uint32_t refid; /* first octet on the wire is the highest */
    ntp_time reference, origin, receive, transmit;
    uint16_t extension_count;
    uint16_t signed_size; /* bytes covered by the MAC: header and extension fields */
    bool has_mac;         /* a key id is present, with a digest or as a crypto-NAK */
    bool is_crypto_nak;   /* four bytes of trailer: a key id of zero and no digest */
    uint32_t key_id;
    uint16_t digest_size; /* 0 for a crypto-NAK, else 16 or 20 */
    const uint8_t *digest;
};

/* Reads the form of RFC 5905 and RFC 7822: after the header, while more than 24 bytes remain, an
 * extension field (length a multiple of 4, at least 16, within the datagram); then nothing, a
 * four-byte crypto-NAK (key id 0), or a MAC of 20 or 24 bytes. Versions 1 to 3 have no extension
 * fields, so a longer rest is their trailer. No bytes at all are too short; else the version is
 * judged first, then control modes (their header is shorter), then the length. More than 65,535
 * bytes are no datagram, and their trailer is wrong. A version-1 packet with mode 0 is read as mode
 * 3 (as RFC 1059 hosts sent it from other ports than 123) by the server, not here. On any verdict
 * but PACKET_OK only what was read so far is set. */
enum packet_verdict packet_parse(const uint8_t *bytes, size_t size, struct packet *out)
    __attribute__((warn_unused_result));

/* Eight octets at once: whoever reads them next, as words, need not wait for single ones. */
static inline void packet_write_u64(uint8_t *at, uint64_t value)
{
    at[0] = (uint8_t)(value >> 56);
    at[1] = (uint8_t)(value >> 48);
    at[2] = (uint8_t)(value >> 40);
    at[3] = (uint8_t)(value >> 32);
    at[4] = (uint8_t)(value >> 24);
    at[5] = (uint8_t)(value >> 16);
    at[6] = (uint8_t)(value >> 8);
    at[7] = (uint8_t)value;
}

/* Writes the 48-byte header; MAC and extension fields of the struct are not written. Inlined, so
 * that a packet made only to be written is never stored as a struct. */
static inline void packet_write(const struct packet *packet, uint8_t bytes[PACKET_HEADER_SIZE])
{
    assert(packet->leap <= 3 && packet->version <= 7 && packet->mode <= 7);
    uint32_t first = (uint32_t)packet->leap << 30 | (uint32_t)packet->version << 27 |
                     (uint32_t)packet->mode << 24 | (uint32_t)packet->stratum << 16 |
                     (uint32_t)(uint8_t)packet->poll << 8 | (uint8_t)packet->precision;
    packet_write_u64(bytes, (uint64_t)first << 32 | packet->root_delay);
    packet_write_u64(bytes + 8, (uint64_t)packet->root_dispersion << 32 | packet->refid);
    packet_write_u64(bytes + 16, packet->reference.ticks);
    packet_write_u64(bytes + 24, packet->origin.ticks);
    packet_write_u64(bytes + 32, packet->receive.ticks);
    packet_write_u64(bytes + 40, packet->transmit.ticks);
}

/* Stratum 16 travels as 0 (RFC 5905 7.3). These map both ways; values above 16 read as 16. */
static inline uint8_t stratum_from_wire(uint8_t wire)
{
    return wire == STRATUM_UNSPECIFIED || wire > STRATUM_MAX ? STRATUM_MAX : wire;
}

static inline uint8_t stratum_to_wire(uint8_t stratum)
{
    return stratum >= STRATUM_MAX ? STRATUM_UNSPECIFIED : stratum;
}

const char *packet_verdict_text(enum packet_verdict verdict);

#endif
