/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* activate.c: ActivateAudioInterfaceAsync. */
#include "client.h"
#include "activation.h"
#include "device.h"
#include "report.h"

#include <endpointvolume.h>
#include <wchar.h>

/* Windows has it in winerror.h, MinGW-w64 nowhere. */
#ifndef E_ILLEGAL_METHOD_CALL
#define E_ILLEGAL_METHOD_CALL _HRESULT_TYPEDEF_ (0x8000000E)
#endif

typedef struct {
  SaObject base;
  IActivateAudioInterfaceCompletionHandler *handler;
  IID iid;
  unsigned endpoint;
  bool routed, process, exclude;
  DWORD pid;
  bool done;
  HRESULT hr;
  SaObject *made; /* our reference until the operation ends */
} Operation;

static HRESULT STDMETHODCALLTYPE
get_activate_result (IActivateAudioInterfaceAsyncOperation *face, HRESULT *result, IUnknown **made)
{
  Operation *operation = sa_object_of (face);
  HRESULT hr;

  if (!result || !made)
    return E_POINTER;
  *made = NULL;
  *result = E_UNEXPECTED;
  if (!sa_enter (operation, "GetActivateResult", &hr))
    return hr;
  if (!operation->done) {
    sa_violation ("result-before-completion", "GetActivateResult");
    return E_ILLEGAL_METHOD_CALL;
  }
  *result = operation->hr;
  if (operation->hr == S_OK)
    *result = sa_object_query (operation->made, &operation->iid, (void **) made);
  return S_OK;
}

static const IActivateAudioInterfaceAsyncOperationVtbl vtbl = {
  SA_UNKNOWN (IActivateAudioInterfaceAsyncOperation),
  .GetActivateResult = get_activate_result,
};

static void
dispose (SaObject *object)
{
  Operation *operation = (Operation *) object;

  if (operation->made)
    sa_object_disown (operation->made);
}

static const SaClass klass = {
  .name = "IActivateAudioInterfaceAsyncOperation",
  .vtbls = { &vtbl },
  .interfaces = { { &IID_IActivateAudioInterfaceAsyncOperation, 0 } },
  .dispose = dispose,
};

static bool
is_client (REFIID iid, bool process)
{
  return IsEqualIID (iid, &IID_IAudioClient)
      || (!process && (IsEqualIID (iid, &IID_IAudioClient2) || IsEqualIID (iid, &IID_IAudioClient3)));
}

static HRESULT
make (Operation *operation)
{
  const SaScript *script = sa_script ();

  if (operation->process && script->process_refused != S_OK)
    return script->process_refused;
  if (operation->process)
    operation->made = &sa_process_client_new (operation->pid, operation->exclude)->base;
  else if (script->endpoints[operation->endpoint].state != DEVICE_STATE_ACTIVE)
    return AUDCLNT_E_DEVICE_INVALIDATED;
  else if (IsEqualIID (&operation->iid, &IID_IAudioEndpointVolume))
    operation->made = sa_endpoint_volume_new (operation->endpoint);
  else
    operation->made = &sa_client_new (operation->endpoint, operation->routed)->base;
  sa_object_own (operation->made);
  sa_object_unref (operation->made);
  return S_OK;
}

/* In the multithreaded apartment, whatever the caller's thread is. An operation that is never to complete keeps the
 * handler for ever, and its thread ends here. */
static DWORD WINAPI
complete (LPVOID data)
{
  Operation *operation = data;

  if (sa_script ()->activate_never)
    return 0;
  CoInitializeEx (NULL, COINIT_MULTITHREADED);
  Sleep ((DWORD) (sa_script ()->activate_s * 1000));
  if (sa_enter (operation, "ActivateResult", &operation->hr))
    operation->hr = make (operation);
  operation->done = true;
  IActivateAudioInterfaceCompletionHandler_ActivateCompleted (operation->handler, sa_face (operation, 0));
  IActivateAudioInterfaceCompletionHandler_Release (operation->handler);
  operation->handler = NULL;
  sa_object_disown (operation);
  CoUninitialize ();
  return 0;
}

