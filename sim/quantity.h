/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers as people read them: three digits and a unit. Never used for files that programs read.
 */
#ifndef HOLDFAST_QUANTITY_H
#define HOLDFAST_QUANTITY_H

enum { QUANTITY_TEXT_SIZE = 32 };

/* "12.3 ms", "780 ns", "-1.50 s", "none" for NaN, "unlimited" for an infinite one; returns text. */
const char *quantity_seconds(double seconds, char text[QUANTITY_TEXT_SIZE]);

/* "1.25 ppm", "40.0 ppb" from s/s. */
const char *quantity_frequency(double fraction, char text[QUANTITY_TEXT_SIZE]);

/* "7d03:12:05", "03:12:05" below a day; whole seconds, rounded down. */
const char *quantity_clock(double seconds, char text[QUANTITY_TEXT_SIZE]);

/* "14 d", "2 h 30 min", "45 s": the two largest parts. */
const char *quantity_span(double seconds, char text[QUANTITY_TEXT_SIZE]);

#endif
