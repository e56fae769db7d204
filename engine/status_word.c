/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The status words of RFC 9327: see status_word.h.
 */
#include "status_word.h"

#include "engine_state.h"

enum { EVENT_COUNT_MAX = 15 };
enum { TIME_SOURCE_NONE = 0, TIME_SOURCE_NTP = 6 };
enum {
    PEER_CONFIGURED = 0x80,
    PEER_AUTHENTICATION = 0x40, /* is asked for */
    PEER_AUTHENTIC = 0x20,
    PEER_REACHABLE = 0x10
};

unsigned flash_of_verdict(unsigned verdict)
{
    switch ((enum source_verdict)verdict) {
    case SOURCE_SAMPLE:
    case SOURCE_STATE:
    case SOURCE_KISS:
    case SOURCE_VERDICTS:
        return 0;
    case SOURCE_BAD_MODE:
    case SOURCE_BAD_VERSION:
    case SOURCE_INSANE:
        return FLASH_HEADER;
    case SOURCE_RESTRICTED:
        return FLASH_DENIED;
    case SOURCE_NO_MAC:
    case SOURCE_CRYPTO_NAK:
    case SOURCE_BAD_AUTH:
        return FLASH_AUTH;
    case SOURCE_ZERO:
        return FLASH_UNSYNCHRONISED;
    case SOURCE_BOGUS:
    case SOURCE_REFLECTED:
    case SOURCE_FAR:
        return FLASH_BOGUS;
    case SOURCE_DUPLICATE:
    case SOURCE_OLD:
    case SOURCE_TOO_OFTEN:
        return FLASH_DUPLICATE;
    }
    return 0;
}

/* The counter tells events since the code changed last (RFC 9327 3.1). */
static void tally(struct event_tally *event, unsigned code)
{
    if (event->code != code) {
        *event = (struct event_tally){.code = (uint8_t)code, .count = 1};
    } else if (event->count < EVENT_COUNT_MAX) {
        event->count++;
    }
}

static void note_state(struct engine *e, enum system_state to)
{
    switch (to) {
    case STATE_SYNCHRONISED:
        tally(&e->event, SYSTEM_EVENT_SYNCHRONISED);
        break;
    case STATE_HOLDOVER:
        tally(&e->event, SYSTEM_EVENT_NO_PEER);
        break;
    case STATE_PANIC:
        tally(&e->event, SYSTEM_EVENT_PANIC);
        break;
    case STATE_UNSYNCHRONISED: /* a step or the end of holdover, whose event stands */
        break;
    }
}

static void note_peer(struct source *s, const struct trace_record *record)
{
    switch (record->kind) {
    case TRACE_LEADER:
        tally(&s->event, PEER_EVENT_SYSTEM_PEER);
        break;
    case TRACE_REACH:
        tally(&s->event,
              record->u.reach.is_reachable ? PEER_EVENT_REACHABLE : PEER_EVENT_UNREACHABLE);
        break;
    case TRACE_KISS:
        tally(&s->event, record->u.kiss.code == KISS_RATE ? PEER_EVENT_RATE : PEER_EVENT_DENIED);
        break;
    default:
        break;
    }
}

void status_word_note(struct engine *e, const struct trace_record *record, int source)
{
    if (record->kind == TRACE_STATE) {
        note_state(e, record->u.state.to);
    } else if (record->kind == TRACE_STEP) {
        tally(&e->event, SYSTEM_EVENT_STEP);
    } else if (record->kind == TRACE_SPIKE && e->discipline.phase == DISCIPLINE_SPIKE) {
        tally(&e->event, SYSTEM_EVENT_SPIKE);
    } else if (source >= 0) {
        note_peer(&e->sources[source], record);
    }
}

static unsigned event_bits(const struct event_tally *event)
{
    return (unsigned)event->count << 4 | event->code;
}

uint16_t status_word_of_system(const struct engine *e)
{
    unsigned kind = e->leader >= 0 ? TIME_SOURCE_NTP : TIME_SOURCE_NONE;
    return (uint16_t)((unsigned)e->system.leap << 14 | kind << 8 | event_bits(&e->event));
}

uint16_t status_word_of_peer(const struct source *s)
{
    unsigned status = PEER_CONFIGURED | s->selection;
    if (s->config->key != 0) {
        bool is_authentic = s->pmode != 0 && !(s->flash & FLASH_AUTH);
        status |= PEER_AUTHENTICATION | (is_authentic ? PEER_AUTHENTIC : 0u);
    }
    if (s->reach != 0) {
        status |= PEER_REACHABLE;
    }
    return (uint16_t)(status << 8 | event_bits(&s->event));
}
