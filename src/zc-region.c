/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-region.h"

#include "zc-stack.h"

#define CACHE_LINE 64

struct _ZcRegion {
  const ZcSlabHooks *hooks;
  ZcStack *idle;
  guint8 *blocks; /* ZcBlock and the user's header, each on cache lines of its own */
  gsize block_stride_bytes;
  gsize data_stride_bytes;
  guint room;

  /* Of fill and drain: */
  guint n; /* blocks that have memory, the first of them */
  guint8 *data;
};

static gsize
whole_lines (gsize bytes)
{
  return (bytes + CACHE_LINE - 1) & ~(gsize) (CACHE_LINE - 1);
}

static ZcBlock *
nth (const ZcRegion *region, guint i)
{
  return (ZcBlock *) (region->blocks + i * region->block_stride_bytes);
}

ZcRegion *
zc_region_new (ZcSlab *slab, guint room, gsize block_bytes, gsize header_bytes, const ZcSlabHooks *hooks)
{
  ZcRegion *region = g_new0 (ZcRegion, 1);

  region->hooks = hooks;
  region->idle = zc_stack_new (room);
  region->room = room;
  region->data_stride_bytes = whole_lines (block_bytes);
  region->block_stride_bytes = whole_lines (sizeof (ZcBlock) + header_bytes);
  region->blocks = g_aligned_alloc0 (room, region->block_stride_bytes, CACHE_LINE);
  for (guint i = 0; i < room; i++)
    *nth (region, i) = (ZcBlock){ .slab = slab, .region = region, .header = nth (region, i) + 1 };
  return region;
}

void
zc_region_free (ZcRegion *region)
{
  g_aligned_free (region->data);
  g_aligned_free (region->blocks);
  zc_stack_free (region->idle);
  g_free (region);
}

guint
zc_region_room (const ZcRegion *region)
{
  return region->room;
}

void
zc_region_fill (ZcRegion *region, guint n, ZcBlock **first)
{
  g_assert (region->data == NULL && n > 0 && n <= region->room);

  /* Zeroed, which also has the system back every page now and not under a packet. */
  region->data = g_aligned_alloc0 (n, region->data_stride_bytes, CACHE_LINE);
  region->n = n;
  for (guint i = n; i-- > 0;) {
    ZcBlock *block = nth (region, i);
    block->data = region->data + i * region->data_stride_bytes;
    if (region->hooks != NULL)
      region->hooks->dress (block, region->hooks->data);
    if (i == 0 && first != NULL)
      *first = block;
    else
      zc_stack_push (region->idle, block);
  }
}

/* Takes all idle blocks out; returns how many. */
static guint
collect (ZcRegion *region, ZcBlock **blocks)
{
  guint n = 0;

  while (n < region->n && (blocks[n] = zc_stack_pop (region->idle)) != NULL)
    n++;
  return n;
}

static void
strip (ZcRegion *region, ZcBlock **blocks, guint n)
{
  for (guint i = 0; i < n && region->hooks != NULL; i++)
    region->hooks->strip (blocks[i]);
}

static void
push_all (ZcRegion *region, ZcBlock **blocks, guint n)
{
  while (n > 0)
    zc_stack_push (region->idle, blocks[--n]);
}

gboolean
zc_region_is_idle (const ZcRegion *region)
{
  return zc_stack_length (region->idle) == region->n;
}

gboolean
zc_region_drain (ZcRegion *region)
{
  g_autofree ZcBlock **blocks = NULL;
  guint n;

  if (!zc_region_is_idle (region))
    return FALSE;
  blocks = g_new (ZcBlock *, region->n);
  n = collect (region, blocks);
  if (n < region->n) {
    push_all (region, blocks, n);
    return FALSE;
  }
  strip (region, blocks, n);
  g_clear_pointer (&region->data, g_aligned_free);
  region->n = 0;
  return TRUE;
}

void
zc_region_strip (ZcRegion *region)
{
  g_autofree ZcBlock **blocks = g_new (ZcBlock *, region->n + 1);
  guint n = collect (region, blocks);

  strip (region, blocks, n);
  push_all (region, blocks, n);
}

ZcBlock *
zc_region_pop (ZcRegion *region)
{
  return zc_stack_pop (region->idle);
}

void
zc_region_push (ZcBlock *block)
{
  zc_stack_push (block->region->idle, block);
}
