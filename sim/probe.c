/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The probe: which events concern which expectation. Looks, and never touches.
 *
 * Most events concern none: each node has a list of the expectations that name it, and its truth is
 * only looked up when one of them needs it now or when its engine has said that something changed.
 */
#include "probe.h"

#include <math.h>

#include "fault.h"
#include "quantity.h"
#include "watch.h"

/* Two looks at a node are at least this far apart, unless its engine has said something or changed
 * the clock's rate in between: until then error and bound are straight lines, and greatest where
 * one looks, but for what the noise of a clock strays from a line in this time, some 100 ns. This
 * long before a window opens or closes no event is passed over. */
#define LOOK_GAP_S 16.0

/* In a world with more nodes than this the grid looks at each of them this seldom, but for the
 * edges of windows. */
enum { NODES_MANY = 1000 };
#define GRID_GAP_S 60.0

/* An expectation that names a node, with what decides whether a look concerns it: watch_span(). */
struct concern {
    double from_s, until_s;
    struct watch *watch;
};

struct probe {
    struct world *world;
    const struct scenario *scenario;
    struct watch *watches;
    size_t count;
    struct verdict *verdicts;
    uint32_t *first;    /* node n: concerns[first[n] .. first[n + 1]) */
    uint32_t *measured; /* the measures among them end here */
    struct concern *concerns;
    struct watch **open; /* node n: open[first[n]...], as many as its memory says */
    struct node_memory *memory;
    bool has_group; /* some expectation is about who follows whom: all leaders are followed */
};

static double now_of(const struct probe *probe)
{
    return sim_s(world_now(probe->world));
}

static bool is_concerned(const struct probe *probe, uint32_t node)
{
    return probe->first[node] < probe->first[node + 1] ||
           (probe->has_group && probe->scenario->nodes[node].kind != NODE_UPSTREAM);
}

/* The group's graph is about to change in `node`. */
static void end_of_graph(struct probe *probe, uint32_t node, double now)
{
    for (size_t i = 0; probe->has_group && i < probe->count; i++) {
        if (watch_is_of_group(&probe->watches[i])) {
            watch_group(&probe->watches[i], probe->scenario, probe->memory, node, now);
        }
    }
}

/* What the node says. */
static void remember_told(struct probe *probe, uint32_t node, const struct truth *truth, double now)
{
    struct node_memory *m = &probe->memory[node];
    uint8_t standing = truth->is_up ? (uint8_t)truth->state : STANDING_DOWN;
    uint32_t leader = truth->is_up ? truth->leader : UINT32_MAX;
    bool went = (standing == STANDING_DOWN) != (m->standing == STANDING_DOWN);
    if (leader != m->leader || went) {
        end_of_graph(probe, node, now);
    }
    if (leader != m->leader) {
        m->leader = leader;
        m->leader_since = now;
    }
    if (standing != m->standing) {
        m->standing = standing;
        m->standing_since = now;
    }
    m->told_at = now;
    m->has_told = false;
}

static void remember_measures(struct probe *probe, uint32_t node, const struct truth *truth,
                              double now)
{
    struct node_memory *m = &probe->memory[node];
    const struct engine *engine = world_engine(probe->world, node);
    m->claim_s = truth->bound_s;
    m->claim_rate = engine ? engine_server_view(engine)->dispersion_rate : 0;
    m->rate = world_rate(probe->world, node);
    m->stepped_s = 0;
    m->at = now;
    m->is_dirty = false;
}

/* Which of the measures of a node are open, and until when that stays so. */
static void open_measures(struct probe *probe, uint32_t node, double now)
{
    struct node_memory *m = &probe->memory[node];
    uint32_t end = probe->first[node];
    m->open_until = INFINITY;
    for (uint32_t i = probe->first[node]; i < probe->measured[node]; i++) {
        struct watch *watch = probe->concerns[i].watch;
        if (watch_is_open(watch, now)) {
            probe->open[end++] = watch;
        }
        m->open_until = fmin(m->open_until, watch_next_change(watch, now));
    }
    m->open_end = end;
}

static void measure(struct probe *probe, const struct sight *sight)
{
    const struct node_memory *m = &probe->memory[sight->node];
    if (sight->now >= m->open_until) {
        open_measures(probe, sight->node, sight->now);
    }
    for (uint32_t i = probe->first[sight->node]; i < m->open_end; i++) {
        watch_measure(probe->open[i], sight);
    }
}

/* A look at all there is to see of a node. */
static void see(struct probe *probe, uint32_t node, bool is_grid)
{
    struct truth truth;
    struct node_memory *m = &probe->memory[node];
    struct sight sight = {probe->world, node, now_of(probe), m, &truth, is_grid};
    world_truth(probe->world, node, &truth);
    measure(probe, &sight);
    for (uint32_t i = probe->measured[node]; i < probe->first[node + 1]; i++) {
        const struct concern *concern = &probe->concerns[i];
        if (sight.now >= concern->from_s && m->told_at <= concern->until_s) {
            watch_tell(concern->watch, &sight);
        }
    }
    remember_told(probe, node, &truth, sight.now);
    remember_measures(probe, node, &truth, sight.now);
}

