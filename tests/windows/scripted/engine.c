/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine.h"
#include "moments.h"
#include "report.h"
#include "timeline.h"

#include <audioclient.h>
#include <stdlib.h>
#include <string.h>

static SaStream *streams;
static int64_t script_start; /* 100 ns; 0 while nothing ever captured */
static HANDLE changed;       /* the thread is to look again */

int64_t
sa_now (void)
{
  static LARGE_INTEGER frequency;
  LARGE_INTEGER now;

  if (!frequency.QuadPart)
    QueryPerformanceFrequency (&frequency);
  QueryPerformanceCounter (&now);
  return now.QuadPart / frequency.QuadPart * 10000000
      + now.QuadPart % frequency.QuadPart * 10000000 / frequency.QuadPart;
}

static const SaEndpoint *
endpoint_of (const SaStream *stream)
{
  return &sa_script ()->endpoints[stream->endpoint];
}

int64_t
sa_engine_time (const SaStream *stream, uint64_t frame)
{
  double rate = stream->format.rate * (1 + endpoint_of (stream)->drift_ppm * 1e-6);

  return script_start + (int64_t) ((double) frame / rate * 1e7);
}

static uint64_t
frame_at (const SaStream *stream, int64_t time)
{
  double rate = stream->format.rate * (1 + endpoint_of (stream)->drift_ppm * 1e-6);

  return time <= script_start ? 0 : (uint64_t) ((double) (time - script_start) / 1e7 * rate);
}

uint64_t
sa_engine_position (const SaStream *stream, uint64_t frame)
{
  return stream->process || frame < stream->origin ? 0 : frame - stream->origin;
}

/* Real drivers keep an endpoint running while anyone plays, silence included. */
static bool
is_fed (const SaStream *stream)
{
  for (const SaStream *other = streams; other; other = other->next) {
    if (!other->captures && other->running && other->endpoint == stream->endpoint && !stream->process)
      return true;
  }
  return stream->process && sa_script ()->process_idle_silence;
}

static void
drop_oldest (SaStream *stream)
{
  SaPacket *oldest = &stream->queue[stream->head];

  stream->head = (stream->head + 1) % SA_QUEUE;
  stream->queued--;
  stream->queued_frames -= oldest->frames;
  stream->counts.overrun += oldest->frames;
  stream->counts.overruns++;
  if (stream->queued)
    stream->queue[stream->head].flags |= AUDCLNT_BUFFERFLAGS_DATA_DISCONTINUITY;
  else
    stream->discontinuity = true;
}

static bool
fits (const SaStream *stream, unsigned frames)
{
  uint64_t held = stream->queued_frames + (stream->is_out || stream->again ? stream->out.frames : 0);

  return stream->queued < SA_QUEUE && (held == 0 || held + frames <= stream->capacity_frames);
}

/* README.md says why the oldest go. */
static void
enqueue (SaStream *stream, SaPacket packet)
{
  stream->counts.produced += packet.frames;
  while (!sa_script ()->overrun_newest && !fits (stream, packet.frames) && stream->queued)
    drop_oldest (stream);
  if (!fits (stream, packet.frames)) {
    stream->counts.overrun += packet.frames;
    stream->counts.overruns++;
    stream->discontinuity = true;
    return;
  }
  if (stream->discontinuity)
    packet.flags |= AUDCLNT_BUFFERFLAGS_DATA_DISCONTINUITY;
  stream->discontinuity = false;
  stream->queue[(stream->head + stream->queued++) % SA_QUEUE] = packet;
  stream->queued_frames += packet.frames;
}

/* Makes what lies at the cursor. True: there is a packet more. */
static bool
make (SaStream *stream, const SaSpan *span)
{
  SaPacket packet = { .first = stream->cursor, .frames = span->frames, .flags = span->flags,
    .signal = span->idle ? SA_SILENCE : stream->signal, .tag = stream->tag, .garbage = span->garbage };
  bool quiet = stream->process && stream->signal == SA_SILENCE && !sa_script ()->process_idle_silence;

  stream->cursor += span->frames;
  stream->size_index++;
  if (span->lost) {
    stream->counts.scripted += span->frames;
    stream->discontinuity = true;
    return false;
  }
  if (stream->mute || quiet || (span->idle && !is_fed (stream))) {
    stream->counts.idle += span->frames;
    stream->discontinuity = true;
    return false;
  }
  enqueue (stream, packet);
  return true;
}

