/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstzcsettings.h: what the user sets: the writable properties of the element.
 *
 * Threads: the caller's lock. */
#pragma once

#include "gstzcenums.h"
#include "zc-backend.h"
#include "zc-pages.h"
#include "zc-timeline.h"

G_BEGIN_DECLS

typedef struct {
  gint backend; /* of GST_TYPE_ZC_BACKEND */
  gchar *device; /* NULL: the default */
  guint process_id;
  gchar *process_name; /* NULL: none */
  ZcProcessMode process_mode;
  ZcStamps timestamp_mode;
  gboolean provide_clock;
  GstZcIdle idle;
  gboolean follow_default;
  GstZcOnGlitch on_glitch;
  GstZcOnLoss on_loss;
  gint64 latency_time_us;
  gint64 buffer_time_us;
  GstZcMemoryMode memory_mode;
  GstZcOverflow overflow;
  GstZcPoolStrategy pool_strategy;
  guint pool_min_buffers;
  guint pool_max_buffers;
  ZcPagesWish pages;
  guint stats_interval_ms; /* 0: off */
} GstZcSettings;

/* Ids of the properties, from 1 on. */
enum {
  GST_ZC_SETTING_BACKEND = 1,
  GST_ZC_SETTING_DEVICE,
  GST_ZC_SETTING_PROCESS_ID,
  GST_ZC_SETTING_PROCESS_NAME,
  GST_ZC_SETTING_PROCESS_MODE,
  GST_ZC_SETTING_TIMESTAMP_MODE,
  GST_ZC_SETTING_PROVIDE_CLOCK,
  GST_ZC_SETTING_IDLE,
  GST_ZC_SETTING_FOLLOW_DEFAULT,
  GST_ZC_SETTING_ON_GLITCH,
  GST_ZC_SETTING_ON_LOSS,
  GST_ZC_SETTING_LATENCY_TIME,
  GST_ZC_SETTING_BUFFER_TIME,
  GST_ZC_SETTING_MEMORY_MODE,
  GST_ZC_SETTING_OVERFLOW,
  GST_ZC_SETTING_POOL_STRATEGY,
  GST_ZC_SETTING_POOL_MIN_BUFFERS,
  GST_ZC_SETTING_POOL_MAX_BUFFERS,
  GST_ZC_SETTING_HUGE_PAGES,
  GST_ZC_SETTING_NUMA_NODE,
  GST_ZC_SETTING_LOCK_MEMORY,
  GST_ZC_SETTING_STATS_INTERVAL,
  GST_ZC_N_SETTINGS,
};

void gst_zc_settings_install (GObjectClass *klass);

void gst_zc_settings_init (GstZcSettings *settings);
void gst_zc_settings_clear (GstZcSettings *settings);

/* A change of it takes a new opening of the device. */
gboolean gst_zc_settings_is_target (guint id);

/* A change of it goes to the pool that is in use. */
gboolean gst_zc_settings_is_bound (guint id);

/* FALSE if there is no setting of that id. */
gboolean gst_zc_settings_set (GstZcSettings *settings, guint id, const GValue *value);
gboolean gst_zc_settings_get (const GstZcSettings *settings, guint id, GValue *value);

/* What they say to capture; its strings are those of the settings. */
ZcTarget gst_zc_settings_target (const GstZcSettings *settings);

/* FALSE and ZC_ERROR_SETTINGS if they contradict each other. */
gboolean gst_zc_settings_check (const GstZcSettings *settings, GError **error);

/* Of what says what to capture alone. */
gboolean gst_zc_settings_check_target (const GstZcSettings *settings, GError **error);

G_END_DECLS
