/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether this process steers the clock: see steering.h. Decides nothing about time.
 */
#include "steering.h"

#include <math.h>

static double rate_to_leave_ppm(const struct daemon *d)
{
    return isnan(d->drift_ppm) ? 0.0 : d->drift_ppm;
}

void steering_begin(struct daemon *d)
{
    if (!d->is_steering) {
        return;
    }
    int refused = kernel_clock_restore(&d->clock, rate_to_leave_ppm(d));
    d->owns_rate = true;
    if (refused != 0) {
        log_line(d->log, LOG_LEVEL_WARNING, "the clock's rate cannot be set: %s",
                 g_strerror(refused));
    }
}

void steering_end(struct daemon *d)
{
    double drift_ppm = rate_to_leave_ppm(d);
    int refused = d->owns_rate ? kernel_clock_restore(&d->clock, drift_ppm) : 0;
    d->owns_rate = refused != 0;
    if (refused != 0) {
        log_line(d->log, LOG_LEVEL_WARNING, "the clock's rate cannot be set back to %+.3f ppm: %s",
                 drift_ppm, g_strerror(refused));
    }
}

/* Nothing is commanded from now on, so a slew that is in force would go on for ever: it ends with
 * what was the drift until now. */
static void stop(struct daemon *d, const struct system_status *status)
{
    d->is_steering = false;
    if (status->drift_is_known) {
        d->drift_ppm = status->drift_ppm;
    }
    steering_end(d);
}

void steering_refused(struct daemon *d, int error, const struct system_status *status)
{
    d->was_refused = true;
    log_line(d->log, LOG_LEVEL_ERROR,
             "the clock cannot be steered: %s; it is followed and served as it is",
             g_strerror(error));
    stop(d, status);
}

/* The right stays with the process, so that another reload can take it up again. */
static void rest(struct daemon *d)
{
    struct system_status status;
    engine_status(d->engine, kernel_clock_read(&d->clock), &status);
    log_line(d->log, LOG_LEVEL_INFO,
             "the clock is not touched from now on, as \"disable ntp\" wants it");
    stop(d, &status);
    d->owns_rate = false; /* whoever takes the clock over now must not meet us again */
    d->is_resting = true;
    kernel_clock_rest(&d->clock, true);
}

static void resume(struct daemon *d)
{
    log_line(d->log, LOG_LEVEL_INFO, "the clock is steered again: \"disable ntp\" is gone");
    d->is_resting = false;
    d->is_steering = true;
    kernel_clock_rest(&d->clock, false);
    steering_begin(d);
}

void steering_reload(struct daemon *d, const struct ntpconf *next)
{
    bool was_disabled = d->configuration->engine.disable_discipline;
    bool is_disabled = next->engine.disable_discipline;
    if (d->is_steering && is_disabled) {
        rest(d);
    } else if (d->is_resting && !is_disabled) {
        resume(d);
    } else if (was_disabled && !is_disabled && !d->asked_for_right &&
               !d->options.no_clock_control) {
        log_line(d->log, LOG_LEVEL_WARNING,
                 "the end of \"disable ntp\" takes effect at the next start: the right to set the "
                 "clock is gone");
    }
}

enum control_steering steering_of(const struct daemon *d)
{
    if (d->options.no_clock_control) {
        return CONTROL_STEERING_UNWANTED;
    }
    if (d->configuration->engine.disable_discipline) {
        return CONTROL_STEERING_DISABLED;
    }
    if (d->is_steering) {
        return CONTROL_STEERS;
    }
    if (d->was_refused) {
        return CONTROL_STEERING_REFUSED;
    }
    return d->asked_for_right ? CONTROL_STEERING_NO_RIGHT : CONTROL_STEERING_AT_RESTART;
}

const char *steering_obstacle(const struct daemon *d)
{
    static const char *const texts[CONTROL_STEERINGS] = {
        [CONTROL_STEERS] = NULL,
        [CONTROL_STEERING_UNWANTED] = "--no-clock-control forbids it",
        [CONTROL_STEERING_DISABLED] = "\"disable ntp\" forbids it",
        [CONTROL_STEERING_NO_RIGHT] = "no right to set it",
        [CONTROL_STEERING_REFUSED] = "the kernel refused a command to it",
        [CONTROL_STEERING_AT_RESTART] = "the \"disable ntp\" of the start is gone; start anew",
    };
    return texts[steering_of(d)];
}
