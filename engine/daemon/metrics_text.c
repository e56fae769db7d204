/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The metrics page as text, by one table of families. Serves nobody: whoever has an engine can make
 * a page, the simulator too.
 *
 * Follows OpenMetrics 1.0: a counter's sample ends in _total, an info's in _info; a family with a
 * unit ends in it; times and lengths of time are seconds.
 */
#include <math.h>
#include <string.h>

#include "../constants.h"
#include "../inspection.h"
#include "metrics.h"

struct family;

/* The page being made, with what it is made of. */
struct page {
    const struct metrics_terms *terms;
    const struct family *family; /* being written */
    struct system_status status;
    const struct engine_counters *counters;
    struct packet_counts packets; /* these two of the main loop and of the threads */
    struct service_counts served;
    GString *text;
};

struct family {
    const char *name, *type, *unit, *help; /* unit "" = none */
    void (*write)(struct page *page);
};

/* ---- samples ---- */

/* A label's value; backslash, quote and newline are escaped. */
static void put_label(GString *text, const char *name, const char *value)
{
    g_string_append_printf(text, "%s%s=\"", text->str[text->len - 1] == '{' ? "" : ",", name);
    for (; *value; value++) {
        if (*value == '\n') {
            g_string_append(text, "\\n");
        } else {
            if (*value == '\\' || *value == '"') {
                g_string_append_c(text, '\\');
            }
            g_string_append_c(text, *value);
        }
    }
    g_string_append_c(text, '"');
}

static void put_number(GString *text, double value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    if (isnan(value)) {
        g_string_append(text, "NaN");
    } else if (isinf(value)) {
        g_string_append(text, value > 0 ? "+Inf" : "-Inf");
    } else {
        g_string_append(text, g_ascii_formatd(number, sizeof number, "%.12g", value));
    }
}

static void begin_sample(const struct page *page)
{
    const char *type = page->family->type;
    g_string_append_printf(page->text, "%s%s", page->family->name,
                           strcmp(type, "counter") == 0 ? "_total"
                           : strcmp(type, "info") == 0  ? "_info"
                                                        : "");
}

static void end_gauge(const struct page *page, double value)
{
    g_string_append_c(page->text, ' ');
    put_number(page->text, value);
    g_string_append_c(page->text, '\n');
}

static void end_count(const struct page *page, uint64_t value)
{
    g_string_append_printf(page->text, " %" G_GUINT64_FORMAT "\n", (guint64)value);
}

static void gauge(const struct page *page, double value)
{
    begin_sample(page);
    end_gauge(page, value);
}

static void count(const struct page *page, uint64_t value)
{
    begin_sample(page);
    end_count(page, value);
}

/* With one label. */
static void labelled_count(const struct page *page, const char *label, const char *of,
                           uint64_t value)
{
    begin_sample(page);
    g_string_append_c(page->text, '{');
    put_label(page->text, label, of);
    g_string_append_c(page->text, '}');
    end_count(page, value);
}

/* ---- the daemon and its clock ---- */

static double unix_seconds(ntp_time time)
{
    return (double)unix_s_from_ntp(time) + (double)(time.ticks & UINT32_MAX) / TICKS_PER_S;
}

static void write_build(struct page *page)
{
    labelled_count(page, "version", page->terms->version, 1);
}

static void write_start(struct page *page)
{
    gauge(page, unix_seconds(page->counters->since.clock));
}

static void write_state(struct page *page)
{
    for (unsigned state = 0; state < STATES; state++) {
        labelled_count(page, page->family->name, system_state_name((enum system_state)state),
                       page->status.state == state);
    }
}

static void write_stratum(struct page *page)
{
    gauge(page, page->status.stratum);
}

static void write_leap(struct page *page)
{
    gauge(page, page->status.leap);
}

/* What is not known has no sample: a zero there would pass for a measurement. */
static void gauge_if(const struct page *page, bool is_known, double value)
{
    if (is_known) {
        gauge(page, value);
    }
}

static bool was_updated(const struct page *page)
{
    return !ntp_is_zero(page->status.reference_time);
}

static bool is_synchronised(const struct page *page)
{
    return isfinite(page->status.root_distance_s);
}

static void write_offset(struct page *page)
{
    gauge_if(page, was_updated(page), page->status.offset_s);
}

static void write_residual(struct page *page)
{
    gauge_if(page, was_updated(page), page->status.residual_s);
}

static void write_jitter(struct page *page)
{
    gauge_if(page, was_updated(page), page->status.jitter_s);
}

static void write_drift(struct page *page)
{
    gauge_if(page, page->status.drift_is_known, page->status.drift_ppm);
}

