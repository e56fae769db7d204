/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A node's clock: true time -> free-running time -> steered clock.
 *
 * The free-running error x(t) (seconds, positive = fast) is drawn on a lattice of cells by exact
 * transition laws (models-and-validation 1.7), each draw a function of (seed, node, process, cell):
 * who looks, and how often, changes nothing. Inside a cell: the cubic through x and y at both ends,
 * and a Brownian bridge for white FM. The steered clock adds steps and rates that an engine
 * commanded. Errors are doubles of seconds carried apart from true time. Time only moves forward:
 * calls must not go back in `t`. Nothing here knows of nodes, engines or events.
 *
 * At the lattice points nothing is left out. What the cubic leaves out inside, worst in mid-cell
 * and for 64 s: of RW FM s2 sqrt(D^3 / 192), 4 ns for xo-server; of flicker 57 ns for xo-server
 * and 190 ns for xo-office, to which the end of the bridge adds a quarter at most. The diurnal
 * sine strays by D^4 w^3 A / 384: 2e-14 s per ppm, and 1 ns per ppm for cells of 1024 s.
 */
#ifndef HOLDFAST_OSCILLATOR_H
#define HOLDFAST_OSCILLATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim_time.h"

enum { FLICKER_STAGES_MAX = 8 };

#define OSCILLATOR_CELL_S 64.0 /* the usual width of a cell */

/* The law of a kind of clock. Frequencies are fractional (1e-6 = 1 ppm), positive = fast. */
struct oscillator_law {
    double initial_mean, initial_sd; /* of the frequency at the start: drawn once per node */
    double white_fm;                 /* s1, sqrt(s): AVAR = s1^2 / tau */
    double flicker_floor;            /* ADEV of the flicker floor */
    double random_walk_fm;           /* s2, 1/sqrt(s): AVAR = s2^2 tau / 3 */
    double wander_sd, wander_tc_s;   /* Ornstein-Uhlenbeck temperature term, stationary */
    double diurnal;       /* amplitude of a 24 h sine of the frequency; phase drawn per node */
    double aging_per_day; /* linear drift of the frequency */
    double initial_offset_sd_s; /* of the clock's error at the first start */
};

struct oscillator; /* opaque; in memory that the caller gives */

/* The law of a preset: ideal xo-server xo-office xo-chrony tcxo ocxo; NULL for another name. */
const struct oscillator_law *oscillator_preset(const char *name);
const char *const *oscillator_preset_names(void); /* NULL-terminated */

size_t oscillator_size(void);

/* Begins at true time `start` with frequency and offset drawn for this node (offset replaced by
 * `offset_s` when that is not NAN). cell_s: lattice width, 64 s unless the world is large, from
 * 2^-20 to 2^18 s; the lattice begins at `start`. epoch: what a perfect clock shows at true time 0.
 * The law is copied. */
void oscillator_init(struct oscillator *o, const struct oscillator_law *law, uint64_t seed,
                     uint32_t node, double cell_s, ntp_time epoch, double offset_s, sim_time start);

/* The free-running error x(t) - x(start), seconds. */
double oscillator_free_error_s(struct oscillator *o, sim_time t);

/* Both clocks at true time t: mono = true elapsed since start + x; clock as steered. Mono never
 * goes back. */
struct instant oscillator_read(struct oscillator *o, sim_time t);

/* Steered clock minus true time, seconds: positive = fast. */
double oscillator_error_s(struct oscillator *o, sim_time t);

/* Fractional frequency of the free-running clock, mean over the current cell (noise included). */
double oscillator_frequency(struct oscillator *o, sim_time t);

/* From t on the clock gains `rate` (s/s) on its free-running rate: rate seconds in each second of
 * mono. */
void oscillator_steer(struct oscillator *o, sim_time t, double rate);
double oscillator_rate(const struct oscillator *o);

/* Adds to the steered clock at t. */
void oscillator_step(struct oscillator *o, sim_time t, double amount_s);

/* Changes the free-running frequency by `amount` (fractional) from t on: the fault `frequency`. The
 * sum of all jumps must stay within +-0.5, or mono could go back. */
void oscillator_jump(struct oscillator *o, sim_time t, double amount);

/* A true time at which mono is expected to reach `wake`, by the present frequency: never before
 * `now`, and after it unless mono has reached `wake` already, so asking again makes progress. Early
 * or late by the frequency's change meanwhile (in two hours under 1 ms for xo-server, 5 ms for
 * xo-office); waking early is harmless, one asks again. SIM_NEVER for MONO_NEVER. */
sim_time oscillator_when(struct oscillator *o, sim_time now, mono_time wake);

/* Exact joint law of an Ornstein-Uhlenbeck frequency over T (1.7b), q = T / tc; v = stationary
 * variance. */
struct ou_law {
    double decay;         /* e^-q: E[y] = y0 decay */
    double mean_integral; /* tc (1 - e^-q): E[I] = y0 mean_integral */
    double var_y, var_i, cov;
};
struct ou_law oscillator_ou_law(double v, double tc_s, double duration_s);

/* One step of an Ornstein-Uhlenbeck frequency with v = 1 over a time of 1, from normals g1, g2:
 * y' = decay y + sd_y g1; I = mean_integral y + slope g1 + sd_i g2. */
struct ou_step {
    double decay, mean_integral, sd_y, slope, sd_i;
};

/* The step of flicker stage k over one cell: stages have time constants of 0.1, 1, 10... cells, so
 * their steps are the same for every cell width. */
const struct ou_step *oscillator_flicker_step(unsigned stage);

#endif
