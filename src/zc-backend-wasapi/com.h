/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* com.h: threads of COM's multithreaded apartment, and calls into Windows that may never return.
 *
 * The application's threads may be in a single-threaded apartment, in the multithreaded one or in none; we change none
 * of them. What touches COM runs in threads that are in the multithreaded apartment: those made here, and the streaming
 * thread, which enters it in start and leaves it in detach. */
#pragma once

#include "wasapi.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ZcComThread ZcComThread;
typedef void (*ZcComFunc) (gpointer job);

typedef enum {
  ZC_COM_DONE,
  ZC_COM_TIMEOUT,
  ZC_COM_WOKEN,
} ZcComResult;

/* A thread that waits for work. Any thread may call the functions below, one at a time. */
ZcComThread *zc_com_thread_new (void);

/* Runs `run` there and waits for it: no longer than timeout_ns, or until `wake` (may be NULL) is signalled. DONE: the
 * job is as `run` left it. Otherwise neither the job is the caller's any more, which `discard` (may be NULL) lets go of
 * there once `run` returns, if ever, nor may the thread be given anything else to do: free it. */
ZcComResult zc_com_thread_call (ZcComThread *thread, ZcComFunc run, ZcComFunc discard, gpointer job, HANDLE wake,
    gint64 timeout_ns);

/* Calls tick (data) every now and then between calls; NULL: no more. From `run` or `discard` only. */
void zc_com_thread_set_tick (ZcComThread *thread, ZcComFunc tick, gpointer data, guint interval_ms);

/* Ends it; waits for that, unless a call is still under way: then it ends by itself. */
void zc_com_thread_free (ZcComThread *thread);

/* The calling thread joins the multithreaded apartment. TRUE if it has to leave it again, in the same thread. */
gboolean zc_com_enter (void);
void zc_com_leave (void);

/* An event that is not signalled. Ends the program if Windows has none left, as GLib does for memory. */
HANDLE zc_com_event (gboolean manual_reset);

G_END_DECLS
