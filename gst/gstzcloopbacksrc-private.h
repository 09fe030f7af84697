/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstzcloopbacksrc-private.h: what the two halves of the element share: gstzcloopbacksrc.c, which is the object, its
 * caps, memory and states, and gstzcstream.c, which is create().
 *
 * Threads. The streaming thread runs create() and negotiation and is the only one to touch what is marked as its
 * own; it exists only while the thread that changes states waits in neither start() nor stop(). Everything that
 * several threads see is under the object lock, which is held for a few assignments and, but for the waker, never while
 * calling out. */
#pragma once

#include "gstzcallocation.h"
#include "gstzcclock.h"
#include "gstzcloans.h"
#include "gstzcloopbacksrc.h"
#include "gstzcpacker.h"
#include "gstzcposter.h"
#include "gstzcsettings.h"
#include "gstzcwaker.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_zc_loopback_src_debug);

struct _GstZcLoopbackSrc {
  GstPushSrc parent;

  gint overflow; /* atomic: of the settings, for the streaming thread */
  gint stats_interval_ms; /* the same */
  gint on_loss;           /* the same */
  gint on_glitch;         /* the same */
  gint follow_default;    /* the same */
  gint stale;      /* atomic: a pause or flush came between; stream and base time are from before it */
  gint time_reset; /* the same, set before `stale` is: running time is 0 again */
  ZcStats stats;
  GstClock *device_clock;
  ZcTicks *ticks; /* of device_clock */

  GstZcWaker waker;
  GstZcAllocation allocation;
  GMutex bounds; /* those of the pool are set in the order in which they were read */

  /* From READY on. */
  ZcCapture *capture; /* NULL after abandon(), too */
  GstZcPacker *packer;
  GstZcLoans *loans;

  /* Under the object lock. */
  GstZcSettings settings;
  gboolean other_device;            /* what to capture was set since the device was opened */
  gchar *actual_device;             /* NULL in NULL */
  ZcFormat native;                  /* meaningful while actual_device is set, as is: */
  ZcFormat preferred;               /* native at the start, whatever is captured by now */
  GstClockTime latency_min;
  GstClockTime latency_max;

  /* The streaming thread's. */
  gboolean negotiated;
  gboolean no_memory; /* for a pool */
  gboolean fresh_memory; /* decided on, and active since */
  ZcStreamSpec spec;
  gboolean lease;
  gboolean fills_idle;
  ZcStamps stamps;
  GstClock *clock; /* of the pipeline, while the stream runs; NULL if it has none */
  gint64 base_ns;  /* the time of this clock that is running time 0 */
  gboolean based;
  gboolean begun;    /* the stream has a stamp */
  gint64 stamped_ns; /* running time up to which there are buffers */
  GError *loss; /* why the device is gone, while it is */
  gboolean discont; /* of the next buffer, as the one before it was not delivered */
  ZcPagesWish pages;
  GstZcPoster poster;
};

/* -- gstzcloopbacksrc.c -- */

/* What was decided on is ready for the stream. The streaming thread. */
void gst_zc_loopback_src_settle_memory (GstZcLoopbackSrc *self);

/* -- gstzcstream.c -- */

GstFlowReturn gst_zc_stream_create (GstPushSrc *push, GstBuffer **out);

/* Ends it, if one runs. The streaming thread. */
void gst_zc_stream_halt (GstZcLoopbackSrc *self);

/* Of a stream as it was granted, or is wished. */
void gst_zc_stream_set_latency (GstZcLoopbackSrc *self, const ZcStreamInfo *info);

G_END_DECLS
