/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From ntp.conf to the configuration of an engine on this host.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"

struct ntpconf *configure_load(const struct daemon_options *options,
                               void (*tell)(void *context, const struct message *message),
                               void *context)
{
    struct ntpconf_options how = {
        .keys = options->keys,
        .only_family =
            options->only_ipv4 ? ADDRESS_V4 : (options->only_ipv6 ? ADDRESS_V6 : ADDRESS_NONE)};
    struct messages *messages = messages_new();
    struct ntpconf *conf = ntpconf_load(options->config, &how, messages);
    for (guint i = 0; i < messages->list->len; i++) {
        tell(context, g_ptr_array_index(messages->list, i));
    }
    messages_free(messages);
    return conf;
}

/* -x is ntpd's: a threshold of ten minutes. */
#define SLEW_STEP_S 600.0

/* -q sets the clock and ends; a slew would end with it. */
#define QUIT_STEP_S 0.5e-3

/* Nobody waits four polls for -q: it asks in a burst, whatever the lines say. */
static void ask_in_bursts(struct configuration *configuration)
{
    struct engine_config *config = &configuration->engine;
    for (size_t i = 0; i < config->association_count; i++) {
        configuration->associations[i] = config->associations[i];
        configuration->associations[i].iburst = true;
    }
    config->associations = configuration->associations;
}

static void apply_options(const struct daemon_options *options, struct configuration *configuration)
{
    struct engine_config *config = &configuration->engine;
    if (options->quit) {
        ask_in_bursts(configuration);
    }
    config->allow_large_first_step = options->allow_large;
    if (options->slew) {
        config->tinker.step_s = SLEW_STEP_S;
    } else if (options->quit && config->tinker.step_s != 0) {
        config->tinker.step_s = QUIT_STEP_S;
    }
}

struct configuration *configure_engine(const struct daemon *d, struct ntpconf *conf)
{
    struct configuration *configuration = g_new0(struct configuration, 1);
    struct engine_config *config = &configuration->engine;
    size_t own_count = 0;
    const struct address *own = d->udp ? udp_own(d->udp, &own_count) : NULL;
    configuration->conf = conf;
    configuration->log_choice = log_choice_read(conf->host.logconfig, conf->host.logconfig_count);
    *config = conf->engine;
    apply_options(&d->options, configuration);
    own_count = MIN(own_count, (size_t)OWN_ADDRESSES_MAX);
    if (own_count > 0) {
        memcpy(configuration->own, own, own_count * sizeof *own);
    }
    config->own = configuration->own;
    config->own_count = own_count;
    config->clock = kernel_clock_ability(&d->clock);
    config->clock.can_steer = d->is_steering;
    config->drift_ppm = d->drift_ppm;
    config->leaps = leap_file_leaps(&d->leaps);
    return configuration;
}

void configuration_free(struct configuration *configuration)
{
    if (configuration) {
        ntpconf_free(configuration->conf);
        g_aligned_free(configuration->memory);
        g_free(configuration);
    }
}

static unsigned thread_count(const struct host_config *host)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (host->threads >= 0) {
        return (unsigned)host->threads;
    }
    return (unsigned)CLAMP(processors, 1, 4);
}

struct udp_options configure_sockets(const struct daemon *d, const struct host_config *host)
{
    const struct daemon_options *o = &d->options;
    return (struct udp_options){.rules = host->interfaces,
                                .rule_count = host->interface_count,
                                .only = o->interface_count > 0 ? o->interfaces : NULL,
                                .ipv4 = !o->only_ipv6,
                                .ipv6 = !o->only_ipv4,
                                .skips_virtual = o->skip_virtual,
                                .port = o->port,
                                .threads = o->quit ? 0 : thread_count(host)};
}

void configure_leaps(struct daemon *d, const struct host_config *host)
{
    struct leap_file list = {.count = 0};
    char *error = NULL;
    if (host->leapfile && !leap_file_read(host->leapfile, &list, &error)) {
        log_line(d->log, LOG_LEVEL_WARNING, "leap file %s: %s; it is not used; get a new one",
                 host->leapfile, error);
        g_free(error);
        return;
    }
    d->leaps = list;
    if (list.count > 0 && unix_s_from_ntp(kernel_clock_read(&d->clock).clock) > list.expires_s) {
        log_line(d->log, LOG_LEVEL_WARNING,
                 "leap file %s has expired: it may lack a leap second, so that the sources' "
                 "majority announces them; get a new one",
                 host->leapfile);
    }
}

static size_t count_sources(const struct engine_config *config)
{
    size_t count = 0;
    for (size_t i = 0; i < config->association_count; i++) {
        count += config->associations[i].kind == ASSOCIATION_POOL ? POOL_SIZE : 1;
    }
    return count;
}

void configure_print_limits(const struct ntpconf *conf)
{
    const struct engine_config *config = &conf->engine;
    size_t threads = conf->host.threads < 0 ? 4 : (size_t)conf->host.threads;
    size_t table = config->client_capacity ? clients_size(config->client_capacity) : 0;
    printf("associations      %6zu of %d\n", count_sources(config), ASSOCIATIONS_MAX);
    printf("restrict entries  %6zu of %d\n", config->access.count, RESTRICT_MAX);
    printf("keys              %6zu of %d\n", config->keys.count, KEYS_MAX);
    printf("clients           %6u of %d in each table (mru maxdepth)\n",
           (unsigned)config->client_capacity, CLIENTS_MAX);
    printf("memory            %6zu KiB for the engine, %zu KiB for each of %s%zu server threads\n",
           (engine_size(config) + 1023) / 1024, (table + 1023) / 1024,
           conf->host.threads < 0 ? "at most " : "", threads);
}
