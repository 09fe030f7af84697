/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstzcbufferpool.h: a GstBufferPool whose acquire and release never wait for buffers to come home, and while one is
 * idle take no lock and allocate nothing. Acquire makes some itself if none is idle and the bound is not reached; if it
 * is adaptive, it asks the keeper once, under its lock, when few are left. Release never allocates or gives memory
 * back.
 *
 * Headers (GstBuffer) and memory (GstMemory) come home separately. A buffer that comes back with its memory unread by
 * anybody is kept whole, with its block, and goes out again as it is. If somebody still reads the memory (a partial
 * copy shares it without holding the buffer), the header alone is kept, and the block returns by itself with its last
 * reader.
 *
 * gst_buffer_pool_acquire_buffer() never waits, whatever its flags: at the bound it returns GST_FLOW_EOS, as
 * GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT has it. Give max-buffers in the configuration; 0 stands for the highest
 * possible.
 *
 * Threads: any, at once. */
#pragma once

#include "zc-pages.h"

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_ZC_BUFFER_POOL (gst_zc_buffer_pool_get_type ())
G_DECLARE_FINAL_TYPE (GstZcBufferPool, gst_zc_buffer_pool, GST, ZC_BUFFER_POOL, GstBufferPool)

/* In GstBufferPoolAcquireParams.flags: a header without memory, for memory that is not the pool's. */
#define GST_ZC_BUFFER_POOL_ACQUIRE_FLAG_BARE GST_BUFFER_POOL_ACQUIRE_FLAG_LAST

/* There: the params are those of a lease, the buffer is over the engine's own bytes (see gst_zc_allocator_lease()). Its
 * memory comes home by itself, apart from its header. */
#define GST_ZC_BUFFER_POOL_ACQUIRE_FLAG_LEASE (GST_BUFFER_POOL_ACQUIRE_FLAG_LAST << 1)

typedef struct {
  GstBufferPoolAcquireParams params;
  gconstpointer data;
  gsize bytes; /* up to the size of the pool's buffers */
} GstZcLeaseParams;

/* Counted since the pool was made, but for size and outstanding. */
typedef struct {
  guint64 hits;        /* acquired with nothing allocated */
  guint64 misses;      /* acquired with something allocated, or refused at the bound */
  guint64 allocations; /* headers, and pieces of memory for blocks, made after the start, ahead of need or not */
  guint size;          /* blocks that exist, or existed when the pool stopped */
  gsize bytes;         /* of the system's memory, for these; when it stops, what nobody reads goes */
  guint outstanding;   /* blocks that somebody has */
  guint high_water;    /* most of them at once */
} GstZcBufferPoolStats;

GstBufferPool *gst_zc_buffer_pool_new (void);

/* Before the start. Adaptive: a thread (see zc-keeper.h) makes buffers ahead of need, and gives memory back when it was
 * not needed for a while; see zc_slab_tend(). Otherwise buffers are made when one is acquired and none is left. */
void gst_zc_buffer_pool_set_adaptive (GstZcBufferPool *self, gboolean adaptive);

/* Before the start: what memory is wished for. */
void gst_zc_buffer_pool_set_pages (GstZcBufferPool *self, const ZcPagesWish *wish);

/* What the system says of the memory that the pool has; of one that was stopped, what others still read. Any thread;
 * takes milliseconds. */
ZcPagesState gst_zc_buffer_pool_read_pages (GstZcBufferPool *self);

/* If memory was wished for: the same, as it was when the pool started, or has grown since, if nobody has taken that
 * yet. The system is asked by whoever starts the pool or sets its bounds, and by the keeper. Lock-free while there is
 * nothing new. */
gboolean gst_zc_buffer_pool_take_pages (GstZcBufferPool *self, ZcPagesState *state);

/* Of a pool that is running: instead of those in the configuration (1 to ZC_MAX_BLOCKS, min up to max), see
 * zc_slab_set_bounds(). Any thread that has the time to allocate. */
void gst_zc_buffer_pool_set_bounds (GstZcBufferPool *self, guint min_buffers, guint max_buffers);

/* Also of a pool that was stopped: what is outstanding then is what others still hold. */
void gst_zc_buffer_pool_get_stats (GstZcBufferPool *self, GstZcBufferPoolStats *stats);

G_END_DECLS
