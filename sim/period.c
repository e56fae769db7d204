/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Quantiles of errors; see period.h.
 */
#include "period.h"

#include <math.h>

#include "quantity.h"

#define LEAST_SIZE 1e-9

/* Cuts that get a period of their own; those of a longer list share the last one's "after". */
enum { CUTS_MAX = 4 };

/* Clocks settle within a few hours; a run that is shorter, or cut sooner, gives them a quarter of
 * that time. */
#define SETTLING_S (6 * 3600.0)

static struct period *add(GArray *periods, const char *name, double from_s, double until_s)
{
    struct period period = {.from_s = from_s, .until_s = until_s};
    if (until_s <= from_s) {
        return NULL;
    }
    g_strlcpy(period.name, name, sizeof period.name);
    for (unsigned i = 0; i < PERIOD_SUBJECTS; i++) {
        period.sizes[i].worst_node = UINT32_MAX;
        period.sizes[i].worst = NAN;
    }
    g_array_append_val(periods, period);
    return &g_array_index(periods, struct period, periods->len - 1);
}

struct period *periods_new(const struct scenario *s, size_t *count)
{
    GArray *periods = g_array_new(FALSE, TRUE, sizeof(struct period));
    const struct fault *cuts[CUTS_MAX];
    size_t cut_count = 0;
    for (size_t i = 0; i < s->fault_count && cut_count < CUTS_MAX; i++) {
        if (s->faults[i].verb == FAULT_CUT) {
            cuts[cut_count++] = &s->faults[i];
        }
    }
    double first = cut_count > 0 ? cuts[0]->at_s : s->duration_s;
    double from = fmin(SETTLING_S, first / 4);
    add(periods, cut_count > 0 ? "before" : "settled", from, first);
    for (size_t i = 0; i < cut_count; i++) {
        char name[40];
        double next = i + 1 < cut_count ? cuts[i + 1]->at_s : s->duration_s;
        double end = fmin(scenario_fault_end_s(s, cuts[i]), next);
        g_snprintf(name, sizeof name, cut_count > 1 ? "cut %zu" : "cut", i + 1);
        add(periods, name, cuts[i]->at_s, end);
        add(periods, "after", end, next);
    }
    *count = periods->len;
    return (struct period *)(void *)g_array_free(periods, FALSE);
}

void period_note(struct period_sizes *sizes, double value, uint32_t node, double now_s)
{
    double size = fabs(value);
    double cell = size > LEAST_SIZE ? floor(log10(size / LEAST_SIZE) * CELLS_PER_DECADE) : 0;
    sizes->cells[cell < CELLS ? (size_t)cell : CELLS - 1]++;
    sizes->count++;
    if (!(size <= sizes->worst)) {
        sizes->worst = size;
        sizes->worst_node = node;
        sizes->worst_at = now_s;
    }
}

double period_quantile(const struct period_sizes *sizes, double share)
{
    uint64_t below = 0, wanted = (uint64_t)ceil(share * (double)sizes->count);
    if (sizes->count == 0) {
        return NAN;
    }
    for (size_t i = 0; i < CELLS; i++) {
        below += sizes->cells[i];
        if (below >= wanted && below > 0) {
            double middle = LEAST_SIZE * exp10(((double)i + 0.5) / CELLS_PER_DECADE);
            return fmin(middle, sizes->worst);
        }
    }
    return sizes->worst;
}
