/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A daemon's sockets at loopback addresses for tests, and what they told.
 */
#ifndef HOLDFAST_UDP_DESK_H
#define HOLDFAST_UDP_DESK_H

#include "../engine/daemon/service_set.h"
#include "sockets_check.h"

enum { HEARD_MAX = 64, FAST_MS = 5000 }; /* as long as a busy machine may stall */

/* Sockets at the loopback addresses, and what they told. */
struct desk {
    struct udp *udp;
    struct kernel_clock clock;
    GString *told;
    uint16_t port;
    unsigned heard, sent, changed;
    struct datagram datagrams[HEARD_MAX];
    uint8_t first[HEARD_MAX];
    uint32_t sent_request;
    ntp_time sent_stamp;
    enum stamp_kind sent_kind;
    struct endpoint sent_peer;
    bool answers; /* with the bytes that came, from where they came in */
};

static inline void on_heard(void *context, const struct datagram *in)
{
    struct desk *desk = context;
    if (desk->heard < HEARD_MAX) {
        desk->datagrams[desk->heard] = *in;
        desk->first[desk->heard] = in->size > 0 ? in->bytes[0] : 0;
    }
    desk->heard++;
    if (desk->answers) {
        struct outgoing out = {
            .peer = in->peer, .local = in->local, .size = (uint16_t)MIN(in->size, 48)};
        memcpy(out.bytes, in->bytes, out.size);
        out.bytes[0] = (uint8_t)((out.bytes[0] & 0x38) | MODE_SERVER);
        CHECK_INT(udp_send(desk->udp, &out), 0);
    }
}

static inline void on_sent(void *context, uint32_t request, ntp_time stamp, enum stamp_kind kind,
                           const struct endpoint *peer)
{
    struct desk *desk = context;
    desk->sent++;
    desk->sent_request = request;
    desk->sent_stamp = stamp;
    desk->sent_kind = kind;
    desk->sent_peer = *peer;
}

static inline void on_changed(void *context)
{
    struct desk *desk = context;
    desk->changed++;
}

/* The rest of the options as given. */
static inline bool open_desk(struct desk *desk, struct udp_options options, char **error)
{
    memset(desk, 0, sizeof *desk);
    desk->told = g_string_new(NULL);
    desk->port = options.port ? options.port : sockets_free_port();
    options.port = desk->port;
    desk->udp = udp_open(&options, &desk->clock, sockets_warn, desk->told, error);
    return desk->udp != NULL;
}

static const char *const loopback_v4[] = {"127.0.0.0/8", NULL};

static inline void open_v4(struct desk *desk, unsigned threads)
{
    char *error = NULL;
    struct udp_options options = {.only = loopback_v4, .ipv4 = true, .threads = threads};
    CHECK(open_desk(desk, options, &error));
    CHECK_STR(desk->told->str, "");
    CHECK_INT(udp_threads(desk->udp), threads);
}

static inline void close_desk(struct desk *desk)
{
    if (desk->udp) {
        udp_close(desk->udp);
    }
    g_string_free(desk->told, TRUE);
}

/* Lets the sockets work until *count is at least that, or the time is over. */
static inline void work(struct desk *desk, const unsigned *count, unsigned least, int limit_ms)
{
    const struct udp_sink sink = {desk, on_heard, on_sent, on_changed};
    int64_t end_us = g_get_monotonic_time() + limit_ms * 1000;
    struct pollfd fds[64];
    do {
        size_t n = udp_watch(desk->udp, fds, G_N_ELEMENTS(fds));
        CHECK(n <= G_N_ELEMENTS(fds));
        poll(fds, n, 10);
        udp_receive(desk->udp, fds, n, &sink);
    } while ((!count || *count < least) && g_get_monotonic_time() < end_us);
}

static inline struct endpoint service(const struct desk *desk, const char *address)
{
    return (struct endpoint){sockets_address(address), desk->port};
}

/* From a port of its own at that address. */
static inline void send_from(const char *from, const struct endpoint *to, const void *bytes,
                             size_t size)
{
    uint16_t port = 0;
    int fd = sockets_open(from, &port, to);
    CHECK(fd >= 0);
    CHECK_INT(send(fd, bytes, size, 0), size);
    close(fd);
}

/* How many datagrams wait in the set of a thread. */
static inline unsigned count_waiting(const struct desk *desk, unsigned thread)
{
    struct service_set *set = udp_thread_set(desk->udp, thread);
    struct service_ready ready[4];
    uint8_t byte;
    unsigned count = 0;
    service_set_wake(set);
    size_t n = service_set_wait(set, ready, G_N_ELEMENTS(ready));
    for (size_t i = 0; i < n; i++) {
        while (recv(ready[i].fd, &byte, 1, MSG_DONTWAIT) >= 0) {
            count++;
        }
    }
    service_set_leave(set);
    return count;
}

static inline unsigned count_all_waiting(const struct desk *desk)
{
    unsigned count = 0;
    for (unsigned i = 0; i < udp_threads(desk->udp); i++) {
        count += count_waiting(desk, i);
    }
    return count;
}

#endif
