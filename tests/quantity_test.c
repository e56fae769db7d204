/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers for people: units change where the rounded value does.
 */
#include "../sim/quantity.h"

#include "check.h"

static void seconds_have_three_digits_and_a_unit(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{1.5, "1.50 s"},        {-0.0123, "-12.3 ms"},  {4.56e-6, "4.56 us"},
                 {7.8e-7, "780 ns"},     {0.0009999, "1.00 ms"}, {0.99949, "999 ms"},
                 {0.9996, "1.00 s"},     {0, "0.00 ns"},         {123.4, "123 s"},
                 {99.96e-3, "100 ms"},   {9.996e-3, "10.0 ms"},  {NAN, "none"},
                 {INFINITY, "unlimited"}};
    char text[QUANTITY_TEXT_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_STR(quantity_seconds(cases[i].value, text), cases[i].text);
    }
}

static void frequencies_are_ppm_or_ppb(void)
{
    char text[QUANTITY_TEXT_SIZE];
    CHECK_STR(quantity_frequency(12.34e-6, text), "12.3 ppm");
    CHECK_STR(quantity_frequency(-4e-8, text), "-40.0 ppb");
}

static void spans_show_their_two_largest_parts(void)
{
    char text[QUANTITY_TEXT_SIZE];
    CHECK_STR(quantity_span(14 * 86400.0, text), "14 d");
    CHECK_STR(quantity_span(9000, text), "2 h 30 min");
    CHECK_STR(quantity_span(86400 + 3600 + 59, text), "1 d 1 h");
    CHECK_STR(quantity_span(61, text), "1 min 1 s");
    CHECK_STR(quantity_span(0.2, text), "0 s");
}

const struct test_case quantity_tests[] = {
    {"seconds_have_three_digits_and_a_unit", seconds_have_three_digits_and_a_unit},
    {"frequencies_are_ppm_or_ppb", frequencies_are_ppm_or_ppb},
    {"spans_show_their_two_largest_parts", spans_show_their_two_largest_parts},
    {NULL, NULL}};
