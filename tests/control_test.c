/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mode 6: who is answered, what the answers say, how they are cut, how large they may be.
 */
#include "../engine/control.h"

#include "../engine/constants.h"
#include "control_check.h"

enum { SWEEP = 40 };

static struct inquiry *settled(int upstreams)
{
    struct inquiry *q = inquiry_new(upstreams);
    q->n->skew = 20e-6;
    wire_start(q->n);
    wire_run(q->w, 3000.0);
    return q;
}

static void readstat_lists_every_association_with_its_status_word(void)
{
    struct inquiry *q = settled(2);
    struct inquiry_answer a;
    int leader = q->n->engine->leader;
    inquiry_ask(q, CONTROL_OP_READSTAT, 0, "", &a);
    CHECK_INT(a.fragments, 1);
    CHECK_INT(a.sent, 12 + 8);
    CHECK_INT(a.status, 0x0615); /* no leap, NTP, one event: clock_sync */
    const uint8_t *pairs = (const uint8_t *)a.text;
    for (int i = 0; i < 2; i++) {
        CHECK_INT(inquiry_word(pairs + 4 * i), i + 1);
        CHECK_INT(inquiry_word(pairs + 4 * i + 2), i == leader ? 0x961A : 0x9414);
    }
    inquiry_free(q);
}

static void an_empty_place_of_a_pool_is_listed_once_if_at_all(void)
{
    static const uint8_t last[] = {1};
    struct inquiry *q = inquiry_new(0);
    struct inquiry_answer a;
    char value[256];
    wire_add_upstream(q->w, wire_address(198, 51, 100, 1));
    struct association_config *line =
        wire_add_line(q->n, ASSOCIATION_POOL, wire_address(0, 0, 0, 0));
    line->is_numeric = false;
    line->name = "pool.example.org";
    line->address.family = ADDRESS_NONE;
    wire_start(q->n);
    wire_run(q->w, 1.0);
    inquiry_ask(q, CONTROL_OP_READSTAT, 0, "", &a);
    CHECK_INT(a.size, 4);
    inquiry_ask(q, CONTROL_OP_READVAR, 1, "", &a);
    CHECK_STR(inquiry_value(&a, "srcadr", value), "0.0.0.0");
    CHECK_STR(inquiry_value(&a, "srchost", value), "\"pool.example.org\"");
    CHECK_STR(inquiry_value(&a, "refid", value), "POOL");
    CHECK_STR(inquiry_value(&a, "offset", value), "0.000000");
    CHECK_STR(inquiry_value(&a, "rec", value), "0x00000000.00000000"); /* nothing heard */
    CHECK_STR(inquiry_value(&a, "reftime", value), "0x00000000.00000000");
    wire_resolved(q->n, 0, last, 1);
    wire_run(q->w, 1000.0);
    inquiry_ask(q, CONTROL_OP_READSTAT, 0, "", &a);
    CHECK_INT(a.size, 4);
    inquiry_ask(q, CONTROL_OP_READVAR, 1, "", &a);
    CHECK_STR(inquiry_value(&a, "srcadr", value), "198.51.100.1");
    inquiry_free(q);
}

static void system_variables_are_the_engines_status_in_ntpqs_units(void)
{
    struct inquiry *q = settled(3);
    struct inquiry_answer a;
    struct system_status s;
    char value[256], expected[64];
    q->terms.tai_s = 37;
    engine_status(q->n->engine, wire_instant(q->n), &s);
    inquiry_ask(q, CONTROL_OP_READVAR, 0, "", &a);
    CHECK_STR(inquiry_value(&a, "version", value), "\"holdfastd 1.2.3\"");
    CHECK_STR(inquiry_value(&a, "processor", value), "\"abacus\"");
    CHECK_STR(inquiry_value(&a, "system", value), "\"Sand/1\"");
    CHECK_STR(inquiry_value(&a, "leap", value), "0");
    CHECK_STR(inquiry_value(&a, "stratum", value), "2");
    CHECK_STR(inquiry_value(&a, "precision", value), "-22");
    CHECK_STR(inquiry_value(&a, "tai", value), "37");
    CHECK_STR(inquiry_value(&a, "mintc", value), "3");
    CHECK_INT(inquiry_number(&a, "tc"), s.poll);
    CHECK_INT(inquiry_number(&a, "peer"), s.system_peer + 1);
    CHECK_NEAR(inquiry_number(&a, "rootdelay"), s.root_delay_s * 1e3, 0.0006);
    CHECK_NEAR(inquiry_number(&a, "rootdelay"), 2e3 * WIRE_DELAY_S, 1.0);
    CHECK_NEAR(inquiry_number(&a, "rootdisp"), s.root_dispersion_s * 1e3, 0.0006);
    CHECK_NEAR(inquiry_number(&a, "offset"), s.offset_s * 1e3, 0.6e-6);
    CHECK_NEAR(inquiry_number(&a, "frequency"), s.drift_ppm, 0.6e-6);
    CHECK_NEAR(inquiry_number(&a, "frequency"), -20.0, 2.0);
    CHECK_NEAR(inquiry_number(&a, "sys_jitter"), q->n->engine->system.jitter_s * 1e3, 0.6e-6);
    CHECK(inquiry_number(&a, "sys_jitter") > 0.1); /* the upstreams are 1 ms apart */
    CHECK_NEAR(inquiry_number(&a, "clk_jitter"), s.jitter_s * 1e3, 0.6e-6);
    CHECK_NEAR(inquiry_number(&a, "clk_wander"), s.wander_ppm, 0.6e-6);
    CHECK(s.wander_ppm > 1e-3); /* or the line above says nothing of the unit */
    snprintf(expected, sizeof expected, "198.51.100.%d", s.system_peer + 1);
    CHECK_STR(inquiry_value(&a, "refid", value), expected);
    snprintf(expected, sizeof expected, "0x%08llx.%08llx",
             (unsigned long long)s.reference_time.ticks >> 32,
             (unsigned long long)s.reference_time.ticks & 0xFFFFFFFF);
    CHECK_STR(inquiry_value(&a, "reftime", value), expected);
    CHECK(strstr(a.text, "hf_") == NULL && strstr(a.text, "ss_") == NULL);
    CHECK(a.fragments <= 2);
    inquiry_free(q);
}

