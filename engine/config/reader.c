/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The state of a configuration half read: made, freed, and what every kind of line needs of it.
 */
#include "reader.h"

#include <string.h>

char *reader_join(const char *folder, const char *path)
{
    if (g_path_is_absolute(path) || !*folder) {
        return g_strdup(path);
    }
    return g_build_filename(folder, path, NULL);
}

char *reader_folder(const char *path)
{
    return strchr(path, '/') ? g_path_get_dirname(path) : g_strdup("");
}

static void free_lines(gpointer lines)
{
    lines_free(lines);
}

struct ntpconf_reader *reader_new(const struct ntpconf_options *options, struct messages *messages)
{
    static const struct ntpconf_options no_options = {.locate = NULL};
    struct ntpconf_reader *reader = g_new0(struct ntpconf_reader, 1);
    struct storage *storage = g_new0(struct storage, 1);
    size_t rows;
    ntpconf_help(&rows);
    storage->strings = g_string_chunk_new(4096);
    storage->blocks = g_ptr_array_new_with_free_func(g_free);
    reader->conf = g_new0(struct ntpconf, 1);
    reader->conf->storage = storage;
    engine_config_default(&reader->conf->engine);
    reader->conf->host.threads = -1;
    reader->options = options ? options : &no_options;
    reader->messages = messages;
    reader->strings = storage->strings;
    reader->blocks = storage->blocks;
    reader->files = g_ptr_array_new_with_free_func(free_lines);
    reader->single_lines = g_new0(const struct line *, rows);
    reader->sources = g_array_new(FALSE, FALSE, sizeof(struct source_draft));
    reader->fudges = g_array_new(FALSE, FALSE, sizeof(struct fudge_draft));
    reader->restricts = g_array_new(FALSE, FALSE, sizeof(struct restrict_draft));
    reader->source_templates = g_array_new(FALSE, FALSE, sizeof(struct restrict_draft));
    reader->trusted = g_array_new(FALSE, FALSE, sizeof(struct trusted_draft));
    reader->filegens = g_array_new(FALSE, FALSE, sizeof(struct filegen));
    reader->statistics_lines = g_array_new(FALSE, FALSE, sizeof(const struct line *));
    reader->logconfig = g_ptr_array_new();
    reader->interfaces = g_array_new(FALSE, FALSE, sizeof(struct interface_rule));
    reader->interface_places = g_array_new(FALSE, FALSE, sizeof(struct place));
    return reader;
}

void reader_free(struct ntpconf_reader *reader)
{
    g_ptr_array_free(reader->files, TRUE);
    g_free(reader->single_lines);
    g_array_free(reader->sources, TRUE);
    g_array_free(reader->fudges, TRUE);
    g_array_free(reader->restricts, TRUE);
    g_array_free(reader->source_templates, TRUE);
    g_array_free(reader->trusted, TRUE);
    /* Gone already when the load was finished. */
    g_clear_pointer(&reader->filegens, g_array_unref);
    g_array_free(reader->statistics_lines, TRUE);
    g_clear_pointer(&reader->logconfig, g_ptr_array_unref);
    g_clear_pointer(&reader->interfaces, g_array_unref);
    g_clear_pointer(&reader->interface_places, g_array_unref);
    g_free(reader->keys_path);
    g_free(reader);
}

const char *reader_keep(struct ntpconf_reader *reader, const char *text)
{
    return g_string_chunk_insert(reader->strings, text);
}

void *reader_keep_array(struct ntpconf_reader *reader, GArray *array, size_t *count)
{
    *count = array->len;
    void *elements = g_array_free(array, FALSE);
    g_ptr_array_add(reader->blocks, elements);
    return elements;
}

bool reader_settings(struct ntpconf_reader *reader, const struct settings *settings,
                     const struct line *line, unsigned index, void *base)
{
    return settings_read(settings, line, index, base, reader->strings, reader->messages);
}

char *reader_locate(const struct ntpconf_reader *reader, const struct line *line, unsigned index)
{
    const char *path = line->words[index].text;
    if (!reader->options->locate) {
        return reader_join(reader->open->folder, path);
    }
    char *written = reader_join(reader->open->written_at, path);
    char *located = reader->options->locate(reader->options->context, written);
    g_free(written);
    return located;
}
