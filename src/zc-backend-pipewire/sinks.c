/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sinks.h"

#include <spa/param/audio/format-utils.h>
#include <spa/pod/iter.h>
#include <spa/utils/json.h>

#define MONITOR ".monitor"
#define NAME_MOST 1024

static void
sink_free (gpointer data)
{
  ZcPipeWireSink *sink = data;

  g_free (sink->serial);
  g_free (sink->name);
  g_free (sink->description);
  g_free (sink);
}

static void
forget (gpointer proxy, struct spa_hook *listener)
{
  if (proxy == NULL)
    return;
  spa_hook_remove (listener);
  pw_proxy_destroy (proxy);
}

/* -- what the server says ---------------------------------------------------------------------------------------- */

/* { "name": "alsa_output.pci-0000_00_1f.3.analog-stereo" } */
static gchar *
name_in (const gchar *json)
{
  struct spa_json whole, object;
  char key[64], value[NAME_MOST];

  spa_json_init (&whole, json, strlen (json));
  if (spa_json_enter_object (&whole, &object) <= 0)
    return NULL;
  while (spa_json_get_string (&object, key, sizeof key) > 0) {
    if (spa_json_get_string (&object, value, sizeof value) <= 0)
      return NULL;
    if (g_str_equal (key, "name"))
      return g_strdup (value);
  }
  return NULL;
}

static int
on_property (void *data, uint32_t subject, const char *key, const char *type, const char *value)
{
  ZcPipeWireSinks *sinks = data;
  g_autofree gchar *name = NULL;

  if (subject != PW_ID_CORE || (key != NULL && !g_str_equal (key, "default.audio.sink")))
    return 0;
  name = value != NULL ? name_in (value) : NULL;
  sinks->moved |= sinks->follows && sinks->chosen != NULL && name != NULL
      && g_strcmp0 (name, sinks->default_name) != 0;
  g_free (sinks->default_name);
  sinks->default_name = g_steal_pointer (&name);
  return 0;
}

static void
on_metadata (ZcPipeWireSinks *sinks, guint32 id)
{
  static const struct pw_metadata_events events = { PW_VERSION_METADATA_EVENTS, .property = on_property };

  if (sinks->metadata != NULL)
    return;
  sinks->metadata_id = id;
  sinks->metadata = pw_registry_bind (sinks->registry, id, PW_TYPE_INTERFACE_Metadata, PW_VERSION_METADATA, 0);
  if (sinks->metadata != NULL)
    pw_metadata_add_listener (sinks->metadata, &sinks->metadata_listener, &events, sinks);
}

static void
on_sink (ZcPipeWireSinks *sinks, guint32 id, const struct spa_dict *properties)
{
  const gchar *name = spa_dict_lookup (properties, PW_KEY_NODE_NAME);
  const gchar *description = spa_dict_lookup (properties, PW_KEY_NODE_DESCRIPTION);
  const gchar *serial = spa_dict_lookup (properties, PW_KEY_OBJECT_SERIAL);
  ZcPipeWireSink *sink;

  if (name == NULL)
    return;
  sink = g_new0 (ZcPipeWireSink, 1);
  sink->id = id;
  sink->serial = g_strdup (serial);
  sink->name = g_strdup (name);
  sink->description = g_strdup (description != NULL ? description : name);
  g_ptr_array_add (sinks->all, sink);
}

static gboolean
plays (const gchar *media_class)
{
  return g_strcmp0 (media_class, "Audio/Sink") == 0 || g_strcmp0 (media_class, "Audio/Duplex") == 0;
}

static void
on_global (void *data, uint32_t id, uint32_t permissions, const char *type, uint32_t version,
    const struct spa_dict *properties)
{
  ZcPipeWireSinks *sinks = data;

  if (properties == NULL)
    return;
  if (g_str_equal (type, PW_TYPE_INTERFACE_Metadata)
      && g_strcmp0 (spa_dict_lookup (properties, PW_KEY_METADATA_NAME), "default") == 0)
    on_metadata (sinks, id);
  else if (g_str_equal (type, PW_TYPE_INTERFACE_Node) && plays (spa_dict_lookup (properties, PW_KEY_MEDIA_CLASS)))
    on_sink (sinks, id, properties);
}

static void
on_global_remove (void *data, uint32_t id)
{
  ZcPipeWireSinks *sinks = data;

  sinks->gone |= sinks->chosen != NULL && sinks->chosen->id == id;
  if (sinks->metadata == NULL || sinks->metadata_id != id)
    return;
  forget (sinks->metadata, &sinks->metadata_listener); /* the session manager's: it has ended, another one may come */
  sinks->metadata = NULL;
}

/* PortConfig says what channels the session manager has given to it, EnumFormat what it could have: the first that says
 * something has the word. */
static void
on_param (void *data, int sequence, uint32_t id, uint32_t index, uint32_t next, const struct spa_pod *param)
{
  ZcPipeWireSinks *sinks = data;
  const struct spa_pod_prop *inner = id == SPA_PARAM_PortConfig
      ? spa_pod_find_prop (param, NULL, SPA_PARAM_PORT_CONFIG_format) : NULL;
  struct spa_audio_info_raw info = { 0 };
  g_autofree struct spa_pod *plain = NULL;
  uint32_t media, kind;

  if (sinks->channels.channels > 0 || (id == SPA_PARAM_PortConfig && inner == NULL))
    return;
  plain = spa_pod_copy (inner != NULL ? &inner->value : param);
  spa_pod_fixate (plain);
  if (spa_format_parse (plain, &media, &kind) >= 0 && media == SPA_MEDIA_TYPE_audio && kind == SPA_MEDIA_SUBTYPE_raw
      && spa_format_audio_raw_parse (plain, &info) >= 0)
    sinks->channels = info;
}

