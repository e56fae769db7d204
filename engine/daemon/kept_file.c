/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Small files replaced whole: see kept_file.h.
 */
#include "kept_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "append_file.h"

int kept_file_open(struct kept_file *file, const char *path)
{
    *file = (struct kept_file){.directory = -1};
    if (!path) {
        return 0;
    }
    if (!*path || g_str_has_suffix(path, "/")) {
        return EISDIR;
    }
    char *folder = g_path_get_dirname(path);
    file->directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int why = file->directory < 0 ? errno : 0;
    g_free(folder);
    if (why == 0) {
        file->path = g_strdup(path);
        file->name = g_path_get_basename(path);
    }
    return why;
}

void kept_file_close(struct kept_file *file)
{
    if (file->directory >= 0) {
        close(file->directory);
    }
    g_free(file->path);
    g_free(file->name);
    *file = (struct kept_file){.directory = -1};
}

static int write_and_flush(int fd, const char *text, size_t size)
{
    int why = append_file_add(fd, text, size);
    return why == 0 && fsync(fd) != 0 ? errno : why;
}

int kept_file_write(const struct kept_file *file, const char *text, size_t size, mode_t mode)
{
    char *temporary = g_strconcat(file->name, ".new", NULL);
    /* What is left of a former try may belong to another user: removed, not overwritten. */
    (void)unlinkat(file->directory, temporary, 0);
    int fd = openat(file->directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    int why = fd < 0 ? errno : write_and_flush(fd, text, size);
    if (fd >= 0 && close(fd) != 0 && why == 0) {
        why = errno;
    }
    if (why == 0 && renameat(file->directory, temporary, file->directory, file->name) != 0) {
        why = errno;
    }
    if (why != 0 && fd >= 0) {
        (void)unlinkat(file->directory, temporary, 0);
    }
    g_free(temporary);
    return why;
}

ssize_t kept_file_read(const struct kept_file *file, char *text, size_t size)
{
    int fd = openat(file->directory, file->name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return -1;
    }
    ssize_t count = read(fd, text, size - 1);
    int why = errno;
    close(fd);
    text[count > 0 ? count : 0] = '\0';
    errno = why;
    return count;
}

int kept_file_remove(const struct kept_file *file)
{
    return unlinkat(file->directory, file->name, 0) == 0 ? 0 : errno;
}

bool kept_file_may_write(const struct kept_file *file)
{
    return faccessat(file->directory, ".", W_OK | X_OK, AT_EACCESS) == 0;
}
