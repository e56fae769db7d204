/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether this process steers the clock: when it begins, rests and ends, and why it does not.
 *
 * A rate outlives who set it, so whoever stops steering leaves the drift behind. Commands are
 * carried out elsewhere (perform.c).
 */
#ifndef HOLDFAST_DAEMON_STEERING_H
#define HOLDFAST_DAEMON_STEERING_H

#include "daemon.h"

/* Where the right to steer is had and wanted: ends what a former process left in force, the rate
 * being the drift from now on. */
void steering_begin(struct daemon *d);

/* Sets the clock's rate back to the drift if we set it and have not set it back yet. What refuses
 * that is told, and the next call tries again. */
void steering_end(struct daemon *d);

/* The kernel refused a command (an errno) and is not asked any more. */
void steering_refused(struct daemon *d, int error, const struct system_status *status);

/* A configuration is about to take the place of the one in force: with "disable ntp" the slew ends
 * and nothing of the kernel's clock is touched any more, at the end neither; without it the clock
 * is steered again if it was before. To be called while the former engine is there, which knows the
 * drift. */
void steering_reload(struct daemon *d, const struct ntpconf *next);

/* As asked for, and as the kernel lets us. */
enum control_steering steering_of(const struct daemon *d);

/* Why the clock is not steered, as the end of a sentence; NULL when it is. */
const char *steering_obstacle(const struct daemon *d);

#endif
