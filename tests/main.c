/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs the CUnit suites: all of them, or those named on the command line ("tests filter select").
 * The exit status is 1 when any assertion failed, and CUnit's own result code is never mistaken for
 * it.
 */
#include <CUnit/Basic.h>
#include <CUnit/TestDB.h>
#include <stdlib.h>

#include "check.h"

#define SUITE(name) extern const struct test_case name##_tests[];
#include "suites.inc"
#undef SUITE

struct suite {
    const char *name;
    const struct test_case *tests;
};

static const struct suite suites[] = {
#define SUITE(name) {#name, name##_tests},
#include "suites.inc"
#undef SUITE
    {NULL, NULL}};

static bool is_wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return true;
        }
    }
    return argc <= 1;
}

static bool add_suite(const struct suite *suite)
{
    CU_pSuite handle = CU_add_suite(suite->name, NULL, NULL);
    if (!handle) {
        return false;
    }
    for (const struct test_case *test = suite->tests; test->name; test++) {
        if (!CU_add_test(handle, test->name, test->run)) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    unsigned added = 0;
    if (CU_initialize_registry() != CUE_SUCCESS) {
        fprintf(stderr, "tests: %s\n", CU_get_error_msg());
        return 2;
    }
    for (const struct suite *suite = suites; suite->name; suite++) {
        if (is_wanted(suite->name, argc, argv)) {
            if (!add_suite(suite)) {
                fprintf(stderr, "tests: suite %s: %s\n", suite->name, CU_get_error_msg());
                return 2;
            }
            added++;
        }
    }
    if (added == 0 || (argc > 1 && added != (unsigned)argc - 1)) {
        fprintf(stderr, "tests: no such suite among the arguments\n");
        return 2;
    }
    /* So that the name of a test that crashes is not lost in a buffer. */
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    unsigned run = CU_get_number_of_tests_run();
    CU_cleanup_registry();
    return failures == 0 && run > 0 ? 0 : 1;
}
