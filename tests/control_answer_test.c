/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers of mode 6 put together from fragments, well meant and hostile, and the variables in them.
 */
#include "../sim/control_answer.h"

#include <glib.h>
#include <stdlib.h>

#include "check.h"

static const struct control_question question = {CONTROL_OP_READVAR, 0x1234, 7};

enum { FRAGMENT_MAX = CONTROL_ANSWER_DATAGRAM_MAX, MORE = 0x20, ERROR_BIT = 0x40 };

/* A fragment that answers the question; returns its size. */
static size_t make(uint8_t *bytes, size_t offset, const void *data, size_t count, unsigned bits)
{
    const uint8_t head[12] = {2 << 3 | 6,
                              (uint8_t)(0x80 | bits | CONTROL_OP_READVAR),
                              0x12,
                              0x34,
                              0x56,
                              0x78,
                              0,
                              7,
                              (uint8_t)(offset >> 8),
                              (uint8_t)offset,
                              (uint8_t)(count >> 8),
                              (uint8_t)count};
    memcpy(bytes, head, sizeof head);
    memcpy(bytes + sizeof head, data, count);
    return sizeof head + count;
}

static enum fragment_verdict take(struct control_answer *answer, size_t offset, const char *text,
                                  unsigned bits)
{
    uint8_t bytes[FRAGMENT_MAX];
    size_t size = make(bytes, offset, text, strlen(text), bits);
    return control_answer_take(answer, bytes, size);
}

static struct control_answer *begin(void)
{
    struct control_answer *answer = g_new(struct control_answer, 1);
    control_answer_begin(answer, &question);
    return answer;
}

/* A complete answer of one fragment. */
static struct control_answer *answer_of(const char *text)
{
    struct control_answer *answer = begin();
    CHECK_INT(take(answer, 0, text, 0), FRAGMENT_TAKEN);
    CHECK(answer->is_complete);
    return answer;
}

static void a_question_has_the_bytes_of_rfc_9327(void)
{
    static const uint8_t expected[] = {0x16, 2, 0x12, 0x34, 0,   0,   0,   7, 0, 0,
                                       0,    5, 'a',  ',',  'b', '=', 'c', 0, 0, 0};
    uint8_t bytes[CONTROL_REQUEST_MAX];
    CHECK_INT(control_question_write(&question, "a,b=c", bytes), sizeof expected);
    CHECK(memcmp(bytes, expected, sizeof expected) == 0);
    CHECK_INT(control_question_write(&question, "", bytes), 12);
}

static void fragments_come_together_in_any_order(void)
{
    static const unsigned orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {2, 0, 1}};
    static const char *const parts[] = {"a=1,", "b=2,", "c=3"};
    char value[CONTROL_VALUE_MAX];
    for (size_t o = 0; o < G_N_ELEMENTS(orders); o++) {
        struct control_answer *answer = begin();
        for (unsigned i = 0; i < 3; i++) {
            unsigned part = orders[o][i];
            CHECK(!answer->is_complete);
            CHECK_INT(take(answer, 4 * part, parts[part], part < 2 ? MORE : 0), FRAGMENT_TAKEN);
        }
        CHECK(answer->is_complete);
        CHECK_INT(answer->size, 11);
        CHECK_INT(answer->status, 0x5678);
        CHECK(control_answer_variable(answer, "b", value));
        CHECK_STR(value, "2");
        g_free(answer);
    }
}

static void a_missing_fragment_leaves_the_answer_incomplete(void)
{
    struct control_answer *answer = begin();
    take(answer, 0, "a=1,", MORE);
    take(answer, 8, "c=3", 0);
    CHECK(!answer->is_complete);
    take(answer, 4, "b=2", MORE); /* one byte short */
    CHECK(!answer->is_complete);
    take(answer, 7, ",", MORE);
    CHECK(answer->is_complete);
    g_free(answer);
}

static void the_same_fragment_twice_is_no_harm_and_another_in_its_place_is_refused(void)
{
    struct control_answer *answer = begin();
    CHECK_INT(take(answer, 0, "a=1,", MORE), FRAGMENT_TAKEN);
    CHECK_INT(take(answer, 0, "a=1,", MORE), FRAGMENT_TAKEN);
    CHECK_INT(take(answer, 0, "a=9,", MORE), FRAGMENT_MALFORMED);
    CHECK_INT(take(answer, 2, "1,b=", MORE), FRAGMENT_MALFORMED); /* half of it is new */
    CHECK_INT(take(answer, 4, "b=2", 0), FRAGMENT_TAKEN);
    CHECK(answer->is_complete);
    CHECK(memcmp(answer->bytes, "a=1,b=2", 7) == 0);
    g_free(answer);
}

