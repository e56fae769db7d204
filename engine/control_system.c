/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The system variables of mode 6: see control_system.h.
 */
#include "control_system.h"

#include "control_peer.h"
#include "control_variable.h"
#include "engine_state.h"
#include "inspection.h"

struct system_values {
    const char *version, *processor, *system;
    struct variable_refid refid;
    struct endpoint peer_address;
    ntp_time reference_time, clock;
    uint64_t leap, stratum, peer_id, peer_mode;
    int64_t precision, time_constant, least_time_constant;
    double root_delay_ms, root_dispersion_ms, root_distance_ms, offset_ms;
    double frequency_ppm, jitter_ms, clock_jitter_ms, wander_ppm, tai_s, auth_delay_ms;
    /* Counters; NAN = not counted. */
    double control_requests, io_received, io_sent, io_failed;
    uint64_t uptime_s;
    struct packet_counts packets;
    uint64_t version_1, version_1_clients, version_1_modeless, version_1_symmetric, sent, keys;
    uint64_t mru_enabled, mru_depth, mru_capacity, mru_kb, mru_none;
    double mru_oldest_s;
    double kernel_offset_ms, kernel_frequency_ppm, kernel_tolerance_ppm;
    double kernel_maximum_ms, kernel_estimated_ms, kernel_precision_ms, kernel_time_constant;
    const char *kernel_flags;
    double absent; /* NAN: nothing here is what ntpd means by the name */
    /* hf_... */
    const char *state, *source, *policy, *steering;
    double bound_ms, lasts_s, drift_ppm, residual_ms;
    uint64_t drift_is_known, steers, refused;
};

#define ROW(name, kind, digits, is_listed, field)                                                  \
    {                                                                                              \
        name, kind, digits, is_listed, offsetof(struct system_values, field)                       \
    }
#define LISTED(name, kind, digits, field) ROW(name, kind, digits, true, field)
#define HIDDEN(name, kind, digits, field) ROW(name, kind, digits, false, field)
/* Known, so that ntpq prints the rest of its list, and never with a value. */
#define ABSENT(name) HIDDEN(name, VARIABLE_REAL, 0, absent)
/* A counter and its fellow since the last reset: there is no reset, so it is the same. */
#define COUNTER(name, field)                                                                       \
    HIDDEN(name, VARIABLE_COUNT, 0, field), HIDDEN(name "_r", VARIABLE_COUNT, 0, field)

