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

static GstBufferPool *
ref_pool (GstZcAllocation *self, GstZcBufferPoolStats *past, guint *floor_buffers)
{
  GstBufferPool *pool;

  g_mutex_lock (&self->lock);
  *past = self->past;
  *floor_buffers = self->floor_buffers;
  pool = self->pool != NULL ? gst_object_ref (self->pool) : NULL;
  g_mutex_unlock (&self->lock);
  return pool;
}

void
gst_zc_allocation_totals (GstZcAllocation *self, GstZcBufferPoolStats *totals)
{
  GstZcBufferPoolStats past;
  guint floor_buffers;
  g_autoptr (GstBufferPool) pool = ref_pool (self, &past, &floor_buffers);

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

static void
get_bounds (const GstZcSettings *settings, guint floor_buffers, guint *min_buffers, guint *max_buffers)
{
  *max_buffers = MIN (MAX (settings->pool_max_buffers, floor_buffers), ZC_MAX_BLOCKS);
  *min_buffers = settings->pool_strategy == GST_ZC_POOL_STRATEGY_FIXED
      ? *max_buffers : MIN (MAX (settings->pool_min_buffers, floor_buffers), *max_buffers);
}

void
gst_zc_allocation_set_bounds (GstZcAllocation *self, const GstZcSettings *settings)
{
  GstZcBufferPoolStats past;
  guint floor_buffers, min_buffers, max_buffers;
  g_autoptr (GstBufferPool) pool = ref_pool (self, &past, &floor_buffers);

  if (pool == NULL || !gst_zc_settings_check (settings, NULL))
    return;
  get_bounds (settings, floor_buffers, &min_buffers, &max_buffers);
  gst_zc_buffer_pool_set_bounds (GST_ZC_BUFFER_POOL (pool), min_buffers, max_buffers);
}

ZcPagesState
gst_zc_allocation_read_pages (GstZcAllocation *self)
{
  ZcPagesState none = ZC_PAGES_STATE_NONE;
  GstZcBufferPoolStats past;
  guint floor_buffers;
  g_autoptr (GstBufferPool) pool = ref_pool (self, &past, &floor_buffers);

  return pool != NULL ? gst_zc_buffer_pool_read_pages (GST_ZC_BUFFER_POOL (pool)) : none;
}

gboolean
gst_zc_allocation_take_pages (GstZcAllocation *self, ZcPagesState *state)
{
  return self->pool != NULL && gst_zc_buffer_pool_take_pages (GST_ZC_BUFFER_POOL (self->pool), state);
}

/* Its bounds are another matter: they may change. */
static gboolean
is_good_for (GstBufferPool *pool, guint size)
{
  g_autoptr (GstStructure) config = gst_buffer_pool_get_config (pool);
  guint own_size;

  return gst_buffer_pool_is_active (pool)
      && gst_buffer_pool_config_get_params (config, NULL, &own_size, NULL, NULL) && own_size == size;
}

static gboolean
configure (GstBufferPool *pool, GstCaps *caps, guint size, guint min_buffers, guint max_buffers)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, caps, size, min_buffers, max_buffers);
  return gst_buffer_pool_set_config (pool, config);
}

/* The one we have if it will do, else a new one, which is active: GstBaseSrc has no word for one that cannot be. What
 * the old one counted is kept. */
static GstBufferPool *
own_pool (GstZcAllocation *self, const GstZcSettings *settings, GstCaps *caps, guint size, guint *min_buffers,
    guint *max_buffers)
{
  guint floor_buffers = *min_buffers;
  GstBufferPool *pool = NULL;
  GstZcBufferPoolStats totals;

  g_mutex_lock (&self->lock);
  self->floor_buffers = floor_buffers;
  g_mutex_unlock (&self->lock);
  get_bounds (settings, floor_buffers, min_buffers, max_buffers);
  if (self->pool != NULL && is_good_for (self->pool, size)) {
    gst_zc_buffer_pool_set_bounds (GST_ZC_BUFFER_POOL (self->pool), *min_buffers, *max_buffers);
    return gst_object_ref (self->pool);
  }

  pool = gst_zc_buffer_pool_new ();
  gst_zc_buffer_pool_set_pages (GST_ZC_BUFFER_POOL (pool), &settings->pages);
  gst_zc_buffer_pool_set_adaptive (GST_ZC_BUFFER_POOL (pool),
      settings->pool_strategy == GST_ZC_POOL_STRATEGY_ADAPTIVE);
  if (!configure (pool, caps, size, *min_buffers, *max_buffers) || !gst_buffer_pool_set_active (pool, TRUE)) {
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
    pool = own_pool (self, settings, caps, size, &min_buffers, &max_buffers);
  }
  if (offered)
    gst_query_set_nth_allocation_pool (query, 0, pool, size, min_buffers, max_buffers);
  else if (pool != NULL)
    gst_query_add_allocation_pool (query, pool, size, min_buffers, max_buffers);
  return pool;
}
