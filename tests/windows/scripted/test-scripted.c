/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-scripted.c: the scripted WASAPI does what its README says. */
#include "testclient.h"
#include "activation.h"

#include <string.h>

#define WAIT_MS 5000 /* generous: the machine may be busy */

static gint64
sample (const Client *client, const BYTE *data)
{
  gint64 value = 0;
  float real;
  guint bytes = client->format->wBitsPerSample / 8u;

  if (((WAVEFORMATEXTENSIBLE *) client->format)->SubFormat.Data1 == WAVE_FORMAT_IEEE_FLOAT) {
    memcpy (&real, data, sizeof real);
    return (gint64) (real * (1 << 23));
  }
  for (guint i = 0; i < bytes; i++)
    value |= (gint64) data[i] << (8 * i);
  return (gint64) ((guint64) value << (64 - 8 * bytes)) >> (64 - 8 * bytes);
}

/* 24 bits stand on top of 32. */
static gint64
expected (const Client *client, guint64 frame, guint channel)
{
  const WAVEFORMATEXTENSIBLE *format = (WAVEFORMATEXTENSIBLE *) client->format;
  gboolean is_float = format->SubFormat.Data1 == WAVE_FORMAT_IEEE_FLOAT;
  guint bits = is_float ? 24 : format->Samples.wValidBitsPerSample;
  guint container = is_float ? 24 : format->Format.wBitsPerSample;

  return client_count (frame, 0, channel, bits) * (1 << (container - bits));
}

static void
assert_counts (const Client *client, const Packet *packet, guint64 first)
{
  const BYTE *data = packet->data;

  for (guint64 frame = first; frame < first + packet->frames; frame++) {
    for (guint channel = 0; channel < client->format->nChannels; channel++) {
      g_assert_cmpint (sample (client, data), ==, expected (client, frame, channel));
      data += client->format->wBitsPerSample / 8;
    }
  }
}

/* Twenty packets, each one looked at. */
static void
counts (void)
{
  Client client;
  Packet packet;
  guint64 frame = 0, began = 0;

  client_open (&client);
  client_initialize (&client, CLIENT_SECOND);
  client_start (&client);
  for (guint i = 0; i < 20; i++) {
    guint64 time = frame * CLIENT_SECOND / client.format->nSamplesPerSec;

    g_assert_true (client_wait (&client, &packet, WAIT_MS));
    began = i == 0 ? packet.time : began;
    assert_counts (&client, &packet, frame);
    g_assert_cmpuint (packet.position, ==, frame);
    g_assert_cmphex (packet.flags, ==, i == 0 ? AUDCLNT_BUFFERFLAGS_DATA_DISCONTINUITY : 0);
    g_assert_cmpint (ABS ((gint64) (packet.time - began - time)), <=, 1);
    client_assert_ok (IAudioCaptureClient_ReleaseBuffer (client.capture, packet.frames));
    frame += packet.frames;
  }
  client_close (&client);
}

static void
sizes_take_turns (void)
{
  static const guint sizes[] = { 480, 7, 1000 };
  Client client;
  Packet packet;

  client_open (&client);
  client_initialize (&client, CLIENT_SECOND);
  client_start (&client);
  for (guint i = 0; i < 9; i++) {
    g_assert_true (client_next (&client, &packet, WAIT_MS));
    g_assert_cmpuint (packet.frames, ==, sizes[i % 3]);
  }
  client_close (&client);
}

/* Frames that are not taken are presented again; those that are go to waste at once. */
static void
zero_frames_present_again (void)
{
  Client client;
  Packet packet, again;

  client_open (&client);
  client_initialize (&client, CLIENT_SECOND);
  client_start (&client);
  g_assert_true (client_wait (&client, &packet, WAIT_MS));
  client_assert_ok (IAudioCaptureClient_ReleaseBuffer (client.capture, 0));
  g_assert_true (client_wait (&client, &again, WAIT_MS));
  g_assert_cmpuint (again.position, ==, packet.position);
  assert_counts (&client, &again, 0);
  client_assert_ok (IAudioCaptureClient_ReleaseBuffer (client.capture, again.frames));
  g_assert_cmpint (sample (&client, again.data), !=, expected (&client, 0, 0));
  client_close (&client);
}

