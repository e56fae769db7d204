/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The order of a start: what takes rights (names' process, sockets, directories), then the rights
 * are dropped, then the clock's rate, the engine and its threads.
 */
#include "start.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "drift_line.h"
#include "steering.h"

/* ---- the clock ------------------------------------------------------------------------------ */

/* The drift value, NAN when there is none to be had; what is wrong with its file is told. */
static double read_drift(const char *path, struct log *log)
{
    double drift_ppm = NAN;
    char *error = NULL;
    if (path && drift_read(path, &drift_ppm, &error) == DRIFT_BAD) {
        log_line(log, LOG_LEVEL_WARNING, "%s; until then it counts as missing", error);
        g_free(error);
        drift_ppm = NAN;
    }
    return drift_ppm;
}

/* The drift file's path. A slew must not stay in force because of an error in another line, so all
 * that is wrong is a warning here. Free with g_free(). */
static char *find_drift_path(const struct daemon_options *options, struct log *log)
{
    if (options->drift) {
        return g_strdup(options->drift);
    }
    struct messages *messages = messages_new();
    char *path = drift_line_find(options->config, messages);
    for (guint i = 0; i < messages->list->len; i++) {
        struct message *message = g_ptr_array_index(messages->list, i);
        message->severity = SEVERITY_WARNING;
        char *text = message_text(message);
        log_line(log, LOG_LEVEL_WARNING, "%s", text);
        g_free(text);
    }
    messages_free(messages);
    return path;
}

enum exit_status start_restore_rate(const struct daemon_options *options)
{
    struct kernel_clock clock;
    char *error = NULL;
    struct log *log = log_open(NULL, LOG_LEVEL_INFO, &error);
    char *path = find_drift_path(options, log);
    double drift_ppm = read_drift(path, log);
    bool is_known = !isnan(drift_ppm);
    int refused = kernel_clock_open(&clock, true) ? 0 : errno;
    drift_ppm = is_known ? drift_ppm : 0.0;
    if (refused == 0) {
        refused = kernel_clock_restore(&clock, drift_ppm);
    }
    if (refused != 0) {
        log_line(log, LOG_LEVEL_ERROR, "the clock's rate cannot be set: %s", g_strerror(refused));
    } else {
        log_line(log, LOG_LEVEL_INFO, "the clock's rate is %+.3f ppm%s", drift_ppm,
                 is_known ? "" : ", for want of a drift value");
    }
    g_free(path);
    log_close(log);
    return refused == 0 ? EXIT_ALL_RIGHT : EXIT_AT_WORK;
}

static void start_clock(struct daemon *d, const struct ntpconf *conf)
{
    bool wants = !d->options.no_clock_control && !conf->engine.disable_discipline;
    d->is_steering = kernel_clock_open(&d->clock, wants);
    int refused = errno;
    d->asked_for_right = wants;
    d->drift_ppm = read_drift(d->options.drift ? d->options.drift : conf->host.driftfile, d->log);
    configure_leaps(d, &conf->host);
    if (wants && !d->is_steering) {
        log_line(d->log, LOG_LEVEL_WARNING,
                 "no right to set the clock (%s): it is followed and served as it is",
                 g_strerror(refused));
    } else if (!wants) {
        d->is_steering = false;
        log_line(d->log, LOG_LEVEL_INFO,
                 "the clock is not touched, as %s wants it: it is followed and served as it is",
                 d->options.no_clock_control ? "--no-clock-control" : "\"disable ntp\"");
    }
}

/* ---- what takes rights ---------------------------------------------------------------------- */

/* Says why in the log; *why is freed. */
static enum exit_status give_up(struct daemon *d, char *why)
{
    log_line(d->log, LOG_LEVEL_ERROR, "%s", why);
    g_free(why);
    return EXIT_AT_WORK;
}

static void warn(void *context, const char *text)
{
    const struct daemon *d = context;
    log_line(d->log, LOG_LEVEL_WARNING, "%s", text);
}

static enum exit_status start_sockets(struct daemon *d, const struct host_config *host)
{
    char *error = NULL;
    struct udp_options options = configure_sockets(d, host);
    d->udp = udp_open(&options, &d->clock, warn, d, &error);
    return d->udp ? EXIT_ALL_RIGHT : give_up(d, error);
}

static enum exit_status start_files(struct daemon *d, const struct host_config *host)
{
    char *error = NULL;
    d->files = state_files_open(host, d->options.drift, d->options.pid, d->log);
    if (!state_files_claim_pid(d->files, &error)) {
        return give_up(d, error);
    }
    if (d->options.record) {
        d->recorder = recorder_open(d->options.record, &error);
        if (!d->recorder) {
            return give_up(d, error);
        }
        log_line(d->log, LOG_LEVEL_NOTICE, "%s: " RECORDER_SECRET, d->options.record);
    }
    return EXIT_ALL_RIGHT;
}

static enum exit_status start_metrics(struct daemon *d, const struct host_config *host)
{
    char *error = NULL;
    if (host->metrics.address.family == ADDRESS_NONE || d->options.quit) {
        return EXIT_ALL_RIGHT;
    }
    d->metrics = metrics_open(&host->metrics, daemon_fill_metrics, d, &error);
    return d->metrics ? EXIT_ALL_RIGHT : give_up(d, error);
}

static enum exit_status start_signals(struct daemon *d)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    /* ntpd's, for more and less debugging: who is used to them must not end us. */
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    /* Blocked before any thread starts, so that none of them is interrupted. */
    sigprocmask(SIG_BLOCK, &set, NULL);
    d->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return d->signals >= 0
               ? EXIT_ALL_RIGHT
               : give_up(d, g_strdup_printf("cannot wait for signals: %s", g_strerror(errno)));
}

