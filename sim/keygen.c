/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A line of ntp.keys; see keygen.h.
 */
#include "keygen.h"

#include <glib.h>

static const struct {
    enum key_type type;
    size_t secret_size;
} kinds[] = {{KEY_AES128CMAC, 16}, {KEY_SHA256, 32}, {KEY_SHA512, 32}, {KEY_SHA1, 20}};

bool keygen_type(const char *name, enum key_type *type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_ascii_strcasecmp(name, key_type_name(kinds[i].type)) == 0) {
            *type = kinds[i].type;
            return true;
        }
    }
    return false;
}

size_t keygen_secret_size(enum key_type type)
{
    size_t size = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (kinds[i].type == type) {
            size = kinds[i].secret_size;
        }
    }
    return size;
}

char *keygen_text(uint32_t id, enum key_type type, const uint8_t *secret)
{
    /* Sized at once, so that no copy of the secret stays behind in a buffer that was outgrown. */
    GString *text = g_string_sized_new(256);
    g_string_append_printf(text,
                           "# Key %u, made by holdfast keygen: the same line on every host that "
                           "uses it.\n%u %s ",
                           id, id, key_type_name(type));
    for (size_t i = 0; i < keygen_secret_size(type); i++) {
        g_string_append_printf(text, "%02x", secret[i]);
    }
    g_string_append_c(text, '\n');
    return g_string_free(text, FALSE);
}
