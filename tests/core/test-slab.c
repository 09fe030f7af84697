/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-slab.h"

#include "zc-limits.h"
#include "zc-region.h"

#include <stdatomic.h>
#include <string.h>

static ZcSlab *
new_slab (gsize block_bytes, gsize header_bytes, guint min_blocks, guint max_blocks)
{
  ZcSlabSpec spec = { block_bytes, header_bytes, min_blocks, max_blocks, ZC_PAGES_WISH_NONE, NULL };

  return zc_slab_new (&spec);
}

static ZcBlock *
take (ZcSlab *slab, gboolean expect_growth)
{
  gboolean grew;
  ZcBlock *block = zc_slab_take (slab, &grew);

  g_assert_cmpint (grew, ==, expect_growth);
  return block;
}

static void
blocks_stand_apart (void)
{
  ZcSlab *slab = new_slab (100, 0, 2, 3);
  ZcBlock *blocks[3] = { take (slab, FALSE), take (slab, FALSE), take (slab, TRUE) };

  for (guint i = 0; i < 3; i++) {
    g_assert_cmpuint ((guintptr) blocks[i]->data % 64, ==, 0);
    memset (blocks[i]->data, (int) i, 100);
  }
  for (guint i = 0; i < 3; i++) {
    for (guint j = 0; j < 100; j++)
      g_assert_cmpuint (blocks[i]->data[j], ==, i);
    zc_block_give (blocks[i]);
  }
  zc_slab_release (slab);
}

static void
bound_holds (void)
{
  ZcSlab *slab = new_slab (64, 0, 1, 2);
  ZcBlock *first = take (slab, FALSE);
  ZcBlock *second = take (slab, TRUE);

  g_assert_null (take (slab, FALSE));
  g_assert_cmpuint (zc_slab_outstanding (slab), ==, 2);
  zc_block_give (first);
  g_assert_true (take (slab, FALSE) == first);
  g_assert_cmpuint (zc_slab_size (slab), ==, 2);
  zc_block_give (first);
  zc_block_give (second);
  g_assert_cmpuint (zc_slab_outstanding (slab), ==, 0);
  zc_slab_release (slab);
}

static void
header_is_kept (void)
{
  ZcSlab *slab = new_slab (64, sizeof (guint), 1, 1);
  ZcBlock *block = take (slab, FALSE);

  g_assert_cmpuint (*(guint *) block->header, ==, 0);
  *(guint *) block->header = 7;
  zc_block_give (block);
  block = take (slab, FALSE);
  g_assert_cmpuint (*(guint *) block->header, ==, 7);
  zc_block_give (block);
  zc_slab_release (slab);
}

/* Under ASan this is also the proof that nothing is freed early or never. */
static void
block_outlives_the_owner (void)
{
  ZcSlab *slab = new_slab (64, 0, 1, 2);
  ZcBlock *first = take (slab, FALSE);
  ZcBlock *second = take (slab, TRUE);

  memset (first->data, 1, 64);
  memset (second->data, 2, 64);
  zc_slab_release (slab);
  g_assert_cmpuint (zc_slab_outstanding (slab), ==, 2);
  zc_block_give (second);
  g_assert_cmpuint (first->data[63], ==, 1);
  zc_block_give (first);
}

#define N_ROUNDS 100000

static gpointer
fill_and_check (gpointer data)
{
  ZcSlab *slab = data;

  for (guint i = 0; i < N_ROUNDS; i++) {
    gboolean grew;
    ZcBlock *block = zc_slab_take (slab, &grew);
    guint64 mine = (guintptr) &grew ^ i;
    if (block == NULL)
      continue;
    memcpy (block->data, &mine, sizeof mine);
    g_assert_cmpmem (block->data, sizeof mine, &mine, sizeof mine);
    zc_block_give (block);
  }
  return NULL;
}

static void
threads_grow_it_together (void)
{
  ZcSlab *slab = new_slab (sizeof (guint64), 0, 0, 3);
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("fill-and-check", fill_and_check, slab);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (zc_slab_size (slab), <=, 3);
  g_assert_cmpuint (zc_slab_outstanding (slab), ==, 0);
  zc_slab_release (slab);
}