/* 1056 frames fit: of what came in a tenth of a second, the last two packets. */
static void
full_buffer_loses_the_oldest (void)
{
  Client client;
  Packet packet;
  UINT32 frames;
  guint64 next;

  client_open (&client);
  client_initialize (&client, 0);
  client_assert_ok (IAudioClient_GetBufferSize (client.client, &frames));
  g_assert_cmpuint (frames, ==, 1056);
  client_start (&client);
  g_usleep (G_USEC_PER_SEC / 10);
  g_assert_true (client_wait (&client, &packet, WAIT_MS));
  g_assert_cmpuint (packet.position, >=, 9 * 480 - 960);
  g_assert_cmphex (packet.flags, ==, AUDCLNT_BUFFERFLAGS_DATA_DISCONTINUITY);
  assert_counts (&client, &packet, packet.position);
  next = packet.position + packet.frames;
  client_assert_ok (IAudioCaptureClient_ReleaseBuffer (client.capture, packet.frames));
  g_assert_true (client_next (&client, &packet, WAIT_MS));
  g_assert_cmpuint (packet.position, ==, next);
  g_assert_cmphex (packet.flags, ==, 0);
  client_close (&client);
}

/* Packets until the one at `position`. */
static void
skip_to (Client *client, Packet *packet, guint64 position)
{
  do
    g_assert_true (client_next (client, packet, WAIT_MS));
  while (packet->position + packet->frames < position);
}

static void
silence_has_garbage (void)
{
  Client client;
  Packet packet;

  client_open (&client);
  client_initialize (&client, CLIENT_SECOND);
  client_start (&client);
  skip_to (&client, &packet, 1000);
  g_assert_cmpuint (packet.position + packet.frames, ==, 1000);
  g_assert_true (client_wait (&client, &packet, WAIT_MS));
  g_assert_cmphex (packet.flags, ==, AUDCLNT_BUFFERFLAGS_SILENT);
  g_assert_cmpint (sample (&client, packet.data), !=, 0);
  g_assert_cmpint (sample (&client, packet.data), !=, expected (&client, packet.position, 0));
  client_assert_ok (IAudioCaptureClient_ReleaseBuffer (client.capture, packet.frames));
  skip_to (&client, &packet, 2000);
  g_assert_cmpuint (packet.position + packet.frames, ==, 2000);
  g_assert_true (client_wait (&client, &packet, WAIT_MS));
  g_assert_cmphex (packet.flags, ==, 0);
  assert_counts (&client, &packet, 2000);
  client_assert_ok (IAudioCaptureClient_ReleaseBuffer (client.capture, packet.frames));
  client_close (&client);
}

static void
discontinuity_moves_positions (void)
{
  Client client;
  Packet packet;

  client_open (&client);
  client_initialize (&client, CLIENT_SECOND);
  client_start (&client);
  skip_to (&client, &packet, 4800);
  g_assert_true (client_wait (&client, &packet, WAIT_MS));
  g_assert_cmpuint (packet.position, ==, 4900);
  g_assert_cmphex (packet.flags, ==, AUDCLNT_BUFFERFLAGS_DATA_DISCONTINUITY);
  assert_counts (&client, &packet, 4900);
  client_assert_ok (IAudioCaptureClient_ReleaseBuffer (client.capture, packet.frames));
  client_close (&client);
}

static void
timestamp_error_is_flagged (void)
{
  Client client;
  Packet packet;
  guint64 began;

  client_open (&client);
  client_initialize (&client, CLIENT_SECOND);
  client_start (&client);
  g_assert_true (client_next (&client, &packet, WAIT_MS));
  began = packet.time;
  skip_to (&client, &packet, 2400);
  g_assert_true (client_next (&client, &packet, WAIT_MS));
  g_assert_cmphex (packet.flags, ==, AUDCLNT_BUFFERFLAGS_TIMESTAMP_ERROR);
  g_assert_cmpuint (packet.time, <, began);
  client_close (&client);
}

/* A thousandth faster, and times say so. */
static void
clock_drifts (void)
{
  Client client;
  Packet packet;
  guint64 began = 0;

  client_open (&client);
  client_initialize (&client, CLIENT_SECOND);
  client_start (&client);
  for (guint i = 0; i < 20; i++) {
    gint64 expected_time;

    g_assert_true (client_next (&client, &packet, WAIT_MS));
    began = i == 0 ? packet.time : began;
    expected_time = (gint64) ((double) packet.position * CLIENT_SECOND / 48048.0);
    g_assert_cmpint (ABS ((gint64) (packet.time - began) - expected_time), <=, 2);
  }
  client_close (&client);
}

