/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* object.h: what every COM object here is made of, and the door that every call comes through.
 *
 * An object has one count of references and one or more faces, an interface each. References that we hold ourselves
 * are known, so that what the program left behind can be told at exit. The memory of a dead object is never given
 * back: a call on it is a violation that names the call, not a crash.
 * Locks. sa_lock() guards everything in this library. It is recursive, and never held while the program's code runs. */
#pragma once

#define COBJMACROS
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <objbase.h>
#include <stdbool.h>
#include <stdint.h>

#define SA_FACES 2

typedef struct _SwObject SaObject;

/* What an interface pointer points to. */
typedef struct {
  const void *vtbl;
  SaObject *object;
} SaFace;

typedef struct {
  const IID *iid;
  unsigned face;
} SaInterface;

typedef struct {
  const char *name;             /* in the report */
  const void *vtbls[SA_FACES];  /* of each face */
  SaInterface interfaces[6];    /* up to a NULL iid; IUnknown is face 0 */
  bool shared;                  /* not counted in the report: one for the whole process, as a class factory */
  void (*let_go) (SaObject *);  /* the program gave its last reference up; we may have some */
  void (*dispose) (SaObject *); /* after the last reference; not the memory of the object */
} SaClass;

struct _SwObject {
  SaFace faces[SA_FACES];
  const SaClass *klass;
  SaObject *next; /* of all, alive or dead */
  LONG refs;
  LONG own_refs;    /* of those, held by ourselves */
  unsigned number;  /* in its class, from 1 */
  const char *role; /* loopback, process, capture, render, or "" while that is open */
  DWORD released_by; /* the thread that gave up the program's last reference; 0: it has one */
};

void sa_lock (void);
void sa_unlock (void);

/* With one reference, the caller's. The memory is zeroed. */
void *sa_object_new (const SaClass *klass, size_t size);

void sa_object_ref (void *object);
void sa_object_unref (void *object);

/* A reference of our own, that the report does not blame on the program. */
void sa_object_own (void *object);
void sa_object_disown (void *object);

/* The object behind an interface pointer, the face of an object. */
void *sa_object_of (void *face);
void *sa_face (void *object, unsigned face);

/* Does nothing more than the rules: E_POINTER, E_NOINTERFACE, or a new reference. */
HRESULT sa_object_query (void *object, REFIID iid, void **out);

/* The first three of each table. */
HRESULT STDMETHODCALLTYPE sa_query_interface (void *face, REFIID iid, void **out);
ULONG STDMETHODCALLTYPE sa_add_ref (void *face);
ULONG STDMETHODCALLTYPE sa_release (void *face);

#define SA_UNKNOWN(Interface) \
  .QueryInterface = (HRESULT (STDMETHODCALLTYPE *) (Interface *, REFIID, void **)) sa_query_interface, \
  .AddRef = (ULONG (STDMETHODCALLTYPE *) (Interface *)) sa_add_ref, \
  .Release = (ULONG (STDMETHODCALLTYPE *) (Interface *)) sa_release

/* Every call begins with it: looks at the object and the thread, sleeps and fails as the script says. False: return
 * *hr at once. */
bool sa_enter (void *object, const char *call, HRESULT *hr);

/* Lines `left ...` of the report. */
void sa_objects_report (void);
