/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcsettings.h"

#include "zc-error.h"
#include "zc-limits.h"

#define DEFAULT_LATENCY_TIME_US     10000
#define DEFAULT_BUFFER_TIME_US      4000000
#define DEFAULT_MEMORY_MODE         GST_ZC_MEMORY_MODE_POOL
#define DEFAULT_IDLE                GST_ZC_IDLE_SYNTHESIZE
#define DEFAULT_OVERFLOW            GST_ZC_OVERFLOW_DROP
#define DEFAULT_POOL_STRATEGY       GST_ZC_POOL_STRATEGY_ADAPTIVE
#define DEFAULT_POOL_MIN_BUFFERS    64
#define DEFAULT_POOL_MAX_BUFFERS    1024

/* A day. */
#define MAX_STATS_INTERVAL_MS 86400000

/* The most that Linux can have. */
#define MAX_NUMA_NODE 1023

void
gst_zc_settings_install (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;
  const GParamFlags any_time = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  g_object_class_install_property (klass, GST_ZC_SETTING_BACKEND, g_param_spec_enum ("backend", "Backend",
      "The audio system to capture from", GST_TYPE_ZC_BACKEND, GST_ZC_BACKEND_AUTO, flags));
  g_object_class_install_property (klass, GST_ZC_SETTING_DEVICE, g_param_spec_string ("device", "Device",
      "The output to capture: its name, its id, or its description (unset = the default output)", NULL, any_time));
  g_object_class_install_property (klass, GST_ZC_SETTING_FOLLOW_DEFAULT, g_param_spec_boolean ("follow-default",
      "Follow default", "Capture another output when that becomes the default one, unless device names one", TRUE,
      any_time));
  g_object_class_install_property (klass, GST_ZC_SETTING_PROCESS_ID, g_param_spec_uint ("process-id", "Process",
      "Capture only the sound of this process and its children, or all but it; 0 = of the device, or all but our own",
      0, G_MAXUINT, 0, any_time));
  g_object_class_install_property (klass, GST_ZC_SETTING_PROCESS_NAME, g_param_spec_string ("process-name",
      "Process name", "The same of all processes of this executable, \"firefox\" or \"game.exe\", whenever they come "
      "and go (unset = of process-id)", NULL, any_time));
  g_object_class_install_property (klass, GST_ZC_SETTING_PROCESS_MODE, g_param_spec_enum ("process-mode",
      "Process mode", "What process-id and process-name mean", GST_TYPE_ZC_PROCESS_MODE, ZC_PROCESS_INCLUDE, any_time));
  g_object_class_install_property (klass, GST_ZC_SETTING_TIMESTAMP_MODE, g_param_spec_enum ("timestamp-mode",
      "Timestamp mode", "Where the timestamps come from", GST_TYPE_ZC_TIMESTAMP_MODE, ZC_STAMPS_SMOOTH, flags));
  g_object_class_install_property (klass, GST_ZC_SETTING_PROVIDE_CLOCK, g_param_spec_boolean ("provide-clock",
      "Provide clock", "Provide a clock that goes as the device does, to be the pipeline's", FALSE, flags));
  g_object_class_install_property (klass, GST_ZC_SETTING_IDLE, g_param_spec_enum ("idle", "Idle",
      "What to do while a device delivers nothing, as nothing plays (WASAPI) or it is suspended (PulseAudio, PipeWire)",
      GST_TYPE_ZC_IDLE, DEFAULT_IDLE, flags));
  g_object_class_install_property (klass, GST_ZC_SETTING_ON_GLITCH, g_param_spec_enum ("on-glitch", "On glitch",
      "What to do when the device leaves out frames while it runs", GST_TYPE_ZC_ON_GLITCH, GST_ZC_ON_GLITCH_FILL,
      any_time));
  g_object_class_install_property (klass, GST_ZC_SETTING_ON_LOSS, g_param_spec_enum ("on-loss", "On loss",
      "What to do when the device or its server goes away while it is captured", GST_TYPE_ZC_ON_LOSS,
      GST_ZC_ON_LOSS_REOPEN, any_time));
  g_object_class_install_property (klass, GST_ZC_SETTING_LATENCY_TIME, g_param_spec_int64 ("latency-time",
      "Latency time", "Length of a packet, in microseconds", 100, G_USEC_PER_SEC, DEFAULT_LATENCY_TIME_US, flags));
  g_object_class_install_property (klass, GST_ZC_SETTING_BUFFER_TIME, g_param_spec_int64 ("buffer-time", "Buffer time",
      "How late downstream may be without losing sound, in microseconds (at least twice latency-time is used)", 1000,
      60 * G_USEC_PER_SEC, DEFAULT_BUFFER_TIME_US, flags));
  g_object_class_install_property (klass, GST_ZC_SETTING_MEMORY_MODE, g_param_spec_enum ("memory-mode", "Memory mode",
      "Where the memory of a packet comes from", GST_TYPE_ZC_MEMORY_MODE, DEFAULT_MEMORY_MODE, flags));
  g_object_class_install_property (klass, GST_ZC_SETTING_OVERFLOW, g_param_spec_enum ("overflow", "Overflow",
      "What to do with a packet when downstream holds pool-max-buffers buffers", GST_TYPE_ZC_OVERFLOW,
      DEFAULT_OVERFLOW, any_time));
  g_object_class_install_property (klass, GST_ZC_SETTING_POOL_STRATEGY, g_param_spec_enum ("pool-strategy",
      "Pool strategy", "How many buffers the pool has", GST_TYPE_ZC_POOL_STRATEGY, DEFAULT_POOL_STRATEGY, flags));
  g_object_class_install_property (klass, GST_ZC_SETTING_POOL_MIN_BUFFERS, g_param_spec_uint ("pool-min-buffers",
      "Pool minimum", "Buffers that an adaptive pool has from the start, and keeps; while it runs, a minimum above "
      "pool-max-buffers waits for a new maximum", 1, ZC_MAX_BLOCKS, DEFAULT_POOL_MIN_BUFFERS, any_time));
  g_object_class_install_property (klass, GST_ZC_SETTING_POOL_MAX_BUFFERS, g_param_spec_uint ("pool-max-buffers",
      "Pool maximum", "Buffers that downstream may hold at once: all that a pool has, and that an adaptive one may "
      "grow to", 1, ZC_MAX_BLOCKS, DEFAULT_POOL_MAX_BUFFERS, any_time));
  g_object_class_install_property (klass, GST_ZC_SETTING_HUGE_PAGES, g_param_spec_boolean ("huge-pages", "Huge pages",
      "Ask for large pages for the pool: reserved ones if the system has any, else transparent ones (actual-huge-pages "
      "tells)", FALSE, flags));
  g_object_class_install_property (klass, GST_ZC_SETTING_NUMA_NODE, g_param_spec_int ("numa-node", "NUMA node",
      "Ask for the pool's memory to be on this node; -1 = any (actual-numa-node tells)", -1, MAX_NUMA_NODE, -1, flags));
  g_object_class_install_property (klass, GST_ZC_SETTING_LOCK_MEMORY, g_param_spec_boolean ("lock-memory",
      "Lock memory", "Ask for the pool's memory to be never paged out (actual-locked-memory tells)", FALSE, flags));
  g_object_class_install_property (klass, GST_ZC_SETTING_STATS_INTERVAL, g_param_spec_uint ("stats-interval",
      "Statistics interval", "How often to post the statistics as an element message zcloopback-stats, in milliseconds "
      "of sound (0 = never)", 0, MAX_STATS_INTERVAL_MS, 0, any_time));
}

