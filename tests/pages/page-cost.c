/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* page-cost: what the kind of memory is worth to a pool: a table.
 *
 * Packets of 10 ms, 48 kHz stereo float, are written to and read from the blocks of a pool in turn: all of them, as
 * when downstream holds all but one, which is the worst for the processor's tables of pages. (A pool whose downstream
 * holds one uses one and the same block again and again, whatever pages it is on.) The kinds take turns in short
 * rounds; each shows the median of its rounds, and the median of the ratios to plain pages in the same round. */
#include "zc-pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_BYTES  3840
#define ROUNDS        101
#define ROUND_PACKETS 20000

static const struct {
  const gchar *name;
  ZcPagesWish wish;
} kinds[] = {
  { "plain", { .numa_node = -1 } },
  { "plain again", { .numa_node = -1 } }, /* what the difference of equals is here */
  { "huge-pages", { .huge = TRUE, .numa_node = -1 } },
  { "lock-memory", { .lock = TRUE, .numa_node = -1 } },
  { "numa-node=0", { .numa_node = 0 } },
};

#define N_KINDS G_N_ELEMENTS (kinds)

static guint8 packet[PACKET_BYTES];
static volatile guint8 heard;

static int
compare (const void *a, const void *b)
{
  const double *left = a, *right = b;

  return (*left > *right) - (*left < *right);
}

static double
median (double *values, guint n)
{
  qsort (values, n, sizeof *values, compare);
  return values[n / 2];
}

/* ns per packet. */
static double
turn (const ZcPages *pages, guint n_blocks)
{
  gint64 begin_us = g_get_monotonic_time ();

  for (guint i = 0; i < ROUND_PACKETS; i++) {
    guint8 *block = pages->data + (gsize) (i % n_blocks) * PACKET_BYTES;
    memcpy (block, packet, PACKET_BYTES);
    heard = block[PACKET_BYTES / 2];
  }
  return (double) (g_get_monotonic_time () - begin_us) * 1000 / ROUND_PACKETS;
}

/* us to have the memory, and give it back. */
static double
get_cost (guint kind, gsize bytes)
{
  double us[21];

  for (guint i = 0; i < G_N_ELEMENTS (us); i++) {
    gint64 begin_us = g_get_monotonic_time ();
    ZcPages pages;
    if (!zc_pages_get (&pages, bytes, &kinds[kind].wish))
      g_error ("no memory");
    zc_pages_put (&pages);
    us[i] = (double) (g_get_monotonic_time () - begin_us);
  }
  return median (us, G_N_ELEMENTS (us));
}

static void
compare_kinds (guint n_blocks)
{
  gsize bytes = (gsize) n_blocks * PACKET_BYTES;
  static double ns[N_KINDS][ROUNDS], ratio[N_KINDS][ROUNDS];
  ZcPages pages[N_KINDS];

  for (guint k = 0; k < N_KINDS; k++)
    if (!zc_pages_get (&pages[k], bytes, &kinds[k].wish))
      g_error ("no memory");
  for (guint round = 0; round < ROUNDS; round++) {
    for (guint k = 0; k < N_KINDS; k++)
      ns[k][round] = turn (&pages[k], n_blocks);
    for (guint k = 0; k < N_KINDS; k++)
      ratio[k][round] = ns[k][round] / ns[0][round];
  }
  for (guint k = 0; k < N_KINDS; k++) {
    ZcPagesState state = ZC_PAGES_STATE_NONE;
    zc_pages_read (&pages[k], &state);
    printf ("%6u %-12s %8.0f %6.3f %8.0f %7zu %7zu %7zu %3d\n", n_blocks, kinds[k].name, median (ns[k], ROUNDS),
        median (ratio[k], ROUNDS), get_cost (k, bytes), state.bytes / 1024, state.huge_bytes / 1024,
        state.locked_bytes / 1024, state.numa_node);
    zc_pages_put (&pages[k]);
  }
}

int
main (void)
{
  printf ("blocks kind          ns each  ratio   us get      kB huge kB lock kB node\n");
  compare_kinds (1);
  compare_kinds (64);
  compare_kinds (1024);
  compare_kinds (10000);
  return 0;
}
