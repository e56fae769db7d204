/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The log: what a line looks like, what is left out and counted, and what happens when it cannot be
 * written.
 */
#include "../engine/daemon/log.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "messages_check.h"

/* A file under a folder of its own. */
struct spot {
    char *folder, *path;
};

static struct spot spot_open(void)
{
    struct spot spot = {.folder = g_dir_make_tmp("holdfast-log-XXXXXX", NULL)};
    REQUIRE(spot.folder != NULL);
    spot.path = g_build_filename(spot.folder, "log", NULL);
    return spot;
}

static void spot_close(struct spot *spot)
{
    g_unlink(spot->path);
    g_rmdir(spot->folder);
    g_free(spot->path);
    g_free(spot->folder);
}

static struct log *open_log(const char *path, enum log_level most)
{
    char *error = NULL;
    struct log *log = log_open(path, most, &error);
    CHECK(error == NULL);
    REQUIRE(log != NULL);
    return log;
}

/* The file's text with the time and the process taken off each line, as far as they are right. */
static char *texts_of(const char *path)
{
    char *text = NULL;
    char *prefix = g_strdup_printf(
        "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z holdfastd\\[%d\\]: ", (int)getpid());
    REQUIRE(g_file_get_contents(path, &text, NULL, NULL));
    GRegex *regex = g_regex_new(prefix, 0, 0, NULL);
    char *stripped = g_regex_replace_literal(regex, text, -1, 0, "", 0, NULL);
    g_regex_unref(regex);
    g_free(prefix);
    g_free(text);
    return stripped;
}

#define CHECK_TEXTS(path, expected)                                                                \
    do {                                                                                           \
        char *texts_ = texts_of(path);                                                             \
        CHECK_STR(texts_, expected);                                                               \
        g_free(texts_);                                                                            \
    } while (0)

/* Standard error goes to a file while a test wants to see it. */
static int redirect_stderr(const char *path)
{
    int kept = dup(STDERR_FILENO);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    REQUIRE(kept >= 0 && fd >= 0);
    dup2(fd, STDERR_FILENO);
    close(fd);
    return kept;
}

static void restore_stderr(int kept)
{
    dup2(kept, STDERR_FILENO);
    close(kept);
}

static void lines_carry_time_process_and_severity(void)
{
    struct spot spot = spot_open();
    struct log *log = open_log(spot.path, LOG_LEVEL_INFO);
    log_line(log, LOG_LEVEL_INFO, "listening on %d addresses", 3);
    log_line(log, LOG_LEVEL_NOTICE, "synchronised");
    log_line(log, LOG_LEVEL_WARNING, "odd");
    log_line(log, LOG_LEVEL_ERROR, "bad");
    log_line(log, LOG_LEVEL_DEBUG, "not wanted");
    CHECK_TEXTS(spot.path, "listening on 3 addresses\nsynchronised\nwarning: odd\nerror: bad\n");
    log_close(log);
    spot_close(&spot);
}

static void lines_are_added_to_what_is_there(void)
{
    struct spot spot = spot_open();
    CHECK(g_file_set_contents(spot.path, "old\n", -1, NULL));
    struct log *log = open_log(spot.path, LOG_LEVEL_INFO);
    log_line(log, LOG_LEVEL_INFO, "new");
    log_close(log);
    CHECK_TEXTS(spot.path, "old\nnew\n");
    spot_close(&spot);
}

static void same_line_again_is_counted_and_told_with_the_next(void)
{
    struct spot spot = spot_open();
    struct log *log = open_log(spot.path, LOG_LEVEL_INFO);
    for (int i = 0; i < 4; i++) {
        log_line(log, LOG_LEVEL_INFO, "same %d", 1);
    }
    log_line(log, LOG_LEVEL_INFO, "other");
    log_line(log, LOG_LEVEL_INFO, "same 1");
    log_line(log, LOG_LEVEL_INFO, "same 1");
    log_close(log);
    CHECK_TEXTS(spot.path, "same 1\nthe line before was said 3 times more\nother\nsame 1\n"
                           "the line before was said 1 time more\n");
    spot_close(&spot);
}