void
gst_zc_settings_init (GstZcSettings *settings)
{
  *settings = (GstZcSettings){
    .backend = GST_ZC_BACKEND_AUTO,
    .follow_default = TRUE,
    .latency_time_us = DEFAULT_LATENCY_TIME_US,
    .buffer_time_us = DEFAULT_BUFFER_TIME_US,
    .idle = DEFAULT_IDLE,
    .memory_mode = DEFAULT_MEMORY_MODE,
    .overflow = DEFAULT_OVERFLOW,
    .pool_strategy = DEFAULT_POOL_STRATEGY,
    .pool_min_buffers = DEFAULT_POOL_MIN_BUFFERS,
    .pool_max_buffers = DEFAULT_POOL_MAX_BUFFERS,
    .pages = ZC_PAGES_WISH_NONE,
  };
}

void
gst_zc_settings_clear (GstZcSettings *settings)
{
  g_clear_pointer (&settings->device, g_free);
  g_clear_pointer (&settings->process_name, g_free);
}

gboolean
gst_zc_settings_is_target (guint id)
{
  return id >= GST_ZC_SETTING_BACKEND && id <= GST_ZC_SETTING_PROCESS_MODE;
}

gboolean
gst_zc_settings_is_bound (guint id)
{
  return id == GST_ZC_SETTING_POOL_MIN_BUFFERS || id == GST_ZC_SETTING_POOL_MAX_BUFFERS;
}

