/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every call of an engine as plain data, and that data as bytes: what a host records and
 * `holdfast replay` runs again.
 *
 * A recording is a header, then records in the order of the calls: the configuration with its keys
 * (so a recording is as secret as the key file), the seed, each verb with its instant and input,
 * each followed by a 64-bit hash of the effects it had. All integers are little-endian, doubles are
 * their IEEE 754 bits, so a recording means the same on any machine. Reads and writes memory only;
 * total over any bytes: a damaged or cut recording is reported, never followed blindly.
 */
#ifndef HOLDFAST_RECORDING_H
#define HOLDFAST_RECORDING_H

#include "engine.h"

enum engine_verb {
    VERB_INIT,  /* config and key */
    VERB_ADOPT, /* config */
    VERB_RECEIVE,
    VERB_SENT,
    VERB_EXPIRE,
    VERB_RESOLVED,
    VERB_CLOCK_EVENT,
    VERBS
};

/* One call. What it points to lives as long as the caller says. */
struct engine_call {
    enum engine_verb verb;
    struct instant now;
    union {
        struct {
            const struct engine_config *config;
            const uint8_t *key; /* 32 bytes; VERB_INIT only */
        } begin;
        struct datagram receive;
        struct {
            uint32_t request;
            ntp_time stamp;
            enum stamp_kind kind;
            struct endpoint peer; /* family ADDRESS_NONE when request is not 0 */
        } sent;
        struct {
            uint16_t association;
            uint8_t count; /* 0 = failed; at most ALTERNATES_MAX */
            struct endpoint addresses[ALTERNATES_MAX];
        } resolved;
        struct {
            enum clock_event event;
            double amount_s;
        } clock;
    } u;
};

/* Makes the call of any verb but VERB_INIT and VERB_ADOPT, which need memory. */
void engine_call(struct engine *e, const struct engine_call *call, struct effects *out);

/* A hash of effects: todo, wake, clock command, bytes and addresses of the datagram, association to
 * resolve; fields that todo does not name do not count. Not cryptographic. */
uint64_t effects_hash(const struct effects *effects);

enum { RECORDING_HEADER_SIZE = 16 };

/* The first bytes of a recording: a magic word and the version of the format. */
void recording_header(uint8_t bytes[RECORDING_HEADER_SIZE]);

/* Bytes that one record of this call takes. */
size_t recording_size(const struct engine_call *call);

/* Writes the record of a call (a datagram of at most 65,535 bytes) and the hash of its effects (0
 * for VERB_INIT and VERB_ADOPT), as many bytes as recording_size() says, and returns their
 * number. */
size_t recording_write(const struct engine_call *call, uint64_t effects, uint8_t *bytes);

enum recording_verdict {
    RECORDING_OK,
    RECORDING_END,     /* nothing left */
    RECORDING_CUT,     /* the last record is not complete: the host died while writing */
    RECORDING_FOREIGN, /* no recording, or of another version */
    RECORDING_DAMAGED  /* a record that cannot be */
};

/* Reads through the bytes of a whole recording. */
struct recording_reader {
    const uint8_t *bytes;
    size_t size, at;  /* at: offset of the next record */
    mono_time latest; /* of the records so far: time never goes back */
};

enum recording_verdict recording_open(struct recording_reader *reader, const uint8_t *bytes,
                                      size_t size);

/* The configuration of a VERB_INIT or VERB_ADOPT record needs memory for its lists:
 * recording_config_size() tells how much the next record needs (0 for other verbs; multiple of 16),
 * `memory` has that many bytes, aligned to 16, and lives as long as the engine that uses it. Other
 * calls point into the recording itself. */
size_t recording_config_size(const struct recording_reader *reader);
enum recording_verdict recording_read(struct recording_reader *reader, void *memory,
                                      struct engine_call *call, uint64_t *effects);

const char *recording_verdict_text(enum recording_verdict verdict);

#endif
