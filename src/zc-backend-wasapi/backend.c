/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loopback through WASAPI: what an endpoint plays, or what a process does, in shared mode, driven by events.
 *
 * The streaming thread waits for the engine's event itself and reads the engine's own memory between GetBuffer and
 * ReleaseBuffer: one packet can be borrowed. All packets that are there are taken before it waits again. The engine's
 * buffer is as deep as buffer-time says, so that a late reader loses nothing.
 *
 * All else that the stream asks of Windows, and what may never return (activation, initialization, Stop), happens in a
 * thread that it has for that, see com.h: services are released where they were made, as Windows wants it. */
#include "com.h"
#include "errors.h"
#include "format.h"
#include "process.h"
#include "stream.h"
#include "zc-backend.h"
#include "zc-clock.h"

#include <avrt.h>
#include <stdatomic.h>

/* An event can be missing: loopback has none before Windows 10 1703, and drivers lose some. */
#define POLL_NS (G_GINT64_CONSTANT (20) * 1000 * 1000)

/* How often an idle stream is asked if its device is there. */
#define ASK_NS (G_GINT64_CONSTANT (500) * 1000 * 1000)

/* A position that is further than this from what the time says is not believed. */
#define POSITION_TOLERANCE_NS (G_GINT64_CONSTANT (20) * 1000 * 1000)

struct _ZcDevice {
  ZcWasapiTarget *target;
  HANDLE wake; /* manual reset */
  _Atomic gboolean woken;

  /* From start to stop, the streaming thread's. */
  ZcComThread *thread;
  ZcWasapiStream *stream;
  DWORD streaming_thread_id;
  gboolean entered; /* the apartment */
  HANDLE task;      /* of the multimedia class scheduler */
  HRESULT result;   /* of the call that failed */
  const gchar *failed_call;
  guint rate;
  gboolean ready;   /* borrow will find a packet */
  gboolean drained; /* borrow has just found none */
  UINT32 borrowed;  /* frames */
  gint64 asked_at_ns; /* ask_if_gone() */

  /* After the packet before. */
  gboolean begun;
  guint64 next_position;
  guint64 next_device_position;
  gint64 next_time_ns; /* ZC_TIME_NONE if it had no time */
};

/* -- open and close ---------------------------------------------------------------------------------------------- */

typedef struct {
  gchar *name;
  ZcEndpoint *endpoint;
  GPtrArray *infos;
  GError *error;
} Lookup;

static void
lookup_free (gpointer job)
{
  Lookup *lookup = job;

  g_free (lookup->name);
  g_clear_pointer (&lookup->endpoint, zc_endpoint_free);
  g_clear_pointer (&lookup->infos, g_ptr_array_unref);
  g_clear_error (&lookup->error);
  g_free (lookup);
}

static void
find_endpoint (gpointer job)
{
  Lookup *lookup = job;

  lookup->endpoint = zc_wasapi_find (lookup->name, &lookup->error);
}

static void
list_endpoints (gpointer job)
{
  Lookup *lookup = job;

  lookup->infos = zc_wasapi_list (&lookup->error);
}

static void
set_timeout (GError **error, const gchar *device, const gchar *what, gint64 timeout_ns)
{
  g_set_error (error, ZC_ERROR, ZC_ERROR_TIMEOUT, "%s: %s did not end within %.1f s. Restart \"Windows Audio\" in "
      "services.msc and try again.", device, what, (gdouble) timeout_ns / 1e9);
}

/* NULL and *error if it failed; else the caller's. */
static Lookup *
look_up (ZcComFunc run, const gchar *name, GError **error)
{
  ZcComThread *thread = zc_com_thread_new ();
  Lookup *lookup = g_new0 (Lookup, 1);
  ZcComResult result;

  lookup->name = g_strdup (name);
  result = zc_com_thread_call (thread, run, lookup_free, lookup, NULL, ZC_OPEN_TIMEOUT_NS);
  zc_com_thread_free (thread);
  if (result != ZC_COM_DONE) {
    set_timeout (error, name != NULL ? name : "Windows' audio system", "asking for the devices", ZC_OPEN_TIMEOUT_NS);
    return NULL;
  }
  if (lookup->error == NULL)
    return lookup;
  g_propagate_error (error, g_steal_pointer (&lookup->error));
  lookup_free (lookup);
  return NULL;
}

