/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Adding whole pieces to files: see append_file.h. Decides nothing about names or times.
 */
#include "append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int append_file_open(int directory, const char *name)
{
    /* O_NONBLOCK: a FIFO without a reader is refused instead of holding up the process. */
    return openat(directory, name,
                  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
}

/* Takes the first part of a piece off the end of the file again. After a write the file's position
 * is its end; a pipe or a terminal has none, and keeps the part. */
static void cut_off(int fd, size_t size)
{
    struct stat status;
    off_t end = lseek(fd, 0, SEEK_CUR);
    if (end < (off_t)size || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        return;
    }
    if (ftruncate(fd, end - (off_t)size) == 0) {
        (void)lseek(fd, 0, SEEK_END);
    }
}

int append_file_add(int fd, const void *piece, size_t size)
{
    const char *bytes = piece;
    size_t done = 0;
    while (done < size) {
        ssize_t n = write(fd, bytes + done, size - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            int why = n == 0 ? ENOSPC : errno;
            if (done > 0) {
                cut_off(fd, done);
            }
            return why;
        }
    }
    return 0;
}
