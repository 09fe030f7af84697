/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* server.h: the connection to a PulseAudio server, and libpulse's plain mainloop, which runs in the thread that calls
 * us and nowhere else: nothing in this folder takes a lock. Only zc_pulse_wake() comes from any thread. */
#pragma once

#include "zc-error.h"

#include <pulse/pulseaudio.h>
#include <stdatomic.h>

G_BEGIN_DECLS

typedef struct {
  pa_mainloop *loop;
  gboolean joined; /* the mainloop is another connection's */
  pa_context *context;
  gchar *name; /* for messages */
  _Atomic gboolean woken;
} ZcPulseServer;

/* Returns when the server has accepted us, by the deadline. *server is to be cleared whatever the outcome. */
gboolean zc_pulse_server_connect (ZcPulseServer *server, gint64 deadline_ns, GError **error);
void zc_pulse_server_clear (ZcPulseServer *server);

/* Another connection to the same server, on the same mainloop, which outlives it: asked for, not waited for. FALSE if
 * even that cannot be; to be cleared whatever the outcome. Ready: zc_pulse_server_is_ready(). */
gboolean zc_pulse_server_join (ZcPulseServer *server, const ZcPulseServer *first);

gboolean zc_pulse_server_is_ready (ZcPulseServer *server);
gboolean zc_pulse_server_is_good (ZcPulseServer *server);

/* What it said last of why something failed. */
const gchar *zc_pulse_server_last_word (ZcPulseServer *server);

/* One round of the mainloop, no longer than until the deadline. FALSE if there is no time left. */
gboolean zc_pulse_iterate (ZcPulseServer *server, gint64 deadline_ns);

/* Rounds until then, or until woken. */
void zc_pulse_rest (ZcPulseServer *server, gint64 until_ns);

/* What can be done without waiting: news are heard, requests are sent. A server that never falls silent is left. */
void zc_pulse_catch_up (ZcPulseServer *server);

/* Until the server has answered. FALSE at the deadline or if the connection breaks. Takes the operation, NULL if it
 * could not be begun. */
gboolean zc_pulse_complete (ZcPulseServer *server, pa_operation *operation, gint64 deadline_ns);

/* The answer is heard by a callback, or does not matter. */
void zc_pulse_forget (pa_operation *operation);

/* `call` did not answer in time with `what`, or the connection broke under it. */
void zc_pulse_set_silent (GError **error, ZcPulseServer *server, const gchar *what, const gchar *call);

void zc_pulse_wake (ZcPulseServer *server, gboolean on);

/* With ZC_ERROR_WOKEN in *error. */
gboolean zc_pulse_is_woken (ZcPulseServer *server, GError **error);

G_END_DECLS