static void
on_node (void *data, const struct pw_node_info *info)
{
  ZcPipeWireSinks *sinks = data;

  sinks->rests = info->state != PW_NODE_STATE_RUNNING;
}

/* -- lists and choice -------------------------------------------------------------------------------------------- */

gboolean
zc_pipewire_sinks_list (ZcPipeWireSinks *sinks, ZcPipeWireServer *server, gint64 deadline_ns, GError **error)
{
  static const struct pw_registry_events events = { PW_VERSION_REGISTRY_EVENTS, .global = on_global,
    .global_remove = on_global_remove };

  sinks->server = server;
  sinks->all = g_ptr_array_new_with_free_func (sink_free);
  sinks->registry = pw_core_get_registry (server->core, PW_VERSION_REGISTRY, 0);
  if (sinks->registry != NULL)
    pw_registry_add_listener (sinks->registry, &sinks->registry_listener, &events, sinks);
  /* First what there is, then what the metadata says. */
  return zc_pipewire_complete (server, "its sinks", deadline_ns, error)
      && zc_pipewire_complete (server, "its default sink", deadline_ns, error);
}

void
zc_pipewire_sinks_clear (ZcPipeWireSinks *sinks)
{
  forget (sinks->node, &sinks->node_listener);
  forget (sinks->metadata, &sinks->metadata_listener);
  forget (sinks->registry, &sinks->registry_listener);
  g_clear_pointer (&sinks->all, g_ptr_array_unref);
  g_clear_pointer (&sinks->default_name, g_free);
}

static gboolean
is_called (const ZcPipeWireSink *sink, const gchar *name)
{
  gsize length = strlen (sink->name);

  return g_str_equal (name, sink->name) || g_strcmp0 (name, sink->description) == 0
      || (strncmp (name, sink->name, length) == 0 && g_str_equal (name + length, MONITOR));
}

/* The newest, of several. */
static const ZcPipeWireSink *
find (ZcPipeWireSinks *sinks, const gchar *name)
{
  for (guint i = sinks->all->len; i-- > 0;)
    if (is_called (g_ptr_array_index (sinks->all, i), name))
      return g_ptr_array_index (sinks->all, i);
  return NULL;
}

static void
set_unknown (ZcPipeWireSinks *sinks, const gchar *name, GError **error)
{
  const gchar *server = sinks->server->name;
  g_autoptr (GString) known = g_string_new (NULL);

  for (guint i = 0; i < sinks->all->len; i++)
    g_string_append_printf (known, "%s%s", i > 0 ? ", " : "",
        ((ZcPipeWireSink *) g_ptr_array_index (sinks->all, i))->name);
  if (known->len == 0) /* it may run for video alone, and another one for sound */
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_SERVER, "PipeWire (%s) has no sink to capture. Plug one in, see if its "
        "session manager runs (systemctl --user status wireplumber), or make one (pactl load-module module-null-sink).",
        server);
  else if (name == NULL)
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE, "PipeWire (%s) has no default sink. Set one with wpctl "
        "set-default or pactl set-default-sink, or set device to one of: %s.", server, known->str);
  else
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE, "PipeWire (%s) has no sink \"%s\". Set device to one of: %s; or "
        "leave it unset for the default.", server, name, known->str);
}

/* Asks for the channels of the chosen one. */
static gboolean
learn_channels (ZcPipeWireSinks *sinks, gint64 deadline_ns, GError **error)
{
  static const struct pw_node_events events = { PW_VERSION_NODE_EVENTS, .info = on_node, .param = on_param };

  sinks->node = pw_registry_bind (sinks->registry, sinks->chosen->id, PW_TYPE_INTERFACE_Node, PW_VERSION_NODE, 0);
  if (sinks->node != NULL) {
    pw_node_add_listener (sinks->node, &sinks->node_listener, &events, sinks);
    pw_node_enum_params (sinks->node, 0, SPA_PARAM_PortConfig, 0, G_MAXUINT32, NULL);
    pw_node_enum_params (sinks->node, 0, SPA_PARAM_EnumFormat, 0, G_MAXUINT32, NULL);
  }
  if (!zc_pipewire_complete (sinks->server, "the format of its sink", deadline_ns, error))
    return FALSE;
  if (sinks->channels.channels == 0) /* as PipeWire itself supposes */
    sinks->channels = (struct spa_audio_info_raw){ .channels = 2,
      .position = { SPA_AUDIO_CHANNEL_FL, SPA_AUDIO_CHANNEL_FR } };
  return TRUE;
}

gboolean
zc_pipewire_sinks_choose (ZcPipeWireSinks *sinks, const gchar *name, gint64 deadline_ns, GError **error)
{
  const gchar *wanted = name != NULL ? name : sinks->default_name;

  sinks->follows = name == NULL;
  sinks->chosen = wanted != NULL ? find (sinks, wanted) : NULL;
  if (sinks->chosen != NULL)
    return learn_channels (sinks, deadline_ns, error);
  set_unknown (sinks, name, error);
  return FALSE;
}
