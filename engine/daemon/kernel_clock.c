/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * This machine's clock: see kernel_clock.h.
 *
 * What the kernel does with each field of struct timex: kernel/time/ntp.c and timekeeping.c of
 * Linux, clock_adjtime(2).
 */
#include "kernel_clock.h"

#include <errno.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

#include "../packet.h"

enum {
    READINGS = 3,             /* of which the narrowest counts */
    NOISE_NS = 10000,         /* smaller steps are not told from being interrupted while reading */
    SLEEP_NOISE_NS = 1000000, /* shorter sleeps are no suspension */
    STEP_TRIES = 3,
    PRECISION_CHANGES = 64, /* differences between readings that are looked at */
    PRECISION_READINGS = 100000,
    PRECISION_MIN = -30,
    PRECISION_MAX = -6,
    QUANTA_PER_PPM = 65536, /* as struct timex counts frequencies */
    FREQUENCY_MAX_PPM = 500,
    TICK_RETURN_PPM = 400, /* below it the tick is nominal again: it does not flip at the limit */
    RATE_MAX_PPM = 1000,
    RATE_NOISE_Q = 4, /* the kernel's own rounding between setting and telling */
    PHASE_LIMIT_US = 16000000
};

#define NS_PER_S INT64_C(1000000000)

/* How far clock `of` is ahead of clock `by`, and how sure that is. */
struct difference {
    int64_t ns, width_ns;
};

