/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "testclient.h"
#include "activation.h"

#include <mmreg.h>
#include <string.h>

#define REPORT_VARIABLE "ZC_WASAPI_REPORT"
#define POLL_MS 20
#define CHILD_TIMEOUT_US (20 * G_USEC_PER_SEC)

/* -- tests in children -------------------------------------------------------------------------------------------- */

/* Second words of the lines that begin with `word`, each once. */
static gchar *
words_after (gchar **lines, const char *word)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);

  for (; *lines; lines++) {
    g_auto (GStrv) words = g_strsplit (*lines, " ", 3);

    if (!g_strcmp0 (words[0], word) && !g_ptr_array_find_with_equal_func (found, words[1], g_str_equal, NULL))
      g_ptr_array_add (found, g_strdup (words[1]));
  }
  g_ptr_array_add (found, NULL);
  return g_strjoinv (" ", (gchar **) found->pdata);
}

static gboolean
any_line_matches (gchar **lines, const char *pattern)
{
  while (*lines && !g_pattern_match_simple (pattern, *lines))
    lines++;
  return *lines != NULL;
}

static void
judge (const ClientTest *test, const gchar *report)
{
  g_auto (GStrv) lines = g_strsplit (report, "\n", -1);
  g_autofree gchar *violations = words_after (lines, "violation");
  g_autofree gchar *left = words_after (lines, "left");

  g_test_message ("%s", report);
  g_assert_cmpstr (violations, ==, test->violations ? test->violations : "");
  g_assert_cmpstr (left, ==, test->left ? test->left : "");
  g_assert_true (any_line_matches (lines, "end violations=*"));
  if (test->line)
    g_assert_true (any_line_matches (lines, test->line));
}

