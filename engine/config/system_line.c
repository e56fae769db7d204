/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines that tune the engine: enable, disable, tos, tinker, discard, mru, policy.
 *
 * Numbers are those of ntpd: seconds, ppm and log2 s without a unit.
 */
#include "../packet.h"
#include "../system.h"
#include "reader.h"

/* Both bases of enable and disable. */
struct switches {
    bool disable_discipline, no_statistics;
};

static const struct setting enable_table[] = {
    {.name = "auth", .help = "always on: unauthenticated packets create no association"},
    {.name = "monitor", .help = "always on; \"mru maxdepth 0\" does without the client table"},
    {.name = "ntp",
     .store = STORE_FALSE,
     .offset = offsetof(struct switches, disable_discipline),
     .help = "steer the clock; default"},
    {.name = "stats",
     .store = STORE_FALSE,
     .offset = offsetof(struct switches, no_statistics),
     .help = "write the statistics that \"statistics\" and \"filegen\" ask for; default"},
    {.name = "bclient", .support = SUPPORT_NO_EFFECT, .help = "there is no broadcast client"},
    {.name = "calibrate", .support = SUPPORT_NO_EFFECT, .help = "there are no reference clocks"},
    {.name = "kernel",
     .support = SUPPORT_NO_EFFECT,
     .help = "the loop is the engine's own, never the kernel's"},
    {.name = "mode7", .support = SUPPORT_NO_EFFECT, .help = "mode 7 does not exist here"},
    {.name = "pps", .support = SUPPORT_NO_EFFECT, .help = "there are no reference clocks"},
    {.name = "peer_clear_digest_early",
     .support = SUPPORT_NO_EFFECT,
     .help = "a packet that fails a test changes nothing"},
    {.name = "unpeer_crypto_early",
     .support = SUPPORT_NO_EFFECT,
     .help = "no packet ends a configured association"},
    {.name = "unpeer_crypto_nak_early",
     .support = SUPPORT_NO_EFFECT,
     .help = "no packet ends a configured association"},
    {.name = "unpeer_digest_early",
     .support = SUPPORT_NO_EFFECT,
     .help = "no packet ends a configured association"},
};

/* What ntpd can switch off and we do not have. */
#define OFF_ALREADY "off already: "

static const struct setting disable_table[] = {
    {.name = "auth",
     .support = SUPPORT_NO_EFFECT,
     .help = "unauthenticated packets create no association, always"},
    {.name = "monitor",
     .support = SUPPORT_NO_EFFECT,
     .help = "monitoring is always on; \"mru maxdepth 0\" does without the client table"},
    {.name = "ntp",
     .store = STORE_TRUE,
     .offset = offsetof(struct switches, disable_discipline),
     .help = "measure and serve, but never steer the clock"},
    {.name = "stats",
     .store = STORE_TRUE,
     .offset = offsetof(struct switches, no_statistics),
     .help = "write no statistics, whatever \"statistics\" and \"filegen\" say"},
    {.name = "bclient", .help = OFF_ALREADY "there is no broadcast client"},
    {.name = "calibrate", .help = OFF_ALREADY "there are no reference clocks"},
    {.name = "kernel", .help = OFF_ALREADY "the loop is the engine's own, never the kernel's"},
    {.name = "mode7", .help = OFF_ALREADY "mode 7 does not exist here"},
    {.name = "pps", .help = OFF_ALREADY "there are no reference clocks"},
    {.name = "peer_clear_digest_early",
     .help = OFF_ALREADY "a packet that fails a test changes nothing"},
    {.name = "unpeer_crypto_early", .help = OFF_ALREADY "no packet ends a configured association"},
    {.name = "unpeer_crypto_nak_early",
     .help = OFF_ALREADY "no packet ends a configured association"},
    {.name = "unpeer_digest_early", .help = OFF_ALREADY "no packet ends a configured association"},
};

#define TOS(field) .offset = offsetof(struct tos_config, field)

