/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The daemon's sockets on the kernel that runs the test: who may have the port, from where answers
 * and requests leave, stamps of both directions, and addresses that come and go.
 */
#include "../engine/daemon/udp.h"

#include <net/if.h>

#include "udp_desk.h"

/* ---- opening ------------------------------------------------------------------------------- */

static void check_taken(struct udp_options options, uint16_t port)
{
    struct desk second;
    char *error = NULL;
    char named[64];
    options.port = port;
    CHECK(!open_desk(&second, options, &error));
    snprintf(named, sizeof named, "cannot serve at 127.0.0.1 (lo), port %u: ", port);
    CHECK(error && g_str_has_prefix(error, named));
    CHECK(error && strstr(error, "Address already in use") && strstr(error, "stop it"));
    g_free(error);
    close_desk(&second);
}

/* SO_REUSEPORT would let a second daemon of the same user share the port in silence. */
static void second_daemon_of_the_same_user_is_refused(void)
{
    const struct udp_options with = {.only = loopback_v4, .ipv4 = true, .threads = 2};
    const struct udp_options without = {.only = loopback_v4, .ipv4 = true};
    struct desk desk;
    open_v4(&desk, 2);
    check_taken(with, desk.port);
    check_taken(without, desk.port);
    close_desk(&desk);
    open_v4(&desk, 0);
    check_taken(with, desk.port);
    close_desk(&desk);
}

static void port_of_another_program_is_named_with_the_cure(void)
{
    const struct udp_options options = {.only = loopback_v4, .ipv4 = true};
    uint16_t port = 0;
    int fd = sockets_open("127.0.0.1", &port, NULL);
    check_taken(options, port);
    close(fd);
}

static void closing_gives_the_port_back(void)
{
    struct udp_options options = {.only = loopback_v4, .ipv4 = true, .threads = 2};
    struct desk desk;
    char *error = NULL;
    open_v4(&desk, 2);
    options.port = desk.port;
    close_desk(&desk);
    CHECK(open_desk(&desk, options, &error));
    close_desk(&desk);
}

static void no_address_left_is_an_error(void)
{
    const struct interface_rule rules[] = {{INTERFACE_IGNORE, "ipv4"}};
    struct udp_options options = {.rules = rules, .rule_count = 1, .ipv4 = true};
    struct desk desk;
    char *error = NULL;
    CHECK(!open_desk(&desk, options, &error));
    CHECK(error && strstr(error, "no address"));
    g_free(error);
    close_desk(&desk);
}

static void dropped_address_is_held_but_hears_nothing(void)
{
    const struct interface_rule rules[] = {{INTERFACE_IGNORE, "all"},
                                           {INTERFACE_DROP, "127.0.0.1"}};
    struct udp_options options = {.rules = rules, .rule_count = 2, .ipv4 = true, .threads = 2};
    const struct udp_options second = {.only = loopback_v4, .ipv4 = true};
    struct desk desk;
    char *error = NULL;
    CHECK(open_desk(&desk, options, &error));
    struct endpoint to = service(&desk, "127.0.0.1");
    send_from("127.0.0.1", &to, "\x23", 1);
    send_from("127.0.0.1", &to, "\x21", 1);
    work(&desk, &desk.heard, 1, 50);
    CHECK_INT(desk.heard, 0);
    CHECK_INT(count_all_waiting(&desk), 0);
    GArray *served = udp_served(desk.udp);
    CHECK_INT(served->len, 0);
    g_array_free(served, TRUE);
    check_taken(second, desk.port);
    close_desk(&desk);
}

static void own_addresses_are_those_that_are_bound(void)
{
    struct desk desk;
    size_t count;
    struct address loopback = sockets_address("127.0.0.1");
    open_v4(&desk, 0);
    const struct address *own = udp_own(desk.udp, &count);
    CHECK_INT(count, 1);
    CHECK(address_equal(&own[0], &loopback));
    close_desk(&desk);
}

/* ---- requests and answers ------------------------------------------------------------------- */

