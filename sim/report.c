/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The run directory as it grows: truth on the grid, statistics and packets as they come, the rest
 * at the end.
 */
#include "report.h"

#include <math.h>
#include <string.h>

#include "pcap.h"
#include "report_state.h"

/* Clients looked at in a world that has more. */
enum { CLIENTS_LOOKED_AT = 1000 };

bool report_looks_at(const struct report *r, uint32_t node)
{
    const struct scenario *s = r->scenario;
    bool is_client = node >= s->host_count && node < s->host_count + s->client_count;
    return !is_client || (node - s->host_count) % r->stride == 0;
}

/* ---- observers ---- */

static void write_statistics(struct report *r, uint32_t node, const struct trace_record *record)
{
    char line[STATISTICS_LINE_MAX];
    if (!r->hosts || node >= r->scenario->host_count) {
        return;
    }
    struct host_files *files = &r->hosts[node];
    size_t length = trace_statistics_line(record, STATISTICS_LOOP, line);
    if (length > 0) {
        output_file_append(&files->loopstats, line, length);
    }
    length = trace_statistics_line(record, STATISTICS_PEER, line);
    if (length > 0) {
        output_file_append(&files->peerstats, line, length);
    }
}

static void on_trace(void *context, struct world *world, uint32_t node,
                     const struct trace_record *record)
{
    struct report *r = context;
    history_trace(&r->history, sim_s(world_now(world)), node, record);
    write_statistics(r, node, record);
}

static void on_fault(void *context, struct world *world, const struct fault *fault, bool begins)
{
    struct report *r = context;
    history_fault(&r->history, sim_s(world_now(world)), fault, begins);
}

static void on_packet(void *context, struct world *world, uint32_t from, uint32_t to,
                      const struct endpoint *source, const struct endpoint *destination,
                      const uint8_t *bytes, size_t size, enum carriage carriage)
{
    struct report *r = context;
    (void)from;
    (void)to;
    (void)carriage;
    ntp_time now = ntp_add_ticks(r->scenario->epoch, world_now(world).ticks);
    uint64_t fraction = now.ticks & UINT32_MAX;
    g_byte_array_set_size(r->record, (guint)(size + PCAP_RECORD_OVERHEAD_MAX));
    size_t length =
        pcap_record(r->record->data, (uint64_t)unix_s_from_ntp(now),
                    (uint32_t)(fraction * 1000000000 >> 32), source, destination, bytes, size);
    output_file_append(&r->pcap, r->record->data, length);
}

/* ---- beginning ---- */

