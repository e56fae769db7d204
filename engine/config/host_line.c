/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines that are the host's business: driftfile, statsdir, logfile, logconfig, leapfile, interface,
 * threads, metrics.
 *
 * Paths are kept as written and nothing is opened.
 */
#include <string.h>

#include "network.h"
#include "reader.h"

static struct place place_of(struct ntpconf_reader *reader, const struct line *line, unsigned index)
{
    return (struct place){reader_keep(reader, line->file), line->number, line->words[index].column};
}

void driftfile_read(struct ntpconf_reader *reader, const struct line *line)
{
    double tolerance;
    reader->conf->host.driftfile = reader_keep(reader, line->words[1].text);
    reader->conf->host.driftfile_at = place_of(reader, line, 1);
    if (line->count > 2 && line_number(line, 2, 0, 1e9, &tolerance, reader->messages)) {
        line_warning(line, 2, reader->messages,
                     "the tolerance has no effect: the file is written once an hour");
    }
}

void statsdir_read(struct ntpconf_reader *reader, const struct line *line)
{
    reader->conf->host.statsdir = reader_keep(reader, line->words[1].text);
    reader->conf->host.statsdir_at = place_of(reader, line, 1);
}

void logfile_read(struct ntpconf_reader *reader, const struct line *line)
{
    reader->conf->host.logfile = reader_keep(reader, line->words[1].text);
    reader->conf->host.logfile_at = place_of(reader, line, 1);
}

void leapfile_read(struct ntpconf_reader *reader, const struct line *line)
{
    reader->conf->host.leapfile = reader_keep(reader, line->words[1].text);
    if (line->count == 2 || strcmp(line->words[2].text, "checkhash") == 0) {
        return;
    }
    if (strcmp(line->words[2].text, "ignorehash") == 0) {
        support_complain(SUPPORT_NO_EFFECT, "ignorehash", "the hash is always checked", line, 2,
                         reader->messages);
    } else {
        line_error(line, 2, reader->messages, "expected checkhash or ignorehash, not \"%s\"",
                   line->words[2].text);
    }
}

/* [=+-] all, or a class of messages and a kind of them, as ntpd writes it. */
static bool is_logconfig_word(const char *text)
{
    static const char *const classes[] = {"all", "clock", "peer", "sync", "sys"};
    static const char *const kinds[] = {"", "all", "events", "info", "statistics", "status", NULL};
    text += *text == '=' || *text == '+' || *text == '-';
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
        if (!g_str_has_prefix(text, classes[i])) {
            continue;
        }
        const char *rest = text + strlen(classes[i]);
        if (g_strv_contains(kinds, rest) && (*rest || strcmp(classes[i], "all") == 0)) {
            return true;
        }
    }
    return false;
}

void logconfig_read(struct ntpconf_reader *reader, const struct line *line)
{
    for (unsigned i = 1; i < line->count; i++) {
        const char *text = line->words[i].text;
        if (!is_logconfig_word(text)) {
            line_error(line, i, reader->messages,
                       "expected a class such as =all, +syncstatus or -peerevents, not \"%s\"",
                       text);
            return;
        }
        g_ptr_array_add(reader->logconfig, (gpointer)(uintptr_t)reader_keep(reader, text));
    }
}

/* A keyword, a block of addresses, or what may name an interface of the host. */
static bool is_interface(const char *text)
{
    enum { INTERFACE_NAME_MAX = 15 }; /* of Linux */
    struct network network;
    if (network_parse(text, &network)) {
        return true;
    }
    return *text && strlen(text) <= INTERFACE_NAME_MAX && !strpbrk(text, "/:");
}

void interface_read(struct ntpconf_reader *reader, const struct line *line)
{
    static const char *const actions[] = {"listen", "ignore", "drop", NULL};
    struct interface_rule rule = {.action = INTERFACE_LISTEN};
    const char *action = line->words[1].text;
    if (strcmp(action, "ignore") == 0) {
        rule.action = INTERFACE_IGNORE;
    } else if (strcmp(action, "drop") == 0) {
        rule.action = INTERFACE_DROP;
    } else if (strcmp(action, "listen") != 0) {
        const char *near = nearest_word(action, actions);
        line_error(line, 1, reader->messages, "expected listen, ignore or drop, not \"%s\"%s%s%s",
                   action, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        return;
    }
    if (line_refuses_zone(line, 2, "name the interface, or the address without its zone",
                          reader->messages)) {
        return;
    }
    if (!is_interface(line->words[2].text)) {
        line_error(line, 2, reader->messages,
                   "expected all, ipv4, ipv6, wildcard, an interface or ADDRESS/BITS, not \"%s\"",
                   line->words[2].text);
        return;
    }
    struct place place = place_of(reader, line, 2);
    rule.what = reader_keep(reader, line->words[2].text);
    g_array_append_val(reader->interfaces, rule);
    g_array_append_val(reader->interface_places, place);
}

void threads_read(struct ntpconf_reader *reader, const struct line *line)
{
    long threads;
    if (line_integer(line, 1, 0, SERVER_THREADS_MAX, &threads, reader->messages)) {
        reader->conf->host.threads = (int)threads;
    }
}

/* "192.0.2.1:9123" or "[2001:db8::1]:9123": an IPv6 address without brackets has no clear end. */
static bool parse_endpoint(const char *text, struct endpoint *out)
{
    char address[ADDRESS_TEXT_SIZE];
    const char *colon = strrchr(text, ':');
    bool has_brackets = *text == '[';
    const char *start = text + has_brackets;
    const char *end = has_brackets ? strchr(text, ']') : colon;
    if (!colon || !end || end < start || end + has_brackets != colon ||
        (size_t)(end - start) >= sizeof address) {
        return false;
    }
    memcpy(address, start, (size_t)(end - start));
    address[end - start] = '\0';
    long port;
    struct endpoint read;
    if (!address_parse(address, &read.address) ||
        (read.address.family == ADDRESS_V6) != has_brackets || !parse_integer(colon + 1, &port) ||
        port < 1 || port > UINT16_MAX) {
        return false;
    }
    read.port = (uint16_t)port;
    *out = read;
    return true;
}

void metrics_read(struct ntpconf_reader *reader, const struct line *line)
{
    if (line_refuses_zone(line, 1, "use a global or unique local address of this machine",
                          reader->messages)) {
        return;
    }
    if (!parse_endpoint(line->words[1].text, &reader->conf->host.metrics)) {
        line_error(line, 1, reader->messages,
                   "expected an address and a port such as 127.0.0.1:9123 or [::1]:9123, not "
                   "\"%s\"",
                   line->words[1].text);
    }
}

void host_finish(struct ntpconf_reader *reader)
{
    struct host_config *host = &reader->conf->host;
    gsize words = reader->logconfig->len;
    host->interfaces = reader_keep_array(reader, reader->interfaces, &host->interface_count);
    reader->interfaces = NULL;
    host->interface_places =
        reader_keep_array(reader, reader->interface_places, &host->interface_count);
    reader->interface_places = NULL;
    host->logconfig_count = words;
    gpointer *list = g_ptr_array_free(reader->logconfig, FALSE);
    reader->logconfig = NULL;
    g_ptr_array_add(reader->blocks, list);
    host->logconfig = (const char *const *)list;
}