static const struct control_variable system_rows[] = {
    LISTED("version", VARIABLE_QUOTED, 0, version),
    LISTED("processor", VARIABLE_QUOTED, 0, processor),
    LISTED("system", VARIABLE_QUOTED, 0, system),
    LISTED("leap", VARIABLE_COUNT, 0, leap),
    LISTED("stratum", VARIABLE_COUNT, 0, stratum),
    LISTED("precision", VARIABLE_INTEGER, 0, precision),
    LISTED("rootdelay", VARIABLE_REAL, 3, root_delay_ms),
    LISTED("rootdisp", VARIABLE_REAL, 3, root_dispersion_ms),
    HIDDEN("rootdist", VARIABLE_REAL, 3, root_distance_ms),
    LISTED("refid", VARIABLE_REFID, 0, refid),
    LISTED("reftime", VARIABLE_TIME, 0, reference_time),
    LISTED("clock", VARIABLE_TIME, 0, clock),
    LISTED("peer", VARIABLE_COUNT, 0, peer_id),
    HIDDEN("peeradr", VARIABLE_ENDPOINT, 0, peer_address),
    HIDDEN("peermode", VARIABLE_COUNT, 0, peer_mode),
    LISTED("tc", VARIABLE_INTEGER, 0, time_constant),
    LISTED("mintc", VARIABLE_INTEGER, 0, least_time_constant),
    LISTED("offset", VARIABLE_REAL, 6, offset_ms),
    LISTED("frequency", VARIABLE_REAL, 6, frequency_ppm),
    LISTED("sys_jitter", VARIABLE_REAL, 6, jitter_ms),
    LISTED("clk_jitter", VARIABLE_REAL, 6, clock_jitter_ms),
    LISTED("clk_wander", VARIABLE_REAL, 6, wander_ppm),
    LISTED("tai", VARIABLE_REAL, 0, tai_s),
    HIDDEN("authdelay", VARIABLE_REAL, 6, auth_delay_ms),

    COUNTER("ss_reset", uptime_s),
    HIDDEN("ss_uptime", VARIABLE_COUNT, 0, uptime_s),
    HIDDEN("ss_numctlreq", VARIABLE_REAL, 0, control_requests),
    COUNTER("ss_received", packets.received),
    COUNTER("ss_thisver", packets.version_4),
    COUNTER("ss_oldver", packets.version_older),
    COUNTER("ss_ver1", version_1),
    COUNTER("ss_ver1client", version_1_clients),
    COUNTER("ss_ver1zero", version_1_modeless),
    COUNTER("ss_ver1symm", version_1_symmetric),
    COUNTER("ss_badformat", packets.malformed),
    COUNTER("ss_badauth", packets.bad_auth),
    COUNTER("ss_declined", packets.declined),
    COUNTER("ss_restricted", packets.restricted),
    COUNTER("ss_limited", packets.limited),
    COUNTER("ss_kodsent", packets.kissed),
    COUNTER("ss_processed", packets.processed),

    HIDDEN("mru_enabled", VARIABLE_COUNT, 0, mru_enabled),
    HIDDEN("mru_depth", VARIABLE_COUNT, 0, mru_depth),
    HIDDEN("mru_deepest", VARIABLE_COUNT, 0, mru_depth), /* entries only ever make room */
    HIDDEN("mru_maxdepth", VARIABLE_COUNT, 0, mru_capacity),
    HIDDEN("mru_mindepth", VARIABLE_COUNT, 0, mru_capacity),
    HIDDEN("mru_mem", VARIABLE_COUNT, 0, mru_kb), /* taken whole at start */
    HIDDEN("mru_maxmem", VARIABLE_COUNT, 0, mru_kb),
    HIDDEN("mru_none", VARIABLE_COUNT, 0, mru_none),
    HIDDEN("mru_oldest_age", VARIABLE_REAL, 0, mru_oldest_s),

    HIDDEN("iostats_reset", VARIABLE_COUNT, 0, uptime_s),
    HIDDEN("io_received", VARIABLE_REAL, 0, io_received),
    HIDDEN("io_sent", VARIABLE_REAL, 0, io_sent),
    HIDDEN("io_sendfailed", VARIABLE_REAL, 0, io_failed),
    HIDDEN("timerstats_reset", VARIABLE_COUNT, 0, uptime_s),
    HIDDEN("timer_xmts", VARIABLE_COUNT, 0, sent),
    HIDDEN("authreset", VARIABLE_COUNT, 0, uptime_s),
    HIDDEN("authkeys", VARIABLE_COUNT, 0, keys),
    HIDDEN("koffset", VARIABLE_REAL, 6, kernel_offset_ms),
    HIDDEN("kfreq", VARIABLE_REAL, 6, kernel_frequency_ppm),
    HIDDEN("kmaxerr", VARIABLE_REAL, 3, kernel_maximum_ms),
    HIDDEN("kesterr", VARIABLE_REAL, 3, kernel_estimated_ms),
    HIDDEN("kstflags", VARIABLE_QUOTED, 0, kernel_flags),
    HIDDEN("ktimeconst", VARIABLE_REAL, 0, kernel_time_constant),
    HIDDEN("kprecis", VARIABLE_REAL, 6, kernel_precision_ms),
    HIDDEN("kfreqtol", VARIABLE_REAL, 0, kernel_tolerance_ppm),
    /* The kernel's own pulse-per-second loop is switched off; ntpd's receive buffers, interval
     * timer, wakeups and counts of single digests have no counterpart. */
    ABSENT("kppsfreq"),
    ABSENT("kppsstab"),
    ABSENT("kppsjitter"),
    ABSENT("kppscalibdur"),
    ABSENT("kppscalibs"),
    ABSENT("kppsjitexc"),
    ABSENT("kppsstbexc"),
    ABSENT("kppscaliberrs"),
    ABSENT("total_rbuf"),
    ABSENT("free_rbuf"),
    ABSENT("used_rbuf"),
    ABSENT("rbuf_lowater"),
    ABSENT("io_dropped"),
    ABSENT("io_ignored"),
    ABSENT("io_wakeups"),
    ABSENT("io_goodwakeups"),
    ABSENT("timer_overruns"),
    ABSENT("authfreek"),
    ABSENT("authklookups"),
    ABSENT("authknotfound"),
    ABSENT("authkuncached"),
    ABSENT("authkexpired"),
    ABSENT("authencrypts"),
    ABSENT("authdigestencrypts"),
    ABSENT("authcmacencrypts"),
    ABSENT("authdecrypts"),
    ABSENT("authdigestdecrypts"),
    ABSENT("authdigestfails"),
    ABSENT("authcmacdecrypts"),
    ABSENT("authcmacfails"),
    ABSENT("mru_hashslots"),
    ABSENT("mru_maxage"),
    ABSENT("mru_minage"),
    ABSENT("mru_exists"),
    ABSENT("mru_new"),
    ABSENT("mru_recycleold"),
    ABSENT("mru_recyclefull"),

    HIDDEN("hf_state", VARIABLE_WORD, 0, state),
    HIDDEN("hf_bound", VARIABLE_REAL, 6, bound_ms),
    HIDDEN("hf_lasts", VARIABLE_REAL, 3, lasts_s),
    HIDDEN("hf_drift", VARIABLE_REAL, 6, drift_ppm),
    HIDDEN("hf_drift_known", VARIABLE_COUNT, 0, drift_is_known),
    HIDDEN("hf_residual", VARIABLE_REAL, 6, residual_ms),
    HIDDEN("hf_steer", VARIABLE_COUNT, 0, steers),
    HIDDEN("hf_steering", VARIABLE_WORD, 0, steering),
    HIDDEN("hf_source", VARIABLE_WORD, 0, source),
    HIDDEN("hf_refused", VARIABLE_COUNT, 0, refused),
    HIDDEN("hf_policy", VARIABLE_WORD, 0, policy),
};

