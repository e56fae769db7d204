/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A short run's directory: each file read back, and what happens when one cannot be written.
 */
#include "../sim/report.h"

#include <signal.h>
#include <sys/resource.h>

#include "../sim/pcap.h"
#include "scenario_check.h"

static const char short_run[] =
    "title \"A 'short' run\"\n"
    "duration 2h\n"
    "node a address 10.0.0.1 config n.conf clock ideal offset 20ms\n"
    "clients 3 address 10.1.0.0/24 config c.conf clock xo-office offset 0s\n"
    "upstream up.example stratum 1 link ideal\n"
    "link ideal between all\n"
    "at 1h cut upstream for 30m\n"
    "expect synchronised a from 10min\n"
    "expect error of clients < 1ns\n"
    "expect synchronised a at 2h\n";

struct trial {
    char *folder, *target;
    struct scenario *scenario;
    struct world *world;
    struct probe *probe;
    struct report *report;
    char *text, *error;
};

/* Runs to an instant with a look every 10 minutes; no report when the directory cannot be made. */
static struct trial trial_of(const char *text, const char *name, bool with_pcap)
{
    struct trial t = {.folder = fixture_new()};
    fixture_file(t.folder, "n.conf", "server up.example iburst\n");
    fixture_file(t.folder, "c.conf", "server 10.0.0.1 iburst\n");
    t.scenario = fixture_load(t.folder, text);
    t.target = name ? g_build_filename(t.folder, name, NULL) : NULL;
    t.world = world_new(t.scenario, 7);
    t.probe = probe_new(t.world);
    struct report_options options = {t.target, with_pcap, 600};
    t.report = report_new(t.world, &options, &t.error);
    return t;
}

static struct trial trial_begin(const char *name, bool with_pcap)
{
    return trial_of(short_run, name, with_pcap);
}

static bool trial_run(struct trial *t, double end_s)
{
    const struct verdict *verdicts;
    for (double now_s = 600; now_s <= end_s; now_s += 600) {
        CHECK(world_run(t->world, sim_from_s(now_s)));
        probe_look(t->probe);
        report_look(t->report);
    }
    size_t count = probe_judge(t->probe, &verdicts);
    return report_finish(t->report, verdicts, count, 7, 0.25, &t->text, &t->error);
}

static void trial_end(struct trial *t)
{
    report_free(t->report);
    probe_free(t->probe);
    world_free(t->world);
    scenario_free(t->scenario);
    fixture_free(t->folder);
    g_free(t->target);
    g_free(t->text);
    g_free(t->error);
}

/* The configurations, and what else lies beside them. */
static unsigned names_beside(const struct trial *t)
{
    unsigned count = 0;
    GDir *dir = g_dir_open(t->folder, 0, NULL);
    while (g_dir_read_name(dir)) {
        count++;
    }
    g_dir_close(dir);
    return count;
}

static char *read_file(const struct trial *t, const char *name, size_t *size)
{
    char *path = g_build_filename(t->target, name, NULL), *text = NULL;
    CHECK(g_file_get_contents(path, &text, size, NULL));
    g_free(path);
    return text ? text : g_strdup("");
}

/* ---- a reader of JSON, just enough to check one ---- */

static const char *json_skip(const char *at);

static const char *json_blanks(const char *at)
{
    return at ? at + strspn(at, " \n\t\r") : NULL;
}

static const char *json_string_end(const char *at)
{
    if (!at || *at != '"') {
        return NULL;
    }
    for (at++; *at && *at != '"'; at++) {
        if ((unsigned char)*at < 0x20) {
            return NULL;
        }
        at += *at == '\\' && at[1];
    }
    return *at ? at + 1 : NULL;
}

/* Past the members of an object or array; NULL when malformed. When `name` is given, the value of
 * that member. */
