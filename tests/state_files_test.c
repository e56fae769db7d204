/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The drift and the pid file as the daemon keeps them: whole or not at all, and what is said when
 * not.
 */
#include "../engine/daemon/state_files.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "state_files_check.h"

static struct state_files *open_files(const struct desk *desk, const char *drift, const char *pid)
{
    const struct host_config host = {.driftfile = drift};
    return state_files_open(&host, NULL, pid, desk->log);
}

static void drift_is_replaced_whole_and_read_again(void)
{
    struct desk desk = desk_open();
    char *path = desk_path(&desk, "drift"), *error = NULL;
    struct state_files *files = open_files(&desk, path, NULL);
    double drift_ppm;
    CHECK(state_files_write_drift(files, 12.25));
    CHECK_FILE(&desk, "drift", "12.250000\n");
    CHECK(state_files_write_drift(files, -499.9999996));
    CHECK_FILE(&desk, "drift", "-500.000000\n");
    CHECK_INT(drift_read(path, &drift_ppm, &error), DRIFT_FOUND);
    CHECK(drift_ppm == -500);
    CHECK_NAMES(&desk, "drift");
    CHECK_LOGGED(&desk, "");
    state_files_close(files);
    g_free(path);
    desk_close(&desk);
}

static void value_that_would_not_be_read_is_not_written(void)
{
    struct desk desk = desk_open();
    char *path = desk_path(&desk, "drift");
    struct state_files *files = open_files(&desk, path, NULL);
    CHECK(state_files_write_drift(files, 3));
    CHECK(!state_files_write_drift(files, 500.5));
    CHECK(!state_files_write_drift(files, (double)NAN));
    CHECK_FILE(&desk, "drift", "3.000000\n");
    state_files_close(files);
    g_free(path);
    desk_close(&desk);
}

static void option_overrides_the_configuration_also_at_a_reload(void)
{
    struct desk desk = desk_open();
    char *by_line = desk_path(&desk, "line"), *by_option = desk_path(&desk, "option");
    char *other = desk_path(&desk, "other");
    struct host_config host = {.driftfile = by_line};
    struct state_files *files = state_files_open(&host, by_option, NULL, desk.log);
    CHECK(state_files_write_drift(files, 1));
    host.driftfile = other;
    state_files_reload(files, &host);
    CHECK(state_files_write_drift(files, 2));
    CHECK_NAMES(&desk, "option");
    state_files_close(files);
    files = state_files_open(&host, NULL, NULL, desk.log);
    host.driftfile = by_line;
    state_files_reload(files, &host);
    CHECK(state_files_write_drift(files, 3));
    CHECK_NAMES(&desk, "line option");
    host.driftfile = NULL;
    state_files_reload(files, &host);
    CHECK(state_files_write_drift(files, 4));
    CHECK_FILE(&desk, "line", "3.000000\n");
    state_files_close(files);
    g_free(other);
    g_free(by_option);
    g_free(by_line);
    desk_close(&desk);
}

static void folder_that_is_not_there_is_told_at_the_start(void)
{
    struct desk desk = desk_open();
    struct state_files *files = open_files(&desk, "/nonexistent/drift", NULL);
    CHECK(state_files_write_drift(files, 1));
    CHECK_LOGGED(&desk, "warning: drift file /nonexistent/drift: No such file or directory: the "
                        "frequency is not kept; create its directory and let the daemon's user "
                        "write there\n");
    state_files_close(files);
    desk_close(&desk);
    desk = desk_open();
    const struct host_config host = {.driftfile = "/nonexistent/drift",
                                     .driftfile_at = {"ntp.conf", 7, 11}};
    state_files_close(state_files_open(&host, NULL, NULL, desk.log));
    state_files_close(state_files_open(&host, "/nonexistent/option", NULL, desk.log));
    char *logged = desk_logged(&desk);
    CHECK(g_str_has_prefix(logged, "warning: ntp.conf:7:11: drift file /nonexistent/drift: "));
    CHECK(strstr(logged, "\nwarning: drift file /nonexistent/option: ") != NULL);
    g_free(logged);
    desk_close(&desk);
}

