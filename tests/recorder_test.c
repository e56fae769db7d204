/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The recording's file: whose it is, when it is written, that a life can be lived again from it,
 * and what a full disk does.
 */
#include "../engine/daemon/recorder.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "lockstep.h"

struct place {
    char *folder, *path, *log_path;
    struct log *log;
};

static void place_open(struct place *p)
{
    p->folder = g_dir_make_tmp("holdfast-XXXXXX", NULL);
    p->path = g_build_filename(p->folder, "calls", NULL);
    p->log_path = g_build_filename(p->folder, "log", NULL);
    p->log = log_open(p->log_path, LOG_LEVEL_DEBUG, NULL);
    CHECK(p->log != NULL);
}

static void place_close(struct place *p)
{
    log_close(p->log);
    g_unlink(p->path);
    g_unlink(p->log_path);
    CHECK_INT(g_rmdir(p->folder), 0);
    g_free(p->folder);
    g_free(p->path);
    g_free(p->log_path);
}

static size_t size_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (size_t)status.st_size : 0;
}

/* Lines of the log that hold the words. */
static int lines_with(const struct place *p, const char *words)
{
    char *text = NULL;
    int count = 0;
    CHECK(g_file_get_contents(p->log_path, &text, NULL, NULL));
    for (const char *at = text; at && (at = strstr(at, words)) != NULL; at++) {
        count++;
    }
    g_free(text);
    return count;
}

static struct engine_call expire_at(double t_s)
{
    return (struct engine_call){.verb = VERB_EXPIRE, .now = {{0}, {ticks_from_s(t_s)}}};
}

static void the_file_is_its_owners_alone_and_new(void)
{
    struct place p;
    struct stat status;
    char *error = NULL;
    place_open(&p);
    mode_t before = umask(0);
    struct recorder *recorder = recorder_open(p.path, &error);
    umask(before);
    CHECK(recorder != NULL && !error);
    CHECK_INT(stat(p.path, &status), 0);
    CHECK_INT(status.st_mode & 07777, 0600);
    recorder_close(recorder, p.log);
    CHECK(recorder_open(p.path, &error) == NULL);
    CHECK(error && strstr(error, p.path) && strstr(error, "exists"));
    g_clear_pointer(&error, g_free);
    char *link = g_build_filename(p.folder, "link", NULL);
    CHECK_INT(symlink("elsewhere", link), 0);
    CHECK(recorder_open(link, &error) == NULL); /* nobody leads it to another place */
    g_clear_pointer(&error, g_free);
    g_unlink(link);
    g_free(link);
    CHECK(recorder_open("/nowhere/at/all", &error) == NULL);
    CHECK(error && strstr(error, "No such file"));
    g_free(error);
    place_close(&p);
}

/* An engine that lives by a recording, and what it came to. */
struct relived {
    struct engine *engine;
    void *engine_memory, *config_memory;
    struct engine_call call; /* the last one, and what came of it */
    struct effects effects;
    bool has_effects;
    uint64_t hash; /* as recorded for it */
    long calls, differences;
};

/* Reads the next call and makes it; false at the end, which *verdict names. */
static bool relived_next(struct relived *r, struct recording_reader *reader,
                         enum recording_verdict *verdict)
{
    size_t wanted = recording_config_size(reader);
    void *memory = wanted > 0 ? aligned_alloc(16, (wanted + 15) / 16 * 16) : NULL;
    *verdict = recording_read(reader, memory, &r->call, &r->hash);
    if (*verdict != RECORDING_OK) {
        free(memory);
        return false;
    }
    r->has_effects = r->call.verb != VERB_INIT && r->call.verb != VERB_ADOPT;
    if (r->has_effects) {
        engine_call(r->engine, &r->call, &r->effects);
        r->differences += effects_hash(&r->effects) != r->hash;
    } else {
        const struct engine_config *config = r->call.u.begin.config;
        void *room = aligned_alloc(16, (engine_size(config) + 15) / 16 * 16);
        r->engine = r->call.verb == VERB_INIT
                        ? engine_init(room, config, r->call.u.begin.key, r->call.now)
                        : engine_adopt(room, config, r->engine, r->call.now);
        free(r->engine_memory);
        free(r->config_memory);
        r->engine_memory = room;
        r->config_memory = memory;
    }
    r->calls++;
    return true;
}

static void relived_free(struct relived *r)
{
    free(r->engine_memory);
    free(r->config_memory);
}

/* Lives through a recording in memory and hands each call, with what came of it, to the recorder:
 * of call number `lie` (0: of none) something else. */
