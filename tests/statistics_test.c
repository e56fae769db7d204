/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Statistics files: their names through the calendar, links, reloads, and a disk that is full.
 */
#include "../engine/daemon/statistics.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "state_files_check.h"

enum { DAY = 86400 };
#define MARCH_1 INT64_C(1772323200) /* 2026-03-01, a Sunday */

static struct filegen filegen_of(const char *kind, enum filegen_type type, bool link)
{
    return (struct filegen){
        .name = kind, .file = kind, .type = type, .link = link, .enabled = true};
}

static struct statistics *open_one(const struct desk *desk, struct filegen *filegen)
{
    const struct host_config host = {
        .statsdir = desk->work, .filegens = filegen, .filegen_count = 1};
    return statistics_open(&host, desk->log);
}

static struct instant at(int64_t unix_s)
{
    return (struct instant){ntp_from_unix_s(unix_s), {(unix_s - MARCH_1) * (INT64_C(1) << 32)}};
}

/* A clock update at that time, by the record's clock. */
static void update(struct statistics *s, int64_t unix_s)
{
    struct trace_record record = {.kind = TRACE_LOOP, .now = at(unix_s), .source = -1};
    record.u.loop.poll = 6;
    statistics_trace(s, &record);
}

#define LINE(start) start " 0.000000000 0.000 0.000000000 0.000000 6\n"

static void lines_go_to_the_file_of_their_day(void)
{
    struct desk desk = desk_open();
    struct filegen filegen = filegen_of("loopstats", FILEGEN_DAY, true);
    struct statistics *s = open_one(&desk, &filegen);
    update(s, MARCH_1 + DAY - 1);
    CHECK_FILE(&desk, "loopstats", LINE("61100 86399.000"));
    update(s, MARCH_1 + DAY);
    update(s, MARCH_1 + DAY + 1);
    CHECK_NAMES(&desk, "loopstats loopstats.20260301 loopstats.20260302");
    CHECK_FILE(&desk, "loopstats.20260301", LINE("61100 86399.000"));
    CHECK_FILE(&desk, "loopstats.20260302", LINE("61101 0.000") LINE("61101 1.000"));
    CHECK_FILE(&desk, "loopstats", LINE("61101 0.000") LINE("61101 1.000"));
    update(s, MARCH_1 + DAY - 1); /* the clock was stepped back over midnight */
    CHECK_FILE(&desk, "loopstats.20260301", LINE("61100 86399.000") LINE("61100 86399.000"));
    CHECK_LOGGED(&desk, "");
    statistics_close(s);
    desk_close(&desk);
}

static void file_is_continued_after_a_start(void)
{
    struct desk desk = desk_open();
    struct filegen filegen = filegen_of("loopstats", FILEGEN_DAY, true);
    for (int i = 0; i < 2; i++) {
        struct statistics *s = open_one(&desk, &filegen);
        update(s, MARCH_1 + i);
        statistics_close(s);
    }
    CHECK_FILE(&desk, "loopstats", LINE("61100 0.000") LINE("61100 1.000"));
    CHECK_NAMES(&desk, "loopstats loopstats.20260301");
    CHECK_LOGGED(&desk, "");
    desk_close(&desk);
}

/* The names after updates at two times. */
static void check_type(enum filegen_type type, int64_t first, int64_t second, const char *expected)
{
    struct desk desk = desk_open();
    struct filegen filegen = filegen_of("loopstats", type, false);
    struct statistics *s = open_one(&desk, &filegen);
    update(s, first);
    update(s, second);
    CHECK_NAMES(&desk, expected);
    CHECK_LOGGED(&desk, "");
    statistics_close(s);
    desk_close(&desk);
}