static GPtrArray *
wasapi_enumerate (GError **error)
{
  Lookup *lookup = look_up (list_endpoints, NULL, error);
  GPtrArray *infos = lookup != NULL ? g_steal_pointer (&lookup->infos) : NULL;

  g_clear_pointer (&lookup, lookup_free);
  return infos;
}

static gboolean
resolve_endpoint (ZcWasapiTarget *target, const gchar *name, GError **error)
{
  Lookup *lookup = look_up (find_endpoint, name, error);

  if (lookup == NULL)
    return FALSE;
  target->endpoint = g_steal_pointer (&lookup->endpoint);
  target->name = g_strdup (target->endpoint->id);
  target->title = g_strdup (target->endpoint->name);
  lookup_free (lookup);
  if (zc_wasapi_to_format (target->endpoint->format, &target->format))
    return TRUE;
  g_set_error (error, ZC_ERROR, ZC_ERROR_FORMAT, "%s plays in a format that zcloopbacksrc does not know (tag 0x%04x, "
      "%u bits, %u channels). Choose another in the device's properties.", target->endpoint->name,
      target->endpoint->format->wFormatTag, target->endpoint->format->wBitsPerSample,
      target->endpoint->format->nChannels);
  return FALSE;
}

/* Where one that was named is to be left out and is not there, nobody is but ourselves. */
static gboolean
choose_process (ZcWasapiTarget *target, const ZcTarget *wanted, GError **error)
{
  target->process_id = wanted->process_name != NULL ? zc_wasapi_process_of_name (wanted->process_name)
                                                    : wanted->process_id;
  if (wanted->process_name != NULL && target->process_id != 0 && wanted->process_mode == ZC_PROCESS_INCLUDE)
    target->process_end = zc_wasapi_process_end (target->process_id);
  if (target->process_id == 0 && wanted->process_mode == ZC_PROCESS_EXCLUDE)
    target->process_id = GetCurrentProcessId ();
  if (target->process_id != 0)
    return TRUE;
  g_set_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE, "There is no process of an executable \"%s\". Set process-name to "
      "one that runs: see the Details tab of the Task Manager.", wanted->process_name);
  return FALSE;
}

/* Windows mixes processes in whatever format it is asked for; float stereo is what most of them play. */
static gboolean
resolve_process (ZcWasapiTarget *target, const ZcTarget *wanted, GError **error)
{
  gboolean exclude = wanted->process_mode == ZC_PROCESS_EXCLUDE;

  if (wanted->device != NULL) {
    g_set_error (error, ZC_ERROR, ZC_ERROR_SETTINGS, "Windows captures a process on whatever device it plays: device "
        "(\"%s\") and process-id, process-name and process-mode exclude each other. Unset one.", wanted->device);
    return FALSE;
  }
  if (!choose_process (target, wanted, error))
    return FALSE;
  target->process_mode = wanted->process_mode;
  target->name = g_strdup_printf ("%sprocess %u", exclude ? "all but " : "", target->process_id);
  target->title = g_strdup (target->name);
  target->format = (ZcFormat){ .sample = ZC_SAMPLE_F32LE, .rate = 48000, .channels = 2 };
  zc_format_default_positions (&target->format);
  return zc_wasapi_process_exists (target->process_id, error);
}

static ZcDevice *
wasapi_open (const ZcTarget *wanted, ZcFormat *native, GError **error)
{
  ZcWasapiTarget *target = zc_wasapi_target_new ();
  ZcDevice *device;

  if (!(zc_target_is_process (wanted) ? resolve_process (target, wanted, error)
                                      : resolve_endpoint (target, wanted->device, error))) {
    zc_wasapi_target_unref (target);
    return NULL;
  }
  device = g_new0 (ZcDevice, 1);
  device->target = target;
  device->wake = zc_com_event (TRUE);
  *native = target->format;
  return device;
}

