/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a running server stands, as it answers mode 6: for one look of an operator, and as JSON.
 *
 * Understands holdfastd's own variables (hf_*) and, where there are none, what ntpd has under the
 * names of RFC 9327. Whatever is missing or makes no sense is unknown: NAN, -1 or "". Sends
 * nothing and prints nothing.
 */
#ifndef HOLDFAST_SERVER_REPORT_H
#define HOLDFAST_SERVER_REPORT_H

#include <glib.h>

#include "control_answer.h"

struct source_report {
    uint16_t association;
    char address[CONTROL_VALUE_MAX]; /* "" = it has none */
    char host[CONTROL_VALUE_MAX];    /* the name that its line has; "" = an address stands there */
    bool is_unresolved;              /* it has no address because its name has not been looked up */
    unsigned selection;              /* 0 ... 7, as the tally codes */
    bool is_reachable;               /* by the status word */
    int reach;                       /* eight bits; -1 = unknown */
    int stratum, poll_log2s;
    int flash; /* what its last packet and it failed: FLASH_... (status_word.h); 0 = nothing, or
                * another server than holdfastd was asked */
    double offset_s, delay_s, dispersion_s, jitter_s; /* NAN until it has been measured */
};

struct server_report {
    bool is_holdfast; /* it has hf_ variables */
    char version[CONTROL_VALUE_MAX];
    char state[CONTROL_VALUE_MAX];  /* of another server: synchronised or unsynchronised, by leap */
    char source[CONTROL_VALUE_MAX]; /* address of the system peer; "" = none */
    char policy[CONTROL_VALUE_MAX];
    int leap, stratum;
    bool never_updated; /* by its reference time */
    double offset_s;    /* positive = its clock is behind */
    double bound_s;     /* claimed; NAN when unsynchronised */
    double lasts_s;     /* until clients reject it if nothing answers it from now on */
    double drift_ppm, residual_s;
    int may_steer;                    /* 0, 1 */
    char steering[CONTROL_VALUE_MAX]; /* whether it steers, else why not; "" = it does not say */
    double refused;                   /* clock commands */
    GArray *sources;                  /* of struct source_report */
    bool sources_are_complete;        /* false: some did not answer */
};

void server_report_init(struct server_report *report);
void server_report_clear(struct server_report *report);

/* The names of our own variables, to be asked for where a list of all leaves them out: everything
 * that is taken, then what each earlier release had, NULL at the end. A server refuses a whole
 * question for one name that it does not know. */
extern const char *const server_report_names[];

/* Takes the system's READVAR. May be called with several answers, later ones add. */
void server_report_take_system(struct server_report *report, const struct control_answer *answer);

/* Takes one association: its word of READSTAT and its READVAR. */
void server_report_take_source(struct server_report *report, uint16_t association, uint16_t status,
                               const struct control_answer *answer);

/* What to call a source: its address, else its host's name; NULL when it has told neither. */
const char *source_report_name(const struct source_report *source);

/* After the last source. */
void server_report_finish(struct server_report *report);

/* True when it is synchronised and claims to be no further off than max_error_s. */
bool server_report_meets(const struct server_report *report, double max_error_s);

/* "synchronised to 192.0.2.1, bound 12.3 ms": one line without its end; g_free() it. */
char *server_report_line(const struct server_report *report);

/* What is wrong, a sentence each: array of char *, empty when all is well. */
GPtrArray *server_report_problems(const struct server_report *report);

/* For people, and for programs. `name` is the server as it was asked for. g_free() them. */
char *server_report_text(const struct server_report *report, const char *name);
char *server_report_json(const struct server_report *report, const char *name);

#endif
