/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstzcwaker.h: why the streaming thread is to stop waiting for sound: because GstBaseSrc unlocks it, or for a pause.
 *
 * In GStreamer 1.26 a pause unlocks the source, in 1.22 it does not. Were create() to return for a pause just when
 * PLAYING comes again, nobody would call it any more; so it waits for the end of a pause by itself, and the unlocking
 * that comes with one is none.
 *
 * Threads: any. */
#pragma once

#include "zc-capture.h"

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct {
  GMutex lock;   /* guards what follows; held while zc_capture_wake() and _set_target() only; innermost of ours */
  GCond changed; /* one of the reasons has */
  ZcCapture *capture;
  gboolean unlocked;
  gboolean paused;
  GThread *pausing; /* the thread that takes us from PLAYING to PAUSED, while it does */
} GstZcWaker;

void gst_zc_waker_init (GstZcWaker *self);
void gst_zc_waker_clear (GstZcWaker *self);

/* Who is woken from now on, for no reason yet; NULL before that one is closed. It stays the caller's. */
void gst_zc_waker_set_capture (GstZcWaker *self, ZcCapture *capture);

/* What to capture from now on, if there is something to capture with. */
void gst_zc_waker_set_target (GstZcWaker *self, const ZcTarget *target);

/* GstBaseSrc's word: create() is to return, or may wait again. */
void gst_zc_waker_unlock (GstZcWaker *self, gboolean on);

/* Around the parent's change from PLAYING to PAUSED, in its thread. */
void gst_zc_waker_pause (GstZcWaker *self);
void gst_zc_waker_pause_done (GstZcWaker *self);

/* PLAYING again. */
void gst_zc_waker_resume (GstZcWaker *self);

/* Waits for the end of a pause, if there is one. FALSE if create() is to return. `pad`: the element's. */
gboolean gst_zc_waker_wait (GstZcWaker *self, GstPad *pad);

G_END_DECLS
