/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text in the macros of man(7): escapes, and help text by its layout turned into paragraphs and
 * tagged lists. Knows no page and no table.
 */
#ifndef HOLDFAST_DAEMON_MAN_PAGE_H
#define HOLDFAST_DAEMON_MAN_PAGE_H

#include <glib.h>

/* Text as it stands, on lines of its own. */
void page_prose(GString *out, const char *text);

/* How something is written, without a newline: lower-case words bold, upper-case words, which stand
 * for something, in italics. */
void page_syntax(GString *out, const char *text);

/* A tagged paragraph's head: its tag is `syntax`; what follows is its body. */
void page_tag(GString *out, const char *syntax);

/* Help text by its layout: a line at the margin is a heading ("Nodes", or "Links: and a paragraph")
 * or a paragraph, two blanks begin an entry "WORDS   what they do", six an entry below it, deeper
 * lines go on. After a heading "Example" everything is shown as it stands. */
void page_layout(GString *out, const char *text);

#endif