static struct outgoing request_to(const struct endpoint *peer, uint32_t request)
{
    struct outgoing out = {.peer = *peer, .request = request, .size = 48, .bytes = {0x23}};
    return out;
}

/* The port that a request to this socket came from. */
static uint16_t take_request(int server)
{
    uint8_t bytes[64];
    union socket_address from = {.any.sa_family = AF_UNSPEC};
    socklen_t size = sizeof from;
    struct pollfd ready = {.fd = server, .events = POLLIN};
    CHECK(poll(&ready, 1, FAST_MS) == 1);
    CHECK_INT(recvfrom(server, bytes, sizeof bytes, MSG_DONTWAIT, &from.any, &size), 48);
    return socket_address_get(&from).port;
}

static void answer(int server, uint16_t port, const char *bytes, size_t length)
{
    struct endpoint to = {sockets_address("127.0.0.1"), port};
    union socket_address address;
    socklen_t size = socket_address_set(&address, &to, 0);
    CHECK_INT(sendto(server, bytes, length, 0, &address.any, size), length);
}

static void request_leaves_from_a_port_of_its_own_and_only_its_server_is_heard(void)
{
    struct desk desk;
    uint16_t port = 0;
    int server = sockets_open("127.0.0.1", &port, NULL);
    struct endpoint peer = {sockets_address("127.0.0.1"), port};
    struct outgoing out = request_to(&peer, 7);
    open_v4(&desk, 0);
    CHECK_INT(udp_send(desk.udp, &out), 0);
    uint16_t from = take_request(server);
    CHECK(from != desk.port);
    struct endpoint to = {peer.address, from};
    send_from("127.0.0.1", &to, "\x24", 1); /* a stranger, at another port */
    answer(server, from, "\x24!", 2);
    work(&desk, &desk.heard, 1, FAST_MS);
    work(&desk, NULL, 0, 20);
    CHECK_INT(desk.heard, 1);
    CHECK_INT(desk.datagrams[0].size, 2);
    CHECK_INT(desk.datagrams[0].request, 7);
    CHECK_INT(desk.datagrams[0].local.port, from);
    CHECK_INT(desk.datagrams[0].peer.port, port);
    close(server);
    close_desk(&desk);
}

static void next_request_replaces_the_socket_of_the_same_server(void)
{
    struct desk desk;
    uint16_t port = 0, ports[3];
    struct pollfd fds[16];
    int server = sockets_open("127.0.0.1", &port, NULL);
    struct endpoint peer = {sockets_address("127.0.0.1"), port};
    open_v4(&desk, 0);
    size_t idle = udp_watch(desk.udp, fds, G_N_ELEMENTS(fds));
    for (uint32_t i = 0; i < 3; i++) {
        struct outgoing out = request_to(&peer, i + 1);
        CHECK_INT(udp_send(desk.udp, &out), 0);
        ports[i] = take_request(server);
    }
    CHECK(ports[0] != ports[1] && ports[1] != ports[2] && ports[0] != ports[2]);
    CHECK_INT(udp_watch(desk.udp, fds, G_N_ELEMENTS(fds)), idle + 1);
    answer(server, ports[0], "\x24", 1);
    answer(server, ports[2], "\x24", 1);
    work(&desk, &desk.heard, 1, FAST_MS);
    CHECK_INT(desk.heard, 1);
    CHECK_INT(desk.datagrams[0].request, 3);
    close(server);
    close_desk(&desk);
}

/* A table of them is bounded by what an engine can have; the longest unused goes. */
static void sockets_of_requests_are_bounded(void)
{
    struct desk desk;
    static struct pollfd fds[1024];
    open_v4(&desk, 0);
    size_t idle = udp_watch(desk.udp, fds, G_N_ELEMENTS(fds));
    for (unsigned i = 0; i < ASSOCIATIONS_MAX * POOL_SIZE + 20; i++) {
        struct endpoint peer = {sockets_address("127.0.0.1"), (uint16_t)(i + 1)};
        struct outgoing out = request_to(&peer, i + 1);
        CHECK_INT(udp_send(desk.udp, &out), 0);
    }
    CHECK_INT(udp_watch(desk.udp, fds, G_N_ELEMENTS(fds)), idle + ASSOCIATIONS_MAX * POOL_SIZE);
    close_desk(&desk);
}

