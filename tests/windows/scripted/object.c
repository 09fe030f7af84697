/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "object.h"
#include "report.h"
#include "script.h"

#include <stdlib.h>
#include <string.h>

static CRITICAL_SECTION lock;
static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static DWORD apartment_told; /* in thread-local storage: not NULL, if this thread was */
static SaObject *all_objects; /* under the lock */

static BOOL CALLBACK
init (PINIT_ONCE unused, PVOID data, PVOID *context)
{
  InitializeCriticalSection (&lock);
  apartment_told = TlsAlloc ();
  return TRUE;
}

void
sa_lock (void)
{
  InitOnceExecuteOnce (&once, init, NULL, NULL);
  EnterCriticalSection (&lock);
}

void
sa_unlock (void)
{
  LeaveCriticalSection (&lock);
}

/* Counted by name: a client of an endpoint and one of a process are both clients. */
static unsigned
number_of_next (const SaClass *klass)
{
  unsigned number = 1;

  for (const SaObject *object = all_objects; object; object = object->next)
    number += strcmp (object->klass->name, klass->name) == 0;
  return number;
}

void *
sa_object_new (const SaClass *klass, size_t size)
{
  SaObject *object = calloc (1, size);

  if (!object)
    abort ();
  for (unsigned i = 0; i < SA_FACES; i++) {
    object->faces[i].vtbl = klass->vtbls[i];
    object->faces[i].object = object;
  }
  object->klass = klass;
  object->refs = 1;
  object->role = "";
  sa_lock ();
  object->number = number_of_next (klass);
  object->next = all_objects;
  all_objects = object;
  sa_unlock ();
  return object;
}

void
sa_object_ref (void *object)
{
  InterlockedIncrement (&((SaObject *) object)->refs);
}

void
sa_object_unref (void *data)
{
  SaObject *object = data;

  if (InterlockedDecrement (&object->refs) > 0)
    return;
  if (object->klass->dispose)
    object->klass->dispose (object);
}

void
sa_object_own (void *object)
{
  sa_object_ref (object);
  InterlockedIncrement (&((SaObject *) object)->own_refs);
}

void
sa_object_disown (void *object)
{
  InterlockedDecrement (&((SaObject *) object)->own_refs);
  sa_object_unref (object);
}

void *
sa_object_of (void *face)
{
  return ((SaFace *) face)->object;
}

void *
sa_face (void *object, unsigned face)
{
  return &((SaObject *) object)->faces[face];
}

HRESULT
sa_object_query (void *data, REFIID iid, void **out)
{
  SaObject *object = data;
  unsigned face = 0;

  if (!out)
    return E_POINTER;
  *out = NULL;
  if (!IsEqualIID (iid, &IID_IUnknown)) {
    const SaInterface *found = object->klass->interfaces;

    while (found->iid && !IsEqualIID (iid, found->iid))
      found++;
    if (!found->iid)
      return E_NOINTERFACE;
    face = found->face;
  }
  sa_object_ref (object);
  *out = sa_face (object, face);
  return S_OK;
}

static bool
dead (SaObject *object, const char *call)
{
  if (InterlockedCompareExchange (&object->refs, 0, 0) > 0)
    return false;
  sa_violation ("use-after-release", "%s#%u: %s", object->klass->name, object->number, call);
  return true;
}

HRESULT STDMETHODCALLTYPE
sa_query_interface (void *face, REFIID iid, void **out)
{
  SaObject *object = sa_object_of (face);
  HRESULT hr;

  if (!sa_enter (object, "QueryInterface", &hr)) {
    if (out)
      *out = NULL;
    return hr;
  }
  return sa_object_query (object, iid, out);
}

ULONG STDMETHODCALLTYPE
sa_add_ref (void *face)
{
  SaObject *object = sa_object_of (face);

  if (dead (object, "AddRef"))
    return 0;
  return (ULONG) InterlockedIncrement (&object->refs);
}

ULONG STDMETHODCALLTYPE
sa_release (void *face)
{
  SaObject *object = sa_object_of (face);
  LONG refs;

  if (dead (object, "Release"))
    return 0;
  refs = object->refs - 1;
  if (refs == object->own_refs) {
    object->released_by = GetCurrentThreadId ();
    if (object->klass->let_go)
      object->klass->let_go (object);
  }
  sa_object_unref (object);
  return (ULONG) (refs > 0 ? refs : 0);
}

/* A thread that never initialised COM may still get through, on the apartment that another thread made: real Windows
 * lets it, until that thread ends. Told once for each thread. */
static void
check_apartment (SaObject *object, const char *call)
{
  APTTYPE type;
  APTTYPEQUALIFIER qualifier;
  HRESULT hr = CoGetApartmentType (&type, &qualifier);

  if (TlsGetValue (apartment_told) || (SUCCEEDED (hr) && qualifier != APTTYPEQUALIFIER_IMPLICIT_MTA))
    return;
  TlsSetValue (apartment_told, &lock);
  sa_violation (SUCCEEDED (hr) ? "com-of-another-thread" : "com-not-initialised", "%s#%u: %s", object->klass->name,
      object->number, call);
}

bool
sa_enter (void *data, const char *call, HRESULT *hr)
{
  SaObject *object = data;
  DWORD delay_ms;
  bool goes_on;

  *hr = E_UNEXPECTED;
  if (dead (object, call))
    return false;
  check_apartment (object, call);
  sa_lock ();
  goes_on = !sa_script_fails (object->klass->name, call, object->role, hr, &delay_ms);
  sa_unlock ();
  sa_trace ("%s#%u %s%s%s", object->klass->name, object->number, call, *object->role ? " " : "", object->role);
  if (delay_ms)
    Sleep (delay_ms);
  if (!goes_on)
    sa_report ("failed %s::%s 0x%08lx", object->klass->name, call, (unsigned long) *hr);
  return goes_on;
}

void
sa_objects_report (void)
{
  for (const SaObject *object = all_objects; object; object = object->next) {
    LONG left = object->refs - object->own_refs;

    if (left > 0 && !object->klass->shared)
      sa_report ("left %s#%u references=%ld", object->klass->name, object->number, (long) left);
  }
}
