/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sockets of client requests, found by their peer. Whether a request has an answer is not known
 * here; a socket lives until the next request to the same server.
 */
#include "client_sockets.h"

#include <errno.h>
#include <unistd.h>

#include "packet_stamp.h"
#include "socket_address.h"

static void drop(struct client_sockets *clients, struct client_socket *socket)
{
    close(socket->fd);
    *socket = clients->sockets[--clients->count];
}

static void drop_peer(struct client_sockets *clients, const struct endpoint *peer)
{
    for (size_t i = clients->count; i > 0; i--) {
        struct client_socket *socket = &clients->sockets[i - 1];
        if (socket->peer.port == peer->port &&
            address_equal(&socket->peer.address, &peer->address)) {
            drop(clients, socket);
        }
    }
}

static void drop_longest_unused(struct client_sockets *clients)
{
    struct client_socket *oldest = &clients->sockets[0];
    for (size_t i = 1; i < clients->count; i++) {
        oldest = clients->sockets[i].turn < oldest->turn ? &clients->sockets[i] : oldest;
    }
    drop(clients, oldest);
}

/* Connecting an unbound socket gives it a random port of the range for such. */
static int connect_new(const struct endpoint *peer, uint32_t scope, struct endpoint *local)
{
    union socket_address address;
    socklen_t size = socket_address_set(&address, peer, scope);
    int fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    packet_stamp_enable(fd, STAMPED_ALL);
    bool is_connected = connect(fd, &address.any, size) == 0;
    size = sizeof address;
    if (!is_connected || getsockname(fd, &address.any, &size) != 0) {
        int cause = errno;
        close(fd);
        errno = cause;
        return -1;
    }
    *local = socket_address_get(&address);
    return fd;
}

int client_sockets_send(struct client_sockets *clients, const struct outgoing *out, uint32_t scope)
{
    struct client_socket socket = {.peer = out->peer, .request = out->request};
    drop_peer(clients, &out->peer);
    if (clients->count == CLIENT_SOCKETS_MAX) {
        drop_longest_unused(clients);
    }
    socket.fd = connect_new(&out->peer, scope, &socket.local);
    if (socket.fd < 0) {
        return errno;
    }
    if (send(socket.fd, out->bytes, out->size, MSG_DONTWAIT) < 0) {
        int cause = errno;
        close(socket.fd);
        return cause;
    }
    socket.turn = ++clients->turn;
    clients->sockets[clients->count++] = socket;
    return 0;
}

const struct client_socket *client_sockets_find(const struct client_sockets *clients, int fd)
{
    for (size_t i = 0; i < clients->count; i++) {
        if (clients->sockets[i].fd == fd) {
            return &clients->sockets[i];
        }
    }
    return NULL;
}

void client_sockets_close(struct client_sockets *clients)
{
    while (clients->count > 0) {
        drop(clients, &clients->sockets[0]);
    }
}
