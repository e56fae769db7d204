/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * May this packet be believed? The tests of one packet against one association, in the order of the
 * reference (security 1.10), all pure: nothing here writes to the association.
 */
#include <math.h>

#include "source.h"

/* The sender claims to be synchronised (RFC 5905's TEST6). */
static bool exchange_is_synchronised(const struct packet *p)
{
    return p->leap != LEAP_UNKNOWN && p->stratum != STRATUM_UNSPECIFIED && p->stratum < STRATUM_MAX;
}

/* Timestamps and header fields that no honest server sends. */
static bool exchange_is_sane(const struct packet *p)
{
    double distance = s_from_ntp_short(p->root_delay) / 2.0 + s_from_ntp_short(p->root_dispersion);
    if (ntp_is_zero(p->receive) || ntp_ticks_between(p->transmit, p->receive) < 0) {
        return false;
    }
    if (!exchange_is_synchronised(p)) {
        return true; /* it claims nothing that could be wrong */
    }
    if (!ntp_is_zero(p->reference) && ntp_after(p->reference, p->transmit)) {
        return false;
    }
    return distance < DISPERSION_MAX_S;
}

/* Offset and delay as of T4, by the clock as it is now: T1 is restated for what was slewed since.
 *
 *   T1  my packet left        T2  it reached the other side
 *   T4  the answer came       T3  the answer left                 */
static void exchange_measure(const struct source *s, const struct source_terms *terms,
                             const struct packet *p, struct verified *v, mono_time now)
{
    const struct exchange *x = &s->exchange;
    ntp_time t1 = ntp_add_s(x->sent_stamp, terms->slewed_s - x->sent_slewed_s);
    double out_s = ntp_diff_s(p->receive, t1);
    double back_s = ntp_diff_s(p->transmit, v->arrival);
    double held_s = ntp_diff_s(p->transmit, p->receive);
    double away_s = ntp_diff_s(v->arrival, t1);
    double precision = power_of_two(terms->config->clock.precision);
    double delay_s = away_s - held_s;
    int remote = p->precision < -32 ? -32 : p->precision > 0 ? 0 : p->precision;
    double dispersion_s = power_of_two(remote) + precision +
                          terms->config->tinker.dispersion * (away_s > 0.0 ? away_s : 0.0);
    v->sample = (struct filter_sample){
        .at = now,
        .offset_s = (out_s + back_s) / 2.0,
        .delay_s = delay_s > precision ? delay_s : precision,
        .dispersion_s = dispersion_s < DISPERSION_MAX_S ? dispersion_s : DISPERSION_MAX_S,
        .slewed_s = terms->slewed_s,
    };
}

/* Does it answer my last packet? */
static enum source_verdict exchange_match(const struct source *s, const struct packet *p)
{
    const struct exchange *x = &s->exchange;
    if (ntp_is_zero(p->origin) || ntp_is_zero(x->sent_wire) ||
        !ntp_equal(p->origin, x->sent_wire)) {
        return SOURCE_BOGUS;
    }
    return x->is_outstanding ? SOURCE_SAMPLE : SOURCE_DUPLICATE;
}

/* A peer's packet that answers nothing: what it takes to be echoed (behaviour 2b, security V24). */
static enum source_verdict exchange_unasked(const struct source *s,
                                            const struct source_terms *terms,
                                            const struct packet *p, ntp_time arrival)
{
    const struct exchange *x = &s->exchange;
    if (x->has_newest && !ntp_after(p->transmit, x->newest)) {
        return SOURCE_OLD;
    }
    if (terms->is_synchronised &&
        fabs(ntp_diff_s(p->transmit, arrival)) > fmax(1.0, terms->own_bound_s)) {
        return SOURCE_FAR;
    }
    return x->took_state ? SOURCE_TOO_OFTEN : SOURCE_STATE;
}

static enum source_verdict exchange_judge_peer(const struct source *s,
                                               const struct source_terms *terms,
                                               const struct packet *p, ntp_time arrival)
{
    const struct exchange *x = &s->exchange;
    if (p->mode != MODE_ACTIVE && p->mode != MODE_PASSIVE) {
        return SOURCE_BAD_MODE;
    }
    if (ntp_is_zero(p->transmit)) {
        return SOURCE_ZERO;
    }
    /* What I sent before my last packet shows itself by its origin: only I echo the peer's own
     * words. */
    bool is_my_echo = !ntp_is_zero(p->origin) && ntp_equal(p->origin, x->peer_transmit);
    if (ntp_equal(p->transmit, x->sent_wire) || is_my_echo) {
        return SOURCE_REFLECTED;
    }
    enum source_verdict match = exchange_match(s, p);
    if (match != SOURCE_SAMPLE) {
        return exchange_unasked(s, terms, p, arrival);
    }
    if (ntp_is_zero(p->receive)) {
        return SOURCE_ZERO;
    }
    return SOURCE_SAMPLE;
}

static enum source_verdict exchange_judge_server(const struct source *s, const struct packet *p)
{
    if (p->mode != MODE_SERVER) {
        return SOURCE_BAD_MODE;
    }
    if (ntp_is_zero(p->transmit) && p->stratum != STRATUM_UNSPECIFIED) {
        return SOURCE_ZERO;
    }
    return exchange_match(s, p);
}

static bool exchange_is_kiss(const struct packet *p)
{
    return p->stratum == STRATUM_UNSPECIFIED &&
           (p->refid == KISS_RATE || p->refid == KISS_DENY || p->refid == KISS_RSTR);
}

void source_verify(const struct source *s, const struct source_terms *terms, const struct packet *p,
                   const struct datagram *in, mono_time now, struct verified *out)
{
    out->packet = p;
    out->arrival = in->stamp;
    out->is_synchronised = false;
    out->verdict = source_is_symmetric(s) ? exchange_judge_peer(s, terms, p, in->stamp)
                                          : exchange_judge_server(s, p);
    if (out->verdict != SOURCE_SAMPLE) {
        return;
    }
    if (exchange_is_kiss(p)) {
        out->verdict = SOURCE_KISS;
        return;
    }
    if (!exchange_is_sane(p)) {
        out->verdict = SOURCE_INSANE;
        return;
    }
    out->is_synchronised = exchange_is_synchronised(p);
    exchange_measure(s, terms, p, out, now);
}

static const char *const verdict_texts[SOURCE_VERDICTS] = {
    [SOURCE_SAMPLE] = "a sample",
    [SOURCE_STATE] = "state only",
    [SOURCE_KISS] = "kiss-o'-death",
    [SOURCE_BAD_MODE] = "wrong mode",
    [SOURCE_BAD_VERSION] = "wrong version",
    [SOURCE_RESTRICTED] = "restricted",
    [SOURCE_NO_MAC] = "no MAC",
    [SOURCE_CRYPTO_NAK] = "crypto-NAK",
    [SOURCE_BAD_AUTH] = "MAC does not verify",
    [SOURCE_ZERO] = "zero timestamp",
    [SOURCE_BOGUS] = "origin is not my transmission",
    [SOURCE_DUPLICATE] = "duplicate",
    [SOURCE_REFLECTED] = "my own packet came back",
    [SOURCE_OLD] = "not newer than what was accepted",
    [SOURCE_FAR] = "too far from my clock",
    [SOURCE_TOO_OFTEN] = "second unasked packet in one poll",
    [SOURCE_INSANE] = "impossible header",
};

const char *source_verdict_text(enum source_verdict verdict)
{
    return verdict < SOURCE_VERDICTS ? verdict_texts[verdict] : "unknown";
}
