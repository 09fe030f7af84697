/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-slab.h"

#include <string.h>

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
  ZcSlab *slab = zc_slab_new (100, 0, 2, 3);
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
  ZcSlab *slab = zc_slab_new (64, 0, 1, 2);
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
  ZcSlab *slab = zc_slab_new (64, sizeof (guint), 1, 1);
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
  ZcSlab *slab = zc_slab_new (64, 0, 1, 2);
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
  ZcSlab *slab = zc_slab_new (sizeof (guint64), 0, 0, 3);
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("fill-and-check", fill_and_check, slab);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (zc_slab_size (slab), <=, 3);
  g_assert_cmpuint (zc_slab_outstanding (slab), ==, 0);
  zc_slab_release (slab);
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
  return g_test_run ();
}