static const char *json_members(const char *at, bool named, const char *name)
{
    const char closing = named ? '}' : ']';
    at = json_blanks(at + 1);
    if (at && *at == closing) {
        return name ? NULL : at + 1;
    }
    while (at) {
        const char *begin = at;
        if (named) {
            at = json_blanks(json_string_end(at));
            at = at && *at == ':' ? json_blanks(at + 1) : NULL;
        }
        if (at && name && strncmp(begin + 1, name, strlen(name)) == 0 &&
            begin[1 + strlen(name)] == '"') {
            return at;
        }
        at = json_blanks(json_skip(at));
        if (at && *at == closing) {
            return name ? NULL : at + 1;
        }
        at = at && *at == ',' ? json_blanks(at + 1) : NULL;
    }
    return NULL;
}

static const char *json_skip(const char *at)
{
    static const char *const words[] = {"true", "false", "null"};
    char *end;
    if (!at || !*at) {
        return NULL;
    }
    if (*at == '{' || *at == '[') {
        return json_members(at, *at == '{', NULL);
    }
    if (*at == '"') {
        return json_string_end(at);
    }
    for (size_t i = 0; i < 3; i++) {
        if (strncmp(at, words[i], strlen(words[i])) == 0) {
            return at + strlen(words[i]);
        }
    }
    g_ascii_strtod(at, &end);
    return end > at ? end : NULL;
}

/* The first element of the array (or member of the object) that is the value of a top-level
 * name. */
static void check_member(const char *json, const char *name, const char *begins_with)
{
    const char *at = json_members(json, true, name);
    char text[256];
    snprintf(text, sizeof text, "%s is %.60s, expected %s", name, at ? at : "missing", begins_with);
    check_report(at && g_str_has_prefix(at, begins_with), text, __FILE__, __LINE__);
}

/* ---- tests ---- */

static void summary_is_json_with_the_keys_that_are_promised(void)
{
    char digest[67];
    struct trial t = trial_begin("out", false);
    CHECK(trial_run(&t, 7200));
    char *json = read_file(&t, "summary.json", NULL);
    const char *end = json_skip(json);
    CHECK(end && *json_blanks(end) == '\0');
    check_member(json, "title", "\"A 'short' run\"");
    check_member(json, "seed", "7,");
    check_member(json, "simulated_s", "7200,");
    check_member(json, "wall_s", "0.25,");
    check_member(json, "packets", "");
    check_member(json, "events", "");
    digest[0] = '"';
    world_digest(t.world, digest + 1);
    check_member(json, "digest", digest);
    const char *nodes = json_members(json, true, "nodes");
    CHECK(nodes && *nodes == '[');
    check_member(json_blanks(nodes + 1), "name", "\"a\"");
    check_member(json_blanks(nodes + 1), "kind", "\"host\"");
    check_member(json_blanks(nodes + 1), "address", "\"10.0.0.1\"");
    check_member(json_blanks(nodes + 1), "state", "\"synchronised\"");
    const char *first = json_members(json, true, "expectations");
    check_member(json_blanks(first + 1), "text", "\"synchronised a from 10min\"");
    check_member(json_blanks(first + 1), "passed", "true");
    CHECK(strstr(first,
                 "\"text\": \"error of clients < 1ns\", \"passed\": false, \"seen\": \"worst "));
    CHECK(
        strstr(json, "{\"time_s\": 3600, \"until_s\": 5400, \"text\": \"cut upstream for 30m\"}"));
    g_free(json);
    trial_end(&t);
}

static void each_look_counts_in_the_one_period_in_which_it_lies(void)
{
    struct trial t = trial_begin("out", false);
    CHECK(trial_run(&t, 7200));
    char *json = read_file(&t, "summary.json", NULL);
    CHECK(strstr(json, "{\"name\": \"before\", \"from_s\": 900, \"until_s\": 3600, \"hosts\": "
                       "{\"looks\": 4, "));
    CHECK(strstr(json, "{\"name\": \"cut\", \"from_s\": 3600, \"until_s\": 5400, \"hosts\": "
                       "{\"looks\": 3, "));
    CHECK(strstr(json, "{\"name\": \"after\", \"from_s\": 5400, \"until_s\": 7200, \"hosts\": "
                       "{\"looks\": 3, "));
    CHECK(strstr(json, "\"clients\": {\"looks\": 12, "));
    g_free(json);
    trial_end(&t);
}

