/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `expect` lines: what must hold, of whom, and when.
 *
 * A window is the whole run, narrowed by each clause that follows: from, until, at, between ...
 * and, before, after, during. Judging is the probe's business.
 */
#include "scenario_reader.h"

#include <math.h>
#include <string.h>

/* Reads the state in word `index`. */
static bool read_state(struct reader *r, const struct line *line, unsigned index,
                       enum system_state *out)
{
    for (unsigned i = 0; i < STATES; i++) {
        if (word_is(line, index, system_state_name((enum system_state)i))) {
            *out = (enum system_state)i;
            return true;
        }
    }
    line_error(line, index, r->messages,
               "expected a state: unsynchronised, synchronised, holdover or panic");
    return false;
}

/* The end of a fault as far as lines above tell: the whole timeline is read by now. */
static double fault_end(const struct reader *r, const struct fault *fault)
{
    struct scenario s = *r->scenario;
    s.faults = (struct fault *)(void *)r->faults->data;
    s.fault_count = r->faults->len;
    return scenario_fault_end_s(&s, fault);
}

/* A point in time: "T", "T after VERB", "T into VERB" or "T before VERB"; *index moves past it. */
static bool read_point(struct reader *r, const struct line *line, unsigned *index, double *out)
{
    bool is_relative = (word_is(line, *index + 1, "after") || word_is(line, *index + 1, "into") ||
                        word_is(line, *index + 1, "before")) &&
                       *index + 2 < line->count && timeline_is_verb(line->words[*index + 2].text);
    unsigned at = *index;
    if (!is_relative) {
        ++*index;
        return timeline_time(r, line, at, out);
    }
    *index += 3;
    const struct fault *fault = timeline_fault_above(r, line, at + 2);
    if (!fault || !line_duration(line, at, 0, 1e15, out, r->messages)) {
        return false;
    }
    if (word_is(line, at + 1, "before")) {
        *out = fault->at_s - *out;
    } else {
        *out += word_is(line, at + 1, "into") ? fault->at_s : fault_end(r, fault);
    }
    if (*out < 0 || *out > r->scenario->duration_s) {
        line_error(line, at, r->messages, "this is not within the duration of %s",
                   r->duration_text);
        return false;
    }
    return true;
}

static void narrow(struct expectation *e, double from, double until)
{
    e->from_s = fmax(e->from_s, from);
    e->until_s = fmin(e->until_s, until);
}

/* "during VERB", "after VERB", "before VERB". */
static bool read_fault_clause(struct reader *r, const struct line *line, unsigned *index,
                              struct expectation *e)
{
    const struct fault *fault = timeline_fault_above(r, line, *index + 1);
    if (!fault) {
        return false;
    }
    if (word_is(line, *index, "before")) {
        narrow(e, 0, fault->at_s);
    } else if (word_is(line, *index, "after")) {
        narrow(e, fault_end(r, fault), r->scenario->duration_s);
    } else {
        narrow(e, fault->at_s, fault_end(r, fault));
    }
    *index += 2;
    return true;
}

static bool is_fault_clause(const struct line *line, unsigned index)
{
    if (word_is(line, index, "during")) {
        return true;
    }
    return (word_is(line, index, "before") || word_is(line, index, "after")) &&
           index + 1 < line->count && timeline_is_verb(line->words[index + 1].text);
}

/* One clause at *index. */
static bool read_clause(struct reader *r, const struct line *line, unsigned *index,
                        struct expectation *e)
{
    unsigned word = *index;
    double point, second;
    if (is_fault_clause(line, word)) {
        return read_fault_clause(r, line, index, e);
    }
    ++*index;
    if (!word_is(line, word, "from") && !word_is(line, word, "until") &&
        !word_is(line, word, "at") && !word_is(line, word, "after") &&
        !word_is(line, word, "before") && !word_is(line, word, "between") &&
        !word_is(line, word, "within")) {
        line_error(line, word, r->messages,
                   "expected from, until, at, between, during, before or after, not \"%s\"",
                   line->words[word].text);
        return false;
    }
    if (!read_point(r, line, index, &point)) {
        return false;
    }
    if (word_is(line, word, "at")) {
        narrow(e, point, point);
    } else if (word_is(line, word, "from") || word_is(line, word, "after")) {
        narrow(e, point, r->scenario->duration_s);
    } else if (word_is(line, word, "between")) {
        if (!word_is(line, *index, "and")) {
            line_error(line, *index, r->messages, "expected \"and\" and the end of the window");
            return false;
        }
        ++*index;
        if (!read_point(r, line, index, &second)) {
            return false;
        }
        narrow(e, point, second);
    } else {
        narrow(e, 0, point);
    }
    return true;
}