static enum exit_status start_resolver(struct daemon *d)
{
    char *error = NULL;
    d->resolver = resolver_start(d->options.user, &error);
    return d->resolver ? EXIT_ALL_RIGHT : give_up(d, error);
}

/* ---- without them --------------------------------------------------------------------------- */

static enum exit_status drop_rights(struct daemon *d)
{
    char *error = NULL;
    struct sandbox_options options = {.user = d->options.user,
                                      .root = d->options.root,
                                      .may_steer = d->is_steering,
                                      .may_bind = d->options.port < 1024,
                                      .filters = !d->options.no_seccomp};
    if (!sandbox_enter(&options, &error) || (options.filters && !sandbox_filter(&error))) {
        return give_up(d, error);
    }
    state_files_check(d->files);
    return EXIT_ALL_RIGHT;
}

static enum exit_status start_threads(struct daemon *d)
{
    char *error = NULL;
    uint8_t seed[32];
    if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
        return give_up(d, g_strdup_printf("no randomness: %s", g_strerror(errno)));
    }
    struct responder_options options = {
        .udp = d->udp, .client_capacity = d->configuration->engine.client_capacity, .seed = seed};
    d->responder = responder_start(&options, &error);
    if (error) {
        return give_up(d, error);
    }
    if (d->responder) {
        struct service_rules rules = engine_service_rules(d->engine);
        responder_set_rules(d->responder, &rules);
        responder_publish(d->responder, engine_server_view(d->engine));
    }
    return EXIT_ALL_RIGHT;
}

static enum exit_status start_engine(struct daemon *d, struct ntpconf *conf)
{
    uint8_t key[32];
    bool has_key = getrandom(key, sizeof key, 0) == (ssize_t)sizeof key;
    bool has_nonce_key = getrandom(d->control.nonce_key, sizeof d->control.nonce_key, 0) ==
                         (ssize_t)sizeof d->control.nonce_key;
    if (!has_key || !has_nonce_key) {
        return give_up(d, g_strdup_printf("no randomness: %s", g_strerror(errno)));
    }
    struct configuration *c = configure_engine(d, conf);
    struct instant now = kernel_clock_read(&d->clock);
    d->configuration = c;
    c->memory = g_aligned_alloc0(engine_size(&c->engine), 1, 16);
    d->engine = engine_init(c->memory, &c->engine, key, now);
    daemon_record_begin(d, VERB_INIT, now, key);
    explicit_bzero(key, sizeof key);
    engine_set_trace(d->engine, TRACE_ALL, daemon_trace, d);
    control_meter_init(&d->meter, now.mono);
    return EXIT_ALL_RIGHT;
}

static void describe_host(struct daemon *d)
{
    d->control.version = DAEMON_VERSION;
    d->control.processor = d->control.system = "unknown";
    if (uname(&d->host) == 0) {
        g_snprintf(d->system, sizeof d->system, "%s/%s", d->host.sysname, d->host.release);
        d->control.processor = d->host.machine;
        d->control.system = d->system;
    }
}

enum exit_status start_daemon(struct daemon *d, struct ntpconf *conf)
{
    const struct host_config *host = &conf->host;
    enum exit_status status;
    describe_host(d);
    start_clock(d, conf);
    if ((status = start_signals(d)) != EXIT_ALL_RIGHT ||
        (status = start_resolver(d)) != EXIT_ALL_RIGHT ||
        (status = start_sockets(d, host)) != EXIT_ALL_RIGHT ||
        (status = start_files(d, host)) != EXIT_ALL_RIGHT ||
        (status = start_metrics(d, host)) != EXIT_ALL_RIGHT ||
        (status = drop_rights(d)) != EXIT_ALL_RIGHT) {
        ntpconf_free(conf);
        return status;
    }
    /* Once the ports are ours: whoever else has them may be in the middle of a slew of his own. */
    steering_begin(d);
    if ((status = start_engine(d, conf)) != EXIT_ALL_RIGHT) {
        return status;
    }
    return start_threads(d);
}

void start_undo(struct daemon *d)
{
    if (d->responder) {
        responder_stop(d->responder);
    }
    if (d->metrics) {
        metrics_close(d->metrics);
    }
    steering_end(d);
    if (d->recorder) {
        recorder_close(d->recorder, d->log);
    }
    if (d->udp) {
        udp_close(d->udp);
    }
    if (d->resolver) {
        resolver_stop(d->resolver);
    }
    if (d->files) {
        state_files_close(d->files);
    }
    configuration_free(d->configuration);
    if (d->signals >= 0) {
        close(d->signals);
    }
}