static void
wasapi_close (ZcDevice *device)
{
  CloseHandle (device->wake);
  zc_wasapi_target_unref (device->target);
  g_free (device);
}

static const gchar *
wasapi_device_name (ZcDevice *device)
{
  return device->target->name;
}

/* -- start and stop ---------------------------------------------------------------------------------------------- */

typedef struct {
  ZcComThread *thread; /* in which it runs */
  ZcWasapiTarget *target;
  ZcStreamSpec spec;
  ZcWasapiStream *stream;
  GError *error;
} Start;

static void
start_free (gpointer job)
{
  Start *start = job;

  zc_wasapi_target_unref (start->target);
  g_clear_pointer (&start->stream, zc_wasapi_stream_free);
  g_clear_error (&start->error);
  g_free (start);
}

static void
make_stream (gpointer job)
{
  Start *start = job;

  start->stream = zc_wasapi_stream_new (start->thread, start->target, &start->spec, &start->error);
}

static ZcWasapiStream *
start_stream (ZcDevice *device, const ZcStreamSpec *spec, GError **error)
{
  Start *start = g_new0 (Start, 1);
  ZcWasapiStream *stream;
  ZcComResult result;

  *start = (Start){ .thread = device->thread, .target = zc_wasapi_target_ref (device->target), .spec = *spec };
  result = zc_com_thread_call (device->thread, make_stream, start_free, start, device->wake, ZC_START_TIMEOUT_NS);
  if (result == ZC_COM_WOKEN)
    g_set_error (error, ZC_ERROR, ZC_ERROR_WOKEN, "%s: starting was interrupted.", device->target->title);
  if (result == ZC_COM_TIMEOUT)
    set_timeout (error, device->target->title, "starting the stream", ZC_START_TIMEOUT_NS);
  if (result != ZC_COM_DONE)
    return NULL;
  stream = g_steal_pointer (&start->stream);
  if (stream == NULL)
    g_propagate_error (error, g_steal_pointer (&start->error));
  start_free (start);
  return stream;
}

/* The thread that reads runs before others that do not keep time. */
static void
attach (ZcDevice *device)
{
  DWORD index = 0;

  device->streaming_thread_id = GetCurrentThreadId ();
  device->entered = zc_com_enter ();
  device->task = AvSetMmThreadCharacteristicsW (L"Audio", &index);
}

static gboolean
wasapi_start (ZcDevice *device, const ZcStreamSpec *spec, ZcStreamInfo *info, GError **error)
{
  device->thread = zc_com_thread_new ();
  device->stream = start_stream (device, spec, error);
  if (device->stream == NULL) {
    g_clear_pointer (&device->thread, zc_com_thread_free);
    return FALSE;
  }
  attach (device);
  device->result = S_OK;
  device->rate = spec->format.rate;
  device->begun = device->ready = device->drained = FALSE;
  device->borrowed = 0;
  device->next_position = 0;
  *info = device->stream->info;
  return TRUE;
}

static void
wasapi_detach (ZcDevice *device)
{
  if (device->task != NULL)
    AvRevertMmThreadCharacteristics (device->task);
  if (device->entered)
    zc_com_leave ();
  device->task = NULL;
  device->entered = FALSE;
}

static void
free_stream (gpointer stream)
{
  zc_wasapi_stream_free (stream);
}

static void
wasapi_stop (ZcDevice *device)
{
  ZcWasapiStream *stream = g_steal_pointer (&device->stream);

  if (zc_com_thread_call (device->thread, free_stream, NULL, stream, NULL, ZC_STOP_TIMEOUT_NS) != ZC_COM_DONE)
    g_message ("%s: Windows does not end the stream; left behind", device->target->title);
  g_clear_pointer (&device->thread, zc_com_thread_free);
}

static void
wasapi_wake (ZcDevice *device, gboolean on)
{
  atomic_store (&device->woken, on);
  if (on)
    SetEvent (device->wake);
  else
    ResetEvent (device->wake);
}

