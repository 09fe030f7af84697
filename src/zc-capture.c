/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-capture-private.h"
#include "zc-clock.h"
#include "zc-limits.h"
#include "zc-registry.h"

/* What comes first after an idle time has just been captured; what was held up in a queue has not. */
#define FRESH_NS (ZC_IDLE_NS / 2)

/* How far off a time has to be to mean nothing. */
#define WILD_NS (G_GINT64_CONSTANT (10) * 1000000000)


ZcCapture *
zc_capture_open (const gchar *backend, const ZcTarget *target, ZcStats *stats, GError **error)
{
  ZcCapture *capture = g_new0 (ZcCapture, 1);

  capture->device = zc_registry_open (backend, target, &capture->backend, &capture->native, error);
  if (capture->device == NULL) {
    g_free (capture);
    return NULL;
  }
  capture->stats = stats;
  capture->target = zc_target_copy (target);
  g_mutex_init (&capture->waking);
  g_cond_init (&capture->awake);
  capture->timeline = zc_timeline_new ();
  return capture;
}

const ZcFormat *
zc_capture_native_format (const ZcCapture *capture)
{
  return &capture->native;
}

const gchar *
zc_capture_device_name (const ZcCapture *capture)
{
  return capture->backend->device_name (capture->device);
}

void
zc_capture_set_clock (ZcCapture *capture, ZcClockFunc now, gpointer data)
{
  capture->clock = now;
  capture->clock_data = data;
}

void
zc_capture_set_ticks (ZcCapture *capture, ZcTicks *ticks)
{
  g_assert (!capture->running);
  capture->ticks = ticks;
}

void
zc_capture_set_stamps (ZcCapture *capture, ZcStamps stamps)
{
  capture->stamps = stamps;
}

void
zc_capture_set_target (ZcCapture *capture, const ZcTarget *target)
{
  g_mutex_lock (&capture->waking);
  zc_target_clear (&capture->next_target);
  capture->next_target = zc_target_copy (target);
  atomic_store_explicit (&capture->retargeted, TRUE, memory_order_release);
  capture->backend->wake (capture->device, TRUE); /* until it is taken up */
  g_cond_broadcast (&capture->awake);
  g_mutex_unlock (&capture->waking);
}

void
zc_capture_set_follow (ZcCapture *capture, gboolean follow)
{
  capture->moved |= follow && !capture->follow && capture->by_name;
  capture->follow = follow;
}

void
zc_capture_set_fills (ZcCapture *capture, ZcFill fills)
{
  capture->fills = fills;
}

gboolean
zc_capture_take_glitch (ZcCapture *capture, ZcGlitch *glitch)
{
  *glitch = capture->glitch;
  capture->glitch = (ZcGlitch){ 0 };
  return glitch->cause != NULL;
}

gboolean
zc_capture_is_running (const ZcCapture *capture)
{
  return capture->running;
}

const ZcStreamInfo *
zc_capture_stream_info (const ZcCapture *capture)
{
  return &capture->info;
}

gint64
zc_capture_now_ns (const ZcCapture *capture)
{
  return capture->clock != NULL ? capture->clock (capture->clock_data) : capture->backend->now_ns (capture->device);
}

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

