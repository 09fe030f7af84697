/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-violations.c: each rule is broken on purpose, and the report says so. */
#include "testclient.h"
#include "activation.h"

#include <string.h>

#define WAIT_MS 5000 /* generous: the machine may be busy */
#define FLAGS (AUDCLNT_STREAMFLAGS_LOOPBACK | AUDCLNT_STREAMFLAGS_EVENTCALLBACK)

/* Runs `body` on a thread of its own, with COM or without. */
static void
on_thread (LPTHREAD_START_ROUTINE body, void *data)
{
  HANDLE thread = CreateThread (NULL, 0, body, data, 0, NULL);

  WaitForSingleObject (thread, INFINITE);
  CloseHandle (thread);
}

static void
open_started (Client *client)
{
  client_open (client);
  client_initialize (client, CLIENT_SECOND);
  client_start (client);
}

static void
all_is_well (void)
{
  Client client;
  Packet packet;

  open_started (&client);
  g_assert_true (client_next (&client, &packet, WAIT_MS));
  client_close (&client);
}

static void
getbuffer_twice (void)
{
  Client client;
  Packet packet;

  open_started (&client);
  g_assert_true (client_wait (&client, &packet, WAIT_MS));
  client_assert_hr (IAudioCaptureClient_GetBuffer (client.capture, &packet.data, &packet.frames, &packet.flags, NULL,
          NULL), AUDCLNT_E_OUT_OF_ORDER);
  client_assert_ok (IAudioCaptureClient_ReleaseBuffer (client.capture, 480));
  client_close (&client);
}

static void
partial_release (void)
{
  Client client;
  Packet packet;

  open_started (&client);
  g_assert_true (client_wait (&client, &packet, WAIT_MS));
  client_assert_hr (IAudioCaptureClient_ReleaseBuffer (client.capture, 100), AUDCLNT_E_INVALID_SIZE);
  client_assert_ok (IAudioCaptureClient_ReleaseBuffer (client.capture, 480));
  client_assert_hr (IAudioCaptureClient_ReleaseBuffer (client.capture, 480), AUDCLNT_E_OUT_OF_ORDER);
  client_close (&client);
}

static DWORD WINAPI
release_elsewhere (LPVOID data)
{
  CoInitializeEx (NULL, COINIT_MULTITHREADED);
  client_assert_ok (IAudioCaptureClient_ReleaseBuffer (((Client *) data)->capture, 480));
  CoUninitialize ();
  return 0;
}

static void
buffer_on_two_threads (void)
{
  Client client;
  Packet packet;

  open_started (&client);
  g_assert_true (client_wait (&client, &packet, WAIT_MS));
  on_thread (release_elsewhere, &client);
  client_close (&client);
}

static void
initialize_twice (void)
{
  Client client;

  client_open (&client);
  client_initialize (&client, 0);
  client_assert_hr (IAudioClient_Initialize (client.client, AUDCLNT_SHAREMODE_SHARED, FLAGS, 0, 0, client.format, NULL),
      AUDCLNT_E_ALREADY_INITIALIZED);
  client_close (&client);
}

static void
initialize_after_failure (void)
{
  Client client;

  client_open (&client);
  client_assert_ok (IAudioClient_GetMixFormat (client.client, &client.format));
  client_assert_hr (IAudioClient_Initialize (client.client, AUDCLNT_SHAREMODE_SHARED, FLAGS, 0, 0, client.format, NULL),
      AUDCLNT_E_DEVICE_IN_USE);
  client_assert_hr (IAudioClient_Initialize (client.client, AUDCLNT_SHAREMODE_SHARED, FLAGS, 0, 0, client.format, NULL),
      AUDCLNT_E_ALREADY_INITIALIZED);
  client_close (&client);
}

static void
try_initialize (AUDCLNT_SHAREMODE mode, DWORD flags, REFERENCE_TIME periodicity, HRESULT hr)
{
  Client client;

  client_open (&client);
  client_assert_ok (IAudioClient_GetMixFormat (client.client, &client.format));
  client_assert_hr (IAudioClient_Initialize (client.client, mode, flags, 0, periodicity, client.format, NULL), hr);
  client_close (&client);
}