/* -- packets ----------------------------------------------------------------------------------------------------- */

/* FALSE if it failed: wait will tell. */
static gboolean
check (ZcDevice *device, HRESULT result, const gchar *call)
{
  if (SUCCEEDED (result))
    return TRUE;
  device->result = result;
  device->failed_call = call;
  return FALSE;
}

/* While a packet is out, GetNextPacketSize tells of that one: the event's word must do. */
static gboolean
is_ready (ZcDevice *device)
{
  UINT32 frames = 0;

  if (!device->ready && device->borrowed == 0 && SUCCEEDED (device->result)
      && check (device, IAudioCaptureClient_GetNextPacketSize (device->stream->capture, &frames), "GetNextPacketSize"))
    device->ready = frames > 0;
  return device->ready;
}

/* The notifications' word. */
static gboolean
is_removed (ZcDevice *device)
{
  ZcNotifications *notifications = device->stream->notifications;

  return notifications != NULL && zc_notifications_gone (notifications);
}

/* An idle stream does not notice by itself that its device has gone. Process loopback cannot be asked. */
static void
ask_if_gone (ZcDevice *device, gint64 now_ns)
{
  UINT32 padding;

  if (device->target->endpoint == NULL || FAILED (device->result) || now_ns - device->asked_at_ns < ASK_NS)
    return;
  device->asked_at_ns = now_ns;
  check (device, IAudioClient_GetCurrentPadding (device->stream->client, &padding), "GetCurrentPadding");
}

static ZcWait
lost (ZcDevice *device, GError **error)
{
  g_autoptr (GError) cause = NULL;

  if (is_removed (device))
    zc_wasapi_set_removed (&cause, device->target->title);
  else
    zc_wasapi_set_error (&cause, device->result, device->target->title, device->failed_call);
  g_set_error_literal (error, ZC_ERROR, ZC_ERROR_LOST, cause->message);
  return ZC_WAIT_LOST;
}

/* Another one of that name is looked for when the target is opened again. */
static ZcWait
ended_process (ZcDevice *device, GError **error)
{
  g_set_error (error, ZC_ERROR, ZC_ERROR_LOST, "%s ended while it was captured.", device->target->title);
  return ZC_WAIT_LOST;
}

static ZcWait
wasapi_wait (ZcDevice *device, gint64 timeout_ns, GError **error)
{
  const HANDLE handles[] = { device->wake, device->stream->event, device->target->process_end };
  const DWORD n_handles = device->target->process_end != NULL ? 3 : 2;
  gint64 now_ns = zc_clock_now_ns ();
  gint64 deadline_ns = now_ns + timeout_ns;

  while (!atomic_load_explicit (&device->woken, memory_order_acquire)) {
    gint64 left_ns = deadline_ns - now_ns;
    DWORD ended;

    if (device->stream->notifications != NULL && zc_notifications_take_moved (device->stream->notifications))
      return ZC_WAIT_MOVED;
    if (!device->drained && is_ready (device))
      return ZC_WAIT_PACKET;
    if (FAILED (device->result) || is_removed (device))
      return lost (device, error);
    if (left_ns <= 0) {
      ask_if_gone (device, now_ns);
      return ZC_WAIT_IDLE;
    }
    ended = WaitForMultipleObjects (n_handles, handles, FALSE, (DWORD) ((MIN (left_ns, POLL_NS) + 999999) / 1000000));
    device->drained = FALSE;
    if (ended == WAIT_OBJECT_0 + 1 && device->borrowed > 0)
      return ZC_WAIT_PACKET;
    if (ended == WAIT_OBJECT_0 + 2)
      return ended_process (device, error);
    now_ns = zc_clock_now_ns ();
  }
  return ZC_WAIT_WOKEN;
}

/* How many frames are missing before this packet, of which Windows says that some are: by the device's position if the
 * time agrees with it, else by the time. Process loopback need not move its position. */
