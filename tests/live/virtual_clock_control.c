/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks at a virtual clock from outside, and does to it what the world does to clocks.
 *
 *   VIRTUAL_CLOCK_STATE=FILE virtual_clock show            one "name value" line for each truth
 *   VIRTUAL_CLOCK_STATE=FILE virtual_clock step MS         somebody else steps it
 *   VIRTUAL_CLOCK_STATE=FILE virtual_clock suspend MS      the machine sleeps
 *   VIRTUAL_CLOCK_STATE=FILE virtual_clock oscillator PPM  it runs so much fast from now on
 *
 * Touches nothing but the file.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "virtual_clock.h"

static void show(void)
{
    struct virtual_clock_truth truth;
    virtual_clock_look(&truth);
    printf("error_s %.9f\n", truth.error_s);
    printf("oscillator_ppm %.6f\n", truth.oscillator_ppm);
    printf("steering_ppm %.6f\n", truth.steering_ppm);
    printf("freq_q %" PRId64 "\n", truth.freq_q);
    printf("tick_us %" PRId64 "\n", truth.tick_us);
    printf("status %d\n", truth.status);
    printf("maxerror_us %" PRId64 "\n", truth.maxerror_us);
    printf("esterror_us %" PRId64 "\n", truth.esterror_us);
    printf("tai_s %" PRId32 "\n", truth.tai_s);
    printf("steps %" PRIu64 "\n", truth.steps);
    printf("commands %" PRIu64 "\n", truth.commands);
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    char *end = NULL;
    double value = argc == 3 ? (double)strtol(argv[2], &end, 10) : 0;
    bool has_value = argc == 3 && end != argv[2] && *end == '\0';
    if (!getenv("VIRTUAL_CLOCK_STATE")) {
        fputs("virtual_clock: VIRTUAL_CLOCK_STATE names no clock\n", stderr);
        return 2;
    }
    if (strcmp(verb, "show") == 0 && argc == 2) {
        show();
    } else if (strcmp(verb, "step") == 0 && has_value) {
        virtual_clock_step(value * 1e-3);
    } else if (strcmp(verb, "suspend") == 0 && has_value) {
        virtual_clock_suspend(value * 1e-3);
    } else if (strcmp(verb, "oscillator") == 0 && has_value) {
        virtual_clock_oscillator(value);
    } else if (strcmp(verb, "refuse") == 0 && has_value) {
        virtual_clock_refuse(value != 0);
    } else {
        fputs("usage: virtual_clock show | step MS | suspend MS | oscillator PPM | refuse 0|1\n",
              stderr);
        return 2;
    }
    return 0;
}
