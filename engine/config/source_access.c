/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether the restrict lines let in what the sources of the same configuration send: a source that
 * they shut out looks right in the file and is never heard. Warns and changes nothing. Names are
 * not judged: which addresses they have is not known here.
 */
#include <string.h>

#include "network.h"
#include "reader.h"

/* What keeps a source's packets out; `line` NULL = nothing does. */
struct obstacle {
    unsigned flag;
    const struct line *line; /* that says the flag */
    bool is_default;
};

/* The flags of an entry for which the engine drops what comes from this source: answers to our own
 * questions pass the default entry's ignore and noserve, a peer's packets pass both by their key,
 * and what is not signed never passes notrust. */
static unsigned deadly_flags(const struct association_config *source, bool is_default)
{
    bool is_peer = source->kind == ASSOCIATION_PEER;
    bool is_shut = is_peer ? source->key == 0 : !is_default;
    return (is_shut ? ACCESS_IGNORE | ACCESS_NOSERVE : 0u) |
           (source->key == 0 ? ACCESS_NOTRUST : 0u) | (source->version != 4 ? ACCESS_VERSION : 0u);
}

/* The first of `flags`, in the order of their bits, that one of the drafts has. */
static struct obstacle find_obstacle(const struct restrict_draft *drafts, guint count,
                                     unsigned flags)
{
    struct obstacle found = {.line = NULL};
    for (unsigned flag = ACCESS_IGNORE; flag <= ACCESS_NOTRAP && !found.line; flag <<= 1) {
        for (guint i = 0; i < count && !found.line; i++) {
            if (flags & flag & drafts[i].entry.flags) {
                found = (struct obstacle){flag, drafts[i].line, drafts[i].entry.is_default};
            }
        }
    }
    return found;
}

/* The drafts of the entry that decides about an address and NTP's port: they are sorted as the list
 * will be, so they begin with the first that matches. Their number is left in *count. */
static const struct restrict_draft *deciding_drafts(const struct ntpconf_reader *reader,
                                                    const struct address *address, guint *count)
{
    const struct restrict_draft *drafts = (const void *)reader->restricts->data;
    guint at = 0, end;
    while (at < reader->restricts->len) {
        struct network network = {drafts[at].entry.address, drafts[at].entry.prefix};
        if (network_contains(&network, address)) {
            break;
        }
        at++;
    }
    for (end = at; end < reader->restricts->len &&
                   access_compare(&drafts[at].entry, &drafts[end].entry) == 0;) {
        end++;
    }
    *count = end - at;
    return drafts + at;
}

static struct obstacle obstacle_of(const struct ntpconf_reader *reader,
                                   const struct association_config *source)
{
    guint count;
    const struct restrict_draft *drafts = deciding_drafts(reader, &source->address, &count);
    bool is_default = count == 0 || drafts->entry.is_default;
    if (is_default && source->kind != ASSOCIATION_PEER && reader->source_templates->len > 0) {
        drafts = (const void *)reader->source_templates->data;
        count = reader->source_templates->len;
        is_default = false;
    }
    return find_obstacle(drafts, count, deadly_flags(source, is_default));
}

/* What lets its packets in, beside taking the flag away. */
static const char *cure_of(const struct association_config *source, const struct obstacle *by)
{
    if (by->flag == ACCESS_VERSION) {
        return "; ask it in version 4";
    }
    if (by->flag != ACCESS_NOTRUST && source->kind != ASSOCIATION_PEER) {
        return "";
    }
    return by->is_default && by->flag != ACCESS_NOTRUST
               ? "; give it a restrict line of its own, or a key"
               : "; give it a key";
}

static void complain(struct ntpconf_reader *reader, const struct association_config *source,
                     const struct place *at, const struct obstacle *by)
{
    messages_add(reader->messages, SEVERITY_WARNING, at->file, at->line, at->column,
                 "%s of %s are dropped: %s:%u says \"%s\" of %s%s",
                 source->kind == ASSOCIATION_PEER ? "packets" : "replies", source->name,
                 by->line->file, by->line->number, access_flag_name(by->flag),
                 by->is_default ? "everybody whom no other line names" : "it", cure_of(source, by));
}

void source_access_check(struct ntpconf_reader *reader)
{
    const struct engine_config *engine = &reader->conf->engine;
    for (size_t i = 0; i < engine->association_count; i++) {
        const struct association_config *source = &engine->associations[i];
        if (source->is_numeric) {
            struct obstacle obstacle = obstacle_of(reader, source);
            if (obstacle.line) {
                complain(reader, source, &reader->conf->hosts[i], &obstacle);
            }
        }
    }
}