static void refused_request_is_counted_and_nothing_else(void)
{
    struct desk desk;
    struct endpoint peer = {sockets_address("127.0.0.1"), sockets_free_port()};
    struct outgoing out = request_to(&peer, 9);
    open_v4(&desk, 0);
    CHECK_INT(udp_send(desk.udp, &out), 0);
    work(&desk, NULL, 0, 50);
    CHECK_INT(desk.heard, 0);
    CHECK(udp_counts(desk.udp)->icmp >= 1);
    CHECK_INT(udp_send(desk.udp, &out), 0);
    close_desk(&desk);
}

static void request_without_a_route_is_an_errno(void)
{
    struct desk desk;
    struct endpoint peer = {sockets_address("255.255.255.255"), 123};
    struct outgoing out = request_to(&peer, 9);
    open_v4(&desk, 0);
    CHECK(udp_send(desk.udp, &out) != 0);
    CHECK_INT(udp_counts(desk.udp)->send_errors, 1);
    close_desk(&desk);
}

/* The asker is connected: an answer from any other address or port would not reach it. */
static void answer_leaves_from_the_address_that_was_asked(void)
{
    struct desk desk;
    uint8_t bytes[64] = {0x21};
    uint16_t port = 0;
    open_v4(&desk, 1);
    struct endpoint to = service(&desk, "127.0.0.1");
    int fd = sockets_open("127.0.0.9", &port, &to);
    desk.answers = true;
    CHECK_INT(send(fd, bytes, 48, 0), 48);
    work(&desk, &desk.heard, 1, FAST_MS);
    CHECK_INT(sockets_wait(fd, bytes, sizeof bytes, FAST_MS), 48);
    CHECK_INT(bytes[0] & 7, MODE_SERVER);
    close(fd);
    close_desk(&desk);
}

static void datagram_larger_than_the_buffer_is_marked(void)
{
    struct desk desk;
    static uint8_t bytes[4000];
    open_v4(&desk, 0);
    struct endpoint to = service(&desk, "127.0.0.1");
    send_from("127.0.0.1", &to, bytes, 2048);
    send_from("127.0.0.1", &to, bytes, sizeof bytes);
    work(&desk, &desk.heard, 2, FAST_MS);
    CHECK_INT(desk.heard, 2);
    CHECK(!desk.datagrams[0].truncated && desk.datagrams[1].truncated);
    CHECK_INT(desk.datagrams[0].size, 2048);
    CHECK_INT(udp_counts(desk.udp)->truncated, 1);
    close_desk(&desk);
}

/* ---- stamps -------------------------------------------------------------------------------- */

static ntp_time read_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return kernel_clock_stamp(&now);
}

static void arrival_is_stamped_by_the_kernel(void)
{
    struct desk desk;
    open_v4(&desk, 0);
    struct endpoint to = service(&desk, "127.0.0.1");
    /* The first that needs stamps turns them on in the kernel, which takes a moment. */
    for (unsigned i = 0; i < 100 && desk.datagrams[0].kind != STAMP_KERNEL; i++) {
        desk.heard = 0;
        g_usleep(2000);
        ntp_time before = read_clock();
        send_from("127.0.0.1", &to, "\x21", 1);
        g_usleep(3000);
        ntp_time after = read_clock();
        work(&desk, &desk.heard, 1, FAST_MS);
        CHECK_INT(desk.heard, 1);
        CHECK(!ntp_after(before, desk.datagrams[0].stamp));
        if (desk.datagrams[0].kind == STAMP_KERNEL) {
            CHECK(ntp_diff_s(after, desk.datagrams[0].stamp) > 0.002);
        }
    }
    CHECK_INT(desk.datagrams[0].kind, STAMP_KERNEL);
    CHECK(udp_counts(desk.udp)->kernel_stamps >= 1);
    close_desk(&desk);
}

