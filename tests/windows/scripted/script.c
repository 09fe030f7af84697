/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "script.h"
#include "report.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT (256 * 1024)

static const char *const event_names[] = { "silent", "discontinuity", "timestamp-error", "idle", "events-stop",
  "invalidate", "remove", "return", "default-change" };

static SaScript script;
static bool is_read, is_good;

static SaEndpoint *
current_endpoint (void)
{
  return &script.endpoints[script.n_endpoints - 1];
}

static bool
widen (const char *text, wchar_t *out, int size)
{
  return text && MultiByteToWideChar (CP_UTF8, 0, text, -1, out, size) > 0;
}

/* 0x1 for one channel, then as many from the left: what Windows has for that many. */
static DWORD
usual_mask (unsigned channels)
{
  switch (channels) {
    case 1:
      return SPEAKER_FRONT_CENTER;
    case 2:
      return KSAUDIO_SPEAKER_STEREO;
    case 4:
      return KSAUDIO_SPEAKER_QUAD;
    case 6:
      return KSAUDIO_SPEAKER_5POINT1;
    case 8:
      return KSAUDIO_SPEAKER_7POINT1_SURROUND;
    default:
      return 0;
  }
}

/* format=, rate=, channels=, mask=; false if it is none of these. */
static bool
parse_format_word (SaFormat *format, const char *word, bool *good)
{
  const char *value;
  unsigned long number = 0;

  if ((value = sa_word_value (word, "format"))) {
    format->sample = sa_sample_from_name (value);
    *good = format->sample < SA_SAMPLES;
  } else if ((value = sa_word_value (word, "rate"))) {
    *good = sa_word_number (value, &number) && number >= 1000 && number <= 768000;
    format->rate = number;
  } else if ((value = sa_word_value (word, "channels"))) {
    *good = sa_word_number (value, &number) && number >= 1 && number <= 32;
    format->channels = number;
    format->mask = usual_mask (number);
  } else if ((value = sa_word_value (word, "mask"))) {
    *good = sa_word_number (value, &number);
    format->mask = number;
  } else {
    return false;
  }
  return true;
}

static bool
parse_flow (const char *value, EDataFlow *flow)
{
  *flow = strcmp (value, "capture") == 0 ? eCapture : eRender;
  return *flow == eCapture || strcmp (value, "render") == 0;
}

static bool
parse_state (const char *value, DWORD *state)
{
  static const char *const names[] = { "active", "disabled", "notpresent", "unplugged" };

  for (unsigned i = 0; i < ARRAYSIZE (names); i++) {
    if (strcmp (value, names[i]) == 0) {
      *state = 1u << i;
      return true;
    }
  }
  return false;
}

static bool
parse_endpoint_word (SaEndpoint *endpoint, const char *word)
{
  const char *value;
  unsigned long number;
  bool good = true;

  if (parse_format_word (&endpoint->format, word, &good))
    return good;
  if ((value = sa_word_value (word, "id")))
    return widen (value, endpoint->id, ARRAYSIZE (endpoint->id));
  if ((value = sa_word_value (word, "name")))
    return widen (value, endpoint->name, ARRAYSIZE (endpoint->name));
  if ((value = sa_word_value (word, "interface")))
    return widen (value, endpoint->interface_name, ARRAYSIZE (endpoint->interface_name));
  if ((value = sa_word_value (word, "flow")))
    return parse_flow (value, &endpoint->flow);
  if ((value = sa_word_value (word, "state")))
    return parse_state (value, &endpoint->state);
  if ((value = sa_word_value (word, "tag"))) {
    good = sa_word_number (value, &number);
    endpoint->tag = good ? number : 0;
    return good;
  }
  endpoint->is_default = strcmp (word, "default") == 0;
  return endpoint->is_default;
}

static bool
parse_endpoint (SaWords *words)
{
  SaEndpoint *endpoint;
  const char *word;

  if (script.n_endpoints == SA_MAX_ENDPOINTS)
    return false;
  endpoint = &script.endpoints[script.n_endpoints++];
  *endpoint = (SaEndpoint) { .flow = eRender, .format = { SA_F32, 48000, 2, KSAUDIO_SPEAKER_STEREO },
    .state = DEVICE_STATE_ACTIVE, .tag = script.n_endpoints - 1, .volume = 1 };
  swprintf (endpoint->id, ARRAYSIZE (endpoint->id), L"{0.0.0.00000000}.{5c719ded-0000-4000-8000-%012x}",
      script.n_endpoints);
  swprintf (endpoint->name, ARRAYSIZE (endpoint->name), L"Scripted %u", script.n_endpoints);
  swprintf (endpoint->interface_name, ARRAYSIZE (endpoint->interface_name), L"Scripted audio");
  while ((word = sa_words_take (words))) {
    if (!parse_endpoint_word (endpoint, word))
      return false;
  }
  return true;
}

