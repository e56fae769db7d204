/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the log says of the addresses that are served: a rule that names nothing that is there would
 * else keep clients from their answers without a word. Changes nothing.
 */
#include "daemon.h"
#include "interfaces.h"

enum { ADDRESSES_TOLD = 8 };

/* False when it cannot be found out, which is told, or when there is no rule. */
static bool survey(struct daemon *d, struct interface_survey *out)
{
    char *error = NULL;
    struct udp_options options = configure_sockets(d, &d->configuration->conf->host);
    struct interface_terms terms = udp_interface_terms(&options);
    if (!terms.only && terms.rule_count == 0) {
        return false;
    }
    if (!interfaces_survey(&terms, out, &error)) {
        log_line(d->log, LOG_LEVEL_WARNING, "%s", error);
        g_free(error);
        return false;
    }
    return true;
}

void daemon_tell_idle_rules(struct daemon *d)
{
    static const char *const actions[] = {
        [INTERFACE_LISTEN] = "listen", [INTERFACE_IGNORE] = "ignore", [INTERFACE_DROP] = "drop"};
    static const char fits_nothing[] = "no interface and no address of this machine is that";
    const struct host_config *host = &d->configuration->conf->host;
    struct interface_survey found;
    if (!survey(d, &found)) {
        return;
    }
    for (guint i = 0; i < found.idle->len; i++) {
        size_t index = g_array_index(found.idle, size_t, i);
        if (d->options.interface_count > 0) {
            log_line(d->log, LOG_LEVEL_WARNING, "-I %s: %s", d->options.interfaces[index],
                     fits_nothing);
        } else {
            const struct place *at = &host->interface_places[index];
            log_line(d->log, LOG_LEVEL_WARNING, "%s:%u:%u: interface %s %s: %s", at->file, at->line,
                     at->column, actions[host->interfaces[index].action],
                     host->interfaces[index].what, fits_nothing);
        }
    }
    interfaces_survey_clear(&found);
}

static void tell_loopback_only(struct daemon *d)
{
    struct interface_survey found;
    if (!survey(d, &found)) {
        return;
    }
    if (!found.is_loopback_meant) {
        log_line(d->log, LOG_LEVEL_WARNING, "only loopback addresses are served: %s",
                 d->options.interface_count > 0
                     ? "no other address of this machine is one that -I names"
                     : "the interface lines leave no other address of this machine; with "
                       "`interface listen all` before them every one is served that they do not "
                       "name");
    }
    interfaces_survey_clear(&found);
}

void daemon_tell_served(struct daemon *d, const char *why)
{
    char text[ADDRESS_TEXT_SIZE];
    bool is_loopback_only = true;
    GArray *served = udp_served(d->udp);
    GString *list = g_string_new(NULL);
    char who[32] = "the main loop";
    unsigned threads = d->responder ? udp_threads(d->udp) : 0;
    if (threads > 0) {
        g_snprintf(who, sizeof who, "%u thread%s", threads, threads == 1 ? "" : "s");
    }
    for (guint i = 0; i < served->len; i++) {
        const struct address *address = &g_array_index(served, struct address, i);
        is_loopback_only = is_loopback_only && address_is_loopback(address);
        if (i < ADDRESSES_TOLD) {
            g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", address_text(address, text));
        }
    }
    log_line(d->log, served->len > 0 ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
             "%sserves %u address%s (%s%s): %s", why, served->len, served->len == 1 ? "" : "es",
             served->len > 0 ? list->str : "none", served->len > ADDRESSES_TOLD ? ", ..." : "",
             who);
    if (served->len > 0 && is_loopback_only) {
        tell_loopback_only(d);
    }
    g_string_free(list, TRUE);
    g_array_free(served, TRUE);
}