/* The same interface, by the id of an endpoint, by the class of those that play or record, or a process. */
static HRESULT
find_endpoint (Operation *operation, const wchar_t *path)
{
  wchar_t guid[40];

  static const struct {
    const GUID *guid;
    EDataFlow flow;
  } classes[] = { { &DEVINTERFACE_AUDIO_RENDER, eRender }, { &DEVINTERFACE_AUDIO_CAPTURE, eCapture } };

  for (unsigned i = 0; i < ARRAYSIZE (classes); i++) {
    StringFromGUID2 (classes[i].guid, guid, ARRAYSIZE (guid));
    if (_wcsicmp (path, guid))
      continue;
    operation->routed = true;
    operation->endpoint = sa_engine_default (classes[i].flow);
  }
  if (!operation->routed)
    operation->endpoint = sa_script_find (path);
  return operation->endpoint < sa_script ()->n_endpoints ? S_OK : HRESULT_FROM_WIN32 (ERROR_FILE_NOT_FOUND);
}

static HRESULT
read_process (Operation *operation, const PROPVARIANT *params)
{
  const AUDIOCLIENT_ACTIVATION_PARAMS *found;
  unsigned mode;

  if (!params || params->vt != VT_BLOB || params->blob.cbSize != sizeof *found || !params->blob.pBlobData)
    return E_INVALIDARG;
  found = (const AUDIOCLIENT_ACTIVATION_PARAMS *) params->blob.pBlobData;
  mode = (unsigned) found->ProcessLoopbackParams.ProcessLoopbackMode;
  if (found->ActivationType != AUDIOCLIENT_ACTIVATION_TYPE_PROCESS_LOOPBACK
      || mode > PROCESS_LOOPBACK_MODE_EXCLUDE_TARGET_PROCESS_TREE)
    return E_INVALIDARG;
  operation->process = true;
  operation->pid = found->ProcessLoopbackParams.TargetProcessId;
  operation->exclude = mode == PROCESS_LOOPBACK_MODE_EXCLUDE_TARGET_PROCESS_TREE;
  return S_OK;
}

static HRESULT
check_handler (IActivateAudioInterfaceCompletionHandler *handler)
{
  IUnknown *agile;

  if (SUCCEEDED (IActivateAudioInterfaceCompletionHandler_QueryInterface (handler, &IID_IAgileObject,
          (void **) &agile))) {
    IUnknown_Release (agile);
    return S_OK;
  }
  sa_violation ("handler-not-agile", "ActivateAudioInterfaceAsync");
  return E_ILLEGAL_METHOD_CALL;
}

static HRESULT
prepare (Operation *operation, const wchar_t *path, const PROPVARIANT *params)
{
  HRESULT hr;

  if (!sa_enter (operation, "ActivateAudioInterfaceAsync", &hr))
    return hr;
  hr = _wcsicmp (path, VIRTUAL_AUDIO_DEVICE_PROCESS_LOOPBACK) ? find_endpoint (operation, path)
      : read_process (operation, params);
  if (hr != S_OK)
    return hr;
  if (operation->process && sa_script ()->process_refused_at_call)
    return sa_script ()->process_refused;
  if (!is_client (&operation->iid, operation->process)
      && (operation->process || !IsEqualIID (&operation->iid, &IID_IAudioEndpointVolume)))
    return E_NOINTERFACE;
  return check_handler (operation->handler);
}

static void
start (Operation *operation)
{
  HANDLE thread;

  sa_object_own (operation);
  IActivateAudioInterfaceCompletionHandler_AddRef (operation->handler);
  thread = CreateThread (NULL, 0, complete, operation, 0, NULL);
  CloseHandle (thread);
}

HRESULT WINAPI
ActivateAudioInterfaceAsync (LPCWSTR path, REFIID iid, PROPVARIANT *params,
    IActivateAudioInterfaceCompletionHandler *handler, IActivateAudioInterfaceAsyncOperation **out)
{
  Operation *operation;
  HRESULT hr;

  if (!out)
    return E_POINTER;
  *out = NULL;
  if (!path || !handler)
    return E_INVALIDARG;
  if (!sa_script ())
    return E_FAIL;
  operation = sa_object_new (&klass, sizeof *operation);
  operation->handler = handler;
  operation->iid = *iid;
  hr = prepare (operation, path, params);
  if (hr == S_OK) {
    *out = sa_face (operation, 0);
    start (operation);
  } else {
    sa_object_unref (operation);
  }
  return hr;
}
