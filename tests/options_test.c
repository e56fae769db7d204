/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line of holdfastd.
 */
#include "../engine/daemon/options.h"

#include <fcntl.h>
#include <unistd.h>

#include "check.h"

enum { WORDS_MAX = 64, TEXT_MAX = 4096 };

/* Parses "a b c" with what it says on standard error caught in `said`. */
static bool parse(const char *line, struct daemon_options *options, char said[TEXT_MAX])
{
    static char copy[TEXT_MAX]; /* what options point into */
    char *words[WORDS_MAX] = {"holdfastd"};
    int count = 1;
    int ends[2], kept = dup(STDERR_FILENO);
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word && count < WORDS_MAX - 1; word = strtok(NULL, " ")) {
        words[count++] = word;
    }
    CHECK(pipe(ends) == 0);
    dup2(ends[1], STDERR_FILENO);
    bool good = options_parse(count, words, options);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(ends[1]);
    ssize_t size = read(ends[0], said, TEXT_MAX - 1);
    said[size > 0 ? size : 0] = '\0';
    close(ends[0]);
    return good;
}

static void nothing_said_means_the_defaults(void)
{
    struct daemon_options o;
    char said[TEXT_MAX];
    CHECK(parse("", &o, said));
    CHECK_STR(o.config, "/etc/ntp.conf");
    CHECK_INT(o.port, 123);
    CHECK(!o.foreground && !o.allow_large && !o.quit && !o.slew && !o.no_clock_control);
    CHECK(!o.user && !o.drift && !o.log && !o.pid && !o.keys && !o.root && !o.record);
    CHECK_STR(said, "");
}

static void letters_of_ntpd_set_what_they_say(void)
{
    struct daemon_options o;
    char said[TEXT_MAX];
    CHECK(parse("-c a -dd -g -n -q -x -l b -p c -f d -k e -u f:g -i h -4 -I eth0 -I ::1 -L", &o,
                said));
    CHECK_STR(o.config, "a");
    CHECK_INT(o.debug, 2);
    CHECK(o.allow_large && o.foreground && o.quit && o.slew && o.only_ipv4 && o.skip_virtual);
    CHECK(!o.only_ipv6);
    CHECK_STR(o.log, "b");
    CHECK_STR(o.pid, "c");
    CHECK_STR(o.drift, "d");
    CHECK_STR(o.keys, "e");
    CHECK_STR(o.user, "f:g");
    CHECK_STR(o.root, "h");
    CHECK_INT(o.interface_count, 2);
    CHECK_STR(o.interfaces[0], "eth0");
    CHECK_STR(o.interfaces[1], "::1");
    CHECK(o.interfaces[2] == NULL);
}

static void letters_can_stand_together_and_carry_their_value(void)
{
    struct daemon_options o;
    char said[TEXT_MAX];
    CHECK(parse("-gnxcconf -6", &o, said));
    CHECK(o.allow_large && o.foreground && o.slew && o.only_ipv6);
    CHECK_STR(o.config, "conf");
}

static void long_words_set_the_same(void)
{
    struct daemon_options o;
    char said[TEXT_MAX];
    CHECK(parse("--configfile=x --check-config --no-clock-control --record=r --port=65535", &o,
                said));
    CHECK_STR(o.config, "x");
    CHECK(o.check_config && o.no_clock_control);
    CHECK_STR(o.record, "r");
    CHECK_INT(o.port, 65535);
}

static void what_makes_no_sense_is_named(void)
{
    static const struct {
        const char *line, *said;
    } cases[] = {
        {"-Z", "holdfastd: unknown option -Z\nTry \"holdfastd --help\".\n"},
        {"--wrong", "holdfastd: unknown option --wrong\nTry \"holdfastd --help\".\n"},
        {"-c", "holdfastd: -c needs a value\nTry \"holdfastd --help\".\n"},
        {"--drift", "holdfastd: --drift needs a value\nTry \"holdfastd --help\".\n"},
        {"more", "holdfastd: unexpected argument \"more\"\nTry \"holdfastd --help\".\n"},
        {"-4 -6", "holdfastd: -4 and -6 exclude each other\nTry \"holdfastd --help\".\n"},
        {"--port 0", "holdfastd: --port takes a number from 1 to 65535, not \"0\"\n"
                     "Try \"holdfastd --help\".\n"},
        {"--port 65536", "holdfastd: --port takes a number from 1 to 65535, not \"65536\"\n"
                         "Try \"holdfastd --help\".\n"},
        {"--port 12x", "holdfastd: --port takes a number from 1 to 65535, not \"12x\"\n"
                       "Try \"holdfastd --help\".\n"},
        {"--no-clock-control -q", "holdfastd: -q sets the clock and --no-clock-control forbids it\n"
                                  "Try \"holdfastd --help\".\n"},
        {"--configfile=", "holdfastd: --configfile needs a value that is not empty\n"
                          "Try \"holdfastd --help\".\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct daemon_options o;
        char said[TEXT_MAX];
        CHECK(!parse(cases[i].line, &o, said));
        CHECK_STR(said, cases[i].said);
    }
}

static void interfaces_have_a_ceiling(void)
{
    struct daemon_options o;
    char said[TEXT_MAX], line[TEXT_MAX] = "";
    for (unsigned i = 0; i < OPTION_INTERFACES_MAX; i++) {
        strcat(line, "-Ilo ");
    }
    CHECK(!parse(strcat(strcpy(said, line), "-Ilast"), &o, line));
    CHECK_STR(line, "holdfastd: too many interfaces at \"last\"\nTry \"holdfastd --help\".\n");
    CHECK_INT(o.interface_count, OPTION_INTERFACES_MAX);
    CHECK(o.interfaces[OPTION_INTERFACES_MAX] == NULL);
}

/* A row whose letter or word parses to nothing, or to another row's place, would be seen here. */
static void every_row_of_the_table_is_taken(void)
{
    size_t count;
    const struct option_help *rows = options_help(&count);
    struct daemon_options none;
    char said[TEXT_MAX];
    CHECK(parse("", &none, said));
    for (size_t i = 0; i < count; i++) {
        struct daemon_options by_word, by_letter;
        char line[128];
        const char *value = !rows[i].argument                   ? ""
                            : strcmp(rows[i].name, "port") == 0 ? " 7"
                                                                : " value";
        snprintf(line, sizeof line, "--%s%s", rows[i].name, value);
        CHECK(parse(line, &by_word, said));
        CHECK(memcmp(&by_word, &none, sizeof none) != 0);
        if (rows[i].letter) {
            snprintf(line, sizeof line, "-%c%s", rows[i].letter, value);
            CHECK(parse(line, &by_letter, said));
            CHECK(memcmp(&by_letter, &none, sizeof none) != 0);
            CHECK_INT(by_letter.quit, by_word.quit);
            CHECK_INT(by_letter.slew, by_word.slew);
            CHECK_INT(by_letter.allow_large, by_word.allow_large);
        }
    }
}

const struct test_case options_tests[] = {
    {"nothing_said_means_the_defaults", nothing_said_means_the_defaults},
    {"letters_of_ntpd_set_what_they_say", letters_of_ntpd_set_what_they_say},
    {"letters_can_stand_together_and_carry_their_value",
     letters_can_stand_together_and_carry_their_value},
    {"long_words_set_the_same", long_words_set_the_same},
    {"what_makes_no_sense_is_named", what_makes_no_sense_is_named},
    {"interfaces_have_a_ceiling", interfaces_have_a_ceiling},
    {"every_row_of_the_table_is_taken", every_row_of_the_table_is_taken},
    {NULL, NULL}};
