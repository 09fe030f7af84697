/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loopback through a PulseAudio server (or PipeWire's pipewire-pulse): the monitor of a sink is recorded.
 *
 * libpulse's plain mainloop runs in the thread that calls us and nowhere else, so nothing here takes a lock; wake()
 * uses pa_mainloop_wakeup(), the one call of it that any thread may make. pa_stream_peek() points into memory that
 * the server shares with us, and that stays ours until pa_stream_drop(): one packet can be borrowed. */
#include "zc-backend.h"
#include "zc-clock.h"
#include "zc-pulse-format.h"

#include <pulse/pulseaudio.h>
#include <stdatomic.h>
#include <string.h>

typedef struct {
  guint32 index;
  gchar *name; /* "alsa_output.pci-0000_00_1f.3.analog-stereo" */
  gchar *monitor;
  gchar *description;
  pa_sample_spec spec;
  pa_channel_map map;
} Sink;

struct _ZcDevice {
  pa_mainloop *loop;
  pa_context *context;
  pa_stream *stream;
  _Atomic gboolean woken;

  GPtrArray *sinks; /* Sink, as the server listed them at open */
  gchar *default_sink;
  const Sink *sink; /* the one that is captured */
  gboolean gone;    /* and the server says that it is no more */
  gboolean follows; /* it was opened as the default one */
  gboolean moved;   /* and the server says that another one is */
  gchar *server;    /* for messages */

  guint frame_bytes;
  guint rate;
  guint64 position_bytes; /* borrowed since start */
  gsize readable_bytes;   /* have come and were not given back */
  gsize borrowed_bytes;   /* of these, out just now */

  /* What the server said last of time: this byte of the stream was or will be heard at that moment. */
  gboolean timed;
  gint64 timed_bytes;
  gint64 timed_ns;
  gint64 ask_time_at_ns; /* when to ask anew */
  gint64 ask_time_every_ns;
};

/* How soon a stream that was refused for a passing reason is tried again. */
#define REFUSED_NS (G_GINT64_CONSTANT (20) * 1000 * 1000)

/* Often at first, to know the time of the first packets well; then seldom, as libpulse allocates for each question. A
 * clock that is off by 200 ppm moves by 0.8 ms in the longest of these times. */
#define ASK_TIME_FIRST_NS (G_GINT64_CONSTANT (10) * 1000 * 1000)
#define ASK_TIME_MOST_NS  (G_GINT64_CONSTANT (4000) * 1000 * 1000)

static void
sink_free (Sink *sink)
{
  g_free (sink->name);
  g_free (sink->monitor);
  g_free (sink->description);
  g_free (sink);
}

static const gchar *
last_word (ZcDevice *device)
{
  return pa_strerror (pa_context_errno (device->context));
}

/* -- running the mainloop ---------------------------------------------------------------------------------------- */

/* One round of it, no longer than until deadline_ns. FALSE if there is no time left. */
static gboolean
iterate (ZcDevice *device, gint64 deadline_ns)
{
  gint64 left_us = (deadline_ns - zc_clock_now_ns () + 999) / 1000;

  if (left_us <= 0)
    return FALSE;
  if (pa_mainloop_prepare (device->loop, (int) MIN (left_us, G_MAXINT)) >= 0) {
    if (atomic_load (&device->woken))
      pa_mainloop_wakeup (device->loop); /* prepare() has just cleared a wake-up that came before it */
    if (pa_mainloop_poll (device->loop) >= 0) {
      pa_mainloop_dispatch (device->loop);
      return TRUE;
    }
  }
  pa_context_disconnect (device->context); /* a loop that cannot poll is of no use: that is loss */
  return TRUE;
}

/* Until then, or until woken. */
static void
rest (ZcDevice *device, gint64 until_ns)
{
  while (!atomic_load (&device->woken) && iterate (device, until_ns))
    ;
}

/* What can be done without waiting: news are heard, requests are sent. A server that never falls silent is left. */
static void
catch_up (ZcDevice *device)
{
  for (guint round = 0; round < 100 && pa_mainloop_iterate (device->loop, 0, NULL) > 0; round++)
    ;
}

static gboolean
context_is_good (ZcDevice *device)
{
  return PA_CONTEXT_IS_GOOD (pa_context_get_state (device->context));
}

/* Until the server has answered. FALSE at the deadline or if the connection breaks. */
static gboolean
complete (ZcDevice *device, pa_operation *operation, gint64 deadline_ns)
{
  gboolean done = FALSE;

  if (operation == NULL)
    return FALSE;
  while (!(done = pa_operation_get_state (operation) != PA_OPERATION_RUNNING) && context_is_good (device))
    if (!iterate (device, deadline_ns))
      break;
  pa_operation_unref (operation);
  return done && context_is_good (device);
}

/* -- the server and its sinks ------------------------------------------------------------------------------------ */

static gboolean
connect_to_server (ZcDevice *device, gint64 deadline_ns, GError **error)
{
  const gchar *asked = g_getenv ("PULSE_SERVER");

  device->server = g_strdup (asked != NULL ? asked : "the default server");
  /* libpulse would wait without a limit for a server that it starts; and one that was ended shall not come back by us. */
  if (pa_context_connect (device->context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) >= 0)
    while (pa_context_get_state (device->context) != PA_CONTEXT_READY && context_is_good (device))
      if (!iterate (device, deadline_ns)) {
        g_set_error (error, ZC_ERROR, ZC_ERROR_TIMEOUT, "PulseAudio (%s) accepted the connection and did not answer "
            "within %.1f s. Restart the sound server and try again.", device->server, ZC_OPEN_TIMEOUT_NS / 1e9);
        return FALSE;
      }
  if (context_is_good (device))
    return TRUE;
  g_set_error (error, ZC_ERROR, ZC_ERROR_NO_SERVER, "Cannot reach PulseAudio (%s): pa_context_connect said \"%s\". "
      "Start a sound server (pulseaudio --start, or PipeWire with pipewire-pulse), or set PULSE_SERVER to one that "
      "runs.", device->server, last_word (device));
  return FALSE;
}

static void
on_sink (pa_context *context, const pa_sink_info *info, int end, void *data)
{
  ZcDevice *device = data;
  Sink *sink;

  if (end != 0 || info->monitor_source_name == NULL)
    return;
  sink = g_new0 (Sink, 1);
  sink->index = info->index;
  sink->name = g_strdup (info->name);
  sink->monitor = g_strdup (info->monitor_source_name);
  sink->description = g_strdup (info->description);
  sink->spec = info->sample_spec;
  sink->map = info->channel_map;
  g_ptr_array_add (device->sinks, sink);
}

static void
on_server (pa_context *context, const pa_server_info *info, void *data)
{
  ZcDevice *device = data;

  if (info == NULL)
    return;
  device->moved = device->follows && device->sink != NULL && info->default_sink_name != NULL
      && g_strcmp0 (info->default_sink_name, device->default_sink) != 0;
  g_free (device->default_sink);
  device->default_sink = g_strdup (info->default_sink_name);
}

/* A server need not end our stream with the sink that it listens to: PipeWire leaves it waiting for another. */
static void
on_event (pa_context *context, pa_subscription_event_type_t event, uint32_t index, void *data)
{
  ZcDevice *device = data;
  gboolean of_server = (event & PA_SUBSCRIPTION_EVENT_FACILITY_MASK) == PA_SUBSCRIPTION_EVENT_SERVER;
  pa_operation *operation;

  if (of_server && device->follows && (operation = pa_context_get_server_info (context, on_server, device)) != NULL)
    pa_operation_unref (operation);
  if (!of_server && (event & PA_SUBSCRIPTION_EVENT_TYPE_MASK) == PA_SUBSCRIPTION_EVENT_REMOVE && device->sink != NULL
      && device->sink->index == index)
    device->gone = TRUE;
}

static void
subscribe (ZcDevice *device)
{
  pa_operation *operation;

  pa_context_set_subscribe_callback (device->context, on_event, device);
  operation = pa_context_subscribe (device->context, PA_SUBSCRIPTION_MASK_SINK | PA_SUBSCRIPTION_MASK_SERVER, NULL, NULL);
  if (operation != NULL)
    pa_operation_unref (operation);
}

static gboolean
list_sinks (ZcDevice *device, gint64 deadline_ns, GError **error)
{
  subscribe (device); /* before the list: nothing falls between the two */
  if (complete (device, pa_context_get_server_info (device->context, on_server, device), deadline_ns)
      && complete (device, pa_context_get_sink_info_list (device->context, on_sink, device), deadline_ns))
    return TRUE;
  g_set_error (error, ZC_ERROR, ZC_ERROR_TIMEOUT, "PulseAudio (%s) does not tell its sinks: "
      "pa_context_get_sink_info_list said \"%s\". Restart the sound server and try again.", device->server,
      context_is_good (device) ? "timeout" : last_word (device));
  return FALSE;
}

/* A sink by its name, by that of its monitor, or by what people call it. */
static const Sink *
find_sink (ZcDevice *device, const gchar *name)
{
  for (guint i = 0; i < device->sinks->len; i++) {
    const Sink *sink = g_ptr_array_index (device->sinks, i);

    if (g_str_equal (name, sink->name) || g_str_equal (name, sink->monitor)
        || g_strcmp0 (name, sink->description) == 0)
      return sink;
  }
  return NULL;
}

static gboolean
choose_sink (ZcDevice *device, const gchar *name, GError **error)
{
  g_autoptr (GString) known = g_string_new (NULL);

  device->follows = name == NULL;
  if (device->follows)
    name = device->default_sink;
  device->sink = name != NULL ? find_sink (device, name) : NULL;
  if (device->sink != NULL)
    return TRUE;

  for (guint i = 0; i < device->sinks->len; i++)
    g_string_append_printf (known, "%s%s", i > 0 ? ", " : "", ((Sink *) g_ptr_array_index (device->sinks, i))->name);
  if (known->len == 0)
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE, "PulseAudio (%s) has no sink to capture. Plug in or load one "
        "(pactl load-module module-null-sink).", device->server);
  else if (device->follows)
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE, "PulseAudio (%s) has no default sink. Set one with pactl "
        "set-default-sink, or set device to one of: %s.", device->server, known->str);
  else
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE, "PulseAudio (%s) has no sink \"%s\". Set device to one of: %s; "
        "or leave it unset for the default.", device->server, name, known->str);
  return FALSE;
}

