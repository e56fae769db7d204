/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reloads: what goes on, what starts anew, and that an equal configuration makes no difference.
 */
#include "../engine/constants.h"
#include "check.h"
#include "lockstep.h"

/* Both configurations equal, the second to be changed by the test. */
struct reload {
    struct lockstep_lines before, after;
    struct lockstep *l;
};

static void begin(struct reload *r, double until_s)
{
    lockstep_fill(&r->before);
    lockstep_copy(&r->after, &r->before);
    r->l = lockstep_new(&r->before.config, 1, false);
    lockstep_run(r->l, until_s);
    CHECK_INT(r->l->state, until_s < 60.0 ? STATE_UNSYNCHRONISED : STATE_SYNCHRONISED);
}

static struct engine *engine_of(struct reload *r)
{
    return r->l->engines[0];
}

/* The source at 198.51.100.last; NULL = none. */
static struct source *source_at(struct engine *e, uint8_t last)
{
    for (int i = 0; i < e->source_count; i++) {
        if (e->sources[i].is_resolved && e->sources[i].peer.address.bytes[3] == last) {
            return &e->sources[i];
        }
    }
    return NULL;
}

static uint8_t leader_octet(const struct engine *e)
{
    return e->leader < 0 ? 0 : e->sources[e->leader].peer.address.bytes[3];
}

static void remove_line(struct lockstep_lines *c, size_t line)
{
    size_t left = --c->config.association_count - line;
    memmove(&c->lines[line], &c->lines[line + 1], left * sizeof c->lines[0]);
}

/* ---- an equal configuration ---- */

static void an_equal_configuration_makes_no_difference_at_any_time(void)
{
    struct lockstep_lines lines, copies[2];
    lockstep_fill(&lines);
    lockstep_copy(&copies[0], &lines);
    lockstep_copy(&copies[1], &lines);
    struct lockstep *l = lockstep_new(&lines.config, 2, false);
    lockstep_run(l, 5.0); /* names are found by then */
    int adopted = 0;
    for (double t = 5.7; t < 60000.0; t = t * 1.07 + 3.1) {
        l->is_cut = t > 20000.0 && t < 40000.0;
        lockstep_run(l, t);
        if (l->answer_count == 0) {
            lockstep_adopt(l, 1, &copies[adopted++ % 2].config);
        }
        if (adopted % 16 == 8) {
            lockstep_clock_event(l, CLOCK_STEPPED, 0.02);
        } else if (adopted % 16 == 12) {
            lockstep_clock_event(l, CLOCK_RATED, 1e-6);
        }
    }
    CHECK_INT(l->differences, 0);
    CHECK(adopted > 60 && l->calls > 3000 && l->samples > 200 && l->resolves >= 2);
    lockstep_free(l);
}

static void a_lookup_under_way_is_asked_again(void)
{
    struct reload r;
    begin(&r, 0.02);
    CHECK_INT(r.l->asked[3], 1);
    lockstep_reload(r.l, &r.after.config);
    lockstep_run(r.l, 5.0);
    CHECK_INT(r.l->asked[3], 2);
    CHECK_INT(r.l->asked[4], 2);
    CHECK(engine_of(&r)->sources[3].is_resolved);
    lockstep_free(r.l);
}

static void names_that_are_found_are_not_looked_up_again(void)
{
    struct reload r;
    begin(&r, 500.0);
    long asked = r.l->resolves;
    lockstep_reload(r.l, &r.after.config);
    lockstep_run(r.l, 1000.0);
    CHECK_INT(r.l->resolves, asked);
    lockstep_free(r.l);
}

static void the_new_engine_keeps_to_its_memory_and_forgets_the_old_one(void)
{
    struct lockstep_lines before, after;
    lockstep_fill(&before);
    lockstep_copy(&after, &before);
    struct lockstep *l = lockstep_new(&before.config, 1, false);
    lockstep_run(l, 700.0);
    size_t size = engine_size(&after.config);
    uint8_t *memory = aligned_alloc(16, size + 64);
    memset(memory, 0xA5, size + 64);
    struct engine *e = engine_adopt(memory, &after.config, l->engines[0], lockstep_instant(l));
    for (size_t i = 0; i < 64; i++) {
        CHECK_INT(memory[size + i], 0xA5);
    }
    /* Neither the old engine nor its configuration may be reached any more. */
    memset(l->memory[0], 0x5A, engine_size(&before.config));
    memset(&before, 0x5A, sizeof before);
    free(l->memory[0]);
    l->memory[0] = memory;
    l->engines[0] = e;
    l->config = &after.config;
    lockstep_run(l, 5000.0);
    CHECK_INT(l->state, STATE_SYNCHRONISED);
    lockstep_free(l);
}

