/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who may say what to an engine: access rules of a campus time group, keys, sockets, kisses. Each
 * refusal leaves the engine's memory, but for a counter, as it was.
 */
#include "../engine/constants.h"
#include "check.h"
#include "wire.h"

/* The rules of a campus server: ignore by default, a network that may ask, one peer with all
 * rights. */
static const struct restrict_entry campus_rules[] = {
    {.address = {ADDRESS_V4, {140, 160, 247, 31}}, .prefix = 32, .ippeerlimit = -1, .line = 12},
    {.address = {ADDRESS_V4, {140, 160}},
     .prefix = 16,
     .flags = ACCESS_NOMODIFY | ACCESS_NOPEER,
     .ippeerlimit = -1,
     .line = 11},
    {.address = {ADDRESS_V4, {0}},
     .is_default = true,
     .flags = ACCESS_IGNORE,
     .ippeerlimit = -1,
     .line = 10},
    {.address = {ADDRESS_V6, {0}},
     .is_default = true,
     .flags = ACCESS_IGNORE,
     .ippeerlimit = -1,
     .line = 10},
};

static const struct key campus_keys[] = {
    {.id = 1, .type = KEY_SHA1, .is_trusted = true, .secret_size = 4, .secret = "camp"},
    {.id = 2, .type = KEY_SHA1, .is_trusted = true, .secret_size = 5, .secret = "other"},
};

/* tick at 140.160.11.86 with one upstream and the peer tock, which a test speaks for. */
struct campus {
    struct wire *w;
    struct wire_node *tick;
    struct source *upstream, *tock;
    struct restrict_entry rules[4];
};

static void campus_open(struct campus *c)
{
    c->w = wire_new();
    c->tick = wire_add_node(c->w, wire_address(140, 160, 11, 86));
    memcpy(c->rules, campus_rules, sizeof campus_rules);
    c->tick->config.access = (struct access_list){c->rules, 4};
    c->tick->config.keys = (struct key_table){campus_keys, 2};
    wire_add_upstream(c->w, wire_address(198, 51, 100, 1));
    wire_add_line(c->tick, ASSOCIATION_SERVER, wire_address(198, 51, 100, 1));
    wire_add_line(c->tick, ASSOCIATION_PEER, wire_address(140, 160, 247, 31))->key = 1;
    wire_start(c->tick);
    c->upstream = &c->tick->engine->sources[0];
    c->tock = &c->tick->engine->sources[1];
}

/* The upstream's answers are judged by the rules as they are now: an engine is told of other rules
 * only with another configuration. */
static void campus_rule(const struct campus *c)
{
    engine_note_source(c->tick->engine, c->upstream);
}

/* Runs until the source has just been asked and its answer is not there yet. */
static void campus_ask(struct campus *c, const struct source *s)
{
    for (int i = 0; i < 1000 && !s->exchange.is_outstanding; i++) {
        wire_run(c->w, s_from_ticks(c->tick->wake.ticks));
    }
    CHECK(s->exchange.is_outstanding);
}

/* An honest answer to what the source was asked, from where it lives. */
static struct wire_packet honest(const struct campus *c, const struct source *s, uint8_t mode,
                                 const struct key *key)
{
    struct wire_packet packet = {
        .from = s->peer, .to = {c->tick->own, NTP_PORT}, .size = PACKET_HEADER_SIZE};
    ntp_time clock = wire_true_time(c->w);
    struct packet p = {.version = 4,
                       .mode = mode,
                       .stratum = 2,
                       .poll = 6,
                       .precision = -20,
                       .refid = 0x01020304,
                       .reference = ntp_add_s(clock, -5.0),
                       .origin = s->exchange.sent_wire,
                       .receive = ntp_add_s(clock, -0.001),
                       .transmit = clock};
    if (mode == MODE_SERVER) {
        packet.to.port = (uint16_t)(WIRE_PORTS + s->request);
    }
    packet_write(&p, packet.bytes);
    if (key) {
        packet.size = (uint16_t)(packet.size + auth_append(key, packet.bytes, packet.size));
    }
    return packet;
}

/* The packet arrives now, and must be refused without a trace; `why` NULL: silently; "": for
 * any reason. */
static void refused(struct campus *c, const struct wire_packet *packet, const char *why,
                    unsigned line)
{
    uint64_t before = wire_hash(c->tick);
    int rejects = c->tick->rejects, sends = c->tick->sends;
    c->tick->last_why[0] = '\0';
    wire_arrive(c->tick, packet);
    check_report(wire_hash(c->tick) == before, "memory is untouched", __FILE__, line);
    check_integer(c->tick->sends, sends, "sends", __FILE__, line);
    if (why && *why) {
        check_text(c->tick->last_why, why, "reason", __FILE__, line);
    } else if (!why) {
        check_integer(c->tick->rejects, rejects, "rejects", __FILE__, line);
    }
}

