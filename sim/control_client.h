/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks a running server by mode 6: a socket of its own with a random port, retries, deadlines.
 *
 * For the operator's commands only; worlds and runs never come here. Sends nothing but read
 * requests (and, when those meet silence, one ordinary request for the time to tell why).
 */
#ifndef HOLDFAST_CONTROL_CLIENT_H
#define HOLDFAST_CONTROL_CLIENT_H

#include "control_answer.h"

struct addrinfo;

enum {
    CONTROL_TRIES = 3,         /* of one question: two retries */
    CONTROL_PATIENCE_MS = 3000 /* for one question, all its tries together */
};

struct control_client {
    struct addrinfo *addresses, *next; /* next: not tried yet */
    int fd;                            /* connected, so only the server's datagrams come in */
    uint16_t sequence;
    bool has_answered;
    char name[128];               /* as asked, for messages: "192.0.2.1", "tick port 1123" */
    bool (*is_interrupted)(void); /* by ^C */
    long long give_up_at_ms;      /* monotonic; of all questions together */
};

/* Looks the host up (a numeric address needs no lookup) and makes the socket. False with *why
 * (g_free() it): no such name, no way there. `limit_ms` bounds all questions together. */
bool control_client_open(struct control_client *client, const char *host, unsigned port,
                         long limit_ms, bool (*is_interrupted)(void), char **why);
void control_client_close(struct control_client *client);

enum control_outcome {
    CONTROL_ANSWERED, /* look at answer->error */
    CONTROL_SILENT,   /* nothing came, or not all of it */
    CONTROL_REFUSED,  /* nothing listens there, on any address of the host */
    CONTROL_UNREACHABLE,
    CONTROL_INTERRUPTED
};

/* Asks and waits. Before the first answer a refusal moves on to the host's next address. With
 * CONTROL_UNREACHABLE errno says why. */
enum control_outcome control_client_ask(struct control_client *client, enum control_opcode opcode,
                                        uint16_t association, const char *text,
                                        struct control_answer *answer);

/* After silence: true when the server answers an ordinary client's request for the time (mode 3)
 * within a second, so that it lives and only does not want to be asked. */
bool control_client_tells_time(struct control_client *client);

#endif
