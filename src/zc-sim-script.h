/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zc-sim-script.h: the language of zc-backend-sim.h, parsed. */
#pragma once

#include "zc-format.h"

G_BEGIN_DECLS

typedef enum { ZC_SIM_COUNTING, ZC_SIM_TONE, ZC_SIM_SILENCE } ZcSimSignal;

typedef enum { ZC_SIM_PLAY, ZC_SIM_SILENT, ZC_SIM_GLITCH, ZC_SIM_IDLE, ZC_SIM_LOSE } ZcSimWhat;

typedef struct {
  ZcSimWhat what;
  guint frames; /* 0 for ZC_SIM_LOSE */
} ZcSimStep;

typedef struct {
  ZcFormat format;
  ZcSimSignal signal;
  GArray *packets; /* guint, frames, in turn; at least one */
  GArray *steps;   /* ZcSimStep; at least one, the last for ever */
  guint lend; /* packets at once */
  gboolean lend_briefly;
  gdouble drift_ppm;
  gdouble jitter_us;
  gdouble delay_us;
  gboolean manual_clock;
  gboolean untimed;
  gboolean wild_times;
  guint away_ms;
  gboolean fail_open;
  gboolean fail_start;
} ZcSimScript;

/* NULL and ZC_ERROR_NO_DEVICE, naming the word, if it is not of the language. */
ZcSimScript *zc_sim_script_parse (const gchar *text, GError **error);
void zc_sim_script_free (ZcSimScript *script);

G_END_DECLS
