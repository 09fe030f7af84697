/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-limits.h: every bound on waiting and on size, in one place.
 *
 * A state change of the element waits for at most one ZC_OPEN_TIMEOUT_NS, so it ends well within two seconds
 * whatever the server does. */
#pragma once

#include <glib.h>

/* Connecting to a server and learning of its devices: the whole of zc_capture_open(). */
#define ZC_OPEN_TIMEOUT_NS (G_GINT64_CONSTANT (1500) * 1000 * 1000)

/* Having a stream made on an open device: the whole of zc_capture_start(). A wake ends it sooner. */
#define ZC_START_TIMEOUT_NS (G_GINT64_CONSTANT (1500) * 1000 * 1000)

/* Ending a stream: what the system has not done by then it does without us. */
#define ZC_STOP_TIMEOUT_NS (G_GINT64_CONSTANT (500) * 1000 * 1000)

/* Downstream letting go of the engine's memory that it has mapped, at the end of a stream. */
#define ZC_UNMAP_TIMEOUT_NS (G_GINT64_CONSTANT (1000) * 1000 * 1000)

/* A device that is gone is tried again after the first of these, then after twice as long each time, up to the
 * second. */
#define ZC_RETRY_FIRST_NS (G_GINT64_CONSTANT (20) * 1000 * 1000)
#define ZC_RETRY_MOST_NS  (G_GINT64_CONSTANT (320) * 1000 * 1000)

/* The same when the last try has hung: what it left behind shall have an end. */
#define ZC_RETRY_HUNG_NS (G_GINT64_CONSTANT (10) * 1000 * 1000 * 1000)

/* A device that has delivered for so long since it was found is tried again at once. */
#define ZC_RETRY_CALM_NS (G_GINT64_CONSTANT (1000) * 1000 * 1000)

/* How long a server that has just started may take to find the device that was captured, before another default is. */
#define ZC_SETTLE_NS (G_GINT64_CONSTANT (1000) * 1000 * 1000)

/* How long a stream that was begun anew may take for its first packet before silence takes its place. */
#define ZC_REJOIN_NS (G_GINT64_CONSTANT (200) * 1000 * 1000)

/* A device that delivers nothing for so long is idle. Made sooner, silence would overlap what a busy driver delivers
 * late. A wait for packets returns at least this often, to notice what no event tells. */
#define ZC_IDLE_NS (G_GINT64_CONSTANT (200) * 1000 * 1000)

/* A break is filled with silence up to this length; a longer one (a computer that slept) stays a gap. */
#define ZC_FILL_MOST_NS (G_GINT64_CONSTANT (60) * 1000 * 1000 * 1000)

/* What PulseAudio can carry (PA_CHANNELS_MAX, PA_RATE_MAX of libpulse 16); no backend goes beyond. */
#define ZC_MAX_CHANNELS 32
#define ZC_MAX_RATE     768000

/* Blocks in a slab: the index field of a ZcStack is 16 bits wide. */
#define ZC_MAX_BLOCKS 65534

/* Memory that a pool has not needed for so long goes back to the system (pool-strategy=adaptive). */
#define ZC_POOL_QUIET_US (G_GINT64_CONSTANT (10) * 1000 * 1000)