static void
pulse_close (ZcDevice *device)
{
  if (device->context != NULL) {
    pa_context_disconnect (device->context);
    pa_context_unref (device->context);
  }
  pa_mainloop_free (device->loop);
  g_ptr_array_unref (device->sinks);
  g_free (device->default_sink);
  g_free (device->server);
  g_free (device);
}

/* Connected, the sinks listed, none chosen. */
static ZcDevice *
connect_and_list (GError **error)
{
  gint64 deadline_ns = zc_clock_now_ns () + ZC_OPEN_TIMEOUT_NS;
  const gchar *application = g_get_application_name ();
  ZcDevice *device = g_new0 (ZcDevice, 1);

  device->sinks = g_ptr_array_new_with_free_func ((GDestroyNotify) sink_free);
  device->loop = pa_mainloop_new ();
  device->context = pa_context_new (pa_mainloop_get_api (device->loop), application != NULL ? application
                                                                                           : "zcloopbacksrc");
  if (connect_to_server (device, deadline_ns, error) && list_sinks (device, deadline_ns, error))
    return device;
  pulse_close (device);
  return NULL;
}

static GPtrArray *
pulse_enumerate (GError **error)
{
  ZcDevice *device = connect_and_list (error);
  GPtrArray *infos;

  if (device == NULL)
    return NULL;
  infos = g_ptr_array_new_with_free_func ((GDestroyNotify) zc_device_info_free);
  for (guint i = 0; i < device->sinks->len; i++) {
    const Sink *sink = g_ptr_array_index (device->sinks, i);
    ZcDeviceInfo *info = g_new0 (ZcDeviceInfo, 1);

    info->name = g_strdup (sink->name);
    info->description = g_strdup (sink->description);
    info->is_default = g_strcmp0 (sink->name, device->default_sink) == 0;
    g_ptr_array_add (infos, info);
  }
  pulse_close (device);
  return infos;
}

