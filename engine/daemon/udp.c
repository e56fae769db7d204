/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The daemon's sockets, kept in step with the addresses of this machine. A change that rtnetlink
 * reports is a reason to list the addresses anew, at most once a second; a timer stands for those
 * that must wait.
 */
#include "udp.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "client_sockets.h"
#include "hardware_clock.h"
#include "interfaces.h"
#include "receive_batch.h"
#include "service_set.h"
#include "service_socket.h"

#define NS_IN_S INT64_C(1000000000)
#define RESCAN_INTERVAL_NS NS_IN_S

/* A stamp of the hardware that is not this close before what the kernel says is a mistaken one:
 * the clocks were stepped, or it is another packet's. */
#define HARDWARE_EARLY_NS (50 * INT64_C(1000000))
#define HARDWARE_LATE_NS INT64_C(100000)

/* Two daemons that are started at once go for the same addresses in the same order: who is refused
 * the first one lets the other have the rest. */
#define STEP_BACK_US 200000

enum { ERRORS_AT_ONCE = 64 };

struct interface_clock {
    uint32_t interface;
    struct hardware_clock *clock; /* NULL: asked, and it has none */
};

struct udp {
    struct interface_terms terms; /* of the copies below */
    struct interface_rule *rules;
    char **only;
    uint16_t port;
    struct kernel_clock *clock;
    void (*warn)(void *context, const char *text);
    void *context;
    GPtrArray *services; /* struct service_socket */
    GArray *own;         /* struct address */
    GArray *hardware;    /* struct interface_clock */
    struct service_set **sets;
    unsigned threads;
    int watch, timer;
    int64_t scanned_ns; /* CLOCK_MONOTONIC */
    bool is_scan_due, is_open;
    struct client_sockets clients;
    struct service_socket *asked; /* where the datagram that is being heard came in */
    struct udp_counts counts;
    struct receive_batch batch;
};

static struct service_socket *service_at(const struct udp *udp, guint index)
{
    return g_ptr_array_index(udp->services, index);
}

/* ---- hardware clocks ----------------------------------------------------------------------- */

static struct hardware_clock *hardware_of(const struct udp *udp, uint32_t interface)
{
    for (guint i = 0; i < udp->hardware->len; i++) {
        const struct interface_clock *one =
            &g_array_index(udp->hardware, struct interface_clock, i);
        if (one->interface == interface) {
            return one->clock;
        }
    }
    return NULL;
}

static void add_hardware(struct udp *udp, const struct local_address *at)
{
    struct interface_clock one = {.interface = at->interface};
    char name[IF_NAMESIZE];
    char *note = NULL;
    for (guint i = 0; i < udp->hardware->len; i++) {
        if (g_array_index(udp->hardware, struct interface_clock, i).interface == one.interface) {
            return;
        }
    }
    if (if_indextoname(one.interface, name)) {
        one.clock = hardware_clock_open(name, &note);
    }
    if (note) {
        udp->warn(udp->context, note);
        g_free(note);
    }
    g_array_append_val(udp->hardware, one);
}

/* ---- addresses that come and go -------------------------------------------------------------- */

static void take_from_threads(struct udp *udp, const struct service_socket *service)
{
    for (unsigned i = 0; i < service->thread_count; i++) {
        service_set_remove(udp->sets[i], service->thread_fds[i]);
    }
}

static void remove_service(struct udp *udp, guint index)
{
    struct service_socket *service = service_at(udp, index);
    take_from_threads(udp, service);
    service_socket_close(service);
    g_free(service);
    g_ptr_array_remove_index(udp->services, index);
}

/* What one thread cannot have none has: a selector knows no gaps. */
static void give_to_threads(struct udp *udp, struct service_socket *service)
{
    for (unsigned i = 0; i < service->thread_count; i++) {
        if (!service_set_add(udp->sets[i], service->thread_fds[i], &service->endpoint)) {
            int cause = errno;
            take_from_threads(udp, service);
            service_socket_part(service, cause);
        }
    }
}

