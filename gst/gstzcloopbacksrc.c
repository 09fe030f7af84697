/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-zcloopbacksrc
 * @title: zcloopbacksrc
 * @short_description: Captures what the computer plays
 *
 * Captures the sound that an output device of this computer plays, in the device's own format.
 *
 * ## Example
 * |[
 * gst-launch-1.0 -e zcloopbacksrc ! audioconvert ! flacenc ! filesink location=what-i-heard.flac
 * ]|
 */
/* Threads. The streaming thread runs create() and negotiation and is the only one to touch what is marked as its
 * own; it exists only while the thread that changes states waits in neither start() nor stop(). Everything that
 * several threads see is under the object lock, which is held for a few assignments and never while calling out. */
#include "gstzcloopbacksrc.h"

#include "gstzcallocation.h"
#include "gstzcclock.h"
#include "gstzcerror.h"
#include "gstzcloans.h"
#include "gstzcpacker.h"
#include "gstzcposter.h"
#include "gstzcreadings.h"
#include "gstzcsettings.h"
#include "gstzcwaker.h"

GST_DEBUG_CATEGORY_STATIC (gst_zc_loopback_src_debug);
#define GST_CAT_DEFAULT gst_zc_loopback_src_debug

/* How long to wait for downstream to unmap before looking if we were woken. */
#define MAPPED_SLICE_NS (G_GINT64_CONSTANT (5) * 1000 * 1000)

enum {
  PROP_ACTUAL_DEVICE = GST_ZC_N_READINGS,
};

struct _GstZcLoopbackSrc {
  GstPushSrc parent;

  gint overflow; /* atomic: of the settings, for the streaming thread */
  gint stats_interval_ms; /* the same */
  gint on_loss;           /* the same */
  gint on_glitch;         /* the same */
  gint follow_default;    /* the same */
  gint stale;    /* atomic: a pause came between; stream and base time are from before it */
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
  ZcFormat native;                  /* meaningful while actual_device is set */
  GstClockTime latency_min;
  GstClockTime latency_max;

  /* The streaming thread's. */
  gboolean negotiated;
  gboolean fresh_memory; /* decided on, and active since */
  ZcStreamSpec spec;
  gboolean lease;
  gboolean fills_idle;
  ZcStamps stamps;
  GstClock *clock; /* of the pipeline, while the stream runs; NULL if it has none */
  gint64 base_ns;  /* the time of this clock that is running time 0 */
  gboolean based;
  GError *loss; /* why the device is gone, while it is */
  gboolean discont; /* of the next buffer, as the one before it was not delivered */
  ZcPagesWish pages;
  GstZcPoster poster;
};

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS (GST_ZC_CAPS));

G_DEFINE_FINAL_TYPE (GstZcLoopbackSrc, gst_zc_loopback_src, GST_TYPE_PUSH_SRC)

static gboolean
register_element (GstPlugin *plugin)
{
  GST_DEBUG_CATEGORY_INIT (gst_zc_loopback_src_debug, "zcloopbacksrc", 0, "capture of what the computer plays");
  return gst_element_register (plugin, "zcloopbacksrc", GST_RANK_NONE, GST_TYPE_ZC_LOOPBACK_SRC);
}

GST_ELEMENT_REGISTER_DEFINE_CUSTOM (zcloopbacksrc, register_element)

/* -- caps -------------------------------------------------------------------------------------------------------- */

