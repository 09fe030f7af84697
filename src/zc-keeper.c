/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-keeper.h"

#include "zc-thread.h"

#include <stdatomic.h>

struct _ZcKeeper {
  ZcKeeperFunc func;
  gpointer data;
  _Atomic gboolean asked; /* and not called since */

  /* Under the lock. */
  gint64 due_us; /* G_MAXINT64: when asked */
  gboolean running;
};

/* Guards what is below, and what says so above. Innermost; held for a few assignments or to start the thread, and never
 * while calling out. */
static GMutex lock;
static GCond changed;
static GQueue keepers = G_QUEUE_INIT;
static gboolean working;

/* With the lock. NULL if there will be nothing to do until somebody asks. */
static ZcKeeper *
first_due (void)
{
  ZcKeeper *first = NULL;

  for (GList *link = keepers.head; link != NULL; link = link->next) {
    ZcKeeper *each = link->data;
    if (each->due_us < (first != NULL ? first->due_us : G_MAXINT64))
      first = each;
  }
  return first;
}

/* With the lock, which it gives away for the call. */
static void
call (ZcKeeper *keeper, gint64 now_us)
{
  gint64 delay_us;

  keeper->running = TRUE;
  keeper->due_us = G_MAXINT64;
  atomic_store (&keeper->asked, FALSE);
  g_mutex_unlock (&lock);
  delay_us = keeper->func (keeper->data, now_us);
  g_mutex_lock (&lock);
  if (delay_us >= 0)
    keeper->due_us = MIN (keeper->due_us, now_us + delay_us);
  keeper->running = FALSE;
  g_cond_broadcast (&changed);
}

static gpointer
work (gpointer data)
{
  ZcKeeper *keeper;

  zc_thread_make_ordinary (); /* started by one that captures, which may be of real time and bound to a processor */
  g_mutex_lock (&lock);
  while ((keeper = first_due ()) != NULL) {
    gint64 now_us = g_get_monotonic_time ();
    if (keeper->due_us <= now_us)
      call (keeper, now_us);
    else
      g_cond_wait_until (&changed, &lock, keeper->due_us);
  }
  working = FALSE;
  g_mutex_unlock (&lock);
  return NULL;
}

ZcKeeper *
zc_keeper_join (ZcKeeperFunc func, gpointer data)
{
  ZcKeeper *keeper = g_new0 (ZcKeeper, 1);

  keeper->func = func;
  keeper->data = data;
  keeper->due_us = G_MAXINT64;
  g_mutex_lock (&lock);
  g_queue_push_tail (&keepers, keeper);
  g_mutex_unlock (&lock);
  return keeper;
}

/* With the lock. FALSE if the system has no thread for us. */
static gboolean
start (void)
{
  GThread *thread = g_thread_try_new ("zc-keeper", work, NULL, NULL);

  if (thread != NULL)
    g_thread_unref (thread);
  return thread != NULL;
}

void
zc_keeper_ask (ZcKeeper *keeper)
{
  if (atomic_exchange (&keeper->asked, TRUE))
    return;
  g_mutex_lock (&lock);
  keeper->due_us = G_MININT64;
  g_cond_broadcast (&changed);
  working = working || start ();
  if (!working)
    atomic_store (&keeper->asked, FALSE); /* the next one to ask tries again */
  g_mutex_unlock (&lock);
}

void
zc_keeper_leave (ZcKeeper *keeper)
{
  g_mutex_lock (&lock);
  while (keeper->running)
    g_cond_wait (&changed, &lock);
  g_queue_remove (&keepers, keeper);
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
  g_free (keeper);
}
