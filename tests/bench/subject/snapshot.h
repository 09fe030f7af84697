/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* snapshot.h: what this process has used so far, in numbers; two of them tell what a stretch of sound cost. */
#pragma once

#include <gst/gst.h>

typedef enum {
  COUNT_AT_NS,         /* CLOCK_MONOTONIC */
  COUNT_CPU_NS,        /* of all threads */
  COUNT_VOLUNTARY,     /* context switches */
  COUNT_INVOLUNTARY,
  COUNT_THREADS,
  COUNT_HEAP_BYTES,    /* in use, as the C library's allocator says */
  COUNT_RSS_BYTES,     /* exact: from smaps_rollup, not the kernel's running estimate */
  COUNT_ANON_BYTES,
  COUNT_MAPPED_BYTES,
  COUNT_ALLOCS,        /* this and the next two: -1 without malloc-count in LD_PRELOAD */
  COUNT_ALLOC_BYTES,
  COUNT_LIVE_BYTES,
  COUNT_COPIES,        /* -1 without copy-count */
  COUNT_COPY_BYTES,
  COUNT_BUFFERS,       /* what the sources pushed */
  COUNT_SOUND_BYTES,
  COUNT_STATS,         /* the first of the element's own, see stat_names[] */
  N_STATS = 16,
  N_COUNTS = COUNT_STATS + N_STATS
} Count;

typedef struct {
  gint64 counts[N_COUNTS];
} Snapshot;

/* Finds the preloaded counters. Once, before the first snapshot. */
void snapshot_init (void);

/* Allocates nothing, but may take a millisecond. Any thread. */
void snapshot_take (Snapshot *snapshot);

/* Sums of the `stats` of the elements that have them; allocates. -1 where none has. */
void snapshot_take_stats (Snapshot *snapshot, GPtrArray *elements);

/* "prefix.name value" lines. */
void snapshot_print (const Snapshot *snapshot, const gchar *prefix);
