/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What --check-config says of files that are to be written, to somebody who may and to somebody who
 * may not.
 */
#include "../engine/daemon/file_check.h"

#include <sys/wait.h>

#include "conf_check.h"
#include "state_files_check.h"

/* The configuration of `format`, in which each %s is the desk's folder. */
static struct ntpconf *conf_of(const struct desk *desk, const char *format)
{
    char **parts = g_strsplit(format, "%s", -1);
    char *text = g_strjoinv(desk->work, parts);
    struct ntpconf *conf = CONF(text, "");
    g_strfreev(parts);
    g_free(text);
    return conf;
}

/* What is said of it, the desk's folder being "W" in it, one line a message. */
static char *said_of(const struct desk *desk, const char *format,
                     const struct daemon_options *options)
{
    struct ntpconf *conf = conf_of(desk, format);
    struct messages *messages = messages_new();
    GString *out = g_string_new("");
    struct file_check *check = file_check_begin(&conf->host, options, messages);
    file_check_rights(check, messages);
    file_check_end(check);
    for (guint i = 0; i < messages->list->len; i++) {
        char *text = message_text(g_ptr_array_index(messages->list, i));
        g_string_append_printf(out, "%s\n", text);
        g_free(text);
    }
    g_string_replace(out, desk->work, "W", 0);
    messages_free(messages);
    ntpconf_free(conf);
    return g_string_free(out, FALSE);
}

static void check_said(const char *format, const struct daemon_options *options,
                       const char *expected, unsigned line)
{
    struct desk desk = desk_open();
    check_owned(said_of(&desk, format, options), expected, format, __FILE__, line);
    CHECK_NAMES(&desk, ""); /* it only looks */
    desk_close(&desk);
}

#define CHECK_SAID(format, options, expected) check_said((format), (options), (expected), __LINE__)

static const struct daemon_options none = {.log = NULL};

static void folders_that_can_be_written_are_passed_over(void)
{
    CHECK_SAID("", &none, "");
    CHECK_SAID("driftfile %s/drift\nlogfile %s/log\nstatsdir %s\nstatistics loopstats\n", &none,
               "");
}

static void missing_folders_are_told_with_their_lines(void)
{
    CHECK_SAID("driftfile %s/no/drift\n\nlogfile %s/no/log\nstatsdir %s/no\nstatistics sysstats\n",
               &none,
               "c:1:11: warning: drift file W/no/drift: No such file or directory: the frequency "
               "would not be kept; create its directory and let the daemon's user write there\n"
               "c:4:10: warning: statsdir W/no: No such file or directory: no statistics would be "
               "written; create it and let the daemon's user write there\n"
               "c:3:9: warning: cannot open the log file W/no/log: No such file or directory; "
               "create its directory; the log would go to standard error\n");
}

static void what_is_not_used_is_not_looked_at(void)
{
    const struct daemon_options options = {.log = "l", .drift = "d"};
    CHECK_SAID("driftfile %s/no/drift\nlogfile %s/no/log\n", &options, "");
    CHECK_SAID("statsdir %s/no\nfilegen loopstats disable\n", &none, "");
    CHECK_SAID("statsdir %s/no\nstatistics loopstats\ndisable stats\n", &none, "");
}

/* What a process without any right says; its own is root's where the tests run as root. */
static char *said_without_rights(const struct desk *desk, const char *format)
{
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        bool is_nobody = geteuid() != 0 || setresuid(65534, 65534, 65534) == 0;
        char *said = is_nobody ? said_of(desk, format, &none) : g_strdup("cannot become nobody\n");
        _exit(write(ends[1], said, strlen(said)) >= 0 ? 0 : 1);
    }
    close(ends[1]);
    char text[1024];
    ssize_t size = read(ends[0], text, sizeof text - 1);
    text[size > 0 ? size : 0] = '\0';
    close(ends[0]);
    CHECK_INT(waitpid(child, NULL, 0), child);
    return g_strdup(text);
}

static void folders_without_the_right_to_write_are_told(void)
{
    struct desk desk = desk_open();
    CHECK_INT(g_chmod(desk.folder, 0755), 0);
    CHECK_INT(g_chmod(desk.work, 0555), 0);
    check_owned(said_without_rights(&desk, "driftfile %s/drift\nstatsdir %s\nstatistics "
                                           "loopstats\nlogfile %s/log\n"),
                "c:4:9: warning: cannot open the log file W/log: Permission denied; create it for "
                "the user that the daemon runs as; the log would go to standard error\n"
                "c:1:11: warning: drift file W/drift: Permission denied: it could not be replaced; "
                "let the daemon's user (-u) write in its directory\n"
                "c:2:10: warning: statsdir W: Permission denied: no statistics could begin there; "
                "let the daemon's user (-u) write in it\n",
                "without rights", __FILE__, __LINE__);
    CHECK_INT(g_chmod(desk.work, 0777), 0);
    check_owned(said_without_rights(&desk, "driftfile %s/drift\nlogfile %s/log\n"), "", "with them",
                __FILE__, __LINE__);
    desk_close(&desk);
}

const struct test_case file_check_tests[] = {
    {"folders_that_can_be_written_are_passed_over", folders_that_can_be_written_are_passed_over},
    {"missing_folders_are_told_with_their_lines", missing_folders_are_told_with_their_lines},
    {"what_is_not_used_is_not_looked_at", what_is_not_used_is_not_looked_at},
    {"folders_without_the_right_to_write_are_told", folders_without_the_right_to_write_are_told},
    {NULL, NULL}};
