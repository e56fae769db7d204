/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loopstats and peerstats lines, with days that an almanac knows.
 */
#include "../sim/statistics_files.h"

#include "check.h"

static void days_are_modified_julian_days_across_the_era(void)
{
    double second;
    CHECK_INT(statistics_mjd(ntp_from_unix_s(1772323200), &second), 61100); /* 2026-03-01 */
    CHECK(second == 0);
    CHECK_INT(statistics_mjd(ntp_from_unix_s(1772323199), &second), 61099);
    CHECK(second == 86399);
    /* 2036-02-07 06:28:16 is second 0 of era 1. */
    CHECK_INT(statistics_mjd((ntp_time){0}, &second), 64730);
    CHECK(second == 6 * 3600 + 28 * 60 + 16);
    CHECK_INT(statistics_mjd((ntp_time){UINT64_MAX}, &second), 64730);
    CHECK_NEAR(second, 6 * 3600 + 28 * 60 + 15.999, 1e-9); /* cut off, not rounded up */
}

static void loop_line_is_as_ntpd_writes_it(void)
{
    char line[STATISTICS_LINE_MAX];
    struct trace_record record = {
        .kind = TRACE_LOOP, .now.clock = ntp_add_s(ntp_from_unix_s(1772323200 + 3661), 0.0625)};
    record.u.loop.offset_s = -0.000123456;
    record.u.loop.drift_ppm = 12.3456;
    record.u.loop.jitter_s = 0.000045678;
    record.u.loop.wander_ppm = 0.001234;
    record.u.loop.poll = 10;
    size_t length = statistics_line(&record, line);
    CHECK_STR(line, "61100 3661.062 -0.000123456 12.346 0.000045678 0.001234 10\n");
    CHECK_INT(length, strlen(line));
}

static void sample_line_is_as_ntpd_writes_it(void)
{
    char line[STATISTICS_LINE_MAX];
    struct trace_record record = {.kind = TRACE_SAMPLE, .now.clock = {UINT64_C(5) << 32}};
    CHECK(address_parse("192.0.2.1", &record.peer.address));
    record.u.sample.status = 0x961a;
    record.u.sample.offset_s = 0.001;
    record.u.sample.delay_s = 0.0205;
    record.u.sample.dispersion_s = 0.0009375;
    record.u.sample.jitter_s = 0.000000954;
    statistics_line(&record, line);
    CHECK_STR(line,
              "64730 23301.000 192.0.2.1 961a 0.001000000 0.020500000 0.000937500 0.000000954\n");
}

static void other_records_make_no_line(void)
{
    char line[STATISTICS_LINE_MAX];
    for (unsigned kind = 0; kind < TRACE_KINDS; kind++) {
        struct trace_record record = {.kind = (enum trace_kind)kind};
        if (kind != TRACE_LOOP && kind != TRACE_SAMPLE) {
            CHECK_INT(statistics_line(&record, line), 0);
        }
    }
}

const struct test_case statistics_files_tests[] = {
    {"days_are_modified_julian_days_across_the_era", days_are_modified_julian_days_across_the_era},
    {"loop_line_is_as_ntpd_writes_it", loop_line_is_as_ntpd_writes_it},
    {"sample_line_is_as_ntpd_writes_it", sample_line_is_as_ntpd_writes_it},
    {"other_records_make_no_line", other_records_make_no_line},
    {NULL, NULL}};