static void check_departure(const struct desk *desk, ntp_time before, ntp_time after)
{
    CHECK_INT(desk->sent, 1);
    CHECK_INT(desk->sent_kind, STAMP_KERNEL);
    CHECK(!ntp_after(before, desk->sent_stamp) && !ntp_after(desk->sent_stamp, after));
}

static void departure_of_a_request_is_stamped_and_named(void)
{
    struct desk desk;
    uint16_t port = 0;
    int server = sockets_open("127.0.0.1", &port, NULL);
    struct endpoint peer = {sockets_address("127.0.0.1"), port};
    struct outgoing out = request_to(&peer, 1234);
    open_v4(&desk, 0);
    ntp_time before = read_clock();
    CHECK_INT(udp_send(desk.udp, &out), 0);
    work(&desk, &desk.sent, 1, FAST_MS);
    check_departure(&desk, before, read_clock());
    CHECK_INT(desk.sent_request, 1234);
    close(server);
    close_desk(&desk);
}

/* To ports that the kernel gives to nobody, and so not to the sender. */
static void departure_of_a_symmetric_packet_is_stamped_and_its_peer_named(void)
{
    struct desk desk;
    open_v4(&desk, 0);
    for (uint16_t i = 0; i < 70; i++) {
        struct outgoing out = {.peer = {sockets_address("127.0.0.1"), (uint16_t)(20000 + i)},
                               .size = 48,
                               .bytes = {0x21}};
        ntp_time before = read_clock();
        desk.sent = 0;
        CHECK_INT(udp_send(desk.udp, &out), 0);
        work(&desk, &desk.sent, 1, FAST_MS);
        check_departure(&desk, before, read_clock());
        CHECK_INT(desk.sent_request, 0);
        CHECK_INT(desk.sent_peer.port, 20000 + i);
    }
    close_desk(&desk);
}

static void departures_of_answers_are_not_told(void)
{
    struct desk desk;
    struct outgoing out = {.peer = {sockets_address("127.0.0.1"), 20000}, .size = 48};
    open_v4(&desk, 0);
    out.bytes[0] = 0x24;
    CHECK_INT(udp_send(desk.udp, &out), 0);
    out.bytes[0] = 0x26;
    CHECK_INT(udp_send(desk.udp, &out), 0);
    work(&desk, &desk.sent, 1, 50);
    CHECK_INT(desk.sent, 0);
    close_desk(&desk);
}

/* A send that the kernel refuses must not shift which stamp is whose. */
static void departures_are_named_right_after_a_send_that_failed(void)
{
    struct desk desk;
    struct outgoing bad = {.peer = {sockets_address("255.255.255.255"), 9}, .size = 48};
    struct outgoing good = {.peer = {sockets_address("127.0.0.1"), 40001}, .size = 48};
    open_v4(&desk, 0);
    bad.bytes[0] = good.bytes[0] = 0x21;
    bad.local = service(&desk, "127.0.0.1");
    for (unsigned i = 0; i < 3; i++) {
        CHECK(udp_send(desk.udp, &bad) != 0);
        desk.sent = 0;
        good.peer.port++;
        CHECK_INT(udp_send(desk.udp, &good), 0);
        work(&desk, &desk.sent, 1, FAST_MS);
        CHECK_INT(desk.sent, 1);
        CHECK_INT(desk.sent_peer.port, good.peer.port);
    }
    close_desk(&desk);
}

/* ---- in a namespace of their own ------------------------------------------------------------ */

static bool has_own(const struct desk *desk, const char *text)
{
    struct address address = sockets_address(text);
    size_t count;
    const struct address *own = udp_own(desk->udp, &count);
    for (size_t i = 0; i < count; i++) {
        if (address_equal(&own[i], &address)) {
            return true;
        }
    }
    return false;
}

