/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A datagram's way through the engine: access, authentication, exchange, commit, filter,
 * mitigation, in the order of security 1.10. Strangers' requests go to server_answer(). A packet
 * that fails a test changes nothing but counters.
 */
#include <math.h>

#include "engine_state.h"

static struct source *find_request(struct engine *e, const struct datagram *in, int *index)
{
    for (int i = 0; i < e->source_count; i++) {
        struct source *s = &e->sources[i];
        if (s->is_resolved && s->request == in->request && s->peer.port == in->peer.port &&
            address_equal(&s->peer.address, &in->peer.address)) {
            *index = i;
            return s;
        }
    }
    return NULL;
}

static struct source *find_peer(struct engine *e, const struct address *address, int *index)
{
    for (int i = 0; i < e->source_count; i++) {
        struct source *s = &e->sources[i];
        if (s->is_resolved && source_is_symmetric(s) && address_equal(&s->peer.address, address)) {
            *index = i;
            return s;
        }
    }
    return NULL;
}

static void hear_reject(struct engine *e, struct instant now, int index,
                        enum source_verdict verdict)
{
    struct trace_record record = {.kind = TRACE_REJECT};
    if (flash_of_verdict(verdict) == FLASH_AUTH) {
        e->counters.bad_auth++;
    } else {
        e->counters.declined++;
    }
    engine_say(e, &record, now, index, source_verdict_text(verdict));
}

/* Flags that also hold for answers to our own questions: an entry more specific than the default
 * forbids as it says; the default entry's ignore and noserve are about requests (behaviour section
 * 1). */
static uint16_t hear_access_flags(const struct engine_config *config, const struct endpoint *peer)
{
    struct access_decision d = access_check(&config->access, peer);
    if (!d.is_default) {
        return d.flags;
    }
    return config->restrict_source ? config->restrict_source_flags
                                   : d.flags & (uint16_t) ~(ACCESS_IGNORE | ACCESS_NOSERVE);
}

void engine_note_source(const struct engine *e, struct source *s)
{
    s->access = hear_access_flags(&e->config, &s->peer);
    s->follows_me = group_is_me(&e->config, s->refid);
}

/* An answer comes from the very address and port that were asked, so that the list needs not be
 * looked at again. notrust wants a MAC that was verified: without a key nobody verifies one. */
static enum source_verdict hear_access_reply(const struct source *s, const struct packet *p)
{
    if (s->access & (ACCESS_IGNORE | ACCESS_NOSERVE)) {
        return SOURCE_RESTRICTED;
    }
    if ((s->access & ACCESS_VERSION) && p->version != 4) {
        return SOURCE_BAD_VERSION;
    }
    if ((s->access & ACCESS_NOTRUST) && s->config->key == 0) {
        return SOURCE_NO_MAC;
    }
    return SOURCE_SAMPLE;
}

/* A peer's packet passes by the access list or by a valid MAC of the association's key. */
static enum source_verdict hear_access_peer(const struct engine *e, const struct source *s,
                                            const struct datagram *in, const struct packet *p)
{
    struct access_decision d = access_check(&e->config.access, &in->peer);
    if ((d.flags & (ACCESS_IGNORE | ACCESS_NOSERVE)) && s->config->key == 0) {
        return SOURCE_RESTRICTED;
    }
    if ((d.flags & ACCESS_VERSION) && p->version != 4) {
        return SOURCE_BAD_VERSION;
    }
    if ((d.flags & ACCESS_NOTRUST) && s->config->key == 0) {
        return SOURCE_NO_MAC;
    }
    return SOURCE_SAMPLE;
}

bool engine_hears(const struct engine *e, const struct source *s)
{
    struct datagram in = {.peer = s->peer};
    struct packet answer = {.version = s->config->version};
    enum source_verdict verdict = source_is_symmetric(s) ? hear_access_peer(e, s, &in, &answer)
                                                         : hear_access_reply(s, &answer);
    return verdict == SOURCE_SAMPLE;
}

static enum source_verdict hear_auth(const struct engine *e, const struct source *s,
                                     const struct datagram *in, const struct packet *p)
{
    if (s->config->key == 0) {
        return SOURCE_SAMPLE;
    }
    switch (auth_verify(&e->config.keys, s->config->key, &in->peer.address, p, in->bytes)) {
    case AUTH_OK:
        return SOURCE_SAMPLE;
    case AUTH_NO_MAC:
        return SOURCE_NO_MAC;
    case AUTH_CRYPTO_NAK:
        return SOURCE_CRYPTO_NAK;
    case AUTH_NO_KEY:
    case AUTH_WRONG_KEY:
    case AUTH_NOT_ALLOWED:
    case AUTH_BAD_SIZE:
    case AUTH_BAD_DIGEST:
        break;
    }
    return SOURCE_BAD_AUTH;
}

