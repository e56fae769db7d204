/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Name lookups through real processes: numbers and this host's own names (no network), and what
 * happens when the processes are slow, killed or not wanted any more.
 */
#include "../engine/daemon/resolver.h"

#include <dirent.h>
#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../engine/daemon/resolver_process.h"
#include "messages_check.h"

enum { PATIENCE_MS = 20000 };

static struct resolver *start_with(resolver_lookup *look_up)
{
    char *error = NULL;
    struct resolver *resolver = resolver_start_with(NULL, look_up, &error);
    CHECK_STR(error ? error : "", "");
    REQUIRE(resolver != NULL);
    return resolver;
}

/* Waits for the next answer; association 9999 when none comes. */
static struct resolver_answer await(struct resolver *resolver)
{
    struct resolver_answer answer = {.association = 9999};
    gint64 until = g_get_monotonic_time() + PATIENCE_MS * 1000;
    while (!resolver_read(resolver, &answer) && g_get_monotonic_time() < until) {
        struct pollfd fd = {.fd = resolver_fd(resolver), .events = POLLIN};
        poll(&fd, 1, 100);
    }
    return answer;
}

static struct resolver_answer ask(struct resolver *resolver, const char *name, uint8_t family)
{
    CHECK(resolver_ask(resolver, 7, name, family));
    struct resolver_answer answer = await(resolver);
    CHECK_INT(answer.association, 7);
    return answer;
}

static const char *address_of(const struct resolver_answer *answer, char text[ADDRESS_TEXT_SIZE])
{
    return answer->count == 1 ? address_text(&answer->addresses[0].address, text) : "not one";
}

static void numbers_are_their_own_answers(void)
{
    char text[ADDRESS_TEXT_SIZE];
    struct resolver *resolver = start_with(resolver_look_up);
    struct resolver_answer answer = ask(resolver, "192.0.2.7", ADDRESS_NONE);
    CHECK_STR(address_of(&answer, text), "192.0.2.7");
    CHECK_INT(answer.addresses[0].port, NTP_PORT);
    answer = ask(resolver, "2001:db8::7", ADDRESS_NONE);
    CHECK_STR(address_of(&answer, text), "2001:db8::7");
    resolver_stop(resolver);
}

static void families_are_kept_apart(void)
{
    char text[ADDRESS_TEXT_SIZE];
    struct resolver *resolver = start_with(resolver_look_up);
    struct resolver_answer answer = ask(resolver, "localhost", ADDRESS_V4);
    CHECK_STR(address_of(&answer, text), "127.0.0.1");
    answer = ask(resolver, "192.0.2.7", ADDRESS_V6);
    CHECK_INT(answer.count, 0);
    CHECK(strlen(answer.why) > 5);
    answer = ask(resolver, "2001:db8::7", ADDRESS_V4);
    CHECK_INT(answer.count, 0);
    resolver_stop(resolver);
}

static void name_without_an_address_fails_and_says_why(void)
{
    struct resolver *resolver = start_with(resolver_look_up);
    struct resolver_answer answer = ask(resolver, "no such name.invalid", ADDRESS_NONE);
    CHECK_INT(answer.count, 0);
    CHECK(strlen(answer.why) > 5);
    resolver_stop(resolver);
}

static void name_longer_than_any_is_refused(void)
{
    struct resolver *resolver = start_with(resolver_look_up);
    char *name = g_strnfill(RESOLVER_NAME_MAX, 'a');
    CHECK(!resolver_ask(resolver, 1, name, ADDRESS_NONE));
    g_free(name);
    resolver_stop(resolver);
}

/* "slow" never answers; "die" kills its process; others have one address, their length. */
static void made_up(const struct resolver_question *question, struct resolver_answer *answer)
{
    if (g_str_has_prefix(question->name, "slow")) {
        sleep(3600);
    }
    if (strcmp(question->name, "die") == 0) {
        raise(SIGKILL);
    }
    answer->count = 1;
    answer->addresses[0] = (struct endpoint){
        {.family = ADDRESS_V4, .bytes = {192, 0, 2, (uint8_t)strlen(question->name)}}, NTP_PORT};
}