static bool follow_addresses(void)
{
    struct udp_options options = {.ipv4 = true, .ipv6 = true, .threads = 2};
    struct desk desk;
    char *error = NULL;
    const uint8_t request[48] = {0x23};
    APART(open_desk(&desk, options, &error));
    APART(!has_own(&desk, "10.9.8.7"));
    g_usleep(1100000); /* the scan at the start is not of this second */
    APART(sockets_ip("addr add 10.9.8.7/32 dev lo; addr add 2001:db8::7/128 dev lo"));
    work(&desk, &desk.changed, 2, 1500);
    APART(has_own(&desk, "10.9.8.7") && has_own(&desk, "2001:db8::7"));
    struct endpoint to = service(&desk, "10.9.8.7");
    send_from("127.0.0.1", &to, request, sizeof request);
    APART(count_all_waiting(&desk) == 1);
    unsigned changed = desk.changed;
    APART(sockets_ip("addr del 10.9.8.7/32 dev lo"));
    work(&desk, &desk.changed, changed + 1, 2500);
    APART(desk.changed == changed + 1);
    APART(!has_own(&desk, "10.9.8.7") && has_own(&desk, "127.0.0.1"));
    APART(strcmp(desk.told->str, "") == 0);
    close_desk(&desk);
    return true;
}

static void addresses_that_come_and_go_are_followed(void)
{
    sockets_apart(follow_addresses);
}

#define IN_USE                                                                                     \
    "Address already in use; another time service is running here (`ss -ulpn` names it): stop "    \
    "it, or leave it what it serves with `interface ignore`"

static bool add_many(void)
{
    GString *commands = g_string_new("addr add 10.9.8.1/32 dev lo");
    for (unsigned i = 2; i <= 9; i++) {
        g_string_append_printf(commands, "; addr add 10.9.8.%u/32 dev lo", i);
    }
    bool is_done = sockets_ip(commands->str);
    g_string_free(commands, TRUE);
    return is_done;
}

/* Two of ten addresses, then all of them. */
static bool take_the_port(void)
{
    struct udp_options options = {.ipv4 = true, .port = 20123};
    uint16_t port = options.port;
    struct desk desk;
    char *error = NULL;
    APART(add_many());
    int fds[2] = {sockets_open("10.9.8.3", &port, NULL), sockets_open("10.9.8.5", &port, NULL)};
    APART(open_desk(&desk, options, &error));
    APART(!has_own(&desk, "10.9.8.3") && has_own(&desk, "10.9.8.4") && !has_own(&desk, "10.9.8.5"));
    CHECK_STR(desk.told->str,
              "cannot serve at 10.9.8.3 (lo) and 1 other address, port 20123: " IN_USE "\n");
    close_desk(&desk);
    close(fds[0]);
    close(fds[1]);
    fds[0] = sockets_open("0.0.0.0", &port, NULL);
    APART(!open_desk(&desk, options, &error));
    CHECK_STR(error, "cannot serve at 127.0.0.1 (lo) and 9 other addresses, port 20123: " IN_USE);
    CHECK_STR(desk.told->str, "");
    g_free(error);
    close_desk(&desk);
    close(fds[0]);
    return true;
}

static void port_that_is_taken_at_many_addresses_is_told_once(void)
{
    sockets_apart(take_the_port);
}

static bool storm(void)
{
    struct udp_options options = {.ipv4 = true};
    struct desk desk;
    char *error = NULL;
    APART(open_desk(&desk, options, &error));
    g_usleep(1100000);
    APART(add_many());
    work(&desk, &desk.changed, 1, 200);
    APART(desk.changed == 1);
    APART(sockets_ip("addr add 10.9.9.1/32 dev lo"));
    work(&desk, &desk.changed, 2, 300);
    APART(desk.changed == 1); /* not within the same second */
    work(&desk, &desk.changed, 2, 1500);
    APART(desk.changed == 2 && has_own(&desk, "10.9.9.1") && has_own(&desk, "10.9.8.9"));
    close_desk(&desk);
    return true;
}

static void changes_are_looked_at_once_a_second(void)
{
    sockets_apart(storm);
}

/* The kernel makes the route of a new IPv6 address after it has said that it is there; until then a
 * packet to it goes out. */