static void write_wander(struct page *page)
{
    gauge_if(page, was_updated(page), page->status.wander_ppm);
}

static void write_root_delay(struct page *page)
{
    gauge_if(page, is_synchronised(page), page->status.root_delay_s);
}

static void write_root_dispersion(struct page *page)
{
    gauge_if(page, is_synchronised(page), page->status.root_dispersion_s);
}

static void write_root_distance(struct page *page)
{
    gauge(page, page->status.root_distance_s);
}

static void write_lasts(struct page *page)
{
    gauge(page, page->status.lasts_s);
}

static void write_poll(struct page *page)
{
    gauge(page, power_of_two(page->status.poll));
}

static void write_reference(struct page *page)
{
    gauge_if(page, was_updated(page), unix_seconds(page->status.reference_time));
}

static void write_steers(struct page *page)
{
    gauge(page, page->terms->steering == CONTROL_STEERS);
}

static void write_steering(struct page *page)
{
    for (unsigned i = 0; i < CONTROL_STEERINGS; i++) {
        enum control_steering steering = (enum control_steering)i;
        labelled_count(page, page->family->name, control_steering_name(steering),
                       page->terms->steering == steering);
    }
}

static void write_refused(struct page *page)
{
    count(page, page->status.refused);
}

/* ---- packets ---- */

static void write_received(struct page *page)
{
    count(page, page->packets.received);
}

static void write_processed(struct page *page)
{
    count(page, page->packets.processed);
}

static void write_malformed(struct page *page)
{
    count(page, page->packets.malformed);
}

static void write_declined(struct page *page)
{
    count(page, page->packets.declined);
}

static void write_restricted(struct page *page)
{
    count(page, page->packets.restricted);
}

static void write_limited(struct page *page)
{
    count(page, page->packets.limited);
}

static void write_bad_auth(struct page *page)
{
    count(page, page->packets.bad_auth);
}

static void write_polls(struct page *page)
{
    count(page, page->counters->sent);
}

static void write_requests(struct page *page)
{
    static const char *const names[SERVICE_VERDICTS] = {
        [SERVICE_ANSWERED] = "answered",   [SERVICE_KISSED] = "kissed",
        [SERVICE_MALFORMED] = "malformed", [SERVICE_MODE] = "mode",
        [SERVICE_OWN_ADDRESS] = "source",  [SERVICE_RESTRICTED] = "restricted",
        [SERVICE_LIMITED] = "limited",     [SERVICE_BAD_AUTH] = "bad_auth"};
    for (unsigned i = 0; i < SERVICE_VERDICTS; i++) {
        labelled_count(page, "verdict", names[i], page->served.verdicts[i]);
    }
}

static void write_versions(struct page *page)
{
    labelled_count(page, "version", "4", page->served.version_4);
    labelled_count(page, "version", "older", page->served.version_older);
}

static void write_threads(struct page *page)
{
    gauge(page, page->terms->thread_count);
}

static void write_udp_received(struct page *page)
{
    count(page, page->terms->udp->received);
}

static void write_udp_sent(struct page *page)
{
    count(page, page->terms->udp->sent);
}

static void write_udp_errors(struct page *page)
{
    const struct udp_counts *udp = page->terms->udp;
    labelled_count(page, "kind", "send", udp->send_errors + page->terms->thread_send_errors);
    labelled_count(page, "kind", "icmp", udp->icmp);
    labelled_count(page, "kind", "truncated", udp->truncated);
}

static void write_udp_stamps(struct page *page)
{
    const struct udp_counts *udp = page->terms->udp;
    labelled_count(page, "kind", "hardware", udp->hardware_stamps);
    labelled_count(page, "kind", "kernel", udp->kernel_stamps);
    labelled_count(page, "kind", "none", udp->unstamped);
}

/* ---- sources ---- */

static void begin_source(const struct page *page, size_t index, const struct source_status *source)
{
    char number[24], address[ADDRESS_TEXT_SIZE];
    const struct engine_config *config = page->terms->config;
    begin_sample(page);
    g_string_append_c(page->text, '{');
    g_snprintf(number, sizeof number, "%zu", index);
    put_label(page->text, "source", number);
    if (config) {
        put_label(page->text, "name", config->associations[source->association].name);
    }
    put_label(page->text, "address",
              source->is_resolved ? address_text(&source->peer.address, address) : "");
    g_string_append_c(page->text, '}');
}

static bool any_source(const struct source_status *source)
{
    (void)source;
    return true;
}

static bool has_address(const struct source_status *source)
{
    return source->is_resolved;
}

/* An empty filter's dispersion is the greatest there is, and its other values are zeros. */
static bool is_measured(const struct source_status *source)
{
    return source->is_resolved && source->dispersion_s < DISPERSION_MAX_S;
}

