/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * statistics and filegen lines: which records are written, and into which files.
 */
#include <string.h>

#include "reader.h"

#define KIND(word, text)                                                                           \
    {                                                                                              \
        .name = #word, .store = STORE_TRUE, .offset = offsetof(struct host_config, word),          \
        .help = text                                                                               \
    }

static const struct setting statistics_table[] = {
    KIND(loopstats, "each update of the clock"),
    KIND(peerstats, "each update of a source"),
    KIND(rawstats, "the four timestamps of each exchange"),
    KIND(sysstats, "counters, once an hour"),
    KIND(protostats, "events of the protocol"),
    KIND(clockstats, "events of the clock"),
    {.name = "cryptostats", .support = SUPPORT_NO_EFFECT, .help = "there is no Autokey"},
    {.name = "timingstats", .support = SUPPORT_NO_EFFECT, .help = "the engine is not timed"},
};

/* What one filegen line says beside its name. */
struct filegen_draft {
    const char *file, *type; /* NULL = not said */
    bool link, nolink, enable, disable;
};

static const struct setting filegen_table[] = {
    {.name = "file",
     .kind = SETTING_WORD,
     .example = "loops",
     .store = STORE_WORD,
     .offset = offsetof(struct filegen_draft, file),
     .help = "file name under statsdir; default: the name of the kind"},
    {.name = "type",
     .kind = SETTING_WORD,
     .example = "week",
     .store = STORE_WORD,
     .offset = offsetof(struct filegen_draft, type),
     .help = "a new file every: none pid day week month year age; default day"},
    {.name = "link",
     .store = STORE_TRUE,
     .offset = offsetof(struct filegen_draft, link),
     .help = "the bare name leads to the present file; default"},
    {.name = "nolink",
     .store = STORE_TRUE,
     .offset = offsetof(struct filegen_draft, nolink),
     .help = "no such link"},
    {.name = "enable",
     .store = STORE_TRUE,
     .offset = offsetof(struct filegen_draft, enable),
     .help = "write this kind, as \"statistics\" does"},
    {.name = "disable",
     .store = STORE_TRUE,
     .offset = offsetof(struct filegen_draft, disable),
     .help = "do not write this kind"},
};

const struct settings statistics_settings = {"statistics", statistics_table,
                                             G_N_ELEMENTS(statistics_table)};
const struct settings filegen_settings = {"filegen", filegen_table, G_N_ELEMENTS(filegen_table)};

/* The switch of a kind in host_config; NULL for one that is never written. */
static bool *switch_of(struct host_config *host, const struct setting *kind)
{
    return kind->store == STORE_TRUE ? (bool *)(void *)((char *)host + kind->offset) : NULL;
}

static struct filegen *find_filegen(struct ntpconf_reader *reader, const char *name)
{
    for (guint i = 0; i < reader->filegens->len; i++) {
        struct filegen *filegen = &g_array_index(reader->filegens, struct filegen, i);
        if (strcmp(filegen->name, name) == 0) {
            return filegen;
        }
    }
    return NULL;
}

static struct filegen *find_or_add_filegen(struct ntpconf_reader *reader,
                                           const struct setting *kind)
{
    struct filegen *found = find_filegen(reader, kind->name);
    if (found) {
        return found;
    }
    struct filegen filegen = {
        .name = kind->name, .file = kind->name, .type = FILEGEN_DAY, .link = true};
    const struct line *nobody = NULL;
    g_array_append_val(reader->filegens, filegen);
    g_array_append_val(reader->statistics_lines, nobody);
    return &g_array_index(reader->filegens, struct filegen, reader->filegens->len - 1);
}

/* Keeps the first line since the kind was last off. */
static void note_line(struct ntpconf_reader *reader, const struct filegen *filegen,
                      const struct line *line)
{
    guint index = (guint)(filegen - (const struct filegen *)(void *)reader->filegens->data);
    const struct line **kept = &g_array_index(reader->statistics_lines, const struct line *, index);
    *kept = line && *kept ? *kept : line;
}

void statistics_read(struct ntpconf_reader *reader, const struct line *line)
{
    if (!reader_settings(reader, &statistics_settings, line, 1, &reader->conf->host)) {
        return;
    }
    for (unsigned i = 1; i < line->count; i++) {
        const struct setting *kind = setting_find(&statistics_settings, line->words[i].text);
        if (switch_of(&reader->conf->host, kind)) {
            note_line(reader, find_or_add_filegen(reader, kind), line);
        }
    }
}

