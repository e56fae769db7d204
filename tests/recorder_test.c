/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The recording's file: whose it is, when it is written, and what a full disk does.
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

static void what_is_recorded_can_be_read_again(void)
{
    struct place p;
    struct lockstep_lines lines;
    struct recording_reader reader;
    char *error = NULL, *bytes = NULL;
    gsize size = 0;
    place_open(&p);
    lockstep_fill(&lines);
    struct lockstep *l = lockstep_new(&lines.config, 1, true);
    lockstep_run(l, 500.0);
    struct recorder *recorder = recorder_open(p.path, &error);
    CHECK_INT(recording_open(&reader, l->recording, l->recording_size), RECORDING_OK);
    for (;;) { /* the calls of a recording in memory, once more into the file */
        struct engine_call call;
        uint64_t hash;
        size_t wanted = recording_config_size(&reader);
        void *memory = wanted > 0 ? aligned_alloc(16, wanted) : NULL;
        if (recording_read(&reader, memory, &call, &hash) != RECORDING_OK) {
            break;
        }
        recorder_write(recorder, &call, NULL, p.log);
        free(memory);
    }
    recorder_close(recorder, p.log);
    CHECK(g_file_get_contents(p.path, &bytes, &size, NULL));
    CHECK_INT(size, l->recording_size);
    CHECK(size == l->recording_size && memcmp(bytes, l->recording, 16) == 0);
    CHECK_INT(recording_open(&reader, (const uint8_t *)bytes, size), RECORDING_OK);
    CHECK_INT(lines_with(&p, "recording"), 0);
    g_free(bytes);
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
    CHECK_INT(size, RECORDING_HEADER_SIZE + record + 500);
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
    {"what_is_recorded_can_be_read_again", what_is_recorded_can_be_read_again},
    {"effects_are_written_as_their_hash", effects_are_written_as_their_hash},
    {"calls_reach_the_file_within_a_second_of_their_time",
     calls_reach_the_file_within_a_second_of_their_time},
    {"a_crowd_within_one_second_and_a_large_key_file_find_room",
     a_crowd_within_one_second_and_a_large_key_file_find_room},
    {"a_full_disk_is_told_once_and_ends_the_recording",
     a_full_disk_is_told_once_and_ends_the_recording},
    {"nothing_is_closed_without_complaint", nothing_is_closed_without_complaint},
    {NULL, NULL}};
