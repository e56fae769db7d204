/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A line of ntp.keys from random bytes, such that ntpd, NTPsec and we read it alike. Draws no
 * randomness and opens no file.
 */
#ifndef HOLDFAST_KEYGEN_H
#define HOLDFAST_KEYGEN_H

#include <stdbool.h>

#include "../engine/auth.h"

/* The type of a name, in any letter case; false when it is none that new keys are made of: there is
 * no MD5 (RFC 8573). */
bool keygen_type(const char *name, enum key_type *type);

/* Bytes of secret that a new key of the type gets, at most KEY_SECRET_MAX: 16 for AES128CMAC, as
 * many as the digest has for the others, but never more than 32, since ntpd reads no more. */
size_t keygen_secret_size(enum key_type type);

/* "# comment\nID TYPE HEX\n"; the secret has keygen_secret_size() bytes. Longer than 20 characters,
 * hence hexadecimal to every reader. g_free() it, after wiping it. */
char *keygen_text(uint32_t id, enum key_type type, const uint8_t *secret);

#endif