static bool begin_hosts(struct report *r, char **error)
{
    r->hosts = g_new0(struct host_files, r->scenario->host_count + 1);
    for (size_t i = 0; i < r->scenario->host_count; i++) {
        const char *name = r->scenario->nodes[i].name;
        char *loop = g_build_filename(name, "loopstats", NULL);
        char *peer = g_build_filename(name, "peerstats", NULL);
        bool ok = run_directory_make_folder(r->directory, name, error);
        if (ok) {
            output_file_init(&r->hosts[i].loopstats, run_directory_path(r->directory, loop));
            output_file_init(&r->hosts[i].peerstats, run_directory_path(r->directory, peer));
        }
        g_free(loop);
        g_free(peer);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool begin_files(struct report *r, const struct report_options *options, char **error)
{
    static const char columns[] = "time_s,node,quantity,value\n";
    uint8_t header[PCAP_HEADER_SIZE];
    r->directory = run_directory_new(options->directory, error);
    if (!r->directory || !begin_hosts(r, error)) {
        return false;
    }
    r->directory_name = g_strdup(options->directory);
    output_file_init(&r->truth, run_directory_path(r->directory, "truth.csv"));
    output_file_append(&r->truth, columns, sizeof columns - 1);
    r->with_pcap = options->with_pcap;
    if (r->with_pcap) {
        output_file_init(&r->pcap, run_directory_path(r->directory, "packets.pcap"));
        pcap_header(header);
        output_file_append(&r->pcap, header, sizeof header);
    }
    return true;
}

struct report *report_new(struct world *world, const struct report_options *options, char **error)
{
    struct report *r = g_new0(struct report, 1);
    const struct scenario *s = world_scenario(world);
    r->world = world;
    r->scenario = s;
    r->grid_s = options->grid_s;
    r->stride = (uint32_t)(s->client_count / CLIENTS_LOOKED_AT + 1);
    history_init(&r->history, s);
    r->periods = periods_new(s, &r->period_count);
    r->worst = g_new0(struct node_worst, s->node_count);
    r->record = g_byte_array_new();
    r->claims = (struct claim_extremes){.share_node = UINT32_MAX, .largest_node = UINT32_MAX};
    if (options->directory && !begin_files(r, options, error)) {
        report_free(r);
        return NULL;
    }
    uint32_t of_files = TRACE_BIT(TRACE_LOOP) | TRACE_BIT(TRACE_SAMPLE);
    struct observer observer = {.context = r,
                                .kinds = HISTORY_KINDS | (r->hosts ? of_files : 0),
                                .trace = on_trace,
                                .fault = on_fault,
                                .packet = r->with_pcap ? on_packet : NULL};
    world_observe(world, &observer);
    return r;
}

/* ---- the grid ---- */

/* One row; `text` is the value already as text, or NULL. */
static void put_row(GString *out, double now_s, const char *node, const char *quantity,
                    double value, const char *text)
{
    g_string_append_printf(out, "%.9g,%s,%s,", now_s, node, quantity);
    if (text) {
        g_string_append_printf(out, "%s\n", text);
    } else {
        g_string_append_printf(out, "%.9g\n", value);
    }
}

static void write_truth(struct report *r, double now_s, uint32_t node, const struct truth *truth)
{
    GString *out = r->truth.pending;
    const char *name = r->scenario->nodes[node].name;
    put_row(out, now_s, name, "error_s", truth->error_s, NULL);
    put_row(out, now_s, name, "bound_s", truth->bound_s, NULL);
    put_row(out, now_s, name, "state", 0,
            history_standing_name(truth->is_up ? (unsigned)truth->state : HISTORY_DOWN));
    put_row(out, now_s, name, "frequency_ppm", truth->frequency * 1e6, NULL);
    if (!truth->is_up || r->scenario->nodes[node].kind == NODE_UPSTREAM) {
        return;
    }
    put_row(out, now_s, name, "stratum", truth->stratum, NULL);
    put_row(out, now_s, name, "reach", truth->reach, NULL);
    put_row(out, now_s, name, "drift_ppm", truth->correction * 1e6, NULL);
    put_row(out, now_s, name, "poll", truth->poll, NULL);
    put_row(out, now_s, name, "leader", 0,
            truth->leader == UINT32_MAX ? "-" : r->scenario->nodes[truth->leader].name);
}

static void note_claim(struct claim_extremes *claims, double now_s, uint32_t node,
                       const struct truth *truth)
{
    if (!truth->is_up || !isfinite(truth->bound_s) || truth->bound_s <= 0) {
        return;
    }
    double share = fabs(truth->error_s) / truth->bound_s;
    if (share > claims->share || claims->share_node == UINT32_MAX) {
        claims->share = share;
        claims->share_node = node;
        claims->share_error_s = truth->error_s;
        claims->share_bound_s = truth->bound_s;
        claims->share_at = now_s;
    }
    if (truth->bound_s > claims->largest_s) {
        claims->largest_s = truth->bound_s;
        claims->largest_node = node;
        claims->largest_at = now_s;
    }
}

/* Least and greatest error of the clients that were looked at. */
struct range {
    double least, greatest;
};

static void note_truth(struct report *r, double now_s, uint32_t node, const struct truth *truth,
                       struct range *clients)
{
    enum node_kind kind = r->scenario->nodes[node].kind;
    struct node_worst *worst = &r->worst[node];
    if (!truth->is_up) {
        return;
    }
    if (fabs(truth->error_s) >= fabs(worst->error_s)) {
        *worst = (struct node_worst){truth->error_s, now_s};
    }
    if (kind == NODE_UPSTREAM) {
        return;
    }
    if (kind == NODE_HOST) {
        note_claim(&r->claims, now_s, node, truth);
    } else {
        clients->least = fmin(clients->least, truth->error_s);
        clients->greatest = fmax(clients->greatest, truth->error_s);
    }
    for (size_t i = 0; i < r->period_count; i++) {
        struct period *period = &r->periods[i];
        if (now_s >= period->from_s && now_s < period->until_s) {
            period_note(&period->sizes[kind == NODE_HOST ? PERIOD_HOSTS : PERIOD_CLIENTS],
                        truth->error_s, node, now_s);
        }
    }
}

static void note_spread(struct report *r, double now_s, const struct range *clients)
{
    for (size_t i = 0; i < r->period_count && clients->least <= clients->greatest; i++) {
        struct period *period = &r->periods[i];
        if (now_s >= period->from_s && now_s < period->until_s) {
            period_note(&period->sizes[PERIOD_SPREAD], clients->greatest - clients->least,
                        UINT32_MAX, now_s);
        }
    }
}

void report_look(struct report *r)
{
    double now_s = sim_s(world_now(r->world));
    struct range clients = {INFINITY, -INFINITY};
    for (uint32_t node = 0; node < r->scenario->node_count; node++) {
        struct truth truth;
        if (!report_looks_at(r, node)) {
            continue;
        }
        world_truth(r->world, node, &truth);
        note_truth(r, now_s, node, &truth, &clients);
        if (r->directory) {
            write_truth(r, now_s, node, &truth);
        }
    }
    note_spread(r, now_s, &clients);
    if (r->directory) {
        output_file_append(&r->truth, "", 0);
    }
}

/* ---- the end ---- */

static bool flush(struct report *r, struct output_file *file, const char *folder, const char *name,
                  char **error)
{
    if (output_file_flush(file)) {
        return true;
    }
    *error = g_strdup_printf("%s/%s%s%s: %s", r->directory_name, folder ? folder : "",
                             folder ? "/" : "", name, g_strerror(file->cause));
    return false;
}

static bool flush_all(struct report *r, char **error)
{
    bool ok = flush(r, &r->truth, NULL, "truth.csv", error);
    if (ok && r->with_pcap) {
        ok = flush(r, &r->pcap, NULL, "packets.pcap", error);
    }
    for (size_t i = 0; ok && i < r->scenario->host_count; i++) {
        const char *name = r->scenario->nodes[i].name;
        ok = flush(r, &r->hosts[i].loopstats, name, "loopstats", error) &&
             flush(r, &r->hosts[i].peerstats, name, "peerstats", error);
    }
    return ok;
}

static bool write_files(struct report *r, const struct report_end *end, const char *text,
                        char **error)
{
    char *summary = summary_text(r, end);
    bool ok = flush_all(r, error) &&
              run_directory_write(r->directory, "report.txt", text, strlen(text), error) &&
              run_directory_write(r->directory, "summary.json", summary, strlen(summary), error) &&
              run_directory_commit(r->directory, error);
    g_free(summary);
    return ok;
}

bool report_finish(struct report *r, const struct verdict *verdicts, size_t count, uint64_t seed,
                   double wall_s, char **text, char **error)
{
    struct report_end end = {.verdicts = verdicts, .count = count, .seed = seed, .wall_s = wall_s};
    world_digest(r->world, end.digest);
    history_end(&r->history, sim_s(world_now(r->world)));
    char *made = report_text(r, &end);
    if (r->directory && !write_files(r, &end, made, error)) {
        run_directory_free(r->directory);
        r->directory = NULL;
        g_free(made);
        return false;
    }
    *text = made;
    return true;
}

void report_free(struct report *r)
{
    if (!r) {
        return;
    }
    for (size_t i = 0; r->hosts && i < r->scenario->host_count; i++) {
        output_file_clear(&r->hosts[i].loopstats);
        output_file_clear(&r->hosts[i].peerstats);
    }
    g_free(r->hosts);
    output_file_clear(&r->truth);
    output_file_clear(&r->pcap);
    run_directory_free(r->directory);
    history_clear(&r->history);
    g_byte_array_free(r->record, TRUE);
    g_free(r->periods);
    g_free(r->worst);
    g_free(r->directory_name);
    g_free(r);
}
