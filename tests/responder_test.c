/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Server threads beside a main loop: the same requests over loopback get the same answers and the
 * same silence from a daemon with threads and from one without, byte for byte but for the time.
 */
#include "../engine/daemon/responder.h"

#include <pthread.h>
#include <stdatomic.h>

#include "../engine/daemon/service_set.h"
#include "../engine/engine.h"
#include "sockets_check.h"

enum { ENTRIES = 8, KEYS = 5, TABLE = 16, LIMIT_MS = 5000 };

/* What both daemons are told. */
struct orders {
    struct restrict_entry entries[ENTRIES];
    struct key keys[KEYS];
    struct address own;
    struct engine_config config;
};

/* A daemon in little: sockets, an engine, and threads where `threads` is not 0. */
struct daemon_desk {
    struct udp *udp;
    struct kernel_clock clock;
    struct engine *engine;
    struct responder *responder;
    struct endpoint at;
    unsigned heard;
    GString *told;
};

static const char *const only_v4[] = {"127.0.0.0/8", NULL};
static const uint8_t seed[32] = {1, 2, 3};

static int compare_entries(const void *a, const void *b)
{
    return access_compare(a, b);
}

static struct restrict_entry entry(const char *address, uint8_t prefix, unsigned flags)
{
    return (struct restrict_entry){.address = sockets_address(address),
                                   .prefix = prefix,
                                   .is_default = prefix == 0,
                                   .ippeerlimit = -1,
                                   .flags = (uint16_t)flags,
                                   .line = 1};
}

static void give_orders(struct orders *orders)
{
    static const enum key_type types[KEYS] = {KEY_MD5, KEY_SHA1, KEY_SHA256, KEY_AES128CMAC,
                                              KEY_SHA512};
    const struct restrict_entry entries[ENTRIES] = {
        entry("0.0.0.0", 0, ACCESS_NOMODIFY | ACCESS_NOPEER),
        entry("127.0.2.1", 32, ACCESS_IGNORE),
        entry("127.0.2.2", 32, ACCESS_NOSERVE),
        entry("127.0.2.3", 32, ACCESS_NOTRUST),
        entry("127.0.2.4", 32, ACCESS_VERSION),
        entry("127.0.2.5", 32, ACCESS_LIMITED),
        entry("127.0.2.6", 32, ACCESS_LIMITED | ACCESS_KOD),
        entry("127.0.2.0", 24, ACCESS_NOQUERY)};
    memset(orders, 0, sizeof *orders);
    engine_config_default(&orders->config);
    memcpy(orders->entries, entries, sizeof entries);
    qsort(orders->entries, ENTRIES, sizeof entries[0], compare_entries);
    for (unsigned i = 0; i < KEYS; i++) {
        orders->keys[i] = (struct key){
            .id = i + 1, .type = types[i], .is_trusted = i + 1 < KEYS, .secret_size = 16};
        memset(orders->keys[i].secret, (int)(0x41 + i), 16);
    }
    orders->keys[1].address_count = 1;
    orders->keys[1].addresses[0] = (struct key_address){sockets_address("127.0.1.0"), 24};
    orders->own = sockets_address("127.0.0.1");
    orders->config.access = (struct access_list){orders->entries, ENTRIES};
    orders->config.keys = (struct key_table){orders->keys, KEYS};
    orders->config.own = &orders->own;
    orders->config.own_count = 1;
    orders->config.client_capacity = TABLE;
    orders->config.discard.minimum_s = 0;
}

static void carry_out(struct daemon_desk *desk, const struct effects *effects)
{
    if (effects->todo & EFFECT_SEND) {
        CHECK_INT(udp_send(desk->udp, &effects->send), 0);
    }
}

static void on_heard(void *context, const struct datagram *in)
{
    struct daemon_desk *desk = context;
    struct effects effects;
    engine_receive(desk->engine, kernel_clock_read(&desk->clock), in, &effects);
    carry_out(desk, &effects);
    desk->heard++;
}

