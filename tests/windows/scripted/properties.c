/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* properties.c: IPropertyStore of an endpoint. */
#include "device.h"

#include <propsys.h>
#include <functiondiscoverykeys_devpkey.h>
#include <wchar.h>

typedef struct {
  SaObject base;
  unsigned endpoint;
} Properties;

static HRESULT
text (const wchar_t *value, PROPVARIANT *out)
{
  out->pwszVal = CoTaskMemAlloc ((wcslen (value) + 1) * sizeof *value);
  if (!out->pwszVal)
    return E_OUTOFMEMORY;
  wcscpy (out->pwszVal, value);
  out->vt = VT_LPWSTR;
  return S_OK;
}

static HRESULT
friendly_name (const SaEndpoint *endpoint, PROPVARIANT *out)
{
  wchar_t name[300];

  swprintf (name, ARRAYSIZE (name), L"%ls (%ls)", endpoint->name, endpoint->interface_name);
  return text (name, out);
}

static HRESULT
description (const SaEndpoint *endpoint, PROPVARIANT *out)
{
  return text (endpoint->name, out);
}

static HRESULT
interface_name (const SaEndpoint *endpoint, PROPVARIANT *out)
{
  return text (endpoint->interface_name, out);
}

static HRESULT
enumerator_name (const SaEndpoint *endpoint, PROPVARIANT *out)
{
  return text (L"SCRIPTED", out);
}

/* The second part of the id. */
static HRESULT
guid (const SaEndpoint *endpoint, PROPVARIANT *out)
{
  const wchar_t *dot = wcsstr (endpoint->id, L"}.{");

  return text (dot ? dot + 2 : endpoint->id, out);
}

static HRESULT
form_factor (const SaEndpoint *endpoint, PROPVARIANT *out)
{
  out->vt = VT_UI4;
  out->ulVal = endpoint->flow == eRender ? Speakers : Microphone;
  return S_OK;
}

static HRESULT
device_format (const SaEndpoint *endpoint, PROPVARIANT *out)
{
  WAVEFORMATEX *wave = sa_format_to_wave (&endpoint->format);

  if (!wave)
    return E_OUTOFMEMORY;
  out->vt = VT_BLOB;
  out->blob.cbSize = sizeof *wave + wave->cbSize;
  out->blob.pBlobData = (BYTE *) wave;
  return S_OK;
}

static const struct {
  const PROPERTYKEY *key;
  HRESULT (*get) (const SaEndpoint *, PROPVARIANT *);
} table[] = {
  { (const PROPERTYKEY *) &PKEY_Device_FriendlyName, friendly_name },
  { (const PROPERTYKEY *) &PKEY_Device_DeviceDesc, description },
  { (const PROPERTYKEY *) &PKEY_DeviceInterface_FriendlyName, interface_name },
  { (const PROPERTYKEY *) &PKEY_Device_EnumeratorName, enumerator_name },
  { &PKEY_AudioEndpoint_GUID, guid },
  { &PKEY_AudioEndpoint_FormFactor, form_factor },
  { &PKEY_AudioEngine_DeviceFormat, device_format },
};

static HRESULT STDMETHODCALLTYPE
get_count (IPropertyStore *face, DWORD *count)
{
  HRESULT hr;

  if (!sa_enter (sa_object_of (face), "GetCount", &hr))
    return hr;
  if (!count)
    return E_POINTER;
  *count = ARRAYSIZE (table);
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_at (IPropertyStore *face, DWORD index, PROPERTYKEY *key)
{
  HRESULT hr;

  if (!sa_enter (sa_object_of (face), "GetAt", &hr))
    return hr;
  if (!key)
    return E_POINTER;
  if (index >= ARRAYSIZE (table))
    return E_INVALIDARG;
  *key = *table[index].key;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
get_value (IPropertyStore *face, REFPROPERTYKEY key, PROPVARIANT *value)
{
  Properties *properties = sa_object_of (face);
  HRESULT hr;

  if (!value)
    return E_POINTER;
  PropVariantInit (value);
  if (!sa_enter (properties, "GetValue", &hr))
    return hr;
  for (unsigned i = 0; i < ARRAYSIZE (table); i++) {
    if (IsEqualGUID (&key->fmtid, &table[i].key->fmtid) && key->pid == table[i].key->pid)
      return table[i].get (&sa_script ()->endpoints[properties->endpoint], value);
  }
  return S_OK; /* what is not there is VT_EMPTY */
}

static HRESULT STDMETHODCALLTYPE
set_value (IPropertyStore *face, REFPROPERTYKEY key, REFPROPVARIANT value)
{
  return STG_E_ACCESSDENIED;
}

static HRESULT STDMETHODCALLTYPE
commit (IPropertyStore *face)
{
  return STG_E_ACCESSDENIED;
}

static const IPropertyStoreVtbl vtbl = {
  SA_UNKNOWN (IPropertyStore),
  .GetCount = get_count,
  .GetAt = get_at,
  .GetValue = get_value,
  .SetValue = set_value,
  .Commit = commit,
};

static const SaClass klass = {
  .name = "IPropertyStore",
  .vtbls = { &vtbl },
  .interfaces = { { &IID_IPropertyStore, 0 } },
};

SaObject *
sa_properties_new (unsigned endpoint)
{
  Properties *properties = sa_object_new (&klass, sizeof *properties);

  properties->endpoint = endpoint;
  return &properties->base;
}
