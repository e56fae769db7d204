/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Less and less right: user, capabilities, root directory, system calls.
 *
 * Called once at start, after sockets are bound and state directories opened, before the first
 * packet is read. Each step that cannot be done ends the start with one message; nothing is half
 * dropped.
 */
#ifndef HOLDFAST_DAEMON_SANDBOX_H
#define HOLDFAST_DAEMON_SANDBOX_H

#include <stdbool.h>

struct sandbox_options {
    const char *user; /* name[:group] or numbers; NULL = stay */
    const char *root; /* directory to chroot into; NULL = none */
    bool may_steer;   /* keep CAP_SYS_TIME */
    bool may_bind;    /* keep CAP_NET_BIND_SERVICE */
    bool filters;     /* load the seccomp allow-list */
};

/* Resolves the user (before chroot), chroots, switches user keeping the named capabilities if we
 * are root, drops every other capability from all sets and, with CAP_SETPCAP, from the bounding
 * set, sets no_new_privs. A named capability that we have not got is no error: whether the clock
 * can be steered is the kernel's to say (kernel_clock_open()). Not root: user must be who we are.
 * False with a message in *error (g_free() it); errno is EPERM where root's rights are what is
 * missing, and something else where root could not do it either. */
bool sandbox_enter(const struct sandbox_options *options, char **error);

/* Loads the system call allow-list (sandbox_filter.c), for all threads that are and will be; a call
 * outside of it ends the process (SIGSYS) with a line by the kernel, only a fork fails (EPERM). A
 * build with sanitizers makes calls of its own: go without there. False with *error. */
bool sandbox_filter(char **error);

/* For the process that looks names up, whose modules nobody can list the calls of: takes away those
 * that no name service needs (programs, mounts, tracing, modules, clocks; EPERM), for threads that
 * start from now on. False when this kernel cannot: the rights that are gone anyway must do. */
bool sandbox_refuse(void);

#endif
