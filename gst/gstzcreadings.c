/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcreadings.h"

static gdouble
hit_rate (const GstZcBufferPoolStats *pool)
{
  guint64 all = pool->hits + pool->misses;

  return all > 0 ? (gdouble) pool->hits / (gdouble) all : 0;
}

static gdouble
per_packet (const ZcStats *stats, guint64 n)
{
  guint64 packets = zc_stats_get (stats, ZC_STAT_PACKETS);

  return packets > 0 ? (gdouble) n / (gdouble) packets : 0;
}

static void
add_pool (GstStructure *structure, const GstZcBufferPoolStats *pool)
{
  gst_structure_set (structure, "pool-hits", G_TYPE_UINT64, pool->hits, "pool-misses", G_TYPE_UINT64, pool->misses,
      "pool-hit-rate", G_TYPE_DOUBLE, hit_rate (pool), "pool-outstanding", G_TYPE_UINT64,
      (guint64) pool->outstanding, "pool-high-water", G_TYPE_UINT64, (guint64) pool->high_water, "pool-size",
      G_TYPE_UINT64, (guint64) pool->size, "pool-bytes", G_TYPE_UINT64, (guint64) pool->bytes, NULL);
}

static void
add_lateness (GstStructure *structure, const ZcHistogram *lateness)
{
  gst_structure_set (structure, "scheduling-latency-p50", G_TYPE_UINT64,
      (guint64) zc_histogram_quantile (lateness, 0.5), "scheduling-latency-p99", G_TYPE_UINT64,
      (guint64) zc_histogram_quantile (lateness, 0.99), "scheduling-latency-max", G_TYPE_UINT64,
      (guint64) zc_histogram_max (lateness), NULL);
}

GstStructure *
gst_zc_readings_make_stats (const gchar *name, const ZcStats *stats, GstZcAllocation *allocation)
{
  GstStructure *structure = gst_structure_new_empty (name);
  GstZcBufferPoolStats pool;
  guint64 allocations;

  gst_zc_allocation_totals (allocation, &pool);
  allocations = zc_stats_get (stats, ZC_STAT_ALLOCATIONS) + pool.allocations;
  for (ZcStat stat = 0; stat < ZC_N_STATS; stat++) {
    guint64 n = stat == ZC_STAT_ALLOCATIONS ? allocations : zc_stats_get (stats, stat);
    gst_structure_set (structure, zc_stat_name (stat), G_TYPE_UINT64, n, NULL);
  }
  add_pool (structure, &pool);
  add_lateness (structure, &stats->lateness);
  gst_structure_set (structure, "bytes-copied-per-packet", G_TYPE_DOUBLE,
      per_packet (stats, zc_stats_get (stats, ZC_STAT_BYTES_COPIED)), "allocations-per-packet", G_TYPE_DOUBLE,
      per_packet (stats, allocations), "wakeups-per-packet", G_TYPE_DOUBLE,
      per_packet (stats, zc_stats_get (stats, ZC_STAT_WAKEUPS)), NULL);
  return structure;
}

/* Of the system, not of our counters. */
static gboolean
get_pages (guint id, GValue *value, GstZcAllocation *allocation)
{
  if (id == GST_ZC_READING_ACTUAL_HUGE_PAGES)
    g_value_set_uint64 (value, gst_zc_allocation_read_pages (allocation).huge_bytes);
  else if (id == GST_ZC_READING_ACTUAL_NUMA_NODE)
    g_value_set_int (value, gst_zc_allocation_read_pages (allocation).numa_node);
  else if (id == GST_ZC_READING_ACTUAL_LOCKED_MEMORY)
    g_value_set_uint64 (value, gst_zc_allocation_read_pages (allocation).locked_bytes);
  else
    return FALSE;
  return TRUE;
}

