/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Verbs and their effects: the one place where the daemon calls its engine, and where what the
 * engine wants is carried out, in the contract's order.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "steering.h"

/* What carrying out effects makes the host tell the engine: at most one of each kind. */
struct consequences {
    struct engine_call calls[3];
    unsigned count;
};

static struct engine_call *consequence(struct consequences *c, enum engine_verb verb,
                                       struct instant now)
{
    struct engine_call *call = &c->calls[c->count++];
    memset(call, 0, sizeof *call);
    call->verb = verb;
    call->now = now;
    return call;
}

/* ---- the clock ------------------------------------------------------------------------------ */

/* By a clock that is right only: which leap seconds are behind it, it must know. */
static void tell_tai(struct daemon *d, const struct system_status *status, ntp_time now)
{
    if (status->state == STATE_SYNCHRONISED || status->state == STATE_HOLDOVER) {
        int32_t tai_s = leap_file_tai(&d->leaps, unix_s_from_ntp(now));
        if (tai_s != 0) {
            kernel_clock_set_tai(&d->clock, tai_s);
        }
    }
}

/* The command of the effects, or none but what the kernel is told with every one. */
static void perform_clock(struct daemon *d, struct consequences *c)
{
    static const struct clock_command nothing = {.what = 0};
    bool is_commanded = (d->effects.todo & EFFECT_CLOCK) != 0;
    const struct clock_command *command = is_commanded ? &d->effects.clock : &nothing;
    struct system_status status;
    bool steps = (command->what & CLOCK_STEP) != 0;
    d->has_new_state = false;
    if (!d->is_steering) {
        if (command->what & CLOCK_LEAP) {
            kernel_clock_expect_leap(&d->clock, command->leap);
        }
        return;
    }
    struct instant now = kernel_clock_read(&d->clock);
    engine_status(d->engine, now, &status);
    tell_tai(d, &status, now.clock);
    if (steps && d->responder) {
        responder_hold(d->responder);
    }
    int error = kernel_clock_perform(&d->clock, command, &status);
    if (steps && d->responder) {
        responder_publish(d->responder, engine_server_view(d->engine));
        responder_release(d->responder);
    }
    d->has_stepped = d->has_stepped || (steps && error == 0);
    if (error != 0) {
        steering_refused(d, error, &status);
        consequence(c, VERB_CLOCK_EVENT, kernel_clock_read(&d->clock))->u.clock.event =
            CLOCK_REFUSED;
    }
}

/* ---- sending and asking --------------------------------------------------------------------- */

static void perform_send(struct daemon *d, struct consequences *c)
{
    const struct outgoing *out = &d->effects.send;
    int error = udp_send(d->udp, out);
    send_failures_note(&d->send_failures, d->engine, &out->peer, error, d->log);
    if (error == 0) {
        return;
    }
    struct engine_call *call = consequence(c, VERB_SENT, kernel_clock_read(&d->clock));
    call->u.sent.request = out->request;
    call->u.sent.kind = STAMP_NOT_SENT;
    if (out->request == 0) {
        call->u.sent.peer = out->peer;
    }
}

/* The family of the line, else of -4 and -6: an address that we do not use is no use. */
static uint8_t family_for(const struct daemon *d, const struct association_config *config)
{
    if (config->address.family != ADDRESS_NONE) {
        return config->address.family;
    }
    return d->options.only_ipv4 ? ADDRESS_V4 : d->options.only_ipv6 ? ADDRESS_V6 : ADDRESS_NONE;
}

static void perform_resolve(struct daemon *d, struct consequences *c)
{
    uint16_t association = d->effects.resolve_association;
    const struct association_config *config = &d->configuration->engine.associations[association];
    if (!resolver_ask(d->resolver, association, config->name, family_for(d, config))) {
        struct engine_call *call = consequence(c, VERB_RESOLVED, kernel_clock_read(&d->clock));
        call->u.resolved.association = association;
    }
}

static void perform(struct daemon *d, struct consequences *c)
{
    unsigned todo = d->effects.todo;
    /* The engine's next command may be a poll interval away: too long for what others read. */
    if (todo & EFFECT_CLOCK || d->has_new_state) {
        perform_clock(d, c);
    }
    if ((todo & EFFECT_VIEW) && d->responder) {
        responder_publish(d->responder, engine_server_view(d->engine));
    }
    if (todo & EFFECT_SEND) {
        perform_send(d, c);
    }
    if (todo & EFFECT_RESOLVE) {
        perform_resolve(d, c);
    }
}

/* ---- verbs ---------------------------------------------------------------------------------- */

static void call_once(struct daemon *d, const struct engine_call *call, struct consequences *c)
{
    engine_call(d->engine, call, &d->effects);
    if (d->recorder) {
        recorder_write(d->recorder, call, &d->effects, d->log);
    }
    d->wake = d->effects.wake;
    perform(d, c);
}

void daemon_call(struct daemon *d, const struct engine_call *call)
{
    struct consequences first = {.count = 0};
    call_once(d, call, &first);
    for (unsigned i = 0; i < first.count; i++) {
        struct consequences rest = {.count = 0};
        /* What a failure is told for sends nothing and steers nothing, so this is the end of it; a
         * clock that refuses even that is not asked any more. */
        call_once(d, &first.calls[i], &rest);
    }
}

void daemon_record_begin(struct daemon *d, enum engine_verb verb, struct instant now,
                         const uint8_t *key)
{
    if (d->recorder) {
        struct engine_call call = {.verb = verb, .now = now};
        call.u.begin.config = &d->configuration->engine;
        call.u.begin.key = key;
        recorder_write(d->recorder, &call, NULL, d->log);
    }
}

/* ---- what the engine says ------------------------------------------------------------------- */

static void tell_manager(const struct daemon *d, const struct trace_record *record)
{
    char text[256];
    trace_text(record, text, sizeof text);
    service_manager_status(&d->manager, text);
}

/* Whether the log takes a line about the record, and at which level. Asked before its text is made:
 * most records are samples and exchanges, which only a debugging log wants. */
static bool is_logged(struct daemon *d, const struct trace_record *record, enum log_level *level)
{
    if (!log_choice_wants(d->configuration->log_choice, record)) {
        return false;
    }
    *level = LOG_LEVEL_NOTICE;
    switch (record->kind) {
    case TRACE_STATE:
    case TRACE_LEADER:
    case TRACE_STEP:
    case TRACE_CLOCK:
    case TRACE_KISS:
        break;
    case TRACE_REACH:
        *level = record->u.reach.is_reachable ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING;
        break;
    case TRACE_DISPUTE:
    case TRACE_SPIKE:
    case TRACE_REJECT:
        return log_admits(d->log, *level, record->why ? record->why : "refused");
    case TRACE_DENIED:
        *level = LOG_LEVEL_DEBUG;
        return d->options.debug >= 2;
    default: /* samples, updates, raw exchanges: statistics, and noise in a log */
        *level = LOG_LEVEL_DEBUG;
        break;
    }
    return log_wants(d->log, *level);
}

void daemon_trace(void *context, const struct trace_record *record)
{
    struct daemon *d = context;
    enum log_level level;
    state_files_trace(d->files, record);
    if (record->kind == TRACE_STATE) {
        d->has_new_state = true;
        tell_manager(d, record);
    }
    if (is_logged(d, record, &level)) {
        char text[512];
        trace_text(record, text, sizeof text);
        log_line(d->log, level, "%s", text);
    }
}
