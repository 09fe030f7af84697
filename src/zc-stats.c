/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-stats.h"

static const gchar *const names[ZC_N_STATS] = {
  [ZC_STAT_FRAMES_CAPTURED] = "frames-captured",
  [ZC_STAT_FRAMES_SILENCE] = "frames-silence",
  [ZC_STAT_FRAMES_LOST] = "frames-lost",
  [ZC_STAT_FRAMES_EXPECTED] = "frames-expected",
  [ZC_STAT_PACKETS] = "packets",
  [ZC_STAT_BYTES_COPIED] = "bytes-copied",
  [ZC_STAT_BYTES_LEASED] = "bytes-leased",
  [ZC_STAT_EVACUATIONS] = "evacuations",
  [ZC_STAT_ALLOCATIONS] = "allocations",
  [ZC_STAT_GLITCHES] = "glitches",
  [ZC_STAT_OVERFLOWS] = "overflows",
  [ZC_STAT_WAKEUPS] = "wakeups",
  [ZC_STAT_LOST_DEVICE] = "frames-lost-device",
  [ZC_STAT_LOST_UNSEEN] = "frames-lost-unseen",
  [ZC_STAT_LOST_OVERFLOW] = "frames-lost-overflow",
  [ZC_STAT_LOST_EARLY] = "frames-lost-early",
  [ZC_STAT_LOST_UNFINISHED] = "frames-lost-unfinished",
  [ZC_STAT_FRAMES_FILLED] = "frames-filled",
};

const gchar *
zc_stat_name (ZcStat stat)
{
  return names[stat];
}

void
zc_stats_reset (ZcStats *stats)
{
  for (guint i = 0; i < ZC_N_STATS; i++)
    atomic_store_explicit (&stats->n[i], 0, memory_order_relaxed);
  zc_histogram_reset (&stats->lateness);
}
