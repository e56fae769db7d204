/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tests of config/ share: messages compared as their text, line by line.
 */
#ifndef HOLDFAST_MESSAGES_CHECK_H
#define HOLDFAST_MESSAGES_CHECK_H

#include <stdint.h>

#include "../engine/config/messages.h"
#include "check.h"

/* Ends the test when it does not hold: what follows would read what is not there. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        CU_assertImplementation((condition) ? CU_TRUE : CU_FALSE, __LINE__, #condition, __FILE__,  \
                                "", CU_TRUE);                                                      \
    } while (0)

/* All messages, each with a newline after it. Free with g_free(). */
static inline char *all_messages(const struct messages *messages)
{
    GString *all = g_string_new("");
    for (guint i = 0; i < messages->list->len; i++) {
        char *text = message_text(messages->list->pdata[i]);
        g_string_append_printf(all, "%s\n", text);
        g_free(text);
    }
    return g_string_free(all, FALSE);
}

/* The messages are these, in this order, and no other; then they are freed. */
static inline void check_messages(struct messages *messages, const char *expected, const char *file,
                                  unsigned line)
{
    char *all = all_messages(messages);
    check_text(all, expected, "messages", file, line);
    g_free(all);
    messages_free(messages);
}

#define CHECK_MESSAGES(messages, expected)                                                         \
    check_messages((messages), (expected), __FILE__, __LINE__)

/* A linear congruential generator with a fixed seed: the same bytes in every run. */
static inline unsigned next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*state >> 33);
}

#endif
