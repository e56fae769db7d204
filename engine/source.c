/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One association: polling, transmission, commit. Verification is in exchange.c.
 */
#include "source.h"

#include <assert.h>
#include <math.h>

void source_init(struct source *s, const struct association_config *config, uint16_t association,
                 mono_time now)
{
    *s = (struct source){.config = config,
                         .association = association,
                         .family = association,
                         .is_member = config->kind == ASSOCIATION_PEER,
                         .next_poll = MONO_NEVER,
                         .polled = now,
                         .event = {PEER_EVENT_MOBILISED, 1}};
    source_reset(s, now);
}

void source_assign(struct source *s, const struct endpoint *peer, mono_time now)
{
    source_reset(s, now);
    s->exchange = (struct exchange){.is_outstanding = false};
    s->peer = *peer;
    s->is_resolved = true;
    s->is_denied = false;
    s->kiss_poll = 0;
}

void source_reset(struct source *s, mono_time now)
{
    source_stepped(s, now);
    s->reach = 0;
    s->unanswered = 0;
    s->burst_left = 0;
    s->has_bursted = false;
    s->hpoll = s->config->minpoll;
    s->ppoll = POLL_MAX;
    s->leap = LEAP_UNKNOWN;
    s->stratum = STRATUM_MAX;
    s->refid = 0;
    s->follows_me = false;
    s->reference_time = NTP_TIME_ZERO;
    s->pmode = 0;
    s->root_delay_s = 0.0;
    s->root_dispersion_s = DISPERSION_MAX_S;
    s->heard = now;
    s->claim_age_s = 0.0;
    s->selection = SELECT_REJECT;
}

void source_leapt(struct source *s)
{
    ntp_time newest = s->exchange.newest;
    bool has_newest = s->exchange.has_newest;
    s->exchange = (struct exchange){.newest = newest, .has_newest = has_newest};
}

void source_stepped(struct source *s, mono_time now)
{
    source_leapt(s);
    s->has_fresh = false;
    filter_clear(&s->filter, now);
}

/* A transmit time for a peer: my clock, with the bits below its precision at random, and never
 * equal to what this side or the other has said before (security V25). */
static ntp_time source_clock_stamp(const struct source *s, const struct source_terms *terms,
                                   struct random_stream *random, ntp_time clock)
{
    int bits = 32 + terms->config->clock.precision;
    uint64_t mask = bits > 0 ? (UINT64_C(1) << bits) - 1 : 0;
    ntp_time stamp = {(clock.ticks & ~mask) | (random_u64(random) & mask)};
    while (ntp_equal(stamp, s->exchange.sent_wire) || ntp_equal(stamp, s->exchange.peer_transmit) ||
           ntp_equal(stamp, s->exchange.peer_arrival) || ntp_is_zero(stamp)) {
        stamp.ticks++;
    }
    return stamp;
}

static ntp_time source_nonce(struct random_stream *random)
{
    ntp_time nonce = {random_u64(random)};
    while (ntp_is_zero(nonce)) {
        nonce.ticks = random_u64(random);
    }
    return nonce;
}

/* A client says as little as it can (RFC 5905 does not need more, and an onlooker learns
 * nothing). */
static void source_client_packet(const struct source *s, ntp_time nonce, struct packet *p)
{
    *p = (struct packet){.version = s->config->version,
                         .mode = MODE_CLIENT,
                         .poll = s->hpoll,
                         .precision = 32,
                         .transmit = nonce};
}

static void source_peer_packet(const struct source *s, const struct source_terms *terms,
                               const struct server_view *view, ntp_time transmit, mono_time now,
                               struct packet *p)
{
    const struct exchange *x = &s->exchange;
    bool has_echo = !ntp_is_zero(x->peer_transmit);
    *p = (struct packet){
        .leap = view->leap,
        .version = s->config->version,
        .mode = MODE_ACTIVE,
        .stratum = stratum_to_wire(view->stratum),
        .poll = s->hpoll,
        .precision = view->precision,
        .root_delay = ntp_short_from_s(view->root_delay_s),
        .root_dispersion = ntp_short_from_s(server_view_dispersion_s(view, now)),
        .refid = view->refid,
        .reference = view->reference_time,
        .origin = x->peer_transmit,
        .transmit = transmit,
    };
    if (has_echo) {
        p->receive = ntp_add_s(x->peer_arrival, terms->slewed_s - x->peer_slewed_s);
    }
}

/* Opens a poll: shifts reach, starts a burst where one is due. */
static void source_open_poll(struct source *s)
{
    bool is_reachable = s->reach != 0;
    s->reach = (uint8_t)(s->reach << 1);
    if (s->unanswered < UINT8_MAX) {
        s->unanswered++;
    }
    s->exchange.took_state = false;
    if (!is_reachable && s->config->iburst && !s->has_bursted) {
        s->burst_left = BURST_COUNT - 1;
        s->has_bursted = true;
    } else if (is_reachable && s->config->burst) {
        s->burst_left = BURST_COUNT - 1;
    }
}

