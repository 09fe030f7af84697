/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstzcenums.h: the choices that properties offer, as GTypes. The numbers never change; more may be added. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Which backend; only those of this build can be set. */
#define GST_TYPE_ZC_BACKEND (gst_zc_backend_get_type ())
GType gst_zc_backend_get_type (void);
#define GST_ZC_BACKEND_AUTO 0

/* The nick of a value: the name of the backend in the registry, or "auto". */
const gchar *gst_zc_backend_get_nick (gint value);

typedef enum {
  GST_ZC_MEMORY_MODE_COPY,
  GST_ZC_MEMORY_MODE_POOL,
  GST_ZC_MEMORY_MODE_LEASE,
} GstZcMemoryMode;

#define GST_TYPE_ZC_MEMORY_MODE (gst_zc_memory_mode_get_type ())
GType gst_zc_memory_mode_get_type (void);

typedef enum {
  GST_ZC_POOL_STRATEGY_FIXED,    /* all buffers from the start, and none more */
  GST_ZC_POOL_STRATEGY_ADAPTIVE, /* more ahead of need, fewer when they were not needed for a while */
} GstZcPoolStrategy;

#define GST_TYPE_ZC_POOL_STRATEGY (gst_zc_pool_strategy_get_type ())
GType gst_zc_pool_strategy_get_type (void);

typedef enum {
  GST_ZC_OVERFLOW_DROP,     /* the packet is lost: DISCONT, a count and a message */
  GST_ZC_OVERFLOW_ALLOCATE, /* it gets memory of its own */
} GstZcOverflow;

#define GST_TYPE_ZC_OVERFLOW (gst_zc_overflow_get_type ())
GType gst_zc_overflow_get_type (void);

typedef enum {
  GST_ZC_IDLE_FEED = 0, /* the device is kept running with silence of ours */
  GST_ZC_IDLE_SYNTHESIZE = 1, /* silence is made of the time that passes */
  GST_ZC_IDLE_WAIT = 2, /* nothing is done: buffers come when sound does, on systems where a device stops */
} GstZcIdle;

#define GST_TYPE_ZC_IDLE (gst_zc_idle_get_type ())
GType gst_zc_idle_get_type (void);

typedef enum {
  GST_ZC_ON_GLITCH_FILL, /* silence is in place of what the device left out */
  GST_ZC_ON_GLITCH_GAP,  /* nothing is: the timestamps jump */
} GstZcOnGlitch;

#define GST_TYPE_ZC_ON_GLITCH (gst_zc_on_glitch_get_type ())
GType gst_zc_on_glitch_get_type (void);

typedef enum {
  GST_ZC_ON_LOSS_REOPEN, /* silence until the device is there again */
  GST_ZC_ON_LOSS_ERROR,  /* one error, and EOS */
} GstZcOnLoss;

#define GST_TYPE_ZC_ON_LOSS (gst_zc_on_loss_get_type ())
GType gst_zc_on_loss_get_type (void);

/* Values: ZcStamps. */
#define GST_TYPE_ZC_TIMESTAMP_MODE (gst_zc_timestamp_mode_get_type ())
GType gst_zc_timestamp_mode_get_type (void);

/* Values: ZcProcessMode. */
#define GST_TYPE_ZC_PROCESS_MODE (gst_zc_process_mode_get_type ())
GType gst_zc_process_mode_get_type (void);

G_END_DECLS
