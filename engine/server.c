/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers to strangers. A request passes every test or gets silence: no error is ever sent, and no
 * packet of a mode that could itself be an answer is answered, so that two servers cannot be set at
 * each other.
 */
#include "server.h"

#include <assert.h>

#include "clients.h"

static_assert(sizeof(struct server_view) <= 128, "a view is copied often and stays small");

double server_view_dispersion_s(const struct server_view *view, mono_time now)
{
    double elapsed_s = mono_diff_s(now, view->as_of);
    double grown_s = elapsed_s > 0.0 ? view->dispersion_rate * elapsed_s : 0.0;
    double dispersion_s = view->root_dispersion_s + grown_s;
    return dispersion_s > 0.0 ? dispersion_s : 0.0;
}

/* A version-1 host has no mode field. Its servers answer from port 123, so what comes from there
 * may be an answer and is left alone. */
static uint8_t mode_of(const struct packet *request, const struct endpoint *peer)
{
    bool is_rfc1059_client =
        request->version == 1 && request->mode == MODE_RESERVED && peer->port != NTP_PORT;
    return is_rfc1059_client ? MODE_CLIENT : request->mode;
}

static bool is_own(const struct service_rules *rules, const struct address *address)
{
    for (size_t i = 0; i < rules->own_count; i++) {
        if (address_equal(&rules->own[i], address)) {
            return true;
        }
    }
    return false;
}

bool service_believes_source(const struct service_rules *rules, const struct datagram *in)
{
    if (in->peer.port == 0 || !address_is_unicast(&in->peer.address)) {
        return false;
    }
    if (address_is_loopback(&in->peer.address)) {
        return address_is_loopback(&in->local.address);
    }
    return !is_own(rules, &in->peer.address);
}

static bool is_permitted(uint16_t flags, const struct packet *request, struct clients *clients)
{
    bool is_signed = request->has_mac && !request->is_crypto_nak;
    if (flags & ACCESS_NOSERVE) {
        return false;
    }
    if ((flags & ACCESS_VERSION) && request->version != 4) {
        return false;
    }
    if ((flags & ACCESS_NOTRUST) && !is_signed) {
        return false;
    }
    return !((flags & ACCESS_FLAKE) && clients && clients_flake(clients));
}

/* What a request must pass before it costs anything but a look. *flags: of the access list. */
static enum service_verdict judge_sender(const struct service_rules *rules,
                                         const struct datagram *in, uint8_t mode, uint16_t *flags)
{
    if (mode != MODE_CLIENT && mode != MODE_ACTIVE) {
        return SERVICE_MODE;
    }
    if (!service_believes_source(rules, in)) {
        return SERVICE_OWN_ADDRESS;
    }
    *flags = access_check(rules->access, &in->peer).flags;
    return *flags & ACCESS_IGNORE ? SERVICE_RESTRICTED : SERVICE_ANSWERED;
}

/* Whether the client table lets the request be answered, and how. */
static enum service_verdict judge_rate(const struct service_rules *rules, struct clients *clients,
                                       const struct datagram *in, uint8_t mode, uint8_t version,
                                       uint16_t flags, mono_time now)
{
    if (!clients) {
        return SERVICE_ANSWERED;
    }
    switch (clients_note(clients, &in->peer, &in->local.address, mode, version, flags,
                         rules->discard, now)) {
    case CLIENT_SERVE:
        return SERVICE_ANSWERED;
    case CLIENT_KISS:
        return SERVICE_KISSED;
    case CLIENT_DROP:
        break;
    }
    return SERVICE_LIMITED;
}

static int8_t granted_poll(const struct server_view *view, int8_t asked)
{
    int8_t least = view->poll > POLL_MIN ? view->poll : POLL_MIN;
    int8_t poll = asked > least ? asked : least;
    return poll < POLL_MAX ? poll : POLL_MAX;
}

/* What every answer has, whether it carries time or a kiss. */
static struct packet begin_answer(const struct server_view *view, const struct packet *request,
                                  uint8_t mode, const struct datagram *in, struct instant now)
{
    return (struct packet){.leap = LEAP_UNKNOWN,
                           .version = request->version,
                           .mode = mode == MODE_ACTIVE ? MODE_PASSIVE : MODE_SERVER,
                           .stratum = STRATUM_UNSPECIFIED,
                           .poll = granted_poll(view, request->poll),
                           .precision = view->precision,
                           .origin = request->transmit,
                           .receive = in->stamp,
                           .transmit = now.clock};
}

