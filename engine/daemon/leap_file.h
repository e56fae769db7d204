/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The list of leap seconds (leap-seconds.list of IERS, NIST and tzdata): TAI - UTC at a time, and
 * the leap seconds themselves for the engine, which announces them.
 */
#ifndef HOLDFAST_DAEMON_LEAP_FILE_H
#define HOLDFAST_DAEMON_LEAP_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "../leap.h"

enum { LEAP_ROWS_MAX = 128 };

struct leap_file {
    unsigned count; /* 0 = nothing is known */
    struct {
        int64_t from_s; /* Unix */
        int32_t tai_s;  /* TAI - UTC from then on */
    } rows[LEAP_ROWS_MAX];
    int64_t expires_s; /* Unix; later the list may lack a leap second */
};

/* Reads a list whole; false with *error (g_free() it) and an empty list when it cannot be read, is
 * no such list or its hash is wrong. */
bool leap_file_read(const char *path, struct leap_file *out, char **error);

/* TAI - UTC; 0 = not known: before the first row, without rows, and next to a leap second, where a
 * clock may have it behind it or before it. */
int32_t leap_file_tai(const struct leap_file *file, int64_t unix_s);

/* The newest leap seconds of the list, and when it expires; a row that is no leap second - by more
 * than one second, or not at midnight - is none of them. */
struct leap_list leap_file_leaps(const struct leap_file *file);

#endif
