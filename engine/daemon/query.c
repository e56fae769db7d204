/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Those who ask about us: mode 6 and the metrics page.
 */
#include <string.h>

#include "steering.h"

/* The threads' part of the traffic. */
static void add_threads(struct daemon *d)
{
    responder_counts(d->responder, &d->threads);
    uint64_t failures = responder_send_errors(d->responder);
    const uint64_t *verdicts = d->threads.verdicts;
    for (unsigned i = 0; i < SERVICE_VERDICTS; i++) {
        d->traffic.received += verdicts[i];
    }
    d->traffic.sent += verdicts[SERVICE_ANSWERED] + verdicts[SERVICE_KISSED] - failures;
    d->traffic.send_failures += failures;
}

/* What the engine does not know. */
static void refresh_terms(struct daemon *d)
{
    const struct udp_counts *counts = udp_counts(d->udp);
    d->traffic.received = counts->received;
    d->traffic.sent = counts->sent;
    d->traffic.send_failures = counts->send_errors;
    d->control.tables = NULL;
    d->control.table_count = 0;
    d->control.threads = NULL;
    if (d->responder) {
        d->control.table_count = responder_tables(d->responder, &d->control.tables);
        add_threads(d);
        d->control.threads = &d->threads;
    }
    d->control.traffic = &d->traffic;
    d->control.kernel = kernel_clock_tell(&d->clock, &d->kernel) ? &d->kernel : NULL;
    d->control.tai_s = d->clock.tai_s;
    d->control.steering = steering_of(d);
}

static void answer(struct daemon *d, const struct datagram *in, struct instant now)
{
    struct outgoing out = {.peer = in->peer, .local = in->local};
    struct control_reply reply;
    size_t size;
    refresh_terms(d);
    if (!control_reply_make(d->engine, &d->control, in, now, &reply)) {
        return;
    }
    for (unsigned i = 0; (size = control_reply_fragment(&reply, i, out.bytes)) > 0; i++) {
        out.size = (uint16_t)size;
        control_meter_spend(&d->meter, size);
        if (udp_send(d->udp, &out) != 0) {
            return; /* who asked will ask again */
        }
    }
}

/* Nothing is held for somebody who would get no answer: he must not keep others out. */
static void hold(struct daemon *d, const struct datagram *in, struct instant now)
{
    struct control_reply reply;
    if (d->held.is_held || in->size > sizeof d->held.bytes || in->truncated) {
        return;
    }
    refresh_terms(d);
    if (control_reply_make(d->engine, &d->control, in, now, &reply)) {
        d->held.is_held = true;
        d->held.in = *in;
        memcpy(d->held.bytes, in->bytes, in->size);
        d->held.in.bytes = d->held.bytes;
    }
}

void daemon_answer_control(struct daemon *d, const struct datagram *in, struct instant now)
{
    d->traffic.requests++;
    if (!d->held.is_held && control_meter_admits(&d->meter, now.mono)) {
        answer(d, in, now);
    } else {
        hold(d, in, now);
    }
}

mono_time daemon_held_due(const struct daemon *d)
{
    return d->held.is_held ? control_meter_ready(&d->meter) : MONO_NEVER;
}

void daemon_answer_held(struct daemon *d, struct instant now)
{
    if (d->held.is_held && control_meter_admits(&d->meter, now.mono)) {
        d->held.is_held = false;
        answer(d, &d->held.in, now);
    }
}

void daemon_fill_metrics(void *context, GString *page)
{
    struct daemon *d = context;
    struct metrics_terms terms = {.engine = d->engine,
                                  .now = kernel_clock_read(&d->clock),
                                  .config = &d->configuration->engine,
                                  .udp = udp_counts(d->udp),
                                  .version = DAEMON_VERSION,
                                  .steering = steering_of(d)};
    if (d->responder) {
        responder_counts(d->responder, &d->threads);
        terms.threads = &d->threads;
        terms.thread_send_errors = responder_send_errors(d->responder);
        terms.thread_count = udp_threads(d->udp);
    }
    metrics_text(&terms, page);
}
