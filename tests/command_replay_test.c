/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `holdfast replay`: what it prints of a recording and how it ends. Bad command lines and foreign
 * files are in cli.sh.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "../sim/command.h"
#include "check.h"
#include "lockstep.h"

/* A recording with a reload in a file, and what the command said of it. */
struct session {
    struct lockstep_lines lines[2];
    struct lockstep *l;
    char *folder, *path, *said, *complained;
    enum exit_status status;
};

static bool is_interrupted(void)
{
    return false;
}

static bool is_soon_interrupted(void)
{
    return true;
}

static void session_open(struct session *s)
{
    memset(s, 0, sizeof *s);
    lockstep_fill(&s->lines[0]);
    lockstep_copy(&s->lines[1], &s->lines[0]);
    s->lines[1].config.association_count = 3;
    s->l = lockstep_new(&s->lines[0].config, 1, true);
    lockstep_run(s->l, 1800.0);
    lockstep_reload(s->l, &s->lines[1].config);
    lockstep_run(s->l, 3600.0);
    s->folder = g_dir_make_tmp("holdfast-XXXXXX", NULL);
    s->path = g_build_filename(s->folder, "calls", NULL);
}

static void session_close(struct session *s)
{
    g_unlink(s->path);
    CHECK_INT(g_rmdir(s->folder), 0);
    lockstep_free(s->l);
    g_free(s->folder);
    g_free(s->path);
    g_free(s->said);
    g_free(s->complained);
}

/* Sends one of our streams into a file; returns what it was. */
static int divert(FILE *stream, FILE *to)
{
    fflush(stream);
    int before = dup(fileno(stream));
    CHECK(dup2(fileno(to), fileno(stream)) >= 0);
    return before;
}

/* Back again, with what was written meanwhile. */
static char *restore(FILE *stream, int before, FILE *from)
{
    GString *text = g_string_new(NULL);
    fflush(stream);
    CHECK(dup2(before, fileno(stream)) >= 0);
    close(before);
    rewind(from);
    for (int c; (c = fgetc(from)) != EOF;) {
        g_string_append_c(text, (char)c);
    }
    fclose(from);
    return g_string_free(text, FALSE);
}

static void replay(struct session *s, size_t size, const char *option, bool (*interrupts)(void))
{
    char *words[] = {s->path, (char *)option};
    struct command_line line = {option ? 2 : 1, words, interrupts};
    CHECK(g_file_set_contents(s->path, (const char *)s->l->recording, (gssize)size, NULL));
    g_free(s->said);
    g_free(s->complained);
    FILE *out = tmpfile(), *err = tmpfile();
    int before_out = divert(stdout, out), before_err = divert(stderr, err);
    s->status = command_replay(&line);
    s->said = restore(stdout, before_out, out);
    s->complained = restore(stderr, before_err, err);
}

static void a_good_recording_is_summed_up_in_one_line(void)
{
    struct session s;
    char expected[128];
    session_open(&s);
    replay(&s, s.l->recording_size, NULL, is_interrupted);
    CHECK_INT(s.status, STATUS_ALL_RIGHT);
    CHECK_STR(s.complained, "");
    snprintf(expected, sizeof expected, "%ld calls over ", s.l->calls + 2);
    CHECK(g_str_has_prefix(s.said, expected));
    CHECK(strstr(s.said, "identical: 1 init, 1 adopt, ") != NULL);
    CHECK(strchr(s.said, '\n') == s.said + strlen(s.said) - 1);
    session_close(&s);
}

static void verbose_prints_what_the_engine_lived(void)
{
    struct session s;
    session_open(&s);
    replay(&s, s.l->recording_size, "--verbose", is_interrupted);
    CHECK_INT(s.status, STATUS_ALL_RIGHT);
    CHECK(strstr(s.said, "unsynchronised -> synchronised: offset accepted") != NULL);
    CHECK(strstr(s.said, "2027-01-15 08:00:") != NULL); /* 1800000000, UTC */
    CHECK(strstr(s.said, "2027-01-15 08:5") != NULL);   /* after the reload too */
    CHECK(strstr(s.said, "identical: 1 init, 1 adopt, ") != NULL);
    session_close(&s);
}

