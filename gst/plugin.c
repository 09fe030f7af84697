/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcloopbacksrc.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (zcloopbacksrc, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, zcloopback, "Capture of what the computer plays", plugin_init,
    PACKAGE_VERSION, "LGPL", PACKAGE, "Unknown package origin")
