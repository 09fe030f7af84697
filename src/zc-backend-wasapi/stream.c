/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream.h"

#include "errors.h"
#include "format.h"
#include "process.h"

/* Enough silence that feeding it costs nothing, filled up when half of it may be gone. */
#define FEED_HNS      (2 * ZC_HNS_PER_SECOND)
#define FEED_EVERY_MS 1000

/* Windows' own period where it does not tell (process loopback). */
#define USUAL_PERIOD_HNS (ZC_HNS_PER_SECOND / 100)

/* Stream flags: the engine's own converter. Not in every version of the headers. */
#define CONVERT (0x80000000 /* AUTOCONVERTPCM */ | 0x08000000 /* SRC_DEFAULT_QUALITY */)

static void
target_clear (gpointer data)
{
  ZcWasapiTarget *target = data;

  g_free (target->name);
  g_free (target->title);
  g_clear_pointer (&target->endpoint, zc_endpoint_free);
  if (target->process_end != NULL)
    CloseHandle (target->process_end);
}

ZcWasapiTarget *
zc_wasapi_target_new (void)
{
  return g_atomic_rc_box_new0 (ZcWasapiTarget);
}

ZcWasapiTarget *
zc_wasapi_target_ref (ZcWasapiTarget *target)
{
  return g_atomic_rc_box_acquire (target);
}

void
zc_wasapi_target_unref (ZcWasapiTarget *target)
{
  g_atomic_rc_box_release_full (target, target_clear);
}

static IAudioClient *
activate (IMMDevice *device, const gchar *name, GError **error)
{
  IAudioClient *client = NULL;
  HRESULT result = IMMDevice_Activate (device, &IID_IAudioClient, CLSCTX_ALL, NULL, (void **) &client);

  if (FAILED (result))
    zc_wasapi_set_error (error, result, name, "Activate(IAudioClient)");
  return client;
}

static IAudioClient *
fresh_client (const ZcWasapiTarget *target, IMMDevice *device, GError **error)
{
  return device != NULL ? activate (device, target->title, error)
                        : zc_wasapi_process_client (target->process_id, target->process_mode, error);
}

static UINT32
frames_to_hns (guint frames, guint rate)
{
  return (UINT32) MIN ((guint64) frames * ZC_HNS_PER_SECOND / rate, G_MAXINT32);
}

static UINT32
hns_to_frames (gint64 hns, guint rate)
{
  return (UINT32) MIN ((guint64) hns * rate / ZC_HNS_PER_SECOND, G_MAXINT32);
}

/* -- initialization ---------------------------------------------------------------------------------------------- */

static gboolean
is_about_format (HRESULT result)
{
  return result == AUDCLNT_E_UNSUPPORTED_FORMAT || result == E_INVALIDARG;
}

/* A client on which Initialize failed is of no use any more (Microsoft, IAudioClient::Initialize): each attempt has its
 * own. */
static HRESULT
attempt (ZcWasapiStream *stream, const ZcWasapiTarget *target, IMMDevice *device, const ZcStreamSpec *spec,
    const WAVEFORMATEX *format, DWORD flags, GError **error)
{
  HRESULT result;

  zc_com_clear (&stream->client);
  stream->client = fresh_client (target, device, error);
  if (stream->client == NULL)
    return E_FAIL;
  result = IAudioClient_Initialize (stream->client, AUDCLNT_SHAREMODE_SHARED,
      AUDCLNT_STREAMFLAGS_LOOPBACK | AUDCLNT_STREAMFLAGS_EVENTCALLBACK | AUDCLNT_STREAMFLAGS_NOPERSIST | flags,
      frames_to_hns (spec->buffer_frames, spec->format.rate), 0, format, NULL);
  if (FAILED (result))
    zc_wasapi_set_error (error, result, target->title, "IAudioClient::Initialize");
  return result;
}

