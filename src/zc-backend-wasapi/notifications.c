/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notifications.h"

#include "devices.h"

struct _ZcNotifications {
  IMMNotificationClient client; /* first: Windows knows us by it */
  LONG refs;
  IMMDeviceEnumerator *enumerator; /* NULL if it refused us */
  gunichar2 *id;
  HANDLE event; /* our own handle of it: Windows may call for as long as it holds a reference */
  gint role;
  gint gone;  /* atomic */
  gint moved; /* atomic */
};

static HRESULT STDMETHODCALLTYPE
query_interface (IMMNotificationClient *client, REFIID iid, void **object)
{
  if (!IsEqualIID (iid, &IID_IUnknown) && !IsEqualIID (iid, &IID_IMMNotificationClient)) {
    *object = NULL;
    return E_NOINTERFACE;
  }
  *object = client;
  IMMNotificationClient_AddRef (client);
  return S_OK;
}

static ULONG STDMETHODCALLTYPE
add_ref (IMMNotificationClient *client)
{
  return (ULONG) InterlockedIncrement (&((ZcNotifications *) client)->refs);
}

static ULONG STDMETHODCALLTYPE
release (IMMNotificationClient *client)
{
  ZcNotifications *self = (ZcNotifications *) client;
  LONG refs = InterlockedDecrement (&self->refs);

  if (refs == 0) {
    if (self->event != NULL)
      CloseHandle (self->event);
    g_free (self->id);
    g_free (self);
  }
  return (ULONG) refs;
}

/* On any thread. */
static void
note (ZcNotifications *self, gint *what)
{
  g_atomic_int_set (what, TRUE);
  SetEvent (self->event);
}

static HRESULT
note_gone (IMMNotificationClient *client, LPCWSTR id)
{
  ZcNotifications *self = (ZcNotifications *) client;

  if (lstrcmpiW (id, (LPCWSTR) self->id) == 0)
    note (self, &self->gone);
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
on_state (IMMNotificationClient *client, LPCWSTR id, DWORD state)
{
  return state != DEVICE_STATE_ACTIVE ? note_gone (client, id) : S_OK;
}

static HRESULT STDMETHODCALLTYPE
on_added (IMMNotificationClient *client, LPCWSTR id)
{
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
on_removed (IMMNotificationClient *client, LPCWSTR id)
{
  return note_gone (client, id);
}

static HRESULT STDMETHODCALLTYPE
on_default (IMMNotificationClient *client, EDataFlow flow, ERole role, LPCWSTR id)
{
  ZcNotifications *self = (ZcNotifications *) client;

  if (flow == eRender && (gint) role == self->role && id != NULL)
    note (self, &self->moved);
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE
on_property (IMMNotificationClient *client, LPCWSTR id, const PROPERTYKEY key)
{
  return S_OK;
}

static IMMNotificationClientVtbl vtable = {
  .QueryInterface = query_interface,
  .AddRef = add_ref,
  .Release = release,
  .OnDeviceStateChanged = on_state,
  .OnDeviceAdded = on_added,
  .OnDeviceRemoved = on_removed,
  .OnDefaultDeviceChanged = on_default,
  .OnPropertyValueChanged = on_property,
};

/* Since it was opened; a pause may be long. */
static void
note_if_moved (ZcNotifications *self, const gchar *id)
{
  g_autofree gchar *now = self->role >= 0 ? zc_wasapi_default_id (self->enumerator, self->role, NULL) : NULL;

  if (now != NULL && g_ascii_strcasecmp (now, id) != 0)
    note (self, &self->moved);
}

ZcNotifications *
zc_notifications_new (IMMDeviceEnumerator *enumerator, const gchar *id, gint role, HANDLE event)
{
  ZcNotifications *self = g_new0 (ZcNotifications, 1);

  self->client.lpVtbl = &vtable;
  self->refs = 1;
  self->role = role;
  self->id = g_utf8_to_utf16 (id, -1, NULL, NULL, NULL);
  if (!DuplicateHandle (GetCurrentProcess (), event, GetCurrentProcess (), &self->event, 0, FALSE,
          DUPLICATE_SAME_ACCESS))
    return self;
  if (FAILED (IMMDeviceEnumerator_RegisterEndpointNotificationCallback (enumerator, &self->client)))
    return self;
  self->enumerator = enumerator;
  IMMDeviceEnumerator_AddRef (enumerator);
  note_if_moved (self, id); /* after the registration: nothing is missed between */
  return self;
}

void
zc_notifications_free (ZcNotifications *self)
{
  if (self->enumerator != NULL) /* waits for a callback that runs; none comes after it */
    IMMDeviceEnumerator_UnregisterEndpointNotificationCallback (self->enumerator, &self->client);
  zc_com_clear (&self->enumerator);
  IMMNotificationClient_Release (&self->client);
}

gboolean
zc_notifications_gone (ZcNotifications *self)
{
  return g_atomic_int_get (&self->gone);
}

gboolean
zc_notifications_take_moved (ZcNotifications *self)
{
  return g_atomic_int_compare_and_exchange (&self->moved, TRUE, FALSE);
}
