/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A clock in user space: see virtual_clock.h. The kernel's part in it (struct timex, leap seconds)
 * follows kernel/time/ntp.c of Linux.
 *
 * The real clock is read by system call, so that nothing here can call itself. The pointer to the
 * clock is the one variable of this file: functions of the C library have no other place for it.
 */
#include "virtual_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

enum {
    SEGMENTS = 8, /* a late timestamp is moved by what was in force when it was made */
    TICK_NOMINAL_US = 10000,
    PHASE_LIMIT_US = 16000000,
    FREQUENCY_LIMIT_Q = 500 << 16,
    MAXERROR_PPM = 500,
    DAY_S = 86400,
    EXIT_SAFETY = 99
};

#define NS_PER_S INT64_C(1000000000)
#define QUANTUM (1e-6 / 65536)
#define STATUS_READ_ONLY                                                                           \
    (STA_PPSSIGNAL | STA_PPSJITTER | STA_PPSWANDER | STA_PPSERROR | STA_CLOCKERR | STA_NANO |      \
     STA_MODE | STA_CLK)

/* From an instant on all rates are constant. */
struct segment {
    int64_t since_ns; /* real CLOCK_MONOTONIC */
    int64_t raw_ns, monotonic_ns;
    int64_t wall_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
    int64_t boot_ns; /* CLOCK_BOOTTIME - CLOCK_MONOTONIC */
    double oscillator, steering;
};

struct virtual_clock {
    char magic[24];
    size_t size;
    pthread_mutex_t lock;
    int64_t real_wall_ns; /* real CLOCK_REALTIME - CLOCK_MONOTONIC */
    unsigned newest;      /* segments there have been; the last is in force */
    struct segment segments[SEGMENTS];
    int64_t freq_q, tick_us;
    int status, leap_state;
    int64_t leap_at_ns; /* CLOCK_REALTIME at which the armed leap second begins */
    int64_t maxerror_us, esterror_us, maxerror_at_ns;
    int32_t tai_s;
    int64_t kernel_slew_us, kernel_offset_us, delay_set_ns;
    bool refuses;
    uint64_t steps, commands;
};

static struct virtual_clock *the_clock;
static pthread_once_t the_clock_once = PTHREAD_ONCE_INIT;

__attribute__((format(printf, 1, 2), noreturn)) static void give_up(const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    dprintf(STDERR_FILENO, "virtual clock: %.*s\n", size, text);
    _exit(EXIT_SAFETY);
}

static int64_t ns_from_timespec(const struct timespec *t)
{
    return t->tv_sec * NS_PER_S + t->tv_nsec;
}

static struct timespec timespec_from_ns(int64_t ns)
{
    int64_t part = ns % NS_PER_S;
    part += part < 0 ? NS_PER_S : 0;
    return (struct timespec){.tv_sec = (ns - part) / NS_PER_S, .tv_nsec = part};
}

/* ---- the real clock, by system call -------------------------------------------------------- */

static int64_t real_ns(clockid_t id)
{
    struct timespec now;
    if (syscall(SYS_clock_gettime, id, &now) < 0) {
        give_up("cannot read the real clock %d: %s", (int)id, strerror(errno));
    }
    return ns_from_timespec(&now);
}

/* Real CLOCK_REALTIME - `by`; the narrowest of some. */
static int64_t real_difference_ns(clockid_t of, clockid_t by, int tries, int64_t *width_ns)
{
    int64_t best_ns = 0;
    *width_ns = INT64_MAX;
    for (int i = 0; i < tries; i++) {
        int64_t before = real_ns(by);
        int64_t between = real_ns(of);
        int64_t width = real_ns(by) - before;
        if (width < *width_ns) {
            *width_ns = width;
            best_ns = between - (before + width / 2);
        }
    }
    return best_ns;
}

/* The real difference is constant unless somebody sets the machine's clock: it is measured well
 * once, and again only when it has really changed, so that it adds no noise to what it moves. */