/* The wire says 0 while unsynchronised; before the first time there is a word for it. */
static struct variable_refid refid_of(const struct system_status *status)
{
    bool is_name = status->stratum <= 1 || status->stratum >= STRATUM_MAX;
    bool never = status->stratum >= STRATUM_MAX && ntp_is_zero(status->reference_time);
    return (struct variable_refid){never ? REFID_OF('I', 'N', 'I', 'T') : status->refid, is_name};
}

static void fill_time(struct system_values *v, const struct system_status *status,
                      const struct engine *e, struct instant now)
{
    v->refid = refid_of(status);
    v->reference_time = status->reference_time;
    v->clock = now.clock;
    v->leap = status->leap;
    v->stratum = status->stratum;
    v->precision = e->config.clock.precision;
    v->time_constant = status->poll;
    v->least_time_constant = POLL_MIN;
    v->root_delay_ms = status->root_delay_s * 1e3;
    v->root_dispersion_ms = status->root_dispersion_s * 1e3;
    v->root_distance_ms = v->root_delay_ms / 2.0 + v->root_dispersion_ms;
    v->offset_ms = status->offset_s * 1e3;
    v->frequency_ppm = status->drift_ppm;
    v->jitter_ms = e->system.jitter_s * 1e3;
    v->clock_jitter_ms = status->jitter_s * 1e3;
    v->wander_ppm = status->wander_ppm;
}

const char *control_steering_name(enum control_steering steering)
{
    static const char *const names[CONTROL_STEERINGS] = {
        [CONTROL_STEERS] = "steers",
        [CONTROL_STEERING_UNWANTED] = "no-clock-control",
        [CONTROL_STEERING_DISABLED] = "disabled",
        [CONTROL_STEERING_NO_RIGHT] = "no-right",
        [CONTROL_STEERING_REFUSED] = "refused",
        [CONTROL_STEERING_AT_RESTART] = "restart-needed"};
    return names[steering];
}

/* The engine leaves the clock alone by itself once it was told of a refusal, or by its
 * configuration. */
static enum control_steering steering_of(const struct engine *e, const struct control_terms *terms)
{
    if (terms->steering != CONTROL_STEERS || !e->discipline.is_open) {
        return terms->steering;
    }
    return e->config.disable_discipline ? CONTROL_STEERING_DISABLED : CONTROL_STEERING_REFUSED;
}

static void fill_own(struct system_values *v, const struct system_status *status,
                     const struct engine *e, enum control_steering steering)
{
    v->state = system_state_name(status->state);
    v->policy = e->policy->name;
    v->bound_ms = isinf(status->root_distance_s) ? -1.0 : status->root_distance_s * 1e3;
    v->lasts_s = status->lasts_s;
    v->drift_ppm = status->drift_ppm;
    v->drift_is_known = status->drift_is_known;
    v->residual_ms = status->residual_s * 1e3;
    v->steers = steering == CONTROL_STEERS;
    v->steering = control_steering_name(steering);
    v->refused = status->refused;
}