static void record_again(const struct lockstep *l, long lie, struct recorder *recorder,
                         struct log *log)
{
    struct recording_reader reader;
    struct relived first = {0};
    enum recording_verdict verdict;
    CHECK_INT(recording_open(&reader, l->recording, l->recording_size), RECORDING_OK);
    while (relived_next(&first, &reader, &verdict)) {
        first.effects.wake.ticks += first.calls == lie;
        recorder_write(recorder, &first.call, first.has_effects ? &first.effects : NULL, log);
    }
    CHECK_INT(verdict, RECORDING_END);
    CHECK_INT(first.calls, l->calls + 2); /* and how it began, and the reload */
    relived_free(&first);
}

/* What the file has written down, lived through once more: how many of its calls came to another
 * end. */
static void check_file(const struct place *p, long calls, long differences, int end)
{
    char *bytes = NULL;
    gsize size = 0;
    struct recording_reader reader;
    struct relived again = {0};
    enum recording_verdict verdict;
    CHECK(g_file_get_contents(p->path, &bytes, &size, NULL));
    CHECK_INT(recording_open(&reader, (const uint8_t *)bytes, size), RECORDING_OK);
    while (relived_next(&again, &reader, &verdict)) {
    }
    CHECK_INT(verdict, end);
    CHECK_INT(again.calls, calls);
    CHECK_INT(again.differences, differences);
    relived_free(&again);
    g_free(bytes);
}

/* A life with a reload, in a file; of call number `lie` with what did not come of it. */
static struct lockstep *record_life(struct place *p, struct lockstep_lines lines[2], long lie)
{
    char *error = NULL;
    place_open(p);
    lockstep_fill(&lines[0]);
    lockstep_copy(&lines[1], &lines[0]);
    lines[1].config.association_count = 3;
    struct lockstep *l = lockstep_new(&lines[0].config, 1, true);
    lockstep_run(l, 500.0);
    lockstep_reload(l, &lines[1].config);
    lockstep_run(l, 900.0);
    struct recorder *recorder = recorder_open(p->path, &error);
    record_again(l, lie, recorder, p->log);
    recorder_close(recorder, p->log);
    CHECK_INT(lines_with(p, "recording"), 0);
    return l;
}

static void what_is_recorded_replays_to_the_same_effects(void)
{
    struct place p;
    struct lockstep_lines lines[2];
    char *bytes = NULL;
    gsize size = 0;
    struct lockstep *l = record_life(&p, lines, 0);
    CHECK(l->sends > 20 && l->calls > 100);
    check_file(&p, l->calls + 2, 0, RECORDING_END);
    CHECK(g_file_get_contents(p.path, &bytes, &size, NULL));
    CHECK(size == l->recording_size && memcmp(bytes, l->recording, size) == 0);
    g_free(bytes);
    lockstep_free(l);
    place_close(&p);
}

static void effect_that_was_another_shows_in_the_replay(void)
{
    struct place p;
    struct lockstep_lines lines[2];
    struct lockstep *l = record_life(&p, lines, 200);
    check_file(&p, l->calls + 2, 1, RECORDING_END);
    lockstep_free(l);
    place_close(&p);
}

/* As a host leaves it that died. */
static void last_record_that_was_cut_spoils_none_before_it(void)
{
    struct place p;
    struct lockstep_lines lines[2];
    struct lockstep *l = record_life(&p, lines, 0);
    CHECK_INT(truncate(p.path, (off_t)size_of(p.path) - 1), 0);
    check_file(&p, l->calls + 1, 0, RECORDING_CUT);
    lockstep_free(l);
    place_close(&p);
}

static void effects_are_written_as_their_hash(void)
{
    struct place p;
    struct effects out = {.wake = {77}};
    char *error = NULL, *bytes = NULL;
    gsize size = 0;
    uint8_t expected[64];
    place_open(&p);
    struct recorder *recorder = recorder_open(p.path, &error);
    struct engine_call call = expire_at(5.0);
    recorder_write(recorder, &call, &out, p.log);
    recorder_close(recorder, p.log);
    size_t record = recording_write(&call, effects_hash(&out), expected);
    CHECK(g_file_get_contents(p.path, &bytes, &size, NULL));
    CHECK_INT(size, RECORDING_HEADER_SIZE + record);
    CHECK(memcmp(bytes + RECORDING_HEADER_SIZE, expected, record) == 0);
    g_free(bytes);
    place_close(&p);
}

