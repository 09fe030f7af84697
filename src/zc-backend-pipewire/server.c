/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "server.h"

#include "zc-clock.h"
#include "zc-limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define USUAL_RATE 48000

/* -- the loop ---------------------------------------------------------------------------------------------------- */

void
zc_pipewire_enter (ZcPipeWireServer *server)
{
  pw_loop_enter (server->loop);
}

void
zc_pipewire_leave (ZcPipeWireServer *server)
{
  pw_loop_leave (server->loop);
}

gboolean
zc_pipewire_is_good (const ZcPipeWireServer *server)
{
  return server->core != NULL && !server->broken;
}

gboolean
zc_pipewire_poll (ZcPipeWireServer *server, gint64 deadline_ns)
{
  gint64 left_ms = (deadline_ns - zc_clock_now_ns () + 999999) / 1000000;
  struct epoll_event events[2];
  int ready = epoll_wait (server->poll_fd, events, G_N_ELEMENTS (events), (int) CLAMP (left_ms, 0, G_MAXINT));

  for (int i = 0; i < ready; i++)
    server->has_news |= events[i].data.ptr == server->loop;
  return left_ms > 0;
}

void
zc_pipewire_hear (ZcPipeWireServer *server)
{
  server->has_news = FALSE;
  if (pw_loop_iterate (server->loop, 0) < 0 && errno != EINTR)
    server->broken = TRUE;
}

/* The event is seen once, and never read: EPOLLET. */
void
zc_pipewire_nudge (ZcPipeWireServer *server)
{
  eventfd_write (server->event_fd, 1);
}

void
zc_pipewire_wake (ZcPipeWireServer *server, gboolean on)
{
  atomic_store (&server->woken, on);
  if (on)
    zc_pipewire_nudge (server);
}

gboolean
zc_pipewire_is_woken (ZcPipeWireServer *server, GError **error)
{
  if (!atomic_load (&server->woken))
    return FALSE;
  g_set_error_literal (error, ZC_ERROR, ZC_ERROR_WOKEN, "woken");
  return TRUE;
}

/* -- what the server says ---------------------------------------------------------------------------------------- */

static void
on_info (void *data, const struct pw_core_info *info)
{
  ZcPipeWireServer *server = data;
  const gchar *rate = info->props != NULL ? spa_dict_lookup (info->props, "default.clock.rate") : NULL;

  if (rate != NULL && atoi (rate) > 0)
    server->rate = MIN ((guint) atoi (rate), ZC_MAX_RATE);
}

static void
on_done (void *data, uint32_t id, int sequence)
{
  ZcPipeWireServer *server = data;

  if (id == PW_ID_CORE)
    server->answered = sequence;
}

static void
on_error (void *data, uint32_t id, int sequence, int result, const char *message)
{
  ZcPipeWireServer *server = data;

  if (id != PW_ID_CORE || result != -EPIPE)
    return;
  g_free (server->last_word);
  server->last_word = g_strdup (message);
  server->broken = TRUE;
}

gboolean
zc_pipewire_complete (ZcPipeWireServer *server, const gchar *what, gint64 deadline_ns, GError **error)
{
  gboolean in_time = TRUE;

  if (zc_pipewire_is_good (server))
    server->asked = pw_core_sync (server->core, PW_ID_CORE, 0);
  while (zc_pipewire_is_good (server) && server->answered != server->asked && in_time) {
    zc_pipewire_hear (server);
    if (server->answered != server->asked)
      in_time = zc_pipewire_poll (server, deadline_ns);
  }
  if (zc_pipewire_is_good (server) && in_time)
    return TRUE;
  g_set_error (error, ZC_ERROR, in_time ? ZC_ERROR_NO_SERVER : ZC_ERROR_TIMEOUT, "PipeWire (%s) does not tell %s: "
      "pw_core_sync said \"%s\". Restart the sound server and try again.", server->name, what,
      !in_time ? "timeout" : server->last_word != NULL ? server->last_word : "connection error");
  return FALSE;
}

/* -- from beginning to end --------------------------------------------------------------------------------------- */

