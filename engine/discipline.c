/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clock discipline: see discipline.h.
 */
#include "discipline.h"

#include <assert.h>
#include <math.h>

#include "constants.h"

#define SETTLED_S 1e-9 /* a linear slew is done within this */

static double clamp(double value, double limit)
{
    return value < limit ? (value > -limit ? value : -limit) : limit;
}

static double poll_s(const struct discipline *d)
{
    return power_of_two(d->poll);
}

bool discipline_stays_open(const struct engine_config *config)
{
    return !config->clock.can_steer || config->disable_discipline;
}

/* The system poll until there are survivors: that of the source that may be asked most often, for
 * nothing can be learned sooner. */
static int8_t discipline_first_poll(const struct engine_config *config)
{
    int8_t least = config->association_count > 0 ? POLL_MAX : POLL_DEFAULT_MIN;
    for (size_t i = 0; i < config->association_count; i++) {
        int8_t minpoll = config->associations[i].minpoll;
        least = minpoll < least ? minpoll : least;
    }
    return least > POLL_DEFAULT_MIN ? least : POLL_DEFAULT_MIN;
}

void discipline_init(struct discipline *d, const struct engine_config *config, mono_time now)
{
    double drift_ppm = isnan(config->drift_ppm) ? config->tinker.frequency_ppm : config->drift_ppm;
    int8_t poll = discipline_first_poll(config);
    *d = (struct discipline){
        .phase = DISCIPLINE_START,
        .drift_is_known = !isnan(drift_ppm),
        .large_step_allowed = config->allow_large_first_step,
        .is_open = discipline_stays_open(config),
        .poll = poll,
        .poll_min = poll,
        .poll_max = poll > POLL_DEFAULT_MAX ? poll : POLL_DEFAULT_MAX,
        .updated = now,
        .begun = now,
        .jitter_s = power_of_two(config->clock.precision),
    };
    if (d->drift_is_known) {
        d->drift = clamp(drift_ppm * 1e-6, FREQUENCY_MAX);
    }
}

void discipline_settle(struct discipline *d, const struct ledger *ledger, mono_time now)
{
    double slewed = ledger_slewed_s(ledger, now);
    d->residual_s -= slewed - d->settled_slew_s;
    d->settled_slew_s = slewed;
}

double discipline_rate(struct discipline *d, mono_time now)
{
    double slew = d->residual_s * SLEW_SHARE / poll_s(d);
    if (discipline_is_linear(d)) {
        slew = fabs(d->residual_s) > SETTLED_S
                   ? d->residual_s / fmax(fabs(d->residual_s) / SLEW_MAX, 1.0)
                   : 0.0;
    }
    d->begun = now;
    return d->drift + clamp(slew, SLEW_MAX);
}

double discipline_linear_wait_s(const struct discipline *d, double wait_s)
{
    double left_s = fabs(d->residual_s) / SLEW_MAX;
    return fmin(fabs(d->residual_s) > SETTLED_S ? fmax(left_s, 1.0) : wait_s, 4096.0);
}

void discipline_stepped(struct discipline *d, const struct ledger *ledger, mono_time now)
{
    d->residual_s = 0.0;
    d->last_offset_s = 0.0;
    d->settled_slew_s = ledger_slewed_s(ledger, now);
}

void discipline_hold(struct discipline *d, int8_t poll)
{
    if (d->poll > poll && !d->poll_is_fixed) {
        d->poll = poll;
        d->poll_counter = 0;
    }
    d->mind_gap = true;
}

void discipline_poll_range(struct discipline *d, int8_t low, int8_t high)
{
    assert(low <= high);
    d->poll_min = low;
    d->poll_max = high;
    if (d->poll_is_fixed) {
        return;
    }
    if (d->poll < low) {
        d->poll = low;
    }
    if (d->poll > high) {
        d->poll = high;
    }
}

