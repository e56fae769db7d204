/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an engine is told before it starts: one plain, immutable block, pushed in and shared.
 *
 * Filled by config/ntpconf.h from ntp.conf, by the host (own addresses, clock, drift) and by tests.
 * engine_config_default() gives the value that every field has when nothing names it. Lists are
 * pointers into memory that outlives the engine; many engines may share them.
 */
#ifndef HOLDFAST_ENGINE_CONFIG_H
#define HOLDFAST_ENGINE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access.h"
#include "address.h"
#include "auth.h"
#include "leap.h"

/* Ceilings (design: behaviour section 4). */
enum {
    ASSOCIATIONS_MAX = 64,
    CLIENTS_MAX = 4096,
    RESTRICT_MAX = 4096,
    KEYS_MAX = 65535,
    POOL_SIZE = 4,      /* sources that one pool line keeps */
    ALTERNATES_MAX = 8, /* addresses kept of one name */
    POLL_MIN = 3,       /* log2 s */
    POLL_MAX = 17,
    POLL_DEFAULT_MIN = 6,
    POLL_DEFAULT_MAX = 10
};

enum association_kind { ASSOCIATION_SERVER, ASSOCIATION_PEER, ASSOCIATION_POOL };

/* One server, peer or pool line. */
struct association_config {
    enum association_kind kind;
    const char *name;       /* as written; never NULL */
    bool is_numeric;        /* name is an address, in `address` */
    struct address address; /* family set by -4 / -6 even for names, else ADDRESS_NONE */
    int8_t minpoll, maxpoll;
    bool iburst, burst, prefer, noselect, is_true;
    uint8_t version; /* 1 ... 4 */
    uint32_t key;    /* 0 = none */
    uint32_t line;   /* of the file that holds it */
};

/* What the system does with loss and doubt; behaviour section 3. Names are looked up in the table
 * of system.h. */
enum policy { POLICY_HOLDFAST, POLICY_RFC5905, POLICIES };

/* What the clock can do; declared by the host, so that commands need no reply. */
struct clock_ability {
    double rate_quantum; /* s/s of one unit of clock_command.rate_q; Linux: 1e-6 / 65536 */
    int64_t rate_max_q;  /* |rate_q| is at most this */
    int8_t precision;    /* log2 s: time to read the clock */
    bool can_steer;
};

struct tos_config {
    double maxdist_s; /* NAN = the policy's */
    double mindist_s; /* floor of an interval's half width in the intersection; 1 ms */
    double orphanwait_s;
    double holdover_s; /* end holdover after this long; 0 = by root distance only */
    uint8_t minclock, minsane, maxclock;
    uint8_t floor, ceiling; /* strata accepted: floor <= stratum < ceiling */
    uint8_t orphan;         /* STRATUM_MAX = off; parsed and kept for a later release */
};

struct tinker_config {
    double step_s;        /* 0.128; 0 = never step */
    double stepout_s;     /* 300 */
    double panic_s;       /* 1000; 0 = no panic check */
    double dispersion;    /* s/s: 15e-6 */
    uint8_t allan_log2s;  /* 11 */
    double frequency_ppm; /* start value; NAN = none */
};

/* discard: the token bucket of behaviour section 1. */
struct discard_config {
    int8_t average_log2s; /* 3: one packet every 8 s in the long run */
    uint8_t minimum_s;    /* 1 */
    uint8_t monitor;      /* kept for ntpd's sake; no effect */
};

struct engine_config {
    const struct association_config *associations;
    size_t association_count;
    struct access_list access;
    struct key_table keys;
    enum policy policy;
    struct tos_config tos;
    struct tinker_config tinker;
    struct discard_config discard;
    bool restrict_source; /* a "restrict source" line exists */
    uint16_t restrict_source_flags;
    bool allow_large_first_step; /* -g */
    bool disable_discipline;     /* disable ntp: measure, never steer */
    uint16_t client_capacity;    /* entries of the client table; 0 = none (no limits, no MRU) */

    /* Set by the host. */
    const struct address *own; /* addresses of this host, for loop and reflection tests */
    size_t own_count;
    struct clock_ability clock;
    double drift_ppm; /* the drift file's value: what the clock rate needs added; NAN = none */
    struct leap_list leaps; /* while it is valid it announces, and no vote of sources does */
};

/* Every field as when no line names it; no associations, no keys, an empty access list; a clock
 * with 2^-16 ppm quantum, +-1000 ppm, precision 2^-22 s. */
void engine_config_default(struct engine_config *config);

#endif