static void fill_counters(struct system_values *v, const struct engine_counters *counters,
                          const struct control_terms *terms, mono_time now)
{
    struct service_counts served = counters->served;
    if (terms->threads) {
        service_counts_add(&served, terms->threads);
    }
    double uptime_s = mono_diff_s(now, counters->since.mono);
    v->uptime_s = uptime_s > 0.0 ? (uint64_t)uptime_s : 0;
    v->packets = inspection_packet_counts(counters, terms->threads);
    v->version_1 = served.version_1;
    v->version_1_clients = served.version_1_clients;
    v->version_1_modeless = served.version_1_modeless;
    v->version_1_symmetric = served.version_1_symmetric;
    v->sent = counters->sent;
}

static void fill_traffic(struct system_values *v, const struct control_traffic *traffic)
{
    v->control_requests = traffic ? (double)traffic->requests : NAN;
    v->io_received = traffic ? (double)traffic->received : NAN;
    v->io_sent = traffic ? (double)traffic->sent : NAN;
    v->io_failed = traffic ? (double)traffic->send_failures : NAN;
}

static void fill_kernel(struct system_values *v, const struct control_kernel *kernel)
{
    v->kernel_flags = kernel ? kernel->flags : NULL;
    v->kernel_offset_ms = kernel ? kernel->offset_ms : NAN;
    v->kernel_frequency_ppm = kernel ? kernel->frequency_ppm : NAN;
    v->kernel_tolerance_ppm = kernel ? kernel->tolerance_ppm : NAN;
    v->kernel_maximum_ms = kernel ? kernel->maximum_error_ms : NAN;
    v->kernel_estimated_ms = kernel ? kernel->estimated_error_ms : NAN;
    v->kernel_precision_ms = kernel ? kernel->precision_ms : NAN;
    v->kernel_time_constant = kernel ? (double)kernel->time_constant : NAN;
}

static void add_table(struct system_values *v, const struct clients *table, mono_time now)
{
    const struct client_entry *oldest = clients_newer(table, NULL);
    v->mru_enabled = 1;
    v->mru_depth += clients_count(table);
    v->mru_capacity += clients_capacity(table);
    v->mru_kb += clients_size(clients_capacity(table)) / 1024;
    if (oldest) {
        v->mru_oldest_s = fmax(v->mru_oldest_s, mono_diff_s(now, oldest->last));
    }
}

static void fill_tables(struct system_values *v, const struct engine *e,
                        const struct control_terms *terms, mono_time now)
{
    if (e->clients) {
        add_table(v, e->clients, now);
    }
    for (size_t i = 0; i < terms->table_count; i++) {
        add_table(v, terms->tables[i], now);
    }
}

enum control_fault control_system_variables(const struct engine *e,
                                            const struct control_terms *terms, struct instant now,
                                            const struct control_request *request,
                                            struct control_text *text)
{
    char source[ADDRESS_TEXT_SIZE] = "-";
    struct system_values values = {.version = terms->version,
                                   .processor = terms->processor,
                                   .system = terms->system,
                                   .peer_address = {.address = {.family = ADDRESS_V4}},
                                   .tai_s = terms->tai_s != 0 ? (double)terms->tai_s : NAN,
                                   .keys = e->config.keys.count,
                                   .absent = NAN,
                                   .source = source};
    struct system_status status;
    engine_status(e, now, &status);
    if (e->leader >= 0) {
        const struct source *leader = &e->sources[e->leader];
        values.peer_id = control_peer_id((size_t)e->leader);
        values.peer_mode = source_is_symmetric(leader) ? MODE_ACTIVE : MODE_CLIENT;
        values.peer_address = leader->peer;
        (void)address_text(&leader->peer.address, source);
    }
    fill_time(&values, &status, e, now);
    fill_own(&values, &status, e, steering_of(e, terms));
    fill_counters(&values, &e->counters, terms, now.mono);
    fill_traffic(&values, terms->traffic);
    fill_kernel(&values, terms->kernel);
    fill_tables(&values, e, terms, now.mono);
    return control_variable_list(system_rows, sizeof system_rows / sizeof system_rows[0], &values,
                                 request, text);
}
