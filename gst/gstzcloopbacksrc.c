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
#include "gstzcloopbacksrc-private.h"

#include "gstzcerror.h"
#include "gstzcreadings.h"

GST_DEBUG_CATEGORY (gst_zc_loopback_src_debug);
#define GST_CAT_DEFAULT gst_zc_loopback_src_debug

enum {
  PROP_ACTUAL_DEVICE = GST_ZC_N_READINGS,
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
  ZcFormat preferred;

  GST_OBJECT_LOCK (self);
  open = self->actual_device != NULL;
  preferred = self->preferred;
  GST_OBJECT_UNLOCK (self);

  if (open)
    caps = gst_caps_merge (gst_zc_format_to_caps (&preferred), caps);
  if (filter != NULL) {
    GstCaps *all = caps;
    caps = gst_caps_intersect_full (filter, all, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref (all);
  }
  return caps;
}

/* Downstream that asks anew gets the same again, also when another device is captured by now. */
static GstCaps *
gst_zc_loopback_src_fixate (GstBaseSrc *base, GstCaps *caps)
{
  GstCaps *closest = gst_zc_format_closest_caps (&GST_ZC_LOOPBACK_SRC (base)->preferred, caps);

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

static gboolean
gst_zc_loopback_src_set_caps (GstBaseSrc *base, GstCaps *caps)
{
  GstZcLoopbackSrc *self = GST_ZC_LOOPBACK_SRC (base);
  ZcStreamInfo wished;
  ZcFormat format;

  if (!gst_zc_format_from_caps (caps, &self->native, &format))
    return FALSE;
  gst_zc_stream_halt (self);
  read_spec (self, &format);
  wished = (ZcStreamInfo){ .delay_frames = self->spec.latency_frames, .buffer_frames = self->spec.buffer_frames };
  gst_zc_packer_set_format (self->packer, &format, self->spec.latency_frames);
  gst_zc_stream_set_latency (self, &wished);
  GST_INFO_OBJECT (self, "capturing %" GST_PTR_FORMAT, caps);
  return TRUE;
}

/* create() is where the stream fails, so that there is one error and it says why. What a flush came in between of is no
 * failure: GstBaseSrc negotiates again after it. */
static gboolean
gst_zc_loopback_src_negotiate (GstBaseSrc *base)
{
  GstZcLoopbackSrc *self = GST_ZC_LOOPBACK_SRC (base);

  self->negotiated = GST_BASE_SRC_CLASS (gst_zc_loopback_src_parent_class)->negotiate (base);
  return self->negotiated || !GST_PAD_IS_FLUSHING (GST_BASE_SRC_PAD (base));
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
  self->no_memory = pool == NULL && settings.memory_mode != GST_ZC_MEMORY_MODE_COPY; /* create() tells */
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
void
gst_zc_loopback_src_settle_memory (GstZcLoopbackSrc *self)
{
  if (self->fresh_memory)
    apply_bounds (self);
  self->fresh_memory = FALSE;
  gst_zc_poster_tell_pages (&self->poster, &self->allocation, &self->pages);
}

/* -- time -------------------------------------------------------------------------------------------------------- */

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
  self->native = self->preferred = *zc_capture_native_format (self->capture);
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

/* Also while playing. Between the setting of one property and the unsetting of another there may be no target. */
static void
retarget (GstZcLoopbackSrc *self)
{
  GST_OBJECT_LOCK (self); /* threads that set it at a time come one after the other */
  if (gst_zc_settings_check_target (&self->settings, NULL)) {
    ZcTarget target = gst_zc_settings_target (&self->settings);

    gst_zc_waker_set_target (&self->waker, &target);
  }
  GST_OBJECT_UNLOCK (self);
}

/* While the device was opened. */
static gboolean
was_set_meanwhile (GstZcLoopbackSrc *self)
{
  gboolean other;

  GST_OBJECT_LOCK (self);
  other = self->other_device;
  GST_OBJECT_UNLOCK (self);
  return other;
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
  if (valid && was_set_meanwhile (self))
    retarget (self);
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
  self->negotiated = self->no_memory = FALSE;
  self->stamped_ns = 0;
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
  GST_OBJECT_LOCK (self);
  self->preferred = self->native;
  GST_OBJECT_UNLOCK (self);
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
    gst_zc_stream_halt (self);
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

/* The streaming thread stays woken until GstBaseSrc has seen the event: nothing old is stamped in the new time. */
static gboolean
gst_zc_loopback_src_send_event (GstElement *element, GstEvent *event)
{
  GstZcLoopbackSrc *self = GST_ZC_LOOPBACK_SRC (element);
  gboolean reset_time = FALSE;

  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP)
    gst_event_parse_flush_stop (event, &reset_time);
  if (reset_time) {
    g_atomic_int_set (&self->time_reset, TRUE);
    g_atomic_int_set (&self->stale, TRUE);
  }
  return GST_ELEMENT_CLASS (gst_zc_loopback_src_parent_class)->send_event (element, event);
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
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && GST_OBJECT_FLAG_IS_SET (self, GST_ELEMENT_FLAG_PROVIDE_CLOCK))
    gst_element_post_message (element,
        gst_message_new_clock_provide (GST_OBJECT_CAST (self), self->device_clock, TRUE));
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
  element_class->send_event = gst_zc_loopback_src_send_event;
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
  GST_PUSH_SRC_CLASS (klass)->create = gst_zc_stream_create;

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
