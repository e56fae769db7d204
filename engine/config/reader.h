/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known half way through a configuration: the parts of ntpconf's reader share it, nobody
 * else includes it.
 *
 * Lines are read one by one into drafts that keep their line; what depends on several lines (keys
 * and who uses them, restrict lines of one address, local clocks and their fudge) is settled by the
 * *_finish() functions once all lines were read without an error.
 */
#ifndef HOLDFAST_READER_H
#define HOLDFAST_READER_H

#include "ntpconf.h"

/* What a configuration's lists and strings live in. */
struct storage {
    GStringChunk *strings;
    GPtrArray *blocks;
};

/* A file being read; a chain from the innermost outwards. */
struct open_file {
    const char *path;   /* as opened */
    const char *folder; /* of `path`: what relative paths are joined to */
    /* The folder as the includefile lines wrote it, for options.locate; "" = none. */
    const char *written_at;
    uint64_t device, inode; /* both 0 for text from memory */
    const struct open_file *parent;
};

/* A server, peer or pool line. */
struct source_draft {
    struct association_config config;
    const struct line *line;
    unsigned host_word;
    bool is_local_clock; /* 127.127.1.u: becomes tos orphan, never an association */
    uint8_t unit;
};

/* A fudge line. */
struct fudge_draft {
    const struct line *line;
    uint8_t type, unit;
    int16_t stratum; /* -1 = not said */
};

/* One restrict line of one address family. */
struct restrict_draft {
    struct restrict_entry entry;
    const struct line *line;
    unsigned order;
};

/* A key that trustedkey names by itself (not within a range). */
struct trusted_draft {
    uint32_t id;
    const struct line *line;
    unsigned word;
};

struct ntpconf_reader {
    struct ntpconf *conf;
    const struct ntpconf_options *options; /* never NULL */
    struct messages *messages;
    GStringChunk *strings; /* live with the ntpconf */
    GPtrArray *blocks;     /* g_free()d with the ntpconf */
    GPtrArray *files;      /* struct lines * of every file, until the load is done */
    const struct open_file *open;
    unsigned file_count;
    const struct line **single_lines; /* by row of the table: the line read last */

    GArray *sources;          /* struct source_draft */
    unsigned associations;    /* what they count for: a pool line is POOL_SIZE */
    GArray *fudges;           /* struct fudge_draft */
    GArray *restricts;        /* struct restrict_draft */
    GArray *source_templates; /* struct restrict_draft of each "restrict source", flags and line */
    GArray *trusted;          /* struct trusted_draft */
    bool is_trusted[KEYS_MAX + 1];
    const struct line *keys_line;
    char *keys_path;             /* what to open; NULL when options.locate refused it */
    GArray *filegens;            /* struct filegen */
    GArray *statistics_lines;    /* const struct line *: of each of filegens, what switched it on */
    GPtrArray *logconfig;        /* const char * */
    GArray *interfaces;          /* struct interface_rule */
    GArray *interface_places;    /* struct place, one for each of them */
    const struct line *tos_line; /* the last one */
    bool no_statistics;          /* disable stats */
};

/* A reader with an empty configuration in it. options may be NULL. */
struct ntpconf_reader *reader_new(const struct ntpconf_options *options, struct messages *messages);

/* Frees the drafts, not the configuration. */
void reader_free(struct ntpconf_reader *reader);

/* "sub/a.conf" as seen from the folder "" is itself, from "x" it is "x/sub/a.conf". */
char *reader_join(const char *folder, const char *path);

/* The folder part of a path, "" when it has none. */
char *reader_folder(const char *path);

/* The path to open for word `index` of the line: through options.locate, or relative to the file
 * that holds the line. NULL when locate refuses. Free with g_free(). */
char *reader_locate(const struct ntpconf_reader *reader, const struct line *line, unsigned index);

/* A copy of the text that lives with the ntpconf. */
const char *reader_keep(struct ntpconf_reader *reader, const char *text);

/* Takes the array's elements over into the ntpconf; frees the array. */
void *reader_keep_array(struct ntpconf_reader *reader, GArray *array, size_t *count);

/* settings_read() into *base. */
bool reader_settings(struct ntpconf_reader *reader, const struct settings *settings,
                     const struct line *line, unsigned index, void *base);

/* directive_table.c: finds the row of the line's first word and obeys it. */
void directive_read(struct ntpconf_reader *reader, const struct line *line);

/* ntpconf.c */
void include_read(struct ntpconf_reader *reader, const struct line *line);

/* source_line.c: server, peer, pool, fudge */
extern const struct settings source_settings, fudge_settings;
void source_read(struct ntpconf_reader *reader, const struct line *line);
void fudge_read(struct ntpconf_reader *reader, const struct line *line);
void sources_finish(struct ntpconf_reader *reader);

/* restrict_line.c */
extern const struct settings restrict_settings;
void restrict_read(struct ntpconf_reader *reader, const struct line *line);
void restricts_finish(struct ntpconf_reader *reader);

/* source_access.c: warns of sources that the restrict lines shut out; sources are finished, the
 * restrict drafts sorted and not yet joined. */
void source_access_check(struct ntpconf_reader *reader);

/* key_line.c: keys, trustedkey, requestkey, controlkey */
void keys_read(struct ntpconf_reader *reader, const struct line *line);
void trustedkey_read(struct ntpconf_reader *reader, const struct line *line);
void unused_key_read(struct ntpconf_reader *reader, const struct line *line);
void keys_finish(struct ntpconf_reader *reader);

/* statistics_line.c: statistics, filegen */
extern const struct settings statistics_settings, filegen_settings;
void statistics_read(struct ntpconf_reader *reader, const struct line *line);
void filegen_read(struct ntpconf_reader *reader, const struct line *line);
void statistics_finish(struct ntpconf_reader *reader);

/* host_line.c: files, logging, interfaces, threads, metrics */
void driftfile_read(struct ntpconf_reader *reader, const struct line *line);
void statsdir_read(struct ntpconf_reader *reader, const struct line *line);
void logfile_read(struct ntpconf_reader *reader, const struct line *line);
void logconfig_read(struct ntpconf_reader *reader, const struct line *line);
void leapfile_read(struct ntpconf_reader *reader, const struct line *line);
void interface_read(struct ntpconf_reader *reader, const struct line *line);
void threads_read(struct ntpconf_reader *reader, const struct line *line);
void metrics_read(struct ntpconf_reader *reader, const struct line *line);
void host_finish(struct ntpconf_reader *reader);

/* system_line.c: what tunes the engine */
extern const struct settings enable_settings, disable_settings, tos_settings, tinker_settings,
    discard_settings, mru_settings;
void enable_read(struct ntpconf_reader *reader, const struct line *line);
void disable_read(struct ntpconf_reader *reader, const struct line *line);
void tos_read(struct ntpconf_reader *reader, const struct line *line);
void tinker_read(struct ntpconf_reader *reader, const struct line *line);
void discard_read(struct ntpconf_reader *reader, const struct line *line);
void mru_read(struct ntpconf_reader *reader, const struct line *line);
void policy_read(struct ntpconf_reader *reader, const struct line *line);
void system_finish(struct ntpconf_reader *reader);

#endif
