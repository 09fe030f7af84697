/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* processes.h: what some of those who play on a server play, added up.
 *
 * A server gives what one sink input plays, not what a process does: each that is meant is recorded by itself. The
 * monitor of the chosen sink tells the time. It runs whoever plays, and what is missing is silence. */
#pragma once

#include "mix.h"
#include "stream.h"

G_BEGIN_DECLS

typedef struct {
  ZcPulseServer *server;
  const ZcPulseSinks *sinks;
  ZcTarget target; /* its strings are ours */
  GString *who;    /* while it opens: all who play, for people */

  GPtrArray *players; /* Player: who plays and is meant */

  /* Between start and stop. */
  const ZcPulseStream *monitor;
  ZcStreamSpec spec;
  ZcPulseMix mix;
  guint64 monitored_to; /* what the monitor has come to */
  gboolean late;        /* it is not known what the monitor lost while we were */
  guint ready_frames;   /* of the mix: nobody adds there any more */
  gint64 left_at_ns;    /* when the last packet went downstream; 0: we listen again */
} ZcPulseProcesses;

/* Lists who plays, by the deadline. To be cleared whatever the outcome; `sinks` are listed and outlive it. */
gboolean zc_pulse_processes_open (ZcPulseProcesses *processes, ZcPulseServer *server, const ZcPulseSinks *sinks,
    const ZcTarget *target, gint64 deadline_ns, GError **error);
void zc_pulse_processes_clear (ZcPulseProcesses *processes);

/* A server's news, of the kind that this asks for: PA_SUBSCRIPTION_MASK_SINK_INPUT. */
void zc_pulse_processes_hear (ZcPulseProcesses *processes, pa_subscription_event_type_t event, guint32 index);

/* The format that is mixed with least loss, in the sink's rate and channels. */
void zc_pulse_processes_prefer (ZcFormat *format);

/* `monitor` has started, and runs until stop. */
gboolean zc_pulse_processes_start (ZcPulseProcesses *processes, const ZcPulseStream *monitor, const ZcStreamSpec *spec,
    GError **error);
void zc_pulse_processes_stop (ZcPulseProcesses *processes);

/* How much later than the monitor, in regular running. */
guint zc_pulse_processes_delay_frames (const ZcPulseProcesses *processes);

/* Takes what has come from everyone, and the monitor. TRUE if there is a packet, as borrow will give it. */
gboolean zc_pulse_processes_gather (ZcPulseProcesses *processes, ZcPulseStream *monitor);

gboolean zc_pulse_processes_borrow (ZcPulseProcesses *processes, ZcPacket *packet);
void zc_pulse_processes_give_back (ZcPulseProcesses *processes);

G_END_DECLS
