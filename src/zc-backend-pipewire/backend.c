/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loopback through PipeWire's own API: the monitor of a sink is captured, buffer by buffer, in memory of this process
 * that PipeWire fills. */
#include "zc-backend.h"

#include "format.h"
#include "server.h"
#include "sinks.h"
#include "stream.h"
#include "zc-clock.h"

struct _ZcDevice {
  ZcPipeWireServer server;
  ZcPipeWireSinks sinks;
  ZcPipeWireStream stream; /* of the chosen sink's monitor */
};

/* How long a stream that is linked may take for its first turn: that tells how long one is. */
#define FIRST_TURN_NS (G_GINT64_CONSTANT (300) * 1000 * 1000)

/* Who names a PulseAudio server means that one: it may be on another computer. */
static gboolean
pipewire_yields (void)
{
  return g_getenv ("PULSE_SERVER") != NULL && g_getenv ("PIPEWIRE_REMOTE") == NULL;
}

/* -- the server and its sinks ------------------------------------------------------------------------------------ */

static void
pipewire_close (ZcDevice *device)
{
  if (device->server.loop != NULL)
    zc_pipewire_enter (&device->server);
  zc_pipewire_sinks_clear (&device->sinks);
  if (device->server.loop != NULL)
    zc_pipewire_leave (&device->server);
  zc_pipewire_clear (&device->server);
  g_free (device);
}

/* Connected, the sinks listed, none chosen. */
static ZcDevice *
connect_and_list (gint64 deadline_ns, GError **error)
{
  ZcDevice *device = g_new0 (ZcDevice, 1);
  gboolean listed = FALSE;

  if (zc_pipewire_connect (&device->server, deadline_ns, error)) {
    zc_pipewire_enter (&device->server);
    listed = zc_pipewire_sinks_list (&device->sinks, &device->server, deadline_ns, error);
    zc_pipewire_leave (&device->server);
  }
  if (listed)
    return device;
  pipewire_close (device);
  return NULL;
}

static GPtrArray *
pipewire_enumerate (GError **error)
{
  ZcDevice *device = connect_and_list (zc_clock_now_ns () + ZC_OPEN_TIMEOUT_NS, error);
  GPtrArray *infos;

  if (device == NULL)
    return NULL;
  infos = g_ptr_array_new_with_free_func ((GDestroyNotify) zc_device_info_free);
  for (guint i = 0; i < device->sinks.all->len; i++) {
    const ZcPipeWireSink *sink = g_ptr_array_index (device->sinks.all, i);
    ZcDeviceInfo *info = g_new0 (ZcDeviceInfo, 1);

    info->name = g_strdup (sink->name);
    info->description = g_strdup (sink->description);
    info->is_default = g_strcmp0 (sink->name, device->sinks.default_name) == 0;
    g_ptr_array_add (infos, info);
  }
  pipewire_close (device);
  return infos;
}

static ZcDevice *
pipewire_open (const ZcTarget *target, ZcFormat *native, GError **error)
{
  gint64 deadline_ns = zc_clock_now_ns () + ZC_OPEN_TIMEOUT_NS;
  ZcDevice *device = connect_and_list (deadline_ns, error);
  gboolean chosen;

  if (device == NULL)
    return NULL;
  zc_pipewire_enter (&device->server);
  chosen = zc_pipewire_sinks_choose (&device->sinks, target->device, deadline_ns, error);
  zc_pipewire_leave (&device->server);
  if (chosen) {
    zc_pipewire_to_format (&device->sinks.channels, device->server.rate, native);
    return device;
  }
  pipewire_close (device);
  return NULL;
}

static const gchar *
pipewire_device_name (ZcDevice *device)
{
  return device->sinks.chosen->name;
}

/* -- the stream -------------------------------------------------------------------------------------------------- */

static gboolean
is_good (ZcDevice *device)
{
  return !device->sinks.gone && zc_pipewire_stream_is_good (&device->stream);
}

static const gchar *
last_word (ZcDevice *device)
{
  if (device->sinks.gone)
    return "sink removed";
  if (device->server.last_word != NULL)
    return device->server.last_word;
  return device->stream.said != NULL ? device->stream.said : "stream removed";
}

static void
set_lost_error (ZcDevice *device, GError **error)
{
  g_set_error (error, ZC_ERROR, ZC_ERROR_LOST, "\"%s\" went away while it was captured: PipeWire (%s) said \"%s\". See "
      "if the sound server has the device (pw-cli ls Node), or restart it.", device->sinks.chosen->name,
      device->server.name, last_word (device));
}

/* Until sound comes, or it is clear that the sink rests. */
static gboolean
wait_until_ready (ZcDevice *device, gint64 begun_ns, GError **error)
{
  ZcPipeWireServer *server = &device->server;
  ZcPipeWireStream *stream = &device->stream;
  gint64 deadline_ns = begun_ns + ZC_START_TIMEOUT_NS;
  gboolean linked = FALSE;

  while (is_good (device) && !zc_pipewire_stream_has_packet (stream)) {
    if (zc_pipewire_is_woken (server, error))
      return FALSE;
    zc_pipewire_hear (server);
    if (!linked && zc_pipewire_stream_is_linked (stream))
      deadline_ns = MIN (deadline_ns, zc_clock_now_ns () + FIRST_TURN_NS);
    linked = zc_pipewire_stream_is_linked (stream);
    if (zc_pipewire_poll (server, deadline_ns) || !is_good (device))
      continue;
    if (linked)
      return TRUE;
    g_set_error (error, ZC_ERROR, ZC_ERROR_TIMEOUT, "PipeWire (%s) did not link us to \"%s\" within %.1f s. Start or "
        "restart its session manager (systemctl --user restart wireplumber).", server->name, device->sinks.chosen->name,
        ZC_START_TIMEOUT_NS / 1e9);
    return FALSE;
  }
  if (is_good (device))
    return TRUE;
  if (device->sinks.gone || !zc_pipewire_is_good (server))
    set_lost_error (device, error);
  else
    g_set_error (error, ZC_ERROR, ZC_ERROR_FAILED, "PipeWire (%s) does not capture \"%s\": the stream says \"%s\". See "
        "if the device is still there (pw-cli ls Node).", server->name, device->sinks.chosen->name, last_word (device));
  return FALSE;
}