/* The device's own format first; then whatever its server can make of it. */
static GstCaps *
gst_zc_loopback_src_get_caps (GstBaseSrc *base, GstCaps *filter)
{
  GstZcLoopbackSrc *self = GST_ZC_LOOPBACK_SRC (base);
  GstCaps *caps = gst_pad_get_pad_template_caps (base->srcpad);
  gboolean open;
  ZcFormat native;

  GST_OBJECT_LOCK (self);
  open = self->actual_device != NULL;
  native = self->native;
  GST_OBJECT_UNLOCK (self);

  if (open)
    caps = gst_caps_merge (gst_zc_format_to_caps (&native), caps);
  if (filter != NULL) {
    GstCaps *all = caps;
    caps = gst_caps_intersect_full (filter, all, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref (all);
  }
  return caps;
}

static GstCaps *
gst_zc_loopback_src_fixate (GstBaseSrc *base, GstCaps *caps)
{
  GstCaps *closest = gst_zc_format_closest_caps (&GST_ZC_LOOPBACK_SRC (base)->native, caps);

  gst_caps_unref (caps);
  return GST_BASE_SRC_CLASS (gst_zc_loopback_src_parent_class)->fixate (base, closest);
}

static guint
us_to_frames (gint64 us, guint rate)
{
  return (guint) CLAMP (gst_util_uint64_scale ((guint64) us, rate, G_USEC_PER_SEC), 1, G_MAXINT / 256);
}

static void
read_spec (GstZcLoopbackSrc *self, const ZcFormat *format)
{
  GST_OBJECT_LOCK (self);
  self->spec = (ZcStreamSpec){
    .format = *format,
    .latency_frames = us_to_frames (self->settings.latency_time_us, format->rate),
    .buffer_frames = us_to_frames (self->settings.buffer_time_us, format->rate),
    .keep_running = self->settings.idle == GST_ZC_IDLE_FEED,
  };
  self->lease = self->settings.memory_mode == GST_ZC_MEMORY_MODE_LEASE;
  self->fills_idle = self->settings.idle == GST_ZC_IDLE_SYNTHESIZE;
  self->pages = self->settings.pages;
  self->stamps = self->settings.timestamp_mode;
  GST_OBJECT_UNLOCK (self);
  self->spec.buffer_frames = MAX (self->spec.buffer_frames, 2 * self->spec.latency_frames);
}

/* A packet's first frame waits for the packet to fill and for the server to deliver. */
static void
set_latency (GstZcLoopbackSrc *self, const ZcStreamInfo *info)
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

static void
halt (GstZcLoopbackSrc *self)
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

static gboolean
gst_zc_loopback_src_set_caps (GstBaseSrc *base, GstCaps *caps)
{
  GstZcLoopbackSrc *self = GST_ZC_LOOPBACK_SRC (base);
  ZcStreamInfo wished;
  ZcFormat format;

  if (!gst_zc_format_from_caps (caps, &self->native, &format))
    return FALSE;
  halt (self);
  read_spec (self, &format);
  wished = (ZcStreamInfo){ .delay_frames = self->spec.latency_frames, .buffer_frames = self->spec.buffer_frames };
  gst_zc_packer_set_format (self->packer, &format, self->spec.latency_frames);
  set_latency (self, &wished);
  GST_INFO_OBJECT (self, "capturing %" GST_PTR_FORMAT, caps);
  return TRUE;
}

/* create() is where the stream fails, so that there is one error and it says why. */
static gboolean
gst_zc_loopback_src_negotiate (GstBaseSrc *base)
{
  GstZcLoopbackSrc *self = GST_ZC_LOOPBACK_SRC (base);

  self->negotiated = GST_BASE_SRC_CLASS (gst_zc_loopback_src_parent_class)->negotiate (base);
  return TRUE;
}

/* -- memory ------------------------------------------------------------------------------------------------------ */

static gboolean
gst_zc_loopback_src_decide_allocation (GstBaseSrc *base, GstQuery *query)
{
  GstZcLoopbackSrc *self = GST_ZC_LOOPBACK_SRC (base);
  g_autoptr (GstBufferPool) pool = NULL;
  guint packet_bytes = self->spec.latency_frames * zc_format_frame_bytes (&self->spec.format);
  GstZcSettings settings;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  GST_OBJECT_UNLOCK (self);
  pool = gst_zc_allocation_decide (&self->allocation, query, &settings, packet_bytes);
  GST_DEBUG_OBJECT (self, "memory from %" GST_PTR_FORMAT, pool);
  gst_zc_packer_set_pool (self->packer, pool);
  self->fresh_memory = TRUE;
  return TRUE;
}

/* The bounds as they are set now, to the pool that there is. */
static void
apply_bounds (GstZcLoopbackSrc *self)
{
  GstZcSettings settings;

  g_mutex_lock (&self->bounds);
  GST_OBJECT_LOCK (self);
  settings = self->settings;
  GST_OBJECT_UNLOCK (self);
  gst_zc_allocation_set_bounds (&self->allocation, &settings);
  g_mutex_unlock (&self->bounds);
}

/* Bounds that were set between the decision and the pool's start found no pool to go to. */
static void
settle_memory (GstZcLoopbackSrc *self)
{
  if (self->fresh_memory)
    apply_bounds (self);
  self->fresh_memory = FALSE;
  gst_zc_poster_tell_pages (&self->poster, &self->allocation, &self->pages);
}

/* -- the stream -------------------------------------------------------------------------------------------------- */

static GstFlowReturn
fail (GstZcLoopbackSrc *self, const GError *error)
{
  halt (self);
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
  set_latency (self, zc_capture_stream_info (self->capture));
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
    if (self->loss != NULL && reopens (self))
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
    g_set_error (error, ZC_ERROR, ZC_ERROR_LOST, "\"%s\" cannot be captured on: the next element keeps a packet of its memory "
        "mapped. Use memory-mode=pool.", self->actual_device);
    return FALSE;
  }
  self->clock = gst_element_get_clock (GST_ELEMENT_CAST (self));
  zc_capture_set_clock (self->capture, self->clock != NULL ? pipeline_now_ns : NULL, self);
  zc_capture_set_ticks (self->capture, GST_OBJECT_FLAG_IS_SET (self, GST_ELEMENT_FLAG_PROVIDE_CLOCK) ? self->ticks : NULL);
  zc_capture_set_stamps (self->capture, self->stamps);
  if (!start_capture (self, error)) {
    gst_clear_object (&self->clock);
    return FALSE;
  }
  self->based = FALSE;
  if (self->lease)
    zc_capture_keep_packets (self->capture);
  gst_zc_packer_set_loans (self->packer, self->lease ? self->loans : NULL);
  set_latency (self, zc_capture_stream_info (self->capture));
  return TRUE;
}

