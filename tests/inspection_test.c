/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looking into an engine: how long it lasts, and what was counted.
 */
#include "../engine/inspection.h"

#include "check.h"
#include "wire.h"

static struct wire *settled(double holdover_s)
{
    struct wire *w = wire_new();
    struct wire_node *n = wire_add_node(w, wire_address(10, 0, 0, 1));
    for (uint8_t i = 1; i <= 2; i++) {
        wire_add_upstream(w, wire_address(198, 51, 100, i));
        wire_add_line(n, ASSOCIATION_SERVER, wire_address(198, 51, 100, i))->maxpoll = 6;
    }
    n->config.tos.holdover_s = holdover_s;
    wire_start(n);
    wire_run(w, 5000.0);
    return w;
}

static double lasts_s(struct wire *w)
{
    struct system_status status;
    engine_status(w->nodes[0].engine, wire_instant(&w->nodes[0]), &status);
    return status.lasts_s;
}

static void cut(struct wire *w)
{
    for (int i = 0; i < w->upstream_count; i++) {
        w->upstreams[i].is_cut = true;
    }
}

static void it_lasts_as_long_as_it_said_when_nothing_answers_any_more(void)
{
    struct wire *w = settled(0.0);
    double said = wire_s(w) + lasts_s(w);
    cut(w);
    CHECK_NEAR(said, 5000.0 + 1.5 / 15e-6, 5000.0);
    wire_run(w, said - 2000.0);
    CHECK_INT(wire_state(w->nodes), STATE_HOLDOVER);
    CHECK_NEAR(wire_s(w) + lasts_s(w), said, 100.0);
    wire_run(w, said + 2000.0);
    CHECK_INT(wire_state(w->nodes), STATE_UNSYNCHRONISED);
    CHECK_NEAR(wire_entered_s(w->nodes, STATE_UNSYNCHRONISED), said, 100.0);
    CHECK_NEAR(lasts_s(w), 0.0, 0.0);
    wire_free(w);
}

static void tos_holdover_counts_from_when_the_last_source_falls_silent(void)
{
    struct wire *w = settled(1800.0);
    double said = wire_s(w) + lasts_s(w);
    cut(w);
    wire_run(w, 10000.0);
    double ended = wire_entered_s(w->nodes, STATE_UNSYNCHRONISED);
    CHECK(ended - 5000.0 > 1800.0 + 4 * 64.0);
    CHECK_NEAR(said, ended, 64.0);
    wire_free(w);
}

static void nothing_lasts_that_has_not_begun(void)
{
    struct wire *w = wire_new();
    wire_add_node(w, wire_address(10, 0, 0, 1));
    wire_start(&w->nodes[0]);
    CHECK_NEAR(lasts_s(w), 0.0, 0.0);
    wire_free(w);
}

/* A packet of 48 octets from a stranger. */
static void arrive(struct wire *w, uint8_t first_octet, uint16_t size)
{
    struct wire_packet packet = {.from = {wire_address(192, 0, 2, 1), 5000},
                                 .to = {w->nodes[0].own, NTP_PORT},
                                 .size = size};
    packet.bytes[0] = first_octet;
    packet.bytes[47] = 1;
    wire_arrive(&w->nodes[0], &packet);
}

static void every_datagram_is_counted_where_it_belongs(void)
{
    struct wire *w = settled(0.0);
    const struct engine_counters *c = engine_counters(w->nodes[0].engine);
    struct engine_counters before = *c;
    CHECK_INT(before.received, before.processed);
    CHECK_INT(before.sent, w->nodes[0].sends);
    CHECK_INT(before.since.mono.ticks, 0);
    arrive(w, 4 << 3 | MODE_CLIENT, 48);
    arrive(w, 3 << 3 | MODE_CLIENT, 48);
    arrive(w, 1 << 3 | MODE_CLIENT, 48);
    arrive(w, 1 << 3 | MODE_RESERVED, 48); /* a host of RFC 1059 */
    arrive(w, 4 << 3 | MODE_CLIENT, 47);   /* too short */
    arrive(w, 6 << 3 | MODE_CLIENT, 48);   /* no version */
    arrive(w, 4 << 3 | MODE_SERVER, 48);   /* answers nothing */
    arrive(w, 4 << 3 | MODE_CONTROL, 48);  /* another grammar */
    CHECK_INT(c->received - before.received, 8);
    CHECK_INT(c->processed - before.processed, 4);
    CHECK_INT(c->malformed - before.malformed, 2);
    CHECK_INT(c->declined - before.declined, 2);
    CHECK_INT(c->bad_auth - before.bad_auth, 0);
    CHECK_INT(c->version_4 - before.version_4, 4);
    CHECK_INT(c->version_older - before.version_older, 4);
    CHECK_INT(c->served.verdicts[SERVICE_ANSWERED], 4);
    CHECK_INT(c->served.version_4, 1);
    CHECK_INT(c->served.version_older, 3);
    CHECK_INT(c->served.version_1, 2);
    CHECK_INT(c->served.version_1_clients, 1);
    CHECK_INT(c->served.version_1_modeless, 1);
    CHECK_INT(c->served.version_1_symmetric, 0);
    wire_free(w);
}