static int64_t clock_ns(clockid_t id)
{
    struct timespec now = {0};
    (void)clock_gettime(id, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static struct difference clock_difference(clockid_t of, clockid_t by)
{
    struct difference best = {.width_ns = INT64_MAX};
    for (int i = 0; i < READINGS; i++) {
        int64_t before = clock_ns(by);
        int64_t between = clock_ns(of);
        int64_t width = clock_ns(by) - before;
        if (width < best.width_ns) {
            best.ns = between - (before + width / 2);
            best.width_ns = width;
        }
    }
    return best;
}

/* ---- reading ------------------------------------------------------------------------------- */

/* Nanoseconds, 0 ... 10^9 - 1, to the fraction of a second in ticks of 2^-32 s, rounded down. */
static uint64_t fraction_ticks(int64_t ns)
{
    return ((uint64_t)ns << 32) / (uint64_t)NS_PER_S;
}

ntp_time kernel_clock_stamp(const struct timespec *stamp)
{
    return ntp_add_ticks(ntp_from_unix_s(stamp->tv_sec), (int64_t)fraction_ticks(stamp->tv_nsec));
}

struct instant kernel_clock_read(struct kernel_clock *clock)
{
    struct instant now = {.mono = clock->last};
    int64_t narrowest = INT64_MAX;
    for (int i = 0; i < READINGS; i++) {
        struct timespec realtime = {0};
        int64_t before = clock_ns(CLOCK_MONOTONIC_RAW);
        (void)clock_gettime(CLOCK_REALTIME, &realtime);
        int64_t width = clock_ns(CLOCK_MONOTONIC_RAW) - before;
        if (width < narrowest) {
            int64_t middle = before + width / 2;
            narrowest = width;
            now.clock = kernel_clock_stamp(&realtime);
            now.mono.ticks =
                (int64_t)((uint64_t)(middle / NS_PER_S) << 32 | fraction_ticks(middle % NS_PER_S));
        }
    }
    if (mono_before(now.mono, clock->last)) {
        now.mono = clock->last;
    }
    clock->last = now.mono;
    return now;
}

/* The larger of the clock's resolution and the time to read it, as ntpd measures it: the smallest
 * change between readings that follow each other. */
static int8_t clock_precision(void)
{
    int64_t smallest = INT64_MAX;
    int64_t last = clock_ns(CLOCK_REALTIME);
    int changes = 0;
    for (int i = 0; i < PRECISION_READINGS && changes < PRECISION_CHANGES; i++) {
        int64_t now = clock_ns(CLOCK_REALTIME);
        if (now > last) {
            smallest = now - last < smallest ? now - last : smallest;
            changes++;
        }
        last = now;
    }
    int exponent;
    double mantissa = frexp((double)smallest * 1e-9, &exponent);
    exponent -= mantissa <= 0.5;
    exponent = exponent < PRECISION_MIN ? PRECISION_MIN : exponent;
    return (int8_t)(exponent > PRECISION_MAX ? PRECISION_MAX : exponent);
}

/* ---- the rate ------------------------------------------------------------------------------ */

/* Quanta of rate that one microsecond of tick is worth: 100 ppm at 100 Hz. */
static int64_t tick_quanta(const struct kernel_clock *clock)
{
    return INT64_C(1000000) / clock->tick_nominal_us * QUANTA_PER_PPM;
}

static int64_t rate_of(const struct kernel_clock *clock, const struct timex *kernel)
{
    return kernel->freq + (kernel->tick - clock->tick_nominal_us) * tick_quanta(clock);
}

/* The tick to use for a rate. The present one stays as long as it will do, so that commands around
 * the limit of the frequency do not move both each time. */
static int64_t tick_for(const struct kernel_clock *clock, int64_t rate_q)
{
    int64_t quanta = tick_quanta(clock);
    if (llabs(rate_q) <= (int64_t)TICK_RETURN_PPM * QUANTA_PER_PPM) {
        return clock->tick_nominal_us;
    }
    int64_t rest_q = rate_q - (clock->tick_us - clock->tick_nominal_us) * quanta;
    if (llabs(rest_q) <= (int64_t)FREQUENCY_MAX_PPM * QUANTA_PER_PPM) {
        return clock->tick_us;
    }
    int64_t half = rate_q < 0 ? -quanta / 2 : quanta / 2;
    return clock->tick_nominal_us + (rate_q + half) / quanta;
}

static void rate_request(const struct kernel_clock *clock, int64_t rate_q, struct timex *request)
{
    int64_t tick_us = tick_for(clock, rate_q);
    request->modes |= ADJ_FREQUENCY | ADJ_TICK;
    request->tick = tick_us;
    request->freq = rate_q - (tick_us - clock->tick_nominal_us) * tick_quanta(clock);
}

static int rate_sent(struct kernel_clock *clock, struct timex *request, int64_t rate_q)
{
    bool has_rate = request->modes & ADJ_FREQUENCY;
    int64_t tick_us = request->tick;
    if (clock_adjtime(CLOCK_REALTIME, request) < 0) {
        return errno;
    }
    if (has_rate) {
        clock->rate_q = rate_q;
        clock->tick_us = tick_us;
    }
    clock->tai_s = request->tai;
    return 0;
}

/* ---- opening ------------------------------------------------------------------------------- */

bool kernel_clock_open(struct kernel_clock *clock, bool may_steer)
{
    struct timex kernel = {0};
    *clock = (struct kernel_clock){
        .may_steer = may_steer,
        .tick_nominal_us = 1000000 / sysconf(_SC_CLK_TCK),
        .precision = clock_precision(),
        .last = {INT64_MIN},
        .realtime_less_boottime_ns = clock_difference(CLOCK_REALTIME, CLOCK_BOOTTIME).ns,
        .boottime_less_monotonic_ns = clock_difference(CLOCK_BOOTTIME, CLOCK_MONOTONIC).ns,
    };
    clock->tick_us = clock->tick_nominal_us;
    clock->may_look = clock_adjtime(CLOCK_REALTIME, &kernel) >= 0;
    if (clock->may_look) {
        clock->rate_q = rate_of(clock, &kernel);
        clock->tick_us = kernel.tick;
        clock->tai_s = kernel.tai;
    }
    if (may_steer) {
        kernel.modes = ADJ_TICK;
        clock->may_steer = clock->may_look && clock_adjtime(CLOCK_REALTIME, &kernel) >= 0;
    }
    return clock->may_steer == may_steer;
}

struct clock_ability kernel_clock_ability(const struct kernel_clock *clock)
{
    return (struct clock_ability){
        .rate_quantum = 1e-6 / QUANTA_PER_PPM,
        .rate_max_q = (int64_t)RATE_MAX_PPM * QUANTA_PER_PPM,
        .precision = clock->precision,
        .can_steer = clock->may_steer,
    };
}

/* ---- telling ------------------------------------------------------------------------------- */

/* ntpd's words for the bits of the status. */
static void name_flags(int status, char *text, size_t room)
{
    static const struct {
        int bit;
        const char *name;
    } flags[] = {{STA_PLL, "pll"},
                 {STA_PPSFREQ, "ppsfreq"},
                 {STA_PPSTIME, "ppstime"},
                 {STA_FLL, "fll"},
                 {STA_INS, "ins"},
                 {STA_DEL, "del"},
                 {STA_UNSYNC, "unsync"},
                 {STA_FREQHOLD, "freqhold"},
                 {STA_PPSSIGNAL, "ppssignal"},
                 {STA_PPSJITTER, "ppsjitter"},
                 {STA_PPSWANDER, "ppswander"},
                 {STA_PPSERROR, "ppserror"},
                 {STA_CLOCKERR, "clockerr"},
                 {STA_NANO, "nano"},
                 {STA_MODE, "mode=fll"},
                 {STA_CLK, "src=B"}};
    *text = '\0';
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
        if (status & flags[i].bit) {
            (void)g_strlcat(text, *text ? " " : "", room);
            (void)g_strlcat(text, flags[i].name, room);
        }
    }
}

bool kernel_clock_tell(const struct kernel_clock *clock, struct control_kernel *out)
{
    struct timex kernel = {0};
    if (!clock->may_look || clock_adjtime(CLOCK_REALTIME, &kernel) < 0) {
        return false;
    }
    *out = (struct control_kernel){
        .offset_ms = (double)kernel.offset * (kernel.status & STA_NANO ? 1e-6 : 1e-3),
        .frequency_ppm = (double)kernel.freq / QUANTA_PER_PPM,
        .tolerance_ppm = (double)kernel.tolerance / QUANTA_PER_PPM,
        .maximum_error_ms = (double)kernel.maxerror * 1e-3,
        .estimated_error_ms = (double)kernel.esterror * 1e-3,
        .precision_ms = (double)kernel.precision * 1e-3,
        .time_constant = kernel.constant,
    };
    name_flags(kernel.status, out->flags, sizeof out->flags);
    return true;
}

/* ---- commands ------------------------------------------------------------------------------ */

/* Ends what the kernel slews by itself: the rest of an offset of its loop (only a loop that is
 * switched on takes a new offset, zero), the loop, and the rest of an adjtime(). */
static int kernel_loop_end(void)
{
    const int loop = STA_PLL | STA_FLL | STA_PPSFREQ | STA_PPSTIME;
    struct timex kernel = {0};
    if (clock_adjtime(CLOCK_REALTIME, &kernel) < 0) {
        return errno;
    }
    int status = kernel.status;
    if (kernel.offset != 0) {
        struct timex zero = {.modes = ADJ_STATUS | ADJ_OFFSET,
                             .status = status | STA_PLL | STA_FREQHOLD};
        if (clock_adjtime(CLOCK_REALTIME, &zero) < 0) {
            return errno;
        }
    }
    if (kernel.offset != 0 || status & loop) {
        struct timex off = {.modes = ADJ_STATUS, .status = status & ~(loop | STA_FREQHOLD)};
        if (clock_adjtime(CLOCK_REALTIME, &off) < 0) {
            return errno;
        }
    }
    struct timex rest = {.modes = ADJ_OFFSET_SS_READ};
    if (clock_adjtime(CLOCK_REALTIME, &rest) >= 0 && rest.offset != 0) {
        struct timex none = {.modes = ADJ_OFFSET_SINGLESHOT};
        if (clock_adjtime(CLOCK_REALTIME, &none) < 0) {
            return errno;
        }
    }
    return 0;
}

/* Steps by setting; what an interruption between reading and setting spoilt is set once more. The
 * reference of kernel_clock_look() moves by what we did and not by what it shows now, so a foreign
 * step just before ours is still noticed. */
static int clock_step(struct kernel_clock *clock, double step_s)
{
    int64_t before_ns = clock_difference(CLOCK_REALTIME, CLOCK_MONOTONIC_RAW).ns;
    int64_t wanted_ns = before_ns + (int64_t)rint(step_s * 1e9);
    int64_t after_ns = before_ns;
    for (int i = 0; i < STEP_TRIES && (i == 0 || llabs(wanted_ns - after_ns) > NOISE_NS); i++) {
        int64_t to_ns = clock_ns(CLOCK_MONOTONIC_RAW) + wanted_ns;
        struct timespec to = {.tv_sec = to_ns / NS_PER_S, .tv_nsec = to_ns % NS_PER_S};
        if (clock_settime(CLOCK_REALTIME, &to) < 0) {
            return errno;
        }
        after_ns = clock_difference(CLOCK_REALTIME, CLOCK_MONOTONIC_RAW).ns;
    }
    clock->realtime_less_boottime_ns += after_ns - before_ns;
    return 0;
}

static int64_t microseconds(double seconds)
{
    double us = ceil(seconds * 1e6);
    return us < PHASE_LIMIT_US ? (int64_t)fmax(us, 0.0) : PHASE_LIMIT_US;
}

static void status_request(const struct kernel_clock *clock, const struct system_status *status,
                           struct timex *request)
{
    bool is_good = status->state == STATE_SYNCHRONISED || status->state == STATE_HOLDOVER;
    request->modes |= ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR;
    request->maxerror = microseconds(status->root_distance_s);
    request->esterror = microseconds(status->jitter_s);
    request->status = (is_good ? 0 : STA_UNSYNC) |
                      (clock->armed_leap == LEAP_INSERT ? STA_INS : 0) |
                      (clock->armed_leap == LEAP_DELETE ? STA_DEL : 0);
    if (clock->tai_wanted_s != 0 && clock->tai_wanted_s != clock->tai_s) {
        /* The kernel takes the new value from `constant`. */
        request->modes |= ADJ_TAI;
        request->constant = clock->tai_wanted_s;
    }
}

int kernel_clock_perform(struct kernel_clock *clock, const struct clock_command *command,
                         const struct system_status *status)
{
    if (!clock->may_steer) {
        return EPERM;
    }
    int first = clock->is_ours ? 0 : kernel_loop_end();
    clock->is_ours = clock->is_ours || first == 0;
    int stepped = command->what & CLOCK_STEP ? clock_step(clock, command->step_s) : 0;
    first = first ? first : stepped;
    struct timex request = {0};
    if (command->what & CLOCK_RATE && stepped == 0) {
        rate_request(clock, command->rate_q, &request);
    }
    if (command->what & CLOCK_LEAP) {
        clock->armed_leap = command->leap;
    }
    status_request(clock, status, &request);
    int sent = rate_sent(clock, &request, command->rate_q);
    return first ? first : sent;
}

void kernel_clock_set_tai(struct kernel_clock *clock, int32_t tai_s)
{
    clock->tai_wanted_s = tai_s;
}

int kernel_clock_restore(struct kernel_clock *clock, double drift_ppm)
{
    if (!isfinite(drift_ppm)) {
        return EINVAL;
    }
    if (!clock->may_steer) {
        return EPERM;
    }
    int ended = kernel_loop_end();
    double limited = fmax(-FREQUENCY_MAX_PPM, fmin(FREQUENCY_MAX_PPM, drift_ppm));
    int64_t rate_q = (int64_t)rint(limited * QUANTA_PER_PPM);
    struct timex request = {
        .modes = ADJ_FREQUENCY | ADJ_TICK, .freq = rate_q, .tick = clock->tick_nominal_us};
    int sent = rate_sent(clock, &request, rate_q);
    return sent ? sent : ended;
}

void kernel_clock_rest(struct kernel_clock *clock, bool rests)
{
    clock->may_steer = !rests;
    clock->is_ours = false; /* somebody else's loop may have been switched on meanwhile */
}

void kernel_clock_expect_leap(struct kernel_clock *clock, uint8_t leap)
{
    clock->armed_leap = leap;
}

/* ---- noticing ------------------------------------------------------------------------------ */

static bool look_for_sleep(struct kernel_clock *clock, double *amount_s)
{
    struct difference now = clock_difference(CLOCK_BOOTTIME, CLOCK_MONOTONIC);
    int64_t slept_ns = now.ns - clock->boottime_less_monotonic_ns;
    if (slept_ns <= SLEEP_NOISE_NS + now.width_ns) {
        return false;
    }
    clock->boottime_less_monotonic_ns = now.ns;
    *amount_s = (double)slept_ns * 1e-9;
    return true;
}

/* A leap second is over once: the kernel would wait for the bit to fall before it arms another. */
static void leap_disarm(struct kernel_clock *clock, const struct timex *kernel)
{
    clock->armed_leap = LEAP_NONE;
    if (clock->may_steer) {
        struct timex request = {.modes = ADJ_STATUS,
                                .status = kernel->status & ~(STA_INS | STA_DEL)};
        (void)clock_adjtime(CLOCK_REALTIME, &request);
    }
}

/* A step of one second, the way that an armed leap goes. An unsynchronised kernel does not tell
 * that it is in a leap second, and one that others armed shows by its state alone. */
static bool is_leap(const struct kernel_clock *clock, const struct timex *kernel, int state,
                    int64_t step_ns, int64_t noise_ns)
{
    bool inserts = clock->armed_leap == LEAP_INSERT || kernel->status & STA_INS;
    bool deletes = clock->armed_leap == LEAP_DELETE || kernel->status & STA_DEL;
    bool leaps = state == TIME_OOP || state == TIME_WAIT;
    return ((inserts || leaps) && llabs(step_ns + NS_PER_S) <= noise_ns) ||
           ((deletes || leaps) && llabs(step_ns - NS_PER_S) <= noise_ns);
}

static bool look_for_step(struct kernel_clock *clock, const struct timex *kernel, int state,
                          enum clock_event *event, double *amount_s)
{
    struct difference now = clock_difference(CLOCK_REALTIME, CLOCK_BOOTTIME);
    int64_t step_ns = now.ns - clock->realtime_less_boottime_ns;
    int64_t noise_ns = NOISE_NS > now.width_ns ? NOISE_NS : now.width_ns;
    if (llabs(step_ns) <= noise_ns) {
        return false;
    }
    if (is_leap(clock, kernel, state, step_ns, noise_ns)) {
        int64_t leap_ns = step_ns < 0 ? -NS_PER_S : NS_PER_S;
        int32_t more_s = leap_ns < 0 ? 1 : -1; /* the kernel counts so itself */
        clock->realtime_less_boottime_ns += leap_ns;
        clock->tai_wanted_s += clock->tai_wanted_s != 0 ? more_s : 0;
        clock->tai_s += clock->tai_s != 0 ? more_s : 0;
        leap_disarm(clock, kernel);
        *event = CLOCK_LEAPT;
        *amount_s = (double)leap_ns * 1e-9;
        return true;
    }
    clock->realtime_less_boottime_ns = now.ns;
    *event = CLOCK_STEPPED;
    *amount_s = (double)step_ns * 1e-9;
    return true;
}

static bool look_for_rate(struct kernel_clock *clock, const struct timex *kernel, double *amount)
{
    int64_t rate_q = rate_of(clock, kernel);
    int64_t change_q = rate_q - clock->rate_q;
    clock->tick_us = kernel->tick;
    if (llabs(change_q) <= RATE_NOISE_Q) {
        return false;
    }
    clock->rate_q = rate_q;
    *amount = (double)change_q * (1e-6 / QUANTA_PER_PPM);
    return true;
}

bool kernel_clock_look(struct kernel_clock *clock, enum clock_event *event, double *amount_s)
{
    struct timex kernel = {0};
    int state = clock->may_look ? clock_adjtime(CLOCK_REALTIME, &kernel) : TIME_ERROR;
    clock->may_look = clock->may_look && state >= 0;
    if (look_for_sleep(clock, amount_s)) {
        *event = CLOCK_RESUMED;
        return true;
    }
    if (look_for_step(clock, &kernel, state, event, amount_s)) {
        return true;
    }
    *event = CLOCK_RATED;
    return clock->may_look && look_for_rate(clock, &kernel, amount_s);
}