static void slow_name_holds_up_no_other(void)
{
    char text[ADDRESS_TEXT_SIZE];
    struct resolver *resolver = start_with(made_up);
    for (unsigned i = 0; i < RESOLVER_THREADS - 1; i++) {
        CHECK(resolver_ask(resolver, (uint16_t)i, "slow", ADDRESS_NONE));
    }
    for (int i = 0; i < 20; i++) {
        struct resolver_answer answer = ask(resolver, "quick", ADDRESS_NONE);
        CHECK_STR(address_of(&answer, text), "192.0.2.5");
    }
    gint64 start = g_get_monotonic_time();
    resolver_stop(resolver); /* does not wait for the slow ones */
    CHECK(g_get_monotonic_time() - start < 5000000);
}

static void equal_question_is_asked_once_and_another_replaces_it(void)
{
    char text[ADDRESS_TEXT_SIZE];
    struct resolver *resolver = start_with(made_up);
    struct resolver_answer answer;
    CHECK(resolver_ask(resolver, 1, "a", ADDRESS_NONE));
    CHECK(resolver_ask(resolver, 1, "a", ADDRESS_NONE));
    answer = await(resolver);
    CHECK_STR(address_of(&answer, text), "192.0.2.1");
    CHECK(resolver_ask(resolver, 1, "slow", ADDRESS_NONE));
    CHECK(resolver_ask(resolver, 1, "abc", ADDRESS_NONE));
    CHECK(resolver_ask(resolver, 2, "ab", ADDRESS_NONE));
    for (int i = 0; i < 2; i++) {
        answer = await(resolver);
        CHECK_STR(address_of(&answer, text), answer.association == 1 ? "192.0.2.3" : "192.0.2.2");
    }
    CHECK(!resolver_read(resolver, &answer));
    resolver_stop(resolver);
}

static void forgotten_questions_are_not_answered(void)
{
    char text[ADDRESS_TEXT_SIZE];
    struct resolver *resolver = start_with(made_up);
    CHECK(resolver_ask(resolver, 1, "a", ADDRESS_NONE));
    resolver_forget(resolver);
    CHECK(resolver_ask(resolver, 1, "abcd", ADDRESS_NONE));
    struct resolver_answer answer = await(resolver);
    CHECK_STR(address_of(&answer, text), "192.0.2.4");
    CHECK(!resolver_read(resolver, &answer));
    resolver_stop(resolver);
}

static void questions_are_bounded(void)
{
    struct resolver *resolver = start_with(made_up);
    for (unsigned i = 0; i < RESOLVER_QUESTIONS_MAX; i++) {
        CHECK(resolver_ask(resolver, (uint16_t)i, "slow", ADDRESS_NONE));
    }
    CHECK(!resolver_ask(resolver, 1000, "slow", ADDRESS_NONE));
    CHECK(resolver_ask(resolver, 3, "slow again", ADDRESS_NONE)); /* takes the place of its own */
    resolver_stop(resolver);
}

static void process_that_dies_is_replaced_and_its_question_fails(void)
{
    char text[ADDRESS_TEXT_SIZE];
    struct resolver *resolver = start_with(made_up);
    for (int round = 0; round < 2; round++) {
        struct resolver_answer answer = ask(resolver, "die", ADDRESS_NONE);
        CHECK_INT(answer.count, 0);
        CHECK_STR(answer.why, "the process that looked it up died; another one was started");
        answer = ask(resolver, "alive", ADDRESS_NONE);
        CHECK_STR(address_of(&answer, text), "192.0.2.5");
    }
    resolver_stop(resolver);
}

/* A process whose parent is `parent`; 0 when there is none. */
static pid_t child_of(pid_t parent)
{
    pid_t found = 0;
    DIR *folder = opendir("/proc");
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char *path = g_strdup_printf("/proc/%s/stat", entry->d_name), *text = NULL;
        const char *rest = NULL; /* ") STATE PPID ..." */
        if (g_ascii_isdigit(entry->d_name[0]) && g_file_get_contents(path, &text, NULL, NULL)) {
            rest = strrchr(text, ')');
        }
        if (rest && strlen(rest) > 4 && g_ascii_strtoll(rest + 4, NULL, 10) == parent) {
            found = (pid_t)g_ascii_strtoll(entry->d_name, NULL, 10);
        }
        g_free(text);
        g_free(path);
    }
    closedir(folder);
    return found;
}

