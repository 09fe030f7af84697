/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-ticks.h: the frames of the device as a clock. It goes as fast as the device plays, smoothly, and never back: at
 * its nominal rate before the first stream, and as the last one went between two.
 *
 * Threads: begin and observe by one at a time; the time is read by any. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ZcTicks ZcTicks;

ZcTicks *zc_ticks_new (void);
void zc_ticks_free (ZcTicks *ticks);

/* A new stream of `rate` frames a second begins: position 0. The clock goes on from where it is. */
void zc_ticks_begin (ZcTicks *ticks, guint rate);

/* The frame at `position`, the first of `frames` (> 0), was heard at time_ns of zc_clock_now_ns(). Positions never go
 * back. */
void zc_ticks_observe (ZcTicks *ticks, guint64 position, gint64 time_ns, guint frames);

/* What the clock shows (ns) when zc_clock_now_ns() is time_ns. */
gint64 zc_ticks_at (ZcTicks *ticks, gint64 time_ns);

G_END_DECLS
