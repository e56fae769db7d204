/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The run directory; see run_directory.h. Removes only what it made, and former run directories.
 */
#include "run_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEMPORARY_NAMES = 100, OPEN_FOLDERS = 16 };

struct run_directory {
    char *target, *temporary;
    bool is_committed;
};

static char *complaint(const char *path, const char *what)
{
    return g_strdup_printf("%s: %s", path, what);
}

/* Of the path that the user asked for: the temporary one beside it means nothing to him. */
static char *cannot_make(const char *target, int cause)
{
    return g_strdup_printf("cannot make the output directory %s: %s", target, g_strerror(cause));
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

/* Removes a folder and all in it; follows no links. */
static void remove_tree(const char *path)
{
    nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

static bool is_empty(const char *path)
{
    GDir *folder = g_dir_open(path, 0, NULL);
    bool empty = folder && !g_dir_read_name(folder);
    if (folder) {
        g_dir_close(folder);
    }
    return empty;
}

/* Whether the target may be replaced; a text that says why not. */
static char *why_not(const char *target)
{
    struct stat status;
    if (lstat(target, &status) != 0) {
        return errno == ENOENT ? NULL : cannot_make(target, errno);
    }
    if (!S_ISDIR(status.st_mode)) {
        return complaint(target, "exists and is no directory");
    }
    char *summary = g_build_filename(target, "summary.json", NULL);
    bool is_run = g_file_test(summary, G_FILE_TEST_IS_REGULAR) || is_empty(target);
    g_free(summary);
    return is_run ? NULL
                  : complaint(target,
                              "exists and is no former run directory (it has no summary.json); "
                              "it is left alone");
}

/* The target as given, without slashes at its end, and through links where it is one. */
static char *plain_target(const char *target)
{
    char *plain = g_strdup(target);
    for (size_t size = strlen(plain); size > 1 && plain[size - 1] == '/'; size--) {
        plain[size - 1] = '\0';
    }
    if (g_file_test(plain, G_FILE_TEST_IS_SYMLINK)) {
        char *real = realpath(plain, NULL);
        if (real) {
            g_free(plain);
            plain = g_strdup(real);
            free(real);
        }
    }
    return plain;
}

struct run_directory *run_directory_new(const char *target, char **error)
{
    char *plain = plain_target(target);
    char *parent = g_path_get_dirname(plain);
    struct run_directory *directory = NULL;
    *error = why_not(plain);
    if (!*error && g_mkdir_with_parents(parent, 0777) != 0) {
        *error = cannot_make(plain, errno);
    }
    for (int i = 0; !*error && !directory; i++) {
        char *temporary = g_strdup_printf("%s.part-%ld-%d", plain, (long)getpid(), i);
        if (mkdir(temporary, 0777) == 0) {
            directory = g_new0(struct run_directory, 1);
            directory->target = plain;
            directory->temporary = temporary;
        } else {
            if (errno != EEXIST || i >= TEMPORARY_NAMES) {
                *error = cannot_make(plain, errno);
            }
            g_free(temporary);
        }
    }
    if (!directory) {
        g_free(plain);
    }
    g_free(parent);
    return directory;
}

char *run_directory_path(const struct run_directory *directory, const char *name)
{
    return g_build_filename(directory->temporary, name, NULL);
}

/* Messages name the path that the user asked for and not the temporary one. */
static char *write_complaint(const struct run_directory *directory, const char *name, int cause)
{
    char *path = g_build_filename(directory->target, name, NULL);
    char *text = complaint(path, g_strerror(cause));
    g_free(path);
    return text;
}

bool run_directory_make_folder(struct run_directory *directory, const char *name, char **error)
{
    char *path = run_directory_path(directory, name);
    bool ok = mkdir(path, 0777) == 0;
    if (!ok) {
        *error = write_complaint(directory, name, errno);
    }
    g_free(path);
    return ok;
}

bool run_directory_write(struct run_directory *directory, const char *name, const char *text,
                         size_t size, char **error)
{
    char *path = run_directory_path(directory, name);
    FILE *file = fopen(path, "wb");
    bool ok = file && fwrite(text, 1, size, file) == size;
    int cause = errno;
    if (file && fclose(file) != 0 && ok) {
        cause = errno;
        ok = false;
    }
    if (!ok) {
        *error = write_complaint(directory, name, cause);
    }
    g_free(path);
    return ok;
}

/* Puts the temporary directory in the place of a former one, which goes away. */
static bool replace(struct run_directory *directory)
{
    if (renameat2(AT_FDCWD, directory->temporary, AT_FDCWD, directory->target, RENAME_EXCHANGE) ==
        0) {
        remove_tree(directory->temporary);
        return true;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return false;
    }
    char *former = g_strconcat(directory->temporary, ".former", NULL);
    bool ok = rename(directory->target, former) == 0;
    if (ok && rename(directory->temporary, directory->target) != 0) {
        int cause = errno;
        ok = false;
        if (rename(former, directory->target) != 0) {
            cause = errno;
        }
        errno = cause;
    }
    if (ok) {
        remove_tree(former);
    }
    g_free(former);
    return ok;
}

bool run_directory_commit(struct run_directory *directory, char **error)
{
    char *why = why_not(directory->target);
    if (why) {
        *error = why;
        return false;
    }
    bool exists = g_file_test(directory->target, G_FILE_TEST_EXISTS);
    directory->is_committed =
        exists ? replace(directory) : rename(directory->temporary, directory->target) == 0;
    if (!directory->is_committed) {
        *error = complaint(directory->target, g_strerror(errno));
    }
    return directory->is_committed;
}

void run_directory_free(struct run_directory *directory)
{
    if (!directory) {
        return;
    }
    if (!directory->is_committed) {
        remove_tree(directory->temporary);
    }
    g_free(directory->temporary);
    g_free(directory->target);
    g_free(directory);
}