static void
wrong_arguments (void)
{
  try_initialize (AUDCLNT_SHAREMODE_SHARED, FLAGS, 100000, E_INVALIDARG);
  try_initialize (AUDCLNT_SHAREMODE_EXCLUSIVE, FLAGS, 100000, E_INVALIDARG);
  try_initialize (AUDCLNT_SHAREMODE_SHARED, FLAGS | 1, 0, AUDCLNT_E_INVALID_STREAM_FLAG);
}

static void
loopback_of_capture (void)
{
  Client client;
  WAVEFORMATEX *format;

  client_open (&client);
  IAudioClient_Release (client.client);
  IMMDevice_Release (client.device);
  client_assert_ok (IMMDeviceEnumerator_GetDefaultAudioEndpoint (client.enumerator, eCapture, eConsole,
          &client.device));
  client_assert_ok (IMMDevice_Activate (client.device, &IID_IAudioClient, CLSCTX_ALL, NULL, (void **) &client.client));
  client_assert_ok (IAudioClient_GetMixFormat (client.client, &format));
  client_assert_hr (IAudioClient_Initialize (client.client, AUDCLNT_SHAREMODE_SHARED, FLAGS, 0, 0, format, NULL),
      AUDCLNT_E_WRONG_ENDPOINT_TYPE);
  CoTaskMemFree (format);
  client_close (&client);
}

static void
order_of_calls (void)
{
  Client client;

  client_open (&client);
  client_assert_hr (IAudioClient_Stop (client.client), AUDCLNT_E_NOT_INITIALIZED);
  client_assert_ok (IAudioClient_GetMixFormat (client.client, &client.format));
  client_assert_ok (IAudioClient_Initialize (client.client, AUDCLNT_SHAREMODE_SHARED, FLAGS, 0, 0, client.format,
          NULL));
  client_assert_hr (IAudioClient_Start (client.client), AUDCLNT_E_EVENTHANDLE_NOT_SET);
  client.event = CreateEventW (NULL, FALSE, FALSE, NULL);
  client_assert_ok (IAudioClient_SetEventHandle (client.client, client.event));
  client_start (&client);
  client_assert_hr (IAudioClient_Start (client.client), AUDCLNT_E_NOT_STOPPED);
  client_assert_hr (IAudioClient_Reset (client.client), AUDCLNT_E_NOT_STOPPED);
  client_assert_ok (IAudioClient_Stop (client.client));
  client_close (&client);
}

static DWORD WINAPI
call_without_com (LPVOID data)
{
  UINT32 frames;

  client_assert_ok (IAudioClient_GetCurrentPadding (((Client *) data)->client, &frames));
  client_assert_ok (IAudioClient_GetCurrentPadding (((Client *) data)->client, &frames));
  return 0;
}

static void
without_com (void)
{
  Client client;

  open_started (&client);
  on_thread (call_without_com, &client);
  client_close (&client);
}

/* Not even another thread has any. */
static void
com_is_over (void)
{
  Client client;
  UINT32 frames;

  open_started (&client);
  CoUninitialize ();
  client_assert_ok (IAudioClient_GetCurrentPadding (client.client, &frames));
  CoInitializeEx (NULL, COINIT_MULTITHREADED);
  client_close (&client);
}

static DWORD WINAPI
release_service (LPVOID data)
{
  CoInitializeEx (NULL, COINIT_MULTITHREADED);
  IAudioCaptureClient_Release (((Client *) data)->capture);
  CoUninitialize ();
  return 0;
}

static void
service_released_elsewhere (void)
{
  Client client;

  client_open (&client);
  client_initialize (&client, 0);
  on_thread (release_service, &client);
  client.capture = NULL;
  client_close (&client);
}

static void
use_after_release (void)
{
  Client client;
  UINT32 frames;
  IAudioClient *dead;

  client_open (&client);
  dead = client.client;
  IAudioClient_Release (dead);
  client.client = NULL;
  client_assert_hr (IAudioClient_GetBufferSize (dead, &frames), E_UNEXPECTED);
  client_close (&client);
}

