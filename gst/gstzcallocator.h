/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstzcallocator.h: GstMemory over the blocks of a slab.
 *
 * A block goes back to the slab when the last GstMemory that reads it is gone: the memory itself and every share of
 * it (sub-buffers, partial copies). A memory keeps its allocator alive, so it may outlive the pool and the element;
 * memory that nobody has keeps nothing alive.
 *
 * Threads: any. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_ZC_ALLOCATOR (gst_zc_allocator_get_type ())
G_DECLARE_FINAL_TYPE (GstZcAllocator, gst_zc_allocator, GST, ZC_ALLOCATOR, GstAllocator)

/* Name of its memory type, for gst_memory_is_type(). */
#define GST_ZC_MEMORY_TYPE "ZcMemory"

/* Memories of block_bytes each (> 0): min_blocks of them now, up to max_blocks later. */
GstZcAllocator *gst_zc_allocator_new (gsize block_bytes, guint min_blocks, guint max_blocks);

/* A whole block, writable, not shared; transfer full. NULL when max_blocks are out. Lock-free and without any
 * allocation while a free block is left; *grew (never NULL) says if one had to be made. */
GstMemory *gst_zc_allocator_take (GstZcAllocator *self, gboolean *grew);

/* The engine's `bytes` bytes (up to block_bytes) at `data`, read-only, with a block behind them; otherwise as take(). `data` has to
 * stay readable until whoever made the lease has seen it evacuated, or has the only reference to the memory. */
GstMemory *gst_zc_allocator_lease (GstZcAllocator *self, gconstpointer data, gsize bytes, gboolean *grew);

/* Copies a leased memory into its block, under all who hold it: TRUE, and the engine's bytes are not read any more. FALSE if somebody
 * has it mapped, and still has after timeout_us. The thread that leased it. */
gboolean gst_zc_memory_evacuate (GstMemory *memory, gint64 timeout_us);

/* TRUE if `memory` is a whole block of this allocator that nobody else reads or holds. It is then made to span its
 * block again, and may be filled anew. */
gboolean gst_zc_allocator_renew (GstZcAllocator *self, GstMemory *memory);

/* Blocks that exist / that some memory holds. */
guint gst_zc_allocator_get_size (GstZcAllocator *self);
guint gst_zc_allocator_get_outstanding (GstZcAllocator *self);

G_END_DECLS