static void expectation_that_was_not_reached_is_neither_passed_nor_failed(void)
{
    struct trial t = trial_begin("out", false);
    CHECK(trial_run(&t, 3600));
    char *json = read_file(&t, "summary.json", NULL);
    CHECK(strstr(
        json, "{\"text\": \"synchronised a at 2h\", \"passed\": null, \"seen\": \"not judged: the "
              "run ended at 01:00:00\"}"));
    CHECK(strstr(t.text, "Expectations: 1 of 2 hold\n"));
    g_free(json);
    trial_end(&t);
}

/* The value of a row of truth.csv; NULL when it is not there. */
static char *truth_value(const char *csv, const char *row)
{
    const char *at = strstr(csv, row);
    return at ? g_strndup(at + strlen(row), strcspn(at + strlen(row), "\n")) : NULL;
}

static void truth_has_a_row_for_each_node_and_quantity_at_each_look(void)
{
    static const char *const quantities[] = {"error_s",       "bound_s",   "state",
                                             "frequency_ppm", "stratum",   "reach",
                                             "poll",          "drift_ppm", "leader"};
    char row[80];
    struct trial t = trial_begin("out", false);
    struct truth truth;
    CHECK(trial_run(&t, 7200));
    char *csv = read_file(&t, "truth.csv", NULL);
    CHECK(g_str_has_prefix(csv, "time_s,node,quantity,value\n600,a,error_s,"));
    for (unsigned look = 1; look <= 12; look++) {
        for (unsigned q = 0; q < G_N_ELEMENTS(quantities); q++) {
            snprintf(row, sizeof row, "\n%u,client-2,%s,", look * 600, quantities[q]);
            CHECK(strstr(csv, row) != NULL);
        }
    }
    world_truth(t.world, 0, &truth);
    char *value = truth_value(csv, "\n7200,a,error_s,");
    CHECK_NEAR(g_ascii_strtod(value, NULL), truth.error_s, 1e-15);
    g_free(value);
    value = truth_value(csv, "\n7200,a,state,");
    CHECK_STR(value, "synchronised");
    g_free(value);
    value = truth_value(csv, "\n7200,client-1,leader,");
    CHECK_STR(value, "a");
    g_free(value);
    value = truth_value(csv, "\n600,up.example,error_s,");
    CHECK_STR(value, "0");
    g_free(value);
    g_free(csv);
    trial_end(&t);
}

static void statistics_have_the_fields_of_ntpd_and_the_right_day(void)
{
    struct trial t = trial_begin("out", false);
    CHECK(trial_run(&t, 7200));
    char *loop = read_file(&t, "a/loopstats", NULL), *peer = read_file(&t, "a/peerstats", NULL);
    char **lines = g_strsplit(peer, "\n", -1);
    CHECK(
        g_regex_match_simple("^(61100 \\d+\\.\\d{3} -?\\d+\\.\\d{9} -?\\d+\\.\\d{3} \\d+\\.\\d{9} "
                             "\\d+\\.\\d{6} \\d+\n)+$",
                             loop, 0, 0));
    for (unsigned i = 0; lines[i] && lines[i][0]; i++) {
        CHECK(g_regex_match_simple(
            "^61100 \\d+\\.\\d{3} 198\\.18\\.0\\.1 [0-9a-f]{4} -?\\d+\\.\\d{9} "
            "\\d+\\.\\d{9} \\d+\\.\\d{9} \\d+\\.\\d{9}$",
            lines[i], 0, 0));
    }
    CHECK(g_strv_length(lines) > 10);
    g_strfreev(lines);
    g_free(loop);
    g_free(peer);
    trial_end(&t);
}