static void
run (gconstpointer data)
{
  const ClientTest *test = data;
  g_autofree gchar *name = NULL, *path = NULL, *report = NULL;

  if (g_test_subprocess ()) {
    test->child ();
    return;
  }
  name = g_strdup_printf ("scripted-%lu.report", GetCurrentProcessId ());
  path = g_build_filename (g_get_tmp_dir (), name, NULL);
  DeleteFileA (path); /* of one who failed, and had the same number */
  g_setenv (REPORT_VARIABLE, path, TRUE);
  g_setenv ("ZC_WASAPI_SCRIPT", test->script, TRUE);
  g_test_trap_subprocess (NULL, CHILD_TIMEOUT_US, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
  g_assert_true (g_file_get_contents (path, &report, NULL, NULL));
  DeleteFileA (path);
  judge (test, report);
}

void
client_test_add (const ClientTest *tests, guint count)
{
  for (guint i = 0; i < count; i++) {
    g_autofree gchar *path = g_strconcat ("/scripted/", tests[i].name, NULL);

    g_test_add_data_func (path, &tests[i], run);
  }
}

/* -- the client --------------------------------------------------------------------------------------------------- */

void
client_open (Client *client)
{
  memset (client, 0, sizeof *client);
  client_assert_ok (CoInitializeEx (NULL, COINIT_MULTITHREADED));
  client_assert_ok (CoCreateInstance (&CLSID_MMDeviceEnumerator, NULL, CLSCTX_ALL, &IID_IMMDeviceEnumerator,
          (void **) &client->enumerator));
  client_assert_ok (IMMDeviceEnumerator_GetDefaultAudioEndpoint (client->enumerator, eRender, eConsole,
          &client->device));
  client_assert_ok (IMMDevice_Activate (client->device, &IID_IAudioClient, CLSCTX_ALL, NULL,
          (void **) &client->client));
}

static void
prepare (Client *client)
{
  client->event = CreateEventW (NULL, FALSE, FALSE, NULL);
  client_assert_ok (IAudioClient_SetEventHandle (client->client, client->event));
  client_assert_ok (IAudioClient_GetService (client->client, &IID_IAudioCaptureClient, (void **) &client->capture));
}

void
client_initialize (Client *client, REFERENCE_TIME duration)
{
  client_assert_ok (IAudioClient_GetMixFormat (client->client, &client->format));
  client_assert_ok (IAudioClient_Initialize (client->client, AUDCLNT_SHAREMODE_SHARED,
          AUDCLNT_STREAMFLAGS_LOOPBACK | AUDCLNT_STREAMFLAGS_EVENTCALLBACK, duration, 0, client->format, NULL));
  prepare (client);
}

void
client_initialize_process (Client *client)
{
  WAVEFORMATEX format = { WAVE_FORMAT_PCM, 2, 48000, 192000, 4, 16, 0 };

  client_assert_ok (IAudioClient_Initialize (client->client, AUDCLNT_SHAREMODE_SHARED,
          AUDCLNT_STREAMFLAGS_LOOPBACK | AUDCLNT_STREAMFLAGS_EVENTCALLBACK, CLIENT_SECOND, 0, &format, NULL));
  prepare (client);
}

void
client_start (Client *client)
{
  client_assert_ok (IAudioClient_Start (client->client));
}

void
client_close (Client *client)
{
  if (client->capture) {
    IAudioClient_Stop (client->client);
    IAudioCaptureClient_Release (client->capture);
  }
  if (client->client)
    IAudioClient_Release (client->client);
  if (client->device)
    IMMDevice_Release (client->device);
  if (client->enumerator)
    IMMDeviceEnumerator_Release (client->enumerator);
  if (client->event)
    CloseHandle (client->event);
  CoTaskMemFree (client->format);
  memset (client, 0, sizeof *client);
  CoUninitialize ();
}

gboolean
client_wait (Client *client, Packet *packet, DWORD timeout_ms)
{
  ULONGLONG end = GetTickCount64 () + timeout_ms;
  HRESULT hr;

  for (;;) {
    ULONGLONG now = GetTickCount64 ();

    hr = IAudioCaptureClient_GetBuffer (client->capture, &packet->data, &packet->frames, &packet->flags,
        &packet->position, &packet->time);
    if (hr != AUDCLNT_S_BUFFER_EMPTY)
      break;
    if (now >= end)
      return FALSE;
    WaitForSingleObject (client->event, (DWORD) MIN (end - now, POLL_MS)); /* events may fail */
  }
  client_assert_ok (hr);
  return TRUE;
}

gboolean
client_next (Client *client, Packet *packet, DWORD timeout_ms)
{
  if (!client_wait (client, packet, timeout_ms))
    return FALSE;
  client_assert_ok (IAudioCaptureClient_ReleaseBuffer (client->capture, packet->frames));
  return TRUE;
}

/* -- activation --------------------------------------------------------------------------------------------------- */

typedef struct {
  IActivateAudioInterfaceCompletionHandler face;
  LONG refs;
  HANDLE done;
  HRESULT result;
  IUnknown *made;
} Handler;

static ULONG STDMETHODCALLTYPE
handler_add_ref (IActivateAudioInterfaceCompletionHandler *face)
{
  return (ULONG) InterlockedIncrement (&((Handler *) face)->refs);
}

static HRESULT STDMETHODCALLTYPE
handler_query (IActivateAudioInterfaceCompletionHandler *face, REFIID iid, void **out)
{
  *out = NULL;
  if (!IsEqualIID (iid, &IID_IUnknown) && !IsEqualIID (iid, &IID_IAgileObject)
      && !IsEqualIID (iid, &IID_IActivateAudioInterfaceCompletionHandler))
    return E_NOINTERFACE;
  *out = face;
  handler_add_ref (face);
  return S_OK;
}

static ULONG STDMETHODCALLTYPE
handler_release (IActivateAudioInterfaceCompletionHandler *face)
{
  Handler *handler = (Handler *) face;
  LONG refs = InterlockedDecrement (&handler->refs);

  if (refs == 0) {
    CloseHandle (handler->done);
    g_free (handler);
  }
  return (ULONG) refs;
}

static HRESULT STDMETHODCALLTYPE
handler_completed (IActivateAudioInterfaceCompletionHandler *face, IActivateAudioInterfaceAsyncOperation *operation)
{
  Handler *handler = (Handler *) face;

  client_assert_ok (IActivateAudioInterfaceAsyncOperation_GetActivateResult (operation, &handler->result,
          &handler->made));
  SetEvent (handler->done);
  return S_OK;
}

static IActivateAudioInterfaceCompletionHandlerVtbl handler_vtbl = {
  handler_query, handler_add_ref, handler_release, handler_completed,
};

static HRESULT
finish (Handler *handler, Client *client, DWORD timeout_ms)
{
  if (WaitForSingleObject (handler->done, timeout_ms) != WAIT_OBJECT_0)
    return RPC_E_TIMEOUT;
  client->client = (IAudioClient *) handler->made;
  return handler->result;
}

HRESULT
client_activate (Client *client, const wchar_t *path, DWORD pid, gboolean exclude, DWORD timeout_ms)
{
  AUDIOCLIENT_ACTIVATION_PARAMS params = { AUDIOCLIENT_ACTIVATION_TYPE_PROCESS_LOOPBACK, { { pid, exclude } } };
  PROPVARIANT blob = { .vt = VT_BLOB, .blob = { sizeof params, (BYTE *) &params } };
  IActivateAudioInterfaceAsyncOperation *operation = NULL;
  Handler *handler = g_new0 (Handler, 1);
  HRESULT hr;

  memset (client, 0, sizeof *client);
  CoInitializeEx (NULL, COINIT_MULTITHREADED);
  handler->face.lpVtbl = &handler_vtbl;
  handler->refs = 1;
  handler->done = CreateEventW (NULL, TRUE, FALSE, NULL);
  hr = ActivateAudioInterfaceAsync (path, &IID_IAudioClient, &blob, &handler->face, &operation);
  if (hr == S_OK)
    hr = finish (handler, client, timeout_ms);
  if (operation)
    IActivateAudioInterfaceAsyncOperation_Release (operation);
  handler_release (&handler->face);
  return hr;
}

/* -- the signal --------------------------------------------------------------------------------------------------- */

gint64
client_count (guint64 frame, guint tag, guint channel, guint bits)
{
  guint64 z = (frame + ((guint64) tag << 40) + 1) * G_GUINT64_CONSTANT (0x9E3779B97F4A7C15)
      + (channel + 1) * G_GUINT64_CONSTANT (0xD1B54A32D192ED03);
  gint64 full = (gint64) 1 << (bits - 1);
  gint64 code;

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94D049BB133111EB);
  z ^= z >> 31;
  code = (gint64) (z >> (64 - bits)) - full;
  return code == 0 ? 1 : MAX (code, 1 - full);
}