/* ---- associations ---- */

static void lines_may_change_their_places(void)
{
    struct reload r;
    begin(&r, 2000.0);
    struct engine *e = engine_of(&r);
    uint8_t leader = leader_octet(e);
    struct source first = *source_at(e, 1), peer = *source_at(e, 9);
    uint16_t sources = e->source_count;
    for (int i = 0; i < LOCKSTEP_LINES; i++) {
        r.after.lines[i] = r.before.lines[LOCKSTEP_LINES - 1 - i];
        r.after.lines[i].line += 100;
    }
    long leaders = r.l->leaders, resolves = r.l->resolves;
    lockstep_adopt(r.l, 0, &r.after.config);
    e = engine_of(&r);
    CHECK_INT(e->source_count, sources);
    CHECK(leader != 0 && leader_octet(e) == leader);
    CHECK_INT(source_at(e, 1)->association, 4);
    CHECK_INT(source_at(e, 1)->family, 4);
    CHECK(source_at(e, 1)->config == &r.after.lines[4]);
    CHECK_INT(source_at(e, 1)->reach, first.reach);
    CHECK_INT(source_at(e, 1)->next_poll.ticks, first.next_poll.ticks);
    CHECK(memcmp(&source_at(e, 1)->filter, &first.filter, sizeof first.filter) == 0);
    CHECK(memcmp(&source_at(e, 9)->exchange, &peer.exchange, sizeof peer.exchange) == 0);
    CHECK(!e->needs_selection);
    lockstep_expire(r.l);
    CHECK_INT(r.l->leaders, leaders);
    lockstep_run(r.l, 10000.0);
    CHECK_INT(r.l->resolves, resolves);
    CHECK_INT(r.l->state, STATE_SYNCHRONISED);
    lockstep_free(r.l);
}

static void a_resolution_follows_its_line(void)
{
    struct reload r;
    begin(&r, 500.0);
    struct association_config name = r.after.lines[3];
    r.after.lines[3] = r.after.lines[4];
    r.after.lines[4] = name;
    uint8_t server = engine_of(&r)->sources[3].peer.address.bytes[3];
    lockstep_reload(r.l, &r.after.config);
    struct engine *e = engine_of(&r);
    CHECK_INT(source_at(e, server)->association, 4);
    CHECK_INT(e->resolutions[0].first_source, 3); /* the pool */
    CHECK_INT(e->resolutions[1].first_source, 7);
    r.l->cut_last_octet = server;
    lockstep_run(r.l, 6000.0); /* eight polls without an answer: an alternate of the same name */
    CHECK_INT(r.l->asked[3], 1);
    CHECK(r.l->asked[4] >= 2);
    int next = e->sources[7].peer.address.bytes[3];
    CHECK(next != server && next / 8 == server / 8);
    lockstep_free(r.l);
}

static void a_removed_leader_is_replaced_without_a_gap(void)
{
    struct reload r;
    begin(&r, 2000.0);
    uint8_t leader = leader_octet(engine_of(&r));
    CHECK(leader != 0);
    size_t line = engine_of(&r)->sources[engine_of(&r)->leader].association;
    remove_line(&r.after, line);
    lockstep_adopt(r.l, 0, &r.after.config);
    CHECK_INT(engine_of(&r)->leader, -1);
    CHECK_STR(r.l->why, "no longer configured as it was");
    lockstep_expire(r.l);
    CHECK(engine_of(&r)->leader >= 0);
    CHECK(source_at(engine_of(&r), leader) == NULL);
    CHECK_INT(r.l->state, STATE_SYNCHRONISED);
    lockstep_run(r.l, 8000.0);
    CHECK_INT(r.l->state, STATE_SYNCHRONISED);
    lockstep_free(r.l);
}

