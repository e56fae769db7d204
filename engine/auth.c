/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Symmetric keys and the MAC trailer, by nettle. A message's digest is compared in constant time;
 * the sizes compared before it are public. Nothing here makes, stores or logs a key.
 */
#include "auth.h"

#include <assert.h>
#include <nettle/cmac.h>
#include <nettle/md5.h>
#include <nettle/memops.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <string.h>

enum { KEY_ID_SIZE = 4, DIGEST_SIZE_LONG = 20, DIGEST_SIZE_SHORT = 16 };

const struct key *key_find(const struct key_table *table, uint32_t id)
{
    size_t low = 0;
    size_t high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->keys[middle].id == id) {
            return &table->keys[middle];
        }
        if (table->keys[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

size_t key_digest_size(enum key_type type)
{
    return type == KEY_MD5 || type == KEY_AES128CMAC ? DIGEST_SIZE_SHORT : DIGEST_SIZE_LONG;
}

const char *key_type_name(enum key_type type)
{
    static const char *const names[KEY_TYPES] = {"MD5", "SHA1", "SHA256", "SHA512", "AES128CMAC"};
    assert((unsigned)type < KEY_TYPES);
    return names[type];
}

/* All but CMAC are the hash of key and message in a row (RFC 5905 7.3), cut to what travels. */

static void digest_md5(const struct key *key, const uint8_t *bytes, size_t size, uint8_t *digest)
{
    struct md5_ctx ctx;
    md5_init(&ctx);
    md5_update(&ctx, key->secret_size, key->secret);
    md5_update(&ctx, size, bytes);
    md5_digest(&ctx, DIGEST_SIZE_SHORT, digest);
}

static void digest_sha1(const struct key *key, const uint8_t *bytes, size_t size, uint8_t *digest)
{
    struct sha1_ctx ctx;
    sha1_init(&ctx);
    sha1_update(&ctx, key->secret_size, key->secret);
    sha1_update(&ctx, size, bytes);
    sha1_digest(&ctx, DIGEST_SIZE_LONG, digest);
}

static void digest_sha256(const struct key *key, const uint8_t *bytes, size_t size, uint8_t *digest)
{
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    sha256_update(&ctx, key->secret_size, key->secret);
    sha256_update(&ctx, size, bytes);
    sha256_digest(&ctx, DIGEST_SIZE_LONG, digest);
}

static void digest_sha512(const struct key *key, const uint8_t *bytes, size_t size, uint8_t *digest)
{
    struct sha512_ctx ctx;
    sha512_init(&ctx);
    sha512_update(&ctx, key->secret_size, key->secret);
    sha512_update(&ctx, size, bytes);
    sha512_digest(&ctx, DIGEST_SIZE_LONG, digest);
}

/* RFC 8573: the MAC of the message alone, the secret being the AES key. */
static void digest_cmac(const struct key *key, const uint8_t *bytes, size_t size, uint8_t *digest)
{
    struct cmac_aes128_ctx ctx;
    assert(key->secret_size == AES128_KEY_SIZE);
    cmac_aes128_set_key(&ctx, key->secret);
    cmac_aes128_update(&ctx, size, bytes);
    cmac_aes128_digest(&ctx, DIGEST_SIZE_SHORT, digest);
}

/* Writes key_digest_size() bytes. */
static void compute_digest(const struct key *key, const uint8_t *bytes, size_t size,
                           uint8_t *digest)
{
    assert(key->secret_size <= KEY_SECRET_MAX);
    switch (key->type) {
    case KEY_MD5:
        digest_md5(key, bytes, size, digest);
        return;
    case KEY_SHA1:
        digest_sha1(key, bytes, size, digest);
        return;
    case KEY_SHA256:
        digest_sha256(key, bytes, size, digest);
        return;
    case KEY_SHA512:
        digest_sha512(key, bytes, size, digest);
        return;
    case KEY_AES128CMAC:
        digest_cmac(key, bytes, size, digest);
        return;
    case KEY_TYPES:
        break;
    }
    assert(false);
}

size_t auth_append(const struct key *key, uint8_t *bytes, size_t size)
{
    uint8_t *trailer = bytes + size;
    trailer[0] = (uint8_t)(key->id >> 24);
    trailer[1] = (uint8_t)(key->id >> 16);
    trailer[2] = (uint8_t)(key->id >> 8);
    trailer[3] = (uint8_t)key->id;
    compute_digest(key, bytes, size, trailer + KEY_ID_SIZE);
    return KEY_ID_SIZE + key_digest_size(key->type);
}

static bool is_allowed(const struct key *key, const struct address *sender)
{
    for (unsigned i = 0; i < key->address_count; i++) {
        if (address_in_prefix(sender, &key->addresses[i].address, key->addresses[i].prefix)) {
            return true;
        }
    }
    return key->address_count == 0;
}

enum auth_verdict auth_verify(const struct key_table *table, uint32_t required,
                              const struct address *sender, const struct packet *packet,
                              const uint8_t *bytes)
{
    uint8_t digest[DIGEST_SIZE_LONG];
    if (!packet->has_mac) {
        return AUTH_NO_MAC;
    }
    if (packet->is_crypto_nak) {
        return AUTH_CRYPTO_NAK;
    }
    const struct key *key = key_find(table, packet->key_id);
    if (!key || !key->is_trusted) {
        return AUTH_NO_KEY;
    }
    if (required != 0 && key->id != required) {
        return AUTH_WRONG_KEY;
    }
    if (!is_allowed(key, sender)) {
        return AUTH_NOT_ALLOWED;
    }
    if (packet->digest_size != key_digest_size(key->type)) {
        return AUTH_BAD_SIZE;
    }
    compute_digest(key, bytes, packet->signed_size, digest);
    return memeql_sec(digest, packet->digest, packet->digest_size) ? AUTH_OK : AUTH_BAD_DIGEST;
}

const char *auth_verdict_text(enum auth_verdict verdict)
{
    switch (verdict) {
    case AUTH_OK:
        return "authentic";
    case AUTH_NO_MAC:
        return "no MAC";
    case AUTH_CRYPTO_NAK:
        return "crypto-NAK";
    case AUTH_NO_KEY:
        return "no trusted key of that id";
    case AUTH_WRONG_KEY:
        return "not the key of this association";
    case AUTH_NOT_ALLOWED:
        return "key not for this address";
    case AUTH_BAD_SIZE:
        return "digest size is not the key's";
    case AUTH_BAD_DIGEST:
        return "digest does not match";
    }
    return "unknown verdict";
}
