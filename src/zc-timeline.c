/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-timeline.h"

#include <math.h>

/* Of the loop. Jitter above it is smoothed away; a clock that drifts by 200 ppm is followed with an error that stays
 * under 0.25 ms. */
#define BANDWIDTH_HZ 0.05

/* No sound card is further off than this. */
#define MAX_DRIFT 0.005

struct _ZcTimeline {
  guint rate;
  ZcStamps stamps;
  gint64 last_start_ns;   /* of the stamp before */
  gboolean anchored;      /* the edge means something */
  guint64 edge;           /* position up to which stamps were given */
  gint64 edge_ns;         /* its time: whole ns ... */
  gdouble edge_fraction;  /* ... and the rest, 0 to 1 */
  gdouble ns_per_frame;   /* as the loop sees it */
  gdouble correction_ns;  /* to be worked into the coming stamps */
  guint64 suspect_frames; /* observed in a row as far ahead */
};

ZcTimeline *
zc_timeline_new (void)
{
  return g_new0 (ZcTimeline, 1);
}

void
zc_timeline_free (ZcTimeline *timeline)
{
  g_free (timeline);
}

void
zc_timeline_reset (ZcTimeline *timeline, guint rate, ZcStamps stamps)
{
  *timeline = (ZcTimeline){ .rate = rate, .stamps = stamps, .last_start_ns = G_MININT64, .ns_per_frame = 1e9 / rate };
}

static void
advance (ZcTimeline *timeline, guint64 frames, gdouble ns)
{
  gdouble exact = timeline->edge_fraction + ns;
  gdouble whole = floor (exact);

  timeline->edge += frames;
  timeline->edge_ns += (gint64) whole;
  timeline->edge_fraction = exact - whole;
}

static gdouble
predict (const ZcTimeline *timeline, guint64 position)
{
  gdouble ahead = (gdouble) position - (gdouble) timeline->edge;

  return timeline->edge_fraction + ahead * timeline->ns_per_frame + timeline->correction_ns;
}

gint64
zc_timeline_predict_ns (const ZcTimeline *timeline, guint64 position)
{
  g_assert (timeline->anchored);
  return timeline->edge_ns + (gint64) predict (timeline, position);
}

static void
follow (ZcTimeline *timeline, gdouble error_ns, guint frames)
{
  gdouble nominal = 1e9 / timeline->rate;
  gdouble omega_dt = 2 * G_PI * BANDWIDTH_HZ * frames / timeline->rate;

  timeline->correction_ns += MIN (1.0, G_SQRT2 * omega_dt) * error_ns;
  timeline->ns_per_frame += MIN (1.0, omega_dt * omega_dt) * error_ns / frames;
  timeline->ns_per_frame = CLAMP (timeline->ns_per_frame, nominal * (1 - MAX_DRIFT), nominal * (1 + MAX_DRIFT));
}

static void
jump (ZcTimeline *timeline, gdouble error_ns)
{
  timeline->edge_ns = MAX (timeline->edge_ns + (gint64) error_ns, timeline->last_start_ns);
}

guint64
zc_timeline_observe (ZcTimeline *timeline, guint64 position, gint64 time_ns, guint frames)
{
  gdouble error_ns;

  if (!timeline->anchored) {
    timeline->anchored = TRUE;
    timeline->edge = position;
    timeline->edge_ns = time_ns;
    return 0;
  }
  if (timeline->stamps == ZC_STAMPS_COUNT)
    return 0;

  error_ns = (gdouble) (time_ns - timeline->edge_ns) - predict (timeline, position);
  if (error_ns > ZC_JUMP_NS) {
    timeline->suspect_frames += frames;
    if (timeline->suspect_frames * timeline->ns_per_frame < ZC_JUMP_SUSTAINED_NS)
      return 0;
    timeline->suspect_frames = 0;
    return (guint64) (error_ns / timeline->ns_per_frame);
  }
  timeline->suspect_frames = 0;
  if (timeline->stamps == ZC_STAMPS_SMOOTH)
    follow (timeline, error_ns, frames);
  else
    jump (timeline, error_ns);
  return 0;
}

ZcStamp
zc_timeline_stamp (ZcTimeline *timeline, guint64 position, guint frames)
{
  gdouble limit_ns = ZC_MAX_SLEW * frames * timeline->ns_per_frame;
  gdouble correction_ns = CLAMP (timeline->correction_ns, -limit_ns, limit_ns);
  ZcStamp stamp;

  g_assert (timeline->anchored && position >= timeline->edge);
  if (position > timeline->edge) {
    guint64 gap = position - timeline->edge;
    advance (timeline, gap, gap * timeline->ns_per_frame);
  }
  stamp.start_ns = timeline->last_start_ns = timeline->edge_ns;
  advance (timeline, frames, frames * timeline->ns_per_frame + correction_ns);
  timeline->correction_ns -= correction_ns;
  stamp.end_ns = timeline->edge_ns;
  return stamp;
}