static void on_sent(void *context, uint32_t request, ntp_time stamp, enum stamp_kind kind,
                    const struct endpoint *peer)
{
    struct daemon_desk *desk = context;
    struct effects effects;
    engine_sent(desk->engine, kernel_clock_read(&desk->clock), request, stamp, kind, peer,
                &effects);
}

static void on_changed(void *context)
{
    (void)context;
}

static void publish(struct daemon_desk *desk)
{
    if (desk->responder) {
        struct service_rules rules = engine_service_rules(desk->engine);
        responder_set_rules(desk->responder, &rules);
        responder_publish(desk->responder, engine_server_view(desk->engine));
    }
}

/* Threads that have neither rules nor a view yet; publish() gives them both. */
static void open_quiet(struct daemon_desk *desk, const struct orders *orders, unsigned threads)
{
    char *error = NULL;
    memset(desk, 0, sizeof *desk);
    desk->told = g_string_new(NULL);
    desk->at = (struct endpoint){sockets_address("127.0.0.1"), sockets_free_port()};
    struct udp_options options = {
        .only = only_v4, .ipv4 = true, .port = desk->at.port, .threads = threads};
    desk->udp = udp_open(&options, &desk->clock, sockets_warn, desk->told, &error);
    CHECK(desk->udp != NULL);
    void *memory = g_aligned_alloc0(1, engine_size(&orders->config), 16);
    desk->engine = engine_init(memory, &orders->config, seed, kernel_clock_read(&desk->clock));
    struct responder_options terms = {
        .udp = desk->udp, .client_capacity = orders->config.client_capacity, .seed = seed};
    desk->responder = responder_start(&terms, &error);
    CHECK((desk->responder != NULL) == (threads > 0));
    CHECK(error == NULL);
}

static void open_daemon(struct daemon_desk *desk, const struct orders *orders, unsigned threads)
{
    open_quiet(desk, orders, threads);
    publish(desk);
}

static void close_daemon(struct daemon_desk *desk)
{
    if (desk->responder) {
        responder_stop(desk->responder);
    }
    udp_close(desk->udp);
    g_aligned_free(desk->engine);
    CHECK_STR(desk->told->str, "");
    g_string_free(desk->told, TRUE);
}

static struct service_counts counts_of(const struct daemon_desk *desk)
{
    struct service_counts counts = {.version_4 = 0};
    if (desk->responder) {
        responder_counts(desk->responder, &counts);
    }
    return counts;
}

static uint64_t judged(const struct daemon_desk *desk)
{
    struct service_counts counts = counts_of(desk);
    uint64_t sum = desk->heard;
    for (unsigned i = 0; i < SERVICE_VERDICTS; i++) {
        sum += counts.verdicts[i];
    }
    return sum;
}

/* Until so many datagrams were dealt with, here or in the threads. */
static void work(struct daemon_desk *desk, uint64_t until)
{
    const struct udp_sink sink = {desk, on_heard, on_sent, on_changed};
    int64_t end_us = g_get_monotonic_time() + LIMIT_MS * 1000;
    struct pollfd fds[16];
    while (judged(desk) < until && g_get_monotonic_time() < end_us) {
        size_t n = udp_watch(desk->udp, fds, G_N_ELEMENTS(fds));
        poll(fds, n, 1);
        udp_receive(desk->udp, fds, n, &sink);
    }
    CHECK_INT(judged(desk), until);
}

/* ---- the same from both ---------------------------------------------------------------------- */

struct pair {
    struct orders orders;
    struct daemon_desk threaded, alone;
    uint64_t sent;
    unsigned answers;
};

static void open_pair(struct pair *pair)
{
    memset(pair, 0, sizeof *pair);
    give_orders(&pair->orders);
    open_daemon(&pair->threaded, &pair->orders, 2);
    open_daemon(&pair->alone, &pair->orders, 0);
}

