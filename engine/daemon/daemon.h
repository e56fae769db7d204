/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of holdfastd: what its start, its loop, its effects and its reload share. Other
 * modules of this folder never include it.
 */
#ifndef HOLDFAST_DAEMON_DAEMON_H
#define HOLDFAST_DAEMON_DAEMON_H

#include <sys/utsname.h>

#include "../config/ntpconf.h"
#include "../control.h"
#include "../engine.h"
#include "../recording.h"
#include "../version.h"
#include "kernel_clock.h"
#include "leap_file.h"
#include "log.h"
#include "log_choice.h"
#include "metrics.h"
#include "options.h"
#include "recorder.h"
#include "resolver.h"
#include "responder.h"
#include "sandbox.h"
#include "send_failures.h"
#include "service_manager.h"
#include "state_files.h"
#include "udp.h"

#define DAEMON_VERSION "holdfastd " HOLDFAST_VERSION

enum exit_status {
    EXIT_ALL_RIGHT = 0,
    EXIT_AT_WORK = 1, /* something it needs cannot be had, or -q did not set the clock */
    EXIT_USAGE = 2,
    EXIT_CONFIGURATION = 3
};

enum { OWN_ADDRESSES_MAX = 1024 };

/* A configuration in force: everything that the engine's lists point into. Replaced whole. */
struct configuration {
    struct ntpconf *conf;
    struct engine_config engine;
    struct association_config associations[ASSOCIATIONS_MAX]; /* with what options add */
    struct address own[OWN_ADDRESSES_MAX];
    void *memory; /* of the engine that runs it */
    log_choice log_choice;
};

enum { HELD_SIZE_MAX = 1024 };

/* A mode 6 request that came while the pace of 50 kB/s forbade its answer. One is held: who asks
 * page after page waits a moment instead of for his own timeout. */
struct held_request {
    bool is_held;
    struct datagram in;
    uint8_t bytes[HELD_SIZE_MAX];
};

struct daemon {
    struct daemon_options options;
    struct service_manager manager;
    struct log *log;
    struct kernel_clock clock;
    struct leap_file leaps; /* empty without a leapfile line */
    struct configuration *configuration;
    struct engine *engine;
    struct udp *udp;
    struct responder *responder; /* NULL = no server threads */
    struct resolver *resolver;
    struct state_files *files;
    struct recorder *recorder; /* NULL = nothing is recorded */
    struct metrics *metrics;   /* NULL = no page */
    struct utsname host;
    char system[2 * sizeof(((struct utsname *)NULL)->sysname)]; /* NAME/RELEASE */
    struct control_terms control;
    struct control_traffic traffic;
    struct control_kernel kernel; /* for who asks, as of now */
    struct control_meter meter;
    struct held_request held;
    struct service_counts threads; /* as of the last look */
    struct send_failures send_failures;
    struct effects effects;
    mono_time wake;       /* the engine's next */
    mono_time next_look;  /* at the clock, for what others do to it */
    mono_time next_hour;  /* drift file and sysstats */
    mono_time quit_by;    /* -q gives up */
    int signals;          /* signalfd */
    int readiness;        /* pipe to the process that waits for us to be ready; -1 = none */
    double drift_ppm;     /* known or of the drift file; NAN = none */
    bool asked_for_right; /* to steer, at the start: it cannot be had later */
    bool is_steering;     /* the right, used and not refused */
    bool was_refused;     /* it was used until the kernel refused a command */
    bool is_resting;      /* it is had, and not used since a reload brought "disable ntp" */
    bool owns_rate;       /* it was set, and has to be left at the drift */
    bool is_over, addresses_changed;
    bool has_stepped;   /* once at least */
    bool has_new_state; /* of which the kernel has not been told yet */
    bool has_told_slew; /* -q: what it waits for */
    enum exit_status status;
};

/* ---- configure.c ---- */

/* Loads the configuration as the options want it; every message goes to `tell`. NULL when it has an
 * error. */
struct ntpconf *configure_load(const struct daemon_options *options,
                               void (*tell)(void *context, const struct message *message),
                               void *context);

/* What the host adds: own addresses, clock, drift, options. Takes `conf` over. */
struct configuration *configure_engine(const struct daemon *d, struct ntpconf *conf);
void configuration_free(struct configuration *configuration);

/* Which sockets the options and the configuration want. */
struct udp_options configure_sockets(const struct daemon *d, const struct host_config *host);

/* Reads the list of leap seconds, which configure_engine() hands on; what is wrong with it is told,
 * and the former one stays. */
void configure_leaps(struct daemon *d, const struct host_config *host);

/* Says what the configuration uses of each ceiling. */
void configure_print_limits(const struct ntpconf *conf);

/* ---- reload.c ---- */

/* SIGHUP: the configuration anew, whole or not at all. */
void daemon_reload(struct daemon *d);

/* The same configuration on other local addresses. */
void daemon_readdress(struct daemon *d);

/* ---- served.c ---- */

/* Says which addresses are served and by how many threads, after `why` ("" or "this is so: "), and
 * whether nothing but loopback is left against the rules' intention. */
void daemon_tell_served(struct daemon *d, const char *why);

/* Says which interface rules, or -I, fit nothing that this machine has. */
void daemon_tell_idle_rules(struct daemon *d);

/* ---- perform.c ---- */

/* One verb: recorded, called, its effects carried out, until nothing is due any more. */
void daemon_call(struct daemon *d, const struct engine_call *call);

/* engine_init() and engine_adopt() have no effects of their own: records the call. */
void daemon_record_begin(struct daemon *d, enum engine_verb verb, struct instant now,
                         const uint8_t *key);

void daemon_trace(void *context, const struct trace_record *record);

/* ---- loop.c ---- */

/* Runs until a signal, or -q's end. */
void daemon_run(struct daemon *d);

/* ---- query.c ---- */

/* Mode 6: answered, held, or dropped because another one is held. */
void daemon_answer_control(struct daemon *d, const struct datagram *in, struct instant now);

/* When the held request may be answered; MONO_NEVER when there is none. */
mono_time daemon_held_due(const struct daemon *d);
void daemon_answer_held(struct daemon *d, struct instant now);

/* Fills the metrics page. */
void daemon_fill_metrics(void *context, GString *page);

#endif