static gboolean
add_to_poll (ZcPipeWireServer *server, int fd, guint32 events, gpointer what)
{
  struct epoll_event event = { .events = events, .data.ptr = what };

  return fd >= 0 && epoll_ctl (server->poll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

gboolean
zc_pipewire_is_old (void)
{
  guint major = 0, minor = 0, micro = 0;

  sscanf (pw_get_library_version (), "%u.%u.%u", &major, &minor, &micro);
  return major < 1 || (major == 1 && (minor < 3 || (minor == 3 && micro < 81)));
}

/* With a data thread of real time, if the system allows one: old ones have another configuration for that. */
static struct pw_context *
make_context (struct pw_loop *loop)
{
  struct pw_context *context = NULL;

  if (zc_pipewire_is_old ())
    context = pw_context_new (loop, pw_properties_new (PW_KEY_CONFIG_NAME, "client-rt.conf", NULL), 0);
  return context != NULL ? context : pw_context_new (loop, NULL, 0);
}

static gboolean
make_loop (ZcPipeWireServer *server)
{
  server->poll_fd = epoll_create1 (EPOLL_CLOEXEC);
  server->event_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  server->loop = pw_loop_new (NULL);
  if (server->poll_fd < 0 || server->loop == NULL
      || !add_to_poll (server, server->event_fd, EPOLLIN | EPOLLET, &server->event_fd)
      || !add_to_poll (server, pw_loop_get_fd (server->loop), EPOLLIN, server->loop))
    return FALSE;
  return TRUE;
}

static void
begin (ZcPipeWireServer *server)
{
  static const struct pw_core_events events = { PW_VERSION_CORE_EVENTS, .info = on_info, .done = on_done,
    .error = on_error };
  const gchar *application = g_get_application_name ();
  struct pw_properties *properties = pw_properties_new (PW_KEY_APP_NAME,
      application != NULL ? application : "zcloopbacksrc", NULL);

  server->core = pw_context_connect (server->context, properties, 0);
  if (server->core != NULL)
    pw_core_add_listener (server->core, &server->listener, &events, server);
}

static gpointer
initialize (gpointer data)
{
  pw_init (NULL, NULL); /* for good: others in this process may use it, too */
  return NULL;
}

gboolean
zc_pipewire_connect (ZcPipeWireServer *server, gint64 deadline_ns, GError **error)
{
  static GOnce once = G_ONCE_INIT;
  const gchar *asked = g_getenv ("PIPEWIRE_REMOTE");
  gboolean accepted = FALSE;

  g_once (&once, initialize, NULL);
  *server = (ZcPipeWireServer){ .name = g_strdup (asked != NULL ? asked : "the default server"), .rate = USUAL_RATE,
    .poll_fd = -1, .event_fd = -1 };
  if (!make_loop (server)) {
    g_set_error_literal (error, ZC_ERROR, ZC_ERROR_FAILED, "libpipewire cannot begin (pw_loop_new): it is out of "
        "memory or file descriptors. Close some, or raise the limit (ulimit -n).");
    return FALSE;
  }
  server->context = make_context (server->loop);
  if (server->context == NULL) {
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_SERVER, "libpipewire cannot begin: pw_context_new said \"%s\". Install "
        "its configuration and modules (on Debian: libpipewire-0.3-common, libpipewire-0.3-modules), or choose "
        "backend=pulse.", g_strerror (errno));
    return FALSE;
  }
  zc_pipewire_enter (server);
  begin (server);
  if (server->core != NULL)
    accepted = zc_pipewire_complete (server, "who it is", deadline_ns, error);
  else
    g_set_error (error, ZC_ERROR, ZC_ERROR_NO_SERVER, "Cannot reach PipeWire (%s): pw_context_connect said \"%s\". "
        "Start it (systemctl --user start pipewire), or set PIPEWIRE_REMOTE to one that runs.", server->name,
        g_strerror (errno));
  zc_pipewire_leave (server);
  return accepted;
}

void
zc_pipewire_clear (ZcPipeWireServer *server)
{
  if (server->core != NULL) {
    spa_hook_remove (&server->listener);
    pw_core_disconnect (server->core);
  }
  g_clear_pointer (&server->context, pw_context_destroy);
  g_clear_pointer (&server->loop, pw_loop_destroy);
  if (server->event_fd >= 0)
    close (server->event_fd);
  if (server->poll_fd >= 0)
    close (server->poll_fd);
  g_free (server->name);
  g_free (server->last_word);
  *server = (ZcPipeWireServer){ .poll_fd = -1, .event_fd = -1 };
}