/* OK, or how create() ends. */
static GstFlowReturn
ensure_stream (GstZcLoopbackSrc *self)
{
  g_autoptr (GError) error = NULL;

  if (!self->negotiated)
    return fail_negotiation (self);
  settle_memory (self);
  if (g_atomic_int_get (&self->stale)) {
    g_atomic_int_set (&self->stale, FALSE);
    halt (self);
  }
  if ((self->capture != NULL && zc_capture_is_running (self->capture)) || start_stream (self, &error))
    return GST_FLOW_OK;
  return g_error_matches (error, ZC_ERROR, ZC_ERROR_WOKEN) ? GST_FLOW_FLUSHING : fail (self, error);
}

/* The time that is running time 0. Without a clock, running time starts at the first frame. It changes under way when a
 * flush resets the running time. */
static void
update_base (GstZcLoopbackSrc *self, GstBuffer *buffer, gint64 first_ns)
{
  gint64 base_ns = self->clock == NULL ? first_ns : (gint64) gst_element_get_base_time (GST_ELEMENT_CAST (self));

  if (self->based && (self->clock == NULL || base_ns == self->base_ns))
    return;
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  self->based = TRUE;
  self->base_ns = base_ns;
}

/* PTS and duration in running time. FALSE if the buffer is from before it: of a stream that a pause or a flush
 * ended. */
static gboolean
stamp (GstZcLoopbackSrc *self, GstBuffer *buffer)
{
  guint64 position = GST_BUFFER_OFFSET (buffer);
  guint frames = (guint) (GST_BUFFER_OFFSET_END (buffer) - position);
  ZcStamp when = zc_capture_stamp (self->capture, position, frames);

  update_base (self, buffer, when.start_ns);
  if (when.end_ns <= self->base_ns)
    return FALSE;
  /* The first frames may have been captured just before the pipeline began to run. */
  GST_BUFFER_PTS (buffer) = (GstClockTime) MAX (when.start_ns - self->base_ns, 0);
  GST_BUFFER_DURATION (buffer) = (GstClockTime) (when.end_ns - self->base_ns) - GST_BUFFER_PTS (buffer);
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
    GST_ELEMENT_WARNING (self, RESOURCE, READ, ("Downstream keeps a packet mapped, and nothing is captured until it lets "
        "go."), ("Use memory-mode=pool for applications that keep buffers mapped."));
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
  if (g_atomic_int_get (&self->stale))
    return GST_FLOW_OK; /* paused and playing again before we noticed */
  tell_glitch (self);
  if (next == ZC_NEXT_FAILED)
    return fail (self, error);
  if (next == ZC_NEXT_REFUSED) {
    gst_zc_poster_tell_refused (&self->poster, self->actual_device, error);
    return GST_FLOW_OK;
  }
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

  halt (self);
  return gst_zc_waker_wait (&self->waker, GST_BASE_SRC_PAD (base)) ? gst_base_src_wait_playing (base)
                                                                   : GST_FLOW_FLUSHING;
}

static GstFlowReturn
gst_zc_loopback_src_create (GstPushSrc *push, GstBuffer **out)
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

