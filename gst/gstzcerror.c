/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstzcerror.h"

#include "zc-error.h"

void
gst_zc_post_error (GstElement *element, const GError *error)
{
  static const struct {
    ZcError from;
    GQuark (*domain) (void);
    gint code;
  } codes[] = {
    { ZC_ERROR_NO_SERVER, gst_resource_error_quark, GST_RESOURCE_ERROR_NOT_FOUND },
    { ZC_ERROR_NO_DEVICE, gst_resource_error_quark, GST_RESOURCE_ERROR_NOT_FOUND },
    { ZC_ERROR_BUSY, gst_resource_error_quark, GST_RESOURCE_ERROR_BUSY },
    { ZC_ERROR_TIMEOUT, gst_resource_error_quark, GST_RESOURCE_ERROR_OPEN_READ },
    { ZC_ERROR_FORMAT, gst_core_error_quark, GST_CORE_ERROR_NEGOTIATION },
    { ZC_ERROR_SETTINGS, gst_resource_error_quark, GST_RESOURCE_ERROR_SETTINGS },
    { ZC_ERROR_LOST, gst_resource_error_quark, GST_RESOURCE_ERROR_READ },
  };
  GQuark domain = GST_RESOURCE_ERROR;
  gint code = GST_RESOURCE_ERROR_FAILED;

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    if (g_error_matches (error, ZC_ERROR, codes[i].from)) {
      domain = codes[i].domain ();
      code = codes[i].code;
    }
  gst_element_message_full (element, GST_MESSAGE_ERROR, domain, code, g_strdup (error->message), NULL, __FILE__,
      GST_FUNCTION, __LINE__);
}
