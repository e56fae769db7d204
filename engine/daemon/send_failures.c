/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets that cannot be sent: see send_failures.h. What goes out costs one comparison as long as
 * nothing fails.
 */
#include "send_failures.h"

static bool is_same_peer(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && address_equal(&a->address, &b->address);
}

static bool is_source(const struct engine *e, const struct endpoint *peer)
{
    size_t count = engine_source_count(e);
    uint8_t reach;
    for (size_t i = 0; i < count; i++) {
        if (is_same_peer(engine_source_peer(e, i, &reach), peer)) {
            return true;
        }
    }
    return false;
}

static struct send_failure *find(struct send_failures *failures, const struct endpoint *peer)
{
    for (unsigned i = 0; i < failures->count; i++) {
        if (is_same_peer(&failures->list[i].peer, peer)) {
            return &failures->list[i];
        }
    }
    return NULL;
}

void send_failures_forget(struct send_failures *failures, const struct engine *e)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < failures->count; i++) {
        if (is_source(e, &failures->list[i].peer)) {
            failures->list[kept++] = failures->list[i];
        }
    }
    failures->count = kept;
}

static void note_failure(struct send_failures *failures, const struct engine *e,
                         const struct endpoint *peer, int cause, struct log *log)
{
    char address[ADDRESS_TEXT_SIZE];
    (void)address_text(&peer->address, address);
    send_failures_forget(failures, e); /* another answer for a name ends a source, too */
    if (!is_source(e, peer)) {
        log_often(log, LOG_LEVEL_WARNING, "send", "cannot send to %s: %s", address,
                  g_strerror(cause));
        return;
    }
    struct send_failure *failure = find(failures, peer);
    if (failure && failure->cause == cause) {
        return;
    }
    if (!failure && failures->count < ASSOCIATIONS_MAX) {
        failure = &failures->list[failures->count++];
    }
    if (failure) {
        *failure = (struct send_failure){*peer, cause};
    }
    log_line(log, LOG_LEVEL_WARNING, "cannot send to %s: %s; it is tried again at each poll",
             address, g_strerror(cause));
}

void send_failures_note(struct send_failures *failures, const struct engine *e,
                        const struct endpoint *peer, int cause, struct log *log)
{
    if (cause != 0) {
        note_failure(failures, e, peer, cause, log);
        return;
    }
    struct send_failure *over = find(failures, peer);
    if (over) {
        char address[ADDRESS_TEXT_SIZE];
        *over = failures->list[--failures->count];
        log_line(log, LOG_LEVEL_NOTICE, "can send to %s again",
                 address_text(&peer->address, address));
    }
}