static bool
parse_signal (SaWords *words, SaSignal *signal)
{
  static const char *const names[] = { "counting", "sine", "silence" };

  for (SaSignal i = 0; i < ARRAYSIZE (names); i++) {
    if (sa_words_match (words, names[i])) {
      *signal = i;
      return true;
    }
  }
  return false;
}

static bool
parse_packets (SaWords *words)
{
  SaEndpoint *endpoint = current_endpoint ();
  const char *word;
  unsigned long frames;

  endpoint->n_sizes = 0;
  while ((word = sa_words_take (words))) {
    if (!sa_word_number (word, &frames) || frames == 0 || endpoint->n_sizes == SA_MAX_SIZES)
      return false;
    endpoint->sizes[endpoint->n_sizes++] = frames;
  }
  return endpoint->n_sizes > 0;
}

/* "4800 frames", "100ms", or nothing. */
static bool
parse_length (SaWords *words, SaEvent *event)
{
  const char *word = sa_words_peek (words);
  unsigned long frames;

  event->length_s = SA_FOR_EVER;
  if (!word || strcmp (word, "garbage") == 0)
    return true;
  if (sa_word_number (word, &frames)) {
    sa_words_take (words);
    event->frames = frames;
    sa_words_match (words, "frames");
    return frames > 0;
  }
  return sa_word_seconds (sa_words_take (words), &event->length_s);
}

static bool
parse_hr (SaWords *words, HRESULT *hr)
{
  const char *word = sa_words_peek (words);
  const char *value = word ? sa_word_value (word, "hr") : NULL;
  unsigned long number;

  if (!value)
    return true;
  sa_words_take (words);
  if (!sa_word_number (value, &number))
    return false;
  *hr = (HRESULT) number;
  return true;
}

static bool
parse_return (SaWords *words, SaEvent *event)
{
  const char *word;
  bool good = true;

  event->format = script.endpoints[event->endpoint].format;
  while ((word = sa_words_take (words))) {
    event->has_format = true;
    if (!parse_format_word (&event->format, word, &good) || !good)
      return false;
  }
  return true;
}

static bool
endpoint_from_text (const char *text, unsigned *index)
{
  wchar_t id[ARRAYSIZE (script.endpoints[0].id)];

  if (!widen (text, id, ARRAYSIZE (id)))
    return false;
  *index = sa_script_find (id);
  return *index < script.n_endpoints;
}

static bool
parse_event (SaWords *words)
{
  SaEvent event = { .endpoint = script.n_endpoints - 1, .hr = (HRESULT) 0x88890004 };
  const char *word, *target;

  if (!sa_word_seconds (sa_words_take (words), &event.at_s))
    return false;
  for (event.kind = 0; event.kind < ARRAYSIZE (event_names); event.kind++) {
    if (sa_words_match (words, event_names[event.kind]))
      break;
  }
  word = sa_words_peek (words);
  target = word ? sa_word_value (word, "endpoint") : NULL;
  if (target && (!endpoint_from_text (target, &event.endpoint) || !sa_words_take (words)))
    return false;
  if (event.kind == ARRAYSIZE (event_names) || script.n_events == SA_MAX_EVENTS)
    return false;
  if (event.kind <= SA_EVENTS_STOP && !parse_length (words, &event))
    return false;
  event.garbage = event.kind == SA_SILENT && sa_words_match (words, "garbage");
  if ((event.kind == SA_INVALIDATE || event.kind == SA_REMOVE) && !parse_hr (words, &event.hr))
    return false;
  if (event.kind == SA_RETURN && !parse_return (words, &event))
    return false;
  if (event.kind == SA_DEFAULT_CHANGE) {
    word = sa_words_take (words);
    target = word ? sa_word_value (word, "to") : NULL;
    if (!target || !endpoint_from_text (target, &event.endpoint))
      return false;
  }
  script.events[script.n_events++] = event;
  return true;
}