/* 0 or an errno; *alone_cause as in struct service_socket. */
static int add_service(struct udp *udp, const struct local_address *at, int *alone_cause)
{
    struct service_socket *service = g_new(struct service_socket, 1);
    int cause = service_socket_open(service, at, udp->port, udp->threads);
    if (cause != 0) {
        g_free(service);
        return cause;
    }
    give_to_threads(udp, service);
    *alone_cause = service->alone_cause;
    g_ptr_array_add(udp->services, service);
    add_hardware(udp, at);
    return 0;
}

static bool is_listed(const GArray *list, const struct local_address *at)
{
    for (guint i = 0; i < list->len; i++) {
        const struct local_address *one = &g_array_index(list, struct local_address, i);
        if (interfaces_is_same(one, at) && one->interface == at->interface &&
            one->action == at->action) {
            return true;
        }
    }
    return false;
}

static bool is_served(const struct udp *udp, const struct local_address *at)
{
    for (guint i = 0; i < udp->services->len; i++) {
        if (interfaces_is_same(&service_at(udp, i)->at, at)) {
            return true;
        }
    }
    return false;
}

static void note_own(struct udp *udp)
{
    g_array_set_size(udp->own, 0);
    for (guint i = 0; i < udp->services->len; i++) {
        g_array_append_val(udp->own, service_at(udp, i)->at.address);
    }
}

/* Addresses that cannot be served, or not by the threads, by cause: a port that is taken is taken
 * at most of them. */
struct failure {
    int cause;
    bool is_served; /* by the main loop */
    struct local_address first;
    unsigned others;
};

/* An address that is not usable yet comes again by itself and is no failure. */
static void note_failure(GArray *failures, const struct local_address *at, int cause,
                         bool is_served)
{
    struct failure fresh = {.cause = cause, .is_served = is_served, .first = *at};
    if (cause == EADDRNOTAVAIL && !is_served) {
        return;
    }
    for (guint i = 0; i < failures->len; i++) {
        struct failure *failure = &g_array_index(failures, struct failure, i);
        if (failure->cause == cause && failure->is_served == is_served) {
            failure->others++;
            return;
        }
    }
    g_array_append_val(failures, fresh);
}

/* The first failure as a line, NULL when there is none; the others are told. Frees the array. */
static char *tell_failures(const struct udp *udp, GArray *failures)
{
    char *first = NULL;
    for (guint i = 0; i < failures->len; i++) {
        const struct failure *failure = &g_array_index(failures, struct failure, i);
        char *(*line)(const struct local_address *, unsigned, uint16_t, int) =
            failure->is_served ? service_socket_solitude : service_socket_failure;
        char *text = line(&failure->first, failure->others, udp->port, failure->cause);
        if (i == 0) {
            first = text;
        } else {
            udp->warn(udp->context, text);
            g_free(text);
        }
    }
    g_array_free(failures, TRUE);
    return first;
}

/* Serves what the machine has now; *is_changed when that is not what it was. Returns what
 * tell_failures() does. */
static char *follow(struct udp *udp, const GArray *list, bool *is_changed)
{
    GArray *failures = g_array_new(FALSE, FALSE, sizeof(struct failure));
    for (guint i = udp->services->len; i > 0; i--) {
        if (!is_listed(list, &service_at(udp, i - 1)->at)) {
            remove_service(udp, i - 1);
            *is_changed = true;
        }
    }
    for (guint i = 0; i < list->len; i++) {
        const struct local_address *at = &g_array_index(list, struct local_address, i);
        if (is_served(udp, at)) {
            continue;
        }
        int alone_cause = 0;
        int cause = add_service(udp, at, &alone_cause);
        if (cause == EADDRINUSE && !udp->is_open && failures->len == 0) {
            g_usleep(STEP_BACK_US);
        }
        *is_changed = *is_changed || cause == 0;
        if (cause != 0 || alone_cause != 0) {
            note_failure(failures, at, cause != 0 ? cause : alone_cause, cause == 0);
        }
    }
    note_own(udp);
    return tell_failures(udp, failures);
}

static int64_t monotonic_ns(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_IN_S + now.tv_nsec;
}

/* NULL, or why it could not be done as wanted; g_free() it. */
static char *scan(struct udp *udp, bool *is_changed)
{
    char *error = NULL;
    GArray *list = interfaces_scan(&udp->terms, &error);
    udp->scanned_ns = monotonic_ns();
    udp->is_scan_due = false;
    *is_changed = false;
    if (list) {
        error = follow(udp, list, is_changed);
        g_array_free(list, TRUE);
    }
    return error;
}

