/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sinks.h: the sinks of a server, the one that is captured, and what becomes of it. */
#pragma once

#include "server.h"

G_BEGIN_DECLS

typedef struct {
  guint32 index;
  gchar *name; /* "alsa_output.pci-0000_00_1f.3.analog-stereo" */
  gchar *monitor;
  gchar *description;
  pa_sample_spec spec;
  pa_channel_map map;
} ZcPulseSink;

typedef struct {
  ZcPulseServer *server;
  GPtrArray *all; /* ZcPulseSink, as the server listed them, then those that came; the newest last */
  gchar *default_name;
  const ZcPulseSink *chosen;
  gboolean gone;    /* and the server says that it is no more */
  gboolean follows; /* it was chosen as the default one */
  gboolean moved;   /* and the server says that another one is */
} ZcPulseSinks;

/* By the deadline. *sinks is to be cleared whatever the outcome. */
gboolean zc_pulse_sinks_list (ZcPulseSinks *sinks, ZcPulseServer *server, gint64 deadline_ns, GError **error);
void zc_pulse_sinks_clear (ZcPulseSinks *sinks);

/* `name`: a sink's, its monitor's, or what people call it; NULL: the default one, which is followed. */
gboolean zc_pulse_sinks_choose (ZcPulseSinks *sinks, const gchar *name, GError **error);

/* A server's news, of the kinds that this asks for: PA_SUBSCRIPTION_MASK_SINK | PA_SUBSCRIPTION_MASK_SERVER. */
void zc_pulse_sinks_hear (ZcPulseSinks *sinks, pa_subscription_event_type_t event, guint32 index);

G_END_DECLS
