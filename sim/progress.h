/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Progress of a long run on a terminal: simulated time, speed, time left. Silent when standard
 * error is no terminal; reads no clock.
 */
#ifndef HOLDFAST_PROGRESS_H
#define HOLDFAST_PROGRESS_H

#include <stdbool.h>

struct progress {
    bool is_shown, is_dirty;
    double end_s;             /* simulated */
    double started_s, last_s; /* wall */
};

/* wall_s: a wall clock's reading in seconds, here and below. */
struct progress progress_begin(double end_s, double wall_s);

/* Rewrites the line, at most five times a second. */
void progress_show(struct progress *progress, double simulated_s, double wall_s);

/* Removes the line. */
void progress_end(struct progress *progress);

#endif
