/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The restrict list: whose packets are looked at and what they may ask for.
 *
 * The most specific entry wins, whatever the order of the lines, and only its flags apply; lines
 * with the same address, mask and ntpport are one entry with their flags joined (done by the reader
 * of the configuration). A decision names the line that made it. Nothing here counts or answers.
 */
#ifndef HOLDFAST_ACCESS_H
#define HOLDFAST_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"

enum access_flag {
    ACCESS_IGNORE = 1u << 0,
    ACCESS_NOQUERY = 1u << 1,
    ACCESS_NOMODIFY = 1u << 2,
    ACCESS_NOSERVE = 1u << 3,
    ACCESS_NOTRUST = 1u << 4,
    ACCESS_NOPEER = 1u << 5,
    ACCESS_NOEPEER = 1u << 6,
    ACCESS_EPEER = 1u << 7,
    ACCESS_LIMITED = 1u << 8,
    ACCESS_KOD = 1u << 9,
    ACCESS_VERSION = 1u << 10,
    ACCESS_NOMRULIST = 1u << 11,
    ACCESS_FLAKE = 1u << 12,
    ACCESS_NOTRAP = 1u << 13
};

struct restrict_entry {
    struct address address; /* host bits are zero */
    uint8_t prefix;         /* bits: 0 ... 32 or 128 */
    bool needs_ntp_port;    /* ntpport: matches only source port 123 */
    bool is_default;        /* 0.0.0.0/0 or ::/0 */
    int16_t ippeerlimit;    /* -1 = no limit */
    uint16_t flags;
    uint32_t line; /* in the configuration; 0 = built in */
};

/* Entries sorted: family, then prefix descending, ntpport before plain, then address. */
struct access_list {
    const struct restrict_entry *entries;
    size_t count;
};

struct access_decision {
    uint16_t flags;
    bool is_default; /* made by a default entry, or by none */
    int16_t ippeerlimit;
    uint32_t line;
};

/* The order that access_list must have: negative when a comes first; 0 only for equal match
 * keys. */
int access_compare(const struct restrict_entry *a, const struct restrict_entry *b);

/* The entry that decides, NULL for none. Entries must be sorted as above, host bits zero. */
const struct restrict_entry *access_match(const struct access_list *list,
                                          const struct endpoint *peer);

/* What that entry says. With no entry that matches: no flags, is_default, no peer limit, line 0.
 * Inlined, because most who ask want the flags alone. */
static inline struct access_decision access_check(const struct access_list *list,
                                                  const struct endpoint *peer)
{
    const struct restrict_entry *match = access_match(list, peer);
    if (!match) {
        return (struct access_decision){.is_default = true, .ippeerlimit = -1};
    }
    return (struct access_decision){.flags = match->flags,
                                    .is_default = match->is_default,
                                    .ippeerlimit = match->ippeerlimit,
                                    .line = match->line};
}

/* "ignore", "noquery", ...; NULL for a value that is no single flag. */
const char *access_flag_name(unsigned flag);

#endif
