/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* device.c: IMMDevice, IMMEndpoint, IMMDeviceCollection. */
#include "device.h"
#include "client.h"
#include "notify.h"
#include "report.h"

#include <endpointvolume.h>
#include <wchar.h>

typedef struct {
  SaObject base;
  unsigned endpoint;
} Device;

typedef struct {
  SaObject base;
  unsigned count;
  unsigned endpoints[SA_MAX_ENDPOINTS];
} Collection;

static SaEndpoint *
endpoint_of (const Device *device)
{
  return &sa_script ()->endpoints[device->endpoint];
}

static HRESULT
make (const Device *device, REFIID iid, SaObject **made)
{
  if (endpoint_of (device)->state != DEVICE_STATE_ACTIVE)
    return AUDCLNT_E_DEVICE_INVALIDATED;
  if (IsEqualIID (iid, &IID_IAudioClient) || IsEqualIID (iid, &IID_IAudioClient2)
      || IsEqualIID (iid, &IID_IAudioClient3))
    *made = &sa_client_new (device->endpoint, false)->base;
  else if (IsEqualIID (iid, &IID_IAudioEndpointVolume))
    *made = sa_endpoint_volume_new (device->endpoint);
  else
    return E_NOINTERFACE;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
activate (IMMDevice *face, REFIID iid, DWORD context, PROPVARIANT *params, void **out)
{
  Device *device = sa_object_of (face);
  SaObject *made;
  HRESULT hr;

  if (!out)
    return E_POINTER;
  *out = NULL;
  if (!sa_enter (device, "Activate", &hr))
    return hr;
  hr = make (device, iid, &made);
  if (hr != S_OK)
    return hr;
  hr = sa_object_query (made, iid, out);
  sa_object_unref (made);
  return hr;
}

static HRESULT STDMETHODCALLTYPE
open_property_store (IMMDevice *face, DWORD access, IPropertyStore **store)
{
  Device *device = sa_object_of (face);
  HRESULT hr;

  if (!store)
    return E_POINTER;
  *store = NULL;
  if (!sa_enter (device, "OpenPropertyStore", &hr))
    return hr;
  if (access != STGM_READ)
    return E_ACCESSDENIED;
  *store = sa_face (sa_properties_new (device->endpoint), 0);
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_id (IMMDevice *face, LPWSTR *id)
{
  Device *device = sa_object_of (face);
  const wchar_t *found = endpoint_of (device)->id;
  HRESULT hr;

  if (!id)
    return E_POINTER;
  *id = NULL;
  if (!sa_enter (device, "GetId", &hr))
    return hr;
  *id = CoTaskMemAlloc ((wcslen (found) + 1) * sizeof *found);
  if (!*id)
    return E_OUTOFMEMORY;
  wcscpy (*id, found);
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_state (IMMDevice *face, DWORD *state)
{
  Device *device = sa_object_of (face);
  HRESULT hr;

  if (!sa_enter (device, "GetState", &hr))
    return hr;
  if (!state)
    return E_POINTER;
  *state = endpoint_of (device)->state;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_data_flow (IMMEndpoint *face, EDataFlow *flow)
{
  Device *device = sa_object_of (face);
  HRESULT hr;

  if (!sa_enter (device, "GetDataFlow", &hr))
    return hr;
  if (!flow)
    return E_POINTER;
  *flow = endpoint_of (device)->flow;
  return S_OK;
}

static const IMMDeviceVtbl device_vtbl = {
  SA_UNKNOWN (IMMDevice),
  .Activate = activate,
  .OpenPropertyStore = open_property_store,
  .GetId = get_id,
  .GetState = get_state,
};

static const IMMEndpointVtbl endpoint_vtbl = {
  SA_UNKNOWN (IMMEndpoint),
  .GetDataFlow = get_data_flow,
};

static void
let_go (SaObject *object)
{
  if (sa_notify_is_callback ())
    sa_violation ("device-released-in-notification", "IMMDevice#%u", object->number);
}

static const SaClass device_class = {
  .name = "IMMDevice",
  .vtbls = { &device_vtbl, &endpoint_vtbl },
  .interfaces = { { &IID_IMMDevice, 0 }, { &IID_IMMEndpoint, 1 } },
  .let_go = let_go,
};

SaObject *
sa_device_new (unsigned endpoint)
{
  Device *device = sa_object_new (&device_class, sizeof *device);

  device->endpoint = endpoint;
  return &device->base;
}

static HRESULT STDMETHODCALLTYPE
get_count (IMMDeviceCollection *face, UINT *count)
{
  Collection *collection = sa_object_of (face);
  HRESULT hr;

  if (!sa_enter (collection, "GetCount", &hr))
    return hr;
  if (!count)
    return E_POINTER;
  *count = collection->count;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
item (IMMDeviceCollection *face, UINT index, IMMDevice **device)
{
  Collection *collection = sa_object_of (face);
  HRESULT hr;

  if (!device)
    return E_POINTER;
  *device = NULL;
  if (!sa_enter (collection, "Item", &hr))
    return hr;
  if (index >= collection->count)
    return E_INVALIDARG;
  *device = sa_face (sa_device_new (collection->endpoints[index]), 0);
  return S_OK;
}

static const IMMDeviceCollectionVtbl collection_vtbl = {
  SA_UNKNOWN (IMMDeviceCollection),
  .GetCount = get_count,
  .Item = item,
};

static const SaClass collection_class = {
  .name = "IMMDeviceCollection",
  .vtbls = { &collection_vtbl },
  .interfaces = { { &IID_IMMDeviceCollection, 0 } },
};

/* What it is at this moment; it does not change. */
SaObject *
sa_collection_new (EDataFlow flow, DWORD states)
{
  Collection *collection = sa_object_new (&collection_class, sizeof *collection);
  const SaScript *script = sa_script ();

  sa_lock ();
  for (unsigned i = 0; i < script->n_endpoints; i++) {
    const SaEndpoint *endpoint = &script->endpoints[i];

    if ((flow == eAll || endpoint->flow == flow) && (endpoint->state & states))
      collection->endpoints[collection->count++] = i;
  }
  sa_unlock ();
  return &collection->base;
}
