/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looking at servers of other releases and other makers, over a real socket on the loopback.
 */
#include "../sim/server_query.h"

#include "../engine/control_request.h"
#include "control_server.h"
#include "messages_check.h"

#define COMMON "version=\"holdfastd 0.2.0\",stratum=3,leap=0,rootdelay=20,rootdisp=10"
#define OWN "hf_state=holdover,hf_bound=20.5,hf_steer=0"

/* An answer that is an error instead of data. */
static void refuse(const struct visit *visit, enum control_fault fault)
{
    uint8_t bytes[HEADER] = {0};
    memcpy(bytes, visit->bytes, 4); /* version, mode, opcode, sequence */
    bytes[1] = (uint8_t)(0xc0 | visit->bytes[1]);
    bytes[4] = (uint8_t)fault;
    send_bytes(visit, bytes, sizeof bytes);
}

static bool asks_for(const struct visit *visit, const char *name)
{
    return g_strstr_len((const char *)visit->bytes + HEADER, (gssize)(visit->size - HEADER), name);
}

/* Answers as ntpd and we do: one unknown name spoils the whole question. */
static void serve(const struct visit *visit, const char *unknown)
{
    if (visit->size == HEADER) {
        answer(visit, 0, COMMON, false);
    } else if (asks_for(visit, unknown)) {
        refuse(visit, CONTROL_UNKNOWN_VARIABLE);
    } else {
        answer(visit, 0, OWN, false);
    }
}

static void serve_as_before_steering_was_told(struct visit *visit)
{
    serve(visit, "hf_steering");
}

static void serve_without_our_own(struct visit *visit)
{
    serve(visit, "hf_");
}

static void serve_common_only(struct visit *visit)
{
    if (visit->size == HEADER) {
        answer(visit, 0, COMMON, false);
    }
}

static struct server_report look_at(void (*how)(struct visit *visit), char **why)
{
    struct server server = start(how);
    struct server_report report;
    struct control_client client;
    server_report_init(&report);
    REQUIRE(control_client_open(&client, "127.0.0.1", server.port, 8000, nobody_interrupts, why));
    server_query_system(&client, &report, why);
    control_client_close(&client);
    stop(server);
    return report;
}

static void server_that_lacks_one_name_tells_the_others(void)
{
    char *why;
    struct server_report report = look_at(serve_as_before_steering_was_told, &why);
    CHECK(why == NULL);
    CHECK(report.is_holdfast);
    CHECK_STR(report.state, "holdover");
    CHECK_NEAR(report.bound_s, 20.5e-3, 1e-12);
    CHECK_INT(report.may_steer, 0);
    CHECK_STR(report.steering, "");
    server_report_clear(&report);
}

static void server_of_another_maker_is_judged_by_the_common_names(void)
{
    char *why;
    struct server_report report = look_at(serve_without_our_own, &why);
    CHECK(why == NULL);
    CHECK(!report.is_holdfast);
    CHECK_STR(report.state, "synchronised");
    server_report_clear(&report);
}

static void silence_at_the_second_question_is_told(void)
{
    char *why;
    struct server_report report = look_at(serve_common_only, &why);
    CHECK(why && g_str_has_prefix(why, "no answer"));
    g_free(why);
    server_report_clear(&report);
}

const struct test_case server_query_tests[] = {
    {"server_that_lacks_one_name_tells_the_others", server_that_lacks_one_name_tells_the_others},
    {"server_of_another_maker_is_judged_by_the_common_names",
     server_of_another_maker_is_judged_by_the_common_names},
    {"silence_at_the_second_question_is_told", silence_at_the_second_question_is_told},
    {NULL, NULL}};
