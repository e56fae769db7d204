/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small world for tests: scenario and configurations as text, in a folder that is removed again.
 */
#ifndef HOLDFAST_MINIATURE_H
#define HOLDFAST_MINIATURE_H

#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>

#include "../sim/scenario.h"
#include "../sim/world.h"
#include "check.h"

struct miniature {
    struct scenario *scenario;
    struct world *world;
};

/* The configurations of these worlds: one server by name, fixed polls; the same with the clock left
 * alone. */
static const struct miniature_file {
    const char *name, *text;
} miniature_files[] = {
    {"one.conf", "server time.example minpoll 6 maxpoll 6\n"},
    {"two.conf", "server time.example minpoll 6 maxpoll 6\n"
                 "server other.example minpoll 6 maxpoll 6\n"},
    {"watch.conf", "server time.example minpoll 6 maxpoll 6\ndisable ntp\n"},
    {"serve.conf", "server time.example minpoll 6 maxpoll 6\nrestrict default\n"},
    {"client.conf", "server 10.0.0.1 minpoll 6 maxpoll 6\n"}};

/* Loads `text`; every message of the load is shown, and world is NULL when it failed. */
static inline struct miniature miniature_open(const char *text, uint64_t seed)
{
    struct miniature m = {0};
    char *folder = g_dir_make_tmp("holdfast-XXXXXX", NULL);
    struct messages *messages = messages_new();
    for (size_t i = 0; i < G_N_ELEMENTS(miniature_files); i++) {
        char *path = g_build_filename(folder, miniature_files[i].name, NULL);
        CHECK(g_file_set_contents(path, miniature_files[i].text, -1, NULL));
        g_free(path);
    }
    m.scenario = scenario_parse("miniature", folder, text, strlen(text), messages);
    for (guint i = 0; !m.scenario && i < messages->list->len; i++) {
        char *said = message_text(messages->list->pdata[i]);
        fprintf(stderr, "%s\n", said);
        g_free(said);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(miniature_files); i++) {
        char *path = g_build_filename(folder, miniature_files[i].name, NULL);
        g_unlink(path);
        g_free(path);
    }
    g_rmdir(folder);
    g_free(folder);
    messages_free(messages);
    CHECK(m.scenario != NULL);
    m.world = m.scenario ? world_new(m.scenario, seed) : NULL;
    return m;
}

static inline void miniature_close(struct miniature *m)
{
    world_free(m->world);
    if (m->scenario) {
        scenario_free(m->scenario);
    }
}

static inline uint32_t miniature_node(const struct miniature *m, const char *name)
{
    uint32_t node = scenario_node_by_name(m->scenario, name);
    CHECK(node != UINT32_MAX);
    return node;
}

/* What is true of the named node at t seconds; runs the world up to there. */
static inline struct truth miniature_truth_at(struct miniature *m, double t_s, const char *name)
{
    struct truth truth;
    bool ran = world_run(m->world, sim_from_s(t_s));
    check_report(ran, ran ? "no violation" : world_violation(m->world), __FILE__, __LINE__);
    world_truth(m->world, miniature_node(m, name), &truth);
    return truth;
}

#endif