static ZcDevice *
pulse_open (const ZcTarget *target, ZcFormat *native, GError **error)
{
  ZcDevice *device = connect_and_list (error);

  if (device == NULL)
    return NULL;
  if (choose_sink (device, target->device, error)) {
    zc_pulse_to_format (&device->sink->spec, &device->sink->map, native);
    return device;
  }
  pulse_close (device);
  return NULL;
}

static const gchar *
pulse_device_name (ZcDevice *device)
{
  return device->sink->name;
}

/* -- the stream -------------------------------------------------------------------------------------------------- */

/* The server has told its timing. Of a monitor it says: byte write_index comes out of the source source_usec after
 * it went in, and goes into the sink sink_usec before it is heard. pa_stream_get_latency() works the same out, but
 * cuts the sum off at zero and then runs on without limit while no data comes (libpulse stream.c, calc_time). */
static void
on_timing (pa_stream *stream, void *data)
{
  ZcDevice *device = data;
  const pa_timing_info *timing = pa_stream_get_timing_info (stream);
  gint64 now_ns = zc_clock_now_ns ();
  gint64 age_us;

  if (timing == NULL || timing->write_index_corrupt)
    return;
  /* Its timestamp is wall-clock time; only the difference to now is of use, unless somebody set the clock. */
  age_us = g_get_real_time () - ((gint64) timing->timestamp.tv_sec * G_USEC_PER_SEC + timing->timestamp.tv_usec);
  if (age_us < 0 || age_us > G_USEC_PER_SEC)
    return;
  device->timed = TRUE;
  device->timed_bytes = timing->write_index;
  device->timed_ns = now_ns + (gint64) (timing->sink_usec - timing->source_usec - age_us) * 1000;
}

