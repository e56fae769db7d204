/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a running server stands: what its variables mean; see server_report.h.
 */
#include "server_report.h"

#include <math.h>
#include <string.h>

#include "../engine/constants.h"
#include "../engine/control.h"
#include "../engine/engine.h"
#include "../engine/status_word.h"
#include "quantity.h"

/* The peer status word (RFC 9327 section 4.2): reachable, and the selection code. */
enum { STATUS_REACHABLE = 0x1000, STATUS_SELECTION_SHIFT = 8, STATUS_SELECTION_MASK = 7 };

#define FIRST_NAMES                                                                                \
    "hf_state,hf_bound,hf_lasts,hf_drift,hf_drift_known,hf_residual,hf_steer,hf_source,"           \
    "hf_refused,hf_policy"

const char *const server_report_names[] = {FIRST_NAMES ",hf_steering", FIRST_NAMES, NULL};

void server_report_init(struct server_report *report)
{
    *report = (struct server_report){.leap = -1,
                                     .stratum = -1,
                                     .offset_s = NAN,
                                     .bound_s = NAN,
                                     .lasts_s = NAN,
                                     .drift_ppm = NAN,
                                     .residual_s = NAN,
                                     .may_steer = -1,
                                     .refused = NAN,
                                     .sources_are_complete = true};
    report->sources = g_array_new(FALSE, TRUE, sizeof(struct source_report));
}

void server_report_clear(struct server_report *report)
{
    g_array_free(report->sources, TRUE);
    report->sources = NULL;
}

/* Decimal, or hexadecimal with 0x as ntpd writes bits; otherwise *out stays. */
static void take_integer(const struct control_answer *answer, const char *name, int high, int *out)
{
    char text[CONTROL_VALUE_MAX], *rest;
    if (!control_answer_variable(answer, name, text) || !g_ascii_isdigit(text[0])) {
        return;
    }
    bool is_hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    guint64 value = g_ascii_strtoull(text, &rest, is_hexadecimal ? 16 : 10);
    if (*rest == '\0' && value <= (guint64)high) {
        *out = (int)value;
    }
}

/* What a decimal number was before arithmetic: 15 digits always survive being a double, so 0.07833
 * ms becomes 7.833e-05 s and not 7.832999999999999e-05 s. */
static double decimal(double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    return g_ascii_strtod(g_ascii_formatd(text, sizeof text, "%.15g", value), NULL);
}

static void take_scaled(const struct control_answer *answer, const char *name, double divisor,
                        double *out)
{
    double value;
    if (control_answer_number(answer, name, &value)) {
        *out = decimal(value / divisor);
    }
}

static void take_own(struct server_report *report, const struct control_answer *answer)
{
    double known = 0;
    char address[CONTROL_VALUE_MAX];
    report->is_holdfast = true;
    report->bound_s = report->lasts_s = report->drift_ppm = NAN;
    take_scaled(answer, "hf_bound", 1000, &report->bound_s);
    if (report->bound_s < 0) {
        report->bound_s = NAN; /* it says so when it claims nothing */
    }
    take_scaled(answer, "hf_lasts", 1, &report->lasts_s);
    take_scaled(answer, "hf_residual", 1000, &report->residual_s);
    take_scaled(answer, "hf_refused", 1, &report->refused);
    take_integer(answer, "hf_steer", 1, &report->may_steer);
    control_answer_variable(answer, "hf_steering", report->steering);
    if (control_answer_number(answer, "hf_drift_known", &known) && known > 0) {
        take_scaled(answer, "hf_drift", 1, &report->drift_ppm);
    }
    control_answer_variable(answer, "hf_policy", report->policy);
    if (control_answer_variable(answer, "hf_source", address) && strcmp(address, "-") != 0) {
        g_strlcpy(report->source, address, sizeof report->source);
    }
}

/* What RFC 9327's variables let us say of any server. */
static void take_common(struct server_report *report, const struct control_answer *answer)
{
    double delay_s = NAN, dispersion_s = NAN;
    control_answer_variable(answer, "version", report->version);
    take_integer(answer, "leap", LEAP_UNKNOWN, &report->leap);
    take_integer(answer, "stratum", STRATUM_MAX, &report->stratum);
    take_scaled(answer, "offset", 1000, &report->offset_s);
    if (report->is_holdfast) {
        return;
    }
    take_scaled(answer, "frequency", 1, &report->drift_ppm);
    take_scaled(answer, "rootdelay", 1000, &delay_s);
    take_scaled(answer, "rootdisp", 1000, &dispersion_s);
    bool claims = report->leap >= LEAP_NONE && report->leap < LEAP_UNKNOWN &&
                  report->stratum > STRATUM_UNSPECIFIED && report->stratum < STRATUM_MAX;
    if (claims && !isnan(delay_s + dispersion_s)) {
        report->bound_s = decimal(delay_s / 2 + dispersion_s);
    }
    g_strlcpy(report->state, claims ? "synchronised" : "unsynchronised", sizeof report->state);
}