static pid_t await_child_of(pid_t parent)
{
    pid_t child = 0;
    for (int i = 0; i < 200 && !(child = child_of(parent)); i++) {
        g_usleep(10000);
    }
    return child;
}

static bool is_gone_soon(pid_t pid)
{
    for (int i = 0; i < 500; i++) {
        if (kill(pid, 0) != 0) {
            return true;
        }
        g_usleep(10000);
    }
    return false;
}

static void without_its_processes_every_question_fails(void)
{
    struct resolver *resolver = start_with(made_up);
    pid_t watchman = await_child_of(getpid()), looker = await_child_of(watchman);
    REQUIRE(watchman > 0 && looker > 0);
    CHECK(resolver_ask(resolver, 1, "slow", ADDRESS_NONE));
    CHECK_INT(kill(watchman, SIGKILL), 0);
    struct resolver_answer answer = await(resolver);
    CHECK_INT(answer.association, 1);
    CHECK_INT(answer.count, 0);
    CHECK_STR(answer.why, "the process for name lookups is gone; start the daemon again");
    CHECK_INT(resolver_fd(resolver), -1);
    CHECK(!resolver_ask(resolver, 1, "a", ADDRESS_NONE));
    CHECK(!resolver_read(resolver, &answer));
    CHECK(is_gone_soon(looker));
    resolver_stop(resolver);
}

static void processes_end_with_the_one_that_started_them(void)
{
    int pipes[2];
    REQUIRE(pipe(pipes) == 0);
    pid_t daemon = fork();
    if (daemon == 0) {
        char *error = NULL;
        struct resolver *resolver = resolver_start_with(NULL, made_up, &error);
        pid_t found[2] = {await_child_of(getpid()), 0};
        found[1] = await_child_of(found[0]);
        bool is_told = resolver && resolver_ask(resolver, 1, "slow", ADDRESS_NONE) &&
                       write(pipes[1], found, sizeof found) == (ssize_t)sizeof found;
        if (is_told) {
            pause();
        }
        _exit(1);
    }
    pid_t found[2] = {0, 0};
    CHECK_INT(read(pipes[0], found, sizeof found), (ssize_t)sizeof found);
    REQUIRE(found[0] > 0 && found[1] > 0);
    CHECK_INT(kill(daemon, SIGKILL), 0);
    CHECK_INT(waitpid(daemon, NULL, 0), daemon);
    CHECK(is_gone_soon(found[0]));
    CHECK(is_gone_soon(found[1]));
    close(pipes[0]);
    close(pipes[1]);
}

/* What the processes started for `user` are, by the one that looks up. */
static void check_rights(const char *user, const char *uid_line, unsigned line)
{
    char *error = NULL, *text = NULL;
    struct resolver *resolver = resolver_start(user, &error);
    check_text(error ? error : "", "", "error", __FILE__, line);
    REQUIRE(resolver != NULL);
    pid_t looker = await_child_of(await_child_of(getpid()));
    char *path = g_strdup_printf("/proc/%d/status", (int)looker);
    REQUIRE(g_file_get_contents(path, &text, NULL, NULL));
    check_report(strstr(text, uid_line) != NULL, uid_line, __FILE__, line);
    check_report(strstr(text, "CapPrm:\t0000000000000000\n") != NULL, "permitted", __FILE__, line);
    check_report(strstr(text, "CapEff:\t0000000000000000\n") != NULL, "effective", __FILE__, line);
    g_free(path);
    g_free(text);
    resolver_stop(resolver);
}