/* Events that are due while one is late are one: an event is set or not, it does not count. */
static void
note_event (SaStream *stream, int64_t now)
{
  if (stream->event_pending)
    return;
  stream->event_pending = true;
  stream->event_due = now + (int64_t) (endpoint_of (stream)->late_s * 1e7);
}

/* The moment at which the packet at the cursor is in the buffer. */
static int64_t
due (const SaStream *stream, const SaSpan *span)
{
  double jitter = endpoint_of (stream)->jitter_s * sa_hash_unit (stream->cursor);

  return sa_engine_time (stream, stream->cursor + span->frames) + (int64_t) (jitter * 1e7);
}

/* Time in which the stream was stopped has no positions. */
static void
join (SaStream *stream, int64_t now)
{
  uint64_t before = stream->cursor;

  sa_timeline_join (stream, frame_at (stream, now));
  if (stream->joined)
    stream->origin += stream->cursor - before;
  stream->joined = true;
  stream->discontinuity = true;
}

void
sa_engine_advance (SaStream *stream)
{
  int64_t now = sa_now ();
  SaSpan span;

  if (!stream->running || !stream->captures || stream->lost != S_OK)
    return;
  for (;;) {
    span = sa_timeline_next (stream);
    if (due (stream, &span) > now)
      return;
    if (make (stream, &span))
      note_event (stream, now);
  }
}

bool
sa_engine_take (SaStream *stream)
{
  if (stream->again) {
    stream->again = false;
    stream->is_out = true;
    return true;
  }
  if (!stream->queued)
    return false;
  stream->out = stream->queue[stream->head];
  stream->is_out = true;
  stream->head = (stream->head + 1) % SA_QUEUE;
  stream->queued--;
  stream->queued_frames -= stream->out.frames;
  return true;
}

uint64_t
sa_engine_played (const SaStream *stream)
{
  uint64_t played = stream->played_before;

  if (stream->running)
    played += (uint64_t) ((double) (sa_now () - stream->started) / 1e7 * stream->format.rate);
  return played < stream->written ? played : stream->written;
}

static void
set_event (SaStream *stream)
{
  if (!stream->event)
    return;
  stream->counts.events++;
  if (SetEvent (stream->event) || stream->event_broken)
    return;
  stream->event_broken = true;
  sa_violation ("event-closed-while-running", "IAudioClient#%u: SetEvent says %lu", stream->number,
      (unsigned long) GetLastError ());
}

/* Moves a stream on; returns when there is something to do again. */
static int64_t
serve_capture (SaStream *stream, int64_t now)
{
  SaSpan span;

  sa_engine_advance (stream);
  span = sa_timeline_next (stream);
  return due (stream, &span);
}

static int64_t
serve_render (SaStream *stream, int64_t now)
{
  int64_t period = (int64_t) stream->period_frames * 10000000 / stream->format.rate;

  if (stream->next_event <= now) {
    stream->next_event += period;
    if (stream->next_event <= now)
      stream->next_event = now + period;
    note_event (stream, now);
  }
  return stream->next_event;
}

static int64_t
serve (SaStream *stream, int64_t now)
{
  int64_t next = stream->captures ? serve_capture (stream, now) : serve_render (stream, now);

  if (!stream->event_pending)
    return next;
  if (stream->event_due > now)
    return stream->event_due < next ? stream->event_due : next;
  stream->event_pending = false;
  if (!script_start || !sa_timeline_events_stopped (stream, now - script_start))
    set_event (stream);
  return next;
}

/* 100 ns until something is due. */
static int64_t
serve_all (void)
{
  int64_t now = sa_now ();
  int64_t next = now + 10000000;

  for (SaStream *stream = streams; stream; stream = stream->next) {
    int64_t at;

    if (!stream->running || stream->lost != S_OK)
      continue;
    at = serve (stream, now);
    next = at < next ? at : next;
  }
  if (script_start) {
    int64_t at = script_start + sa_moments_play (streams, now - script_start);

    next = at < next ? at : next;
  }
  return next - sa_now ();
}

static DWORD WINAPI
engine_thread (LPVOID unused)
{
  for (;;) {
    int64_t wait;

    sa_lock ();
    wait = serve_all ();
    sa_unlock ();
    WaitForSingleObject (changed, wait <= 0 ? 0 : (DWORD) ((wait + 9999) / 10000));
  }
  return 0;
}

