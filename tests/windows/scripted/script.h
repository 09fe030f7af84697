/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* script.h: what ZC_WASAPI_SCRIPT says, parsed once; README.md has the language. What changes while it is played is
 * under sa_lock(). */
#pragma once

#include "sound.h"

#include <mmdeviceapi.h>

#define SA_MAX_ENDPOINTS 16
#define SA_MAX_PROCESSES 16
#define SA_MAX_EVENTS 64
#define SA_MAX_FAULTS 32
#define SA_MAX_SIZES 16
#define SA_FOR_EVER 1e9

typedef enum {
  /* stretches of the timeline */
  SA_SILENT,
  SA_LOST,
  SA_TIMESTAMP_ERROR,
  SA_IDLE,
  SA_EVENTS_STOP,
  /* moments */
  SA_INVALIDATE,
  SA_REMOVE,
  SA_RETURN,
  SA_DEFAULT_CHANGE,
} SaEventKind;

typedef struct {
  SaEventKind kind;
  unsigned endpoint; /* its index */
  double at_s;
  double length_s;   /* SA_FOR_EVER if not given; exclusive with: */
  unsigned frames;   /* > 0: the length, at the rate of whoever listens */
  bool garbage;      /* SA_SILENT: the bytes are not 0 */
  HRESULT hr;        /* SA_INVALIDATE, SA_REMOVE */
  bool has_format;   /* SA_RETURN: with another format */
  SaFormat format;
  bool done;         /* moments */
} SaEvent;

typedef struct {
  wchar_t id[128];
  wchar_t name[128];
  wchar_t interface_name[128];
  EDataFlow flow;
  SaFormat format;
  bool is_default;
  DWORD state; /* DEVICE_STATE_... */
  SaSignal signal;
  unsigned tag;
  unsigned sizes[SA_MAX_SIZES]; /* of packets in frames, in turn */
  unsigned n_sizes;             /* 0: one of 10 ms */
  double jitter_s, timestamp_jitter_s, late_s, drift_ppm;
  float volume; /* state of IAudioEndpointVolume */
  BOOL muted;
} SaEndpoint;

typedef struct {
  DWORD pid, parent; /* SA_PID_ANY: every one that is not named */
  SaSignal signal;
  unsigned tag;
} SaProcess;

#define SA_PID_ANY 0xFFFFFFFFu

typedef struct {
  char call[64];    /* "IAudioClient::Start", or what comes after the colons */
  char of[16];      /* of objects with this role only; "" for all */
  unsigned nth;     /* from which one on */
  unsigned times;   /* that many */
  HRESULT hr;       /* S_OK: only slow */
  DWORD delay_ms;
  unsigned seen;
} SaFault;

typedef struct {
  SaEndpoint endpoints[SA_MAX_ENDPOINTS];
  unsigned n_endpoints;
  SaProcess processes[SA_MAX_PROCESSES];
  unsigned n_processes;
  SaEvent events[SA_MAX_EVENTS];
  unsigned n_events;
  SaFault faults[SA_MAX_FAULTS];
  unsigned n_faults;
  double activate_s;       /* until an activation completes */
  bool activate_never;
  HRESULT process_refused; /* S_OK: process loopback exists */
  bool process_refused_at_call;
  bool process_idle_silence; /* nothing to hear from the process: packets of silence, or none */
  bool overrun_newest;       /* which packets a full buffer loses */
} SaScript;

/* NULL: it could not be read; the report and stderr say which line. */
SaScript *sa_script (void);

const char *sa_script_event_name (SaEventKind kind);

/* If the script has a fault for this call: true, and *hr. *delay_ms in any case. */
bool sa_script_fails (const char *klass, const char *call, const char *role, HRESULT *hr, DWORD *delay_ms);

/* The index of the endpoint, or n_endpoints. */
unsigned sa_script_find (const wchar_t *id);