static void nothing_lies_beyond_the_end_and_there_is_one_end(void)
{
    struct control_answer *answer = begin();
    CHECK_INT(take(answer, 4, "b=2", 0), FRAGMENT_TAKEN);
    CHECK_INT(take(answer, 7, ",c=3", MORE), FRAGMENT_MALFORMED);
    CHECK_INT(take(answer, 0, "a=1", 0), FRAGMENT_MALFORMED); /* a second end, before the first */
    CHECK_INT(take(answer, 7, "x", 0), FRAGMENT_MALFORMED);
    CHECK_INT(answer->size, 7);
    control_answer_begin(answer, &question);
    CHECK_INT(take(answer, 4, "b=2,", MORE), FRAGMENT_TAKEN);
    CHECK_INT(take(answer, 0, "a=1,", 0), FRAGMENT_MALFORMED); /* an end before what is there */
    CHECK(!answer->is_complete);
    g_free(answer);
}

static void what_is_longer_than_it_can_be_is_refused(void)
{
    struct control_answer *answer = begin();
    uint8_t bytes[FRAGMENT_MAX] = {0};
    size_t size = make(bytes, 0, "a=1", 3, 0);
    CHECK_INT(control_answer_take(answer, bytes, size - 1), FRAGMENT_MALFORMED);
    bytes[10] = bytes[11] = 0xff; /* 65,535 bytes of data */
    CHECK_INT(control_answer_take(answer, bytes, size), FRAGMENT_MALFORMED);
    size = make(bytes, CONTROL_ANSWER_MAX - 2, "a=1", 3, MORE);
    CHECK_INT(control_answer_take(answer, bytes, size), FRAGMENT_MALFORMED);
    size = make(bytes, 65535, "a", 1, 0);
    CHECK_INT(control_answer_take(answer, bytes, size), FRAGMENT_MALFORMED);
    CHECK_INT(answer->size, 0);
    size = make(bytes, CONTROL_ANSWER_MAX - 3, "a=1", 3, 0);
    CHECK_INT(control_answer_take(answer, bytes, size), FRAGMENT_TAKEN); /* the last that fits */
    CHECK(!answer->is_complete);
    g_free(answer);
}

static void what_answers_another_question_is_foreign(void)
{
    static const struct {
        size_t at;
        uint8_t flip;
    } changes[] = {{0, 1}, {1, 0x80}, {1, 1}, {2, 1}, {3, 0x10}, {6, 1}, {7, 1}};
    struct control_answer *answer = begin();
    uint8_t bytes[FRAGMENT_MAX];
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        size_t size = make(bytes, 0, "a=1", 3, 0);
        bytes[changes[i].at] ^= changes[i].flip;
        CHECK_INT(control_answer_take(answer, bytes, size), FRAGMENT_FOREIGN);
    }
    for (size_t size = 0; size < 12; size++) {
        make(bytes, 0, "", 0, 0);
        CHECK_INT(control_answer_take(answer, bytes, size), FRAGMENT_FOREIGN);
    }
    CHECK(!answer->is_complete);
    g_free(answer);
}

static void nothing_changes_an_answer_that_is_complete(void)
{
    struct control_answer *answer = answer_of("a=1");
    uint8_t bytes[FRAGMENT_MAX];
    size_t size = make(bytes, 0, "", 0, ERROR_BIT);
    char value[CONTROL_VALUE_MAX];
    CHECK_INT(control_answer_take(answer, bytes, size), FRAGMENT_FOREIGN);
    CHECK_INT(take(answer, 0, "a=1", 0), FRAGMENT_FOREIGN);
    CHECK_INT(answer->error, CONTROL_FINE);
    CHECK(control_answer_variable(answer, "a", value));
    g_free(answer);
}

static void an_error_is_an_answer_without_variables(void)
{
    struct control_answer *answer = begin();
    uint8_t bytes[FRAGMENT_MAX];
    char value[CONTROL_VALUE_MAX];
    uint16_t association, status;
    size_t size = make(bytes, 0, "", 0, ERROR_BIT);
    bytes[4] = CONTROL_UNKNOWN_VARIABLE;
    take(answer, 0, "a=1,", MORE);
    CHECK_INT(control_answer_take(answer, bytes, size), FRAGMENT_TAKEN);
    CHECK(answer->is_complete);
    CHECK_INT(answer->error, CONTROL_UNKNOWN_VARIABLE);
    CHECK_STR(control_answer_error_text(answer->error), "unknown variable");
    CHECK(!control_answer_variable(answer, "a", value));
    CHECK(!control_answer_association(answer, 0, &association, &status));
    control_answer_begin(answer, &question);
    bytes[4] = 0; /* no code at all: an error all the same */
    CHECK_INT(control_answer_take(answer, bytes, size), FRAGMENT_TAKEN);
    CHECK(answer->error != CONTROL_FINE);
    CHECK_STR(control_answer_error_text(answer->error), "an error without a known code");
    g_free(answer);
}

