/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcwaker.h"

void
gst_zc_waker_init (GstZcWaker *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
}

void
gst_zc_waker_clear (GstZcWaker *self)
{
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
}

void
gst_zc_waker_set_capture (GstZcWaker *self, ZcCapture *capture)
{
  g_mutex_lock (&self->lock);
  self->capture = capture;
  if (capture != NULL)
    self->unlocked = self->paused = FALSE;
  g_mutex_unlock (&self->lock);
}

void
gst_zc_waker_set_target (GstZcWaker *self, const ZcTarget *target)
{
  g_mutex_lock (&self->lock);
  if (self->capture != NULL)
    zc_capture_set_target (self->capture, target);
  g_mutex_unlock (&self->lock);
}

/* Under the lock. An event may be sent in NULL, where there is nothing to wake. */
static void
wake (GstZcWaker *self)
{
  if (self->capture != NULL)
    zc_capture_wake (self->capture, self->unlocked || self->paused);
  g_cond_broadcast (&self->changed);
}

void
gst_zc_waker_unlock (GstZcWaker *self, gboolean on)
{
  g_mutex_lock (&self->lock);
  if (!on || self->pausing != g_thread_self ())
    self->unlocked = on;
  wake (self);
  g_mutex_unlock (&self->lock);
}

void
gst_zc_waker_pause (GstZcWaker *self)
{
  g_mutex_lock (&self->lock);
  self->pausing = g_thread_self ();
  self->paused = TRUE;
  wake (self);
  g_mutex_unlock (&self->lock);
}

void
gst_zc_waker_pause_done (GstZcWaker *self)
{
  g_mutex_lock (&self->lock);
  self->pausing = NULL;
  g_mutex_unlock (&self->lock);
}

void
gst_zc_waker_resume (GstZcWaker *self)
{
  g_mutex_lock (&self->lock);
  self->paused = FALSE;
  wake (self);
  g_mutex_unlock (&self->lock);
}

/* A pad that is being deactivated is flushing before we are unlocked; that holds, too, where an unlock_stop for the
 * pause before comes late and takes the unlocking back. */
static gboolean
is_unlocked (GstZcWaker *self, GstPad *pad)
{
  return self->unlocked || GST_PAD_IS_FLUSHING (pad);
}

gboolean
gst_zc_waker_wait (GstZcWaker *self, GstPad *pad)
{
  gboolean unlocked;

  g_mutex_lock (&self->lock);
  while (self->paused && !is_unlocked (self, pad)) /* GstBaseSrc may not know of the pause yet */
    g_cond_wait (&self->changed, &self->lock);
  unlocked = is_unlocked (self, pad);
  g_mutex_unlock (&self->lock);
  return !unlocked;
}
