/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "timeline.h"

#include <audioclient.h>

static unsigned
packet_frames (const SaStream *stream, unsigned index)
{
  const SaEndpoint *endpoint = &sa_script ()->endpoints[stream->endpoint];

  return endpoint->n_sizes ? endpoint->sizes[index % endpoint->n_sizes] : stream->format.rate / 100;
}

static uint64_t
to_frames (const SaStream *stream, double seconds)
{
  return (uint64_t) (seconds * stream->format.rate + 0.5);
}

static void
bounds (const SaStream *stream, const SaEvent *event, uint64_t *from, uint64_t *to)
{
  *from = to_frames (stream, event->at_s);
  *to = *from + (event->frames ? event->frames : to_frames (stream, event->length_s));
}

static void
apply (const SaEvent *event, SaSpan *span)
{
  if (event->kind == SA_SILENT) {
    span->flags |= AUDCLNT_BUFFERFLAGS_SILENT;
    span->garbage = event->garbage;
  } else if (event->kind == SA_TIMESTAMP_ERROR) {
    span->flags |= AUDCLNT_BUFFERFLAGS_TIMESTAMP_ERROR;
  } else if (event->kind == SA_LOST) {
    span->lost = true;
  } else {
    span->idle = true;
  }
}

/* Cuts at the first border of an event inside the packet, so that an event is exact to the frame. */
SaSpan
sa_timeline_next (const SaStream *stream)
{
  const SaScript *script = sa_script ();
  uint64_t begin = stream->cursor;
  uint64_t end = begin + packet_frames (stream, stream->size_index);
  SaSpan span = { .frames = 0 };

  for (unsigned i = 0; i < script->n_events; i++) {
    const SaEvent *event = &script->events[i];
    uint64_t from, to;

    if (event->kind >= SA_EVENTS_STOP || event->endpoint != stream->endpoint)
      continue;
    bounds (stream, event, &from, &to);
    if (from > begin && from < end)
      end = from;
    if (from <= begin && begin < to) {
      apply (event, &span);
      end = to < end ? to : end;
    }
  }
  span.frames = (unsigned) (end - begin);
  return span;
}

/* From the start of the script, so that all streams have the same packets. */
void
sa_timeline_join (SaStream *stream, uint64_t frame)
{
  if (!stream->joined) {
    stream->cursor = 0;
    stream->size_index = 0;
  }
  while (stream->cursor < frame) {
    stream->cursor += sa_timeline_next (stream).frames;
    stream->size_index++;
  }
  if (!stream->joined)
    stream->origin = stream->cursor;
}

bool
sa_timeline_events_stopped (const SaStream *stream, int64_t time)
{
  const SaScript *script = sa_script ();
  double seconds = (double) time / 1e7;

  for (unsigned i = 0; i < script->n_events; i++) {
    const SaEvent *event = &script->events[i];

    if (event->kind == SA_EVENTS_STOP && event->endpoint == stream->endpoint && seconds >= event->at_s
        && seconds < event->at_s + event->length_s)
      return true;
  }
  return false;
}
