/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asking over a real socket on the loopback: servers that answer, lose, lie, flood and keep silent.
 */
#include "../sim/control_client.h"

#include <glib.h>
#include <poll.h>

#include "../engine/packet.h"
#include "check.h"
#include "control_server.h"

static bool somebody_interrupts(void)
{
    return true;
}

/* Asks for all system variables once. */
static enum control_outcome ask(unsigned port, long limit_ms, struct control_answer *out)
{
    struct control_client client;
    char *why = NULL;
    bool is_open =
        control_client_open(&client, "127.0.0.1", port, limit_ms, nobody_interrupts, &why);
    CHECK(is_open);
    enum control_outcome outcome =
        is_open ? control_client_ask(&client, CONTROL_OP_READVAR, 0, "", out) : CONTROL_UNREACHABLE;
    control_client_close(&client);
    g_free(why);
    return outcome;
}

static double seconds_since(gint64 start_us)
{
    return (double)(g_get_monotonic_time() - start_us) * 1e-6;
}

static void serve_fragments(struct visit *visit)
{
    answer(visit, 4, "b=2,", true);
    answer(visit, 8, "c=3", false);
    answer(visit, 0, "a=1,", true);
}

static void an_answer_in_fragments_out_of_order_is_put_together(void)
{
    struct server server = start(serve_fragments);
    struct control_answer *out = g_new(struct control_answer, 1);
    char value[CONTROL_VALUE_MAX];
    CHECK_INT(ask(server.port, 5000, out), CONTROL_ANSWERED);
    CHECK(control_answer_variable(out, "c", value));
    CHECK_STR(value, "3");
    CHECK_INT(out->size, 11);
    stop(server);
    g_free(out);
}

/* Half an answer to the first try; the other half comes late, when the second try has been answered
 * in part with other values. */
static void serve_after_loss(struct visit *visit)
{
    answer(visit, 0, visit->number == 1 ? "a=1," : "a=5,", true);
    if (visit->number > 1) {
        struct visit former = *visit;
        memcpy(former.bytes, visit->first, HEADER);
        answer(&former, 4, "b=2", false);
        answer(visit, 4, "b=6", false);
    }
}

static void a_lost_fragment_is_asked_for_anew_and_two_answers_are_never_mixed(void)
{
    struct server server = start(serve_after_loss);
    struct control_answer *out = g_new(struct control_answer, 1);
    char value[CONTROL_VALUE_MAX];
    CHECK_INT(ask(server.port, 5000, out), CONTROL_ANSWERED);
    CHECK(control_answer_variable(out, "a", value));
    CHECK_STR(value, "5");
    CHECK(control_answer_variable(out, "b", value));
    CHECK_STR(value, "6");
    stop(server);
    g_free(out);
}

static void serve_nothing(struct visit *visit)
{
    (void)visit;
}

static void silence_ends_within_three_seconds(void)
{
    struct server server = start(serve_nothing);
    struct control_answer *out = g_new(struct control_answer, 1);
    gint64 start_us = g_get_monotonic_time();
    CHECK_INT(ask(server.port, 60000, out), CONTROL_SILENT);
    CHECK_NEAR(seconds_since(start_us), 3, 0.4);
    stop(server);
    g_free(out);
}

static void the_limit_of_all_questions_ends_one(void)
{
    struct server server = start(serve_nothing);
    struct control_answer *out = g_new(struct control_answer, 1);
    gint64 start_us = g_get_monotonic_time();
    CHECK_INT(ask(server.port, 200, out), CONTROL_SILENT);
    CHECK_NEAR(seconds_since(start_us), 0.2, 0.15);
    stop(server);
    g_free(out);
}

/* Answers to other questions without end. */
static void serve_flood(struct visit *visit)
{
    struct pollfd more = {.fd = visit->fd, .events = POLLIN};
    visit->bytes[3] ^= 0x55;
    while (poll(&more, 1, 0) == 0) {
        answer(visit, 0, "a=1", false);
    }
}

static void a_flood_of_foreign_answers_does_not_hold_it_up(void)
{
    struct server server = start(serve_flood);
    struct control_answer *out = g_new(struct control_answer, 1);
    gint64 start_us = g_get_monotonic_time();
    CHECK_INT(ask(server.port, 300, out), CONTROL_SILENT);
    CHECK(seconds_since(start_us) < 1);
    stop(server);
    g_free(out);
}

