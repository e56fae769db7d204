/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sockets of this machine's loopback for tests: a free port, a sender at an address of its own, and
 * a network namespace for what must not touch the machine.
 */
#ifndef HOLDFAST_SOCKETS_CHECK_H
#define HOLDFAST_SOCKETS_CHECK_H

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../engine/daemon/kernel_clock.h"
#include "../engine/daemon/socket_address.h"
#include "../engine/daemon/udp.h"
#include "check.h"

static inline struct address sockets_address(const char *text)
{
    struct address address;
    CHECK(address_parse(text, &address));
    return address;
}

/* A UDP socket bound to that address, connected to `to` if that has a family; *port: 0 = any, and
 * the port it got. -1 when the machine has no such address. */
static inline int sockets_open(const char *at, uint16_t *port, const struct endpoint *to)
{
    struct endpoint local = {sockets_address(at), *port};
    union socket_address address;
    socklen_t size = socket_address_set(&address, &local, 0);
    int fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, &address.any, size) != 0 || getsockname(fd, &address.any, &size) != 0) {
        close(fd);
        return -1;
    }
    *port = socket_address_get(&address).port;
    if (to && to->address.family != ADDRESS_NONE) {
        size = socket_address_set(&address, to, 0);
        CHECK_INT(connect(fd, &address.any, size), 0);
    }
    return fd;
}

/* One that nobody has now. */
static inline uint16_t sockets_free_port(void)
{
    uint16_t port = 0;
    int fd = sockets_open("127.0.0.1", &port, NULL);
    CHECK(fd >= 0);
    close(fd);
    return port;
}

/* What came within that time; -1 when nothing did. */
static inline ssize_t sockets_wait(int fd, uint8_t *bytes, size_t room, int limit_ms)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    return poll(&ready, 1, limit_ms) > 0 ? recv(fd, bytes, room, MSG_DONTWAIT) : -1;
}

static inline void sockets_warn(void *context, const char *text)
{
    GString *told = context;
    g_string_append_printf(told, "%s\n", text);
}

/* Runs commands of `ip`, separated by semicolons, until one fails. */
static inline bool sockets_ip(const char *commands)
{
    char **lines = g_strsplit(commands, ";", -1);
    bool is_good = true;
    for (unsigned i = 0; is_good && lines[i]; i++) {
        char *line = g_strconcat("ip ", lines[i], NULL);
        int status = -1;
        is_good = g_spawn_command_line_sync(line, NULL, NULL, &status, NULL) && status == 0;
        g_free(line);
    }
    g_strfreev(lines);
    return is_good;
}

enum { APART_LEFT_OUT = 77 };

/* To a network of one's own; who is not root becomes root there, or `ip` would have no rights. */
static inline bool sockets_leave_network(void)
{
    char *map = g_strdup_printf("0 %u 1", (unsigned)geteuid());
    bool is_root = geteuid() == 0;
    bool is_alone = unshare(is_root ? CLONE_NEWNET : CLONE_NEWNET | CLONE_NEWUSER) == 0;
    FILE *file = is_root || !is_alone ? NULL : fopen("/proc/self/uid_map", "w");
    if (file) {
        fputs(map, file);
        fclose(file);
    }
    g_free(map);
    return is_alone && sockets_ip("link set lo up");
}

/* Runs a test in a process and a network namespace of its own, where loopback is up. Without the
 * right to make one it is left out, which is a failure where CI=true. */
static inline void sockets_apart(bool (*test)(void))
{
    int status = -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (!sockets_leave_network()) {
            _exit(APART_LEFT_OUT);
        }
        /* What the child CHECKs is counted in its own copy of the registry. */
        unsigned before = CU_get_number_of_failures();
        bool is_good = test();
        _exit(is_good && CU_get_number_of_failures() == before ? 0 : 1);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    if (WIFEXITED(status) && WEXITSTATUS(status) == APART_LEFT_OUT) {
        printf("(left out: no network namespace can be made here) ");
        CHECK_STR(g_getenv("CI") ? g_getenv("CI") : "", "");
    } else {
        CHECK_INT(WEXITSTATUS(status), 0);
    }
}

/* For tests apart: a condition that fails says so, as no one else will. */
#define APART(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "\n%s:%d: %s\n", __FILE__, __LINE__, #condition);                      \
            return false;                                                                          \
        }                                                                                          \
    } while (0)

#endif