/* Threads' and main loop's judgements of one daemon are as many as the other's. */
static void close_pair(struct pair *pair)
{
    struct service_counts here = counts_of(&pair->threaded);
    const struct service_counts *rest = &engine_counters(pair->threaded.engine)->served;
    const struct service_counts *alone = &engine_counters(pair->alone.engine)->served;
    for (unsigned i = 0; i < SERVICE_VERDICTS; i++) {
        if (i != SERVICE_MODE && i != SERVICE_MALFORMED) {
            CHECK_INT(here.verdicts[i] + rest->verdicts[i], alone->verdicts[i]);
        }
    }
    CHECK_INT(responder_send_errors(pair->threaded.responder), 0);
    close_daemon(&pair->threaded);
    close_daemon(&pair->alone);
}

/* What may differ is made equal: both times, the age of the dispersion, and the digest over them,
 * once it was found right. */
static void forget_time(const struct pair *pair, uint8_t *bytes, size_t size)
{
    struct packet packet;
    CHECK_INT(packet_parse(bytes, size, &packet), PACKET_OK);
    CHECK(!ntp_is_zero(packet.receive) && !ntp_is_zero(packet.transmit));
    CHECK(!ntp_after(packet.receive, packet.transmit));
    if (packet.has_mac) {
        struct address sender = sockets_address("127.0.1.1");
        CHECK_INT(auth_verify(&pair->orders.config.keys, 0, &sender, &packet, bytes), AUTH_OK);
        memset(bytes + PACKET_HEADER_SIZE + 4, 0, packet.digest_size);
    }
    memset(bytes + 8, 0, 4);
    memset(bytes + 32, 0, 16);
}

static ssize_t ask_one(struct pair *pair, struct daemon_desk *desk, int fd, const uint8_t *request,
                       size_t size, uint8_t reply[2048])
{
    union socket_address to;
    socklen_t length = socket_address_set(&to, &desk->at, 0);
    CHECK_INT(sendto(fd, request, size, 0, &to.any, length), size);
    work(desk, pair->sent);
    return recv(fd, reply, 2048, MSG_DONTWAIT);
}

/* True when they answered. */
static bool ask(struct pair *pair, const char *from, const uint8_t *request, size_t size)
{
    uint8_t replies[2][2048];
    uint16_t port = 0;
    int fd = sockets_open(from, &port, NULL);
    pair->sent++;
    ssize_t first = ask_one(pair, &pair->threaded, fd, request, size, replies[0]);
    ssize_t second = ask_one(pair, &pair->alone, fd, request, size, replies[1]);
    close(fd);
    CHECK_INT(first, second);
    if (first < PACKET_HEADER_SIZE || first != second) {
        return first >= 0;
    }
    pair->answers++;
    forget_time(pair, replies[0], (size_t)first);
    forget_time(pair, replies[1], (size_t)second);
    CHECK(memcmp(replies[0], replies[1], (size_t)first) == 0);
    return true;
}

static void set_request(uint8_t bytes[48], uint8_t first)
{
    memset(bytes, 0, 48);
    bytes[0] = first;
    bytes[2] = 6;
    memset(bytes + 40, 0xB5, 8);
}

static void every_first_byte_gets_the_same_from_both(void)
{
    struct pair pair;
    open_pair(&pair);
    for (unsigned first = 0; first < 256; first++) {
        uint8_t bytes[48];
        set_request(bytes, (uint8_t)first);
        ask(&pair, "127.0.0.5", bytes, sizeof bytes);
    }
    CHECK_INT(pair.answers, 4 * (4 + 4 + 1)); /* modes 3 and 1 of four versions, mode 0 of one */
    close_pair(&pair);
}

static void every_length_gets_the_same_from_both(void)
{
    struct pair pair;
    uint8_t bytes[3000] = {0x23};
    open_pair(&pair);
    for (size_t size = 0; size <= 100; size++) {
        ask(&pair, "127.0.0.5", bytes, size);
    }
    ask(&pair, "127.0.0.5", bytes, 1280);
    ask(&pair, "127.0.0.5", bytes, 2048);
    ask(&pair, "127.0.0.5", bytes, sizeof bytes); /* more than is read */
    CHECK(pair.answers >= 1);
    close_pair(&pair);
}