static void capture_holds_every_packet_in_the_order_of_true_time(void)
{
    struct trial t = trial_begin("out", true);
    size_t size = 0, at = PCAP_HEADER_SIZE, count = 0;
    uint64_t last = 0;
    CHECK(trial_run(&t, 7200));
    uint8_t *bytes = (uint8_t *)read_file(&t, "packets.pcap", &size);
    while (at + 16 <= size) {
        uint32_t head[4];
        memcpy(head, bytes + at, sizeof head); /* both are little-endian here */
        uint64_t when = (uint64_t)GUINT32_FROM_LE(head[0]) * 1000000000 + GUINT32_FROM_LE(head[1]);
        CHECK(when >= last && GUINT32_FROM_LE(head[2]) == GUINT32_FROM_LE(head[3]));
        CHECK_INT(bytes[at + 16], 0x45);
        last = when;
        at += 16 + GUINT32_FROM_LE(head[2]);
        count++;
    }
    CHECK_INT(at, size);
    CHECK_INT(count, world_counts(t.world).sent);
    CHECK(last / 1000000000 < 1772323200 + 7200 && last / 1000000000 > 1772323200 + 7000);
    g_free(bytes);
    trial_end(&t);
}

static void report_ends_with_the_digest_and_fits_its_columns(void)
{
    char digest[65], *expected;
    struct trial t = trial_begin("out", false);
    CHECK(trial_run(&t, 7200));
    world_digest(t.world, digest);
    expected = g_strdup_printf("\ndigest: %s\n", digest);
    CHECK(g_str_has_suffix(t.text, expected));
    char *file = read_file(&t, "report.txt", NULL);
    CHECK_STR(file, t.text);
    char **lines = g_strsplit(t.text, "\n", -1);
    CHECK_STR(lines[0], "A 'short' run");
    CHECK_STR(lines[1], "s, seed 7, 2 h of simulated time");
    CHECK(strstr(lines[2], "1 server, 3 clients, 1 upstream; "));
    CHECK(g_strv_length(lines) <= 60);
    for (unsigned i = 3; lines[i] && !g_str_has_prefix(lines[i], "Files in"); i++) {
        CHECK(strlen(lines[i]) <= 100);
    }
    CHECK(strstr(t.text, "      01:00:00  cut upstream for 30m\n"));
    CHECK(strstr(t.text, "\n  pass  synchronised a from 10min: throughout, 1 node\n"));
    CHECK(strstr(t.text, "\n  FAIL  error of clients < 1ns: worst "));
    CHECK(strstr(t.text, "\nExpectations: 2 of 3 hold\n"));
    CHECK(strstr(t.text,
                 "\n  looked at        every 10 min, as for each server's worst error above; "));
    g_strfreev(lines);
    g_free(file);
    g_free(expected);
    trial_end(&t);
}

static void long_timeline_is_cut_in_its_middle(void)
{
    GString *text = g_string_new(short_run);
    for (unsigned i = 0; i < 40; i++) {
        g_string_append_printf(text, "at %us frequency client-1 by %uppb\n", 4000 + i, i + 1);
    }
    struct trial t = trial_of(text->str, NULL, false);
    CHECK(trial_run(&t, 7200));
    CHECK(strstr(t.text, "      01:06:40  frequency client-1 by 1ppb\n"));
    CHECK(!strstr(t.text, "frequency client-1 by 20ppb\n"));
    CHECK(strstr(t.text, " more\n      01:0"));
    CHECK(strstr(t.text, "frequency client-1 by 40ppb\n"));
    char **lines = g_strsplit(t.text, "\n", -1);
    CHECK(g_strv_length(lines) <= 65);
    g_strfreev(lines);
    g_string_free(text, TRUE);
    trial_end(&t);
}