static void hear_tell_sample(struct engine *e, struct instant now, const struct source *s,
                             int index)
{
    struct trace_record record; /* its union is large and mostly of others: it is not cleared */
    if (engine_keeps_quiet(e, TRACE_SAMPLE)) {
        return;
    }
    record.kind = TRACE_SAMPLE;
    record.u.sample.offset_s = s->filter.offset_s;
    record.u.sample.delay_s = s->filter.delay_s;
    record.u.sample.dispersion_s = s->filter.dispersion_s;
    record.u.sample.jitter_s = s->filter.jitter_s;
    engine_say(e, &record, now, index, NULL);
}

/* A new sample: into the filter, and if it is the best there is, on to the selection. False when no
 * selection was made. */
static bool hear_sample(struct engine *e, struct instant now, struct source *s, int index,
                        const struct verified *v, struct effects *out)
{
    double slewed = v->sample.slewed_s; /* now: nothing is slewed on the way */
    struct filter_terms terms = {
        .tolerance = e->config.tinker.dispersion,
        .precision_s = power_of_two(e->config.clock.precision),
        .allan_s = power_of_two(e->config.tinker.allan_log2s),
        .maxdist_s = engine_maxdist_s(e),
        .poll_s = power_of_two(s->hpoll),
        .newest_first = !e->discipline.drift_is_known,
    };
    enum filter_verdict verdict = filter_add(&s->filter, &v->sample, &terms, slewed, now.mono);
    if (verdict == FILTER_SPIKE) {
        struct trace_record record = {.kind = TRACE_SPIKE};
        record.u.step.amount_s = v->sample.offset_s;
        engine_say(e, &record, now, index, "popcorn");
    }
    hear_tell_sample(e, now, s, index);
    bool in_burst = s->burst_left > 0 && e->system.state != STATE_UNSYNCHRONISED;
    s->has_fresh = s->has_fresh || verdict == FILTER_FRESH;
    if (!s->has_fresh || in_burst) {
        return false;
    }
    /* An estimate that no selection could use yet, because its register is not full enough, is
     * still fresh when it is: its best sample may be the first one for many polls. */
    s->has_fresh = s->probation > 0 || engine_source_fault(e, s, now.mono) == FLASH_DISTANCE;
    engine_mitigate(e, now, out);
    return true;
}

/* What a packet that is believed says. False when no poll was rescheduled and no selection made. */
static bool hear_commit(struct engine *e, struct instant now, const struct datagram *in,
                        struct source *s, int index, const struct verified *v,
                        const struct source_terms *terms, struct effects *out)
{
    bool was_reachable = s->reach != 0;
    uint32_t refid = s->refid;
    source_commit(s, v, terms, now.mono);
    if (s->refid != refid) {
        s->follows_me = group_is_me(&e->config, s->refid);
    }
    if (v->verdict == SOURCE_SAMPLE && v->is_synchronised && s->follows_me) {
        /* A server that follows me is a member of my group (behaviour section 2). Its own answer
         * says so, which nobody else can forge; a request from its address could be. */
        s->is_member = true;
    }
    s->local = in->local;
    if (v->verdict == SOURCE_KISS) {
        struct trace_record record = {.kind = TRACE_KISS};
        record.u.kiss.code = v->packet->refid;
        engine_say(e, &record, now, index, "kiss-o'-death");
        source_schedule(s, now.mono);
        e->needs_selection = true;
        return true;
    }
    if (v->verdict == SOURCE_STATE) {
        if (address_compare(&in->local.address, &in->peer.address) < 0) {
            source_uncross(s, now.mono);
        }
        return true;
    }
    if (source_is_symmetric(s)) {
        source_schedule(s, now.mono);
    }
    if (!v->is_synchronised) {
        /* It said itself that it is not to be followed. */
        e->needs_selection = index == e->leader || e->needs_selection;
        return source_is_symmetric(s);
    }
    if (!was_reachable) {
        struct trace_record record = {.kind = TRACE_REACH};
        record.u.reach.reach = s->reach;
        record.u.reach.is_reachable = true;
        engine_say(e, &record, now, index, "answers");
        engine_spread_poll(e, now.mono);
    }
    bool has_selected = hear_sample(e, now, s, index, v, out);
    return has_selected || !was_reachable || source_is_symmetric(s);
}

