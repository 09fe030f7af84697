/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-ticks.h"

#include "zc-timeline.h"

struct _ZcTicks {
  ZcTimeline *timeline; /* of the system's clock */
  guint rate;
  gboolean begun;
  guint64 first_position; /* the clock showed first_ns then */
  gint64 first_ns;

  GMutex lock; /* of what follows: at_ns the clock shows shown_ns, and goes `speed` ns a ns until packet_ns later ... */
  gint64 at_ns;
  gint64 shown_ns;
  gint64 packet_ns;
  gdouble speed;
  gdouble device_speed; /* ... and then, while nothing is heard of the device, as that goes in the long run */
  gint64 last_ns; /* what somebody has seen */
};

ZcTicks *
zc_ticks_new (void)
{
  ZcTicks *ticks = g_new0 (ZcTicks, 1);

  ticks->timeline = zc_timeline_new ();
  ticks->speed = ticks->device_speed = 1;
  g_mutex_init (&ticks->lock);
  return ticks;
}

void
zc_ticks_free (ZcTicks *ticks)
{
  g_mutex_clear (&ticks->lock);
  zc_timeline_free (ticks->timeline);
  g_free (ticks);
}

void
zc_ticks_begin (ZcTicks *ticks, guint rate)
{
  ticks->rate = rate;
  ticks->begun = FALSE;
  zc_timeline_reset (ticks->timeline, rate, ZC_STAMPS_SMOOTH);
}

static gint64
extrapolate (const ZcTicks *ticks, gint64 time_ns)
{
  gint64 passed_ns = time_ns - ticks->at_ns;
  gint64 in_packet_ns = MIN (passed_ns, ticks->packet_ns);

  return ticks->shown_ns
      + (gint64) ((gdouble) in_packet_ns * ticks->speed + (gdouble) (passed_ns - in_packet_ns) * ticks->device_speed);
}

/* What the device's clock tells from there on; without a step, as it has told that of the end of the packet before. */
static void
publish (ZcTicks *ticks, guint64 position, ZcStamp stamp, guint frames)
{
  gdouble ns_per_frame = 1e9 / ticks->rate;

  g_mutex_lock (&ticks->lock);
  if (!ticks->begun) {
    ticks->begun = TRUE;
    ticks->first_position = position;
    ticks->first_ns = extrapolate (ticks, stamp.start_ns);
  }
  ticks->at_ns = stamp.start_ns;
  ticks->shown_ns = ticks->first_ns + (gint64) ((gdouble) (position - ticks->first_position) * ns_per_frame);
  ticks->packet_ns = stamp.end_ns - stamp.start_ns;
  if (ticks->packet_ns > 0)
    ticks->speed = frames * ns_per_frame / (gdouble) ticks->packet_ns;
  ticks->device_speed = 1e9 / (gdouble) (zc_timeline_predict_ns (ticks->timeline, position + frames + ticks->rate)
      - zc_timeline_predict_ns (ticks->timeline, position + frames));
  g_mutex_unlock (&ticks->lock);
}

/* Time that runs ahead of the positions for good, as nobody knows of what was lost: the clock goes on with the time. */
void
zc_ticks_observe (ZcTicks *ticks, guint64 position, gint64 time_ns, guint frames)
{
  if (zc_timeline_observe (ticks->timeline, position, time_ns, frames) > 0) {
    zc_ticks_begin (ticks, ticks->rate);
    zc_timeline_observe (ticks->timeline, position, time_ns, frames);
  }
  publish (ticks, position, zc_timeline_stamp (ticks->timeline, position, frames), frames);
}

gint64
zc_ticks_at (ZcTicks *ticks, gint64 time_ns)
{
  gint64 shown_ns;

  g_mutex_lock (&ticks->lock);
  shown_ns = ticks->last_ns = MAX (ticks->last_ns, extrapolate (ticks, time_ns));
  g_mutex_unlock (&ticks->lock);
  return shown_ns;
}
