/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a digest depends on beside the seed: libc and GSL compute the noise, and libm picks its code
 * by the CPU.
 */
#ifndef HOLDFAST_PLATFORM_H
#define HOLDFAST_PLATFORM_H

/* "glibc 2.36, GSL 2.7.1, x86_64 with fma"; g_free() it. */
char *platform_text(void);

#endif
