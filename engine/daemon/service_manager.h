/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a service manager wants to be told: sd_notify's protocol over NOTIFY_SOCKET, without its
 * library. Never waits and never fails the caller.
 */
#ifndef HOLDFAST_DAEMON_SERVICE_MANAGER_H
#define HOLDFAST_DAEMON_SERVICE_MANAGER_H

#include <stdbool.h>

struct service_manager {
    int fd; /* -1 = nobody wants to know */
};

/* True when one has started us: NOTIFY_SOCKET or INVOCATION_ID is in the environment. To be asked
 * before service_manager_open(). */
bool service_manager_is_present(void);

/* Connects to what NOTIFY_SOCKET names ("/path" or "@abstract") and takes it out of the
 * environment, so that no child speaks in our name. Without it, true and nobody is told anything;
 * false with errno (and nobody is told) when it is there and cannot be used. To be called before
 * rights are dropped. */
bool service_manager_open(struct service_manager *manager);
void service_manager_close(struct service_manager *manager);

/* READY=1: start or reload is over. `status` is one line for people; NULL = none. */
void service_manager_ready(const struct service_manager *manager, const char *status);
void service_manager_status(const struct service_manager *manager, const char *status);

/* RELOADING=1 with MONOTONIC_USEC, to be followed by ready. */
void service_manager_reloading(const struct service_manager *manager);
void service_manager_stopping(const struct service_manager *manager);

#endif
