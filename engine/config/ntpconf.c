/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ntp.conf: files to a configuration. Follows includefile lines and hands every line to the table;
 * what a line means is the business of the files beside this one.
 */
#include "ntpconf.h"

#include "reader.h"
#include "text_file.h"

/* Reads the lines of one file, and those of the files that they include. */
static void read_lines(struct ntpconf_reader *reader, struct lines *lines,
                       const struct open_file *file)
{
    g_ptr_array_add(reader->files, lines);
    const struct open_file *outer = reader->open;
    reader->open = file;
    for (unsigned i = 0; i < lines->count; i++) {
        directive_read(reader, &lines->lines[i]);
    }
    reader->open = outer;
}

/* "a.conf -> b.conf -> a.conf", from the file that is included again. */
static char *chain_text(const struct open_file *innermost, const struct open_file *again)
{
    char *text = g_strdup(again->path);
    for (const struct open_file *file = innermost;; file = file->parent) {
        char *longer = g_strdup_printf("%s -> %s", file->path, text);
        g_free(text);
        text = longer;
        if (file == again) {
            return text;
        }
    }
}

static const struct open_file *find_open(const struct open_file *open, const struct text_file *file)
{
    while (open && (open->device != file->device || open->inode != file->inode)) {
        open = open->parent;
    }
    return open;
}

/* Why this file may not be read here and now; NULL when it may. Free with g_free(). */
static char *refusal(const struct ntpconf_reader *reader, const struct text_file *file)
{
    unsigned depth = 0;
    for (const struct open_file *open = reader->open; open; open = open->parent) {
        depth++;
    }
    const struct open_file *again = find_open(reader->open, file);
    if (again) {
        char *chain = chain_text(reader->open, again);
        char *text = g_strdup_printf("this file includes itself: %s", chain);
        g_free(chain);
        return text;
    }
    if (depth > INCLUDE_DEPTH_MAX) {
        return g_strdup_printf("files include each other more than %d deep", INCLUDE_DEPTH_MAX);
    }
    if (reader->file_count >= CONFIG_FILES_MAX) {
        return g_strdup_printf("a configuration has at most %d files", CONFIG_FILES_MAX);
    }
    return NULL;
}

static void read_text(struct ntpconf_reader *reader, const char *path, const char *written_at,
                      const struct text_file *file)
{
    char *folder = reader_folder(path);
    struct open_file open = {path, folder, written_at, file->device, file->inode, reader->open};
    reader->file_count++;
    read_lines(reader, lines_split(path, file->text, file->size, reader->messages), &open);
    g_free(folder);
}

static void include_path(struct ntpconf_reader *reader, const struct line *line, const char *path)
{
    struct text_file file;
    char *why = text_file_read(path, FILE_SIZE_MAX, &file);
    if (why) {
        line_unreadable(line, path, why, reader->messages);
        g_free(why);
        return;
    }
    why = refusal(reader, &file);
    if (why) {
        line_error(line, 1, reader->messages, "%s", why);
        g_free(why);
    } else {
        char *written = reader_join(reader->open->written_at, line->words[1].text);
        char *written_at = reader_folder(written);
        read_text(reader, path, written_at, &file);
        g_free(written_at);
        g_free(written);
    }
    text_file_clear(&file);
}

void include_read(struct ntpconf_reader *reader, const struct line *line)
{
    char *path = reader_locate(reader, line, 1);
    if (path) {
        include_path(reader, line, path);
        g_free(path);
    } else {
        line_error(line, 1, reader->messages, "%s is outside of the files that may be read",
                   line->words[1].text);
    }
}

static struct ntpconf *load_text(const char *path, const struct text_file *file,
                                 const struct ntpconf_options *options, struct messages *messages)
{
    unsigned errors = messages->errors, said = messages->list->len;
    struct ntpconf_reader *reader = reader_new(options, messages);
    struct ntpconf *conf = reader->conf;
    read_text(reader, path, "", file);
    if (messages->errors == errors) {
        /* Lines that do not stand by themselves would only add complaints about each other. */
        system_finish(reader);
        sources_finish(reader);
        restricts_finish(reader);
        keys_finish(reader);
        statistics_finish(reader);
        host_finish(reader);
    }
    reader_free(reader);
    messages_sort(messages, said); /* what is found at the end may be about the first line */
    if (messages->errors != errors) {
        ntpconf_free(conf);
        return NULL;
    }
    return conf;
}

struct ntpconf *ntpconf_load(const char *path, const struct ntpconf_options *options,
                             struct messages *messages)
{
    struct text_file file;
    char *why = text_file_read(path, FILE_SIZE_MAX, &file);
    if (why) {
        line_unreadable(NULL, path, why, messages);
        g_free(why);
        return NULL;
    }
    struct ntpconf *conf = load_text(path, &file, options, messages);
    text_file_clear(&file);
    return conf;
}

struct ntpconf *ntpconf_parse(const char *file, const char *text, size_t size,
                              const struct ntpconf_options *options, struct messages *messages)
{
    /* The copy has no use but to be what a file is: bytes that somebody owns. */
    struct text_file memory = {g_memdup2(text, size), size, 0, 0, 0};
    struct ntpconf *conf = load_text(file, &memory, options, messages);
    text_file_clear(&memory);
    return conf;
}

void ntpconf_free(struct ntpconf *conf)
{
    if (conf) {
        struct storage *storage = conf->storage;
        g_string_chunk_free(storage->strings);
        g_ptr_array_free(storage->blocks, TRUE);
        g_free(storage);
        g_free(conf);
    }
}