static void without_any_line_holdover_begins_and_ends_by_the_bound(void)
{
    struct reload r;
    begin(&r, 2000.0);
    r.after.config.association_count = 0;
    uint8_t stratum = engine_of(&r)->system.stratum;
    lockstep_reload(r.l, &r.after.config);
    CHECK_INT(r.l->state, STATE_HOLDOVER);
    CHECK_INT(engine_server_view(engine_of(&r))->stratum, stratum);
    lockstep_run(r.l, 90000.0);
    CHECK_INT(r.l->state, STATE_HOLDOVER);
    lockstep_run(r.l, 110000.0); /* 1.5 s at 15 ppm */
    CHECK_INT(r.l->state, STATE_UNSYNCHRONISED);
    CHECK_INT(engine_server_view(engine_of(&r))->stratum, STRATUM_MAX);
    lockstep_free(r.l);
}

static void an_added_line_is_asked_soon_and_the_others_go_on(void)
{
    struct reload r;
    begin(&r, 2000.0);
    remove_line(&r.before, 1); /* as if it had not been there: both are loaded below */
    lockstep_free(r.l);
    r.l = lockstep_new(&r.before.config, 1, false);
    lockstep_run(r.l, 2000.0);
    struct source first = *source_at(engine_of(&r), 1);
    uint32_t requests = engine_of(&r)->requests;
    CHECK(source_at(engine_of(&r), 2) == NULL);
    lockstep_reload(r.l, &r.after.config);
    struct engine *e = engine_of(&r);
    CHECK_INT(source_at(e, 2)->reach, 0);
    CHECK_INT(source_at(e, 1)->reach, first.reach);
    CHECK_INT(source_at(e, 1)->request, first.request);
    CHECK(requests > 0 && e->requests >= requests);
    lockstep_run(r.l, 2006.0);
    CHECK_INT(source_at(e, 2)->reach, 1);
    CHECK(source_at(e, 2)->request > requests);
    lockstep_free(r.l);
}

static void the_peer_with_another_secret_is_another_peer(void)
{
    struct reload r;
    begin(&r, 2000.0);
    CHECK(source_at(engine_of(&r), 9)->reach != 0);
    r.after.keys[0].secret[5] ^= 1;
    lockstep_reload(r.l, &r.after.config);
    struct source *peer = source_at(engine_of(&r), 9);
    CHECK_INT(peer->reach, 0);
    CHECK(ntp_is_zero(peer->exchange.sent_wire) && !peer->exchange.has_newest);
    CHECK(source_at(engine_of(&r), 1)->reach != 0);
    lockstep_run(r.l, 2500.0); /* the other side has the new key too */
    CHECK(peer->reach != 0);
    lockstep_free(r.l);
}

static void an_answer_under_the_old_key_answers_nothing(void)
{
    struct reload r;
    begin(&r, 2000.0);
    struct lockstep *l = r.l;
    struct engine_call answer = {0};
    struct lockstep_answer kept;
    while (answer.verb == VERB_INIT) { /* until the peer has been asked */
        lockstep_run(l, s_from_ticks(l->now) + 0.005);
        for (int i = 0; i < l->answer_count; i++) {
            if (l->answers[i].call.u.receive.peer.address.bytes[3] == 9) {
                kept = l->answers[i];
                l->answers[i] = l->answers[--l->answer_count];
                answer = kept.call;
                break;
            }
        }
    }
    r.after.keys[0].secret[0] ^= 0x80;
    lockstep_reload(l, &r.after.config);
    uint64_t refused = engine_of(&r)->counters.bad_auth;
    answer.u.receive.bytes = kept.bytes;
    answer.now = lockstep_instant(l);
    answer.u.receive.stamp = answer.now.clock;
    lockstep_call(l, &answer);
    CHECK_INT(engine_of(&r)->counters.bad_auth, refused + 1);
    CHECK_INT(source_at(engine_of(&r), 9)->reach, 0);
    lockstep_free(l);
}

static void another_key_of_the_table_leaves_the_peer_alone(void)
{
    struct reload r;
    begin(&r, 2000.0);
    r.after.keys[1].secret[0] ^= 1;
    lockstep_reload(r.l, &r.after.config);
    CHECK(source_at(engine_of(&r), 9)->reach != 0);
    lockstep_free(r.l);
}

