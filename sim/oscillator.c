/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The noise of a clock on its lattice, and the steered clock on top. Only advance() changes the
 * noise, cell by cell; whatever is asked inside a cell is a function of the states at its two ends.
 */
#include "oscillator.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "rng.h"

static const double DAY_S = 86400.0;

/* What a draw of a cell is for. A process keeps its numbers whatever else the law contains, so that
 * turning one off leaves the others as they were at the lattice points. A normal from cell
 * CELL_START belongs to the start. */
enum draw {
    DRAW_WALK = 0, /* two normals a cell */
    DRAW_WHITE = 2,
    DRAW_WANDER = 3,  /* two */
    DRAW_FLICKER = 5, /* one for each stage, and one for all */
    DRAW_FREQUENCY = DRAW_FLICKER + FLICKER_STAGES_MAX + 1,
    DRAW_OFFSET,
    DRAW_PHASE,
    DRAW_BRIDGE = 64 /* plus 1 for the mid-cell, 2 and 3 for the quarters, and so on */
};

enum { CELL_START = -1, PURPOSE_CLOCK = 0x636c6b /* "clk": apart from every link's */ };

/* 1 us to 3 days: a place in a cell is exact in a double, and its last tick no rounding away from
 * its end. */
static const int64_t CELL_TICKS_MIN = INT64_C(1) << 12;
static const int64_t CELL_TICKS_MAX = INT64_C(1) << 50;

/* Levels of the bridge: at most down to 1 s in a cell of 64 s, and no deeper in a wider one, whose
 * world is too large to pay for what white FM does in less than a 64th of a poll interval. */
enum { BRIDGE_DEPTH_MAX = 6, NO_LEAF = -1 };

/* Where the daily sine is. */
struct turn {
    double sine, cosine;
};

/* Everything that is the same in each cell; what each look needs comes first. */
struct lattice {
    sim_time start;
    int64_t cell_ticks;
    double per_tick;   /* 1 / cell_ticks */
    double white_sd_s; /* of x over a cell */
    uint8_t bridge_depth;
    uint8_t flicker_stages;
    bool is_random;
    uint64_t key;
    double frequency;           /* initial, of this node */
    double drift;               /* aging, 1/s */
    double diurnal;             /* amplitude */
    struct turn begun, turned;  /* the sine at the start; what it turns by over a cell */
    double walk_sd, flicker_sd; /* of y over a cell; of y */
    double flicker_sd_i;        /* of what the stages' means have of their own, in flicker_sd */
    struct ou_step wander;      /* over one cell */
};

static double cell_s_of(const struct lattice *lattice)
{
    return s_from_ticks(lattice->cell_ticks);
}

/* What is carried from one lattice point to the next: the random part of frequency and error, and
 * the daily sine. */
struct noise {
    double x_s; /* of all processes together */
    struct turn turn;
    double walk_y;
    double wander_y;
    double flicker_y[FLICKER_STAGES_MAX]; /* in units of flicker_sd */
};

/* Error and frequency at a lattice point; white FM has no frequency and is not in y. */
struct point {
    double x_s, y;
};

/* The current cell: x = c[0] + c[1] z + c[2] z^2 + c[3] z^3 + bridge(z), z = 0..1 across it. */
struct cell {
    int64_t index;
    uint64_t key; /* its draws */
    sim_time begin;
    double c[4];
    double mean_frequency;
    int32_t leaf;                      /* the finest interval of the bridge looked at last */
    double left_s, right_s;            /* the bridge at its ends */
    double middle_s[BRIDGE_DEPTH_MAX]; /* and in the middles of those that hold it, widest first */
};

/* A line joined on at an instant: closed form, so that no later look changes it. */
struct gain {
    double sum_s; /* gained until `since` */
    double rate;
    double since_s; /* of the scale that the rate multiplies */
};

struct oscillator {
    struct lattice lattice;
    struct noise noise; /* at the end of the current cell */
    struct point end;   /* noise and trend there */
    struct cell cell;
    struct gain jumps;    /* over true time since start */
    struct gain steering; /* over mono */
    ntp_time epoch;
    sim_time asked; /* the last look at the lattice, and what it showed: one event asks often */
    double shown_s;
};

struct named_clock {
    const char *name;
    struct oscillator_law law;
};