static void lines_of_a_kind_are_limited_together_and_the_rest_is_counted(void)
{
    struct spot spot = spot_open();
    struct log *log = open_log(spot.path, LOG_LEVEL_INFO);
    for (int i = 0; i < 9; i++) {
        log_often(log, LOG_LEVEL_INFO, "bad packets", "packet %d", i);
        if (i == 2) {
            log_often(log, LOG_LEVEL_INFO, "requests", "another kind");
        }
    }
    log_line(log, LOG_LEVEL_INFO, "not limited");
    CHECK_TEXTS(spot.path, "packet 0\npacket 1\npacket 2\nanother kind\npacket 3\npacket 4\n"
                           "not limited\n");
    log_close(log);
    CHECK_TEXTS(spot.path, "packet 0\npacket 1\npacket 2\nanother kind\npacket 3\npacket 4\n"
                           "not limited\nbad packets: 4 more lines were left out\n");
    spot_close(&spot);
}

static void control_characters_make_no_second_line(void)
{
    struct spot spot = spot_open();
    struct log *log = open_log(spot.path, LOG_LEVEL_INFO);
    log_line(log, LOG_LEVEL_INFO, "%s", "one\n2026 forged\x1b[2J\tend \xc3\xa4");
    CHECK_TEXTS(spot.path, "one?2026 forged?[2J?end \xc3\xa4\n");
    log_close(log);
    spot_close(&spot);
}

static void long_lines_are_cut_and_still_end(void)
{
    struct spot spot = spot_open();
    struct log *log = open_log(spot.path, LOG_LEVEL_INFO);
    char *text = NULL, *long_text = g_strnfill(5000, 'x');
    log_line(log, LOG_LEVEL_INFO, "%s", long_text);
    log_line(log, LOG_LEVEL_INFO, "next");
    log_close(log);
    REQUIRE(g_file_get_contents(spot.path, &text, NULL, NULL));
    char **lines = g_strsplit(text, "\n", -1);
    CHECK_INT(g_strv_length(lines), 3);
    CHECK(strlen(lines[0]) < LOG_LINE_MAX && strlen(lines[0]) > 800);
    CHECK(g_str_has_suffix(lines[1], "]: next"));
    g_strfreev(lines);
    g_free(long_text);
    g_free(text);
    spot_close(&spot);
}

static void reopening_follows_a_file_that_was_moved_away(void)
{
    struct spot spot = spot_open();
    char *moved = g_strconcat(spot.path, ".1", NULL), *error = NULL;
    struct log *log = open_log(spot.path, LOG_LEVEL_INFO);
    log_line(log, LOG_LEVEL_INFO, "before");
    CHECK_INT(g_rename(spot.path, moved), 0);
    log_line(log, LOG_LEVEL_INFO, "still there");
    CHECK(log_reopen(log, spot.path, &error));
    log_line(log, LOG_LEVEL_INFO, "after");
    CHECK_TEXTS(moved, "before\nstill there\n");
    CHECK_TEXTS(spot.path, "after\n");
    CHECK(!log_reopen(log, "/nonexistent/log", &error));
    CHECK_STR(error, "cannot open the log file /nonexistent/log: No such file or directory; create "
                     "its directory");
    log_line(log, LOG_LEVEL_INFO, "on");
    CHECK_TEXTS(spot.path, "after\non\n");
    log_close(log);
    g_free(error);
    g_unlink(moved);
    g_free(moved);
    spot_close(&spot);
}

