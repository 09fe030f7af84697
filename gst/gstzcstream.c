/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcerror.h"
#include "gstzcformat.h"
#include "gstzcloopbacksrc-private.h"

#define GST_CAT_DEFAULT gst_zc_loopback_src_debug

/* Sound that is heard so long before the end of the last stream, at most, is of the same running time. */
#define OVERLAP_MOST_NS (G_GINT64_CONSTANT (1000) * 1000 * 1000)

/* How long to wait for downstream to unmap before looking if we were woken. */
#define MAPPED_SLICE_NS (G_GINT64_CONSTANT (5) * 1000 * 1000)

/* -- beginning and end ------------------------------------------------------------------------------------------- */

/* A packet's first frame waits for the packet to fill and for the server to deliver. */
void
gst_zc_stream_set_latency (GstZcLoopbackSrc *self, const ZcStreamInfo *info)
{
  guint rate = self->spec.format.rate;
  GstClockTime min = zc_frames_to_ns (self->spec.latency_frames + info->delay_frames, rate);
  GstClockTime max = MAX (zc_frames_to_ns (info->buffer_frames, rate), min);
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = min != self->latency_min || max != self->latency_max;
  self->latency_min = min;
  self->latency_max = max;
  GST_OBJECT_UNLOCK (self);
  if (changed)
    gst_element_post_message (GST_ELEMENT_CAST (self), gst_message_new_latency (GST_OBJECT_CAST (self)));
}

/* Somebody has the engine's memory mapped and does not let go: the engine stays until then, but nobody else waits for
 * that. */
static void
abandon (GstZcLoopbackSrc *self)
{
  GST_WARNING_OBJECT (self, "downstream keeps a packet mapped; use memory-mode=pool for applications that do so");
  gst_zc_waker_set_capture (&self->waker, NULL);
  gst_zc_loans_abandon (g_steal_pointer (&self->loans), g_steal_pointer (&self->capture), GST_OBJECT_CAST (self));
  self->loans = gst_zc_loans_new (&self->stats);
}

void
gst_zc_stream_halt (GstZcLoopbackSrc *self)
{
  gst_zc_packer_reset (self->packer);
  gst_zc_poster_tell_overflow (&self->poster, self->packer, self->actual_device, TRUE);
  gst_clear_object (&self->clock);
  if (self->capture == NULL || !zc_capture_is_running (self->capture))
    return;
  if (zc_capture_end_packet (self->capture) && self->lease)
    gst_zc_loans_end_packet (self->loans);
  if (gst_zc_loans_call_in_all (self->loans, self->capture, ZC_UNMAP_TIMEOUT_NS))
    zc_capture_stop (self->capture);
  else
    abandon (self);
}

static GstFlowReturn
fail (GstZcLoopbackSrc *self, const GError *error)
{
  gst_zc_stream_halt (self);
  if (g_error_matches (error, ZC_ERROR, ZC_ERROR_LOST)) {
    GST_OBJECT_LOCK (self);
    self->other_device = TRUE; /* READY to PAUSED opens it anew */
    GST_OBJECT_UNLOCK (self);
  }
  gst_zc_post_error (GST_ELEMENT_CAST (self), error);
  /* GstBaseSrc would post a second error for GST_FLOW_ERROR. EOS lets downstream finish what it has. */
  return GST_FLOW_EOS;
}

static GstFlowReturn
fail_negotiation (GstZcLoopbackSrc *self)
{
  GstPad *pad = GST_BASE_SRC_PAD (self);
  g_autoptr (GstCaps) wanted = NULL;
  g_autofree gchar *native = zc_format_describe (&self->native);
  g_autofree gchar *wanted_text = NULL;
  g_autoptr (GError) error = NULL;

  if (GST_PAD_IS_FLUSHING (pad)) {
    gst_pad_mark_reconfigure (pad);
    return GST_FLOW_FLUSHING;
  }
  wanted = gst_pad_peer_query_caps (pad, NULL);
  wanted_text = gst_caps_to_string (wanted);
  error = g_error_new (ZC_ERROR, ZC_ERROR_FORMAT, "\"%s\" plays %s, which cannot become what the next element wants "
      "(%.400s). Put audioconvert ! audioresample between them, or ask for less.", self->actual_device, native,
      wanted_text);
  return fail (self, error);
}