static void every_type_has_its_names(void)
{
    const int64_t new_year = INT64_C(1798761600); /* 2027-01-01, a Friday: still week 53 */
    char *pid = g_strdup_printf("loopstats.#%d", (int)getpid());
    check_type(FILEGEN_NONE, MARCH_1, MARCH_1 + 400 * DAY, "loopstats");
    check_type(FILEGEN_PID, MARCH_1, MARCH_1 + 400 * DAY, pid);
    check_type(FILEGEN_DAY, MARCH_1, MARCH_1 + 5, "loopstats.20260301");
    check_type(FILEGEN_WEEK, MARCH_1, MARCH_1 + DAY, "loopstats.2026w09 loopstats.2026w10");
    check_type(FILEGEN_WEEK, MARCH_1 + DAY, MARCH_1 + 7 * DAY, "loopstats.2026w10");
    check_type(FILEGEN_WEEK, new_year, new_year + 3 * DAY, "loopstats.2026w53 loopstats.2027w01");
    check_type(FILEGEN_MONTH, MARCH_1 - 1, MARCH_1, "loopstats.202602 loopstats.202603");
    check_type(FILEGEN_MONTH, MARCH_1, MARCH_1 + 30 * DAY, "loopstats.202603");
    check_type(FILEGEN_YEAR, new_year - 1, new_year, "loopstats.2026 loopstats.2027");
    check_type(FILEGEN_AGE, MARCH_1 + 5, MARCH_1 + 5 + DAY,
               "loopstats.a00000000 loopstats.a00086400");
    check_type(FILEGEN_AGE, MARCH_1 + 5, MARCH_1 + 4 + DAY, "loopstats.a00000000");
    g_free(pid);
}

static void other_file_of_that_name_is_kept(void)
{
    struct desk desk = desk_open();
    char *path = desk_path(&desk, "loopstats"), *saved = NULL;
    char *prefix = g_strdup_printf("loopstats.%dC", (int)getpid());
    CHECK(g_file_set_contents(path, "old\n", -1, NULL));
    struct filegen filegen = filegen_of("loopstats", FILEGEN_DAY, true);
    struct statistics *s = open_one(&desk, &filegen);
    update(s, MARCH_1);
    char *names = desk_names(&desk), **list = g_strsplit(names, " ", -1);
    CHECK_INT(g_strv_length(list), 3);
    for (char **name = list; *name; name++) {
        saved = g_str_has_prefix(*name, prefix) ? *name : saved;
    }
    CHECK_FILE(&desk, saved ? saved : "", "old\n");
    CHECK_FILE(&desk, "loopstats", LINE("61100 0.000"));
    CHECK_FILE(&desk, "loopstats.20260301", LINE("61100 0.000"));
    statistics_close(s);
    g_strfreev(list);
    g_free(names);
    g_free(prefix);
    g_free(path);
    desk_close(&desk);
}

static void folder_of_that_name_is_told_and_left(void)
{
    struct desk desk = desk_open();
    char *path = desk_path(&desk, "loopstats");
    CHECK_INT(g_mkdir(path, 0755), 0);
    struct filegen filegen = filegen_of("loopstats", FILEGEN_DAY, true);
    struct statistics *s = open_one(&desk, &filegen);
    update(s, MARCH_1);
    update(s, MARCH_1 + 1);
    CHECK_FILE(&desk, "loopstats.20260301", LINE("61100 0.000") LINE("61100 1.000"));
    char *expected = g_strdup_printf("warning: cannot link %s/loopstats to loopstats.20260301: "
                                     "File exists; \"nolink\" does without\n",
                                     desk.work);
    CHECK_LOGGED(&desk, expected);
    statistics_close(s);
    g_free(expected);
    g_free(path);
    desk_close(&desk);
}

static void only_what_is_enabled_is_written_and_under_its_name(void)
{
    struct desk desk = desk_open();
    struct filegen filegens[] = {filegen_of("loopstats", FILEGEN_NONE, false),
                                 filegen_of("protostats", FILEGEN_NONE, false),
                                 filegen_of("clockstats", FILEGEN_NONE, false)};
    filegens[1].file = "/events"; /* below statsdir all the same */
    filegens[2].enabled = false;
    const struct host_config host = {
        .statsdir = desk.work, .filegens = filegens, .filegen_count = 3};
    struct statistics *s = statistics_open(&host, desk.log);
    struct trace_record record = {.kind = TRACE_STEP, .now = at(MARCH_1), .source = -1};
    statistics_trace(s, &record);
    record.kind = TRACE_SAMPLE;
    statistics_trace(s, &record);
    CHECK_NAMES(&desk, "events");
    CHECK_FILE(&desk, "events", "61100 0.000 0.0.0.0 0000 00 clock stepped by +0.000000000 s: \n");
    statistics_close(s);
    desk_close(&desk);
}

