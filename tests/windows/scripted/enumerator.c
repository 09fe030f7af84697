/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* enumerator.c: IMMDeviceEnumerator and its class factory. */
#include "device.h"
#include "engine.h"
#include "notify.h"
#include "report.h"

typedef struct {
  SaObject base;
  unsigned registered; /* callbacks, under sa_lock() */
} Enumerator;

static HRESULT STDMETHODCALLTYPE
enum_audio_endpoints (IMMDeviceEnumerator *face, EDataFlow flow, DWORD states, IMMDeviceCollection **devices)
{
  HRESULT hr;

  if (!devices)
    return E_POINTER;
  *devices = NULL;
  if (!sa_enter (sa_object_of (face), "EnumAudioEndpoints", &hr))
    return hr;
  if ((unsigned) flow >= EDataFlow_enum_count || (states & ~(DWORD) DEVICE_STATEMASK_ALL))
    return E_INVALIDARG;
  *devices = sa_face (sa_collection_new (flow, states), 0);
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_default_audio_endpoint (IMMDeviceEnumerator *face, EDataFlow flow, ERole role, IMMDevice **device)
{
  unsigned index;
  HRESULT hr;

  if (!device)
    return E_POINTER;
  *device = NULL;
  if (!sa_enter (sa_object_of (face), "GetDefaultAudioEndpoint", &hr))
    return hr;
  if ((unsigned) flow >= eAll || (unsigned) role >= ERole_enum_count)
    return E_INVALIDARG;
  sa_lock ();
  index = sa_engine_default (flow);
  sa_unlock ();
  if (index == sa_script ()->n_endpoints)
    return HRESULT_FROM_WIN32 (ERROR_NOT_FOUND);
  *device = sa_face (sa_device_new (index), 0);
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_device (IMMDeviceEnumerator *face, LPCWSTR id, IMMDevice **device)
{
  unsigned index;
  HRESULT hr;

  if (!device)
    return E_POINTER;
  *device = NULL;
  if (!sa_enter (sa_object_of (face), "GetDevice", &hr))
    return hr;
  if (!id)
    return E_POINTER;
  index = sa_script_find (id);
  if (index == sa_script ()->n_endpoints) /* what has not the form of an id is told from one of no endpoint */
    return *id == L'{' ? HRESULT_FROM_WIN32 (ERROR_NOT_FOUND) : E_INVALIDARG;
  *device = sa_face (sa_device_new (index), 0);
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
register_callback (IMMDeviceEnumerator *face, IMMNotificationClient *client)
{
  Enumerator *enumerator = sa_object_of (face);
  HRESULT hr;

  if (!sa_enter (enumerator, "RegisterEndpointNotificationCallback", &hr))
    return hr;
  hr = sa_notify_register (client);
  if (hr == S_OK)
    InterlockedIncrement ((LONG *) &enumerator->registered);
  return hr;
}

static HRESULT STDMETHODCALLTYPE
unregister_callback (IMMDeviceEnumerator *face, IMMNotificationClient *client)
{
  Enumerator *enumerator = sa_object_of (face);
  HRESULT hr;

  if (!sa_enter (enumerator, "UnregisterEndpointNotificationCallback", &hr))
    return hr;
  hr = sa_notify_unregister (client);
  if (hr == S_OK && enumerator->registered)
    InterlockedDecrement ((LONG *) &enumerator->registered);
  return hr;
}

static const IMMDeviceEnumeratorVtbl enumerator_vtbl = {
  SA_UNKNOWN (IMMDeviceEnumerator),
  .EnumAudioEndpoints = enum_audio_endpoints,
  .GetDefaultAudioEndpoint = get_default_audio_endpoint,
  .GetDevice = get_device,
  .RegisterEndpointNotificationCallback = register_callback,
  .UnregisterEndpointNotificationCallback = unregister_callback,
};

static void
let_go (SaObject *object)
{
  if (((Enumerator *) object)->registered)
    sa_violation ("enumerator-released-registered", "IMMDeviceEnumerator#%u", object->number);
}

static const SaClass enumerator_class = {
  .name = "IMMDeviceEnumerator",
  .vtbls = { &enumerator_vtbl },
  .interfaces = { { &IID_IMMDeviceEnumerator, 0 } },
  .let_go = let_go,
};

SaObject *
sa_enumerator_new (void)
{
  return sa_object_new (&enumerator_class, sizeof (Enumerator));
}

static HRESULT STDMETHODCALLTYPE
create_instance (IClassFactory *face, IUnknown *outer, REFIID iid, void **out)
{
  SaObject *enumerator;
  HRESULT hr;

  if (!out)
    return E_POINTER;
  *out = NULL;
  if (!sa_enter (sa_object_of (face), "CoCreate", &hr))
    return hr;
  if (outer)
    return CLASS_E_NOAGGREGATION;
  enumerator = sa_enumerator_new ();
  hr = sa_object_query (enumerator, iid, out);
  sa_object_unref (enumerator);
  return hr;
}

static HRESULT STDMETHODCALLTYPE
lock_server (IClassFactory *face, WINBOOL lock)
{
  return S_OK;
}

static const IClassFactoryVtbl factory_vtbl = {
  SA_UNKNOWN (IClassFactory),
  .CreateInstance = create_instance,
  .LockServer = lock_server,
};

static const SaClass factory_class = {
  .name = "IClassFactory",
  .vtbls = { &factory_vtbl },
  .interfaces = { { &IID_IClassFactory, 0 } },
  .shared = true,
};

SaObject *
sa_factory_new (void)
{
  return sa_object_new (&factory_class, sizeof (SaObject));
}
