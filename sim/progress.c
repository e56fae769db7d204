/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The progress line; see progress.h.
 */
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

#include "probe.h"

#define INTERVAL_S 0.2

struct progress progress_begin(double end_s, double wall_s)
{
    return (struct progress){.is_shown = isatty(STDERR_FILENO) == 1,
                             .end_s = end_s,
                             .started_s = wall_s,
                             .last_s = wall_s};
}

void progress_show(struct progress *progress, double simulated_s, double wall_s)
{
    char now[32], end[32];
    if (!progress->is_shown || wall_s - progress->last_s < INTERVAL_S || simulated_s <= 0) {
        return;
    }
    double speed = simulated_s / (wall_s - progress->started_s);
    fprintf(stderr, "\rsimulated %s of %s, %.3g times real time, %.0f s left \033[K",
            probe_time_text(simulated_s, now), probe_time_text(progress->end_s, end), speed,
            (progress->end_s - simulated_s) / speed);
    fflush(stderr);
    progress->last_s = wall_s;
    progress->is_dirty = true;
}

void progress_end(struct progress *progress)
{
    if (progress->is_dirty) {
        fprintf(stderr, "\r\033[K");
        fflush(stderr);
    }
    progress->is_dirty = false;
}