static void failure_is_told_once_and_recovery_too(void)
{
    struct desk desk = desk_open();
    char *path = desk_path(&desk, "drift"), *moved = g_build_filename(desk.folder, "gone", NULL);
    struct state_files *files = open_files(&desk, path, NULL);
    CHECK(state_files_write_drift(files, 1));
    /* A folder under the temporary name cannot be removed as a file, nor made anew. */
    char *blocker = desk_path(&desk, "drift.new");
    CHECK_INT(g_mkdir(blocker, 0700), 0);
    CHECK(!state_files_write_drift(files, 2));
    CHECK(!state_files_write_drift(files, 3));
    CHECK_FILE(&desk, "drift", "1.000000\n");
    g_rmdir(blocker);
    CHECK(state_files_write_drift(files, 4));
    CHECK(state_files_write_drift(files, 5));
    /* The folder may be moved: it is known by its descriptor. */
    CHECK_INT(g_rename(desk.work, moved), 0);
    CHECK(state_files_write_drift(files, 6));
    CHECK_INT(g_rename(moved, desk.work), 0);
    CHECK_FILE(&desk, "drift", "6.000000\n");
    char *expected = g_strdup_printf("warning: cannot write drift file %s: File exists; the former "
                                     "value stays\ndrift file %s is written again\n",
                                     path, path);
    CHECK_LOGGED(&desk, expected);
    g_free(expected);
    state_files_close(files);
    g_free(blocker);
    g_free(moved);
    g_free(path);
    desk_close(&desk);
}

static void failed_replacement_leaves_nothing_behind(void)
{
    struct desk desk = desk_open();
    char *path = desk_path(&desk, "drift");
    CHECK_INT(g_mkdir(path, 0755), 0); /* no file can be renamed over a folder */
    struct state_files *files = open_files(&desk, path, NULL);
    CHECK(!state_files_write_drift(files, 1));
    CHECK_NAMES(&desk, "drift");
    state_files_close(files);
    g_free(path);
    desk_close(&desk);
}

static void leftover_of_a_crash_is_in_nobodys_way(void)
{
    struct desk desk = desk_open();
    char *path = desk_path(&desk, "drift"), *left = desk_path(&desk, "drift.new");
    CHECK(g_file_set_contents(left, "half", -1, NULL));
    CHECK_INT(g_chmod(left, 0), 0);
    struct state_files *files = open_files(&desk, path, NULL);
    CHECK(state_files_write_drift(files, 1));
    CHECK_NAMES(&desk, "drift");
    state_files_close(files);
    g_free(left);
    g_free(path);
    desk_close(&desk);
}

static void pid_file_is_there_while_the_process_is(void)
{
    struct desk desk = desk_open();
    char *path = desk_path(&desk, "pid"), *error = NULL;
    char *own = g_strdup_printf("%d\n", (int)getpid());
    struct state_files *files = open_files(&desk, NULL, path);
    CHECK(state_files_claim_pid(files, &error));
    CHECK_FILE(&desk, "pid", own);
    CHECK(state_files_claim_pid(files, &error)); /* it is our own */
    state_files_close(files);
    CHECK_NAMES(&desk, "");
    g_free(own);
    g_free(path);
    desk_close(&desk);
}

static void pid_file_of_another_is_left_alone_at_the_end(void)
{
    struct desk desk = desk_open();
    char *path = desk_path(&desk, "pid"), *error = NULL;
    struct state_files *files = open_files(&desk, NULL, path);
    CHECK(state_files_claim_pid(files, &error));
    CHECK(g_file_set_contents(path, "1\n", -1, NULL));
    state_files_close(files);
    CHECK_FILE(&desk, "pid", "1\n");
    files = open_files(&desk, NULL, path); /* never claimed */
    state_files_close(files);
    CHECK_FILE(&desk, "pid", "1\n");
    g_free(path);
    desk_close(&desk);
}

static void stale_pid_files_are_replaced(void)
{
    struct desk desk = desk_open();
    char *path = desk_path(&desk, "pid"), *error = NULL;
    char *own = g_strdup_printf("%d\n", (int)getpid());
    pid_t dead = fork();
    if (dead == 0) {
        _exit(0);
    }
    CHECK_INT(waitpid(dead, NULL, 0), dead);
    char *gone = g_strdup_printf("%d\n", (int)dead);
    const char *const texts[] = {gone, "1\n", "", "no number\n", "-1\n", "99999999999999\n", NULL};
    for (const char *const *text = texts; *text; text++) {
        CHECK(g_file_set_contents(path, *text, -1, NULL));
        struct state_files *files = open_files(&desk, NULL, path);
        CHECK(state_files_claim_pid(files, &error));
        CHECK_FILE(&desk, "pid", own);
        state_files_close(files);
    }
    g_free(gone);
    g_free(own);
    g_free(path);
    desk_close(&desk);
}