static double discipline_interval_s(const struct discipline *d, mono_time now)
{
    return fmax(mono_diff_s(now, d->updated), 1.0);
}

static void discipline_jitter(struct discipline *d, const struct engine_config *config,
                              double offset_s)
{
    double floor_s = power_of_two(config->clock.precision);
    double now = fmax(fabs(offset_s - d->last_offset_s), floor_s);
    double square = d->jitter_s * d->jitter_s;
    d->jitter_s = fmax(sqrt(square + (now * now - square) / AVERAGE), floor_s);
}

static void discipline_frequency(struct discipline *d, double change)
{
    double before = d->drift;
    d->drift = clamp(d->drift + change, FREQUENCY_MAX);
    double moved = d->drift - before;
    double square = d->wander * d->wander;
    d->wander = sqrt(square + (moved * moved - square) / AVERAGE);
}

/* The loop of RFC 5905 11.3: PLL always, FLL from the Allan intercept on (models-and-validation
 * 3.2). */
static void discipline_loop(struct discipline *d, const struct engine_config *config,
                            double offset_s, mono_time now)
{
    double interval = discipline_interval_s(d, now);
    double allan = power_of_two(config->tinker.allan_log2s);
    double change = 0.0;
    if (poll_s(d) >= allan) {
        change = (offset_s - d->residual_s) * FLL_GAIN / fmax(poll_s(d), interval);
    }
    double constant = 4.0 * PLL_GAIN * poll_s(d);
    change += offset_s * fmin(interval, allan) / (constant * constant);
    discipline_frequency(d, change);
}

/* RFC 5905 11.3 and ntpd: up while offsets stay within the jitter, twice as fast down. */
static void discipline_poll(struct discipline *d, mono_time now)
{
    if (d->poll_is_fixed) {
        return;
    }
    if (fabs(d->last_offset_s) < POLL_GATE * d->jitter_s) {
        d->poll_counter += d->poll;
        if (d->poll_counter > POLL_LIMIT) {
            d->poll_counter = POLL_LIMIT;
            if (d->poll < d->poll_max && !mono_before(now, d->settles)) {
                d->poll_counter = 0;
                d->poll++;
            }
        }
        return;
    }
    d->poll_counter -= 2 * d->poll;
    if (d->poll_counter < -POLL_LIMIT) {
        d->poll_counter = -POLL_LIMIT;
        if (d->poll > d->poll_min) {
            d->poll_counter = 0;
            d->poll--;
        }
    }
}

/* The frequency that a training of `interval` seconds shows. It is good to a few ppm over a noisy
 * path, and a loop that slows down at once would take half a day over the rest: the poll stays low
 * until the loop at its fastest has been through one zero crossing (models-and-validation 3.2: 48
 * polls). */
static void discipline_train(struct discipline *d, double offset_s, double interval, mono_time now)
{
    discipline_frequency(d, clamp((offset_s - d->residual_s) / interval, FREQUENCY_MAX));
    d->drift_is_known = true;
    d->settles = mono_add_s(now, SETTLING_POLLS * poll_s(d));
}

static enum discipline_verdict discipline_step(struct discipline *d,
                                               const struct engine_config *config, double offset_s,
                                               mono_time now)
{
    double interval = discipline_interval_s(d, now);
    if (d->phase == DISCIPLINE_TRAINING && interval >= config->tinker.stepout_s) {
        discipline_train(d, offset_s, interval, now);
    }
    d->phase = d->drift_is_known ? DISCIPLINE_LOCKED : DISCIPLINE_TRAINING;
    d->step_s = offset_s;
    d->updated = now;
    d->poll_counter = 0;
    d->jitter_s = power_of_two(config->clock.precision);
    d->mind_gap = false;
    d->is_returning = false;
    return DISCIPLINE_STEP;
}