/* Representatives of models-and-validation 1.8. Where it gives a range of temperature coefficients,
 * one from its middle times the swing is the diurnal amplitude: server 0.2 ppm/K * 1 K, office 0.7
 * ppm/K * 3 K, TCXO 0.015 ppm/K * 1 K, OCXO 1e-11/K * 1 K. xo-chrony is the clock of chrony's
 * simulation tests, 100 ppm for every node. Initial offsets are those of a clock set from a
 * battery-backed one (0.1 s in chrony's tests); a disciplined oscillator of the better kind comes
 * with a better one. */
static const struct named_clock presets[] = {
    {"ideal", {.initial_mean = 0.0}},
    {"xo-server",
     {.initial_sd = 15e-6,
      .white_fm = 1e-9,
      .flicker_floor = 3e-9,
      .random_walk_fm = 1e-10,
      .wander_sd = 40e-9,
      .wander_tc_s = 3600.0,
      .diurnal = 0.2e-6,
      .aging_per_day = 3e-9,
      .initial_offset_sd_s = 0.1}},
    {"xo-office",
     {.initial_sd = 30e-6,
      .white_fm = 1e-9,
      .flicker_floor = 1e-8,
      .random_walk_fm = 3e-10,
      .wander_sd = 150e-9,
      .wander_tc_s = 3600.0,
      .diurnal = 2.1e-6,
      .aging_per_day = 5e-9,
      .initial_offset_sd_s = 0.1}},
    {"xo-chrony", {.initial_mean = 100e-6, .random_walk_fm = 1e-9, .initial_offset_sd_s = 0.1}},
    {"tcxo",
     {.initial_sd = 0.5e-6,
      .white_fm = 3e-10,
      .flicker_floor = 1e-9,
      .random_walk_fm = 3e-11,
      .wander_sd = 5e-9,
      .wander_tc_s = 3600.0,
      .diurnal = 15e-9,
      .aging_per_day = 1e-10,
      .initial_offset_sd_s = 10e-3}},
    {"ocxo",
     {.initial_sd = 1e-8,
      .white_fm = 1e-11,
      .flicker_floor = 5e-12,
      .random_walk_fm = 5e-14,
      .diurnal = 1e-11,
      .aging_per_day = 5e-10,
      .initial_offset_sd_s = 1e-3}},
};

enum { PRESETS = sizeof presets / sizeof presets[0] };

static const char *const preset_names[PRESETS + 1] = {
    "ideal", "xo-server", "xo-office", "xo-chrony", "tcxo", "ocxo", NULL};

const struct oscillator_law *oscillator_preset(const char *name)
{
    for (unsigned i = 0; i < PRESETS; i++) {
        if (strcmp(presets[i].name, name) == 0) {
            return &presets[i].law;
        }
    }
    return NULL;
}

const char *const *oscillator_preset_names(void)
{
    return preset_names;
}

size_t oscillator_size(void)
{
    return sizeof(struct oscillator);
}

/* The law of an Ornstein-Uhlenbeck frequency. */

/* 2q - 3 + 4 e^-q - e^-2q, whose leading terms cancel down to 2 q^3 / 3: below q = 1/2 the sum over
 * n >= 3 of (4 - 2^n) (-q)^n / n!. */
static double integral_bracket(double q)
{
    if (q >= 0.5) {
        return 2.0 * q - 3.0 + 4.0 * exp(-q) - exp(-2.0 * q);
    }
    double single = q * q / 2.0;  /* (-q)^n / n! at n = 2 */
    double twofold = 2.0 * q * q; /* (-2 q)^n / n! */
    double sum = 0.0;
    for (int n = 3; n < 24; n++) {
        single *= -q / n;
        twofold *= -2.0 * q / n;
        sum += 4.0 * single - twofold;
    }
    return sum;
}

struct ou_law oscillator_ou_law(double v, double tc_s, double duration_s)
{
    double q = duration_s / tc_s;
    double fade = -expm1(-q);
    return (struct ou_law){
        .decay = exp(-q),
        .mean_integral = tc_s * fade,
        .var_y = -v * expm1(-2.0 * q),
        .var_i = v * tc_s * tc_s * integral_bracket(q),
        .cov = v * tc_s * fade * fade,
    };
}

