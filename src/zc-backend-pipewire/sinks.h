/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sinks.h: the sinks of a server, the one that is captured, and what becomes of it. */
#pragma once

#include "server.h"

#include <pipewire/extensions/metadata.h>
#include <spa/param/audio/raw.h>

G_BEGIN_DECLS

typedef struct {
  guint32 id;
  gchar *serial; /* no other object ever has it */
  gchar *name;   /* "alsa_output.pci-0000_00_1f.3.analog-stereo" */
  gchar *description;
} ZcPipeWireSink;

typedef struct {
  ZcPipeWireServer *server;
  struct pw_registry *registry;
  struct spa_hook registry_listener;
  struct pw_metadata *metadata; /* "default": tells which sink is */
  struct spa_hook metadata_listener;
  guint32 metadata_id;
  GPtrArray *all; /* ZcPipeWireSink, the newest last */
  gchar *default_name;
  const ZcPipeWireSink *chosen;
  struct pw_node *node; /* the chosen one */
  struct spa_hook node_listener;
  struct spa_audio_info_raw channels; /* that it has; no more of it is of use */
  gboolean rests;   /* the chosen one, as it was suspended, or has not begun: a stream need not hear of it */
  gboolean gone;    /* the chosen one, and the server says that it is no more */
  gboolean follows; /* it was chosen as the default one */
  gboolean moved;   /* and the server says that another one is */
} ZcPipeWireSinks;

/* By the deadline. *sinks is to be cleared, before the server is, whatever the outcome. */
gboolean zc_pipewire_sinks_list (ZcPipeWireSinks *sinks, ZcPipeWireServer *server, gint64 deadline_ns, GError **error);
void zc_pipewire_sinks_clear (ZcPipeWireSinks *sinks);

/* `name`: a sink's, or that with ".monitor" behind, or what people call it; NULL: the default one, which is
 * followed. */
gboolean zc_pipewire_sinks_choose (ZcPipeWireSinks *sinks, const gchar *name, gint64 deadline_ns, GError **error);

G_END_DECLS
