/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcbufferpool.h"

#include "gstzcallocator.h"
#include "zc-cache-line.h"
#include "zc-keeper.h"
#include "zc-limits.h"
#include "zc-stack.h"

#include <stdatomic.h>

/* Headers without memory that are there from the start, for silence. */
#define WARM_HEADERS 16

struct _GstZcBufferPool {
  GstBufferPool parent;

  /* Of the configuration; set while the pool is stopped. */
  ZcSlabSpec spec;
  gboolean adaptive;

  /* Made at the start. The allocator stays after the stop, to tell what is outstanding. */
  GstZcAllocator *allocator;
  ZcSlab *slab;     /* the allocator's */
  ZcStack *bare;    /* idle GstBuffer without memory; the others are with their blocks */
  ZcKeeper *keeper; /* if adaptive */

  GMutex resizing;  /* guards the next two; held while blocks are made or given back; before the keeper's lock */
  gboolean running;
  guint looked_growths; /* of the slab, when the memory was looked at */
  ZcPagesState pages;   /* what was found; object lock */
  _Atomic gboolean pages_new; /* and nobody has taken it */
  guint64 past_allocations; /* of the allocators before this one; object lock */
  guint past_high_water;    /* the same */
  guint stopped_size;       /* blocks and bytes that there were at the stop; object lock */
  gsize stopped_bytes;

  guint8 pad[ZC_CACHE_LINE_BYTES]; /* the above is read by whoever releases, the below written by who acquires */

  _Atomic guint64 hits;
  _Atomic guint64 misses;
  _Atomic guint64 headers; /* made after the start */
  guint8 end_pad[ZC_CACHE_LINE_BYTES];
};

G_DEFINE_FINAL_TYPE (GstZcBufferPool, gst_zc_buffer_pool, GST_TYPE_BUFFER_POOL)

/* Without GObject's check of the type, which is a sixth of a round trip (tests/bench/poolcost). */
static GstZcBufferPool *
to_own (GstBufferPool *pool)
{
  return (GstZcBufferPool *) pool;
}

static void
count (_Atomic guint64 *counter, guint n)
{
  atomic_fetch_add_explicit (counter, n, memory_order_relaxed);
}

static GstBuffer *
take_bare (GstZcBufferPool *self, gboolean *missed)
{
  GstBuffer *buffer = zc_stack_pop (self->bare);

  if (buffer != NULL)
    return buffer;
  *missed = TRUE;
  count (&self->headers, 1);
  return gst_buffer_new ();
}

/* Of a new block: those that are there for silence stay there. */
static GstBuffer *
make_header (gpointer data)
{
  GstZcBufferPool *self = data;
  GstBuffer *buffer = zc_stack_length (self->bare) > WARM_HEADERS ? zc_stack_pop (self->bare) : NULL;

  if (buffer != NULL)
    return buffer;
  count (&self->headers, 1);
  return gst_buffer_new ();
}

/* A block in a buffer, leased if there are params for it. NULL at the bound. */
static GstBuffer *
take (GstZcBufferPool *self, const GstZcLeaseParams *lease, gboolean *missed)
{
  GstBuffer *buffer = NULL;
  GstMemory *memory;

  if (lease != NULL)
    memory = gst_zc_allocator_lease (self->allocator, lease->data, lease->bytes, &buffer, missed);
  else
    memory = gst_zc_allocator_take (self->allocator, &buffer, missed);
  if (memory == NULL || buffer != NULL)
    return buffer;
  buffer = take_bare (self, missed);
  gst_buffer_append_memory (buffer, memory);
  GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_TAG_MEMORY);
  return buffer;
}

