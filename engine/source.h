/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One association, client or symmetric: when to ask, what was asked, what may be believed of an
 * answer.
 *
 * Three steps that never mix: a packet is parsed, then verified against the exchange (exchange.c,
 * pure), then committed (source_commit(), the only writer of what a packet can change). A packet
 * that fails a test leaves nothing behind. Selection among sources is not here.
 */
#ifndef HOLDFAST_SOURCE_H
#define HOLDFAST_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "engine_config.h"
#include "filter.h"
#include "packet.h"
#include "random.h"
#include "server.h"
#include "status_word.h"

/* What the two sides last said to each other. Zero timestamps mean "nothing yet". */
struct exchange {
    ntp_time sent_wire;  /* transmit field of my last packet: a nonce, or for a peer my clock */
    ntp_time sent_stamp; /* when it left, by my clock */
    mono_time sent_at;
    double sent_slewed_s;   /* the ledger's sum then */
    bool is_outstanding;    /* my last packet has given no sample yet */
    bool took_state;        /* a state-only packet was taken since my last poll */
    ntp_time peer_transmit; /* of the packet I echo */
    ntp_time peer_arrival;  /* when it came, by my clock */
    double peer_slewed_s;
    ntp_time newest; /* the latest transmit time ever accepted from this peer */
    bool has_newest;
};

struct source {
    const struct association_config *config;
    uint16_t association; /* index of config */
    uint16_t family;      /* one piece of evidence: a line, or the whole group */
    bool is_resolved, is_member;
    struct endpoint peer, local;
    uint32_t request; /* of the last send; 0 = none, as for every symmetric source */
    uint16_t access;  /* enum access_flag: what holds for answers from `peer` */

    uint8_t reach;      /* last eight polls, newest in bit 0 */
    uint8_t unanswered; /* polls in a row, saturating */
    uint8_t burst_left;
    bool has_bursted;    /* iburst is made once per loss */
    bool has_fresh;      /* a new estimate that no selection has seen: one is made after a burst */
    uint8_t probation;   /* good samples still wanted before it has a vote */
    int8_t hpoll, ppoll; /* log2 s: mine, the peer's */
    int8_t kiss_poll;    /* floor set by RATE, decays; 0 = none */
    uint8_t kiss_decay;
    uint8_t interval_noise; /* 0 ... 255: this interval is longer by so many 4096ths */
    bool is_denied;         /* DENY or RSTR */
    mono_time polled, next_poll;

    struct exchange exchange;

    /* What the peer says of itself, from its last verified answer. */
    uint8_t leap, stratum;
    int8_t precision;
    bool follows_me; /* refid is one of mine */
    uint32_t refid;
    ntp_time reference_time;
    uint8_t pmode;                          /* its mode; 0 = nothing heard yet */
    double root_delay_s, root_dispersion_s; /* as of `heard` */
    mono_time heard;

    double claim_age_s; /* when it was sent, since its reference time; by the peer's clock */

    struct filter filter;
    uint8_t selection; /* enum selection */

    struct event_tally event;
    uint16_t flash; /* flash bits: what the last packet failed, 0 = nothing; decides nothing */
};

/* Why a packet was not believed, or what it was good for. */
enum source_verdict {
    SOURCE_SAMPLE, /* answers my last packet: may yield a sample */
    SOURCE_STATE,  /* from a peer, newer than any: updates what I echo */
    SOURCE_KISS,
    SOURCE_BAD_MODE,
    SOURCE_BAD_VERSION,
    SOURCE_RESTRICTED,
    SOURCE_NO_MAC,
    SOURCE_CRYPTO_NAK,
    SOURCE_BAD_AUTH,
    SOURCE_ZERO,      /* a timestamp that must be there is zero */
    SOURCE_BOGUS,     /* answers no question of mine */
    SOURCE_DUPLICATE, /* the question has been answered */
    SOURCE_REFLECTED, /* my own packet */
    SOURCE_OLD,       /* not newer than what was accepted */
    SOURCE_FAR,       /* new, but too far from my clock to be believed unasked */
    SOURCE_TOO_OFTEN, /* a second state-only packet in one poll */
    SOURCE_INSANE,    /* stratum, times or distances that cannot be */
    SOURCE_VERDICTS
};

/* What the tests need to know of the engine. */
struct source_terms {
    const struct engine_config *config;
    double slewed_s; /* the ledger's sum now */
    bool is_synchronised;
    double own_bound_s; /* my root distance */
};

/* A verified packet, ready to commit. */
struct verified {
    enum source_verdict verdict;
    const struct packet *packet;
    ntp_time arrival;     /* T4 */
    bool is_synchronised; /* the sender says it is; only then there is a sample */
    struct filter_sample sample;
};

/* Not yet resolved, nothing sent. */
void source_init(struct source *s, const struct association_config *config, uint16_t association,
                 mono_time now);

/* Gives it an address; forgets what another address said. */
void source_assign(struct source *s, const struct endpoint *peer, mono_time now);

/* Forgets samples, reach and the exchange; keeps the address and the newest accepted transmit
 * time. */
void source_reset(struct source *s, mono_time now);

/* A leap second, which source and I have had: outstanding questions and echoes are void. Samples
 * are differences between the two clocks, and stay. */
void source_leapt(struct source *s);

/* A step of my own clock: outstanding questions, echoes and samples are void. */
void source_stepped(struct source *s, mono_time now);

static inline bool source_is_symmetric(const struct source *s)
{
    return s->config->kind == ASSOCIATION_PEER;
}

/* Three polls in a row without an answer, the one under way (bit 0) not counted. */
static inline bool source_is_late(const struct source *s)
{
    return (s->reach & ((1u << (FAIL_FAST_POLLS + 1)) - 1)) == 0;
}

/* Builds the next packet in out->bytes (without MAC), notes the transmission, shifts reach when it
 * opens a poll; sets out->peer, local, request, size. `view` is what a symmetric packet says of
 * me. */
void source_transmit(struct source *s, const struct source_terms *terms,
                     const struct server_view *view, struct random_stream *random, uint32_t request,
                     struct instant now, struct outgoing *out);

/* Sets next_poll after a transmission, or after the poll exponent changed. */
void source_schedule(struct source *s, mono_time now);

/* Our packets crossed on the way, and neither answers the other. Both sides wait about as long, so
 * that they would cross again and again: the side with the smaller address sends half an interval
 * from now. */
void source_uncross(struct source *s, mono_time now);

/* Judges a parsed and authenticated packet against the exchange. Changes nothing. out->sample is
 * set where there is one only. */
void source_verify(const struct source *s, const struct source_terms *terms, const struct packet *p,
                   const struct datagram *in, mono_time now, struct verified *out);

/* The only writer of what a packet can change. The filter is not touched. */
void source_commit(struct source *s, const struct verified *v, const struct source_terms *terms,
                   mono_time now);

/* Root distance of the source as it stands now, seconds: (root delay + delay) / 2 + root dispersion
 * + dispersion + jitter (RFC 5905 11.2). */
static inline double source_distance_s(const struct source *s, double tolerance, mono_time now)
{
    return (s->root_delay_s + s->filter.delay_s) / 2.0 + s->root_dispersion_s +
           filter_dispersion_s(&s->filter, tolerance, now) + s->filter.jitter_s;
}

const char *source_verdict_text(enum source_verdict verdict);

#endif