#define OWN_NAMES                                                                                  \
    "hf_state,hf_bound,hf_lasts,hf_drift,hf_drift_known,hf_residual,hf_steer,hf_steering,hf_"      \
    "source,"                                                                                      \
    "hf_refused,hf_policy"

static void our_own_variables_tell_state_bound_and_source(void)
{
    struct inquiry *q = inquiry_new(2);
    struct inquiry_answer a;
    struct system_status s;
    char value[256];
    wire_start(q->n);
    inquiry_ask(q, CONTROL_OP_READVAR, 0, OWN_NAMES, &a);
    CHECK_STR(a.text,
              "hf_state=unsynchronised, hf_bound=-1.000000, hf_lasts=0.000, hf_drift=0.000000, "
              "hf_drift_known=0, hf_residual=0.000000, hf_steer=1, hf_steering=steers, "
              "hf_source=-, hf_refused=0, "
              "hf_policy=holdfast\r\n");
    wire_run(q->w, 3000.0);
    engine_status(q->n->engine, wire_instant(q->n), &s);
    q->terms.steering = CONTROL_STEERING_NO_RIGHT;
    inquiry_ask(q, CONTROL_OP_READVAR, 0, OWN_NAMES, &a);
    CHECK_STR(inquiry_value(&a, "hf_state", value), "synchronised");
    CHECK_STR(inquiry_value(&a, "hf_steer", value), "0");
    CHECK_STR(inquiry_value(&a, "hf_steering", value), "no-right");
    CHECK_STR(inquiry_value(&a, "hf_drift_known", value), "1");
    CHECK_NEAR(inquiry_number(&a, "hf_bound"), s.root_distance_s * 1e3, 0.6e-6);
    CHECK_NEAR(inquiry_number(&a, "hf_lasts"), s.lasts_s, 0.0006);
    CHECK_NEAR(inquiry_number(&a, "hf_residual"), s.residual_s * 1e3, 0.6e-6);
    CHECK(strncmp(inquiry_value(&a, "hf_source", value), "198.51.100.", 11) == 0);
    inquiry_free(q);
}

static void a_refused_clock_is_told(void)
{
    struct inquiry *q = settled(1);
    struct inquiry_answer a;
    struct effects out;
    for (int i = 0; i < 3; i++) {
        engine_clock_event(q->n->engine, wire_instant(q->n), CLOCK_REFUSED, 0.0, &out);
    }
    inquiry_ask(q, CONTROL_OP_READVAR, 0, "hf_refused,hf_steer,hf_steering", &a);
    CHECK_STR(a.text, "hf_refused=3, hf_steer=0, hf_steering=refused\r\n");
    inquiry_free(q);
}

