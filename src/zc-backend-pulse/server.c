/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "server.h"

#include "zc-clock.h"
#include "zc-limits.h"

gboolean
zc_pulse_server_is_good (ZcPulseServer *server)
{
  return server->context != NULL && PA_CONTEXT_IS_GOOD (pa_context_get_state (server->context));
}

const gchar *
zc_pulse_server_last_word (ZcPulseServer *server)
{
  return pa_strerror (pa_context_errno (server->context));
}

gboolean
zc_pulse_iterate (ZcPulseServer *server, gint64 deadline_ns)
{
  gint64 left_us = (deadline_ns - zc_clock_now_ns () + 999) / 1000;

  if (left_us <= 0)
    return FALSE;
  if (pa_mainloop_prepare (server->loop, (int) MIN (left_us, G_MAXINT)) >= 0) {
    if (atomic_load (&server->woken))
      pa_mainloop_wakeup (server->loop); /* prepare() has just cleared a wake-up that came before it */
    if (pa_mainloop_poll (server->loop) >= 0) {
      pa_mainloop_dispatch (server->loop);
      return TRUE;
    }
  }
  pa_context_disconnect (server->context); /* a loop that cannot poll is of no use: that is loss */
  return TRUE;
}

void
zc_pulse_rest (ZcPulseServer *server, gint64 until_ns)
{
  while (!atomic_load (&server->woken) && zc_pulse_iterate (server, until_ns))
    ;
}

void
zc_pulse_catch_up (ZcPulseServer *server)
{
  for (guint round = 0; round < 100 && pa_mainloop_iterate (server->loop, 0, NULL) > 0; round++)
    ;
}

gboolean
zc_pulse_complete (ZcPulseServer *server, pa_operation *operation, gint64 deadline_ns)
{
  gboolean done = FALSE;

  if (operation == NULL)
    return FALSE;
  while (!(done = pa_operation_get_state (operation) != PA_OPERATION_RUNNING) && zc_pulse_server_is_good (server))
    if (!zc_pulse_iterate (server, deadline_ns))
      break;
  pa_operation_unref (operation);
  return done && zc_pulse_server_is_good (server);
}

void
zc_pulse_set_silent (GError **error, ZcPulseServer *server, const gchar *what, const gchar *call)
{
  gboolean good = zc_pulse_server_is_good (server);

  g_set_error (error, ZC_ERROR, good ? ZC_ERROR_TIMEOUT : ZC_ERROR_NO_SERVER, "PulseAudio (%s) does not tell %s: %s "
      "said \"%s\". Restart the sound server and try again.", server->name, what, call,
      good ? "timeout" : zc_pulse_server_last_word (server));
}

void
zc_pulse_forget (pa_operation *operation)
{
  if (operation != NULL)
    pa_operation_unref (operation);
}

void
zc_pulse_wake (ZcPulseServer *server, gboolean on)
{
  atomic_store (&server->woken, on);
  if (on)
    pa_mainloop_wakeup (server->loop);
}

gboolean
zc_pulse_is_woken (ZcPulseServer *server, GError **error)
{
  if (!atomic_load (&server->woken))
    return FALSE;
  g_set_error_literal (error, ZC_ERROR, ZC_ERROR_WOKEN, "woken");
  return TRUE;
}

static gboolean
begin (ZcPulseServer *server, const gchar *address)
{
  const gchar *application = g_get_application_name ();

  server->context = pa_context_new (pa_mainloop_get_api (server->loop), application != NULL ? application
                                                                                           : "zcloopbacksrc");
  /* libpulse would wait without a limit for a server that it starts; and one that was ended shall not come back by
   * us. */
  return server->context != NULL && pa_context_connect (server->context, address, PA_CONTEXT_NOAUTOSPAWN, NULL) >= 0;
}

gboolean
zc_pulse_server_join (ZcPulseServer *server, const ZcPulseServer *first)
{
  *server = (ZcPulseServer){ .loop = first->loop, .joined = TRUE, .name = g_strdup (first->name) };
  return begin (server, pa_context_get_server (first->context));
}

gboolean
zc_pulse_server_is_ready (ZcPulseServer *server)
{
  return pa_context_get_state (server->context) == PA_CONTEXT_READY;
}

gboolean
zc_pulse_server_connect (ZcPulseServer *server, gint64 deadline_ns, GError **error)
{
  const gchar *asked = g_getenv ("PULSE_SERVER");
  gboolean begun;

  server->name = g_strdup (asked != NULL ? asked : "the default server");
  server->loop = pa_mainloop_new ();
  begun = server->loop != NULL && begin (server, NULL);
  if (server->context == NULL) {
    g_set_error_literal (error, ZC_ERROR, ZC_ERROR_FAILED, "libpulse cannot begin (pa_mainloop_new, pa_context_new): "
        "it is out of memory or file descriptors. Close some, or raise the limit (ulimit -n).");
    return FALSE;
  }
  if (begun)
    while (pa_context_get_state (server->context) != PA_CONTEXT_READY && zc_pulse_server_is_good (server))
      if (!zc_pulse_iterate (server, deadline_ns)) {
        g_set_error (error, ZC_ERROR, ZC_ERROR_TIMEOUT, "PulseAudio (%s) accepted the connection and did not answer "
            "within %.1f s. Restart the sound server and try again.", server->name, ZC_OPEN_TIMEOUT_NS / 1e9);
        return FALSE;
      }
  if (zc_pulse_server_is_good (server))
    return TRUE;
  g_set_error (error, ZC_ERROR, ZC_ERROR_NO_SERVER, "Cannot reach PulseAudio (%s): pa_context_connect said \"%s\". "
      "Start a sound server (pulseaudio --start, or PipeWire with pipewire-pulse), or set PULSE_SERVER to one that "
      "runs.", server->name, zc_pulse_server_last_word (server));
  return FALSE;
}

void
zc_pulse_server_clear (ZcPulseServer *server)
{
  if (server->context != NULL) {
    pa_context_disconnect (server->context);
    pa_context_unref (server->context);
  }
  if (server->loop != NULL && !server->joined)
    pa_mainloop_free (server->loop);
  g_free (server->name);
  *server = (ZcPulseServer){ 0 };
}
