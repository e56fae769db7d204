/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hardware clocks of Linux (/dev/ptpN). The best call that the driver has reads both clocks at
 * once; readings are made when a stamp is to be converted and the last one is a tenth of a second
 * old.
 */
#include "hardware_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/ptp_clock.h>
#include <linux/sockios.h>
#include <math.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define NS_IN_S INT64_C(1000000000)
#define STEPPED_NS INT64_C(1000000)
#define REACH_NS (10 * NS_IN_S)
#define RATE_SPAN_NS (NS_IN_S / 4)
#define RATE_SPAN_MAX_NS (16 * NS_IN_S)
#define REFRESH_NS (NS_IN_S / 10)

enum { READINGS = 5 };

struct hardware_clock {
    int fd;
    struct clock_map map;
};

/* ---- the map ------------------------------------------------------------------------------- */

static int64_t extrapolate(const struct clock_map *map, int64_t device_ns)
{
    int64_t elapsed_ns = device_ns - map->last.device_ns;
    return map->last.system_ns + elapsed_ns + (int64_t)rint((double)elapsed_ns * map->rate);
}

bool clock_map_system_ns(const struct clock_map *map, int64_t device_ns, int64_t *system_ns)
{
    if (!map->is_set || device_ns < map->last.device_ns - REACH_NS ||
        device_ns > map->last.device_ns + REACH_NS) {
        return false;
    }
    *system_ns = extrapolate(map, device_ns);
    return true;
}

static bool is_continued(const struct clock_map *map, const struct clock_pair *pair)
{
    int64_t expected_ns;
    if (pair->device_ns < map->last.device_ns ||
        !clock_map_system_ns(map, pair->device_ns, &expected_ns)) {
        return false;
    }
    int64_t off_ns = pair->system_ns - expected_ns;
    return off_ns <= STEPPED_NS && off_ns >= -STEPPED_NS;
}

void clock_map_add(struct clock_map *map, const struct clock_pair *pairs, size_t count)
{
    const struct clock_pair *best = pairs;
    if (count == 0) {
        return;
    }
    for (size_t i = 1; i < count; i++) {
        best = pairs[i].width_ns < best->width_ns ? &pairs[i] : best;
    }
    if (!is_continued(map, best)) {
        *map = (struct clock_map){.first = *best, .last = *best, .is_set = true};
        return;
    }
    int64_t span_ns = best->device_ns - map->first.device_ns;
    if (span_ns >= RATE_SPAN_NS) {
        int64_t gained_ns = best->system_ns - map->first.system_ns - span_ns;
        map->rate = (double)gained_ns / (double)span_ns;
    }
    map->last = *best;
    if (span_ns > RATE_SPAN_MAX_NS) {
        map->first = *best; /* the next rate is of a span of its own */
    }
}

/* ---- readings ------------------------------------------------------------------------------ */

static int64_t ns_of(const struct ptp_clock_time *time)
{
    return time->sec * NS_IN_S + (int64_t)time->nsec;
}

static struct clock_pair pair_between(const struct ptp_clock_time *before,
                                      const struct ptp_clock_time *device,
                                      const struct ptp_clock_time *after)
{
    int64_t width_ns = ns_of(after) - ns_of(before);
    return (struct clock_pair){ns_of(device), ns_of(before) + width_ns / 2, width_ns};
}

static size_t read_precise(int fd, struct clock_pair pairs[READINGS])
{
    struct ptp_sys_offset_precise reading;
    memset(&reading, 0, sizeof reading);
    if (ioctl(fd, PTP_SYS_OFFSET_PRECISE, &reading) != 0) {
        return 0;
    }
    pairs[0] = (struct clock_pair){ns_of(&reading.device), ns_of(&reading.sys_realtime), 0};
    return 1;
}

static size_t read_extended(int fd, struct clock_pair pairs[READINGS])
{
    struct ptp_sys_offset_extended reading;
    memset(&reading, 0, sizeof reading);
    reading.n_samples = READINGS;
    if (ioctl(fd, PTP_SYS_OFFSET_EXTENDED, &reading) != 0) {
        return 0;
    }
    for (size_t i = 0; i < READINGS; i++) {
        pairs[i] = pair_between(&reading.ts[i][0], &reading.ts[i][1], &reading.ts[i][2]);
    }
    return READINGS;
}

static size_t read_plain(int fd, struct clock_pair pairs[READINGS])
{
    struct ptp_sys_offset reading;
    memset(&reading, 0, sizeof reading);
    reading.n_samples = READINGS;
    if (ioctl(fd, PTP_SYS_OFFSET, &reading) != 0) {
        return 0;
    }
    for (size_t i = 0; i < READINGS; i++) {
        const struct ptp_clock_time *at = &reading.ts[2 * i];
        pairs[i] = pair_between(&at[0], &at[1], &at[2]);
    }
    return READINGS;
}