/* An event cannot count: the packets of the time in which it was late are there at once. */
static void
late_events_are_one (void)
{
  Client client;
  Packet packet;
  UINT32 padding;

  client_open (&client);
  client_initialize (&client, CLIENT_SECOND);
  client_start (&client);
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpuint (WaitForSingleObject (client.event, WAIT_MS), ==, WAIT_OBJECT_0);
    client_assert_ok (IAudioClient_GetCurrentPadding (client.client, &padding));
    g_assert_cmpuint (padding, >=, 4 * 480);
    while (padding) {
      g_assert_true (client_next (&client, &packet, WAIT_MS));
      padding -= packet.frames;
    }
  }
  client_close (&client);
}

/* Packets come, and nobody is told. */
static void
events_stop (void)
{
  Client client;
  Packet packet;
  UINT32 padding;

  client_open (&client);
  client_initialize (&client, CLIENT_SECOND);
  client_start (&client);
  skip_to (&client, &packet, 4800 + 480);
  WaitForSingleObject (client.event, 0); /* of a packet before */
  g_assert_cmpuint (WaitForSingleObject (client.event, 100), ==, WAIT_TIMEOUT);
  client_assert_ok (IAudioClient_GetCurrentPadding (client.client, &padding));
  g_assert_cmpuint (padding, >=, 8 * 480);
  g_assert_cmpuint (WaitForSingleObject (client.event, WAIT_MS), ==, WAIT_OBJECT_0);
  client_close (&client);
}

/* Whoever says that another format will do has it, and its frames are counted. */
static void
converted (void)
{
  WAVEFORMATEX format = { WAVE_FORMAT_PCM, 1, 44100, 88200, 2, 16, 0 };
  WAVEFORMATEX *closest;
  Client client;
  Packet packet;
  gint16 value;

  client_open (&client);
  client_assert_hr (IAudioClient_IsFormatSupported (client.client, AUDCLNT_SHAREMODE_SHARED, &format, &closest),
      S_FALSE);
  g_assert_cmpuint (closest->nSamplesPerSec, ==, 48000);
  CoTaskMemFree (closest);
  client_assert_ok (IAudioClient_Initialize (client.client, AUDCLNT_SHAREMODE_SHARED,
          AUDCLNT_STREAMFLAGS_LOOPBACK | AUDCLNT_STREAMFLAGS_AUTOCONVERTPCM | AUDCLNT_STREAMFLAGS_SRC_DEFAULT_QUALITY,
          CLIENT_SECOND, 0, &format, NULL));
  client_assert_ok (IAudioClient_GetService (client.client, &IID_IAudioCaptureClient, (void **) &client.capture));
  client.event = CreateEventW (NULL, FALSE, FALSE, NULL);
  client_start (&client);
  g_assert_true (client_wait (&client, &packet, 50) || client_wait (&client, &packet, 50));
  g_assert_cmpuint (packet.frames, ==, 441);
  memcpy (&value, packet.data + 200, sizeof value);
  g_assert_cmpint (value, ==, client_count (100, 0, 0, 16));
  client_assert_ok (IAudioCaptureClient_ReleaseBuffer (client.capture, packet.frames));
  client_close (&client);
}

static void
render_silence (IAudioClient *client, IAudioRenderClient **render)
{
  WAVEFORMATEX *format;
  BYTE *data;

  client_assert_ok (IAudioClient_GetMixFormat (client, &format));
  client_assert_ok (IAudioClient_Initialize (client, AUDCLNT_SHAREMODE_SHARED, 0, CLIENT_SECOND, 0, format, NULL));
  CoTaskMemFree (format);
  client_assert_ok (IAudioClient_GetService (client, &IID_IAudioRenderClient, (void **) render));
  client_assert_ok (IAudioRenderClient_GetBuffer (*render, 48000, &data));
  client_assert_ok (IAudioRenderClient_ReleaseBuffer (*render, 48000, AUDCLNT_BUFFERFLAGS_SILENT));
  client_assert_ok (IAudioClient_Start (client));
}

/* Nothing comes while nothing plays, until somebody renders, if only silence. */
static void
idle_gives_nothing (void)
{
  Client client;
  Packet packet;
  IAudioClient *other;
  IAudioRenderClient *render;

  client_open (&client);
  client_initialize (&client, CLIENT_SECOND);
  client_start (&client);
  skip_to (&client, &packet, 4800);
  g_assert_false (client_wait (&client, &packet, 100));
  client_assert_ok (IMMDevice_Activate (client.device, &IID_IAudioClient, CLSCTX_ALL, NULL, (void **) &other));
  render_silence (other, &render);
  g_assert_true (client_wait (&client, &packet, WAIT_MS));
  g_assert_cmpuint (packet.position, >, 4800);
  g_assert_cmpint (sample (&client, packet.data), ==, 0);
  client_assert_ok (IAudioCaptureClient_ReleaseBuffer (client.capture, packet.frames));
  client_assert_ok (IAudioClient_Stop (other));
  IAudioRenderClient_Release (render);
  IAudioClient_Release (other);
  client_close (&client);
}

