/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sd_notify(3)'s datagrams: see service_manager.h. A message that cannot be delivered is lost: the
 * service manager has its own time-outs, and the time service matters more.
 */
#include "service_manager.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE_MAX = 512 };

bool service_manager_is_present(void)
{
    return getenv("NOTIFY_SOCKET") || getenv("INVOCATION_ID");
}

/* The address of a path or, with '@' in front, of an abstract name; its length, 0 for neither. */
static socklen_t address_of(const char *name, struct sockaddr_un *address)
{
    size_t size = strlen(name);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (size < 2 || size >= sizeof address->sun_path || (*name != '/' && *name != '@')) {
        return 0;
    }
    memcpy(address->sun_path, name, size);
    if (*name == '@') {
        address->sun_path[0] = '\0';
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    }
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + 1);
}

bool service_manager_open(struct service_manager *manager)
{
    struct sockaddr_un address;
    const char *name = getenv("NOTIFY_SOCKET");
    manager->fd = -1;
    if (!name) {
        return true;
    }
    socklen_t size = address_of(name, &address);
    int why = size == 0 ? EINVAL : 0;
    if (size > 0) {
        /* Connected now: the path may be out of reach once rights are dropped. */
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, size) == 0) {
            manager->fd = fd;
        } else {
            why = errno;
            if (fd >= 0) {
                close(fd);
            }
        }
    }
    unsetenv("NOTIFY_SOCKET");
    errno = why;
    return why == 0;
}

void service_manager_close(struct service_manager *manager)
{
    if (manager->fd >= 0) {
        close(manager->fd);
        manager->fd = -1;
    }
}

static void tell(const struct service_manager *manager, const char *message)
{
    if (manager->fd >= 0) {
        (void)send(manager->fd, message, strlen(message), MSG_NOSIGNAL);
    }
}

/* "FIRST\nSTATUS=status": a status is one line, whatever it was made of. */
static void tell_status(const struct service_manager *manager, const char *first,
                        const char *status)
{
    char message[MESSAGE_MAX];
    int length = snprintf(message, sizeof message, "%s", first);
    if (status) {
        char *text = message + length;
        snprintf(text, sizeof message - (size_t)length, "%sSTATUS=%s", *first ? "\n" : "", status);
        for (char *at = text + (*first != '\0'); *at; at++) {
            *at = *at == '\n' ? ' ' : *at;
        }
    }
    tell(manager, message);
}

void service_manager_ready(const struct service_manager *manager, const char *status)
{
    tell_status(manager, "READY=1", status);
}

void service_manager_status(const struct service_manager *manager, const char *status)
{
    tell_status(manager, "", status);
}

void service_manager_reloading(const struct service_manager *manager)
{
    char message[MESSAGE_MAX];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    tell(manager, message);
}

void service_manager_stopping(const struct service_manager *manager)
{
    tell(manager, "STOPPING=1");
}