static int64_t real_wall_ns(struct virtual_clock *clock)
{
    int64_t width_ns;
    int64_t wall_ns = real_difference_ns(CLOCK_REALTIME, CLOCK_MONOTONIC, 1, &width_ns);
    if (llabs(wall_ns - clock->real_wall_ns) > width_ns + 10000) {
        clock->real_wall_ns = real_difference_ns(CLOCK_REALTIME, CLOCK_MONOTONIC, 10, &width_ns);
    }
    return clock->real_wall_ns;
}

/* ---- segments ------------------------------------------------------------------------------ */

static struct segment *clock_segment(struct virtual_clock *clock)
{
    return &clock->segments[(clock->newest - 1) % SEGMENTS];
}

/* What the clocks of a segment show at a real instant. */
static struct segment segment_at(const struct segment *segment, int64_t at_ns)
{
    struct segment now = *segment;
    int64_t elapsed = at_ns - segment->since_ns;
    int64_t raw = elapsed + (int64_t)floor((double)elapsed * segment->oscillator);
    now.since_ns = at_ns;
    now.raw_ns += raw;
    now.monotonic_ns += raw + (int64_t)floor((double)raw * segment->steering);
    return now;
}

/* Begins a segment that differs from the present one by what the caller then changes in it. */
static struct segment *clock_turn(struct virtual_clock *clock, int64_t at_ns)
{
    struct segment next = segment_at(clock_segment(clock), at_ns);
    clock->newest++;
    *clock_segment(clock) = next;
    return clock_segment(clock);
}

static int64_t clock_realtime_ns(struct virtual_clock *clock, int64_t at_ns)
{
    struct segment now = segment_at(clock_segment(clock), at_ns);
    return now.monotonic_ns + now.wall_ns;
}

/* What CLOCK_REALTIME showed when the real one showed `stamp_ns`. */
static int64_t clock_moved_ns(struct virtual_clock *clock, int64_t stamp_ns)
{
    int64_t at_ns = stamp_ns - real_wall_ns(clock);
    unsigned kept = clock->newest < SEGMENTS ? clock->newest : SEGMENTS;
    const struct segment *segment = clock_segment(clock);
    for (unsigned back = 1; back < kept && segment->since_ns > at_ns; back++) {
        segment = &clock->segments[(clock->newest - 1 - back) % SEGMENTS];
    }
    struct segment then = segment_at(segment, at_ns);
    return then.monotonic_ns + then.wall_ns;
}

/* ---- leap seconds and the rest of the kernel's state --------------------------------------- */

static void clock_leap(struct virtual_clock *clock, int64_t at_ns)
{
    int64_t realtime_ns = clock_realtime_ns(clock, at_ns);
    switch (clock->leap_state) {
    case TIME_OK:
        if (clock->status & (STA_INS | STA_DEL)) {
            int64_t second = realtime_ns / NS_PER_S;
            clock->leap_state = clock->status & STA_INS ? TIME_INS : TIME_DEL;
            clock->leap_at_ns = (second - second % DAY_S + DAY_S) * NS_PER_S;
            clock->leap_at_ns -= clock->leap_state == TIME_DEL ? NS_PER_S : 0;
        }
        break;
    case TIME_INS:
    case TIME_DEL:
        if (!(clock->status & (STA_INS | STA_DEL))) {
            clock->leap_state = TIME_OK;
        } else if (realtime_ns >= clock->leap_at_ns) {
            bool inserts = clock->leap_state == TIME_INS;
            clock_turn(clock, at_ns)->wall_ns += inserts ? -NS_PER_S : NS_PER_S;
            clock->tai_s += inserts ? 1 : -1;
            clock->leap_state = inserts ? TIME_OOP : TIME_WAIT;
        }
        break;
    case TIME_OOP:
        clock->leap_state = realtime_ns >= clock->leap_at_ns ? TIME_WAIT : TIME_OOP;
        break;
    default:
        clock->leap_state = clock->status & (STA_INS | STA_DEL) ? TIME_WAIT : TIME_OK;
        break;
    }
}

