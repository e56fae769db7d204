/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The faults in force and their sums; see fault.h. Never changes anything but its own list.
 */
#include "fault.h"

#include <assert.h>
#include <glib.h>
#include <string.h>

void fault_board_init(struct fault_board *board, const struct scenario *scenario)
{
    board->scenario = scenario;
    board->active = g_new(uint32_t, scenario->fault_count);
    board->count = 0;
}

void fault_board_clear(struct fault_board *board)
{
    g_free(board->active);
    *board = (struct fault_board){0};
}

static size_t active_place(const struct fault_board *board, uint32_t index)
{
    size_t place = 0;
    while (place < board->count && board->active[place] != index) {
        place++;
    }
    return place;
}

void fault_begin(struct fault_board *board, uint32_t index)
{
    assert(index < board->scenario->fault_count);
    assert(active_place(board, index) == board->count);
    board->active[board->count++] = index;
}

void fault_end(struct fault_board *board, uint32_t index)
{
    size_t place = active_place(board, index);
    assert(place < board->count);
    board->count--;
    memmove(&board->active[place], &board->active[place + 1],
            (board->count - place) * sizeof board->active[0]);
}

static const struct fault *active_fault(const struct fault_board *board, size_t place)
{
    return &board->scenario->faults[board->active[place]];
}

bool fault_is_about_links(enum fault_verb verb)
{
    return verb == FAULT_CUT || verb == FAULT_HEAL || verb == FAULT_DELAY || verb == FAULT_LOSS;
}

bool fault_concerns_link(const struct fault *fault, uint32_t a, uint32_t b)
{
    bool has_a = node_set_has(&fault->a, a);
    bool has_b = node_set_has(&fault->a, b);
    if (fault->b.count == 0) {
        return has_a || has_b;
    }
    return (has_a && node_set_has(&fault->b, b)) || (has_b && node_set_has(&fault->b, a));
}

unsigned fault_cuts(const struct fault_board *board, uint32_t a, uint32_t b)
{
    unsigned cuts = 0;
    for (size_t i = 0; i < board->count; i++) {
        const struct fault *fault = active_fault(board, i);
        bool is_cut = fault->verb == FAULT_CUT;
        if ((!is_cut && fault->verb != FAULT_HEAL) || !fault_concerns_link(fault, a, b)) {
            continue;
        }
        cuts = is_cut ? cuts + 1 : 0;
    }
    return cuts;
}

double fault_delay_s(const struct fault_board *board, uint32_t from, uint32_t to)
{
    double sum_s = 0;
    for (size_t i = 0; i < board->count; i++) {
        const struct fault *fault = active_fault(board, i);
        if (fault->verb == FAULT_DELAY && node_set_has(&fault->a, from) &&
            (fault->b.count == 0 || node_set_has(&fault->b, to))) {
            sum_s += fault->amount;
        }
    }
    return sum_s;
}

double fault_loss(const struct fault_board *board, uint32_t a, uint32_t b)
{
    double survives = 1;
    for (size_t i = 0; i < board->count; i++) {
        const struct fault *fault = active_fault(board, i);
        if (fault->verb == FAULT_LOSS && fault_concerns_link(fault, a, b)) {
            survives *= 1 - fault->amount;
        }
    }
    return 1 - survives;
}

double fault_falsetick_s(const struct fault_board *board, uint32_t node)
{
    double sum_s = 0;
    for (size_t i = 0; i < board->count; i++) {
        const struct fault *fault = active_fault(board, i);
        if (fault->verb == FAULT_FALSETICK && node_set_has(&fault->a, node)) {
            sum_s += fault->amount;
        }
    }
    return sum_s;
}

enum fault_power fault_power(const struct fault_board *board, uint32_t node)
{
    for (size_t i = board->count; i > 0; i--) {
        const struct fault *fault = active_fault(board, i - 1);
        bool is_stop = fault->verb == FAULT_STOP;
        if ((is_stop || fault->verb == FAULT_START) && node_set_has(&fault->a, node)) {
            return is_stop ? FAULT_DOWN : FAULT_UP;
        }
    }
    return FAULT_SILENT;
}