/* A process that lives until it is killed, called `name` (NULL = as this one). */
static pid_t start_process(const char *name)
{
    int ready[2];
    char byte;
    REQUIRE(pipe(ready) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        bool is_named = !name || prctl(PR_SET_NAME, name) == 0;
        if (is_named && write(ready[1], "", 1) == 1) {
            pause();
        }
        _exit(1);
    }
    close(ready[1]);
    CHECK_INT(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void stop_process(pid_t pid)
{
    CHECK_INT(kill(pid, SIGKILL), 0);
    CHECK_INT(waitpid(pid, NULL, 0), pid);
}

static void second_daemon_is_refused_and_another_program_is_not(void)
{
    struct desk desk = desk_open();
    char *path = desk_path(&desk, "pid"), *error = NULL;
    pid_t twin = start_process(NULL), other = start_process("other");
    char *text = g_strdup_printf("%d\n", (int)twin);
    CHECK(g_file_set_contents(path, text, -1, NULL));
    struct state_files *files = open_files(&desk, NULL, path);
    CHECK(!state_files_claim_pid(files, &error));
    char *expected =
        g_strdup_printf("pid file %s: process %d runs already; stop it first", path, (int)twin);
    CHECK_STR(error, expected);
    state_files_close(files);
    CHECK_FILE(&desk, "pid", text);
    g_free(text);
    /* Its number was given to somebody else since. */
    text = g_strdup_printf("%d\n", (int)other);
    CHECK(g_file_set_contents(path, text, -1, NULL));
    files = open_files(&desk, NULL, path);
    CHECK(state_files_claim_pid(files, &error));
    state_files_close(files);
    stop_process(twin);
    stop_process(other);
    g_free(expected);
    g_free(error);
    g_free(text);
    g_free(path);
    desk_close(&desk);
}

static void pid_file_that_cannot_be_written_is_an_error(void)
{
    struct desk desk = desk_open();
    char *error = NULL;
    struct state_files *files = open_files(&desk, NULL, "/nonexistent/pid");
    CHECK(!state_files_claim_pid(files, &error));
    CHECK_STR(error, "cannot write pid file /nonexistent/pid: No such file or directory; name "
                     "another with -p");
    g_free(error);
    state_files_close(files);
    files = open_files(&desk, NULL, NULL);
    CHECK(state_files_claim_pid(files, &error)); /* none is wanted */
    state_files_close(files);
    desk_close(&desk);
}

static void missing_rights_are_told_before_they_are_needed(void)
{
    struct desk desk = desk_open();
    char *path = desk_path(&desk, "drift");
    struct filegen filegen = {
        .name = "loopstats", .file = "loopstats", .type = FILEGEN_DAY, .enabled = true};
    const struct host_config host = {
        .driftfile = path, .statsdir = desk.work, .filegens = &filegen, .filegen_count = 1};
    struct state_files *files = state_files_open(&host, NULL, NULL, desk.log);
    state_files_check(files);
    CHECK_LOGGED(&desk, "");
    /* As another user, as far as we may become one. */
    CHECK_INT(g_chmod(desk.work, 0555), 0);
    if (geteuid() == 0) {
        CHECK_INT(seteuid(65534), 0);
    }
    state_files_check(files);
    CHECK(!state_files_write_drift(files, 1));
    if (getuid() == 0) {
        CHECK_INT(seteuid(0), 0);
    }
    CHECK_INT(g_chmod(desk.work, 0755), 0);
    char *expected = g_strdup_printf(
        "warning: drift file %s: Permission denied: it cannot be replaced; let the daemon's user "
        "write in its directory\n"
        "warning: statsdir %s: Permission denied: statistics cannot begin new files there; let the "
        "daemon's user write in it\n"
        "warning: cannot write drift file %s: Permission denied; the former value stays; let the "
        "daemon's user write in its directory\n",
        path, desk.work, path);
    CHECK_LOGGED(&desk, expected);
    g_free(expected);
    state_files_close(files);
    g_free(path);
    desk_close(&desk);
}

const struct test_case state_files_tests[] = {
    {"drift_is_replaced_whole_and_read_again", drift_is_replaced_whole_and_read_again},
    {"value_that_would_not_be_read_is_not_written", value_that_would_not_be_read_is_not_written},
    {"option_overrides_the_configuration_also_at_a_reload",
     option_overrides_the_configuration_also_at_a_reload},
    {"folder_that_is_not_there_is_told_at_the_start",
     folder_that_is_not_there_is_told_at_the_start},
    {"failure_is_told_once_and_recovery_too", failure_is_told_once_and_recovery_too},
    {"failed_replacement_leaves_nothing_behind", failed_replacement_leaves_nothing_behind},
    {"leftover_of_a_crash_is_in_nobodys_way", leftover_of_a_crash_is_in_nobodys_way},
    {"pid_file_is_there_while_the_process_is", pid_file_is_there_while_the_process_is},
    {"pid_file_of_another_is_left_alone_at_the_end", pid_file_of_another_is_left_alone_at_the_end},
    {"stale_pid_files_are_replaced", stale_pid_files_are_replaced},
    {"second_daemon_is_refused_and_another_program_is_not",
     second_daemon_is_refused_and_another_program_is_not},
    {"pid_file_that_cannot_be_written_is_an_error", pid_file_that_cannot_be_written_is_an_error},
    {"missing_rights_are_told_before_they_are_needed",
     missing_rights_are_told_before_they_are_needed},
    {NULL, NULL}};
