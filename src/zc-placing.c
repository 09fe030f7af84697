/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where in the capture's positions a packet lies, and how much silence lies before it or in its place. */
#include "zc-capture-private.h"
#include "zc-clock.h"
#include "zc-limits.h"

/* What comes first after an idle time has just been captured; what was held up in a queue has not. */
#define FRESH_NS (ZC_IDLE_NS / 2)

/* How far off a time has to be to mean nothing. */
#define WILD_NS (G_GINT64_CONSTANT (10) * 1000000000)

/* In the clock of the stamps. Without a word from the system, the packet ended just now. */
static gint64
capture_time_ns (ZcCapture *capture)
{
  gint64 device_now_ns = capture->backend->now_ns (capture->device);
  gint64 now_ns = capture->clock != NULL ? zc_capture_now_ns (capture) : device_now_ns;
  gint64 time_ns = capture->packet.capture_time_ns;

  if (time_ns == ZC_TIME_NONE)
    time_ns = device_now_ns - (gint64) zc_frames_to_ns (capture->packet.frames, capture->spec.format.rate);
  return time_ns - device_now_ns + now_ns;
}

/* Frames from the end of what there is until then. */
static guint64
frames_until (ZcCapture *capture, gint64 time_ns)
{
  gint64 ahead_ns = time_ns - zc_timeline_predict_ns (capture->timeline, capture->end);

  return ahead_ns > 0 ? zc_ns_to_frames ((guint64) ahead_ns, capture->spec.format.rate) : 0;
}

/* A break in the stream that is as long as this stays one. */
static gboolean
is_fillable (const ZcCapture *capture, guint64 frames)
{
  return zc_frames_to_ns (frames, capture->spec.format.rate) <= ZC_FILL_MOST_NS;
}

static void
fill (ZcCapture *capture, guint64 frames)
{
  if (frames > 0 && capture->fill == 0) {
    capture->fill_position = capture->end;
    capture->fill_discont |= capture->skipped;
    capture->skipped = FALSE;
  }
  capture->fill += frames;
  capture->end += frames;
  capture->bridged += frames;
}

/* Nobody knows what these frames were. */
static void
skip (ZcCapture *capture, guint64 frames)
{
  capture->end += frames;
  capture->skipped |= frames > 0;
}

/* The first packet after a time of which the device's positions do not tell: it lies where its time says. */
static void
rejoin (ZcCapture *capture, gboolean fills)
{
  guint64 frames = frames_until (capture, capture_time_ns (capture));

  if (capture->ticks != NULL) /* where the packet lies is what their clock says: it goes on from there */
    zc_ticks_begin (capture->ticks, capture->spec.format.rate);
  if (fills && is_fillable (capture, frames))
    fill (capture, frames);
  else
    skip (capture, frames);
  capture->origin = capture->packet.position_frames;
  capture->unseen_frames = capture->end;
}

void
zc_capture_anchor (ZcCapture *capture, gint64 time_ns)
{
  if (capture->anchored)
    return;
  capture->anchored = TRUE;
  capture->fill_discont = TRUE;
  capture->origin = 0;
  zc_timeline_observe (capture->timeline, 0, time_ns, 1);
}

/* How long a device may take for a packet; what has just begun gets more time. */
static guint64
hold_frames (const ZcCapture *capture)
{
  guint64 rejoin = capture->rejoins ? zc_ns_to_frames (ZC_REJOIN_NS, capture->spec.format.rate) : 0;

  return capture->info.delay_frames + rejoin;
}

/* What a device would have delivered by now, in whole packets; what is too long to be filled is left out. */
static guint64
silence_due (ZcCapture *capture)
{
  guint64 packet = capture->spec.latency_frames;
  guint64 hold = hold_frames (capture);
  guint64 passed = frames_until (capture, zc_capture_now_ns (capture));
  guint64 due = passed > hold ? (passed - hold) / packet * packet : 0;

  if (due == 0 || is_fillable (capture, passed))
    return due;
  skip (capture, passed - hold - packet);
  return packet;
}

gboolean
zc_capture_is_silence_due (ZcCapture *capture)
{
  if (silence_due (capture) == 0)
    return FALSE;
  fill (capture, capture->spec.latency_frames);
  return TRUE;
}

/* -- idle time --------------------------------------------------------------------------------------------------- */

static gint64
dry_ns (ZcCapture *capture)
{
  gint64 now_ns = zc_capture_now_ns (capture);

  if (capture->dry_since_ns == ZC_TIME_NONE)
    capture->dry_since_ns = now_ns;
  return now_ns - capture->dry_since_ns;
}

gboolean
zc_capture_is_idle_silence_due (ZcCapture *capture)
{
  guint64 due;

  if (dry_ns (capture) < ZC_IDLE_NS || !capture->rests || !capture->asked || (capture->fills & ZC_FILL_IDLE) == 0)
    return FALSE;
  zc_capture_anchor (capture, capture->dry_since_ns);
  due = silence_due (capture);
  if (due == 0)
    return FALSE;
  fill (capture, due); /* all of it, as a system's wait may be longer than a packet */
  capture->asked = FALSE; /* anew: what has come while downstream held us up is not overtaken */
  return capture->idle = TRUE;
}