/* Our buffers are late by nature: nobody waits for the clock with them. */
static void
gst_zc_loopback_src_get_times (GstBaseSrc *base, GstBuffer *buffer, GstClockTime *start, GstClockTime *end)
{
  *start = *end = GST_CLOCK_TIME_NONE;
}

static gboolean
gst_zc_loopback_src_query (GstBaseSrc *base, GstQuery *query)
{
  GstZcLoopbackSrc *self = GST_ZC_LOOPBACK_SRC (base);
  GstClockTime min, max;

  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return GST_BASE_SRC_CLASS (gst_zc_loopback_src_parent_class)->query (base, query);
  GST_OBJECT_LOCK (self);
  min = self->latency_min;
  max = self->latency_max;
  GST_OBJECT_UNLOCK (self);
  if (!GST_CLOCK_TIME_IS_VALID (min))
    return FALSE; /* nobody can say before the format is known; a message tells when it is */
  gst_query_set_latency (query, TRUE, min, max);
  return TRUE;
}

/* -- states ------------------------------------------------------------------------------------------------------ */

static gboolean
open_device (GstZcLoopbackSrc *self, gint backend, const ZcTarget *target, GError **error)
{
  self->capture = zc_capture_open (gst_zc_backend_get_nick (backend), target, &self->stats, error);
  if (self->capture == NULL)
    return FALSE;
  self->packer = gst_zc_packer_new (&self->stats);
  self->loans = gst_zc_loans_new (&self->stats);
  gst_zc_waker_set_capture (&self->waker, self->capture);
  GST_OBJECT_LOCK (self);
  self->native = *zc_capture_native_format (self->capture);
  self->actual_device = g_strdup (zc_capture_device_name (self->capture));
  GST_OBJECT_UNLOCK (self);
  g_object_notify (G_OBJECT (self), "actual-device");
  GST_INFO_OBJECT (self, "opened %s", self->actual_device);
  return TRUE;
}

static void
close_device (GstZcLoopbackSrc *self)
{
  gst_zc_waker_set_capture (&self->waker, NULL);
  g_clear_pointer (&self->capture, zc_capture_close);
  g_clear_pointer (&self->packer, gst_zc_packer_free);
  g_clear_pointer (&self->loans, gst_zc_loans_free);
  gst_zc_allocation_end (&self->allocation);
  GST_OBJECT_LOCK (self);
  g_clear_pointer (&self->actual_device, g_free);
  GST_OBJECT_UNLOCK (self);
  g_object_notify (G_OBJECT (self), "actual-device");
}

/* The device as it is set now: opened, unless it is open. */
static gboolean
ensure_device (GstZcLoopbackSrc *self, GError **error)
{
  gboolean valid, other;
  ZcTarget target;
  gint backend;

  GST_OBJECT_LOCK (self);
  valid = gst_zc_settings_check (&self->settings, error);
  other = self->other_device;
  self->other_device = other && !valid;
  backend = self->settings.backend;
  target = zc_target_copy ((ZcTarget[]){ gst_zc_settings_target (&self->settings) });
  GST_OBJECT_UNLOCK (self);

  if (valid && (other || self->capture == NULL))
    close_device (self);
  valid = valid && (self->capture != NULL || open_device (self, backend, &target, error));
  zc_target_clear (&target);
  return valid;
}

/* For READY, as pulsesrc does: GstBaseSrc would post a second error if start() failed. And for PAUSED, as what was set
 * since then counts, too. */
static gboolean
prepare (GstZcLoopbackSrc *self)
{
  g_autoptr (GError) error = NULL;

  if (ensure_device (self, &error))
    return TRUE;
  gst_zc_post_error (GST_ELEMENT_CAST (self), error);
  return FALSE;
}

