/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* server.h: the connection to a PipeWire server, and its loop, which runs in the thread that calls us and nowhere else.
 * libpipewire has a thread of its own besides, in which sound comes ("data"). Only zc_pipewire_wake() and
 * zc_pipewire_nudge() come from any thread. */
#pragma once

#include "zc-error.h"

#include <pipewire/pipewire.h>
#include <stdatomic.h>

G_BEGIN_DECLS

typedef struct {
  struct pw_loop *loop;
  struct pw_context *context;
  struct pw_core *core;
  struct spa_hook listener;
  gchar *name;      /* for messages */
  gchar *last_word; /* what it said when it went wrong */
  gboolean broken;
  guint rate;   /* of its graph */
  int asked;    /* the last question, and ... */
  int answered; /* ... the last answer, as PipeWire numbers them */
  int poll_fd;  /* ready when one of these is: */
  int event_fd; /* somebody nudges us */
  gboolean has_news; /* the loop has something to do */
  _Atomic gboolean woken;
} ZcPipeWireServer;

/* Returns when the server has accepted us, by the deadline. *server is to be cleared whatever the outcome. */
gboolean zc_pipewire_connect (ZcPipeWireServer *server, gint64 deadline_ns, GError **error);
void zc_pipewire_clear (ZcPipeWireServer *server);

/* libpipewire, which need not be of the server's version, is older than 1.3.81, of which much was changed. */
gboolean zc_pipewire_is_old (void);

/* The calling thread is the loop's, up to leave(): all calls of this folder that have no other word are made then. */
void zc_pipewire_enter (ZcPipeWireServer *server);
void zc_pipewire_leave (ZcPipeWireServer *server);

gboolean zc_pipewire_is_good (const ZcPipeWireServer *server);

/* Until there is news, somebody nudges us, or the deadline: FALSE if that had passed. What it is is not looked at. */
gboolean zc_pipewire_poll (ZcPipeWireServer *server, gint64 deadline_ns);

/* Listens to the news, and sends what there is to be sent. Callbacks are called. */
void zc_pipewire_hear (ZcPipeWireServer *server);

/* Until the server has done all that it was asked for. FALSE with an error at the deadline, or if the connection
 * breaks; `what` it was asked for. */
gboolean zc_pipewire_complete (ZcPipeWireServer *server, const gchar *what, gint64 deadline_ns, GError **error);

/* Ends a poll(), or the next one, so that its caller looks again. Any thread. */
void zc_pipewire_nudge (ZcPipeWireServer *server);

/* Any thread. */
void zc_pipewire_wake (ZcPipeWireServer *server, gboolean on);

/* With ZC_ERROR_WOKEN in *error. */
gboolean zc_pipewire_is_woken (ZcPipeWireServer *server, GError **error);

G_END_DECLS
