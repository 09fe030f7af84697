/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notify.h"
#include "report.h"

#include <wchar.h>

#define MAX_CLIENTS 32
#define MAX_NEWS 256
#define BLOCKED_MS 100
#define UNREGISTER_BOUND_MS 5000

typedef struct {
  bool is_default; /* or a state */
  EDataFlow flow;
  ERole role;
  bool has_id;
  wchar_t id[128];
  DWORD state;
} News;

/* All under sa_lock(). */
static IMMNotificationClient *clients[MAX_CLIENTS];
static News news[MAX_NEWS];
static unsigned first_news, n_news;
static IMMNotificationClient *called; /* by the thread, right now */
static DWORD thread_id;
static HANDLE something;

static void
tell (IMMNotificationClient *client, const News *item)
{
  const wchar_t *id = item->has_id ? item->id : NULL;

  if (item->is_default)
    IMMNotificationClient_OnDefaultDeviceChanged (client, item->flow, item->role, id);
  else
    IMMNotificationClient_OnDeviceStateChanged (client, id, item->state);
}

/* The reference keeps a client alive that is unregistered meanwhile. */
static void
tell_one (unsigned index, const News *item)
{
  IMMNotificationClient *client;
  ULONGLONG begin, took_ms;

  sa_lock ();
  client = called = clients[index];
  if (client)
    IMMNotificationClient_AddRef (client);
  sa_unlock ();
  if (!client)
    return;
  begin = GetTickCount64 ();
  tell (client, item);
  took_ms = GetTickCount64 () - begin;
  if (took_ms > BLOCKED_MS)
    sa_violation ("notification-blocked", "IMMNotificationClient: %llu ms", took_ms);
  sa_lock ();
  called = NULL;
  sa_unlock ();
  IMMNotificationClient_Release (client);
}

static DWORD WINAPI
notify_thread (LPVOID unused)
{
  CoInitializeEx (NULL, COINIT_MULTITHREADED);
  for (;;) {
    News item;
    bool found;

    sa_lock ();
    found = n_news > 0;
    if (found) {
      item = news[first_news];
      first_news = (first_news + 1) % MAX_NEWS;
      n_news--;
    }
    sa_unlock ();
    if (!found) {
      WaitForSingleObject (something, INFINITE);
      continue;
    }
    for (unsigned i = 0; i < MAX_CLIENTS; i++)
      tell_one (i, &item);
  }
  return 0;
}

static void
start_thread (void)
{
  if (something)
    return;
  something = CreateEventW (NULL, FALSE, FALSE, NULL);
  CloseHandle (CreateThread (NULL, 0, notify_thread, NULL, 0, &thread_id));
}

bool
sa_notify_is_callback (void)
{
  return GetCurrentThreadId () == thread_id;
}

static unsigned
slot_of (const IMMNotificationClient *client)
{
  unsigned i = 0;

  while (i < MAX_CLIENTS && clients[i] != client)
    i++;
  return i;
}

HRESULT
sa_notify_register (IMMNotificationClient *client)
{
  HRESULT hr = S_OK;
  unsigned slot;

  if (!client)
    return E_POINTER;
  if (sa_notify_is_callback ())
    sa_violation ("register-in-notification", "RegisterEndpointNotificationCallback");
  sa_lock ();
  start_thread ();
  slot = slot_of (NULL);
  if (slot_of (client) < MAX_CLIENTS)
    sa_violation ("registered-twice", "RegisterEndpointNotificationCallback");
  else if (slot == MAX_CLIENTS)
    hr = E_OUTOFMEMORY;
  else
    clients[slot] = client;
  sa_unlock ();
  if (hr == S_OK)
    IMMNotificationClient_AddRef (client);
  return hr;
}

/* After it returns, Windows calls no more: it waits for a callback that is under way. */
static void
wait_for_callback (IMMNotificationClient *client)
{
  ULONGLONG end = GetTickCount64 () + UNREGISTER_BOUND_MS;

  while (!sa_notify_is_callback ()) {
    bool busy;

    sa_lock ();
    busy = called == client;
    sa_unlock ();
    if (!busy)
      return;
    if (GetTickCount64 () > end) {
      sa_violation ("unregister-deadlock", "the callback waits for UnregisterEndpointNotificationCallback");
      return;
    }
    Sleep (1);
  }
}

HRESULT
sa_notify_unregister (IMMNotificationClient *client)
{
  unsigned slot;

  if (!client)
    return E_POINTER;
  if (sa_notify_is_callback ())
    sa_violation ("register-in-notification", "UnregisterEndpointNotificationCallback");
  sa_lock ();
  slot = slot_of (client);
  if (slot < MAX_CLIENTS)
    clients[slot] = NULL;
  sa_unlock ();
  if (slot == MAX_CLIENTS)
    return HRESULT_FROM_WIN32 (ERROR_NOT_FOUND);
  wait_for_callback (client);
  IMMNotificationClient_Release (client);
  return S_OK;
}

static void
post (News item, const wchar_t *id)
{
  item.has_id = id != NULL;
  if (id)
    wcsncpy (item.id, id, ARRAYSIZE (item.id) - 1);
  if (n_news < MAX_NEWS)
    news[(first_news + n_news++) % MAX_NEWS] = item;
  start_thread ();
  SetEvent (something);
}

void
sa_notify_state (const wchar_t *id, DWORD state)
{
  post ((News) { .state = state }, id);
}

void
sa_notify_default (EDataFlow flow, const wchar_t *id)
{
  for (ERole role = eConsole; role < ERole_enum_count; role++)
    post ((News) { .is_default = true, .flow = flow, .role = role }, id);
}
