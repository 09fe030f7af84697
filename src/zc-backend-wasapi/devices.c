/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "devices.h"

#include "errors.h"

#include <string.h>

void
zc_endpoint_free (ZcEndpoint *endpoint)
{
  g_free (endpoint->id);
  g_free (endpoint->name);
  g_free (endpoint->format);
  g_free (endpoint);
}

static gchar *
take_string (WCHAR *text)
{
  gchar *utf8 = g_utf16_to_utf8 ((const gunichar2 *) text, -1, NULL, NULL, NULL);

  CoTaskMemFree (text);
  return utf8;
}

IMMDeviceEnumerator *
zc_wasapi_enumerator (GError **error)
{
  IMMDeviceEnumerator *enumerator = NULL;
  HRESULT result = CoCreateInstance (&CLSID_MMDeviceEnumerator, NULL, CLSCTX_INPROC_SERVER, &IID_IMMDeviceEnumerator,
      (void **) &enumerator);

  if (FAILED (result))
    zc_wasapi_set_error (error, result, "Windows' audio system", "CoCreateInstance(MMDeviceEnumerator)");
  return enumerator;
}

static gchar *
device_id (IMMDevice *device)
{
  WCHAR *id = NULL;

  return SUCCEEDED (IMMDevice_GetId (device, &id)) ? take_string (id) : NULL;
}

/* What people call it; its id if it has no name. */
static gchar *
device_name (IMMDevice *device)
{
  IPropertyStore *store = NULL;
  gchar *name = NULL;
  PROPVARIANT value;

  PropVariantInit (&value);
  if (SUCCEEDED (IMMDevice_OpenPropertyStore (device, STGM_READ, &store))
      && SUCCEEDED (IPropertyStore_GetValue (store, &PKEY_Device_FriendlyName, &value)) && value.vt == VT_LPWSTR)
    name = g_utf16_to_utf8 ((const gunichar2 *) value.pwszVal, -1, NULL, NULL, NULL);
  PropVariantClear (&value);
  zc_com_clear (&store);
  return name != NULL ? name : device_id (device);
}

/* -- the list ---------------------------------------------------------------------------------------------------- */

static IMMDeviceCollection *
active_endpoints (IMMDeviceEnumerator *enumerator, GError **error)
{
  IMMDeviceCollection *collection = NULL;
  HRESULT result = IMMDeviceEnumerator_EnumAudioEndpoints (enumerator, eRender, DEVICE_STATE_ACTIVE, &collection);

  if (FAILED (result))
    zc_wasapi_set_error (error, result, "Windows' audio system", "EnumAudioEndpoints");
  return collection;
}

#define NO_DEFAULT HRESULT_FROM_WIN32 (ERROR_NOT_FOUND)

gchar *
zc_wasapi_default_id (IMMDeviceEnumerator *enumerator, gint role, GError **error)
{
  IMMDevice *device = NULL;
  HRESULT result = IMMDeviceEnumerator_GetDefaultAudioEndpoint (enumerator, eRender, (ERole) role, &device);
  gchar *id = SUCCEEDED (result) ? device_id (device) : NULL;

  if (FAILED (result) && result != NO_DEFAULT)
    zc_wasapi_set_error (error, result, "Windows' audio system", "GetDefaultAudioEndpoint");
  zc_com_clear (&device);
  return id;
}

static GPtrArray *
list (IMMDeviceEnumerator *enumerator, GError **error)
{
  GPtrArray *infos = g_ptr_array_new_with_free_func ((GDestroyNotify) zc_device_info_free);
  IMMDeviceCollection *collection = active_endpoints (enumerator, error);
  g_autofree gchar *standard = zc_wasapi_default_id (enumerator, eConsole, NULL);
  UINT count = 0;

  if (collection == NULL) {
    g_ptr_array_unref (infos);
    return NULL;
  }
  IMMDeviceCollection_GetCount (collection, &count);
  for (UINT i = 0; i < count; i++) {
    IMMDevice *device = NULL;
    ZcDeviceInfo *info;

    if (FAILED (IMMDeviceCollection_Item (collection, i, &device)))
      continue; /* just gone */
    info = g_new0 (ZcDeviceInfo, 1);
    info->name = device_id (device);
    info->description = device_name (device);
    info->is_default = g_strcmp0 (info->name, standard) == 0;
    if (info->name != NULL)
      g_ptr_array_add (infos, info);
    else
      zc_device_info_free (info); /* just gone, too */
    zc_com_clear (&device);
  }
  zc_com_clear (&collection);
  return infos;
}

GPtrArray *
zc_wasapi_list (GError **error)
{
  IMMDeviceEnumerator *enumerator = zc_wasapi_enumerator (error);
  GPtrArray *infos = enumerator != NULL ? list (enumerator, error) : NULL;

  zc_com_clear (&enumerator);
  return infos;
}

/* -- one of them ------------------------------------------------------------------------------------------------- */

/* "\\?\SWD#MMDEVAPI#{0.0.0.00000000}.{...}#{...}" is the name of the same thing as a device interface. */
static gchar *
plain_id (const gchar *name)
{
  const gchar *prefix = "\\\\?\\SWD#MMDEVAPI#";
  const gchar *begin, *end;

  if (g_ascii_strncasecmp (name, prefix, strlen (prefix)) != 0)
    return g_strdup (name);
  begin = name + strlen (prefix);
  end = strchr (begin, '#');
  return end != NULL ? g_strndup (begin, (gsize) (end - begin)) : g_strdup (begin);
}