static void every_access_flag_gets_the_same_from_both(void)
{
    struct pair pair;
    open_pair(&pair);
    for (unsigned host = 0; host <= 7; host++) {
        char from[ADDRESS_TEXT_SIZE];
        snprintf(from, sizeof from, "127.0.2.%u", host);
        for (uint8_t version = 3; version <= 4; version++) {
            uint8_t bytes[72];
            set_request(bytes, (uint8_t)(version << 3 | MODE_CLIENT));
            bool is_answered = ask(&pair, from, bytes, 48);
            size_t size = 48 + auth_append(&pair.orders.keys[0], bytes, 48);
            bool is_signed_answered = ask(&pair, from, bytes, size);
            CHECK_INT(is_answered,
                      host != 1 && host != 2 && host != 3 && !(host == 4 && version == 3));
            CHECK_INT(is_signed_answered, host != 1 && host != 2 && !(host == 4 && version == 3));
        }
    }
    close_pair(&pair);
}

/* All keys, right and with one bit of the digest or the header wrong; one is not trusted, one only
 * for 127.0.1.0/24; ids that nobody has. */
static void every_key_gets_the_same_from_both(void)
{
    static const char *const hosts[] = {"127.0.1.1", "127.0.3.1"};
    struct pair pair;
    open_pair(&pair);
    for (unsigned i = 0; i < KEYS * 2; i++) {
        uint8_t bytes[72];
        set_request(bytes, 0x23);
        size_t size = 48 + auth_append(&pair.orders.keys[i / 2], bytes, 48);
        bool is_welcome = i / 2 + 1 < KEYS && (i / 2 != 1 || i % 2 == 0);
        CHECK_INT(ask(&pair, hosts[i % 2], bytes, size), is_welcome);
        bytes[size - 1] ^= 1;
        CHECK(!ask(&pair, hosts[i % 2], bytes, size));
        bytes[size - 1] ^= 1;
        bytes[3] ^= 1;
        CHECK(!ask(&pair, hosts[i % 2], bytes, size));
        bytes[3] ^= 1;
        bytes[50] ^= 1;
        CHECK(!ask(&pair, hosts[i % 2], bytes, size));
    }
    close_pair(&pair);
}

static void extension_fields_get_the_same_from_both(void)
{
    static const uint16_t lengths[] = {0, 4, 16, 20, 28, 32, 60, 64, 17, 0xFFFC};
    struct pair pair;
    open_pair(&pair);
    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        for (size_t size = 64; size <= 128; size += 16) {
            uint8_t bytes[152] = {0};
            set_request(bytes, 0x23);
            bytes[48] = 1;
            bytes[50] = (uint8_t)(lengths[i] >> 8);
            bytes[51] = (uint8_t)lengths[i];
            ask(&pair, "127.0.0.5", bytes, size);
            size_t whole = size + auth_append(&pair.orders.keys[3], bytes, size);
            ask(&pair, "127.0.0.5", bytes, whole);
        }
    }
    CHECK(pair.answers > 0);
    close_pair(&pair);
}

struct tally {
    unsigned answers, kisses;
};

static struct tally flood(struct daemon_desk *desk, const char *from, unsigned count)
{
    struct tally tally = {0, 0};
    uint16_t port = 0;
    uint8_t bytes[48], reply[64];
    uint64_t before = judged(desk);
    int fd = sockets_open(from, &port, &desk->at);
    for (unsigned i = 0; i < count; i++) {
        set_request(bytes, 0x23);
        CHECK_INT(send(fd, bytes, sizeof bytes, 0), 48);
        work(desk, before + i + 1);
        if (recv(fd, reply, sizeof reply, MSG_DONTWAIT) == 48) {
            bool is_kiss = memcmp(reply + 12, "RATE", 4) == 0;
            tally.kisses += is_kiss;
            tally.answers += !is_kiss;
            CHECK(i >= 8 || !is_kiss);
        }
    }
    close(fd);
    return tally;
}

