/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Allan deviation: how much a clock's mean frequency changes from one interval to the next.
 *
 * Works on time errors, not on frequencies, and judges nothing.
 */
#ifndef HOLDFAST_ALLAN_H
#define HOLDFAST_ALLAN_H

#include <stddef.h>

/* Overlapping Allan variance (NIST SP 1065 5.2.4) at tau = m * tau0_s of n time errors x_s taken
 * every tau0_s seconds; dimensionless. NAN unless m >= 1 and n > 2 m. */
double allan_variance(const double *x_s, size_t n, size_t m, double tau0_s);

/* Its square root, the overlapping Allan deviation. */
double allan_deviation(const double *x_s, size_t n, size_t m, double tau0_s);

#endif
