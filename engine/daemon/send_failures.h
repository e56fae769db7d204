/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the log says of packets that cannot be sent: of a source once when it begins, once when the
 * cause becomes another and once when it is over, however often the source is asked meanwhile.
 *
 * Strangers, who are anybody, have one limit for all of them together and are not remembered. Sends
 * nothing itself.
 */
#ifndef HOLDFAST_DAEMON_SEND_FAILURES_H
#define HOLDFAST_DAEMON_SEND_FAILURES_H

#include "../engine.h"
#include "log.h"

/* The source of each association that cannot be sent to now; all zeros at first. */
struct send_failures {
    unsigned count;
    struct send_failure {
        struct endpoint peer;
        int cause; /* the last errno */
    } list[ASSOCIATIONS_MAX];
};

/* After a reload: what is wrong with a source that has left is news again should it come back. */
void send_failures_forget(struct send_failures *failures, const struct engine *e);

/* To be told of everything that is sent to `peer`: `cause` is 0 or an errno. */
void send_failures_note(struct send_failures *failures, const struct engine *e,
                        const struct endpoint *peer, int cause, struct log *log);

#endif
