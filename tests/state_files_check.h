/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tests of kept files share: a folder with a log in it, and what stands in files.
 */
#ifndef HOLDFAST_STATE_FILES_CHECK_H
#define HOLDFAST_STATE_FILES_CHECK_H

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../engine/daemon/log.h"
#include "messages_check.h"

/* A folder of its own, with a sub-folder for what is tested. */
struct desk {
    char *folder, *work, *log_path;
    struct log *log;
};

static inline struct desk desk_open(void)
{
    char *error = NULL;
    struct desk desk = {.folder = g_dir_make_tmp("holdfast-files-XXXXXX", NULL)};
    REQUIRE(desk.folder != NULL);
    desk.work = g_build_filename(desk.folder, "work", NULL);
    desk.log_path = g_build_filename(desk.folder, "log", NULL);
    CHECK_INT(g_mkdir(desk.work, 0755), 0);
    desk.log = log_open(desk.log_path, LOG_LEVEL_INFO, &error);
    REQUIRE(desk.log != NULL);
    return desk;
}

/* Removes the files of a folder, and it. */
static inline void desk_remove(const char *folder)
{
    GDir *files = g_dir_open(folder, 0, NULL);
    const char *name;
    while (files && (name = g_dir_read_name(files))) {
        char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
            desk_remove(path);
        } else {
            g_unlink(path);
        }
        g_free(path);
    }
    if (files) {
        g_dir_close(files);
    }
    g_rmdir(folder);
}

static inline void desk_close(struct desk *desk)
{
    log_close(desk->log);
    desk_remove(desk->folder);
    g_free(desk->log_path);
    g_free(desk->work);
    g_free(desk->folder);
}

/* Free with g_free(). */
static inline char *desk_path(const struct desk *desk, const char *name)
{
    return g_build_filename(desk->work, name, NULL);
}

/* The file's text; "(none)" when it cannot be read. Free with g_free(). */
static inline char *desk_text(const struct desk *desk, const char *name)
{
    char *text = NULL, *path = desk_path(desk, name);
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        text = g_strdup("(none)");
    }
    g_free(path);
    return text;
}

static inline gint desk_compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in the folder, in order, with blanks between them. Free with g_free(). */
static inline char *desk_names(const struct desk *desk)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    GDir *files = g_dir_open(desk->work, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(files))) {
        g_ptr_array_add(names, g_strdup(name));
    }
    g_dir_close(files);
    g_ptr_array_sort(names, desk_compare);
    g_ptr_array_add(names, NULL);
    char *text = g_strjoinv(" ", (char **)names->pdata);
    g_ptr_array_free(names, TRUE);
    return text;
}

/* The log's texts, without their time and process. Free with g_free(). */
static inline char *desk_logged(const struct desk *desk)
{
    char *text = NULL;
    REQUIRE(g_file_get_contents(desk->log_path, &text, NULL, NULL));
    GRegex *regex = g_regex_new("^[^ ]+Z holdfastd\\[\\d+\\]: ", G_REGEX_MULTILINE, 0, NULL);
    char *stripped = g_regex_replace_literal(regex, text, -1, 0, "", 0, NULL);
    g_regex_unref(regex);
    g_free(text);
    return stripped;
}

static inline void check_owned(char *actual, const char *expected, const char *what,
                               const char *file, unsigned line)
{
    check_text(actual, expected, what, file, line);
    g_free(actual);
}

#define CHECK_FILE(desk, name, expected)                                                           \
    check_owned(desk_text((desk), (name)), (expected), (name), __FILE__, __LINE__)
#define CHECK_NAMES(desk, expected)                                                                \
    check_owned(desk_names(desk), (expected), "names", __FILE__, __LINE__)
#define CHECK_LOGGED(desk, expected)                                                               \
    check_owned(desk_logged(desk), (expected), "log", __FILE__, __LINE__)

#endif
