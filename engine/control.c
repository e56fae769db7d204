/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mode 6: who may ask what, and the answer cut into fragments. See control.h. What is told is in
 * control_system.c, control_peer.c and control_mru.c.
 */
#include "control.h"

#include <math.h>
#include <string.h>

#include "control_mru.h"
#include "control_peer.h"
#include "control_request.h"
#include "control_system.h"
#include "control_text.h"
#include "engine_state.h"

enum { BIT_RESPONSE = 0x80, BIT_ERROR = 0x40, BIT_MORE = 0x20 };

#define METER_RATE 50000.0 /* bytes a second */
#define METER_BURST ((double)(CONTROL_FRAGMENTS_MAX * CONTROL_SIZE_MAX))

static size_t padded(size_t size)
{
    return (size + 3) / 4 * 4;
}

static void put_word(uint8_t *bytes, size_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

/* A fault in place of an answer has its number in the upper octet of the status word. */
static void put_header(const struct control_request *request, unsigned marks, uint16_t status,
                       uint8_t header[CONTROL_HEADER_SIZE])
{
    header[0] = (uint8_t)(request->version << 3 | MODE_CONTROL);
    header[1] = (uint8_t)(BIT_RESPONSE | marks | request->opcode);
    put_word(header + 2, request->sequence);
    put_word(header + 4, status);
    put_word(header + 6, request->association);
    put_word(header + 8, 0);
    put_word(header + 10, 0);
}

static bool is_permitted(const struct engine *e, const struct datagram *in, unsigned *flags,
                         bool *is_stranger)
{
    struct service_rules rules = engine_service_rules(e);
    if (!service_believes_source(&rules, in)) {
        return false;
    }
    struct access_decision decision = access_check(rules.access, &in->peer);
    *flags = decision.flags;
    *is_stranger = decision.is_default;
    return (decision.flags & (ACCESS_IGNORE | ACCESS_NOQUERY)) == 0;
}

/* What is asked of the system or of an association: its status word, and the text. */
static enum control_fault answer_reading(const struct engine *e, const struct control_terms *terms,
                                         struct instant now, const struct control_request *request,
                                         uint16_t *status, struct control_text *text)
{
    size_t source;
    if (request->association == 0) {
        *status = status_word_of_system(e);
        if (request->opcode == CONTROL_OP_READSTAT) {
            control_peer_list(e, text);
            return CONTROL_FINE;
        }
        return control_system_variables(e, terms, now, request, text);
    }
    if (!control_peer_find(e, request->association, &source)) {
        return CONTROL_BAD_ASSOCIATION;
    }
    *status = status_word_of_peer(&e->sources[source]);
    struct control_request all = *request;
    if (request->opcode == CONTROL_OP_READSTAT) {
        all.size = 0; /* with its variables, as ntpd answers */
    }
    return control_peer_variables(e, source, now, &all, text);
}

static enum control_fault answer(const struct engine *e, const struct control_terms *terms,
                                 const struct datagram *in, struct instant now,
                                 const struct control_request *request, unsigned flags,
                                 uint16_t *status, struct control_text *text)
{
    switch (request->opcode) {
    case CONTROL_OP_READSTAT:
    case CONTROL_OP_READVAR:
        return answer_reading(e, terms, now, request, status, text);
    case CONTROL_OP_REQ_NONCE:
        *status = status_word_of_system(e);
        control_mru_give_nonce(terms, &in->peer.address, now.mono, text);
        control_text_plain(text, "\r\n");
        return CONTROL_FINE;
    case CONTROL_OP_READ_MRU:
        *status = status_word_of_system(e);
        return flags & ACCESS_NOMRULIST
                   ? CONTROL_PERMISSION
                   : control_mru_page(e, terms, &in->peer.address, now, request, text);
    case CONTROL_OP_READCLOCK:
        return CONTROL_BAD_ASSOCIATION; /* there is no reference clock */
    case CONTROL_OP_WRITEVAR:
    case CONTROL_OP_WRITECLOCK:
    case CONTROL_OP_SETTRAP:
    case CONTROL_OP_CONFIGURE:
    case CONTROL_OP_SAVECONFIG:
    case CONTROL_OP_READ_ORDLIST:
    case CONTROL_OP_UNSETTRAP:
        return CONTROL_PERMISSION;
    default:
        return CONTROL_BAD_OPCODE;
    }
}

/* Bytes of all datagrams of an answer with `size` bytes of data. */
static size_t total(size_t size)
{
    size_t fragments = size == 0 ? 1 : (size + CONTROL_DATA_MAX - 1) / CONTROL_DATA_MAX;
    return fragments * CONTROL_HEADER_SIZE + padded(size);
}

/* Writes the answer, or why there is none. */
static enum control_fault write_reply(const struct engine *e, const struct control_terms *terms,
                                      const struct datagram *in, struct instant now,
                                      const struct control_request *request, unsigned flags,
                                      struct control_reply *reply)
{
    uint16_t status = 0;
    struct control_text text = {.bytes = reply->data, .room = sizeof reply->data};
    enum control_fault fault = answer(e, terms, in, now, request, flags, &status, &text);
    put_header(request, 0, status, reply->header);
    reply->size = text.size;
    return fault;
}

bool control_reply_make(const struct engine *e, const struct control_terms *terms,
                        const struct datagram *in, struct instant now, struct control_reply *reply)
{
    struct control_request request;
    enum control_fault fault;
    unsigned flags;
    bool is_stranger;
    if (in->truncated || !control_request_parse(in->bytes, in->size, &request, &fault) ||
        !is_permitted(e, in, &flags, &is_stranger)) {
        return false;
    }
    if (fault == CONTROL_FINE) {
        fault = write_reply(e, terms, in, now, &request, flags, reply);
    }
    if (fault == CONTROL_FINE && reply->size > sizeof reply->data) {
        /* A long value asked for again and again: more than an answer may have. */
        fault = is_stranger ? CONTROL_SILENCE : CONTROL_BAD_VALUE;
    }
    if (fault != CONTROL_FINE) {
        put_header(&request, BIT_ERROR, (uint16_t)(fault << 8), reply->header);
        reply->size = 0;
        return fault != CONTROL_SILENCE;
    }
    return !is_stranger || total(reply->size) <= in->size;
}

size_t control_reply_fragment(const struct control_reply *reply, unsigned fragment,
                              uint8_t bytes[CONTROL_SIZE_MAX])
{
    size_t offset = (size_t)fragment * CONTROL_DATA_MAX;
    if (fragment > 0 && offset >= reply->size) {
        return 0;
    }
    size_t left = reply->size - offset;
    size_t count = left < CONTROL_DATA_MAX ? left : CONTROL_DATA_MAX;
    memset(bytes, 0, CONTROL_SIZE_MAX);
    memcpy(bytes, reply->header, CONTROL_HEADER_SIZE);
    bytes[1] |= left > count ? BIT_MORE : 0;
    put_word(bytes + 8, offset);
    put_word(bytes + 10, count);
    memcpy(bytes + CONTROL_HEADER_SIZE, reply->data + offset, count);
    return CONTROL_HEADER_SIZE + padded(count);
}

/* ---- the pace ------------------------------------------------------------------------------- */

void control_meter_init(struct control_meter *meter, mono_time now)
{
    *meter = (struct control_meter){.credit_bytes = METER_BURST, .at = now};
}

bool control_meter_admits(struct control_meter *meter, mono_time now)
{
    double earned = METER_RATE * fmax(mono_diff_s(now, meter->at), 0.0);
    meter->credit_bytes = fmin(meter->credit_bytes + earned, METER_BURST);
    meter->at = now;
    return meter->credit_bytes > 0.0;
}

void control_meter_spend(struct control_meter *meter, size_t bytes)
{
    meter->credit_bytes -= (double)bytes;
}

mono_time control_meter_ready(const struct control_meter *meter)
{
    if (meter->credit_bytes > 0.0) {
        return meter->at;
    }
    return mono_add_s(meter->at, (1.0 - meter->credit_bytes) / METER_RATE);
}