static void why_the_clock_is_not_steered_is_told(void)
{
    static const struct {
        enum control_steering by_host;
        bool is_disabled;
        const char *word;
    } cases[] = {{CONTROL_STEERS, false, "steers"},
                 {CONTROL_STEERS, true, "disabled"},
                 {CONTROL_STEERING_UNWANTED, false, "no-clock-control"},
                 {CONTROL_STEERING_UNWANTED, true, "no-clock-control"},
                 {CONTROL_STEERING_DISABLED, true, "disabled"},
                 {CONTROL_STEERING_NO_RIGHT, false, "no-right"},
                 {CONTROL_STEERING_REFUSED, false, "refused"},
                 {CONTROL_STEERING_AT_RESTART, false, "restart-needed"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct inquiry *q = inquiry_new(1);
        struct inquiry_answer a;
        char value[256];
        q->n->config.disable_discipline = cases[i].is_disabled;
        q->terms.steering = cases[i].by_host;
        wire_start(q->n);
        inquiry_ask(q, CONTROL_OP_READVAR, 0, "hf_steer,hf_steering", &a);
        CHECK_STR(inquiry_value(&a, "hf_steering", value), cases[i].word);
        CHECK(inquiry_number(&a, "hf_steer") == (i == 0 ? 1.0 : 0.0));
        inquiry_free(q);
    }
}

static void peer_variables_are_the_sources_status_in_milliseconds(void)
{
    struct inquiry *q = settled(2);
    struct inquiry_answer a;
    struct source_status s;
    char value[256];
    wire_run(q->w, 3010.0);
    q->n->engine->sources[1].root_delay_s = 0.0125; /* the upstream's is 0 */
    engine_source_status(q->n->engine, wire_instant(q->n), 1, &s);
    inquiry_ask(q, CONTROL_OP_READVAR, 2, "", &a);
    CHECK_STR(inquiry_value(&a, "srcadr", value), "198.51.100.2");
    CHECK_STR(inquiry_value(&a, "srchost", value), "(none)");
    CHECK_STR(inquiry_value(&a, "dstadr", value), "10.0.0.1");
    CHECK_STR(inquiry_value(&a, "refid", value), "GPS");
    CHECK_STR(inquiry_value(&a, "reach", value), "0xff");
    CHECK_STR(inquiry_value(&a, "hmode", value), "3");
    CHECK_STR(inquiry_value(&a, "pmode", value), "4");
    CHECK_STR(inquiry_value(&a, "flash", value), "0x0");
    CHECK_INT(inquiry_number(&a, "hpoll"), 6);
    CHECK_INT(inquiry_number(&a, "precision"), -22);
    CHECK_NEAR(inquiry_number(&a, "rootdelay"), 12.5, 0.0006);
    CHECK_NEAR(inquiry_number(&a, "offset"), s.offset_s * 1e3, 0.6e-6);
    CHECK_NEAR(inquiry_number(&a, "delay"), s.delay_s * 1e3, 0.6e-6);
    CHECK_NEAR(inquiry_number(&a, "dispersion"), s.dispersion_s * 1e3, 0.6e-6);
    CHECK_NEAR(inquiry_number(&a, "jitter"), s.jitter_s * 1e3, 0.6e-6);
    CHECK_NEAR(inquiry_number(&a, "rootdisp"), 1.0, 0.02);
    /* ntpq takes the later one in the list for "when". */
    const char *reftime = strstr(a.text, " reftime="), *rec = strstr(a.text, " rec=");
    CHECK(reftime && rec && reftime < rec);
    double heard_s = mono_diff_s(wire_instant(q->n).mono, q->n->engine->sources[1].heard);
    struct control_span span = {(const uint8_t *)rec + 5, 19};
    ntp_time time = {0};
    CHECK(control_span_time(&span, &time));
    CHECK_NEAR(ntp_diff_s(wire_clock(q->n), time), heard_s, 1e-6);
    struct control_span updated = {(const uint8_t *)reftime + 9, 19};
    ntp_time reference = {0};
    CHECK(control_span_time(&updated, &reference));
    CHECK_NEAR(ntp_diff_s(time, reference), 16.0, 0.1); /* so long before its answer */
    inquiry_free(q);
}

static void read_eight(const struct inquiry_answer *a, const char *name, double numbers[8])
{
    char value[256], *at = value;
    inquiry_value(a, name, value);
    for (int i = 0; i < 8; i++) {
        numbers[i] = strtod(at, &at);
    }
    CHECK_STR(at, "");
}

static void the_filter_is_told_newest_sample_first(void)
{
    struct inquiry *q = settled(1);
    struct inquiry_answer a;
    double numbers[8], before = -1.0;
    inquiry_ask(q, CONTROL_OP_READVAR, 1, "filtdelay,filtdisp", &a);
    read_eight(&a, "filtdelay", numbers);
    CHECK_NEAR(numbers[0], 2e3 * WIRE_DELAY_S, 0.1);
    CHECK_NEAR(numbers[7], 2e3 * WIRE_DELAY_S, 0.1);
    read_eight(&a, "filtdisp", numbers);
    for (int i = 0; i < 8; i++) {
        CHECK(numbers[i] > before);
        before = numbers[i];
    }
    inquiry_free(q);
}

static void names_are_answered_in_their_order_and_unknown_ones_are_an_error(void)
{
    struct inquiry *q = settled(1);
    struct inquiry_answer a;
    inquiry_ask(q, CONTROL_OP_READVAR, 0, " stratum , leap=1,\r\n", &a);
    CHECK_STR(a.text, "stratum=2, leap=0\r\n");
    static const char *const unknown[] = {"nonsense", "stratum,nonsense", "srcadr",
                                          "strat",    "stratumx",         "tai",
                                          "io_sent",  "tai,io_sent",      "xmt"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        inquiry_ask(q, CONTROL_OP_READVAR, 0, unknown[i], &a);
        CHECK_INT(a.fault, CONTROL_UNKNOWN_VARIABLE);
        CHECK_INT(a.sent, 12);
    }
    inquiry_ask(q, CONTROL_OP_READVAR, 1, "org", &a);
    CHECK_INT(a.fault, CONTROL_UNKNOWN_VARIABLE);
    inquiry_free(q);
}

static void what_has_no_value_is_left_out(void)
{
    struct inquiry *q = settled(1);
    struct inquiry_answer a;
    inquiry_ask(q, CONTROL_OP_READVAR, 0, "tai,stratum,io_sent,leap,koffset,kstflags", &a);
    CHECK_INT(a.fault, CONTROL_FINE);
    CHECK_STR(a.text, "stratum=2, leap=0\r\n");
    inquiry_free(q);
}

/* The lists of ntpq (NTPsec 1.2.2): one name that is not known makes it ask again for each. */
static void every_list_of_ntpq_is_answered_at_once(void)
{
    static const struct control_kernel kernel = {.offset_ms = -0.25,
                                                 .frequency_ppm = 12.5,
                                                 .maximum_error_ms = 16000,
                                                 .estimated_error_ms = 0.004,
                                                 .time_constant = 7,
                                                 .precision_ms = 0.001,
                                                 .tolerance_ppm = 500,
                                                 .flags = "ins unsync"};
    static const struct control_traffic traffic = {.received = 3, .sent = 2, .send_failures = 1};
    static const struct {
        const char *names, *text;
    } lists[] = {
        {"koffset,kfreq,kmaxerr,kesterr,kstflags,ktimeconst,kprecis,kfreqtol,kppsfreq,kppsstab,"
         "kppsjitter,kppscalibdur,kppscalibs,kppsjitexc,kppsstbexc,kppscaliberrs",
         "koffset=-0.250000, kfreq=12.500000, kmaxerr=16000.000, kesterr=0.004, "
         "kstflags=\"ins unsync\", ktimeconst=7, kprecis=0.001000, kfreqtol=500\r\n"},
        {"iostats_reset,total_rbuf,free_rbuf,used_rbuf,rbuf_lowater,io_dropped,io_ignored,"
         "io_received,io_sent,io_sendfailed,io_wakeups,io_goodwakeups",
         "iostats_reset=3000, io_received=3, io_sent=2, io_sendfailed=1\r\n"},
        {"authreset,authkeys,authfreek,authklookups,authknotfound,authencrypts,"
         "authdigestencrypts,authcmacencrypts,authdecrypts,authdigestdecrypts,authdigestfails,"
         "authcmacdecrypts,authcmacfails,authkuncached,authkexpired",
         "authreset=3000, authkeys=0\r\n"}};
    static const char *const others[] = {
        "timerstats_reset,timer_overruns,timer_xmts",
        "peeradr,peermode,leap,stratum,precision,rootdelay,rootdisp,rootdist,refid,reftime,"
        "sys_jitter,clk_jitter,clk_wander,authdelay",
        "mru_enabled,mru_hashslots,mru_depth,mru_deepest,mru_maxdepth,mru_mindepth,mru_maxage,"
        "mru_minage,mru_mem,mru_maxmem,mru_exists,mru_new,mru_recycleold,mru_recyclefull,mru_none,"
        "mru_oldest_age"};
    struct inquiry *q = settled(1);
    struct inquiry_answer a;
    q->terms.kernel = &kernel;
    q->terms.traffic = &traffic;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        inquiry_ask(q, CONTROL_OP_READVAR, 0, lists[i].names, &a);
        CHECK_STR(a.text, lists[i].text);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        inquiry_ask(q, CONTROL_OP_READVAR, 0, others[i], &a);
        CHECK_INT(a.fault, CONTROL_FINE);
        CHECK(a.size > 20);
    }
    inquiry_free(q);
}