static void processes_run_as_the_user_and_with_no_rights(void)
{
    char *error = NULL;
    if (getuid() != 0) {
        CHECK(resolver_start("root", &error) == NULL);
        CHECK(error && g_str_has_prefix(error, "the process for name lookups: "));
        g_free(error);
        return;
    }
    check_rights("nobody", "Uid:\t65534\t65534\t65534\t65534\n", __LINE__);
    check_rights(NULL, "Uid:\t65534\t65534\t65534\t65534\n", __LINE__); /* root's default */
    check_rights("root", "Uid:\t0\t0\t0\t0\n", __LINE__);
    CHECK(resolver_start("no-such-user-here", &error) == NULL);
    CHECK(error && strstr(error, "no-such-user-here") != NULL);
    g_free(error);
}

/* In a user namespace that knows nobody but root. */
static bool looks_up_where_there_is_nobody_else(void)
{
    char *error = NULL, text[ADDRESS_TEXT_SIZE];
    unsigned user = geteuid();
    FILE *map = unshare(CLONE_NEWUSER) == 0 ? fopen("/proc/self/uid_map", "w") : NULL;
    if (!map) {
        return true; /* none can be made here */
    }
    fprintf(map, "0 %u 1", user);
    fclose(map);
    struct resolver *resolver = resolver_start(NULL, &error);
    if (!resolver || geteuid() != 0) {
        return false;
    }
    struct resolver_answer answer = ask(resolver, "192.0.2.1", ADDRESS_NONE);
    bool is_good = strcmp(address_of(&answer, text), "192.0.2.1") == 0;
    resolver_stop(resolver);
    return is_good;
}

static void root_looks_up_himself_where_nobody_else_exists(void)
{
    int status = -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        _exit(looks_up_where_there_is_nobody_else() ? 0 : 1);
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
}

/* What an intruder would try and anybody may, were it not for the filter. No clock is touched. */
static void stray(const struct resolver_question *question, struct resolver_answer *answer)
{
    char *const no_words[] = {NULL};
    char byte = 0, copy = 1;
    struct iovec here = {&copy, 1}, there = {&byte, 1};
    (void)question;
    bool runs = execve("/nonexistent", no_words, no_words) == 0 || errno != EPERM;
    bool unshares = unshare(CLONE_FILES) == 0 || errno != EPERM;
    bool reads = process_vm_readv(getpid(), &here, 1, &there, 1, 0) == 1 || errno != EPERM;
    bool becomes = personality(0xffffffff) != -1 || errno != EPERM;
    g_snprintf(answer->why, sizeof answer->why, "runs %d, unshares %d, reads %d, becomes %d", runs,
               unshares, reads, becomes);
}

static void process_that_looks_up_can_do_little_else(void)
{
    struct resolver *resolver = start_with(stray);
    struct resolver_answer answer = ask(resolver, "any.test", ADDRESS_NONE);
    CHECK_STR(answer.why, "runs 0, unshares 0, reads 0, becomes 0");
    resolver_stop(resolver);
}

const struct test_case resolver_tests[] = {
    {"process_that_looks_up_can_do_little_else", process_that_looks_up_can_do_little_else},
    {"root_looks_up_himself_where_nobody_else_exists",
     root_looks_up_himself_where_nobody_else_exists},
    {"numbers_are_their_own_answers", numbers_are_their_own_answers},
    {"families_are_kept_apart", families_are_kept_apart},
    {"name_without_an_address_fails_and_says_why", name_without_an_address_fails_and_says_why},
    {"name_longer_than_any_is_refused", name_longer_than_any_is_refused},
    {"slow_name_holds_up_no_other", slow_name_holds_up_no_other},
    {"equal_question_is_asked_once_and_another_replaces_it",
     equal_question_is_asked_once_and_another_replaces_it},
    {"forgotten_questions_are_not_answered", forgotten_questions_are_not_answered},
    {"questions_are_bounded", questions_are_bounded},
    {"process_that_dies_is_replaced_and_its_question_fails",
     process_that_dies_is_replaced_and_its_question_fails},
    {"without_its_processes_every_question_fails", without_its_processes_every_question_fails},
    {"processes_end_with_the_one_that_started_them", processes_end_with_the_one_that_started_them},
    {"processes_run_as_the_user_and_with_no_rights", processes_run_as_the_user_and_with_no_rights},
    {NULL, NULL}};
