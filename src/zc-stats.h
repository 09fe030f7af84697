/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-stats.h: what was counted, cheap enough to be always on.
 *
 * frames-captured + frames-silence + frames-lost = frames-expected, within one packet (the one being filled). What was
 * lost is the sum of what was lost by each cause.
 *
 * Threads: one thread adds (the streaming thread); any thread reads. */
#pragma once

#include "zc-histogram.h"

G_BEGIN_DECLS

typedef enum {
  ZC_STAT_FRAMES_CAPTURED, /* sound that went downstream */
  ZC_STAT_FRAMES_SILENCE,  /* what went downstream as silence, marked so by the device or filled in */
  ZC_STAT_FRAMES_LOST,     /* what the device played and nobody downstream got */
  ZC_STAT_FRAMES_EXPECTED, /* what the device played while we listened, by its own position */
  ZC_STAT_PACKETS,         /* buffers that went downstream */
  ZC_STAT_BYTES_COPIED,    /* bytes of sound that were copied on the way */
  ZC_STAT_BYTES_LEASED,    /* bytes of sound that went downstream in the engine's own memory */
  ZC_STAT_EVACUATIONS,     /* packets of these that were copied after all, as somebody held them too long */
  ZC_STAT_ALLOCATIONS,     /* pieces of memory allocated for packets, the pool's own not counted */
  ZC_STAT_GLITCHES,        /* breaks in the device's stream */
  ZC_STAT_OVERFLOWS,       /* packets dropped because the pool was at its bound */
  ZC_STAT_WAKEUPS,         /* times the streaming thread woke to look for packets */
  ZC_STAT_LOST_DEVICE,     /* of what was lost: gaps in the device's own positions */
  ZC_STAT_LOST_UNSEEN,     /* found by time, as the device said nothing */
  ZC_STAT_LOST_OVERFLOW,   /* dropped because the pool was at its bound */
  ZC_STAT_LOST_EARLY,      /* from before running time began, or went on */
  ZC_STAT_LOST_UNFINISHED, /* in the unfinished packet when the stream ended */
  ZC_STAT_FRAMES_FILLED,   /* of the silence: what is in place of frames that the device did not deliver */
  ZC_N_STATS,
} ZcStat;

typedef struct {
  _Atomic guint64 n[ZC_N_STATS];
  ZcHistogram lateness; /* of packets, see zc-lateness.h */
} ZcStats;

/* The field's name in the `stats` property. */
const gchar *zc_stat_name (ZcStat stat);

void zc_stats_reset (ZcStats *stats);

/* With one writer a load and a store do: no locked instruction per packet. */
static inline void
zc_stats_add (ZcStats *stats, ZcStat stat, guint64 n)
{
  guint64 old = atomic_load_explicit (&stats->n[stat], memory_order_relaxed);

  atomic_store_explicit (&stats->n[stat], old + n, memory_order_relaxed);
}

/* Frames were lost by this cause, one of ZC_STAT_LOST_*. */
static inline void
zc_stats_lose (ZcStats *stats, ZcStat cause, guint64 frames)
{
  zc_stats_add (stats, cause, frames);
  zc_stats_add (stats, ZC_STAT_FRAMES_LOST, frames);
}

static inline guint64
zc_stats_get (const ZcStats *stats, ZcStat stat)
{
  return atomic_load_explicit (&stats->n[stat], memory_order_relaxed);
}

G_END_DECLS
