/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-clock.h"

#include <time.h>

gint64
zc_clock_now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * 1000000000 + now.tv_nsec;
}