/* The same for less, when the node is what it was: the interval that what it says is judged over
 * goes on. */
static void look(struct probe *probe, uint32_t node, bool is_grid)
{
    struct truth truth;
    struct node_memory *m = &probe->memory[node];
    bool is_up = world_engine(probe->world, node) != NULL;
    if (m->has_told || !is_up || m->standing == STANDING_DOWN) {
        see(probe, node, is_grid);
        return;
    }
    struct sight sight = {probe->world, node, now_of(probe), m, &truth, is_grid};
    world_measure(probe->world, node, &truth);
    measure(probe, &sight);
    remember_measures(probe, node, &truth, sight.now);
}

/* Whether a node's truth must be looked up: its engine has said something, or an expectation needs
 * it now. */
static bool is_needed(struct probe *probe, uint32_t node, double now)
{
    const struct node_memory *m = &probe->memory[node];
    if (now >= m->open_until) {
        open_measures(probe, node, now);
    }
    return m->is_dirty || m->open_end > probe->first[node];
}

static void on_settled(void *context, struct world *world, uint32_t node)
{
    struct probe *probe = context;
    const struct node_memory *m = &probe->memory[node];
    double now = sim_s(world_now(world));
    bool goes_on = !m->is_dirty && now - m->at < LOOK_GAP_S && now < m->open_until - LOOK_GAP_S &&
                   world_rate(world, node) == m->rate;
    if (!goes_on && is_concerned(probe, node) && is_needed(probe, node, now)) {
        look(probe, node, false);
    }
}

static void on_trace(void *context, struct world *world, uint32_t node,
                     const struct trace_record *record)
{
    struct probe *probe = context;
    struct node_memory *m = &probe->memory[node];
    if (record->kind == TRACE_STATE || record->kind == TRACE_LEADER || record->kind == TRACE_STEP) {
        m->has_told = true;
    }
    m->is_dirty = true; /* a held-back sample and a clock event may widen the claim, too */
    if (record->kind != TRACE_STEP) {
        return;
    }
    m->stepped_s += record->u.step.amount_s;
    for (uint32_t i = probe->first[node]; i < probe->first[node + 1]; i++) {
        struct watch *watch = probe->concerns[i].watch;
        if (watch->expectation->kind == EXPECT_NO_STEP) {
            watch_step(watch, probe->scenario, node, sim_s(world_now(world)),
                       record->u.step.amount_s);
        }
    }
}

/* A fault of a node may end its clock's line with a jump or a bend: it is looked at before and
 * after. */
static void on_fault_comes(void *context, struct world *world, const struct fault *fault)
{
    struct probe *probe = context;
    (void)world;
    for (size_t i = 0; !fault_is_about_links(fault->verb) && i < fault->a.count; i++) {
        if (is_concerned(probe, fault->a.nodes[i])) {
            look(probe, fault->a.nodes[i], true);
        }
    }
}

static void on_fault(void *context, struct world *world, const struct fault *fault, bool begins)
{
    struct probe *probe = context;
    (void)world;
    (void)begins;
    if (fault_is_about_links(fault->verb)) {
        return;
    }
    for (size_t i = 0; i < probe->count; i++) {
        watch_look_again(&probe->watches[i]);
    }
    for (size_t i = 0; i < fault->a.count; i++) {
        probe->memory[fault->a.nodes[i]].is_dirty = true;
        probe->memory[fault->a.nodes[i]].has_told = true;
        if (is_concerned(probe, fault->a.nodes[i])) {
            see(probe, fault->a.nodes[i], true);
        }
    }
}

/* Fills in the measures, or the rest: behind what each node has already. */
static void fill_lists(struct probe *probe, bool is_measure)
{
    for (size_t i = 0; i < probe->count; i++) {
        const struct node_set *set = &probe->scenario->expectations[i].nodes;
        struct concern concern = {.watch = &probe->watches[i]};
        watch_span(concern.watch, &concern.from_s, &concern.until_s);
        for (size_t j = 0; j < set->count && watch_is_measure(concern.watch) == is_measure; j++) {
            probe->concerns[probe->first[set->nodes[j] + 1]++] = concern;
        }
    }
}

