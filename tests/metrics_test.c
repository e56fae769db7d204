/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The metrics page: well formed by a checker that knows OpenMetrics and not the table, right by
 * what the engine says of itself, and served over real sockets to whoever behaves or does not.
 */
#include "../engine/daemon/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "messages_check.h"
#include "wire.h"

/* ---- a page's form ---- */

/* What the checker remembers of a page. */
struct page_form {
    GHashTable *families, *series; /* names, and samples with their labels, seen so far */
    char *family, *type;           /* of the family being read */
    unsigned samples;
    char *fault; /* the first; NULL = none */
};

static void find_fault(struct page_form *form, const char *what, const char *line)
{
    if (!form->fault) {
        form->fault = g_strdup_printf("%s: %s", what, line);
    }
}

static bool is_name(const char *name)
{
    return g_regex_match_simple("^[a-zA-Z_:][a-zA-Z0-9_:]*$", name, 0, 0);
}

static void read_comment(struct page_form *form, const char *line)
{
    char **words = g_strsplit(line, " ", 4);
    if (g_strv_length(words) != 4 || !is_name(words[2])) {
        find_fault(form, "no comment of OpenMetrics", line);
    } else if (strcmp(words[1], "TYPE") == 0) {
        static const char *const types[] = {"counter", "gauge", "info", "stateset", NULL};
        if (!g_strv_contains(types, words[3]) ||
            !g_hash_table_add(form->families, g_strdup(words[2]))) {
            find_fault(form, "unknown type, or a family twice", line);
        }
        g_free(form->family);
        g_free(form->type);
        form->family = g_strdup(words[2]);
        form->type = g_strdup(words[3]);
    } else if (!form->family || strcmp(words[2], form->family) != 0) {
        find_fault(form, "not about the family that was begun", line);
    } else if (strcmp(words[1], "UNIT") == 0) {
        char *suffix = g_strconcat("_", words[3], NULL);
        if (!g_str_has_suffix(words[2], suffix)) {
            find_fault(form, "a unit that is not in the name", line);
        }
        g_free(suffix);
    } else if (strcmp(words[1], "HELP") != 0) {
        find_fault(form, "unknown comment", line);
    }
    g_strfreev(words);
}

static void read_sample(struct page_form *form, const char *line)
{
    GMatchInfo *match;
    GRegex *regex = g_regex_new("^([a-zA-Z_:][a-zA-Z0-9_:]*)"
                                "(\\{[a-zA-Z_]\\w*=\"(?:[^\"\\\\]|\\\\[\\\\\"n])*\""
                                "(?:,[a-zA-Z_]\\w*=\"(?:[^\"\\\\]|\\\\[\\\\\"n])*\")*\\})?"
                                " (NaN|[+-]Inf|-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)$",
                                0, 0, NULL);
    if (!g_regex_match(regex, line, 0, &match)) {
        find_fault(form, "no sample", line);
    } else {
        char *name = g_match_info_fetch(match, 1), *labels = g_match_info_fetch(match, 2);
        const char *ending = g_strcmp0(form->type, "counter") == 0 ? "_total"
                             : g_strcmp0(form->type, "info") == 0  ? "_info"
                                                                   : "";
        char *expected = g_strconcat(form->family ? form->family : "?", ending, NULL);
        if (strcmp(name, expected) != 0) {
            find_fault(form, "a sample without its family before it", line);
        }
        if (!g_hash_table_add(form->series, g_strconcat(name, labels, NULL))) {
            find_fault(form, "a sample twice", line);
        }
        form->samples++;
        g_free(expected);
        g_free(labels);
        g_free(name);
    }
    g_match_info_free(match);
    g_regex_unref(regex);
}

