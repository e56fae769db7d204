/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The addresses of this machine, by getifaddrs, and their changes, by rtnetlink. What a message of
 * rtnetlink says is not looked at: it is a reason to look again.
 */
#include "interfaces.h"

#include <errno.h>
#include <fnmatch.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#include "../config/network.h"
#include "socket_address.h"

static bool is_address(const char *what, const struct address *address, bool *is_one)
{
    struct network network;
    *is_one = network_parse(what, &network);
    return *is_one && network_contains(&network, address);
}

static bool rule_fits(const char *what, const char *name, const struct address *address)
{
    bool is_one;
    if (g_ascii_strcasecmp(what, "all") == 0) {
        return !address_is_loopback(address);
    }
    if (g_ascii_strcasecmp(what, "wildcard") == 0) {
        return false;
    }
    if (g_ascii_strcasecmp(what, "ipv4") == 0) {
        return address->family == ADDRESS_V4;
    }
    if (g_ascii_strcasecmp(what, "ipv6") == 0) {
        return address->family == ADDRESS_V6;
    }
    bool fits = is_address(what, address, &is_one);
    return is_one ? fits : fnmatch(what, name, FNM_CASEFOLD) == 0;
}

static int judge_by_option(const struct interface_terms *terms, const char *name,
                           const struct address *address)
{
    for (const char *const *what = terms->only; *what; what++) {
        if (rule_fits(*what, name, address)) {
            return INTERFACE_LISTEN;
        }
    }
    return address_is_loopback(address) ? INTERFACE_LISTEN : INTERFACE_IGNORE;
}

int interfaces_judge(const struct interface_terms *terms, const char *name,
                     const struct address *address)
{
    if (!(address->family == ADDRESS_V4 ? terms->ipv4 : terms->ipv6)) {
        return INTERFACE_IGNORE;
    }
    if (terms->only) {
        return judge_by_option(terms, name, address);
    }
    for (size_t i = terms->rule_count; i > 0; i--) {
        if (rule_fits(terms->rules[i - 1].what, name, address)) {
            return (int)terms->rules[i - 1].action;
        }
    }
    if (address_is_loopback(address)) {
        return INTERFACE_LISTEN;
    }
    if (terms->skips_virtual && strchr(name, ':')) {
        return INTERFACE_IGNORE;
    }
    return terms->rule_count == 0 ? INTERFACE_LISTEN : INTERFACE_IGNORE;
}

bool interfaces_is_same(const struct local_address *a, const struct local_address *b)
{
    return address_equal(&a->address, &b->address) &&
           (a->interface == b->interface || !socket_address_is_link_local(&a->address));
}

static bool has_address(const GArray *list, const struct local_address *one)
{
    for (guint i = 0; i < list->len; i++) {
        if (interfaces_is_same(&g_array_index(list, struct local_address, i), one)) {
            return true;
        }
    }
    return false;
}

/* A label is the name of the interface, a colon and anything. */
static uint32_t index_of(const char *name)
{
    char plain[IF_NAMESIZE];
    g_strlcpy(plain, name, sizeof plain);
    plain[strcspn(plain, ":")] = '\0';
    return if_nametoindex(plain);
}

/* False when it has none of the Internet. */
static bool address_of(const struct ifaddrs *found, struct address *out)
{
    union socket_address address = {.any.sa_family = AF_UNSPEC};
    if (!found->ifa_addr ||
        (found->ifa_addr->sa_family != AF_INET && found->ifa_addr->sa_family != AF_INET6)) {
        return false;
    }
    memcpy(&address, found->ifa_addr,
           found->ifa_addr->sa_family == AF_INET ? sizeof address.v4 : sizeof address.v6);
    *out = socket_address_get(&address).address;
    return true;
}

static void add_address(GArray *list, const struct interface_terms *terms,
                        const struct ifaddrs *found)
{
    struct local_address one = {.action = INTERFACE_IGNORE};
    if (!(found->ifa_flags & IFF_UP) || !address_of(found, &one.address)) {
        return;
    }
    one.interface = index_of(found->ifa_name);
    g_strlcpy(one.name, found->ifa_name, sizeof one.name);
    one.action = interfaces_judge(terms, one.name, &one.address);
    if (one.action != INTERFACE_IGNORE && address_is_unicast(&one.address) &&
        !has_address(list, &one)) {
        g_array_append_val(list, one);
    }
}

