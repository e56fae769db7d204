/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Building up a daemon in the order that its rights demand, and taking it down again.
 */
#ifndef HOLDFAST_DAEMON_START_H
#define HOLDFAST_DAEMON_START_H

#include "daemon.h"

/* What --restore-rate does, and a start does first: the clock's rate is the drift file's value from
 * now on; without one, or with one that cannot be read, it is 0 ppm. Of the configuration it takes
 * the driftfile line only, and with -f nothing: its errors and its keys do not stand in the way. */
enum exit_status start_restore_rate(const struct daemon_options *options);

/* Everything up to the first packet. Takes `conf` over. On failure one line in the log says why,
 * and *d can be given to start_undo(). */
enum exit_status start_daemon(struct daemon *d, struct ntpconf *conf);

/* Ends in order: no more answers, the rate set to the drift, files closed and removed. */
void start_undo(struct daemon *d);

#endif
