/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text to lines of words. Looks at form only: which words there may be is the caller's business.
 */
#include "lexer.h"

#include <assert.h>
#include <string.h>

#include "text_file.h"

/* What one lines_split() collects; becomes the storage of its lines. */
struct splitter {
    GStringChunk *strings;
    GArray *lines; /* of struct line */
    const char *file;
    struct messages *messages;
    bool is_text; /* so far */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_control(char c)
{
    unsigned char byte = (unsigned char)c;
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

/* One complaint is enough of a file that is none of ours: nothing more is read of it. */
static void no_text(struct splitter *s, unsigned number, size_t at, char c)
{
    messages_add(s->messages, SEVERITY_ERROR, s->file, number, (unsigned)at + 1,
                 "this is no text file: byte 0x%02x", (unsigned)(unsigned char)c);
    s->is_text = false;
}

/* No control byte, in comments neither. Bytes above are looked at in words alone: a comment may
 * have been written in any of the encodings that there were. */
static bool line_is_text(struct splitter *s, unsigned number, const char *begin, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (is_control(begin[i])) {
            no_text(s, number, i, begin[i]);
            return false;
        }
    }
    if (size > LINE_SIZE_MAX) {
        messages_add(s->messages, SEVERITY_ERROR, s->file, number, LINE_SIZE_MAX + 1,
                     "line longer than %d bytes", LINE_SIZE_MAX);
        return false;
    }
    return true;
}

/* The word of the line that is [first, end), with its quotes; false when it is not UTF-8. */
static bool add_word(struct splitter *s, unsigned number, const char *begin, size_t first,
                     size_t end, GArray *words)
{
    const char *bad;
    if (!g_utf8_validate(begin + first, (gssize)(end - first), &bad)) {
        no_text(s, number, (size_t)(bad - begin), *bad);
        return false;
    }
    struct word word = {NULL, (unsigned)first + 1, begin[first] == '"'};
    first += word.is_quoted;
    end -= word.is_quoted;
    word.text = g_string_chunk_insert_len(s->strings, begin + first, (gssize)(end - first));
    g_array_append_val(words, word);
    return true;
}

/* Takes one quoted word that begins at *at; false, with a complaint, when the quote does not end or
 * something sticks to its end. */
static bool take_quoted(struct splitter *s, unsigned number, const char *begin, size_t size,
                        size_t *at, GArray *words)
{
    size_t start = *at, inside = start + 1;
    const char *end = memchr(begin + inside, '"', size - inside);
    if (!end) {
        messages_add(s->messages, SEVERITY_ERROR, s->file, number, (unsigned)start + 1,
                     "this quote does not end on its line");
        return false;
    }
    size_t after = (size_t)(end - begin) + 1;
    if (after < size && !is_blank(begin[after])) {
        messages_add(s->messages, SEVERITY_ERROR, s->file, number, (unsigned)after + 1,
                     "expected a blank after the closing quote");
        return false;
    }
    *at = after;
    return add_word(s, number, begin, start, after, words);
}

/* Fills `words`; *end is the column just after the last one. */
static bool split_words(struct splitter *s, unsigned number, const char *begin, size_t size,
                        GArray *words, unsigned *end)
{
    size_t at = 0;
    *end = 1;
    while (at < size && begin[at] != '#') {
        if (is_blank(begin[at])) {
            at++;
            continue;
        }
        if (begin[at] == '"') {
            if (!take_quoted(s, number, begin, size, &at, words)) {
                return false;
            }
        } else {
            size_t start = at;
            while (at < size && !is_blank(begin[at])) {
                at++;
            }
            if (!add_word(s, number, begin, start, at, words)) {
                return false;
            }
        }
        *end = (unsigned)at + 1;
        while (at < size && is_blank(begin[at])) {
            at++;
        }
    }
    return true;
}

static void split_line(struct splitter *s, unsigned number, const char *begin, size_t size)
{
    if (size > 0 && begin[size - 1] == '\r') {
        size--;
    }
    if (!line_is_text(s, number, begin, size)) {
        return;
    }
    GArray *words = g_array_new(FALSE, FALSE, sizeof(struct word));
    unsigned end;
    if (!split_words(s, number, begin, size, words, &end) || words->len == 0) {
        g_array_free(words, TRUE);
        return;
    }
    struct line line = {s->file, number, words->len, NULL};
    struct word last = {NULL, end, false};
    g_array_append_val(words, last);
    line.words = (struct word *)(void *)g_array_free(words, FALSE);
    g_array_append_val(s->lines, line);
}

static void free_words(const GArray *lines)
{
    for (unsigned i = 0; i < lines->len; i++) {
        g_free(g_array_index(lines, struct line, i).words);
    }
}

struct lines *lines_split(const char *file, const char *text, size_t size,
                          struct messages *messages)
{
    struct splitter s = {g_string_chunk_new(4096), g_array_new(FALSE, FALSE, sizeof(struct line)),
                         NULL, messages, true};
    s.file = g_string_chunk_insert(s.strings, file);
    if (size > FILE_SIZE_MAX) {
        messages_add(messages, SEVERITY_ERROR, file, 0, 0, "larger than %d bytes", FILE_SIZE_MAX);
        size = 0;
    }
    unsigned number = 0;
    for (size_t at = 0; s.is_text && at < size;) {
        const char *newline = memchr(text + at, '\n', size - at);
        size_t length = newline ? (size_t)(newline - (text + at)) : size - at;
        split_line(&s, ++number, text + at, length);
        at += length + 1;
    }
    if (!s.is_text) {
        free_words(s.lines);
        g_array_set_size(s.lines, 0);
    }
    struct lines *lines = g_new0(struct lines, 1);
    lines->is_text = s.is_text;
    lines->count = s.lines->len;
    lines->lines = (struct line *)(void *)g_array_free(s.lines, FALSE);
    lines->storage = s.strings;
    return lines;
}

struct lines *lines_read(const char *path, const struct line *from, struct messages *messages)
{
    struct text_file file;
    char *why = text_file_read(path, FILE_SIZE_MAX, &file);
    if (why) {
        line_unreadable(from, path, why, messages);
        g_free(why);
        return NULL;
    }
    struct lines *lines = lines_split(path, file.text, file.size, messages);
    text_file_clear(&file);
    return lines;
}

void lines_free(struct lines *lines)
{
    if (!lines) {
        return;
    }
    for (unsigned i = 0; i < lines->count; i++) {
        g_free(lines->lines[i].words);
    }
    g_free(lines->lines);
    g_string_chunk_free(lines->storage);
    g_free(lines);
}

static void line_complain(const struct line *line, unsigned index, struct messages *messages,
                          enum severity severity, const char *format, va_list arguments)
    G_GNUC_PRINTF(5, 0);

static void line_complain(const struct line *line, unsigned index, struct messages *messages,
                          enum severity severity, const char *format, va_list arguments)
{
    assert(index <= line->count);
    messages_add_list(messages, severity, line->file, line->number, line->words[index].column,
                      format, arguments);
}

void line_error(const struct line *line, unsigned index, struct messages *messages,
                const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    line_complain(line, index, messages, SEVERITY_ERROR, format, arguments);
    va_end(arguments);
}

void line_warning(const struct line *line, unsigned index, struct messages *messages,
                  const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    line_complain(line, index, messages, SEVERITY_WARNING, format, arguments);
    va_end(arguments);
}

void line_note(const struct line *line, unsigned index, struct messages *messages,
               const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    line_complain(line, index, messages, SEVERITY_NOTE, format, arguments);
    va_end(arguments);
}

static unsigned word_of_path(const struct line *line, const char *path)
{
    for (unsigned i = 1; i < line->count; i++) {
        if (line->words[i].text[0] && g_str_has_suffix(path, line->words[i].text)) {
            return i;
        }
    }
    return line->count > 1 ? 1 : line->count;
}

void line_unreadable(const struct line *from, const char *path, const char *why,
                     struct messages *messages)
{
    if (from) {
        line_error(from, word_of_path(from, path), messages, "cannot read %s: %s", path, why);
    } else {
        messages_add(messages, SEVERITY_ERROR, path, 0, 0, "cannot read it: %s", why);
    }
}
