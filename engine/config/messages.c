/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Complaints about what was read. Collects them and gives them their text form; never prints one.
 */
#include "messages.h"

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

void messages_add_list(struct messages *messages, enum severity severity, const char *file,
                       unsigned line, unsigned column, const char *format, va_list arguments)
{
    struct message *message = g_new0(struct message, 1);
    message->severity = severity;
    message->file = g_strdup(file);
    message->line = line;
    message->column = column;
    message->text = g_strdup_vprintf(format, arguments);
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
