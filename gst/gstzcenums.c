/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcenums.h"

#include "zc-backend.h"
#include "zc-registry.h"
#include "zc-timeline.h"

GType
gst_zc_backend_get_type (void)
{
  static const GEnumValue known[] = {
    { GST_ZC_BACKEND_AUTO, "The first one that has the device", "auto" },
    { 1, "WASAPI (Windows)", "wasapi" },
    { 2, "PulseAudio, or PipeWire by way of pipewire-pulse", "pulse" },
    { 3, "PipeWire", "pipewire" },
    { 4, "Simulated device, for tests and demonstrations; never chosen by auto", "simulated" },
  };
  static GEnumValue built[G_N_ELEMENTS (known) + 1];
  static gsize type = 0;

  if (g_once_init_enter (&type)) {
    guint n = 0;
    for (guint i = 0; i < G_N_ELEMENTS (known); i++)
      if (known[i].value == GST_ZC_BACKEND_AUTO || zc_registry_find (known[i].value_nick) != NULL)
        built[n++] = known[i];
    g_once_init_leave (&type, g_enum_register_static ("GstZcBackend", built));
  }
  return type;
}

const gchar *
gst_zc_backend_get_nick (gint value)
{
  GEnumClass *klass = g_type_class_ref (GST_TYPE_ZC_BACKEND);
  const gchar *nick = g_enum_get_value (klass, value)->value_nick;

  g_type_class_unref (klass);
  return nick;
}

GType
gst_zc_memory_mode_get_type (void)
{
  static const GEnumValue values[] = {
    { GST_ZC_MEMORY_MODE_COPY, "Memory allocated for each packet, one copy", "copy" },
    { GST_ZC_MEMORY_MODE_POOL, "Recycled memory, one copy", "pool" },
    { GST_ZC_MEMORY_MODE_LEASE, "The audio engine's own memory, no copy; one if downstream holds it too long",
      "lease" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstZcMemoryMode", values));
  return type;
}

GType
gst_zc_pool_strategy_get_type (void)
{
  static const GEnumValue values[] = {
    { GST_ZC_POOL_STRATEGY_FIXED, "pool-max-buffers from the start, and never another number", "fixed" },
    { GST_ZC_POOL_STRATEGY_ADAPTIVE, "From pool-min-buffers up to pool-max-buffers as needed, and back when it "
      "is quiet", "adaptive" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstZcPoolStrategy", values));
  return type;
}

GType
gst_zc_overflow_get_type (void)
{
  static const GEnumValue values[] = {
    { GST_ZC_OVERFLOW_DROP, "Drop the packet, with DISCONT and a message", "drop" },
    { GST_ZC_OVERFLOW_ALLOCATE, "Allocate memory for it", "allocate" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstZcOverflow", values));
  return type;
}

GType
gst_zc_idle_get_type (void)
{
  static const GEnumValue values[] = {
    { GST_ZC_IDLE_FEED, "Keep the device running by playing silence to it", "feed" },
    { GST_ZC_IDLE_SYNTHESIZE, "Make silence of the time that passes", "synthesize" },
    { GST_ZC_IDLE_WAIT, "Wait for sound", "wait" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstZcIdle", values));
  return type;
}

GType
gst_zc_on_glitch_get_type (void)
{
  static const GEnumValue values[] = {
    { GST_ZC_ON_GLITCH_FILL, "Put silence in its place", "fill" },
    { GST_ZC_ON_GLITCH_GAP, "Leave it out: timestamps jump", "gap" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstZcOnGlitch", values));
  return type;
}

GType
gst_zc_on_loss_get_type (void)
{
  static const GEnumValue values[] = {
    { GST_ZC_ON_LOSS_REOPEN, "Go on with silence, and with the device when it is there again", "reopen" },
    { GST_ZC_ON_LOSS_ERROR, "Post an error and end the stream", "error" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstZcOnLoss", values));
  return type;
}

GType
gst_zc_timestamp_mode_get_type (void)
{
  static const GEnumValue values[] = {
    { ZC_STAMPS_SMOOTH, "Follow the device's clock without a step", "smooth" },
    { ZC_STAMPS_COUNT, "Count frames at their nominal rate", "count" },
    { ZC_STAMPS_ARRIVAL, "When the system says that a packet was captured, as it is", "arrival" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstZcTimestampMode", values));
  return type;
}

GType
gst_zc_process_mode_get_type (void)
{
  static const GEnumValue values[] = {
    { ZC_PROCESS_INCLUDE, "The process and its children", "include" },
    { ZC_PROCESS_EXCLUDE, "All but the process and its children", "exclude" },
    { 0, NULL, NULL },
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstZcProcessMode", values));
  return type;
}
