/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A bounded load: mode 3 requests from many ports (and addresses) to one server, never more than a
 * window of them under way, for so many seconds. Prints replies per second, what was lost, and the
 * processor time that the server's process took for each reply.
 *
 * Usage: load ADDRESS PORT SECONDS PORTS WINDOW PID FROM...
 *   PORTS    sockets for each address of FROM; WINDOW requests are under way on each of them
 *   PID      the server's process, for its processor time; 0 = none
 *   FROM     source addresses, "-" = the kernel's choice
 * Prints one line: replies/s, lost, microseconds of processor per reply, and the share of each
 * thread of the server in them, in %.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SOCKETS_MAX = 1024, WINDOW_MAX = 32, SIZE = 48, ROOM = 128, THREADS_MAX = 64 };

/* After so long without an answer what is under way on a socket is given up for lost. */
#define LOST_S 0.25

struct asker {
    int fd;
    unsigned under_way;
    double asked_s;
};

struct load {
    struct asker askers[SOCKETS_MAX];
    unsigned count, window;
    int epoll;
    uint64_t replies, lost;
    struct mmsghdr in[WINDOW_MAX], out[WINDOW_MAX];
    struct iovec in_vectors[WINDOW_MAX], out_vectors[WINDOW_MAX];
    unsigned char received[WINDOW_MAX][ROOM], request[SIZE];
};

/* Nanoseconds on a processor of each thread of a process. */
struct effort {
    unsigned count;
    int ids[THREADS_MAX];
    uint64_t ns[THREADS_MAX];
};

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* User and system time together, as the scheduler counts them. */
static uint64_t thread_ns(int pid, const char *thread)
{
    char path[128];
    uint64_t ns = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%.20s/schedstat", pid, thread);
    FILE *file = fopen(path, "r");
    if (!file) {
        return 0;
    }
    if (fscanf(file, "%" SCNu64, &ns) != 1) { /* NOLINT(cert-err34-c): the kernel's own number */
        ns = 0;
    }
    fclose(file);
    return ns;
}

static void read_effort(int pid, struct effort *effort)
{
    char path[64];
    *effort = (struct effort){.count = 0};
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = pid > 0 ? opendir(path) : NULL;
    const struct dirent *task;
    while (tasks && effort->count < THREADS_MAX && (task = readdir(tasks))) {
        int id = (int)strtol(task->d_name, NULL, 10);
        if (id > 0) {
            effort->ids[effort->count] = id;
            effort->ns[effort->count++] = thread_ns(pid, task->d_name);
        }
    }
    if (tasks) {
        closedir(tasks);
    }
}

static void add_asker(struct load *load, const struct sockaddr_in *to, const char *from)
{
    struct sockaddr_in local = {.sin_family = AF_INET};
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = load->count};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (strcmp(from, "-") != 0 && inet_pton(AF_INET, from, &local.sin_addr) != 1) {
        errno = EINVAL;
        die(from);
    }
    if (fd < 0 || load->count == SOCKETS_MAX ||
        bind(fd, (const struct sockaddr *)&local, sizeof local) != 0 ||
        connect(fd, (const struct sockaddr *)to, sizeof *to) != 0 ||
        epoll_ctl(load->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        die(from);
    }
    load->askers[load->count++] = (struct asker){.fd = fd};
}

static void lay_out(struct load *load)
{
    load->request[0] = 0x23;
    load->request[2] = 6;
    memset(load->request + 40, 0xB5, 8);
    for (int i = 0; i < WINDOW_MAX; i++) {
        load->in_vectors[i] = (struct iovec){load->received[i], ROOM};
        load->out_vectors[i] = (struct iovec){load->request, SIZE};
        load->in[i].msg_hdr = (struct msghdr){.msg_iov = &load->in_vectors[i], .msg_iovlen = 1};
        load->out[i].msg_hdr = (struct msghdr){.msg_iov = &load->out_vectors[i], .msg_iovlen = 1};
    }
}

