/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names to addresses, in processes of their own: no lookup ever holds up the main loop, and the
 * main process needs none of the rights that a lookup takes.
 *
 * A watchman is forked before the sandbox is entered and before there are threads, has no rights
 * but those of its user, and keeps one process that looks names up (resolver_process.h): when that
 * one dies another takes its place, although the main process may not fork any more. Both end when
 * the main process does, however it ends.
 */
#ifndef HOLDFAST_DAEMON_RESOLVER_H
#define HOLDFAST_DAEMON_RESOLVER_H

#include "../engine.h"

/* Questions under way at once; more are refused. */
enum { RESOLVER_QUESTIONS_MAX = 64 };

struct resolver;

struct resolver_answer {
    uint16_t association;
    uint8_t count;                             /* 0 = failed */
    struct endpoint addresses[ALTERNATES_MAX]; /* port 123, in getaddrinfo()'s order */
    char why[96];                              /* what getaddrinfo() said, when it failed */
};

/* Forks. `user` as in sandbox_options; NULL = stay, but root becomes nobody if he can. NULL with
 * *error (g_free() it), also when the user cannot be taken on. To be called by the process that
 * stays (after going to the background). */
struct resolver *resolver_start(const char *user, char **error);

/* Ends both processes and waits for them. NULL is nothing to stop. */
void resolver_stop(struct resolver *resolver);

/* Asks; family ADDRESS_NONE = both. Several questions may be under way, but one of an association:
 * the same again is asked once, another replaces the former. False when the processes are gone or
 * too many questions are under way: the caller treats that as a failed lookup. */
bool resolver_ask(struct resolver *resolver, uint16_t association, const char *name,
                  uint8_t family);

/* Forgets the questions under way: no answer will come. For a new configuration, whose associations
 * have other numbers. */
void resolver_forget(struct resolver *resolver);

/* The descriptor that becomes readable when an answer is there; -1 when the processes are gone. */
int resolver_fd(const struct resolver *resolver);

/* One answer; false when there is none (left). Call it until it returns false. A question that died
 * with its process is answered too, as failed. */
bool resolver_read(struct resolver *resolver, struct resolver_answer *answer);

#endif