static void report_without_a_directory_writes_no_file(void)
{
    struct trial t = trial_begin(NULL, true);
    CHECK(trial_run(&t, 3600));
    CHECK(t.text && !strstr(t.text, "Files in"));
    CHECK_INT(names_beside(&t), 2);
    trial_end(&t);
}

static void same_seed_gives_the_same_text(void)
{
    struct trial one = trial_begin(NULL, false), two = trial_begin(NULL, false);
    CHECK(trial_run(&one, 7200));
    CHECK(trial_run(&two, 7200));
    CHECK_STR(one.text, two.text);
    trial_end(&one);
    trial_end(&two);
}

static void directory_that_cannot_be_made_is_an_error_at_once(void)
{
    struct trial t = trial_begin("n.conf/out", false);
    CHECK(t.report == NULL);
    char *expected =
        g_strdup_printf("cannot make the output directory %s: Not a directory", t.target);
    CHECK_STR(t.error, expected);
    g_free(expected);
    trial_end(&t);
}

static void run_that_is_given_up_leaves_nothing(void)
{
    struct trial t = trial_begin("out", true);
    CHECK(world_run(t.world, sim_from_s(600)));
    report_look(t.report);
    report_free(t.report);
    t.report = NULL;
    CHECK_INT(names_beside(&t), 2);
    trial_end(&t);
}

/* Files may grow to 4 kB only, as on a disk that is full; false from the limit itself is a failed
 * test. */
static void full_disk_is_an_error_that_names_the_file_and_leaves_nothing(void)
{
    struct rlimit former, small;
    struct trial t = trial_begin("out", true);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    CHECK(getrlimit(RLIMIT_FSIZE, &former) == 0);
    small = former;
    small.rlim_cur = 4096;
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    bool ok = trial_run(&t, 7200);
    CHECK(setrlimit(RLIMIT_FSIZE, &former) == 0);
    signal(SIGXFSZ, handler);
    char *expected = g_strdup_printf("%s/truth.csv: File too large", t.target);
    CHECK(!ok && !t.text);
    CHECK_STR(t.error, expected);
    CHECK(!g_file_test(t.target, G_FILE_TEST_EXISTS));
    CHECK_INT(names_beside(&t), 2);
    g_free(expected);
    trial_end(&t);
}

const struct test_case report_tests[] = {
    {"summary_is_json_with_the_keys_that_are_promised",
     summary_is_json_with_the_keys_that_are_promised},
    {"each_look_counts_in_the_one_period_in_which_it_lies",
     each_look_counts_in_the_one_period_in_which_it_lies},
    {"long_timeline_is_cut_in_its_middle", long_timeline_is_cut_in_its_middle},
    {"expectation_that_was_not_reached_is_neither_passed_nor_failed",
     expectation_that_was_not_reached_is_neither_passed_nor_failed},
    {"truth_has_a_row_for_each_node_and_quantity_at_each_look",
     truth_has_a_row_for_each_node_and_quantity_at_each_look},
    {"statistics_have_the_fields_of_ntpd_and_the_right_day",
     statistics_have_the_fields_of_ntpd_and_the_right_day},
    {"capture_holds_every_packet_in_the_order_of_true_time",
     capture_holds_every_packet_in_the_order_of_true_time},
    {"report_ends_with_the_digest_and_fits_its_columns",
     report_ends_with_the_digest_and_fits_its_columns},
    {"report_without_a_directory_writes_no_file", report_without_a_directory_writes_no_file},
    {"same_seed_gives_the_same_text", same_seed_gives_the_same_text},
    {"directory_that_cannot_be_made_is_an_error_at_once",
     directory_that_cannot_be_made_is_an_error_at_once},
    {"run_that_is_given_up_leaves_nothing", run_that_is_given_up_leaves_nothing},
    {"full_disk_is_an_error_that_names_the_file_and_leaves_nothing",
     full_disk_is_an_error_that_names_the_file_and_leaves_nothing},
    {NULL, NULL}};