/* Counts, then fills, the list of expectations of each node. */
static void build_lists(struct probe *probe)
{
    const struct scenario *s = probe->scenario;
    probe->first = g_new0(uint32_t, s->node_count + 2);
    for (size_t i = 0; i < probe->count; i++) {
        const struct node_set *set = &s->expectations[i].nodes;
        for (size_t j = 0; j < set->count; j++) {
            probe->first[set->nodes[j] + 2]++;
        }
    }
    for (size_t n = 1; n <= s->node_count; n++) {
        probe->first[n + 1] += probe->first[n];
    }
    probe->concerns = g_new(struct concern, probe->first[s->node_count + 1] + 1);
    probe->open = g_new(struct watch *, probe->first[s->node_count + 1] + 1);
    fill_lists(probe, true);
    probe->measured = g_memdup2(probe->first + 1, s->node_count * sizeof probe->first[0]);
    fill_lists(probe, false);
}

struct probe *probe_new(struct world *world)
{
    struct probe *probe = g_new0(struct probe, 1);
    const struct scenario *s = world_scenario(world);
    struct observer observer = {.context = probe,
                                .kinds = TRACE_BIT(TRACE_STATE) | TRACE_BIT(TRACE_LEADER) |
                                         TRACE_BIT(TRACE_LOOP) | TRACE_BIT(TRACE_STEP) |
                                         TRACE_BIT(TRACE_CLOCK) | TRACE_BIT(TRACE_SPIKE),
                                .trace = on_trace,
                                .settled = on_settled,
                                .fault_comes = on_fault_comes,
                                .fault = on_fault};
    probe->world = world;
    probe->scenario = s;
    probe->count = s->expectation_count;
    probe->watches = g_new0(struct watch, probe->count + 1);
    probe->verdicts = g_new0(struct verdict, probe->count + 1);
    probe->memory = g_new0(struct node_memory, s->node_count);
    for (size_t n = 0; n < s->node_count; n++) {
        probe->memory[n] = (struct node_memory){.leader = UINT32_MAX,
                                                .standing = STANDING_DOWN,
                                                .claim_s = INFINITY,
                                                .open_until = -INFINITY,
                                                .is_dirty = true,
                                                .has_told = true};
    }
    for (size_t i = 0; i < probe->count; i++) {
        watch_init(&probe->watches[i], s, &s->expectations[i]);
        probe->has_group = probe->has_group || watch_is_of_group(&probe->watches[i]);
    }
    build_lists(probe);
    if (probe->count > 0) {
        world_observe(world, &observer);
    }
    return probe;
}

void probe_free(struct probe *probe)
{
    if (!probe) {
        return;
    }
    for (size_t i = 0; i < probe->count; i++) {
        watch_clear(&probe->watches[i]);
    }
    g_free(probe->watches);
    g_free(probe->verdicts);
    g_free(probe->memory);
    g_free(probe->first);
    g_free(probe->measured);
    g_free(probe->concerns);
    g_free(probe->open);
    g_free(probe);
}

static bool is_edge(const struct probe *probe, sim_time now)
{
    for (size_t i = 0; i < probe->count; i++) {
        const struct expectation *e = probe->watches[i].expectation;
        if (sim_from_s(e->from_s).ticks == now.ticks || sim_from_s(e->until_s).ticks == now.ticks) {
            return true;
        }
    }
    return false;
}

void probe_look(struct probe *probe)
{
    const struct scenario *s = probe->scenario;
    sim_time now = world_now(probe->world);
    bool is_sparse = s->node_count > NODES_MANY && !is_edge(probe, now);
    for (uint32_t node = 0; probe->count > 0 && node < s->node_count; node++) {
        bool is_recent = is_sparse && sim_s(now) - probe->memory[node].at < GRID_GAP_S;
        if (is_concerned(probe, node) && !is_recent && is_needed(probe, node, sim_s(now))) {
            look(probe, node, true);
        }
    }
}

sim_time probe_next_edge(const struct probe *probe, sim_time after)
{
    sim_time next = SIM_NEVER;
    for (size_t i = 0; i < probe->count; i++) {
        const struct expectation *e = probe->watches[i].expectation;
        sim_time edges[2] = {sim_from_s(e->from_s), sim_from_s(e->until_s)};
        for (size_t j = 0; j < 2; j++) {
            if (sim_before(after, edges[j]) && sim_before(edges[j], next)) {
                next = edges[j];
            }
        }
    }
    return next;
}

size_t probe_judge(struct probe *probe, const struct verdict **verdicts)
{
    for (uint32_t node = 0; probe->count > 0 && node < probe->scenario->node_count; node++) {
        if (is_concerned(probe, node)) {
            see(probe, node, true);
        }
    }
    for (size_t i = 0; i < probe->count; i++) {
        watch_judge(&probe->watches[i], probe->scenario, probe->memory, now_of(probe),
                    &probe->verdicts[i]);
    }
    *verdicts = probe->verdicts;
    return probe->count;
}

const char *probe_time_text(double seconds, char text[32])
{
    return quantity_clock(seconds, text);
}
