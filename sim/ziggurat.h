/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The strips under the half normal density exp(-x^2 / 2) from which normals are cut (Marsaglia,
 * Tsang 2000).
 *
 * 256 strips of equal area: strip i reaches to ziggurat_edges[i], lies above exp(-edges[i]^2 / 2),
 * and edges[256] = 0. Strip 0 is the base with the tail beyond edges[1]; its edge is its area over
 * its height. The table only; the drawing is in rng.c.
 */
#ifndef HOLDFAST_ZIGGURAT_H
#define HOLDFAST_ZIGGURAT_H

enum { ZIGGURAT_STRIPS = 256 };

extern const double ziggurat_edges[ZIGGURAT_STRIPS + 1];

#endif
