/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One question of mode 6 and its answer; see control_answer.h.
 */
#include "control_answer.h"

#include <assert.h>
#include <glib.h>
#include <math.h>
#include <string.h>

#include "../engine/packet.h"

/* Layout (RFC 9327 section 2): LI VN mode, R E M opcode, then six 16-bit words. ntpq asks in
 * version 2, which every server answers. */
enum { HEADER_SIZE = 12, VERSION = 2 };
enum { BIT_RESPONSE = 0x80, BIT_ERROR = 0x40, BIT_MORE = 0x20, OPCODE_MASK = 0x1f };

static uint16_t word_at(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void put_word(uint8_t *bytes, size_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

size_t control_question_write(const struct control_question *question, const char *text,
                              uint8_t bytes[CONTROL_REQUEST_MAX])
{
    size_t length = strlen(text);
    size_t size = (HEADER_SIZE + length + 3) / 4 * 4;
    assert(size <= CONTROL_REQUEST_MAX);
    memset(bytes, 0, size);
    bytes[0] = VERSION << 3 | MODE_CONTROL;
    bytes[1] = question->opcode;
    put_word(bytes + 2, question->sequence);
    put_word(bytes + 6, question->association);
    put_word(bytes + 10, length);
    for (size_t i = 0; i < length; i++) { /* bytes, not a string: no NUL goes along */
        bytes[HEADER_SIZE + i] = (uint8_t)text[i];
    }
    return size;
}

void control_answer_begin(struct control_answer *answer, const struct control_question *question)
{
    memset(answer, 0, sizeof *answer);
    answer->question = *question;
}

static bool is_there(const struct control_answer *answer, size_t at)
{
    return (answer->is_there[at / 8] >> at % 8 & 1) != 0;
}

static bool is_answer_to(const struct control_question *question, const uint8_t *bytes)
{
    return (bytes[0] & 7) == MODE_CONTROL && (bytes[1] & BIT_RESPONSE) != 0 &&
           (bytes[1] & OPCODE_MASK) == question->opcode &&
           word_at(bytes + 2) == question->sequence && word_at(bytes + 6) == question->association;
}

/* Neither all new nor all there already with the same bytes: it contradicts what came before. */
static bool contradicts(const struct control_answer *answer, size_t offset, const uint8_t *data,
                        size_t count)
{
    size_t old = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_there(answer, offset + i)) {
            old++;
            if (answer->bytes[offset + i] != data[i]) {
                return true;
            }
        }
    }
    return old != 0 && old != count;
}

static void look_for_end(struct control_answer *answer)
{
    if (!answer->end_is_known) {
        return;
    }
    for (size_t i = 0; i < answer->size; i++) {
        if (!is_there(answer, i)) {
            return;
        }
    }
    answer->is_complete = true;
}

enum fragment_verdict control_answer_take(struct control_answer *answer, const uint8_t *bytes,
                                          size_t size)
{
    if (answer->is_complete || size < HEADER_SIZE || !is_answer_to(&answer->question, bytes)) {
        return FRAGMENT_FOREIGN;
    }
    if (bytes[1] & BIT_ERROR) {
        answer->status = word_at(bytes + 4);
        answer->error = bytes[4] != 0 ? bytes[4] : UINT8_MAX; /* an error without a code is one */
        answer->is_complete = true;
        return FRAGMENT_TAKEN;
    }
    size_t offset = word_at(bytes + 8), count = word_at(bytes + 10), end = offset + count;
    bool is_last = (bytes[1] & BIT_MORE) == 0;
    bool fits = count <= size - HEADER_SIZE && end <= CONTROL_ANSWER_MAX &&
                (answer->end_is_known ? end <= answer->size && (!is_last || end == answer->size)
                                      : !is_last || end >= answer->size);
    if (!fits || contradicts(answer, offset, bytes + HEADER_SIZE, count)) {
        return FRAGMENT_MALFORMED;
    }
    memcpy(answer->bytes + offset, bytes + HEADER_SIZE, count);
    for (size_t i = offset; i < end; i++) {
        answer->is_there[i / 8] |= (uint8_t)(1u << i % 8);
    }
    answer->status = word_at(bytes + 4);
    answer->end_is_known = answer->end_is_known || is_last;
    answer->size = MAX(answer->size, end);
    look_for_end(answer);
    return FRAGMENT_TAKEN;
}

