/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The capture format; see pcap.h. Bytes only, no file.
 */
#include "pcap.h"

#include <string.h>

#define PCAP_MAGIC_NANOSECONDS UINT32_C(0xA1B23C4D)
enum { LINKTYPE_RAW = 101, SNAP_LENGTH = 65535, PROTOCOL_UDP = 17, HOPS = 64 };
enum { IPV4_SIZE = 20, IPV6_SIZE = 40, UDP_SIZE = 8, RECORD_SIZE = 16 };

static uint8_t *put_le(uint8_t *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        *out++ = (uint8_t)(value >> (8 * i));
    }
    return out;
}

static void put_be16(uint8_t *out, unsigned value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

void pcap_header(uint8_t out[PCAP_HEADER_SIZE])
{
    uint8_t *at = put_le(out, PCAP_MAGIC_NANOSECONDS, 4);
    at = put_le(at, 2, 2); /* version 2.4 */
    at = put_le(at, 4, 2);
    at = put_le(at, 0, 8); /* time zone, accuracy */
    at = put_le(at, SNAP_LENGTH, 4);
    put_le(at, LINKTYPE_RAW, 4);
}

/* The ones' complement sum of RFC 1071, before it is folded. */
static uint32_t sum_words(uint32_t sum, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i + 1 < size; i += 2) {
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    }
    return size % 2 ? sum + ((uint32_t)bytes[size - 1] << 8) : sum;
}

static uint16_t checksum(uint32_t sum)
{
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put_ipv4(uint8_t *out, const struct address *source, const struct address *destination,
                     size_t payload)
{
    memset(out, 0, IPV4_SIZE);
    out[0] = 0x45;
    put_be16(out + 2, (unsigned)(IPV4_SIZE + payload));
    out[6] = 0x40; /* do not fragment */
    out[8] = HOPS;
    out[9] = PROTOCOL_UDP;
    memcpy(out + 12, source->bytes, 4);
    memcpy(out + 16, destination->bytes, 4);
    put_be16(out + 10, checksum(sum_words(0, out, IPV4_SIZE)));
}

static void put_ipv6(uint8_t *out, const struct address *source, const struct address *destination,
                     size_t payload)
{
    memset(out, 0, IPV6_SIZE);
    out[0] = 0x60;
    put_be16(out + 4, (unsigned)payload);
    out[6] = PROTOCOL_UDP;
    out[7] = HOPS;
    memcpy(out + 8, source->bytes, 16);
    memcpy(out + 24, destination->bytes, 16);
}

/* UDP header in front of its payload; the checksum covers the addresses too. */
static void put_udp(uint8_t *out, const struct endpoint *source, const struct endpoint *destination,
                    size_t size)
{
    size_t width = source->address.family == ADDRESS_V6 ? 16 : 4;
    size_t length = UDP_SIZE + size;
    put_be16(out, source->port);
    put_be16(out + 2, destination->port);
    put_be16(out + 4, (unsigned)length);
    put_be16(out + 6, 0);
    uint32_t sum = sum_words(PROTOCOL_UDP + (uint32_t)length, source->address.bytes, width);
    sum = sum_words(sum, destination->address.bytes, width);
    uint16_t check = checksum(sum_words(sum, out, length));
    put_be16(out + 6, check ? check : 0xFFFF); /* 0 would mean: none */
}

size_t pcap_record(uint8_t *out, uint64_t unix_s, uint32_t nanoseconds,
                   const struct endpoint *source, const struct endpoint *destination,
                   const uint8_t *bytes, size_t size)
{
    bool is_v6 = source->address.family == ADDRESS_V6;
    size_t ip = is_v6 ? IPV6_SIZE : IPV4_SIZE;
    size_t length = ip + UDP_SIZE + size;
    uint8_t *at = put_le(out, unix_s, 4);
    at = put_le(at, nanoseconds, 4);
    at = put_le(at, length, 4);
    at = put_le(at, length, 4);
    if (is_v6) {
        put_ipv6(at, &source->address, &destination->address, UDP_SIZE + size);
    } else {
        put_ipv4(at, &source->address, &destination->address, UDP_SIZE + size);
    }
    memcpy(at + ip + UDP_SIZE, bytes, size);
    put_udp(at + ip, source, destination, size);
    return RECORD_SIZE + length;
}
