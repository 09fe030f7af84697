/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstzcallocator.h: GstMemory over the blocks of a slab.
 *
 * A block goes back to the slab when the last GstMemory that reads it is gone: the memory itself and every share of
 * it (sub-buffers, partial copies). A memory keeps its allocator alive, so it may outlive the pool and the element;
 * memory that nobody has keeps nothing alive.
 *
 * Threads: any. */
#pragma once

#include "zc-slab.h"

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_ZC_ALLOCATOR (gst_zc_allocator_get_type ())
G_DECLARE_FINAL_TYPE (GstZcAllocator, gst_zc_allocator, GST, ZC_ALLOCATOR, GstAllocator)

/* Name of its memory type, for gst_memory_is_type(). */
#define GST_ZC_MEMORY_TYPE "ZcMemory"

/* A buffer without memory, transfer full. In whichever thread makes new blocks. */
typedef GstBuffer *(*GstZcMakeHeader) (gpointer data);

/* Memories as in `spec` (block_bytes, min_blocks, max_blocks, pages). New blocks come in a buffer of make_header(). NULL
 * if there is no memory for min_blocks. */
GstZcAllocator *gst_zc_allocator_new (const ZcSlabSpec *spec, GstZcMakeHeader make_header, gpointer data);

/* A whole block, writable, not shared; transfer full. *buffer is the buffer that it is in and that holds the reference,
 * NULL if it is in none. NULL when max_blocks are out. Lock-free and without any allocation while a free block is left;
 * *grew (never NULL) says if some had to be made. */
GstMemory *gst_zc_allocator_take (GstZcAllocator *self, GstBuffer **buffer, gboolean *grew);

/* The engine's `bytes` bytes (up to block_bytes) at `data`, read-only, with a block behind them; otherwise as take().
 * `data` has to stay readable until whoever made the lease has seen it evacuated, or has the only reference to the
 * memory. */
GstMemory *gst_zc_allocator_lease (GstZcAllocator *self, gconstpointer data, gsize bytes, GstBuffer **buffer,
    gboolean *grew);

/* If `memory`, the only one of `buffer`, is a whole block of this allocator that nobody else reads or holds: the block
 * is given back with the buffer around it (taken over), as it spans its whole again. FALSE if not. */
gboolean gst_zc_allocator_keep (GstZcAllocator *self, GstMemory *memory, GstBuffer *buffer);

/* Copies a leased memory into its block, under all who hold it: TRUE, and the engine's bytes are not read any more.
 * FALSE if somebody has it mapped, and still has at end_us of g_get_monotonic_time(). The thread that leased it. */
gboolean gst_zc_memory_evacuate (GstMemory *memory, gint64 end_us);

/* The blocks: for their numbers, to tend them; and to strip them of the buffers that idle ones are kept in, without
 * which the allocator would keep itself alive. */
ZcSlab *gst_zc_allocator_get_slab (GstZcAllocator *self);

G_END_DECLS
