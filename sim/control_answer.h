/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One question of mode 6 and its answer (RFC 9327): the request's bytes, the answer put together
 * from its fragments, the variables in it.
 *
 * The server is not trusted: any bytes in any order give a verdict each, what does not fit is left
 * out, the first that fits stands, and no text keeps a byte that a terminal could obey. Sends and
 * receives nothing.
 */
#ifndef HOLDFAST_CONTROL_ANSWER_H
#define HOLDFAST_CONTROL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../engine/control_request.h"

enum {
    CONTROL_REQUEST_MAX = 480,         /* bytes of a request: header and text */
    CONTROL_ANSWER_MAX = 32 * 468,     /* bytes of data: as many fragments as ntpq takes */
    CONTROL_ANSWER_DATAGRAM_MAX = 2048 /* of one fragment; what is longer is none */
};

struct control_question {
    uint8_t opcode; /* enum control_operation */
    uint16_t sequence;
    uint16_t association; /* 0 = the system */
};

/* Writes the request with `text` (names, comma-separated; "" = all) and returns its size, a
 * multiple of 4. The text is ours and fits. */
size_t control_question_write(const struct control_question *question, const char *text,
                              uint8_t bytes[CONTROL_REQUEST_MAX]);

struct control_answer {
    struct control_question question;
    uint16_t status;  /* of the system or the association; of any fragment, they agree or not */
    uint8_t error;    /* enum control_fault, or a code that RFC 9327 does not know */
    bool is_complete; /* all bytes are there, or it is an error */
    bool end_is_known;
    size_t size; /* up to the end that is known, else up to the last byte that is there */
    uint8_t bytes[CONTROL_ANSWER_MAX];
    uint8_t is_there[CONTROL_ANSWER_MAX / 8]; /* a bit for each byte */
};

/* An answer of which nothing has come yet. */
void control_answer_begin(struct control_answer *answer, const struct control_question *question);

enum fragment_verdict {
    FRAGMENT_TAKEN,    /* or the very same was there already; look at is_complete */
    FRAGMENT_FOREIGN,  /* no answer to this question: other mode, opcode, sequence, association */
    FRAGMENT_MALFORMED /* shorter than it says, beyond the limit, overlapping, beyond the end */
};

/* Takes one datagram. Whatever is not FRAGMENT_TAKEN leaves the answer as it was, and so does
 * everything after it is complete. */
enum fragment_verdict control_answer_take(struct control_answer *answer, const uint8_t *bytes,
                                          size_t size);

/* Entry `index` of a complete READSTAT answer; false when there is none. */
bool control_answer_association(const struct control_answer *answer, size_t index,
                                uint16_t *association, uint16_t *status);

enum { CONTROL_VALUE_MAX = 256 };

/* The value of variable `name` in a complete READVAR answer, without quotes and surrounding blanks;
 * bytes outside of printable ASCII become '?'. False when it is not there or has CONTROL_VALUE_MAX
 * bytes or more. The first of several counts. */
bool control_answer_variable(const struct control_answer *answer, const char *name,
                             char value[CONTROL_VALUE_MAX]);

/* The same as a finite number; false when it is none. */
bool control_answer_number(const struct control_answer *answer, const char *name, double *value);

/* "unknown variable" and the like. */
const char *control_answer_error_text(uint8_t error);

#endif