/* A datagram stamped before my clock was last stepped is in no timescale that I know. */
static bool hear_is_stale(const struct engine *e, struct instant now, const struct datagram *in)
{
    double age = ntp_diff_s(now.clock, in->stamp);
    if (!e->has_stepped) {
        return false;
    }
    return age < -1e-3 || age > mono_diff_s(now.mono, e->stepped_at) + 1e-3;
}

/* The four timestamps as they are measured with. The question is told by when it left: its transmit
 * field was a nonce, which is nobody's business. */
static void hear_tell_raw(struct engine *e, struct instant now, const struct datagram *in,
                          const struct packet *p, const struct source *s, int index)
{
    struct trace_record record; /* as in hear_tell_sample() */
    if (engine_keeps_quiet(e, TRACE_RAW)) {
        return;
    }
    record.kind = TRACE_RAW;
    record.u.raw.local = in->local.address;
    record.u.raw.sent = s->exchange.sent_stamp;
    record.u.raw.received = p->receive;
    record.u.raw.answered = p->transmit;
    record.u.raw.arrived = in->stamp;
    record.u.raw.leap = p->leap;
    record.u.raw.version = p->version;
    record.u.raw.mode = p->mode;
    record.u.raw.stratum = p->stratum;
    record.u.raw.poll = p->poll;
    record.u.raw.precision = p->precision;
    record.u.raw.root_delay = p->root_delay;
    record.u.raw.root_dispersion = p->root_dispersion;
    record.u.raw.refid = p->refid;
    record.u.raw.polls = s->unanswered;
    engine_say(e, &record, now, index, NULL);
}

static bool hear_source(struct engine *e, struct instant now, const struct datagram *in,
                        const struct packet *packet, struct source *s, int index,
                        struct effects *out)
{
    struct verified verified;
    struct source_terms terms = engine_source_terms(e, now.mono);
    enum source_verdict verdict =
        source_is_symmetric(s) ? hear_access_peer(e, s, in, packet) : hear_access_reply(s, packet);
    if (verdict == SOURCE_SAMPLE) {
        verdict = hear_auth(e, s, in, packet);
    }
    if (verdict == SOURCE_SAMPLE) {
        source_verify(s, &terms, packet, in, now.mono, &verified);
        verdict = verified.verdict;
    }
    s->flash = (uint16_t)flash_of_verdict(verdict);
    if (verdict == SOURCE_SAMPLE) {
        hear_tell_raw(e, now, in, packet, s, index);
    }
    if (verdict == SOURCE_SAMPLE || verdict == SOURCE_STATE || verdict == SOURCE_KISS) {
        e->counters.processed++;
        return hear_commit(e, now, in, s, index, &verified, &terms, out);
    }
    hear_reject(e, now, index, verdict);
    return false;
}

static void hear_request(struct engine *e, struct instant now, const struct datagram *in,
                         const struct packet *packet, struct effects *out)
{
    enum service_verdict verdict;
    struct service_rules rules = engine_service_rules(e);
    size_t size =
        server_answer(&e->view, &rules, e->clients, in, packet, now, out->send.bytes, &verdict);
    service_count(&e->counters.served, in, verdict);
    if (verdict == SERVICE_RESTRICTED) {
        struct trace_record record = {.kind = TRACE_DENIED, .peer = in->peer};
        record.u.denied.line = access_check(&e->config.access, &in->peer).line;
        engine_say(e, &record, now, -1, service_verdict_text(verdict));
    }
    if (size == 0) {
        return;
    }
    e->counters.processed += verdict == SERVICE_ANSWERED;
    out->todo |= EFFECT_SEND;
    out->send.size = (uint16_t)size;
    out->send.peer = in->peer;
    out->send.local = in->local;
    out->send.request = 0;
}

/* A host of RFC 1059 asks without a mode; server_answer() tells it from others. */
static bool hear_is_request(const struct packet *packet)
{
    return packet->mode == MODE_CLIENT || packet->mode == MODE_ACTIVE ||
           (packet->version == 1 && packet->mode == MODE_RESERVED);
}

bool engine_hear(struct engine *e, struct instant now, const struct datagram *in,
                 const struct packet *packet, struct effects *out)
{
    int index = -1;
    struct source *s = NULL;
    if (in->request != 0) {
        s = find_request(e, in, &index);
    } else if (packet->mode == MODE_ACTIVE || packet->mode == MODE_PASSIVE) {
        s = find_peer(e, &in->peer.address, &index);
    }
    if (s) {
        if (hear_is_stale(e, now, in)) {
            e->counters.declined++;
        } else {
            return hear_source(e, now, in, packet, s, index, out);
        }
    } else if (in->request == 0 && hear_is_request(packet)) {
        hear_request(e, now, in, packet, out);
    } else {
        e->counters.declined++;
    }
    return false;
}