/* Cholesky factors of the law, written out; I in units of the duration. */
static struct ou_step ou_step_from_law(const struct ou_law *law, double duration_s)
{
    double sd_y = sqrt(law->var_y);
    double slope = sd_y > 0.0 ? law->cov / sd_y : 0.0;
    double rest = fmax(0.0, law->var_i - slope * slope);
    return (struct ou_step){
        .decay = law->decay,
        .mean_integral = law->mean_integral / duration_s,
        .sd_y = sd_y,
        .slope = slope / duration_s,
        .sd_i = sqrt(rest) / duration_s,
    };
}

/* What oscillator_ou_law(1, tc, 1) gives for tc = 0.1, 1, 10... kept as a table because it is the
 * same for every clock: a test compares the two. */
static const struct ou_step flicker_steps[FLICKER_STAGES_MAX] = {
    {4.5399929762484854e-05, 0.09999546000702375, 0.9999999989694232, 0.09999092032321119,
     0.40000453976110845},
    {0.36787944117144233, 0.6321205588285577, 0.9298734950321937, 0.4297104961357072,
     0.3892703057773107},
    {0.9048374180359596, 0.9516258196404043, 0.425757262911648, 0.21270140981580793,
     0.1290349442903399},
    {0.9900498337491681, 0.9950166250831947, 0.14071718691490637, 0.0703580071417042,
     0.040824624923796286},
    {0.999000499833375, 0.9995001666250083, 0.04469900818437623, 0.022349502229729628,
     0.012909943841860881},
    {0.9999000049998333, 0.999950001666625, 0.014141428546411663, 0.007070714267313569,
     0.0040824829025973884},
    {0.9999900000499998, 0.9999950000166666, 0.0044721135944129735, 0.002236056797187853,
     0.0012909944487293507},
    {0.9999990000005, 0.9999995000001667, 0.0014142128552666086, 0.0007071064276332453,
     0.0004082482904638426},
};

const struct ou_step *oscillator_flicker_step(unsigned stage)
{
    assert(stage < FLICKER_STAGES_MAX);
    return &flicker_steps[stage];
}

/* Setting up the lattice. */

/* Flicker FM is a ladder of Ornstein-Uhlenbeck stages, one a decade, each of variance h-1 ln 10
 * (1.7b), from a tenth of a cell up to 10^6 s: flat within 1.1 % from one cell to 10^5 s, where the
 * random walk rules. Returns the intensity (white FM, s1^2) that the endless ladder below has for
 * whoever looks at the lattice: 2 v (tc/10 + tc/100 + ...), tc the first stage. */
static double init_flicker(struct lattice *lattice, double floor)
{
    if (floor <= 0.0) {
        return 0.0;
    }
    double variance = floor * floor / (2.0 * M_LN2) * M_LN10;
    double first_tc_s = 0.1 * cell_s_of(lattice);
    double tc_s = first_tc_s;
    lattice->flicker_sd = sqrt(variance);
    lattice->flicker_stages = 1;
    while (tc_s < 1e6 && lattice->flicker_stages < FLICKER_STAGES_MAX) {
        tc_s *= 10.0;
        lattice->flicker_stages++;
    }
    double squared = 0.0;
    for (unsigned k = 0; k < lattice->flicker_stages; k++) {
        squared += flicker_steps[k].sd_i * flicker_steps[k].sd_i;
    }
    lattice->flicker_sd_i = sqrt(squared);
    return 2.0 * variance * first_tc_s / 9.0;
}

/* Returns the white FM intensity that a temperature term has which is too fast for the lattice. */
static double init_wander(struct lattice *lattice, double sd, double tc_s)
{
    if (sd <= 0.0 || tc_s <= 0.0) {
        return 0.0;
    }
    if (tc_s <= cell_s_of(lattice) / 100.0) {
        return 2.0 * sd * sd * tc_s;
    }
    struct ou_law law = oscillator_ou_law(sd * sd, tc_s, cell_s_of(lattice));
    lattice->wander = ou_step_from_law(&law, cell_s_of(lattice));
    return 0.0;
}

/* Bridge intervals are halved down to a second, where 0.5 ns of an XO's white FM is left out, or to
 * where that is less than a quarter of what is left out inside a cell anyway: the bridges of the
 * fastest flicker stages, 0.2 D sd. */