/* The bound grows until somebody says that he keeps it. */
static void clock_maxerror(struct virtual_clock *clock, int64_t at_ns)
{
    int64_t grown = (at_ns - clock->maxerror_at_ns) / 1000 * MAXERROR_PPM / 1000000;
    if (clock->maxerror_us + grown > PHASE_LIMIT_US) {
        clock->maxerror_us = PHASE_LIMIT_US;
        clock->maxerror_at_ns = at_ns;
        clock->status |= STA_UNSYNC;
    } else if (grown > 0) {
        clock->maxerror_us += grown;
        clock->maxerror_at_ns = at_ns;
    }
}

/* ntp_clear(): what the kernel forgets when its clock is set. */
static void clock_forget(struct virtual_clock *clock, int64_t at_ns)
{
    clock->kernel_slew_us = 0;
    clock->kernel_offset_us = 0;
    clock->status |= STA_UNSYNC;
    clock->maxerror_us = clock->esterror_us = PHASE_LIMIT_US;
    clock->maxerror_at_ns = at_ns;
    clock->leap_state = TIME_OK;
}

/* ---- where it is kept ---------------------------------------------------------------------- */

static int64_t number_from_environment(const char *name)
{
    const char *text = getenv(name);
    char *end;
    if (!text) {
        return 0;
    }
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || llabs(value) > 1000000000) {
        give_up("%s=%s is no whole number", name, text);
    }
    return value;
}

static void clock_begin(struct virtual_clock *clock)
{
    pthread_mutexattr_t attributes;
    int64_t width_ns;
    memset(clock, 0, sizeof *clock);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&clock->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    clock->real_wall_ns = real_difference_ns(CLOCK_REALTIME, CLOCK_MONOTONIC, 10, &width_ns);
    int64_t now_ns = real_ns(CLOCK_MONOTONIC);
    clock->newest = 1;
    clock->segments[0] = (struct segment){
        .since_ns = now_ns,
        .raw_ns = now_ns + real_difference_ns(CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC, 10, &width_ns),
        .monotonic_ns = now_ns,
        .wall_ns = clock->real_wall_ns,
        .boot_ns = real_difference_ns(CLOCK_BOOTTIME, CLOCK_MONOTONIC, 10, &width_ns),
        .oscillator = (double)number_from_environment("VIRTUAL_CLOCK_PPM") * 1e-6,
    };
    clock->segments[0].wall_ns += number_from_environment("VIRTUAL_CLOCK_OFFSET_MS") * 1000000;
    clock->tick_us = TICK_NOMINAL_US;
    clock->status = STA_UNSYNC;
    clock->leap_state = TIME_OK;
    clock->maxerror_us = clock->esterror_us = PHASE_LIMIT_US;
    clock->maxerror_at_ns = now_ns;
    clock->size = sizeof *clock;
    memcpy(clock->magic, "holdfast virtual clock", 23);
}

static void *memory_from_file(const char *path, bool *is_new)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || flock(fd, LOCK_EX) < 0) {
        give_up("%s: %s", path, strerror(errno));
    }
    off_t size = lseek(fd, 0, SEEK_END);
    *is_new = size == 0;
    if (*is_new && ftruncate(fd, sizeof(struct virtual_clock)) < 0) {
        give_up("%s: %s", path, strerror(errno));
    }
    if (!*is_new && size != (off_t)sizeof(struct virtual_clock)) {
        give_up("%s: not a virtual clock of this version; remove it", path);
    }
    void *memory =
        mmap(NULL, sizeof(struct virtual_clock), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        give_up("%s: %s", path, strerror(errno));
    }
    if (*is_new) {
        clock_begin(memory);
    }
    flock(fd, LOCK_UN); /* the mapping holds the file open, and with it the lock */
    close(fd);
    return memory;
}

