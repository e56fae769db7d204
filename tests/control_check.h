/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asking an engine in mode 6, and putting its answer together: strict about every byte of it.
 *
 * The engine stands in the miniature network of wire.h, at 10.0.0.1; its access list knows
 * 10.0.0.0/8 and loopback, all others are strangers.
 */
#ifndef HOLDFAST_CONTROL_CHECK_H
#define HOLDFAST_CONTROL_CHECK_H

#include <stdlib.h>

#include "../engine/control.h"
#include "../engine/control_request.h"
#include "check.h"
#include "wire.h"

enum { ANSWER_MAX = CONTROL_FRAGMENTS_MAX * CONTROL_DATA_MAX, ENTRIES_MAX = 8 };

struct inquiry {
    struct wire *w;
    struct wire_node *n;
    struct restrict_entry entries[ENTRIES_MAX];
    struct control_terms terms;
    struct endpoint asker;
    struct address local;
    uint8_t version;
};

struct inquiry_answer {
    unsigned fragments; /* 0 = silence */
    unsigned fault;     /* 0 = none */
    uint16_t status;
    size_t sent; /* bytes of all datagrams */
    size_t size;
    char text[ANSWER_MAX + 1];
};

static inline struct restrict_entry inquiry_entry(uint8_t first, uint8_t prefix, unsigned flags)
{
    return (struct restrict_entry){.address = wire_address(first, 0, 0, 0),
                                   .prefix = prefix,
                                   .is_default = prefix == 0,
                                   .ippeerlimit = -1,
                                   .flags = (uint16_t)flags};
}

/* `upstreams` servers 1 ms apart, and what is added to the node's lines by the test. */
static inline struct inquiry *inquiry_new(int upstreams)
{
    struct inquiry *q = calloc(1, sizeof *q);
    q->w = wire_new();
    q->n = wire_add_node(q->w, wire_address(10, 0, 0, 1));
    for (int i = 0; i < upstreams; i++) {
        struct address address = wire_address(198, 51, 100, (uint8_t)(i + 1));
        wire_add_upstream(q->w, address)->offset_s = 0.001 * i;
        wire_add_line(q->n, ASSOCIATION_SERVER, address)->maxpoll = 6;
    }
    q->entries[0] = inquiry_entry(10, 8, 0);
    q->entries[1] = inquiry_entry(127, 8, 0);
    q->entries[2] = inquiry_entry(0, 0, 0);
    q->n->config.access = (struct access_list){q->entries, 3};
    q->n->config.client_capacity = 4096;
    q->terms = (struct control_terms){.version = "holdfastd 1.2.3",
                                      .processor = "abacus",
                                      .system = "Sand/1",
                                      .nonce_key = {3, 1, 4, 1, 5},
                                      .steering = CONTROL_STEERS};
    q->asker = (struct endpoint){wire_address(10, 9, 8, 7), 40000};
    q->local = q->n->own;
    q->version = 2;
    return q;
}

static inline void inquiry_free(struct inquiry *q)
{
    wire_free(q->w);
    free(q);
}

