/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Statistics lines; see statistics_files.h. Makes text, writes nothing.
 */
#include "statistics_files.h"

#include <stdio.h>

enum { MJD_OF_UNIX_EPOCH = 40587, SECONDS_PER_DAY = 86400 };

/* Whole milliseconds since the start of the day; *mjd = the day. Cut off, as ntpd does, so that no
 * line comes from the future. */
static unsigned milliseconds_of_day(ntp_time clock, int64_t *mjd)
{
    int64_t unix_s = unix_s_from_ntp(clock);
    uint64_t fraction = clock.ticks & UINT32_MAX;
    *mjd = unix_s / SECONDS_PER_DAY + MJD_OF_UNIX_EPOCH;
    return (unsigned)(unix_s % SECONDS_PER_DAY) * 1000 + (unsigned)(fraction * 1000 >> 32);
}

int64_t statistics_mjd(ntp_time clock, double *second)
{
    int64_t mjd;
    *second = milliseconds_of_day(clock, &mjd) / 1000.0;
    return mjd;
}

size_t statistics_line(const struct trace_record *record, char text[STATISTICS_LINE_MAX])
{
    int64_t mjd;
    if (record->kind != TRACE_LOOP && record->kind != TRACE_SAMPLE) {
        return 0;
    }
    unsigned ms = milliseconds_of_day(record->now.clock, &mjd);
    size_t length = (size_t)snprintf(text, STATISTICS_LINE_MAX, "%lld %u.%03u ", (long long)mjd,
                                     ms / 1000, ms % 1000);
    size_t room = STATISTICS_LINE_MAX - 1 - length;
    length += record->kind == TRACE_LOOP ? trace_loopstats(record, text + length, room)
                                         : trace_peerstats(record, text + length, room);
    text[length] = '\n';
    text[length + 1] = '\0';
    return length + 1;
}