static gboolean
find_role (const gchar *name, ERole *role)
{
  static const gchar *const names[] = { "console", "multimedia", "communications" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (name == NULL || g_str_equal (name, names[i])) {
      *role = (ERole) i;
      return TRUE;
    }
  return FALSE;
}

gboolean
zc_wasapi_is_role (const gchar *name)
{
  ERole role;

  return find_role (name, &role);
}

static gchar *
find_id (const GPtrArray *infos, const gchar *name)
{
  g_autofree gchar *id = plain_id (name);

  for (guint i = 0; i < infos->len; i++) {
    const ZcDeviceInfo *info = g_ptr_array_index (infos, i);

    if (g_ascii_strcasecmp (info->name, id) == 0 || g_strcmp0 (info->description, name) == 0)
      return g_strdup (info->name);
  }
  return NULL;
}

static void
set_unknown_device (GError **error, const GPtrArray *infos, const gchar *name)
{
  g_autoptr (GString) known = g_string_new (NULL);

  for (guint i = 0; i < infos->len; i++) {
    const ZcDeviceInfo *info = g_ptr_array_index (infos, i);
    g_string_append_printf (known, "%s\"%s\" (%s)", i > 0 ? ", " : "", info->description, info->name);
  }
  if (infos->len == 0)
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE, "Windows has no device that plays (EnumAudioEndpoints found "
        "none). Plug one in, or enable one in Settings > System > Sound.");
  else if (name == NULL)
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE, "Windows has no default device (GetDefaultAudioEndpoint). Choose "
        "one in Settings > System > Sound, or set device to one of: %s.", known->str);
  else
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_DEVICE, "Windows has no device \"%s\" that plays. Set device to one of: "
        "%s; or leave it unset for the default.", name, known->str);
}

/* The id of the endpoint that is meant. */
static gchar *
choose (IMMDeviceEnumerator *enumerator, const gchar *name, GError **error)
{
  g_autoptr (GPtrArray) infos = list (enumerator, error);
  g_autoptr (GError) failure = NULL;
  gchar *id = NULL;
  ERole role;

  if (infos == NULL)
    return NULL;
  if (find_role (name, &role))
    id = zc_wasapi_default_id (enumerator, role, &failure);
  else
    id = find_id (infos, name);
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  else if (id == NULL)
    set_unknown_device (error, infos, name);
  return id;
}

IMMDevice *
zc_wasapi_device (IMMDeviceEnumerator *enumerator, const ZcEndpoint *endpoint, GError **error)
{
  g_autofree gunichar2 *id = g_utf8_to_utf16 (endpoint->id, -1, NULL, NULL, NULL);
  IMMDevice *device = NULL;
  HRESULT result = IMMDeviceEnumerator_GetDevice (enumerator, (const WCHAR *) id, &device);

  if (FAILED (result))
    zc_wasapi_set_error (error, result, endpoint->name, "GetDevice");
  return device;
}

/* The engine's own format, which needs a client that is not initialized. */
static gboolean
read_format (IMMDevice *device, ZcEndpoint *endpoint, GError **error)
{
  IAudioClient *client = NULL;
  WAVEFORMATEX *format = NULL;
  const gchar *call = "Activate(IAudioClient)";
  HRESULT result = IMMDevice_Activate (device, &IID_IAudioClient, CLSCTX_ALL, NULL, (void **) &client);

  if (SUCCEEDED (result)) {
    call = "GetMixFormat";
    result = IAudioClient_GetMixFormat (client, &format);
  }
  if (SUCCEEDED (result))
    endpoint->format = g_memdup2 (format, sizeof *format + format->cbSize);
  else
    zc_wasapi_set_error (error, result, endpoint->name, call);
  CoTaskMemFree (format);
  zc_com_clear (&client);
  return SUCCEEDED (result);
}

static ZcEndpoint *
describe (IMMDeviceEnumerator *enumerator, gchar *id, GError **error)
{
  ZcEndpoint *endpoint = g_new0 (ZcEndpoint, 1);
  gboolean complete = FALSE;
  IMMDevice *device;

  endpoint->id = id;
  endpoint->name = g_strdup (id);
  device = zc_wasapi_device (enumerator, endpoint, error);
  if (device != NULL) {
    g_free (endpoint->name);
    endpoint->name = device_name (device);
    complete = read_format (device, endpoint, error);
  }
  zc_com_clear (&device);
  if (!complete)
    g_clear_pointer (&endpoint, zc_endpoint_free);
  return endpoint;
}

ZcEndpoint *
zc_wasapi_find (const gchar *name, GError **error)
{
  IMMDeviceEnumerator *enumerator = zc_wasapi_enumerator (error);
  gchar *id = enumerator != NULL ? choose (enumerator, name, error) : NULL;
  ZcEndpoint *endpoint = id != NULL ? describe (enumerator, id, error) : NULL;

  ERole role;

  if (endpoint != NULL)
    endpoint->role = find_role (name, &role) ? (gint) role : -1;
  zc_com_clear (&enumerator);
  return endpoint;
}