static inline unsigned inquiry_word(const uint8_t *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

/* The request's bytes, data padded to four octets; returns the size. */
static inline size_t inquiry_request(const struct inquiry *q, unsigned opcode, unsigned association,
                                     const char *data, uint8_t bytes[1024])
{
    size_t length = strlen(data);
    memset(bytes, 0, 1024); /* octets, with a count in front and no NUL behind */
    bytes[0] = (uint8_t)(q->version << 3 | MODE_CONTROL);
    bytes[1] = (uint8_t)opcode;
    bytes[2] = 0xBE;
    bytes[3] = 0xEF;
    bytes[6] = (uint8_t)(association >> 8);
    bytes[7] = (uint8_t)association;
    bytes[10] = (uint8_t)(length >> 8);
    bytes[11] = (uint8_t)length;
    for (size_t i = 0; i < length; i++) {
        bytes[CONTROL_HEADER_SIZE + i] = (uint8_t)data[i];
    }
    return (CONTROL_HEADER_SIZE + length + 3) / 4 * 4;
}

/* One fragment: every field of its header, its padding, its place. */
static inline void inquiry_take(struct inquiry_answer *a, const uint8_t *request,
                                const uint8_t *reply, size_t size)
{
    size_t count = inquiry_word(reply + 10);
    CHECK_INT(reply[0], request[0] & 0x3F);
    CHECK_INT(reply[1] & 0x9F, 0x80 | (request[1] & 0x1F));
    CHECK(memcmp(reply + 2, request + 2, 2) == 0);
    CHECK(memcmp(reply + 6, request + 6, 2) == 0);
    CHECK_INT(size, CONTROL_HEADER_SIZE + (count + 3) / 4 * 4);
    CHECK_INT(inquiry_word(reply + 8), a->size);
    for (size_t i = CONTROL_HEADER_SIZE + count; i < size; i++) {
        CHECK_INT(reply[i], 0);
    }
    a->status = (uint16_t)inquiry_word(reply + 4);
    a->fault = reply[1] & 0x40 ? reply[4] : 0;
    memcpy(a->text + a->size, reply + CONTROL_HEADER_SIZE, count);
    a->size += count;
    a->sent += size;
    a->fragments++;
}

static inline void inquiry_send_at(const struct inquiry *q, const uint8_t *bytes, size_t size,
                                   struct instant now, struct inquiry_answer *a)
{
    uint8_t *copy = malloc(size + 1); /* of its very size, so that a sanitizer sees an over-read */
    memcpy(copy, bytes, size);
    struct datagram in = {.peer = q->asker,
                          .local = {q->local, NTP_PORT},
                          .stamp = now.clock,
                          .kind = STAMP_KERNEL,
                          .bytes = copy,
                          .size = size};
    struct control_reply *reply = malloc(sizeof *reply); /* so that its end is seen too */
    uint8_t bytes_of[CONTROL_SIZE_MAX];
    size_t got;
    bool has_more = control_reply_make(q->n->engine, &q->terms, &in, now, reply);
    memset(a, 0, sizeof *a);
    while (has_more && (got = control_reply_fragment(reply, a->fragments, bytes_of)) > 0) {
        CHECK(a->fragments < CONTROL_FRAGMENTS_MAX && got <= sizeof bytes_of);
        has_more = (bytes_of[1] & 0x20) != 0;
        inquiry_take(a, copy, bytes_of, got);
        CHECK(!has_more || got == CONTROL_SIZE_MAX);
    }
    CHECK(!has_more);
    CHECK(a->fragments == 0 || control_reply_fragment(reply, a->fragments, bytes_of) == 0);
    free(reply);
    free(copy);
}

static inline void inquiry_send(const struct inquiry *q, const uint8_t *bytes, size_t size,
                                struct inquiry_answer *a)
{
    inquiry_send_at(q, bytes, size, wire_instant(q->n), a);
}

static inline void inquiry_ask(const struct inquiry *q, unsigned opcode, unsigned association,
                               const char *data, struct inquiry_answer *a)
{
    uint8_t bytes[1024];
    size_t size = inquiry_request(q, opcode, association, data, bytes);
    inquiry_send(q, bytes, size, a);
}

/* The text of a variable's value; "(none)" when it is not there. */
static inline const char *inquiry_value(const struct inquiry_answer *a, const char *name,
                                        char value[256])
{
    char wanted[64];
    size_t length = (size_t)snprintf(wanted, sizeof wanted, "%s=", name);
    snprintf(value, 256, "(none)");
    for (const char *at = a->text; (at = strstr(at, wanted)) != NULL; at += length) {
        if (at == a->text || at[-1] == ' ') {
            size_t end = strcspn(at + length, ",\r");
            snprintf(value, 256, "%.*s", (int)end, at + length);
            break;
        }
    }
    return value;
}

static inline double inquiry_number(const struct inquiry_answer *a, const char *name)
{
    char value[256], *end;
    inquiry_value(a, name, value);
    double number = strtod(value, &end);
    return *end == '\0' && end != value ? number : NAN;
}

#endif
