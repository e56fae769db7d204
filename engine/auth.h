/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Symmetric keys: the table of ntp.keys and the MAC trailer (RFC 5905 7.3, RFC 8573).
 *
 * Digests come from nettle. A key is immutable once loaded and never invented. Digests longer than
 * 20 bytes travel truncated to 20. Nothing here decides which key an association must use
 * (source.h).
 */
#ifndef HOLDFAST_AUTH_H
#define HOLDFAST_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "packet.h"

enum key_type { KEY_MD5, KEY_SHA1, KEY_SHA256, KEY_SHA512, KEY_AES128CMAC, KEY_TYPES };
enum { KEY_SECRET_MAX = 64, KEY_ADDRESSES_MAX = 4 };

struct key_address {
    struct address address;
    uint8_t prefix; /* bits */
};

struct key {
    uint32_t id; /* 1 ... 65535 */
    enum key_type type;
    bool is_trusted; /* named by trustedkey */
    uint8_t secret_size;
    uint8_t secret[KEY_SECRET_MAX];
    uint8_t address_count; /* 0 = any host may use it */
    struct key_address addresses[KEY_ADDRESSES_MAX];
};

/* Keys sorted by id, at most one of each. */
struct key_table {
    const struct key *keys;
    size_t count;
};

enum auth_verdict {
    AUTH_OK = 0,
    AUTH_NO_MAC,      /* the packet carries none */
    AUTH_CRYPTO_NAK,  /* it carries a refusal instead */
    AUTH_NO_KEY,      /* no trusted key of that id here */
    AUTH_WRONG_KEY,   /* a valid key, but not the one asked for */
    AUTH_NOT_ALLOWED, /* the key's address list does not name the sender */
    AUTH_BAD_SIZE,    /* digest size is not this key type's */
    AUTH_BAD_DIGEST
};

/* NULL when there is no such key. Trust is not looked at. */
const struct key *key_find(const struct key_table *table, uint32_t id);

/* 16 for MD5 and AES128CMAC, else 20. */
size_t key_digest_size(enum key_type type);

/* "MD5", "SHA1", "SHA256", "SHA512", "AES128CMAC". */
const char *key_type_name(enum key_type type);

/* Appends key id and digest of bytes[0, size) at bytes + size; returns the bytes added: 20 or
 * 24. */
size_t auth_append(const struct key *key, uint8_t *bytes, size_t size);

/* Checks the MAC of a parsed packet, whose bytes begin at `bytes`, in time that does not depend on
 * the digest's value. `required` is the only key id that will do; 0 = any trusted key of the
 * table. */
enum auth_verdict auth_verify(const struct key_table *table, uint32_t required,
                              const struct address *sender, const struct packet *packet,
                              const uint8_t *bytes) __attribute__((warn_unused_result));

const char *auth_verdict_text(enum auth_verdict verdict);

#endif
