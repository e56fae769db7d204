/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Another configuration for a running engine: whole or not at all.
 *
 * The new configuration is read to its end before anything changes; one with an error leaves
 * everything as it was and says so. The number of threads, the address of the metrics page and the
 * lack of a right to steer stay until a restart, which is said as well.
 */
#include "steering.h"

static void tell_log(void *context, const struct message *message)
{
    static const enum log_level levels[] = {[SEVERITY_NOTE] = LOG_LEVEL_INFO,
                                            [SEVERITY_WARNING] = LOG_LEVEL_WARNING,
                                            [SEVERITY_ERROR] = LOG_LEVEL_ERROR};
    const struct daemon *d = context;
    /* The log says by itself how bad it is. */
    char place[32] = "";
    if (message->column > 0) {
        g_snprintf(place, sizeof place, ":%u:%u", message->line, message->column);
    } else if (message->line > 0) {
        g_snprintf(place, sizeof place, ":%u", message->line);
    }
    log_line(d->log, levels[message->severity], "%s%s: %s", message->file, place, message->text);
}

/* The engine goes on under `next`; the former configuration is freed once nobody reads it. */
static void adopt(struct daemon *d, struct configuration *next)
{
    struct configuration *former = d->configuration;
    struct instant now = kernel_clock_read(&d->clock);
    next->memory = g_aligned_alloc0(engine_size(&next->engine), 1, 16);
    d->engine = engine_adopt(next->memory, &next->engine, d->engine, now);
    d->configuration = next;
    send_failures_forget(&d->send_failures, d->engine);
    resolver_forget(d->resolver); /* its answers would name associations of the former one */
    daemon_record_begin(d, VERB_ADOPT, now, NULL);
    if (d->responder) {
        struct service_rules rules = engine_service_rules(d->engine);
        responder_set_rules(d->responder, &rules);
        responder_publish(d->responder, engine_server_view(d->engine));
    }
    configuration_free(former);
    struct engine_call call = {.verb = VERB_EXPIRE, .now = kernel_clock_read(&d->clock)};
    daemon_call(d, &call);
}

/* What a reload cannot change. */
static void tell_what_stays(struct daemon *d, const struct ntpconf *conf)
{
    const struct host_config *now = &d->configuration->conf->host, *next = &conf->host;
    if (now->threads != next->threads) {
        log_line(d->log, LOG_LEVEL_WARNING, "threads takes effect at the next start");
    }
    if (!address_equal(&now->metrics.address, &next->metrics.address) ||
        now->metrics.port != next->metrics.port) {
        log_line(d->log, LOG_LEVEL_WARNING, "metrics takes effect at the next start");
    }
    if (d->responder &&
        d->configuration->conf->engine.client_capacity != conf->engine.client_capacity) {
        log_line(d->log, LOG_LEVEL_WARNING,
                 "mru maxdepth takes effect in the server threads at the next start");
    }
}

static void reopen_log(struct daemon *d, const struct host_config *host)
{
    char *error = NULL;
    if (!log_reopen(d->log, d->options.log ? d->options.log : host->logfile, &error)) {
        /* The former file may be on its way out: who looks there for the log must know. */
        log_echo(d->log, LOG_LEVEL_WARNING);
        log_line(d->log, LOG_LEVEL_WARNING, "%s; the log goes on where it was", error);
        log_echo(d->log, LOG_ECHO_NONE);
        g_free(error);
    }
}

/* With fewer rights than at the start, what was readable then may not be so now. */
static void tell_failure(struct daemon *d)
{
    const struct daemon_options *o = &d->options;
    log_line(d->log, LOG_LEVEL_ERROR, "%s is not loaded: the former configuration stays%s%s%s%s",
             o->config, o->root ? "; files are looked for below the root directory " : "",
             o->root ? o->root : "", o->user ? "; they are read as user " : "",
             o->user ? o->user : "");
    service_manager_ready(&d->manager, "the new configuration has errors: the former stays");
}

void daemon_reload(struct daemon *d)
{
    service_manager_reloading(&d->manager);
    struct ntpconf *conf = configure_load(&d->options, tell_log, d);
    /* Whoever rotates logs sends this signal too, and does not care whether the rest is right. */
    reopen_log(d, conf ? &conf->host : &d->configuration->conf->host);
    if (!conf) {
        tell_failure(d);
        return;
    }
    tell_what_stays(d, conf);
    struct udp_options sockets = configure_sockets(d, &conf->host);
    udp_reload(d->udp, &sockets);
    configure_leaps(d, &conf->host);
    steering_reload(d, conf);
    struct configuration *next = configure_engine(d, conf);
    state_files_reload(d->files, &conf->host);
    adopt(d, next);
    log_line(d->log, LOG_LEVEL_NOTICE, "%s is loaded anew", d->options.config);
    daemon_tell_idle_rules(d);
    daemon_tell_served(d, "");
    service_manager_ready(&d->manager, "configuration loaded anew");
}

void daemon_readdress(struct daemon *d)
{
    /* The strings and lists of the configuration go on in the new one. */
    struct ntpconf *conf = d->configuration->conf;
    struct configuration *next = configure_engine(d, conf);
    d->configuration->conf = NULL;
    adopt(d, next);
    daemon_tell_served(d, "local addresses have changed: ");
}