static GstFlowReturn
gst_zc_buffer_pool_acquire_buffer (GstBufferPool *pool, GstBuffer **buffer, GstBufferPoolAcquireParams *params)
{
  GstZcBufferPool *self = to_own (pool);
  guint flags = params != NULL ? params->flags : 0;
  gboolean missed = FALSE;
  GstBuffer *taken;

  if (GST_BUFFER_POOL_IS_FLUSHING (pool))
    return GST_FLOW_FLUSHING;
  if ((flags & GST_ZC_BUFFER_POOL_ACQUIRE_FLAG_BARE) != 0)
    taken = take_bare (self, &missed);
  else if ((flags & GST_ZC_BUFFER_POOL_ACQUIRE_FLAG_LEASE) != 0)
    taken = take (self, (const GstZcLeaseParams *) params, &missed);
  else
    taken = take (self, NULL, &missed);
  count (taken == NULL || missed ? &self->misses : &self->hits, 1);
  if (self->keeper != NULL && zc_slab_is_low (self->slab))
    zc_keeper_ask (self->keeper);
  *buffer = taken;
  return taken != NULL ? GST_FLOW_OK : GST_FLOW_EOS;
}

static gboolean
remove_unpooled_meta (GstBuffer *buffer, GstMeta **meta, gpointer data)
{
  if (!GST_META_FLAG_IS_SET (*meta, GST_META_FLAG_POOLED)) {
    GST_META_FLAG_UNSET (*meta, GST_META_FLAG_LOCKED);
    *meta = NULL;
  }
  return TRUE;
}

