/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The system variables of mode 6: those of RFC 9327 section 4, the counters that ntpq's sysstats,
 * monstats, iostats and others ask for by name, and our own (hf_...), which no list shows.
 *
 * What neither the engine nor the host knows is no variable, so that asking for it is an error and
 * not a zero.
 */
#ifndef HOLDFAST_CONTROL_SYSTEM_H
#define HOLDFAST_CONTROL_SYSTEM_H

#include "control.h"
#include "control_request.h"
#include "control_text.h"

/* READVAR of the system; see control_variable_list(). */
enum control_fault control_system_variables(const struct engine *e,
                                            const struct control_terms *terms, struct instant now,
                                            const struct control_request *request,
                                            struct control_text *text);

#endif
