/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one table of directives, and what obeys it: how many words, which support, who reads the
 * line.
 *
 * A directive that ntpd knows and that nothing comes of here is a warning; where leaving it out
 * would change who is trusted or served, it is an error.
 */
#include <string.h>

#include "reader.h"

#define WORDS_ANY 1024 /* more than a line holds */

#define WITHOUT_EFFECT(word, words, why, line)                                                     \
    {                                                                                              \
        .name = word, .arguments = words, .default_text = "none", .support = SUPPORT_NO_EFFECT,    \
        .help = why, .example = line, .words_max = WORDS_ANY                                       \
    }

#define REFUSED(word, words, why, line)                                                            \
    {                                                                                              \
        .name = word, .arguments = words, .default_text = "none", .support = SUPPORT_ERROR,        \
        .help = why, .example = line, .words_max = WORDS_ANY                                       \
    }

static const struct directive_help directives[] = {
    {.name = "server",
     .arguments = "[-4 | -6] HOST [OPTION]...",
     .default_text = "none",
     .help = "ask this host",
     .example = "server ntp.example.org",
     .settings = &source_settings,
     .words_min = 1,
     .words_max = WORDS_ANY,
     .read = source_read},
    {.name = "peer",
     .arguments = "[-4 | -6] HOST [OPTION]...",
     .default_text = "none",
     .help = "exchange time with this host in symmetric mode",
     .example = "peer 192.0.2.1",
     .settings = &source_settings,
     .words_min = 1,
     .words_max = WORDS_ANY,
     .read = source_read},
    {.name = "pool",
     .arguments = "[-4 | -6] HOST [OPTION]...",
     .default_text = "none",
     .help = "ask up to four of the hosts that this name stands for",
     .example = "pool pool.example.org",
     .settings = &source_settings,
     .words_min = 1,
     .words_max = WORDS_ANY,
     .read = source_read},
    {.name = "restrict",
     .arguments = "[-4 | -6] default | source | ADDRESS[/BITS] [mask MASK] [FLAG]...",
     .default_text = "127.0.0.0/8 and ::1",
     .help =
         "what these hosts may do; the most specific entry decides, lines for one address add up",
     .example = "restrict 192.0.2.0/24",
     .settings = &restrict_settings,
     .words_min = 1,
     .words_max = WORDS_ANY,
     .read = restrict_read},
    {.name = "keys",
     .arguments = "FILE",
     .default_text = "none",
     .help = "the file of symmetric keys (ntp.keys)",
     .example = "keys ntp.keys",
     .words_min = 1,
     .words_max = 1,
     .is_single = true,
     .read = keys_read},
    {.name = "trustedkey",
     .arguments = "ID | (ID ... ID) ...",
     .default_text = "none",
     .help = "keys that count; others are as good as absent",
     .example = "trustedkey 1 (10 ... 20)",
     .words_min = 1,
     .words_max = WORDS_ANY,
     .read = trustedkey_read},
    {.name = "requestkey",
     .arguments = "ID",
     .default_text = "none",
     .support = SUPPORT_NO_EFFECT,
     .is_minor = true,
     .help = "mode 7 does not exist here",
     .example = "requestkey 1",
     .words_min = 1,
     .words_max = 1,
     .is_single = true,
     .read = unused_key_read},
    {.name = "controlkey",
     .arguments = "ID",
     .default_text = "none",
     .support = SUPPORT_NO_EFFECT,
     .help = "nothing can be changed over the network",
     .example = "controlkey 1",
     .words_min = 1,
     .words_max = 1,
     .is_single = true,
     .read = unused_key_read},
    {.name = "driftfile",
     .arguments = "FILE [TOLERANCE]",
     .default_text = "none",
     .help = "where the frequency is kept from one start to the next",
     .example = "driftfile /var/lib/ntp/ntp.drift",
     .words_min = 1,
     .words_max = 2,
     .is_single = true,
     .read = driftfile_read},
    {.name = "leapfile",
     .arguments = "FILE [checkhash | ignorehash]",
     .default_text = "none",
     .help = "list of leap seconds: announces them until it expires, tells the kernel TAI - UTC",
     .example = "leapfile /usr/share/zoneinfo/leap-seconds.list",
     .words_min = 1,
     .words_max = 2,
     .is_single = true,
     .read = leapfile_read},
    {.name = "includefile",
     .arguments = "FILE",
     .default_text = "none",
     .help = "read this file here; relative to the file that says so",
     .example = "includefile extra.conf",
     .words_min = 1,
     .words_max = 1,
     .read = include_read},
    {.name = "policy",
     .arguments = "NAME",
     .default_text = "holdfast",
     .help = "whose behaviour to show when sources are lost: holdfast or rfc5905",
     .example = "policy rfc5905",
     .words_min = 1,
     .words_max = 1,
     .is_single = true,
     .read = policy_read},
    {.name = "tos",
     .arguments = "OPTION VALUE ...",
     .default_text = "see each",
     .help = "selection of sources",
     .example = "tos maxdist 1.5",
     .settings = &tos_settings,
     .words_min = 1,
     .words_max = WORDS_ANY,
     .read = tos_read},
    {.name = "tinker",
     .arguments = "OPTION VALUE ...",
     .default_text = "see each",
     .help = "the clock discipline",
     .example = "tinker step 0.128",
     .settings = &tinker_settings,
     .words_min = 1,
     .words_max = WORDS_ANY,
     .read = tinker_read},
    {.name = "discard",
     .arguments = "OPTION VALUE ...",
     .default_text = "see each",
     .help = "what \"restrict ... limited\" allows",
     .example = "discard average 3",
     .settings = &discard_settings,
     .words_min = 1,
     .words_max = WORDS_ANY,
     .read = discard_read},
    {.name = "mru",
     .arguments = "OPTION VALUE ...",
     .default_text = "see each",
     .help = "the table of clients",
     .example = "mru maxdepth 2048",
     .settings = &mru_settings,
     .words_min = 1,
     .words_max = WORDS_ANY,
     .read = mru_read},
    {.name = "enable",
     .arguments = "FLAG ...",
     .default_text = "auth monitor ntp stats",
     .help = "switch on",
     .example = "enable auth monitor",
     .settings = &enable_settings,
     .words_min = 1,
     .words_max = WORDS_ANY,
     .read = enable_read},
    {.name = "disable",
     .arguments = "FLAG ...",
     .default_text = "none",
     .help = "switch off; \"disable ntp\" measures and never steers",
     .example = "disable ntp",
     .settings = &disable_settings,
     .words_min = 1,
     .words_max = WORDS_ANY,
     .read = disable_read},
    {.name = "statsdir",
     .arguments = "FOLDER",
     .default_text = "none",
     .help = "where statistics files are written",
     .example = "statsdir /var/log/ntpstats/",
     .words_min = 1,
     .words_max = 1,
     .is_single = true,
     .read = statsdir_read},
    {.name = "statistics",
     .arguments = "KIND ...",
     .default_text = "none",
     .help = "which statistics are written",
     .example = "statsdir /var/log/ntpstats/\nstatistics loopstats",
     .settings = &statistics_settings,
     .words_min = 1,
     .words_max = WORDS_ANY,
     .read = statistics_read},
    {.name = "filegen",
     .arguments = "KIND [OPTION]...",
     .default_text = "type day link",
     .help = "how the files of one kind are named and changed",
     .example = "filegen peerstats",
     .settings = &filegen_settings,
     .words_min = 1,
     .words_max = WORDS_ANY,
     .read = filegen_read},
    {.name = "logfile",
     .arguments = "FILE",
     .default_text = "stderr",
     .help = "where the log is written; one that cannot be opened leaves standard error",
     .example = "logfile /var/log/ntp.log",
     .words_min = 1,
     .words_max = 1,
     .is_single = true,
     .read = logfile_read},
    {.name = "logconfig",
     .arguments = "[= | + | -]CLASS ...",
     .default_text = "=all",
     .help = "which messages are logged",
     .example = "logconfig =syncevents +clockall",
     .words_min = 1,
     .words_max = WORDS_ANY,
     .read = logconfig_read},
    {.name = "interface",
     .arguments = "listen | ignore | drop  all | ipv4 | ipv6 | wildcard | NAME | ADDRESS[/BITS]",
     .default_text = "listen all",
     .help = "which addresses of this host are used; the last line that fits decides",
     .example = "interface listen 192.0.2.1",
     .words_min = 2,
     .words_max = 2,
     .read = interface_read},
    {.name = "nic",
     .arguments = "as interface",
     .default_text = "listen all",
     .help = "another word for interface",
     .example = "nic ignore wildcard",
     .words_min = 2,
     .words_max = 2,
     .read = interface_read},
    {.name = "threads",
     .arguments = "NUMBER",
     .default_text = "one for each processor, at most four",
     .help = "threads that answer clients beside the main loop; 0 = none, the main loop answers",
     .example = "threads 2",
     .words_min = 1,
     .words_max = 1,
     .is_single = true,
     .read = threads_read},
    {.name = "metrics",
     .arguments = "ADDRESS:PORT | [ADDRESS6]:PORT",
     .default_text = "none",
     .help = "serve a page of metrics (OpenMetrics) there, by HTTP, to whoever can reach it",
     .example = "metrics 127.0.0.1:9123",
     .words_min = 1,
     .words_max = 1,
     .is_single = true,
     .read = metrics_read},
    {.name = "fudge",
     .arguments = "127.127.1.u [OPTION VALUE]...",
     .default_text = "stratum 5",
     .help = "the stratum of a local clock",
     .example = "server 127.127.1.0\nfudge 127.127.1.0",
     .settings = &fudge_settings,
     .words_min = 1,
     .words_max = WORDS_ANY,
     .read = fudge_read},
    WITHOUT_EFFECT("automax", "LOG2S", "there is no Autokey", "automax 12"),
    WITHOUT_EFFECT("broadcast", "ADDRESS [OPTION]...", "there is no broadcast mode",
                   "broadcast 192.0.2.255"),
    WITHOUT_EFFECT("broadcastclient", "[novolley]", "there is no broadcast mode",
                   "broadcastclient"),
    WITHOUT_EFFECT("broadcastdelay", "SECONDS", "there is no broadcast mode",
                   "broadcastdelay 0.004"),
    WITHOUT_EFFECT("crypto", "[OPTION]...", "there is no Autokey", "crypto pw secret"),
    WITHOUT_EFFECT("device", "ADDRESS [OPTION]...", "there are no reference clocks",
                   "device 127.127.28.0 timedata x"),
    WITHOUT_EFFECT("dscp", "VALUE", "packets carry the class that the host gives them", "dscp 46"),
    WITHOUT_EFFECT("ident", "NAME", "there is no Autokey", "ident group"),
    WITHOUT_EFFECT("keysdir", "FOLDER", "there is no Autokey", "keysdir /etc/ntp"),
    WITHOUT_EFFECT("leapsmearinterval", "SECONDS", "leap seconds are never smeared",
                   "leapsmearinterval 86400"),
    WITHOUT_EFFECT("manycastclient", "ADDRESS [OPTION]...", "there is no manycast mode",
                   "manycastclient 239.255.254.254"),
    WITHOUT_EFFECT("manycastserver", "ADDRESS ...", "there is no manycast mode",
                   "manycastserver 239.255.254.254"),
    WITHOUT_EFFECT("mdnstries", "N", "the server is not announced by multicast DNS", "mdnstries 5"),
    WITHOUT_EFFECT("multicastclient", "[ADDRESS]...", "there is no multicast mode",
                   "multicastclient"),
    WITHOUT_EFFECT("nonvolatile", "PPM", "the drift file is written once an hour",
                   "nonvolatile 0.1"),
    WITHOUT_EFFECT("ntpsigndsocket", "FOLDER", "replies are never signed for Samba",
                   "ntpsigndsocket /var/lib/samba"),
    WITHOUT_EFFECT("phone", "NUMBER ...", "there are no reference clocks", "phone 5551234"),
    WITHOUT_EFFECT("pidfile", "FILE",
                   "the service manager knows the process; \"holdfastd -p FILE\" writes one",
                   "pidfile /run/ntpd.pid"),
    WITHOUT_EFFECT("pollskewlist", "VALUE ...", "poll intervals are always spread by up to 6.2 %",
                   "pollskewlist default 5"),
    WITHOUT_EFFECT("reset", "COUNTERS", "counters begin with the process", "reset allpeers"),
    WITHOUT_EFFECT("revoke", "LOG2S", "there is no Autokey", "revoke 16"),
    WITHOUT_EFFECT("rlimit", "OPTION VALUE ...", "memory is what the configuration needs",
                   "rlimit memlock 32"),
    WITHOUT_EFFECT("saveconfigdir", "FOLDER", "nothing can be saved over the network",
                   "saveconfigdir /etc/ntp"),
    WITHOUT_EFFECT("serverresponse", "fuzz", "replies are the same for everyone",
                   "serverresponse fuzz"),
    WITHOUT_EFFECT("setvar", "NAME=VALUE [default]",
                   "there are no variables but those of the protocol", "setvar foo=bar default"),
    WITHOUT_EFFECT("simulate", "{ ... }", "\"holdfast run\" simulates whole networks",
                   "simulate {"),
    WITHOUT_EFFECT("tick", "SECONDS", "the clock is steered by its frequency", "tick 0.01"),
    WITHOUT_EFFECT("trap", "HOST [OPTION]...", "there are no traps", "trap 192.0.2.9"),
    WITHOUT_EFFECT("ttl", "VALUE ...", "there is no multicast mode", "ttl 8 16"),
    REFUSED("delrestrict", "ADDRESS ...", "leave out the restrict line that it takes back",
            "delrestrict 192.0.2.1"),
    REFUSED("refclock", "NAME ...",
            "use \"server HOST\" with a host whose NTP server reads that clock", "refclock shm"),
    REFUSED("unconfig", "HOST", "leave out the line that it takes back", "unconfig 192.0.2.1"),
    REFUSED("unpeer", "HOST", "leave out the line that it takes back", "unpeer 192.0.2.1"),
    REFUSED("unrestrict", "ADDRESS ...", "leave out the restrict line that it takes back",
            "unrestrict 192.0.2.1"),
};