static void variables_are_found_by_their_whole_name(void)
{
    struct control_answer *answer = answer_of(
        "version=\"ntpd 4.2.8p15@1, \"Tue\", x=1\", leap=0,\r\n  stratum = 3 , offset=-0.25,"
        "leap=2, flag, empty=, name=a=b,");
    char value[CONTROL_VALUE_MAX];
    double number = 9;
    CHECK(control_answer_variable(answer, "stratum", value));
    CHECK_STR(value, "3");
    CHECK(control_answer_variable(answer, "leap", value));
    CHECK_STR(value, "0"); /* the first of two */
    CHECK(!control_answer_variable(answer, "strat", value));
    CHECK(!control_answer_variable(answer, "tratum", value));
    CHECK(!control_answer_variable(answer, "absent", value));
    CHECK(control_answer_variable(answer, "name", value));
    CHECK_STR(value, "a=b");
    CHECK(control_answer_variable(answer, "flag", value));
    CHECK_STR(value, "");
    CHECK(control_answer_number(answer, "offset", &number));
    CHECK_NEAR(number, -0.25, 0);
    CHECK(!control_answer_number(answer, "empty", &number));
    CHECK(!control_answer_number(answer, "name", &number));
    CHECK_NEAR(number, -0.25, 0);
    g_free(answer);
}

static void commas_inside_of_quotes_do_not_end_a_value(void)
{
    struct control_answer *answer = answer_of("system=\"Linux, 6.1, x=9\", x=1");
    char value[CONTROL_VALUE_MAX];
    CHECK(control_answer_variable(answer, "system", value));
    CHECK_STR(value, "Linux, 6.1, x=9");
    CHECK(control_answer_variable(answer, "x", value));
    CHECK_STR(value, "1");
    g_free(answer);
    answer = answer_of("system=\"never closed, x=1");
    CHECK(!control_answer_variable(answer, "x", value));
    CHECK(control_answer_variable(answer, "system", value));
    g_free(answer);
}

static void no_byte_that_a_terminal_could_obey_comes_through(void)
{
    struct control_answer *answer = answer_of("a=\"x\033[2J\007\200\377y\",n=nan,i=inf,e=1e999");
    char value[CONTROL_VALUE_MAX];
    double number;
    CHECK(control_answer_variable(answer, "a", value));
    CHECK_STR(value, "x?[2J???y");
    CHECK(!control_answer_number(answer, "n", &number));
    CHECK(!control_answer_number(answer, "i", &number));
    CHECK(!control_answer_number(answer, "e", &number));
    g_free(answer);
}

static void a_value_that_is_too_long_is_not_there(void)
{
    char value[CONTROL_VALUE_MAX];
    for (size_t length = CONTROL_VALUE_MAX - 2; length <= CONTROL_VALUE_MAX + 1; length++) {
        GString *text = g_string_new("a=");
        for (size_t i = 0; i < length; i++) {
            g_string_append_c(text, 'x');
        }
        struct control_answer *answer = answer_of(text->str);
        CHECK_INT(control_answer_variable(answer, "a", value), length < CONTROL_VALUE_MAX);
        g_free(answer);
        g_string_free(text, TRUE);
    }
}

static void associations_come_in_pairs_of_words(void)
{
    static const uint8_t pairs[] = {0x00, 0x01, 0x96, 0x1a, 0xff, 0xfe, 0x80, 0x00, 0x12};
    struct control_answer *answer = begin();
    uint8_t bytes[FRAGMENT_MAX];
    uint16_t association = 0, status = 0;
    control_answer_take(answer, bytes, make(bytes, 0, pairs, sizeof pairs, 0));
    CHECK(control_answer_association(answer, 0, &association, &status));
    CHECK_INT(association, 1);
    CHECK_INT(status, 0x961a);
    CHECK(control_answer_association(answer, 1, &association, &status));
    CHECK_INT(association, 0xfffe);
    CHECK(!control_answer_association(answer, 2, &association, &status)); /* half a pair */
    CHECK(!control_answer_association(answer, SIZE_MAX / 4, &association, &status));
    g_free(answer);
}