static bool wait_for_route(const char *interface, const char *address)
{
    int64_t end_us = g_get_monotonic_time() + FAST_MS * 1000;
    char *line = g_strconcat("ip -6 route show table local dev ", interface, NULL);
    bool is_there = false;
    while (!is_there && g_get_monotonic_time() < end_us) {
        char *routes = NULL;
        g_spawn_command_line_sync(line, &routes, NULL, NULL, NULL);
        is_there = routes && strstr(routes, address) != NULL;
        g_free(routes);
        g_usleep(is_there ? 0 : 10000);
    }
    g_free(line);
    return is_there;
}

/* Two interfaces with the same link-local address, and a peer on one of them. */
static bool talk_link_local(void)
{
    static const char *const only[] = {"fe80::/10", NULL};
    struct udp_options options = {.only = only, .ipv6 = true};
    struct desk desk;
    char *error = NULL;
    uint8_t bytes[64] = {0x21};
    APART(sockets_ip("link add va type veth peer name vb; link set va up; link set vb up; "
                     "addr add fe80::5/64 dev va nodad; addr add fe80::5/64 dev vb nodad"));
    APART(wait_for_route("va", "fe80::5") && wait_for_route("vb", "fe80::5"));
    APART(open_desk(&desk, options, &error));
    struct endpoint to = service(&desk, "fe80::5");
    for (const char *name = "ab"; *name; name++) {
        char interface[3] = {'v', *name, '\0'};
        union socket_address address;
        socklen_t size = socket_address_set(&address, &to, if_nametoindex(interface));
        int fd = socket(AF_INET6, SOCK_DGRAM, 0);
        APART(connect(fd, &address.any, size) == 0 && send(fd, bytes, 48, 0) == 48);
        desk.heard = 0;
        desk.answers = true;
        work(&desk, &desk.heard, 1, FAST_MS);
        APART(desk.heard == 1);
        APART(sockets_wait(fd, bytes, sizeof bytes, FAST_MS) == 48);
        close(fd);
        bytes[0] = 0x21;
    }
    close_desk(&desk);
    return true;
}

static void link_local_peers_are_answered_on_their_interface(void)
{
    sockets_apart(talk_link_local);
}

/* Out of a real device: nobody is there to answer, but the packet leaves and is stamped. */
static bool stamp_on_veth(void)
{
    struct udp_options options = {.ipv4 = true};
    struct desk desk;
    char *error = NULL;
    APART(sockets_ip("link add va type veth peer name vb; link set va up; link set vb up; addr add "
                     "10.9.0.1/24 dev va; neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev va"));
    APART(open_desk(&desk, options, &error));
    struct endpoint peer = {sockets_address("10.9.0.2"), 123};
    struct outgoing out = request_to(&peer, 77);
    APART(udp_send(desk.udp, &out) == 0);
    work(&desk, &desk.sent, 1, FAST_MS);
    APART(desk.sent == 1 && desk.sent_kind == STAMP_KERNEL && desk.sent_request == 77);
    out.request = 0; /* symmetric, from where the route says */
    out.bytes[0] = 0x21;
    APART(udp_send(desk.udp, &out) == 0);
    work(&desk, &desk.sent, 2, FAST_MS);
    APART(desk.sent == 2 && address_equal(&desk.sent_peer.address, &peer.address));
    close_desk(&desk);
    return true;
}

static void departures_by_veth_are_stamped(void)
{
    sockets_apart(stamp_on_veth);
}

/* Rules read anew close what they no longer want and open what they do. */
static bool reload(void)
{
    const struct interface_rule rules[] = {{INTERFACE_IGNORE, "all"}};
    struct udp_options options = {.ipv4 = true};
    struct desk desk;
    char *error = NULL;
    APART(sockets_ip("addr add 10.9.8.7/32 dev lo"));
    APART(open_desk(&desk, options, &error) && has_own(&desk, "10.9.8.7"));
    options.rules = rules;
    options.rule_count = 1;
    udp_reload(desk.udp, &options);
    APART(!has_own(&desk, "10.9.8.7") && has_own(&desk, "127.0.0.1"));
    options.rule_count = 0;
    udp_reload(desk.udp, &options);
    APART(has_own(&desk, "10.9.8.7"));
    close_desk(&desk);
    return true;
}