#define REFUSED(packet, why) refused(&c, &(packet), (why), __LINE__)

static void taken(struct campus *c, const struct wire_packet *packet, const struct source *s,
                  unsigned line)
{
    int index = (int)(s - c->tick->engine->sources);
    int answers = c->tick->answers[index];
    wire_arrive(c->tick, packet);
    check_integer(c->tick->answers[index] - answers, 1, "answers", __FILE__, line);
}

#define TAKEN(packet, s) taken(&c, &(packet), (s), __LINE__)

static void replies_of_upstreams_pass_ignore_by_default(void)
{
    struct campus c;
    campus_open(&c);
    wire_run(c.w, 1000.0);
    CHECK(c.tick->samples[0] >= 10);
    CHECK_INT(wire_state(c.tick), STATE_SYNCHRONISED);
    wire_free(c.w);
}

static void replies_do_not_pass_an_entry_that_names_them(void)
{
    static const uint16_t flags[] = {ACCESS_IGNORE, ACCESS_NOSERVE};
    for (int i = 0; i < 2; i++) {
        struct campus c;
        campus_open(&c);
        c.rules[1].address = wire_address(198, 51, 0, 0);
        c.rules[1].flags = flags[i];
        campus_rule(&c);
        campus_ask(&c, c.upstream);
        struct wire_packet reply = honest(&c, c.upstream, MODE_SERVER, NULL);
        REFUSED(reply, "restricted");
        c.rules[1].flags = ACCESS_NOQUERY;
        campus_rule(&c);
        TAKEN(reply, c.upstream);
        wire_free(c.w);
    }
}

static void restrict_source_takes_the_place_of_the_default_for_replies(void)
{
    struct campus c;
    campus_open(&c);
    campus_ask(&c, c.upstream);
    struct wire_packet reply = honest(&c, c.upstream, MODE_SERVER, NULL);
    c.tick->engine->config.restrict_source = true;
    c.tick->engine->config.restrict_source_flags = ACCESS_IGNORE;
    campus_rule(&c);
    REFUSED(reply, "restricted");
    c.tick->engine->config.restrict_source_flags = ACCESS_NOMODIFY;
    campus_rule(&c);
    TAKEN(reply, c.upstream);
    wire_free(c.w);
}

static void version_and_notrust_hold_for_replies_too(void)
{
    struct campus c;
    campus_open(&c);
    campus_ask(&c, c.upstream);
    struct wire_packet reply = honest(&c, c.upstream, MODE_SERVER, NULL);
    c.rules[2].flags = ACCESS_IGNORE | ACCESS_NOTRUST;
    campus_rule(&c);
    REFUSED(reply, "no MAC");
    struct wire_packet dressed = honest(&c, c.upstream, MODE_SERVER, &campus_keys[0]);
    dressed.bytes[60] ^= 1; /* nobody could verify it: the line has no key */
    REFUSED(dressed, "no MAC");
    c.rules[2].flags = ACCESS_VERSION;
    campus_rule(&c);
    reply.bytes[0] = (uint8_t)(3 << 3 | MODE_SERVER);
    REFUSED(reply, "wrong version");
    c.rules[2].flags = 0;
    campus_rule(&c);
    TAKEN(reply, c.upstream);
    wire_free(c.w);
}

/* A client's request from `from`; returns whether it was answered. */
static bool is_served(struct campus *c, struct address from, uint8_t mode)
{
    struct wire_packet packet = {
        .from = {from, 4123}, .to = {c->tick->own, NTP_PORT}, .size = PACKET_HEADER_SIZE};
    packet.bytes[0] = (uint8_t)(4 << 3 | mode);
    packet.bytes[47] = 77;
    int sends = c->tick->sends;
    wire_arrive(c->tick, &packet);
    return c->tick->sends == sends + 1;
}