/* A clock that was never updated has no reference time. */
static void take_update(struct server_report *report, const struct control_answer *answer)
{
    char time[CONTROL_VALUE_MAX];
    if (control_answer_variable(answer, "reftime", time)) {
        report->never_updated =
            g_str_has_prefix(time, "0x") && time[2 + strspn(time + 2, "0.")] == '\0';
    }
    if (report->never_updated) { /* the zeros that stand there are no measurements */
        report->offset_s = report->residual_s = NAN;
    }
}

void server_report_take_system(struct server_report *report, const struct control_answer *answer)
{
    if (control_answer_variable(answer, "hf_state", report->state)) {
        take_own(report, answer);
    }
    take_common(report, answer);
    take_update(report, answer);
}

/* The address of nobody stands where there is none yet. */
static void take_place(const struct control_answer *answer, struct source_report *source)
{
    control_answer_variable(answer, "srchost", source->host);
    control_answer_variable(answer, "srcadr", source->address);
    if (strcmp(source->address, "0.0.0.0") == 0 || strcmp(source->address, "::") == 0) {
        source->address[0] = '\0';
        source->is_unresolved = true;
    }
}

const char *source_report_name(const struct source_report *source)
{
    return source->address[0] ? source->address : source->host[0] ? source->host : NULL;
}

void server_report_take_source(struct server_report *report, uint16_t association, uint16_t status,
                               const struct control_answer *answer)
{
    struct source_report source = {.association = association,
                                   .reach = -1,
                                   .stratum = -1,
                                   .poll_log2s = -1,
                                   .offset_s = NAN,
                                   .delay_s = NAN,
                                   .dispersion_s = NAN,
                                   .jitter_s = NAN};
    source.selection = (unsigned)status >> STATUS_SELECTION_SHIFT & STATUS_SELECTION_MASK;
    source.is_reachable = (status & STATUS_REACHABLE) != 0;
    take_place(answer, &source);
    take_integer(answer, "reach", UINT8_MAX, &source.reach);
    take_integer(answer, "stratum", STRATUM_MAX, &source.stratum);
    take_integer(answer, "hpoll", 17, &source.poll_log2s);
    take_scaled(answer, "offset", 1000, &source.offset_s);
    take_scaled(answer, "delay", 1000, &source.delay_s);
    take_scaled(answer, "dispersion", 1000, &source.dispersion_s);
    take_scaled(answer, "jitter", 1000, &source.jitter_s);
    if (source.dispersion_s >= DISPERSION_MAX_S) { /* an empty filter: the zeros mean nothing */
        source.offset_s = source.delay_s = source.dispersion_s = source.jitter_s = NAN;
    }
    if (report->is_holdfast) { /* others may mean something else by the same bits */
        take_integer(answer, "flash", UINT16_MAX, &source.flash);
    }
    g_array_append_val(report->sources, source);
}

void server_report_finish(struct server_report *report)
{
    for (guint i = 0; i < report->sources->len; i++) {
        const struct source_report *source =
            &g_array_index(report->sources, struct source_report, i);
        if (!report->is_holdfast && report->source[0] == '\0' &&
            (source->selection == SELECT_SYSTEM_PEER || source->selection == SELECT_PPS)) {
            g_strlcpy(report->source, source->address, sizeof report->source);
        }
    }
}

bool server_report_meets(const struct server_report *report, double max_error_s)
{
    return strcmp(report->state, "synchronised") == 0 && report->bound_s <= max_error_s;
}

char *server_report_line(const struct server_report *report)
{
    char bound[QUANTITY_TEXT_SIZE];
    return g_strdup_printf(
        "%s%s%s, claimed bound %s", report->state, report->source[0] ? " to " : "", report->source,
        isnan(report->bound_s) ? "none" : quantity_seconds(report->bound_s, bound));
}

