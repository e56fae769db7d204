/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The laws of clocks and links as a scenario writes them: presets, names of its own, parameters
 * with units.
 *
 * One table per kind holds every parameter with its unit, range and meaning; the reader and the
 * help page use the same rows. Nothing is drawn here.
 */
#include "scenario_reader.h"

#include <string.h>

enum unit {
    UNIT_DURATION,
    UNIT_FREQUENCY,
    UNIT_NUMBER,
    UNIT_SHARE,
    UNIT_FREQUENCY_PER_DURATION, /* "40ppb/1h": two fields */
    UNIT_SHARE_PER_DURATION      /* "0.2%/1s": two fields */
};

struct parameter {
    const char *name;
    enum unit unit;
    double low, high;
    size_t field, second; /* offsets of doubles in the law */
    const char *help;
};

#define CLOCK(field) offsetof(struct oscillator_law, field)
#define LINK(field) offsetof(struct link_law, field)

static const struct parameter clock_parameters[] = {
    {"frequency", UNIT_FREQUENCY, -1e-3, 1e-3, CLOCK(initial_mean), 0,
     "frequency at the start, the same for every node that has this law; + is fast"},
    {"frequency-sd", UNIT_FREQUENCY, 0, 1e-3, CLOCK(initial_sd), 0,
     "spread of it between nodes (after `frequency`, which sets it to 0)"},
    {"white", UNIT_NUMBER, 0, 1e-3, CLOCK(white_fm), 0,
     "white noise of the frequency: Allan deviation at 1 s"},
    {"flicker", UNIT_NUMBER, 0, 1e-3, CLOCK(flicker_floor), 0,
     "flicker noise of the frequency: floor of the Allan deviation"},
    {"random-walk", UNIT_NUMBER, 0, 1e-3, CLOCK(random_walk_fm), 0,
     "random walk of the frequency per square root of a second"},
    {"wander", UNIT_FREQUENCY_PER_DURATION, 0, 1e-3, CLOCK(wander_sd), CLOCK(wander_tc_s),
     "temperature: standard deviation / time constant"},
    {"diurnal", UNIT_FREQUENCY, 0, 1e-3, CLOCK(diurnal), 0,
     "amplitude of a daily sine of the frequency"},
    {"aging", UNIT_NUMBER, -1e-3, 1e-3, CLOCK(aging_per_day), 0, "change of the frequency per day"},
    {"offset-sd", UNIT_DURATION, 0, 1e6, CLOCK(initial_offset_sd_s), 0,
     "spread of the clock's error at the first start"},
};

static const struct parameter path_parameters[] = {
    {"base", UNIT_DURATION, 0, 10, LINK(base_s), 0, "the least delay, one way"},
    {"load", UNIT_SHARE, 0, 1, LINK(load), 0, "probability that a packet finds a queue"},
    {"diurnal", UNIT_SHARE, 0, 1, LINK(diurnal), 0, "the queue grows by this share at 14:00"},
    {"loss", UNIT_SHARE, 0, 1, LINK(loss), 0, "independent loss"},
    {"burst", UNIT_SHARE_PER_DURATION, 0, 3600, LINK(burst_share), LINK(burst_s),
     "loss in bursts: share of time / mean length"},
    {"duplicate", UNIT_SHARE, 0, 1, LINK(duplicate), 0, "packets that arrive twice"},
    {"asymmetry", UNIT_DURATION, 0, 10, LINK(asymmetry_sd_s), 0,
     "standard deviation of a constant added to the way forward, drawn once per pair"},
};

/* The queue's laws and what their numbers mean; each value is a duration or a plain number. */
struct queue_words {
    const char *name;
    enum queue_law law;
    unsigned values;
    enum unit units[2];
    const char *help;
};

