/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcbufferpool.h"

#include "gstzcallocator.h"
#include "zc-limits.h"
#include "zc-stack.h"

#include <stdatomic.h>

struct _GstZcBufferPool {
  GstBufferPool parent;

  /* Of the configuration; set while the pool is stopped. */
  guint block_bytes;
  guint min_buffers;
  guint max_buffers;

  /* Made at the start. The allocator stays after the stop, to tell what is outstanding. */
  GstZcAllocator *allocator;
  ZcStack *whole; /* idle GstBuffer, each with one block that nobody else reads */
  ZcStack *bare;  /* idle GstBuffer without memory */

  _Atomic guint64 hits;
  _Atomic guint64 misses;
  _Atomic guint64 allocations;
  _Atomic guint high_water;
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

/* Idle blocks are out of the slab, but in nobody's hand. */
static guint
outstanding (GstZcBufferPool *self)
{
  guint taken = self->allocator != NULL ? gst_zc_allocator_get_outstanding (self->allocator) : 0;
  guint idle = self->whole != NULL ? zc_stack_length (self->whole) : 0;

  return taken > idle ? taken - idle : 0; /* the two are not read at the same moment */
}

static void
note_high_water (GstZcBufferPool *self)
{
  guint now = outstanding (self);
  guint high = atomic_load_explicit (&self->high_water, memory_order_relaxed);

  while (now > high && !atomic_compare_exchange_weak_explicit (&self->high_water, &high, now, memory_order_relaxed,
      memory_order_relaxed))
    ;
}

static GstBuffer *
take_bare (GstZcBufferPool *self, guint *n_allocated)
{
  GstBuffer *buffer = zc_stack_pop (self->bare);

  if (buffer == NULL) {
    buffer = gst_buffer_new ();
    ++*n_allocated;
  }
  return buffer;
}

/* Adds a header to it (taken over; NULL at the bound, and so is the result). */
static GstBuffer *
dress (GstZcBufferPool *self, GstMemory *memory, gboolean grew, guint *n_allocated)
{
  GstBuffer *buffer;

  if (memory == NULL)
    return NULL;
  *n_allocated += grew;
  buffer = take_bare (self, n_allocated);
  gst_buffer_append_memory (buffer, memory);
  GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_TAG_MEMORY);
  return buffer;
}

static GstBuffer *
make_whole (GstZcBufferPool *self, guint *n_allocated)
{
  gboolean grew;
  GstMemory *memory = gst_zc_allocator_take (self->allocator, &grew);

  return dress (self, memory, grew, n_allocated);
}

static GstBuffer *
take_whole (GstZcBufferPool *self, guint *n_allocated)
{
  GstBuffer *buffer = zc_stack_pop (self->whole);

  return buffer != NULL ? buffer : make_whole (self, n_allocated);
}

static void
keep_bare (GstZcBufferPool *self, GstBuffer *buffer)
{
  gst_buffer_remove_all_memory (buffer);
  GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_TAG_MEMORY);
  if (!zc_stack_push (self->bare, buffer))
    gst_buffer_unref (buffer);
}

/* A lease wants header and block apart; idle ones may all be together. */
static void
part_one_if_need_be (GstZcBufferPool *self)
{
  gboolean has_block = gst_zc_allocator_get_size (self->allocator) > gst_zc_allocator_get_outstanding (self->allocator);
  GstBuffer *buffer;

  if ((!has_block || zc_stack_length (self->bare) == 0) && (buffer = zc_stack_pop (self->whole)) != NULL)
    keep_bare (self, buffer);
}

static GstBuffer *
make_leased (GstZcBufferPool *self, const GstZcLeaseParams *params, guint *n_allocated)
{
  gboolean grew;
  GstMemory *memory;

  part_one_if_need_be (self);
  memory = gst_zc_allocator_lease (self->allocator, params->data, params->bytes, &grew);
  return dress (self, memory, grew, n_allocated);
}

