/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets of a run as a capture file: nanoseconds of true time, raw IP (LINKTYPE_RAW),
 * little-endian.
 *
 * Taken where each datagram is handed to the network, so a lost one is there too. IP and UDP
 * headers are made up around the NTP bytes, with right lengths and checksums, so that any reader
 * takes them.
 */
#ifndef HOLDFAST_PCAP_H
#define HOLDFAST_PCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../engine/address.h"

enum { PCAP_HEADER_SIZE = 24, PCAP_RECORD_OVERHEAD_MAX = 16 + 40 + 8 };

/* The bytes that begin every file. */
void pcap_header(uint8_t out[PCAP_HEADER_SIZE]);

/* One record - its header, IP, UDP and `size` bytes of payload - into `out`, which has room for
 * size + PCAP_RECORD_OVERHEAD_MAX. Both endpoints have the same family. Returns the size of the
 * record. */
size_t pcap_record(uint8_t *out, uint64_t unix_s, uint32_t nanoseconds,
                   const struct endpoint *source, const struct endpoint *destination,
                   const uint8_t *bytes, size_t size);

#endif
