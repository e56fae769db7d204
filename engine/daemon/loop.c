/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The main loop: waits with poll() for the next thing that happens or is due, and hands it to the
 * engine, one verb for one event.
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../constants.h"
#include "steering.h"

enum {
    WATCH_SIGNALS,
    WATCH_RESOLVER,
    WATCH_METRICS,
    WATCH_UDP,        /* from here on */
    EXPIRES_MAX = 256 /* things due done between two looks at the sockets */
};

#define HOUR_S 3600.0

/* A foreign step is noticed within this, if nothing else wakes the loop before. */
#define LOOK_S 8.0

/* -q: what is left of the offset when the clock counts as set. */
#define QUIT_CLOSE_S 1e-3

static struct engine_call call_of(struct daemon *d, enum engine_verb verb)
{
    return (struct engine_call){.verb = verb, .now = kernel_clock_read(&d->clock)};
}

/* ---- what comes in -------------------------------------------------------------------------- */

static void on_heard(void *context, const struct datagram *in)
{
    struct daemon *d = context;
    struct engine_call call = call_of(d, VERB_RECEIVE);
    if (in->request == 0 && in->size > 0 && (in->bytes[0] & 7) == MODE_CONTROL) {
        daemon_answer_control(d, in, call.now);
        return;
    }
    call.u.receive = *in;
    daemon_call(d, &call);
}

static void on_sent(void *context, uint32_t request, ntp_time stamp, enum stamp_kind kind,
                    const struct endpoint *peer)
{
    struct daemon *d = context;
    struct engine_call call = call_of(d, VERB_SENT);
    call.u.sent.request = request;
    call.u.sent.stamp = stamp;
    call.u.sent.kind = kind;
    if (request == 0) {
        call.u.sent.peer = *peer;
    }
    daemon_call(d, &call);
}

static void on_changed(void *context)
{
    struct daemon *d = context;
    d->addresses_changed = true;
}

static void hear_resolver(struct daemon *d)
{
    struct resolver_answer answer;
    while (resolver_read(d->resolver, &answer)) {
        const char *name = d->configuration->engine.associations[answer.association].name;
        if (answer.count == 0) {
            log_often(d->log, LOG_LEVEL_WARNING, "lookup", "%s has no address: %s", name,
                      answer.why);
        }
        struct engine_call call = call_of(d, VERB_RESOLVED);
        call.u.resolved.association = answer.association;
        call.u.resolved.count = answer.count;
        memcpy(call.u.resolved.addresses, answer.addresses, sizeof answer.addresses);
        daemon_call(d, &call);
    }
}

static void hear_signals(struct daemon *d)
{
    struct signalfd_siginfo signal;
    while (read(d->signals, &signal, sizeof signal) == (ssize_t)sizeof signal) {
        if (signal.ssi_signo == SIGHUP) {
            daemon_reload(d);
        } else {
            log_line(d->log, LOG_LEVEL_NOTICE, "ending: %s", g_strsignal((int)signal.ssi_signo));
            d->is_over = true;
        }
    }
}

/* ---- what is due ---------------------------------------------------------------------------- */

/* What others did to the clock must be known before any timestamp is believed. */
static void look_at_clock(struct daemon *d, struct instant now)
{
    enum clock_event event;
    double amount_s;
    while (kernel_clock_look(&d->clock, &event, &amount_s)) {
        struct engine_call call = call_of(d, VERB_CLOCK_EVENT);
        call.u.clock.event = event;
        call.u.clock.amount_s = amount_s;
        daemon_call(d, &call);
    }
    d->next_look = mono_add_s(now.mono, LOOK_S);
}

static void keep_books(struct daemon *d, struct instant now)
{
    struct system_status status;
    engine_status(d->engine, now, &status);
    if (status.drift_is_known && d->is_steering) {
        d->drift_ppm = status.drift_ppm;
        state_files_write_drift(d->files, status.drift_ppm);
    }
    if (d->responder) {
        responder_counts(d->responder, &d->threads);
    }
    state_files_sysstats(d->files, now, engine_counters(d->engine),
                         d->responder ? &d->threads : NULL);
    d->next_hour = mono_add_s(now.mono, HOUR_S);
}

static void end_quit(struct daemon *d, enum exit_status status)
{
    d->is_over = true;
    d->status = status;
}

/* -q where nothing may be stepped lasts as long as the slew: it would end with the process. */
static void tell_slew(struct daemon *d, double residual_s)
{
    if (!d->has_told_slew) {
        d->has_told_slew = true;
        log_line(d->log, LOG_LEVEL_NOTICE,
                 "%+.3f s are left and slewed, as -x or tinker step wants it: some %.0f s until "
                 "the clock is set",
                 residual_s, ceil(fabs(residual_s) / SLEW_MAX));
    }
}

