/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Carrying out what an engine wants: clock commands, datagrams, lookups, wakes; and telling
 * observers.
 *
 * The contract's rules about the engine are checked here, after every verb and at no other place.
 * Nothing here chooses which verb runs.
 */
#ifndef HOLDFAST_EFFECTS_H
#define HOLDFAST_EFFECTS_H

#include "world_state.h"

/* Both clocks of the node at the present instant. */
struct instant effects_read_clocks(struct world *w, struct node *node);

/* Carries out world.effects, the result of a verb that ran at `now`; `in` is the sender of
 * what the verb received, or NULL. */
void effects_perform(struct world *w, struct node *node, struct instant now,
                     const struct remote *in);

/* Queues the wake that the engine asked for last. */
void effects_queue_wake(struct world *w, struct node *node);

/* The same unless one is queued that does as well: a wake that comes early is queued again. */
static inline void effects_arm(struct world *w, struct node *node)
{
    if (node->queued.ticks == SIM_NEVER.ticks || mono_before(node->wake, node->armed)) {
        effects_queue_wake(w, node);
    }
}

/* Performs a clock command. */
void effects_steer(struct world *w, struct node *node, const struct clock_command *command);

/* Adds amount_s to the node's clock. */
void effects_shift_clock(struct world *w, struct node *node, double amount_s);

/* Puts a datagram on the path to `to`; `bytes` must not lie in a slot of the network. */
void effects_carry(struct world *w, const struct node *node, const struct remote *to,
                   uint16_t source_port, const uint8_t *bytes, size_t size);

/* Adds what happened to a clock to the digest. */
void effects_digest_clock(struct world *w, uint32_t node, int64_t step_ticks, int64_t rate_q);

void effects_tell_settled(struct world *w, uint32_t node);
void effects_tell_fault_comes(struct world *w, const struct fault *fault);
void effects_tell_fault(struct world *w, const struct fault *fault, bool begins);

/* The sink for an engine's trace; context is the struct node. */
void effects_trace(void *context, const struct trace_record *record);

#endif
