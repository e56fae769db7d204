/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The main process's side of name lookups: see resolver.h. Keeps book of what was asked; never
 * waits but for the start.
 */
#include "resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolver_process.h"

enum { START_WAIT_MS = 10000, CHILD_SOCKET = 3 };

/* A question under way. */
struct pending {
    struct resolver_question question;
    bool is_lost; /* its process is gone: resolver_read() says that it failed */
};

struct resolver {
    int fd; /* -1 = the processes are gone */
    pid_t watchman;
    uint32_t serial; /* of the last question */
    unsigned count;
    struct pending pending[RESOLVER_QUESTIONS_MAX];
    char lost_why[96];
};

/* The forked process: keeps standard input, output and error and the socket. */
static int run_child(int socket, const char *user, resolver_lookup *look_up)
{
    if (dup2(socket, CHILD_SOCKET) < 0) {
        return 1;
    }
    fcntl(CHILD_SOCKET, F_SETFD, FD_CLOEXEC);
    (void)close_range(CHILD_SOCKET + 1, ~0u, 0);
    return resolver_process_run(CHILD_SOCKET, user, look_up);
}

/* Waits for the watchman's first message; NULL when all is well. */
static char *await_ready(int fd)
{
    struct resolver_message message;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int count;
    do {
        count = poll(&ready, 1, START_WAIT_MS);
    } while (count < 0 && errno == EINTR);
    if (count <= 0 || recv(fd, &message, sizeof message, 0) != (ssize_t)sizeof message) {
        return g_strdup("the process for name lookups did not start");
    }
    if (message.event != RESOLVER_READY) {
        message.answer.why[sizeof message.answer.why - 1] = '\0';
        return g_strdup_printf("the process for name lookups: %s", message.answer.why);
    }
    return NULL;
}

struct resolver *resolver_start_with(const char *user, resolver_lookup *look_up, char **error)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        *error = g_strdup_printf("cannot make a socket pair for name lookups: %s", strerror(errno));
        return NULL;
    }
    pid_t child = fork();
    if (child == 0) {
        _exit(run_child(pair[1], user, look_up));
    }
    int why = errno;
    close(pair[1]);
    *error = child < 0
                 ? g_strdup_printf("cannot start the process for name lookups: %s", strerror(why))
                 : await_ready(pair[0]);
    struct resolver *resolver = g_new0(struct resolver, 1);
    resolver->fd = pair[0];
    resolver->watchman = child;
    if (*error) {
        resolver_stop(resolver);
        return NULL;
    }
    return resolver;
}

struct resolver *resolver_start(const char *user, char **error)
{
    return resolver_start_with(user, resolver_look_up, error);
}

/* The end of the socket is what ends the processes. */
static void hang_up(struct resolver *resolver)
{
    if (resolver->fd >= 0) {
        close(resolver->fd);
        resolver->fd = -1;
    }
    if (resolver->watchman > 0) {
        while (waitpid(resolver->watchman, NULL, 0) < 0 && errno == EINTR) {
        }
        resolver->watchman = 0;
    }
}

void resolver_stop(struct resolver *resolver)
{
    if (resolver) {
        hang_up(resolver);
        g_free(resolver);
    }
}

static struct pending *find_association(struct resolver *resolver, uint16_t association)
{
    for (unsigned i = 0; i < resolver->count; i++) {
        if (resolver->pending[i].question.association == association) {
            return &resolver->pending[i];
        }
    }
    return NULL;
}

static void drop(struct resolver *resolver, struct pending *pending)
{
    *pending = resolver->pending[--resolver->count];
}

/* Questions whose process died are answered by resolver_read(). */
static void lose_all(struct resolver *resolver, const char *why)
{
    for (unsigned i = 0; i < resolver->count; i++) {
        resolver->pending[i].is_lost = true;
    }
    g_strlcpy(resolver->lost_why, why, sizeof resolver->lost_why);
}

bool resolver_ask(struct resolver *resolver, uint16_t association, const char *name, uint8_t family)
{
    struct resolver_question question;
    memset(&question, 0, sizeof question);
    question.association = association;
    question.family = family;
    if (g_strlcpy(question.name, name, sizeof question.name) >= sizeof question.name) {
        return false;
    }
    struct pending *pending = find_association(resolver, association);
    if (pending && pending->question.family == family &&
        strcmp(pending->question.name, name) == 0) {
        return true;
    }
    if (pending) {
        drop(resolver, pending);
    }
    if (resolver->fd < 0 || resolver->count == RESOLVER_QUESTIONS_MAX) {
        return false;
    }
    question.serial = ++resolver->serial;
    if (send(resolver->fd, &question, sizeof question, MSG_NOSIGNAL | MSG_DONTWAIT) !=
        (ssize_t)sizeof question) {
        return false;
    }
    resolver->pending[resolver->count++] = (struct pending){.question = question};
    return true;
}

void resolver_forget(struct resolver *resolver)
{
    resolver->count = 0;
}

int resolver_fd(const struct resolver *resolver)
{
    return resolver->fd;
}

static bool take_lost(struct resolver *resolver, struct resolver_answer *answer)
{
    for (unsigned i = 0; i < resolver->count; i++) {
        struct pending *pending = &resolver->pending[i];
        if (pending->is_lost) {
            *answer = (struct resolver_answer){.association = pending->question.association};
            g_strlcpy(answer->why, resolver->lost_why, sizeof answer->why);
            drop(resolver, pending);
            return true;
        }
    }
    return false;
}

/* True when the message answers a question under way. Also the processes' words are checked: they
 * are the part of the daemon that reads what strangers' name servers send. */
static bool take_message(struct resolver *resolver, const struct resolver_message *message,
                         struct resolver_answer *answer)
{
    if (message->event == RESOLVER_LOST) {
        lose_all(resolver, "the process that looked it up died; another one was started");
        return false;
    }
    struct pending *pending = find_association(resolver, message->answer.association);
    if (message->event != RESOLVER_ANSWER || !pending ||
        pending->question.serial != message->serial || message->answer.count > ALTERNATES_MAX) {
        return false;
    }
    *answer = message->answer;
    answer->why[sizeof answer->why - 1] = '\0';
    drop(resolver, pending);
    return true;
}

bool resolver_read(struct resolver *resolver, struct resolver_answer *answer)
{
    struct resolver_message message;
    while (!take_lost(resolver, answer)) {
        if (resolver->fd < 0) {
            return false;
        }
        ssize_t size = recv(resolver->fd, &message, sizeof message, MSG_DONTWAIT);
        if (size == (ssize_t)sizeof message) {
            if (take_message(resolver, &message, answer)) {
                return true;
            }
        } else if (size >= 0 || errno != EINTR) {
            if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
                return false;
            }
            hang_up(resolver);
            lose_all(resolver, "the process for name lookups is gone; start the daemon again");
        }
    }
    return true;
}
