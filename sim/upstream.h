/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A simulated upstream: a clock with a server's view around it and no discipline.
 *
 * Answers by the engine's own server_reply(), so that what clients see is what the product sends.
 * It claims the root delay and dispersion of its scenario line, refreshed every 64 s, and never
 * steers its clock.
 */
#ifndef HOLDFAST_UPSTREAM_H
#define HOLDFAST_UPSTREAM_H

#include <stddef.h>
#include <stdint.h>

#include "scenario.h"

/* What the upstream says of itself at `now`. `index` tells upstreams apart in their reference ids,
 * which never are the address of a node. */
struct server_view upstream_view(const struct scenario_node *upstream, uint32_t index,
                                 struct instant now);

/* Its answer to a datagram: bytes in `reply` and their number; 0 = none. */
size_t upstream_reply(const struct scenario_node *upstream, uint32_t index,
                      const struct datagram *in, struct instant now,
                      uint8_t reply[DATAGRAM_SIZE_MAX]);

#endif