static gboolean
gst_zc_loopback_src_start (GstBaseSrc *base)
{
  GstZcLoopbackSrc *self = GST_ZC_LOOPBACK_SRC (base);

  zc_stats_reset (&self->stats);
  g_clear_error (&self->loss);
  self->negotiated = FALSE;
  self->fresh_memory = FALSE;
  gst_zc_allocation_begin (&self->allocation);
  gst_zc_poster_begin (&self->poster);
  GST_OBJECT_LOCK (self);
  self->latency_min = self->latency_max = GST_CLOCK_TIME_NONE;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

/* For who has no program to ask for them, as on gst-launch-1.0's command line: GST_DEBUG=zcloopbacksrc:4. */
static void
log_stats (GstZcLoopbackSrc *self)
{
  g_autoptr (GstStructure) stats = NULL;

  if (gst_debug_category_get_threshold (gst_zc_loopback_src_debug) < GST_LEVEL_INFO)
    return;
  g_object_get (self, "stats", &stats, NULL);
  GST_INFO_OBJECT (self, "at the end: %" GST_PTR_FORMAT, stats);
}

static gboolean
gst_zc_loopback_src_stop (GstBaseSrc *base)
{
  GstZcLoopbackSrc *self = GST_ZC_LOOPBACK_SRC (base);

  gst_zc_packer_set_pool (self->packer, NULL);
  log_stats (self);
  return TRUE;
}

/* The streaming thread's last word. A stream ends in the thread that began it: systems tie things to a thread. Of other
 * ends than those that create() sees, as EOS by num-buffers, the thread learns nowhere else. */
static gboolean
gst_zc_loopback_src_post_message (GstElement *element, GstMessage *message)
{
  GstZcLoopbackSrc *self = GST_ZC_LOOPBACK_SRC (element);
  GstStreamStatusType type = GST_STREAM_STATUS_TYPE_CREATE;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_STREAM_STATUS)
    gst_message_parse_stream_status (message, &type, NULL);
  if (type == GST_STREAM_STATUS_TYPE_LEAVE)
    halt (self);
  return GST_ELEMENT_CLASS (gst_zc_loopback_src_parent_class)->post_message (element, message);
}

static gboolean
gst_zc_loopback_src_unlock (GstBaseSrc *base)
{
  gst_zc_waker_unlock (&GST_ZC_LOOPBACK_SRC (base)->waker, TRUE);
  return TRUE;
}

static gboolean
gst_zc_loopback_src_unlock_stop (GstBaseSrc *base)
{
  gst_zc_waker_unlock (&GST_ZC_LOOPBACK_SRC (base)->waker, FALSE);
  return TRUE;
}

