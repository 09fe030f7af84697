/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process.h"

#include "com.h"
#include "errors.h"

#include <tlhelp32.h>

/* Of audioclientactivationparams.h (Windows SDK 10.0.20348), which MinGW-w64 has not. Under names of ours, as others
 * may have it. */
typedef struct {
  DWORD type;
  DWORD process_id;
  DWORD mode;
} ActivationParams;

#define TYPE_PROCESS_LOOPBACK 1
#define MODE_INCLUDE          0 /* the process and its tree */
#define MODE_EXCLUDE          1 /* all others */
#define PROCESS_LOOPBACK      L"VAD\\Process_Loopback"

typedef HRESULT (WINAPI *ActivateFunc) (LPCWSTR, REFIID, PROPVARIANT *, IActivateAudioInterfaceCompletionHandler *,
    IActivateAudioInterfaceAsyncOperation **);

/* -- the completion handler -------------------------------------------------------------------------------------- */

/* Windows calls it from a thread of its own, maybe after we have given up: whoever is last frees it. */
typedef struct {
  IActivateAudioInterfaceCompletionHandler handler;
  IAgileObject agile; /* without it, ActivateAudioInterfaceAsync refuses (E_ILLEGAL_METHOD_CALL) */
  LONG refs;
  HANDLE done;
} Handler;

static HRESULT
handler_query (Handler *self, REFIID iid, void **object)
{
  *object = NULL;
  if (IsEqualIID (iid, &IID_IUnknown) || IsEqualIID (iid, &IID_IActivateAudioInterfaceCompletionHandler))
    *object = &self->handler;
  else if (IsEqualIID (iid, &IID_IAgileObject))
    *object = &self->agile;
  if (*object == NULL)
    return E_NOINTERFACE;
  InterlockedIncrement (&self->refs);
  return S_OK;
}

static ULONG
handler_release (Handler *self)
{
  LONG refs = InterlockedDecrement (&self->refs);

  if (refs == 0) {
    CloseHandle (self->done);
    g_free (self);
  }
  return (ULONG) refs;
}

static HRESULT STDMETHODCALLTYPE
query_interface (IActivateAudioInterfaceCompletionHandler *handler, REFIID iid, void **object)
{
  return handler_query (CONTAINING_RECORD (handler, Handler, handler), iid, object);
}

static ULONG STDMETHODCALLTYPE
add_ref (IActivateAudioInterfaceCompletionHandler *handler)
{
  return (ULONG) InterlockedIncrement (&CONTAINING_RECORD (handler, Handler, handler)->refs);
}

static ULONG STDMETHODCALLTYPE
release (IActivateAudioInterfaceCompletionHandler *handler)
{
  return handler_release (CONTAINING_RECORD (handler, Handler, handler));
}