static void reopening_loses_no_count_of_repeats(void)
{
    struct spot spot = spot_open();
    char *moved = g_strconcat(spot.path, ".1", NULL), *error = NULL;
    struct log *log = open_log(spot.path, LOG_LEVEL_INFO);
    log_line(log, LOG_LEVEL_INFO, "same");
    log_line(log, LOG_LEVEL_INFO, "same");
    CHECK(log_reopen(log, spot.path, &error)); /* reloaded, not rotated */
    log_line(log, LOG_LEVEL_INFO, "same");
    CHECK_TEXTS(spot.path, "same\n");
    CHECK_INT(g_rename(spot.path, moved), 0);
    CHECK(log_reopen(log, spot.path, &error));
    CHECK_TEXTS(moved, "same\nthe line before was said 2 times more\n");
    log_line(log, LOG_LEVEL_INFO, "same"); /* nothing stands in this file yet */
    log_line(log, LOG_LEVEL_INFO, "same");
    log_close(log);
    CHECK_TEXTS(spot.path, "same\nthe line before was said 1 time more\n");
    g_unlink(moved);
    g_free(moved);
    spot_close(&spot);
}

static void reopening_loses_no_count_of_lost_lines(void)
{
    struct spot spot = spot_open();
    char *link = g_build_filename(spot.folder, "link", NULL), *error = NULL;
    char *told = g_build_filename(spot.folder, "told", NULL);
    CHECK_INT(symlink("/dev/full", link), 0);
    int kept = redirect_stderr(told);
    struct log *log = open_log(link, LOG_LEVEL_INFO);
    log_line(log, LOG_LEVEL_INFO, "lost 1");
    log_line(log, LOG_LEVEL_INFO, "lost 2");
    CHECK(log_reopen(log, spot.path, &error));
    log_line(log, LOG_LEVEL_INFO, "there");
    log_close(log);
    restore_stderr(kept);
    CHECK_TEXTS(spot.path, "there\nwarning: the log can be written again; 2 lines were lost\n");
    g_unlink(link);
    g_unlink(told);
    g_free(link);
    g_free(told);
    spot_close(&spot);
}

static void what_is_not_wanted_is_known_before_its_text(void)
{
    struct spot spot = spot_open();
    struct log *log = open_log(spot.path, LOG_LEVEL_NOTICE);
    CHECK(log_wants(log, LOG_LEVEL_NOTICE) && !log_wants(log, LOG_LEVEL_INFO));
    CHECK(!log_admits(log, LOG_LEVEL_INFO, "kind"));
    for (int i = 0; i < LOG_OFTEN_LINES; i++) {
        CHECK(log_admits(log, LOG_LEVEL_NOTICE, "kind"));
    }
    CHECK(!log_admits(log, LOG_LEVEL_NOTICE, "kind"));
    log_often(log, LOG_LEVEL_NOTICE, "kind", "counted together");
    log_close(log);
    CHECK_TEXTS(spot.path, "kind: 2 more lines were left out\n");
    spot_close(&spot);
}

static void file_that_cannot_be_opened_leaves_standard_error(void)
{
    struct spot spot = spot_open();
    char *told = g_build_filename(spot.folder, "told", NULL), *error = NULL;
    int kept = redirect_stderr(told);
    struct log *log = log_open("/nonexistent/log", LOG_LEVEL_INFO, &error);
    log_line(log, LOG_LEVEL_INFO, "said");
    CHECK(log_reopen(log, spot.path, NULL)); /* somebody made its directory */
    log_line(log, LOG_LEVEL_INFO, "in the file");
    log_close(log);
    restore_stderr(kept);
    CHECK_STR(error, "cannot open the log file /nonexistent/log: No such file or directory; create "
                     "its directory");
    CHECK_TEXTS(told, "said\n");
    CHECK_TEXTS(spot.path, "in the file\n");
    g_free(error);
    g_unlink(told);
    g_free(told);
    spot_close(&spot);
}

