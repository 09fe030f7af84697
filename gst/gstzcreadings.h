/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstzcreadings.h: what the element counted: the `stats` structure and the read-only pool properties. */
#pragma once

#include "gstzcallocation.h"
#include "gstzcsettings.h"
#include "zc-stats.h"

G_BEGIN_DECLS

/* Ids of the properties, after those of the settings. */
enum {
  GST_ZC_READING_STATS = GST_ZC_N_SETTINGS,
  GST_ZC_READING_POOL_HITS,
  GST_ZC_READING_POOL_MISSES,
  GST_ZC_READING_POOL_HIT_RATE,
  GST_ZC_READING_POOL_OUTSTANDING,
  GST_ZC_READING_POOL_HIGH_WATER,
  GST_ZC_READING_POOL_SIZE,
  GST_ZC_READING_ACTUAL_HUGE_PAGES,
  GST_ZC_READING_ACTUAL_NUMA_NODE,
  GST_ZC_READING_ACTUAL_LOCKED_MEMORY,
  GST_ZC_N_READINGS,
};

void gst_zc_readings_install (GObjectClass *klass);

/* All that was counted in this run, as a structure of this name. */
GstStructure *gst_zc_readings_make_stats (const gchar *name, const ZcStats *stats, GstZcAllocation *allocation);

/* FALSE if there is no reading of that id. */
gboolean gst_zc_readings_get (guint id, GValue *value, const ZcStats *stats, GstZcAllocation *allocation);

G_END_DECLS