static void the_first_difference_is_named(void)
{
    struct session s;
    struct engine_call call;
    struct effects out;
    char expected[64];
    session_open(&s);
    /* One call more, whose effects are another engine's. */
    memset(&out, 0, sizeof out);
    out.wake = mono_add_s(s.l->wake, 1.0);
    call = (struct engine_call){.verb = VERB_EXPIRE, .now = lockstep_instant(s.l)};
    lockstep_record(s.l, &call, effects_hash(&out));
    replay(&s, s.l->recording_size, NULL, is_interrupted);
    CHECK_INT(s.status, STATUS_FAILED);
    snprintf(expected, sizeof expected, "call %ld (expire, 2027-01-15 ", s.l->calls + 3);
    CHECK(strstr(s.complained, expected) != NULL);
    snprintf(expected, sizeof expected, "recorded: %016llx",
             (unsigned long long)effects_hash(&out));
    CHECK(strstr(s.complained, expected) != NULL);
    CHECK(strstr(s.complained, "wake in ") != NULL);
    CHECK_STR(s.said, "");
    session_close(&s);
}

static void a_cut_recording_is_replayed_up_to_the_cut(void)
{
    struct session s;
    char expected[64];
    session_open(&s);
    replay(&s, s.l->recording_size - 1, NULL, is_interrupted);
    CHECK_INT(s.status, STATUS_ALL_RIGHT);
    CHECK(g_str_has_prefix(s.complained, "warning: ") && strstr(s.complained, "cut"));
    snprintf(expected, sizeof expected, "%ld calls over ", s.l->calls + 1);
    CHECK(g_str_has_prefix(s.said, expected));
    session_close(&s);
}

static void a_damaged_recording_is_refused_with_the_place(void)
{
    struct session s;
    session_open(&s);
    s.l->recording[s.l->recording_size - 20] ^= 1;
    replay(&s, s.l->recording_size, NULL, is_interrupted);
    CHECK_INT(s.status, STATUS_CONFIGURATION);
    CHECK(strstr(s.complained, "damaged") && strstr(s.complained, "at byte "));
    CHECK_STR(s.said, "");
    session_close(&s);
}

static void a_recording_without_a_call_proves_nothing(void)
{
    struct session s;
    session_open(&s);
    static const size_t sizes[] = {3, RECORDING_HEADER_SIZE, RECORDING_HEADER_SIZE + 100};
    for (unsigned i = 0; i < 3; i++) {
        replay(&s, sizes[i], NULL, is_interrupted);
        CHECK_INT(s.status, STATUS_CONFIGURATION);
        CHECK(strstr(s.complained, "holds no call") != NULL);
    }
    session_close(&s);
}

static void an_interrupt_ends_it_in_order(void)
{
    struct session s;
    session_open(&s);
    replay(&s, s.l->recording_size, NULL, is_soon_interrupted);
    CHECK_INT(s.status, STATUS_INTERRUPTED);
    CHECK(strstr(s.complained, "interrupted") != NULL);
    session_close(&s);
}

const struct test_case command_replay_tests[] = {
    {"a_good_recording_is_summed_up_in_one_line", a_good_recording_is_summed_up_in_one_line},
    {"verbose_prints_what_the_engine_lived", verbose_prints_what_the_engine_lived},
    {"the_first_difference_is_named", the_first_difference_is_named},
    {"a_cut_recording_is_replayed_up_to_the_cut", a_cut_recording_is_replayed_up_to_the_cut},
    {"a_damaged_recording_is_refused_with_the_place",
     a_damaged_recording_is_refused_with_the_place},
    {"a_recording_without_a_call_proves_nothing", a_recording_without_a_call_proves_nothing},
    {"an_interrupt_ends_it_in_order", an_interrupt_ends_it_in_order},
    {NULL, NULL}};
