/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* initialize.c: what IAudioClient::Initialize looks at. */
#include "client.h"
#include "report.h"

#define KNOWN_FLAGS \
  (AUDCLNT_STREAMFLAGS_CROSSPROCESS | AUDCLNT_STREAMFLAGS_LOOPBACK | AUDCLNT_STREAMFLAGS_EVENTCALLBACK \
      | AUDCLNT_STREAMFLAGS_NOPERSIST | AUDCLNT_STREAMFLAGS_RATEADJUST | AUDCLNT_STREAMFLAGS_SRC_DEFAULT_QUALITY \
      | AUDCLNT_STREAMFLAGS_AUTOCONVERTPCM | AUDCLNT_SESSIONFLAGS_EXPIREWHENUNOWNED \
      | AUDCLNT_SESSIONFLAGS_DISPLAY_HIDE | AUDCLNT_SESSIONFLAGS_DISPLAY_HIDEWHENEXPIRED)

static const char *
role_of (const SaClient *client, DWORD flags)
{
  if (client->process)
    return "process";
  if (flags & AUDCLNT_STREAMFLAGS_LOOPBACK)
    return "loopback";
  return sa_script ()->endpoints[client->endpoint].flow == eCapture ? "capture" : "render";
}

static HRESULT
refuse (SaClient *client, const char *name, HRESULT hr)
{
  sa_violation (name, "IAudioClient#%u: Initialize", client->base.number);
  return hr;
}

static HRESULT
check_state (SaClient *client)
{
  if (client->initialized)
    return refuse (client, "initialize-twice", AUDCLNT_E_ALREADY_INITIALIZED);
  if (client->failed)
    return refuse (client, "initialize-after-failure", AUDCLNT_E_ALREADY_INITIALIZED);
  return S_OK;
}

static HRESULT
check_mode (SaClient *client, AUDCLNT_SHAREMODE mode, DWORD flags, REFERENCE_TIME duration, REFERENCE_TIME periodicity)
{
  bool loopback = flags & AUDCLNT_STREAMFLAGS_LOOPBACK;

  if (loopback && mode != AUDCLNT_SHAREMODE_SHARED)
    return refuse (client, "loopback-exclusive", E_INVALIDARG);
  if (loopback && !client->process && sa_script ()->endpoints[client->endpoint].flow == eCapture)
    return refuse (client, "loopback-of-capture", AUDCLNT_E_WRONG_ENDPOINT_TYPE);
  if (mode != AUDCLNT_SHAREMODE_SHARED)
    return AUDCLNT_E_EXCLUSIVE_MODE_NOT_ALLOWED;
  if (flags & ~(DWORD) KNOWN_FLAGS)
    return refuse (client, "unknown-stream-flag", AUDCLNT_E_INVALID_STREAM_FLAG);
  if (periodicity != 0)
    return refuse (client, "periodicity-in-shared-mode", E_INVALIDARG);
  if (duration < 0)
    return refuse (client, "negative-duration", E_INVALIDARG);
  return S_OK;
}

/* In a process's stream it is the program that says the format. */
static HRESULT
check_format (SaClient *client, DWORD flags, const WAVEFORMATEX *wave)
{
  const SaFormat *mix = &sa_script ()->endpoints[client->endpoint].format;
  SaFormat format;

  if (!wave)
    return E_POINTER;
  if (!sa_format_from_wave (wave, &format))
    return AUDCLNT_E_UNSUPPORTED_FORMAT;
  if (!client->process && !(flags & AUDCLNT_STREAMFLAGS_AUTOCONVERTPCM) && !sa_format_equal (&format, mix))
    return AUDCLNT_E_UNSUPPORTED_FORMAT;
  client->stream.format = format;
  return S_OK;
}

static bool
in_tree (const SaProcess *process, DWORD root)
{
  const SaScript *script = sa_script ();
  const SaProcess *at = process;

  for (unsigned depth = 0; depth <= script->n_processes; depth++) {
    const SaProcess *parent = NULL;

    if (at->pid == root)
      return true;
    for (unsigned i = 0; at->parent && i < script->n_processes; i++) {
      if (script->processes[i].pid == at->parent)
        parent = &script->processes[i];
    }
    if (!parent)
      return at->parent == root && root != 0;
    at = parent;
  }
  return false;
}

