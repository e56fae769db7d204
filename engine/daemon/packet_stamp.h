/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the kernel tells about when a datagram came or went: asking for it, and reading it from
 * control messages. Converts nothing and judges nothing.
 */
#ifndef HOLDFAST_DAEMON_PACKET_STAMP_H
#define HOLDFAST_DAEMON_PACKET_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

/* Room for the control messages of one datagram, received or from the error queue. */
enum { PACKET_STAMP_ROOM = 256 };

/* Which sends of a socket are stamped. */
enum stamped_sends { STAMPED_MARKED, STAMPED_ALL };

struct packet_stamp {
    bool has_software, has_hardware;
    struct timespec software; /* CLOCK_REALTIME */
    struct timespec hardware; /* the interface's own clock */
    uint32_t interface;       /* that stamped it in hardware; 0 = not told */
    bool is_sent;             /* of a send: `id` counts the stamped sends of its socket from 0 */
    uint32_t id;
};

/* Receive timestamps of software and, where the interface makes them, hardware; of sends as told.
 * A kernel that cannot leaves all of it unstamped, which packet_stamp_read() shows: this and the
 * next two have no verdict of their own. */
void packet_stamp_enable(int fd, enum stamped_sends sends);

/* Makes the count of stamped sends start from 0 again. */
void packet_stamp_restart(int fd, enum stamped_sends sends);

/* Receive timestamps of software alone, which cost least. */
void packet_stamp_enable_receive(int fd);

/* Marks one send of a STAMPED_MARKED socket as to be stamped. `room` is at least PACKET_STAMP_ROOM
 * bytes, aligned as struct cmsghdr, and lives as long as the message. */
void packet_stamp_mark(struct msghdr *message, void *room);

/* Reads what came with a datagram, or with a message of the error queue. */
void packet_stamp_read(struct msghdr *message, struct packet_stamp *out);

#endif
