/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tests of scenarios share: a folder of configurations that goes away with the test.
 */
#ifndef HOLDFAST_SCENARIO_CHECK_H
#define HOLDFAST_SCENARIO_CHECK_H

#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>

#include "../sim/scenario.h"
#include "messages_check.h"

static inline int fixture_remove_one(const char *path, const struct stat *status, int kind,
                                     struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline char *fixture_new(void)
{
    return g_dir_make_tmp("holdfast-test-XXXXXX", NULL);
}

static inline void fixture_free(char *folder)
{
    nftw(folder, fixture_remove_one, 8, FTW_DEPTH | FTW_PHYS);
    g_free(folder);
}

static inline void fixture_file(const char *folder, const char *name, const char *text)
{
    char *path = g_build_filename(folder, name, NULL);
    CHECK(g_file_set_contents(path, text, -1, NULL));
    g_free(path);
}

/* Parses text as file "s"; all messages go to *said with the folder's name as "F". */
static inline struct scenario *fixture_parse(const char *folder, const char *text, char **said)
{
    struct messages *messages = messages_new();
    struct scenario *s = scenario_parse("s", folder, text, strlen(text), messages);
    char *all = all_messages(messages);
    char **parts = g_strsplit(all, folder, -1);
    *said = g_strjoinv("F", parts);
    g_strfreev(parts);
    g_free(all);
    messages_free(messages);
    return s;
}

/* The same, for text that must be right and without remark. */
static inline struct scenario *fixture_load(const char *folder, const char *text)
{
    char *said;
    struct scenario *s = fixture_parse(folder, text, &said);
    CHECK_STR(said, "");
    g_free(said);
    return s;
}

#endif
