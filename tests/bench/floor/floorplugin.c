/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The floors that this computer can build, as one plugin. */
#include <gst/gst.h>

GType floor_src_get_type (void);
GType pw_floor_src_get_type (void);

static gboolean
plugin_init (GstPlugin *plugin)
{
  return gst_element_register (plugin, "zcfloorsrc", GST_RANK_NONE, floor_src_get_type ())
      && gst_element_register (plugin, "zcpwfloorsrc", GST_RANK_NONE, pw_floor_src_get_type ());
}

#define PACKAGE "zcloopback-bench"
GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, zcfloor, "Bench: the floor sources", plugin_init,
    "0.1", "LGPL", "zcloopback-bench", "https://gstreamer.freedesktop.org/")