static void errors_are_echoed_while_somebody_waits(void)
{
    struct spot spot = spot_open();
    char *told = g_build_filename(spot.folder, "told", NULL);
    int kept = redirect_stderr(told);
    struct log *log = open_log(spot.path, LOG_LEVEL_INFO);
    log_line(log, LOG_LEVEL_ERROR, "not yet");
    log_echo(log, LOG_LEVEL_ERROR);
    log_line(log, LOG_LEVEL_WARNING, "odd");
    log_line(log, LOG_LEVEL_ERROR, "bad");
    log_echo(log, LOG_ECHO_NONE);
    log_line(log, LOG_LEVEL_ERROR, "not any more");
    log_close(log);
    log = open_log(told, LOG_LEVEL_INFO); /* the same file: once is enough */
    log_echo(log, LOG_LEVEL_ERROR);
    log_line(log, LOG_LEVEL_ERROR, "once");
    log_close(log);
    restore_stderr(kept);
    CHECK_TEXTS(told, "error: bad\nerror: once\n");
    CHECK_TEXTS(spot.path, "error: not yet\nwarning: odd\nerror: bad\nerror: not any more\n");
    g_unlink(told);
    g_free(told);
    spot_close(&spot);
}

static void full_disk_is_told_once_and_again_when_it_works(void)
{
    struct spot spot = spot_open();
    char *link = g_build_filename(spot.folder, "link", NULL), *error = NULL;
    CHECK_INT(symlink("/dev/full", link), 0);
    int kept = redirect_stderr(spot.path);
    struct log *log = open_log(link, LOG_LEVEL_INFO);
    log_line(log, LOG_LEVEL_INFO, "lost 1");
    log_line(log, LOG_LEVEL_INFO, "lost 2");
    /* The same log with room again: its descriptor is what /dev/full was. */
    char *file = g_build_filename(spot.folder, "file", NULL);
    int room = open(file, O_WRONLY | O_CREAT | O_APPEND, 0600);
    for (int fd = 3; fd < 64; fd++) {
        char *name = g_strdup_printf("/proc/self/fd/%d", fd);
        char *target = g_file_read_link(name, NULL);
        if (target && strcmp(target, "/dev/full") == 0) {
            dup2(room, fd);
        }
        g_free(target);
        g_free(name);
    }
    log_line(log, LOG_LEVEL_INFO, "there");
    log_close(log);
    close(room);
    restore_stderr(kept);
    char *expected = g_strdup_printf("error: cannot write the log file %s: No space left on "
                                     "device; lines are lost until it can be written\n"
                                     "the log can be written again; 2 lines were lost\n",
                                     link);
    CHECK_TEXTS(spot.path, expected);
    CHECK_TEXTS(file, "there\nwarning: the log can be written again; 2 lines were lost\n");
    g_unlink(file);
    g_unlink(link);
    g_free(expected);
    g_free(file);
    g_free(link);
    g_free(error);
    spot_close(&spot);
}

static void journal_gets_priorities_and_nothing_else_does(void)
{
    struct spot spot = spot_open();
    struct stat status;
    int kept = redirect_stderr(spot.path);
    CHECK_INT(fstat(STDERR_FILENO, &status), 0);
    char *stream = g_strdup_printf("%llu:%llu", (unsigned long long)status.st_dev,
                                   (unsigned long long)status.st_ino);
    g_setenv("JOURNAL_STREAM", stream, TRUE);
    struct log *log = open_log(NULL, LOG_LEVEL_INFO);
    log_line(log, LOG_LEVEL_WARNING, "odd");
    log_line(log, LOG_LEVEL_INFO, "fine");
    log_close(log);
    char *other = g_strdup_printf("%llu:%llu", (unsigned long long)status.st_dev,
                                  (unsigned long long)status.st_ino + 1);
    g_setenv("JOURNAL_STREAM", other, TRUE);
    log = open_log(NULL, LOG_LEVEL_INFO);
    log_line(log, LOG_LEVEL_WARNING, "not the journal");
    log_close(log);
    g_unsetenv("JOURNAL_STREAM");
    restore_stderr(kept);
    CHECK_TEXTS(spot.path, "<4>odd\n<6>fine\nwarning: not the journal\n");
    g_free(other);
    g_free(stream);
    spot_close(&spot);
}

