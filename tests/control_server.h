/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A server of mode 6 for tests: a process of its own on the loopback, which answers as it is told.
 */
#ifndef HOLDFAST_CONTROL_SERVER_H
#define HOLDFAST_CONTROL_SERVER_H

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { HEADER = 12, LIFE_S = 10 };

/* A server in a process of its own: `serve` is given every datagram, and ends with the process. */
struct server {
    pid_t pid;
    unsigned port;
};

struct visit {
    int fd;
    unsigned number; /* of the datagram, from 1 */
    uint8_t bytes[512];
    size_t size;
    struct sockaddr_storage from;
    socklen_t from_size;
    uint8_t first[HEADER]; /* of the first datagram */
};

static inline int bound_socket(unsigned *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&at, &size) == 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static inline struct server start_on(int fd, unsigned port, void (*serve)(struct visit *visit))
{
    struct server server = {fork(), port};
    if (server.pid == 0) {
        struct visit visit = {.fd = fd};
        alarm(LIFE_S); /* never outlives the test */
        for (;;) {
            visit.from_size = sizeof visit.from;
            ssize_t size = recvfrom(fd, visit.bytes, sizeof visit.bytes, 0,
                                    (struct sockaddr *)&visit.from, &visit.from_size);
            if (size >= HEADER) {
                visit.size = (size_t)size;
                if (visit.number++ == 0) {
                    memcpy(visit.first, visit.bytes, HEADER);
                }
                serve(&visit);
            }
        }
    }
    close(fd);
    return server;
}

static inline struct server start(void (*serve)(struct visit *visit))
{
    unsigned port;
    int fd = bound_socket(&port);
    return start_on(fd, port, serve);
}

static inline void stop(struct server server)
{
    kill(server.pid, SIGKILL);
    waitpid(server.pid, NULL, 0);
}

static inline void send_bytes(const struct visit *visit, const uint8_t *bytes, size_t size)
{
    (void)sendto(visit->fd, bytes, size, 0, (const struct sockaddr *)&visit->from,
                 visit->from_size);
}

/* A fragment of an answer to the visit. */
static inline void answer(const struct visit *visit, size_t offset, const char *text, bool more)
{
    uint8_t bytes[512];
    size_t count = strlen(text);
    memcpy(bytes, visit->bytes, HEADER);
    bytes[1] = (uint8_t)(0x80 | (more ? 0x20 : 0) | visit->bytes[1]);
    bytes[8] = (uint8_t)(offset >> 8);
    bytes[9] = (uint8_t)offset;
    bytes[10] = (uint8_t)(count >> 8);
    bytes[11] = (uint8_t)count;
    for (size_t i = 0; i < count; i++) {
        bytes[HEADER + i] = (uint8_t)text[i];
    }
    send_bytes(visit, bytes, HEADER + count);
}

static inline bool nobody_interrupts(void)
{
    return false;
}

#endif
