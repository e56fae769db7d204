/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One OpenMetrics page over HTTP, for who asked for it with `metrics ADDRESS:PORT`.
 *
 * HTTP is libmicrohttpd's, polled from the main loop by one descriptor; the page is made when it is
 * asked for. GET /metrics and nothing else; connections are few and short.
 */
#ifndef HOLDFAST_DAEMON_METRICS_H
#define HOLDFAST_DAEMON_METRICS_H

#include <glib.h>

#include "../control.h"
#include "../engine.h"
#include "udp.h"

struct metrics;

/* Connections at once, and how long one may say nothing. */
enum { METRICS_CONNECTIONS_MAX = 8, METRICS_TIMEOUT_S = 5 };

#define METRICS_CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* What the page is made of, as of now. */
struct metrics_terms {
    const struct engine *engine;
    struct instant now;
    const struct engine_config *config;   /* names of the sources; NULL = without */
    const struct service_counts *threads; /* NULL = no threads */
    unsigned thread_count;
    uint64_t thread_send_errors;  /* answers of theirs that the kernel did not take */
    const struct udp_counts *udp; /* NULL = no sockets */
    const char *version;
    enum control_steering steering;
};

/* Adds the whole text to `page`: one TYPE, (UNIT) and HELP per family, "# EOF" at the end. Names,
 * types and units: the table in metrics_text.c, printed by metrics_table(). */
void metrics_text(const struct metrics_terms *terms, GString *page);

/* The table of names as documentation: "name type unit help" lines, in columns. */
void metrics_table(GString *text);

/* Listens; `fill` is called to make a page. NULL with *error (g_free() it), which names the
 * address. */
struct metrics *metrics_open(const struct endpoint *at, void (*fill)(void *context, GString *page),
                             void *context, char **error);
void metrics_close(struct metrics *metrics);

/* Wait for it to be readable, at most so long (ms, -1 = for ever), then serve. */
int metrics_fd(const struct metrics *metrics);
int metrics_timeout_ms(const struct metrics *metrics);
void metrics_serve(struct metrics *metrics);

#endif