/* The first fault of a page, "" for none; free with g_free(). */
static char *fault_of(const char *page, unsigned *samples)
{
    struct page_form form = {
        .families = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .series = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    char **lines = g_strsplit(page, "\n", -1);
    unsigned count = g_strv_length(lines);
    if (count < 2 || strcmp(lines[count - 1], "") != 0 || strcmp(lines[count - 2], "# EOF") != 0) {
        find_fault(&form, "does not end in # EOF", page);
    }
    for (unsigned i = 0; i + 2 < count; i++) {
        if (lines[i][0] == '#') {
            read_comment(&form, lines[i]);
        } else {
            read_sample(&form, lines[i]);
        }
    }
    *samples = form.samples;
    g_strfreev(lines);
    g_hash_table_destroy(form.families);
    g_hash_table_destroy(form.series);
    g_free(form.family);
    g_free(form.type);
    return form.fault ? form.fault : g_strdup("");
}

static void check_form(const char *page, const char *fault, unsigned line)
{
    unsigned samples;
    char *found = fault_of(page, &samples);
    check_text(found, fault, "fault", __FILE__, line);
    g_free(found);
}

static void checker_finds_what_is_wrong(void)
{
#define GAUGE "# TYPE a_seconds gauge\n"
    check_form(GAUGE "a_seconds{b=\"\\\\\\\"\\n\"} 1e-07\n# EOF\n", "", __LINE__);
    check_form(GAUGE "a_seconds 1\n", "does not end in # EOF: " GAUGE "a_seconds 1\n", __LINE__);
    check_form("a 1\n# EOF\n", "a sample without its family before it: a 1", __LINE__);
    check_form(GAUGE "a_seconds 1\na_seconds 1\n# EOF\n", "a sample twice: a_seconds 1", __LINE__);
    check_form(GAUGE GAUGE "# EOF\n", "unknown type, or a family twice: # TYPE a_seconds gauge",
               __LINE__);
    check_form("# TYPE a counter\na 1\n# EOF\n", "a sample without its family before it: a 1",
               __LINE__);
    check_form(GAUGE "# UNIT a_seconds volts\n# EOF\n",
               "a unit that is not in the name: # UNIT a_seconds volts", __LINE__);
    check_form(GAUGE "a_seconds nan\n# EOF\n", "no sample: a_seconds nan", __LINE__);
    check_form(GAUGE "a_seconds{b=\"\"\"} 1\n# EOF\n", "no sample: a_seconds{b=\"\"\"} 1",
               __LINE__);
#undef GAUGE
}

/* ---- its values ---- */

/* An engine with two upstreams of which one never answers, and a name without an address. */
struct bench {
    struct wire *w;
    struct wire_node *node;
    struct service_counts threads;
    struct udp_counts udp;
    struct metrics_terms terms;
};

static struct bench bench_open(double run_s)
{
    struct bench b = {.w = wire_new()};
    b.node = wire_add_node(b.w, wire_address(10, 0, 0, 1));
    wire_add_upstream(b.w, wire_address(198, 51, 100, 1))->offset_s = 0.002;
    wire_add_line(b.node, ASSOCIATION_SERVER, wire_address(198, 51, 100, 1))->name =
        "up \"one\"\\\n";
    wire_add_line(b.node, ASSOCIATION_SERVER, wire_address(198, 51, 100, 2))->name = "198.51.100.2";
    struct association_config *named =
        wire_add_line(b.node, ASSOCIATION_SERVER, wire_address(0, 0, 0, 0));
    named->name = "name.example";
    named->is_numeric = false;
    named->address = (struct address){.family = ADDRESS_NONE};
    b.node->skew = 2e-5;
    wire_start(b.node);
    wire_run(b.w, run_s);
    return b;
}

/* What the daemon hands over for a page. */
static const struct metrics_terms *bench_terms(struct bench *b)
{
    b->terms = (struct metrics_terms){.engine = b->node->engine,
                                      .now = wire_instant(b->node),
                                      .config = &b->node->config,
                                      .threads = &b->threads,
                                      .thread_count = 3,
                                      .thread_send_errors = 90,
                                      .udp = &b->udp,
                                      .version = "holdfastd 1.2.3",
                                      .steering = CONTROL_STEERS};
    return &b->terms;
}

static char *page_of(const struct metrics_terms *terms)
{
    GString *page = g_string_new("");
    metrics_text(terms, page);
    return g_string_free(page, FALSE);
}

/* The text behind "SERIES " on the page; "(none)" when it is not there. Free with g_free(). */
static char *value_of(const char *page, const char *series)
{
    char *start = g_strdup_printf("\n%s ", series);
    const char *at = strstr(page, start);
    size_t size = strlen(start);
    g_free(start);
    return at ? g_strndup(at + size, strcspn(at + size, "\n")) : g_strdup("(none)");
}

static void check_value(const char *page, const char *series, const char *expected, unsigned line)
{
    char *value = value_of(page, series);
    check_text(value, expected, series, __FILE__, line);
    g_free(value);
}

static void check_number(const char *page, const char *series, double expected, unsigned line)
{
    char *value = value_of(page, series);
    check_near(g_ascii_strtod(value, NULL), expected, fabs(expected) * 1e-11, series, __FILE__,
               line);
    check_report(strcmp(value, "(none)") != 0, series, __FILE__, line);
    g_free(value);
}

#define VALUE(series, expected) check_value(page, (series), (expected), __LINE__)
#define NUMBER(series, expected) check_number(page, (series), (expected), __LINE__)

static void page_is_well_formed_in_every_state(void)
{
    static const double times_s[] = {0, 30, 1000, 5000};
    for (size_t i = 0; i < G_N_ELEMENTS(times_s); i++) {
        unsigned samples;
        struct bench b = bench_open(times_s[i]);
        char *page = page_of(bench_terms(&b)), *fault = fault_of(page, &samples);
        CHECK_STR(fault, "");
        CHECK(samples > (times_s[i] < 1000 ? 45u : 60u)); /* at first much is unknown */
        g_free(fault);
        g_free(page);
        b.terms.threads = NULL;
        b.terms.udp = NULL;
        b.terms.config = NULL;
        page = page_of(&b.terms);
        fault = fault_of(page, &samples);
        CHECK_STR(fault, "");
        CHECK(strstr(page, "udp") == NULL && strstr(page, "name=") == NULL);
        g_free(fault);
        g_free(page);
        wire_free(b.w);
    }
}

static void system_values_are_the_engines(void)
{
    struct bench b = bench_open(5000);
    struct system_status status;
    char *page = page_of(bench_terms(&b));
    engine_status(b.node->engine, b.terms.now, &status);
    CHECK_INT(status.state, STATE_SYNCHRONISED);
    VALUE("holdfast_build_info{version=\"holdfastd 1.2.3\"}", "1");
    VALUE("holdfast_state{holdfast_state=\"synchronised\"}", "1");
    VALUE("holdfast_state{holdfast_state=\"unsynchronised\"}", "0");
    VALUE("holdfast_state{holdfast_state=\"holdover\"}", "0");
    VALUE("holdfast_stratum", "2");
    VALUE("holdfast_leap_indicator", "0");
    VALUE("holdfast_clock_steered", "1");
    VALUE("holdfast_clock_steering{holdfast_clock_steering=\"steers\"}", "1");
    VALUE("holdfast_clock_steering{holdfast_clock_steering=\"no-right\"}", "0");
    VALUE("holdfast_clock_steering{holdfast_clock_steering=\"restart-needed\"}", "0");
    VALUE("holdfast_server_threads", "3");
    NUMBER("holdfast_start_timestamp_seconds", WIRE_START_UNIX_S);
    NUMBER("holdfast_offset_seconds", status.offset_s);
    NUMBER("holdfast_residual_seconds", status.residual_s);
    NUMBER("holdfast_jitter_seconds", status.jitter_s);
    NUMBER("holdfast_drift_ppm", status.drift_ppm);
    NUMBER("holdfast_wander_ppm", status.wander_ppm);
    NUMBER("holdfast_root_delay_seconds", status.root_delay_s);
    NUMBER("holdfast_root_dispersion_seconds", status.root_dispersion_s);
    NUMBER("holdfast_root_distance_seconds", status.root_distance_s);
    NUMBER("holdfast_lasts_seconds", status.lasts_s);
    NUMBER("holdfast_poll_seconds", ldexp(1.0, status.poll));
    NUMBER("holdfast_reference_timestamp_seconds",
           (double)WIRE_START_UNIX_S +
               ntp_diff_s(status.reference_time, ntp_from_unix_s(WIRE_START_UNIX_S)));
    CHECK(fabs(status.drift_ppm) > 1 && status.root_distance_s > 1e-3);
    g_free(page);
    wire_free(b.w);
}

static void what_is_not_known_is_not_claimed(void)
{
    struct bench b = bench_open(0);
    char *page = page_of(bench_terms(&b));
    VALUE("holdfast_state{holdfast_state=\"unsynchronised\"}", "1");
    VALUE("holdfast_stratum", "16");
    VALUE("holdfast_root_distance_seconds", "+Inf");
    VALUE("holdfast_lasts_seconds", "0");
    static const char *const unknown[] = {"offset_seconds",
                                          "residual_seconds",
                                          "jitter_seconds",
                                          "drift_ppm",
                                          "wander_ppm",
                                          "root_delay_seconds",
                                          "root_dispersion_seconds",
                                          "reference_timestamp_seconds"};
    for (size_t i = 0; i < G_N_ELEMENTS(unknown); i++) {
        char *series = g_strconcat("holdfast_", unknown[i], NULL);
        char *family = g_strdup_printf("# TYPE %s gauge\n", series);
        CHECK(strstr(page, family) != NULL); /* without samples, but there */
        VALUE(series, "(none)");
        g_free(family);
        g_free(series);
    }
    CHECK(strstr(page, "holdfast_source_offset_seconds{") == NULL);
    g_free(page);
    wire_free(b.w);
}

static void what_was_measured_stays_when_the_claim_is_lost(void)
{
    struct bench b = bench_open(5000);
    b.w->upstreams[0].is_cut = true;
    wire_run(b.w, 400000);
    char *page = page_of(bench_terms(&b));
    struct system_status status;
    engine_status(b.node->engine, b.terms.now, &status);
    VALUE("holdfast_state{holdfast_state=\"unsynchronised\"}", "1");
    VALUE("holdfast_root_delay_seconds", "(none)");
    VALUE("holdfast_root_dispersion_seconds", "(none)");
    VALUE("holdfast_root_distance_seconds", "+Inf");
    NUMBER("holdfast_offset_seconds", status.offset_s);
    NUMBER("holdfast_drift_ppm", status.drift_ppm);
    CHECK(fabs(status.drift_ppm) > 1);
    g_free(page);
    wire_free(b.w);
}

static void sources_are_named_and_escaped(void)
{
#define ONE "{source=\"0\",name=\"up \\\"one\\\"\\\\\\n\",address=\"198.51.100.1\"}"
#define TWO "{source=\"1\",name=\"198.51.100.2\",address=\"198.51.100.2\"}"
#define THREE "{source=\"2\",name=\"name.example\",address=\"\"}"
    struct bench b = bench_open(5000);
    struct source_status status;
    char *page = page_of(bench_terms(&b));
    engine_source_status(b.node->engine, b.terms.now, 0, &status);
    VALUE("holdfast_source_reach_ratio" ONE, "1");
    VALUE("holdfast_source_reach_ratio" TWO, "0");
    VALUE("holdfast_source_reach_ratio" THREE, "0");
    VALUE("holdfast_source_selection" ONE, "6");
    VALUE("holdfast_source_selection" TWO, "0");
    VALUE("holdfast_source_stratum" ONE, "1");
    VALUE("holdfast_source_stratum" TWO, "16");
    VALUE("holdfast_source_stratum" THREE, "(none)");
    NUMBER("holdfast_source_poll_seconds" ONE, ldexp(1.0, status.poll));
    NUMBER("holdfast_source_offset_seconds" ONE, status.offset_s);
    NUMBER("holdfast_source_delay_seconds" ONE, status.delay_s);
    NUMBER("holdfast_source_dispersion_seconds" ONE, status.dispersion_s);
    NUMBER("holdfast_source_jitter_seconds" ONE, status.jitter_s);
    NUMBER("holdfast_source_root_distance_seconds" ONE, status.root_distance_s);
    VALUE("holdfast_source_offset_seconds" TWO, "(none)");
    VALUE("holdfast_source_delay_seconds" TWO, "(none)");
    VALUE("holdfast_source_dispersion_seconds" TWO, "(none)");
    VALUE("holdfast_source_jitter_seconds" TWO, "(none)");
    VALUE("holdfast_source_root_distance_seconds" TWO, "(none)");
    VALUE("holdfast_source_offset_seconds" THREE, "(none)");
    CHECK(status.delay_s > 1e-3);
    engine_source_status(b.node->engine, b.terms.now, 1, &status);
    NUMBER("holdfast_source_poll_seconds" TWO, ldexp(1.0, status.poll));
    g_free(page);
    wire_free(b.w);
#undef ONE
#undef TWO
#undef THREE
}

static void counters_are_the_sum_of_the_main_loop_and_the_threads(void)
{
    struct bench b = bench_open(1000);
    struct effects out;
    uint8_t request[48] = {0x23};
    struct datagram in = {.peer = {wire_address(192, 0, 2, 9), 5000},
                          .local = {b.node->own, NTP_PORT},
                          .stamp = wire_clock(b.node),
                          .kind = STAMP_KERNEL,
                          .bytes = request,
                          .size = sizeof request};
    engine_receive(b.node->engine, wire_instant(b.node), &in, &out);
    const struct engine_counters *c = engine_counters(b.node->engine);
    b.threads.verdicts[SERVICE_ANSWERED] = 1000;
    b.threads.verdicts[SERVICE_KISSED] = 200;
    b.threads.verdicts[SERVICE_MALFORMED] = 30;
    b.threads.verdicts[SERVICE_RESTRICTED] = 5;
    b.threads.verdicts[SERVICE_LIMITED] = 7;
    b.threads.verdicts[SERVICE_BAD_AUTH] = 11;
    b.threads.verdicts[SERVICE_MODE] = 2;
    b.threads.version_4 = 1100;
    b.threads.version_older = UINT64_MAX;
    b.udp = (struct udp_counts){.received = 1,
                                .sent = 2,
                                .send_errors = 3,
                                .icmp = 4,
                                .kernel_stamps = 5,
                                .hardware_stamps = 6,
                                .unstamped = 7,
                                .truncated = 8};
    char *page = page_of(bench_terms(&b));
    CHECK_INT(c->served.verdicts[SERVICE_ANSWERED], 1);
    CHECK(c->sent >= 10 && c->received >= 10);
    NUMBER("holdfast_received_packets_total", (double)c->received + 1255);
    /* Who is kissed gets no time: over the limit, and not processed. */
    NUMBER("holdfast_processed_packets_total", (double)c->processed + 1000);
    NUMBER("holdfast_limited_packets_total", 207);
    NUMBER("holdfast_malformed_packets_total", (double)c->malformed + 30);
    NUMBER("holdfast_restricted_packets_total", 5);
    NUMBER("holdfast_declined_packets_total", (double)c->declined + 2);
    NUMBER("holdfast_bad_auth_packets_total", (double)c->bad_auth + 11);
    NUMBER("holdfast_polls_total", (double)c->sent);
    VALUE("holdfast_clock_refused_total", "0");
    VALUE("holdfast_requests_total{verdict=\"answered\"}", "1001");
    VALUE("holdfast_requests_total{verdict=\"kissed\"}", "200");
    VALUE("holdfast_requests_total{verdict=\"malformed\"}", "30");
    VALUE("holdfast_requests_total{verdict=\"limited\"}", "7");
    VALUE("holdfast_requests_by_version_total{version=\"4\"}", "1101");
    VALUE("holdfast_requests_by_version_total{version=\"older\"}", "18446744073709551615");
    VALUE("holdfast_udp_received_packets_total", "1");
    VALUE("holdfast_udp_sent_packets_total", "2");
    VALUE("holdfast_udp_errors_total{kind=\"send\"}", "93");
    VALUE("holdfast_udp_errors_total{kind=\"icmp\"}", "4");
    VALUE("holdfast_udp_stamps_total{kind=\"kernel\"}", "5");
    VALUE("holdfast_udp_stamps_total{kind=\"hardware\"}", "6");
    VALUE("holdfast_udp_stamps_total{kind=\"none\"}", "7");
    VALUE("holdfast_udp_errors_total{kind=\"truncated\"}", "8");
    g_free(page);
    wire_free(b.w);
}

static void table_names_every_family_of_the_page(void)
{
    struct bench b = bench_open(1000);
    GString *table = g_string_new("\n");
    metrics_table(table);
    char *page = page_of(bench_terms(&b)), **lines = g_strsplit(page, "\n", -1);
    unsigned families = 0;
    for (char **line = lines; *line; line++) {
        if (g_str_has_prefix(*line, "# TYPE ")) {
            char **words = g_strsplit(*line, " ", -1);
            char *row = g_strdup_printf("\n%s ", words[2]);
            CHECK(strstr(table->str, row) != NULL);
            families++;
            g_free(row);
            g_strfreev(words);
        }
    }
    char **rows = g_strsplit(table->str, "\n", -1);
    CHECK_INT(g_strv_length(rows), families + 2);
    g_strfreev(rows);
    g_strfreev(lines);
    g_free(page);
    g_string_free(table, TRUE);
    wire_free(b.w);
}

/* ---- over sockets ---- */

static void fill(void *context, GString *page)
{
    unsigned *made = context;
    ++*made;
    for (int i = 0; i < 2000; i++) { /* more than one segment, and than MHD keeps for itself */
        g_string_append_printf(page, "# line %d\n", i);
    }
    g_string_append(page, "# EOF\n");
}

/* A free port of the loopback address of this family: bound once and given back. */
static struct endpoint free_endpoint(const char *address)
{
    struct endpoint at;
    struct sockaddr_storage name = {.ss_family = AF_INET};
    socklen_t size = sizeof name;
    CHECK(address_parse(address, &at.address));
    bool is_v6 = at.address.family == ADDRESS_V6;
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(listen(fd, 1) == 0 && getsockname(fd, (struct sockaddr *)&name, &size) == 0);
    const void *bytes = &name;
    at.port = ntohs(is_v6 ? ((const struct sockaddr_in6 *)bytes)->sin6_port
                          : ((const struct sockaddr_in *)bytes)->sin_port);
    close(fd);
    return at;
}

static struct metrics *open_metrics(const struct endpoint *at, unsigned *made)
{
    char *error = NULL;
    struct metrics *metrics = metrics_open(at, fill, made, &error);
    CHECK_STR(error ? error : "", "");
    REQUIRE(metrics != NULL);
    return metrics;
}

static int connect_to(const struct endpoint *at)
{
    int connected;
    int fd = socket(at->address.family == ADDRESS_V6 ? AF_INET6 : AF_INET,
                    SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (at->address.family == ADDRESS_V6) {
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(at->port)};
        memcpy(&v6.sin6_addr, at->address.bytes, 16);
        connected = connect(fd, (const struct sockaddr *)&v6, sizeof v6);
    } else {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(at->port)};
        memcpy(&v4.sin_addr, at->address.bytes, 4);
        connected = connect(fd, (const struct sockaddr *)&v4, sizeof v4);
    }
    CHECK_INT(connected, 0);
    return fd;
}