static GstFlowReturn
gst_zc_buffer_pool_acquire_buffer (GstBufferPool *pool, GstBuffer **buffer, GstBufferPoolAcquireParams *params)
{
  GstZcBufferPool *self = to_own (pool);
  guint flags = params != NULL ? params->flags : 0;
  guint n_allocated = 0;
  GstBuffer *taken;

  if (GST_BUFFER_POOL_IS_FLUSHING (pool))
    return GST_FLOW_FLUSHING;
  if ((flags & GST_ZC_BUFFER_POOL_ACQUIRE_FLAG_BARE) != 0)
    taken = take_bare (self, &n_allocated);
  else if ((flags & GST_ZC_BUFFER_POOL_ACQUIRE_FLAG_LEASE) != 0)
    taken = make_leased (self, (const GstZcLeaseParams *) params, &n_allocated);
  else
    taken = take_whole (self, &n_allocated);
  if (taken == NULL || n_allocated > 0)
    count (&self->misses, 1);
  else
    count (&self->hits, 1);
  if (n_allocated > 0)
    count (&self->allocations, n_allocated);
  if (taken == NULL)
    return GST_FLOW_EOS;
  note_high_water (self);
  *buffer = taken;
  return GST_FLOW_OK;
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

/* In whichever thread dropped the last reference. */
static void
gst_zc_buffer_pool_release_buffer (GstBufferPool *pool, GstBuffer *buffer)
{
  GstZcBufferPool *self = to_own (pool);
  gboolean whole = gst_buffer_n_memory (buffer) == 1
      && gst_zc_allocator_renew (self->allocator, gst_buffer_peek_memory (buffer, 0));

  if (!whole)
    keep_bare (self, buffer);
  else if (!zc_stack_push (self->whole, buffer))
    gst_buffer_unref (buffer);
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
  self->block_bytes = size;
  self->min_buffers = min_buffers;
  self->max_buffers = max_buffers;
  return GST_BUFFER_POOL_CLASS (gst_zc_buffer_pool_parent_class)->set_config (pool, config);
}

/* What get_stats() looks at changes under the object lock only. */
static void
replace (GstZcBufferPool *self, GstZcAllocator *allocator, ZcStack *whole, ZcStack *bare)
{
  GstZcAllocator *old_allocator = self->allocator;
  ZcStack *old_whole = self->whole, *old_bare = self->bare;

  GST_OBJECT_LOCK (self);
  self->allocator = allocator;
  self->whole = whole;
  self->bare = bare;
  GST_OBJECT_UNLOCK (self);

  if (old_allocator != allocator)
    gst_clear_object (&old_allocator);
  g_clear_pointer (&old_whole, zc_stack_free);
  g_clear_pointer (&old_bare, zc_stack_free);
}

static gboolean
gst_zc_buffer_pool_start (GstBufferPool *pool)
{
  GstZcBufferPool *self = GST_ZC_BUFFER_POOL (pool);

  replace (self, gst_zc_allocator_new (self->block_bytes, self->min_buffers, self->max_buffers),
      zc_stack_new (self->max_buffers), zc_stack_new (self->max_buffers));
  /* Whole from the start: the first packet is a hit already. */
  for (guint i = 0; i < self->min_buffers; i++) {
    guint not_counted = 0;
    zc_stack_push (self->whole, make_whole (self, &not_counted));
  }
  return TRUE;
}

static void
empty (ZcStack *stack)
{
  GstBuffer *buffer;

  while (stack != NULL && (buffer = zc_stack_pop (stack)) != NULL)
    gst_buffer_unref (buffer);
}

/* Called when all buffers are home. The allocator stays, to tell what is outstanding. */
static gboolean
gst_zc_buffer_pool_stop (GstBufferPool *pool)
{
  GstZcBufferPool *self = GST_ZC_BUFFER_POOL (pool);

  empty (self->whole);
  empty (self->bare);
  replace (self, self->allocator, NULL, NULL);
  return GST_BUFFER_POOL_CLASS (gst_zc_buffer_pool_parent_class)->stop (pool);
}

void
gst_zc_buffer_pool_get_stats (GstZcBufferPool *self, GstZcBufferPoolStats *stats)
{
  GST_OBJECT_LOCK (self);
  *stats = (GstZcBufferPoolStats){
    .hits = atomic_load_explicit (&self->hits, memory_order_relaxed),
    .misses = atomic_load_explicit (&self->misses, memory_order_relaxed),
    .allocations = atomic_load_explicit (&self->allocations, memory_order_relaxed),
    .size = self->allocator != NULL ? gst_zc_allocator_get_size (self->allocator) : 0,
    .outstanding = outstanding (self),
    .high_water = atomic_load_explicit (&self->high_water, memory_order_relaxed),
  };
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
  gst_clear_object (&GST_ZC_BUFFER_POOL (object)->allocator);
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
}