static void the_campus_is_served_and_the_world_is_not(void)
{
    struct campus c;
    campus_open(&c);
    wire_run(c.w, 1000.0);
    CHECK(is_served(&c, wire_address(140, 160, 20, 3), MODE_CLIENT));
    CHECK(is_served(&c, wire_address(140, 160, 20, 3), MODE_ACTIVE)); /* without any state */
    CHECK(is_served(&c, wire_address(140, 160, 247, 31), MODE_CLIENT));
    uint64_t before = wire_hash(c.tick);
    CHECK(!is_served(&c, wire_address(140, 161, 20, 3), MODE_CLIENT));
    CHECK(!is_served(&c, wire_address(198, 51, 100, 1), MODE_CLIENT));
    CHECK(!is_served(&c, wire_address(198, 51, 100, 1), MODE_ACTIVE));
    CHECK_INT(engine_source_count(c.tick->engine), 2);
    CHECK(wire_hash(c.tick) == before);
    wire_free(c.w);
}

static void a_peer_passes_by_its_own_key_alone(void)
{
    struct campus c;
    campus_open(&c);
    campus_ask(&c, c.tock);
    struct wire_packet good = honest(&c, c.tock, MODE_ACTIVE, &campus_keys[0]);
    struct wire_packet bare = honest(&c, c.tock, MODE_ACTIVE, NULL);
    struct wire_packet other = honest(&c, c.tock, MODE_ACTIVE, &campus_keys[1]);
    struct wire_packet bad = good, cut = good, nak = bare, zero = good, longer = good;
    REFUSED(bare, "no MAC");
    REFUSED(other, "MAC does not verify"); /* valid, but another association's */
    for (int at = 0; at < bad.size; at++) {
        bad = good;
        bad.bytes[at] ^= 0x10; /* in header, key id or digest */
        struct packet p;
        bool is_peer_packet = packet_parse(bad.bytes, bad.size, &p) == PACKET_OK &&
                              (p.mode == MODE_ACTIVE || p.mode == MODE_PASSIVE);
        if (is_peer_packet) {
            REFUSED(bad, "MAC does not verify");
        }
    }
    memset(zero.bytes + 48, 0, 4); /* key id 0 */
    REFUSED(zero, "MAC does not verify");
    cut.size -= 4;
    REFUSED(cut, "MAC does not verify");
    longer.size += 4; /* trailing bytes make it another grammar */
    REFUSED(longer, NULL);
    nak.size += 4; /* four zero bytes: a crypto-NAK */
    REFUSED(nak, "crypto-NAK");
    TAKEN(good, c.tock); /* a moment later the genuine one is as good as ever */
    wire_free(c.w);
}

static void a_peer_without_a_key_passes_by_the_access_list(void)
{
    struct campus c;
    campus_open(&c);
    c.tick->lines[1].key = 0;
    campus_ask(&c, c.tock);
    struct wire_packet bare = honest(&c, c.tock, MODE_ACTIVE, NULL);
    c.rules[0].flags = ACCESS_IGNORE;
    REFUSED(bare, "restricted");
    c.rules[0].flags = ACCESS_NOTRUST;
    REFUSED(bare, "no MAC");
    c.rules[0].flags = ACCESS_NOPEER; /* forbids new associations, not this one */
    TAKEN(bare, c.tock);
    wire_free(c.w);
}

static void a_keyed_peer_passes_by_its_mac_although_ignored(void)
{
    struct campus c;
    campus_open(&c);
    c.rules[0].flags = ACCESS_IGNORE;
    campus_ask(&c, c.tock);
    struct wire_packet good = honest(&c, c.tock, MODE_ACTIVE, &campus_keys[0]);
    TAKEN(good, c.tock);
    wire_free(c.w);
}

static void a_right_nonce_on_another_socket_is_refused(void)
{
    struct campus c;
    campus_open(&c);
    wire_run(c.w, 100.0);
    campus_ask(&c, c.upstream);
    struct wire_packet reply = honest(&c, c.upstream, MODE_SERVER, NULL);
    struct wire_packet forged = reply;
    forged.to.port = NTP_PORT;
    REFUSED(forged, NULL);
    forged.to.port = (uint16_t)(reply.to.port - 1);
    REFUSED(forged, NULL);
    forged = reply;
    forged.from.port = 4000;
    REFUSED(forged, NULL);
    forged = reply;
    forged.from.address.bytes[3] ^= 1;
    REFUSED(forged, NULL);
    forged = reply;
    forged.bytes[0] = (uint8_t)(4 << 3 | MODE_ACTIVE);
    REFUSED(forged, "wrong mode");
    TAKEN(reply, c.upstream);
    wire_free(c.w);
}

static void a_late_answer_to_the_socket_before_is_refused(void)
{
    struct campus c;
    campus_open(&c);
    campus_ask(&c, c.upstream);
    struct wire_packet reply = honest(&c, c.upstream, MODE_SERVER, NULL);
    wire_run(c.w, wire_s(c.w) + 300.0);
    REFUSED(reply, NULL);
    wire_free(c.w);
}