/* A burst of eight is served, then one in four by chance; one kiss where the entry says so. */
static void limits_are_the_same_for_both(void)
{
    enum { BURST = 8, BEYOND = 120 };
    struct pair pair;
    open_pair(&pair);
    for (unsigned i = 0; i < 2; i++) {
        struct daemon_desk *desk = i == 0 ? &pair.threaded : &pair.alone;
        struct tally plain = flood(desk, "127.0.2.5", BURST + BEYOND);
        struct tally kissed = flood(desk, "127.0.2.6", BURST + BEYOND);
        struct tally open = flood(desk, "127.0.0.5", BURST + BEYOND);
        CHECK_INT(plain.kisses, 0);
        CHECK_INT(kissed.kisses, 1);
        CHECK_INT(open.answers, BURST + BEYOND);
        CHECK_NEAR(plain.answers, BURST + BEYOND / 4.0, 20);
        CHECK_NEAR(kissed.answers, BURST + BEYOND / 4.0, 20);
    }
    CHECK_INT(counts_of(&pair.threaded).verdicts[SERVICE_KISSED], 1);
    close_daemon(&pair.threaded);
    close_daemon(&pair.alone);
}

/* Of our own addresses nobody is answered, and no thread falls for one. */
static bool ask_oneself(void)
{
    struct pair pair;
    uint8_t bytes[48];
    give_orders(&pair.orders);
    APART(sockets_ip("addr add 10.9.8.7/32 dev lo; addr add 10.9.8.8/32 dev lo"));
    pair.orders.own = sockets_address("10.9.8.7");
    pair.sent = pair.answers = 0;
    open_daemon(&pair.threaded, &pair.orders, 2);
    open_daemon(&pair.alone, &pair.orders, 0);
    set_request(bytes, 0x23);
    APART(!ask(&pair, "10.9.8.7", bytes, sizeof bytes));
    APART(ask(&pair, "127.0.0.9", bytes, sizeof bytes));
    APART(counts_of(&pair.threaded).verdicts[SERVICE_OWN_ADDRESS] == 1);
    APART(counts_of(&pair.threaded).verdicts[SERVICE_ANSWERED] == 1);
    close_pair(&pair);
    return true;
}

static void own_address_is_answered_by_neither(void)
{
    sockets_apart(ask_oneself);
}

/* ---- threads ------------------------------------------------------------------------------- */

static void check_exchange(struct daemon_desk *desk, const char *from, bool is_answered)
{
    struct tally tally = flood(desk, from, 1);
    CHECK_INT(tally.answers, is_answered);
}

/* What a thread sends is what server_reply() makes of the published view, to the byte. */
static void answer_is_made_of_the_published_view(void)
{
    struct orders orders;
    struct daemon_desk desk;
    struct server_view view = {.leap = LEAP_INSERT,
                               .stratum = 2,
                               .precision = -22,
                               .poll = 4,
                               .refid = 0x8CA0F71F,
                               .reference_time = {UINT64_C(0xE1E2E3E4E5E6E7E8)},
                               .root_delay_s = 1.5,
                               .root_dispersion_s = 0.25};
    uint8_t request[48], reply[64], expected[DATAGRAM_SIZE_MAX];
    enum service_verdict verdict;
    uint16_t port = 0;
    give_orders(&orders);
    open_daemon(&desk, &orders, 1);
    responder_publish(desk.responder, &view);
    int fd = sockets_open("127.0.0.5", &port, &desk.at);
    set_request(request, 0x23);
    CHECK_INT(send(fd, request, sizeof request, 0), 48);
    CHECK_INT(sockets_wait(fd, reply, sizeof reply, LIMIT_MS), 48);
    struct packet got;
    CHECK_INT(packet_parse(reply, 48, &got), PACKET_OK);
    struct service_rules rules = engine_service_rules(desk.engine);
    struct datagram in = {.peer = {sockets_address("127.0.0.5"), port},
                          .local = desk.at,
                          .stamp = got.receive,
                          .kind = STAMP_KERNEL,
                          .bytes = request,
                          .size = 48};
    struct instant now = {.clock = got.transmit, .mono = {0}};
    CHECK_INT(server_reply(&view, &rules, NULL, &in, now, expected, &verdict), 48);
    CHECK(memcmp(reply, expected, 48) == 0);
    CHECK_NEAR(ntp_diff_s(kernel_clock_read(&desk.clock).clock, got.transmit), 0.0, 1.0);
    close(fd);
    close_daemon(&desk);
}