/* What every packet became, without `received`. */
static uint64_t all_fates(const struct packet_counts *p)
{
    return p->processed + p->restricted + p->malformed + p->bad_auth + p->declined + p->limited;
}

/* Requests and answers of every form, from a stranger, from one who is forbidden, from an upstream
 * and from itself, as often as it takes to be limited. */
static void every_packet_has_one_fate_and_a_kiss_is_no_answer(void)
{
    static const struct restrict_entry entries[] = {
        {.address = {ADDRESS_V4, {192, 0, 2, 66}}, .prefix = 32, .flags = ACCESS_IGNORE},
        {.address = {ADDRESS_V4, {0}},
         .is_default = true,
         .flags = ACCESS_LIMITED | ACCESS_KOD | ACCESS_VERSION},
    };
    struct wire *w = wire_new();
    struct wire_node *n = wire_add_node(w, wire_address(10, 0, 0, 1));
    n->config.access = (struct access_list){entries, 2};
    n->config.client_capacity = 16;
    wire_add_upstream(w, wire_address(198, 51, 100, 1));
    wire_add_line(n, ASSOCIATION_SERVER, wire_address(198, 51, 100, 1))->maxpoll = 6;
    wire_start(n);
    wire_run(w, 2000.0);
    const struct address from[] = {wire_address(192, 0, 2, 1), wire_address(192, 0, 2, 66),
                                   wire_address(198, 51, 100, 1), n->own};
    for (unsigned i = 0; i < 4 * 256 * 3; i++) {
        struct wire_packet packet = {.from = {from[i % 4], 5000},
                                     .to = {n->own, i % 5 == 0 ? WIRE_PORTS : NTP_PORT},
                                     .size = (uint16_t)(i % 7 == 0      ? 20
                                                        : i / 1024 == 0 ? 48
                                                        : i / 1024 == 1 ? 68
                                                                        : 61)};
        packet.bytes[0] = (uint8_t)(i / 4);
        packet.bytes[51] = 1; /* a key that is not there */
        wire_arrive(n, &packet);
    }
    struct service_counts threads = {.version_4 = 400, .version_older = 56};
    for (unsigned i = 0; i < SERVICE_VERDICTS; i++) {
        threads.verdicts[i] = UINT64_C(1) << (20 + i);
    }
    const struct engine_counters *c = engine_counters(n->engine);
    struct packet_counts mine = inspection_packet_counts(c, NULL);
    struct packet_counts all = inspection_packet_counts(c, &threads);
    CHECK(mine.processed > 0 && mine.restricted > 0 && mine.malformed > 0 && mine.bad_auth > 0);
    CHECK(mine.declined > 0 && mine.limited > mine.kissed && mine.kissed > 0);
    CHECK_INT(mine.received, c->received);
    CHECK_INT(all_fates(&mine), mine.received);
    CHECK_INT(mine.version_4 + mine.version_older, mine.received);
    CHECK_INT(all.received - mine.received, ((UINT64_C(1) << SERVICE_VERDICTS) - 1) << 20);
    CHECK_INT(all_fates(&all), all.received);
    CHECK_INT(all.processed - mine.processed, threads.verdicts[SERVICE_ANSWERED]);
    CHECK_INT(all.kissed - mine.kissed, threads.verdicts[SERVICE_KISSED]);
    CHECK_INT(all.version_4 - mine.version_4, 400);
    CHECK_INT(all.version_older - mine.version_older, 56);
    wire_free(w);
}

static void sums_of_service_counts_have_every_count(void)
{
    struct service_counts part, sum;
    uint64_t *counts = (uint64_t *)&part;
    size_t n = sizeof part / sizeof *counts;
    for (size_t i = 0; i < n; i++) {
        counts[i] = i + 1;
    }
    sum = part;
    service_counts_add(&sum, &part);
    for (size_t i = 0; i < n; i++) {
        CHECK_INT(((uint64_t *)&sum)[i], 2 * (i + 1));
    }
}

const struct test_case inspection_tests[] = {
    {"it_lasts_as_long_as_it_said_when_nothing_answers_any_more",
     it_lasts_as_long_as_it_said_when_nothing_answers_any_more},
    {"tos_holdover_counts_from_when_the_last_source_falls_silent",
     tos_holdover_counts_from_when_the_last_source_falls_silent},
    {"nothing_lasts_that_has_not_begun", nothing_lasts_that_has_not_begun},
    {"every_datagram_is_counted_where_it_belongs", every_datagram_is_counted_where_it_belongs},
    {"every_packet_has_one_fate_and_a_kiss_is_no_answer",
     every_packet_has_one_fate_and_a_kiss_is_no_answer},
    {"sums_of_service_counts_have_every_count", sums_of_service_counts_have_every_count},
    {NULL, NULL},
};
