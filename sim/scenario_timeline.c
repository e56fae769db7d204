/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `link` and `at` lines: who is joined by which law, and what happens when.
 *
 * One table holds the verbs of the timeline with the shape of their words; the reader and the help
 * page use the same rows. What a verb does to the world is told in fault.c.
 */
#include "scenario_reader.h"

#include <math.h>
#include <string.h>

enum amount { AMOUNT_NONE, AMOUNT_TIME, AMOUNT_FREQUENCY, AMOUNT_SHARE };
enum ends {
    ENDS_NODES,
    ENDS_LINKS,
    ENDS_WAY
}; /* NODES; NODES or links between two sets; from one to another */

struct verb {
    const char *name;
    enum ends ends;
    enum amount amount;
    bool is_for_upstreams; /* and for nothing else */
    bool is_momentary;     /* without `for` it is over at once */
};

static const struct verb verbs[FAULT_VERBS] = {
    [FAULT_CUT] = {"cut", ENDS_LINKS, AMOUNT_NONE, false, false},
    [FAULT_HEAL] = {"heal", ENDS_LINKS, AMOUNT_NONE, false, true},
    [FAULT_STEP] = {"step", ENDS_NODES, AMOUNT_TIME, false, true},
    [FAULT_FREQUENCY] = {"frequency", ENDS_NODES, AMOUNT_FREQUENCY, false, false},
    [FAULT_STOP] = {"stop", ENDS_NODES, AMOUNT_NONE, false, false},
    [FAULT_START] = {"start", ENDS_NODES, AMOUNT_NONE, false, true},
    [FAULT_FALSETICK] = {"falsetick", ENDS_NODES, AMOUNT_TIME, true, false},
    [FAULT_DELAY] = {"delay", ENDS_WAY, AMOUNT_TIME, false, false},
    [FAULT_LOSS] = {"loss", ENDS_LINKS, AMOUNT_SHARE, false, false},
};

const char *fault_verb_name(enum fault_verb verb)
{
    return verbs[verb].name;
}

bool timeline_is_verb(const char *word)
{
    for (size_t i = 0; i < FAULT_VERBS; i++) {
        if (strcmp(verbs[i].name, word) == 0) {
            return true;
        }
    }
    return false;
}