/* The right answer from another port of the same host. */
static void serve_from_elsewhere(struct visit *visit)
{
    struct visit other = *visit;
    other.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    answer(&other, 0, "a=1", false);
    close(other.fd);
}

static void an_answer_from_another_port_does_not_count(void)
{
    struct server server = start(serve_from_elsewhere);
    struct control_answer *out = g_new(struct control_answer, 1);
    CHECK_INT(ask(server.port, 300, out), CONTROL_SILENT);
    stop(server);
    g_free(out);
}

static void a_port_without_a_server_refuses_at_once(void)
{
    struct control_answer *out = g_new(struct control_answer, 1);
    unsigned port;
    close(bound_socket(&port));
    gint64 start_us = g_get_monotonic_time();
    CHECK_INT(ask(port, 5000, out), CONTROL_REFUSED);
    CHECK(seconds_since(start_us) < 0.5);
    g_free(out);
}

static void an_interrupt_ends_the_wait(void)
{
    struct server server = start(serve_nothing);
    struct control_answer *out = g_new(struct control_answer, 1);
    struct control_client client;
    char *why = NULL;
    CHECK(control_client_open(&client, "127.0.0.1", server.port, 5000, somebody_interrupts, &why));
    CHECK_INT(control_client_ask(&client, CONTROL_OP_READVAR, 0, "", out), CONTROL_INTERRUPTED);
    control_client_close(&client);
    stop(server);
    g_free(out);
}

/* A socket on [::1] where 127.0.0.1 has none on the same port; -1 without IPv6. */
static int bound_socket_v6(unsigned *port)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t size = sizeof at;
    int yes = 1, fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) != 0 ||
                    bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
                    getsockname(fd, (struct sockaddr *)&at, &size) != 0)) {
        close(fd);
        fd = -1;
    }
    *port = ntohs(at.sin6_port);
    return fd;
}

/* Asks this machine, whoever listens there; leaves what the server is called then in `name`. */
static enum control_outcome ask_this_machine(unsigned port, char name[128],
                                             struct control_answer *out)
{
    struct control_client client;
    char *why = NULL;
    CHECK(control_client_open(&client, NULL, port, 5000, nobody_interrupts, &why));
    enum control_outcome outcome = control_client_ask(&client, CONTROL_OP_READVAR, 0, "", out);
    g_strlcpy(name, client.name, 128);
    control_client_close(&client);
    g_free(why);
    return outcome;
}

static void check_this_machine(struct server server, const char *host)
{
    struct control_answer *out = g_new(struct control_answer, 1);
    char name[128], *expected = g_strdup_printf("%s port %u", host, server.port);
    CHECK_INT(ask_this_machine(server.port, name, out), CONTROL_ANSWERED);
    CHECK_STR(name, expected);
    stop(server);
    g_free(expected);
    g_free(out);
}

static void this_machine_is_asked_by_ipv4_first_and_by_ipv6_when_nothing_listens_there(void)
{
    unsigned port;
    check_this_machine(start(serve_fragments), "127.0.0.1");
    int fd = bound_socket_v6(&port);
    if (fd >= 0) { /* a machine without IPv6 has no server on it */
        check_this_machine(start_on(fd, port, serve_fragments), "::1");
    }
}

static void both_addresses_are_named_when_neither_answers(void)
{
    struct control_answer *out = g_new(struct control_answer, 1);
    unsigned port;
    char name[128];
    close(bound_socket(&port));
    char *expected = g_strdup_printf("127.0.0.1 and ::1 port %u", port);
    CHECK_INT(ask_this_machine(port, name, out), CONTROL_REFUSED);
    CHECK_STR(name, expected);
    g_free(expected);
    g_free(out);
}

static void a_name_that_does_not_exist_is_told_by_its_name(void)
{
    struct control_client client;
    char *why = NULL;
    CHECK(!control_client_open(&client, "256.0.0.1.invalid", 123, 1000, nobody_interrupts, &why));
    CHECK(why && strstr(why, "256.0.0.1.invalid: ") == why);
    g_free(why);
}

