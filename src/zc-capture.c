/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-capture-private.h"
#include "zc-clock.h"
#include "zc-limits.h"
#include "zc-registry.h"

/* So many packets may come before the backend is listened to, some 100 ms of them. */
#define MOST_UNHEARD 16

ZcCapture *
zc_capture_open (const gchar *backend, const ZcTarget *target, ZcStats *stats, GError **error)
{
  ZcCapture *capture = g_new0 (ZcCapture, 1);

  capture->device = zc_registry_open (backend, target, &capture->backend, &capture->native, error);
  if (capture->device == NULL) {
    g_free (capture);
    return NULL;
  }
  capture->automatic = g_str_equal (backend, "auto");
  capture->of_process = zc_target_is_process (target);
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

gboolean
zc_capture_borrow (ZcCapture *capture)
{
  if (!capture->backend->borrow (capture->device, &capture->packet))
    return FALSE;
  capture->borrowed = TRUE;
  capture->packet_taken = 0;
  capture->unheard++;
  if ((capture->packet.flags & ZC_PACKET_COPIED) != 0)
    zc_stats_add (capture->stats, ZC_STAT_BYTES_COPIED,
        (guint64) capture->packet.frames * zc_format_frame_bytes (&capture->spec.format));
  zc_capture_place_packet (capture);
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

/* The default has changed, and of what the old one played until then some may be there. */
static gboolean
is_behind_move (const ZcCapture *capture)
{
  const ZcPacket *last = &capture->packet;

  return !atomic_load_explicit (&capture->retargeted, memory_order_acquire) && last->capture_time_ns != ZC_TIME_NONE
      && last->capture_time_ns + (gint64) zc_frames_to_ns (last->frames, capture->spec.format.rate)
          < capture->moved_at_ns;
}

/* The backend has its say, also where packets never run out: behind a sink that goes by the clock, say. */
static ZcWait
listen (ZcCapture *capture, GError **error)
{
  gint64 timeout_ns = capture->unheard < MOST_UNHEARD ? zc_capture_wait_slice_ns (capture) : 0;
  ZcWait wait = capture->backend->wait (capture->device, timeout_ns, error);

  capture->unheard = 0;
  if (wait == ZC_WAIT_LOST || wait == ZC_WAIT_RECALL)
    return wait;
  zc_stats_add (capture->stats, ZC_STAT_WAKEUPS, 1);
  capture->rests = wait == ZC_WAIT_IDLE;
  capture->rested |= capture->rests;
  capture->asked = TRUE;
  if (wait == ZC_WAIT_MOVED) {
    capture->moved = TRUE;
    capture->moved_at_ns = capture->backend->now_ns (capture->device);
  }
  return wait;
}

static ZcNext
wait_for_packet (ZcCapture *capture, GError **error)
{
  while (!zc_capture_is_woken (capture)) {
    gboolean full = capture->kept == capture->info.max_borrowed;
    ZcWait wait;

    if (zc_capture_has_moved (capture)) {
      ZcNext next;

      if (!full && is_behind_move (capture) && zc_capture_borrow (capture))
        return ZC_NEXT_SPAN;
      next = zc_capture_move (capture, error);
      if (next != ZC_NEXT_SPAN)
        return next;
      if (capture->away)
        return zc_capture_wait_for_device (capture, error);
    }
    if (capture->kept > 0 && !capture->info.lends_while_waiting)
      return ZC_NEXT_FULL;
    if (!full && capture->unheard < MOST_UNHEARD && zc_capture_borrow (capture))
      return ZC_NEXT_SPAN;
    if (!full && zc_capture_is_idle_silence_due (capture))
      return ZC_NEXT_SPAN;
    wait = listen (capture, error);
    if (wait == ZC_WAIT_LOST)
      return lose (capture, error);
    if (wait == ZC_WAIT_RECALL)
      return ZC_NEXT_FULL; /* until none is out: the backend says so again */
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
