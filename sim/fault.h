/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The timeline's verbs: which faults are in force, and what they add up to.
 *
 * The board holds the faults in force in the order in which they began. What they mean for a link
 * or a node is computed from that list alone, every time, so that the end of a fault restores
 * exactly what was there before, whatever overlapped it, and a link that is first used during a
 * fault is born with it. Nothing here touches a link, a clock or an engine: the world does.
 */
#ifndef HOLDFAST_FAULT_H
#define HOLDFAST_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scenario.h"

struct fault_board {
    const struct scenario *scenario;
    uint32_t *active; /* indices of scenario.faults, by the order of their beginning */
    size_t count;
};

/* What the timeline wants of a node; FAULT_SILENT: no stop or start in force names it. */
enum fault_power { FAULT_SILENT, FAULT_DOWN, FAULT_UP };

void fault_board_init(struct fault_board *board, const struct scenario *scenario);
void fault_board_clear(struct fault_board *board);

/* Fault `index` of the scenario begins, or ends. Beginning twice or ending what is not in force is
 * our own mistake. */
void fault_begin(struct fault_board *board, uint32_t index);
void fault_end(struct fault_board *board, uint32_t index);

/* A cut, heal, delay or loss is about links, the others are about nodes. */
bool fault_is_about_links(enum fault_verb verb);

/* Whether a cut, heal, delay or loss concerns the link between a and b, in either direction. */
bool fault_concerns_link(const struct fault *fault, uint32_t a, uint32_t b);

/* Cuts in force between a and b. A heal hides the cuts of its links that began before it. */
unsigned fault_cuts(const struct fault_board *board, uint32_t a, uint32_t b);

/* Seconds added on the way from `from` to `to`. */
double fault_delay_s(const struct fault_board *board, uint32_t from, uint32_t to);

/* Probability that the faults lose a packet between a and b; they lose independently of each other.
 */
double fault_loss(const struct fault_board *board, uint32_t a, uint32_t b);

/* Seconds that an upstream's time is off. */
double fault_falsetick_s(const struct fault_board *board, uint32_t node);

/* The youngest stop or start in force decides. */
enum fault_power fault_power(const struct fault_board *board, uint32_t node);

#endif