/* The engine's own format as it wrote it itself; another one through its converter, and if it has none, as it is. */
static gboolean
initialize (ZcWasapiStream *stream, const ZcWasapiTarget *target, IMMDevice *device, const ZcStreamSpec *spec,
    GError **error)
{
  gboolean native = zc_format_equal (&spec->format, &target->format);
  g_autoptr (GError) refusal = NULL;
  WAVEFORMATEXTENSIBLE extensible;
  const WAVEFORMATEX *format = &extensible.Format;
  HRESULT result;

  if (!zc_wasapi_from_format (&spec->format, &extensible) && !native) {
    g_autofree gchar *wanted = zc_format_describe (&spec->format);
    g_set_error (error, ZC_ERROR, ZC_ERROR_FORMAT, "%s: Windows cannot give %s. Put audioconvert ! audioresample after "
        "zcloopbacksrc.", target->title, wanted);
    return FALSE;
  }
  if (native && target->endpoint != NULL)
    format = target->endpoint->format;
  result = attempt (stream, target, device, spec, format, native ? 0 : CONVERT, &refusal);
  if (is_about_format (result)) {
    g_clear_error (&refusal);
    result = attempt (stream, target, device, spec, format, native ? CONVERT : 0, &refusal);
  }
  if (FAILED (result))
    g_propagate_error (error, g_steal_pointer (&refusal));
  return SUCCEEDED (result);
}

/* What was granted. Process loopback says nothing of it, or nonsense. */
static void
read_info (ZcWasapiStream *stream, const ZcWasapiTarget *target, const ZcStreamSpec *spec)
{
  REFERENCE_TIME period = 0;
  UINT32 size = 0;

  if (target->endpoint == NULL || FAILED (IAudioClient_GetDevicePeriod (stream->client, &period, NULL)) || period <= 0)
    period = USUAL_PERIOD_HNS;
  stream->info.delay_frames = MAX (hns_to_frames (period, spec->format.rate), 1);
  if (target->endpoint == NULL || FAILED (IAudioClient_GetBufferSize (stream->client, &size)) || size == 0)
    size = spec->buffer_frames;
  stream->info.buffer_frames = MAX (size, stream->info.delay_frames);
  stream->info.max_borrowed = 1;
  /* While one is out, nothing tells of the next: GetCurrentPadding is of one packet. */
  stream->info.lends_while_waiting = FALSE;
}

/* -- the feeder -------------------------------------------------------------------------------------------------- */

static void
feed (gpointer data_of_tick)
{
  ZcWasapiStream *stream = data_of_tick;
  UINT32 queued = 0;
  BYTE *data;

  if (FAILED (IAudioClient_GetCurrentPadding (stream->feeder, &queued)) || queued >= stream->feed_frames)
    return;
  if (SUCCEEDED (IAudioRenderClient_GetBuffer (stream->feed, stream->feed_frames - queued, &data)))
    IAudioRenderClient_ReleaseBuffer (stream->feed, stream->feed_frames - queued, AUDCLNT_BUFFERFLAGS_SILENT);
}

static void
end_feeder (ZcWasapiStream *stream)
{
  zc_com_thread_set_tick (stream->thread, NULL, NULL, 0);
  zc_com_clear (&stream->feed);
  zc_com_clear (&stream->feeder);
}

