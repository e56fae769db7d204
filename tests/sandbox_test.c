/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rights that are given up, looked at from inside a forked child that has given them up.
 *
 * What is kept is read from /proc/self/status and not asked of the library that did it. Most of it
 * can be given up by root only; the rest is tested without.
 */
#include "../engine/daemon/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { NOBODY = 65534, ENTERED = 0, REFUSED = 7, BROKEN = 8 };

/* Runs `body` in a child; what it writes to `out` comes back in text. Returns the wait status. */
static int in_child(int (*body)(void *context, int out), void *context, GString *text)
{
    int ends[2];
    int status = -1;
    char buffer[1024];
    ssize_t size;
    fflush(NULL);
    if (pipe(ends) != 0) {
        return -1;
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        _exit(body(context, ends[1]));
    }
    close(ends[1]);
    while ((size = read(ends[0], buffer, sizeof buffer)) > 0) {
        if (text) {
            g_string_append_len(text, buffer, size);
        }
    }
    close(ends[0]);
    waitpid(child, &status, 0);
    return status;
}

static bool ended_with(int status, int code)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

/* True, and said, where a test must be left out; where CI=true that is a failure. */
static bool needs_root(void)
{
    bool is_root = geteuid() == 0;
    if (!is_root) {
        printf("(left out: only root has rights to give up) ");
        CHECK(g_strcmp0(g_getenv("CI"), "true") != 0);
    }
    return !is_root;
}

/* ---- what is left ---------------------------------------------------------------------------- */

static int enter_and_show(void *context, int out)
{
    char text[4096];
    char *error = NULL;
    if (!sandbox_enter(context, &error)) {
        dprintf(out, "%s", error);
        return REFUSED;
    }
    int file = open("/proc/self/status", O_RDONLY);
    ssize_t size = read(file, text, sizeof text);
    dprintf(out, "%.*s\n", (int)size, text);
    return size > 0 ? ENTERED : BROKEN;
}

/* The text after "NAME:" in a status, white space taken off; free it. */
static char *status_field(const GString *status, const char *name)
{
    char **lines = g_strsplit(status->str, "\n", -1);
    char *value = NULL;
    for (char **line = lines; *line && !value; line++) {
        if (g_str_has_prefix(*line, name) && (*line)[strlen(name)] == ':') {
            value = g_strstrip(g_strdup(*line + strlen(name) + 1));
        }
    }
    g_strfreev(lines);
    return value;
}

static void check_field(const GString *status, const char *name, const char *expected)
{
    char *value = status_field(status, name);
    check_text(value, expected, name, __FILE__, __LINE__);
    g_free(value);
}

static uint64_t own_capabilities(const char *field)
{
    char *text = NULL;
    uint64_t value = 0;
    if (g_file_get_contents("/proc/self/status", &text, NULL, NULL)) {
        GString *status = g_string_new(text);
        char *hex = status_field(status, field);
        value = hex ? g_ascii_strtoull(hex, NULL, 16) : 0;
        g_free(hex);
        g_string_free(status, TRUE);
    }
    g_free(text);
    return value;
}

/* All five sets hold `wanted`, as far as this process has it itself, where they should hold
 * anything. */
static void check_capabilities(const GString *status, uint64_t wanted)
{
    char kept[20], bound[20];
    g_snprintf(kept, sizeof kept, "%016" G_GINT64_MODIFIER "x",
               wanted & own_capabilities("CapPrm"));
    g_snprintf(bound, sizeof bound, "%016" G_GINT64_MODIFIER "x",
               wanted & own_capabilities("CapBnd"));
    check_field(status, "CapPrm", kept);
    check_field(status, "CapEff", kept);
    check_field(status, "CapBnd", bound);
    check_field(status, "CapInh", "0000000000000000");
    check_field(status, "CapAmb", "0000000000000000");
    check_field(status, "NoNewPrivs", "1");
}

