/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The restrict list: longest match by binary search in a sorted list. Never allocates, counts or
 * answers.
 */
#include "access.h"

#include <string.h>

/* A list no longer than this is walked: most are, and searching costs more than looking. */
enum { WALK_MAX = 12 };

int access_compare(const struct restrict_entry *a, const struct restrict_entry *b)
{
    if (a->address.family != b->address.family) {
        return a->address.family < b->address.family ? -1 : 1;
    }
    if (a->prefix != b->prefix) {
        return a->prefix > b->prefix ? -1 : 1;
    }
    if (a->needs_ntp_port != b->needs_ntp_port) {
        return a->needs_ntp_port ? -1 : 1;
    }
    return address_compare(&a->address, &b->address);
}

/* Index of the first entry at or after `from` that does not sort before `probe`. */
static size_t find_first(const struct access_list *list, size_t from,
                         const struct restrict_entry *probe)
{
    size_t low = from;
    size_t high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (access_compare(&list->entries[middle], probe) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Index past the entries of the same family, prefix and ntpport as the entry at `index`. */
static size_t find_next_group(const struct access_list *list, size_t index)
{
    struct restrict_entry probe = list->entries[index];
    memset(probe.address.bytes, 0xFF, sizeof probe.address.bytes);
    size_t last = find_first(list, index, &probe);
    bool is_member = last < list->count && access_compare(&list->entries[last], &probe) == 0;
    return is_member ? last + 1 : last;
}

/* Searches a long list. Entries of one family, prefix and ntpport stand together and hold at most
 * one match, so each such group costs two searches, however long the list. Never inlined: who walks
 * a short list has no use for its registers and its stack. */
static __attribute__((noinline)) const struct restrict_entry *
find_match(const struct access_list *list, const struct endpoint *peer)
{
    struct restrict_entry probe = {.address = {.family = peer->address.family}, .prefix = 128};
    probe.needs_ntp_port = true;
    size_t at = find_first(list, 0, &probe);
    while (at < list->count && list->entries[at].address.family == peer->address.family) {
        const struct restrict_entry *group = &list->entries[at];
        probe.prefix = group->prefix;
        probe.needs_ntp_port = group->needs_ntp_port;
        probe.address = address_masked(&peer->address, group->prefix);
        size_t found = find_first(list, at, &probe);
        bool is_match = found < list->count && access_compare(&list->entries[found], &probe) == 0;
        if (is_match && (!probe.needs_ntp_port || peer->port == NTP_PORT)) {
            return &list->entries[found];
        }
        at = find_next_group(list, at);
    }
    return NULL;
}

/* Walks a list as it stands: the first match is the most specific. */
static const struct restrict_entry *walk_match(const struct access_list *list,
                                               const struct endpoint *peer)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct restrict_entry *entry = &list->entries[i];
        if ((!entry->needs_ntp_port || peer->port == NTP_PORT) &&
            address_in_prefix(&peer->address, &entry->address, entry->prefix)) {
            return entry;
        }
    }
    return NULL;
}

const struct restrict_entry *access_match(const struct access_list *list,
                                          const struct endpoint *peer)
{
    return list->count <= WALK_MAX ? walk_match(list, peer) : find_match(list, peer);
}

const char *access_flag_name(unsigned flag)
{
    switch (flag) {
    case ACCESS_IGNORE:
        return "ignore";
    case ACCESS_NOQUERY:
        return "noquery";
    case ACCESS_NOMODIFY:
        return "nomodify";
    case ACCESS_NOSERVE:
        return "noserve";
    case ACCESS_NOTRUST:
        return "notrust";
    case ACCESS_NOPEER:
        return "nopeer";
    case ACCESS_NOEPEER:
        return "noepeer";
    case ACCESS_EPEER:
        return "epeer";
    case ACCESS_LIMITED:
        return "limited";
    case ACCESS_KOD:
        return "kod";
    case ACCESS_VERSION:
        return "version";
    case ACCESS_NOMRULIST:
        return "nomrulist";
    case ACCESS_FLAKE:
        return "flake";
    case ACCESS_NOTRAP:
        return "notrap";
    default:
        return NULL;
    }
}