static void check_says_what_opening_would_and_makes_nothing(void)
{
    struct spot spot = spot_open();
    char *missing = g_build_filename(spot.folder, "none", "log", NULL);
    char *link = g_build_filename(spot.folder, "link", NULL);
    char *chain = g_build_filename(spot.folder, "chain", NULL);
    char *loop = g_build_filename(spot.folder, "loop", NULL);
    char *fifo = g_build_filename(spot.folder, "fifo", NULL);
    char *good = g_build_filename(spot.folder, "good", NULL);
    CHECK_INT(symlink("none/log", link), 0);
    CHECK_INT(symlink(link, chain), 0);
    CHECK_INT(symlink("loop", loop), 0);
    CHECK_INT(symlink("log", good), 0);
    CHECK_INT(mkfifo(fifo, 0600), 0);
    const char *const paths[] = {spot.folder, missing, link, chain, loop, fifo};
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        char *error = NULL, *said = log_check(paths[i]);
        struct log *log = log_open(paths[i], LOG_LEVEL_INFO, &error);
        REQUIRE(said != NULL && error != NULL);
        CHECK_STR(said, error);
        log_close(log);
        g_free(error);
        g_free(said);
    }
    CHECK(log_check(spot.path) == NULL);
    CHECK(log_check(good) == NULL);
    CHECK(!g_file_test(spot.path, G_FILE_TEST_EXISTS));
    int reader = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    CHECK(reader >= 0 && log_check(fifo) == NULL);
    close(reader);
    CHECK(g_file_set_contents(spot.path, "", -1, NULL));
    CHECK(log_check(spot.path) == NULL);
    char *const made[] = {link, chain, loop, fifo, good, missing};
    for (size_t i = 0; i < G_N_ELEMENTS(made); i++) {
        g_unlink(made[i]);
        g_free(made[i]);
    }
    spot_close(&spot);
}

const struct test_case log_tests[] = {
    {"lines_carry_time_process_and_severity", lines_carry_time_process_and_severity},
    {"lines_are_added_to_what_is_there", lines_are_added_to_what_is_there},
    {"same_line_again_is_counted_and_told_with_the_next",
     same_line_again_is_counted_and_told_with_the_next},
    {"lines_of_a_kind_are_limited_together_and_the_rest_is_counted",
     lines_of_a_kind_are_limited_together_and_the_rest_is_counted},
    {"control_characters_make_no_second_line", control_characters_make_no_second_line},
    {"long_lines_are_cut_and_still_end", long_lines_are_cut_and_still_end},
    {"reopening_follows_a_file_that_was_moved_away", reopening_follows_a_file_that_was_moved_away},
    {"reopening_loses_no_count_of_repeats", reopening_loses_no_count_of_repeats},
    {"reopening_loses_no_count_of_lost_lines", reopening_loses_no_count_of_lost_lines},
    {"what_is_not_wanted_is_known_before_its_text", what_is_not_wanted_is_known_before_its_text},
    {"file_that_cannot_be_opened_leaves_standard_error",
     file_that_cannot_be_opened_leaves_standard_error},
    {"errors_are_echoed_while_somebody_waits", errors_are_echoed_while_somebody_waits},
    {"full_disk_is_told_once_and_again_when_it_works",
     full_disk_is_told_once_and_again_when_it_works},
    {"journal_gets_priorities_and_nothing_else_does",
     journal_gets_priorities_and_nothing_else_does},
    {"check_says_what_opening_would_and_makes_nothing",
     check_says_what_opening_would_and_makes_nothing},
    {NULL, NULL}};
