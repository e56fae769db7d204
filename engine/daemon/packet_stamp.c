/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Control messages with timestamps: SO_TIMESTAMPING for the sockets of the main loop, which wants
 * to know of sends too, and the cheaper SO_TIMESTAMPNS for those of server threads.
 */
#include "packet_stamp.h"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <string.h>

/* OPT_ID counts the stamped sends, OPT_TSONLY leaves the bytes out of the error queue, OPT_TX_SWHW
 * gives the software's stamp as well where the hardware stamps, OPT_PKTINFO names the interface. */
enum {
    STAMP_SENDS = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_HARDWARE,
    STAMP_BASE = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_RX_HARDWARE |
                 SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RAW_HARDWARE |
                 SOF_TIMESTAMPING_OPT_PKTINFO,
    STAMP_OPTIONS = SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY |
                    SOF_TIMESTAMPING_OPT_CMSG | SOF_TIMESTAMPING_OPT_TX_SWHW
};

static void set_flags(int fd, int flags)
{
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags);
}

void packet_stamp_enable(int fd, enum stamped_sends sends)
{
    set_flags(fd, STAMP_BASE | STAMP_OPTIONS | (sends == STAMPED_ALL ? STAMP_SENDS : 0));
}

/* The count begins whenever OPT_ID is set anew. */
void packet_stamp_restart(int fd, enum stamped_sends sends)
{
    set_flags(fd, STAMP_BASE);
    packet_stamp_enable(fd, sends);
}

void packet_stamp_enable_receive(int fd)
{
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
}

void packet_stamp_mark(struct msghdr *message, void *room)
{
    uint32_t flags = STAMP_SENDS;
    struct cmsghdr *control = room;
    memset(room, 0, CMSG_SPACE(sizeof flags));
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SO_TIMESTAMPING;
    control->cmsg_len = CMSG_LEN(sizeof flags);
    memcpy(CMSG_DATA(control), &flags, sizeof flags);
    message->msg_control = room;
    message->msg_controllen = CMSG_SPACE(sizeof flags);
}

/* ---- reading ------------------------------------------------------------------------------- */

/* Whether a control message has all of a struct of that size, which is then copied. */
static bool take(const struct cmsghdr *control, void *out, size_t size)
{
    if (control->cmsg_len < CMSG_LEN(size)) {
        return false;
    }
    memcpy(out, CMSG_DATA(control), size);
    return true;
}

static bool is_set(const struct timespec *stamp)
{
    return stamp->tv_sec != 0 || stamp->tv_nsec != 0;
}

/* The first stamp is the software's, the second is no longer used, the third the hardware's. */
static void read_stamps(const struct cmsghdr *control, struct packet_stamp *out)
{
    struct scm_timestamping stamps;
    if (take(control, &stamps, sizeof stamps)) {
        out->has_software = is_set(&stamps.ts[0]);
        out->software = stamps.ts[0];
        out->has_hardware = is_set(&stamps.ts[2]);
        out->hardware = stamps.ts[2];
    }
}

static void read_socket_level(const struct cmsghdr *control, struct packet_stamp *out)
{
    struct scm_ts_pktinfo info;
    if (control->cmsg_type == SCM_TIMESTAMPING) {
        read_stamps(control, out);
    } else if (control->cmsg_type == SCM_TIMESTAMPNS) {
        out->has_software = take(control, &out->software, sizeof out->software);
    } else if (control->cmsg_type == SCM_TIMESTAMPING_PKTINFO &&
               take(control, &info, sizeof info)) {
        out->interface = info.if_index;
    }
}

/* Errors of ICMP do not come this way: no socket has asked for them (IP_RECVERR). */
static void read_sent(const struct cmsghdr *control, struct packet_stamp *out)
{
    struct sock_extended_err what;
    if (take(control, &what, sizeof what) && what.ee_origin == SO_EE_ORIGIN_TIMESTAMPING) {
        out->is_sent = true;
        out->id = what.ee_data;
    }
}

void packet_stamp_read(struct msghdr *message, struct packet_stamp *out)
{
    *out = (struct packet_stamp){.id = 0};
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control;
         control = CMSG_NXTHDR(message, control)) {
        if (control->cmsg_level == SOL_SOCKET) {
            read_socket_level(control, out);
        } else if ((control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_RECVERR) ||
                   (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_RECVERR)) {
            read_sent(control, out);
        }
    }
}
