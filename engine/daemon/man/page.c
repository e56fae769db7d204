/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text in the macros of man(7); see page.h.
 */
#include "page.h"

#include <stdbool.h>
#include <string.h>

/* One character; a hyphen is a minus, so that what is copied from a page works. */
static void put(GString *out, char c)
{
    switch (c) {
    case '\\':
        g_string_append(out, "\\e");
        break;
    case '-':
        g_string_append(out, "\\-");
        break;
    case '\'':
        g_string_append(out, "\\(aq");
        break;
    case '`':
        g_string_append(out, "\\(ga");
        break;
    case '^':
        g_string_append(out, "\\(ha");
        break;
    case '~':
        g_string_append(out, "\\(ti");
        break;
    default:
        g_string_append_c(out, c);
    }
}

/* A dot that would begin a line would be a macro. */
static void put_text(GString *out, const char *text, size_t length)
{
    if (length > 0 && text[0] == '.') {
        g_string_append(out, "\\&");
    }
    for (size_t i = 0; i < length; i++) {
        put(out, text[i]);
    }
}

static void end_line(GString *out)
{
    if (out->len > 0 && out->str[out->len - 1] != '\n') {
        g_string_append_c(out, '\n');
    }
}

/* What stands between backquotes is bold instead; a single one stays what it is. */
void page_prose(GString *out, const char *text)
{
    char **parts = g_strsplit(text, "`", -1);
    guint count = g_strv_length(parts);
    end_line(out);
    if (count % 2 == 0) {
        put_text(out, text, strlen(text));
    }
    for (guint i = 0; count % 2 == 1 && i < count; i++) {
        g_string_append(out, i % 2 == 1 ? "\\fB" : "");
        put_text(out, parts[i], strlen(parts[i]));
        g_string_append(out, i % 2 == 1 ? "\\fR" : "");
    }
    g_string_append_c(out, '\n');
    g_strfreev(parts);
}

static bool is_word(char c)
{
    return g_ascii_isalnum(c) || c == '-' || c == '_' || c == '.' || c == '#' || c == '*';
}

/* A word of capitals and digits stands for something; "4" and "..." stand for themselves. */
static bool is_placeholder(const char *word, size_t length)
{
    bool has_capital = false;
    for (size_t i = 0; i < length; i++) {
        if (g_ascii_islower(word[i]) || word[i] == '-') {
            return false;
        }
        has_capital = has_capital || g_ascii_isupper(word[i]);
    }
    return has_capital;
}

void page_syntax(GString *out, const char *text)
{
    while (*text) {
        size_t length = 0;
        while (is_word(text[length])) {
            length++;
        }
        if (length == 0) {
            put(out, *text++);
        } else if (strncmp(text, "...", length) == 0) {
            put_text(out, text, length);
            text += length;
        } else {
            g_string_append(out, is_placeholder(text, length) ? "\\fI" : "\\fB");
            put_text(out, text, length);
            g_string_append(out, "\\fR");
            text += length;
        }
    }
}

void page_tag(GString *out, const char *syntax)
{
    end_line(out);
    g_string_append(out, ".TP\n");
    page_syntax(out, syntax);
    g_string_append_c(out, '\n');
}

static size_t indent_of(const char *line)
{
    return strspn(line, " ");
}

/* Where the second column of an entry begins: after the first run of two blanks; NULL = none. A
 * short column of capitals (a unit) belongs to the first. */
static const char *body_of(const char *entry)
{
    const char *gap = strstr(entry, "  ");
    if (!gap) {
        return NULL;
    }
    const char *body = gap + strspn(gap, " ");
    size_t length = strcspn(body, " ");
    if (strncmp(body + length, "  ", 2) == 0 && is_placeholder(body, strcspn(body, "/ "))) {
        body += length + strspn(body + length, " ");
    }
    return *body ? body : NULL;
}

