/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Server threads. A batch is answered within one turn of the thread's socket set; the main loop
 * takes that turn when it swaps rules, steps the clock, or wants to look at what is the thread's.
 *
 * The transmit time is read for each answer, just before it is built: that costs some 20 ns, and
 * one reading for a batch would be early by all of the batch's work. The monotonic time, which only
 * ages the root dispersion and the rate limits, is read once.
 */
#include "responder.h"

#include <assert.h>
#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "../random.h"
#include "published_view.h"
#include "receive_batch.h"
#include "service_set.h"
#include "service_socket.h"

enum {
    SOCKETS_AT_ONCE = 16,
    BATCHES_AT_ONCE = 4, /* of one socket, before others have their turn */
    STACK_SIZE = 256 * 1024,
    LOOK_LIMIT_MS = 2,
    TABLE_AGE_S = 1
};

struct thread {
    struct responder *responder;
    struct service_set *set;
    pthread_t id;
    /* Below is the thread's own; others look with the turn taken. */
    struct server_view view;
    bool has_view;
    struct clients *clients;
    struct service_counts counts;
    uint64_t send_errors;
    struct receive_batch in;
    struct mmsghdr out[RECEIVE_BATCH];
    struct iovec vectors[RECEIVE_BATCH];
    uint8_t replies[RECEIVE_BATCH][DATAGRAM_SIZE_MAX];
    /* The main loop's copies. */
    struct clients *table;
    struct service_counts seen;
    uint64_t seen_errors;
};

struct responder {
    struct published_view published;
    _Atomic(const struct service_rules *) rules;
    atomic_bool is_over;
    uint16_t capacity;
    bool is_held;
    int64_t copied_us; /* g_get_monotonic_time() of the tables; 0 = never */
    const struct clients *tables[SERVICE_THREADS_MAX];
    unsigned thread_count;
    struct thread *threads[SERVICE_THREADS_MAX];
};

/* ---- a batch ------------------------------------------------------------------------------- */

static ntp_time read_clock(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    return kernel_clock_stamp(&now);
}

/* As kernel_clock_read() counts it: the machine's raw monotonic clock. */
static mono_time read_mono(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (mono_time){(int64_t)(kernel_clock_stamp(&now).ticks - ntp_from_unix_s(0).ticks)};
}

static void read_arrival(struct thread *thread, unsigned index, struct datagram *in)
{
    struct packet_stamp stamp;
    packet_stamp_read(&thread->in.headers[index].msg_hdr, &stamp);
    in->kind = stamp.has_software ? STAMP_KERNEL : STAMP_USER;
    in->stamp = stamp.has_software ? kernel_clock_stamp(&stamp.software) : read_clock();
}

/* Answers one request into the place after `used`; how many places are then used. */
static unsigned answer(struct thread *thread, const struct service_rules *rules,
                       const struct endpoint *local, mono_time mono, unsigned index, unsigned used)
{
    enum service_verdict verdict;
    struct datagram in = receive_batch_datagram(&thread->in, index);
    in.local = *local;
    read_arrival(thread, index, &in);
    struct instant now = {.clock = read_clock(), .mono = mono};
    size_t size = server_reply(&thread->view, rules, thread->clients, &in, now,
                               thread->replies[used], &verdict);
    service_count(&thread->counts, &in, verdict);
    if (size == 0) {
        return used;
    }
    thread->vectors[used].iov_len = size;
    thread->out[used].msg_hdr.msg_name = &thread->in.peers[index];
    thread->out[used].msg_hdr.msg_namelen = thread->in.headers[index].msg_hdr.msg_namelen;
    return used + 1;
}

/* An answer that cannot be sent is lost, as it might be anywhere else; those after it are not. */
static void send_replies(struct thread *thread, int fd, unsigned count)
{
    unsigned done = 0;
    while (done < count) {
        int sent = sendmmsg(fd, thread->out + done, count - done, MSG_DONTWAIT);
        if (sent > 0) {
            done += (unsigned)sent;
        } else if (errno != EINTR) {
            thread->send_errors++;
            done++;
        }
    }
}

/* True when there may be more. */
static bool answer_batch(struct thread *thread, const struct service_rules *rules,
                         const struct service_ready *ready)
{
    unsigned used = 0;
    int count = receive_batch_read(&thread->in, ready->fd);
    if (count <= 0) {
        return false;
    }
    if (published_view_get(&thread->responder->published, &thread->view)) {
        thread->has_view = true;
    }
    if (!rules || !thread->has_view) {
        return count == RECEIVE_BATCH;
    }
    mono_time mono = read_mono();
    for (unsigned i = 0; i < (unsigned)count; i++) {
        used = answer(thread, rules, &ready->local, mono, i, used);
    }
    send_replies(thread, ready->fd, used);
    return count == RECEIVE_BATCH;
}

static void *run(void *context)
{
    struct thread *thread = context;
    struct service_ready ready[SOCKETS_AT_ONCE];
    while (!atomic_load(&thread->responder->is_over)) {
        size_t count = service_set_wait(thread->set, ready, SOCKETS_AT_ONCE);
        const struct service_rules *rules =
            atomic_load_explicit(&thread->responder->rules, memory_order_acquire);
        for (size_t i = 0; i < count; i++) {
            for (int batch = 0; batch < BATCHES_AT_ONCE; batch++) {
                if (!answer_batch(thread, rules, &ready[i])) {
                    break;
                }
            }
        }
        service_set_leave(thread->set);
    }
    return NULL;
}

/* ---- starting and stopping ------------------------------------------------------------------ */

