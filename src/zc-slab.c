/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-slab.h"

#include "zc-cache-line.h"
#include "zc-limits.h"
#include "zc-region.h"

#include <stdatomic.h>

/* The first half may be of one block each, as bounds move by small steps; then each makes the slab a quarter larger at
 * least (see reserve_more): 40 regions of one block, and 40 times a quarter more, is 250,000, four times the highest
 * number. */
#define MAX_REGIONS 80

/* A place for a region. Whoever sets `busy` is the only one to fill or drain it; no lock is needed, and nobody
 * waits. */
typedef struct {
  _Atomic gboolean busy; /* also as long as it is no place yet */
  _Atomic (ZcRegion *) region; /* set once */
} Slot;

struct _ZcSlab {
  ZcSlabSpec spec;
  _Atomic guint min_blocks;
  _Atomic guint max_blocks;
  _Atomic guint n_slots;
  _Atomic guint reserved;  /* blocks that regions have or are to have */
  _Atomic guint size;      /* those that they have */
  _Atomic gsize bytes;     /* that the regions have of the system */
  _Atomic guint in_flight; /* regions that are filled ahead of need, or drained */
  _Atomic guint growths;
  Slot slots[MAX_REGIONS];
  gint64 quiet_since_us; /* of tend */
  GMutex reading; /* guards nothing: a region that one reader is busy with would not be there for another */

  guint8 pad[ZC_CACHE_LINE_BYTES]; /* what follows changes with every block; the above is read with every block */

  _Atomic guint refs; /* one for the owner, one for each block that is out */
  _Atomic gboolean owned;
  _Atomic guint peak; /* most blocks out since tend looked */
  _Atomic guint high_water;

  guint8 end_pad[ZC_CACHE_LINE_BYTES];
};

/* -- regions ----------------------------------------------------------------------------------------------------- */

static gboolean
claim (Slot *slot)
{
  gboolean idle = FALSE;

  return atomic_compare_exchange_strong (&slot->busy, &idle, TRUE);
}

/* Blocks that it has; of who is busy with it. */
static guint
blocks_of (Slot *slot)
{
  ZcRegion *region = atomic_load_explicit (&slot->region, memory_order_relaxed);

  return region != NULL ? zc_region_size (region) : 0;
}

static void
unclaim (Slot *slot)
{
  atomic_store (&slot->busy, FALSE);
}

/* A slot whose region has no memory, to be filled. NULL if there is none and can be none. */
static Slot *
claim_empty (ZcSlab *slab)
{
  guint n_slots = atomic_load (&slab->n_slots);

  for (guint i = 0; i < n_slots; i++) {
    Slot *slot = &slab->slots[i];
    if (!claim (slot))
      continue;
    if (blocks_of (slot) == 0)
      return slot;
    unclaim (slot);
  }
  do {
    n_slots = atomic_load (&slab->n_slots);
    if (n_slots == MAX_REGIONS)
      return NULL;
  } while (!atomic_compare_exchange_strong (&slab->n_slots, &n_slots, n_slots + 1));
  return &slab->slots[n_slots];
}

/* The newest region that is idle and without which the slab has `keep` blocks. NULL if there is none. Never the first:
 * that stays, so that all others can go. */
static Slot *
claim_idle (ZcSlab *slab, guint keep)
{
  for (guint i = atomic_load (&slab->n_slots); i-- > 1;) {
    Slot *slot = &slab->slots[i];
    if (!claim (slot))
      continue;
    if (blocks_of (slot) > 0 && atomic_load (&slab->size) >= keep + blocks_of (slot)
        && zc_region_is_idle (slot->region))
      return slot;
    unclaim (slot);
  }
  return NULL;
}

/* Up to n blocks beyond those there are; returns how many there may be. */
static guint
reserve (ZcSlab *slab, guint n)
{
  guint reserved = atomic_load (&slab->reserved), most;

  do {
    guint max_blocks = atomic_load (&slab->max_blocks);
    most = max_blocks > reserved ? MIN (n, max_blocks - reserved) : 0;
  } while (!atomic_compare_exchange_weak (&slab->reserved, &reserved, reserved + most));
  return most;
}

