/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The daemon's sockets: one service socket per local address, one connected socket per client
 * request (RFC 9109), and the timestamps of what comes and goes.
 *
 * Everything is non-blocking. Receives with recvmmsg, sends with sendmsg. Truncated, unstamped or
 * foreign datagrams are passed on as such; nothing is judged here.
 */
#ifndef HOLDFAST_DAEMON_UDP_H
#define HOLDFAST_DAEMON_UDP_H

#include <glib.h>
#include <poll.h>

#include "../config/ntpconf.h"
#include "../engine.h"
#include "interfaces.h"
#include "kernel_clock.h"

struct service_set;
struct udp;

/* What a host does with what came. Called from udp_receive(), never elsewhere. */
struct udp_sink {
    void *context;
    void (*heard)(void *context, const struct datagram *in);
    /* A transmit timestamp of the kernel or the hardware; see engine_sent(). */
    void (*sent)(void *context, uint32_t request, ntp_time stamp, enum stamp_kind kind,
                 const struct endpoint *peer);
    /* Local addresses were added or removed. */
    void (*changed)(void *context);
};

struct udp_options {
    const struct interface_rule *rules; /* of the configuration, in order; the last that fits */
    size_t rule_count;
    const char *const *only; /* -I: names or addresses, NULL-terminated; NULL = all */
    bool ipv4, ipv6;         /* families wanted */
    bool skips_virtual;      /* -L: no interfaces with a colon in their name */
    uint16_t port;           /* 123 */
    unsigned threads;        /* sockets per address for server threads beside the main loop's */
};

/* What of them decides on interfaces; borrows their rules. */
struct interface_terms udp_interface_terms(const struct udp_options *options);

/* Opens what can be opened; `options` is copied. NULL with *error when no address at all can be
 * bound; addresses that fail beside others that do not are told to `warn`, a line a cause. Without
 * SO_ATTACH_REUSEPORT_CBPF udp_threads() is 0 afterwards; an address that the threads cannot have
 * for another reason is told too, and its questions of every mode are heard by udp_receive(). Where
 * that holds for all of them, udp_threads() is 0 as well. */
struct udp *udp_open(const struct udp_options *options, struct kernel_clock *clock,
                     void (*warn)(void *context, const char *text), void *context, char **error);
void udp_close(struct udp *udp);

/* Server threads that the sockets were made for: at most SERVICE_THREADS_MAX. */
unsigned udp_threads(const struct udp *udp);

/* The sockets of server thread `thread` (0 ...): one of each local address. The set goes on being
 * kept up to date while the thread uses it; see service_set.h. */
struct service_set *udp_thread_set(const struct udp *udp, unsigned thread);

/* Other rules from now on: sockets of addresses that are no longer wanted are closed, others
 * opened, as after a change of addresses; sink->changed is not called. Only rules, `only` and
 * families of the options are looked at. */
void udp_reload(struct udp *udp, const struct udp_options *options);

/* Writes what the main loop must wait for and returns how many entries the whole needs; call again
 * when it is over `room`. */
size_t udp_watch(struct udp *udp, struct pollfd *fds, size_t room);

/* Deals with the ready ones of the same array: error queues (transmit timestamps) first, then
 * datagrams in batches, bounded per call; address changes (rtnetlink) last. */
void udp_receive(struct udp *udp, const struct pollfd *fds, size_t count,
                 const struct udp_sink *sink);

/* Sends; see struct outgoing for what request 0 means. 0 or an errno; a full buffer (EAGAIN,
 * ENOBUFS) and ICMP errors of former sends are not passed on. An answer sent from within
 * sink->heard leaves by the socket that its question came in on; a link-local peer that did not
 * ask is looked for on the first interface with a link-local address. */
int udp_send(struct udp *udp, const struct outgoing *out);

/* Bound addresses, for engine_config.own; valid until the next udp_receive(). */
const struct address *udp_own(const struct udp *udp, size_t *count);

/* Those of them that are answered at: without the ones that an `interface drop` rule holds, as
 * struct address. g_array_free() it. */
GArray *udp_served(const struct udp *udp);

/* What went through the main loop's sockets; server threads count for themselves. */
struct udp_counts {
    uint64_t received, sent;
    uint64_t send_errors; /* sends that the kernel did not take */
    uint64_t icmp;        /* errors that came back for former sends */
    uint64_t truncated;   /* of those received: longer than the room for them */
    uint64_t kernel_stamps, hardware_stamps, unstamped; /* of those received */
};
const struct udp_counts *udp_counts(const struct udp *udp);

#endif