/* FILEGEN_TYPES for what is none. */
static enum filegen_type filegen_type_find(const char *text)
{
    static const char *const names[FILEGEN_TYPES] = {
        [FILEGEN_NONE] = "none", [FILEGEN_PID] = "pid",     [FILEGEN_DAY] = "day",
        [FILEGEN_WEEK] = "week", [FILEGEN_MONTH] = "month", [FILEGEN_YEAR] = "year",
        [FILEGEN_AGE] = "age"};
    unsigned type = 0;
    while (type < FILEGEN_TYPES && strcmp(names[type], text) != 0) {
        type++;
    }
    return (enum filegen_type)type;
}

static unsigned word_after(const struct line *line, const char *name)
{
    unsigned index = 2;
    while (strcmp(line->words[index].text, name) != 0) {
        index++;
    }
    return index + 1;
}

static bool filegen_makes_sense(struct ntpconf_reader *reader, const struct line *line,
                                const struct filegen_draft *draft)
{
    if (draft->type && filegen_type_find(draft->type) == FILEGEN_TYPES) {
        line_error(line, word_after(line, "type"), reader->messages,
                   "expected none, pid, day, week, month, year or age, not \"%s\"", draft->type);
        return false;
    }
    if (draft->file && (!*draft->file || strstr(draft->file, ".."))) {
        line_error(line, word_after(line, "file"), reader->messages,
                   "\"%s\" does not stay under statsdir", draft->file);
        return false;
    }
    if ((draft->link && draft->nolink) || (draft->enable && draft->disable)) {
        line_error(line, 0, reader->messages, "\"%s\" contradict each other",
                   draft->link && draft->nolink ? "link\" and \"nolink" : "enable\" and \"disable");
        return false;
    }
    return true;
}

void filegen_read(struct ntpconf_reader *reader, const struct line *line)
{
    struct settings kinds = statistics_settings;
    const struct setting *kind = setting_find(&kinds, line->words[1].text);
    struct filegen_draft draft = {NULL, NULL, false, false, false, false};
    if (!kind) {
        setting_unknown(&kinds, "filegen", line, 1, reader->messages);
        return;
    }
    support_complain(kind->support, kind->name, kind->help, line, 1, reader->messages);
    if (!reader_settings(reader, &filegen_settings, line, 2, &draft) ||
        !filegen_makes_sense(reader, line, &draft)) {
        return;
    }
    bool *is_written = switch_of(&reader->conf->host, kind);
    if (!is_written) {
        return;
    }
    struct filegen *filegen = find_or_add_filegen(reader, kind);
    filegen->file = draft.file ? draft.file : filegen->file;
    filegen->type = draft.type ? filegen_type_find(draft.type) : filegen->type;
    filegen->link = draft.link || (filegen->link && !draft.nolink);
    *is_written = draft.enable || (*is_written && !draft.disable);
    if (draft.enable || draft.disable) {
        note_line(reader, filegen, draft.enable ? line : NULL);
    }
}

/* Says it once, at the first line that asks for what cannot be written. */
static void warn_of_no_statsdir(struct ntpconf_reader *reader)
{
    const struct host_config *host = &reader->conf->host;
    for (guint i = 0; !host->statsdir && i < reader->filegens->len; i++) {
        if (g_array_index(reader->filegens, struct filegen, i).enabled) {
            line_warning(g_array_index(reader->statistics_lines, const struct line *, i), 0,
                         reader->messages,
                         "no statistics are written: add a statsdir line that says where");
            return;
        }
    }
}

void statistics_finish(struct ntpconf_reader *reader)
{
    struct host_config *host = &reader->conf->host;
    for (guint i = 0; i < reader->filegens->len; i++) {
        struct filegen *filegen = &g_array_index(reader->filegens, struct filegen, i);
        bool *is_written = switch_of(host, setting_find(&statistics_settings, filegen->name));
        *is_written = *is_written && !reader->no_statistics;
        filegen->enabled = *is_written;
    }
    warn_of_no_statsdir(reader);
    host->filegens = reader_keep_array(reader, reader->filegens, &host->filegen_count);
    reader->filegens = NULL;
}
