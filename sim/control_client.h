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

/* Who is asked when nobody is named: this machine, whichever protocol its server listens on. */
#define CONTROL_HOST "127.0.0.1"
#define CONTROL_HOST_NEXT "::1"

struct control_client {
    const char *host; /* the one asked now; `next_host` (NULL = none) when all of it refuse */
    const char *next_host;
    unsigned port;
    struct addrinfo *addresses, *next; /* of host; next: not tried yet */
    int fd;                            /* connected, so only the server's datagrams come in */
    uint16_t sequence;
    bool has_answered;
    /* For messages: "192.0.2.1", "tick port 1123"; "127.0.0.1 and ::1" while neither answers. */
    char name[128];
    bool (*is_interrupted)(void); /* by ^C */
    long long give_up_at_ms;      /* monotonic; of all questions together */
};

/* Looks the host up (a numeric address needs no lookup) and makes the socket. NULL: this machine,
 * first CONTROL_HOST and, where nothing listens there, CONTROL_HOST_NEXT. False with *why (g_free()
 * it): no such name, no way there. `host` must outlive the client; `limit_ms` bounds all questions
 * together. */
bool control_client_open(struct control_client *client, const char *host, unsigned port,
                         long limit_ms, bool (*is_interrupted)(void), char **why);
void control_client_close(struct control_client *client);

enum control_outcome {
    CONTROL_ANSWERED, /* look at answer->error */
    CONTROL_SILENT,   /* nothing came, or not all of it */
    CONTROL_REFUSED,  /* nothing listens there, on any address that was tried */
    CONTROL_UNREACHABLE,
    CONTROL_INTERRUPTED
};

/* Asks and waits. Before the first answer a refusal moves on to the next address. With
 * CONTROL_UNREACHABLE errno says why. */
enum control_outcome control_client_ask(struct control_client *client,
                                        enum control_operation opcode, uint16_t association,
                                        const char *text, struct control_answer *answer);

/* After silence: true when the server answers an ordinary client's request for the time (mode 3)
 * within a second, so that it lives and only does not want to be asked. */
bool control_client_tells_time(struct control_client *client);

#endif
