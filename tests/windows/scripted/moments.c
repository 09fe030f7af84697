/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "moments.h"
#include "notify.h"
#include "report.h"

#include <string.h>

static bool any_played;

static void
lose_streams (SaStream *streams, unsigned endpoint, HRESULT hr, bool processes)
{
  for (SaStream *stream = streams; stream; stream = stream->next) {
    if (stream->endpoint != endpoint || (stream->process && !processes) || stream->lost != S_OK)
      continue;
    if (stream->routed && sa_engine_default (eRender) != endpoint)
      continue; /* it follows the default */
    stream->counts.stopped += stream->queued_frames + (stream->again ? stream->out.frames : 0);
    stream->again = false;
    stream->head = stream->queued = 0;
    stream->queued_frames = 0;
    stream->lost = hr;
  }
}

/* Streams that were activated by DEVINTERFACE_AUDIO_RENDER or _CAPTURE go where the default goes. */
static void
reroute (SaStream *streams, EDataFlow flow, unsigned to)
{
  const SaScript *script = sa_script ();

  for (SaStream *stream = streams; stream; stream = stream->next) {
    if (!stream->routed || stream->endpoint == to || script->endpoints[stream->endpoint].flow != flow)
      continue;
    sa_engine_advance (stream);
    stream->endpoint = to;
    stream->signal = script->endpoints[to].signal;
    stream->tag = script->endpoints[to].tag;
    stream->discontinuity = true;
    if (stream->captures)
      sa_report ("rerouted IAudioClient#%u endpoint=%ls frame=%llu", stream->number, script->endpoints[to].id,
          (unsigned long long) stream->cursor);
  }
}

static void
default_moved (SaStream *streams, EDataFlow flow, unsigned before)
{
  const SaScript *script = sa_script ();
  unsigned now = sa_engine_default (flow);

  if (now == before)
    return;
  sa_notify_default (flow, now < script->n_endpoints ? script->endpoints[now].id : NULL);
  if (now < script->n_endpoints)
    reroute (streams, flow, now);
}

static void
set_state (SaStream *streams, unsigned index, DWORD state)
{
  SaEndpoint *endpoint = &sa_script ()->endpoints[index];
  unsigned before = sa_engine_default (endpoint->flow);

  if (endpoint->state == state)
    return;
  endpoint->state = state;
  sa_notify_state (endpoint->id, state);
  default_moved (streams, endpoint->flow, before);
}

static void
change_default (SaStream *streams, unsigned index)
{
  SaScript *script = sa_script ();
  EDataFlow flow = script->endpoints[index].flow;
  unsigned before = sa_engine_default (flow);

  for (unsigned i = 0; i < script->n_endpoints; i++) {
    if (script->endpoints[i].flow == flow)
      script->endpoints[i].is_default = i == index;
  }
  default_moved (streams, flow, before);
}

static void
play (SaStream *streams, const SaEvent *event)
{
  SaEndpoint *endpoint = &sa_script ()->endpoints[event->endpoint];

  switch (event->kind) {
    case SA_INVALIDATE:
      lose_streams (streams, event->endpoint, event->hr, true);
      break;
    case SA_REMOVE:
      set_state (streams, event->endpoint, DEVICE_STATE_NOTPRESENT);
      lose_streams (streams, event->endpoint, event->hr, false);
      break;
    case SA_RETURN:
      if (event->has_format)
        endpoint->format = event->format;
      set_state (streams, event->endpoint, DEVICE_STATE_ACTIVE);
      break;
    case SA_DEFAULT_CHANGE:
      change_default (streams, event->endpoint);
      break;
    default:
      break;
  }
}

int64_t
sa_moments_play (SaStream *streams, int64_t time)
{
  SaScript *script = sa_script ();
  int64_t next = INT64_MAX / 2;

  for (unsigned i = 0; i < script->n_events; i++) {
    SaEvent *event = &script->events[i];
    int64_t at = (int64_t) (event->at_s * 1e7);

    if (event->kind < SA_INVALIDATE || event->done)
      continue;
    if (at > time) {
      next = at < next ? at : next;
      continue;
    }
    event->done = any_played = true;
    sa_report ("moment %s at=%.3f played=%.3f", sa_script_event_name (event->kind), event->at_s, (double) time / 1e7);
    play (streams, event);
  }
  return next;
}

bool
sa_moments_played (void)
{
  return any_played;
}
