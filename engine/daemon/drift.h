/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The drift file: one number, what the free-running clock needs added, in ppm. As ntpd writes it,
 * so that one can follow the other; what else stands in such a file is never half used.
 */
#ifndef HOLDFAST_DAEMON_DRIFT_H
#define HOLDFAST_DAEMON_DRIFT_H

#include <stddef.h>

enum drift_verdict { DRIFT_FOUND, DRIFT_NONE, DRIFT_BAD };

enum { DRIFT_TEXT_SIZE = 32 };

#define DRIFT_MAX_PPM 500.0 /* RFC 5905's limit of a frequency */

/* Reads a drift file: one number, ppm, |value| <= DRIFT_MAX_PPM, nothing after it but white
 * space. DRIFT_NONE: no such file. DRIFT_BAD with *error (g_free() it) saying what is wrong and the
 * cure. *drift_ppm is NAN without a value.
 *
 * Two numbers are refused although xntpd wrote its number with a flag behind: chronyd writes two,
 * and its sign is the opposite. */
enum drift_verdict drift_read(const char *path, double *drift_ppm, char **error);

/* The text of a file, with its newline; its length. Six decimals, as NTPsec writes: 1e-6 ppm is a
 * tenth of the kernel's step. Not in any locale's way. */
size_t drift_text(double drift_ppm, char text[DRIFT_TEXT_SIZE]);

#endif