static const struct setting tos_table[] = {
    {.name = "maxdist",
     .kind = SETTING_NUMBER,
     .example = "1.5",
     .low = 0.001,
     .high = 16,
     .store = STORE_DOUBLE,
     TOS(maxdist_s),
     .help = "root distance in s from which a source is unfit; default: the policy's"},
    {.name = "mindist",
     .kind = SETTING_NUMBER,
     .example = "0.005",
     .low = 0,
     .high = 16,
     .store = STORE_DOUBLE,
     TOS(mindist_s),
     .help = "least half width in s of an interval in the intersection; default 0.001"},
    {.name = "minclock",
     .kind = SETTING_INTEGER,
     .example = "3",
     .low = 1,
     .high = ASSOCIATIONS_MAX,
     .store = STORE_U8,
     TOS(minclock),
     .help = "the cluster step keeps at least this many; default 3"},
    {.name = "maxclock",
     .kind = SETTING_INTEGER,
     .example = "10",
     .low = 1,
     .high = ASSOCIATIONS_MAX,
     .store = STORE_U8,
     TOS(maxclock),
     .help = "at most this many sources enter the selection; default 10"},
    {.name = "minsane",
     .kind = SETTING_INTEGER,
     .example = "1",
     .low = 1,
     .high = ASSOCIATIONS_MAX,
     .store = STORE_U8,
     TOS(minsane),
     .help = "fewer survivors than this give no time; default 1"},
    {.name = "floor",
     .kind = SETTING_INTEGER,
     .example = "1",
     .low = 0,
     .high = STRATUM_MAX - 1,
     .store = STORE_U8,
     TOS(floor),
     .help = "sources of a lower stratum are unfit; default 0"},
    {.name = "ceiling",
     .kind = SETTING_INTEGER,
     .example = "15",
     .low = 1,
     .high = STRATUM_MAX,
     .store = STORE_U8,
     TOS(ceiling),
     .help = "sources of this stratum and above are unfit; default 15"},
    {.name = "holdover",
     .kind = SETTING_NUMBER,
     .example = "86400",
     .low = 0,
     .high = 1e8,
     .store = STORE_DOUBLE,
     TOS(holdover_s),
     .help = "end holdover after so many s; default 0: by root distance"},
    {.name = "orphan",
     .kind = SETTING_INTEGER,
     .support = SUPPORT_NO_EFFECT,
     .example = "10",
     .low = 1,
     .high = STRATUM_MAX,
     .store = STORE_U8,
     TOS(orphan),
     .help = "orphan mode is not in this version; holdover ends unsynchronised"},
    {.name = "orphanwait",
     .kind = SETTING_NUMBER,
     .support = SUPPORT_NO_EFFECT,
     .example = "300",
     .low = 0,
     .high = 1e6,
     .store = STORE_DOUBLE,
     TOS(orphanwait_s),
     .help = "orphan mode is not in this version; holdover ends unsynchronised"},
    {.name = "beacon",
     .kind = SETTING_INTEGER,
     .support = SUPPORT_NO_EFFECT,
     .example = "3600",
     .low = 0,
     .high = 1e6,
     .help = "there is no manycast client"},
    {.name = "bcpollbstep",
     .kind = SETTING_INTEGER,
     .support = SUPPORT_NO_EFFECT,
     .example = "0",
     .low = 0,
     .high = 4,
     .help = "there is no broadcast client"},
    {.name = "cohort",
     .kind = SETTING_INTEGER,
     .support = SUPPORT_NO_EFFECT,
     .example = "0",
     .low = 0,
     .high = 1,
     .help = "who follows whom in a group is decided by root distance"},
    {.name = "basedate",
     .kind = SETTING_WORD,
     .support = SUPPORT_NO_EFFECT,
     .example = "2024-01-01",
     .help = "the era is fixed by the date of the build"},
};

#define TINKER(field) .offset = offsetof(struct tinker_config, field)

