/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ntpd's statistics lines: what a host's own clock said about the day and the second, in front of
 * what its engine said about the event. ntpviz and its kin read them.
 */
#ifndef HOLDFAST_STATISTICS_FILES_H
#define HOLDFAST_STATISTICS_FILES_H

#include "../engine/trace.h"

enum { STATISTICS_LINE_MAX = 256 };

/* Modified Julian day of a clock reading, in the era that starts at the pivot; *second = seconds of
 * that day. */
int64_t statistics_mjd(ntp_time clock, double *second);

/* "MJD second.mmm offset drift jitter wander poll" with its newline for TRACE_LOOP, "MJD second.mmm
 * address status offset delay dispersion jitter" for TRACE_SAMPLE; the length, 0 for any other
 * record. */
size_t statistics_line(const struct trace_record *record, char text[STATISTICS_LINE_MAX]);

#endif
