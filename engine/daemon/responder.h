/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Server threads: each answers the mode 3 requests that the kernel gives its own sockets, in
 * batches of recvmmsg, server_reply() and sendmmsg.
 *
 * A thread shares nothing that is written: the view is copied once per batch under a sequence lock,
 * access list and keys are an immutable block swapped by pointer, its client table and counters are
 * its own. Knows no engine.
 */
#ifndef HOLDFAST_DAEMON_RESPONDER_H
#define HOLDFAST_DAEMON_RESPONDER_H

#include "../clients.h"
#include "../server.h"
#include "udp.h"

struct responder;

struct responder_options {
    const struct udp *udp;    /* its threads and their sockets */
    uint16_t client_capacity; /* entries of each thread's table; 0 = none */
    const uint8_t *seed;      /* 32 bytes */
};

/* Starts udp_threads() threads; they answer when rules are set and a view is published, and throw
 * requests away before that. NULL when there are none or they cannot be started, with *error in
 * that case. */
struct responder *responder_start(const struct responder_options *options, char **error);
void responder_stop(struct responder *responder);

/* Publishes what to answer with. */
void responder_publish(struct responder *responder, const struct server_view *view);

/* Around a step of the clock: no answer is built between the two, and requests that were stamped
 * before the release are thrown away, as their stamps are of another time. Publish the view that
 * holds after the step before the release, and call nothing else of this header in between. */
void responder_hold(struct responder *responder);
void responder_release(struct responder *responder);

/* Swaps the rules (a shallow copy is taken) and returns when no thread uses the former ones any
 * more, so that what they pointed to can be freed. */
void responder_set_rules(struct responder *responder, const struct service_rules *rules);

/* Sum over the threads, as of now; of one that is busy for more than 2 ms, as it was when it was
 * last looked at. */
void responder_counts(const struct responder *responder, struct service_counts *sum);

/* Answers that the kernel did not take: of the same moment as the last responder_counts(). */
uint64_t responder_send_errors(const struct responder *responder);

/* Copies of the threads' client tables, made anew by the first call after 1 s or more; valid until
 * the next call. Returns their number. Never waits for a thread longer than 2 ms: of one that is
 * busy longer, the former copy stays. */
size_t responder_tables(struct responder *responder, const struct clients *const **tables);

#endif
