/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* engine.h: the audio engine: what is due, when, into which stream.
 *
 * Script time begins at the first Start of a stream that captures, and all timelines with it: frame n of an endpoint
 * is at n / rate seconds of script time. A stream that starts later joins at the next packet. What a packet holds
 * depends on the script alone; only when it is fetched depends on the clock.
 * Every call moves the engine on by itself, and a thread does so each time that something is due, sets events and
 * plays the moments of the script. All of this under sa_lock(). */
#pragma once

#include "script.h"

#define SA_QUEUE 1024 /* packets */

typedef struct {
  uint64_t first; /* frame of the timeline, at the stream's rate */
  unsigned frames;
  DWORD flags;    /* AUDCLNT_BUFFERFLAGS_... */
  SaSignal signal;
  unsigned tag;
  bool garbage;
} SaPacket;

/* Frames, unless said. produced = delivered + overrun + stopped + what is queued. */
typedef struct {
  uint64_t produced, silent;
  uint64_t delivered; /* to the program; from it, if it renders */
  uint64_t overrun;  /* lost since the buffer was full */
  uint64_t scripted; /* lost by `discontinuity` */
  uint64_t idle;     /* never made, nothing played */
  uint64_t stopped;  /* queued when the stream was reset or lost */
  uint64_t packets, overruns, get_buffers, empty, events; /* counts */
} SaCounts;

typedef struct _SwStream SaStream;

struct _SwStream {
  SaStream *next;        /* of those that exist */
  unsigned endpoint;     /* its index; for a process the first one, whose packets and events it has */
  bool captures;         /* or renders */
  bool process;
  bool mute;             /* a process stream after Reset: starts, and gives nothing */
  bool routed;           /* follows the default endpoint */
  SaSignal signal;
  unsigned tag;
  SaFormat format;
  unsigned capacity_frames, period_frames;
  HANDLE event;
  bool event_broken;     /* told once */
  bool running;
  HRESULT lost;          /* S_OK, or what every call says from now on */
  const char *label;     /* of the client */
  unsigned number;

  /* capturing */
  SaPacket queue[SA_QUEUE];
  unsigned head, queued;
  uint64_t queued_frames;
  SaPacket out;          /* the packet that is with the program, or is to be given again */
  bool is_out, again;
  DWORD out_thread;
  bool discontinuity;    /* on the next packet made */
  bool joined;           /* the cursor is where this stream began */
  uint64_t cursor;       /* the frame that is made next */
  uint64_t origin;       /* the frame whose position is 0 */
  unsigned size_index;
  bool event_pending;
  int64_t event_due;
  BYTE *bytes;
  size_t bytes_size;

  /* rendering */
  uint64_t written;
  int64_t started;       /* 100 ns */
  uint64_t played_before; /* frames played until the last Stop */
  int64_t next_event;

  SaCounts counts;
};

int64_t sa_now (void); /* QueryPerformanceCounter in 100 ns */

/* Into the list of the engine, and out of it. */
void sa_engine_add (SaStream *stream);
void sa_engine_remove (SaStream *stream);

void sa_engine_start (SaStream *stream);
void sa_engine_stop (SaStream *stream);
void sa_engine_reset (SaStream *stream);

/* All that is due by now is in the queue. */
void sa_engine_advance (SaStream *stream);

/* The next packet leaves the queue and becomes `out`. False: there is none. */
bool sa_engine_take (SaStream *stream);

uint64_t sa_engine_position (const SaStream *stream, uint64_t frame);
int64_t sa_engine_time (const SaStream *stream, uint64_t frame);

/* Frames that a render stream has played; never more than were written. */
uint64_t sa_engine_played (const SaStream *stream);

/* The endpoint that plays by default, or n_endpoints. */
unsigned sa_engine_default (EDataFlow flow);

/* Lines `stream ...` of the report. */
void sa_engine_report (void);