static gboolean
get_count (guint id, GValue *value, const GstZcBufferPoolStats *pool)
{
  switch (id) {
    case GST_ZC_READING_POOL_HITS:
      g_value_set_uint64 (value, pool->hits);
      return TRUE;
    case GST_ZC_READING_POOL_MISSES:
      g_value_set_uint64 (value, pool->misses);
      return TRUE;
    case GST_ZC_READING_POOL_HIT_RATE:
      g_value_set_double (value, hit_rate (pool));
      return TRUE;
    case GST_ZC_READING_POOL_OUTSTANDING:
      g_value_set_uint64 (value, pool->outstanding);
      return TRUE;
    case GST_ZC_READING_POOL_HIGH_WATER:
      g_value_set_uint64 (value, pool->high_water);
      return TRUE;
    case GST_ZC_READING_POOL_SIZE:
      g_value_set_uint64 (value, pool->size);
      return TRUE;
    default:
      return FALSE;
  }
}

gboolean
gst_zc_readings_get (guint id, GValue *value, const ZcStats *stats, GstZcAllocation *allocation)
{
  GstZcBufferPoolStats pool;

  if (id == GST_ZC_READING_STATS) {
    g_value_take_boxed (value, gst_zc_readings_make_stats ("application/x-zcloopback-stats", stats, allocation));
    return TRUE;
  }
  gst_zc_allocation_totals (allocation, &pool);
  return get_count (id, value, &pool) || get_pages (id, value, allocation);
}

void
gst_zc_readings_install (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  g_object_class_install_property (klass, GST_ZC_READING_STATS, g_param_spec_boxed ("stats", "Statistics",
      "What was counted since the start: frames, packets, bytes, pool; times in ns", GST_TYPE_STRUCTURE, flags));
  g_object_class_install_property (klass, GST_ZC_READING_POOL_HITS, g_param_spec_uint64 ("pool-hits", "Pool hits",
      "Buffers taken from the pool with nothing allocated", 0, G_MAXUINT64, 0, flags));
  g_object_class_install_property (klass, GST_ZC_READING_POOL_MISSES, g_param_spec_uint64 ("pool-misses",
      "Pool misses", "Buffers for which the pool had to allocate, or that it refused at its maximum", 0, G_MAXUINT64, 0,
      flags));
  g_object_class_install_property (klass, GST_ZC_READING_POOL_HIT_RATE, g_param_spec_double ("pool-hit-rate",
      "Pool hit rate", "Hits of all buffers asked for (0 to 1)", 0, 1, 0, flags));
  g_object_class_install_property (klass, GST_ZC_READING_POOL_OUTSTANDING, g_param_spec_uint64 ("pool-outstanding",
      "Pool outstanding", "Blocks of memory that downstream holds now", 0, G_MAXUINT64, 0, flags));
  g_object_class_install_property (klass, GST_ZC_READING_POOL_HIGH_WATER, g_param_spec_uint64 ("pool-high-water",
      "Pool high water", "Most blocks of memory that downstream held at once", 0, G_MAXUINT64, 0, flags));
  g_object_class_install_property (klass, GST_ZC_READING_POOL_SIZE, g_param_spec_uint64 ("pool-size", "Pool size",
      "Blocks of memory that the pool has", 0, G_MAXUINT64, 0, flags));
  g_object_class_install_property (klass, GST_ZC_READING_ACTUAL_HUGE_PAGES, g_param_spec_uint64 ("actual-huge-pages",
      "Actual huge pages", "Bytes of the pool that the system says are on large pages", 0, G_MAXUINT64, 0, flags));
  g_object_class_install_property (klass, GST_ZC_READING_ACTUAL_NUMA_NODE, g_param_spec_int ("actual-numa-node",
      "Actual NUMA node", "Node that the system says all of the pool is on (-1 = on several, or it does not say)", -1,
      G_MAXINT, -1, flags));
  g_object_class_install_property (klass, GST_ZC_READING_ACTUAL_LOCKED_MEMORY, g_param_spec_uint64 (
      "actual-locked-memory", "Actual locked memory", "Bytes of the pool that the system says are never paged out", 0,
      G_MAXUINT64, 0, flags));
}