static bool refresh(struct hardware_clock *clock)
{
    struct clock_pair pairs[READINGS];
    size_t count = read_precise(clock->fd, pairs);
    count = count > 0 ? count : read_extended(clock->fd, pairs);
    count = count > 0 ? count : read_plain(clock->fd, pairs);
    clock_map_add(&clock->map, pairs, count);
    return count > 0;
}

bool hardware_clock_system(struct hardware_clock *clock, const struct timespec *stamp,
                           struct timespec *system)
{
    int64_t device_ns = stamp->tv_sec * NS_IN_S + stamp->tv_nsec;
    int64_t system_ns;
    bool is_fresh = clock->map.is_set && device_ns >= clock->map.last.device_ns - REFRESH_NS &&
                    device_ns <= clock->map.last.device_ns + REFRESH_NS;
    if ((!is_fresh && !refresh(clock)) ||
        !clock_map_system_ns(&clock->map, device_ns, &system_ns) || system_ns < 0) {
        return false;
    }
    *system = (struct timespec){.tv_sec = system_ns / NS_IN_S, .tv_nsec = system_ns % NS_IN_S};
    return true;
}

/* ---- opening ------------------------------------------------------------------------------- */

static int request(int fd, const char *interface, unsigned long what, void *data)
{
    struct ifreq ask;
    memset(&ask, 0, sizeof ask);
    g_strlcpy(ask.ifr_name, interface, sizeof ask.ifr_name);
    ask.ifr_data = data;
    return ioctl(fd, what, &ask) == 0 ? 0 : errno;
}

/* What the interface can do; false when it is not enough. */
static bool read_ability(int fd, const char *interface, struct ethtool_ts_info *info)
{
    unsigned needed =
        SOF_TIMESTAMPING_RAW_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_TX_HARDWARE;
    unsigned filters = 1u << HWTSTAMP_FILTER_ALL | 1u << HWTSTAMP_FILTER_NTP_ALL;
    memset(info, 0, sizeof *info);
    info->cmd = ETHTOOL_GET_TS_INFO;
    return request(fd, interface, SIOCETHTOOL, info) == 0 &&
           (info->so_timestamping & needed) == needed && info->phc_index >= 0 &&
           (info->tx_types & 1u << HWTSTAMP_TX_ON) && (info->rx_filters & filters);
}

/* Stamping that somebody has turned on serves us as it is and is not touched: a PTP daemon may
 * depend on it. */
static int turn_on(int fd, const char *interface, const struct ethtool_ts_info *info)
{
    struct hwtstamp_config config;
    memset(&config, 0, sizeof config);
    if (request(fd, interface, SIOCGHWTSTAMP, &config) == 0 && config.tx_type == HWTSTAMP_TX_ON &&
        config.rx_filter != HWTSTAMP_FILTER_NONE) {
        return 0;
    }
    memset(&config, 0, sizeof config);
    config.tx_type = HWTSTAMP_TX_ON;
    config.rx_filter = info->rx_filters & 1u << HWTSTAMP_FILTER_NTP_ALL ? HWTSTAMP_FILTER_NTP_ALL
                                                                        : HWTSTAMP_FILTER_ALL;
    return request(fd, interface, SIOCSHWTSTAMP, &config);
}

static struct hardware_clock *open_device(const char *interface, int number, char **note)
{
    char *path = g_strdup_printf("/dev/ptp%d", number);
    struct hardware_clock opened = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
    struct hardware_clock *clock = NULL;
    if (opened.fd >= 0 && refresh(&opened)) {
        clock = g_new(struct hardware_clock, 1);
        *clock = opened;
    } else {
        *note = g_strdup_printf("%s: its clock %s cannot be read: %s; packets are stamped by the "
                                "kernel instead",
                                interface, path, g_strerror(errno));
        if (opened.fd >= 0) {
            close(opened.fd);
        }
    }
    g_free(path);
    return clock;
}

struct hardware_clock *hardware_clock_open(const char *interface, char **note)
{
    struct hardware_clock *clock = NULL;
    struct ethtool_ts_info info;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    *note = NULL;
    if (fd < 0) {
        return NULL;
    }
    if (read_ability(fd, interface, &info)) {
        int cause = turn_on(fd, interface, &info);
        if (cause == 0) {
            clock = open_device(interface, info.phc_index, note);
        } else {
            *note =
                g_strdup_printf("%s could stamp packets in hardware, but turning that on failed: "
                                "%s; packets are stamped by the kernel instead",
                                interface, g_strerror(cause));
        }
    }
    close(fd);
    return clock;
}

void hardware_clock_close(struct hardware_clock *clock)
{
    if (clock) {
        close(clock->fd);
        g_free(clock);
    }
}
