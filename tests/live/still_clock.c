/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A clock that accepts every command and obeys none, for the time daemons of others.
 *
 * Loaded before the C library (LD_PRELOAD), so that a daemon without the right to steer believes
 * that it steers and calls itself synchronised: some never serve otherwise. All hosts of the live
 * cases share this machine's clock, so a command that does nothing is the right one: the offset is
 * zero already. Never changes the machine's clock: what reaches the kernel only reads.
 *
 * With STILL_CLOCK_HASTE=N in the environment the daemon's timers, and they alone, run N times as
 * fast: OpenNTPD serves only after five minutes of half-minute polls.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

/* The kernel's state as it is, but for a steered clock. Commands are not remembered: the frequency
 * that the daemon set is the one that it would read had it set nothing. */
static int read_state(struct timex *state)
{
    struct timex seen;
    memset(&seen, 0, sizeof seen);
    if (syscall(SYS_adjtimex, &seen) < 0) {
        return -1;
    }
    seen.status &= ~STA_UNSYNC;
    seen.offset = 0;
    *state = seen;
    return TIME_OK;
}

int adjtimex(struct timex *state)
{
    return read_state(state);
}

int ntp_adjtime(struct timex *state)
{
    return read_state(state);
}

int clock_adjtime(clockid_t clock, struct timex *state)
{
    if (clock != CLOCK_REALTIME) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return read_state(state);
}

int adjtime(const struct timeval *delta, struct timeval *left)
{
    (void)delta;
    if (left != NULL) {
        memset(left, 0, sizeof *left);
    }
    return 0;
}

int clock_settime(clockid_t clock, const struct timespec *now)
{
    (void)clock;
    (void)now;
    return 0;
}

int settimeofday(const struct timeval *now, const struct timezone *zone)
{
    (void)now;
    (void)zone;
    return 0;
}

/* How many times as fast; 1 without a word. */
static int64_t haste(void)
{
    const char *text = getenv("STILL_CLOCK_HASTE");
    long factor = text == NULL ? 1 : strtol(text, NULL, 10);
    return factor >= 1 && factor <= 100 ? factor : 1;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (syscall(SYS_clock_gettime, clock, now) < 0) {
        return -1;
    }
    if (clock == CLOCK_MONOTONIC) {
        const int64_t second = 1000000000;
        int64_t part = now->tv_nsec * haste();
        now->tv_sec = now->tv_sec * haste() + part / second;
        now->tv_nsec = part % second;
    }
    return 0;
}

int poll(struct pollfd *files, nfds_t count, int timeout_ms)
{
    struct timespec limit;
    if (timeout_ms > 0) { /* rounded up, or a short wait would become a busy one */
        int64_t ms = (timeout_ms + haste() - 1) / haste();
        limit.tv_sec = ms / 1000;
        limit.tv_nsec = ms % 1000 * 1000000;
    } else {
        limit.tv_sec = limit.tv_nsec = 0;
    }
    return (int)syscall(SYS_ppoll, files, count, timeout_ms < 0 ? NULL : &limit, NULL, (size_t)0);
}
