/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zc-capture.h"

#include "zc-clock.h"
#include "zc-lateness.h"
#include "zc-limits.h"
#include "zc-registry.h"

/* Without a device nothing tells that time has passed. */
#define DOZE_NS (G_GINT64_CONSTANT (5) * 1000 * 1000)

struct _ZcCapture {
  const ZcBackend *backend;
  ZcTarget target; /* its device is ours */
  ZcDevice *device;
  ZcFormat native;
  ZcStats *stats;

  GMutex waking; /* held to wake the device, and to put another one in its place */
  GCond awake;   /* for who waits without a device */
  _Atomic gboolean woken;

  /* The streaming thread's, while running. */
  gboolean running;
  gboolean detached;
  ZcStreamSpec spec;
  ZcStreamInfo info;
  ZcTimeline *timeline;
  ZcClockFunc clock;
  gpointer clock_data;
  ZcLateness lateness;

  gboolean anchored;     /* origin and end mean something */
  guint64 origin;        /* the device's position of our position 0 */
  guint64 end;           /* our position after the packets and the silence so far */
  guint64 unseen_frames; /* lost without a word from the device: its positions fall short by these */

  gboolean away;    /* the stream has ended; the device is open, but gone ... */
  gboolean rejoins; /* ... or there again, with a stream that runs and has no packet yet */
  gint64 retry_at_ns;
  gint64 retry_after_ns;
  guint64 bridged;       /* frames of silence since the loss */
  guint64 fill;          /* frames of silence before anything else */
  guint64 fill_position;
  gboolean fill_discont;

  gboolean borrowed;
  ZcPacket packet;
  guint64 packet_position;
  gboolean packet_discont;
  guint packet_taken; /* frames of it that advance() has passed */
  gboolean keep;
  guint kept; /* packets that advance() has passed and give_back() has not */
};

static gboolean
open_with (ZcCapture *capture, const ZcBackend *backend, const ZcTarget *target, GError **error)
{
  if (zc_target_is_process (target) && !backend->captures_processes) {
    g_set_error (error, ZC_ERROR, ZC_ERROR_SETTINGS, "%s cannot capture the sound of single processes. Leave process-id "
        "and process-mode unset, or choose another backend.", backend->title);
    return FALSE;
  }
  capture->backend = backend;
  capture->device = backend->open (target, &capture->native, error);
  return capture->device != NULL;
}

/* The first backend whose server answers; a server that answers with an error has the last word. */
static gboolean
open_automatic (ZcCapture *capture, const ZcTarget *target, GError **error)
{
  g_autoptr (GError) failure = NULL;

  for (const ZcBackend *const *backend = zc_registry_list (); *backend != NULL; backend++) {
    if (!(*backend)->automatic)
      continue;
    g_clear_error (&failure);
    if (open_with (capture, *backend, target, &failure))
      return TRUE;
    if (!g_error_matches (failure, ZC_ERROR, ZC_ERROR_NO_SERVER))
      break;
  }
  if (failure == NULL)
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_SERVER, "This build knows no audio system. Build it with one, or "
        "choose backend=simulated.");
  else
    g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
open_named (ZcCapture *capture, const gchar *name, const ZcTarget *target, GError **error)
{
  const ZcBackend *backend = zc_registry_find (name);
  g_autoptr (GString) known = NULL;

  if (backend != NULL)
    return open_with (capture, backend, target, error);

  known = g_string_new ("auto");
  for (const ZcBackend *const *each = zc_registry_list (); *each != NULL; each++)
    g_string_append_printf (known, ", %s", (*each)->name);
  g_set_error (error, ZC_ERROR, ZC_ERROR_SETTINGS, "This build has no backend \"%s\". Choose one of: %s.", name,
      known->str);
  return FALSE;
}