/* Bounds that move by small steps would use up all places with small regions. When half are gone, steps are a quarter
 * at least, even if that is beyond the highest bound, which holds for what is out in any case. */
static guint
reserve_more (ZcSlab *slab, guint n)
{
  guint quarter = atomic_load (&slab->n_slots) < MAX_REGIONS / 2 ? 0 : atomic_load (&slab->size) / 4;

  if (n >= quarter)
    return n;
  atomic_fetch_add (&slab->reserved, quarter - n);
  return quarter;
}

/* Memory for n blocks that were reserved, or for as many as a region that is empty has room for. FALSE if none can be
 * made. */
static gboolean
fill (ZcSlab *slab, guint n, ZcBlock **first)
{
  Slot *slot = claim_empty (slab);
  guint filled;

  n = reserve_more (slab, n);
  if (slot == NULL) {
    atomic_fetch_sub (&slab->reserved, n);
    return FALSE;
  }
  if (slot->region == NULL)
    atomic_store_explicit (&slot->region, zc_region_new (slab, n, &slab->spec), memory_order_release);
  filled = MIN (n, zc_region_room (slot->region));
  atomic_fetch_sub (&slab->reserved, n - filled);
  if (!zc_region_fill (slot->region, filled, first)) {
    atomic_fetch_sub (&slab->reserved, filled);
    unclaim (slot);
    return FALSE;
  }
  atomic_fetch_add (&slab->size, filled);
  atomic_fetch_add (&slab->bytes, zc_region_bytes (slot->region));
  atomic_fetch_add_explicit (&slab->growths, 1, memory_order_relaxed);
  unclaim (slot);
  return TRUE;
}

/* Up to n more, ahead of need. FALSE if there can be none. */
static gboolean
grow (ZcSlab *slab, guint n)
{
  gboolean grown;

  atomic_fetch_add (&slab->in_flight, 1);
  n = reserve (slab, n);
  grown = n > 0 && fill (slab, n, NULL);
  atomic_fetch_sub (&slab->in_flight, 1);
  return grown;
}

/* The region of a slot that is claimed goes, if all of it is idle. */
static gboolean
give_back (ZcSlab *slab, Slot *slot)
{
  gsize bytes = zc_region_bytes (slot->region);
  guint n = blocks_of (slot);
  gboolean drained;

  atomic_fetch_add (&slab->in_flight, 1);
  atomic_fetch_sub (&slab->reserved, n); /* a burst that comes now makes new ones */
  atomic_fetch_sub (&slab->size, n);
  drained = zc_region_drain (slot->region);
  if (drained) {
    atomic_fetch_sub (&slab->bytes, bytes);
  } else {
    atomic_fetch_add (&slab->reserved, n);
    atomic_fetch_add (&slab->size, n);
  }
  atomic_fetch_sub (&slab->in_flight, 1);
  return drained;
}

/* A region that is idle goes, if `keep` blocks are left. FALSE if there is none. */
static gboolean
shrink (ZcSlab *slab, guint keep)
{
  Slot *slot = claim_idle (slab, keep);
  gboolean drained;

  if (slot == NULL)
    return FALSE;
  drained = give_back (slab, slot);
  unclaim (slot);
  return drained;
}

/* -- life -------------------------------------------------------------------------------------------------------- */

ZcSlab *
zc_slab_new (const ZcSlabSpec *spec)
{
  ZcSlab *slab;

  g_assert (spec->block_bytes > 0 && spec->min_blocks <= spec->max_blocks && spec->max_blocks > 0
      && spec->max_blocks <= ZC_MAX_BLOCKS);
  slab = g_new0 (ZcSlab, 1);
  slab->spec = *spec;
  g_mutex_init (&slab->reading);
  atomic_init (&slab->refs, 1);
  atomic_init (&slab->owned, TRUE);
  atomic_init (&slab->min_blocks, spec->min_blocks);
  atomic_init (&slab->max_blocks, spec->max_blocks);
  for (guint i = 0; i < MAX_REGIONS; i++)
    atomic_init (&slab->slots[i].busy, TRUE);
  if (!grow (slab, spec->min_blocks) && spec->min_blocks > 0)
    g_clear_pointer (&slab, zc_slab_release);
  else
    atomic_store (&slab->growths, 0);
  return slab;
}

