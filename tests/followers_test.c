/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rings and leaders in graphs made by hand.
 */
#include "../sim/followers.h"

#include "scenario_check.h"

enum { NODES = 6, NOBODY = -1 };

/* Five hosts a ... e and one upstream u. */
static struct scenario *five_hosts(char **folder)
{
    *folder = fixture_new();
    fixture_file(*folder, "n.conf", "server u\n");
    return fixture_load(*folder, "duration 1d\nupstream u\n"
                                 "node a address 10.0.0.1 config n.conf\n"
                                 "node b address 10.0.0.2 config n.conf\n"
                                 "node c address 10.0.0.3 config n.conf\n"
                                 "node d address 10.0.0.4 config n.conf\n"
                                 "node e address 10.0.0.5 config n.conf\n");
}

/* Memory in which node i follows leaders[i]. */
static void follow(struct node_memory memory[NODES], const int leaders[NODES])
{
    for (unsigned i = 0; i < NODES; i++) {
        memory[i] =
            (struct node_memory){.leader = (uint32_t)leaders[i], .standing = STATE_SYNCHRONISED};
    }
}

static void ring_is_found_from_each_of_its_members_and_from_no_other(void)
{
    struct node_memory memory[NODES];
    uint32_t members[CYCLE_MAX];
    follow(memory, (const int[NODES]){1, 2, 0, 0, 5, NOBODY});
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_INT(followers_cycle(memory, NODES, i, members), 3);
        CHECK_INT(members[0], i);
        CHECK_INT(members[1], (i + 1) % 3);
        CHECK_INT(members[2], (i + 2) % 3);
    }
    CHECK_INT(followers_cycle(memory, NODES, 3, members), 0); /* leads into the ring */
    CHECK_INT(followers_cycle(memory, NODES, 4, members), 0);
    CHECK_INT(followers_cycle(memory, NODES, 5, members), 0);
}

static void node_that_follows_itself_is_a_ring(void)
{
    struct node_memory memory[NODES];
    uint32_t members[CYCLE_MAX];
    follow(memory, (const int[NODES]){0, 0, 1, 2, 3, NOBODY});
    CHECK_INT(followers_cycle(memory, NODES, 0, members), 1);
    CHECK_INT(followers_cycle(memory, NODES, 4, members), 0);
}

static void one_leader_is_one_who_follows_none_of_the_others(void)
{
    char why[96], *folder;
    struct scenario *s = five_hosts(&folder);
    struct node_memory memory[NODES];
    uint32_t group[] = {0, 1, 2};
    struct node_set set = {group, 3};
    follow(memory, (const int[NODES]){5, 0, 1, NOBODY, NOBODY, NOBODY});
    CHECK(followers_have_one_leader(s, memory, &set, why));
    CHECK_STR(why, "a led");
    follow(memory, (const int[NODES]){NOBODY, 0, 0, NOBODY, NOBODY, NOBODY});
    CHECK(followers_have_one_leader(s, memory, &set, why));
    follow(memory, (const int[NODES]){5, 0, 5, NOBODY, NOBODY, NOBODY});
    CHECK(!followers_have_one_leader(s, memory, &set, why));
    CHECK_STR(why, "a and c both led");
    follow(memory, (const int[NODES]){5, 2, 1, NOBODY, NOBODY, NOBODY});
    CHECK(!followers_have_one_leader(s, memory, &set, why));
    CHECK_STR(why, "b leads into a ring");
    scenario_free(s);
    fixture_free(folder);
}

