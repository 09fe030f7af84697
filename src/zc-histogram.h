/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-histogram.h: how times are distributed, to an eighth of their value, from a microsecond to 8 seconds. Fixed
 * memory, a few instructions for each.
 *
 * Threads: one thread adds; any thread reads. */
#pragma once

#include <glib.h>

#include <stdatomic.h>

G_BEGIN_DECLS

/* Eight of 1.024 us each; then eight for every doubling. The last one has all that is longer, too. */
#define ZC_HISTOGRAM_BUCKETS (8 * 22)

typedef struct {
  _Atomic gint64 max_ns;
  _Atomic guint64 n[ZC_HISTOGRAM_BUCKETS];
} ZcHistogram;

void zc_histogram_reset (ZcHistogram *histogram);

/* Below 0 is 0. */
void zc_histogram_add (ZcHistogram *histogram, gint64 ns);

/* What so many of all (0 to 1) did not exceed: up to an eighth too much, never too little. 0 if there are none. */
gint64 zc_histogram_quantile (const ZcHistogram *histogram, gdouble share);

/* The longest, as it was. */
gint64 zc_histogram_max (const ZcHistogram *histogram);

G_END_DECLS
