/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A block of addresses, as restrict lines and key files name it: "192.0.2.0/24", or address and
 * mask.
 */
#ifndef HOLDFAST_NETWORK_H
#define HOLDFAST_NETWORK_H

#include <stdbool.h>

#include "../address.h"

struct network {
    struct address address;
    uint8_t prefix; /* bits: 0 ... 32 or 128 */
};

/* 32 or 128. */
uint8_t network_bits(const struct address *address);

/* Reads "ADDRESS" (all bits count) or "ADDRESS/BITS"; false when it is neither. Host bits are
 * kept. */
bool network_parse(const char *text, struct network *out);

/* The number of leading one bits of a mask; false when a one follows a zero. */
bool network_prefix_of_mask(const struct address *mask, uint8_t *prefix);

/* Clears the bits after the prefix; true when one was set. */
bool network_clear_host_bits(struct network *network);

bool network_contains(const struct network *network, const struct address *address);

#endif
