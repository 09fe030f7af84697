/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* player.h: one who plays on a server, a sink input, recorded by itself and mixed in where it belongs. */
#pragma once

#include "processes.h"

G_BEGIN_DECLS

typedef enum {
  ZC_PULSE_PLAYER_STOPPED, /* nothing comes */
  ZC_PULSE_PLAYER_PLACING, /* where it belongs is being asked */
  ZC_PULSE_PLAYER_RUNNING, /* what comes is mixed */
  ZC_PULSE_PLAYER_DOUBTED, /* we were late, it may have lost something: how much of it came before is being asked */
} ZcPulsePlayerState;

typedef struct {
  ZcPulseProcesses *processes;
  guint32 index; /* of the sink input */
  guint32 sink;
  gboolean gone; /* and the server says that it is no more */
  gboolean paused;

  /* A connection of its own: pipewire-pulse up to 1.6.8 does not send what a stream has while something else is on its
   * way through the same one (pulse-server.c, do_process_done), and a second stream would wait for seconds. */
  ZcPulseServer server;
  ZcPulseStream stream;
  gint64 begin_at_ns; /* while there is no connection */
  gint64 retry_ns;    /* how long after that again */
  ZcPulsePlayerState state;
  guint64 mixed_frames;  /* of the stream */
  guint64 sure_frames;   /* of the stream; what comes after these has another place, if RUNNING; G_MAXUINT64: all */
  gint64 offset_frames;  /* its frame n is heard with the monitor's n + offset_frames */
  gint64 answer_frames;  /* the same, as the last answer said */
  gint64 mixed_to;       /* the monitor's frame up to which it was mixed: none is mixed twice */
  gint64 ask_at_ns;      /* when to ask for its place again */
  guint questions;
  guint agreeing; /* answers, the last ones: */
  gint64 agreed_at_ns;     /* the first of these came then ... */
  gint64 agreed_at_bytes;  /* ... when the monitor had come so far */
  pa_operation *question[2]; /* the last one: to the monitor, and to the player's own stream */
  const guint8 *fragment; /* that is out; NULL for a hole */
  guint fragment_frames;  /* what is left of it */
  gint64 still_since_ns;  /* it is behind the monitor, and nothing has come since; 0: it is not */
} ZcPulsePlayer;

/* It has begun to play, or does. Free with g_free() once it has ended, or never begun. */
ZcPulsePlayer *zc_pulse_player_new (ZcPulseProcesses *processes, const pa_sink_input_info *info);

/* Goes on with what is to be done, and mixes what has come. FALSE if it is over. */
gboolean zc_pulse_player_tend (ZcPulsePlayer *player);

/* How far the mix is complete as far as this player goes. */
guint64 zc_pulse_player_reach (ZcPulsePlayer *player);

/* We were late: its stream goes on from somewhere else, sooner or later. */
void zc_pulse_player_doubt (ZcPulsePlayer *player);

/* For so long, up to now, nobody listened. */
void zc_pulse_player_leave_out (ZcPulsePlayer *player, gint64 absence_ns);

/* As if it had never begun. */
void zc_pulse_player_end (ZcPulsePlayer *player, gint64 deadline_ns);

G_END_DECLS
