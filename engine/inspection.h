/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What became of the packets that came in, summed over an engine and the server threads beside it:
 * the one sum that mode 6, statistics files and metrics tell. The rest of looking into an engine is
 * declared in engine.h.
 */
#ifndef HOLDFAST_INSPECTION_H
#define HOLDFAST_INSPECTION_H

#include "engine.h"

/* As ntpq's sysstats tells them, in the order of a line of sysstats. Each packet received is one of
 * processed, restricted, malformed, bad_auth, declined and limited, and no two of them. Mode 6 is
 * answered by the host and is in none of these. */
struct packet_counts {
    uint64_t received;
    uint64_t processed;                /* taken by a source, or answered with time */
    uint64_t version_4, version_older; /* of those received, by the version field; the empty not */
    uint64_t restricted;               /* requests that the access list forbids */
    uint64_t malformed;                /* no NTP packet by their form */
    uint64_t bad_auth;                 /* a MAC that is missing or does not verify */
    uint64_t declined;                 /* answers that fail a source's other tests or that nobody
                                        * asked for; requests of no such mode, or from an address
                                        * that cannot be the sender's */
    uint64_t limited;                  /* requests over the rate limit, the kissed included: a kiss
                                        * is no answer */
    uint64_t kissed;                   /* of those limited, told so by a kiss-o'-death */
};

/* `threads` is the sum over the server threads; NULL = there are none. */
struct packet_counts inspection_packet_counts(const struct engine_counters *counters,
                                              const struct service_counts *threads);

#endif
