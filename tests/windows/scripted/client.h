/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* client.h: IAudioClient to IAudioClient3, and the services that GetService gives. */
#pragma once

#include "engine.h"

#include <audioclient.h>
#include <audiopolicy.h>

typedef struct {
  SaObject base;
  unsigned endpoint;
  bool process, routed;
  DWORD pid;          /* of a process client */
  bool exclude;
  bool initialized, failed;
  DWORD flags;        /* of Initialize */
  DWORD releasing_thread; /* of the first of client and services that was released for good; 0: none yet */
  bool releasing_thread_told;
  float volume, volumes[32];
  BOOL muted;
  SaStream stream;
} SaClient;

/* A service: an object of its own that keeps its client alive. */
typedef struct {
  SaObject base;
  SaClient *client;
  unsigned asked;     /* render: frames of GetBuffer */
  bool is_out;
  DWORD out_thread;
} SaService;

/* One reference, the caller's. `routed`: follows the default. */
SaClient *sa_client_new (unsigned endpoint, bool routed);
SaClient *sa_process_client_new (DWORD pid, bool exclude);

/* As sa_enter, and fails when the stream is lost or, if `initialized`, was never initialised. */
bool sa_client_enter (SaClient *client, void *object, const char *call, bool initialized, HRESULT *hr);

/* Each makes one with one reference, or NULL: this client has no such. */
SaObject *sa_capture_new (SaClient *client);
SaObject *sa_render_new (SaClient *client);
SaObject *sa_clock_new (SaClient *client);
SaObject *sa_simple_volume_new (SaClient *client);
SaObject *sa_stream_volume_new (SaClient *client);
SaObject *sa_session_new (SaClient *client);

SaObject *sa_service_new (const SaClass *klass, SaClient *client);

/* The dispose of each class of services. */
void sa_service_dispose (SaObject *object);

extern const IAudioClient3Vtbl sa_client_vtbl;
HRESULT STDMETHODCALLTYPE sa_client_initialize (IAudioClient3 *face, AUDCLNT_SHAREMODE mode, DWORD flags,
    REFERENCE_TIME duration, REFERENCE_TIME periodicity, const WAVEFORMATEX *wave, LPCGUID session);
HRESULT STDMETHODCALLTYPE sa_client_initialize_shared (IAudioClient3 *face, DWORD flags, UINT32 period,
    const WAVEFORMATEX *wave, LPCGUID session);