/* Headers are written by whoever refs and unrefs, in any thread. */
static void
headers_stand_apart (void)
{
  ZcSlab *slab = new_slab (8, 8, 2, 2);
  ZcBlock *first = take (slab, FALSE), *second = take (slab, FALSE);

  g_assert_cmpuint ((guintptr) first / 64, !=, (guintptr) second / 64);
  g_assert_cmpuint ((guintptr) first->header / 64, !=, (guintptr) second / 64);
  g_assert_cmpuint ((guintptr) second->header / 64, !=, (guintptr) first / 64);
  zc_block_give (first);
  zc_block_give (second);
  zc_slab_release (slab);
}

static void
take_all (ZcSlab *slab, ZcBlock **blocks, guint n)
{
  for (guint i = 0; i < n; i++)
    blocks[i] = take (slab, FALSE);
}

static void
give_all (ZcBlock **blocks, guint n)
{
  for (guint i = 0; i < n; i++)
    zc_block_give (blocks[i]);
}

/* take() of take_all() fails if it had to make one itself. */
static void
grows_ahead_of_need (void)
{
  ZcSlab *slab = new_slab (64, 0, 4, 20);
  ZcBlock *blocks[20];

  g_assert_cmpint (zc_slab_tend (slab, 0), ==, -1);
  take_all (slab, blocks, 3);
  g_assert_false (zc_slab_is_low (slab));
  take_all (slab, blocks + 3, 1);
  g_assert_true (zc_slab_is_low (slab));
  g_assert_cmpint (zc_slab_tend (slab, 0), ==, ZC_POOL_QUIET_US);
  g_assert_cmpuint (zc_slab_size (slab), ==, 8);
  for (guint i = 4; i < 20; i++) {
    take_all (slab, blocks + i, 1);
    if (zc_slab_is_low (slab))
      zc_slab_tend (slab, 0);
  }
  g_assert_cmpuint (zc_slab_size (slab), ==, 20);
  g_assert_false (zc_slab_is_low (slab)); /* as low as it may get */
  g_assert_cmpuint (zc_slab_growths (slab), ==, 3);
  give_all (blocks, 20);
  zc_slab_release (slab);
}

static void
gives_back_after_a_quiet_time (void)
{
  ZcSlab *slab = new_slab (64, 0, 4, 64);
  ZcBlock *blocks[15];
  gint64 now_us = 7;

  for (guint i = 0; i < 15; i++) {
    take_all (slab, blocks + i, 1);
    zc_slab_tend (slab, now_us);
  }
  g_assert_cmpuint (zc_slab_size (slab), ==, 32);
  give_all (blocks + 5, 10);
  g_assert_cmpint (zc_slab_tend (slab, now_us + ZC_POOL_QUIET_US - 1), ==, 1);
  g_assert_cmpuint (zc_slab_size (slab), ==, 32);
  now_us += ZC_POOL_QUIET_US;
  g_assert_cmpint (zc_slab_tend (slab, now_us), ==, ZC_POOL_QUIET_US); /* 15 were out in this time */
  g_assert_cmpuint (zc_slab_size (slab), ==, 32);
  now_us += ZC_POOL_QUIET_US;
  zc_slab_tend (slab, now_us); /* 5 in this one */
  g_assert_cmpuint (zc_slab_size (slab), ==, 16);
  give_all (blocks, 5);
  zc_slab_tend (slab, now_us + ZC_POOL_QUIET_US);
  g_assert_cmpint (zc_slab_tend (slab, now_us + 2 * ZC_POOL_QUIET_US), ==, -1);
  g_assert_cmpuint (zc_slab_size (slab), ==, 4);
  take_all (slab, blocks, 4);
  zc_slab_tend (slab, now_us); /* and up again, where it was */
  take_all (slab, blocks + 4, 4);
  for (guint i = 0; i < 8; i++)
    memset (blocks[i]->data, 7, 64);
  give_all (blocks, 8);
  zc_slab_release (slab);
}

