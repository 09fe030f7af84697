/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client.h"
#include "report.h"

#include <stdlib.h>

static SaService *
self (IAudioRenderClient *face)
{
  return sa_object_of (face);
}

static HRESULT
lend (SaService *service, UINT32 frames, BYTE **data)
{
  SaStream *stream = &service->client->stream;
  size_t size = (size_t) stream->capacity_frames * sa_format_frame_bytes (&stream->format);

  if (service->is_out) {
    sa_violation ("getbuffer-twice", "IAudioRenderClient#%u", service->base.number);
    return AUDCLNT_E_OUT_OF_ORDER;
  }
  if (frames > stream->capacity_frames - (stream->written - sa_engine_played (stream)))
    return AUDCLNT_E_BUFFER_TOO_LARGE;
  if (frames == 0)
    return S_OK;
  if (!stream->bytes) {
    stream->bytes = calloc (1, size);
    stream->bytes_size = size;
  }
  if (!stream->bytes)
    return E_OUTOFMEMORY;
  service->is_out = true;
  service->asked = frames;
  service->out_thread = GetCurrentThreadId ();
  *data = stream->bytes;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_buffer (IAudioRenderClient *face, UINT32 frames, BYTE **data)
{
  SaService *service = self (face);
  HRESULT hr;

  if (!data)
    return E_POINTER;
  *data = NULL;
  if (!sa_client_enter (service->client, service, "GetBuffer", true, &hr))
    return hr;
  sa_lock ();
  hr = lend (service, frames, data);
  sa_unlock ();
  return hr;
}

static HRESULT
release (SaService *service, UINT32 frames)
{
  if (!service->is_out) {
    if (frames == 0)
      return S_OK;
    sa_violation ("release-without-getbuffer", "IAudioRenderClient#%u: %u frames", service->base.number, frames);
    return AUDCLNT_E_OUT_OF_ORDER;
  }
  if (service->out_thread != GetCurrentThreadId ())
    sa_violation ("buffer-on-two-threads", "IAudioRenderClient#%u: GetBuffer was on %lu", service->base.number,
        (unsigned long) service->out_thread);
  if (frames > service->asked) {
    sa_violation ("partial-release", "IAudioRenderClient#%u: %u of %u frames", service->base.number, frames,
        service->asked);
    return AUDCLNT_E_INVALID_SIZE;
  }
  service->is_out = false;
  service->client->stream.written += frames;
  service->client->stream.counts.delivered += frames;
  return S_OK;
}

/* What is rendered is not heard: the script says what plays. That something is rendered keeps the endpoint awake. */
static HRESULT STDMETHODCALLTYPE
release_buffer (IAudioRenderClient *face, UINT32 frames, DWORD flags)
{
  SaService *service = self (face);
  HRESULT hr;

  if (!sa_client_enter (service->client, service, "ReleaseBuffer", true, &hr)) {
    service->is_out = false;
    return hr;
  }
  sa_lock ();
  hr = release (service, frames);
  sa_unlock ();
  return hr;
}

static const IAudioRenderClientVtbl vtbl = {
  SA_UNKNOWN (IAudioRenderClient),
  .GetBuffer = get_buffer,
  .ReleaseBuffer = release_buffer,
};

static const SaClass klass = {
  .name = "IAudioRenderClient",
  .vtbls = { &vtbl },
  .interfaces = { { &IID_IAudioRenderClient, 0 } },
  .dispose = sa_service_dispose,
};

SaObject *
sa_render_new (SaClient *client)
{
  return sa_service_new (&klass, client);
}