static const struct setting tinker_table[] = {
    {.name = "step",
     .kind = SETTING_NUMBER,
     .example = "0.128",
     .low = 0,
     .high = 1e9,
     .store = STORE_DOUBLE,
     TINKER(step_s),
     .help = "offset in s from which the clock is stepped, 0 = never; default 0.128"},
    {.name = "stepout",
     .kind = SETTING_NUMBER,
     .example = "300",
     .low = 0,
     .high = 1e6,
     .store = STORE_DOUBLE,
     TINKER(stepout_s),
     .help = "how many s a large offset must last before it is believed; default 300"},
    {.name = "panic",
     .kind = SETTING_NUMBER,
     .example = "1000",
     .low = 0,
     .high = 1e9,
     .store = STORE_DOUBLE,
     TINKER(panic_s),
     .help = "offset in s from which the clock is left alone, 0 = none; default 1000"},
    {.name = "dispersion",
     .kind = SETTING_NUMBER,
     .example = "0.000015",
     .low = 1e-7,
     .high = 1e-3,
     .store = STORE_DOUBLE,
     TINKER(dispersion),
     .help = "growth of root dispersion in s/s; default 0.000015"},
    {.name = "allan",
     .kind = SETTING_INTEGER,
     .example = "11",
     .low = 7,
     .high = POLL_MAX,
     .store = STORE_U8,
     TINKER(allan_log2s),
     .help = "Allan intercept in log2 s; default 11"},
    {.name = "freq",
     .kind = SETTING_NUMBER,
     .example = "12.5",
     .low = -500,
     .high = 500,
     .store = STORE_DOUBLE,
     TINKER(frequency_ppm),
     .help = "frequency correction at the start in ppm"},
    {.name = "huffpuff",
     .kind = SETTING_NUMBER,
     .support = SUPPORT_NO_EFFECT,
     .example = "7200",
     .low = 0,
     .high = 1e6,
     .help = "there is no huff-n-puff filter"},
    {.name = "stepback",
     .kind = SETTING_NUMBER,
     .support = SUPPORT_NO_EFFECT,
     .example = "0.128",
     .low = 0,
     .high = 1e9,
     .help = "one threshold serves both directions: \"tinker step\""},
    {.name = "stepfwd",
     .kind = SETTING_NUMBER,
     .support = SUPPORT_NO_EFFECT,
     .example = "0.128",
     .low = 0,
     .high = 1e9,
     .help = "one threshold serves both directions: \"tinker step\""},
};

static const struct setting discard_table[] = {
    {.name = "average",
     .kind = SETTING_INTEGER,
     .example = "3",
     .low = 0,
     .high = POLL_MAX,
     .store = STORE_I8,
     .offset = offsetof(struct discard_config, average_log2s),
     .help = "interval in log2 s of one client's packets in the long run; default 3"},
    {.name = "minimum",
     .kind = SETTING_INTEGER,
     .example = "2",
     .low = 0,
     .high = 255,
     .store = STORE_U8,
     .offset = offsetof(struct discard_config, minimum_s),
     .help = "least interval in s between two packets of one client; default 1"},
    {.name = "monitor",
     .kind = SETTING_INTEGER,
     .support = SUPPORT_NO_EFFECT,
     .example = "100",
     .low = 0,
     .high = 255,
     .store = STORE_U8,
     .offset = offsetof(struct discard_config, monitor),
     .help = "every client is noted, the oldest makes room"},
};

#define MRU_WITHOUT_EFFECT(word)                                                                   \
    {                                                                                              \
        .name = word, .kind = SETTING_INTEGER, .support = SUPPORT_NO_EFFECT, .example = "600",     \
        .low = 0, .high = 1e9, .help = "the client table has a fixed size: \"mru maxdepth\""       \
    }