static void malformed_datagrams_change_nothing(void)
{
    struct campus c;
    campus_open(&c);
    campus_ask(&c, c.upstream);
    struct wire_packet reply = honest(&c, c.upstream, MODE_SERVER, NULL);
    for (uint16_t size = 0; size < 80; size++) {
        struct wire_packet bent = reply;
        bent.size = size;
        if (size != 48) {
            memset(bent.bytes + 48, 0x33, sizeof bent.bytes - 48);
            struct packet p;
            if (packet_parse(bent.bytes, size, &p) != PACKET_OK) {
                REFUSED(bent, NULL);
            }
        }
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        struct wire_packet bent = reply;
        bent.bytes[0] = (uint8_t)byte;
        if ((byte & 7) != MODE_SERVER) {
            REFUSED(bent, "");
        }
    }
    TAKEN(reply, c.upstream);
    wire_free(c.w);
}

static void a_truncated_datagram_is_not_looked_at(void)
{
    struct campus c;
    struct effects out;
    campus_open(&c);
    campus_ask(&c, c.upstream);
    struct wire_packet reply = honest(&c, c.upstream, MODE_SERVER, NULL);
    struct datagram in = {.peer = reply.from,
                          .local = {c.tick->own, 0},
                          .request = c.upstream->request,
                          .stamp = wire_clock(c.tick),
                          .bytes = reply.bytes,
                          .size = reply.size,
                          .truncated = true};
    uint64_t before = wire_hash(c.tick);
    engine_receive(c.tick->engine, wire_instant(c.tick), &in, &out);
    CHECK_INT(out.todo, 0);
    CHECK(wire_hash(c.tick) == before);
    in.truncated = false;
    engine_receive(c.tick->engine, wire_instant(c.tick), &in, &out);
    CHECK(wire_hash(c.tick) != before);
    wire_free(c.w);
}

static struct wire_packet kiss_of(const struct campus *c, const struct source *s, uint32_t code)
{
    struct wire_packet packet = honest(c, s, MODE_SERVER, NULL);
    packet.bytes[0] |= LEAP_UNKNOWN << 6;
    packet.bytes[1] = STRATUM_UNSPECIFIED;
    for (int i = 0; i < 4; i++) {
        packet.bytes[12 + i] = (uint8_t)(code >> (24 - 8 * i));
    }
    return packet;
}

static void deny_silences_a_source_for_a_day_but_only_with_my_nonce(void)
{
    struct campus c;
    campus_open(&c);
    wire_run(c.w, 1000.0);
    struct wire_packet stale = kiss_of(&c, c.upstream, KISS_DENY);
    campus_ask(&c, c.upstream);
    REFUSED(stale, NULL); /* the socket is gone */
    struct wire_packet blind = kiss_of(&c, c.upstream, KISS_DENY);
    blind.bytes[31] ^= 1;
    REFUSED(blind, "origin is not my transmission");
    struct wire_packet deny = kiss_of(&c, c.upstream, KISS_DENY);
    double denied_s = wire_s(c.w);
    wire_arrive(c.tick, &deny);
    CHECK(c.upstream->is_denied);
    wire_run(c.w, wire_s(c.w) + 10.0);
    CHECK_INT(wire_state(c.tick), STATE_HOLDOVER); /* it was the only one */
    int asked = c.w->upstreams[0].asked;
    wire_run(c.w, denied_s + 86390.0);
    CHECK_INT(c.w->upstreams[0].asked, asked);
    wire_run(c.w, denied_s + 86410.0);
    CHECK_INT(c.w->upstreams[0].asked, asked + 1);
    CHECK(!c.upstream->is_denied);
    wire_free(c.w);
}

static void a_kiss_to_a_keyed_line_needs_its_mac(void)
{
    struct campus c;
    campus_open(&c);
    c.tick->lines[0].key = 1;
    campus_ask(&c, c.upstream);
    struct wire_packet kiss = kiss_of(&c, c.upstream, KISS_DENY);
    REFUSED(kiss, "no MAC");
    kiss.size = (uint16_t)(48 + auth_append(&campus_keys[1], kiss.bytes, 48));
    REFUSED(kiss, "MAC does not verify");
    kiss.size = (uint16_t)(48 + auth_append(&campus_keys[0], kiss.bytes, 48));
    wire_arrive(c.tick, &kiss);
    CHECK(c.upstream->is_denied);
    wire_free(c.w);
}

