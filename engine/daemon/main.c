/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * holdfastd: the engine as this machine's NTP server. Reads the command line and the configuration,
 * goes into the background if nobody holds it, and starts what the options ask for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file_check.h"
#include "start.h"

static void tell_stderr(void *context, const struct message *message)
{
    (void)context;
    char *text = message_text(message);
    fprintf(stderr, "%s\n", text);
    g_free(text);
}

/* The first process waits until the daemon is ready or has failed, so that `holdfastd && ...` and
 * boot scripts mean what they say. Returns in the daemon only. */
static void go_into_background(struct daemon *d)
{
    int pipe_ends[2];
    char byte = 0;
    if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
        return;
    }
    pid_t child = fork();
    if (child != 0) {
        int status = 0;
        close(pipe_ends[1]);
        if (child > 0 && read(pipe_ends[0], &byte, 1) == 1) {
            _exit(EXIT_ALL_RIGHT);
        }
        if (child < 0 || waitpid(child, &status, 0) != child) {
            fprintf(stderr, "holdfastd: cannot go into the background: %s\n", g_strerror(errno));
            _exit(EXIT_AT_WORK);
        }
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_AT_WORK);
    }
    close(pipe_ends[0]);
    d->readiness = pipe_ends[1];
    setsid();
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing >= 0) {
        dup2(nothing, STDIN_FILENO);
        dup2(nothing, STDOUT_FILENO);
        close(nothing);
    }
}

static void tell_ready(struct daemon *d)
{
    char byte = 1;
    service_manager_ready(&d->manager, "listening, not yet synchronised");
    if (d->readiness >= 0) {
        if (write(d->readiness, &byte, 1) != 1) {
            log_line(d->log, LOG_LEVEL_WARNING, "who started us does not wait any more");
        }
        close(d->readiness);
        d->readiness = -1;
    }
}

static enum exit_status run(struct daemon *d, struct ntpconf *conf)
{
    static const struct place nowhere = {.file = NULL};
    static const enum log_level levels[] = {LOG_LEVEL_INFO, LOG_LEVEL_DEBUG};
    const struct daemon_options *o = &d->options;
    char *error = NULL;
    bool is_held = o->foreground || o->debug || o->quit || service_manager_is_present();
    int no_manager = service_manager_open(&d->manager) ? 0 : errno;
    if (!is_held) {
        go_into_background(d);
    }
    d->log = log_open(o->log ? o->log : conf->host.logfile, levels[o->debug > 0], &error);
    log_echo(d->log, LOG_LEVEL_ERROR);
    log_line(d->log, LOG_LEVEL_NOTICE, DAEMON_VERSION " starts with %s", o->config);
    if (error) {
        char *place = place_text(o->log ? &nowhere : &conf->host.logfile_at);
        log_line(d->log, LOG_LEVEL_WARNING, "%s%s; the log goes to standard error", place, error);
        g_free(place);
        g_free(error);
    }
    if (no_manager != 0) {
        log_line(d->log, LOG_LEVEL_WARNING, "the service manager cannot be told of us: %s",
                 g_strerror(no_manager));
    }
    enum exit_status status = start_daemon(d, conf);
    if (status == EXIT_ALL_RIGHT) {
        tell_ready(d);
        daemon_run(d);
        status = d->status;
        service_manager_stopping(&d->manager);
    }
    start_undo(d);
    log_close(d->log);
    service_manager_close(&d->manager);
    return status;
}

/* The last thing before the end: it takes this process's rights away, as a start does. What a start
 * would end with is an error; of files, without which it goes on, there are warnings. */
static enum exit_status check_files(const struct daemon_options *options,
                                    const struct ntpconf *conf)
{
    struct sandbox_options rights = {.user = options->user, .root = options->root};
    struct messages *messages = messages_new();
    struct file_check *check = file_check_begin(&conf->host, options, messages);
    enum exit_status status = EXIT_ALL_RIGHT;
    char *error = NULL;
    if (sandbox_enter(&rights, &error)) {
        file_check_rights(check, messages);
    } else if (errno != EPERM || geteuid() == 0) {
        fprintf(stderr, "holdfastd: error: %s\n", error);
        status = EXIT_AT_WORK;
    } /* whoever is not root cannot know what another user may do */
    g_free(error);
    file_check_end(check);
    for (guint i = 0; i < messages->list->len; i++) {
        tell_stderr(NULL, g_ptr_array_index(messages->list, i));
    }
    messages_free(messages);
    return status;
}

/* What needs no daemon, or starts one. */
static enum exit_status obey(struct daemon *d)
{
    if (d->options.help) {
        options_print_help(stdout);
        return EXIT_ALL_RIGHT;
    }
    if (d->options.version) {
        printf("%s\n", DAEMON_VERSION);
        return EXIT_ALL_RIGHT;
    }
    if (d->options.restore_rate && !d->options.check_config) {
        return start_restore_rate(&d->options);
    }
    struct ntpconf *conf = configure_load(&d->options, tell_stderr, NULL);
    if (!conf) {
        fprintf(stderr, "holdfastd: %s is not run\n", d->options.config);
        return EXIT_CONFIGURATION;
    }
    if (!d->options.check_config) {
        return run(d, conf);
    }
    configure_print_limits(conf);
    enum exit_status status = check_files(&d->options, conf);
    ntpconf_free(conf);
    return status;
}

int main(int argc, char **argv)
{
    struct daemon *d = g_new0(struct daemon, 1);
    d->signals = d->readiness = -1;
    enum exit_status status = options_parse(argc, argv, &d->options) ? obey(d) : EXIT_USAGE;
    g_free(d);
    return (int)status;
}
