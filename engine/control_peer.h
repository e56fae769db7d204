/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What mode 6 tells of an association: its identifier, and its variables (RFC 9327 section 4).
 *
 * Never told is what would help to forge an answer: the nonce or transmit time of a question that
 * is under way (org and xmt of RFC 9327).
 */
#ifndef HOLDFAST_CONTROL_PEER_H
#define HOLDFAST_CONTROL_PEER_H

#include "control_request.h"
#include "control_text.h"
#include "engine.h"

/* The source's association identifier: never 0, the same as long as the configuration is. */
uint16_t control_peer_id(size_t source);

/* The source of an identifier; false when there is none. */
bool control_peer_find(const struct engine *e, uint16_t id, size_t *source);

/* READSTAT of the system: identifier and status word of each association. A place of a pool that
 * has no address is left out while another place stands for the line. */
void control_peer_list(const struct engine *e, struct control_text *text);

/* READVAR of an association; see control_variable_list(). */
enum control_fault control_peer_variables(const struct engine *e, size_t source, struct instant now,
                                          const struct control_request *request,
                                          struct control_text *text);

#endif