static void
gst_zc_buffer_pool_reset_buffer (GstBufferPool *pool, GstBuffer *buffer)
{
  GST_BUFFER_FLAGS (buffer) = 0;
  GST_BUFFER_PTS (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION (buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_OFFSET (buffer) = GST_BUFFER_OFFSET_NONE;
  GST_BUFFER_OFFSET_END (buffer) = GST_BUFFER_OFFSET_NONE;
  gst_buffer_foreach_meta (buffer, remove_unpooled_meta, NULL);
}

static void
keep_bare (GstZcBufferPool *self, GstBuffer *buffer)
{
  gst_buffer_remove_all_memory (buffer);
  GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_TAG_MEMORY);
  if (!zc_stack_push (self->bare, buffer))
    gst_buffer_unref (buffer);
}

/* In whichever thread dropped the last reference. */
static void
gst_zc_buffer_pool_release_buffer (GstBufferPool *pool, GstBuffer *buffer)
{
  GstZcBufferPool *self = to_own (pool);

  if (gst_buffer_n_memory (buffer) != 1
      || !gst_zc_allocator_keep (self->allocator, gst_buffer_peek_memory (buffer, 0), buffer))
    keep_bare (self, buffer);
}

static gboolean
gst_zc_buffer_pool_set_config (GstBufferPool *pool, GstStructure *config)
{
  GstZcBufferPool *self = GST_ZC_BUFFER_POOL (pool);
  guint size, min_buffers, max_buffers;
  GstCaps *caps;

  if (!gst_buffer_pool_config_get_params (config, &caps, &size, &min_buffers, &max_buffers))
    return FALSE;
  if (max_buffers == 0)
    max_buffers = ZC_MAX_BLOCKS;
  if (size == 0 || max_buffers > ZC_MAX_BLOCKS || min_buffers > max_buffers) {
    GST_WARNING_OBJECT (pool, "cannot keep %u to %u buffers of %u bytes", min_buffers, max_buffers, size);
    return FALSE;
  }
  self->spec.block_bytes = size;
  self->spec.min_blocks = min_buffers;
  self->spec.max_blocks = max_buffers;
  return GST_BUFFER_POOL_CLASS (gst_zc_buffer_pool_parent_class)->set_config (pool, config);
}

static gboolean
wishes_pages (const ZcPagesWish *wish)
{
  return wish->huge || wish->lock || wish->numa_node >= 0;
}

/* Asks the system about the memory, if there is more of it. Takes milliseconds: never in a thread that acquires while
 * it captures. Under `resizing`. */
static void
look (GstZcBufferPool *self, gboolean first)
{
  guint growths = zc_slab_growths (self->slab);
  ZcPagesState state;

  if (!wishes_pages (&self->spec.pages) || (!first && growths == self->looked_growths))
    return;
  self->looked_growths = growths;
  state = zc_slab_read_pages (self->slab);
  GST_OBJECT_LOCK (self);
  self->pages = state;
  GST_OBJECT_UNLOCK (self);
  atomic_store (&self->pages_new, TRUE);
}

/* The keeper's: headers without memory beyond as many as there are blocks are given back with these. */
static gint64
tend (gpointer data, gint64 now_us)
{
  GstZcBufferPool *self = data;
  gint64 again_us = zc_slab_tend (self->slab, now_us);
  GstBuffer *buffer;

  while (zc_stack_length (self->bare) > MAX (zc_slab_size (self->slab), WARM_HEADERS)
      && (buffer = zc_stack_pop (self->bare)) != NULL)
    gst_buffer_unref (buffer);
  g_mutex_lock (&self->resizing);
  look (self, FALSE);
  g_mutex_unlock (&self->resizing);
  return again_us;
}

/* get_stats() looks at it under the object lock. */
static void
set_allocator (GstZcBufferPool *self, GstZcAllocator *allocator)
{
  GstZcAllocator *old;

  GST_OBJECT_LOCK (self);
  old = self->allocator;
  self->allocator = allocator;
  self->slab = gst_zc_allocator_get_slab (allocator);
  self->stopped_size = 0;
  if (old != NULL) {
    ZcSlab *slab = gst_zc_allocator_get_slab (old);
    self->past_allocations += zc_slab_growths (slab);
    self->past_high_water = MAX (self->past_high_water, zc_slab_high_water (slab));
  }
  GST_OBJECT_UNLOCK (self);
  gst_clear_object (&old);
}

/* All is there from the start: the first packet is a hit already, with sound or without. */
static gboolean
gst_zc_buffer_pool_start (GstBufferPool *pool)
{
  GstZcBufferPool *self = GST_ZC_BUFFER_POOL (pool);
  guint64 headers = atomic_load (&self->headers);
  GstZcAllocator *allocator;

  self->bare = zc_stack_new (MIN (self->spec.max_blocks + WARM_HEADERS, ZC_MAX_BLOCKS));
  allocator = gst_zc_allocator_new (&self->spec, make_header, self);
  if (allocator == NULL) {
    GST_ERROR_OBJECT (self, "no memory for %u blocks of %" G_GSIZE_FORMAT " bytes", self->spec.min_blocks,
        self->spec.block_bytes);
    g_clear_pointer (&self->bare, zc_stack_free);
    return FALSE;
  }
  set_allocator (self, allocator);
  for (guint i = 0; i < WARM_HEADERS; i++)
    zc_stack_push (self->bare, gst_buffer_new ());
  atomic_store (&self->headers, headers);
  if (self->adaptive)
    self->keeper = zc_keeper_join (tend, self);
  g_mutex_lock (&self->resizing);
  self->running = TRUE;
  look (self, TRUE);
  g_mutex_unlock (&self->resizing);
  return TRUE;
}

/* get_stats() goes on to tell what there was, while the memory that nobody reads goes. */
static void
retire (GstZcBufferPool *self)
{
  GST_OBJECT_LOCK (self);
  self->stopped_size = zc_slab_size (self->slab);
  self->stopped_bytes = zc_slab_bytes (self->slab);
  GST_OBJECT_UNLOCK (self);
  zc_slab_retire (self->slab);
}

/* Called when all buffers are home. The allocator stays, to tell what is outstanding. */
static gboolean
gst_zc_buffer_pool_stop (GstBufferPool *pool)
{
  GstZcBufferPool *self = GST_ZC_BUFFER_POOL (pool);
  GstBuffer *buffer;

  g_mutex_lock (&self->resizing);
  self->running = FALSE;
  g_mutex_unlock (&self->resizing);
  g_clear_pointer (&self->keeper, zc_keeper_leave);
  retire (self);
  while ((buffer = zc_stack_pop (self->bare)) != NULL)
    gst_buffer_unref (buffer);
  g_clear_pointer (&self->bare, zc_stack_free);
  return GST_BUFFER_POOL_CLASS (gst_zc_buffer_pool_parent_class)->stop (pool);
}

void
gst_zc_buffer_pool_set_adaptive (GstZcBufferPool *self, gboolean adaptive)
{
  self->adaptive = adaptive;
}

void
gst_zc_buffer_pool_set_pages (GstZcBufferPool *self, const ZcPagesWish *wish)
{
  self->spec.pages = *wish;
}

ZcPagesState
gst_zc_buffer_pool_read_pages (GstZcBufferPool *self)
{
  ZcPagesState state = ZC_PAGES_STATE_NONE;
  GstZcAllocator *allocator;

  GST_OBJECT_LOCK (self);
  allocator = self->allocator != NULL ? gst_object_ref (self->allocator) : NULL;
  GST_OBJECT_UNLOCK (self);
  if (allocator != NULL)
    state = zc_slab_read_pages (gst_zc_allocator_get_slab (allocator));
  gst_clear_object (&allocator);
  return state;
}

gboolean
gst_zc_buffer_pool_take_pages (GstZcBufferPool *self, ZcPagesState *state)
{
  if (!atomic_load_explicit (&self->pages_new, memory_order_relaxed) || !atomic_exchange (&self->pages_new, FALSE))
    return FALSE;
  GST_OBJECT_LOCK (self);
  *state = self->pages;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

void
gst_zc_buffer_pool_set_bounds (GstZcBufferPool *self, guint min_buffers, guint max_buffers)
{
  g_mutex_lock (&self->resizing);
  if (self->running) {
    zc_slab_set_bounds (self->slab, min_buffers, max_buffers);
    look (self, FALSE);
  }
  if (self->running && self->keeper != NULL)
    zc_keeper_ask (self->keeper); /* what is too much now goes when it was not needed for a while */
  g_mutex_unlock (&self->resizing);
}

void
gst_zc_buffer_pool_get_stats (GstZcBufferPool *self, GstZcBufferPoolStats *stats)
{
  GST_OBJECT_LOCK (self);
  *stats = (GstZcBufferPoolStats){
    .hits = atomic_load_explicit (&self->hits, memory_order_relaxed),
    .misses = atomic_load_explicit (&self->misses, memory_order_relaxed),
    .allocations = atomic_load_explicit (&self->headers, memory_order_relaxed) + self->past_allocations,
  };
  if (self->slab != NULL) {
    stats->allocations += zc_slab_growths (self->slab);
    stats->size = self->stopped_size > 0 ? self->stopped_size : zc_slab_size (self->slab);
    stats->bytes = self->stopped_size > 0 ? self->stopped_bytes : zc_slab_bytes (self->slab);
    stats->outstanding = zc_slab_outstanding (self->slab);
    stats->high_water = MAX (self->past_high_water, zc_slab_high_water (self->slab));
  }
  GST_OBJECT_UNLOCK (self);
}

GstBufferPool *
gst_zc_buffer_pool_new (void)
{
  GstBufferPool *pool = g_object_new (GST_TYPE_ZC_BUFFER_POOL, NULL);

  gst_object_ref_sink (pool);
  return pool;
}

static void
gst_zc_buffer_pool_dispose (GObject *object)
{
  gst_buffer_pool_set_active (GST_BUFFER_POOL (object), FALSE);
  G_OBJECT_CLASS (gst_zc_buffer_pool_parent_class)->dispose (object);
}

static void
gst_zc_buffer_pool_finalize (GObject *object)
{
  GstZcBufferPool *self = GST_ZC_BUFFER_POOL (object);

  gst_clear_object (&self->allocator);
  g_mutex_clear (&self->resizing);
  G_OBJECT_CLASS (gst_zc_buffer_pool_parent_class)->finalize (object);
}

static void
gst_zc_buffer_pool_class_init (GstZcBufferPoolClass *klass)
{
  GstBufferPoolClass *pool_class = GST_BUFFER_POOL_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gst_zc_buffer_pool_dispose;
  G_OBJECT_CLASS (klass)->finalize = gst_zc_buffer_pool_finalize;
  pool_class->set_config = gst_zc_buffer_pool_set_config;
  pool_class->start = gst_zc_buffer_pool_start;
  pool_class->stop = gst_zc_buffer_pool_stop;
  pool_class->acquire_buffer = gst_zc_buffer_pool_acquire_buffer;
  pool_class->reset_buffer = gst_zc_buffer_pool_reset_buffer;
  pool_class->release_buffer = gst_zc_buffer_pool_release_buffer;
}

static void
gst_zc_buffer_pool_init (GstZcBufferPool *self)
{
  g_mutex_init (&self->resizing);
  self->spec.pages = ZC_PAGES_WISH_NONE;
}