static char *cannot_list(void)
{
    return g_strdup_printf("cannot list the addresses of this machine: %s", g_strerror(errno));
}

GArray *interfaces_scan(const struct interface_terms *terms, char **error)
{
    struct ifaddrs *found;
    if (getifaddrs(&found) != 0) {
        *error = cannot_list();
        return NULL;
    }
    GArray *list = g_array_new(FALSE, FALSE, sizeof(struct local_address));
    for (const struct ifaddrs *one = found; one; one = one->ifa_next) {
        add_address(list, terms, one);
    }
    freeifaddrs(found);
    return list;
}

/* ---- what the terms find here --------------------------------------------------------------- */

static bool is_keyword(const char *what)
{
    static const char *const keywords[] = {"all", "wildcard", "ipv4", "ipv6"};
    for (size_t i = 0; i < G_N_ELEMENTS(keywords); i++) {
        if (g_ascii_strcasecmp(what, keywords[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether it names something that is here, and whether that is a loopback address. */
static bool is_here(const char *what, const struct ifaddrs *list, bool *is_loopback)
{
    bool is_one, is_found = false;
    *is_loopback = false;
    for (const struct ifaddrs *one = list; one; one = one->ifa_next) {
        struct address address = {.family = ADDRESS_NONE};
        bool has_address = address_of(one, &address);
        bool fits = is_address(what, &address, &is_one);
        if (is_one ? fits : fnmatch(what, one->ifa_name, FNM_CASEFOLD) == 0) {
            is_found = true;
            *is_loopback = *is_loopback || (has_address && address_is_loopback(&address));
        }
    }
    return is_found;
}

/* What a rule asks for, of the kinds that tell whether nothing but loopback is meant. */
struct wishes {
    bool loopback, others;
};

static void survey_one(struct interface_survey *out, struct wishes *wishes, size_t index,
                       const char *what, bool is_listen, const struct ifaddrs *list)
{
    bool is_loopback = false;
    if (is_keyword(what)) {
        wishes->others = wishes->others || is_listen;
        wishes->loopback = wishes->loopback || (!is_listen && g_ascii_strcasecmp(what, "all") == 0);
        return;
    }
    if (!is_here(what, list, &is_loopback)) {
        g_array_append_val(out->idle, index);
    }
    wishes->others = wishes->others || (is_listen && !is_loopback);
    wishes->loopback = wishes->loopback || (is_listen && is_loopback);
}

bool interfaces_survey(const struct interface_terms *terms, struct interface_survey *out,
                       char **error)
{
    struct ifaddrs *found;
    struct wishes wishes = {.loopback = false};
    if (getifaddrs(&found) != 0) {
        *error = cannot_list();
        return false;
    }
    *out = (struct interface_survey){.idle = g_array_new(FALSE, FALSE, sizeof(size_t))};
    for (size_t i = 0; terms->only && terms->only[i]; i++) {
        survey_one(out, &wishes, i, terms->only[i], true, found);
    }
    for (size_t i = 0; !terms->only && i < terms->rule_count; i++) {
        const struct interface_rule *rule = &terms->rules[i];
        survey_one(out, &wishes, i, rule->what, rule->action == INTERFACE_LISTEN, found);
    }
    freeifaddrs(found);
    out->is_loopback_meant = wishes.loopback && !wishes.others;
    return true;
}

void interfaces_survey_clear(struct interface_survey *survey)
{
    g_array_free(survey->idle, TRUE);
}

/* ---- changes -------------------------------------------------------------------------------- */

int interfaces_open_watch(void)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK,
                                  .nl_groups =
                                      RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
    int watch = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (watch >= 0 && bind(watch, (const struct sockaddr *)&address, sizeof address) != 0) {
        int cause = errno;
        close(watch);
        errno = cause;
        return -1;
    }
    return watch;
}

/* Messages that were lost because there were too many (ENOBUFS) are a change too. */
bool interfaces_read_watch(int watch)
{
    enum { MESSAGES_AT_ONCE = 64 };
    char bytes[4096];
    bool is_change = false;
    for (int i = 0; i < MESSAGES_AT_ONCE; i++) {
        ssize_t size = recv(watch, bytes, sizeof bytes, MSG_DONTWAIT);
        if (size < 0 && errno != ENOBUFS && errno != EINTR) {
            break;
        }
        is_change = true;
    }
    return is_change;
}