/* What must hold of an answer whatever has come in. */
static bool is_sound(const struct control_answer *answer)
{
    if (answer->size > CONTROL_ANSWER_MAX) {
        return false;
    }
    for (size_t i = 0; i < CONTROL_ANSWER_MAX; i++) {
        bool there = (answer->is_there[i / 8] >> i % 8 & 1) != 0;
        if ((there && i >= answer->size) ||
            (!there && i < answer->size && answer->is_complete && !answer->error)) {
            return false;
        }
    }
    return true;
}

/* Headers that nearly fit, with sizes at the edges more often than chance would have them, and
 * pieces that can make a whole. */
static size_t random_fragment(GRand *random, uint8_t *bytes)
{
    static const guint32 edges[] = {0, 1, 468, CONTROL_ANSWER_MAX - 1, CONTROL_ANSWER_MAX, 65535};
    for (size_t i = 0; i < 64; i++) {
        bytes[i] = (uint8_t)g_rand_int(random);
    }
    guint32 size = g_rand_int(random) % 64;
    guint32 style = g_rand_int(random) % 8;
    if (style > 0) {
        guint32 choice = g_rand_int(random);
        guint32 offset = style > 3 ? choice % 4 * 16 : edges[choice % G_N_ELEMENTS(edges)];
        choice = g_rand_int(random);
        guint32 count = style > 4   ? 16
                        : style > 2 ? choice % 50
                                    : edges[choice % G_N_ELEMENTS(edges)];
        uint8_t data[50] = {0};
        guint32 bits = style >= 6 ? 0 : MORE;
        make(bytes, offset, data, MIN(count, 50), bits);
        bytes[10] = (uint8_t)(count >> 8);
        bytes[11] = (uint8_t)count;
        size = style == 5 ? size : 12 + MIN(count, 50);
    }
    return size;
}

static void any_bytes_in_any_order_leave_a_sound_answer(void)
{
    GRand *random = g_rand_new_with_seed(6);
    struct control_answer *answer = begin(), *before = begin();
    unsigned taken = 0, refused = 0, complete = 0;
    char value[CONTROL_VALUE_MAX];
    for (int round = 0; round < 300; round++) {
        control_answer_begin(answer, &question);
        for (int i = 0; i < 20; i++) {
            uint8_t *bytes = g_malloc(64); /* of its own, so that a byte read beyond it is seen */
            size_t size = random_fragment(random, bytes);
            uint8_t *exact = g_memdup2(bytes, size);
            *before = *answer;
            enum fragment_verdict verdict = control_answer_take(answer, exact, size);
            CHECK(is_sound(answer));
            CHECK(verdict == FRAGMENT_TAKEN || memcmp(before, answer, sizeof *answer) == 0);
            taken += verdict == FRAGMENT_TAKEN;
            refused += verdict == FRAGMENT_MALFORMED;
            g_free(exact);
            g_free(bytes);
        }
        complete += answer->is_complete;
        control_answer_variable(answer, "a", value);
    }
    CHECK(taken > 100 && refused > 100 && complete > 10); /* else nothing was tried */
    g_free(before);
    g_free(answer);
    g_rand_free(random);
}

const struct test_case control_answer_tests[] = {
    {"a_question_has_the_bytes_of_rfc_9327", a_question_has_the_bytes_of_rfc_9327},
    {"fragments_come_together_in_any_order", fragments_come_together_in_any_order},
    {"a_missing_fragment_leaves_the_answer_incomplete",
     a_missing_fragment_leaves_the_answer_incomplete},
    {"the_same_fragment_twice_is_no_harm_and_another_in_its_place_is_refused",
     the_same_fragment_twice_is_no_harm_and_another_in_its_place_is_refused},
    {"nothing_lies_beyond_the_end_and_there_is_one_end",
     nothing_lies_beyond_the_end_and_there_is_one_end},
    {"what_is_longer_than_it_can_be_is_refused", what_is_longer_than_it_can_be_is_refused},
    {"what_answers_another_question_is_foreign", what_answers_another_question_is_foreign},
    {"nothing_changes_an_answer_that_is_complete", nothing_changes_an_answer_that_is_complete},
    {"an_error_is_an_answer_without_variables", an_error_is_an_answer_without_variables},
    {"variables_are_found_by_their_whole_name", variables_are_found_by_their_whole_name},
    {"commas_inside_of_quotes_do_not_end_a_value", commas_inside_of_quotes_do_not_end_a_value},
    {"no_byte_that_a_terminal_could_obey_comes_through",
     no_byte_that_a_terminal_could_obey_comes_through},
    {"a_value_that_is_too_long_is_not_there", a_value_that_is_too_long_is_not_there},
    {"associations_come_in_pairs_of_words", associations_come_in_pairs_of_words},
    {"any_bytes_in_any_order_leave_a_sound_answer", any_bytes_in_any_order_leave_a_sound_answer},
    {NULL, NULL}};
