/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Endpoints as the kernel wants them, and back. Knows no sockets.
 */
#ifndef HOLDFAST_DAEMON_SOCKET_ADDRESS_H
#define HOLDFAST_DAEMON_SOCKET_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "../address.h"

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Returns its length. `scope` is the interface of a link-local IPv6 address and is left out of any
 * other. The address must be of a family. */
socklen_t socket_address_set(union socket_address *out, const struct endpoint *from,
                             uint32_t scope);

/* ADDRESS_NONE when it is of neither family. */
struct endpoint socket_address_get(const union socket_address *from);

/* fe80::/10. */
bool socket_address_is_link_local(const struct address *address);

#endif
