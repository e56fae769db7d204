/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The options of `holdfast run`: words to a struct, or one message on standard error.
 */
#ifndef HOLDFAST_RUN_OPTIONS_H
#define HOLDFAST_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "command.h"

struct run_options {
    const char *scenario;
    bool has_seed;
    uint64_t seed;
    const char *directory; /* NULL: no files */
    uint64_t runs; /* 1 ... 1000000; 0 = not said: the scenario's, or one for a given seed */
    const char *until_text; /* NULL: to the end */
    double until_s;
    bool pcap, quiet;
};

/* Strings point into the words. An option's value is the next word or follows '='. False after a
 * message. */
bool run_options_parse(const struct command_line *line, struct run_options *out);

#endif
