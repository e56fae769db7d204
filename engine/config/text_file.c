/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A regular file of bounded size, read whole and at once. Opened without blocking and looked at
 * before it is read, so that a FIFO or a device under the name of a configuration cannot hang its
 * reader.
 */
#include "text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *read_whole(int fd, size_t size_max, struct text_file *out)
{
    /* One byte more than allowed is room enough to see that a file is too large, even one that
     * grows. */
    char *text = g_malloc(size_max + 2);
    size_t size = 0;
    while (size <= size_max) {
        ssize_t got = read(fd, text + size, size_max + 1 - size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            char *why = g_strdup(g_strerror(errno));
            g_free(text);
            return why;
        }
        if (got == 0) {
            break;
        }
        size += (size_t)got;
    }
    if (size > size_max) {
        g_free(text);
        return g_strdup_printf("larger than %zu bytes", size_max);
    }
    text[size] = '\0';
    out->text = text;
    out->size = size;
    return NULL;
}

char *text_file_read(const char *path, size_t size_max, struct text_file *out)
{
    memset(out, 0, sizeof *out);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return g_strdup(g_strerror(errno));
    }
    struct stat status;
    char *why;
    if (fstat(fd, &status) != 0) {
        why = g_strdup(g_strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        why = g_strdup("not a regular file");
    } else {
        out->mode = status.st_mode & 07777u;
        out->device = (uint64_t)status.st_dev;
        out->inode = (uint64_t)status.st_ino;
        why = read_whole(fd, size_max, out);
    }
    close(fd);
    return why;
}

void text_file_clear(struct text_file *file)
{
    if (file->text) {
        explicit_bzero(file->text, file->size);
        g_free(file->text);
        file->text = NULL;
    }
    file->size = 0;
}