static void
unref (ZcSlab *slab)
{
  if (atomic_fetch_sub_explicit (&slab->refs, 1, memory_order_acq_rel) > 1)
    return;

  for (guint i = 0; i < atomic_load (&slab->n_slots); i++)
    if (slab->slots[i].region != NULL)
      zc_region_free (slab->slots[i].region);
  g_mutex_clear (&slab->reading);
  g_free (slab);
}

void
zc_slab_release (ZcSlab *slab)
{
  atomic_store (&slab->owned, FALSE);
  unref (slab);
}

/* -- blocks ------------------------------------------------------------------------------------------------------ */

static ZcBlock *
pop (ZcSlab *slab)
{
  guint n_slots = atomic_load_explicit (&slab->n_slots, memory_order_acquire);
  ZcBlock *block = NULL;

  for (guint i = 0; i < n_slots && block == NULL; i++) {
    ZcRegion *region = atomic_load_explicit (&slab->slots[i].region, memory_order_acquire);
    if (region != NULL)
      block = zc_region_pop (region);
  }
  return block;
}

/* None is idle: one is made, and a few with it. NULL if that cannot be; *wait then says if there will be an idle one in
 * a moment. */
static ZcBlock *
make (ZcSlab *slab, gboolean *wait)
{
  guint n = reserve (slab, MAX (atomic_load (&slab->size) / 4, 1));
  ZcBlock *block = NULL;

  /* There are enough, and fewer than all are out: one was given back just behind our search. Or they are being made, or
   * being given back to the system, by a thread that is in less of a hurry: then one beyond the bound. */
  *wait = n == 0 && atomic_load (&slab->in_flight) == 0;
  if (*wait)
    return NULL;
  if (n == 0)
    atomic_fetch_add (&slab->reserved, n = 1);
  return fill (slab, n, &block) ? block : NULL;
}

static void
raise_to (_Atomic guint *most, guint n)
{
  guint old = atomic_load_explicit (most, memory_order_relaxed);

  while (n > old && !atomic_compare_exchange_weak (most, &old, n))
    ;
}

/* One by one: the peak may have been set anew, higher than the other, while somebody who got none was counted. */
static void
note_peak (ZcSlab *slab, guint out)
{
  raise_to (&slab->peak, out);
  raise_to (&slab->high_water, out);
}

/* Who waits looks at the bound again: it may be lower by now, and then there is nothing to wait for. */
static ZcBlock *
pop_or_make (ZcSlab *slab, gboolean *grew)
{
  gboolean wait;
  ZcBlock *block;

  do {
    block = pop (slab);
    if (block != NULL)
      return block;
    block = make (slab, &wait);
  } while (block == NULL && wait && zc_slab_outstanding (slab) <= atomic_load (&slab->max_blocks));
  *grew = block != NULL;
  return block;
}

ZcBlock *
zc_slab_take (ZcSlab *slab, gboolean *grew)
{
  guint out = atomic_fetch_add_explicit (&slab->refs, 1, memory_order_relaxed); /* this one included, the owner not */
  ZcBlock *block = NULL;

  *grew = FALSE;
  if (out <= atomic_load_explicit (&slab->max_blocks, memory_order_relaxed))
    block = pop_or_make (slab, grew);
  if (block != NULL)
    note_peak (slab, out);
  else
    atomic_fetch_sub_explicit (&slab->refs, 1, memory_order_relaxed);
  return block;
}

void
zc_block_give (ZcBlock *block)
{
  ZcSlab *slab = block->slab;

  zc_region_push (block);
  unref (slab);
}

/* -- bounds ------------------------------------------------------------------------------------------------------ */

