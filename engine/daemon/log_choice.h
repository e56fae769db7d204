/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What logconfig lines choose of the engine's records: classes clock, peer, sync and sys, of each
 * the kinds info, events, statistics and status, as ntpd names them. Errors and what the daemon
 * itself has to say are always logged. Writes nothing.
 */
#ifndef HOLDFAST_DAEMON_LOG_CHOICE_H
#define HOLDFAST_DAEMON_LOG_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../trace.h"

/* One bit for each kind of each class. */
typedef uint16_t log_choice;

#define LOG_CHOICE_ALL ((log_choice)0xFFFF)

/* The words of all logconfig lines in order: "=CLASSKIND" begins anew with it, "+" adds, "-" takes
 * away; without a sign it is "+". "all" is every class, a class without a kind (or with "all") is
 * every kind of it. Words must have been accepted by the reader. No words: LOG_CHOICE_ALL. */
log_choice log_choice_read(const char *const *words, size_t count);

bool log_choice_wants(log_choice choice, const struct trace_record *record);

#endif
