/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Real packets through the selector of a SO_REUSEPORT group: each mode where it must go, and a
 * client always with the same thread.
 */
#include "../engine/daemon/mode_selector.h"

#include "udp_desk.h"

static void check_modes(struct desk *desk, const char *address, const char *from)
{
    struct endpoint to = service(desk, address);
    for (unsigned first = 0; first < 256; first++) {
        uint8_t bytes[48] = {(uint8_t)first};
        unsigned heard = desk->heard;
        send_from(from, &to, bytes, sizeof bytes);
        if ((first & 7) == MODE_CLIENT) {
            work(desk, NULL, 0, 0);
            CHECK_INT(count_all_waiting(desk), 1);
            CHECK_INT(desk->heard, heard);
        } else {
            work(desk, &desk->heard, heard + 1, FAST_MS);
            CHECK_INT(desk->heard, heard + 1);
            CHECK_INT(count_all_waiting(desk), 0);
        }
    }
}

static void mode_3_goes_to_threads_and_all_else_to_the_main_loop(void)
{
    struct desk desk;
    open_v4(&desk, 3);
    check_modes(&desk, "127.0.0.1", "127.0.0.1");
    close_desk(&desk);
}

static void the_same_holds_for_ipv6(void)
{
    static const char *const only[] = {"::1", NULL};
    struct udp_options options = {.only = only, .ipv6 = true, .threads = 3};
    struct desk desk;
    char *error = NULL;
    uint16_t port = 0;
    int probe = sockets_open("::1", &port, NULL);
    close(probe);
    if (probe < 0) {
        printf("(left out: no IPv6 here) ");
        return;
    }
    CHECK(open_desk(&desk, options, &error));
    check_modes(&desk, "::1", "::1");
    close_desk(&desk);
}

static void empty_datagram_is_the_main_loops(void)
{
    struct desk desk;
    open_v4(&desk, 2);
    struct endpoint to = service(&desk, "127.0.0.1");
    send_from("127.0.0.1", &to, "", 0);
    work(&desk, &desk.heard, 1, FAST_MS);
    CHECK_INT(desk.heard, 1);
    CHECK_INT(desk.datagrams[0].size, 0);
    CHECK_INT(count_all_waiting(&desk), 0);
    close_desk(&desk);
}

/* 64 addresses of loopback; each asks thrice, from other ports. */
static void one_client_is_always_with_the_same_thread(void)
{
    enum { THREADS = 4, CLIENTS = 64 };
    struct desk desk;
    const uint8_t request[48] = {0x23};
    unsigned of_thread[THREADS] = {0};
    open_v4(&desk, THREADS);
    struct endpoint to = service(&desk, "127.0.0.1");
    for (unsigned client = 0; client < CLIENTS; client++) {
        unsigned threads = 0;
        char from[ADDRESS_TEXT_SIZE];
        snprintf(from, sizeof from, "127.0.1.%u", client + 1);
        for (unsigned i = 0; i < 3; i++) {
            send_from(from, &to, request, sizeof request);
        }
        for (unsigned i = 0; i < THREADS; i++) {
            unsigned count = count_waiting(&desk, i);
            CHECK(count == 0 || count == 3);
            threads += count > 0;
            of_thread[i] += count > 0;
        }
        CHECK_INT(threads, 1);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CHECK(of_thread[i] >= CLIENTS / THREADS / 2);
    }
    work(&desk, NULL, 0, 0);
    CHECK_INT(desk.heard, 0);
    close_desk(&desk);
}

static void without_threads_the_main_loop_hears_mode_3(void)
{
    struct desk desk;
    const uint8_t request[48] = {0x23};
    open_v4(&desk, 0);
    struct endpoint to = service(&desk, "127.0.0.1");
    send_from("127.0.0.1", &to, request, sizeof request);
    work(&desk, &desk.heard, 1, FAST_MS);
    CHECK_INT(desk.heard, 1);
    close_desk(&desk);
}

const struct test_case mode_selector_tests[] = {
    {"mode_3_goes_to_threads_and_all_else_to_the_main_loop",
     mode_3_goes_to_threads_and_all_else_to_the_main_loop},
    {"the_same_holds_for_ipv6", the_same_holds_for_ipv6},
    {"empty_datagram_is_the_main_loops", empty_datagram_is_the_main_loops},
    {"one_client_is_always_with_the_same_thread", one_client_is_always_with_the_same_thread},
    {"without_threads_the_main_loop_hears_mode_3", without_threads_the_main_loop_hears_mode_3},
    {NULL, NULL}};
