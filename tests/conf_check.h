/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tests of ntp.conf share: text in, configuration and messages out.
 */
#ifndef HOLDFAST_CONF_CHECK_H
#define HOLDFAST_CONF_CHECK_H

#include "../engine/config/ntpconf.h"
#include "messages_check.h"

static inline char *conf_refuse_all(void *context, const char *path)
{
    (void)context;
    (void)path;
    return NULL;
}

/* Loads text called "c" with made-up keys; the messages must be these. NULL for an error. */
static inline struct ntpconf *conf_checked(const char *text, const char *expected, const char *file,
                                           unsigned line)
{
    static const struct ntpconf_options options = {
        .locate = conf_refuse_all, .synthetic_keys = true, .synthetic_seed = 1};
    struct messages *messages = messages_new();
    struct ntpconf *conf = ntpconf_parse("c", text, strlen(text), &options, messages);
    check_report((conf == NULL) == (messages->errors > 0), "no configuration with an error", file,
                 line);
    check_messages(messages, expected, file, line);
    return conf;
}

static inline struct ntpconf *conf_loaded(const char *text, const char *expected, const char *file,
                                          unsigned line)
{
    struct ntpconf *conf = conf_checked(text, expected, file, line);
    CU_assertImplementation(conf ? CU_TRUE : CU_FALSE, line, text, file, "", CU_TRUE);
    return conf;
}

/* The configuration of a text that loads with these messages; ends the test when it does not. */
#define CONF(text, expected) conf_loaded((text), (expected), __FILE__, __LINE__)

static inline void conf_check_refused(const char *text, const char *expected, const char *file,
                                      unsigned line)
{
    struct ntpconf *conf = conf_checked(text, expected, file, line);
    check_report(conf == NULL, text, file, line);
    ntpconf_free(conf);
}

/* The text gives no configuration but these messages. */
#define CHECK_REFUSED(text, expected) conf_check_refused((text), (expected), __FILE__, __LINE__)

#endif
