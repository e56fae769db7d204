/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Server threads that cannot have an address because the kernel refuses: the main loop hears every
 * mode there and answers, and one line says so. The refusals are real, made by a filter of system
 * calls or a limit in a process of its own.
 */
#include "../engine/daemon/service_socket.h"

#include <seccomp.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "udp_desk.h"

enum { THREADS = 2 };

#define HERE_ALONE                                                                                 \
    "server threads cannot have 10.9.8.7 (lo) and 1 other address, port %u: %s; the main loop "    \
    "alone answers there until the next start%s\n"

/* From now on, in this process, for descriptors from `least` on. */
static bool refuse(int call, struct scmp_arg_cmp what, unsigned least, int cause)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    bool is_done = filter &&
                   seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint16_t)cause), call, 2,
                                    SCMP_A0(SCMP_CMP_GE, least, 0), what) == 0 &&
                   seccomp_load(filter) == 0;
    seccomp_release(filter);
    return is_done;
}

static bool refuse_attach(unsigned least, int cause)
{
    return refuse(SCMP_SYS(setsockopt), SCMP_A2(SCMP_CMP_EQ, SO_ATTACH_REUSEPORT_CBPF, 0), least,
                  cause);
}

/* The descriptor that is given out next. */
static unsigned next_fd(void)
{
    int fd = dup(STDERR_FILENO);
    CHECK(fd >= 0);
    close(fd);
    return (unsigned)fd;
}

/* A question of that first byte is heard by the main loop, by no thread, and answered. */
static bool main_loop_answers(struct desk *desk, const char *at, uint8_t first)
{
    struct endpoint to = service(desk, at);
    uint8_t bytes[48] = {first};
    unsigned heard = desk->heard;
    uint16_t port = 0;
    int fd = sockets_open("127.0.0.1", &port, &to);
    desk->answers = true;
    CHECK_INT(send(fd, bytes, sizeof bytes, 0), sizeof bytes);
    work(desk, &desk->heard, heard + 1, FAST_MS);
    ssize_t size = sockets_wait(fd, bytes, sizeof bytes, FAST_MS);
    close(fd);
    return desk->heard == heard + 1 && size == sizeof bytes && (bytes[0] & 7) == MODE_SERVER &&
           count_all_waiting(desk) == 0;
}

/* Clients, a symmetric peer and control, from enough ports that a hash would miss some. */
static bool main_loop_answers_all(struct desk *desk, const char *at)
{
    static const uint8_t firsts[] = {0x23, 0x21, 0x16};
    bool is_good = true;
    for (unsigned i = 0; i < 24; i++) {
        is_good = main_loop_answers(desk, at, firsts[i % G_N_ELEMENTS(firsts)]) && is_good;
    }
    return is_good;
}

/* Nobody may bind beside a socket that is alone, not even who shares. */
static bool is_shut(const struct desk *desk, const char *at)
{
    struct endpoint place = service(desk, at);
    union socket_address address;
    socklen_t size = socket_address_set(&address, &place, 0);
    int one = 1;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK_INT(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one), 0);
    bool is_refused = bind(fd, &address.any, size) != 0 && errno == EADDRINUSE;
    close(fd);
    return is_refused;
}

/* ---- at the start ---------------------------------------------------------------------------- */

static bool start_without_selector(void)
{
    struct udp_options options = {.only = loopback_v4, .ipv4 = true, .threads = THREADS};
    struct desk desk;
    char *error = NULL;
    APART(refuse_attach(0, ENOPROTOOPT));
    APART(open_desk(&desk, options, &error));
    CHECK_STR(desk.told->str,
              "0 of 2 server threads: Protocol not available; the main loop answers what they "
              "would (`threads 0` says so)\n");
    CHECK_INT(udp_threads(desk.udp), 0);
    APART(main_loop_answers_all(&desk, "127.0.0.1"));
    close_desk(&desk);
    return true;
}

static void kernel_without_the_selector_leaves_all_to_the_main_loop(void)
{
    sockets_apart(start_without_selector);
}

/* The kernel is asked at the lowest descriptor that is free, which is refused nothing. */
static bool start_with_less_than_was_promised(void)
{
    struct udp_options options = {.only = loopback_v4, .ipv4 = true, .threads = THREADS};
    struct desk desk;
    char *error = NULL;
    APART(refuse_attach(next_fd() + 1, ENOMEM));
    APART(open_desk(&desk, options, &error));
    char *line = g_strdup_printf("server threads cannot have 127.0.0.1 (lo), port %u: Cannot "
                                 "allocate memory; the main loop alone answers there until the "
                                 "next start\n",
                                 desk.port);
    CHECK_STR(desk.told->str, line);
    CHECK_INT(udp_threads(desk.udp), 0);
    APART(main_loop_answers_all(&desk, "127.0.0.1"));
    g_free(line);
    close_desk(&desk);
    return true;
}