/* The verb of word `index`; FAULT_VERBS with a message. */
static enum fault_verb read_verb(struct reader *r, const struct line *line, unsigned index)
{
    const char *names[FAULT_VERBS + 1] = {NULL};
    for (unsigned i = 0; i < FAULT_VERBS; i++) {
        names[i] = verbs[i].name;
        if (word_is(line, index, verbs[i].name)) {
            return (enum fault_verb)i;
        }
    }
    if (index >= line->count) {
        line_error(line, index, r->messages, "expected a verb such as \"cut\"");
        return FAULT_VERBS;
    }
    const char *near = nearest_word(line->words[index].text, names);
    line_error(line, index, r->messages, "unknown verb \"%s\"%s%s%s", line->words[index].text,
               near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return FAULT_VERBS;
}

bool timeline_time(struct reader *r, const struct line *line, unsigned index, double *out)
{
    if (!line_duration(line, index, 0, 1e15, out, r->messages)) {
        return false;
    }
    if (r->duration_text && *out > r->scenario->duration_s) {
        line_error(line, index, r->messages, "%s is beyond the duration of %s",
                   line->words[index].text, r->duration_text);
        return false;
    }
    return true;
}

/* Reads the amount in the last word before `end`, with or without "by" before it; *end moves before
 * them. */
static bool read_amount(struct reader *r, const struct line *line, unsigned *end,
                        enum amount amount, double *out)
{
    unsigned index = *end > 4 ? *end - 1 : line->count; /* the nodes stand before it */
    bool ok = true;
    switch (amount) {
    case AMOUNT_NONE:
        *out = 0;
        return true;
    case AMOUNT_TIME:
        ok = line_duration(line, index, -1e9, 1e9, out, r->messages);
        break;
    case AMOUNT_FREQUENCY:
        ok = line_frequency(line, index, -1e-3, 1e-3, out, r->messages);
        break;
    case AMOUNT_SHARE:
        ok = line_share(line, index, out, r->messages);
        break;
    }
    *end = index > 0 && word_is(line, index - 1, "by") ? index - 1 : index;
    return ok;
}

/* "A [WORD B]": two sets around a word, or one when the word is not there. */
static bool read_two(struct reader *r, const struct line *line, unsigned first, unsigned end,
                     const char *word, struct node_set *a, struct node_set *b)
{
    unsigned middle = MIN(line_find(line, first, word), end);
    if (!set_read(r, line, first, middle, a)) {
        return false;
    }
    return middle >= end || set_read(r, line, middle + 1, end, b);
}

static bool read_ends(struct reader *r, const struct line *line, unsigned end,
                      const struct verb *verb, struct fault *fault)
{
    if (verb->ends == ENDS_NODES) {
        return set_read(r, line, 3, end, &fault->a);
    }
    if (verb->ends == ENDS_LINKS && !word_is(line, 3, "between")) {
        return read_two(r, line, 3, end, "from", &fault->a, &fault->b);
    }
    const char *word = verb->ends == ENDS_WAY ? "to" : "and";
    unsigned first = word_is(line, 3, "between") || word_is(line, 3, "from") ? 4 : 3;
    if (line_find(line, first, word) >= end) {
        line_error(line, end, r->messages, "expected \"%s NODES\" before this", word);
        return false;
    }
    return read_two(r, line, first, end, word, &fault->a, &fault->b);
}

/* falsetick is about what upstreams tell; the rest is about anything. */
static bool check_nodes(struct reader *r, const struct line *line, const struct fault *fault)
{
    size_t first = r->scenario->host_count + r->scenario->client_count;
    if (verbs[fault->verb].is_for_upstreams && fault->a.nodes[0] < first) {
        line_error(line, 3, r->messages, "\"%s\" is for upstreams, and %s is none; try \"step\"",
                   verbs[fault->verb].name,
                   g_array_index(r->nodes, struct scenario_node, fault->a.nodes[0]).name);
        return false;
    }
    return true;
}

void timeline_read_fault_line(struct reader *r, const struct line *line)
{
    struct fault fault = {.for_s = NAN, .line = line->number};
    unsigned end = line_find(line, 2, "for");
    if (!timeline_time(r, line, 1, &fault.at_s)) {
        return;
    }
    fault.verb = read_verb(r, line, 2);
    if (fault.verb == FAULT_VERBS) {
        return;
    }
    const struct verb *verb = &verbs[fault.verb];
    if (end < line->count) {
        if (verb->is_momentary && fault.verb != FAULT_STEP) {
            line_error(line, end, r->messages, "\"%s\" does not end and takes no \"for\"",
                       verb->name);
            return;
        }
        if (!line_duration(line, end + 1, 1e-3, 1e15, &fault.for_s, r->messages)) {
            return;
        }
        if (end + 2 < line->count) {
            line_error(line, end + 2, r->messages, "unexpected \"%s\" at the end",
                       line->words[end + 2].text);
            return;
        }
    }
    if (!read_amount(r, line, &end, verb->amount, &fault.amount) ||
        !read_ends(r, line, end, verb, &fault) || !check_nodes(r, line, &fault)) {
        return;
    }
    fault.text = reader_words(r, line, 2, line->count);
    g_array_append_val(r->faults, fault);
}

/* Whether some two nodes, one from each side, are two. */
static bool joins_two(const struct link_rule *rule)
{
    const struct node_set *far = rule->b.count > 0 ? &rule->b : &rule->a;
    return rule->a.count > 1 || far->count > 1 || rule->a.nodes[0] != far->nodes[0];
}

/* The names of the law and its parameters, as the report shows them. */
void timeline_read_link_line(struct reader *r, const struct line *line)
{
    struct link_rule rule = {.line = line->number};
    unsigned index = 2;
    if (!law_path(r, line, 1, &rule.law) || !law_path_parameters(r, line, &index, &rule.law)) {
        return;
    }
    if (index >= line->count) {
        line_error(line, index, r->messages, "expected \"between NODES...\"");
        return;
    }
    if (!read_two(r, line, index + 1, line->count, "and", &rule.a, &rule.b)) {
        return;
    }
    if (!joins_two(&rule)) {
        line_error(line, index + 1, r->messages,
                   "this joins nothing: expected at least two nodes, or \"and NODES\" after them");
    } else {
        rule.name = reader_words(r, line, 1, index);
        g_array_append_val(r->rules, rule);
    }
}

const struct fault *timeline_fault_above(struct reader *r, const struct line *line, unsigned index)
{
    enum fault_verb verb = read_verb(r, line, index);
    const struct fault *found = NULL;
    for (unsigned i = 0; verb < FAULT_VERBS && i < r->faults->len; i++) {
        const struct fault *fault = &g_array_index(r->faults, struct fault, i);
        if (fault->verb == verb && fault->line < line->number) {
            found = fault;
        }
    }
    if (!found && verb < FAULT_VERBS) {
        line_error(line, index, r->messages, "there is no \"%s\" in the timeline above this line",
                   verbs[verb].name);
    }
    return found;
}

static bool sets_meet(const struct node_set *a, const struct node_set *b)
{
    for (size_t i = 0; i < a->count; i++) {
        if (node_set_has(b, a->nodes[i])) {
            return true;
        }
    }
    return false;
}

/* How long a fault is in force when it has not been taken back. */
static bool has_ended(const struct fault *fault, const struct fault *at)
{
    return !isnan(fault->for_s) && fault->at_s + fault->for_s <= at->at_s;
}

static bool set_covers(const struct node_set *whole, const struct node_set *part)
{
    for (size_t i = 0; i < part->count; i++) {
        if (!node_set_has(whole, part->nodes[i])) {
            return false;
        }
    }
    return true;
}

/* The far ends of a fault's links: any node when the line names none. */
static bool far_ends_meet(const struct node_set *far, const struct node_set *ends)
{
    return far->count == 0 || ends->count == 0 || sets_meet(far, ends);
}

/* Whether two faults concern a link in common; it has no direction. */
static bool links_meet(const struct fault *x, const struct fault *y)
{
    return (sets_meet(&x->a, &y->a) && far_ends_meet(&x->b, &y->b)) ||
           (far_ends_meet(&x->b, &y->a) && far_ends_meet(&y->b, &x->a));
}

/* Whether all links of `part` are links of `whole`. */
static bool links_cover(const struct fault *whole, const struct fault *part)
{
    if (whole->b.count == 0) {
        return set_covers(&whole->a, &part->a) ||
               (part->b.count > 0 && set_covers(&whole->a, &part->b));
    }
    return part->b.count > 0 &&
           ((set_covers(&whole->a, &part->a) && set_covers(&whole->b, &part->b)) ||
            (set_covers(&whole->a, &part->b) && set_covers(&whole->b, &part->a)));
}

/* A cut in force that concerns a link of scenario fault `heal` and that no heal between the two has
 * taken back as a whole. */
static bool has_cut_to_heal(const struct scenario *s, size_t heal)
{
    const struct fault *h = &s->faults[heal];
    for (size_t i = 0; i < heal; i++) {
        const struct fault *cut = &s->faults[i];
        bool is_cut = cut->verb == FAULT_CUT && !has_ended(cut, h) && links_meet(cut, h);
        for (size_t j = i + 1; is_cut && j < heal; j++) {
            is_cut = s->faults[j].verb != FAULT_HEAL || !links_cover(&s->faults[j], cut);
        }
        if (is_cut) {
            return true;
        }
    }
    return false;
}

/* A node of fault `start` that the youngest stop or start in force has stopped, or that has not
 * been switched on yet. */
static bool has_node_to_start(const struct scenario *s, size_t start)
{
    const struct fault *fault = &s->faults[start];
    for (size_t n = 0; n < fault->a.count; n++) {
        uint32_t node = fault->a.nodes[n];
        bool is_up = s->nodes[node].start_s <= fault->at_s;
        for (size_t i = 0; i < start; i++) {
            const struct fault *other = &s->faults[i];
            bool is_power = other->verb == FAULT_STOP || other->verb == FAULT_START;
            if (is_power && !has_ended(other, fault) && node_set_has(&other->a, node)) {
                is_up = other->verb == FAULT_START;
            }
        }
        if (!is_up) {
            return true;
        }
    }
    return false;
}

static void warn_of_idle(struct reader *r, const struct fault *fault, const char *text)
{
    for (unsigned i = 0; i < r->lines->count; i++) {
        if (r->lines->lines[i].number == fault->line) {
            line_warning(&r->lines->lines[i], 2, r->messages, "%s", text);
        }
    }
}

void timeline_look_for_idle(struct reader *r)
{
    const struct scenario *s = r->scenario;
    for (size_t i = 0; i < s->fault_count; i++) {
        if (s->faults[i].verb == FAULT_HEAL && !has_cut_to_heal(s, i)) {
            warn_of_idle(r, &s->faults[i], "\"heal\" has no effect: none of these is cut then");
        } else if (s->faults[i].verb == FAULT_START && !has_node_to_start(s, i)) {
            warn_of_idle(r, &s->faults[i], "\"start\" has no effect: all of these run then");
        }
    }
}

double scenario_fault_end_s(const struct scenario *s, const struct fault *fault)
{
    enum fault_verb opposite = fault->verb == FAULT_CUT    ? FAULT_HEAL
                               : fault->verb == FAULT_STOP ? FAULT_START
                                                           : FAULT_VERBS;
    double end = s->duration_s;
    if (!isnan(fault->for_s)) {
        return fmin(end, fault->at_s + fault->for_s);
    }
    if (verbs[fault->verb].is_momentary) {
        return fault->at_s;
    }
    for (size_t i = 0; i < s->fault_count; i++) {
        const struct fault *other = &s->faults[i];
        if (other->verb == opposite && other->at_s >= fault->at_s &&
            sets_meet(&fault->a, &other->a)) {
            end = fmin(end, other->at_s);
        }
    }
    return end;
}
