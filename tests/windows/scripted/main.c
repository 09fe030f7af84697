/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* main.c: what mmdevapi.dll exports to COM, its beginning and its end. */
#include "device.h"
#include "engine.h"
#include "report.h"

#include <corecrt_startup.h>

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

/* Streams that are there, what is left, and the end. */
static void
summarise (const char *when)
{
  sa_report ("summary %s", when);
  sa_engine_report ();
  sa_objects_report ();
  sa_report_end ();
}

/* Windows ends a process at once, and calls no DLL, where a thread that it killed held a lock that another DLL asks for
 * in its own detach. So there is a summary before, when main() is over, if the program has the same C library. */
static void
on_exit (void)
{
  sa_lock ();
  summarise ("exit");
  sa_unlock ();
}

static void
begin (HINSTANCE module)
{
  HMODULE pinned;

  GetModuleHandleExW (GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (LPCWSTR) module,
      &pinned);
  DisableThreadLibraryCalls (module);
  sa_report_open ();
  _crt_atexit (on_exit);
}

BOOL WINAPI DllMain (HINSTANCE module, DWORD reason, LPVOID reserved);

/* The process ends: no other thread runs any more, and none will give back a lock that it held. */
BOOL WINAPI
DllMain (HINSTANCE module, DWORD reason, LPVOID reserved)
{
  if (reason == DLL_PROCESS_ATTACH)
    begin (module);
  if (reason == DLL_PROCESS_DETACH)
    summarise ("detach");
  return TRUE;
}
