/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A capture whose device is gone, or shall be another one: it is tried again and again, and silence takes its place
 * until it delivers. */
#include "zc-capture-private.h"
#include "zc-clock.h"
#include "zc-limits.h"
#include "zc-registry.h"

/* Without a device nothing tells that time has passed. */
#define DOZE_NS (G_GINT64_CONSTANT (5) * 1000 * 1000)

/* A device that comes for moments only is not tried again at once. */
void
zc_capture_begin_absence (ZcCapture *capture)
{
  gint64 now_ns = zc_clock_now_ns ();

  capture->away = TRUE;
  capture->fill_discont = TRUE;
  capture->bridged = 0;
  capture->retry_at_ns = now_ns;
  if (now_ns - capture->found_at_ns > ZC_RETRY_CALM_NS)
    capture->retry_after_ns = ZC_RETRY_FIRST_NS;
  else
    capture->retry_at_ns += capture->retry_after_ns;
  zc_stats_add (capture->stats, ZC_STAT_GLITCHES, 1);
  zc_capture_anchor (capture, zc_capture_now_ns (capture));
}

/* A device that is open, whose it is, and what for. */
typedef struct {
  const ZcBackend *backend;
  ZcDevice *device;
  gboolean of_process;
} Opened;

static void
close_opened (Opened opened)
{
  opened.backend->close (opened.device);
}

/* The one that is gone stays open until then: its clock and its name are good. Returns the device from before. */
static Opened
exchange (ZcCapture *capture, Opened other)
{
  Opened before = { capture->backend, capture->device, capture->of_process };

  g_mutex_lock (&capture->waking);
  capture->backend = other.backend;
  capture->device = other.device;
  capture->of_process = other.of_process;
  other.backend->wake (other.device, zc_capture_is_woken (capture) || capture->retargeted);
  g_mutex_unlock (&capture->waking);
  capture->detached = FALSE;
  capture->moved = FALSE;
  return before;
}

/* Where the backend was left to us, that of a device need not be that of processes. */
static gboolean
open_other (ZcCapture *capture, const ZcTarget *wanted, Opened *opened, ZcFormat *native, GError **error)
{
  opened->backend = capture->backend;
  opened->of_process = zc_target_is_process (wanted);
  if (capture->automatic && opened->of_process != capture->of_process)
    opened->device = zc_registry_open ("auto", wanted, &opened->backend, native, error);
  else
    opened->device = zc_registry_open_with (opened->backend, wanted, native, error);
  return opened->device != NULL;
}

/* TRUE if another target was asked for since the last call. To be cleared. */
static gboolean
take_wanted (ZcCapture *capture, ZcTarget *wanted)
{
  gboolean taken;

  g_mutex_lock (&capture->waking);
  taken = atomic_exchange (&capture->retargeted, FALSE);
  if (taken) {
    *wanted = capture->next_target;
    capture->next_target = (ZcTarget){ 0 };
    capture->backend->wake (capture->device, zc_capture_is_woken (capture));
  }
  g_mutex_unlock (&capture->waking);
  return taken;
}

/* Its strings are ours from now on. */
static void
adopt (ZcCapture *capture, ZcTarget *target)
{
  zc_target_clear (&capture->target);
  capture->target = *target;
  *target = (ZcTarget){ 0 };
  g_clear_pointer (&capture->refused, g_free);
  capture->by_name = FALSE;
}

/* Trying again is of no use. */
static gboolean
is_hopeless (const GError *error)
{
  return g_error_matches (error, ZC_ERROR, ZC_ERROR_FORMAT) || g_error_matches (error, ZC_ERROR, ZC_ERROR_SETTINGS);
}