static char *tag_of(const char *entry, const char *body)
{
    char *tag = body ? g_strndup(entry, (gsize)(body - entry)) : g_strdup(entry);
    char **parts = g_strsplit(g_strchomp(tag), "  ", -1);
    GString *joined = g_string_new(NULL);
    for (char **part = parts; *part; part++) {
        g_strstrip(*part);
        g_string_append_printf(joined, "%s%s", joined->len > 0 && **part ? " " : "", *part);
    }
    g_strfreev(parts);
    g_free(tag);
    return g_string_free(joined, FALSE);
}

struct layout {
    GString *out;
    char **lines;
    size_t at;
    bool is_nested; /* inside of .RS */
};

static void nest(struct layout *layout, bool nested)
{
    if (layout->is_nested != nested) {
        g_string_append(layout->out, nested ? ".RS\n" : ".RE\n");
    }
    layout->is_nested = nested;
}

/* "Nodes" or "Links: the rest": the length of the heading, 0 when the line is a paragraph's. */
static size_t heading_length(const char *line, const char *next)
{
    size_t colon = strcspn(line, ":"), words = 1;
    for (size_t i = 0; i < colon; i++) {
        words += line[i] == ' ';
    }
    if (words > 2 || !g_ascii_isupper(line[0]) || !g_ascii_islower(line[1])) {
        return 0;
    }
    return line[colon] == ':' || (next && indent_of(next) > 0) ? colon : 0;
}

static void put_margin_line(struct layout *layout)
{
    const char *line = layout->lines[layout->at];
    size_t heading = heading_length(line, layout->lines[layout->at + 1]);
    bool goes_on = layout->at > 0 && indent_of(layout->lines[layout->at - 1]) == 0 &&
                   layout->lines[layout->at - 1][0] != '\0';
    nest(layout, false);
    if (heading > 0 && !goes_on) {
        g_string_append_printf(layout->out, ".SS %.*s\n", (int)heading, line);
        line += heading + strspn(line + heading, ": ");
    } else if (!goes_on) {
        g_string_append(layout->out, ".PP\n");
    }
    if (*line) {
        page_prose(layout->out, line);
    }
}

static bool is_entry(const char *line)
{
    size_t indent = indent_of(line);
    return indent == 2 || (indent == 6 && body_of(line + indent) != NULL);
}

static void put_entry(struct layout *layout)
{
    const char *line = layout->lines[layout->at], *next = layout->lines[layout->at + 1];
    size_t indent = indent_of(line);
    const char *body = body_of(line + indent);
    char *tag = tag_of(line + indent, body);
    nest(layout, indent > 2);
    if (body || (next && indent_of(next) > 2)) {
        page_tag(layout->out, tag);
    } else { /* an entry that needs no explanation */
        g_string_append(layout->out, ".PP\n");
        page_syntax(layout->out, tag);
        g_string_append_c(layout->out, '\n');
    }
    if (body) {
        page_prose(layout->out, body);
    }
    g_free(tag);
}

static void put_example(struct layout *layout)
{
    g_string_append(layout->out, ".EX\n");
    for (; layout->lines[layout->at]; layout->at++) {
        const char *line = layout->lines[layout->at];
        put_text(layout->out, line, strlen(line));
        g_string_append_c(layout->out, '\n');
    }
    while (g_str_has_suffix(layout->out->str, "\n\n")) {
        g_string_truncate(layout->out, layout->out->len - 1);
    }
    g_string_append(layout->out, ".EE\n");
}

void page_layout(GString *out, const char *text)
{
    struct layout layout = {out, g_strsplit(text, "\n", -1), 0, false};
    end_line(out);
    while (layout.lines[layout.at]) {
        const char *line = layout.lines[layout.at];
        if (strcmp(line, "Example") == 0) {
            nest(&layout, false);
            g_string_append(out, ".SS Example\n");
            layout.at++;
            put_example(&layout);
            break;
        }
        if (*line == '\0') {
            nest(&layout, false);
        } else if (indent_of(line) == 0) {
            put_margin_line(&layout);
        } else if (is_entry(line)) {
            put_entry(&layout);
        } else {
            page_prose(out, line + indent_of(line));
        }
        layout.at++;
    }
    nest(&layout, false);
    g_strfreev(layout.lines);
}
