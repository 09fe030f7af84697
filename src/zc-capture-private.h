/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-capture-private.h: what zc-capture.c (packets), zc-placing.c (where they lie) and zc-absence.c (none, as the device
 * is gone) share. */
#pragma once

#include "zc-capture.h"
#include "zc-lateness.h"

G_BEGIN_DECLS

struct _ZcCapture {
  const ZcBackend *backend; /* of the device */
  gboolean automatic;       /* it was left to us ... */
  gboolean of_process;      /* ... and is one that captures processes */
  ZcTarget target; /* its strings are ours */
  ZcDevice *device;
  ZcFormat native;
  ZcStats *stats;

  GMutex waking; /* held to wake the device, and to put another one in its place; guards next_target */
  GCond awake;   /* for who waits without a device */
  _Atomic gboolean woken;
  _Atomic gboolean retargeted; /* next_target is wanted now */
  ZcTarget next_target;        /* its strings are ours */

  /* The streaming thread's, while running. */
  gboolean running;
  gboolean detached;
  ZcStreamSpec spec;
  ZcStreamInfo info;
  ZcTimeline *timeline;
  ZcStamps stamps;
  ZcClockFunc clock;
  gpointer clock_data;
  ZcTicks *ticks; /* or NULL */
  ZcLateness lateness;

  gboolean anchored;     /* origin and end mean something */
  guint64 origin;        /* the device's position of our position 0 */
  guint64 end;           /* our position after the packets and the silence so far */
  guint64 unseen_frames; /* lost without a word from the device: its positions fall short by these */

  ZcFill fills;
  gboolean follow;
  gboolean moved;   /* the default has changed, or may have ... */
  gint64 moved_at_ns; /* ... which the backend said then, by its clock */
  guint unheard;    /* packets that came without a wait, in which the backend has its say */
  gboolean by_name; /* the device was opened by its name, though the default is the target: it tells of no other one */
  gchar *refused;   /* the device that did not start when it was to be captured; or NULL */
  GError *refusal;  /* of a target that was asked for before the stream began, to be told; or NULL */
  gint64 dry_since_ns; /* when nothing had come; ZC_TIME_NONE once something has */
  gboolean rested;     /* the device may have since, said the backend */
  gboolean rests;      /* it may, said the backend last ... */
  gboolean asked;      /* ... and that was after the last packet of silence */
  gboolean idle;       /* silence is in place of packets that do not come */
  ZcGlitch glitch;     /* not yet taken, if it has a cause */

  gboolean away;    /* the stream has ended; the device is open, but gone ... */
  gboolean rejoins; /* ... or there again, with a stream that runs and has no packet yet */
  gint64 retry_at_ns;
  gint64 retry_after_ns;
  gint64 found_at_ns;
  gint64 settled_at_ns; /* a server that has just started has found its devices by then */
  GError *hopeless;     /* trying again is of no use */
  guint64 bridged;       /* frames of silence since the loss */
  guint64 fill;          /* frames of silence before anything else */
  guint64 fill_position;
  gboolean fill_discont;
  gboolean skipped; /* frames before the packet, of which nothing is known */

  gboolean borrowed;
  ZcPacket packet;
  guint64 packet_position;
  gboolean packet_discont;
  guint packet_taken; /* frames of it that advance() has passed */
  gboolean keep;
  guint kept; /* packets that advance() has passed and give_back() has not */
};

/* The clock of the stamps. */
gint64 zc_capture_now_ns (const ZcCapture *capture);

gboolean zc_capture_is_woken (const ZcCapture *capture);

/* Another device may be to be captured: a target was asked for, or the default has changed. */
gboolean zc_capture_has_moved (const ZcCapture *capture);

/* A packet is there, and is ours from now on. */
gboolean zc_capture_borrow (ZcCapture *capture);

void zc_capture_end_stream (ZcCapture *capture);

/* -- zc-placing.c -- */

/* A packet has come: where does it lie, and what is missing before it? */
void zc_capture_place_packet (ZcCapture *capture);

/* Nothing has come. TRUE when silence is in its place. */
gboolean zc_capture_is_idle_silence_due (ZcCapture *capture);

/* How long the backend may wait before it is looked again. */
gint64 zc_capture_wait_slice_ns (ZcCapture *capture);

/* Position 0 is then, with silence, if no packet has come yet. */
void zc_capture_anchor (ZcCapture *capture, gint64 time_ns);

/* TRUE if a packet of silence is the next span: a device would have delivered one by now. After anchor(). */
gboolean zc_capture_is_silence_due (ZcCapture *capture);

/* -- zc-absence.c -- */

/* The stream has just been lost. */
void zc_capture_begin_absence (ZcCapture *capture);

/* SPAN of silence, FOUND with a packet, FAILED or WOKEN. */
ZcNext zc_capture_wait_for_device (ZcCapture *capture, GError **error);

/* Begins the stream on another target: TRUE if one was asked for since the last stream, and is the target now; rejoins
 * says if the stream runs, or was woken. If it cannot be, next() tells. */
gboolean zc_capture_start_on_wanted (ZcCapture *capture);

/* To another target, or default. SPAN: go on, with the device away if it is another one now. */
ZcNext zc_capture_move (ZcCapture *capture, GError **error);

/* The device that is gone, or what is there in its place, with a stream on it. */
gboolean zc_capture_reopen (ZcCapture *capture, GError **error);

G_END_DECLS
