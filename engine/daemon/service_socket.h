/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The service port at one local address: the main loop's socket and, in one SO_REUSEPORT group with
 * it, one for each server thread.
 *
 * The first socket of a group is bound alone, before it allows others beside it: whoever holds the
 * port, another program or a second daemon of the same user, is noticed there, without a race.
 */
#ifndef HOLDFAST_DAEMON_SERVICE_SOCKET_H
#define HOLDFAST_DAEMON_SERVICE_SOCKET_H

#include "../engine.h"
#include "interfaces.h"

/* Sends whose stamp has not come yet; older ones are forgotten. */
enum { SERVICE_THREADS_MAX = 16, SERVICE_STAMPS = 64 };

struct service_socket {
    struct local_address at;
    struct endpoint endpoint;
    int fd;
    unsigned thread_count;
    int thread_fds[SERVICE_THREADS_MAX];
    int alone_cause;  /* why the threads that were wanted are not there: an errno; 0 = they are */
    uint32_t stamped; /* sends so far whose stamp was asked for */
    struct endpoint stamped_peers[SERVICE_STAMPS];
};

/* Whether this kernel lets a group be divided as mode_selector.h wants it, asked at a socket of
 * IPv4 before there are any threads; else *cause. */
bool service_socket_can_share(int *cause);

/* Binds all of the group. 0, or an errno when not even the main loop's socket can be had. What goes
 * wrong after that leaves the main loop's alone, with alone_cause. */
int service_socket_open(struct service_socket *out, const struct local_address *at, uint16_t port,
                        unsigned threads);

/* Closes the threads' sockets, which nobody may use any more, for that reason (an errno); the main
 * loop's hears every mode from now on. */
void service_socket_part(struct service_socket *socket, int cause);

/* One line for all addresses that cannot be served for the same cause: the first, how many others,
 * the cause (an errno) and the cure. g_free() it. */
char *service_socket_failure(const struct local_address *first, unsigned others, uint16_t port,
                             int cause);

/* The same for addresses that the main loop serves alone. */
char *service_socket_solitude(const struct local_address *first, unsigned others, uint16_t port,
                              int cause);

void service_socket_close(struct service_socket *socket);

/* Sends from the main loop's socket; a symmetric packet asks for its stamp. 0 or an errno. */
int service_socket_send(struct service_socket *socket, const struct endpoint *peer,
                        const uint8_t *bytes, size_t size);

/* Whom the stamped send of that number went to; false when it is too long ago. */
bool service_socket_stamped_peer(const struct service_socket *socket, uint32_t id,
                                 struct endpoint *peer);

#endif
