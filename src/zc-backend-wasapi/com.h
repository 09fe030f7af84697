/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* com.h: COM's apartments, and calls into Windows that may never return.
 *
 * The application's threads may be in a single-threaded apartment, in the multithreaded one or in none; we change none of
 * them. What touches COM runs in threads that are in the multithreaded apartment: the streaming thread, which enters it in start
 * and leaves it in stop, and threads made for one call each. */
#pragma once

#include "wasapi.h"

#include <glib.h>

G_BEGIN_DECLS

typedef void (*ZcComFunc) (gpointer job);

typedef enum {
  ZC_COM_DONE,
  ZC_COM_TIMEOUT,
  ZC_COM_WOKEN,
} ZcComResult;

/* Runs `run` in a thread of the multithreaded apartment and waits for it: no longer than timeout_ns, or until `wake` (may
 * be NULL) is signalled. DONE: the job is as `run` left it. Otherwise the job is not the caller's any more: once `run` returns,
 * if ever, `discard` lets go of it in that thread. */
ZcComResult zc_com_call (ZcComFunc run, ZcComFunc discard, gpointer job, HANDLE wake, gint64 timeout_ns);

/* The calling thread joins the multithreaded apartment. TRUE if it has to leave it again, in the same thread. */
gboolean zc_com_enter (void);
void zc_com_leave (void);

G_END_DECLS