static const struct queue_words queues[] = {
    {"none", QUEUE_NONE, 0, {UNIT_NUMBER, UNIT_NUMBER}, ""},
    {"exponential", QUEUE_EXPONENTIAL, 1, {UNIT_DURATION, UNIT_NUMBER}, "MEAN"},
    {"gamma", QUEUE_GAMMA, 2, {UNIT_NUMBER, UNIT_DURATION}, "SHAPE SCALE"},
    {"lognormal", QUEUE_LOGNORMAL, 2, {UNIT_NUMBER, UNIT_NUMBER}, "ZETA SIGMA (of seconds)"},
    {"weibull", QUEUE_WEIBULL, 2, {UNIT_DURATION, UNIT_NUMBER}, "SCALE SHAPE"},
    {"pareto", QUEUE_PARETO, 2, {UNIT_NUMBER, UNIT_DURATION}, "SHAPE SCALE (capped at 10 s)"},
};

static const char *const path_words[] = {"base", "queue", "load",      "diurnal",
                                         "loss", "burst", "duplicate", "asymmetry",
                                         "fifo", "back",  "between",   NULL};

struct line line_part(const struct line *line, unsigned index, size_t skip, size_t length,
                      struct word words[2], char text[64])
{
    struct line part = {line->file, line->number, 1, words};
    const char *from = line->words[index].text + skip;
    g_strlcpy(text, from, MIN(length + 1, 64));
    words[0] = (struct word){text, line->words[index].column + (unsigned)skip, false};
    words[1] = (struct word){NULL, words[0].column + (unsigned)strlen(text), false};
    return part;
}

/* "A/B": reads A with its unit, B as a duration. */
static bool read_per_duration(struct reader *r, const struct line *line, unsigned index,
                              const struct parameter *p, double *first, double *second)
{
    struct word words[2];
    char text[64];
    const char *slash = index < line->count ? strchr(line->words[index].text, '/') : NULL;
    if (!slash) {
        line_error(line, index, r->messages, "expected %s after \"%s\"",
                   p->unit == UNIT_SHARE_PER_DURATION ? "SHARE/DURATION such as 0.2%/1s"
                                                      : "FREQUENCY/DURATION such as 40ppb/1h",
                   p->name);
        return false;
    }
    size_t before = (size_t)(slash - line->words[index].text);
    struct line part = line_part(line, index, 0, before, words, text);
    bool ok = p->unit == UNIT_SHARE_PER_DURATION
                  ? line_share(&part, 0, first, r->messages)
                  : line_frequency(&part, 0, p->low, p->high, first, r->messages);
    part = line_part(line, index, before + 1, strlen(slash + 1), words, text);
    return ok && line_duration(&part, 0, 1e-3, 1e9, second, r->messages);
}

static bool read_value(struct reader *r, const struct line *line, unsigned index,
                       const struct parameter *p, void *law)
{
    double value = 0, second = 0;
    bool ok = false;
    switch (p->unit) {
    case UNIT_DURATION:
        ok = line_duration(line, index, p->low, p->high, &value, r->messages);
        break;
    case UNIT_FREQUENCY:
        ok = line_frequency(line, index, p->low, p->high, &value, r->messages);
        break;
    case UNIT_NUMBER:
        ok = line_number(line, index, p->low, p->high, &value, r->messages);
        break;
    case UNIT_SHARE:
        ok = line_share(line, index, &value, r->messages);
        break;
    case UNIT_FREQUENCY_PER_DURATION:
    case UNIT_SHARE_PER_DURATION:
        ok = read_per_duration(r, line, index, p, &value, &second);
        if (ok) {
            memcpy((char *)law + p->second, &second, sizeof second);
        }
        break;
    }
    if (ok) {
        memcpy((char *)law + p->field, &value, sizeof value);
    }
    return ok;
}

