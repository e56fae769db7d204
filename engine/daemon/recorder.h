/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file of --record: every call of the engine and what came of it, for `holdfast replay`.
 *
 * The file holds the configuration with its keys and the seed of every nonce, so it is made for its
 * owner alone, and never over another file. What a recording means is ../recording.h's business.
 */
#ifndef HOLDFAST_DAEMON_RECORDER_H
#define HOLDFAST_DAEMON_RECORDER_H

#include "../recording.h"
#include "log.h"

/* What the operator must know of the file; for the log, once it is open. */
#define RECORDER_SECRET                                                                            \
    "the recording holds all keys and what is needed to replay MACs and nonces: keep it as "       \
    "secret as the key file"

struct recorder;

/* Creates the file (mode 0600; an existing one is an error) and writes the header. NULL with *error
 * (g_free() it). */
struct recorder *recorder_open(const char *path, char **error);

/* Appends one call and what came of it; `effects` is NULL for VERB_INIT and VERB_ADOPT. Buffered;
 * written out with the first call that comes a second or more of its mono time after the last
 * writing, and at close. After a write error (told once to the log) nothing more is written. */
void recorder_write(struct recorder *recorder, const struct engine_call *call,
                    const struct effects *effects, struct log *log);

/* Writes out the rest; an error is told to the log. NULL: nothing. */
void recorder_close(struct recorder *recorder, struct log *log);

#endif