gboolean
gst_zc_settings_set (GstZcSettings *settings, guint id, const GValue *value)
{
  switch (id) {
    case GST_ZC_SETTING_BACKEND:
      settings->backend = g_value_get_enum (value);
      return TRUE;
    case GST_ZC_SETTING_DEVICE:
      g_free (settings->device);
      settings->device = g_value_dup_string (value);
      return TRUE;
    case GST_ZC_SETTING_PROCESS_ID:
      settings->process_id = g_value_get_uint (value);
      return TRUE;
    case GST_ZC_SETTING_PROCESS_NAME:
      g_free (settings->process_name);
      settings->process_name = g_value_dup_string (value);
      return TRUE;
    case GST_ZC_SETTING_PROCESS_MODE:
      settings->process_mode = (ZcProcessMode) g_value_get_enum (value);
      return TRUE;
    case GST_ZC_SETTING_TIMESTAMP_MODE:
      settings->timestamp_mode = (ZcStamps) g_value_get_enum (value);
      return TRUE;
    case GST_ZC_SETTING_PROVIDE_CLOCK:
      settings->provide_clock = g_value_get_boolean (value);
      return TRUE;
    case GST_ZC_SETTING_IDLE:
      settings->idle = (GstZcIdle) g_value_get_enum (value);
      return TRUE;
    case GST_ZC_SETTING_FOLLOW_DEFAULT:
      settings->follow_default = g_value_get_boolean (value);
      return TRUE;
    case GST_ZC_SETTING_ON_GLITCH:
      settings->on_glitch = (GstZcOnGlitch) g_value_get_enum (value);
      return TRUE;
    case GST_ZC_SETTING_ON_LOSS:
      settings->on_loss = (GstZcOnLoss) g_value_get_enum (value);
      return TRUE;
    case GST_ZC_SETTING_LATENCY_TIME:
      settings->latency_time_us = g_value_get_int64 (value);
      return TRUE;
    case GST_ZC_SETTING_BUFFER_TIME:
      settings->buffer_time_us = g_value_get_int64 (value);
      return TRUE;
    case GST_ZC_SETTING_MEMORY_MODE:
      settings->memory_mode = (GstZcMemoryMode) g_value_get_enum (value);
      return TRUE;
    case GST_ZC_SETTING_OVERFLOW:
      settings->overflow = (GstZcOverflow) g_value_get_enum (value);
      return TRUE;
    case GST_ZC_SETTING_POOL_STRATEGY:
      settings->pool_strategy = (GstZcPoolStrategy) g_value_get_enum (value);
      return TRUE;
    case GST_ZC_SETTING_POOL_MIN_BUFFERS:
      settings->pool_min_buffers = g_value_get_uint (value);
      return TRUE;
    case GST_ZC_SETTING_POOL_MAX_BUFFERS:
      settings->pool_max_buffers = g_value_get_uint (value);
      return TRUE;
    case GST_ZC_SETTING_HUGE_PAGES:
      settings->pages.huge = g_value_get_boolean (value);
      return TRUE;
    case GST_ZC_SETTING_NUMA_NODE:
      settings->pages.numa_node = g_value_get_int (value);
      return TRUE;
    case GST_ZC_SETTING_LOCK_MEMORY:
      settings->pages.lock = g_value_get_boolean (value);
      return TRUE;
    case GST_ZC_SETTING_STATS_INTERVAL:
      settings->stats_interval_ms = g_value_get_uint (value);
      return TRUE;
    default:
      return FALSE;
  }
}