static void a_long_answer_is_cut_into_fragments_that_fit_together(void)
{
    struct inquiry *q = settled(1);
    struct inquiry_answer a, one;
    char names[CONTROL_DATA_MAX + 1] = "", *at = names;
    inquiry_ask(q, CONTROL_OP_READVAR, 1, "filtdisp", &one);
    for (int i = 0; i < CONTROL_DATA_MAX / 9; i++) {
        at += sprintf(at, "%sfiltdisp", i > 0 ? "," : "");
    }
    inquiry_ask(q, CONTROL_OP_READVAR, 1, names, &a);
    CHECK(a.fragments > 6);
    CHECK_INT(a.size, CONTROL_DATA_MAX / 9 * one.size); /* ", " between, "\r\n" at the end */
    for (size_t i = 0; i < CONTROL_DATA_MAX / 9; i++) {
        CHECK(memcmp(a.text + i * one.size, one.text, one.size - 2) == 0);
    }
    inquiry_free(q);
}

static void what_cannot_be_had_gets_its_error_code(void)
{
    static const struct {
        unsigned opcode, association, fault;
    } cases[] = {{CONTROL_OP_READVAR, 2, CONTROL_BAD_ASSOCIATION},
                 {CONTROL_OP_READSTAT, 65535, CONTROL_BAD_ASSOCIATION},
                 {CONTROL_OP_READCLOCK, 0, CONTROL_BAD_ASSOCIATION},
                 {CONTROL_OP_WRITEVAR, 0, CONTROL_PERMISSION},
                 {CONTROL_OP_WRITECLOCK, 1, CONTROL_PERMISSION},
                 {CONTROL_OP_SETTRAP, 0, CONTROL_PERMISSION},
                 {CONTROL_OP_CONFIGURE, 0, CONTROL_PERMISSION},
                 {CONTROL_OP_SAVECONFIG, 0, CONTROL_PERMISSION},
                 {CONTROL_OP_READ_ORDLIST, 0, CONTROL_PERMISSION},
                 {CONTROL_OP_UNSETTRAP, 0, CONTROL_PERMISSION},
                 {0, 0, CONTROL_BAD_OPCODE},
                 {7, 0, CONTROL_BAD_OPCODE},
                 {13, 0, CONTROL_BAD_OPCODE}};
    struct inquiry *q = settled(1);
    struct inquiry_answer a;
    uint64_t before = wire_hash(q->n);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        inquiry_ask(q, cases[i].opcode, cases[i].association, "stratum=9", &a);
        CHECK_INT(a.fragments, 1);
        CHECK_INT(a.fault, cases[i].fault);
        CHECK_INT(a.sent, 12);
    }
    CHECK(wire_hash(q->n) == before);
    uint8_t bytes[1024];
    size_t size = inquiry_request(q, CONTROL_OP_READVAR, 0, "leap", bytes);
    inquiry_send(q, bytes, size - 1, &a);
    CHECK_INT(a.fault, CONTROL_BAD_FORMAT);
    bytes[10] = 2; /* more than a fragment may hold, and all of it there */
    inquiry_send(q, bytes, 1000, &a);
    CHECK_INT(a.fault, CONTROL_BAD_FORMAT);
    inquiry_free(q);
}

