/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "com.h"

/* Of the caller and the thread that works for it; the last one frees it. */
typedef struct {
  gint refs; /* atomic */
  gint fate; /* atomic: Fate */
  HANDLE done;
  ZcComFunc run;
  ZcComFunc discard;
  gpointer job;
} Call;

typedef enum {
  PENDING,
  DONE,      /* the worker was first: the job is the caller's */
  ABANDONED, /* the caller was: the job is the worker's */
} Fate;

static void
call_unref (Call *call)
{
  if (!g_atomic_int_dec_and_test (&call->refs))
    return;
  CloseHandle (call->done);
  g_free (call);
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

static gpointer
work (gpointer data)
{
  Call *call = data;
  gboolean entered = zc_com_enter ();

  call->run (call->job);
  if (!g_atomic_int_compare_and_exchange (&call->fate, PENDING, DONE))
    call->discard (call->job);
  if (entered)
    zc_com_leave ();
  SetEvent (call->done);
  call_unref (call);
  return NULL;
}

static DWORD
to_ms (gint64 ns)
{
  return (DWORD) CLAMP ((ns + 999999) / 1000000, 0, G_MAXINT);
}

ZcComResult
zc_com_call (ZcComFunc run, ZcComFunc discard, gpointer job, HANDLE wake, gint64 timeout_ns)
{
  Call *call = g_new0 (Call, 1);
  HANDLE handles[2] = { NULL, wake };
  GThread *thread;
  DWORD ended;

  *call = (Call){ .refs = 2, .run = run, .discard = discard, .job = job };
  call->done = handles[0] = CreateEventW (NULL, TRUE, FALSE, NULL);
  thread = g_thread_new ("zc-wasapi-call", work, call);
  ended = WaitForMultipleObjects (wake != NULL ? 2 : 1, handles, FALSE, to_ms (timeout_ns));
  if (ended != WAIT_OBJECT_0 && g_atomic_int_compare_and_exchange (&call->fate, PENDING, ABANDONED)) {
    g_thread_unref (thread);
    call_unref (call);
    return ended == WAIT_OBJECT_0 + 1 ? ZC_COM_WOKEN : ZC_COM_TIMEOUT;
  }
  g_thread_join (thread);
  call_unref (call);
  return ZC_COM_DONE;
}