static bool rescan(struct udp *udp)
{
    bool is_changed;
    char *error = scan(udp, &is_changed);
    if (error) {
        udp->warn(udp->context, error);
        g_free(error);
    }
    return is_changed;
}

static void arm_timer(const struct udp *udp, int64_t wait_ns)
{
    struct itimerspec at = {.it_value = {wait_ns / NS_IN_S, wait_ns % NS_IN_S}};
    timerfd_settime(udp->timer, 0, &at, NULL);
}

/* One scan a second, however many changes are reported. */
static void scan_when_due(struct udp *udp, const struct udp_sink *sink)
{
    if (!udp->is_scan_due) {
        return;
    }
    int64_t wait_ns = udp->scanned_ns + RESCAN_INTERVAL_NS - monotonic_ns();
    if (wait_ns > 0 && udp->timer >= 0) {
        arm_timer(udp, wait_ns);
    } else if (rescan(udp)) {
        sink->changed(sink->context);
    }
}

/* ---- opening ------------------------------------------------------------------------------- */

struct interface_terms udp_interface_terms(const struct udp_options *options)
{
    return (struct interface_terms){.rules = options->rules,
                                    .rule_count = options->rule_count,
                                    .only = options->only,
                                    .ipv4 = options->ipv4,
                                    .ipv6 = options->ipv6,
                                    .skips_virtual = options->skips_virtual};
}

static void copy_terms(struct udp *udp, const struct udp_options *options)
{
    for (size_t i = 0; i < udp->terms.rule_count; i++) {
        g_free((char *)(uintptr_t)udp->rules[i].what);
    }
    g_free(udp->rules);
    g_strfreev(udp->only);
    udp->rules = g_new(struct interface_rule, options->rule_count);
    for (size_t i = 0; i < options->rule_count; i++) {
        udp->rules[i] = options->rules[i];
        udp->rules[i].what = g_strdup(options->rules[i].what);
    }
    udp->only = g_strdupv((char **)(uintptr_t)options->only);
    udp->terms = udp_interface_terms(options);
    udp->terms.rules = udp->rules;
    udp->terms.only = (const char *const *)udp->only;
}

/* The sets of as many threads as this kernel and the limit on files allow. */
static void open_sets(struct udp *udp, unsigned threads)
{
    unsigned most = threads < SERVICE_THREADS_MAX ? threads : SERVICE_THREADS_MAX;
    int cause = 0;
    udp->sets = g_new0(struct service_set *, SERVICE_THREADS_MAX);
    if (most > 0 && service_socket_can_share(&cause)) {
        while (udp->threads < most && (udp->sets[udp->threads] = service_set_open())) {
            udp->threads++;
        }
        cause = udp->threads < most ? errno : 0;
    }
    if (cause != 0) {
        char *text = g_strdup_printf("%u of %u server threads: %s; the main loop answers what they "
                                     "would (`threads %u` says so)",
                                     udp->threads, most, g_strerror(cause), udp->threads);
        udp->warn(udp->context, text);
        g_free(text);
    }
}

static void close_sets(struct udp *udp)
{
    while (udp->threads > 0) {
        service_set_close(udp->sets[--udp->threads]);
    }
}

/* Threads that were refused every address at the start would stand idle for good. */
static void close_refused_sets(struct udp *udp)
{
    bool is_refused = false;
    for (guint i = 0; i < udp->services->len; i++) {
        if (service_at(udp, i)->thread_count > 0) {
            return;
        }
        is_refused = is_refused || service_at(udp, i)->alone_cause != 0;
    }
    if (is_refused) {
        close_sets(udp);
    }
}