static void nothing_is_answered_before_there_is_a_view(void)
{
    struct orders orders;
    struct daemon_desk desk;
    uint8_t bytes[64];
    uint16_t port = 0;
    give_orders(&orders);
    open_quiet(&desk, &orders, 2);
    int fd = sockets_open("127.0.0.5", &port, &desk.at);
    struct service_rules rules = engine_service_rules(desk.engine);
    for (unsigned i = 0; i < 2; i++) {
        set_request(bytes, 0x23);
        CHECK_INT(send(fd, bytes, 48, 0), 48);
        CHECK_INT(sockets_wait(fd, bytes, sizeof bytes, 50), -1);
        responder_set_rules(desk.responder, &rules);
    }
    close(fd);
    publish(&desk);
    check_exchange(&desk, "127.0.0.5", true);
    close_daemon(&desk);
}

/* A request from before the step carries an arrival time of another clock. */
static void no_answer_while_held_and_none_to_what_came_before(void)
{
    struct orders orders;
    struct daemon_desk desk;
    uint8_t bytes[64];
    uint16_t port = 0;
    give_orders(&orders);
    open_daemon(&desk, &orders, 2);
    int fd = sockets_open("127.0.0.5", &port, &desk.at);
    set_request(bytes, 0x23);
    for (unsigned i = 0; i < 20; i++) {
        responder_hold(desk.responder);
        CHECK_INT(send(fd, bytes, 48, 0), 48);
        CHECK_INT(sockets_wait(fd, bytes, sizeof bytes, 5), -1);
        responder_publish(desk.responder, engine_server_view(desk.engine));
        responder_release(desk.responder);
        CHECK_INT(sockets_wait(fd, bytes, sizeof bytes, 5), -1);
        check_exchange(&desk, "127.0.0.5", true);
    }
    close(fd);
    close_daemon(&desk);
}

static void other_rules_hold_from_their_return_on(void)
{
    struct orders orders;
    struct daemon_desk desk;
    give_orders(&orders);
    open_daemon(&desk, &orders, 2);
    for (unsigned i = 0; i < 50; i++) {
        struct restrict_entry *everyone = g_new(struct restrict_entry, 1);
        struct access_list *list = g_new(struct access_list, 1);
        struct service_rules rules = engine_service_rules(desk.engine);
        *everyone = entry("0.0.0.0", 0, i % 2 ? ACCESS_IGNORE : 0u);
        *list = (struct access_list){everyone, 1};
        rules.access = list;
        responder_set_rules(desk.responder, &rules);
        check_exchange(&desk, "127.0.0.5", i % 2 == 0);
        rules = engine_service_rules(desk.engine);
        responder_set_rules(desk.responder, &rules);
        g_free(everyone);
        g_free(list);
    }
    close_daemon(&desk);
}

struct swap {
    struct daemon_desk *desk;
    atomic_bool is_done;
};

static void *swap_once(void *context)
{
    struct swap *swap = context;
    struct service_rules rules = engine_service_rules(swap->desk->engine);
    responder_set_rules(swap->desk->responder, &rules);
    atomic_store(&swap->is_done, true);
    return NULL;
}

/* The test has the turn of a thread, as if that were in the middle of a batch. */
static void former_rules_are_given_back_after_the_batch_that_uses_them(void)
{
    struct orders orders;
    struct daemon_desk desk;
    struct swap swap = {.desk = &desk};
    pthread_t id;
    give_orders(&orders);
    open_daemon(&desk, &orders, 2);
    for (unsigned i = 0; i < 2; i++) {
        struct service_set *set = udp_thread_set(desk.udp, i);
        atomic_store(&swap.is_done, false);
        CHECK(service_set_enter(set, -1));
        CHECK_INT(pthread_create(&id, NULL, swap_once, &swap), 0);
        g_usleep(30000);
        CHECK(!atomic_load(&swap.is_done));
        service_set_leave(set);
        pthread_join(id, NULL);
        CHECK(atomic_load(&swap.is_done));
    }
    close_daemon(&desk);
}

