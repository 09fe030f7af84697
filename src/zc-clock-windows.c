/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-clock.h"

#include <windows.h>

#define NS_PER_S G_GUINT64_CONSTANT (1000000000)

/* The performance counter, which GLib and GStreamer read, too, but in whole microseconds the one. Neither call can
 * fail; the frequency is fixed at boot and costs next to nothing to ask for. */
gint64
zc_clock_now_ns (void)
{
  LARGE_INTEGER frequency, now;
  guint64 ticks, ticks_per_s;

  QueryPerformanceFrequency (&frequency);
  QueryPerformanceCounter (&now);
  ticks = (guint64) now.QuadPart;
  ticks_per_s = (guint64) frequency.QuadPart;

  /* Whole seconds and the rest by themselves: no product overflows below 18 GHz, and nothing is rounded but the last
   * nanosecond, downwards. */
  return (gint64) (ticks / ticks_per_s * NS_PER_S + ticks % ticks_per_s * NS_PER_S / ticks_per_s);
}
