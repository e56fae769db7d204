/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The processes that look names up: see resolver_process.h. Knows no engine and keeps no state
 * between questions.
 */
#include "resolver_process.h"

#include <errno.h>
#include <glib.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sandbox.h"
#include "socket_address.h"

enum { RESTART_WAIT_S = 1, THREAD_STACK_SIZE = 256 * 1024 };

struct looker {
    int socket;
    resolver_lookup *look_up;
};

/* ---- one lookup ---- */

/* ADDRESS_NONE when it is of another family. */
static struct endpoint endpoint_of(const struct addrinfo *found)
{
    union socket_address address = {.any.sa_family = AF_UNSPEC};
    memcpy(&address, found->ai_addr, MIN(found->ai_addrlen, sizeof address));
    struct endpoint endpoint = socket_address_get(&address);
    endpoint.port = NTP_PORT;
    return endpoint;
}

static bool is_known(const struct resolver_answer *answer, const struct endpoint *endpoint)
{
    for (unsigned i = 0; i < answer->count; i++) {
        if (address_equal(&answer->addresses[i].address, &endpoint->address)) {
            return true;
        }
    }
    return false;
}

void resolver_look_up(const struct resolver_question *question, struct resolver_answer *answer)
{
    /* Without AI_ADDRCONFIG: a machine that boots may get its IPv6 address a second after the name
     * was looked up, and the addresses stay. getaddrinfo() sorts by RFC 6724, so those that cannot
     * be reached now are the last anyway. */
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *list = NULL;
    hints.ai_family = question->family == ADDRESS_V4   ? AF_INET
                      : question->family == ADDRESS_V6 ? AF_INET6
                                                       : AF_UNSPEC;
    int verdict = getaddrinfo(question->name, NULL, &hints, &list);
    if (verdict != 0) {
        g_strlcpy(answer->why, verdict == EAI_SYSTEM ? strerror(errno) : gai_strerror(verdict),
                  sizeof answer->why);
        return;
    }
    for (const struct addrinfo *at = list; at && answer->count < ALTERNATES_MAX; at = at->ai_next) {
        struct endpoint endpoint = endpoint_of(at);
        if (endpoint.address.family != ADDRESS_NONE && !is_known(answer, &endpoint)) {
            answer->addresses[answer->count++] = endpoint;
        }
    }
    freeaddrinfo(list);
    if (answer->count == 0) {
        g_strlcpy(answer->why, "the name has no address", sizeof answer->why);
    }
}

/* ---- the process that looks up ---- */

/* The socket is the queue: each thread takes the next question from it, until its end. */
static void *answer_questions(void *context)
{
    const struct looker *looker = context;
    struct resolver_question question;
    for (;;) {
        ssize_t size = recv(looker->socket, &question, sizeof question, 0);
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size != (ssize_t)sizeof question) {
            return NULL;
        }
        struct resolver_message message;
        memset(&message, 0, sizeof message);
        message.event = RESOLVER_ANSWER;
        message.serial = question.serial;
        message.answer.association = question.association;
        question.name[RESOLVER_NAME_MAX - 1] = '\0';
        looker->look_up(&question, &message.answer);
        (void)send(looker->socket, &message, sizeof message, MSG_NOSIGNAL);
    }
}

static int look_names_up(const struct looker *looker, pid_t watchman)
{
    pthread_t threads[RESOLVER_THREADS];
    pthread_attr_t attributes;
    struct looker mine = *looker;
    unsigned count = 0;
    prctl(PR_SET_NAME, "holdfastd-names");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != watchman) {
        return 1; /* it died before it was said what that means */
    }
    (void)sandbox_refuse();
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, THREAD_STACK_SIZE);
    while (count < RESOLVER_THREADS &&
           pthread_create(&threads[count], &attributes, answer_questions, &mine) == 0) {
        count++;
    }
    if (count == 0) {
        (void)answer_questions(&mine);
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    return 0;
}

/* ---- the watchman ---- */

static void tell(int socket, enum resolver_event event, const char *why)
{
    struct resolver_message message;
    memset(&message, 0, sizeof message);
    message.event = event;
    g_strlcpy(message.answer.why, why, sizeof message.answer.why);
    (void)send(socket, &message, sizeof message, MSG_NOSIGNAL);
}

/* Waits until the process is gone (true) or the main process is (false; then the other is ended
 * too: a lookup may take half a minute more). */
static bool wait_for_end(int socket, pid_t child)
{
    int fd = pidfd_open(child, 0);
    struct pollfd fds[] = {{.fd = socket}, {.fd = fd, .events = POLLIN}};
    while (fd >= 0 && !(fds[0].revents & (POLLHUP | POLLERR)) && fds[1].revents == 0) {
        (void)poll(fds, 2, -1);
    }
    bool is_gone = fds[0].revents & (POLLHUP | POLLERR);
    if (is_gone) {
        kill(child, SIGKILL);
    }
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    if (fd >= 0) {
        close(fd);
    }
    return !is_gone;
}

static bool is_deserted(int socket)
{
    struct pollfd fd = {.fd = socket};
    struct timespec wait = {.tv_sec = RESTART_WAIT_S};
    nanosleep(&wait, NULL); /* one that dies at once must not be started without end */
    return poll(&fd, 1, 0) > 0;
}

/* Signals are as in a program just started; those of a terminal, and those that the main process
 * ignores, are its business: they reach all that have its name or its terminal. */
static void reset_signals(void)
{
    sigset_t none;
    for (int number = 1; number < NSIG; number++) {
        signal(number, SIG_DFL);
    }
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What reads the answers of strangers' name servers must not be root, who owns this machine's files
 * even without a capability. Where he cannot become nobody (a user namespace that knows no other
 * user) he stays. */
static bool enter_sandbox(const char *user, char **error)
{
    const struct sandbox_options as_nobody = {.user = "nobody"}, options = {.user = user};
    if (!user && geteuid() == 0) {
        if (sandbox_enter(&as_nobody, error)) {
            return true;
        }
        g_clear_pointer(error, g_free);
    }
    return sandbox_enter(&options, error);
}

int resolver_process_run(int socket, const char *user, resolver_lookup *look_up)
{
    struct looker looker = {.socket = socket, .look_up = look_up};
    char *error = NULL;
    prctl(PR_SET_NAME, "holdfastd-watch");
    reset_signals();
    if (!enter_sandbox(user, &error)) {
        tell(socket, RESOLVER_FAILED, error);
        g_free(error);
        return 1;
    }
    tell(socket, RESOLVER_READY, "");
    pid_t watchman = getpid();
    for (;;) {
        pid_t child = fork();
        if (child == 0) {
            _exit(look_names_up(&looker, watchman));
        }
        if (child > 0 && !wait_for_end(socket, child)) {
            return 0;
        }
        if (is_deserted(socket)) {
            return 0;
        }
        tell(socket, RESOLVER_LOST, "");
    }
}
