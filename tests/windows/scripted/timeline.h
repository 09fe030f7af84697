/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* timeline.h: where packets begin and end, and what the script says of each. Arithmetic only. Under sa_lock(). */
#pragma once

#include "engine.h"

typedef struct {
  unsigned frames;
  DWORD flags; /* AUDCLNT_BUFFERFLAGS_... */
  bool lost;   /* nobody gets it */
  bool idle;   /* nothing plays */
  bool garbage;
} SaSpan;

/* The stretch that begins at the stream's cursor: a packet, or as much of one as the script says the same of. */
SaSpan sa_timeline_next (const SaStream *stream);

/* Puts the cursor to the first packet that begins at `frame` or later. */
void sa_timeline_join (SaStream *stream, uint64_t frame);

/* Whether events are not to be set, `time` (100 ns) after the start of the script. */
bool sa_timeline_events_stopped (const SaStream *stream, int64_t time);