static void ask(struct load *load, struct asker *asker, double at_s)
{
    if (asker->under_way < load->window) {
        int sent = sendmmsg(asker->fd, load->out, load->window - asker->under_way, MSG_DONTWAIT);
        asker->under_way += sent > 0 ? (unsigned)sent : 0;
        asker->asked_s = at_s;
    }
}

/* Only an answer in mode 4 is one. */
static void take(struct load *load, struct asker *asker)
{
    int count = recvmmsg(asker->fd, load->in, WINDOW_MAX, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        if (load->in[i].msg_len == SIZE && (load->received[i][0] & 7) == 4) {
            load->replies++;
            asker->under_way -= asker->under_way > 0;
        }
    }
}

static void give_up_lost(struct load *load, double at_s)
{
    for (unsigned i = 0; i < load->count; i++) {
        struct asker *asker = &load->askers[i];
        if (asker->under_way > 0 && at_s - asker->asked_s > LOST_S) {
            load->lost += asker->under_way;
            asker->under_way = 0;
            ask(load, asker, at_s);
        }
    }
}

/* Half of a window is asked again at once, so that batches form on both sides. */
static void run(struct load *load, double seconds)
{
    struct epoll_event events[64];
    double end_s = now_s() + seconds, at_s = now_s(), look_s = at_s;
    for (unsigned i = 0; i < load->count; i++) {
        ask(load, &load->askers[i], at_s);
    }
    while (at_s < end_s) {
        int ready = epoll_wait(load->epoll, events, 64, 10);
        at_s = now_s();
        for (int i = 0; i < ready; i++) {
            struct asker *asker = &load->askers[events[i].data.u32];
            take(load, asker);
            if (asker->under_way <= load->window / 2) {
                ask(load, asker, at_s);
            }
        }
        if (at_s - look_s > LOST_S) {
            give_up_lost(load, at_s);
            look_s = at_s;
        }
    }
}

static void report(const struct load *load, double seconds, const struct effort *before,
                   const struct effort *after)
{
    uint64_t total_ns = 0;
    uint64_t spent_ns[THREADS_MAX] = {0};
    for (unsigned i = 0; i < after->count; i++) {
        spent_ns[i] = after->ns[i];
        for (unsigned k = 0; k < before->count; k++) {
            spent_ns[i] -= before->ids[k] == after->ids[i] ? before->ns[k] : 0;
        }
        total_ns += spent_ns[i];
    }
    if (before->count > 0 && total_ns == 0) {
        die("the processor time of the server cannot be read");
    }
    printf("%.0f %" PRIu64 " %.4f", (double)load->replies / seconds, load->lost,
           load->replies ? (double)total_ns * 1e-3 / (double)load->replies : 0.0);
    for (unsigned i = 0; i < after->count && total_ns > 0; i++) {
        printf(" %.0f", 100.0 * (double)spent_ns[i] / (double)total_ns);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    static struct load load;
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct effort before, after;
    if (argc < 8 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
        fprintf(stderr, "usage: load ADDRESS PORT SECONDS PORTS WINDOW PID FROM...\n");
        return 2;
    }
    to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
    double seconds = (double)strtoul(argv[3], NULL, 10);
    unsigned long ports = strtoul(argv[4], NULL, 10), window = strtoul(argv[5], NULL, 10);
    int pid = (int)strtol(argv[6], NULL, 10);
    load.window = window < 1 ? 1 : window > WINDOW_MAX ? WINDOW_MAX : (unsigned)window;
    load.epoll = epoll_create1(0);
    lay_out(&load);
    for (unsigned long i = 0; i < ports; i++) {
        for (int from = 7; from < argc; from++) {
            add_asker(&load, &to, argv[from]);
        }
    }
    read_effort(pid, &before);
    run(&load, seconds);
    read_effort(pid, &after);
    report(&load, seconds, &before, &after);
    return load.replies > 0 ? 0 : 1;
}