/* The first visitor's port, told to all: a=PORT. */
static void serve_port(struct visit *visit)
{
    struct sockaddr_in from;
    char text[16];
    memcpy(&from, &visit->from, sizeof from);
    g_snprintf(text, sizeof text, "a=%u", ntohs(from.sin_port));
    answer(visit, 0, text, false);
}

static void each_client_asks_from_a_port_of_its_own(void)
{
    struct server server = start(serve_port);
    struct control_answer *out = g_new(struct control_answer, 1);
    double ports[4] = {0};
    bool differ = false;
    for (size_t i = 0; i < G_N_ELEMENTS(ports); i++) {
        CHECK_INT(ask(server.port, 5000, out), CONTROL_ANSWERED);
        CHECK(control_answer_number(out, "a", &ports[i]));
        CHECK(ports[i] >= 1024);
        differ = differ || fabs(ports[i] - ports[0]) > 8; /* at random, not one after the other */
    }
    CHECK(differ);
    stop(server);
    g_free(out);
}

/* Tells the time and nothing else; the first answer is to somebody else's request. */
static void serve_time(struct visit *visit)
{
    struct packet request;
    uint8_t bytes[PACKET_HEADER_SIZE];
    if (packet_parse(visit->bytes, visit->size, &request) != PACKET_OK) {
        return;
    }
    struct packet reply = {.version = 4, .mode = MODE_SERVER, .stratum = 2};
    packet_write(&reply, bytes);
    send_bytes(visit, bytes, sizeof bytes);
    reply.origin = request.transmit;
    packet_write(&reply, bytes);
    send_bytes(visit, bytes, sizeof bytes);
}

/* Answers a request for the time with another's origin. */
static void serve_wrong_time(struct visit *visit)
{
    struct packet reply = {.version = 4, .mode = MODE_SERVER, .stratum = 2, .origin = {42}};
    uint8_t bytes[PACKET_HEADER_SIZE];
    packet_write(&reply, bytes);
    send_bytes(visit, bytes, sizeof bytes);
}

static void a_server_that_only_tells_the_time_is_told_from_none(void)
{
    static void (*const serves[])(struct visit *) = {serve_time, serve_wrong_time};
    for (size_t i = 0; i < G_N_ELEMENTS(serves); i++) {
        struct server server = start(serves[i]);
        struct control_client client;
        char *why = NULL;
        CHECK(
            control_client_open(&client, "127.0.0.1", server.port, 5000, nobody_interrupts, &why));
        CHECK_INT(control_client_tells_time(&client), i == 0);
        control_client_close(&client);
        stop(server);
    }
}

const struct test_case control_client_tests[] = {
    {"an_answer_in_fragments_out_of_order_is_put_together",
     an_answer_in_fragments_out_of_order_is_put_together},
    {"a_lost_fragment_is_asked_for_anew_and_two_answers_are_never_mixed",
     a_lost_fragment_is_asked_for_anew_and_two_answers_are_never_mixed},
    {"silence_ends_within_three_seconds", silence_ends_within_three_seconds},
    {"the_limit_of_all_questions_ends_one", the_limit_of_all_questions_ends_one},
    {"a_flood_of_foreign_answers_does_not_hold_it_up",
     a_flood_of_foreign_answers_does_not_hold_it_up},
    {"an_answer_from_another_port_does_not_count", an_answer_from_another_port_does_not_count},
    {"a_port_without_a_server_refuses_at_once", a_port_without_a_server_refuses_at_once},
    {"an_interrupt_ends_the_wait", an_interrupt_ends_the_wait},
    {"this_machine_is_asked_by_ipv4_first_and_by_ipv6_when_nothing_listens_there",
     this_machine_is_asked_by_ipv4_first_and_by_ipv6_when_nothing_listens_there},
    {"both_addresses_are_named_when_neither_answers",
     both_addresses_are_named_when_neither_answers},
    {"a_name_that_does_not_exist_is_told_by_its_name",
     a_name_that_does_not_exist_is_told_by_its_name},
    {"each_client_asks_from_a_port_of_its_own", each_client_asks_from_a_port_of_its_own},
    {"a_server_that_only_tells_the_time_is_told_from_none",
     a_server_that_only_tells_the_time_is_told_from_none},
    {NULL, NULL}};