static void a_key_no_longer_trusted_ends_the_association_that_used_it(void)
{
    struct reload r;
    begin(&r, 2000.0);
    r.after.keys[0].is_trusted = false;
    lockstep_reload(r.l, &r.after.config);
    CHECK_INT(source_at(engine_of(&r), 9)->reach, 0);
    lockstep_run(r.l, 4000.0);
    CHECK_INT(source_at(engine_of(&r), 9)->reach, 0);
    lockstep_free(r.l);
}

static void a_peer_with_other_options_takes_no_packet_of_long_ago(void)
{
    struct reload r;
    begin(&r, 2000.0);
    struct source before = *source_at(engine_of(&r), 9);
    r.after.lines[2].maxpoll = 7;
    lockstep_reload(r.l, &r.after.config);
    struct source *peer = source_at(engine_of(&r), 9);
    CHECK_INT(peer->reach, 0);
    CHECK(ntp_is_zero(peer->exchange.sent_wire));
    CHECK(peer->exchange.has_newest);
    CHECK(ntp_equal(peer->exchange.newest, before.exchange.newest));
    lockstep_free(r.l);
}

static void a_line_that_is_doubled_is_no_second_copy_of_the_first(void)
{
    struct reload r;
    begin(&r, 2000.0);
    r.after.lines[1] = r.after.lines[0];
    lockstep_reload(r.l, &r.after.config);
    CHECK(engine_of(&r)->sources[0].reach != 0);
    CHECK_INT(engine_of(&r)->sources[1].reach, 0);
    CHECK(ntp_is_zero(engine_of(&r)->sources[1].exchange.sent_wire));
    lockstep_free(r.l);
}

/* Each option of a line makes it another one. */
static void every_option_makes_another_association(void)
{
    for (int option = 0; option < 9; option++) {
        struct reload r;
        begin(&r, 200.0);
        struct association_config *line = &r.after.lines[0];
        CHECK(source_at(engine_of(&r), 1)->reach != 0);
        line->minpoll = (int8_t)(line->minpoll - (option == 0));
        line->maxpoll = (int8_t)(line->maxpoll + (option == 1));
        line->iburst = option == 2;
        line->burst = option == 3;
        line->prefer = option == 4;
        line->noselect = option == 5;
        line->is_true = option == 6;
        line->version = option == 7 ? 3 : 4;
        line->key = option == 8 ? 1 : 0;
        lockstep_adopt(r.l, 0, &r.after.config);
        CHECK_INT(source_at(engine_of(&r), 1)->reach, 0);
        CHECK(engine_of(&r)->needs_selection);
        lockstep_free(r.l);
    }
}

/* ---- access, addresses ---- */

static void a_source_that_is_now_forbidden_gives_way_to_another_address(void)
{
    struct reload r;
    begin(&r, 2000.0);
    const struct source *pool = &engine_of(&r)->sources[4];
    uint8_t forbidden = pool->peer.address.bytes[3];
    uint8_t other = engine_of(&r)->sources[5].peer.address.bytes[3];
    r.after.entries[0] = (struct restrict_entry){
        .address = pool->peer.address, .prefix = 32, .ippeerlimit = -1, .flags = ACCESS_IGNORE};
    lockstep_reload(r.l, &r.after.config);
    CHECK(source_at(engine_of(&r), forbidden) == NULL);
    CHECK(source_at(engine_of(&r), other)->reach != 0);
    lockstep_run(r.l, 2500.0);
    CHECK_INT(r.l->asked[4], 2);
    CHECK(source_at(engine_of(&r), forbidden) == NULL);
    CHECK(engine_of(&r)->sources[4].reach != 0);
    lockstep_free(r.l);
}

static void a_leader_that_is_now_forbidden_is_not_followed_any_more(void)
{
    struct reload r;
    begin(&r, 2000.0);
    uint8_t leader = leader_octet(engine_of(&r));
    r.after.entries[0] = (struct restrict_entry){.address = lockstep_address(198, 51, 100, leader),
                                                 .prefix = 32,
                                                 .ippeerlimit = -1,
                                                 .flags = ACCESS_NOSERVE};
    lockstep_reload(r.l, &r.after.config);
    lockstep_run(r.l, 4000.0);
    CHECK(leader_octet(engine_of(&r)) != 0 && leader_octet(engine_of(&r)) != leader);
    lockstep_free(r.l);
}

