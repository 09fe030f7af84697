/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loopback through a PulseAudio server (or PipeWire's pipewire-pulse): the monitor of a sink is recorded, packet by
 * packet in the server's own memory; or what some processes play is, and mixed. */
#include "zc-backend.h"

#include "format.h"
#include "processes.h"
#include "server.h"
#include "sinks.h"
#include "stream.h"
#include "zc-clock.h"

struct _ZcDevice {
  ZcPulseServer server;
  ZcPulseSinks sinks;
  ZcPulseStream stream; /* of the chosen sink's monitor */
  gboolean of_processes; /* its time is of use, its sound is not: */
  ZcPulseProcesses processes;
};

/* How soon a stream that was refused for a passing reason is tried again. */
#define REFUSED_NS (G_GINT64_CONSTANT (20) * 1000 * 1000)

/* -- the server and its sinks ------------------------------------------------------------------------------------ */

static void
on_event (pa_context *context, pa_subscription_event_type_t event, uint32_t index, void *data)
{
  ZcDevice *device = data;

  zc_pulse_sinks_hear (&device->sinks, event, index);
  zc_pulse_processes_hear (&device->processes, event, index);
}

static void
subscribe (ZcDevice *device)
{
  const pa_subscription_mask_t news = PA_SUBSCRIPTION_MASK_SINK | PA_SUBSCRIPTION_MASK_SERVER
      | (device->of_processes ? PA_SUBSCRIPTION_MASK_SINK_INPUT : 0);
  pa_context *context = device->server.context;

  pa_context_set_subscribe_callback (context, on_event, device);
  zc_pulse_forget (pa_context_subscribe (context, news, NULL, NULL));
}

static void
pulse_close (ZcDevice *device)
{
  zc_pulse_server_clear (&device->server);
  zc_pulse_processes_clear (&device->processes);
  zc_pulse_sinks_clear (&device->sinks);
  g_free (device);
}

/* Connected, the sinks listed, none chosen. */
static ZcDevice *
connect_and_list (gboolean of_processes, gint64 deadline_ns, GError **error)
{
  ZcDevice *device = g_new0 (ZcDevice, 1);

  device->of_processes = of_processes;
  if (zc_pulse_server_connect (&device->server, deadline_ns, error)) {
    subscribe (device); /* before the list: nothing falls between the two */
    if (zc_pulse_sinks_list (&device->sinks, &device->server, deadline_ns, error))
      return device;
  }
  pulse_close (device);
  return NULL;
}

static GPtrArray *
pulse_enumerate (GError **error)
{
  ZcDevice *device = connect_and_list (FALSE, zc_clock_now_ns () + ZC_OPEN_TIMEOUT_NS, error);
  GPtrArray *infos;

  if (device == NULL)
    return NULL;
  infos = g_ptr_array_new_with_free_func ((GDestroyNotify) zc_device_info_free);
  for (guint i = 0; i < device->sinks.all->len; i++) {
    const ZcPulseSink *sink = g_ptr_array_index (device->sinks.all, i);
    ZcDeviceInfo *info = g_new0 (ZcDeviceInfo, 1);

    info->name = g_strdup (sink->name);
    info->description = g_strdup (sink->description);
    info->is_default = g_strcmp0 (sink->name, device->sinks.default_name) == 0;
    g_ptr_array_add (infos, info);
  }
  pulse_close (device);
  return infos;
}

static ZcDevice *
pulse_open (const ZcTarget *target, ZcFormat *native, GError **error)
{
  gint64 deadline_ns = zc_clock_now_ns () + ZC_OPEN_TIMEOUT_NS;
  ZcDevice *device = connect_and_list (zc_target_is_process (target), deadline_ns, error);

  if (device == NULL)
    return NULL;
  if (zc_pulse_sinks_choose (&device->sinks, target->device, error)
      && (!device->of_processes
          || zc_pulse_processes_open (&device->processes, &device->server, &device->sinks, target, deadline_ns,
              error))) {
    zc_pulse_to_format (&device->sinks.chosen->spec, &device->sinks.chosen->map, native);
    if (device->of_processes)
      zc_pulse_processes_prefer (native);
    return device;
  }
  pulse_close (device);
  return NULL;
}

static const gchar *
pulse_device_name (ZcDevice *device)
{
  return device->sinks.chosen->name;
}

/* -- the stream -------------------------------------------------------------------------------------------------- */

static gboolean
is_good (ZcDevice *device)
{
  return !device->sinks.gone && zc_pulse_stream_is_good (&device->stream);
}

static void
end (ZcDevice *device)
{
  zc_pulse_stream_end (&device->stream, zc_clock_now_ns () + ZC_STOP_TIMEOUT_NS);
  zc_pulse_catch_up (&device->server); /* the server hears of it now, not at close */
}

static void
pulse_stop (ZcDevice *device)
{
  if (device->of_processes)
    zc_pulse_processes_stop (&device->processes);
  end (device);
}

static gboolean
is_lost (ZcDevice *device)
{
  return device->sinks.gone || !zc_pulse_server_is_good (&device->server);
}

static void
set_lost_error (ZcDevice *device, GError **error)
{
  g_set_error (error, ZC_ERROR, ZC_ERROR_LOST, "\"%s\" went away while it was captured: PulseAudio (%s) said \"%s\". "
      "See if the sound server runs (pactl info) and has the device.", device->sinks.chosen->name,
      device->server.name, device->sinks.gone ? "sink removed" : zc_pulse_server_last_word (&device->server));
}

/* Until data can come and the server has told its timing once. */
static gboolean
wait_until_ready (ZcDevice *device, gint64 deadline_ns, GError **error)
{
  ZcPulseServer *server = &device->server;
  const gchar *monitor = device->sinks.chosen->monitor;

  while (!device->stream.timed && is_good (device)) {
    if (zc_pulse_is_woken (server, error))
      return FALSE;
    zc_pulse_stream_ask_time_if_due (&device->stream);
    if (zc_pulse_iterate (server, deadline_ns))
      continue;
    g_set_error (error, ZC_ERROR, ZC_ERROR_TIMEOUT, "PulseAudio (%s) did not start to record \"%s\" within %.1f s. "
        "Restart the sound server and try again.", server->name, monitor, ZC_START_TIMEOUT_NS / 1e9);
    return FALSE;
  }
  if (is_good (device))
    return TRUE;
  if (is_lost (device))
    set_lost_error (device, error);
  else
    g_set_error (error, ZC_ERROR, ZC_ERROR_FAILED, "PulseAudio (%s) does not record \"%s\": pa_stream_connect_record "
        "said \"%s\". See if the device is still there (pactl list short sinks).", server->name, monitor,
        zc_pulse_server_last_word (server));
  return FALSE;
}

static gboolean
record (ZcDevice *device, const ZcStreamSpec *spec, gint64 deadline_ns, GError **error)
{
  if (!zc_pulse_stream_begin (&device->stream, &device->server, device->sinks.chosen, PA_INVALID_INDEX, spec, error))
    return FALSE;
  if (wait_until_ready (device, deadline_ns, error))
    return TRUE;
  end (device);
  return FALSE;
}

/* A busy pipewire-pulse answers a stream that follows another one soon with "Input/output error", as its policy finds
 * "no node available" just then. A moment later it does. */
static gboolean
is_passing (ZcDevice *device, const GError *failure)
{
  return g_error_matches (failure, ZC_ERROR, ZC_ERROR_FAILED) && zc_pulse_server_is_good (&device->server)
      && pa_context_errno (device->server.context) == PA_ERR_IO;
}

/* record(), and again while it is refused for a passing reason and there is time. */
static gboolean
record_in_the_end (ZcDevice *device, const ZcStreamSpec *spec, GError **error)
{
  gint64 deadline_ns = zc_clock_now_ns () + ZC_START_TIMEOUT_NS;

  for (;;) {
    g_autoptr (GError) failure = NULL;

    if (zc_pulse_is_woken (&device->server, error))
      return FALSE;
    zc_pulse_catch_up (&device->server);
    if (is_lost (device)) {
      set_lost_error (device, error);
      return FALSE;
    }
    if (record (device, spec, deadline_ns, &failure))
      return TRUE;
    if (!is_passing (device, failure) || zc_clock_now_ns () >= deadline_ns) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
    zc_pulse_rest (&device->server, zc_clock_now_ns () + REFUSED_NS);
  }
}

static gboolean
pulse_start (ZcDevice *device, const ZcStreamSpec *spec, ZcStreamInfo *info, GError **error)
{
  pa_buffer_attr granted;

  if (!record_in_the_end (device, spec, error))
    return FALSE;
  if (device->of_processes && !zc_pulse_processes_start (&device->processes, &device->stream, spec, error)) {
    end (device);
    return FALSE;
  }
  granted = zc_pulse_stream_granted (&device->stream);
  /* Not while waiting: when the connection breaks, libpulse unmaps the memory that it shared with the server. */
  *info = (ZcStreamInfo){ .delay_frames = MAX (granted.fragsize / device->stream.frame_bytes, 1),
    .buffer_frames = granted.maxlength / device->stream.frame_bytes, .max_borrowed = 1 };
  if (device->of_processes)
    info->delay_frames += zc_pulse_processes_delay_frames (&device->processes);
  return TRUE;
}

static gboolean
has_packet (ZcDevice *device)
{
  if (!device->stream.timed) /* it was suspended: where what came since lies will be told in a moment */
    return FALSE;
  if (device->of_processes)
    return zc_pulse_processes_gather (&device->processes, &device->stream);
  return device->stream.readable_bytes > device->stream.borrowed_bytes;
}

/* TRUE when the deadline has passed. A server that stands still does not make us a late reader. */
static gboolean
wait_for_server (ZcDevice *device, gint64 deadline_ns)
{
  gint64 until_ns = MIN (deadline_ns, zc_pulse_stream_look_again_at_ns (&device->stream));

  if (zc_pulse_iterate (&device->server, until_ns))
    return FALSE;
  zc_pulse_catch_up (&device->server); /* what has come while nobody waited */
  return until_ns == deadline_ns;
}

static ZcWait
pulse_wait (ZcDevice *device, gint64 timeout_ns, GError **error)
{
  gint64 deadline_ns = zc_clock_now_ns () + timeout_ns;
  gboolean over = FALSE;

  while (is_good (device)) {
    if (atomic_load (&device->server.woken))
      return ZC_WAIT_WOKEN;
    zc_pulse_stream_ask_time_if_due (&device->stream); /* first of all, if we are late: that changes what is there */
    if (has_packet (device))
      return ZC_WAIT_PACKET;
    if (device->sinks.moved) {
      device->sinks.moved = FALSE;
      return ZC_WAIT_MOVED;
    }
    if (over) {
      zc_pulse_stream_note_quiet (&device->stream);
      return zc_pulse_stream_is_suspended (&device->stream) ? ZC_WAIT_IDLE : ZC_WAIT_TIMEOUT;
    }
    over = wait_for_server (device, deadline_ns);
  }
  set_lost_error (device, error);
  return ZC_WAIT_LOST;
}

static gboolean
pulse_borrow (ZcDevice *device, ZcPacket *packet)
{
  guint64 frame = device->stream.position_bytes / device->stream.frame_bytes;
  const guint8 *data;
  guint frames;

  if (!device->stream.timed)
    return FALSE;
  if (device->of_processes)
    return zc_pulse_processes_borrow (&device->processes, packet);
  if (!zc_pulse_stream_peek (&device->stream, &data, &frames))
    return FALSE;
  *packet = (ZcPacket){
    .data = data,
    .frames = frames,
    .flags = data == NULL ? ZC_PACKET_SILENT : 0, /* a hole: the server has nothing for this time */
    .position_frames = frame + zc_pulse_stream_lost_frames (&device->stream, frame),
    .capture_time_ns = zc_pulse_stream_heard_at_ns (&device->stream, frame),
  };
  return TRUE;
}

static void
pulse_give_back (ZcDevice *device)
{
  if (device->of_processes)
    zc_pulse_processes_give_back (&device->processes);
  else
    zc_pulse_stream_drop (&device->stream);
}

static gint64
pulse_now_ns (ZcDevice *device)
{
  return zc_clock_now_ns ();
}

static void
pulse_wake (ZcDevice *device, gboolean on)
{
  zc_pulse_wake (&device->server, on);
}

const ZcBackend zc_backend_pulse = {
  .name = "pulse",
  .title = "PulseAudio",
  .automatic = TRUE,
  .captures_processes = TRUE,
  .enumerate = pulse_enumerate,
  .open = pulse_open,
  .device_name = pulse_device_name,
  .start = pulse_start,
  .wait = pulse_wait,
  .now_ns = pulse_now_ns,
  .borrow = pulse_borrow,
  .give_back = pulse_give_back,
  .wake = pulse_wake,
  .stop = pulse_stop,
  .close = pulse_close,
};