static uint8_t bridge_depth(const struct lattice *lattice)
{
    double cell_s = cell_s_of(lattice);
    double enough_s = 0.25 * 0.2 * cell_s * lattice->flicker_sd;
    double left_out_s = 0.5 * lattice->white_sd_s;
    uint8_t depth = 0;
    for (double width_s = cell_s; width_s > 1.0 && depth < BRIDGE_DEPTH_MAX; width_s /= 2.0) {
        if (left_out_s <= enough_s) {
            break;
        }
        depth++;
        left_out_s *= M_SQRT1_2;
    }
    return depth;
}

/* The cosine is written as a sine a quarter of a turn later: no compiler can merge the two into a
 * call of another accuracy. */
static struct turn turn_of(double angle)
{
    return (struct turn){sin(angle), sin(angle + M_PI_2)};
}

static void init_lattice(struct lattice *lattice, const struct oscillator_law *law, double cell_s)
{
    uint64_t key = rng_cell_key(lattice->key, CELL_START);
    lattice->cell_ticks = ticks_from_s(cell_s);
    assert(lattice->cell_ticks >= CELL_TICKS_MIN && lattice->cell_ticks <= CELL_TICKS_MAX);
    lattice->per_tick = 1.0 / (double)lattice->cell_ticks;
    cell_s = cell_s_of(lattice); /* in whole ticks */
    lattice->frequency = law->initial_mean + law->initial_sd * rng_normal_of(key, DRAW_FREQUENCY);
    lattice->drift = law->aging_per_day / DAY_S;
    lattice->diurnal = law->diurnal;
    double turn = rng_cell_uniform(lattice->key, CELL_START, DRAW_PHASE);
    lattice->begun = turn_of(2.0 * M_PI * (turn + sim_s(lattice->start) / DAY_S));
    lattice->turned = turn_of(2.0 * M_PI / DAY_S * cell_s);
    lattice->walk_sd = law->random_walk_fm * sqrt(cell_s);
    double white_squared = law->white_fm * law->white_fm;
    white_squared += init_flicker(lattice, law->flicker_floor);
    white_squared += init_wander(lattice, law->wander_sd, law->wander_tc_s);
    lattice->white_sd_s = sqrt(white_squared * cell_s);
    lattice->bridge_depth = bridge_depth(lattice);
    lattice->is_random = lattice->walk_sd > 0.0 || lattice->white_sd_s > 0.0 ||
                         lattice->flicker_stages > 0 || lattice->wander.sd_y > 0.0;
}

/* A clock has run for ever when we meet it: stationary processes begin in their stationary law. */
static struct noise initial_noise(const struct lattice *lattice, double wander_sd)
{
    struct noise noise = {.turn = lattice->begun};
    uint64_t key = rng_cell_key(lattice->key, CELL_START);
    if (lattice->wander.sd_y > 0.0) {
        noise.wander_y = wander_sd * rng_normal_of(key, DRAW_WANDER);
    }
    for (unsigned k = 0; k < lattice->flicker_stages; k++) {
        noise.flicker_y[k] = rng_normal_of(key, DRAW_FLICKER + 1 + k);
    }
    return noise;
}

/* From one lattice point to the next. */

/* Moves a frequency over one cell, drawing from the cell's key; returns its mean there. */
static double step_ou(const struct ou_step *step, uint64_t key, unsigned draw, double *y)
{
    double g1 = rng_normal_of(key, draw);
    double g2 = rng_normal_of(key, draw + 1);
    double mean = step->mean_integral * *y + step->slope * g1 + step->sd_i * g2;
    *y = step->decay * *y + step->sd_y * g1;
    return mean;
}

/* All flicker stages over a cell, in units of flicker_sd. What a stage's mean has beside its y
 * enters no y: the sum over the stages is one normal. */
static double step_flicker(const struct lattice *lattice, uint64_t key, double *y)
{
    double mean = 0.0;
    if (lattice->flicker_stages > 0) {
        mean = lattice->flicker_sd_i * rng_normal_of(key, DRAW_FLICKER);
    }
    for (unsigned k = 0; k < lattice->flicker_stages; k++) {
        const struct ou_step *step = &flicker_steps[k];
        double g = rng_normal_of(key, DRAW_FLICKER + 1 + k);
        mean += step->mean_integral * y[k] + step->slope * g;
        y[k] = step->decay * y[k] + step->sd_y * g;
    }
    return mean;
}

