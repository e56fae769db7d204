/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What mode 6 tells of an association: see control_peer.h.
 */
#include "control_peer.h"

#include "control_variable.h"
#include "engine_state.h"

/* Milliseconds, as ntpq wants them; the rest as in struct source. */
struct peer_values {
    struct address peer, local;
    uint64_t peer_port, local_port;
    const char *name; /* NULL for a line that names an address */
    struct variable_refid refid;
    uint64_t leap, stratum, reach, unanswered, mode, peer_mode, key, flash;
    int64_t precision, poll, peer_poll;
    double root_delay_ms, root_dispersion_ms;
    double offset_ms, delay_ms, dispersion_ms, jitter_ms;
    double filter_delays_ms[FILTER_STAGES], filter_offsets_ms[FILTER_STAGES];
    double filter_dispersions_ms[FILTER_STAGES];
    ntp_time reference_time, heard;
};

#define ROW(name, kind, digits, field)                                                             \
    {                                                                                              \
        name, kind, digits, true, offsetof(struct peer_values, field)                              \
    }

/* ntpq takes the later of reftime and rec for "when": rec must come last. */
static const struct control_variable peer_rows[] = {
    ROW("srcadr", VARIABLE_ADDRESS, 0, peer),
    ROW("srcport", VARIABLE_COUNT, 0, peer_port),
    ROW("srchost", VARIABLE_QUOTED, 0, name),
    ROW("dstadr", VARIABLE_ADDRESS, 0, local),
    ROW("dstport", VARIABLE_COUNT, 0, local_port),
    ROW("leap", VARIABLE_COUNT, 0, leap),
    ROW("hmode", VARIABLE_COUNT, 0, mode),
    ROW("pmode", VARIABLE_COUNT, 0, peer_mode),
    ROW("stratum", VARIABLE_COUNT, 0, stratum),
    ROW("hpoll", VARIABLE_INTEGER, 0, poll),
    ROW("ppoll", VARIABLE_INTEGER, 0, peer_poll),
    ROW("precision", VARIABLE_INTEGER, 0, precision),
    ROW("rootdelay", VARIABLE_REAL, 3, root_delay_ms),
    ROW("rootdisp", VARIABLE_REAL, 3, root_dispersion_ms),
    ROW("refid", VARIABLE_REFID, 0, refid),
    ROW("reftime", VARIABLE_TIME, 0, reference_time),
    ROW("rec", VARIABLE_TIME, 0, heard),
    ROW("reach", VARIABLE_HEX, 1, reach),
    ROW("unreach", VARIABLE_COUNT, 0, unanswered),
    ROW("delay", VARIABLE_REAL, 6, delay_ms),
    ROW("offset", VARIABLE_REAL, 6, offset_ms),
    ROW("jitter", VARIABLE_REAL, 6, jitter_ms),
    ROW("dispersion", VARIABLE_REAL, 6, dispersion_ms),
    ROW("keyid", VARIABLE_COUNT, 0, key),
    ROW("filtdelay", VARIABLE_REALS, 3, filter_delays_ms),
    ROW("filtoffset", VARIABLE_REALS, 3, filter_offsets_ms),
    ROW("filtdisp", VARIABLE_REALS, 3, filter_dispersions_ms),
    ROW("flash", VARIABLE_HEX, 1, flash),
};

uint16_t control_peer_id(size_t source)
{
    return (uint16_t)(source + 1);
}

bool control_peer_find(const struct engine *e, uint16_t id, size_t *source)
{
    *source = (size_t)id - 1;
    return id != 0 && *source < e->source_count;
}

/* A place of a pool without an address: nothing to tell that another place would not. */
static bool is_empty_place(const struct engine *e, size_t source)
{
    const struct source *s = &e->sources[source];
    if (s->is_resolved || s->config->kind != ASSOCIATION_POOL) {
        return false;
    }
    for (size_t i = 0; i < e->source_count; i++) {
        const struct source *other = &e->sources[i];
        if (i != source && other->association == s->association &&
            (other->is_resolved || i < source)) {
            return true;
        }
    }
    return false;
}

void control_peer_list(const struct engine *e, struct control_text *text)
{
    for (size_t i = 0; i < e->source_count; i++) {
        if (!is_empty_place(e, i)) {
            control_text_word16(text, control_peer_id(i));
            control_text_word16(text, status_word_of_peer(&e->sources[i]));
        }
    }
}