const struct directive_help *ntpconf_help(size_t *count)
{
    *count = G_N_ELEMENTS(directives);
    return directives;
}

static const struct directive_help *find_directive(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(directives); i++) {
        if (strcmp(directives[i].name, name) == 0) {
            return &directives[i];
        }
    }
    return NULL;
}

static void complain_unknown(const struct line *line, struct messages *messages)
{
    const char *names[G_N_ELEMENTS(directives) + 1] = {NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(directives); i++) {
        names[i] = directives[i].name;
    }
    const char *text = line->words[0].text;
    const char *near = nearest_word(text, names);
    if (near) {
        line_error(line, 0, messages, "unknown directive \"%s\"; did you mean \"%s\"?", text, near);
    } else {
        line_error(line, 0, messages,
                   "unknown directive \"%s\"; \"holdfast help ntp.conf\" lists the known", text);
    }
}

static bool has_words(const struct directive_help *row, const struct line *line,
                      struct messages *messages)
{
    unsigned words = line->count - 1;
    if (words < row->words_min) {
        line_error(line, line->count, messages, "expected %s %s, but the line ends here", row->name,
                   row->arguments);
        return false;
    }
    if (words > row->words_max) {
        line_error(line, row->words_max + 1, messages, "expected %s %s, and nothing more",
                   row->name, row->arguments);
        return false;
    }
    return true;
}

static void note_single(struct ntpconf_reader *reader, const struct directive_help *row,
                        const struct line *line)
{
    const struct line **last = &reader->single_lines[row - directives];
    if (row->is_single && *last) {
        line_warning(line, 0, reader->messages, "this line replaces %s:%u", (*last)->file,
                     (*last)->number);
    }
    *last = line;
}

static bool complain_support(const struct directive_help *row, const struct line *line,
                             struct messages *messages)
{
    if (row->is_minor) {
        line_note(line, 0, messages, "\"%s\" has no effect: %s", row->name, row->help);
        return true;
    }
    return support_complain(row->support, row->name, row->help, line, 0, messages);
}

void directive_read(struct ntpconf_reader *reader, const struct line *line)
{
    const struct directive_help *row = find_directive(line->words[0].text);
    if (!row) {
        complain_unknown(line, reader->messages);
        return;
    }
    if (has_words(row, line, reader->messages) && complain_support(row, line, reader->messages)) {
        note_single(reader, row, line);
        if (row->read) {
            row->read(reader, line);
        }
    }
}
