/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstzcposter.h: what the element tells on the bus of its own accord, apart from errors.
 *
 * Threads: the streaming thread. */
#pragma once

#include "gstzcallocation.h"
#include "gstzcpacker.h"

G_BEGIN_DECLS

typedef struct {
  GstElement *element;  /* whose this is */
  gboolean overflowing; /* and the bus knows */
  gboolean pages_told;  /* what lacks, in this run */
  guint64 stats_frames; /* expected ones when the statistics were told last */
} GstZcPoster;

void gst_zc_poster_init (GstZcPoster *self, GstElement *element);

/* A new run: before there is a streaming thread. */
void gst_zc_poster_begin (GstZcPoster *self);

/* What the packer dropped at the pool's bound: two messages an overflow, one at its first packet, one at its end with
 * all the others. */
void gst_zc_poster_tell_overflow (GstZcPoster *self, GstZcPacker *packer, const gchar *device, gboolean ended);

/* The device left frames out (0: it does not say how many), and why. */
void gst_zc_poster_tell_glitch (GstZcPoster *self, const gchar *device, const ZcGlitch *glitch);

/* The device is gone, and why; it is there again (or another one is), and `frames` of silence are in place of what it
 * played. */
void gst_zc_poster_tell_lost (GstZcPoster *self, const gchar *device, const GError *cause);
void gst_zc_poster_tell_recovered (GstZcPoster *self, const gchar *device, guint64 frames);

/* Another device is captured now, as that is wanted, or is the default; `frames` of silence are between the two. Or it
 * cannot be: a warning. */
void gst_zc_poster_tell_changed (GstZcPoster *self, const gchar *device, const gchar *previous, guint64 frames);
void gst_zc_poster_tell_refused (GstZcPoster *self, const gchar *device, const GError *error);

/* The statistics, when `interval_ms` (0: never) of sound have passed since the last time. `rate` is 0 while there is no
 * stream. Allocates only when it posts. */
void gst_zc_poster_tell_stats (GstZcPoster *self, guint interval_ms, guint rate, const ZcStats *stats,
    GstZcAllocation *allocation);

/* One warning a run if the memory of our pool is not what is wished for, be it from the start or since it has grown.
 * For every packet: it costs a look at a flag while nothing is new. */
void gst_zc_poster_tell_pages (GstZcPoster *self, GstZcAllocation *allocation, const ZcPagesWish *wish);

G_END_DECLS