static void what_is_no_request_meets_silence(void)
{
    struct inquiry *q = settled(1);
    struct inquiry_answer a;
    uint8_t bytes[1024];
    static const struct {
        size_t at;
        uint8_t flip;
    } cases[] = {{1, 0x80}, {1, 0x40}, {1, 0x20}, {0, 1},   {0, 5},
                 {0, 0x10}, {0, 0x38}, {8, 1},    {9, 0x80}};
    size_t size = inquiry_request(q, CONTROL_OP_READVAR, 0, "leap", bytes);
    inquiry_send(q, bytes, size, &a);
    CHECK_INT(a.fragments, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bytes[cases[i].at] ^= cases[i].flip; /* version 2: 0x10 makes 0, 0x38 makes 5 */
        inquiry_send(q, bytes, size, &a);
        CHECK_INT(a.fragments, 0);
        bytes[cases[i].at] ^= cases[i].flip;
    }
    for (size_t short_size = 0; short_size < CONTROL_HEADER_SIZE; short_size++) {
        inquiry_send(q, bytes, short_size, &a);
        CHECK_INT(a.fragments, 0);
    }
    struct datagram cut = {.peer = q->asker,
                           .local = {q->local, NTP_PORT},
                           .bytes = bytes,
                           .size = size,
                           .truncated = true};
    struct control_reply reply;
    CHECK(!control_reply_make(q->n->engine, &q->terms, &cut, wire_instant(q->n), &reply));
    inquiry_free(q);
}

static void the_version_asked_is_the_version_answered(void)
{
    struct inquiry *q = settled(1);
    struct inquiry_answer a;
    for (uint8_t version = 1; version <= 4; version++) {
        q->version = version; /* inquiry_take() compares */
        inquiry_ask(q, CONTROL_OP_READVAR, 0, "leap", &a);
        CHECK_INT(a.fragments, 1);
    }
    inquiry_free(q);
}

static void a_mac_behind_a_request_makes_no_difference(void)
{
    struct inquiry *q = settled(1);
    struct inquiry_answer with, without;
    uint8_t bytes[1024];
    size_t size = inquiry_request(q, CONTROL_OP_READVAR, 0, "leap,stratum", bytes);
    inquiry_send(q, bytes, size, &without);
    memset(bytes + size, 0xA7, 20);
    inquiry_send(q, bytes, size + 20, &with);
    CHECK_STR(with.text, without.text);
    CHECK_INT(with.sent, without.sent);
    inquiry_free(q);
}

