/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ntp.keys: "id type secret [address[/bits],...]".
 *
 * A secret of up to 20 characters is ASCII, a longer one hexadecimal; "HEX:" and "ASCII:" say so
 * outright.
 * '#' starts a comment only at the start of a line or after a blank. Types: MD5 (M), SHA1, SHA256,
 * SHA512, AES128CMAC (AES), in any letter case. MD5 loads with a warning (RFC 8573). An AES128CMAC
 * secret has exactly 16 bytes. A word in quotes is an error: whether the quotes belong to the
 * secret, implementations disagree. No message shows a secret.
 */
#ifndef HOLDFAST_KEYS_H
#define HOLDFAST_KEYS_H

#include "../auth.h"
#include "lexer.h"

/* Reads a key file into a sorted array (g_free() it), *count of them. False with an error message
 * when any line is wrong, *keys NULL then: a key file is never half used. A file that others may
 * read or write is a warning. is_trusted is false throughout. */
bool keys_load(const char *path, const struct line *from, struct key **keys, size_t *count,
               struct messages *messages);

/* The same from text; no file mode to look at. */
bool keys_parse(const char *file, const char *text, size_t size, struct key **keys, size_t *count,
                struct messages *messages);

#endif
