/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The recording's file: see recorder.h. Allocates nothing for a packet.
 */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "append_file.h"

/* More than the record of the largest datagram; a configuration may need more. */
enum { BUFFER_SIZE = 128 * 1024 };

struct recorder {
    int fd;
    bool has_failed;
    mono_time written; /* by the instants of calls */
    char *path;
    size_t used;
    uint8_t buffer[BUFFER_SIZE];
};

static char *cannot(const char *path, int error)
{
    return g_strdup_printf("recording %s: %s%s", path, g_strerror(error),
                           error == EEXIST ? "; it is left alone, name a file that is new" : "");
}

struct recorder *recorder_open(const char *path, char **error)
{
    uint8_t header[RECORDING_HEADER_SIZE];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        *error = cannot(path, errno);
        return NULL;
    }
    recording_header(header);
    int failure = append_file_add(fd, header, sizeof header);
    if (failure != 0) {
        *error = cannot(path, failure);
        close(fd);
        unlink(path);
        return NULL;
    }
    struct recorder *recorder = g_new0(struct recorder, 1);
    recorder->fd = fd;
    recorder->path = g_strdup(path);
    recorder->written = (mono_time){INT64_MIN};
    return recorder;
}

static void fail(struct recorder *recorder, int error, struct log *log)
{
    recorder->has_failed = true;
    recorder->used = 0;
    log_line(log, LOG_LEVEL_ERROR,
             "recording %s: %s; nothing more is recorded, what is there can be replayed",
             recorder->path, g_strerror(error));
}

static void flush(struct recorder *recorder, struct log *log)
{
    int error = append_file_add(recorder->fd, recorder->buffer, recorder->used);
    recorder->used = 0;
    if (error != 0) {
        fail(recorder, error, log);
    }
}

/* A record that is larger than the buffer: a configuration with many keys. */
static void write_large(struct recorder *recorder, const struct engine_call *call, uint64_t hash,
                        size_t size, struct log *log)
{
    uint8_t *bytes = g_malloc(size);
    int error = append_file_add(recorder->fd, bytes, recording_write(call, hash, bytes));
    g_free(bytes);
    if (error != 0) {
        fail(recorder, error, log);
    }
}

void recorder_write(struct recorder *recorder, const struct engine_call *call,
                    const struct effects *effects, struct log *log)
{
    if (recorder->has_failed) {
        return;
    }
    size_t size = recording_size(call);
    uint64_t hash = effects ? effects_hash(effects) : 0;
    if (size > BUFFER_SIZE - recorder->used) {
        flush(recorder, log);
    }
    if (recorder->has_failed) {
        return;
    }
    if (size > BUFFER_SIZE) {
        write_large(recorder, call, hash, size, log);
    } else {
        recorder->used += recording_write(call, hash, recorder->buffer + recorder->used);
    }
    if (!mono_before(call->now.mono, mono_add_s(recorder->written, 1.0))) {
        recorder->written = call->now.mono;
        flush(recorder, log);
    }
}

void recorder_close(struct recorder *recorder, struct log *log)
{
    if (!recorder) {
        return;
    }
    if (!recorder->has_failed) {
        flush(recorder, log);
    }
    if (close(recorder->fd) != 0 && !recorder->has_failed) {
        fail(recorder, errno, log);
    }
    /* Keys and seed passed through here. */
    explicit_bzero(recorder->buffer, sizeof recorder->buffer);
    g_free(recorder->path);
    g_free(recorder);
}