static void reload_closes_and_opens_what_changed(void)
{
    struct desk desk = desk_open();
    struct filegen filegen = filegen_of("loopstats", FILEGEN_NONE, false);
    struct host_config host = {.statsdir = desk.work, .filegens = &filegen, .filegen_count = 1};
    char *path = desk_path(&desk, "loopstats");
    struct statistics *s = statistics_open(&host, desk.log);
    update(s, MARCH_1);
    g_unlink(path); /* as logrotate does, then it sends SIGHUP */
    statistics_reload(s, &host);
    update(s, MARCH_1 + 1);
    CHECK_FILE(&desk, "loopstats", LINE("61100 1.000"));
    filegen.file = "other";
    statistics_reload(s, &host);
    update(s, MARCH_1 + 2);
    CHECK_FILE(&desk, "other", LINE("61100 2.000"));
    host.filegen_count = 0;
    statistics_reload(s, &host);
    update(s, MARCH_1 + 3);
    CHECK_FILE(&desk, "loopstats", LINE("61100 1.000"));
    CHECK_FILE(&desk, "other", LINE("61100 2.000"));
    host.filegen_count = 1;
    host.statsdir = desk.folder;
    statistics_reload(s, &host);
    update(s, MARCH_1 + 4);
    CHECK_FILE(&desk, "../other", LINE("61100 4.000"));
    CHECK_LOGGED(&desk, "");
    statistics_close(s);
    g_free(path);
    desk_close(&desk);
}

/* That there is no statsdir line at all the configuration's reader has said. */
static void statsdir_that_is_not_there_is_told_with_its_line_and_the_cure(void)
{
    struct desk desk = desk_open();
    struct filegen filegen = filegen_of("loopstats", FILEGEN_NONE, false);
    struct host_config host = {.filegens = &filegen, .filegen_count = 1};
    struct statistics *s = statistics_open(&host, desk.log);
    update(s, MARCH_1);
    CHECK_LOGGED(&desk, "");
    host.statsdir = "/nonexistent";
    host.statsdir_at = (struct place){"c", 3, 10};
    statistics_reload(s, &host);
    update(s, MARCH_1);
    CHECK_LOGGED(
        &desk,
        "warning: c:3:10: no statistics are written: cannot open statsdir /nonexistent: No such "
        "file or directory; create it and let the daemon's user write there\n");
    statistics_close(s);
    desk_close(&desk);
}

/* Fills the file system that the file is on, but for `left` bytes. */
static void fill_up(const char *path, off_t left)
{
    char block[4096];
    memset(block, 'x', sizeof block);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    while (write(fd, block, sizeof block) > 0) {
    }
    off_t size = lseek(fd, 0, SEEK_END);
    CHECK_INT(ftruncate(fd, size - left), 0);
    close(fd);
}

static void write_on_a_small_disk(const struct desk *desk)
{
    char *ballast = desk_path(desk, "ballast");
    struct filegen filegen = filegen_of("loopstats", FILEGEN_NONE, false);
    struct statistics *s = open_one(desk, &filegen);
    /* One page of room and lines that do not end at its end: the last one fits half. */
    fill_up(ballast, 4096);
    for (int i = 0; i < 200; i++) {
        update(s, MARCH_1 + i);
    }
    char *text = desk_text(desk, "loopstats");
    size_t size = strlen(text);
    CHECK(size > 3800 && size < 4096);
    CHECK(size > 0 && text[size - 1] == '\n');
    char **lines = g_strsplit(text, "\n", -1);
    unsigned there = g_strv_length(lines) - 1;
    g_unlink(ballast);
    update(s, MARCH_1 + 500);
    update(s, MARCH_1 + 501);
    char *longer = desk_text(desk, "loopstats");
    CHECK(g_str_has_prefix(longer, text));
    CHECK_STR(longer + size, LINE("61100 500.000") LINE("61100 501.000"));
    char *expected = g_strdup_printf(
        "warning: cannot write statistics to %s/loopstats: No space left on device; lines are lost "
        "until it can be written\n%s/loopstats can be written again; %u lines were lost\n",
        desk->work, desk->work, 200 - there);
    CHECK_LOGGED(desk, expected);
    g_free(expected);
    g_free(longer);
    g_strfreev(lines);
    g_free(text);
    statistics_close(s);
    g_free(ballast);
}

/* A small file system that nobody else sees and that ends with this process. */
static bool mount_small(const char *folder)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", folder, "tmpfs", 0, "size=64k") == 0;
}

