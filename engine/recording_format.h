/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of a recording: what recording.c and recording_config.c share. Hosts never include
 * this.
 */
#ifndef HOLDFAST_RECORDING_FORMAT_H
#define HOLDFAST_RECORDING_FORMAT_H

#include "engine_config.h"
#include "octets.h"

void recording_put_address(struct octets_sink *sink, const struct address *address);
void recording_take_address(struct octets_cursor *cursor, struct address *address);

void recording_put_config(struct octets_sink *sink, const struct engine_config *config);

/* Bytes of memory that the configuration at the cursor needs, multiple of 16; 0 when its counts
 * cannot be. */
size_t recording_config_memory(struct octets_cursor cursor);

/* Builds the configuration at the cursor in `memory` (recording_config_memory() bytes, aligned to
 * 16) and returns it; NULL when it cannot be. A configuration that is returned may be run: it keeps
 * the ceilings and all that the engine takes for granted. */
const struct engine_config *recording_take_config(struct octets_cursor *cursor, void *memory);

#endif