/* Shared memory even without a file, so that a forked child stays on its parent's clock. */
static void clock_find(void)
{
    const char *path = getenv("VIRTUAL_CLOCK_STATE");
    bool is_new = true;
    struct virtual_clock *clock;
    if (path && *path) {
        clock = memory_from_file(path, &is_new);
    } else {
        clock =
            mmap(NULL, sizeof *clock, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (clock == MAP_FAILED) {
            give_up("no memory: %s", strerror(errno));
        }
        clock_begin(clock);
    }
    if (strcmp(clock->magic, "holdfast virtual clock") != 0 || clock->size != sizeof *clock) {
        give_up("%s: not a virtual clock of this version; remove it", path);
    }
    the_clock = clock;
}

/* Before main() drops rights or roots. */
__attribute__((constructor)) static void clock_load(void)
{
    pthread_once(&the_clock_once, clock_find);
}

/* The clock, locked and up to date, and the real instant that this call happens at. */
static struct virtual_clock *clock_lock(int64_t *at_ns)
{
    pthread_once(&the_clock_once, clock_find);
    int error = pthread_mutex_lock(&the_clock->lock);
    if (error == EOWNERDEAD) { /* killed while it was here */
        error = pthread_mutex_consistent(&the_clock->lock);
    }
    if (error != 0) {
        give_up("cannot lock: %s", strerror(error));
    }
    *at_ns = real_ns(CLOCK_MONOTONIC);
    clock_leap(the_clock, *at_ns);
    clock_maxerror(the_clock, *at_ns);
    return the_clock;
}

static void clock_unlock(struct virtual_clock *clock)
{
    pthread_mutex_unlock(&clock->lock);
}

/* ---- reading ------------------------------------------------------------------------------- */

int clock_gettime(clockid_t id, struct timespec *now)
{
    int64_t at_ns, ns;
    if (id != CLOCK_REALTIME && id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_RAW &&
        id != CLOCK_REALTIME_COARSE && id != CLOCK_MONOTONIC_COARSE && id != CLOCK_BOOTTIME &&
        id != CLOCK_TAI) {
        return (int)syscall(SYS_clock_gettime, id, now); /* of processes and hardware */
    }
    struct virtual_clock *clock = clock_lock(&at_ns);
    struct segment all = segment_at(clock_segment(clock), at_ns);
    switch (id) {
    case CLOCK_MONOTONIC_RAW:
        ns = all.raw_ns;
        break;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
        ns = all.monotonic_ns;
        break;
    case CLOCK_BOOTTIME:
        ns = all.monotonic_ns + all.boot_ns;
        break;
    case CLOCK_TAI:
        ns = all.monotonic_ns + all.wall_ns + clock->tai_s * NS_PER_S;
        break;
    default:
        ns = all.monotonic_ns + all.wall_ns;
        break;
    }
    clock_unlock(clock);
    *now = timespec_from_ns(ns);
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec t;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    *now = (struct timeval){.tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *now)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (now) {
        *now = t.tv_sec;
    }
    return t.tv_sec;
}

int timespec_get(struct timespec *now, int base)
{
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}

/* ---- setting ------------------------------------------------------------------------------- */

static void clock_set(struct virtual_clock *clock, int64_t at_ns, int64_t to_ns)
{
    struct segment *segment = clock_turn(clock, at_ns);
    segment->wall_ns = to_ns - segment->monotonic_ns;
    clock_forget(clock, at_ns);
    clock->steps++;
}

int clock_settime(clockid_t id, const struct timespec *to)
{
    int64_t at_ns;
    if (id != CLOCK_REALTIME) {
        give_up("clock %d is to be set, which is not imitated", (int)id);
    }
    struct virtual_clock *clock = clock_lock(&at_ns);
    int64_t delay_ns = clock->delay_set_ns;
    clock->delay_set_ns = 0;
    clock_unlock(clock);
    if (delay_ns > 0) {
        struct timespec delay = timespec_from_ns(delay_ns);
        nanosleep(&delay, NULL);
    }
    clock = clock_lock(&at_ns);
    int error = clock->refuses                                                 ? EPERM
                : to->tv_sec < 0 || to->tv_nsec < 0 || to->tv_nsec >= NS_PER_S ? EINVAL
                                                                               : 0;
    if (error == 0) {
        clock_set(clock, at_ns, ns_from_timespec(to));
    }
    clock_unlock(clock);
    errno = error ? error : errno;
    return error ? -1 : 0;
}

int settimeofday(const struct timeval *to, const struct timezone *zone)
{
    if (!to || zone) {
        give_up("a time zone is to be set, which is not imitated");
    }
    struct timespec t = {.tv_sec = to->tv_sec, .tv_nsec = to->tv_usec * 1000};
    return clock_settime(CLOCK_REALTIME, &t);
}

/* ---- adjusting ----------------------------------------------------------------------------- */

/* What the kernel would refuse: 0 or an errno. */
static int adjustment_fault(const struct virtual_clock *clock, const struct timex *t)
{
    if (clock->refuses && t->modes != 0 && t->modes != ADJ_OFFSET_SS_READ) {
        return EPERM;
    }
    if (t->modes & ADJ_TICK && llabs(t->tick - TICK_NOMINAL_US) > TICK_NOMINAL_US / 10) {
        return EINVAL;
    }
    return 0;
}

static void adjust_status(struct virtual_clock *clock, int status)
{
    if (clock->status & STA_PLL && !(status & STA_PLL)) {
        clock->leap_state = TIME_OK;
        clock->status = STA_UNSYNC;
    }
    clock->status = (clock->status & STATUS_READ_ONLY) | (status & ~STATUS_READ_ONLY);
}

static void adjust_offset(struct virtual_clock *clock, int64_t offset)
{
    if (!(clock->status & STA_PLL)) {
        return; /* the kernel does not look at it either */
    }
    if (offset != 0) {
        give_up("the kernel's loop is to slew by %lld, which is not imitated", (long long)offset);
    }
    clock->kernel_offset_us = 0;
}

static void adjust_rate(struct virtual_clock *clock, const struct timex *t, int64_t at_ns)
{
    if (t->modes & ADJ_FREQUENCY) {
        int64_t limit = FREQUENCY_LIMIT_Q;
        clock->freq_q = t->freq > limit ? limit : t->freq < -limit ? -limit : t->freq;
    }
    if (t->modes & ADJ_TICK) {
        clock->tick_us = t->tick;
    }
    clock_turn(clock, at_ns)->steering =
        (double)clock->freq_q * QUANTUM +
        (double)(clock->tick_us - TICK_NOMINAL_US) / (double)TICK_NOMINAL_US;
}

/* In the kernel's order. */
static void adjust(struct virtual_clock *clock, const struct timex *t, int64_t at_ns)
{
    if (t->modes & ADJ_SETOFFSET) {
        int64_t unit = t->modes & ADJ_NANO ? 1 : 1000;
        int64_t by_ns = t->time.tv_sec * NS_PER_S + t->time.tv_usec * unit;
        clock_set(clock, at_ns, clock_realtime_ns(clock, at_ns) + by_ns);
    }
    if (t->modes & ADJ_STATUS) {
        adjust_status(clock, t->status);
    }
    if (t->modes & (ADJ_NANO | ADJ_MICRO)) {
        clock->status = t->modes & ADJ_NANO ? clock->status | STA_NANO : clock->status & ~STA_NANO;
    }
    if (t->modes & ADJ_MAXERROR) {
        clock->maxerror_us = t->maxerror;
        clock->maxerror_at_ns = at_ns;
    }
    if (t->modes & ADJ_ESTERROR) {
        clock->esterror_us = t->esterror;
    }
    if (t->modes & ADJ_TAI && t->constant >= 0) {
        clock->tai_s = (int32_t)t->constant;
    }
    if (t->modes & ADJ_OFFSET) {
        adjust_offset(clock, t->offset);
    }
    if (t->modes & (ADJ_FREQUENCY | ADJ_TICK)) {
        adjust_rate(clock, t, at_ns);
    }
}

static void adjustment_answer(struct virtual_clock *clock, int64_t at_ns, struct timex *t)
{
    bool is_nano = clock->status & STA_NANO;
    struct timespec now = timespec_from_ns(clock_realtime_ns(clock, at_ns));
    t->offset = clock->kernel_offset_us * (is_nano ? 1000 : 1);
    t->freq = clock->freq_q;
    t->maxerror = clock->maxerror_us;
    t->esterror = clock->esterror_us;
    t->status = clock->status;
    t->constant = 2;
    t->precision = 1;
    t->tolerance = FREQUENCY_LIMIT_Q;
    t->time.tv_sec = now.tv_sec;
    t->time.tv_usec = is_nano ? now.tv_nsec : now.tv_nsec / 1000;
    t->tick = clock->tick_us;
    t->tai = clock->tai_s;
}

/* An adjtime(): what it left over is told, and replaced. */
static void adjustment_single(struct virtual_clock *clock, struct timex *t)
{
    int64_t left = clock->kernel_slew_us;
    if (t->modes == ADJ_OFFSET_SINGLESHOT) {
        clock->kernel_slew_us = t->offset;
    }
    t->offset = left;
}

int clock_adjtime(clockid_t id, struct timex *t)
{
    int64_t at_ns;
    if (id != CLOCK_REALTIME) {
        if (t->modes != 0) {
            give_up("clock %d is to be adjusted, which is not imitated", (int)id);
        }
        return (int)syscall(SYS_clock_adjtime, id, t);
    }
    struct virtual_clock *clock = clock_lock(&at_ns);
    int error = adjustment_fault(clock, t);
    int state = clock->status & (STA_UNSYNC | STA_CLOCKERR) ? TIME_ERROR : clock->leap_state;
    if (error == 0) {
        clock->commands += t->modes != 0 && t->modes != ADJ_OFFSET_SS_READ;
        if (t->modes == ADJ_OFFSET_SINGLESHOT || t->modes == ADJ_OFFSET_SS_READ) {
            int64_t left;
            adjustment_single(clock, t);
            left = t->offset;
            adjustment_answer(clock, at_ns, t);
            t->offset = left;
        } else {
            adjust(clock, t, at_ns);
            clock_leap(clock, at_ns); /* armed at once and not at the next second */
            state = clock->status & (STA_UNSYNC | STA_CLOCKERR) ? TIME_ERROR : clock->leap_state;
            adjustment_answer(clock, at_ns, t);
        }
    }
    clock_unlock(clock);
    errno = error ? error : errno;
    return error ? -1 : state;
}

int adjtimex(struct timex *t)
{
    return clock_adjtime(CLOCK_REALTIME, t);
}

int ntp_adjtime(struct timex *t)
{
    return clock_adjtime(CLOCK_REALTIME, t);
}

int adjtime(const struct timeval *by, struct timeval *left)
{
    struct timex t = {.modes = by ? ADJ_OFFSET_SINGLESHOT : ADJ_OFFSET_SS_READ};
    if (by) {
        t.offset = by->tv_sec * 1000000 + by->tv_usec;
    }
    if (clock_adjtime(CLOCK_REALTIME, &t) < 0) {
        return -1;
    }
    if (left) {
        *left = (struct timeval){.tv_sec = t.offset / 1000000, .tv_usec = t.offset % 1000000};
    }
    return 0;
}

/* ---- timestamps of packets ----------------------------------------------------------------- */

static void stamp_move(struct virtual_clock *clock, unsigned char *data, int64_t unit_ns)
{
    struct timespec stamp; /* or a struct timeval, of the same shape */
    memcpy(&stamp, data, sizeof stamp);
    if (stamp.tv_sec != 0 || stamp.tv_nsec != 0) {
        int64_t ns = stamp.tv_sec * NS_PER_S + stamp.tv_nsec * unit_ns;
        stamp = timespec_from_ns(clock_moved_ns(clock, ns));
        stamp.tv_nsec /= unit_ns;
        memcpy(data, &stamp, sizeof stamp);
    }
}

/* The first of SCM_TIMESTAMPING's three is the system's; the third is hardware's own time. */
static void message_move(struct msghdr *message)
{
    _Static_assert(sizeof(struct timeval) == sizeof(struct timespec), "one shape");
    int64_t at_ns;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        bool is_stamp = c->cmsg_type == SCM_TIMESTAMP || c->cmsg_type == SCM_TIMESTAMPNS ||
                        c->cmsg_type == SCM_TIMESTAMPING;
        if (c->cmsg_level == SOL_SOCKET && is_stamp &&
            c->cmsg_len >= CMSG_LEN(sizeof(struct timespec))) {
            struct virtual_clock *clock = clock_lock(&at_ns);
            stamp_move(clock, CMSG_DATA(c), c->cmsg_type == SCM_TIMESTAMP ? 1000 : 1);
            clock_unlock(clock);
        }
    }
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    ssize_t size = syscall(SYS_recvmsg, fd, message, flags);
    if (size >= 0) {
        message_move(message);
    }
    return size;
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
    int received = (int)syscall(SYS_recvmmsg, fd, messages, count, flags, timeout);
    for (int i = 0; i < received; i++) {
        message_move(&messages[i].msg_hdr);
    }
    return received;
}

