/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers as people read them; see quantity.h.
 */
#include "quantity.h"

#include <glib.h>
#include <math.h>

/* One unit and where it begins. */
struct scale {
    const char *unit;
    double size;
};

/* Three digits in the largest unit that the value reaches, once it is rounded. */
static const char *scaled(double value, const struct scale *scales, unsigned count, char *text)
{
    unsigned i = 0;
    while (i + 1 < count && fabs(value) < 0.9995 * scales[i].size) {
        i++;
    }
    double shown = value / scales[i].size;
    int decimals = fabs(shown) >= 99.95 ? 0 : fabs(shown) >= 9.995 ? 1 : 2;
    g_snprintf(text, QUANTITY_TEXT_SIZE, "%.*f %s", decimals, shown, scales[i].unit);
    return text;
}

const char *quantity_seconds(double seconds, char text[QUANTITY_TEXT_SIZE])
{
    static const struct scale scales[] = {{"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}};
    if (isnan(seconds)) {
        return "none";
    }
    return isinf(seconds) ? "unlimited" : scaled(seconds, scales, 4, text);
}

const char *quantity_frequency(double fraction, char text[QUANTITY_TEXT_SIZE])
{
    static const struct scale scales[] = {{"ppm", 1e-6}, {"ppb", 1e-9}, {"e-12", 1e-12}};
    return isnan(fraction) ? "none" : scaled(fraction, scales, 3, text);
}

const char *quantity_clock(double seconds, char text[QUANTITY_TEXT_SIZE])
{
    long whole = seconds > 0 ? (long)seconds : 0;
    long day = whole / 86400, of_day = whole % 86400;
    if (day > 0) {
        g_snprintf(text, QUANTITY_TEXT_SIZE, "%ldd%02ld:%02ld:%02ld", day, of_day / 3600,
                   of_day / 60 % 60, of_day % 60);
    } else {
        g_snprintf(text, QUANTITY_TEXT_SIZE, "%02ld:%02ld:%02ld", of_day / 3600, of_day / 60 % 60,
                   of_day % 60);
    }
    return text;
}

const char *quantity_span(double seconds, char text[QUANTITY_TEXT_SIZE])
{
    static const struct {
        const char *unit;
        long size;
    } parts[] = {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}};
    long whole = seconds > 0 ? lround(seconds) : 0;
    for (unsigned i = 0; i < 3; i++) {
        long first = whole / parts[i].size;
        long second = whole % parts[i].size / parts[i + 1].size;
        if (first > 0 && second > 0) {
            g_snprintf(text, QUANTITY_TEXT_SIZE, "%ld %s %ld %s", first, parts[i].unit, second,
                       parts[i + 1].unit);
            return text;
        }
        if (first > 0) {
            g_snprintf(text, QUANTITY_TEXT_SIZE, "%ld %s", first, parts[i].unit);
            return text;
        }
    }
    g_snprintf(text, QUANTITY_TEXT_SIZE, "%ld s", whole);
    return text;
}
