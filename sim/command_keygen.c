/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `holdfast keygen`: a new symmetric key for ntp.keys, from the kernel's random numbers.
 *
 * Overwrites nothing, and shows the secret only where it was asked for: on standard output without
 * --out, in the new file with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "keygen.h"
#include "option_table.h"

#define TYPES "AES128CMAC, SHA256, SHA512 or SHA1"

enum { ID_MAX = 65535 };

struct keygen_options {
    uint64_t id;
    bool has_id;
    const char *type_name, *path; /* path NULL: standard output */
};

const char *command_keygen_help(void)
{
    return "  keygen [ID] [OPTION]...\n"
           "                       make a key: a line for ntp.keys; ID from 1 to 65535, default 1\n"
           "      --type TYPE      AES128CMAC (default), SHA256, SHA512 or SHA1; MD5 is broken\n"
           "      --out FILE       into a new file that only its owner can read\n";
}

static bool take_type(void *out, const char *value)
{
    struct keygen_options *options = out;
    options->type_name = value;
    return true;
}

static bool take_path(void *out, const char *value)
{
    struct keygen_options *options = out;
    options->path = value;
    return value[0] != '\0';
}

static bool take_id(void *out, const char *word)
{
    struct keygen_options *options = out;
    if (options->has_id) {
        return option_table_complain("keygen", "one key at a time: \"%s\" is one too many", word);
    }
    options->has_id = true;
    return g_ascii_string_to_unsigned(word, 10, 1, ID_MAX, &options->id, NULL) ||
           option_table_complain("keygen", "expected a key id from 1 to %d, not \"%s\"", ID_MAX,
                                 word);
}

static const struct option options_known[] = {{"--type", TYPES, take_type},
                                              {"--out", "a file", take_path}};

static const struct option_table table = {"keygen", options_known, G_N_ELEMENTS(options_known),
                                          take_id};

static bool read_type(const char *name, enum key_type *type)
{
    if (keygen_type(name, type)) {
        return true;
    }
    if (g_ascii_strcasecmp(name, "MD5") == 0 || g_ascii_strcasecmp(name, "M") == 0) {
        return option_table_complain("keygen", "no new MD5 keys: RFC 8573 deprecates them, since "
                                               "MD5 is broken; use AES128CMAC");
    }
    return option_table_complain("keygen", "--type needs " TYPES ", not \"%s\"", name);
}

static bool draw(uint8_t *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = getrandom(bytes + done, size - done, 0);
        if (n < 0 && errno != EINTR) {
            return option_table_complain("keygen", "no random numbers from the kernel: %s",
                                         g_strerror(errno));
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        text += n;
        size -= (size_t)n;
    }
    return fsync(fd) == 0;
}

/* A file that exists may hold keys in use, so it is never opened. */
static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST) {
        return option_table_complain("keygen",
                                     "%s: exists and is left alone; to add a key to it: "
                                     "holdfast keygen ID >> %s",
                                     path, path);
    }
    if (fd < 0) {
        return option_table_complain("keygen", "%s: cannot be made: %s", path, g_strerror(errno));
    }
    bool ok = write_all(fd, text, strlen(text));
    int cause = errno;
    if (close(fd) != 0 && ok) {
        cause = errno;
        ok = false;
    }
    if (!ok) {
        unlink(path);
        return option_table_complain("keygen", "%s: cannot be written: %s", path,
                                     g_strerror(cause));
    }
    return true;
}

static enum exit_status put_key(const struct keygen_options *options, enum key_type type,
                                const char *text)
{
    if (!options->path) {
        fputs(text, stdout);
        return STATUS_ALL_RIGHT;
    }
    if (!write_file(options->path, text)) {
        return STATUS_FAILED;
    }
    unsigned id = (unsigned)options->id;
    printf("%s: key %u (%s). In ntp.conf: keys FILE, trustedkey %u, and \"key %u\" on the "
           "server or peer line.\n",
           options->path, id, key_type_name(type), id, id);
    return STATUS_ALL_RIGHT;
}

enum exit_status command_keygen(const struct command_line *line)
{
    struct keygen_options options = {.id = 1, .type_name = "AES128CMAC"};
    enum key_type type;
    if (!option_table_read(&table, line, &options) || !read_type(options.type_name, &type)) {
        return STATUS_USAGE;
    }
    uint8_t secret[KEY_SECRET_MAX];
    if (!draw(secret, keygen_secret_size(type))) {
        return STATUS_FAILED;
    }
    char *text = keygen_text((uint32_t)options.id, type, secret);
    enum exit_status status = put_key(&options, type, text);
    explicit_bzero(secret, sizeof secret);
    explicit_bzero(text, strlen(text));
    g_free(text);
    return status;
}
