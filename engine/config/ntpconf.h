/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ntp.conf: text to struct engine_config, by one table of directives.
 *
 * The table names for each directive its arguments, ranges, default, what we do with it (supported,
 * accepted without effect, error) and its help; `holdfast help ntp.conf` prints it. A known
 * directive without effect is a warning with its line; an unknown word is an error that names the
 * nearest known one. A load with any error yields no configuration. Reads files it is given (the
 * configuration, its includefiles, its keys) and nothing else.
 */
#ifndef HOLDFAST_NTPCONF_H
#define HOLDFAST_NTPCONF_H

#include <glib.h>

#include "../engine_config.h"
#include "lexer.h"
#include "setting.h"

/* Files one configuration may consist of, and how deep one may include another. */
enum { CONFIG_FILES_MAX = 256, INCLUDE_DEPTH_MAX = 8 };

enum { SERVER_THREADS_MAX = 16 };

struct ntpconf_reader;

/* One row of the table, as `holdfast help ntp.conf` prints it and the reader obeys it. */
struct directive_help {
    const char *name;
    const char *arguments;
    const char *default_text;
    enum support support;
    const char *help;
    const char *example;             /* lines that load */
    const struct settings *settings; /* the words it takes; NULL = none of that kind */
    unsigned words_min, words_max;   /* words after the name */
    bool is_minor;                   /* without effect, but nobody will miss it: a note */
    bool is_single;                  /* a second line replaces the first, with a warning */
    /* Loads a line whose number of words is right; NULL for one that nothing comes of. */
    void (*read)(struct ntpconf_reader *reader, const struct line *line);
};

/* When a statistics file ends and the next begins, named as filegen lines do. */
enum filegen_type {
    FILEGEN_NONE, /* never */
    FILEGEN_PID,  /* with each process */
    FILEGEN_DAY,
    FILEGEN_WEEK,
    FILEGEN_MONTH,
    FILEGEN_YEAR,
    FILEGEN_AGE, /* with each day that the process runs */
    FILEGEN_TYPES
};

/* One filegen line, or the default of a statistics kind. */
struct filegen {
    const char *name;       /* "loopstats", "peerstats", ... */
    const char *file;       /* default: the name */
    enum filegen_type type; /* default FILEGEN_DAY */
    bool link, enabled;
};

/* What a file says that is the host's business and not the engine's. Paths are as written. Strings
 * live with the ntpconf. */
struct host_config {
    const char *driftfile, *keys, *logfile, *leapfile, *statsdir;
    struct place driftfile_at, logfile_at, statsdir_at; /* file NULL = no such line */
    /* `statistics`, or filegen lines that enable or disable a kind. */
    bool loopstats, peerstats, rawstats, sysstats, protostats, clockstats;
    struct filegen *filegens; /* one for each kind that a line names, in the order of the lines */
    size_t filegen_count;
    const char *const *logconfig; /* words as written */
    size_t logconfig_count;
    struct interface_rule { /* interface / nic lines, in order */
        enum { INTERFACE_LISTEN, INTERFACE_IGNORE, INTERFACE_DROP } action;
        const char *what; /* all, ipv4, ipv6, wildcard, a name, or an address[/prefix] */
    } * interfaces;
    const struct place *interface_places; /* of each rule's last word */
    size_t interface_count;
    int threads;             /* server threads, 0 ... 16; -1 = by the number of processors */
    struct endpoint metrics; /* where the metrics page is served; family ADDRESS_NONE = nowhere */
};

struct ntpconf {
    struct engine_config engine; /* lists point into this ntpconf */
    struct host_config host;
    const struct place *hosts; /* of the host word of each of engine.associations */
    bool
        keys_are_synthetic; /* the key file was missing and `synthetic_keys` allowed made-up ones */
    void *storage;
};

/* How a host wants files found. */
struct ntpconf_options {
    /* Maps an absolute or relative path of the configuration to the one to open; NULL result:
     * refuse (the simulator keeps to its `files` folder). A relative path of an included file is
     * joined to the folder that its includefile line wrote; those of the first file come as
     * written. Not called for the first file itself. NULL function: open as written, relative to
     * the file that names it. Free with g_free(). */
    char *(*locate)(void *context, const char *path);
    void *context;
    /* When the keys file does not exist (or locate refuses it): make one AES128CMAC key for each id
     * that is trusted or used, the same for equal `synthetic_seed` and id, and add a note. Off: a
     * missing file is an error. */
    bool synthetic_keys;
    uint64_t synthetic_seed;
    /* This key file instead of what a keys line says; NULL = as the line says. */
    const char *keys;
    /* ADDRESS_V4 or ADDRESS_V6: a source of the other family, by its address or by -4 or -6, is
     * left out with a warning. ADDRESS_NONE: both families are used. */
    uint8_t only_family;
};

/* Loads a configuration; NULL when that added an error to messages. options may be NULL. */
struct ntpconf *ntpconf_load(const char *path, const struct ntpconf_options *options,
                             struct messages *messages);

/* The same from text in memory; `file` is what messages call it, and what relative paths are
 * relative to. */
struct ntpconf *ntpconf_parse(const char *file, const char *text, size_t size,
                              const struct ntpconf_options *options, struct messages *messages);

void ntpconf_free(struct ntpconf *conf);

/* The table, in the order of the help page. */
const struct directive_help *ntpconf_help(size_t *count);

#endif
