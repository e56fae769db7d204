/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lists of leap seconds: see leap.h.
 */
#include "leap.h"

#include "packet.h"

enum { DAY_S = 86400 };

bool leap_list_is_valid(const struct leap_list *list, ntp_time now)
{
    return unix_s_from_ntp(now) < list->expires_s;
}

uint8_t leap_list_today(const struct leap_list *list, ntp_time now)
{
    int64_t midnight_s = (unix_s_from_ntp(now) / DAY_S + 1) * DAY_S;
    for (unsigned i = 0; i < list->count; i++) {
        if (list->leaps[i].at_s == midnight_s) {
            return list->leaps[i].kind;
        }
    }
    return LEAP_NONE;
}

bool leap_list_equal(const struct leap_list *a, const struct leap_list *b)
{
    bool same = a->expires_s == b->expires_s && a->count == b->count;
    for (unsigned i = 0; same && i < a->count; i++) {
        same = a->leaps[i].at_s == b->leaps[i].at_s && a->leaps[i].kind == b->leaps[i].kind;
    }
    return same;
}