/* RW FM over a time of 1 (1.7a): dy = s g1, dx = y + s (g1 / 2 + g2 / sqrt 12). */
static double step_walk(double sd, uint64_t key, double *y)
{
    double g1 = rng_normal_of(key, DRAW_WALK);
    double g2 = rng_normal_of(key, DRAW_WALK + 1);
    double mean = *y + sd * (0.5 * g1 + g2 / sqrt(12.0));
    *y += sd * g1;
    return mean;
}

static double step_white_s(const struct lattice *lattice, uint64_t key)
{
    if (lattice->white_sd_s <= 0.0) {
        return 0.0;
    }
    return lattice->white_sd_s * rng_normal_of(key, DRAW_WHITE);
}

/* The smooth noise frequency at a lattice point: all but white FM. */
static double noise_frequency(const struct lattice *lattice, const struct noise *noise)
{
    double flicker = 0.0;
    for (unsigned k = 0; k < lattice->flicker_stages; k++) {
        flicker += noise->flicker_y[k];
    }
    return noise->walk_y + noise->wander_y + lattice->flicker_sd * flicker;
}

/* One cell later, by the sum of two angles: in a year that strays by 1e-10 of the amplitude. */
static void turn_on(const struct turn *by, struct turn *turn)
{
    *turn = (struct turn){turn->sine * by->cosine + turn->cosine * by->sine,
                          turn->cosine * by->cosine - turn->sine * by->sine};
}

/* Moves all that is carried over the cell of this key; returns what white FM added to the error,
 * seconds. */
static double step_noise(const struct lattice *lattice, uint64_t key, struct noise *noise)
{
    double mean = 0.0;
    if (lattice->walk_sd > 0.0) {
        mean += step_walk(lattice->walk_sd, key, &noise->walk_y);
    }
    if (lattice->wander.sd_y > 0.0) {
        mean += step_ou(&lattice->wander, key, DRAW_WANDER, &noise->wander_y);
    }
    mean += lattice->flicker_sd * step_flicker(lattice, key, noise->flicker_y);
    double white_s = step_white_s(lattice, key);
    noise->x_s += mean * cell_s_of(lattice) + white_s;
    turn_on(&lattice->turned, &noise->turn);
    return white_s;
}

/* Initial frequency and aging, closed forms from the start, and the daily sine's integral. */
static struct point trend_at(const struct lattice *lattice, int64_t elapsed_ticks,
                             const struct turn *turn)
{
    double elapsed_s = s_from_ticks(elapsed_ticks);
    double w = 2.0 * M_PI / DAY_S;
    return (struct point){
        .x_s = elapsed_s * (lattice->frequency + 0.5 * lattice->drift * elapsed_s) +
               lattice->diurnal / w * (lattice->begun.cosine - turn->cosine),
        .y = lattice->frequency + lattice->drift * elapsed_s + lattice->diurnal * turn->sine,
    };
}

/* The point where `cell` begins, given the noise there. */
static struct point point_at(const struct lattice *lattice, int64_t cell, const struct noise *noise)
{
    struct point point = trend_at(lattice, cell * lattice->cell_ticks, &noise->turn);
    point.x_s += noise->x_s;
    point.y += noise_frequency(lattice, noise);
    return point;
}

/* The cubic through error and frequency at both ends, plus the straight line of white FM's
 * increment. For RW FM this is the exact conditional mean. For the flicker stage of a tenth of a
 * cell, which it serves worst, it strays from that mean by 0.15 D sd, less than the bridge of that
 * stage that is left out (0.17 D sd). */
static void fit_cell(struct cell *cell, double cell_s, const struct point *left,
                     const struct point *right, double white_s)
{
    double gain_s = right->x_s - left->x_s - white_s;
    double rise0_s = cell_s * left->y;
    double rise1_s = cell_s * right->y;
    cell->c[0] = left->x_s;
    cell->c[1] = rise0_s + white_s;
    cell->c[2] = 3.0 * gain_s - 2.0 * rise0_s - rise1_s;
    cell->c[3] = rise0_s + rise1_s - 2.0 * gain_s;
    cell->mean_frequency = (right->x_s - left->x_s) / cell_s;
    cell->leaf = NO_LEAF;
}

