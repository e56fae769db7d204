/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The NTP packet: bytes to struct and back. Every read of the datagram goes through its length
 * first, and nothing but form is judged here.
 */
#include "packet.h"

#include <string.h>

enum {
    EXTENSION_SIZE_MIN = 16,
    KEY_ID_SIZE = 4,
    MAC_SIZE_16 = KEY_ID_SIZE + 16,
    MAC_SIZE_20 = KEY_ID_SIZE + 20,
    VERSION_MIN = 1,
    VERSION_MAX = 4
};

static uint16_t read_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t read_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static ntp_time read_time(const uint8_t *at)
{
    return (ntp_time){(uint64_t)read_u32(at) << 32 | read_u32(at + 4)};
}

static int8_t read_i8(uint8_t byte)
{
    return (int8_t)(byte < 128 ? byte : byte - 256);
}

static void read_header(const uint8_t bytes[PACKET_HEADER_SIZE], struct packet *out)
{
    out->stratum = bytes[1];
    out->poll = read_i8(bytes[2]);
    out->precision = read_i8(bytes[3]);
    out->root_delay = read_u32(bytes + 4);
    out->root_dispersion = read_u32(bytes + 8);
    out->refid = read_u32(bytes + 12);
    out->reference = read_time(bytes + 16);
    out->origin = read_time(bytes + 24);
    out->receive = read_time(bytes + 32);
    out->transmit = read_time(bytes + 40);
}

/* Steps over the extension fields behind the header. What is left afterwards is at most as long as
 * the longest MAC, which is how RFC 7822 tells the two apart. */
static enum packet_verdict skip_extensions(const uint8_t *bytes, size_t size, struct packet *out)
{
    size_t at = PACKET_HEADER_SIZE;
    while (size - at > MAC_SIZE_MAX) {
        size_t length = read_u16(bytes + at + 2);
        if (length < EXTENSION_SIZE_MIN || length % 4 != 0 || length > size - at) {
            return PACKET_EXTENSION;
        }
        at += length;
        out->extension_count++;
        out->signed_size = (uint16_t)at;
    }
    return PACKET_OK;
}

static enum packet_verdict read_trailer(const uint8_t *trailer, size_t size, struct packet *out)
{
    if (size == 0) {
        return PACKET_OK;
    }
    if (size != KEY_ID_SIZE && size != MAC_SIZE_16 && size != MAC_SIZE_20) {
        return PACKET_TRAILER;
    }
    out->key_id = read_u32(trailer);
    if (size == KEY_ID_SIZE && out->key_id != 0) {
        return PACKET_TRAILER;
    }
    out->has_mac = true;
    out->is_crypto_nak = size == KEY_ID_SIZE;
    out->digest_size = (uint16_t)(size - KEY_ID_SIZE);
    out->digest = out->is_crypto_nak ? NULL : trailer + KEY_ID_SIZE;
    return PACKET_OK;
}

enum packet_verdict packet_parse(const uint8_t *bytes, size_t size, struct packet *out)
{
    memset(out, 0, sizeof *out);
    if (size == 0) {
        return PACKET_SHORT;
    }
    out->version = bytes[0] >> 3 & 7;
    out->mode = bytes[0] & 7;
    if (out->version < VERSION_MIN || out->version > VERSION_MAX) {
        return PACKET_VERSION;
    }
    if (out->mode == MODE_CONTROL || out->mode == MODE_PRIVATE) {
        return PACKET_CONTROL;
    }
    if (size < PACKET_HEADER_SIZE) {
        return PACKET_SHORT;
    }
    out->leap = bytes[0] >> 6;
    read_header(bytes, out);
    out->signed_size = PACKET_HEADER_SIZE;
    if (size == PACKET_HEADER_SIZE) {
        return PACKET_OK; /* as most are: nothing more to look at */
    }
    if (size > UINT16_MAX) {
        return PACKET_TRAILER;
    }
    if (out->version == VERSION_MAX) {
        enum packet_verdict verdict = skip_extensions(bytes, size, out);
        if (verdict != PACKET_OK) {
            return verdict;
        }
    }
    return read_trailer(bytes + out->signed_size, size - out->signed_size, out);
}

const char *packet_verdict_text(enum packet_verdict verdict)
{
    switch (verdict) {
    case PACKET_OK:
        return "well formed";
    case PACKET_SHORT:
        return "shorter than a header";
    case PACKET_VERSION:
        return "unknown version";
    case PACKET_CONTROL:
        return "control or private mode";
    case PACKET_EXTENSION:
        return "bad extension field";
    case PACKET_TRAILER:
        return "bad trailer";
    }
    return "unknown verdict";
}