static void an_address_that_becomes_mine_is_no_source(void)
{
    struct reload r;
    begin(&r, 2000.0);
    uint8_t mine = engine_of(&r)->sources[4].peer.address.bytes[3];
    r.after.own[1] = lockstep_address(198, 51, 100, mine);
    lockstep_reload(r.l, &r.after.config);
    lockstep_run(r.l, 3000.0);
    CHECK(source_at(engine_of(&r), mine) == NULL);
    CHECK(engine_of(&r)->sources[4].reach != 0);
    lockstep_free(r.l);
}

/* All upstreams of the lockstep follow 71.80.83.0 ("GPS"). */
static void who_follows_an_address_that_becomes_mine_is_not_followed(void)
{
    struct reload r;
    begin(&r, 2000.0);
    CHECK(leader_octet(engine_of(&r)) != 0);
    r.after.own[1] = lockstep_address(0x47, 0x50, 0x53, 0);
    lockstep_reload(r.l, &r.after.config);
    lockstep_run(r.l, 2000.1);
    CHECK_INT(leader_octet(engine_of(&r)), 0);
    lockstep_free(r.l);
}

static void a_numeric_line_takes_its_address_from_a_pool(void)
{
    struct reload r;
    begin(&r, 2000.0);
    struct address address = engine_of(&r)->sources[5].peer.address;
    r.after.lines[0].address = address;
    r.after.lines[0].name = "numeric";
    lockstep_reload(r.l, &r.after.config);
    lockstep_run(r.l, 3000.0);
    int holders = 0;
    for (int i = 0; i < engine_of(&r)->source_count; i++) {
        holders += address_equal(&engine_of(&r)->sources[i].peer.address, &address);
    }
    CHECK_INT(holders, 1);
    CHECK(engine_of(&r)->sources[0].reach != 0);
    CHECK(engine_of(&r)->sources[5].reach != 0);
    lockstep_free(r.l);
}

/* ---- clients ---- */

static void clients_are_remembered_in_a_table_of_the_same_size_only(void)
{
    struct reload r;
    begin(&r, 2000.0);
    size_t count = clients_count(engine_of(&r)->clients);
    uint32_t asked = clients_older(engine_of(&r)->clients, NULL)->count;
    CHECK(count >= 4 && asked > 1);
    lockstep_adopt(r.l, 0, &r.after.config);
    CHECK_INT(clients_count(engine_of(&r)->clients), count);
    CHECK_INT(clients_older(engine_of(&r)->clients, NULL)->count, asked);
    r.before.config.client_capacity = 16;
    lockstep_adopt(r.l, 0, &r.before.config);
    CHECK_INT(clients_count(engine_of(&r)->clients), 0);
    lockstep_run(r.l, 2500.0);
    CHECK(clients_count(engine_of(&r)->clients) >= 4);
    r.after.config.client_capacity = 0;
    lockstep_adopt(r.l, 0, &r.after.config);
    CHECK(engine_of(&r)->clients == NULL);
    lockstep_run(r.l, 3000.0);
    lockstep_free(r.l);
}

static void new_rules_hold_for_the_next_stranger(void)
{
    struct reload r;
    begin(&r, 2000.0);
    r.after.entries[0].flags = ACCESS_IGNORE;
    lockstep_reload(r.l, &r.after.config);
    for (int i = 0; i < 8; i++) {
        lockstep_stranger(r.l);
        lockstep_run(r.l, 2000.0 + 0.001 * i);
        CHECK(!(r.l->effects.todo & EFFECT_SEND) || r.l->effects.send.peer.port == NTP_PORT);
    }
    CHECK_INT(engine_service_rules(engine_of(&r)).access->entries[0].flags, ACCESS_IGNORE);
    lockstep_free(r.l);
}

/* ---- the clock ---- */

