/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstzcloopbacksrc.h: the element. */
#pragma once

#include <gst/base/base.h>

G_BEGIN_DECLS

#define GST_TYPE_ZC_LOOPBACK_SRC (gst_zc_loopback_src_get_type ())
G_DECLARE_FINAL_TYPE (GstZcLoopbackSrc, gst_zc_loopback_src, GST, ZC_LOOPBACK_SRC, GstPushSrc)

GST_ELEMENT_REGISTER_DECLARE (zcloopbacksrc)

G_END_DECLS