gboolean
zc_capture_is_silence_due (ZcCapture *capture)
{
  guint64 hold = hold_frames (capture);
  guint64 passed = frames_until (capture, zc_capture_now_ns (capture));

  if (passed < capture->spec.latency_frames + hold)
    return FALSE;
  if (!is_fillable (capture, passed))
    skip (capture, passed - hold - capture->spec.latency_frames);
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

/* Nothing has come. TRUE when silence is in its place. */
static gboolean
is_idle_silence_due (ZcCapture *capture)
{
  if (dry_ns (capture) < ZC_IDLE_NS || !capture->rests || !capture->asked || (capture->fills & ZC_FILL_IDLE) == 0)
    return FALSE;
  zc_capture_anchor (capture, capture->dry_since_ns);
  if (!zc_capture_is_silence_due (capture))
    return FALSE;
  capture->asked = FALSE; /* anew for each packet: what has come while downstream held us up is not overtaken */
  return capture->idle = TRUE;
}

static gint64
wait_slice_ns (ZcCapture *capture)
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

/* A packet has come: where does it lie, and what is missing before it? */
static void
place_packet (ZcCapture *capture)
{
  const ZcPacket *packet = &capture->packet;
  gboolean first = !capture->anchored;
  gboolean was_away = capture->rejoins;
  gboolean joins = was_away || ends_idle_time (capture);
  guint64 unseen = 0, lost;

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

gboolean
zc_capture_is_woken (const ZcCapture *capture)
{
  return atomic_load_explicit (&capture->woken, memory_order_acquire);
}

gboolean
zc_capture_is_lending (const ZcCapture *capture)
{
  return capture->kept > 0;
}

void
zc_capture_detach (ZcCapture *capture)
{
  g_assert (capture->running && !capture->detached);
  if (capture->backend->detach != NULL)
    capture->backend->detach (capture->device);
  capture->detached = TRUE;
}

void
zc_capture_end_stream (ZcCapture *capture)
{
  if (!capture->detached)
    zc_capture_detach (capture);
  for (guint out = capture->kept + capture->borrowed; out > 0; out--)
    capture->backend->give_back (capture->device);
  capture->kept = 0;
  capture->borrowed = FALSE;
  capture->backend->stop (capture->device);
}

/* -- start ------------------------------------------------------------------------------------------------------- */

static gboolean
is_about_absence (const GError *error)
{
  return g_error_matches (error, ZC_ERROR, ZC_ERROR_LOST) || g_error_matches (error, ZC_ERROR, ZC_ERROR_NO_DEVICE)
      || g_error_matches (error, ZC_ERROR, ZC_ERROR_NO_SERVER);
}

static gboolean
begin_stream (ZcCapture *capture, GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (zc_capture_start_on_wanted (capture)) {
    if (!capture->rejoins)
      g_set_error_literal (error, ZC_ERROR, ZC_ERROR_WOKEN, "woken");
    return capture->rejoins;
  }
  if (!capture->away && capture->backend->start (capture->device, &capture->spec, &capture->info, &failure))
    return TRUE;
  capture->away |= is_about_absence (failure); /* since the last stream, or since open() */
  if (capture->away)
    return zc_capture_reopen (capture, error);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static void
begin_running (ZcCapture *capture)
{
  capture->running = TRUE;
  capture->detached = FALSE;
  capture->keep = FALSE;
  capture->anchored = capture->rejoins = FALSE;
  capture->rested = capture->rests = capture->idle = capture->skipped = FALSE;
  capture->moved |= capture->by_name;
  capture->dry_since_ns = ZC_TIME_NONE;
  g_clear_pointer (&capture->refused, g_free);
  capture->glitch = (ZcGlitch){ 0 };
  capture->end = capture->fill = capture->bridged = 0;
  capture->unseen_frames = 0;
  zc_timeline_reset (capture->timeline, capture->spec.format.rate, capture->stamps);
  if (capture->ticks != NULL)
    zc_ticks_begin (capture->ticks, capture->spec.format.rate);
  zc_lateness_reset (&capture->lateness);
}

gboolean
zc_capture_start (ZcCapture *capture, const ZcStreamSpec *spec, GError **error)
{
  g_assert (!capture->running && spec->latency_frames > 0 && spec->buffer_frames >= spec->latency_frames);

  capture->spec = *spec;
  if (!begin_stream (capture, error))
    return FALSE;
  capture->away = FALSE;
  begin_running (capture);
  return TRUE;
}

gboolean
zc_capture_is_gone (const ZcCapture *capture)
{
  return capture->away;
}

void
zc_capture_start_gone (ZcCapture *capture)
{
  g_assert (!capture->running && capture->away);
  if (capture->info.max_borrowed == 0) /* there was no stream yet */
    capture->info = (ZcStreamInfo){ .delay_frames = capture->spec.latency_frames,
      .buffer_frames = capture->spec.buffer_frames, .max_borrowed = 1 };
  begin_running (capture);
  zc_capture_begin_absence (capture);
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

gboolean
zc_capture_borrow (ZcCapture *capture)
{
  if (!capture->backend->borrow (capture->device, &capture->packet))
    return FALSE;
  if (is_time_wild (capture))
    capture->packet.capture_time_ns = ZC_TIME_NONE;
  capture->borrowed = TRUE;
  capture->packet_taken = 0;
  place_packet (capture);
  return TRUE;
}

/* Packets that are kept come home first; the backend tells of the loss again then. */
static ZcNext
lose (ZcCapture *capture, GError **error)
{
  if (capture->kept > 0) {
    g_clear_error (error);
    return ZC_NEXT_FULL;
  }
  zc_capture_end_stream (capture);
  zc_capture_begin_absence (capture);
  return ZC_NEXT_LOST;
}

gboolean
zc_capture_has_moved (const ZcCapture *capture)
{
  return (capture->moved && capture->follow) || atomic_load_explicit (&capture->retargeted, memory_order_acquire);
}

static ZcNext
wait_for_packet (ZcCapture *capture, GError **error)
{
  while (!zc_capture_is_woken (capture)) {
    gboolean full = capture->kept == capture->info.max_borrowed;
    ZcWait wait;

    if (zc_capture_has_moved (capture)) {
      ZcNext next = zc_capture_move (capture, error);
      if (next != ZC_NEXT_SPAN)
        return next;
      if (capture->away)
        return zc_capture_wait_for_device (capture, error);
    }
    if (capture->kept > 0 && !capture->info.lends_while_waiting)
      return ZC_NEXT_FULL;
    if (!full && zc_capture_borrow (capture))
      return ZC_NEXT_SPAN;
    if (!full && is_idle_silence_due (capture))
      return ZC_NEXT_SPAN;
    wait = capture->backend->wait (capture->device, wait_slice_ns (capture), error);
    if (wait == ZC_WAIT_LOST)
      return lose (capture, error);
    zc_stats_add (capture->stats, ZC_STAT_WAKEUPS, 1);
    capture->rests = wait == ZC_WAIT_IDLE;
    capture->rested |= capture->rests;
    capture->asked = TRUE;
    capture->moved |= wait == ZC_WAIT_MOVED;
    if (full && wait != ZC_WAIT_WOKEN) /* after a timeout, too: what is kept may be free by now */
      return ZC_NEXT_FULL;
  }
  return ZC_NEXT_WOKEN;
}

/* A packet of sound has been borrowed, and follows what is before it. */
static gboolean
is_sound_next (const ZcCapture *capture)
{
  return capture->borrowed && !capture->packet_discont && (capture->packet.flags & ZC_PACKET_SILENT) == 0;
}

ZcNext
zc_capture_next (ZcCapture *capture, ZcSpan *span, GError **error)
{
  guint taken;

  g_assert (capture->running);
  if (zc_capture_is_woken (capture))
    return ZC_NEXT_WOKEN;
  if (capture->refusal != NULL) {
    g_propagate_error (error, g_steal_pointer (&capture->refusal));
    return ZC_NEXT_REFUSED;
  }
  if (!capture->borrowed && capture->fill == 0) {
    ZcNext next = capture->away ? zc_capture_wait_for_device (capture, error) : wait_for_packet (capture, error);
    if (next != ZC_NEXT_SPAN)
      return next;
  }
  if (capture->fill > 0) {
    *span = (ZcSpan){ .frames = (guint) MIN (capture->fill, capture->spec.latency_frames),
      .position = capture->fill_position, .discont = capture->fill_discont,
      .joins = capture->fill <= capture->spec.latency_frames && is_sound_next (capture) };
    return ZC_NEXT_SPAN;
  }

  taken = capture->packet_taken;
  *span = (ZcSpan){
    .frames = capture->packet.frames - taken,
    .position = capture->packet_position + taken,
    .discont = capture->packet_discont && taken == 0,
  };
  if ((capture->packet.flags & ZC_PACKET_SILENT) == 0)
    span->data = capture->packet.data + (gsize) taken * zc_format_frame_bytes (&capture->spec.format);
  return ZC_NEXT_SPAN;
}

void
zc_capture_keep_packets (ZcCapture *capture)
{
  capture->keep = TRUE;
}

void
zc_capture_give_back (ZcCapture *capture)
{
  g_assert (capture->kept > 0);
  capture->backend->give_back (capture->device);
  capture->kept--;
}

gboolean
zc_capture_end_packet (ZcCapture *capture)
{
  if (!capture->borrowed)
    return FALSE;
  capture->borrowed = FALSE;
  capture->kept++;
  if (!capture->keep)
    zc_capture_give_back (capture);
  return TRUE;
}

static void
advance_fill (ZcCapture *capture, guint frames)
{
  g_assert (frames <= capture->fill);
  zc_stats_add (capture->stats, ZC_STAT_FRAMES_EXPECTED, frames);
  zc_stats_add (capture->stats, ZC_STAT_FRAMES_FILLED, frames);
  capture->fill -= frames;
  capture->fill_position += frames;
  capture->fill_discont &= frames == 0;
}

gboolean
zc_capture_advance (ZcCapture *capture, guint frames)
{
  if (capture->fill > 0) {
    advance_fill (capture, frames);
    return FALSE;
  }
  g_assert (capture->borrowed && frames <= capture->packet.frames - capture->packet_taken);

  zc_stats_add (capture->stats, ZC_STAT_FRAMES_EXPECTED, frames);
  capture->packet_taken += frames;
  return capture->packet_taken == capture->packet.frames && zc_capture_end_packet (capture);
}

ZcStamp
zc_capture_stamp (ZcCapture *capture, guint64 position, guint frames)
{
  ZcStamp stamp = zc_timeline_stamp (capture->timeline, position, frames);

  zc_histogram_add (&capture->stats->lateness,
      zc_lateness_note (&capture->lateness, stamp.end_ns, zc_capture_now_ns (capture)));
  return stamp;
}

void
zc_capture_wake (ZcCapture *capture, gboolean on)
{
  g_mutex_lock (&capture->waking);
  atomic_store_explicit (&capture->woken, on, memory_order_release);
  capture->backend->wake (capture->device, on || capture->retargeted);
  g_cond_broadcast (&capture->awake);
  g_mutex_unlock (&capture->waking);
}

guint64
zc_capture_bridged_frames (const ZcCapture *capture)
{
  return capture->bridged;
}

void
zc_capture_stop (ZcCapture *capture)
{
  g_assert (capture->running);
  if (!capture->away || capture->rejoins)
    zc_capture_end_stream (capture);
  capture->running = FALSE;
}

void
zc_capture_close (ZcCapture *capture)
{
  if (capture->running)
    zc_capture_stop (capture);
  g_clear_error (&capture->hopeless);
  g_clear_error (&capture->refusal);
  g_free (capture->refused);
  capture->backend->close (capture->device);
  zc_timeline_free (capture->timeline);
  g_mutex_clear (&capture->waking);
  g_cond_clear (&capture->awake);
  zc_target_clear (&capture->target);
  zc_target_clear (&capture->next_target);
  g_free (capture);
}
