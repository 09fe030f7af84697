/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-region.h"

#include "zc-cache-line.h"
#include "zc-stack.h"

struct _ZcRegion {
  const ZcSlabSpec *spec;
  ZcStack *idle;
  guint8 *blocks; /* ZcBlock and the user's header, each on cache lines of its own */
  gsize block_stride_bytes;
  gsize data_stride_bytes;
  guint room;

  /* Of fill and drain: */
  guint n; /* blocks that have memory, the first of them */
  ZcPages pages;
};

static gsize
whole_lines (gsize bytes)
{
  return (bytes + ZC_CACHE_LINE_BYTES - 1) & ~(gsize) (ZC_CACHE_LINE_BYTES - 1);
}

static ZcBlock *
nth (const ZcRegion *region, guint i)
{
  return (ZcBlock *) (region->blocks + i * region->block_stride_bytes);
}

ZcRegion *
zc_region_new (ZcSlab *slab, guint room, const ZcSlabSpec *spec)
{
  ZcRegion *region = g_new0 (ZcRegion, 1);

  region->spec = spec;
  region->idle = zc_stack_new (room);
  region->room = room;
  region->data_stride_bytes = whole_lines (spec->block_bytes);
  region->block_stride_bytes = whole_lines (sizeof (ZcBlock) + spec->header_bytes);
  region->blocks = g_aligned_alloc0 (room, region->block_stride_bytes, ZC_CACHE_LINE_BYTES);
  for (guint i = 0; i < room; i++)
    *nth (region, i) = (ZcBlock){ .slab = slab, .region = region, .header = nth (region, i) + 1 };
  return region;
}

void
zc_region_free (ZcRegion *region)
{
  if (region->n > 0)
    zc_pages_put (&region->pages);
  g_aligned_free (region->blocks);
  zc_stack_free (region->idle);
  g_free (region);
}

guint
zc_region_room (const ZcRegion *region)
{
  return region->room;
}

gboolean
zc_region_fill (ZcRegion *region, guint n, ZcBlock **first)
{
  gsize bytes;

  g_assert (region->n == 0 && n > 0 && n <= region->room);
  if (!g_size_checked_mul (&bytes, n, region->data_stride_bytes)
      || !zc_pages_get (&region->pages, bytes, &region->spec->pages))
    return FALSE;
  region->n = n;
  for (guint i = n; i-- > 0;) {
    ZcBlock *block = nth (region, i);
    block->data = region->pages.data + i * region->data_stride_bytes;
    if (region->spec->hooks != NULL)
      region->spec->hooks->dress (block, region->spec->hooks->data);
    if (i == 0 && first != NULL)
      *first = block;
    else
      zc_stack_push (region->idle, block);
  }
  return TRUE;
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
  for (guint i = 0; i < n && region->spec->hooks != NULL; i++)
    region->spec->hooks->strip (blocks[i]);
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
  g_autofree ZcBlock **blocks = g_new (ZcBlock *, region->n);
  guint n = collect (region, blocks);

  if (n < region->n) {
    push_all (region, blocks, n);
    return FALSE;
  }
  strip (region, blocks, n);
  zc_pages_put (&region->pages);
  region->n = 0;
  return TRUE;
}

guint
zc_region_size (const ZcRegion *region)
{
  return region->n;
}

gsize
zc_region_bytes (const ZcRegion *region)
{
  return region->n > 0 ? region->pages.bytes : 0;
}

void
zc_region_read_pages (const ZcRegion *region, ZcPagesState *state)
{
  zc_pages_read (&region->pages, state);
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
