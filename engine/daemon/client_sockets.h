/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sockets of client requests: a new one for each, connected, from a port that the kernel draws
 * at random (RFC 9109). It replaces the former one to the same server; answers that come late to
 * that one find nobody.
 */
#ifndef HOLDFAST_DAEMON_CLIENT_SOCKETS_H
#define HOLDFAST_DAEMON_CLIENT_SOCKETS_H

#include "../engine.h"

/* Sources that an engine can have; the longest unused makes room. */
enum { CLIENT_SOCKETS_MAX = ASSOCIATIONS_MAX * POOL_SIZE };

struct client_socket {
    int fd;
    struct endpoint peer, local;
    uint32_t request;
    uint64_t turn; /* grows from send to send */
};

struct client_sockets {
    struct client_socket sockets[CLIENT_SOCKETS_MAX]; /* the first `count` are open */
    size_t count;
    uint64_t turn;
};

/* Opens a socket and sends the request from it; `scope` is the interface of a link-local peer. 0,
 * or an errno: then there is no socket to that peer any more. */
int client_sockets_send(struct client_sockets *clients, const struct outgoing *out, uint32_t scope);

/* The socket of that descriptor; NULL when it was replaced. Valid until the next send. */
const struct client_socket *client_sockets_find(const struct client_sockets *clients, int fd);

void client_sockets_close(struct client_sockets *clients);

#endif