static void root_becomes_a_user_with_the_two_capabilities_alone(void)
{
    if (needs_root()) {
        return;
    }
    struct sandbox_options options = {.user = "nobody", .may_steer = true, .may_bind = true};
    GString *status = g_string_new(NULL);
    CHECK(ended_with(in_child(enter_and_show, &options, status), ENTERED));
    check_capabilities(status, UINT64_C(1) << CAP_SYS_TIME | UINT64_C(1) << CAP_NET_BIND_SERVICE);
    check_field(status, "Uid", "65534\t65534\t65534\t65534");
    check_field(status, "Gid", "65534\t65534\t65534\t65534");
    check_field(status, "Groups", "65534");
    g_string_free(status, TRUE);
}

static void capability_that_is_not_asked_for_goes(void)
{
    if (needs_root()) {
        return;
    }
    static const uint64_t wanted[] = {0, UINT64_C(1) << CAP_SYS_TIME,
                                      UINT64_C(1) << CAP_NET_BIND_SERVICE};
    for (int i = 0; i < 3; i++) {
        struct sandbox_options options = {
            .user = "nobody", .may_steer = i == 1, .may_bind = i == 2};
        GString *status = g_string_new(NULL);
        CHECK(ended_with(in_child(enter_and_show, &options, status), ENTERED));
        check_capabilities(status, wanted[i]);
        g_string_free(status, TRUE);
    }
}

static void root_that_stays_root_has_no_other_capability(void)
{
    if (needs_root()) {
        return;
    }
    struct sandbox_options options = {.may_bind = true};
    GString *status = g_string_new(NULL);
    CHECK(ended_with(in_child(enter_and_show, &options, status), ENTERED));
    check_capabilities(status, UINT64_C(1) << CAP_NET_BIND_SERVICE);
    check_field(status, "Uid", "0\t0\t0\t0");
    g_string_free(status, TRUE);
}

static void user_may_be_numbers_and_group_another(void)
{
    if (needs_root()) {
        return;
    }
    static const char *const users[] = {"4711:12345", "nobody:12345", "4711"};
    static const char *const uids[] = {"4711\t4711\t4711\t4711", "65534\t65534\t65534\t65534",
                                       "4711\t4711\t4711\t4711"};
    static const char *const gids[] = {"12345\t12345\t12345\t12345", "12345\t12345\t12345\t12345",
                                       "4711\t4711\t4711\t4711"};
    static const char *const groups[] = {"12345", "12345", "4711"};
    for (int i = 0; i < 3; i++) {
        struct sandbox_options options = {.user = users[i]};
        GString *status = g_string_new(NULL);
        CHECK(ended_with(in_child(enter_and_show, &options, status), ENTERED));
        check_field(status, "Uid", uids[i]);
        check_field(status, "Gid", gids[i]);
        check_field(status, "Groups", groups[i]);
        g_string_free(status, TRUE);
    }
}

static void who_is_not_known_is_named_and_nothing_is_dropped(void)
{
    static const char *const users[] = {"no-such-user", "root:no-such-group", ""};
    static const char *const names[] = {"\"no-such-user\"", "\"no-such-group\"", "\"\""};
    uint64_t before = own_capabilities("CapEff");
    for (int i = 0; i < 3; i++) {
        struct sandbox_options options = {.user = users[i]};
        char *error = NULL;
        CHECK(!sandbox_enter(&options, &error));
        CHECK(error && strstr(error, names[i]));
        CHECK_INT(errno, ENOENT); /* root could not do it either */
        g_free(error);
    }
    struct sandbox_options options = {.root = "/no-such-folder"};
    char *error = NULL;
    CHECK(!sandbox_enter(&options, &error));
    CHECK_INT(errno, ENOENT);
    CHECK(error && strstr(error, "/no-such-folder"));
    g_free(error);
    CHECK(own_capabilities("CapEff") == before);
}

