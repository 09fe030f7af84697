/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-lateness.h: how late a packet is handed on, next to when it was due.
 *
 * A device delivers a packet so long after its last frame was heard, or before; how long, only the device knows. The
 * most punctual packet of the last seconds tells: a packet is due as long after its last frame as that one came. What
 * is later is late, whoever's fault it is: the server's, the scheduler's, or that of downstream that kept the thread.
 * Pure arithmetic: no clock is read here.
 *
 * Threads: one at a time. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The most punctual packet is one of the last 4 to 8 seconds of sound. */
#define ZC_LATENESS_WINDOW_NS (G_GINT64_CONSTANT (4) * 1000 * 1000 * 1000)

typedef struct {
  gboolean begun;
  gint64 window_ns;      /* when the present window began, in the clock of the calls */
  gint64 least_ns;       /* delay in it */
  gint64 least_before_ns; /* in the one before */
} ZcLateness;

/* A new stream begins. */
void zc_lateness_reset (ZcLateness *self);

/* A packet whose last frame was heard at end_ns is handed on at now_ns. Returns how late that is, 0 or more. */
gint64 zc_lateness_note (ZcLateness *self, gint64 end_ns, gint64 now_ns);

G_END_DECLS
