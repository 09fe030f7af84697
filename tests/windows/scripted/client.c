/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client.h"
#include "report.h"

#include <string.h>

/* What GetBufferSize says of a process: nothing that means anything. */
#define GARBAGE_FRAMES 0xBAADF00Du

bool
sa_client_enter (SaClient *client, void *object, const char *call, bool initialized, HRESULT *hr)
{
  if (!sa_enter (object, call, hr))
    return false;
  sa_lock ();
  *hr = client->stream.lost;
  if (*hr == S_OK && initialized && !client->initialized) {
    sa_violation ("not-initialised", "IAudioClient#%u: %s", client->base.number, call);
    *hr = AUDCLNT_E_NOT_INITIALIZED;
  }
  sa_unlock ();
  return *hr == S_OK;
}

static SaClient *
self (IAudioClient3 *face)
{
  return sa_object_of (face);
}

static HRESULT STDMETHODCALLTYPE
get_buffer_size (IAudioClient3 *face, UINT32 *frames)
{
  SaClient *client = self (face);
  HRESULT hr;

  if (!sa_client_enter (client, client, "GetBufferSize", true, &hr))
    return hr;
  if (!frames)
    return E_POINTER;
  *frames = client->process ? GARBAGE_FRAMES : client->stream.capacity_frames;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_stream_latency (IAudioClient3 *face, REFERENCE_TIME *latency)
{
  SaClient *client = self (face);
  HRESULT hr;

  if (!sa_client_enter (client, client, "GetStreamLatency", true, &hr))
    return hr;
  if (!latency)
    return E_POINTER;
  if (client->process)
    return E_NOTIMPL;
  *latency = client->stream.captures ? 0 : 100000;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_current_padding (IAudioClient3 *face, UINT32 *frames)
{
  SaClient *client = self (face);
  HRESULT hr;

  if (!sa_client_enter (client, client, "GetCurrentPadding", true, &hr))
    return hr;
  if (!frames)
    return E_POINTER;
  if (client->process)
    return E_NOTIMPL;
  sa_lock ();
  sa_engine_advance (&client->stream);
  if (client->stream.captures)
    *frames = (UINT32) client->stream.queued_frames;
  else
    *frames = (UINT32) (client->stream.written - sa_engine_played (&client->stream));
  sa_unlock ();
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
is_format_supported (IAudioClient3 *face, AUDCLNT_SHAREMODE mode, const WAVEFORMATEX *wave, WAVEFORMATEX **closest)
{
  SaClient *client = self (face);
  const SaFormat *mix;
  SaFormat format;
  HRESULT hr;

  if (closest)
    *closest = NULL;
  if (!sa_client_enter (client, client, "IsFormatSupported", false, &hr))
    return hr;
  if (client->process)
    return E_NOTIMPL;
  if (!wave || (mode == AUDCLNT_SHAREMODE_SHARED && !closest))
    return E_POINTER;
  if (mode != AUDCLNT_SHAREMODE_SHARED)
    return AUDCLNT_E_UNSUPPORTED_FORMAT;
  mix = &sa_script ()->endpoints[client->endpoint].format;
  if (sa_format_from_wave (wave, &format) && sa_format_equal (&format, mix))
    return S_OK;
  *closest = sa_format_to_wave (mix);
  return *closest ? S_FALSE : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE
get_mix_format (IAudioClient3 *face, WAVEFORMATEX **wave)
{
  SaClient *client = self (face);
  HRESULT hr;

  if (!wave)
    return E_POINTER;
  *wave = NULL;
  if (!sa_client_enter (client, client, "GetMixFormat", false, &hr))
    return hr;
  if (client->process)
    return E_NOTIMPL;
  *wave = sa_format_to_wave (&sa_script ()->endpoints[client->endpoint].format);
  return *wave ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE
get_device_period (IAudioClient3 *face, REFERENCE_TIME *usual, REFERENCE_TIME *least)
{
  SaClient *client = self (face);
  HRESULT hr;

  if (!sa_client_enter (client, client, "GetDevicePeriod", false, &hr))
    return hr;
  if (client->process)
    return E_NOTIMPL;
  if (!usual && !least)
    return E_POINTER;
  if (usual)
    *usual = 100000;
  if (least)
    *least = 30000;
  return S_OK;
}

static HRESULT
start_violation (SaClient *client, const char *name, HRESULT hr)
{
  sa_violation (name, "IAudioClient#%u: Start", client->base.number);
  return hr;
}

static HRESULT STDMETHODCALLTYPE
start (IAudioClient3 *face)
{
  SaClient *client = self (face);
  SaStream *stream = &client->stream;
  HRESULT hr;

  if (!sa_client_enter (client, client, "Start", true, &hr))
    return hr;
  sa_lock ();
  if (stream->running)
    hr = start_violation (client, "start-twice", AUDCLNT_E_NOT_STOPPED);
  else if ((client->flags & AUDCLNT_STREAMFLAGS_EVENTCALLBACK) && !stream->event)
    hr = start_violation (client, "start-without-event", AUDCLNT_E_EVENTHANDLE_NOT_SET);
  else
    sa_engine_start (stream);
  sa_unlock ();
  return hr;
}

static HRESULT STDMETHODCALLTYPE
stop (IAudioClient3 *face)
{
  SaClient *client = self (face);
  HRESULT hr;

  if (!sa_client_enter (client, client, "Stop", true, &hr)) {
    client->stream.running = false;
    return hr;
  }
  sa_lock ();
  hr = client->stream.running ? S_OK : S_FALSE;
  if (hr == S_OK)
    sa_engine_stop (&client->stream);
  sa_unlock ();
  return hr;
}

static HRESULT STDMETHODCALLTYPE
reset (IAudioClient3 *face)
{
  SaClient *client = self (face);
  HRESULT hr;

  if (!sa_client_enter (client, client, "Reset", true, &hr))
    return hr;
  sa_lock ();
  if (client->stream.running) {
    sa_violation ("reset-while-running", "IAudioClient#%u: Reset", client->base.number);
    hr = AUDCLNT_E_NOT_STOPPED;
  } else if (client->stream.is_out) {
    sa_violation ("reset-with-buffer-out", "IAudioClient#%u: Reset", client->base.number);
    hr = AUDCLNT_E_BUFFER_OPERATION_PENDING;
  } else {
    if (client->process)
      sa_violation ("reset-on-process-loopback", "IAudioClient#%u: Reset", client->base.number);
    sa_engine_reset (&client->stream);
  }
  sa_unlock ();
  return hr;
}

static HRESULT STDMETHODCALLTYPE
set_event_handle (IAudioClient3 *face, HANDLE event)
{
  SaClient *client = self (face);
  DWORD flags;
  HRESULT hr;

  if (!sa_client_enter (client, client, "SetEventHandle", true, &hr))
    return hr;
  if (!event)
    return E_INVALIDARG;
  if (!(client->flags & AUDCLNT_STREAMFLAGS_EVENTCALLBACK)) {
    sa_violation ("event-not-expected", "IAudioClient#%u: SetEventHandle", client->base.number);
    return AUDCLNT_E_EVENTHANDLE_NOT_EXPECTED;
  }
  if (!GetHandleInformation (event, &flags)) {
    sa_violation ("event-invalid", "IAudioClient#%u: SetEventHandle", client->base.number);
    return HRESULT_FROM_WIN32 (ERROR_INVALID_HANDLE);
  }
  sa_lock ();
  client->stream.event = event;
  sa_unlock ();
  return S_OK;
}

/* A process has neither clock nor volumes nor session. */
static HRESULT
make_service (SaClient *client, REFIID iid, SaObject **service)
{
  bool captures = client->stream.captures;

  if (IsEqualIID (iid, &IID_IAudioCaptureClient) || IsEqualIID (iid, &IID_IAudioRenderClient)) {
    if (captures != IsEqualIID (iid, &IID_IAudioCaptureClient))
      return AUDCLNT_E_WRONG_ENDPOINT_TYPE;
    *service = captures ? sa_capture_new (client) : sa_render_new (client);
  } else if (client->process) {
    return E_NOINTERFACE;
  } else if (IsEqualIID (iid, &IID_IAudioClock)) {
    *service = sa_clock_new (client);
  } else if (IsEqualIID (iid, &IID_ISimpleAudioVolume)) {
    *service = sa_simple_volume_new (client);
  } else if (IsEqualIID (iid, &IID_IAudioStreamVolume)) {
    *service = sa_stream_volume_new (client);
  } else if (IsEqualIID (iid, &IID_IAudioSessionControl)) {
    *service = sa_session_new (client);
  } else {
    return E_NOINTERFACE;
  }
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_service (IAudioClient3 *face, REFIID iid, void **out)
{
  SaClient *client = self (face);
  SaObject *service = NULL;
  HRESULT hr;

  if (!out)
    return E_POINTER;
  *out = NULL;
  if (!sa_client_enter (client, client, "GetService", true, &hr))
    return hr;
  hr = make_service (client, iid, &service);
  if (hr != S_OK)
    return hr;
  hr = sa_object_query (service, iid, out);
  sa_object_unref (service);
  return hr;
}

static HRESULT STDMETHODCALLTYPE
is_offload_capable (IAudioClient3 *face, AUDIO_STREAM_CATEGORY category, WINBOOL *capable)
{
  SaClient *client = self (face);
  HRESULT hr;

  if (!sa_client_enter (client, client, "IsOffloadCapable", false, &hr))
    return hr;
  if (!capable)
    return E_POINTER;
  *capable = FALSE;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
set_client_properties (IAudioClient3 *face, const AudioClientProperties *properties)
{
  SaClient *client = self (face);
  HRESULT hr;

  if (!sa_client_enter (client, client, "SetClientProperties", false, &hr))
    return hr;
  if (!properties)
    return E_POINTER;
  if (client->initialized) {
    sa_violation ("properties-after-initialise", "IAudioClient#%u: SetClientProperties", client->base.number);
    return AUDCLNT_E_ALREADY_INITIALIZED;
  }
  return properties->bIsOffload ? AUDCLNT_E_ENDPOINT_OFFLOAD_NOT_CAPABLE : S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_buffer_size_limits (IAudioClient3 *face, const WAVEFORMATEX *wave, WINBOOL event_driven, REFERENCE_TIME *least,
    REFERENCE_TIME *most)
{
  HRESULT hr;

  if (!sa_client_enter (self (face), self (face), "GetBufferSizeLimits", false, &hr))
    return hr;
  return AUDCLNT_E_OFFLOAD_MODE_ONLY;
}

static HRESULT STDMETHODCALLTYPE
get_shared_mode_engine_period (IAudioClient3 *face, const WAVEFORMATEX *wave, UINT32 *usual, UINT32 *unit,
    UINT32 *least, UINT32 *most)
{
  SaClient *client = self (face);
  HRESULT hr;

  if (!sa_client_enter (client, client, "GetSharedModeEnginePeriod", false, &hr))
    return hr;
  if (!wave || !usual || !unit || !least || !most)
    return E_POINTER;
  *usual = *unit = *least = *most = wave->nSamplesPerSec / 100;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_current_engine_period (IAudioClient3 *face, WAVEFORMATEX **wave, UINT32 *frames)
{
  SaClient *client = self (face);
  HRESULT hr;

  if (!wave || !frames)
    return E_POINTER;
  *wave = NULL;
  if (!sa_client_enter (client, client, "GetCurrentSharedModeEnginePeriod", false, &hr))
    return hr;
  *wave = sa_format_to_wave (&sa_script ()->endpoints[client->endpoint].format);
  *frames = sa_script ()->endpoints[client->endpoint].format.rate / 100;
  return *wave ? S_OK : E_OUTOFMEMORY;
}

const IAudioClient3Vtbl sa_client_vtbl = {
  SA_UNKNOWN (IAudioClient3),
  .Initialize = sa_client_initialize,
  .GetBufferSize = get_buffer_size,
  .GetStreamLatency = get_stream_latency,
  .GetCurrentPadding = get_current_padding,
  .IsFormatSupported = is_format_supported,
  .GetMixFormat = get_mix_format,
  .GetDevicePeriod = get_device_period,
  .Start = start,
  .Stop = stop,
  .Reset = reset,
  .SetEventHandle = set_event_handle,
  .GetService = get_service,
  .IsOffloadCapable = is_offload_capable,
  .SetClientProperties = set_client_properties,
  .GetBufferSizeLimits = get_buffer_size_limits,
  .GetSharedModeEnginePeriod = get_shared_mode_engine_period,
  .GetCurrentSharedModeEnginePeriod = get_current_engine_period,
  .InitializeSharedAudioStream = sa_client_initialize_shared,
};

/* Services hold the client: when this runs, all of them are gone. */
static void
dispose (SaObject *object)
{
  SaClient *client = (SaClient *) object;

  sa_lock ();
  client->stream.running = false;
  sa_engine_remove (&client->stream);
  sa_unlock ();
}

/* All services of a client are to go on one thread, that of the client itself. */
static void
check_thread (SaClient *client, SaObject *object)
{
  sa_lock ();
  if (!client->releasing_thread)
    client->releasing_thread = object->released_by;
  if (client->releasing_thread != object->released_by && !client->releasing_thread_told) {
    client->releasing_thread_told = true;
    sa_violation ("service-released-elsewhere", "%s#%u of IAudioClient#%u: thread %lu before", object->klass->name,
        object->number, client->base.number, (unsigned long) client->releasing_thread);
  }
  sa_unlock ();
}

static void
let_go (SaObject *object)
{
  check_thread ((SaClient *) object, object);
}

static const SaClass client_class = {
  .name = "IAudioClient",
  .vtbls = { &sa_client_vtbl },
  .interfaces = { { &IID_IAudioClient, 0 }, { &IID_IAudioClient2, 0 }, { &IID_IAudioClient3, 0 } },
  .let_go = let_go,
  .dispose = dispose,
};

static const SaClass process_class = {
  .name = "IAudioClient",
  .vtbls = { &sa_client_vtbl },
  .interfaces = { { &IID_IAudioClient, 0 } },
  .let_go = let_go,
  .dispose = dispose,
};

static SaClient *
new_client (const SaClass *klass)
{
  SaClient *client = sa_object_new (klass, sizeof *client);

  client->volume = 1;
  for (unsigned i = 0; i < ARRAYSIZE (client->volumes); i++)
    client->volumes[i] = 1;
  client->stream.number = client->base.number;
  client->stream.label = klass->name;
  sa_lock ();
  sa_engine_add (&client->stream);
  sa_unlock ();
  return client;
}

SaClient *
sa_client_new (unsigned endpoint, bool routed)
{
  SaClient *client = new_client (&client_class);

  client->endpoint = client->stream.endpoint = endpoint;
  client->routed = client->stream.routed = routed;
  return client;
}

SaClient *
sa_process_client_new (DWORD pid, bool exclude)
{
  SaClient *client = new_client (&process_class);

  client->process = client->stream.process = true;
  client->pid = pid;
  client->exclude = exclude;
  return client;
}

SaObject *
sa_service_new (const SaClass *klass, SaClient *client)
{
  SaService *service = sa_object_new (klass, sizeof *service);

  sa_object_own (client);
  service->client = client;
  service->base.role = client->base.role;
  return &service->base;
}

void
sa_service_dispose (SaObject *object)
{
  SaService *service = (SaService *) object;

  if (service->is_out)
    sa_violation ("released-with-buffer-out", "%s#%u", object->klass->name, object->number);
  check_thread (service->client, object);
  sa_object_disown (service->client);
}
