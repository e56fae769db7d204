/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The driftfile line of a configuration that nobody vouches for: see drift_line.h.
 */
#include "drift_line.h"

#include <string.h>

#include "../config/ntpconf.h"
#include "../config/reader.h"

struct search {
    struct messages *messages;
    unsigned depth;
    unsigned files; /* tried so far; files that include each other come to an end by both */
    char *found;
};

static bool is_line(const struct line *line, const char *name)
{
    return line->count >= 2 && strcmp(line->words[0].text, name) == 0;
}

/* Recursive, as deep as INCLUDE_DEPTH_MAX. */
static void search_file(struct search *search, const char *path, const struct line *from);

static void search_included(struct search *search, const char *path, const struct line *line)
{
    char *folder = reader_folder(path);
    char *included = reader_join(folder, line->words[1].text);
    search->depth++;
    search_file(search, included, line);
    search->depth--;
    g_free(included);
    g_free(folder);
}

static void search_file(struct search *search, const char *path, const struct line *from)
{
    if (search->files > CONFIG_FILES_MAX) {
        return; /* which was told */
    }
    search->files++;
    if (search->depth > INCLUDE_DEPTH_MAX || search->files > CONFIG_FILES_MAX) {
        line_unreadable(from, path, "too many files include each other", search->messages);
        return;
    }
    struct lines *lines = lines_read(path, from, search->messages);
    for (unsigned i = 0; lines && i < lines->count; i++) {
        const struct line *line = &lines->lines[i];
        if (is_line(line, "driftfile")) {
            g_free(search->found);
            search->found = g_strdup(line->words[1].text);
        } else if (is_line(line, "includefile")) {
            search_included(search, path, line);
        }
    }
    if (lines) {
        lines_free(lines);
    }
}

char *drift_line_find(const char *config, struct messages *messages)
{
    struct search search = {.messages = messages};
    search_file(&search, config, NULL);
    return search.found;
}
