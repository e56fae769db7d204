/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `holdfast replay`: runs a recording of holdfastd again and compares what came of every call.
 *
 * Everything that the engine had comes from the file, and whatever the file says is carried out by
 * nobody: no clock is read or steered, nothing is sent.
 */
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../engine/recording.h"
#include "option_table.h"
#include "quantity.h"

enum { TIME_TEXT_SIZE = 48, WORDS_SIZE = 192, ALIGNMENT = 16 };

struct replay_options {
    const char *path;
    bool verbose;
};

struct replay {
    struct recording_reader reader;
    struct engine *engine;
    void *engine_memory, *config_memory; /* of the configuration in force */
    struct effects effects;
    struct engine_call call;
    uint64_t calls, counts[VERBS];
    struct instant first, last;
    bool verbose;
};

static const char *const verb_names[VERBS] = {[VERB_INIT] = "init",
                                              [VERB_ADOPT] = "adopt",
                                              [VERB_RECEIVE] = "receive",
                                              [VERB_SENT] = "sent",
                                              [VERB_EXPIRE] = "expire",
                                              [VERB_RESOLVED] = "resolved",
                                              [VERB_CLOCK_EVENT] = "clock event"};

const char *command_replay_help(void)
{
    return "  replay FILE [OPTION]...\n"
           "                       run a recording of holdfastd --record again: every call must "
           "have the\n"
           "                       same effects, bit for bit; exit status 1 when one has others\n"
           "      --verbose        print what happened and why, as the engine lives it again\n";
}

static bool take_verbose(void *out, const char *value)
{
    struct replay_options *options = out;
    (void)value;
    options->verbose = true;
    return true;
}

static bool take_path(void *out, const char *word)
{
    struct replay_options *options = out;
    if (options->path) {
        return option_table_complain("replay", "one recording at a time: \"%s\" is one too many",
                                     word);
    }
    options->path = word;
    return true;
}

static const struct option options_known[] = {{"--verbose", NULL, take_verbose}};

static const struct option_table table = {"replay", options_known, G_N_ELEMENTS(options_known),
                                          take_path};

/* "2026-03-01 22:30:01.123456": UTC by the clock of the recorded host. */
static const char *clock_text(ntp_time clock, char text[TIME_TEXT_SIZE])
{
    GDateTime *time = g_date_time_new_from_unix_utc(unix_s_from_ntp(clock));
    char *day = time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S") : g_strdup("no time");
    unsigned micros = (unsigned)((clock.ticks & UINT32_MAX) * 1000000 >> 32);
    snprintf(text, TIME_TEXT_SIZE, "%.30s.%06u", day, micros);
    g_free(day);
    if (time) {
        g_date_time_unref(time);
    }
    return text;
}

static void print_trace(void *context, const struct trace_record *record)
{
    char text[512], time[TIME_TEXT_SIZE];
    (void)context;
    trace_text(record, text, sizeof text);
    printf("%s  %s\n", clock_text(record->now.clock, time), text);
}

/* What the engine does at this call now, in words. */
static const char *effects_words(const struct effects *out, mono_time now, char text[WORDS_SIZE])
{
    char address[ADDRESS_TEXT_SIZE], wait[QUANTITY_TEXT_SIZE];
    GString *words = g_string_new(NULL);
    if (out->todo & EFFECT_CLOCK) {
        g_string_append_printf(words, "clock command %#x (step %+.9f s, rate %" PRId64 "), ",
                               out->clock.what, out->clock.step_s, out->clock.rate_q);
    }
    if (out->todo & EFFECT_VIEW) {
        g_string_append(words, "publish, ");
    }
    if (out->todo & EFFECT_SEND) {
        g_string_append_printf(words, "send %u bytes to %s, ", out->send.size,
                               address_text(&out->send.peer.address, address));
    }
    if (out->todo & EFFECT_RESOLVE) {
        g_string_append_printf(words, "look up association %u, ", out->resolve_association);
    }
    if (out->wake.ticks == INT64_MAX) {
        g_string_append(words, "no wake");
    } else {
        g_string_append_printf(words, "wake in %s",
                               quantity_seconds(mono_diff_s(out->wake, now), wait));
    }
    g_strlcpy(text, words->str, WORDS_SIZE);
    g_string_free(words, TRUE);
    return text;
}

static void *aligned(size_t size)
{
    return g_aligned_alloc(1, size, ALIGNMENT);
}

/* Init and adopt: an engine for the configuration, which takes over its memory. */
static void begin_engine(struct replay *r, void *config_memory)
{
    const struct engine_config *config = r->call.u.begin.config;
    void *memory = aligned(engine_size(config));
    r->engine = r->call.verb == VERB_INIT
                    ? engine_init(memory, config, r->call.u.begin.key, r->call.now)
                    : engine_adopt(memory, config, r->engine, r->call.now);
    g_aligned_free(r->engine_memory);
    g_aligned_free(r->config_memory);
    r->engine_memory = memory;
    r->config_memory = config_memory;
    if (r->verbose && r->call.verb == VERB_INIT) {
        engine_set_trace(r->engine, TRACE_ALL, print_trace, NULL);
    }
}