void source_transmit(struct source *s, const struct source_terms *terms,
                     const struct server_view *view, struct random_stream *random, uint32_t request,
                     struct instant now, struct outgoing *out)
{
    struct packet p;
    ntp_time transmit;
    if (s->burst_left > 0) {
        s->burst_left--;
    } else {
        source_open_poll(s);
    }
    if (source_is_symmetric(s)) {
        transmit = source_clock_stamp(s, terms, random, now.clock);
        source_peer_packet(s, terms, view, transmit, now.mono, &p);
    } else {
        transmit = source_nonce(random);
        source_client_packet(s, transmit, &p);
        s->request = request;
    }
    s->interval_noise = (uint8_t)random_byte(random);
    s->exchange.sent_wire = transmit;
    s->exchange.sent_stamp = now.clock;
    s->exchange.sent_at = now.mono;
    s->exchange.sent_slewed_s = terms->slewed_s;
    s->exchange.is_outstanding = true;
    s->polled = now.mono;
    packet_write(&p, out->bytes);
    out->peer = s->peer;
    out->local = s->local;
    out->request = source_is_symmetric(s) ? 0 : request;
    out->size = PACKET_HEADER_SIZE;
}

/* The present interval between polls, seconds: the longer of what I want and what a kiss asks for,
 * for a peer the shorter of what the two sides want. */
static double source_interval_s(const struct source *s)
{
    int poll = s->hpoll;
    if (source_is_symmetric(s) && s->ppoll < poll) {
        poll = s->ppoll < POLL_MIN ? POLL_MIN : s->ppoll;
    }
    if (poll < s->kiss_poll) {
        poll = s->kiss_poll;
    }
    return power_of_two(poll) * (1.0 + s->interval_noise / 4096.0);
}

void source_uncross(struct source *s, mono_time now)
{
    if (s->exchange.is_outstanding && !s->is_denied) {
        s->next_poll = mono_add_s(now, source_interval_s(s) / 2.0);
    }
}

void source_schedule(struct source *s, mono_time now)
{
    if (s->is_denied) {
        s->next_poll = mono_add_s(s->polled, KISS_DENIED_S);
        return;
    }
    double wait = source_interval_s(s);
    if (s->burst_left > 0) {
        wait = BURST_INTERVAL_S;
    }
    s->next_poll = mono_add_s(s->polled, wait);
    if (mono_before(s->next_poll, now)) {
        s->next_poll = now;
    }
}

/* RATE: one step up, never beyond min(maxpoll, 13); the floor decays with good answers. */
static void source_take_kiss(struct source *s, uint32_t code)
{
    int ceiling = s->config->maxpoll < KISS_POLL_MAX ? s->config->maxpoll : KISS_POLL_MAX;
    s->burst_left = 0;
    s->exchange.is_outstanding = false;
    if (code == KISS_RATE) {
        int floor_poll = s->kiss_poll > s->hpoll ? s->kiss_poll : s->hpoll;
        s->kiss_poll = (int8_t)(floor_poll + 1 > ceiling ? ceiling : floor_poll + 1);
        s->kiss_decay = 0;
    } else if (code == KISS_DENY || code == KISS_RSTR) {
        s->is_denied = true;
        s->reach = 0;
    }
}

static void source_decay_kiss(struct source *s)
{
    s->is_denied = false;
    if (s->kiss_poll > 0 && ++s->kiss_decay >= FILTER_STAGES) {
        s->kiss_decay = 0;
        s->kiss_poll = s->kiss_poll > s->config->minpoll ? (int8_t)(s->kiss_poll - 1) : 0;
    }
}

static void source_commit_echo(struct source *s, const struct verified *v,
                               const struct source_terms *terms)
{
    struct exchange *x = &s->exchange;
    x->peer_transmit = v->packet->transmit;
    x->peer_arrival = v->arrival;
    x->peer_slewed_s = terms->slewed_s;
    x->newest = v->packet->transmit;
    x->has_newest = true;
}

void source_commit(struct source *s, const struct verified *v, const struct source_terms *terms,
                   mono_time now)
{
    const struct packet *p = v->packet;
    assert(v->verdict == SOURCE_SAMPLE || v->verdict == SOURCE_STATE || v->verdict == SOURCE_KISS);
    if (v->verdict == SOURCE_KISS) {
        source_take_kiss(s, p->refid);
        return;
    }
    if (source_is_symmetric(s)) {
        source_commit_echo(s, v, terms);
    }
    /* Of any packet that passes: a side that went on at the poll of long ago would ask too often
     * for the other's echo ever to be of its last question. */
    s->ppoll = p->poll < POLL_MIN ? POLL_MIN : p->poll > POLL_MAX ? POLL_MAX : p->poll;
    if (v->verdict == SOURCE_STATE) {
        s->exchange.took_state = true;
        return;
    }
    s->exchange.is_outstanding = false;
    s->leap = p->leap;
    s->stratum = stratum_from_wire(p->stratum);
    s->precision = p->precision < -32 ? -32 : p->precision > 0 ? 0 : p->precision;
    s->refid = p->refid;
    s->reference_time = p->reference;
    s->pmode = p->mode;
    s->root_delay_s = s_from_ntp_short(p->root_delay);
    s->root_dispersion_s = s_from_ntp_short(p->root_dispersion);
    s->claim_age_s = ntp_diff_s(p->transmit, p->reference);
    s->heard = now;
    if (v->is_synchronised) {
        s->reach |= 1;
        s->unanswered = 0;
        s->has_bursted = false;
        source_decay_kiss(s);
        if (s->probation > 0) {
            s->probation--;
        }
    }
}
