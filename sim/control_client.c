/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks a running server by mode 6; see control_client.h.
 */
#include "control_client.h"

#include <errno.h>
#include <glib.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../engine/address.h"
#include "../engine/packet.h"

enum { TIME_PATIENCE_MS = 1000 };

static long long now_ms(void)
{
    return g_get_monotonic_time() / 1000;
}

/* `former` (NULL = none) has refused before client->host was asked. */
static void set_name(struct control_client *client, const char *former)
{
    char port[16] = "";
    if (client->port != NTP_PORT) {
        g_snprintf(port, sizeof port, " port %u", client->port);
    }
    g_snprintf(client->name, sizeof client->name, "%s%s%s%s", former ? former : "",
               former ? " and " : "", client->host, port);
}

/* The host's addresses, none of them tried; the code of getaddrinfo(). */
static int look_up(struct control_client *client)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV};
    char service[8];
    if (client->addresses) {
        freeaddrinfo(client->addresses);
        client->addresses = NULL;
    }
    g_snprintf(service, sizeof service, "%u", client->port);
    int code = getaddrinfo(client->host, service, &hints, &client->addresses);
    if (code != 0) {
        client->addresses = NULL;
    }
    client->next = client->addresses;
    return code;
}

/* Connects a new socket to the host's next address that there is a way to; the kernel draws its
 * port. */
static bool connect_next(struct control_client *client)
{
    int cause = EHOSTUNREACH;
    while (client->next) {
        const struct addrinfo *to = client->next;
        client->next = to->ai_next;
        int fd =
            socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->ai_protocol);
        if (fd >= 0 && connect(fd, to->ai_addr, to->ai_addrlen) == 0) {
            if (client->fd >= 0) {
                close(client->fd);
            }
            client->fd = fd;
            return true;
        }
        cause = errno;
        if (fd >= 0) {
            close(fd);
        }
    }
    errno = cause;
    return false;
}

/* To the next address, of the next host when this one has no more. */
static bool move_on(struct control_client *client)
{
    if (connect_next(client)) {
        return true;
    }
    if (!client->next_host) {
        return false;
    }
    const char *former = client->host;
    int cause = errno;
    client->host = client->next_host;
    client->next_host = NULL;
    set_name(client, former);
    if (look_up(client) != 0) {
        errno = cause;
        return false;
    }
    return connect_next(client);
}

bool control_client_open(struct control_client *client, const char *host, unsigned port,
                         long limit_ms, bool (*is_interrupted)(void), char **why)
{
    *client = (struct control_client){.host = host ? host : CONTROL_HOST,
                                      .next_host = host ? NULL : CONTROL_HOST_NEXT,
                                      .port = port,
                                      .fd = -1,
                                      .is_interrupted = is_interrupted};
    set_name(client, NULL);
    int code = look_up(client);
    if (code != 0) {
        *why = g_strdup_printf("%s: %s", client->host,
                               code == EAI_SYSTEM ? g_strerror(errno) : gai_strerror(code));
        return false;
    }
    /* From now on: a slow name server is not this server's silence. */
    client->give_up_at_ms = now_ms() + limit_ms;
    if (!move_on(client)) {
        *why = g_strdup_printf("%s: %s", client->name, g_strerror(errno));
        control_client_close(client);
        return false;
    }
    if (getrandom(&client->sequence, sizeof client->sequence, 0) != sizeof client->sequence) {
        client->sequence = (uint16_t)getpid(); /* it only has to tell our questions apart */
    }
    return true;
}

void control_client_close(struct control_client *client)
{
    if (client->fd >= 0) {
        close(client->fd);
    }
    if (client->addresses) {
        freeaddrinfo(client->addresses);
    }
    client->fd = -1;
    client->addresses = client->next = NULL;
}

