/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stream.h: what the monitor of a sink gives, turn by turn of PipeWire's graph, and where each lies in time.
 *
 * A turn fills a buffer, in libpipewire's data thread, which hands it to the streaming thread by a ring without locks,
 * and gets it back by the same ring. The buffers are memory of this process, and PipeWire has others to fill while some
 * are out. If it had none left, it would stop without a word; so for a late reader the data thread copies what has come
 * last (spill.h), as much as buffer_frames, and what then has no room is lost. */
#pragma once

#include "server.h"
#include "sinks.h"
#include "spill.h"
#include "zc-backend.h"

G_BEGIN_DECLS

/* A power of two. What a reader may be late by is no more turns than that. */
#define ZC_PIPEWIRE_MOST_TURNS 1024

typedef struct {
  struct pw_buffer *buffer; /* that was filled; NULL: it has been copied */
  const guint8 *data;
  gsize spilled; /* what that takes of the spill */
  guint32 frames;
  gboolean timed; /* these are known: */
  guint64 ticks;  /* of the graph's clock, when the turn began */
  guint tick_rate;
  gint64 heard_ns; /* when its first frame is heard; ZC_TIME_NONE if not */
} ZcPipeWireTurn;

typedef struct {
  ZcPipeWireServer *server;
  struct pw_stream *stream;
  struct spa_hook listener;
  enum pw_stream_state state;
  gchar *said; /* if that is an error */
  guint rate;
  guint frame_bytes;
  guint buffers; /* that PipeWire has made */

  /* A ring. Of all turns so far: */
  ZcPipeWireTurn turns[ZC_PIPEWIRE_MOST_TURNS];
  _Atomic guint filled;     /* by the data thread */
  guint borrowed;           /* by the streaming thread */
  _Atomic guint given_back; /* by the streaming thread */
  guint recycled;           /* by the data thread: PipeWire has their buffers again */
  guint kept;               /* the data thread's: buffers of those that are not recycled */
  _Atomic guint wish;       /* by the streaming thread; odd: no more buffers are to be kept, their bytes are copied */
  _Atomic guint granted;    /* by the data thread: the last wish that it has seen */
  ZcPipeWireSpill spill;

  guint64 position_frames; /* of the next one, if nothing is lost */
  gint64 placed_ticks;     /* of the last turn whose time is known ... */
  guint64 placed_frames;   /* ... and its position */
  guint placed_rate;       /* of these ticks; 0: there was none yet */
  gboolean delay_is_ours; /* PipeWire tells the resampler's delay in frames of the stream, not of the graph */
} ZcPipeWireStream;

/* Asks for a stream of the chosen sink's monitor. `zc_pipewire_stream_end()` ends it, by the deadline, whatever the
 * outcome. */
gboolean zc_pipewire_stream_begin (ZcPipeWireStream *stream, ZcPipeWireServer *server, const ZcPipeWireSinks *sinks,
    const ZcStreamSpec *spec, GError **error);
void zc_pipewire_stream_end (ZcPipeWireStream *stream, gint64 deadline_ns);

/* It is there, or can be yet. */
gboolean zc_pipewire_stream_is_good (const ZcPipeWireStream *stream);

/* Somebody has linked it to the sink: the session manager does. */
gboolean zc_pipewire_stream_is_linked (const ZcPipeWireStream *stream);

gboolean zc_pipewire_stream_has_packet (const ZcPipeWireStream *stream);

/* How many frames a packet has; 0 if none has come yet. */
guint zc_pipewire_stream_turn_frames (ZcPipeWireStream *stream);

/* TRUE when no packet is in PipeWire's buffers any more, in the ring or out: these may be taken away then, and nothing is
 * lost. Until it is, and until uses_buffers(), what comes is copied. */
gboolean zc_pipewire_stream_frees_buffers (ZcPipeWireStream *stream);
void zc_pipewire_stream_uses_buffers (ZcPipeWireStream *stream);

gboolean zc_pipewire_stream_borrow (ZcPipeWireStream *stream, ZcPacket *packet);

/* The oldest that is out. */
void zc_pipewire_stream_give_back (ZcPipeWireStream *stream);

G_END_DECLS
