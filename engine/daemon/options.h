/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line of holdfastd: the letters that fingers know from ntpd, by one table that also
 * makes the help and the manual page. Opens nothing.
 */
#ifndef HOLDFAST_DAEMON_OPTIONS_H
#define HOLDFAST_DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { OPTION_INTERFACES_MAX = 32 };

#define DEFAULT_CONFIGURATION "/etc/ntp.conf"

/* -q gives up when no server that can be followed has answered for so many seconds. */
#define QUIT_TIMEOUT_S 60

struct daemon_options {
    const char *config;
    const char *log, *pid, *drift, *keys, *user, *root, *record; /* NULL = not given */
    const char *interfaces[OPTION_INTERFACES_MAX + 1];           /* NULL-terminated */
    unsigned interface_count;
    unsigned debug; /* how often -d was given */
    uint16_t port;
    bool allow_large; /* -g */
    bool foreground;  /* -n */
    bool quit;        /* -q */
    bool slew;        /* -x */
    bool only_ipv4, only_ipv6;
    bool skip_virtual; /* -L */
    bool check_config, no_clock_control, no_seccomp, restore_rate;
    bool help, version;
};

/* One row of the table. */
struct option_help {
    char letter;          /* 0 = none */
    const char *name;     /* without "--" */
    const char *argument; /* NULL = takes none */
    const char *help;
};

/* Fills *options from the words; false when they make no sense, which one line on standard error
 * has told. */
bool options_parse(int argc, char **argv, struct daemon_options *options);

const struct option_help *options_help(size_t *count);

/* "usage: ..." and a line or two for each option. */
void options_print_help(FILE *to);

#endif
