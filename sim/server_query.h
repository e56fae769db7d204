/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The questions behind one look at a running server, and why one got no answer.
 */
#ifndef HOLDFAST_SERVER_QUERY_H
#define HOLDFAST_SERVER_QUERY_H

#include "control_client.h"
#include "server_report.h"

/* Where to ask, as the operator's commands take it from their words: the first member of a
 * command's options, so that the functions below are rows of its option table as they stand. */
struct server_place {
    const char *command; /* for the complaint */
    const char *host;    /* a numeric address or a name; NULL: this machine */
    unsigned port;
};

#define SERVER_PLACE_HELP "ADDRESS is 127.0.0.1 unless given, and ::1 if nothing listens there"

/* Takes a port from 1 to 65535. */
bool server_place_take_port(void *place, const char *text);

/* Takes the host; complains of a second one. */
bool server_place_take_host(void *place, const char *word);

/* Fills a report of the system; CONTROL_ANSWERED also with an error, which *why then tells. *why
 * (g_free() it) is NULL when the report is filled, else one line without the server's name. */
enum control_outcome server_query_system(struct control_client *client,
                                         struct server_report *report, char **why);

/* Adds the sources; what does not answer is left out and noted in the report. False when
 * interrupted. */
bool server_query_sources(struct control_client *client, struct server_report *report);

#endif
