/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sockets of one server thread: the main loop adds and removes them while the thread uses them.
 *
 * The thread works in turns: it takes its turn when something is ready and gives it back when the
 * batch is answered. Whoever else needs the thread to stand still takes the turn instead, and is
 * next when he asks. Nobody but the two ever meets at these locks.
 */
#ifndef HOLDFAST_DAEMON_SERVICE_SET_H
#define HOLDFAST_DAEMON_SERVICE_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "../address.h"

struct service_set;

struct service_ready {
    int fd;
    struct endpoint local;
};

/* NULL with errno. */
struct service_set *service_set_open(void);

/* Does not close the sockets. */
void service_set_close(struct service_set *set);

/* The main loop's side; false with errno. */
bool service_set_add(struct service_set *set, int fd, const struct endpoint *local);

/* Returns when the thread does not use it any more and will not. */
void service_set_remove(struct service_set *set, int fd);

/* Makes service_set_wait() return once more, with nothing. */
void service_set_wake(struct service_set *set);

/* The thread's side: waits until sockets are ready, takes the turn and returns how many, with their
 * data in `ready`; 0 when it was only woken. To be followed by service_set_leave(). */
size_t service_set_wait(struct service_set *set, struct service_ready *ready, size_t room);

/* Takes the turn, for others than the thread. limit_ms -1: waits as long as that batch takes; else
 * false when it took longer. */
bool service_set_enter(struct service_set *set, int limit_ms);

/* Gives the turn back, whoever took it. */
void service_set_leave(struct service_set *set);

/* Throws away what waits to be received, but no more than a receive buffer holds; to be called with
 * the turn. */
void service_set_drain(struct service_set *set);

#endif