/* More has come; `bytes` is all that can be read now. */
static void
on_readable (pa_stream *stream, size_t bytes, void *data)
{
  ((ZcDevice *) data)->readable_bytes = bytes;
}

/* PA_STREAM_AUTO_TIMING_UPDATE would do this every 1.5 s. */
static void
ask_time_if_due (ZcDevice *device)
{
  gint64 now_ns = zc_clock_now_ns ();
  pa_operation *operation;

  if (now_ns < device->ask_time_at_ns || pa_stream_get_state (device->stream) != PA_STREAM_READY)
    return;
  operation = pa_stream_update_timing_info (device->stream, NULL, NULL);
  if (operation != NULL)
    pa_operation_unref (operation); /* on_timing() hears of the answer */
  device->ask_time_at_ns = now_ns + device->ask_time_every_ns;
  device->ask_time_every_ns = MIN (2 * device->ask_time_every_ns, ASK_TIME_MOST_NS);
}

static gboolean
stream_is_good (ZcDevice *device)
{
  return !device->gone && context_is_good (device) && PA_STREAM_IS_GOOD (pa_stream_get_state (device->stream));
}

/* A stream cannot be disconnected while it is being created: the server would go on to make it, and keep it. */
static void
await_creation (ZcDevice *device)
{
  gint64 deadline_ns = zc_clock_now_ns () + ZC_STOP_TIMEOUT_NS;

  while (context_is_good (device) && pa_stream_get_state (device->stream) == PA_STREAM_CREATING)
    if (!iterate (device, deadline_ns))
      return;
}

static void
pulse_stop (ZcDevice *device)
{
  await_creation (device);
  pa_stream_set_latency_update_callback (device->stream, NULL, NULL);
  pa_stream_set_read_callback (device->stream, NULL, NULL);
  pa_stream_disconnect (device->stream);
  pa_stream_unref (device->stream);
  device->stream = NULL;
  catch_up (device); /* the server hears of it now, not at close */
}