void
zc_slab_set_bounds (ZcSlab *slab, guint min_blocks, guint max_blocks)
{
  guint size;

  g_assert (min_blocks <= max_blocks && max_blocks > 0 && max_blocks <= ZC_MAX_BLOCKS);
  atomic_store (&slab->min_blocks, min_blocks);
  atomic_store (&slab->max_blocks, max_blocks);
  while ((size = atomic_load (&slab->size)) < min_blocks && grow (slab, min_blocks - size))
    ;
  while (atomic_load (&slab->size) > max_blocks && shrink (slab, min_blocks))
    ;
}

gboolean
zc_slab_is_low (const ZcSlab *slab)
{
  guint size = atomic_load_explicit (&slab->size, memory_order_relaxed);
  guint out = zc_slab_outstanding (slab);

  return size < atomic_load_explicit (&slab->max_blocks, memory_order_relaxed) && out + (size + 3) / 4 > size;
}

gint64
zc_slab_tend (ZcSlab *slab, gint64 now_us)
{
  if (zc_slab_is_low (slab)) {
    guint wanted = 2 * MAX (atomic_load (&slab->size), 1), size;
    while ((size = atomic_load (&slab->size)) < wanted && grow (slab, wanted - size))
      ;
    slab->quiet_since_us = now_us;
  }
  if (now_us - slab->quiet_since_us >= ZC_POOL_QUIET_US) {
    guint peak = atomic_exchange (&slab->peak, zc_slab_outstanding (slab));
    while (shrink (slab, MAX (atomic_load (&slab->min_blocks), 2 * peak)))
      ;
    slab->quiet_since_us = now_us;
  }
  if (atomic_load (&slab->size) <= MAX (atomic_load (&slab->min_blocks), slab->spec.min_blocks))
    return -1;
  return slab->quiet_since_us + ZC_POOL_QUIET_US - now_us;
}

void
zc_slab_retire (ZcSlab *slab)
{
  g_mutex_lock (&slab->reading); /* nobody else is busy with one */
  for (guint i = 0; i < atomic_load (&slab->n_slots); i++) {
    Slot *slot = &slab->slots[i];
    if (!claim (slot))
      continue;
    if (blocks_of (slot) > 0 && !give_back (slab, slot))
      zc_region_strip (slot->region);
    unclaim (slot);
  }
  g_mutex_unlock (&slab->reading);
}

/* -- getters ----------------------------------------------------------------------------------------------------- */

gsize
zc_slab_block_bytes (const ZcSlab *slab)
{
  return slab->spec.block_bytes;
}

guint
zc_slab_size (const ZcSlab *slab)
{
  return atomic_load_explicit (&slab->size, memory_order_relaxed);
}

gsize
zc_slab_bytes (const ZcSlab *slab)
{
  return atomic_load_explicit (&slab->bytes, memory_order_relaxed);
}

guint
zc_slab_outstanding (const ZcSlab *slab)
{
  guint refs = atomic_load_explicit (&slab->refs, memory_order_relaxed);

  return atomic_load_explicit (&slab->owned, memory_order_relaxed) ? refs - 1 : refs;
}

guint
zc_slab_high_water (const ZcSlab *slab)
{
  return atomic_load_explicit (&slab->high_water, memory_order_relaxed);
}

guint
zc_slab_growths (const ZcSlab *slab)
{
  return atomic_load_explicit (&slab->growths, memory_order_relaxed);
}

ZcPagesState
zc_slab_read_pages (ZcSlab *slab)
{
  ZcPagesState state = ZC_PAGES_STATE_NONE;

  g_mutex_lock (&slab->reading);
  for (guint i = 0; i < atomic_load (&slab->n_slots); i++) {
    Slot *slot = &slab->slots[i];
    if (!claim (slot)) /* it comes or goes just now */
      continue;
    if (blocks_of (slot) > 0)
      zc_region_read_pages (slot->region, &state);
    unclaim (slot);
  }
  g_mutex_unlock (&slab->reading);
  return state;
}
