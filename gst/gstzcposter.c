/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcposter.h"

#include "gstzcreadings.h"

#define GST_CAT_DEFAULT zc_poster_debug
GST_DEBUG_CATEGORY_STATIC (zc_poster_debug);

void
gst_zc_poster_init (GstZcPoster *self, GstElement *element)
{
  static gsize once = 0;

  if (g_once_init_enter (&once)) {
    GST_DEBUG_CATEGORY_INIT (zc_poster_debug, "zcposter", 0, "what zcloopbacksrc tells on the bus");
    g_once_init_leave (&once, 1);
  }
  *self = (GstZcPoster){ .element = element };
}

void
gst_zc_poster_begin (GstZcPoster *self)
{
  self->overflowing = FALSE;
  self->pages_told = FALSE;
  self->stats_frames = 0;
}

static void
post (GstZcPoster *self, GstStructure *structure)
{
  gst_element_post_message (self->element, gst_message_new_element (GST_OBJECT_CAST (self->element), structure));
}

static void
post_overflow (GstZcPoster *self, const gchar *device, guint64 frames)
{
  GST_WARNING_OBJECT (self->element, "downstream holds all buffers: %" G_GUINT64_FORMAT " frames dropped", frames);
  post (self, gst_structure_new ("zcloopback-overflow", "frames", G_TYPE_UINT64, frames, "cause", G_TYPE_STRING,
      "downstream holds pool-max-buffers buffers", "device", G_TYPE_STRING, device, NULL));
}

void
gst_zc_poster_tell_overflow (GstZcPoster *self, GstZcPacker *packer, const gchar *device, gboolean ended)
{
  guint64 dropped;

  if (self->overflowing && !ended)
    return;
  dropped = gst_zc_packer_take_dropped (packer);
  if (dropped > 0)
    post_overflow (self, device, dropped);
  self->overflowing = dropped > 0 && !ended;
}

void
gst_zc_poster_tell_glitch (GstZcPoster *self, const gchar *device, const ZcGlitch *glitch)
{
  GST_WARNING_OBJECT (self->element, "%" G_GUINT64_FORMAT " frames are missing: %s", glitch->frames, glitch->cause);
  post (self, gst_structure_new ("zcloopback-glitch", "frames", G_TYPE_UINT64, glitch->frames, "cause", G_TYPE_STRING,
      glitch->cause, "device", G_TYPE_STRING, device, NULL));
}

void
gst_zc_poster_tell_lost (GstZcPoster *self, const gchar *device, const GError *cause)
{
  GST_WARNING_OBJECT (self->element, "silence until the device is back: %s", cause->message);
  post (self, gst_structure_new ("zcloopback-lost", "device", G_TYPE_STRING, device, "cause", G_TYPE_STRING,
      cause->message, NULL));
}

void
gst_zc_poster_tell_recovered (GstZcPoster *self, const gchar *device, guint64 frames)
{
  GST_WARNING_OBJECT (self->element, "%s delivers again; %" G_GUINT64_FORMAT " frames of silence", device, frames);
  post (self, gst_structure_new ("zcloopback-recovered", "device", G_TYPE_STRING, device, "frames", G_TYPE_UINT64,
      frames, NULL));
}

void
gst_zc_poster_tell_changed (GstZcPoster *self, const gchar *device, const gchar *previous, guint64 frames)
{
  GST_INFO_OBJECT (self->element, "%s in place of %s; %" G_GUINT64_FORMAT " frames of silence", device, previous,
      frames);
  post (self, gst_structure_new ("zcloopback-device-changed", "device", G_TYPE_STRING, device, "previous",
      G_TYPE_STRING, previous, "frames", G_TYPE_UINT64, frames, NULL));
}

void
gst_zc_poster_tell_refused (GstZcPoster *self, const gchar *device, const GError *error)
{
  GST_ELEMENT_WARNING (self->element, RESOURCE, NOT_FOUND, ("%s", error->message),
      ("\"%s\" is still captured", device));
}

void
gst_zc_poster_tell_stats (GstZcPoster *self, guint interval_ms, guint rate, const ZcStats *stats,
    GstZcAllocation *allocation)
{
  guint64 frames = zc_stats_get (stats, ZC_STAT_FRAMES_EXPECTED);

  if (interval_ms == 0 || rate == 0 || (frames - self->stats_frames) * 1000 < (guint64) interval_ms * rate)
    return;
  self->stats_frames = frames;
  post (self, gst_zc_readings_make_stats ("zcloopback-stats", stats, allocation));
}

void
gst_zc_poster_tell_pages (GstZcPoster *self, GstZcAllocation *allocation, const ZcPagesWish *wish)
{
  g_autofree gchar *lack = NULL;
  ZcPagesState state;

  if (self->pages_told || !gst_zc_allocation_take_pages (allocation, &state))
    return;
  lack = zc_pages_describe_lack (wish, &state);
  self->pages_told = lack != NULL;
  if (lack != NULL)
    GST_ELEMENT_WARNING (self->element, RESOURCE, SETTINGS, ("The system did not give the pool all of the memory that "
        "was asked for: no %s. Capture goes on without.", lack), ("of %" G_GSIZE_FORMAT " bytes %" G_GSIZE_FORMAT
        " are on large pages, %" G_GSIZE_FORMAT " are locked; NUMA node %d", state.bytes, state.huge_bytes,
        state.locked_bytes, state.numa_node));
}
