/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text of a mode 6 answer: numbers, quotes, room.
 */
#include "../engine/control_text.h"

#include "check.h"

static char buffer[256];

static struct control_text begin(void)
{
    memset(buffer, 0, sizeof buffer);
    return (struct control_text){.bytes = (uint8_t *)buffer, .room = sizeof buffer - 1};
}

static const char *real(double value, unsigned digits)
{
    struct control_text text = begin();
    control_text_real(&text, value, digits);
    return buffer;
}

static void reals_are_what_printf_makes_of_them(void)
{
    static const double values[] = {0.0,    1.0,        -1.0,      0.5,       1e-3,     -0.001234,
                                    123.46, 999.9996,   -999.9994, 16000.0,   5e-324,   0.1,
                                    1e9,    -20.000001, 65535.99,  3.1415926, -2.71828, 98700.742};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        for (unsigned digits = 0; digits <= 6; digits++) {
            char expected[64];
            snprintf(expected, sizeof expected, "%.*f", (int)digits, values[i]);
            bool is_zero = strspn(expected, "-0.") == strlen(expected);
            CHECK_STR(real(values[i], digits), expected + (is_zero && expected[0] == '-'));
        }
    }
}

static void reals_that_are_too_large_are_cut(void)
{
    CHECK_STR(real(1e300, 3), "999999999999999.872");
    CHECK_STR(real(-INFINITY, 0), "-999999999999999872");
    CHECK_STR(real(-1e-9, 3), "0.000");
}

static void integers_reach_to_their_ends(void)
{
    struct control_text text = begin();
    control_text_integer(&text, INT64_MIN);
    control_text_plain(&text, " ");
    control_text_count(&text, UINT64_MAX);
    control_text_plain(&text, " ");
    control_text_integer(&text, 0);
    control_text_plain(&text, " ");
    control_text_hex(&text, 0xABCDEF, 8);
    CHECK_STR(buffer, "-9223372036854775808 18446744073709551615 0 00abcdef");
}

static void a_quoted_string_cannot_break_out(void)
{
    struct control_text text = begin();
    control_text_quoted(&text, "a\"b,c\r\n\x1b\xC3~ z");
    CHECK_STR(buffer, "\"a?b,c????~ z\"");
}

static void endpoints_and_times_have_ntpds_form(void)
{
    struct control_text text = begin();
    struct endpoint v4 = {{ADDRESS_V4, {192, 0, 2, 7}}, 123};
    struct endpoint v6 = {{ADDRESS_V6, {0x20, 1, 0xD, 0xB8, [15] = 1}}, 65535};
    control_text_name(&text, "a");
    control_text_endpoint(&text, &v4);
    control_text_indexed(&text, "b", 31);
    control_text_endpoint(&text, &v6);
    control_text_name(&text, "t");
    control_text_time(&text, (ntp_time){UINT64_C(0xE0000000000000FF)});
    CHECK_STR(buffer, "a=192.0.2.7:123, b.31=[2001:db8::1]:65535, t=0xe0000000.000000ff");
}

static void what_has_no_room_is_counted_and_not_written(void)
{
    struct control_text whole = begin();
    char all[sizeof buffer];
    for (int pass = 0; pass < 2; pass++) {
        control_text_name(&whole, "stratum");
        control_text_count(&whole, 16);
        control_text_quoted(&whole, "text");
    }
    memcpy(all, buffer, sizeof all);
    for (size_t room = 0; room <= whole.size + 2; room++) {
        memset(buffer, '#', sizeof buffer);
        struct control_text part = {.bytes = (uint8_t *)buffer, .room = room};
        for (int pass = 0; pass < 2; pass++) {
            control_text_name(&part, "stratum");
            control_text_count(&part, 16);
            control_text_quoted(&part, "text");
        }
        size_t kept = room < whole.size ? room : whole.size;
        CHECK_INT(part.size, whole.size);
        CHECK(memcmp(buffer, all, kept) == 0);
        CHECK(buffer[kept] == '#');
    }
}

const struct test_case control_text_tests[] = {
    {"reals_are_what_printf_makes_of_them", reals_are_what_printf_makes_of_them},
    {"reals_that_are_too_large_are_cut", reals_that_are_too_large_are_cut},
    {"integers_reach_to_their_ends", integers_reach_to_their_ends},
    {"a_quoted_string_cannot_break_out", a_quoted_string_cannot_break_out},
    {"endpoints_and_times_have_ntpds_form", endpoints_and_times_have_ntpds_form},
    {"what_has_no_room_is_counted_and_not_written", what_has_no_room_is_counted_and_not_written},
    {NULL, NULL},
};