static void looking_at_a_busy_thread_does_not_wait_for_it(void)
{
    struct orders orders;
    struct daemon_desk desk;
    struct service_counts counts;
    const struct clients *const *tables;
    give_orders(&orders);
    open_daemon(&desk, &orders, 1);
    check_exchange(&desk, "127.0.0.5", true);
    responder_counts(desk.responder, &counts);
    CHECK(service_set_enter(udp_thread_set(desk.udp, 0), -1));
    int64_t started_us = g_get_monotonic_time();
    responder_counts(desk.responder, &counts);
    CHECK_INT(responder_tables(desk.responder, &tables), 1);
    CHECK(g_get_monotonic_time() - started_us < 500000);
    CHECK_INT(counts.verdicts[SERVICE_ANSWERED], 1); /* as last seen */
    CHECK_INT(clients_count(tables[0]), 0);
    service_set_leave(udp_thread_set(desk.udp, 0));
    close_daemon(&desk);
}

/* Who is answered first has lost his address by then. */
static bool lose_one_asker(void)
{
    struct orders orders;
    struct daemon_desk desk;
    uint8_t bytes[64];
    uint16_t ports[2] = {0};
    give_orders(&orders);
    APART(sockets_ip("addr add 10.9.8.7/32 dev lo"));
    open_daemon(&desk, &orders, 1);
    int lost = sockets_open("10.9.8.7", &ports[0], &desk.at);
    int stays = sockets_open("127.0.0.5", &ports[1], &desk.at);
    APART(service_set_enter(udp_thread_set(desk.udp, 0), -1));
    set_request(bytes, 0x23);
    APART(send(lost, bytes, 48, 0) == 48 && send(stays, bytes, 48, 0) == 48);
    APART(sockets_ip("addr del 10.9.8.7/32 dev lo"));
    service_set_leave(udp_thread_set(desk.udp, 0));
    APART(sockets_wait(stays, bytes, sizeof bytes, LIMIT_MS) == 48);
    work(&desk, 2);
    APART(responder_send_errors(desk.responder) == 1);
    close(lost);
    close(stays);
    close_daemon(&desk);
    return true;
}

static void answer_that_cannot_be_sent_is_counted_and_the_next_one_leaves(void)
{
    sockets_apart(lose_one_asker);
}

static unsigned entries_named(struct daemon_desk *desk, const char *address)
{
    struct address wanted = sockets_address(address);
    const struct clients *const *tables;
    size_t count = responder_tables(desk->responder, &tables);
    unsigned found = 0;
    CHECK_INT(count, 2);
    for (size_t i = 0; i < count; i++) {
        const struct client_entry *entry = NULL;
        while ((entry = clients_newer(tables[i], entry)) != NULL) {
            found += address_equal(&entry->peer.address, &wanted);
        }
    }
    return found;
}

static void tables_show_who_asked_not_later_than_a_second_after(void)
{
    struct orders orders;
    struct daemon_desk desk;
    give_orders(&orders);
    open_daemon(&desk, &orders, 2);
    CHECK_INT(entries_named(&desk, "127.0.0.5"), 0);
    check_exchange(&desk, "127.0.0.5", true);
    CHECK_INT(entries_named(&desk, "127.0.0.5"), 0);
    g_usleep(1010000);
    CHECK_INT(entries_named(&desk, "127.0.0.5"), 1);
    close_daemon(&desk);
}

/* ---- all at once --------------------------------------------------------------------------- */

struct askers {
    struct endpoint at;
    atomic_bool is_over;
    atomic_uint answers;
};

static void *keep_asking(void *context)
{
    struct askers *askers = context;
    uint8_t bytes[64];
    uint16_t port = 0;
    int fd = sockets_open("127.0.0.5", &port, &askers->at);
    while (!atomic_load(&askers->is_over)) {
        set_request(bytes, 0x23);
        for (unsigned i = 0; i < 32; i++) {
            send(fd, bytes, 48, 0); /* lost where there is no server for the moment */
        }
        while (sockets_wait(fd, bytes, sizeof bytes, 1) == 48) {
            atomic_fetch_add(&askers->answers, 1);
        }
    }
    close(fd);
    return NULL;
}