/* ---- the world ----------------------------------------------------------------------------- */

void virtual_clock_look(struct virtual_clock_truth *truth)
{
    int64_t at_ns;
    struct virtual_clock *clock = clock_lock(&at_ns);
    const struct segment *segment = clock_segment(clock);
    int64_t error_ns = clock_realtime_ns(clock, at_ns) - (at_ns + real_wall_ns(clock));
    *truth = (struct virtual_clock_truth){
        .error_s = (double)error_ns * 1e-9,
        .oscillator_ppm = segment->oscillator * 1e6,
        .steering_ppm = segment->steering * 1e6,
        .freq_q = clock->freq_q,
        .tick_us = clock->tick_us,
        .status = clock->status,
        .maxerror_us = clock->maxerror_us,
        .esterror_us = clock->esterror_us,
        .tai_s = clock->tai_s,
        .kernel_slew_us = clock->kernel_slew_us,
        .kernel_offset_us = clock->kernel_offset_us,
        .steps = clock->steps,
        .commands = clock->commands,
    };
    clock_unlock(clock);
}

void virtual_clock_oscillator(double ppm)
{
    int64_t at_ns;
    struct virtual_clock *clock = clock_lock(&at_ns);
    clock_turn(clock, at_ns)->oscillator = ppm * 1e-6;
    clock_unlock(clock);
}

