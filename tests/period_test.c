/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Quantiles from cells, and where the periods of a run lie.
 */
#include "../sim/period.h"

#include "scenario_check.h"

static void quantiles_are_right_within_a_cell(void)
{
    struct period_sizes *sizes = g_new0(struct period_sizes, 1);
    sizes->worst = NAN;
    CHECK(isnan(period_quantile(sizes, 0.5)));
    for (int i = 1; i <= 1000; i++) {
        period_note(sizes, (i % 2 ? 1e-6 : -1e-6) * i, (uint32_t)i, i);
    }
    CHECK_NEAR(period_quantile(sizes, 0.5) / 500e-6, 1, 0.012);
    CHECK_NEAR(period_quantile(sizes, 0.95) / 950e-6, 1, 0.012);
    CHECK_NEAR(period_quantile(sizes, 1), 1000e-6, 12e-6);
    CHECK(period_quantile(sizes, 1) <= sizes->worst);
    CHECK(sizes->worst == 1e-6 * 1000);
    CHECK_INT(sizes->worst_node, 1000);
    CHECK(sizes->worst_at == 1000);
    g_free(sizes);
}

static void sizes_beyond_the_cells_are_counted_in_the_outermost(void)
{
    struct period_sizes *sizes = g_new0(struct period_sizes, 1);
    sizes->worst = NAN;
    period_note(sizes, 0, 1, 1);
    period_note(sizes, 1e-15, 2, 2);
    period_note(sizes, 1e9, 3, 3);
    CHECK_INT(sizes->cells[0], 2);
    CHECK_INT(sizes->cells[CELLS - 1], 1);
    CHECK_INT(sizes->count, 3);
    CHECK(sizes->worst == 1e9);
    g_free(sizes);
}

static void check_periods(const char *more, const char *expected)
{
    size_t count;
    char *folder = fixture_new();
    char *text = g_strconcat("duration 10d\nnode a address 10.0.0.1 config n.conf\nupstream u\n",
                             more, NULL);
    GString *seen = g_string_new(NULL);
    fixture_file(folder, "n.conf", "server u\n");
    struct scenario *s = fixture_load(folder, text);
    struct period *periods = periods_new(s, &count);
    for (size_t i = 0; i < count; i++) {
        g_string_append_printf(seen, "%s %.0f %.0f;", periods[i].name, periods[i].from_s / 3600,
                               periods[i].until_s / 3600);
    }
    CHECK_STR(seen->str, expected);
    g_string_free(seen, TRUE);
    g_free(periods);
    g_free(text);
    scenario_free(s);
    fixture_free(folder);
}

static void periods_lie_before_during_and_after_each_cut(void)
{
    check_periods("", "settled 6 240;");
    check_periods("at 4d cut u for 48h\n", "before 6 96;cut 96 144;after 144 240;");
    check_periods("at 8h cut u\n", "before 2 8;cut 8 240;");
    check_periods("at 1d cut u\nat 2d heal u\nat 3d cut u for 1d\n",
                  "before 6 24;cut 1 24 48;after 48 72;cut 2 72 96;after 96 240;");
    check_periods("at 1d cut u for 3d\nat 2d cut a for 1d\n",
                  "before 6 24;cut 1 24 48;cut 2 48 72;after 72 240;");
}

const struct test_case period_tests[] = {
    {"quantiles_are_right_within_a_cell", quantiles_are_right_within_a_cell},
    {"sizes_beyond_the_cells_are_counted_in_the_outermost",
     sizes_beyond_the_cells_are_counted_in_the_outermost},
    {"periods_lie_before_during_and_after_each_cut", periods_lie_before_during_and_after_each_cut},
    {NULL, NULL}};