/* Needs a file system of its own: as root a tmpfs; else /dev/full, which loses whole lines. */
static void full_disk_leaves_no_half_line_and_is_told_once(void)
{
    struct desk desk = desk_open();
    if (mount_small(desk.work)) {
        write_on_a_small_disk(&desk);
        CHECK_INT(umount(desk.work), 0);
    } else {
        char *path = desk_path(&desk, "loopstats");
        CHECK_INT(symlink("/dev/full", path), 0);
        struct filegen filegen = filegen_of("loopstats", FILEGEN_NONE, false);
        struct statistics *s = open_one(&desk, &filegen);
        update(s, MARCH_1);
        update(s, MARCH_1 + 1);
        char *expected = g_strdup_printf("warning: cannot write statistics to %s/loopstats: No "
                                         "space left on device; lines are lost until it can be "
                                         "written\n",
                                         desk.work);
        CHECK_LOGGED(&desk, expected);
        g_free(expected);
        statistics_close(s);
        g_free(path);
    }
    desk_close(&desk);
}

static void sysstats_count_since_the_line_before(void)
{
    struct desk desk = desk_open();
    struct filegen filegen = filegen_of("sysstats", FILEGEN_NONE, false);
    struct statistics *s = open_one(&desk, &filegen);
    struct engine_counters c = {.since = at(MARCH_1),
                                .received = 100,
                                .processed = 80,
                                .malformed = 3,
                                .declined = 4,
                                .bad_auth = 5,
                                .version_4 = 90,
                                .version_older = 10};
    struct service_counts threads = {.version_4 = 1000, .version_older = 7};
    c.served.verdicts[SERVICE_RESTRICTED] = 11;
    c.served.verdicts[SERVICE_BAD_AUTH] = 1;
    c.served.verdicts[SERVICE_LIMITED] = 20;
    c.served.verdicts[SERVICE_KISSED] = 2;
    threads.verdicts[SERVICE_ANSWERED] = 900;
    threads.verdicts[SERVICE_KISSED] = 1;
    threads.verdicts[SERVICE_LIMITED] = 30;
    threads.verdicts[SERVICE_RESTRICTED] = 40;
    threads.verdicts[SERVICE_MALFORMED] = 50;
    threads.verdicts[SERVICE_BAD_AUTH] = 60;
    threads.verdicts[SERVICE_MODE] = 6;
    statistics_sys(s, at(MARCH_1 + 3600), &c, &threads);
    CHECK_FILE(&desk, "sysstats", "61100 3600.000 3600 1187 980 1090 17 51 53 66 10 53 3\n");
    c.received += 10;
    threads.verdicts[SERVICE_ANSWERED] += 5;
    statistics_sys(s, at(MARCH_1 + 7199), &c, &threads);
    statistics_sys(s, at(MARCH_1 + 10800), &c, &threads);
    CHECK_FILE(&desk, "sysstats",
               "61100 3600.000 3600 1187 980 1090 17 51 53 66 10 53 3\n"
               "61100 7199.000 3599 15 5 0 0 0 0 0 0 0 0\n"
               "61100 10800.000 3601 0 0 0 0 0 0 0 0 0 0\n");
    statistics_close(s);
    desk_close(&desk);
}

const struct test_case statistics_tests[] = {
    {"lines_go_to_the_file_of_their_day", lines_go_to_the_file_of_their_day},
    {"file_is_continued_after_a_start", file_is_continued_after_a_start},
    {"every_type_has_its_names", every_type_has_its_names},
    {"other_file_of_that_name_is_kept", other_file_of_that_name_is_kept},
    {"folder_of_that_name_is_told_and_left", folder_of_that_name_is_told_and_left},
    {"only_what_is_enabled_is_written_and_under_its_name",
     only_what_is_enabled_is_written_and_under_its_name},
    {"reload_closes_and_opens_what_changed", reload_closes_and_opens_what_changed},
    {"statsdir_that_is_not_there_is_told_with_its_line_and_the_cure",
     statsdir_that_is_not_there_is_told_with_its_line_and_the_cure},
    {"full_disk_leaves_no_half_line_and_is_told_once",
     full_disk_leaves_no_half_line_and_is_told_once},
    {"sysstats_count_since_the_line_before", sysstats_count_since_the_line_before},
    {NULL, NULL}};