static guint64
missing_frames (ZcDevice *device, guint64 device_position, gint64 time_ns)
{
  gint64 by_position = (gint64) (device_position - device->next_device_position);
  gint64 tolerance = (gint64) zc_ns_to_frames ((guint64) POSITION_TOLERANCE_NS, device->rate);
  gint64 by_time;

  if (time_ns == ZC_TIME_NONE || device->next_time_ns == ZC_TIME_NONE)
    return (guint64) MAX (by_position, 0);
  by_time = (gint64) zc_ns_to_frames ((guint64) MAX (time_ns - device->next_time_ns, 0), device->rate);
  return (guint64) (by_position >= 0 && ABS (by_position - by_time) <= tolerance ? by_position : by_time);
}

/* Fills in where and when. */
static void
place (ZcDevice *device, ZcPacket *packet, UINT64 device_position, UINT64 qpc_hns, DWORD flags)
{
  /* Of the first packet it is undefined. */
  gboolean discont = device->begun && (flags & AUDCLNT_BUFFERFLAGS_DATA_DISCONTINUITY) != 0;

  packet->capture_time_ns
      = (flags & AUDCLNT_BUFFERFLAGS_TIMESTAMP_ERROR) != 0 ? ZC_TIME_NONE : (gint64) qpc_hns * ZC_NS_PER_HNS;
  packet->flags = ((flags & AUDCLNT_BUFFERFLAGS_SILENT) != 0 ? ZC_PACKET_SILENT : 0)
      | (discont ? ZC_PACKET_DISCONT : 0);
  packet->position_frames = device->next_position;
  if (discont)
    packet->position_frames += missing_frames (device, device_position, packet->capture_time_ns);

  device->begun = TRUE;
  device->next_position = packet->position_frames + packet->frames;
  device->next_device_position = device_position + packet->frames;
  device->next_time_ns = packet->capture_time_ns;
  if (packet->capture_time_ns != ZC_TIME_NONE)
    device->next_time_ns += (gint64) zc_frames_to_ns (packet->frames, device->rate);
}

static gboolean
wasapi_borrow (ZcDevice *device, ZcPacket *packet)
{
  UINT64 device_position = 0, qpc_hns = 0;
  BYTE *data = NULL;
  DWORD flags = 0;

  device->drained = device->borrowed > 0 || !is_ready (device);
  if (device->drained)
    return FALSE;
  device->ready = FALSE;
  if (!check (device, IAudioCaptureClient_GetBuffer (device->stream->capture, &data, &device->borrowed, &flags,
          &device_position, &qpc_hns), "GetBuffer"))
    return FALSE;
  if (device->borrowed == 0) { /* AUDCLNT_S_BUFFER_EMPTY: there is nothing to release */
    device->drained = TRUE;
    return FALSE;
  }
  *packet = (ZcPacket){ .data = data, .frames = device->borrowed };
  place (device, packet, device_position, qpc_hns, flags);
  return TRUE;
}

static void
wasapi_give_back (ZcDevice *device)
{
  /* In no other thread than GetBuffer (Microsoft, IAudioCaptureClient). The end of the stream does as well. */
  if (device->streaming_thread_id == GetCurrentThreadId ())
    check (device, IAudioCaptureClient_ReleaseBuffer (device->stream->capture, device->borrowed), "ReleaseBuffer");
  device->borrowed = 0;
}

static gint64
wasapi_now_ns (ZcDevice *device)
{
  return zc_clock_now_ns ();
}

const ZcBackend zc_backend_wasapi = {
  .name = "wasapi",
  .title = "WASAPI",
  .automatic = TRUE,
  .captures_processes = TRUE,
  .is_role = zc_wasapi_is_role,
  .enumerate = wasapi_enumerate,
  .open = wasapi_open,
  .device_name = wasapi_device_name,
  .start = wasapi_start,
  .wait = wasapi_wait,
  .now_ns = wasapi_now_ns,
  .borrow = wasapi_borrow,
  .give_back = wasapi_give_back,
  .wake = wasapi_wake,
  .detach = wasapi_detach,
  .stop = wasapi_stop,
  .close = wasapi_close,
};
