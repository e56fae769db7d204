/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sd_notify's datagrams, as a service manager receives them: from a path and from an abstract name.
 */
#include "../engine/daemon/service_manager.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "messages_check.h"

/* The receiving end; `name` as NOTIFY_SOCKET has it. */
static int listen_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, name, strlen(name));
    if (*name == '@') {
        address.sun_path[0] = '\0';
    }
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    REQUIRE(bind(fd, (const struct sockaddr *)&address, size + (*name == '/')) == 0);
    return fd;
}

/* The next datagram; empty when there is none. */
static const char *hear(int fd, char text[1024])
{
    ssize_t size = recv(fd, text, 1023, MSG_DONTWAIT);
    text[size > 0 ? size : 0] = '\0';
    return text;
}

static void check_talk(const char *name)
{
    char text[1024];
    long long before = g_get_monotonic_time();
    int fd = listen_at(name);
    struct service_manager manager;
    g_setenv("NOTIFY_SOCKET", name, TRUE);
    CHECK(service_manager_is_present());
    CHECK(service_manager_open(&manager));
    CHECK(getenv("NOTIFY_SOCKET") == NULL);
    service_manager_ready(&manager, "synchronised\nREADY=0");
    CHECK_STR(hear(fd, text), "READY=1\nSTATUS=synchronised READY=0");
    service_manager_ready(&manager, NULL);
    CHECK_STR(hear(fd, text), "READY=1");
    service_manager_status(&manager, "holdover");
    CHECK_STR(hear(fd, text), "STATUS=holdover");
    service_manager_reloading(&manager);
    static const char reloading[] = "RELOADING=1\nMONOTONIC_USEC=";
    CHECK(g_str_has_prefix(hear(fd, text), reloading));
    long long stamp = g_ascii_strtoll(text + strlen(reloading), NULL, 10);
    CHECK(stamp >= before && stamp <= g_get_monotonic_time());
    service_manager_stopping(&manager);
    CHECK_STR(hear(fd, text), "STOPPING=1");
    CHECK_STR(hear(fd, text), "");
    service_manager_close(&manager);
    close(fd);
}

static void manager_at_a_path_hears_every_word(void)
{
    char *folder = g_dir_make_tmp("holdfast-notify-XXXXXX", NULL);
    char *path = g_build_filename(folder, "notify", NULL);
    check_talk(path);
    g_unlink(path);
    g_rmdir(folder);
    g_free(path);
    g_free(folder);
}

static void manager_at_an_abstract_name_hears_every_word(void)
{
    char *name = g_strdup_printf("@holdfast-notify-%d", (int)getpid());
    check_talk(name);
    g_free(name);
}

static void without_a_manager_nothing_is_said(void)
{
    struct service_manager manager;
    g_unsetenv("NOTIFY_SOCKET");
    g_unsetenv("INVOCATION_ID");
    CHECK(!service_manager_is_present());
    CHECK(service_manager_open(&manager));
    CHECK_INT(manager.fd, -1);
    service_manager_ready(&manager, "fine");
    service_manager_close(&manager);
    g_setenv("INVOCATION_ID", "0123", TRUE);
    CHECK(service_manager_is_present());
    g_unsetenv("INVOCATION_ID");
}

static void sockets_that_cannot_be_are_refused_and_forgotten(void)
{
    static const char *const names[] = {"relative", "", "/", "@", "/nonexistent/socket", NULL};
    for (const char *const *name = names; *name; name++) {
        struct service_manager manager;
        g_setenv("NOTIFY_SOCKET", *name, TRUE);
        errno = 0;
        CHECK(!service_manager_open(&manager));
        CHECK(errno == (strlen(*name) > 10 ? ENOENT : EINVAL));
        CHECK_INT(manager.fd, -1);
        CHECK(getenv("NOTIFY_SOCKET") == NULL);
        service_manager_ready(&manager, NULL);
    }
    char *long_name = g_strnfill(200, '/');
    struct service_manager manager;
    g_setenv("NOTIFY_SOCKET", long_name, TRUE);
    CHECK(!service_manager_open(&manager));
    g_free(long_name);
}

static void manager_that_does_not_listen_holds_nobody_up(void)
{
    char *name = g_strdup_printf("@holdfast-notify-%d", (int)getpid());
    int fd = listen_at(name);
    struct service_manager manager;
    g_setenv("NOTIFY_SOCKET", name, TRUE);
    CHECK(service_manager_open(&manager));
    for (int i = 0; i < 5000; i++) {
        service_manager_status(&manager, "more than its queue holds");
    }
    close(fd);
    service_manager_status(&manager, "and nobody there");
    service_manager_close(&manager);
    g_free(name);
}

const struct test_case service_manager_tests[] = {
    {"manager_at_a_path_hears_every_word", manager_at_a_path_hears_every_word},
    {"manager_at_an_abstract_name_hears_every_word", manager_at_an_abstract_name_hears_every_word},
    {"without_a_manager_nothing_is_said", without_a_manager_nothing_is_said},
    {"sockets_that_cannot_be_are_refused_and_forgotten",
     sockets_that_cannot_be_are_refused_and_forgotten},
    {"manager_that_does_not_listen_holds_nobody_up", manager_that_does_not_listen_holds_nobody_up},
    {NULL, NULL}};
