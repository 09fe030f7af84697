/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clock.c: IAudioClock and IAudioClock2: frames, of what was captured or played. */
#include "client.h"

static UINT64
position_now (SaStream *stream)
{
  if (!stream->captures)
    return sa_engine_played (stream);
  sa_engine_advance (stream);
  return sa_engine_position (stream, stream->cursor);
}

static HRESULT
read_position (SaService *service, const char *call, UINT64 *position, UINT64 *time)
{
  HRESULT hr;

  if (!sa_client_enter (service->client, service, call, true, &hr))
    return hr;
  if (!position)
    return E_POINTER;
  sa_lock ();
  *position = position_now (&service->client->stream);
  if (time)
    *time = (UINT64) sa_now ();
  sa_unlock ();
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_frequency (IAudioClock *face, UINT64 *frequency)
{
  SaService *service = sa_object_of (face);
  HRESULT hr;

  if (!sa_client_enter (service->client, service, "GetFrequency", true, &hr))
    return hr;
  if (!frequency)
    return E_POINTER;
  *frequency = service->client->stream.format.rate;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_position (IAudioClock *face, UINT64 *position, UINT64 *time)
{
  return read_position (sa_object_of (face), "GetPosition", position, time);
}

static HRESULT STDMETHODCALLTYPE
get_characteristics (IAudioClock *face, DWORD *characteristics)
{
  SaService *service = sa_object_of (face);
  HRESULT hr;

  if (!sa_client_enter (service->client, service, "GetCharacteristics", true, &hr))
    return hr;
  if (!characteristics)
    return E_POINTER;
  *characteristics = AUDIOCLOCK_CHARACTERISTIC_FIXED_FREQ;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_device_position (IAudioClock2 *face, UINT64 *position, UINT64 *time)
{
  return read_position (sa_object_of (face), "GetDevicePosition", position, time);
}

static const IAudioClockVtbl vtbl = {
  SA_UNKNOWN (IAudioClock),
  .GetFrequency = get_frequency,
  .GetPosition = get_position,
  .GetCharacteristics = get_characteristics,
};

static const IAudioClock2Vtbl vtbl2 = {
  SA_UNKNOWN (IAudioClock2),
  .GetDevicePosition = get_device_position,
};

static const SaClass klass = {
  .name = "IAudioClock",
  .vtbls = { &vtbl, &vtbl2 },
  .interfaces = { { &IID_IAudioClock, 0 }, { &IID_IAudioClock2, 1 } },
  .dispose = sa_service_dispose,
};

SaObject *
sa_clock_new (SaClient *client)
{
  return sa_service_new (&klass, client);
}