static void address_whose_selector_is_refused_is_served_by_the_main_loop(void)
{
    sockets_apart(start_with_less_than_was_promised);
}

/* ---- while it runs --------------------------------------------------------------------------- */

/* One address with its threads; two more are there to be served. */
static bool open_one_of_three(struct desk *desk)
{
    static const char *const only[] = {"127.0.0.1", NULL};
    struct udp_options options = {.only = only, .ipv4 = true, .threads = THREADS};
    char *error = NULL;
    APART(sockets_ip("addr add 10.9.8.7/32 dev lo; addr add 10.9.8.8/32 dev lo"));
    APART(open_desk(desk, options, &error));
    CHECK_STR(desk->told->str, "");
    return true;
}

static void serve_all_three(struct desk *desk)
{
    static const char *const all[] = {"127.0.0.1", "10.9.8.0/24", NULL};
    struct udp_options options = {.only = all, .ipv4 = true};
    udp_reload(desk->udp, &options);
}

/* The two are the main loop's, the first is the threads' as before. */
static bool two_are_alone(struct desk *desk, int cause, const char *cure)
{
    struct endpoint first = service(desk, "127.0.0.1");
    const uint8_t request[48] = {0x23};
    char *line = g_strdup_printf(HERE_ALONE, desk->port, g_strerror(cause), cure);
    CHECK_STR(desk->told->str, line);
    g_free(line);
    APART(main_loop_answers_all(desk, "10.9.8.7") && main_loop_answers_all(desk, "10.9.8.8"));
    APART(is_shut(desk, "10.9.8.7") && is_shut(desk, "10.9.8.8"));
    send_from("127.0.0.1", &first, request, sizeof request);
    APART(count_all_waiting(desk) == 1);
    APART(main_loop_answers(desk, "127.0.0.1", 0x16));
    close_desk(desk);
    return true;
}

static bool lose_attach(void)
{
    struct desk desk;
    APART(open_one_of_three(&desk) && refuse_attach(0, ENOMEM));
    serve_all_three(&desk);
    return two_are_alone(&desk, ENOMEM, "");
}

static void refusal_later_on_leaves_other_addresses_to_their_threads(void)
{
    sockets_apart(lose_attach);
}

/* The second thread's set is the one that is full. */
static bool lose_set(void)
{
    struct desk desk;
    unsigned first_set = next_fd();
    APART(open_one_of_three(&desk));
    APART(
        refuse(SCMP_SYS(epoll_ctl), SCMP_A1(SCMP_CMP_EQ, EPOLL_CTL_ADD, 0), first_set + 1, ENOSPC));
    serve_all_three(&desk);
    return two_are_alone(&desk, ENOSPC, "");
}

static void set_that_takes_no_more_leaves_the_address_to_the_main_loop(void)
{
    sockets_apart(lose_set);
}

/* As many descriptors as the main loop needs for its two sockets: the threads get one at best. */
static bool lose_descriptors(void)
{
    struct desk desk;
    struct rlimit before, tight;
    APART(open_one_of_three(&desk));
    APART(getrlimit(RLIMIT_NOFILE, &before) == 0);
    tight = before;
    tight.rlim_cur = next_fd() + 2;
    APART(setrlimit(RLIMIT_NOFILE, &tight) == 0);
    serve_all_three(&desk);
    APART(setrlimit(RLIMIT_NOFILE, &before) == 0);
    return two_are_alone(&desk, EMFILE,
                         ", which needs a higher limit on open files (LimitNOFILE=)");
}

static void limit_on_files_takes_the_threads_before_the_address(void)
{
    sockets_apart(lose_descriptors);
}

const struct test_case service_socket_tests[] = {
    {"kernel_without_the_selector_leaves_all_to_the_main_loop",
     kernel_without_the_selector_leaves_all_to_the_main_loop},
    {"address_whose_selector_is_refused_is_served_by_the_main_loop",
     address_whose_selector_is_refused_is_served_by_the_main_loop},
    {"refusal_later_on_leaves_other_addresses_to_their_threads",
     refusal_later_on_leaves_other_addresses_to_their_threads},
    {"set_that_takes_no_more_leaves_the_address_to_the_main_loop",
     set_that_takes_no_more_leaves_the_address_to_the_main_loop},
    {"limit_on_files_takes_the_threads_before_the_address",
     limit_on_files_takes_the_threads_before_the_address},
    {NULL, NULL}};
