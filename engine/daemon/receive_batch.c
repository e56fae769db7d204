/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recvmmsg and its bookkeeping.
 */
#include "receive_batch.h"

#include <errno.h>
#include <string.h>

static void reset(struct receive_batch *batch, unsigned index)
{
    struct msghdr *header = &batch->headers[index].msg_hdr;
    header->msg_namelen = sizeof batch->peers[index];
    header->msg_controllen = sizeof batch->controls[index];
    header->msg_flags = 0;
}

void receive_batch_init(struct receive_batch *batch)
{
    memset(batch, 0, sizeof *batch);
    for (unsigned i = 0; i < RECEIVE_BATCH; i++) {
        struct msghdr *header = &batch->headers[i].msg_hdr;
        batch->vectors[i] = (struct iovec){batch->bytes[i], RECEIVE_SIZE};
        header->msg_iov = &batch->vectors[i];
        header->msg_iovlen = 1;
        header->msg_name = &batch->peers[i];
        header->msg_control = batch->controls[i];
        reset(batch, i);
    }
}

int receive_batch_read(struct receive_batch *batch, int fd)
{
    for (unsigned i = 0; i < batch->used; i++) {
        reset(batch, i);
    }
    batch->used = 0;
    int count = recvmmsg(fd, batch->headers, RECEIVE_BATCH, MSG_DONTWAIT, NULL);
    if (count < 0) {
        return -errno;
    }
    batch->used = (unsigned)count;
    return count;
}

struct datagram receive_batch_datagram(const struct receive_batch *batch, unsigned index)
{
    const struct mmsghdr *header = &batch->headers[index];
    return (struct datagram){.peer = socket_address_get(&batch->peers[index]),
                             .kind = STAMP_NOT_SENT,
                             .bytes = batch->bytes[index],
                             .size = header->msg_len,
                             .truncated = (header->msg_hdr.msg_flags & MSG_TRUNC) != 0};
}