static void say(GPtrArray *problems, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void say(GPtrArray *problems, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_ptr_array_add(problems, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

static unsigned count_reachable(const struct server_report *report)
{
    unsigned reachable = 0;
    for (guint i = 0; i < report->sources->len; i++) {
        reachable += g_array_index(report->sources, struct source_report, i).is_reachable;
    }
    return reachable;
}

/* It sends something, which is not let in. */
static bool is_refused(const struct source_report *source)
{
    return !source->is_reachable && (source->flash & (FLASH_DENIED | FLASH_AUTH));
}

static unsigned count_refused(const struct server_report *report)
{
    unsigned refused = 0;
    for (guint i = 0; i < report->sources->len; i++) {
        refused += is_refused(&g_array_index(report->sources, struct source_report, i));
    }
    return refused;
}

/* Why nobody is followed, as far as the sources show. */
static void say_why_unsynchronised(const struct server_report *report, GPtrArray *problems)
{
    unsigned reachable = count_reachable(report), liars = 0;
    for (guint i = 0; i < report->sources->len; i++) {
        const struct source_report *source =
            &g_array_index(report->sources, struct source_report, i);
        liars += source->is_reachable && source->selection == SELECT_FALSETICK;
    }
    if (report->sources->len == 0 && report->sources_are_complete) {
        say(problems, "unsynchronised: it has no sources; name some with server, peer or pool");
    } else if (report->sources->len == 0) {
        say(problems, "unsynchronised");
    } else if (reachable == 0 && count_refused(report) > 0) {
        say(problems, "unsynchronised: it takes no answer of any of its %u sources",
            report->sources->len);
    } else if (reachable == 0) {
        say(problems, "unsynchronised: none of its %u sources answers", report->sources->len);
    } else if (liars == reachable) {
        say(problems, "unsynchronised: its %u sources that answer disagree with each other",
            reachable);
    } else {
        say(problems,
            "unsynchronised: %u of %u sources answer; it has not measured its clock with them yet, "
            "or they are not fit",
            reachable, report->sources->len);
    }
}

static void say_of_state(const struct server_report *report, GPtrArray *problems)
{
    if (strcmp(report->state, "unsynchronised") == 0) {
        say_why_unsynchronised(report, problems);
    } else if (strcmp(report->state, "holdover") == 0) {
        say(problems, "in holdover: no fit source is left, it keeps time from memory");
    } else if (strcmp(report->state, "panic") == 0) {
        say(problems, "panic: the clock is too far off to be corrected unasked; set it, or start "
                      "holdfastd with -g once");
    }
}

static void say_of_source(const struct source_report *source, bool all_silent, GPtrArray *problems)
{
    const char *name = source_report_name(source);
    name = name ? name : "a source without address";
    if (source->is_unresolved) {
        say(problems, "%s is not resolved: no name server has told its address yet", name);
    } else if (is_refused(source) && (source->flash & FLASH_DENIED)) {
        say(problems, "it refuses what %s answers, by a restrict line with ignore or noserve",
            name);
    } else if (is_refused(source)) {
        say(problems,
            "it refuses what %s answers, for want of a MAC that verifies: compare the keys, and "
            "look for restrict ... notrust",
            name);
    } else if (!source->is_reachable && !all_silent) {
        say(problems, "%s does not answer", name);
    } else if (source->is_reachable && source->selection == SELECT_FALSETICK) {
        say(problems, "%s disagrees with the others", name);
    }
}

static void say_of_sources(const struct server_report *report, GPtrArray *problems)
{
    bool all_silent = count_reachable(report) + count_refused(report) == 0;
    if (all_silent && report->sources->len > 0 && strcmp(report->state, "unsynchronised") != 0) {
        say(problems, "none of its %u sources answers", report->sources->len);
    }
    for (guint i = 0; i < report->sources->len; i++) {
        say_of_source(&g_array_index(report->sources, struct source_report, i), all_silent,
                      problems);
    }
    if (!report->sources_are_complete) {
        say(problems, "not all sources could be asked for");
    }
}

/* A daemon that does not say which leaves both open. */
static const char *why_not_steered(const char *steering)
{
    static const struct {
        enum control_steering steering;
        const char *why;
    } known[] = {
        {CONTROL_STEERING_UNWANTED, "it was told not to (--no-clock-control)"},
        {CONTROL_STEERING_DISABLED, "its configuration says \"disable ntp\""},
        {CONTROL_STEERING_NO_RIGHT, "it has no right to (CAP_SYS_TIME)"},
        {CONTROL_STEERING_REFUSED, "the kernel refused a command to it"},
        {CONTROL_STEERING_AT_RESTART,
         "it was started with \"disable ntp\", and has to be started anew now that this is gone"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (strcmp(steering, control_steering_name(known[i].steering)) == 0) {
            return known[i].why;
        }
    }
    return "it has no right to (CAP_SYS_TIME), or was told not to";
}

GPtrArray *server_report_problems(const struct server_report *report)
{
    GPtrArray *problems = g_ptr_array_new_with_free_func(g_free);
    say_of_state(report, problems);
    if (report->may_steer == 0) {
        say(problems, "it does not steer the clock: %s", why_not_steered(report->steering));
    }
    if (report->refused > 0) {
        say(problems, "the kernel refused %.0f clock commands", report->refused);
    }
    say_of_sources(report, problems);
    return problems;
}