static HRESULT STDMETHODCALLTYPE
on_completed (IActivateAudioInterfaceCompletionHandler *handler, IActivateAudioInterfaceAsyncOperation *operation)
{
  SetEvent (CONTAINING_RECORD (handler, Handler, handler)->done);
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
agile_query_interface (IAgileObject *agile, REFIID iid, void **object)
{
  return handler_query (CONTAINING_RECORD (agile, Handler, agile), iid, object);
}

static ULONG STDMETHODCALLTYPE
agile_add_ref (IAgileObject *agile)
{
  return (ULONG) InterlockedIncrement (&CONTAINING_RECORD (agile, Handler, agile)->refs);
}

static ULONG STDMETHODCALLTYPE
agile_release (IAgileObject *agile)
{
  return handler_release (CONTAINING_RECORD (agile, Handler, agile));
}

static Handler *
handler_new (void)
{
  static IActivateAudioInterfaceCompletionHandlerVtbl vtable = { query_interface, add_ref, release, on_completed };
  static IAgileObjectVtbl agile_vtable = { agile_query_interface, agile_add_ref, agile_release };
  Handler *self = g_new0 (Handler, 1);

  self->handler.lpVtbl = &vtable;
  self->agile.lpVtbl = &agile_vtable;
  self->refs = 1;
  self->done = zc_com_event (TRUE);
  return self;
}

/* -- activation -------------------------------------------------------------------------------------------------- */

/* Windows 7 has no such function. mmdevapi.dll stays loaded: COM has it in use anyway. */
static ActivateFunc
find_function (void)
{
  HMODULE module = LoadLibraryW (L"mmdevapi.dll");
  FARPROC function = module != NULL ? GetProcAddress (module, "ActivateAudioInterfaceAsync") : NULL;

  return (ActivateFunc) (void *) function;
}

/* The outcome of an operation that has begun; *client is set on success. */
static HRESULT
await (Handler *handler, IActivateAudioInterfaceAsyncOperation *operation, IAudioClient **client)
{
  HRESULT result, outcome = E_FAIL;
  IUnknown *activated = NULL;

  if (WaitForSingleObject (handler->done, (DWORD) (ZC_START_TIMEOUT_NS / 1000000)) != WAIT_OBJECT_0)
    return HRESULT_FROM_WIN32 (ERROR_TIMEOUT);
  result = IActivateAudioInterfaceAsyncOperation_GetActivateResult (operation, &outcome, &activated);
  if (SUCCEEDED (result))
    result = outcome;
  if (SUCCEEDED (result))
    result = activated != NULL ? IUnknown_QueryInterface (activated, &IID_IAudioClient, (void **) client) : E_FAIL;
  zc_com_clear (&activated);
  return result;
}

static HRESULT
activate (ActivateFunc function, ActivationParams *params, IAudioClient **client)
{
  PROPVARIANT blob = { .vt = VT_BLOB };
  IActivateAudioInterfaceAsyncOperation *operation = NULL;
  Handler *handler = handler_new ();
  HRESULT result;

  blob.blob.cbSize = sizeof *params;
  blob.blob.pBlobData = (BYTE *) params;
  result = function (PROCESS_LOOPBACK, &IID_IAudioClient, &blob, &handler->handler, &operation);
  if (SUCCEEDED (result))
    result = await (handler, operation, client);
  zc_com_clear (&operation);
  handler_release (handler);
  return result;
}

/* What a Windows answers that does not know process loopback. */
static gboolean
is_too_old (HRESULT result)
{
  return result == E_NOTIMPL || result == E_INVALIDARG || result == HRESULT_FROM_WIN32 (ERROR_FILE_NOT_FOUND)
      || result == HRESULT_FROM_WIN32 (ERROR_NOT_FOUND);
}

static void
set_refused (GError **error, HRESULT result, const ActivationParams *params)
{
  g_autofree gchar *name = zc_wasapi_result_name (result);
  g_autofree gchar *what = g_strdup_printf ("The sound of %s process %lu",
      params->mode == MODE_EXCLUDE ? "all but" : "only", params->process_id);

  if (!is_too_old (result))
    zc_wasapi_set_error (error, result, what, "ActivateAudioInterfaceAsync");
  else
    g_set_error (error, ZC_ERROR, ZC_ERROR_SETTINGS, "%s: ActivateAudioInterfaceAsync failed with %s: this Windows "
        "cannot do that. It can since Windows 11 and Windows 10 build 20348 (on many systems from 19041 on); elsewhere "
        "leave process-id and process-mode unset.", what, name);
}

IAudioClient *
zc_wasapi_process_client (guint process_id, ZcProcessMode mode, GError **error)
{
  ActivationParams params = { .type = TYPE_PROCESS_LOOPBACK, .process_id = process_id };
  ActivateFunc function = find_function ();
  IAudioClient *client = NULL;
  HRESULT result = E_NOTIMPL;

  params.mode = mode == ZC_PROCESS_EXCLUDE ? MODE_EXCLUDE : MODE_INCLUDE;
  if (function != NULL)
    result = activate (function, &params, &client);
  if (FAILED (result))
    set_refused (error, result, &params);
  return SUCCEEDED (result) ? client : NULL;
}

gboolean
zc_wasapi_process_exists (guint process_id, GError **error)
{
  HANDLE process = OpenProcess (PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process_id);
  DWORD exit_code = STILL_ACTIVE;
  gboolean exists;

  /* What may not be opened is there all the same. A process that has ended can be opened as long as somebody has it
   * open. */
  if (process == NULL)
    exists = GetLastError () == ERROR_ACCESS_DENIED;
  else
    exists = !GetExitCodeProcess (process, &exit_code) || exit_code == STILL_ACTIVE;
  if (process != NULL)
    CloseHandle (process);
  if (!exists)
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE, "There is no process %u (OpenProcess). Set process-id to one "
        "that runs: see the Details tab of the Task Manager.", process_id);
  return exists;
}

/* -- by name ----------------------------------------------------------------------------------------------------- */

static gboolean
is_called (const PROCESSENTRY32W *entry, const gchar *name)
{
  g_autofree gchar *file = g_utf16_to_utf8 ((const gunichar2 *) entry->szExeFile, -1, NULL, NULL, NULL);
  g_autofree gchar *with_ending = g_strconcat (name, ".exe", NULL);

  return file != NULL && (g_ascii_strcasecmp (file, name) == 0 || g_ascii_strcasecmp (file, with_ending) == 0);
}

/* PROCESSENTRY32W of those that are called so. */
static GArray *
list_called (const gchar *name)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (PROCESSENTRY32W));
  HANDLE snapshot = CreateToolhelp32Snapshot (TH32CS_SNAPPROCESS, 0);
  PROCESSENTRY32W entry = { .dwSize = sizeof entry };

  if (snapshot == INVALID_HANDLE_VALUE)
    return found;
  for (BOOL more = Process32FirstW (snapshot, &entry); more; more = Process32NextW (snapshot, &entry))
    if (is_called (&entry, name))
      g_array_append_val (found, entry);
  CloseHandle (snapshot);
  return found;
}

static gboolean
has_process (const GArray *entries, DWORD process_id)
{
  for (guint i = 0; i < entries->len; i++)
    if (g_array_index (entries, PROCESSENTRY32W, i).th32ProcessID == process_id)
      return TRUE;
  return FALSE;
}

guint
zc_wasapi_process_of_name (const gchar *name)
{
  g_autoptr (GArray) called = list_called (name);

  for (guint i = 0; i < called->len; i++) {
    const PROCESSENTRY32W *entry = &g_array_index (called, PROCESSENTRY32W, i);
    if (!has_process (called, entry->th32ParentProcessID))
      return entry->th32ProcessID;
  }
  /* The number of a parent that has ended may be another's by now. */
  return called->len > 0 ? g_array_index (called, PROCESSENTRY32W, 0).th32ProcessID : 0;
}

HANDLE
zc_wasapi_process_end (guint process_id)
{
  return OpenProcess (SYNCHRONIZE, FALSE, process_id);
}
