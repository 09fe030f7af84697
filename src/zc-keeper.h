/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-keeper.h: one thread for all pools of the process, which does what the thread that captures has no time for.
 *
 * It is there only while somebody asked, or wants to be called again later: with nothing to do there is no thread.
 * It is an ordinary thread of the process, whoever asked (zc-thread.h).
 *
 * Threads: any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ZcKeeper ZcKeeper;

/* In the keeper's thread. Returns in how many us to be called again without being asked, or -1. Does not leave. */
typedef gint64 (*ZcKeeperFunc) (gpointer data, gint64 now_us);

ZcKeeper *zc_keeper_join (ZcKeeperFunc func, gpointer data);

/* `func` is called soon. Does not wait for a call that is under way; once asked, asking again costs nothing. */
void zc_keeper_ask (ZcKeeper *keeper);

/* Waits for a call that is under way; there is none after it. */
void zc_keeper_leave (ZcKeeper *keeper);

G_END_DECLS