/* The block that is held is of the newest region: that stays, the bytes too. */
static void
what_is_held_is_not_given_back (void)
{
  ZcSlab *slab = new_slab (64, 0, 1, 8);
  ZcBlock *blocks[3];

  take_all (slab, blocks, 1);
  zc_slab_tend (slab, 0);
  take_all (slab, blocks + 1, 1);
  zc_slab_tend (slab, 0);
  take_all (slab, blocks + 2, 1);
  memset (blocks[2]->data, 5, 64);
  give_all (blocks, 2);
  zc_slab_tend (slab, ZC_POOL_QUIET_US);
  g_assert_cmpint (zc_slab_tend (slab, 2 * ZC_POOL_QUIET_US), >, 0);
  for (guint i = 0; i < 64; i++)
    g_assert_cmpuint (blocks[2]->data[i], ==, 5);
  zc_block_give (blocks[2]);
  zc_slab_tend (slab, 3 * ZC_POOL_QUIET_US);
  g_assert_cmpint (zc_slab_tend (slab, 4 * ZC_POOL_QUIET_US), ==, -1);
  g_assert_cmpuint (zc_slab_size (slab), ==, 1);
  zc_slab_release (slab);
}

static void
bounds_change (void)
{
  ZcSlab *slab = new_slab (64, 0, 1, 1);
  ZcBlock *blocks[6];

  zc_slab_set_bounds (slab, 4, 6);
  take_all (slab, blocks, 4);
  blocks[4] = take (slab, TRUE);
  zc_slab_set_bounds (slab, 1, 3);
  g_assert_null (take (slab, FALSE));
  give_all (blocks + 2, 3);
  blocks[2] = take (slab, FALSE);
  g_assert_null (take (slab, FALSE));
  give_all (blocks, 3);
  zc_slab_set_bounds (slab, 1, 3);
  g_assert_cmpuint (zc_slab_size (slab), <=, 3);
  take_all (slab, blocks, 1);
  zc_block_give (blocks[0]);
  zc_slab_release (slab);
}

static void
no_memory_is_no_slab (void)
{
  ZcSlabSpec spec = { .block_bytes = G_MAXSIZE / 8, .min_blocks = 1, .max_blocks = 100, .pages = ZC_PAGES_WISH_NONE };

  g_assert_null (zc_slab_new (&spec));
  spec.min_blocks = 100; /* more bytes than a number holds */
  g_assert_null (zc_slab_new (&spec));
}

/* Somebody took a block just before: it is as if nothing had been. */
static void
region_in_use_is_not_drained (void)
{
  ZcSlabSpec spec = { .block_bytes = 64, .max_blocks = 3, .pages = ZC_PAGES_WISH_NONE };
  ZcRegion *region = zc_region_new (NULL, 3, &spec);
  ZcBlock *taken;

  zc_region_fill (region, 3, NULL);
  taken = zc_region_pop (region);
  memset (taken->data, 9, 64);
  g_assert_false (zc_region_drain (region));
  g_assert_cmpuint (taken->data[63], ==, 9);
  zc_region_push (taken);
  g_assert_true (zc_region_is_idle (region));
  g_assert_true (zc_region_drain (region));
  g_assert_null (zc_region_pop (region));
  zc_region_fill (region, 2, &taken);
  g_assert_cmpuint (taken->data[63], ==, 0);
  g_assert_nonnull (zc_region_pop (region));
  g_assert_null (zc_region_pop (region));
  zc_region_free (region);
}

/* One more each time, as an application may: there is a place for every block. */
static void
bounds_move_by_little_steps (void)
{
  ZcSlab *slab = new_slab (8, 0, 1, 1);
  ZcBlock *blocks[500];

  for (guint n = 1; n <= G_N_ELEMENTS (blocks); n++) {
    zc_slab_set_bounds (slab, n, n);
    g_assert_cmpuint (zc_slab_size (slab), >=, n);
    g_assert_cmpuint (zc_slab_size (slab), <=, n + n / 4);
  }
  take_all (slab, blocks, G_N_ELEMENTS (blocks));
  g_assert_null (take (slab, FALSE));
  give_all (blocks, G_N_ELEMENTS (blocks));
  zc_slab_release (slab);
}