/* An offset over the step threshold: once held back, then for as long as stepout has not passed. */
static enum discipline_verdict discipline_large(struct discipline *d,
                                                const struct engine_config *config, double offset_s,
                                                mono_time now)
{
    double interval = discipline_interval_s(d, now);
    switch (d->phase) {
    case DISCIPLINE_START:
        return discipline_step(d, config, offset_s, now);
    case DISCIPLINE_TRAINING:
        if (interval < config->tinker.stepout_s) {
            return DISCIPLINE_WAITING;
        }
        return discipline_step(d, config, offset_s, now);
    case DISCIPLINE_LOCKED:
        d->phase = DISCIPLINE_SPIKE;
        return DISCIPLINE_HELD;
    case DISCIPLINE_SPIKE:
        if (interval < config->tinker.stepout_s) {
            return DISCIPLINE_HELD;
        }
        return discipline_step(d, config, offset_s, now);
    }
    return DISCIPLINE_HELD;
}

/* An offset within the step threshold. */
static enum discipline_verdict discipline_small(struct discipline *d,
                                                const struct engine_config *config, double offset_s,
                                                mono_time now)
{
    double interval = discipline_interval_s(d, now);
    if (d->phase == DISCIPLINE_TRAINING && interval < config->tinker.stepout_s) {
        return DISCIPLINE_WAITING;
    }
    if (d->phase == DISCIPLINE_LOCKED || d->phase == DISCIPLINE_SPIKE) {
        /* Until then an offset is what the clock came with, and how it changes is no noise. */
        discipline_jitter(d, config, offset_s);
    }
    if (d->phase == DISCIPLINE_START) {
        d->phase = d->drift_is_known ? DISCIPLINE_LOCKED : DISCIPLINE_TRAINING;
    } else if (d->phase == DISCIPLINE_TRAINING) {
        /* What ran up while the frequency was not known is an offset, as after an outage. */
        discipline_train(d, offset_s, interval, now);
        d->phase = DISCIPLINE_LOCKED;
        d->is_returning = true;
    } else {
        d->phase = DISCIPLINE_LOCKED;
        /* What an outage left behind is an offset to remove and says little of the frequency: the
         * loop is closed again when it has been slewed away. */
        d->is_returning = d->mind_gap || (d->is_returning && fabs(d->residual_s) > SETTLED_S);
        if (!d->is_returning) {
            discipline_loop(d, config, offset_s, now);
        }
    }
    d->residual_s = offset_s;
    d->last_offset_s = offset_s;
    d->updated = now;
    d->mind_gap = false;
    if (d->phase == DISCIPLINE_LOCKED) {
        discipline_poll(d, now);
    }
    return DISCIPLINE_ACCEPTED;
}

/* Nothing is steered, so what was measured is the whole answer: no residual, no frequency, no
 * step. */
static enum discipline_verdict discipline_measure(struct discipline *d,
                                                  const struct engine_config *config,
                                                  double offset_s, mono_time now)
{
    discipline_jitter(d, config, offset_s);
    d->residual_s = 0.0;
    d->last_offset_s = offset_s;
    d->updated = now;
    return DISCIPLINE_ACCEPTED;
}

enum discipline_verdict discipline_update(struct discipline *d, const struct engine_config *config,
                                          const struct ledger *ledger, double offset_s,
                                          mono_time now)
{
    double magnitude = fabs(offset_s);
    discipline_settle(d, ledger, now);
    if (config->tinker.panic_s > 0.0 && magnitude > config->tinker.panic_s &&
        !(d->phase == DISCIPLINE_START && d->large_step_allowed && !d->is_open)) {
        return DISCIPLINE_PANIC;
    }
    d->large_step_allowed = false;
    if (d->is_open) {
        return discipline_measure(d, config, offset_s, now);
    }
    if (config->tinker.step_s > 0.0 && magnitude > config->tinker.step_s) {
        return discipline_large(d, config, offset_s, now);
    }
    return discipline_small(d, config, offset_s, now);
}
