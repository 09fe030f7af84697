/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-lease.h: who may read the engine's memory, and when it may be taken away: one atomic word.
 *
 *             map, unmap                                  map, unmap
 *              +------+                                    +------+
 *              v      |                                    v      |
 *   init --> LEASED(n maps) --begin, n = 0--> EVACUATING --end--> POOLED(n maps)
 *                                             (map waits: a memcpy of one packet)
 *
 * A reader who maps while LEASED reads the engine's memory and keeps the lease from being evacuated until it unmaps.
 * One who maps while POOLED reads the copy. No reader sees memory that moves.
 *
 * Threads: map and unmap any; the others the one that made the lease. */
#pragma once

#include <glib.h>

#include <stdatomic.h>

G_BEGIN_DECLS

typedef struct {
  _Atomic guint32 word; /* state, ZC_LEASE_AWAITED, and the number of maps from ZC_LEASE_MAP on */
} ZcLease;

#define ZC_LEASE_POOLED     0u
#define ZC_LEASE_LEASED     1u
#define ZC_LEASE_EVACUATING 2u
#define ZC_LEASE_STATE      3u
#define ZC_LEASE_AWAITED    4u /* somebody waits for the last unmap */
#define ZC_LEASE_MAP        8u

/* The transitions by themselves, so that a model can walk through all of their interleavings. FALSE: not from this
 * word. */
static inline gboolean
zc_lease_word_map (guint32 word, guint32 *next)
{
  *next = word + ZC_LEASE_MAP;
  return (word & ZC_LEASE_STATE) != ZC_LEASE_EVACUATING;
}

static inline gboolean
zc_lease_word_begin (guint32 word, guint32 *next)
{
  *next = ZC_LEASE_EVACUATING;
  return word == ZC_LEASE_LEASED;
}

void zc_lease_init (ZcLease *lease, gboolean leased);

/* TRUE if the engine's memory is to be read until unmap(), FALSE if the copy is. Waits for an evacuation that is under
 * way. */
gboolean zc_lease_map (ZcLease *lease);
void zc_lease_unmap (ZcLease *lease);

/* TRUE if nobody reads the engine's memory: it is to be copied now, and end() told. FALSE if somebody does. Of a lease
 * that was not evacuated yet. */
gboolean zc_lease_begin_evacuation (ZcLease *lease);
void zc_lease_end_evacuation (ZcLease *lease);

/* Waits until nobody maps it, no longer than until end_us of g_get_monotonic_time(). FALSE if somebody still does. */
gboolean zc_lease_wait (ZcLease *lease, gint64 end_us);

G_END_DECLS
