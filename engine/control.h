/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mode 6 (RFC 9327), as ntpq asks it: READSTAT, READVAR and READ_MRU with its nonce; nothing else.
 *
 * Read-only: no request changes anything, an unknown or forbidden opcode gets an error response or
 * silence. Never larger than it may be: a stranger - an address that only a default entry of the
 * access list matches - gets no more bytes than he sent; others at most CONTROL_FRAGMENTS_MAX
 * datagrams. The pace of 50 kB/s over all is the host's to keep, by a control_meter. Mode 7 does
 * not exist here.
 */
#ifndef HOLDFAST_CONTROL_H
#define HOLDFAST_CONTROL_H

#include "clients.h"
#include "engine.h"

enum {
    CONTROL_HEADER_SIZE = 12,
    CONTROL_DATA_MAX = 468, /* of one fragment, RFC 9327 section 2 */
    CONTROL_SIZE_MAX = CONTROL_HEADER_SIZE + CONTROL_DATA_MAX,
    CONTROL_FRAGMENTS_MAX = 32
};

/* Client tables of server threads that one answer can draw on. */
enum { CONTROL_TABLES_MAX = 32 };

/* What went through the host's sockets since engine_counters().since. */
struct control_traffic {
    uint64_t received, sent, send_failures; /* datagrams of all modes */
    uint64_t requests;                      /* of mode 6, this one included */
};

/* Whether the host steers its clock, else why it does not. */
enum control_steering {
    CONTROL_STEERS,
    CONTROL_STEERING_UNWANTED, /* an option forbids it */
    CONTROL_STEERING_DISABLED, /* the configuration does: "disable ntp" */
    CONTROL_STEERING_NO_RIGHT, /* the kernel did not let it from the start on */
    CONTROL_STEERING_REFUSED,  /* the kernel did until it refused a command */
    /* The configuration forbade it at the start, when the right is asked for, and does not now. */
    CONTROL_STEERING_AT_RESTART,
    CONTROL_STEERINGS
};

/* "steers", "no-clock-control", "disabled", "no-right", "refused", "restart-needed": as hf_steering
 * says it. */
const char *control_steering_name(enum control_steering steering);

/* The host's clock as its kernel has it, with ntpq's units. */
struct control_kernel {
    double offset_ms; /* what the kernel itself is to slew away */
    double frequency_ppm, tolerance_ppm;
    double maximum_error_ms, estimated_error_ms, precision_ms;
    int64_t time_constant;
    char flags[128]; /* "unsync ins": names of the bits of its status, blanks between them */
};

/* What the host knows and the engine does not. Strings are never NULL. */
struct control_terms {
    const struct clients *const *tables;   /* of the server threads, beside the engine's own */
    size_t table_count;                    /* at most CONTROL_TABLES_MAX */
    const struct control_traffic *traffic; /* NULL = not counted: left out */
    const struct control_kernel *kernel;   /* NULL = not known: left out */
    const struct service_counts *threads;  /* sum over the server threads; NULL = none */
    const char *version;                   /* "holdfastd 0.3.0" */
    const char *processor, *system;        /* as uname(2) says */
    uint8_t nonce_key[16];                 /* secret; seals the nonces of READ_MRU */
    int32_t tai_s;                         /* TAI - UTC if known, else 0 */
    enum control_steering steering;
};

/* A whole answer, to be cut into datagrams. */
struct control_reply {
    uint8_t header[CONTROL_HEADER_SIZE]; /* of the first one, without its count */
    size_t size;                         /* of the data */
    uint8_t data[CONTROL_FRAGMENTS_MAX * CONTROL_DATA_MAX];
};

/* Makes the answer to one request; false when none is due. Judged in order: form, mode and version,
 * address, access list (ignore, noquery, nomrulist), opcode. A request with a MAC is answered as if
 * it had none. Numbers have ntpq's units: offsets, delays, dispersions and jitters in milliseconds,
 * frequency in ppm, times as hexadecimal NTP timestamps. */
bool control_reply_make(const struct engine *e, const struct control_terms *terms,
                        const struct datagram *in, struct instant now, struct control_reply *reply);

/* Writes fragment number `fragment` (0, 1, ...) of the answer and returns its size; 0 when there
 * are no more. */
size_t control_reply_fragment(const struct control_reply *reply, unsigned fragment,
                              uint8_t bytes[CONTROL_SIZE_MAX]);

/* Token bucket over all that mode 6 sends: 50,000 bytes a second, a burst of one full answer. */
struct control_meter {
    double credit_bytes;
    mono_time at;
};

void control_meter_init(struct control_meter *meter, mono_time now);

/* True when an answer may begin now; take off what was sent by control_meter_spend(). One answer
 * may overdraw the bucket, so that small ones are not kept waiting for room that they do not
 * need. */
bool control_meter_admits(struct control_meter *meter, mono_time now);
void control_meter_spend(struct control_meter *meter, size_t bytes);

/* When control_meter_admits() is true again, if nothing more is spent; the last call's instant or
 * before when it is now. */
mono_time control_meter_ready(const struct control_meter *meter);

#endif