gint64
zc_capture_wait_slice_ns (ZcCapture *capture)
{
  guint64 due, passed;

  if (!capture->idle || !capture->rests)
    return ZC_IDLE_NS;
  due = capture->spec.latency_frames + hold_frames (capture);
  passed = frames_until (capture, zc_capture_now_ns (capture));
  return passed < due ? (gint64) zc_frames_to_ns (due - passed, capture->spec.format.rate) : 1;
}

/* The packet that has come is the first after a time in which the device delivered nothing, as nothing played. A server
 * that stood still is none of these: what it owes may all come yet. */
static gboolean
ends_idle_time (ZcCapture *capture)
{
  gint64 age_ns;

  if (capture->idle)
    return TRUE;
  if (!capture->anchored || !capture->rested || dry_ns (capture) < ZC_IDLE_NS)
    return FALSE;
  age_ns = zc_capture_now_ns (capture) - capture_time_ns (capture);
  return age_ns < FRESH_NS + (gint64) zc_frames_to_ns (capture->packet.frames, capture->spec.format.rate)
      && zc_frames_to_ns (frames_until (capture, capture_time_ns (capture)), capture->spec.format.rate) >= FRESH_NS;
}

/* -- packets ----------------------------------------------------------------------------------------------------- */

/* Older than what the engine keeps, or far ahead: no time at all. Windows and Wine tell such nonsense for good at
 * times; Wine's overflows once the computer has run for 25.6 hours. */
static gboolean
is_time_wild (const ZcCapture *capture)
{
  gint64 now_ns = capture->backend->now_ns (capture->device);
  gint64 kept_ns = (gint64) zc_frames_to_ns (capture->info.buffer_frames, capture->spec.format.rate);

  return capture->packet.capture_time_ns < now_ns - kept_ns - WILD_NS
      || capture->packet.capture_time_ns > now_ns + WILD_NS;
}

/* The device has said, or time has shown, that frames are missing before the packet; how many is known, or 0. */
static void
note_glitch (ZcCapture *capture, guint64 lost, guint64 unseen)
{
  zc_stats_add (capture->stats, ZC_STAT_GLITCHES, 1);
  capture->glitch.frames += lost;
  capture->glitch.cause = unseen > 0 ? "time went on, and the device did not say so"
                                       : "the device left them out, or was read too late";
  capture->packet_discont = TRUE;
  if ((capture->fills & ZC_FILL_GLITCHES) != 0 && lost > 0 && is_fillable (capture, lost)) {
    fill (capture, lost);
    capture->fill_discont = TRUE;
    capture->packet_discont = FALSE;
    return;
  }
  zc_stats_lose (capture->stats, ZC_STAT_LOST_DEVICE, lost - unseen);
  zc_stats_lose (capture->stats, ZC_STAT_LOST_UNSEEN, unseen);
  zc_stats_add (capture->stats, ZC_STAT_FRAMES_EXPECTED, lost);
}

static void
tick (ZcCapture *capture)
{
  gint64 time_ns = capture->packet.capture_time_ns;

  if (capture->ticks == NULL || time_ns == ZC_TIME_NONE)
    return;
  time_ns += zc_clock_now_ns () - capture->backend->now_ns (capture->device);
  zc_ticks_observe (capture->ticks, capture->packet_position, time_ns, capture->packet.frames);
}

void
zc_capture_place_packet (ZcCapture *capture)
{
  const ZcPacket *packet = &capture->packet;
  gboolean first = !capture->anchored;
  gboolean was_away = capture->rejoins;
  guint64 unseen = 0, lost;
  gboolean joins;

  if (is_time_wild (capture))
    capture->packet.capture_time_ns = ZC_TIME_NONE;
  joins = was_away || ends_idle_time (capture);
  if (joins)
    rejoin (capture, was_away || (capture->fills & ZC_FILL_IDLE) != 0);
  capture->rejoins = capture->idle = capture->rested = FALSE;
  capture->dry_since_ns = ZC_TIME_NONE;
  if (first) {
    capture->anchored = TRUE;
    capture->origin = packet->position_frames;
  }
  capture->packet_position = packet->position_frames - capture->origin + capture->unseen_frames;
  if (packet->capture_time_ns != ZC_TIME_NONE || first) {
    unseen = zc_timeline_observe (capture->timeline, capture->packet_position, capture_time_ns (capture),
        packet->frames);
    capture->unseen_frames += unseen;
    capture->packet_position += unseen;
  }
  tick (capture);

  lost = capture->packet_position - capture->end;
  capture->packet_discont = first || capture->skipped || lost > 0
      || (was_away && capture->fill == 0 && capture->fill_discont);
  capture->fill_discont &= capture->fill > 0;
  if (!first && !joins && (lost > 0 || (packet->flags & ZC_PACKET_DISCONT) != 0))
    note_glitch (capture, lost, unseen);
  capture->end = capture->packet_position + packet->frames;
  capture->skipped = FALSE;
}
