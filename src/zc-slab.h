/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-slab.h: equal blocks of memory, taken and given back without locks or allocation.
 *
 * A slab is shared by its owner (the allocator) and by every block that is out: it lives until both are gone, so a
 * block may outlive the pool, the element and the device that it was filled from.
 *
 * Threads: take and give from any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ZcSlab ZcSlab;

typedef struct {
  ZcSlab *slab;
  guint8 *data;    /* starts on a cache line; no other block shares its lines */
  gpointer header; /* the user's, header_bytes of zeros at first; kept from one taking to the next */
} ZcBlock;

/* Blocks of block_bytes each (> 0): min_blocks of them now, up to max_blocks later (1 to ZC_MAX_BLOCKS, and at least
 * min_blocks). Never NULL. */
ZcSlab *zc_slab_new (gsize block_bytes, gsize header_bytes, guint min_blocks, guint max_blocks);

/* The owner is done; blocks that are out stay good. */
void zc_slab_release (ZcSlab *slab);

/* NULL when max_blocks are out: the caller's overflow policy decides. Lock-free while a free block is left;
 * otherwise allocates one more, under a lock that no giver takes, and sets *grew (never NULL). */
ZcBlock *zc_slab_take (ZcSlab *slab, gboolean *grew);

/* The last reader is done with it. The last block of a slab without owner frees the slab. Lock-free. */
void zc_block_give (ZcBlock *block);

gsize zc_slab_block_bytes (const ZcSlab *slab);

/* Blocks that exist / that are out. */
guint zc_slab_size (const ZcSlab *slab);
guint zc_slab_outstanding (const ZcSlab *slab);

G_END_DECLS
