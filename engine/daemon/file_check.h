/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What --check-config says of the files that a configuration wants written: driftfile, statsdir,
 * logfile. A start finds out by itself. Makes and changes no file; opens folders and FIFOs, to look
 * whether that can be done, and nothing else.
 */
#ifndef HOLDFAST_DAEMON_FILE_CHECK_H
#define HOLDFAST_DAEMON_FILE_CHECK_H

#include "../config/ntpconf.h"
#include "options.h"

struct file_check;

/* Warns, at its line, of each folder that a start could not open, and of a log file that it could
 * not. What an option stands in for is not looked at, nor is a statsdir that no statistics go to.
 * `host` must outlive the check. Never NULL. */
struct file_check *file_check_begin(const struct host_config *host,
                                    const struct daemon_options *options,
                                    struct messages *messages);

/* To be called with the rights that the daemon would run with: warns of folders in which it could
 * write no file. */
void file_check_rights(const struct file_check *check, struct messages *messages);

void file_check_end(struct file_check *check);

#endif
