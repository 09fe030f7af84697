/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcallocation.h"

#include "zc-limits.h"

void
gst_zc_allocation_init (GstZcAllocation *self)
{
  g_mutex_init (&self->lock);
}

void
gst_zc_allocation_clear (GstZcAllocation *self)
{
  gst_clear_object (&self->pool);
  g_mutex_clear (&self->lock);
}

void
gst_zc_allocation_totals (GstZcAllocation *self, GstZcBufferPoolStats *totals)
{
  g_autoptr (GstBufferPool) pool = NULL;
  GstZcBufferPoolStats past;

  g_mutex_lock (&self->lock);
  past = self->past;
  pool = self->pool != NULL ? gst_object_ref (self->pool) : NULL;
  g_mutex_unlock (&self->lock);

  *totals = past;
  if (pool != NULL) {
    gst_zc_buffer_pool_get_stats (GST_ZC_BUFFER_POOL (pool), totals);
    totals->hits += past.hits;
    totals->misses += past.misses;
    totals->allocations += past.allocations;
    totals->high_water = MAX (totals->high_water, past.high_water);
  }
}

static void
replace_pool (GstZcAllocation *self, GstBufferPool *pool, const GstZcBufferPoolStats *past)
{
  GstBufferPool *old;

  g_mutex_lock (&self->lock);
  self->past = *past;
  old = self->pool;
  self->pool = pool != NULL ? gst_object_ref (pool) : NULL;
  g_mutex_unlock (&self->lock);
  gst_clear_object (&old);
}

void
gst_zc_allocation_begin (GstZcAllocation *self)
{
  const GstZcBufferPoolStats none = { 0 };

  replace_pool (self, NULL, &none);
}

void
gst_zc_allocation_end (GstZcAllocation *self)
{
  GstZcBufferPoolStats totals;

  gst_zc_allocation_totals (self, &totals);
  if (totals.outstanding == 0)
    replace_pool (self, NULL, &totals);
}

static gboolean
is_configured_as (GstBufferPool *pool, guint size, guint min_buffers, guint max_buffers)
{
  g_autoptr (GstStructure) config = gst_buffer_pool_get_config (pool);
  guint own_size, own_min, own_max;

  return gst_buffer_pool_is_active (pool)
      && gst_buffer_pool_config_get_params (config, NULL, &own_size, &own_min, &own_max) && own_size == size
      && own_min == min_buffers && own_max == max_buffers;
}

static gboolean
configure (GstBufferPool *pool, GstCaps *caps, guint size, guint min_buffers, guint max_buffers)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, caps, size, min_buffers, max_buffers);
  return gst_buffer_pool_set_config (pool, config);
}

/* The one we have if it will do, else a new one; what the old one counted is kept. */
static GstBufferPool *
own_pool (GstZcAllocation *self, GstCaps *caps, guint size, guint min_buffers, guint max_buffers)
{
  GstBufferPool *pool = NULL;
  GstZcBufferPoolStats totals;

  if (self->pool != NULL && is_configured_as (self->pool, size, min_buffers, max_buffers))
    return gst_object_ref (self->pool);

  pool = gst_zc_buffer_pool_new ();
  if (!configure (pool, caps, size, min_buffers, max_buffers)) {
    gst_object_unref (pool);
    return NULL;
  }
  gst_zc_allocation_totals (self, &totals);
  replace_pool (self, pool, &totals);
  return pool;
}

GstBufferPool *
gst_zc_allocation_decide (GstZcAllocation *self, GstQuery *query, const GstZcSettings *settings, guint packet_bytes)
{
  GstBufferPool *pool = NULL;
  gboolean offered = gst_query_get_n_allocation_pools (query) > 0;
  guint size = 0, min_buffers = 0, max_buffers = 0;
  GstCaps *caps;

  gst_query_parse_allocation (query, &caps, NULL);
  if (offered)
    gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min_buffers, &max_buffers);

  if (settings->memory_mode != GST_ZC_MEMORY_MODE_POOL
      || (pool != NULL && (size < packet_bytes || !configure (pool, caps, size, min_buffers, max_buffers))))
    gst_clear_object (&pool);
  if (pool == NULL && settings->memory_mode != GST_ZC_MEMORY_MODE_COPY) {
    size = packet_bytes;
    min_buffers = MIN (MAX (min_buffers, settings->pool_min_buffers), ZC_MAX_BLOCKS);
    max_buffers = MAX (min_buffers, settings->pool_max_buffers);
    pool = own_pool (self, caps, size, min_buffers, max_buffers);
  }
  if (offered)
    gst_query_set_nth_allocation_pool (query, 0, pool, size, min_buffers, max_buffers);
  else if (pool != NULL)
    gst_query_add_allocation_pool (query, pool, size, min_buffers, max_buffers);
  return pool;
}