/* What a main loop does, until the other side has closed `fd` or `patience_ms` are over; returns
 * what it said. Free with g_string_free(). */
static GString *serve_until_closed(struct metrics *metrics, int fd, int patience_ms)
{
    GString *heard = g_string_new("");
    gint64 until = g_get_monotonic_time() + patience_ms * 1000;
    bool is_open = true;
    while (is_open && g_get_monotonic_time() < until) {
        char bytes[4096];
        struct pollfd fds[] = {{.fd = metrics_fd(metrics), .events = POLLIN},
                               {.fd = fd, .events = POLLIN}};
        int wait = metrics_timeout_ms(metrics);
        poll(fds, 2, wait < 0 || wait > 50 ? 50 : wait);
        metrics_serve(metrics);
        ssize_t size = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        is_open = size > 0 || (size < 0 && errno == EAGAIN);
        if (size > 0) {
            g_string_append_len(heard, bytes, size);
        }
    }
    CHECK(!is_open);
    return heard;
}

static GString *ask(struct metrics *metrics, const struct endpoint *at, const char *request)
{
    int fd = connect_to(at);
    CHECK_INT(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    GString *heard = serve_until_closed(metrics, fd, 3000);
    close(fd);
    return heard;
}

static void check_answer(struct metrics *metrics, const struct endpoint *at, const char *request,
                         const char *status, bool has_page, unsigned line)
{
    GString *heard = ask(metrics, at, request);
    char *first = g_strndup(heard->str, strcspn(heard->str, "\r\n"));
    check_text(first, status, request, __FILE__, line);
    check_report(g_str_has_suffix(heard->str, "\n# line 1999\n# EOF\n") == has_page, "page",
                 __FILE__, line);
    if (strstr(status, "200")) {
        check_report(strstr(heard->str, "\r\nContent-Type: " METRICS_CONTENT_TYPE "\r\n") != NULL,
                     "type", __FILE__, line);
    }
    g_free(first);
    g_string_free(heard, TRUE);
}

#define ANSWER(request, status, has_page)                                                          \
    check_answer(metrics, &at, request, status, has_page, __LINE__)
#define REST " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static void page_is_given_to_get_and_to_nothing_else(void)
{
    unsigned made = 0;
    struct endpoint at = free_endpoint("127.0.0.1");
    struct metrics *metrics = open_metrics(&at, &made);
    ANSWER("GET /metrics" REST, "HTTP/1.1 200 OK", true);
    ANSWER("GET /metrics?x=y" REST, "HTTP/1.1 200 OK", true);
    CHECK_INT(made, 2);
    ANSWER("HEAD /metrics" REST, "HTTP/1.1 200 OK", false);
    ANSWER("GET /" REST, "HTTP/1.1 404 Not Found", false);
    ANSWER("GET /metrics/../metrics" REST, "HTTP/1.1 404 Not Found", false);
    ANSWER("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
           "HTTP/1.1 405 Method Not Allowed", false);
    ANSWER("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody",
           "HTTP/1.1 405 Method Not Allowed", false);
    ANSWER("DELETE /metrics" REST, "HTTP/1.1 405 Method Not Allowed", false);
    CHECK_INT(made, 3);
    metrics_close(metrics);
}

static void page_is_served_by_ipv6_too(void)
{
    unsigned made = 0;
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool has_ipv6 = fd >= 0 && bind(fd, (const struct sockaddr *)&own, sizeof own) == 0;
    close(fd);
    if (has_ipv6) {
        struct endpoint at = free_endpoint("::1");
        struct metrics *metrics = open_metrics(&at, &made);
        ANSWER("GET /metrics" REST, "HTTP/1.1 200 OK", true);
        metrics_close(metrics);
    }
}

static void half_a_request_holds_up_nobody_and_is_dropped(void)
{
    unsigned made = 0;
    struct endpoint at = free_endpoint("127.0.0.1");
    struct metrics *metrics = open_metrics(&at, &made);
    int half = connect_to(&at);
    CHECK_INT(send(half, "GET /met", 8, MSG_NOSIGNAL), 8);
    gint64 start = g_get_monotonic_time();
    metrics_serve(metrics);
    ANSWER("GET /metrics" REST, "HTTP/1.1 200 OK", true);
    CHECK(g_get_monotonic_time() - start < 1000000);
    int wait = metrics_timeout_ms(metrics);
    CHECK(wait >= 0 && wait <= METRICS_TIMEOUT_S * 1000);
    GString *heard = serve_until_closed(metrics, half, (METRICS_TIMEOUT_S + 3) * 1000);
    gint64 waited = g_get_monotonic_time() - start;
    CHECK(waited > (METRICS_TIMEOUT_S - 1) * 1000000 && waited < (METRICS_TIMEOUT_S + 2) * 1000000);
    CHECK(strstr(heard->str, "200 OK") == NULL);
    metrics_serve(metrics);
    CHECK_INT(metrics_timeout_ms(metrics), -1); /* nobody is there: wait for ever */
    CHECK_INT(made, 1);
    g_string_free(heard, TRUE);
    close(half);
    metrics_close(metrics);
}

static void junk_is_answered_or_dropped_and_nothing_breaks(void)
{
    unsigned made = 0;
    struct endpoint at = free_endpoint("127.0.0.1");
    struct metrics *metrics = open_metrics(&at, &made);
    char *long_line = g_strnfill(100000, 'x');
    char *requests[] = {g_strdup("\r\n\r\n\x01\x02\x03\r\n\r\n"), g_strdup("GET\r\n\r\n"),
                        g_strdup_printf("GET /%s HTTP/1.1\r\n\r\n", long_line), NULL};
    for (char **request = requests; *request; request++) {
        int fd = connect_to(&at);
        (void)send(fd, *request, strlen(*request), MSG_NOSIGNAL | MSG_DONTWAIT);
        shutdown(fd, SHUT_WR);
        g_string_free(serve_until_closed(metrics, fd, (METRICS_TIMEOUT_S + 3) * 1000), TRUE);
        close(fd);
        g_free(*request);
    }
    CHECK_INT(made, 0);
    ANSWER("GET /metrics" REST, "HTTP/1.1 200 OK", true);
    g_free(long_line);
    metrics_close(metrics);
}

static ssize_t serve_and_hear(struct metrics *metrics, int fd)
{
    char bytes[64];
    for (int i = 0; i < 20; i++) {
        metrics_serve(metrics);
    }
    return recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
}

static void connections_are_few(void)
{
    unsigned made = 0;
    int silent[METRICS_CONNECTIONS_MAX];
    struct endpoint at = free_endpoint("127.0.0.1");
    struct metrics *metrics = open_metrics(&at, &made);
    for (int i = 0; i < METRICS_CONNECTIONS_MAX; i++) {
        silent[i] = connect_to(&at);
        CHECK_INT(send(silent[i], "G", 1, MSG_NOSIGNAL), 1);
        metrics_serve(metrics);
    }
    int fd = connect_to(&at);
    CHECK_INT(send(fd, "GET /metrics" REST, strlen("GET /metrics" REST), MSG_NOSIGNAL),
              (ssize_t)strlen("GET /metrics" REST));
    CHECK_INT(serve_and_hear(metrics, fd), -1); /* one too many: it waits */
    close(silent[0]);
    CHECK(serve_and_hear(metrics, fd) > 0);
    for (int i = 1; i < METRICS_CONNECTIONS_MAX; i++) {
        close(silent[i]);
    }
    close(fd);
    metrics_close(metrics);
}

static void address_that_cannot_be_is_an_error_with_its_cure(void)
{
    unsigned made = 0;
    char *error = NULL;
    struct endpoint at = free_endpoint("127.0.0.1");
    struct metrics *metrics = open_metrics(&at, &made);
    CHECK(metrics_open(&at, fill, &made, &error) == NULL);
    char *expected =
        g_strdup_printf("metrics 127.0.0.1:%u: cannot listen there: Address already in "
                        "use; another program listens there: choose another port",
                        (unsigned)at.port);
    CHECK_STR(error, expected);
    g_free(expected);
    g_free(error);
    metrics_close(metrics);
    CHECK(address_parse("2001:db8::1", &at.address));
    error = NULL;
    CHECK(metrics_open(&at, fill, &made, &error) == NULL);
    expected =
        g_strdup_printf("metrics [2001:db8::1]:%u: cannot listen there: ", (unsigned)at.port);
    CHECK(error && g_str_has_prefix(error, expected));
    g_free(expected);
    g_free(error);
}

const struct test_case metrics_tests[] = {
    {"checker_finds_what_is_wrong", checker_finds_what_is_wrong},
    {"page_is_well_formed_in_every_state", page_is_well_formed_in_every_state},
    {"system_values_are_the_engines", system_values_are_the_engines},
    {"what_is_not_known_is_not_claimed", what_is_not_known_is_not_claimed},
    {"what_was_measured_stays_when_the_claim_is_lost",
     what_was_measured_stays_when_the_claim_is_lost},
    {"sources_are_named_and_escaped", sources_are_named_and_escaped},
    {"counters_are_the_sum_of_the_main_loop_and_the_threads",
     counters_are_the_sum_of_the_main_loop_and_the_threads},
    {"table_names_every_family_of_the_page", table_names_every_family_of_the_page},
    {"page_is_given_to_get_and_to_nothing_else", page_is_given_to_get_and_to_nothing_else},
    {"page_is_served_by_ipv6_too", page_is_served_by_ipv6_too},
    {"half_a_request_holds_up_nobody_and_is_dropped",
     half_a_request_holds_up_nobody_and_is_dropped},
    {"junk_is_answered_or_dropped_and_nothing_breaks",
     junk_is_answered_or_dropped_and_nothing_breaks},
    {"connections_are_few", connections_are_few},
    {"address_that_cannot_be_is_an_error_with_its_cure",
     address_that_cannot_be_is_an_error_with_its_cure},
    {NULL, NULL}};
