/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The system calls that the running daemon makes, and what they may be asked, and those that the
 * process which looks names up has no use for: see sandbox.h.
 *
 * Nothing here runs a program, forks, maps code, traces, mounts or loads; files are opened with the
 * rights that the user has. Names that this machine's kernel or architecture has not are left out:
 * nobody can call them.
 */
#include "sandbox.h"

#include <errno.h>
#include <glib.h>
#include <linux/ptp_clock.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *const calls[] = {
    /* sockets */
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen",
    "recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg", "sendmmsg", "sendmsg", "sendto",
    "setsockopt", "shutdown",
    /* waiting */
    "clock_nanosleep", "clock_nanosleep_time64", "epoll_create1", "epoll_ctl", "epoll_pwait",
    "epoll_pwait2", "epoll_wait", "eventfd2", "futex", "futex_time64", "futex_waitv", "nanosleep",
    "pipe2", "poll", "ppoll", "ppoll_time64", "pselect6", "pselect6_time64", "restart_syscall",
    "sched_yield", "select", "signalfd4", "timerfd_create", "timerfd_gettime", "timerfd_gettime64",
    "timerfd_settime", "timerfd_settime64",
    /* clocks */
    "clock_adjtime", "clock_adjtime64", "clock_getres", "clock_getres_time64", "clock_gettime",
    "clock_gettime64", "gettimeofday", "time",
    /* files */
    "access", "close", "dup", "dup2", "dup3", "faccessat", "faccessat2", "fchmod", "fcntl",
    "fcntl64", "fdatasync", "flock", "fstat", "fstat64", "fstatfs", "fstatfs64", "fsync",
    "ftruncate", "ftruncate64", "getcwd", "getdents64", "link", "linkat", "lseek", "_llseek",
    "lstat", "mkdir", "mkdirat", "newfstatat", "openat", "pread64", "pwrite64", "read", "readlink",
    "readlinkat", "readv", "rename", "renameat", "renameat2", "stat", "statx", "umask", "unlink",
    "unlinkat", "write", "writev",
    /* memory */
    "brk", "madvise", "mremap", "munmap",
    /* threads and this process */
    "capget", "exit", "exit_group", "getegid", "geteuid", "getgid", "getpid", "getppid",
    "getrandom", "getresgid", "getresuid", "getrusage", "gettid", "getuid", "membarrier", "rseq",
    "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait",
    "sched_getaffinity", "set_robust_list", "sigaltstack", "sysinfo", "uname", "wait4", "waitid"};

/* Calls of which only some questions are let through. */
struct question {
    const char *call;
    unsigned argument;
    uint64_t mask, value;
};

#define INTEGER UINT64_C(0xffffffff) /* the kernel looks at 32 bits; the rest may be a sign's */

static const struct question questions[] = {
    {"socket", 0, INTEGER, AF_INET},
    {"socket", 0, INTEGER, AF_INET6},
    {"socket", 0, INTEGER, AF_NETLINK}, /* addresses of interfaces */
    {"socket", 0, INTEGER, AF_UNIX},    /* the service manager */
    {"ioctl", 1, INTEGER, FIONREAD},
    {"ioctl", 1, INTEGER, FIONBIO},
    {"ioctl", 1, INTEGER, TCGETS}, /* a stream asks whether it is a terminal */
    {"ioctl", 1, INTEGER, SIOCGIFNAME},
    {"ioctl", 1, INTEGER, SIOCGIFINDEX},
    {"ioctl", 1, INTEGER, SIOCGIFFLAGS},
    {"ioctl", 1, INTEGER, SIOCETHTOOL},
    {"ioctl", 1, INTEGER, SIOCGHWTSTAMP},
    {"ioctl", 1, INTEGER, SIOCSHWTSTAMP},
    {"ioctl", 1, INTEGER, PTP_SYS_OFFSET},
    {"ioctl", 1, INTEGER, PTP_SYS_OFFSET_EXTENDED},
    {"ioctl", 1, INTEGER, PTP_SYS_OFFSET_PRECISE},
    {"prctl", 0, INTEGER, PR_SET_NAME},
    {"prctl", 0, INTEGER, PR_GET_NAME},
    {"prctl", 0, INTEGER, PR_CAPBSET_READ},
    {"prctl", 0, INTEGER, PR_SET_VMA}, /* allocators name their memory */
    {"clock_settime", 0, INTEGER, CLOCK_REALTIME},
    {"clock_settime64", 0, INTEGER, CLOCK_REALTIME},
    {"kill", 1, INTEGER, 0},      /* is there such a process? */
    {"prlimit64", 0, INTEGER, 0}, /* of its own */
    {"mmap", 2, PROT_EXEC, 0},
    {"mmap2", 2, PROT_EXEC, 0},
    {"mprotect", 2, PROT_EXEC, 0},
    {"clone", 0, CLONE_THREAD, CLONE_THREAD},
};

