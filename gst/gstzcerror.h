/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstzcerror.h: errors of the core as error messages of an element. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Posts one ERROR message for an error of ZC_ERROR. */
void gst_zc_post_error (GstElement *element, const GError *error);

G_END_DECLS