static bool
is_named (DWORD pid)
{
  for (unsigned i = 0; i < sa_script ()->n_processes; i++) {
    if (sa_script ()->processes[i].pid == pid)
      return true;
  }
  return false;
}

/* Signals are not mixed: the first process that is heard is the one. Nobody: silence. */
static void
choose_process (SaClient *client)
{
  const SaScript *script = sa_script ();

  client->stream.signal = SA_SILENCE;
  for (unsigned i = 0; i < script->n_processes; i++) {
    const SaProcess *process = &script->processes[i];
    bool inside = in_tree (process, client->pid) || (process->pid == SA_PID_ANY && !is_named (client->pid));

    if (inside == client->exclude || process->signal == SA_SILENCE)
      continue;
    client->stream.signal = process->signal;
    client->stream.tag = process->tag;
    return;
  }
}

/* Windows grants two periods and a bit (1056 frames at 48 kHz), or what was asked for if that is more. */
static unsigned
granted_frames (unsigned rate, REFERENCE_TIME duration)
{
  uint64_t asked = ((uint64_t) duration * rate + 9999999) / 10000000;
  unsigned least = rate / 1000 * 22;

  return asked > least ? (unsigned) asked : least;
}

static void
make_stream (SaClient *client, DWORD flags, REFERENCE_TIME duration)
{
  const SaEndpoint *endpoint = &sa_script ()->endpoints[client->endpoint];
  SaStream *stream = &client->stream;

  client->initialized = true;
  client->flags = flags;
  stream->captures = client->process || (flags & AUDCLNT_STREAMFLAGS_LOOPBACK) || endpoint->flow == eCapture;
  stream->signal = endpoint->signal;
  stream->tag = endpoint->tag;
  if (client->process)
    choose_process (client);
  stream->period_frames = stream->format.rate / 100;
  stream->capacity_frames = granted_frames (stream->format.rate, duration);
  sa_report ("initialize IAudioClient#%u role=%s flags=0x%08lx duration=%lld buffer=%u", client->base.number,
      client->base.role, (unsigned long) flags, (long long) duration, stream->capacity_frames);
}

HRESULT STDMETHODCALLTYPE
sa_client_initialize (IAudioClient3 *face, AUDCLNT_SHAREMODE mode, DWORD flags, REFERENCE_TIME duration,
    REFERENCE_TIME periodicity, const WAVEFORMATEX *wave, LPCGUID session)
{
  SaClient *client = sa_object_of (face);
  HRESULT hr;

  client->base.role = role_of (client, flags);
  if (!sa_client_enter (client, client, "Initialize", false, &hr)) {
    client->failed = true;
    return hr;
  }
  sa_lock ();
  hr = check_state (client);
  if (hr == S_OK)
    hr = check_mode (client, mode, flags, duration, periodicity);
  if (hr == S_OK)
    hr = check_format (client, flags, wave);
  if (hr == S_OK)
    make_stream (client, flags, duration);
  else
    client->failed = !client->initialized;
  sa_unlock ();
  return hr;
}

/* Loopback is not for it. A shorter period is granted to nobody. */
HRESULT STDMETHODCALLTYPE
sa_client_initialize_shared (IAudioClient3 *face, DWORD flags, UINT32 period, const WAVEFORMATEX *wave,
    LPCGUID session)
{
  SaClient *client = sa_object_of (face);
  HRESULT hr;

  if (!sa_client_enter (client, client, "InitializeSharedAudioStream", false, &hr))
    return hr;
  if (flags & AUDCLNT_STREAMFLAGS_LOOPBACK)
    return E_INVALIDARG;
  if (wave && period != wave->nSamplesPerSec / 100)
    return AUDCLNT_E_INVALID_DEVICE_PERIOD;
  return sa_client_initialize (face, AUDCLNT_SHAREMODE_SHARED, flags, 0, 0, wave, session);
}
