/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A block of addresses: text and arithmetic on bits. Never resolves a name.
 */
#include "network.h"

#include <string.h>

#include "lexer.h"

uint8_t network_bits(const struct address *address)
{
    return address->family == ADDRESS_V6 ? 128 : 32;
}

bool network_parse(const char *text, struct network *out)
{
    char address[ADDRESS_TEXT_SIZE];
    size_t size = strcspn(text, "/");
    if (size >= sizeof address) {
        return false;
    }
    memcpy(address, text, size);
    address[size] = '\0';
    struct network read = {.prefix = 0};
    if (!address_parse(address, &read.address)) {
        return false;
    }
    read.prefix = network_bits(&read.address);
    if (text[size] == '/') {
        long bits;
        if (!parse_integer(text + size + 1, &bits) || bits < 0 || bits > read.prefix) {
            return false;
        }
        read.prefix = (uint8_t)bits;
    }
    *out = read;
    return true;
}

static bool bit_is_set(const struct address *address, unsigned bit)
{
    return (address->bytes[bit / 8] >> (7 - bit % 8)) & 1;
}

bool network_prefix_of_mask(const struct address *mask, uint8_t *prefix)
{
    unsigned bits = network_bits(mask), ones = 0;
    while (ones < bits && bit_is_set(mask, ones)) {
        ones++;
    }
    for (unsigned bit = ones; bit < bits; bit++) {
        if (bit_is_set(mask, bit)) {
            return false;
        }
    }
    *prefix = (uint8_t)ones;
    return true;
}

bool network_clear_host_bits(struct network *network)
{
    bool any = false;
    for (unsigned bit = network->prefix; bit < network_bits(&network->address); bit++) {
        if (bit_is_set(&network->address, bit)) {
            network->address.bytes[bit / 8] &= (uint8_t) ~(0x80u >> (bit % 8));
            any = true;
        }
    }
    return any;
}

bool network_contains(const struct network *network, const struct address *address)
{
    if (network->address.family != address->family) {
        return false;
    }
    for (unsigned bit = 0; bit < network->prefix; bit++) {
        if (bit_is_set(&network->address, bit) != bit_is_set(address, bit)) {
            return false;
        }
    }
    return true;
}