static GstFlowReturn
fail_memory (GstZcLoopbackSrc *self)
{
  g_autoptr (GError) error = g_error_new (ZC_ERROR, ZC_ERROR_SETTINGS, "There is no memory for a pool of packets of %u "
      "bytes (gst_buffer_pool_set_active). Lower pool-min-buffers (with pool-strategy=fixed, pool-max-buffers) or "
      "latency-time.", self->spec.latency_frames * zc_format_frame_bytes (&self->spec.format));

  return fail (self, error);
}

static gint64
pipeline_now_ns (gpointer data)
{
  return (gint64) gst_clock_get_time (GST_ZC_LOOPBACK_SRC (data)->clock);
}

static void
update_wishes (GstZcLoopbackSrc *self)
{
  ZcFill fills = g_atomic_int_get (&self->on_glitch) == GST_ZC_ON_GLITCH_FILL ? ZC_FILL_GLITCHES : 0;

  zc_capture_set_follow (self->capture, g_atomic_int_get (&self->follow_default));
  zc_capture_set_fills (self->capture, fills | (self->fills_idle ? ZC_FILL_IDLE : 0));
}

static gboolean
reopens (GstZcLoopbackSrc *self)
{
  return g_atomic_int_get (&self->on_loss) == GST_ZC_ON_LOSS_REOPEN;
}

/* The device is gone; told once. */
static void
note_loss (GstZcLoopbackSrc *self, const GError *error)
{
  if (self->loss != NULL)
    return;
  self->loss = g_error_copy (error);
  if (reopens (self))
    gst_zc_poster_tell_lost (&self->poster, self->actual_device, error);
}

/* It is back, or another one is in its place. */
static void
find (GstZcLoopbackSrc *self)
{
  const gchar *device = zc_capture_device_name (self->capture);
  g_autofree gchar *previous = g_strdup (self->actual_device);
  gboolean is_other = !g_str_equal (device, previous);
  gboolean was_lost = self->loss != NULL;
  guint64 frames = zc_capture_bridged_frames (self->capture);

  g_clear_error (&self->loss);
  GST_OBJECT_LOCK (self);
  self->native = *zc_capture_native_format (self->capture);
  if (is_other) {
    g_free (self->actual_device);
    self->actual_device = g_strdup (device);
  }
  GST_OBJECT_UNLOCK (self);
  if (is_other)
    g_object_notify (G_OBJECT (self), "actual-device");
  gst_zc_stream_set_latency (self, zc_capture_stream_info (self->capture));
  if (was_lost)
    gst_zc_poster_tell_recovered (&self->poster, device, frames);
  else
    gst_zc_poster_tell_changed (&self->poster, device, previous, frames);
}

/* With the device, or with silence until it is there again. */
static gboolean
start_capture (GstZcLoopbackSrc *self, GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (zc_capture_start (self->capture, &self->spec, &failure)) {
    gboolean is_other = !g_str_equal (zc_capture_device_name (self->capture), self->actual_device);

    if (self->loss != NULL ? reopens (self) : is_other)
      find (self);
    return TRUE;
  }
  if (!zc_capture_is_gone (self->capture) || !reopens (self) || g_error_matches (failure, ZC_ERROR, ZC_ERROR_WOKEN)) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  zc_capture_start_gone (self->capture);
  note_loss (self, failure);
  return TRUE;
}

static gboolean
start_stream (GstZcLoopbackSrc *self, GError **error)
{
  if (self->capture == NULL) {
    g_set_error (error, ZC_ERROR, ZC_ERROR_LOST, "\"%s\" cannot be captured on: the next element keeps a packet of its "
        "memory mapped. Use memory-mode=pool.", self->actual_device);
    return FALSE;
  }
  self->clock = gst_element_get_clock (GST_ELEMENT_CAST (self));
  zc_capture_set_clock (self->capture, self->clock != NULL ? pipeline_now_ns : NULL, self);
  zc_capture_set_ticks (self->capture,
      GST_OBJECT_FLAG_IS_SET (self, GST_ELEMENT_FLAG_PROVIDE_CLOCK) ? self->ticks : NULL);
  zc_capture_set_stamps (self->capture, self->stamps);
  update_wishes (self);
  if (!start_capture (self, error)) {
    gst_clear_object (&self->clock);
    return FALSE;
  }
  self->based = self->begun = FALSE;
  if (self->lease)
    zc_capture_keep_packets (self->capture);
  gst_zc_packer_set_loans (self->packer, self->lease ? self->loans : NULL);
  gst_zc_stream_set_latency (self, zc_capture_stream_info (self->capture));
  return TRUE;
}