/* TRUE if another target was asked for and is looked for from now on; what never can be is refused. */
static gboolean
open_wanted (ZcCapture *capture, Opened *opened, GError **error)
{
  g_autoptr (GError) failure = NULL;
  ZcTarget wanted;

  if (!take_wanted (capture, &wanted))
    return FALSE;
  if (!open_other (capture, &wanted, opened, &capture->native, &failure) && is_hopeless (failure)) {
    g_clear_error (&capture->refusal);
    capture->refusal = g_steal_pointer (&failure);
    zc_target_clear (&wanted);
    return FALSE;
  }
  adopt (capture, &wanted);
  if (opened->device == NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return TRUE;
}

/* Where none was named and the default is not followed, the one that is gone; if that is not there, another one. A
 * server that has just started may name a default before it has found its devices. */
static gboolean
open_target (ZcCapture *capture, Opened *opened, GError **error)
{
  g_autoptr (GError) failure = NULL;
  ZcTarget same;

  if (open_wanted (capture, opened, error))
    return opened->device != NULL;
  same = capture->target;
  if (zc_backend_is_default (capture->backend, &same) && !capture->follow) {
    same.device = capture->backend->device_name (capture->device);
    opened->backend = capture->backend;
    opened->of_process = FALSE;
    opened->device = capture->backend->open (&same, &capture->native, &failure);
    capture->by_name = opened->device != NULL;
    if (opened->device != NULL)
      return TRUE;
    if (!g_error_matches (failure, ZC_ERROR, ZC_ERROR_NO_DEVICE) || zc_clock_now_ns () < capture->settled_at_ns) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  }
  capture->by_name = FALSE;
  return open_other (capture, &capture->target, opened, &capture->native, error);
}

gboolean
zc_capture_reopen (ZcCapture *capture, GError **error)
{
  Opened opened;

  if (!open_target (capture, &opened, error))
    return FALSE;
  close_opened (exchange (capture, opened));
  return capture->backend->start (capture->device, &capture->spec, &capture->info, error);
}

/* On `wanted`, whose device is open. FALSE if it does not start: on the one from before then, which is not started. */
static gboolean
start_on (ZcCapture *capture, ZcTarget *wanted, Opened opened, const ZcFormat *native, GError **error)
{
  Opened before = exchange (capture, opened);
  g_autoptr (GError) failure = NULL;

  capture->rejoins = capture->backend->start (capture->device, &capture->spec, &capture->info, &failure);
  if (!capture->rejoins && !g_error_matches (failure, ZC_ERROR, ZC_ERROR_WOKEN)) {
    g_free (capture->refused);
    capture->refused = g_strdup (capture->backend->device_name (capture->device));
    close_opened (exchange (capture, before));
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  close_opened (before);
  capture->native = *native;
  adopt (capture, wanted);
  return TRUE;
}

gboolean
zc_capture_start_on_wanted (ZcCapture *capture)
{
  Opened opened;
  ZcTarget wanted;
  ZcFormat native;
  gboolean on_it;

  g_clear_error (&capture->refusal);
  if (capture->away || !take_wanted (capture, &wanted))
    return FALSE;
  on_it = open_other (capture, &wanted, &opened, &native, &capture->refusal)
      && start_on (capture, &wanted, opened, &native, &capture->refusal);
  zc_target_clear (&wanted);
  return on_it;
}

/* A call that did not end in time may still be under way: not too many of them. */
static void
wait_before_retry (ZcCapture *capture, const GError *error)
{
  gint64 now_ns = zc_clock_now_ns ();
  gboolean hangs = g_error_matches (error, ZC_ERROR, ZC_ERROR_TIMEOUT);

  capture->retry_at_ns = now_ns + (hangs ? ZC_RETRY_HUNG_NS : capture->retry_after_ns);
  capture->retry_after_ns = MIN (2 * capture->retry_after_ns, ZC_RETRY_MOST_NS);
  if (g_error_matches (error, ZC_ERROR, ZC_ERROR_NO_SERVER))
    capture->settled_at_ns = now_ns + ZC_SETTLE_NS;
}

static void
try_again (ZcCapture *capture)
{
  g_autoptr (GError) error = NULL;

  if (zc_clock_now_ns () < capture->retry_at_ns && !atomic_load (&capture->retargeted))
    return;
  capture->rejoins = zc_capture_reopen (capture, &error);
  if (capture->rejoins || g_error_matches (error, ZC_ERROR, ZC_ERROR_WOKEN))
    return;
  g_debug ("still gone: %s", error->message);
  wait_before_retry (capture, error);
  if (is_hopeless (error))
    capture->hopeless = g_steal_pointer (&error);
}

/* The default is the device that is captured, or one that could not be started when it became the default; it may be
 * tried again once another one has been the default. */
static gboolean
stays (ZcCapture *capture, Opened other)
{
  const gchar *name = other.backend->device_name (other.device);

  if (g_strcmp0 (name, capture->refused) == 0)
    return TRUE;
  g_clear_pointer (&capture->refused, g_free);
  return !capture->by_name && !zc_target_is_process (&capture->target)
      && g_str_equal (name, capture->backend->device_name (capture->device));
}

/* The other device did not start, which is `refusal`: the one from before goes on, after a break. */
static ZcNext
go_back (ZcCapture *capture, GError *refusal, GError **error)
{
  g_autoptr (GError) failure = NULL;

  capture->rejoins = capture->backend->start (capture->device, &capture->spec, &capture->info, &failure);
  if (capture->rejoins || g_error_matches (failure, ZC_ERROR, ZC_ERROR_WOKEN)) {
    g_propagate_error (error, refusal);
    return ZC_NEXT_REFUSED;
  }
  g_clear_error (&capture->refusal);
  capture->refusal = refusal; /* told next */
  g_set_error_literal (error, ZC_ERROR, ZC_ERROR_LOST, failure->message);
  return ZC_NEXT_LOST;
}

static ZcNext
move_to (ZcCapture *capture, ZcTarget *wanted, GError **error)
{
  GError *refusal = NULL;
  Opened other;
  ZcFormat native;

  if (!open_other (capture, wanted, &other, &native, error))
    return ZC_NEXT_REFUSED;
  if (zc_target_equal (wanted, &capture->target) && stays (capture, other)) {
    close_opened (other);
    return ZC_NEXT_SPAN;
  }
  zc_capture_end_stream (capture);
  if (!capture->away)
    zc_capture_begin_absence (capture);
  if (start_on (capture, wanted, other, &native, &refusal))
    return ZC_NEXT_SPAN;
  capture->moved |= zc_target_equal (wanted, &capture->target); /* who does not listen then does not hear of it */
  return go_back (capture, refusal, error);
}

/* The other one is opened first: if it cannot be, all stays as it is. */
ZcNext
zc_capture_move (ZcCapture *capture, GError **error)
{
  gboolean moved = capture->moved, asked;
  ZcTarget wanted;
  ZcNext next;

  if (capture->kept > 0)
    return ZC_NEXT_FULL;
  asked = take_wanted (capture, &wanted);
  if (!asked)
    wanted = zc_target_copy (&capture->target);
  capture->moved = FALSE;
  next = move_to (capture, &wanted, error);
  zc_target_clear (&wanted);
  capture->moved |= moved && asked && next == ZC_NEXT_REFUSED; /* the default is looked at then */
  return next;
}

static void
doze (ZcCapture *capture)
{
  g_mutex_lock (&capture->waking);
  if (!zc_capture_is_woken (capture))
    g_cond_wait_until (&capture->awake, &capture->waking, g_get_monotonic_time () + DOZE_NS / 1000);
  g_mutex_unlock (&capture->waking);
}

static void
wait_a_moment (ZcCapture *capture)
{
  ZcWait wait;

  if (!capture->rejoins) {
    doze (capture);
    return;
  }
  wait = capture->backend->wait (capture->device, DOZE_NS, NULL);
  capture->moved |= wait == ZC_WAIT_MOVED;
  if (wait != ZC_WAIT_LOST)
    return;
  capture->rejoins = FALSE;
  zc_capture_end_stream (capture);
  wait_before_retry (capture, NULL);
}

/* The device comes first, and silence where it has nothing: who takes silence late all the same gets the device. */
ZcNext
zc_capture_wait_for_device (ZcCapture *capture, GError **error)
{
  while (!zc_capture_is_woken (capture)) {
    if (capture->rejoins && zc_capture_has_moved (capture)) { /* it need not have a packet: nothing plays there */
      ZcNext next = zc_capture_move (capture, error);
      if (next != ZC_NEXT_SPAN)
        return next;
      continue;
    }
    if (!capture->rejoins)
      try_again (capture);
    if (capture->hopeless != NULL) {
      g_propagate_error (error, g_steal_pointer (&capture->hopeless));
      return ZC_NEXT_FAILED;
    }
    if (capture->rejoins && zc_capture_borrow (capture)) {
      capture->away = FALSE;
      capture->found_at_ns = zc_clock_now_ns ();
      return ZC_NEXT_FOUND;
    }
    if (zc_capture_is_silence_due (capture))
      return ZC_NEXT_SPAN;
    wait_a_moment (capture);
  }
  return ZC_NEXT_WOKEN;
}
