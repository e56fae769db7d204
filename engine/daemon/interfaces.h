/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The addresses of this machine: which of them are served, and when they change.
 *
 * Rules mean what they mean to ntpd: the last that fits decides; `all` does not touch loopback; a
 * loopback address is served unless a rule names it; any other address that no rule fits is served
 * only when there are no rules. There is no wildcard socket here, as every address has its own and
 * new ones are noticed: rules for it fit nothing.
 */
#ifndef HOLDFAST_DAEMON_INTERFACES_H
#define HOLDFAST_DAEMON_INTERFACES_H

#include <glib.h>
#include <net/if.h>

#include "../config/ntpconf.h"

struct interface_terms {
    const struct interface_rule *rules;
    size_t rule_count;
    const char *const *only; /* -I: names or addresses, in place of the rules; NULL = none */
    bool ipv4, ipv6;
    bool skips_virtual;
};

struct local_address {
    struct address address;
    uint32_t interface;         /* its index */
    char name[2 * IF_NAMESIZE]; /* with its label: "eth0:1" */
    int action;                 /* INTERFACE_LISTEN or INTERFACE_DROP */
};

/* INTERFACE_LISTEN, INTERFACE_IGNORE or INTERFACE_DROP. */
int interfaces_judge(const struct interface_terms *terms, const char *name,
                     const struct address *address);

/* Two addresses are one if nothing but the interface tells them apart, unless they are link-local:
 * those are known by their interface. */
bool interfaces_is_same(const struct local_address *a, const struct local_address *b);

/* The addresses of interfaces that are up and that the terms do not ignore, each once, as struct
 * local_address. NULL with *error. */
GArray *interfaces_scan(const struct interface_terms *terms, char **error);

/* How the terms suit this machine as it is. */
struct interface_survey {
    GArray *idle; /* size_t: those of `only`, else of the rules, that fit nothing that is here */
    bool is_loopback_meant; /* they ask for loopback addresses and for no other */
};

/* Interfaces count whether they are up or not, and have an address or not. What names no interface
 * and no address (all, ipv4, ipv6, wildcard) is never idle. False with *error; else
 * interfaces_survey_clear() it. */
bool interfaces_survey(const struct interface_terms *terms, struct interface_survey *out,
                       char **error);
void interfaces_survey_clear(struct interface_survey *survey);

/* A descriptor that is readable when an address or an interface came or went; -1 with errno. */
int interfaces_open_watch(void);

/* Takes what is there to be read; true when it may have been a change. */
bool interfaces_read_watch(int watch);

#endif
