/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The data of a mode 6 request: items, numbers, addresses, times. Its header is asked about in
 * control_test.c.
 */
#include "../engine/control_request.h"

#include "check.h"

static struct control_span span_of(const char *text)
{
    return (struct control_span){(const uint8_t *)text, strlen(text)};
}

static void items_are_names_and_values_without_blanks(void)
{
    static const char *const expected[][2] = {
        {"a", "1"}, {"b", ""}, {"c", "x=y"}, {"d", ""}, {"e", "[::1]:123"}};
    struct control_span rest = span_of(" a = 1 ,,b,\tc=x=y ,  , =7, d=,e=[::1]:123\r\n");
    struct control_span name, value;
    size_t count = 0;
    while (control_request_item(&rest, &name, &value) && count < 5) {
        CHECK(control_span_is(&name, expected[count][0]));
        CHECK(control_span_is(&value, expected[count][1]));
        count++;
    }
    CHECK_INT(count, 5);
    CHECK_INT(rest.size, 0);
}

static void numbers_are_decimal_or_hexadecimal_and_nothing_else(void)
{
    static const struct {
        const char *text;
        bool is_number;
        uint64_t value;
    } cases[] = {{"0", true, 0},
                 {"32", true, 32},
                 {"0x20", true, 32},
                 {"0XfF", true, 255},
                 {"18446744073709551615", true, UINT64_MAX},
                 {"0xffffffffffffffff", true, UINT64_MAX},
                 {"18446744073709551616", false, 0},
                 {"0x10000000000000000", false, 0},
                 {"", false, 0},
                 {"0x", false, 0},
                 {"-1", false, 0},
                 {"1.5", false, 0},
                 {"12a", false, 0},
                 {"0xg", false, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct control_span span = span_of(cases[i].text);
        uint64_t value;
        CHECK_INT(control_span_number(&span, &value), cases[i].is_number);
        CHECK(!cases[i].is_number || value == cases[i].value);
    }
}

static void an_index_belongs_to_its_stem_and_has_a_limit(void)
{
    static const struct {
        const char *text;
        bool is_index;
    } cases[] = {{"addr.7", true},   {"addr.15", true}, {"addr.16", false},
                 {"addr.", false},   {"addr", false},   {"addrx.1", false},
                 {"addr.1x", false}, {"last.7", false}, {"addr.-1", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct control_span span = span_of(cases[i].text);
        unsigned index = 99;
        CHECK_INT(control_span_index(&span, "addr", 15, &index), cases[i].is_index);
        CHECK(!cases[i].is_index || index == (i == 0 ? 7u : 15u));
    }
}

static void addresses_may_have_a_port(void)
{
    static const struct {
        const char *text, *address; /* NULL = none */
    } cases[] = {{"192.0.2.1", "192.0.2.1"},
                 {"192.0.2.1:123", "192.0.2.1"},
                 {"[2001:db8::7]:123", "2001:db8::7"},
                 {"[2001:db8::7]", "2001:db8::7"},
                 {"2001:db8::7", "2001:db8::7"},
                 {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
                 {"[", NULL},
                 {"", NULL},
                 {"[]", NULL},
                 {"192.0.2", NULL},
                 {"name.example.org:123", NULL},
                 {"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct control_span span = span_of(cases[i].text);
        struct address address;
        char text[ADDRESS_TEXT_SIZE];
        bool is_address = control_span_address(&span, &address);
        CHECK_INT(is_address, cases[i].address != NULL);
        if (is_address) {
            CHECK_STR(address_text(&address, text), cases[i].address);
        }
    }
    static const uint8_t with_nul[] = "192.0.2.1\0.4";
    struct control_span span = {with_nul, sizeof with_nul - 1};
    struct address address;
    CHECK(!control_span_address(&span, &address));
}

static void times_are_two_halves(void)
{
    static const struct {
        const char *text;
        bool is_time;
    } cases[] = {{"0xe8000001.80000000", true}, {"0xe8000001", false},
                 {"e8000001.80000000", false},  {"0x1e8000001.8", false},
                 {"0xe8000001.", false},        {"0x.80000000", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct control_span span = span_of(cases[i].text);
        ntp_time time = {0};
        CHECK_INT(control_span_time(&span, &time), cases[i].is_time);
        CHECK(!cases[i].is_time || time.ticks == UINT64_C(0xE800000180000000));
    }
}

const struct test_case control_request_tests[] = {
    {"items_are_names_and_values_without_blanks", items_are_names_and_values_without_blanks},
    {"numbers_are_decimal_or_hexadecimal_and_nothing_else",
     numbers_are_decimal_or_hexadecimal_and_nothing_else},
    {"an_index_belongs_to_its_stem_and_has_a_limit", an_index_belongs_to_its_stem_and_has_a_limit},
    {"addresses_may_have_a_port", addresses_may_have_a_port},
    {"times_are_two_halves", times_are_two_halves},
    {NULL, NULL},
};