/* To others and back; what they pointed to is gone at once. */
static void swap_rules(struct daemon_desk *desk)
{
    for (unsigned i = 0; i < 20; i++) {
        struct restrict_entry *everyone = g_new(struct restrict_entry, 1);
        struct access_list *list = g_new(struct access_list, 1);
        struct service_rules rules = engine_service_rules(desk->engine);
        *everyone = entry("0.0.0.0", 0, 0);
        *list = (struct access_list){everyone, 1};
        rules.access = list;
        responder_set_rules(desk->responder, &rules);
        publish(desk);
        g_free(everyone);
        g_free(list);
    }
}

/* Everything that the main loop does to busy threads, in turn; rules are freed as soon as they are
 * replaced. The sanitizers judge; so does the clock: none of it waits for long. */
static void busy_threads_stand_everything_the_main_loop_does(void)
{
    enum { ROUNDS = 200 };
    struct orders orders;
    struct daemon_desk desk;
    struct askers askers = {.is_over = false};
    pthread_t ids[2];
    const struct clients *const *tables;
    struct service_counts counts;
    struct udp_options none = {.only = only_v4};
    struct udp_options all = {.only = only_v4, .ipv4 = true};
    give_orders(&orders);
    open_daemon(&desk, &orders, 2);
    askers.at = desk.at;
    for (unsigned i = 0; i < 2; i++) {
        CHECK_INT(pthread_create(&ids[i], NULL, keep_asking, &askers), 0);
    }
    int64_t started_us = g_get_monotonic_time();
    for (unsigned i = 0; i < ROUNDS; i++) {
        swap_rules(&desk);
        responder_hold(desk.responder);
        responder_release(desk.responder);
        responder_counts(desk.responder, &counts);
        responder_tables(desk.responder, &tables);
        udp_reload(desk.udp, i % 2 ? &all : &none);
    }
    CHECK(g_get_monotonic_time() - started_us < 20 * G_USEC_PER_SEC);
    unsigned answers = atomic_load(&askers.answers);
    g_usleep(100000);
    CHECK(atomic_load(&askers.answers) > answers); /* still at work */
    atomic_store(&askers.is_over, true);
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(ids[i], NULL);
    }
    close_daemon(&desk);
}

const struct test_case responder_tests[] = {
    {"every_first_byte_gets_the_same_from_both", every_first_byte_gets_the_same_from_both},
    {"every_length_gets_the_same_from_both", every_length_gets_the_same_from_both},
    {"every_access_flag_gets_the_same_from_both", every_access_flag_gets_the_same_from_both},
    {"every_key_gets_the_same_from_both", every_key_gets_the_same_from_both},
    {"extension_fields_get_the_same_from_both", extension_fields_get_the_same_from_both},
    {"limits_are_the_same_for_both", limits_are_the_same_for_both},
    {"own_address_is_answered_by_neither", own_address_is_answered_by_neither},
    {"answer_is_made_of_the_published_view", answer_is_made_of_the_published_view},
    {"nothing_is_answered_before_there_is_a_view", nothing_is_answered_before_there_is_a_view},
    {"no_answer_while_held_and_none_to_what_came_before",
     no_answer_while_held_and_none_to_what_came_before},
    {"other_rules_hold_from_their_return_on", other_rules_hold_from_their_return_on},
    {"former_rules_are_given_back_after_the_batch_that_uses_them",
     former_rules_are_given_back_after_the_batch_that_uses_them},
    {"looking_at_a_busy_thread_does_not_wait_for_it",
     looking_at_a_busy_thread_does_not_wait_for_it},
    {"tables_show_who_asked_not_later_than_a_second_after",
     tables_show_who_asked_not_later_than_a_second_after},
    {"answer_that_cannot_be_sent_is_counted_and_the_next_one_leaves",
     answer_that_cannot_be_sent_is_counted_and_the_next_one_leaves},
    {"busy_threads_stand_everything_the_main_loop_does",
     busy_threads_stand_everything_the_main_loop_does},
    {NULL, NULL}};
