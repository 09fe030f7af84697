/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stream.h: what a sink plays, recorded from its monitor; or what one of those who play there does (a sink input).
 *
 * pa_stream_peek() points into memory that the server shares with us, and that stays ours until pa_stream_drop(). */
#pragma once

#include "server.h"
#include "sinks.h"
#include "zc-backend.h"

G_BEGIN_DECLS

/* This byte of what we get was or will be heard at that moment. */
typedef struct {
  gint64 bytes;
  gint64 ns;
} ZcPulseTime;

typedef struct {
  ZcPulseServer *server;
  const ZcPulseSink *sink;
  pa_stream *stream; /* NULL: none was begun */

  guint frame_bytes;
  guint rate;
  guint64 position_bytes; /* dropped since the beginning, and the fragment that is out */
  gsize readable_bytes;   /* have come and were not dropped */
  gsize borrowed_bytes;   /* of these, out just now */
  gboolean broken;        /* a fragment could not be given back: what comes then is not known */
  pa_buffer_attr asked;

  gboolean timed;
  ZcPulseTime time;      /* what the server said last */
  guint64 lost_frames;   /* by then */
  gint64 written_bytes;  /* how far what we get, or shall get, went then ... */
  gboolean settled;      /* ... if so: the server had dropped what it had no room for */
  gint64 ask_time_at_ns; /* when to ask anew */
  gint64 ask_time_every_ns;

  gboolean quiet;        /* nothing came for so long that the server may have stood still, or had it lost */

  /* A reader that was late, for whom the server may have had no room. */
  gint64 late_after_ns;  /* how long it may be away */
  gint64 looked_at_ns;   /* when it last was not late */
  gint64 late_at_ns;     /* when it was seen to be late; 0: what was lost is known, if anything was */
  gint64 away_ns;        /* how late it was */
  gint64 dropped_bytes;  /* by a server that drops the oldest: its indices count them */
  gint64 parted_bytes;   /* what lies before this byte has the time, and comes after the losses, of before: */
  ZcPulseTime time_before;
  guint64 lost_before_frames;
  gint64 dropped_before_bytes;
} ZcPulseStream;

/* Asks for it; zc_pulse_stream_state() tells what becomes of it. `input`: the index of one that plays there, or
 * PA_INVALID_INDEX for all of them. */
gboolean zc_pulse_stream_begin (ZcPulseStream *stream, ZcPulseServer *server, const ZcPulseSink *sink, guint32 input,
    const ZcStreamSpec *spec, GError **error);

/* Waits until the deadline for it to be made, or not: one that is ended before that would stay with the server. */
void zc_pulse_stream_end (ZcPulseStream *stream, gint64 deadline_ns);

pa_stream_state_t zc_pulse_stream_state (const ZcPulseStream *stream);
/* The server has its sink rest: nothing comes, not even silence. */
gboolean zc_pulse_stream_is_suspended (const ZcPulseStream *stream);

gboolean zc_pulse_stream_is_good (const ZcPulseStream *stream);

/* What it was asked for, or what the server made of that. */
pa_buffer_attr zc_pulse_stream_granted (const ZcPulseStream *stream);

/* The oldest frames that were not dropped: `data` is NULL if they are a hole. FALSE if there are none. One at a
 * time. */
gboolean zc_pulse_stream_peek (ZcPulseStream *stream, const guint8 **data, guint *frames);
void zc_pulse_stream_drop (ZcPulseStream *stream);

/* Asks the server what time it is in this stream, often at first, seldom later. */
void zc_pulse_stream_ask_time_if_due (ZcPulseStream *stream);

/* Who waits for longer than until then looks like a late reader at the next zc_pulse_stream_ask_time_if_due(). */
gint64 zc_pulse_stream_look_again_at_ns (const ZcPulseStream *stream);

/* The reader was away for so long, up to now: the server is asked what was lost. zc_pulse_stream_ask_time_if_due() sees
 * that by itself, where it is called all the time. */
void zc_pulse_stream_note_late (ZcPulseStream *stream, gint64 away_ns);

/* What was lost is not known yet; for a second at most. */
gboolean zc_pulse_stream_is_late (const ZcPulseStream *stream);

/* That frame of what we get came after what was lost last, if anything was. */
gboolean zc_pulse_stream_is_after_loss (const ZcPulseStream *stream, guint64 frame);

/* A wait was in vain: when something comes again, the server is asked what time it is then. */
void zc_pulse_stream_note_quiet (ZcPulseStream *stream);

/* Frames that should have come before that frame of what we get, and never will. */
guint64 zc_pulse_stream_lost_frames (const ZcPulseStream *stream, guint64 frame);

/* When that frame of what we get is heard; ZC_TIME_NONE if the server has not told any time yet. */
gint64 zc_pulse_stream_heard_at_ns (const ZcPulseStream *stream, guint64 frame);

G_END_DECLS
