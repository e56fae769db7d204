/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The HTTP side of the metrics page: see metrics.h. Knows nothing of what is on it.
 */
#include "metrics.h"

#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket_address.h"

enum { CONNECTION_MEMORY = 16 * 1024 };

struct metrics {
    struct MHD_Daemon *daemon;
    int fd;
    void (*fill)(void *context, GString *page);
    void *context;
};

/* ---- one request ---- */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, char *text,
                              size_t size, const char *type)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(size, text, g_free);
    if (!response) {
        g_free(text);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status,
                                   const char *text)
{
    return answer(connection, status, g_strdup(text), strlen(text), "text/plain; charset=utf-8");
}

/* MHD_AccessHandlerCallback: its types are not ours to choose. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **request)
{
    const struct metrics *metrics = context;
    (void)version;
    (void)upload;
    (void)upload_size;
    (void)request;
    if (strcmp(url, "/metrics") != 0) {
        return answer_text(connection, MHD_HTTP_NOT_FOUND, "Only /metrics is here.\n");
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET is answered.\n");
    }
    GString *page = g_string_sized_new(16384);
    metrics->fill(metrics->context, page);
    size_t size = page->len;
    return answer(connection, MHD_HTTP_OK, g_string_free(page, FALSE), size, METRICS_CONTENT_TYPE);
}

/* ---- listening ---- */

/* A listening socket, or -1 with errno. */
static int listen_at(const struct endpoint *at)
{
    union socket_address address;
    int yes = 1;
    socklen_t size = socket_address_set(&address, at, 0);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (address.any.sa_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    }
    if (bind(fd, &address.any, size) != 0 || listen(fd, METRICS_CONNECTIONS_MAX) != 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

static char *endpoint_text(const struct endpoint *at)
{
    char text[ADDRESS_TEXT_SIZE];
    bool is_v6 = at->address.family == ADDRESS_V6;
    return g_strdup_printf("%s%s%s:%u", is_v6 ? "[" : "", address_text(&at->address, text),
                           is_v6 ? "]" : "", (unsigned)at->port);
}

static char *listen_error(const struct endpoint *at, int why)
{
    const char *cure = why == EADDRINUSE ? "; another program listens there: choose another port"
                       : why == EADDRNOTAVAIL ? "; this machine has no such address"
                                              : "";
    char *name = endpoint_text(at);
    char *error =
        g_strdup_printf("metrics %s: cannot listen there: %s%s", name, g_strerror(why), cure);
    g_free(name);
    return error;
}

struct metrics *metrics_open(const struct endpoint *at, void (*fill)(void *context, GString *page),
                             void *context, char **error)
{
    int fd = listen_at(at);
    if (fd < 0) {
        *error = listen_error(at, errno);
        return NULL;
    }
    struct metrics *metrics = g_new0(struct metrics, 1);
    metrics->fill = fill;
    metrics->context = context;
    metrics->daemon = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, on_request, metrics, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)METRICS_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)METRICS_TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        metrics->daemon ? MHD_get_daemon_info(metrics->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info) {
        *error = listen_error(at, errno);
        if (!metrics->daemon) {
            close(fd);
        }
        metrics_close(metrics);
        return NULL;
    }
    metrics->fd = info->epoll_fd;
    return metrics;
}

void metrics_close(struct metrics *metrics)
{
    if (metrics) {
        if (metrics->daemon) {
            MHD_stop_daemon(metrics->daemon);
        }
        g_free(metrics);
    }
}

int metrics_fd(const struct metrics *metrics)
{
    return metrics->fd;
}

int metrics_timeout_ms(const struct metrics *metrics)
{
    MHD_UNSIGNED_LONG_LONG wait;
    if (MHD_get_timeout(metrics->daemon, &wait) != MHD_YES) {
        return -1;
    }
    return wait < INT_MAX ? (int)wait : INT_MAX;
}

void metrics_serve(struct metrics *metrics)
{
    MHD_run(metrics->daemon);
}