static bool read_window(struct reader *r, const struct line *line, unsigned index,
                        struct expectation *e)
{
    unsigned first = index;
    while (index < line->count) {
        if (!read_clause(r, line, &index, e)) {
            return false;
        }
    }
    if (e->from_s > e->until_s) {
        line_error(line, first, r->messages, "this window is empty: it ends before it begins");
        return false;
    }
    return true;
}

/* The first word from `index` on that begins a clause, else the end of the line. */
static unsigned find_window(const struct line *line, unsigned index)
{
    static const char *const words[] = {"from",   "until",  "at",    "between",
                                        "within", "during", "after", "before"};
    while (index < line->count) {
        for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
            if (word_is(line, index, words[i])) {
                return index;
            }
        }
        index++;
    }
    return index;
}

/* NODES and the window: what is left of the line from `index` on. */
static bool read_rest(struct reader *r, const struct line *line, unsigned index,
                      struct expectation *e)
{
    unsigned window = find_window(line, index);
    return set_read(r, line, index, window, &e->nodes) && read_window(r, line, window, e);
}

/* What compares nodes needs two of them: of one it could never fail. */
static bool expect_several(struct reader *r, const struct line *line, unsigned index,
                           const struct expectation *e)
{
    if (e->nodes.count >= 2) {
        return true;
    }
    line_error(line, index, r->messages, "this compares nodes: expected at least two");
    return false;
}

static bool expect_word(struct reader *r, const struct line *line, unsigned index, const char *word)
{
    if (word_is(line, index, word)) {
        return true;
    }
    line_error(line, index, r->messages, "expected \"%s\" here", word);
    return false;
}

/* "synchronised NODES", "unsynchronised NODES": as an operator sees it. */
static bool read_synchronised(struct reader *r, const struct line *line, struct expectation *e)
{
    e->kind = EXPECT_STATE;
    e->state = STATE_SYNCHRONISED;
    e->accepts_holdover = true;
    e->negated = word_is(line, 1, "unsynchronised");
    return read_rest(r, line, 2, e);
}

/* "state STATE NODES". */
static bool read_state_line(struct reader *r, const struct line *line, struct expectation *e)
{
    e->kind = EXPECT_STATE;
    return read_state(r, line, 2, &e->state) && read_rest(r, line, 3, e);
}

/* "error of NODES < T", "spread of NODES < T", "frequency of NODES < F". */
static bool read_measure(struct reader *r, const struct line *line, struct expectation *e)
{
    unsigned less = line_find(line, 3, "<");
    e->kind = word_is(line, 1, "error")    ? EXPECT_ERROR
              : word_is(line, 1, "spread") ? EXPECT_SPREAD
                                           : EXPECT_FREQUENCY;
    if (!expect_word(r, line, 2, "of")) {
        return false;
    }
    if (less >= line->count) {
        line_error(line, less, r->messages, "expected \"< LIMIT\" after the nodes");
        return false;
    }
    bool ok = e->kind == EXPECT_FREQUENCY
                  ? line_frequency(line, less + 1, 0, 1, &e->bound, r->messages)
                  : line_duration(line, less + 1, 0, 1e9, &e->bound, r->messages);
    return ok && set_read(r, line, 3, less, &e->nodes) &&
           (e->kind != EXPECT_SPREAD || expect_several(r, line, 3, e)) &&
           read_window(r, line, less + 2, e);
}

/* "claimed-bound holds [of NODES]". */
static bool read_bound(struct reader *r, const struct line *line, struct expectation *e)
{
    size_t count = r->scenario->host_count + r->scenario->client_count;
    e->kind = EXPECT_CLAIMED_BOUND;
    if (!expect_word(r, line, 2, "holds")) {
        return false;
    }
    if (word_is(line, 3, "of")) {
        return read_rest(r, line, 4, e);
    }
    e->nodes.nodes = g_new(uint32_t, count);
    e->nodes.count = count;
    g_ptr_array_add(r->storage->sets, e->nodes.nodes);
    for (uint32_t i = 0; i < count; i++) {
        e->nodes.nodes[i] = i;
    }
    return read_window(r, line, 3, e);
}