static void a_flood_of_forgeries_costs_no_sample_and_no_poll(void)
{
    struct campus c, quiet;
    campus_open(&c);
    campus_open(&quiet);
    wire_run(quiet.w, 5000.0);
    for (int t = 1; t <= 5000; t++) {
        wire_run(c.w, t);
        struct wire_packet forged = honest(&c, c.upstream, MODE_SERVER, NULL);
        forged.bytes[28] ^= 0x40;
        wire_arrive(c.tick, &forged);
        forged = honest(&c, c.tock, MODE_ACTIVE, &campus_keys[1]);
        wire_arrive(c.tick, &forged);
        memset(forged.bytes + 24, 0, 8);
        forged.size = 48;
        wire_arrive(c.tick, &forged);
    }
    CHECK(c.tick->rejects >= 15000 - 5000);
    CHECK_INT(c.tick->samples[0], quiet.tick->samples[0]);
    CHECK_INT(c.tick->sends, quiet.tick->sends);
    CHECK(wire_clock(c.tick).ticks == wire_clock(quiet.tick).ticks);
    wire_free(c.w);
    wire_free(quiet.w);
}

/* Keeps the last raw exchange, and counts them. */
struct raw_watch {
    struct trace_record last;
    int count;
};

static void watch_raw(void *context, const struct trace_record *r)
{
    struct raw_watch *watch = context;
    if (r->kind == TRACE_RAW) {
        watch->last = *r;
        watch->count++;
    }
}

static void an_exchange_is_told_by_when_it_left_and_never_by_its_nonce(void)
{
    struct campus c;
    struct raw_watch watch = {.count = 0};
    campus_open(&c);
    campus_ask(&c, c.upstream);
    engine_set_trace(c.tick->engine, TRACE_ALL, watch_raw, &watch);
    struct exchange asked = c.upstream->exchange;
    struct wire_packet forged = honest(&c, c.upstream, MODE_SERVER, NULL);
    forged.bytes[28] ^= 0x40;
    wire_arrive(c.tick, &forged);
    CHECK_INT(watch.count, 0);
    c.w->now += ticks_from_s(0.25);
    struct wire_packet answer = honest(&c, c.upstream, MODE_SERVER, NULL);
    wire_arrive(c.tick, &answer);
    wire_arrive(c.tick, &answer);
    CHECK_INT(watch.count, 1);
    CHECK_INT(watch.last.source, 0);
    CHECK(watch.last.u.raw.sent.ticks == asked.sent_stamp.ticks);
    CHECK(watch.last.u.raw.sent.ticks != asked.sent_wire.ticks);
    CHECK(watch.last.u.raw.answered.ticks == wire_true_time(c.w).ticks);
    CHECK_NEAR(ntp_diff_s(watch.last.u.raw.answered, watch.last.u.raw.received), 0.001, 1e-9);
    CHECK(watch.last.u.raw.arrived.ticks == wire_clock(c.tick).ticks);
    CHECK(address_equal(&watch.last.u.raw.local, &c.tick->own));
    CHECK_INT(watch.last.u.raw.mode, MODE_SERVER);
    CHECK_INT(watch.last.u.raw.stratum, 2);
    CHECK_INT(watch.last.u.raw.precision, -20);
    CHECK_INT(watch.last.u.raw.refid, 0x01020304);
    CHECK_INT(watch.last.u.raw.polls, 1);
    CHECK((watch.last.status & 0x8000) != 0); /* configured: the source's word, not the system's */
    wire_free(c.w);
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
const struct test_case reception_tests[] = {
    CASE(replies_of_upstreams_pass_ignore_by_default),
    CASE(replies_do_not_pass_an_entry_that_names_them),
    CASE(restrict_source_takes_the_place_of_the_default_for_replies),
    CASE(version_and_notrust_hold_for_replies_too),
    CASE(the_campus_is_served_and_the_world_is_not),
    CASE(a_peer_passes_by_its_own_key_alone),
    CASE(a_peer_without_a_key_passes_by_the_access_list),
    CASE(a_keyed_peer_passes_by_its_mac_although_ignored),
    CASE(a_right_nonce_on_another_socket_is_refused),
    CASE(a_late_answer_to_the_socket_before_is_refused),
    CASE(malformed_datagrams_change_nothing),
    CASE(a_truncated_datagram_is_not_looked_at),
    CASE(deny_silences_a_source_for_a_day_but_only_with_my_nonce),
    CASE(a_kiss_to_a_keyed_line_needs_its_mac),
    CASE(a_flood_of_forgeries_costs_no_sample_and_no_poll),
    CASE(an_exchange_is_told_by_when_it_left_and_never_by_its_nonce),
    {NULL, NULL}};
