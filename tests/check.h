/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Assertions that print both values, and how a suite registers.
 *
 * A file NAME_test.c defines  const struct test_case NAME_tests[]  ending with {NULL, NULL}; the
 * Makefile makes the list of suites. Test names are claims: response_with_wrong_origin_is_ignored.
 */
#ifndef HOLDFAST_CHECK_H
#define HOLDFAST_CHECK_H

#include <CUnit/CUnit.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct test_case {
    const char *name;
    void (*run)(void);
};

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        CU_assertImplementation((condition) ? CU_TRUE : CU_FALSE, __LINE__, #condition, __FILE__,  \
                                "", CU_FALSE);                                                     \
    } while (0)

static inline void check_report(bool ok, const char *text, const char *file, unsigned line)
{
    CU_assertImplementation(ok ? CU_TRUE : CU_FALSE, line, text, file, "", CU_FALSE);
}

static inline void check_near(double actual, double expected, double tolerance, const char *what,
                              const char *file, unsigned line)
{
    char text[256];
    snprintf(text, sizeof text, "%s = %.12g, expected %.12g +- %.3g", what, actual, expected,
             tolerance);
    check_report(fabs(actual - expected) <= tolerance, text, file, line);
}

static inline void check_integer(long long actual, long long expected, const char *what,
                                 const char *file, unsigned line)
{
    char text[256];
    snprintf(text, sizeof text, "%s = %lld, expected %lld", what, actual, expected);
    check_report(actual == expected, text, file, line);
}

static inline void check_text(const char *actual, const char *expected, const char *what,
                              const char *file, unsigned line)
{
    char text[1024];
    snprintf(text, sizeof text, "%s = \"%.400s\", expected \"%.400s\"", what,
             actual ? actual : "(null)", expected);
    check_report(actual && strcmp(actual, expected) == 0, text, file, line);
}

#define CHECK_NEAR(actual, expected, tolerance)                                                    \
    check_near((actual), (expected), (tolerance), #actual, __FILE__, __LINE__)
#define CHECK_INT(actual, expected)                                                                \
    check_integer((long long)(actual), (long long)(expected), #actual, __FILE__, __LINE__)
#define CHECK_STR(actual, expected) check_text((actual), (expected), #actual, __FILE__, __LINE__)

#endif
