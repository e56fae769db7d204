/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Endpoints as the kernel wants them, and back. An IPv4 address that comes mapped into IPv6 is not
 * unwrapped: no socket of ours is of both families.
 */
#include "socket_address.h"

#include <assert.h>
#include <string.h>

bool socket_address_is_link_local(const struct address *address)
{
    return address->family == ADDRESS_V6 && address->bytes[0] == 0xFE &&
           (address->bytes[1] & 0xC0) == 0x80;
}

socklen_t socket_address_set(union socket_address *out, const struct endpoint *from, uint32_t scope)
{
    assert(from->address.family == ADDRESS_V4 || from->address.family == ADDRESS_V6);
    memset(out, 0, sizeof *out);
    if (from->address.family == ADDRESS_V4) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(from->port);
        memcpy(&out->v4.sin_addr, from->address.bytes, sizeof out->v4.sin_addr);
        return sizeof out->v4;
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(from->port);
    out->v6.sin6_scope_id = socket_address_is_link_local(&from->address) ? scope : 0;
    memcpy(&out->v6.sin6_addr, from->address.bytes, sizeof out->v6.sin6_addr);
    return sizeof out->v6;
}

struct endpoint socket_address_get(const union socket_address *from)
{
    struct endpoint out = {.port = 0};
    if (from->any.sa_family == AF_INET) {
        out.address.family = ADDRESS_V4;
        memcpy(out.address.bytes, &from->v4.sin_addr, sizeof from->v4.sin_addr);
        out.port = ntohs(from->v4.sin_port);
    } else if (from->any.sa_family == AF_INET6) {
        out.address.family = ADDRESS_V6;
        memcpy(out.address.bytes, &from->v6.sin6_addr, sizeof from->v6.sin6_addr);
        out.port = ntohs(from->v6.sin6_port);
    }
    return out;
}