/* -q: the clock was set, or will not be. */
static void judge_quit(struct daemon *d, struct instant now)
{
    struct system_status status;
    engine_status(d->engine, now, &status);
    bool is_synchronised = status.state == STATE_SYNCHRONISED;
    bool is_close = is_synchronised && fabs(status.residual_s) < QUIT_CLOSE_S;
    if (d->has_stepped || is_close) {
        log_line(d->log, LOG_LEVEL_NOTICE, "the clock is set%s",
                 d->has_stepped ? "" : ": it is right within 1 ms");
        end_quit(d, d->is_steering || !d->has_stepped ? EXIT_ALL_RIGHT : EXIT_AT_WORK);
    } else if (status.state == STATE_PANIC) {
        log_line(d->log, LOG_LEVEL_ERROR,
                 "the clock is not set: the offset is over the panic threshold; -g sets it all the "
                 "same");
        end_quit(d, EXIT_AT_WORK);
    } else if (!d->is_steering) {
        log_line(d->log, LOG_LEVEL_ERROR, "the clock is not set: %s", steering_obstacle(d));
        end_quit(d, EXIT_AT_WORK);
    } else if (d->configuration->engine.association_count == 0) {
        log_line(d->log, LOG_LEVEL_ERROR,
                 "the clock is not set: %s names no server; add a server or pool line",
                 d->options.config);
        end_quit(d, EXIT_AT_WORK);
    } else if (is_synchronised) {
        tell_slew(d, status.residual_s);
    } else if (!mono_before(now.mono, d->quit_by)) {
        log_line(d->log, LOG_LEVEL_ERROR,
                 "the clock is not set: no server that can be followed answered within %d s",
                 QUIT_TIMEOUT_S);
        end_quit(d, EXIT_AT_WORK);
    }
}

static void do_what_is_due(struct daemon *d)
{
    struct instant now = kernel_clock_read(&d->clock);
    for (int i = 0; i < EXPIRES_MAX && !mono_before(now.mono, d->wake); i++) {
        struct engine_call call = {.verb = VERB_EXPIRE, .now = now};
        daemon_call(d, &call);
        now = kernel_clock_read(&d->clock);
    }
    daemon_answer_held(d, now);
    if (!mono_before(now.mono, d->next_hour)) {
        keep_books(d, now);
    }
    if (d->options.quit && !d->is_over) {
        judge_quit(d, now);
    }
}

/* ---- waiting -------------------------------------------------------------------------------- */

/* Milliseconds until something is due, rounded up: a timer that fires early only costs. */
static int wait_ms(struct daemon *d)
{
    struct instant now = kernel_clock_read(&d->clock);
    mono_time due = mono_earlier(mono_earlier(d->wake, d->next_look), d->next_hour);
    due = mono_earlier(due, daemon_held_due(d));
    if (d->options.quit && !d->has_told_slew) {
        due = mono_earlier(due, d->quit_by);
    }
    double wait_s = mono_diff_s(due, now.mono); /* at most LOOK_S */
    int ms = (int)ceil(fmax(wait_s, 0.0) * 1e3);
    int page_ms = d->metrics ? metrics_timeout_ms(d->metrics) : -1;
    return page_ms >= 0 ? MIN(ms, page_ms) : ms;
}

/* Fills the array of what to wait for. */
static void watch(struct daemon *d, GArray *fds)
{
    struct pollfd own[WATCH_UDP] = {
        [WATCH_SIGNALS] = {.fd = d->signals, .events = POLLIN},
        [WATCH_RESOLVER] = {.fd = resolver_fd(d->resolver), .events = POLLIN},
        [WATCH_METRICS] = {.fd = d->metrics ? metrics_fd(d->metrics) : -1, .events = POLLIN},
    };
    size_t room, need = fds->len > WATCH_UDP ? fds->len - WATCH_UDP : 16;
    do {
        room = need;
        g_array_set_size(fds, (guint)(WATCH_UDP + room));
        need = udp_watch(d->udp, &g_array_index(fds, struct pollfd, WATCH_UDP), room);
    } while (need > room);
    memcpy(fds->data, own, sizeof own);
    g_array_set_size(fds, (guint)(WATCH_UDP + need));
}

static void wait_and_serve(struct daemon *d, GArray *fds, const struct udp_sink *sink)
{
    watch(d, fds);
    struct pollfd *ready = &g_array_index(fds, struct pollfd, 0);
    if (poll(ready, fds->len, wait_ms(d)) < 0 && errno != EINTR) {
        log_line(d->log, LOG_LEVEL_ERROR, "cannot wait for packets: %s", g_strerror(errno));
        d->is_over = true;
        d->status = EXIT_AT_WORK;
        return;
    }
    look_at_clock(d, kernel_clock_read(&d->clock));
    udp_receive(d->udp, ready + WATCH_UDP, fds->len - WATCH_UDP, sink);
    if (ready[WATCH_RESOLVER].revents) {
        hear_resolver(d);
    }
    if (d->metrics) {
        metrics_serve(d->metrics);
    }
    if (d->addresses_changed) {
        d->addresses_changed = false;
        daemon_readdress(d);
    }
    if (ready[WATCH_SIGNALS].revents) {
        hear_signals(d);
    }
}

void daemon_run(struct daemon *d)
{
    const struct udp_sink sink = {d, on_heard, on_sent, on_changed};
    GArray *fds = g_array_new(FALSE, TRUE, sizeof(struct pollfd));
    struct instant now = kernel_clock_read(&d->clock);
    log_echo(d->log, d->options.quit ? LOG_LEVEL_ERROR : LOG_ECHO_NONE);
    if (!d->options.quit) {
        daemon_tell_idle_rules(d);
        daemon_tell_served(d, "");
    }
    d->wake = now.mono;
    d->next_look = now.mono;
    d->next_hour = mono_add_s(now.mono, HOUR_S);
    d->quit_by = mono_add_s(now.mono, QUIT_TIMEOUT_S);
    do_what_is_due(d);
    while (!d->is_over) {
        wait_and_serve(d, fds, &sink);
        if (!d->is_over) {
            do_what_is_due(d);
        }
    }
    keep_books(d, kernel_clock_read(&d->clock));
    g_array_free(fds, TRUE);
}
