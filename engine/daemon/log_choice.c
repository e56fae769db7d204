/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * logconfig's words to bits, and the bits of a record; see log_choice.h.
 */
#include "log_choice.h"

#include <string.h>

enum log_class { CLASS_CLOCK, CLASS_PEER, CLASS_SYNC, CLASS_SYS, CLASSES };
enum log_kind { KIND_INFO, KIND_EVENTS, KIND_STATISTICS, KIND_STATUS, KINDS };

static const char *const class_names[CLASSES] = {"clock", "peer", "sync", "sys"};
static const char *const kind_names[KINDS] = {"info", "events", "statistics", "status"};

static unsigned bit(unsigned family, unsigned kind)
{
    return 1u << (family * KINDS + kind);
}

/* The bits of "syncstatus", "peer", "clockall", "all". */
static unsigned bits_of(const char *word)
{
    unsigned bits = 0;
    for (unsigned family = 0; family < CLASSES; family++) {
        size_t length = strlen(class_names[family]);
        bool is_all = strcmp(word, "all") == 0;
        if (!is_all && strncmp(word, class_names[family], length) != 0) {
            continue;
        }
        const char *rest = is_all ? "" : word + length;
        for (unsigned kind = 0; kind < KINDS; kind++) {
            if (!*rest || strcmp(rest, "all") == 0 || strcmp(rest, kind_names[kind]) == 0) {
                bits |= bit(family, kind);
            }
        }
    }
    return bits;
}

log_choice log_choice_read(const char *const *words, size_t count)
{
    unsigned choice = LOG_CHOICE_ALL;
    for (size_t i = 0; i < count; i++) {
        const char *word = words[i];
        char sign = strchr("=+-", *word) ? *word++ : '+';
        unsigned bits = bits_of(word);
        if (sign == '=') {
            choice = bits;
        } else if (sign == '+') {
            choice |= bits;
        } else {
            choice &= ~bits;
        }
    }
    return (log_choice)choice;
}

bool log_choice_wants(log_choice choice, const struct trace_record *record)
{
    unsigned bits = 0;
    switch (record->kind) {
    case TRACE_STATE:
        bits = bit(CLASS_SYNC, KIND_STATUS);
        break;
    case TRACE_LEADER:
    case TRACE_DISPUTE:
        bits = bit(CLASS_SYNC, KIND_EVENTS);
        break;
    case TRACE_STEP:
    case TRACE_CLOCK:
        bits = bit(CLASS_CLOCK, KIND_EVENTS);
        break;
    case TRACE_LOOP:
        bits = bit(CLASS_CLOCK, KIND_STATISTICS);
        break;
    case TRACE_SPIKE:
        bits = bit(CLASS_CLOCK, KIND_INFO);
        break;
    case TRACE_REACH:
        bits = bit(CLASS_PEER, KIND_STATUS);
        break;
    case TRACE_KISS:
        bits = bit(CLASS_PEER, KIND_EVENTS);
        break;
    case TRACE_REJECT:
        bits = bit(CLASS_PEER, KIND_INFO);
        break;
    case TRACE_SAMPLE:
    case TRACE_RAW:
        bits = bit(CLASS_PEER, KIND_STATISTICS);
        break;
    case TRACE_DENIED:
        bits = bit(CLASS_SYS, KIND_INFO);
        break;
    case TRACE_KINDS:
        break;
    }
    return (choice & bits) != 0;
}