/* What it says of itself, or why it has said nothing. */
static struct variable_refid refid_of(const struct source *s)
{
    if (!s->is_resolved) {
        bool is_pool = s->config->kind == ASSOCIATION_POOL;
        return (struct variable_refid){
            is_pool ? REFID_OF('P', 'O', 'O', 'L') : REFID_OF('D', 'N', 'S', 0), true};
    }
    if (s->pmode == 0) {
        return (struct variable_refid){REFID_OF('I', 'N', 'I', 'T'), true};
    }
    return (struct variable_refid){s->refid, s->stratum <= 1 || s->stratum >= STRATUM_MAX};
}

/* The register, newest sample first, as of now. */
static void fill_filter(struct peer_values *v, const struct source *s, double tolerance,
                        double slewed_s, mono_time now)
{
    const struct filter_stages *stages = &s->filter.stages;
    double growth_s = tolerance * mono_diff_s(now, s->filter.updated);
    for (unsigned i = 0; i < FILTER_STAGES; i++) {
        unsigned newest = s->filter.next + FILTER_STAGES - 1u;
        unsigned at = (newest - i) % FILTER_STAGES;
        bool is_used = stages->dispersion_s[at] < DISPERSION_MAX_S;
        v->filter_delays_ms[i] = is_used ? stages->delay_s[at] * 1e3 : 0.0;
        v->filter_offsets_ms[i] =
            is_used ? (stages->offset_s[at] - (slewed_s - stages->slewed_s[at])) * 1e3 : 0.0;
        v->filter_dispersions_ms[i] =
            fmin(stages->dispersion_s[at] + growth_s, DISPERSION_MAX_S) * 1e3;
    }
}

/* 0.0.0.0 or :: where there is none, as ntpd shows it. */
static struct address shown_address(const struct address *address, const struct address *like)
{
    struct address any = {.family = like->family == ADDRESS_V6 ? ADDRESS_V6 : ADDRESS_V4};
    return address->family != ADDRESS_NONE ? *address : any;
}

static void fill_exchange(struct peer_values *v, const struct source *s, struct instant now)
{
    v->peer = shown_address(&s->peer.address, &s->config->address);
    v->local = shown_address(&s->local.address, &v->peer);
    v->peer_port = s->is_resolved ? s->peer.port : NTP_PORT;
    v->local_port = s->local.port;
    v->name = s->config->is_numeric ? NULL : s->config->name;
    v->refid = refid_of(s);
    v->leap = s->leap;
    v->stratum = s->stratum;
    v->reach = s->reach;
    v->unanswered = s->unanswered;
    v->mode = source_is_symmetric(s) ? MODE_ACTIVE : MODE_CLIENT;
    v->peer_mode = s->pmode;
    v->key = s->config->key;
    v->precision = s->precision;
    v->poll = s->hpoll;
    v->peer_poll = s->ppoll;
    v->reference_time = s->reference_time;
    if (s->pmode != 0) {
        v->heard = ntp_add_s(now.clock, -mono_diff_s(now.mono, s->heard));
    }
}

enum control_fault control_peer_variables(const struct engine *e, size_t source, struct instant now,
                                          const struct control_request *request,
                                          struct control_text *text)
{
    const struct source *s = &e->sources[source];
    struct source_status status;
    struct peer_values values = {.flash = s->flash | engine_source_fault(e, s, now.mono),
                                 .root_delay_ms = s->root_delay_s * 1e3};
    engine_source_status(e, now, source, &status);
    values.root_dispersion_ms = s->pmode == 0 ? 0.0 : s->root_dispersion_s * 1e3;
    values.offset_ms = status.offset_s * 1e3;
    values.delay_ms = status.delay_s * 1e3;
    values.dispersion_ms = status.dispersion_s * 1e3;
    values.jitter_ms = status.jitter_s * 1e3;
    fill_exchange(&values, s, now);
    fill_filter(&values, s, e->config.tinker.dispersion, ledger_slewed_s(&e->ledger, now.mono),
                now.mono);
    return control_variable_list(peer_rows, sizeof peer_rows / sizeof peer_rows[0], &values,
                                 request, text);
}
