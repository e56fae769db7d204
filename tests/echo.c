/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bare echo that a server's reply path is measured against: the same calls on the same kind of
 * socket (epoll_wait, recvmmsg with kernel receive timestamps, sendmmsg, batches of 32), and
 * nothing in between but turning the mode from 3 to 4. Answers no one's question about the time.
 *
 * Usage: echo ADDRESS PORT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 32, ROOM = 2048, CONTROL = 256, REPLY_SIZE = 48, BUFFER_SIZE = 1 << 20 };

struct batch {
    struct mmsghdr in[BATCH], out[BATCH];
    struct iovec in_vectors[BATCH], out_vectors[BATCH];
    struct sockaddr_in peers[BATCH];
    _Alignas(struct cmsghdr) char controls[BATCH][CONTROL];
    unsigned char bytes[BATCH][ROOM];
};

static int fail(const char *what)
{
    fprintf(stderr, "echo: %s: %s\n", what, strerror(errno));
    return 1;
}

static void lay_out(struct batch *batch)
{
    memset(batch, 0, sizeof *batch);
    for (int i = 0; i < BATCH; i++) {
        batch->in_vectors[i] = (struct iovec){batch->bytes[i], ROOM};
        batch->out_vectors[i] = (struct iovec){batch->bytes[i], REPLY_SIZE};
        batch->in[i].msg_hdr = (struct msghdr){.msg_name = &batch->peers[i],
                                               .msg_iov = &batch->in_vectors[i],
                                               .msg_iovlen = 1,
                                               .msg_control = batch->controls[i]};
    }
}

static void echo(struct batch *batch, int fd)
{
    for (int i = 0; i < BATCH; i++) {
        batch->in[i].msg_hdr.msg_namelen = sizeof batch->peers[i];
        batch->in[i].msg_hdr.msg_controllen = CONTROL;
    }
    int count = recvmmsg(fd, batch->in, BATCH, MSG_DONTWAIT, NULL);
    unsigned used = 0;
    for (int i = 0; i < count; i++) {
        if (batch->in[i].msg_len < REPLY_SIZE) {
            continue;
        }
        batch->bytes[i][0] = (unsigned char)((batch->bytes[i][0] & 0x38) | 4);
        batch->out[used++].msg_hdr = (struct msghdr){.msg_name = &batch->peers[i],
                                                     .msg_namelen = sizeof batch->peers[i],
                                                     .msg_iov = &batch->out_vectors[i],
                                                     .msg_iovlen = 1};
    }
    if (used > 0) {
        sendmmsg(fd, batch->out, used, MSG_DONTWAIT);
    }
}

int main(int argc, char **argv)
{
    static struct batch batch;
    struct sockaddr_in at = {.sin_family = AF_INET};
    struct epoll_event event = {.events = EPOLLIN};
    int on = 1, size = BUFFER_SIZE;
    if (argc != 3 || inet_pton(AF_INET, argv[1], &at.sin_addr) != 1) {
        fprintf(stderr, "usage: echo ADDRESS PORT\n");
        return 2;
    }
    at.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) != 0) {
        return fail("socket");
    }
    int epoll = epoll_create1(0);
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        return fail("epoll");
    }
    lay_out(&batch);
    for (;;) {
        if (epoll_wait(epoll, &event, 1, -1) > 0) {
            echo(&batch, fd);
        }
    }
}
