/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Datagrams by the batch: one recvmmsg into memory that is laid out once, and what came with each.
 */
#ifndef HOLDFAST_DAEMON_RECEIVE_BATCH_H
#define HOLDFAST_DAEMON_RECEIVE_BATCH_H

#include "../server.h"
#include "packet_stamp.h"
#include "socket_address.h"

/* Larger than any datagram that is read (DATAGRAM_SIZE_MAX), so that one too large shows itself. */
enum { RECEIVE_BATCH = 32, RECEIVE_SIZE = 2048 };

struct receive_batch {
    struct mmsghdr headers[RECEIVE_BATCH];
    struct iovec vectors[RECEIVE_BATCH];
    union socket_address peers[RECEIVE_BATCH];
    _Alignas(struct cmsghdr) uint8_t controls[RECEIVE_BATCH][PACKET_STAMP_ROOM];
    uint8_t bytes[RECEIVE_BATCH][RECEIVE_SIZE];
    unsigned used; /* headers that the last read filled */
};

/* `batch` stays where it is: it points into itself. */
void receive_batch_init(struct receive_batch *batch);

/* Reads what is there without waiting; the number of datagrams, or the negative errno. */
int receive_batch_read(struct receive_batch *batch, int fd);

/* The datagram of that index but for its local side, its request and its time: stamp is zero and
 * kind STAMP_NOT_SENT. Points into the batch. */
struct datagram receive_batch_datagram(const struct receive_batch *batch, unsigned index);

#endif