static void the_access_list_silences_or_refuses(void)
{
    static const struct {
        unsigned flags;
        bool may_read, may_list;
    } cases[] = {{ACCESS_IGNORE, false, false},
                 {ACCESS_NOQUERY, false, false},
                 {ACCESS_NOMRULIST, true, false},
                 {ACCESS_NOSERVE | ACCESS_NOMODIFY | ACCESS_NOTRUST | ACCESS_VERSION, true, true}};
    struct inquiry *q = settled(1);
    struct inquiry_answer a;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        q->entries[0].flags = (uint16_t)cases[i].flags;
        inquiry_ask(q, CONTROL_OP_READVAR, 0, "leap", &a);
        CHECK_INT(a.fragments, cases[i].may_read);
        inquiry_ask(q, CONTROL_OP_READ_MRU, 0, "frags=1", &a);
        CHECK_INT(a.fault, cases[i].may_read && !cases[i].may_list ? CONTROL_PERMISSION : 0);
    }
    q->entries[0].flags = ACCESS_NOQUERY;
    q->entries[0].needs_ntp_port = true; /* from port 123 only; others are strangers then */
    q->asker.port = NTP_PORT;
    inquiry_ask(q, CONTROL_OP_READVAR, 0, "leap     ", &a);
    CHECK_INT(a.fragments, 0);
    q->asker.port = 5000;
    inquiry_ask(q, CONTROL_OP_READVAR, 0, "leap     ", &a);
    CHECK_INT(a.fragments, 1);
    inquiry_free(q);
}

static void a_source_that_cannot_be_is_not_answered(void)
{
    struct inquiry *q = settled(1);
    struct inquiry_answer a;
    q->asker.address = q->n->own;
    inquiry_ask(q, CONTROL_OP_READVAR, 0, "leap", &a);
    CHECK_INT(a.fragments, 0);
    q->asker.address = wire_address(127, 0, 0, 1);
    inquiry_ask(q, CONTROL_OP_READVAR, 0, "leap", &a);
    CHECK_INT(a.fragments, 0);
    q->local = wire_address(127, 0, 0, 1);
    inquiry_ask(q, CONTROL_OP_READVAR, 0, "leap", &a);
    CHECK_INT(a.fragments, 1);
    q->asker.port = 0;
    inquiry_ask(q, CONTROL_OP_READVAR, 0, "leap", &a);
    CHECK_INT(a.fragments, 0);
    inquiry_free(q);
}

/* A request out of words that mean something, so that many are answered. */
static size_t random_request(const struct inquiry *q, uint64_t *seed, size_t size, uint8_t *bytes)
{
    static const char *const words[] = {"leap",    "stratum",   "filtdisp", "version", "frags=32",
                                        "nonce=0", "addr.0=::", "last.1=7", "=",       "hf_state",
                                        "resall",  ",,",        "laddr=["};
    static const uint8_t opcodes[] = {1, 2, 2, 10, 12, 3, 31};
    char text[1024] = "";
    for (size_t length = 0; length + 30 < size; length = strlen(text)) {
        *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        snprintf(text + length, sizeof text - length, "%s%s",
                 words[(*seed >> 40) % (sizeof words / sizeof words[0])], *seed >> 63 ? "," : "");
    }
    (void)inquiry_request(q, opcodes[(*seed >> 33) % sizeof opcodes], (*seed >> 50) % 4, text,
                          bytes);
    for (unsigned i = 0; *seed >> 62 == 0 && i < 3; i++) {
        *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        bytes[(*seed >> 32) % (size + 1)] = (uint8_t)(*seed >> 56);
    }
    return size;
}

/* The name of a source may be long, and a request may ask for it as often as it likes. */
static void more_than_an_answer_may_have_is_an_error(void)
{
    struct inquiry *q = inquiry_new(0);
    struct inquiry_answer a;
    char name[254], request[469] = "";
    memset(name, 'n', 253);
    name[253] = '\0';
    struct association_config *line =
        wire_add_line(q->n, ASSOCIATION_POOL, wire_address(0, 0, 0, 0));
    line->is_numeric = false;
    line->name = name;
    line->address.family = ADDRESS_NONE;
    wire_start(q->n);
    wire_run(q->w, 1.0);
    for (int i = 0; i < 58; i++) {
        strcat(request, "srchost,");
    }
    inquiry_ask(q, CONTROL_OP_READVAR, 1, request, &a);
    CHECK_INT(a.fragments, 1);
    CHECK_INT(a.fault, CONTROL_BAD_VALUE);
    request[50 * 8] = '\0'; /* fifty of them fit */
    inquiry_ask(q, CONTROL_OP_READVAR, 1, request, &a);
    CHECK_INT(a.fault, 0);
    CHECK(a.size > 50 * 253);
    inquiry_free(q);
}