static void a_reload_starts_no_clock_anew(void)
{
    struct reload r;
    begin(&r, 2000.0);
    struct discipline before = engine_of(&r)->discipline;
    int64_t rate_q = engine_of(&r)->rate_q;
    engine_of(&r)->armed_leap = LEAP_INSERT;
    r.after.config.drift_ppm = 77.0;
    r.after.config.tinker.frequency_ppm = 99.0;
    r.after.config.allow_large_first_step = true;
    remove_line(&r.after, 4);
    lockstep_adopt(r.l, 0, &r.after.config);
    CHECK(memcmp(&engine_of(&r)->discipline, &before, sizeof before) == 0);
    CHECK_INT(engine_of(&r)->rate_q, rate_q);
    CHECK_INT(engine_of(&r)->armed_leap, LEAP_INSERT);
    lockstep_expire(r.l);
    /* A selection may follow, and an update by it; the rate goes on from where it was. */
    CHECK(!(r.l->effects.clock.what & CLOCK_STEP));
    CHECK_NEAR((double)engine_of(&r)->rate_q / 65536, (double)rate_q / 65536, 1.0);
    lockstep_free(r.l);
}

static void the_system_poll_keeps_to_the_new_limits(void)
{
    struct reload r;
    lockstep_fill(&r.before);
    lockstep_copy(&r.after, &r.before);
    for (int i = 0; i < LOCKSTEP_LINES; i++) {
        r.before.lines[i].minpoll = 8;
        r.after.lines[i].minpoll = 4;
        r.after.lines[i].maxpoll = 7;
    }
    r.l = lockstep_new(&r.before.config, 1, false);
    lockstep_run(r.l, 5000.0);
    CHECK_INT(engine_of(&r)->discipline.poll, 8);
    lockstep_adopt(r.l, 0, &r.after.config);
    CHECK_INT(engine_of(&r)->discipline.poll, 7);
    lockstep_run(r.l, 10000.0);
    CHECK(engine_of(&r)->discipline.poll <= 7);
    CHECK_INT(r.l->state, STATE_SYNCHRONISED);
    lockstep_adopt(r.l, 0, &r.before.config);
    CHECK_INT(engine_of(&r)->discipline.poll, 8);
    lockstep_free(r.l);
}

static void a_loop_that_is_opened_ends_the_slew_and_steers_no_more(void)
{
    struct reload r;
    begin(&r, 150.0);
    struct engine *e = engine_of(&r);
    CHECK(fabs(e->discipline.residual_s) > 1e-4);
    CHECK(fabs((double)e->rate_q / 65536.0 + 12.0) > 1.0); /* ppm: it slews */
    r.after.config.disable_discipline = true;
    lockstep_reload(r.l, &r.after.config);
    e = engine_of(&r);
    CHECK_INT(r.l->effects.todo & EFFECT_CLOCK, EFFECT_CLOCK);
    CHECK_NEAR((double)e->rate_q / 65536.0, e->discipline.drift * 1e6, 1e-4);
    CHECK(e->discipline.is_open);
    double rate = r.l->rate;
    r.l->clock = ntp_add_s(r.l->clock, 0.05);
    lockstep_clock_event(r.l, CLOCK_STEPPED, 0.05);
    lockstep_run(r.l, 5000.0);
    CHECK(r.l->rate == rate); /* 50 ms off, and left alone */
    CHECK_NEAR(e->system.offset_s, -0.05, 0.02);
    lockstep_free(r.l);
}

static void a_loop_that_is_closed_commands_a_rate_at_once_and_converges(void)
{
    struct reload r;
    lockstep_fill(&r.before);
    lockstep_copy(&r.after, &r.before);
    r.before.config.disable_discipline = true;
    r.l = lockstep_new(&r.before.config, 1, false);
    r.l->rate = 3e-6; /* what the kernel had */
    lockstep_run(r.l, 3000.0);
    CHECK(r.l->rate == 3e-6);
    lockstep_reload(r.l, &r.after.config);
    CHECK_INT(r.l->effects.todo & EFFECT_CLOCK, EFFECT_CLOCK);
    CHECK_INT(r.l->effects.clock.what, CLOCK_RATE);
    CHECK_NEAR(r.l->rate, -12e-6, 1e-9);
    lockstep_run(r.l, 40000.0);
    CHECK_NEAR(ntp_diff_s(lockstep_instant(r.l).clock, lockstep_true_time(r.l)), 0.0, 1e-3);
    lockstep_free(r.l);
}

