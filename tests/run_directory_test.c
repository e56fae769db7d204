/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The run directory: all or nothing, and nobody else's files.
 */
#include "../sim/run_directory.h"

#include <unistd.h>

#include "scenario_check.h"

/* How many names a folder holds. */
static unsigned names_in(const char *folder)
{
    unsigned count = 0;
    GDir *dir = g_dir_open(folder, 0, NULL);
    while (dir && g_dir_read_name(dir)) {
        count++;
    }
    if (dir) {
        g_dir_close(dir);
    }
    return count;
}

static void check_content(const char *folder, const char *name, const char *expected)
{
    char *path = g_build_filename(folder, name, NULL), *text = NULL;
    CHECK(g_file_get_contents(path, &text, NULL, NULL));
    CHECK_STR(text, expected);
    g_free(text);
    g_free(path);
}

/* Writes a run that holds `mark` in its summary. */
static void write_run(const char *target, const char *mark)
{
    char *error = NULL;
    struct run_directory *run = run_directory_new(target, &error);
    CHECK(run && !error);
    CHECK(run_directory_make_folder(run, "tick", &error));
    CHECK(run_directory_write(run, "tick/loopstats", "l\n", 2, &error));
    CHECK(run_directory_write(run, "summary.json", mark, strlen(mark), &error));
    CHECK(run_directory_commit(run, &error));
    run_directory_free(run);
}

static void nothing_has_the_name_before_the_run_is_complete(void)
{
    char *folder = fixture_new(), *target = g_build_filename(folder, "deep", "out/", NULL);
    char *plain = g_build_filename(folder, "deep", "out", NULL), *error = NULL;
    char *parent = g_build_filename(folder, "deep", NULL);
    struct run_directory *run = run_directory_new(target, &error);
    CHECK(run_directory_write(run, "summary.json", "{}", 2, &error));
    CHECK(!g_file_test(plain, G_FILE_TEST_EXISTS));
    CHECK(run_directory_commit(run, &error));
    run_directory_free(run);
    check_content(plain, "summary.json", "{}");
    CHECK_INT(names_in(parent), 1);
    run = run_directory_new(plain, &error);
    CHECK(run_directory_write(run, "summary.json", "half", 4, &error));
    run_directory_free(run); /* interrupted */
    check_content(plain, "summary.json", "{}");
    CHECK_INT(names_in(parent), 1);
    g_free(parent);
    g_free(plain);
    g_free(target);
    fixture_free(folder);
}

static void former_run_is_replaced_whole(void)
{
    char *folder = fixture_new(), *target = g_build_filename(folder, "out", NULL);
    write_run(target, "first");
    fixture_file(target, "error.svg", "picture of the first");
    write_run(target, "second");
    check_content(target, "summary.json", "second");
    CHECK_INT(names_in(target), 2); /* tick and summary.json: the picture went with its run */
    CHECK_INT(names_in(folder), 1);
    g_free(target);
    fixture_free(folder);
}

static void what_is_no_run_directory_is_left_alone(void)
{
    char *folder = fixture_new(), *target = g_build_filename(folder, "out", NULL), *error = NULL;
    fixture_file(folder, "out", "a file");
    CHECK(run_directory_new(target, &error) == NULL);
    CHECK(g_str_has_suffix(error, "/out: exists and is no directory"));
    g_free(error);
    check_content(folder, "out", "a file");
    g_unlink(target);
    g_mkdir(target, 0777);
    fixture_file(target, "thesis.txt", "years of work");
    error = NULL;
    CHECK(run_directory_new(target, &error) == NULL);
    CHECK(error && strstr(error, "/out: exists and is no former run directory"));
    g_free(error);
    check_content(target, "thesis.txt", "years of work");
    CHECK_INT(names_in(folder), 1);
    g_free(target);
    fixture_free(folder);
}

static void target_that_became_foreign_during_the_run_is_left_alone(void)
{
    char *folder = fixture_new(), *target = g_build_filename(folder, "out", NULL), *error = NULL;
    struct run_directory *run = run_directory_new(target, &error);
    g_mkdir(target, 0777);
    fixture_file(target, "thesis.txt", "years of work");
    CHECK(!run_directory_commit(run, &error));
    CHECK(error && strstr(error, "no former run directory"));
    run_directory_free(run);
    g_free(error);
    check_content(target, "thesis.txt", "years of work");
    CHECK_INT(names_in(folder), 1);
    g_free(target);
    fixture_free(folder);
}

static void path_below_a_file_is_an_error_that_names_it(void)
{
    char *folder = fixture_new(), *target = g_build_filename(folder, "file", "out", NULL);
    char *error = NULL;
    char *expected =
        g_strdup_printf("cannot make the output directory %s: Not a directory", target);
    fixture_file(folder, "file", "x");
    CHECK(run_directory_new(target, &error) == NULL);
    CHECK_STR(error, expected);
    g_free(expected);
    g_free(error);
    g_free(target);
    fixture_free(folder);
}

static void empty_directory_may_be_used(void)
{
    char *folder = fixture_new(), *target = g_build_filename(folder, "out", NULL);
    g_mkdir(target, 0777);
    write_run(target, "mine");
    check_content(target, "summary.json", "mine");
    g_free(target);
    fixture_free(folder);
}

static void link_to_a_run_directory_stays_a_link(void)
{
    char *folder = fixture_new(), *real = g_build_filename(folder, "real", NULL);
    char *link = g_build_filename(folder, "latest", NULL);
    write_run(real, "first");
    CHECK(symlink("real", link) == 0);
    write_run(link, "second");
    check_content(real, "summary.json", "second");
    CHECK(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
    g_free(link);
    g_free(real);
    fixture_free(folder);
}

const struct test_case run_directory_tests[] = {
    {"nothing_has_the_name_before_the_run_is_complete",
     nothing_has_the_name_before_the_run_is_complete},
    {"former_run_is_replaced_whole", former_run_is_replaced_whole},
    {"what_is_no_run_directory_is_left_alone", what_is_no_run_directory_is_left_alone},
    {"target_that_became_foreign_during_the_run_is_left_alone",
     target_that_became_foreign_during_the_run_is_left_alone},
    {"path_below_a_file_is_an_error_that_names_it", path_below_a_file_is_an_error_that_names_it},
    {"empty_directory_may_be_used", empty_directory_may_be_used},
    {"link_to_a_run_directory_stays_a_link", link_to_a_run_directory_stays_a_link},
    {NULL, NULL}};
