/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The other side of resolver.h: a watchman, and the process below it whose threads look names up.
 *
 * Answers what comes on one socket and does nothing else. Nobody but resolver.c includes this, and
 * tests that look names up in their own way.
 */
#ifndef HOLDFAST_DAEMON_RESOLVER_PROCESS_H
#define HOLDFAST_DAEMON_RESOLVER_PROCESS_H

#include "resolver.h"

/* A name that never answers holds up one thread for half a minute, not the other names. */
enum { RESOLVER_THREADS = 4, RESOLVER_NAME_MAX = 256 };

/* Messages over a SOCK_SEQPACKET pair; both ends are the same program. */
struct resolver_question {
    uint32_t serial;
    uint16_t association;
    uint8_t family;
    char name[RESOLVER_NAME_MAX];
};

enum resolver_event {
    RESOLVER_READY,  /* the first message: the watchman is what it should be */
    RESOLVER_FAILED, /* or it is not, and has ended; answer.why says why */
    RESOLVER_ANSWER,
    RESOLVER_LOST /* the looking process died; what it was asked may never be answered */
};

struct resolver_message {
    enum resolver_event event;
    uint32_t serial;
    struct resolver_answer answer;
};

/* Looks one question up; fills count, addresses and why. */
typedef void resolver_lookup(const struct resolver_question *question,
                             struct resolver_answer *answer);

/* getaddrinfo(). */
resolver_lookup resolver_look_up;

/* Runs in the forked process, on its end of the pair, and returns the exit status when the other
 * end is closed. */
int resolver_process_run(int socket, const char *user, resolver_lookup *look_up);

/* resolver_start() with another way to look up. */
struct resolver *resolver_start_with(const char *user, resolver_lookup *look_up, char **error);

#endif