static void
references_are_left (void)
{
  Client client;

  client_open (&client);
  client_initialize (&client, 0);
  IMMDevice_AddRef (client.device);
  IAudioCaptureClient_AddRef (client.capture);
  client_close (&client);
}

static void
event_closed (void)
{
  Client client;

  open_started (&client);
  CloseHandle (client.event);
  g_usleep (G_USEC_PER_SEC / 10);
  client.event = NULL;
  client_close (&client);
}

/* Its next Start succeeds, and gives nothing. */
static void
reset_of_process (void)
{
  Client client;
  Packet packet;

  client_assert_ok (client_activate (&client, VIRTUAL_AUDIO_DEVICE_PROCESS_LOOPBACK, 100, FALSE, WAIT_MS));
  client_initialize_process (&client);
  client_start (&client);
  g_assert_true (client_next (&client, &packet, WAIT_MS));
  client_assert_ok (IAudioClient_Stop (client.client));
  client_assert_ok (IAudioClient_Reset (client.client));
  client_start (&client);
  g_assert_false (client_wait (&client, &packet, 100));
  client_close (&client);
}

/* -- notifications ------------------------------------------------------------------------------------------------ */

typedef struct {
  IMMNotificationClient face;
  IMMDeviceEnumerator *enumerator;
  IMMDevice *device; /* whose last reference is given up in the callback */
  DWORD block_ms;
  gboolean unregister;
  HANDLE told;
  EDataFlow flow;
  WCHAR id[64];
} Listener;

static HRESULT STDMETHODCALLTYPE
listener_query (IMMNotificationClient *face, REFIID iid, void **out)
{
  *out = face;
  return S_OK;
}

static ULONG STDMETHODCALLTYPE
listener_ref (IMMNotificationClient *face)
{
  return 1;
}