void virtual_clock_step(double step_s)
{
    int64_t at_ns;
    struct virtual_clock *clock = clock_lock(&at_ns);
    clock_turn(clock, at_ns)->wall_ns += (int64_t)rint(step_s * 1e9);
    clock_unlock(clock);
}

void virtual_clock_suspend(double seconds)
{
    int64_t at_ns, slept_ns = (int64_t)rint(seconds * 1e9);
    struct virtual_clock *clock = clock_lock(&at_ns);
    struct segment *segment = clock_turn(clock, at_ns);
    segment->wall_ns += slept_ns;
    segment->boot_ns += slept_ns;
    clock_unlock(clock);
}

void virtual_clock_refuse(bool refuses)
{
    int64_t at_ns;
    struct virtual_clock *clock = clock_lock(&at_ns);
    clock->refuses = refuses;
    clock_unlock(clock);
}

void virtual_clock_kernel_offset(int64_t us)
{
    int64_t at_ns;
    struct virtual_clock *clock = clock_lock(&at_ns);
    clock->kernel_offset_us = us;
    clock_unlock(clock);
}

void virtual_clock_delay_set(int64_t ns)
{
    int64_t at_ns;
    struct virtual_clock *clock = clock_lock(&at_ns);
    clock->delay_set_ns = ns;
    clock_unlock(clock);
}
