/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers to strangers: mode 3, and mode 1 of hosts that are not configured as peers.
 *
 * server_reply() is a pure function of a published view, immutable rules and one request; only the
 * caller's own client table changes. Any thread may call it. No reply is larger than its request.
 */
#ifndef HOLDFAST_SERVER_H
#define HOLDFAST_SERVER_H

#include "access.h"
#include "auth.h"
#include "engine_config.h"
#include "packet.h"
#include "timestamp.h"

enum stamp_kind { STAMP_NOT_SENT, STAMP_USER, STAMP_KERNEL, STAMP_HARDWARE };

struct datagram {
    struct endpoint peer, local;
    uint32_t request; /* of the send whose socket this came in on; 0 = service port */
    ntp_time stamp;   /* when it arrived, by this host's clock */
    enum stamp_kind kind;
    const uint8_t *bytes;
    size_t size;
    bool truncated; /* the host's buffer was too small: the bytes are not all there */
};

/* Plain data, republished on every change; at most 128 bytes. */
struct server_view {
    uint8_t leap, stratum; /* stratum as in here: 16 = unsynchronised, 0 never occurs */
    int8_t precision;
    int8_t poll; /* the smallest poll exponent that a client is granted, log2 s: my minpoll */
    uint32_t refid;
    ntp_time reference_time;
    double root_delay_s;
    double root_dispersion_s; /* at `as_of` */
    double dispersion_rate;   /* s/s: what it grows by since then */
    mono_time as_of;
};

struct service_rules {
    const struct access_list *access;
    const struct key_table *keys;
    const struct discard_config *discard;
    const struct address *own;
    size_t own_count;
};

struct clients; /* clients.h */

/* Why a request got no answer, or that it got one. */
enum service_verdict {
    SERVICE_ANSWERED,
    SERVICE_KISSED,      /* answered with a kiss-o'-death RATE */
    SERVICE_MALFORMED,   /* packet_parse() did not like it, or it was truncated */
    SERVICE_MODE,        /* neither mode 3 nor mode 1 */
    SERVICE_OWN_ADDRESS, /* mine, not unicast, loopback from the wire, or port 0 */
    SERVICE_RESTRICTED,  /* ignore, noserve, version, notrust without a MAC, flake */
    SERVICE_LIMITED,
    SERVICE_BAD_AUTH, /* a MAC that does not verify */
    SERVICE_VERDICTS
};

/* Requests by what became of them. One writer; others may read it torn by a request. */
struct service_counts {
    uint64_t verdicts[SERVICE_VERDICTS];
    uint64_t version_4, version_older; /* of the version field of what came */
    /* Of the older ones those of version 1: all, and those of modes 3, 0 and 1. */
    uint64_t version_1, version_1_clients, version_1_modeless, version_1_symmetric;
};

/* Notes one request that server_reply() or server_answer() has judged. */
void service_count(struct service_counts *counts, const struct datagram *in,
                   enum service_verdict verdict);

/* Adds every count of `part` to `sum`. */
void service_counts_add(struct service_counts *sum, const struct service_counts *part);

/* Whether a datagram can have come from the host that it names: not from port 0, not from a group
 * or from one of my own addresses, from a loopback address only to one. */
bool service_believes_source(const struct service_rules *rules, const struct datagram *in);

/* Root dispersion of the view at mono time `now`, seconds; never negative. */
double server_view_dispersion_s(const struct server_view *view, mono_time now);

/* Builds the answer in `reply` and returns its size, 0 for none; *verdict says which and why. `now`
 * is the instant of the answer, its clock the transmit time. clients may be NULL: then nothing is
 * limited and nothing flakes; the rest of `rules` may not.
 *
 * Judged in this order: form of the header, mode, address, access list, form of the trailer, client
 * table, MAC. Mode 3 is answered in mode 4, mode 1 in mode 2 and without any state (`nopeer`
 * forbids associations, not answers), in the version asked; version 1 with mode 0 from another port
 * than 123 is a client of RFC 1059. Extension fields are not repeated. A request with a valid MAC
 * is answered with the same key, a kiss too. A loopback source is believed when `local` is loopback
 * as well. An unsynchronised view is told as leap 3, stratum 0 and reference id 0 (RFC 8633 5.2). A
 * kiss has leap 3, stratum 0, RATE and the request's transmit time as origin. */
size_t server_reply(const struct server_view *view, const struct service_rules *rules,
                    struct clients *clients, const struct datagram *in, struct instant now,
                    uint8_t reply[DATAGRAM_SIZE_MAX], enum service_verdict *verdict);

/* The same for a datagram whose form is known to be right: it is not truncated, and packet_parse()
 * has read all of it into `request`, which points into it, and found nothing wrong. */
size_t server_answer(const struct server_view *view, const struct service_rules *rules,
                     struct clients *clients, const struct datagram *in,
                     const struct packet *request, struct instant now,
                     uint8_t reply[DATAGRAM_SIZE_MAX], enum service_verdict *verdict);

const char *service_verdict_text(enum service_verdict verdict);

#endif