/* The stream is lost, in every call; a new one is not. */
static void
invalidation (void)
{
  Client client;
  Packet packet;
  UINT32 padding;

  client_open (&client);
  client_initialize (&client, CLIENT_SECOND);
  client_start (&client);
  while (IAudioClient_GetCurrentPadding (client.client, &padding) == S_OK)
    WaitForSingleObject (client.event, 10);
  client_assert_hr (IAudioClient_GetCurrentPadding (client.client, &padding), 0x88890026);
  client_assert_hr (IAudioCaptureClient_GetBuffer (client.capture, &packet.data, &packet.frames, &packet.flags, NULL,
          NULL), 0x88890026);
  client_assert_hr (IAudioClient_Stop (client.client), 0x88890026);
  client_close (&client);
  client_open (&client);
  client_initialize (&client, CLIENT_SECOND);
  client_start (&client);
  g_assert_true (client_wait (&client, &packet, WAIT_MS));
  g_assert_cmpuint (packet.position, ==, 0);
  client_assert_ok (IAudioCaptureClient_ReleaseBuffer (client.capture, packet.frames));
  client_close (&client);
}

static void
each_call_fails_once (void)
{
  Client client = { NULL };
  Packet packet;
  UINT32 frames;

  CoInitializeEx (NULL, COINIT_MULTITHREADED);
  client_assert_hr (CoCreateInstance (&CLSID_MMDeviceEnumerator, NULL, CLSCTX_ALL, &IID_IMMDeviceEnumerator,
          (void **) &client.enumerator), 0x80040111);
  CoUninitialize ();
  client_open (&client);
  client_assert_hr (IAudioClient_GetMixFormat (client.client, &client.format), 0x88890010);
  client_initialize (&client, CLIENT_SECOND);
  client_assert_hr (IAudioClient_Start (client.client), 0x8889000f);
  client_start (&client);
  g_assert_true (client_next (&client, &packet, WAIT_MS));
  client_assert_hr (IAudioCaptureClient_GetNextPacketSize (client.capture, &frames), 0x88890018);
  client_assert_ok (IAudioCaptureClient_GetNextPacketSize (client.capture, &frames));
  client_close (&client);
}

static void
process_is_not_implemented (void)
{
  Client client;
  WAVEFORMATEX *format;
  UINT32 frames;
  REFERENCE_TIME time;
  void *none;

  client_assert_ok (client_activate (&client, VIRTUAL_AUDIO_DEVICE_PROCESS_LOOPBACK, 100, FALSE, WAIT_MS));
  client_assert_hr (IAudioClient_QueryInterface (client.client, &IID_IAudioClient2, &none), E_NOINTERFACE);
  client_assert_hr (IAudioClient_GetMixFormat (client.client, &format), E_NOTIMPL);
  client_assert_hr (IAudioClient_GetDevicePeriod (client.client, &time, NULL), E_NOTIMPL);
  client_initialize_process (&client);
  client_assert_hr (IAudioClient_GetCurrentPadding (client.client, &frames), E_NOTIMPL);
  client_assert_ok (IAudioClient_GetBufferSize (client.client, &frames));
  g_assert_cmpuint (frames, >, 1 << 30);
  client_assert_hr (IAudioClient_GetService (client.client, &IID_IAudioClock, &none), E_NOINTERFACE);
  client_close (&client);
}

/* Four frames in a row of the counting signal with that tag, from anywhere in its first seconds. */
static gboolean
is_signal (const BYTE *data, guint tag)
{
  gint16 values[8];
  guint64 frame = 0;
  guint found = 0;

  memcpy (values, data, sizeof values);
  for (; frame < 5 * 48000 && found < 4; frame++) {
    for (found = 0; found < 4 && client_count (frame + found, tag, 0, 16) == values[2 * found]; found++)
      ;
  }
  return found == 4;
}

/* Which process is heard: the signal's tag says it. */
static void
assert_hears (DWORD pid, gboolean exclude, guint tag)
{
  Client client;
  Packet packet;

  client_assert_ok (client_activate (&client, VIRTUAL_AUDIO_DEVICE_PROCESS_LOOPBACK, pid, exclude, WAIT_MS));
  client_initialize_process (&client);
  client_start (&client);
  for (guint i = 0; i < 2; i++) {
    g_assert_true (client_wait (&client, &packet, WAIT_MS));
    g_assert_cmpuint (packet.position, ==, 0);
    g_assert_true (is_signal (packet.data, tag));
    client_assert_ok (IAudioCaptureClient_ReleaseBuffer (client.capture, packet.frames));
  }
  client_close (&client);
}