static void open_watch(struct udp *udp)
{
    udp->watch = interfaces_open_watch();
    if (udp->watch < 0) {
        char *text = g_strdup_printf("changes of addresses will not be noticed: %s; restart after "
                                     "one",
                                     g_strerror(errno));
        udp->warn(udp->context, text);
        g_free(text);
    }
    udp->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

struct udp *udp_open(const struct udp_options *options, struct kernel_clock *clock,
                     void (*warn)(void *context, const char *text), void *context, char **error)
{
    struct udp *udp = g_new0(struct udp, 1);
    bool is_changed;
    *udp = (struct udp){.port = options->port, .clock = clock, .warn = warn, .context = context};
    udp->services = g_ptr_array_new();
    udp->own = g_array_new(FALSE, FALSE, sizeof(struct address));
    udp->hardware = g_array_new(FALSE, FALSE, sizeof(struct interface_clock));
    receive_batch_init(&udp->batch);
    copy_terms(udp, options);
    open_sets(udp, options->threads);
    open_watch(udp);
    char *cause = scan(udp, &is_changed);
    close_refused_sets(udp);
    udp->is_open = true;
    if (udp->services->len > 0) {
        if (cause) {
            warn(context, cause);
            g_free(cause);
        }
        return udp;
    }
    *error = cause ? cause
                   : g_strdup_printf("no address of this machine is served: -4, -6, -I or the "
                                     "`interface` lines leave none");
    udp_close(udp);
    return NULL;
}

void udp_close(struct udp *udp)
{
    struct udp_options none = {.rule_count = 0};
    while (udp->services->len > 0) {
        remove_service(udp, udp->services->len - 1);
    }
    client_sockets_close(&udp->clients);
    close_sets(udp);
    for (guint i = 0; i < udp->hardware->len; i++) {
        hardware_clock_close(g_array_index(udp->hardware, struct interface_clock, i).clock);
    }
    if (udp->watch >= 0) {
        close(udp->watch);
    }
    if (udp->timer >= 0) {
        close(udp->timer);
    }
    copy_terms(udp, &none);
    g_free(udp->rules);
    g_free(udp->sets);
    g_ptr_array_free(udp->services, TRUE);
    g_array_free(udp->own, TRUE);
    g_array_free(udp->hardware, TRUE);
    g_free(udp);
}

void udp_reload(struct udp *udp, const struct udp_options *options)
{
    copy_terms(udp, options);
    rescan(udp);
}

unsigned udp_threads(const struct udp *udp)
{
    return udp->threads;
}

struct service_set *udp_thread_set(const struct udp *udp, unsigned thread)
{
    return udp->sets[thread];
}

const struct address *udp_own(const struct udp *udp, size_t *count)
{
    *count = udp->own->len;
    return (const struct address *)(const void *)udp->own->data;
}

GArray *udp_served(const struct udp *udp)
{
    GArray *served = g_array_new(FALSE, FALSE, sizeof(struct address));
    for (guint i = 0; i < udp->services->len; i++) {
        if (service_at(udp, i)->at.action == INTERFACE_LISTEN) {
            g_array_append_val(served, service_at(udp, i)->at.address);
        }
    }
    return served;
}

const struct udp_counts *udp_counts(const struct udp *udp)
{
    return &udp->counts;
}

/* ---- time of a datagram ---------------------------------------------------------------------- */

static int64_t ns_of(const struct timespec *time)
{
    return time->tv_sec * NS_IN_S + time->tv_nsec;
}

/* The best stamp there is: STAMP_NOT_SENT when there is none. */
static enum stamp_kind read_stamp(const struct udp *udp, const struct packet_stamp *stamp,
                                  uint32_t interface, ntp_time *out)
{
    struct hardware_clock *clock =
        stamp->has_hardware ? hardware_of(udp, stamp->interface ? stamp->interface : interface)
                            : NULL;
    struct timespec known = stamp->software, mapped;
    if (!stamp->has_software) {
        clock_gettime(CLOCK_REALTIME, &known);
    }
    if (clock && hardware_clock_system(clock, &stamp->hardware, &mapped)) {
        int64_t after_ns = ns_of(&known) - ns_of(&mapped);
        if (after_ns >= -HARDWARE_LATE_NS && after_ns <= HARDWARE_EARLY_NS) {
            *out = kernel_clock_stamp(&mapped);
            return STAMP_HARDWARE;
        }
    }
    if (stamp->has_software) {
        *out = kernel_clock_stamp(&stamp->software);
        return STAMP_KERNEL;
    }
    return STAMP_NOT_SENT;
}

static void count_stamp(struct udp *udp, enum stamp_kind kind)
{
    udp->counts.kernel_stamps += kind == STAMP_KERNEL;
    udp->counts.hardware_stamps += kind == STAMP_HARDWARE;
    udp->counts.unstamped += kind == STAMP_USER;
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* One of the service sockets, or of the client sockets (service NULL), as it was when its batch was
 * read: hearing a datagram may replace it. */
struct origin {
    struct service_socket *service;
    uint32_t interface, request;
    struct endpoint local;
};

static uint32_t interface_of(const struct udp *udp, const struct address *local)
{
    for (guint i = 0; i < udp->services->len; i++) {
        if (address_equal(&service_at(udp, i)->at.address, local)) {
            return service_at(udp, i)->at.interface;
        }
    }
    return 0;
}

static bool find_origin(const struct udp *udp, int fd, struct origin *out)
{
    const struct client_socket *client = client_sockets_find(&udp->clients, fd);
    if (client) {
        *out = (struct origin){.request = client->request, .local = client->local};
        out->interface = interface_of(udp, &client->local.address);
        return true;
    }
    for (guint i = 0; i < udp->services->len; i++) {
        struct service_socket *service = service_at(udp, i);
        if (service->fd == fd) {
            *out = (struct origin){
                .service = service, .interface = service->at.interface, .local = service->endpoint};
            return true;
        }
    }
    return false;
}

static void tell_sent(struct udp *udp, const struct origin *origin,
                      const struct packet_stamp *stamp, const struct udp_sink *sink)
{
    struct endpoint peer = {.port = 0};
    ntp_time time;
    enum stamp_kind kind = read_stamp(udp, stamp, origin->interface, &time);
    bool is_known =
        !origin->service || service_socket_stamped_peer(origin->service, stamp->id, &peer);
    if (kind != STAMP_NOT_SENT && is_known) {
        sink->sent(sink->context, origin->request, time, kind, &peer);
    }
}

static void read_errors(struct udp *udp, int fd, const struct udp_sink *sink)
{
    _Alignas(struct cmsghdr) uint8_t control[PACKET_STAMP_ROOM];
    uint8_t bytes[64] = {0};
    for (int i = 0; i < ERRORS_AT_ONCE; i++) {
        struct origin origin;
        struct packet_stamp stamp;
        struct iovec vector = {bytes, sizeof bytes};
        struct msghdr message = {.msg_iov = &vector,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof control};
        if (!find_origin(udp, fd, &origin) ||
            recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
            return;
        }
        packet_stamp_read(&message, &stamp);
        if (stamp.is_sent) {
            tell_sent(udp, &origin, &stamp, sink);
        }
    }
}

static void hear(struct udp *udp, const struct origin *origin, unsigned index,
                 const struct udp_sink *sink)
{
    struct datagram in = receive_batch_datagram(&udp->batch, index);
    struct packet_stamp stamp;
    packet_stamp_read(&udp->batch.headers[index].msg_hdr, &stamp);
    in.local = origin->local;
    in.request = origin->request;
    in.kind = read_stamp(udp, &stamp, origin->interface, &in.stamp);
    if (in.kind == STAMP_NOT_SENT) {
        in.kind = STAMP_USER;
        in.stamp = kernel_clock_read(udp->clock).clock;
    }
    udp->counts.received++;
    udp->counts.truncated += in.truncated;
    count_stamp(udp, in.kind);
    udp->asked = origin->service;
    sink->heard(sink->context, &in);
    udp->asked = NULL;
}

/* An error that ICMP reported of a former send comes once in place of a datagram. */
static void read_datagrams(struct udp *udp, int fd, const struct udp_sink *sink)
{
    struct origin origin;
    if (!find_origin(udp, fd, &origin)) {
        return;
    }
    int count = receive_batch_read(&udp->batch, fd);
    if (count < 0 && count != -EAGAIN && count != -EINTR) {
        udp->counts.icmp++;
        count = receive_batch_read(&udp->batch, fd);
    }
    for (int i = 0; i < count; i++) {
        hear(udp, &origin, (unsigned)i, sink);
    }
}

static void note_changes(struct udp *udp, const struct pollfd *ready)
{
    uint64_t count;
    if (ready->fd == udp->watch && interfaces_read_watch(udp->watch)) {
        udp->is_scan_due = true;
    }
    if (ready->fd == udp->timer && read(udp->timer, &count, sizeof count) > 0) {
        udp->is_scan_due = true;
    }
}

size_t udp_watch(struct udp *udp, struct pollfd *fds, size_t room)
{
    size_t clients = udp->services->len, others = clients + udp->clients.count;
    size_t need = others + 2;
    for (size_t i = 0; i < need && i < room; i++) {
        int fd = i < clients   ? service_at(udp, (guint)i)->fd
                 : i < others  ? udp->clients.sockets[i - clients].fd
                 : i == others ? udp->watch
                               : udp->timer;
        fds[i] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    return need;
}

void udp_receive(struct udp *udp, const struct pollfd *fds, size_t count,
                 const struct udp_sink *sink)
{
    for (size_t i = 0; i < count; i++) {
        if (fds[i].revents & POLLERR) {
            read_errors(udp, fds[i].fd, sink);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (fds[i].revents & (POLLIN | POLLERR)) {
            read_datagrams(udp, fds[i].fd, sink);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (fds[i].revents) {
            note_changes(udp, &fds[i]);
        }
    }
    scan_when_due(udp, sink);
}

/* ---- sending ------------------------------------------------------------------------------- */

/* The address that the kernel would send from; ADDRESS_NONE with *cause where it has no way. */
static struct address route_to(const struct endpoint *peer, int *cause)
{
    union socket_address address;
    socklen_t size = socket_address_set(&address, peer, 0);
    struct endpoint local = {.port = 0};
    int fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        *cause = errno;
        return local.address;
    }
    if (connect(fd, &address.any, size) != 0) {
        *cause = errno;
    } else {
        size = sizeof address;
        if (getsockname(fd, &address.any, &size) == 0) {
            local = socket_address_get(&address);
        }
    }
    close(fd);
    return local.address;
}

/* That address; else, and with none, any of the family that is not loopback. */
static struct service_socket *service_of(const struct udp *udp, const struct address *local,
                                         uint8_t family)
{
    struct service_socket *other = NULL;
    for (guint i = 0; i < udp->services->len; i++) {
        struct service_socket *service = service_at(udp, i);
        const struct address *address = &service->at.address;
        if (address_equal(address, local)) {
            return service;
        }
        if (!other && address->family == family && !address_is_loopback(address)) {
            other = service;
        }
    }
    return other;
}

static struct service_socket *link_local_service(const struct udp *udp)
{
    for (guint i = 0; i < udp->services->len; i++) {
        if (socket_address_is_link_local(&service_at(udp, i)->at.address)) {
            return service_at(udp, i);
        }
    }
    return NULL;
}

/* NULL when none will do; *cause is changed where the kernel says why. */
static struct service_socket *choose_service(const struct udp *udp, const struct outgoing *out,
                                             int *cause)
{
    if (udp->asked && address_equal(&udp->asked->at.address, &out->local.address)) {
        return udp->asked;
    }
    if (out->local.address.family != ADDRESS_NONE) {
        return service_of(udp, &out->local.address, out->peer.address.family);
    }
    if (socket_address_is_link_local(&out->peer.address)) {
        return link_local_service(udp);
    }
    struct address local = route_to(&out->peer, cause);
    return service_of(udp, &local, out->peer.address.family);
}

/* `udp->asked` may have been closed meanwhile only by a change of addresses, which never happens
 * while a datagram is heard. */
static int send_from_service(struct udp *udp, const struct outgoing *out)
{
    int cause = EADDRNOTAVAIL;
    struct service_socket *service = choose_service(udp, out, &cause);
    if (!service) {
        return cause;
    }
    return service_socket_send(service, &out->peer, out->bytes, out->size);
}

static int send_request(struct udp *udp, const struct outgoing *out)
{
    const struct service_socket *service =
        socket_address_is_link_local(&out->peer.address) ? link_local_service(udp) : NULL;
    return client_sockets_send(&udp->clients, out, service ? service->at.interface : 0);
}

int udp_send(struct udp *udp, const struct outgoing *out)
{
    int cause = out->request == 0 ? send_from_service(udp, out) : send_request(udp, out);
    if (cause == 0) {
        udp->counts.sent++;
        return 0;
    }
    udp->counts.send_errors++;
    bool is_passing = cause == EAGAIN || cause == ENOBUFS || cause == ECONNREFUSED;
    return is_passing ? 0 : cause;
}