static bool
parse_fault_word (SaFault *fault, const char *word)
{
  const char *value;
  unsigned long number;
  double seconds;

  if ((value = sa_word_value (word, "of"))) {
    snprintf (fault->of, sizeof fault->of, "%s", value);
    return true;
  }
  if ((value = sa_word_value (word, "nth")) && sa_word_number (value, &number)) {
    fault->nth = number;
    return number > 0;
  }
  if ((value = sa_word_value (word, "times"))) {
    if (strcmp (value, "always") == 0)
      number = 0xFFFFFFFF;
    else if (!sa_word_number (value, &number))
      return false;
    fault->times = number;
    return true;
  }
  if ((value = sa_word_value (word, "hr")) && sa_word_number (value, &number)) {
    fault->hr = (HRESULT) number;
    return true;
  }
  if (!sa_word_seconds (word, &seconds))
    return false;
  fault->delay_ms = (DWORD) (seconds * 1000);
  return true;
}

static bool
parse_fault (SaWords *words, bool slow)
{
  SaFault *fault = &script.faults[script.n_faults];
  const char *call = sa_words_take (words);
  const char *word;

  if (!call || script.n_faults == SA_MAX_FAULTS)
    return false;
  script.n_faults++;
  *fault = (SaFault) { .nth = 1, .times = slow ? 0xFFFFFFFF : 1, .hr = slow ? S_OK : E_FAIL };
  snprintf (fault->call, sizeof fault->call, "%s", call);
  while ((word = sa_words_take (words))) {
    if (!parse_fault_word (fault, word))
      return false;
  }
  return slow == (fault->hr == S_OK) && (!slow || fault->delay_ms);
}

static bool
parse_activate (SaWords *words)
{
  if (sa_words_match (words, "never"))
    script.activate_never = true;
  else
    return sa_words_match (words, "slow") && sa_word_seconds (sa_words_take (words), &script.activate_s);
  return true;
}

static bool
parse_process_loopback (SaWords *words)
{
  if (sa_words_match (words, "refuse")) {
    script.process_refused = E_NOTIMPL;
    script.process_refused_at_call = sa_words_match (words, "at-call");
    return parse_hr (words, &script.process_refused);
  }
  if (sa_words_match (words, "idle")) {
    script.process_idle_silence = sa_words_match (words, "silence");
    return script.process_idle_silence || sa_words_match (words, "nothing");
  }
  return false;
}

static bool
parse_pid (const char *word, DWORD *pid)
{
  unsigned long number;

  if (word && strcmp (word, "self") == 0)
    *pid = GetCurrentProcessId ();
  else if (word && strcmp (word, "any") == 0)
    *pid = SA_PID_ANY;
  else if (sa_word_number (word, &number))
    *pid = number;
  else
    return false;
  return true;
}

static bool
parse_process (SaWords *words)
{
  SaProcess *process = &script.processes[script.n_processes];
  const char *word, *value;
  unsigned long number;

  if (script.n_processes == SA_MAX_PROCESSES || !parse_pid (sa_words_take (words), &process->pid))
    return false;
  process->tag = 16 + script.n_processes++;
  while ((word = sa_words_peek (words))) {
    if (parse_signal (words, &process->signal))
      continue;
    sa_words_take (words);
    if ((value = sa_word_value (word, "parent"))) {
      if (!parse_pid (value, &process->parent))
        return false;
    } else if ((value = sa_word_value (word, "tag")) && sa_word_number (value, &number)) {
      process->tag = number;
    } else {
      return false;
    }
  }
  return true;
}

static bool
parse_overrun (SaWords *words)
{
  script.overrun_newest = sa_words_match (words, "newest");
  return script.overrun_newest || sa_words_match (words, "oldest");
}

static bool
parse_line (SaWords *words)
{
  const char *word = sa_words_take (words);

  if (strcmp (word, "endpoint") == 0)
    return parse_endpoint (words);
  if (strcmp (word, "fail") == 0 || strcmp (word, "slow") == 0)
    return parse_fault (words, *word == 's');
  if (strcmp (word, "activate") == 0)
    return parse_activate (words);
  if (strcmp (word, "process") == 0)
    return parse_process (words);
  if (strcmp (word, "process-loopback") == 0)
    return parse_process_loopback (words);
  if (strcmp (word, "overrun") == 0)
    return parse_overrun (words);
  if (script.n_endpoints == 0)
    parse_endpoint (&(SaWords) { .count = 0 });
  if (strcmp (word, "at") == 0)
    return parse_event (words);
  if (strcmp (word, "signal") == 0)
    return parse_signal (words, &current_endpoint ()->signal);
  if (strcmp (word, "packets") == 0)
    return parse_packets (words);
  if (strcmp (word, "jitter") == 0)
    return sa_word_seconds (sa_words_take (words), &current_endpoint ()->jitter_s);
  if (strcmp (word, "timestamp-jitter") == 0)
    return sa_word_seconds (sa_words_take (words), &current_endpoint ()->timestamp_jitter_s);
  if (strcmp (word, "late") == 0)
    return sa_word_seconds (sa_words_take (words), &current_endpoint ()->late_s);
  return strcmp (word, "drift") == 0 && sa_word_ppm (sa_words_take (words), &current_endpoint ()->drift_ppm);
}

