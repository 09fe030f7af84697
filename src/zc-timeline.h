/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-timeline.h: from frames of the device to the time at which they were captured.
 *
 * The device's clock and ours differ by parts per million, and what the system tells of it jitters by milliseconds.
 * A delay-locked loop (F. Adriaensen, "Using a DLL to filter time", Linux Audio Conference 2005) turns these
 * observations into stamps that follow the device without a step: where one stamp ends, the next begins, to the ns.
 *
 * Positions are frames since the stream began, lost ones included: a gap in the positions is a gap of the same
 * length in time. Pure arithmetic: no clock is read here.
 *
 * Threads: one at a time. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ZcTimeline ZcTimeline;

typedef enum {
  ZC_STAMPS_SMOOTH,  /* as above */
  ZC_STAMPS_COUNT,   /* the first observation, and from there on frames at their nominal rate: the clocks may part */
  ZC_STAMPS_ARRIVAL, /* each observation as it is, but never back before a stamp: stamps need not meet */
} ZcStamps;

typedef struct {
  gint64 start_ns; /* when the first frame was captured, in the clock of the observations */
  gint64 end_ns;   /* the start_ns of a stamp that follows without a gap */
} ZcStamp;

ZcTimeline *zc_timeline_new (void);
void zc_timeline_free (ZcTimeline *timeline);

/* A new stream begins: position 0, no observation yet. */
void zc_timeline_reset (ZcTimeline *timeline, guint rate, ZcStamps stamps);

/* The system says that the frame at `position`, the first of `frames` (> 0) frames, was captured at time_ns.
 *
 * Returns how many frames must have been lost unseen before this one, 0 almost always: only when the time has been
 * ahead by more than ZC_JUMP_NS for as long as ZC_JUMP_SUSTAINED_NS. The caller then moves its positions on by as
 * many. COUNT asks nobody for the time, and sees no loss. */
guint64 zc_timeline_observe (ZcTimeline *timeline, guint64 position, gint64 time_ns, guint frames);

/* When the frame at `position` was or will be captured, as far as one can tell. After the first observation. */
gint64 zc_timeline_predict_ns (const ZcTimeline *timeline, guint64 position);

/* Stamps `frames` frames from `position` on. Positions never go back from one call to the next; something was
 * observed before the first. */
ZcStamp zc_timeline_stamp (ZcTimeline *timeline, guint64 position, guint frames);

#define ZC_JUMP_NS           (G_GINT64_CONSTANT (100) * 1000 * 1000)
#define ZC_JUMP_SUSTAINED_NS (G_GINT64_CONSTANT (250) * 1000 * 1000)

/* How fast a stamp may catch up with the observations: 2 ms each second. */
#define ZC_MAX_SLEW 0.002

G_END_DECLS
