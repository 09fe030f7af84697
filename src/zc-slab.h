/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-slab.h: equal blocks of memory, taken and given back without locks or allocation.
 *
 * A slab is shared by its owner (the allocator) and by every block that is out: it lives until both are gone, so a
 * block may outlive the pool, the element and the device that it was filled from.
 *
 * Its memory comes in regions, which come and go as a whole. A block is taken from the oldest region that has one, so
 * that the newer ones fall idle first.
 *
 * Threads: take and give from any thread. What else changes it allocates, and is for threads that have the time:
 * set_bounds from any, tend from one at a time; retire when nobody does either, nor will. All while there is an
 * owner. */
#pragma once

#include "zc-pages.h"

G_BEGIN_DECLS

typedef struct _ZcSlab ZcSlab;

typedef struct {
  ZcSlab *slab;
  guint8 *data;    /* starts on a cache line; no other block shares its lines */
  gpointer header; /* the user's, header_bytes of zeros at first; kept from one taking to the next, unshared as well */
  struct _ZcRegion *region; /* the slab's business */
} ZcBlock;

/* What the user ties to an idle block: made with its memory, gone before it. */
typedef struct {
  void (*dress) (ZcBlock *block, gpointer data); /* any thread, for a block that has new memory */
  void (*strip) (ZcBlock *block); /* of one that is idle, and may be so again, or loses its memory */
  gpointer data;
} ZcSlabHooks;

typedef struct {
  gsize block_bytes;  /* > 0 */
  gsize header_bytes;
  guint min_blocks;   /* made now */
  guint max_blocks;   /* 1 to ZC_MAX_BLOCKS, and at least min_blocks */
  ZcPagesWish pages;  /* for what memory */
  const ZcSlabHooks *hooks; /* stays the caller's; may be NULL */
} ZcSlabSpec;

/* NULL if there is no memory for min_blocks. Without memory for more it stays as small as it is. */
ZcSlab *zc_slab_new (const ZcSlabSpec *spec);

/* The owner is done; blocks that are out stay good. */
void zc_slab_release (ZcSlab *slab);

/* NULL when max_blocks are out, or the system has no memory for another: the caller's overflow policy decides.
 * Lock-free while a free block is left; otherwise makes some more, and sets *grew (never NULL). While there is an
 * owner. */
ZcBlock *zc_slab_take (ZcSlab *slab, gboolean *grew);

/* The last reader is done with it. The last block of a slab without owner frees the slab. Lock-free. */
void zc_block_give (ZcBlock *block);

/* At least so many blocks from now on, and no more than so many out. What lacks is made here; what is too much goes as
 * its regions fall idle, here or in tend, but for the first one. So who never calls tend keeps what is not idle now,
 * and a slab that was made with all of its blocks at once, which are one region, keeps them to its end. */
void zc_slab_set_bounds (ZcSlab *slab, guint min_blocks, guint max_blocks);

/* Few blocks are left, and there may be more: tend is to be called soon. Lock-free. */
gboolean zc_slab_is_low (const ZcSlab *slab);

/* Doubles a slab that is low. Of one that is above min_blocks, gives memory back that nobody needed for
 * ZC_POOL_QUIET_US: what is left is twice what was out at most. Returns in how many us it wants to be called again, -1
 * for when it is low. */
gint64 zc_slab_tend (ZcSlab *slab, gint64 now_us);

/* Nobody takes from it any more: regions that are idle go, the first as well; of the others the hook strips every idle
 * block. */
void zc_slab_retire (ZcSlab *slab);

gsize zc_slab_block_bytes (const ZcSlab *slab);

/* Blocks that exist; bytes of the system's memory that they take; blocks that are out / that were out at once at most;
 * regions made after the start. */
guint zc_slab_size (const ZcSlab *slab);
gsize zc_slab_bytes (const ZcSlab *slab);
guint zc_slab_outstanding (const ZcSlab *slab);
guint zc_slab_high_water (const ZcSlab *slab);
guint zc_slab_growths (const ZcSlab *slab);

/* What the system says of the memory of all blocks; see zc_pages_read(). Any thread. */
ZcPagesState zc_slab_read_pages (ZcSlab *slab);

G_END_DECLS
