/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Simulated upstreams; see upstream.h.
 */
#include "upstream.h"

/* Stratum 1 names its reference in letters; the others name an address of 240.0.0.0/4, which no
 * host can have. */
#define REFID_STRATUM_1 UINT32_C(0x53494D00)
#define REFID_RESERVED UINT32_C(0xF0000000)

/* How often an upstream is refreshed by whatever it follows, and what its claim grows by meanwhile.
 */
enum { REFRESH_LOG2S = 6 };
#define DISPERSION_RATE 15e-6

enum { UPSTREAM_PRECISION = -20 };

struct server_view upstream_view(const struct scenario_node *upstream, uint32_t index,
                                 struct instant now)
{
    uint64_t since_refresh = now.clock.ticks & ((UINT64_C(1) << (32 + REFRESH_LOG2S)) - 1);
    return (struct server_view){
        .leap = LEAP_NONE,
        .stratum = upstream->stratum,
        .precision = UPSTREAM_PRECISION,
        .poll = REFRESH_LOG2S,
        .refid = upstream->stratum <= 1 ? REFID_STRATUM_1 : REFID_RESERVED | (index & 0xFFFFFFF),
        .reference_time = {now.clock.ticks - since_refresh},
        .root_delay_s = upstream->root_delay_s,
        .root_dispersion_s = upstream->root_dispersion_s,
        .dispersion_rate = DISPERSION_RATE,
        .as_of = {now.mono.ticks - (int64_t)since_refresh},
    };
}

size_t upstream_reply(const struct scenario_node *upstream, uint32_t index,
                      const struct datagram *in, struct instant now,
                      uint8_t reply[DATAGRAM_SIZE_MAX])
{
    static const struct access_list open_to_all;
    static const struct key_table no_keys;
    static const struct discard_config unlimited;
    enum service_verdict verdict;
    struct server_view view = upstream_view(upstream, index, now);
    struct service_rules rules = {.access = &open_to_all,
                                  .keys = &no_keys,
                                  .discard = &unlimited,
                                  .own = &upstream->address,
                                  .own_count = 1};
    return server_reply(&view, &rules, NULL, in, now, reply, &verdict);
}
