/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parts of the scenario reader, for the files that make it up: what is kept while lines become
 * a scenario.
 *
 * A scenario is read in stages - settings, laws, nodes, links, timeline, expectations - so that
 * lines may stand in any order. Not for anybody outside sim/scenario*.c and sim/expectation.c.
 */
#ifndef HOLDFAST_SCENARIO_READER_H
#define HOLDFAST_SCENARIO_READER_H

#include "scenario.h"

struct client_group {
    const char *name; /* the set word: NAME, or NULL for a line without one */
    size_t first, count;
    struct address network;
    unsigned prefix;
    unsigned line;
};

struct named_clock {
    const char *name;
    struct oscillator_law law;
};

struct named_path {
    const char *name;
    struct path_law law;
};

/* One `upstream` line. */
struct upstream_line {
    const struct line *line;
    const char *pattern;
    GPatternSpec *glob;
    struct oscillator_law clock;
    const char *clock_name;
    struct path_law path;
    const char *path_name;
    long stratum;
    double offset_s, root_delay_s, root_dispersion_s;
    bool is_used;
};

/* What a scenario owns besides its public arrays. */
struct scenario_storage {
    GStringChunk *strings;
    GHashTable *names;     /* node name -> index + 1; looked up, never walked */
    GHashTable *addresses; /* struct address -> index + 1; the same */
    GHashTable *pools;     /* name of a pool line -> index of its first node + 1 */
    GPtrArray *confs;      /* struct ntpconf * */
    GPtrArray *sets;       /* node arrays of all sets */
};

struct reader {
    struct scenario *scenario;
    struct scenario_storage *storage;
    const struct lines *lines;
    struct messages *messages;
    const char *base;             /* folder of the scenario file */
    const struct line *set_by[8]; /* the line that made each setting; see scenario.c */
    const char *duration_text;    /* as written */
    GArray *nodes, *rules, *faults, *expectations;
    GArray *groups, *clocks, *paths; /* client_group, named_clock, named_path */
    GArray *upstreams;               /* upstream_line */
    GPtrArray *conf_paths;           /* beside storage->confs; what messages call each file */
};

/* A copy of `text` that lives as long as the scenario. */
const char *scenario_reader_keep(struct reader *r, const char *text);

/* The words [first, end) of a line with blanks between them, kept. */
char *reader_words(struct reader *r, const struct line *line, unsigned first, unsigned end);

/* ---- scenario_laws.c: clocks and links ---- */

/* Tries word *index as a parameter of a clock law; moves *index past it. False when it was one and
 * wrong; *found says whether it was one. */
bool law_clock_parameter(struct reader *r, const struct line *line, unsigned *index,
                         struct oscillator_law *law, bool *found);

/* The law that word `index` names; false with a message. */
bool law_clock(struct reader *r, const struct line *line, unsigned index,
               struct oscillator_law *law);
bool law_path(struct reader *r, const struct line *line, unsigned index, struct path_law *law);

/* Reads the parameters of a path from word *index on; stops at `between` or the end of the line. */
bool law_path_parameters(struct reader *r, const struct line *line, unsigned *index,
                         struct path_law *law);

void law_read_clock_line(struct reader *r, const struct line *line);
void law_read_path_line(struct reader *r, const struct line *line);

/* Appends the tables of parameters with units and ranges to the help text. */
void law_help(GString *out);

/* A word without the part before `skip` characters or after `length` characters, as a line of its
 * own for the readers of values; messages keep the right column. `words` and `text` live as long as
 * the line. */
struct line line_part(const struct line *line, unsigned index, size_t skip, size_t length,
                      struct word words[2], char text[64]);

/* ---- scenario_nodes.c ---- */

void nodes_read_host_line(struct reader *r, const struct line *line);
void nodes_read_clients_line(struct reader *r, const struct line *line);

/* ---- scenario_upstreams.c ---- */

void upstreams_read_line(struct reader *r, const struct line *line);

/* Makes an upstream node of each host name that a configuration looks up, and complains about those
 * that nothing stands for. To be called when all nodes, clients and upstream lines are read. */
void upstreams_make(struct reader *r);

/* Adds a node, its name and its address; complains at word `index` and adds nothing when either is
 * taken. */
bool nodes_add(struct reader *r, const struct line *line, unsigned name_index,
               unsigned address_index, struct scenario_node *node);

/* ---- scenario_sets.c ---- */

/* The set that the words [first, end) name; false with a message. */
bool set_read(struct reader *r, const struct line *line, unsigned first, unsigned end,
              struct node_set *set);

/* The index of `word` in [first, line->count), else line->count. */
unsigned line_find(const struct line *line, unsigned first, const char *word);

bool word_is(const struct line *line, unsigned index, const char *word);

/* "is a word of the language" check for names; false with a message. */
bool set_name_is_free(struct reader *r, const struct line *line, unsigned index);

/* ---- scenario_timeline.c ---- */

void timeline_read_link_line(struct reader *r, const struct line *line);
void timeline_read_fault_line(struct reader *r, const struct line *line);

/* A time of the run in word `index`: between 0 and the duration. */
bool timeline_time(struct reader *r, const struct line *line, unsigned index, double *out);

/* The latest fault with the verb of word `index` whose line stands above `line`; NULL with a
 * message. */
const struct fault *timeline_fault_above(struct reader *r, const struct line *line, unsigned index);

bool timeline_is_verb(const char *word);

/* Warns of each heal and start of the finished timeline that finds nothing to heal or start. */
void timeline_look_for_idle(struct reader *r);

/* ---- expectation.c ---- */

void expectation_read_line(struct reader *r, const struct line *line);

#endif