static void
tell_granted (ZcDevice *device, const ZcStreamSpec *spec, ZcStreamInfo *info)
{
  ZcPipeWireStream *stream = &device->stream;
  guint turn = zc_pipewire_stream_turn_frames (stream);

  if (turn == 0)
    turn = spec->latency_frames;
  /* Others may wish for shorter turns now, and not later. */
  *info = (ZcStreamInfo){ .delay_frames = MAX (turn, spec->latency_frames),
    .buffer_frames = MIN (MAX (spec->buffer_frames, turn), turn * ZC_PIPEWIRE_MOST_TURNS),
    .max_borrowed = MAX (stream->buffers / 2, 1), .lends_while_waiting = TRUE };
}

static gboolean
pipewire_start (ZcDevice *device, const ZcStreamSpec *spec, ZcStreamInfo *info, GError **error)
{
  ZcPipeWireServer *server = &device->server;
  gint64 begun_ns = zc_clock_now_ns ();

  zc_pipewire_enter (server); /* up to detach */
  if (zc_pipewire_stream_begin (&device->stream, server, &device->sinks, spec, error)
      && wait_until_ready (device, begun_ns, error)) {
    tell_granted (device, spec, info);
    return TRUE;
  }
  zc_pipewire_stream_end (&device->stream,
      MIN (begun_ns + ZC_START_TIMEOUT_NS, zc_clock_now_ns () + ZC_STOP_TIMEOUT_NS));
  zc_pipewire_leave (server);
  return FALSE;
}

static gboolean
rests (ZcDevice *device)
{
  return device->sinks.rests || device->stream.state != PW_STREAM_STATE_STREAMING;
}

/* What the server says may take the buffers of a stream away: it is listened to when nothing is in them. */
static void
hear_news (ZcDevice *device)
{
  if (!device->server.has_news || !zc_pipewire_stream_frees_buffers (&device->stream))
    return;
  zc_pipewire_hear (&device->server);
  zc_pipewire_stream_uses_buffers (&device->stream);
}

static ZcWait
pipewire_wait (ZcDevice *device, gint64 timeout_ns, GError **error)
{
  ZcPipeWireServer *server = &device->server;
  gint64 deadline_ns = zc_clock_now_ns () + timeout_ns;
  gboolean in_time = TRUE;

  if (zc_pipewire_stream_has_packet (&device->stream)) /* nobody has looked */
    zc_pipewire_poll (server, 0);
  for (;;) {
    hear_news (device);
    if (atomic_load (&server->woken))
      return ZC_WAIT_WOKEN;
    if (device->sinks.moved) {
      device->sinks.moved = FALSE;
      return ZC_WAIT_MOVED;
    }
    if (zc_pipewire_stream_has_packet (&device->stream))
      return ZC_WAIT_PACKET;
    if (server->has_news)
      return ZC_WAIT_RECALL;
    if (!is_good (device)) {
      set_lost_error (device, error);
      return ZC_WAIT_LOST;
    }
    if (!in_time)
      return rests (device) ? ZC_WAIT_IDLE : ZC_WAIT_TIMEOUT;
    in_time = zc_pipewire_poll (server, deadline_ns);
  }
}

static gboolean
pipewire_borrow (ZcDevice *device, ZcPacket *packet)
{
  return zc_pipewire_stream_borrow (&device->stream, packet);
}

static void
pipewire_give_back (ZcDevice *device)
{
  zc_pipewire_stream_give_back (&device->stream);
}

static gint64
pipewire_now_ns (ZcDevice *device)
{
  return zc_clock_now_ns ();
}

static void
pipewire_wake (ZcDevice *device, gboolean on)
{
  zc_pipewire_wake (&device->server, on);
}

static void
pipewire_detach (ZcDevice *device)
{
  zc_pipewire_leave (&device->server);
}

static void
pipewire_stop (ZcDevice *device)
{
  zc_pipewire_enter (&device->server);
  zc_pipewire_stream_end (&device->stream, zc_clock_now_ns () + ZC_STOP_TIMEOUT_NS);
  zc_pipewire_leave (&device->server);
}

const ZcBackend zc_backend_pipewire = {
  .name = "pipewire",
  .title = "PipeWire",
  .automatic = TRUE,
  .yields = pipewire_yields,
  .enumerate = pipewire_enumerate,
  .open = pipewire_open,
  .device_name = pipewire_device_name,
  .start = pipewire_start,
  .wait = pipewire_wait,
  .now_ns = pipewire_now_ns,
  .borrow = pipewire_borrow,
  .give_back = pipewire_give_back,
  .wake = pipewire_wake,
  .detach = pipewire_detach,
  .stop = pipewire_stop,
  .close = pipewire_close,
};
