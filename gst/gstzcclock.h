/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstzcclock.h: the device's frames as a clock that a pipeline can run by.
 *
 * Threads: any. */
#pragma once

#include "zc-ticks.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* (transfer full). `*ticks` is what it shows; the clock's own, and valid as long as it. */
GstClock *gst_zc_clock_new (ZcTicks **ticks);

G_END_DECLS
