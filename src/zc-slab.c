/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-slab.h"

#include "zc-limits.h"
#include "zc-stack.h"

#include <stdatomic.h>

#define CACHE_LINE 64

struct _ZcSlab {
  _Atomic guint refs; /* one for the owner, one for each block that is out */
  _Atomic gboolean owned;
  gsize block_bytes;
  gsize stride_bytes;
  gsize header_bytes;
  guint max_blocks;
  ZcStack *free;
  guint8 *first_region; /* data of the first min_blocks blocks, one piece */

  GMutex growing; /* guards `blocks` and what n_blocks counts; innermost, held while allocating only */
  ZcBlock **blocks;
  _Atomic guint n_blocks;
  guint n_first;
};

static ZcBlock *
add_block (ZcSlab *slab, guint8 *data)
{
  ZcBlock *block = g_malloc0 (sizeof *block + slab->header_bytes);

  block->slab = slab;
  block->data = data;
  block->header = block + 1;
  slab->blocks[atomic_fetch_add (&slab->n_blocks, 1)] = block;
  return block;
}

ZcSlab *
zc_slab_new (gsize block_bytes, gsize header_bytes, guint min_blocks, guint max_blocks)
{
  ZcSlab *slab;

  g_assert (block_bytes > 0 && min_blocks <= max_blocks && max_blocks > 0 && max_blocks <= ZC_MAX_BLOCKS);
  slab = g_new0 (ZcSlab, 1);
  atomic_init (&slab->refs, 1);
  atomic_init (&slab->owned, TRUE);
  slab->block_bytes = block_bytes;
  slab->stride_bytes = (block_bytes + CACHE_LINE - 1) & ~(gsize) (CACHE_LINE - 1);
  slab->header_bytes = header_bytes;
  slab->max_blocks = max_blocks;
  slab->free = zc_stack_new (max_blocks);
  slab->blocks = g_new0 (ZcBlock *, max_blocks);
  slab->n_first = min_blocks;
  g_mutex_init (&slab->growing);

  /* Zeroed, which also has the system back every page now and not under the first packet. */
  if (min_blocks > 0)
    slab->first_region = g_aligned_alloc0 (min_blocks, slab->stride_bytes, CACHE_LINE);
  for (guint i = 0; i < min_blocks; i++)
    zc_stack_push (slab->free, add_block (slab, slab->first_region + i * slab->stride_bytes));
  return slab;
}

static void
unref (ZcSlab *slab)
{
  guint n_blocks;

  if (atomic_fetch_sub_explicit (&slab->refs, 1, memory_order_acq_rel) > 1)
    return;

  n_blocks = atomic_load (&slab->n_blocks);
  for (guint i = 0; i < n_blocks; i++) {
    if (i >= slab->n_first)
      g_aligned_free (slab->blocks[i]->data);
    g_free (slab->blocks[i]);
  }
  g_aligned_free (slab->first_region);
  zc_stack_free (slab->free);
  g_free (slab->blocks);
  g_mutex_clear (&slab->growing);
  g_free (slab);
}

void
zc_slab_release (ZcSlab *slab)
{
  atomic_store (&slab->owned, FALSE);
  unref (slab);
}

static ZcBlock *
grow (ZcSlab *slab)
{
  ZcBlock *block = NULL;

  g_mutex_lock (&slab->growing);
  if (atomic_load (&slab->n_blocks) < slab->max_blocks)
    block = add_block (slab, g_aligned_alloc0 (1, slab->stride_bytes, CACHE_LINE));
  g_mutex_unlock (&slab->growing);
  return block;
}

ZcBlock *
zc_slab_take (ZcSlab *slab, gboolean *grew)
{
  ZcBlock *block = zc_stack_pop (slab->free);

  *grew = FALSE;
  if (block == NULL) {
    block = grow (slab);
    *grew = block != NULL;
  }
  if (block != NULL)
    atomic_fetch_add_explicit (&slab->refs, 1, memory_order_relaxed);
  return block;
}

void
zc_block_give (ZcBlock *block)
{
  ZcSlab *slab = block->slab;

  zc_stack_push (slab->free, block);
  unref (slab);
}

gsize
zc_slab_block_bytes (const ZcSlab *slab)
{
  return slab->block_bytes;
}

guint
zc_slab_size (const ZcSlab *slab)
{
  return atomic_load_explicit (&slab->n_blocks, memory_order_relaxed);
}

guint
zc_slab_outstanding (const ZcSlab *slab)
{
  guint refs = atomic_load_explicit (&slab->refs, memory_order_relaxed);

  return atomic_load_explicit (&slab->owned, memory_order_relaxed) ? refs - 1 : refs;
}