static void a_stranger_never_gets_more_than_he_sent(void)
{
    struct inquiry *q = settled(2);
    struct inquiry_answer a;
    uint64_t seed = 1;
    int answered = 0, texts = 0;
    q->asker.address = wire_address(203, 0, 113, 5);
    for (size_t size = 0; size <= 500; size++) {
        for (int i = 0; i < SWEEP; i++) {
            uint8_t bytes[1024];
            inquiry_send(q, bytes, random_request(q, &seed, size, bytes), &a);
            CHECK(a.sent <= size);
            answered += a.fragments > 0;
            texts += a.size > 0;
        }
    }
    CHECK(answered > 1000 && texts > 100);
    inquiry_ask(q, CONTROL_OP_READVAR, 0, "", &a);
    CHECK_INT(a.fragments, 0);
    inquiry_ask(q, CONTROL_OP_REQ_NONCE, 0, "", &a);
    CHECK_INT(a.fragments, 0);
    inquiry_free(q);
}

static void any_bytes_of_a_friend_get_a_well_formed_answer_or_none(void)
{
    struct inquiry *q = settled(2);
    struct inquiry_answer a;
    uint64_t seed = 7, before = wire_hash(q->n);
    int answered = 0;
    for (size_t size = 0; size <= 500; size++) {
        for (int i = 0; i < SWEEP / 4; i++) {
            uint8_t bytes[1024];
            inquiry_send(q, bytes, random_request(q, &seed, size, bytes), &a);
            answered += a.size > 0; /* inquiry_take() has looked at every byte */
        }
    }
    CHECK(answered > 500);
    CHECK(wire_hash(q->n) == before);
    inquiry_free(q);
}

/* Whether the lower half is in the answer, as a timestamp's digits; the upper half of a peer's is
 * the present second, which anybody may know. */
static bool holds(const struct inquiry_answer *a, ntp_time secret)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%08llx", (unsigned long long)secret.ticks & 0xFFFFFFFF);
    return strstr(a->text, digits) != NULL;
}

static void what_a_forger_would_need_is_never_told(void)
{
    struct inquiry *q = inquiry_new(2);
    struct inquiry_answer a;
    wire_add_line(q->n, ASSOCIATION_PEER, wire_address(10, 0, 0, 2));
    wire_start(q->n);
    wire_run(q->w, 3000.0);
    for (int i = 0; i < 64; i++) { /* some of these instants lie between question and answer */
        wire_run(q->w, 3000.0 + i * 1.01);
        for (unsigned id = 0; id <= 3; id++) {
            inquiry_ask(q, CONTROL_OP_READVAR, id, "", &a);
            CHECK(a.size > 100);
            for (int k = 0; k < 3; k++) {
                CHECK(!holds(&a, q->n->engine->sources[k].exchange.sent_wire));
            }
        }
    }
    inquiry_free(q);
}

static void counters_of_threads_and_host_are_in_the_sums(void)
{
    struct inquiry *q = settled(1);
    struct inquiry_answer a;
    struct service_counts threads = {.verdicts = {[SERVICE_ANSWERED] = 1000,
                                                  [SERVICE_KISSED] = 20,
                                                  [SERVICE_LIMITED] = 300,
                                                  [SERVICE_MALFORMED] = 4,
                                                  [SERVICE_RESTRICTED] = 50,
                                                  [SERVICE_BAD_AUTH] = 6},
                                     .version_4 = 1300,
                                     .version_older = 80,
                                     .version_1 = 3,
                                     .version_1_modeless = 2};
    struct control_traffic traffic = {
        .received = 77, .sent = 66, .send_failures = 5, .requests = 4};
    const struct engine_counters *c = engine_counters(q->n->engine);
    q->terms.threads = &threads;
    q->terms.traffic = &traffic;
    inquiry_ask(q, CONTROL_OP_READVAR, 0,
                "ss_received,ss_thisver,ss_oldver,ss_ver1,ss_ver1zero,ss_badformat,ss_badauth,"
                "ss_restricted,ss_limited,ss_kodsent,ss_processed,ss_processed_r,ss_numctlreq,"
                "io_received,io_sent,io_sendfailed,timer_xmts,ss_uptime",
                &a);
    CHECK(c->received > 40 && c->sent >= c->received);
    CHECK_INT(inquiry_number(&a, "ss_received"), c->received + 1380);
    CHECK_INT(inquiry_number(&a, "ss_thisver"), c->received + 1300);
    CHECK_INT(inquiry_number(&a, "ss_oldver"), 80);
    CHECK_INT(inquiry_number(&a, "ss_ver1"), 3);
    CHECK_INT(inquiry_number(&a, "ss_ver1zero"), 2);
    CHECK_INT(inquiry_number(&a, "ss_badformat"), 4);
    CHECK_INT(inquiry_number(&a, "ss_badauth"), 6);
    CHECK_INT(inquiry_number(&a, "ss_restricted"), 50);
    CHECK_INT(inquiry_number(&a, "ss_limited"), 320);
    CHECK_INT(inquiry_number(&a, "ss_kodsent"), 20);
    CHECK_INT(inquiry_number(&a, "ss_processed"), c->received + 1000);
    CHECK_INT(inquiry_number(&a, "ss_processed_r"), c->received + 1000);
    CHECK_INT(inquiry_number(&a, "ss_numctlreq"), 4);
    CHECK_INT(inquiry_number(&a, "io_received"), 77);
    CHECK_INT(inquiry_number(&a, "io_sent"), 66);
    CHECK_INT(inquiry_number(&a, "io_sendfailed"), 5);
    CHECK_INT(inquiry_number(&a, "timer_xmts"), c->sent);
    CHECK_INT(inquiry_number(&a, "ss_uptime"), 3000);
    inquiry_free(q);
}

