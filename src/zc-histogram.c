/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-histogram.h"

#include <math.h>

#define UNIT_NS 1024

/* From so many units on all is in the last bucket; g_bit_storage() takes a gulong, which has 32 bits on Windows. */
#define MOST_UNITS (G_GUINT64_CONSTANT (1) << (ZC_HISTOGRAM_BUCKETS / 8 + 2))

static guint
bucket_of (gint64 ns)
{
  guint64 units = MIN ((guint64) ns / UNIT_NS, MOST_UNITS - 1);
  guint doublings;

  if (units < 8)
    return (guint) units;
  doublings = g_bit_storage ((gulong) units) - 4; /* since 8 */
  return 8 * (doublings + 1) + (guint) (units >> doublings & 7);
}

/* The first time that is not in it any more. */
static gint64
bucket_end_ns (guint bucket)
{
  if (bucket < 8)
    return (gint64) (bucket + 1) * UNIT_NS;
  return (gint64) (8 + bucket % 8 + 1) * UNIT_NS << (bucket / 8 - 1);
}

void
zc_histogram_reset (ZcHistogram *histogram)
{
  atomic_store_explicit (&histogram->max_ns, 0, memory_order_relaxed);
  for (guint i = 0; i < ZC_HISTOGRAM_BUCKETS; i++)
    atomic_store_explicit (&histogram->n[i], 0, memory_order_relaxed);
}

void
zc_histogram_add (ZcHistogram *histogram, gint64 ns)
{
  _Atomic guint64 *n;

  ns = MAX (ns, 0);
  n = &histogram->n[bucket_of (ns)];
  atomic_store_explicit (n, atomic_load_explicit (n, memory_order_relaxed) + 1, memory_order_relaxed);
  if (ns > zc_histogram_max (histogram))
    atomic_store_explicit (&histogram->max_ns, ns, memory_order_relaxed);
}

gint64
zc_histogram_quantile (const ZcHistogram *histogram, gdouble share)
{
  guint64 n[ZC_HISTOGRAM_BUCKETS], all = 0, wanted, seen = 0;
  guint bucket = 0;

  for (guint i = 0; i < ZC_HISTOGRAM_BUCKETS; i++)
    all += n[i] = atomic_load_explicit (&histogram->n[i], memory_order_relaxed);
  if (all == 0)
    return 0;
  wanted = MAX ((guint64) ceil (share * (gdouble) all), 1);
  while ((seen += n[bucket]) < wanted && bucket < ZC_HISTOGRAM_BUCKETS - 1)
    bucket++;
  return bucket < ZC_HISTOGRAM_BUCKETS - 1 ? MIN (bucket_end_ns (bucket), zc_histogram_max (histogram))
                                           : zc_histogram_max (histogram);
}

gint64
zc_histogram_max (const ZcHistogram *histogram)
{
  return atomic_load_explicit (&histogram->max_ns, memory_order_relaxed);
}