static void what_others_did_while_the_loop_was_open_is_no_frequency(void)
{
    struct reload r;
    begin(&r, 3000.0);
    r.after.config.disable_discipline = true;
    lockstep_reload(r.l, &r.after.config);
    double drift = engine_of(&r)->discipline.drift;
    r.l->rate += 10e-6;
    lockstep_run(r.l, 8000.0);
    CHECK(fabs(engine_of(&r)->system.offset_s) > 0.02);
    lockstep_reload(r.l, &r.before.config);
    mono_time updated = engine_of(&r)->discipline.updated;
    lockstep_run(r.l, 8070.0);
    CHECK(mono_before(updated, engine_of(&r)->discipline.updated));
    CHECK(engine_of(&r)->discipline.drift == drift);
    lockstep_run(r.l, 20000.0);
    CHECK_NEAR(ntp_diff_s(lockstep_instant(r.l).clock, lockstep_true_time(r.l)), 0.0, 1e-3);
    lockstep_free(r.l);
}

static void a_refused_clock_stays_refused(void)
{
    struct reload r;
    begin(&r, 2000.0);
    lockstep_clock_event(r.l, CLOCK_REFUSED, 0.0);
    double rate = r.l->rate;
    r.after.config.clock.can_steer = false; /* as the host knows by now */
    lockstep_reload(r.l, &r.after.config);
    CHECK(!(r.l->effects.todo & EFFECT_CLOCK));
    lockstep_run(r.l, 5000.0);
    CHECK(engine_of(&r)->discipline.is_open);
    CHECK(r.l->rate == rate);
    lockstep_free(r.l);
}

static void a_clock_in_other_units_gets_its_rate_in_them(void)
{
    struct reload r;
    begin(&r, 5000.0);
    double rate = r.l->rate;
    r.after.config.clock.rate_quantum = 1e-9;
    r.after.config.clock.rate_max_q = 500000;
    lockstep_reload(r.l, &r.after.config);
    CHECK_INT(r.l->effects.clock.what, CLOCK_RATE);
    CHECK_NEAR(r.l->rate, rate, 1e-6);
    lockstep_run(r.l, 20000.0);
    CHECK_INT(r.l->state, STATE_SYNCHRONISED);
    lockstep_free(r.l);
}

/* ---- policies and claims ---- */

static void a_shorter_maxdist_ends_a_holdover_that_is_longer(void)
{
    struct reload r;
    begin(&r, 2000.0);
    r.l->is_cut = true;
    lockstep_run(r.l, 60000.0);
    CHECK_INT(r.l->state, STATE_HOLDOVER);
    r.after.config.tos.maxdist_s = 0.5;
    lockstep_reload(r.l, &r.after.config);
    CHECK_INT(r.l->state, STATE_UNSYNCHRONISED);
    lockstep_free(r.l);
}

static void a_bound_goes_on_without_a_jump_and_grows_as_the_new_line_says(void)
{
    struct reload r;
    begin(&r, 2000.0);
    r.l->is_cut = true;
    lockstep_run(r.l, 9000.0);
    mono_time now = {r.l->now};
    double before = system_distance_s(&engine_of(&r)->system, now);
    r.after.config.tinker.dispersion = 100e-6;
    lockstep_adopt(r.l, 0, &r.after.config);
    const struct server_view *view = engine_server_view(engine_of(&r));
    CHECK_NEAR(system_distance_s(&engine_of(&r)->system, now), before, 1e-12);
    CHECK_NEAR(view->root_delay_s / 2 + server_view_dispersion_s(view, now), before, 1e-12);
    CHECK_NEAR(server_view_dispersion_s(view, mono_add_s(now, 1000.0)) -
                   server_view_dispersion_s(view, now),
               0.1, 1e-9);
    lockstep_free(r.l);
}

static void a_policy_that_never_gives_up_does_not(void)
{
    struct reload r;
    begin(&r, 2000.0);
    r.after.config.policy = POLICY_RFC5905;
    lockstep_reload(r.l, &r.after.config);
    r.l->is_cut = true;
    lockstep_run(r.l, 200000.0);
    CHECK_INT(r.l->state, STATE_HOLDOVER);
    lockstep_free(r.l);
}

static void a_line_that_asks_for_more_agreement_is_minded_at_once(void)
{
    struct reload r;
    begin(&r, 2000.0);
    r.after.config.tos.minsane = 9; /* there are eight sources */
    lockstep_reload(r.l, &r.after.config);
    CHECK_INT(r.l->state, STATE_HOLDOVER);
    CHECK_STR(r.l->why, "fewer sources than tos minsane");
    lockstep_free(r.l);
}

