/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * READ_MRU and its nonce: the list of the most recently seen clients, a page at a time.
 *
 * Nothing is remembered between two pages: the asker says which entries he has last (addr.N,
 * last.N), and the page goes on from the newest of them that has not changed since. Each `last`
 * carries a mark of the exact instant in its lowest bits, so that an entry is known again although
 * the clock that dates it is being steered. Several tables are shown as one, an address that is in
 * more than one with its sums.
 */
#ifndef HOLDFAST_CONTROL_MRU_H
#define HOLDFAST_CONTROL_MRU_H

#include "control.h"
#include "control_request.h"
#include "control_text.h"

enum { CONTROL_NONCE_SIZE = 32, CONTROL_NONCE_LIFE_S = 16 };

/* REQ_NONCE: "nonce=..." and 32 hexadecimal digits that seal `now` for this address. */
void control_mru_give_nonce(const struct control_terms *terms, const struct address *address,
                            mono_time now, struct control_text *text);

/* READ_MRU. CONTROL_SILENCE without a nonce that was given to this very address in the last 16 s;
 * CONTROL_UNKNOWN_VARIABLE when none of the entries that the asker has is as it was. */
enum control_fault control_mru_page(const struct engine *e, const struct control_terms *terms,
                                    const struct address *asker, struct instant now,
                                    const struct control_request *request,
                                    struct control_text *text);

#endif