/* ---- what cannot be done any more ----------------------------------------------------------- */

static int enter_and_reach_out(void *context, int out)
{
    char *error = NULL;
    struct sandbox_options options = {.user = "nobody", .may_steer = true, .may_bind = true};
    (void)out;
    if (!sandbox_enter(&options, &error)) {
        return BROKEN;
    }
    bool is_root_again = setuid(0) == 0 || setresuid(0, 0, 0) == 0 || setgid(0) == 0;
    bool is_opened = open(context, O_RDONLY) >= 0;
    bool is_chroot = chroot("/tmp") == 0;
    return is_root_again || is_opened || is_chroot ? BROKEN : ENTERED;
}

static void way_back_to_root_and_its_files_is_shut(void)
{
    if (needs_root()) {
        return;
    }
    char path[] = "/tmp/holdfast-sandbox-XXXXXX";
    int file = mkstemp(path); /* mode 0600 */
    CHECK(file >= 0);
    CHECK(ended_with(in_child(enter_and_reach_out, path, NULL), ENTERED));
    close(file);
    unlink(path);
}

static int enter_as_other(void *context, int out)
{
    char *error = NULL;
    struct sandbox_options options = {.user = context};
    if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0) {
        return BROKEN;
    }
    if (!sandbox_enter(&options, &error)) {
        int why = errno;
        dprintf(out, "%s", error);
        return why == EPERM ? REFUSED : BROKEN;
    }
    return ENTERED;
}

static void without_root_no_other_user_can_be_had(void)
{
    GString *text = g_string_new(NULL);
    CHECK(ended_with(in_child(enter_as_other, "root", text), REFUSED));
    CHECK(strstr(text->str, "only root can") != NULL);
    CHECK(ended_with(in_child(enter_as_other, NULL, NULL), ENTERED));
    g_string_free(text, TRUE);
}

static int enter_root_directory(void *context, int out)
{
    char *error = NULL;
    struct sandbox_options options = {.user = "nobody", .root = context};
    if (!sandbox_enter(&options, &error)) {
        dprintf(out, "%s", error);
        return REFUSED;
    }
    bool is_inside = access("/inside", F_OK) == 0 && access("inside", F_OK) == 0;
    return is_inside && access("/etc/passwd", F_OK) != 0 ? ENTERED : BROKEN;
}

/* The name of the user is looked up before, where it is known. */
static void root_directory_is_all_there_is(void)
{
    if (needs_root()) {
        return;
    }
    char path[] = "/tmp/holdfast-sandbox-XXXXXX";
    CHECK(mkdtemp(path) != NULL);
    CHECK(chmod(path, 0755) == 0);
    char *file = g_build_filename(path, "inside", NULL);
    CHECK(g_file_set_contents(file, "", 0, NULL));
    CHECK(ended_with(in_child(enter_root_directory, path, NULL), ENTERED));
    unlink(file);
    rmdir(path);
    GString *text = g_string_new(NULL);
    CHECK(ended_with(in_child(enter_root_directory, path, text), REFUSED));
    CHECK(strstr(text->str, path) && strstr(text->str, "No such file"));
    g_string_free(text, TRUE);
    g_free(file);
}

/* ---- the filter ------------------------------------------------------------------------------ */

static bool filter_loads(void)
{
    char *error = NULL;
    struct sandbox_options options = {.filters = true};
    return sandbox_enter(&options, &error) && sandbox_filter(&error);
}

static void *thread_that_adds(void *context)
{
    *(int *)context += 1;
    return NULL;
}

static bool threads_start(void)
{
    pthread_t thread;
    int sum = 41;
    return pthread_create(&thread, NULL, thread_that_adds, &sum) == 0 &&
           pthread_join(thread, NULL) == 0 && sum == 42;
}