/* "one leader among NODES". */
static bool read_leader(struct reader *r, const struct line *line, struct expectation *e)
{
    e->kind = EXPECT_ONE_LEADER;
    return expect_word(r, line, 2, "leader") && expect_word(r, line, 3, "among") &&
           read_rest(r, line, 4, e) && expect_several(r, line, 4, e);
}

/* "no step of NODES", "no cycle among NODES longer than T". */
static bool read_no(struct reader *r, const struct line *line, struct expectation *e)
{
    if (word_is(line, 2, "step")) {
        e->kind = EXPECT_NO_STEP;
        return expect_word(r, line, 3, "of") && read_rest(r, line, 4, e);
    }
    e->kind = EXPECT_NO_CYCLE;
    if (!word_is(line, 2, "cycle")) {
        line_error(line, 2, r->messages,
                   "expected \"step of NODES\" or \"cycle among NODES longer than T\"");
        return false;
    }
    unsigned longer = line_find(line, 3, "longer");
    return expect_word(r, line, 3, "among") && expect_word(r, line, longer, "longer") &&
           expect_word(r, line, longer + 1, "than") && set_read(r, line, 4, longer, &e->nodes) &&
           expect_several(r, line, 4, e) &&
           line_duration(line, longer + 2, 0, 1e9, &e->bound, r->messages) &&
           read_window(r, line, longer + 3, e);
}

/* "NODES becomes STATE", "NODES follows NODES", "NODES never follows NODES". */
static bool read_nodes_first(struct reader *r, const struct line *line, struct expectation *e)
{
    unsigned becomes = line_find(line, 1, "becomes");
    unsigned follows = line_find(line, 1, "follows");
    if (becomes < line->count) {
        e->kind = EXPECT_BECOMES;
        return set_read(r, line, 1, becomes, &e->nodes) &&
               read_state(r, line, becomes + 1, &e->state) && read_window(r, line, becomes + 2, e);
    }
    e->kind = EXPECT_FOLLOWS;
    e->negated = word_is(line, follows - 1, "never");
    unsigned window = find_window(line, follows);
    return set_read(r, line, 1, follows - (e->negated ? 1 : 0), &e->nodes) &&
           set_read(r, line, follows + 1, window, &e->targets) && read_window(r, line, window, e);
}

struct form {
    const char *word;
    bool (*read)(struct reader *r, const struct line *line, struct expectation *e);
};

static const struct form forms[] = {
    {"synchronised", read_synchronised},
    {"unsynchronised", read_synchronised},
    {"state", read_state_line},
    {"error", read_measure},
    {"spread", read_measure},
    {"frequency", read_measure},
    {"claimed-bound", read_bound},
    {"one", read_leader},
    {"no", read_no},
};

static bool read_form(struct reader *r, const struct line *line, struct expectation *e)
{
    const char *names[G_N_ELEMENTS(forms) + 1] = {NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        names[i] = forms[i].word;
        if (word_is(line, 1, forms[i].word)) {
            return forms[i].read(r, line, e);
        }
    }
    if (line_find(line, 1, "becomes") < line->count ||
        line_find(line, 1, "follows") < line->count) {
        return read_nodes_first(r, line, e);
    }
    if (line->count < 2) {
        line_error(line, 1, r->messages, "expected what must hold, such as \"synchronised NODES\"");
        return false;
    }
    const char *near = nearest_word(line->words[1].text, names);
    line_error(line, 1, r->messages, "unknown expectation \"%s\"%s%s%s", line->words[1].text,
               near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return false;
}

void expectation_read_line(struct reader *r, const struct line *line)
{
    struct expectation e = {.from_s = 0, .until_s = r->scenario->duration_s, .line = line->number};
    if (read_form(r, line, &e)) {
        e.text = reader_words(r, line, 1, line->count);
        g_array_append_val(r->expectations, e);
    }
}
