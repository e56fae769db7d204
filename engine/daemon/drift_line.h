/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a configuration keeps its drift file, for who needs only that: the clock's rate has to be
 * set back whatever else is wrong in the files. Never opens a key file, and judges no other line.
 */
#ifndef HOLDFAST_DAEMON_DRIFT_LINE_H
#define HOLDFAST_DAEMON_DRIFT_LINE_H

#include "../config/messages.h"

/* The path of the last driftfile line of the configuration and the files that it includes, as
 * written; NULL when there is none. What cannot be read of them is left out, with a message. Free
 * with g_free(). */
char *drift_line_find(const char *config, struct messages *messages);

#endif