static int allow(scmp_filter_ctx filter, const char *call)
{
    int number = seccomp_syscall_resolve_name(call);
    return number < 0 ? 0 : seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
}

static int ask(scmp_filter_ctx filter, uint32_t action, const struct question *q)
{
    int number = seccomp_syscall_resolve_name(q->call);
    struct scmp_arg_cmp same = SCMP_CMP64(q->argument, SCMP_CMP_MASKED_EQ, q->mask, q->value);
    return number < 0 ? 0 : seccomp_rule_add_array(filter, action, number, 1, &same);
}

static int fill(scmp_filter_ctx filter)
{
    /* The flags of clone3 cannot be looked at; told that there is none, the C library takes clone.
     * A fork fails like any other call that a program must expect to fail. */
    const struct question fork = {"clone", 0, CLONE_THREAD, 0};
    const struct question own = {"tgkill", 0, INTEGER, (uint64_t)getpid()};
    int error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    error = error ? error : ask(filter, SCMP_ACT_ERRNO(EPERM), &fork);
    error = error ? error : ask(filter, SCMP_ACT_ALLOW, &own);
    for (size_t i = 0; error == 0 && i < G_N_ELEMENTS(questions); i++) {
        error = ask(filter, SCMP_ACT_ALLOW, &questions[i]);
    }
    for (size_t i = 0; error == 0 && i < G_N_ELEMENTS(calls); i++) {
        error = allow(filter, calls[i]);
    }
    return error;
}

/* What an intruder wants and no name service needs. What it does need - files, sockets, memory that
 * holds code, threads - is whatever /etc/nsswitch.conf names, so there is no list of that. */
static const char *const no_business_of_names[] = {
    /* clocks */
    "adjtimex", "clock_adjtime", "clock_adjtime64", "clock_settime", "clock_settime64",
    "settimeofday", "stime",
    /* other programs and processes */
    "execve", "execveat", "kcmp", "perf_event_open", "pidfd_getfd", "process_madvise",
    "process_vm_readv", "process_vm_writev", "ptrace", "userfaultfd",
    /* the file system as a whole */
    "chroot", "fsconfig", "fsmount", "fsopen", "fspick", "mknod", "mknodat", "mount",
    "mount_setattr", "move_mount", "name_to_handle_at", "open_by_handle_at", "open_tree",
    "pivot_root", "quotactl", "quotactl_fd", "setns", "swapoff", "swapon", "umount", "umount2",
    "unshare",
    /* the kernel */
    "acct", "add_key", "bpf", "delete_module", "finit_module", "init_module", "io_uring_setup",
    "ioperm", "iopl", "kexec_file_load", "kexec_load", "keyctl", "personality", "reboot",
    "request_key", "setdomainname", "sethostname", "syslog"};

bool sandbox_refuse(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    bool ok = filter != NULL;
    for (size_t i = 0; ok && i < G_N_ELEMENTS(no_business_of_names); i++) {
        int number = seccomp_syscall_resolve_name(no_business_of_names[i]);
        ok = number < 0 || seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0) == 0;
    }
    ok = ok && seccomp_load(filter) == 0;
    if (filter) {
        seccomp_release(filter);
    }
    return ok;
}

bool sandbox_filter(char **error)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int failed = filter ? 0 : -ENOMEM;
    failed = failed ? failed : seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    failed = failed ? failed : fill(filter);
    failed = failed ? failed : seccomp_load(filter);
    if (filter) {
        seccomp_release(filter);
    }
    if (failed != 0) {
        *error = g_strdup_printf("cannot load the system call filter: %s; --no-seccomp goes "
                                 "without",
                                 g_strerror(-failed));
    }
    return failed == 0;
}