gboolean
gst_zc_settings_get (const GstZcSettings *settings, guint id, GValue *value)
{
  switch (id) {
    case GST_ZC_SETTING_BACKEND:
      g_value_set_enum (value, settings->backend);
      return TRUE;
    case GST_ZC_SETTING_DEVICE:
      g_value_set_string (value, settings->device);
      return TRUE;
    case GST_ZC_SETTING_PROCESS_ID:
      g_value_set_uint (value, settings->process_id);
      return TRUE;
    case GST_ZC_SETTING_PROCESS_NAME:
      g_value_set_string (value, settings->process_name);
      return TRUE;
    case GST_ZC_SETTING_PROCESS_MODE:
      g_value_set_enum (value, (gint) settings->process_mode);
      return TRUE;
    case GST_ZC_SETTING_TIMESTAMP_MODE:
      g_value_set_enum (value, (gint) settings->timestamp_mode);
      return TRUE;
    case GST_ZC_SETTING_PROVIDE_CLOCK:
      g_value_set_boolean (value, settings->provide_clock);
      return TRUE;
    case GST_ZC_SETTING_IDLE:
      g_value_set_enum (value, (gint) settings->idle);
      return TRUE;
    case GST_ZC_SETTING_FOLLOW_DEFAULT:
      g_value_set_boolean (value, settings->follow_default);
      return TRUE;
    case GST_ZC_SETTING_ON_GLITCH:
      g_value_set_enum (value, (gint) settings->on_glitch);
      return TRUE;
    case GST_ZC_SETTING_ON_LOSS:
      g_value_set_enum (value, (gint) settings->on_loss);
      return TRUE;
    case GST_ZC_SETTING_LATENCY_TIME:
      g_value_set_int64 (value, settings->latency_time_us);
      return TRUE;
    case GST_ZC_SETTING_BUFFER_TIME:
      g_value_set_int64 (value, settings->buffer_time_us);
      return TRUE;
    case GST_ZC_SETTING_MEMORY_MODE:
      g_value_set_enum (value, settings->memory_mode);
      return TRUE;
    case GST_ZC_SETTING_OVERFLOW:
      g_value_set_enum (value, settings->overflow);
      return TRUE;
    case GST_ZC_SETTING_POOL_STRATEGY:
      g_value_set_enum (value, settings->pool_strategy);
      return TRUE;
    case GST_ZC_SETTING_POOL_MIN_BUFFERS:
      g_value_set_uint (value, settings->pool_min_buffers);
      return TRUE;
    case GST_ZC_SETTING_POOL_MAX_BUFFERS:
      g_value_set_uint (value, settings->pool_max_buffers);
      return TRUE;
    case GST_ZC_SETTING_HUGE_PAGES:
      g_value_set_boolean (value, settings->pages.huge);
      return TRUE;
    case GST_ZC_SETTING_NUMA_NODE:
      g_value_set_int (value, settings->pages.numa_node);
      return TRUE;
    case GST_ZC_SETTING_LOCK_MEMORY:
      g_value_set_boolean (value, settings->pages.lock);
      return TRUE;
    case GST_ZC_SETTING_STATS_INTERVAL:
      g_value_set_uint (value, settings->stats_interval_ms);
      return TRUE;
    default:
      return FALSE;
  }
}

ZcTarget
gst_zc_settings_target (const GstZcSettings *settings)
{
  return (ZcTarget){ settings->device, settings->process_id, settings->process_name, settings->process_mode };
}

gboolean
gst_zc_settings_check_target (const GstZcSettings *settings, GError **error)
{
  if (settings->process_id == 0 || settings->process_name == NULL)
    return TRUE;
  g_set_error (error, ZC_ERROR, ZC_ERROR_SETTINGS, "process-id (%u) and process-name (\"%s\") exclude each other. "
      "Unset one.", settings->process_id, settings->process_name);
  return FALSE;
}

gboolean
gst_zc_settings_check (const GstZcSettings *settings, GError **error)
{
  if (!gst_zc_settings_check_target (settings, error))
    return FALSE;
  if (settings->pool_strategy == GST_ZC_POOL_STRATEGY_FIXED || settings->pool_min_buffers <= settings->pool_max_buffers)
    return TRUE;
  g_set_error (error, ZC_ERROR, ZC_ERROR_SETTINGS, "pool-min-buffers (%u) is above pool-max-buffers (%u). Lower the "
      "one or raise the other.", settings->pool_min_buffers, settings->pool_max_buffers);
  return FALSE;
}
