/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* errors.h: what a HRESULT means, in one table. */
#pragma once

#include "wasapi.h"
#include "zc-error.h"

G_BEGIN_DECLS

/* "DEVICE: CALL failed with NAME (0x...): what it means and what to do". */
void zc_wasapi_set_error (GError **error, HRESULT result, const gchar *device, const gchar *call);

/* "NAME (0x...)". Free with g_free(). */
gchar *zc_wasapi_result_name (HRESULT result);

/* Windows has told, without a call that failed, that the device is gone. */
void zc_wasapi_set_removed (GError **error, const gchar *device);

G_END_DECLS