static const struct parameter *find_parameter(const struct parameter *table, size_t count,
                                              const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

bool law_clock_parameter(struct reader *r, const struct line *line, unsigned *index,
                         struct oscillator_law *law, bool *found)
{
    const struct parameter *p =
        find_parameter(clock_parameters, G_N_ELEMENTS(clock_parameters), line->words[*index].text);
    *found = p != NULL;
    if (!p) {
        return true;
    }
    if (p->field == CLOCK(initial_mean)) {
        law->initial_sd = 0;
    }
    bool ok = read_value(r, line, *index + 1, p, law);
    *index += 2;
    return ok;
}

/* Complains about an unknown law; `own` are the scenario's names, `presets` the built-in ones. */
static void unknown_law(struct reader *r, const struct line *line, unsigned index, const char *kind,
                        GPtrArray *own, const char *const *presets)
{
    char *list = g_strjoinv(", ", (char **)(uintptr_t)presets);
    for (const char *const *name = presets; *name; name++) {
        g_ptr_array_add(own, (void *)(uintptr_t)*name);
    }
    g_ptr_array_add(own, NULL);
    if (index >= line->count) {
        line_error(line, index, r->messages, "expected a %s law: %s, or one of this scenario", kind,
                   list);
    } else {
        const char *text = line->words[index].text;
        const char *near = nearest_word(text, (const char *const *)own->pdata);
        char *hint = near ? g_strdup_printf("did you mean \"%s\"? There", near) : g_strdup("there");
        line_error(line, index, r->messages, "unknown %s law \"%s\"; %s are %s", kind, text, hint,
                   list);
        g_free(hint);
    }
    g_free(list);
}

bool law_clock(struct reader *r, const struct line *line, unsigned index,
               struct oscillator_law *law)
{
    GPtrArray *own = g_ptr_array_new();
    const char *name = index < line->count ? line->words[index].text : "";
    const struct oscillator_law *found = oscillator_preset(name);
    for (unsigned i = 0; i < r->clocks->len; i++) {
        const struct named_clock *clock = &g_array_index(r->clocks, struct named_clock, i);
        g_ptr_array_add(own, (void *)(uintptr_t)clock->name);
        if (strcmp(clock->name, name) == 0) {
            found = &clock->law;
        }
    }
    if (found) {
        *law = *found;
    } else {
        unknown_law(r, line, index, "clock", own, oscillator_preset_names());
    }
    g_ptr_array_free(own, TRUE);
    return found != NULL;
}

bool law_path(struct reader *r, const struct line *line, unsigned index, struct path_law *law)
{
    GPtrArray *own = g_ptr_array_new();
    const char *name = index < line->count ? line->words[index].text : "";
    const struct path_law *found = path_preset(name);
    for (unsigned i = 0; i < r->paths->len; i++) {
        const struct named_path *path = &g_array_index(r->paths, struct named_path, i);
        g_ptr_array_add(own, (void *)(uintptr_t)path->name);
        if (strcmp(path->name, name) == 0) {
            found = &path->law;
        }
    }
    if (found) {
        *law = *found;
    } else {
        unknown_law(r, line, index, "link", own, path_preset_names());
    }
    g_ptr_array_free(own, TRUE);
    return found != NULL;
}

static const struct queue_words *find_queue(struct reader *r, const struct line *line,
                                            unsigned index)
{
    const char *names[G_N_ELEMENTS(queues) + 1] = {NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(queues); i++) {
        names[i] = queues[i].name;
        if (word_is(line, index, queues[i].name)) {
            return &queues[i];
        }
    }
    const char *near = index < line->count ? nearest_word(line->words[index].text, names) : NULL;
    line_error(line, index, r->messages, "expected a queue law: %s%s%s%s",
               "none, exponential, gamma, lognormal, weibull or pareto",
               near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return NULL;
}

/* "queue LAW VALUE..."; *index is at `queue` and moves past the values. */
static bool read_queue(struct reader *r, const struct line *line, unsigned *index,
                       struct link_law *law)
{
    const struct queue_words *queue = find_queue(r, line, *index + 1);
    double values[2] = {0, 0};
    if (!queue) {
        return false;
    }
    *index += 2;
    for (unsigned i = 0; i < queue->values; i++, ++*index) {
        bool ok = queue->units[i] == UNIT_DURATION
                      ? line_duration(line, *index, 1e-9, 10, &values[i], r->messages)
                      : line_number(line, *index, -50, 100, &values[i], r->messages);
        if (ok && queue->units[i] == UNIT_NUMBER && queue->law != QUEUE_LOGNORMAL &&
            values[i] <= 0) {
            line_error(line, *index, r->messages, "a shape must be greater than 0");
            ok = false;
        }
        if (!ok) {
            return false;
        }
    }
    law->queue = queue->law;
    law->a = values[0];
    law->b = values[1];
    return true;
}

/* One parameter of one direction; *index moves past it. */
static bool read_path_parameter(struct reader *r, const struct line *line, unsigned *index,
                                struct link_law *law)
{
    const char *name = line->words[*index].text;
    const struct parameter *p =
        find_parameter(path_parameters, G_N_ELEMENTS(path_parameters), name);
    if (strcmp(name, "queue") == 0) {
        return read_queue(r, line, index, law);
    }
    if (strcmp(name, "fifo") == 0) {
        law->is_fifo = true;
        ++*index;
        return true;
    }
    if (!p) {
        const char *near = nearest_word(name, path_words);
        line_error(line, *index, r->messages, "unknown link parameter \"%s\"%s%s%s", name,
                   near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        return false;
    }
    *index += 2;
    return read_value(r, line, *index - 1, p, law);
}

bool law_path_parameters(struct reader *r, const struct line *line, unsigned *index,
                         struct path_law *law)
{
    bool is_back = false;
    while (*index < line->count && !word_is(line, *index, "between")) {
        unsigned again = *index;
        if (word_is(line, *index, "back")) {
            is_back = true;
            ++*index;
            continue;
        }
        if (!read_path_parameter(r, line, index, &law->back)) {
            return false;
        }
        if (!is_back && !read_path_parameter(r, line, &again, &law->forward)) {
            return false;
        }
    }
    return true;
}

void law_read_clock_line(struct reader *r, const struct line *line)
{
    struct named_clock clock = {0};
    unsigned index = 3;
    bool found = true;
    if (line->count < 2) {
        line_error(line, 1, r->messages, "expected clock-law NAME LAW [PARAMETER VALUE]...");
        return;
    }
    if (!law_clock(r, line, 2, &clock.law)) {
        return;
    }
    while (index < line->count) {
        if (!law_clock_parameter(r, line, &index, &clock.law, &found)) {
            return;
        }
        if (!found) {
            line_error(line, index, r->messages, "unknown clock parameter \"%s\"",
                       line->words[index].text);
            return;
        }
    }
    clock.name = scenario_reader_keep(r, line->words[1].text);
    g_array_append_val(r->clocks, clock);
}

void law_read_path_line(struct reader *r, const struct line *line)
{
    struct named_path path = {0};
    unsigned index = 3;
    if (line->count < 2) {
        line_error(line, 1, r->messages, "expected link-law NAME LAW [PARAMETER VALUE]...");
        return;
    }
    if (!law_path(r, line, 2, &path.law) || !law_path_parameters(r, line, &index, &path.law)) {
        return;
    }
    if (index < line->count) {
        line_error(line, index, r->messages,
                   "a link-law has no \"between\": that is for link lines");
        return;
    }
    path.name = scenario_reader_keep(r, line->words[1].text);
    g_array_append_val(r->paths, path);
}

static const char *const unit_texts[] = {"T", "F", "N", "P", "F/T", "P/T"};

static void help_table(GString *out, const struct parameter *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_string_append_printf(out, "  %-13s %-4s %s\n", table[i].name, unit_texts[table[i].unit],
                               table[i].help);
    }
}

void law_help(GString *out)
{
    char *names = g_strjoinv(" ", (char **)(uintptr_t)oscillator_preset_names());
    g_string_append_printf(out, "Clock laws: %s, and names of clock-law lines. Parameters:\n",
                           names);
    g_free(names);
    help_table(out, clock_parameters, G_N_ELEMENTS(clock_parameters));
    names = g_strjoinv(" ", (char **)(uintptr_t)path_preset_names());
    g_string_append_printf(out, "\nLink laws: %s, and names of link-law lines. Parameters:\n",
                           names);
    g_free(names);
    help_table(out, path_parameters, G_N_ELEMENTS(path_parameters));
    for (size_t i = 0; i < G_N_ELEMENTS(queues); i++) {
        g_string_append_printf(out, "  queue %-11s %s\n", queues[i].name, queues[i].help);
    }
    g_string_append(
        out,
        "  fifo               packets never overtake each other\n"
        "  back               what follows holds for the way back only; what stands before it\n"
        "                     holds for both ways\n");
}