const struct test_case adopt_tests[] = {
    {"an_equal_configuration_makes_no_difference_at_any_time",
     an_equal_configuration_makes_no_difference_at_any_time},
    {"a_lookup_under_way_is_asked_again", a_lookup_under_way_is_asked_again},
    {"names_that_are_found_are_not_looked_up_again", names_that_are_found_are_not_looked_up_again},
    {"the_new_engine_keeps_to_its_memory_and_forgets_the_old_one",
     the_new_engine_keeps_to_its_memory_and_forgets_the_old_one},
    {"lines_may_change_their_places", lines_may_change_their_places},
    {"a_resolution_follows_its_line", a_resolution_follows_its_line},
    {"a_removed_leader_is_replaced_without_a_gap", a_removed_leader_is_replaced_without_a_gap},
    {"without_any_line_holdover_begins_and_ends_by_the_bound",
     without_any_line_holdover_begins_and_ends_by_the_bound},
    {"an_added_line_is_asked_soon_and_the_others_go_on",
     an_added_line_is_asked_soon_and_the_others_go_on},
    {"the_peer_with_another_secret_is_another_peer", the_peer_with_another_secret_is_another_peer},
    {"an_answer_under_the_old_key_answers_nothing", an_answer_under_the_old_key_answers_nothing},
    {"another_key_of_the_table_leaves_the_peer_alone",
     another_key_of_the_table_leaves_the_peer_alone},
    {"a_key_no_longer_trusted_ends_the_association_that_used_it",
     a_key_no_longer_trusted_ends_the_association_that_used_it},
    {"a_peer_with_other_options_takes_no_packet_of_long_ago",
     a_peer_with_other_options_takes_no_packet_of_long_ago},
    {"a_line_that_is_doubled_is_no_second_copy_of_the_first",
     a_line_that_is_doubled_is_no_second_copy_of_the_first},
    {"every_option_makes_another_association", every_option_makes_another_association},
    {"a_source_that_is_now_forbidden_gives_way_to_another_address",
     a_source_that_is_now_forbidden_gives_way_to_another_address},
    {"a_leader_that_is_now_forbidden_is_not_followed_any_more",
     a_leader_that_is_now_forbidden_is_not_followed_any_more},
    {"an_address_that_becomes_mine_is_no_source", an_address_that_becomes_mine_is_no_source},
    {"who_follows_an_address_that_becomes_mine_is_not_followed",
     who_follows_an_address_that_becomes_mine_is_not_followed},
    {"a_numeric_line_takes_its_address_from_a_pool", a_numeric_line_takes_its_address_from_a_pool},
    {"clients_are_remembered_in_a_table_of_the_same_size_only",
     clients_are_remembered_in_a_table_of_the_same_size_only},
    {"new_rules_hold_for_the_next_stranger", new_rules_hold_for_the_next_stranger},
    {"a_reload_starts_no_clock_anew", a_reload_starts_no_clock_anew},
    {"the_system_poll_keeps_to_the_new_limits", the_system_poll_keeps_to_the_new_limits},
    {"a_loop_that_is_opened_ends_the_slew_and_steers_no_more",
     a_loop_that_is_opened_ends_the_slew_and_steers_no_more},
    {"a_loop_that_is_closed_commands_a_rate_at_once_and_converges",
     a_loop_that_is_closed_commands_a_rate_at_once_and_converges},
    {"what_others_did_while_the_loop_was_open_is_no_frequency",
     what_others_did_while_the_loop_was_open_is_no_frequency},
    {"a_refused_clock_stays_refused", a_refused_clock_stays_refused},
    {"a_clock_in_other_units_gets_its_rate_in_them", a_clock_in_other_units_gets_its_rate_in_them},
    {"a_shorter_maxdist_ends_a_holdover_that_is_longer",
     a_shorter_maxdist_ends_a_holdover_that_is_longer},
    {"a_bound_goes_on_without_a_jump_and_grows_as_the_new_line_says",
     a_bound_goes_on_without_a_jump_and_grows_as_the_new_line_says},
    {"a_policy_that_never_gives_up_does_not", a_policy_that_never_gives_up_does_not},
    {"a_line_that_asks_for_more_agreement_is_minded_at_once",
     a_line_that_asks_for_more_agreement_is_minded_at_once},
    {NULL, NULL}};