/* Waits for a datagram until `end_ms`: its size; -1 with errno, ETIMEDOUT when none came. */
static ssize_t receive(struct control_client *client, uint8_t *bytes, size_t room, long long end_ms)
{
    struct pollfd fd = {.fd = client->fd, .events = POLLIN};
    for (;;) {
        /* Looked at before every datagram: a stream of foreign ones must not hold us up either. */
        long long left_ms = end_ms - now_ms();
        if (left_ms <= 0 || client->is_interrupted()) {
            errno = left_ms <= 0 ? ETIMEDOUT : EINTR;
            return -1;
        }
        ssize_t size = recv(client->fd, bytes, room, 0);
        if (size >= 0 || (errno != EAGAIN && errno != EINTR)) {
            return size;
        }
        poll(&fd, 1, (int)MIN(left_ms, 1000));
    }
}

static enum control_outcome outcome_of(int cause)
{
    switch (cause) {
    case ETIMEDOUT:
        return CONTROL_SILENT;
    case EINTR:
        return CONTROL_INTERRUPTED;
    case ECONNREFUSED:
        return CONTROL_REFUSED;
    default:
        return CONTROL_UNREACHABLE;
    }
}

/* Sends one try and collects its fragments. */
static enum control_outcome try_once(struct control_client *client,
                                     const struct control_question *question, const char *text,
                                     long long end_ms, struct control_answer *answer)
{
    uint8_t bytes[CONTROL_ANSWER_DATAGRAM_MAX];
    size_t size = control_question_write(question, text, bytes);
    control_answer_begin(answer, question);
    ssize_t sent = -1;
    /* An ICMP error of an earlier send comes back here once; the second send says what is now. */
    for (int i = 0; i < 2 && sent < 0; i++) {
        sent = send(client->fd, bytes, size, 0);
    }
    if (sent < 0) {
        return outcome_of(errno);
    }
    while (!answer->is_complete) {
        ssize_t got = receive(client, bytes, sizeof bytes, end_ms);
        if (got < 0) {
            return outcome_of(errno);
        }
        control_answer_take(answer, bytes, (size_t)got);
    }
    client->has_answered = true;
    set_name(client, NULL);
    return CONTROL_ANSWERED;
}

enum control_outcome control_client_ask(struct control_client *client,
                                        enum control_operation opcode, uint16_t association,
                                        const char *text, struct control_answer *answer)
{
    enum control_outcome outcome = CONTROL_SILENT;
    for (int try = 0; try < CONTROL_TRIES && outcome == CONTROL_SILENT; try++) {
        /* A number of its own for each try: fragments of two answers would not fit together. */
        struct control_question question = {(uint8_t)opcode, ++client->sequence, association};
        long long end_ms = now_ms() + CONTROL_PATIENCE_MS / CONTROL_TRIES;
        outcome = try_once(client, &question, text, MIN(end_ms, client->give_up_at_ms), answer);
        if ((outcome == CONTROL_REFUSED || outcome == CONTROL_UNREACHABLE) &&
            !client->has_answered) {
            int cause = errno;
            if (move_on(client)) {
                outcome = CONTROL_SILENT;
                try = -1; /* the new address has all tries; give_up_at_ms bounds it */
            }
            errno = cause;
        }
    }
    return outcome;
}

bool control_client_tells_time(struct control_client *client)
{
    uint8_t bytes[CONTROL_ANSWER_DATAGRAM_MAX];
    struct packet request = {.version = 4, .mode = MODE_CLIENT}, reply;
    uint64_t nonce;
    if (getrandom(&nonce, sizeof nonce, 0) != sizeof nonce) {
        return false;
    }
    request.transmit.ticks = nonce;
    packet_write(&request, bytes);
    if (send(client->fd, bytes, PACKET_HEADER_SIZE, 0) < 0) {
        return false;
    }
    long long end_ms = now_ms() + TIME_PATIENCE_MS;
    ssize_t got;
    while ((got = receive(client, bytes, sizeof bytes, end_ms)) >= 0) {
        if (packet_parse(bytes, (size_t)got, &reply) == PACKET_OK && reply.mode == MODE_SERVER &&
            reply.origin.ticks == nonce) {
            set_name(client, NULL);
            return true;
        }
    }
    return false;
}