/* What was captured before a pause or a flush is of another time. */
static void
halt_if_stale (GstZcLoopbackSrc *self)
{
  if (!g_atomic_int_compare_and_exchange (&self->stale, TRUE, FALSE))
    return;
  if (g_atomic_int_compare_and_exchange (&self->time_reset, TRUE, FALSE))
    self->stamped_ns = 0;
  gst_zc_stream_halt (self);
}

/* OK, or how create() ends. */
static GstFlowReturn
ensure_stream (GstZcLoopbackSrc *self)
{
  g_autoptr (GError) error = NULL;

  if (!self->negotiated)
    return fail_negotiation (self);
  if (self->no_memory)
    return fail_memory (self);
  gst_zc_loopback_src_settle_memory (self);
  halt_if_stale (self);
  if ((self->capture != NULL && zc_capture_is_running (self->capture)) || start_stream (self, &error))
    return GST_FLOW_OK;
  return g_error_matches (error, ZC_ERROR, ZC_ERROR_WOKEN) ? GST_FLOW_FLUSHING : fail (self, error);
}

/* -- packets ----------------------------------------------------------------------------------------------------- */

/* The time that is running time 0. Without a clock, running time starts at the first frame, and goes on after a pause.
 * It changes under way when a flush resets the running time. */
static void
update_base (GstZcLoopbackSrc *self, GstBuffer *buffer, gint64 first_ns)
{
  gint64 base_ns = self->clock == NULL ? first_ns - self->stamped_ns
                                       : (gint64) gst_element_get_base_time (GST_ELEMENT_CAST (self));

  if (self->based && (self->clock == NULL || base_ns == self->base_ns))
    return;
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  self->based = TRUE;
  self->base_ns = base_ns;
}

/* The running time at which a stream may begin that would by its times: not before the end of the last one, whose device
 * may have been heard later. */
static gint64
earliest_ns (const GstZcLoopbackSrc *self, gint64 start_ns)
{
  return self->begun || self->stamped_ns - start_ns > OVERLAP_MOST_NS ? 0 : self->stamped_ns;
}

/* PTS and duration in running time. FALSE if the buffer is from before it, or from before the end of a stream that a
 * pause or a flush ended. */
static gboolean
stamp (GstZcLoopbackSrc *self, GstBuffer *buffer)
{
  guint64 position = GST_BUFFER_OFFSET (buffer);
  guint frames = (guint) (GST_BUFFER_OFFSET_END (buffer) - position);
  ZcStamp when = zc_capture_stamp (self->capture, position, frames);
  gint64 from_ns;

  update_base (self, buffer, when.start_ns);
  from_ns = earliest_ns (self, when.start_ns - self->base_ns);
  if (when.end_ns - self->base_ns <= from_ns)
    return FALSE;
  /* The first frames may have been captured just before the pipeline began to run. */
  GST_BUFFER_PTS (buffer) = (GstClockTime) MAX (when.start_ns - self->base_ns, from_ns);
  self->begun = TRUE;
  self->stamped_ns = when.end_ns - self->base_ns;
  GST_BUFFER_DURATION (buffer) = (GstClockTime) self->stamped_ns - GST_BUFFER_PTS (buffer);
  return TRUE;
}

/* FALSE if nobody is to get it. */
static gboolean
deliver (GstZcLoopbackSrc *self, GstBuffer *buffer)
{
  guint64 frames = GST_BUFFER_OFFSET_END (buffer) - GST_BUFFER_OFFSET (buffer);
  gboolean silent = GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP);

  if (!stamp (self, buffer)) {
    zc_stats_lose (&self->stats, ZC_STAT_LOST_EARLY, frames);
    self->discont = TRUE;
    return FALSE;
  }
  if (self->discont)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  self->discont = FALSE;
  zc_stats_add (&self->stats, silent ? ZC_STAT_FRAMES_SILENCE : ZC_STAT_FRAMES_CAPTURED, frames);
  zc_stats_add (&self->stats, ZC_STAT_PACKETS, 1);
  return TRUE;
}

