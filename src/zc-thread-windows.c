/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-thread.h"

#include <windows.h>

/* A thread begins on all processors of its process; its priority is what GLib copies from the thread that starts it. */
void
zc_thread_make_ordinary (void)
{
  SetThreadPriority (GetCurrentThread (), THREAD_PRIORITY_NORMAL);
}