static const struct setting mru_table[] = {
    {.name = "maxdepth",
     .kind = SETTING_INTEGER,
     .example = "2048",
     .low = 0,
     .high = CLIENTS_MAX,
     .store = STORE_U16,
     .offset = offsetof(struct engine_config, client_capacity),
     .help = "clients remembered, 0 = none, and no limits then; default 1024"},
    MRU_WITHOUT_EFFECT("mindepth"),
    MRU_WITHOUT_EFFECT("maxage"),
    MRU_WITHOUT_EFFECT("maxmem"),
    MRU_WITHOUT_EFFECT("initalloc"),
    MRU_WITHOUT_EFFECT("initmem"),
    MRU_WITHOUT_EFFECT("incalloc"),
    MRU_WITHOUT_EFFECT("incmem"),
};

const struct settings enable_settings = {"enable", enable_table, G_N_ELEMENTS(enable_table)};
const struct settings disable_settings = {"disable", disable_table, G_N_ELEMENTS(disable_table)};
const struct settings tos_settings = {"tos", tos_table, G_N_ELEMENTS(tos_table)};
const struct settings tinker_settings = {"tinker", tinker_table, G_N_ELEMENTS(tinker_table)};
const struct settings discard_settings = {"discard", discard_table, G_N_ELEMENTS(discard_table)};
const struct settings mru_settings = {"mru", mru_table, G_N_ELEMENTS(mru_table)};

static void read_switches(struct ntpconf_reader *reader, const struct settings *settings,
                          const struct line *line)
{
    struct engine_config *engine = &reader->conf->engine;
    struct switches switches = {engine->disable_discipline, reader->no_statistics};
    reader_settings(reader, settings, line, 1, &switches);
    engine->disable_discipline = switches.disable_discipline;
    reader->no_statistics = switches.no_statistics;
}

void enable_read(struct ntpconf_reader *reader, const struct line *line)
{
    read_switches(reader, &enable_settings, line);
}

void disable_read(struct ntpconf_reader *reader, const struct line *line)
{
    read_switches(reader, &disable_settings, line);
}

void tos_read(struct ntpconf_reader *reader, const struct line *line)
{
    reader->tos_line = line;
    reader_settings(reader, &tos_settings, line, 1, &reader->conf->engine.tos);
}

void tinker_read(struct ntpconf_reader *reader, const struct line *line)
{
    reader_settings(reader, &tinker_settings, line, 1, &reader->conf->engine.tinker);
}

void discard_read(struct ntpconf_reader *reader, const struct line *line)
{
    reader_settings(reader, &discard_settings, line, 1, &reader->conf->engine.discard);
}

void mru_read(struct ntpconf_reader *reader, const struct line *line)
{
    reader_settings(reader, &mru_settings, line, 1, &reader->conf->engine);
}

void policy_read(struct ntpconf_reader *reader, const struct line *line)
{
    const char *text = line->words[1].text;
    enum policy policy = policy_by_name(text);
    if (policy != POLICIES) {
        reader->conf->engine.policy = policy;
        return;
    }
    const char *names[POLICIES + 1] = {NULL};
    for (int i = 0; i < POLICIES; i++) {
        names[i] = policy_rules((enum policy)i)->name;
    }
    char *list = g_strjoinv(", ", (char **)(void *)names);
    line_error(line, 1, reader->messages, "unknown policy \"%s\"; there are: %s", text, list);
    g_free(list);
}

/* A selection that can never succeed would be a server that silently does nothing. */
void system_finish(struct ntpconf_reader *reader)
{
    const struct tos_config *tos = &reader->conf->engine.tos;
    const struct line *line = reader->tos_line;
    if (!line) {
        return;
    }
    if (tos->floor >= tos->ceiling) {
        line_error(line, 0, reader->messages, "no stratum is left between floor %u and ceiling %u",
                   (unsigned)tos->floor, (unsigned)tos->ceiling);
    }
    if (tos->minclock > tos->maxclock || tos->minsane > tos->maxclock) {
        line_error(line, 0, reader->messages,
                   "minclock %u and minsane %u cannot exceed maxclock %u", (unsigned)tos->minclock,
                   (unsigned)tos->minsane, (unsigned)tos->maxclock);
    }
}