static bool packets_pass(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    char sent[4] = "ntp", heard[8] = "";
    struct iovec from = {sent, sizeof sent}, to = {heard, sizeof heard};
    struct msghdr message = {
        .msg_name = &at, .msg_namelen = sizeof at, .msg_iov = &from, .msg_iovlen = 1};
    struct mmsghdr batch = {.msg_hdr = {.msg_iov = &to, .msg_iovlen = 1}};
    int in = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int outward = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int on = 1;
    return in >= 0 && bind(in, (struct sockaddr *)&at, sizeof at) == 0 &&
           getsockname(in, (struct sockaddr *)&at, &size) == 0 &&
           setsockopt(in, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0 &&
           sendmsg(outward, &message, 0) == sizeof sent && recvmmsg(in, &batch, 1, 0, NULL) == 1 &&
           batch.msg_len == sizeof sent && strcmp(heard, "ntp") == 0;
}

static bool clocks_are_read(void)
{
    struct timespec now;
    struct timex state = {0};
    return clock_gettime(CLOCK_MONOTONIC_RAW, &now) == 0 &&
           syscall(SYS_clock_gettime, CLOCK_REALTIME, &now) == 0 &&
           syscall(SYS_clock_adjtime, CLOCK_REALTIME, &state) >= 0;
}

static bool memory_and_files_are_had(void)
{
    char *block = g_malloc0(8 << 20);
    char *text = NULL;
    bool ok = g_file_get_contents("/proc/self/stat", &text, NULL, NULL);
    g_free(text);
    g_free(block);
    return ok;
}

static int work_under_filter(void *context, int out)
{
    (void)context;
    if (!filter_loads()) {
        return REFUSED;
    }
    dprintf(out, "threads %d packets %d clocks %d memory %d", threads_start(), packets_pass(),
            clocks_are_read(), memory_and_files_are_had());
    return ENTERED;
}

static void filter_lets_a_servers_work_through(void)
{
    GString *text = g_string_new(NULL);
    CHECK(ended_with(in_child(work_under_filter, NULL, text), ENTERED));
    CHECK_STR(text->str, "threads 1 packets 1 clocks 1 memory 1");
    g_string_free(text, TRUE);
}

/* What ends the process. Each would be refused by the kernel anyway, or does nothing: the point is
 * that it is not even asked. */
enum forbidden {
    EXECUTE,
    PACKET_SOCKET,
    RAW_MEMORY_EXECUTABLE,
    TURN_EXECUTABLE,
    TERMINAL_INPUT,
    SIGNAL_OTHERS,
    SET_OTHER_CLOCK,
    TRACE_OTHERS,
    CHANGE_USER,
    MOUNT,
    LOAD_BPF,
    READ_OTHERS,
    NEW_NAMESPACE,
    FORBIDDEN
};

static void do_forbidden(enum forbidden what)
{
    char *arguments[] = {"/bin/true", NULL};
    struct timespec zero = {0};
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    switch (what) {
    case EXECUTE:
        execv(arguments[0], arguments);
        break;
    case PACKET_SOCKET:
        (void)socket(AF_PACKET, SOCK_RAW, 0);
        break;
    case RAW_MEMORY_EXECUTABLE:
        (void)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        break;
    case TURN_EXECUTABLE:
        (void)mprotect(page, 4096, PROT_READ | PROT_EXEC);
        break;
    case TERMINAL_INPUT:
        (void)ioctl(0, TIOCSTI, "x");
        break;
    case SIGNAL_OTHERS:
        (void)kill(getppid(), SIGCONT);
        break;
    case SET_OTHER_CLOCK: /* CLOCK_MONOTONIC cannot be set by anybody */
        (void)syscall(SYS_clock_settime, CLOCK_MONOTONIC, &zero);
        break;
    case TRACE_OTHERS:
        (void)syscall(SYS_ptrace, 9999L, getppid(), 0, 0);
        break;
    case CHANGE_USER:
        (void)syscall(SYS_setuid, geteuid());
        break;
    case MOUNT:
        (void)syscall(SYS_mount, NULL, NULL, NULL, 0, NULL);
        break;
    case LOAD_BPF:
        (void)syscall(SYS_bpf, -1, NULL, 0);
        break;
    case READ_OTHERS:
        (void)syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
        break;
    case NEW_NAMESPACE:
        (void)syscall(SYS_unshare, 0);
        break;
    case FORBIDDEN:
        break;
    }
}

static int forbidden_under_filter(void *context, int out)
{
    (void)out;
    if (!filter_loads()) {
        return REFUSED;
    }
    do_forbidden(*(const enum forbidden *)context);
    return ENTERED;
}

static void call_outside_of_the_list_ends_the_process(void)
{
    for (enum forbidden what = 0; what < FORBIDDEN; what++) {
        char text[64];
        int status = in_child(forbidden_under_filter, &what, NULL);
        g_snprintf(text, sizeof text, "forbidden call %d: status %#x", (int)what, (unsigned)status);
        check_report(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, text, __FILE__, __LINE__);
    }
    /* And only what was forbidden did. */
    enum forbidden nothing = FORBIDDEN;
    CHECK(ended_with(in_child(forbidden_under_filter, &nothing, NULL), ENTERED));
}

static int fork_under_filter(void *context, int out)
{
    (void)context;
    if (!filter_loads()) {
        return REFUSED;
    }
    errno = 0;
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    dprintf(out, "%d %s", child > 0, g_strerror(errno));
    return ENTERED;
}

static void fork_fails_and_ends_nothing(void)
{
    GString *text = g_string_new(NULL);
    CHECK(ended_with(in_child(fork_under_filter, NULL, text), ENTERED));
    CHECK_STR(text->str, "0 Operation not permitted");
    g_string_free(text, TRUE);
}

static void *thread_that_strays(void *context)
{
    char byte;
    if (read(*(const int *)context, &byte, 1) == 1) {
        (void)syscall(SYS_unshare, 0);
    }
    return NULL;
}

static int stray_in_older_thread(void *context, int out)
{
    pthread_t thread;
    int ends[2];
    (void)context;
    (void)out;
    if (pipe(ends) != 0 || pthread_create(&thread, NULL, thread_that_strays, &ends[0]) != 0 ||
        !filter_loads() || write(ends[1], "x", 1) != 1) {
        return BROKEN;
    }
    pthread_join(thread, NULL);
    return ENTERED;
}

static void filter_holds_for_threads_that_were_there_before(void)
{
    int status = in_child(stray_in_older_thread, NULL, NULL);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

const struct test_case sandbox_tests[] = {
    {"root_becomes_a_user_with_the_two_capabilities_alone",
     root_becomes_a_user_with_the_two_capabilities_alone},
    {"capability_that_is_not_asked_for_goes", capability_that_is_not_asked_for_goes},
    {"root_that_stays_root_has_no_other_capability", root_that_stays_root_has_no_other_capability},
    {"user_may_be_numbers_and_group_another", user_may_be_numbers_and_group_another},
    {"who_is_not_known_is_named_and_nothing_is_dropped",
     who_is_not_known_is_named_and_nothing_is_dropped},
    {"way_back_to_root_and_its_files_is_shut", way_back_to_root_and_its_files_is_shut},
    {"without_root_no_other_user_can_be_had", without_root_no_other_user_can_be_had},
    {"root_directory_is_all_there_is", root_directory_is_all_there_is},
    {"filter_lets_a_servers_work_through", filter_lets_a_servers_work_through},
    {"call_outside_of_the_list_ends_the_process", call_outside_of_the_list_ends_the_process},
    {"fork_fails_and_ends_nothing", fork_fails_and_ends_nothing},
    {"filter_holds_for_threads_that_were_there_before",
     filter_holds_for_threads_that_were_there_before},
    {NULL, NULL},
};
