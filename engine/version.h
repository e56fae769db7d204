/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The version of the release, for whoever prints it.
 */
#ifndef HOLDFAST_VERSION_H
#define HOLDFAST_VERSION_H

#define HOLDFAST_VERSION "0.2.0"

#endif
