/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* endpoint-volume.c: IAudioEndpointVolume. Kept and told; what is captured is before it. */
#include "device.h"

#include <endpointvolume.h>
#include <math.h>

#define MAX_CALLBACKS 8
#define LEAST_DB -96.0f

typedef struct {
  SaObject base;
  unsigned endpoint;
  IAudioEndpointVolumeCallback *callbacks[MAX_CALLBACKS]; /* under sa_lock() */
} Volume;

typedef struct {
  IAudioEndpointVolumeCallback *callback;
  AUDIO_VOLUME_NOTIFICATION_DATA data;
} Call;

static SaEndpoint *
endpoint_of (const Volume *volume)
{
  return &sa_script ()->endpoints[volume->endpoint];
}

static DWORD WINAPI
call_back (LPVOID data)
{
  Call *call = data;

  CoInitializeEx (NULL, COINIT_MULTITHREADED);
  IAudioEndpointVolumeCallback_OnNotify (call->callback, &call->data);
  IAudioEndpointVolumeCallback_Release (call->callback);
  CoTaskMemFree (call);
  CoUninitialize ();
  return 0;
}

/* On a thread that is not the caller's. */
static void
tell (Volume *volume, LPCGUID context)
{
  const SaEndpoint *endpoint = endpoint_of (volume);

  sa_lock ();
  for (unsigned i = 0; i < MAX_CALLBACKS; i++) {
    Call *call = volume->callbacks[i] ? CoTaskMemAlloc (sizeof *call) : NULL;

    if (!call)
      continue;
    IAudioEndpointVolumeCallback_AddRef (volume->callbacks[i]);
    *call = (Call) { volume->callbacks[i], { .guidEventContext = context ? *context : GUID_NULL,
      .bMuted = endpoint->muted, .fMasterVolume = endpoint->volume, .nChannels = 1,
      .afChannelVolumes = { endpoint->volume } } };
    QueueUserWorkItem (call_back, call, WT_EXECUTEDEFAULT);
  }
  sa_unlock ();
}

static bool
replace (Volume *volume, IAudioEndpointVolumeCallback *before, IAudioEndpointVolumeCallback *after)
{
  unsigned i = 0;

  sa_lock ();
  while (i < MAX_CALLBACKS && volume->callbacks[i] != before)
    i++;
  if (i < MAX_CALLBACKS)
    volume->callbacks[i] = after;
  sa_unlock ();
  return i < MAX_CALLBACKS;
}

