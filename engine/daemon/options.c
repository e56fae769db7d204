/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line; see options.h. getopt_long() reads it by the table.
 */
#include "options.h"

#include <getopt.h>
#include <glib.h>
#include <stddef.h>
#include <string.h>

#include "../address.h"

enum row {
    ROW_CONFIG,
    ROW_DEBUG,
    ROW_LARGE,
    ROW_FOREGROUND,
    ROW_QUIT,
    ROW_SLEW,
    ROW_LOG,
    ROW_PID,
    ROW_DRIFT,
    ROW_KEYS,
    ROW_USER,
    ROW_ROOT,
    ROW_IPV4,
    ROW_IPV6,
    ROW_INTERFACE,
    ROW_NOVIRTUAL,
    ROW_VERSION,
    ROW_HELP,
    ROW_CHECK,
    ROW_NO_CLOCK,
    ROW_RESTORE,
    ROW_RECORD,
    ROW_PORT,
    ROW_NO_SECCOMP,
    ROWS
};

static const struct option_help table[ROWS] = {
    [ROW_CONFIG] = {'c', "configfile", "FILE", "the configuration; default " DEFAULT_CONFIGURATION},
    [ROW_DEBUG] =
        {'d', "debug", NULL,
         "stay in the foreground and log more; twice: requests that restrict refuses, too "
         "(with threads 0)"},
    [ROW_LARGE] = {'g', "panicgate", NULL,
                   "the first correction may be larger than the panic threshold (1000 s)"},
    [ROW_FOREGROUND] = {'n', "nofork", NULL,
                        "stay in the foreground, as it also does under a service manager"},
    [ROW_QUIT] = {'q', "quit", NULL,
                  "set the clock once and end: status 0 when it was set, 1 when no server "
                  "answered within " G_STRINGIFY(
                      QUIT_TIMEOUT_S) " s or the offset is over the panic "
                                      "threshold; with -x it takes as long as the slew"},
    [ROW_SLEW] = {'x', "slew", NULL, "slew offsets up to 600 s instead of stepping from 128 ms on"},
    [ROW_LOG] = {'l', "logfile", "FILE", "log there; the default is logfile, else standard error"},
    [ROW_PID] = {'p', "pidfile", "FILE", "write the process id there"},
    [ROW_DRIFT] = {'f', "driftfile", "FILE", "the drift file, instead of driftfile's"},
    [ROW_KEYS] = {'k', "keyfile", "FILE", "the key file, instead of keys'"},
    [ROW_USER] = {'u', "user", "USER[:GROUP]",
                  "run as this user once the sockets are bound; keeps the right to set the clock"},
    [ROW_ROOT] = {'i', "jaildir", "DIR", "make DIR the root directory, once files are open"},
    [ROW_IPV4] = {'4', "ipv4", NULL, "use IPv4 only"},
    [ROW_IPV6] = {'6', "ipv6", NULL, "use IPv6 only"},
    [ROW_INTERFACE] = {'I', "interface", "NAME",
                       "use the addresses of this interface, or this address; may be repeated"},
    [ROW_NOVIRTUAL] = {'L', "novirtualips", NULL,
                       "do not use interfaces with a colon in their name"},
    [ROW_VERSION] = {'V', "version", NULL, "print the version and end"},
    [ROW_HELP] = {'h', "help", NULL, "print this text and end"},
    [ROW_CHECK] =
        {0, "check-config", NULL,
         "read the configuration, say what is wrong with it and what it uses, and end: "
         "status 0 when it would run, 3 when not, 1 when -u or -i name what is not there"},
    [ROW_NO_CLOCK] = {0, "no-clock-control", NULL,
                      "never touch the clock: follow and serve time as it is"},
    [ROW_RESTORE] = {0, "restore-rate", NULL,
                     "set the clock's rate to the drift file's value and end: after a crash in the "
                     "middle of a slew"},
    [ROW_RECORD] = {0, "record", "FILE",
                    "record every call of the engine for holdfast replay; the file is secret, for "
                    "it holds the keys"},
    [ROW_PORT] = {0, "port", "N", "use this UDP port instead of 123"},
    [ROW_NO_SECCOMP] = {0, "no-seccomp", NULL, "do not load the list of allowed system calls"},
};

const struct option_help *options_help(size_t *count)
{
    *count = ROWS;
    return table;
}

/* Where a row that takes a file or a name puts it, or a row that takes nothing says so. */
static const struct {
    size_t offset;
    bool is_text, is_flag;
} places[ROWS] = {
#define TEXT(row, member) [row] = {offsetof(struct daemon_options, member), true, false}
#define FLAG(row, member) [row] = {offsetof(struct daemon_options, member), false, true}
    TEXT(ROW_CONFIG, config),
    TEXT(ROW_LOG, log),
    TEXT(ROW_PID, pid),
    TEXT(ROW_DRIFT, drift),
    TEXT(ROW_KEYS, keys),
    TEXT(ROW_USER, user),
    TEXT(ROW_ROOT, root),
    TEXT(ROW_RECORD, record),
    FLAG(ROW_LARGE, allow_large),
    FLAG(ROW_FOREGROUND, foreground),
    FLAG(ROW_QUIT, quit),
    FLAG(ROW_SLEW, slew),
    FLAG(ROW_IPV4, only_ipv4),
    FLAG(ROW_IPV6, only_ipv6),
    FLAG(ROW_NOVIRTUAL, skip_virtual),
    FLAG(ROW_VERSION, version),
    FLAG(ROW_HELP, help),
    FLAG(ROW_CHECK, check_config),
    FLAG(ROW_NO_CLOCK, no_clock_control),
    FLAG(ROW_RESTORE, restore_rate),
    FLAG(ROW_NO_SECCOMP, no_seccomp),
#undef TEXT
#undef FLAG
};