static void
process_trees (void)
{
  assert_hears (100, FALSE, 16);
  assert_hears (100, TRUE, 18);
  assert_hears (300, FALSE, 18);
}

static void
process_refused (void)
{
  Client client;

  client_assert_hr (client_activate (&client, VIRTUAL_AUDIO_DEVICE_PROCESS_LOOPBACK, 100, FALSE, WAIT_MS), E_NOTIMPL);
  client_close (&client);
}

static void
slow_activation (void)
{
  Client client;
  ULONGLONG began = GetTickCount64 ();

  client_assert_ok (client_activate (&client, L"{E6327CAD-DCEC-4949-AE8A-991E976A79D2}", 0, FALSE, WAIT_MS));
  g_assert_cmpuint (GetTickCount64 () - began, >=, 290);
  client_close (&client);
}

static void
activation_that_never_ends (void)
{
  Client client;

  client_assert_hr (client_activate (&client, L"{E6327CAD-DCEC-4949-AE8A-991E976A79D2}", 0, FALSE, 200), RPC_E_TIMEOUT);
  client_close (&client);
}

/* A stream of the default endpoint goes with it. */
static void
default_is_followed (void)
{
  Client client;
  Packet packet;
  guint64 frame = 0;
  float value;

  client_assert_ok (client_activate (&client, L"{E6327CAD-DCEC-4949-AE8A-991E976A79D2}", 0, FALSE, WAIT_MS));
  client_initialize (&client, CLIENT_SECOND);
  client_start (&client);
  do {
    g_assert_true (client_wait (&client, &packet, WAIT_MS));
    memcpy (&value, packet.data, sizeof value);
    frame = packet.position;
    client_assert_ok (IAudioCaptureClient_ReleaseBuffer (client.capture, packet.frames));
    g_assert_cmpuint (frame, <, 48000);
  } while ((gint64) (value * (1 << 23)) != client_count (frame, 1, 0, 24));
  client_close (&client);
}

static const ClientTest tests[] = {
  { "counting/f32", "endpoint format=f32 channels=2", counts, .line = "stream *overrun=0 *" },
  { "counting/s16", "endpoint format=s16 rate=44100 channels=6", counts },
  { "counting/s24", "endpoint format=s24 channels=1", counts },
  { "counting/s24in32", "endpoint format=s24in32 rate=96000", counts },
  { "counting/s32", "endpoint format=s32 channels=8", counts },
  { "packets-take-turns", "packets 480 7 1000", sizes_take_turns },
  { "zero-frames-present-again", "", zero_frames_present_again },
  { "full-buffer-loses-the-oldest", "", full_buffer_loses_the_oldest },
  { "silence-has-garbage", "endpoint rate=48000; at 0.0208333333s silent 1000 frames garbage", silence_has_garbage },
  { "discontinuity-moves-positions", "at 100ms discontinuity 100", discontinuity_moves_positions },
  { "timestamp-error-is-flagged", "at 50ms timestamp-error 480", timestamp_error_is_flagged },
  { "clock-drifts", "drift +1000ppm", clock_drifts },
  { "late-events-are-one", "late 40ms", late_events_are_one },
  { "events-stop", "at 100ms events-stop 1s", events_stop },
  { "converted", "", converted },
  { "idle-gives-nothing", "at 100ms idle", idle_gives_nothing },
  { "invalidation", "at 50ms invalidate hr=0x88890026", invalidation },
  { "each-call-fails-once", "fail CoCreate hr=0x80040111; fail GetMixFormat hr=0x88890010; fail Start hr=0x8889000f;"
    "fail IAudioCaptureClient::GetNextPacketSize hr=0x88890018", each_call_fails_once,
    .line = "failed *GetMixFormat*" },
  { "process/not-implemented", "process 100 counting", process_is_not_implemented },
  { "process/trees", "process 100 counting; process 200 parent=100 counting; process 300 counting", process_trees,
    .line = "stream *role=process tag=18 *" },
  { "process/refused", "process-loopback refuse", process_refused },
  { "activation/slow", "activate slow 300ms", slow_activation },
  { "activation/never", "activate never", activation_that_never_ends },
  { "default-is-followed", "endpoint id=a default; endpoint id=b; at 100ms default-change to=b", default_is_followed,
    .line = "rerouted *endpoint=b frame=*" },
};

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  client_test_add (tests, G_N_ELEMENTS (tests));
  return g_test_run ();
}
