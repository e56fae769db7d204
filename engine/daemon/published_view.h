/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The server's view under a sequence lock: one writer, any number of readers that never make him
 * wait and never write.
 *
 * The view travels as words that are atomic one by one, so that a reader that meets the writer
 * reads nonsense by the rules of the language, and notices.
 */
#ifndef HOLDFAST_DAEMON_PUBLISHED_VIEW_H
#define HOLDFAST_DAEMON_PUBLISHED_VIEW_H

#include <stdatomic.h>

#include "../server.h"

enum { VIEW_WORDS = (sizeof(struct server_view) + 7) / 8 };

/* All zero: nothing was published. */
struct published_view {
    atomic_uint sequence; /* odd while the words change */
    atomic_uint_least64_t words[VIEW_WORDS];
};

void published_view_set(struct published_view *published, const struct server_view *view);

/* False when there is none or it is being changed: *view is as it was. */
bool published_view_get(struct published_view *published, struct server_view *view);

#endif
