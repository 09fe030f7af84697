/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcclock.h"

#include "zc-clock.h"

#include <gst/audio/audio.h>

static GstClockTime
show (GstClock *clock, gpointer ticks)
{
  return (GstClockTime) zc_ticks_at (ticks, zc_clock_now_ns ());
}

static void
free_ticks (gpointer ticks)
{
  zc_ticks_free (ticks);
}

GstClock *
gst_zc_clock_new (ZcTicks **ticks)
{
  *ticks = zc_ticks_new ();
  return gst_audio_clock_new ("GstZcLoopbackClock", show, *ticks, free_ticks);
}
