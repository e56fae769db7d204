/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who of a SO_REUSEPORT group gets a datagram, decided by a classic BPF program: mode 3 goes to a
 * server thread by its source address, everything else to the main loop.
 *
 * Plain SO_REUSEPORT hashes addresses and ports, which would spread one client over several rate
 * limits and give control packets to threads that do not know them.
 */
#ifndef HOLDFAST_DAEMON_MODE_SELECTOR_H
#define HOLDFAST_DAEMON_MODE_SELECTOR_H

#include <linux/filter.h>
#include <stdint.h>

enum { MODE_SELECTOR_SIZE = 24 };

/* Writes the program for sockets of that family (ADDRESS_V4 or ADDRESS_V6) and 1 or more threads;
 * returns its length. Its result is 0 for the socket that was bound first, else 1 + the thread. */
unsigned short mode_selector_write(struct sock_filter program[MODE_SELECTOR_SIZE], uint8_t family,
                                   unsigned threads);

/* Attaches it to the group that the socket is in. 0 or an errno. */
int mode_selector_attach(int fd, uint8_t family, unsigned threads);

/* Makes a socket drop all that comes, in the kernel. 0 or an errno. */
int mode_selector_drop_all(int fd);

#endif
