/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* main.c: what mmdevapi.dll exports to COM, its beginning and its end. */
#include "device.h"
#include "engine.h"
#include "report.h"

HRESULT WINAPI
DllGetClassObject (REFCLSID clsid, REFIID iid, LPVOID *out)
{
  static SaObject *factory;

  if (!out)
    return E_POINTER;
  *out = NULL;
  if (!IsEqualCLSID (clsid, &CLSID_MMDeviceEnumerator) || !sa_script ())
    return CLASS_E_CLASSNOTAVAILABLE;
  sa_lock ();
  if (!factory)
    factory = sa_factory_new ();
  sa_unlock ();
  return sa_object_query (factory, iid, out);
}

/* Threads of ours run until the process ends. */
HRESULT WINAPI
DllCanUnloadNow (void)
{
  return S_FALSE;
}

static void
begin (HINSTANCE module)
{
  HMODULE pinned;

  GetModuleHandleExW (GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (LPCWSTR) module,
      &pinned);
  DisableThreadLibraryCalls (module);
  sa_report_open ();
}

BOOL WINAPI DllMain (HINSTANCE module, DWORD reason, LPVOID reserved);

/* The process ends: no other thread runs any more, and none will give back a lock that it held. */
BOOL WINAPI
DllMain (HINSTANCE module, DWORD reason, LPVOID reserved)
{
  if (reason == DLL_PROCESS_ATTACH)
    begin (module);
  if (reason == DLL_PROCESS_DETACH) {
    sa_engine_report ();
    sa_objects_report ();
    sa_report_end ();
  }
  return TRUE;
}