/* Without one the stream works all the same, but for what an idle device does. */
static void
begin_feeder (ZcWasapiStream *stream, const ZcWasapiTarget *target, IMMDevice *device)
{
  g_autoptr (GError) error = NULL;
  HRESULT result;

  stream->feeder = activate (device, target->title, &error);
  if (stream->feeder == NULL) {
    g_info ("no silence to keep the device running: %s", error->message);
    return;
  }
  result = IAudioClient_Initialize (stream->feeder, AUDCLNT_SHAREMODE_SHARED, AUDCLNT_STREAMFLAGS_NOPERSIST, FEED_HNS,
      0, target->endpoint->format, NULL);
  if (SUCCEEDED (result))
    result = IAudioClient_GetBufferSize (stream->feeder, &stream->feed_frames);
  if (SUCCEEDED (result))
    result = IAudioClient_GetService (stream->feeder, &IID_IAudioRenderClient, (void **) &stream->feed);
  if (SUCCEEDED (result)) {
    feed (stream);
    result = IAudioClient_Start (stream->feeder);
  }
  if (SUCCEEDED (result)) {
    zc_com_thread_set_tick (stream->thread, feed, stream, FEED_EVERY_MS);
    return;
  }
  zc_wasapi_set_error (&error, result, target->title, "rendering silence");
  g_info ("no silence to keep the device running: %s", error->message);
  end_feeder (stream);
}

/* -- all of it --------------------------------------------------------------------------------------------------- */

/* The event before the start, as Windows wants it. */
static gboolean
run (ZcWasapiStream *stream, const ZcWasapiTarget *target, GError **error)
{
  const gchar *call = "IAudioClient::SetEventHandle";
  HRESULT result = IAudioClient_SetEventHandle (stream->client, stream->event);

  if (SUCCEEDED (result)) {
    call = "IAudioClient::GetService(IAudioCaptureClient)";
    result = IAudioClient_GetService (stream->client, &IID_IAudioCaptureClient, (void **) &stream->capture);
  }
  if (SUCCEEDED (result)) {
    call = "IAudioClient::Start";
    result = IAudioClient_Start (stream->client);
  }
  if (FAILED (result))
    zc_wasapi_set_error (error, result, target->title, call);
  return SUCCEEDED (result);
}

/* device: NULL for processes. */
static gboolean
begin (ZcWasapiStream *stream, const ZcWasapiTarget *target, IMMDevice *device, const ZcStreamSpec *spec,
    GError **error)
{
  if (!initialize (stream, target, device, spec, error))
    return FALSE;
  read_info (stream, target, spec);
  if (device != NULL && spec->keep_running)
    begin_feeder (stream, target, device);
  return run (stream, target, error);
}

static gboolean
begin_on_endpoint (ZcWasapiStream *stream, const ZcWasapiTarget *target, const ZcStreamSpec *spec, GError **error)
{
  IMMDeviceEnumerator *enumerator = zc_wasapi_enumerator (error);
  IMMDevice *device = enumerator != NULL ? zc_wasapi_device (enumerator, target->endpoint, error) : NULL;
  gboolean begun = device != NULL && begin (stream, target, device, spec, error);

  if (begun)
    stream->notifications = zc_notifications_new (enumerator, target->endpoint->id, target->endpoint->role,
        stream->event);
  zc_com_clear (&device);
  zc_com_clear (&enumerator);
  return begun;
}

ZcWasapiStream *
zc_wasapi_stream_new (ZcComThread *thread, const ZcWasapiTarget *target, const ZcStreamSpec *spec, GError **error)
{
  ZcWasapiStream *stream = g_new0 (ZcWasapiStream, 1);
  gboolean begun;

  stream->thread = thread;
  stream->event = zc_com_event (FALSE);
  begun = target->endpoint != NULL ? begin_on_endpoint (stream, target, spec, error)
                                   : begin (stream, target, NULL, spec, error);
  if (!begun)
    g_clear_pointer (&stream, zc_wasapi_stream_free);
  return stream;
}

/* The services before their client, in one thread (Microsoft, IAudioClient::GetService); the event after it. */
void
zc_wasapi_stream_free (ZcWasapiStream *stream)
{
  g_clear_pointer (&stream->notifications, zc_notifications_free);
  if (stream->capture != NULL)
    IAudioClient_Stop (stream->client);
  if (stream->feed != NULL)
    IAudioClient_Stop (stream->feeder);
  zc_com_clear (&stream->capture);
  zc_com_clear (&stream->client);
  end_feeder (stream);
  CloseHandle (stream->event);
  g_free (stream);
}
