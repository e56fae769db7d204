/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opening the service port. The order inside a group is the selector's numbering: the main loop's
 * socket was bound first and is 0, thread n is n + 1. A group is closed as a whole, from its end,
 * so that no number ever changes hands. A group that cannot be made whole is given up for its first
 * socket alone, which then hears every mode.
 */
#include "service_socket.h"

#include <errno.h>
#include <unistd.h>

#include "mode_selector.h"
#include "packet_stamp.h"
#include "socket_address.h"

/* A burst that a thread finds when it was not scheduled for some milliseconds. */
#define THREAD_BUFFER_SIZE (1 << 20)

static int set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : errno;
}

bool service_socket_can_share(int *cause)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        *cause = errno;
        return false;
    }
    *cause = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (*cause == 0) {
        *cause = mode_selector_attach(fd, ADDRESS_V4, 1);
    }
    close(fd);
    return *cause == 0;
}

static int make(int family)
{
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && family == AF_INET6) {
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    }
    return fd;
}

/* -1 with errno. */
static int bind_one(const struct service_socket *socket, bool joins)
{
    union socket_address address;
    socklen_t size = socket_address_set(&address, &socket->endpoint, socket->at.interface);
    int fd = make(address.any.sa_family);
    if (fd < 0) {
        return -1;
    }
    if ((joins && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0) ||
        bind(fd, &address.any, size) != 0) {
        int cause = errno;
        close(fd);
        errno = cause;
        return -1;
    }
    return fd;
}

/* What reached a thread's socket before the selector stood is not for it to answer. */
static void discard_waiting(int fd)
{
    char byte;
    while (recv(fd, &byte, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0) {
    }
}

static int open_threads(struct service_socket *socket, unsigned threads)
{
    int cause = set_option(socket->fd, SOL_SOCKET, SO_REUSEPORT, 1);
    while (cause == 0 && socket->thread_count < threads) {
        int fd = bind_one(socket, true);
        if (fd < 0) {
            return errno;
        }
        socket->thread_fds[socket->thread_count++] = fd;
        set_option(fd, SOL_SOCKET, SO_RCVBUF, THREAD_BUFFER_SIZE);
        packet_stamp_enable_receive(fd);
    }
    if (cause == 0) {
        cause = mode_selector_attach(socket->fd, socket->endpoint.address.family, threads);
    }
    for (unsigned i = 0; cause == 0 && i < socket->thread_count; i++) {
        discard_waiting(socket->thread_fds[i]);
    }
    return cause;
}

static const char *cure_of(int cause)
{
    switch (cause) {
    case EADDRINUSE:
        return "another time service is running here (`ss -ulpn` names it): stop it, or leave it "
               "what it serves with `interface ignore`";
    case EACCES:
    case EPERM:
        return "ports below 1024 need root or CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL:
        return "not usable yet; tried again when the kernel reports a change";
    case EMFILE:
    case ENFILE:
        return "raise the limit on open files (LimitNOFILE=), or serve fewer addresses";
    default:
        return "check the interface and the `interface` lines of the configuration";
    }
}

/* "127.0.0.1 (lo) and 2 other addresses, port 123: CAUSE"; g_free() it. */
static char *name_places(const struct local_address *first, unsigned others, uint16_t port,
                         int cause)
{
    char text[ADDRESS_TEXT_SIZE], more[48] = "";
    if (others > 0) {
        g_snprintf(more, sizeof more, " and %u other address%s", others, others > 1 ? "es" : "");
    }
    return g_strdup_printf("%s (%s)%s, port %u: %s", address_text(&first->address, text),
                           first->name, more, port, g_strerror(cause));
}

char *service_socket_failure(const struct local_address *first, unsigned others, uint16_t port,
                             int cause)
{
    char *places = name_places(first, others, port, cause);
    char *line = g_strdup_printf("cannot serve at %s; %s", places, cure_of(cause));
    g_free(places);
    return line;
}

char *service_socket_solitude(const struct local_address *first, unsigned others, uint16_t port,
                              int cause)
{
    bool is_limit = cause == EMFILE || cause == ENFILE;
    char *places = name_places(first, others, port, cause);
    char *line = g_strdup_printf(
        "server threads cannot have %s; the main loop alone answers there until the next start%s",
        places, is_limit ? ", which needs a higher limit on open files (LimitNOFILE=)" : "");
    g_free(places);
    return line;
}

int service_socket_open(struct service_socket *out, const struct local_address *at, uint16_t port,
                        unsigned threads)
{
    *out = (struct service_socket){.at = *at, .endpoint = {at->address, port}};
    out->fd = bind_one(out, false);
    int cause = out->fd < 0 ? errno : 0;
    if (cause == 0) {
        packet_stamp_enable(out->fd, STAMPED_MARKED);
        if (at->action == INTERFACE_DROP) {
            cause = mode_selector_drop_all(out->fd);
        } else if (threads > 0) {
            int refusal = open_threads(out, threads);
            if (refusal != 0) {
                service_socket_part(out, refusal);
            }
        }
    }
    if (cause != 0) {
        service_socket_close(out);
    }
    return cause;
}

static void close_threads(struct service_socket *socket)
{
    while (socket->thread_count > 0) {
        close(socket->thread_fds[--socket->thread_count]);
    }
}

/* A socket that allows none beside it is not looked up by its group's selector either. */
void service_socket_part(struct service_socket *socket, int cause)
{
    close_threads(socket);
    set_option(socket->fd, SOL_SOCKET, SO_REUSEPORT, 0);
    socket->alone_cause = cause;
}

void service_socket_close(struct service_socket *socket)
{
    close_threads(socket);
    if (socket->fd >= 0) {
        close(socket->fd);
        socket->fd = -1;
    }
}

/* ---- sending ------------------------------------------------------------------------------- */

static bool is_symmetric(const uint8_t *bytes, size_t size)
{
    unsigned mode = size > 0 ? bytes[0] & 7u : 0;
    return mode == MODE_ACTIVE || mode == MODE_PASSIVE;
}

int service_socket_send(struct service_socket *socket, const struct endpoint *peer,
                        const uint8_t *bytes, size_t size)
{
    _Alignas(struct cmsghdr) uint8_t control[PACKET_STAMP_ROOM];
    union socket_address address;
    struct iovec vector = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = {.msg_name = &address, .msg_iov = &vector, .msg_iovlen = 1};
    bool is_stamped = is_symmetric(bytes, size);
    message.msg_namelen = socket_address_set(&address, peer, socket->at.interface);
    if (is_stamped) {
        packet_stamp_mark(&message, control);
    }
    if (sendmsg(socket->fd, &message, MSG_DONTWAIT) < 0) {
        int cause = errno;
        if (is_stamped) {
            /* Whether the kernel has counted it is not known: both counts begin anew. */
            packet_stamp_restart(socket->fd, STAMPED_MARKED);
            socket->stamped = 0;
        }
        return cause;
    }
    if (is_stamped) {
        socket->stamped_peers[socket->stamped++ % SERVICE_STAMPS] = *peer;
    }
    return 0;
}

bool service_socket_stamped_peer(const struct service_socket *socket, uint32_t id,
                                 struct endpoint *peer)
{
    uint32_t age = socket->stamped - id;
    if (age == 0 || age > SERVICE_STAMPS) {
        return false;
    }
    *peer = socket->stamped_peers[id % SERVICE_STAMPS];
    return true;
}
