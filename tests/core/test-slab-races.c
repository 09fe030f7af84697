/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What another thread does to a slab just then, forced: the slab's own calls of its regions are ours. */
#include "zc-region.h"

static void (*before_pop) (ZcSlab *slab); /* once */
static ZcSlab *slab;

static ZcBlock *
pop_later (ZcRegion *region)
{
  void (*meanwhile) (ZcSlab *slab) = g_steal_pointer (&before_pop);

  if (meanwhile != NULL)
    meanwhile (slab);
  return zc_region_pop (region);
}

static void
read_slowly (const ZcRegion *region, ZcPagesState *state)
{
  g_usleep (10);
  zc_region_read_pages (region, state);
}

static gboolean no_memory;

static gboolean
fill_if_there_is_memory (ZcRegion *region, guint n, ZcBlock **first)
{
  return !no_memory && zc_region_fill (region, n, first);
}

#define zc_region_fill       fill_if_there_is_memory
#define zc_region_pop        pop_later
#define zc_region_read_pages read_slowly
#include "../../src/zc-slab.c"

static ZcSlab *
new_slab (guint min_blocks, guint max_blocks)
{
  ZcSlabSpec spec = { 64, 0, min_blocks, max_blocks, ZC_PAGES_WISH_NONE, NULL };

  return zc_slab_new (&spec);
}

static void
lower_the_bound (ZcSlab *slab)
{
  zc_slab_set_bounds (slab, 1, 2);
}

/* It may have a third when it comes, and may not when it has looked for one: it does not wait for what nobody gives
 * back. */
static void
bound_is_lowered_while_one_is_taken (void)
{
  ZcBlock *first, *second;
  gboolean grew;

  slab = new_slab (2, 3);
  first = zc_slab_take (slab, &grew);
  second = zc_slab_take (slab, &grew);
  before_pop = lower_the_bound;
  g_assert_null (zc_slab_take (slab, &grew));
  g_assert_false (grew);
  g_assert_cmpuint (zc_slab_outstanding (slab), ==, 2);
  zc_block_give (first);
  first = zc_slab_take (slab, &grew);
  g_assert_nonnull (first);
  zc_block_give (first);
  zc_block_give (second);
  zc_slab_release (slab);
}

static void
have_it_tended (ZcSlab *slab)
{
  zc_slab_tend (slab, ZC_POOL_QUIET_US);
}

/* The one that is being taken is counted when a new period begins, so that it is no new peak; most of all it is. */
static void
high_water_is_seen_across_a_period (void)
{
  ZcBlock *block;
  gboolean grew;

  slab = new_slab (4, 4);
  before_pop = have_it_tended;
  block = zc_slab_take (slab, &grew);
  g_assert_cmpuint (zc_slab_high_water (slab), ==, 1);
  zc_block_give (block);
  zc_slab_release (slab);
}

static gpointer
read_often (gpointer data)
{
  for (guint i = 0; i < 50; i++)
    g_assert_cmpuint (zc_slab_read_pages (slab).bytes, ==, zc_slab_bytes (slab));
  return NULL;
}

/* One that is being read by one is there for the other, too. */
static void
readers_see_all_regions (void)
{
  GThread *other;

  slab = new_slab (1, 8);
  zc_slab_set_bounds (slab, 4, 8);
  zc_slab_set_bounds (slab, 8, 8);
  other = g_thread_new ("read-often", read_often, NULL);
  read_often (NULL);
  g_thread_join (other);
  zc_slab_release (slab);
}

/* It stays as small as it is, and grows when there is memory again. */
static void
without_memory_it_does_not_grow (void)
{
  ZcBlock *first, *second;
  gboolean grew;

  slab = new_slab (1, 64);
  first = zc_slab_take (slab, &grew);
  no_memory = TRUE;
  for (guint i = 0; i < 2 * MAX_REGIONS; i++) {
    g_assert_null (zc_slab_take (slab, &grew));
    g_assert_false (grew);
    g_assert_cmpint (zc_slab_tend (slab, 0), ==, -1);
    zc_slab_set_bounds (slab, 8, 64);
    zc_slab_set_bounds (slab, 1, 64);
  }
  g_assert_cmpuint (zc_slab_size (slab), ==, 1);
  g_assert_cmpuint (zc_slab_outstanding (slab), ==, 1);
  g_assert_cmpuint (zc_slab_growths (slab), ==, 0);
  no_memory = FALSE;
  zc_slab_set_bounds (slab, 64, 64);
  g_assert_cmpuint (zc_slab_size (slab), ==, 64);
  second = zc_slab_take (slab, &grew);
  g_assert_nonnull (second);
  zc_block_give (first);
  zc_block_give (second);
  zc_slab_release (slab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/slab-races/bound-is-lowered-while-one-is-taken", bound_is_lowered_while_one_is_taken);
  g_test_add_func ("/slab-races/high-water-is-seen-across-a-period", high_water_is_seen_across_a_period);
  g_test_add_func ("/slab-races/without-memory-it-does-not-grow", without_memory_it_does_not_grow);
  g_test_add_func ("/slab-races/readers-see-all-regions", readers_see_all_regions);
  return g_test_run ();
}