/* The daily sine of a clock without noise, which takes no steps. */
static void turn_to(const struct lattice *lattice, int64_t cell, struct turn *turn)
{
    if (!lattice->is_random && lattice->diurnal != 0.0) {
        struct turn since = turn_of(2.0 * M_PI / DAY_S * s_from_ticks(cell * lattice->cell_ticks));
        *turn = lattice->begun;
        turn_on(&since, turn);
    }
}

/* Makes `last` the current cell, drawing every cell on the way; a clock without noise gets there at
 * once. */
static void advance(struct oscillator *o, int64_t last)
{
    const struct lattice *lattice = &o->lattice;
    if (last != o->cell.index + 1) {
        for (int64_t cell = o->cell.index + 1; lattice->is_random && cell < last; cell++) {
            step_noise(lattice, rng_cell_key(lattice->key, cell), &o->noise);
        }
        turn_to(lattice, last, &o->noise.turn);
        o->end = point_at(lattice, last, &o->noise);
    }
    struct point left = o->end;
    o->cell.index = last;
    o->cell.key = rng_cell_key(lattice->key, last);
    double white_s = lattice->is_random ? step_noise(lattice, o->cell.key, &o->noise) : 0.0;
    turn_to(lattice, last + 1, &o->noise.turn);
    o->end = point_at(lattice, last + 1, &o->noise);
    o->cell.begin.ticks = lattice->start.ticks + last * lattice->cell_ticks;
    fit_cell(&o->cell, cell_s_of(lattice), &left, &o->end, white_s);
}

/* Inside a cell. */

/* Levy's construction: the middle of an interval lies sqrt(width) / 2 * g off the mean of its ends,
 * and the draw of a node depends on nothing but its place in the tree. Draws for the intervals that
 * hold the leaf, but for those that held the last one too. */
static void find_leaf(const struct lattice *lattice, struct cell *cell, int32_t leaf)
{
    static const double half_root_of_width[BRIDGE_DEPTH_MAX] = {
        0.5, 0.5 * M_SQRT1_2, 0.25, 0.25 * M_SQRT1_2, 0.125, 0.125 * M_SQRT1_2};
    unsigned depth = lattice->bridge_depth;
    unsigned place = 1U << depth | (unsigned)leaf;
    unsigned changed = (unsigned)leaf ^ (unsigned)cell->leaf;
    double left_s = 0.0, right_s = 0.0;
    for (unsigned level = 0; level < depth; level++) {
        unsigned below = depth - level;
        if (changed >> below != 0) {
            double g = rng_normal_of(cell->key, DRAW_BRIDGE + (place >> below));
            cell->middle_s[level] =
                0.5 * (left_s + right_s) + lattice->white_sd_s * half_root_of_width[level] * g;
        }
        if (place >> (below - 1) & 1) {
            left_s = cell->middle_s[level];
        } else {
            right_s = cell->middle_s[level];
        }
    }
    cell->leaf = leaf;
    cell->left_s = left_s;
    cell->right_s = right_s;
}

/* The broken line through all middles. */
static double bridge_s(const struct lattice *lattice, struct cell *cell, double z)
{
    double place = z * power_of_two(lattice->bridge_depth);
    int32_t leaf = (int32_t)place;
    if (leaf != cell->leaf) {
        find_leaf(lattice, cell, leaf);
    }
    return cell->left_s + (place - leaf) * (cell->right_s - cell->left_s);
}

/* Another time than the last one asked for. */
static double look_at_lattice_s(struct oscillator *o, sim_time t)
{
    const struct lattice *lattice = &o->lattice;
    int64_t inside = t.ticks - o->cell.begin.ticks;
    assert(inside >= 0);
    if (inside >= lattice->cell_ticks) {
        int64_t elapsed = t.ticks - lattice->start.ticks;
        advance(o, elapsed / lattice->cell_ticks);
        inside = t.ticks - o->cell.begin.ticks;
    }
    double z = (double)inside * lattice->per_tick;
    const double *c = o->cell.c;
    double x_s = c[0] + z * (c[1] + z * (c[2] + z * c[3]));
    if (lattice->white_sd_s > 0.0) {
        x_s += bridge_s(lattice, &o->cell, z);
    }
    o->asked = t;
    o->shown_s = x_s;
    return x_s;
}

/* Error by noise, initial frequency, aging and temperature; not by jumps. */
static inline double lattice_error_s(struct oscillator *o, sim_time t)
{
    return t.ticks == o->asked.ticks ? o->shown_s : look_at_lattice_s(o, t);
}