bool control_answer_association(const struct control_answer *answer, size_t index,
                                uint16_t *association, uint16_t *status)
{
    if (answer->error || index >= answer->size / 4) {
        return false;
    }
    *association = word_at(answer->bytes + 4 * index);
    *status = word_at(answer->bytes + 4 * index + 2);
    return true;
}

/* The text from *at up to a comma outside of quotes, *at behind the comma. */
static void next_item(const struct control_answer *answer, size_t *at, size_t *start, size_t *end)
{
    bool quoted = false;
    *start = *at;
    while (*at < answer->size && (quoted || answer->bytes[*at] != ',')) {
        quoted = quoted != (answer->bytes[*at] == '"');
        ++*at;
    }
    *end = *at;
    *at += *at < answer->size;
}

static void trim(const uint8_t *bytes, size_t *start, size_t *end)
{
    while (*start < *end && bytes[*start] <= ' ') {
        ++*start;
    }
    while (*end > *start && bytes[*end - 1] <= ' ') {
        --*end;
    }
}

static bool copy_value(const uint8_t *bytes, size_t start, size_t end,
                       char value[CONTROL_VALUE_MAX])
{
    trim(bytes, &start, &end);
    if (end - start >= 2 && bytes[start] == '"' && bytes[end - 1] == '"') {
        start++;
        end--;
    }
    if (end - start >= CONTROL_VALUE_MAX) {
        return false;
    }
    for (size_t i = start; i < end; i++) {
        value[i - start] = (char)(bytes[i] >= ' ' && bytes[i] < 0x7f ? bytes[i] : '?');
    }
    value[end - start] = '\0';
    return true;
}

bool control_answer_variable(const struct control_answer *answer, const char *name,
                             char value[CONTROL_VALUE_MAX])
{
    size_t length = strlen(name), at = 0, start, end;
    while (!answer->error && at < answer->size) {
        next_item(answer, &at, &start, &end);
        size_t equals = start;
        while (equals < end && answer->bytes[equals] != '=') {
            equals++;
        }
        size_t name_end = equals;
        trim(answer->bytes, &start, &name_end);
        if (name_end - start == length && memcmp(answer->bytes + start, name, length) == 0) {
            return copy_value(answer->bytes, MIN(equals + 1, end), end, value);
        }
    }
    return false;
}

bool control_answer_number(const struct control_answer *answer, const char *name, double *value)
{
    char text[CONTROL_VALUE_MAX];
    double number;
    if (!control_answer_variable(answer, name, text) || text[0] == '\0') {
        return false;
    }
    char *rest;
    number = g_ascii_strtod(text, &rest);
    if (*rest != '\0' || !isfinite(number)) {
        return false;
    }
    *value = number;
    return true;
}

const char *control_answer_error_text(uint8_t error)
{
    static const char *const texts[] = {[CONTROL_FINE] = "no error",
                                        [CONTROL_PERMISSION] = "permission denied",
                                        [CONTROL_BAD_FORMAT] = "bad format",
                                        [CONTROL_BAD_OPCODE] = "unknown opcode",
                                        [CONTROL_BAD_ASSOCIATION] = "unknown association",
                                        [CONTROL_UNKNOWN_VARIABLE] = "unknown variable",
                                        [CONTROL_BAD_VALUE] = "bad value",
                                        [CONTROL_PROHIBITED] = "prohibited"};
    return error < G_N_ELEMENTS(texts) ? texts[error] : "an error without a known code";
}