static bool
parse (const char *text)
{
  unsigned number = 0;

  while (*text) {
    unsigned length = (unsigned) strcspn (text, "\n;");
    SaWords words;

    number++;
    if (!sa_words_split (&words, text, length) || (words.count && (!parse_line (&words) || sa_words_peek (&words)))) {
      sa_report ("script-error line %u: %.*s", number, (int) length, text);
      fprintf (stderr, "mmdevapi.dll: line %u of ZC_WASAPI_SCRIPT makes no sense: %.*s\n", number, (int) length, text);
      return false;
    }
    text += length + (text[length] != '\0');
  }
  return true;
}

/* Without any endpoint there is one; one of each flow is the default. */
static void
complete (void)
{
  static const EDataFlow flows[] = { eRender, eCapture };

  if (script.n_endpoints == 0)
    parse_endpoint (&(SaWords) { .count = 0 });
  for (unsigned f = 0; f < ARRAYSIZE (flows); f++) {
    SaEndpoint *first = NULL;
    bool found = false;

    for (unsigned i = 0; i < script.n_endpoints; i++) {
      SaEndpoint *endpoint = &script.endpoints[i];

      if (endpoint->flow != flows[f])
        continue;
      found = found || endpoint->is_default;
      if (!first && endpoint->state == DEVICE_STATE_ACTIVE)
        first = endpoint;
    }
    if (first && !found)
      first->is_default = true;
  }
}

/* The file of that name, or the value itself. */
static char *
load (void)
{
  char *text = calloc (1, MAX_TEXT);
  wchar_t *value = calloc (MAX_TEXT, sizeof *value);
  HANDLE file;
  DWORD length = 0;

  if (!text || !value)
    abort ();
  GetEnvironmentVariableW (L"ZC_WASAPI_SCRIPT", value, MAX_TEXT);
  file = CreateFileW (value, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
  if (file == INVALID_HANDLE_VALUE) {
    WideCharToMultiByte (CP_UTF8, 0, value, -1, text, MAX_TEXT - 1, NULL, NULL);
  } else {
    ReadFile (file, text, MAX_TEXT - 1, &length, NULL);
    CloseHandle (file);
  }
  free (value);
  return text;
}

SaScript *
sa_script (void)
{
  char *text;

  sa_lock ();
  if (!is_read) {
    is_read = true;
    script.process_idle_silence = true;
    text = load ();
    is_good = parse (text);
    free (text);
    complete ();
  }
  sa_unlock ();
  return is_good ? &script : NULL;
}

const char *
sa_script_event_name (SaEventKind kind)
{
  return event_names[kind];
}

static bool
concerns (const SaFault *fault, const char *klass, const char *call, const char *role)
{
  const char *colons = strstr (fault->call, "::");

  if (*fault->of && strcmp (fault->of, role))
    return false;
  if (!colons)
    return strcmp (fault->call, call) == 0;
  return strncmp (fault->call, klass, (size_t) (colons - fault->call)) == 0
      && klass[colons - fault->call] == '\0' && strcmp (colons + 2, call) == 0;
}

bool
sa_script_fails (const char *klass, const char *call, const char *role, HRESULT *hr, DWORD *delay_ms)
{
  bool fails = false;

  *delay_ms = 0;
  if (!sa_script ())
    return false;
  for (unsigned i = 0; i < script.n_faults; i++) {
    SaFault *fault = &script.faults[i];

    if (!concerns (fault, klass, call, role) || ++fault->seen < fault->nth
        || fault->seen - fault->nth >= fault->times)
      continue;
    *delay_ms += fault->delay_ms;
    if (fault->hr != S_OK && !fails) {
      *hr = fault->hr;
      fails = true;
    }
  }
  return fails;
}

unsigned
sa_script_find (const wchar_t *id)
{
  unsigned i = 0;

  while (i < script.n_endpoints && _wcsicmp (script.endpoints[i].id, id))
    i++;
  return i;
}
