/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pieces added to a file: whole, or not at all when the disk is full.
 */
#include "../engine/daemon/append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

struct place {
    char *folder, *path;
};

static struct place place_open(void)
{
    struct place place = {.folder = g_dir_make_tmp("holdfast-append-XXXXXX", NULL)};
    place.path = g_build_filename(place.folder, "file", NULL);
    return place;
}

static void place_close(struct place *place)
{
    g_unlink(place->path);
    CHECK_INT(g_rmdir(place->folder), 0);
    g_free(place->folder);
    g_free(place->path);
}

static void check_holds(const struct place *place, const char *expected)
{
    char *text = NULL;
    CHECK(g_file_get_contents(place->path, &text, NULL, NULL));
    CHECK_STR(text, expected);
    g_free(text);
}

/* Adds to the file with room for so many bytes; what it came to. */
static int add_with_room(int fd, const char *piece, rlim_t room)
{
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = room;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    int why = append_file_add(fd, piece, strlen(piece));
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    return why;
}

static void what_does_not_fit_is_taken_off_again(void)
{
    static const int ways[] = {O_APPEND, 0}; /* as a log, and as a recording is opened */
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct place place = place_open();
        int fd = open(place.path, O_WRONLY | O_CREAT | ways[i], 0600);
        CHECK(fd >= 0);
        CHECK_INT(add_with_room(fd, "first\n", 10), 0);
        CHECK_INT(add_with_room(fd, "second\n", 10), EFBIG); /* four bytes of it fit */
        check_holds(&place, "first\n");
        CHECK_INT(add_with_room(fd, "third\n", 100), 0);
        check_holds(&place, "first\nthird\n");
        close(fd);
        place_close(&place);
    }
}

static void what_is_there_is_added_to_and_a_new_file_is_for_owner_and_group(void)
{
    struct place place = place_open();
    struct stat status;
    mode_t before = umask(0);
    for (int i = 0; i < 2; i++) {
        int fd = append_file_open(AT_FDCWD, place.path);
        CHECK(fd >= 0);
        CHECK_INT(append_file_add(fd, "piece\n", 6), 0);
        close(fd);
    }
    umask(before);
    check_holds(&place, "piece\npiece\n");
    CHECK_INT(stat(place.path, &status), 0);
    CHECK_INT(status.st_mode & 07777, 0640);
    place_close(&place);
}

static void a_fifo_that_nobody_reads_is_refused_and_not_waited_for(void)
{
    struct place place = place_open();
    CHECK_INT(mkfifo(place.path, 0600), 0);
    CHECK_INT(append_file_open(AT_FDCWD, place.path), -1);
    CHECK_INT(errno, ENXIO);
    place_close(&place);
}

static void what_cannot_be_written_says_why(void)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    CHECK(full >= 0);
    CHECK_INT(append_file_add(full, "x", 1), ENOSPC);
    CHECK_INT(append_file_add(full, "", 0), 0);
    close(full);
    CHECK_INT(append_file_add(full, "x", 1), EBADF);
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }

const struct test_case append_file_tests[] = {
    CASE(what_does_not_fit_is_taken_off_again),
    CASE(what_is_there_is_added_to_and_a_new_file_is_for_owner_and_group),
    CASE(a_fifo_that_nobody_reads_is_refused_and_not_waited_for),
    CASE(what_cannot_be_written_says_why),
    {NULL, NULL}};