static gboolean
is_woken (ZcDevice *device, GError **error)
{
  if (!atomic_load (&device->woken))
    return FALSE;
  g_set_error_literal (error, ZC_ERROR, ZC_ERROR_WOKEN, "woken");
  return TRUE;
}

/* Until data can come and the server has told its timing once. */
static gboolean
wait_until_ready (ZcDevice *device, gint64 deadline_ns, GError **error)
{
  while (!device->timed && stream_is_good (device)) {
    if (is_woken (device, error))
      return FALSE;
    ask_time_if_due (device);
    if (iterate (device, deadline_ns))
      continue;
    g_set_error (error, ZC_ERROR, ZC_ERROR_TIMEOUT, "PulseAudio (%s) did not start to record \"%s\" within %.1f s. "
        "Restart the sound server and try again.", device->server, device->sink->monitor, ZC_START_TIMEOUT_NS / 1e9);
    return FALSE;
  }
  if (stream_is_good (device))
    return TRUE;
  g_set_error (error, ZC_ERROR, ZC_ERROR_FAILED, "PulseAudio (%s) does not record \"%s\": pa_stream_connect_record "
      "said \"%s\". See if the device is still there (pactl list short sinks).", device->server,
      device->sink->monitor, last_word (device));
  return FALSE;
}

static void
set_lost_error (ZcDevice *device, GError **error)
{
  g_set_error (error, ZC_ERROR, ZC_ERROR_LOST, "\"%s\" went away while it was captured: PulseAudio (%s) said \"%s\". "
      "See if the sound server runs (pactl info) and has the device, and start again.", device->sink->name,
      device->server, device->gone ? "sink removed" : last_word (device));
}

static gboolean
record (ZcDevice *device, const ZcStreamSpec *spec, gint64 deadline_ns, GError **error)
{
  /* Without DONT_MOVE a server that loses the sink may go on with a microphone. */
  const pa_stream_flags_t flags = PA_STREAM_ADJUST_LATENCY | PA_STREAM_DONT_MOVE;
  pa_sample_spec sample_spec;
  pa_channel_map map;
  pa_buffer_attr attr;

  zc_pulse_from_format (&spec->format, &device->sink->spec, &device->sink->map, &sample_spec, &map);
  device->stream = pa_stream_new (device->context, "Loopback", &sample_spec, &map);
  if (device->stream == NULL) {
    g_autofree gchar *wanted = zc_format_describe (&spec->format);
    g_set_error (error, ZC_ERROR, ZC_ERROR_FORMAT, "PulseAudio cannot give %s: pa_stream_new said \"%s\". Let "
        "audioconvert ! audioresample make this format.", wanted, last_word (device));
    return FALSE;
  }

  device->frame_bytes = zc_format_frame_bytes (&spec->format);
  device->rate = spec->format.rate;
  device->position_bytes = 0;
  device->readable_bytes = 0;
  device->borrowed_bytes = 0;
  device->timed = FALSE;
  device->ask_time_at_ns = 0;
  device->ask_time_every_ns = ASK_TIME_FIRST_NS;
  /* fragsize is also the latency that the sink then renders with. A small maxlength loses data without a word. */
  memset (&attr, 0xff, sizeof attr);
  attr.fragsize = spec->latency_frames * device->frame_bytes;
  attr.maxlength = spec->buffer_frames * device->frame_bytes;
  pa_stream_set_latency_update_callback (device->stream, on_timing, device);
  pa_stream_set_read_callback (device->stream, on_readable, device);
  pa_stream_connect_record (device->stream, device->sink->monitor, &attr, flags);
  if (wait_until_ready (device, deadline_ns, error))
    return TRUE;
  pulse_stop (device);
  return FALSE;
}

/* A busy pipewire-pulse answers a stream that follows another one soon with "Input/output error", as its policy finds
 * "no node available" just then. A moment later it does. */
static gboolean
is_passing (ZcDevice *device, const GError *failure)
{
  return g_error_matches (failure, ZC_ERROR, ZC_ERROR_FAILED) && context_is_good (device)
      && pa_context_errno (device->context) == PA_ERR_IO;
}