static HRESULT STDMETHODCALLTYPE
register_notify (IAudioEndpointVolume *face, IAudioEndpointVolumeCallback *callback)
{
  HRESULT hr;

  if (!callback)
    return E_POINTER;
  if (!sa_enter (sa_object_of (face), "RegisterControlChangeNotify", &hr))
    return hr;
  if (!replace (sa_object_of (face), NULL, callback))
    return E_OUTOFMEMORY;
  IAudioEndpointVolumeCallback_AddRef (callback);
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
unregister_notify (IAudioEndpointVolume *face, IAudioEndpointVolumeCallback *callback)
{
  HRESULT hr;

  if (!callback)
    return E_POINTER;
  if (!sa_enter (sa_object_of (face), "UnregisterControlChangeNotify", &hr))
    return hr;
  if (!replace (sa_object_of (face), callback, NULL))
    return E_INVALIDARG;
  IAudioEndpointVolumeCallback_Release (callback);
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_channel_count (IAudioEndpointVolume *face, UINT *count)
{
  Volume *volume = sa_object_of (face);
  HRESULT hr;

  if (!sa_enter (volume, "GetChannelCount", &hr))
    return hr;
  if (!count)
    return E_POINTER;
  *count = endpoint_of (volume)->format.channels;
  return S_OK;
}

static HRESULT
set (IAudioEndpointVolume *face, const char *call, float level, LPCGUID context)
{
  Volume *volume = sa_object_of (face);
  HRESULT hr;

  if (!sa_enter (volume, call, &hr))
    return hr;
  if (!(level >= 0 && level <= 1))
    return E_INVALIDARG;
  endpoint_of (volume)->volume = level;
  tell (volume, context);
  return S_OK;
}

static HRESULT
get (IAudioEndpointVolume *face, const char *call, float *level)
{
  Volume *volume = sa_object_of (face);
  HRESULT hr;

  if (!sa_enter (volume, call, &hr))
    return hr;
  if (!level)
    return E_POINTER;
  *level = endpoint_of (volume)->volume;
  return S_OK;
}

static float
to_db (float level)
{
  float db = level > 0 ? 20 * log10f (level) : LEAST_DB;

  return db < LEAST_DB ? LEAST_DB : db;
}

static HRESULT STDMETHODCALLTYPE
set_master_db (IAudioEndpointVolume *face, float db, LPCGUID context)
{
  return set (face, "SetMasterVolumeLevel", powf (10, db / 20), context);
}

static HRESULT STDMETHODCALLTYPE
set_master (IAudioEndpointVolume *face, float level, LPCGUID context)
{
  return set (face, "SetMasterVolumeLevelScalar", level, context);
}

static HRESULT STDMETHODCALLTYPE
get_master_db (IAudioEndpointVolume *face, float *db)
{
  HRESULT hr = get (face, "GetMasterVolumeLevel", db);

  if (hr == S_OK)
    *db = to_db (*db);
  return hr;
}

static HRESULT STDMETHODCALLTYPE
get_master (IAudioEndpointVolume *face, float *level)
{
  return get (face, "GetMasterVolumeLevelScalar", level);
}

/* All channels have the one volume. */
static HRESULT STDMETHODCALLTYPE
set_channel_db (IAudioEndpointVolume *face, UINT channel, float db, LPCGUID context)
{
  return set (face, "SetChannelVolumeLevel", powf (10, db / 20), context);
}

static HRESULT STDMETHODCALLTYPE
set_channel (IAudioEndpointVolume *face, UINT channel, float level, LPCGUID context)
{
  return set (face, "SetChannelVolumeLevelScalar", level, context);
}

static HRESULT STDMETHODCALLTYPE
get_channel_db (IAudioEndpointVolume *face, UINT channel, float *db)
{
  return get_master_db (face, db);
}

static HRESULT STDMETHODCALLTYPE
get_channel (IAudioEndpointVolume *face, UINT channel, float *level)
{
  return get_master (face, level);
}

static HRESULT STDMETHODCALLTYPE
set_mute (IAudioEndpointVolume *face, WINBOOL mute, LPCGUID context)
{
  Volume *volume = sa_object_of (face);
  HRESULT hr;

  if (!sa_enter (volume, "SetMute", &hr))
    return hr;
  if (!endpoint_of (volume)->muted == !mute)
    return S_FALSE;
  endpoint_of (volume)->muted = mute;
  tell (volume, context);
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_mute (IAudioEndpointVolume *face, WINBOOL *mute)
{
  Volume *volume = sa_object_of (face);
  HRESULT hr;

  if (!sa_enter (volume, "GetMute", &hr))
    return hr;
  if (!mute)
    return E_POINTER;
  *mute = endpoint_of (volume)->muted;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_step_info (IAudioEndpointVolume *face, UINT *step, UINT *count)
{
  Volume *volume = sa_object_of (face);
  HRESULT hr;

  if (!sa_enter (volume, "GetVolumeStepInfo", &hr))
    return hr;
  if (step)
    *step = (UINT) (endpoint_of (volume)->volume * 50);
  if (count)
    *count = 51;
  return S_OK;
}

static HRESULT
step (IAudioEndpointVolume *face, const char *call, float by, LPCGUID context)
{
  Volume *volume = sa_object_of (face);
  float level = endpoint_of (volume)->volume + by;

  return set (face, call, level < 0 ? 0 : level > 1 ? 1 : level, context);
}

static HRESULT STDMETHODCALLTYPE
step_up (IAudioEndpointVolume *face, LPCGUID context)
{
  return step (face, "VolumeStepUp", 0.02f, context);
}

static HRESULT STDMETHODCALLTYPE
step_down (IAudioEndpointVolume *face, LPCGUID context)
{
  return step (face, "VolumeStepDown", -0.02f, context);
}

static HRESULT STDMETHODCALLTYPE
query_hardware_support (IAudioEndpointVolume *face, DWORD *mask)
{
  HRESULT hr;

  if (!sa_enter (sa_object_of (face), "QueryHardwareSupport", &hr))
    return hr;
  if (!mask)
    return E_POINTER;
  *mask = 0;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_range (IAudioEndpointVolume *face, float *least, float *most, float *increment)
{
  HRESULT hr;

  if (!sa_enter (sa_object_of (face), "GetVolumeRange", &hr))
    return hr;
  if (!least || !most || !increment)
    return E_POINTER;
  *least = LEAST_DB;
  *most = 0;
  *increment = 0.5f;
  return S_OK;
}

static const IAudioEndpointVolumeVtbl vtbl = {
  SA_UNKNOWN (IAudioEndpointVolume),
  .RegisterControlChangeNotify = register_notify,
  .UnregisterControlChangeNotify = unregister_notify,
  .GetChannelCount = get_channel_count,
  .SetMasterVolumeLevel = set_master_db,
  .SetMasterVolumeLevelScalar = set_master,
  .GetMasterVolumeLevel = get_master_db,
  .GetMasterVolumeLevelScalar = get_master,
  .SetChannelVolumeLevel = set_channel_db,
  .SetChannelVolumeLevelScalar = set_channel,
  .GetChannelVolumeLevel = get_channel_db,
  .GetChannelVolumeLevelScalar = get_channel,
  .SetMute = set_mute,
  .GetMute = get_mute,
  .GetVolumeStepInfo = get_step_info,
  .VolumeStepUp = step_up,
  .VolumeStepDown = step_down,
  .QueryHardwareSupport = query_hardware_support,
  .GetVolumeRange = get_range,
};

static const SaClass klass = {
  .name = "IAudioEndpointVolume",
  .vtbls = { &vtbl },
  .interfaces = { { &IID_IAudioEndpointVolume, 0 } },
};

SaObject *
sa_endpoint_volume_new (unsigned endpoint)
{
  Volume *volume = sa_object_new (&klass, sizeof *volume);

  volume->endpoint = endpoint;
  return &volume->base;
}