static void calls_reach_the_file_within_a_second_of_their_time(void)
{
    struct place p;
    char *error = NULL;
    place_open(&p);
    struct recorder *recorder = recorder_open(p.path, &error);
    struct engine_call call = expire_at(100.0);
    size_t record = recording_size(&call);
    recorder_write(recorder, &call, NULL, p.log);
    CHECK_INT(size_of(p.path), RECORDING_HEADER_SIZE + record); /* the first at once */
    for (int i = 1; i <= 9; i++) {
        call = expire_at(100.0 + 0.1 * i);
        recorder_write(recorder, &call, NULL, p.log);
        CHECK_INT(size_of(p.path), RECORDING_HEADER_SIZE + record);
    }
    call = expire_at(101.0);
    recorder_write(recorder, &call, NULL, p.log);
    CHECK_INT(size_of(p.path), RECORDING_HEADER_SIZE + 11 * record);
    call = expire_at(101.5);
    recorder_write(recorder, &call, NULL, p.log);
    recorder_close(recorder, p.log);
    CHECK_INT(size_of(p.path), RECORDING_HEADER_SIZE + 12 * record);
    place_close(&p);
}

static void a_crowd_within_one_second_and_a_large_key_file_find_room(void)
{
    enum { CALLS = 9000, KEYS = 4000 };
    struct place p;
    struct engine_config config;
    static const uint8_t seed[32] = {3};
    char *error = NULL;
    place_open(&p);
    struct key *keys = g_new0(struct key, KEYS);
    for (uint32_t i = 0; i < KEYS; i++) {
        keys[i] = (struct key){.id = i + 1, .type = KEY_SHA1, .secret_size = 40};
    }
    engine_config_default(&config);
    config.keys = (struct key_table){keys, KEYS};
    struct engine_call begin = {.verb = VERB_INIT, .u.begin = {.config = &config, .key = seed}};
    CHECK(recording_size(&begin) > 150000);
    struct recorder *recorder = recorder_open(p.path, &error);
    recorder_write(recorder, &begin, NULL, p.log);
    struct engine_call call = expire_at(1.0);
    size_t record = recording_size(&call);
    for (int i = 0; i < CALLS; i++) {
        recorder_write(recorder, &call, NULL, p.log);
    }
    recorder_close(recorder, p.log);
    CHECK_INT(size_of(p.path), RECORDING_HEADER_SIZE + recording_size(&begin) + CALLS * record);
    g_free(keys);
    place_close(&p);
}

static void a_full_disk_is_told_once_and_ends_the_recording(void)
{
    struct place p;
    struct rlimit before, small;
    char *error = NULL;
    place_open(&p);
    struct recorder *recorder = recorder_open(p.path, &error);
    struct engine_call call = expire_at(1.0);
    size_t record = recording_size(&call);
    recorder_write(recorder, &call, NULL, p.log);
    log_line(p.log, LOG_LEVEL_INFO, "begin"); /* the log is opened, and short enough below */
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = RECORDING_HEADER_SIZE + record + 500;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    for (int i = 2; i < 60; i++) {
        call = expire_at(i);
        recorder_write(recorder, &call, NULL, p.log);
    }
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    size_t size = size_of(p.path);
    call = expire_at(100.0); /* there is room again, but a gap would be no recording */
    recorder_write(recorder, &call, NULL, p.log);
    recorder_close(recorder, p.log);
    CHECK_INT(size_of(p.path), size);
    CHECK_INT(size, RECORDING_HEADER_SIZE + record * (1 + 500 / record)); /* none half written */
    CHECK_INT(lines_with(&p, "File too large"), 1);
    CHECK_INT(lines_with(&p, "nothing more is recorded"), 1);
    place_close(&p);
}

static void nothing_is_closed_without_complaint(void)
{
    recorder_close(NULL, NULL);
}

const struct test_case recorder_tests[] = {
    {"the_file_is_its_owners_alone_and_new", the_file_is_its_owners_alone_and_new},
    {"what_is_recorded_replays_to_the_same_effects", what_is_recorded_replays_to_the_same_effects},
    {"effect_that_was_another_shows_in_the_replay", effect_that_was_another_shows_in_the_replay},
    {"last_record_that_was_cut_spoils_none_before_it",
     last_record_that_was_cut_spoils_none_before_it},
    {"effects_are_written_as_their_hash", effects_are_written_as_their_hash},
    {"calls_reach_the_file_within_a_second_of_their_time",
     calls_reach_the_file_within_a_second_of_their_time},
    {"a_crowd_within_one_second_and_a_large_key_file_find_room",
     a_crowd_within_one_second_and_a_large_key_file_find_room},
    {"a_full_disk_is_told_once_and_ends_the_recording",
     a_full_disk_is_told_once_and_ends_the_recording},
    {"nothing_is_closed_without_complaint", nothing_is_closed_without_complaint},
    {NULL, NULL}};