/* A pause ends the stream. GstBaseSrc lets create() run on in it, so we wake it. */
static GstStateChangeReturn
gst_zc_loopback_src_change_state (GstElement *element, GstStateChange transition)
{
  GstZcLoopbackSrc *self = GST_ZC_LOOPBACK_SRC (element);
  GstStateChangeReturn result;

  if ((transition == GST_STATE_CHANGE_NULL_TO_READY || transition == GST_STATE_CHANGE_READY_TO_PAUSED)
      && !prepare (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING) {
    g_atomic_int_set (&self->stale, TRUE); /* the base time is new by now */
    gst_zc_waker_resume (&self->waker);
  }
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    gst_zc_waker_pause (&self->waker);
  result = GST_ELEMENT_CLASS (gst_zc_loopback_src_parent_class)->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    gst_zc_waker_pause_done (&self->waker);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    close_device (self);
  return result;
}

/* -- the object -------------------------------------------------------------------------------------------------- */

/* Also while playing. */
static void
retarget (GstZcLoopbackSrc *self)
{
  ZcTarget target;
  gboolean valid;

  GST_OBJECT_LOCK (self);
  valid = gst_zc_settings_check (&self->settings, NULL);
  target = zc_target_copy ((ZcTarget[]){ gst_zc_settings_target (&self->settings) });
  GST_OBJECT_UNLOCK (self);
  if (valid) /* between the setting of one and the unsetting of another it may not be */
    gst_zc_waker_set_target (&self->waker, &target);
  zc_target_clear (&target);
}

static GstClock *
gst_zc_loopback_src_provide_clock (GstElement *element)
{
  gboolean provided = GST_OBJECT_FLAG_IS_SET (element, GST_ELEMENT_FLAG_PROVIDE_CLOCK);

  return provided ? gst_object_ref (GST_ZC_LOOPBACK_SRC (element)->device_clock) : NULL;
}

static void
gst_zc_loopback_src_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstZcLoopbackSrc *self = GST_ZC_LOOPBACK_SRC (object);
  gboolean known;

  GST_OBJECT_LOCK (self);
  known = gst_zc_settings_set (&self->settings, id, value);
  self->other_device |= gst_zc_settings_is_target (id);
  g_atomic_int_set (&self->overflow, self->settings.overflow);
  g_atomic_int_set (&self->on_loss, self->settings.on_loss);
  g_atomic_int_set (&self->on_glitch, self->settings.on_glitch);
  g_atomic_int_set (&self->follow_default, self->settings.follow_default);
  g_atomic_int_set (&self->stats_interval_ms, (gint) self->settings.stats_interval_ms);
  if (self->settings.provide_clock)
    GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_PROVIDE_CLOCK);
  else
    GST_OBJECT_FLAG_UNSET (self, GST_ELEMENT_FLAG_PROVIDE_CLOCK);
  GST_OBJECT_UNLOCK (self);
  if (gst_zc_settings_is_target (id) && id != GST_ZC_SETTING_BACKEND)
    retarget (self);
  if (gst_zc_settings_is_bound (id))
    apply_bounds (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_zc_loopback_src_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstZcLoopbackSrc *self = GST_ZC_LOOPBACK_SRC (object);
  gboolean is_setting;

  GST_OBJECT_LOCK (self);
  is_setting = gst_zc_settings_get (&self->settings, id, value);
  if (id == PROP_ACTUAL_DEVICE)
    g_value_set_string (value, self->actual_device);
  GST_OBJECT_UNLOCK (self);
  if (!is_setting && id != PROP_ACTUAL_DEVICE && !gst_zc_readings_get (id, value, &self->stats, &self->allocation))
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_zc_loopback_src_finalize (GObject *object)
{
  GstZcLoopbackSrc *self = GST_ZC_LOOPBACK_SRC (object);

  g_clear_error (&self->loss);
  gst_object_unref (self->device_clock);
  gst_zc_settings_clear (&self->settings);
  gst_zc_allocation_clear (&self->allocation);
  g_mutex_clear (&self->bounds);
  gst_zc_waker_clear (&self->waker);
  G_OBJECT_CLASS (gst_zc_loopback_src_parent_class)->finalize (object);
}

static void
gst_zc_loopback_src_class_init (GstZcLoopbackSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSrcClass *base_class = GST_BASE_SRC_CLASS (klass);

  object_class->set_property = gst_zc_loopback_src_set_property;
  object_class->get_property = gst_zc_loopback_src_get_property;
  object_class->finalize = gst_zc_loopback_src_finalize;
  gst_zc_settings_install (object_class);
  gst_zc_readings_install (object_class);
  g_object_class_install_property (object_class, PROP_ACTUAL_DEVICE, g_param_spec_string ("actual-device",
      "Actual device", "The output that is captured (NULL in the NULL state)", NULL,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));

  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "Loopback capture", "Source/Audio",
      "Captures what the computer plays", "The zcloopbacksrc developers");
  element_class->change_state = gst_zc_loopback_src_change_state;
  element_class->provide_clock = gst_zc_loopback_src_provide_clock;
  element_class->post_message = gst_zc_loopback_src_post_message;

  base_class->start = gst_zc_loopback_src_start;
  base_class->stop = gst_zc_loopback_src_stop;
  base_class->unlock = gst_zc_loopback_src_unlock;
  base_class->unlock_stop = gst_zc_loopback_src_unlock_stop;
  base_class->get_caps = gst_zc_loopback_src_get_caps;
  base_class->fixate = gst_zc_loopback_src_fixate;
  base_class->set_caps = gst_zc_loopback_src_set_caps;
  base_class->negotiate = gst_zc_loopback_src_negotiate;
  base_class->decide_allocation = gst_zc_loopback_src_decide_allocation;
  base_class->get_times = gst_zc_loopback_src_get_times;
  base_class->query = gst_zc_loopback_src_query;
  GST_PUSH_SRC_CLASS (klass)->create = gst_zc_loopback_src_create;

  gst_type_mark_as_plugin_api (GST_TYPE_ZC_BACKEND, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_ZC_MEMORY_MODE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_ZC_POOL_STRATEGY, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_ZC_OVERFLOW, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_ZC_IDLE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_ZC_ON_GLITCH, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_ZC_ON_LOSS, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_ZC_PROCESS_MODE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_ZC_TIMESTAMP_MODE, 0);
}

static void
gst_zc_loopback_src_init (GstZcLoopbackSrc *self)
{
  gst_zc_waker_init (&self->waker);
  gst_zc_poster_init (&self->poster, GST_ELEMENT (self));
  gst_zc_allocation_init (&self->allocation);
  g_mutex_init (&self->bounds);
  gst_zc_settings_init (&self->settings);
  self->device_clock = gst_zc_clock_new (&self->ticks);
  self->overflow = self->settings.overflow;
  self->follow_default = self->settings.follow_default;
  gst_base_src_set_live (GST_BASE_SRC (self), TRUE);
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
}