static struct thread *make_thread(struct responder *responder, struct service_set *set,
                                  const uint8_t key[32])
{
    struct thread *thread = g_new0(struct thread, 1);
    thread->responder = responder;
    thread->set = set;
    receive_batch_init(&thread->in);
    for (unsigned i = 0; i < RECEIVE_BATCH; i++) {
        thread->vectors[i].iov_base = thread->replies[i];
        thread->out[i].msg_hdr.msg_iov = &thread->vectors[i];
        thread->out[i].msg_hdr.msg_iovlen = 1;
    }
    if (responder->capacity > 0) {
        size_t size = clients_size(responder->capacity);
        thread->clients = clients_init(g_aligned_alloc0(1, size, 16), responder->capacity, key);
        thread->table = clients_init(g_aligned_alloc0(1, size, 16), responder->capacity, key);
    }
    return thread;
}

static void free_thread(struct thread *thread)
{
    g_aligned_free(thread->clients);
    g_aligned_free(thread->table);
    g_free(thread);
}

/* Signals are the main loop's: a thread inherits a mask that blocks them all. 0 or an errno. */
static int start_thread(struct thread *thread)
{
    sigset_t all, former;
    pthread_attr_t attributes;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    int cause = pthread_create(&thread->id, &attributes, run, thread);
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    pthread_attr_destroy(&attributes);
    return cause;
}

static void make_key(struct random_stream *random, uint8_t key[32])
{
    for (unsigned i = 0; i < 32; i++) {
        key[i] = (uint8_t)random_byte(random);
    }
}

struct responder *responder_start(const struct responder_options *options, char **error)
{
    struct random_stream random;
    unsigned count = udp_threads(options->udp);
    if (count == 0) {
        return NULL;
    }
    assert(count <= SERVICE_THREADS_MAX);
    struct responder *responder = g_new0(struct responder, 1);
    responder->capacity = options->client_capacity;
    random_init(&random, options->seed);
    for (unsigned i = 0; i < count; i++) {
        uint8_t key[32];
        make_key(&random, key);
        struct thread *thread = make_thread(responder, udp_thread_set(options->udp, i), key);
        int cause = start_thread(thread);
        if (cause != 0) {
            free_thread(thread);
            responder_stop(responder);
            *error = g_strdup_printf("cannot start server thread %u of %u: %s; fewer by `threads "
                                     "%u`",
                                     i + 1, count, g_strerror(cause), i);
            return NULL;
        }
        responder->threads[responder->thread_count++] = thread;
    }
    return responder;
}

void responder_stop(struct responder *responder)
{
    if (responder->is_held) {
        responder_release(responder);
    }
    atomic_store(&responder->is_over, true);
    for (unsigned i = 0; i < responder->thread_count; i++) {
        service_set_wake(responder->threads[i]->set);
        pthread_join(responder->threads[i]->id, NULL);
        free_thread(responder->threads[i]);
    }
    g_free((void *)(uintptr_t)atomic_load(&responder->rules));
    g_free(responder);
}

/* ---- what they answer with ------------------------------------------------------------------- */

void responder_publish(struct responder *responder, const struct server_view *view)
{
    published_view_set(&responder->published, view);
}

/* Views are read within a turn only: with all turns taken, nobody reads one. */
void responder_hold(struct responder *responder)
{
    for (unsigned i = 0; i < responder->thread_count; i++) {
        service_set_enter(responder->threads[i]->set, -1);
    }
    responder->is_held = true;
}

void responder_release(struct responder *responder)
{
    responder->is_held = false;
    for (unsigned i = 0; i < responder->thread_count; i++) {
        service_set_drain(responder->threads[i]->set);
        service_set_leave(responder->threads[i]->set);
    }
}

/* A thread reads the pointer within its turn: when each turn was free once, none has the former. */
void responder_set_rules(struct responder *responder, const struct service_rules *rules)
{
    struct service_rules *copy = g_new(struct service_rules, 1);
    *copy = *rules;
    const struct service_rules *former =
        atomic_exchange_explicit(&responder->rules, copy, memory_order_acq_rel);
    for (unsigned i = 0; i < responder->thread_count; i++) {
        service_set_enter(responder->threads[i]->set, -1);
        service_set_leave(responder->threads[i]->set);
    }
    g_free((void *)(uintptr_t)former);
}

/* ---- looking in ---------------------------------------------------------------------------- */

void responder_counts(const struct responder *responder, struct service_counts *sum)
{
    *sum = (struct service_counts){.version_4 = 0};
    for (unsigned i = 0; i < responder->thread_count; i++) {
        struct thread *thread = responder->threads[i];
        if (service_set_enter(thread->set, LOOK_LIMIT_MS)) {
            thread->seen = thread->counts;
            thread->seen_errors = thread->send_errors;
            service_set_leave(thread->set);
        }
        service_counts_add(sum, &thread->seen);
    }
}

uint64_t responder_send_errors(const struct responder *responder)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < responder->thread_count; i++) {
        sum += responder->threads[i]->seen_errors;
    }
    return sum;
}

/* A table holds no pointers: its copy is a table. */
size_t responder_tables(struct responder *responder, const struct clients *const **tables)
{
    int64_t now_us = g_get_monotonic_time();
    bool is_old =
        responder->copied_us == 0 || now_us - responder->copied_us >= TABLE_AGE_S * G_USEC_PER_SEC;
    *tables = responder->tables;
    if (responder->capacity == 0) {
        return 0;
    }
    for (unsigned i = 0; is_old && i < responder->thread_count; i++) {
        struct thread *thread = responder->threads[i];
        if (service_set_enter(thread->set, LOOK_LIMIT_MS)) {
            memcpy(thread->table, thread->clients, clients_size(responder->capacity));
            service_set_leave(thread->set);
        }
        responder->tables[i] = thread->table;
    }
    responder->copied_us = is_old ? now_us : responder->copied_us;
    return responder->thread_count;
}