/* Lines on top of the lattice: jumps, steering. */

static double gained_s(const struct gain *gain, double now_s)
{
    return gain->sum_s + gain->rate * (now_s - gain->since_s);
}

static void change_rate(struct gain *gain, double now_s, double rate)
{
    *gain = (struct gain){gained_s(gain, now_s), rate, now_s};
}

static double elapsed_s(const struct oscillator *o, sim_time t)
{
    return sim_diff_s(t, o->lattice.start);
}

void oscillator_init(struct oscillator *o, const struct oscillator_law *law, uint64_t seed,
                     uint32_t node, double cell_s, ntp_time epoch, double offset_s, sim_time start)
{
    *o = (struct oscillator){.epoch = epoch, .asked = SIM_NEVER};
    o->lattice.key = rng_derive(seed, node, PURPOSE_CLOCK);
    o->lattice.start = start;
    init_lattice(&o->lattice, law, cell_s);
    o->noise = initial_noise(&o->lattice, law->wander_sd);
    o->end = point_at(&o->lattice, 0, &o->noise);
    double drawn = rng_cell_normal(o->lattice.key, CELL_START, DRAW_OFFSET);
    o->steering.sum_s = isnan(offset_s) ? law->initial_offset_sd_s * drawn : offset_s;
    o->cell.index = CELL_START;
    advance(o, 0);
}

double oscillator_free_error_s(struct oscillator *o, sim_time t)
{
    return lattice_error_s(o, t) + gained_s(&o->jumps, elapsed_s(o, t));
}

/* The steered error, given the free one at the same instant. */
static double steered_error_s(const struct oscillator *o, sim_time t, double free_s)
{
    return free_s + gained_s(&o->steering, elapsed_s(o, t) + free_s);
}

struct instant oscillator_read(struct oscillator *o, sim_time t)
{
    double free_s = oscillator_free_error_s(o, t);
    int64_t error_ticks = ticks_from_s(steered_error_s(o, t, free_s));
    int64_t elapsed_ticks = t.ticks - o->lattice.start.ticks;
    return (struct instant){
        .clock = ntp_add_ticks(ntp_add_ticks(o->epoch, t.ticks), error_ticks),
        .mono = {elapsed_ticks + ticks_from_s(free_s)},
    };
}

double oscillator_error_s(struct oscillator *o, sim_time t)
{
    return steered_error_s(o, t, oscillator_free_error_s(o, t));
}

double oscillator_frequency(struct oscillator *o, sim_time t)
{
    lattice_error_s(o, t);
    return o->cell.mean_frequency + o->jumps.rate;
}

void oscillator_steer(struct oscillator *o, sim_time t, double rate)
{
    change_rate(&o->steering, elapsed_s(o, t) + oscillator_free_error_s(o, t), rate);
}

double oscillator_rate(const struct oscillator *o)
{
    return o->steering.rate;
}

void oscillator_step(struct oscillator *o, sim_time t, double amount_s)
{
    (void)t; /* what is added holds at any later time, and no earlier one is asked for */
    o->steering.sum_s += amount_s;
}

void oscillator_jump(struct oscillator *o, sim_time t, double amount)
{
    change_rate(&o->jumps, elapsed_s(o, t), o->jumps.rate + amount);
}

/* Rounded up: while the frequency stays, mono has reached `wake` to the tick. */
sim_time oscillator_when(struct oscillator *o, sim_time now, mono_time wake)
{
    if (wake.ticks == INT64_MAX) {
        return SIM_NEVER;
    }
    int64_t mono_ticks = oscillator_read(o, now).mono.ticks;
    if (wake.ticks <= mono_ticks) {
        return now;
    }
    double frequency = oscillator_frequency(o, now);
    int64_t wait_ticks = wake.ticks - mono_ticks;
    double saved_ticks = (double)wait_ticks * frequency / (1.0 + frequency);
    double room_ticks = (double)INT64_MAX - (double)now.ticks - (double)wait_ticks;
    if (room_ticks < 1e15 || -saved_ticks > room_ticks / 2.0) {
        return SIM_NEVER;
    }
    int64_t saved = (int64_t)saved_ticks;
    return (sim_time){now.ticks + wait_ticks - saved + ((double)saved > saved_ticks)};
}