static void
warn_if_stuck (GstZcLoopbackSrc *self)
{
  if (gst_zc_loans_take_stuck (self->loans))
    GST_ELEMENT_WARNING (self, RESOURCE, READ, ("Downstream keeps a packet mapped, and nothing is captured until it "
        "lets go."), ("Use memory-mode=pool for applications that keep buffers mapped."));
}

static void
tell_glitch (GstZcLoopbackSrc *self)
{
  ZcGlitch glitch;

  if (zc_capture_take_glitch (self->capture, &glitch))
    gst_zc_poster_tell_glitch (&self->poster, self->actual_device, &glitch);
}

/* Takes what has come, and waits for it: *buffer if that completed one. FLUSHING if woken. */
static GstFlowReturn
next_piece (GstZcLoopbackSrc *self, GstBuffer **buffer)
{
  g_autoptr (GError) error = NULL;
  ZcNext next;
  ZcSpan span;
  guint taken;

  if (self->loss != NULL && !reopens (self)) {
    error = g_steal_pointer (&self->loss);
    return fail (self, error);
  }
  gst_zc_loans_give_back_free (self->loans, self->capture);
  update_wishes (self);
  next = zc_capture_next (self->capture, &span, &error);
  if (next == ZC_NEXT_WOKEN)
    return GST_FLOW_FLUSHING;
  if (next == ZC_NEXT_FULL) { /* a mapped packet stays where it is; meanwhile the engine's buffer fills */
    gst_zc_loans_call_in_oldest (self->loans, self->capture, MAPPED_SLICE_NS);
    warn_if_stuck (self);
    return GST_FLOW_OK;
  }
  if (next == ZC_NEXT_REFUSED) {
    gst_zc_poster_tell_refused (&self->poster, self->actual_device, error);
    return GST_FLOW_OK;
  }
  if (g_atomic_int_get (&self->stale))
    return GST_FLOW_OK; /* paused and playing again before we noticed */
  tell_glitch (self);
  if (next == ZC_NEXT_FAILED)
    return fail (self, error);
  if (next == ZC_NEXT_LOST) { /* first what came before */
    note_loss (self, error);
    *buffer = gst_zc_packer_flush (self->packer);
    return GST_FLOW_OK;
  }
  if (next == ZC_NEXT_FOUND) {
    *buffer = gst_zc_packer_flush (self->packer);
    find (self);
    return GST_FLOW_OK;
  }
  taken = gst_zc_packer_add (self->packer, &span, (GstZcOverflow) g_atomic_int_get (&self->overflow), buffer);
  if (taken == 0 && *buffer == NULL)
    return GST_FLOW_FLUSHING; /* the pool's word */
  if (zc_capture_advance (self->capture, taken) && self->lease)
    gst_zc_loans_end_packet (self->loans);
  gst_zc_poster_tell_overflow (&self->poster, self->packer, self->actual_device, *buffer != NULL);
  return GST_FLOW_OK;
}

/* Woken: to return, or by a pause to wait for its end. What plays meanwhile is not for us. */
static GstFlowReturn
leave_or_pause (GstZcLoopbackSrc *self)
{
  GstBaseSrc *base = GST_BASE_SRC (self);

  gst_zc_stream_halt (self);
  return gst_zc_waker_wait (&self->waker, GST_BASE_SRC_PAD (base)) ? gst_base_src_wait_playing (base)
                                                                   : GST_FLOW_FLUSHING;
}

GstFlowReturn
gst_zc_stream_create (GstPushSrc *push, GstBuffer **out)
{
  GstZcLoopbackSrc *self = GST_ZC_LOOPBACK_SRC (push);
  GstBuffer *buffer = NULL;
  GstFlowReturn flow;

  do {
    flow = ensure_stream (self);
    if (flow == GST_FLOW_OK)
      flow = next_piece (self, &buffer);
    if (flow == GST_FLOW_FLUSHING)
      flow = leave_or_pause (self);
    if (buffer != NULL && !deliver (self, buffer))
      gst_clear_buffer (&buffer);
    gst_zc_poster_tell_stats (&self->poster, (guint) g_atomic_int_get (&self->stats_interval_ms),
        self->spec.format.rate, &self->stats, &self->allocation);
  } while (flow == GST_FLOW_OK && buffer == NULL);
  *out = buffer;
  return flow;
}