/* A sample of each source of which there is something to say. */
static void each_source(struct page *page, bool (*is_known)(const struct source_status *source),
                        double (*value)(const struct source_status *source))
{
    for (size_t i = 0; i < engine_source_count(page->terms->engine); i++) {
        struct source_status source;
        engine_source_status(page->terms->engine, page->terms->now, i, &source);
        if (is_known(&source)) {
            begin_source(page, i, &source);
            end_gauge(page, value(&source));
        }
    }
}

static double reach_of(const struct source_status *source)
{
    unsigned answered = 0;
    for (unsigned bit = 0; bit < 8; bit++) {
        answered += source->reach >> bit & 1u;
    }
    return answered / 8.0;
}

static double selection_of(const struct source_status *source)
{
    return source->selection;
}

static double stratum_of(const struct source_status *source)
{
    return source->stratum;
}

static double poll_of(const struct source_status *source)
{
    return power_of_two(source->poll);
}

static double offset_of(const struct source_status *source)
{
    return source->offset_s;
}

static double delay_of(const struct source_status *source)
{
    return source->delay_s;
}

static double dispersion_of(const struct source_status *source)
{
    return source->dispersion_s;
}

static double jitter_of(const struct source_status *source)
{
    return source->jitter_s;
}

static double distance_of(const struct source_status *source)
{
    return source->root_distance_s;
}

static void write_source_reach(struct page *page)
{
    each_source(page, any_source, reach_of);
}

static void write_source_selection(struct page *page)
{
    each_source(page, any_source, selection_of);
}

static void write_source_stratum(struct page *page)
{
    each_source(page, has_address, stratum_of);
}

static void write_source_poll(struct page *page)
{
    each_source(page, has_address, poll_of);
}

static void write_source_offset(struct page *page)
{
    each_source(page, is_measured, offset_of);
}

static void write_source_delay(struct page *page)
{
    each_source(page, is_measured, delay_of);
}

static void write_source_dispersion(struct page *page)
{
    each_source(page, is_measured, dispersion_of);
}

static void write_source_jitter(struct page *page)
{
    each_source(page, is_measured, jitter_of);
}

static void write_source_distance(struct page *page)
{
    each_source(page, is_measured, distance_of);
}

/* ---- the table ---- */