static void other_rules_change_what_is_served(void)
{
    sockets_apart(reload);
}

/* Only loopback is served: where there is no route that is the cause, else that nothing is bound to
 * the address that it would leave from. */
static bool send_without_a_service(void)
{
    struct udp_options options = {.only = loopback_v4, .ipv4 = true};
    struct outgoing out = {.peer = {sockets_address("10.9.8.1"), NTP_PORT}, .size = 48};
    struct desk desk;
    char *error = NULL;
    APART(open_desk(&desk, options, &error));
    APART(udp_send(desk.udp, &out) == ENETUNREACH);
    APART(sockets_ip("addr add 10.9.8.7/24 dev lo"));
    APART(udp_send(desk.udp, &out) == EADDRNOTAVAIL);
    APART(udp_counts(desk.udp)->send_errors == 2);
    close_desk(&desk);
    return true;
}

static void symmetric_packet_that_cannot_leave_has_the_cause_as_errno(void)
{
    sockets_apart(send_without_a_service);
}

const struct test_case udp_tests[] = {
    {"second_daemon_of_the_same_user_is_refused", second_daemon_of_the_same_user_is_refused},
    {"port_of_another_program_is_named_with_the_cure",
     port_of_another_program_is_named_with_the_cure},
    {"closing_gives_the_port_back", closing_gives_the_port_back},
    {"no_address_left_is_an_error", no_address_left_is_an_error},
    {"dropped_address_is_held_but_hears_nothing", dropped_address_is_held_but_hears_nothing},
    {"own_addresses_are_those_that_are_bound", own_addresses_are_those_that_are_bound},
    {"request_leaves_from_a_port_of_its_own_and_only_its_server_is_heard",
     request_leaves_from_a_port_of_its_own_and_only_its_server_is_heard},
    {"next_request_replaces_the_socket_of_the_same_server",
     next_request_replaces_the_socket_of_the_same_server},
    {"sockets_of_requests_are_bounded", sockets_of_requests_are_bounded},
    {"refused_request_is_counted_and_nothing_else", refused_request_is_counted_and_nothing_else},
    {"request_without_a_route_is_an_errno", request_without_a_route_is_an_errno},
    {"symmetric_packet_that_cannot_leave_has_the_cause_as_errno",
     symmetric_packet_that_cannot_leave_has_the_cause_as_errno},
    {"answer_leaves_from_the_address_that_was_asked",
     answer_leaves_from_the_address_that_was_asked},
    {"datagram_larger_than_the_buffer_is_marked", datagram_larger_than_the_buffer_is_marked},
    {"arrival_is_stamped_by_the_kernel", arrival_is_stamped_by_the_kernel},
    {"departure_of_a_request_is_stamped_and_named", departure_of_a_request_is_stamped_and_named},
    {"departure_of_a_symmetric_packet_is_stamped_and_its_peer_named",
     departure_of_a_symmetric_packet_is_stamped_and_its_peer_named},
    {"departures_of_answers_are_not_told", departures_of_answers_are_not_told},
    {"departures_are_named_right_after_a_send_that_failed",
     departures_are_named_right_after_a_send_that_failed},
    {"addresses_that_come_and_go_are_followed", addresses_that_come_and_go_are_followed},
    {"port_that_is_taken_at_many_addresses_is_told_once",
     port_that_is_taken_at_many_addresses_is_told_once},
    {"changes_are_looked_at_once_a_second", changes_are_looked_at_once_a_second},
    {"link_local_peers_are_answered_on_their_interface",
     link_local_peers_are_answered_on_their_interface},
    {"departures_by_veth_are_stamped", departures_by_veth_are_stamped},
    {"other_rules_change_what_is_served", other_rules_change_what_is_served},
    {NULL, NULL}};
