/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Overlapping Allan variance from time errors by its definition; no windows, no detrending.
 */
#include "allan.h"

#include <math.h>

double allan_variance(const double *x_s, size_t n, size_t m, double tau0_s)
{
    if (m == 0 || n < 1 || (n - 1) / 2 < m) {
        return NAN;
    }
    size_t count = n - 2 * m;
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        double second_difference = x_s[i + 2 * m] - 2.0 * x_s[i + m] + x_s[i];
        sum += second_difference * second_difference;
    }
    double tau_s = (double)m * tau0_s;
    return sum / (2.0 * tau_s * tau_s * (double)count);
}

double allan_deviation(const double *x_s, size_t n, size_t m, double tau0_s)
{
    return sqrt(allan_variance(x_s, n, m, tau0_s));
}
