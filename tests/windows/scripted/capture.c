/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>

/* What pu64QPCPosition says where it is not to be believed. */
#define WRONG_TIME 0x5A5A5A5Au

static SaService *
self (IAudioCaptureClient *face)
{
  return sa_object_of (face);
}

static void
fill (SaStream *stream)
{
  const SaPacket *packet = &stream->out;
  size_t size = (size_t) packet->frames * sa_format_frame_bytes (&stream->format);

  if (size > stream->bytes_size) {
    free (stream->bytes);
    stream->bytes = malloc (size);
    stream->bytes_size = size;
  }
  if (!stream->bytes)
    abort ();
  if (packet->garbage)
    sa_signal_garbage (&stream->format, stream->bytes, packet->frames);
  else
    sa_signal_fill (packet->flags & AUDCLNT_BUFFERFLAGS_SILENT ? SA_SILENCE : packet->signal, &stream->format,
        packet->tag, packet->first, stream->bytes, packet->frames);
}

static UINT64
time_of (const SaStream *stream)
{
  double jitter = sa_script ()->endpoints[stream->endpoint].timestamp_jitter_s;

  if (stream->out.flags & AUDCLNT_BUFFERFLAGS_TIMESTAMP_ERROR)
    return WRONG_TIME;
  jitter *= 2 * sa_hash_unit (stream->out.first + 1) - 1;
  return (UINT64) (sa_engine_time (stream, stream->out.first) + (int64_t) (jitter * 1e7));
}

static HRESULT
lend (SaService *service, BYTE **data, UINT32 *frames, DWORD *flags, UINT64 *position, UINT64 *time)
{
  SaStream *stream = &service->client->stream;

  stream->counts.get_buffers++;
  if (stream->is_out) {
    sa_violation ("getbuffer-twice", "IAudioCaptureClient#%u", service->base.number);
    return AUDCLNT_E_OUT_OF_ORDER;
  }
  sa_engine_advance (stream);
  if (!sa_engine_take (stream)) {
    stream->counts.empty++;
    return AUDCLNT_S_BUFFER_EMPTY;
  }
  fill (stream);
  stream->out_thread = GetCurrentThreadId ();
  service->is_out = true;
  *data = stream->bytes;
  *frames = stream->out.frames;
  *flags = stream->out.flags;
  if (position)
    *position = sa_engine_position (stream, stream->out.first);
  if (time)
    *time = time_of (stream);
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_buffer (IAudioCaptureClient *face, BYTE **data, UINT32 *frames, DWORD *flags, UINT64 *position, UINT64 *time)
{
  SaService *service = self (face);
  HRESULT hr;

  if (data)
    *data = NULL;
  if (frames)
    *frames = 0;
  if (!sa_client_enter (service->client, service, "GetBuffer", true, &hr))
    return hr;
  if (!data || !frames || !flags)
    return E_POINTER;
  *flags = 0;
  sa_lock ();
  hr = lend (service, data, frames, flags, position, time);
  sa_unlock ();
  return hr;
}

/* The bytes are the engine's again: whoever still reads them reads garbage. */
static void
take_back (SaService *service, bool again)
{
  SaStream *stream = &service->client->stream;

  stream->is_out = service->is_out = false;
  sa_signal_garbage (&stream->format, stream->bytes, stream->out.frames);
  stream->again = again;
  if (again)
    return;
  stream->counts.packets++;
  stream->counts.delivered += stream->out.frames;
  if (stream->out.flags & AUDCLNT_BUFFERFLAGS_SILENT)
    stream->counts.silent += stream->out.frames;
}

static HRESULT
release (SaService *service, UINT32 frames)
{
  SaStream *stream = &service->client->stream;

  if (!stream->is_out) {
    if (frames == 0)
      return S_OK;
    sa_violation ("release-without-getbuffer", "IAudioCaptureClient#%u: %u frames", service->base.number, frames);
    return AUDCLNT_E_OUT_OF_ORDER;
  }
  if (stream->out_thread != GetCurrentThreadId ())
    sa_violation ("buffer-on-two-threads", "IAudioCaptureClient#%u: GetBuffer was on %lu", service->base.number,
        (unsigned long) stream->out_thread);
  if (frames != 0 && frames != stream->out.frames) {
    sa_violation ("partial-release", "IAudioCaptureClient#%u: %u of %u frames", service->base.number, frames,
        stream->out.frames);
    return AUDCLNT_E_INVALID_SIZE;
  }
  take_back (service, frames == 0);
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
release_buffer (IAudioCaptureClient *face, UINT32 frames)
{
  SaService *service = self (face);
  bool good;
  HRESULT hr;

  good = sa_client_enter (service->client, service, "ReleaseBuffer", true, &hr);
  sa_lock ();
  if (good)
    hr = release (service, frames);
  else if (service->is_out)
    take_back (service, false); /* the call failed; the program can do no more */
  sa_unlock ();
  return hr;
}

static HRESULT STDMETHODCALLTYPE
get_next_packet_size (IAudioCaptureClient *face, UINT32 *frames)
{
  SaService *service = self (face);
  SaStream *stream = &service->client->stream;
  HRESULT hr;

  if (!frames)
    return E_POINTER;
  *frames = 0;
  if (!sa_client_enter (service->client, service, "GetNextPacketSize", true, &hr))
    return hr;
  sa_lock ();
  sa_engine_advance (stream);
  if (stream->again)
    *frames = stream->out.frames;
  else if (stream->queued)
    *frames = stream->queue[stream->head].frames;
  sa_unlock ();
  return S_OK;
}

static const IAudioCaptureClientVtbl vtbl = {
  SA_UNKNOWN (IAudioCaptureClient),
  .GetBuffer = get_buffer,
  .ReleaseBuffer = release_buffer,
  .GetNextPacketSize = get_next_packet_size,
};

static const SaClass klass = {
  .name = "IAudioCaptureClient",
  .vtbls = { &vtbl },
  .interfaces = { { &IID_IAudioCaptureClient, 0 } },
  .dispose = sa_service_dispose,
};

SaObject *
sa_capture_new (SaClient *client)
{
  return sa_service_new (&klass, client);
}