static gboolean
pulse_start (ZcDevice *device, const ZcStreamSpec *spec, ZcStreamInfo *info, GError **error)
{
  gint64 deadline_ns = zc_clock_now_ns () + ZC_START_TIMEOUT_NS;
  g_autoptr (GError) failure = NULL;
  const pa_buffer_attr *granted;

  for (;;) {
    if (is_woken (device, error))
      return FALSE;
    catch_up (device);
    if (device->gone || !context_is_good (device)) {
      set_lost_error (device, error);
      return FALSE;
    }
    if (record (device, spec, deadline_ns, &failure))
      break;
    if (!is_passing (device, failure) || zc_clock_now_ns () >= deadline_ns) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
    g_clear_error (&failure);
    rest (device, zc_clock_now_ns () + REFUSED_NS);
  }
  granted = pa_stream_get_buffer_attr (device->stream);
  *info = (ZcStreamInfo){ .delay_frames = MAX (granted->fragsize / device->frame_bytes, 1),
    .buffer_frames = granted->maxlength / device->frame_bytes, .max_borrowed = 1 };
  /* Not while waiting: when the connection breaks, libpulse unmaps the memory that it shared with the server. */
  return TRUE;
}

static ZcWait
pulse_wait (ZcDevice *device, gint64 timeout_ns, GError **error)
{
  gint64 deadline_ns = zc_clock_now_ns () + timeout_ns;

  while (stream_is_good (device)) {
    if (atomic_load (&device->woken))
      return ZC_WAIT_WOKEN;
    if (device->readable_bytes > device->borrowed_bytes)
      return ZC_WAIT_PACKET;
    if (device->moved) {
      device->moved = FALSE;
      return ZC_WAIT_MOVED;
    }
    ask_time_if_due (device);
    if (!iterate (device, deadline_ns))
      return ZC_WAIT_TIMEOUT;
  }
  set_lost_error (device, error);
  return ZC_WAIT_LOST;
}

static gint64
heard_at_ns (ZcDevice *device)
{
  gint64 ahead_bytes = (gint64) device->position_bytes - device->timed_bytes;
  gint64 ahead_frames = ahead_bytes / (gint64) device->frame_bytes;

  if (!device->timed)
    return ZC_TIME_NONE;
  return device->timed_ns + ahead_frames * 1000000000 / (gint64) device->rate;
}

static gboolean
pulse_borrow (ZcDevice *device, ZcPacket *packet)
{
  const void *data;
  size_t bytes;

  /* Each call of libpulse costs a getpid(): none is made in vain. */
  if (device->readable_bytes == 0)
    return FALSE;
  if (pa_stream_peek (device->stream, &data, &bytes) < 0 || bytes < device->frame_bytes) {
    device->readable_bytes = 0;
    return FALSE;
  }
  device->borrowed_bytes = bytes;
  *packet = (ZcPacket){
    .data = data,
    .frames = (guint) (bytes / device->frame_bytes),
    .flags = data == NULL ? ZC_PACKET_SILENT : 0, /* a hole: the server has nothing for this time */
    .position_frames = device->position_bytes / device->frame_bytes,
    .capture_time_ns = heard_at_ns (device),
  };
  device->position_bytes += bytes;
  return TRUE;
}

static void
pulse_give_back (ZcDevice *device)
{
  pa_stream_drop (device->stream);
  device->readable_bytes -= MIN (device->borrowed_bytes, device->readable_bytes);
  device->borrowed_bytes = 0;
}

static gint64
pulse_now_ns (ZcDevice *device)
{
  return zc_clock_now_ns ();
}

static void
pulse_wake (ZcDevice *device, gboolean on)
{
  atomic_store (&device->woken, on);
  if (on)
    pa_mainloop_wakeup (device->loop);
}

const ZcBackend zc_backend_pulse = {
  .name = "pulse",
  .title = "PulseAudio",
  .automatic = TRUE,
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