ZcCapture *
zc_capture_open (const gchar *backend, const ZcTarget *target, ZcStats *stats, GError **error)
{
  ZcCapture *capture = g_new0 (ZcCapture, 1);
  gboolean automatic = g_strcmp0 (backend, "auto") == 0;

  capture->stats = stats;
  capture->target = *target;
  capture->target.device = g_strdup (target->device);
  if (!(automatic ? open_automatic (capture, target, error) : open_named (capture, backend, target, error))) {
    g_free ((gchar *) capture->target.device);
    g_free (capture);
    return NULL;
  }
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

/* In the clock of the stamps. */
static gint64
stamp_now_ns (const ZcCapture *capture)
{
  return capture->clock != NULL ? capture->clock (capture->clock_data) : capture->backend->now_ns (capture->device);
}

/* In the clock of the stamps. Without a word from the system, the packet ended just now. */
static gint64
capture_time_ns (ZcCapture *capture)
{
  gint64 device_now_ns = capture->backend->now_ns (capture->device);
  gint64 now_ns = capture->clock != NULL ? stamp_now_ns (capture) : device_now_ns;
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

static void
fill (ZcCapture *capture, guint64 frames)
{
  capture->fill = frames;
  capture->fill_position = capture->end;
  capture->end += frames;
  capture->bridged += frames;
}

/* The first packet of a stream that goes on with another one: it lies where its time says, and silence before it. */
static void
rejoin (ZcCapture *capture)
{
  fill (capture, frames_until (capture, capture_time_ns (capture)));
  capture->origin = capture->packet.position_frames;
  capture->unseen_frames = capture->end;
}

/* A packet has come: where does it lie, and what is missing before it? */
static void
place_packet (ZcCapture *capture)
{
  const ZcPacket *packet = &capture->packet;
  gboolean first = !capture->anchored;
  guint64 unseen = 0, lost;

  if (capture->rejoins)
    rejoin (capture);
  capture->rejoins = FALSE;
  if (first) {
    capture->anchored = TRUE;
    capture->origin = packet->position_frames;
  }
  capture->packet_position = packet->position_frames - capture->origin + capture->unseen_frames;
  if (packet->capture_time_ns != ZC_TIME_NONE || first) {
    unseen = zc_timeline_observe (capture->timeline, capture->packet_position, capture_time_ns (capture), packet->frames);
    capture->unseen_frames += unseen;
    capture->packet_position += unseen;
  }

  lost = capture->packet_position - capture->end;
  capture->packet_discont = first || lost > 0 || (packet->flags & ZC_PACKET_DISCONT) != 0;
  capture->end = capture->packet_position + packet->frames;
  zc_stats_lose (capture->stats, ZC_STAT_LOST_DEVICE, lost - unseen);
  zc_stats_lose (capture->stats, ZC_STAT_LOST_UNSEEN, unseen);
  zc_stats_add (capture->stats, ZC_STAT_FRAMES_EXPECTED, lost);
  if (capture->packet_discont && !first)
    zc_stats_add (capture->stats, ZC_STAT_GLITCHES, 1);
}

static gboolean
is_woken (const ZcCapture *capture)
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

static void
end_stream (ZcCapture *capture)
{
  if (!capture->detached)
    zc_capture_detach (capture);
  for (guint out = capture->kept + capture->borrowed; out > 0; out--)
    capture->backend->give_back (capture->device);
  capture->kept = 0;
  capture->borrowed = FALSE;
  capture->backend->stop (capture->device);
}

/* -- while the device is gone ------------------------------------------------------------------------------------ */

static void
begin_absence (ZcCapture *capture)
{
  end_stream (capture);
  capture->away = TRUE;
  capture->fill_discont = TRUE;
  capture->bridged = 0;
  capture->retry_after_ns = ZC_RETRY_FIRST_NS;
  capture->retry_at_ns = zc_clock_now_ns ();
  zc_stats_add (capture->stats, ZC_STAT_GLITCHES, 1);
  if (capture->anchored)
    return;
  capture->anchored = TRUE; /* lost before its first packet: the silence begins now */
  capture->origin = 0;
  zc_timeline_observe (capture->timeline, 0, stamp_now_ns (capture), 1);
}

/* The one that is gone stays open until then: its clock and its name are good. */
static void
put_in_place (ZcCapture *capture, ZcDevice *device)
{
  g_mutex_lock (&capture->waking);
  capture->backend->close (capture->device);
  capture->device = device;
  if (is_woken (capture))
    capture->backend->wake (device, TRUE);
  g_mutex_unlock (&capture->waking);
}

static gboolean
open_again (ZcCapture *capture, GError **error)
{
  ZcDevice *device = capture->backend->open (&capture->target, &capture->native, error);

  if (device == NULL)
    return FALSE;
  put_in_place (capture, device);
  capture->detached = FALSE;
  return TRUE;
}

static gboolean
reopen (ZcCapture *capture)
{
  return open_again (capture, NULL) && capture->backend->start (capture->device, &capture->spec, &capture->info, NULL);
}

static void
wait_before_retry (ZcCapture *capture)
{
  capture->retry_at_ns = zc_clock_now_ns () + capture->retry_after_ns;
  capture->retry_after_ns = MIN (2 * capture->retry_after_ns, ZC_RETRY_MOST_NS);
}

/* As much silence as a device would have delivered by now, in packets. One that has just begun gets the time to deliver. */
static gboolean
is_silence_due (ZcCapture *capture)
{
  guint64 passed = frames_until (capture, stamp_now_ns (capture));
  guint64 hold = capture->info.delay_frames;

  if (capture->rejoins)
    hold += zc_ns_to_frames (ZC_REJOIN_NS, capture->spec.format.rate);
  if (passed < capture->spec.latency_frames + hold)
    return FALSE;
  fill (capture, capture->spec.latency_frames);
  return TRUE;
}

static void
doze (ZcCapture *capture)
{
  g_mutex_lock (&capture->waking);
  if (!is_woken (capture))
    g_cond_wait_until (&capture->awake, &capture->waking, g_get_monotonic_time () + DOZE_NS / 1000);
  g_mutex_unlock (&capture->waking);
}

static void
try_again (ZcCapture *capture)
{
  if (zc_clock_now_ns () < capture->retry_at_ns)
    doze (capture);
  else if (reopen (capture))
    capture->rejoins = TRUE;
  else
    wait_before_retry (capture);
}

/* The stream runs again. TRUE when its first packet has come. */
static gboolean
await_first (ZcCapture *capture)
{
  if (capture->backend->borrow (capture->device, &capture->packet)) {
    capture->borrowed = TRUE;
    capture->packet_taken = 0;
    place_packet (capture);
    capture->away = FALSE;
    return TRUE;
  }
  if (capture->backend->wait (capture->device, DOZE_NS, NULL) == ZC_WAIT_LOST) {
    capture->rejoins = FALSE;
    end_stream (capture);
    wait_before_retry (capture);
  }
  return FALSE;
}

static ZcNext
wait_for_device (ZcCapture *capture)
{
  while (!is_woken (capture)) {
    if (is_silence_due (capture))
      return ZC_NEXT_SPAN;
    if (!capture->rejoins)
      try_again (capture);
    else if (await_first (capture))
      return ZC_NEXT_FOUND;
  }
  return ZC_NEXT_WOKEN;
}

/* -- start ------------------------------------------------------------------------------------------------------- */

gboolean
zc_capture_start (ZcCapture *capture, const ZcStreamSpec *spec, GError **error)
{
  g_assert (!capture->running && spec->latency_frames > 0 && spec->buffer_frames >= spec->latency_frames);

  if (capture->away && !open_again (capture, error))
    return FALSE;
  if (!capture->backend->start (capture->device, spec, &capture->info, error))
    return FALSE;
  capture->spec = *spec;
  capture->running = TRUE;
  capture->detached = FALSE;
  capture->keep = FALSE;
  capture->anchored = FALSE;
  capture->away = capture->rejoins = FALSE;
  capture->end = capture->fill = 0;
  capture->unseen_frames = 0;
  zc_timeline_reset (capture->timeline, spec->format.rate);
  zc_lateness_reset (&capture->lateness);
  return TRUE;
}

/* -- packets ----------------------------------------------------------------------------------------------------- */

/* Packets that are kept come home first; the backend tells of the loss again then. */
static ZcNext
lose (ZcCapture *capture, GError **error)
{
  if (capture->kept > 0) {
    g_clear_error (error);
    return ZC_NEXT_FULL;
  }
  begin_absence (capture);
  return ZC_NEXT_LOST;
}

static ZcNext
wait_for_packet (ZcCapture *capture, GError **error)
{
  while (!is_woken (capture)) {
    gboolean full = capture->kept == capture->info.max_borrowed;
    ZcWait wait;

    if (capture->kept > 0 && !capture->info.lends_while_waiting)
      return ZC_NEXT_FULL;
    if (!full && capture->backend->borrow (capture->device, &capture->packet)) {
      capture->borrowed = TRUE;
      capture->packet_taken = 0;
      place_packet (capture);
      return ZC_NEXT_SPAN;
    }
    wait = capture->backend->wait (capture->device, ZC_WAIT_SLICE_NS, error);
    if (wait == ZC_WAIT_LOST)
      return lose (capture, error);
    zc_stats_add (capture->stats, ZC_STAT_WAKEUPS, 1);
    if (full && wait != ZC_WAIT_WOKEN) /* after a timeout, too: what is kept may be free by now */
      return ZC_NEXT_FULL;
  }
  return ZC_NEXT_WOKEN;
}

ZcNext
zc_capture_next (ZcCapture *capture, ZcSpan *span, GError **error)
{
  guint taken;

  g_assert (capture->running);
  if (is_woken (capture))
    return ZC_NEXT_WOKEN;
  if (!capture->borrowed && capture->fill == 0) {
    ZcNext next = capture->away ? wait_for_device (capture) : wait_for_packet (capture, error);
    if (next != ZC_NEXT_SPAN)
      return next;
  }
  if (capture->fill > 0) {
    *span = (ZcSpan){ .frames = (guint) MIN (capture->fill, capture->spec.latency_frames),
      .position = capture->fill_position, .discont = capture->fill_discont };
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
      zc_lateness_note (&capture->lateness, stamp.end_ns, stamp_now_ns (capture)));
  return stamp;
}

void
zc_capture_wake (ZcCapture *capture, gboolean on)
{
  g_mutex_lock (&capture->waking);
  atomic_store_explicit (&capture->woken, on, memory_order_release);
  capture->backend->wake (capture->device, on);
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
    end_stream (capture);
  capture->running = FALSE;
}

void
zc_capture_close (ZcCapture *capture)
{
  if (capture->running)
    zc_capture_stop (capture);
  capture->backend->close (capture->device);
  zc_timeline_free (capture->timeline);
  g_mutex_clear (&capture->waking);
  g_cond_clear (&capture->awake);
  g_free ((gchar *) capture->target.device);
  g_free (capture);
}