/* The same to the highest number that there may be. */
static void
bounds_move_by_little_steps_to_the_end (void)
{
  ZcSlab *slab = new_slab (8, 0, 1, 1);

  for (guint n = 1; n <= ZC_MAX_BLOCKS; n++) {
    zc_slab_set_bounds (slab, n, n);
    g_assert_cmpuint (zc_slab_size (slab), >=, n);
  }
  zc_slab_release (slab);
}

typedef struct {
  ZcSlab *slab;
  _Atomic guint running;
} Tended;

static gpointer
burst (gpointer data)
{
  Tended *tended = data;
  ZcBlock *blocks[40];

  for (guint i = 0; i < N_ROUNDS / 40; i++) {
    guint n = i % G_N_ELEMENTS (blocks) + 1, taken = 0;
    gboolean grew;
    while (taken < n && (blocks[taken] = zc_slab_take (tended->slab, &grew)) != NULL)
      memset (blocks[taken++]->data, (int) i, 64);
    for (guint j = 0; j < taken; j++)
      g_assert_true (blocks[j]->data[0] == (guint8) i && blocks[j]->data[63] == (guint8) i);
    give_all (blocks, taken);
  }
  atomic_fetch_sub (&tended->running, 1);
  return NULL;
}

/* Two take and give in bursts, one grows and shrinks, one moves the bounds: never a block twice, never one that is
 * gone. */
static void
threads_tend_it_while_others_take (void)
{
  Tended tended = { new_slab (64, 8, 1, 64), 2 };
  GThread *threads[2];
  gint64 now_us = 0;

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("burst", burst, &tended);
  for (guint i = 0; atomic_load (&tended.running) > 0; i++) {
    zc_slab_tend (tended.slab, now_us += ZC_POOL_QUIET_US);
    if (i % 8 == 0)
      zc_slab_set_bounds (tended.slab, 1 + i % 16, 48 + i % 16);
  }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (zc_slab_outstanding (tended.slab), ==, 0);
  zc_slab_set_bounds (tended.slab, 1, 64);
  zc_slab_tend (tended.slab, now_us += ZC_POOL_QUIET_US);
  g_assert_cmpint (zc_slab_tend (tended.slab, now_us + ZC_POOL_QUIET_US), ==, -1);
  zc_slab_release (tended.slab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/slab/blocks-stand-apart", blocks_stand_apart);
  g_test_add_func ("/slab/bound-holds", bound_holds);
  g_test_add_func ("/slab/header-is-kept", header_is_kept);
  g_test_add_func ("/slab/block-outlives-the-owner", block_outlives_the_owner);
  g_test_add_func ("/slab/threads-grow-it-together", threads_grow_it_together);
  g_test_add_func ("/slab/headers-stand-apart", headers_stand_apart);
  g_test_add_func ("/slab/grows-ahead-of-need", grows_ahead_of_need);
  g_test_add_func ("/slab/gives-back-after-a-quiet-time", gives_back_after_a_quiet_time);
  g_test_add_func ("/slab/what-is-held-is-not-given-back", what_is_held_is_not_given_back);
  g_test_add_func ("/slab/bounds-change", bounds_change);
  g_test_add_func ("/slab/no-memory-is-no-slab", no_memory_is_no_slab);
  g_test_add_func ("/slab/region-in-use-is-not-drained", region_in_use_is_not_drained);
  g_test_add_func ("/slab/bounds-move-by-little-steps", bounds_move_by_little_steps);
  g_test_add_func ("/slab/bounds-move-by-little-steps-to-the-end", bounds_move_by_little_steps_to_the_end);
  g_test_add_func ("/slab/threads-tend-it-while-others-take", threads_tend_it_while_others_take);
  return g_test_run ();
}