static HRESULT STDMETHODCALLTYPE
listener_state (IMMNotificationClient *face, LPCWSTR id, DWORD state)
{
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
listener_device (IMMNotificationClient *face, LPCWSTR id)
{
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
listener_default (IMMNotificationClient *face, EDataFlow flow, ERole role, LPCWSTR id)
{
  Listener *listener = (Listener *) face;

  if (role != eConsole)
    return S_OK;
  listener->flow = flow;
  if (id)
    wcsncpy (listener->id, id, G_N_ELEMENTS (listener->id) - 1);
  Sleep (listener->block_ms);
  if (listener->device)
    IMMDevice_Release (listener->device);
  if (listener->unregister)
    IMMDeviceEnumerator_UnregisterEndpointNotificationCallback (listener->enumerator, face);
  SetEvent (listener->told);
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
listener_property (IMMNotificationClient *face, LPCWSTR id, const PROPERTYKEY key)
{
  return S_OK;
}

static IMMNotificationClientVtbl listener_vtbl = {
  listener_query, listener_ref, listener_ref, listener_state, listener_device, listener_device, listener_default,
  listener_property,
};

static void
be_told (Listener *listener)
{
  Client client;

  listener->face.lpVtbl = &listener_vtbl;
  listener->told = CreateEventW (NULL, FALSE, FALSE, NULL);
  open_started (&client);
  listener->enumerator = client.enumerator;
  if (listener->device)
    client_assert_ok (IMMDeviceEnumerator_GetDevice (client.enumerator, L"b", &listener->device));
  client_assert_ok (IMMDeviceEnumerator_RegisterEndpointNotificationCallback (client.enumerator, &listener->face));
  g_assert_cmpuint (WaitForSingleObject (listener->told, WAIT_MS), ==, WAIT_OBJECT_0);
  if (!listener->unregister)
    client_assert_ok (IMMDeviceEnumerator_UnregisterEndpointNotificationCallback (client.enumerator, &listener->face));
  client_close (&client);
  CloseHandle (listener->told);
}

static void
notification (void)
{
  Listener listener = { .block_ms = 0 };

  be_told (&listener);
  g_assert_cmpint (listener.flow, ==, eRender);
  g_assert_true (wcscmp (listener.id, L"b") == 0);
}

static void
notification_blocked (void)
{
  be_told (&(Listener) { .block_ms = 200 });
}

static void
unregister_in_notification (void)
{
  be_told (&(Listener) { .unregister = TRUE });
}

static void
device_in_notification (void)
{
  be_told (&(Listener) { .device = (IMMDevice *) -1 });
}

static void
enumerator_released_registered (void)
{
  static Listener listener;
  Client client;

  listener.face.lpVtbl = &listener_vtbl;
  client_open (&client);
  client_assert_ok (IMMDeviceEnumerator_RegisterEndpointNotificationCallback (client.enumerator, &listener.face));
  client_close (&client);
}

/* -- activation --------------------------------------------------------------------------------------------------- */

static HRESULT STDMETHODCALLTYPE
clumsy_query (IActivateAudioInterfaceCompletionHandler *face, REFIID iid, void **out)
{
  *out = IsEqualIID (iid, &IID_IAgileObject) ? NULL : face;
  return *out ? S_OK : E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE
clumsy_ref (IActivateAudioInterfaceCompletionHandler *face)
{
  return 1;
}

static HRESULT STDMETHODCALLTYPE
clumsy_completed (IActivateAudioInterfaceCompletionHandler *face, IActivateAudioInterfaceAsyncOperation *operation)
{
  g_assert_not_reached ();
}

static void
handler_not_agile (void)
{
  static IActivateAudioInterfaceCompletionHandlerVtbl vtbl = { clumsy_query, clumsy_ref, clumsy_ref, clumsy_completed };
  IActivateAudioInterfaceCompletionHandler handler = { &vtbl };
  IActivateAudioInterfaceAsyncOperation *operation;

  client_assert_ok (CoInitializeEx (NULL, COINIT_MULTITHREADED));
  client_assert_hr (ActivateAudioInterfaceAsync (L"{E6327CAD-DCEC-4949-AE8A-991E976A79D2}", &IID_IAudioClient, NULL,
          &handler, &operation), 0x8000000E);
  CoUninitialize ();
}

#define TWO "endpoint id=a default; endpoint id=b; at 50ms default-change to=b"

static const ClientTest tests[] = {
  { "all-is-well", "", all_is_well },
  { "getbuffer-twice", "", getbuffer_twice, "getbuffer-twice" },
  { "partial-release", "", partial_release, "partial-release release-without-getbuffer" },
  { "buffer-on-two-threads", "", buffer_on_two_threads, "buffer-on-two-threads" },
  { "initialize-twice", "", initialize_twice, "initialize-twice" },
  { "initialize-after-failure", "fail Initialize of=loopback hr=0x8889000a", initialize_after_failure,
    "initialize-after-failure" },
  { "wrong-arguments", "", wrong_arguments,
    "periodicity-in-shared-mode loopback-exclusive unknown-stream-flag" },
  { "loopback-of-capture", "endpoint; endpoint flow=capture", loopback_of_capture,
    "loopback-of-capture" },
  { "order-of-calls", "", order_of_calls, "not-initialised start-without-event start-twice reset-while-running" },
  { "com-of-another-thread", "", without_com, "com-of-another-thread" },
  { "com-not-initialised", "", com_is_over, "com-not-initialised" },
  { "service-released-elsewhere", "", service_released_elsewhere, "service-released-elsewhere" },
  { "use-after-release", "", use_after_release, "use-after-release" },
  { "references-are-left", "", references_are_left, .left = "IAudioCaptureClient#1 IMMDevice#1" },
  { "event-closed-while-running", "", event_closed, "event-closed-while-running" },
  { "reset-on-process-loopback", "process 100 counting", reset_of_process, "reset-on-process-loopback" },
  { "notification", TWO, notification },
  { "notification-blocked", TWO, notification_blocked, "notification-blocked" },
  { "register-in-notification", TWO, unregister_in_notification, "register-in-notification" },
  { "device-released-in-notification", TWO, device_in_notification, "device-released-in-notification" },
  { "enumerator-released-registered", "", enumerator_released_registered, "enumerator-released-registered" },
  { "handler-not-agile", "", handler_not_agile, "handler-not-agile" },
};

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  client_test_add (tests, G_N_ELEMENTS (tests));
  return g_test_run ();
}
