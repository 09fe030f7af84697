/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* volume.c: the volumes of a stream, and the part of its session that has no events. They are kept and told, and
 * change nothing that is captured. */
#include "client.h"

static bool
enter (void *face, const char *call, SaClient **client, HRESULT *hr)
{
  SaService *service = sa_object_of (face);

  *client = service->client;
  return sa_client_enter (service->client, service, call, true, hr);
}

static HRESULT STDMETHODCALLTYPE
set_master (ISimpleAudioVolume *face, float level, LPCGUID context)
{
  SaClient *client;
  HRESULT hr;

  if (!enter (face, "SetMasterVolume", &client, &hr))
    return hr;
  if (!(level >= 0 && level <= 1))
    return E_INVALIDARG;
  client->volume = level;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_master (ISimpleAudioVolume *face, float *level)
{
  SaClient *client;
  HRESULT hr;

  if (!enter (face, "GetMasterVolume", &client, &hr))
    return hr;
  if (!level)
    return E_POINTER;
  *level = client->volume;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
set_mute (ISimpleAudioVolume *face, const WINBOOL mute, LPCGUID context)
{
  SaClient *client;
  HRESULT hr;

  if (!enter (face, "SetMute", &client, &hr))
    return hr;
  client->muted = mute;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_mute (ISimpleAudioVolume *face, WINBOOL *mute)
{
  SaClient *client;
  HRESULT hr;

  if (!enter (face, "GetMute", &client, &hr))
    return hr;
  if (!mute)
    return E_POINTER;
  *mute = client->muted;
  return S_OK;
}

static const ISimpleAudioVolumeVtbl simple_vtbl = {
  SA_UNKNOWN (ISimpleAudioVolume),
  .SetMasterVolume = set_master,
  .GetMasterVolume = get_master,
  .SetMute = set_mute,
  .GetMute = get_mute,
};

static HRESULT STDMETHODCALLTYPE
get_channel_count (IAudioStreamVolume *face, UINT32 *count)
{
  SaClient *client;
  HRESULT hr;

  if (!enter (face, "GetChannelCount", &client, &hr))
    return hr;
  if (!count)
    return E_POINTER;
  *count = client->stream.format.channels;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
set_channel (IAudioStreamVolume *face, UINT32 channel, const float level)
{
  SaClient *client;
  HRESULT hr;

  if (!enter (face, "SetChannelVolume", &client, &hr))
    return hr;
  if (channel >= client->stream.format.channels || !(level >= 0 && level <= 1))
    return E_INVALIDARG;
  client->volumes[channel] = level;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_channel (IAudioStreamVolume *face, UINT32 channel, float *level)
{
  SaClient *client;
  HRESULT hr;

  if (!enter (face, "GetChannelVolume", &client, &hr))
    return hr;
  if (!level)
    return E_POINTER;
  if (channel >= client->stream.format.channels)
    return E_INVALIDARG;
  *level = client->volumes[channel];
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
set_all (IAudioStreamVolume *face, UINT32 count, const float *levels)
{
  SaClient *client;
  HRESULT hr;

  if (!enter (face, "SetAllVolumes", &client, &hr))
    return hr;
  if (!levels)
    return E_POINTER;
  if (count != client->stream.format.channels)
    return E_INVALIDARG;
  for (UINT32 i = 0; i < count; i++)
    client->volumes[i] = levels[i];
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_all (IAudioStreamVolume *face, UINT32 count, float *levels)
{
  SaClient *client;
  HRESULT hr;

  if (!enter (face, "GetAllVolumes", &client, &hr))
    return hr;
  if (!levels)
    return E_POINTER;
  if (count != client->stream.format.channels)
    return E_INVALIDARG;
  for (UINT32 i = 0; i < count; i++)
    levels[i] = client->volumes[i];
  return S_OK;
}

static const IAudioStreamVolumeVtbl stream_vtbl = {
  SA_UNKNOWN (IAudioStreamVolume),
  .GetChannelCount = get_channel_count,
  .SetChannelVolume = set_channel,
  .GetChannelVolume = get_channel,
  .SetAllVolumes = set_all,
  .GetAllVolumes = get_all,
};

static HRESULT STDMETHODCALLTYPE
get_state (IAudioSessionControl *face, AudioSessionState *state)
{
  SaClient *client;
  HRESULT hr;

  if (!enter (face, "GetState", &client, &hr))
    return hr;
  if (!state)
    return E_POINTER;
  *state = client->stream.running ? AudioSessionStateActive : AudioSessionStateInactive;
  return S_OK;
}

static HRESULT
no_text (void *face, const char *call, WCHAR **text)
{
  SaClient *client;
  HRESULT hr;

  if (!enter (face, call, &client, &hr))
    return hr;
  if (!text)
    return E_POINTER;
  *text = CoTaskMemAlloc (sizeof **text);
  if (!*text)
    return E_OUTOFMEMORY;
  **text = 0;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_display_name (IAudioSessionControl *face, LPWSTR *name)
{
  return no_text (face, "GetDisplayName", name);
}

static HRESULT STDMETHODCALLTYPE
get_icon_path (IAudioSessionControl *face, LPWSTR *path)
{
  return no_text (face, "GetIconPath", path);
}

static HRESULT STDMETHODCALLTYPE
set_text (IAudioSessionControl *face, LPCWSTR text, LPCGUID context)
{
  return text ? S_OK : E_POINTER;
}

static HRESULT STDMETHODCALLTYPE
get_grouping (IAudioSessionControl *face, GUID *grouping)
{
  if (!grouping)
    return E_POINTER;
  *grouping = GUID_NULL;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
set_grouping (IAudioSessionControl *face, LPCGUID grouping, LPCGUID context)
{
  return grouping ? S_OK : E_POINTER;
}

/* Sessions here have no events to tell of. */
static HRESULT STDMETHODCALLTYPE
take_events (IAudioSessionControl *face, IAudioSessionEvents *events)
{
  return events ? S_OK : E_POINTER;
}

static const IAudioSessionControlVtbl session_vtbl = {
  SA_UNKNOWN (IAudioSessionControl),
  .GetState = get_state,
  .GetDisplayName = get_display_name,
  .SetDisplayName = set_text,
  .GetIconPath = get_icon_path,
  .SetIconPath = set_text,
  .GetGroupingParam = get_grouping,
  .SetGroupingParam = set_grouping,
  .RegisterAudioSessionNotification = take_events,
  .UnregisterAudioSessionNotification = take_events,
};

static const SaClass simple_class = {
  .name = "ISimpleAudioVolume",
  .vtbls = { &simple_vtbl },
  .interfaces = { { &IID_ISimpleAudioVolume, 0 } },
  .dispose = sa_service_dispose,
};

static const SaClass stream_class = {
  .name = "IAudioStreamVolume",
  .vtbls = { &stream_vtbl },
  .interfaces = { { &IID_IAudioStreamVolume, 0 } },
  .dispose = sa_service_dispose,
};

static const SaClass session_class = {
  .name = "IAudioSessionControl",
  .vtbls = { &session_vtbl },
  .interfaces = { { &IID_IAudioSessionControl, 0 } },
  .dispose = sa_service_dispose,
};

SaObject *
sa_simple_volume_new (SaClient *client)
{
  return sa_service_new (&simple_class, client);
}

SaObject *
sa_stream_volume_new (SaClient *client)
{
  return sa_service_new (&stream_class, client);
}

SaObject *
sa_session_new (SaClient *client)
{
  return sa_service_new (&session_class, client);
}