void
sa_engine_add (SaStream *stream)
{
  stream->next = streams;
  streams = stream;
}

static void
report_stream (const SaStream *stream)
{
  const SaCounts *counts = &stream->counts;

  if (!stream->format.rate)
    return; /* never initialised */
  if (!stream->captures) {
    sa_report ("stream %s#%u role=render written=%llu events=%llu", stream->label, stream->number,
        (unsigned long long) counts->delivered, (unsigned long long) counts->events);
    return;
  }
  sa_report ("stream %s#%u role=%s tag=%u format=%s rate=%u channels=%u buffer=%u produced=%llu delivered=%llu "
      "silent=%llu overrun=%llu scripted=%llu idle=%llu stopped=%llu queued=%llu packets=%llu overruns=%llu "
      "getbuffers=%llu empty=%llu events=%llu origin=%llu",
      stream->label, stream->number, stream->process ? "process" : "capture", stream->tag,
      sa_sample_name (stream->format.sample), stream->format.rate, stream->format.channels, stream->capacity_frames,
      (unsigned long long) counts->produced, (unsigned long long) counts->delivered,
      (unsigned long long) counts->silent, (unsigned long long) counts->overrun,
      (unsigned long long) counts->scripted, (unsigned long long) counts->idle,
      (unsigned long long) counts->stopped,
      (unsigned long long) (stream->queued_frames + (stream->is_out || stream->again ? stream->out.frames : 0)),
      (unsigned long long) counts->packets, (unsigned long long) counts->overruns,
      (unsigned long long) counts->get_buffers, (unsigned long long) counts->empty,
      (unsigned long long) counts->events, (unsigned long long) stream->origin);
}

void
sa_engine_remove (SaStream *stream)
{
  SaStream **link = &streams;

  while (*link != stream)
    link = &(*link)->next;
  *link = stream->next;
  report_stream (stream);
  free (stream->bytes);
  stream->bytes = NULL;
}

void
sa_engine_report (void)
{
  for (const SaStream *stream = streams; stream; stream = stream->next)
    report_stream (stream);
}

static void
start_thread (void)
{
  HANDLE thread;

  if (changed)
    return;
  changed = CreateEventW (NULL, FALSE, FALSE, NULL);
  thread = CreateThread (NULL, 0, engine_thread, NULL, 0, NULL);
  SetThreadPriority (thread, THREAD_PRIORITY_TIME_CRITICAL);
  CloseHandle (thread);
}

void
sa_engine_start (SaStream *stream)
{
  int64_t now = sa_now ();

  start_thread ();
  stream->running = true;
  stream->started = now;
  stream->next_event = now;
  if (stream->captures) {
    if (!script_start) {
      script_start = now;
      sa_report ("script-start qpc=%lld", (long long) now);
    }
    join (stream, now);
  }
  SetEvent (changed);
}

void
sa_engine_stop (SaStream *stream)
{
  if (stream->captures)
    sa_engine_advance (stream);
  else
    stream->played_before = sa_engine_played (stream);
  stream->running = false;
  stream->event_pending = false;
}

/* Whether any stream ever gave frames away. */
static bool
anything_delivered (void)
{
  for (const SaStream *stream = streams; stream; stream = stream->next) {
    if (stream->captures && (stream->counts.delivered || stream->running))
      return true;
  }
  return false;
}

/* Programs warm a device up: Start, Stop, Reset. The script has not begun then. */
void
sa_engine_reset (SaStream *stream)
{
  stream->counts.stopped += stream->queued_frames;
  if (stream->again)
    stream->counts.stopped += stream->out.frames;
  stream->again = false;
  stream->head = stream->queued = 0;
  stream->queued_frames = 0;
  stream->joined = false;
  stream->written = stream->played_before = 0;
  stream->mute = stream->process;
  if (stream->captures && !anything_delivered () && !sa_moments_played ())
    script_start = 0;
}

unsigned
sa_engine_default (EDataFlow flow)
{
  const SaScript *script = sa_script ();
  unsigned other = script->n_endpoints;

  for (unsigned i = 0; i < script->n_endpoints; i++) {
    const SaEndpoint *endpoint = &script->endpoints[i];

    if (endpoint->flow != flow || endpoint->state != DEVICE_STATE_ACTIVE)
      continue;
    if (endpoint->is_default)
      return i;
    if (other == script->n_endpoints)
      other = i;
  }
  return other;
}
