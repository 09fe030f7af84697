/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sinks.h"

static void
sink_free (ZcPulseSink *sink)
{
  g_free (sink->name);
  g_free (sink->monitor);
  g_free (sink->description);
  g_free (sink);
}

static void
on_sink (pa_context *context, const pa_sink_info *info, int end, void *data)
{
  ZcPulseSinks *sinks = data;
  ZcPulseSink *sink;

  if (end != 0 || info->monitor_source_name == NULL)
    return;
  sink = g_new0 (ZcPulseSink, 1);
  sink->index = info->index;
  sink->name = g_strdup (info->name);
  sink->monitor = g_strdup (info->monitor_source_name);
  sink->description = g_strdup (info->description);
  sink->spec = info->sample_spec;
  sink->map = info->channel_map;
  g_ptr_array_add (sinks->all, sink);
}

static void
on_server (pa_context *context, const pa_server_info *info, void *data)
{
  ZcPulseSinks *sinks = data;

  if (info == NULL)
    return;
  sinks->moved |= sinks->follows && sinks->chosen != NULL && info->default_sink_name != NULL
      && g_strcmp0 (info->default_sink_name, sinks->default_name) != 0;
  g_free (sinks->default_name);
  sinks->default_name = g_strdup (info->default_sink_name);
}

/* A server need not end our stream with the sink that it listens to: PipeWire leaves it waiting for another. */
void
zc_pulse_sinks_hear (ZcPulseSinks *sinks, pa_subscription_event_type_t event, guint32 index)
{
  pa_subscription_event_type_t of = event & PA_SUBSCRIPTION_EVENT_FACILITY_MASK;
  pa_subscription_event_type_t what = event & PA_SUBSCRIPTION_EVENT_TYPE_MASK;

  if (of == PA_SUBSCRIPTION_EVENT_SERVER)
    zc_pulse_forget (pa_context_get_server_info (sinks->server->context, on_server, sinks));
  if (of != PA_SUBSCRIPTION_EVENT_SINK || sinks->chosen == NULL)
    return;
  if (what == PA_SUBSCRIPTION_EVENT_NEW)
    zc_pulse_forget (pa_context_get_sink_info_by_index (sinks->server->context, index, on_sink, sinks));
  else if (what == PA_SUBSCRIPTION_EVENT_REMOVE && sinks->chosen->index == index)
    sinks->gone = TRUE;
}

gboolean
zc_pulse_sinks_list (ZcPulseSinks *sinks, ZcPulseServer *server, gint64 deadline_ns, GError **error)
{
  sinks->server = server;
  sinks->all = g_ptr_array_new_with_free_func ((GDestroyNotify) sink_free);
  if (zc_pulse_complete (server, pa_context_get_server_info (server->context, on_server, sinks), deadline_ns)
      && zc_pulse_complete (server, pa_context_get_sink_info_list (server->context, on_sink, sinks), deadline_ns))
    return TRUE;
  zc_pulse_set_silent (error, server, "its sinks", "pa_context_get_sink_info_list");
  return FALSE;
}

void
zc_pulse_sinks_clear (ZcPulseSinks *sinks)
{
  g_clear_pointer (&sinks->all, g_ptr_array_unref);
  g_clear_pointer (&sinks->default_name, g_free);
}

static const ZcPulseSink *
find (ZcPulseSinks *sinks, const gchar *name)
{
  for (guint i = 0; i < sinks->all->len; i++) {
    const ZcPulseSink *sink = g_ptr_array_index (sinks->all, i);

    if (g_str_equal (name, sink->name) || g_str_equal (name, sink->monitor)
        || g_strcmp0 (name, sink->description) == 0)
      return sink;
  }
  return NULL;
}

gboolean
zc_pulse_sinks_choose (ZcPulseSinks *sinks, const gchar *name, GError **error)
{
  const gchar *server = sinks->server->name;
  g_autoptr (GString) known = g_string_new (NULL);

  sinks->follows = name == NULL;
  if (sinks->follows)
    name = sinks->default_name;
  sinks->chosen = name != NULL ? find (sinks, name) : NULL;
  if (sinks->chosen != NULL)
    return TRUE;

  for (guint i = 0; i < sinks->all->len; i++)
    g_string_append_printf (known, "%s%s", i > 0 ? ", " : "",
        ((ZcPulseSink *) g_ptr_array_index (sinks->all, i))->name);
  if (known->len == 0)
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE, "PulseAudio (%s) has no sink to capture. Plug in or load one "
        "(pactl load-module module-null-sink).", server);
  else if (sinks->follows)
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE, "PulseAudio (%s) has no default sink. Set one with pactl "
        "set-default-sink, or set device to one of: %s.", server, known->str);
  else
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE, "PulseAudio (%s) has no sink \"%s\". Set device to one of: %s; "
        "or leave it unset for the default.", server, name, known->str);
  return FALSE;
}
