/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file that grows during a run; see output_file.h.
 */
#include "output_file.h"

#include <errno.h>
#include <stdio.h>

enum { PENDING_MAX = 1 << 16 };

void output_file_init(struct output_file *file, char *path)
{
    *file = (struct output_file){path, g_string_new(NULL), 0};
}

bool output_file_flush(struct output_file *file)
{
    if (file->cause != 0) {
        g_string_truncate(file->pending, 0);
        return false;
    }
    errno = 0;
    FILE *stream = fopen(file->path, "ab");
    bool ok =
        stream && fwrite(file->pending->str, 1, file->pending->len, stream) == file->pending->len;
    int cause = errno;
    if (stream && fclose(stream) != 0 && ok) {
        cause = errno;
        ok = false;
    }
    if (!ok) {
        file->cause = cause != 0 ? cause : EIO;
    }
    g_string_truncate(file->pending, 0);
    return ok;
}

void output_file_append(struct output_file *file, const void *bytes, size_t size)
{
    g_string_append_len(file->pending, bytes, (gssize)size);
    if (file->pending->len >= PENDING_MAX) {
        output_file_flush(file);
    }
}

void output_file_clear(struct output_file *file)
{
    if (file->pending) {
        g_string_free(file->pending, TRUE);
    }
    g_free(file->path);
    *file = (struct output_file){0};
}
