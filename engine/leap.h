/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a list of leap seconds (IERS's leap-seconds.list) says of those that may come, and what is
 * to be announced by it. Reads no file and arms no clock.
 */
#ifndef HOLDFAST_LEAP_H
#define HOLDFAST_LEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "timestamp.h"

enum { LEAPS_MAX = 8 };

struct leap_second {
    int64_t at_s; /* Unix: the first second behind it, midnight */
    uint8_t kind; /* LEAP_INSERT or LEAP_DELETE */
};

/* The newest leap seconds of a list, past ones among them: it says nothing of the clock that reads
 * it, which may be wrong then. All zero = there is no list. */
struct leap_list {
    int64_t expires_s; /* Unix: from then on it may lack a leap second, and says nothing */
    uint8_t count;
    struct leap_second leaps[LEAPS_MAX]; /* by time */
};

/* There is a list and it has not expired. */
bool leap_list_is_valid(const struct leap_list *list, ntp_time now);

/* The leap second at the end of this UTC day by the list; LEAP_NONE = there is none. */
uint8_t leap_list_today(const struct leap_list *list, ntp_time now);

bool leap_list_equal(const struct leap_list *a, const struct leap_list *b);

#endif