static void add_time(struct packet *answer, const struct server_view *view, mono_time now)
{
    answer->root_delay = ntp_short_from_s(view->root_delay_s);
    answer->root_dispersion = ntp_short_from_s(server_view_dispersion_s(view, now));
    answer->reference = view->reference_time;
    if (view->leap != LEAP_UNKNOWN && view->stratum < STRATUM_MAX) {
        answer->leap = view->leap;
        answer->stratum = stratum_to_wire(view->stratum);
        answer->refid = view->refid;
    }
}

size_t server_answer(const struct server_view *view, const struct service_rules *rules,
                     struct clients *clients, const struct datagram *in,
                     const struct packet *request, struct instant now,
                     uint8_t reply[DATAGRAM_SIZE_MAX], enum service_verdict *verdict)
{
    uint16_t flags = 0;
    uint8_t mode = mode_of(request, &in->peer);
    *verdict = judge_sender(rules, in, mode, &flags);
    if (*verdict != SERVICE_ANSWERED) {
        return 0;
    }
    if (!is_permitted(flags, request, clients)) {
        *verdict = SERVICE_RESTRICTED;
        return 0;
    }
    *verdict = judge_rate(rules, clients, in, mode, request->version, flags, now.mono);
    if (*verdict == SERVICE_LIMITED) {
        return 0;
    }
    if (request->has_mac &&
        auth_verify(rules->keys, 0, &in->peer.address, request, in->bytes) != AUTH_OK) {
        *verdict = SERVICE_BAD_AUTH;
        return 0;
    }
    struct packet answer = begin_answer(view, request, mode, in, now);
    if (*verdict == SERVICE_KISSED) {
        answer.refid = KISS_RATE;
    } else {
        add_time(&answer, view, now.mono);
    }
    packet_write(&answer, reply);
    size_t size = PACKET_HEADER_SIZE;
    if (request->has_mac) {
        size += auth_append(key_find(rules->keys, request->key_id), reply, size);
    }
    assert(size <= in->size);
    return size;
}

size_t server_reply(const struct server_view *view, const struct service_rules *rules,
                    struct clients *clients, const struct datagram *in, struct instant now,
                    uint8_t reply[DATAGRAM_SIZE_MAX], enum service_verdict *verdict)
{
    struct packet request;
    uint16_t flags;
    enum packet_verdict form = packet_parse(in->bytes, in->size, &request);
    if (form == PACKET_CONTROL) {
        *verdict = SERVICE_MODE;
        return 0;
    }
    if (form == PACKET_SHORT || form == PACKET_VERSION || in->truncated) {
        *verdict = SERVICE_MALFORMED;
        return 0;
    }
    if (form == PACKET_OK) {
        return server_answer(view, rules, clients, in, &request, now, reply, verdict);
    }
    /* Its header can be read: who must not even ask is told from who asks wrongly. */
    *verdict = judge_sender(rules, in, mode_of(&request, &in->peer), &flags);
    *verdict = *verdict == SERVICE_ANSWERED ? SERVICE_MALFORMED : *verdict;
    return 0;
}

const char *service_verdict_text(enum service_verdict verdict)
{
    switch (verdict) {
    case SERVICE_ANSWERED:
        return "answered";
    case SERVICE_KISSED:
        return "answered with RATE";
    case SERVICE_MALFORMED:
        return "malformed";
    case SERVICE_MODE:
        return "no request by its mode";
    case SERVICE_OWN_ADDRESS:
        return "impossible source address";
    case SERVICE_RESTRICTED:
        return "restricted";
    case SERVICE_LIMITED:
        return "over the rate limit";
    case SERVICE_BAD_AUTH:
        return "not authentic";
    case SERVICE_VERDICTS:
        break;
    }
    return "unknown verdict";
}

void service_count(struct service_counts *counts, const struct datagram *in,
                   enum service_verdict verdict)
{
    counts->verdicts[verdict]++;
    if (in->size == 0) {
        return;
    }
    unsigned version = in->bytes[0] >> 3 & 7, mode = in->bytes[0] & 7;
    if (version == 4) {
        counts->version_4++;
        return;
    }
    counts->version_older++;
    if (version == 1) {
        counts->version_1++;
        counts->version_1_clients += mode == MODE_CLIENT;
        counts->version_1_modeless += mode == MODE_RESERVED;
        counts->version_1_symmetric += mode == MODE_ACTIVE;
    }
}

void service_counts_add(struct service_counts *sum, const struct service_counts *part)
{
    for (unsigned i = 0; i < SERVICE_VERDICTS; i++) {
        sum->verdicts[i] += part->verdicts[i];
    }
    sum->version_4 += part->version_4;
    sum->version_older += part->version_older;
    sum->version_1 += part->version_1;
    sum->version_1_clients += part->version_1_clients;
    sum->version_1_modeless += part->version_1_modeless;
    sum->version_1_symmetric += part->version_1_symmetric;
}
