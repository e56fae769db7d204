/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Complaints about what was read. Collects them and gives them their text form; never prints one.
 */
#include "messages.h"

#include <stdbool.h>
#include <string.h>

static void message_free(gpointer data)
{
    struct message *message = data;
    g_free(message->file);
    g_free(message->text);
    g_free(message);
}

struct messages *messages_new(void)
{
    struct messages *messages = g_new0(struct messages, 1);
    messages->list = g_ptr_array_new_with_free_func(message_free);
    return messages;
}

void messages_free(struct messages *messages)
{
    if (messages) {
        g_ptr_array_free(messages->list, TRUE);
        g_free(messages);
    }
}

/* Messages quote words of files that anybody may have written, and end on somebody's terminal.
 * Takes `text` and returns what may be shown of it. */
static char *printable(char *text)
{
    GString *out = g_string_sized_new(strlen(text));
    for (const char *at = text; *at;) {
        gunichar c = g_utf8_get_char_validated(at, -1);
        bool is_shown = c < 0x110000 && g_unichar_isprint(c);
        int size = c < 0x110000 ? g_unichar_to_utf8(c, NULL) : 1;
        for (const char *end = at + size; at < end; at++) {
            if (is_shown) {
                g_string_append_c(out, *at);
            } else {
                g_string_append_printf(out, "\\x%02x", (unsigned)(unsigned char)*at);
            }
        }
    }
    g_free(text);
    return g_string_free(out, FALSE);
}

void messages_add_list(struct messages *messages, enum severity severity, const char *file,
                       unsigned line, unsigned column, const char *format, va_list arguments)
{
    struct message *message = g_new0(struct message, 1);
    message->severity = severity;
    message->file = printable(g_strdup(file));
    message->line = line;
    message->column = column;
    message->text = printable(g_strdup_vprintf(format, arguments));
    g_ptr_array_add(messages->list, message);
    messages->errors += severity == SEVERITY_ERROR;
    messages->warnings += severity == SEVERITY_WARNING;
}

void messages_add(struct messages *messages, enum severity severity, const char *file,
                  unsigned line, unsigned column, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    messages_add_list(messages, severity, file, line, column, format, arguments);
    va_end(arguments);
}

struct rank {
    struct message *message;
    unsigned file, order;
};

static gint compare_ranks(gconstpointer left, gconstpointer right, gpointer context)
{
    const struct rank *a = left, *b = right;
    (void)context;
    if (a->file != b->file) {
        return a->file < b->file ? -1 : 1;
    }
    if (a->message->line != b->message->line) {
        return a->message->line < b->message->line ? -1 : 1;
    }
    return (a->order > b->order) - (a->order < b->order);
}

void messages_sort(struct messages *messages, unsigned first)
{
    unsigned count = messages->list->len - first;
    if (count < 2) {
        return;
    }
    gpointer *list = messages->list->pdata + first;
    struct rank *ranks = g_new0(struct rank, count);
    GHashTable *files = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < count; i++) {
        struct message *message = list[i];
        if (!g_hash_table_contains(files, message->file)) {
            g_hash_table_insert(files, message->file, GUINT_TO_POINTER(i));
        }
        unsigned file = GPOINTER_TO_UINT(g_hash_table_lookup(files, message->file));
        ranks[i] = (struct rank){message, file, i};
    }
    g_qsort_with_data(ranks, (gint)count, sizeof *ranks, compare_ranks, NULL);
    for (unsigned i = 0; i < count; i++) {
        list[i] = ranks[i].message;
    }
    g_hash_table_destroy(files);
    g_free(ranks);
}

static const char *severity_name(enum severity severity)
{
    switch (severity) {
    case SEVERITY_NOTE:
        return "note";
    case SEVERITY_WARNING:
        return "warning";
    case SEVERITY_ERROR:
        return "error";
    }
    return "error";
}

char *place_text(const struct place *place)
{
    return place->file ? g_strdup_printf("%s:%u:%u: ", place->file, place->line, place->column)
                       : g_strdup("");
}

char *message_text(const struct message *message)
{
    GString *out = g_string_new(message->file);
    if (message->line > 0) {
        g_string_append_printf(out, ":%u", message->line);
        if (message->column > 0) {
            g_string_append_printf(out, ":%u", message->column);
        }
    }
    g_string_append_printf(out, ": %s: %s", severity_name(message->severity), message->text);
    return g_string_free(out, FALSE);
}
