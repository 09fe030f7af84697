/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-lease.h"

/* Of all leases: those who wait are few and wait shortly. Guards nothing but the sleep; taken alone. */
static GMutex lock;
static GCond unmapped;

void
zc_lease_init (ZcLease *lease, gboolean leased)
{
  atomic_store_explicit (&lease->word, leased ? ZC_LEASE_LEASED : ZC_LEASE_POOLED, memory_order_release);
}

gboolean
zc_lease_map (ZcLease *lease)
{
  guint32 word = atomic_load_explicit (&lease->word, memory_order_acquire);
  guint32 next;

  for (;;) {
    if (!zc_lease_word_map (word, &next)) {
      g_thread_yield (); /* on one processor, who copies must run */
      word = atomic_load_explicit (&lease->word, memory_order_acquire);
    } else if (atomic_compare_exchange_weak_explicit (&lease->word, &word, next, memory_order_acquire,
                   memory_order_acquire))
      return (next & ZC_LEASE_STATE) == ZC_LEASE_LEASED;
  }
}

void
zc_lease_unmap (ZcLease *lease)
{
  /* Release: our reading is over before the memory can be taken away. */
  guint32 before = atomic_fetch_sub_explicit (&lease->word, ZC_LEASE_MAP, memory_order_release);

  if ((before & ZC_LEASE_AWAITED) == 0 || before / ZC_LEASE_MAP > 1)
    return;
  g_mutex_lock (&lock);
  g_cond_broadcast (&unmapped);
  g_mutex_unlock (&lock);
}

gboolean
zc_lease_begin_evacuation (ZcLease *lease)
{
  guint32 word = atomic_load_explicit (&lease->word, memory_order_acquire);
  guint32 next;

  return zc_lease_word_begin (word, &next)
      && atomic_compare_exchange_strong_explicit (&lease->word, &word, next, memory_order_acquire,
          memory_order_relaxed);
}

void
zc_lease_end_evacuation (ZcLease *lease)
{
  atomic_store_explicit (&lease->word, ZC_LEASE_POOLED, memory_order_release);
}

static gboolean
is_mapped (ZcLease *lease)
{
  return atomic_load_explicit (&lease->word, memory_order_acquire) >= ZC_LEASE_MAP;
}

/* The flag before the look: an unmapper that does not see it has unmapped before we look. */
gboolean
zc_lease_wait (ZcLease *lease, gint64 end_us)
{
  gboolean in_time = TRUE;

  g_mutex_lock (&lock);
  atomic_fetch_or_explicit (&lease->word, ZC_LEASE_AWAITED, memory_order_seq_cst);
  while (is_mapped (lease) && in_time)
    in_time = g_cond_wait_until (&unmapped, &lock, end_us);
  atomic_fetch_and_explicit (&lease->word, ~ZC_LEASE_AWAITED, memory_order_relaxed);
  g_mutex_unlock (&lock);
  return in_time;
}
