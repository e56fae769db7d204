/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON text: escapes, numbers, commas.
 */
#include "../sim/json.h"

#include "check.h"

static void check_json(struct json *json, const char *expected)
{
    char *text = json_end(json);
    CHECK_STR(text, expected);
    g_free(text);
}

static void texts_are_escaped_and_made_valid(void)
{
    struct json json = json_begin();
    json_text(&json, "a\"b", "quote \" backslash \\ tab \t bell \a end");
    json_text(&json, "bad", "caf\xc3\xa9 \xff!");
    json_text(&json, "none", NULL);
    check_json(&json, "{\n"
                      "  \"a\\\"b\": \"quote \\\" backslash \\\\ tab \\u0009 bell \\u0007 end\",\n"
                      "  \"bad\": \"caf\xc3\xa9 \xef\xbf\xbd!\",\n"
                      "  \"none\": null\n"
                      "}\n");
}

static void numbers_read_back_as_themselves_and_others_are_null(void)
{
    struct json json = json_begin();
    json_number(&json, "tenth", 0.1);
    json_number(&json, "third", 1.0 / 3);
    json_number(&json, "days", 1209600);
    json_number(&json, "tiny", -2.5e-10);
    json_number(&json, "nan", NAN);
    json_number(&json, "infinite", -INFINITY);
    json_unsigned(&json, "most", UINT64_MAX);
    json_integer(&json, "least", INT64_MIN);
    check_json(&json, "{\n"
                      "  \"tenth\": 0.1,\n"
                      "  \"third\": 0.33333333333333331,\n"
                      "  \"days\": 1209600,\n"
                      "  \"tiny\": -2.5e-10,\n"
                      "  \"nan\": null,\n"
                      "  \"infinite\": null,\n"
                      "  \"most\": 18446744073709551615,\n"
                      "  \"least\": -9223372036854775808\n"
                      "}\n");
}

static void commas_stand_between_members_at_every_depth(void)
{
    struct json json = json_begin();
    json_open(&json, "empty", '[');
    json_close(&json, ']');
    json_open(&json, "list", '[');
    json_open(&json, NULL, '{');
    json_bool(&json, "yes", true);
    json_open(&json, "deep", '[');
    json_integer(&json, NULL, 1);
    json_integer(&json, NULL, 2);
    json_close(&json, ']');
    json_close(&json, '}');
    json_open(&json, NULL, '{');
    json_close(&json, '}');
    json_close(&json, ']');
    json_bool(&json, "no", false);
    check_json(&json, "{\n"
                      "  \"empty\": [],\n"
                      "  \"list\": [\n"
                      "    {\"yes\": true, \"deep\": [1, 2]},\n"
                      "    {}\n"
                      "  ],\n"
                      "  \"no\": false\n"
                      "}\n");
}

const struct test_case json_tests[] = {
    {"texts_are_escaped_and_made_valid", texts_are_escaped_and_made_valid},
    {"numbers_read_back_as_themselves_and_others_are_null",
     numbers_read_back_as_themselves_and_others_are_null},
    {"commas_stand_between_members_at_every_depth", commas_stand_between_members_at_every_depth},
    {NULL, NULL}};