static void nodes_that_are_down_neither_lead_nor_count(void)
{
    char why[96], *folder;
    struct scenario *s = five_hosts(&folder);
    struct node_memory memory[NODES];
    uint32_t group[] = {0, 1, 2};
    struct node_set set = {group, 3};
    follow(memory, (const int[NODES]){5, 0, 1, NOBODY, NOBODY, NOBODY});
    memory[2].standing = STANDING_DOWN;
    CHECK(followers_have_one_leader(s, memory, &set, why));
    memory[2].standing = STATE_HOLDOVER;
    memory[0].standing = STANDING_DOWN; /* its followers are on their own */
    CHECK(followers_have_one_leader(s, memory, &set, why));
    CHECK_STR(why, "b led");
    memory[1].standing = memory[2].standing = STANDING_DOWN;
    CHECK(!followers_have_one_leader(s, memory, &set, why));
    CHECK_STR(why, "all were down");
    scenario_free(s);
    fixture_free(folder);
}

/* A watch on "no cycle among a b longer than 100s", fed with changes by hand. */
static void ring_stands_from_its_youngest_edge_to_the_change_that_breaks_it(void)
{
    char *folder;
    struct scenario *s = five_hosts(&folder);
    struct node_memory memory[NODES];
    uint32_t group[] = {0, 1};
    struct expectation e = {
        .kind = EXPECT_NO_CYCLE, .nodes = {group, 2}, .until_s = 86400, .bound = 100};
    struct watch watch;
    struct verdict verdict;
    watch_init(&watch, s, &e);
    follow(memory,
           (const int[NODES]){2, 5, 0, 5, 5, NOBODY}); /* a > c > a, through c outside the set */
    memory[0].leader_since = 1000;
    memory[2].leader_since = 1500;
    watch_group(&watch, s, memory, 2, 1600);
    CHECK(!watch.failed);
    CHECK_NEAR(watch.worst, 100, 0);
    watch_group(&watch, s, memory, 2, 1601);
    CHECK(watch.failed);
    watch_judge(&watch, s, memory, 2000, &verdict);
    CHECK(!verdict.passed && verdict.is_judged);
    CHECK_STR(verdict.seen, "longest 8 min 20 s: a > c > a from 00:25:00 on");
    watch_clear(&watch);
    scenario_free(s);
    fixture_free(folder);
}

static void ring_of_others_and_ring_before_the_window_do_not_count(void)
{
    char *folder;
    struct scenario *s = five_hosts(&folder);
    struct node_memory memory[NODES];
    uint32_t group[] = {0, 1};
    struct expectation e = {
        .kind = EXPECT_NO_CYCLE, .nodes = {group, 2}, .from_s = 5000, .until_s = 86400};
    struct watch watch;
    struct verdict verdict;
    watch_init(&watch, s, &e);
    follow(memory, (const int[NODES]){5, 5, 3, 2, 5, NOBODY}); /* c > d > c */
    watch_group(&watch, s, memory, 3, 9000);
    follow(memory, (const int[NODES]){1, 0, 5, 5, 5, NOBODY});
    watch_group(&watch, s, memory, 1, 5000);
    watch_judge(&watch, s, memory, 5000, &verdict);
    CHECK(verdict.passed);
    CHECK_STR(verdict.seen, "none");
    watch_group(&watch, s, memory, 1, 5001);
    CHECK(watch.failed);
    watch_clear(&watch);
    scenario_free(s);
    fixture_free(folder);
}

const struct test_case followers_tests[] = {
    {"ring_is_found_from_each_of_its_members_and_from_no_other",
     ring_is_found_from_each_of_its_members_and_from_no_other},
    {"node_that_follows_itself_is_a_ring", node_that_follows_itself_is_a_ring},
    {"one_leader_is_one_who_follows_none_of_the_others",
     one_leader_is_one_who_follows_none_of_the_others},
    {"nodes_that_are_down_neither_lead_nor_count", nodes_that_are_down_neither_lead_nor_count},
    {"ring_stands_from_its_youngest_edge_to_the_change_that_breaks_it",
     ring_stands_from_its_youngest_edge_to_the_change_that_breaks_it},
    {"ring_of_others_and_ring_before_the_window_do_not_count",
     ring_of_others_and_ring_before_the_window_do_not_count},
    {NULL, NULL}};