/* Reads and makes the next call. *hash: what it had then; *seen: what it has now. */
static enum recording_verdict replay_next(struct replay *r, uint64_t *hash, uint64_t *seen)
{
    size_t size = recording_config_size(&r->reader);
    void *config_memory = size > 0 ? aligned(size) : NULL;
    enum recording_verdict verdict = recording_read(&r->reader, config_memory, &r->call, hash);
    if (verdict != RECORDING_OK) {
        g_aligned_free(config_memory);
        return verdict;
    }
    *seen = 0;
    if (config_memory) {
        begin_engine(r, config_memory);
    } else {
        engine_call(r->engine, &r->call, &r->effects);
        *seen = effects_hash(&r->effects);
    }
    r->first = r->calls == 0 ? r->call.now : r->first;
    r->last = r->call.now;
    r->calls++;
    r->counts[r->call.verb]++;
    return verdict;
}

static enum exit_status tell_difference(const struct replay *r, uint64_t hash, uint64_t seen)
{
    char time[TIME_TEXT_SIZE], words[WORDS_SIZE];
    fprintf(stderr,
            "holdfast replay: call %" PRIu64 " (%s, %s, mono %.9f s) has other effects than "
            "recorded\n"
            "  recorded: %016" PRIx64 "\n"
            "  here:     %016" PRIx64 " (%s)\n",
            r->calls, verb_names[r->call.verb], clock_text(r->call.now.clock, time),
            s_from_ticks(r->call.now.mono.ticks), hash, seen,
            effects_words(&r->effects, r->call.now.mono, words));
    return STATUS_FAILED;
}

static void print_summary(const struct replay *r)
{
    char span[QUANTITY_TEXT_SIZE];
    printf("%" PRIu64 " calls over %s, identical:", r->calls,
           quantity_clock(mono_diff_s(r->last.mono, r->first.mono), span));
    for (unsigned verb = 0; verb < VERBS; verb++) {
        printf("%s %" PRIu64 " %s", verb == 0 ? "" : ",", r->counts[verb], verb_names[verb]);
    }
    printf("\n");
}

static enum exit_status replay_end(const struct replay *r, const char *path,
                                   enum recording_verdict verdict)
{
    if (verdict == RECORDING_DAMAGED) {
        fprintf(stderr,
                "holdfast replay: %s: %s, at byte %zu; the %" PRIu64
                " calls before it are identical\n",
                path, recording_verdict_text(verdict), r->reader.at, r->calls);
        return STATUS_CONFIGURATION;
    }
    if (r->calls == 0) {
        fprintf(stderr, "holdfast replay: %s: holds no call: there is nothing to replay\n", path);
        return STATUS_CONFIGURATION;
    }
    if (verdict == RECORDING_CUT) {
        fprintf(stderr, "warning: %s: %s; all before it was replayed\n", path,
                recording_verdict_text(verdict));
    }
    print_summary(r);
    return STATUS_ALL_RIGHT;
}

static enum exit_status replay_all(struct replay *r, const char *path,
                                   const struct command_line *line)
{
    uint64_t hash, seen;
    enum recording_verdict verdict;
    while ((verdict = replay_next(r, &hash, &seen)) == RECORDING_OK) {
        if (hash != seen) {
            return tell_difference(r, hash, seen);
        }
        if (line->is_interrupted()) {
            fprintf(stderr, "holdfast replay: interrupted after %" PRIu64 " identical calls\n",
                    r->calls);
            return STATUS_INTERRUPTED;
        }
    }
    return replay_end(r, path, verdict);
}

static enum exit_status replay_bytes(const struct replay_options *options, const uint8_t *bytes,
                                     size_t size, const struct command_line *line)
{
    struct replay replay = {.verbose = options->verbose};
    enum recording_verdict verdict = recording_open(&replay.reader, bytes, size);
    if (verdict == RECORDING_FOREIGN) {
        fprintf(stderr, "holdfast replay: %s: %s\n", options->path,
                recording_verdict_text(verdict));
        return STATUS_CONFIGURATION;
    }
    enum exit_status status = verdict == RECORDING_OK ? replay_all(&replay, options->path, line)
                                                      : replay_end(&replay, options->path, verdict);
    g_aligned_free(replay.engine_memory);
    g_aligned_free(replay.config_memory);
    return status;
}

/* NULL after a complaint. A file that is no regular one might never end, or never begin. */
static GMappedFile *map_file(const char *path)
{
    struct stat status;
    GError *error = NULL;
    if (stat(path, &status) != 0) {
        (void)option_table_complain("replay", "%s: %s", path, g_strerror(errno));
        return NULL;
    }
    if (!S_ISREG(status.st_mode)) {
        (void)option_table_complain("replay", "%s: %s, not a recording", path,
                                    S_ISDIR(status.st_mode) ? "a directory" : "no regular file");
        return NULL;
    }
    GMappedFile *file = g_mapped_file_new(path, FALSE, &error);
    if (!file) {
        (void)option_table_complain("replay", "%s", error->message);
        g_error_free(error);
    }
    return file;
}

enum exit_status command_replay(const struct command_line *line)
{
    struct replay_options options = {0};
    if (!option_table_read(&table, line, &options)) {
        return STATUS_USAGE;
    }
    if (!options.path) {
        (void)option_table_complain("replay", "expected a recording: holdfast replay FILE");
        return STATUS_USAGE;
    }
    GMappedFile *file = map_file(options.path);
    if (!file) {
        return STATUS_CONFIGURATION;
    }
    enum exit_status status =
        replay_bytes(&options, (const uint8_t *)g_mapped_file_get_contents(file),
                     g_mapped_file_get_length(file), line);
    g_mapped_file_unref(file);
    return status;
}
