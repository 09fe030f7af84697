/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "com.h"

/* Whose the job is. */
typedef enum {
  PENDING,
  DONE,      /* the thread was first: the caller's */
  ABANDONED, /* the caller was: the thread's */
} Fate;

struct _ZcComThread {
  gint refs; /* atomic: the owner and the thread; the last one frees it */
  GThread *thread;
  HANDLE posted; /* a job, or the end. Auto-reset, as is the next */
  HANDLE done;

  /* Of one side at a time: the events hand them over. */
  gint fate;    /* atomic: Fate */
  gint has_job; /* atomic: not run yet */
  gint ending;  /* atomic */
  ZcComFunc run;
  ZcComFunc discard;
  gpointer job;

  /* The thread's own. */
  ZcComFunc tick;
  gpointer tick_data;
  DWORD interval_ms;
};

HANDLE
zc_com_event (gboolean manual_reset)
{
  HANDLE event = CreateEventW (NULL, manual_reset, FALSE, NULL);

  if (event == NULL)
    g_error ("CreateEventW failed with %lu", GetLastError ());
  return event;
}

gboolean
zc_com_enter (void)
{
  /* RPC_E_CHANGED_MODE: the thread is in an apartment of its own. WASAPI's objects may be called from there, too. */
  return SUCCEEDED (CoInitializeEx (NULL, COINIT_MULTITHREADED));
}

void
zc_com_leave (void)
{
  CoUninitialize ();
}

static void
thread_unref (ZcComThread *self)
{
  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  CloseHandle (self->posted);
  CloseHandle (self->done);
  g_free (self);
}

static void
run_call (ZcComThread *self)
{
  self->run (self->job);
  if (!g_atomic_int_compare_and_exchange (&self->fate, PENDING, DONE) && self->discard != NULL)
    self->discard (self->job);
  SetEvent (self->done);
}

static gpointer
work (gpointer data)
{
  ZcComThread *self = data;
  gboolean entered = zc_com_enter ();

  while (TRUE) {
    DWORD ended = WaitForSingleObject (self->posted, self->tick != NULL ? self->interval_ms : INFINITE);

    if (ended == WAIT_TIMEOUT)
      self->tick (self->tick_data);
    else if (g_atomic_int_compare_and_exchange (&self->has_job, TRUE, FALSE))
      run_call (self);
    if (g_atomic_int_get (&self->ending) && !g_atomic_int_get (&self->has_job))
      break;
  }
  if (entered)
    zc_com_leave ();
  thread_unref (self);
  return NULL;
}

ZcComThread *
zc_com_thread_new (void)
{
  ZcComThread *self = g_new0 (ZcComThread, 1);

  self->refs = 2;
  self->posted = zc_com_event (FALSE);
  self->done = zc_com_event (FALSE);
  self->fate = DONE;
  self->thread = g_thread_new ("zc-wasapi", work, self);
  return self;
}

static DWORD
to_ms (gint64 ns)
{
  return (DWORD) CLAMP ((ns + 999999) / 1000000, 0, G_MAXINT);
}

ZcComResult
zc_com_thread_call (ZcComThread *self, ZcComFunc run, ZcComFunc discard, gpointer job, HANDLE wake, gint64 timeout_ns)
{
  const HANDLE handles[] = { self->done, wake };
  DWORD ended;

  g_assert (g_atomic_int_get (&self->fate) == DONE);
  self->run = run;
  self->discard = discard;
  self->job = job;
  g_atomic_int_set (&self->fate, PENDING);
  g_atomic_int_set (&self->has_job, TRUE);
  SetEvent (self->posted);
  ended = WaitForMultipleObjects (wake != NULL ? 2 : 1, handles, FALSE, to_ms (timeout_ns));
  if (ended == WAIT_OBJECT_0)
    return ZC_COM_DONE;
  if (g_atomic_int_compare_and_exchange (&self->fate, PENDING, ABANDONED))
    return ended == WAIT_OBJECT_0 + 1 ? ZC_COM_WOKEN : ZC_COM_TIMEOUT;
  WaitForSingleObject (self->done, INFINITE); /* it is about to be signalled */
  return ZC_COM_DONE;
}

void
zc_com_thread_set_tick (ZcComThread *self, ZcComFunc tick, gpointer data, guint interval_ms)
{
  self->tick = tick;
  self->tick_data = data;
  self->interval_ms = interval_ms;
}

void
zc_com_thread_free (ZcComThread *self)
{
  GThread *thread = self->thread;
  gboolean busy = g_atomic_int_get (&self->fate) == ABANDONED;

  /* After the last job, which nobody may have taken up yet: one signal may stand for both. */
  g_atomic_int_set (&self->ending, TRUE);
  SetEvent (self->posted);
  if (busy)
    g_thread_unref (thread);
  else
    g_thread_join (thread);
  thread_unref (self);
}
