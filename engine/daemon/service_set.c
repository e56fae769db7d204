/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sockets of one server thread, in an epoll set. A socket is known to it by its slot and the
 * slot's generation, so that news of one that is gone by the time the turn is taken are seen to be
 * old. Who wants the turn holds the gate while he waits, so that a busy thread, which passes the
 * gate before each turn, cannot overtake him.
 */
#include "service_set.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READY_AT_ONCE = 16, DRAIN_MAX = 4096 };

#define WAKE_DATA UINT64_MAX

struct slot {
    int fd; /* -1 = free */
    uint32_t generation;
    struct endpoint local;
};

struct service_set {
    int epoll, wake;
    pthread_mutex_t gate, turn;
    GArray *slots; /* changed and read with the turn only */
};

struct service_set *service_set_open(void)
{
    struct service_set *set = g_new0(struct service_set, 1);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = WAKE_DATA};
    set->epoll = epoll_create1(EPOLL_CLOEXEC);
    set->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (set->epoll < 0 || set->wake < 0 ||
        epoll_ctl(set->epoll, EPOLL_CTL_ADD, set->wake, &event) != 0) {
        int cause = errno;
        close(set->epoll);
        close(set->wake);
        g_free(set);
        errno = cause;
        return NULL;
    }
    pthread_mutex_init(&set->gate, NULL);
    pthread_mutex_init(&set->turn, NULL);
    set->slots = g_array_new(FALSE, FALSE, sizeof(struct slot));
    return set;
}

void service_set_close(struct service_set *set)
{
    close(set->epoll);
    close(set->wake);
    pthread_mutex_destroy(&set->gate);
    pthread_mutex_destroy(&set->turn);
    g_array_free(set->slots, TRUE);
    g_free(set);
}

/* ---- turns --------------------------------------------------------------------------------- */

static void take_turn(struct service_set *set)
{
    pthread_mutex_lock(&set->gate);
    pthread_mutex_lock(&set->turn);
    pthread_mutex_unlock(&set->gate);
}

/* Not by CLOCK_REALTIME, which is what this program moves. */
static struct timespec deadline_after(int ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

bool service_set_enter(struct service_set *set, int limit_ms)
{
    if (limit_ms < 0) {
        take_turn(set);
        return true;
    }
    struct timespec until = deadline_after(limit_ms);
    if (pthread_mutex_clocklock(&set->gate, CLOCK_MONOTONIC, &until) != 0) {
        return false;
    }
    bool is_mine = pthread_mutex_clocklock(&set->turn, CLOCK_MONOTONIC, &until) == 0;
    pthread_mutex_unlock(&set->gate);
    return is_mine;
}

void service_set_leave(struct service_set *set)
{
    pthread_mutex_unlock(&set->turn);
}

/* ---- the main loop's side ------------------------------------------------------------------- */

static struct slot *slot_at(struct service_set *set, guint index)
{
    return &g_array_index(set->slots, struct slot, index);
}

static guint free_slot(struct service_set *set)
{
    struct slot fresh = {.fd = -1};
    for (guint i = 0; i < set->slots->len; i++) {
        if (slot_at(set, i)->fd < 0) {
            return i;
        }
    }
    g_array_append_val(set->slots, fresh);
    return set->slots->len - 1;
}

bool service_set_add(struct service_set *set, int fd, const struct endpoint *local)
{
    take_turn(set);
    guint index = free_slot(set);
    struct slot *slot = slot_at(set, index);
    struct epoll_event event = {.events = EPOLLIN,
                                .data.u64 = (uint64_t)slot->generation << 32 | index};
    bool is_added = epoll_ctl(set->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
    int cause = errno;
    if (is_added) {
        slot->fd = fd;
        slot->local = *local;
    }
    service_set_leave(set);
    errno = cause;
    return is_added;
}

void service_set_remove(struct service_set *set, int fd)
{
    take_turn(set);
    for (guint i = 0; i < set->slots->len; i++) {
        struct slot *slot = slot_at(set, i);
        if (slot->fd == fd) {
            epoll_ctl(set->epoll, EPOLL_CTL_DEL, fd, NULL);
            slot->fd = -1;
            slot->generation++;
        }
    }
    service_set_leave(set);
}

void service_set_wake(struct service_set *set)
{
    uint64_t one = 1;
    ssize_t size = write(set->wake, &one, sizeof one);
    (void)size; /* a counter that is full wakes as well */
}

void service_set_drain(struct service_set *set)
{
    char byte;
    for (guint i = 0; i < set->slots->len; i++) {
        int fd = slot_at(set, i)->fd;
        for (unsigned n = 0; fd >= 0 && n < DRAIN_MAX; n++) {
            if (recv(fd, &byte, 1, MSG_DONTWAIT | MSG_TRUNC) < 0 && errno != EINTR) {
                break;
            }
        }
    }
}

/* ---- the thread's side ---------------------------------------------------------------------- */

static void forget_wake(struct service_set *set)
{
    uint64_t count;
    ssize_t size = read(set->wake, &count, sizeof count);
    (void)size; /* nothing there: somebody read it before */
}

size_t service_set_wait(struct service_set *set, struct service_ready *ready, size_t room)
{
    struct epoll_event events[READY_AT_ONCE];
    int most = room < READY_AT_ONCE ? (int)room : READY_AT_ONCE;
    int count = epoll_wait(set->epoll, events, most, -1);
    size_t used = 0;
    take_turn(set);
    for (int i = 0; i < count; i++) {
        uint64_t data = events[i].data.u64;
        guint index = (guint)(data & UINT32_MAX);
        if (data == WAKE_DATA) {
            forget_wake(set);
        } else if (index < set->slots->len && slot_at(set, index)->fd >= 0 &&
                   slot_at(set, index)->generation == data >> 32) {
            ready[used++] =
                (struct service_ready){slot_at(set, index)->fd, slot_at(set, index)->local};
        }
    }
    return used;
}