static void the_meter_lets_one_full_answer_go_and_then_keeps_the_pace(void)
{
    struct control_meter meter;
    mono_time now = {12345};
    size_t full = (size_t)CONTROL_FRAGMENTS_MAX * CONTROL_SIZE_MAX, sent = 0;
    control_meter_init(&meter, now);
    CHECK(control_meter_admits(&meter, now));
    control_meter_spend(&meter, full);
    CHECK(!control_meter_admits(&meter, now));
    mono_time ready = control_meter_ready(&meter);
    CHECK(mono_diff_s(ready, now) > 0.0 && mono_diff_s(ready, now) < 0.001);
    CHECK(control_meter_admits(&meter, ready));
    control_meter_init(&meter, now);
    for (int i = 0; i < 100000; i++) { /* 100 s of a request each millisecond */
        now = mono_add_s(now, 0.001);
        if (control_meter_admits(&meter, now)) {
            control_meter_spend(&meter, full);
            sent += full;
        } else {
            CHECK(!mono_before(control_meter_ready(&meter), now));
        }
    }
    CHECK(sent <= 100 * 50000 + 2 * full);
    CHECK(sent >= 100 * 50000);
    now = mono_add_s(now, 1e6); /* idle time earns one burst, not more */
    CHECK(control_meter_admits(&meter, now));
    control_meter_spend(&meter, full);
    CHECK(!control_meter_admits(&meter, now));
}

const struct test_case control_tests[] = {
    {"readstat_lists_every_association_with_its_status_word",
     readstat_lists_every_association_with_its_status_word},
    {"an_empty_place_of_a_pool_is_listed_once_if_at_all",
     an_empty_place_of_a_pool_is_listed_once_if_at_all},
    {"system_variables_are_the_engines_status_in_ntpqs_units",
     system_variables_are_the_engines_status_in_ntpqs_units},
    {"our_own_variables_tell_state_bound_and_source",
     our_own_variables_tell_state_bound_and_source},
    {"a_refused_clock_is_told", a_refused_clock_is_told},
    {"why_the_clock_is_not_steered_is_told", why_the_clock_is_not_steered_is_told},
    {"peer_variables_are_the_sources_status_in_milliseconds",
     peer_variables_are_the_sources_status_in_milliseconds},
    {"the_filter_is_told_newest_sample_first", the_filter_is_told_newest_sample_first},
    {"names_are_answered_in_their_order_and_unknown_ones_are_an_error",
     names_are_answered_in_their_order_and_unknown_ones_are_an_error},
    {"what_has_no_value_is_left_out", what_has_no_value_is_left_out},
    {"every_list_of_ntpq_is_answered_at_once", every_list_of_ntpq_is_answered_at_once},
    {"a_long_answer_is_cut_into_fragments_that_fit_together",
     a_long_answer_is_cut_into_fragments_that_fit_together},
    {"what_cannot_be_had_gets_its_error_code", what_cannot_be_had_gets_its_error_code},
    {"what_is_no_request_meets_silence", what_is_no_request_meets_silence},
    {"the_version_asked_is_the_version_answered", the_version_asked_is_the_version_answered},
    {"a_mac_behind_a_request_makes_no_difference", a_mac_behind_a_request_makes_no_difference},
    {"the_access_list_silences_or_refuses", the_access_list_silences_or_refuses},
    {"a_source_that_cannot_be_is_not_answered", a_source_that_cannot_be_is_not_answered},
    {"more_than_an_answer_may_have_is_an_error", more_than_an_answer_may_have_is_an_error},
    {"a_stranger_never_gets_more_than_he_sent", a_stranger_never_gets_more_than_he_sent},
    {"any_bytes_of_a_friend_get_a_well_formed_answer_or_none",
     any_bytes_of_a_friend_get_a_well_formed_answer_or_none},
    {"what_a_forger_would_need_is_never_told", what_a_forger_would_need_is_never_told},
    {"counters_of_threads_and_host_are_in_the_sums", counters_of_threads_and_host_are_in_the_sums},
    {"the_meter_lets_one_full_answer_go_and_then_keeps_the_pace",
     the_meter_lets_one_full_answer_go_and_then_keeps_the_pace},
    {NULL, NULL},
};