static bool complain(const char *format, const char *what)
{
    fprintf(stderr, "holdfastd: ");
    fprintf(stderr, format, what);
    fprintf(stderr, "\nTry \"holdfastd --help\".\n");
    return false;
}

static bool take_port(struct daemon_options *options, const char *text)
{
    char *end;
    guint64 port = g_ascii_strtoull(text, &end, 10);
    if (!g_ascii_isdigit(*text) || *end || port < 1 || port > UINT16_MAX) {
        return complain("--port takes a number from 1 to 65535, not \"%s\"", text);
    }
    options->port = (uint16_t)port;
    return true;
}

static bool take_interface(struct daemon_options *options, const char *text)
{
    if (options->interface_count == OPTION_INTERFACES_MAX) {
        return complain("too many interfaces at \"%s\"", text);
    }
    options->interfaces[options->interface_count++] = text;
    return true;
}

static bool take(struct daemon_options *options, enum row row, const char *argument)
{
    char *base = (char *)options;
    if (places[row].is_text) {
        if (!*argument) {
            return complain("--%s needs a value that is not empty", table[row].name);
        }
        memcpy(base + places[row].offset, &argument, sizeof argument);
        return true;
    }
    if (places[row].is_flag) {
        *(bool *)(void *)(base + places[row].offset) = true;
        return true;
    }
    switch (row) {
    case ROW_DEBUG:
        options->debug++;
        return true;
    case ROW_PORT:
        return take_port(options, argument);
    default:
        return take_interface(options, argument);
    }
}

/* The table as getopt_long() wants it: a letter that is none of ours stands for a row without. */
static void make_getopt(char letters[static 3 * ROWS + 2], struct option longs[static ROWS + 1])
{
    *letters++ = ':';
    for (int i = 0; i < ROWS; i++) {
        int takes = table[i].argument ? required_argument : no_argument;
        longs[i] = (struct option){table[i].name, takes, NULL, 256 + i};
        if (table[i].letter) {
            *letters++ = table[i].letter;
            if (table[i].argument) {
                *letters++ = ':';
            }
        }
    }
    *letters = '\0';
    longs[ROWS] = (struct option){0};
}

static enum row row_of(int code)
{
    int row = code - 256;
    for (int i = 0; code < 256 && i < ROWS; i++) {
        row = table[i].letter == code ? i : row;
    }
    return (enum row)row;
}

static bool check(const struct daemon_options *options)
{
    if (options->only_ipv4 && options->only_ipv6) {
        return complain("%s exclude each other", "-4 and -6");
    }
    if (options->no_clock_control && options->quit) {
        return complain("-q sets the clock and %s forbids it", "--no-clock-control");
    }
    if (options->no_clock_control && options->restore_rate) {
        return complain("--restore-rate sets the clock's rate and %s forbids it",
                        "--no-clock-control");
    }
    return true;
}

bool options_parse(int argc, char **argv, struct daemon_options *options)
{
    char letters[3 * ROWS + 2];
    struct option longs[ROWS + 1];
    int code;
    *options = (struct daemon_options){.config = DEFAULT_CONFIGURATION, .port = NTP_PORT};
    make_getopt(letters, longs);
    optind = 0; /* read from the start, also in a process that has parsed before */
    opterr = 0;
    while ((code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        char letter[3] = {'-', (char)optopt, '\0'};
        bool is_long = optopt == 0 || optopt >= 256;
        const char *word = is_long ? argv[optind - 1] : letter;
        if (code == ':') {
            return complain("%s needs a value", word);
        }
        if (code == '?') {
            return complain("unknown option %s", word);
        }
        if (!take(options, row_of(code), optarg)) {
            return false;
        }
    }
    if (optind < argc) {
        return complain("unexpected argument \"%s\"", argv[optind]);
    }
    return check(options);
}

void options_print_help(FILE *to)
{
    fprintf(to, "usage: holdfastd [OPTION]...\n\nServes and follows time by NTP.\n\n");
    for (int i = 0; i < ROWS; i++) {
        const struct option_help *o = &table[i];
        char letter[5] = "    ";
        if (o->letter) {
            g_snprintf(letter, sizeof letter, "-%c, ", o->letter);
        }
        fprintf(to, "  %s--%s%s%s\n        %s\n", letter, o->name, o->argument ? " " : "",
                o->argument ? o->argument : "", o->help);
    }
    fprintf(to, "\nSIGHUP reloads the configuration, SIGTERM ends in order.\n"
                "Exit status: 0 all right, 1 failed at work, 2 usage, 3 configuration.\n");
}