static const struct family families[] = {
    {"holdfast_build", "info", "", "Version of the daemon.", write_build},
    {"holdfast_start_timestamp_seconds", "gauge", "seconds",
     "When counting began, by this host's clock then (Unix time).", write_start},
    {"holdfast_state", "stateset", "", "State of synchronisation.", write_state},
    {"holdfast_stratum", "gauge", "", "Stratum of this server; 16 = unsynchronised.",
     write_stratum},
    {"holdfast_leap_indicator", "gauge", "",
     "0 = none, 1 = second inserted, 2 = deleted at the end of the month, 3 = unsynchronised.",
     write_leap},
    {"holdfast_offset_seconds", "gauge", "seconds",
     "Last combined offset; positive = this clock is behind; no sample before the first update.",
     write_offset},
    {"holdfast_residual_seconds", "gauge", "seconds",
     "Of the offset, not yet slewed away; no sample before the first update.", write_residual},
    {"holdfast_jitter_seconds", "gauge", "seconds",
     "Jitter of the system; no sample before the first update.", write_jitter},
    {"holdfast_drift_ppm", "gauge", "ppm",
     "What the free-running clock needs added; no sample until it is known.", write_drift},
    {"holdfast_wander_ppm", "gauge", "ppm",
     "Wander of the drift; no sample before the first update.", write_wander},
    {"holdfast_root_delay_seconds", "gauge", "seconds",
     "Round trip to the primary server; no sample when unsynchronised.", write_root_delay},
    {"holdfast_root_dispersion_seconds", "gauge", "seconds",
     "Root dispersion, as of now; no sample when unsynchronised.", write_root_dispersion},
    {"holdfast_root_distance_seconds", "gauge", "seconds",
     "Claimed bound of this clock's error, as of now; +Inf = unsynchronised.", write_root_distance},
    {"holdfast_lasts_seconds", "gauge", "seconds",
     "How long clients will accept this server if no source answers from now on.", write_lasts},
    {"holdfast_poll_seconds", "gauge", "seconds", "Poll interval of the system.", write_poll},
    {"holdfast_reference_timestamp_seconds", "gauge", "seconds",
     "Last update of the clock (Unix time); no sample before the first.", write_reference},
    {"holdfast_clock_steered", "gauge", "", "1 = this host's clock is steered, 0 = it is not.",
     write_steers},
    {"holdfast_clock_steering", "stateset", "",
     "Whether this host's clock is steered, and why not.", write_steering},
    {"holdfast_clock_refused", "counter", "", "Commands that the clock did not carry out.",
     write_refused},
    {"holdfast_received_packets", "counter", "packets", "NTP packets that came in.",
     write_received},
    {"holdfast_processed_packets", "counter", "packets",
     "Of those received, taken by a source or answered with time.", write_processed},
    {"holdfast_malformed_packets", "counter", "packets",
     "Of those received, no NTP packet by their form.", write_malformed},
    {"holdfast_restricted_packets", "counter", "packets",
     "Of those received, requests that the access list forbids.", write_restricted},
    {"holdfast_limited_packets", "counter", "packets",
     "Of those received, requests over the rate limit, with a kiss-o'-death or without.",
     write_limited},
    {"holdfast_bad_auth_packets", "counter", "packets",
     "Of those received, without the MAC they need or with one that does not verify.",
     write_bad_auth},
    {"holdfast_declined_packets", "counter", "packets",
     "Of those received, answers refused for another reason, and what is no request.",
     write_declined},
    {"holdfast_polls", "counter", "", "Packets sent to sources.", write_polls},
    {"holdfast_requests", "counter", "", "Clients' requests by what became of them.",
     write_requests},
    {"holdfast_requests_by_version", "counter", "", "Clients' requests by their version.",
     write_versions},
    {"holdfast_server_threads", "gauge", "", "Threads that answer clients beside the main loop.",
     write_threads},
    {"holdfast_udp_received_packets", "counter", "packets",
     "Datagrams that the main loop's sockets gave.", write_udp_received},
    {"holdfast_udp_sent_packets", "counter", "packets", "Datagrams that the main loop sent.",
     write_udp_sent},
    {"holdfast_udp_errors", "counter", "",
     "Sends that failed, ICMP errors that came back, datagrams that were cut.", write_udp_errors},
    {"holdfast_udp_stamps", "counter", "", "Timestamps of datagrams by who took them.",
     write_udp_stamps},
    {"holdfast_source_reach_ratio", "gauge", "ratio", "Answered of the last eight polls.",
     write_source_reach},
    {"holdfast_source_selection", "gauge", "",
     "0 = rejected, 1 = falseticker, 2 = excess, 3 = outlier, 4 = candidate, 5 = backup, 6 = "
     "system peer.",
     write_source_selection},
    {"holdfast_source_stratum", "gauge", "", "Stratum of the source; 16 = it has told none.",
     write_source_stratum},
    {"holdfast_source_poll_seconds", "gauge", "seconds", "Poll interval of the source.",
     write_source_poll},
    {"holdfast_source_offset_seconds", "gauge", "seconds",
     "Offset of the source; positive = this clock is behind; no sample until it is measured.",
     write_source_offset},
    {"holdfast_source_delay_seconds", "gauge", "seconds",
     "Round trip to the source; no sample until it is measured.", write_source_delay},
    {"holdfast_source_dispersion_seconds", "gauge", "seconds",
     "Dispersion of its samples; no sample until it is measured.", write_source_dispersion},
    {"holdfast_source_jitter_seconds", "gauge", "seconds",
     "Jitter of its samples; no sample until it is measured.", write_source_jitter},
    {"holdfast_source_root_distance_seconds", "gauge", "seconds",
     "What the test of fitness compares with tos maxdist; no sample until it is measured.",
     write_source_distance},
};

static bool needs_sockets(const struct family *family)
{
    return g_str_has_prefix(family->name, "holdfast_udp_");
}

void metrics_text(const struct metrics_terms *terms, GString *text)
{
    struct page page = {.terms = terms, .text = text};
    engine_status(terms->engine, terms->now, &page.status);
    page.counters = engine_counters(terms->engine);
    page.packets = inspection_packet_counts(page.counters, terms->threads);
    page.served = page.counters->served;
    if (terms->threads) {
        service_counts_add(&page.served, terms->threads);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
        const struct family *family = &families[i];
        if (needs_sockets(family) && !terms->udp) {
            continue;
        }
        page.family = family;
        g_string_append_printf(text, "# TYPE %s %s\n", family->name, family->type);
        if (*family->unit) {
            g_string_append_printf(text, "# UNIT %s %s\n", family->name, family->unit);
        }
        g_string_append_printf(text, "# HELP %s %s\n", family->name, family->help);
        family->write(&page);
    }
    g_string_append(text, "# EOF\n");
}

void metrics_table(GString *text)
{
    for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
        const struct family *family = &families[i];
        g_string_append_printf(text, "%-40s %-9s %-8s %s\n", family->name, family->type,
                               *family->unit ? family->unit : "-", family->help);
    }
}
