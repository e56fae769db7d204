/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clock inside a network interface, and what the system clock showed when it showed something.
 *
 * An interface that stamps packets does so by a clock of its own, which nobody sets. Readings of
 * both clocks side by side map one to the other; the map is pure arithmetic. Steers neither.
 */
#ifndef HOLDFAST_DAEMON_HARDWARE_CLOCK_H
#define HOLDFAST_DAEMON_HARDWARE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Both clocks at one moment, nanoseconds since 1970; `width_ns` is how long the reading took, so
 * that the pair is off by at most half of it. */
struct clock_pair {
    int64_t device_ns, system_ns, width_ns;
};

struct clock_map {
    struct clock_pair first, last; /* the rate is taken between them */
    double rate;                   /* system seconds gained per device second; 0 until known */
    bool is_set;
};

/* Takes the narrowest of several readings made in a row; count 0 changes nothing. A pair that
 * disagrees with the map by more than 1 ms, or lies before it, begins the map anew: one of the
 * clocks was stepped. */
void clock_map_add(struct clock_map *map, const struct clock_pair *pairs, size_t count);

/* System time at that device time; false with no map, or more than 10 s from its last pair. */
bool clock_map_system_ns(const struct clock_map *map, int64_t device_ns, int64_t *system_ns);

struct hardware_clock;

/* Turns the stamping of packets on for the interface, unless somebody did, and opens its clock.
 * NULL when it has none, and then *note is NULL or says what stands in the way (g_free() it). */
struct hardware_clock *hardware_clock_open(const char *interface, char **note);
void hardware_clock_close(struct hardware_clock *clock);

/* What CLOCK_REALTIME showed at a stamp that was just made; false when that cannot be told. */
bool hardware_clock_system(struct hardware_clock *clock, const struct timespec *stamp,
                           struct timespec *system);

#endif
